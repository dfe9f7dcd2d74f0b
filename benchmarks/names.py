"""Measure images and names: is a picture found by its words, and do words follow from a picture?

Every fifth symbol is held out. Queries are names of held-out symbols (text to image) or Twitter's
drawings of them (image to text, image to image). Names of the other symbols train the model, which
is supervision. Writes results/names.json.
"""

import argparse
import platform
import time
from pathlib import Path

import numpy as np
from descriptors import emoji_components
from measuring import machine, unit, versions, write_report
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression, Ridge

from vae_tutorial import datasets, training
from vae_tutorial._tensorflow import keras
from vae_tutorial.multimodal import ImageTextVAE

RESULTS = Path(__file__).parent / "results" / "names.json"
SEEDS = (0, 1, 2)
EPOCHS = 80
LATENT_DIM = 64


class Emoji:
    """The emoji, their names as bags of words, and the split by symbol."""

    def __init__(self):
        data = datasets.load("emoji")
        self.google, self.twitter = data.gallery_images, data.query_images
        symbols = np.arange(len(self.google))
        self.held_out, self.others = symbols[symbols % 5 == 0], symbols[symbols % 5 != 0]
        names = np.array(data.label_names)
        # Words of at least two training names; what no other name says cannot be learnt.
        self.vectorizer = CountVectorizer(binary=True, min_df=2, token_pattern=r"[a-z0-9]+")
        self.vectorizer.fit(names[self.others])
        self.words = self.vectorizer.transform(names).toarray().astype("float32")
        self.groups = np.array(data.label_groups)
        self.drawings = np.concatenate([self.google[self.others], self.twitter[self.others]])

    def train(self, seed: int, epochs: int, step: int = 1):
        """Return the model, trained on drawings and names of every ``step``-th other symbol."""
        training.set_seed(seed)
        vae = ImageTextVAE((32, 32, 3), self.words.shape[1], LATENT_DIM, seed=seed)
        vae.compile(keras.optimizers.Adam(1e-3))
        used = self.others[::step]
        google, twitter = self.google[used], self.twitter[used]
        words, middle = np.tile(self.words[used], (2, 1)), (google + twitter) / 2
        data = (np.concatenate([google, twitter]), words, np.concatenate([middle, middle]))
        vae.fit(data, batch_size=64, epochs=epochs, verbose=0)
        return vae


def search_scores(queries, gallery, right) -> dict:
    """Return recall@1, recall@10 and MRR by cosine, with ties resolved at their mean position."""
    similarity = (unit(queries) @ unit(gallery).T).astype("float64").round(7)
    own = similarity[np.arange(len(right)), right][:, None]
    position = 1 + (similarity > own).sum(1) + ((similarity == own).sum(1) - 1) / 2
    values = {"recall@1": position == 1, "recall@10": position <= 10, "MRR": 1 / position}
    return {name: {"mean": float(np.mean(value))} for name, value in values.items()}


def over_seeds(scores: list[dict]) -> dict:
    means = [round(score["mean"], 4) for score in scores]
    return {"mean": float(np.mean(means).round(4)), "each": means}


def chance(n: int) -> dict:
    """Return what a random order of ``n`` candidates gives on average."""
    values = {
        "recall@1": 1 / n,
        "recall@10": 10 / n,
        "MRR": float((1 / np.arange(1, n + 1)).mean()),
    }
    return {name: {"mean": value} for name, value in values.items()}


def word_scores(probabilities, words) -> dict:
    """Return how often the likeliest word, or one of the five, stands in the name."""
    some = words.sum(1) > 0
    order = np.argsort(-probabilities[some], axis=1, kind="stable")
    right = np.take_along_axis(words[some], order, axis=1)
    return {
        "first word right": {"mean": float(right[:, 0].mean())},
        "one of five right": {"mean": float(right[:, :5].any(1).mean())},
    }


def coherence(emoji: Emoji, vae, rounds: int) -> dict:
    """Return how often a classifier of categories agrees about what was asked and what came out."""
    held, others = emoji.held_out, emoji.others
    flat = emoji.drawings.reshape(len(emoji.drawings), -1)
    see = LogisticRegression(max_iter=rounds, C=0.01).fit(flat, np.tile(emoji.groups[others], 2))
    read = LogisticRegression(max_iter=rounds).fit(emoji.words[others], emoji.groups[others])
    drawn = vae.decode(vae.encode_words(emoji.words[held]))
    said = vae.decode_words(vae.encode(emoji.twitter[held]))
    truth = emoji.groups[held]

    def agree(classifier, inputs):
        return {"mean": float((classifier.predict(inputs) == truth).mean())}

    most = max(set(emoji.groups[others]), key=list(emoji.groups[others]).count)
    return {
        "drawn from the name": agree(see, drawn.reshape(len(held), -1)),
        "Twitter's own drawing": agree(see, emoji.twitter[held].reshape(len(held), -1)),
        "words said of the drawing": agree(read, said),
        "the name itself": agree(read, emoji.words[held]),
        "always the largest category": {"mean": float((truth == most).mean())},
    }


def text_baselines(emoji: Emoji) -> dict:
    """Return descriptors that bags of words predict for each held-out name, without a VAE."""
    pca = emoji_components(LATENT_DIM)
    gallery = pca.encode(emoji.google)
    gallery = gallery - gallery[emoji.others].mean(0)
    known, asked = emoji.words[emoji.others], emoji.words[emoji.held_out]
    rare = np.log(len(known) / known.sum(0))
    known, asked = known * rare, asked * rare
    likeness = unit(asked) @ unit(known).T
    nearest = np.argsort(-likeness, axis=1, kind="stable")[:, :5]
    weights = np.take_along_axis(likeness, nearest, axis=1)
    pictures = (weights[..., None] * gallery[emoji.others][nearest]).sum(1)
    ridge = Ridge(alpha=10.0, fit_intercept=False).fit(known, gallery[emoji.others])
    return {
        "bag of words, five nearest names": (pictures, gallery),
        "bag of words, ridge regression": (ridge.predict(asked), gallery),
    }


def measure(epochs: int, seeds: tuple, step: int = 1, rounds: int = 2000) -> dict:
    emoji = Emoji()
    held, rows = emoji.held_out, {}
    some = np.arange(len(held))
    tasks = {
        "text to image, all": (len(emoji.google), held),
        "text to image, new": (len(held), some),
    }
    for name, (queries, gallery) in text_baselines(emoji).items():
        rows[name] = {
            "text to image, all": search_scores(queries, gallery, held),
            "text to image, new": search_scores(queries, gallery[held], some),
        }
    rows["chance"] = {task: chance(n) for task, (n, _) in tasks.items()}
    rows["chance"]["image to text, new"] = chance(len(held))
    rows["chance"]["image to image, all"] = chance(len(emoji.google))
    frequent = np.tile(emoji.words[emoji.others].mean(0), (len(held), 1))
    rows["most frequent words"] = {"words": word_scores(frequent, emoji.words[held])}
    found, seconds = [], []
    for seed in seeds:
        started = time.perf_counter()
        vae = emoji.train(seed, epochs, step)
        seconds.append(round(time.perf_counter() - started))
        found.append(score(emoji, vae, rounds))
        print(found[-1])
    rows["image-text VAE"] = {
        task: {m: over_seeds([one[task][m] for one in found]) for m in found[0][task]}
        for task in found[0]
    }
    return {
        "words": {
            "in the vocabulary": len(emoji.vectorizer.vocabulary_),
            "held-out names with a known word": int((emoji.words[held].sum(1) > 0).sum()),
        },
        "seconds": seconds,
        "rows": rows,
    }


def score(emoji: Emoji, vae, rounds: int) -> dict:
    """Return every score of one trained model."""
    held = emoji.held_out
    some = np.arange(len(held))
    names, gallery = vae.encode_words(emoji.words), vae.encode(emoji.google)
    # The two clouds have different centres; training symbols tell them.
    names = names - names[emoji.others].mean(0)
    centre = gallery[emoji.others].mean(0)
    pictures = vae.encode(emoji.twitter[held])
    return {
        "text to image, all": search_scores(names[held], gallery - centre, held),
        "text to image, new": search_scores(names[held], (gallery - centre)[held], some),
        "image to text, new": search_scores(pictures - centre, names[held], some),
        "image to image, all": search_scores(pictures, gallery, held),
        "words": word_scores(vae.decode_words(pictures), emoji.words[held]),
        "category": coherence(emoji, vae, rounds),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="one epoch of an eighth, one seed: a trial"
    )
    parser.add_argument("--output", type=Path, default=RESULTS, help="where the JSON file goes")
    arguments = parser.parse_args()
    trial = {"epochs": 1, "seeds": (0,), "step": 8, "rounds": 20}
    results = measure(**trial) if arguments.quick else measure(EPOCHS, SEEDS)
    report = {
        "command": "python benchmarks/names.py",
        "protocol": "383 queries: names (text to image) or Twitter's drawings of every fifth "
        "symbol; gallery: 'all', Google's drawings of all 1,911 symbols, or 'new', the 383 "
        "held-out symbols only; one is right; cosine of latents, or of 64 PCA coefficients for "
        "the bags of words, centred on training symbols; ties count at their mean position",
        "labels": "names and pairs of drawings of the 1,528 symbols that are not queries",
        "settings": f"latent {LATENT_DIM}, beta 0.2, word weight 50, half of the words hidden, "
        f"{EPOCHS} epochs, Adam 0.001, mini-batches of 64 drawings; ridge penalty 10",
        "seconds are of": machine(),
        "python": platform.python_version(),
        "versions": versions("keras", "numpy", "scikit-learn", "tensorflow"),
        **results,
    }
    write_report(arguments.output, report)


if __name__ == "__main__":
    main()
