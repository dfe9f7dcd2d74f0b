"""Training under MirroredStrategy on two logical CPU devices: the same as on one device."""

import json
import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

# Logical devices must be set up before TensorFlow starts, so the runs have a process of their own.
SCRIPT = """
import json
from vae_tutorial._tensorflow import keras, tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from vae_tutorial import datasets, models, training
images = datasets.load("mnist-5k").gallery_images[:1024]

def losses(strategy):
    found = {}
    for kind in ("Autoencoder", "VAE"):
        training.set_seed(0)
        with strategy.scope():
            model = getattr(models, kind)((28, 28, 1), 8, "dense")
            sgd, adam = keras.optimizers.SGD(1e-4), keras.optimizers.Adam(1e-3)
            model.compile(sgd if kind == "Autoencoder" else adam)
        history = model.fit(images, batch_size=128, epochs=3, shuffle=False, verbose=0)
        end = model.evaluate(images, batch_size=128, verbose=0, return_dict=True)
        found[kind] = [*history.history["loss"], end["loss"]]
    return found

two = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
print(json.dumps([losses(tf.distribute.get_strategy()), losses(two)]))
"""


@pytest.fixture(scope="module")
def losses() -> list[dict]:
    """Return the losses of an autoencoder and of a VAE on one device, and on two."""
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-c", SCRIPT]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_two_devices_take_the_steps_of_one(losses):
    # Without noise nothing differs but the order of sums. SGD shows the size of a step, which
    # Adam would hide: gradients that were added and not averaged would double it.
    one, two = (found["Autoencoder"] for found in losses)
    assert two == pytest.approx(one, rel=1e-5)
    assert one[0] - one[-1] > 0.3  # and the steps are large enough to compare


def test_a_vae_learns_the_same_on_two_devices(losses):
    # Each device draws its own noise, so losses agree as two seeds do.
    one, two = (found["VAE"] for found in losses)
    assert two == pytest.approx(one, rel=0.02)
    assert one[-1] < 0.6 * one[0]
