"""Measure what becomes of a digit that is drawn small, in a corner of the page's drawing pad.

Held-out digits are thinned to lines and drawn again with the pad's pen, in several sizes, in its
upper left corner. Three ways lead from the pad to a query of 28 x 28 pixels: the strokes are scaled
to the size of MNIST's digits and the pen keeps its width, as on the page; or the picture is scaled,
pen and all; or nothing is prepared. Nothing is trained. Writes results/drawn.json.
"""

import argparse
import platform
from collections.abc import Callable
from pathlib import Path

import numpy as np
from measuring import rounded, versions, write_report
from PIL import Image, ImageDraw

from vae_tutorial import datasets
from vae_tutorial.baselines import Pixels
from vae_tutorial.features import Upright
from vae_tutorial.models import pretrained
from vae_tutorial.retrieval import ImageIndex

RESULTS = Path(__file__).parent / "results" / "drawn.json"
ENCODER = "mnist-dense-view-vae"
SIDE, PAD, PEN, BOX, MOST = 28, 280, 24, 200, 4  # as draw.js has them
FINE = 4  # digits are enlarged so much before they are thinned
SIZES = (1.0, 0.5, 0.3)  # 1: as large as MNIST's digits on a pad ten times their size


def thinned(shapes: np.ndarray) -> np.ndarray:
    """Return boolean shapes, (n, height, width), worn down to lines of one pixel.

    Source: Zhang and Suen (1984).
    """
    image = np.pad(shapes, ((0, 0), (1, 1), (1, 1)))
    ring = ((1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1))
    while True:
        before = image
        for spared in ((2, 4), (0, 6)):
            around = [np.roll(image, step, axis=(1, 2)) for step in ring]
            count = np.sum(around, axis=0)
            turns = sum(~around[i] & around[(i + 1) % 8] for i in range(8))
            # A corner or an edge: of the four sides, one of two is free, or both of the others are.
            first, second = (around[i] for i in spared)
            third, fourth = (around[i] for i in {0, 2, 4, 6} - set(spared))
            edge = ~(first & second & third) & ~(first & second & fourth)
            image = image & ~((count >= 2) & (count <= 6) & (turns == 1) & edge)
        if np.array_equal(image, before):
            return image[:, 1:-1, 1:-1]


def lines(images: np.ndarray) -> list[np.ndarray]:
    """Return the points of each digit's lines, (points, 2): x and y in units of its pixels."""
    size = (FINE * SIDE, FINE * SIDE)
    levels = [Image.fromarray(np.round(255 * image[..., 0]).astype(np.uint8)) for image in images]
    fine = np.stack([np.asarray(level.resize(size, Image.Resampling.BICUBIC)) for level in levels])
    return [np.argwhere(line)[:, ::-1] / FINE for line in thinned(fine > 110)]


def on_the_pad(points: np.ndarray, size: float) -> np.ndarray:
    """Return the points in the pad's corner, at whole pixels, where a mouse would be."""
    points = (points - points.min(axis=0)) * size * PAD / SIDE
    return np.round(points) + PEN / 2


def ink(points: np.ndarray) -> np.ndarray:
    """Return the pad with a mark of the pen at each point, (280, 280) in [0, 1]."""
    picture = Image.new("L", (PAD, PAD))
    pen = ImageDraw.Draw(picture)
    for x, y in points:
        pen.ellipse([x - PEN / 2, y - PEN / 2, x + PEN / 2, y + PEN / 2], fill=255)
    return np.asarray(picture) / 255


def shrunk(pad: np.ndarray, scale: float = SIDE / PAD) -> np.ndarray:
    """Return ink brought to pixels, its centre of mass at pixel (14, 14), as draw.js does it."""
    rows, columns = np.nonzero(pad)
    level = pad[rows, columns]
    y, x = (rows - rows.min() + 0.5) * scale, (columns - columns.min() + 0.5) * scale
    down, right = (14 - int(np.round(np.average(at, weights=level) - 0.5)) for at in (y, x))
    at = np.stack([np.floor(y).astype(int) + down, np.floor(x).astype(int) + right])
    inside = ((at >= 0) & (at < SIDE)).all(axis=0)
    small = np.zeros((SIDE, SIDE))
    np.add.at(small, tuple(at[:, inside]), level[inside] * scale**2)
    return small.clip(0, 1)


def strokes_scaled(points: np.ndarray) -> np.ndarray:
    """The page's way: the lines grow or shrink, the pen does not."""
    low, high = points.min(axis=0), points.max(axis=0)
    scale = min((BOX - PEN) / (high - low).max(), MOST)
    return shrunk(ink((points - (low + high) / 2) * scale + PAD / 2))


def picture_scaled(points: np.ndarray) -> np.ndarray:
    """The box around the ink becomes 20 pixels long, so that small drawings grow fat."""
    pad = ink(points)
    longest = max(np.ptp(np.nonzero(pad), axis=1)) + 1
    return shrunk(pad, 20 / longest)


def unprepared(points: np.ndarray) -> np.ndarray:
    """The pad as it is, seen at 28 x 28 pixels."""
    return ink(points).reshape(SIDE, PAD // SIDE, SIDE, PAD // SIDE).mean(axis=(1, 3))


WAYS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "strokes scaled": strokes_scaled,
    "picture scaled": picture_scaled,
    "nothing prepared": unprepared,
}


def indexes(digits) -> dict[str, ImageIndex]:
    """Return what is compared, with the gallery inside."""
    view, gallery = pretrained(ENCODER), digits.gallery_images
    found = {
        "pixels": ImageIndex(Pixels().fit(gallery)),
        "pixels, upright": ImageIndex(Upright(Pixels()).fit(gallery)),
        "view-trained VAE": ImageIndex(view, metric="cosine"),
        "view-trained VAE, upright": ImageIndex(Upright(view), metric="cosine"),
    }
    for index in found.values():
        index.add(gallery)
    return found


def measure(step: int) -> list[dict]:
    """Return for each way and size how many of the ten nearest show the query's digit."""
    digits = datasets.load("mnist-5k")
    queries, labels = digits.query_images[::step], digits.query_labels[::step]
    searched = indexes(digits)

    def right(images) -> dict:
        found = {name: index.search(images, k=10)[1] for name, index in searched.items()}
        return {
            name: rounded(10 * (digits.gallery_labels[places] == labels[:, None]).mean())
            for name, places in found.items()
        }

    rows = [{"way": "the held-out images", "right of 10": right(queries)}]
    drawn = lines(queries)
    for size in SIZES:
        pads = [on_the_pad(points, size) for points in drawn]
        for way, prepare in WAYS.items():
            images = np.stack([prepare(points) for points in pads])[..., np.newaxis]
            found = right(images.astype(np.float32))
            rows.append({"way": way, "size": size, "right of 10": found})
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="a tenth of the queries: a trial")
    parser.add_argument("--output", type=Path, default=RESULTS, help="where the JSON file goes")
    arguments = parser.parse_args()
    rows = measure(10 if arguments.quick else 1)
    for row in rows:
        numbers = ", ".join(f"{name} {value:.1f}" for name, value in row["right of 10"].items())
        print(f"{row['way']}, size {row.get('size', 1)}: {numbers}")
    report = {
        "command": "python benchmarks/drawn.py",
        "protocol": "the 500 queries of mnist-5k, thinned to lines and drawn again with the page's "
        "pen in a corner of its pad, of 280 x 280; size 1 is ten times MNIST's; gallery of 4,500; "
        "how many of the ten nearest show the query's digit, on average",
        "python": platform.python_version(),
        "versions": versions("keras", "numpy", "pillow", "tensorflow"),
        "rows": rows,
    }
    write_report(arguments.output, report)


if __name__ == "__main__":
    main()
