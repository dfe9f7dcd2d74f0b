"""The variational autoencoder as an ordinary Keras model, and its plain relative."""

import functools
import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from vae_tutorial import objectives
from vae_tutorial._checks import (
    check_choice,
    check_count,
    check_images,
    check_matrix,
    check_number,
)
from vae_tutorial._tensorflow import keras, layers, tf

ops = keras.ops
register = keras.saving.register_keras_serializable(package="vae_tutorial")

ARCHITECTURES = ("dense", "conv")
LIKELIHOODS = ("bernoulli", "gaussian")
LOG_VAR_BOUND = 10.0
CONV_STRIDE = 4  # two convolutions of stride 2
# Adam moves a weight by about the learning rate a step; this lone one has a long way to go.
PIXEL_LOG_VAR_GAIN = 10.0
# Spread of a bit's log-odds over a batch: most coins are then nearly certain, and none is stuck.
LOG_ODDS_SPREAD = 8.0


def bound_log_var(raw):
    """Squash any real number smoothly into (-10, 10), leaving small numbers almost unchanged.

    A log-variance of 100 would overflow ``exp``; a bound inside the network keeps every
    training step finite. Introduced in chapter 3.

    Parameters
    ----------
    raw : array, float
        What the last layer puts out.

    Returns
    -------
    tensor
        ``LOG_VAR_BOUND * tanh(raw / LOG_VAR_BOUND)``.

    Examples
    --------
    >>> import numpy as np
    >>> bound_log_var(np.array([0.1, 1e9])).numpy().round(3)
    array([ 0.1, 10. ])
    """
    return LOG_VAR_BOUND * ops.tanh(raw / LOG_VAR_BOUND)


@register
class Sampling(layers.Layer):
    """Draw z from the approximate posterior by the reparameterisation trick.

    Source: Kingma and Welling (2014), section 2.4. Introduced in chapter 3.

    Parameters
    ----------
    seed : int
        Starts the layer's own stream of noise; every call continues it.

    Examples
    --------
    >>> import numpy as np
    >>> sampling = Sampling(seed=0)
    >>> mean, log_var = np.zeros((1, 2), "float32"), np.zeros((1, 2), "float32")
    >>> first, second = sampling((mean, log_var)), sampling((mean, log_var))
    >>> bool((first.numpy() == second.numpy()).any())
    False
    """

    def __init__(self, seed: int = 0, **kwargs):
        super().__init__(**kwargs)
        self.seed = check_count(seed, "seed", at_least=0)
        # An int handed to keras.random would repeat the same draw every time.
        self.seed_generator = keras.random.SeedGenerator(self.seed)

    def call(self, inputs):
        mean, log_var = inputs
        shape, dtype = ops.shape(mean), mean.dtype
        noise = keras.random.normal(shape, dtype=dtype, seed=self.seed_generator)
        return objectives.reparameterise(mean, log_var, noise)

    def save_own_variables(self, store):
        # Keras leaves the generator out of the file; a loaded model goes on with it.
        store["seed_state"] = self.seed_generator.state.numpy()

    def load_own_variables(self, store):
        self.seed_generator.state.assign(store["seed_state"])

    def get_config(self):
        return {**super().get_config(), "seed": self.seed}


@register
class Encoder(layers.Layer):
    """Map images to the mean and log-variance of the approximate posterior q(z | x).

    ``"dense"`` has the article's widths 128, 64, 256; ``"conv"`` has two convolutions of stride 2
    and a dense layer. Introduced in chapter 3.

    Parameters
    ----------
    image_shape : tuple of int
        (height, width, channels).
    latent_dim : int
        Number of latent dimensions.
    architecture : {"dense", "conv"}
        Which network; ``"conv"`` needs height and width that 4 divides.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range, of the wrong kind, or the strides do not divide the image.

    Examples
    --------
    >>> import numpy as np
    >>> encoder = Encoder((28, 28, 1), latent_dim=2)
    >>> mean, log_var = encoder(np.zeros((3, 28, 28, 1), "float32"))
    >>> mean.shape, log_var.shape
    (TensorShape([3, 2]), TensorShape([3, 2]))
    """

    def __init__(self, image_shape, latent_dim, architecture="dense", **kwargs):
        super().__init__(**kwargs)
        self.image_shape = check_image_shape(image_shape, architecture)
        self.latent_dim = check_count(latent_dim, "latent_dim")
        self.architecture = architecture
        if architecture == "dense":
            hidden = [layers.Flatten(), *_dense_stack(128, 64, 256)]
        else:
            hidden = [
                layers.Conv2D(32, 3, strides=2, padding="same", activation="relu"),
                layers.Conv2D(64, 3, strides=2, padding="same", activation="relu"),
                layers.Flatten(),
                *_dense_stack(256),
            ]
        inputs = keras.Input(self.image_shape)
        self.hidden = keras.Sequential([inputs, *hidden], name="hidden")
        self.mean_head = layers.Dense(self.latent_dim, name="mean")
        self.log_var_head = layers.Dense(self.latent_dim, name="log_var")

    def build(self, input_shape):
        for head in (self.mean_head, self.log_var_head):
            if not head.built:  # a reader may have called a head by itself
                head.build(self.hidden.output_shape)
        self.built = True

    def call(self, images):
        hidden = self.hidden(images)
        return self.mean_head(hidden), bound_log_var(self.log_var_head(hidden))

    def get_config(self):
        return {
            **super().get_config(),
            "image_shape": self.image_shape,
            "latent_dim": self.latent_dim,
            "architecture": self.architecture,
        }


@register
class Decoder(layers.Layer):
    """Map latents to logits, one a pixel: the sigmoid is left to the likelihood.

    ``"dense"`` has the article's widths 256, 64, 128; ``"conv"`` mirrors the convolutional encoder.
    Introduced in chapter 3.

    Parameters
    ----------
    image_shape : tuple of int
        (height, width, channels).
    latent_dim : int
        Number of latent dimensions.
    architecture : {"dense", "conv"}
        Which network; ``"conv"`` needs height and width that 4 divides.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range, of the wrong kind, or the strides do not divide the image.

    Examples
    --------
    >>> import numpy as np
    >>> decoder = Decoder((28, 28, 1), latent_dim=2, architecture="conv")
    >>> decoder(np.zeros((3, 2), "float32")).shape
    TensorShape([3, 28, 28, 1])
    """

    def __init__(self, image_shape, latent_dim, architecture="dense", **kwargs):
        super().__init__(**kwargs)
        self.image_shape = check_image_shape(image_shape, architecture)
        height, width, channels = self.image_shape
        self.latent_dim = check_count(latent_dim, "latent_dim")
        self.architecture = architecture
        if architecture == "dense":
            pixels = height * width * channels
            hidden = [
                *_dense_stack(256, 64, 128),
                layers.Dense(pixels),
                layers.Reshape(self.image_shape),
            ]
        else:
            small = (height // CONV_STRIDE, width // CONV_STRIDE, 64)
            hidden = [
                *_dense_stack(256, small[0] * small[1] * small[2]),
                layers.Reshape(small),
                layers.Conv2DTranspose(32, 3, strides=2, padding="same", activation="relu"),
                layers.Conv2DTranspose(channels, 3, strides=2, padding="same"),
            ]
        inputs = keras.Input((self.latent_dim,))
        self.hidden = keras.Sequential([inputs, *hidden], name="hidden")

    def call(self, z):
        return self.hidden(z)

    def get_config(self):
        return {
            **super().get_config(),
            "image_shape": self.image_shape,
            "latent_dim": self.latent_dim,
            "architecture": self.architecture,
        }


@register
class VAE(keras.Model):
    """Variational autoencoder: an encoder, a sampling step and a decoder trained on the ELBO.

    ``fit`` and ``evaluate`` take images alone and report ``loss``, ``reconstruction`` and ``kl``:
    sums over pixels and latent dimensions, means over the batch, in nats. Called on images
    it reconstructs them through the posterior mean, so the same image gives the same answer.
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
        Weight of the KL term; a variable, so that a schedule can change it.
    seed : int
        Seed of the sampling noise.

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

    encoder_class = Encoder
    sampling_class = Sampling

    def __init__(
        self,
        image_shape: Sequence[int] = (28, 28, 1),
        latent_dim: int = 32,
        architecture: str = "dense",
        likelihood: str = "bernoulli",
        beta: float = 1.0,
        seed: int = 0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        beta = check_number(beta, "beta", at_least=0)
        self.likelihood = check_choice(likelihood, "likelihood", LIKELIHOODS)
        self.encoder = self.encoder_class(image_shape, latent_dim, architecture, name="encoder")
        self.sampling = self.sampling_class(seed, name="sampling")
        self.decoder = Decoder(image_shape, latent_dim, architecture, name="decoder")
        self.image_shape = self.encoder.image_shape
        self.latent_dim = self.encoder.latent_dim
        self.beta = self.add_weight(
            name="beta", shape=(), initializer=keras.initializers.Constant(beta), trainable=False
        )
        if likelihood == "gaussian":
            self.pixel_log_var = self.add_weight(
                name="pixel_log_var", shape=(), initializer=keras.initializers.Constant(-0.2)
            )
        names = ("loss", "reconstruction", "kl")
        self.trackers = {name: keras.metrics.Mean(name) for name in names}
        self.build((None, *self.image_shape))

    def build(self, input_shape):
        self.encoder.build(input_shape)
        self.decoder.build((None, self.latent_dim))
        self.built = True

    def call(self, images):
        mean, _ = self.encoder(images)
        return ops.sigmoid(self.decoder(mean))

    def log_likelihood(self, images, logits):
        """Return log p(x | z) in nats, one value an image.

        Parameters
        ----------
        images : array (batch, height, width, channels), float in [0, 1]
            What is to be explained.
        logits : tensor of the same shape
            What the decoder puts out for z.

        Returns
        -------
        tensor (batch,)
        """
        if self.likelihood == "bernoulli":
            return objectives.bernoulli_log_likelihood(images, logits)
        log_var = bound_log_var(PIXEL_LOG_VAR_GAIN * self.pixel_log_var)
        return objectives.gaussian_log_likelihood(images, ops.sigmoid(logits), log_var)

    def loss_terms(self, images) -> dict:
        """Return the batch means of the loss and its two terms, for one draw of z an image.

        Parameters
        ----------
        images : array (batch, height, width, channels), float in [0, 1]
            A mini-batch.

        Returns
        -------
        dict of str to scalar tensor
            ``loss``, ``reconstruction`` and ``kl``, in nats.
        """
        mean, log_var = self.encoder(images)
        z = self.sampling((mean, log_var))
        log_likelihood = self.log_likelihood(images, self.decoder(z))
        kl = objectives.kl_divergence(mean, log_var)
        loss = -objectives.elbo(log_likelihood, kl, beta=self.beta)
        return {
            "loss": ops.mean(loss),
            "reconstruction": -ops.mean(log_likelihood),
            "kl": ops.mean(kl),
        }

    def _unpack(self, data) -> tuple:
        return (_images_only(data),)

    def train_step(self, data):
        inputs = self._unpack(data)
        # Keras adds the gradients of all devices; each brings its share of the mean.
        devices = tf.distribute.get_strategy().num_replicas_in_sync
        with tf.GradientTape() as tape:
            terms = self.loss_terms(*inputs)
            loss = terms["loss"] / devices
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply(gradients, self.trainable_variables)
        return self._track(terms, inputs[0])

    def test_step(self, data):
        images = _images_only(data)
        return self._track(self.loss_terms(images), images)

    def _track(self, terms: dict, images) -> dict:
        # Weighted by the batch size, so that a short last batch does not count for more.
        for name, tracker in self.trackers.items():
            tracker.update_state(terms[name], sample_weight=ops.shape(images)[0])
        return {name: tracker.result() for name, tracker in self.trackers.items()}

    @property
    def metrics(self):
        return list(self.trackers.values())

    def fit(self, x=None, y=None, *args, **kwargs):
        """Train on images alone; as :meth:`keras.Model.fit`, with the images checked first."""
        return super().fit(self._check_data(x, y), None, *args, **kwargs)

    def evaluate(self, x=None, y=None, *args, **kwargs):
        """Return loss, reconstruction and KL; as :meth:`keras.Model.evaluate`."""
        return super().evaluate(self._check_data(x, y), None, *args, **kwargs)

    def _check_data(self, x, y):
        if y is not None:
            raise ValueError("a VAE trains on images alone, got a second argument y; leave it out")
        return self._check_images(x) if isinstance(x, np.ndarray) else x

    def _check_images(self, images: ArrayLike) -> np.ndarray:
        images = check_images(images)
        if images.shape[1:] != self.image_shape:
            raise ValueError(
                f"images must have shape (n, {', '.join(map(str, self.image_shape))}) for this "
                f"model, got {images.shape}; build a model with image_shape={images.shape[1:]}"
            )
        return images

    def encode(self, images: ArrayLike, batch_size: int = 512) -> np.ndarray:
        """Return the posterior means: the descriptors for retrieval.

        Parameters
        ----------
        images : array (n, height, width, channels), float in [0, 1]
            Images of the model's shape.
        batch_size : int
            Images encoded at a time.

        Returns
        -------
        array (n, latent_dim), float32
        """
        return self.encode_distribution(images, batch_size)[0]

    def encode_distribution(
        self, images: ArrayLike, batch_size: int = 512
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and log-variance of the approximate posterior of each image.

        Parameters
        ----------
        images : array (n, height, width, channels), float in [0, 1]
            Images of the model's shape.
        batch_size : int
            Images encoded at a time.

        Returns
        -------
        mean, log_var : arrays (n, latent_dim), float32
        """
        images = self._check_images(images)
        starts = range(0, len(images), check_count(batch_size, "batch_size"))
        pairs = [self._compiled_encoder(images[i : i + batch_size]) for i in starts]
        means, log_vars = zip(*pairs, strict=True)
        return np.concatenate(means), np.concatenate(log_vars)

    def decode(self, z: ArrayLike, batch_size: int = 512) -> np.ndarray:
        """Return the images that latents decode to.

        Parameters
        ----------
        z : array (n, latent_dim), float
            Latents.
        batch_size : int
            Latents decoded at a time.

        Returns
        -------
        array (n, height, width, channels), float32 in [0, 1]
        """
        z = check_matrix(z, "z", columns=self.latent_dim)
        starts = range(0, len(z), check_count(batch_size, "batch_size"))
        return np.concatenate([ops.sigmoid(self.decoder(z[i : i + batch_size])) for i in starts])

    def sample(self, n: int, seed: int = 0) -> np.ndarray:
        """Return images decoded from draws of the prior.

        Parameters
        ----------
        n : int
            How many.
        seed : int
            Seed of the draws.

        Returns
        -------
        array (n, height, width, channels), float32 in [0, 1]
        """
        rng = np.random.default_rng(check_count(seed, "seed", at_least=0))
        return self.decode(rng.standard_normal((check_count(n, "n"), self.latent_dim)))

    @functools.cached_property
    def _compiled_encoder(self):
        # One trace for every batch size; a query of one image then costs little more than its work.
        signature = [tf.TensorSpec((None, *self.image_shape), tf.float32)]
        return tf.function(self.encoder.__call__, input_signature=signature)

    def get_config(self):
        return {
            "image_shape": self.image_shape,
            "latent_dim": self.latent_dim,
            "architecture": self.encoder.architecture,
            "likelihood": self.likelihood,
            "beta": float(self.beta.numpy()),
            "seed": self.sampling.seed,
            "name": self.name,
        }


@register
class Autoencoder(VAE):
    """Plain autoencoder: the VAE's network without noise and without a KL term.

    Its latent is a point, not a distribution; ``loss`` equals ``reconstruction`` and ``kl`` is 0.
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

    def __init__(
        self,
        image_shape: Sequence[int] = (28, 28, 1),
        latent_dim: int = 32,
        architecture: str = "dense",
        likelihood: str = "bernoulli",
        **kwargs,
    ):
        super().__init__(image_shape, latent_dim, architecture, likelihood, beta=0.0, **kwargs)
        self.encoder.log_var_head.trainable = False  # a plain autoencoder has no use for it

    def loss_terms(self, images) -> dict:
        """Return the batch mean of the reconstruction term; there is no KL divergence.

        Parameters
        ----------
        images : array (batch, height, width, channels), float in [0, 1]
            A mini-batch.

        Returns
        -------
        dict of str to scalar tensor
            ``loss`` and ``reconstruction``, which are equal, in nats, and ``kl``, which is 0.
        """
        mean, _ = self.encoder(images)
        reconstruction = -ops.mean(self.log_likelihood(images, self.decoder(mean)))
        return {"loss": reconstruction, "reconstruction": reconstruction, "kl": ops.zeros(())}

    def get_config(self):
        config = super().get_config()
        return {name: config[name] for name in config if name not in ("beta", "seed")}


@register
class ViewVAE(VAE):
    r"""VAE that sees a random view of an image and learns to reconstruct the image itself.

    .. math:: -\mathbb E_{q(z|v)}[\log p(x|z)] + \beta\, D_{KL}[q(z|v) \,\|\, p(z)]
              + \lambda\, D_{KL}[q(z|v) \,\|\, q(z|x)], \qquad v = \text{view}(x)

    What a view may change, the latent learns to ignore. The last term asks directly that view and
    image have one posterior (Sinha and Dieng 2021). Only training draws views: ``evaluate`` gives
    the ELBO of the images, ``encode`` encodes them as they are. Introduced in chapter 5.

    Parameters
    ----------
    image_shape, latent_dim, architecture, likelihood, beta, seed
        As for :class:`VAE`.
    view : function, images to images of the same shape, optional
        As :class:`vae_tutorial.training.RandomView`; without it the model is a plain VAE.
    consistency : float
        Weight :math:`\lambda` of the last term, not negative.

    Raises
    ------
    ValueError, TypeError
        As for :class:`VAE`; or if ``view`` cannot be called or ``consistency`` is negative.

    Examples
    --------
    >>> from vae_tutorial.training import RandomView
    >>> vae = ViewVAE((28, 28, 1), latent_dim=2, view=RandomView(shift=4.0), beta=0.2)
    >>> vae.encode(np.zeros((3, 28, 28, 1))).shape
    (3, 2)
    """

    def __init__(
        self,
        image_shape: Sequence[int] = (28, 28, 1),
        latent_dim: int = 32,
        architecture: str = "conv",
        likelihood: str = "bernoulli",
        beta: float = 1.0,
        seed: int = 0,
        view: Callable | None = None,
        consistency: float = 0.0,
        **kwargs,
    ):
        super().__init__(image_shape, latent_dim, architecture, likelihood, beta, seed, **kwargs)
        if view is not None and (isinstance(view, keras.Layer) or not callable(view)):
            raise TypeError(
                f"view must be a function that changes images, got {type(view).__name__}; pass "
                "training.RandomView(...), wrap a layer in a function, or None for a plain VAE"
            )
        self.view = view
        self.consistency = check_number(consistency, "consistency", at_least=0)

    def posterior_terms(self, images, training: bool = False) -> tuple:
        """Return one draw of z, its KL divergence from the prior, and the posterior's parameters.

        Parameters
        ----------
        images : array (batch, height, width, channels), float in [0, 1]
            What the encoder sees.
        training : bool
            Whether layers that learn from the batch, such as batch normalisation, do so.

        Returns
        -------
        z : tensor (batch, latent_dim)
        kl : tensor (batch,)
            In nats.
        parameters : tuple of tensors (batch, latent_dim)
            Mean and log-variance.
        """
        mean, log_var = self.encoder(images, training=training)
        z = self.sampling((mean, log_var))
        return z, objectives.kl_divergence(mean, log_var), (mean, log_var)

    def divergence(self, parameters: tuple, others: tuple):
        """Return the KL divergence between two posteriors of :meth:`posterior_terms`.

        Parameters
        ----------
        parameters, others : tuple of tensors (batch, latent_dim)
            Mean and log-variance of either posterior.

        Returns
        -------
        tensor (batch,)
            In nats.
        """
        return objectives.gaussian_kl(*parameters, *others)

    def loss_terms(self, images, training: bool = True) -> dict:
        """Return the batch means of the loss and its terms, for one view and one draw an image.

        Parameters
        ----------
        images : array (batch, height, width, channels), float in [0, 1]
            A mini-batch.
        training : bool
            Whether to draw views; without them, these are the terms of the plain ELBO.

        Returns
        -------
        dict of str to scalar tensor
            ``loss``, ``reconstruction`` and ``kl``, in nats.
        """
        view = self.view if training else None
        seen = images if view is None else view(images)
        z, kl, parameters = self.posterior_terms(seen, training)
        log_likelihood = self.log_likelihood(images, self.decoder(z))
        loss = -objectives.elbo(log_likelihood, kl, beta=self.beta)
        if view is not None and self.consistency:
            _, _, wanted = self.posterior_terms(images, training)
            loss += self.consistency * self.divergence(parameters, wanted)
        return {
            "loss": ops.mean(loss),
            "reconstruction": -ops.mean(log_likelihood),
            "kl": ops.mean(kl),
        }

    def test_step(self, data):
        images = _images_only(data)
        return self._track(self.loss_terms(images, training=False), images)

    def get_config(self):
        view = keras.saving.serialize_keras_object(self.view)
        return {**super().get_config(), "view": view, "consistency": self.consistency}

    @classmethod
    def from_config(cls, config):
        view = keras.saving.deserialize_keras_object(config.pop("view"))
        return cls(**config, view=view)


@register
class StraightThrough(Sampling):
    """Draw bits -1 or +1 from logits; gradients pass as if the mean had been drawn.

    A coin flip has no useful gradient. The straight-through estimator uses that of the mean
    instead: biased, and good enough in practice. Source: Bengio, Léonard and Courville (2013),
    section 4. Introduced in chapter 5.

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
        noise = keras.random.uniform(ops.shape(logits), seed=self.seed_generator)
        bits = ops.cast(noise < probability, probability.dtype)
        return 2.0 * (probability + ops.stop_gradient(bits - probability)) - 1.0


@register
class BitEncoder(Encoder):
    """Encoder whose means are the log-odds of bits, standardised over the batch.

    Left alone, the log-odds of a bit drift to one side for all images; its coin is then always the
    same, its gradient is gone, and the bit is lost for good. Batch normalisation without an offset
    (Ioffe and Szegedy 2015) keeps the average log-odds of every bit at zero, so that a bit splits
    the images about evenly. Introduced in chapter 5.

    Parameters
    ----------
    image_shape, latent_dim, architecture
        As for :class:`Encoder`; ``latent_dim`` is the number of bits.

    Raises
    ------
    ValueError, TypeError
        As for :class:`Encoder`.

    Examples
    --------
    >>> images = np.random.default_rng(0).random((64, 28, 28, 1), dtype="float32")
    >>> log_odds, _ = BitEncoder((28, 28, 1), latent_dim=16)(images, training=True)
    >>> bool(np.abs(np.mean(log_odds, axis=0)).max() < 1e-3)
    True
    """

    def __init__(self, image_shape, latent_dim, architecture="dense", **kwargs):
        super().__init__(image_shape, latent_dim, architecture, **kwargs)
        self.log_var_head.trainable = False  # a coin has no variance of its own
        spread = keras.initializers.Constant(LOG_ODDS_SPREAD)
        self.standardise = layers.BatchNormalization(
            momentum=0.9, center=False, gamma_initializer=spread, name="standardise"
        )

    def build(self, input_shape):
        super().build(input_shape)
        self.standardise.build((None, self.latent_dim))

    def call(self, images, training=False):
        log_odds, log_var = super().call(images)
        return self.standardise(log_odds, training=training), log_var


@register
class BinaryVAE(ViewVAE):
    """VAE whose latent is a code of bits: each dimension is a coin, the prior is fair coins.

    The encoder puts out the log-odds of each bit (:class:`BitEncoder`). A code takes
    ``latent_dim / 8`` bytes. The squared Euclidean distance of two codes of -1 and +1 is four times
    the number of bits in which they differ, the Hamming distance: an index ranks them all the same.
    Introduced in chapter 5.

    Parameters
    ----------
    image_shape, latent_dim, architecture, likelihood, beta, seed, view, consistency
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

    def call(self, images):
        logits, _ = self.encoder(images)
        return ops.sigmoid(self.decoder(ops.where(logits > 0, 1.0, -1.0)))

    def posterior_terms(self, images, training: bool = False) -> tuple:
        """As :meth:`ViewVAE.posterior_terms`; the parameters are the logits alone.

        Parameters
        ----------
        images : array (batch, height, width, channels), float in [0, 1]
            What the encoder sees.
        training : bool
            Whether the log-odds are standardised over this batch.

        Returns
        -------
        z, kl, parameters
        """
        logits, _ = self.encoder(images, training=training)
        return self.sampling(logits), objectives.bernoulli_kl(logits), (logits,)

    def divergence(self, parameters: tuple, others: tuple):
        """As :meth:`ViewVAE.divergence`, between coins.

        Parameters
        ----------
        parameters, others : tuple of one tensor (batch, latent_dim)
            Logits of either posterior.

        Returns
        -------
        tensor (batch,)
            In nats.
        """
        (ours,), (wanted,) = parameters, others
        gap = ops.sigmoid(ours) * (ours - wanted) - ops.softplus(ours) + ops.softplus(wanted)
        return ops.sum(gap, axis=-1)

    def encode(self, images: ArrayLike, batch_size: int = 512) -> np.ndarray:
        """Return the more likely value of each bit, -1 or +1.

        Parameters
        ----------
        images : array (n, height, width, channels), float in [0, 1]
            Images of the model's shape.
        batch_size : int
            Images encoded at a time.

        Returns
        -------
        array (n, latent_dim), float32
            ``np.packbits(codes > 0, axis=1)`` stores them in ``latent_dim / 8`` bytes each.
        """
        return np.where(super().encode(images, batch_size) > 0, 1.0, -1.0).astype(np.float32)

    def sample(self, n: int, seed: int = 0) -> np.ndarray:
        """Return images decoded from fair coins; as :meth:`VAE.sample`.

        Parameters
        ----------
        n : int
            How many.
        seed : int
            Seed of the draws.

        Returns
        -------
        array (n, height, width, channels), float32 in [0, 1]
        """
        rng = np.random.default_rng(check_count(seed, "seed", at_least=0))
        return self.decode(rng.choice([-1.0, 1.0], size=(check_count(n, "n"), self.latent_dim)))


def check_image_shape(image_shape: Sequence[int], architecture: str) -> tuple[int, int, int]:
    """Return ``image_shape`` as a tuple if ``architecture`` can be built for it.

    Parameters
    ----------
    image_shape : tuple of int
        (height, width, channels).
    architecture : {"dense", "conv"}
        Which network.

    Returns
    -------
    tuple of int

    Raises
    ------
    ValueError
        If there are not three sizes, or the strides of ``"conv"`` do not divide the image.
    TypeError
        If a size is not a whole number.

    Introduced in chapter 3.

    Examples
    --------
    >>> check_image_shape([28, 28, 1], "conv")
    (28, 28, 1)
    """
    check_choice(architecture, "architecture", ARCHITECTURES)
    shape = tuple(image_shape)
    if len(shape) != 3:
        raise ValueError(f"image_shape must be (height, width, channels), got {shape}")
    height, width, channels = (check_count(size, "a size in image_shape") for size in shape)
    if architecture == "conv" and (height % CONV_STRIDE or width % CONV_STRIDE):
        raise ValueError(
            f"the strides of the convolutional network need a height and width that {CONV_STRIDE} "
            f"divides, got {height} x {width}; resize or pad them, or use architecture='dense'"
        )
    return height, width, channels


def _dense_stack(*widths: int) -> list:
    return [layers.Dense(width, activation="relu") for width in widths]


def _images_only(data):
    images, labels, weights = keras.utils.unpack_x_y_sample_weight(data)
    if labels is not None or weights is not None:
        raise ValueError("a VAE trains on images alone; let the data set yield images, not pairs")
    return images


# Each bundled model: its class, its arguments, and the SHA-256 of its weights, as printed by
# benchmarks/weights.py.
_WEIGHTS = Path(__file__).parent / "weights"
_PRETRAINED: dict[str, tuple[type[VAE], dict[str, Any], str]] = {
    "mnist-vae": (
        VAE,
        {"latent_dim": 32},
        "220327ac9a30762c9c567277677a4855b3317ec0dff90097de06441ebd23b4e2",
    ),
    "mnist-view-vae": (
        ViewVAE,
        {"latent_dim": 32},
        "52e7b488b09a4500f64b3beed098f295a0a1a3f9b9b23e7ac548c391d6b64455",
    ),
    "mnist-binary-vae": (
        BinaryVAE,
        {"latent_dim": 64},
        "34ee7bf79baa2127698e4b1f87a15b27b7d3fb656e5b656ef045c5c720941be2",
    ),
    "mnist-dense-view-vae": (
        ViewVAE,
        {"latent_dim": 32, "architecture": "dense"},
        "df674de8d98cdd325d9e2bef4bd26aa83e7dbf8e21db2a7bb08520fbb54270e5",
    ),
    "mnist-2d-vae": (
        VAE,
        {"latent_dim": 2, "architecture": "dense"},
        "75dd163ec53939811b11fc6ba5d75f6061e51bf14692a9d240fadcf3d5e190a4",
    ),
    "fashion-vae": (
        VAE,
        {"latent_dim": 32},
        "e6e928422b51cc09baca623fecf1b28fbf3b1b96dd2211da3595829ab75c71f1",
    ),
    "fashion-view-vae": (
        ViewVAE,
        {"latent_dim": 32},
        "19ce7bfb4df161c531fd620a453d10ce7abf1ab10037b5aa3551d10c09f5fe2c",
    ),
}


def pretrained(name: str) -> VAE:
    """Load a bundled trained model, after checking that its weights are the expected ones.

    Each was trained, without labels, on the official training set without its first 5,848 images,
    so that it has seen no image of the bundled samples. ``vae_tutorial/weights/README.md`` says
    how, and what came out; ``python benchmarks/weights.py`` trains them again. The weights are
    stored as 16-bit floats. Introduced in chapter 4.

    Parameters
    ----------
    name : str
        ``"mnist-vae"``, ``"fashion-vae"``: convolutional VAEs with 32 latent dimensions.
        ``"mnist-view-vae"``, ``"fashion-view-vae"``: the same network, trained on random views.
        ``"mnist-binary-vae"``: codes of 64 bits, trained on random views.
        ``"mnist-2d-vae"``, ``"mnist-dense-view-vae"``: dense, small enough for the book's figures
        that run in the page; 2 dimensions, and 32 trained on random views.

    Returns
    -------
    VAE
        Ready to encode and decode 28x28 grey images.

    Raises
    ------
    ValueError, TypeError
        If there is no such model, or its file is damaged.
    FileNotFoundError
        If its file is missing.

    Examples
    --------
    >>> vae = pretrained("mnist-view-vae")
    >>> vae.encode(np.zeros((3, 28, 28, 1))).shape
    (3, 32)
    """
    check_choice(name, "name", _PRETRAINED)
    kind, arguments, expected = _PRETRAINED[name]
    file = _WEIGHTS / f"{name}.weights.h5"
    if not file.is_file():
        raise FileNotFoundError(f"{file} is missing from the package; install vae_tutorial again")
    if hashlib.sha256(file.read_bytes()).hexdigest() != expected:
        raise ValueError(
            f"{file} is damaged (its SHA-256 is not the expected one); install vae_tutorial again"
        )
    model = kind((28, 28, 1), **{"architecture": "conv", **arguments})
    model.load_weights(file)
    return model
