"""The copies for students and instructors: made from the book alone, plain, and complete."""

import re

import make_classroom
import nbformat
import pytest
from place_exercises import BOOK, pages
from plain import plain_cells

from vae_tutorial.exercises import EXERCISES

MYST = re.compile(r"\{[\w:]+\}`|^:::|^`{3,}\{|\$\$ \([\w-]+\)|^:[\w-]+:", re.MULTILINE)


@pytest.fixture(scope="module", params=["student", "instructor"])
def copies(request):
    instructor = request.param == "instructor"
    made = {page: make_classroom.copy_of(BOOK / f"{page}.ipynb", instructor) for page in pages()}
    return request.param, made


def text_of(notebook) -> str:
    return "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def test_copies_are_valid_and_no_directive_is_left(copies):
    _, made = copies
    for page, notebook in made.items():
        nbformat.validate(notebook)
        assert MYST.findall(text_of(notebook)) == [], page
        assert "<details>" in text_of(notebook), page  # the answers of the quiz
        assert all(not cell.get("outputs") for cell in notebook.cells), page


def test_links_lead_to_copies_or_out(copies):
    _, made = copies
    for page, notebook in made.items():
        targets = re.findall(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)", text_of(notebook))
        for target in targets:
            assert target.startswith("https://") or target.split("#")[0][:-6] in made, page


def test_every_exercise_is_in_the_copies_once_with_what_nbgrader_needs(copies):
    _, made = copies
    cells = [cell for notebook in made.values() for cell in notebook.cells]
    marks = [cell.metadata.nbgrader for cell in cells if "nbgrader" in cell.metadata]
    assert sorted(m.grade_id for m in marks) == sorted(
        f"{kind}-{name}" for name in EXERCISES for kind in ("answer", "test")
    )
    for mark in marks:
        assert (mark.schema_version, mark.task) == (3, False)
        assert mark.solution != mark.grade and mark.locked == mark.grade
        assert ("points" in mark) == mark.grade


def test_only_the_instructor_has_solutions(copies):
    kind, made = copies
    for name, exercise in EXERCISES.items():
        sources = "\n".join(cell.source for cell in made[exercise.page].cells)
        body = exercise.solution_source().split("\n", 1)[1]
        assert (f"### BEGIN SOLUTION\n{body}" in sources) == (kind == "instructor")
        assert (body in sources) == (kind == "instructor"), name
        assert (exercise.mistakes[0].diagnosis in sources) == (kind == "instructor")
    everything = "\n".join(map(text_of, made.values()))
    assert ("<summary>Solution</summary>" in everything) == (kind == "instructor")


def test_making_them_again_gives_the_same_files(tmp_path):
    for folder in ("first", "second"):
        make_classroom.write_copies(tmp_path / folder, instructor=True)
    first, second = (
        {path.name: path.read_bytes() for path in (tmp_path / folder).iterdir()}
        for folder in ("first", "second")
    )
    assert first == second and len(first) == len(pages())


@pytest.mark.parametrize(
    ("myst", "expected"),
    [
        ("an {term}`ELBO` and a {term}`view <views>`", "an ELBO and a view"),
        (
            "{cite:p}`kingma2014auto,burda2016importance`",
            "(Kingma and Welling, 2014; Burda et al., 2016)",
        ),
        ("{cite:t}`rezende2014stochastic`", "Rezende et al. (2014)"),
        ("$$ a = b $$ (eq-a)\n\nBy {eq}`eq-a`", "$$ a = b \\tag{1}$$\n\nBy (1)"),
        ("[here](elbo.ipynb) and [there](notation.md)", "[here](elbo.ipynb) and there"),
        (
            ":::{dropdown} Answer\nYes.\n:::",
            "<details><summary>Answer</summary>\n\nYes.\n\n</details>",
        ),
        (
            ":::{dropdown} It falls\n:class-container: quiz-option quiz-right\n**Right.** So.\n:::",
            "<details><summary>It falls</summary>\n\n**Right.** So.\n\n</details>",
        ),
        (
            "```{figure} x.png\n:name: fig-x\n:alt: A plane.\n\nA plane.\n```\n\n"
            '```{raw} html\n<script src="x.js"></script>\n```\n\nTry it.',
            "*An interactive figure stands here in the online book.* A plane.\n\n\n\nTry it.",
        ),
        ("```{important}\nTwo\nlines.\n```", "> **Important.** \n> Two\n> lines."),
        ("```{exercise} Try\n:label: ex-a\n\nDo it.\n```", "**Exercise: Try**\n\nDo it."),
        (
            "````{solution} ex-a\n:class: dropdown\n\n```python\nx\n```\n````",
            "<details><summary>Solution</summary>\n\n```python\nx\n```\n\n</details>",
        ),
    ],
)
def test_plain_markdown(myst, expected):
    assert plain_cells([myst], {"elbo.ipynb": "elbo.ipynb"}) == [expected]
