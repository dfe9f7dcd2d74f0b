"""nbgrader takes a chapter: it releases, marks and gives feedback (make test-nbgrader).

nbgrader lives in an environment of its own, named by NBGRADER; a plain ``pytest`` does not collect
this file. Three students hand in the first chapter: one with every answer right, one with every
second answer, one with a known mistake in every answer. The chapter is trimmed to its imports and
exercises: that the rest of its code is the page's is held by tests/test_classroom.py, and that it
runs by nbval.
"""

import csv
import inspect
import os
import shutil
import subprocess
import textwrap
from pathlib import Path

import make_classroom
import nbformat
import pytest
from place_exercises import BOOK

from vae_tutorial.exercises import EXERCISES

ROOT = Path(__file__).resolve().parents[1]
NBGRADER = Path(os.environ.get("NBGRADER", ROOT / ".venv-nbgrader" / "bin" / "nbgrader")).absolute()
PAGE = "background"
NAMES = [name for name, exercise in EXERCISES.items() if exercise.page == PAGE]
TOTAL = sum(EXERCISES[name].points for name in NAMES)
WRONG = {  # each is the first mistake that the exercise knows
    "precision_at_k": "return relevant[:, :k].sum(1) / relevant.sum(1)",
    "top_k": "return np.argsort(-distances)[:k]",
    "average_precision": """
        order = np.lexsort((~relevant, distances))
        ranked = relevant[order]
        return (np.cumsum(ranked) / np.arange(1, len(ranked) + 1))[ranked].mean()""",
    "pca_reconstruct": """
        _, _, vt = np.linalg.svd(images, full_matrices=False)
        return images @ vt[:k].T @ vt[:k]""",
    "share_by_chance": "return np.full(len(query_labels), 1 / len(np.unique(gallery_labels)))",
}


def answers(student: str) -> dict[str, str]:
    """Return the body of each function that the student has written."""
    right = {name: EXERCISES[name].solution_source().split("\n", 1)[1] for name in NAMES}
    return {
        "perfect": right,
        "half": {name: right[name] for name in NAMES[::2]},
        "wrong": {name: textwrap.indent(inspect.cleandoc(WRONG[name]), "    ") for name in NAMES},
    }[student]


def hand_in(released: Path, path: Path, written: dict[str, str]) -> None:
    notebook = nbformat.read(released, as_version=4)
    for cell in notebook.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id", "").removeprefix("answer-")
        if name in written:
            head = cell.source[: cell.source.index("\n", cell.source.index("def "))]
            cell.source = f"{head}\n{written[name]}"
    path.parent.mkdir(parents=True)
    nbformat.write(notebook, path)


def trimmed(kind: str):
    """Return a copy of the page without the code that only teaches."""
    notebook = make_classroom.copy_of(BOOK / f"{PAGE}.ipynb", kind)
    notebook.cells = [
        cell
        for cell in notebook.cells
        if cell.cell_type == "markdown"
        or "nbgrader" in cell.metadata
        or "import numpy as np" in cell.source
    ]
    return notebook


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    folder = tmp_path_factory.mktemp("course")
    source = folder / "source" / "one"
    source.mkdir(parents=True)
    (folder / "nbgrader_config.py").write_text(make_classroom.NBGRADER_CONFIG, encoding="utf-8")
    nbformat.write(trimmed("nbgrader"), source / f"{PAGE}.ipynb")

    def nbgrader(*words):
        # Only this environment's kernel, and no account of the one who tests.
        environment = {
            "PATH": f"{NBGRADER.parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(folder / "home"),
            "JUPYTER_PREFER_ENV_PATH": "1",
            "PYTHONPATH": str(ROOT),
            "MPLCONFIGDIR": str(folder / "home"),
        }
        command = [str(NBGRADER), *words]
        result = subprocess.run(
            command, capture_output=True, text=True, env=environment, cwd=folder
        )
        assert result.returncode == 0, result.stderr[-3000:]
        return result.stderr

    (folder / "home").mkdir()
    nbgrader("generate_assignment", "one", "--create")
    for student in ("perfect", "half", "wrong"):
        released = folder / "release" / "one" / f"{PAGE}.ipynb"
        hand_in(
            released, folder / "submitted" / student / "one" / f"{PAGE}.ipynb", answers(student)
        )
    # A fourth hands in a student's copy as "make classroom" writes it.
    copy = folder / "submitted" / "untouched" / "one" / f"{PAGE}.ipynb"
    copy.parent.mkdir(parents=True)
    nbformat.write(trimmed("student"), copy)
    nbgrader("autograde", "one", "--create")
    nbgrader("generate_feedback", "one")
    nbgrader("export", "--to", "grades.csv")
    yield folder
    shutil.rmtree(folder)


def test_the_release_has_stubs_and_no_solution(course):
    released = nbformat.read(course / "release" / "one" / f"{PAGE}.ipynb", as_version=4)
    text = "\n".join(cell.source for cell in released.cells)
    assert text.count("raise NotImplementedError()") == len(NAMES)
    assert "BEGIN SOLUTION" not in text
    for exercise in (EXERCISES[name] for name in NAMES):
        assert exercise.solution_source().split("\n", 1)[1] not in text
        assert exercise.reasoning not in text
        assert not any(mistake.diagnosis in text for mistake in exercise.mistakes)


@pytest.mark.parametrize(
    ("student", "wanted"),
    [
        ("perfect", TOTAL),
        ("half", sum(EXERCISES[name].points for name in NAMES[::2])),
        ("wrong", 0),
        ("untouched", 0),
    ],
)
def test_the_marks_are_right(course, student, wanted):
    with (course / "grades.csv").open(newline="", encoding="utf-8") as file:
        marks = {row["student_id"]: row for row in csv.DictReader(file)}
    assert float(marks[student]["score"]) == wanted
    assert float(marks[student]["max_score"]) == TOTAL


@pytest.mark.parametrize("student", ["perfect", "half", "wrong"])
def test_the_feedback_holds_what_the_check_said(course, student):
    page = course / "feedback" / student / "one" / f"{PAGE}.html"
    text = page.read_text(encoding="utf-8")
    for i, name in enumerate(NAMES):
        exercise = EXERCISES[name]
        answered = student == "perfect" or (student == "half" and i % 2 == 0)
        assert (exercise.why in text) == answered
        assert (f"{name}: not attempted yet" in text) == (student == "half" and not answered)
        assert (f"{name}: not yet right" in text) == (student == "wrong")
    assert (EXERCISES["top_k"].mistakes[0].diagnosis in text) == (student == "wrong")
