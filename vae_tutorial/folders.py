"""A folder of the reader's own images: what lies in it, and what of it can be used."""

import numbers
import os
import warnings
from pathlib import Path

import numpy as np

from vae_tutorial._checks import check_count, check_path
from vae_tutorial._dataset import Dataset, scale, split
from vae_tutorial._pictures import MAX_PIXELS, read_picture
from vae_tutorial._words import _
from vae_tutorial.progress import Progress

__all__ = ["MAX_PIXELS", "load_folder"]

# What systems leave in folders, in small letters. Names that start with a dot are ignored too.
_LITTER = {"thumbs.db", "ehthumbs.db", "desktop.ini", "__macosx", "icon\r", "@eadir"}
_LITTER |= {"$recycle.bin", "system volume information", "lost+found"}


def load_folder(
    path: str | os.PathLike,
    *,
    size: tuple[int, int] = (28, 28),
    colour: bool = False,
    query_fraction: float = 0.1,
    skip_broken: bool = False,
    progress: bool = True,
) -> Dataset:
    """Load a folder of images; its sub-folders are the labels.

    JPEG, PNG, WebP, GIF, TIFF, BMP, AVIF and JPEG 2000 are read (AVIF from Pillow 11.3), and HEIC
    after ``pillow_heif.register_heif_opener()``; of several frames or pages, the first. Images are
    turned upright by their EXIF tag, laid on white where they are transparent, cropped around the
    centre to the proportions of ``size``, and resized. Labels and images are in the order of their
    names. Names that start with a dot are ignored, and what systems leave in folders, such as
    ``Thumbs.db``.

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

    Notes
    -----
    Large JPEG images are decoded at a half, a quarter or an eighth of their size. An image that
    has more than ``folders.MAX_PIXELS`` = 100 million pixels to decode cannot be used; at that
    limit reading it takes about 1 GB of memory, for WebP and JPEG 2000 about 2 GB. What Pillow
    has to say of images that it could read comes as one warning that names them.

    Introduced in chapter 7.

    Examples
    --------
    >>> import tempfile
    >>> from PIL import Image
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
    folder = check_path(path, "path").resolve()
    height, width = _check_size(size)
    _check_fraction(query_fraction)
    for flag, value in (("colour", colour), ("skip_broken", skip_broken)):
        if not isinstance(value, bool):
            raise TypeError(
                _("{flag} must be True or False, got {value!r}", flag=flag, value=value)
            )
    found, problems = _find_files(folder)
    pixels, names = [], []
    doubts: dict[Path, str] = {}
    title = _("Reading {count:,} images", count=len(found))
    with Progress(title, len(found) or 1, enabled=progress) as shown:
        for label, file in found:
            try:
                picture, notes = read_picture(file, (width, height), "RGB" if colour else "L")
            except ValueError as error:
                problems[file] = str(error)
            else:
                pixels.append(picture)
                names.append(label)
                if notes:
                    doubts[file] = "; ".join(dict.fromkeys(notes))
            shown.step()
    if problems and not skip_broken:
        raise ValueError(
            _(
                "{folder} holds what cannot be used as an image:\n{listed}\nMend or remove it, "
                "or pass skip_broken=True to leave it out",
                folder=folder,
                listed=_listed(folder, problems),
            )
        )
    left_out = _("left out of {folder}:", folder=folder)
    doubtful = _("read, but to be looked at, in {folder}:", folder=folder)
    for what, files in ((left_out, problems), (doubtful, doubts)):
        if files:
            warnings.warn(f"{what}\n{_listed(folder, files)}", stacklevel=2)
    if not pixels:
        raise ValueError(
            _("no image in {folder} can be used; pass a folder of images", folder=folder)
        )
    number = {label: position for position, label in enumerate(dict.fromkeys(names))}
    labels = np.array([number[label] for label in names])
    every = round(min(1 / query_fraction, len(labels) + 1)) if query_fraction else len(labels) + 1
    gallery, query = split(labels, every)
    if query_fraction and not len(query):
        raise ValueError(
            _(
                "no label in {folder} has the {count:,} images it takes for one query; raise "
                "query_fraction, or pass 0 for a gallery without queries",
                folder=folder,
                count=round(1 / query_fraction),
            )
        )
    images = scale(np.stack(pixels).reshape(len(pixels), height, width, -1))
    return Dataset(folder.name, images, labels, tuple(number), gallery, query)


def _find_files(folder: Path) -> tuple[list[tuple[str, Path]], dict[Path, str]]:
    """Return (label name, file) pairs in order, and what cannot be used with the reason."""
    if not os.path.isdir(folder):  # unlike Path.is_dir, this takes a forbidden one as none
        kind = NotADirectoryError if os.path.exists(folder) else FileNotFoundError
        raise kind(
            _(
                "path must be a folder of images, but {folder} is none; check its spelling",
                folder=folder,
            )
        )
    try:
        entries = _visible(folder)
    except OSError as error:
        raise type(error)(
            _("{folder} cannot be opened: {error}", folder=folder, error=error.strerror)
        ) from error
    if not entries:
        raise ValueError(_("{folder} holds no images; pass a folder of images", folder=folder))
    label_folders = [entry for entry in entries if os.path.isdir(entry)]
    if not label_folders:
        return [(folder.name, file) for file in entries], {}
    loose = [entry for entry in entries if not os.path.isdir(entry)]
    problems = dict.fromkeys(loose, _("lies beside the sub-folders, so it has no label"))
    found, splits = [], {}
    for label_folder in label_folders:
        try:
            files = _visible(label_folder)
        except OSError as error:
            words = _("a folder that cannot be opened: {error}", error=error.strerror)
            problems[label_folder] = words
            continue
        if not files:
            problems[label_folder] = _("an empty folder")
        elif all(os.path.isdir(file) for file in files):
            splits[label_folder] = files
            words = _("holds no image, only folders; pass it by itself to read them")
            problems[label_folder] = words
        else:
            found += [(label_folder.name, file) for file in files]
    if splits and not found:
        _refuse_splits(folder, splits)
    return found, problems


def _visible(folder: Path) -> list[Path]:
    # By name, not by path: Windows compares paths without regard to case.
    names = sorted(os.listdir(folder))
    return [folder / name for name in names if name[0] != "." and name.lower() not in _LITTER]


def _refuse_splits(folder: Path, splits: dict[Path, list[Path]]) -> None:
    """Say what layout was found where images lie a level too deep, and what to pass instead."""
    example = next(iter(splits))
    names = ", ".join(repr(split.name) for split in splits)
    raise ValueError(
        _(
            "{folder} has folders in its folders {names}, for example {first!r}, and no "
            "image at the level where load_folder looks: images must lie in the folder of "
            "their label, path/label/image. Pass one of them: load_folder({path!r})",
            folder=folder,
            names=names,
            first=splits[example][0].relative_to(folder).as_posix(),
            path=str(example),
        )
    )


def _listed(folder: Path, files: dict[Path, str]) -> str:
    return "\n".join(
        f"  {file.relative_to(folder).as_posix()!r}: {what}" for file, what in files.items()
    )


def _check_size(size) -> tuple[int, int]:
    if not isinstance(size, tuple | list) or len(size) != 2:
        raise TypeError(_("size must be a pair (height, width) in pixels, got {size!r}", size=size))
    return check_count(size[0], _("the height in size")), check_count(
        size[1], _("the width in size")
    )


def _check_fraction(value) -> None:
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(_("query_fraction must be a number, got {value!r}", value=value))
    if value < 0 or not value <= 0.5:  # so, NaN is refused too
        raise ValueError(
            _("query_fraction must lie between 0 and 0.5, got {value}; try 0.1", value=value)
        )
