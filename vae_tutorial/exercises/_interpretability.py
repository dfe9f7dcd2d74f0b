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
    why="A squared distance is a sum over dimensions, so it can be divided among them exactly.",
    reasoning=(
        "The squared distance is $\\sum_j (q_j - m_j)^2$, already a sum with one part for each "
        "dimension. Dividing each part by the sum makes shares that add up to 1. The Euclidean "
        "distance itself, with its root, cannot be divided among dimensions in this way: the "
        "root of a sum is not the sum of the roots. Squares also mean that one large difference "
        "outweighs several small ones, as in the example."
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
    },
)
def distance_shares(query, match):
    squared = (query - match) ** 2
    return squared / squared.sum()


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
            lambda q, m, d: ((np.where(np.isin(np.arange(len(q)), d), 0, q) - m) ** 2).sum()
        ),
        "You delete as many dimensions from the front, not those that are listed.": (
            lambda q, m, d: ((q - m)[len(d) :] ** 2).sum()
        ),
    },
)
def distance_without(query, match, deleted):
    difference = np.delete(query - match, deleted)
    return (difference**2).sum()
