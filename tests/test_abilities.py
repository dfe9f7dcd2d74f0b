"""What only a probabilistic model can do: each measure against its definition, on a few images."""

import abilities
import numpy as np
import pytest
import strangers
from few_images import few_images
from sklearn.decomposition import PCA

from vae_tutorial import objectives

pytestmark = pytest.mark.slow
KINDS = (strangers.letters, strangers.scribbles, strangers.noise)


@pytest.fixture(scope="module")
def split():
    return few_images(600, 80)


@pytest.fixture(scope="module")
def model(split):
    return abilities.trained("mnist", split, seed=0, epochs=6)


# -- Strangers ------------------------------------------------------------------------------------


@pytest.mark.parametrize("draw", KINDS)
def test_strangers_are_images_and_repeat_with_their_seed(draw):
    images = draw(12, seed=3)
    assert images.shape == (12, 28, 28, 1) and images.dtype == np.float32
    assert images.min() >= 0 and images.max() <= 1
    np.testing.assert_array_equal(draw(12, seed=3), images)
    assert np.abs(draw(12, seed=4) - images).max() > 0.1
    assert len(np.unique(images.reshape(12, -1), axis=0)) == 12


def test_letters_and_scribbles_have_the_ink_of_digits(split):
    ink = split.gallery.mean(axis=(1, 2, 3))
    for draw in (strangers.letters, strangers.scribbles):
        found = draw(60).mean(axis=(1, 2, 3)).mean()
        assert np.quantile(ink, 0.05) < found < np.quantile(ink, 0.99), draw.__name__


# -- Measures -------------------------------------------------------------------------------------


@pytest.mark.aside  # it trains a model
def test_evidence_is_the_elbo_of_each_image(model, split):
    images = split.queries
    found = abilities.evidence(model, images)
    mean, log_var = model.encode_distribution(images)
    kl = objectives.kl_divergence(mean, log_var).numpy()
    np.testing.assert_allclose(found["KL"], kl, rtol=1e-4)
    both = found["KL"] + found["reconstruction"]
    np.testing.assert_allclose(found["minus the ELBO"], both, rtol=1e-6)
    terms = [model.loss_terms(images) for _ in range(8)]  # a draw each, from another stream
    drawn = np.mean([float(term["reconstruction"]) for term in terms])
    assert found["reconstruction"].mean() == pytest.approx(drawn, rel=0.02)


def test_the_nearest_distance_is_a_mean_of_euclidean_distances():
    rng = np.random.default_rng(0)
    queries, gallery = rng.normal(size=(5, 4)), rng.normal(size=(30, 4))
    apart = np.sort(np.linalg.norm(queries[:, None] - gallery, axis=2), axis=1)
    for k in (1, 3):
        found = abilities.distance_of_nearest(queries, gallery, k)
        np.testing.assert_allclose(found, apart[:, :k].mean(axis=1), rtol=1e-4)


@pytest.mark.aside  # it trains a model
def test_noise_is_stranger_than_any_query_by_every_measure_of_distance(model, split):
    spaces = abilities.spaces_of(split) | {"latents": (None, model.encode(split.gallery))}
    others = {"noise": strangers.noise(20), "itself": split.queries}
    found = abilities.belonging(model, spaces, split, others)
    for name in ("ten nearest, pixels, Euclidean", "minus the ELBO"):
        assert found[name]["noise"] > 0.99, name
    assert found["ten nearest, HOG, PCA 32, Euclidean"]["noise"] > 0.9
    for name, values in found.items():
        assert values["itself"] == pytest.approx(0.5), name  # cannot be told from itself


@pytest.mark.aside  # it trains a model
def test_leaving_out_the_doubtful_is_bounded_by_perfect_knowledge(model, split):
    found = abilities.selective(model, split)
    whole = found["chance"]["100%"]
    assert [values["100%"] for values in found.values()] == pytest.approx([whole] * len(found))
    for values in found.values():
        for share, value in values.items():
            assert value <= found["perfect knowledge"][share] + 1e-9
    perfect = [*found["perfect knowledge"].values()]
    assert perfect == sorted(perfect)


@pytest.mark.parametrize(
    ("hidden", "visible"), [("the lower half", 392), (abilities.HIDDEN[1], 196)]
)
def test_masks_hide_what_they_say(hidden, visible):
    mask = abilities.mask_of(hidden)
    assert mask.sum() == visible and mask[0, 0] == 1 and mask[-1, -1] == 0
    assert abilities.crop(np.ones((2, 28, 28, 1)), mask).shape[1:3] == (14, visible // 14)


def test_the_posterior_of_principal_components_is_that_of_the_whole_where_nothing_is_hidden(split):
    queries, gallery = abilities.posterior_of_pca(
        split.gallery, np.ones((28, 28, 1)), split.gallery
    )
    np.testing.assert_allclose(queries, gallery, atol=1e-6)
    # With little noise it is the projection, each component scaled to variance 1.
    flat = split.gallery.reshape(len(split.gallery), -1)
    plain = PCA(32, svd_solver="covariance_eigh", whiten=True).fit_transform(flat)
    for one, other in zip(gallery.T[:8], plain.T[:8], strict=True):
        assert abs(np.corrcoef(one, other)[0, 1]) > 0.999


@pytest.mark.aside  # it trains a model
def test_the_posterior_of_a_part_explains_the_part(model, split):
    mask = abilities.mask_of("the lower half")
    visible = split.queries[:10] * mask

    def missed(z):
        logits = model.decoder(z).numpy()
        each = np.logaddexp(0, logits) - visible * logits
        return (each * mask).sum(axis=(1, 2, 3))

    found = abilities.posterior_of_part(model, visible, mask, steps=60)
    assert found.shape == (10, 32)
    assert missed(found).mean() < 0.8 * missed(np.zeros((10, 32))).mean()
    hidden = np.where(mask > 0, visible, 0.7)  # what is hidden plays no part
    again = abilities.posterior_of_part(model, hidden.astype("float32"), mask, steps=60)
    np.testing.assert_allclose(again, found, atol=1e-4)


@pytest.mark.aside  # it trains a model
def test_every_table_has_every_method_and_column(model, split):
    found = abilities.of_model(
        model, split, abilities.spaces_of(split), {"noise": strangers.noise(10)}, n=20, steps=3
    )
    assert set(found["part of a query: P@10"]["VAE, the whole query"]) == set(abilities.HIDDEN)
    for table in found.values():
        for values in table.values():
            assert values and all(0 <= value <= 1 for value in values.values())
    mean = abilities.averaged([found["what lies between"]] * 2)
    assert mean["an end, as it is"]["same class"]["mean"] > 0.7


def test_distances_with_both_variances_are_those_of_their_definition():
    rng = np.random.default_rng(0)
    query, gallery = (rng.normal(size=(2, n, 3)).astype("float32") for n in (4, 5))
    found = abilities.by_both_variances(tuple(query), tuple(gallery))
    for i in range(4):
        for j in range(5):
            both = np.exp(query[1, i]) + np.exp(gallery[1, j])
            first = ((query[0, i] - gallery[0, j]) ** 2 / both).sum()
            assert found["weighted by both variances"][i, j] == pytest.approx(first, rel=1e-4)
            assert found["mutual likelihood"][i, j] == pytest.approx(
                first + np.log(both).sum(), rel=1e-4, abs=1e-4
            )
