"""Five more ideas for a better VAE, each one change to the chosen HOG view VAE, and to its control.

    python benchmarks/leads.py            # half an hour; needs the full Fashion-MNIST
    python benchmarks/leads.py --quick    # the bundled images, one epoch, and no file

Writes results/leads.json. One seed on the tuning split: this says which ideas would be worth three
seeds on the test images, and no more. The control is the same network without noise and without a
KL term, on the same views, with the same idea.
"""

import argparse
import math
import os
import platform
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import fair
import methods
import numpy as np
import rivals
import specs
import study
from measuring import machine, paired, rounded, versions, write_report
from methods import Method

from vae_tutorial import models
from vae_tutorial._tensorflow import keras, layers
from vae_tutorial.models.networks import STRIDES, Encoder

ops = keras.ops
FAMILY = "HOG view VAE"
N_VIEWS = 8  # of an image at search time
N_PARTS = 32  # of the mixture that takes the place of the standard normal prior
RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Idea:
    """One change: of the model's class and its arguments, the epochs, or what is encoded."""

    name: str
    kind: str = "FeatureVAE"
    weight: float = 0.0  # of InfoNCE beside the ELBO
    epochs: int = 1  # times those of the fair fight
    n_views: int = 0  # averaged at search time, of gallery and queries
    of_control: bool = True  # whether it makes sense without noise and KL


IDEAS = (
    Idea("as in the fair fight"),
    Idea("twice the epochs", epochs=2),
    Idea("an encoder twice as wide", kind="Wide"),
    Idea("InfoNCE beside the loss, weight 10", kind="Pulling", weight=10.0),
    Idea("InfoNCE beside the loss, weight 100", kind="Pulling", weight=100.0),
    Idea(f"a prior of {N_PARTS} learned Gaussians", kind="Mixed", of_control=False),
    Idea(f"the mean of {N_VIEWS} views at search time", n_views=N_VIEWS),
)


class WideEncoder(Encoder):
    """The convolutional encoder with twice the filters and units."""

    def __init__(self, image_shape, latent_dim, architecture="conv", **kwargs):
        super().__init__(image_shape, latent_dim, architecture, **kwargs)
        self.hidden.trainable = False  # its place is taken
        conv = [layers.Conv2D(n, activation="relu", **STRIDES) for n in (64, 128)]
        hidden = [*conv, layers.Flatten(), layers.Dense(512, activation="relu")]
        self.hidden = keras.Sequential([keras.Input(self.image_shape), *hidden], name="wide")


class Wide(models.FeatureVAE):
    """The VAE with an encoder twice as wide."""

    encoder_class = WideEncoder


class Pulling(models.FeatureVAE):
    """The VAE whose means of two views of an image are pulled together by InfoNCE."""

    weight = 0.0

    def view_of(self, seen):
        self.twin = self.view(seen)  # read in the same trace of the same step
        return self.view(seen)

    def loss_terms(self, seen, target=None, training=False, posterior=None):
        posterior = self.encoder(seen, training=training)
        terms = super().loss_terms(seen, target, training, posterior)
        if training:
            other = self.latent_of(self.twin)
            pulling = self.weight * rivals.info_nce(posterior[0], other, temperature=0.5)
            terms["loss"] += pulling
        return terms


class Mixed(models.FeatureVAE):
    """The VAE with a mixture of Gaussians, learned with it, as its prior.

    The KL divergence has no closed form then; one draw estimates it. Source: Dilokthanakul et al.
    (2016) and Tomczak and Welling (2018) train such priors.
    """

    def build(self, input_shape):
        shape = (1, N_PARTS, self.latent_dim)
        start = keras.initializers.RandomNormal(seed=0)
        self.centres = self.add_weight(name="centres", shape=shape, initializer=start)
        self.spreads = self.add_weight(name="spreads", shape=shape, initializer="zeros")
        self.shares = self.add_weight(name="shares", shape=(1, N_PARTS), initializer="zeros")
        super().build(input_shape)

    def log_prior(self, z):
        parts = log_normal(z[:, None], self.centres, self.spreads)
        return ops.logsumexp(parts + ops.log_softmax(self.shares), axis=-1)

    def loss_terms(self, seen, target=None, training=False, posterior=None):
        mean, log_var = self.encoder(seen, training=training)
        z = self.sampling((mean, log_var))
        reconstruction = -ops.mean(self.log_likelihood(target, self.decoder(z)))
        kl = ops.mean(log_normal(z, mean, log_var) - self.log_prior(z))
        loss = reconstruction + self.beta * kl
        return {"loss": loss, "reconstruction": reconstruction, "kl": kl}


def log_normal(z, mean, log_var):
    """Return the log-density of diagonal Gaussians, summed over the last axis."""
    squares = (z - mean) ** 2 * ops.exp(-log_var)
    return -0.5 * ops.sum(squares + log_var + math.log(2 * math.pi), axis=-1)


KINDS = {"FeatureVAE": models.FeatureVAE, "Wide": Wide, "Pulling": Pulling, "Mixed": Mixed}


def model_of(idea: Idea, data_name: str, method: Method, n_features: int):
    """Return the untrained model of an idea."""
    from vae_tutorial import training

    training.set_seed(0)
    view = models.RandomView(**specs.VIEWS[data_name] | {"strength": method.views}, seed=0)
    common = {"view": view, "beta": method.beta, "seed": 0, "noise": method.noise}
    sizes = methods.SHAPE, methods.DIM, method.architecture, n_features
    model = KINDS[idea.kind](*sizes, **common)
    model.weight = idea.weight
    return model


def described(part: str, data_name: str, idea: Idea, method: Method) -> str:
    """Train, encode and store gallery and queries, unless that is done; return the file's name."""
    trained = replace(idea, name="", n_views=0, of_control=True)
    content = method.describe() | {"idea": repr(trained), "n_views": idea.n_views}
    path = fair.path_of("lead", part, data_name, content)

    def make() -> dict:
        split = specs.load_split(data_name, part)
        gallery, queries = methods.pictures(split, method)
        drawn = methods.targets(gallery, method)
        model = model_of(idea, data_name, method, drawn.shape[-1])
        longer = replace(method, epochs=method.epochs * idea.epochs)
        methods.fit(model, gallery, drawn, split.gallery_labels, longer)
        encoded = [encode(model, images, idea.n_views) for images in (gallery, queries)]
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(path.with_suffix(".npz"), gallery=encoded[0], queries=encoded[1])
        return {"file": f"{path.parent.name}/{path.stem}.npz"}

    return study.cached(path, make)["file"]


def encode(model, images: np.ndarray, n_views: int) -> np.ndarray:
    """Return the latents of images, or the mean over ``n_views`` views of each."""
    if not n_views:
        return model.encode(images)
    blocks = np.array_split(images, -(-len(images) // 5000))
    means = [
        np.mean([model.encode(model.view(block).numpy()) for _ in range(n_views)], axis=0)
        for block in blocks
    ]
    return np.concatenate(means)


def scores_of(part: str, data_name: str, idea: Idea, method: Method, distance: str) -> dict:
    split = specs.load_split(data_name, part)
    file = study.cache() / described(part, data_name, idea, method)
    with np.load(file, allow_pickle=False) as stored:
        return fair.scores(stored["queries"], stored["gallery"], split, {"distance": distance})


def rows_of(data_name: str, ideas=IDEAS) -> list[tuple[Idea, str, Method]]:
    """Return every idea with the VAE and, where it makes sense, with its control."""
    method, _ = fair.chosen(data_name, FAMILY)
    control = replace(method, noise=False, beta=0.0)
    rows = [(idea, "VAE", method) for idea in ideas]
    return rows + [(idea, "control", control) for idea in ideas if idea.of_control]


def report_of(part: str, data_name: str, rows: list, workers: int) -> dict:
    """Train every row, score it, and compare it with the row of its kind that changes nothing."""
    distance = fair.chosen(data_name, FAMILY)[1]
    jobs = [
        (described, (part, data_name, idea, method), f"{data_name}: {idea.name}, {kind}")
        for idea, kind, method in rows
    ]
    study.in_parallel(jobs, workers)
    values = {
        (idea.name, kind): scores_of(part, data_name, idea, method, distance)
        for idea, kind, method in rows
    }
    lines = []
    for (name, kind), each in values.items():
        line = {"idea": name, "model": kind}
        line["scores"] = {metric: rounded(value.mean()) for metric, value in each.items()}
        base = values[IDEAS[0].name, kind]
        if name != IDEAS[0].name:
            line["difference"] = {m: paired(each[m][None], base[m][None]) for m in each}
        lines.append(line)
    method = rows[0][2].describe()
    return {"settings": method, "distance": distance, "rows": lines}


def frame(part: str) -> dict:
    protocols = {data_name: specs.load_split(data_name, part).protocol for data_name in specs.VIEWS}
    return {
        "command": "python benchmarks/leads.py",
        "protocol": f"{protocols['mnist']}; relevant: the same label; one seed",
        "control": "the same network, views, target and idea, without noise and without a KL term",
        "difference": "from the row of the same model that changes nothing, paired over queries, "
        "with a bootstrap interval of 95 %",
        "seconds are of": f"{machine()}, one thread a model",
        "python": platform.python_version(),
        "versions": versions("numpy", "scipy", "tensorflow", "keras"),
    }


def quick(workers: int) -> None:
    """One epoch of every idea on the bundled images; raise what is no better than chance."""
    rows = [
        (idea, kind, replace(method, epochs=1))
        for idea, kind, method in rows_of("mnist", [replace(i, epochs=1) for i in IDEAS])
    ]
    found = report_of("smoke", "mnist", rows, workers)
    for line in found["rows"]:
        print(line["idea"], line["model"], line["scores"], flush=True)
        if not line["scores"]["P@10"] > 0.3:
            raise SystemExit(f"{line['idea']}, {line['model']}: P@10 {line['scores']['P@10']}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="bundled images, one epoch, no file")
    parser.add_argument(
        "--data",
        nargs="+",
        default=["fashion-mnist"],
        choices=specs.VIEWS,
        help="collections (default: clothes, where the VAE falls short of more than itself)",
    )
    parser.add_argument("--workers", type=int, default=2, help="models at a time (default 2)")
    parser.add_argument("--output", type=Path, default=RESULTS, help="folder of the JSON file")
    arguments = parser.parse_args()
    if arguments.quick:
        with tempfile.TemporaryDirectory() as afresh:
            os.environ["VAE_STUDY_CACHE"] = afresh
            quick(arguments.workers)
        return
    found = {
        data_name: report_of("tuning", data_name, rows_of(data_name), arguments.workers)
        for data_name in arguments.data
    }
    write_report(arguments.output / "leads.json", frame("tuning") | {"data": found})


if __name__ == "__main__":
    main()
