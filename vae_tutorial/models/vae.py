"""The variational autoencoder, and its plain relative."""

import functools
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from vae_tutorial import objectives
from vae_tutorial._checks import check_count, check_number
from vae_tutorial._tensorflow import keras
from vae_tutorial._words import _
from vae_tutorial.models.base import ImageModel
from vae_tutorial.models.networks import PointEncoder, Sampling, register

ops = keras.ops


@register
class VAE(ImageModel):
    """Variational autoencoder: an encoder, a sampling step and a decoder trained on the ELBO.

    ``fit`` takes images alone, or images and what to draw from them. ``fit`` and ``evaluate``
    report ``loss``, ``reconstruction`` and ``kl``: sums over pixels and latent dimensions, means
    over the batch, in nats; and ``beta``, so that ``loss = reconstruction + beta * kl``. Called on
    images it reconstructs them through the posterior mean, so the same image gives the same answer.
    Initial weights follow Keras's seed (:func:`vae_tutorial.training.set_seed`).
    Source: Kingma and Welling (2014). Introduced in chapter 3.

    Parameters
    ----------
    image_shape : tuple of int
        (height, width, channels).
    latent_dim : int
        Number of latent dimensions; the article uses 32.
    architecture : {"dense", "conv"}
        Network of both halves.
    likelihood : {"bernoulli", "gaussian"}
        Model of a pixel. The Gaussian learns one log-variance shared by all pixels
        (Rybkin et al. 2021).
    beta : float
        Weight of the KL term. ``model.beta = 0.5`` changes it, during training too.
    seed : int
        Seed of the sampling noise.
    noise : bool
        False leaves the noise out: the decoder sees the mean. With ``beta=0`` what remains is a
        plain autoencoder, and the switch is all that it differs in.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range, of the wrong kind, or the strides do not divide the image.

    Examples
    --------
    >>> import numpy as np
    >>> vae = VAE((28, 28, 1), latent_dim=2)
    >>> vae.encode(np.zeros((3, 28, 28, 1))).shape
    (3, 2)
    """

    sampling_class: type = Sampling
    term_names: tuple[str, ...] = ("loss", "reconstruction", "kl", "beta")

    def __init__(
        self,
        image_shape: Sequence[int] = (28, 28, 1),
        latent_dim: int = 32,
        architecture: str = "dense",
        likelihood: str = "bernoulli",
        beta: float = 1.0,
        seed: int = 0,
        noise: bool = True,
        **kwargs,
    ):
        super().__init__(image_shape, latent_dim, architecture, likelihood, **kwargs)
        beta = check_number(beta, "beta", at_least=0)
        self.noise = bool(noise)
        self.sampling = self.sampling_class(seed, name="sampling")
        self._beta = self._number("beta", beta, trainable=False)
        self.build((None, *self.image_shape))

    @property
    def beta(self):
        """Weight of the KL term; a variable, so that a compiled step reads what it holds now."""
        return self._beta

    @beta.setter
    def beta(self, value):
        self._beta.assign(check_number(value, "beta", at_least=0))

    def loss_terms(self, seen, target=None, training: bool = False, posterior=None) -> dict:
        """Return the batch means of the loss and its terms, for one draw of z an image.

        Parameters
        ----------
        seen : array (batch, height, width, channels), float in [0, 1]
            What the encoder sees.
        target : array like ``seen``, optional
            What is to be drawn from it; by default the same images.
        training : bool
            Whether layers that learn from the batch, such as batch normalisation, do so.
        posterior : optional
            What the encoder made of ``seen``, where that is known already.

        Returns
        -------
        dict of str to scalar tensor
            ``loss``, ``reconstruction`` and ``kl``, in nats.
        """
        target = seen if target is None else target
        if posterior is None:
            posterior = self.encoder(seen, training=training)
        z = self.drawn_from(posterior)
        log_likelihood = self.log_likelihood(target, self.decoder(z))
        kl = self.divergence(posterior)
        loss = -objectives.elbo(log_likelihood, kl, beta=self.beta)
        return {
            "loss": ops.mean(loss),
            "reconstruction": -ops.mean(log_likelihood),
            "kl": ops.mean(kl),
        }

    def _all_terms(self, seen, target, training: bool = False) -> dict:
        terms = super()._all_terms(seen, target, training)
        return {**terms, "beta": ops.convert_to_tensor(self.beta)}

    def divergence(self, posterior, other=None):
        """Return the KL divergence, (batch,) in nats, of a ``posterior`` from the prior.

        Or from an ``other`` posterior, where one is given. Both are what the encoder puts out.
        """
        if other is None:
            return objectives.kl_divergence(*posterior)
        return objectives.gaussian_kl(*posterior, *other)

    def latent_of(self, images):
        return self.latent_from(self.encoder(images))

    def drawn_from(self, posterior):
        """Return what the decoder sees of a ``posterior``: a draw, or without noise its mean."""
        return self.sampling(posterior) if self.noise else self.latent_from(posterior)

    def latent_from(self, posterior):
        """Return the latent that a ``posterior`` gives when no noise is drawn: its mean."""
        return posterior[0]

    def encode_distribution(
        self, images: ArrayLike, batch_size: int = 512
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and log-variance of the posterior of each of ``images``.

        Both (n, latent_dim), float32; ``batch_size`` images are encoded at a time.
        """
        mean, log_var = self._in_batches(self._compiled_encoder, images, batch_size)
        return mean, log_var

    @functools.cached_property
    def _compiled_encoder(self) -> Callable:
        return self._compiled(self.encoder)

    def sample(self, n: int, seed: int = 0) -> np.ndarray:
        """Return ``n`` images decoded from draws of the prior with ``seed``, float32 in [0, 1]."""
        rng = np.random.default_rng(check_count(seed, "seed", at_least=0))
        return self.decode(rng.standard_normal((check_count(n, "n"), self.latent_dim)))

    def get_config(self):
        own = {"beta": float(self.beta.numpy()), "seed": self.sampling.seed, "noise": self.noise}
        return {**super().get_config(), **own}


@register
class Autoencoder(ImageModel):
    """Plain autoencoder: the VAE's network without noise and without a KL term.

    Its latent is a point, not a distribution: there is nothing to draw from and nothing to sample.
    Takes the arguments of :class:`VAE` except ``beta`` and ``seed``.
    Source: Hinton and Salakhutdinov (2006). Introduced in chapter 3.

    Parameters
    ----------
    image_shape : tuple of int
        (height, width, channels).
    latent_dim : int
        Number of latent dimensions.
    architecture : {"dense", "conv"}
        Network of both halves.
    likelihood : {"bernoulli", "gaussian"}
        Model of a pixel.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range, of the wrong kind, or the strides do not divide the image.

    Examples
    --------
    >>> import numpy as np
    >>> autoencoder = Autoencoder((28, 28, 1), latent_dim=2)
    >>> autoencoder.encode(np.zeros((3, 28, 28, 1))).shape
    (3, 2)
    """

    encoder_class = PointEncoder

    def __init__(
        self,
        image_shape: Sequence[int] = (28, 28, 1),
        latent_dim: int = 32,
        architecture: str = "dense",
        likelihood: str = "bernoulli",
        **kwargs,
    ):
        super().__init__(image_shape, latent_dim, architecture, likelihood, **kwargs)
        self.build((None, *self.image_shape))

    def loss_terms(self, seen, target=None, training: bool = False) -> dict:
        """Return ``loss`` and ``reconstruction``, which are equal; see :meth:`VAE.loss_terms`.

        ``seen``, ``target`` and ``training`` are as there.
        """
        target = seen if target is None else target
        z = self.encoder(seen, training=training)
        reconstruction = -ops.mean(self.log_likelihood(target, self.decoder(z)))
        return {"loss": reconstruction, "reconstruction": reconstruction}

    def encode_distribution(self, images, batch_size=512):
        """Refuse: a point has no variance, which images and ``batch_size`` could change."""
        raise TypeError(_("an Autoencoder's latent is a point without a variance; use encode"))

    def sample(self, n, seed=0):
        """Refuse: there is no prior from which ``n`` latents could be drawn with ``seed``."""
        raise TypeError(_("an Autoencoder has no prior to sample from; train a VAE"))
