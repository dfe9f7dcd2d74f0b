"""The playground's data are its tool's, and its page says what twenty seeds gave."""

import json
import re
from pathlib import Path

import make_playground
import numpy as np
import playground
import pytest

from vae_tutorial import datasets

ROOT = Path(__file__).resolve().parents[1]
STATIC = ROOT / "book" / "_static"
PAGE = (ROOT / "book" / "playground.md").read_text(encoding="utf-8")
PROSE = " ".join(PAGE.split())
REPORT = json.loads((ROOT / "benchmarks/results/playground.json").read_text(encoding="utf-8"))
SEEDS = 20
# Each sentence of the page, and the measured differences that it rests on: how the stages of an
# experiment must lie, even between the least and the most of all seeds where that can be asked.
SENTENCES = {
    "At beta 4 the KL term falls to less than half, and reconstruction gets worse.": (
        "tug",
        lambda a, b, c: (
            b["kl"]["most"] < a["kl"]["least"] / 2
            and b["reconstruction"]["least"] > a["reconstruction"]["most"]
        ),
    ),
    "At a beta of a quarter it is the other way round.": (
        "tug",
        lambda a, b, c: (
            c["kl"]["least"] > a["kl"]["most"]
            and c["reconstruction"]["most"] < a["reconstruction"]["least"]
        ),
    ),
    "the KL term falls to next to nothing, and all decodings are alike": (
        "collapse",
        lambda a, b: a["kl"]["most"] < 0.05 and a["variety"]["most"] < 0.01,
    ),
    "With the sum the codes come back.": ("collapse", lambda a, b: b["kl"]["least"] > 1),
    "The autoencoder reconstructs better than the VAE.": (
        "holes",
        lambda a, b: b["reconstruction"]["median"] < a["reconstruction"]["median"],
    ),
    "more than a quarter of its digits lie where the prior hardly ever draws": (
        "holes",
        lambda a, b: b["outside"]["least"] > 0.25 and a["outside"]["most"] < 0.05,
    ),
    "what it draws from the prior is farther from any digit": (
        "holes",
        lambda a, b: b["odd"]["median"] > 1.05 * a["odd"]["median"],
    ),
    "more of the room between its own codes is empty": (
        "holes",
        lambda a, b: b["empty"]["median"] > 1.4 * a["empty"]["median"],
    ),
    "Without noise and KL term less than a third of the blur goes.": (
        "blur",
        lambda a, b, c: (
            a["grey"]["median"] - b["grey"]["median"]
            < (a["grey"]["median"] - a["greyOfDigits"]["median"]) / 3
        ),
    ),
    "A higher beta makes more digits share a place, and blurs more.": (
        "blur",
        lambda a, b, c: c["grey"]["least"] > a["grey"]["most"],
    ),
    "The KL term grows beyond a million nats.": ("sign", lambda a, b: b["kl"]["least"] > 1e6),
    "reconstruction is worse. A falling loss is no proof of learning": (
        "sign",
        lambda a, b: b["reconstruction"]["least"] > a["reconstruction"]["most"] + 5,
    ),
}


@pytest.mark.parametrize("sentence", SENTENCES)
def test_what_the_page_says_is_what_all_seeds_gave(sentence):
    assert sentence in PROSE
    name, holds = SENTENCES[sentence]
    assert holds(*REPORT["experiments"][name]["stages"])


def test_every_claim_held_for_every_seed():
    assert REPORT["seeds"] == SEEDS
    for name, one in REPORT["experiments"].items():
        assert set(one["claims held"].values()) == {SEEDS}, name
    assert f"was run for {SEEDS} seeds, and every comparison below held for each" in PROSE


def test_the_stored_experiments_are_those_of_the_script():
    script = (STATIC / "live" / "experiments.js").read_text(encoding="utf-8")
    assert re.findall(r'^ +id: "(\w+)"', script, re.MULTILINE) == list(REPORT["experiments"])
    for one in REPORT["experiments"].values():
        for claim in one["claims held"]:
            assert f'"{claim}":' in script
        for stage in one["stages"]:
            name = stage["name"].replace("\u03b2", r"\u03b2").replace("\u00bc", r"\u00bc")
            assert re.search(rf'(?:fresh|on)\((?:tr\()?"{re.escape(name)}"', script), stage["name"]


def test_the_table_is_the_stored_result():
    assert playground.table(REPORT) in PAGE


def test_the_digits_are_what_the_tool_writes():
    text = (STATIC / "web" / "small-digits.js").read_text(encoding="utf-8")
    made = make_playground.small_digits(datasets.load("mnist-5k"))
    assert text == make_playground.script_of("small-digits", made, "make_playground")
    counts = np.bincount(made["labels"], minlength=10)
    assert len(made["labels"]) == make_playground.SHOWN and counts.min() > 50
    assert "3,000 digits of 14" in PAGE and make_playground.TRAINED == 3000


def test_a_small_image_has_the_grey_of_the_large_one():
    large = np.zeros((2, 28, 28, 1), np.float32)
    large[0, 4:6, 8:10] = 1
    large[1] = 0.6
    small = make_playground.small_images(large)
    assert small[0].reshape(14, 14)[2, 4] == 15 and small[0].sum() == 15
    assert (small[1] == 9).all()


def test_scripts_of_the_page_are_small():
    page = re.findall(r'src="../(_static/live/\w+\.js)"', PAGE)
    everywhere = ["_static/book.js", "_static/search/open.js"]
    assert len(page) == 4
    sizes = [(ROOT / "book" / name).stat().st_size for name in (*page, *everywhere)]
    assert sum(sizes) <= 65_000
