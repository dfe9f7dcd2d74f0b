"""The files of the interactive figures: made by their tool from what Python has, and small."""

import base64
import json
import re
import zlib
from pathlib import Path

import drawn
import make_web
import nbformat
import numpy as np
import pytest

from vae_tutorial import datasets, metrics
from vae_tutorial.baselines import Pixels
from vae_tutorial.models import pretrained
from vae_tutorial.retrieval import ImageIndex

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[1]
STATIC = ROOT / "book" / "_static"
FIGURES = {"latent": "training.ipynb", "elbo": "elbo.ipynb", "draw": "draw.md"}
FIGURES |= {"ranking": "background.ipynb", "gradients": "elbo.ipynb"}
FIGURES |= {"beta": "training.ipynb", "map": "retrieval.ipynb", "playground": "playground.md"}
SHARED = {"live", "vae", "experiments"}  # what figures load besides their own script
DATA = ("digit-decoder", "digit-points", "digit-encoder", "digit-gallery", "small-ranking")
# Made by tools of their own, with tests of their own.
ELSEWHERE = {"beta-models", "digit-map", "journey", "small-digits"}


def unpack(text: str) -> bytes:
    return zlib.decompress(base64.b64decode(text))


def halves(octets: bytes) -> np.ndarray:
    return np.frombuffer(octets, np.uint8).reshape(2, -1).T.copy().view("<f2").ravel()


def stored(name: str) -> dict:
    text = (STATIC / "web" / f"{name}.js").read_text(encoding="utf-8")
    head, value = re.fullmatch(r"(.*?= )(\{.*\});\n", text, re.DOTALL).groups()
    assert head == make_web.script_of(name, {}).partition("{}")[0]
    return json.loads(value)


@pytest.fixture(scope="module")
def fresh() -> dict[str, dict]:
    models = pretrained(make_web.PLANE), pretrained(make_web.ENCODER)
    return make_web.data_of(*models, datasets.load("mnist-5k"))


@pytest.mark.parametrize("name", DATA)
def test_the_data_are_what_the_tool_writes(fresh, name):
    made, kept = dict(fresh[name]), stored(name)
    ours, theirs = (unpack(value.pop("packed")) for value in (made, kept))
    if name == "digit-points":  # encoded here, so another processor rounds differently
        np.testing.assert_allclose(halves(ours), halves(theirs), atol=4e-3)
        np.testing.assert_allclose(made.pop("start"), kept.pop("start"), atol=0.11)
    else:
        assert ours == theirs
    if name == "digit-gallery":
        assert made.pop("far") == pytest.approx(kept.pop("far"), abs=2e-3)  # of both methods
    assert made == kept


def test_the_page_has_the_weights_of_the_model():
    vae = pretrained(make_web.PLANE)
    weights = [w.ravel() for w in vae.decoder.get_weights()]
    assert np.array_equal(
        halves(unpack(stored("digit-decoder")["packed"])), np.concatenate(weights)
    )


def test_weights_that_are_not_halves_are_refused():
    class Layer:
        def get_weights(self):
            return [np.array([[0.1]], np.float32), np.zeros(1, np.float32)]

    with pytest.raises(ValueError, match="not 16-bit floats"):
        make_web.network([Layer()])


def test_files_are_small_and_name_no_other_host():
    scripts = [*(STATIC / "live").glob("*.js")]
    # The bet of chapter 5 is no figure.
    assert {path.stem for path in scripts} == {"bet", "journey", *SHARED, *FIGURES}
    for path in scripts:
        addresses = re.findall(r"https?://[^\"'`]+", path.read_text(encoding="utf-8"))
        assert set(addresses) <= {"http://www.w3.org/2000/svg"}, path.name
    sizes = {path.name: path.stat().st_size for path in (STATIC / "web").iterdir()}
    assert {name for name in sizes if name.endswith(".js")} == {
        f"{name}.js" for name in {*DATA, *ELSEWHERE}
    }
    assert max(sizes.values()) <= 4 * 2**20
    assert sizes["digit-decoder.js"] + sizes["digit-points.js"] <= 400_000
    assert sizes["digit-encoder.js"] + sizes["digit-gallery.js"] <= 1_500_000


@pytest.mark.parametrize("figure", FIGURES)
def test_a_page_has_the_picture_the_words_and_the_script(figure):
    path = ROOT / "book" / FIGURES[figure]
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        text = "\n\n".join(cell.source for cell in nbformat.reads(text, 4).cells)
    script = (STATIC / "live" / f"{figure}.js").read_text(encoding="utf-8")
    name = re.search(r'bookLive\.figure\(\s*"([\w-]+)"', script)[1]
    picture, alt = re.search(rf"\{{figure\}} (\S+)\n:name: {name}\n:alt: (.+)\n", text).groups()
    assert (ROOT / "book" / picture).is_file() and len(alt) > 60
    assert f'<script src="../_static/live/{figure}.js" defer>' in text
    assert "<noscript>" in text


def test_the_examples_behave_as_the_page_says():
    digits = datasets.load("mnist-5k")
    rows = make_web.example_rows(digits)
    still = digits.query_images[rows]
    shifted = np.zeros_like(still)
    shifted[:, :, 3:] = still[:, :, :-3]
    right = {}
    for name, encoder, metric in (
        ("pixels", Pixels().fit(digits.gallery_images), "euclidean"),
        ("vae", pretrained(make_web.ENCODER), "cosine"),
    ):
        index = ImageIndex(encoder, metric=metric)
        index.add(digits.gallery_images)
        for move, queries in (("still", still), ("shifted", shifted)):
            labels = digits.gallery_labels[index.search(queries, k=10)[1]]
            right[name, move] = (labels == np.arange(10)[:, None]).sum(axis=1)
    assert right["pixels", "still"][3] >= 9 and right["pixels", "shifted"][3] <= 2
    assert right["vae", "still"][3] >= 9 and right["vae", "shifted"][3] >= 9
    assert right["pixels", "shifted"][0] == 0 and right["pixels", "shifted"][7] >= 9
    assert right["pixels", "still"][1] == 10 and right["vae", "still"][1] <= 6


def test_the_page_says_of_small_drawings_what_was_measured():
    report = json.loads((ROOT / "benchmarks/results/drawn.json").read_text(encoding="utf-8"))
    rows = {(row["way"], row.get("size")): row["right of 10"] for row in report["rows"]}
    page = (ROOT / "book" / "draw.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| ([a-z][\w ,-]+?) ((?:\| \d\.\d ){4})\|$", page, re.MULTILINE)
    lines = {name: [float(n) for n in re.findall(r"[\d.]+", numbers)] for name, numbers in told}
    expected = {
        "the held-out images themselves": rows["the held-out images", None],
        "strokes scaled, as here": rows["strokes scaled", 0.3],
        "picture scaled, pen and all": rows["picture scaled", 0.3],
        "nothing prepared": rows["nothing prepared", 0.3],
    }
    assert lines == {name: [round(n, 1) for n in row.values()] for name, row in expected.items()}
    whole = rows["nothing prepared", 1.0]
    pixels, upright, vae = (
        f"{whole[name]:.1f}" for name in ("pixels", "pixels, upright", "view-trained VAE")
    )
    prose = " ".join(page.split())
    assert f"pixels find {pixels} and the VAE {vae} of 10" in prose
    assert f"pixels are back at {upright}" in prose
    sizes = [rows["strokes scaled", size] for size in (1.0, 0.5, 0.3)]
    for method in sizes[0]:  # "a small drawing in a corner is no harder than a large one"
        assert np.ptp([row[method] for row in sizes]) < 0.15, method


def test_a_drawing_is_measured_with_the_pen_of_the_page():
    script = (STATIC / "live" / "draw.js").read_text(encoding="utf-8")
    page = {name: int(n) for name, n in re.findall(r"const (WIDE|PEN|MOST) = (\d+);", script)}
    assert page == {"WIDE": drawn.PAD, "PEN": drawn.PEN, "MOST": drawn.MOST}


def test_the_bars_use_the_model_of_chapter_2():
    notebook = nbformat.read(ROOT / "book" / "elbo.ipynb", 4)
    source = next(c.source for c in notebook.cells if c.source.startswith("W = np.array"))
    names = {}
    exec("import numpy as np\n" + source.split("rng =")[0], names)
    chapter = {"w": names["W"][0, 0], "b": names["b"][0], "sigma": names["sigma_x"]}
    assert chapter == make_web.LINEAR
    script = (STATIC / "live" / "elbo.js").read_text(encoding="utf-8")
    page = re.search(r"MODEL = \{ w: ([\d.]+), b: ([\d.]+), sigma: ([\d.]+) \}", script).groups()
    assert dict(zip(chapter, map(float, page), strict=True)) == chapter


def test_the_clouds_use_the_model_and_the_image_of_chapter_2():
    notebook = nbformat.read(ROOT / "book" / "elbo.ipynb", 4)
    source = next(c.source for c in notebook.cells if c.source.startswith("W = np.array"))
    names = {}
    exec("import numpy as np\n" + source.split("precision =")[0], names)
    script = (STATIC / "live" / "gradients.js").read_text(encoding="utf-8")
    for name, chapters in (("W", "W"), ("b", "b"), ("x", "x"), ("sigma", "sigma_x")):
        np.testing.assert_allclose(make_web.IMAGE[name], names[chapters], atol=1e-6)
        kept = json.loads(re.search(rf"^    {name}: (.+?),\n", script, re.MULTILINE)[1])
        assert kept == make_web.IMAGE[name], name


def test_the_small_ranking_is_chapter_1s():
    notebook = nbformat.read(ROOT / "book" / "background.ipynb", 4)
    cell = next(c for c in notebook.cells if c.source.startswith("SMALL = 60"))
    printed = cell.outputs[0].text
    kept = stored("small-ranking")
    assert f"query shows a        {kept['digit']}\n" in printed
    assert f"rank 1-10 [{' '.join(map(str, kept['labels']))}]" in printed
    assert f"among all 60: {kept['relevant']}\n" in printed


def test_chapter_1_names_the_numbers_of_the_small_ranking():
    kept = stored("small-ranking")
    hits = np.array(kept["labels"]) == kept["digit"]

    def average_precision(order):
        return metrics.average_precision(hits[order][np.newaxis], [kept["relevant"]])[0]

    found, one, two = list(range(10)), [0, 2, 1, *range(3, 10)], [0, 2, 1, 3, 4, 5, 7, 6, 8, 9]
    first, second = np.diff([average_precision(order) for order in (found, one, two)])
    best = average_precision(np.argsort(~hits, kind="stable"))
    notebook = nbformat.read(ROOT / "book" / "background.ipynb", 4)
    text = next(c.source for c in notebook.cells if c.get("id") == "background-ranking")
    assert f"AP rises by {first:.3f}, and then by {second:.3f}:" in text
    assert f"AP is {best:.3f} and not 1" in text
    recall = hits.sum() / kept["relevant"]
    assert f"P@10 is {hits.mean():g} and recall@10 {recall:.3f} in all of them" in text


def test_numerals_have_the_same_colours_in_picture_and_page():
    style = (STATIC / "live" / "live.css").read_text(encoding="utf-8")
    light = re.search(r'html\[data-theme="light"\] \{(.*?)\}', style, re.DOTALL)[1]
    assert tuple(re.findall(r"--live-\d: (#[0-9a-f]{6});", light)) == make_web.DIGITS
