"""The metrics against scikit-learn, against slow loops, and against what must always hold."""

import itertools
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
    "hit_rate_at_k": lambda relevant, n_relevant, k: metrics.hit_rate_at_k(relevant, k),
    "reciprocal_rank": lambda relevant, n_relevant, k: metrics.reciprocal_rank(relevant, k=k),
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


@given(rankings())
def test_reciprocal_rank_and_hit_rate_agree_with_loops(ranking):
    relevant, _, k = ranking
    ranks = [[rank for rank, hit in enumerate(row, start=1) if hit] for row in relevant]
    whole = [1 / hits[0] if hits else 0.0 for hits in ranks]
    cut = [1 / hits[0] if hits and hits[0] <= k else 0.0 for hits in ranks]
    np.testing.assert_allclose(metrics.reciprocal_rank(relevant), whole, **TOLERANCE)
    np.testing.assert_allclose(metrics.reciprocal_rank(relevant, k=k), cut, **TOLERANCE)
    assert metrics.mean_reciprocal_rank(relevant) == pytest.approx(np.mean(whole), abs=1e-9)
    assert metrics.mean_reciprocal_rank(relevant, k=k) == pytest.approx(np.mean(cut), abs=1e-9)
    assert metrics.hit_rate_at_k(relevant, k).tolist() == [float(value > 0) for value in cut]


@given(rankings())
def test_one_relevant_image_makes_average_precision_the_reciprocal_rank(ranking):
    relevant = ranking[0]
    first_only = relevant & (np.cumsum(relevant, axis=1) == 1)
    expected = metrics.average_precision(first_only, np.ones(len(relevant), int))
    np.testing.assert_allclose(metrics.reciprocal_rank(first_only), expected, **TOLERANCE)


# --- equal distances ------------------------------------------------------------------------


def mean_over_orders(row, total, distances, k):
    """Average precision averaged over every order of the results that keeps distances ascending."""
    values = [
        slow_average_precision([row[place] for place in order], total, k, "all")
        for order in itertools.permutations(range(len(row)))
        if all(distances[a] <= distances[b] for a, b in itertools.pairwise(order))
    ]
    return np.mean(values)


@settings(max_examples=60)
@given(st.data())
def test_tie_aware_average_precision_is_the_mean_over_all_orders(data):
    n_ranked = data.draw(st.integers(1, 6), label="n_ranked")
    shape = data.draw(st.integers(1, 3), label="n_queries"), n_ranked
    relevant = data.draw(hnp.arrays(bool, shape), label="relevant")
    distances = data.draw(hnp.arrays(np.int64, shape, elements=st.integers(-1, 2)))
    distances.sort(axis=1)
    missed = data.draw(hnp.arrays(np.int64, shape[0], elements=st.integers(0, 3)))
    n_relevant = relevant.sum(axis=1) + missed
    k = data.draw(st.integers(1, n_ranked + 2), label="k")
    for cut, steps in ((k, k), (None, n_ranked)):
        expected = [
            mean_over_orders(*row, steps)
            for row in zip(relevant, n_relevant, distances, strict=True)
        ]
        result = metrics.tie_aware_average_precision(relevant, n_relevant, distances, k=cut)
        np.testing.assert_allclose(result, expected, **TOLERANCE)


@given(rankings())
def test_without_ties_the_order_is_known(ranking):
    relevant, n_relevant, k = ranking
    distances = np.tile(np.arange(relevant.shape[1]), (len(relevant), 1))
    result = metrics.tie_aware_average_precision(relevant, n_relevant, distances, k=k)
    expected = metrics.average_precision(relevant, n_relevant, k=k)
    np.testing.assert_allclose(result, expected, **TOLERANCE)


def test_ties_are_worked_out_a_few_queries_at_a_time(monkeypatch):
    rng = np.random.default_rng(0)
    relevant, distances = rng.random((7, 30)) < 0.3, np.sort(rng.integers(0, 6, (7, 30)))
    arguments = relevant, relevant.sum(axis=1), distances
    at_once = metrics.tie_aware_average_precision(*arguments)
    monkeypatch.setattr("vae_tutorial.precision.BLOCK_BYTES", 8 * 30 * 2)
    np.testing.assert_array_equal(metrics.tie_aware_average_precision(*arguments), at_once)


# --- labels ---------------------------------------------------------------------------------

ANIMALS = np.array(["cat", "dog", "eel", ""])


@given(searches(), st.data())
def test_names_of_classes_are_as_good_as_numbers(search, data):
    queries, gallery, indices = search
    queries = np.minimum(queries, 3)
    k = data.draw(st.integers(1, len(gallery)))
    plain = queries, gallery
    for named in (
        [ANIMALS[side] for side in plain],
        [ANIMALS[side].astype(object) for side in plain],
    ):
        same = metrics.relevance(*named, indices)
        np.testing.assert_array_equal(same, metrics.relevance(*plain, indices))
        counts = metrics.count_relevant(*named)
        np.testing.assert_array_equal(counts, metrics.count_relevant(*plain))
        # Names and numbers are in the same order but for the last, which names put first.
        first = np.where(gallery == 3, -9, gallery)[indices]
        votes = metrics.knn_accuracy(named[0], named[1][indices], k)
        assert votes == metrics.knn_accuracy(np.where(queries == 3, -9, queries), first, k)


@given(searches(), st.data())
def test_an_image_without_a_label_matches_nothing(search, data):
    queries, gallery, indices = search
    queries, gallery = (np.where(side == 0, -1, side) for side in (queries, gallery))
    k = data.draw(st.integers(1, len(gallery)))
    both = gallery[indices] == queries[:, np.newaxis]
    known = (queries != -1)[:, np.newaxis]
    np.testing.assert_array_equal(metrics.relevance(queries, gallery, indices), both & known)
    counted = metrics.count_relevant(queries, gallery)
    np.testing.assert_array_equal(counted, (both & known).sum(axis=1))
    asked = {"unlabelled": None}
    np.testing.assert_array_equal(metrics.relevance(queries, gallery, indices, **asked), both)
    counted = metrics.count_relevant(queries, gallery, **asked)
    np.testing.assert_array_equal(counted, both.sum(axis=1))
    # Another label may stand for none, a name too.
    named = [
        np.array(["?", "a", "b", "c", "d"])[np.where(side < 0, 0, side)]
        for side in (queries, gallery)
    ]
    by_name = metrics.relevance(*named, indices, unlabelled="?")
    np.testing.assert_array_equal(by_name, both & known)
    right = 0
    for label, row in zip(queries, gallery[indices][:, :k], strict=True):
        votes = [other for other in row if other != -1]
        right += (
            label != -1 and bool(votes) and label == min(votes, key=lambda v: (-votes.count(v), v))
        )
    assert metrics.knn_accuracy(queries, gallery[indices], k) == right / len(queries)


def test_a_vote_without_labels_is_asked_for():
    assert metrics.knn_accuracy([-1, 2], [[-1, 2], [-1, -1]], 2) == 0
    assert metrics.knn_accuracy([-1, 2], [[-1, 2], [-1, -1]], 2, unlabelled=None) == 0.5


def test_labels_beyond_int64_are_not_folded_onto_the_unlabelled():
    with pytest.raises(ValueError, match=r"below 2\*\*63"):
        metrics.count_relevant([1], np.array([1, 2**64 - 1], dtype=np.uint64))


def test_values_worked_out_by_hand():
    relevant, n_relevant = np.array([[True, False, True, False, False]]), np.array([4])
    by_hand = {
        "precision_at_k": 2 / 3,
        "recall_at_k": 2 / 4,
        "r_precision": 2 / 4,
        "average_precision_at_r": (1 + 2 / 3) / 4,
        "ndcg_at_k": (1 + 1 / 2) / (1 + 1 / math.log2(3) + 1 / 2),
        "hit_rate_at_k": 1,
        "reciprocal_rank": 1,
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
    (lambda: metrics.count_relevant(["seven"], [7]), TypeError, "got names and numbers"),
    (lambda: metrics.count_relevant([7], []), ValueError, "gallery_labels is empty"),
    (lambda: metrics.knn_accuracy([1], [[1, 2]], 3), ValueError, "k must be at most 2, got 3"),
    (lambda: metrics.knn_accuracy([1], [1, 2], 1), ValueError, "neighbour_labels[np.newaxis]"),
    (lambda: metrics.knn_accuracy([1], [[1.5, 2.5]], 1), TypeError, "neighbour_labels must be"),
    (lambda: metrics.knn_accuracy([1, 1], [[1, 2]], 1), ValueError, "query_labels must have 1"),
    (lambda: metrics.knn_accuracy(["a"], [[1, 2]], 1), TypeError, "got names and numbers"),
    (lambda: metrics.hit_rate_at_k(HITS, 0), ValueError, "k must be at least 1"),
    (lambda: metrics.hit_rate_at_k(HITS.astype(int), 1), TypeError, "must be boolean"),
    (lambda: metrics.reciprocal_rank(HITS, k=0), ValueError, "k must be at least 1"),
    (lambda: metrics.mean_reciprocal_rank(HITS[0]), ValueError, "relevant[np.newaxis]"),
    (
        lambda: metrics.ndcg_at_k(HITS, [10**12, 1], k=10**12),
        ValueError,
        "ideal ranking would hold 1,000,000,000,000 relevant results, at most 100,000,000",
    ),
    (lambda: tied([[1, 2, 2]]), ValueError, "the shape of relevant, (2, 3), got (1, 3)"),
    (lambda: tied([[2, 1, 2], [1, 1, 1]]), ValueError, "must ascend along each row"),
    (lambda: tied([[1, 3, 2], [1, 1, 1]]), ValueError, "must ascend along each row"),
    (lambda: tied([[1, np.nan, 2], [1, 1, 1]]), ValueError, "without NaN"),
    (lambda: tied([["a"] * 3] * 2), TypeError, "distances must be numbers, got dtype <U1"),
    (lambda: tied([[1, 1, 2]] * 2, k=0), ValueError, "k must be at least 1"),
    # What is relevant: the advice fits what came.
    (lambda: metrics.precision_at_k([[0, 0]], 1), TypeError, "relevant.astype(bool)"),
    (lambda: metrics.precision_at_k([[2, 0, 1]], 1), TypeError, "with metrics.relevance"),
    (lambda: metrics.relevance([1], [1, 2], [[True, False]]), TypeError, "np.flatnonzero(indices)"),
    (lambda: metrics.relevance([1], [1, 2], [[0, np.nan]]), TypeError, "where a place is missing"),
    (lambda: metrics.relevance([1], [1, 2], [[0.5]]), TypeError, "that a search returned"),
    (lambda: metrics.relevance([1], [1, 2], [["0"]]), TypeError, "that a search returned"),
    # Labels: the advice fits what came.
    (lambda: metrics.count_relevant([True], [1]), TypeError, "if True and False are two classes"),
    (lambda: metrics.count_relevant([np.nan], [1]), TypeError, "holds nan where a label is"),
    (lambda: metrics.count_relevant(["a", None], ["a"]), TypeError, "holds None where a label"),
    (lambda: metrics.count_relevant([0.5], [1]), TypeError, "got 0.5; number the classes"),
    (lambda: metrics.count_relevant([7.0], [1]), TypeError, "use query_labels.astype(int)"),
    (lambda: metrics.count_relevant([b"a"], ["a"]), TypeError, "use query_labels.astype(str)"),
    (lambda: metrics.count_relevant([("a", 1)], [1]), ValueError, "pass one label an image"),
    (lambda: metrics.count_relevant([[1], [2]], [1]), ValueError, "use query_labels.ravel()"),
    (lambda: metrics.count_relevant([1], np.eye(3)), ValueError, "gallery_labels.argmax(axis=-1)"),
    (lambda: metrics.count_relevant([1], np.eye(3)[[0, 0]]), ValueError, "argmax(axis=-1)"),
    (lambda: metrics.knn_accuracy([1], [np.eye(3)], 1), ValueError, "labels.argmax(axis=-1)"),
    (lambda: metrics.count_relevant(np.zeros((0, 3), int), [1]), ValueError, "got (0, 3); pass"),
    (lambda: metrics.knn_accuracy([1], [[[1], [1]]], 1), ValueError, "(n_queries, n_ranked)"),
    (lambda: metrics.count_relevant([1], [1], unlabelled=0.5), TypeError, "unlabelled must be"),
    (lambda: metrics.count_relevant([1], [1], unlabelled=True), TypeError, "unlabelled must be"),
]


def test_numbers_other_than_0_and_1_are_not_to_be_turned_into_booleans():
    for places in ([[0, 1, 2]], [[np.nan, 1.0]]):
        with pytest.raises(TypeError) as caught:
            metrics.precision_at_k(places, 1)
        assert "astype" not in str(caught.value)


def tied(distances, **options):
    return metrics.tie_aware_average_precision(HITS, TOTALS, distances, **options)


@pytest.mark.parametrize(("call", "exception", "fragment"), BAD_INPUTS)
def test_bad_input_is_refused_with_advice(call, exception, fragment):
    with pytest.raises(exception) as caught:
        call()
    assert fragment in str(caught.value)
