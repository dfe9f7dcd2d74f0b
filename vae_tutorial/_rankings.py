"""What scores of rankings share: checks of labels, places and tables of hits, and a division.

A conversion is advised only where it cannot hide the fault: ``astype(int)`` makes places 1 and 0
of a mask, and a label of NaN.
"""

import numbers

import numpy as np
from numpy.typing import ArrayLike


def check_classes(
    values: ArrayLike, name: str, *, axes: int = 1, length: int | None = None
) -> np.ndarray:
    """Return labels as int64, or as strings where they are names, in an array of ``axes`` axes."""
    array = np.asarray(values)
    if array.ndim == axes + 1 and _is_one_hot(array):
        raise ValueError(
            f"{name} must hold one label an image, got a one-hot table of shape {array.shape}; "
            f"use {name}.argmax(axis=-1)"
        )
    if axes == 2:
        check_table(array, name)
    elif array.ndim != 1:
        mend = f"use {name}.ravel()" if array.shape[1:] == (1,) else "pass one label an image"
        raise ValueError(f"{name} must have shape (n,), got {array.shape}; {mend}")
    elif array.size == 0:
        raise ValueError(f"{name} is empty; pass at least one label")
    if length is not None and len(array) != length:
        raise ValueError(f"{name} must have {length} entries, got {len(array)}; one label an image")
    if array.dtype.kind == "O" and all(isinstance(value, str) for value in array.flat):
        array = array.astype(str)  # as pandas hands on names
    if array.dtype.kind == "U":
        return array
    if array.dtype.kind not in "ui":
        raise TypeError(f"{name} must be whole numbers or names, {_no_classes(array, name)}")
    if array.max() >= 2**63:
        raise ValueError(f"{name} must lie below 2**63, got {array.max()}; number the classes anew")
    return array.astype(np.int64, copy=False)


def check_comparable(queries: np.ndarray, others: np.ndarray, names: str) -> None:
    """Refuse to compare names of classes with numbers; ``names`` says what is compared."""
    if queries.dtype.kind != others.dtype.kind:
        kinds = ["names" if side.dtype.kind == "U" else "numbers" for side in (queries, others)]
        raise TypeError(
            f"{names} must both be names or both be numbers, got {' and '.join(kinds)}; "
            "no label would match any other"
        )


def without_label(labels: np.ndarray, unlabelled: int | str | None) -> np.ndarray:
    """Mark the entries of ``labels`` that hold no class; where ``unlabelled`` is None, none do."""
    if unlabelled is not None and (
        isinstance(unlabelled, bool) or not isinstance(unlabelled, numbers.Integral | str)
    ):
        raise TypeError(
            f"unlabelled must be a whole number, a name or None, got {unlabelled!r}; "
            "pass the label of images whose class is unknown"
        )
    if isinstance(unlabelled, str) == (labels.dtype.kind == "U") and unlabelled is not None:
        return labels == unlabelled
    return np.zeros(labels.shape, bool)


def check_places(
    values: ArrayLike, name: str, *, axes: int = 2, length: int | None = None
) -> np.ndarray:
    """Return places in a gallery, whole numbers in an array of ``axes`` axes."""
    array = np.asarray(values)
    if array.dtype.kind not in "ui":
        raise TypeError(f"{name} must be whole numbers, {_no_places(array, name)}")
    if axes == 2:
        check_table(array, name)
    elif array.ndim != 1 or len(array) != length:
        raise ValueError(f"{name} must have {length} entries, got shape {array.shape}")
    return array


def check_relevant(relevant: ArrayLike) -> np.ndarray:
    """Return ``relevant`` as a table of booleans."""
    array = np.asarray(relevant)
    if array.dtype != bool:
        only_bits = array.dtype.kind in "fui" and bool(np.isin(array, (0, 1)).all())
        mend = ", or turn zeros and ones into booleans with relevant.astype(bool)"
        raise TypeError(
            f"relevant must be boolean, got dtype {array.dtype}; make it with metrics.relevance"
            f"{mend if only_bits else ''}"
        )
    return check_table(array, "relevant")


def check_ranking(relevant: ArrayLike, n_relevant: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return a table of booleans and, for each of its rows, how many relevant images exist."""
    relevant, n_relevant = check_relevant(relevant), np.asarray(n_relevant)
    if n_relevant.dtype.kind not in "ui":
        raise TypeError(
            f"n_relevant must be whole numbers, got dtype {n_relevant.dtype}; "
            "make it with metrics.count_relevant"
        )
    if n_relevant.shape != (len(relevant),):
        raise ValueError(
            f"n_relevant must have shape ({len(relevant)},), one count a query, "
            f"got {n_relevant.shape}; make it with metrics.count_relevant"
        )
    n_relevant = n_relevant.astype(np.int64)
    found = relevant.sum(axis=1)
    if (n_relevant < found).any():
        row = int(np.argmax(n_relevant < found))
        raise ValueError(
            f"n_relevant[{row}] is {n_relevant[row]}, but row {row} of relevant marks {found[row]} "
            "results: more are found than exist; count over the whole gallery with "
            "metrics.count_relevant"
        )
    return relevant, n_relevant


def check_table(array: np.ndarray, name: str) -> np.ndarray:
    """Return ``array`` if it has a row for each query and a column for each rank."""
    if array.ndim != 2 or array.size == 0:
        mend = f"; a single query becomes a row with {name}[np.newaxis]" if array.ndim == 1 else ""
        raise ValueError(
            f"{name} must have shape (n_queries, n_ranked) with at least one of each, "
            f"got {array.shape}{mend}"
        )
    return array


def divide(values: np.ndarray, divisor: np.ndarray) -> np.ndarray:
    """Divide, with 0.0 where there is nothing to divide by: no relevant image, no score."""
    return np.divide(values, divisor, out=np.zeros(len(values)), where=divisor > 0)


def first_r(relevant: np.ndarray, n_relevant: np.ndarray) -> np.ndarray:
    """Blank out each row after its own first ``n_relevant`` results."""
    ranks = np.arange(1, relevant.shape[1] + 1)
    return relevant & (ranks <= n_relevant[:, np.newaxis])


def _is_one_hot(array: np.ndarray) -> bool:
    if array.dtype.kind not in "bfui" or array.size == 0 or array.shape[-1] == 1:
        return False
    return bool(((array == 0) | (array == 1)).all() and (array.sum(axis=-1) == 1).all())


def _no_classes(array: np.ndarray, name: str) -> str:
    """Say what came in place of labels, and the mend that fits it."""
    values = array.ravel().tolist()
    missing = [value for value in values if _is_missing(value)]
    if missing:
        return (
            f"but it holds {missing[0]} where a label is missing; leave those images out, or "
            "number the classes and put -1 there, which matches nothing"
        )
    if array.dtype.kind == "b":
        return (
            f"got dtype bool; use {name}.astype(int) if True and False are two classes, "
            f"np.flatnonzero({name}) if True marks places"
        )
    if array.dtype.kind == "S":
        return f"got dtype {array.dtype}; use {name}.astype(str)"
    others = [value for value in values if not _is_whole(value)]
    if others:
        return f"got {others[0]!r}; number the classes 0, 1, 2 and so on, or name them"
    return f"got dtype {array.dtype}; use {name}.astype(int)"


def _no_places(array: np.ndarray, name: str) -> str:
    """Say what came in place of places in a gallery, and the mend that fits it."""
    if array.dtype.kind == "b":
        return f"got dtype bool, a mask; np.flatnonzero({name}) gives the places that it marks"
    values = array.ravel().tolist()
    missing = [value for value in values if _is_missing(value)]
    if missing:
        return f"but it holds {missing[0]} where a place is missing; leave that result out"
    if values and all(map(_is_whole, values)):
        return f"got dtype {array.dtype}; use {name}.astype(int)"
    return f"got dtype {array.dtype}; pass the indices that a search returned"


def _is_missing(value: object) -> bool:
    if isinstance(value, numbers.Real):
        return bool(value != value)
    return value is None or str(value) in ("<NA>", "NaT")  # as pandas and NumPy write it


def _is_whole(value: object) -> bool:
    if isinstance(value, bool):
        return False
    return isinstance(value, int) or (isinstance(value, float) and value.is_integer())
