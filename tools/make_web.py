"""Write what the interactive figures need, from the bundled models and images alone.

    python tools/make_web.py

For each data file a script that sets bookLive.data[name], because pages that are opened as files
may not fetch; and for each figure the picture that stands in its place where scripts are off.
Numbers are 16-bit floats: the bundled weights are stored as such, so nothing is lost.
"""

import argparse
import base64
import io
import json
import re
import zlib
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import figures
import matplotlib.pyplot as plt
import numpy as np
from PIL import Image

from vae_tutorial import datasets, plotting
from vae_tutorial.baselines import Pixels
from vae_tutorial.models import pretrained
from vae_tutorial.retrieval import ImageIndex

FOLDER = Path(__file__).resolve().parents[1] / "book" / "_static" / "web"
PLANE = "mnist-2d-vae"
ENCODER = "mnist-dense-view-vae"
EXAMPLE = 3  # the digit that the page for drawing starts with, and shows where scripts are off
POINTS = 40  # held-out digits of each class in the plane
# Colours of the ten digits, as --live-0 to --live-9 of live.css for the light theme.
DIGITS = ("#332288", "#0f84b0", "#28897a", "#117733", "#7a7a1e")
DIGITS += ("#a0701e", "#b8475a", "#882255", "#aa4499", "#555555")
QUERY, SMALL = 290, 60  # chapter 1 counts its measures on this query and so many gallery images
DOTS_HEAD = "data:image/png;base64,"
DOTS = re.compile(DOTS_HEAD + '([^"]+)')
# The linear-Gaussian model of chapter 2, its first pixel and its first latent.
LINEAR = {"w": 1.0, "b": 0.2, "sigma": 0.7}
# All of that model, and the image that the chapter draws from it.
IMAGE = {
    "W": [[1.0, 0.6], [0.8, 0.9], [0.6, 1.0], [0.3, 0.2], [-0.4, -0.1]],
    "b": [0.2, 0.1, 0.0, -0.1, 0.3],
    "x": [1.488011, 0.757527, 0.848296, 0.32343, -0.624969],
    "sigma": 0.7,
}


def packed(values: np.ndarray) -> str:
    """Return bytes as zlib and base64; of 16-bit numbers all low bytes first, then the high."""
    octets = np.ascontiguousarray(values).view(np.uint8)
    if values.itemsize == 2:
        octets = octets.reshape(-1, 2).T
    return base64.b64encode(zlib.compress(octets.tobytes(), 9)).decode("ascii")


def halves(values) -> np.ndarray:
    """Return little-endian 16-bit floats, which must be exact for stored weights."""
    return np.asarray(values).astype("<f2").ravel()


def thumbnails(images, levels: int = 16) -> np.ndarray:
    """Return images in [0, 1] as bytes of a few grey levels, for the eye: they pack better."""
    step = 255 / (levels - 1)
    return np.round(step * np.round((levels - 1) * np.asarray(images))).astype(np.uint8)


def in_few_colours(found: re.Match) -> str:
    """Return a picture of dots, whose rims are half transparent, in a third of the bytes."""
    picture = Image.open(io.BytesIO(base64.b64decode(found[1])))
    if picture.mode != "RGBA":
        return found[0]
    file = io.BytesIO()
    picture.quantize(64, method=Image.Quantize.FASTOCTREE).save(file, "png", optimize=True)
    return DOTS_HEAD + base64.b64encode(file.getvalue()).decode("ascii")


def save_picture(figure, path: Path) -> None:
    """Save a figure as SVG, which pages show in their theme's ink, and as a small PNG for print.

    Thousands of dots (``rasterized=True``) are a picture inside of the SVG, sharp on a phone.
    The PNG has a palette of 128 colours: a quarter of the bytes.
    """
    drawn = io.BytesIO()
    figure.savefig(drawn, metadata={"Software": None})
    # Of Pillow's ways this one keeps rare colours, such as those of small numerals, as they are.
    method = Image.Quantize.MAXCOVERAGE
    picture = Image.open(drawn).convert("RGB")
    picture.quantize(128, method=method, dither=Image.Dither.NONE).save(path, optimize=True)
    drawing = io.StringIO()
    figure.savefig(drawing, format="svg", dpi=150, metadata={"Date": None, "Creator": None})
    text = DOTS.sub(in_few_colours, figures.small(drawing.getvalue()))
    for digit, colour in enumerate(DIGITS):  # live.css has one for each theme
        for part in ("fill", "stroke"):
            text = text.replace(f"{part}: {colour.lower()}", f"{part}: var(--live-{digit})")
    path.with_suffix(".svg").write_text(text + "\n", encoding="utf-8")


def network(layers) -> dict:
    """Return the sizes of dense layers and their numbers: kernel and bias, layer after layer."""
    weights = [layer.get_weights() for layer in layers]
    numbers = np.concatenate([halves(part) for pair in weights for part in pair])
    exact = np.concatenate([part.ravel() for pair in weights for part in pair])
    if not np.array_equal(numbers.astype(np.float32), exact):
        raise ValueError("the model's weights are not 16-bit floats, so the page would differ")
    sizes = [weights[0][0].shape[0], *(kernel.shape[1] for kernel, _ in weights)]
    return {"sizes": sizes, "packed": packed(numbers)}


def dense_layers(model) -> list:
    """Return the layers that have weights, in order."""
    return [layer for layer in model.layers if layer.get_weights()]


def plane_rows(digits) -> np.ndarray:
    """Return the places of the held-out digits that the plane shows."""
    rows = [np.flatnonzero(digits.query_labels == label)[:POINTS] for label in range(10)]
    return np.sort(np.concatenate(rows))


def example_rows(digits) -> np.ndarray:
    """Return the place of the first query of each digit."""
    return np.array([np.flatnonzero(digits.query_labels == label)[0] for label in range(10)])


def points(vae, digits) -> dict:
    """Return posterior means of held-out digits, and how far the plane must reach for them."""
    rows = plane_rows(digits)
    means, labels = vae.encode(digits.query_images[rows]), digits.query_labels[rows]
    return {
        "labels": labels.tolist(),
        "packed": packed(halves(means)),
        "reach": float(np.ceil(2 * np.abs(means).max()) / 2),
        "start": np.round(means[labels == 7].mean(axis=0).astype(float), 1).tolist(),
    }


def gallery(view, digits) -> dict:
    """Return all gallery images, then the example queries, as bytes, and what counts as far.

    Far is what 98 % of the held-out digits stay below: the mean distance of the ten nearest.
    """
    far = {"pixels": (Pixels().fit(digits.gallery_images), "euclidean"), "vae": (view, "cosine")}
    examples = example_rows(digits)
    images = np.concatenate([digits.gallery_images, digits.query_images[examples]])
    levels = np.round(255 * images).astype(np.uint8)
    if not np.array_equal(levels / np.float32(255), images):
        raise ValueError("the images are not grey levels from 0 to 255")
    return {
        "labels": digits.gallery_labels.tolist(),
        "examples": digits.query_labels[examples].tolist(),
        "first": EXAMPLE,
        "far": {
            name: round(float(np.quantile(distance_of_ten(*search, digits), 0.98)), 3)
            for name, search in far.items()
        },
        "packed": packed(levels),
    }


def distance_of_ten(encoder, metric, digits) -> np.ndarray:
    """Return how far the ten nearest gallery images of each held-out digit are, on average."""
    index = ImageIndex(encoder, metric=metric)
    index.add(digits.gallery_images)
    return index.search(digits.query_images, k=10)[0].mean(axis=1)


def small_ranking(digits) -> dict:
    """Return chapter 1's ten results for one query among a few images, found by pixels.

    The images come as bytes: the query, then the results.
    """
    index = ImageIndex(Pixels().fit(digits.gallery_images))
    index.add(digits.gallery_images[:SMALL])
    found = index.search(digits.query_images[[QUERY]], k=10)[1][0]
    images = np.concatenate([digits.query_images[[QUERY]], digits.gallery_images[found]])
    digit = int(digits.query_labels[QUERY])
    return {
        "digit": digit,
        "labels": digits.gallery_labels[found].tolist(),
        "relevant": int((digits.gallery_labels[:SMALL] == digit).sum()),
        "packed": packed(np.round(255 * images).astype(np.uint8)),
    }


def data_of(plane, view, digits) -> dict[str, dict]:
    """Return what each data file sets, by the name of the file."""
    return {
        "digit-decoder": network(dense_layers(plane.decoder.hidden)),
        "digit-points": points(plane, digits),
        "digit-encoder": network([*dense_layers(view.encoder.hidden), view.encoder.mean_head]),
        "digit-gallery": gallery(view, digits),
        "small-ranking": small_ranking(digits),
    }


def script_of(name: str, value: dict, tool: str = "make_web") -> str:
    """Return the text of a data file, with the name of the tool that makes it."""
    text = json.dumps(value, separators=(",", ":"))
    return f"// Made by tools/{tool}.py.\nbookLive.data[{json.dumps(name)}] = {text};\n"


def draw_latent_explorer(vae, digits):
    """The plane of held-out digits, and a walk through it."""
    rows = plane_rows(digits)
    means, labels = vae.encode(digits.query_images[rows]), digits.query_labels[rows]
    figure, (plane, walk) = plt.subplots(1, 2, figsize=(7.5, 3.8))
    reach = points(vae, digits)["reach"]
    for (x, y), label in zip(means, labels, strict=True):
        plane.text(x, y, label, color=DIGITS[label], fontsize=8, ha="center", va="center")
    plane.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
    plane.set(xlabel="$z_1$", ylabel="$z_2$", title="held-out digits")
    steps = np.linspace(-2, 2, 9)
    z = np.array([(x, y) for y in steps[::-1] for x in steps])
    tiles = vae.decode(z).reshape(9, 9, 28, 28).transpose(0, 2, 1, 3).reshape(252, 252)
    walk.imshow(tiles, vmin=0, vmax=1, extent=(-2.25, 2.25, -2.25, 2.25))
    walk.set(xlabel="$z_1$", title="decoded from a grid")
    walk.grid(visible=False)
    return figure


def linear_terms(mean: float, log_var: float, x: float) -> dict:
    """Expected log-likelihood, KL divergence and log p(x) of the one-pixel model."""
    w, b, sigma = LINEAR["w"], LINEAR["b"], LINEAR["sigma"]
    variance, noise, evidence = np.exp(log_var), sigma**2, w**2 + sigma**2
    misses = (x - b - w * mean) ** 2 + w**2 * variance
    return {
        "log-likelihood": -0.5 * (np.log(2 * np.pi * noise) + misses / noise),
        "kl": 0.5 * (mean**2 + variance - log_var - 1),
        "evidence": -0.5 * (np.log(2 * np.pi * evidence) + (x - b) ** 2 / evidence),
    }


def draw_elbo_bars():
    """The bars for a q that is off, and for the exact posterior."""
    x, w, noise = 1.2, LINEAR["w"], LINEAR["sigma"] ** 2
    variance = 1 / (1 + w**2 / noise)
    exact = (variance * w * (x - LINEAR["b"]) / noise, np.log(variance))
    figure, axes = plt.subplots(1, 2, figsize=(7.5, 2.9), sharex=True, sharey=True)
    names = ["E log p(x | z)", "KL divergence", "ELBO", "log p(x)", "the gap"]
    colours = [plotting.BLUE, plotting.VERMILLION, plotting.GREEN, "0.45", "#f2c4a3"]
    titles = ["a q that is off", "q is the exact posterior"]
    for panel, q, title in zip(axes, [(-1.0, 0.0), exact], titles, strict=True):
        terms = linear_terms(*q, x)
        likelihood, elbo = terms["log-likelihood"], terms["log-likelihood"] - terms["kl"]
        evidence = terms["evidence"]
        widths = [likelihood, -terms["kl"], elbo, evidence, elbo - evidence]
        panel.barh(names, widths, left=[0, likelihood, 0, 0, evidence], color=colours)
        panel.axvline(evidence, color="black", linestyle="--", linewidth=1.5)
        panel.set(title=title, xlabel="nats")
    axes[0].invert_yaxis()
    return figure


def draw_retrieval(vae, digits):
    """One query, as it is and moved, with its ten nearest by pixels and by the VAE."""
    row = example_rows(digits)[EXAMPLE]
    image, label = digits.query_images[row], digits.query_labels[row]
    shifted = np.zeros_like(image)
    shifted[:, 3:] = image[:, :-3]
    queries = np.stack([image, shifted])
    figure, axes = plt.subplots(4, 11, figsize=(7.5, 3.1))
    indexes = {}
    for name, encoder, metric in (
        ("pixels", Pixels().fit(digits.gallery_images), "euclidean"),
        ("VAE", vae, "cosine"),
    ):
        indexes[name] = ImageIndex(encoder, metric=metric)
        indexes[name].add(digits.gallery_images)
    kinds = [(q, name) for q in range(2) for name in indexes]
    for line, (q, name) in zip(axes, kinds, strict=True):
        _, found = indexes[name].search(queries[q : q + 1], k=10)
        for panel, shown in zip(line, [queries[q], *digits.gallery_images[found[0]]], strict=True):
            panel.imshow(shown[..., 0], vmin=0, vmax=1)
            panel.set(xticks=[], yticks=[])
            panel.grid(visible=False)
        right = digits.gallery_labels[found[0]] == label
        for panel, good in zip(line[1:], right, strict=True):
            for edge in panel.spines.values():
                edge.set(visible=True, color=plotting.GREEN if good else plotting.VERMILLION)
                edge.set(linewidth=2, linestyle="-" if good else "--")
        moved = "3 px right" if q else "as it is"
        line[0].set_ylabel(f"{moved}\nby {name}", rotation=0, ha="right", va="center", fontsize=9)
    return figure


def draw_ranking(digits):
    """Precision so far and average precision of the same ten results in three orders."""
    ranking = small_ranking(digits)
    hits = np.array(ranking["labels"]) == ranking["digit"]
    orders = {"as found": hits, "best order": np.sort(hits)[::-1], "worst order": np.sort(hits)}
    figure, axes = plt.subplots(1, 3, figsize=(7.5, 2.6), sharey=True)
    ranks = np.arange(1, len(hits) + 1)
    for axis, (name, order) in zip(axes, orders.items(), strict=True):
        so_far = np.cumsum(order) / ranks
        colours = np.where(order, plotting.BLUE, "white")
        axis.bar(ranks, so_far, color=colours, edgecolor=plotting.BLUE)
        score = (so_far * order).sum() / ranking["relevant"]
        axis.set(title=f"{name}: AP {score:.3f}", xlabel="rank", xticks=[1, 5, 10])
        axis.grid(visible=False, axis="x")
    axes[0].set_ylabel("precision so far")
    return figure


def draw_gradients():
    """Draws of the gradient of chapter 2's linear-Gaussian model, by both estimators."""
    W, b, x = (np.array(IMAGE[name]) for name in ("W", "b", "x"))
    noise, variance = np.random.default_rng(0).standard_normal((60, 2)), IMAGE["sigma"] ** 2
    misses = x - b - noise @ W.T
    f = -0.5 * (misses**2 / variance + np.log(2 * np.pi * variance)).sum(axis=1)
    kinds = {"score function": f[:, None] * noise, "reparameterised": misses @ W / variance}
    exact = W.T @ (x - b) / variance
    figure, axes = plt.subplots(1, 2, figsize=(7.5, 3.8), sharex=True, sharey=True)
    colours = (plotting.VERMILLION, plotting.BLUE)
    for axis, (name, draws), colour in zip(axes, kinds.items(), colours, strict=True):
        arrows = {"angles": "xy", "scale_units": "xy", "scale": 1}
        none = np.zeros(len(draws))
        axis.quiver(none, none, *draws.T, color=colour, alpha=0.4, width=0.004, **arrows)
        axis.quiver(0, 0, *draws.mean(axis=0), color="black", width=0.012, **arrows)
        axis.plot(*exact, "o", ms=11, mfc="none", mec=plotting.GREEN, mew=2)
        axis.set(title=name, xlim=(-60, 60), ylim=(-60, 60), aspect="equal")
    return figure


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, default=FOLDER, help="folder to write to")
    parser.add_argument("--no-pictures", action="store_true", help="write the data alone")
    arguments = parser.parse_args()
    folder = arguments.output
    folder.mkdir(parents=True, exist_ok=True)
    digits = datasets.load("mnist-5k")
    plane, view = pretrained(PLANE), pretrained(ENCODER)
    for name, value in data_of(plane, view, digits).items():
        text = script_of(name, value)
        (folder / f"{name}.js").write_text(text, encoding="utf-8")
        print(f"{name}.js: {len(text):,} bytes")
    if arguments.no_pictures:
        return
    plotting.use_book_style()
    pictures = {
        "latent-explorer": draw_latent_explorer(plane, digits),
        "elbo-bars": draw_elbo_bars(),
        "draw": draw_retrieval(view, digits),
        "ranking": draw_ranking(digits),
        "gradients": draw_gradients(),
    }
    for name, figure in pictures.items():
        save_picture(figure, folder / f"{name}.png")
        print(f"{name}.png")


if __name__ == "__main__":
    main()
