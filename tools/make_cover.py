"""Draw the search on the landing page: pixels and a VAE, as the queries are and moved to the side.

Writes the figure and its pictures, book/images/cover.html and book/_static/web/cover.png, and
book/images/results.png for the README and for print; from the bundled digits and "mnist-view-vae".
"""

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle
from PIL import Image

from vae_tutorial import datasets, metrics, plotting
from vae_tutorial.baselines import Pixels
from vae_tutorial.features import Upright
from vae_tutorial.models import pretrained
from vae_tutorial.retrieval import ImageIndex

FOLDER = Path(__file__).resolve().parent.parent / "book"
SHIFT, K, N_QUERIES = 3, 5, 4
STATES = ("still", "moved")
METHODS = {"pixels": "by pixels", "VAE": "by the VAE"}
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def searched() -> tuple[dict, dict, dict]:
    """Return, by state, the queries; and by method and state, the results and which are right."""
    digits = datasets.load("mnist-5k")
    still = digits.query_images
    moved = np.zeros_like(still)
    moved[:, :, SHIFT:] = still[:, :, :-SHIFT]
    asked = dict(zip(STATES, (still, moved), strict=True))
    encoders = {"pixels": Pixels(), "VAE": pretrained("mnist-view-vae"), "upright": None}
    encoders["upright"] = Upright(Pixels())
    found, right = {}, {}
    for name, encoder in encoders.items():
        if name != "VAE":
            encoder.fit(digits.gallery_images)
        index = ImageIndex(encoder, metric="cosine" if name == "VAE" else "euclidean")
        index.add(digits.gallery_images)
        for state, queries in asked.items():
            _, places = index.search(queries, k=K)
            found[name, state] = digits.gallery_images[places]
            right[name, state] = metrics.relevance(
                digits.query_labels, digits.gallery_labels, places
            )
    return asked, found, right


def choose_rows(right: dict, labels: np.ndarray) -> list[int]:
    """Return queries of different digits that show what a shift does, the first of each kind.

    Before it all results of both methods are right; after it the VAE's still are, and at most one
    of the pixels'.
    """
    hits = {key: each.sum(axis=1) for key, each in right.items()}
    good = (hits["pixels", "still"] == K) & (hits["VAE", "still"] == K)
    good &= (hits["pixels", "moved"] <= 1) & (hits["VAE", "moved"] == K)
    firsts = [np.flatnonzero(good & (labels == digit))[:1] for digit in range(10)]
    return sorted(np.concatenate(firsts))[:N_QUERIES]


def sprite(asked: dict, found: dict, rows: list[int]) -> np.ndarray:
    """Return all pictures of the figure as one: a row for each state and query."""
    lines = []
    for state in STATES:
        for row in rows:
            line = [asked[state][row], *(i for name in METHODS for i in found[name, state][row])]
            lines.append(np.hstack(line))
    return (np.vstack(lines)[..., 0] * 255).round().astype(np.uint8)


def shares(right: dict) -> dict[tuple[str, str], str]:
    return {key: f"{100 * each.mean():.0f}" for key, each in right.items()}


def fragment(right: dict, rows: list[int], labels: np.ndarray) -> str:
    """Return the figure as HTML; it needs no script: a checkbox shows one of two states."""
    share = shares(right)
    words = {
        state: f"Over all {len(labels)} queries, {share['pixels', state]} % of the first {K} "
        f"results by pixels show the right digit, and {share['VAE', state]} % of those by the VAE."
        for state in STATES
    }
    words["moved"] += (
        f" By pixels of digits that were first set upright by hand: {share['upright', 'moved']} %."
    )
    parts = [
        '<div class="cover" role="group" aria-label="A search for four digits, by two methods">',
        '<input type="checkbox" role="switch" id="cover-moved">',
        f'<label for="cover-moved">Move every query {SHIFT} pixels to the right</label>',
    ]
    for s, state in enumerate(STATES):
        parts.append(f'<div class="cover-{state}">')
        titles = "".join(f"<span>{title}</span>" for title in ("query", *METHODS.values()))
        parts.append(f'<p class="cover-head" aria-hidden="true">{titles}</p>')
        for r, row in enumerate(rows):
            parts.append(line(right, state, s * len(rows) + r, row, DIGITS[labels[row]]))
        parts.append(f"<p>{words[state]}</p></div>")
    return "\n".join([*parts, "</div>"]) + "\n"


def line(right: dict, state: str, place: int, row: int, digit: str) -> str:
    """Return one query and its results by each method, as places in the sprite."""

    def tile(column: int, kind: str) -> str:
        return f'<i class="{kind}" style="--column:{column};--row:{place}"></i>'

    groups = [(f"query: a {digit}", [tile(0, "cover-query")])]
    for m, (name, title) in enumerate(METHODS.items()):
        marks = right[name, state][row]
        tiles = [
            tile(1 + m * K + rank, "cover-right" if mark else "cover-wrong")
            for rank, mark in enumerate(marks)
        ]
        groups.append((f"{title}: {marks.sum()} of {K} show a {digit}", tiles))
    spans = [
        f'<span role="img" aria-label="{label}">{"".join(tiles)}</span>' for label, tiles in groups
    ]
    return f'<p class="cover-row">{"".join(spans)}</p>'


def picture(asked: dict, found: dict, right: dict, rows: list[int]) -> plt.Figure:
    """Return the moved queries and their results, for where no switch can be pressed."""
    figure, axes = plt.subplots(
        len(rows),
        2 * K + 3,
        figsize=(8, 0.72 * len(rows) + 0.3),
        gridspec_kw={"width_ratios": [1, 0.3, *[1] * K, 0.3, *[1] * K]},
        layout="constrained",
    )
    for axis in axes.ravel():
        axis.axis("off")
    for axes_of_row, row in zip(axes, rows, strict=True):
        framed(axes_of_row[0], asked["moved"][row], None)
        for m, name in enumerate(METHODS):
            for rank in range(K):
                axis = axes_of_row[2 + m * (K + 1) + rank]
                mark = right[name, "moved"][row, rank]
                framed(axis, found[name, "moved"][row, rank], mark)
    for column, title in zip(
        (0, 2 + K // 2, 3 + K + K // 2), ("query", *METHODS.values()), strict=True
    ):
        axes[0, column].set_title(title, fontsize=11)
    return figure


def framed(axis, image: np.ndarray, mark: bool | None) -> None:
    axis.imshow(image[..., 0], cmap="gray", vmin=0, vmax=1)
    if mark is not None:
        look = (plotting.GREEN, "-") if mark else (plotting.VERMILLION, "--")
        frame = {"edgecolor": look[0], "linestyle": look[1], "linewidth": 3, "fill": False}
        axis.add_patch(Rectangle((-0.5, -0.5), *image.shape[1::-1], clip_on=False, **frame))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=FOLDER, help="folder of the three files")
    folder = parser.parse_args().output
    images, web = folder / "images", folder / "_static" / "web"
    for each in (images, web):
        each.mkdir(parents=True, exist_ok=True)
    labels = datasets.load("mnist-5k").query_labels
    asked, found, right = searched()
    rows = choose_rows(right, labels)
    Image.fromarray(sprite(asked, found, rows)).save(web / "cover.png", optimize=True)
    (images / "cover.html").write_text(fragment(right, rows, labels), encoding="utf-8")
    plotting.use_book_style()
    figure = picture(asked, found, right, rows)
    figure.savefig(images / "results.png", metadata={"Software": None})
    for (name, state), share in shares(right).items():
        print(f"{name}, {state}: {share} % of the first {K} results are right")
    print(f"queries {', '.join(map(str, rows))}; wrote cover.html, cover.png, results.png")


if __name__ == "__main__":
    main()
