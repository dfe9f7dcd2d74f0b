"""Time encoding and search: the article's procedure, ImageIndex, FAISS and scikit-learn.

All methods answer the same queries over the same gallery, in one run and on the same threads. The
exact ones must return the same neighbours; the approximate ones are set to equal recall. Writes
benchmarks/results/speed.json.
"""

import argparse
import json
import os
import platform
import time
from pathlib import Path

import faiss
import numpy as np
from measuring import median_seconds, significant, versions, write_report
from sklearn.neighbors import NearestNeighbors

from vae_tutorial import datasets
from vae_tutorial._tensorflow import keras
from vae_tutorial.baselines import PCA
from vae_tutorial.models import VAE, pretrained
from vae_tutorial.retrieval import ImageIndex

RESULTS = Path(__file__).parent / "results" / "speed.json"
K = 10
RECALL = 0.99  # share of the true 10 nearest that approximate search must find
PACKAGES = ("numpy", "tensorflow", "keras", "faiss-cpu", "scikit-learn")


def article_search(encoder, query: np.ndarray, images: np.ndarray, k: int) -> np.ndarray:
    """The article's procedure: every gallery image through the encoder, one by one."""
    query_mean, _ = encoder(query[np.newaxis])
    distances = []
    for image in images:
        mean, _ = encoder(image[np.newaxis])
        distances.append(np.linalg.norm(mean - query_mean))
    return np.argsort(distances, kind="stable")[:k]


def time_gallery(vae: VAE, gallery: np.ndarray, queries: np.ndarray, sample: int, repeats: int):
    """Time every method on one gallery; return one result for the JSON file."""
    index = ImageIndex(vae)
    index.add(gallery, progress=True)
    vectors, wanted = index.descriptors, vae.encode(queries)
    flat = faiss.IndexFlatL2(vectors.shape[1])
    flat.add(vectors)
    brute = NearestNeighbors(algorithm="brute", n_jobs=-1).fit(vectors)
    methods = {
        "ImageIndex": lambda rows: index.search_descriptors(rows, K)[1],
        "FAISS IndexFlatL2": lambda rows: flat.search(rows, K)[1],
        "scikit-learn": lambda rows: brute.kneighbors(rows, K, return_distance=False),
    }
    answers = {name: search(wanted) for name, search in methods.items()}
    agreement = {name: share_agreeing(found, answers) for name, found in answers.items()}
    assert min(agreement.values()) > 0.999, f"the methods disagree: {agreement}"

    started = time.perf_counter()
    nearest = article_search(vae.encoder, queries[0], gallery[:sample], K)
    article = (time.perf_counter() - started) / sample * len(gallery)
    expected = ImageIndex(None)
    expected.add_descriptors(vectors[:sample])
    assert set(expected.search_descriptors(wanted[:1], K)[1][0]) == set(nearest)

    one = median_seconds({name: lambda f=f: f(wanted[:1]) for name, f in methods.items()}, 200)
    with_encoding = median_seconds({"search": lambda: index.search(queries[:1], K)}, 100)["search"]
    batch = median_seconds({name: lambda f=f: f(wanted) for name, f in methods.items()}, repeats)
    return {
        "gallery": len(gallery),
        "queries": len(queries),
        "k": K,
        "dimension": vectors.shape[1],
        "agreement with ImageIndex": rounded(agreement),
        "article, one query": {
            "seconds": rounded(article),
            "images timed": sample,
            "scaled to the gallery": sample < len(gallery),
        },
        "one query, seconds": rounded({**one, "ImageIndex with encoding": with_encoding}),
        "batch of queries, seconds": rounded(batch),
        "ratios": rounded(
            {
                "article / ImageIndex, one encoded query": article / one["ImageIndex"],
                "article / ImageIndex, one query with encoding": article / with_encoding,
                "article / ImageIndex, a query of a batch": article
                / (batch["ImageIndex"] / len(queries)),
                "ImageIndex / FAISS, batch": batch["ImageIndex"] / batch["FAISS IndexFlatL2"],
                "ImageIndex / scikit-learn, batch": batch["ImageIndex"] / batch["scikit-learn"],
            }
        ),
    }


def time_approximate(vectors: np.ndarray, wanted: np.ndarray, repeats: int) -> dict:
    """Time exact and approximate search of one gallery at equal recall; say what memory each takes.

    The setting of an approximate index is the smallest of a list that reaches RECALL.
    """
    index = ImageIndex(None)
    index.add_descriptors(vectors)
    exact = index.search_descriptors(wanted, K)[1]
    dims, lists = vectors.shape[1], int(4 * np.sqrt(len(vectors)))
    settings = {
        "FAISS IndexFlatL2": ("Flat", None, (None,)),
        "FAISS IVF": (f"IVF{lists},Flat", "nprobe", (1, 2, 4, 8, 16, 32, 64, 128)),
        "FAISS HNSW": ("HNSW32", "efSearch", (10, 20, 40, 80, 160, 320, 640)),
    }
    searches = {"ImageIndex": lambda: index.search_descriptors(wanted, K)[1]}
    lines = {"ImageIndex": {"recall": 1.0, "bytes": vectors.nbytes}}
    for name, (recipe, parameter, values) in settings.items():
        other = faiss.index_factory(dims, recipe)
        started = time.perf_counter()
        other.train(vectors)
        other.add(vectors)
        building = time.perf_counter() - started
        for value in values:
            if parameter:
                faiss.ParameterSpace().set_index_parameter(other, parameter, value)
            found = recall(other.search(wanted, K)[1], exact)
            if found >= RECALL:
                break
        searches[name] = lambda other=other: other.search(wanted, K)[1]
        lines[name] = {
            "recall": rounded(found),
            "bytes": int(faiss.serialize_index(other).nbytes),
            "seconds to build": rounded(building),
            "setting": f"{recipe}, {parameter} {value}" if parameter else recipe,
        }
    for name, seconds in median_seconds(searches, repeats).items():
        lines[name]["queries per second"] = rounded(len(wanted) / seconds)
    return {"gallery": len(vectors), "queries": len(wanted), "k": K, "methods": lines}


def recall(found: np.ndarray, exact: np.ndarray) -> float:
    """Share of the true nearest neighbours that were found."""
    pairs = zip(found, exact, strict=True)
    return float(np.mean([np.isin(true, row).mean() for row, true in pairs]))


def time_encoding(encoders: dict, images: np.ndarray, repeats: int) -> dict:
    """Images a second of each encoder, all at once and one at a time, in turns."""
    together = {name: lambda e=e: e.encode(images) for name, e in encoders.items()}
    alone = {name: lambda e=e: e.encode(images[:1]) for name, e in encoders.items()}
    one = median_seconds(alone, 20 * repeats)
    return {
        name: {
            "images per second": rounded(len(images) / seconds),
            "images per second, one at a time": rounded(1 / one[name]),
        }
        for name, seconds in median_seconds(together, repeats).items()
    }


def share_agreeing(found: np.ndarray, answers: dict[str, np.ndarray]) -> float:
    """Share of ranks at which the neighbour equals ImageIndex's (equal distances may swap)."""
    return float((found == answers["ImageIndex"]).mean())


def rounded(value):
    """Four significant digits: what a repeated measurement can carry."""
    return significant(value, 4)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the bundled digits only, in seconds")
    parser.add_argument("--threads", type=int, default=2, help="threads for FAISS (default 2)")
    parser.add_argument("--output", type=Path, help="JSON file (default: results/speed.json)")
    arguments = parser.parse_args()

    faiss.omp_set_num_threads(arguments.threads)
    keras.utils.set_random_seed(0)
    # Untrained: the time of a search does not depend on the weights.
    vae = VAE((28, 28, 1), latent_dim=32)
    if arguments.quick:
        digits = datasets.load("mnist-5k")
        sizes, sample, repeats = [1000, len(digits.gallery_images)], 100, 3
    else:
        digits = datasets.load("mnist")
        sizes, sample, repeats = [10_000, 60_000], 10_000, 7
    gallery, queries = digits.gallery_images, digits.query_images
    results = []
    for size in sizes:
        results.append(time_gallery(vae, gallery[:size], queries, min(sample, size), repeats))
        print(json.dumps(results[-1]["ratios"], indent=1))
    trained = pretrained("mnist-vae")
    vectors, wanted = (trained.encode(images) for images in (gallery, queries))
    encoders = {"dense VAE": vae, "convolutional VAE": trained, "PCA 32": PCA(32).fit(gallery)}
    report = {
        "command": "python benchmarks/speed.py" + (" --quick" if arguments.quick else ""),
        "data": digits.name,
        "model": "VAE with the article's dense widths, 32 latent dimensions, untrained, seed 0; "
        "for recall and convolutional encoding the bundled mnist-vae",
        "method": "median of repeated calls, methods interleaved; the article's procedure once",
        "threads": {"FAISS": arguments.threads, "cores": os.cpu_count()},
        "processor": platform.machine(),
        "python": platform.python_version(),
        "versions": versions(*PACKAGES),
        "results": results,
        "encoding": time_encoding(encoders, queries, repeats),
        "at equal recall": time_approximate(vectors, wanted, repeats),
    }
    write_report(arguments.output or RESULTS, report, indent=2)


if __name__ == "__main__":
    main()
