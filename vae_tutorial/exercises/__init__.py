"""Exercises that answer at once: a check runs the reader's function and names what went wrong.

A check tries hard cases and random inputs, the same ones every time, so an answer that was copied
from the example fails. It compares with the solution; where the two differ it looks for a known
mistake that gives the same wrong results, and otherwise shows the smallest input on which they
differ.
"""

import copy
import dis
import inspect
import types
import warnings
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from vae_tutorial._words import _

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
from vae_tutorial.exercises._bank import (
    EXERCISES,
    HINTS,
    Exercise,
    Mistake,
    arguments,
    known,
)
from vae_tutorial.exercises._relations import related
from vae_tutorial.exercises._trial import (
    Fault,
    NotAttempted,
    form_of,
    in_words,
    run,
    same,
    show,
    written,
)
from vae_tutorial.notebook import show_table

N_INPUTS = 12
RIGHT, WRONG, UNTOUCHED = "right", "not yet right", "not attempted yet"
KNOWN = "Your results are those of a known mistake."
PRINTS = "What your function prints is not shown during a check."
_lot = ""  # what the random inputs depend on besides the exercise; marking sets it to the hand-in
_record: dict[str, str] = {}
_hinted: dict[str, int] = {}


@dataclass(frozen=True)
class Verdict:
    """What a check found.

    Parameters
    ----------
    name : str
        The exercise.
    status : str
        "right", "not yet right" or "not attempted yet", in English whatever the language is:
        programs read it.
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
        said = _("{name}: {status}", name=self.name, status=_(self.status))
        return said + (f"\n{self.message}" if self.message else "")


@dataclass(frozen=True)
class Hint:
    """One of the three hints to an exercise.

    Parameters
    ----------
    name : str
        The exercise.
    step : int
        1, a nudge; 2, the idea; 3, nearly the code.
    text : str
        What it says.

    Examples
    --------
    >>> Hint("top_k", 2, "Sort few numbers.")
    top_k, hint 2 of 3, the idea: Sort few numbers.
    """

    name: str
    step: int
    text: str

    def __repr__(self) -> str:
        return _(
            "{name}, hint {step} of {all}, {kind}: {text}",
            name=self.name,
            step=self.step,
            all=len(HINTS),
            kind=_(HINTS[self.step - 1]),
            text=self.text,
        )


def check(name: str, answer: Callable) -> Verdict:
    """Try an answer on many inputs, and say whether it is right or what is wrong with it.

    NumPy arrays and TensorFlow tensors are both accepted. Nothing that the answer does raises an
    error here: exceptions, endless loops of Python and wrong types are answered in words.
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
    exercise = known(name)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the hard cases; the verdict says what matters
            status, message = _judge(name, exercise, answer)
    except NotAttempted:
        status, message = UNTOUCHED, ""
    except Fault as fault:
        status, message = WRONG, str(fault)
    _record[name] = status
    return Verdict(name, status, message)


def hint(name: str) -> Hint:
    """Return the next of three hints: a nudge, the idea, nearly the code.

    Each call in a session gives the next one. From the third on it is the third again, since
    whoever asks once more wants to read it once more. Hints cost no points.
    Introduced in chapter 1.

    Parameters
    ----------
    name : str
        Name of the exercise, a key of ``EXERCISES``.

    Returns
    -------
    Hint
        Printed as text where it is the last line of a cell.

    Raises
    ------
    TypeError, ValueError
        If there is no such exercise.

    Examples
    --------
    >>> hint("gallery_bytes")
    gallery_bytes, hint 1 of 3, a nudge: How many numbers are stored in all, and how many bits ...
    >>> hint("gallery_bytes").step
    2
    """
    hints = known(name).hints
    step = _hinted[name] = min(_hinted.get(name, 0) + 1, len(hints))
    return Hint(name, step, _(hints[step - 1]))


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
    exercise = known(name)
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
        raise ValueError(_("nothing was checked in this session yet; run the cells above first"))
    rows = [
        [_(e.title), _(e.level), _of(points(e.name), e.points), _(status)] for e, status in checked
    ]
    total = _of(sum(map(points, _record)), sum(e.points for e, status in checked))
    columns = [_("exercise"), _("level"), _("points"), _("status")]
    show_table([*rows, [_("together"), "", total, ""]], columns)


def _of(got: int, most: int) -> str:
    return _("{got} of {most}", got=got, most=most)


def _kind(value) -> str:
    return type(value).__name__


def _judge(name: str, exercise: Exercise, answer) -> tuple[str, str]:
    if not callable(answer):
        kind = _kind(answer)
        raise Fault(_("check needs the function itself, got a value of type {kind}.", kind=kind))
    if _is_stub(answer):
        raise NotAttempted
    calls, inputs = _inputs(name, exercise)
    wanted = [exercise.solution(*copy.deepcopy(given)) for given in inputs]
    results, prints = run(answer, calls, inputs, wanted)
    trials = list(zip(inputs, wanted, results, strict=True))
    wrong = [not _right(exercise, *trial) for trial in trials]
    if not any(wrong) or any(_gives(other, trials) for other in exercise.also):
        return RIGHT, _(exercise.why) + (f"\n{_(PRINTS)}" if prints else "")
    for mistake in exercise.mistakes:
        if _made(mistake, trials, wrong):
            return WRONG, _("{known} {diagnosis}", known=_(KNOWN), diagnosis=_(mistake.diagnosis))
    if said := _by_chance(answer, calls, trials, wrong) or _from_the_example(exercise, trials):
        return WRONG, f"{said}\n{_counterexample(calls, trials, wrong)}"
    if relation := related(wanted, results):
        return WRONG, f"{relation}\n{_counterexample(calls, trials, wrong)}"
    return WRONG, _counterexample(calls, trials, wrong) + (f"\n{_(PRINTS)}" if prints else "")


def _inputs(name: str, exercise: Exercise) -> tuple[list[str], list]:
    """Return the calls that an answer is tried on, in words, and their arguments.

    For a reader they depend on the exercise alone, so that a check run again says the same. Where
    a class is marked, what is right is tried once more on inputs that depend on the file as well.
    """
    calls = [exercise.example, *exercise.cases]
    inputs = [tuple(arguments(call)) for call in calls]
    rng = np.random.default_rng(zlib.crc32(f"{name}{_lot}".encode()))
    for size in range(1, N_INPUTS + 1):
        # Two decimals, so that what is shown of an input is all of it.
        inputs.append(tuple(map(_rounded, exercise.draw(rng, size))))
        calls.append(written(name, inputs[-1]))
    return calls, inputs


def _rounded(value):
    if isinstance(value, np.ndarray):
        return np.round(value, 2) if value.dtype.kind == "f" else value
    return round(float(value), 2) if isinstance(value, float) else value


def _right(exercise: Exercise, given, want, got) -> bool:
    if isinstance(got, Fault):
        return False
    if same(want, got):
        return True
    if exercise.accepts is None or np.shape(want) != np.shape(got):
        return False
    return _holds(exercise.accepts, got, *given)


def _is_stub(answer) -> bool:
    """Tell whether a function does nothing but return None."""
    answer = answer.__func__ if isinstance(answer, types.MethodType) else answer
    if not isinstance(answer, types.FunctionType):
        return False
    instructions = [i for i in dis.get_instructions(answer) if i.opname not in ("RESUME", "NOP")]
    idle = all(i.opname in ("LOAD_CONST", "RETURN_VALUE", "RETURN_CONST") for i in instructions)
    return idle and [i.argval for i in instructions if "CONST" in i.opname][-1:] == [None]


def _gives(function, trials) -> bool:
    """Tell whether a function of our own gives what the answer gave, errors included."""
    for given, _want, got in trials:
        try:
            with np.errstate(all="ignore"):
                made = function(*copy.deepcopy(given))
        except Exception as error:
            if not isinstance(got, Fault) or got.error != in_words(error):
                return False
        else:
            if isinstance(got, Fault) or not same(made, got):
                return False
    return True


def _made(mistake: Mistake, trials, wrong) -> bool:
    """Tell whether the answer's results are those of a known mistake."""
    if mistake.seen is None:
        return any(_gives(variant, trials) for variant in mistake.variants)
    for (given, want, got), is_wrong in zip(trials, wrong, strict=True):
        if is_wrong and (isinstance(got, Fault) or not _holds(mistake.seen, want, got, *given)):
            return False
    return True


def _by_chance(answer, calls, trials, wrong) -> str:
    """Tell whether a second try gives other results than the first, as draws of its own would."""
    few = [(call, *trial) for call, trial, no in zip(calls, trials, wrong, strict=True) if no][:3]
    calls, inputs, wanted, results = zip(*few, strict=True)
    again, _prints = run(answer, calls, inputs, wanted)
    for got, other in zip(results, again, strict=True):
        if not isinstance(got, Fault) and not isinstance(other, Fault) and not same(other, got):
            return _(
                "Called twice with the same input, your function gives two results. Does it draw "
                "random numbers of its own, or keep something from one call to the next?"
            )
    return ""


def _from_the_example(exercise: Exercise, trials) -> str:
    """Tell whether an answer holds an argument, a number, at what the example has for it."""
    names = list(inspect.signature(exercise.solution).parameters)
    for place, value in enumerate(exercise.example_arguments()):
        if isinstance(value, (int, float)):

            def held(*given, place=place, value=value):
                return exercise.solution(*given[:place], value, *given[place + 1 :])

            if _gives(held, trials):
                return _(
                    "You use {value}, a number of the example, where `{argument}` belongs.",
                    value=value,
                    argument=names[place],
                )
    return ""


def _holds(predicate, *about) -> bool:
    try:
        with np.errstate(all="ignore"):
            return bool(predicate(*about))
    except Exception:  # it was written for results of another form
        return False


def _counterexample(calls, trials, wrong) -> str:
    """Return what stopped the answer on the shortest input on which it fails, or its result."""
    first = min((i for i, is_wrong in enumerate(wrong) if is_wrong), key=lambda i: len(calls[i]))
    _given, want, got = trials[first]
    if isinstance(got, Fault):
        raise got
    form = form_of(got, want)
    said = _(
        "A small input on which it fails:\n  {call}\nexpected {want}\ngot      {got}",
        call=calls[first],
        want=show(want),
        got=show(got),
    )
    return f"{form}\n{said}" if form else said
