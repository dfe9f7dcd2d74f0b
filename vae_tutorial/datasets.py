"""Image sets by name: three bundled samples, the full MNIST and Fashion-MNIST.

The class of all sets, and the reader of a folder of your own, are offered here too.
"""

import hashlib
import io
import os
import zipfile
import zlib
from pathlib import Path

import numpy as np

from vae_tutorial._checks import check_choice, check_path
from vae_tutorial._dataset import Dataset, scale, split
from vae_tutorial._words import _
from vae_tutorial.folders import load_folder

__all__ = ["Dataset", "load", "load_folder"]

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
            raise ValueError(
                _("data_dir is for full sets, but {name!r} is bundled; leave it out", name=name)
            )
        if name == "emoji":
            return _emoji(**_read_bundled(name))
        sample = _read_bundled(name)
        images, labels = sample["images"], sample["labels"]
        return Dataset(name, scale(images), labels, label_names, *split(labels, every=10))
    x_train, y_train, x_test, y_test = _read_full(name, data_dir)
    images, labels = np.concatenate([x_train, x_test]), np.concatenate([y_train, y_test])
    indices = np.arange(len(images))
    gallery, query = indices[: len(x_train)], indices[len(x_train) :]
    return Dataset(name, scale(images), labels, label_names, gallery, query)


def _emoji(google, twitter, names, groups) -> Dataset:
    """Return both drawings of every symbol: Google's as the gallery, Twitter's as the queries."""
    symbols = np.arange(len(names))
    images = scale(np.concatenate([google, twitter]))
    split = symbols, symbols + len(symbols)
    labels = np.tile(symbols, 2)
    return Dataset("emoji", images, labels, tuple(names.tolist()), *split, tuple(groups.tolist()))


def _read_bundled(name: str) -> dict[str, np.ndarray]:
    file = Path(__file__).parent / "data" / f"{name}.npz"
    if not file.is_file():
        raise FileNotFoundError(
            _("{file} is missing from the package; install vae_tutorial again", file=file)
        )
    content = file.read_bytes()
    if hashlib.sha256(content).hexdigest() != _BUNDLED[name]:
        raise ValueError(
            _(
                "{file} is damaged (its SHA-256 is not the expected one); install vae_tutorial "
                "again",
                file=file,
            )
        )
    with np.load(io.BytesIO(content), allow_pickle=False) as archive:
        return dict(archive)


def _read_full(name: str, data_dir) -> list[np.ndarray]:
    """Return x_train, y_train, x_test, y_test (uint8) from a folder or Keras, verified."""
    folder = os.environ.get("VAE_TUTORIAL_DATA") or None if data_dir is None else data_dir
    if folder is None:
        source = _("the copy that Keras keeps (usually in ~/.keras/datasets)")
        arrays = _ask_keras(name)
    else:
        file = check_path(folder, "data_dir") / f"{_stem(name)}.npz"
        if not file.is_file():
            raise FileNotFoundError(_how_to_get(name, _("there is no file {path}", path=file)))
        source, arrays = str(file), _read_npz(file)
    for array, (key, shape) in zip(arrays, _FULL_SHAPES.items(), strict=True):
        if array.dtype != np.uint8 or array.shape != shape:
            raise ValueError(
                _(
                    "{key} in {source} must be uint8 of shape {shape}, got {dtype} of shape "
                    "{array_shape}; replace it with the original",
                    key=key,
                    source=source,
                    shape=shape,
                    dtype=array.dtype,
                    array_shape=array.shape,
                )
            )
    digest = hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()
    if digest != _FULL[name]:
        raise ValueError(
            _(
                "{source} does not hold the original {name!r}: its arrays have SHA-256 "
                "{digest}, expected {wanted}; replace it with the original",
                source=source,
                name=name,
                digest=digest,
                wanted=_FULL[name],
            )
        )
    return arrays


def _read_npz(file: Path) -> list[np.ndarray]:
    try:
        if not zipfile.is_zipfile(file):
            raise ValueError(_("it is not a zip archive"))
        with np.load(file, allow_pickle=False) as archive:
            return [archive[key] for key in _FULL_SHAPES]
    except (ValueError, KeyError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(
            _(
                "{file} cannot be read as an npz file of the plain arrays {names}: {error}; "
                "replace it with the original",
                file=file,
                names=", ".join(_FULL_SHAPES),
                error=error,
            )
        ) from error


def _ask_keras(name: str) -> list[np.ndarray]:
    from vae_tutorial._tensorflow import keras  # slow, so only when it is needed

    try:
        train, test = getattr(keras.datasets, _stem(name)).load_data()
    except Exception as error:  # Keras raises a bare Exception where a download fails
        reason = _("Keras can neither find nor download it ({error})", error=error)
        raise FileNotFoundError(_how_to_get(name, reason)) from error
    return [*train, *test]


def _stem(name: str) -> str:
    """Return what Keras and its files call a full set."""
    return name.replace("-", "_")


def _how_to_get(name: str, reason: str) -> str:
    return _(
        "the full set {name!r} is not at hand: {reason}. Three ways to get it: connect "
        "to a network and unset VAE_TUTORIAL_DATA, so that Keras downloads it once; "
        "set VAE_TUTORIAL_DATA to a folder that holds {stem}.npz; or pass such a "
        "folder as data_dir=. The bundled sample {sample}-5k needs none of these.",
        name=name,
        reason=reason,
        stem=_stem(name),
        sample=name.removesuffix("-mnist"),
    )
