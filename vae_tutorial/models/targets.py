"""A VAE that is asked to draw features of an image in place of its pixels."""

import functools
from collections.abc import Callable, Sequence

import numpy as np

from vae_tutorial._checks import check_count, check_matrix
from vae_tutorial._tensorflow import keras, layers, tf
from vae_tutorial._words import _
from vae_tutorial.models.networks import full_precision, register
from vae_tutorial.models.views import ViewVAE

WIDTHS = (256, 512)  # of the hidden layers between latent and features


@register
class FeatureDecoder(layers.Layer):
    """Map latents to the expected features: two hidden layers, then one number a feature.

    Parameters
    ----------
    latent_dim : int
        Number of latent dimensions.
    n_features : int
        Numbers to draw.

    Raises
    ------
    ValueError, TypeError
        If a size is not a whole number from 1.

    Examples
    --------
    >>> FeatureDecoder(latent_dim=2, n_features=5)(np.zeros((3, 2), "float32")).shape
    TensorShape([3, 5])
    """

    def __init__(self, latent_dim: int, n_features: int, **kwargs):
        super().__init__(**kwargs)
        self.latent_dim = check_count(latent_dim, "latent_dim")
        self.n_features = check_count(n_features, "n_features")
        policy = {"dtype": self.dtype_policy}
        hidden = [layers.Dense(width, activation="relu", **policy) for width in WIDTHS]
        hidden.append(layers.Dense(self.n_features, **policy))
        self.hidden = keras.Sequential([keras.Input((self.latent_dim,)), *hidden], name="hidden")

    def call(self, z):
        return full_precision(self.hidden(z))

    def get_config(self):
        own = {"latent_dim": self.latent_dim, "n_features": self.n_features}
        return {**super().get_config(), **own}


@register
class FeatureVAE(ViewVAE):
    r"""VAE that sees an image, or a view of it, and draws features of the image.

    .. math:: -\mathbb E_{q(z|v)}[\log p(f(x)|z)] + \beta\, D_{KL}[q(z|v) \,\|\, p(z)]

    with f(x) what somebody else has found worth keeping of x, for example histograms of oriented
    gradients (:class:`vae_tutorial.features.HOG`): the latent then need not hold what the features
    leave out. ``fit(images, features)`` takes both; p is a Gaussian of one learned variance.
    Source: histograms of gradients as the target of a network, Wei et al. (2022).
    Introduced in chapter 4.

    Parameters
    ----------
    image_shape, latent_dim, architecture, beta, seed, view, noise
        As for :class:`ViewVAE`.
    n_features : int
        Length of the features.

    Raises
    ------
    ValueError, TypeError
        As for :class:`ViewVAE`; or if ``n_features`` is not a whole number from 1, or if
        ``likelihood`` or ``consistency`` is given.

    Examples
    --------
    >>> images = np.random.default_rng(0).random((4, 28, 28, 1), dtype="float32")
    >>> vae = FeatureVAE((28, 28, 1), latent_dim=2, n_features=784)
    >>> sorted(vae.loss_terms(images, images.reshape(4, 784)))
    ['kl', 'loss', 'reconstruction']
    """

    def __init__(
        self,
        image_shape: Sequence[int] = (28, 28, 1),
        latent_dim: int = 32,
        architecture: str = "conv",
        n_features: int = 1296,
        beta: float = 1.0,
        seed: int = 0,
        view: Callable | None = None,
        noise: bool = True,
        **kwargs,
    ):
        if given := [name for name in ("likelihood", "consistency") if name in kwargs]:
            raise TypeError(
                _(
                    "a FeatureVAE takes no {given}, got {value!r}: features are Gaussian, and "
                    "have no posterior of their own; leave it out",
                    given=given[0],
                    value=kwargs[given[0]],
                )
            )
        decoder_of = functools.partial(_decoder_of_features, check_count(n_features, "n_features"))
        super().__init__(
            image_shape,
            latent_dim,
            architecture,
            "gaussian",
            beta,
            seed,
            view,
            noise=noise,
            decoder_of=decoder_of,
            **kwargs,
        )
        self.n_features = n_features

    def expected(self, logits):
        return logits

    def target_of(self, seen, target):
        shape = getattr(target, "shape", None)
        if shape is None or len(shape) != 2 or shape[1] != self.n_features:
            raise ValueError(self._expects(shape))
        return full_precision(tf.convert_to_tensor(target))

    def check_targets(self, targets, seen):
        if targets is None or np.shape(targets)[1:] != (self.n_features,):
            raise ValueError(self._expects(None if targets is None else np.shape(targets)))
        targets = check_matrix(targets, _("the features to draw"))
        if len(targets) != len(seen):
            raise ValueError(
                _(
                    "the features to draw must be as many as the images, got {count} and "
                    "{seen}; pass one row for each",
                    count=len(targets),
                    seen=len(seen),
                )
            )
        return targets

    def _expects(self, found) -> str:
        return _(
            "a FeatureVAE draws features of shape (n, {n_features}), got {found}; call "
            "fit(images, features)",
            n_features=self.n_features,
            found=_("none") if found is None else tuple(found),
        )

    def get_config(self):
        config = {**super().get_config(), "n_features": self.n_features}
        return {k: v for k, v in config.items() if k not in ("likelihood", "consistency")}


def _decoder_of_features(n_features, image_shape, latent_dim, architecture, **kwargs):
    return FeatureDecoder(latent_dim, n_features, **kwargs)
