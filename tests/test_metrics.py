"""The metrics against scikit-learn, against slow loops, and against what must always hold."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.metrics import average_precision_score, ndcg_score, precision_score, recall_score
from sklearn.neighbors import KNeighborsClassifier

from vae_tutorial import metrics

TOLERANCE = {"rtol": 0, "atol": 1e-9}
no_deadline = settings(deadline=None)  # scikit-learn's first calls can be slow
DENOMINATORS = ("all", "min", "found")

# Every metric that takes a ranking, in one signature (relevant, n_relevant, k) -> per query.
RANKING_METRICS = {
    "precision_at_k": lambda relevant, n_relevant, k: metrics.precision_at_k(relevant, k),
    "recall_at_k": metrics.recall_at_k,
    "r_precision": lambda relevant, n_relevant, k: metrics.r_precision(relevant, n_relevant),
    "average_precision_at_r": (
        lambda relevant, n_relevant, k: metrics.average_precision_at_r(relevant, n_relevant)
    ),
    "ndcg_at_k": metrics.ndcg_at_k,
} | {
    f"average_precision[{denominator}]": (
        lambda relevant, n_relevant, k, denominator=denominator: metrics.average_precision(
            relevant, n_relevant, k=k, denominator=denominator
        )
    )
    for denominator in DENOMINATORS
}


@st.composite
def searches(draw, min_gallery=2):
    """A gallery, queries (some of classes the gallery lacks) and the rankings of a search."""
    n_gallery = draw(st.integers(min_gallery, 14))
    n_queries = draw(st.integers(1, 5))
    gallery_labels = draw(hnp.arrays(np.int64, n_gallery, elements=st.integers(0, 3)))
    query_labels = draw(hnp.arrays(np.int64, n_queries, elements=st.integers(0, 4)))
    # Few distinct distances, so that most rankings hold ties, which go to the lower index.
    distances = draw(hnp.arrays(np.int64, (n_queries, n_gallery), elements=st.integers(0, 3)))
    indices = np.argsort(distances, axis=1, kind="stable")
    return query_labels, gallery_labels, indices


@st.composite
def rankings(draw):
    """``relevant``, ``n_relevant`` and k; the list may be cut short, and k may lie beyond it."""
    query_labels, gallery_labels, indices = draw(searches())
    n_ranked = draw(st.integers(1, len(gallery_labels)))
    relevant = metrics.relevance(query_labels, gallery_labels, indices[:, :n_ranked])
    n_relevant = metrics.count_relevant(query_labels, gallery_labels)
    return relevant, n_relevant, draw(st.integers(1, len(gallery_labels) + 4))


def full_ranking(search):
    query_labels, gallery_labels, indices = search
    relevant = metrics.relevance(query_labels, gallery_labels, indices)
    return relevant, metrics.count_relevant(query_labels, gallery_labels)


def descending_scores(relevant):
    """Scores without ties for which scikit-learn ranks the results as they are ranked here."""
    return -np.arange(relevant.shape[1], dtype=float)


def sklearn_average_precision(row):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns where nothing is relevant, and returns 0
        return average_precision_score(row, -np.arange(len(row), dtype=float))


# --- against scikit-learn -------------------------------------------------------------------


@given(searches())
def test_relevance_and_counts_agree_with_loops(search):
    query_labels, gallery_labels, indices = search
    relevant, n_relevant = full_ranking(search)
    assert relevant.dtype == bool
    assert n_relevant.dtype == np.int64
    for query, label in enumerate(query_labels):
        expected = [gallery_labels[index] == label for index in indices[query]]
        assert relevant[query].tolist() == expected
        assert n_relevant[query] == sum(other == label for other in gallery_labels)


@no_deadline
@given(searches())
def test_average_precision_over_the_whole_gallery_is_scikit_learns(search):
    relevant, n_relevant = full_ranking(search)
    expected = [sklearn_average_precision(row) for row in relevant]
    for denominator in DENOMINATORS:  # which makes no difference over the whole gallery
        result = metrics.average_precision(relevant, n_relevant, denominator=denominator)
        np.testing.assert_allclose(result, expected, **TOLERANCE)
        mean = metrics.mean_average_precision(relevant, n_relevant, denominator=denominator)
        assert mean == pytest.approx(np.mean(expected), abs=1e-9)


@no_deadline
@given(searches(), st.integers(1, 18))
def test_average_precision_of_cut_lists_is_scikit_learns_scaled(search, k):
    relevant, n_relevant = full_ranking(search)
    for query, row in enumerate(relevant):
        found = row[:k].sum()
        sum_of_precisions = found * sklearn_average_precision(row[:k]) if k > 1 else found
        divisors = {"all": n_relevant[query], "min": min(k, n_relevant[query]), "found": found}
        for denominator, divisor in divisors.items():
            value = metrics.average_precision(
                relevant[query : query + 1],
                n_relevant[query : query + 1],
                k=k,
                denominator=denominator,
            )[0]
            expected = sum_of_precisions / divisor if divisor else 0.0
            assert value == pytest.approx(expected, abs=1e-9)


@no_deadline
@given(searches(), st.integers(1, 18))
def test_ndcg_is_scikit_learns(search, k):
    relevant, n_relevant = full_ranking(search)
    scores = descending_scores(relevant)
    expected = [ndcg_score([row.astype(float)], [scores], k=k) for row in relevant]
    np.testing.assert_allclose(metrics.ndcg_at_k(relevant, n_relevant, k), expected, **TOLERANCE)


@no_deadline
@given(searches(), st.integers(1, 18))
def test_precision_and_recall_are_scikit_learns(search, k):
    relevant, n_relevant = full_ranking(search)
    # A list that ends before k is filled with results that are not relevant.
    padding = np.zeros((len(relevant), max(0, k - relevant.shape[1])), dtype=bool)
    filled = np.hstack([relevant, padding])
    returned = np.arange(filled.shape[1]) < k
    precision = [precision_score(row, returned, zero_division=0.0) for row in filled]
    recall = [recall_score(row, returned, zero_division=0.0) for row in filled]
    np.testing.assert_allclose(metrics.precision_at_k(relevant, k), precision, **TOLERANCE)
    np.testing.assert_allclose(metrics.recall_at_k(relevant, n_relevant, k), recall, **TOLERANCE)


@no_deadline
@given(searches(), st.data())
def test_knn_accuracy_is_scikit_learns(search, data):
    query_labels, gallery_labels, indices = search
    n_gallery = len(gallery_labels)
    k = data.draw(st.integers(1, n_gallery))
    ranks = np.empty(indices.shape)
    np.put_along_axis(ranks, indices, np.arange(n_gallery, dtype=float)[np.newaxis], axis=1)
    classifier = KNeighborsClassifier(n_neighbors=k, metric="precomputed", algorithm="brute")
    classifier.fit(np.zeros((n_gallery, n_gallery)), gallery_labels)
    expected = (classifier.predict(ranks) == query_labels).mean()
    result = metrics.knn_accuracy(query_labels, gallery_labels[indices], k)
    assert isinstance(result, float)
    assert result == pytest.approx(expected, abs=1e-9)


# --- against slow loops ---------------------------------------------------------------------


def slow_average_precision(row, total, k, denominator):
    hits, gathered = 0, 0.0
    for rank in range(1, min(k, len(row)) + 1):
        if row[rank - 1]:
            hits += 1
            gathered += hits / rank
    divisor = {"all": total, "min": min(k, total), "found": hits}[denominator]
    return gathered / divisor if divisor else 0.0


@pytest.mark.parametrize("denominator", DENOMINATORS)
@given(ranking=rankings())
def test_average_precision_agrees_with_a_loop(ranking, denominator):
    relevant, n_relevant, k = ranking
    for cut, steps in ((k, k), (None, relevant.shape[1])):
        result = metrics.average_precision(relevant, n_relevant, k=cut, denominator=denominator)
        expected = [
            slow_average_precision(row, total, steps, denominator)
            for row, total in zip(relevant, n_relevant, strict=True)
        ]
        np.testing.assert_allclose(result, expected, **TOLERANCE)


@given(rankings())
def test_metrics_at_r_agree_with_loops(ranking):
    relevant, n_relevant, _ = ranking
    pairs = list(zip(relevant, n_relevant, strict=True))
    at_r = [slow_average_precision(row, total, total, "all") for row, total in pairs]
    r_precision = [row[:total].sum() / total if total else 0.0 for row, total in pairs]
    results = metrics.average_precision_at_r(relevant, n_relevant)
    np.testing.assert_allclose(results, at_r, **TOLERANCE)
    np.testing.assert_allclose(metrics.r_precision(relevant, n_relevant), r_precision, **TOLERANCE)


@given(rankings())
def test_ndcg_of_lists_cut_short_agrees_with_a_loop(ranking):
    relevant, n_relevant, k = ranking
    for row, total, result in zip(
        relevant, n_relevant, metrics.ndcg_at_k(relevant, n_relevant, k), strict=True
    ):
        gain = sum(1 / math.log2(1 + rank) for rank, hit in enumerate(row[:k], start=1) if hit)
        ideal = sum(1 / math.log2(1 + rank) for rank in range(1, min(k, total) + 1))
        assert result == pytest.approx(gain / ideal if ideal else 0.0, abs=1e-9)


def test_values_worked_out_by_hand():
    relevant, n_relevant = np.array([[True, False, True, False, False]]), np.array([4])
    by_hand = {
        "precision_at_k": 2 / 3,
        "recall_at_k": 2 / 4,
        "r_precision": 2 / 4,
        "average_precision_at_r": (1 + 2 / 3) / 4,
        "ndcg_at_k": (1 + 1 / 2) / (1 + 1 / math.log2(3) + 1 / 2),
        "average_precision[all]": (1 + 2 / 3) / 4,
        "average_precision[min]": (1 + 2 / 3) / 3,
        "average_precision[found]": (1 + 2 / 3) / 2,
    }
    assert by_hand.keys() == RANKING_METRICS.keys()
    for name, expected in by_hand.items():
        assert RANKING_METRICS[name](relevant, n_relevant, 3)[0] == pytest.approx(expected), name


@pytest.mark.parametrize(
    ("neighbours", "k", "winner"),
    [
        ([5, 2, 2], 1, 5),
        ([5, 2, 2], 3, 2),
        ([5, 2], 2, 2),  # a draw goes to the smallest label, not to the nearest
        ([9, 4, 9, 4, -1], 5, 4),
        ([3, 300, 300], 3, 300),
    ],
)
def test_knn_vote(neighbours, k, winner):
    assert metrics.knn_accuracy([winner], [neighbours], k) == 1.0
    assert metrics.knn_accuracy([winner + 1], [neighbours], k) == 0.0


# --- what must always hold ------------------------------------------------------------------


@pytest.mark.parametrize("name", RANKING_METRICS)
@given(ranking=rankings())
def test_values_are_finite_and_bounded(name, ranking):
    relevant, n_relevant, k = ranking
    result = RANKING_METRICS[name](relevant, n_relevant, k)
    assert result.shape == (len(relevant),)
    assert result.dtype == np.float64
    assert (result >= 0).all()
    assert (result <= 1 + 1e-12).all()
    assert (result[n_relevant == 0] == 0).all()


@pytest.mark.parametrize("name", RANKING_METRICS)
@given(ranking=rankings(), data=st.data())
def test_order_of_the_queries_does_not_matter(name, ranking, data):
    relevant, n_relevant, k = ranking
    order = np.array(data.draw(st.permutations(range(len(relevant)))))
    result = RANKING_METRICS[name](relevant, n_relevant, k)
    permuted = RANKING_METRICS[name](relevant[order], n_relevant[order], k)
    np.testing.assert_allclose(permuted, result[order], **TOLERANCE)


# "found" is left out: by its definition a hit that enters the top k can lower it (next test).
@pytest.mark.parametrize("name", sorted(RANKING_METRICS.keys() - {"average_precision[found]"}))
@given(ranking=rankings())
def test_moving_a_hit_up_never_lowers_the_value(name, ranking):
    relevant, n_relevant, k = ranking
    before = RANKING_METRICS[name](relevant, n_relevant, k)
    for rank in range(1, relevant.shape[1]):
        moved = relevant.copy()
        swap = moved[:, rank] & ~moved[:, rank - 1]
        moved[swap, rank], moved[swap, rank - 1] = False, True
        assert (RANKING_METRICS[name](moved, n_relevant, k) >= before - 1e-12).all()


def test_one_more_hit_can_lower_the_found_meaning_only():
    fewer, more = [[True, False, False, True]], [[True, False, True, False]]
    for denominator, rises in (("all", True), ("min", True), ("found", False)):
        before, after = (
            metrics.average_precision(row, [2], k=3, denominator=denominator)[0]
            for row in (fewer, more)
        )
        assert (after > before) == rises


@pytest.mark.parametrize("name", RANKING_METRICS)
@pytest.mark.parametrize("total", [1, 3, 7])
@pytest.mark.parametrize("k", [1, 3, 7, 20])
def test_perfect_and_worst_rankings(name, total, k):
    perfect = np.arange(10)[np.newaxis] < total
    result = RANKING_METRICS[name](perfect, np.array([total]), k)[0]
    # These cannot reach 1 for every k, because k is not R.
    ceilings = {
        "precision_at_k": min(k, total) / k,
        "recall_at_k": min(k, total) / total,
        "average_precision[all]": min(k, total) / total,
    }
    assert result == pytest.approx(ceilings.get(name, 1.0), abs=1e-12)
    nothing_found = np.zeros_like(perfect)
    assert RANKING_METRICS[name](nothing_found, np.array([total]), k)[0] == 0.0


@given(rankings())
def test_meanings_of_average_precision_are_ordered(ranking):
    relevant, n_relevant, k = ranking
    values = [
        metrics.average_precision(relevant, n_relevant, k=k, denominator=denominator)
        for denominator in DENOMINATORS
    ]
    assert (values[0] <= values[1] + 1e-12).all()
    assert (values[1] <= values[2] + 1e-12).all()


@given(rankings())
def test_padding_with_misses_changes_nothing(ranking):
    relevant, n_relevant, k = ranking
    padded = np.hstack([relevant, np.zeros((len(relevant), 5), dtype=bool)])
    for name, metric in RANKING_METRICS.items():
        expected = metric(relevant, n_relevant, k)
        np.testing.assert_allclose(
            metric(padded, n_relevant, k), expected, **TOLERANCE, err_msg=name
        )


@given(rankings())
def test_inputs_are_left_alone(ranking):
    relevant, n_relevant, k = ranking
    copies = relevant.copy(), n_relevant.copy()
    for metric in RANKING_METRICS.values():
        metric(relevant, n_relevant, k)
    np.testing.assert_array_equal(relevant, copies[0])
    np.testing.assert_array_equal(n_relevant, copies[1])


def test_small_integer_types_do_not_overflow():
    relevant = np.ones((1, 300), dtype=bool)
    labels = np.full(300, 7, dtype=np.uint8)
    assert metrics.count_relevant(labels[:1], labels)[0] == 300
    relevant[:] = metrics.relevance(labels[:1], labels, np.arange(300, dtype=np.uint16)[np.newaxis])
    for name, metric in RANKING_METRICS.items():
        assert metric(relevant, np.array([300], dtype=np.uint16), 300)[0] == pytest.approx(1), name
    few = np.array([[True, False]]), np.array([2], dtype=np.uint8)
    assert metrics.average_precision(*few, k=300, denominator="min")[0] == pytest.approx(1 / 2)
    assert metrics.precision_at_k(relevant, k=10**15)[0] == pytest.approx(3e-13)
    assert metrics.ndcg_at_k(relevant, [300], k=10**15)[0] == pytest.approx(1)


@settings(max_examples=20)
@given(rankings())
def test_lists_serve_as_well_as_arrays(ranking):
    relevant, n_relevant, k = ranking
    for metric in RANKING_METRICS.values():
        from_lists = metric(relevant.tolist(), n_relevant.tolist(), k)
        np.testing.assert_array_equal(from_lists, metric(relevant, n_relevant, k))


# --- bad input ------------------------------------------------------------------------------

HITS = np.array([[True, False, True], [False, False, True]])
TOTALS = np.array([2, 1])

BAD_INPUTS = [
    (lambda: metrics.precision_at_k(HITS.astype(int), 1), TypeError, "relevant.astype(bool)"),
    (lambda: metrics.precision_at_k(HITS.astype(float), 1), TypeError, "must be boolean, got"),
    (lambda: metrics.ndcg_at_k(HITS.astype(np.uint8), TOTALS, 1), TypeError, "dtype uint8"),
    (lambda: metrics.precision_at_k(HITS[0], 1), ValueError, "relevant[np.newaxis]"),
    (lambda: metrics.precision_at_k(HITS[:0], 1), ValueError, "got (0, 3)"),
    (lambda: metrics.precision_at_k(HITS[:, :0], 1), ValueError, "got (2, 0)"),
    (lambda: metrics.precision_at_k(HITS, 0), ValueError, "k must be at least 1, got 0"),
    (lambda: metrics.precision_at_k(HITS, -2), ValueError, "k must be at least 1, got -2"),
    (lambda: metrics.precision_at_k(HITS, 1.0), TypeError, "k must be a whole number"),
    (lambda: metrics.precision_at_k(HITS, True), TypeError, "k must be a whole number"),
    (lambda: metrics.precision_at_k(HITS, None), TypeError, "k must be a whole number"),
    (lambda: metrics.recall_at_k(HITS, TOTALS, 0), ValueError, "k must be at least 1"),
    (lambda: metrics.ndcg_at_k(HITS, TOTALS, "3"), TypeError, "k must be a whole number"),
    (lambda: metrics.recall_at_k(HITS, [1, 1], 1), ValueError, "more are found than exist"),
    (lambda: metrics.r_precision(HITS, [2, 0]), ValueError, "n_relevant[1] is 0, but row 1"),
    (lambda: metrics.r_precision(~HITS[:, :1], [0, -1]), ValueError, "n_relevant[1] is -1"),
    (lambda: metrics.r_precision(HITS, [2.0, 1.0]), TypeError, "metrics.count_relevant"),
    (lambda: metrics.r_precision(HITS, [True, True]), TypeError, "n_relevant must be whole"),
    (lambda: metrics.average_precision_at_r(HITS, [2]), ValueError, "shape (2,), one count"),
    (lambda: metrics.average_precision_at_r(HITS, 2), ValueError, "got ()"),
    (lambda: metrics.average_precision(HITS, TOTALS[:, None]), ValueError, "got (2, 1)"),
    (lambda: metrics.average_precision(HITS, TOTALS, k=0), ValueError, "k must be at least 1"),
    (
        lambda: metrics.average_precision(HITS, TOTALS, denominator="R"),
        ValueError,
        "denominator must be one of 'all', 'min', 'found', got 'R'",
    ),
    (
        lambda: metrics.mean_average_precision(HITS, TOTALS, denominator=3),
        TypeError,
        "denominator must be a string",
    ),
    (lambda: metrics.relevance([1], [1, 2], [[2]]), ValueError, "must lie in 0 to 1, got 2 to 2"),
    (lambda: metrics.relevance([1], [1, 2], [[0, -1]]), ValueError, "drop padding such as -1"),
    (lambda: metrics.relevance([1], [1, 2], [[0.0]]), TypeError, "indices.astype(int)"),
    (lambda: metrics.relevance([1], [1, 2], [0, 1]), ValueError, "indices[np.newaxis]"),
    (lambda: metrics.relevance([1, 2], [1, 2], [[0]]), ValueError, "query_labels must have 1"),
    (lambda: metrics.relevance([1], [[1, 2]], [[0]]), ValueError, "gallery_labels must have shape"),
    (lambda: metrics.relevance([1], [1.0, 2.0], [[0]]), TypeError, "gallery_labels must be whole"),
    (lambda: metrics.count_relevant(["seven"], [7]), TypeError, "query_labels must be whole"),
    (lambda: metrics.count_relevant([7], []), TypeError, "gallery_labels must be whole numbers"),
    (lambda: metrics.knn_accuracy([1], [[1, 2]], 3), ValueError, "k must be at most 2, got 3"),
    (lambda: metrics.knn_accuracy([1], [1, 2], 1), ValueError, "neighbour_labels[np.newaxis]"),
    (lambda: metrics.knn_accuracy([1], [[1.5, 2.5]], 1), TypeError, "neighbour_labels must be"),
    (lambda: metrics.knn_accuracy([1, 1], [[1, 2]], 1), ValueError, "query_labels must have 1"),
]


@pytest.mark.parametrize(("call", "exception", "fragment"), BAD_INPUTS)
def test_bad_input_is_refused_with_advice(call, exception, fragment):
    with pytest.raises(exception) as caught:
        call()
    assert fragment in str(caught.value)
