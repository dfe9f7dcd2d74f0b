"""Mark every copy, and run one of them whole (make test-classroom).

Not collected by a plain ``pytest``. That a copy has the code of its page, which nbval runs, is held
by tests/test_classroom.py; so one copy run to its end stands for all.
"""

import csv
import subprocess
import sys

import make_classroom
import nbformat
import pytest
from copy_rules import grade_id, wanted_of
from nbclient import NotebookClient
from notebook_rules import run_seconds
from place_exercises import BOOK, pages

from vae_tutorial.exercises import EXERCISES, RIGHT, UNTOUCHED

KINDS = {"student": UNTOUCHED, "instructor": RIGHT}


@pytest.fixture(scope="module")
def marks(tmp_path_factory):
    """Return the row of each exercise in each copy, as the marker of a class writes them."""
    folder = tmp_path_factory.mktemp("handed-in")
    for kind in KINDS:
        make_classroom.write_copies(folder / kind, kind)
    command = [sys.executable, "-m", "vae_tutorial.exercises", str(folder), "--seconds", "900"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with (folder / "marks.csv").open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("page", pages())
@pytest.mark.parametrize("kind", KINDS)
def test_the_marker_gives_each_copy_what_it_deserves(kind, page, marks):
    found = {
        row["exercise"]: (row["status"], int(row["points"]), int(row["of"]))
        for row in marks
        if row["file"] == f"{kind}/{page}.ipynb"
    }
    assert found == {
        name: (KINDS[kind], exercise.points * (kind == "instructor"), exercise.points)
        for name, exercise in EXERCISES.items()
        if exercise.page == page
    }


def quickest() -> str:
    """Return the page with exercises that took least time when it was stored."""
    return min(pages(), key=lambda page: run_seconds(nbformat.read(BOOK / f"{page}.ipynb", 4)))


def run_whole(notebook, folder) -> None:
    """Execute a copy in a folder; a cell that fails stops it with an error."""
    # A busy machine may hand out one text in several messages, and takes its time.
    where = {"metadata": {"path": str(folder)}}
    limits = {"timeout": 900, "iopub_timeout": 900}
    NotebookClient(notebook, **limits, coalesce_streams=True, resources=where).execute()


def said_in(notebook) -> dict[str, tuple[str, str]]:
    """Return, by exercise, what the check printed and the points that it ended in."""
    return {
        grade_id(cell).removeprefix("test-"): (
            cell.outputs[0].text,
            cell.outputs[1].data["text/plain"],
        )
        for cell in notebook.cells
        if cell.metadata.get("nbgrader", {}).get("grade")
    }


def test_a_copy_runs_to_its_end(tmp_path):
    page, kind = quickest(), "instructor"
    notebook = make_classroom.copy_of(BOOK / f"{page}.ipynb", kind)
    run_whole(notebook, tmp_path)
    names = [name for name, exercise in EXERCISES.items() if exercise.page == page]
    assert said_in(notebook) == {name: wanted_of(name, kind) for name in names}
