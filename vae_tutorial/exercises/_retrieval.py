"""The exercises of the page Retrieval."""

import numpy as np

from vae_tutorial.exercises._bank import exercise

PAGE = "retrieval"


def _two_sets(rng, size):
    return rng.normal(1, 1, (2, size + 1)), rng.normal(0, 2, (3, size + 1))


@exercise(
    PAGE,
    title="All distances without a loop",
    level="standard",
    minutes=10,
    statement=(
        "Return the *squared* Euclidean distance of every query (rows of the result) from every "
        "gallery descriptor (columns)."
    ),
    example="squared_distances(np.array([[0.0, 0.0]]), np.array([[3.0, 4.0], [1.0, 0.0]]))",
    why=(
        "Expanding the square turns the work into one matrix product, which is what a processor "
        "does best."
    ),
    reasoning=(
        "Expand the square: $\\lVert q - g \\rVert^2 = \\lVert q \\rVert^2 + \\lVert g "
        "\\rVert^2 - 2\\, q \\cdot g$. The squared lengths are one number for each query and "
        "one for each gallery image; `np.newaxis` stands the first up as a column, so that they "
        "spread over the table. All inner products at once are the matrix product `queries @ "
        "gallery.T`. Writing `queries[:, np.newaxis] - gallery` instead makes an array of "
        "queries times gallery times dimensions before anything is added up. A warning: "
        "rounding can make a tiny distance slightly negative; a library lifts it to 0."
    ),
    draw=_two_sets,
    mistakes={
        "You take the root. It is not needed for a ranking, and was not asked for.": (
            lambda q, g: np.linalg.norm(q[:, None] - g, axis=-1)
        ),
        "The factor 2 before the product is missing.": (
            lambda q, g: (q**2).sum(1)[:, None] + (g**2).sum(1) - q @ g.T
        ),
        "The product has the wrong sign: it is subtracted.": (
            lambda q, g: (q**2).sum(1)[:, None] + (g**2).sum(1) + 2 * q @ g.T
        ),
        "You take the mean over the dimensions. A squared distance is their sum.": (
            lambda q, g: ((q[:, None] - g) ** 2).mean(-1)
        ),
        "You left out the squared lengths of the queries. The ranking is right, but not the "
        "distance.": (lambda q, g: (g**2).sum(1) - 2 * q @ g.T),
    },
)
def squared_distances(queries, gallery):
    lengths = (queries**2).sum(axis=1)[:, np.newaxis] + (gallery**2).sum(axis=1)
    return lengths - 2 * queries @ gallery.T


@exercise(
    PAGE,
    title="Cosine similarity",
    level="warm-up",
    minutes=5,
    statement=(
        "Return the cosine of the angle between every query (rows) and every gallery descriptor "
        "(columns)."
    ),
    example="cosine_similarity(np.array([[2.0, 0.0]]), np.array([[1.0, 1.0], [0.0, 3.0]]))",
    why="Vectors of length one have their cosine as inner product.",
    reasoning=(
        "The inner product is $\\lVert q \\rVert \\lVert g \\rVert \\cos \\theta$, so dividing "
        "each vector by its own length leaves the cosine. Each vector is scaled once, which "
        "costs less than dividing every entry of the table. For vectors of length one, $\\lVert "
        "q - g \\rVert^2 = 2 - 2 \\cos \\theta$: an index that ranks scaled descriptors by "
        "Euclidean distance ranks them by cosine."
    ),
    draw=_two_sets,
    mistakes={
        "You return inner products. Divide by both lengths.": (lambda q, g: q @ g.T),
        "You divide by the length of the gallery descriptors only.": (
            lambda q, g: q @ g.T / np.linalg.norm(g, axis=1)
        ),
        "You return one minus the cosine, a distance.": (
            lambda q, g: (
                1 - q @ g.T / np.linalg.norm(q, axis=1)[:, None] / np.linalg.norm(g, axis=1)
            )
        ),
        "You divide by squared lengths. The root is missing.": (
            lambda q, g: q @ g.T / (q**2).sum(1)[:, None] / (g**2).sum(1)
        ),
    },
)
def cosine_similarity(queries, gallery):
    queries = queries / np.linalg.norm(queries, axis=1, keepdims=True)
    gallery = gallery / np.linalg.norm(gallery, axis=1, keepdims=True)
    return queries @ gallery.T


@exercise(
    PAGE,
    title="Query expansion",
    level="warm-up",
    minutes=5,
    statement=(
        "Return the new query: the mean of the query's descriptor and those of its `neighbours` "
        "(one a row), all with the same weight."
    ),
    example="query_expansion(np.array([0.0, 0.0]), np.array([[2.0, 2.0], [4.0, 1.0]]))",
    why=(
        "The mean of near images is less noisy than one of them, as long as most neighbours are "
        "right."
    ),
    reasoning=(
        "There are `1 + len(neighbours)` descriptors, the query and its neighbours, and each "
        "has one vote: add them all up and divide by their number. The mean lies nearer to the "
        "centre of the neighbourhood, where the accidents of a single image are averaged away. "
        "There is the risk as well: a neighbour that is wrong votes too, and pulls the query "
        "towards its own kind. No label is used; the neighbours are what the first search "
        "returned."
    ),
    draw=lambda rng, size: (rng.normal(0, 1, 3), rng.normal(2, 1, (size + 1, 3))),
    mistakes={
        "You leave the query itself out of the mean.": (lambda q, n: n.mean(0)),
        "The query weighs as much as all neighbours together. Give each descriptor one vote.": (
            lambda q, n: (q + n.mean(0)) / 2
        ),
        "You add up and do not divide.": (lambda q, n: q + n.sum(0)),
        "You divide by the number of neighbours. With the query there is one more.": (
            lambda q, n: (q + n.sum(0)) / len(n)
        ),
    },
)
def query_expansion(query, neighbours):
    return (query + neighbours.sum(axis=0)) / (1 + len(neighbours))


def _shifted(image, down, right):
    result = np.zeros_like(image)
    rows, columns = image.shape
    result[down:, right:] = image[: rows - down, : columns - right]
    return result


@exercise(
    PAGE,
    title="A view: shift an image",
    level="standard",
    minutes=10,
    statement=(
        "Move a grey image (rows, columns) by `down` and `right` pixels, both at least 0. What "
        "leaves the frame is lost, and what comes in is 0."
    ),
    example="shift_image(np.arange(1.0, 10.0).reshape(3, 3), 1, 0)",
    why=(
        "A slice of the old image goes into a slice of an empty one; nothing comes round from "
        "the other side."
    ),
    reasoning=(
        "Row $r$ of the result is row $r - \\text{down}$ of the image. So the result from "
        "`down` onwards equals the image up to `rows - down`, and the same holds for columns. "
        "Starting from zeros fills what comes in with background. Rows are the first axis and "
        "run down the page. `np.roll` would bring the lost part back at the other side, a "
        "picture that nobody ever takes, and an invariance one would not want to learn."
    ),
    draw=lambda rng, size: (
        rng.random((4, 5 + size)),
        int(rng.integers(1, 4)),
        int(rng.integers(0, 3)),
    ),
    mistakes={
        "Your image comes round at the other side, as np.roll does. That tears a digit in two.": (
            lambda image, d, r: np.roll(image, (d, r), axis=(0, 1))
        ),
        "You have exchanged rows and columns: down is the first axis.": (
            lambda image, d, r: _shifted(image, r, d)
        ),
        "You move up and left.": (
            lambda image, d, r: _shifted(image[::-1, ::-1], d, r)[::-1, ::-1]
        ),
    },
)
def shift_image(image, down, right):
    rows, columns = image.shape
    result = np.zeros_like(image)
    result[down:, right:] = image[: rows - down, : columns - right]
    return result


@exercise(
    PAGE,
    title="Hamming distances of packed codes",
    level="harder",
    minutes=15,
    statement=(
        "Codes are packed, eight bits in a `uint8`. Return the number of bits in which `query` "
        "(bytes,) differs from each row of `gallery` (n, bytes)."
    ),
    example=(
        "hamming_distances(np.array([10], dtype=np.uint8), np.array([[10], [5]], dtype=np.uint8))"
    ),
    why="XOR leaves a 1 exactly where two bits differ; counting ones is all that remains.",
    reasoning=(
        "XOR compares eight bits at once and leaves a 1 where they differ. `np.unpackbits` "
        "spreads each byte into its eight bits, and adding them up counts the ones. In the "
        "example, 10 is 1010 and 5 is 0101 in binary: all four bits differ. Subtracting bytes "
        "as numbers says something else: 8 and 7 are neighbours as numbers, yet 1000 and 0111 "
        "differ in every bit. A processor has one instruction that counts the ones of 64 bits, "
        "which is why such a search is fast."
    ),
    draw=lambda rng, size: (
        rng.integers(0, 256, 1 + size // 2, dtype=np.uint8),
        rng.integers(0, 256, (3, 1 + size // 2), dtype=np.uint8),
    ),
    mistakes={
        "You count bytes that differ. Two bytes can differ in up to eight bits.": (
            lambda q, g: (q ^ g != 0).sum(1)
        ),
        "You count the bits that agree.": (
            lambda q, g: 8 * len(q) - np.unpackbits(q ^ g, axis=1).sum(1)
        ),
        "You count the bits that are set in both: & where ^ belongs.": (
            lambda q, g: np.unpackbits(q & g, axis=1).sum(1)
        ),
        "You compare the bytes as numbers. Unsigned bytes also wrap around when subtracted.": (
            lambda q, g: np.abs(q.astype(int) - g).sum(1)
        ),
    },
)
def hamming_distances(query, gallery):
    differ = np.bitwise_xor(query, gallery)
    return np.unpackbits(differ, axis=1).sum(axis=1)
