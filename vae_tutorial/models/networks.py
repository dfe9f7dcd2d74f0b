"""The two networks, encoder and decoder, and the noise between them."""

import functools
import math
from collections.abc import Sequence

from vae_tutorial import objectives
from vae_tutorial._checks import check_choice, check_count
from vae_tutorial._tensorflow import keras, layers
from vae_tutorial._words import _

ops = keras.ops
register = keras.saving.register_keras_serializable(package="vae_tutorial")

ARCHITECTURES = ("dense", "conv")
LOG_VAR_BOUND = 10.0
CONV_STRIDE = 4  # two convolutions of stride 2
# Of a convolution; the order of axes is the library's own, whatever the reader's keras.json says.
STRIDES = {"kernel_size": 3, "strides": 2, "padding": "same", "data_format": "channels_last"}


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


def full_precision(values):
    """Return values in float32 or finer: half precision is for layers, not for sums of a loss."""
    return ops.cast(values, keras.backend.result_type(values.dtype, "float32"))


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
        super().__init__(**{"autocast": False, **kwargs})  # latents keep their precision
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


class _Network(layers.Layer):
    """What encoder and decoder share: their arguments, and layers of their own precision."""

    def __init__(self, image_shape, latent_dim, architecture="dense", **kwargs):
        super().__init__(**kwargs)
        self.image_shape = check_image_shape(image_shape, architecture)
        self.latent_dim = check_count(latent_dim, "latent_dim")
        self.architecture = architecture

    @property
    def policy(self) -> dict:
        return {"dtype": self.dtype_policy}

    def _dense(self, *widths: int) -> list:
        return [layers.Dense(width, activation="relu", **self.policy) for width in widths]

    def _flatten(self):
        return layers.Flatten(data_format="channels_last", **self.policy)

    def get_config(self):
        own = ("image_shape", "latent_dim", "architecture")
        return {**super().get_config(), **{name: getattr(self, name) for name in own}}


@register
class PointEncoder(_Network):
    """Map images to one vector each, without a variance: the encoder of a plain autoencoder.

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
    >>> PointEncoder((28, 28, 1), latent_dim=2)(np.zeros((3, 28, 28, 1), "float32")).shape
    TensorShape([3, 2])
    """

    def __init__(self, image_shape, latent_dim, architecture="dense", **kwargs):
        super().__init__(image_shape, latent_dim, architecture, **kwargs)
        if architecture == "dense":
            hidden = [self._flatten(), *self._dense(128, 64, 256)]
        else:
            options = {"activation": "relu", **STRIDES, **self.policy}
            conv = functools.partial(layers.Conv2D, **options)
            hidden = [conv(32), conv(64), self._flatten(), *self._dense(256)]
        entry = keras.Input(self.image_shape)
        self.hidden = keras.Sequential([entry, *hidden], name="hidden")
        self.mean_head = layers.Dense(self.latent_dim, name="mean", **self.policy)

    def build(self, input_shape):
        for head in filter(None, (self.mean_head, getattr(self, "log_var_head", None))):
            if not head.built:  # a reader may have called a head by itself
                head.build(self.hidden.output_shape)
        self.built = True

    def call(self, images):
        return full_precision(self.mean_head(self.hidden(images)))


@register
class Encoder(PointEncoder):
    """Map images to the mean and log-variance of the approximate posterior q(z | x).

    The network of :class:`PointEncoder` with a second head. Introduced in chapter 3.

    Parameters
    ----------
    image_shape, latent_dim, architecture
        As for :class:`PointEncoder`.

    Raises
    ------
    ValueError, TypeError
        As for :class:`PointEncoder`.

    Examples
    --------
    >>> import numpy as np
    >>> encoder = Encoder((28, 28, 1), latent_dim=2)
    >>> mean, log_var = encoder(np.zeros((3, 28, 28, 1), "float32"))
    >>> mean.shape, log_var.shape
    (TensorShape([3, 2]), TensorShape([3, 2]))
    """

    def __init__(self, image_shape, latent_dim, architecture="dense", **kwargs):
        super().__init__(image_shape, latent_dim, architecture, **kwargs)
        self.log_var_head = layers.Dense(self.latent_dim, name="log_var", **self.policy)

    def call(self, images):
        hidden = self.hidden(images)
        mean, log_var = self.mean_head(hidden), self.log_var_head(hidden)
        return full_precision(mean), bound_log_var(full_precision(log_var))


@register
class Decoder(_Network):
    """Map latents to logits, one a pixel: the sigmoid is left to the likelihood.

    ``"dense"`` has the article's widths 256, 64, 128; ``"conv"`` mirrors the convolutional encoder.
    Introduced in chapter 3.

    Parameters
    ----------
    image_shape, latent_dim, architecture
        As for :class:`PointEncoder`.

    Raises
    ------
    ValueError, TypeError
        As for :class:`PointEncoder`.

    Examples
    --------
    >>> import numpy as np
    >>> decoder = Decoder((28, 28, 1), latent_dim=2, architecture="conv")
    >>> decoder(np.zeros((3, 2), "float32")).shape
    TensorShape([3, 28, 28, 1])
    """

    def __init__(self, image_shape, latent_dim, architecture="dense", **kwargs):
        super().__init__(image_shape, latent_dim, architecture, **kwargs)
        height, width, channels = self.image_shape
        if architecture == "dense":
            hidden = [
                *self._dense(256, 64, 128),
                layers.Dense(height * width * channels, **self.policy),
                layers.Reshape(self.image_shape, **self.policy),
            ]
        else:
            small = (height // CONV_STRIDE, width // CONV_STRIDE, 64)
            conv = functools.partial(layers.Conv2DTranspose, **STRIDES, **self.policy)
            hidden = [
                *self._dense(256, math.prod(small)),
                layers.Reshape(small, **self.policy),
                conv(32, activation="relu"),
                conv(channels),
            ]
        entry = keras.Input((self.latent_dim,))
        self.hidden = keras.Sequential([entry, *hidden], name="hidden")

    def call(self, z):
        return full_precision(self.hidden(z))


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

    Examples
    --------
    >>> check_image_shape([28, 28, 1], "conv")
    (28, 28, 1)
    """
    check_choice(architecture, "architecture", ARCHITECTURES)
    shape = tuple(image_shape)
    if len(shape) != 3:
        raise ValueError(
            _("image_shape must be (height, width, channels), got {shape}", shape=shape)
        )
    height, width, channels = (check_count(size, _("a size in image_shape")) for size in shape)
    if architecture == "conv" and (height % CONV_STRIDE or width % CONV_STRIDE):
        raise ValueError(
            _(
                "the strides of the convolutional network need a height and width that "
                "{stride} divides, got {height} x {width}; resize or pad them, or use "
                "architecture='dense'",
                stride=CONV_STRIDE,
                height=height,
                width=width,
            )
        )
    return height, width, channels
