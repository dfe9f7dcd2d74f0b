"""Comparison of scores: class by class, and of two methods that answered the same queries.

The names can also be found in :mod:`vae_tutorial.metrics`.
"""

import numpy as np
from numpy.typing import ArrayLike

from vae_tutorial._checks import check_count, check_number
from vae_tutorial._rankings import check_classes, without_label
from vae_tutorial._words import _

BLOCK_BYTES = 2**24  # of the resamples that are looked at together


def scores_by_class(
    scores: ArrayLike, query_labels: ArrayLike, *, unlabelled: int | str | None = -1
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean of any score over the queries of each class.

    A mean over all queries hides a class that fails, the more so the rarer the class. The mean of
    the means returned here weighs every class alike.

    Parameters
    ----------
    scores : array (n_queries,), float
        One number a query, as the functions of :mod:`vae_tutorial.metrics` return them.
    query_labels : array (n_queries,), int or str
    unlabelled : int, str or None
        The label of queries without a class, which are left out; None where every label is a class.

    Returns
    -------
    classes : array (n_classes,), int64 or str
        Ascending.
    means : array (n_classes,), float64
    counts : array (n_classes,), int64
        Queries of each class.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above, or no query has a label.

    Examples
    --------
    >>> classes, means, counts = scores_by_class([1.0, 0.5, 0.0], ["cat", "dog", "dog"])
    >>> for row in zip(classes.tolist(), means.tolist(), counts.tolist()):
    ...     print(*row)
    cat 1.0 1
    dog 0.25 2
    """
    scores = _check_scores(scores, "scores")
    labels = check_classes(query_labels, "query_labels", length=len(scores))
    known = ~without_label(labels, unlabelled)
    if not known.any():
        raise ValueError(
            _(
                "query_labels are all {unlabelled!r}, which stands for no label; pass "
                "unlabelled=None if it is a class",
                unlabelled=unlabelled,
            )
        )
    classes, places, counts = np.unique(labels[known], return_inverse=True, return_counts=True)
    return classes, np.bincount(places, weights=scores[known]) / counts, counts.astype(np.int64)


def paired_bootstrap(
    first: ArrayLike,
    second: ArrayLike,
    *,
    n_resamples: int = 10_000,
    confidence: float = 0.95,
    seed: int = 0,
) -> tuple[float, float, float]:
    r"""Difference of two methods' mean scores, with an interval for other queries of the kind.

    .. math:: \bar d = \frac{1}{Q} \sum_{i=1}^{Q} (a_i - b_i)

    with :math:`a_i` and :math:`b_i` what the methods score on query i. Queries are drawn again and
    again with replacement, each with *both* of its scores, and the interval is what lies between
    the outer quantiles of the mean differences. What makes a query hard for both methods cancels,
    so the interval is narrower than two separate ones suggest. If it holds 0, these queries do
    not tell the methods apart.
    Source: Efron and Tibshirani (1993), chapter 13; for retrieval, Sakai (2006). Introduced in
    chapter 1.

    Parameters
    ----------
    first, second : array (n_queries,), float
        Scores of the same queries in the same order.
    n_resamples : int
        How often the queries are drawn, at least 1.
    confidence : float
        Share of the resamples within the interval, between 0 and 1.
    seed : int
        Seed of the draws, not negative.

    Returns
    -------
    difference, low, high : float
        Mean of first minus second, and the ends of the interval.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above.

    Examples
    --------
    >>> better, worse = [0.9, 0.4, 0.8, 0.6], [0.8, 0.4, 0.5, 0.4]
    >>> difference, low, high = paired_bootstrap(better, worse)
    >>> print(f"{difference:.2f}, from {low:.2f} to {high:.2f}")
    0.15, from 0.05 to 0.25
    """
    first, second = _check_scores(first, "first"), _check_scores(second, "second")
    if len(first) != len(second):
        raise ValueError(
            _(
                "first and second must score the same queries, got {first} and {second} "
                "scores; run both methods on all of them",
                first=len(first),
                second=len(second),
            )
        )
    n_resamples = check_count(n_resamples, "n_resamples")
    confidence = check_number(confidence, "confidence", at_least=0, at_most=1)
    if confidence in (0, 1):
        raise ValueError(
            _(
                "confidence must lie between 0 and 1, got {confidence:g}; 0.95 is usual",
                confidence=confidence,
            )
        )
    rng = np.random.default_rng(check_count(seed, "seed", at_least=0))
    differences = first - second
    means = np.empty(n_resamples)
    rows = max(1, BLOCK_BYTES // (8 * len(differences)))
    for start in range(0, n_resamples, rows):
        size = min(rows, n_resamples - start), len(differences)
        means[start : start + rows] = differences[rng.integers(len(differences), size=size)].mean(1)
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(differences.mean()), float(low), float(high)


def _check_scores(values: ArrayLike, name: str) -> np.ndarray:
    """Return one finite number a query, as float64."""
    array = np.asarray(values)
    if array.dtype.kind not in "bfui":
        raise TypeError(
            _(
                "{name} must be numbers, got dtype {dtype}; pass one score a query",
                name=name,
                dtype=array.dtype,
            )
        )
    if array.ndim != 1 or array.size == 0:
        raise ValueError(
            _(
                "{name} must have shape (n_queries,) with at least one, got {shape}; pass one "
                "score a query and not their mean",
                name=name,
                shape=array.shape,
            )
        )
    if not np.isfinite(array).all():
        raise ValueError(
            _("{name} holds NaN or infinity; leave out those queries, in both methods", name=name)
        )
    return array.astype(np.float64)
