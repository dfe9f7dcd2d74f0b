"""A VAE of two modalities: images and bags of words, described in one latent space."""

import functools
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from vae_tutorial import objectives
from vae_tutorial._checks import check_count, check_matrix, check_number
from vae_tutorial._tensorflow import keras, layers
from vae_tutorial._words import _
from vae_tutorial.models import VAE, _data, bound_log_var
from vae_tutorial.models.networks import full_precision, register

ops = keras.ops


def product_of_experts(means, log_vars):
    r"""Multiply diagonal Gaussians, and the standard normal as one more, into one.

    .. math:: \sigma^{-2} = 1 + \sum_m \sigma_m^{-2}, \qquad
              \mu = \sigma^2 \sum_m \sigma_m^{-2} \mu_m

    An expert that is sure (small variance) pulls more; an expert that is missing pulls not at all.
    Source: Hinton (2002); Wu and Goodman (2018), section 2.2. Introduced in chapter 8.

    Parameters
    ----------
    means, log_vars : sequences of arrays (..., latent_dim), float
        One mean and one log-variance for each expert.

    Returns
    -------
    mean, log_var : tensors (..., latent_dim)
        Of the product.

    Raises
    ------
    ValueError
        If there is no expert, or not as many log-variances as means.

    Examples
    --------
    >>> mean, log_var = product_of_experts([np.array([1.0]), np.array([3.0])], [np.zeros(1)] * 2)
    >>> float(mean[0]), round(float(ops.exp(log_var)[0]), 3)
    (1.3333333333333333, 0.333)
    """
    if not len(means) or len(means) != len(log_vars):
        raise ValueError(
            _(
                "means and log_vars must hold one array for each expert, at least one; got "
                "{means} and {log_vars}",
                means=len(means),
                log_vars=len(log_vars),
            )
        )
    precisions = [ops.exp(-log_var) for log_var in log_vars]
    total = sum(precisions) + 1.0  # the prior: mean 0, variance 1
    mean = sum(p * m for p, m in zip(precisions, means, strict=True)) / total
    return mean, -ops.log(total)


def _check_words(words, n_words: int) -> np.ndarray:
    """Return bags of words as a float32 matrix; a sparse matrix of SciPy's is filled up."""
    dense = words.toarray() if hasattr(words, "toarray") else words
    return check_matrix(dense, "words", columns=n_words)


@register
class ImageTextVAE(VAE):
    r"""VAE of an image and its words: one latent, an encoder and a decoder for each modality.

    The posterior given any subset of the two is the product of their experts and the prior.
    Trained on the sum over the three subsets :math:`S` of

    .. math:: -\mathbb E_{q(z|x_S)}\left[\log p(x|z) + \lambda \log p(w|z)\right]
              + \beta\, D_{KL}[q(z|x_S) \,\|\, p(z)],

    so that each modality alone learns to say both. Words of training images are supervision.
    Source: Wu and Goodman (2018); the cross terms after Suzuki et al. (2016).
    Introduced in chapter 8.

    Parameters
    ----------
    image_shape, latent_dim, architecture, likelihood, beta, seed
        As for :class:`vae_tutorial.models.VAE`.
    n_words : int
        Length of a bag of words.
    word_weight : float
        Weight :math:`\lambda` of the words' log-likelihood; an image has many more values.
    dropout : float in [0, 0.9]
        Share of the words hidden from the text encoder at each training step.

    Raises
    ------
    ValueError, TypeError
        As for :class:`vae_tutorial.models.VAE`; or if one of the other numbers is out of range.

    Examples
    --------
    >>> vae = ImageTextVAE((8, 8, 3), n_words=5, latent_dim=2)
    >>> vae.encode(np.zeros((3, 8, 8, 3))).shape, vae.encode_words(np.zeros((3, 5))).shape
    ((3, 2), (3, 2))
    """

    term_names = (*VAE.term_names, "words")

    def __init__(
        self,
        image_shape: Sequence[int],
        n_words: int,
        latent_dim: int = 64,
        architecture: str = "conv",
        likelihood: str = "gaussian",
        beta: float = 0.2,
        word_weight: float = 50.0,
        dropout: float = 0.5,
        seed: int = 0,
        **kwargs,
    ):
        self.n_words = check_count(n_words, "n_words")
        self.word_weight = check_number(word_weight, "word_weight", at_least=0)
        self.dropout = check_number(dropout, "dropout", at_least=0, at_most=0.9)
        super().__init__(image_shape, latent_dim, architecture, likelihood, beta, seed, **kwargs)

    def build(self, input_shape):
        policy = {"dtype": self.dtype_policy}
        dense = functools.partial(layers.Dense, 256, activation="relu", **policy)
        hide = layers.Dropout(self.dropout, seed=self.sampling.seed, **policy)
        both = layers.Dense(2 * self.latent_dim, **policy)  # means, then log-variances
        words, z = keras.Input((self.n_words,)), keras.Input((self.latent_dim,))
        self.text_encoder = keras.Sequential([words, hide, dense(), both], name="text_encoder")
        say = layers.Dense(self.n_words, **policy)
        self.text_decoder = keras.Sequential([z, dense(), say], name="text_decoder")
        super().build(input_shape)

    def streams(self) -> dict:
        return {"hidden_words": self.text_encoder.layers[0].seed_generator}

    def posterior(self, images=None, words=None, training: bool = False) -> tuple:
        """Return mean and log-variance of z, (batch, latent_dim), given images, words, or both.

        ``images`` and ``words`` are batches or None; ``training`` says whether words are hidden.
        """
        experts = []
        if images is not None:
            experts.append(self.encoder(images))
        if words is not None:
            both = full_precision(self.text_encoder(words, training=training))
            mean, raw = ops.split(both, 2, axis=-1)
            experts.append((mean, bound_log_var(raw)))
        if not experts:
            raise ValueError(_("posterior needs images, words or both, got neither"))
        return product_of_experts(*zip(*experts, strict=True))

    def latent_of(self, images):
        return self.posterior(images)[0]

    def loss_terms(self, seen, target=None, training: bool = False) -> dict:
        """Return the batch means of the loss and its terms, summed over the three subsets.

        Parameters
        ----------
        seen : tuple of arrays (batch, height, width, channels) and (batch, n_words)
            Images and words that the encoders see.
        target : tuple like ``seen``, optional
            Images to draw and words to say; by default those seen.
        training : bool
            Whether the text encoder hides words.

        Returns
        -------
        dict of str to scalar tensor
            ``loss``, ``reconstruction`` (of images), ``kl``, and ``words``, the words' term with
            its weight: ``loss = reconstruction + beta * kl + words``, in nats.
        """
        (images, words), (drawn, said) = seen, seen if target is None else target
        reconstruction = kl = missed = 0.0
        for subset in ({"images": images, "words": words}, {"images": images}, {"words": words}):
            posterior = self.posterior(**subset, training=training)
            z = self.drawn_from(posterior)
            reconstruction -= ops.mean(self.log_likelihood(drawn, self.decoder(z)))
            kl += ops.mean(self.divergence(posterior))
            logits = full_precision(self.text_decoder(z))
            missed -= ops.mean(objectives.bernoulli_log_likelihood(said, logits))
        missed *= self.word_weight
        loss = reconstruction + self.beta * kl + missed
        return {"loss": loss, "reconstruction": reconstruction, "kl": kl, "words": missed}

    def unpack(self, data) -> tuple:
        """Return images and words seen, and images and words wanted, of a batch."""
        while len(data) == 1:  # one tuple, as fit and most data sets bring it
            (data,) = data
        images, words, *drawn = data
        images = _data.check_batch(images, self.image_shape)
        words = ops.cast(words, images.dtype)
        drawn = _data.check_batch(drawn[0], self.image_shape, "targets") if drawn else images
        return (images, words), (drawn, words)

    def _check_arrays(self, x, y=None, weights=None) -> tuple:
        # A data set yields the parts side by side, fit gets them as one tuple.
        given = [x, y, weights] if not isinstance(x, (tuple, list)) else [*x, y, weights]
        parts = [part for part in given if part is not None]
        extra = isinstance(x, (tuple, list)) and (y is not None or weights is not None)
        if extra or len(parts) not in (2, 3):
            raise ValueError(
                _(
                    "an ImageTextVAE trains on one tuple: (images, words) or (images, words, "
                    "targets)"
                )
            )
        images = _data.check_pictures(parts[0], self.image_shape)
        words = _check_words(parts[1], self.n_words)
        targets = images if len(parts) == 2 else _data.check_pictures(parts[2], self.image_shape)
        if not len(images) == len(words) == len(targets):
            raise ValueError(
                _(
                    "images, words and targets must be equally many, got {images}, {words} "
                    "and {targets}",
                    images=len(images),
                    words=len(words),
                    targets=len(targets),
                )
            )
        return (images, words, targets), None

    def _held_out(self, data):
        checked = self._checked(data, None)
        return checked[0] if _data.is_data_set(data) else (checked[0],)

    def encode_words(self, words: ArrayLike) -> np.ndarray:
        """Return the posterior means given ``words`` alone, (n, latent_dim), as queries."""
        words = _check_words(words, self.n_words)
        return self.posterior(words=words)[0].numpy().astype(np.float32)

    def decode_words(self, z: ArrayLike) -> np.ndarray:
        """Return the probability of each word given latents ``z``, (n, n_words), float32."""
        return ops.sigmoid(self.text_decoder(check_matrix(z, "z", columns=self.latent_dim))).numpy()

    @functools.cached_property
    def _compiled_encoder(self):
        return self._compiled(self.posterior)

    def get_config(self):
        own = ("n_words", "word_weight", "dropout")
        return {**super().get_config(), **{name: getattr(self, name) for name in own}}
