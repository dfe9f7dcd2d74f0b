"""The exercises of the page The ELBO."""

import numpy as np

from vae_tutorial.exercises._bank import exercise, seen

PAGE = "elbo"


def _gaussians(rng, size):
    means, log_vars = rng.normal(0, 1, (2, 2, size + 1))
    return means, log_vars, (0.25, 4.0, 9.0)[size % 3]


@exercise(
    PAGE,
    title="The KL divergence from a scaled prior",
    level="standard",
    minutes=10,
    statement=(
        "The page's closed form is for the standard normal prior. Take $\\mathcal N(0, s I)$ in "
        "its place, with one `prior_variance` $s$ for all dimensions. Return, for each row, the "
        "KL divergence of $\\mathcal N(\\mu, \\sigma^2)$ from it, summed over the latent "
        "dimensions. `log_var` is $\\log \\sigma^2$."
    ),
    example="kl_to_scaled_prior(np.array([[1.0, 0.0]]), np.array([[0.0, 0.0]]), 4.0)",
    cases=(
        "kl_to_scaled_prior(np.array([[0.0, 0.0]]), np.array([[0.0, 0.0]]), 1.0)",
        "kl_to_scaled_prior(np.array([[-2.0]]), np.array([[0.0]]), 4.0)",
        "kl_to_scaled_prior(np.array([[0.0, 0.0, 0.0], [3.0, 4.0, 0.0]]), "
        "np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 2.0]]), 9.0)",
    ),
    why=(
        "Squared mean and variance are measured in units of the prior's variance. The logarithm "
        "of that variance is what a precise answer costs more under a wide prior."
    ),
    reasoning=(
        "Write the divergence as $\\mathbb E_q[\\log q(z) - \\log p(z)]$. The constants "
        "$\\tfrac12 \\log 2\\pi$ cancel. What is left of $-\\log p$ is $\\tfrac12 \\log s + "
        "\\tfrac12 z^2 / s$, and under $q$ the mean of $z^2$ is $\\mu^2 + \\sigma^2$. What is left "
        "of $\\log q$ is $-\\tfrac12 \\log \\sigma^2 - \\tfrac12$. One dimension costs $\\tfrac12 "
        "[(\\mu^2 + \\sigma^2) / s + \\log s - \\log \\sigma^2 - 1]$, and dimensions add up. Two "
        "checks: $s = 1$ gives the closed form of the page, and a posterior with mean 0 and "
        "variance $s$ costs nothing."
    ),
    hints=(
        "The divergence is the mean of log q(z) - log p(z) over draws from q. Only log p(z) has "
        "changed. In how many places does the prior's variance stand in it?",
        "In two: the squared z is divided by it, and half its logarithm comes from the factor in "
        "front of the density. Under q the mean of the squared z is the squared mean plus the "
        "variance. For a prior variance of 1 you must get the formula of the page again.",
        "For each dimension, half of four terms: `(mean**2 + np.exp(log_var)) / prior_variance`, "
        "plus the logarithm of `prior_variance`, minus `log_var`, minus 1. Then the sum over the "
        "last axis.",
    ),
    draw=_gaussians,
    mistakes={
        "You leave the prior's variance out: that is the divergence from the standard normal.": (
            lambda m, v, s: 0.5 * (m**2 + np.exp(v) - v - 1).sum(-1)
        ),
        "The logarithm of the prior's variance is missing. A wide prior spreads itself thin, and "
        "that has a price.": (lambda m, v, s: 0.5 * ((m**2 + np.exp(v)) / s - v - 1).sum(-1),),
        "You divide only one of two terms by the prior's variance. Squared mean and variance are "
        "both measured in its units.": (
            lambda m, v, s: 0.5 * (m**2 / s + np.exp(v) + np.log(s) - v - 1).sum(-1),
            lambda m, v, s: 0.5 * (m**2 + np.exp(v) / s + np.log(s) - v - 1).sum(-1),
            lambda m, v, s: 0.5 * (m**2 + np.exp(v) / s - v - 1).sum(-1),
            lambda m, v, s: 0.5 * (m**2 / s + np.exp(v) - v - 1).sum(-1),
        ),
        "The factor one half is missing.": (
            lambda m, v, s: ((m**2 + np.exp(v)) / s + np.log(s) - v - 1).sum(-1)
        ),
        "You take the mean over the latent dimensions. The divergence is their sum.": (
            lambda m, v, s: 0.5 * ((m**2 + np.exp(v)) / s + np.log(s) - v - 1).mean(-1)
        ),
        "The logarithm of the prior's variance has the wrong sign: it is added.": (
            lambda m, v, s: 0.5 * ((m**2 + np.exp(v)) / s - np.log(s) - v - 1).sum(-1)
        ),
        "You count log(prior_variance) once for the row. Each dimension brings it.": (
            lambda m, v, s: 0.5 * (((m**2 + np.exp(v)) / s - v - 1).sum(-1) + np.log(s))
        ),
        "You divide by the prior's standard deviation, or by the square of its variance. Divide "
        "by its variance.": (
            lambda m, v, s: 0.5 * ((m**2 + np.exp(v)) / np.sqrt(s) + np.log(s) - v - 1).sum(-1),
            lambda m, v, s: (
                0.5 * ((m**2 + np.exp(v)) / np.sqrt(s) + np.log(np.sqrt(s)) - v - 1).sum(-1)
            ),
            lambda m, v, s: 0.5 * ((m**2 + np.exp(v)) / s**2 + 2 * np.log(s) - v - 1).sum(-1),
            lambda m, v, s: 0.5 * ((m**2 + np.exp(v)) / s**2 + np.log(s) - v - 1).sum(-1),
        ),
        "You multiply by the prior's variance. Divide by it: under a wide prior a given mean is "
        "less surprising.": (
            lambda m, v, s: 0.5 * ((m**2 + np.exp(v)) * s + np.log(s) - v - 1).sum(-1),
            lambda m, v, s: 0.5 * ((m**2 + np.exp(v)) * s - np.log(s) - v - 1).sum(-1),
        ),
        "You add the prior's variance itself. Its logarithm belongs there.": (
            lambda m, v, s: 0.5 * ((m**2 + np.exp(v)) / s + s - v - 1).sum(-1)
        ),
        "You exchange the two: that is the divergence of the prior from the posterior.": (
            lambda m, v, s: 0.5 * ((m**2 + s) / np.exp(v) + v - np.log(s) - 1).sum(-1)
        ),
        "You read log_var as the logarithm of the standard deviation. It is that of the "
        "variance.": (
            lambda m, v, s: 0.5 * ((m**2 + np.exp(2 * v)) / s + np.log(s) - 2 * v - 1).sum(-1),
            lambda m, v, s: 0.5 * ((m**2 + np.exp(2 * v)) / s + np.log(s) - v - 1).sum(-1),
            lambda m, v, s: 0.5 * ((m**2 + np.exp(v / 2)) / s + np.log(s) - v - 1).sum(-1),
        ),
        "The sign is wrong: a divergence is never negative.": (
            lambda m, v, s: -0.5 * ((m**2 + np.exp(v)) / s + np.log(s) - v - 1).sum(-1)
        ),
        "The -1 is missing. Where posterior and prior agree, the divergence must be 0.": (
            lambda m, v, s: 0.5 * ((m**2 + np.exp(v)) / s + np.log(s) - v).sum(-1)
        ),
        "The mean is not squared.": (
            lambda m, v, s: 0.5 * ((m + np.exp(v)) / s + np.log(s) - v - 1).sum(-1)
        ),
        "The squared mean is missing. A posterior away from 0 must pay for it.": (
            lambda m, v, s: 0.5 * (np.exp(v) / s + np.log(s) - v - 1).sum(-1)
        ),
        "The log-variance has the wrong sign: it is subtracted.": (
            (
                lambda m, v, s: 0.5 * ((m**2 + np.exp(v)) / s + np.log(s) + v - 1).sum(-1),
                lambda m, v, s: 0.5 * ((m**2 + np.exp(v)) / s - np.log(s) + v - 1).sum(-1),
            )
        ),
        "You use log_var where the variance belongs. Take the exponential.": (
            lambda m, v, s: 0.5 * ((m**2 + v) / s + np.log(s) - v - 1).sum(-1),
            lambda m, v, s: 0.5 * ((m**2 + v) / s + np.log(s) - np.log(v) - 1).sum(-1),
        ),
        "You sum over axis 0, the rows. Each row is an image; sum over the last axis, its latent "
        "dimensions.": (lambda m, v, s: 0.5 * ((m**2 + np.exp(v)) / s + np.log(s) - v - 1).sum(0)),
        "You divide the whole divergence by the prior's variance. Only squared mean and variance "
        "are.": (
            lambda m, v, s: 0.5 * (m**2 + np.exp(v) - v - 1).sum(-1) / s,
            lambda m, v, s: 0.5 * ((m**2 + np.exp(v) - v - 1) / s + np.log(s)).sum(-1),
        ),
        "You add the logarithm of the prior's standard deviation. That of its variance belongs "
        "there.": (
            lambda m, v, s: 0.5 * ((m**2 + np.exp(v)) / s + np.log(s) / 2 - v - 1).sum(-1),
            lambda m, v, s: 0.5 * ((m**2 + np.exp(v)) / s + 2 * np.log(s) - v - 1).sum(-1),
        ),
        "Your logarithm has base 2 or 10. In nats it is the natural one.": (
            lambda m, v, s: 0.5 * ((m**2 + np.exp(v)) / s + np.log2(s) - v - 1).sum(-1),
            lambda m, v, s: 0.5 * ((m**2 + np.exp(v)) / s + np.log10(s) - v - 1).sum(-1),
        ),
    },
)
def kl_to_scaled_prior(mean, log_var, prior_variance):
    in_its_units = (mean**2 + np.exp(log_var)) / prior_variance
    return 0.5 * (in_its_units + np.log(prior_variance) - log_var - 1).sum(axis=-1)


@exercise(
    PAGE,
    title="A draw that is positive",
    level="warm-up",
    minutes=5,
    statement=(
        "A latent that cannot be negative, such as a thickness, needs another $q$. It is "
        "*log-normal* if the logarithm of $z$ has the distribution $\\mathcal N(\\mu, "
        "\\sigma^2)$. Turn standard normal `noise` into draws of $z$, through which gradients "
        "reach `mean` and `log_var`."
    ),
    example="log_normal_draws(np.array([[1.0]]), np.array([[np.log(4.0)]]), np.array([[0.5]]))",
    cases=(
        "log_normal_draws(np.array([[1.0]]), np.array([[0.0]]), np.array([[2.0]]))",
        "log_normal_draws(np.array([[3.0, 3.0]]), np.array([[2.0, -2.0]]), "
        "np.array([[1.0, -1.0]]))",
    ),
    why=(
        "The trick needs no Gaussian: any smooth function of noise that has no parameters will "
        "do. Here it is a shift and a scale, and then the exponential."
    ),
    reasoning=(
        "By its definition $\\log z$ is a normal draw, and the page makes one from standard "
        "normal noise: $\\mu + \\sigma \\epsilon$ with $\\sigma = e^{\\frac12 \\log \\sigma^2}$. "
        "The exponential turns $\\log z$ into $z$, and makes it positive. It can be "
        "differentiated, so the chain rule goes on through it: the derivative by $\\mu$ is $z$ "
        "itself, that by $\\log \\sigma^2$ is $\\tfrac12 \\sigma \\epsilon z$. An absolute value "
        "would be positive too, but its logarithm is not normal."
    ),
    hints=(
        "You know how to draw a normal number with a given mean and variance. Which number of "
        "this exercise is normal?",
        "It is log z. Draw it as the page does, with the standard deviation and not the variance "
        "in front of the noise; then go from log z to z.",
        "`np.exp(log_var / 2)` is the standard deviation. Multiply the noise by it, add the "
        "mean, and take `np.exp` of the whole sum.",
    ),
    draw=lambda rng, size: tuple(rng.normal(0, 1, (3, 2, size))),
    mistakes={
        "You return log z. Take its exponential.": (lambda m, v, n: m + np.exp(v / 2) * n),
        "You scale by the variance. Scale by the standard deviation, exp(log_var / 2).": (
            lambda m, v, n: np.exp(m + np.exp(v) * n)
        ),
        "You take the exponential of a part. Mean and noise both belong inside it.": (
            lambda m, v, n: m + np.exp(np.exp(v / 2) * n),
            lambda m, v, n: np.exp(m) + np.exp(v / 2) * n,
            lambda m, v, n: m + np.exp(v / 2) * np.exp(n),
        ),
        "You scale by the log-variance itself. Take its exponential first.": (
            lambda m, v, n: np.exp(m + v * n),
            lambda m, v, n: np.exp(m + v / 2 * n),
        ),
        "You add the noise without scaling it.": (lambda m, v, n: np.exp(m + n)),
        "You scale z. The standard deviation belongs inside the exponential, before the noise.": (
            lambda m, v, n: np.exp(v / 2) * np.exp(m + n),
            lambda m, v, n: np.exp(v / 2) * np.exp(n) * m,
            lambda m, v, n: np.exp(m) * np.exp(v / 2) * n,
        ),
        "You do not add the mean.": (lambda m, v, n: np.exp(np.exp(v / 2) * n)),
        "Mean and standard deviation have changed places.": (
            lambda m, v, n: np.exp(np.exp(v / 2) + m * n)
        ),
        "You divide by the standard deviation: the sign in the exponent is wrong.": (
            lambda m, v, n: np.exp(m + np.exp(-v / 2) * n)
        ),
        "You make a normal draw positive in another way. Its logarithm is then not normal.": (
            lambda m, v, n: np.abs(m + np.exp(v / 2) * n),
            lambda m, v, n: np.logaddexp(0, m + np.exp(v / 2) * n),
            lambda m, v, n: (m + np.exp(v / 2) * n) ** 2,
            lambda m, v, n: np.maximum(m + np.exp(v / 2) * n, 0),
        ),
        "You take the logarithm. The normal draw is log z: its exponential is z.": (
            lambda m, v, n: np.log(m + np.exp(v / 2) * n),
            lambda m, v, n: np.log(np.abs(m + np.exp(v / 2) * n)),
        ),
        "You subtract the noise. Draws would be as likely, but it was to be added.": (
            lambda m, v, n: np.exp(m - np.exp(v / 2) * n)
        ),
        "You halve the exponential. Halve the exponent: exp(log_var / 2).": (
            lambda m, v, n: np.exp(m + 0.5 * np.exp(v) * n)
        ),
        "You square the standard deviation twice: the exponent is log_var / 2, not 2 log_var.": (
            lambda m, v, n: np.exp(m + np.exp(2 * v) * n)
        ),
        "You add the standard deviation. Multiply the noise by it.": (
            lambda m, v, n: np.exp(m + np.exp(v / 2) + n)
        ),
        "You return the median or the mean of z. The noise makes it a draw.": (
            lambda m, v, n: np.exp(m),
            lambda m, v, n: np.exp(m + np.exp(v) / 2),
        ),
        "You take the exponential once too often.": (
            lambda m, v, n: np.exp(np.exp(m + np.exp(v / 2) * n)),
            lambda m, v, n: np.exp(np.exp(m) + np.exp(v / 2) * n),
        ),
        "You take a root or a power of the log-variance. Halve it, and take the exponential.": (
            lambda m, v, n: np.exp(m + np.sqrt(v) * n),
            lambda m, v, n: np.exp(m + np.sqrt(np.abs(v)) * n),
            lambda m, v, n: np.exp(m + v**2 * n),
        ),
        "You multiply by the mean. It is added, inside the exponential.": (
            lambda m, v, n: np.exp(m * np.exp(v / 2) * n),
            lambda m, v, n: m * np.exp(np.exp(v / 2) * n),
        ),
        "You take the size of the noise. A draw may also lie below the median.": (
            lambda m, v, n: np.exp(m + np.exp(v / 2) * np.abs(n)),
            lambda m, v, n: np.exp(m + np.exp(v / 2) * n**2),
        ),
        "You correct the mean of z. The logarithm of z has the mean that is given.": (
            lambda m, v, n: np.exp(m + np.exp(v / 2) * n - np.exp(v) / 2),
        ),
        "You halve the log-variance twice. exp(log_var / 2) is the root already.": (
            lambda m, v, n: np.exp(m + np.exp(v / 4) * n),
        ),
    },
)
def log_normal_draws(mean, log_var, noise):
    return np.exp(mean + np.exp(log_var / 2) * noise)


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
    hints=(
        "For one image: what does the decoder earn, and what does the latent cost? Then: what "
        "makes batches of different size comparable?",
        "The ELBO of an image is its log-likelihood minus its divergence. It is a reward, so no "
        "sign is turned round. A batch is a sample of the data, and a sample is summed up by its "
        "mean.",
        "Subtract `kl` from `log_likelihood`, image by image, and call `.mean()` on what comes "
        "out.",
    ),
    draw=lambda rng, size: (rng.normal(-90, 10, size + 1), rng.gamma(5, 4, size + 1)),
    mistakes={
        "The sign of the log-likelihood is lost or turned round. It is negative, and stays so.": (
            lambda ll, kl: -(ll + kl).mean(),
            lambda ll, kl: np.abs(ll).mean() - kl.mean(),
        ),
        "You add the divergence. It is a price: subtract it.": (lambda ll, kl: (ll + kl).mean()),
        "You return the sum over the batch. It grows with the batch; return the mean.": (
            lambda ll, kl: (ll - kl).sum()
        ),
        "You return the loss, which is the negative of the ELBO.": (
            lambda ll, kl: (kl - ll).mean(),
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
        "You take the exponential of the log-likelihood. The ELBO holds the logarithm itself.": (
            lambda ll, kl: (np.exp(ll) - kl).mean(),
        ),
        "You take one mean of all numbers. Subtract first, then take the mean.": (
            lambda ll, kl: np.mean([ll, kl]),
            lambda ll, kl: np.mean(np.concatenate([ll, kl])),
        ),
        "You take a logarithm. The log-likelihood is one already.": (
            lambda ll, kl: (np.log(-ll) - kl).mean(),
            lambda ll, kl: (np.log(np.abs(ll)) - kl).mean(),
            lambda ll, kl: (np.log(ll) - kl).mean(),
        ),
        "You take the logarithm of a mean. That is another bound: the mean stands outside.": (
            lambda ll, kl: np.log(np.exp(ll - kl).mean()),
            lambda ll, kl: np.logaddexp.reduce(ll - kl) - np.log(len(ll)),
        ),
    },
)
def elbo_of_batch(log_likelihood, kl):
    return (log_likelihood - kl).mean()


def _exponentials(w):
    return np.exp(w - w.max(-1, keepdims=True))


def _effective(e, axis=-1):
    return e.sum(axis) ** 2 / (e**2).sum(axis)


@exercise(
    PAGE,
    title="How many draws count",
    level="standard",
    minutes=10,
    statement=(
        "If one of $K$ importance weights is far larger than the others, the bound rests on a "
        "single draw. The *effective number of draws* $\\left(\\sum_k w_k\\right)^2 / \\sum_k "
        "w_k^2$ says how many equal weights would do as well. Return it for each row of "
        "`log_weights`, which hold $\\log w_k$: numbers near -1000, some near 1000, whose "
        "exponentials no float can hold."
    ),
    example="effective_draws(np.array([[-1000.0, -1000.0, -1100.0]]))",
    cases=(
        "effective_draws(np.array([[0.0, 0.0]]))",
        "effective_draws(np.array([[1.0, 2.0, 3.0], [3.0, 3.0, 0.0]]))",
        "effective_draws(np.array([[1000.0, 998.0]]))",
        "effective_draws(np.array([[-2000.0, -1000.0]]))",
        "effective_draws(np.array([[0.0, 0.0], [-1000.0, -1000.0]]))",
    ),
    why=(
        "A factor that all weights share cancels in the quotient. So the largest weight may be "
        "taken out before the exponential, and need not be put back."
    ),
    reasoning=(
        "In floating point $e^{-1000}$ is 0, and 0 / 0 is no number. Multiply all weights by "
        "the same factor $c$: numerator and denominator both grow by $c^2$, and the quotient "
        "stays. Choose $c = e^{-m}$ with the largest log-weight $m$ of the row. Then no exponent "
        "is positive, so nothing overflows, and at least one weight is 1, so the denominator is "
        "never 0. Unlike in the logarithm of a mean, nothing has to be added back. $K$ equal "
        "weights give $K$, a single large one gives 1."
    ),
    hints=(
        "Multiply all weights of a row by the same number. What happens to the quotient?",
        "It stays as it is. So divide each weight by the largest of its row; in logarithms that "
        "is a subtraction, which comes before the exponential. The page's `log_mean_exp` begins "
        "in the same way.",
        "Let `w` be `np.exp` of `log_weights` minus the maximum of each row, found with "
        "`keepdims=True`. Then the square of the sum of `w` over the last axis, divided by the "
        "sum of `w**2` over that axis.",
    ),
    draw=lambda rng, size: (rng.normal(-1000, 1, (2, size + 1)),),
    mistakes={
        "You take the exponential of the weights as they are: exp(-1000) is 0, exp(1000) "
        "infinite.": (
            lambda w: _effective(np.exp(w)),
            lambda w: np.exp(w).sum(-1) ** 2 / ((np.exp(w) ** 2).sum(-1) + 1e-12),
            lambda w: 1 / ((np.exp(w) / np.exp(w).sum(-1, keepdims=True)) ** 2).sum(-1),
        ),
        "Yours is upside down: the square of the sum is divided by the sum of the squares.": (
            lambda w: 1 / _effective(_exponentials(w))
        ),
        "You do not square the sum. Multiply all weights by 2: the result must stay.": (
            lambda w: _exponentials(w).sum(-1) / (_exponentials(w) ** 2).sum(-1)
        ),
        "You compute with the logarithms. Take their exponentials first.": (
            lambda w: w.sum(-1) ** 2 / (w**2).sum(-1)
        ),
        "You divide by the weights, by the largest alone, or not at all. Below the line stand the "
        "squares of all weights.": (
            lambda w: _exponentials(w).sum(-1),
            lambda w: _exponentials(w).sum(-1) ** 2 / w.shape[-1],
            lambda w: _exponentials(w).sum(-1) ** 2,
        ),
        "You square the sum below the line as well. Square each weight first, then add up.": (
            lambda w: np.ones(len(w))
        ),
        "You return the number of draws, which says nothing of their weights.": (
            lambda w: np.full(len(w), w.shape[-1])
        ),
        "You return the share of the draws. Return their number.": (
            lambda w: _effective(_exponentials(w)) / w.shape[-1]
        ),
        "You take the smallest or the mean weight out. The largest then overflows: take that "
        "out.": (
            lambda w: _effective(np.exp(w - w.min(-1, keepdims=True))),
            lambda w: _effective(np.exp(w - w.mean(-1, keepdims=True))),
        ),
        "You take all rows together. Each row has its own number: axis=-1.": (
            (
                lambda w: _effective(np.exp(w - w.max()).ravel()),
                lambda w: _effective(_exponentials(w).ravel()),
            )
        ),
        "You work along axis 0. The weights of one image are the last axis.": (
            lambda w: _effective(np.exp(w - w.max(0)), 0)
        ),
        "You take one maximum for all rows. Where another row is much larger, a row becomes 0: "
        "axis=-1, keepdims=True.": (lambda w: _effective(np.exp(w - w.max()))),
        "You return the exponential of the entropy. That is another effective number.": (
            lambda w: np.exp(-_entropy_terms(w).sum(-1)),
            lambda w: np.exp(-np.nan_to_num(_entropy_terms(w)).sum(-1)),
        ),
        "You shift by a fixed number. That holds near it only: shift by the largest weight.": (
            seen(lambda want, got, w: got.shape == want.shape and not np.isfinite(got).all())
        ),
        "You divide the log-weights. That changes the weights: subtract the largest instead.": (
            lambda w: _effective(np.exp(w / np.abs(w).max())),
            lambda w: _effective(np.exp(w / np.abs(w).max(-1, keepdims=True))),
            lambda w: _effective(np.exp(w / w.max(-1, keepdims=True))),
            lambda w: _effective(np.exp(w / 1000)),
        ),
        "The largest weights of all rows need an axis of their own: keepdims=True.": (
            lambda w: _effective(np.exp(w - w.max(-1))),
            lambda w: _effective(np.exp(w.T - w.max(-1))),
        ),
        "You square the logarithm. The logarithm of a square is twice it.": (
            lambda w: np.exp(2 * np.logaddexp.reduce(w, -1) - np.logaddexp.reduce(w**2, -1)),
        ),
        "You count the weights that are large. The formula needs no threshold.": (
            lambda w: (_exponentials(w) > 0.01).sum(-1),
            lambda w: (_exponentials(w) > 0.5).sum(-1),
            lambda w: (_exponentials(w) > 0.1).sum(-1),
            lambda w: (_exponentials(w) > 0).sum(-1),
        ),
    },
)
def effective_draws(log_weights):
    weights = np.exp(log_weights - log_weights.max(axis=-1, keepdims=True))
    return weights.sum(axis=-1) ** 2 / (weights**2).sum(axis=-1)


def _entropy_terms(w):
    shares = _exponentials(w) / _exponentials(w).sum(-1, keepdims=True)
    return shares * np.log(shares)


def _enough(variance, error):
    return int(np.ceil(variance / error**2))


@exercise(
    PAGE,
    title="How many draws are enough",
    level="warm-up",
    minutes=5,
    after="elbo-033",
    statement=(
        "A first run left some draws of $\\log q - \\log p$ in `log_ratios`. The mean of $n$ draws "
        "has the standard error $s / \\sqrt n$, where $s$ is the standard deviation of one draw. "
        "Return the smallest $n$ whose standard error is at most `error` nats."
    ),
    example="draws_needed(np.array([0.5, 1.5, 0.5, 1.5]), 0.05)",
    cases=(
        "draws_needed(np.array([0.0, 2.0]), 1.0)",
        "draws_needed(np.array([0.0, 2.0]), 0.3)",
        "draws_needed(np.array([0.0, 8.0, 4.0]), 0.25)",
        "draws_needed(np.array([1.0, 1.0, 5.0, 5.0]), 0.75)",
    ),
    also=(lambda r, error: _enough(r.var(ddof=1), error),),
    why="Half the error costs four times as many draws, so the ratio of s to the error is squared.",
    reasoning=(
        "The condition is $s / \\sqrt n \\le$ `error`. Multiply by $\\sqrt n$, divide by `error`, "
        "and square: $n \\ge (s /$ `error`$)^2$. A number of draws is whole, and one below the "
        "limit is not enough, so round up. The page's table says the same the other way round: for "
        "each further decimal place a hundred times as many draws. How many draws the first run "
        "had plays no part; they only tell what $s$ is, roughly if they are few."
    ),
    hints=(
        "Write the condition down, and solve it for n.",
        "The root of n is at least s divided by the error. So n is at least the square of that; a "
        "number of draws is whole, and rounding down would break the condition.",
        "Divide `log_ratios.var()` by `error**2`, and round up with `np.ceil`.",
    ),
    draw=lambda rng, size: (rng.normal(0, 1 + size, 3 + size), (0.11, 0.3, 0.7)[size % 3]),
    mistakes={
        "You do not square. Half the error costs four times as many draws.": (
            lambda r, error: int(np.ceil(r.std() / error)),
            lambda r, error: r.std() / error,
        ),
        "You square the error alone. The standard deviation is squared as well: the variance.": (
            lambda r, error: int(np.ceil(r.std() / error**2))
        ),
        "You do not square the error. Divide by its square.": (
            lambda r, error: int(np.ceil(r.var() / error))
        ),
        "You round down, or to the nearest. One draw fewer is not enough: round up.": (
            lambda r, error: int(r.var() / error**2),
            lambda r, error: r.var() // error**2,
            lambda r, error: round(r.var() / error**2),
        ),
        "You do not round. A number of draws is whole.": lambda r, error: r.var() / error**2,
        "You always add one. Where the quotient is whole already, it is enough.": (
            lambda r, error: int(r.var() / error**2) + 1
        ),
        "You count the draws of the first run in. They only tell the standard deviation.": (
            lambda r, error: int(np.ceil(r.var() / error**2 / len(r))),
            lambda r, error: int(np.ceil(r.var() / error**2)) - len(r),
            lambda r, error: int(np.ceil(r.var() / error**2 * len(r))),
            lambda r, error: int(np.ceil((r.std() / np.sqrt(len(r)) / error) ** 2)),
        ),
        "You use the mean. How many draws it takes depends on how much they scatter.": (
            lambda r, error: int(np.ceil((r.mean() / error) ** 2)),
            lambda r, error: int(np.ceil(np.abs(r.mean()) / error)),
        ),
        "You use squares whose mean was not subtracted. Take the variance.": (
            lambda r, error: int(np.ceil((r**2).mean() / error**2))
        ),
        "Yours is upside down: a smaller error needs more draws.": (
            lambda r, error: int(np.ceil(error**2 / r.var())),
            lambda r, error: error**2 / r.var(),
        ),
        "You return the standard error of the first run.": (
            lambda r, error: r.std() / np.sqrt(len(r)),
            lambda r, error: r.std(ddof=1) / np.sqrt(len(r)),
        ),
        "You ask for an interval of two standard errors. One was asked for.": (
            lambda r, error: int(np.ceil((2 * r.std() / error) ** 2)),
            lambda r, error: int(np.ceil((1.96 * r.std() / error) ** 2)),
        ),
    },
)
def draws_needed(log_ratios, error):
    return int(np.ceil(log_ratios.var() / error**2))
