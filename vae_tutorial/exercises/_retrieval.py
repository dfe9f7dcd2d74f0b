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
    cases=(
        "squared_distances(np.array([[1.0, 2.0]]), np.array([[1.0, 2.0], [4.0, 6.0]]))",
        "squared_distances(np.array([[1.0], [0.0], [-2.0]]), np.array([[3.0], [0.0]]))",
    ),
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
    hints=(
        "Multiply out the square of q - g on paper. Which of the three terms needs both "
        "descriptors?",
        "The squared distance is the squared length of q, plus that of g, minus twice their "
        "inner product. All inner products together are one matrix product; the lengths are "
        "added by broadcasting, one along the rows and one along the columns.",
        "The squared lengths are `(queries**2).sum(axis=1)`, made a column by `[:, np.newaxis]`, "
        "and `(gallery**2).sum(axis=1)`. Add the two, and subtract `queries @ gallery.T` twice.",
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
            lambda q, g: (q**2).sum(1)[:, None] + (g**2).sum(1) + 2 * q @ g.T,
            lambda q, g: (q**2).sum(1)[:, None] - (g**2).sum(1) - 2 * q @ g.T,
        ),
        "You take the mean over the dimensions. A squared distance is their sum.": (
            lambda q, g: ((q[:, None] - g) ** 2).mean(-1)
        ),
        "You left out the squared lengths of the queries. The ranking is right, but not the "
        "distance.": (lambda q, g: (g**2).sum(1) - 2 * q @ g.T),
        "You left out the squared lengths of the gallery.": (
            lambda q, g: (q**2).sum(1)[:, None] - 2 * q @ g.T
        ),
        "You return inner products. A distance comes from differences.": (
            lambda q, g: q @ g.T,
            lambda q, g: -2 * q @ g.T,
        ),
        "You add up absolute differences. Square them.": (
            lambda q, g: np.abs(q[:, None] - g).sum(-1)
        ),
        "You add up differences without squares, or square their sum. Square first, then add up.": (
            lambda q, g: (q[:, None] - g).sum(-1),
            lambda q, g: (q[:, None] - g).sum(-1) ** 2,
        ),
        "You exchange rows and columns: queries are the rows.": (
            lambda q, g: ((g[:, None] - q) ** 2).sum(-1)
        ),
        "You leave out the product of query and gallery.": (
            lambda q, g: (q**2).sum(1)[:, None] + (g**2).sum(1)
        ),
        "You do not add up over the dimensions, or over another axis.": (
            lambda q, g: (q[:, None] - g) ** 2,
            lambda q, g: ((q[:, None] - g) ** 2).sum(0),
            lambda q, g: ((q[:, None] - g) ** 2).sum(1),
            lambda q, g: ((q[:, None] - g) ** 2).max(-1),
        ),
        "You take lengths without squares. Square the numbers before you add them up.": (
            lambda q, g: (
                np.linalg.norm(q, axis=1)[:, None] + np.linalg.norm(g, axis=1) - 2 * q @ g.T
            )
        ),
        "The squared lengths of the queries need an axis of their own, so that they go down the "
        "rows.": (
            lambda q, g: (q**2).sum(1) + (g**2).sum(1) - 2 * q @ g.T,
            lambda q, g: (q**2).sum(1) + (g**2).sum(1)[:, None] - 2 * q @ g.T,
        ),
        "Two arrays of different length cannot be subtracted. Give the queries a new axis: "
        "queries[:, np.newaxis].": (
            lambda q, g: ((q - g) ** 2).sum(-1),
            lambda q, g: np.linalg.norm(q - g, axis=-1),
            lambda q, g: np.linalg.norm(q - g, axis=-1) ** 2,
            lambda q, g: (q - g) ** 2,
        ),
        "You take one length of the whole table. Each row has its own: axis=1.": (
            lambda q, g: (q**2).sum() + (g**2).sum() - 2 * q @ g.T,
        ),
        "You put 1 for the squared lengths. That holds for descriptors of length one alone.": (
            lambda q, g: 2 - 2 * q @ g.T,
            lambda q, g: 1 - q @ g.T,
        ),
        "You compare lengths. Two descriptors of the same length can lie far apart.": (
            lambda q, g: (np.linalg.norm(q, axis=1)[:, None] - np.linalg.norm(g, axis=1)) ** 2,
            lambda q, g: (q**2).sum(1)[:, None] - (g**2).sum(1),
        ),
        "You add up over axis 0, the rows. A descriptor's numbers are axis 1.": (
            lambda q, g: (q**2).sum(0)[:, None] + (g**2).sum(0) - 2 * q @ g.T,
        ),
    },
)
def squared_distances(queries, gallery):
    lengths = (queries**2).sum(axis=1)[:, np.newaxis] + (gallery**2).sum(axis=1)
    return lengths - 2 * queries @ gallery.T


def _cosines(q, g):
    return q @ g.T / np.linalg.norm(q, axis=1)[:, None] / np.linalg.norm(g, axis=1)


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
    cases=(
        "cosine_similarity(np.array([[3.0, 4.0]]), np.array([[4.0, 3.0], [-3.0, -4.0]]))",
        "cosine_similarity(np.array([[1.0, 0.0], [0.0, 2.0], [2.0, 2.0]]), "
        "np.array([[5.0, 0.0], [0.0, 1.0]]))",
    ),
    why="Vectors of length one have their cosine as inner product.",
    reasoning=(
        "The inner product is $\\lVert q \\rVert \\lVert g \\rVert \\cos \\theta$, so dividing "
        "each vector by its own length leaves the cosine. Each vector is scaled once, which "
        "costs less than dividing every entry of the table. For vectors of length one, $\\lVert "
        "q - g \\rVert^2 = 2 - 2 \\cos \\theta$: an index that ranks scaled descriptors by "
        "Euclidean distance ranks them by cosine."
    ),
    hints=(
        "The cosine of the angle does not depend on how long the two descriptors are. How do you "
        "make length play no part?",
        "Divide each descriptor by its own length. The inner product of two descriptors of "
        "length 1 is the cosine, and all inner products together are one matrix product.",
        "`np.linalg.norm(queries, axis=1, keepdims=True)` holds the lengths as a column. Divide "
        "by it, do the same with the gallery, and multiply the first by the second transposed.",
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
        "You divide by the length of the queries only.": (
            lambda q, g: q @ g.T / np.linalg.norm(q, axis=1)[:, None]
        ),
        "You return the angle. Its cosine was asked for.": (
            lambda q, g: np.arccos(np.clip(_cosines(q, g), -1, 1)),
            lambda q, g: np.degrees(np.arccos(np.clip(_cosines(q, g), -1, 1))),
            lambda q, g: np.arccos(_cosines(q, g)),
        ),
        "You lose the sign: opposite directions have the cosine -1.": (
            lambda q, g: np.abs(_cosines(q, g))
        ),
        "You take one length of the whole table. Each row has its own: axis=1.": (
            lambda q, g: q @ g.T / (np.linalg.norm(q) * np.linalg.norm(g)),
            lambda q, g: (q / np.linalg.norm(q)) @ (g / np.linalg.norm(g)).T,
        ),
        "You take lengths along axis 0, the rows. A descriptor's numbers are axis 1.": (
            lambda q, g: (q / np.linalg.norm(q, axis=0)) @ (g / np.linalg.norm(g, axis=0)).T
        ),
        "You divide by sums of the numbers. The length is the root of the sum of squares.": (
            lambda q, g: q @ g.T / np.abs(q).sum(1)[:, None] / np.abs(g).sum(1),
            lambda q, g: q @ g.T / q.sum(1)[:, None] / g.sum(1),
            lambda q, g: q @ g.T / np.abs(q).max(1)[:, None] / np.abs(g).max(1),
            lambda q, g: q @ g.T / q.max(1)[:, None] / g.max(1),
        ),
        "You return Euclidean distances. The cosine comes from the inner product.": (
            lambda q, g: np.linalg.norm(q[:, None] - g, axis=-1),
            lambda q, g: ((q[:, None] - g) ** 2).sum(-1),
        ),
        "You shift the cosine to the range from 0 to 1. It goes from -1 to 1.": (
            lambda q, g: (_cosines(q, g) + 1) / 2
        ),
        "You add the two lengths. Multiply them.": (
            lambda q, g: q @ g.T / (np.linalg.norm(q, axis=1)[:, None] + np.linalg.norm(g, axis=1))
        ),
        "You subtract the mean first. That is the correlation.": (
            lambda q, g: _cosines(q - q.mean(1, keepdims=True), g - g.mean(1, keepdims=True))
        ),
        "Lengths of shape (n,) go along the columns. Keep the axis: keepdims=True.": (
            lambda q, g: (q / np.linalg.norm(q, axis=1)) @ (g / np.linalg.norm(g, axis=1)).T,
            lambda q, g: q @ g.T / np.linalg.norm(q, axis=1) / np.linalg.norm(g, axis=1),
            lambda q, g: q @ g.T / (np.linalg.norm(q, axis=1) * np.linalg.norm(g, axis=1)),
        ),
        "You exchange rows and columns: queries are the rows.": lambda q, g: _cosines(q, g).T,
        "You scale the products. Scale each descriptor before the product.": (
            lambda q, g: q @ g.T / np.linalg.norm(q @ g.T),
            lambda q, g: q @ g.T / np.abs(q @ g.T).max(),
            lambda q, g: q @ g.T / np.linalg.norm(q @ g.T, axis=1, keepdims=True),
        ),
        "You compare row by row. Every query meets every gallery descriptor: a table.": (
            lambda q, g: (q * g).sum(1) / (np.linalg.norm(q, axis=1) * np.linalg.norm(g, axis=1)),
        ),
        "You take the root of the lengths as well. A length is a root already.": (
            lambda q, g: (
                q @ g.T / np.sqrt(np.linalg.norm(q, axis=1)[:, None] * np.linalg.norm(g, axis=1))
            ),
        ),
        "You take the cosine of a cosine. The quotient is the cosine already.": (
            lambda q, g: np.cos(_cosines(q, g)),
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
    cases=(
        "query_expansion(np.array([1.0, 0.0]), np.array([[3.0, 0.0], [5.0, 3.0]]))",
        "query_expansion(np.array([0.0]), np.array([[4.0]]))",
    ),
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
    hints=(
        "How many descriptors take part in the mean?",
        "The neighbours, and the query as one more. Each has the same weight, so divide one sum "
        "by their number.",
        "Add `query` and the sum of `neighbours` over axis 0; the number to divide by is one "
        "more than `len(neighbours)`.",
    ),
    draw=lambda rng, size: (rng.normal(0, 1, 3), rng.normal(2, 1, (size + 1, 3))),
    mistakes={
        "You halve the sum. Divide by the number of descriptors.": (
            lambda q, n: (q + n.sum(0)) / 2,
        ),
        "You count one descriptor too many. There are the neighbours, and the query.": (
            lambda q, n: (q + n.sum(0)) / (2 + len(n)),
        ),
        "You leave the query itself out of the mean.": (lambda q, n: n.mean(0)),
        "The query weighs as much as all neighbours together. Give each descriptor one vote.": (
            lambda q, n: (q + n.mean(0)) / 2
        ),
        "You add up and do not divide.": (lambda q, n: q + n.sum(0)),
        "You divide by the number of neighbours. With the query there is one more.": (
            lambda q, n: (q + n.sum(0)) / len(n)
        ),
        "You take the mean over everything, or over the numbers. Keep each number: axis=0.": (
            lambda q, n: np.vstack([q, n]).mean(),
            lambda q, n: np.vstack([q, n]).mean(1),
            lambda q, n: np.mean([q.mean(), n.mean()]),
            lambda q, n: (q + n.sum()) / (1 + len(n)),
            lambda q, n: (q + n.sum(1)) / (1 + len(n)),
            lambda q, n: (q + n.mean(1)) / 2,
        ),
        "You return the median. The mean was asked for.": (
            lambda q, n: np.median(np.vstack([q, n]), axis=0)
        ),
        "You count the query twice. Each descriptor has one vote.": (
            lambda q, n: (2 * q + n.sum(0)) / (2 + len(n)),
        ),
        "You return the query as it was. Take the mean with its neighbours.": lambda q, n: q,
        "You scale the mean to length 1. The mean itself was asked for.": (
            lambda q, n: (q + n.sum(0)) / np.linalg.norm(q + n.sum(0))
        ),
        "You add the query to the mean of its neighbours and do not divide.": (
            lambda q, n: q + n.mean(0)
        ),
        "You divide the neighbours alone. The query is part of the mean.": (
            lambda q, n: q + n.sum(0) / (1 + len(n))
        ),
        "You add the query to each neighbour, and keep a row for each. The mean is one row.": (
            lambda q, n: (q + n) / 2,
            lambda q, n: (q + n) / (1 + len(n)),
        ),
        "You add the query to each neighbour, so it counts as often as they do together.": (
            lambda q, n: (q + n).sum(0) / (1 + len(n)),
        ),
        "You take the largest numbers. Take the mean.": lambda q, n: np.maximum(q, n.max(0)),
        "You use the first neighbour only.": (
            lambda q, n: (q + n[0]) / 2,
            lambda q, n: n[0],
        ),
        "You take the difference. A mean adds up.": (
            lambda q, n: n.mean(0) - q,
            lambda q, n: q - n.mean(0),
        ),
        "You divide by the length of a descriptor. Divide by the number of descriptors.": (
            lambda q, n: (q + n.sum(0)) / len(q),
            lambda q, n: (q + n.sum(0)) / (1 + len(q)),
            lambda q, n: (q + n.sum(0)) / n.size,
            lambda q, n: (q + n.sum(0)) / (q.size + n.size),
        ),
        "You divide by the number of descriptors of the example. Take it from the shape.": (
            lambda q, n: (q + n.sum(0)) / 3,
            lambda q, n: np.mean([q, n[0], n[1]], axis=0),
        ),
        "You weigh by distance. All have the same weight.": (
            lambda q, n: np.average(n, axis=0, weights=1 / (1 + ((n - q) ** 2).sum(1))),
            lambda q, n: np.average(n, axis=0, weights=np.exp(-((n - q) ** 2).sum(1))),
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


def _cut_from_the_end(image, down, right):
    result = np.zeros_like(image)
    result[down:, right:] = image[:-down, :-right]
    return result


def _up_and_left_from_the_end(image, down, right):
    result = np.zeros_like(image)
    result[:-down, :-right] = image[down:, right:]
    return result


def _onto_itself(image, down, right):
    result = image.copy()
    result[down:, right:] = image[: len(image) - down, : image.shape[1] - right]
    return result


def _cut_from_the_end_of_one(image, down, right):
    result = np.zeros_like(image)
    result[down:, right:] = image[:-down, : image.shape[1] - right]
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
    cases=(
        "shift_image(np.array([[1.0, 2.0], [3.0, 4.0]]), 0, 1)",
        "shift_image(np.array([[1.0, 2.0], [3.0, 4.0]]), 1, 0)",
        "shift_image(np.array([[1.0, 2.0], [3.0, 4.0]]), 0, 0)",
        "shift_image(np.arange(1.0, 13.0).reshape(3, 4), 2, 1)",
    ),
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
    hints=(
        "The result has the size of the image and starts as zeros. Which rectangle of the old "
        "image is still to be seen, and where does it lie in the new one?",
        "What stays is the upper left part, without as many rows and columns at the end as the "
        "shift has. It is copied to where it now begins. Mind a shift of 0: a slice that ends at "
        "-0 is empty.",
        "Into `result[down:, right:]` goes `image[: rows - down, : columns - right]`, with "
        "`rows` and `columns` from `image.shape`.",
    ),
    draw=lambda rng, size: (
        rng.random((4, 5 + size)),
        int(rng.integers(0, 4)),
        int(rng.integers(0, 4)),
    ),
    mistakes={
        "Your image comes round on one side, or in a corner. All rows and columns that come in "
        "are 0.": (
            lambda image, d, r: _rolled(image, d, r, np.s_[:d]),
            lambda image, d, r: _rolled(image, d, r, np.s_[:, :r]),
            lambda image, d, r: _rolled(image, d, r, np.s_[:d, :r]),
            lambda image, d, r: np.roll(image, d * image.shape[1] + r),
        ),
        "Your image comes round at the other side, as np.roll does. That tears a digit in two.": (
            lambda image, d, r: np.roll(image, (d, r), axis=(0, 1)),
            lambda image, d, r: np.roll(image, (r, d), axis=(0, 1)),
            lambda image, d, r: np.roll(image, (-d, -r), axis=(0, 1)),
            lambda image, d, r: np.roll(image, d, axis=0),
            lambda image, d, r: np.roll(image, r, axis=1),
            lambda image, d, r: np.roll(image, d, axis=1),
            lambda image, d, r: np.roll(np.roll(image, r, axis=1), d, axis=1),
            lambda image, d, r: np.roll(np.roll(image, r, axis=0), d, axis=0),
        ),
        "You have exchanged rows and columns: down is the first axis.": (
            lambda image, d, r: _shifted(image, r, d)
        ),
        "You move up and left.": (
            lambda image, d, r: _shifted(image[::-1, ::-1], d, r)[::-1, ::-1]
        ),
        "Where a shift is 0, image[:-0] is empty. Cut at rows - down and columns - right.": (
            _cut_from_the_end,
            _cut_from_the_end_of_one,
            _up_and_left_from_the_end,
            lambda image, d, r: np.pad(image, ((d, 0), (r, 0)))[:-d, :-r],
        ),
        "You fill what comes in with the edge of the image. It is 0.": (
            lambda image, d, r: np.pad(image, ((d, 0), (r, 0)), mode="edge")[
                : image.shape[0], : image.shape[1]
            ]
        ),
        "Your image grows. What leaves the frame is lost: the shape stays.": (
            lambda image, d, r: np.pad(image, ((d, 0), (r, 0))),
            lambda image, d, r: np.pad(image, ((d, d), (r, r))),
        ),
        "Your image shrinks. Zeros come in, so that the shape stays.": (
            lambda image, d, r: image[d:, r:],
            lambda image, d, r: image[: image.shape[0] - d, : image.shape[1] - r],
        ),
        "You shift in one direction only. Both numbers count.": (
            lambda image, d, r: _shifted(image, d, 0),
            lambda image, d, r: _shifted(image, 0, r),
        ),
        "You fill what comes in with 1, white. It is 0.": (
            lambda image, d, r: _shifted(image - 1, d, r) + 1,
        ),
        "You set rows and columns to 0 but do not move the image.": (
            lambda image, d, r: np.where(
                (np.arange(image.shape[0])[:, None] >= d) & (np.arange(image.shape[1]) >= r),
                image,
                0,
            )
        ),
        "You move down and left, or up and right.": (
            lambda image, d, r: _shifted(image[:, ::-1], d, r)[:, ::-1],
            lambda image, d, r: _shifted(image[::-1], d, r)[::-1],
        ),
        "You begin with the old image, which stays where nothing comes in. Begin with zeros.": (
            _onto_itself
        ),
        "You leave the image as it was.": lambda image, d, r: image,
        "You move one pixel too far.": (
            (
                lambda image, d, r: _shifted(image, min(d + 1, len(image)), r + 1),
                lambda image, d, r: _shifted(image, min(d + 1, len(image)), r),
                lambda image, d, r: _shifted(image, d, min(r + 1, image.shape[1])),
            )
        ),
        "You set one row or column to 0. As many come in as the image moves.": (
            lambda image, d, r: _rolled(image, d, r, np.s_[0], np.s_[:, 0]),
            lambda image, d, r: _rolled(image, d, r, np.s_[d], np.s_[:, r]),
            lambda image, d, r: _rolled(image, d, r, np.s_[: min(d, 1)], np.s_[:, : min(r, 1)]),
        ),
        "You set the rows to 0 that lie on the other side. What is new is above and on the left.": (
            lambda image, d, r: _rolled(image, d, r, np.s_[-d:], np.s_[:, -r:]),
            lambda image, d, r: _rolled(
                image, d, r, np.s_[len(image) - d :], np.s_[:, image.shape[1] - r :]
            ),
        ),
        "You fill what comes in with a grey of the image. It is 0.": (
            lambda image, d, r: _shifted(image - image.mean(), d, r) + image.mean(),
            lambda image, d, r: _shifted(image - image.min(), d, r) + image.min(),
            lambda image, d, r: _shifted(image - image.max(), d, r) + image.max(),
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
    cases=(
        "hamming_distances(np.array([0, 255], dtype=np.uint8), "
        "np.array([[255, 255], [0, 254]], dtype=np.uint8))",
        "hamming_distances(np.zeros(40, dtype=np.uint8), np.full((2, 40), 255, dtype=np.uint8))",
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
    hints=(
        "Which operation on two bytes gives a 1 exactly where their bits differ?",
        "It is the exclusive or, `query ^ gallery`, which broadcasts over the rows of the "
        "gallery. What is left is to count the ones in each row of bytes.",
        "`np.unpackbits` with `axis=1` turns each row of bytes into a row of bits. Sum it along "
        "the rows.",
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
            lambda q, g: np.abs(q.astype(int) - g).sum(1),
            lambda q, g: np.abs(q - g).sum(1),
            lambda q, g: ((q.astype(int) - g) ** 2).sum(1),
            lambda q, g: np.linalg.norm(q.astype(float) - g, axis=1),
            lambda q, g: np.unpackbits(g - q, axis=1).sum(1),
            lambda q, g: np.unpackbits(q - g, axis=1).sum(1),
        ),
        "You count in uint8, which begins again at 256. Count in a larger type of number.": (
            lambda q, g: np.unpackbits(q ^ g, axis=1).sum(1, dtype=np.uint8)
        ),
        "You return the share of bits that differ. Return their number.": (
            lambda q, g: np.unpackbits(q ^ g, axis=1).mean(1)
        ),
        "You count the bits that are set in either: | where ^ belongs.": (
            lambda q, g: np.unpackbits(q | g, axis=1).sum(1)
        ),
        "You add the XOR up as numbers. Spread each byte into its bits first.": (
            lambda q, g: (q ^ g).sum(1),
            lambda q, g: (q ^ g).astype(int).sum(1),
            lambda q, g: [bin(int(a)).count("1") for a in (q ^ g).sum(1)],
            lambda q, g: np.log2(q ^ g).sum(1),
        ),
        "You return one number for everything. Each row of the gallery has its own.": (
            lambda q, g: np.unpackbits(q ^ g).sum(),
            lambda q, g: np.unpackbits(q ^ g, axis=1).sum(),
            lambda q, g: (np.unpackbits(q) != np.unpackbits(g)).sum(),
        ),
        "You add up over axis 0, the gallery. The bits of a row are axis 1.": (
            lambda q, g: np.unpackbits(q ^ g, axis=1).sum(0),
            lambda q, g: np.unpackbits(q ^ g, axis=0).sum(0),
            lambda q, g: np.unpackbits(q ^ g, axis=0).sum(1),
        ),
        "You compare how many bits are set. Two codes with as many ones may differ everywhere.": (
            lambda q, g: np.abs(
                np.unpackbits(q).sum() - np.unpackbits(g, axis=1).sum(1).astype(int)
            )
        ),
        "You look at the first byte alone.": (
            lambda q, g: np.unpackbits((q ^ g)[:, :1], axis=1).sum(1)
        ),
        "You do not add the bits up.": lambda q, g: np.unpackbits(q ^ g, axis=1),
        "You return the distance squared, or its root. Count the bits.": (
            lambda q, g: np.unpackbits(q ^ g, axis=1).sum(1) ** 0.5,
            lambda q, g: np.unpackbits(q ^ g, axis=1).sum(1) ** 2,
        ),
        "You say whether codes differ. Count in how many bits.": (
            lambda q, g: (q != g).any(1),
            lambda q, g: (q == g).all(1),
        ),
        "You count the ones of the gallery. The query plays no part.": (
            lambda q, g: np.unpackbits(g, axis=1).sum(1),
        ),
        "You return a ranking. Return the distances.": (
            lambda q, g: np.unpackbits(q ^ g, axis=1).sum(1).argsort(),
            lambda q, g: np.unpackbits(q ^ g, axis=1).sum(1).argsort(kind="stable"),
        ),
        "Your differences of bits have a sign, and cancel. Take their sizes before the sum.": (
            lambda q, g: (np.unpackbits(q).astype(int) - np.unpackbits(g, axis=1)).sum(1),
            lambda q, g: (np.unpackbits(g, axis=1) - np.unpackbits(q).astype(int)).sum(1),
            lambda q, g: (np.unpackbits(q) - np.unpackbits(g, axis=1)).sum(1),
        ),
        "In Python ^ is XOR and ** is a power. You take the power.": (
            lambda q, g: np.unpackbits(q**g, axis=1).sum(1),
        ),
    },
)
def hamming_distances(query, gallery):
    differ = np.bitwise_xor(query, gallery)
    return np.unpackbits(differ, axis=1).sum(axis=1)


def _rolled(image, down, right, *emptied):
    """Return an image rolled round its edges, with parts of it set to 0."""
    moved = np.roll(image, (down, right), axis=(0, 1))
    for part in emptied:
        moved[part] = 0
    return moved


def _own_results(rng, size):
    results = np.array([rng.permutation(5 + size)[: 3 + size // 2] for _ in range(1 + size)])
    own = results[np.arange(1 + size), np.arange(1 + size) % 2]
    return results, own if size % 3 else np.arange(1 + size) + 5 + size


@exercise(
    PAGE,
    title="Leave the query out by hand",
    level="standard",
    minutes=5,
    after="retrieval-018",
    statement=(
        "`results` holds the $k + 1$ nearest positions of each query, one row each; `own` holds "
        "where the queries themselves stand in the gallery. Return the $k$ nearest others. A copy "
        "of the query is at distance zero too, so it need not come first, and it may be missing."
    ),
    example="without_itself(np.array([[4, 7, 2], [8, 5, 1]]), np.array([4, 5]))",
    cases=(
        "without_itself(np.array([[0, 1, 2]]), np.array([2]))",
        "without_itself(np.array([[5, 6, 7]]), np.array([9]))",
        "without_itself(np.array([[1, 0], [1, 0]]), np.array([0, 1]))",
        "without_itself(np.array([[2, 0, 1], [0, 1, 2], [3, 2, 1]]), np.array([0, 1, 2]))",
    ),
    why="What goes out is named by its position, not by its rank: a copy may stand before it.",
    reasoning=(
        "The first result is the query itself only if nothing else lies at distance zero. Where a "
        "copy stands before it, cutting the first column throws away a true result and keeps the "
        "query. So compare with `own`, row by row, and keep what differs, in its order. If the "
        "query is not among them, because more copies than places are nearer, all $k + 1$ are "
        "others; the first $k$ of these are the answer. That is why one asks for $k + 1$."
    ),
    hints=(
        "What do you know of the query: the rank at which it stands, or its position in the "
        "gallery?",
        "Its position. In each row keep what differs from it, in the same order. Then a row has k "
        "entries, or k + 1 where the query was not among them.",
        "`row[row != me][:k]` for each `row` of `results` and each `me` of `own`, with `zip`; `k` "
        "is one less than the number of columns.",
    ),
    draw=_own_results,
    mistakes={
        "You drop the first result. A copy may stand there, and then the query itself stays.": (
            lambda results, own: results[:, 1:]
        ),
        "You drop the last result. That keeps the query.": lambda results, own: results[:, :-1],
        "You drop nothing.": lambda results, own: results,
        "Where the query is not among the results, a row keeps one more. Cut each at k.": (
            lambda results, own: np.array(
                [row[row != me] for row, me in zip(results, own, strict=True)]
            ),
            lambda results, own: results[results != own[:, None]].reshape(len(results), -1),
            lambda results, own: [
                [i for i in row if i != me] for row, me in zip(results, own, strict=True)
            ],
        ),
        "You leave all queries out of every row. Each row leaves out its own alone.": (
            lambda results, own: np.array([row[~np.isin(row, own)] for row in results]),
            lambda results, own: np.array(
                [row[~np.isin(row, own)][: len(row) - 1] for row in results]
            ),
        ),
        "You compare along the columns. Each row has its own query: own[:, np.newaxis].": (
            lambda results, own: results[results != own].reshape(len(results), -1),
            lambda results, own: results[results != own],
        ),
        "You take `own` for ranks. It holds positions in the gallery.": (
            lambda results, own: np.array(
                [np.delete(row, me) for row, me in zip(results, own, strict=True)]
            ),
            lambda results, own: [
                np.delete(row, min(me, len(row) - 1)) for row, me in zip(results, own, strict=True)
            ],
        ),
        "You leave the row's number out. The query's position stands in `own`.": (
            lambda results, own: np.array(
                [row[row != i][: len(row) - 1] for i, row in enumerate(results)]
            )
        ),
        "You sort the positions. Nearest first is the order that they have.": (
            lambda results, own: np.array(
                [
                    np.sort(row[row != me][: len(row) - 1])
                    for row, me in zip(results, own, strict=True)
                ]
            ),
            lambda results, own: np.array(
                [np.setdiff1d(row, [me]) for row, me in zip(results, own, strict=True)]
            ),
            lambda results, own: np.array(
                [
                    np.sort(row[row != me])[: len(row) - 1]
                    for row, me in zip(results, own, strict=True)
                ]
            ),
        ),
        "You put another number where the query stood. It has to go, and the rest moves up.": (
            lambda results, own: np.where(results == own[:, None], -1, results),
            lambda results, own: np.where(results == own[:, None], -1, results)[:, :-1],
        ),
        "You return which results are others. Return the results themselves.": (
            lambda results, own: results != own[:, None]
        ),
        "You return one row for all queries. Each query keeps its own.": (
            lambda results, own: results[results != own[:, None]]
        ),
        "You return the query itself.": lambda results, own: own,
    },
)
def without_itself(results, own):
    k = results.shape[1] - 1
    return np.array([row[row != me][:k] for row, me in zip(results, own, strict=True)])
