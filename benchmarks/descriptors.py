"""Descriptors of the study: each function returns ranking features and the bytes of a descriptor.

All take the split and, for trained models, the stored latents of one model.
"""

import time
from functools import cache
from pathlib import Path

import numpy as np
import ranking
import specs

IWAE_DRAWS, IWAE_IMAGES = 5000, 300
EXPANSION = {"k": 30, "power": 3.0}  # chosen on the split of the training set


def train_and_encode(part: str, data_name: str, spec, seed: int, path: Path) -> dict:
    """Train one model; store the latents of gallery and queries at ``path``."""
    from vae_tutorial import training

    split = specs.load_split(data_name, part)
    model = spec.build(data_name, seed)
    started = time.perf_counter()
    spec.train(model, split.gallery)
    seconds = time.perf_counter() - started
    started = time.perf_counter()
    gallery = posterior_of(model, split.gallery)
    encoding = time.perf_counter() - started
    queries = posterior_of(model, split.queries)
    terms = model.evaluate(split.queries, batch_size=500, verbose=0, return_dict=True)
    kl = terms.get("kl", 0.0)  # a plain autoencoder has none
    measured = {
        "training seconds": seconds,
        "encoding images per second": len(split.gallery) / encoding,
        "test reconstruction": terms["reconstruction"],
        "test KL": kl,
        "test ELBO": -terms["reconstruction"] - kl,
        "active units": training.active_units(gallery[0]),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(
        path, mean=gallery[0], log_var=gallery[1], query_mean=queries[0], query_log_var=queries[1]
    )
    model.save_weights(path.with_suffix(".weights.h5"))
    return {"measured": measured, "latents": f"{path.parent.name}/{path.name}"}


def posterior_of(model, images) -> tuple[np.ndarray, np.ndarray]:
    """Mean and log-variance of each image; NaN where a latent is a point or bits."""
    from vae_tutorial.models import Autoencoder, BinaryVAE

    if isinstance(model, (Autoencoder, BinaryVAE)):
        codes = model.encode(images)
        return codes, np.full_like(codes, np.nan)
    return model.encode_distribution(images)


def bounds(split, model, *, quick: bool) -> dict[str, np.ndarray]:
    """ELBO and IWAE bound, in nats, of images whose pixels were drawn as coins.

    Drawing each pixel as a coin of its grey level (dynamic binarisation) makes the bounds those of
    a probability, comparable with the literature, though the models were trained on grey levels.
    """
    from vae_tutorial import objectives
    from vae_tutorial._tensorflow import tf

    draws, n_images = (100, 20) if quick else (IWAE_DRAWS, IWAE_IMAGES)
    rng = np.random.default_rng(0)
    images = split.queries[rng.permutation(len(split.queries))[:n_images]]
    images = (rng.random(images.shape) < images).astype(np.float32)
    means, log_vars = model.encode_distribution(images)

    @tf.function
    def log_weights(image, mean, log_var, noise):
        mean, log_var = (tf.repeat(v[None], len(noise), axis=0) for v in (mean, log_var))
        z = objectives.reparameterise(mean, log_var, noise)
        logits = model.decoder(z)
        likelihood = model.log_likelihood(tf.repeat(image[None], len(noise), axis=0), logits)
        zeros = tf.zeros_like(z)
        prior = objectives.gaussian_log_likelihood(z, zeros, zeros)
        return likelihood + prior - objectives.gaussian_log_likelihood(z, mean, log_var)

    values = {"binarised ELBO": [], "IWAE bound": []}
    for image, mean, log_var in zip(images, means, log_vars, strict=True):
        noise = rng.standard_normal((draws, len(mean))).astype(np.float32)
        parts = [log_weights(image, mean, log_var, part) for part in np.split(noise, draws // 100)]
        weights = np.concatenate(parts)
        values["binarised ELBO"].append(weights.mean())
        values["IWAE bound"].append(float(objectives.iwae_bound(weights)))
    return {name: np.array(bound) for name, bound in values.items()}


def pixels(split, latents, distance: str = "euclidean"):
    gallery, queries = (
        images.reshape(len(images), -1) for images in (split.gallery, split.queries)
    )
    return getattr(ranking, distance)(queries, gallery), gallery.shape[1]


def pca(split, latents, n_components: int, distance: str = "euclidean"):
    gallery, queries = _principal(split, n_components)
    return getattr(ranking, distance)(queries, gallery), 4 * n_components


def lsh(split, latents, bits: int, draw: int):
    """Signs of random projections of the centred pixels (Charikar 2002), for one draw of them."""
    gallery, queries = (
        images.reshape(len(images), -1) for images in (split.gallery, split.queries)
    )
    directions = np.random.default_rng(draw).standard_normal((gallery.shape[1], bits))
    mean = gallery.mean(axis=0)
    codes = [np.where((rows - mean) @ directions > 0, 1.0, -1.0) for rows in (queries, gallery)]
    return ranking.hamming(*codes), bits / 8


def itq(split, latents, bits: int, draw: int):
    """Signs after PCA and the rotation that loses least (Gong et al. 2013), from a random start.

    Written out because FAISS's ITQMatrix ends at a clearly lower mAP on the same components.
    """
    gallery, queries = _principal(split, bits)
    start = np.random.default_rng(draw).standard_normal((bits, bits))
    rotation = np.linalg.qr(start)[0].astype(np.float32)
    for _ in range(50):
        codes = np.where(gallery @ rotation > 0, np.float32(1), np.float32(-1))
        left, _, right = np.linalg.svd(codes.T @ gallery)
        rotation = (left @ right).T
    codes = [np.where(rows @ rotation > 0, 1.0, -1.0) for rows in (queries, gallery)]
    return ranking.hamming(*codes), bits / 8


def _principal(split, n_components: int):
    from sklearn.decomposition import PCA

    gallery, queries = (
        images.reshape(len(images), -1) for images in (split.gallery, split.queries)
    )
    model = PCA(n_components, svd_solver="covariance_eigh").fit(gallery)
    return model.transform(gallery).astype(np.float32), model.transform(queries).astype(np.float32)


@cache
def emoji_components(n_components: int):
    """PCA of the emoji that emoji.py and names.py do not hold out; both need this slow fit."""
    from vae_tutorial import baselines, datasets

    emoji = datasets.load("emoji")
    symbols = np.arange(len(emoji.gallery_images))
    others = symbols[symbols % 5 != 0]
    known = np.concatenate([emoji.gallery_images[others], emoji.query_images[others]])
    return baselines.PCA(n_components).fit(known)


def latent(split, latents, distance: str):
    """Distances of latents: of means, of whole posteriors, of draws from them, of bits."""
    queries = (latents["query_mean"], latents["query_log_var"])
    gallery = (latents["mean"], latents["log_var"])
    dims = gallery[0].shape[1]
    if distance == "symmetric KL":
        return ranking.symmetric_kl(queries, gallery), 8 * dims
    if distance == "Wasserstein-2":
        return ranking.wasserstein_2(queries, gallery), 8 * dims
    if distance == "sampled z":
        rng = np.random.default_rng(0)
        draws = [
            mean + np.exp(log_var / 2) * rng.standard_normal(mean.shape, dtype=np.float32)
            for mean, log_var in (queries, gallery)
        ]
        return ranking.euclidean(*draws), 4 * dims
    if distance == "hamming":
        codes = [np.where(rows > 0, 1.0, -1.0) for rows in (queries[0], gallery[0])]
        return ranking.hamming(*codes), dims / 8
    return getattr(ranking, distance)(queries[0], gallery[0]), 4 * dims


def expanded(split, latents, rounds: int):
    """Query expansion and database augmentation with the k nearest gallery images."""
    from vae_tutorial.retrieval import expand

    queries, gallery = latents["query_mean"], latents["mean"]
    for _ in range(rounds):
        queries, gallery = (expand(rows, gallery, **EXPANSION) for rows in (queries, gallery))
    return ranking.cosine(queries, gallery), 4 * gallery.shape[1]


def summed(split, latents):
    """Distance after two rounds of expansion, plus a share of the distance before."""
    (far_q, far_g), n_bytes = expanded(split, latents, rounds=2)
    near_q, near_g = ranking.cosine(latents["query_mean"], latents["mean"])
    share = 0.3  # chosen on the split of the training set
    return (np.hstack([far_q, share * near_q]), np.hstack([far_g, near_g])), 2 * n_bytes


def eight_bit(split, latents):
    """Each number of the unit-length mean as one of 256 levels between its extremes."""
    queries, gallery = (ranking.unit(latents[name]) for name in ("query_mean", "mean"))
    low, high = gallery.min(axis=0), gallery.max(axis=0)
    levels = np.round((gallery - low) / (high - low) * 255)
    return ranking.cosine(queries, low + levels / 255 * (high - low)), gallery.shape[1]


def product(split, latents, n_bytes: int):
    """Product quantisation of the unit-length mean (Jégou et al. 2011), as FAISS has it."""
    import faiss

    queries, gallery = (ranking.unit(latents[name]) for name in ("query_mean", "mean"))
    quantiser = faiss.ProductQuantizer(gallery.shape[1], n_bytes, 8)
    quantiser.train(gallery)
    decoded = quantiser.decode(quantiser.compute_codes(gallery))
    return ranking.euclidean(queries, decoded), n_bytes
