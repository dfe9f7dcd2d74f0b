r"""Average precision: of a ranking, of its first R results, and where distances are equal.

The symbols and the rules are those of :mod:`vae_tutorial.metrics`, where all names can be found.
"""

import numpy as np
from numpy.typing import ArrayLike

from vae_tutorial._checks import check_choice, check_count
from vae_tutorial._rankings import check_ranking, divide, first_r
from vae_tutorial._words import _

BLOCK_BYTES = 2**24  # of one array, where a ranking is worked through a few queries at a time


def average_precision(
    relevant: ArrayLike, n_relevant: ArrayLike, *, k: int | None = None, denominator: str = "all"
) -> np.ndarray:
    r"""Average of the precisions at the ranks of the relevant results among the first k.

    .. math:: AP@k = \frac{1}{D} \sum_{j=1}^{k} r_j \, P@j

    Three denominators D are in use, and their numbers must not be compared with one another:

    - ``"all"``: R, all relevant images. What is not found within k counts as missed. The
      textbook's and trec_eval's (``map_cut``) meaning. Cannot reach 1 where k < R.
    - ``"min"``: min(k, R), the most that k results can hold. Common in recommender systems
      and Kaggle competitions (``apk`` of the ml_metrics package).
    - ``"found"``: the number of relevant results among the first k. Common in papers on
      hashing (the code of HashNet), and the meaning of torchmetrics'
      ``retrieval_average_precision`` with ``top_k``. What is missed costs nothing: one hit at
      rank 1 and nothing more scores 1.

    Over a ranking of the whole gallery (``k=None``) the three agree.
    Source: Manning et al. (2008), section 8.4. Introduced in chapter 1.

    Parameters
    ----------
    relevant : array (n_queries, n_ranked), bool
    n_relevant : array (n_queries,), int
    k : int, optional
        At least 1; by default the whole list given.
    denominator : "all", "min" or "found"

    Returns
    -------
    array (n_queries,), float64 in [0, 1]

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above, or ``n_relevant`` is less than what a row holds.

    Examples
    --------
    The precisions at ranks 1 and 3 are 1 and 2/3; two of four relevant images are found.

    >>> ranking = [[True, False, True, False, False]]
    >>> for denominator in ("all", "min", "found"):
    ...     print(average_precision(ranking, [4], k=3, denominator=denominator).round(3))
    [0.417]
    [0.556]
    [0.833]
    """
    relevant, n_relevant = check_ranking(relevant, n_relevant)
    k = relevant.shape[1] if k is None else check_count(k, "k")
    top = relevant[:, :k]
    divisors = {"all": n_relevant, "min": np.minimum(k, n_relevant), "found": top.sum(axis=1)}
    check_choice(denominator, "denominator", divisors)
    return divide(_sum_precisions(top), divisors[denominator])


def average_precision_at_r(relevant: ArrayLike, n_relevant: ArrayLike) -> np.ndarray:
    r"""Average precision over the first R results, where R is the number of relevant images.

    .. math:: AP@R = \frac{1}{R} \sum_{j=1}^{R} r_j \, P@j

    Its mean over queries is MAP@R. It is 1 only where the first R results are all relevant.
    Source: Musgrave et al. (2020).

    Parameters
    ----------
    relevant : array (n_queries, n_ranked), bool
    n_relevant : array (n_queries,), int

    Returns
    -------
    array (n_queries,), float64 in [0, 1]

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above, or ``n_relevant`` is less than what a row holds.

    Examples
    --------
    >>> average_precision_at_r([[True, False, True]], n_relevant=[2])
    array([0.5])
    """
    relevant, n_relevant = check_ranking(relevant, n_relevant)
    hits = first_r(relevant, n_relevant)
    return divide(_sum_precisions(hits), n_relevant)


def mean_average_precision(
    relevant: ArrayLike, n_relevant: ArrayLike, *, k: int | None = None, denominator: str = "all"
) -> float:
    """Mean over queries of :func:`average_precision`, known as mAP or MAP.

    Source: Manning et al. (2008), section 8.4. Introduced in chapter 1.

    Parameters
    ----------
    relevant, n_relevant, k, denominator
        As for :func:`average_precision`.

    Returns
    -------
    float in [0, 1]

    Raises
    ------
    TypeError, ValueError
        As :func:`average_precision` does.

    Examples
    --------
    >>> mean_average_precision([[True, False], [False, True]], n_relevant=[1, 1])
    0.75
    """
    return float(average_precision(relevant, n_relevant, k=k, denominator=denominator).mean())


def tie_aware_average_precision(
    relevant: ArrayLike, n_relevant: ArrayLike, distances: ArrayLike, *, k: int | None = None
) -> np.ndarray:
    r"""Average precision that does not depend on how equal distances happen to be ordered.

    The mean of :func:`average_precision` over all orders of the results that share a distance, by
    a formula and not by trying them. Rank j lies in a tie of m results, h of them relevant, that
    begins after rank s, with H relevant results before it:

    .. math:: AP@k = \frac{1}{R} \sum_{j=1}^{k} \frac{h}{m} \cdot \frac{1}{j}
              \left( H + 1 + (j - s - 1) \frac{h - 1}{m - 1} \right)

    the last fraction being 0 where m is 1. Codes of a few bits, or counts, need it: a search
    orders their ties by the place in the gallery, which may know the class.
    Source: McSherry and Najork (2008), "Computing information retrieval performance measures
    efficiently in the presence of tied scores", section 4.

    Parameters
    ----------
    relevant : array (n_queries, n_ranked), bool
    n_relevant : array (n_queries,), int
    distances : array (n_queries, n_ranked), float
        Ascending along each row, as a search returns them, which also returned what ``relevant``
        marks. A list that ends within a tie leaves out what might have stood there: rank the whole
        gallery, or cut where distances differ.
    k : int, optional
        At least 1; by default the whole list given.

    Returns
    -------
    array (n_queries,), float64 in [0, 1]

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above, or ``n_relevant`` is less than what a row holds.

    Examples
    --------
    Of three results at one distance the last is relevant. It could as well be the first or second.

    >>> ranking = [[False, False, True]]
    >>> average_precision(ranking, [1]).round(3)
    array([0.333])
    >>> tie_aware_average_precision(ranking, [1], [[5, 5, 5]]).round(3)
    array([0.611])
    """
    relevant, n_relevant = check_ranking(relevant, n_relevant)
    distances = _check_distances(distances, relevant.shape)
    k = relevant.shape[1] if k is None else check_count(k, "k")
    sums = np.empty(len(relevant))
    rows = max(1, BLOCK_BYTES // (8 * relevant.shape[1]))
    for start in range(0, len(relevant), rows):
        block = slice(start, start + rows)
        sums[block] = _expected_precisions(relevant[block], distances[block])[:, :k].sum(axis=1)
    return divide(sums, n_relevant)


def _expected_precisions(relevant: np.ndarray, distances: np.ndarray) -> np.ndarray:
    """Return, for each rank, the expected precision there times the chance of a hit there."""
    places = np.arange(relevant.shape[1])
    starts_tie = np.ones(relevant.shape, bool)
    starts_tie[:, 1:] = distances[:, 1:] != distances[:, :-1]
    ends_tie = np.roll(starts_tie, -1, axis=1)  # the first rank starts one, so the last ends one
    # For each rank the first rank of its tie, and the first after it.
    first = np.maximum.accumulate(np.where(starts_tie, places, 0), axis=1)
    after = np.where(ends_tie, places + 1, len(places))
    after = np.minimum.accumulate(after[:, ::-1], axis=1)[:, ::-1]
    found = np.pad(np.cumsum(relevant, axis=1), [(0, 0), (1, 0)])
    hits_before = np.take_along_axis(found, first, axis=1)
    hits, size = np.take_along_axis(found, after, axis=1) - hits_before, after - first
    hits_above = hits_before + (places - first) * (hits - 1) / np.maximum(size - 1, 1)
    return hits / size * (hits_above + 1) / (places + 1)


def _check_distances(values: ArrayLike, shape: tuple[int, ...]) -> np.ndarray:
    distances = np.asarray(values)
    if distances.dtype.kind not in "fui":
        raise TypeError(_("distances must be numbers, got dtype {dtype}", dtype=distances.dtype))
    if distances.shape != shape:
        raise ValueError(
            _(
                "distances must have the shape of relevant, {shape}, got {found}; "
                "pass those that the search returned",
                shape=shape,
                found=distances.shape,
            )
        )
    if np.isnan(distances).any() or (distances[:, 1:] < distances[:, :-1]).any():
        raise ValueError(
            _(
                "distances must ascend along each row, without NaN; pass those that the search "
                "returned, and where larger is nearer their negatives"
            )
        )
    return distances


def _sum_precisions(relevant: np.ndarray) -> np.ndarray:
    """Sum, for each row, the precisions at the ranks that hold a relevant result."""
    # Only hits are visited: in a full ranking of 60,000 images nine results in ten are not.
    rows, columns = np.nonzero(relevant)
    found = relevant.sum(axis=1)
    hits_before_row = np.cumsum(found) - found
    hits_so_far = np.arange(1, len(rows) + 1) - hits_before_row[rows]
    return np.bincount(rows, weights=hits_so_far / (columns + 1), minlength=len(relevant))
