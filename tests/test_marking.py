"""Marking a folder of handed-in notebooks: each by itself, within limits, into one table."""

import csv
import json
import subprocess
import sys

import make_classroom
import nbformat
import pytest
from place_exercises import BOOK

from vae_tutorial.exercises import EXERCISES

PAGE = "interpretability"
NAMES = [name for name, exercise in EXERCISES.items() if exercise.page == PAGE]
MODULE = [sys.executable, "-m", "vae_tutorial.exercises"]


def run(folder, *options) -> subprocess.CompletedProcess:
    command = [*MODULE, str(folder), *options]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder.parent)


def rows_of(path) -> list[dict]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def notebook_of(*sources) -> str:
    cells = [{"cell_type": "code", "source": source} for source in sources]
    return json.dumps({"cells": cells, "nbformat": 4, "nbformat_minor": 5, "metadata": {}})


def answered(name: str, body: str, after: str = "") -> str:
    return f'def {name}(query, match):\n    {body}\n\n\nexercises.check("{name}", {name})\n{after}'


IMPORTS = "%matplotlib inline\nimport numpy as np\nfrom vae_tutorial import exercises"
SHARES = "distance_shares"


@pytest.fixture(scope="module")
def marked(tmp_path_factory):
    """A class that made every kind of mistake, and its table."""
    folder = tmp_path_factory.mktemp("handed-in")
    for kind in ("student", "instructor"):
        copy = make_classroom.copy_of(BOOK / f"{PAGE}.ipynb", kind)
        nbformat.write(copy, folder / f"{kind}.ipynb")
    files = {
        "helper": notebook_of(
            IMPORTS,
            "EPSILON = 0.0\n\ndef squares(a, b):\n    return (a - b) ** 2 + EPSILON",
            answered(SHARES, "s = squares(query, match)\n    return s / s.sum()"),
            "model = train_for_hours()",
        ),
        "mistaken": notebook_of(IMPORTS, answered(SHARES, "return (query - match) ** 2")),
        "not-python": notebook_of(IMPORTS, answered(SHARES, "return query -")),
        "stops": notebook_of(IMPORTS, "1 / 0\n" + answered(SHARES, "return query - match")),
        "renamed": notebook_of(IMPORTS, 'exercises.check("distance_shares", shares)'),
        "greedy": notebook_of(IMPORTS, answered(SHARES, "return np.zeros(10**13)")),
        "leaves": notebook_of(IMPORTS, answered(SHARES, "return 1", "import os\nos._exit(3)")),
        "no-exercise": notebook_of("1 + 1"),
        "=1+1": "{ not a notebook",
    }
    for name, text in files.items():
        (folder / f"{name}.ipynb").write_text(text, encoding="utf-8")
    # No limit that a busy machine could meet; the endless notebook has a folder of its own.
    result = run(folder, "--seconds", "900")
    assert result.returncode == 0, result.stderr
    return result.stdout, rows_of(folder / "marks.csv"), folder


def own(marked, file: str) -> list[dict]:
    return [row for row in marked[1] if row["file"] == f"{file}.ipynb"]


def test_a_perfect_notebook_gets_all_points_and_an_untouched_one_none(marked):
    output, _, _ = marked
    total = sum(EXERCISES[name].points for name in NAMES)
    for file, status in {"instructor": "right", "student": "not attempted yet"}.items():
        rows = own(marked, file)
        assert [row["exercise"] for row in rows] == NAMES
        assert {row["status"] for row in rows} == {status}
        points = total if file == "instructor" else 0
        assert f"{file}.ipynb: {points} of {total} points\n" in output


@pytest.mark.parametrize(
    ("file", "status", "diagnosis"),
    [
        ("helper", "right", ""),
        ("mistaken", "not yet right", EXERCISES[SHARES].mistakes[1].diagnosis),
        ("not-python", "not yet right", "The cell is not Python, line 2 of its cell"),
        ("stops", "not yet right", "small input on which it fails"),
        ("renamed", "not yet right", "There is no function distance_shares"),
        ("greedy", "not yet right", "MemoryError"),
    ],
)
def test_what_is_said_of_one_answer(marked, file, status, diagnosis):
    row = own(marked, file)[0]
    assert (row["exercise"], row["status"]) == (SHARES, status)
    assert diagnosis in row["diagnosis"]
    assert row["points"] == (row["of"] if status == "right" else "0")


def test_the_exercise_whose_check_was_deleted_is_missing_and_not_forgotten(marked):
    row = own(marked, "mistaken")[1]
    assert (row["exercise"], row["status"]) == ("distance_without", "missing")


@pytest.mark.parametrize(
    ("file", "diagnosis"),
    [
        ("leaves", "could not be marked"),
        ("no-exercise", "holds no exercise"),
    ],
)
def test_what_cannot_be_marked_says_why_and_stops_nobody_else(marked, file, diagnosis):
    (row,) = own(marked, file)
    assert row["status"] == "not marked" and diagnosis in row["diagnosis"]


def test_a_broken_file_has_a_row_and_its_name_is_no_formula(marked):
    (row,) = [row for row in marked[1] if "1+1" in row["file"]]
    assert row["file"] == "'=1+1.ipynb"
    assert "JSONDecodeError" in row["diagnosis"]


def test_nothing_else_is_left_in_the_folder(marked):
    _, _, folder = marked
    assert sorted(path.suffix for path in folder.iterdir()) == [".csv", *[".ipynb"] * 11]


def test_an_endless_notebook_is_ended_and_told_so(tmp_path):
    text = notebook_of(IMPORTS, answered(SHARES, "return 1", "while True:\n    pass"))
    (tmp_path / "endless.ipynb").write_text(text, encoding="utf-8")
    assert run(tmp_path, "--seconds", "3").returncode == 0
    (row,) = rows_of(tmp_path / "marks.csv")
    assert (row["status"], row["points"]) == ("not marked", "0")
    assert row["diagnosis"] == "The notebook was not done after 3 s."


def test_memory_is_limited(tmp_path):
    text = notebook_of(IMPORTS, "exercises\nWANT = 1\n" + answered(SHARES, "return np.ones(2**27)"))
    (tmp_path / "large.ipynb").write_text(text, encoding="utf-8")
    assert run(tmp_path, "--memory", "0.9").returncode == 0
    assert "MemoryError" in rows_of(tmp_path / "marks.csv")[0]["diagnosis"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--seconds", "0"], "must be above 0"),
        (["--jobs", "many"], "invalid int value"),
        ([], "no notebook (*.ipynb) in"),
    ],
)
def test_a_wrong_call_is_refused(tmp_path, options, said):
    result = run(tmp_path, *options)
    assert result.returncode != 0 and said in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    assert "there is no folder" in run(tmp_path / "gone").stderr
