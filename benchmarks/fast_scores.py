"""P@1, P@10 and average precision of whole rankings, a value a query, as fast as NumPy sorts.

A distance that is not negative orders like its bits. The lowest of them gives way to whether the
image is relevant, so that one sort of plain numbers puts the relevance of a whole gallery in order,
without the places of the images. Distances that differ in that bit alone, one part in ten million,
count as equal; relevant images then come first for every second query and last for the others.
"""

import numpy as np

BLOCK = 100  # queries at a time: 100 x 60,000 distances take 24 MB
SCORES = ("P@1", "P@10", "mAP")


def of_features(features, query_labels, gallery_labels) -> dict[str, np.ndarray]:
    """Score the ranking of the gallery by ``queries @ gallery.T``, ascending, for each query."""
    queries, gallery = features
    values = {name: np.empty(len(queries)) for name in SCORES}
    for start in range(0, len(queries), BLOCK):
        rows = slice(start, start + BLOCK)
        relevant = query_labels[rows, np.newaxis] == gallery_labels
        found = in_order(queries[rows] @ gallery.T, relevant)
        for name, score in of_rankings(found).items():
            values[name][rows] = score
    return values


def in_order(distances: np.ndarray, relevant: np.ndarray) -> np.ndarray:
    """Return ``relevant``, (n, gallery) bool, in the order of ascending ``distances``."""
    distances = distances - distances.min(axis=1, keepdims=True)
    keys = distances.astype(np.float32).view(np.uint32)
    first_last = np.arange(len(keys), dtype=np.uint32)[:, np.newaxis] % 2
    keys = (keys & np.uint32(0xFFFFFFFE)) | (relevant ^ first_last).astype(np.uint32)
    keys.sort(axis=1)
    return ((keys & 1) ^ first_last).astype(bool)


def of_rankings(found: np.ndarray) -> dict[str, np.ndarray]:
    """Score rankings of a whole gallery, (n, gallery) bool: all that is relevant is in them."""
    rows, places = np.nonzero(found)
    counts = found.sum(axis=1)
    before = np.repeat(np.cumsum(counts) - counts, counts)
    precisions = (np.arange(1, len(rows) + 1) - before) / (places + 1)
    return {
        "P@1": found[:, 0].astype(float),
        "P@10": found[:, :10].mean(axis=1),
        "mAP": np.bincount(rows, weights=precisions, minlength=len(found)) / counts,
    }


def of_codes(queries, gallery, query_labels, gallery_labels) -> dict[str, np.ndarray]:
    """Score rankings by Hamming distance of codes of -1 and +1, fair to codes that tie.

    What equal distances leave open is averaged over all orders: P@k by the share of relevant codes
    in the tie that rank k falls into, average precision as in the library's
    ``tie_aware_average_precision``, here from the numbers of codes at each distance.
    """
    bits = queries.shape[1]
    values = {name: np.empty(len(queries)) for name in SCORES}
    codes = np.where(gallery > 0, np.float32(1), np.float32(-1))
    for row, query in enumerate(np.where(queries > 0, np.float32(1), np.float32(-1))):
        distances = ((bits - codes @ query) / 2).astype(np.int64)
        relevant = gallery_labels == query_labels[row]
        total = np.bincount(distances, minlength=bits + 1)
        hits = np.bincount(distances[relevant], minlength=bits + 1)
        values["P@1"][row] = expected_hits(total, hits, 1)
        values["P@10"][row] = expected_hits(total, hits, 10) / 10
        values["mAP"][row] = expected_average_precision(total, hits)
    return values


def expected_hits(total: np.ndarray, hits: np.ndarray, k: int) -> float:
    """Expected relevant results among the first ``k``, ties in random order."""
    taken = np.clip(k - (np.cumsum(total) - total), 0, total)
    return float((taken * hits / np.maximum(total, 1)).sum())


def expected_average_precision(total: np.ndarray, hits: np.ndarray) -> float:
    """Expected average precision, ties in random order (McSherry and Najork 2008)."""
    size = np.repeat(total, total)
    inside = np.arange(len(size)) - np.repeat(np.cumsum(total) - total, total)  # rank in the tie
    hit = np.repeat(hits, total)
    above = np.repeat(np.cumsum(hits) - hits, total) + inside * (hit - 1) / np.maximum(size - 1, 1)
    return float((hit / size * (above + 1) / np.arange(1, len(size) + 1)).sum() / hits.sum())
