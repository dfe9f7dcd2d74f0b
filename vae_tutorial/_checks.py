"""Checks at the door: each says what came, what was expected, and how to mend it."""

import math
import numbers
import os
from collections.abc import Collection
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from vae_tutorial._words import _

# What arithmetic in float32 may leave a value beyond 0 or 1; four steps of its grid above 1.
_ROUNDING = 4 * float(np.finfo(np.float32).eps)


def check_images(images: ArrayLike, name: str = "images") -> np.ndarray:
    """Return ``images`` as float32 of shape (n, height, width, channels), values in [0, 1]."""
    array = np.asarray(images)
    if array.dtype.kind not in "fui":
        raise TypeError(
            _(
                "{name} must be numbers, got dtype {dtype}; pass floats in [0, 1]",
                name=name,
                dtype=array.dtype,
            )
        )
    if array.ndim != 4:
        raise ValueError(
            _(
                "{name} must have shape (n, height, width, channels), got {shape}; add a "
                "missing axis with images[np.newaxis] or images[..., np.newaxis]",
                name=name,
                shape=array.shape,
            )
        )
    if array.size == 0:
        raise ValueError(
            _(
                "{name} is empty, shape {shape}; pass at least one image",
                name=name,
                shape=array.shape,
            )
        )
    if not np.isfinite(array).all():
        raise ValueError(
            _("{name} holds NaN or infinity; clean it, for example with np.nan_to_num", name=name)
        )
    low, high = array.min(), array.max()
    if low < -_ROUNDING or high > 1 + _ROUNDING:
        near = low >= -0.01 and high <= 1.01
        mend = _("use {name}.clip(0, 1)", name=name) if near else _("divide 8-bit images by 255")
        raise ValueError(
            _(
                "{name} must lie in [0, 1], got values from {low} to {high}; {mend}",
                name=name,
                low=_few_digits(low),
                high=_few_digits(high),
                mend=mend,
            )
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
            _(
                "{name} must be numbers, got dtype {dtype}; use {name}.astype(float) if they are",
                name=name,
                dtype=array.dtype,
            )
        )
    if array.ndim != 2:
        raise ValueError(
            _(
                "{name} must have two axes (n, dimension), got shape {shape}; a single row "
                "becomes one with row[np.newaxis]",
                name=name,
                shape=array.shape,
            )
        )
    if array.size == 0:
        raise ValueError(
            _("{name} is empty, shape {shape}; pass at least one row", name=name, shape=array.shape)
        )
    if columns is not None and array.shape[1] != columns:
        raise ValueError(
            _(
                "{name} must have {columns} columns, got {count}; use the encoder that made "
                "the gallery",
                name=name,
                columns=columns,
                count=array.shape[1],
            )
        )
    if not np.isfinite(array).all():
        raise ValueError(_("{name} holds NaN or infinity; remove those rows first", name=name))
    return array.astype(np.float32, copy=False)


def check_labels(
    labels: ArrayLike, name: str = "labels", *, length: int | None = None
) -> np.ndarray:
    """Return ``labels`` as int64 of shape (n,), with ``length`` entries where given."""
    array = np.asarray(labels)
    if array.ndim != 1:
        raise ValueError(
            _(
                "{name} must have shape (n,), got {shape}; {mend}",
                name=name,
                shape=array.shape,
                mend=_way_to_one_axis(array, name),
            )
        )
    array = check_whole(array, name)
    if array.size == 0:
        raise ValueError(_("{name} is empty; pass at least one label", name=name))
    if length is not None and len(array) != length:
        raise ValueError(
            _(
                "{name} must have {length} entries, got {count}; one label an image",
                name=name,
                length=length,
                count=len(array),
            )
        )
    return array.astype(np.int64, copy=False)


def check_whole(values: ArrayLike, name: str) -> np.ndarray:
    """Return ``values`` as an array of whole numbers, or say what they are instead."""
    array = np.asarray(values)
    if array.dtype.kind in "ui":
        return array
    raise TypeError(
        _(
            "{name} must be whole numbers, {mend}",
            name=name,
            mend=_way_to_whole_numbers(array, name),
        )
    )


def _way_to_one_axis(array: np.ndarray, name: str) -> str:
    """Return how an array of several axes becomes labels, as far as its content shows it."""
    if array.ndim == 2 and 1 in array.shape:
        return _("use {name}.ravel()", name=name)
    if array.ndim == 2 and array.size and array.dtype.kind in "bfui":
        if ((array != 0).sum(axis=1) == 1).all() and (array.max(axis=1) == 1).all():
            return _("a one-hot table becomes labels with {name}.argmax(axis=1)", name=name)
    return _("pass one label an image, in one axis")


def _way_to_whole_numbers(array: np.ndarray, name: str) -> str:
    """Return what came and the conversion that fits it; ``astype(int)`` would hide most causes."""
    kind = array.dtype.kind
    if array.size == 0:
        return _("but it is empty; pass at least one label")
    if kind == "b":
        return _(
            "got dtype bool; if True and False are two classes, use {name}.astype(int); if "
            "True marks positions, use np.flatnonzero({name})",
            name=name,
        )
    if kind == "f":
        for found, what in ((np.isnan(array), "NaN"), (np.isinf(array), _("infinity"))):
            if found.any():
                return _(
                    "but it holds {what}; leave those entries out, and their images too", what=what
                )
        no_number = array[(array != np.floor(array)) | (np.abs(array) >= 2**63)]
        if no_number.size:
            return _("got {value:g}; number the classes 0, 1, 2 and so on", value=no_number[0])
        return _("got dtype {dtype}; use {name}.astype(int)", dtype=array.dtype, name=name)
    if kind == "O" and np.asarray(array.tolist()).dtype.kind in "ui":  # as pandas may hand them on
        return _("got dtype {dtype}; use {name}.astype(int)", dtype=array.dtype, name=name)
    if kind in "US" or all(isinstance(value, str) for value in array.flat):
        return _(
            "got text such as {text!s:.40}; number the names, those of queries and gallery "
            "together, with np.unique({name}, return_inverse=True)[1]",
            text=array.flat[0],
            name=name,
        )
    strange = next((value for value in array.flat if not _names_a_class(value)), array.flat[0])
    return _(
        "got {value!r} of type {kind}; leave it out or number it",
        value=strange,
        kind=type(strange).__name__,
    )


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
        raise TypeError(
            _(
                "{name} must be a whole number, got {value!r} of type {kind}",
                name=name,
                value=value,
                kind=kind,
            )
        )
    count = int(value)
    if count < at_least:
        raise ValueError(
            _(
                "{name} must be at least {at_least}, got {count}",
                name=name,
                at_least=at_least,
                count=count,
            )
        )
    if at_most is not None and count > at_most:
        raise ValueError(
            _(
                "{name} must be at most {at_most}, got {count}; ask for fewer",
                name=name,
                at_most=at_most,
                count=count,
            )
        )
    return count


def check_number(
    value: object, name: str, *, at_least: float = -np.inf, at_most: float = np.inf
) -> float:
    """Return ``value`` as a finite float within [at_least, at_most]."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(
            _(
                "{name} must be a number, got {value!r} of type {kind}",
                name=name,
                value=value,
                kind=type(value).__name__,
            )
        )
    try:
        number = float(value)
    except OverflowError:  # a whole number of over 300 digits
        number = math.inf
    if number < at_least or not (number <= at_most and math.isfinite(number)):
        limits = _("{low:g} to {high:g}", low=at_least, high=at_most)
        if at_most == np.inf:
            limits = _("at least {low:g}", low=at_least)
        raise ValueError(
            _(
                "{name} must be finite, {limits}, got {number:g}",
                name=name,
                limits=limits,
                number=number,
            )
        )
    return number


def check_choice(value: object, name: str, choices: Collection[str]) -> str:
    """Return ``value`` if it is one of ``choices``."""
    if not isinstance(value, str):
        raise TypeError(
            _("{name} must be a string, got {kind}", name=name, kind=type(value).__name__)
        )
    if value not in choices:
        raise ValueError(
            _(
                "{name} must be one of {names}, got {value!r}",
                name=name,
                names=", ".join(map(repr, choices)),
                value=value,
            )
        )
    return value


def check_path(value: object, name: str) -> Path:
    """Return ``value`` as a path, with the user's home filled in."""
    if not isinstance(value, str | os.PathLike):
        raise TypeError(
            _(
                "{name} must be a path, got {value!r} of type {kind}",
                name=name,
                value=value,
                kind=type(value).__name__,
            )
        )
    if value == "":
        raise ValueError(_("{name} is an empty string; pass '.' for the current folder", name=name))
    return Path(value).expanduser()
