"""Checks at the door: each says what came, what was expected, and how to mend it."""

import math
import numbers
import os
from collections.abc import Collection
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

# What arithmetic in float32 may leave a value beyond 0 or 1; four steps of its grid above 1.
_ROUNDING = 4 * float(np.finfo(np.float32).eps)


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
    if low < -_ROUNDING or high > 1 + _ROUNDING:
        near = low >= -0.01 and high <= 1.01
        raise ValueError(
            f"{name} must lie in [0, 1], got values from {_few_digits(low)} to "
            f"{_few_digits(high)}; "
            + (f"use {name}.clip(0, 1)" if near else "divide 8-bit images by 255")
        )
    array = array.astype(np.float32, copy=False)
    return array if low >= 0 and high <= 1 else array.clip(0, 1)


def _few_digits(value: np.generic) -> str:
    """Return six digits of ``value``, or all of them where six would call it 0 or 1."""
    short = f"{value:g}"
    return short if float(short) not in (0, 1) or float(short) == value else str(value)


def check_matrix(values: ArrayLike, name: str, *, columns: int | None = None) -> np.ndarray:
    """Return ``values`` as a finite float32 matrix, with ``columns`` columns where given."""
    array = np.asarray(values)
    if array.dtype.kind not in "fui":
        raise TypeError(
            f"{name} must be numbers, got dtype {array.dtype}; use {name}.astype(float) if they are"
        )
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
    if array.ndim != 1:
        raise ValueError(
            f"{name} must have shape (n,), got {array.shape}; {_way_to_one_axis(array, name)}"
        )
    array = check_whole(array, name)
    if array.size == 0:
        raise ValueError(f"{name} is empty; pass at least one label")
    if length is not None and len(array) != length:
        raise ValueError(f"{name} must have {length} entries, got {len(array)}; one label an image")
    return array.astype(np.int64, copy=False)


def check_whole(values: ArrayLike, name: str) -> np.ndarray:
    """Return ``values`` as an array of whole numbers, or say what they are instead."""
    array = np.asarray(values)
    if array.dtype.kind in "ui":
        return array
    raise TypeError(f"{name} must be whole numbers, {_way_to_whole_numbers(array, name)}")


def _way_to_one_axis(array: np.ndarray, name: str) -> str:
    """Return how an array of several axes becomes labels, as far as its content shows it."""
    if array.ndim == 2 and 1 in array.shape:
        return f"use {name}.ravel()"
    if array.ndim == 2 and array.size and array.dtype.kind in "bfui":
        if ((array != 0).sum(axis=1) == 1).all() and (array.max(axis=1) == 1).all():
            return f"a one-hot table becomes labels with {name}.argmax(axis=1)"
    return "pass one label an image, in one axis"


def _way_to_whole_numbers(array: np.ndarray, name: str) -> str:
    """Return what came and the conversion that fits it; ``astype(int)`` would hide most causes."""
    kind = array.dtype.kind
    if array.size == 0:
        return "but it is empty; pass at least one label"
    if kind == "b":
        return (
            "got dtype bool; if True and False are two classes, "
            f"use {name}.astype(int); if True marks positions, use np.flatnonzero({name})"
        )
    if kind == "f":
        for found, what in ((np.isnan(array), "NaN"), (np.isinf(array), "infinity")):
            if found.any():
                return f"but it holds {what}; leave those entries out, and their images too"
        no_number = array[(array != np.floor(array)) | (np.abs(array) >= 2**63)]
        if no_number.size:
            return f"got {no_number[0]:g}; number the classes 0, 1, 2 and so on"
        return f"got dtype {array.dtype}; use {name}.astype(int)"
    if kind == "O" and np.asarray(array.tolist()).dtype.kind in "ui":  # as pandas may hand them on
        return f"got dtype {array.dtype}; use {name}.astype(int)"
    if kind in "US" or all(isinstance(value, str) for value in array.flat):
        return (
            f"got text such as {array.flat[0]!s:.40}; number the names, those of queries and "
            f"gallery together, with np.unique({name}, return_inverse=True)[1]"
        )
    strange = next((value for value in array.flat if not _names_a_class(value)), array.flat[0])
    return f"got {strange!r} of type {type(strange).__name__}; leave it out or number it"


def _names_a_class(value: object) -> bool:
    if isinstance(value, bool):
        return False
    return isinstance(value, str) or (
        isinstance(value, numbers.Integral) and abs(int(value)) < 2**63
    )


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


def check_path(value: object, name: str) -> Path:
    """Return ``value`` as a path, with the user's home filled in."""
    if not isinstance(value, str | os.PathLike):
        raise TypeError(f"{name} must be a path, got {value!r} of type {type(value).__name__}")
    if value == "":
        raise ValueError(f"{name} is an empty string; pass '.' for the current folder")
    return Path(value).expanduser()
