"""Each benchmark in its quick form, and what pages say of its stored result: make study-smoke."""

import json
import runpy
import sys
from pathlib import Path

import pytest

from vae_tutorial.exercises import EXERCISES

pytestmark = [pytest.mark.slow, pytest.mark.aside]

ROOT = Path(__file__).parent.parent


@pytest.fixture
def run_quick(monkeypatch, tmp_path):
    """Run a script as its command line does, but here: TensorFlow is imported once for all."""

    def run(script: str, *more: str) -> dict:
        path, output = ROOT / "benchmarks" / script, tmp_path / "result.json"
        command = [str(path), "--quick", "--output", str(output), *more]
        monkeypatch.setattr(sys, "argv", command)
        monkeypatch.chdir(ROOT)
        runpy.run_path(str(path), run_name="__main__")
        return json.loads(output.read_text(encoding="utf-8"))

    return run


def test_methods_of_search_are_compared_at_equal_recall(run_quick):
    report = run_quick("speed.py", "--threads", "1")
    for gallery in report["results"]:
        assert min(gallery["agreement with ImageIndex"].values()) > 0.999
    methods = report["at equal recall"]["methods"]
    assert set(methods) == {"ImageIndex", "FAISS IndexFlatL2", "FAISS IVF", "FAISS HNSW"}
    for name, line in methods.items():
        assert line["recall"] >= 0.99, name
        assert line["bytes"] >= report["at equal recall"]["gallery"] * 32 * 4, name
        assert line["queries per second"] > 0, name
    assert set(report["encoding"]) == {"dense VAE", "convolutional VAE", "PCA 32"}


def test_ways_of_training_reach_equal_losses(run_quick):
    report = run_quick("training_speed.py", "--without-torch")
    for architecture, result in report["results"].items():
        losses = result["loss after equal epochs"]
        assert losses["ours"] == pytest.approx(losses["Keras, plain step"], rel=0.03), architecture
        assert all(0 < share < 1 for share in result["share of that rate"].values())


def test_small_drawings_are_measured_again_as_stored(run_quick):
    quick = run_quick("drawn.py")
    stored = json.loads((ROOT / "benchmarks/results/drawn.json").read_text(encoding="utf-8"))
    assert len(quick["rows"]) == len(stored["rows"]) == 10
    for fresh, row in zip(quick["rows"], stored["rows"], strict=True):
        assert (fresh["way"], fresh.get("size")) == (row["way"], row.get("size"))
        for method, right in row["right of 10"].items():  # 50 queries instead of 500
            assert fresh["right of 10"][method] == pytest.approx(right, abs=1.5), row["way"]


def test_the_emoji_benchmark_runs_and_its_stored_result_states_what_the_page_says(run_quick):
    quick = run_quick("emoji.py")
    stored = json.loads((ROOT / "benchmarks/results/emoji.json").read_text(encoding="utf-8"))
    fresh, rows = (
        {row["name"]: row["scores"] for row in report["rows"]} for report in (quick, stored)
    )
    assert fresh.keys() == rows.keys()
    for name in ("raw pixels", "PCA 64"):  # untrained, so the short run gives the stored numbers
        for metric, value in rows[name].items():
            assert fresh[name][metric]["mean"] == pytest.approx(value["mean"], abs=0.003)
    told = {"pair VAE, Gaussian", "pair LDA, 64 numbers"}
    for metric, value in rows["pair VAE, Gaussian"].items():
        for other in rows.keys() - told:
            assert min(value["each"]) > rows[other][metric]["mean"]
        assert max(value["each"]) < rows["pair LDA, 64 numbers"][metric]["mean"]


def test_the_names_benchmark_runs_and_its_stored_result_states_what_the_page_says(run_quick):
    quick = run_quick("names.py")
    stored = json.loads((ROOT / "benchmarks/results/names.json").read_text(encoding="utf-8"))
    assert quick["words"] == stored["words"]
    rows = stored["rows"]
    assert quick["rows"].keys() == rows.keys()
    ours, chance = rows["image-text VAE"], rows["chance"]
    for task in ("text to image, all", "text to image, new"):
        for name in rows.keys() - {"chance", "most frequent words", "image-text VAE"}:
            for metric, value in rows[name][task].items():  # not trained by chance: the same again
                found = quick["rows"][name][task][metric]["mean"]
                assert found == pytest.approx(value["mean"], abs=0.006)
    for task in chance:
        assert min(ours[task]["recall@10"]["each"]) > 10 * chance[task]["recall@10"]["mean"], task
    judged = ours["category"]
    for what in ("drawn from the name", "words said of the drawing"):
        assert min(judged[what]["each"]) > 2 * judged["always the largest category"]["mean"]


def test_the_benchmark_of_scale_runs_and_its_stored_result_states_what_the_page_says(run_quick):
    quick = run_quick("scale.py")
    stored = json.loads((ROOT / "benchmarks/results/scale.json").read_text(encoding="utf-8"))
    assert stored["exact"][-1]["gallery"] == stored["approximate"]["gallery"] == 1_000_000
    for report in (quick, stored):
        assert min(row["agreement"] for row in report["exact"]) > 0.999
        for row in report["exact"]:
            assert row["bytes"] == row["gallery"] * 32 * 4
        methods = {row["name"]: row for row in report["approximate"]["methods"]}
        assert methods["exact"]["points"][0]["recall"] == 1
        for name in ("IVF", "HNSW"):  # looking at more finds more
            recalls = [point["recall"] for point in methods[name]["points"]]
            assert recalls == sorted(recalls) and recalls[-1] > 0.97
        assert methods["PQ 16 bytes"]["bytes per latent"] < methods["exact"]["bytes per latent"] / 5
    exponents = [v for k, v in stored["exponent"].items() if k != "over galleries of at least"]
    assert all(0.9 < exponent < 1.5 for exponent in exponents)


def test_the_classroom_benchmark_runs_and_its_stored_result_is_of_these_pages(run_quick):
    quick = run_quick("classroom.py")
    stored = json.loads((ROOT / "benchmarks/results/classroom.json").read_text(encoding="utf-8"))
    # Everything but the clock is the same on every machine.
    fresh, kept = (
        {key: value for key, value in report["pages"][0].items() if key != "seconds to run"}
        for report in (quick, stored)
    )
    assert fresh == kept
    counts = {row["page"]: row["exercises"] for row in stored["pages"]}
    for page, count in counts.items():
        assert count == sum(exercise.page == page for exercise in EXERCISES.values())
    assert sum(counts.values()) == len(EXERCISES)
    assert quick["marking"]["notebooks"] == 2
    assert stored["marking"]["notebooks"] == 2 * len(counts)
