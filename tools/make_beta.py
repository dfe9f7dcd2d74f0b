"""Train the models of the beta figure, and write its data and its picture.

    python tools/make_beta.py

Dense VAEs with 32 latents that differ in beta alone, from three seeds each, trained on the gallery
of mnist-5k and judged on its queries. What the page shows of single images is of the first seed;
rate, distortion and P@10 are of all. Five minutes on two cores that have nothing else to do.
make_web.py leaves it to this tool, because it takes minutes; run it again when the images or the
dense VAE change.
"""

import argparse
import base64
import json
import zlib
from pathlib import Path
from types import SimpleNamespace

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from make_web import (
    DIGITS,
    FOLDER,
    example_rows,
    halves,
    packed,
    save_picture,
    script_of,
    thumbnails,
)
from matplotlib.patches import Circle, Ellipse

from vae_tutorial import datasets, plotting, training
from vae_tutorial._tensorflow import keras
from vae_tutorial.models import VAE
from vae_tutorial.retrieval import ImageIndex

BETAS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
SEEDS = (0, 1, 2)  # the first is drawn
EPOCHS, BATCH, LATENT_DIM, RATE = 30, 128, 32, 1e-3
EACH = 8  # held-out digits of each class in the plane
K = 10
LEVELS = 6  # of grey, in the images found: chapter 4 is a heavy page
PICTURED = (0, 3, 5, 7)  # the betas of the still picture
START, CHOSEN = 4, 3  # the beta and the query that the figure starts with


def trained(images: np.ndarray, beta: float, seed: int, epochs: int = EPOCHS) -> VAE:
    """Return a dense VAE trained as chapter 4 trains its own, but longer."""
    training.set_seed(seed)
    vae = VAE((28, 28, 1), LATENT_DIM, beta=beta, seed=seed)
    vae.compile(keras.optimizers.Adam(RATE))
    vae.fit(images, batch_size=BATCH, epochs=epochs, verbose=0)
    return vae


def found_by(vae: VAE, digits) -> np.ndarray:
    """Return the places of the ten nearest gallery images of each query: of its mean, by L2."""
    index = ImageIndex(vae)
    index.add(digits.gallery_images)
    return index.search(digits.query_images, k=K)[1]


def measures(vae: VAE, digits, found: np.ndarray) -> tuple[float, float, float]:
    """Return rate and distortion in nats an image, and P@10, all of the queries."""
    terms = vae.evaluate(digits.query_images, verbose=0, return_dict=True)
    right = digits.gallery_labels[found] == digits.query_labels[:, np.newaxis]
    return terms["kl"], terms["reconstruction"], float(right.mean())


def shown_rows(digits) -> np.ndarray:
    """Return the places of the queries in the plane: the ten examples, then more of each digit."""
    rows = [np.flatnonzero(digits.query_labels == label)[:EACH] for label in range(10)]
    examples = example_rows(digits)
    return np.concatenate([examples, np.setdiff1d(np.concatenate(rows), examples)])


def principal(means: np.ndarray) -> tuple[np.ndarray, float]:
    """Return two directions (latents, 2) in which the means spread most, and their share of it."""
    _, scale, directions = np.linalg.svd(means - means.mean(axis=0), full_matrices=False)
    return directions[:2].T, float((scale[:2] ** 2).sum() / (scale**2).sum())


def turned(directions: np.ndarray, means: np.ndarray, like: np.ndarray) -> np.ndarray:
    """Turn or mirror the two directions so that the means come to lie as ``like`` (n, 2).

    Neither changes a distance; the plane only turns less from one model to the next.
    """
    u, _, v = np.linalg.svd((means @ directions).T @ like)
    return directions @ (u @ v)


def drawn(vae: VAE, digits, found: np.ndarray, like) -> SimpleNamespace:
    """Return what the figure draws of a model.

    ``like`` are the places of the gallery in the plane of the model before; None for the first.
    """
    rows, examples = shown_rows(digits), example_rows(digits)
    gallery = vae.encode(digits.gallery_images).astype(float)
    directions, share = principal(gallery)
    if like is not None:
        directions = turned(directions, gallery, like)
    mean, log_var = vae.encode_distribution(digits.query_images[rows])
    spread = np.einsum("nl,li,lj->nij", np.exp(log_var), directions, directions)
    upper = spread[:, [0, 0, 1], [0, 1, 1]]  # of a symmetric 2 x 2 matrix
    return SimpleNamespace(
        like=gallery @ directions,
        share=share,
        points=np.concatenate([mean @ directions, upper], axis=1),
        near=found[examples],
        places=(gallery @ directions)[found[examples]],
        images=np.asarray(vae(digits.query_images[examples])),
    )


def run(digits, betas=BETAS, seeds=SEEDS, epochs: int = EPOCHS) -> tuple[list, np.ndarray]:
    """Train every model; return what is drawn of each beta, and (betas, seeds, 3) measures."""
    scenes, table, like = [], np.zeros((len(betas), len(seeds), 3)), None
    for i, beta in enumerate(betas):
        for j, seed in enumerate(seeds):
            vae = trained(digits.gallery_images, beta, seed, epochs)
            found = found_by(vae, digits)
            table[i, j] = measures(vae, digits, found)
            if j == 0:
                scenes.append(drawn(vae, digits, found, like))
                like = scenes[-1].like
            rate, distortion, precision = table[i, j]
            line = f"beta {beta:g}, seed {seed}: rate {rate:.1f}, distortion {distortion:.1f}"
            print(f"{line}, P@10 {precision:.3f}", flush=True)
    return scenes, table


def data_of(scenes: list, table: np.ndarray, digits, betas=BETAS, epochs: int = EPOCHS) -> dict:
    """Return what the page reads: images as bytes, places as 16-bit floats."""
    near = np.stack([scene.near for scene in scenes])
    kept, places = np.unique(near, return_inverse=True)
    examples = example_rows(digits)
    images = [digits.query_images[examples], *(scene.images for scene in scenes)]
    octets = [thumbnails(np.concatenate(images))]
    octets.append(thumbnails(digits.gallery_images[kept], LEVELS))
    return {
        "betas": list(betas),
        "start": START,
        "chosen": CHOSEN,
        "protocol": {
            "gallery": len(digits.gallery_images),
            "queries": len(digits.query_images),
            "epochs": epochs,
            "seeds": table.shape[1],
            "latents": LATENT_DIM,
        },
        "rate": np.round(table[..., 0], 2).tolist(),
        "distortion": np.round(table[..., 1], 2).tolist(),
        "precision": np.round(table[..., 2], 4).tolist(),
        "share": [round(scene.share, 3) for scene in scenes],
        "digits": digits.query_labels[shown_rows(digits)].tolist(),
        "points": packed(halves(np.stack([scene.points for scene in scenes]))),
        "places": packed(halves(np.stack([scene.places for scene in scenes]))),
        "near": packed(places.reshape(-1).astype("<u2")),
        "labels": digits.gallery_labels[kept].tolist(),
        "packed": packed(np.concatenate(octets)),
    }


def unpacked(text: str, kind: str = "u1") -> np.ndarray:
    """Return what ``packed`` packed: bytes, or 16-bit numbers."""
    octets = np.frombuffer(zlib.decompress(base64.b64decode(text)), np.uint8)
    return octets if kind == "u1" else octets.reshape(2, -1).T.copy().view(kind).ravel()


def draw(data: dict):
    """A column for each of four betas: the plane, the reconstructions, the neighbours."""
    betas, labels = data["betas"], data["digits"]
    points = unpacked(data["points"], "<f2").astype(float).reshape(len(betas), -1, 5)
    near = unpacked(data["near"], "<u2").reshape(len(betas), -1, K)
    images = unpacked(data["packed"]).reshape(-1, 28, 28)
    queries = len(near[0])
    redrawn = images[queries : queries * (1 + len(betas))].reshape(len(betas), -1, 28, 28)
    gallery = images[queries * (1 + len(betas)) :]
    figure = plt.figure(figsize=(7.5, 4.6))
    columns = figure.subfigures(1, len(PICTURED))
    for column, i in zip(columns, PICTURED, strict=True):
        rate, distortion, precision = (
            np.mean(data[name][i]) for name in ("rate", "distortion", "precision")
        )
        plane, above, below = column.subplots(3, 1, height_ratios=[5, 1.7, 1.7])
        # A third of them is enough for a picture, and chapter 4 is a heavy page.
        for label, (x, y, xx, xy, yy) in zip(labels[::3], points[i, ::3], strict=True):
            size, axes = np.linalg.eigh([[xx, xy], [xy, yy]])
            wide, high = 2 * np.sqrt(np.maximum(size, 0.004))
            angle = np.degrees(np.arctan2(axes[1, 0], axes[0, 0]))
            style = {"facecolor": DIGITS[label], "edgecolor": DIGITS[label]}
            plane.add_patch(Ellipse((x, y), wide, high, angle=angle, alpha=0.3, lw=0.6, **style))
        plane.add_patch(Circle((0, 0), 1, fill=False, ls="--", lw=1.2, color="black"))
        plane.set(xlim=(-7, 7), ylim=(-7, 7), aspect="equal", xticks=[], yticks=[])
        plane.set_title(f"β = {betas[i]:g}", fontsize=11)
        words = f"rate {rate:.0f}\ndistortion {distortion:.0f}\nP@10 {precision:.2f}"
        plane.set_xlabel(words, fontsize=10)
        for panel, tiles in ((above, redrawn[i]), (below, gallery[near[i][CHOSEN]])):
            sheet = tiles.reshape(2, 5, 28, 28).transpose(0, 2, 1, 3).reshape(56, 140)
            panel.imshow(sheet, vmin=0, vmax=255, interpolation="nearest")
            panel.set(xticks=[], yticks=[])
            panel.grid(visible=False)
        above.set_xlabel("ten queries, redrawn", fontsize=8)
        below.set_xlabel(f"what a {labels[CHOSEN]} finds", fontsize=8)
    return figure


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, default=FOLDER, help="folder to write to")
    parser.add_argument(
        "--picture", action="store_true", help="draw the picture again, of the stored models"
    )
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    if arguments.picture:
        stored = (FOLDER / "beta-models.js").read_text(encoding="utf-8")
        data = json.loads(stored[stored.index("{") : stored.rindex(";")])
    else:
        digits = datasets.load("mnist-5k")
        data = data_of(*run(digits), digits)
        text = script_of("beta-models", data, "make_beta")
        (arguments.output / "beta-models.js").write_text(text, encoding="utf-8")
        print(f"beta-models.js: {len(text):,} bytes")
    plotting.use_book_style()
    save_picture(draw(data), arguments.output / "beta.png")
    print("beta.png")


if __name__ == "__main__":
    main()
