"""The speed benchmarks, run whole on the bundled images: what they compare must be equal first."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def run_quick(script: str, output: Path, *more: str) -> dict:
    command = [sys.executable, f"benchmarks/{script}", "--quick", "--output", str(output), *more]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    return json.loads(output.read_text(encoding="utf-8"))


def test_methods_of_search_are_compared_at_equal_recall(tmp_path):
    report = run_quick("speed.py", tmp_path / "speed.json")
    for gallery in report["results"]:
        assert min(gallery["agreement with ImageIndex"].values()) > 0.999
    methods = report["at equal recall"]["methods"]
    assert set(methods) == {"ImageIndex", "FAISS IndexFlatL2", "FAISS IVF", "FAISS HNSW"}
    for name, line in methods.items():
        assert line["recall"] >= 0.99, name
        assert line["bytes"] >= report["at equal recall"]["gallery"] * 32 * 4, name
        assert line["queries per second"] > 0, name
    assert set(report["encoding"]) == {"dense VAE", "convolutional VAE", "PCA 32"}


def test_ways_of_training_reach_equal_losses(tmp_path):
    report = run_quick("training_speed.py", tmp_path / "training.json", "--without-torch")
    for architecture, result in report["results"].items():
        losses = result["loss after equal epochs"]
        assert losses["ours"] == pytest.approx(losses["Keras, plain step"], rel=0.03), architecture
        assert all(0 < share < 1 for share in result["share of that rate"].values())


def test_the_emoji_benchmark_runs_and_its_stored_result_states_what_the_page_says(tmp_path):
    quick = run_quick("emoji.py", tmp_path / "emoji.json")
    stored = json.loads((ROOT / "benchmarks/results/emoji.json").read_text(encoding="utf-8"))
    fresh, rows = (
        {row["name"]: row["scores"] for row in report["rows"]} for report in (quick, stored)
    )
    assert fresh.keys() == rows.keys()
    for name in ("raw pixels", "PCA 64"):  # untrained, so the short run gives the stored numbers
        for metric, value in rows[name].items():
            assert fresh[name][metric]["mean"] == pytest.approx(value["mean"], abs=0.003)
    for metric, value in rows["pair VAE, Gaussian"].items():
        for other in rows.keys() - {"pair VAE, Gaussian"}:
            assert min(value["each"]) > rows[other][metric]["mean"]
