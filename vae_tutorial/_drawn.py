"""Checks of what figures are drawn from: pictures, their titles and marks, curves."""

import numpy as np
from numpy.typing import ArrayLike

from vae_tutorial._checks import check_images
from vae_tutorial._words import _


def check_pictures(images: ArrayLike, name: str) -> np.ndarray:
    """Return images of one channel or three."""
    images = check_images(images, name)
    if images.shape[3] not in (1, 3):
        raise ValueError(
            _(
                "{name} must have 1 (grey) or 3 (colour) channels, got {count}; select some with "
                "images[..., :3]",
                name=name,
                count=images.shape[3],
            )
        )
    return images


def check_results(
    query_images: ArrayLike, result_images: ArrayLike, correct: ArrayLike | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Return queries, their results of shape (n, k, height, width, channels), and their marks."""
    queries, results = check_pictures(query_images, "query_images"), np.asarray(result_images)
    if results.ndim != 5 or len(results) != len(queries):
        raise ValueError(
            _(
                "result_images must have shape ({count}, k, height, width, channels), got {shape}; "
                "index the gallery with the indices of a search",
                count=len(queries),
                shape=results.shape,
            )
        )
    if results.shape[2:] != queries.shape[1:]:
        raise ValueError(
            _(
                "queries and results must have one image shape, got {queries} and {results}; "
                "resize one of them",
                queries=queries.shape[1:],
                results=results.shape[2:],
            )
        )
    flat = check_pictures(results.reshape(-1, *results.shape[2:]), "result_images")
    marks = None if correct is None else np.asarray(correct)
    if marks is not None and (marks.shape != results.shape[:2] or marks.dtype != bool):
        raise ValueError(
            _(
                "correct must be bool of shape {shape}, got {dtype} of shape {found}; "
                "metrics.relevance makes it",
                shape=results.shape[:2],
                dtype=marks.dtype,
                found=marks.shape,
            )
        )
    return queries, flat.reshape(results.shape), marks


def check_reconstructions(images: ArrayLike, reconstructions: ArrayLike, labels) -> list:
    """Return both rows, after checking that they fit together and that each has a label."""
    rows = [check_pictures(images, "images"), check_pictures(reconstructions, "reconstructions")]
    if rows[0].shape != rows[1].shape:
        raise ValueError(
            _(
                "images and reconstructions must have one shape, got {shape} and {other}; "
                "reconstruct the images you show",
                shape=rows[0].shape,
                other=rows[1].shape,
            )
        )
    if len(labels) != 2:
        raise ValueError(_("labels must name the two rows, got {count}", count=len(labels)))
    return rows


def check_curve(values: ArrayLike, name: str, length: int) -> np.ndarray:
    """Return ``length`` finite numbers."""
    array = np.asarray(values)
    if array.dtype.kind not in "fui":
        raise TypeError(
            _(
                "{name} must be numbers, got dtype {dtype}; pass an array of floats",
                name=name,
                dtype=array.dtype,
            )
        )
    if array.shape != (length,) or length == 0 or not np.isfinite(array).all():
        raise ValueError(
            _(
                "{name} must hold {count} finite values, got shape {shape}; one value for each x",
                name=name,
                count=max(length, 1),
                shape=array.shape,
            )
        )
    return array
