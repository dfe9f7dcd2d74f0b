"""Show where the time of a training step goes, and what each way of saving some brought.

Every row trains the same network on the same batches in turns, on one thread, and is measured in
processor time, which other programs on the machine disturb less than time on the wall. Writes
benchmarks/results/training_profile.json. PyTorch is needed for its row only.
"""

import os

os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"), "1")
os.environ["TF_NUM_INTEROP_THREADS"] = "1"

import argparse
import importlib.util
import json
import time
from pathlib import Path

import training_speed
from measuring import medians, write_report

from vae_tutorial import datasets, training
from vae_tutorial._tensorflow import keras, tf
from vae_tutorial.models import VAE

RESULTS = Path(__file__).parent / "results" / "training_profile.json"
BATCH, LATENT, RATE = training_speed.BATCH, training_speed.LATENT, training_speed.RATE
ADAM = keras.optimizers.Adam


def new_vae(architecture: str, optimizer=ADAM, **compile_arguments) -> VAE:
    keras.utils.set_random_seed(0)
    vae = VAE((28, 28, 1), LATENT, architecture)
    vae.compile(optimizer(RATE), **compile_arguments)
    vae.optimizer.build(vae.trainable_variables)
    return vae


def fit(architecture: str, images, optimizer=ADAM, **compile_arguments):
    vae = new_vae(architecture, optimizer, **compile_arguments)
    return lambda: vae.fit(images, batch_size=BATCH, epochs=1, verbose=0)


def whole_epoch(architecture: str, images, optimizer=ADAM):
    vae = new_vae(architecture, optimizer)
    return training.compiled_epoch(vae, images, batch_size=BATCH)


def part_of_step(architecture: str, images, part: str):
    """Return a compiled epoch whose steps end after ``part``."""
    vae, data = new_vae(architecture), tf.constant(images)

    def step(batch):
        if part == "take the batch":
            return tf.reduce_sum(batch[:, 0, 0])
        if part == "forward":
            return vae.loss_terms(batch)["loss"]
        with tf.GradientTape() as tape:
            loss = vae.loss_terms(batch)["loss"]
        gradients = tape.gradient(loss, vae.trainable_variables)
        if part == "Adam":
            vae.optimizer.apply(gradients, vae.trainable_variables)
        return loss + sum(tf.reshape(gradient, [-1])[0] for gradient in gradients)

    @tf.function
    def epoch():
        total = 0.0
        for rows in tf.reshape(tf.random.shuffle(tf.range(len(images))), (-1, BATCH)):
            total += step(tf.gather(data, rows))  # a result nobody uses would be left out
        return total

    return epoch


def rows_of(architecture: str, images) -> tuple[dict, dict]:
    """Return the parts of a step, each with all before it, and the ways of training."""
    names = ("take the batch", "forward", "backward", "Adam")
    parts = {name: part_of_step(architecture, images, name) for name in names}
    ways = {
        "Keras, plain step": training_speed.keras_trainer("plain", architecture, images)[0],
        "fit": fit(architecture, images),
        "fit, 20 steps a call": fit(architecture, images, steps_per_execution=20),
        "fit, 20 steps a call, XLA": fit(
            architecture, images, steps_per_execution=20, jit_compile=True
        ),
        "fit, 20 steps a call, fused Adam": fit(
            architecture, images, training_speed.FusedAdam, steps_per_execution=20
        ),
        "compiled epoch": whole_epoch(architecture, images),
        "compiled epoch, fused Adam": whole_epoch(architecture, images, training_speed.FusedAdam),
    }
    if importlib.util.find_spec("torch"):
        import torch

        ways["PyTorch eager"] = training_speed.torch_trainer(architecture, images)[0]
        torch.set_num_threads(1)
    return parts, ways


def profile(architecture: str, images, rounds: int) -> dict:
    """Run all rows in turns; return median milliseconds of processor time a step."""
    parts, ways = rows_of(architecture, images)
    times: dict[str, list[float]] = {name: [] for name in (*parts, *ways)}
    for _ in range(rounds + 1):  # the first round compiles
        for name, run in (parts | ways).items():
            started = time.process_time()
            run()
            times[name].append((time.process_time() - started) / (len(images) // BATCH) * 1e3)
    middle = medians(times)
    until, shares = 0.0, {}
    for name in parts:
        shares[name], until = round(middle[name] - until, 2), middle[name]
    shares["metrics"] = round(middle["compiled epoch"] - until, 2)
    plain = middle["Keras, plain step"]
    return {
        "one step, ms": shares,
        "ways of training, ms a step": {name: round(middle[name], 2) for name in ways},
        "speed against the plain step": {name: round(plain / middle[name], 2) for name in ways},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=100, help="batches in an epoch")
    parser.add_argument("--rounds", type=int, default=7, help="epochs of each row")
    parser.add_argument("--output", type=Path, default=RESULTS, help="JSON file")
    arguments = parser.parse_args()
    digits = datasets.load("mnist-5k" if arguments.steps <= 30 else "mnist")
    images = digits.gallery_images[: BATCH * arguments.steps]
    report = {
        "command": "python benchmarks/training_profile.py"
        f" --steps {arguments.steps} --rounds {arguments.rounds}",
        "data": f"{digits.name}: epochs of {len(images) // BATCH} batches of {BATCH}",
        "method": f"processor time on one thread, median of {arguments.rounds} epochs, in turns",
        "load of the machine": round(os.getloadavg()[0], 1),
        "results": {},
    }
    for architecture in ("dense", "conv"):
        found = profile(architecture, images, arguments.rounds)
        print(architecture, json.dumps(found, indent=1), flush=True)
        report["results"][architecture] = found
    write_report(arguments.output, report)


if __name__ == "__main__":
    main()
