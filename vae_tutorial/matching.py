"""Matching of labels: which results show their query's class, how many exist, and a vote.

The rules on labels are those of :mod:`vae_tutorial.metrics`, where all names can be found.
"""

import numpy as np
from numpy.typing import ArrayLike

from vae_tutorial._checks import check_count
from vae_tutorial._rankings import check_classes, check_comparable, check_places, without_label
from vae_tutorial._words import _


def relevance(
    query_labels: ArrayLike,
    gallery_labels: ArrayLike,
    indices: ArrayLike,
    *,
    unlabelled: int | str | None = -1,
) -> np.ndarray:
    """Mark the results that show the same class as their query.

    Introduced in chapter 1.

    Parameters
    ----------
    query_labels : array (n_queries,), int or str
    gallery_labels : array (n_gallery,), int or str
    indices : array (n_queries, k), int
        Gallery positions of the results, best first, as a search returns them.
    unlabelled : int, str or None
        The label of images without a class, which match nothing; None where every label is a class.

    Returns
    -------
    array (n_queries, k), bool

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above, or an index is outside the gallery.

    Examples
    --------
    >>> relevance([7, 1], gallery_labels=[1, 7, 7], indices=[[2, 0], [0, 1]])
    array([[ True, False],
           [ True, False]])
    """
    indices = check_places(indices, "indices")
    queries, gallery = _check_labels(query_labels, gallery_labels, unlabelled)
    if len(queries) != len(indices):
        raise ValueError(
            _(
                "query_labels must have {count} entries, got {got}; one label for "
                "each row of indices",
                count=len(indices),
                got=len(queries),
            )
        )
    low, high = indices.min(), indices.max()
    if low < 0 or high >= len(gallery):
        raise ValueError(
            _(
                "indices must lie in 0 to {last}, got {low} to {high}; pass the labels of the "
                "gallery that was searched, and drop padding such as -1",
                last=len(gallery) - 1,
                low=low,
                high=high,
            )
        )
    return gallery[indices] == queries[:, np.newaxis]


def count_relevant(
    query_labels: ArrayLike, gallery_labels: ArrayLike, *, unlabelled: int | str | None = -1
) -> np.ndarray:
    """Count the gallery images of each query's class.

    Where the queries are gallery images kept out of their own results, subtract one.
    Introduced in chapter 1.

    Parameters
    ----------
    query_labels : array (n_queries,), int or str
    gallery_labels : array (n_gallery,), int or str
    unlabelled : int, str or None
        The label of images without a class, which match nothing; None where every label is a class.

    Returns
    -------
    array (n_queries,), int64

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above.

    Examples
    --------
    >>> count_relevant([7, 1, 4], gallery_labels=[1, 7, 7])
    array([2, 1, 0])
    """
    queries, gallery = _check_labels(query_labels, gallery_labels, unlabelled)
    classes, inverse = np.unique(queries, return_inverse=True)
    sizes = [np.count_nonzero(gallery == label) for label in classes]
    return np.array(sizes, dtype=np.int64)[inverse]


def knn_accuracy(
    query_labels: ArrayLike,
    neighbour_labels: ArrayLike,
    k: int,
    *,
    unlabelled: int | str | None = -1,
) -> float:
    """Share of queries whose class is the one most frequent among their k nearest neighbours.

    Where classes draw, the smallest label wins, as in scikit-learn's ``KNeighborsClassifier``
    with uniform weights. A neighbour without a label has no vote; a query without one, or none of
    whose neighbours has one, counts as wrong.
    Source: Manning et al. (2008), section 14.3. Introduced in chapter 1.

    Parameters
    ----------
    query_labels : array (n_queries,), int or str
    neighbour_labels : array (n_queries, n_ranked), int or str
        ``gallery_labels[indices]``, nearest first.
    k : int
        From 1 to n_ranked.
    unlabelled : int, str or None
        The label of images without a class; None where every label is a class.

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
    neighbours = check_classes(neighbour_labels, "neighbour_labels", axes=2)
    queries = check_classes(query_labels, "query_labels", length=len(neighbours))
    check_comparable(queries, neighbours, "query_labels and neighbour_labels")
    k = check_count(k, "k", at_most=neighbours.shape[1])
    nearest = neighbours[:, :k]
    voting = ~without_label(nearest, unlabelled)
    classes = np.unique(nearest)
    votes = np.stack([((nearest == label) & voting).sum(axis=1) for label in classes], axis=1)
    # argmax takes the first of equal maxima, and np.unique sorts: the smallest label wins.
    winners = classes[votes.argmax(axis=1)]
    known = ~without_label(queries, unlabelled) & voting.any(axis=1)
    return float(((winners == queries) & known).mean())


def _check_labels(
    query_labels: ArrayLike, gallery_labels: ArrayLike, unlabelled: int | str | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return both sides' labels as numbers that are equal where the images are of one class."""
    queries = check_classes(query_labels, "query_labels")
    gallery = check_classes(gallery_labels, "gallery_labels")
    check_comparable(queries, gallery, "query_labels and gallery_labels")
    known = ~without_label(queries, unlabelled)
    if queries.dtype.kind == "U" or not known.all():
        numbers = np.unique(np.concatenate([queries, gallery]), return_inverse=True)[1]
        # A query without a label gets a number that nothing in the gallery has.
        queries = np.where(known, numbers[: len(queries)], -1)
        gallery = numbers[len(queries) :]
    return queries, gallery
