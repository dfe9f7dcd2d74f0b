"""What an image's neighbours say about it: query expansion, and results that share neighbours."""

import numpy as np
from numpy.typing import ArrayLike

from vae_tutorial._checks import check_count, check_number
from vae_tutorial._exact import BLOCK_BYTES, ExactSearch, check_descriptors, unit
from vae_tutorial._rankings import check_places


def expand(descriptors: ArrayLike, gallery: ArrayLike, k: int, *, power: float = 3.0) -> np.ndarray:
    r"""Replace each descriptor by a weighted sum of itself and its nearest gallery descriptors.

    .. math:: d' \propto d + \sum_{j=1}^{k} \max(0, s_j)^p\, g_j, \qquad s_j = d \cdot g_j

    with d and g scaled to length 1, and :math:`g_j` the k gallery descriptors of highest cosine
    similarity s. Applied to queries this is query expansion, to the gallery itself (each
    descriptor is then its own first neighbour) database augmentation; both together move images
    of one cluster closer. No label is used. Source: Arandjelović and Zisserman (2012); the power
    from Radenović et al. (2019). Introduced in chapter 5.

    Parameters
    ----------
    descriptors : array (n, dim), float
        What is to be replaced: queries, or the gallery itself.
    gallery : array (n_gallery, dim), float
        Where the neighbours come from.
    k : int
        Neighbours, from 0 (nothing changes) to n_gallery.
    power : float
        How quickly the weight falls with the similarity, not negative.

    Returns
    -------
    array (n, dim), float32
        Of length 1, for search by cosine; with ``k=0`` the descriptors as they came.

    Raises
    ------
    ValueError, TypeError
        If descriptors are not finite matrices of one width, or k or power is out of range.

    Examples
    --------
    >>> gallery = np.array([[1.0, 0.0], [0.0, 1.0]])
    >>> expand([[0.9, 0.1]], gallery, k=1).round(3)
    array([[0.998, 0.056]], dtype=float32)
    """
    gallery = check_descriptors(gallery, "gallery")
    descriptors = check_descriptors(descriptors, "descriptors", columns=gallery.shape[1])
    k = check_count(k, "k", at_least=0, at_most=len(gallery))
    check_number(power, "power", at_least=0)
    if k == 0:
        return descriptors.copy()
    distances, indices = ExactSearch(gallery, "cosine").nearest(descriptors, k)
    directions = unit(gallery)
    expanded = np.empty_like(descriptors)
    # The neighbours of one descriptor take k rows: a few descriptors at a time.
    rows = max(1, BLOCK_BYTES // (8 * k * gallery.shape[1]))
    for start in range(0, len(descriptors), rows):
        block = slice(start, start + rows)
        weights = np.maximum(0, 1 - distances[block]) ** power
        added = np.einsum("nk,nkd->nd", weights, directions[indices[block]])
        expanded[block] = unit(unit(descriptors[block]) + added)
    return expanded


def rerank(indices: ArrayLike, neighbours: ArrayLike, k: int) -> np.ndarray:
    r"""Reorder each query's results by how many nearest neighbours they share with the query.

    .. math:: n(q, j) = \left| N_k(q) \cap N_k(j) \right|

    with :math:`N_k(q)` the query's first k results and :math:`N_k(j)` the first k neighbours of
    result j. More shared neighbours come first; equal counts keep the order they had. No label is
    used. Source: Jarvis and Patrick (1973); for re-ranking, Zhong et al. (2017).
    Introduced in chapter 5.

    Parameters
    ----------
    indices : array (n, n_results), int
        Each query's results, as :meth:`ImageIndex.search` returns them.
    neighbours : array (n_gallery, n_neighbours), int
        Each gallery image's own nearest gallery images, itself or not, the nearest first.
    k : int
        Neighbours to compare, at most n_results and n_neighbours.

    Returns
    -------
    array (n, n_results), int
        The same results in their new order.

    Raises
    ------
    ValueError, TypeError
        If a place lies outside the gallery, or k is out of range.

    Examples
    --------
    >>> rerank([[2, 0, 1]], [[0, 1], [1, 0], [2, 3], [3, 2]], k=2)
    array([[2, 0, 1]])
    >>> rerank([[2, 0, 1]], [[0, 2], [1, 0], [3, 1], [3, 2]], k=2)
    array([[0, 1, 2]])
    """
    neighbours = _check_within(neighbours, "neighbours", None)
    indices = _check_within(indices, "indices", len(neighbours))
    if neighbours.max() >= len(neighbours):
        raise ValueError(
            f"neighbours must hold places below its own {len(neighbours)} rows, got "
            f"{neighbours.max()}; give one row for each gallery image"
        )
    k = check_count(k, "k", at_most=min(indices.shape[1], neighbours.shape[1]))
    reordered = np.empty_like(indices)
    own = np.zeros(len(neighbours), bool)
    for row, results in enumerate(indices):
        own[results[:k]] = True
        shared = own[neighbours[results, :k]].sum(axis=1)
        reordered[row] = results[np.argsort(-shared, kind="stable")]
        own[results[:k]] = False
    return reordered


def _check_within(values: ArrayLike, name: str, gallery_size: int | None) -> np.ndarray:
    places = check_places(values, name)
    if places.min() < 0 or (gallery_size is not None and places.max() >= gallery_size):
        below = "" if gallery_size is None else f" and below {gallery_size}"
        raise ValueError(
            f"{name} must hold places from 0 on{below}, got {places.min()} to {places.max()}"
        )
    return places
