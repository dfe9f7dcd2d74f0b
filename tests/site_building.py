"""Builds the book for tests: from nothing, with every warning an error."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def build_book(folder: Path, **published: str) -> Path:
    """Build into ``folder``, told only the given addresses; return the folder of the HTML."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("BOOK_")} | published
    command = [Path(sys.executable).with_name("jupyter-book"), "build", ROOT]
    result = subprocess.run(
        [*command, "--path-output", folder, "-W", "-n", "--keep-going"],
        capture_output=True,
        text=True,
        timeout=300,
        env=environment,
    )
    assert result.returncode == 0, result.stderr[-4000:]
    return (folder / "_build" / "html").resolve()
