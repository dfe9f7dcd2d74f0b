"""The exercises of the page Beyond one machine."""

import numpy as np

from vae_tutorial.exercises._bank import exercise, seen

PAGE = "beyond-one-machine"


def _shards(rng, size):
    n, k = 3, 3 + size
    distances = np.sort(rng.permutation(n * k).reshape(n, k) + rng.random(), axis=1)
    return distances, rng.permutation(n * k).reshape(n, k), k


def _merged(got, distances, ids, k):
    """Equal distances may come in any order."""
    distance_of = dict(zip(ids.ravel().tolist(), distances.ravel().tolist(), strict=True))
    return len(np.unique(got)) == k and (
        [distance_of.get(int(i)) for i in got] == sorted(distance_of.values())[:k]
    )


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
    cases=(
        "merge_shards(np.array([[1.0, 2.0], [1.0, 3.0]]), np.array([[5, 6], [8, 7]]), 2)",
        "merge_shards(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[9, 4], [2, 7]]), 2)",
        "merge_shards(np.array([[3.0, 9.0], [2.0, 8.0], [1.0, 7.0]]), "
        "np.array([[9, 4], [2, 7], [5, 3]]), 2)",
        "merge_shards(np.array([[2.0], [1.0]]), np.array([[4], [6]]), 1)",
        "merge_shards(np.sort(np.arange(3000.0).reshape(3, 1000) * 1237 % 3001), "
        "np.arange(3000).reshape(3, 1000) * 7 % 3001, 1000)",
    ),
    accepts=_merged,
    why=(
        "The nearest k of the whole are among the nearest k of the parts, so merging loses nothing."
    ),
    reasoning=(
        "An image among the $k$ nearest of the whole gallery is beaten by fewer than $k$ images "
        "anywhere, so by fewer than $k$ on its own machine: it is in that machine's list. So "
        "the joined lists hold all the winners. Sort the joined distances, keep the first `k`, "
        "and look up the ids at those places. Only $k$ distances and ids a machine travel over the "
        "network, whatever the size of its part."
    ),
    hints=(
        "The machines have done most of the work: the answer lies among what they found. Does it "
        "still matter who found what?",
        "It does not. Make one list of all distances and one of all ids, in the same order. Then "
        "it is a search for the k smallest.",
        "`order = np.argsort(distances.ravel())`. Index `ids.ravel()` with the first k entries "
        "of it.",
    ),
    draw=_shards,
    mistakes={
        "Yours are the right ids, sorted by id. Keep them in the order of distance.": (
            lambda d, i, k: np.sort(i.ravel()[np.argsort(d.ravel())[:k]]),
        ),
        "Yours are the right ids, but the farthest of them comes first.": (
            lambda d, i, k: i.ravel()[np.argsort(d.ravel())[:k]][::-1],
        ),
        "You return what one machine found, as a sort of each row by itself also gives. Join all "
        "lists, then sort.": (
            lambda d, i, k: i[0][:k],
            lambda d, i, k: i[d[:, 0].argmin()][:k],
            lambda d, i, k: i[d.sum(1).argmin()][:k],
        ),
        "You return distances. Return the ids that belong to them.": (
            lambda d, i, k: np.sort(d.ravel())[:k]
        ),
        "You return positions in the joined list. Look the ids up there.": (
            (
                lambda d, i, k: np.argsort(d.ravel())[:k],
                lambda d, i, k: np.argsort(d.ravel())[:k] % d.shape[1],
            )
        ),
        "You sort by id. Sort by distance.": (lambda d, i, k: np.sort(i.ravel())[:k]),
        "You take the same number from each machine. One may hold them all.": (
            lambda d, i, k: i[:, : -(-k // len(d))].ravel()[
                np.argsort(d[:, : -(-k // len(d))].ravel())
            ][:k],
            lambda d, i, k: i[:, : k // len(d) + 1].ravel()[:k],
        ),
        "Yours are the right ids in the wrong order: argpartition does not sort.": seen(
            lambda want, got, d, i, k: (np.sort(got) == np.sort(want)).all()
        ),
        "You return the farthest images. Small distances are near.": (
            lambda d, i, k: i.ravel()[np.argsort(-d.ravel())[:k]],
            lambda d, i, k: i.ravel()[np.argsort(d.ravel())[::-1][:k]],
            lambda d, i, k: i.ravel()[np.argsort(d.ravel())[-k:]],
        ),
        "You join the lists and do not sort them.": (lambda d, i, k: i.T.ravel()[:k],),
        "You return all ids in order. Keep the first k.": (
            lambda d, i, k: i.ravel()[np.argsort(d.ravel())]
        ),
        "You take the nearest of each machine only. One machine may hold more of them.": (
            lambda d, i, k: i[:, 0],
            lambda d, i, k: i[np.argsort(d[:, 0]), 0],
            lambda d, i, k: i[:, 0][:k],
        ),
        "You sort each machine's row by itself. Join the rows first.": (
            lambda d, i, k: np.take_along_axis(i, np.argsort(d, axis=1), axis=1)[:, :k],
            lambda d, i, k: i[:, :k],
            lambda d, i, k: np.take_along_axis(i, np.argsort(d, axis=1), axis=1)[:, :k].ravel(),
            lambda d, i, k: i[:, :k].ravel(),
        ),
        "You sort over the machines, rank by rank. Join all lists, then sort.": (
            lambda d, i, k: np.take_along_axis(i, np.argsort(d, axis=0), axis=0).ravel()[:k],
            lambda d, i, k: np.take_along_axis(i, np.argsort(d, axis=0), axis=0)[0][:k],
        ),
        "You look places of the joined list up in the table. Join the ids as well: ids.ravel().": (
            lambda d, i, k: i[np.argsort(d.ravel())[:k]],
            lambda d, i, k: i[np.argsort(d)[:k]],
        ),
        "You leave out the nearest image.": (
            lambda d, i, k: i.ravel()[np.argsort(d.ravel())[1 : k + 1]]
        ),
        "You return one id too many or too few: [:k] holds k.": (
            lambda d, i, k: i.ravel()[np.argsort(d.ravel())[: k + 1]],
            lambda d, i, k: i.ravel()[np.argsort(d.ravel())[: k - 1]],
        ),
        "You return the machines. Return the ids.": (
            lambda d, i, k: np.argsort(d.ravel())[:k] // d.shape[1]
        ),
        "You join ids and distances in different orders. Flatten both in the same way.": (
            lambda d, i, k: i.T.ravel()[np.argsort(d.ravel())[:k]],
            lambda d, i, k: i.ravel()[np.argsort(d.T.ravel())[:k]],
        ),
        "You return ids and distances. The ids were asked for.": (
            lambda d, i, k: np.stack(
                [np.sort(d.ravel())[:k], i.ravel()[np.argsort(d.ravel())[:k]]]
            ),
            lambda d, i, k: np.stack(
                [i.ravel()[np.argsort(d.ravel())[:k]], np.sort(d.ravel())[:k]]
            ),
            lambda d, i, k: np.stack(
                [i.ravel()[np.argsort(d.ravel())[:k]], np.sort(d.ravel())[:k]], axis=1
            ),
        ),
        "You average over the machines. Each result has a distance of its own.": (
            lambda d, i, k: d.mean(0).argsort()[:k],
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
    cases=(
        "gallery_bytes(1, 8, 1)",
        "gallery_bytes(3, 16, 8)",
        "gallery_bytes(10**6, 1024, 32)",
    ),
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
    hints=(
        "How many numbers are stored in all, and how many bits is that?",
        "Each image has `latent_dim` numbers, and each of these takes `bits` bits. A byte has "
        "eight bits.",
        "Multiply the three arguments, and divide by 8 as whole numbers.",
    ),
    draw=lambda rng, size: (int(rng.integers(2, 50 * size)), 8 * int(rng.integers(1, 5)), 2**size),
    mistakes={
        "You return bits. Eight of them are a byte.": (lambda n, d, b: n * d * b),
        "You count one number for each image.": (
            lambda n, d, b: n * b // 8,
            lambda n, d, b: n * b / 8,
            lambda n, d, b: n * b,
        ),
        "You return kilobytes. The bytes were asked for.": (
            lambda n, d, b: n * d * b / 8 / 1000,
            lambda n, d, b: n * d * b / 8 / 1024,
            lambda n, d, b: n * d * b / 8 / 1024**2,
            lambda n, d, b: n * d * b / 8 / 1e6,
            lambda n, d, b: n * d * b // 8 // 1000,
            lambda n, d, b: n * d * b // 8 // 1024,
            lambda n, d, b: n * d * b / 1000,
            lambda n, d, b: n * d * b / 1024,
        ),
        "You assume floats of 32 bits whatever bits says.": (lambda n, d, b: n * d * 4),
        "You count in int32, which ends at two thousand million. Use Python's own whole numbers.": (
            lambda n, d, b: (((n * d * b) + 2**31) % 2**32 - 2**31) // 8,
            lambda n, d, b: ((n * d * b // 8) + 2**31) % 2**32 - 2**31,
            lambda n, d, b: ((n * d * (b / 8)) + 2**31) % 2**32 - 2**31,
        ),
        "You divide bits by 8 first, and one bit becomes 0 bytes. Multiply before you divide.": (
            lambda n, d, b: n * d * (b // 8)
        ),
        "You take a whole number of bytes for each number. Bits are packed.": (
            lambda n, d, b: n * d * -(-b // 8),
            lambda n, d, b: n * d * max(1, b // 8),
        ),
        "You multiply by 8. Divide: eight bits are a byte.": (
            lambda n, d, b: n * d * b * 8,
            lambda n, d, b: n * d / b,
        ),
        "You leave the bits out.": (
            lambda n, d, b: n * d,
            lambda n, d, b: n * d // 8,
            lambda n, d, b: n * d / 8,
        ),
        "You count one image. Multiply by their number.": (
            lambda n, d, b: d * b // 8,
            lambda n, d, b: d * b,
        ),
        "You count a byte as 4, 10 or 16 bits. It has eight.": (
            lambda n, d, b: n * d * b // 4,
            lambda n, d, b: n * d * b // 10,
            lambda n, d, b: n * d * b // 16,
            lambda n, d, b: n * d * b / 10,
            lambda n, d, b: n * d * b / 16,
        ),
        "You count the values that so many bits can take. The bits themselves take the room.": (
            lambda n, d, b: n * d * 2**b,
            lambda n, d, b: n * d * 2**b // 8,
            lambda n, d, b: n * d * 2**b / 8,
        ),
        "You add where you should multiply.": (
            lambda n, d, b: (n + d) * b / 8,
            lambda n, d, b: (n + d) * b // 8,
            lambda n, d, b: n * (d + b) / 8,
            lambda n, d, b: n * (d + b) // 8,
            lambda n, d, b: n + d * b / 8,
            lambda n, d, b: n * (d + b / 8),
        ),
        "You assume double precision, 64 bits, whatever bits says.": lambda n, d, b: n * d * 8,
        "You divide by 8 twice. Eight bits are a byte: once.": (
            lambda n, d, b: n * d // 8 * b // 8,
            lambda n, d, b: n * d * b / 64,
            lambda n, d, b: n * d * b // 64,
        ),
        "You divide by bits. More bits take more room: multiply.": (
            lambda n, d, b: n * d * 8 / b,
            lambda n, d, b: n * d * 8 // b,
        ),
        "You count a number twice, or square it. Each of the three counts once.": (
            lambda n, d, b: n * d**2 * b / 8,
            lambda n, d, b: n**2 * d * b / 8,
            lambda n, d, b: n * d * b**2 / 8,
        ),
    },
)
def gallery_bytes(n_images, latent_dim, bits):
    return n_images * latent_dim * bits // 8
