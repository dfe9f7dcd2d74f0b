"""Time the training of the same networks: ours, a plain Keras step, and PyTorch eager.

All train the same layers on the same images, batch by batch in turns, so that all see the same
load. Writes benchmarks/results/training_speed.json. PyTorch is needed for its row only.
"""

import argparse
import importlib.metadata
import itertools
import json
import os
import platform
import time
from pathlib import Path

import numpy as np
from measuring import medians, significant, versions, write_report

from vae_tutorial import datasets, training
from vae_tutorial._tensorflow import keras, tf
from vae_tutorial.models import VAE

RESULTS = Path(__file__).parent / "results" / "training_speed.json"
BATCH, LATENT, RATE = 128, 32, 1e-3


class FusedAdam(keras.optimizers.Adam):
    """Adam by TensorFlow's own operation, which reads and writes each weight once; one device."""

    def update_step(self, gradient, variable, learning_rate):
        index = self._get_variable_index(variable)
        step, dtype = keras.ops.cast(self.iterations + 1, variable.dtype), variable.dtype
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].value.handle,
            v=self._velocities[index].value.handle,
            beta1_power=keras.ops.power(keras.ops.cast(self.beta_1, dtype), step),
            beta2_power=keras.ops.power(keras.ops.cast(self.beta_2, dtype), step),
            lr=keras.ops.cast(learning_rate, dtype),
            beta1=keras.ops.cast(self.beta_1, dtype),
            beta2=keras.ops.cast(self.beta_2, dtype),
            epsilon=keras.ops.cast(self.epsilon, dtype),
            grad=gradient,
        )


class PlainVAE(keras.Model):
    """The network of VAE with the training step that most tutorials show."""

    def __init__(self, vae: VAE):
        super().__init__()
        self.encoder, self.decoder = vae.encoder, vae.decoder
        self.seeds = keras.random.SeedGenerator(0)
        self.total = keras.metrics.Mean("loss")
        self.reconstruction = keras.metrics.Mean("reconstruction")
        self.kl = keras.metrics.Mean("kl")

    @property
    def metrics(self):
        return [self.total, self.reconstruction, self.kl]

    def train_step(self, images):
        with tf.GradientTape() as tape:
            mean, log_var = self.encoder(images)
            noise = keras.random.normal(keras.ops.shape(mean), seed=self.seeds)
            pixels = keras.ops.sigmoid(self.decoder(mean + keras.ops.exp(0.5 * log_var) * noise))
            entropy = keras.losses.binary_crossentropy(images, pixels)
            reconstruction = keras.ops.mean(keras.ops.sum(entropy, axis=(1, 2)))
            kl = -0.5 * (1 + log_var - keras.ops.square(mean) - keras.ops.exp(log_var))
            kl = keras.ops.mean(keras.ops.sum(kl, axis=1))
            loss = reconstruction + kl
        gradients = tape.gradient(loss, self.trainable_weights)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_weights, strict=True))
        self.total.update_state(loss)
        self.reconstruction.update_state(reconstruction)
        self.kl.update_state(kl)
        return {metric.name: metric.result() for metric in self.metrics}


def torch_trainer(architecture: str, images: np.ndarray):
    """Return a function that trains PyTorch's copy of the network for one epoch, and its loss."""
    import torch
    from torch import nn

    torch.manual_seed(0)
    torch.set_num_threads(os.cpu_count())

    def stack(*widths):
        pairs = itertools.pairwise(widths)
        return [layer for a, b in pairs for layer in (nn.Linear(a, b), nn.ReLU())]

    if architecture == "dense":
        encoder = nn.Sequential(nn.Flatten(), *stack(784, 128, 64, 256))
        decoder = nn.Sequential(*stack(LATENT, 256, 64, 128), nn.Linear(128, 784))
    else:
        encoder = nn.Sequential(
            *(nn.Conv2d(1, 32, 3, 2, 1), nn.ReLU(), nn.Conv2d(32, 64, 3, 2, 1), nn.ReLU()),
            *(nn.Flatten(), *stack(3136, 256)),
        )
        decoder = nn.Sequential(
            *(*stack(LATENT, 256, 3136), nn.Unflatten(1, (64, 7, 7))),
            *(nn.ConvTranspose2d(64, 32, 3, 2, 1, 1), nn.ReLU()),
            nn.ConvTranspose2d(32, 1, 3, 2, 1, 1),
        )
    heads = nn.ModuleList([nn.Linear(256, LATENT), nn.Linear(256, LATENT)])
    parameters = [p for part in (encoder, decoder, heads) for p in part.parameters()]
    for module in (m for part in (encoder, decoder, heads) for m in part.modules()):
        if hasattr(module, "weight"):  # as Keras starts them
            nn.init.xavier_uniform_(module.weight)
            nn.init.zeros_(module.bias)
    optimizer = torch.optim.Adam(parameters, lr=RATE, eps=1e-7)
    data = torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))

    def loss_of(batch):
        hidden = encoder(batch)
        mean, log_var = heads[0](hidden), 10 * torch.tanh(heads[1](hidden) / 10)
        z = mean + torch.exp(0.5 * log_var) * torch.randn_like(mean)
        entropy = nn.functional.binary_cross_entropy_with_logits(
            decoder(z).reshape(batch.shape), batch, reduction="sum"
        )
        kl = 0.5 * (mean**2 + log_var.exp() - log_var - 1).sum()
        return (entropy + kl) / len(batch)

    def epoch():
        for rows in torch.randperm(len(data)).split(BATCH):
            optimizer.zero_grad()
            loss_of(data[rows]).backward()
            optimizer.step()

    def test_loss(held_out):
        with torch.no_grad():
            return float(loss_of(torch.from_numpy(held_out.transpose(0, 3, 1, 2).copy())))

    return epoch, test_loss


OURS = {"ours": keras.optimizers.Adam, "ours, fused Adam": FusedAdam}


def keras_trainer(kind: str, architecture: str, images: np.ndarray):
    """Return a function that trains ours, or the plain step, for one epoch, and its loss."""
    keras.utils.set_random_seed(0)
    vae = VAE((28, 28, 1), LATENT, architecture)
    if kind in OURS:
        vae.compile(OURS[kind](RATE))
        epoch = training.compiled_epoch(vae, images, batch_size=BATCH)
    else:
        plain = PlainVAE(vae)
        plain.compile(keras.optimizers.Adam(RATE))

        def epoch():
            plain.fit(images, batch_size=BATCH, epochs=1, verbose=0)

    def test_loss(held_out):
        return float(vae.loss_terms(tf.constant(held_out))["loss"])

    return epoch, test_loss


def flops_per_image(architecture: str) -> int:
    """Multiplications and additions of forward and backward pass: six a weight and use."""
    ends = 2 * 256 * LATENT + LATENT * 256
    if architecture == "dense":
        hidden = 784 * 128 + 128 * 64 + 64 * 256
        uses = hidden + 256 * 64 + 64 * 128 + 128 * 784
    else:
        half = 14 * 14 * 9 * 32 + 7 * 7 * 9 * 32 * 64 + 3136 * 256
        uses = 2 * half  # the decoder mirrors the encoder
    return 6 * (uses + ends)


def matmul_rate() -> float:
    """The machine's own rate, in operations a second: square float32 matrices."""
    matrix = tf.random.normal((2048, 2048))
    product = tf.function(lambda: tf.matmul(matrix, matrix))
    product()
    times = []
    for _ in range(10):
        started = time.perf_counter()
        product().numpy()
        times.append(time.perf_counter() - started)
    return 2 * 2048**3 / min(times)


def compare(architecture: str, names: list[str], images, held_out, epochs: int) -> dict:
    """Train all in turns; return images per second, losses and ratios."""
    trainers = {}
    for name in names:
        make = torch_trainer if name == "PyTorch eager" else None
        if make is None:
            trainers[name] = keras_trainer(name, architecture, images)
        else:
            trainers[name] = make(architecture, images)
    rates: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(epochs):
        for name, (epoch, _) in trainers.items():
            started = time.perf_counter()
            epoch()
            rates[name].append(len(images) / (time.perf_counter() - started))
    losses = {name: test_loss(held_out) for name, (_, test_loss) in trainers.items()}
    middle = medians(rates)
    work, peak = flops_per_image(architecture), matmul_rate()
    return {
        "images per second": {name: round(rate) for name, rate in middle.items()},
        "slowest and fastest epoch": {
            name: [round(min(values[1:])), round(max(values[1:]))] for name, values in rates.items()
        },
        "ratios": {
            f"{own} / {name}": round(middle[own] / rate, 2)
            for own in OURS
            for name, rate in middle.items()
            if name not in OURS
        },
        "loss after equal epochs": {name: round(loss, 2) for name, loss in losses.items()},
        "operations per image": work,
        "matrix multiplications, operations per second": significant(peak, 3),
        "share of that rate": {n: round(r * work / peak, 3) for n, r in middle.items()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the bundled digits, in seconds")
    parser.add_argument("--without-torch", action="store_true", help="leave PyTorch out")
    parser.add_argument("--output", type=Path, default=RESULTS, help="JSON file")
    arguments = parser.parse_args()
    names, packages = [*OURS, "Keras, plain step"], ["tensorflow", "keras", "numpy"]
    if not arguments.without_torch:
        try:
            packages.append("torch")
            importlib.metadata.version("torch")
        except importlib.metadata.PackageNotFoundError:
            parser.error("PyTorch is not installed: pip install torch, or add --without-torch")
        names.append("PyTorch eager")
    digits = datasets.load("mnist-5k" if arguments.quick else "mnist")
    size, epochs = (1280, 3) if arguments.quick else (128 * 100, 7)
    images, held_out = digits.gallery_images[:size], digits.query_images[:2000]
    report = {
        "command": "python benchmarks/training_speed.py" + (" --quick" * arguments.quick),
        "data": f"{digits.name}: {size:,} images, batches of {BATCH}, Adam {RATE}, float32",
        "method": f"{epochs} epochs each, in turns; median without the first, which compiles",
        "ours": "training.compiled_epoch, with Keras's Adam or one in one operation",
        "loss": f"negative ELBO in nats, one draw of z, {len(held_out):,} held-out images",
        "threads": os.cpu_count(),
        "processor": platform.machine(),
        "python": platform.python_version(),
        "versions": versions(*packages),
        "results": {
            architecture: compare(architecture, names, images, held_out, epochs)
            for architecture in ("conv", "dense")
        },
    }
    write_report(arguments.output, report)
    print(json.dumps(report["results"], indent=1))


if __name__ == "__main__":
    main()
