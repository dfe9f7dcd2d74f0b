"""Measure colour: is a symbol, drawn by one vendor, found among the drawings of another?

Every fifth symbol is held out. Its Twitter drawing is a query, all 1,911 Google drawings are the
gallery, and one of them is right. Trained rows see the other symbols only; rows whose name begins
with "pair" are told which two drawings show one symbol, which is supervision. Writes
results/emoji.json.
"""

import argparse
import platform
import time
from pathlib import Path

import numpy as np
from descriptors import emoji_components
from measuring import interval, machine, paired, rounded, summary, versions, write_report
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from vae_tutorial import baselines, datasets, metrics, models, training
from vae_tutorial._tensorflow import keras
from vae_tutorial.retrieval import ImageIndex

RESULTS = Path(__file__).parent / "results" / "emoji.json"
SEEDS = (0, 1, 2)
EPOCHS = 40
LATENT_DIM = 64
BETA = 0.2
PIXELS, PCA_ROW = "raw pixels", f"PCA {LATENT_DIM}"
LDA_ROW, PAIR_VAE = f"pair LDA, {LATENT_DIM} numbers", "pair VAE, Gaussian"
COMPARED = ((LDA_ROW, PAIR_VAE), (PAIR_VAE, PCA_ROW), (PAIR_VAE, PIXELS))
MEASURES = ("recall@1", "recall@10", "MRR")
# Components and shrinkage.
LDA_TRIALS = [(n, s) for n in (200, 400, 800) for s in (0.1, 0.3, 0.6)]


def build(likelihood: str, seed: int):
    """Return a compiled convolutional VAE for the emoji."""
    training.set_seed(seed)
    vae = models.VAE((32, 32, 3), LATENT_DIM, "conv", likelihood, beta=BETA, seed=seed)
    vae.compile(keras.optimizers.Adam(1e-3))
    return vae


def score(encoder, metric: str, emoji, held_out) -> dict:
    """Return recall@1, recall@10 and the reciprocal rank of every held-out query."""
    index = ImageIndex(encoder, metric=metric)
    index.add(emoji.gallery_images)
    _, indices = index.search(emoji.query_images[held_out], k=len(emoji.gallery_images))
    labels = emoji.query_labels[held_out], emoji.gallery_labels
    relevant, one = metrics.relevance(*labels, indices), metrics.count_relevant(*labels)
    return {
        "recall@1": metrics.recall_at_k(relevant, one, 1),
        "recall@10": metrics.recall_at_k(relevant, one, 10),
        "MRR": metrics.average_precision(relevant, one),  # of one right answer: 1 / its rank
    }


class PairLDA:
    """Linear discriminant analysis of principal components: what differs within pairs counts less.

    The linear method that learns from pairs: each symbol is a class of two drawings, and the
    directions are those in which symbols differ most beside how their two drawings do. Shrinkage
    pulls the scatter within pairs towards a sphere.
    """

    def __init__(self, pca: PCA, n_components: int, shrinkage: float):
        self.pca, self.n_components, self.shrinkage = pca, n_components, shrinkage

    def fit(self, first, second) -> "PairLDA":
        symbols = np.tile(np.arange(len(first)), 2)
        self.lda = LinearDiscriminantAnalysis(
            n_components=LATENT_DIM, solver="eigen", shrinkage=self.shrinkage
        ).fit(self.components(np.concatenate([first, second])), symbols)
        return self

    def components(self, images) -> np.ndarray:
        return self.pca.transform(flat(images))[:, : self.n_components]

    def encode(self, images) -> np.ndarray:
        return self.lda.transform(self.components(images)).astype(np.float32)


def flat(images: np.ndarray) -> np.ndarray:
    return images.reshape(len(images), -1)


def tuned_lda(emoji, others, trials: list[tuple]) -> PairLDA:
    """Fit on pairs, with those settings that had the best MRR when a fifth of them was held out."""
    held_out, rest = others[::5], np.delete(others, slice(None, None, 5))

    def fitted(pca, settings, symbols) -> PairLDA:
        drawings = emoji.gallery_images[symbols], emoji.query_images[symbols]
        return PairLDA(pca, *settings).fit(*drawings)

    def mrr(settings) -> float:
        encoder = fitted(pca, settings, rest)
        return float(score(encoder, "cosine", emoji, held_out)["MRR"].mean())

    pca = principal(emoji, rest, trials)
    best = max(trials, key=mrr)
    return fitted(principal(emoji, others, trials), best, others)


def principal(emoji, symbols, trials: list[tuple]) -> PCA:
    """Fit as many components as any trial asks for; a smaller fit is the first of them."""
    drawings = np.concatenate([emoji.gallery_images[symbols], emoji.query_images[symbols]])
    return PCA(max(n for n, _ in trials), svd_solver="covariance_eigh").fit(flat(drawings))


def train(likelihood: str, pairs: bool, seed: int, emoji, others, epochs: int):
    """Return a VAE trained on the drawings of ``others``, alone or in pairs, and its seconds."""
    drawings = emoji.gallery_images[others], emoji.query_images[others]
    vae, started = build(likelihood, seed), time.perf_counter()
    if pairs:
        training.fit_pairs(vae, *drawings, epochs=epochs, seed=seed)
    else:
        vae.fit(np.concatenate(drawings), batch_size=64, epochs=epochs, verbose=0)
    return vae, time.perf_counter() - started


def line(name: str, scores: list[dict], **more) -> dict:
    return {
        "name": name,
        "scores": {m: summary([as_score(s[m], len(scores)) for s in scores]) for m in scores[0]},
        **more,
    }


def as_score(values: np.ndarray, n_seeds: int) -> dict:
    """Return the mean over queries, with its bootstrap interval where there is one seed."""
    value = {"mean": float(values.mean())}
    if n_seeds == 1:
        rng = np.random.default_rng(0)
        resamples = rng.integers(0, len(values), (2000, len(values)))
        value["interval"] = [rounded(limit) for limit in interval(values, resamples)]
    return value


def measure(epochs: int, seeds: tuple, step: int = 1) -> dict:
    """Score every row; VAEs are trained on every ``step``-th symbol that is not held out.

    Returned are the rows, and paired differences of some.
    """
    emoji = datasets.load("emoji")
    symbols = np.arange(len(emoji.gallery_images))
    held_out, others = symbols[symbols % 5 == 0], symbols[symbols % 5 != 0]
    components = emoji_components(LATENT_DIM)
    scores = {
        PIXELS: [score(baselines.Pixels(), "euclidean", emoji, held_out)],
        PCA_ROW: [score(components, "euclidean", emoji, held_out)],
    }
    lines = [line(name, found) for name, found in scores.items()]
    lda = tuned_lda(emoji, others, LDA_TRIALS[:: step // 4 or 1])
    settings = {"components": lda.n_components, "shrinkage": lda.shrinkage}
    scores[LDA_ROW] = [score(lda, "cosine", emoji, held_out)]
    lines.append(line(LDA_ROW, scores[LDA_ROW], settings=settings))
    for name, likelihood, pairs in (
        ("VAE, Bernoulli", "bernoulli", False),
        ("VAE, Gaussian", "gaussian", False),
        (PAIR_VAE, "gaussian", True),
    ):
        found, seconds = [], []
        for seed in seeds:
            vae, taken = train(likelihood, pairs, seed, emoji, others[::step], epochs)
            found.append(score(vae, "cosine", emoji, held_out))
            seconds.append(round(taken))
        scores[name] = found
        lines.append(line(name, found, seeds=list(seeds), seconds=seconds))
        print(lines[-1])
    return {"rows": lines, "differences": [difference(scores, *pair) for pair in COMPARED]}


def difference(scores: dict, first: str, second: str) -> dict:
    """Return the paired difference of two rows in every measure."""
    one, other = (
        {measure: np.stack([found[measure] for found in scores[name]]) for measure in MEASURES}
        for name in (first, second)
    )
    found = {measure: paired(one[measure], other[measure]) for measure in MEASURES}
    return {"first": first, "second": second, **found}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="one epoch of an eighth, one seed: a trial"
    )
    parser.add_argument("--output", type=Path, default=RESULTS, help="where the JSON file goes")
    arguments = parser.parse_args()
    found = measure(1, (0,), step=8) if arguments.quick else measure(EPOCHS, SEEDS)
    report = {
        "command": "python benchmarks/emoji.py",
        "protocol": "383 queries: Twitter's drawings of every fifth symbol; gallery: Google's "
        "drawings of all 1,911 symbols; one of them is right; Euclidean distance for pixels and "
        "PCA, cosine for the others",
        "labels": "plain VAEs and PCA see no label; pair rows know which two drawings show one "
        "symbol, for the 1,528 symbols that are not queries",
        "settings": f"convolutional, latent {LATENT_DIM}, beta {BETA:g}, {EPOCHS} epochs, "
        "Adam 0.001, mini-batches of 64 drawings; LDA: components and shrinkage by the MRR of a "
        f"fifth of the training symbols, {len(LDA_TRIALS)} trials; of the VAEs one setting",
        "seconds are of": machine(),
        "python": platform.python_version(),
        "versions": versions("keras", "numpy", "tensorflow"),
        "differences are": "of means over queries, both methods on the same queries, seeds "
        "averaged; 95 % intervals by the paired bootstrap",
        **found,
    }
    write_report(arguments.output, report)


if __name__ == "__main__":
    main()
