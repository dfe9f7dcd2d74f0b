"""What wrong results have to do with the right ones, for mistakes that no exercise knows."""

import numpy as np

from vae_tutorial._words import _
from vae_tutorial.exercises._trial import same


def related(wanted, results) -> str:
    """Return in words what all results have in common with the right ones, or nothing."""
    if any(isinstance(got, Exception) for got in results):
        return ""
    if isinstance(wanted[0], tuple):
        return _parts(wanted, results)
    pairs = [(np.asarray(want), got) for want, got in zip(wanted, results, strict=True)]
    if any(got.dtype.kind not in "fiub" or want.dtype.kind == "O" for want, got in pairs):
        return ""
    if any(np.isnan(got).any() and not np.isnan(want).any() for want, got in pairs):
        return ""  # the root of a negative number is NaN as well: that tells nothing
    pairs = [(_signed(want), _signed(got)) for want, got in pairs]
    with np.errstate(all="ignore"):
        for words, change in CHANGES.items():
            if all(_is(change, want, got) for want, got in pairs):
                return _(words)
        return _scaled(pairs) or _constant(pairs)


def _signed(values):
    """Return values that arithmetic leaves as they are: no truth values, no unsigned bytes."""
    return values if values.dtype.kind == "f" else values.astype(np.int64)


def _is(change, want, got) -> bool:
    try:
        return same(*change(want, got))
    except (ValueError, IndexError):  # not for arrays of this form
        return False


def _parts(wanted, results) -> str:
    if all(same(want[::-1], got) for want, got in zip(wanted, results, strict=True)):
        return _("Your results are the right ones in exchanged order.")
    for part, words in enumerate(PARTS):
        if all(same(want[part], got[part]) for want, got in zip(wanted, results, strict=True)):
            return _(words)
    return ""


def _scaled(pairs) -> str:
    """Tell whether all results are the right ones times one number, or plus one number."""
    if any(want.shape != got.shape for want, got in pairs):
        return ""
    want, got = (np.concatenate([p[i].ravel() for p in pairs]) for i in (0, 1))
    if not np.isfinite(got).all() or np.ptp(want) == 0:
        return ""
    largest, smallest = np.abs(want).argmax(), np.abs(want).argmin()
    factor, shift = got[largest] / want[largest], got[smallest] - want[smallest]
    if factor and abs(factor - 1) > 1e-3 and same(factor * want, got):
        return _("Your results are the right ones multiplied by {factor:.4g}.", factor=factor)
    if abs(shift) > 1e-3 * max(1, abs(want[smallest])) and same(want + shift, got):
        return _("Your results are the right ones plus {shift:.4g}.", shift=shift)
    return ""


def _constant(pairs) -> str:
    first = pairs[0][1]
    if all(same(first, got) for _want, got in pairs):
        return _("Your results are the same for every input.")
    return ""


PARTS = (
    "The first of your results is right, the second is not.",
    "The second of your results is right, the first is not.",
)
# Each returns two arrays that agree where the words are true.
CHANGES = {
    "Your results are the right ones with the opposite sign.": lambda w, g: (-w, g),
    "Your results are the right ones with rows and columns exchanged.": lambda w, g: (
        (w.T, g) if w.ndim == 2 else (0, 1)
    ),
    "Your results are the right ones with an axis of length 1 too many. Look for keepdims, or for "
    "brackets.": lambda w, g: (w, g.reshape(w.shape)) if g.ndim > w.ndim else (0, 1),
    "Your results are the right ones in another shape.": lambda w, g: (
        (w.ravel(), g.ravel()) if w.shape != g.shape else (0, 1)
    ),
    "Your results are the right ones in reversed order.": lambda w, g: (w[::-1], g),
    "Your results are the right ones in another order.": lambda w, g: (np.sort(w), np.sort(g)),
    "Your results are the right ones rounded to whole numbers.": lambda w, g: (
        (w, g) if same(w, g) else (np.round(w), g)
    ),
    "Your results are the right ones rounded down, as by // or int.": lambda w, g: (
        (w, g) if same(w, g) else (np.trunc(w), g)
    ),
    "Your results are the right ones rounded to a few decimals.": lambda w, g: _rounded(w, g),
    "Your results are the square roots of the right ones.": lambda w, g: (np.sqrt(w), g),
    "Your results are the squares of the right ones.": lambda w, g: (w**2, g),
    "Your results are the absolute values of the right ones.": lambda w, g: (np.abs(w), g),
    "Your results are the exponentials of the right ones.": lambda w, g: (np.exp(w), g),
    "Your results are the logarithms of the right ones.": lambda w, g: (np.log(w), g),
    "Your results are one over the right ones: upside down.": lambda w, g: (1 / w, g),
    "Your results are one minus the right ones.": lambda w, g: (1 - w, g),
    "Your results are the sum of the right ones, one number in place of an array.": lambda w, g: (
        (w.sum(), g) if w.ndim else (0, 1)
    ),
    "Your results are the mean of the right ones, one number in place of an array.": lambda w, g: (
        (w.mean(), g) if w.ndim else (0, 1)
    ),
    "Your results still have to be added up over an axis.": lambda w, g: _reduced(w, g, np.sum),
    "Your results still have to be averaged over an axis.": lambda w, g: _reduced(w, g, np.mean),
    "Your results are the first of the right ones only.": lambda w, g: (w[0], g),
}


def _rounded(want, got):
    """Return the right result with as many decimals, of three at most, as ``got`` has."""
    tries = (np.round(want, decimals) for decimals in (3, 2, 1))
    return (want, got) if same(want, got) else (next((w for w in tries if same(w, got)), want), got)


def _reduced(want, got, how):
    """Return the right result and ``got`` reduced over one more axis, the one that fits."""
    if got.ndim <= want.ndim:
        return 0, 1
    axes = tuple(range(got.ndim)) if want.ndim == 0 else None
    if axes is not None:
        return want, how(got, axis=axes)
    fitting = [how(got, axis=axis) for axis in range(got.ndim)]
    return want, next((g for g in fitting if same(want, g)), got)
