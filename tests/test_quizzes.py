"""The right option of a question cannot be told by its wording, or by where it stands.

A reader who knows nothing may leave out what gives a reason and take the longest of the rest, or
the shortest, or the first. Over all questions of the book, none of these may find many more right
options than a die does, and none so few that its opposite would.
"""

import re
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from notebook_rules import QUIZ_OPTION

BOOK = Path(__file__).parents[1] / "book"
MARGIN = 0.02  # of all questions, above what a die finds: one question in fifty
BELOW = 0.12  # a rule that is wrong more often than this tells which option to leave out
QUESTION = re.compile(r"^\*\*(?:\d+\. )?[^*\n].*?\?\*\*", re.DOTALL | re.MULTILINE)
REASON = re.compile(r"\b(?:because|since|as|for|so that)\b")
HEDGE = re.compile(r"\b(?:may|might|usually|hardly|some|most|more|often|nearly)\b")
SURE = re.compile(r"\b(?:no|never|all|always|every|any|only|exactly|cannot|nothing|none)\b", re.I)


def questions() -> list[list[tuple[str, bool]]]:
    """Return the options of each question of the book, and whether each is right."""
    found = []
    for path in sorted(BOOK.glob("*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "markdown" and "quiz-option" in cell.source:
                options = QUIZ_OPTION.findall(cell.source)
                found.append([(title, "quiz-right" in fields) for title, fields, _ in options])
    return found


def longest(options: list[str]) -> list[float]:
    return [len(option) for option in options]


def shortest(options: list[str]) -> list[float]:
    return [-len(option) for option in options]


def without(pattern: str, rank: Callable = longest) -> Callable:
    """Return a rule that leaves out what a pattern finds, unless it finds all."""

    def rule(options: list[str]) -> list[float]:
        found = [bool(re.search(pattern, option, re.IGNORECASE)) for option in options]
        values = rank(options)
        return [-1e9 if bad and not all(found) else v for bad, v in zip(found, values, strict=True)]

    return rule


def count(pattern: re.Pattern, sign: int = 1) -> Callable:
    return lambda options: [sign * len(pattern.findall(option)) for option in options]


# Each gives the options marks; the highest is taken, and among equals a die decides.
RULES: dict[str, Callable] = {
    "the longest": longest,
    "the shortest": shortest,
    "leave out 'because', then the longest": without(r"\bbecause\b"),
    "leave out 'because', then the shortest": without(r"\bbecause\b", shortest),
    "leave out every reason, then the longest": without(REASON.pattern),
    "with a reason, then the longest": lambda options: [
        1e6 * bool(REASON.search(option)) + len(option) for option in options
    ],
    "the first": lambda options: [-place for place in range(len(options))],
    "the second": lambda options: [place == 1 for place in range(len(options))],
    "the last": lambda options: list(range(len(options))),
    "the most digits": count(re.compile(r"\d")),
    "the most commas": count(re.compile(r"[,:;]")),
    "the fewest commas": count(re.compile(r"[,:;]"), -1),
    "the most careful": count(HEDGE),
    "the least sure": count(SURE, -1),
    "the surest": count(SURE),
}


def found_by(rule: Callable, asked) -> float:
    """Return how many questions a rule is expected to get right."""
    total = 0.0
    for options in asked:
        marks = rule([title for title, _ in options])
        best = [
            right for mark, (_, right) in zip(marks, options, strict=True) if mark == max(marks)
        ]
        total += sum(best) / len(best)
    return total


def chance(asked) -> float:
    return sum(1 / len(options) for options in asked)


def test_there_are_questions():
    asked = questions()
    assert len(asked) >= 50
    assert all(sum(right for _, right in options) == 1 for options in asked)


@pytest.mark.parametrize("name", RULES)
def test_no_rule_of_wording_or_place_tells_the_right_option(name):
    asked = questions()
    found, die = found_by(RULES[name], asked) / len(asked), chance(asked) / len(asked)
    assert found <= die + MARGIN, f"{name}: right in {found:.0%} of questions, a die in {die:.0%}"
    assert found >= die - BELOW, f"not {name}: right in only {found:.0%}, a die in {die:.0%}"


def test_a_rule_that_tells_would_be_noticed():
    told = [[("no", False), ("yes, because of this", True), ("perhaps", False)]] * 3
    assert found_by(RULES["the longest"], told) == 3
    assert found_by(RULES["leave out 'because', then the longest"], told) == 0
    assert found_by(RULES["the most digits"], told) == pytest.approx(chance(told))
