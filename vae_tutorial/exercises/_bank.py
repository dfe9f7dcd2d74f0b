"""What an exercise is, and how the pages' modules register theirs."""

import inspect
import textwrap
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

POINTS = {"warm-up": 1, "standard": 2, "harder": 3}


@dataclass(frozen=True)
class Mistake:
    """A wrong answer, and what to say to a reader whose results equal it.

    Where ``key`` is given, results are compared after it: ``np.sort`` leaves their order aside.
    """

    diagnosis: str
    answer: Callable
    key: Callable | None = None


@dataclass(frozen=True)
class Exercise:
    """An exercise of a page; ``draw(rng, size)`` returns the arguments of one random trial."""

    page: str
    title: str
    level: str  # a key of POINTS
    minutes: int
    statement: str
    example: str  # a call, shown with its result
    why: str
    reasoning: str
    draw: Callable
    mistakes: tuple[Mistake, ...]
    solution: Callable

    @property
    def points(self) -> int:
        return POINTS[self.level]

    @property
    def name(self) -> str:
        return self.solution.__name__

    def example_arguments(self) -> list:
        call = self.example.removeprefix(self.name)
        return eval(f"[{call[1:-1]}]", {"np": np})

    def example_result(self) -> str:
        """Return what the solution gives for the example, rounded, as Python would show it."""
        result = self.solution(*self.example_arguments())
        parts = [_shown(part) for part in (result if isinstance(result, tuple) else (result,))]
        return ", ".join(parts)

    def solution_source(self) -> str:
        source = inspect.getsource(self.solution)
        return textwrap.dedent(source[source.index("\ndef ") + 1 :]).rstrip()


EXERCISES: dict[str, Exercise] = {}


def exercise(page: str, *, mistakes: dict, **fields):
    """Register the function below as the solution of an exercise of the same name.

    ``mistakes`` maps each diagnosis to a function that makes the mistake, or to such a function
    and the key of ``Mistake``.
    """
    known = tuple(
        Mistake(diagnosis, *(made if isinstance(made, tuple) else (made,)))
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
