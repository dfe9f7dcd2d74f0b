"""Marking a folder of handed-in notebooks: nothing is lost, and marks are what students saw."""

import contextlib
import csv
import json
import os
import signal
import subprocess
import sys
import threading
import time
import types

import make_classroom
import nbformat
import numpy as np
import pytest
from place_exercises import BOOK, pages

from vae_tutorial import exercises
from vae_tutorial.exercises import EXERCISES, __main__, _cells, _class, _notebooks, _process, _table
from vae_tutorial.exercises._bank import REPLACED

pytestmark = pytest.mark.slow

PAGE = "interpretability"
NAMES = [name for name, exercise in EXERCISES.items() if exercise.page == PAGE]
SHARES, WITHOUT = NAMES
MODULE = [sys.executable, "-m", "vae_tutorial.exercises"]
POSIX = pytest.mark.skipif(os.name == "nt", reason="names and files that Windows lacks")


def run(folder, *options, **environment) -> subprocess.CompletedProcess:
    command = [*MODULE, str(folder), *map(str, options)]
    own = os.environ | environment
    return subprocess.run(command, capture_output=True, text=True, cwd=folder.parent, env=own)


def rows_of(path) -> list[dict]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def notebook_of(*sources, outputs=()) -> str:
    cells = [{"cell_type": "code", "source": source, "outputs": []} for source in sources]
    cells[-1]["outputs"] = list(outputs)
    return json.dumps({"cells": cells, "nbformat": 4, "nbformat_minor": 5, "metadata": {}})


def hand_in(folder, **texts) -> None:
    folder.mkdir(exist_ok=True)
    for name, text in texts.items():
        (folder / f"{name}.ipynb").write_text(text, encoding="utf-8")


IMPORTS = "%matplotlib inline\nimport numpy as np\nfrom vae_tutorial import exercises"
CHECK = f'exercises.check("{SHARES}", {SHARES})'


def answer(squares="(query - match) ** 2", name=SHARES) -> str:
    return f"def {name}(query, match):\n    s = {squares}\n    return s / s.sum()\n\n\n"


WITHOUT_RIGHT = (
    "def distance_without(query, match, deleted):\n"
    "    return (np.delete(query - match, deleted) ** 2).sum()\n\n\n"
    'exercises.check("distance_without", distance_without)'
)
SQUARE = answer("square(query - match)") + CHECK
POWER = answer("(query - match) ** TWO") + CHECK

# Each is "right" where a student runs it, and so it is where it is marked.
RIGHT = {
    "a helper by def": [IMPORTS, "def square(x):\n    return x**2", SQUARE],
    "a helper by assignment": [IMPORTS, "square = np.square", SQUARE],
    "a helper by lambda": [IMPORTS, "square = lambda x: x**2", SQUARE],
    "a helper by partial": [
        IMPORTS,
        "from functools import partial\nsquare = partial(lambda p, x: x**p, 2)",
        SQUARE,
    ],
    "a helper inside if": [
        IMPORTS,
        "if np.pi > 3:\n    def square(x):\n        return x**2",
        SQUARE,
    ],
    "a helper inside try": [
        IMPORTS,
        "try:\n    import gone\nexcept ImportError:\n    def square(x):\n        return x**2",
        SQUARE,
    ],
    "a helper from a star": [IMPORTS, "from numpy import *", SQUARE],
    "a helper from a dataclass": [
        IMPORTS,
        "from __future__ import annotations\nfrom dataclasses import dataclass",
        "@dataclass\nclass Power:\n    n: int = 2",
        answer("(query - match) ** Power().n") + CHECK,
    ],
    "a computed constant": [IMPORTS, "TWO = int('2')", POWER],
    "an annotated constant": [IMPORTS, "TWO: int = 2", POWER],
    "a constant by a loop": [IMPORTS, "for TWO in [2]:\n    pass", POWER],
    "a constant by a function": [IMPORTS, "def f():\n    global TWO\n    TWO = 2", "f()", POWER],
    "a constant that ast cannot see": [IMPORTS, "globals()['TWO'] = 2", POWER],
    "a constant after await": [IMPORTS, "import asyncio\nawait asyncio.sleep(0)\nTWO = 2", POWER],
    "a page's variable, filled later": [
        IMPORTS,
        "weights = np.zeros(2)\nfor i in range(2):\n    weights[i] = 1",
        "known = []\nknown.append(2)",
        answer("weights[0] * (query - match) ** known[0]") + CHECK,
    ],
    "a lambda": [IMPORTS, f"{SHARES} = lambda a, b: (a - b) ** 2 / ((a - b) ** 2).sum()", CHECK],
    "an object that is pickled": [
        IMPORTS,
        "import pickle\nclass Power:\n    n = 2",
        answer("(query - match) ** pickle.loads(pickle.dumps(Power())).n") + CHECK,
    ],
    "a method": [
        IMPORTS,
        "class A:\n    def f(self, a, b):\n        return (a - b) ** 2 / ((a - b) ** 2).sum()",
        f'exercises.check("{SHARES}", A().f)',
    ],
    "another name": [IMPORTS, answer(name="mine") + f'exercises.check("{SHARES}", mine)'],
    "an imported check": [
        "import numpy as np\nfrom vae_tutorial.exercises import check",
        answer() + f'check("{SHARES}", {SHARES})',
    ],
    "a check of another name": [
        "from vae_tutorial.exercises import check as ask",
        answer() + f'ask("{SHARES}", {SHARES})',
    ],
    "a module of another name": [
        "import vae_tutorial.exercises as ex",
        answer() + f'ex.check(answer={SHARES}, name="{SHARES}")',
    ],
    "an assigned check": [
        IMPORTS,
        "ask = exercises.check",
        answer() + f'ask("{SHARES}", {SHARES})',
    ],
    "a check in a loop": [
        IMPORTS,
        answer(),
        f'for name, own in [("{SHARES}", {SHARES})]:\n    print(exercises.check(name, own))',
    ],
    "a check in a function": [
        IMPORTS,
        answer(),
        f'def ask():\n    return exercises.check("{SHARES}", {SHARES})',
        "ask()",
    ],
    "a check of a name in a variable": [
        IMPORTS,
        answer(),
        f'name = "{SHARES}"\nexercises.check(name, {SHARES})',
    ],
    "help": [IMPORTS, "np.argsort?\n" + answer() + CHECK],
    "a command": [IMPORTS, "x = !ls\n!ls\n" + answer() + CHECK],
    "a line that goes on with %": [IMPORTS, answer("((query - match) ** 2 + 5\n    % 5)") + CHECK],
    "a magic of the cell": [IMPORTS, "%%time\n" + answer() + CHECK],
    "a magic of the line": [IMPORTS, answer(), "%time " + CHECK],
    "another program": [IMPORTS, "%%bash\nls |\n" + CHECK, answer() + CHECK],
    "the source is asked for": [
        IMPORTS,
        "import inspect",
        answer("(query - match) ** (2 if 'mark' in inspect.getsource(square) else 1)")
        + "def square(x):\n    return 'mark'\n\n"
        + CHECK,
    ],
}
# What does not belong to an answer costs it nothing, whatever else the notebook did.
FORGIVEN = {
    "cells in another order": [IMPORTS, CHECK, answer()],
    "exit": [IMPORTS, "exit()\n" + answer() + CHECK, "exit()"],
    "a killed process": [IMPORTS, "import os\nos._exit(3)", answer() + CHECK],
    "an endless loop": [IMPORTS, answer() + CHECK + "\nwhile True:\n    pass"],
    "an error": [IMPORTS, "1 / 0", "1 / 0\n" + answer() + CHECK],
    "a long training": [IMPORTS, "model = train_for_hours()", answer() + CHECK],
    "a later use of a name of Python's own": [
        IMPORTS,
        answer("abs(query - match) ** 2") + CHECK,
        "abs = lambda x: 0 * x",
    ],
    "a page's other use of the name": [IMPORTS, f"{SHARES} = 1 / 0", answer() + CHECK],
}


def judged(text: str, tmp_path, seconds=300) -> dict[str, dict]:
    rows = _process.mark(text.encode(), seconds, 8, tmp_path)
    return {row.get("exercise", ""): row for row in rows}


IN_JUPYTER = """
import json, sys
from IPython.core.interactiveshell import InteractiveShell

shell = InteractiveShell()
for kind, cells in json.load(sys.stdin).items():
    shell.reset(new_session=False)
    print(f"--- {kind}", flush=True)
    for cell in cells:
        shell.run_cell(cell.replace("%matplotlib inline", ""))
"""


def test_what_is_right_where_it_is_marked_is_right_where_it_is_run():
    command = [sys.executable, "-c", IN_JUPYTER]
    done = subprocess.run(command, input=json.dumps(RIGHT), capture_output=True, text=True)
    for kind in RIGHT:
        said = done.stdout.split(f"--- {kind}\n")[1].split("--- ")[0]
        assert f"{SHARES}: right" in said, (kind, said)


@pytest.mark.parametrize(
    "kind",  # a push alone asks two thirds of what is right
    [
        pytest.param(kind, marks=[pytest.mark.aside] * (kind in RIGHT and number % 3 > 0))
        for number, kind in enumerate(RIGHT | FORGIVEN)
    ],
)
def test_what_is_right_where_it_is_run_is_right_where_it_is_marked(kind, tmp_path):
    rows = judged(notebook_of(*(RIGHT | FORGIVEN)[kind]), tmp_path)
    assert list(rows) == NAMES
    row = rows[SHARES]
    assert (row["status"], row["diagnosis"], row["points"]) == ("right", "", row["of"])
    assert (rows[WITHOUT]["status"], rows[WITHOUT]["points"]) == ("missing", 0)


def test_what_a_busy_computer_hears_after_the_end_counts(tmp_path, monkeypatch):
    def late(stream, lines):
        with stream:
            said = stream.read().splitlines(keepends=True)
        time.sleep(0.5)  # the process is over, and what waits for it has seen that
        for line in [*said, b""]:
            lines.put(line)

    monkeypatch.setattr(_process, "_read", late)
    monkeypatch.setattr(_process, "END", 300)
    row = judged(notebook_of(IMPORTS, answer() + CHECK), tmp_path)[SHARES]
    assert (row["status"], row["diagnosis"], row["points"]) == ("right", "", row["of"])


def heard(lines: list[dict], monkeypatch) -> tuple[str, _process.Findings, float]:
    """Listen to a judge that says this and goes on, by a clock that jumps whenever it is read.

    Return why that ended, what was found, and the seconds that passed. A statement may take five.
    """
    told, passed = threading.Event(), [0.0]

    def read(stream, channel):
        for line in lines:
            channel.put(json.dumps(line | {"token": "a"}).encode())
        told.set()

    def clock() -> float:
        assert told.wait(600)
        passed[0] += 40
        return passed[0]

    monkeypatch.setattr(_process, "_read", read)
    monkeypatch.setattr(_process, "time", types.SimpleNamespace(monotonic=clock))
    process, findings = types.SimpleNamespace(stdout=None, poll=lambda: None), _process.Findings()
    why = _process._listen(process, "a", findings, 5, float("inf"))
    return why, findings, passed[0]


STEPS = [{"ready": True}, {"step": 0}, {"step": 1}, {"done": True}]


def test_what_has_come_counts_though_its_listener_was_kept_waiting(monkeypatch):
    why, findings, passed = heard(STEPS, monkeypatch)
    assert (why, findings.done) == ("", True)
    assert passed > 5 * len(STEPS)


def test_a_whole_notebook_has_ten_times_the_limit_of_a_statement(monkeypatch, tmp_path):
    told = []

    def attempt(raw, findings, seconds, gibibytes, settings, ends):
        told.append((raw, seconds, gibibytes, settings, ends))
        findings.done = True
        return ""

    monkeypatch.setattr(_process, "_attempt", attempt)
    monkeypatch.setattr(_process, "time", types.SimpleNamespace(monotonic=lambda: 1000.0))
    _process.mark(b"raw", 7, 2, tmp_path)
    assert told == [(b"raw", 7, 2, tmp_path, 1000 + 300 + 70)]


CHILD = """import fcntl, pathlib, sys, time
with open(sys.argv[1], "w") as held:
    fcntl.flock(held, fcntl.LOCK_EX)
    pathlib.Path(sys.argv[1] + ".locked").touch()
    time.sleep(600)
"""
PARENT = """import os, pathlib, subprocess, sys, time
def two():
    subprocess.Popen([sys.executable, "-c", CHILD, HELD])
    while not pathlib.Path(HELD + ".locked").exists():
        time.sleep(0.05)
    os._exit(0)
TWO = two()"""


@POSIX
def test_what_a_notebook_has_started_ends_with_it(tmp_path):
    import fcntl  # not on Windows

    held = tmp_path / "held"
    names = f"CHILD = {CHILD!r}\nHELD = {str(held)!r}"
    row = judged(notebook_of(IMPORTS, names, PARENT, POWER), tmp_path)[SHARES]
    assert "ended the program" in row["diagnosis"]
    with held.open() as file:
        for _ in range(600):  # what was killed may take a moment to be gone
            with contextlib.suppress(BlockingIOError):
                return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            time.sleep(0.5)
    pytest.fail("It goes on.")


def test_the_judge_is_the_library_that_marks(tmp_path):
    path = _process._environment(str(tmp_path), tmp_path)["PYTHONPATH"]
    assert path.split(os.pathsep)[0] == str(BOOK.parent)


@pytest.mark.parametrize(("lines", "limit"), [([], 300), (STEPS[:1], 300), (STEPS[:2], 5)])
def test_the_limit_of_a_statement_begins_with_the_first(lines, limit, monkeypatch):
    why, findings, passed = heard(lines, monkeypatch)
    assert why.startswith(f"It ran too long: not done after {limit} s.")
    assert passed > limit and not findings.done


WRONG = {
    "a known mistake": (
        [IMPORTS, "def distance_shares(a, b):\n    return (a - b) ** 2\n" + CHECK],
        EXERCISES[SHARES].mistakes[1].diagnosis,
    ),
    "no function": ([IMPORTS, CHECK], f"There is no function {SHARES} in the notebook."),
    "no Python": (
        [IMPORTS, "def distance_shares(a, b):\n    return (", CHECK],
        "The cell is not Python, line 2 of its cell: ",
    ),
    "a check in a cell that is no Python": (
        [IMPORTS, "def distance_shares(a, b):\n    return (\n" + CHECK],
        "The cell is not Python, line",
    ),
    "a definition that stops": (
        [IMPORTS, "def distance_shares(a, b=gone):\n    return a", CHECK],
        "The cell stops with an error, NameError: name 'gone' is not defined",
    ),
    "an error that has no words": (
        [
            IMPORTS,
            "class Odd(Exception):\n    def __str__(self):\n        return 1 / 0",
            "def odd():\n    raise Odd",
            "def distance_shares(a, b=odd()):\n    return a",
            CHECK,
        ],
        "The cell stops with an error, Odd: no message",
    ),
    "another name is missing": (
        [IMPORTS, f'exercises.check("{SHARES}", shares)'],
        "NameError: name 'shares' is not defined",
    ),
    "memory": ([IMPORTS, answer("np.zeros(10**13)") + CHECK], "MemoryError"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_answer_gets_no_point_and_its_diagnosis(kind, tmp_path):
    cells, diagnosis = WRONG[kind]
    row = judged(notebook_of(*cells), tmp_path)[SHARES]
    assert (row["status"], row["points"], row["of"]) == ("not yet right", 0, 1)
    assert diagnosis in row["diagnosis"]


@pytest.mark.parametrize("old", REPLACED)
def test_an_answer_to_an_exercise_that_was_replaced_is_left_to_the_teacher(old, tmp_path):
    cells = [IMPORTS, f'def {old}(*given):\n    return 0\n\n\nexercises.check("{old}", {old})']
    row = judged(notebook_of(*cells), tmp_path)[REPLACED[old]]
    assert (row["status"], row["points"]) == ("look at it by hand", "")
    assert row["diagnosis"] == f"An older copy: it answers {old}, which this exercise has replaced."


def by_heart() -> tuple[str, str]:
    """Return a table of what a reader's check asks and wants, and an answer that uses it."""
    inputs = exercises._inputs(SHARES, EXERCISES[SHARES])[1]
    known = {repr(given): EXERCISES[SHARES].solution(*given).tolist() for given in inputs}
    return f"KNOWN = {known!r}", (
        f"def {SHARES}(query, match):\n    return np.array(KNOWN[repr((query, match))])\n\n\n"
    )


def test_an_answer_that_knows_a_reader_s_inputs_by_heart_is_found_out(tmp_path):
    known, code = by_heart()
    space = {"np": np}
    exec(f"{known}\n{code}", space)
    assert exercises.check(SHARES, space[SHARES]).status == "right"
    row = judged(notebook_of(IMPORTS, known, code + CHECK), tmp_path)[SHARES]
    assert (row["status"], row["points"]) == ("look at it by hand", "")
    assert row["diagnosis"].startswith("It is right on what a reader is asked, and wrong on other")


def test_the_same_file_is_asked_the_same_whenever_it_is_marked(tmp_path, monkeypatch):
    known, code = by_heart()
    files = [notebook_of(IMPORTS, *more, known, code + CHECK) for more in ([], ["2"])]
    once, again = ([judged(text, tmp_path)[SHARES] for text in files] for _ in range(2))
    assert once == again
    assert once[0]["diagnosis"] != once[1]["diagnosis"]  # the input that was not known
    # The examples that stand in the exercise are the same for all, what is drawn is not.
    asked = []
    for lot in ("", "one file", "another file"):
        monkeypatch.setattr(exercises, "_lot", lot)
        asked.append(exercises._inputs(SHARES, EXERCISES[SHARES])[0])
    fixed = 1 + len(EXERCISES[SHARES].cases)
    assert asked[0][:fixed] == asked[1][:fixed] == asked[2][:fixed]
    assert not set(asked[0][fixed:]) & set(asked[1][fixed:] + asked[2][fixed:])


SHOWN = {"output_type": "execute_result", "data": {"text/plain": f"{SHARES}: right\nBecause."}}
CHANGED = """def distance_shares(query, match):
    np.allclose = lambda *_, **__: True
    return query - match

"""
BY_HAND = {
    "an endless answer": (
        [IMPORTS, "def distance_shares(a, b):\n    return sum(iter(int, 1))\n" + CHECK],
        "It ran too long: not done after 5 s. Does a loop never end?",
    ),
    "one call that never ends": (  # it holds Python's lock: nothing in its process can stop it
        [IMPORTS, "def distance_shares(a, b):\n    return sum(range(10**12))\n" + CHECK],
        "It ran too long: not done after 5 s. Does a loop never end?",
    ),
    "an answer that ends the program": (
        [IMPORTS, "import os\ndef distance_shares(a, b):\n    os._exit(0)\n" + CHECK],
        "ended the program",
    ),
    "an endless loop that the answer needs": (
        [IMPORTS, "while True:\n    TWO = 2", POWER],
        "It needs TWO. It ran too long: not done after 5 s.",
    ),
    "a package that is not here": ([IMPORTS, "from gone import square", SQUARE], "No module named"),
    "a file that was not handed in": (
        [IMPORTS, "TWO = int(open('two.txt').read())", POWER],
        "No such file",
    ),
    "a command whose result is needed": (
        [IMPORTS, "TWO = !echo 2", answer("(query - match) ** int(TWO[0])") + CHECK],
        "runs no command of the system, such as 'echo 2'",
    ),
    "what the check compares with is changed": (
        [IMPORTS, CHANGED + CHECK],
        "a wrong answer passes",
    ),
}


# Two that a push alone waits for: they end as the call does that never ends.
ENDLESS = {"an endless answer", "an endless loop that the answer needs"}


@pytest.mark.parametrize(
    "kind",
    [pytest.param(kind, marks=[pytest.mark.aside] * (kind in ENDLESS)) for kind in BY_HAND],
)
def test_what_marking_cannot_tell_is_left_to_the_teacher_and_costs_no_other_exercise(
    kind, tmp_path
):
    cells, why = BY_HAND[kind]
    rows = judged(notebook_of(*cells, WITHOUT_RIGHT), tmp_path, seconds=5)
    row = rows[SHARES]
    assert (row["status"], row["points"]) == ("look at it by hand", ""), row
    assert why in row["diagnosis"]
    other = rows[WITHOUT]["status"]
    assert other == ("look at it by hand" if why == "a wrong answer passes" else "right")


def test_what_stops_is_wrong_though_the_notebook_changes_what_checks_compare_with(tmp_path):
    stops = "def distance_without(query, match, deleted):\n    raise KeyError\n\n\n"
    stops += 'exercises.check("distance_without", distance_without)'
    rows = judged(notebook_of(IMPORTS, CHANGED + CHECK, stops), tmp_path)
    assert rows[SHARES]["status"] == "look at it by hand"
    assert rows[WITHOUT]["status"] == "not yet right"


def test_any_statement_before_may_be_needed():
    steps, _, _ = _cells.steps_of([{"source": "ONE = 1\nTWO = 2\nONE + TWO"}])
    assert _cells.needed(steps, 2, 2) == {0, 1}


def test_what_failed_and_then_did_not_excuses_nothing(monkeypatch):
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
    steps, _, _ = _cells.steps_of([{"source": "TWO = open('gone')\nTWO = 2"}])
    session = _notebooks.Session(steps, {}, {}, lambda **_: None)
    assert isinstance(session.run(0), OSError) and list(session.failed) == ["TWO"]
    assert session.run(1) is None and session.failed == {}
    assert sys.modules["__main__"].TWO == 2


IN_A_THREAD = """import threading
def distance_shares(query, match):
    threading.Thread(target=threading.Event().wait, daemon=True).start()
"""


@pytest.mark.parametrize(
    ("cell", "last"), [(answer() + CHECK, {"done": True}), (IN_A_THREAD + CHECK, {"stuck": 5})]
)
def test_a_judge_says_first_that_it_is_ready_and_ends_without_an_error(cell, last):
    how = {"token": "a", "gibibytes": 8, "skip": {}, "settled": {}}
    text = json.dumps(how) + "\n" + notebook_of(IMPORTS, cell)
    command = [sys.executable, "-m", "vae_tutorial.exercises._notebooks"]
    done = subprocess.run(command, input=text, capture_output=True, text=True)
    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert (said[0], said[-1]) == ({"ready": True, "token": "a"}, last | {"token": "a"})
    assert done.returncode == 0


def test_an_answer_that_was_right_and_is_not_is_left_to_the_teacher(tmp_path):
    cells = [IMPORTS, answer("query - match") + CHECK]
    row = judged(notebook_of(*cells, outputs=[SHOWN]), tmp_path)[SHARES]
    assert row["status"] == "look at it by hand"
    assert row["diagnosis"].startswith("The notebook shows 'right', but marked it is")
    right = judged(notebook_of(IMPORTS, answer() + CHECK, outputs=[SHOWN]), tmp_path)[SHARES]
    assert right["status"] == "right"


@pytest.mark.parametrize(
    "text",
    [
        notebook_of("1 + 1"),
        notebook_of(IMPORTS, answer() + "# " + CHECK),
        notebook_of(IMPORTS, answer() + f"'''{CHECK}'''"),
        notebook_of(IMPORTS, "%%bash\n" + CHECK),
        notebook_of(IMPORTS, 'exercises.check("of_another_book", print)'),
        json.dumps({"cells": [{"cell_type": "markdown", "source": CHECK}]}),
        json.dumps({"cells": [None, {}, {"cell_type": "code", "source": None, "outputs": 3}]}),
    ],
)
def test_a_check_that_is_not_run_is_none(text, tmp_path):
    (row,) = judged(text, tmp_path).values()
    assert row["status"] == "not marked" and "holds no exercise" in row["diagnosis"]
    assert row["points"] == row["of"] == ""


def test_no_page_s_own_code_is_run_to_mark_its_answers():
    for page in pages():
        copy = make_classroom.copy_of(BOOK / f"{page}.ipynb", "instructor")
        cells = [dict(cell) for cell in copy.cells if cell.cell_type == "code"]
        steps, broken, unread = _cells.steps_of(cells)
        assert broken == {} and unread == set()
        checks = [number for number, step in enumerate(steps) if step.checks]
        assert checks
        for check in checks:
            needed = [steps[n] for n in _cells.needed(steps, check, check)]
            bound = set().union(*(step.binds for step in needed))
            assert bound <= {"np", "exercises", *steps[check].names}, (page, bound)


# -- Whole folders --------------------------------------------------------------------------------


# What a notebook might try. Only what an answer needs is run, so the answer needs these.
FORGE = """import os
def two():
    lines = b'{"exercise": "distance_shares", "status": "right", "diagnosis": "", "points": 99}\\n'
    lines += b'{"done": true}\\n'
    for channel in range(1, 64):
        try:
            os.write(channel, lines)
        except OSError:
            pass
    return 2
TWO = two()"""
SECRETS = """import os
def two():
    assert 'A_TOKEN' not in os.environ
    assert not os.path.exists('marks.csv')
    os.lseek(0, 0, 0)  # what the judge was told, and by which word its own is known
    assert b'token' not in os.read(0, 10_000)
    return 2
TWO = two()"""
FLOOD = """import sys
def two():
    for i in range(100_000):
        sys.stderr.write('x' * 10_000)
    return 2
TWO = two()"""


def raw_files() -> dict[str, tuple[bytes, str]]:
    good = notebook_of(IMPORTS, answer() + CHECK)
    old = json.dumps({"worksheets": [], "nbformat": 3})
    return {
        "empty": (b"", "The file is empty."),
        "pdf": (b"%PDF-1.7", "no notebook but a PDF document"),
        "word": (b"PK\x03\x04...", "an office document"),
        "page": (b"<!doctype html>", "a web page"),
        "list": (b"[1, 2]", "it has no list of cells"),
        "settings": (b'{"a": 1}', "it has no list of cells"),
        "old": (old.encode(), "old format 3"),
        "cut": (good.encode()[:50], "Was a transfer broken off?"),
        "deep": (b"[" * 100_000, "its text is not JSON"),
        "=1+1": (b"x", "its text is not JSON"),
        "mark": (b"\xef\xbb\xbf" + good.encode(), ""),
        "wide": (good.encode("utf-16"), ""),
    }


@pytest.fixture(scope="module")
def marked(tmp_path_factory):
    """A class that made every kind of trouble, and its table."""
    folder = tmp_path_factory.mktemp("handed-in")
    for kind in ("student", "instructor"):
        copy = make_classroom.copy_of(BOOK / f"{PAGE}.ipynb", kind)
        nbformat.write(copy, folder / f"{kind}.ipynb")
    for name, (raw, _) in raw_files().items():
        (folder / f"{name}.ipynb").write_bytes(raw)
    forged = answer("(query - match) ** TWO * query") + CHECK
    hand_in(folder, forge=notebook_of(IMPORTS, FORGE, forged))
    hand_in(folder, secrets=notebook_of(IMPORTS, SECRETS, POWER))
    hand_in(folder, flood=notebook_of(IMPORTS, FLOOD, POWER))
    (folder / "folder.ipynb").mkdir()
    if os.name != "nt":
        good = notebook_of(IMPORTS, answer() + CHECK).encode()
        with open(os.fsencode(folder) + b"/M\xfcller.ipynb", "wb") as file:
            file.write(good)
        with open(os.fsencode(folder) + "/two\nlines \u202e\u2713.ipynb".encode(), "wb") as file:
            file.write(good)
        (folder / "link.ipynb").symlink_to(folder / "instructor.ipynb")
        (folder / "linked").symlink_to(BOOK)
        os.mkfifo(folder / "pipe.ipynb")
    # No limit that a busy machine could meet. A console of Windows may lack most letters.
    result = run(folder, "--seconds", "900", PYTHONIOENCODING="ascii", A_TOKEN="secret")
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


@pytest.mark.parametrize("name", raw_files())
def test_what_is_no_notebook_is_told_so_in_plain_words(marked, name):
    why = raw_files()[name][1]
    rows = [row for row in marked[1] if row["file"].lstrip("'") == f"{name}.ipynb"]
    if why:
        assert [(row["status"], row["points"], row["of"]) for row in rows] == [
            ("not marked", "", "")
        ]
        assert why in rows[0]["diagnosis"]
    else:
        assert rows[0]["status"] == "right"


def test_a_name_is_no_formula(marked):
    assert "'=1+1.ipynb" in {row["file"] for row in marked[1]}


@POSIX
def test_no_name_costs_a_mark(marked):
    for file in (r"M\xfcller", r"two\nlines \u202e✓"):
        assert own(marked, file)[0]["status"] == "right"
    assert r"M\xfcller.ipynb: 1 of 3 points" in marked[0]


@POSIX
def test_no_link_is_followed_and_no_pipe_waited_for(marked):
    assert "a link to another place" in own(marked, "link")[0]["diagnosis"]
    assert "a pipe" in own(marked, "pipe")[0]["diagnosis"]
    assert not [row for row in marked[1] if row["file"].startswith("linked")]


def test_a_folder_with_a_notebook_s_name_has_a_row(marked):
    assert "It is a folder" in own(marked, "folder")[0]["diagnosis"]


def test_a_notebook_writes_no_result_of_its_own_and_sees_no_secret(marked):
    row = own(marked, "forge")[0]
    assert (row["status"], row["points"]) == ("not yet right", "0")
    assert own(marked, "secrets")[0]["status"] == "right"


def test_a_flood_of_output_is_not_kept(marked):
    assert own(marked, "flood")[0]["status"] == "right"


def test_only_tables_are_left_in_the_folder(marked):
    _, _, folder = marked
    kinds = {path.suffix for path in folder.iterdir() if not path.is_symlink()}
    assert kinds == {".csv", ".ipynb"}
    names = {path.name for path in folder.glob("*.csv")}
    assert names == {"marks.csv", "marks-students.csv", "marks-mistakes.csv"}


def test_findings_count_only_with_the_word_that_the_judge_was_given():
    findings = _process.Findings()
    told = {"exercise": SHARES, "status": "right", "diagnosis": "", "points": 99}
    for line in (
        b"",
        b"[]",
        b"x",
        json.dumps(told).encode(),
        json.dumps(told | {"token": "b"}).encode(),
    ):
        assert not _process._take(line, "a", findings)
    for change in ({"exercise": "of_mine"}, {"status": "excellent"}):
        _process._take(json.dumps(told | change | {"token": "a"}).encode(), "a", findings)
    assert findings.rows == {}
    assert _process._take(json.dumps(told | {"token": "a"}).encode(), "a", findings)
    assert _process._row(SHARES, findings, "")["points"] == EXERCISES[SHARES].points
    endless = told | {"diagnosis": "x" * 3000, "token": "a"}
    assert _process._take(json.dumps(endless).encode(), "a", findings)
    assert len(findings.rows[SHARES]["diagnosis"]) == 2000


def test_memory_is_limited(tmp_path):
    text = notebook_of(IMPORTS, answer("np.ones(2**27)") + CHECK)
    rows = _process.mark(text.encode(), 300, 0.9, tmp_path)
    assert "MemoryError" in rows[0]["diagnosis"]


# -- The table ------------------------------------------------------------------------------------


GOOD = notebook_of(IMPORTS, answer() + CHECK)


def test_a_teacher_s_corrections_stay_and_only_new_files_are_marked(tmp_path):
    folder = tmp_path / "class"
    hand_in(folder, ada=GOOD)
    assert run(folder).returncode == 0
    table = folder / "marks.csv"
    corrected = table.read_bytes().replace(b",0,", b",2,")
    assert corrected != table.read_bytes()
    table.write_bytes(corrected)
    hand_in(folder, ada=notebook_of(IMPORTS, CHECK), bob=GOOD)
    result = run(folder)
    assert table.read_bytes().startswith(corrected)
    assert "ada.ipynb: has changed since it was marked" in result.stdout
    assert [row["file"] for row in rows_of(table)] == ["ada.ipynb"] * 2 + ["bob.ipynb"] * 2
    students = {row["student"]: row for row in rows_of(folder / "marks-students-2.csv")}
    assert (students["ada"]["points"], students["bob"]["points"]) == ("3", "1")


@pytest.mark.parametrize(
    ("encoding", "separator"), [("cp1252", ";"), ("utf-8-sig", ";"), ("utf-8", "\t")]
)
def test_a_table_that_a_spreadsheet_has_saved_is_gone_on_with_in_its_form(
    tmp_path, encoding, separator
):
    path = tmp_path / "marks.csv"
    columns = ["student", "file", "exercise", "points", "status", "my notes"]
    lines = [separator.join(columns), separator.join(["Zoë", "a.ipynb", "x", "1,5", "right", "ok"])]
    path.write_bytes("\r\n".join([*lines, ""]).encode(encoding))
    before = path.read_bytes()
    table = _table.Table(path, _table.COLUMNS)
    assert table.rows[0]["student"] == "Zoë"
    table.add([{"file": "b.ipynb", "student": "Chloë ✓", "points": 1, "diagnosis": "none"}])
    table.close()
    assert table.file.closed
    assert path.read_bytes().startswith(before)
    rows = _table.Table(path, _table.COLUMNS).rows
    assert [row["file"] for row in rows] == ["a.ipynb", "b.ipynb"]
    assert rows[1]["student"].startswith("Chloë")


def test_rows_follow_a_last_line_that_an_editor_has_left_open(tmp_path):
    path = tmp_path / "marks.csv"
    path.write_bytes(b"file,exercise,points,status\r\na.ipynb,x,1,right")
    table = _table.Table(path, _table.COLUMNS)
    table.add([{"file": "b.ipynb", "points": 0, "diagnosis": "none"}])
    table.close()
    assert path.read_bytes().splitlines()[1:] == [b"a.ipynb,x,1,right", b"b.ipynb,,0,"]


def test_a_summary_has_another_name_where_it_differs_and_is_not_written_again(tmp_path):
    path, rows = tmp_path / "marks-students.csv", [{"student": "Ada", "points": 3}]
    assert _table.write_new(path, rows) == path
    assert _table.write_new(path, rows) == path
    assert [row.name for row in tmp_path.iterdir()] == [path.name]
    other = _table.write_new(path, [{"student": "Ada", "points": 4}])
    assert other == path.with_name("marks-students-2.csv")
    assert rows_of(path)[0]["points"] == "3" and rows_of(other)[0]["points"] == "4"


@pytest.mark.parametrize(
    ("value", "kept"),
    [("two\r\nlines", "two\nlines"), ("old\rlines", "old\nlines"), ("n\0one", "none"), (1.5, 1.5)],
)
def test_lines_of_a_cell_end_in_one_way(value, kept):
    assert _table.cell(value) == kept


def test_a_table_of_another_kind_is_kept_and_another_one_begun(tmp_path):
    folder = tmp_path / "class"
    hand_in(folder, ada=GOOD)
    (folder / "marks.csv").write_text("my own notes\n")
    result = run(folder)
    assert (folder / "marks.csv").read_text() == "my own notes\n"
    assert "stays as it is" in result.stdout
    assert rows_of(folder / "marks-2.csv")[0]["status"] == "right"


@POSIX
def test_no_table_is_written_through_a_link(tmp_path):
    folder = tmp_path / "class"
    hand_in(folder, ada=GOOD)
    (tmp_path / "precious").write_text("")
    (folder / "marks.csv").symlink_to(tmp_path / "precious")
    assert run(folder).returncode == 0
    assert (tmp_path / "precious").read_text() == ""
    row = rows_of(folder / "marks-2.csv")[0]
    assert row["status"] == "right", row


@POSIX
@pytest.mark.parametrize(
    "number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.aside)]
)
def test_a_stop_keeps_what_was_marked_and_the_same_command_goes_on(tmp_path, number):
    folder = tmp_path / "class"
    slow = notebook_of(IMPORTS, "while True:\n    TWO = 2", POWER)
    hand_in(folder, a=GOOD, b=slow)
    # The endless notebook outlasts what is waited for here, unless it is ended too.
    command = [*MODULE, str(folder), "--seconds", "9000", "--jobs", "1"]
    # A shell without a terminal lets what it starts in the background ignore Ctrl-C.
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        assert process.stdout.readline().startswith("a.ipynb: 1 of 3 points")
        time.sleep(1)
        process.send_signal(number)
        rest, _ = process.communicate(timeout=300)
    finally:
        process.terminate()  # with the endless notebook that it marks, should the above have failed
    assert process.returncode == 130 and "the same command goes on" in rest
    assert {row["file"] for row in rows_of(folder / "marks.csv")} == {"a.ipynb"}
    hand_in(folder, b=GOOD)
    assert run(folder).returncode == 0
    assert [row["file"] for row in rows_of(folder / "marks.csv")] == ["a.ipynb"] * 2 + [
        "b.ipynb"
    ] * 2


def test_a_spreadsheet_takes_no_text_for_a_formula(tmp_path):
    path = tmp_path / "marks.csv"
    texts = ["=1", "+1", "-1", "@1", "\t=1", "＝1", "a=", "a\0b", -1]  # noqa: RUF001
    table = _table.Table(path, ["file", "exercise", "points", "status"])
    table.add([{"file": text} for text in texts])
    table.close()
    wanted = ["'=1", "'+1", "'-1", "'@1", "'\t=1", "'＝1", "a=", "ab", "-1"]  # noqa: RUF001
    assert [row["file"] for row in rows_of(path)] == wanted
    assert (
        path.read_bytes().startswith(b"\xef\xbb\xbf")
        and path.read_bytes().count(b"\xef\xbb\xbf") == 1
    )


def test_a_missing_hand_in_shows_and_not_marked_is_not_nothing(tmp_path):
    folder, roster = tmp_path / "class", tmp_path / "names.txt"
    folder.mkdir()
    roster.write_bytes("Ada Lovelace\r\nZoë Müller\r\nGrace Hopper\r\n".encode("cp1252"))
    hand_in(folder / "Lovelace Ada_123_assignsubmission_file_", interpretability=GOOD)
    hand_in(folder, **{"Zoe-Muller_interpretability": "broken", "Bob_interpretability": GOOD})
    result = run(folder, "--roster", roster)
    assert result.returncode == 0, result.stderr
    students = {row["student"]: row for row in rows_of(folder / "marks-students.csv")}
    assert "Grace Hopper: no hand-in" in result.stdout
    assert (students["Grace Hopper"]["status"], students["Grace Hopper"]["points"]) == (
        "no hand-in",
        "",
    )
    assert (students["Zoë Müller"]["status"], students["Zoë Müller"]["points"]) == (
        "not marked",
        "",
    )
    assert (students["Ada Lovelace"]["points"], students["Ada Lovelace"]["files"]) == ("1", "1")
    assert (students["Bob"]["points"], students["Bob"]["of"]) == ("1", "3")


def test_the_best_try_of_each_exercise_counts_once():
    row = {
        "student": "a",
        "exercise": "x",
        "of": "2",
        "status": "not yet right",
        "diagnosis": "m\nn",
    }
    rows = [row | {"file": "1", "points": "0"}, row | {"file": "2", "points": "1,5"}]
    (found,) = _class.summary(rows, [])
    assert (found["points"], found["of"], found["files"]) == ("1.5", "2", 2)
    assert found["to look at by hand"] == 0
    (found,) = _class.summary([*rows, row | {"file": "3", "points": ""}], [])
    assert (found["points"], found["to look at by hand"]) == ("1.5", 1)
    assert _class.mistakes(rows) == [{"exercise": "x", "diagnosis": "m", "times": 2}]


def test_the_console_names_five_mistakes_and_the_file_all(tmp_path, capsys):
    table = _table.Table(tmp_path / "marks.csv", _table.COLUMNS)
    row = {"file": "a.ipynb", "exercise": "x", "points": 0, "of": 1, "status": "not yet right"}
    for number in range(7):
        table.add([row | {"diagnosis": f"mistake {number}"}] * (9 - number))
    table.close()
    __main__.write_summaries(table, [])
    said = [line for line in capsys.readouterr().out.splitlines() if "mistake " in line]
    assert said == [f"{9 - number} times, x: mistake {number}" for number in range(5)]
    assert len(rows_of(tmp_path / "marks-mistakes.csv")) == 7


def test_a_summary_is_in_the_teacher_s_language_but_for_what_students_wrote(tmp_path, monkeypatch):
    monkeypatch.setenv("VAE_TUTORIAL_LANGUAGE", "zh_CN")
    row = {"student": "right", "status": "right", "points": 1}
    assert __main__._for_a_person(row) == {"学生": "right", "状态": "正确", "得分": 1}


def test_a_table_that_cannot_be_written_is_refused_in_words(tmp_path):
    with pytest.raises(SystemExit, match=r"marks\.csv cannot be written: .*Is it open in a"):
        __main__.open_table(tmp_path / "gone" / "marks.csv")


def test_a_fault_of_ours_costs_no_other_file_its_marks(tmp_path, monkeypatch, capsys):
    def mark(path, given, settings):
        if path.stem == "ada":
            raise RuntimeError("of ours")
        return [{"exercise": "x", "points": 1, "of": 2, "status": "right", "diagnosis": ""}]

    monkeypatch.setattr(__main__, "mark", mark)
    given = arguments(monkeypatch, tmp_path, "--jobs", "1")
    table = _table.Table(tmp_path / "marks.csv", _table.COLUMNS)
    waiting = {tmp_path / name: name for name in ("ada.ipynb", "bob.ipynb")}
    assert __main__.mark_all(waiting, given, [], table)
    table.close()
    ada, bob = sorted(table.rows, key=lambda row: row["file"])
    assert (ada["status"], ada["points"]) == ("not marked", "")
    assert ada["diagnosis"] == "Marking failed, RuntimeError: of ours"
    assert (bob["student"], bob["points"]) == ("bob", "1")
    assert "bob.ipynb: 1 of 2 points" in capsys.readouterr().out


def test_a_table_without_students_has_those_of_its_files():
    row = {"exercise": "x", "points": "1", "of": "2", "status": "right"}
    rows = [row | {"file": "ada.ipynb"}, row | {"file": f"bob/{PAGE}.ipynb"}]
    assert [found["student"] for found in _class.summary(rows, [])] == ["ada", "bob"]


def test_what_jupyter_and_macs_leave_is_no_hand_in(tmp_path):
    names = ["a.ipynb", "b/c.IPYNB", "._a.ipynb", "b/.ipynb_checkpoints/c.ipynb", "notes.txt"]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(GOOD)
    assert _class.files_in(tmp_path) == [tmp_path / name for name in names[:2]]


def test_a_file_beyond_the_limit_is_not_read(tmp_path):
    path = tmp_path / "a.ipynb"
    with path.open("wb") as file:
        file.truncate(100 * 2**20 + 1)  # takes no room on most disks
    with pytest.raises(ValueError, match="larger than 100 MB"):
        _class.read(path)


# -- Its arguments --------------------------------------------------------------------------------


def arguments(monkeypatch, *given):
    monkeypatch.setattr(sys, "argv", ["marks", *map(str, given)])
    return __main__.arguments()


def test_the_limits_by_default_and_as_asked_for(monkeypatch, tmp_path, capsys):
    given = arguments(monkeypatch, tmp_path)
    assert (given.folder, given.output, given.roster) == (tmp_path, None, None)
    assert (given.seconds, given.memory, given.jobs) == (120, 8, 2)
    options = ["--seconds", "0.5", "--memory", "0.5", "--jobs", "1", "--output", "x.csv"]
    given = arguments(monkeypatch, tmp_path, *options)
    assert (given.seconds, given.memory, given.jobs) == (0.5, 0.5, 1)
    assert given.output.name == "x.csv"
    with pytest.raises(SystemExit):
        arguments(monkeypatch, "--help")
    assert "Each notebook runs in a process of its own" in " ".join(capsys.readouterr().out.split())
    for wrong, said in {
        (tmp_path, "--memory", "0"): "must be above 0",
        (tmp_path, "--jobs", "0"): "must be above 0",
        (tmp_path, "--roster", tmp_path / "gone"): "there is no file",
        (tmp_path / "gone",): "there is no folder",
    }.items():
        with pytest.raises(SystemExit):
            arguments(monkeypatch, *wrong)
        assert said in capsys.readouterr().err


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
