"""The exercises of the page Interpretability."""

import numpy as np

from vae_tutorial.exercises._bank import exercise

PAGE = "interpretability"


@exercise(
    PAGE,
    title="Shares of a distance",
    level="warm-up",
    minutes=5,
    statement=(
        "Return, for each latent dimension, its share of the squared distance between `query` "
        "and `match`. The shares add up to 1."
    ),
    example="distance_shares(np.array([0.0, 0.0]), np.array([1.0, 3.0]))",
    cases=(
        "distance_shares(np.array([1.0, 1.0, 1.0]), np.array([2.0, 1.0, -1.0]))",
        "distance_shares(np.array([3.0]), np.array([1.0]))",
    ),
    why="A squared distance is a sum over dimensions, so it can be divided among them exactly.",
    reasoning=(
        "The squared distance is $\\sum_j (q_j - m_j)^2$, already a sum with one part for each "
        "dimension. Dividing each part by the sum makes shares that add up to 1. The Euclidean "
        "distance itself, with its root, cannot be divided among dimensions in this way: the "
        "root of a sum is not the sum of the roots. Squares also mean that one large difference "
        "outweighs several small ones, as in the example."
    ),
    hints=(
        "A squared distance is a sum. What does each dimension add to it?",
        "Each adds its own squared difference. A share is a part divided by the whole.",
        "Square `query - match`, and divide by the sum of these squares.",
    ),
    draw=lambda rng, size: (rng.normal(0, 1, size + 2), rng.normal(1, 1, size + 2)),
    mistakes={
        "You use absolute differences. The squared distance is a sum of squares.": (
            lambda q, m: np.abs(q - m) / np.abs(q - m).sum()
        ),
        "You did not divide by the total: these are parts, not shares.": (
            lambda q, m: (q - m) ** 2
        ),
        "You divide by the distance. Divide by its square.": (
            lambda q, m: (q - m) ** 2 / np.linalg.norm(q - m)
        ),
        "You divide by the largest part. Divide by their sum.": (
            lambda q, m: (q - m) ** 2 / ((q - m) ** 2).max()
        ),
        "You return per cents. The shares add up to 1.": (
            lambda q, m: 100 * (q - m) ** 2 / ((q - m) ** 2).sum()
        ),
        "You do not square. The squared distance is a sum of squares.": (
            lambda q, m: (q - m) / (q - m).sum(),
            lambda q, m: m - q,
            lambda q, m: q - m,
            lambda q, m: np.abs(q - m),
            lambda q, m: (q - m) / np.linalg.norm(q - m),
        ),
        "You divide by the number of dimensions. Divide by the sum of all parts.": (
            lambda q, m: (q - m) ** 2 / len(q),
            lambda q, m: (q - m) ** 2 / ((q - m) ** 2).mean(),
        ),
        "You take squares of the two apart. Subtract first, then square.": (
            lambda q, m: (q**2 - m**2) / (q**2 - m**2).sum(),
            lambda q, m: np.abs(q**2 - m**2) / np.abs(q**2 - m**2).sum(),
            lambda q, m: (q - m) ** 2 / (q**2).sum(),
            lambda q, m: (q - m) ** 2 / ((q**2).sum() + (m**2).sum()),
            lambda q, m: q**2 / (q**2).sum(),
            lambda q, m: m**2 / (m**2).sum(),
            lambda q, m: (q - m) ** 2 / (m**2).sum(),
        ),
        "You return the whole squared distance. Return each dimension's share.": (
            lambda q, m: ((q - m) ** 2).sum()
        ),
        "You take the root of the shares. They then add up to more than 1.": (
            lambda q, m: np.abs(q - m) / np.linalg.norm(q - m)
        ),
        "You return what is left: one minus the share.": (
            lambda q, m: 1 - (q - m) ** 2 / ((q - m) ** 2).sum()
        ),
        "You add the shares up on the way. Each dimension has its own.": (
            lambda q, m: ((q - m) ** 2).cumsum() / ((q - m) ** 2).sum()
        ),
        "You put the parts through a softmax. Divide them by their sum.": (
            lambda q, m: np.exp((q - m) ** 2) / np.exp((q - m) ** 2).sum(),
            lambda q, m: np.exp(q - m) / np.exp(q - m).sum(),
        ),
        "You share out products of query and match. Differences make the distance.": (
            lambda q, m: q * m / (q * m).sum()
        ),
        "You add where the difference belongs.": (lambda q, m: (q + m) ** 2 / ((q + m) ** 2).sum()),
        "You square the sum. Square each difference, and add the squares up.": (
            lambda q, m: (q - m) ** 2 / (q - m).sum() ** 2,
            lambda q, m: (q - m) ** 2 / np.abs(q - m).sum() ** 2,
        ),
        "You raise to the fourth power, or square twice.": (
            lambda q, m: (q - m) ** 4 / ((q - m) ** 4).sum(),
            lambda q, m: ((q - m) ** 2 / ((q - m) ** 2).sum()) ** 2,
        ),
        "You return which dimension has the largest share. Return all shares.": (
            lambda q, m: np.argmax((q - m) ** 2),
            lambda q, m: ((q - m) ** 2 / ((q - m) ** 2).sum()).max(),
        ),
    },
)
def distance_shares(query, match):
    squared = (query - match) ** 2
    return squared / squared.sum()


def _one_by_one(difference, deleted):
    for dimension in deleted:
        difference = np.delete(difference, dimension)
    return difference


@exercise(
    PAGE,
    title="A distance without some dimensions",
    level="standard",
    minutes=5,
    statement=(
        "Return the squared distance between `query` and `match` with the dimensions listed in "
        "`deleted` left out."
    ),
    example="distance_without(np.array([0.0, 0.0, 1.0]), np.array([3.0, 4.0, 1.0]), np.array([1]))",
    cases=(
        "distance_without(np.array([0.0, 0.0, 0.0]), np.array([3.0, 4.0, 1.0]), np.array([2, 0]))",
        "distance_without(np.array([1.0, 2.0, 3.0]), np.array([1.0, 0.0, 0.0]), np.array([0]))",
        "distance_without(np.array([5.0, 1.0, 2.0, 0.0]), np.array([1.0, 1.0, 4.0, 3.0]), "
        "np.array([0, 1]))",
    ),
    why=(
        "Deleting a dimension means that it no longer counts for anybody, neither for the match "
        "nor for its rivals."
    ),
    reasoning=(
        "Subtract first, then delete: what is left out of the difference counts for nobody. "
        "Setting the numbers of one descriptor to 0 is not deletion. The other descriptor's "
        "numbers then stand in full, as if the image had changed. To test an explanation, "
        "delete the dimensions it names for the match and for all its rivals, rank again, and "
        "see whether the match falls farther than with random dimensions."
    ),
    hints=(
        "Leave out first or add up first: which one is simpler?",
        "Drop the listed dimensions from the difference, all at once, so that the others do not "
        "change their places. Then the squared length of what is left.",
        "`np.delete(query - match, deleted)` drops them. Square it, and sum.",
    ),
    draw=lambda rng, size: (
        rng.normal(0, 1, size + 3),
        rng.normal(0, 1, size + 3),
        rng.permutation(size + 3)[:2],
    ),
    mistakes={
        "You keep exactly the dimensions that should go.": (
            lambda q, m, d: ((q - m)[d] ** 2).sum()
        ),
        "You take the root. The squared distance was asked for.": (
            lambda q, m, d: np.linalg.norm(np.delete(q - m, d))
        ),
        "You delete nothing.": (lambda q, m, d: ((q - m) ** 2).sum()),
        "You set the deleted numbers of one descriptor to 0. The other's then count in full.": (
            lambda q, m, d: ((np.where(np.isin(np.arange(len(q)), d), 0, q) - m) ** 2).sum(),
            lambda q, m, d: ((np.where(np.isin(np.arange(len(m)), d), 0, m) - q) ** 2).sum(),
        ),
        "You delete as many dimensions from the front, not those that are listed.": (
            lambda q, m, d: ((q - m)[len(d) :] ** 2).sum()
        ),
        "You divide by the number of dimensions. The squared distance is a sum.": (
            lambda q, m, d: (np.delete(q - m, d) ** 2).mean(),
            lambda q, m, d: (np.delete(q - m, d) ** 2).sum() / len(q),
        ),
        "You add up absolute differences. Square them.": (
            lambda q, m, d: np.abs(np.delete(q - m, d)).sum()
        ),
        "You add up differences without squares, or square their sum.": (
            lambda q, m, d: np.delete(q - m, d).sum(),
            lambda q, m, d: np.delete(q - m, d).sum() ** 2,
            lambda q, m, d: ((q - m) ** 2).sum() - (q - m)[d].sum() ** 2,
        ),
        "You return one part for each dimension. Add them up.": (
            lambda q, m, d: np.delete(q - m, d) ** 2
        ),
        "You delete one of the listed dimensions only.": (
            lambda q, m, d: (np.delete(q - m, d[0]) ** 2).sum(),
            lambda q, m, d: (np.delete(q - m, d[-1]) ** 2).sum(),
        ),
        "You count dimensions from 1. The first has number 0.": (
            lambda q, m, d: (np.delete(q - m, np.array(d) - 1) ** 2).sum()
        ),
        "You delete one after the other, and the rest moves up each time. Delete all at once.": (
            lambda q, m, d: (_one_by_one(q - m, d) ** 2).sum()
        ),
        "You delete as many dimensions from the end, not those that are listed.": (
            lambda q, m, d: ((q - m)[: len(q) - len(d)] ** 2).sum(),
            lambda q, m, d: ((q - m)[: -len(d)] ** 2).sum(),
        ),
        "You leave out the values that are listed. They are numbers of dimensions.": (
            lambda q, m, d: ((q - m)[~np.isin(q, d)] ** 2).sum(),
            lambda q, m, d: ((q - m)[~np.isin(q - m, d)] ** 2).sum(),
        ),
        "You return an inner product. The distance comes from differences.": (
            lambda q, m, d: np.delete(q, d) @ np.delete(m, d)
        ),
        "You delete from one of the two only. Delete from their difference.": (
            lambda q, m, d: ((np.delete(q, d) - m) ** 2).sum(),
            lambda q, m, d: ((np.delete(m, d) - q) ** 2).sum(),
            lambda q, m, d: ((np.delete(q, d) - m[: len(q) - len(d)]) ** 2).sum(),
        ),
        "You shrink the distance by the number deleted. What the dimensions held counts.": (
            lambda q, m, d: ((q - m) ** 2).sum() * (1 - len(d) / len(q)),
            lambda q, m, d: ((q - m) ** 2).sum() - len(d),
        ),
        "You return the share that is left. The squared distance was asked for.": (
            lambda q, m, d: (np.delete(q - m, d) ** 2).sum() / ((q - m) ** 2).sum(),
            lambda q, m, d: 1 - (np.delete(q - m, d) ** 2).sum() / ((q - m) ** 2).sum(),
        ),
        "`~` turns a mask round. For positions make the mask first, or use np.delete.": (
            lambda q, m, d: ((q - m)[~d] ** 2).sum(),
            lambda q, m, d: ((q - m)[-d] ** 2).sum(),
        ),
        "You put another number where a deleted one was. It must add nothing.": (
            lambda q, m, d: np.where(np.isin(np.arange(len(q)), d), 1, (q - m) ** 2).sum(),
            lambda q, m, d: (
                np.where(np.isin(np.arange(len(q)), d), (q - m).mean(), q - m) ** 2
            ).sum(),
            lambda q, m, d: np.where(
                np.isin(np.arange(len(q)), d), ((q - m) ** 2).mean(), (q - m) ** 2
            ).sum(),
        ),
    },
)
def distance_without(query, match, deleted):
    difference = np.delete(query - match, deleted)
    return (difference**2).sum()
