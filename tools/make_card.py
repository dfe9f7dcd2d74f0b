"""Draw the picture that other sites show beside a link to the book: real results and the title.

Writes book/_static/social-card.png, 1200 by 630 pixels. Takes some seconds; trains nothing, because
the results are those of the bundled model "mnist-view-vae".
"""

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle

from vae_tutorial import datasets, metrics, plotting
from vae_tutorial.models import pretrained
from vae_tutorial.retrieval import ImageIndex

ROOT = Path(__file__).resolve().parent.parent
WIDTH, HEIGHT = 1200, 630
# The accent of book.css on white, and the ink of the text.
ACCENT, INK = "#0069a6", "#1f2933"
TITLE = "Image Retrieval\nwith Variational\nAutoencoders"
BELOW = "A book that runs: every result\nis computed, compared and tested."
N_RESULTS = 4
# Pixels: the side of a picture, the gap between two, the first picture's left and top.
SIDE, GAP, LEFT, TOP = 108, 14, 554, 78


def results() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return four queries, their nearest images, and which of those show the same digit."""
    digits = datasets.load("mnist-5k")
    index = ImageIndex(pretrained("mnist-view-vae"), metric="cosine")
    index.add(digits.gallery_images)
    _, indices = index.search(digits.query_images, k=5)
    correct = metrics.relevance(digits.query_labels, digits.gallery_labels, indices)
    rows = choose_rows(correct, digits.query_labels)
    found = digits.gallery_images[indices[rows]]
    return digits.query_images[rows], found[:, :N_RESULTS], correct[rows, :N_RESULTS]


def choose_rows(correct: np.ndarray, labels: np.ndarray) -> list[int]:
    """Two queries answered without error and two that are not, all of different digits."""
    hits = correct.sum(axis=1)
    rows: list[int] = []
    for wanted in (hits == 5, hits == 5, hits == 3, hits == 2):
        seen = labels[rows]
        rows.append(int(np.flatnonzero(wanted & ~np.isin(labels, seen))[0]))
    return rows


def draw(queries: np.ndarray, found: np.ndarray, correct: np.ndarray) -> plt.Figure:
    figure = plt.figure(figsize=(WIDTH / 100, HEIGHT / 100), dpi=100, facecolor="white")
    canvas = figure.add_axes((0, 0, 1, 1), xlim=(0, WIDTH), ylim=(HEIGHT, 0))
    canvas.axis("off")
    canvas.add_patch(Rectangle((0, 0), 18, HEIGHT, color=ACCENT))
    canvas.text(70, 120, TITLE, color=INK, size=34, weight="bold", va="top", linespacing=1.25)
    canvas.add_patch(Rectangle((72, 368), 110, 6, color=ACCENT))
    canvas.text(70, 410, BELOW, color=INK, size=17, va="top", linespacing=1.5)
    for row, query in enumerate(queries):
        put(canvas, query, row, 0, INK)
        for rank in range(N_RESULTS):
            colour = plotting.GREEN if correct[row, rank] else plotting.VERMILLION
            put(canvas, found[row, rank], row, rank + 1, colour)
    return figure


def put(canvas, image: np.ndarray, row: int, column: int, frame: str) -> None:
    """Draw one picture in its frame; the query stands apart from its results."""
    left = LEFT + column * (SIDE + GAP) - (24 if column == 0 else 0)
    top = TOP + row * (SIDE + GAP)
    extent = (left, left + SIDE, top + SIDE, top)
    canvas.imshow(image.squeeze(), cmap="gray", vmin=0, vmax=1, extent=extent, aspect="auto")
    canvas.add_patch(Rectangle((left, top), SIDE, SIDE, fill=False, edgecolor=frame, linewidth=4))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=ROOT / "book/_static/social-card.png")
    output = parser.parse_args().output
    output.parent.mkdir(parents=True, exist_ok=True)
    figure = draw(*results())
    figure.savefig(output, metadata={"Software": None})
    print(f"wrote {output.name}: {output.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
