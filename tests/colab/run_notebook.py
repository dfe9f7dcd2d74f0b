"""Run one notebook to its end, alone in an empty folder, and check that its setup replaced nothing.

    python run_notebook.py NOTEBOOK [--longest SECONDS]

Needs only what Colab has, for it runs there: in Colab's own image (weekly.yml), and in an
environment with Colab's versions (make test-colab). A limit of seconds, setup included, is for a
machine that does nothing else.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

STUCK = 900  # seconds after which a cell is given up


def packages() -> dict[str, str]:
    """Return the version of every installed package."""
    command = [sys.executable, "-m", "pip", "list", "--format=json", "--disable-pip-version-check"]
    listed = subprocess.run(command, capture_output=True, check=True).stdout
    return {package["name"]: package["version"] for package in json.loads(listed)}


def run(path: Path) -> tuple[float, float]:
    """Run the notebook; return the seconds it took by the clock and by the processor."""
    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        resources = {"metadata": {"path": folder}}
        client = NotebookClient(notebook, timeout=STUCK, iopub_timeout=STUCK, resources=resources)
        before, started = processor_seconds(), time.monotonic()
        client.execute()
    return time.monotonic() - started, processor_seconds() - before


def processor_seconds() -> float:
    """Return the processor time of the processes that were started here and have ended."""
    try:
        import resource
    except ImportError:  # Windows counts no children; there only the clock can tell
        return time.monotonic()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> str | None:
    """Print what was found and return what is wrong, if anything."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("notebook", type=Path)
    parser.add_argument("--longest", type=float, help="seconds that it may take")
    given = parser.parse_args()
    path, before = given.notebook, packages()
    if "vae_tutorial" in {name.replace("-", "_") for name in before}:
        return "the library is installed already, so the setup cell would not be tried"
    try:
        clock, processor = run(path)
    except CellExecutionError as error:
        return f"{path.name} stopped: {error}"
    after = packages()
    changed = {name: after.get(name) for name in before if after.get(name) != before[name]}
    print(
        f"{path.name}: {clock:.0f} s, {processor:.0f} s of the processor; "
        f"added {', '.join(sorted(after.keys() - before.keys()))}"
    )
    if changed:
        return f"{path.name} replaced packages that were here: {changed}"
    if given.longest and clock > given.longest:
        return f"{path.name} took {clock:.0f} s, more than {given.longest:g} s"
    return None


if __name__ == "__main__":
    sys.exit(main())
