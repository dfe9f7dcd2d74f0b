"""The exercises: statement, solution, how inputs are drawn, and the mistakes known by name.

Each solution is shown in the book as it stands here. Lambdas under ``mistakes`` are wrong on
purpose: each gives what a reader's answer gives who makes that mistake.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Mistake:
    """A wrong answer, and what to say to a reader whose results equal it.

    Where ``key`` is given, results are compared after it: ``np.sort`` leaves their order aside.
    """

    diagnosis: str
    answer: Callable
    key: Callable | None = None


@dataclass(frozen=True)
class Exercise:
    """An exercise of a page; ``draw(rng, size)`` returns the arguments of one random trial."""

    page: str
    title: str
    level: str  # warm-up, standard or harder
    minutes: int
    statement: str
    solution: Callable
    why: str
    draw: Callable
    mistakes: tuple[Mistake, ...]


EXERCISES: dict[str, Exercise] = {}


def exercise(page, title, level, minutes, statement, why, draw, mistakes):
    """Register the function below it as the solution of an exercise of the same name."""

    def register(solution):
        named = tuple(
            Mistake(text, *(answer if isinstance(answer, tuple) else (answer,)))
            for text, answer in mistakes.items()
        )
        EXERCISES[solution.__name__] = Exercise(
            page, title, level, minutes, statement, solution, why, draw, named
        )
        return solution

    return register


# -- 1. Background --------------------------------------------------------------------------------


def _relevant(rng, size):
    relevant = rng.random((size, 6)) < 0.5
    relevant[:, 0], relevant[:, 5] = True, rng.random(size) < 0.5
    return relevant, int(rng.integers(2, 6))


@exercise(
    "background",
    "Precision of the first results",
    "warm-up",
    5,
    "`relevant[i, j]` says whether the result at rank `j + 1` of query `i` is relevant. Return "
    "the precision at `k` of every query.",
    "The mean of zeros and ones over the first k ranks is the share of relevant results.",
    _relevant,
    {
        "You divide by the number of relevant results. That is recall; precision divides by k.": (
            lambda relevant, k: relevant[:, :k].sum(1) / relevant.sum(1)
        ),
        "You count the relevant results but do not divide by k.": (
            lambda relevant, k: relevant[:, :k].sum(1)
        ),
        "You look at all ranks. Only the first k count.": (lambda relevant, k: relevant.mean(1)),
        "You take k + 1 results: relevant[:, :k] already holds k.": (
            lambda relevant, k: relevant[:, : k + 1].mean(1)
        ),
    },
)
def precision_at_k(relevant, k):
    return relevant[:, :k].mean(axis=1)


def _distances(rng, size):
    n = 4 + 4 * size**2  # some large ones: argpartition sorts small arrays whole
    return rng.permutation(n) + rng.random(), n // 2


@exercise(
    "background",
    "Top k without sorting everything",
    "standard",
    10,
    "Return the positions of the `k` smallest `distances`, nearest first. Sorting the whole "
    "gallery works, but `np.argpartition` finds the k smallest without it; only these k then need "
    "to be sorted.",
    "argpartition puts the k smallest in front in any order, in time proportional to the gallery; "
    "sorting k numbers is cheap.",
    _distances,
    {
        "You return the farthest images. Small distances are near.": (
            lambda distances, k: np.argsort(-distances)[:k]
        ),
        "Yours are the right images in the wrong order: argpartition does not sort.": (
            lambda distances, k: np.sort(np.argsort(distances)[:k]),
            np.sort,
        ),
        "You return distances. Return the positions at which they stand.": (
            lambda distances, k: np.sort(distances)[:k]
        ),
        "You leave out the nearest image. That is right only if the query is in the gallery.": (
            lambda distances, k: np.argsort(distances)[1 : k + 1]
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
    "background",
    "Average precision with ties",
    "harder",
    15,
    "One query: `distances` and `relevant` of the whole gallery. Rank by distance; images at the "
    "*same* distance keep their order in the gallery. Return the average precision.",
    "A stable sort keeps equal distances in gallery order, so the result does not depend on how "
    "the sort works inside. The precision is taken at the ranks of relevant images only.",
    _tied,
    {
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
            lambda distances, relevant: _ap(_ranked(-distances, relevant))
        ),
    },
)
def average_precision(distances, relevant):
    ranked = relevant[np.argsort(distances, kind="stable")]
    precision = np.cumsum(ranked) / np.arange(1, len(ranked) + 1)
    return precision[ranked].mean()


def _ranked(distances, relevant):
    return relevant[np.argsort(distances, kind="stable")]


def _precisions(ranked):
    return np.cumsum(ranked) / np.arange(1, len(ranked) + 1)


def _ap(ranked):
    return _precisions(ranked)[ranked].mean()


@exercise(
    "background",
    "PCA by the singular value decomposition",
    "standard",
    15,
    "Rows of `images` are flattened pictures. Return them reconstructed from their first `k` "
    "principal components, by `np.linalg.svd`.",
    "After centring, the rows of vt are the directions of largest variance. Projecting onto k of "
    "them and going back is the best approximation of rank k.",
    lambda rng, size: (
        rng.normal(3, 1, (size + 4, 5)) * np.arange(1, 6),
        int(rng.integers(1, 4)),
    ),
    {
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
    },
)
def pca_reconstruct(images, k):
    mean = images.mean(axis=0)
    _, _, vt = np.linalg.svd(images - mean, full_matrices=False)
    codes = (images - mean) @ vt[:k].T
    return mean + codes @ vt[:k]


def _centred(images):
    return images - images.mean(0)


def _low_rank(images, k, mean):
    _, _, vt = np.linalg.svd(images - mean, full_matrices=False)
    return mean + (images - mean) @ vt[:k].T @ vt[:k]


def _last(images, k):
    _, _, vt = np.linalg.svd(_centred(images), full_matrices=False)
    return vt[-k:].T @ vt[-k:]


# -- 2. The ELBO ----------------------------------------------------------------------------------


def _gaussians(rng, size):
    return rng.normal(0, 1, (2, size + 1)), rng.normal(0, 1, (2, size + 1))


@exercise(
    "elbo",
    "The KL divergence by hand",
    "warm-up",
    10,
    "Return, for each row, the KL divergence of $\\mathcal N(\\mu, \\sigma^2)$ from the standard "
    "normal, summed over the latent dimensions. `log_var` is $\\log \\sigma^2$.",
    "Each dimension costs half of mean squared plus variance minus log-variance minus one, and "
    "independent dimensions add up.",
    _gaussians,
    {
        "The factor one half is missing.": (lambda m, v: (m**2 + np.exp(v) - v - 1).sum(-1)),
        "You take the mean over the latent dimensions. The divergence is their sum.": (
            lambda m, v: 0.5 * (m**2 + np.exp(v) - v - 1).mean(-1)
        ),
        "You read log_var as the logarithm of the standard deviation. It is that of the "
        "variance.": (lambda m, v: 0.5 * (m**2 + np.exp(2 * v) - 2 * v - 1).sum(-1)),
        "The sign is wrong: a divergence is never negative.": (
            lambda m, v: -0.5 * (m**2 + np.exp(v) - v - 1).sum(-1)
        ),
        "The -1 is missing. For mean 0 and variance 1 the divergence must be 0.": (
            lambda m, v: 0.5 * (m**2 + np.exp(v) - v).sum(-1)
        ),
        "The mean is not squared.": (lambda m, v: 0.5 * (m + np.exp(v) - v - 1).sum(-1)),
    },
)
def kl_divergence(mean, log_var):
    return 0.5 * (mean**2 + np.exp(log_var) - log_var - 1).sum(axis=-1)


@exercise(
    "elbo",
    "The reparameterisation trick",
    "warm-up",
    5,
    "Turn standard normal `noise` into draws from $\\mathcal N(\\mu, \\sigma^2)$.",
    "A shift and a scale turn a standard normal into any other, and both can be differentiated. "
    "The standard deviation is exp(log_var / 2).",
    lambda rng, size: tuple(rng.normal(0, 1, (3, 2, size))),
    {
        "You scale by the variance. Scale by the standard deviation, exp(log_var / 2).": (
            lambda mean, log_var, noise: mean + np.exp(log_var) * noise
        ),
        "You scale by the log-variance itself. Take the exponential first.": (
            lambda mean, log_var, noise: mean + log_var * noise
        ),
        "You add the noise without scaling it.": (lambda mean, log_var, noise: mean + noise),
        "Mean and standard deviation have changed places.": (
            lambda mean, log_var, noise: np.exp(log_var / 2) + mean * noise
        ),
        "You divide by the standard deviation: the sign in the exponent is wrong.": (
            lambda mean, log_var, noise: mean + np.exp(-log_var / 2) * noise
        ),
    },
)
def reparameterise(mean, log_var, noise):
    return mean + np.exp(log_var / 2) * noise


@exercise(
    "elbo",
    "The ELBO of a batch",
    "warm-up",
    5,
    "`log_likelihood` and `kl` hold one number for each image. Return the ELBO of the batch: the "
    "mean over its images.",
    "Reward minus price, for each image; the mean makes batches of different size comparable.",
    lambda rng, size: (rng.normal(-90, 10, size + 1), rng.gamma(5, 4, size + 1)),
    {
        "You add the divergence. It is a price: subtract it.": (lambda ll, kl: (ll + kl).mean()),
        "You return the sum over the batch. It grows with the batch; return the mean.": (
            lambda ll, kl: (ll - kl).sum()
        ),
        "You return the loss, which is the negative of the ELBO.": (
            lambda ll, kl: (kl - ll).mean()
        ),
        "You return the log-likelihood alone.": (lambda ll, kl: ll.mean()),
    },
)
def elbo_of_batch(log_likelihood, kl):
    return (log_likelihood - kl).mean()


@exercise(
    "elbo",
    "The logarithm of a mean of tiny numbers",
    "standard",
    10,
    "The importance-weighted bound needs $\\log \\frac1K \\sum_k e^{w_k}$ over the last axis, with "
    "weights near -1000. Return it without underflow.",
    "Taking the largest weight out of the sum leaves numbers between 0 and 1, of which one is 1. "
    "It is added back outside the logarithm.",
    lambda rng, size: (rng.normal(-1000, 3, (2, size + 1)),),
    {
        "You take the sum where a mean belongs: log K is missing.": (lambda w: _logsumexp(w)),
        "You take the mean of the logarithms. That is the ELBO, which is never larger.": (
            lambda w: w.mean(-1)
        ),
        "You did not add the maximum back.": (
            lambda w: _logsumexp(w) - np.log(w.shape[-1]) - w.max(-1)
        ),
        "You return the largest weight, which leaves out all others.": (lambda w: w.max(-1)),
        "You subtract log K twice.": (lambda w: _logsumexp(w) - 2 * np.log(w.shape[-1])),
    },
)
def log_mean_exp(log_weights):
    largest = log_weights.max(axis=-1, keepdims=True)
    mean = np.exp(log_weights - largest).mean(axis=-1)
    return largest[..., 0] + np.log(mean)


def _logsumexp(w):
    return w.max(-1) + np.log(np.exp(w - w.max(-1, keepdims=True)).sum(-1))


# -- 3. Encoder and decoder -----------------------------------------------------------------------


def _pixels(rng, size):
    logits = rng.normal(0, 3, (2, size + 1))
    logits[0, 0], logits[1, -1] = 800.0, -800.0
    x = (rng.random(logits.shape) < 0.5).astype(float)
    x[0, 0] = 0.0  # sure, and wrong
    return x, logits


def _clipped(x, logits):
    p = 1 / (1 + np.exp(-np.clip(logits, -700, 700)))
    return (x * np.log(p + 1e-7) + (1 - x) * np.log(1 - p + 1e-7)).sum(-1)


@exercise(
    "encoder-decoder",
    "A Bernoulli log-likelihood that survives p = 0 and p = 1",
    "harder",
    15,
    "Return $\\log p(x \\mid z)$ of each row, summed over its pixels, from `logits` as large as "
    "800 in size. Computing $p$ first would round it to 0 or 1.",
    "In terms of the logit l the log-likelihood is x l - log(1 + exp(l)), and np.logaddexp(0, l) "
    "computes the last term for any l.",
    _pixels,
    {
        "You take the mean over the pixels. The log-likelihood of an image is the sum.": (
            lambda x, u: (x * u - np.logaddexp(0, u)).mean(-1)
        ),
        "You return the loss. The log-likelihood has the opposite sign.": (
            lambda x, u: -(x * u - np.logaddexp(0, u)).sum(-1)
        ),
        "You clip or add a small number inside the logarithm. That caps the cost: a pixel that is "
        "surely wrong by 800 nats then costs some 16.": _clipped,
        "Your logarithm has base 2. In nats it is the natural one.": (
            lambda x, u: (x * u - np.logaddexp(0, u)).sum(-1) / np.log(2)
        ),
        "You count only the white pixels: the term (1 - x) log(1 - p) is missing.": (
            lambda x, u: (x * (u - np.logaddexp(0, u))).sum(-1)
        ),
    },
)
def bernoulli_log_likelihood(x, logits):
    return (x * logits - np.logaddexp(0, logits)).sum(axis=-1)


@exercise(
    "encoder-decoder",
    "A Gaussian log-likelihood",
    "standard",
    10,
    "Return $\\log \\mathcal N(x; \\mu, \\sigma^2)$ of each row, summed over its pixels, with one "
    "`log_var` for all pixels.",
    "Three terms a pixel: the constant, the price of a wide variance, and the squared error in "
    "units of the variance.",
    lambda rng, size: (rng.random((2, size + 1)), rng.random((2, size + 1)), rng.normal(-1, 1)),
    {
        "The constant log(2 pi) is missing. It does not change the training, but the result is "
        "then no log-likelihood.": (lambda x, m, v: -0.5 * (v + (x - m) ** 2 / np.exp(v)).sum(-1)),
        "You take the mean over the pixels. The log-likelihood of an image is the sum.": (
            lambda x, m, v: -0.5 * (np.log(2 * np.pi) + v + (x - m) ** 2 / np.exp(v)).mean(-1)
        ),
        "You divide the squared error by the standard deviation, not by the variance.": (
            lambda x, m, v: -0.5 * (np.log(2 * np.pi) + v + (x - m) ** 2 / np.exp(v / 2)).sum(-1)
        ),
        "The sign is wrong: a large error must make the log-likelihood small.": (
            lambda x, m, v: 0.5 * (np.log(2 * np.pi) + v + (x - m) ** 2 / np.exp(v)).sum(-1)
        ),
        "You count log_var once for the image. Each pixel brings it.": (
            lambda x, m, v: -0.5 * (np.log(2 * np.pi) + (x - m) ** 2 / np.exp(v)).sum(-1) - 0.5 * v
        ),
    },
)
def gaussian_log_likelihood(x, mean, log_var):
    squared = (x - mean) ** 2 / np.exp(log_var)
    return -0.5 * (np.log(2 * np.pi) + log_var + squared).sum(axis=-1)


@exercise(
    "encoder-decoder",
    "Parameters of a convolution",
    "warm-up",
    5,
    "How many parameters has a convolution with square kernels of side `kernel`, from `channels` "
    "channels to `filters` filters, with biases?",
    "Each filter looks at a kernel x kernel patch of every channel and has one bias. The size of "
    "the image does not matter.",
    lambda rng, size: tuple(int(v) for v in rng.integers(2, 3 + size, 3)),
    {
        "The biases are missing: one for each filter.": (lambda k, c, f: k * k * c * f),
        "The kernel is square: its side counts twice.": (lambda k, c, f: k * c * f + f),
        "Each filter reads all channels: multiply by them.": (lambda k, c, f: k * k * f + f),
        "You count one bias for each channel. There is one for each filter.": (
            lambda k, c, f: k * k * c * f + c
        ),
    },
)
def convolution_parameters(kernel, channels, filters):
    return kernel * kernel * channels * filters + filters


@exercise(
    "encoder-decoder",
    "Keep the log-variance in bounds",
    "standard",
    10,
    "Squash `raw` smoothly into the range from `-bound` to `bound`, so that numbers near 0 are "
    "almost unchanged.",
    "Near 0 tanh(u) is u, so dividing by the bound inside and multiplying outside leaves a slope "
    "of 1. Far out the slope shrinks but is never exactly 0.",
    lambda rng, size: (rng.normal(0, 12, size + 2), float(rng.integers(5, 15))),
    {
        "You clip. Outside the bounds the gradient is then exactly 0, and the network never comes "
        "back.": (lambda raw, b: np.clip(raw, -b, b)),
        "You multiply by the bound but do not divide by it inside: the slope at 0 is the bound "
        "instead of 1.": (lambda raw, b: b * np.tanh(raw)),
        "You divide inside but do not multiply outside: the result never exceeds 1.": (
            lambda raw, b: np.tanh(raw / b)
        ),
        "Your result is always positive. A log-variance may be negative.": (
            lambda raw, b: b / (1 + np.exp(-raw))
        ),
    },
)
def bound_log_var(raw, bound):
    return bound * np.tanh(raw / bound)


# -- 4. Training ----------------------------------------------------------------------------------


def _posterior_means(rng, size):
    spread = np.where(rng.random(6) < 0.5, 0.02, 1.0)
    spread[:3] = 0.05, 1.0, 0.3  # variances 0.0025, 1 and 0.09
    return rng.normal(2, 1, (30 + size, 6)) * spread, 0.01


@exercise(
    "training",
    "Count the active units",
    "standard",
    10,
    "`means` holds the posterior means, one row an image. How many latent dimensions vary between "
    "images with a variance above `threshold`?",
    "A dimension that says the same of every image carries nothing, whatever value it says.",
    _posterior_means,
    {
        "You take the variance along the wrong axis: over the dimensions of each image.": (
            lambda means, t: int((means.var(axis=1) > t).sum())
        ),
        "You compare the standard deviation with the threshold. It is meant for the variance.": (
            lambda means, t: int((means.std(axis=0) > t).sum())
        ),
        "You look at how large the means are, not at how much they vary.": (
            lambda means, t: int(((means**2).mean(axis=0) > t).sum())
        ),
        "You return the share of active dimensions. Return their number.": (
            lambda means, t: (means.var(axis=0) > t).mean()
        ),
    },
)
def active_units(means, threshold):
    return int((means.var(axis=0) > threshold).sum())


@exercise(
    "training",
    "A warm-up of the KL term",
    "warm-up",
    5,
    "Return the weight of the KL term: it rises in a straight line from 0 at epoch 0 to 1 at epoch "
    "`epochs`, and stays at 1.",
    "The price comes in gradually, so the latent is in use before it has to pay in full.",
    lambda rng, size: (int(rng.integers(0, 4 + 2 * size)), int(rng.integers(2, 4 + size))),
    {
        "Your weight goes on rising after the warm-up. Cap it at 1.": (lambda e, n: e / n),
        "Off by one: at epoch 0 the weight should be 0.": (lambda e, n: min(1.0, (e + 1) / n)),
        "You divide whole numbers by //, so the weight jumps from 0 to 1.": (
            lambda e, n: min(1, e // n)
        ),
        "Your weight falls. It should rise from 0 to 1.": (lambda e, n: max(0.0, 1 - e / n)),
    },
)
def warmup_weight(epoch, epochs):
    return min(1.0, epoch / epochs)


def _epoch(rng, size):
    batch_size, whole = int(rng.integers(3, 8 + size)), int(rng.integers(1, 6 * size))
    # Now without a rest, now with a small one, now with a large one.
    return whole * batch_size + (0, 1, batch_size - 1)[size % 3], batch_size


@exercise(
    "training",
    "Steps in an epoch",
    "warm-up",
    5,
    "How many training steps has an epoch of `n_images` images in mini-batches of `batch_size`, "
    "if the last mini-batch may be smaller?",
    "Every image is seen once, so a rest of even one image needs a step of its own.",
    _epoch,
    {
        "You round down, so the images of the last mini-batch are never seen.": (
            lambda n, b: n // b
        ),
        "You always add a step. There is none to add where the division leaves no rest.": (
            lambda n, b: n // b + 1
        ),
        "You round to the nearest number. A small rest also needs a step.": (
            lambda n, b: round(n / b)
        ),
    },
)
def steps_per_epoch(n_images, batch_size):
    return -(-n_images // batch_size)


@exercise(
    "training",
    "Free bits",
    "standard",
    10,
    "`kl` holds the divergence of every image and latent dimension. One remedy against collapse "
    "does not charge a dimension below `floor`: average each dimension over the batch, replace "
    "what is below `floor` by `floor`, and return the sum.",
    "Below the floor the price is constant, so there is no gradient that would empty the "
    "dimension altogether.",
    lambda rng, size: (rng.gamma(0.5, 1, (3 + size, 4)), float(rng.uniform(0.3, 0.7))),
    {
        "You take the smaller of the two. That caps the price from above.": (
            lambda kl, f: np.minimum(kl.mean(0), f).sum()
        ),
        "You apply the floor to the sum. One busy dimension then pays for all others.": (
            lambda kl, f: max(kl.mean(0).sum(), f)
        ),
        "You apply the floor to each image before averaging. Average over the batch first.": (
            lambda kl, f: np.maximum(kl, f).mean(0).sum()
        ),
        "You take the mean over the dimensions. The divergence is their sum.": (
            lambda kl, f: np.maximum(kl.mean(0), f).mean()
        ),
    },
)
def free_bits(kl, floor):
    return np.maximum(kl.mean(axis=0), floor).sum()


# -- 5. Retrieval ---------------------------------------------------------------------------------


def _two_sets(rng, size):
    return rng.normal(1, 1, (2, size + 1)), rng.normal(0, 2, (3, size + 1))


@exercise(
    "retrieval",
    "All distances without a loop",
    "standard",
    10,
    "Return the *squared* Euclidean distance of every query (rows of the result) from every "
    "gallery descriptor (columns).",
    "Expanding the square turns the work into one matrix product, which is what a processor does "
    "best.",
    _two_sets,
    {
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
    "retrieval",
    "Cosine similarity",
    "warm-up",
    5,
    "Return the cosine of the angle between every query (rows) and every gallery descriptor "
    "(columns).",
    "Vectors of length one have their cosine as inner product.",
    _two_sets,
    {
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
    "retrieval",
    "Query expansion",
    "warm-up",
    5,
    "Return the new query: the mean of the query's descriptor and those of its `neighbours` (one "
    "a row), all with the same weight.",
    "The mean of near images is less noisy than one of them, as long as most neighbours are right.",
    lambda rng, size: (rng.normal(0, 1, 3), rng.normal(2, 1, (size + 1, 3))),
    {
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
    "retrieval",
    "A view: shift an image",
    "standard",
    10,
    "Move a grey image (rows, columns) by `down` and `right` pixels, both at least 0. What leaves "
    "the frame is lost, and what comes in is 0.",
    "A slice of the old image goes into a slice of an empty one; nothing comes round from the "
    "other side.",
    lambda rng, size: (rng.random((4, 5 + size)), int(rng.integers(1, 4)), int(rng.integers(0, 3))),
    {
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
    "retrieval",
    "Hamming distances of packed codes",
    "harder",
    15,
    "Codes are packed, eight bits in a `uint8`. Return the number of bits in which `query` "
    "(bytes,) differs from each row of `gallery` (n, bytes).",
    "XOR leaves a 1 exactly where two bits differ; counting ones is all that remains.",
    lambda rng, size: (
        rng.integers(0, 256, 1 + size // 2, dtype=np.uint8),
        rng.integers(0, 256, (3, 1 + size // 2), dtype=np.uint8),
    ),
    {
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


# -- 6. Better representations --------------------------------------------------------------------


@exercise(
    "better-representations",
    "From log-odds to bits",
    "warm-up",
    5,
    "A binary VAE puts out `log_odds` of each bit. Return the likelier value of each, 0 or 1.",
    "Log-odds of 0 mean a fair coin; positive ones favour a 1.",
    lambda rng, size: (rng.normal(0.2, 1, (2, size + 2)),),
    {
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
    "better-representations",
    "Encode by product quantisation",
    "harder",
    15,
    "Cut each of `vectors` (n, d) into as many parts as there are `codebooks` (parts, entries, d / "
    "parts). Return, for each part, the number of the nearest entry: an array (n, parts).",
    "Each part is looked up in its own codebook, so a few small codebooks stand for very many "
    "combinations.",
    _codebooks,
    {
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


# -- 7. Richer images -----------------------------------------------------------------------------


def _rankings(rng, size):
    found = np.array([rng.permutation(8)[:5] for _ in range(size + 3)])
    right = rng.integers(0, 8, size + 3)
    right[:3] = found[0, 1], found[1, 3], 99  # at rank 2, at rank 4, not found
    return found, right


def _reciprocals(found, right, first=1):
    hits = found == right[:, None]
    return np.where(hits.any(1), 1 / (hits.argmax(1) + first), 0.0)


@exercise(
    "richer-images",
    "Mean reciprocal rank",
    "standard",
    10,
    "`found[i]` lists the images found for query `i`, best first, and `right[i]` the one that is "
    "right. Return the mean of one over its rank; a query whose image was not found counts 0.",
    "Rank 1 gives 1, rank 2 a half: the measure rewards being first more than it punishes being "
    "late.",
    _rankings,
    {
        "You leave out the queries whose image was not found. They count 0.": (
            lambda f, r: _reciprocals(f, r)[(f == r[:, None]).any(1)].mean()
        ),
        "You return one over the mean rank. Take the mean of one over the rank.": (
            lambda f, r: 1 / ((f == r[:, None]).argmax(1) + 1).mean()
        ),
        "Off by one: the first result has rank 1.": (lambda f, r: _reciprocals(f, r, 2).mean()),
        "You count queries whose image was found. That is recall.": (
            lambda f, r: (f == r[:, None]).any(1).mean()
        ),
        "Where nothing was found you count rank 1: argmax of a row without a hit is 0.": (
            lambda f, r: (1 / ((f == r[:, None]).argmax(1) + 1)).mean()
        ),
    },
)
def mean_reciprocal_rank(found, right):
    hits = found == right[:, np.newaxis]
    rank = hits.argmax(axis=1) + 1
    return np.where(hits.any(axis=1), 1 / rank, 0.0).mean()


@exercise(
    "richer-images",
    "A split that does not leak",
    "standard",
    5,
    "`symbols[i]` is the number of the symbol that image `i` shows; several images show the same. "
    "Hold out every symbol whose number is divisible by `every`: return `True` for each of its "
    "images.",
    "All drawings of a symbol fall on the same side, so a query's symbol was never trained on.",
    lambda rng, size: (rng.integers(1, 9, 6 + size), int(rng.integers(2, 4))),
    {
        "You split by the position of the image. Another drawing of the same symbol is then in "
        "training: data have leaked.": (lambda s, e: np.arange(len(s)) % e == 0),
        "You return the training images. Mark those that are held out.": (lambda s, e: s % e != 0),
        "You hold out the symbols that leave a rest of 1.": (lambda s, e: s % e == 1),
        "You hold out only the first image of each symbol. The others leak it.": (
            lambda s, e: (s % e == 0) & (np.array([(s[:i] != s[i]).all() for i in range(len(s))]))
        ),
    },
)
def held_out_images(symbols, every):
    return symbols % every == 0


# -- 8. Many modalities ---------------------------------------------------------------------------


def _product(means, log_vars, prior=1.0):
    precision = np.exp(-log_vars)
    total = prior + precision.sum(0)
    return (precision * means).sum(0) / total, -np.log(total)


@exercise(
    "many-modalities",
    "A product of experts",
    "standard",
    10,
    "Rows of `means` and `log_vars` are experts. Multiply their Gaussians and the standard normal "
    "prior. Return mean and log-variance of the product.",
    "Precisions add, the prior's is 1, and each mean weighs as much as its expert is sure.",
    lambda rng, size: (rng.normal(0, 2, (size + 1, 2)), rng.normal(0, 1, (size + 1, 2))),
    {
        "The prior is missing: it adds 1 to the precision.": (lambda m, v: _product(m, v, 0.0)),
        "You return the variance. Return its logarithm.": (
            lambda m, v: (_product(m, v)[0], np.exp(_product(m, v)[1]))
        ),
        "You take the plain mean of the means. Weigh them by their precisions.": (
            lambda m, v: (m.mean(0), _product(m, v)[1])
        ),
        "You weigh by the variances: the unsure expert then speaks loudest.": (
            lambda m, v: ((np.exp(v) * m).sum(0) / (1 + np.exp(v).sum(0)), _product(m, v)[1])
        ),
        "The sign of the log-variance is wrong: that is the log-precision.": (
            lambda m, v: (_product(m, v)[0], -_product(m, v)[1])
        ),
    },
)
def product_of_experts(means, log_vars):
    precisions = np.exp(-log_vars)
    total = 1 + precisions.sum(axis=0)
    return (precisions * means).sum(axis=0) / total, -np.log(total)


@exercise(
    "many-modalities",
    "Pool a clip",
    "warm-up",
    5,
    "`descriptors` has shape (clips, frames, numbers). Return one descriptor for each clip: the "
    "mean over its frames.",
    "What stays the same over time survives the mean; what moves is averaged away.",
    lambda rng, size: (rng.normal(0, 1, (2, 2 + size, 3)),),
    {
        "You take the maximum over the frames.": (lambda d: d.max(1)),
        "You take the sum. Long clips would then lie far out.": (lambda d: d.sum(1)),
        "You return the first frame only.": (lambda d: d[:, 0]),
        "You return the median over the frames.": (lambda d: np.median(d, axis=1)),
    },
)
def pool_clip(descriptors):
    return descriptors.mean(axis=1)


# -- 9. Interpretability --------------------------------------------------------------------------


@exercise(
    "interpretability",
    "Shares of a distance",
    "warm-up",
    5,
    "Return, for each latent dimension, its share of the squared distance between `query` and "
    "`match`. The shares add up to 1.",
    "A squared distance is a sum over dimensions, so it can be divided among them exactly.",
    lambda rng, size: (rng.normal(0, 1, size + 2), rng.normal(1, 1, size + 2)),
    {
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
    "interpretability",
    "A distance without some dimensions",
    "standard",
    5,
    "Return the squared distance between `query` and `match` with the dimensions listed in "
    "`deleted` left out.",
    "Deleting a dimension means that it no longer counts for anybody, neither for the match nor "
    "for its rivals.",
    lambda rng, size: (
        rng.normal(0, 1, size + 3),
        rng.normal(0, 1, size + 3),
        rng.permutation(size + 3)[:2],
    ),
    {
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


# -- 10. Beyond one machine -----------------------------------------------------------------------


def _shards(rng, size):
    n, k = 3, 3 + size
    distances = np.sort(rng.permutation(n * k).reshape(n, k) + rng.random(), axis=1)
    return distances, rng.permutation(n * k).reshape(n, k), k


@exercise(
    "beyond-one-machine",
    "Merge the answers of several machines",
    "standard",
    10,
    "Each machine searched its own part of the gallery. Row `i` of `distances` and `ids` holds the "
    "`k` nearest of machine `i`, nearest first. Return the ids of the `k` nearest of all.",
    "The nearest k of the whole are among the nearest k of the parts, so merging loses nothing.",
    _shards,
    {
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
    "beyond-one-machine",
    "Bytes of a gallery",
    "warm-up",
    5,
    "How many bytes do the descriptors of `n_images` images take, `latent_dim` numbers each, "
    "`bits` bits a number?",
    "Images times numbers times bits, and eight bits are a byte. For one bit a number this is the "
    "size of a binary code.",
    lambda rng, size: (int(rng.integers(2, 50 * size)), 8 * int(rng.integers(1, 5)), 2**size),
    {
        "You return bits. Eight of them are a byte.": (lambda n, d, b: n * d * b),
        "You count one number for each image.": (lambda n, d, b: n * b // 8),
        "You return kilobytes. The bytes were asked for.": (lambda n, d, b: n * d * b / 8 / 1000),
        "You assume floats of 32 bits whatever bits says.": (lambda n, d, b: n * d * 4),
    },
)
def gallery_bytes(n_images, latent_dim, bits):
    return n_images * latent_dim * bits // 8
