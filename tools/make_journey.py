"""Write the data and the still pictures of the page "A query's journey".

    python tools/make_journey.py

Everything is measured with the bundled images and models: one query, its 784 grey levels, the 32
means of the plain VAE, the gallery's descriptors in the two directions in which they spread most,
the ten nearest images, and the same once the query is moved. The stills stand on the page where
scripts are off, a picture a step.
"""

import argparse
from pathlib import Path
from types import SimpleNamespace

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from make_web import DIGITS, FOLDER, halves, packed, save_picture, script_of

from vae_tutorial import datasets, notebook, plotting, training
from vae_tutorial.baselines import Pixels
from vae_tutorial.models import pretrained
from vae_tutorial.retrieval import ImageIndex

# Of the queries whose ten are all right for all three methods, and for the view VAE when moved,
# this one loses to the move about as many as an average query does (test_journey.py).
QUERY = 246
SHIFT = 3  # pixels to the right
K = 10
WINDOW = (12, 12, 10)  # the part whose numbers are shown: first row, first column, cells a side
METHODS = {"pixels": "euclidean", "plain": "euclidean", "view": "cosine"}
NAMES = {"pixels": "by pixels", "plain": "by the plain VAE", "view": "by the view VAE"}


def moved(images: np.ndarray) -> np.ndarray:
    """Return images (n, height, width, 1) moved to the right; what leaves the frame is lost."""
    away = np.zeros_like(images)
    away[:, :, SHIFT:] = images[:, :, :-SHIFT]
    return away


def journey(digits) -> SimpleNamespace:
    """Return all that the page tells of the query."""
    encoders = {
        "pixels": Pixels().fit(digits.gallery_images),
        "plain": pretrained("mnist-vae"),
        "view": pretrained("mnist-view-vae"),
    }
    still, away = digits.query_images, moved(digits.query_images)
    found, right, mean, tenth, distance = {}, {}, {}, {}, {}
    for name, metric in METHODS.items():
        index = ImageIndex(encoders[name], metric=metric)
        index.add(digits.gallery_images)
        for kind, queries in (("still", still), ("moved", away)):
            distances, places = index.search(queries, k=K)
            hits = digits.gallery_labels[places] == digits.query_labels[:, np.newaxis]
            found[name, kind] = places[QUERY]
            right[name, kind] = int(hits[QUERY].sum())
            mean[name, kind] = round(float(hits.mean()), 3)
            if kind == "still":
                tenth[name] = float(distances[QUERY, -1])
    for name in ("pixels", "plain"):
        here, there = encoders[name].encode(np.stack([still[QUERY], away[QUERY]]))
        distance[name] = float(np.linalg.norm(here - there))
    gallery = encoders["plain"].encode(digits.gallery_images).astype(float)
    middle = gallery.mean(axis=0)
    _, scale, directions = np.linalg.svd(gallery - middle, full_matrices=False)
    both = encoders["plain"].encode(np.stack([still[QUERY], away[QUERY]]))
    view = training.RandomView(**notebook.read_results("study-mnist")["views"], seed=0)
    return SimpleNamespace(
        image=still[QUERY],
        away=away[QUERY],
        digit=int(digits.query_labels[QUERY]),
        means=both[0],
        cloud=(gallery - middle) @ directions[:2].T,
        places=(both - middle) @ directions[:2].T,
        share=float((scale[:2] ** 2).sum() / (scale**2).sum()),
        views=np.concatenate([view(still[QUERY : QUERY + 1]).numpy() for _ in range(6)]),
        found=found,
        right=right,
        mean=mean,
        tenth=tenth,
        distance=distance,
    )


def octets(images) -> np.ndarray:
    """Return images in [0, 1] as bytes."""
    return np.round(255 * np.asarray(images)).astype(np.uint8)


def data_of(tale: SimpleNamespace, digits) -> dict:
    """Return what the page reads: the image, its views and all that is found come as bytes."""
    kept = np.unique(np.concatenate(list(tale.found.values())))
    place = {int(row): i for i, row in enumerate(kept)}

    def by_name(values: dict) -> dict:
        return {name: {k: values[name, k] for k in ("still", "moved")} for name in METHODS}

    found = {key: [place[int(row)] for row in rows] for key, rows in tale.found.items()}
    images = [tale.image[np.newaxis], tale.views, digits.gallery_images[kept]]
    return {
        "digit": tale.digit,
        "shift": SHIFT,
        "window": list(WINDOW),
        "queries": len(digits.query_images),
        "gallery": len(digits.gallery_images),
        "means": [round(float(value), 2) for value in tale.means],
        "share": round(tale.share, 3),
        "places": np.round(tale.places, 3).tolist(),
        "found": by_name(found),
        "right": by_name(tale.right),
        "mean": by_name(tale.mean),
        "tenth": {name: round(value, 2) for name, value in tale.tenth.items()},
        "distance": {name: round(value, 2) for name, value in tale.distance.items()},
        "kept": kept.tolist(),
        "labels": packed(digits.gallery_labels.astype(np.uint8)),
        "cloud": packed(halves(tale.cloud)),
        "views": len(tale.views),
        "packed": packed(octets(np.concatenate(images))),
    }


# -- The stills ------------------------------------------------------------------------------------


def sheet(axis, image) -> None:
    """Show an image without ticks."""
    axis.imshow(np.asarray(image)[..., 0], vmin=0, vmax=1, interpolation="nearest")
    axis.set(xticks=[], yticks=[])
    axis.grid(visible=False)


def row_of_ten(axes, tale, digits, name: str, kind: str) -> None:
    """Show ten results: a solid frame where they are right, a dashed one where they are not."""
    for axis, place in zip(axes, tale.found[name, kind], strict=True):
        sheet(axis, digits.gallery_images[place])
        good = digits.gallery_labels[place] == tale.digit
        for edge in axis.spines.values():
            edge.set(visible=True, color=plotting.GREEN if good else plotting.VERMILLION)
            edge.set(linewidth=2, linestyle="-" if good else "--")
    title = f"{NAMES[name]}: {tale.right[name, kind]} of {K} right"
    axes[0].set_title(" ", fontsize=10)  # keeps the place; the words are wider than the panel
    place = {"transform": axes[0].transAxes, "in_layout": False}
    axes[0].text(0, 1.12, title, fontsize=10, **place)


def cloud(axis, tale, digits, faded: bool) -> None:
    """Show the gallery's descriptors and the query's in two directions."""
    colours = ["0.75" if faded else DIGITS[label] for label in digits.gallery_labels]
    axis.scatter(*tale.cloud.T, s=3, c=colours, alpha=0.5, linewidths=0, rasterized=True)
    axis.plot(*tale.places[0], "o", ms=11, mfc="none", mec="black", mew=2)
    axis.set(aspect="equal")
    axis.axis("off")


def draw_picture(tale, digits):
    figure, axis = plt.subplots(figsize=(4.4, 4.4))
    sheet(axis, tale.image)
    return figure


def draw_numbers(tale, digits):
    figure, axis = plt.subplots(figsize=(4.4, 4.4))
    row, column, side = WINDOW
    part = tale.image[row : row + side, column : column + side]
    sheet(axis, part)
    for (y, x), value in np.ndenumerate(octets(part)[..., 0]):
        # Black would be ink, and light in the dark theme.
        colour = "#101116" if value > 110 else "white"
        axis.text(x, y, value, color=colour, ha="center", va="center", fontsize=8)
    return figure


def draw_means(tale, digits):
    figure, axis = plt.subplots(figsize=(6, 3.4))
    axis.bar(np.arange(1, 33), tale.means)
    axis.axhline(0, color="0.4", lw=1)
    axis.set(xlabel="latent dimension", ylabel="posterior mean")
    axis.grid(visible=False, axis="x")
    return figure


def draw_cloud(tale, digits):
    figure, axis = plt.subplots(figsize=(4.8, 4.8))
    cloud(axis, tale, digits, faded=False)
    return figure


def draw_neighbours(tale, digits):
    figure = plt.figure(figsize=(6, 5.4))
    grid = figure.add_gridspec(2, 10, height_ratios=[7, 1])
    axis = figure.add_subplot(grid[0, :])
    cloud(axis, tale, digits, faded=True)
    for place in tale.found["plain", "still"]:
        axis.plot(*zip(tale.places[0], tale.cloud[place], strict=True), color="0.4", lw=1)
        axis.plot(*tale.cloud[place], "o", ms=5, color=plotting.GREEN)
    row = [figure.add_subplot(grid[1, i]) for i in range(K)]
    row_of_ten(row, tale, digits, "plain", "still")
    return figure


def draw_shift(tale, digits):
    figure, axes = plt.subplots(1, 3, figsize=(7.2, 2.7), width_ratios=[1, 1, 1.3])
    for axis, image, title in zip(
        axes, (tale.image, tale.away), ("as it is", "moved"), strict=False
    ):
        sheet(axis, image)
        axis.set_title(title)
    values = [tale.distance["pixels"], tale.tenth["pixels"]]
    names = ["itself,\nmoved", "its tenth\nneighbour"]
    axes[2].barh(names[::-1], values[::-1], color=[plotting.BLUE, plotting.VERMILLION])
    for y, value in enumerate(values[::-1]):
        axes[2].text(value, y, f" {value:.1f}", va="center", fontsize=10)
    axes[2].set(title="distance in pixels", xlim=(0, 1.25 * max(values)))
    axes[2].grid(visible=False)
    return figure


def draw_failure(tale, digits):
    figure, axes = plt.subplots(2, 10, figsize=(7.2, 2.2))
    for line, name in zip(axes, ("pixels", "plain"), strict=True):
        row_of_ten(line, tale, digits, name, "moved")
    return figure


def draw_views(tale, digits):
    figure = plt.figure(figsize=(7.2, 4.6))
    top, row, bottom = figure.subfigures(3, 1, height_ratios=[1.3, 1, 2])
    for axis, image in zip(top.subplots(1, len(tale.views)), tale.views, strict=True):
        sheet(axis, image)
    row_of_ten(row.subplots(1, K), tale, digits, "view", "moved")
    axis = bottom.subplots()
    colours = (plotting.VERMILLION, plotting.BLUE, plotting.GREEN)
    for name, colour, lift in zip(METHODS, colours, (-0.04, 0.04, 0), strict=True):
        values = [tale.mean[name, kind] for kind in ("still", "moved")]
        axis.plot(["as they are", "moved"], values, "o-", color=colour)
        words = f"{NAMES[name]}: {values[0]:.2f}, then {values[1]:.2f}"
        axis.text(1.05, values[1] + lift, words, va="center", color=colour)
    axis.set(ylim=(0.2, 1), xlim=(-0.2, 2.2), ylabel="P@10, 500 queries")
    axis.grid(visible=False, axis="x")
    return figure


STILLS = {
    "picture": draw_picture,
    "numbers": draw_numbers,
    "descriptor": draw_means,
    "cloud": draw_cloud,
    "neighbours": draw_neighbours,
    "shift": draw_shift,
    "failure": draw_failure,
    "views": draw_views,
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, default=FOLDER, help="folder to write to")
    folder = parser.parse_args().output
    folder.mkdir(parents=True, exist_ok=True)
    digits = datasets.load("mnist-5k")
    tale = journey(digits)
    text = script_of("journey", data_of(tale, digits), "make_journey")
    (folder / "journey.js").write_text(text, encoding="utf-8")
    print(f"journey.js: {len(text):,} bytes")
    for key in tale.mean:
        print(*key, f"right {tale.right[key]}, all queries {tale.mean[key]:.3f}")
    plotting.use_book_style()
    for i, (name, draw) in enumerate(STILLS.items(), 1):
        path = folder / f"journey-{i}-{name}.png"
        save_picture(draw(tale, digits), path)
        print(path.name)


if __name__ == "__main__":
    main()
