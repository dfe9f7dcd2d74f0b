"""What a copy of a page must share with the page: each rule returns the problems that it found.

The pages themselves are run by nbval. A copy whose code is that of the page, cell by cell, need
not run again to be known to work; what differs, the answers and their checks, runs here.
"""

import ast
import contextlib
import io
import re

import numpy as np

from vae_tutorial.exercises import EXERCISES

CHECK = re.compile(r'^exercises\.check\("(\w+)", \1\)$', re.MULTILINE)
SOLUTION_MARKS = re.compile(r"^ *### (?:BEGIN|END) SOLUTION\n?", re.MULTILINE)


def code_cells(notebook) -> list:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def grade_id(cell) -> str:
    return cell.metadata.get("nbgrader", {}).get("grade_id", "")


def graded_pairs(copy) -> dict[str, tuple[str, str]]:
    """Return the answer and the check of each exercise in a copy."""
    sources = {grade_id(cell): cell.source for cell in code_cells(copy) if grade_id(cell)}
    names = [name.removeprefix("answer-") for name in sources if name.startswith("answer-")]
    return {name: (sources[f"answer-{name}"], sources.get(f"test-{name}", "")) for name in names}


def rule_the_code_is_the_page_s(page, copy) -> list[str]:
    """Every cell that is not graded has the page's code, in the page's order."""
    wanted = [cell.source for cell in code_cells(page) if not CHECK.search(cell.source)]
    got = [cell.source for cell in code_cells(copy) if not grade_id(cell)]
    if len(wanted) != len(got):
        return [f"{len(got)} cells of code besides the graded ones, not {len(wanted)}"]
    return [
        f"code differs from the page's: {new[:60]!r}"
        for old, new in zip(wanted, got, strict=True)
        if old != new
    ]


def rule_nothing_depends_on_an_answer(page, copy) -> list[str]:
    """No other code uses the name of an exercise, so none could tell whether it is right."""
    exercises = graded_pairs(copy).keys()
    return [
        f"{name!r} is used in {cell.source[:60]!r}"
        for cell in code_cells(copy)
        if not grade_id(cell)
        for name in exercises
        & {getattr(node, "id", "") for node in ast.walk(ast.parse(cell.source))}
    ]


def rule_stubs_are_the_page_s(page, copy) -> list[str]:
    """What stands above the function's body is the page's, in every kind of copy."""
    stubs = {
        found[1]: cell.source[: found.start()].rstrip()
        for cell in code_cells(page)
        if (found := CHECK.search(cell.source))
    }
    pairs = graded_pairs(copy)
    problems = [f"{name} has no answer cell" for name in stubs.keys() - pairs.keys()]
    for name, (answer, _) in pairs.items():
        before, _, after = stubs.get(name, "").partition("def ")
        solved = before + EXERCISES[name].solution_source()
        if SOLUTION_MARKS.sub("", answer).rstrip() not in (f"{before}def {after}", solved):
            problems.append(f"the answer cell of {name} is neither the page's stub nor solved")
    return problems


def said_of(answer: str, test: str, space: dict) -> tuple[str, str]:
    """Run an answer and its check; return what the check prints, and the points it ends in."""
    exec(answer, space)
    *statements, last = ast.parse(test).body
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(ast.Module(statements, []), "<check>", "exec"), space)
        points = eval(compile(ast.Expression(last.value), "<check>", "eval"), space)
    return printed.getvalue(), repr(points)


def wanted_of(name: str, kind: str) -> tuple[str, str]:
    """Return what the check of an exercise must say in a copy of this kind."""
    exercise = EXERCISES[name]
    if kind == "student":
        return f"{name}: not attempted yet\n", "0"
    return f"{name}: right\n{exercise.why}\n", str(exercise.points)


def rule_checks_answer(page, copy, kind: str) -> list[str]:
    """Each check prints the verdict, and ends in the points, that its answer deserves."""
    problems = []
    space = {"np": np}  # what the page has imported before; the answers need no more
    for name, pair in graded_pairs(copy).items():
        try:
            got = said_of(*pair, space)
        except Exception as error:
            got = f"{type(error).__name__}: {error}"
        if got != wanted_of(name, kind):
            problems.append(f"the check of {name} says {got}")
    return problems


def problems(page, copy, kind: str) -> list[str]:
    """Return what is wrong with a copy of a page for "student", "instructor" or "nbgrader"."""
    rules = (
        rule_the_code_is_the_page_s,
        rule_nothing_depends_on_an_answer,
        rule_stubs_are_the_page_s,
    )
    found = [problem for rule in rules for problem in rule(page, copy)]
    return found + rule_checks_answer(page, copy, kind)
