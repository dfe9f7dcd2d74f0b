"""The copies for students and instructors: made from the book alone, plain, and complete."""

import email
import io
import posixpath
import re
import zipfile
from pathlib import PurePosixPath

import copy_rules
import make_classroom
import nbformat
import pytest
from place_exercises import BOOK, pages
from plain import plain_cells

from vae_tutorial.exercises import EXERCISES

ROOT = BOOK.parent
MYST = re.compile(r"\{[\w:]+\}`|^:::|^`{3,}\{|\$\$ \([\w-]+\)|^:[\w-]+:", re.MULTILINE)


@pytest.fixture(scope="module", params=make_classroom.KINDS)
def copies(request):
    kind = request.param
    made = {page: make_classroom.copy_of(BOOK / f"{page}.ipynb", kind) for page in pages()}
    return kind, made


def text_of(notebook) -> str:
    return "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def test_copies_are_valid_and_no_directive_is_left(copies):
    _, made = copies
    for page, notebook in made.items():
        nbformat.validate(notebook)
        assert MYST.findall(text_of(notebook)) == [], page
        assert "<details>" in text_of(notebook), page  # the answers of the quiz
        assert all(not cell.get("outputs") for cell in notebook.cells), page


def test_their_code_is_the_page_s_and_each_check_says_what_its_answer_deserves(copies):
    # The pages are run by nbval, so copies with the same code need not run once more.
    kind, made = copies
    for page, notebook in made.items():
        original = nbformat.read(BOOK / f"{page}.ipynb", as_version=4)
        assert copy_rules.problems(original, notebook, kind) == [], page
        assert "import numpy as np" in "\n".join(cell.source for cell in notebook.cells)


def first(copy, kind: str):
    return next(c for c in copy.cells if copy_rules.grade_id(c) == f"{kind}-precision_at_k")


def spoil_code(copy):
    copy_rules.code_cells(copy)[3].source += "\nnumber = 1"


def lose_a_cell(copy):
    copy.cells.remove(copy_rules.code_cells(copy)[1])


def add_code_below(copy):
    copy.cells.append(nbformat.v4.new_code_cell("top_k(distances, 3)"))


def spoil_the_stub(copy):
    cell = first(copy, "answer")
    cell.source = cell.source.replace("k", "n")


def spoil_the_answer(copy):
    cell = first(copy, "answer")
    cell.source = cell.source.replace("return ", "return 1 + ")


def spoil_the_check(copy):
    cell = first(copy, "test")
    cell.source = cell.source.replace("print(", "print('checked', ")


def give_points_away(copy):
    cell = first(copy, "test")
    cell.source = cell.source.rsplit("\n", 1)[0] + "\n1"


@pytest.mark.parametrize(
    ("kind", "spoil", "said"),
    [
        ("student", spoil_code, "code differs from the page's"),
        ("instructor", lose_a_cell, "cells of code besides the graded ones"),
        ("student", add_code_below, "'top_k' is used in 'top_k"),
        ("student", spoil_the_stub, "precision_at_k is neither the page's stub nor solved"),
        ("instructor", spoil_the_answer, "the check of precision_at_k says ('precision_at_k: not"),
        ("nbgrader", spoil_the_answer, "precision_at_k is neither the page's stub nor solved"),
        ("instructor", spoil_the_check, "the check of precision_at_k says ('checked"),
        ("student", give_points_away, "not attempted yet\\n', '1')"),
    ],
)
def test_a_spoiled_copy_is_reported(kind, spoil, said):
    page = nbformat.read(BOOK / "background.ipynb", as_version=4)
    copy = make_classroom.copy_of(BOOK / "background.ipynb", kind)
    assert copy_rules.problems(page, copy, kind) == []
    spoil(copy)
    found = copy_rules.problems(page, copy, kind)
    assert any(said in problem for problem in found), found


def test_links_lead_to_copies_or_out(copies):
    kind, made = copies
    known = set(make_classroom.addresses(kind).values())
    for page, notebook in made.items():
        targets = re.findall(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)", text_of(notebook))
        for target in targets:
            assert target.startswith("https://") or target.split("#")[0] in known, page


MOVING = ("ranking", "elbo-bars", "gradients", "latent-explorer", "beta", "map")


def test_each_moving_figure_has_its_picture_and_says_what_it_shows(copies):
    _, made = copies
    shown = set().union(*map(make_classroom.pictures_of, made.values()))
    assert shown == {f"{name}.png" for name in MOVING}
    for name in MOVING:
        (text,) = [text_of(n) for n in made.values() if f"pictures/{name}.png" in text_of(n)]
        alt = re.search(rf"!\[([^\]]+)\]\(pictures/{name}\.png\)", text)[1]
        assert len(alt) > 40


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
        assert ("### BEGIN SOLUTION\n" + body in sources.replace("    ###", "###")) == (
            kind == "nbgrader"
        ), name
        assert (body in sources) == (kind != "student"), name
        assert (exercise.mistakes[0].diagnosis in sources) == (kind == "instructor")
    everything = "\n".join(map(text_of, made.values()))
    assert ("<summary>Solution</summary>" in everything) == (kind == "instructor")


@pytest.mark.parametrize("kind", make_classroom.KINDS)
@pytest.mark.slow
def test_making_them_again_gives_the_same_files(tmp_path, kind):
    for folder in ("first", "second"):
        make_classroom.write_copies(tmp_path / folder, kind)
    first, second = (
        {path.name: path.read_bytes() for path in (tmp_path / folder).rglob("*.ipynb")}
        for folder in ("first", "second")
    )
    assert first == second and len(first) == len(pages())


TARGETS = {
    ".ipynb": re.compile(r"\]\((?!https://|#)([^)\s#]+)"),
    ".html": re.compile(r"(?:src|href)=\"(?!https://|#)([^\"#]+)"),
    ".txt": re.compile(r"(?:open|install -r) (\S+\.(?:html|txt))"),
}


def dead_links(archive: zipfile.ZipFile) -> list[str]:
    """Return what a file of an archive leads to, and the archive lacks."""
    names, dead = set(archive.namelist()), []
    for name in sorted(names):
        pattern = TARGETS.get(PurePosixPath(name).suffix)
        text = archive.read(name).decode() if pattern else ""
        if name.endswith(".ipynb"):
            text = text_of(nbformat.reads(text, as_version=4))
        for target in pattern.findall(text) if pattern else ():
            path = posixpath.normpath(f"{posixpath.dirname(name)}/{target}".lstrip("/"))
            if path not in names:
                dead.append(f"{name}: {target}")
    return dead


def test_a_dead_link_in_a_zip_is_noticed(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        cell = nbformat.v4.new_markdown_cell("[a](b.ipynb) [c](https://x.org) ![d](../p/e.png)")
        archive.writestr("n/a.ipynb", nbformat.writes(nbformat.v4.new_notebook(cells=[cell])))
        archive.writestr("p/e.png", "")
        archive.writestr("d/x.html", '<script src="y.js"></script>')
        archive.writestr("README.txt", "open d/z.html")
    found = dead_links(zipfile.ZipFile(tmp_path / "a.zip"))
    assert found == ["README.txt: d/z.html", "d/x.html: y.js", "n/a.ipynb: b.ipynb"]


@pytest.mark.slow
def test_the_zips_hold_what_a_room_without_a_network_needs(tmp_path, monkeypatch):
    monkeypatch.setenv("BOOK_REPOSITORY", "ada/book")
    make_classroom.make(tmp_path / "made")
    for kind in ("student", "instructor"):
        archive = zipfile.ZipFile(tmp_path / "made" / f"{kind}.zip")
        names = set(archive.namelist())
        wheel = next(name for name in names if name.endswith(".whl"))
        assert {f"notebooks/{page}.ipynb" for page in pages()} <= names
        assert {"README.txt", "requirements.txt", "requirements-scale.txt"} <= names
        assert wheel in archive.read("README.txt").decode()
        assert dead_links(archive) == []
        assert {f"notebooks/pictures/{name}.png" for name in MOVING} <= names
        page = archive.read("drawing/draw.html").decode()
        assert (
            'id="fig-draw"' in page and "## " not in page and "{" not in page.split("</style>")[1]
        )
        for page in pages():  # what is in the zip is what is in the folder
            made = (tmp_path / "made" / kind / f"{page}.ipynb").read_bytes()
            assert archive.read(f"notebooks/{page}.ipynb") == made
        assert (f"nbgrader/source/{pages()[0]}/{pages()[0]}.ipynb" in names) == (
            kind == "instructor"
        )
        built = zipfile.ZipFile(io.BytesIO(archive.read(wheel)))
        library = set(built.namelist())
    wanted = ["data/*.npz", "weights/*.h5", "weights/*.json", "exercises/*.py", "*.py"]
    files = [path for pattern in wanted for path in (ROOT / "vae_tutorial").glob(pattern)]
    assert {path.relative_to(ROOT).as_posix() for path in files} <= library
    assert "vae_tutorial/py.typed" in library  # says that the library brings type hints
    results = (ROOT / "benchmarks" / "results").glob("*.json")
    assert {f"vae_tutorial/results/{path.name}" for path in results} <= library
    # What a package index shows: addresses, licences with their texts, a README that leads there.
    folder = next(name.split("/")[0] for name in library if name.endswith(".dist-info/METADATA"))
    metadata = email.message_from_bytes(built.read(f"{folder}/METADATA"))
    assert "Repository, https://github.com/ada/book" in metadata.get_all("Project-URL")
    assert metadata["License-Expression"].startswith("MIT AND CC-BY-SA-3.0 AND ")
    licences = metadata.get_all("License-File")
    assert len(licences) == 3 and {f"{folder}/licenses/{name}" for name in licences} <= library
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert "](https://github.com/ada/book/blob/" in metadata.get_payload()
    assert metadata["Requires-Python"] == "<3.14,>=3.11"


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
        ("[](elbo.ipynb) and [](notation.md)", "[The ELBO](elbo.ipynb) and Notation"),
        ("(a-place)=\n## Title", "## Title"),
        ("go on to [the end](#the-end)", "go on to the end"),
        (
            ":::{dropdown} Answer\nYes.\n:::",
            "<details><summary>Answer</summary>\n\nYes.\n\n</details>",
        ),
        (
            ":::{dropdown} It falls\n:class-container: quiz-option quiz-right\n**Right.** So.\n:::",
            "<details><summary>It falls</summary>\n\n**Right.** So.\n\n</details>",
        ),
        (
            "::::{admonition} Predict first\n:class: predict\n\n**Does it fall?**\n\n"
            ":::{dropdown} Answer\n:class-container: predict-answer\n\nYes.\n:::\n::::",
            "**Predict first.** **Does it fall?**\n\n"
            "<details><summary>Answer</summary>\n\nYes.\n\n</details>",
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
