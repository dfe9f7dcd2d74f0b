"""Nearest neighbours of whole galleries by cosine, and what they can do for any descriptor."""

import numpy as np
from measuring import unit

from vae_tutorial.neighbours import GraphDescriptor, expand


def nearest(queries: np.ndarray, gallery: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return cosine similarities and places of the k nearest, (n, k) each, by FAISS."""
    import faiss

    index = faiss.IndexFlatIP(gallery.shape[1])
    index.add(np.ascontiguousarray(unit(gallery), np.float32))
    return index.search(np.ascontiguousarray(unit(queries), np.float32), k)


def expanded(queries, gallery, *, k: int, power: float, rounds: int):
    """Query expansion and database augmentation, as often as ``rounds`` says."""
    for _ in range(rounds):
        queries, gallery = (expand(rows, gallery, k, power=power) for rows in (queries, gallery))
    return queries, gallery


def codes(queries: np.ndarray, gallery: np.ndarray, bits: int) -> tuple[np.ndarray, np.ndarray]:
    """Return codes of -1 and +1: signs after ITQ's rotation, from as many starts as bits need.

    Rows of length 1 around their mean; a descriptor of fewer numbers than bits is turned several
    times. Source: Gong et al. (2013).
    """
    centre = unit(gallery).mean(axis=0)
    queries, gallery = (unit(rows) - centre for rows in (queries, gallery))
    turns = [rotation(gallery, start) for start in range(-(-bits // gallery.shape[1]))]
    turned = [np.hstack([rows @ turn for turn in turns])[:, :bits] for rows in (queries, gallery)]
    return tuple(np.where(rows > 0, np.float32(1), np.float32(-1)) for rows in turned)


def rotation(rows: np.ndarray, seed: int, rounds: int = 50) -> np.ndarray:
    """Return the rotation after which signs lose least, from a random start."""
    start = np.random.default_rng(seed).standard_normal((rows.shape[1],) * 2)
    turn = np.linalg.qr(start)[0].astype(np.float32)
    for _ in range(rounds):
        signs = np.where(rows @ turn > 0, np.float32(1), np.float32(-1))
        left, _, right = np.linalg.svd(signs.T @ rows)
        turn = (left @ right).T
    return turn


def graph(queries, gallery, *, dim: int, k: int, power: float, steps: float, share: float):
    """The graph descriptor, with ``share`` of the plain cosine beside it where that is not 0."""
    made = GraphDescriptor(dim, k, power=power, steps=steps).fit(gallery)
    near, far = unit(made.encode(queries)), unit(made.descriptors_)
    if not share:
        return near, far
    beside = (np.sqrt(share) * unit(rows) for rows in (queries, gallery))
    return tuple(np.hstack(pair) for pair in zip((near, far), beside, strict=True))
