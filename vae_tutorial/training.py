"""What happens around training: seeds, pairs, a KL schedule, progress, active units."""

import math

import numpy as np

from vae_tutorial._checks import check_count, check_images, check_matrix, check_number
from vae_tutorial._tensorflow import keras, tf
from vae_tutorial._words import _
from vae_tutorial.models import RandomView  # noqa: F401 - its name before it had a room
from vae_tutorial.models._data import check_pictures
from vae_tutorial.progress import Progress


def set_seed(seed: int) -> None:
    """Make a run repeatable: seed Python, NumPy and Keras, and ask for deterministic operations.

    The same machine then gives the same numbers; another processor may round differently.
    Introduced in chapter 3.

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
    threshold = check_number(threshold, "threshold", at_least=0)
    return int((mean.var(axis=0, dtype=np.float64) > threshold).sum())


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
    images = tf.constant(check_pictures(images, vae.image_shape))
    _check_compiled(vae)
    batch_size = check_count(batch_size, "batch_size")
    shuffling = keras.random.SeedGenerator(check_count(seed, "seed", at_least=0))
    vae.optimizer.build(vae.trainable_variables)
    names: list[str] = []

    @tf.function
    def run():
        order = keras.random.shuffle(tf.range(len(images)), seed=shuffling)
        for start in tf.range(0, len(images), batch_size):
            terms = vae.train_step(tf.gather(images, order[start : start + batch_size]))
            names[:] = terms

    def epoch() -> dict:
        vae.reset_metrics()
        run()
        return {name: float(vae.trackers[name].result()) for name in names}

    return epoch


class Pairs(keras.utils.PyDataset):
    r"""Batches of two pictures of each thing: either is seen, the mean of both is to be drawn.

    A model that ``fit`` trains on them minimises

    .. math:: -\mathbb E_{q(z|x_i)}[\log p(\bar x|z)] + \beta\, D_{KL}[q(z|x_i) \,\|\, p(z)],
              \qquad i = 1, 2, \qquad \bar x = \tfrac12 (x_1 + x_2)

    Each picture is a view of the other, so what differs between the two is left out of the latent.
    Which pictures belong together is supervision. Every epoch has an order of its own; call ``fit``
    with ``shuffle=False``. Introduced in chapter 7.

    Parameters
    ----------
    first, second : array (n, height, width, channels), float in [0, 1]
        The two pictures of each thing, in the same order.
    batch_size : int
        Pairs in a mini-batch; each brings two pictures.
    seed : int
        Seed of the order of the pairs.

    Raises
    ------
    ValueError, TypeError
        If the arrays are no images or differ in shape, or a number is out of range.

    Examples
    --------
    >>> pairs = Pairs(np.zeros((5, 8, 8, 3)), np.ones((5, 8, 8, 3)), batch_size=2)
    >>> seen, target = pairs[0]
    >>> len(pairs), seen.shape, float(target.mean())
    (3, (4, 8, 8, 3), 0.5)
    """

    def __init__(self, first, second, *, batch_size: int = 32, seed: int = 0):
        super().__init__()
        self.first, self.second = check_images(first, "first"), check_images(second, "second")
        if self.first.shape != self.second.shape:
            raise ValueError(
                "first and second must hold equally many images of one shape, got "
                f"{self.first.shape} and {self.second.shape}; pass two pictures of each thing"
            )
        self.batch_size = check_count(batch_size, "batch_size")
        self._rng = np.random.default_rng(check_count(seed, "seed", at_least=0))
        self._order = np.arange(len(self.first))

    def __len__(self) -> int:
        return math.ceil(len(self.first) / self.batch_size)

    def __getitem__(self, batch: int) -> tuple[np.ndarray, np.ndarray]:
        chosen = self._order[batch * self.batch_size : (batch + 1) * self.batch_size]
        one, other = self.first[chosen], self.second[chosen]
        middle = (one + other) / 2
        return np.concatenate([one, other]), np.concatenate([middle, middle])

    def on_epoch_begin(self) -> None:
        """Put the pairs into another order."""
        self._order = self._rng.permutation(len(self.first))


def fit_pairs(vae, first, second, *, epochs, batch_size=32, seed=0, title="Pairs") -> list[float]:
    """Train a VAE on :class:`Pairs` by its ``fit``, and show the progress.

    Introduced in chapter 7.

    Parameters
    ----------
    vae : vae_tutorial.models.VAE
        Compiled; it is trained in place.
    first, second, batch_size, seed
        As for :class:`Pairs`.
    epochs : int
        Passes over all pairs.
    title : str
        Shown while training runs.

    Returns
    -------
    list of float
        Mean loss of each epoch, in nats an image.

    Raises
    ------
    ValueError, TypeError
        As :class:`Pairs` does, or if ``vae`` was not compiled.

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
    _check_compiled(vae)
    pairs = Pairs(first, second, batch_size=batch_size, seed=seed)
    options = {"shuffle": False, "verbose": 0, "callbacks": [TrainingProgress(title)]}
    history = vae.fit(pairs, epochs=check_count(epochs, "epochs"), **options)
    return history.history["loss"]


def _check_compiled(vae) -> None:
    if getattr(vae, "optimizer", None) is None:
        raise ValueError(
            _("vae has no optimizer; call vae.compile(keras.optimizers.Adam(1e-3)) first")
        )


class KLWarmup(keras.callbacks.Callback):
    """Raise ``beta`` in equal steps from near 0 to its full value over the first epochs.

    The model first learns to reconstruct, then to keep its posterior near the prior. Losses under
    different betas are not alike, so held-out images are always scored under the full one: a
    callback that selects by ``val_loss`` compares like with like.
    Source: Bowman et al. (2016), section 3.1. Introduced in chapter 4.

    Parameters
    ----------
    epochs : int
        Epochs until the full value is reached: epoch e trains with ``beta * e / epochs``.
    beta : float, optional
        The full value, not negative; by default the one that the model has when training begins.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range, or the model has no ``beta``.

    Examples
    --------
    >>> KLWarmup(epochs=4, beta=1.0).beta_at(1), KLWarmup(epochs=4, beta=1.0).beta_at(9)
    (0.25, 1.0)
    """

    def __init__(self, epochs: int, beta: float | None = None):
        super().__init__()
        self.epochs = check_count(epochs, "epochs")
        self._given = None if beta is None else check_number(beta, "beta", at_least=0)
        self.full_beta = 1.0 if self._given is None else self._given
        self._beta: float | None = None  # that of the epoch, while training runs

    def beta_at(self, epoch: int) -> float:
        """Return the weight in ``epoch``, counted from 1."""
        return self.full_beta * min(1.0, epoch / self.epochs)

    def on_train_begin(self, logs=None):
        if not hasattr(self.model, "beta"):
            raise TypeError(
                _("KLWarmup needs a model with a beta, got {kind}", kind=type(self.model).__name__)
            )
        if self._given is None:
            self.full_beta = float(self.model.beta.numpy())

    def on_epoch_begin(self, epoch, logs=None):
        self._beta = self.beta_at(epoch + 1)
        self.model.beta.assign(self._beta)

    def on_test_begin(self, logs=None):
        if self._beta is not None:
            self.model.beta.assign(self.full_beta)

    def on_test_end(self, logs=None):
        if self._beta is not None:
            self.model.beta.assign(self._beta)

    def on_train_end(self, logs=None):
        self._beta = None
        if self._given is None:  # training may have ended before the last step
            self.model.beta.assign(self.full_beta)

    def on_interrupt(self):
        """Give the model its beta back when training is stopped by hand."""
        self.on_train_end()


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
        title = _("{title}: {count} epochs", title=self.title, count=epochs)
        if epochs == 1:
            title = _("{title}: 1 epoch", title=self.title)
        self._progress = Progress(title, total=epochs)
        self._progress.__enter__()

    def on_epoch_end(self, epoch, logs=None):
        # Keras sorts the names; the loss comes first here, as it does in a table of terms.
        terms = sorted((logs or {}).items(), key=lambda term: term[0] != "loss")
        self._progress.step(" ".join(f"{name} {value:.1f}" for name, value in terms))

    def on_train_end(self, logs=None):
        self._progress.__exit__(None, None, None)

    def on_interrupt(self):
        """End the line where training was stopped by hand."""
        self._progress.__exit__(KeyboardInterrupt, None, None)
