"""Copy figures out of the chapters: one that opens the page, one for its card on the landing page.

Reads the stored outputs of the notebooks; writes book/images/opening-*.png and chapter-*.png, and
beside each the drawing, *.svg, which pages show in place of the picture. Run it after
`make notebooks` when one of these figures has changed.
"""

import argparse
import base64
import io
from pathlib import Path

import figures
import nbformat
from PIL import Image, ImageOps

BOOK = Path(__file__).resolve().parents[1] / "book"
SIZE = (400, 250)
OPENINGS = {
    "background": "fig-background-moved",
    "elbo": "fig-elbo-gap",
    "encoder-decoder": "fig-two-latents",
    "training": "fig-training-rate",
    "retrieval": "fig-retrieval-study",
    "better-representations": "fig-better-invariance",
    "richer-images": "fig-richer-results",
    "many-modalities": "fig-modalities-text",
    "interpretability": "fig-interpretability-walks",
    "beyond-one-machine": "fig-scale-approximate",
}
# A figure that another chapter shows as well: opening-NAME, of that page.
SHARED = {"diagram": ("encoder-decoder", "fig-vae-diagram")}
COPIED = {page: (page, name) for page, name in OPENINGS.items()} | SHARED
WHOLE = (0, 0, 1, 1)
# For each card a figure, and the part of it: left, top, right, bottom, as shares.
CARDS = {
    "background": ("fig-background-pixels", (0, 0.31, 0.566, 1)),
    "elbo": ("fig-elbo-gap", (0, 0, 0.5, 1)),
    "encoder-decoder": ("fig-vae-diagram", WHOLE),
    "training": ("fig-training-rate-distortion", WHOLE),
    "retrieval": ("fig-retrieval-moved", WHOLE),
    "better-representations": ("fig-better-invariance", (0, 0.1, 0.503, 1)),
    "richer-images": ("fig-richer-folder", WHOLE),
    "many-modalities": ("fig-modalities-text", (0, 0, 1, 0.85)),
    "interpretability": ("fig-interpretability-traversals", (0, 0, 1, 0.869)),  # rows alone
    "beyond-one-machine": ("fig-scale-exact", WHOLE),
}


def stored(path: Path, name: str) -> dict[str, str]:
    """Return the figure with that name in each form in which the notebook stores it."""
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.metadata.get("mystnb", {}).get("figure", {}).get("name") == name:
            data = [output.get("data", {}) for output in cell.outputs]
            return next(each for each in data if "image/png" in each)
    raise SystemExit(f"{path.name} has no figure named {name}; see the lists in {__file__}")


def figure_of(path: Path, name: str) -> Image.Image:
    """Return the stored picture of the figure with that name."""
    picture = base64.b64decode(stored(path, name)["image/png"])
    return Image.open(io.BytesIO(picture)).convert("RGB")


def card(picture: Image.Image, part: tuple[float, ...]) -> Image.Image:
    """Return that part of the picture, as large as fits, on white."""
    cut = picture.crop(tuple(round(share * picture.size[i % 2]) for i, share in enumerate(part)))
    return in_few_colours(ImageOps.pad(cut, SIZE, Image.Resampling.LANCZOS, color="white"), 32)


def in_few_colours(picture: Image.Image, n: int) -> Image.Image:
    return picture.quantize(n, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)


def pictures() -> dict[str, Image.Image]:
    """Return every picture by the name of its file."""
    found = {
        f"opening-{file}.png": in_few_colours(figure_of(BOOK / f"{page}.ipynb", name), 256)
        for file, (page, name) in COPIED.items()
    }
    return found | {
        f"chapter-{page}.png": card(figure_of(BOOK / f"{page}.ipynb", name), part)
        for page, (name, part) in CARDS.items()
    }


def drawings() -> dict[str, str]:
    """Return every drawing by the name of its file."""
    found = {
        f"opening-{file}.svg": stored(BOOK / f"{page}.ipynb", name)["image/svg+xml"]
        for file, (page, name) in COPIED.items()
    }
    for page, (name, part) in CARDS.items():
        whole = stored(BOOK / f"{page}.ipynb", name)["image/svg+xml"]
        found[f"chapter-{page}.svg"] = figures.cropped(whole, part, SIZE[0] / SIZE[1])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=BOOK / "images", help="where they go")
    output = parser.parse_args().output
    output.mkdir(parents=True, exist_ok=True)
    for name, picture in pictures().items():
        picture.save(output / name, optimize=True)
        print(f"wrote {name}: {(output / name).stat().st_size / 1000:.0f} kB")
    for name, drawing in drawings().items():
        (output / name).write_text(drawing + "\n", encoding="utf-8")
        print(f"wrote {name}: {(output / name).stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
