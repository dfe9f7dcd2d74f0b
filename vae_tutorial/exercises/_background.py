"""The exercises of the page Background."""

import numpy as np

from vae_tutorial.exercises._bank import exercise, seen

PAGE = "background"


def _relevant(rng, size):
    relevant = rng.random((size, 6)) < 0.5
    relevant[:, 0], relevant[:, 5] = True, rng.random(size) < 0.5
    return relevant, int(rng.integers(2, 6))


@exercise(
    PAGE,
    title="Precision of the first results",
    level="warm-up",
    minutes=5,
    statement=(
        "`relevant[i, j]` says whether the result at rank `j + 1` of query `i` is relevant. "
        "Return the precision at `k` of every query."
    ),
    example="precision_at_k(np.array([[True, False, True, True]]), 2)",
    cases=(
        "precision_at_k(np.array([[False, True], [True, True]]), 1)",
        "precision_at_k(np.array([[False, False, True]]), 2)",
        "precision_at_k(np.array([[True, True, False, False], [False, True, True, True]]), 4)",
    ),
    why="The mean of zeros and ones over the first k ranks is the share of relevant results.",
    reasoning=(
        "Precision asks: of what I was shown, how much is of use? `relevant[:, :k]` keeps what "
        "was shown, the first $k$ ranks of every query. True counts as 1 and False as 0, so the "
        "mean along a row is the number of relevant results divided by $k$. How many relevant "
        "images the gallery holds plays no part; that would be recall."
    ),
    hints=(
        "Of what a reader is shown, how much is of use? Which part of each row is shown?",
        "Only the first k ranks are shown: cut the rows, not the queries. True counts as 1 and "
        "False as 0, so a share is a mean.",
        "Slice the second axis with `[:, :k]`, and take the mean along each row.",
    ),
    draw=_relevant,
    mistakes={
        "You divide by the number of relevant results. That is recall; precision divides by k.": (
            lambda relevant, k: relevant[:, :k].sum(1) / relevant.sum(1),
            lambda relevant, k: relevant[:, :k].sum(1) / np.minimum(k, relevant.sum(1)),
        ),
        "You count the relevant results but do not divide by k.": (
            lambda relevant, k: relevant[:, :k].sum(1)
        ),
        "You look at all ranks. Only the first k count.": (lambda relevant, k: relevant.mean(1)),
        "You average over axis 0, the queries. Ranks are the second axis.": (
            lambda relevant, k: relevant[:, :k].mean(0)
        ),
        "You take k + 1 results: relevant[:, :k] already holds k.": (
            lambda relevant, k: relevant[:, : k + 1].mean(1),
            lambda relevant, k: relevant[:, : k + 1].sum(1) / (k + 1),
            lambda relevant, k: relevant[:, : k + 1].sum(1) / k,
            lambda relevant, k: np.cumsum(relevant, axis=1)[:, k] / k,
            lambda relevant, k: np.cumsum(relevant, axis=1)[:, k] / (k + 1),
        ),
        "You say whether anything relevant was found among the first k. That is the hit rate.": (
            lambda relevant, k: relevant[:, :k].any(1)
        ),
        "You look at rank k alone. Precision at k is about all ranks up to it.": (
            lambda relevant, k: relevant[:, k - 1]
        ),
        "You take k - 1 results: relevant[:, :k] already leaves out position k.": (
            lambda relevant, k: relevant[:, : k - 1].sum(1) / (k - 1),
            lambda relevant, k: relevant[:, : k - 1].sum(1) / k,
            lambda relevant, k: relevant[:, 1:k].mean(1),
        ),
        "You cut the first axis, the queries: relevant[:k]. Ranks are the second.": (
            lambda relevant, k: relevant[:k].mean(1),
            lambda relevant, k: relevant[:k].sum(1) / k,
            lambda relevant, k: relevant[:k].mean(0),
            lambda relevant, k: relevant[:k].mean(),
        ),
        "You take the last k results. The best ones come first.": (
            lambda relevant, k: relevant[:, -k:].mean(1)
        ),
        "You divide by all ranks that there are. Divide by k.": (
            lambda relevant, k: relevant[:, :k].sum(1) / relevant.shape[1]
        ),
        "You count all relevant results, also those after rank k.": (
            lambda relevant, k: relevant.sum(1) / k
        ),
        "You begin with the second result. Positions count from 0, and the first result counts "
        "too.": (
            lambda relevant, k: relevant[:, 1 : k + 1].mean(1),
            lambda relevant, k: relevant[:, 1 : k + 1].sum(1) / k,
            lambda relevant, k: relevant[:, 1:k].sum(1) / k,
        ),
        "You return the precision at every rank. One k was asked for.": (
            lambda relevant, k: np.cumsum(relevant, axis=1) / np.arange(1, relevant.shape[1] + 1),
            lambda relevant, k: (np.cumsum(relevant, axis=1) / np.arange(1, relevant.shape[1] + 1))[
                :, :k
            ],
        ),
    },
)
def precision_at_k(relevant, k):
    return relevant[:, :k].mean(axis=1)


def _distances(rng, size):
    n = 4 + 4 * size**2  # some large ones: argpartition sorts small arrays whole
    return rng.permutation(n) + rng.random(), n // 2


def _nearest(got, distances, k):
    """Equal distances may come in any order."""
    places = got.astype(int)
    return (
        (places == got).all()
        and len(np.unique(places)) == k
        and places.min() >= 0
        and (distances[places] == np.sort(distances)[:k]).all()
    )


def _sorted(positions, distances):
    return positions[np.argsort(distances[positions])]


@exercise(
    PAGE,
    title="Top k without sorting everything",
    level="standard",
    minutes=10,
    statement=(
        "Return the positions of the `k` smallest `distances`, nearest first. Sorting the whole "
        "gallery works, but `np.argpartition` finds the k smallest without it; only these k "
        "then need to be sorted."
    ),
    example="top_k(np.array([0.9, 0.1, 0.5, 0.3]), 2)",
    cases=(
        "top_k(np.array([3.0, 1.0, 2.0]), 3)",
        "top_k(np.array([2.0, 1.0, 1.0]), 2)",
        "top_k(np.array([5.0, 4.0, 1.0, 3.0, 2.0]), 2)",
        "top_k(np.array([4.0, 1.0, 3.0, 2.0]), 1)",
        "top_k(np.arange(5000.0) * 1237 % 5003, 2500)",
    ),
    accepts=_nearest,
    why=(
        "argpartition puts the k smallest in front in any order, in time proportional to the "
        "gallery; sorting k numbers is cheap."
    ),
    reasoning=(
        "A full sort of $n$ distances takes about $n \\log n$ steps, and all but $k$ of its "
        "answers are thrown away. `np.argpartition(distances, k - 1)` promises less: position "
        "`k - 1` holds what a sort would put there, and nothing larger stands before it. That "
        "takes about $n$ steps. Its first `k` entries are the right images in no particular "
        "order. The second line looks up their distances, sorts these few, and turns the order "
        "back into gallery positions."
    ),
    hints=(
        "Which images belong to the answer, and in which order they come: these are two "
        "questions. Only the second one needs a sort.",
        "`np.argpartition` answers the first: with `k - 1` as its second argument, the k nearest "
        "stand in front, in any order. Then sort these few by their own distances.",
        "`nearest = np.argpartition(distances, k - 1)[:k]`. The `argsort` of "
        "`distances[nearest]` says in which order to take the entries of `nearest`.",
    ),
    draw=_distances,
    mistakes={
        "You return the farthest images. Small distances are near.": (
            lambda distances, k: np.argsort(-distances)[:k],
            lambda distances, k: np.argsort(distances)[-k:],
            lambda distances, k: np.argsort(distances)[::-1][:k],
            lambda distances, k: np.argpartition(-distances, k - 1)[:k],
            lambda distances, k: np.argpartition(distances, -k)[-k:],
            lambda distances, k: _sorted(np.argpartition(-distances, k - 1)[:k], -distances),
            lambda distances, k: np.argmax(distances),
            lambda distances, k: np.argsort(distances)[k:],
        ),
        "Where two distances are equal you return one position twice, as list.index does.": seen(
            lambda want, got, distances, k: (
                len(np.unique(got)) < k
                and (distances[got.astype(int)] == np.sort(distances)[:k]).all()
            )
        ),
        "You order the nearest by distances that are not theirs. Look these up: "
        "distances[nearest].": (
            lambda distances, k: np.argpartition(distances, k - 1)[:k][np.argsort(distances[:k])],
        ),
        "Yours are the right images, but the farthest of them comes first.": seen(
            lambda want, got, distances, k: (
                distances[got.astype(int)] == np.sort(distances)[:k][::-1]
            ).all()
        ),
        "Yours are the right images in the order of the gallery. Sort them by distance.": (
            lambda distances, k: np.sort(np.argsort(distances)[:k]),
            lambda distances, k: np.flatnonzero(distances <= np.sort(distances)[k - 1]),
        ),
        "Yours are the right images in the wrong order: argpartition does not sort.": seen(
            lambda want, got, distances, k: (
                (np.sort(distances[got.astype(int)]) == np.sort(distances)[:k]).all()
                and len(np.unique(got)) == k
            )
        ),
        "You return distances as whole numbers. Return the positions at which they stand.": (
            lambda distances, k: np.sort(distances)[:k].astype(int),
        ),
        "You return distances. Return the positions at which they stand.": seen(
            lambda want, got, distances, k: (np.sort(got) == np.sort(distances)[:k]).all()
        ),
        "You leave out the nearest image. That is right only if the query is in the gallery.": (
            lambda distances, k: np.argsort(distances)[1 : k + 1]
        ),
        "You give argpartition k. Positions count from 0: with k - 1 it also works where k is the "
        "whole gallery.": (
            lambda distances, k: np.argpartition(distances, k)[:k],
            lambda distances, k: _sorted(np.argpartition(distances, k)[:k], distances),
            lambda distances, k: np.argpartition(distances, k)[: k + 1],
        ),
        "You return the whole ranking. Keep its first k.": (
            lambda distances, k: np.argsort(distances),
            lambda distances, k: np.argsort(distances, kind="stable"),
            lambda distances, k: np.argsort(-distances),
            lambda distances, k: np.argsort(distances)[::-1],
        ),
        "You count positions from 1. The first image stands at 0.": seen(
            lambda want, got, distances, k: (
                distances[got.astype(int) - 1] == np.sort(distances)[:k]
            ).all()
        ),
        "You return one result too many or too few: [:k] holds k.": (
            lambda distances, k: np.argsort(distances)[: k + 1],
            lambda distances, k: np.argsort(distances)[: k - 1],
        ),
        "You look at the first k images only. Choose among all of them.": (
            lambda distances, k: np.argsort(distances[:k]),
            lambda distances, k: np.arange(k),
            lambda distances, k: distances[:k],
        ),
        "You return ranks. Return which image has rank 1, rank 2 and so on: one argsort.": (
            lambda distances, k: np.argsort(np.argsort(distances))[:k]
        ),
        "You return the nearest image alone. k of them were asked for.": (
            lambda distances, k: np.argmin(distances),
            lambda distances, k: np.argsort(distances)[:1],
            lambda distances, k: np.full(k, np.argmin(distances)),
        ),
        "You mark the nearest images. Return their positions.": (
            lambda distances, k: distances <= np.sort(distances)[k - 1],
            lambda distances, k: np.argsort(np.argsort(distances)) < k,
        ),
        "You return places among the k nearest. They say in which order to take these: "
        "nearest[order].": (
            lambda distances, k: np.argsort(distances[np.argpartition(distances, k - 1)[:k]]),
        ),
        "You return one image, the k-th. All k nearest were asked for.": (
            lambda distances, k: np.argsort(distances)[k],
            lambda distances, k: np.argsort(distances)[k - 1],
            lambda distances, k: np.argpartition(distances, k - 1)[k - 1],
        ),
    },
)
def top_k(distances, k):
    nearest = np.argpartition(distances, k - 1)[:k]
    return nearest[np.argsort(distances[nearest])]


def _tied(rng, size):
    distances = rng.integers(0, 2 + size // 3, 3 + 3 * size).astype(float)
    relevant = rng.random(len(distances)) < 0.4
    relevant[rng.integers(len(distances))] = True
    return distances, relevant


@exercise(
    PAGE,
    title="Average precision with ties",
    level="harder",
    minutes=15,
    statement=(
        "One query: `distances` and `relevant` of the whole gallery. Rank by distance; images "
        "at the *same* distance keep their order in the gallery. Return the average precision."
    ),
    example="average_precision(np.array([0.2, 0.1, 0.2]), np.array([False, True, True]))",
    cases=(
        "average_precision(np.array([1.0, 1.0, 1.0]), np.array([False, False, True]))",
        "average_precision(np.array([3.0, 2.0, 1.0]), np.array([True, False, False]))",
        "average_precision(np.array([1.0, 2.0, 3.0, 4.0]), np.array([True, False, True, False]))",
        "average_precision(np.arange(100.0) % 3, np.arange(100) % 7 == 0)",
    ),
    why=(
        "A stable sort keeps equal distances in gallery order, so the result does not depend on "
        "how the sort works inside. The precision is taken at the ranks of relevant images "
        "only."
    ),
    reasoning=(
        'Rank first, without a look at `relevant`: `kind="stable"` keeps ties in gallery order. '
        "`np.cumsum(ranked)` counts the relevant images up to each rank; divided by the rank it "
        "is the precision there. `precision[ranked]` keeps the ranks at which a relevant image "
        "stands, so each relevant image contributes the precision at the moment it is found. If "
        "ties were broken by relevance, a descriptor that puts every image at the same distance "
        "would score a perfect 1. A method must not see the answer."
    ),
    hints=(
        "Rank first, without a look at what is relevant. What must a sort do with two images at "
        "the same distance?",
        "A stable sort keeps them in gallery order. Along the ranking, count the relevant images "
        "so far and divide by the rank; then keep the ranks at which a relevant image stands.",
        '`ranked = relevant[np.argsort(distances, kind="stable")]`. Divide `np.cumsum(ranked)` '
        "by the ranks 1, 2, 3 and so on, index the result with `ranked`, and take the mean.",
    ),
    draw=_tied,
    mistakes={
        "Among equal distances you let relevant images come first. That flatters the method: the "
        "ranking must not know what is relevant.": (
            lambda distances, relevant: _ap(relevant[np.lexsort((~relevant, distances))])
        ),
        "Among equal distances you let relevant images come last.": (
            lambda distances, relevant: _ap(relevant[np.lexsort((relevant, distances))])
        ),
        "You average the precision over all ranks. Only the ranks of relevant images count.": (
            lambda distances, relevant: _precisions(_ranked(distances, relevant)).mean()
        ),
        "You divide by the size of the gallery. Divide by the number of relevant images.": (
            lambda distances, relevant: (
                _ap(_ranked(distances, relevant)) * relevant.sum() / len(relevant)
            )
        ),
        "You rank the farthest image first.": (
            lambda distances, relevant: _ap(_ranked(-distances, relevant)),
            lambda distances, relevant: _ap(relevant[np.argsort(distances)[::-1]]),
            lambda distances, relevant: _ap(_ranked(distances, relevant)[::-1]),
        ),
        "You do not rank at all: the gallery's order is no ranking.": (
            lambda distances, relevant: _ap(relevant)
        ),
        "Your sort does not keep the order of equal distances in a large gallery. Ask for "
        'kind="stable".': lambda distances, relevant: _ap(relevant[np.argsort(distances)]),
        "You count ranks from 0. The first rank is 1.": (
            lambda distances, relevant: _zero_based(_ranked(distances, relevant))
        ),
        "You return one over the rank of the first relevant image, the reciprocal rank.": (
            lambda distances, relevant: 1 / (_ranked(distances, relevant).argmax() + 1),
        ),
        "You average one over the ranks. Precision counts the relevant images up to each rank.": (
            lambda distances, relevant: (
                1 / (np.flatnonzero(_ranked(distances, relevant)) + 1)
            ).mean(),
        ),
        "You return the precision of the whole ranking: the share of relevant images.": (
            lambda distances, relevant: relevant.mean()
        ),
        "You divide by the number of relevant images at each rank. That is recall; precision "
        "divides by the rank.": (
            lambda distances, relevant: (np.cumsum(_ranked(distances, relevant)) / relevant.sum())[
                _ranked(distances, relevant)
            ].mean(),
            lambda distances, relevant: (
                np.cumsum(_ranked(distances, relevant)) / relevant.sum()
            ).mean(),
        ),
        "You add the precisions up and do not divide by their number.": (
            lambda distances, relevant: _ap(_ranked(distances, relevant)) * relevant.sum()
        ),
        "You return one precision, at the rank that is the number of relevant images.": (
            lambda distances, relevant: _ranked(distances, relevant)[: relevant.sum()].mean()
        ),
        "You use ranks as an order. One argsort says which image stands at each rank.": (
            lambda distances, relevant: _ap(
                _ranked(np.argsort(distances, kind="stable"), relevant)
            ),
            lambda distances, relevant: _ap(relevant[np.argsort(np.argsort(distances))]),
        ),
        "You give equal distances one rank. Here they keep their order, so each has a rank of its "
        "own.": (
            lambda distances, relevant: _shared_ranks(distances, relevant, "left"),
            lambda distances, relevant: _shared_ranks(distances, relevant, "right"),
            lambda distances, relevant: _shared_ranks(distances, relevant, "both"),
        ),
        "You leave the nearest image out. That is right only if it is the query itself.": (
            lambda distances, relevant: _ap(_ranked(distances, relevant)[1:]),
        ),
        "You rank by relevance, which a ranking must not know. Rank by distance.": (
            lambda distances, relevant: _ap(np.sort(relevant)),
            lambda distances, relevant: _ap(np.sort(relevant)[::-1]),
        ),
        "You measure an area under the curve. The average precision is a mean at the ranks of "
        "relevant images.": lambda distances, relevant: _trapezoids(distances, relevant),
    },
)
def average_precision(distances, relevant):
    ranked = relevant[np.argsort(distances, kind="stable")]
    precision = np.cumsum(ranked) / np.arange(1, len(ranked) + 1)
    return precision[ranked].mean()


def _ranked(distances, relevant):
    return relevant[np.argsort(distances, kind="stable")]


def _shared_ranks(distances, relevant, side):
    """Return the average precision where equal distances share a rank."""
    ordered = np.sort(distances)
    ranks = {
        "left": np.searchsorted(ordered, distances, "left") + 1,
        "right": np.searchsorted(ordered, distances, "right"),
    }
    ranks["both"] = (ranks["left"] + ranks["right"]) / 2
    found = np.sort(ranks[side][relevant])
    return (np.arange(1, len(found) + 1) / found).mean()


def _trapezoids(distances, relevant):
    ranked = _ranked(distances, relevant)
    precision, recall = _precisions(ranked), np.cumsum(ranked) / ranked.sum()
    return ((precision[1:] + precision[:-1]) / 2 * np.diff(recall)).sum()


def _zero_based(ranked):
    return (np.cumsum(ranked) / np.arange(len(ranked)))[ranked].mean()


def _precisions(ranked):
    return np.cumsum(ranked) / np.arange(1, len(ranked) + 1)


def _ap(ranked):
    return _precisions(ranked)[ranked].mean()


@exercise(
    PAGE,
    title="PCA by the singular value decomposition",
    level="standard",
    minutes=15,
    statement=(
        "Rows of `images` are flattened pictures. Return them reconstructed from their first "
        "`k` principal components, by `np.linalg.svd`."
    ),
    example="pca_reconstruct(np.array([[0.0, 1.0], [2.0, 2.0], [4.0, 1.0], [2.0, 0.0]]), 1)",
    cases=(
        "pca_reconstruct(np.array([[0.0, 1.0], [2.0, 1.0], [4.0, 1.0]]), 1)",
        "pca_reconstruct(np.array([[1.0, 2.0], [3.0, 1.0], [5.0, 9.0]]), 2)",
    ),
    why=(
        "After centring, the rows of vt are the directions of largest variance. Projecting onto "
        "k of them and going back is the best approximation of rank k."
    ),
    reasoning=(
        "PCA describes how images differ from their mean, so the mean goes off first and comes "
        "back last. The SVD writes the centred images as $U S V^\\top$. The rows of $V^\\top$ "
        "are orthonormal directions, sorted by how much the images vary along them. `(images - "
        "mean) @ vt[:k].T` gives $k$ coordinates for each image, its descriptor; multiplying by "
        "`vt[:k]` draws the image that belongs to them. No other $k$ directions leave a smaller "
        "squared error."
    ),
    hints=(
        "PCA describes how images differ from their mean. What has to happen before the "
        "decomposition, and once more after it?",
        "Subtract the mean image. The rows of the third result of `np.linalg.svd` are the "
        "directions. Products with the first k of them are coordinates; the same directions lead "
        "back. The mean is added last.",
        "With `vt` from `np.linalg.svd(images - mean, full_matrices=False)`, the codes are "
        "`(images - mean) @ vt[:k].T`. Multiply them by `vt[:k]`, and add the mean.",
    ),
    draw=lambda rng, size: (
        rng.normal(3, 1, (size + 4, 5)) * np.arange(1, 6),
        int(rng.integers(1, 4)),
    ),
    mistakes={
        "You did not subtract the mean image first. The first direction then points at the mean.": (
            lambda images, k: _low_rank(images, k, 0)
        ),
        "You did not add the mean image back at the end.": (
            lambda images, k: _low_rank(images, k, images.mean(0)) - images.mean(0)
        ),
        "You subtract one number. Subtract the mean of each pixel: images.mean(axis=0).": (
            lambda images, k: _low_rank(images, k, images.mean())
        ),
        "You use the last k directions, those of least variance.": (
            lambda images, k: images.mean(0) + _centred(images) @ _last(images, k)
        ),
        "You return the coordinates. Multiply by vt[:k] again, and add the mean, to draw images.": (
            seen(lambda want, got, images, k: _same(abs(got), abs(_codes(images, k))))
        ),
        "You return the directions. Project onto them, and go back, to draw images.": (
            lambda images, k: _svd(images)[2][:k],
            lambda images, k: _svd(images)[2],
        ),
        "You take the directions from images whose mean was not subtracted.": (
            lambda images, k: images.mean(0) + _centred(images) @ _uncentred(images, k)
        ),
        "You project the images as they are. Subtract the mean first.": (
            lambda images, k: images.mean(0) + images @ _svd(images)[2][:k].T @ _svd(images)[2][:k],
            lambda images, k: images @ _svd(images)[2][:k].T @ _svd(images)[2][:k],
        ),
        "You use one direction too many or too few, or the k-th alone. vt[:k] holds k.": (
            lambda images, k: _along(images, slice(0, k + 1)),
            lambda images, k: _along(images, slice(0, k - 1)),
            lambda images, k: _along(images, slice(k - 1, k)),
            lambda images, k: _along(images, slice(k, None)),
            lambda images, k: _along(images, slice(1, k + 1)),
        ),
        "You take columns of vt. Its rows are the directions: vt[:k].": (
            (
                lambda images, k: images.mean(0) + _centred(images) @ _columns(images, k),
                lambda images, k: images.mean(0) + _codes(images, k) @ _svd(images)[2].T[:k],
                lambda images, k: (
                    images.mean(0)
                    + _centred(images) @ _svd(images)[2].T[:k].T @ _svd(images)[2].T[:k]
                ),
            )
        ),
        "You leave out the singular values: u alone gives every direction the same spread.": (
            lambda images, k: images.mean(0) + _without_values(images, k)
        ),
        "You subtract the mean of each image. Subtract that of each pixel: images.mean(axis=0).": (
            lambda images, k: _low_rank(images, k, images.mean(1, keepdims=True))
        ),
        "You return the images themselves, or use all components. Keep k of them.": (
            lambda images, k: images
        ),
        "You divide each pixel by its standard deviation as well. Only the mean goes off.": (
            (
                lambda images, k: _low_rank(
                    images / images.std(0), k, (images / images.std(0)).mean(0)
                ),
                lambda images, k: (
                    images.std(0)
                    * _low_rank(images / images.std(0), k, (images / images.std(0)).mean(0))
                ),
                lambda images, k: _scaled_by(images, k, images.std(0) + 1e-8),
                lambda images, k: _scaled_by(
                    images, k, np.where(images.std(0) > 0, images.std(0), 1)
                ),
            )
        ),
        "You use the singular values twice, or not as they are. Each stands once beside its "
        "direction.": (
            lambda images, k: (
                images.mean(0)
                + (_svd(images)[0][:, :k] * _svd(images)[1][:k] ** 2) @ _svd(images)[2][:k]
            ),
            lambda images, k: (
                images.mean(0) + (_codes(images, k) * _svd(images)[1][:k]) @ _svd(images)[2][:k]
            ),
            lambda images, k: (
                images.mean(0)
                + (_svd(images)[0][:, :k] * np.sqrt(_svd(images)[1][:k])) @ _svd(images)[2][:k]
            ),
        ),
        "You subtract the mean at the end. It went off at the start: add it.": (
            lambda images, k: _along(images, slice(0, k)) - 2 * images.mean(0),
        ),
    },
)
def pca_reconstruct(images, k):
    mean = images.mean(axis=0)
    _, _, vt = np.linalg.svd(images - mean, full_matrices=False)
    codes = (images - mean) @ vt[:k].T
    return mean + codes @ vt[:k]


def _centred(images):
    return images - images.mean(0)


def _svd(images):
    return np.linalg.svd(_centred(images), full_matrices=False)


def _along(images, chosen):
    vt = _svd(images)[2][chosen]
    return images.mean(0) + _centred(images) @ vt.T @ vt


def _uncentred(images, k):
    vt = np.linalg.svd(images, full_matrices=False)[2][:k]
    return vt.T @ vt


def _codes(images, k):
    return _centred(images) @ _svd(images)[2][:k].T


def _columns(images, k):
    vt = _svd(images)[2]
    return vt[:, :k] @ vt[:, :k].T


def _without_values(images, k):
    u, _, vt = _svd(images)
    return u[:, :k] @ vt[:k]


def _same(a, b):
    return a.shape == b.shape and np.allclose(a, b)


def _low_rank(images, k, mean):
    _, _, vt = np.linalg.svd(images - mean, full_matrices=False)
    return mean + (images - mean) @ vt[:k].T @ vt[:k]


def _scaled_by(images, k, spread):
    return spread * _low_rank(images / spread, k, (images / spread).mean(0))


def _last(images, k):
    _, _, vt = np.linalg.svd(_centred(images), full_matrices=False)
    return vt[-k:].T @ vt[-k:]


def _labels(rng, size):
    return rng.integers(0, 4, 2 + size), rng.integers(0, 4, 4 + 3 * size)


@exercise(
    PAGE,
    title="What a guess would score",
    level="warm-up",
    minutes=5,
    after="background-042",
    statement=(
        "A guess ranks the gallery at random. Which precision at ten, or at any other rank, does "
        "it reach on average? Return it for each query, from the labels alone."
    ),
    example="share_by_chance(np.array([3, 7]), np.array([3, 3, 5, 7]))",
    cases=(
        "share_by_chance(np.array([0, 0, 1]), np.array([0, 1, 1, 1]))",
        "share_by_chance(np.array([2]), np.array([0, 1]))",
        "share_by_chance(np.array([5, 6, 7]), np.array([5, 6, 7, 7, 7]))",
    ),
    why="Each place of a random ranking holds a relevant image with the share that they have.",
    reasoning=(
        "In a random ranking every image is equally likely at every rank. So each of the first ten "
        "results is relevant with a probability that is the share of the query's class in the "
        "gallery, and a mean over ten places with the same probability is that probability. The "
        "rank plays no part. With ten classes of equal size it is a tenth, which the table shows "
        "for the guess. Where classes differ in size, so does the guess: a method that is right in "
        "half of all cases may be no better than chance for a class that fills half the gallery."
    ),
    hints=(
        "At the first rank alone: how likely is it that a random image of the gallery shows what "
        "the query shows?",
        "It is the share of the gallery that has the query's label, and at every other rank it is "
        "the same. So it is a mean over the gallery, once for each query.",
        "`query_labels[:, np.newaxis] == gallery_labels` is a table, True where the labels agree. "
        "Take the mean along its rows.",
    ),
    draw=_labels,
    mistakes={
        "You count the relevant images. Their share of the gallery is what a guess finds.": (
            lambda q, g: (q[:, None] == g).sum(1)
        ),
        "You return one over the number of classes. That holds for classes of equal size alone.": (
            lambda q, g: np.full(len(q), 1 / len(np.unique(g))),
            lambda q, g: np.full(len(q), 1 / len(np.unique(np.concatenate([q, g])))),
            lambda q, g: 1 / len(np.unique(g)),
            lambda q, g: np.full(len(q), 0.1),
        ),
        "You average over the queries. Each query has its own number: axis=1.": (
            lambda q, g: (q[:, None] == g).mean(0),
            lambda q, g: (q[:, None] == g).mean(),
        ),
        "You divide by the number of queries. Divide by the size of the gallery.": (
            lambda q, g: (q[:, None] == g).sum(1) / len(q)
        ),
        "You count among the queries. A guess finds images of the gallery.": (
            lambda q, g: (q[:, None] == q).mean(1)
        ),
        "You compare place by place. Every query meets the whole gallery: query_labels[:, "
        "np.newaxis].": (
            lambda q, g: (q == g).mean(),
            lambda q, g: (q == g).mean(1),
            lambda q, g: q == g,
            lambda q, g: np.mean(q == g, axis=-1),
        ),
        "You return the table of matches. Take the mean of each row.": lambda q, g: q[:, None] == g,
        "You return the share that is not relevant.": lambda q, g: (q[:, None] != g).mean(1),
        "You draw a ranking, which scatters. The average over all rankings was asked for.": (
            lambda q, g: (q[:, None] == np.random.default_rng(0).permutation(g)[:10]).mean(1)
        ),
        "You divide by ten. The rank plays no part; the size of the gallery does.": (
            lambda q, g: (q[:, None] == g).sum(1) / 10,
            lambda q, g: (q[:, None] == g[:10]).mean(1),
        ),
        "You return one share for each class. Return one for each query.": (
            lambda q, g: np.unique(g, return_counts=True)[1] / len(g),
            lambda q, g: np.bincount(g) / len(g),
        ),
    },
)
def share_by_chance(query_labels, gallery_labels):
    relevant = query_labels[:, np.newaxis] == gallery_labels
    return relevant.mean(axis=1)
