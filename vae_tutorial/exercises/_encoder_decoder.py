"""The exercises of the page Encoder and decoder."""

import numpy as np

from vae_tutorial.exercises._bank import exercise, seen

PAGE = "encoder-decoder"


def _pixels(rng, size):
    logits = rng.normal(0, 3, (2, size + 1))
    logits[0, 0], logits[1, -1] = 800.0, -800.0
    x = rng.choice([0.0, 0.25, 0.75, 1.0], logits.shape)  # grey pixels too
    x[0, 0] = 0.0  # sure, and wrong
    return x, logits


def _probability(u):
    return 1 / (1 + np.exp(-u))


# The formula with p, as it is written and as some round it.
_naive = [
    lambda x, u: (x * np.log(_probability(u)) + (1 - x) * np.log(1 - _probability(u))).sum(-1),
    lambda x, u: np.log(_probability(u) ** x * (1 - _probability(u)) ** (1 - x)).sum(-1),
    lambda x, u: np.where(x, np.log(_probability(u)), np.log(1 - _probability(u))).sum(-1),
    lambda x, u: (
        x * np.log(np.exp(u) / (1 + np.exp(u))) + (1 - x) * np.log(1 / (1 + np.exp(u)))
    ).sum(-1),
    lambda x, u: (x * np.log(_probability(u)) + (1 - x) * np.log(_probability(-u))).sum(-1),
    lambda x, u: np.log(x * _probability(u) + (1 - x) * (1 - _probability(u))).sum(-1),
]


@exercise(
    PAGE,
    title="A Bernoulli log-likelihood that survives p = 0 and p = 1",
    level="harder",
    minutes=15,
    statement=(
        "Return $\\log p(x \\mid z)$ of each row, summed over its pixels, from `logits` as "
        "large as 800 in size. Pixels `x` lie between 0 and 1, and grey ones count as they are. "
        "Computing $p$ first would round it to 0 or 1."
    ),
    example="bernoulli_log_likelihood(np.array([[1.0, 0.0]]), np.array([[0.0, -800.0]]))",
    cases=(
        "bernoulli_log_likelihood(np.array([[0.5]]), np.array([[2.0]]))",
        "bernoulli_log_likelihood(np.array([[0.25, 0.75]]), np.array([[-3.0, 1.0]]))",
        "bernoulli_log_likelihood(np.array([[1.0, 0.0]]), np.array([[1.0, 1.0]]))",
        "bernoulli_log_likelihood(np.array([[0.0]]), np.array([[800.0]]))",
    ),
    why=(
        "In terms of the logit l the log-likelihood is x l - log(1 + exp(l)), and "
        "np.logaddexp(0, l) computes the last term for any l."
    ),
    reasoning=(
        "With $p = 1 / (1 + e^{-l})$ we have $\\log p = l - \\log(1 + e^l)$ and $\\log(1 - p) = "
        "-\\log(1 + e^l)$. Put both into $x \\log p + (1 - x) \\log(1 - p)$: the same logarithm "
        "stands in both, and $x\\,l - \\log(1 + e^l)$ is left. `np.logaddexp(0, l)` is "
        "$\\log(e^0 + e^l)$ with the larger exponent taken out, so that 800 does not overflow. "
        "A pixel that is surely wrong then costs its 800 nats. A small number inside the "
        "logarithm would cap that cost, and with it the gradient that mends the pixel."
    ),
    draw=_pixels,
    mistakes={
        "You take the mean over the pixels. The log-likelihood of an image is the sum.": (
            lambda x, u: (x * u - np.logaddexp(0, u)).mean(-1)
        ),
        "You return the loss. The log-likelihood has the opposite sign.": (
            lambda x, u: -(x * u - np.logaddexp(0, u)).sum(-1),
            lambda x, u: -(x * u - np.logaddexp(0, u)).mean(-1),
        ),
        "You clip or add a small number inside the logarithm. That caps the cost: a pixel that is "
        "surely wrong by 800 nats then costs some 16.": seen(
            lambda want, got, x, u: (
                np.abs(u).max() >= 20 and np.isfinite(got).all() and (got >= want - 1e-2).all()
            )
        ),
        "Your logarithm has base 2. In nats it is the natural one.": (
            lambda x, u: (x * u - np.logaddexp(0, u)).sum(-1) / np.log(2)
        ),
        "You count only the white pixels: the term (1 - x) log(1 - p) is missing.": (
            lambda x, u: (x * (u - np.logaddexp(0, u))).sum(-1)
        ),
        "You round grey pixels to black or white. A pixel of 0.5 counts half for each.": (
            lambda x, u: (np.round(x) * u - np.logaddexp(0, u)).sum(-1),
            lambda x, u: ((x > 0) * u - np.logaddexp(0, u)).sum(-1),
            lambda x, u: ((x >= 0.5) * u - np.logaddexp(0, u)).sum(-1),
            lambda x, u: ((x == 1) * u - np.logaddexp(0, u)).sum(-1),
            lambda x, u: np.where(
                x == 1, -np.logaddexp(0, -u), np.where(x, 0, -np.logaddexp(0, u))
            ).sum(-1),
        ),
        "You compute p first. In floating point a sure p is 0 or 1, and its logarithm infinite or "
        "NaN.": tuple(_naive),
        "You count only the black pixels: the term x log(p) is missing.": (
            lambda x, u: ((1 - x) * -np.logaddexp(0, u)).sum(-1)
        ),
        "Your exp overflows at 800. np.logaddexp(0, logits) takes the larger exponent out.": (
            lambda x, u: (x * u - np.log(1 + np.exp(u))).sum(-1),
            lambda x, u: (u - x * u + np.log(1 + np.exp(-u))).sum(-1) * -1,
        ),
        "The sign of a logit is wrong: a large one means a white pixel.": (
            lambda x, u: (-x * u - np.logaddexp(0, -u)).sum(-1),
            lambda x, u: (x * u - np.logaddexp(0, -u)).sum(-1),
            lambda x, u: (x * u + np.logaddexp(0, u)).sum(-1),
            lambda x, u: (-x * u - np.logaddexp(0, u)).sum(-1),
            lambda x, u: (x * u + np.logaddexp(0, -u)).sum(-1),
        ),
        "You put max(logit, 0) where log(1 + exp(logit)) belongs. They agree far from 0 only.": (
            lambda x, u: (x * u - np.maximum(u, 0)).sum(-1)
        ),
        "You leave x out: every pixel is scored as white, or as black.": (
            lambda x, u: (u - np.logaddexp(0, u)).sum(-1),
            lambda x, u: -np.logaddexp(0, u).sum(-1),
        ),
        "You return a squared error. The log-likelihood of a Bernoulli pixel is a cross-entropy.": (
            lambda x, u: -((x - _probability(u)) ** 2).sum(-1),
            lambda x, u: ((x - _probability(u)) ** 2).sum(-1),
            lambda x, u: -((x - u) ** 2).sum(-1),
        ),
        "You treat logits as probabilities. The logarithm of a negative logit is NaN.": (
            lambda x, u: (x * np.log(u) + (1 - x) * np.log(1 - u)).sum(-1)
        ),
        "You leave out the normalisation: log(1 + exp(logits)) is subtracted.": (
            lambda x, u: (x * u).sum(-1)
        ),
        "You sum over axis 0, the rows. Sum over the pixels, the last axis.": (
            lambda x, u: (x * u - np.logaddexp(0, u)).sum(0)
        ),
    },
)
def bernoulli_log_likelihood(x, logits):
    return (x * logits - np.logaddexp(0, logits)).sum(axis=-1)


@exercise(
    PAGE,
    title="A Gaussian log-likelihood",
    level="standard",
    minutes=10,
    statement=(
        "Return $\\log \\mathcal N(x; \\mu, \\sigma^2)$ of each row, summed over its pixels, "
        "with one `log_var` for all pixels."
    ),
    example="gaussian_log_likelihood(np.array([[0.0, 1.0]]), np.zeros((1, 2)), 0.0)",
    cases=(
        "gaussian_log_likelihood(np.array([[3.0]]), np.array([[1.0]]), 0.0)",
        "gaussian_log_likelihood(np.array([[0.0, 0.0], [1.0, 4.0]]), "
        "np.array([[0.0, 2.0], [1.0, 1.0]]), 1.0)",
    ),
    why=(
        "Three terms a pixel: the constant, the price of a wide variance, and the squared error "
        "in units of the variance."
    ),
    reasoning=(
        "The logarithm of the density is $-\\tfrac12 \\log 2\\pi - \\tfrac12 \\log \\sigma^2 - "
        "\\tfrac12 (x - \\mu)^2 / \\sigma^2$ for each pixel. Given $z$, pixels are independent, "
        "so the log-likelihood of an image is their sum. The second term is the price of a wide "
        "variance: without it a model could excuse every error for free. Only the third depends "
        "on the mean, which is why squared error trains the same mean. Where the variance is "
        "learnt, or where the value is weighed against a KL divergence, all three terms count."
    ),
    draw=lambda rng, size: (
        rng.random((2, size + 1)),
        rng.random((2, size + 1)),
        rng.normal(-1, 1),
    ),
    mistakes={
        "The constant log(2 pi) is missing. It does not change the training, but the result is "
        "then no log-likelihood.": (lambda x, m, v: -0.5 * (v + (x - m) ** 2 / np.exp(v)).sum(-1)),
        "You take the mean over the pixels. The log-likelihood of an image is the sum.": (
            lambda x, m, v: -0.5 * (np.log(2 * np.pi) + v + (x - m) ** 2 / np.exp(v)).mean(-1)
        ),
        "You divide the squared error by the standard deviation, not by the variance.": (
            lambda x, m, v: -0.5 * (np.log(2 * np.pi) + v + (x - m) ** 2 / np.exp(v / 2)).sum(-1),
            lambda x, m, v: -0.5 * (np.log(2 * np.pi) + v + (x - m) ** 2 / np.exp(v) ** 2).sum(-1),
        ),
        "The sign is wrong: a large error must make the log-likelihood small.": (
            lambda x, m, v: 0.5 * (np.log(2 * np.pi) + v + (x - m) ** 2 / np.exp(v)).sum(-1)
        ),
        "You count log_var once for the image. Each pixel brings it.": (
            lambda x, m, v: -0.5 * (np.log(2 * np.pi) + (x - m) ** 2 / np.exp(v)).sum(-1) - 0.5 * v
        ),
        "You read log_var as the logarithm of the standard deviation. It is that of the "
        "variance.": (
            lambda x, m, v: (
                -0.5 * (np.log(2 * np.pi) + 2 * v + (x - m) ** 2 / np.exp(2 * v)).sum(-1)
            )
        ),
        "The term log_var is missing: the price of a wide variance.": (
            lambda x, m, v: -0.5 * (np.log(2 * np.pi) + (x - m) ** 2 / np.exp(v)).sum(-1)
        ),
        "The factor one half is missing.": (
            lambda x, m, v: -(np.log(2 * np.pi) + v + (x - m) ** 2 / np.exp(v)).sum(-1),
            lambda x, m, v: -(0.5 * np.log(2 * np.pi) + 0.5 * v + (x - m) ** 2 / np.exp(v)).sum(-1),
            lambda x, m, v: -(0.5 * np.log(2 * np.pi) + v + 0.5 * (x - m) ** 2 / np.exp(v)).sum(-1),
            lambda x, m, v: -(np.log(2 * np.pi) + v + 0.5 * (x - m) ** 2 / np.exp(v)).sum(-1),
        ),
        "The error is not squared.": (
            lambda x, m, v: -0.5 * (np.log(2 * np.pi) + v + (x - m) / np.exp(v)).sum(-1),
            lambda x, m, v: -0.5 * (np.log(2 * np.pi) + v + np.abs(x - m) / np.exp(v)).sum(-1),
        ),
        "You divide by log_var itself. The variance is its exponential.": (
            lambda x, m, v: -0.5 * (np.log(2 * np.pi) + v + (x - m) ** 2 / v).sum(-1),
            lambda x, m, v: -0.5 * (np.log(2 * np.pi) + np.log(v) + (x - m) ** 2 / v).sum(-1),
            lambda x, m, v: -0.5 * (np.log(2 * np.pi * v) + (x - m) ** 2 / v).sum(-1),
        ),
        "You count log(2 pi) once for the image. Each pixel brings it.": (
            lambda x, m, v: -0.5 * (v + (x - m) ** 2 / np.exp(v)).sum(-1) - 0.5 * np.log(2 * np.pi),
            lambda x, m, v: (
                -0.5 * ((x - m) ** 2 / np.exp(v)).sum(-1) - 0.5 * (v + np.log(2 * np.pi))
            ),
        ),
        "You take 2 pi itself. Its logarithm belongs there.": (
            lambda x, m, v: -0.5 * (2 * np.pi + v + (x - m) ** 2 / np.exp(v)).sum(-1)
        ),
        "You return the squared error. It is one of three terms.": (
            lambda x, m, v: ((x - m) ** 2).sum(-1),
            lambda x, m, v: -((x - m) ** 2).sum(-1),
            lambda x, m, v: -0.5 * ((x - m) ** 2).sum(-1),
            lambda x, m, v: -0.5 * ((x - m) ** 2 / np.exp(v)).sum(-1),
        ),
        "You return the density. Its logarithm was asked for.": (
            lambda x, m, v: np.exp(
                -0.5 * (np.log(2 * np.pi) + v + (x - m) ** 2 / np.exp(v)).sum(-1)
            )
        ),
        "You sum over axis 0, the rows. Sum over the pixels, the last axis.": (
            lambda x, m, v: -0.5 * (np.log(2 * np.pi) + v + (x - m) ** 2 / np.exp(v)).sum(0)
        ),
        "You multiply the squared error by the variance. Divide by it.": (
            lambda x, m, v: -0.5 * (np.log(2 * np.pi) + v + (x - m) ** 2 * np.exp(v)).sum(-1)
        ),
        "The price of the variance, log_var, has the wrong sign.": (
            lambda x, m, v: -0.5 * (np.log(2 * np.pi) - v + (x - m) ** 2 / np.exp(v)).sum(-1)
        ),
    },
)
def gaussian_log_likelihood(x, mean, log_var):
    squared = (x - mean) ** 2 / np.exp(log_var)
    return -0.5 * (np.log(2 * np.pi) + log_var + squared).sum(axis=-1)


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
        ),
        "You cube the side of the kernel. It is square: its side counts twice.": (
            lambda k, c, f: k**3 * c * f + f
        ),
    },
)
def convolution_parameters(kernel, channels, filters):
    return kernel * kernel * channels * filters + filters


def _squashes(got, raw, bound):
    """Tell whether these may be values of a smooth squashing with slope 1 at 0, tanh or another."""
    order = np.argsort(raw)
    x, y = raw[order] / bound, got[order] / bound  # as if the bound were 1
    near, step = np.abs(x) <= 0.05, np.diff(x)
    inside = (np.abs(x[1:]) < 3) & (np.abs(x[:-1]) < 3) & (step > 0)
    slopes = np.diff(y)[step > 0] / step[step > 0]
    even = len(x) > 100  # a grid: a kink shows in the differences of its slopes
    return (
        (np.abs(y) <= 1).all()
        and (np.abs(y[np.abs(x) < 3]) < 1).all()
        and (x * y >= 0).all()
        and (np.abs(y - x)[near] <= 0.1 * np.abs(x[near])).all()
        and (slopes >= 0).all()
        and (np.diff(y)[inside] > 0).all()
        and not (even and np.abs(np.diff(slopes)).max() > 0.3)
    )


@exercise(
    PAGE,
    title="Keep the log-variance in bounds",
    level="standard",
    minutes=10,
    statement=(
        "Squash `raw` smoothly into the range from `-bound` to `bound`, so that numbers near 0 "
        "are almost unchanged."
    ),
    example="bound_log_var(np.array([0.1, 100.0]), 10.0)",
    cases=(
        "bound_log_var(np.array([0.0, -8.0, 8.0]), 5.0)",
        "bound_log_var(np.array([-1.0, 1.0, 30.0]), 10.0)",
        "bound_log_var(np.linspace(-30.0, 30.0, 121), 10.0)",
    ),
    accepts=_squashes,
    why=(
        "Near 0 tanh(u) is u, so dividing by the bound inside and multiplying outside leaves a "
        "slope of 1. Far out the slope shrinks but keeps its sign, as far as rounding lets it."
    ),
    reasoning=(
        "The function $\\tanh$ maps every number into the range from -1 to 1, so multiplying by "
        "the bound gives the range. Its slope at 0 is 1; dividing by the bound inside cancels "
        "the factor outside, and ordinary log-variances pass almost unchanged. Clipping would "
        "respect the range too, but its gradient outside is exactly 0: a unit that one large "
        "step has thrown there could not return. With $\\tanh$ the gradient becomes small and "
        "keeps its sign; only from about eight times the bound on does float32 round it to 0, "
        "which is 80 for a bound of 10. Other smooth functions of this shape do as well."
    ),
    draw=lambda rng, size: (rng.normal(0, 12, size + 2), float(rng.integers(5, 15))),
    mistakes={
        "You clip. Outside the bounds the gradient is then exactly 0, and the network never comes "
        "back.": (lambda raw, b: np.clip(raw, -b, b)),
        "You cut on one side only. The range has two ends.": (
            lambda raw, b: np.minimum(raw, b),
            lambda raw, b: np.maximum(raw, -b),
            lambda raw, b: np.where(np.abs(raw) < b, raw, b),
            lambda raw, b: np.where(raw > b, b, raw),
        ),
        "You multiply by the bound but do not divide by it inside: the slope at 0 is the bound "
        "instead of 1.": (lambda raw, b: b * np.tanh(raw)),
        "You divide inside but do not multiply outside: the result never exceeds 1.": (
            lambda raw, b: np.tanh(raw / b)
        ),
        "Your result is never negative. A log-variance may be.": (
            lambda raw, b: b / (1 + np.exp(-raw)),
            lambda raw, b: b / (1 + np.exp(-raw / b)),
            lambda raw, b: 1 / (1 + np.exp(-raw)),
            lambda raw, b: np.clip(raw, 0, b),
            lambda raw, b: np.abs(b * np.tanh(raw / b)),
            lambda raw, b: b * (1 - np.exp(-np.abs(raw) / b)),
        ),
        "You bend at half the way: the slope at 0 is not 1, so numbers near 0 are changed.": (
            lambda raw, b: b * (2 / (1 + np.exp(-raw)) - 1),
            lambda raw, b: b * (2 / (1 + np.exp(-raw / b)) - 1),
            lambda raw, b: 2 * b / np.pi * np.arctan(raw / b),
            lambda raw, b: 2 * b / np.pi * np.arctan(raw),
            lambda raw, b: b * raw / (1 + np.abs(raw)),
        ),
        "You return the numbers as they are. Far out they must stay between the bounds.": (
            lambda raw, b: raw,
            lambda raw, b: np.sign(raw) * np.log1p(np.abs(raw)),
            lambda raw, b: raw / b,
        ),
        "You divide by the bound outside, or multiply inside. It is the other way round.": (
            lambda raw, b: np.tanh(raw * b) / b,
            lambda raw, b: np.tanh(raw * b),
            lambda raw, b: b * np.tanh(raw * b),
            lambda raw, b: np.tanh(raw) / b,
        ),
        "Your result never exceeds 1. Multiply by the bound.": lambda raw, b: np.tanh(raw),
        "Your function goes up and down. One that bounds must rise all the way.": (
            lambda raw, b: b * np.sin(raw / b),
            lambda raw, b: np.mod(raw + b, 2 * b) - b,
        ),
        "You scale the whole row by its largest number. Each number must be squashed by itself.": (
            lambda raw, b: b * raw / np.abs(raw).max(),
            lambda raw, b: raw * np.minimum(1, b / np.abs(raw).max()),
        ),
    },
)
def bound_log_var(raw, bound):
    return bound * np.tanh(raw / bound)
