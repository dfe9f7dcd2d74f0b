"""Scores class by class, and two methods on the same queries, against loops and against SciPy."""

import tracemalloc

import numpy as np
import pytest
from scipy import stats

from vae_tutorial import comparison, metrics

RNG = np.random.default_rng(0)
FIRST = RNG.random(60)
SECOND = FIRST - RNG.normal(0.05, 0.1, size=60)


@pytest.mark.parametrize("names", [np.arange(4) * 3, np.array(["ant", "bee", "cat", "dog"])])
def test_scores_by_class_agree_with_a_loop(names):
    labels = names[RNG.integers(0, 4, size=60)]
    classes, means, counts = metrics.scores_by_class(FIRST, labels)
    assert classes.tolist() == sorted(set(labels.tolist()))
    for label, mean, count in zip(classes, means, counts, strict=True):
        assert mean == pytest.approx(FIRST[[own == label for own in labels]].mean())
        assert count == sum(own == label for own in labels)
    assert (means.dtype, counts.dtype) == (np.float64, np.int64)


def test_queries_without_a_label_are_in_no_class():
    scores, labels = [1.0, 0.5, 0.0], [-1, 4, 4]
    classes, means, counts = metrics.scores_by_class(scores, labels)
    assert [part.tolist() for part in (classes, means, counts)] == [[4], [0.25], [2]]
    classes, means, _ = metrics.scores_by_class(scores, labels, unlabelled=None)
    assert [part.tolist() for part in (classes, means)] == [[-1, 4], [1.0, 0.25]]


def test_hits_and_misses_are_scores():
    assert metrics.scores_by_class([True, False], [1, 1])[1].tolist() == [0.5]


def test_the_interval_is_scipys():
    difference, low, high = metrics.paired_bootstrap(FIRST, SECOND, n_resamples=20_000)
    found = stats.bootstrap(
        (FIRST, SECOND),
        lambda first, second, axis: (first - second).mean(axis=axis),
        paired=True,
        vectorized=True,
        n_resamples=20_000,
        method="percentile",
        random_state=np.random.default_rng(1),
    ).confidence_interval
    assert difference == pytest.approx((FIRST - SECOND).mean())
    assert low == pytest.approx(found.low, abs=1e-3)
    assert high == pytest.approx(found.high, abs=1e-3)
    assert low < difference < high


def test_the_interval_is_that_of_its_own_resamples():
    draws = np.random.default_rng(3).integers(60, size=(500, 60))
    means = [np.mean([FIRST[i] - SECOND[i] for i in draw]) for draw in draws]
    result = metrics.paired_bootstrap(FIRST, SECOND, n_resamples=500, confidence=0.8, seed=3)
    assert result[1:] == pytest.approx(np.quantile(means, [0.1, 0.9]), abs=1e-12)


def test_what_both_methods_share_cancels():
    hard = RNG.normal(scale=10, size=60)
    alone = metrics.paired_bootstrap(FIRST, SECOND)
    assert metrics.paired_bootstrap(FIRST + hard, SECOND + hard) == pytest.approx(alone)


def test_the_same_seed_gives_the_same_interval_and_swapping_its_mirror_image():
    one = metrics.paired_bootstrap(FIRST, SECOND, seed=5)
    assert one == metrics.paired_bootstrap(FIRST, SECOND, seed=5)
    assert one != metrics.paired_bootstrap(FIRST, SECOND, seed=6)
    difference, low, high = metrics.paired_bootstrap(SECOND, FIRST, seed=5)
    assert (-difference, -high, -low) == pytest.approx(one)


def test_what_is_left_out_is_what_the_reference_says():
    options = {"n_resamples": 10_000, "confidence": 0.95, "seed": 0}
    assert metrics.paired_bootstrap(FIRST, SECOND) == metrics.paired_bootstrap(
        FIRST, SECOND, **options
    )


def test_blocks_change_nothing(monkeypatch):
    at_once = metrics.paired_bootstrap(FIRST, SECOND, n_resamples=101)
    monkeypatch.setattr(comparison, "BLOCK_BYTES", 8 * 60 * 7)
    assert metrics.paired_bootstrap(FIRST, SECOND, n_resamples=101) == at_once


def test_memory_does_not_grow_with_resamples_times_queries():
    scores = np.random.default_rng(0).random(20_000)
    tracemalloc.start()
    metrics.paired_bootstrap(scores, scores[::-1], n_resamples=1000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 60e6  # all draws at once would take 320 MB


BAD_INPUTS = [
    (lambda: metrics.scores_by_class(0.5, [1]), ValueError, "at least one, got ()"),
    (lambda: metrics.scores_by_class([], []), ValueError, "got (0,)"),
    (lambda: metrics.scores_by_class([[1.0]], [1]), ValueError, "and not their mean"),
    (lambda: metrics.scores_by_class([np.nan], [1]), ValueError, "scores holds NaN"),
    (lambda: metrics.scores_by_class(["1"], [1]), TypeError, "scores must be numbers"),
    (lambda: metrics.scores_by_class([1.0], [1, 2]), ValueError, "query_labels must have 1"),
    (lambda: metrics.scores_by_class([1.0], [-1]), ValueError, "pass unlabelled=None"),
    (lambda: metrics.paired_bootstrap([1.0], [1.0, 2.0]), ValueError, "got 1 and 2 scores"),
    (lambda: metrics.paired_bootstrap([1.0], [np.inf]), ValueError, "second holds NaN"),
    (lambda: metrics.paired_bootstrap([1.0], [1.0], n_resamples=0), ValueError, "at least 1"),
    (lambda: metrics.paired_bootstrap([1.0], [1.0], confidence=1), ValueError, "got 1; 0.95"),
    (lambda: metrics.paired_bootstrap([1.0], [1.0], confidence=95), ValueError, "0 to 1, got 95"),
    (lambda: metrics.paired_bootstrap([1.0], [1.0], seed=-1), ValueError, "seed must be at least"),
]


@pytest.mark.parametrize(("call", "exception", "fragment"), BAD_INPUTS)
def test_bad_input_is_refused_with_advice(call, exception, fragment):
    with pytest.raises(exception) as caught:
        call()
    assert fragment in str(caught.value)
