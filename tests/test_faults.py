"""The recorded trainings with a fault: what an exercise asks about them, and how they were made."""

import json
from types import SimpleNamespace

import faults
import numpy as np
import pytest

from vae_tutorial import datasets
from vae_tutorial.exercises import EXERCISES

RUNS = json.loads(faults.RESULTS.read_text(encoding="utf-8"))["rows"]


def test_every_recording_shows_its_fault_from_the_fifth_epoch_on():
    name = EXERCISES["name_the_fault"].solution
    for run in RUNS:
        for epochs in range(6, faults.EPOCHS + 2):
            curves = (np.array(run[term][:epochs]) for term in ("reconstruction", "kl"))
            assert name(*curves) == run["fault"], (run["fault"], run["seed"], epochs)


def test_there_are_as_many_recordings_of_each_fault():
    seeds = [(number, seed) for number in range(len(faults.FAULTS)) for seed in faults.SEEDS]
    assert [(run["fault"], run["seed"]) for run in RUNS] == seeds


@pytest.fixture(scope="module")
def few():
    digits = datasets.load("mnist-5k")
    return SimpleNamespace(
        gallery_images=digits.gallery_images[:128], query_images=digits.query_images
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "shown"),
    [
        (0, lambda before, after, kl: after < before - 1 and kl < 10),
        (4, lambda before, after, kl: kl > 1000),
        (5, lambda before, after, kl: after > before + 1),
        (6, lambda before, after, kl: abs(after - before) < 1),
    ],
)
def test_two_steps_begin_as_recorded_and_go_the_way_of_the_fault(fault, shown, few, monkeypatch):
    monkeypatch.setattr(faults, "EPOCHS", 1)
    got = faults.curves(few, fault, seed=0)
    (stored,) = [run for run in RUNS if (run["fault"], run["seed"]) == (fault, 0)]
    for term in ("reconstruction", "kl"):
        assert got[term][0] == pytest.approx(stored[term][0], rel=1e-3, abs=0.02)
    assert shown(*got["reconstruction"], got["kl"][1])


def test_what_is_minimised_follows_from_the_fault():
    assert [faults.loss_of(2.0, 3.0, fault) for fault in range(7)] == [5, 5, 2, 302, 5, -5, 5]
