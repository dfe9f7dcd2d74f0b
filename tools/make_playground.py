"""Write what the playground needs: small digits, and the picture for where scripts are off.

    python tools/make_playground.py

The digits are those of the bundled sample, in 14 x 14 pixels of sixteen levels, two in a byte. The
picture shows what the page's own scripts do, so it needs Chromium and the extra `site`.
"""

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import which

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from make_web import DIGITS, FOLDER, packed, save_picture, script_of
from matplotlib.patheffects import withStroke

from vae_tutorial import datasets, plotting

TRAINED, SHOWN = 3000, 1000  # digits to train on; digits that the page shows and scores
HALO = withStroke(linewidth=3, foreground="white")  # numerals are read on dots
EPOCHS = (0, 2, 20)  # when the picture is taken
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SCRIPTS = ("live/live.js", "live/vae.js", "live/experiments.js", "web/small-digits.js")
# What the scripts need before they are asked anything, without the page.
START = """async () => {
  const { trained, packed } = bookLive.data["small-digits"];
  const all = bookLive.vae.unpacked(await bookLive.unpack(packed));
  const cut = trained * bookLive.vae.PIXELS;
  window.digits = { train: all.subarray(0, cut), shown: all.subarray(cut) };
}"""
LOOK = """moments => {
  const { START, PRIOR } = bookLive.experiments;
  const trainer = bookLive.vae.trainer(digits.train, START, bookLive.random(1));
  return moments.map(epochs => {
    while (trainer.epochs() < epochs) trainer.step();
    return {
      codes: [...bookLive.vae.encode(trainer.model, digits.shown)],
      drawn: [...bookLive.vae.decode(trainer.model, PRIOR)],
    };
  });
}"""


def small_images(images: np.ndarray) -> np.ndarray:
    """Return (n, 196) levels from 0 to 15: each the mean of four pixels."""
    blocks = images.reshape(-1, 14, 2, 14, 2).mean(axis=(2, 4))
    return np.round(15 * blocks).astype(np.uint8).reshape(-1, 196)


def small_digits(digits) -> dict:
    """Return the digits to train on, then those to show, with the labels of the latter."""
    levels = small_images(digits.gallery_images[: TRAINED + SHOWN])
    return {
        "trained": TRAINED,
        "labels": digits.gallery_labels[TRAINED : TRAINED + SHOWN].tolist(),
        "packed": packed(levels[:, ::2] << 4 | levels[:, 1::2]),
    }


@contextmanager
def scripts_in_a_browser() -> Iterator:
    """Open an empty page with the playground's network, experiments and digits."""
    from playwright.sync_api import sync_playwright

    program = next(filter(None, map(which, BROWSERS)), None)
    tags = "".join(f'<script src="{(FOLDER.parent / name).as_uri()}"></script>' for name in SCRIPTS)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        blank = Path(folder) / "blank.html"
        blank.write_text(f"<!doctype html><meta charset=utf-8>{tags}", encoding="utf-8")
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(blank.as_uri())
        page.evaluate(START)
        yield page
        browser.close()


def draw_playground(looks: list[dict], labels: np.ndarray):
    """The latent map and a hundred draws from the prior, moment after moment."""
    figure, axes = plt.subplots(2, len(looks), figsize=(7.5, 5.3))
    for (plane, drawn), look, epochs in zip(axes.T, looks, EPOCHS, strict=True):
        means = np.reshape(look["codes"], (-1, 4))[:, :2]
        for radius in (1, 2, 3):
            plane.add_patch(plt.Circle((0, 0), radius, fill=False, color="0.6", linestyle=":"))
        plane.scatter(*means.T, s=1.5, c=np.array(DIGITS)[labels], rasterized=True)
        for digit in range(10) if epochs else ():
            middle = np.median(means[labels == digit], axis=0)
            text = plane.text(*middle, digit, color=DIGITS[digit], weight="bold", fontsize=11)
            text.set(ha="center", va="center")
            text.set_path_effects([HALO])
        plane.set(xlim=(-3.5, 3.5), ylim=(-3.5, 3.5), aspect="equal", xticks=[], yticks=[])
        plane.grid(visible=False)
        plane.set(title=f"after {epochs} epochs" if epochs else "before training")
        tiles = np.zeros((10, 15, 10, 15))
        levels = np.reshape(look["drawn"], (10, 10, 14, 14))
        tiles[:, :14, :, :14] = levels.transpose(0, 2, 1, 3)
        sheet = tiles.reshape(150, 150)[:-1, :-1]
        drawn.imshow(sheet, vmin=0, vmax=1, interpolation="nearest")
        drawn.set(xticks=[], yticks=[])
        drawn.grid(visible=False)
        for edge in plane.spines.values():
            edge.set(visible=True, color="0.6")
    axes[0, 0].set_ylabel("the latent map")
    axes[1, 0].set_ylabel("drawn from the prior")
    return figure


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, default=FOLDER, help="folder to write to")
    parser.add_argument("--no-picture", action="store_true", help="write the data alone")
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    digits = small_digits(datasets.load("mnist-5k"))
    text = script_of("small-digits", digits, "make_playground")
    (arguments.output / "small-digits.js").write_text(text, encoding="utf-8")
    print(f"small-digits.js: {len(text):,} bytes")
    if arguments.no_picture:
        return
    with scripts_in_a_browser() as page:
        looks = page.evaluate(LOOK, list(EPOCHS))
    plotting.use_book_style()
    figure = draw_playground(looks, np.array(digits["labels"]))
    save_picture(figure, arguments.output / "playground.png")
    print("playground.png")


if __name__ == "__main__":
    main()
