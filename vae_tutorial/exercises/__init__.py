"""Exercises that answer at once: a check runs the reader's function and names what went wrong.

A check draws random inputs, so an answer that was copied from the example fails. It compares with
the solution; where the two differ it looks for a known mistake that gives the same wrong results,
and otherwise shows the smallest input on which they differ.
"""

import copy
import dis
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from vae_tutorial._checks import check_choice

# Importing a page's module registers its exercises, in the order of the book.
from vae_tutorial.exercises import (  # noqa: F401  # isort: skip
    _background,
    _elbo,
    _encoder_decoder,
    _training,
    _retrieval,
    _better_representations,
    _richer_images,
    _many_modalities,
    _interpretability,
    _beyond_one_machine,
)
from vae_tutorial.exercises._bank import EXERCISES, Exercise, Mistake
from vae_tutorial.exercises._trial import (
    Fault,
    NotAttempted,
    as_numbers,
    check_form,
    run,
    same,
    show,
)
from vae_tutorial.notebook import show_table

N_INPUTS = 12
RIGHT, WRONG, UNTOUCHED = "right", "not yet right", "not attempted yet"
_record: dict[str, str] = {}


@dataclass(frozen=True)
class Verdict:
    """What a check found.

    Parameters
    ----------
    name : str
        The exercise.
    status : str
        "right", "not yet right" or "not attempted yet".
    message : str
        What went wrong, or why the answer works.

    Examples
    --------
    >>> Verdict("top_k", "not attempted yet", "")
    top_k: not attempted yet
    """

    name: str
    status: str
    message: str

    def __repr__(self) -> str:
        return f"{self.name}: {self.status}" + (f"\n{self.message}" if self.message else "")


def check(name: str, answer: Callable) -> Verdict:
    """Try an answer on random inputs, and say whether it is right or what is wrong with it.

    NumPy arrays and TensorFlow tensors are both accepted. Nothing that the answer does raises an
    error here: exceptions, endless loops and wrong types are answered in words.
    Introduced in chapter 1.

    Parameters
    ----------
    name : str
        Name of the exercise, a key of ``EXERCISES``.
    answer : function
        The reader's function.

    Returns
    -------
    Verdict
        Printed as text where it is the last line of a cell.

    Raises
    ------
    TypeError, ValueError
        If there is no such exercise.

    Examples
    --------
    >>> check("top_k", lambda distances, k: None)
    top_k: not attempted yet
    >>> check("top_k", lambda distances, k: np.argsort(distances)[-k:]).status
    'not yet right'
    """
    exercise = EXERCISES[check_choice(name, "name", EXERCISES)]
    try:
        status, message = _judge(exercise, answer)
    except NotAttempted:
        status, message = UNTOUCHED, ""
    except Fault as fault:
        status, message = WRONG, str(fault)
    _record[name] = status
    return Verdict(name, status, message)


def points(name: str) -> int:
    """Return the points of the last answer in this session: all of them if it was right, else 0.

    nbgrader reads this number from the cell of the check.

    Parameters
    ----------
    name : str
        Name of the exercise.

    Returns
    -------
    int

    Raises
    ------
    TypeError, ValueError
        If there is no such exercise.

    Examples
    --------
    >>> _ = check("top_k", lambda distances, k: np.argsort(distances))
    >>> points("top_k")
    0
    """
    exercise = EXERCISES[check_choice(name, "name", EXERCISES)]
    return exercise.points if _record.get(name) == RIGHT else 0


def progress() -> None:
    """Show what was checked in this session, as a table that can be handed in.

    Every page runs in a session of its own. ``python -m vae_tutorial.exercises FOLDER`` makes one
    table of a whole folder of notebooks. Introduced in chapter 1.

    Raises
    ------
    ValueError
        If nothing was checked yet.

    Examples
    --------
    >>> _ = check("top_k", lambda distances, k: np.argsort(distances)[:k])
    >>> progress()
    <IPython.core.display.Markdown object>
    """
    checked = [(EXERCISES[name], status) for name, status in _record.items()]
    if not checked:
        raise ValueError("nothing was checked in this session yet; run the cells above first")
    rows = [[e.title, e.level, f"{points(e.name)} of {e.points}", status] for e, status in checked]
    total = f"{sum(map(points, _record))} of {sum(e.points for e, _ in checked)}"
    show_table([*rows, ["together", "", total, ""]], ["exercise", "level", "points", "status"])


def _judge(exercise: Exercise, answer) -> tuple[str, str]:
    if not callable(answer):
        kind = type(answer).__name__
        raise Fault(f"check needs the function itself, got a value of type {kind}.")
    if _is_stub(answer):
        raise NotAttempted
    rng = np.random.default_rng()
    inputs = [exercise.draw(rng, size) for size in range(1, N_INPUTS + 1)]
    wanted = [exercise.solution(*copy.deepcopy(given)) for given in inputs]
    results = [as_numbers(got, want) for got, want in zip(run(answer, inputs), wanted, strict=True)]
    wrong = [not same(want, got) for want, got in zip(wanted, results, strict=True)]
    if not any(wrong):
        return RIGHT, exercise.why
    for mistake in exercise.mistakes:
        if _made(mistake, inputs, wanted, results):
            return WRONG, mistake.diagnosis
    first = wrong.index(True)
    check_form(results[first], wanted[first])
    return WRONG, _counterexample(inputs[first], wanted[first], results[first])


def _is_stub(answer) -> bool:
    """Tell whether a function does nothing but return None."""
    code = getattr(answer, "__code__", None)
    if code is None:
        return False
    instructions = [i for i in dis.get_instructions(code) if i.opname not in ("RESUME", "NOP")]
    idle = all(i.opname in ("LOAD_CONST", "RETURN_VALUE", "RETURN_CONST") for i in instructions)
    return idle and [i.argval for i in instructions if "CONST" in i.opname][-1:] == [None]


def _made(mistake: Mistake, inputs, wanted, results) -> bool:
    """Tell whether a known mistake gives these results, and would be seen on these inputs."""
    seen = False
    for given, want, got in zip(inputs, wanted, results, strict=True):
        with np.errstate(all="ignore"):
            made = mistake.answer(*copy.deepcopy(given))
        key = mistake.key
        if key is not None and np.shape(made) != np.shape(got):
            key = None  # one such as np.sort needs arrays of the form it was written for
        if not (same(made, got) if key is None else same(key(made), key(got))):
            return False
        seen |= not same(want, made)
    return seen


def _counterexample(given, want, got) -> str:
    return (
        f"A small input on which it fails:\n  {show(given)}\n"
        f"expected {show((want,))}\ngot      {show((got,))}"
    )
