"""What only a probabilistic model can do, each ability against its simplest rivals.

A plain convolutional VAE (beta 1, no views), three seeds. (a) Does a query belong to the gallery?
(b) Does the model know when its answer is wrong? (c) What can be found with part of a query? (d)
What lies between a query and its result? (e) Is a distance that knows the variance a better one?
Writes results/abilities.json; what one seed found is kept in benchmarks/cache.
"""

import argparse
import os
import platform
import tempfile
from functools import partial
from pathlib import Path

import fast_scores
import numpy as np
import ranking
import specs
import strangers
import study
from measuring import machine, rounded, versions, write_report
from methods import Method, histograms

from vae_tutorial import metrics

RESULTS = Path(__file__).parent / "results" / "abilities.json"
OTHER = {"mnist": "fashion-mnist", "fashion-mnist": "mnist"}
SHARES = (1.0, 0.9, 0.75, 0.5)
HIDDEN = ("the lower half", "all but the upper left quarter")
DRAWS = 8  # of z, for an image's ELBO
STEPS, RATE = 150, 0.1  # of the search for a posterior


def trained(data_name: str, split, seed: int, epochs: int):
    """Return the VAE of this page: its ELBO is one."""
    spec = specs.Spec("VAE", epochs=epochs)
    model = spec.build(data_name, seed)
    spec.train(model, split.gallery)
    return model


# -- (a) A query that belongs nowhere -------------------------------------------------------------


def evidence(model, images: np.ndarray) -> dict[str, np.ndarray]:
    """Return what the model says of each image, the larger, the stranger; by DRAWS draws of z."""
    from vae_tutorial import objectives

    rng = np.random.default_rng(0)
    found: dict[str, list] = {"minus the ELBO": [], "KL": [], "reconstruction": []}
    for start in range(0, len(images), 500):
        batch = images[start : start + 500]
        posterior = model.encoder(batch)
        kl = objectives.kl_divergence(*posterior).numpy()
        missed = np.zeros(len(batch))
        for _ in range(DRAWS):
            noise = rng.standard_normal((len(batch), model.latent_dim), dtype=np.float32)
            z = objectives.reparameterise(*posterior, noise)
            missed -= model.log_likelihood(batch, model.decoder(z)).numpy() / DRAWS
        found["KL"].append(kl)
        found["reconstruction"].append(missed)
        found["minus the ELBO"].append(missed + kl)
    return {name: np.concatenate(parts) for name, parts in found.items()}


def distance_of_nearest(queries, gallery, k: int = 10) -> np.ndarray:
    """Return the mean Euclidean distance of the k nearest gallery rows."""
    import faiss

    index = faiss.IndexFlatL2(gallery.shape[1])
    index.add(np.ascontiguousarray(gallery, np.float32))
    squares, _ = index.search(np.ascontiguousarray(queries, np.float32), k)
    return np.sqrt(squares.clip(0)).mean(axis=1)


def strangeness(model, spaces: dict, images: np.ndarray) -> dict[str, np.ndarray]:
    """Return every measure of strangeness of images; the larger, the stranger."""
    found = evidence(model, images)
    mean, log_var = model.encode_distribution(images)
    found["posterior variance"] = log_var.sum(axis=1)
    for name, (describe, gallery) in spaces.items():
        pair = mean if name == "latents" else describe(images), gallery
        found[f"ten nearest, {name}, Euclidean"] = distance_of_nearest(*pair)
        found[f"ten nearest, {name}, cosine"] = distance_of_nearest(*map(ranking.unit, pair))
    return found


def spaces_of(split) -> dict:
    """Return, by name, a function that describes images, and the gallery so described."""
    from sklearn.decomposition import PCA

    flat = split.gallery.reshape(len(split.gallery), -1)
    pca = PCA(32, svd_solver="covariance_eigh").fit(flat)
    edges = histograms(split.gallery, Method())
    hog = PCA(32, svd_solver="covariance_eigh").fit(edges)
    return {
        "pixels": (lambda images: images.reshape(len(images), -1), flat),
        "PCA 32": (lambda x: pca.transform(x.reshape(len(x), -1)), pca.transform(flat)),
        "HOG, PCA 32": (lambda x: hog.transform(histograms(x, Method())), hog.transform(edges)),
    }


def belonging(model, spaces, split, others: dict[str, np.ndarray]) -> dict:
    """Return the AUROC of each measure: how often a stranger is found stranger than a query."""
    from sklearn.metrics import roc_auc_score

    own = strangeness(model, spaces, split.queries)
    result: dict[str, dict] = {name: {} for name in own}
    for kind, images in others.items():
        foreign = strangeness(model, spaces, images)
        truth = np.repeat([0, 1], [len(split.queries), len(images)])
        for name in own:
            values = np.concatenate([own[name], foreign[name]])
            result[name][kind] = float(roc_auc_score(truth, values))
    return result


# -- (b) Knowing when it is wrong -----------------------------------------------------------------


def doubt(model, split) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return P@10 of every query by latents and cosine, and measures of doubt about it."""
    from neighbourhood import nearest

    mean, log_var = model.encode_distribution(split.queries)
    gallery = model.encode(split.gallery)
    similarity, places = nearest(mean, gallery, 10)
    right = (split.gallery_labels[places] == split.query_labels[:, np.newaxis]).mean(axis=1)
    unit = ranking.unit(gallery)[places]
    among = np.einsum("nkd,nld->nkl", unit, unit).mean(axis=(1, 2))
    measures = {
        "posterior variance": log_var.sum(axis=1),
        **evidence(model, split.queries),
        "distance of the nearest": -similarity[:, 0],
        "mean distance of the ten": -similarity.mean(axis=1),
        "gap from first to tenth": similarity[:, 0] - similarity[:, -1],
        "spread of the ten": -among,
        "chance": np.random.default_rng(0).random(len(mean)),
    }
    return right, measures


def selective(model, split) -> dict:
    """Return P@10 of the least doubtful share of queries, for each measure."""
    right, measures = doubt(model, split)
    order = {name: np.argsort(values, kind="stable") for name, values in measures.items()}
    order["perfect knowledge"] = np.argsort(-right, kind="stable")
    result = {}
    for name, rows in order.items():
        kept = {f"{share:.0%}": rows[: round(share * len(rows))] for share in SHARES}
        result[name] = {share: float(right[first].mean()) for share, first in kept.items()}
    return result


# -- (c) Part of a query --------------------------------------------------------------------------


def mask_of(hidden: str) -> np.ndarray:
    """Return 1 for each visible pixel, (28, 28, 1)."""
    mask = np.ones((28, 28, 1), np.float32)
    if hidden == "the lower half":
        mask[14:] = 0
    else:
        mask[:] = 0
        mask[:14, :14] = 1
    return mask


def posterior_of_part(model, images: np.ndarray, mask: np.ndarray, steps: int) -> np.ndarray:
    """Return the mean of the Gaussian that maximises the ELBO of the visible pixels alone.

    Adam from the prior, one draw a step; the pixels that are hidden are left out of the likelihood.
    """
    from vae_tutorial import objectives
    from vae_tutorial._tensorflow import keras, tf

    mean = tf.Variable(tf.zeros((len(images), model.latent_dim)))
    log_var = tf.Variable(tf.zeros_like(mean))
    rate = keras.optimizers.schedules.CosineDecay(RATE, steps)
    optimizer = keras.optimizers.Adam(rate)
    optimizer.build([mean, log_var])
    generator = tf.random.Generator.from_seed(0)
    pixels = tf.constant(images)

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            noise = generator.normal(mean.shape)
            logits = model.decoder(objectives.reparameterise(mean, log_var, noise))
            each = -tf.nn.sigmoid_cross_entropy_with_logits(labels=pixels, logits=logits)
            likelihood = tf.reduce_sum(each * mask, axis=(1, 2, 3))
            loss = -tf.reduce_sum(likelihood - objectives.kl_divergence(mean, log_var))
        optimizer.apply(tape.gradient(loss, [mean, log_var]), [mean, log_var])

    for _ in range(steps):
        step()
    return mean.numpy()


def posterior_of_pca(images, mask, gallery) -> tuple[np.ndarray, np.ndarray]:
    """Return components of part of an image, and of the gallery: probabilistic PCA, in closed form.

    Noise and components are those of the gallery; the hidden pixels are left out (Tipping and
    Bishop 1999).
    """
    from sklearn.decomposition import PCA

    flat = gallery.reshape(len(gallery), -1)
    model = PCA(32, svd_solver="covariance_eigh").fit(flat)
    noise = model.noise_variance_
    weights = model.components_.T * np.sqrt((model.explained_variance_ - noise).clip(0))
    seen = mask.ravel() > 0
    part = weights[seen]
    precision = part.T @ part + noise * np.eye(32)
    centred = images.reshape(len(images), -1)[:, seen] - model.mean_[seen]
    queries = np.linalg.solve(precision, part.T @ centred.T).T
    whole = weights.T @ weights + noise * np.eye(32)
    return queries, np.linalg.solve(whole, weights.T @ (flat - model.mean_).T).T


def parts(model, split, n_queries: int, steps: int) -> dict:
    """Return P@10 of queries of which only a part is seen, for each way to search."""
    rows = np.random.default_rng(0).permutation(len(split.queries))[:n_queries]
    queries, labels = split.queries[rows], (split.query_labels[rows], split.gallery_labels)
    latents, flat = model.encode(split.gallery), split.gallery.reshape(len(split.gallery), -1)
    result: dict[str, dict] = {}
    for hidden in HIDDEN:
        mask = mask_of(hidden)
        visible = queries * mask
        seen = mask.ravel() > 0
        ways = {
            "pixels, the visible ones": (queries.reshape(len(rows), -1)[:, seen], flat[:, seen]),
            "HOG, the visible part": (
                histograms(crop(queries, mask), Method()),
                histograms(crop(split.gallery, mask), Method()),
            ),
            "PCA 32, posterior of the visible": posterior_of_pca(queries, mask, split.gallery),
            "VAE, hidden pixels black": (model.encode(visible), latents),
            "VAE, posterior of the visible": (
                posterior_of_part(model, visible, mask, steps),
                latents,
            ),
        }
        for name, (described, gallery) in ways.items():
            features = ranking.cosine(described, gallery)
            scores = fast_scores.of_features(features, *labels)
            result.setdefault(name, {})[hidden] = float(scores["P@10"].mean())
    whole = fast_scores.of_features(ranking.cosine(model.encode(queries), latents), *labels)
    result["VAE, the whole query"] = dict.fromkeys(HIDDEN, float(whole["P@10"].mean()))
    return result


def crop(images: np.ndarray, mask: np.ndarray) -> np.ndarray:
    rows, columns = (np.flatnonzero(mask[..., 0].any(axis=axis)) for axis in (1, 0))
    return images[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


# -- (d) What lies between ------------------------------------------------------------------------


def between(model, split, n_pairs: int) -> dict:
    """Return how often the middle of two images of one class still shows that class.

    The judge is the vote of the five nearest gallery images by HOG; it is also asked about the two
    ends, so that its own mistakes can be told from those of the middle.
    """
    from neighbourhood import nearest
    from sklearn.decomposition import PCA

    rng = np.random.default_rng(0)
    first = rng.permutation(len(split.queries))[:n_pairs]
    labels = split.query_labels
    second = [rng.choice(np.flatnonzero(labels == labels[i])) for i in first]
    one, other = split.queries[first], split.queries[second]
    flat = split.gallery.reshape(len(split.gallery), -1)
    pca = PCA(32, svd_solver="covariance_eigh").fit(flat)
    middle = (model.encode(one) + model.encode(other)) / 2
    coefficients = [pca.transform(images.reshape(len(images), -1)) for images in (one, other)]
    pictures = {
        "an end, as it is": one,
        "mean of the pixels": (one + other) / 2,
        "decoded middle, PCA 32": pca.inverse_transform(np.mean(coefficients, axis=0))
        .reshape(one.shape)
        .clip(0, 1),
        "decoded end, VAE": model.decode(model.encode(one)),
        "decoded middle, VAE": model.decode(middle),
    }
    edges = histograms(split.gallery, Method())
    judge = PCA(32, svd_solver="covariance_eigh").fit(edges)
    known = judge.transform(edges)
    result = {}
    for name, images in pictures.items():
        asked = judge.transform(histograms(images.astype(np.float32), Method()))
        _, places = nearest(asked, known, 5)
        right = metrics.knn_accuracy(labels[first], split.gallery_labels[places], k=5)
        result[name] = {"same class": float(right)}
    return result


# -- (e) Distances that know the variance ---------------------------------------------------------


def distances(model, split, n_queries: int) -> dict:
    """Return P@10 and mAP of the posterior mean, by distances with and without its variance."""
    from sklearn.decomposition import PCA

    rows = np.random.default_rng(0).permutation(len(split.queries))[:n_queries]
    labels = split.query_labels[rows], split.gallery_labels
    query = model.encode_distribution(split.queries[rows])
    gallery = model.encode_distribution(split.gallery)
    white = PCA(whiten=True).fit(gallery[0])
    features = {
        "Euclidean": ranking.euclidean(query[0], gallery[0]),
        "cosine": ranking.cosine(query[0], gallery[0]),
        "Euclidean, whitened": ranking.euclidean(*map(white.transform, (query[0], gallery[0]))),
        "Wasserstein-2": ranking.wasserstein_2(query, gallery),
        "symmetric KL": ranking.symmetric_kl(query, gallery),
    }
    scores = {name: fast_scores.of_features(pair, *labels) for name, pair in features.items()}
    for name, each in by_both_variances(query, gallery).items():
        relevant = labels[0][:, np.newaxis] == labels[1]
        scores[name] = fast_scores.of_rankings(fast_scores.in_order(each, relevant))
    return {
        name: {metric: float(found[metric].mean()) for metric in ("P@10", "mAP")}
        for name, found in scores.items()
    }


def by_both_variances(query: tuple, gallery: tuple) -> dict[str, np.ndarray]:
    """Return distances, (queries, gallery), in which every dimension counts by both variances.

    Weighted: the squared difference of the means over the sum of the variances. Mutual likelihood:
    with the logarithm of that sum, minus twice the score of Shi and Jain (2019) but for a constant.
    """
    variance = np.exp(gallery[1])
    weighted = np.empty((len(query[0]), len(variance)), np.float32)
    spread = np.empty_like(weighted)
    for row, (mean, log_var) in enumerate(zip(*query, strict=True)):
        both = np.exp(log_var) + variance
        weighted[row] = ((mean - gallery[0]) ** 2 / both).sum(axis=1)
        spread[row] = np.log(both).sum(axis=1)
    return {"weighted by both variances": weighted, "mutual likelihood": weighted + spread}


# -- All of it ------------------------------------------------------------------------------------


def others_of(data_name: str, n: int) -> dict[str, np.ndarray]:
    other = specs.load_split(OTHER[data_name], "full" if n > 500 else "quick").queries[:n]
    return {
        "the other data set": other,
        "letters": strangers.letters(n),
        "scribbles": strangers.scribbles(n),
        "noise": strangers.noise(n),
    }


def piece(part: str, data_name: str, seed: int, *, epochs: int, n: int, steps: int) -> dict:
    """Return the five tables of one seed, unless they have been made."""
    content = {"seed": seed, "epochs": epochs, "n": n, "steps": steps}

    def make() -> dict:
        split = specs.load_split(data_name, part)
        model = trained(data_name, split, seed, epochs)
        return of_model(model, split, spaces_of(split), others_of(data_name, n), n, steps)

    return study.cached(study.cache_path("abilities", part, data_name, content), make)


def measure(part: str, seeds, settings: dict) -> dict:
    """Return the five tables for both data sets, mean over seeds; two pieces at a time."""
    pieces = [(part, name, seed) for seed in seeds for name in OTHER]
    call = partial(piece, **settings)
    study.in_parallel([(call, one, f"{one[1]}, seed {one[2]}") for one in pieces], workers=2)
    found = {name: [call(part, name, seed) for seed in seeds] for name in OTHER}
    return {
        name: {table: averaged([one[table] for one in each]) for table in each[0]}
        for name, each in found.items()
    }


def of_model(model, split, spaces: dict, others: dict, n: int, steps: int) -> dict:
    """Return the five tables for one trained model."""
    with_latents = spaces | {"latents": (None, model.encode(split.gallery))}
    return {
        "belongs nowhere: AUROC": belonging(model, with_latents, split, others),
        "least doubtful: P@10": selective(model, split),
        "part of a query: P@10": parts(model, split, min(n, 1000), steps),
        "what lies between": between(model, split, min(n, 1000)),
        "distances": distances(model, split, min(n, 1000)),
    }


def averaged(each: list[dict]) -> dict:
    """Return mean and single values over seeds, method by method and column by column."""
    return {
        method: {
            column: {
                "mean": rounded(np.mean([one[method][column] for one in each])),
                "each": [rounded(one[method][column]) for one in each],
            }
            for column in each[0][method]
        }
        for method in each[0]
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="bundled images, one epoch, one seed")
    parser.add_argument("--output", type=Path, default=RESULTS, help="where the JSON file goes")
    arguments = parser.parse_args()
    if not arguments.quick:
        settings = {"epochs": 6, "n": 2000, "steps": STEPS}
        write_report(arguments.output, report("full", specs.SEEDS, settings))
        return
    with tempfile.TemporaryDirectory() as afresh:
        os.environ["VAE_STUDY_CACHE"] = afresh  # what an earlier run found would prove nothing
        settings = {"epochs": 1, "n": 100, "steps": 5}
        write_report(arguments.output, report("quick", (0,), settings))


def report(part: str, seeds, settings: dict) -> dict:
    n = settings["n"]
    return {
        "command": "python benchmarks/abilities.py",
        "protocol": {name: specs.load_split(name, part).protocol for name in OTHER},
        "model": f"convolutional VAE, beta 1, Bernoulli, latent 32, {settings['epochs']} epochs, "
        f"seeds {', '.join(map(str, seeds))}; no views, no labels",
        "ELBO": f"{DRAWS} draws of z an image",
        "strangers": f"{n} images of each kind; letters: {strangers.LETTERS}",
        "part of a query": f"{min(n, 1000)} queries; the posterior by "
        f"{settings['steps']} steps of Adam, rate {RATE} falling to 0",
        "machine": f"{machine()}, one thread a model, two models at a time",
        "python": platform.python_version(),
        "versions": versions("numpy", "tensorflow", "keras", "faiss-cpu", "scikit-learn", "pillow"),
        "results": measure(part, seeds, settings),
    }


if __name__ == "__main__":
    main()
