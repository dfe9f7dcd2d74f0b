"""What the study trains: the models, their views and how long, and which data play which part."""

from dataclasses import asdict, dataclass, replace

import numpy as np

from vae_tutorial import datasets

SEEDS = (0, 1, 2)
BUNDLED = ("quick", "smoke")  # parts of the study that take the bundled images
# Sizes were chosen on a split of the training set (the "tuning" part of the study).
VIEWS = {
    "mnist": {"shift": 4.0, "rotation": 20.0, "zoom": 0.15, "shear": 0.3, "thickness": 1.0},
    "fashion-mnist": {"shift": 1.3, "rotation": 7.0, "zoom": 0.05, "flip": True},
}


@dataclass(frozen=True)
class Spec:
    """One model to train: its class, its arguments, and its training."""

    name: str
    kind: str = "VAE"  # a class of vae_tutorial.models
    latent_dim: int = 32
    architecture: str = "conv"
    likelihood: str = "bernoulli"
    beta: float = 1.0
    consistency: float = 0.0
    view_strength: float | None = None  # None: no views
    epochs: int = 10
    batch_size: int = 256
    learning_rate: float = 2e-3

    def build(self, data_name: str, seed: int):
        """Return the untrained model."""
        from vae_tutorial import models, training

        training.set_seed(seed)
        arguments = {
            "latent_dim": self.latent_dim,
            "architecture": self.architecture,
            "likelihood": self.likelihood,
        }
        if self.kind != "Autoencoder":
            arguments |= {"beta": self.beta, "seed": seed}
        if self.kind in ("ViewVAE", "BinaryVAE"):
            if self.view_strength is not None:
                sizes = VIEWS[data_name] | {"strength": self.view_strength}
                arguments["view"] = training.RandomView(**sizes, seed=seed)
            arguments["consistency"] = self.consistency
        return getattr(models, self.kind)((28, 28, 1), **arguments)

    def train(self, model, images: np.ndarray, second: np.ndarray | None = None):
        """Train on ``images``, and on what is to be drawn of them where it is something else."""
        from vae_tutorial._tensorflow import keras

        steps = self.epochs * -(-len(images) // self.batch_size)
        rate = keras.optimizers.schedules.CosineDecay(self.learning_rate, steps, alpha=0.02)
        # Ten steps a call: the time between steps no longer counts.
        model.compile(keras.optimizers.Adam(rate), steps_per_execution=10)
        options = {"batch_size": self.batch_size, "epochs": self.epochs, "verbose": 0}
        return model.fit(images, second, **options)

    def describe(self) -> dict:
        """Return the settings for the result file."""
        return asdict(self)


def models_of_table(data_name: str) -> dict[str, Spec]:
    """The models of the main table; each is trained with every seed of SEEDS."""
    beta = 0.2 if data_name == "mnist" else 0.05
    view = {"kind": "ViewVAE", "view_strength": 1.0, "beta": beta, "epochs": 12}
    article = {"architecture": "dense", "batch_size": 128, "learning_rate": 1e-3}
    specs = [
        Spec("autoencoder", "Autoencoder", epochs=8),
        Spec("dense VAE", **article, epochs=20),
        Spec("convolutional VAE", epochs=8),
        Spec("view VAE", **view),
        Spec("binary view VAE, 64 bits", latent_dim=64, **view | {"kind": "BinaryVAE"}),
    ]
    return {spec.name: spec for spec in specs}


def models_of_page() -> dict[str, Spec]:
    """Dense digit models, small enough to run in a page of the book: tools/make_web.py."""
    dense = Spec("", architecture="dense", epochs=40)
    view = {"kind": "ViewVAE", "view_strength": 1.0, "beta": 0.05, "epochs": 60}
    specs = [
        replace(dense, name="dense VAE, 2 dimensions", latent_dim=2),
        replace(dense, name="dense view VAE", **view),
    ]
    return {spec.name: spec for spec in specs}


def models_of_one_seed(data_name: str) -> dict[str, Spec]:
    """Variants that are trained once: shorter codes, and one change at a time to the view VAE."""
    view, binary = (
        replace(models_of_table(data_name)[name], epochs=8)
        for name in ("view VAE", "binary view VAE, 64 bits")
    )
    specs = [
        replace(binary, name="binary view VAE, 32 bits", latent_dim=32),
        replace(binary, name="binary view VAE, 16 bits", latent_dim=16),
        replace(binary, name="binary VAE, 64 bits", view_strength=None),
        replace(view, name="view VAE with consistency", consistency=1.0),
        replace(view, name="view VAE, no views", view_strength=None),
    ]
    return {spec.name: spec for spec in specs}


def models_of_sweeps() -> dict[str, Spec]:
    """One seed: latent dimension (dense and convolutional), beta and likelihood, one at a time."""
    base = Spec("", architecture="dense", batch_size=128, learning_rate=1e-3)
    conv = replace(base, architecture="conv", epochs=4)
    sizes = (2, 4, 8, 16, 32, 64)
    specs = [
        *(replace(base, name=f"latent {d}", latent_dim=d) for d in sizes),
        *(replace(base, name=f"beta {b:g}", beta=b) for b in (0.1, 0.2, 0.5, 2.0, 5.0, 10.0)),
        replace(base, name="Gaussian likelihood", likelihood="gaussian"),
        *(replace(conv, name=f"convolutional, latent {d}", latent_dim=d) for d in sizes),
    ]
    return {spec.name: spec for spec in specs}


def models_of_tuning(data_name: str) -> dict[str, Spec]:
    """Settings that were compared on a split of the training set, one change at a time."""
    table = models_of_table(data_name)
    view, binary = (
        replace(table[name], epochs=6) for name in ("view VAE", "binary view VAE, 64 bits")
    )
    specs = [
        replace(view, name="view VAE as chosen"),
        replace(view, name="views of half the strength", view_strength=0.5),
        replace(view, name="views of 1.5 times the strength", view_strength=1.5),
        replace(view, name="beta a quarter", beta=view.beta / 4),
        replace(view, name="beta four times", beta=view.beta * 4),
        replace(view, name="consistency 1", consistency=1.0),
        replace(view, name="twice the epochs", epochs=12),
        replace(binary, name="binary as chosen"),
        replace(binary, name="binary, beta a quarter", beta=binary.beta / 4),
        replace(binary, name="binary, beta four times", beta=binary.beta * 4),
    ]
    return {spec.name: spec for spec in specs}


def shortened(spec: Spec) -> Spec:
    """A few seconds' version, for ``--quick``."""
    return replace(spec, epochs=max(1, spec.epochs // 4))


@dataclass(frozen=True)
class Split:
    """Gallery, which is also what models train on, and queries."""

    gallery: np.ndarray
    gallery_labels: np.ndarray
    queries: np.ndarray
    query_labels: np.ndarray
    protocol: str


def load_split(data_name: str, part: str) -> Split:
    """Return the data for one part: ``"full"``, ``"tuning"``, or one of ``BUNDLED``."""
    if part in BUNDLED:
        data = datasets.load({"mnist": "mnist-5k", "fashion-mnist": "fashion-5k"}[data_name])
        text = "gallery: 4,500 bundled images; queries: 500 others"
    else:
        data = datasets.load(data_name)
        text = "gallery: 60,000 training images; queries: 10,000 test images"
    gallery, labels = data.gallery_images, data.gallery_labels
    if part == "tuning":
        text = "gallery: training images 0 to 49,999; queries: training images 57,000 to 59,999"
        rows, asked = slice(0, 50_000), slice(57_000, 60_000)
        return Split(gallery[rows], labels[rows], gallery[asked], labels[asked], text)
    return Split(gallery, labels, data.query_images, data.query_labels, text)
