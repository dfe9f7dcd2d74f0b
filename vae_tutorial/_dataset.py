"""The class of all image sets, and how a set is split and scaled."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from vae_tutorial._checks import check_images, check_labels
from vae_tutorial._words import _


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
                _(
                    "label_groups must name a group for each of the {count} labels, got "
                    "{got}; pass as many, or none",
                    count=len(self.label_names),
                    got=len(checked["label_groups"]),
                )
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


def split(labels: np.ndarray, every: int) -> tuple[np.ndarray, np.ndarray]:
    """Return gallery and query indices: the last of every ``every`` images of a label queries."""
    position = np.empty(len(labels), np.int64)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        position[members] = np.arange(len(members))
    is_query = position % every == every - 1
    return np.flatnonzero(~is_query), np.flatnonzero(is_query)


def scale(images: np.ndarray) -> np.ndarray:
    """Return 8-bit images as float32 in [0, 1], with a channel axis."""
    scaled = images.astype(np.float32)
    scaled /= 255  # in place: the full sets take 220 MB
    return scaled if scaled.ndim == 4 else scaled[..., np.newaxis]


def _check_positions(values, name: str, target: str, length: int) -> np.ndarray:
    array = np.asarray(values)
    array = check_labels(array, name) if array.size else np.empty(0, np.int64)
    if array.size and not 0 <= array.min() <= array.max() < length:
        raise ValueError(
            _(
                "{name} must be positions in {target}, 0 to {last}, got values from {low} to "
                "{high}; count from 0",
                name=name,
                target=target,
                last=length - 1,
                low=array.min(),
                high=array.max(),
            )
        )
    return array
