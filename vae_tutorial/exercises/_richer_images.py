"""The exercises of the page Richer images."""

import numpy as np

from vae_tutorial.exercises._bank import exercise

PAGE = "richer-images"


def _rankings(rng, size):
    found = np.array([rng.permutation(8)[:5] for _ in range(size + 3)])
    right = rng.integers(0, 8, size + 3)
    right[:3] = found[0, 1], found[1, 3], 99  # at rank 2, at rank 4, not found
    return found, right


def _reciprocals(found, right, first=1):
    hits = found == right[:, None]
    return np.where(hits.any(1), 1 / (hits.argmax(1) + first), 0.0)


def _in_the_whole_table(found, right):
    places = [np.where(found == r)[1][0] for row, r in zip(found, right, strict=True) if r in row]
    return sum(1 / (place + 1) for place in places) / len(found)


def _from_zero(found, right):
    pairs = zip(found, right, strict=True)
    return sum(1 / list(row).index(r) for row, r in pairs if r in row) / len(found)


def _from_zero_where_found(found, right):
    pairs = zip(found, right, strict=True)
    return sum(1 / list(row).index(r) if r in row[1:] else 0 for row, r in pairs) / len(found)


@exercise(
    PAGE,
    title="Mean reciprocal rank",
    level="standard",
    minutes=10,
    statement=(
        "`found[i]` lists the images found for query `i`, best first, and `right[i]` the one "
        "that is right. Return the mean of one over its rank; a query whose image was not found "
        "counts 0."
    ),
    example="mean_reciprocal_rank(np.array([[4, 7, 2], [1, 3, 5]]), np.array([7, 9]))",
    cases=(
        "mean_reciprocal_rank(np.array([[1, 2, 3, 4]]), np.array([4]))",
        "mean_reciprocal_rank(np.array([[0, 5]]), np.array([9]))",
        "mean_reciprocal_rank(np.array([[3, 1], [3, 1], [3, 1]]), np.array([3, 1, 3]))",
    ),
    why=(
        "Rank 1 gives 1, rank 2 a half: the measure rewards being first more than it punishes "
        "being late."
    ),
    reasoning=(
        "`found == right[:, np.newaxis]` compares each row with its own right image. `argmax` "
        "of a row of True and False is the place of the first True, and rank is place plus one. "
        "But `argmax` of a row without a True is 0 as well, which would count a query that "
        "found nothing as a perfect one: hence `np.where`, which gives such a query 0. In the "
        "example the first query finds its image at rank 2 and counts one half, the second "
        "counts 0."
    ),
    hints=(
        "For each query: at which position stands the right image, and what if it does not stand "
        "there at all?",
        "`found == right[:, np.newaxis]` marks the places. `argmax` finds the first True of a "
        "row, but gives 0 also where there is none; `any` tells the two apart. Ranks count from "
        "1.",
        "With `hits` for these marks, `np.where(hits.any(axis=1), 1 / rank, 0)` is what each "
        "query counts, where `rank` is `hits.argmax(axis=1)` plus 1. Take the mean.",
    ),
    draw=_rankings,
    mistakes={
        "You leave out the queries whose image was not found. They count 0.": (
            lambda f, r: _reciprocals(f, r).sum() / (f == r[:, None]).any(1).sum(),
            lambda f, r: np.where((f == r[:, None]).any(1), _reciprocals(f, r), np.nan).mean(),
            lambda f, r: np.nanmean(np.where((f == r[:, None]).any(1), _reciprocals(f, r), np.nan)),
        ),
        "You return one over the mean rank. Take the mean of one over the rank.": (
            lambda f, r: 1 / ((f == r[:, None]).argmax(1) + 1).mean(),
            lambda f, r: (
                1
                / np.where(
                    (f == r[:, None]).any(1), (f == r[:, None]).argmax(1) + 1, f.shape[1] + 1
                ).mean()
            ),
            lambda f, r: 1 / np.mean((f == r[:, None]).argmax(1)[(f == r[:, None]).any(1)] + 1),
            lambda f, r: (
                1
                / np.where((f == r[:, None]).any(1), (f == r[:, None]).argmax(1) + 1, np.inf).mean()
            ),
        ),
        "Off by one: the first result has rank 1.": (lambda f, r: _reciprocals(f, r, 2).mean()),
        "You count queries whose image was found. That is recall.": (
            lambda f, r: (f == r[:, None]).any(1).mean()
        ),
        "Where nothing was found you count rank 1: argmax of a row without a hit is 0.": (
            lambda f, r: (1 / ((f == r[:, None]).argmax(1) + 1)).mean()
        ),
        "You add up and do not divide by the number of queries.": (
            lambda f, r: _reciprocals(f, r).sum()
        ),
        "You return one number for each query. Take their mean.": (lambda f, r: _reciprocals(f, r)),
        "You count only the first result. That is precision at 1.": (
            lambda f, r: (f[:, 0] == r).mean()
        ),
        "You return the mean rank. Take one over each rank first.": (
            lambda f, r: ((f == r[:, None]).argmax(1) + 1).mean(),
            lambda f, r: np.where(
                (f == r[:, None]).any(1), (f == r[:, None]).argmax(1) + 1, 0
            ).mean(),
            lambda f, r: np.where((f == r[:, None]).any(1), (f == r[:, None]).argmax(1), 0).mean(),
        ),
        "You count ranks from 0. The first result has rank 1.": (
            lambda f, r: np.where(
                (f == r[:, None]).any(1), 1 / (f == r[:, None]).argmax(1), 0
            ).mean(),
            lambda f, r: (1 / (f == r[:, None]).argmax(1)).mean(),
            lambda f, r: np.where(
                (f == r[:, None]).any(1), 1 / np.maximum((f == r[:, None]).argmax(1), 1), 0
            ).mean(),
            _from_zero,
            _from_zero_where_found,
        ),
        "You return the median. Take the mean.": lambda f, r: np.median(_reciprocals(f, r)),
        "You count a query that found nothing as if its image came last, or one place after.": (
            lambda f, r: np.where(
                (f == r[:, None]).any(1), _reciprocals(f, r), 1 / (f.shape[1] + 1)
            ).mean(),
            lambda f, r: np.where(
                (f == r[:, None]).any(1), _reciprocals(f, r), 1 / f.shape[1]
            ).mean(),
        ),
        "You take the number of the image for its rank. Look for it in what was found.": (
            lambda f, r: (1 / (r + 1)).mean(),
            lambda f, r: (1 / r).mean(),
        ),
        "You divide by the number of results. Divide by the number of queries.": (
            (
                lambda f, r: _reciprocals(f, r).sum() / f.shape[1],
                lambda f, r: _reciprocals(f, r).sum() / f.size,
            )
        ),
        "Each row has its own right image: compare with right[:, np.newaxis].": (
            lambda f, r: np.where((f == r).any(1), 1 / ((f == r).argmax(1) + 1), 0).mean(),
            lambda f, r: ((f == r).argmax(1) + 1).mean(),
        ),
        "Your score falls in a straight line with the rank. Take one over the rank.": (
            lambda f, r: np.where(
                (f == r[:, None]).any(1), 1 - (f == r[:, None]).argmax(1) / f.shape[1], 0
            ).mean()
        ),
        "You share a hit out by the number of results. It counts one over its rank.": (
            lambda f, r: (f == r[:, None]).mean()
        ),
        "Your loop returns at the first hit. Add up over all queries, and return after the loop.": (
            lambda f, r: next(
                (
                    1 / (i + 1)
                    for row, x in zip(f, r, strict=True)
                    for i, y in enumerate(row)
                    if y == x
                ),
                0,
            ),
            lambda f, r: _reciprocals(f, r)[0],
            lambda f, r: _reciprocals(f, r)[0] / len(f),
        ),
        "You discount by a logarithm, as nDCG does. Take one over the rank.": (
            lambda f, r: np.where(
                (f == r[:, None]).any(1), 1 / np.log2((f == r[:, None]).argmax(1) + 2), 0
            ).mean(),
        ),
        "You count ranks from the end. The best stands first.": (
            lambda f, r: _reciprocals(f[:, ::-1], r).mean(),
        ),
        "You sort what is ranked already. Its order is the ranking.": (
            lambda f, r: _reciprocals(np.argsort(f, axis=1), r).mean(),
            lambda f, r: _reciprocals(np.sort(f, axis=1), r).mean(),
        ),
        "You look in the whole table. Each query has a row of its own.": (_in_the_whole_table,),
    },
)
def mean_reciprocal_rank(found, right):
    hits = found == right[:, np.newaxis]
    rank = hits.argmax(axis=1) + 1
    return np.where(hits.any(axis=1), 1 / rank, 0.0).mean()


@exercise(
    PAGE,
    title="A split that does not leak",
    level="standard",
    minutes=5,
    statement=(
        "`symbols[i]` is the number of the symbol that image `i` shows; several images show the "
        "same. Hold out every symbol whose number is divisible by `every`: return `True` for "
        "each of its images."
    ),
    example="held_out_images(np.array([1, 2, 2, 3]), 2)",
    cases=(
        "held_out_images(np.array([0, 1, 2, 0]), 2)",
        "held_out_images(np.array([3, 3, 4, 6]), 3)",
    ),
    why=(
        "All drawings of a symbol fall on the same side, so a query's symbol was never trained on."
    ),
    reasoning=(
        "Decide by what an image *shows*, not by where it stands in the file. The remainder of "
        "the symbol's number is the same for all drawings of that symbol, so they all fall on "
        "one side. Had one drawing of a symbol been trained on and another been a query, the "
        "score would measure memory. The same rule holds for photographs of one person, frames "
        "of one film, or slices of one patient."
    ),
    hints=(
        "What must be decided for a symbol, so that all its images land on the same side?",
        "The decision may depend on the symbol's number alone, not on the position of the image. "
        "A number is divisible if the division leaves nothing over.",
        "What it leaves over is `symbols % every`. Return where that is 0.",
    ),
    draw=lambda rng, size: (rng.integers(0, 9, 6 + size), int(rng.integers(2, 4))),
    mistakes={
        "You split by the position of the image. Another drawing of the same symbol is then in "
        "training: data have leaked.": (
            (
                lambda s, e: np.arange(len(s)) % e == 0,
                lambda s, e: np.arange(len(s)) % e != 0,
                lambda s, e: (np.arange(len(s)) + 1) % e == 0,
            )
        ),
        "You return the training images. Mark those that are held out.": (lambda s, e: s % e != 0),
        "You hold out the symbols that leave a rest of 1.": (lambda s, e: s % e == 1),
        "You hold out only the first image of each symbol. The others leak it.": (
            lambda s, e: (s % e == 0) & (np.array([(s[:i] != s[i]).all() for i in range(len(s))]))
        ),
        "You leave symbol 0 out. 0 is divisible by every number.": (
            lambda s, e: (s % e == 0) & (s > 0)
        ),
        "You return positions. Return True or False for each image.": (
            lambda s, e: np.flatnonzero(s % e == 0)
        ),
        "You return the symbols. Return True or False for each image.": (
            lambda s, e: s[s % e == 0],
            lambda s, e: np.unique(s[s % e == 0]),
            lambda s, e: np.where(s % e == 0, s, 0),
            lambda s, e: np.unique(s) % e == 0,
        ),
        "You return the rest of the division. Compare it with 0.": lambda s, e: s % e,
        "You divide the other way round: symbols % every.": lambda s, e: e % s == 0,
        "You compare with every itself. All symbols that it divides are meant.": (
            lambda s, e: s == e,
        ),
        "You count symbols by their order. Their numbers decide.": (
            lambda s, e: np.unique(s, return_inverse=True)[1] % e == 0,
            lambda s, e: np.isin(s, np.unique(s)[::e]),
        ),
        "You hold out the symbols below every. Those it divides are meant.": (
            lambda s, e: s < e,
            lambda s, e: s // e == 0,
        ),
        "You count from 1: the symbol's own number is divided, not the next.": (
            lambda s, e: (s + 1) % e == 0,
        ),
        "You return symbol numbers divided by every. Ask whether a rest is left.": (
            lambda s, e: s // e,
            lambda s, e: s / e,
            lambda s, e: s / e == 0,
            lambda s, e: s // e == s,
        ),
        "You return one answer for all images. Each image has its own: no all, any or if.": (
            lambda s, e: bool((s % e == 0).all()),
            lambda s, e: bool((s % e == 0).any()),
        ),
        "You return how many are held out. Return True or False for each image.": (
            lambda s, e: (s % e == 0).sum(),
            lambda s, e: (s % e == 0).mean(),
        ),
        "You compare bits. The rest of a division is %.": (
            lambda s, e: s & e == 0,
            lambda s, e: (s & e) == 0,
            lambda s, e: (s & (e - 1)) == 0,
        ),
        "You compare which is larger. Ask whether a division leaves a rest.": (
            lambda s, e: s > e,
            lambda s, e: s >= e,
        ),
        "You draw lots. Images of one symbol then fall on both sides.": (
            lambda s, e: np.random.default_rng(0).random(len(s)) < 1 / e,
        ),
    },
)
def held_out_images(symbols, every):
    return symbols % every == 0
