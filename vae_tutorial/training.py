"""What happens around training: seeds, a KL schedule, progress, and a look for collapse."""

import numpy as np

from vae_tutorial._checks import check_count, check_matrix
from vae_tutorial._tensorflow import keras, tf
from vae_tutorial.progress import Progress


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
