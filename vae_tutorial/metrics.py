r"""Retrieval metrics: how good a ranked list of results is, from which of them are relevant.

Column j of ``relevant`` says whether the result at rank j + 1 is relevant, so each function is a
few lines of counting. In the equations :math:`r_j` is 1 where the result at rank j is relevant
and 0 elsewhere, and R is ``n_relevant``, the number of relevant images in the whole gallery.

Two rules hold throughout. A ``k`` beyond the end of the list counts the missing results as not
relevant, as trec_eval does. A query with no relevant image in the gallery gets 0.0 and stays in
the mean; other code may leave it out.

Labels are whole numbers, or names of classes. An image without a label, -1 unless ``unlabelled``
says otherwise, is of no class: it matches nothing, not even another one without a label.
"""

import numpy as np
from numpy.typing import ArrayLike

from vae_tutorial._checks import check_count
from vae_tutorial._rankings import check_ranking, divide, first_r
from vae_tutorial._rankings import check_relevant as _check_relevant  # its name on a page
from vae_tutorial._words import _
from vae_tutorial.comparison import paired_bootstrap, scores_by_class
from vae_tutorial.matching import count_relevant, knn_accuracy, relevance
from vae_tutorial.precision import (
    average_precision,
    average_precision_at_r,
    mean_average_precision,
    tie_aware_average_precision,
)

__all__ = [
    "average_precision",
    "average_precision_at_r",
    "count_relevant",
    "hit_rate_at_k",
    "knn_accuracy",
    "mean_average_precision",
    "mean_reciprocal_rank",
    "ndcg_at_k",
    "paired_bootstrap",
    "precision_at_k",
    "r_precision",
    "recall_at_k",
    "reciprocal_rank",
    "relevance",
    "scores_by_class",
    "tie_aware_average_precision",
]
MOST_IDEAL_HITS = 10**8  # summing the ideal gain of more would take gigabytes


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
    with at least one relevant image among the first k, here :func:`hit_rate_at_k`.
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
    relevant, n_relevant = check_ranking(relevant, n_relevant)
    k = check_count(k, "k")
    return divide(relevant[:, :k].sum(axis=1), n_relevant)


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
    relevant, n_relevant = check_ranking(relevant, n_relevant)
    return divide(first_r(relevant, n_relevant).sum(axis=1), n_relevant)


def hit_rate_at_k(relevant: ArrayLike, k: int) -> np.ndarray:
    r"""Tell, for each query, whether at least one of the first k results is relevant.

    .. math:: \max_{j \le k} r_j

    Its mean over queries is the hit rate, or success@k. Papers on metric learning call it Recall@k,
    which is something else: see :func:`recall_at_k`.
    Source: Musgrave et al. (2020).

    Parameters
    ----------
    relevant : array (n_queries, n_ranked), bool
    k : int
        At least 1.

    Returns
    -------
    array (n_queries,), float64, 0 or 1

    Raises
    ------
    TypeError, ValueError
        If ``relevant`` is not a boolean table or k is not a whole number from 1.

    Examples
    --------
    >>> hit_rate_at_k([[False, True, True], [False, False, True]], k=2)
    array([1., 0.])
    """
    relevant = _check_relevant(relevant)
    k = check_count(k, "k")
    return np.asarray(relevant[:, :k].any(axis=1), dtype=np.float64)


def reciprocal_rank(relevant: ArrayLike, *, k: int | None = None) -> np.ndarray:
    r"""One divided by the rank of the first relevant result; 0 where there is none.

    .. math:: RR = 1 / \min \{ j : r_j = 1 \}

    For one relevant image in the gallery this is also the average precision.
    Source: Voorhees (1999), "The TREC-8 question answering track report".

    Parameters
    ----------
    relevant : array (n_queries, n_ranked), bool
    k : int, optional
        Only the first k results count, at least 1; by default the whole list given.

    Returns
    -------
    array (n_queries,), float64 in [0, 1]

    Raises
    ------
    TypeError, ValueError
        If ``relevant`` is not a boolean table or k is not a whole number from 1.

    Examples
    --------
    >>> reciprocal_rank([[False, True, True], [False, False, False]])
    array([0.5, 0. ])
    """
    relevant = _check_relevant(relevant)
    top = relevant if k is None else relevant[:, : check_count(k, "k")]
    ranks = np.where(top.any(axis=1), 1 + top.argmax(axis=1), 0)
    return divide(np.ones(len(top)), ranks)


def mean_reciprocal_rank(relevant: ArrayLike, *, k: int | None = None) -> float:
    """Mean over queries of :func:`reciprocal_rank`, known as MRR.

    Source: Voorhees (1999), as there.

    Parameters
    ----------
    relevant, k
        As for :func:`reciprocal_rank`.

    Returns
    -------
    float in [0, 1]

    Raises
    ------
    TypeError, ValueError
        As :func:`reciprocal_rank` does.

    Examples
    --------
    >>> mean_reciprocal_rank([[False, True], [True, False]])
    0.75
    """
    return float(reciprocal_rank(relevant, k=k).mean())


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
        If an argument is not as above, ``n_relevant`` is less than what a row holds, or k and
        ``n_relevant`` both exceed 100,000,000.

    Examples
    --------
    >>> ndcg_at_k([[True, True, False], [False, True, True]], n_relevant=[2, 2], k=3).round(3)
    array([1.   , 0.693])
    """
    relevant, n_relevant = check_ranking(relevant, n_relevant)
    k = check_count(k, "k")
    top = relevant[:, :k]
    ideal_hits = np.minimum(k, n_relevant)
    if ideal_hits.max() > MOST_IDEAL_HITS:
        raise ValueError(
            _(
                "the ideal ranking would hold {count:,} relevant results, at most "
                "{most:,} can be summed; check n_relevant, or give a smaller k",
                count=ideal_hits.max(),
                most=MOST_IDEAL_HITS,
            )
        )
    ranks = np.arange(1, max(top.shape[1], ideal_hits.max()) + 1)
    discounts = 1 / np.log2(1 + ranks)
    gain = top @ discounts[: top.shape[1]]
    ideal_gain = np.append(0.0, np.cumsum(discounts))[ideal_hits]
    return divide(gain, ideal_gain)
