"""The methods of the fair fight: the settings of one, and how they become descriptors.

``descriptors`` returns those of gallery and queries, (n, d) float32 each, and a dictionary of what
was measured on the way.
"""

import time
from dataclasses import asdict, dataclass, replace

import numpy as np
import specs

from vae_tutorial import features
from vae_tutorial.neighbours import GraphDescriptor

DIM = 32  # numbers of a descriptor, for every method that can choose
GRAPH_K, GRAPH_STEPS = 15, 16.0  # of the graph that a network is asked to draw
SHAPE = (28, 28, 1)


@dataclass(frozen=True)
class Method:
    """One setting of one family."""

    kind: str = "network"  # pixels, pca, hog, or a network
    upright: bool = False
    # Made by hand:
    blur: float = 0.0  # standard deviation in pixels
    whiten: bool = False
    components: int | None = DIM
    cell: int = 4
    orientations: int = 9
    # Networks:
    architecture: str = "conv"
    loss: str = "reconstruction"  # or contrast, labels
    target: str = "pixels"  # hog, graph, hog+graph: what the decoder is to draw
    views: float = 0.0  # strength of the views that the encoder sees
    noise: bool = True
    beta: float = 1.0
    consistency: float = 0.0
    likelihood: str = "bernoulli"  # of pixels; of histograms it is a Gaussian
    graph_scale: float = 1.0  # of the graph beside histograms, in target hog+graph
    temperature: float = 0.2
    head: int = 0
    bits: bool = False
    epochs: int = 10
    learning_rate: float = 2e-3
    batch_size: int = 256

    def describe(self) -> dict:
        """Return the settings that differ from their defaults, for the result file."""
        default = asdict(Method())
        return {name: value for name, value in asdict(self).items() if value != default[name]}


def pictures(split, method: Method) -> tuple[np.ndarray, np.ndarray]:
    """Return gallery and queries as the method gets them: as they are, or upright."""
    both = split.gallery, split.queries
    return tuple(map(features.upright, both)) if method.upright else both


def descriptors(split, data_name: str, method: Method, seed: int) -> tuple:
    """Return gallery descriptors, query descriptors, and what was measured."""
    if method.kind == "network":
        return network(split, data_name, method, seed)
    gallery, queries = pictures(split, method)
    make = {"pixels": pixels, "pca": pixels, "hog": histograms}[method.kind]
    gallery, queries = make(gallery, method), make(queries, method)
    if method.kind != "pixels" and method.components:
        gallery, queries = principal(gallery, queries, method.components, whiten=method.whiten)
    return gallery.astype(np.float32), queries.astype(np.float32), {}


def pixels(images: np.ndarray, method: Method) -> np.ndarray:
    from scipy import ndimage

    if method.blur:
        images = ndimage.gaussian_filter(images, (0, method.blur, method.blur, 0))
    return images.reshape(len(images), -1)


def histograms(images: np.ndarray, method: Method) -> np.ndarray:
    return features.HOG(method.cell, method.orientations).encode(images)


def principal(gallery, queries, n_components: int, *, whiten: bool = False):
    """PCA of the gallery: by the covariance, which is fast for many rows."""
    from sklearn.decomposition import PCA

    model = PCA(n_components, svd_solver="covariance_eigh", whiten=whiten).fit(gallery)
    return model.transform(gallery), model.transform(queries)


# -- Networks -------------------------------------------------------------------------------------


def network(split, data_name: str, method: Method, seed: int) -> tuple:
    """Train a network on the gallery; describe gallery and queries by its latents."""
    gallery, queries = pictures(split, method)
    drawn = targets(gallery, method)
    n_features = 0 if drawn is None else drawn.shape[-1]
    model = build(data_name, method, seed, n_features)
    started = time.perf_counter()
    fit(model, gallery, drawn, split.gallery_labels, method)
    measured = {"training seconds": time.perf_counter() - started}
    described = [model.encode(images) for images in (gallery, queries)]
    measured |= terms_of(model, queries[:2000])
    return *described, measured


def build(data_name: str, method: Method, seed: int, n_features: int):
    """Return the untrained network of a method."""
    import rivals

    from vae_tutorial import models, training

    training.set_seed(seed)
    view = None
    if method.views:
        sizes = specs.VIEWS[data_name] | {"strength": method.views}
        view = models.RandomView(**sizes, seed=seed)
    if method.loss == "contrast":
        return rivals.ContrastiveEncoder(DIM, view, method.temperature, method.head)
    if method.loss == "labels":
        return rivals.Classifier(DIM, view)
    common = {"view": view, "beta": method.beta, "seed": seed, "noise": method.noise}
    if method.target != "pixels":
        return models.FeatureVAE(SHAPE, DIM, method.architecture, n_features, **common)
    kind = models.BinaryVAE if method.bits else models.ViewVAE
    size = 64 if method.bits else DIM
    common |= {"consistency": method.consistency}
    return kind(SHAPE, size, method.architecture, method.likelihood, **common)


def targets(gallery: np.ndarray, method: Method) -> np.ndarray | None:
    """Return what is to be drawn of each image, or None for the image itself."""
    if method.loss != "reconstruction" or method.target == "pixels":
        return None
    histogram = histograms(gallery, Method())
    if method.target == "hog":
        return histogram
    graph = method.graph_scale * clusters(histogram)
    return graph if method.target == "graph" else np.hstack([histogram, graph])


def clusters(histogram: np.ndarray) -> np.ndarray:
    """Return the graph descriptor of each image, at a scale of about 1.

    The graph is that of PCA-32 of the histograms: no network has a part in it.
    """
    described, _ = principal(histogram, histogram[:1], DIM)
    graph = GraphDescriptor(DIM, GRAPH_K, steps=GRAPH_STEPS).fit(described)
    return graph.descriptors_ * np.float32(np.sqrt(DIM))


def fit(model, gallery, drawn, labels, method: Method) -> None:
    """Train for the method's epochs, with the schedule of all models of the study."""
    spec = specs.Spec("", epochs=method.epochs, batch_size=method.batch_size)
    spec = replace(spec, learning_rate=method.learning_rate)
    second = labels if method.loss == "labels" else drawn
    spec.train(model, gallery, second=second)


def terms_of(model, queries: np.ndarray) -> dict:
    """Return the KL divergence of queries and the active units, where there is a posterior."""
    from vae_tutorial import models, objectives, training

    if not isinstance(model, models.ViewVAE) or isinstance(model, models.BinaryVAE):
        return {}
    if not model.noise:  # no variance was trained
        return {}
    mean, log_var = model.encode_distribution(queries)
    kl = float(np.mean(objectives.kl_divergence(mean, log_var)))
    return {f"KL of {len(queries):,} queries": kl, "active units": int(training.active_units(mean))}
