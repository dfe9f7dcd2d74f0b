"""The study: its ranking against plain definitions, and its results against fresh ones."""

import copy
import json
import os
import subprocess
import sys
from pathlib import Path

import comparison
import descriptors
import numpy as np
import pytest
import ranking
import specs
import study

from vae_tutorial import datasets, metrics, objectives

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results"


@pytest.fixture(scope="module")
def posteriors():
    rng = np.random.default_rng(0)
    return [(rng.normal(size=(n, 4)), rng.normal(size=(n, 4))) for n in (5, 30)]


def order(features) -> np.ndarray:
    queries, gallery = features
    return ranking.rank((queries @ gallery.T).astype(np.float32))


def test_rank_is_a_stable_argsort():
    rng = np.random.default_rng(0)
    for distances in (rng.normal(size=(6, 50)), rng.integers(-3, 3, size=(6, 50))):
        distances = distances.astype(np.float32)
        expected = np.argsort(distances, axis=1, kind="stable")
        np.testing.assert_array_equal(ranking.rank(distances), expected)


def test_features_order_as_the_distances_do(posteriors):
    (q, q_log_var), (g, g_log_var) = posteriors
    pairs = {
        "euclidean": (ranking.euclidean(q, g), ((q[:, None] - g) ** 2).sum(axis=2)),
        "cosine": (ranking.cosine(q, g), -ranking.unit(q) @ ranking.unit(g).T),
        "hamming": (
            ranking.hamming(np.sign(q), np.sign(g)),
            (np.sign(q)[:, None] != np.sign(g)).sum(axis=2),
        ),
        "Wasserstein-2": (
            ranking.wasserstein_2(*posteriors),
            ((q[:, None] - g) ** 2).sum(axis=2)
            + ((np.exp(q_log_var / 2)[:, None] - np.exp(g_log_var / 2)) ** 2).sum(axis=2),
        ),
        "symmetric KL": (ranking.symmetric_kl(*posteriors), symmetric_kl(*posteriors)),
    }
    for name, (features, distances) in pairs.items():
        expected = np.argsort(distances, axis=1, kind="stable")
        np.testing.assert_array_equal(order(features), expected, err_msg=name)


def symmetric_kl(query, gallery):
    table = np.empty((len(query[0]), len(gallery[0])))
    for row, one in enumerate(zip(*query, strict=True)):
        for column, two in enumerate(zip(*gallery, strict=True)):
            both = objectives.gaussian_kl(*one, *two) + objectives.gaussian_kl(*two, *one)
            table[row, column] = float(both)
    return table


def test_scores_are_those_of_the_library():
    rng = np.random.default_rng(0)
    gallery, labels = rng.normal(size=(400, 3)), rng.integers(0, 4, size=400)
    queries, wanted = rng.normal(size=(300, 3)), rng.integers(0, 4, size=300)
    got = ranking.score(ranking.euclidean(queries, gallery), wanted, labels)
    indices = np.argsort(((queries[:, None] - gallery) ** 2).sum(axis=2), axis=1)
    relevant = metrics.relevance(wanted, labels, indices)
    n_relevant = metrics.count_relevant(wanted, labels)
    expected = {
        "P@10": metrics.precision_at_k(relevant, 10).mean(),
        "mAP": metrics.mean_average_precision(relevant, n_relevant),
        "5-NN": metrics.knn_accuracy(wanted, labels[indices], k=5),
    }
    for name, value in expected.items():
        assert got[name]["mean"] == pytest.approx(value, abs=1e-9), name
        low, high = got[name]["interval"]
        assert low < value < high


def test_equal_distances_are_ordered_by_chance():
    # A sorted gallery and a descriptor without content: gallery order would score 1 or 0.
    labels = np.repeat([0, 1], 500)
    nothing = ranking.hamming(np.ones((200, 8)), np.ones((1000, 8)))
    got = ranking.score(nothing, np.repeat([0, 1], 100), labels)
    assert got["P@100"]["mean"] == pytest.approx(0.5, abs=0.15)
    assert got["mAP"]["mean"] == pytest.approx(0.5, abs=0.05)


def test_an_interrupted_piece_leaves_nothing_and_a_finished_one_is_not_made_again(tmp_path):
    path = tmp_path / "folder" / "piece.json"

    def fail():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        study.cached(path, fail)
    assert not path.exists()
    assert study.cached(path, lambda: {"value": 1}) == {"value": 1}
    assert study.cached(path, fail) == {"value": 1}


def test_no_two_rows_share_a_name_and_seed():
    for data_name in specs.VIEWS:
        rows = [(row.group, row.name, row.seed) for row in study.rows_of("full", data_name)]
        assert len(set(rows)) == len(rows)
        trained = {row.name for row in study.rows_of("full", data_name) if row.group == "trained"}
        for name in trained:
            seeds = {seed for _, other, seed in rows if other == name}
            assert seeds == set(specs.SEEDS) or (name.startswith("view VAE") and seeds == {0})


def test_tuning_never_touches_test_images():
    parts = {data: specs.load_split(data, "quick") for data in specs.VIEWS}
    assert all(len(split.queries) == 500 for split in parts.values())
    if not available("mnist"):
        return
    split, data = specs.load_split("mnist", "tuning"), datasets.load("mnist")
    np.testing.assert_array_equal(split.gallery, data.gallery_images[:50_000])
    np.testing.assert_array_equal(split.queries, data.gallery_images[57_000:])


def available(data_name: str) -> bool:
    try:
        datasets.load(data_name)
    except FileNotFoundError:
        return False
    return True


CHEAP = {
    "raw pixels, Euclidean": ("pixels", {}),
    "PCA 32": ("pca", {"n_components": 32}),
}


STORED = sorted(path for path in RESULTS.glob("study-*.json") if "tuning" not in path.name)


def test_there_are_stored_results_to_check():
    assert {f"study-quick-{data_name}.json" for data_name in specs.VIEWS} <= {
        p.name for p in STORED
    }


@pytest.mark.parametrize("name", CHEAP)
@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_the_stored_results_come_out_again(path, name):
    stored = json.loads(path.read_text(encoding="utf-8"))
    part = "quick" if "quick" in path.name else "full"
    data_name = stored["data"]
    if part == "full" and not available(data_name):
        pytest.skip("the full set is not at hand; the quick part was recomputed")
    split = specs.load_split(data_name, part)
    method, options = CHEAP[name]
    features, n_bytes = getattr(descriptors, method)(split, None, **options)
    scores = ranking.score(features, split.query_labels, split.gallery_labels)
    line = next(row for row in stored["rows"] if row["name"] == name)
    assert line["bytes"] == n_bytes
    for metric, value in line["scores"].items():
        assert value["mean"] == pytest.approx(scores[metric]["mean"], abs=5e-4), metric


@pytest.mark.slow
@pytest.mark.aside
def test_the_command_runs_on_the_bundled_images(tmp_path):
    command = [sys.executable, "benchmarks/study.py", "--part", "quick", "--data", "mnist"]
    command += ["--only", "beta 5", "--output", str(tmp_path), "--compare"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "VAE_STUDY_CACHE": str(tmp_path)}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert "beta 5 {" in done.stdout and "mAP" in done.stdout
    assert list(tmp_path.rglob("model-*.json"))
    stored = json.loads((tmp_path / "study-quick-mnist.json").read_text(encoding="utf-8"))
    assert [row["name"] for row in stored["rows"]] == ["beta 5"]


def test_a_comparison_that_would_overwrite_the_stored_results_is_refused(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["study.py", "--part", "quick", "--compare"])
    with pytest.raises(SystemExit):
        study.main()
    assert "name an --output" in capsys.readouterr().err


def test_the_short_run_has_every_method_and_every_kind_of_network():
    for data_name in specs.VIEWS:
        short, whole = (study.rows_of(part, data_name) for part in ("smoke", "full"))
        for what in (
            lambda row: row.method,
            lambda row: (row.method, row.options.get("distance")),
            lambda row: row.model and (row.model.kind, row.model.architecture),
        ):
            assert {what(row) for row in short} == {what(row) for row in whole}
        assert {row.model.epochs for row in short if row.model} == {1}


@pytest.fixture
def report():
    """A stored report with a row of each sort: untrained, fitted, trained, bound."""
    stored = json.loads((RESULTS / "study-quick-mnist.json").read_text(encoding="utf-8"))
    names = {"PCA 32", "ITQ, 32 bits", "view VAE, cosine", "view VAE, likelihood"}
    return stored | {"rows": [row for row in stored["rows"] if row["name"] in names]}


def shifted(report: dict, name: str, metric: str, by: float) -> dict:
    fresh = copy.deepcopy(report)
    next(row for row in fresh["rows"] if row["name"] == name)["scores"][metric]["mean"] += by
    return fresh


def test_equal_reports_have_no_fault_whatever_ran_them(report):
    fresh = copy.deepcopy(report) | {"python": "another", "versions": {"numpy": "another"}}
    table, faults = comparison.compare(report, fresh)
    assert len(report["rows"]) == 4 and faults == []
    assert len(table) == 7 + 7 + 8 + 3 and all(deviation == 0 for _, _, deviation, _ in table)
    assert len(comparison.table_text(table).splitlines()) == 5


@pytest.mark.parametrize(
    ("name", "metric", "within", "beyond"),
    [
        ("PCA 32", "mAP", 4e-4, 6e-4),
        ("ITQ, 32 bits", "mAP", 0.02, 0.05),
        ("view VAE, cosine", "mAP", -0.02, -0.05),
        ("view VAE, cosine", "5-NN", 0.05, float("nan")),
        ("view VAE, likelihood", "IWAE bound", 1.5, -3.0),
    ],
)
def test_a_shifted_score_is_a_fault_beyond_its_tolerance(report, name, metric, within, beyond):
    assert comparison.compare(report, shifted(report, name, metric, within))[1] == []
    _, faults = comparison.compare(report, shifted(report, name, metric, beyond))
    assert len(faults) == 1 and faults[0].startswith(f"{name}: {metric} ")


def test_what_else_a_comparison_finds_is_said_in_words(report):
    fresh = copy.deepcopy(report)
    missing = fresh["rows"].pop(0)["name"]
    itq, view, bound = fresh["rows"]
    itq["bytes"] += 1
    view["settings"]["epochs"] += 1
    view["model"]["test ELBO"] -= 5
    del bound["scores"]["IWAE bound"]
    fresh["protocol"] = "another"
    fresh["rows"].append(missing_elsewhere := {**itq, "name": "new"})
    _, faults = comparison.compare(report, fresh)
    for words in (
        "protocol differs",
        f"{missing}: missing",
        f"{missing_elsewhere['name']}: not among the stored",
        f"{itq['name']}: bytes 5.0, stored 4.0",
        f"{view['name']}: settings ",
        f"{view['name']}: test ELBO ",
        f"{bound['name']}: metrics ",
    ):
        assert sum(fault.startswith(words) for fault in faults) == 1, (words, faults)
    assert len(faults) == 7


def test_what_a_short_run_must_reach(report):
    split = specs.load_split("mnist", "smoke")

    def faults_of(name, metric, value):
        fresh = copy.deepcopy(report)
        row = next(row for row in fresh["rows"] if row["name"] == name)
        row["scores"][metric]["mean"] = value
        return comparison.short_run_faults(report, fresh, split)

    assert comparison.short_run_faults(report, copy.deepcopy(report), split) == []
    for name, metric, value in (
        ("PCA 32", "P@1", 0.9),
        ("view VAE, cosine", "P@10", 0.11),
        ("view VAE, cosine", "mAP", float("nan")),
        ("view VAE, likelihood", "IWAE bound", -600.0),
    ):
        faults = faults_of(name, metric, value)
        assert len(faults) == 1 and faults[0].startswith(name), faults
    fresh = copy.deepcopy(report)
    for row in fresh["rows"]:
        row["bytes"] = 1
    assert len(comparison.short_run_faults(report, fresh, split)) == 4


def test_fresh_rows_replace_stored_ones_of_the_same_settings_only():
    stored = {"data": "mnist", "rows": [line("a", 1), line("b", 2), line("c", 3)]}
    fresh = {"data": "mnist", "rows": [line("b", 5), line("d", 4)]}
    rows = study.merged(stored, fresh)["rows"]
    assert rows == [line("a", 1), line("b", 5), line("c", 3), line("d", 4)]
    with pytest.raises(ValueError, match="differ in data"):
        study.merged(stored, fresh | {"data": "fashion-mnist"})


def test_a_name_that_no_row_has_is_refused_before_anything_is_written():
    with pytest.raises(ValueError, match="has 'beta 7' in its name"):
        study.run("quick", "mnist", workers=1, only="beta 7")


def line(name: str, score: float) -> dict:
    return {"group": "fixed", "name": name, "scores": score}


@pytest.mark.slow
@pytest.mark.aside
def test_the_bounds_are_ordered_and_agree_with_the_loss():
    spec = specs.replace(specs.models_of_sweeps()["latent 8"], epochs=1)
    split = specs.load_split("mnist", "quick")
    model = spec.build("mnist", 0)
    spec.train(model, split.gallery[:1280])
    bounds = descriptors.bounds(split, model, quick=True)
    assert (bounds["IWAE bound"] > bounds["binarised ELBO"]).all()
    rng = np.random.default_rng(0)
    images = split.queries[rng.permutation(500)[:20]]
    images = (rng.random(images.shape) < images).astype(np.float32)
    loss = np.mean([float(model.loss_terms(images)["loss"]) for _ in range(50)])
    assert -bounds["binarised ELBO"].mean() == pytest.approx(loss, rel=0.01)


# Measured before this study was written, by other code; "within" says how far apart they may be.
KNOWN = {
    "mnist": {
        "raw pixels, Euclidean": ({"P@1": 0.969, "P@10": 0.948, "mAP": 0.425}, 0.003),
        "PCA 32": ({"P@1": 0.973, "P@10": 0.957, "mAP": 0.442, "mAP@1000": 0.839}, 0.003),
        **{f"ITQ, {b} bits": ({"mAP": v}, 0.02) for b, v in ((16, 0.416), (32, 0.438), (64, 0.46))},
        **{f"LSH, {b} bits": ({"mAP": v}, 0.02) for b, v in ((16, 0.21), (32, 0.281), (64, 0.33))},
    },
    "fashion-mnist": {
        "raw pixels, Euclidean": ({"P@1": 0.85, "P@10": 0.805, "mAP": 0.447}, 0.003),
        "PCA 32": ({"P@1": 0.838, "P@10": 0.8, "mAP": 0.459, "mAP@1000": 0.706}, 0.003),
    },
}


@pytest.mark.parametrize("path", [p for p in STORED if "quick" not in p.name], ids=lambda p: p.stem)
def test_known_values_are_reproduced(path):
    stored = json.loads(path.read_text(encoding="utf-8"))
    rows = {row["name"]: row["scores"] for row in stored["rows"]}
    for name, (values, within) in KNOWN[stored["data"]].items():
        for metric, value in values.items():
            got = rows[name][metric]["mean"]
            assert got == pytest.approx(value, abs=within), (name, metric)


def test_itq_codes_lose_less_than_signs_of_components_do():
    split = specs.load_split("mnist", "quick")
    gallery, _ = descriptors._principal(split, 16)
    (_, codes), n_bytes = descriptors.itq(split, None, bits=16, draw=0)
    assert n_bytes == 2
    # How well codes predict the components, after the best rotation between the two.
    kept = [
        np.linalg.svd(signs.T @ gallery, compute_uv=False).sum()
        for signs in (codes, np.where(gallery > 0, 1.0, -1.0))
    ]
    assert kept[0] > 1.02 * kept[1]
