"""Cells of "Beyond one machine" that keep a database: each gives the same again when run twice."""

import contextlib
import io
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace

import nbformat
import numpy as np
import pytest

from vae_tutorial.retrieval import ImageIndex

ROOT = Path(__file__).resolve().parents[1]
# The vector database is no part of the library's own requirements.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("pymilvus") is None, reason="needs the extra scale"),
]


def database_cells() -> list[str]:
    page = nbformat.read(ROOT / "book" / "beyond-one-machine.ipynb", as_version=4)
    cells = [cell.source for cell in page.cells if cell.cell_type == "code"]
    return [source for source in cells if "client" in source and "LocalCluster" not in source]


def printed(source: str, space: dict) -> str:
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(source, space)
    return said.getvalue()


@pytest.fixture
def space() -> dict:
    """Return what the cells above define, with few and random latents in place of a model's."""
    rng = np.random.default_rng(0)
    gallery, queries = (rng.standard_normal((n, 32), dtype=np.float32) for n in (600, 100))
    digits = SimpleNamespace(gallery_labels=rng.integers(0, 10, len(gallery)))
    return {
        "np": np,
        "Path": Path,
        "TemporaryDirectory": TemporaryDirectory,
        "ImageIndex": ImageIndex,
        "digits": digits,
        "gallery": gallery,
        "queries": queries,
    }


def test_each_cell_runs_twice_in_a_row(space):
    cells = database_cells()
    assert len(cells) == 4
    for source in cells:
        assert printed(source, space) == printed(source, space)


def test_all_cells_run_again_from_the_top(space):
    first, second = ([printed(source, space) for source in database_cells()] for _ in range(2))
    assert first == second
