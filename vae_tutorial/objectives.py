"""What a VAE maximises: log-likelihoods, KL divergence, the ELBO and the IWAE bound.

Every function takes NumPy arrays or tensors, keeps the finest of their precisions, and returns
tensors. All raise a TypeError for what is not made of floats, and a ValueError for NaN or infinity
in a NumPy array, or for shapes that differ: silent broadcasting is how wrong losses are born.
"""

import math

import numpy as np

from vae_tutorial._checks import check_count
from vae_tutorial._tensorflow import keras
from vae_tutorial._words import _

ops = keras.ops


def kl_per_dimension(mean, log_var):
    r"""KL divergence of a diagonal Gaussian from the standard normal, for each latent dimension.

    .. math:: \tfrac12 \left(\mu_j^2 + \sigma_j^2 - \log \sigma_j^2 - 1\right)

    Source: Kingma and Welling (2014), appendix B. Introduced in chapter 4.

    Parameters
    ----------
    mean : array (..., latent_dim), float
        Means of the approximate posterior.
    log_var : array (..., latent_dim), float
        Natural logarithms of its variances.

    Returns
    -------
    tensor (..., latent_dim)
        Non-negative, in nats.

    Examples
    --------
    >>> import numpy as np
    >>> kl_per_dimension(np.array([[1.0, 0.0]]), np.zeros((1, 2))).numpy()
    array([[0.5, 0. ]])
    """
    mean, log_var = _all_floats(mean=mean, log_var=log_var)
    _check_same_shape(mean, log_var, "mean", "log_var")
    return 0.5 * (ops.square(mean) + ops.exp(log_var) - log_var - 1.0)


def kl_divergence(mean, log_var):
    r"""KL divergence of a diagonal Gaussian from the standard normal, summed over dimensions.

    .. math:: D_{KL}\left[\mathcal N(\mu, \sigma^2) \,\|\, \mathcal N(0, I)\right]
              = \tfrac12 \sum_j \left(\mu_j^2 + \sigma_j^2 - \log \sigma_j^2 - 1\right)

    Source: Kingma and Welling (2014), appendix B. Introduced in chapter 2.

    Parameters
    ----------
    mean : array (..., latent_dim), float
        Means of the approximate posterior.
    log_var : array (..., latent_dim), float
        Natural logarithms of its variances.

    Returns
    -------
    tensor (...)
        One value in nats for each distribution.

    Examples
    --------
    >>> import numpy as np
    >>> float(kl_divergence(np.zeros(3), np.zeros(3)))
    0.0
    """
    return ops.sum(kl_per_dimension(mean, log_var), axis=-1)


def gaussian_kl(mean_1, log_var_1, mean_2, log_var_2):
    r"""KL divergence of one diagonal Gaussian from another, summed over dimensions.

    .. math:: D_{KL}[q_1 \,\|\, q_2] = \tfrac12 \sum_j \left(
              \log \frac{\sigma_{2j}^2}{\sigma_{1j}^2}
              + \frac{\sigma_{1j}^2 + (\mu_{1j} - \mu_{2j})^2}{\sigma_{2j}^2} - 1\right)

    With a standard normal as the second it is :func:`kl_divergence`.
    Source: Bishop (2006), exercise 2.13.

    Parameters
    ----------
    mean_1, log_var_1 : array (..., latent_dim), float
        Means and log-variances of the first distribution.
    mean_2, log_var_2 : array of the same shape, float
        Means and log-variances of the second distribution.

    Returns
    -------
    tensor (...)
        Non-negative, in nats.

    Examples
    --------
    >>> import numpy as np
    >>> float(gaussian_kl(np.ones(2), np.zeros(2), np.zeros(2), np.zeros(2)))
    1.0
    """
    given = {"mean_1": mean_1, "log_var_1": log_var_1, "mean_2": mean_2, "log_var_2": log_var_2}
    mean_1, log_var_1, mean_2, log_var_2 = tensors = _all_floats(**given)
    for name, tensor in zip(given, tensors, strict=True):
        _check_same_shape(mean_1, tensor, "mean_1", name)
    ratio = ops.exp(log_var_1 - log_var_2)
    distance = ops.square(mean_1 - mean_2) * ops.exp(-log_var_2)
    return 0.5 * ops.sum(log_var_2 - log_var_1 + ratio + distance - 1.0, axis=-1)


def bernoulli_kl(logits):
    r"""KL divergence of independent Bernoulli variables from fair coins, summed over dimensions.

    .. math:: \sum_j \left(\log 2 + p_j \log p_j + (1 - p_j) \log (1 - p_j)\right),
              \qquad p_j = \frac{1}{1 + e^{-\ell_j}}

    At most log 2 nats, which is one bit, a dimension.

    Parameters
    ----------
    logits : array (..., latent_dim), float
        The log-odds :math:`\ell`.

    Returns
    -------
    tensor (...)
        Non-negative, in nats.

    Examples
    --------
    >>> import numpy as np
    >>> float(bernoulli_kl(np.zeros(3)))
    0.0
    """
    logits = _as_floats(logits, "logits")
    # log p = -softplus(-l) and log(1 - p) = -softplus(l) stay finite where p rounds to 0 or 1.
    entropy = ops.softplus(logits) - ops.sigmoid(logits) * logits
    return ops.sum(math.log(2.0) - entropy, axis=-1)


def bernoulli_log_likelihood(x, logits, *, batch_dims: int = 1):
    r"""Log-likelihood of pixels in [0, 1] under independent Bernoulli distributions.

    .. math:: \log p(x \mid z) = \sum_i x_i \ell_i - \log(1 + e^{\ell_i})

    with logits :math:`\ell`, which stays finite where a probability rounds to 0 or 1.
    Source: Kingma and Welling (2014), appendix C.1. Introduced in chapter 2.

    Parameters
    ----------
    x : array, float in [0, 1]
        Images, of shape (batch, ...) for ``batch_dims=1``.
    logits : array of the shape of ``x``, float
        What the decoder puts out, before the sigmoid.
    batch_dims : int
        Number of leading axes to keep; all others are summed.

    Returns
    -------
    tensor of shape ``x.shape[:batch_dims]``
        In nats.

    Raises
    ------
    ValueError
        Also if ``batch_dims`` exceeds the axes, or a NumPy ``x`` leaves [0, 1].

    Examples
    --------
    >>> import numpy as np
    >>> bernoulli_log_likelihood(np.array([[1.0, 0.0]]), np.array([[0.0, 0.0]])).numpy().round(4)
    array([-1.3863])
    """
    if isinstance(x, np.ndarray) and x.size and (x.min() < 0 or x.max() > 1):
        raise ValueError(
            _(
                "x must lie in [0, 1] for a Bernoulli likelihood, got values from {low:g} to "
                "{high:g}; divide 8-bit images by 255",
                low=x.min(),
                high=x.max(),
            )
        )
    x, logits = _all_floats(x=x, logits=logits)
    _check_same_shape(x, logits, "x", "logits")
    return _sum_events(x * logits - ops.softplus(logits), batch_dims)


def gaussian_log_likelihood(x, mean, log_var, *, batch_dims: int = 1):
    r"""Log-density of ``x`` under independent Gaussians.

    .. math:: -\tfrac12 \sum_i \left(\log 2\pi
               + \log\sigma_i^2 + (x_i - \mu_i)^2 / \sigma_i^2\right)

    Serves for pixels given a latent and for latents under prior or posterior. Being a density it
    may be positive. Source: Bishop (2006), section 2.3. Introduced in chapter 2.

    Parameters
    ----------
    x : array, float
        Values, of shape (batch, ...) for ``batch_dims=1``.
    mean : array of the shape of ``x``, float
        Means.
    log_var : array of the shape of ``x``, or a single number, float
        Natural logarithms of the variances.
    batch_dims : int
        Number of leading axes to keep; all others are summed.

    Returns
    -------
    tensor of shape ``x.shape[:batch_dims]``
        In nats.

    Raises
    ------
    ValueError
        Also if ``batch_dims`` exceeds the axes.

    Examples
    --------
    >>> import numpy as np
    >>> gaussian_log_likelihood(np.zeros((1, 2)), np.zeros((1, 2)), 0.0).numpy().round(4)
    array([-1.8379])
    """
    x, mean, log_var = _all_floats(x=x, mean=mean, log_var=log_var)
    _check_same_shape(x, mean, "x", "mean")
    if len(log_var.shape):
        _check_same_shape(x, log_var, "x", "log_var")
    squares = ops.square(x - mean) * ops.exp(-log_var)
    return _sum_events(-0.5 * (math.log(2 * math.pi) + log_var + squares), batch_dims)


def reparameterise(mean, log_var, noise):
    r"""Draw from a diagonal Gaussian as a differentiable function of its parameters.

    .. math:: z = \mu + \sigma \odot \epsilon, \qquad \epsilon \sim \mathcal N(0, I)

    Source: Kingma and Welling (2014), section 2.4. Introduced in chapter 2.

    Parameters
    ----------
    mean, log_var : array (..., latent_dim), float
        Parameters of the distribution.
    noise : array of the same shape, float
        Standard normal draws.

    Returns
    -------
    tensor (..., latent_dim)
        The draws z.

    Examples
    --------
    >>> import numpy as np
    >>> reparameterise(np.ones(2), np.log([4.0, 4.0]), np.array([0.0, 1.0])).numpy()
    array([1., 3.])
    """
    mean, log_var, noise = _all_floats(mean=mean, log_var=log_var, noise=noise)
    _check_same_shape(mean, log_var, "mean", "log_var")
    _check_same_shape(mean, noise, "mean", "noise")
    return mean + ops.exp(0.5 * log_var) * noise


def elbo(log_likelihood, kl, *, beta=1.0):
    r"""Evidence lower bound: log-likelihood minus ``beta`` times the KL divergence.

    .. math:: \mathcal L = \mathbb E_{q(z|x)}[\log p(x|z)] - \beta\, D_{KL}[q(z|x) \,\|\, p(z)]

    With ``beta=1`` it bounds log p(x) from below. Source: Kingma and Welling (2014), equation 3;
    beta from Higgins et al. (2017). Introduced in chapter 2.

    Parameters
    ----------
    log_likelihood : array (batch,), float
        One-sample or averaged estimates of the expected log-likelihood, in nats.
    kl : array (batch,), float
        KL divergences in nats.
    beta : float
        Weight of the KL term, not negative.

    Returns
    -------
    tensor (batch,)
        In nats.

    Raises
    ------
    ValueError
        Also if ``beta`` is a negative number.

    Examples
    --------
    >>> import numpy as np
    >>> elbo(np.array([-80.0]), np.array([20.0])).numpy()
    array([-100.])
    """
    if isinstance(beta, int | float) and not beta >= 0:
        raise ValueError(f"beta must not be negative, got {beta}; the ELBO has 1.0")
    log_likelihood, kl = _all_floats(log_likelihood=log_likelihood, kl=kl)
    _check_same_shape(log_likelihood, kl, "log_likelihood", "kl")
    return log_likelihood - ops.cast(beta, kl.dtype) * kl


def iwae_bound(log_weights, *, axis: int = 0):
    r"""Importance-weighted bound on log p(x), tighter than the ELBO.

    .. math:: \log \frac1k \sum_{i=1}^k \frac{p(x, z_i)}{q(z_i \mid x)}

    Source: Burda, Grosse and Salakhutdinov (2016), equation 8. Introduced in chapter 2.

    Parameters
    ----------
    log_weights : array, float
        :math:`\log p(x, z_i) - \log q(z_i \mid x)`, the k draws along ``axis``.
    axis : int
        The axis that holds the draws.

    Returns
    -------
    tensor
        In nats, without ``axis``. With one draw it is a one-sample ELBO.

    Raises
    ------
    ValueError
        Also if there are no draws, or the array has no such axis.

    Examples
    --------
    >>> import numpy as np
    >>> float(np.round(iwae_bound(np.log([1.0, 3.0])), 4))
    0.6931
    """
    log_weights = _as_floats(log_weights, "log_weights")
    if not -len(log_weights.shape) <= axis < len(log_weights.shape):
        raise ValueError(
            _(
                "axis {axis} does not exist in log_weights of shape {shape}",
                axis=axis,
                shape=log_weights.shape,
            )
        )
    draws = log_weights.shape[axis]
    if draws == 0:
        raise ValueError(_("log_weights holds no draws; sample at least one z"))
    return ops.logsumexp(log_weights, axis=axis) - math.log(draws)


def _all_floats(**values) -> list:
    """Convert to float tensors of one precision, the finest given; plain numbers have none."""
    tensors = {n: _as_floats(v, n) for n, v in values.items() if not isinstance(v, int | float)}
    dtype = keras.backend.result_type(*(tensor.dtype for tensor in tensors.values()))
    cast = {name: ops.cast(tensor, dtype) for name, tensor in tensors.items()}
    return [cast[n] if n in cast else ops.convert_to_tensor(v, dtype) for n, v in values.items()]


def _as_floats(values, name: str):
    """Convert to a float tensor, in its own precision."""
    if isinstance(values, np.ndarray) and not np.isfinite(np.asarray(values, dtype=float)).all():
        raise ValueError(
            _("{name} holds NaN or infinity; look for an overflow before it", name=name)
        )
    tensor = ops.convert_to_tensor(values)
    if "float" not in keras.backend.standardize_dtype(tensor.dtype):
        raise TypeError(
            _(
                "{name} must be made of floats, got {dtype}; convert it with "
                "values.astype('float32')",
                name=name,
                dtype=keras.backend.standardize_dtype(tensor.dtype),
            )
        )
    return tensor


def _check_same_shape(first, second, first_name: str, second_name: str) -> None:
    # Inside a compiled step the batch size is unknown (None), which fits any number.
    same_rank = len(first.shape) == len(second.shape)
    pairs = zip(first.shape, second.shape, strict=False)
    if not same_rank or any(a != b and None not in (a, b) for a, b in pairs):
        raise ValueError(
            _(
                "{first} and {second} must have one shape, got {shape} and "
                "{other}; reshape one, or it would be stretched over the other",
                first=first_name,
                second=second_name,
                shape=tuple(first.shape),
                other=tuple(second.shape),
            )
        )


def _sum_events(values, batch_dims: int):
    batch_dims = check_count(batch_dims, "batch_dims", at_least=0, at_most=len(values.shape))
    return ops.sum(values, axis=tuple(range(batch_dims, len(values.shape))))
