"""Marks a folder of handed-in notebooks: ``python -m vae_tutorial.exercises FOLDER``.

Each notebook runs in a process of its own, with a limit on time and memory, and its rows are in
the table as soon as it is done. Call it again after a stop, and it goes on; rows that stand in the
table, with your corrections, stay as they are. A file that cannot be marked gets a row that says
why. The limits protect the computer from mistakes, not from malice: the code of a notebook may do
whatever you may, so run what you do not trust in a container (see the teacher's guide).
"""

import argparse
import contextlib
import signal
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from vae_tutorial._words import _
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
ABOUT = " ".join((__doc__ or "\n\n").split("\n\n", 1)[1].split())
OPTIONS = {
    "output": (Path, None, "default: marks.csv in the folder"),
    "roster": (Path, None, "a text file of the class, one name a line"),
    "seconds": (float, 120, "limit for a statement (120)"),
    "memory": (float, 8, "limit for a notebook, GiB (8)"),
    "jobs": (int, 2, "notebooks at a time (2)"),
}


def arguments() -> argparse.Namespace:
    name = "python -m vae_tutorial.exercises"
    parser = argparse.ArgumentParser(prog=name, description=_(ABOUT))
    parser.add_argument("folder", type=Path, help=_("notebooks in it and below it are marked"))
    for option, (kind, default, words) in OPTIONS.items():
        parser.add_argument(f"--{option}", type=kind, default=default, help=_(words))
    given = parser.parse_args()
    if not given.folder.is_dir():
        parser.error(_("there is no folder {path}", path=given.folder))
    if min(given.seconds, given.memory, given.jobs) <= 0:
        parser.error(_("--seconds, --memory and --jobs must be above 0"))
    if given.roster and not given.roster.is_file():
        parser.error(_("there is no file {path}", path=given.roster))
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
            say(_("{why}. It stays as it is; the marks go to {other}.", why=error, other=other))
            return Table(other, COLUMNS)
    except OSError as error:
        sys.exit(
            _(
                "{path} cannot be written: {error}. Is it open in a spreadsheet? Close it, or name "
                "another file with --output.",
                path=path,
                error=error.strerror,
            )
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
                line = line_of(rows, UNREADABLE, MISSING)
                say(_("{file}: {line}", file=file, line=line))
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
            _process.end_all()
            return False
    return True


def _result(task) -> list[dict]:
    try:
        return task.result()
    except Exception as error:  # a fault of ours must not cost the others their marks
        what = f"{type(error).__name__}: {error}"
        return [unmarked(_("Marking failed, {error}", error=what))]


def to_mark(given, table: Table) -> dict[Path, str]:
    """Return the files without rows, with the names that the table gives them."""
    paths = {path: shown(path.relative_to(given.folder)) for path in files_in(given.folder)}
    if not paths:
        sys.exit(_("no notebook (*.ipynb) in {folder}", folder=shown(given.folder)))
    known = {row["file"]: row.get("version") for row in table.rows}
    for path, file in paths.items():
        old = known.get(str(cell(file)))
        if old and old != _version(path):
            line = _("has changed since it was marked. Delete its rows to mark it again.")
            say(_("{file}: {line}", file=file, line=line))
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
            rows = [_for_a_person(row) for row in rows]
            path = write_new(table.path.with_name(f"{table.path.stem}-{kind}.csv"), rows)
            say(_("wrote {path}", path=shown(path)))
    for row in found[:SHOWN]:
        say(_("{times} times, {exercise}: {diagnosis}", **row))


def _for_a_person(row: dict) -> dict:
    """Return a row of a summary, which no program reads again, in the teacher's language."""
    return {_(name): _(value) if name == "status" else value for name, value in row.items()}


def main() -> None:
    # The table is in the teacher's language also where the console lacks its letters.
    with contextlib.suppress(AttributeError):
        sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    given = arguments()
    roster = _names(given.roster) if given.roster else []
    for name in {"SIGTERM", "SIGHUP"} & set(dir(signal)):
        number = getattr(signal, name)
        if signal.getsignal(number) != signal.SIG_IGN:  # nohup asks to be left alone
            signal.signal(number, signal.default_int_handler)
    output = given.output or given.folder / "marks.csv"
    if not files_in(given.folder):
        sys.exit(_("no notebook (*.ipynb) in {folder}", folder=shown(given.folder)))
    table = open_table(output)
    waiting = to_mark(given, table)
    if kept := len({row["file"] for row in table.rows}):
        where = shown(table.path)
        say(_("{n} files have rows in {path} already, which stay as they are", n=kept, path=where))
    if not mark_all(waiting, given, roster, table):
        path = shown(table.path)
        say(_("stopped; {path} holds what was marked, the same command goes on", path=path))
        sys.exit(130)
    handed_in = {row.get("student") for row in table.rows}
    absent = [name for name in roster if name not in handed_in]
    table.add([{"file": "", "student": name, "status": NO_HAND_IN} for name in absent])
    for name in absent:
        say(_("{name}: {status}", name=name, status=_(NO_HAND_IN)))
    table.close()
    say(_("wrote {path}", path=shown(table.path)))
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
