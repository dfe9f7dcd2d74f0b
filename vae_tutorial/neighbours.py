"""What an image's neighbours say about it: query expansion, and its place in their graph."""

import os

import numpy as np
from numpy.typing import ArrayLike

from vae_tutorial import _index_file
from vae_tutorial._checks import check_count, check_number
from vae_tutorial._exact import BLOCK_BYTES, ExactSearch, check_descriptors, unit
from vae_tutorial._words import _

__all__ = ["GraphDescriptor", "expand"]


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


class GraphDescriptor:
    r"""Describe an image by where it lies in the graph of the gallery's nearest neighbours.

    Each gallery image is tied to its k nearest by cosine similarity s, with weight
    :math:`\max(0, s)^p`. A walk along the ties of this graph W, made symmetric, has the matrix

    .. math:: S = D^{-1/2} W D^{-1/2}, \qquad D_{ii} = \sum_j W_{ij}, \qquad S = U \Lambda U^\top,

    and the descriptor of image i is row i of :math:`U_d \Lambda_d^t`, scaled to length 1: the d
    slowest patterns of the walk, each damped as t steps damp it. Images that many short ways
    connect come to lie together. A new image is placed at the weighted mean of its k nearest
    gallery images, so the graph is never built again. No label is used. What it gains is the
    gallery's doing: any descriptor may be handed in.
    Source: spectral embedding, Belkin and Niyogi (2003), Coifman and Lafon (2006); in retrieval,
    Iscen et al. (2018). Introduced in chapter 5.

    Parameters
    ----------
    dim : int
        Numbers of a descriptor, d; less than the size of the gallery.
    k : int
        Neighbours of an image.
    power : float
        How quickly a tie weakens as the similarity falls, p; not negative.
    steps : float
        Steps of the walk, t; not negative. The more, the fewer patterns matter.

    Attributes
    ----------
    descriptors_ : array (n_gallery, dim), float32
        The gallery's, of length 1, for search by cosine.
    eigenvalues_ : array (dim,), float64
        Of S, the largest first; as many are 1 as the graph has separate parts.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range.

    Examples
    --------
    >>> angles = np.array([0.0, 0.1, 0.2, 1.4, 1.5, 1.6])
    >>> gallery = np.column_stack([np.cos(angles), np.sin(angles)])
    >>> graph = GraphDescriptor(dim=2, k=2).fit(gallery)
    >>> (graph.encode(gallery) @ graph.descriptors_.T > 0.99).astype(int)[0]
    array([1, 1, 1, 0, 0, 0])
    """

    def __init__(self, dim: int = 20, k: int = 15, *, power: float = 3.0, steps: float = 48.0):
        self.dim = check_count(dim, "dim")
        self.k = check_count(k, "k")
        self.power = check_number(power, "power", at_least=0)
        self.steps = check_number(steps, "steps", at_least=0)
        self._search: ExactSearch | None = None

    def fit(self, gallery: ArrayLike) -> "GraphDescriptor":
        """Build the graph of ``gallery`` descriptors, (n, dim), and return the object itself.

        It is a ValueError if no two of them have a positive similarity.
        """
        gallery = check_descriptors(gallery, "gallery").copy()
        check_count(self.dim, "dim", at_most=len(gallery) - 1)
        check_count(self.k, "k", at_most=len(gallery) - 1)
        self._search = ExactSearch(gallery, "cosine")
        own = np.arange(len(gallery))
        distances, places = self._search.nearest(gallery, self.k, own)
        weights = self._weights(distances)
        if not (distances < 1).any():
            raise ValueError(
                _(
                    "no two gallery descriptors have a positive cosine similarity, so nothing ties "
                    "them; centred descriptors of a larger gallery, or others, have"
                )
            )
        values, vectors = _slowest_patterns(weights, places, self.dim)
        self.eigenvalues_ = values
        # Shares of the largest, because a high power of small numbers would vanish.
        damped = vectors * (values.clip(0) / values[0]) ** self.steps
        self.descriptors_ = unit(damped).astype(np.float32)
        return self

    def encode(self, descriptors: ArrayLike) -> np.ndarray:
        """Return the places of new ``descriptors``, (n, dim of the gallery's), float32 (n, dim)."""
        search = self._fitted()
        columns = search.gallery.shape[1]
        queries = check_descriptors(descriptors, "descriptors", columns=columns)
        distances, places = search.nearest(queries, self.k)
        weights = self._weights(distances)
        placed = np.einsum("nk,nkd->nd", weights, self.descriptors_[places])
        return unit(placed).astype(np.float32)

    def save(self, path: str | os.PathLike) -> None:
        """Write gallery and graph to ``path`` in NumPy's npz format, whole or not at all."""
        content = {name: np.array(value) for name, value in self._settings().items()}
        content |= {
            "gallery": self._fitted().gallery,
            "graph_descriptors": self.descriptors_,
            "eigenvalues": self.eigenvalues_,
        }
        _index_file.write(path, content)

    @classmethod
    def load(cls, path: str | os.PathLike) -> "GraphDescriptor":
        """Return the graph that :meth:`save` wrote to ``path``; another file is a ValueError."""
        content = _index_file.read(path)
        if "graph_descriptors" not in content:
            raise ValueError(
                _("{path} holds an index without a graph; use ImageIndex.load", path=path)
            )
        settings = {name: content[name].item() for name in cls()._settings()}
        graph = cls(**settings)
        graph._search = ExactSearch(content["gallery"], "cosine")
        graph.descriptors_ = content["graph_descriptors"]
        graph.eigenvalues_ = content["eigenvalues"]
        return graph

    def _settings(self) -> dict:
        return {name: getattr(self, name) for name in ("dim", "k", "power", "steps")}

    def _weights(self, distances: np.ndarray) -> np.ndarray:
        return np.maximum(0, 1 - distances.astype(np.float64)) ** self.power

    def _fitted(self) -> ExactSearch:
        if self._search is None:
            raise ValueError(_("this graph has not been built; call .fit(gallery) first"))
        return self._search


def _slowest_patterns(
    weights: np.ndarray, places: np.ndarray, dim: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the ``dim`` largest eigenvalues of S, descending, and their eigenvectors."""
    from scipy import sparse
    from scipy.sparse import linalg

    n, k = places.shape
    ties = sparse.csr_matrix((weights.ravel(), places.ravel(), np.arange(0, n * k + 1, k)), (n, n))
    ties = (ties + ties.T) / 2
    degrees = np.asarray(ties.sum(axis=1)).ravel()
    scale = sparse.diags(1 / np.sqrt(np.where(degrees > 0, degrees, 1)))
    # A fixed start: another one turns patterns of equal eigenvalue into each other.
    start = np.random.default_rng(0).standard_normal(n)
    values, vectors = linalg.eigsh(scale @ ties @ scale, k=dim, which="LA", v0=start)
    order = np.argsort(-values)
    return values[order], vectors[:, order]
