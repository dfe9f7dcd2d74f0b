"""What version 0.1 saved still loads, and answers as it did (fixtures/make_first_edition.py)."""

from pathlib import Path

import numpy as np
import pytest
from fixtures.make_first_edition import images

from vae_tutorial import multimodal
from vae_tutorial._tensorflow import keras

FOLDER = Path(__file__).parent / "fixtures" / "first_edition"
ANSWERS = dict(np.load(FOLDER / "answers.npz"))
MODELS = sorted(path.stem for path in FOLDER.glob("*.keras"))
KEPT = {"binary-vae", "view-vae"}  # a push alone loads those that are plainer


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=[pytest.mark.aside] * (n not in KEPT)) for n in MODELS],
)
def test_a_saved_model_loads_and_answers_as_it_did(name):
    model = keras.models.load_model(FOLDER / f"{name}.keras")
    codes = model.encode(images())
    np.testing.assert_allclose(codes, ANSWERS[f"{name} codes"], atol=1e-5)
    np.testing.assert_allclose(model.decode(codes), ANSWERS[f"{name} pictures"], atol=1e-5)
    model.fit(images(), epochs=1, verbose=0)


def test_the_saved_models_differ_in_what_they_answer():
    assert len(MODELS) == 5
    answers = [ANSWERS[f"{name} codes"] for name in MODELS]
    assert all(np.ptp(codes, axis=0).max() > 1e-3 for codes in answers)


def test_the_settings_of_a_saved_model_are_kept():
    model = keras.models.load_model(FOLDER / "view-vae.keras")
    assert (round(float(model.beta), 6), model.consistency) == (0.2, 0.1)
    assert model.view.get_config()["shift"] == 1.0


def test_saved_weights_of_images_and_words_load():
    both = multimodal.ImageTextVAE((4, 4, 1), n_words=3, latent_dim=2, architecture="dense")
    both.load_weights(FOLDER / "image-text.weights.h5")
    np.testing.assert_allclose(both.encode(images()), ANSWERS["image-text codes"], atol=1e-5)
    words = both.encode_words(np.eye(3))
    np.testing.assert_allclose(words, ANSWERS["image-text words"], atol=1e-5)
