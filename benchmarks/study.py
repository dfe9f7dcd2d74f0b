"""The measured study: how well pixels, PCA, autoencoders and VAEs retrieve, and at what cost.

Trains every model of specs.py, ranks the whole gallery for every query, and writes
benchmarks/results/study-*.json, which the book reads. The work is cut into pieces, two at a time;
what a piece found is kept in benchmarks/cache (VAE_STUDY_CACHE names another folder), and a study
that was stopped goes on where it was. ``--part smoke`` and ``--compare`` check instead; they start
afresh, because what an earlier run found would prove nothing.
"""

import argparse
import hashlib
import json
import os
import platform
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path

import comparison
import descriptors
import numpy as np
import ranking
import specs
from measuring import (
    machine,
    rounded,
    significant,
    summary,
    versions,
    write_report,
    write_whole,
)

HERE = Path(__file__).parent
RESULTS = HERE / "results"
PACKAGES = ("numpy", "tensorflow", "keras", "faiss-cpu", "scikit-learn")
METRICS = {
    "P@1, P@10, P@100": "share of the first k results that are relevant",
    "mAP": "average precision over the whole ranking, divided by all relevant; mean over queries",
    "mAP@R": "average precision over the first R results, R: number of relevant images; mean",
    "mAP@1000": "first 1,000 results; denominator: relevant results among them (hashing papers)",
    "binarised ELBO, IWAE bound": "in nats, on 300 test images drawn as coins; 5,000 draws of z",
    "5-NN": "share of queries whose class wins the vote of the 5 nearest images",
}


@dataclass(frozen=True)
class Row:
    """One line of a table: a descriptor of every image, and a distance."""

    group: str
    name: str
    method: str  # a function of descriptors.py
    options: dict = field(default_factory=dict)
    model: specs.Spec | None = None
    seed: int | None = None


def rows_of_table(data_name: str) -> list[Row]:
    """Everything that is compared on the full data, fixed methods first."""
    fixed = [
        Row("fixed", "raw pixels, Euclidean", "pixels"),
        Row("fixed", "raw pixels, cosine", "pixels", {"distance": "cosine"}),
        *(Row("fixed", f"PCA {d}", "pca", {"n_components": d}) for d in (10, 16, 32, 64)),
        Row("fixed", "PCA 32, cosine", "pca", {"n_components": 32, "distance": "cosine"}),
        *(
            Row("codes", f"{name}, {bits} bits", method, {"bits": bits, "draw": draw}, seed=draw)
            for name, method in (("LSH", "lsh"), ("ITQ", "itq"))
            for bits in (16, 32, 64)
            for draw in specs.SEEDS
        ),
    ]
    table = specs.models_of_table(data_name)
    distances = ("euclidean", "cosine", "symmetric KL", "Wasserstein-2", "sampled z")
    trained = []
    for seed in specs.SEEDS:
        for name in ("autoencoder", "dense VAE", "convolutional VAE", "view VAE"):
            all_five = name == "convolutional VAE" or (name == "view VAE" and seed == 0)
            for distance in distances[: 5 if all_five else 2]:
                options = {"distance": distance}
                trained.append(
                    Row("trained", f"{name}, {distance}", "latent", options, table[name], seed)
                )
        view = table["view VAE"]
        for rounds in (1, 2):
            name = f"view VAE, query expansion, {rounds} round{'s' * (rounds > 1)}"
            trained.append(Row("expanded", name, "expanded", {"rounds": rounds}, view, seed))
        name = "view VAE, two rounds and before, summed"
        trained.append(Row("expanded", name, "summed", {}, view, seed))
        binary = table["binary view VAE, 64 bits"]
        trained.append(Row("codes", binary.name, "latent", {"distance": "hamming"}, binary, seed))
    trained.append(Row("storage", "view VAE, 8 bits a number", "eight_bit", {}, view, 0))
    for size in (4, 8, 16):
        name = f"view VAE, product quantisation, {size} bytes"
        trained.append(Row("storage", name, "product", {"n_bytes": size}, view, 0))
    if data_name == "mnist":
        for name in ("dense VAE", "convolutional VAE", "view VAE"):
            row = Row("likelihood", f"{name}, likelihood", "bounds", {}, table[name], 0)
            trained.append(row)
    for spec in specs.models_of_one_seed(data_name).values():
        distance = "hamming" if spec.kind == "BinaryVAE" else "cosine"
        group = "codes" if spec.kind == "BinaryVAE" else "variants"
        trained.append(Row(group, spec.name, "latent", {"distance": distance}, spec, 0))
    return fixed + trained


def rows_of(part: str, data_name: str) -> list[Row]:
    """The rows of one part: table and sweeps, the tuning, a quick version of all, or of some."""
    if part == "tuning":
        models = specs.models_of_tuning(data_name).values()
        distances = {"ViewVAE": "cosine", "BinaryVAE": "hamming"}
        return [
            Row("tuning", m.name, "latent", {"distance": distances[m.kind]}, m, 0) for m in models
        ]
    sweeps = [
        Row("sweep", spec.name, "latent", {"distance": "cosine"}, spec, 0)
        for spec in specs.models_of_sweeps().values()
        if data_name == "mnist"
    ]
    rows = rows_of_table(data_name) + sweeps
    if part == "full":
        return rows
    rows = [row for row in rows if row.seed in (None, 0)]
    if part == "smoke":
        return [
            replace_model(row, specs.replace(row.model, epochs=1)) if row.model else row
            for row in one_a_method(rows)
        ]
    return [replace_model(row, specs.shortened(row.model)) if row.model else row for row in rows]


def one_a_method(rows: list[Row]) -> list[Row]:
    """The first row of each method and distance, and of each kind of network."""
    chosen, seen = [], set()
    for row in rows:
        kinds = {("method", row.method, row.options.get("distance"))}
        if row.model:
            kinds.add(("network", row.model.kind, row.model.architecture))
        if not kinds <= seen:
            chosen.append(row)
            seen |= kinds
    return chosen


def replace_model(row: Row, model: specs.Spec) -> Row:
    return Row(**{**row.__dict__, "model": model})


def cached(path: Path, make) -> dict:
    """Return the JSON at ``path``, made and stored first where it is missing."""
    if not path.exists():
        write_whole(path, json.dumps(make()))
    return json.loads(path.read_text(encoding="utf-8"))


def cache() -> Path:
    return Path(os.environ.get("VAE_STUDY_CACHE", HERE / "cache"))


def cache_path(kind: str, part: str, data_name: str, content: dict) -> Path:
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]
    return cache() / f"{part}-{data_name}" / f"{kind}-{digest}.json"


def settings(spec: specs.Spec, data_name: str) -> dict:
    """What a trained model depends on; its name is not of it, the sizes of its views are."""
    return spec.describe() | {"name": None, "views": specs.VIEWS[data_name]}


def train_piece(part: str, data_name: str, spec: specs.Spec, seed: int) -> dict:
    """Train one model, unless it has been; store its latents beside what was measured."""
    content = settings(spec, data_name) | {"seed": seed}
    path = cache_path("model", part, data_name, content)
    make = descriptors.train_and_encode
    return cached(path, lambda: make(part, data_name, spec, seed, path.with_suffix(".npz")))


def row_piece(part: str, data_name: str, row: Row) -> dict:
    """Rank and score one row, unless it has been."""
    model_settings = settings(row.model, data_name) if row.model else {}
    content = model_settings | {"seed": row.seed, "method": row.method, "options": row.options}
    path = cache_path("row", part, data_name, content)

    def make():
        split = specs.load_split(data_name, part)
        model = train_piece(part, data_name, row.model, row.seed) if row.model else None
        if row.method == "bounds":
            network = row.model.build(data_name, row.seed)
            network.load_weights((cache() / model["latents"]).with_suffix(".weights.h5"))
            values = descriptors.bounds(split, network, quick=part in specs.BUNDLED)
            scores = ranking.with_intervals(values, np.random.default_rng(0))
            return {"bytes": None, "scores": scores, "model": model}
        latents = dict(np.load(cache() / model["latents"], allow_pickle=False)) if model else None
        features, n_bytes = getattr(descriptors, row.method)(split, latents, **row.options)
        labels = split.query_labels, split.gallery_labels
        scores = ranking.score(features, *labels, title=row.name)
        return {"bytes": n_bytes, "scores": scores, "model": model}

    return cached(path, make)


def run(part: str, data_name: str, workers: int, only: str) -> list[tuple[Row, dict]]:
    """Train, then rank, ``workers`` pieces at a time; return every row with its result."""
    rows = [row for row in rows_of(part, data_name) if only in row.name]
    if not rows:
        raise ValueError(f"no row of {part}, {data_name} has {only!r} in its name; see specs.py")
    models = {(row.model, row.seed): None for row in rows if row.model}
    # The longest first, so that no core waits at the end.
    order = sorted(models, key=lambda m: -m[0].epochs * (m[0].architecture == "conv"))
    jobs = [
        (train_piece, (part, data_name, *model), f"{model[0].name}, seed {model[1]}")
        for model in order
    ]
    pieces = None if part == "smoke" else 1  # of a process; its start takes longer than an epoch
    in_parallel(jobs, workers, pieces)
    in_parallel([(row_piece, (part, data_name, row), row.name) for row in rows], workers, pieces)
    return [(row, row_piece(part, data_name, row)) for row in rows]


@lru_cache
def lasting_pool(workers: int) -> ProcessPoolExecutor:
    """Return processes that stay until the end, and start TensorFlow once."""
    return ProcessPoolExecutor(workers, get_context("spawn"))


def in_parallel(jobs: list[tuple], workers: int, pieces: int | None = 1) -> None:
    """Run the jobs in processes of one thread and ``pieces`` jobs each, and say which are done.

    Without a number of pieces all calls share the processes, and the cache that the first names.
    """
    started = time.perf_counter()
    for name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        os.environ[name] = "1"
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    if pieces is None:
        keeping = nullcontext(lasting_pool(workers))
    else:
        keeping = ProcessPoolExecutor(workers, get_context("spawn"), max_tasks_per_child=pieces)
    with keeping as pool:
        futures = {pool.submit(function, *given): name for function, given, name in jobs}
        for done, future in enumerate(as_completed(futures), start=1):
            future.result()
            minutes = (time.perf_counter() - started) / 60
            print(f"{done}/{len(jobs)}, {minutes:.1f} min: {futures[future]}", flush=True)


def report(part: str, data_name: str, results: list[tuple[Row, dict]]) -> dict:
    """Put rows of different seeds together: mean and spread, or mean and bootstrap interval."""
    table: dict[tuple, list] = {}
    for row, result in results:
        table.setdefault((row.group, row.name), []).append((row, result))
    lines = []
    for (group, name), members in table.items():
        scores = [result["scores"] for _, result in members]
        line = {"group": group, "name": name, "seeds": [row.seed for row, _ in members]}
        line["bytes"] = members[0][1]["bytes"]
        line["scores"] = {metric: summary([s[metric] for s in scores]) for metric in scores[0]}
        if members[0][0].model:
            line["settings"] = members[0][0].model.describe()
            models = [result["model"]["measured"] for _, result in members]
            line["model"] = {
                key: significant(np.mean([m[key] for m in models]), 5) for key in models[0]
            }
        lines.append(line)
    return {
        "command": f"python benchmarks/study.py --part {part}",
        "data": data_name,
        "protocol": specs.load_split(data_name, part).protocol + "; relevant: the same label",
        "labels": "no label is used in training; labels of a split of the training set chose "
        "settings (study-tuning-*.json)",
        "metrics": METRICS,
        "views": specs.VIEWS[data_name],
        "seconds are of": f"{machine()}, one thread a model, two models at a time",
        "python": platform.python_version(),
        "versions": versions(*PACKAGES),
        "rows": lines,
    }


def merged(stored: dict, fresh: dict) -> dict:
    """Put the lines of ``fresh`` in the place of those of ``stored`` that they measure anew."""
    differing = [key for key in fresh if key != "rows" and fresh[key] != stored.get(key)]
    if differing:
        raise ValueError(
            f"the stored results differ in {', '.join(differing)}, so that fresh rows cannot stand "
            "beside them; run the study without --only"
        )
    lines = {(line["group"], line["name"]): line for line in stored["rows"] + fresh["rows"]}
    return fresh | {"rows": list(lines.values())}


def write(part: str, folder: Path, content: dict, only: str) -> None:
    """Write the result file; rows that were not measured stay as they are."""
    path = folder / file_name(part, content["data"])
    if only and path.exists():
        content = merged(json.loads(path.read_text(encoding="utf-8")), content)
    write_report(path, content)


def file_name(part: str, data_name: str) -> str:
    return f"{'study' if part == 'full' else f'study-{part}'}-{data_name}.json"


def check(part: str, content: dict, only: str) -> list[str]:
    """Return the faults of a fresh report beside the stored one; print how far they are apart."""
    stored_part = "quick" if part == "smoke" else part
    path = RESULTS / file_name(stored_part, content["data"])
    stored = json.loads(path.read_text(encoding="utf-8"))
    if part == "smoke":
        split = specs.load_split(content["data"], part)
        return comparison.short_run_faults(stored, content, split)
    stored["rows"] = [line for line in stored["rows"] if only in line["name"]]
    table, faults = comparison.compare(stored, content)
    print(comparison.table_text(table))
    return faults


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--part",
        choices=("full", "tuning", "quick", "smoke"),
        required=True,
        help="how much: full and tuning take hours, quick minutes, smoke a minute",
    )
    parser.add_argument("--data", nargs="+", default=list(specs.VIEWS), choices=specs.VIEWS)
    parser.add_argument(
        "--only", default="", help="measure, and replace, only rows whose name holds this"
    )
    parser.add_argument("--workers", type=int, default=2, help="pieces at a time (default 2)")
    parser.add_argument("--output", type=Path, default=RESULTS, help="folder of the JSON files")
    parser.add_argument(
        "--compare", action="store_true", help="fail where the stored results differ; see README"
    )
    arguments = parser.parse_args()
    if arguments.compare and arguments.output.resolve() == RESULTS:
        parser.error("--compare would overwrite what it compares with: name an --output")
    with tempfile.TemporaryDirectory() as afresh:
        if arguments.compare or arguments.part == "smoke":
            os.environ.setdefault("VAE_STUDY_CACHE", afresh)
        faults = measure(arguments)
    if faults:
        raise SystemExit("\n".join([f"{len(faults)} faults:", *faults]))


def measure(arguments) -> list[str]:
    """Run what the command line asks for; return the faults that were looked for."""
    part, faults = arguments.part, []
    for data_name in arguments.data:
        print(f"{part}: {data_name}")
        results = run(part, data_name, arguments.workers, arguments.only)
        for row, result in results:
            print(row.name, {k: rounded(v["mean"]) for k, v in result["scores"].items()})
        content = report(part, data_name, results)
        if part != "smoke":
            write(part, arguments.output, content, arguments.only)
        if part == "smoke" or arguments.compare:
            found = check(part, content, arguments.only)
            faults += [f"{data_name}: {fault}" for fault in found]
    return faults


if __name__ == "__main__":
    main()
