"""The exercises of the page The ELBO."""

import numpy as np

from vae_tutorial.exercises._bank import exercise, seen

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
    cases=(
        "kl_divergence(np.array([[0.0, 0.0]]), np.array([[0.0, 0.0]]))",
        "kl_divergence(np.array([[-2.0]]), np.array([[0.0]]))",
        "kl_divergence(np.array([[0.0, 0.0, 0.0], [3.0, 4.0, 0.0]]), "
        "np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 2.0]]))",
    ),
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
        "The factor one half is missing.": (
            lambda m, v: (m**2 + np.exp(v) - v - 1).sum(-1),
            lambda m, v: (0.5 * m**2 + np.exp(v) - v - 1).sum(-1),
            lambda m, v: (m**2 + 0.5 * (np.exp(v) - v - 1)).sum(-1),
        ),
        "You take the mean over the latent dimensions. The divergence is their sum.": (
            lambda m, v: 0.5 * (m**2 + np.exp(v) - v - 1).mean(-1),
            lambda m, v: 0.5 * (m**2 + np.exp(v) - v - 1).mean(),
        ),
        "You read log_var as the logarithm of the standard deviation. It is that of the "
        "variance.": (
            lambda m, v: 0.5 * (m**2 + np.exp(2 * v) - 2 * v - 1).sum(-1),
            lambda m, v: 0.5 * (m**2 + np.exp(2 * v) - v - 1).sum(-1),
            lambda m, v: 0.5 * (m**2 + np.exp(v / 2) - v - 1).sum(-1),
            lambda m, v: 0.5 * (m**2 + np.exp(v) - 2 * v - 1).sum(-1),
        ),
        "The sign is wrong: a divergence is never negative.": (
            lambda m, v: -0.5 * (m**2 + np.exp(v) - v - 1).sum(-1)
        ),
        "The -1 is missing. For mean 0 and variance 1 the divergence must be 0.": (
            lambda m, v: 0.5 * (m**2 + np.exp(v) - v).sum(-1)
        ),
        "The mean is not squared.": (lambda m, v: 0.5 * (m + np.exp(v) - v - 1).sum(-1)),
        "You sum over axis 0, the rows. Each row is an image; sum over the last axis, its latent "
        "dimensions.": (lambda m, v: 0.5 * (m**2 + np.exp(v) - v - 1).sum(0)),
        "You exchange the two: that is the divergence of the standard normal from the posterior.": (
            lambda m, v: 0.5 * (v + (1 + m**2) / np.exp(v) - 1).sum(-1)
        ),
        "You use log_var where the variance belongs. Take the exponential.": (
            lambda m, v: 0.5 * (m**2 + v - np.log(v) - 1).sum(-1),
            lambda m, v: 0.5 * (m**2 + v**2 - np.log(v**2) - 1).sum(-1),
            lambda m, v: 0.5 * (m**2 + v - v - 1).sum(-1),
            lambda m, v: 0.5 * (m**2 + v**2 - v - 1).sum(-1),
        ),
        "The log-variance has the wrong sign: it is subtracted.": (
            lambda m, v: 0.5 * (m**2 + np.exp(v) + v - 1).sum(-1),
            lambda m, v: 0.5 * (m**2 + np.exp(-v) + v - 1).sum(-1),
            lambda m, v: 0.5 * (m**2 + np.exp(-v) - v - 1).sum(-1),
        ),
        "The log-variance is missing: subtract it from the variance.": (
            lambda m, v: 0.5 * (m**2 + np.exp(v) - 1).sum(-1)
        ),
        "The squared mean is missing. A posterior away from 0 must pay for it.": (
            lambda m, v: 0.5 * (np.exp(v) - v - 1).sum(-1)
        ),
        "The variance is missing: add exp(log_var).": (lambda m, v: 0.5 * (m**2 - v - 1).sum(-1)),
        "The 1 has the wrong sign. For mean 0 and variance 1 the divergence must be 0.": (
            lambda m, v: 0.5 * (m**2 + np.exp(v) - v + 1).sum(-1)
        ),
        "The squared mean has the wrong sign: it is added.": (
            lambda m, v: 0.5 * (-(m**2) + np.exp(v) - v - 1).sum(-1)
        ),
        "You subtract the 1 once for the row. Each dimension brings it.": (
            lambda m, v: 0.5 * ((m**2 + np.exp(v) - v).sum(-1) - 1)
        ),
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
    cases=(
        "reparameterise(np.array([[1.0]]), np.array([[0.0]]), np.array([[2.0]]))",
        "reparameterise(np.array([[3.0, 3.0]]), np.array([[2.0, -2.0]]), np.array([[1.0, -1.0]]))",
    ),
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
        "You multiply the mean by the noise too. It is added as it is.": (
            lambda mean, log_var, noise: noise * (mean + np.exp(log_var / 2)),
            lambda mean, log_var, noise: mean * noise * np.exp(log_var / 2),
            lambda mean, log_var, noise: mean * noise,
        ),
        "You subtract the noise. Draws would be as likely, but it was to be added.": (
            lambda mean, log_var, noise: mean - np.exp(log_var / 2) * noise
        ),
        "You go the other way: that turns a draw into standard normal noise.": (
            lambda mean, log_var, noise: (noise - mean) / np.exp(log_var / 2)
        ),
        "You take the logarithm once more. log_var is one already: take its exponential.": (
            lambda mean, log_var, noise: mean + np.log(log_var) * noise
        ),
        "You do not add the mean.": (lambda mean, log_var, noise: np.exp(log_var / 2) * noise),
        "You halve the exponential. Halve the exponent: exp(log_var / 2).": (
            lambda mean, log_var, noise: mean + 0.5 * np.exp(log_var) * noise
        ),
        "You take the root of the log-variance. Take its exponential first.": (
            lambda mean, log_var, noise: mean + np.sqrt(log_var) * noise,
            lambda mean, log_var, noise: mean + np.sqrt(np.abs(log_var)) * noise,
            lambda mean, log_var, noise: mean + log_var / 2 * noise,
        ),
        "You square the standard deviation twice: the exponent is log_var / 2, not 2 log_var.": (
            lambda mean, log_var, noise: mean + np.exp(2 * log_var) * noise
        ),
        "You add the standard deviation. Multiply the noise by it.": (
            lambda mean, log_var, noise: mean + np.exp(log_var / 2) + noise
        ),
        "You scale the mean too. The standard deviation belongs to the noise alone.": (
            lambda mean, log_var, noise: (mean + noise) * np.exp(log_var / 2)
        ),
        "You return the mean. The noise makes it a draw.": (lambda mean, log_var, noise: mean),
        "You subtract the mean. Add it.": (
            lambda mean, log_var, noise: np.exp(log_var / 2) * noise - mean
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
    cases=(
        "elbo_of_batch(np.array([-2.0, -4.0]), np.array([1.0, 3.0]))",
        "elbo_of_batch(np.array([-1.0, -2.0, -9.0]), np.array([1.0, 0.0, 2.0]))",
    ),
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
            lambda ll, kl: (kl - ll).mean(),
            lambda ll, kl: -(ll + kl).mean(),
            lambda ll, kl: np.abs(ll).mean() - kl.mean(),
            lambda ll, kl: np.abs(ll - kl).mean(),
        ),
        "You return the log-likelihood alone.": (lambda ll, kl: ll.mean()),
        "You return the divergence alone.": (lambda ll, kl: kl.mean()),
        "You return the negative divergence alone.": (lambda ll, kl: -kl.mean()),
        "You mix a sum and a mean over the batch. Both terms take the mean.": (
            lambda ll, kl: ll.sum() - kl.mean(),
            lambda ll, kl: ll.mean() - kl.sum(),
            lambda ll, kl: (ll - kl).mean() / len(ll),
        ),
        "You return the negative sum over the batch. Return the mean, and no loss.": (
            lambda ll, kl: (kl - ll).sum()
        ),
        "You add up and do not subtract: the sum of both terms over the batch.": (
            lambda ll, kl: (ll + kl).sum()
        ),
        "You return the median. A batch is summed up by its mean.": (
            lambda ll, kl: np.median(ll - kl)
        ),
        "You return one image of the batch. Take the mean over all.": (
            lambda ll, kl: (ll - kl)[0],
            lambda ll, kl: (ll - kl).max(),
            lambda ll, kl: (ll - kl).min(),
        ),
        "You multiply or divide the two. The divergence is subtracted.": (
            lambda ll, kl: (ll * kl).mean(),
            lambda ll, kl: (ll / kl).mean(),
            lambda ll, kl: ll.mean() / kl.mean(),
        ),
        "You weigh the divergence by one half. Its half is inside it already.": (
            lambda ll, kl: (ll - 0.5 * kl).mean()
        ),
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
        "axis, with weights near -1000. Return it without underflow, and without overflow where "
        "weights are large; whatever their size, it must hold."
    ),
    example="log_mean_exp(np.array([[-1000.0, -1000.0]]))",
    cases=(
        "log_mean_exp(np.array([[0.0, 0.0]]))",
        "log_mean_exp(np.array([[1.0, 2.0, 3.0], [3.0, 3.0, 0.0]]))",
        "log_mean_exp(np.array([[1000.0, 998.0]]))",
        "log_mean_exp(np.array([[-2000.0, -1000.0]]))",
    ),
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
            lambda w: w.mean(-1),
            lambda w: w.mean(),
            lambda w: w.max(-1) + (w - w.max(-1, keepdims=True)).mean(-1),
        ),
        "You did not add the maximum back.": (
            lambda w: _logsumexp(w) - np.log(w.shape[-1]) - w.max(-1),
            lambda w: np.log(np.exp(w - w.mean(-1, keepdims=True)).mean(-1)),
            lambda w: np.log(np.exp(w - w.max(-1, keepdims=True)).sum(-1)),
        ),
        "You return the largest weight, which leaves out all others.": (lambda w: w.max(-1)),
        "You subtract log K twice.": (lambda w: _logsumexp(w) - 2 * np.log(w.shape[-1])),
        "You take the exponential of the weights as they are: exp(-1000) is 0, exp(1000) "
        "infinite.": (
            lambda w: np.log(np.exp(w).mean(-1)),
            lambda w: np.log(np.exp(w).sum(-1)),
            lambda w: np.log(np.exp(w).mean(-1) + 1e-12),
            lambda w: np.log(np.exp(w).mean(-1) + 1e-10),
            lambda w: np.log(np.exp(w).mean(-1) + 1e-8),
        ),
        "You take one mean over all rows. Each row has its own: axis=-1.": (
            lambda w: _logsumexp(w.ravel()) - np.log(w.size),
            lambda w: np.log(np.exp(w).mean()),
        ),
        "You work along axis 0. The weights of one image are the last axis.": (
            lambda w: w.max(0) + np.log(np.exp(w - w.max(0)).mean(0))
        ),
        "Your maximum has one axis more than the logarithm, and their sum is a table. Drop it "
        "again: [..., 0].": (
            lambda w: (
                w.max(-1, keepdims=True) + np.log(np.exp(w - w.max(-1, keepdims=True)).mean(-1))
            )
        ),
        "You take the smallest weight out of the sum. The others overflow: take the largest.": (
            lambda w: w.min(-1) + np.log(np.exp(w - w.min(-1, keepdims=True)).mean(-1))
        ),
        "You subtract the maximum after the logarithm. Add it back.": (
            lambda w: _logsumexp(w) - np.log(w.shape[-1]) - 2 * w.max(-1)
        ),
        "You return the mean without the logarithm, or its exponential.": (
            lambda w: np.exp(_logsumexp(w) - np.log(w.shape[-1])),
            lambda w: np.exp(w).mean(-1),
            lambda w: np.exp(w - w.max(-1, keepdims=True)).mean(-1),
        ),
        "You divide by K outside the logarithm. There it is log K that is subtracted.": (
            lambda w: _logsumexp(w) / w.shape[-1]
        ),
        "You add log K. Subtract it: dividing by K makes the logarithm smaller.": (
            lambda w: _logsumexp(w) + np.log(w.shape[-1])
        ),
        "You shift by a fixed number. That holds near it only: shift by the largest weight.": (
            seen(lambda want, got, w: got.shape == want.shape and not np.isfinite(got).all())
        ),
    },
)
def log_mean_exp(log_weights):
    largest = log_weights.max(axis=-1, keepdims=True)
    mean = np.exp(log_weights - largest).mean(axis=-1)
    return largest[..., 0] + np.log(mean)


def _logsumexp(w):
    return w.max(-1) + np.log(np.exp(w - w.max(-1, keepdims=True)).sum(-1))
