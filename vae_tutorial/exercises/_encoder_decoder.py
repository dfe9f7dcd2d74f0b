"""The exercises of the page Encoder and decoder."""

import functools

import numpy as np

from vae_tutorial.exercises._bank import exercise, seen
from vae_tutorial.exercises._trial import written
from vae_tutorial.notebook import read_results

PAGE = "encoder-decoder"


def _grey_levels(rng, size):
    logits = rng.normal(0, 3, (2, size + 1, 3))
    levels = rng.integers(0, 3, (2, size + 1))
    logits[0, 0, 0], levels[0, 0] = 800.0, 1  # sure, and wrong
    logits[1, -1, 2] = -800.0
    return levels, logits


def _log_softmax(u, axis=-1):
    largest = u.max(axis, keepdims=True)
    return u - largest - np.log(np.exp(u - largest).sum(axis, keepdims=True))


def _chosen(values, levels):
    return np.take_along_axis(values, levels[..., None], -1)[..., 0]


def _softmax(u):
    largest = u.max(-1, keepdims=True)
    return np.exp(u - largest) / np.exp(u - largest).sum(-1, keepdims=True)


def _one_hot(levels, u):
    return levels[..., None] == np.arange(u.shape[-1])


@exercise(
    PAGE,
    title="A log-likelihood of grey levels, from logits",
    level="harder",
    minutes=15,
    statement=(
        "A pixel need not be black or white. Let it have one of several grey levels, counted "
        "from 0; the decoder puts out a logit $\\ell_c$ for each, and the probability of level "
        "$c$ is the *softmax* $e^{\\ell_c} / \\sum_j e^{\\ell_j}$. From the `levels` (images, "
        "pixels) and the `logits` (images, pixels, number of levels), as large as 800 in size, "
        "return $\\log p(x \\mid z)$ of each image, summed over its pixels."
    ),
    example=(
        "categorical_log_likelihood(np.array([[0, 2]]), "
        "np.array([[[0.0, 0.0, 0.0], [0.0, 0.0, 800.0]]]))"
    ),
    cases=(
        "categorical_log_likelihood(np.array([[1]]), np.array([[[0.0, 0.0]]]))",
        "categorical_log_likelihood(np.array([[0]]), np.array([[[800.0, 0.0]]]))",
        "categorical_log_likelihood(np.array([[1]]), np.array([[[800.0, 0.0]]]))",
        "categorical_log_likelihood(np.array([[1, 0]]), np.array([[[1.0, 3.0], [2.0, 0.0]]]))",
        "categorical_log_likelihood(np.array([[2, 0], [1, 1]]), np.array([[[1.0, 2.0, 3.0], "
        "[0.0, 1.0, 0.0]], [[2.0, 0.0, 0.0], [0.0, 0.0, -800.0]]]))",
    ),
    why=(
        "The logarithm of a softmax is the logit of the level minus the logarithm of the sum of "
        "all exponentials. With the largest logit taken out of that sum, no number overflows."
    ),
    reasoning=(
        "The logarithm turns the quotient into a difference: $\\log p = \\ell_c - \\log \\sum_j "
        "e^{\\ell_j}$, and no probability appears that could round to 0. For the second term "
        "pull the largest logit $m$ out: $\\log \\sum_j e^{\\ell_j} = m + \\log \\sum_j "
        "e^{\\ell_j - m}$. No exponent is positive, and one of the terms is 1. "
        "`np.take_along_axis` picks the logit of the level that each pixel has. For two levels "
        "with the logits 0 and $\\ell$ this is the page's formula for a Bernoulli pixel, $x\\,"
        "\\ell - \\log(1 + e^\\ell)$. A pixel that is surely wrong costs its 800 nats."
    ),
    hints=(
        "Do as the page did for a black or white pixel: write the logarithm of the probability "
        "so that the probability itself does not occur.",
        "The logarithm of a quotient is a difference: the logit of the pixel's own level, minus "
        "the logarithm of the sum of all exponentials. In that sum 800 overflows, so take the "
        "largest logit of the pixel out of it, and add it back outside the logarithm.",
        "`chosen = np.take_along_axis(logits, levels[..., np.newaxis], axis=-1)[..., 0]`. From "
        "it subtract the maximum over the last axis, and the logarithm of the sum of "
        "`np.exp(logits - maximum)` over that axis. Then sum over the pixels.",
    ),
    draw=_grey_levels,
    mistakes={
        "You take the mean over the pixels. The log-likelihood of an image is the sum.": (
            lambda x, u: _chosen(_log_softmax(u), x).mean(-1)
        ),
        "You return the loss. The log-likelihood has the opposite sign.": (
            lambda x, u: -_chosen(_log_softmax(u), x).sum(-1),
            lambda x, u: -_chosen(_log_softmax(u), x).mean(-1),
        ),
        "You take the exponential of the logits as they are: exp(800) is infinite. Take the "
        "largest out first.": (
            lambda x, u: _chosen(np.log(np.exp(u) / np.exp(u).sum(-1, keepdims=True)), x).sum(-1),
            lambda x, u: (_chosen(u, x) - np.log(np.exp(u).sum(-1))).sum(-1),
        ),
        "You compute the softmax first. A probability that has rounded to 0 has no logarithm: "
        "subtract logarithms in place of dividing.": (
            lambda x, u: np.log(_chosen(_softmax(u), x)).sum(-1),
            lambda x, u: np.log(_chosen(_softmax(u), x).prod(-1)),
        ),
        "You leave out the normalisation: the logarithm of the sum is subtracted.": (
            lambda x, u: _chosen(u, x).sum(-1)
        ),
        "You put the largest logit where the logarithm of the sum belongs. They agree only where "
        "one level is sure.": (lambda x, u: (_chosen(u, x) - u.max(-1)).sum(-1)),
        "You take the mean of the exponentials. Probabilities then do not add up to 1: sum.": (
            lambda x, u: (_chosen(_log_softmax(u), x) + np.log(u.shape[-1])).sum(-1)
        ),
        "You count the levels from 1. The first is 0.": (
            lambda x, u: _chosen(_log_softmax(u), x - 1).sum(-1)
        ),
        "You score the likeliest level. Score the one that the pixel has.": (
            lambda x, u: _log_softmax(u).max(-1).sum(-1)
        ),
        "You add up all levels. Pick the one that the pixel has.": (
            lambda x, u: _log_softmax(u).sum((-1, -2)),
            lambda x, u: _log_softmax(u).mean(-1).sum(-1),
        ),
        "You normalise over the pixels. Each pixel has a softmax of its own, over the last axis.": (
            lambda x, u: _chosen(_log_softmax(u, 1), x).sum(-1),
            lambda x, u: _chosen(_log_softmax(u, 0), x).sum(-1),
            lambda x, u: (
                _chosen(u, x) - u.max() - np.log(np.exp(u - u.max()).sum((-1, -2)))[:, None]
            ).sum(-1),
        ),
        "You give each level a sigmoid of its own. Their probabilities must add up to 1.": (
            lambda x, u: (_one_hot(x, u) * u - np.logaddexp(0, u)).sum((-1, -2)),
            lambda x, u: _chosen(-np.logaddexp(0, -u), x).sum(-1),
            lambda x, u: np.log(_chosen(1 / (1 + np.exp(-np.clip(u, -30, 30))), x)).sum(-1),
            lambda x, u: np.log(_chosen(1 / (1 + np.exp(-u)), x)).sum(-1),
        ),
        "You take the largest logit out of the sum and forget it. Add it back, outside the "
        "logarithm.": (
            lambda x, u: (_chosen(u, x) - np.log(np.exp(u - u.max(-1, keepdims=True)).sum(-1))).sum(
                -1
            )
        ),
        "You count pixels whose likeliest level is right. Return the logarithm of a probability.": (
            lambda x, u: (u.argmax(-1) == x).sum(-1),
            lambda x, u: (u.argmax(-1) == x).mean(-1),
        ),
        "You return the probability. In an image of many pixels it rounds to 0: return its "
        "logarithm.": (
            lambda x, u: np.exp(_chosen(_log_softmax(u), x).sum(-1)),
            lambda x, u: _chosen(_softmax(u), x).sum(-1),
        ),
        "Your logarithm has base 2. In nats it is the natural one.": (
            lambda x, u: _chosen(_log_softmax(u), x).sum(-1) / np.log(2)
        ),
        "You sum over axis 0, the images. Sum over the pixels, the last axis.": (
            lambda x, u: _chosen(_log_softmax(u), x).sum(0)
        ),
        "You clip, or add a small number inside the logarithm. That caps the cost of a pixel that "
        "is surely wrong.": seen(
            lambda want, got, x, u: (
                np.abs(u).max() >= 20 and np.isfinite(got).all() and (got >= want - 1e-2).all()
            )
        ),
        "You use the levels as weights. A level says which logarithm counts, not how much.": (
            lambda x, u: (x * _log_softmax(u).max(-1)).sum(-1),
            lambda x, u: (x[..., None] * _log_softmax(u)).sum((-1, -2)),
            lambda x, u: (x * _chosen(_log_softmax(u), x)).sum(-1),
        ),
        "Your index pairs every pixel with every level. Each pixel has its own: "
        "np.take_along_axis.": (
            lambda x, u: _log_softmax(u)[:, :, x].sum((1, 2)),
            lambda x, u: _log_softmax(u)[:, :, x],
            lambda x, u: _log_softmax(u)[..., x].sum(-1),
        ),
        "You take one maximum for all pixels. Where another is much larger, a pixel's sum becomes "
        "0: axis=-1.": (
            lambda x, u: (_chosen(u - u.max(), x) - np.log(np.exp(u - u.max()).sum(-1))).sum(-1),
        ),
        "You multiply logarithms. They add up, because probabilities multiply.": (
            lambda x, u: _chosen(_log_softmax(u), x).prod(-1),
        ),
        "You add probabilities before the logarithm. Take the logarithm of each pixel's first.": (
            lambda x, u: np.log(_chosen(_softmax(u), x).sum(-1)),
            lambda x, u: np.log(_chosen(_softmax(u), x).mean(-1)),
        ),
        "You divide the logits by their sum. Take exponentials first: logits may be negative.": (
            lambda x, u: np.log(_chosen(u / u.sum(-1, keepdims=True), x)).sum(-1),
        ),
    },
)
def categorical_log_likelihood(levels, logits):
    chosen = np.take_along_axis(logits, levels[..., np.newaxis], axis=-1)[..., 0]
    largest = logits.max(axis=-1)
    log_sum = largest + np.log(np.exp(logits - largest[..., np.newaxis]).sum(axis=-1))
    return (chosen - log_sum).sum(axis=-1)


def _size(x, m):
    return np.abs(x - m)


@exercise(
    PAGE,
    title="A likelihood that forgives large errors",
    level="standard",
    minutes=10,
    statement=(
        "A Gaussian charges the square of an error, so a few wild pixels rule the training. A "
        "*Laplace* distribution has the density $\\frac{1}{2b}\\, e^{-|x - \\mu| / b}$. Return "
        "the log-likelihood of each row, summed over its pixels, with one `log_scale` $\\log b$ "
        "for all pixels."
    ),
    example="laplace_log_likelihood(np.array([[0.0, 1.0]]), np.zeros((1, 2)), 0.0)",
    cases=(
        "laplace_log_likelihood(np.array([[3.0]]), np.array([[1.0]]), 0.0)",
        "laplace_log_likelihood(np.array([[0.0, 0.0], [1.0, 4.0]]), "
        "np.array([[0.0, 2.0], [1.0, 1.0]]), 1.0)",
        "laplace_log_likelihood(np.array([[0.0, 3.0]]), np.array([[2.0, 1.0]]), -1.0)",
    ),
    why=(
        "Three terms a pixel, as for the Gaussian: a constant, the price of a wide scale, and "
        "the size of the error in units of that scale."
    ),
    reasoning=(
        "The logarithm of the density is $-\\log 2 - \\log b - |x - \\mu| / b$ for each pixel, "
        "and $b = e^{\\log b}$. Given $z$, pixels are independent, so an image's log-likelihood "
        "is their sum, in which each pixel brings all three terms. Without the second a model "
        "could excuse every error by a large $b$. The third has the same slope however large the "
        "error: a pixel that is off by 10 pulls no harder than one that is off by 1, and the best "
        "$\\mu$ is a median, not a mean."
    ),
    hints=(
        "The density is a product, and its logarithm a sum of three terms. Take the logarithm "
        "for one pixel on paper first.",
        "The three are minus log 2, minus log b, and minus the size of the error divided by b. "
        "Each pixel brings all three, also those in which no x stands; b itself is the "
        "exponential of `log_scale`.",
        "Add `np.log(2)`, `log_scale` and `np.abs(x - mean) / np.exp(log_scale)`, pixel by "
        "pixel. Sum over the last axis, and turn the sign round.",
    ),
    draw=lambda rng, size: (
        rng.random((2, size + 1)),
        rng.random((2, size + 1)),
        rng.normal(-1, 1),
    ),
    mistakes={
        "The term log_scale is missing: the price of a wide scale.": (
            lambda x, m, s: -(np.log(2) + _size(x, m) / np.exp(s)).sum(-1)
        ),
        "The constant log 2 is missing. It does not change the training, but the result is then "
        "no log-likelihood.": (lambda x, m, s: -(s + _size(x, m) / np.exp(s)).sum(-1)),
        "You take the mean over the pixels. The log-likelihood of an image is the sum.": (
            lambda x, m, s: -(np.log(2) + s + _size(x, m) / np.exp(s)).mean(-1)
        ),
        "The sign is wrong: a large error must make the log-likelihood small.": (
            lambda x, m, s: (np.log(2) + s + _size(x, m) / np.exp(s)).sum(-1),
            lambda x, m, s: (-np.log(2) - s + _size(x, m) / np.exp(s)).sum(-1),
        ),
        "You square the error. A Laplace distribution charges its size.": (
            lambda x, m, s: -(np.log(2) + s + (x - m) ** 2 / np.exp(s)).sum(-1),
            lambda x, m, s: -(np.log(2) + s + ((x - m) / np.exp(s)) ** 2).sum(-1),
        ),
        "You divide by log_scale itself. The scale is its exponential.": (
            lambda x, m, s: -(np.log(2) + s + _size(x, m) / s).sum(-1),
            lambda x, m, s: -(np.log(2) + np.log(s) + _size(x, m) / s).sum(-1),
            lambda x, m, s: -(np.log(2 * s) + _size(x, m) / s).sum(-1),
        ),
        "Errors of opposite sign cancel. Take the absolute value of each, before the sum.": (
            lambda x, m, s: -(np.log(2) + s + (x - m) / np.exp(s)).sum(-1),
            lambda x, m, s: -(np.log(2) + s + (m - x) / np.exp(s)).sum(-1),
            lambda x, m, s: -np.abs((x - m).sum(-1)) / np.exp(s) - x.shape[-1] * (np.log(2) + s),
        ),
        "That is the Gaussian's log-likelihood.": (
            lambda x, m, s: -0.5 * (np.log(2 * np.pi) + s + (x - m) ** 2 / np.exp(s)).sum(-1),
            lambda x, m, s: (
                -0.5 * (np.log(2 * np.pi) + 2 * s + (x - m) ** 2 / np.exp(2 * s)).sum(-1)
            ),
        ),
        "There is a factor one half too many. It belongs to the Gaussian.": (
            lambda x, m, s: -0.5 * (np.log(2) + s + _size(x, m) / np.exp(s)).sum(-1),
            lambda x, m, s: -(np.log(2) + 0.5 * s + _size(x, m) / np.exp(s)).sum(-1),
            lambda x, m, s: -(np.log(2) + s + 0.5 * _size(x, m) / np.exp(s)).sum(-1),
            lambda x, m, s: -(0.5 * (np.log(2) + s) + _size(x, m) / np.exp(s)).sum(-1),
        ),
        "You read log_scale as the logarithm of a variance. It is that of the scale b.": (
            lambda x, m, s: -(np.log(2) + s / 2 + _size(x, m) / np.exp(s / 2)).sum(-1),
            lambda x, m, s: -(np.log(2) + s + _size(x, m) / np.exp(s / 2)).sum(-1),
            lambda x, m, s: -(np.log(2) + s + _size(x, m) / np.exp(2 * s)).sum(-1),
        ),
        "You count log_scale, or log 2, once for the image. Each pixel brings both.": (
            lambda x, m, s: -(np.log(2) + _size(x, m) / np.exp(s)).sum(-1) - s,
            lambda x, m, s: -(s + _size(x, m) / np.exp(s)).sum(-1) - np.log(2),
            lambda x, m, s: -(_size(x, m) / np.exp(s)).sum(-1) - s - np.log(2),
        ),
        "You multiply the error by the scale. Divide by it.": (
            lambda x, m, s: -(np.log(2) + s + _size(x, m) * np.exp(s)).sum(-1)
        ),
        "The price of the scale, log_scale, has the wrong sign.": (
            lambda x, m, s: -(np.log(2) - s + _size(x, m) / np.exp(s)).sum(-1)
        ),
        "You take 2 itself, or add log 2 with the wrong sign. The logarithm of 1 / 2 belongs "
        "there.": (
            lambda x, m, s: -(2 + s + _size(x, m) / np.exp(s)).sum(-1),
            lambda x, m, s: -(-np.log(2) + s + _size(x, m) / np.exp(s)).sum(-1),
        ),
        "You return the error. It is one of three terms.": (
            lambda x, m, s: _size(x, m).sum(-1),
            lambda x, m, s: -_size(x, m).sum(-1),
            lambda x, m, s: -_size(x, m).sum(-1) / np.exp(s),
        ),
        "You return the density. Its logarithm was asked for.": (
            lambda x, m, s: np.exp(-(np.log(2) + s + _size(x, m) / np.exp(s)).sum(-1)),
            lambda x, m, s: (np.exp(-_size(x, m) / np.exp(s)) / (2 * np.exp(s))).sum(-1),
        ),
        "You sum over axis 0, the rows. Sum over the pixels, the last axis.": (
            lambda x, m, s: -(np.log(2) + s + _size(x, m) / np.exp(s)).sum(0)
        ),
        "The logarithm of 2b has the wrong sign: a wide scale spreads the density thin.": (
            lambda x, m, s: (np.log(2) + s - _size(x, m) / np.exp(s)).sum(-1),
        ),
        "You do not divide the error by the scale.": (
            lambda x, m, s: -(np.log(2) + s + _size(x, m)).sum(-1),
        ),
        "Your logarithm has base 2. In nats it is the natural one.": (
            lambda x, m, s: -(np.log2(2 * np.exp(s)) + _size(x, m) / np.exp(s)).sum(-1),
        ),
        "You subtract the scale itself. Its logarithm belongs there.": (
            lambda x, m, s: -(2 * np.exp(s) + _size(x, m) / np.exp(s)).sum(-1),
            lambda x, m, s: -(np.log(2) + np.exp(s) + _size(x, m) / np.exp(s)).sum(-1),
        ),
        "You take a logarithm of the error. The exponential and the logarithm cancel: the error "
        "stays.": (
            lambda x, m, s: (np.log(-_size(x, m) / np.exp(s)) - np.log(2) - s).sum(-1),
            lambda x, m, s: -(np.log(2) + s + np.log(_size(x, m) / np.exp(s))).sum(-1),
        ),
    },
)
def laplace_log_likelihood(x, mean, log_scale):
    size = np.abs(x - mean) / np.exp(log_scale)
    return -(np.log(2) + log_scale + size).sum(axis=-1)


@exercise(
    PAGE,
    title="Parameters of a convolution",
    level="warm-up",
    minutes=5,
    statement=(
        "How many parameters has a convolution with square kernels of side `kernel`, from "
        "`channels` channels to `filters` filters, with biases?"
    ),
    example="convolution_parameters(3, 1, 32)",
    cases=(
        "convolution_parameters(1, 1, 1)",
        "convolution_parameters(3, 2, 4)",
        "convolution_parameters(2, 5, 3)",
    ),
    why=(
        "Each filter looks at a kernel x kernel patch of every channel and has one bias. The "
        "size of the image does not matter."
    ),
    reasoning=(
        "One filter sees a patch of `kernel` by `kernel` pixels in all `channels` at once, so "
        "it has `kernel * kernel * channels` weights, and one bias. There are `filters` of "
        "them. The same filter slides over the whole image; that is weight sharing, and it is "
        "why neither height nor width occurs in the formula. A dense layer, in contrast, has a "
        "weight for every pair of an input and an output."
    ),
    hints=(
        "Think of one filter. Which numbers of the image does it look at in one place, and which "
        "numbers of its own does it need for that?",
        "It looks at a square patch of every channel at once, with a weight for each number that "
        "it sees, and adds one bias. It is the same filter in every place of the image, so the "
        "image's size plays no part.",
        "Multiply: `kernel` twice, `channels` once. Add 1 for the bias, and take that as often "
        "as there are filters.",
    ),
    draw=lambda rng, size: tuple(int(v) for v in rng.integers(2, 3 + size, 3)),
    mistakes={
        "The biases are missing: one for each filter.": (lambda k, c, f: k * k * c * f),
        "The kernel is square: its side counts twice.": (lambda k, c, f: k * c * f + f),
        "Each filter reads all channels: multiply by them.": (lambda k, c, f: k * k * f + f),
        "You count one bias for each channel. There is one for each filter.": (
            lambda k, c, f: k * k * c * f + c,
            lambda k, c, f: k * k * f + c,
        ),
        "You count one bias for each pair of a filter and a channel. A filter has one.": (
            lambda k, c, f: (k * k + 1) * c * f
        ),
        "You count a single bias. There is one for each filter.": lambda k, c, f: k * k * c * f + 1,
        "You add channels and filters. Each filter has weights for every channel: multiply.": (
            lambda k, c, f: k * k * (c + f) + f,
            lambda k, c, f: k * k * (c + f),
            lambda k, c, f: (k * k + c) * f,
            lambda k, c, f: (k * k + c) * f + f,
            lambda k, c, f: k**2 + c * f + f,
        ),
        "You count one filter. There are several: multiply by their number.": (
            lambda k, c, f: k * k * c + 1,
            lambda k, c, f: k * k * c + f,
            lambda k, c, f: k * k * c,
        ),
        "You double the side of the kernel. Square it.": lambda k, c, f: 2 * k * c * f + f,
        "You count everything twice, or subtract the biases. Add one for each filter.": (
            lambda k, c, f: 2 * k * k * c * f,
            lambda k, c, f: 2 * (k * k * c * f + f),
            lambda k, c, f: k * k * c * f - f,
            lambda k, c, f: k * k * c * f + 2 * f,
        ),
        "You cube the side of the kernel. It is square: its side counts twice.": (
            lambda k, c, f: k**3 * c * f + f
        ),
        "You count a bias for each place of the kernel. A filter has one.": (
            lambda k, c, f: k * k * c * f + k * k * f,
            lambda k, c, f: k * k * c * f + k * k,
            lambda k, c, f: k * k * c * f + k,
            lambda k, c, f: k * k * c * f + k * f,
        ),
        "You raise to a power where you should multiply. Only the side of the kernel is squared.": (
            lambda k, c, f: k**c * f + f,
            lambda k, c, f: (k * c) ** 2 * f + f,
            lambda k, c, f: k**2 * c**f + f,
            lambda k, c, f: (k * c * f) ** 2 + f,
        ),
        "You count the places of the image. The same weights serve in all of them.": (
            lambda k, c, f: k * k * c * f * 28 * 28 + f,
            lambda k, c, f: (k * k * c * f + f) * 28 * 28,
        ),
    },
)
def convolution_parameters(kernel, channels, filters):
    return kernel * kernel * channels * filters + filters


@functools.cache
def _recorded() -> dict[int, list]:
    """Return the curves of the stored trainings, by the number of their fault."""
    runs: dict[int, list] = {}
    for run in read_results("faults")["rows"]:
        runs.setdefault(run["fault"], []).append([run["reconstruction"], run["kl"]])
    return runs


def _curves(rng, size):
    """Return the first epochs of a stored training with fault ``size`` modulo 7."""
    runs = _recorded()[size % 7]
    return _begun(runs[rng.integers(len(runs))], int(rng.integers(6, 10)))


def _begun(curves, epochs, decimals=2):
    return tuple(np.round(curve[:epochs], decimals) for curve in curves)


def _case(fault, run=0, decimals=2):
    """Return the call about the first epochs of a stored training."""
    return written("name_the_fault", _begun(_recorded()[fault][run], 5, decimals))


def _only(fault):
    """Return the mistake of an answer whose wrong results are all for one fault."""
    return seen(lambda want, got, reconstruction, kl: want == fault)


def _taken_for(got_wrong, *faults):
    """Return the mistake of an answer that takes these faults for another one."""
    return seen(lambda want, got, reconstruction, kl: want in faults and got == got_wrong)


@exercise(
    PAGE,
    title="Six faults and their curves",
    level="harder",
    minutes=20,
    statement=(
        "The table under *Faults, seen from outside* shows one training of each kind; the check "
        "has others, from other seeds and after fewer epochs. Each left the two terms of the loss "
        "on unseen digits, in nats an image: `reconstruction` and `kl`, before the first step and "
        "after every epoch. Tell from "
        "the two curves what happened, and return its number: 0, all is well; 1, the "
        "reconstruction term is the *mean* over the pixels; 2, the KL divergence was not added "
        "to the loss; 3, every posterior has become the prior; 4, the learning rate is too "
        "large; 5, the optimiser was given the ELBO in place of the loss; 6, the weights were "
        "never changed."
    ),
    example=_case(0, decimals=1),
    cases=tuple(_case(fault, run=1) for fault in range(7)),
    why=(
        "Two values are known before training, and a third after it: what the average digit costs. "
        "Where a curve starts, where it ends and how kl got there tell the six faults apart."
    ),
    reasoning=(
        "An untrained decoder tosses a coin for each pixel, which costs about $784 \\log 2$ nats. "
        "A curve that starts below 1 has been divided by 784: a mean (1). One that ends where it "
        "started has not been trained (6). One that ends higher was pushed the wrong way (5). The "
        "others have fallen, and then `kl` decides. Near 0, the latents say nothing, and every "
        "image is drawn as the average digit (3). Large, there are two ways. Where nobody charges "
        "for it, it grows from epoch to epoch, and the reconstruction falls further than that of "
        "the sound training (2). Steps that are too long throw it to thousands in the first epoch; "
        "from there it creeps down, while the reconstruction stays at the average digit (4). Order "
        "matters: a mean drives `kl` to 0 as well, and so it is asked for first."
    ),
    hints=(
        "Look at the table column by column. Which column tells one fault from all others? Take "
        "that fault out first, then look at what is left.",
        "The start tells the mean. The end of the reconstruction, compared with its start, tells "
        "two more: it has not moved, or it has risen. For what is left look at the end of kl: near "
        "0, moderate, large. Two faults make it large; in one it rises, in the other it falls.",
        "It is 1 if `reconstruction[0]` is below 10. With `change = reconstruction[-1] - "
        "reconstruction[0]` it is 6 if the size of `change` is below 10, and 5 if it is positive. "
        "What is left depends on kl: 3 if `kl[-1]` is below 1, 0 if it is below 50; else 2 or 4, "
        "by whether `kl[-1]` is above `kl[1]`.",
    ),
    draw=_curves,
    mistakes={
        "You take any rise of a curve for a fault. Each epoch draws other noise, so a curve that "
        "has settled trembles: ask for more than a nat.": _taken_for(4, 0, 3, 6),
        "You are wrong only where the reconstruction is a mean. Its kl ends near 0 too; what tells "
        "it is the start, at log 2 in place of 784 log 2.": _only(1),
        "You are wrong only where every posterior has become the prior. The reconstruction falls "
        "there as well, but kl ends at 0.": _only(3),
        "You are wrong only where the KL divergence was not added. Nobody charges for it, so it "
        "rises to hundreds of nats.": _only(2),
        "You are wrong only where all is well. There reconstruction falls in every epoch, and kl "
        "rises to a few nats.": _only(0),
        "You are wrong only where the learning rate is too large. It throws kl to thousands in the "
        "first epoch; then kl falls, and the reconstruction does not.": _only(4),
        "You are wrong only where the optimiser was given the ELBO. It minimises what should be "
        "maximised, and the reconstruction rises in every epoch.": _only(5),
        "You are wrong only where the weights were never changed. Both curves move by a nat at "
        "most, because each epoch draws other noise.": _only(6),
        "You name the same fault whatever the curves are.": tuple(
            lambda reconstruction, kl, fault=fault: fault for fault in range(7)
        ),
        "You look at kl alone. A mean, a collapse and weights that never change all leave it near "
        "0: look at the reconstruction first.": (
            lambda reconstruction, kl: 3 if kl[-1] < 1 else 2 if kl[-1] > 100 else 0
        ),
        "You ask for a small kl first. A mean and weights that never change leave it near 0 as "
        "well: look at the reconstruction before.": _taken_for(3, 1, 6),
        "You look at kl before the first step, where it is near 0 in every training. Look at its "
        "end.": _taken_for(3, 0, 2, 4),
        "You have exchanged 2 and 3. Without its price kl grows; where it is 0, every posterior "
        "has become the prior.": seen(lambda want, got, r, kl: {int(want), int(got)} == {2, 3}),
        "You look at the first and last epoch of the reconstruction alone. What kl does in between "
        "tells the others apart.": (
            lambda reconstruction, kl: 5 if reconstruction[-1] > reconstruction[0] else 0
        ),
    },
)
def name_the_fault(reconstruction, kl):
    change = reconstruction[-1] - reconstruction[0]
    if reconstruction[0] < 10:
        return 1
    if abs(change) < 10:
        return 6
    if change > 0:
        return 5
    if kl[-1] < 1:
        return 3
    if kl[-1] < 50:
        return 0
    return 2 if kl[-1] > kl[1] else 4
