"""Queries that belong nowhere: letters, scribbles and noise, drawn here as 28 x 28 images."""

from itertools import pairwise
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

SIZE, FINE = 28, 4  # drawn four times as large, then made small, which smooths the edges
FONTS = ("DejaVuSans", "DejaVuSans-Bold", "DejaVuSerif", "DejaVuSansMono", "DejaVuSerif-Italic")
# Capitals that nobody would read as a digit.
LETTERS = "ACEFHKMNPRTVWXY"


def small(picture: Image.Image) -> np.ndarray:
    """Return a large grey picture as (28, 28, 1), float32 in [0, 1]."""
    reduced = picture.resize((SIZE, SIZE), Image.Resampling.BOX)
    return np.asarray(reduced, np.float32)[..., np.newaxis] / 255


def letters(n: int, seed: int = 0) -> np.ndarray:
    """Return capitals in several fonts, slightly turned, of the size of digits in MNIST."""
    rng = np.random.default_rng(seed)
    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    fonts = [ImageFont.truetype(str(folder / f"{name}.ttf"), 21 * FINE) for name in FONTS]
    drawn = []
    for _ in range(n):
        picture = Image.new("L", (SIZE * FINE, SIZE * FINE))
        middle = tuple(SIZE * FINE / 2 + FINE * rng.uniform(-1, 1, size=2))
        font, letter = fonts[rng.integers(len(fonts))], LETTERS[rng.integers(len(LETTERS))]
        ImageDraw.Draw(picture).text(middle, letter, fill=255, font=font, anchor="mm")
        drawn.append(small(picture.rotate(rng.uniform(-15, 15), Image.Resampling.BILINEAR)))
    return np.stack(drawn)


def scribbles(n: int, seed: int = 0) -> np.ndarray:
    """Return one or two smooth random strokes each, as thick as those of digits."""
    rng = np.random.default_rng(seed)
    t = np.linspace(0, 1, 60)[:, np.newaxis]
    drawn = []
    for _ in range(n):
        picture = Image.new("L", (SIZE * FINE, SIZE * FINE))
        pen = ImageDraw.Draw(picture)
        for _ in range(rng.integers(1, 3)):
            points = rng.uniform(4, 24, size=(6, 2)) * FINE
            curve = bezier(points, t)
            pen.line([tuple(p) for p in curve], fill=255, width=int(rng.uniform(2, 3.5) * FINE))
        drawn.append(small(picture))
    return np.stack(drawn)


def bezier(points: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Return a Bézier curve at ``t``, by de Casteljau's construction."""
    rows = [np.broadcast_to(point, (len(t), 2)) for point in points]
    while len(rows) > 1:
        rows = [(1 - t) * one + t * other for one, other in pairwise(rows)]
    return rows[0]


def noise(n: int, seed: int = 0) -> np.ndarray:
    """Return pixels drawn uniformly and independently."""
    return np.random.default_rng(seed).random((n, SIZE, SIZE, 1), dtype=np.float32)
