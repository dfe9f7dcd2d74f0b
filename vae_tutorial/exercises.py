"""Exercises that answer at once: a check runs the reader's function and names what went wrong.

A check draws random inputs, so an answer that was copied from the example fails. It compares with
the solution; where the two differ it looks for a known mistake that gives the same wrong results,
and otherwise shows the smallest input on which they differ.
"""

import contextlib
import copy
import ctypes
import dis
import io
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from vae_tutorial._checks import check_choice
from vae_tutorial._exercise_bank import EXERCISES, Exercise, Mistake
from vae_tutorial.notebook import show_table

TIME_LIMIT = 1.5  # seconds for all inputs of one check
N_INPUTS = 12
RIGHT, WRONG, UNTOUCHED = "right", "not yet right", "not attempted yet"
_record: dict[str, str] = {}


@dataclass(frozen=True)
class Verdict:
    """What a check found. Introduced in chapter 1.

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
    status, message = _judge(exercise, answer)
    _record[name] = status
    return Verdict(name, status, message)


def points(name: str, of: int) -> int:
    """Return the points of the last answer: all of them if it was right, else none.

    nbgrader reads this number from the cell of the check. Introduced in chapter 1.

    Parameters
    ----------
    name : str
        Name of the exercise.
    of : int
        Points of a right answer.

    Returns
    -------
    int

    Examples
    --------
    >>> points("hamming_distances", 3)
    0
    """
    return of if _record.get(check_choice(name, "name", EXERCISES)) == RIGHT else 0


def progress() -> None:
    """Show which exercises are done in this session, as a table that can be handed in.

    Introduced in chapter 1.

    Examples
    --------
    >>> progress()
    <IPython.core.display.Markdown object>
    """
    show_table(
        [
            [name, e.page, e.level, f"about {e.minutes}", _record.get(name, UNTOUCHED)]
            for name, e in EXERCISES.items()
        ],
        ["exercise", "chapter", "level", "minutes", "status"],
    )


def _judge(exercise: Exercise, answer) -> tuple[str, str]:
    if not callable(answer):
        kind = type(answer).__name__
        return WRONG, f"check needs the function itself, got a value of type {kind}."
    if _is_stub(answer):
        return UNTOUCHED, ""
    rng = np.random.default_rng()
    inputs = [exercise.draw(rng, size) for size in range(1, N_INPUTS + 1)]
    wanted = [exercise.solution(*copy.deepcopy(given)) for given in inputs]
    runs, problem = _run_all(answer, inputs)
    if problem:
        return WRONG, problem
    results = []
    for want, got in zip(wanted, runs, strict=True):
        value, problem = _as_numbers(got, want)
        if problem:
            return WRONG, problem
        results.append(value)
    wrong = [not _same(want, got) for want, got in zip(wanted, results, strict=True)]
    if not any(wrong):
        return RIGHT, exercise.why
    for mistake in exercise.mistakes:
        if _made(mistake, inputs, wanted, results):
            return WRONG, mistake.diagnosis
    first = wrong.index(True)
    return WRONG, _counterexample(inputs[first], wanted[first], results[first])


def _is_stub(answer) -> bool:
    code = getattr(answer, "__code__", None)
    if code is None:
        return False
    instructions = [i for i in dis.get_instructions(code) if i.opname not in ("RESUME", "NOP")]
    idle = all(i.opname in ("LOAD_CONST", "RETURN_VALUE", "RETURN_CONST") for i in instructions)
    return idle and [i.argval for i in instructions if "CONST" in i.opname][-1:] == [None]


def _run_all(answer, inputs) -> tuple[list, str]:
    """Return what the answer gives for each input, or a sentence about why it gives nothing."""
    results, problems = [], []

    def work():
        try:
            for given in inputs:
                own = copy.deepcopy(given)
                printed = io.StringIO()
                with contextlib.redirect_stdout(printed):
                    results.append(answer(*own))
                if not all(_same(a, b) for a, b in zip(given, own, strict=True)):
                    problems.append(
                        "Your function changes its input in place. The caller still needs it: "
                        "work on a copy, or write x = x + 1 in place of x += 1."
                    )
                    return
                if printed.getvalue():
                    problems.append("Your function prints. Let it only return its result.")
                    return
        except _TooLong:
            pass
        except BaseException as error:
            text = str(error).splitlines()[0] if str(error) else "no further message"
            problems.append(
                f"Your function stops with an error, {type(error).__name__}: {text}\n"
                f"The input was {_show(given)}."
            )

    stdout = sys.stdout
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(TIME_LIMIT)
    if thread.is_alive():
        # Raised in that thread as soon as it runs Python code again; then it ends by itself.
        identity = ctypes.c_ulong(thread.ident)
        ctypes.pythonapi.PyThreadState_SetAsyncExc(identity, ctypes.py_object(_TooLong))
        thread.join(0.2)
        sys.stdout = stdout  # in case the thread still holds it
        return [], f"Your function was not done after {TIME_LIMIT:g} s. Does a loop never end?"
    return results, problems[0] if problems else ""


class _TooLong(BaseException):
    """Raised inside an answer that runs too long."""


def _as_numbers(got, want) -> tuple[object, str]:
    """Return a result as arrays like the expected ones, or a sentence about its type or shape."""
    if got is None:
        return None, "Your function returns nothing. Is there a return at its end?"
    if isinstance(want, tuple):
        if not isinstance(got, (tuple, list)) or len(got) != len(want):
            return None, f"Return {len(want)} results, separated by commas."
        parts = [_as_numbers(g, w) for g, w in zip(got, want, strict=True)]
        return tuple(part for part, _ in parts), next((text for _, text in parts if text), "")
    try:
        value = np.asarray(got)
    except Exception:
        value = np.asarray(None)
    if value.dtype.kind not in "fiub":
        return None, f"Return numbers; your function returns {type(got).__name__}."
    shape = np.shape(want)
    if value.shape != shape:
        said = "one number" if not shape else f"shape {shape}"
        return None, f"The result should have {said}, but yours has shape {value.shape}."
    if not np.isfinite(value).all() and np.isfinite(want).all():
        return None, (
            "Your result holds NaN or infinity where the right one is finite. Look for a "
            "logarithm of 0, an overflowing exp, or a division by 0."
        )
    return value, ""


def _same(want, got) -> bool:
    if isinstance(want, tuple):
        return len(want) == len(got) and all(map(_same, want, got))
    want, got = np.asarray(want), np.asarray(got)
    if want.shape != got.shape:
        return False
    if want.dtype.kind in "iub":
        return bool((want == got).all())
    return bool(np.allclose(got, want, rtol=1e-4, atol=1e-5, equal_nan=True))


def _made(mistake: Mistake, inputs, wanted, results) -> bool:
    """Tell whether a known mistake gives these results, and would be seen on these inputs."""
    seen = False
    for given, want, got in zip(inputs, wanted, results, strict=True):
        with np.errstate(all="ignore"):
            made = mistake.answer(*copy.deepcopy(given))
        same = _same(made, got) if mistake.key is None else _same(*map(mistake.key, (made, got)))
        if not same:
            return False
        seen |= not _same(want, made)
    return seen


def _counterexample(given, want, got) -> str:
    return (
        f"A small input on which it fails:\n  {_show(given)}\n"
        f"expected {_show((want,))}\ngot      {_show((got,))}"
    )


def _show(values) -> str:
    with np.printoptions(precision=4, suppress=True, threshold=20):
        return ", ".join(np.array2string(np.asarray(value), separator=", ") for value in values)
