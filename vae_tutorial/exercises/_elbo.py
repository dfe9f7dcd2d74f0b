"""The exercises of the page The ELBO."""

import numpy as np

from vae_tutorial.exercises._bank import exercise

PAGE = "elbo"


def _gaussians(rng, size):
    return rng.normal(0, 1, (2, size + 1)), rng.normal(0, 1, (2, size + 1))


@exercise(
    PAGE,
    title="The KL divergence by hand",
    level="warm-up",
    minutes=10,
    statement=(
        "Return, for each row, the KL divergence of $\\mathcal N(\\mu, \\sigma^2)$ from the "
        "standard normal, summed over the latent dimensions. `log_var` is $\\log \\sigma^2$."
    ),
    example="kl_divergence(np.array([[1.0, 0.0]]), np.array([[0.0, 0.0]]))",
    why=(
        "Each dimension costs half of mean squared plus variance minus log-variance minus one, "
        "and independent dimensions add up."
    ),
    reasoning=(
        "Write the divergence as $\\mathbb E_q[\\log q(z) - \\log p(z)]$. The constants "
        "$\\tfrac12 \\log 2\\pi$ cancel, and $\\tfrac12 \\mathbb E_q[z^2] - \\tfrac12 \\mathbb "
        "E_q[(z - \\mu)^2 / \\sigma^2] - \\tfrac12 \\log \\sigma^2$ is left. Under $q$ the "
        "first expectation is $\\mu^2 + \\sigma^2$ and the second is 1, so one dimension costs "
        "$\\tfrac12 (\\mu^2 + \\sigma^2 - 1 - \\log \\sigma^2)$. Both Gaussians are products "
        "over dimensions, so their log-densities add up, and the divergence with them: a sum, "
        "never a mean. A check: mean 0 and log-variance 0 give 0."
    ),
    draw=_gaussians,
    mistakes={
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
        "You sum over axis 0, the rows. Each row is an image; sum over the last axis, its latent "
        "dimensions.": (lambda m, v: 0.5 * (m**2 + np.exp(v) - v - 1).sum(0)),
    },
)
def kl_divergence(mean, log_var):
    return 0.5 * (mean**2 + np.exp(log_var) - log_var - 1).sum(axis=-1)


@exercise(
    PAGE,
    title="The reparameterisation trick",
    level="warm-up",
    minutes=5,
    statement="Turn standard normal `noise` into draws from $\\mathcal N(\\mu, \\sigma^2)$.",
    example="reparameterise(np.array([[1.0]]), np.array([[np.log(4.0)]]), np.array([[0.5]]))",
    why=(
        "A shift and a scale turn a standard normal into any other, and both can be "
        "differentiated. The standard deviation is exp(log_var / 2)."
    ),
    reasoning=(
        "Multiplying a standard normal by $\\sigma$ gives it the standard deviation $\\sigma$; "
        "adding $\\mu$ moves its mean. From the log-variance, $\\sigma = \\sqrt{e^{\\log "
        "\\sigma^2}} = e^{\\frac12 \\log \\sigma^2}$: the half in the exponent is the square "
        "root. The randomness sits in `noise`, which depends on no parameter. So the "
        "derivatives by $\\mu$, which is 1, and by $\\log \\sigma^2$, which is $\\tfrac12 "
        "\\sigma$ times the noise, exist, and training can follow them."
    ),
    draw=lambda rng, size: tuple(rng.normal(0, 1, (3, 2, size))),
    mistakes={
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
    PAGE,
    title="The ELBO of a batch",
    level="warm-up",
    minutes=5,
    statement=(
        "`log_likelihood` and `kl` hold one number for each image. Return the ELBO of the "
        "batch: the mean over its images."
    ),
    example="elbo_of_batch(np.array([-80.0, -100.0]), np.array([20.0, 10.0]))",
    why=(
        "Reward minus price, for each image; the mean makes batches of different size comparable."
    ),
    reasoning=(
        "For each image the ELBO is what the decoder earns, $\\mathbb E_q[\\log p(x \\mid z)]$, "
        "minus what the latent costs, the KL divergence. Inside an image both terms are sums, "
        "over pixels and over latent dimensions. Over the batch we take the mean: a batch is a "
        "sample of the data, and its mean estimates the ELBO of a typical image, whatever the "
        "size of the batch. An optimiser minimises, so it is given the negative of this number."
    ),
    draw=lambda rng, size: (rng.normal(-90, 10, size + 1), rng.gamma(5, 4, size + 1)),
    mistakes={
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
    PAGE,
    title="The logarithm of a mean of tiny numbers",
    level="standard",
    minutes=10,
    statement=(
        "The importance-weighted bound needs $\\log \\frac1K \\sum_k e^{w_k}$ over the last "
        "axis, with weights near -1000. Return it without underflow."
    ),
    example="log_mean_exp(np.array([[-1000.0, -1000.0]]))",
    why=(
        "Taking the largest weight out of the sum leaves numbers between 0 and 1, of which one "
        "is 1. It is added back outside the logarithm."
    ),
    reasoning=(
        "In floating point $e^{-1000}$ is 0, and $\\log 0$ is minus infinity. Pull the largest "
        "weight $m$ out: $\\log \\frac1K \\sum_k e^{w_k} = m + \\log \\frac1K \\sum_k e^{w_k - "
        "m}$ holds for any $m$. With $m = \\max_k w_k$ no exponent is positive, so nothing "
        "overflows, and at least one term is $e^0 = 1$, so the sum is never 0. `keepdims=True` "
        "keeps the axis for the subtraction, and `[..., 0]` drops it again."
    ),
    draw=lambda rng, size: (rng.normal(-1000, 3, (2, size + 1)),),
    mistakes={
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
