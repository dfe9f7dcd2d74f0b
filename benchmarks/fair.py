"""A fair fight: every method as strong as it gets, and what each part of the VAE is good for.

    python benchmarks/fair.py --part tuning     # which setting of each method, on training images
    python benchmarks/fair.py --part full       # the methods so chosen, on the test images
    python benchmarks/fair.py --part smoke      # a minute: one epoch of each family, and no file

Writes results/fair-tuning-*.json, fair-*.json and fair-scores-*.npz. ``full`` reads from the first
which settings won: nothing is chosen by hand. The work is cut into pieces, two at a time; what a
piece found is kept in benchmarks/cache, and a study that was stopped goes on where it was.
"""

import argparse
import json
import os
import platform
import tempfile
from dataclasses import replace
from functools import cache
from pathlib import Path

import fast_scores
import neighbourhood
import numpy as np
import ranking
import specs
import study
from entrants import (
    BITS,
    CODED,
    EPOCHS,
    FAMILIES,
    HELP_FAMILIES,
    HELP_TRIALS,
    LADDERS,
    N_TRIALS,
    NOT_HELPED,
    PAIRS,
    SEEDS,
)
from measuring import machine, paired, rounded, significant, versions, write_report, write_whole
from methods import Method, descriptors

from vae_tutorial import metrics

RESULTS = Path(__file__).parent / "results"
DISTANCES = ("cosine", "euclidean")
STORED = ("methods", "graph")  # groups whose scores of every query are stored
MARGIN = 0.2  # of P@10 over that of a random order, after one epoch
RULE = (
    "of each family, the trial and distance with the highest sum of P@10 and mAP on the tuning "
    f"split (seed 0); {N_TRIALS} trials each"
)


# -- Pieces ---------------------------------------------------------------------------------------


def path_of(kind: str, part: str, data_name: str, content: dict) -> Path:
    return study.cache_path(f"fair-{kind}", part, data_name, content)


def described(part: str, data_name: str, method: Method, seed: int) -> dict:
    """Describe gallery and queries, unless that has been done; return where, and what it took."""
    content = method.describe() | {"seed": seed, "views of 1": specs.VIEWS[data_name]}
    path = path_of("model", part, data_name, content)

    def make() -> dict:
        split = specs.load_split(data_name, part)
        gallery, queries, measured = descriptors(split, data_name, method, seed)
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(path.with_suffix(".npz"), gallery=gallery, queries=queries)
        return {"measured": measured, "file": f"{path.parent.name}/{path.stem}.npz"}

    return study.cached(path, make)


def scored(part: str, data_name: str, method: Method, seed: int, how: dict) -> dict:
    """Score one descriptor under one distance or help, unless that has been done.

    ``how`` has a ``distance``, or the name of a ``help`` and its settings. The result names the
    file of the scores of every query.
    """
    content = method.describe() | {"seed": seed, "how": how, "views of 1": specs.VIEWS[data_name]}
    path = path_of("row", part, data_name, content)

    def make() -> dict:
        split = specs.load_split(data_name, part)
        file = study.cache() / described(part, data_name, method, seed)["file"]
        with np.load(file, allow_pickle=False) as stored:
            values = scores(stored["queries"], stored["gallery"], split, how)
        np.savez(path.with_suffix(".npz"), **values)
        means = {name: float(value.mean()) for name, value in values.items()}
        return {"means": means, "file": f"{path.parent.name}/{path.stem}.npz"}

    return study.cached(path, make)


def scores(queries, gallery, split, how: dict) -> dict[str, np.ndarray]:
    """Return P@1, P@10 and average precision of every query."""
    labels = split.query_labels, split.gallery_labels
    if how.get("help"):
        settings = {name: value for name, value in how.items() if name not in ("help", "bits")}
        queries, gallery = getattr(neighbourhood, how["help"])(queries, gallery, **settings)
    if bits := how.get("bits"):
        queries, gallery = neighbourhood.codes(queries, gallery, bits)
    if bits or how.get("distance") == "hamming":
        return fast_scores.of_codes(queries, gallery, *labels)
    order = np.random.default_rng(0).permutation(len(gallery))  # equal distances: by chance
    features = getattr(ranking, how.get("distance", "cosine"))(queries, gallery[order])
    return fast_scores.of_features(features, labels[0], labels[1][order])


# -- Choosing -------------------------------------------------------------------------------------


def distances_of(method: Method) -> tuple[str, ...]:
    return ("hamming",) if method.bits else DISTANCES


def tune(data_name: str, workers: int, only: str) -> dict:
    """Try every trial of every family on the tuning split; return the report."""
    families = {
        name: [replace(method, epochs=EPOCHS) for method in trials]
        for name, trials in FAMILIES[data_name].items()
        if only in name
    }
    jobs = {(family, m): None for family, trials in families.items() for m in trials}
    run_all("tuning", data_name, [(m, 0) for _, m in jobs], workers)
    rows = [(m, 0, {"distance": d}) for _, m in jobs for d in distances_of(m)]
    score_all("tuning", data_name, rows, workers)
    lines = []
    for family, trials in families.items():
        tried = [trial_line(data_name, m, d) for m in trials for d in distances_of(m)]
        lines.append({"family": family, "trials": tried, "chosen": best(tried)})
    report = frame("tuning", data_name) | {"rule": RULE, "families": lines}
    return report | {"help": tune_help(data_name, lines, workers)}


def tune_help(data_name: str, lines: list[dict], workers: int) -> list[dict]:
    """Try every setting of help on a few chosen descriptors; one setting is then given to all."""
    picked = [line["trials"][line["chosen"]] for line in lines if line["family"] in HELP_FAMILIES]
    chosen_methods = [Method(**trial["settings"]) for trial in picked]
    rows = [(m, 0, how) for m in chosen_methods for tries in HELP_TRIALS.values() for how in tries]
    score_all("tuning", data_name, rows, workers)
    report = []
    for name, tries in HELP_TRIALS.items():
        tried = [help_line(data_name, chosen_methods, how) for how in tries]
        report.append({"help": name, "trials": tried, "chosen": best(tried)})
    return report


def help_line(data_name: str, helped: list[Method], how: dict) -> dict:
    """Return the mean scores of several descriptors under one setting of help."""
    found = [scored("tuning", data_name, method, 0, how)["means"] for method in helped]
    mean = {name: rounded(np.mean([each[name] for each in found])) for name in fast_scores.SCORES}
    return {"settings": how, "scores": mean}


def trial_line(data_name: str, method: Method, distance: str) -> dict:
    found = scored("tuning", data_name, method, 0, {"distance": distance})["means"]
    return {
        "settings": method.describe(),
        "distance": distance,
        "scores": {name: rounded(value) for name, value in found.items()},
    }


def best(tried: list[dict]) -> int:
    """Return the place of the trial with the highest sum of P@10 and mAP."""
    return int(np.argmax([trial["scores"]["P@10"] + trial["scores"]["mAP"] for trial in tried]))


@cache
def tuned(data_name: str) -> dict:
    return json.loads((RESULTS / f"fair-tuning-{data_name}.json").read_text(encoding="utf-8"))


def chosen(data_name: str, family: str) -> tuple[Method, str]:
    """Return the setting of a family that won, and its distance, as the stored tuning has it."""
    line = next(line for line in tuned(data_name)["families"] if line["family"] == family)
    trial = line["trials"][line["chosen"]]
    return replace(Method(**trial["settings"]), epochs=EPOCHS), trial["distance"]


def chosen_help(data_name: str) -> dict[str, dict]:
    """Return each kind of help with the setting that won, and the graph's as codes of bits."""
    found = {h["help"]: h["trials"][h["chosen"]]["settings"] for h in tuned(data_name)["help"]}
    return found | {f"graph, {BITS} bits": found["graph"] | {"share": 0.0, "bits": BITS}}


# -- The comparison -------------------------------------------------------------------------------


def rows_of(data_name: str) -> list[tuple[str, str, Method, tuple, dict]]:
    """Return (group, name, method, seeds, how) of everything that is compared."""
    rows = []
    for family in FAMILIES[data_name]:
        method, distance = chosen(data_name, family)
        seeds = SEEDS if method.kind == "network" else (0,)
        rows.append(("methods", family, method, seeds, {"distance": distance}))
        if family not in NOT_HELPED:
            help_ = chosen_help(data_name)
            rows += [
                (name, family, method, seeds, how)
                for name, how in help_.items()
                if "bits" not in how or family in CODED
            ]
        if family in CODED:
            rows.append((f"{BITS} bits", family, method, seeds, {"bits": BITS}))
    for ladder, (family, rungs) in LADDERS.items():
        method, distance = chosen(data_name, family)
        for name, change in rungs.items():
            how = {"distance": distance}
            rows.append((ladder, name, replace(method, **change), SEEDS, how))
    return rows


def compare(data_name: str, workers: int, only: str) -> tuple[dict, dict]:
    """Measure every row on the test images; return the report, and the scores of each query.

    The latter by (group, name) and metric, (seeds, queries) each.
    """
    rows = [row for row in rows_of(data_name) if only in row[1] or only in row[0]]
    run_all("full", data_name, [(m, s) for _, _, m, seeds, _ in rows for s in seeds], workers)
    score_all("full", data_name, [(m, s, how) for *_, m, ss, how in rows for s in ss], workers)
    lines, values = [], {}
    for group, name, method, seeds, how in rows:
        line, each = row_line(data_name, group, name, method, seeds, how)
        lines.append(line)
        values[group, name] = each
    report = frame("full", data_name) | {"rows": lines, "differences": differences(values)}
    return report, values


def write_scores(path: Path, values: dict) -> None:
    """Write the scores of every query, the mean over seeds, of the rows a reader may compare."""
    content = {
        f"{group}: {name}: {metric}": each.mean(axis=0).astype(np.float16)
        for (group, name), scores in values.items()
        if group in STORED
        for metric, each in scores.items()
    }
    write_whole(path, lambda part: savez(part, content))


def savez(path: Path, content: dict) -> None:
    with path.open("wb") as file:  # an open file: NumPy would add an ending to a name
        np.savez_compressed(file, **content)


def row_line(data_name, group, name, method, seeds, how) -> tuple[dict, dict]:
    found = [scored("full", data_name, method, seed, how) for seed in seeds]
    each = [dict(np.load(study.cache() / f["file"], allow_pickle=False)) for f in found]
    values = {metric: np.stack([scores[metric] for scores in each]) for metric in each[0]}
    measured = [described("full", data_name, method, seed)["measured"] for seed in seeds]
    line = {"group": group, "name": name, "settings": method.describe(), "how": how}
    line |= {"seeds": list(seeds), "scores": {m: summary(v) for m, v in values.items()}}
    if measured[0]:
        line["model"] = {
            key: significant(np.mean([m[key] for m in measured]), 4) for key in measured[0]
        }
    return line, values


def summary(values: np.ndarray) -> dict:
    """Mean over seeds and queries, the mean of each seed, and an interval over queries."""
    mean, low, high = metrics.paired_bootstrap(
        values.mean(axis=0), np.zeros(values.shape[1]), n_resamples=1000
    )
    return {
        "mean": rounded(mean),
        "interval": [rounded(low), rounded(high)],
        "each": [rounded(value) for value in values.mean(axis=1)],
    }


def differences(values: dict) -> list[dict]:
    """Return the paired difference of each pair in PAIRS of which both were measured."""
    return [
        {"first": list(first), "second": list(second)}
        | {m: paired(values[first][m], values[second][m]) for m in fast_scores.SCORES}
        for first, second in PAIRS
        if first in values and second in values
    ]


def frame(part: str, data_name: str) -> dict:
    return {
        "command": f"python benchmarks/fair.py --part {part}",
        "data": data_name,
        "protocol": specs.load_split(data_name, part).protocol + "; relevant: the same label",
        "labels": "no label is used in training, but by the row that says so; labels of a split of "
        "the training set chose settings (fair-tuning-*.json)",
        "metrics": {
            "P@1, P@10": "share of the first k results that are relevant",
            "mAP": "average precision over the whole ranking; mean over queries; of codes, the "
            "mean over all orders of equal distances",
        },
        "views of strength 1": specs.VIEWS[data_name],
        "seconds are of": f"{machine()}, one thread a model, two models at a time",
        "python": platform.python_version(),
        "versions": versions("numpy", "scipy", "tensorflow", "keras", "faiss-cpu", "scikit-learn"),
    }


# -- A trial run ----------------------------------------------------------------------------------


def smoke(data_name: str, workers: int, only: str) -> None:
    """Run one trial of each family for one epoch on the bundled images; raise what is wrong."""
    tried = {
        family: replace(trials[-1], epochs=1)
        for family, trials in FAMILIES[data_name].items()
        if only in family
    }
    run_all("smoke", data_name, [(method, 0) for method in tried.values()], workers, pieces=None)
    split = specs.load_split(data_name, "smoke")
    chance = float(np.mean(split.query_labels[:, np.newaxis] == split.gallery_labels))
    for family, method in tried.items():
        how = {"distance": distances_of(method)[0]}
        found = scored("smoke", data_name, method, 0, how)["means"]
        print(family, {name: rounded(value) for name, value in found.items()}, flush=True)
        if not found["P@10"] > chance + MARGIN:
            raise SystemExit(f"{family}: P@10 {found['P@10']}, chance is {chance:.3f}")


# -- Running --------------------------------------------------------------------------------------


def run_all(
    part: str, data_name: str, models: list[tuple[Method, int]], workers: int, pieces=1
) -> None:
    """Describe by every method and seed, what takes longest first."""
    order = sorted(dict.fromkeys(models), key=lambda m: -cost(m[0]))
    jobs = [(described, (part, data_name, *m), f"{m[0].describe()}, seed {m[1]}") for m in order]
    study.in_parallel(jobs, workers, pieces)


def cost(method: Method) -> float:
    if method.kind != "network":
        return 0
    return method.epochs * (1 + (method.loss == "contrast") + 0.5 * ("hog" in method.target))


def score_all(part: str, data_name: str, rows: list[tuple], workers: int) -> None:
    jobs = [(scored, (part, data_name, *row), f"{row[0].describe()}, {row[2]}") for row in rows]
    study.in_parallel(jobs, workers)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--part", choices=("tuning", "full", "smoke"), required=True)
    parser.add_argument("--data", nargs="+", default=list(specs.VIEWS), choices=specs.VIEWS)
    parser.add_argument("--only", default="", help="only families or rows whose name holds this")
    parser.add_argument("--workers", type=int, default=2, help="pieces at a time (default 2)")
    parser.add_argument("--output", type=Path, default=RESULTS, help="folder of the JSON files")
    arguments = parser.parse_args()
    if arguments.part == "smoke":
        with tempfile.TemporaryDirectory() as afresh:
            os.environ["VAE_STUDY_CACHE"] = afresh
            for data_name in arguments.data:
                print(f"smoke: {data_name}", flush=True)
                smoke(data_name, arguments.workers, arguments.only)
        return
    for data_name in arguments.data:
        print(f"{arguments.part}: {data_name}", flush=True)
        given = data_name, arguments.workers, arguments.only
        if arguments.part == "tuning":
            write_report(arguments.output / f"fair-tuning-{data_name}.json", tune(*given))
            continue
        report, values = compare(*given)
        write_report(arguments.output / f"fair-{data_name}.json", report)
        write_scores(arguments.output / f"fair-scores-{data_name}.npz", values)


if __name__ == "__main__":
    main()
