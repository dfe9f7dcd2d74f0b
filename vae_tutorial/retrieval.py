"""Exact nearest-neighbour search over descriptors: encode a gallery once, search it many times."""

import hashlib
import os
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike

from vae_tutorial._checks import (
    check_choice,
    check_count,
    check_images,
    check_labels,
    check_matrix,
    check_number,
)
from vae_tutorial.progress import Progress

METRICS = ("euclidean", "cosine")
FORMAT = 1
BLOCK_BYTES = 16 * 2**20  # one block of scores: small enough for the processor's cache
EPSILON = 2.0**-24  # rounding of float32
LARGEST = 1e15  # the squares of larger numbers come near the end of float32


class _Encodes(Protocol):
    # All that an index asks of an encoder: a method of this name, whatever its argument is called.
    def encode(self, images: np.ndarray, /) -> np.ndarray: ...


class ImageIndex:
    r"""Gallery of descriptors that is searched exactly.

    Euclidean distance :math:`\lVert q - g \rVert`, or cosine distance
    :math:`1 - q \cdot g / (\lVert q \rVert \lVert g \rVert)`; a descriptor of zeros has no
    direction, its cosine distance to everything is 1. Candidates are picked in float32 with a
    margin for rounding, their distances computed in float64: the answer is that of comparing the
    query with every image. Equal distances are in gallery order. Introduced in chapter 5.

    Parameters
    ----------
    encoder : object with ``encode(images) -> (n, dim)``, or None
        A fitted baseline or a trained model; ``None`` for an index of ready-made descriptors.
    metric : {"euclidean", "cosine"}
        Distance between descriptors.
    batch_size : int
        Images encoded at a time.

    Raises
    ------
    TypeError, ValueError
        If the encoder cannot encode, or another argument is not one of the above.

    Examples
    --------
    >>> from vae_tutorial.baselines import Pixels
    >>> images = np.array([0.0, 0.2, 1.0]).reshape(3, 1, 1, 1)
    >>> index = ImageIndex(Pixels().fit(images))
    >>> index.add(images)
    >>> distances, indices = index.search(images[:1] + 0.15, k=2)
    >>> indices
    array([[1, 0]])
    """

    def __init__(
        self, encoder: _Encodes | None, *, metric: str = "euclidean", batch_size: int = 512
    ):
        if encoder is not None and not callable(getattr(encoder, "encode", None)):
            raise TypeError(
                f"encoder must have a method encode(images), got {type(encoder).__name__}; "
                "pass a trained VAE, a fitted baseline, or None for ready-made descriptors"
            )
        self.encoder = encoder
        self.metric = check_choice(metric, "metric", METRICS)
        self.batch_size = check_count(batch_size, "batch_size")
        self.image_shape: tuple[int, ...] | None = None
        self._descriptors: np.ndarray | None = None
        self._search_data: tuple | None = None

    def __len__(self) -> int:
        return 0 if self._descriptors is None else len(self._descriptors)

    @property
    def descriptors(self) -> np.ndarray:
        """The gallery's descriptors, float32 (n, dim), read-only."""
        return self._require_gallery()

    def add(self, images: ArrayLike, *, progress: bool | None = None) -> None:
        """Encode ``images`` once and append them to the gallery.

        ``progress`` shows how far the work has come; by default when it takes over 20 batches.
        """
        descriptors = self._encode(images, progress)
        self.add_descriptors(descriptors)
        self.image_shape = np.shape(images)[1:]

    def add_descriptors(self, descriptors: ArrayLike) -> None:
        """Append ready-made ``descriptors``, (n, dim), to the gallery."""
        columns = None if self._descriptors is None else self._descriptors.shape[1]
        added = _check_descriptors(descriptors, columns)
        parts = [added] if self._descriptors is None else [self._descriptors, added]
        self._descriptors = np.concatenate(parts)  # a copy: the caller's array stays the caller's
        self._descriptors.flags.writeable = False
        self._search_data = None

    def search(
        self, images: ArrayLike, k: int, *, exclude: ArrayLike | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the ``k`` nearest gallery images of each query image.

        Parameters
        ----------
        images : array (n, height, width, channels), float in [0, 1]
            The queries.
        k : int
            Results a query, at most the size of the gallery.
        exclude : array (n,) of int, optional
            Each query's own place in the gallery, which is left out; -1 where it is not there.

        Returns
        -------
        distances : array (n, k), float32
            Ascending.
        indices : array (n, k), int64
            Places in the gallery, in the order the images were added.
        """
        self._require_gallery()
        return self.search_descriptors(self._encode(images, None), k, exclude=exclude)

    def search_descriptors(
        self, descriptors: ArrayLike, k: int, *, exclude: ArrayLike | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the ``k`` nearest gallery images of queries that are already encoded.

        Parameters
        ----------
        descriptors : array (n, dim), float
            The queries.
        k : int
            Results a query, at most the size of the gallery.
        exclude : array (n,) of int, optional
            Each query's own place in the gallery, which is left out; -1 where it is not there.

        Returns
        -------
        distances, indices : as :meth:`search`
        """
        gallery = self.descriptors
        queries = _check_descriptors(descriptors, gallery.shape[1])
        exclude = self._check_exclude(exclude, len(queries))
        own_left_out = exclude is not None and bool((exclude >= 0).any())
        check_count(k, "k", at_most=len(gallery) - own_left_out)
        distances = np.empty((len(queries), k), np.float32)
        indices = np.empty((len(queries), k), np.int64)
        # Few results: pick candidates and sort those. Many: sort everything.
        search_block = self._nearest if 8 * k <= len(gallery) else self._full_sort
        rows = max(1, BLOCK_BYTES // (4 * len(gallery)))
        for start in range(0, len(queries), rows):
            block = slice(start, start + rows)
            own = None if exclude is None else exclude[block]
            distances[block], indices[block] = search_block(queries[block], k, own)
        return distances, indices

    def save(self, path: str | os.PathLike) -> None:
        """Write the index to ``path`` in NumPy's npz format, whole or not at all."""
        content: dict[str, Any] = {
            "format": np.array(FORMAT),
            "metric": np.array(self.metric),
            "image_shape": np.array(self.image_shape or (), dtype=np.int64),
            "descriptors": self.descriptors,
            "probe": self._probe(self.encoder, self.image_shape),
        }
        content["sha256"] = np.array(_digest(content))
        path = Path(path)
        temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            with open(temporary, "wb") as file:
                np.savez(file, **content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)

    @classmethod
    def load(
        cls, path: str | os.PathLike, encoder: _Encodes | None, *, batch_size: int = 512
    ) -> "ImageIndex":
        """Read an index; refuse a damaged file or another encoder than the one that made it.

        Parameters
        ----------
        path : str or Path
            A file that :meth:`save` wrote.
        encoder : object with ``encode(images)``, or None
            The encoder of the gallery.
        batch_size : int
            Images encoded at a time.

        Returns
        -------
        ImageIndex
        """
        content = _read(Path(path))
        index = cls(encoder, metric=str(content["metric"]), batch_size=batch_size)
        index.image_shape = tuple(int(size) for size in content["image_shape"]) or None
        probe, expected = index._probe(encoder, index.image_shape), content["probe"]
        scale = np.abs(expected).max(initial=0.0)
        # Another processor rounds differently; another encoder is worlds apart.
        if probe.shape != expected.shape or not np.allclose(probe, expected, atol=1e-3 * scale):
            raise ValueError(
                f"{path} was made by another encoder than the one given: their descriptors of the "
                "same images differ; load that encoder's weights, or add the images again"
            )
        index.add_descriptors(content["descriptors"])
        return index

    def _encode(self, images: ArrayLike, progress: bool | None) -> np.ndarray:
        if self.encoder is None:
            raise ValueError("this index has no encoder; use add_descriptors, search_descriptors")
        images = check_images(images)
        if self.image_shape is not None and images.shape[1:] != self.image_shape:
            raise ValueError(
                f"images must have shape (n, {', '.join(map(str, self.image_shape))}) as the "
                f"gallery's, got {images.shape}; resize them"
            )
        starts = range(0, len(images), self.batch_size)
        shown = len(starts) > 20 if progress is None else progress
        parts = []
        with Progress(f"Encoding {len(images):,} images", len(starts), enabled=shown) as steps:
            for start in starts:
                parts.append(self.encoder.encode(images[start : start + self.batch_size]))
                steps.step()
        descriptors = check_matrix(np.concatenate(parts), "the encoder's output")
        if len(descriptors) != len(images):
            raise ValueError(
                f"the encoder gave {len(descriptors)} descriptors for {len(images)} images; "
                "encode must return one row an image"
            )
        return descriptors

    def _require_gallery(self) -> np.ndarray:
        if self._descriptors is None:
            raise ValueError("the gallery is empty; call add(images) first")
        return self._descriptors

    def _check_exclude(self, exclude: ArrayLike | None, n_queries: int) -> np.ndarray | None:
        if exclude is None:
            return None
        exclude = check_labels(exclude, "exclude", length=n_queries)
        if exclude.min() < -1 or exclude.max() >= len(self):
            raise ValueError(
                f"exclude must hold places from 0 to {len(self) - 1}, or -1 for none, got "
                f"{exclude.min()} to {exclude.max()}"
            )
        return exclude

    def _prepared(self) -> tuple:
        """Return ``(centre, factors, largest_norm)`` for scores by one matrix product."""
        if self._search_data is None:
            gallery = self.descriptors.astype(np.float64)
            if self.metric == "cosine":
                # Scores are negative cosines.
                self._search_data = None, np.float32(-_unit(gallery).T), 1.0
            else:
                # Scores are |g|^2 - 2 q.g, the squared distance without |q|^2, around the centre.
                centre = gallery.mean(axis=0)
                gallery -= centre
                squares = (gallery**2).sum(axis=1)
                factors = np.float32(np.vstack([-2 * gallery.T, squares]))
                self._search_data = centre, factors, np.sqrt(squares.max())
        return self._search_data

    def _scores(self, queries: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return float32 scores (n, gallery), ordered as distances, and a bound on their errors."""
        centre, factors, largest = self._prepared()
        terms = len(factors) + 16
        if self.metric == "cosine":
            return np.float32(_unit(queries)) @ factors, np.full(len(queries), terms * EPSILON)
        shifted = queries - centre
        with_one = np.float32(np.hstack([shifted, np.ones((len(queries), 1))]))
        lengths = np.sqrt((shifted**2).sum(axis=1))
        return with_one @ factors, terms * EPSILON * (lengths + largest) ** 2

    def _nearest(self, queries, k: int, own) -> tuple[np.ndarray, np.ndarray]:
        scores, errors = self._scores(queries)
        if own is not None:
            scores[own >= 0, own[own >= 0]] = np.inf
        rows, columns = _candidates(scores, k, 2 * errors)
        distances = self._distances(queries, rows, columns)
        order = np.lexsort((columns, distances, rows))
        # Each row has at least k candidates; its first k stand at the start of its run.
        starts = np.searchsorted(rows[order], np.arange(len(queries)))
        chosen = order[starts[:, None] + np.arange(k)]
        return distances[chosen], columns[chosen]

    def _full_sort(self, queries, k: int, own) -> tuple[np.ndarray, np.ndarray]:
        queries, gallery = queries.astype(np.float64), self.descriptors.astype(np.float64)
        if self.metric == "cosine":
            distances = _round_cosine(_unit(queries) @ _unit(gallery).T)
        else:
            centre = gallery.mean(axis=0)
            queries, gallery = queries - centre, gallery - centre
            squares = (queries**2).sum(axis=1)[:, None] + (gallery**2).sum(axis=1)
            squared = squares - 2 * queries @ gallery.T
            distances = np.sqrt(np.maximum(squared, 0)).astype(np.float32)
            # Where nearly everything cancelled, too few digits are left: compute those directly.
            rows, columns = np.nonzero(squared < 1e-6 * squares)
            distances[rows, columns] = self._distances(queries + centre, rows, columns)
        if own is not None:
            distances[own >= 0, own[own >= 0]] = np.inf
        indices = np.argsort(distances, axis=1, kind="stable")[:, :k]
        return np.take_along_axis(distances, indices, axis=1), indices

    def _distances(self, queries, rows, columns) -> np.ndarray:
        """Return float32 distances of the given pairs, computed in float64 by the definition."""
        distances = np.empty(len(rows), np.float32)
        step = max(1, BLOCK_BYTES // (8 * queries.shape[1]))
        for start in range(0, len(rows), step):
            pairs = slice(start, start + step)
            left = queries[rows[pairs]].astype(np.float64)
            right = self.descriptors[columns[pairs]].astype(np.float64)
            if self.metric == "cosine":
                distances[pairs] = _round_cosine((_unit(left) * _unit(right)).sum(axis=1))
            else:
                distances[pairs] = np.sqrt(((left - right) ** 2).sum(axis=1))
        return distances

    @staticmethod
    def _probe(encoder: _Encodes | None, image_shape: tuple[int, ...] | None) -> np.ndarray:
        """Descriptors of four fixed random images: what tells one encoder from another."""
        if encoder is None or image_shape is None:
            return np.zeros((0, 0), np.float32)
        images = np.random.default_rng(0).random((4, *image_shape), dtype=np.float32)
        return np.asarray(encoder.encode(images), dtype=np.float32)


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
    gallery = _check_descriptors(gallery, None)
    descriptors = _check_descriptors(descriptors, gallery.shape[1])
    k = check_count(k, "k", at_least=0, at_most=len(gallery))
    check_number(power, "power", at_least=0)
    if k == 0:
        return descriptors.copy()
    index = ImageIndex(None, metric="cosine")
    index.add_descriptors(gallery)
    distances, indices = index.search_descriptors(descriptors, k)
    weights = np.maximum(0, 1 - distances) ** power
    sums = _unit(descriptors) + np.einsum("nk,nkd->nd", weights, _unit(gallery)[indices])
    return _unit(sums).astype(np.float32)


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
    neighbours = _check_places(neighbours, "neighbours", None)
    indices = _check_places(indices, "indices", len(neighbours))
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


def _check_places(values: ArrayLike, name: str, gallery_size: int | None) -> np.ndarray:
    places = np.asarray(values)
    if places.ndim != 2 or not np.issubdtype(places.dtype, np.integer) or places.size == 0:
        raise ValueError(
            f"{name} must be a matrix of integers, got shape {places.shape} and dtype "
            f"{places.dtype}; pass the indices that a search returned"
        )
    if places.min() < 0 or (gallery_size is not None and places.max() >= gallery_size):
        below = "" if gallery_size is None else f" and below {gallery_size}"
        raise ValueError(
            f"{name} must hold places from 0 on{below}, got {places.min()} to {places.max()}"
        )
    return places


def _check_descriptors(values: ArrayLike, columns: int | None) -> np.ndarray:
    descriptors = check_matrix(values, "descriptors", columns=columns)
    if np.abs(descriptors).max() > LARGEST:
        raise ValueError(
            f"descriptors must lie within +-{LARGEST:g}, got {np.abs(descriptors).max():g}; "
            "divide them by a common factor"
        )
    return descriptors


def _candidates(scores: np.ndarray, k: int, margins: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return ``(rows, columns)`` of all scores that may belong to the k smallest of their row.

    Column j belongs to group j modulo the number of groups. The k-th smallest of the groups'
    minima is no smaller than the k-th smallest score, and cheap to find.
    """
    n_rows, n_columns = scores.shape
    n_groups = min(n_columns, max(4 * k, n_columns // 64))
    whole = n_columns - n_columns % n_groups
    minima = scores[:, :whole].reshape(n_rows, -1, n_groups).min(axis=1)
    rest = scores[:, whole:]
    minima[:, : rest.shape[1]] = np.minimum(minima[:, : rest.shape[1]], rest)
    limits = np.partition(minima, k - 1, axis=1)[:, k - 1] + margins
    limits = np.nextafter(np.float32(limits), np.float32(np.inf))
    rows, groups = np.nonzero(minima <= limits[:, None])
    columns = groups[:, None] + np.arange(0, n_columns, n_groups)
    inside = columns < n_columns
    values = scores[rows[:, None], np.where(inside, columns, 0)]
    kept, place = np.nonzero(inside & (values <= limits[rows][:, None]) & np.isfinite(values))
    return rows[kept], columns[kept, place]


def _unit(vectors: np.ndarray) -> np.ndarray:
    vectors = vectors.astype(np.float64)
    lengths = np.sqrt((vectors**2).sum(axis=1, keepdims=True))
    return vectors / np.where(lengths == 0, 1, lengths)


def _round_cosine(similarity: np.ndarray) -> np.ndarray:
    # Twelve decimals are far below float32, and make the distance of equal directions exactly 0.
    return np.abs(np.round(1 - similarity, 12)).astype(np.float32)


def _digest(content: dict) -> str:
    digest = hashlib.sha256()
    for name in sorted(content):
        array = np.ascontiguousarray(content[name])
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def _read(path: Path) -> dict:
    if not path.is_file():
        raise FileNotFoundError(f"no index at {path}; make one with ImageIndex.save")
    try:
        with np.load(path, allow_pickle=False) as file:
            content = {name: file[name] for name in file.files}
        stated = str(content.pop("sha256"))
    except Exception as error:  # a damaged archive fails in more ways than can be listed
        raise ValueError(
            f"{path} is damaged or is no index of vae_tutorial ({error}); make it again"
        ) from error
    if stated != _digest(content):
        raise ValueError(f"{path} is damaged: its checksum does not fit; make it again")
    if int(content["format"]) != FORMAT:
        raise ValueError(f"{path} has format {content['format']}, expected {FORMAT}; make it again")
    return content
