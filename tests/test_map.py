"""The data of the map in chapter 5: places, neighbours and what is said of them."""

import json
import re

import make_map
import numpy as np
import pytest
from make_web import thumbnails
from test_web import STATIC, halves, unpack

from vae_tutorial import datasets

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def digits():
    return datasets.load("mnist-5k")


@pytest.fixture(scope="module")
def kept() -> dict:
    text = (STATIC / "web" / "digit-map.js").read_text(encoding="utf-8")
    return json.loads(re.search(r"\] = (\{.*\});\n$", text, re.DOTALL)[1])


def near(kept) -> np.ndarray:
    octets = np.frombuffer(unpack(kept["near"]), np.uint8).reshape(2, -1).T
    return octets.copy().view("<u2").reshape(3, -1, make_map.K)


def test_the_images_and_labels_are_the_gallery_s(kept, digits):
    rows = make_map.chosen_rows(digits)
    assert kept["each"] == make_map.EACH and len(rows) == 10 * make_map.EACH
    images = np.frombuffer(unpack(kept["packed"]), np.uint8).reshape(-1, 28, 28, 1)
    np.testing.assert_array_equal(images, thumbnails(digits.gallery_images[rows]))
    labels = np.frombuffer(unpack(kept["labels"]), np.uint8)
    np.testing.assert_array_equal(labels, digits.gallery_labels[rows])
    assert (STATIC / "web" / "digit-map.js").stat().st_size < 250_000


def test_the_neighbours_are_those_of_the_descriptors(kept, digits):
    codes = make_map.descriptors(digits)
    assert kept["methods"] == list(codes)
    labels = np.frombuffer(unpack(kept["labels"]), np.uint8)
    for m, (name, rows) in enumerate(codes.items()):
        unit = rows.astype(float) / np.linalg.norm(rows, axis=1, keepdims=True)
        distances = 1 - unit @ unit.T  # an answer independent of the index
        np.fill_diagonal(distances, np.inf)
        tenth = np.sort(distances, axis=1)[:, make_map.K - 1]
        found = np.take_along_axis(distances, near(kept)[m].astype(int), axis=1)
        assert (found <= tenth[:, np.newaxis] + 1e-5).all(), name
        assert (np.diff(found, axis=1) > -1e-5).all(), "nearest first"
        right = (labels[near(kept)[m]] == labels[:, np.newaxis]).mean()
        assert right == pytest.approx(kept["precision"][m], abs=6e-4)
    assert kept["precision"][2] > max(kept["precision"][:2])


def test_the_drawing_keeps_as_many_neighbours_as_is_told(kept):
    places = halves(unpack(kept["places"])).reshape(3, -1, 2).astype(float)
    assert np.abs(places).max(axis=(1, 2)) == pytest.approx([1, 1, 1], abs=1e-3)
    for m in range(3):
        distances = np.linalg.norm(places[m][:, np.newaxis] - places[m], axis=2)
        np.fill_diagonal(distances, np.inf)
        drawn = np.argsort(distances, axis=1)[:, : make_map.K]
        both = [len(set(a) & set(b)) for a, b in zip(near(kept)[m], drawn, strict=True)]
        assert np.mean(both) == pytest.approx(kept["kept"][m], abs=0.1)
        assert 2 < np.mean(both) < 9, "better than chance, and not all"


def test_a_layout_is_turned_to_lie_as_the_one_before():
    codes = np.random.default_rng(0).normal(size=(120, 5)).astype(np.float32)
    first = make_map.layout(codes, None)
    mirrored = first * [-1, 1]
    again = make_map.layout(codes, mirrored)
    np.testing.assert_allclose(again, mirrored, atol=1e-6)
