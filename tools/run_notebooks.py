"""Run notebooks from a clean kernel and store their outputs, and nothing of the machine."""

import argparse
import os
import sys
import time
from pathlib import Path

import figures
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

ROOT = Path(__file__).resolve().parents[1]
KERNELSPEC = {"name": "python3", "display_name": "Python 3", "language": "python"}
# What a stored cell may carry; "execution" holds the times that the structure tests read.
CELL_METADATA = ("tags", "mystnb", "execution")
DRAWING = "image/svg+xml"
# The kernel's start-up remarks are no part of the notebook. Figures are stored twice: as SVG for
# pages, and as PNG for print and for programs that show no SVG.
ARGUMENTS = [
    "--IPKernelApp.log_level=ERROR",
    *(f"--InlineBackend.figure_formats={kind}" for kind in ("png", "svg")),
]


def clean(notebook: nbformat.NotebookNode) -> None:
    """Drop metadata that depends on the machine or the editor."""
    notebook.metadata = {"kernelspec": KERNELSPEC, "language_info": {"name": "python"}}
    for cell in notebook.cells:
        kept = {key: cell.metadata[key] for key in CELL_METADATA if key in cell.metadata}
        cell.metadata = nbformat.from_dict(kept)


def shrink_drawings(notebook: nbformat.NotebookNode) -> None:
    """Store drawings in few bytes; of those that stay heavy, only the picture."""
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            if DRAWING in data:
                data[DRAWING] = figures.small(data[DRAWING])
                if len(data[DRAWING]) > figures.HEAVIEST:
                    del data[DRAWING]


def run(path: Path, *, timeout: float) -> float:
    """Run the notebook at ``path``, store it in place, and return the seconds its cells took."""
    notebook = nbformat.read(path, as_version=4)
    clean(notebook)
    started = time.monotonic()
    NotebookClient(
        notebook,
        timeout=timeout,
        iopub_timeout=timeout,
        kernel_name="python3",
        # One output for what a cell prints, however often the kernel flushed it.
        coalesce_streams=True,
        extra_arguments=ARGUMENTS,
        resources={"metadata": {"path": str(path.parent)}},
    ).execute()
    clean(notebook)
    shrink_drawings(notebook)
    nbformat.validate(notebook)
    nbformat.write(notebook, path)
    return time.monotonic() - started


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("notebooks", nargs="+", type=Path, help="files to run, one after the other")
    parser.add_argument("--timeout", type=float, default=900, help="seconds a cell may take")
    arguments = parser.parse_args()
    os.environ["PYTHONPATH"] = os.pathsep.join(
        filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])
    )
    for path in arguments.notebooks:  # before the first of them runs, for minutes
        if not path.is_file():
            parser.error(f"there is no notebook {path}")
        try:
            nbformat.validate(nbformat.read(path, as_version=4))
        except (nbformat.reader.NotJSONError, nbformat.ValidationError, UnicodeDecodeError):
            parser.error(f"{path} is no notebook")
    for path in arguments.notebooks:
        try:
            seconds = run(path, timeout=arguments.timeout)
        except CellExecutionError as error:
            print(f"{path} was not stored, because a cell failed:\n{error}", file=sys.stderr)
            return 1
        print(f"{path}: {seconds:.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
