"""Rank a whole gallery for every query and score the rankings, in blocks that fit in memory.

A descriptor and its distance enter as two matrices of features, ``queries`` (n, d) and ``gallery``
(m, d), whose products order the gallery: the smaller, the nearer. Each function below builds such
a pair, so that every row of the study goes through the same ranking and the same metrics.
"""

import measuring
import numpy as np

from vae_tutorial import metrics
from vae_tutorial.progress import Progress

BLOCK = 100  # queries at a time: 100 x 60,000 ranks take 48 MB
BOOTSTRAP = 1000


def euclidean(queries: np.ndarray, gallery: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Squared Euclidean distance, without the query's own square, which orders nothing."""
    squares = (gallery.astype(np.float64) ** 2).sum(axis=1)
    return with_column(-2 * queries, np.ones(len(queries))), with_column(gallery, squares)


def cosine(queries: np.ndarray, gallery: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cosine distance, without its constant 1."""
    return -unit(queries), unit(gallery)


def wasserstein_2(query: tuple, gallery: tuple) -> tuple[np.ndarray, np.ndarray]:
    """Wasserstein-2 distance of diagonal Gaussians: Euclidean between (mean, deviation)."""
    return euclidean(
        *(np.hstack([mean, np.exp(log_var / 2)]) for mean, log_var in (query, gallery))
    )


def symmetric_kl(query: tuple, gallery: tuple) -> tuple[np.ndarray, np.ndarray]:
    """Sum of both KL divergences of diagonal Gaussians, written as one matrix product."""
    parts = []
    for mean, log_var in (query, gallery):
        mean, precision = mean.astype(np.float64), np.exp(-log_var.astype(np.float64))
        second = np.exp(log_var.astype(np.float64)) + mean**2
        parts.append((second, mean, precision, mean * precision, (second * precision).sum(axis=1)))
    (s1, m1, p1, mp1, _), (s2, m2, p2, mp2, _) = parts
    c1, c2 = ((m**2 * p).sum(axis=1) for m, p in ((m1, p1), (m2, p2)))
    ones = [np.ones((len(rows), 1)) for rows in (m1, m2)]
    left = np.hstack([s1, p1, -2 * m1, -2 * mp1, c1[:, None], ones[0]])
    right = np.hstack([p2, s2, mp2, m2, ones[1], c2[:, None]])
    return left.astype(np.float32), right.astype(np.float32)


def hamming(queries: np.ndarray, gallery: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Hamming distance of codes of -1 and +1, exact in float32."""
    return -queries.astype(np.float32), gallery.astype(np.float32)


def unit(rows: np.ndarray) -> np.ndarray:
    return measuring.unit(rows).astype(np.float32)


def with_column(rows: np.ndarray, column: np.ndarray) -> np.ndarray:
    return np.column_stack([rows, column]).astype(np.float32)


def score(
    features,
    query_labels,
    gallery_labels,
    *,
    title: str = "Ranking",
    seed: int = 0,
) -> dict:
    """Rank the gallery for each query and return the mean of every metric, with an interval.

    Equal distances, which binary codes have by the thousand, are ordered by chance: the gallery is
    shuffled first. The interval is the middle 95 % of the means over 1,000 resamples of queries.
    """
    queries, gallery = features
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(gallery))
    gallery, gallery_labels = gallery[order], gallery_labels[order]
    n_relevant = metrics.count_relevant(query_labels, gallery_labels)
    parts = []
    starts = range(0, len(queries), BLOCK)
    with Progress(title, len(starts)) as progress:
        for start in starts:
            rows = slice(start, start + BLOCK)
            ranked = rank(queries[rows] @ gallery.T)
            parts.append(score_block(gallery_labels[ranked], query_labels[rows], n_relevant[rows]))
            progress.step()
    values = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return with_intervals(values, rng)


def with_intervals(values: dict[str, np.ndarray], rng: np.random.Generator) -> dict:
    """Mean of each array, one value a query, and its bootstrap interval."""
    n = len(next(iter(values.values())))
    resamples = rng.integers(0, n, size=(BOOTSTRAP, n))
    return {
        name: {"mean": float(v.mean()), "interval": measuring.interval(v, resamples)}
        for name, v in values.items()
    }


def rank(distances: np.ndarray) -> np.ndarray:
    """Positions by ascending distance, equal ones by position; each row sorted whole.

    A non-negative float32 orders like its bits. NumPy sorts 16-bit numbers stably by radix, so two
    such sorts, first by the lower half and then by the upper, give the order in half the time.
    """
    bits = (distances - distances.min(axis=1, keepdims=True)).astype(np.float32).view(np.uint32)
    order = np.empty(bits.shape, np.int64)
    for row, keys in enumerate(bits):
        by_low = np.argsort(keys.astype(np.uint16), kind="stable")
        high = (keys >> np.uint32(16)).astype(np.uint16)[by_low]
        order[row] = by_low[np.argsort(high, kind="stable")]
    return order


def score_block(ranked_labels, query_labels, n_relevant) -> dict[str, np.ndarray]:
    """Every metric of a block of queries, one value a query."""
    relevant = ranked_labels == query_labels[:, np.newaxis]
    top = relevant[:, :1000]
    five = zip(query_labels, ranked_labels[:, :5], strict=True)
    votes = [metrics.knn_accuracy(label[None], nearest[None], k=5) for label, nearest in five]
    return {
        "P@1": metrics.precision_at_k(top, 1),
        "P@10": metrics.precision_at_k(top, 10),
        "P@100": metrics.precision_at_k(top, 100),
        "mAP": metrics.average_precision(relevant, n_relevant),
        "mAP@R": metrics.average_precision_at_r(relevant, n_relevant),
        "mAP@1000": metrics.average_precision(top, n_relevant, denominator="found"),
        "5-NN": np.array(votes),
    }
