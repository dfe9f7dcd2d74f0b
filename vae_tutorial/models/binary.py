"""A VAE whose latent is a code of bits."""

import numpy as np

from vae_tutorial import objectives
from vae_tutorial._checks import check_count
from vae_tutorial._tensorflow import keras, layers
from vae_tutorial._words import _
from vae_tutorial.models.networks import PointEncoder, Sampling, full_precision, register
from vae_tutorial.models.views import ViewVAE

ops = keras.ops

# Spread of a bit's log-odds over a batch: most coins are then nearly certain, and none is stuck.
LOG_ODDS_SPREAD = 8.0


@register
class StraightThrough(Sampling):
    """Draw bits -1 or +1 from logits; gradients pass as if the mean had been drawn.

    A coin flip has no useful gradient. The straight-through estimator uses that of the mean
    instead: biased, and good enough in practice. Source: Bengio, Léonard and Courville (2013),
    section 4. Introduced in chapter 6.

    Parameters
    ----------
    seed : int
        Starts the layer's own stream of noise; every call continues it.

    Examples
    --------
    >>> import numpy as np
    >>> StraightThrough()(np.array([[-50.0, 50.0]], "float32")).numpy()
    array([[-1.,  1.]], dtype=float32)
    """

    def call(self, logits):
        probability = ops.sigmoid(logits)
        noise = keras.random.uniform(
            ops.shape(logits), dtype=probability.dtype, seed=self.seed_generator
        )
        bits = ops.cast(noise < probability, probability.dtype)
        return 2.0 * (probability + ops.stop_gradient(bits - probability)) - 1.0


@register
class BitEncoder(PointEncoder):
    """Encoder of the log-odds of bits, standardised over the batch.

    Left alone, the log-odds of a bit drift to one side for all images; its coin is then always the
    same, its gradient is gone, and the bit is lost for good. Batch normalisation without an offset
    (Ioffe and Szegedy 2015) keeps the average log-odds of every bit at zero, so that a bit splits
    the images about evenly. Introduced in chapter 6.

    Parameters
    ----------
    image_shape, latent_dim, architecture
        As for :class:`PointEncoder`; ``latent_dim`` is the number of bits.

    Raises
    ------
    ValueError, TypeError
        As for :class:`PointEncoder`.

    Examples
    --------
    >>> images = np.random.default_rng(0).random((64, 28, 28, 1), dtype="float32")
    >>> log_odds = BitEncoder((28, 28, 1), latent_dim=16)(images, training=True)
    >>> bool(np.abs(np.mean(log_odds, axis=0)).max() < 1e-3)
    True
    """

    def __init__(self, image_shape, latent_dim, architecture="dense", **kwargs):
        super().__init__(image_shape, latent_dim, architecture, **kwargs)
        spread = keras.initializers.Constant(LOG_ODDS_SPREAD)
        self.standardise = layers.BatchNormalization(
            momentum=0.9, center=False, gamma_initializer=spread, name="standardise", **self.policy
        )

    def build(self, input_shape):
        super().build(input_shape)
        self.standardise.build((None, self.latent_dim))

    def call(self, images, training=False):
        log_odds = self.mean_head(self.hidden(images))
        return full_precision(self.standardise(log_odds, training=training))


@register
class BinaryVAE(ViewVAE):
    """VAE whose latent is a code of bits: each dimension is a coin, the prior is fair coins.

    The encoder puts out the log-odds of each bit (:class:`BitEncoder`). A code takes
    ``latent_dim / 8`` bytes. The squared Euclidean distance of two codes of -1 and +1 is four times
    the number of bits in which they differ, the Hamming distance: an index ranks them all the same.
    ``encode`` gives the more likely value of each bit; ``np.packbits(codes > 0, axis=1)`` packs
    them. Introduced in chapter 6.

    Parameters
    ----------
    image_shape, latent_dim, architecture, likelihood, beta, seed, view, consistency, noise
        As for :class:`ViewVAE`; ``latent_dim`` is the number of bits.

    Raises
    ------
    ValueError, TypeError
        As for :class:`ViewVAE`.

    Examples
    --------
    >>> codes = BinaryVAE((28, 28, 1), latent_dim=16).encode(np.zeros((1, 28, 28, 1)))
    >>> codes.shape, set(np.unique(np.abs(codes)).tolist())
    ((1, 16), {1.0})
    """

    encoder_class = BitEncoder
    sampling_class = StraightThrough

    def divergence(self, posterior, other=None):
        """Return the KL divergence, (batch,) in nats, of coins from fair ones, or ``other`` ones.

        ``posterior`` and ``other`` are log-odds, (batch, latent_dim).
        """
        if other is None:
            return objectives.bernoulli_kl(posterior)
        gap = ops.sigmoid(posterior) * (posterior - other)
        return ops.sum(gap - ops.softplus(posterior) + ops.softplus(other), axis=-1)

    def latent_of(self, images):
        return ops.where(self.encoder(images) > 0, 1.0, -1.0)

    def latent_from(self, posterior):
        """Return the more likely bits of a ``posterior``; gradients are those of the mean."""
        mean = 2.0 * ops.sigmoid(posterior) - 1.0
        return mean + ops.stop_gradient(ops.where(posterior > 0, 1.0, -1.0) - mean)

    def encode_distribution(self, images, batch_size=512):
        """Refuse: a bit has no variance of its own, whatever images and ``batch_size`` are."""
        raise TypeError(_("a BinaryVAE's latent is bits, which have no variance; use encode"))

    def sample(self, n: int, seed: int = 0) -> np.ndarray:
        """Return ``n`` images decoded from fair coins that are drawn with ``seed``."""
        rng = np.random.default_rng(check_count(seed, "seed", at_least=0))
        return self.decode(rng.choice([-1.0, 1.0], size=(check_count(n, "n"), self.latent_dim)))
