"""Write what the playground needs: small digits, and the picture for where scripts are off.

    python tools/make_playground.py

The digits are those of the bundled sample, in 14 x 14 pixels of sixteen levels, two in a byte.
"""

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import numpy as np
from make_web import FOLDER, packed, script_of

from vae_tutorial import datasets

TRAINED, SHOWN = 3000, 1000  # digits to train on; digits that the page shows and scores


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


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, default=FOLDER, help="folder to write to")
    parser.add_argument("--no-picture", action="store_true", help="write the data alone")
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    text = script_of("small-digits", small_digits(datasets.load("mnist-5k")), "make_playground")
    (arguments.output / "small-digits.js").write_text(text, encoding="utf-8")
    print(f"small-digits.js: {len(text):,} bytes")


if __name__ == "__main__":
    main()
