"""Marking a folder of handed-in notebooks: each by itself, within limits, into one table."""

import csv
import json
import subprocess
import sys

import make_classroom
import nbformat
import pytest
from place_exercises import BOOK

from vae_tutorial.exercises import EXERCISES, __main__, _notebooks

pytestmark = pytest.mark.slow

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
        ("stops", "not yet right", "You do not square"),
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


# -- Its parts, in this process -------------------------------------------------------------------


def judged(tmp_path, *sources) -> dict:
    """Return the row of the first exercise after judging a notebook of these cells."""
    path = tmp_path / "one.ipynb"
    path.write_text(notebook_of(*sources), encoding="utf-8")
    rows = _notebooks.judge(path)
    assert [row["exercise"] for row in rows] == (NAMES if rows else [])
    assert {row["page"] for row in rows} <= {PAGE}
    return rows[0] if rows else {}


RIGHT_BODY = "s = (query - match) ** 2\n    return s / s.sum()"


@pytest.mark.parametrize(
    ("cells", "diagnosis"),
    [
        ([IMPORTS, answered(SHARES, RIGHT_BODY)], ""),
        # What the answer needs may stand in another cell: constants, functions, classes, imports.
        ([IMPORTS, "TWO = 2", answered(SHARES, RIGHT_BODY.replace("2", "TWO"))], ""),
        (
            [
                IMPORTS,
                "def square(x):\n    return x**2\n\n\ntrain_for_hours()",
                answered(
                    SHARES, RIGHT_BODY.replace("(query - match) ** 2", "square(query - match)")
                ),
            ],
            "",
        ),
        # In the cell of the answer everything runs, in another one no work does.
        ([IMPORTS, "TWO = int(2)\n" + answered(SHARES, RIGHT_BODY.replace("2", "TWO"))], ""),
        (
            [IMPORTS, "TWO = int(2)", answered(SHARES, RIGHT_BODY.replace("2", "TWO"))],
            "stops with an error, NameError: name 'TWO' is not defined",
        ),
        (
            [
                IMPORTS,
                "for TWO in [2]:\n    pass\n" + answered(SHARES, RIGHT_BODY.replace("2", "TWO")),
            ],
            "",
        ),
        (
            [IMPORTS, f'exercises.check("{SHARES}", {SHARES})'],
            "There is no function distance_shares in the notebook.",
        ),
        (
            [
                IMPORTS,
                "def distance_shares(query, match=gone):\n    pass",
                f'exercises.check("{SHARES}")',
            ],
            "The cell stops with an error, NameError: name 'gone' is not defined",
        ),
        (
            [
                IMPORTS,
                "def distance_shares(query, match):\n    return (",
                f'exercises.check("{SHARES}")',
            ],
            "The cell is not Python, line 2 of its cell: ",
        ),
    ],
)
def test_what_of_a_notebook_is_run(tmp_path, cells, diagnosis):
    row = judged(tmp_path, *cells)
    if diagnosis == "":
        assert (row["status"], row["diagnosis"]) == ("right", "")
        assert row["points"] == row["of"] == EXERCISES[SHARES].points
    else:
        assert diagnosis in row["diagnosis"]
        assert (row["points"], row["status"]) == (0, "not yet right")


def test_checks_of_other_books_and_of_text_are_no_exercises(tmp_path):
    assert judged(tmp_path, IMPORTS, 'exercises.check("of_another_book", print)') == {}
    path = tmp_path / "text.ipynb"
    cell = {"cell_type": "markdown", "source": f'exercises.check("{SHARES}")'}
    path.write_text(json.dumps({"cells": [cell]}), encoding="utf-8")
    assert _notebooks.judge(path) == []


def test_lines_for_ipython_alone_are_passed_over(tmp_path):
    path = tmp_path / "magic.ipynb"
    path.write_text(notebook_of("%time\nif x:\n    !ls\n    ?y\nx = 5 % 2", "b"), encoding="utf-8")
    assert _notebooks.code_of(path) == ["pass\nif x:\n    pass\n    pass\nx = 5 % 2", "b"]


def test_the_table_is_whole_and_no_text_of_it_is_a_formula(tmp_path):
    rows = [dict.fromkeys(__main__.COLUMNS, text) for text in ("=1", "+1", "-1", "@1", "a=", -1)]
    __main__.write_csv(tmp_path / "marks.csv", rows)
    assert [row["diagnosis"] for row in rows_of(tmp_path / "marks.csv")] == [
        *("'=1", "'+1", "'-1", "'@1"),
        *("a=", "-1"),
    ]
    with pytest.raises(ValueError, match="fields not in fieldnames"):
        __main__.write_csv(tmp_path / "marks.csv", [{"unknown": 1}])
    assert len(rows_of(tmp_path / "marks.csv")) == 6


def test_the_line_of_a_notebook_says_points_and_deleted_checks():
    right = {"points": 2, "of": 3, "status": "right", "diagnosis": ""}
    gone = right | {"points": 0, "status": "missing"}
    assert __main__._summary([right, right]) == "4 of 6 points"
    assert __main__._summary([right, gone]) == "2 of 6 points, 1 checks deleted"
    broken = __main__._unmarked("It is empty.")
    assert (broken["points"], broken["of"]) == (0, 0)
    assert __main__._summary([broken]) == "not marked. It is empty."


def arguments(monkeypatch, *given):
    monkeypatch.setattr(sys, "argv", ["marks", *map(str, given)])
    return __main__.arguments()


def test_the_limits_by_default_and_as_asked_for(monkeypatch, tmp_path, capsys):
    given = arguments(monkeypatch, tmp_path)
    assert (given.folder, given.output) == (tmp_path, None)
    assert (given.seconds, given.memory, given.jobs) == (60, 8, 2)
    options = ["--seconds", "0.5", "--memory", "0.5", "--jobs", "1", "--output", "x.csv"]
    given = arguments(monkeypatch, tmp_path, *options)
    assert (given.seconds, given.memory, given.jobs) == (0.5, 0.5, 1)
    assert given.output.name == "x.csv"
    for wrong, said in {
        (tmp_path, "--memory", "0"): "must be above 0",
        (tmp_path, "--jobs", "0"): "must be above 0",
        (tmp_path / "gone",): "there is no folder",
    }.items():
        with pytest.raises(SystemExit):
            arguments(monkeypatch, *wrong)
        assert said in capsys.readouterr().err


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
