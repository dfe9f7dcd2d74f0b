"""Ideas for a better VAE: each differs from it in what it says, and is scored on a few images."""

import json
from dataclasses import replace
from pathlib import Path

import fair
import leads
import numpy as np
import pytest
import rivals
from few_images import few_images
from scipy.special import logsumexp
from scipy.stats import norm

ROOT = Path(__file__).parent.parent
N_FEATURES = 6
METHOD = replace(fair.chosen("mnist", leads.FAMILY)[0], views=0.0)
BY_NAME = {idea.name: idea for idea in leads.IDEAS}


@pytest.fixture(scope="module")
def images():
    return few_images(12, 1).gallery


@pytest.fixture(scope="module")
def features():
    return np.random.default_rng(0).normal(size=(12, N_FEATURES)).astype("float32")


def model_of(name: str, **changes):
    return leads.model_of(BY_NAME[name], "mnist", replace(METHOD, **changes), N_FEATURES)


def test_every_idea_but_the_prior_is_also_given_to_the_control():
    rows = leads.rows_of("mnist")
    for idea, kind, method in rows:
        assert (method.noise, method.beta > 0) == ((kind == "VAE"),) * 2
        assert idea.of_control or kind == "VAE"
    changed = {idea.name for idea, kind, _ in rows if kind == "VAE"}
    controlled = {idea.name for idea, kind, _ in rows if kind == "control"}
    assert changed - controlled == {f"a prior of {leads.N_PARTS} learned Gaussians"}


def test_the_wide_encoder_has_twice_the_filters_and_the_same_latent(images):
    plain, wide = (model_of(name) for name in ("as in the fair fight", "an encoder twice as wide"))
    sizes = [
        [layer.kernel.shape[-1] for layer in model.encoder.hidden.layers if layer.weights]
        for model in (plain, wide)
    ]
    assert sizes[1] == [2 * size for size in sizes[0]]
    assert wide.encode(images).shape == plain.encode(images).shape == (12, 32)
    assert wide.decoder.count_params() == plain.decoder.count_params()


def test_pulling_adds_its_weight_times_the_contrast_of_two_views(images, features):
    model = model_of("InfoNCE beside the loss, weight 10", noise=False, views=0.0)
    plain = model.loss_terms(images, features)["loss"]
    seen = model.view_of(images)
    total = model.loss_terms(seen, features, training=True)["loss"]
    mean = model.encode(images)
    contrast = rivals.info_nce(mean, mean, temperature=0.5)  # without views both are the image
    assert float(total) == pytest.approx(float(plain) + 10 * float(contrast), rel=1e-4)


@pytest.mark.slow
@pytest.mark.aside
def test_the_learned_prior_is_a_mixture_and_is_trained(images, features):
    model = model_of(f"a prior of {leads.N_PARTS} learned Gaussians")
    z = np.random.default_rng(1).normal(size=(5, 32)).astype("float32")
    centres, spreads = (v.numpy()[0] for v in (model.centres, model.spreads))
    parts = norm.logpdf(z[:, None], centres, np.exp(spreads / 2)).sum(axis=-1)
    expected = logsumexp(parts - np.log(leads.N_PARTS), axis=1)
    np.testing.assert_allclose(model.log_prior(z), expected, rtol=1e-4)
    before = [v.numpy() for v in (model.centres, model.spreads, model.shares)]
    model.compile("adam")
    model.fit(images, features, epochs=1, verbose=0)
    for old, new in zip(before, (model.centres, model.spreads, model.shares), strict=True):
        assert np.abs(old - new.numpy()).max() > 1e-5


@pytest.mark.slow
@pytest.mark.aside
def test_views_at_search_time_are_averaged(images):
    model = model_of("as in the fair fight", views=1.0)
    found = leads.encode(model, images, 64)
    draws = np.stack([model.encode(model.view(images).numpy()) for _ in range(64)])
    spread = draws.std(axis=0).max()
    assert np.abs(found - draws.mean(axis=0)).max() < spread
    assert np.abs(found - model.encode(images)).max() > 0
    model.view.sizes["strength"] = 0.0  # a view that changes nothing
    np.testing.assert_allclose(leads.encode(model, images, 3), model.encode(images), atol=1e-5)


@pytest.mark.slow
@pytest.mark.aside
def test_a_trial_of_every_idea_finds_more_than_chance(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("VAE_STUDY_CACHE", str(tmp_path))
    few = few_images(600, 40)
    monkeypatch.setattr(leads.specs, "load_split", lambda *_: few)
    rows = [row for row in leads.rows_of("mnist") if row[0].name == "as in the fair fight"]
    rows = [(idea, kind, replace(method, epochs=4)) for idea, kind, method in rows]
    monkeypatch.setattr(leads.study, "in_parallel", lambda *_: None)  # here, in this process
    found = leads.report_of("smoke", "mnist", rows, workers=1)
    assert [line["model"] for line in found["rows"]] == ["VAE", "control"]
    assert all(line["scores"]["P@10"] > 0.3 for line in found["rows"])


def test_the_stored_result_has_every_row():
    stored = json.loads((ROOT / "benchmarks/results/leads.json").read_text(encoding="utf-8"))
    for data_name, found in stored["data"].items():
        rows = {(row["idea"], row["model"]) for row in found["rows"]}
        assert rows == {(idea.name, kind) for idea, kind, _ in leads.rows_of(data_name)}
        assert found["settings"] == fair.chosen(data_name, leads.FAMILY)[0].describe()
