"""The fair fight: its scores, its choices, its controls, and a whole run on a few images."""

import json
from dataclasses import fields, replace
from itertools import pairwise
from pathlib import Path

import entrants
import fair
import fast_scores
import methods
import neighbourhood
import numpy as np
import pytest
import ranking
import specs
from few_images import few_images
from methods import Method

from vae_tutorial import features, metrics, models, retrieval


@pytest.fixture(scope="module")
def split():
    return few_images(400, 60)


# -- Scores ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def points():
    rng = np.random.default_rng(0)
    gallery, queries = rng.normal(size=(700, 5)), rng.normal(size=(130, 5))
    labels = rng.integers(0, 4, 130), rng.integers(0, 4, 700)
    return queries.astype("float32"), gallery.astype("float32"), *labels


def by_library(queries, gallery, wanted, labels, metric: str) -> dict:
    index = retrieval.ImageIndex(None, metric=metric)
    index.add_descriptors(gallery)
    distances, places = index.search_descriptors(queries, k=len(gallery))
    relevant = metrics.relevance(wanted, labels, places)
    n_relevant = metrics.count_relevant(wanted, labels)
    return {
        "P@1": metrics.precision_at_k(relevant, 1),
        "P@10": metrics.precision_at_k(relevant, 10),
        "mAP": metrics.average_precision(relevant, n_relevant),
        "mAP, ties": metrics.tie_aware_average_precision(relevant, n_relevant, distances),
    }


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_fast_scores_are_those_of_the_library(points, metric):
    queries, gallery, *labels = points
    found = fast_scores.of_features(getattr(ranking, metric)(queries, gallery), *labels)
    expected = by_library(*points, metric)
    # Distances in float32 may swap two results that are one part in ten million apart.
    for name, values in found.items():
        np.testing.assert_allclose(values, expected[name], atol=1e-4, err_msg=name)


def test_equal_distances_favour_neither_side():
    rng = np.random.default_rng(0)
    same, labels = np.ones((40, 3), np.float32), rng.integers(0, 2, 40)
    found = fast_scores.of_features(ranking.cosine(same, same), labels, labels)

    assert found["P@10"].mean() == pytest.approx(0.5, abs=0.2)


def test_codes_are_scored_as_the_mean_over_all_orders_of_ties(points):
    queries, gallery, wanted, labels = points
    codes = [np.where(rows > 0, 1.0, -1.0).astype("float32") for rows in (queries, gallery)]
    found = fast_scores.of_codes(*codes, wanted, labels)
    expected = by_library(*codes, wanted, labels, "euclidean")
    np.testing.assert_allclose(found["mAP"], expected["mAP, ties"], atol=1e-9)
    orders = []
    for seed in range(300):
        order = np.random.default_rng(seed).permutation(len(gallery))
        shuffled = by_library(codes[0][:4], codes[1][order], wanted[:4], labels[order], "euclidean")
        orders.append(shuffled["P@10"])
    np.testing.assert_allclose(found["P@10"][:4], np.mean(orders, axis=0), atol=0.03)


# -- Help -----------------------------------------------------------------------------------------


def test_the_nearest_are_those_of_the_index(points):
    queries, gallery, *_ = points
    similarity, places = neighbourhood.nearest(queries, gallery, 7)
    index = retrieval.ImageIndex(None, metric="cosine")
    index.add_descriptors(gallery)
    distances, expected = index.search_descriptors(queries, k=7)
    np.testing.assert_array_equal(places, expected)
    np.testing.assert_allclose(similarity, 1 - distances, atol=1e-5)


def test_expansion_twice_expands_what_was_expanded(points):
    queries, gallery, *_ = points
    once = neighbourhood.expanded(queries, gallery, k=5, power=3.0, rounds=1)
    twice = neighbourhood.expanded(queries, gallery, k=5, power=3.0, rounds=2)
    again = neighbourhood.expanded(*once, k=5, power=3.0, rounds=1)
    for one, other in zip(twice, again, strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(once[0], retrieval.expand(queries, gallery, 5, power=3.0))


def test_a_share_of_the_plain_cosine_stands_beside_the_graph(points):
    queries, gallery, *_ = points
    settings = {"dim": 4, "k": 6, "power": 3.0, "steps": 8.0}
    near, far = neighbourhood.graph(queries, gallery, **settings, share=0.0)
    both = neighbourhood.graph(queries, gallery, **settings, share=0.2)
    unit = [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (queries, gallery)]
    expected = near @ far.T + 0.2 * unit[0] @ unit[1].T
    np.testing.assert_allclose(both[0] @ both[1].T, expected, atol=1e-5)


@pytest.mark.parametrize("bits", [3, 5, 12])
def test_codes_have_as_many_bits_as_asked_and_keep_neighbours(points, bits):
    gallery = points[1]
    codes = neighbourhood.codes(gallery, gallery, bits)
    assert codes[0].shape == (len(gallery), bits)
    assert set(np.unique(codes[0])) == {-1.0, 1.0}
    np.testing.assert_array_equal(*codes)
    _, places = neighbourhood.nearest(gallery, gallery, 2)
    apart = (codes[0] != codes[0][places[:, 1]]).mean()
    strangers = (codes[0] != np.roll(codes[0], 1, axis=0)).mean()
    assert apart < 0.75 * strangers


# -- Methods --------------------------------------------------------------------------------------


@pytest.mark.parametrize("data_name", entrants.FAMILIES)
def test_every_family_has_the_same_number_of_different_trials(data_name):
    for family, trials in entrants.FAMILIES[data_name].items():
        assert len(trials) == len(set(trials)) == entrants.N_TRIALS, family
    for name, trials in entrants.HELP_TRIALS.items():
        assert len({json.dumps(how, sort_keys=True) for how in trials}) == entrants.N_TRIALS, name


@pytest.mark.parametrize("data_name", entrants.FAMILIES)
def test_the_stored_tuning_is_of_these_trials_and_chose_by_the_rule(data_name):
    path = Path(fair.RESULTS) / f"fair-tuning-{data_name}.json"
    stored = json.loads(path.read_text(encoding="utf-8"))
    assert stored["rule"] == fair.RULE
    families = entrants.FAMILIES[data_name]
    assert [line["family"] for line in stored["families"]] == [*families]
    for line in stored["families"]:
        trials = [replace(m, epochs=entrants.EPOCHS) for m in families[line["family"]]]
        expected = [(m.describe(), d) for m in trials for d in fair.distances_of(m)]
        assert [(t["settings"], t["distance"]) for t in line["trials"]] == expected
        assert line["chosen"] == fair.best(line["trials"])
    for line in stored["help"]:
        assert [t["settings"] for t in line["trials"]] == entrants.HELP_TRIALS[line["help"]]
        assert line["chosen"] == fair.best(line["trials"])


def changed(one: Method, other: Method) -> set[str]:
    return {f.name for f in fields(Method) if getattr(one, f.name) != getattr(other, f.name)}


# Which switches neighbouring rungs may differ in.
SWITCH = {
    "with views": {"views"},
    "with views and noise": {"noise"},
    "with views, noise and KL": {"beta"},
    "with consistency too": {"consistency"},
    "with noise": {"noise"},
    "with noise and KL": {"beta"},
}


@pytest.mark.parametrize("ladder", ["drawing pixels", "drawing HOG"])
def test_each_rung_differs_from_the_one_below_in_the_switch_it_names(ladder):
    family, rungs = entrants.LADDERS[ladder]
    for trial in entrants.FAMILIES["mnist"][family]:
        made = {name: replace(trial, **change) for name, change in rungs.items()}
        for way in (entrants.CLIMB, entrants.STILL):
            for low, high in pairwise(way):
                assert changed(made[low], made[high]) == SWITCH[high]
        assert made["with views, noise and KL"] == trial
        bare = made["autoencoder"]
        assert (bare.views, bare.noise, bare.beta) == (0, False, 0)


@pytest.mark.parametrize("data_name", entrants.FAMILIES)
def test_the_two_ladders_differ_in_what_is_drawn_alone(data_name):
    ladders = ("drawing pixels", "drawing HOG")
    for name in ("autoencoder", "with views"):
        made = []
        for family, rungs in (entrants.LADDERS[ladder] for ladder in ladders):
            made.append(replace(fair.chosen(data_name, family)[0], **rungs[name]))
        assert changed(*made) == {"target"}


def test_pairs_name_rungs_and_families_that_there_are():
    groups = {ladder: set(rungs) for ladder, (_, rungs) in entrants.LADDERS.items()}
    groups["methods"] = set(entrants.FAMILIES["mnist"])
    for pair in entrants.PAIRS:
        for group, name in pair:
            assert name in groups[group], pair
    assert len(set(entrants.PAIRS)) == len(entrants.PAIRS)


def test_settings_say_what_differs_from_the_default_and_can_be_made_again():
    method = Method(kind="hog", upright=True, cell=7)
    assert method.describe() == {"kind": "hog", "upright": True, "cell": 7}
    assert Method(**json.loads(json.dumps(method.describe()))) == method
    assert Method().describe() == {}


@pytest.mark.parametrize(
    ("method", "kind"),
    [
        (Method(views=0.5, beta=0.2), models.ViewVAE),
        (Method(target="hog", noise=False), models.FeatureVAE),
        (Method(bits=True), models.BinaryVAE),
    ],
)
def test_a_network_is_built_with_its_switches(method, kind):
    model = methods.build("mnist", method, seed=3, n_features=6)
    assert type(model) is kind
    assert model.noise == method.noise
    assert float(model.beta) == pytest.approx(method.beta)
    assert (model.view is None) == (method.views == 0)
    if model.view is not None:
        sizes = specs.VIEWS["mnist"] | {"strength": method.views}
        assert {name: model.view.sizes[name] for name in sizes} == sizes
    assert model.latent_dim == (64 if method.bits else methods.DIM)


def test_what_is_drawn_is_what_the_setting_says(split):
    assert methods.targets(split.gallery, Method()) is None
    assert methods.targets(split.gallery, Method(loss="contrast", target="hog")) is None
    hog = methods.targets(split.gallery, Method(target="hog"))
    np.testing.assert_array_equal(hog, features.HOG().encode(split.gallery))
    graph = methods.targets(split.gallery, Method(target="graph"))
    np.testing.assert_allclose(np.linalg.norm(graph, axis=1), np.sqrt(methods.DIM), rtol=1e-4)
    both = methods.targets(split.gallery, Method(target="hog+graph", graph_scale=0.5))
    np.testing.assert_allclose(both, np.hstack([hog, 0.5 * graph]), atol=1e-6)


def test_upright_methods_see_upright_images(split):
    gallery, queries = methods.pictures(split, Method(upright=True))
    np.testing.assert_array_equal(gallery, features.upright(split.gallery))
    np.testing.assert_array_equal(queries, features.upright(split.queries))
    assert methods.pictures(split, Method())[0] is split.gallery


# -- Choices --------------------------------------------------------------------------------------


def test_the_best_trial_has_the_highest_sum_of_both_measures():
    pairs = [(0.9, 0.4), (0.8, 0.6), (0.95, 0.44)]
    tried = [{"scores": {"P@1": 1, "P@10": a, "mAP": b}} for a, b in pairs]
    assert fair.best(tried) == 1


def test_differences_are_paired_over_queries_and_skip_what_was_not_measured():
    rng = np.random.default_rng(0)
    first, second = ("methods", "view VAE"), ("methods", "PCA")
    base = rng.random((1, 200))
    values = {
        first: dict.fromkeys(fast_scores.SCORES, base + np.array([[0.1], [0.2], [0.3]])),
        second: dict.fromkeys(fast_scores.SCORES, base),
    }
    lines = fair.differences(values)
    assert [(tuple(line["first"]), tuple(line["second"])) for line in lines] == [(first, second)]
    found = lines[0]["mAP"]
    assert found["mean"] == pytest.approx(0.2, abs=1e-4)
    assert found["interval"] == pytest.approx([0.2, 0.2], abs=1e-4)
    assert "each" not in found  # one of the two has one seed only


@pytest.mark.slow
@pytest.mark.aside
def test_a_tuning_runs_and_the_comparison_takes_what_it_chose(split, monkeypatch, tmp_path):
    families = {
        "HOG, PCA": [Method(kind="hog"), Method(kind="hog", cell=7)],
        "view VAE": [Method(views=0.5, beta=0.1), Method(views=1.0, beta=0.1)],
        "HOG view VAE": [Method(target="hog", views=0.5, beta=0.1)],
    }
    monkeypatch.setattr(fair, "FAMILIES", {"mnist": families})
    ladder = ("view VAE", {"with views": entrants.OFF})
    monkeypatch.setattr(fair, "LADDERS", {"drawing pixels": ladder})
    monkeypatch.setattr(fair, "SEEDS", (0, 1))
    monkeypatch.setattr(fair, "EPOCHS", 1)
    monkeypatch.setattr(fair, "RESULTS", tmp_path)
    monkeypatch.setattr(fair.specs, "load_split", lambda *_: split)

    def in_turn(jobs, workers, pieces=1):
        for function, given, _ in jobs:
            function(*given)

    monkeypatch.setattr(fair.study, "in_parallel", in_turn)
    monkeypatch.setenv("VAE_STUDY_CACHE", str(tmp_path / "cache"))
    fair.tuned.cache_clear()
    report = fair.tune("mnist", 1, "")
    for line, (family, trials) in zip(report["families"], families.items(), strict=True):
        assert line["family"] == family
        assert len(line["trials"]) == 2 * len(trials)  # two distances
        sums = [t["scores"]["P@10"] + t["scores"]["mAP"] for t in line["trials"]]
        assert line["chosen"] == int(np.argmax(sums))
    (tmp_path / "fair-tuning-mnist.json").write_text(json.dumps(report))
    content, values = fair.compare("mnist", 1, "")
    fair.write_scores(tmp_path / "scores.npz", values)
    with np.load(tmp_path / "scores.npz") as stored:
        kept = dict(stored)
    assert {key.split(": ")[0] for key in kept} == set(fair.STORED)
    lines = {(line["group"], line["name"]): line for line in content["rows"]}
    for family in families:
        chosen = report["families"][[*families].index(family)]
        trial = chosen["trials"][chosen["chosen"]]
        line = lines["methods", family]
        expected = replace(Method(**trial["settings"]), epochs=1).describe()
        assert line["settings"] == expected and line["how"] == {"distance": trial["distance"]}
        groups = {group for group, name in lines if name == family}
        assert {"expanded", "graph"} <= groups
        assert ({"graph, 64 bits", "64 bits"} <= groups) == (family in entrants.CODED)
    assert lines["methods", "HOG, PCA"]["seeds"] == [0]
    assert lines["methods", "view VAE"]["seeds"] == [0, 1]
    control = lines["drawing pixels", "with views"]
    assert control["settings"]["noise"] is False
    assert set(control["model"]) == {"training seconds"}  # no noise, so no posterior to speak of
    assert "active units" in lines["methods", "view VAE"]["model"]
    for line in lines.values():
        for value in line["scores"].values():
            assert np.mean(value["each"]) == pytest.approx(value["mean"], abs=1e-4)
            assert value["interval"][0] <= value["mean"] <= value["interval"][1]
        if line["group"] in fair.STORED:
            for metric, value in line["scores"].items():
                of_queries = kept[f"{line['group']}: {line['name']}: {metric}"]
                assert of_queries.shape == (len(split.queries),)
                assert of_queries.astype(float).mean() == pytest.approx(value["mean"], abs=1e-3)
    assert lines["methods", "HOG, PCA"]["scores"]["P@10"]["mean"] > 0.6
    fair.tuned.cache_clear()
