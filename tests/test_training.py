"""Seeds, the KL schedule, active units and the progress of real training."""

import numpy as np
import pytest

from vae_tutorial import training
from vae_tutorial._tensorflow import keras, tf
from vae_tutorial.models import VAE

IMAGES = np.random.default_rng(0).uniform(size=(16, 8, 8, 1)).astype("float32")


def small():
    vae = VAE((8, 8, 1), latent_dim=2)
    vae.compile(keras.optimizers.Adam(1e-3))
    return vae


def test_set_seed_repeats_python_numpy_and_keras():
    def draw():
        training.set_seed(11)
        return np.random.rand(), keras.random.normal((1,)).numpy()[0], small().encode(IMAGES)[0, 0]

    assert draw() == draw()


def test_set_seed_asks_for_deterministic_operations():
    training.set_seed(0)
    with pytest.raises(RuntimeError, match="determinism"):
        tf.random.Generator.from_non_deterministic_state()


def test_active_units_counts_what_varies():
    rng = np.random.default_rng(0)
    mean = rng.normal(size=(1000, 5)) * [1.0, 0.5, 0.2, 0.05, 0.0] + 3.0
    assert training.active_units(mean) == 3
    assert training.active_units(mean, threshold=0.1) == 2
    assert training.active_units(mean, threshold=0.0) == 4


def test_warmup_raises_beta_in_equal_steps_and_then_stays():
    seen = []

    class Watch(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            seen.append(float(self.model.beta))

    vae = small()
    vae.fit(IMAGES, epochs=5, verbose=0, callbacks=[training.KLWarmup(4, beta=2.0), Watch()])
    assert seen == [0.5, 1.0, 1.5, 2.0, 2.0]


def test_warmup_changes_the_loss_that_is_trained():
    losses = []
    for callbacks in ([], [training.KLWarmup(epochs=1, beta=100.0)]):
        training.set_seed(0)
        vae = small()
        history = vae.fit(IMAGES, epochs=1, verbose=0, callbacks=callbacks).history
        losses.append(history["loss"][0] - history["reconstruction"][0])
        kl = history["kl"][0]
    assert losses[1] == pytest.approx(100 * kl, rel=1e-3)
    assert losses[1] > 10 * losses[0]


@pytest.mark.parametrize(("epochs", "words"), [(1, "1 epoch"), (3, "3 epochs")])
def test_progress_leaves_one_fixed_line_in_a_log(capsys, epochs, words):
    training.set_seed(0)
    progress = training.TrainingProgress("Training a test")
    small().fit(IMAGES, epochs=epochs, verbose=0, callbacks=[progress])
    assert capsys.readouterr().out == f"Training a test: {words}\n"


BAD_INPUTS = [
    (lambda: training.set_seed(-1), ValueError, "seed must be at least 0"),
    (lambda: training.set_seed(2**32), ValueError, "seed must be at most"),
    (lambda: training.set_seed(0.5), TypeError, "seed must be a whole number"),
    (lambda: training.active_units(np.zeros((1, 3))), ValueError, "at least two images"),
    (lambda: training.active_units(np.zeros(3)), ValueError, "two axes"),
    (lambda: training.active_units(np.full((2, 2), np.nan)), ValueError, "NaN"),
    (lambda: training.active_units(np.eye(2), threshold=-1), ValueError, "must not be negative"),
    (lambda: training.KLWarmup(0), ValueError, "epochs must be at least 1"),
    (lambda: training.KLWarmup(3, beta=-0.5), ValueError, "beta must not be negative"),
]


@pytest.mark.parametrize(("call", "error", "message"), BAD_INPUTS)
def test_bad_input_is_refused_in_words(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_warmup_needs_a_model_with_beta():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(TypeError, match="needs a model with a beta"):
        model.fit(np.zeros((2, 2)), np.zeros((2, 1)), verbose=0, callbacks=[training.KLWarmup(2)])
