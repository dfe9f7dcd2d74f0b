"""The exercises of the page Encoder and decoder."""

import numpy as np

from vae_tutorial.exercises._bank import exercise

PAGE = "encoder-decoder"


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
    PAGE,
    title="A Bernoulli log-likelihood that survives p = 0 and p = 1",
    level="harder",
    minutes=15,
    statement=(
        "Return $\\log p(x \\mid z)$ of each row, summed over its pixels, from `logits` as "
        "large as 800 in size. Computing $p$ first would round it to 0 or 1."
    ),
    example="bernoulli_log_likelihood(np.array([[1.0, 0.0]]), np.array([[0.0, -800.0]]))",
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
    PAGE,
    title="A Gaussian log-likelihood",
    level="standard",
    minutes=10,
    statement=(
        "Return $\\log \\mathcal N(x; \\mu, \\sigma^2)$ of each row, summed over its pixels, "
        "with one `log_var` for all pixels."
    ),
    example="gaussian_log_likelihood(np.array([[0.0, 1.0]]), np.zeros((1, 2)), 0.0)",
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
    PAGE,
    title="Parameters of a convolution",
    level="warm-up",
    minutes=5,
    statement=(
        "How many parameters has a convolution with square kernels of side `kernel`, from "
        "`channels` channels to `filters` filters, with biases?"
    ),
    example="convolution_parameters(3, 1, 32)",
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
            lambda k, c, f: k * k * c * f + c
        ),
    },
)
def convolution_parameters(kernel, channels, filters):
    return kernel * kernel * channels * filters + filters


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
    why=(
        "Near 0 tanh(u) is u, so dividing by the bound inside and multiplying outside leaves a "
        "slope of 1. Far out the slope shrinks but is never exactly 0."
    ),
    reasoning=(
        "The function $\\tanh$ maps every number into the range from -1 to 1, so multiplying by "
        "the bound gives the range. Its slope at 0 is 1; dividing by the bound inside cancels "
        "the factor outside, and ordinary log-variances pass almost unchanged. Clipping would "
        "respect the range too, but its gradient outside is exactly 0: a unit that one large "
        "step has thrown there could not return. With $\\tanh$ the gradient becomes small and "
        "keeps its sign."
    ),
    draw=lambda rng, size: (rng.normal(0, 12, size + 2), float(rng.integers(5, 15))),
    mistakes={
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
