"""The pictures that open the pages are what their commands make, and show what they say."""

import re
from pathlib import Path

import make_cover
import make_pictures
import nbformat
import numpy as np
import pytest
from PIL import Image

from vae_tutorial import datasets

BOOK = Path(__file__).resolve().parents[1] / "book"
PAGE = BOOK / "images" / "cover.html"


@pytest.mark.slow  # TensorFlow, and six searches
def test_the_figure_is_what_its_command_makes():
    labels = datasets.load("mnist-5k").query_labels
    asked, found, right = make_cover.searched()
    rows = make_cover.choose_rows(right, labels)
    assert PAGE.read_text(encoding="utf-8") == make_cover.fragment(right, rows, labels)
    with Image.open(BOOK / "_static" / "web" / "cover.png") as stored:
        np.testing.assert_array_equal(np.asarray(stored), make_cover.sprite(asked, found, rows))


def test_its_labels_count_the_frames_beside_them():
    text = PAGE.read_text(encoding="utf-8")
    groups = re.findall(r'aria-label="by [\w ]+: (\d) of (\d) show a (\w+)">(.*?)</span>', text)
    assert len(groups) == 2 * make_cover.N_QUERIES * len(make_cover.METHODS)
    for right, of, _, tiles in groups:
        assert tiles.count("cover-right") == int(right)
        assert tiles.count("cover-right") + tiles.count("cover-wrong") == int(of) == make_cover.K


def test_the_queries_are_the_first_that_show_it():
    hits = {"still": [5, 5, 5, 4, 5, 5], "moved": [1, 0, 2, 0, 1, 1]}
    vae = {"still": [5, 5, 5, 5, 5, 5], "moved": [5, 4, 5, 5, 5, 5]}
    right = {
        (name, state): np.arange(5) < np.array(each)[:, np.newaxis]
        for name, states in {"pixels": hits, "VAE": vae}.items()
        for state, each in states.items()
    }
    assert make_cover.choose_rows(right, np.array([7, 3, 2, 1, 7, 0])) == [0, 5]


@pytest.mark.parametrize(("name", "picture"), make_pictures.pictures().items())
def test_a_copied_picture_is_that_of_its_chapter(name, picture):
    with Image.open(BOOK / "images" / name) as stored:
        there, here = (np.asarray(i.convert("RGB"), float) for i in (stored, picture))
    assert there.shape == here.shape
    assert np.abs(there - here).mean() < 2  # another Pillow may choose other colours


@pytest.mark.parametrize("page", make_pictures.OPENINGS)
def test_a_chapter_opens_with_the_picture_of_its_result(page):
    cells = nbformat.read(BOOK / f"{page}.ipynb", as_version=4).cells
    picture, alt, words = re.search(
        r"^```\{figure\} (\S+)\n:name: .+\n:alt: (.+)\n\n(.+)\n```$", cells[0].source, re.M
    ).groups()
    assert picture == f"images/opening-{page}.png"
    name = make_pictures.OPENINGS[page]
    drawn = [c for c in cells if c.metadata.get("mystnb", {}).get("figure", {}).get("name") == name]
    assert alt == drawn[0].metadata.mystnb.image.alt
    assert len(re.findall(r"[.](?: |$)", words)) >= 2
