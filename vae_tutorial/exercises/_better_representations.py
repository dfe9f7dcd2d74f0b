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
    why="Log-odds of 0 mean a fair coin; positive ones favour a 1.",
    reasoning=(
        "Log-odds are $\\log \\frac{p}{1 - p}$. They are positive exactly where $p$ is above "
        "one half, so the likelier value follows from a comparison with 0, without a sigmoid. "
        "For search we take this likeliest code and not a random one, so that an image has the "
        "same code every time it is encoded."
    ),
    draw=lambda rng, size: (rng.normal(0.2, 1, (2, size + 2)),),
    mistakes={
        "You compare with 0.5, as if these were probabilities. For log-odds the middle is 0.": (
            lambda x: (x > 0.5).astype(int)
        ),
        "You return signs. Return 0 where the log-odds are negative.": (
            lambda x: np.sign(x).astype(int)
        ),
        "Your bits are turned round.": (lambda x: (x < 0).astype(int)),
        "You return probabilities. Decide for the likelier value.": (
            lambda x: 1 / (1 + np.exp(-x))
        ),
    },
)
def bits_of(log_odds):
    return (log_odds > 0).astype(int)


def _codebooks(rng, size):
    return rng.normal(0, 2, (size + 2, 4)), rng.normal(0, 2, (2, 5, 2))


def _parts(vectors, codebooks):
    return vectors.reshape(len(vectors), len(codebooks), -1)


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
    draw=_codebooks,
    mistakes={
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
    },
)
def pq_encode(vectors, codebooks):
    parts = vectors.reshape(len(vectors), len(codebooks), -1)
    distances = ((parts[:, :, np.newaxis] - codebooks) ** 2).sum(axis=-1)
    return distances.argmin(axis=-1)
