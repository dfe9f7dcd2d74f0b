"""Image sets: three bundled samples, the full MNIST and Fashion-MNIST, and your own folder."""

import hashlib
import io
import numbers
import os
import warnings
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from vae_tutorial._checks import check_choice, check_count, check_images, check_labels
from vae_tutorial.progress import Progress

# SHA-256 of each bundled file, as printed by tools/make_samples.py.
_BUNDLED = {
    "mnist-5k": "29827cddd41e25ab59a9d56fcf904914e6809b9d05112fdabd27d96b3740a588",
    "fashion-5k": "b92dc61e501f5abd49f1af48519c1a7c2b8529a03d0af049c9dd14022731bf63",
    "emoji": "e4d00aa16b88d6d50a27664dd52b46351483792e72fe8ea81bf8d823e814c4aa",
}
# SHA-256 of the bytes of the four arrays, in the order of _FULL_SHAPES. Hashing the arrays and not
# the file accepts any npz that holds them.
_FULL = {
    "mnist": "06b0d1f124c4e5fa796686ade41a9b778edacc8622f2195a352ef479ad44fc16",
    "fashion-mnist": "ca3ab2a37f845e1b8ae23cab1b51749a3011ba3bf1d9016176d75cbaabac376f",
}
_FULL_SHAPES = {"x_train": (60_000, 28, 28), "y_train": (60_000,)}
_FULL_SHAPES |= {"x_test": (10_000, 28, 28), "y_test": (10_000,)}
_DIGITS = tuple("0123456789")
_CLOTHES = (
    *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
    *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
)


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Labelled images, divided into a gallery to search and queries to search with.

    Parameters
    ----------
    name : str
        What the set is called.
    images : ndarray of float32, shape (n, height, width, channels)
        Values in [0, 1]; one channel for grey, three (red, green, blue) for colour.
    labels : ndarray of int64, shape (n,)
        Position of each image's label in ``label_names``.
    label_names : tuple of str
        What the labels mean.
    gallery_indices, query_indices : ndarray of int64
        Positions in ``images``. The sets of this module never share an image between the two.
    label_groups : tuple of str
        The group that each label belongs to, or nothing where labels have no groups.

    Raises
    ------
    TypeError, ValueError
        If shapes, dtypes or ranges are not as above.

    Introduced in chapter 1.

    Examples
    --------
    >>> Dataset("tiny", np.zeros((3, 2, 2, 1)), [0, 1, 1], ("cat", "dog"), [0, 1], [2])
    Dataset 'tiny': 3 images of 2x2x1, 2 labels, 2 in the gallery, 1 as queries
    """

    name: str
    images: np.ndarray
    labels: np.ndarray
    label_names: tuple[str, ...]
    gallery_indices: np.ndarray
    query_indices: np.ndarray
    label_groups: tuple[str, ...] = ()

    def __post_init__(self):
        checked: dict[str, Any] = {
            "images": check_images(self.images),
            "labels": check_labels(self.labels, length=len(self.images)),
            "label_names": tuple(self.label_names),
            "label_groups": tuple(self.label_groups),
        }
        if len(checked["label_groups"]) not in (0, len(checked["label_names"])):
            raise ValueError(
                f"label_groups must name a group for each of the {len(self.label_names)} labels, "
                f"got {len(checked['label_groups'])}; pass as many, or none"
            )
        _check_positions(checked["labels"], "labels", "label_names", len(self.label_names))
        for field in ("gallery_indices", "query_indices"):
            checked[field] = _check_positions(
                getattr(self, field), field, "images", len(self.images)
            )
        for field, value in checked.items():
            object.__setattr__(self, field, value)  # the way into a frozen dataclass

    def __len__(self) -> int:
        return len(self.images)

    def __repr__(self) -> str:
        shape = "x".join(map(str, self.images.shape[1:]))
        return (
            f"Dataset {self.name!r}: {len(self):,} images of {shape}, "
            f"{len(self.label_names):,} labels, {len(self.gallery_indices):,} in the gallery, "
            f"{len(self.query_indices):,} as queries"
        )

    @property
    def gallery_images(self) -> np.ndarray:
        """The images to search, a copy of shape (n_gallery, height, width, channels)."""
        return self.images[self.gallery_indices]

    @property
    def gallery_labels(self) -> np.ndarray:
        """Their labels, shape (n_gallery,)."""
        return self.labels[self.gallery_indices]

    @property
    def query_images(self) -> np.ndarray:
        """The images to search with, a copy of shape (n_queries, height, width, channels)."""
        return self.images[self.query_indices]

    @property
    def query_labels(self) -> np.ndarray:
        """Their labels, shape (n_queries,)."""
        return self.labels[self.query_indices]


def load(name: str = "mnist-5k", *, data_dir: str | os.PathLike | None = None) -> Dataset:
    """Load a bundled sample or a full set, after checking that its content is the expected one.

    Parameters
    ----------
    name : str
        ``"mnist-5k"`` or ``"fashion-5k"``: bundled samples, the first 500 images of each class
        of the official training set, in official order. Every tenth image of a class is a query:
        4,500 gallery images, 500 queries.
        ``"emoji"``: 1,911 symbols in colour, each drawn by Google (the gallery) and by Twitter (the
        queries). A symbol is a label; its name is in ``label_names``, its Unicode category in
        ``label_groups``.
        ``"mnist"`` or ``"fashion-mnist"``: the full sets. The 60,000 training images are the
        gallery, the 10,000 test images the queries.
    data_dir : path, optional
        For full sets: the folder that holds ``mnist.npz`` or ``fashion_mnist.npz`` (arrays
        ``x_train, y_train, x_test, y_test`` as Keras has them). Default: the folder named by the
        environment variable ``VAE_TUTORIAL_DATA``; without it, Keras' cache or its download.

    Returns
    -------
    Dataset
        Float32 in [0, 1]: 28x28 with one channel for digits and clothes, 32x32 with three for
        emoji, which are laid on white.

    Raises
    ------
    FileNotFoundError
        If a full set is not at hand; the message names the ways to get it.
    TypeError, ValueError
        If an argument is wrong, or the files do not hold what they should.

    Notes
    -----
    Sources: LeCun et al. (1998) for MNIST, Xiao et al. (2017) for Fashion-MNIST. All images of
    ``"mnist-5k"`` have an index below 5,848 in the official training set, so a model trained on
    the images from 5,848 on has seen none of them. The emoji are Google's Noto Emoji and Twitter's
    Twemoji; ``vae_tutorial/data/LICENSES.md`` states the licence of each set.

    Introduced in chapter 1.

    Examples
    --------
    >>> mnist = load("mnist-5k")
    >>> mnist
    Dataset 'mnist-5k': 5,000 images of 28x28x1, 10 labels, 4,500 in the gallery, 500 as queries
    >>> mnist.label_names[mnist.labels[0]]
    '5'
    """
    check_choice(name, "name", (*_BUNDLED, *_FULL))
    label_names = _CLOTHES if name.startswith("fashion") else _DIGITS
    if name in _BUNDLED:
        if data_dir is not None:
            raise ValueError(f"data_dir is for full sets, but {name!r} is bundled; leave it out")
        if name == "emoji":
            return _emoji(**_read_bundled(name))
        sample = _read_bundled(name)
        images, labels = sample["images"], sample["labels"]
        return Dataset(name, _scale(images), labels, label_names, *_split(labels, every=10))
    x_train, y_train, x_test, y_test = _read_full(name, data_dir)
    images, labels = np.concatenate([x_train, x_test]), np.concatenate([y_train, y_test])
    indices = np.arange(len(images))
    gallery, query = indices[: len(x_train)], indices[len(x_train) :]
    return Dataset(name, _scale(images), labels, label_names, gallery, query)


def load_folder(
    path: str | os.PathLike,
    *,
    size: tuple[int, int] = (28, 28),
    colour: bool = False,
    query_fraction: float = 0.1,
    skip_broken: bool = False,
    progress: bool = True,
) -> Dataset:
    """Load a folder of JPEG and PNG images; its sub-folders are the labels.

    Images are turned upright by their EXIF tag, laid on white where they are transparent, cropped
    around the centre to the proportions of ``size``, and resized. Labels and images are in the
    order of their names. Names that start with a dot are ignored.

    Parameters
    ----------
    path : path
        The folder. Without sub-folders all its images have one label, the folder's name.
    size : (int, int)
        Height and width of the loaded images, in pixels.
    colour : bool
        ``True`` for three channels (red, green, blue), ``False`` for one (grey).
    query_fraction : float
        From 0 to 0.5. Within each label the last of every ``round(1 / query_fraction)`` images is
        a query, so a label with fewer images has none. 0 makes all images gallery images.
    skip_broken : bool
        Leave files that cannot be used out, with a warning that names them, instead of refusing.
    progress : bool
        Show how far the reading has come.

    Returns
    -------
    Dataset
        Named after the folder; ``label_names`` are the names of the sub-folders.

    Raises
    ------
    FileNotFoundError, NotADirectoryError
        If ``path`` is not a folder.
    TypeError, ValueError
        If an argument is wrong, if files cannot be used (all are named), or if no query is left.

    Introduced in chapter 1.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("cat", "dog"):
    ...         Path(folder, name).mkdir()
    ...         for number in range(4):
    ...             Image.new("RGB", (60, 40), "white").save(Path(folder, name, f"{number}.png"))
    ...     pets = load_folder(folder, query_fraction=0.25)
    Reading 8 images
    >>> pets.images.shape, pets.label_names, pets.query_indices
    ((8, 28, 28, 1), ('cat', 'dog'), array([3, 7]))
    """
    folder = _check_path(path, "path").resolve()
    height, width = _check_size(size)
    _check_fraction(query_fraction)
    for flag, value in (("colour", colour), ("skip_broken", skip_broken)):
        if not isinstance(value, bool):
            raise TypeError(f"{flag} must be True or False, got {value!r}")
    found, problems = _find_files(folder)
    pixels, names = [], []
    with Progress(f"Reading {len(found):,} images", len(found), enabled=progress) as shown:
        for label, file in found:
            try:
                pixels.append(_read_image(file, (width, height), "RGB" if colour else "L"))
                names.append(label)
            except Exception as error:  # Pillow meets damaged files with many kinds of error
                unknown = isinstance(error, UnidentifiedImageError)  # its own text names no format
                problems[file] = "not a JPEG or PNG image" if unknown else str(error) or repr(error)
            shown.step()
    if problems:
        _report(folder, problems, skip_broken)
    if not pixels:
        raise ValueError(f"no image in {folder} can be used; pass a folder of JPEG or PNG images")
    number = {label: position for position, label in enumerate(dict.fromkeys(names))}
    labels = np.array([number[label] for label in names])
    every = round(min(1 / query_fraction, len(labels) + 1)) if query_fraction else len(labels) + 1
    gallery, query = _split(labels, every)
    if query_fraction and not len(query):
        raise ValueError(
            f"no label in {folder} has the {round(1 / query_fraction):,} images it takes for one "
            "query; raise query_fraction, or pass 0 for a gallery without queries"
        )
    images = _scale(np.stack(pixels).reshape(len(pixels), height, width, -1))
    return Dataset(folder.name, images, labels, tuple(number), gallery, query)


def _emoji(google, twitter, names, groups) -> Dataset:
    """Return both drawings of every symbol: Google's as the gallery, Twitter's as the queries."""
    symbols = np.arange(len(names))
    images = _scale(np.concatenate([google, twitter]))
    split = symbols, symbols + len(symbols)
    labels = np.tile(symbols, 2)
    return Dataset("emoji", images, labels, tuple(names.tolist()), *split, tuple(groups.tolist()))


def _split(labels: np.ndarray, every: int) -> tuple[np.ndarray, np.ndarray]:
    """Return gallery and query indices: the last of every ``every`` images of a label queries."""
    position = np.empty(len(labels), np.int64)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        position[members] = np.arange(len(members))
    is_query = position % every == every - 1
    return np.flatnonzero(~is_query), np.flatnonzero(is_query)


def _scale(images: np.ndarray) -> np.ndarray:
    """Return 8-bit images as float32 in [0, 1], with a channel axis."""
    scaled = images.astype(np.float32)
    scaled /= 255  # in place: the full sets take 220 MB
    return scaled if scaled.ndim == 4 else scaled[..., np.newaxis]


def _read_bundled(name: str) -> dict[str, np.ndarray]:
    file = Path(__file__).parent / "data" / f"{name}.npz"
    if not file.is_file():
        raise FileNotFoundError(f"{file} is missing from the package; install vae_tutorial again")
    content = file.read_bytes()
    if hashlib.sha256(content).hexdigest() != _BUNDLED[name]:
        raise ValueError(
            f"{file} is damaged (its SHA-256 is not the expected one); install vae_tutorial again"
        )
    with np.load(io.BytesIO(content), allow_pickle=False) as archive:
        return dict(archive)


def _read_full(name: str, data_dir) -> list[np.ndarray]:
    """Return x_train, y_train, x_test, y_test (uint8) from a folder or Keras, verified."""
    folder = os.environ.get("VAE_TUTORIAL_DATA") or None if data_dir is None else data_dir
    if folder is None:
        source = "the copy that Keras keeps (usually in ~/.keras/datasets)"
        arrays = _ask_keras(name)
    else:
        file = _check_path(folder, "data_dir") / f"{_stem(name)}.npz"
        if not file.is_file():
            raise FileNotFoundError(_how_to_get(name, f"there is no file {file}"))
        source, arrays = str(file), _read_npz(file)
    for array, (key, shape) in zip(arrays, _FULL_SHAPES.items(), strict=True):
        if array.dtype != np.uint8 or array.shape != shape:
            raise ValueError(
                f"{key} in {source} must be uint8 of shape {shape}, got {array.dtype} of shape "
                f"{array.shape}; replace it with the original"
            )
    digest = hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()
    if digest != _FULL[name]:
        raise ValueError(
            f"{source} does not hold the original {name!r}: its arrays have SHA-256 {digest}, "
            f"expected {_FULL[name]}; replace it with the original"
        )
    return arrays


def _read_npz(file: Path) -> list[np.ndarray]:
    try:
        if not zipfile.is_zipfile(file):
            raise ValueError("it is not a zip archive")
        with np.load(file, allow_pickle=False) as archive:
            return [archive[key] for key in _FULL_SHAPES]
    except (ValueError, KeyError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(
            f"{file} cannot be read as an npz file of the plain arrays "
            f"{', '.join(_FULL_SHAPES)}: {error}; replace it with the original"
        ) from error


def _ask_keras(name: str) -> list[np.ndarray]:
    from vae_tutorial._tensorflow import keras  # slow, so only when it is needed

    try:
        train, test = getattr(keras.datasets, _stem(name)).load_data()
    except Exception as error:  # Keras raises a bare Exception where a download fails
        reason = f"Keras can neither find nor download it ({error})"
        raise FileNotFoundError(_how_to_get(name, reason)) from error
    return [*train, *test]


def _stem(name: str) -> str:
    """Return what Keras and its files call a full set."""
    return name.replace("-", "_")


def _how_to_get(name: str, reason: str) -> str:
    return (
        f"the full set {name!r} is not at hand: {reason}. Three ways to get it: "
        "connect to a network and unset VAE_TUTORIAL_DATA, so that Keras downloads it once; "
        f"set VAE_TUTORIAL_DATA to a folder that holds {_stem(name)}.npz; "
        "or pass such a folder as data_dir=. "
        f"The bundled sample {name.removesuffix('-mnist')}-5k needs none of these."
    )


def _find_files(folder: Path) -> tuple[list[tuple[str, Path]], dict[Path, str]]:
    """Return (label name, file) pairs in order, and what cannot be used with the reason."""
    if not folder.is_dir():
        kind = NotADirectoryError if folder.exists() else FileNotFoundError
        raise kind(f"path must be a folder of images, but {folder} is none; check its spelling")
    entries = _visible(folder)
    label_folders = [entry for entry in entries if entry.is_dir()]
    found, problems = [], {}
    if label_folders:
        loose = [entry for entry in entries if not entry.is_dir()]
        problems = dict.fromkeys(loose, "lies beside the sub-folders, so it has no label")
    for label_folder in label_folders or [folder]:
        files = _visible(label_folder)
        found += [(label_folder.name, file) for file in files]
        if not files:
            problems[label_folder] = "an empty folder"
    if not found:
        raise ValueError(f"{folder} holds no images; pass a folder of JPEG or PNG images")
    return found, problems


def _visible(folder: Path) -> list[Path]:
    # By name, not by path: Windows compares paths without regard to case.
    files = (entry for entry in folder.iterdir() if not entry.name.startswith("."))
    return sorted(files, key=lambda entry: entry.name)


def _read_image(file: Path, size: tuple[int, int], mode: str) -> np.ndarray:
    """Return one image as uint8, upright, opaque, of ``size`` (width, height) and ``mode``."""
    if not file.is_file():
        raise ValueError("not a file; images must lie directly in their label's folder")
    if file.stat().st_size == 0:
        raise ValueError("an empty file")
    with Image.open(file, formats=("JPEG", "PNG")) as opened:
        image = ImageOps.exif_transpose(opened)
    if image.mode.startswith("I"):  # 16-bit grey, which Pillow's convert would clip
        image = Image.fromarray(np.rint(np.asarray(image) / 257).astype(np.uint8))
    if image.mode.endswith(("A", "a")) or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return np.asarray(ImageOps.fit(image.convert(mode), size))


def _report(folder: Path, problems: dict[Path, str], skip_broken: bool) -> None:
    """Refuse, or warn, naming what cannot be used."""
    listed = "\n".join(
        f"  {file.relative_to(folder).as_posix()!r}: {why}" for file, why in problems.items()
    )
    if skip_broken:
        warnings.warn(f"left out of {folder}:\n{listed}", stacklevel=3)
        return
    raise ValueError(
        f"{folder} holds what cannot be used as an image:\n{listed}\n"
        "Mend or remove it, or pass skip_broken=True to leave it out"
    )


def _check_positions(values, name: str, target: str, length: int) -> np.ndarray:
    array = np.asarray(values)
    array = check_labels(array, name) if array.size else np.empty(0, np.int64)
    if array.size and not 0 <= array.min() <= array.max() < length:
        raise ValueError(
            f"{name} must be positions in {target}, 0 to {length - 1}, "
            f"got values from {array.min()} to {array.max()}; count from 0"
        )
    return array


def _check_path(value, name: str) -> Path:
    if not isinstance(value, str | os.PathLike):
        raise TypeError(f"{name} must be a path, got {value!r} of type {type(value).__name__}")
    if value == "":
        raise ValueError(f"{name} is an empty string; pass '.' for the current folder")
    return Path(value).expanduser()


def _check_size(size) -> tuple[int, int]:
    if not isinstance(size, tuple | list) or len(size) != 2:
        raise TypeError(f"size must be a pair (height, width) in pixels, got {size!r}")
    return check_count(size[0], "the height in size"), check_count(size[1], "the width in size")


def _check_fraction(value) -> None:
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"query_fraction must be a number, got {value!r}")
    if value < 0 or not value <= 0.5:  # so, NaN is refused too
        raise ValueError(f"query_fraction must lie between 0 and 0.5, got {value}; try 0.1")
