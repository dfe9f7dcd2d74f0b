"""Lay out a part of the gallery in two dimensions, for the map of chapter 5: data and picture.

    python tools/make_map.py

Three descriptors of the same images: pixels, PCA and the view VAE. Neighbours and P@10 are those of
the descriptors themselves, by cosine distance as in that section. The places are t-SNE's, by the
same distance and with a seed; how many of the ten neighbours a drawing keeps is measured and told.
"""

import argparse
from pathlib import Path
from types import SimpleNamespace

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from make_web import DIGITS, FOLDER, halves, packed, save_picture, script_of, thumbnails
from sklearn.manifold import TSNE

from vae_tutorial import datasets, plotting
from vae_tutorial.baselines import PCA, Pixels
from vae_tutorial.models import pretrained
from vae_tutorial.retrieval import ImageIndex

EACH = 100  # images of each digit
K = 10
METHODS = ("pixels", "PCA", "view VAE")
PERPLEXITY, SEED = 30, 0


def chosen_rows(digits) -> np.ndarray:
    """Return the places of the first gallery images of each digit."""
    rows = [np.flatnonzero(digits.gallery_labels == label)[:EACH] for label in range(10)]
    return np.sort(np.concatenate(rows))


def descriptors(digits) -> dict[str, np.ndarray]:
    """Return what each method makes of the chosen images; what it fits, it fits on the gallery."""
    images = digits.gallery_images[chosen_rows(digits)]
    gallery = digits.gallery_images
    encoders = (Pixels().fit(gallery), PCA(32).fit(gallery), pretrained("mnist-view-vae"))
    return {
        name: np.asarray(encoder.encode(images), np.float32)
        for name, encoder in zip(METHODS, encoders, strict=True)
    }


def neighbours(codes: np.ndarray, metric: str = "cosine") -> np.ndarray:
    """Return the places (n, 10) of the ten nearest others of each row."""
    index = ImageIndex(None, metric=metric)
    index.add_descriptors(codes)
    return index.search_descriptors(codes, k=K, exclude=np.arange(len(codes)))[1]


def layout(codes: np.ndarray, like: np.ndarray | None) -> np.ndarray:
    """Return places (n, 2) in [-1, 1], turned or mirrored so as to lie much as ``like``."""
    tsne = TSNE(metric="cosine", init="pca", perplexity=PERPLEXITY, random_state=SEED)
    places = tsne.fit_transform(codes).astype(float)
    places -= places.mean(axis=0)
    if like is not None:
        u, _, v = np.linalg.svd(places.T @ like)
        places = places @ (u @ v)
    return places / np.abs(places).max()


def atlas(digits) -> SimpleNamespace:
    """Return places and neighbours by each method, and what the drawing keeps of them."""
    rows = chosen_rows(digits)
    labels = digits.gallery_labels[rows]
    places, near, right, kept = {}, {}, {}, {}
    like = None
    for name, codes in descriptors(digits).items():
        near[name] = neighbours(codes)
        right[name] = (labels[near[name]] == labels[:, np.newaxis]).sum(axis=1)
        like = places[name] = layout(codes, like)
        drawn = neighbours(like.astype(np.float32), "euclidean")
        both = [len(set(a) & set(b)) for a, b in zip(near[name], drawn, strict=True)]
        kept[name] = float(np.mean(both))
    # Start with an image that is served as most are: the hits of each method nearest to its mean.
    off = sum(np.abs(right[name] - right[name].mean()) for name in METHODS)
    start = int(np.argmin(off))
    return SimpleNamespace(
        rows=rows, labels=labels, places=places, near=near, right=right, kept=kept, start=start
    )


def data_of(world: SimpleNamespace, digits) -> dict:
    """Return what the page reads; images come as bytes, neighbours as places among them."""
    near = np.stack([world.near[name] for name in METHODS]).astype("<u2")
    return {
        "methods": list(METHODS),
        "each": EACH,
        "start": world.start,
        "precision": [round(float(world.right[name].mean() / K), 3) for name in METHODS],
        "kept": [round(world.kept[name], 1) for name in METHODS],
        "labels": packed(world.labels.astype(np.uint8)),
        "places": packed(halves(np.stack([world.places[name] for name in METHODS]))),
        "near": packed(near.reshape(-1)),
        "packed": packed(thumbnails(digits.gallery_images[world.rows])),
    }


def draw(world: SimpleNamespace, digits):
    """The three layouts, with one image and its ten nearest in each."""
    figure, axes = plt.subplots(1, 3, figsize=(7.5, 2.9))
    colours = [DIGITS[label] for label in world.labels]
    own = world.labels[world.start]
    for axis, name in zip(axes, METHODS, strict=True):
        places, near = world.places[name], world.near[name][world.start]
        axis.scatter(*places.T, s=3, c=colours, alpha=0.45, linewidths=0, rasterized=True)
        for place in near:
            good = world.labels[place] == own
            colour = plotting.GREEN if good else plotting.VERMILLION
            shape = {"ms": 5, "mfc": colour if good else "white", "mec": colour}
            axis.plot(*places[place], "o", **shape)
        axis.plot(*places[world.start], "*", ms=11, mfc="black", mec="white")
        axis.set(xlim=(-1.05, 1.05), ylim=(-1.05, 1.05), aspect="equal")
        axis.set_title(f"{name}: {world.right[name][world.start]} of {K}", fontsize=10)
        axis.axis("off")
    return figure


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, default=FOLDER, help="folder to write to")
    folder = parser.parse_args().output
    folder.mkdir(parents=True, exist_ok=True)
    digits = datasets.load("mnist-5k")
    world = atlas(digits)
    data = data_of(world, digits)
    text = script_of("digit-map", data, "make_map.py")
    (folder / "digit-map.js").write_text(text, encoding="utf-8")
    print(f"digit-map.js: {len(text):,} bytes; P@10 {data['precision']}, kept {data['kept']}")
    plotting.use_book_style()
    save_picture(draw(world, digits), folder / "map.png")
    print("map.png")


if __name__ == "__main__":
    main()
