"""Hand-made features: HOG against scikit-image, upright images against their own moments."""

import numpy as np
import pytest
from skimage.feature import hog

from vae_tutorial import datasets, retrieval
from vae_tutorial.baselines import PCA, Pixels
from vae_tutorial.features import HOG, Upright, upright


@pytest.fixture(scope="module")
def digits():
    return datasets.load("mnist-5k").gallery_images[:600]


@pytest.fixture(scope="module")
def colours():
    return np.random.default_rng(0).random((4, 20, 24, 3))


SETTINGS = [(4, 9, 2), (7, 8, 1), (5, 12, 3), (4, 9, 1)]


@pytest.mark.parametrize(("cell", "orientations", "block"), SETTINGS)
def test_hog_is_that_of_scikit_image(digits, colours, cell, orientations, block):
    for images in (digits[:40], colours):
        expected = [
            hog(
                image.astype(float),
                orientations=orientations,
                pixels_per_cell=(cell, cell),
                cells_per_block=(block, block),
                block_norm="L2-Hys",
                channel_axis=-1,
            )
            for image in images.astype(np.float32)
        ]
        found = HOG(cell, orientations, block).encode(images)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_hog_takes_many_images_in_blocks(digits):
    hog = HOG(cell=7)
    whole = hog.encode(digits)
    np.testing.assert_array_equal(whole[499:502], hog.encode(digits[499:502]))


def test_hog_does_not_see_contrast(digits):
    np.testing.assert_allclose(HOG().encode(digits * 0.5), HOG().encode(digits), atol=2e-3)


def test_hog_with_components_is_pca_of_hog(digits):
    both = HOG(n_components=8).fit(digits)
    histograms = HOG().encode(digits)
    expected = PCA(8).fit(histograms).encode(histograms)
    np.testing.assert_array_equal(both.encode(digits), expected)
    with pytest.raises(ValueError, match="has not been fitted"):
        HOG(n_components=8).encode(digits)


def test_hog_refuses_images_smaller_than_a_block():
    with pytest.raises(ValueError, match=r"at least 8 x 8 pixels, one block of cells, got 7 x 9"):
        HOG().encode(np.zeros((1, 7, 9, 1)))
    with pytest.raises(TypeError, match="orientations must be a whole number"):
        HOG(orientations=9.5)


@pytest.mark.parametrize("describe", [HOG().encode, upright], ids=["hog", "upright"])
def test_what_are_no_images_is_refused(digits, describe):
    with pytest.raises(ValueError, match=r"must have shape \(n, height, width, channels\)"):
        describe(digits[0])
    with pytest.raises(ValueError, match="divide 8-bit images by 255"):
        describe(digits[:2] * 255)


def moments(images):
    """Return centres (row, column) and slants, from the definition."""
    light = images[..., 0].astype(float)
    r, c = np.mgrid[: images.shape[1], : images.shape[2]]
    share = light / light.sum(axis=(1, 2), keepdims=True)
    centre = [(share * axis).sum(axis=(1, 2), keepdims=True) for axis in (r, c)]
    across = (share * (r - centre[0]) * (c - centre[1])).sum(axis=(1, 2))
    return [each.ravel() for each in centre], across / (share * (r - centre[0]) ** 2).sum((1, 2))


def test_upright_digits_are_centred_and_have_no_slant(digits):
    (row, column), slant = moments(upright(digits))
    _, before = moments(digits)
    # Interpolation, and what is pushed over the edge, leave a little.
    assert np.abs(row - 13.5).max() < 0.2 and np.abs(column - 13.5).max() < 0.35
    assert np.abs(slant).mean() < 0.02 < np.abs(before).mean()


def test_a_shift_and_a_shear_make_little_difference_to_upright_digits(digits):
    room = (digits[:, -2:] == 0).all(axis=(1, 2, 3)) & (digits[:, :, :1] == 0).all(axis=(1, 2, 3))
    digits = digits[room]
    moved = np.roll(digits, (2, -1), axis=(1, 2))
    np.testing.assert_allclose(upright(moved), upright(digits), atol=1e-4)
    sheared = np.stack([np.roll(digits[:, r], round((r - 13.5) / 4), axis=1) for r in range(28)], 1)
    error = np.abs(upright(sheared) - upright(digits)).mean()
    assert error < 0.6 * np.abs(sheared - digits).mean()


@pytest.mark.parametrize("encoder", [HOG(), Upright(Pixels())], ids=["hog", "upright"])
def test_an_index_leaves_the_check_of_images_to_them(encoder, digits, monkeypatch):
    def twice(images):
        raise AssertionError("the images are checked twice")

    monkeypatch.setattr(retrieval, "check_images", twice)
    index = retrieval.ImageIndex(encoder)
    index.add(digits[:20])
    assert index.search(digits[:1], k=1)[1].tolist() == [[0]]


def test_what_has_no_brightness_or_no_height_stays():
    black, line = np.zeros((1, 9, 9, 1)), np.zeros((1, 9, 9, 1))
    line[0, 4, 2:7] = 1.0
    np.testing.assert_array_equal(upright(black), black)
    np.testing.assert_allclose(upright(line), line, atol=1e-6)


def test_what_stands_upright_in_the_middle_stays_and_is_not_mirrored():
    profile = np.zeros(9)
    profile[[1, 5]] = 0.2, 0.6  # around 4, but not alike on both sides
    image = np.outer(profile, profile)[np.newaxis, ..., np.newaxis]
    np.testing.assert_allclose(upright(image), image, atol=1e-6)


def test_upright_keeps_shape_and_channels(colours):
    found = upright(colours)
    assert found.shape == colours.shape and found.dtype == np.float32
    assert found.min() >= 0 and found.max() <= 1
    grey = np.repeat(colours.mean(axis=-1, keepdims=True), 3, axis=-1)
    np.testing.assert_allclose(upright(grey)[..., :1], upright(grey[..., :1]), atol=1e-6)


def test_upright_describes_with_what_it_is_given(digits):
    encoder = Upright(PCA(4)).fit(digits)
    np.testing.assert_array_equal(
        encoder.encode(digits), PCA(4).fit(upright(digits)).encode(upright(digits))
    )
    assert Upright(Pixels()).encode(digits).shape == (600, 784)
    with pytest.raises(TypeError, match="must have a method encode"):
        Upright(np.zeros(3))
