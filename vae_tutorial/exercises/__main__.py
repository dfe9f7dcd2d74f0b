"""Marks a folder of handed-in notebooks: ``python -m vae_tutorial.exercises FOLDER``.

Each notebook runs in a process of its own, with a limit on time and memory, and its rows are in
the table as soon as it is done. Call it again after a stop, and it goes on; rows that stand in the
table, with your corrections, stay as they are. A file that cannot be marked gets a row that says
why. The limits protect the computer from mistakes, not from malice: the code of a notebook may do
whatever you may, so run what you do not trust in a container (see the teacher's guide).
"""

import argparse
import signal
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from vae_tutorial.exercises import _process
from vae_tutorial.exercises._class import (
    NO_HAND_IN,
    files_in,
    line_of,
    mistakes,
    read,
    shown,
    student_of,
    summary,
    version,
)
from vae_tutorial.exercises._process import MISSING, UNREADABLE, unmarked
from vae_tutorial.exercises._table import COLUMNS, Table, cell, unused, write_new

SHOWN = 5  # mistakes that the console names


def arguments() -> argparse.Namespace:
    name = "python -m vae_tutorial.exercises"
    parser = argparse.ArgumentParser(prog=name, description=__doc__.split("\n\n", 1)[1])
    parser.add_argument("folder", type=Path, help="notebooks in it and below it are marked")
    parser.add_argument("--output", type=Path, help="default: marks.csv in the folder")
    parser.add_argument("--roster", type=Path, help="a text file of the class, one name a line")
    parser.add_argument("--seconds", type=float, default=120, help="limit for a statement (120)")
    parser.add_argument("--memory", type=float, default=8, help="limit for a notebook, GiB (8)")
    parser.add_argument("--jobs", type=int, default=2, help="notebooks at a time (2)")
    given = parser.parse_args()
    if not given.folder.is_dir():
        parser.error(f"there is no folder {given.folder}")
    if min(given.seconds, given.memory, given.jobs) <= 0:
        parser.error("--seconds, --memory and --jobs must be above 0")
    if given.roster and not given.roster.is_file():
        parser.error(f"there is no file {given.roster}")
    return given


def say(text: str) -> None:
    """Print a line; a console that is gone or lacks a letter costs nobody a mark."""
    try:
        encoding = sys.stdout.encoding or "utf-8"
        print(text.encode(encoding, "backslashreplace").decode(encoding), flush=True)
    except (AttributeError, OSError, ValueError):
        pass


def open_table(path: Path) -> Table:
    """Open the table of marks; one that cannot be gone on with is kept, and another begun."""
    try:
        try:
            return Table(path, COLUMNS)
        except ValueError as error:
            other = unused(path)
            say(f"{error}. It stays as it is; the marks go to {other}.")
            return Table(other, COLUMNS)
    except OSError as error:
        sys.exit(
            f"{path} cannot be written: {error.strerror}. Is it open in a spreadsheet? Close it, "
            "or name another file with --output."
        )


def mark(path: Path, given, settings: Path) -> list[dict]:
    """Return the rows of one file."""
    try:
        raw = read(path)
    except ValueError as error:
        return [unmarked(str(error))]
    rows = _process.mark(raw, given.seconds, given.memory, settings)
    return [row | {"version": version(raw)} for row in rows]


def mark_all(waiting: dict[Path, str], given, roster: list[str], table: Table) -> bool:
    """Mark files and add their rows as they come; return whether all were done."""
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as settings,
        ThreadPoolExecutor(given.jobs) as pool,
    ):
        tasks = {pool.submit(mark, path, given, Path(settings)): path for path in waiting}
        try:
            for task in as_completed(tasks):
                file = waiting[tasks[task]]
                rows = _result(task)
                own = {"file": file, "student": student_of(file, roster)}
                table.add([own | row for row in rows])
                say(f"{file}: {line_of(rows, UNREADABLE, MISSING)}")
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
            _process.end_all()
            return False
    return True


def _result(task) -> list[dict]:
    try:
        return task.result()
    except Exception as error:  # a fault of ours must not cost the others their marks
        return [unmarked(f"Marking failed, {type(error).__name__}: {error}")]


def to_mark(given, table: Table) -> dict[Path, str]:
    """Return the files without rows, with the names that the table gives them."""
    paths = {path: shown(path.relative_to(given.folder)) for path in files_in(given.folder)}
    if not paths:
        sys.exit(f"no notebook (*.ipynb) in {shown(given.folder)}")
    known = {row["file"]: row.get("version") for row in table.rows}
    for path, file in paths.items():
        old = known.get(str(cell(file)))
        if old and old != _version(path):
            say(f"{file}: has changed since it was marked. Delete its rows to mark it again.")
    return {path: file for path, file in paths.items() if str(cell(file)) not in known}


def _version(path: Path) -> str | None:
    try:
        return version(read(path))
    except ValueError:
        return None


def write_summaries(table: Table, roster: list[str]) -> None:
    """Write the sum of each student and the commonest mistakes beside the table."""
    found = mistakes(table.rows)
    for kind, rows in {"students": summary(table.rows, roster), "mistakes": found}.items():
        if rows:
            path = write_new(table.path.with_name(f"{table.path.stem}-{kind}.csv"), rows)
            say(f"wrote {shown(path)}")
    for row in found[:SHOWN]:
        say(f"{row['times']} times, {row['exercise']}: {row['diagnosis']}")


def main() -> None:
    given = arguments()
    roster = _names(given.roster) if given.roster else []
    for name in {"SIGTERM", "SIGHUP"} & set(dir(signal)):
        number = getattr(signal, name)
        if signal.getsignal(number) != signal.SIG_IGN:  # nohup asks to be left alone
            signal.signal(number, signal.default_int_handler)
    output = given.output or given.folder / "marks.csv"
    if not files_in(given.folder):
        sys.exit(f"no notebook (*.ipynb) in {shown(given.folder)}")
    table = open_table(output)
    waiting = to_mark(given, table)
    if kept := len({row["file"] for row in table.rows}):
        say(f"{kept} files have rows in {shown(table.path)} already, which stay as they are")
    if not mark_all(waiting, given, roster, table):
        say(f"stopped; {shown(table.path)} holds what was marked, the same command goes on")
        sys.exit(130)
    handed_in = {row.get("student") for row in table.rows}
    absent = [name for name in roster if name not in handed_in]
    table.add([{"file": "", "student": name, "status": NO_HAND_IN} for name in absent])
    for name in absent:
        say(f"{name}: {NO_HAND_IN}")
    table.close()
    say(f"wrote {shown(table.path)}")
    write_summaries(table, roster)


def _names(path: Path) -> list[str]:
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("cp1252", "replace")
    return [name for line in text.splitlines() if (name := line.strip().strip('"'))]


if __name__ == "__main__":
    main()
