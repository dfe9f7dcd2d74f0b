"""A VAE that draws features, and the switches that turn a VAE into its controls."""

import numpy as np
import pytest

from vae_tutorial import objectives
from vae_tutorial._tensorflow import keras, tf
from vae_tutorial.features import HOG
from vae_tutorial.models import VAE, BinaryVAE, FeatureDecoder, FeatureVAE, RandomView, ViewVAE

IMAGES = np.random.default_rng(0).random((12, 8, 8, 1), dtype="float32")
FEATURES = np.random.default_rng(1).random((12, 5), dtype="float32")
SIZE = {"image_shape": (8, 8, 1), "latent_dim": 2, "architecture": "dense"}


def small(kind=FeatureVAE, **options):
    keras.utils.set_random_seed(0)
    if kind is FeatureVAE:
        options = {"n_features": 5, **options}
    model = kind(**SIZE, **options)
    model.compile(keras.optimizers.SGD(1e-3))
    return model


# -- Features -------------------------------------------------------------------------------------


def test_the_loss_is_that_of_the_features():
    vae = small(seed=4, beta=0.5)
    terms = {name: float(value) for name, value in vae.loss_terms(IMAGES, FEATURES).items()}
    posterior = vae.encoder(IMAGES)
    z = type(vae.sampling)(seed=4)(posterior)
    drawn = vae.decoder(z).numpy().astype(float)
    log_var = -1.97375  # where the learned variance starts, in chapter 3
    squares = (FEATURES - drawn) ** 2 * np.exp(-log_var)
    log_p = -0.5 * (np.log(2 * np.pi) + log_var + squares).sum(axis=1)
    kl = objectives.kl_divergence(*posterior).numpy().mean()
    assert terms["reconstruction"] == pytest.approx(-log_p.mean(), rel=1e-4)
    assert terms["kl"] == pytest.approx(kl, rel=1e-5)
    assert terms["loss"] == pytest.approx(0.5 * kl - log_p.mean(), rel=1e-4)


def test_the_defaults_are_for_the_histograms_of_gradients_of_a_digit():
    vae = FeatureVAE()
    digits = np.random.default_rng(2).random((2, 28, 28, 1), dtype="float32")
    terms = vae.loss_terms(digits, HOG().encode(digits))
    assert float(terms["loss"]) == pytest.approx(
        float(terms["reconstruction"] + terms["kl"]), rel=1e-5
    )
    assert vae.noise and vae.sampling.seed == 0 and vae.latent_dim == 32
    # Trained models that somebody saved have these widths.
    assert [layer.units for layer in vae.decoder.hidden.layers] == [256, 512, 1296]


@pytest.mark.slow
@pytest.mark.aside
def test_it_learns_to_draw_the_features():
    target = np.stack([IMAGES.mean(axis=(1, 2, 3)), IMAGES[:, 0, 0, 0] > 0.5], axis=1)
    vae = small(n_features=2, beta=0.0, noise=False)
    vae.compile(keras.optimizers.Adam(1e-2))
    many, targets = np.tile(IMAGES, (30, 1, 1, 1)), np.tile(np.float32(target), (30, 1))
    vae.fit(many, targets, batch_size=12, epochs=5, verbose=0)
    drawn = vae.decode(vae.encode(IMAGES))
    assert drawn.shape == (12, 2)
    assert np.abs(drawn - target).mean() < 0.3 * np.abs(target - target.mean(axis=0)).mean()
    np.testing.assert_allclose(vae.predict(IMAGES, verbose=0), drawn, atol=1e-5)


def test_views_are_of_the_images_and_not_of_the_features():
    vae = small(view=RandomView(shift=2.0, seed=3))
    seen = []
    loss_terms = vae.loss_terms

    def watched(images, target=None, **options):
        seen.append((images.numpy(), target.numpy()))
        return loss_terms(images, target, **options)

    vae.loss_terms = watched
    vae.compile(keras.optimizers.SGD(0.0), run_eagerly=True)
    vae.fit(IMAGES, FEATURES, batch_size=12, shuffle=False, verbose=0)
    images, target = seen[0]
    np.testing.assert_array_equal(target, FEATURES)
    np.testing.assert_allclose(images, RandomView(shift=2.0, seed=3)(IMAGES), atol=1e-6)


def test_it_is_saved_and_loaded(tmp_path):
    vae = small(view=RandomView(shift=1.0), beta=0.3, noise=False)
    vae.fit(IMAGES, FEATURES, verbose=0)
    vae.save(tmp_path / "vae.keras")
    loaded = keras.models.load_model(tmp_path / "vae.keras")
    assert type(loaded) is FeatureVAE and loaded.n_features == 5 and not loaded.noise
    np.testing.assert_array_equal(loaded.encode(IMAGES), vae.encode(IMAGES))
    np.testing.assert_array_equal(loaded.decode(loaded.encode(IMAGES)).shape, (12, 5))
    loaded.fit(IMAGES, FEATURES, verbose=0)


def test_data_sets_yield_images_and_features():
    batches = tf.data.Dataset.from_tensor_slices((IMAGES, FEATURES)).batch(4)
    options = {"verbose": 0, "shuffle": False}
    found = small().fit(batches, **options).history["loss"]
    expected = small().fit(IMAGES, FEATURES, batch_size=4, **options).history["loss"]
    assert found == pytest.approx(expected, rel=1e-5)
    history = small().fit(IMAGES, FEATURES, validation_data=(IMAGES, FEATURES), verbose=0).history
    assert np.isfinite(history["val_loss"]).all()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ((IMAGES,), r"draws features of shape \(n, 5\), got none; call fit\(images, features\)"),
        ((IMAGES, FEATURES[:, :4]), r"of shape \(n, 5\), got \(12, 4\)"),
        ((IMAGES, IMAGES), r"of shape \(n, 5\), got \(12, 8, 8, 1\)"),
        ((IMAGES, FEATURES[:3]), "as many as the images, got 3 and 12; pass one row for each"),
        ((IMAGES, FEATURES * np.nan), "the features to draw holds NaN"),
        ((255 * IMAGES, FEATURES), "divide 8-bit images by 255"),
        ((tf.data.Dataset.from_tensor_slices(IMAGES).batch(4),), r"\(n, 5\), got none"),
    ],
    ids=["none", "too few numbers", "pictures", "too few rows", "NaN", "8 bits", "data set"],
)
def test_what_is_no_pair_of_images_and_features_is_refused(data, message):
    with pytest.raises(ValueError, match=message):
        small().fit(*data, verbose=0)


def test_sizes_are_whole_numbers():
    with pytest.raises(TypeError, match="n_features must be a whole number"):
        FeatureVAE(n_features=1.5)
    with pytest.raises(ValueError, match="n_features must be at least 1"):
        FeatureDecoder(latent_dim=2, n_features=0)


@pytest.mark.parametrize("given", [{"consistency": 0.3}, {"likelihood": "bernoulli"}])
def test_what_features_have_no_use_for_is_refused(given):
    with pytest.raises(TypeError, match=rf"takes no {next(iter(given))}, got .*; leave it out"):
        small(**given)


# -- Switches -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [VAE, ViewVAE, BinaryVAE, FeatureVAE])
def test_the_switch_for_noise_is_all_that_differs(kind):
    on, off = small(kind, beta=0.3), small(kind, beta=0.3, noise=False)
    for one, other in zip(on.get_weights(), off.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    configs = [model.get_config() for model in (on, off)]
    differing = {name for name in configs[0] if configs[0][name] != configs[1][name]}
    assert differing - {"name"} == {"noise"}


def test_without_noise_the_decoder_sees_the_mean():
    vae = small(VAE, noise=False)
    first, second = (float(vae.loss_terms(IMAGES)["reconstruction"]) for _ in range(2))
    logits = vae.decoder(vae.encoder(IMAGES)[0])
    expected = -float(np.mean(vae.log_likelihood(IMAGES, logits)))
    assert first == second == pytest.approx(expected, rel=1e-5)
    noisy = small(VAE)
    first, second = (float(noisy.loss_terms(IMAGES)["reconstruction"]) for _ in range(2))
    assert first != second


def test_without_noise_and_kl_no_gradient_reaches_the_variance():
    vae = small(VAE, noise=False, beta=0.0)
    before = [weights.numpy() for weights in vae.encoder.log_var_head.weights]
    mean = vae.encoder.mean_head.kernel.numpy()
    vae.fit(IMAGES, epochs=3, verbose=0)
    for kept, weights in zip(before, vae.encoder.log_var_head.weights, strict=True):
        np.testing.assert_array_equal(kept, weights.numpy())
    assert np.abs(vae.encoder.mean_head.kernel.numpy() - mean).max() > 0


def test_bits_without_noise_are_the_likelier_ones_and_still_learn():
    vae = small(BinaryVAE, noise=False)
    log_odds = vae.encoder(IMAGES)
    bits = vae.latent_from(log_odds).numpy()
    np.testing.assert_allclose(bits, np.where(log_odds.numpy() > 0, 1, -1), atol=1e-6)
    with tf.GradientTape() as tape:
        tape.watch(log_odds)
        total = tf.reduce_sum(vae.latent_from(log_odds))
    slope = tf.sigmoid(log_odds) * (1 - tf.sigmoid(log_odds)) * 2
    np.testing.assert_allclose(tape.gradient(total, log_odds), slope, atol=1e-5)


def test_files_from_before_the_switch_load_with_noise():
    config = small(VAE).get_config()
    del config["noise"]
    assert VAE.from_config(config).noise
