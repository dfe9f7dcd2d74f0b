"""Random views of images, and the VAE that learns from them what does not matter."""

import math
from collections.abc import Callable, Sequence

from vae_tutorial._checks import check_count, check_number
from vae_tutorial._tensorflow import keras, tf
from vae_tutorial._words import _
from vae_tutorial.models.networks import full_precision, register
from vae_tutorial.models.vae import VAE

ops = keras.ops


@register
class RandomView:
    r"""Give a random view of each image: moved, turned, sheared, scaled, thicker or thinner.

    Each image gets its own draws, uniform within plus or minus the stated size. One affine map
    does the geometry, with linear interpolation and zeros from outside the image. Thickness blends
    the image with its 3x3 maximum (a third of the images), with its 3x3 minimum (a third), or
    leaves it. All sizes are multiplied by ``strength``; at 0 nothing changes.

    Source: random views as a way to say what does not matter go back to Simard et al. (2003).
    Introduced in chapter 5.

    Parameters
    ----------
    shift : float
        Largest move along each axis, in pixels.
    rotation : float
        Largest angle, in degrees.
    zoom : float
        Each axis is scaled by the exponential of at most this number.
    shear : float
        Largest shear: how many pixels a row moves for each pixel it is away from the centre.
    thickness : float
        Largest share of the maximum or minimum in the blend, from 0 to 1.
    brightness : float
        Pixels are multiplied by the exponential of at most this number, then cut at 1.
    flip : bool
        Also mirror half of the images, left to right.
    strength : float
        Factor for all sizes above, not negative.
    seed : int
        Starts the view's own stream of draws; every call continues it.

    Raises
    ------
    ValueError, TypeError
        If a size is negative or no number, or ``thickness`` exceeds 1.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.eye(5, dtype="float32").reshape(1, 5, 5, 1)
    >>> bool((RandomView(shift=2.0)(image).numpy() == image).all())
    False
    >>> bool((RandomView(shift=2.0, strength=0.0)(image).numpy() == image).all())
    True
    """

    def __init__(
        self,
        shift: float = 0.0,
        rotation: float = 0.0,
        zoom: float = 0.0,
        shear: float = 0.0,
        thickness: float = 0.0,
        brightness: float = 0.0,
        flip: bool = False,
        strength: float = 1.0,
        seed: int = 0,
    ):
        sizes = {"shift": shift, "rotation": rotation, "zoom": zoom, "shear": shear}
        sizes |= {"thickness": thickness, "brightness": brightness, "strength": strength}
        self.sizes = {name: check_number(size, name, at_least=0) for name, size in sizes.items()}
        check_number(thickness, "thickness", at_least=0, at_most=1)
        self.flip = bool(flip)
        self.seed = check_count(seed, "seed", at_least=0)
        self.seed_generator = keras.random.SeedGenerator(self.seed)

    def __call__(self, images):
        """Return a view of each image of ``images``, (n, height, width, channels) in [0, 1]."""
        images = full_precision(ops.convert_to_tensor(images))
        if self.sizes["strength"] == 0:
            return images
        views = self.warp(images)
        if self.sizes["thickness"]:
            views = self._change_thickness(views)
        if self.sizes["brightness"]:
            factors = ops.exp(self._draw("brightness", ops.shape(views)[0]))
            views = ops.minimum(views * ops.reshape(factors, (-1, 1, 1, 1)), 1.0)
        return views

    def _draw(self, name: str, n):
        size = self.sizes[name] * self.sizes["strength"]
        return keras.random.uniform((n,), -size, size, seed=self.seed_generator)

    def warp(self, images):
        """Return ``images`` under one affine map each, which says where a pixel of a view lies."""
        n, height, width = ops.shape(images)[0], images.shape[1], images.shape[2]
        angle = self._draw("rotation", n) * (math.pi / 180)
        cos, sin, shear = ops.cos(angle), ops.sin(angle), self._draw("shear", n)
        scale_x, scale_y = ops.exp(self._draw("zoom", n)), ops.exp(self._draw("zoom", n))
        if self.flip:
            mirrored = keras.random.uniform((n,), seed=self.seed_generator) < 0.5
            scale_x = ops.where(mirrored, -scale_x, scale_x)
        xx, xy = cos * scale_x, (cos * shear - sin) * scale_y
        yx, yy = sin * scale_x, (sin * shear + cos) * scale_y
        xx, xy, yx, yy = (ops.reshape(entry, (-1, 1, 1)) for entry in (xx, xy, yx, yy))
        x0, y0 = (width - 1) / 2, (height - 1) / 2  # turn about the centre
        to_x = x0 - xx * x0 - xy * y0 + ops.reshape(self._draw("shift", n), (-1, 1, 1))
        to_y = y0 - yx * x0 - yy * y0 + ops.reshape(self._draw("shift", n), (-1, 1, 1))
        x = ops.arange(width, dtype="float32")
        y = ops.arange(height, dtype="float32")[:, None]
        column = xx * x + xy * y + to_x
        row = yx * x + yy * y + to_y
        return read_between(images, row, column)

    def _change_thickness(self, images):
        shape = (ops.shape(images)[0], 1, 1, 1)
        choice = keras.random.uniform(shape, seed=self.seed_generator)
        amount = keras.random.uniform(shape, seed=self.seed_generator)
        amount *= min(1.0, self.sizes["thickness"] * self.sizes["strength"])
        thicker = _largest_around(images) - images
        thinner = -_largest_around(-images) - images
        change = ops.where(choice < 1 / 3, thicker, ops.where(choice < 2 / 3, thinner, 0.0))
        return images + amount * change

    def get_config(self) -> dict:
        """Return the arguments that make such a view again."""
        return {**self.sizes, "flip": self.flip, "seed": self.seed}

    @classmethod
    def from_config(cls, config: dict) -> "RandomView":
        """Return a view made from ``config``, which :meth:`get_config` gave."""
        return cls(**config)


def read_between(images, row, column):
    """Return images at places between their pixels, by bilinear interpolation.

    Pixels outside an image are 0. Made of operations that XLA compiles and that a GPU repeats
    exactly, which an affine transformation of TensorFlow's own is not.

    Parameters
    ----------
    images : tensor (n, height, width, channels), float
        What is read.
    row, column : tensors (n, rows, columns), float
        Where, in pixels; whole numbers are the centres of pixels.

    Returns
    -------
    tensor (n, rows, columns, channels)

    Examples
    --------
    >>> import numpy as np
    >>> image = np.array([[0.0, 1.0]], "float32").reshape(1, 1, 2, 1)
    >>> float(read_between(image, np.zeros((1, 1, 1)), np.full((1, 1, 1), 0.25))[0, 0, 0, 0])
    0.25
    """
    height, width, channels = images.shape[1:]
    # A frame of zeros: what lies further out is as far as the frame, and 0 all the same.
    framed = ops.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)))
    pixels = ops.reshape(framed, (-1, (height + 2) * (width + 2), channels))
    row = ops.clip(ops.cast(row, images.dtype), -1, height) + 1
    column = ops.clip(ops.cast(column, images.dtype), -1, width) + 1
    above, left = ops.floor(row), ops.floor(column)
    down, right = (row - above)[..., None], (column - left)[..., None]

    def pixel(y, x):
        place = ops.minimum(y, height + 1) * (width + 2) + ops.minimum(x, width + 1)
        return tf.gather(pixels, ops.cast(place, "int32"), batch_dims=1)

    top = pixel(above, left) * (1 - right) + pixel(above, left + 1) * right
    bottom = pixel(above + 1, left) * (1 - right) + pixel(above + 1, left + 1) * right
    return top * (1 - down) + bottom * down


def _largest_around(images):
    return ops.max_pool(images, 3, 1, "same", data_format="channels_last")


@register
class ViewVAE(VAE):
    r"""VAE that sees a random view of an image and learns to reconstruct the image itself.

    .. math:: -\mathbb E_{q(z|v)}[\log p(x|z)] + \beta\, D_{KL}[q(z|v) \,\|\, p(z)]
              + \lambda\, D_{KL}[q(z|v) \,\|\, q(z|x)], \qquad v = \text{view}(x)

    What a view may change, the latent learns to ignore. The last term asks directly that view and
    image have one posterior (Sinha and Dieng 2021); it is reported as ``consistency``, with its
    weight. Only training draws views: ``evaluate`` gives the ELBO of the images, ``encode`` encodes
    them as they are. Introduced in chapter 5.

    Parameters
    ----------
    image_shape, latent_dim, architecture, likelihood, beta, seed, noise
        As for :class:`VAE`.
    view : function, images to images of the same shape, optional
        As :class:`RandomView`; without it the model is a plain VAE.
    consistency : float
        Weight :math:`\lambda` of the last term, not negative.

    Raises
    ------
    ValueError, TypeError
        As for :class:`VAE`; or if ``view`` cannot be called or ``consistency`` is negative.

    Examples
    --------
    >>> import numpy as np
    >>> vae = ViewVAE((28, 28, 1), latent_dim=2, view=RandomView(shift=4.0), beta=0.2)
    >>> vae.encode(np.zeros((3, 28, 28, 1))).shape
    (3, 2)
    """

    term_names = (*VAE.term_names, "consistency")

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
        noise: bool = True,
        **kwargs,
    ):
        plain = (image_shape, latent_dim, architecture, likelihood, beta, seed, noise)
        super().__init__(*plain, **kwargs)
        if view is not None and (isinstance(view, keras.Layer) or not callable(view)):
            raise TypeError(
                _(
                    "view must be a function that changes images, got {kind}; pass "
                    "training.RandomView(...), wrap a layer in a function, or None for a plain VAE",
                    kind=type(view).__name__,
                )
            )
        self.view = view
        self.consistency = check_number(consistency, "consistency", at_least=0)

    def view_of(self, seen):
        return seen if self.view is None else self.view(seen)

    def loss_terms(self, seen, target=None, training: bool = False, posterior=None) -> dict:
        """Return the terms of a VAE, and ``consistency`` with its weight where that is not 0.

        Then ``loss = reconstruction + beta * kl + consistency``; the last compares the posteriors
        of ``seen`` and ``target``. ``training`` and ``posterior`` are as in :meth:`VAE.loss_terms`.
        """
        if posterior is None:
            posterior = self.encoder(seen, training=training)
        terms = super().loss_terms(seen, target, training, posterior)
        if not self.consistency or target is None or target is seen:
            return terms
        wanted = self.encoder(target, training=training)
        consistency = self.consistency * ops.mean(self.divergence(posterior, wanted))
        return {**terms, "loss": terms["loss"] + consistency, "consistency": consistency}

    def streams(self) -> dict:
        return {"views": self.view.seed_generator} if isinstance(self.view, RandomView) else {}

    def get_config(self):
        view = keras.saving.serialize_keras_object(self.view)
        return {**super().get_config(), "view": view, "consistency": self.consistency}

    @classmethod
    def from_config(cls, config):
        return cls(**{**config, "view": keras.saving.deserialize_keras_object(config["view"])})
