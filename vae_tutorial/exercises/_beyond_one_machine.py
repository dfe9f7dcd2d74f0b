"""The exercises of the page Beyond one machine."""

import numpy as np

from vae_tutorial.exercises._bank import exercise

PAGE = "beyond-one-machine"


def _shards(rng, size):
    n, k = 3, 3 + size
    distances = np.sort(rng.permutation(n * k).reshape(n, k) + rng.random(), axis=1)
    return distances, rng.permutation(n * k).reshape(n, k), k


@exercise(
    PAGE,
    title="Merge the answers of several machines",
    level="standard",
    minutes=10,
    statement=(
        "Each machine searched its own part of the gallery. Row `i` of `distances` and `ids` "
        "holds the `k` nearest of machine `i`, nearest first. Return the ids of the `k` nearest "
        "of all."
    ),
    example="merge_shards(np.array([[0.1, 0.4], [0.2, 0.3]]), np.array([[7, 5], [2, 9]]), 2)",
    why=(
        "The nearest k of the whole are among the nearest k of the parts, so merging loses nothing."
    ),
    reasoning=(
        "An image among the $k$ nearest of the whole gallery is beaten by fewer than $k$ images "
        "anywhere, so by fewer than $k$ on its own machine: it is in that machine's list. So "
        "the joined lists hold all the winners. Sort the joined distances, keep the first `k`, "
        "and look up the ids at those places. Only $k$ numbers a machine travel over the "
        "network, whatever the size of its part."
    ),
    draw=_shards,
    mistakes={
        "You return what one machine found.": (lambda d, i, k: i[0][:k]),
        "You return distances. Return the ids that belong to them.": (
            lambda d, i, k: np.sort(d.ravel())[:k]
        ),
        "You return positions in the joined list. Look the ids up there.": (
            lambda d, i, k: np.argsort(d.ravel())[:k]
        ),
        "You sort by id. Sort by distance.": (lambda d, i, k: np.sort(i.ravel())[:k]),
        "You take the same number from each machine. One may hold them all.": (
            lambda d, i, k: i[:, : -(-k // 3)].ravel()[np.argsort(d[:, : -(-k // 3)].ravel())][:k]
        ),
    },
)
def merge_shards(distances, ids, k):
    order = np.argsort(distances.ravel())
    return ids.ravel()[order[:k]]


@exercise(
    PAGE,
    title="Bytes of a gallery",
    level="warm-up",
    minutes=5,
    statement=(
        "How many bytes do the descriptors of `n_images` images take, `latent_dim` numbers "
        "each, `bits` bits a number?"
    ),
    example="gallery_bytes(1000, 64, 1)",
    why=(
        "Images times numbers times bits, and eight bits are a byte. For one bit a number this "
        "is the size of a binary code."
    ),
    reasoning=(
        "Every image has `latent_dim` numbers of `bits` bits, and eight bits are a byte. "
        "Multiply before you divide, so that nothing is rounded away. The formula holds for "
        "floats (32 bits) as well as for binary codes (1 bit): in the example a thousand codes "
        "of 64 bits take as many bytes as a thousand double-precision numbers."
    ),
    draw=lambda rng, size: (int(rng.integers(2, 50 * size)), 8 * int(rng.integers(1, 5)), 2**size),
    mistakes={
        "You return bits. Eight of them are a byte.": (lambda n, d, b: n * d * b),
        "You count one number for each image.": (lambda n, d, b: n * b // 8),
        "You return kilobytes. The bytes were asked for.": (lambda n, d, b: n * d * b / 8 / 1000),
        "You assume floats of 32 bits whatever bits says.": (lambda n, d, b: n * d * 4),
    },
)
def gallery_bytes(n_images, latent_dim, bits):
    return n_images * latent_dim * bits // 8
