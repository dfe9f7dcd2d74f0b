"""Measure what a teacher plans with: run times of the copies, marking, and the size of it all.

Each student copy runs untouched in a fresh kernel. Marking takes a student and an instructor copy
of every page. ``--packages`` also downloads the packages that a room without a network needs, to
weigh them. Writes results/classroom.json.
"""

import argparse
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from measuring import write_report
from nbclient import NotebookClient

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools"))
import make_classroom
from place_exercises import BOOK, pages

from vae_tutorial.exercises import EXERCISES

RESULTS = Path(__file__).parent / "results" / "classroom.json"


def page_row(page: str) -> dict:
    """Return what a teacher plans with for one page; the student copy is run to its end."""
    own = [exercise for exercise in EXERCISES.values() if exercise.page == page]
    book = nbformat.read(BOOK / f"{page}.ipynb", as_version=4)
    text = "\n".join(cell.source for cell in book.cells if cell.cell_type == "markdown")
    copy = make_classroom.copy_of(BOOK / f"{page}.ipynb", "student")
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(copy, timeout=300, resources={"metadata": {"path": folder}})
        started = time.monotonic()
        client.execute()
    return {
        "page": page,
        "title": re.search(r"^# (.+)", text, re.MULTILINE)[1],
        "seconds to run": round(time.monotonic() - started),
        "exercises": len(own),
        "minutes of exercises": sum(exercise.minutes for exercise in own),
        "points": sum(exercise.points for exercise in own),
    }


def marking(folder: Path) -> dict:
    """Time the marking of every page's student and instructor copy."""
    command = [sys.executable, "-m", "vae_tutorial.exercises", str(folder), "--seconds", "120"]
    started = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return {
        "notebooks": len(list(folder.rglob("*.ipynb"))),
        "seconds": round(time.monotonic() - started),
    }


def megabytes(*paths: Path) -> float:
    return round(sum(path.stat().st_size for path in paths) / 1e6, 1)


def packages(folder: Path) -> dict:
    """Download what a room without a network installs, and weigh it."""
    wanted = folder / "requirements.txt"
    wanted.write_text(make_classroom.requirements(), encoding="utf-8")
    target = folder / "packages"
    command = [sys.executable, "-m", "pip", "download", "-q", "-r", str(wanted), "-d", str(target)]
    subprocess.run(command, check=True)
    files = list(target.iterdir())
    return {"files": len(files), "megabytes": round(megabytes(*files))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--packages", action="store_true", help="download and weigh the packages")
    parser.add_argument("--quick", action="store_true", help="one page only, to try the command")
    parser.add_argument("--output", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    wanted = pages()[:1] if arguments.quick else pages()
    os.environ["PYTHONPATH"] = str(BOOK.parent)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        make_classroom.make(folder / "made")
        zips = sorted((folder / "made").glob("*.zip"))
        sizes = {path.name: megabytes(path) for path in zips}
        for path in [*zips, *(folder / "made").glob("*.whl")]:
            path.unlink()
        shutil.rmtree(folder / "made" / "nbgrader")  # the instructor's, for another program
        for path in (folder / "made").rglob("*.ipynb"):
            if path.stem not in wanted:
                path.unlink()
        result = {
            "command": "python benchmarks/classroom.py --packages",
            "protocol": "student copies untouched, one after the other, each in a fresh kernel; "
            "marking: two notebooks at a time",
            "machine": f"{os.cpu_count()} CPU cores, Python {platform.python_version()}",
            "pages": [page_row(page) for page in wanted],
            "marking": marking(folder / "made"),
            "zips, megabytes": sizes,
        }
        if arguments.packages:
            result["packages"] = packages(folder)
    write_report(arguments.output, result)


if __name__ == "__main__":
    main()
