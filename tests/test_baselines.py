"""The baselines: PCA against scikit-learn, pixels against a reshape, the filter against a loop."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import decomposition

from vae_tutorial import retrieval
from vae_tutorial.baselines import PCA, MetadataFilter, Pixels


def random_images(shape=(40, 5, 4, 1), seed=0):
    """Images whose pixels vary by clearly different amounts, so that directions are distinct."""
    noise = np.random.default_rng(seed).uniform(size=shape).astype(np.float32)
    spread = np.geomspace(1.0, 0.05, num=int(np.prod(shape[1:])), dtype=np.float32)
    return noise * spread.reshape(shape[1:])


@st.composite
def fitted_cases(draw):
    shape = (
        draw(st.integers(2, 30)),
        draw(st.integers(1, 4)),
        draw(st.integers(1, 4)),
        draw(st.sampled_from([1, 3])),
    )
    # Centring takes one direction away, so the last of n components would be arbitrary.
    most = min(shape[0] - 1, int(np.prod(shape[1:])))
    return random_images(shape, draw(st.integers(0, 1000))), draw(st.integers(1, most))


# --- pixels ---------------------------------------------------------------------------------


@given(st.integers(1, 4), st.integers(1, 4), st.integers(1, 4), st.sampled_from([1, 3]))
def test_pixels_are_the_flattened_images(n, height, width, channels):
    images = random_images((n, height, width, channels))
    descriptors = Pixels().fit(images).encode(images)
    assert descriptors.dtype == np.float32
    assert descriptors.shape == (n, height * width * channels)
    np.testing.assert_array_equal(descriptors.reshape(images.shape), images)


def test_pixels_need_no_fit_and_fit_returns_itself():
    images = random_images()
    pixels = Pixels()
    assert pixels.fit(images) is pixels
    np.testing.assert_array_equal(Pixels().encode(images), pixels.encode(images))


# --- PCA ------------------------------------------------------------------------------------


@settings(deadline=None)
@given(fitted_cases())
def test_pca_is_scikit_learns_up_to_sign(case):
    images, n_components = case
    flat = images.reshape(len(images), -1).astype(np.float64)
    ours = PCA(n_components).fit(images)
    theirs = decomposition.PCA(n_components, svd_solver="full").fit(flat)
    signs = np.sign((ours.components_ * theirs.components_).sum(axis=1))
    np.testing.assert_allclose(ours.mean_, theirs.mean_, atol=1e-12)
    np.testing.assert_allclose(ours.components_, theirs.components_ * signs[:, None], atol=1e-8)
    np.testing.assert_allclose(
        ours.explained_variance_ratio_, theirs.explained_variance_ratio_, atol=1e-10
    )
    np.testing.assert_allclose(ours.encode(images), theirs.transform(flat) * signs, atol=1e-6)


@settings(deadline=None)
@given(fitted_cases())
def test_pca_components_are_orthonormal_with_deterministic_signs(case):
    images, n_components = case
    pca = PCA(n_components).fit(images)
    np.testing.assert_allclose(
        pca.components_ @ pca.components_.T, np.eye(n_components), atol=1e-10
    )
    largest = np.abs(pca.components_).argmax(axis=1)
    assert (pca.components_[np.arange(n_components), largest] > 0).all()
    assert (np.diff(pca.explained_variance_ratio_) <= 1e-12).all()
    assert 0 < pca.explained_variance_ratio_.sum() <= 1 + 1e-12


def test_pca_sign_does_not_depend_on_the_direction_the_data_points_in():
    images = random_images()
    mirrored = 1 - images  # the same lines through the mean, walked the other way
    np.testing.assert_allclose(
        PCA(5).fit(images).components_, PCA(5).fit(mirrored).components_, atol=1e-5
    )


def test_descriptors_serve_as_well_as_images():
    images = random_images()
    rows = images.reshape(len(images), -1)
    np.testing.assert_array_equal(PCA(3).fit(rows).encode(rows), PCA(3).fit(images).encode(images))


def test_pca_precision():
    images = random_images()
    pca = PCA(3).fit(images)
    assert pca.mean_.dtype == pca.components_.dtype == np.float64
    assert pca.explained_variance_ratio_.dtype == np.float64
    assert pca.encode(images).dtype == np.float32
    assert pca.decode(pca.encode(images)).dtype == np.float32


def test_pca_decode_inverts_a_full_encode_and_restores_the_shape():
    images = random_images((50, 3, 4, 3))
    pca = PCA(36).fit(images)
    decoded = pca.decode(pca.encode(images))
    assert decoded.shape == images.shape
    np.testing.assert_allclose(decoded, images, atol=1e-6)


def test_pca_encode_after_decode_is_the_identity():
    images = random_images()
    pca = PCA(3).fit(images)
    descriptors = pca.encode(images)
    np.testing.assert_allclose(
        pca.encode(np.clip(pca.decode(0.1 * descriptors), 0, 1)), 0.1 * descriptors, atol=1e-6
    )


def test_pca_error_is_the_variance_left_out():
    images = random_images()
    flat = images.reshape(len(images), -1).astype(np.float64)
    total = ((flat - flat.mean(axis=0)) ** 2).sum()
    for n_components in (1, 4, 12):
        pca = PCA(n_components).fit(images)
        lost = ((pca.decode(pca.encode(images)).reshape(flat.shape) - flat) ** 2).sum()
        assert lost / total == pytest.approx(1 - pca.explained_variance_ratio_.sum(), abs=1e-6)


def test_pca_describes_new_images_by_the_fitted_mean():
    train, new = random_images(seed=0), random_images(seed=1)
    pca = PCA(4).fit(train)
    expected = (new.reshape(len(new), -1) - pca.mean_) @ pca.components_.T
    np.testing.assert_allclose(pca.encode(new), expected, atol=1e-6)
    np.testing.assert_allclose(pca.encode(new[:1]), expected[:1], atol=1e-6)


def test_pca_can_be_fitted_again_on_other_images():
    pca = PCA(2).fit(random_images((10, 3, 3, 1)))
    assert pca.fit(random_images((10, 2, 2, 3))) is pca
    assert pca.encode(random_images((1, 2, 2, 3))).shape == (1, 2)


def test_pca_takes_as_many_components_as_images_or_pixels():
    assert PCA(20).fit(random_images()).components_.shape == (20, 20)
    assert PCA(8).fit(random_images((8, 5, 4, 1))).components_.shape == (8, 20)


def test_images_are_left_alone():
    images = random_images()
    copy = images.copy()
    PCA(2).fit(images).encode(images)
    Pixels().fit(images).encode(images)
    np.testing.assert_array_equal(images, copy)


# --- metadata -------------------------------------------------------------------------------


@given(st.lists(st.integers(-1, 4), min_size=1, max_size=20), st.integers(0, 5), st.integers(1, 25))
def test_filter_agrees_with_a_loop(labels, label, k):
    found = MetadataFilter(labels).search(label, k)
    assert found.dtype == np.int64
    assert found.tolist() == [i for i, tag in enumerate(labels) if tag == label][:k]


def test_filter_never_finds_an_image_without_a_tag():
    everything = MetadataFilter([-1, 0, -1, 1])
    found = np.concatenate([everything.search(label, k=4) for label in range(3)])
    assert sorted(found.tolist()) == [1, 3]
    assert MetadataFilter([-1, -1]).search(0, k=2).size == 0


# --- in an index ----------------------------------------------------------------------------


@pytest.mark.parametrize("encoder", [Pixels(), PCA(2)], ids=["pixels", "pca"])
def test_an_index_leaves_the_check_of_images_to_them(encoder, monkeypatch):
    def twice(images):
        raise AssertionError("the images are checked twice")

    monkeypatch.setattr(retrieval, "check_images", twice)
    images = random_images()
    index = retrieval.ImageIndex(encoder.fit(images))
    index.add(images)
    assert index.search(images[:1], k=1)[1].tolist() == [[0]]


# --- bad input ------------------------------------------------------------------------------

IMAGES = random_images()

BAD_INPUTS = [
    (lambda: Pixels().fit(IMAGES[0]), ValueError, "images[np.newaxis]"),
    (lambda: Pixels().encode(IMAGES * 255), ValueError, "divide 8-bit images by 255"),
    (lambda: Pixels().encode(IMAGES[:0]), ValueError, "images is empty"),
    (lambda: Pixels().encode([[["one"]]]), TypeError, "images must be numbers"),
    (lambda: Pixels().encode(np.full((1, 2, 2, 1), np.nan)), ValueError, "NaN or infinity"),
    (lambda: PCA(0), ValueError, "n_components must be at least 1, got 0"),
    (lambda: PCA(2.0), TypeError, "n_components must be a whole number, got 2.0"),
    (lambda: PCA(True), TypeError, "n_components must be a whole number"),
    (lambda: PCA("all"), TypeError, "n_components must be a whole number, got 'all'"),
    (lambda: PCA(21).fit(IMAGES), ValueError, "n_components must be at most 20, got 21"),
    (lambda: PCA(4).fit(IMAGES[:3]), ValueError, "n_components must be at most 3, got 4"),
    (lambda: PCA(1).fit(IMAGES[:1]), ValueError, "images are all the same"),
    (lambda: PCA(1).fit(np.full((9, 2, 2, 1), 0.1)), ValueError, "images are all the same"),
    (lambda: PCA(1).fit(IMAGES[..., 0]), ValueError, "(n, height, width, channels)"),
    (lambda: PCA(1).fit(IMAGES - 1), ValueError, "images must lie in [0, 1]"),
    (lambda: PCA(2).encode(IMAGES), ValueError, "call .fit(images) first"),
    (lambda: PCA(2).decode(np.zeros((1, 2))), ValueError, "call .fit(images) first"),
    (
        lambda: PCA(2).fit(IMAGES).encode(IMAGES.reshape(40, 4, 5, 1)),
        ValueError,
        "must have shape (n, 5, 4, 1) like those that were fitted, got (40, 4, 5, 1)",
    ),
    (lambda: PCA(2).fit(IMAGES).encode(IMAGES[:, :2]), ValueError, "or fit a new PCA"),
    (lambda: PCA(2).fit(IMAGES).decode(np.zeros((1, 3))), ValueError, "must have 2 columns"),
    (lambda: PCA(2).fit(IMAGES).decode(np.zeros(2)), ValueError, "row[np.newaxis]"),
    (lambda: PCA(2).fit(IMAGES).decode([[np.inf, 0.0]]), ValueError, "NaN or infinity"),
    (lambda: MetadataFilter([0.5]), TypeError, "labels must be whole numbers"),
    (lambda: MetadataFilter([[0, 1]]), ValueError, "labels.ravel()"),
    (lambda: MetadataFilter([0, -2]), ValueError, "or -1 for an image without a tag, got -2"),
    (lambda: MetadataFilter([0, -1]).search(-1, k=1), ValueError, "label must be at least 0"),
    (lambda: MetadataFilter([0]).search("cat", k=1), TypeError, "label must be a whole number"),
    (lambda: MetadataFilter([0]).search(0, k=0), ValueError, "k must be at least 1"),
]


@pytest.mark.parametrize(("call", "exception", "fragment"), BAD_INPUTS)
def test_bad_input_is_refused_with_advice(call, exception, fragment):
    with pytest.raises(exception) as caught:
        call()
    assert fragment in str(caught.value)


def test_a_failed_fit_leaves_the_pca_as_it_was():
    pca = PCA(2).fit(IMAGES)
    before = pca.encode(IMAGES)
    with pytest.raises(ValueError, match="all the same"):
        pca.fit(np.zeros((9, 2, 2, 1)))
    np.testing.assert_array_equal(pca.encode(IMAGES), before)
