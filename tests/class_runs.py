"""Mark a whole class with every trouble that hand-ins bring (make test-class).

Not collected by a plain ``pytest``. 40 hand-ins by default, as many as HAND_INS says otherwise; the
weekly workflow marks 200. Each student answers two exercises in one of several ways, and what the
checks say of that is stored in the notebook, as Jupyter would have done. Then something happens to
the notebook, the file or its name. Nothing may be lost, and the marks are what the notebooks said.
"""

import csv
import json
import os
import subprocess
import sys
import time
from pathlib import Path

from test_marking import FORGE, IMPORTS, NAMES, SHARES, WITHOUT, by_heart

from vae_tutorial import exercises
from vae_tutorial.exercises import EXERCISES, RIGHT, WRONG, _class

HAND_INS = int(os.environ.get("HAND_INS", "40"))
SECONDS = 10  # for a statement; no honest one here takes one
LOOK, NOT_MARKED = "look at it by hand", "not marked"

ENDLESS, TOO_LONG = "was not done after", "It ran too long"

ANSWERS = {
    SHARES: [
        "s = (query - match) ** 2\n    return s / s.sum()",
        "return (query - match) ** 2",
        "s = np.abs(query - match)\n    return s / s.sum()",
        "return np.sort(query)",
        "...",
        "return [d * d / sum((query - match) ** 2) for d in query - match]",
        "raise ValueError('not yet')",
        "while True:\n        pass",
    ],
    WITHOUT: [
        "return (np.delete(query - match, deleted) ** 2).sum()",
        "return ((query - match) ** 2).sum()",
        "return np.sqrt((np.delete(query - match, deleted) ** 2).sum())",
        "return 'none'",
        "...",
    ],
}
ARGUMENTS = {SHARES: "query, match", WITHOUT: "query, match, deleted"}
# Each stands before a function of the student, and runs when the function is made.
NOISE = """import sys

def around(function):
    for _ in range(20_000):
        sys.stderr.write("x" * 1_000)
    return function
"""
FORGED = "def around(function):\n    " + FORGE.replace("\n", "\n    ") + "\n    return function\n"
HANGS = "return sum(range(10**12))"


def defined(name: str, body: str) -> str:
    return f"def {name}({ARGUMENTS[name]}):\n    {body}"


SAID: dict[tuple, exercises.Verdict] = {}


def said(name: str, body: str) -> exercises.Verdict:
    """Return what the check says to the student."""
    if (name, body) not in SAID:
        import numpy as np

        space = {"np": np}
        exec(defined(name, body), space)
        SAID[name, body] = exercises.check(name, space[name])
    return SAID[name, body]


def cell(source: str, text: str = "") -> dict:
    shown = {"output_type": "execute_result", "data": {"text/plain": text}, "metadata": {}}
    outputs = [{**shown, "execution_count": 1}] if text else []
    return {"cell_type": "code", "source": source, "outputs": outputs}


def notebook(bodies: dict[str, str], before="", around="", shown=None, after="") -> bytes:
    """Return a notebook with these answers, and with what its checks have shown."""
    cells = [cell(IMPORTS), cell(before)] if before else [cell(IMPORTS)]
    for name, body in bodies.items():
        decorated = "@around\n" if around else ""
        check = f'exercises.check("{name}", {name})'
        text = shown[name] if shown else repr(said(name, body))
        cells.append(cell(f"{around}\n{decorated}{defined(name, body)}\n\n\n{check}", text))
    cells += [cell(after)] if after else []
    whole = {"cells": cells, "nbformat": 4, "nbformat_minor": 5, "metadata": {}}
    return json.dumps(whole).encode()


def as_said(bodies) -> dict[str, tuple[str, str]]:
    """Return status and diagnosis of each exercise as the student saw them."""
    found = {name: said(name, body) for name, body in bodies.items()}
    return {n: (v.status, v.message if v.status == WRONG else "") for n, v in found.items()}


def changed(bodies, **wanted) -> dict[str, tuple[str, str]]:
    return as_said({n: b for n, b in bodies.items() if n not in wanted}) | wanted


# -- The troubles: each returns the bytes of a file, and what each exercise deserves ---------------


def plain(bodies):
    return notebook(bodies), as_said(bodies)


def exits(bodies):
    return notebook(bodies, before="exit()", after="quit()"), as_said(bodies)


def kills(bodies):
    return notebook(bodies, before="import os\nos._exit(3)"), as_said(bodies)


def loops(bodies):
    return notebook(bodies, before="while True:\n    pass", after="while 1: 1"), as_said(bodies)


def floods(bodies):
    return notebook(bodies, around=NOISE), as_said(bodies)


def forges(bodies):
    return notebook(bodies, around=FORGED), as_said(bodies)


def claims(bodies):
    """The outputs say that all is right, whatever the answers are."""
    raw = notebook(bodies, shown={name: f"{name}: {RIGHT}\nSo." for name in bodies})
    wanted = as_said(bodies)
    for name, (status, diagnosis) in wanted.items():
        if status != RIGHT:
            told = f"The notebook shows 'right', but marked it is '{status}'. {diagnosis}"
            wanted[name] = LOOK, told.strip()
    return raw, wanted


def hangs(bodies):
    raw = notebook(bodies | {SHARES: HANGS}, shown=dict.fromkeys(bodies, ""))
    return raw, changed(bodies, **{SHARES: (LOOK, TOO_LONG)})


def knows(bodies):
    table, answer = by_heart()
    body = answer.split("\n    ", 1)[1].strip()
    raw = notebook(bodies | {SHARES: body}, before=table, shown=dict.fromkeys(bodies, ""))
    return raw, changed(bodies, **{SHARES: (LOOK, "It is right on what a reader is asked")})


def broken(bodies):
    raw = notebook(bodies | {SHARES: "return ("}, shown=dict.fromkeys(bodies, ""))
    return raw, changed(bodies, **{SHARES: (WRONG, "The cell is not Python")})


def deleted(bodies):
    kept = {WITHOUT: bodies[WITHOUT]}
    gone = ("missing", "Its check was deleted")
    return notebook(kept), changed(bodies, **{SHARES: gone})


def with_mark(bodies):
    return b"\xef\xbb\xbf" + notebook(bodies), as_said(bodies)


def wide(bodies):
    return notebook(bodies).decode().encode("utf-16"), as_said(bodies)


def unmarked(raw: bytes, why: str):
    return lambda bodies: (raw, {"": (NOT_MARKED, why)})


def cut(bodies):
    return notebook(bodies)[:200], {"": (NOT_MARKED, "Was a transfer broken off?")}


OLD = json.dumps({"worksheets": [], "nbformat": 3}).encode()
TROUBLES = [
    plain,
    exits,
    kills,
    loops,
    floods,
    forges,
    claims,
    knows,
    broken,
    deleted,
    with_mark,
    wide,
    cut,
    unmarked(b"", "The file is empty."),
    unmarked(OLD, "old format 3"),
    unmarked(b"%PDF-1.7", "a PDF document"),
    unmarked(b"PK\x03\x04...", "an office document"),
    unmarked(b"<!doctype html>", "a web page"),
    hangs,
]
NAMED = ("s{}", "Zoë {}", "=1+{}", "two\nlines {}", "'{}'", "{} copy (2)", "\u202e{}", "☃{}")
SECRET = "@byte@"  # stands for a byte that is no UTF-8


def placed(number: int) -> str:
    """Return the path of a hand-in: many below a folder of the student, as Moodle has them."""
    name = NAMED[number % len(NAMED)].format(number)
    if number % 7 == 3 and os.name != "nt":
        name += SECRET
    folder = f"Student {number}_{number}_assignsubmission_file_/" if number % 3 == 0 else ""
    return f"{folder}{name}.ipynb"


def write(folder: Path, file: str, raw: bytes) -> str:
    """Write a hand-in; return its name as the table should have it."""
    path = os.fsencode(folder) + b"/" + file.encode().replace(SECRET.encode(), b"\xfc")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as out:
        out.write(raw)
    return _class.shown(Path(os.fsdecode(path)).relative_to(folder))


def mark_a_class(folder: Path):
    """Return what each file of a class deserves, and its rows in the table."""
    wanted = {}
    for number in range(HAND_INS):
        bodies = {name: bodies[number % len(bodies)] for name, bodies in ANSWERS.items()}
        raw, deserved = TROUBLES[number % len(TROUBLES)](bodies)
        wanted[write(folder, placed(number), raw)] = deserved
    (folder / "folder.ipynb").mkdir()
    wanted["folder.ipynb"] = {"": (NOT_MARKED, "It is a folder")}
    if os.name != "nt":
        (folder / "link.ipynb").symlink_to(Path(__file__))
        wanted["link.ipynb"] = {"": (NOT_MARKED, "a link to another place")}
        os.mkfifo(folder / "pipe.ipynb")
        wanted["pipe.ipynb"] = {"": (NOT_MARKED, "a pipe")}
    roster = folder.parent / "names.txt"
    roster.write_text("Student 0\nNobody Knows\n", encoding="utf-8")
    command = [sys.executable, "-m", "vae_tutorial.exercises", str(folder)]
    command += ["--seconds", str(SECONDS), "--roster", str(roster)]
    started = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    print(f"{len(wanted)} hand-ins marked in {time.monotonic() - started:.0f} s")
    assert done.returncode == 0, done.stderr
    with (folder / "marks.csv").open(newline="", encoding="utf-8-sig") as table:
        return wanted, list(csv.DictReader(table))


def none_is_lost_or_there_twice(wanted, rows) -> None:
    found = [(row["file"].lstrip("'"), row["exercise"]) for row in rows if row["file"]]
    assert len(found) == len(set(found))
    assert {file for file, _ in found} == {file.lstrip("'") for file in wanted}
    assert [row["student"] for row in rows if not row["file"]] == ["Nobody Knows"]


def marks_are_what_the_notebooks_said(wanted, rows) -> None:
    found = {(row["file"].lstrip("'"), row["exercise"]): row for row in rows}
    for file, deserved in wanted.items():
        for name, (status, diagnosis) in deserved.items():
            row = found[file.lstrip("'"), name]
            if ENDLESS in diagnosis and TOO_LONG in row["diagnosis"]:
                status, diagnosis = LOOK, TOO_LONG  # a busy machine met the other limit first
            assert row["status"] == status, (file, row)
            assert row["diagnosis"].lstrip("'").startswith(diagnosis[:200]) or (
                diagnosis in row["diagnosis"]
            ), (file, diagnosis, row)
            points = str(EXERCISES[name].points) if name else ""
            unknown = status in (LOOK, NOT_MARKED)
            assert row["points"] == ("" if unknown else points if status == RIGHT else "0")
    assert sum(map(len, wanted.values())) == sum(bool(row["file"]) for row in rows)


def only_tables_were_added(folder: Path) -> None:
    tables = {"marks.csv", "marks-students.csv", "marks-mistakes.csv"}
    others = {path.name for path in folder.iterdir() if path.suffix != ".ipynb"} - tables
    assert all(name.startswith("Student ") for name in others)


def test_a_class_with_every_trouble_is_marked_and_nothing_is_lost(tmp_path):
    """One test, so that the class is marked once however many processes share the tests."""
    assert set(NAMES) == {SHARES, WITHOUT} and len(TROUBLES) <= HAND_INS
    folder = tmp_path / "class"
    folder.mkdir()
    wanted, rows = mark_a_class(folder)
    none_is_lost_or_there_twice(wanted, rows)
    marks_are_what_the_notebooks_said(wanted, rows)
    only_tables_were_added(folder)
