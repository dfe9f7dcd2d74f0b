"""Reading between pixels: against TensorFlow's own transformation, and against plain cases."""

import numpy as np
import pytest

from vae_tutorial._tensorflow import tf
from vae_tutorial.models import RandomView, read_between


@pytest.mark.parametrize("shape", [(5, 9, 7, 1), (4, 8, 8, 3), (2, 1, 6, 1)])
def test_reading_between_pixels_is_tensorflows_bilinear_transformation(shape):
    rng = np.random.default_rng(0)
    images = rng.random(shape, dtype="float32")
    maps = rng.normal(scale=0.4, size=(len(images), 8)).astype("float32")
    maps += np.array([1, 0, 0, 0, 1, 0, 0, 0], "float32")
    maps[:, [2, 5]] *= 5  # far enough to leave the image
    maps[:, 6:] = 0
    expected = tf.raw_ops.ImageProjectiveTransformV3(
        images=images, transforms=maps, output_shape=shape[1:3], fill_value=0.0,
        interpolation="BILINEAR", fill_mode="CONSTANT",
    )  # fmt: skip
    a, b, c, d, e, f = (maps[:, i].reshape(-1, 1, 1) for i in range(6))
    y, x = np.mgrid[: shape[1], : shape[2]].astype("float32")
    found = read_between(tf.constant(images), d * x + e * y + f, a * x + b * y + c)
    np.testing.assert_allclose(found, expected, atol=2e-5)
    assert (np.array(expected) == 0).any()


@pytest.mark.parametrize(
    ("row", "column", "value"),
    [(0, 0, 1), (0, 1, 2), (1, 1, 4), (0.5, 0, 2), (0.5, 0.5, 2.5), (-0.5, 0, 0.5), (-1, 0, 0),
     (1, 2, 0), (1, 1.75, 1), (9, 9, 0), (-1e9, 1e9, 0)],
)  # fmt: skip
def test_places_inside_between_and_outside(row, column, value):
    image = tf.reshape(tf.constant([1.0, 2.0, 3.0, 4.0]), (1, 2, 2, 1))
    found = read_between(image, np.full((1, 1, 1), row), np.full((1, 1, 1), column))
    assert float(found[0, 0, 0, 0]) == pytest.approx(value)


def test_a_view_of_half_precision_images_is_drawn_in_full_precision():
    images = np.random.default_rng(0).random((3, 8, 8, 1)).astype("float16")
    assert RandomView(shift=2.0)(images).dtype == "float32"
