"""What an exercise is, and how the pages' modules register theirs."""

import difflib
import inspect
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from vae_tutorial._words import _

POINTS = {"warm-up": 1, "standard": 2, "harder": 3}
HINTS = ("a nudge", "the idea", "nearly the code")  # what each of an exercise's three hints is


@dataclass(frozen=True)
class Mistake:
    """A mistake, and what to say to a reader whose results are those of it.

    Either of ``variants``, functions that make it and may raise, gives the reader's results on
    every input; or ``seen(want, got, *given)`` is true wherever the reader's result is wrong.
    """

    diagnosis: str
    variants: tuple[Callable, ...] = ()
    seen: Callable | None = None


def seen(predicate: Callable) -> Mistake:
    """Return a mistake that is told from wrong results: ``predicate(want, got, *given)``."""
    return Mistake("", seen=predicate)


@dataclass(frozen=True)
class Exercise:
    """An exercise of a page.

    ``draw(rng, size)`` returns the arguments of one random trial, ``cases`` are calls that every
    answer is tried on: the hard ones, small and of whole numbers. Where more than one result is
    right, ``accepts(got, *given)`` judges it; ``also`` are other ways to read the statement.
    ``hints`` are as HINTS says, in plain text, because a session prints them. A short exercise
    stands in the text, ``after`` the cell of this id; the others close the page.
    """

    page: str
    title: str
    level: str  # a key of POINTS
    minutes: int
    statement: str
    example: str  # a call, shown with its result
    why: str
    reasoning: str
    hints: tuple[str, str, str]
    draw: Callable
    mistakes: tuple[Mistake, ...]
    solution: Callable
    cases: tuple[str, ...] = ()
    accepts: Callable | None = None
    also: tuple[Callable, ...] = ()
    after: str = ""

    @property
    def points(self) -> int:
        return POINTS[self.level]

    @property
    def name(self) -> str:
        return self.solution.__name__

    def example_arguments(self) -> list:
        return arguments(self.example)

    def example_result(self) -> str:
        """Return what the solution gives for the example, rounded, as Python would show it."""
        result = self.solution(*self.example_arguments())
        parts = [_shown(part) for part in (result if isinstance(result, tuple) else (result,))]
        return ", ".join(parts)

    def solution_source(self) -> str:
        source = inspect.getsource(self.solution)
        return textwrap.dedent(source[source.index("\ndef ") + 1 :]).rstrip()


EXERCISES: dict[str, Exercise] = {}
# Exercises of the first edition, and what stands in their place: copies of it are still handed in.
REPLACED = {
    "kl_divergence": "kl_to_scaled_prior",
    "reparameterise": "log_normal_draws",
    "log_mean_exp": "effective_draws",
    "bernoulli_log_likelihood": "categorical_log_likelihood",
    "gaussian_log_likelihood": "laplace_log_likelihood",
    "bound_log_var": "name_the_fault",
}


def known(name: str) -> Exercise:
    """Return the exercise of a name; where there is none, say which names are nearest."""
    if not isinstance(name, str):
        raise TypeError(
            _("{name} must be a string, got {kind}", name="name", kind=type(name).__name__)
        )
    if name in REPLACED:
        new = REPLACED[name]
        raise ValueError(_("the exercise {name!r} was replaced by {new!r}", name=name, new=new))
    if name not in EXERCISES:
        near = difflib.get_close_matches(name, EXERCISES, cutoff=0.5)
        advice = _("list(exercises.EXERCISES) has all names")
        if near:
            advice = _("did you mean {names}?", names=_(" or ").join(map(repr, near)))
        message = _("there is no exercise {name!r}; {advice}", name=name, advice=advice)
        raise ValueError(message)
    return EXERCISES[name]


def arguments(call: str) -> list:
    """Return the arguments of a call that is written in Python."""
    return eval(f"[{call[call.index('(') + 1 : -1]}]", {"np": np})


def exercise(page: str, *, mistakes: dict, **fields):
    """Register the function below as the solution of an exercise of the same name.

    ``mistakes`` maps each diagnosis to a function that makes the mistake, to a tuple of such
    functions, or to ``seen(...)``.
    """
    known = tuple(
        replace(made, diagnosis=diagnosis)
        if isinstance(made, Mistake)
        else Mistake(diagnosis, made if isinstance(made, tuple) else (made,))
        for diagnosis, made in mistakes.items()
    )

    def register(solution):
        EXERCISES[solution.__name__] = Exercise(page, mistakes=known, solution=solution, **fields)
        return solution

    return register


def _shown(value) -> str:
    array = np.asarray(value)
    if array.dtype.kind == "f":
        array = np.round(array, 4) + 0.0  # no -0.0
    return np.array2string(array, separator=", ")
