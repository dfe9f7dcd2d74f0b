"""Marks a folder of handed-in notebooks: ``python -m vae_tutorial.exercises FOLDER``.

Each notebook runs in a process of its own, with a limit on time and memory. A notebook that cannot
be read, or that does not end, gets a line that says so and does not stop the others. The limits
protect the computer from mistakes, not from malice: the code of a notebook may do whatever you may.
"""

import argparse
import csv
import json
import os
import signal
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import vae_tutorial
from vae_tutorial.exercises._notebooks import MISSING

COLUMNS = ["file", "page", "exercise", "points", "of", "status", "diagnosis"]
UNREADABLE = "not marked"


def mark(notebook: Path, seconds: float, gibibytes: float) -> list[dict]:
    """Return the rows of one notebook, or one row that says why there are none."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "rows.json"
        module = "vae_tutorial.exercises._notebooks"
        command = [sys.executable, "-m", module, str(notebook.resolve()), str(result)]
        process = subprocess.Popen(
            [*command, str(gibibytes)],
            cwd=folder,  # what the notebook writes goes here and is deleted
            env=os.environ | {"PYTHONPATH": _path(), "MPLBACKEND": "Agg"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            _, errors = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            _end(process)
            return [_unmarked(f"The notebook was not done after {seconds:g} s.")]
        if not result.is_file():
            last = (errors.strip().splitlines() or ["it ended without a message"])[-1]
            return [_unmarked(f"The notebook could not be marked: {last}")]
        rows = json.loads(result.read_text(encoding="utf-8"))
    return rows or [_unmarked("The notebook holds no exercise of this book.")]


def _path() -> str:
    here = str(Path(vae_tutorial.__file__).parents[1])
    return os.pathsep.join(filter(None, [here, os.environ.get("PYTHONPATH")]))


def _end(process) -> None:
    """End a process and all that it has started."""
    if hasattr(os, "killpg"):
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.communicate()


def _unmarked(why: str) -> dict:
    return {"points": 0, "of": 0, "status": UNREADABLE, "diagnosis": why}


def write_csv(path: Path, rows: list[dict]) -> None:
    """Write all rows, or leave the file as it was."""
    part = path.with_name(path.name + ".part")
    with part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows({key: _cell(value) for key, value in row.items()} for row in rows)
    part.replace(path)


def _cell(value):
    # A spreadsheet would run a text that starts like a formula.
    return (
        f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@")) else value
    )


def arguments() -> argparse.Namespace:
    name = "python -m vae_tutorial.exercises"
    parser = argparse.ArgumentParser(prog=name, description=__doc__.split("\n\n", 1)[1])
    parser.add_argument("folder", type=Path, help="notebooks in it and below it are marked")
    parser.add_argument("--output", type=Path, help="default: marks.csv in the folder")
    parser.add_argument("--seconds", type=float, default=60, help="limit for a notebook (60)")
    parser.add_argument("--memory", type=float, default=8, help="limit for a notebook, GiB (8)")
    parser.add_argument("--jobs", type=int, default=2, help="notebooks at a time (2)")
    given = parser.parse_args()
    if not given.folder.is_dir():
        parser.error(f"there is no folder {given.folder}")
    if min(given.seconds, given.memory, given.jobs) <= 0:
        parser.error("--seconds, --memory and --jobs must be above 0")
    return given


def main() -> None:
    given = arguments()
    notebooks = [
        path
        for path in sorted(given.folder.rglob("*.ipynb"))
        if ".ipynb_checkpoints" not in path.parts
    ]
    if not notebooks:
        sys.exit(f"no notebook (*.ipynb) in {given.folder}")
    with ThreadPoolExecutor(given.jobs) as pool:
        marked = pool.map(lambda path: mark(path, given.seconds, given.memory), notebooks)
        rows = []
        for path, own in zip(notebooks, marked, strict=True):
            file = path.relative_to(given.folder).as_posix()
            rows += [{"file": file, **row} for row in own]
            print(f"{file}: {_summary(own)}", flush=True)
    output = given.output or given.folder / "marks.csv"
    write_csv(output, rows)
    print(f"wrote {output}")


def _summary(rows: list[dict]) -> str:
    if rows[0]["status"] == UNREADABLE:
        return f"{UNREADABLE}. {rows[0]['diagnosis']}"
    missing = sum(row["status"] == MISSING for row in rows)
    text = f"{sum(row['points'] for row in rows)} of {sum(row['of'] for row in rows)} points"
    return text + (f", {missing} checks deleted" if missing else "")


if __name__ == "__main__":
    main()
