"""What scores of rankings share: checks of labels, places and tables of hits, and a division.

A conversion is advised only where it cannot hide the fault: ``astype(int)`` makes places 1 and 0
of a mask, and a label of NaN.
"""

import numbers

import numpy as np
from numpy.typing import ArrayLike

from vae_tutorial._words import _


def check_classes(
    values: ArrayLike, name: str, *, axes: int = 1, length: int | None = None
) -> np.ndarray:
    """Return labels as int64, or as strings where they are names, in an array of ``axes`` axes."""
    array = np.asarray(values)
    if array.ndim == axes + 1 and _is_one_hot(array):
        raise ValueError(
            _(
                "{name} must hold one label an image, got a one-hot table of shape {shape}; "
                "use {name}.argmax(axis=-1)",
                name=name,
                shape=array.shape,
            )
        )
    if axes == 2:
        check_table(array, name)
    elif array.ndim != 1:
        mend = _("pass one label an image")
        if array.shape[1:] == (1,):
            mend = _("use {name}.ravel()", name=name)
        raise ValueError(
            _(
                "{name} must have shape (n,), got {shape}; {mend}",
                name=name,
                shape=array.shape,
                mend=mend,
            )
        )
    elif array.size == 0:
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
    if array.dtype.kind == "O" and all(isinstance(value, str) for value in array.flat):
        array = array.astype(str)  # as pandas hands on names
    if array.dtype.kind == "U":
        return array
    if array.dtype.kind not in "ui":
        raise TypeError(
            _(
                "{name} must be whole numbers or names, {mend}",
                name=name,
                mend=_no_classes(array, name),
            )
        )
    if array.max() >= 2**63:
        raise ValueError(
            _(
                "{name} must lie below 2**63, got {high}; number the classes anew",
                name=name,
                high=array.max(),
            )
        )
    return array.astype(np.int64, copy=False)


def check_comparable(queries: np.ndarray, others: np.ndarray, names: str) -> None:
    """Refuse to compare names of classes with numbers; ``names`` says what is compared."""
    if queries.dtype.kind != others.dtype.kind:
        kinds = [
            _("names") if side.dtype.kind == "U" else _("numbers") for side in (queries, others)
        ]
        raise TypeError(
            _(
                "{names} must both be names or both be numbers, got {kinds}; no label "
                "would match any other",
                names=names,
                kinds=_(" and ").join(kinds),
            )
        )


def without_label(labels: np.ndarray, unlabelled: int | str | None) -> np.ndarray:
    """Mark the entries of ``labels`` that hold no class; where ``unlabelled`` is None, none do."""
    if unlabelled is not None and (
        isinstance(unlabelled, bool) or not isinstance(unlabelled, numbers.Integral | str)
    ):
        raise TypeError(
            _(
                "unlabelled must be a whole number, a name or None, got {unlabelled!r}; pass "
                "the label of images whose class is unknown",
                unlabelled=unlabelled,
            )
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
        raise TypeError(
            _(
                "{name} must be whole numbers, {mend}",
                name=name,
                mend=_no_places(array, name),
            )
        )
    if axes == 2:
        check_table(array, name)
    elif array.ndim != 1 or len(array) != length:
        raise ValueError(
            _(
                "{name} must have {length} entries, got shape {shape}",
                name=name,
                length=length,
                shape=array.shape,
            )
        )
    return array


def check_relevant(relevant: ArrayLike) -> np.ndarray:
    """Return ``relevant`` as a table of booleans."""
    array = np.asarray(relevant)
    if array.dtype != bool:
        only_bits = array.dtype.kind in "fui" and bool(np.isin(array, (0, 1)).all())
        mend = _(", or turn zeros and ones into booleans with relevant.astype(bool)")
        raise TypeError(
            _(
                "relevant must be boolean, got dtype {dtype}; make it with metrics.relevance{mend}",
                dtype=array.dtype,
                mend=mend if only_bits else "",
            )
        )
    return check_table(array, "relevant")


def check_ranking(relevant: ArrayLike, n_relevant: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return a table of booleans and, for each of its rows, how many relevant images exist."""
    relevant, n_relevant = check_relevant(relevant), np.asarray(n_relevant)
    if n_relevant.dtype.kind not in "ui":
        raise TypeError(
            _(
                "n_relevant must be whole numbers, got dtype {dtype}; make it with "
                "metrics.count_relevant",
                dtype=n_relevant.dtype,
            )
        )
    if n_relevant.shape != (len(relevant),):
        raise ValueError(
            _(
                "n_relevant must have shape ({count},), one count a query, got {shape}; make "
                "it with metrics.count_relevant",
                count=len(relevant),
                shape=n_relevant.shape,
            )
        )
    n_relevant = n_relevant.astype(np.int64)
    found = relevant.sum(axis=1)
    if (n_relevant < found).any():
        row = int(np.argmax(n_relevant < found))
        raise ValueError(
            _(
                "n_relevant[{row}] is {n_relevant}, but row {row} of relevant marks {found} "
                "results: more are found than exist; count over the whole gallery with "
                "metrics.count_relevant",
                row=row,
                n_relevant=n_relevant[row],
                found=found[row],
            )
        )
    return relevant, n_relevant


def check_table(array: np.ndarray, name: str) -> np.ndarray:
    """Return ``array`` if it has a row for each query and a column for each rank."""
    if array.ndim != 2 or array.size == 0:
        mend = _("; a single query becomes a row with {name}[np.newaxis]", name=name)
        raise ValueError(
            _(
                "{name} must have shape (n_queries, n_ranked) with at least one of each, got "
                "{shape}{mend}",
                name=name,
                shape=array.shape,
                mend=mend if array.ndim == 1 else "",
            )
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
        return _(
            "but it holds {missing} where a label is missing; leave those images out, or "
            "number the classes and put -1 there, which matches nothing",
            missing=missing[0],
        )
    if array.dtype.kind == "b":
        return _(
            "got dtype bool; use {name}.astype(int) if True and False are two classes, "
            "np.flatnonzero({name}) if True marks places",
            name=name,
        )
    if array.dtype.kind == "S":
        return _("got dtype {dtype}; use {name}.astype(str)", dtype=array.dtype, name=name)
    others = [value for value in values if not _is_whole(value)]
    if others:
        return _(
            "got {value!r}; number the classes 0, 1, 2 and so on, or name them", value=others[0]
        )
    return _("got dtype {dtype}; use {name}.astype(int)", dtype=array.dtype, name=name)


def _no_places(array: np.ndarray, name: str) -> str:
    """Say what came in place of places in a gallery, and the mend that fits it."""
    if array.dtype.kind == "b":
        return _(
            "got dtype bool, a mask; np.flatnonzero({name}) gives the places that it marks",
            name=name,
        )
    values = array.ravel().tolist()
    missing = [value for value in values if _is_missing(value)]
    if missing:
        return _(
            "but it holds {missing} where a place is missing; leave that result out",
            missing=missing[0],
        )
    if values and all(map(_is_whole, values)):
        return _("got dtype {dtype}; use {name}.astype(int)", dtype=array.dtype, name=name)
    return _("got dtype {dtype}; pass the indices that a search returned", dtype=array.dtype)


def _is_missing(value: object) -> bool:
    if isinstance(value, numbers.Real):
        return bool(value != value)
    return value is None or str(value) in ("<NA>", "NaT")  # as pandas and NumPy write it


def _is_whole(value: object) -> bool:
    if isinstance(value, bool):
        return False
    return isinstance(value, int) or (isinstance(value, float) and value.is_integer())
