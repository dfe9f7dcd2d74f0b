"""The page "A query's journey": its numbers are measured, its stills there, its words true."""

import json
import re
from pathlib import Path

import make_journey
import numpy as np
import pytest
from test_web import STATIC, halves, unpack

from vae_tutorial import datasets

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "book" / "journey.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def digits():
    return datasets.load("mnist-5k")


@pytest.fixture(scope="module")
def tale(digits):
    return make_journey.journey(digits)


@pytest.fixture(scope="module")
def kept() -> dict:
    text = (STATIC / "web" / "journey.js").read_text(encoding="utf-8")
    return json.loads(re.search(r"\] = (\{.*\});\n$", text, re.DOTALL)[1])


def test_the_data_are_what_the_tool_measures(tale, kept, digits):
    fresh = json.loads(json.dumps(make_journey.data_of(tale, digits)))
    for name in ("digit", "shift", "window", "queries", "gallery", "kept", "labels", "found"):
        assert fresh[name] == kept[name], name
    assert fresh["right"] == kept["right"]
    for name in ("tenth", "distance"):  # another processor rounds differently
        assert fresh[name] == pytest.approx(kept[name], abs=0.02), name
    for name in make_journey.METHODS:
        assert fresh["mean"][name] == pytest.approx(kept["mean"][name], abs=2e-3)
    np.testing.assert_allclose(fresh["means"], kept["means"], atol=0.011)
    assert fresh["share"] == pytest.approx(kept["share"], abs=2e-3)
    # A direction may come out mirrored.
    ours, theirs = (halves(unpack(d["cloud"])).reshape(-1, 2) for d in (fresh, kept))
    signs = np.sign((ours.astype(float) * theirs).sum(axis=0))
    np.testing.assert_allclose(ours * signs, theirs, atol=0.02)
    np.testing.assert_allclose(np.array(fresh["places"]) * signs, kept["places"], atol=0.02)
    images, stored = (np.frombuffer(unpack(d["packed"]), np.uint8) for d in (fresh, kept))
    np.testing.assert_allclose(images.astype(int), stored.astype(int), atol=1)


def test_the_shift_loses_no_ink(tale):
    assert tale.away.sum() == pytest.approx(tale.image.sum())
    assert not np.array_equal(tale.away, tale.image)


def test_what_the_story_says_is_so(tale, kept):
    prose = " ".join(PAGE.split())
    assert "Somebody wrote a 2." in prose and tale.digit == 2
    assert "one of 500 images" in prose and kept["queries"] == 500
    assert "4,500 other digits" in prose and kept["gallery"] == 4500
    assert "every one of them leads to a 2" in prose and tale.right["plain", "still"] == 10
    ratio = tale.distance["pixels"] / tale.tenth["pixels"]
    assert "about one and a half times its distance" in prose and 1.4 < ratio < 1.6
    assert "three are right in the first row and four in the second" in prose
    assert (tale.right["pixels", "moved"], tale.right["plain", "moved"]) == (3, 4)
    assert "Pixels bring fives and zeros" in prose
    labels = np.frombuffer(unpack(kept["labels"]), np.uint8)[tale.found["pixels", "moved"]]
    assert (labels == 5).sum() >= 2 and (labels == 0).sum() >= 2
    assert "finds ten twos, moved or not" in prose
    assert tale.right["view", "still"] == tale.right["view", "moved"] == 10
    assert "from about 0.9 to about 0.4" in prose and "it stays near 0.95" in prose
    for name in ("pixels", "plain"):
        assert tale.mean[name, "still"] == pytest.approx(0.9, abs=0.03)
        assert tale.mean[name, "moved"] == pytest.approx(0.4, abs=0.03)
        # "the shift costs it about as much as it costs the average query"
        costs = (tale.right[name, "still"] - tale.right[name, "moved"]) / 10
        average = tale.mean[name, "still"] - tale.mean[name, "moved"]
        assert costs == pytest.approx(average, abs=0.2)
    assert abs(tale.mean["view", "moved"] - 0.95) < 0.02
    assert -1.5 < tale.means.min() < -0.8 and 1.5 < tale.means.max() < 2  # between -1 and 2
    # "Some dots lie nearer in the drawing and do not win."
    far = np.linalg.norm(tale.cloud - tale.places[0], axis=1)
    assert (far < far[tale.found["plain", "still"]].max()).sum() > 20


def test_each_step_has_a_still_that_is_described():
    stills = re.findall(r"\{figure\} (\S+)\n:name: fig-journey-(\w+)\n:alt: (.+)\n", PAGE)
    assert [name for _, name, _ in stills] == list(make_journey.STILLS)
    for i, (path, name, alt) in enumerate(stills, 1):
        assert path == f"_static/web/journey-{i}-{name}.png"
        assert (ROOT / "book" / path).is_file() and len(alt) > 60
    assert "<noscript>" in PAGE
