"""What happens around training: seeds, views, pairs, a KL schedule, progress, active units."""

import math

import numpy as np

from vae_tutorial import objectives
from vae_tutorial._checks import check_count, check_images, check_matrix, check_number
from vae_tutorial._tensorflow import keras, tf
from vae_tutorial.progress import Progress

ops = keras.ops


def set_seed(seed: int) -> None:
    """Make a run repeatable: seed Python, NumPy and Keras, and ask for deterministic operations.

    The same machine then gives the same numbers; another processor may round differently.
    Introduced in chapter 4.

    Parameters
    ----------
    seed : int
        At least 0 and below 2**32.

    Raises
    ------
    ValueError, TypeError
        If the seed is out of range or not a whole number.

    Examples
    --------
    >>> import numpy as np
    >>> set_seed(0)
    >>> first = np.random.rand()
    >>> set_seed(0)
    >>> np.random.rand() == first
    True
    """
    keras.utils.set_random_seed(check_count(seed, "seed", at_least=0, at_most=2**32 - 1))
    tf.config.experimental.enable_op_determinism()


def active_units(mean, *, threshold: float = 0.01) -> int:
    r"""Count the latent dimensions whose posterior mean varies between images.

    .. math:: A_j = \mathrm{Var}_x\left(\mathbb E_{q(z|x)}[z_j]\right) > \text{threshold}

    Source: Burda, Grosse and Salakhutdinov (2016), section 5.2. Introduced in chapter 4.

    Parameters
    ----------
    mean : array (n, latent_dim), float
        Posterior means of at least two images, as from :meth:`vae_tutorial.models.VAE.encode`.
    threshold : float
        Smallest variance that counts; the source uses 0.01.

    Returns
    -------
    int
        Between 0 and latent_dim.

    Raises
    ------
    ValueError, TypeError
        If ``mean`` is not a finite matrix of two or more rows, or the threshold is negative.

    Examples
    --------
    >>> active_units(np.array([[0.0, 5.0], [2.0, 5.0]]))
    1
    """
    mean = check_matrix(mean, "mean")
    if len(mean) < 2:
        raise ValueError("mean must hold at least two images, got 1; add one")
    if not threshold >= 0:
        raise ValueError(f"threshold must not be negative, got {threshold}; try 0.01")
    return int((mean.var(axis=0, dtype=np.float64) > threshold).sum())


@keras.saving.register_keras_serializable(package="vae_tutorial")
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
        images = ops.convert_to_tensor(images)
        if self.sizes["strength"] == 0:
            return images
        views = self._warp(images)
        if self.sizes["thickness"]:
            views = self._change_thickness(views)
        if self.sizes["brightness"]:
            factors = ops.exp(self._draw("brightness", ops.shape(views)[0]))
            views = ops.minimum(views * ops.reshape(factors, (-1, 1, 1, 1)), 1.0)
        return views

    def _draw(self, name: str, n):
        size = self.sizes[name] * self.sizes["strength"]
        return keras.random.uniform((n,), -size, size, seed=self.seed_generator)

    def _warp(self, images):
        """Apply one affine map an image: where in the image does each pixel of the view lie."""
        n, height, width = ops.shape(images)[0], images.shape[1], images.shape[2]
        angle = self._draw("rotation", n) * (math.pi / 180)
        cos, sin, shear = ops.cos(angle), ops.sin(angle), self._draw("shear", n)
        scale_x, scale_y = ops.exp(self._draw("zoom", n)), ops.exp(self._draw("zoom", n))
        if self.flip:
            mirrored = keras.random.uniform((n,), seed=self.seed_generator) < 0.5
            scale_x = ops.where(mirrored, -scale_x, scale_x)
        xx, xy = cos * scale_x, (cos * shear - sin) * scale_y
        yx, yy = sin * scale_x, (sin * shear + cos) * scale_y
        x0, y0 = (width - 1) / 2, (height - 1) / 2  # turn about the centre
        to_x = x0 - xx * x0 - xy * y0 + self._draw("shift", n)
        to_y = y0 - yx * x0 - yy * y0 + self._draw("shift", n)
        zeros = ops.zeros_like(xx)
        maps = ops.stack([xx, xy, to_x, yx, yy, to_y, zeros, zeros], axis=1)
        return ops.image.affine_transform(
            images,
            maps,
            interpolation="bilinear",
            fill_mode="constant",
            fill_value=0.0,
            data_format="channels_last",
        )

    def _change_thickness(self, images):
        shape = (ops.shape(images)[0], 1, 1, 1)
        choice = keras.random.uniform(shape, seed=self.seed_generator)
        amount = keras.random.uniform(shape, seed=self.seed_generator)
        amount *= min(1.0, self.sizes["thickness"] * self.sizes["strength"])
        thicker = ops.max_pool(images, 3, 1, "same") - images
        thinner = -ops.max_pool(-images, 3, 1, "same") - images
        change = ops.where(choice < 1 / 3, thicker, ops.where(choice < 2 / 3, thinner, 0.0))
        return images + amount * change

    def get_config(self) -> dict:
        """Return the arguments that make such a view again."""
        return {**self.sizes, "flip": self.flip, "seed": self.seed}

    @classmethod
    def from_config(cls, config: dict) -> "RandomView":
        """Make a view from what :meth:`get_config` returned.

        Parameters
        ----------
        config : dict
            The arguments.

        Returns
        -------
        RandomView
        """
        return cls(**config)


def compiled_epoch(vae, images, *, batch_size: int = 128, seed: int = 0):
    """Return a function that trains ``vae`` for one epoch, all steps in one compiled call.

    Images stay in one tensor, and no Python runs between steps; for small networks ``fit`` spends
    a good part of its time there. What it lacks are callbacks and validation. Uses the optimiser
    that ``vae`` was compiled with. Introduced in chapter 4.

    Parameters
    ----------
    vae : vae_tutorial.models.VAE
        Compiled; it is trained in place.
    images : array (n, height, width, channels), float in [0, 1]
        Small enough for memory.
    batch_size : int
        Images in a mini-batch; the last of an epoch may be smaller.
    seed : int
        Seed of the order of the images.

    Returns
    -------
    callable
        Without arguments; trains one epoch and returns its mean losses, a dict of floats.

    Raises
    ------
    ValueError, TypeError
        If the images do not fit ``vae``, a number is out of range, or ``vae`` was not compiled.

    Examples
    --------
    >>> from vae_tutorial.models import VAE
    >>> vae = VAE((8, 8, 1), latent_dim=2)
    >>> vae.compile(keras.optimizers.Adam(1e-3))
    >>> epoch = compiled_epoch(vae, np.zeros((5, 8, 8, 1)), batch_size=2)
    >>> epoch()["loss"] > epoch()["loss"]
    True
    """
    images = tf.constant(_check_trainable(vae, images, "images"))
    batch_size = check_count(batch_size, "batch_size")
    shuffling = keras.random.SeedGenerator(check_count(seed, "seed", at_least=0))
    vae.optimizer.build(vae.trainable_variables)

    @tf.function
    def run():
        order = keras.random.shuffle(tf.range(len(images)), seed=shuffling)
        for start in tf.range(0, len(images), batch_size):
            vae.train_step(tf.gather(images, order[start : start + batch_size]))

    def epoch() -> dict:
        vae.reset_metrics()
        run()
        return {metric.name: float(metric.result()) for metric in vae.metrics}

    return epoch


def fit_pairs(
    vae,
    first,
    second,
    *,
    epochs: int,
    batch_size: int = 32,
    seed: int = 0,
    title: str = "Pairs",
) -> list[float]:
    r"""Train a VAE that sees one of two pictures of a thing and reconstructs the mean of both.

    .. math:: -\mathbb E_{q(z|x_i)}[\log p(\bar x|z)] + \beta\, D_{KL}[q(z|x_i) \,\|\, p(z)],
              \qquad i = 1, 2, \qquad \bar x = \tfrac12 (x_1 + x_2)

    Each picture is a view of the other, so what differs between the two is left out of the latent.
    Which pictures belong together is supervision. Uses the optimiser that ``vae`` was compiled
    with. Introduced in chapter 7.

    Parameters
    ----------
    vae : vae_tutorial.models.VAE
        Compiled; it is trained in place.
    first, second : array (n, height, width, channels), float in [0, 1]
        The two pictures of each thing, in the same order.
    epochs : int
        Passes over all pairs.
    batch_size : int
        Pairs in a mini-batch; each brings two pictures.
    seed : int
        Seed of the order of the pairs.
    title : str
        Shown while training runs.

    Returns
    -------
    list of float
        Mean loss of each epoch, in nats an image.

    Raises
    ------
    ValueError, TypeError
        If the arrays are no images or differ in shape, a number is out of range, or ``vae`` was not
        compiled.

    Examples
    --------
    >>> from vae_tutorial.models import VAE
    >>> vae = VAE((8, 8, 3), latent_dim=2, likelihood="gaussian")
    >>> vae.compile(keras.optimizers.Adam(1e-3))
    >>> images = np.zeros((4, 8, 8, 3))
    >>> len(fit_pairs(vae, images, images, epochs=2))
    Pairs: 2 epochs
    2
    """
    first, second = _check_pairs(vae, first, second)
    epochs = check_count(epochs, "epochs")
    batch_size = check_count(batch_size, "batch_size")

    @tf.function(reduce_retracing=True)
    def step(seen, target):
        with tf.GradientTape() as tape:
            mean, log_var = vae.encoder(seen)
            logits = vae.decoder(vae.sampling((mean, log_var)))
            log_likelihood = vae.log_likelihood(target, logits)
            kl = objectives.kl_divergence(mean, log_var)
            loss = -ops.mean(objectives.elbo(log_likelihood, kl, beta=vae.beta))
        gradients = tape.gradient(loss, vae.trainable_variables)
        vae.optimizer.apply(gradients, vae.trainable_variables)
        return loss

    rng, history = np.random.default_rng(seed), []
    plural = "epoch" if epochs == 1 else "epochs"
    with Progress(f"{title}: {epochs} {plural}", total=epochs) as progress:
        for _ in range(epochs):
            order = rng.permutation(len(first))
            losses = []
            for start in range(0, len(order), batch_size):
                chosen = order[start : start + batch_size]
                one, other = first[chosen], second[chosen]
                seen, middle = np.concatenate([one, other]), (one + other) / 2
                losses.append((len(one), step(seen, np.concatenate([middle, middle]))))
            history.append(float(sum(n * loss for n, loss in losses) / len(first)))
            progress.step(f"loss {history[-1]:.1f}")
    return history


def _check_pairs(vae, first, second) -> tuple:
    first, second = check_images(first, "first"), check_images(second, "second")
    if first.shape != second.shape or first.shape[1:] != vae.image_shape:
        raise ValueError(
            f"first and second must both hold n images of shape {vae.image_shape}, got "
            f"{first.shape} and {second.shape}; pass two pictures of each thing"
        )
    _check_compiled(vae)
    return first, second


def _check_trainable(vae, images, name: str) -> np.ndarray:
    images = check_images(images, name)
    if images.shape[1:] != vae.image_shape:
        raise ValueError(
            f"{name} must hold images of shape {vae.image_shape}, got {images.shape}; reshape them"
        )
    _check_compiled(vae)
    return images


def _check_compiled(vae) -> None:
    if getattr(vae, "optimizer", None) is None:
        raise ValueError(
            "vae has no optimizer; call vae.compile(keras.optimizers.Adam(1e-3)) first"
        )


class KLWarmup(keras.callbacks.Callback):
    """Raise ``beta`` in equal steps from near 0 to its full value over the first epochs.

    The model first learns to reconstruct, then to keep its posterior near the prior.
    Source: Bowman et al. (2016), section 3.1. Introduced in chapter 4.

    Parameters
    ----------
    epochs : int
        Epochs until the full value is reached: epoch e trains with ``beta * e / epochs``.
    beta : float
        The full value, not negative.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range, or the model has no ``beta``.

    Examples
    --------
    >>> KLWarmup(epochs=4).beta_at(1), KLWarmup(epochs=4).beta_at(9)
    (0.25, 1.0)
    """

    def __init__(self, epochs: int, beta: float = 1.0):
        super().__init__()
        self.epochs = check_count(epochs, "epochs")
        if not beta >= 0:
            raise ValueError(f"beta must not be negative, got {beta}; 1.0 is the ELBO")
        self.full_beta = float(beta)

    def beta_at(self, epoch: int) -> float:
        """Return the weight in ``epoch``, counted from 1."""
        return self.full_beta * min(1.0, epoch / self.epochs)

    def on_train_begin(self, logs=None):
        if not hasattr(self.model, "beta"):
            raise TypeError(f"KLWarmup needs a model with a beta, got {type(self.model).__name__}")

    def on_epoch_begin(self, epoch, logs=None):
        self.model.beta.assign(self.beta_at(epoch + 1))


class TrainingProgress(keras.callbacks.Callback):
    """Show the epoch and the losses while training runs; use it with ``verbose=0``.

    What stays on the page afterwards is ``title`` alone, the same on every machine.
    Introduced in chapter 4.

    Parameters
    ----------
    title : str
        What is trained, for example ``"Training a dense VAE"``.

    Examples
    --------
    >>> TrainingProgress("Training a dense VAE").title
    'Training a dense VAE'
    """

    def __init__(self, title: str):
        super().__init__()
        self.title = title

    def on_train_begin(self, logs=None):
        epochs = self.params["epochs"]
        plural = "epoch" if epochs == 1 else "epochs"
        self._progress = Progress(f"{self.title}: {epochs} {plural}", total=epochs)
        self._progress.__enter__()

    def on_epoch_end(self, epoch, logs=None):
        self._progress.step(" ".join(f"{name} {value:.1f}" for name, value in (logs or {}).items()))

    def on_train_end(self, logs=None):
        self._progress.__exit__(None, None, None)
