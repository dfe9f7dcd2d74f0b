r"""Retrieval metrics: how good a ranked list of results is, from which of them are relevant.

Column j of ``relevant`` says whether the result at rank j + 1 is relevant, so each function is a
few lines of counting. In the equations :math:`r_j` is 1 where the result at rank j is relevant
and 0 elsewhere, and R is ``n_relevant``, the number of relevant images in the whole gallery.

Two rules hold throughout. A ``k`` beyond the end of the list counts the missing results as not
relevant, as trec_eval does. A query with no relevant image in the gallery gets 0.0 and stays in
the mean; other code may leave it out.
"""

import numpy as np
from numpy.typing import ArrayLike

from vae_tutorial._checks import check_choice, check_count, check_labels


def relevance(query_labels: ArrayLike, gallery_labels: ArrayLike, indices: ArrayLike) -> np.ndarray:
    """Mark the results that show the same class as their query.

    Introduced in chapter 1.

    Parameters
    ----------
    query_labels : array (n_queries,), int
    gallery_labels : array (n_gallery,), int
    indices : array (n_queries, k), int
        Gallery positions of the results, best first, as a search returns them.

    Returns
    -------
    array (n_queries, k), bool

    Raises
    ------
    TypeError, ValueError
        If labels or indices are not whole numbers of these shapes, or an index is outside the
        gallery.

    Examples
    --------
    >>> relevance([7, 1], gallery_labels=[1, 7, 7], indices=[[2, 0], [0, 1]])
    array([[ True, False],
           [ True, False]])
    """
    indices = _check_integer_table(indices, "indices")
    query_labels = check_labels(query_labels, "query_labels", length=len(indices))
    gallery_labels = check_labels(gallery_labels, "gallery_labels")
    low, high = indices.min(), indices.max()
    if low < 0 or high >= len(gallery_labels):
        raise ValueError(
            f"indices must lie in 0 to {len(gallery_labels) - 1}, got {low} to {high}; "
            "pass the labels of the gallery that was searched, and drop padding such as -1"
        )
    return gallery_labels[indices] == query_labels[:, np.newaxis]


def count_relevant(query_labels: ArrayLike, gallery_labels: ArrayLike) -> np.ndarray:
    """Count the gallery images of each query's class.

    Where the queries are gallery images kept out of their own results, subtract one.
    Introduced in chapter 1.

    Parameters
    ----------
    query_labels : array (n_queries,), int
    gallery_labels : array (n_gallery,), int

    Returns
    -------
    array (n_queries,), int64

    Raises
    ------
    TypeError, ValueError
        If labels are not whole numbers of these shapes.

    Examples
    --------
    >>> count_relevant([7, 1, 4], gallery_labels=[1, 7, 7])
    array([2, 1, 0])
    """
    query_labels = check_labels(query_labels, "query_labels")
    gallery_labels = check_labels(gallery_labels, "gallery_labels")
    classes, inverse = np.unique(query_labels, return_inverse=True)
    sizes = [np.count_nonzero(gallery_labels == label) for label in classes]
    return np.array(sizes, dtype=np.int64)[inverse]


def precision_at_k(relevant, k: int) -> np.ndarray:
    r"""Share of the first k results that are relevant.

    .. math:: P@k = \frac{1}{k} \sum_{j=1}^{k} r_j

    Source: Manning et al. (2008), section 8.4. Introduced in chapter 1.

    Parameters
    ----------
    relevant : array (n_queries, n_ranked), bool
    k : int
        At least 1. The denominator is k even where the list is shorter.

    Returns
    -------
    array (n_queries,), float64 in [0, 1]

    Raises
    ------
    TypeError, ValueError
        If ``relevant`` is not a boolean table or k is not a whole number from 1.

    Examples
    --------
    >>> precision_at_k([[True, False, True, True]], k=2)
    array([0.5])
    """
    relevant = _check_relevant(relevant)
    k = check_count(k, "k")
    return relevant[:, :k].sum(axis=1) / k


def recall_at_k(relevant: ArrayLike, n_relevant: ArrayLike, k: int) -> np.ndarray:
    r"""Share of all relevant images that are among the first k results.

    .. math:: \text{Recall}@k = \frac{1}{R} \sum_{j=1}^{k} r_j

    In papers on metric learning, "Recall@k" often means something else: the share of queries
    with at least one relevant image among the first k.
    Source: Manning et al. (2008), section 8.3. Introduced in chapter 1.

    Parameters
    ----------
    relevant : array (n_queries, n_ranked), bool
    n_relevant : array (n_queries,), int
    k : int
        At least 1.

    Returns
    -------
    array (n_queries,), float64 in [0, 1]

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above, or ``n_relevant`` is less than what a row holds.

    Examples
    --------
    >>> recall_at_k([[True, False, True, True]], n_relevant=[4], k=3)
    array([0.5])
    """
    relevant, n_relevant = _check_ranking(relevant, n_relevant)
    k = check_count(k, "k")
    return _divide(relevant[:, :k].sum(axis=1), n_relevant)


def r_precision(relevant: ArrayLike, n_relevant: ArrayLike) -> np.ndarray:
    r"""Precision among the first R results, where R is the number of relevant images.

    .. math:: \frac{1}{R} \sum_{j=1}^{R} r_j

    At this rank precision and recall are equal.
    Source: Manning et al. (2008), section 8.4. Introduced in chapter 1.

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
    >>> r_precision([[True, False, True, True]], n_relevant=[4])
    array([0.75])
    """
    relevant, n_relevant = _check_ranking(relevant, n_relevant)
    return _divide(_first_r(relevant, n_relevant).sum(axis=1), n_relevant)


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
    relevant, n_relevant = _check_ranking(relevant, n_relevant)
    k = relevant.shape[1] if k is None else check_count(k, "k")
    top = relevant[:, :k]
    divisors = {"all": n_relevant, "min": np.minimum(k, n_relevant), "found": top.sum(axis=1)}
    check_choice(denominator, "denominator", divisors)
    return _divide(_sum_precisions(top), divisors[denominator])


def average_precision_at_r(relevant: ArrayLike, n_relevant: ArrayLike) -> np.ndarray:
    r"""Average precision over the first R results, where R is the number of relevant images.

    .. math:: AP@R = \frac{1}{R} \sum_{j=1}^{R} r_j \, P@j

    Its mean over queries is MAP@R. It is 1 only where the first R results are all relevant.
    Source: Musgrave et al. (2020). Introduced in chapter 1.

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
    relevant, n_relevant = _check_ranking(relevant, n_relevant)
    hits = _first_r(relevant, n_relevant)
    return _divide(_sum_precisions(hits), n_relevant)


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


def ndcg_at_k(relevant: ArrayLike, n_relevant: ArrayLike, k: int) -> np.ndarray:
    r"""Normalised discounted cumulative gain: hits count less the lower they stand.

    .. math:: nDCG@k = \sum_{j=1}^{k} \frac{r_j}{\log_2(1 + j)} \Big/
              \sum_{j=1}^{\min(k, R)} \frac{1}{\log_2(1 + j)}

    The lower sum is the gain of an ideal ranking. The discount is today's usual one, also
    scikit-learn's; the paper's own starts one rank later.
    Source: Järvelin and Kekäläinen (2002). Introduced in chapter 1.

    Parameters
    ----------
    relevant : array (n_queries, n_ranked), bool
    n_relevant : array (n_queries,), int
    k : int
        At least 1.

    Returns
    -------
    array (n_queries,), float64 in [0, 1]

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above, or ``n_relevant`` is less than what a row holds.

    Examples
    --------
    >>> ndcg_at_k([[True, True, False], [False, True, True]], n_relevant=[2, 2], k=3).round(3)
    array([1.   , 0.693])
    """
    relevant, n_relevant = _check_ranking(relevant, n_relevant)
    k = check_count(k, "k")
    top = relevant[:, :k]
    ideal_hits = np.minimum(k, n_relevant)
    ranks = np.arange(1, max(top.shape[1], ideal_hits.max()) + 1)
    discounts = 1 / np.log2(1 + ranks)
    gain = top @ discounts[: top.shape[1]]
    ideal_gain = np.append(0.0, np.cumsum(discounts))[ideal_hits]
    return _divide(gain, ideal_gain)


def knn_accuracy(query_labels: ArrayLike, neighbour_labels: ArrayLike, k: int) -> float:
    """Share of queries whose class is the one most frequent among their k nearest neighbours.

    Where classes draw, the smallest label wins, as in scikit-learn's ``KNeighborsClassifier``
    with uniform weights.
    Source: Manning et al. (2008), section 14.3. Introduced in chapter 1.

    Parameters
    ----------
    query_labels : array (n_queries,), int
    neighbour_labels : array (n_queries, n_ranked), int
        ``gallery_labels[indices]``, nearest first.
    k : int
        From 1 to n_ranked.

    Returns
    -------
    float in [0, 1]

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above.

    Examples
    --------
    The first vote is won by 7. The second is a draw of 4, 5 and 9, which goes to 4.

    >>> knn_accuracy([7, 9], neighbour_labels=[[7, 1, 7], [9, 4, 5]], k=3)
    0.5
    """
    neighbour_labels = _check_integer_table(neighbour_labels, "neighbour_labels")
    query_labels = check_labels(query_labels, "query_labels", length=len(neighbour_labels))
    k = check_count(k, "k", at_most=neighbour_labels.shape[1])
    nearest = neighbour_labels[:, :k]
    classes = np.unique(nearest)
    votes = np.stack([(nearest == label).sum(axis=1) for label in classes], axis=1)
    # argmax takes the first of equal maxima, and np.unique sorts: the smallest label wins.
    winners = classes[votes.argmax(axis=1)]
    return float((winners == query_labels).mean())


def _sum_precisions(relevant: np.ndarray) -> np.ndarray:
    """Sum, for each row, the precisions at the ranks that hold a relevant result."""
    # Only hits are visited: in a full ranking of 60,000 images nine results in ten are not.
    rows, columns = np.nonzero(relevant)
    found = relevant.sum(axis=1)
    hits_before_row = np.cumsum(found) - found
    hits_so_far = np.arange(1, len(rows) + 1) - hits_before_row[rows]
    return np.bincount(rows, weights=hits_so_far / (columns + 1), minlength=len(relevant))


def _first_r(relevant: np.ndarray, n_relevant: np.ndarray) -> np.ndarray:
    """Blank out each row after its own first ``n_relevant`` results."""
    ranks = np.arange(1, relevant.shape[1] + 1)
    return relevant & (ranks <= n_relevant[:, np.newaxis])


def _divide(values: np.ndarray, divisor: np.ndarray) -> np.ndarray:
    """Divide, with 0.0 where there is nothing to divide by: no relevant image, no score."""
    return np.divide(values, divisor, out=np.zeros(len(values)), where=divisor > 0)


def _check_relevant(relevant: ArrayLike) -> np.ndarray:
    array = np.asarray(relevant)
    if array.dtype != bool:
        raise TypeError(
            f"relevant must be boolean, got dtype {array.dtype}; make it with metrics.relevance, "
            "or turn zeros and ones into booleans with relevant.astype(bool)"
        )
    return _check_table(array, "relevant")


def _check_ranking(relevant: ArrayLike, n_relevant: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    relevant, n_relevant = _check_relevant(relevant), np.asarray(n_relevant)
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


def _check_integer_table(values: ArrayLike, name: str) -> np.ndarray:
    array = np.asarray(values)
    if array.dtype.kind not in "ui":
        raise TypeError(
            f"{name} must be whole numbers, got dtype {array.dtype}; "
            f"convert with {name}.astype(int)"
        )
    return _check_table(array, name)


def _check_table(array: np.ndarray, name: str) -> np.ndarray:
    if array.ndim != 2 or array.size == 0:
        raise ValueError(
            f"{name} must have shape (n_queries, n_ranked) with at least one of each, "
            f"got {array.shape}; a single query becomes a row with {name}[np.newaxis]"
        )
    return array
