"""The exercises of the page Better representations."""

import numpy as np

from vae_tutorial.exercises._bank import exercise

PAGE = "better-representations"


@exercise(
    PAGE,
    title="From log-odds to bits",
    level="warm-up",
    minutes=5,
    statement=(
        "A binary VAE puts out `log_odds` of each bit. Return the likelier value of each, 0 or 1."
    ),
    example="bits_of(np.array([[-2.0, 0.3]]))",
    cases=(
        "bits_of(np.array([[1.0, -1.0, 3.0]]))",
        "bits_of(np.array([[0.25, -0.25], [5.0, 2.0]]))",
    ),
    why="Log-odds of 0 mean a fair coin; positive ones favour a 1.",
    reasoning=(
        "Log-odds are $\\log \\frac{p}{1 - p}$. They are positive exactly where $p$ is above "
        "one half, so the likelier value follows from a comparison with 0, without a sigmoid. "
        "For search we take this likeliest code and not a random one, so that an image has the "
        "same code every time it is encoded."
    ),
    hints=(
        "For which log-odds are 0 and 1 equally likely?",
        "For log-odds of 0: there p is one half. So the likelier value follows from a "
        "comparison, and no sigmoid is needed.",
        "Compare `log_odds` with 0, and turn True and False into whole numbers by `astype`.",
    ),
    draw=lambda rng, size: (rng.choice([-1, 1], (2, size + 2)) * rng.uniform(0.1, 2, size + 2),),
    mistakes={
        "You return odds. They are above 1 where the bit is likelier 1: decide.": (
            lambda x: np.exp(x),
        ),
        "You compare with 0.5, as if these were probabilities. For log-odds the middle is 0.": (
            lambda x: (x > 0.5).astype(int),
            lambda x: (np.exp(x) > 0.5).astype(int),
        ),
        "You return signs. Return 0 where the log-odds are negative.": (
            lambda x: np.sign(x).astype(int),
        ),
        "Your bits are turned round.": (lambda x: (x < 0).astype(int)),
        "You return probabilities. Decide for the likelier value.": (
            lambda x: 1 / (1 + np.exp(-x)),
            lambda x: np.round(1 / (1 + np.exp(-x)), 2),
        ),
        "You round the log-odds, or cut off their decimals. Compare them with 0.": (
            lambda x: np.round(x).astype(int),
            lambda x: x.astype(int),
        ),
        "You compare a probability with 0, and it is always above. Compare it with 0.5.": (
            lambda x: np.ones(x.shape, int)
        ),
        "You compare with the mean of the row or table. The middle of log-odds is 0.": (
            lambda x: (x > x.mean()).astype(int),
            lambda x: (x > np.median(x)).astype(int),
            lambda x: (x > x.mean(1, keepdims=True)).astype(int),
        ),
        "int takes one number. For an array use astype(int).": (
            lambda x: int(x > 0),
            lambda x: int(x[x > 0]),
        ),
        "An if takes one truth value. Compare the whole array: x > 0, or np.where.": (
            lambda x: 1 if x > 0 else 0,
        ),
        "You choose one bit of each row. Every bit is decided by itself.": (
            lambda x: x.argmax(1),
            lambda x: x.argmax(-1, keepdims=True),
        ),
        "You cut off what is negative and keep the rest. Return 0 or 1.": (
            lambda x: np.maximum(x, 0),
            lambda x: np.clip(x, 0, 1),
        ),
        "You compare the size, without the sign.": (
            lambda x: (np.abs(x) > 0.5).astype(int),
            lambda x: (np.abs(x) > 1).astype(int),
            lambda x: np.round(np.abs(x)),
            lambda x: np.abs(x),
        ),
        "You compare with 1. For log-odds the middle is 0; 1 is the middle of odds.": (
            lambda x: (x > 1).astype(int),
            lambda x: (x >= 1).astype(int),
        ),
        "You pack the bits, or count them. Return each by itself.": (
            lambda x: np.packbits(x > 0, axis=1),
            lambda x: np.packbits(x > 0),
            lambda x: (x > 0).sum(1),
            lambda x: (x > 0).sum(),
        ),
        "You treat log-odds as probabilities and take their log-odds once more.": (
            lambda x: (np.log(x / (1 - x)) > 0).astype(int),
        ),
    },
)
def bits_of(log_odds):
    return (log_odds > 0).astype(int)


def _codebooks(rng, size):
    return rng.normal(0, 2, (size + 2, 4)), rng.normal(0, 2, (2, 5, 2))


def _parts(vectors, codebooks):
    return vectors.reshape(len(vectors), len(codebooks), -1)


def _entry_distances(vectors, codebooks):
    return ((_parts(vectors, codebooks)[:, :, None] - codebooks) ** 2).sum(-1)


@exercise(
    PAGE,
    title="Encode by product quantisation",
    level="harder",
    minutes=15,
    statement=(
        "Cut each of `vectors` (n, d) into as many parts as there are `codebooks` (parts, "
        "entries, d / parts). Return, for each part, the number of the nearest entry: an array "
        "(n, parts)."
    ),
    example="pq_encode(np.array([[0.1, 0.9]]), np.array([[[0.0], [1.0]], [[0.0], [1.0]]]))",
    cases=(
        "pq_encode(np.array([[0.0, 0.0, 3.0, 3.0]]), "
        "np.array([[[1.0, 1.0], [2.0, 3.0]], [[0.0, 1.0], [2.0, 2.0]]]))",
    ),
    why=(
        "Each part is looked up in its own codebook, so a few small codebooks stand for very "
        "many combinations."
    ),
    reasoning=(
        "Reshaping to (n, parts, d / parts) cuts each vector into runs of neighbouring numbers. "
        "With a new axis, `parts[:, :, np.newaxis]` has shape (n, parts, 1, width) and spreads "
        "over the codebooks' (parts, entries, width), so each part meets only the entries of "
        "its own codebook. The sum over the last axis gives squared distances, and `argmin` "
        "over the entries the number of the nearest. With 256 entries a part takes one byte, "
        "and $m$ parts tell $256^m$ combinations apart although only $256\\,m$ entries are "
        "stored."
    ),
    hints=(
        "Begin with one vector and one codebook: which entry is the nearest? Then cut the "
        "vectors, so that this happens for all parts at once.",
        "`reshape` cuts each vector into its parts. To compare each part with all entries of its "
        "own codebook, the parts need a new axis before the last; the differences then have four "
        "axes: vector, part, entry, and the numbers of a part.",
        "`parts = vectors.reshape(len(vectors), len(codebooks), -1)`. Square `parts[:, :, "
        "np.newaxis] - codebooks`, sum over the last axis, and take the `argmin` over the "
        "entries.",
    ),
    draw=_codebooks,
    mistakes={
        "You return the whole order of the entries. Return the first of it, by argmin.": (
            lambda v, c: _entry_distances(v, c).argsort(-1),
        ),
        "You choose the farthest entry.": (
            lambda v, c: ((_parts(v, c)[:, :, None] - c) ** 2).sum(-1).argmax(-1)
        ),
        "You choose the entry with the largest inner product. That is not the nearest one, because "
        "entries differ in length.": (
            lambda v, c: (_parts(v, c)[:, :, None] * c).sum(-1).argmax(-1)
        ),
        "You use the first codebook for every part.": (
            lambda v, c: ((_parts(v, c)[:, :, None] - c[0]) ** 2).sum(-1).argmin(-1)
        ),
        "You deal the numbers out in turn. A part is a run of neighbouring numbers.": (
            lambda v, c: (
                ((v.reshape(len(v), -1, len(c)).swapaxes(1, 2)[:, :, None] - c) ** 2)
                .sum(-1)
                .argmin(-1)
            )
        ),
        "You return the distances. Return the number of the nearest entry.": (
            lambda v, c: _entry_distances(v, c).min(-1),
            lambda v, c: _entry_distances(v, c),
            lambda v, c: np.sqrt(_entry_distances(v, c).min(-1)),
        ),
        "You return the entries. Return their numbers.": (
            lambda v, c: c[np.arange(len(c)), _entry_distances(v, c).argmin(-1)],
            lambda v, c: c[np.arange(len(c)), _entry_distances(v, c).argmin(-1)].reshape(v.shape),
        ),
        "You count entries from 1. The first has number 0.": (
            lambda v, c: _entry_distances(v, c).argmin(-1) + 1
        ),
        "You choose over another axis. The entries are the last axis of the distances.": (
            lambda v, c: _entry_distances(v, c).argmin(1),
            lambda v, c: _entry_distances(v, c).argmin(0),
        ),
        "You add up absolute differences. Nearest means the smallest sum of squares.": (
            lambda v, c: np.abs(_parts(v, c)[:, :, None] - c).sum(-1).argmin(-1)
        ),
        "You use the last codebook for every part.": (
            lambda v, c: ((_parts(v, c)[:, :, None] - c[-1]) ** 2).sum(-1).argmin(-1)
        ),
        "You choose one entry for all parts. Each part has its own.": (
            (
                lambda v, c: _entry_distances(v, c).sum(1).argmin(-1),
                lambda v, c: np.stack([_entry_distances(v, c).sum(1).argmin(-1)] * len(c), axis=1),
            )
        ),
        "You use the codebooks in reversed order.": (
            lambda v, c: ((_parts(v, c)[:, :, None] - c[::-1]) ** 2).sum(-1).argmin(-1)
        ),
        "You reshape to parts first. The vectors come first: (n, parts, d / parts).": (
            lambda v, c: (
                ((v.reshape(len(c), len(v), -1).swapaxes(0, 1)[:, :, None] - c) ** 2)
                .sum(-1)
                .argmin(-1)
            )
        ),
        "You flatten the result. It has one row a vector: (n, parts).": (
            lambda v, c: _entry_distances(v, c).argmin(-1).ravel()
        ),
        "You add up differences without squares. Square them first.": (
            lambda v, c: (_parts(v, c)[:, :, None] - c).sum(-1).argmin(-1),
            lambda v, c: np.abs((_parts(v, c)[:, :, None] - c).sum(-1)).argmin(-1),
        ),
        "You exchange rows and columns: one row a vector, one column a part.": (
            lambda v, c: _entry_distances(v, c).argmin(-1).T
        ),
        "You compare the lengths. The distance between part and entry counts.": (
            lambda v, c: np.abs(
                np.linalg.norm(_parts(v, c), axis=-1)[:, :, None] - np.linalg.norm(c, axis=-1)
            ).argmin(-1)
        ),
        "You count on from one codebook to the next. Each codebook counts its entries from 0.": (
            lambda v, c: _entry_distances(v, c).argmin(-1) + c.shape[1] * np.arange(len(c)),
        ),
        "You compare one number of each part. Add up the squares of all its numbers.": (
            lambda v, c: ((_parts(v, c)[:, :, None, 0] - c[..., 0]) ** 2).argmin(-1),
            lambda v, c: np.abs(v[:, : len(c), None] - c[None, :, :, 0]).argmin(-1),
            lambda v, c: ((_parts(v, c)[:, :, None] - c) ** 2).max(-1).argmin(-1),
        ),
    },
)
def pq_encode(vectors, codebooks):
    parts = vectors.reshape(len(vectors), len(codebooks), -1)
    distances = ((parts[:, :, np.newaxis] - codebooks) ** 2).sum(axis=-1)
    return distances.argmin(axis=-1)
