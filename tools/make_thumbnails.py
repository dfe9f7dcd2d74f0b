"""Cut a small picture for each chapter's card on the landing page out of a figure of that chapter.

Reads the stored outputs of the notebooks; writes book/images/chapter-*.png. Run it after
`make notebooks` when one of the figures below has changed.
"""

import argparse
import base64
import io
from pathlib import Path

import nbformat
from PIL import Image, ImageOps

BOOK = Path(__file__).resolve().parents[1] / "book"
SIZE = (560, 350)
WHOLE = (0, 0, 1, 1)
# For each chapter a figure, and the part of it: left, top, right, bottom, as shares.
FIGURES = {
    "background": ("fig-background-pixels", WHOLE),
    "elbo": ("fig-elbo-gap", (0, 0, 0.5, 1)),
    "encoder-decoder": ("fig-vae-diagram", WHOLE),
    "training": ("fig-training-rate-distortion", WHOLE),
    "retrieval": ("fig-retrieval-moved", WHOLE),
    "better-representations": ("fig-better-invariance", (0, 0.1, 0.51, 1)),
    "richer-images": ("fig-richer-folder", WHOLE),
    "many-modalities": ("fig-modalities-text", (0, 0, 1, 0.85)),
    "interpretability": ("fig-interpretability-traversals", (0, 0, 1, 0.8)),
    "beyond-one-machine": ("fig-scale-exact", WHOLE),
}


def figure_of(path: Path, name: str) -> Image.Image:
    """Return the stored picture of the figure with that name."""
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.metadata.get("mystnb", {}).get("figure", {}).get("name") == name:
            found = [output.data["image/png"] for output in cell.outputs if "data" in output]
            return Image.open(io.BytesIO(base64.b64decode(found[0]))).convert("RGB")
    raise SystemExit(f"{path.name} has no figure named {name}; see FIGURES in {__file__}")


def thumbnail(picture: Image.Image, part: tuple[float, ...]) -> Image.Image:
    """Return that part of the picture, as large as fits, on white."""
    cut = picture.crop(tuple(round(share * picture.size[i % 2]) for i, share in enumerate(part)))
    small = ImageOps.pad(cut, SIZE, Image.Resampling.LANCZOS, color="white")
    return small.quantize(64, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=BOOK / "images", help="where they go")
    output = parser.parse_args().output
    output.mkdir(parents=True, exist_ok=True)
    for page, (name, part) in FIGURES.items():
        path = output / f"chapter-{page}.png"
        thumbnail(figure_of(BOOK / f"{page}.ipynb", name), part).save(path, optimize=True)
        print(f"wrote {path.name}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
