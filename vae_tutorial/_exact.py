"""The arithmetic of exact search: scores with a bound on their errors, candidates, distances."""

from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from vae_tutorial._checks import check_matrix
from vae_tutorial._words import _

METRICS = ("euclidean", "cosine", "inner_product")
BLOCK_BYTES = 16 * 2**20  # one block of scores: small enough for the processor's cache
EPSILON = 2.0**-24  # rounding of float32
LARGEST = 1e15  # the squares of larger numbers come near the end of float32
TINY = 2.0**-126  # where float32 rounds to fixed steps, or to zero
HIGHEST = float(np.finfo(np.float32).max)


class ExactSearch:
    """A gallery made ready for search; who calls has checked all arguments.

    Candidates are picked by float32 scores, which one matrix product gives and which are ordered as
    the distances are, up to a known error. Their distances are then computed in float64 by the
    definition, so the answer is that of comparing every pair.
    """

    def __init__(self, gallery: np.ndarray, metric: str):
        self.gallery = gallery
        self.metric = metric

    def nearest(
        self, queries: np.ndarray, k: int, exclude: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return distances and places, each (n, k), of the ``k`` nearest; equal ones by place."""
        distances = np.empty((len(queries), k), np.float32)
        indices = np.empty((len(queries), k), np.int64)
        # Few results: pick candidates and sort those. Many: sort everything.
        search_block = self._nearest if 8 * k <= len(self.gallery) else self._full_sort
        rows = max(1, BLOCK_BYTES // (4 * len(self.gallery)))
        for start in range(0, len(queries), rows):
            block = slice(start, start + rows)
            own = None if exclude is None else exclude[block]
            distances[block], indices[block] = search_block(queries[block], k, own)
        return distances, indices

    def within(
        self, queries: np.ndarray, radius: float, exclude: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return limits, distances and places of what lies no farther than ``radius``."""
        parts: list[tuple] = []
        radius = float(np.float32(np.clip(radius, -HIGHEST, HIGHEST)))
        # A quarter of a block, because any pair may become a candidate.
        rows = max(1, BLOCK_BYTES // (16 * len(self.gallery)))
        for start in range(0, len(queries), rows):
            block = slice(start, start + rows)
            own = None if exclude is None else exclude[block]
            parts.append(self._within(queries[block], radius, own))
        counts, distances, indices = map(np.concatenate, zip(*parts, strict=True))
        return np.append(np.int64(0), np.cumsum(counts)), distances, indices

    @cached_property
    def _prepared(self) -> tuple:
        """``(centre, factors, largest_norm)`` for scores by one matrix product."""
        gallery = self.gallery.astype(np.float64)
        if self.metric == "cosine":
            return None, np.float32(-unit(gallery).T), 1.0
        if self.metric == "inner_product":
            return None, np.float32(-gallery.T), np.sqrt((gallery**2).sum(axis=1).max())
        # Scores are |g|^2 - 2 q.g, the squared distance without |q|^2, around the centre.
        centre = gallery.mean(axis=0)
        gallery -= centre
        squares = (gallery**2).sum(axis=1)
        factors = np.float32(np.vstack([-2 * gallery.T, squares]))
        return centre, factors, np.sqrt(squares.max())

    def _scores(
        self, queries: np.ndarray, own: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return float32 scores (n, gallery), a bound on their errors, and what they leave out.

        A score and what it leaves out add up to the distance, or to its square where the metric
        is Euclidean. What a query leaves out of its own results has the score infinity.
        """
        centre, factors, largest = self._prepared
        terms = len(factors) + 16
        if self.metric == "cosine":
            scores = np.float32(unit(queries)) @ factors
            errors, left_out = np.full(len(queries), terms * EPSILON), np.ones(len(queries))
        elif self.metric == "inner_product":
            scores = queries @ factors
            lengths = np.sqrt((queries.astype(np.float64) ** 2).sum(axis=1))
            errors, left_out = terms * EPSILON * lengths * largest, np.zeros(len(queries))
        else:
            shifted = queries - centre
            with_one = np.float32(np.hstack([shifted, np.ones((len(queries), 1))]))
            scores = with_one @ factors
            squares = (shifted**2).sum(axis=1)
            errors = terms * EPSILON * (np.sqrt(squares) + largest) ** 2
            left_out = squares
        if own is not None:
            scores[own >= 0, own[own >= 0]] = np.inf
        return scores, errors + terms * TINY, left_out

    def _nearest(self, queries, k: int, own) -> tuple[np.ndarray, np.ndarray]:
        scores, errors, _ = self._scores(queries, own)
        rows, columns = _candidates(scores, k, 2 * errors)
        distances = self._distances(queries, rows, columns)
        order = np.lexsort((columns, distances, rows))
        # Each row has at least k candidates; its first k stand at the start of its run.
        starts = np.searchsorted(rows[order], np.arange(len(queries)))
        chosen = order[starts[:, None] + np.arange(k)]
        return distances[chosen], columns[chosen]

    def _within(self, queries, radius: float, own) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        scores, errors, left_out = self._scores(queries, own)
        farthest = radius**2 if self.metric == "euclidean" else radius
        rows, columns = np.nonzero(scores <= _upwards(farthest - left_out + 2 * errors)[:, None])
        distances = self._distances(queries, rows, columns)
        inside = distances <= radius
        rows, columns, distances = rows[inside], columns[inside], distances[inside]
        order = np.lexsort((columns, distances, rows))
        return np.bincount(rows, minlength=len(queries)), distances[order], columns[order]

    def _full_sort(self, queries, k: int, own) -> tuple[np.ndarray, np.ndarray]:
        queries, gallery = queries.astype(np.float64), self.gallery.astype(np.float64)
        if self.metric == "cosine":
            distances = _round_cosine(unit(queries) @ unit(gallery).T)
        else:
            centre = gallery.mean(axis=0) if self.metric == "euclidean" else 0.0
            queries, gallery = queries - centre, gallery - centre
            of_queries, of_gallery = ((rows**2).sum(axis=1) for rows in (queries, gallery))
            products = queries @ gallery.T
            if self.metric == "euclidean":
                sizes = of_queries[:, None] + of_gallery
                exact = sizes - 2 * products
                distances = np.sqrt(np.maximum(exact, 0)).astype(np.float32)
            else:
                sizes = np.sqrt(of_queries[:, None] * of_gallery)
                exact, distances = products, _negative(products)
            # Where nearly everything cancelled, too few digits are left: compute those directly.
            rows, columns = np.nonzero(np.abs(exact) < 1e-6 * sizes)
            distances[rows, columns] = self._distances(queries + centre, rows, columns)
        if own is not None:
            distances[own >= 0, own[own >= 0]] = np.inf
        indices = _stable_order(distances)[:, :k]
        return np.take_along_axis(distances, indices, axis=1), indices

    def _distances(self, queries, rows, columns) -> np.ndarray:
        """Return float32 distances of the given pairs, computed in float64 by the definition."""
        distances = np.empty(len(rows), np.float32)
        step = max(1, BLOCK_BYTES // (8 * queries.shape[1]))
        for start in range(0, len(rows), step):
            pairs = slice(start, start + step)
            left = queries[rows[pairs]].astype(np.float64)
            right = self.gallery[columns[pairs]].astype(np.float64)
            if self.metric == "cosine":
                distances[pairs] = _round_cosine((unit(left) * unit(right)).sum(axis=1))
            elif self.metric == "inner_product":
                distances[pairs] = _negative((left * right).sum(axis=1))
            else:
                distances[pairs] = np.sqrt(((left - right) ** 2).sum(axis=1))
        return distances


def _stable_order(distances: np.ndarray) -> np.ndarray:
    """Return each row's order of float32 ``distances``; of equal ones the first column is first.

    One plain sort of whole numbers, distance before column, is sooner done than a stable sort.
    None may be -0.0, which would come before 0.0.
    """
    bits = distances.view(np.int32)
    # Bits of floats from 0 are in their order already, those of negative ones in the opposite.
    keys = (bits ^ (bits >> 31 & 0x7FFFFFFF)).astype(np.int64)
    keys <<= 32
    keys |= np.arange(distances.shape[1])
    keys.sort(axis=1)
    keys &= 0xFFFFFFFF
    return keys


def check_descriptors(values: ArrayLike, name: str, *, columns: int | None = None) -> np.ndarray:
    """Return descriptors as a finite float32 matrix whose squares float32 can hold."""
    descriptors = check_matrix(values, name, columns=columns)
    if np.abs(descriptors).max() > LARGEST:
        raise ValueError(
            _(
                "{name} must lie within +-{largest:g}, got {high:g}; divide them by a common "
                "factor",
                name=name,
                largest=LARGEST,
                high=np.abs(descriptors).max(),
            )
        )
    return descriptors


def unit(vectors: np.ndarray) -> np.ndarray:
    """Return rows divided by their lengths, in float64; a row of zeros stays one."""
    vectors = vectors.astype(np.float64)
    lengths = np.sqrt((vectors**2).sum(axis=1, keepdims=True))
    return vectors / np.where(lengths == 0, 1, lengths)


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
    limits = _upwards(np.partition(minima, k - 1, axis=1)[:, k - 1] + margins)
    rows, groups = np.nonzero(minima <= limits[:, None])
    columns = groups[:, None] + np.arange(0, n_columns, n_groups)
    inside = columns < n_columns
    values = scores[rows[:, None], np.where(inside, columns, 0)]
    kept, place = np.nonzero(inside & (values <= limits[rows][:, None]) & np.isfinite(values))
    return rows[kept], columns[kept, place]


def _upwards(limits: np.ndarray) -> np.ndarray:
    """Return limits as float32, none of them lower than it was and all of them finite."""
    inside = np.float32(np.clip(limits, -HIGHEST, HIGHEST))
    return np.nextafter(inside, np.float32(HIGHEST))


def _round_cosine(similarity: np.ndarray) -> np.ndarray:
    # Twelve decimals are far below float32, and make the distance of equal directions exactly 0.
    return np.abs(np.round(1 - similarity, 12)).astype(np.float32)


def _negative(products: np.ndarray) -> np.ndarray:
    return (-products).astype(np.float32) + np.float32(0)  # which makes 0 of -0
