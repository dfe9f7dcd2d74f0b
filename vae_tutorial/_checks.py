"""Checks at the door: each says what came, what was expected, and how to mend it."""

import math
import numbers
from collections.abc import Collection

import numpy as np
from numpy.typing import ArrayLike


def check_images(images: ArrayLike, name: str = "images") -> np.ndarray:
    """Return ``images`` as float32 of shape (n, height, width, channels), values in [0, 1]."""
    array = np.asarray(images)
    if array.dtype.kind not in "fui":
        raise TypeError(f"{name} must be numbers, got dtype {array.dtype}; pass floats in [0, 1]")
    if array.ndim != 4:
        raise ValueError(
            f"{name} must have shape (n, height, width, channels), got {array.shape}; "
            "add a missing axis with images[np.newaxis] or images[..., np.newaxis]"
        )
    if array.size == 0:
        raise ValueError(f"{name} is empty, shape {array.shape}; pass at least one image")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} holds NaN or infinity; clean it, for example with np.nan_to_num")
    low, high = array.min(), array.max()
    if low < 0 or high > 1:
        raise ValueError(
            f"{name} must lie in [0, 1], got values from {low:g} to {high:g}; "
            "divide 8-bit images by 255"
        )
    return array.astype(np.float32, copy=False)


def check_matrix(values: ArrayLike, name: str, *, columns: int | None = None) -> np.ndarray:
    """Return ``values`` as a finite float32 matrix, with ``columns`` columns where given."""
    array = np.asarray(values)
    if array.dtype.kind not in "fui":
        raise TypeError(f"{name} must be numbers, got dtype {array.dtype}; pass a NumPy array")
    if array.ndim != 2:
        raise ValueError(
            f"{name} must have two axes (n, dimension), got shape {array.shape}; "
            "a single row becomes one with row[np.newaxis]"
        )
    if array.size == 0:
        raise ValueError(f"{name} is empty, shape {array.shape}; pass at least one row")
    if columns is not None and array.shape[1] != columns:
        raise ValueError(
            f"{name} must have {columns} columns, got {array.shape[1]}; "
            "use the encoder that made the gallery"
        )
    if not np.isfinite(array).all():
        raise ValueError(f"{name} holds NaN or infinity; remove those rows first")
    return array.astype(np.float32, copy=False)


def check_labels(
    labels: ArrayLike, name: str = "labels", *, length: int | None = None
) -> np.ndarray:
    """Return ``labels`` as int64 of shape (n,), with ``length`` entries where given."""
    array = np.asarray(labels)
    if array.dtype.kind not in "ui":
        raise TypeError(
            f"{name} must be whole numbers, got dtype {array.dtype}; use labels.astype(int)"
        )
    if array.ndim != 1:
        raise ValueError(f"{name} must have shape (n,), got {array.shape}; use labels.ravel()")
    if array.size == 0:
        raise ValueError(f"{name} is empty; pass at least one label")
    if length is not None and len(array) != length:
        raise ValueError(f"{name} must have {length} entries, got {len(array)}; one label an image")
    return array.astype(np.int64, copy=False)


def check_count(value: object, name: str, *, at_least: int = 1, at_most: int | None = None) -> int:
    """Return ``value`` as an int within [at_least, at_most]."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        kind = type(value).__name__
        raise TypeError(f"{name} must be a whole number, got {value!r} of type {kind}")
    count = int(value)
    if count < at_least:
        raise ValueError(f"{name} must be at least {at_least}, got {count}")
    if at_most is not None and count > at_most:
        raise ValueError(f"{name} must be at most {at_most}, got {count}; ask for fewer")
    return count


def check_number(
    value: object, name: str, *, at_least: float = -np.inf, at_most: float = np.inf
) -> float:
    """Return ``value`` as a finite float within [at_least, at_most]."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name} must be a number, got {value!r} of type {type(value).__name__}")
    try:
        number = float(value)
    except OverflowError:  # a whole number of over 300 digits
        number = math.inf
    if number < at_least or not (number <= at_most and math.isfinite(number)):
        limits = f"at least {at_least:g}" if at_most == np.inf else f"{at_least:g} to {at_most:g}"
        raise ValueError(f"{name} must be finite, {limits}, got {number:g}")
    return number


def check_choice(value: object, name: str, choices: Collection[str]) -> str:
    """Return ``value`` if it is one of ``choices``."""
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a string, got {type(value).__name__}")
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, choices))}, got {value!r}")
    return value
