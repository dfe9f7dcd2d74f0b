"""Measure search as the gallery grows to 1,000,000 latents: time, memory, recall against speed.

The latents are those of the bundled digits under random views, encoded by the bundled VAE; queries
are views of the bundled queries. Single queries and batches, one thread. Writes results/scale.json.
"""

import argparse
import platform
import time
from pathlib import Path

import faiss
import numpy as np
from measuring import machine, median_seconds, significant, versions, write_report

from vae_tutorial import datasets, models, training
from vae_tutorial.retrieval import ImageIndex

RESULTS = Path(__file__).parent / "results" / "scale.json"
SIZES = (1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000)
N_QUERIES = 1_000
K = 10


def latents(n: int, n_queries: int) -> tuple[np.ndarray, np.ndarray]:
    """Return latents of ``n`` views of gallery digits, and of views of query digits."""
    digits, vae = datasets.load("mnist-5k"), models.pretrained("mnist-vae")
    training.set_seed(0)
    view = training.RandomView(shift=2.0, rotation=15.0, zoom=0.1, shear=0.2, seed=0)

    def encode(images, count):
        parts = []
        for start in range(0, count, len(images)):
            seen = images[: min(len(images), count - start)]
            parts.append(vae.encode(np.clip(np.asarray(view(seen)), 0, 1)))
        return np.concatenate(parts)

    return encode(digits.gallery_images, n), encode(digits.query_images, n_queries)


def seconds(function, repeats: int) -> float:
    """Return the median time of a call of one method, which has the machine to itself."""
    return median_seconds({"it": function}, repeats)["it"]


def exact(gallery, queries, repeats: int) -> dict:
    """Time the book's exact search, and FAISS's, in one gallery."""
    index, flat = ImageIndex(None), faiss.IndexFlatL2(gallery.shape[1])
    index.add_descriptors(gallery)
    flat.add(gallery)
    one, many = queries[:1], queries[:100]
    ours, theirs = index.search_descriptors(many, k=K)[1], flat.search(many, K)[1]
    times = {
        "ImageIndex, one": seconds(lambda: index.search_descriptors(one, k=K), repeats),
        "ImageIndex, of 100": seconds(lambda: index.search_descriptors(many, k=K), 3) / 100,
        "FAISS flat, one": seconds(lambda: flat.search(one, K), repeats),
    }
    return {
        "gallery": len(gallery),
        "bytes": gallery.nbytes,
        "agreement": significant((ours == theirs).mean(), 3),
        "milliseconds a query": {name: significant(1e3 * t, 3) for name, t in times.items()},
    }


def exponent(rows: list[dict], method: str, at_least: int) -> float:
    """Return the slope of log time against log size, over sizes of ``at_least`` and more."""
    used = [row for row in rows if row["gallery"] >= at_least]
    n = np.log([row["gallery"] for row in used])
    t = np.log([row["milliseconds a query"][method] for row in used])
    return round(float(np.polyfit(n, t, 1)[0]), 3)


def approximate(gallery, queries, quick: bool) -> list[dict]:
    """Build FAISS's approximate indexes and measure recall@10 of the true ten, speed and bytes."""
    n, d = gallery.shape
    flat = faiss.IndexFlatL2(d)
    flat.add(gallery)
    truth = flat.search(queries, K)[1]
    lists = 64 if quick else 1024
    settings = {
        "IVF": (f"IVF{lists},Flat", "nprobe", (1, 2, 4, 8, 16, 32, 64)),
        "HNSW": ("HNSW16", "efSearch", (10, 20, 40, 80, 160)),
        "IVF, PQ 16 bytes": (f"IVF{lists},PQ16", "nprobe", (1, 4, 16, 64)),
        "PQ 16 bytes": ("PQ16", None, (None,)),
        "PQ 8 bytes": ("PQ8", None, (None,)),
        "exact": ("Flat", None, (None,)),
    }
    rows = []
    for name, (factory, knob, values) in settings.items():
        if quick and "PQ" in factory:
            factory += "np"  # no polysemous training: nearly all of the time, and no other recall
        index = faiss.index_factory(d, factory)
        started = time.perf_counter()
        index.train(gallery)
        index.add(gallery)
        built = time.perf_counter() - started
        size = len(faiss.serialize_index(index))
        points = []
        for value in values:
            if knob:
                faiss.ParameterSpace().set_index_parameter(index, knob, value)
            found = index.search(queries, K)[1]
            recall = np.mean([len(set(a) & set(b)) / K for a, b in zip(found, truth, strict=True)])
            taken = seconds(lambda index=index: index.search(queries[:100], K), 3) / 100
            points.append(
                {
                    "setting": f"{knob}={value}" if knob else "",
                    "recall": significant(recall, 3),
                    "queries per second": significant(1 / taken, 3),
                }
            )
        rows.append(
            {
                "name": name,
                "FAISS": factory,
                "bytes per latent": significant(size / n, 3),
                "seconds to build": significant(built, 3),
                "points": points,
            }
        )
        print(rows[-1], flush=True)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a gallery of 10,000: a trial")
    parser.add_argument("--output", type=Path, default=RESULTS, help="where the JSON file goes")
    arguments = parser.parse_args()
    faiss.omp_set_num_threads(1)
    sizes = SIZES[:3] if arguments.quick else SIZES
    started = time.perf_counter()
    gallery, queries = latents(sizes[-1], 100 if arguments.quick else N_QUERIES)
    encoding = len(gallery) / (time.perf_counter() - started)
    repeats = 3 if arguments.quick else 15
    rows = [exact(gallery[:n], queries, repeats) for n in sizes]
    methods, large = rows[0]["milliseconds a query"], sizes[0] if arguments.quick else 30_000
    report = {
        "command": "OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python benchmarks/scale.py",
        "protocol": "gallery: latents (32 numbers) of random views of the 4,500 gallery digits; "
        f"queries: latents of views of the 500 query digits; k = {K}; median of repeated calls, "
        "one thread; recall: share of the ten true nearest that are among the ten found, mean "
        f"over {len(queries):,} queries; speed of approximate indexes: batches of 100 queries",
        "machine": machine(),
        "python": platform.python_version(),
        "versions": versions("faiss-cpu", "numpy"),
        "views made and encoded per second, all cores": significant(encoding, 3),
        "exact": rows,
        "exponent": {
            "over galleries of at least": large,
            **{name: exponent(rows, name, large) for name in methods},
        },
        "approximate": {
            "gallery": len(gallery),
            "methods": approximate(gallery, queries, arguments.quick),
        },
    }
    write_report(arguments.output, report)


if __name__ == "__main__":
    main()
