"""Models: shapes, losses against the objectives, training, saving, and refusals."""

import itertools

import numpy as np
import pytest

from vae_tutorial import datasets, objectives, retrieval
from vae_tutorial._tensorflow import keras, tf
from vae_tutorial.models import (
    LOG_VAR_BOUND,
    VAE,
    Autoencoder,
    BinaryVAE,
    Decoder,
    Encoder,
    Sampling,
    StraightThrough,
    ViewVAE,
    _data,
)
from vae_tutorial.models.base import ImageModel
from vae_tutorial.training import RandomView, set_seed

ARCHITECTURES = ["dense", "conv"]
LIKELIHOODS = ["bernoulli", "gaussian"]
# Every pair for the two plain models, one pair for those that only change the latent's side.
KINDS = [
    *itertools.product((VAE, Autoencoder), ARCHITECTURES, LIKELIHOODS),
    (ViewVAE, "conv", "bernoulli"),
    (BinaryVAE, "dense", "gaussian"),
]


@pytest.fixture(scope="module")
def images():
    """Bright squares at random places: quick to learn, unlike noise."""
    rng = np.random.default_rng(0)
    pictures = np.zeros((96, 8, 8, 1), "float32")
    for picture, (row, column) in zip(pictures, rng.integers(0, 5, size=(96, 2)), strict=True):
        picture[row : row + 4, column : column + 4] = 0.9
    return pictures


def small(kind=VAE, **options):
    keras.utils.set_random_seed(0)
    return kind(**{"image_shape": (8, 8, 1), "latent_dim": 3, **options})


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("image_shape", [(28, 28, 1), (8, 12, 3), (4, 4, 2)])
def test_shapes_for_other_sizes_and_channels(architecture, image_shape):
    vae = VAE(image_shape, latent_dim=5, architecture=architecture)
    batch = np.full((2, *image_shape), 0.5, "float32")
    assert vae.encode(batch).shape == (2, 5)
    assert vae(batch).shape == batch.shape
    assert vae.decode(np.zeros((3, 5))).shape == (3, *image_shape)
    assert vae.sample(4).shape == (4, *image_shape)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_decoders_start_alike_whether_the_encoder_gives_a_variance_or_not(architecture):
    first, second = (
        [weight.numpy() for weight in built(small(kind, architecture=architecture)).decoder.weights]
        for kind in (VAE, Autoencoder)
    )
    assert all(map(np.array_equal, first, second)) and len(first) == len(second) > 2


def built(model):
    model.build((None, 8, 8, 1))
    return model


def test_a_model_without_a_loss_of_its_own_says_so(images):
    model = ImageModel((8, 8, 1), 3, "dense", "bernoulli")
    with pytest.raises(NotImplementedError, match="ImageModel has no loss; use a VAE or Auto"):
        model.loss_terms(images)


def test_the_dense_network_has_the_articles_widths():
    vae = VAE((28, 28, 1), latent_dim=32)
    widths = [layer.units for layer in vae.encoder.hidden.layers if hasattr(layer, "units")]
    assert widths == [128, 64, 256]
    widths = [layer.units for layer in vae.decoder.hidden.layers if hasattr(layer, "units")]
    assert widths == [256, 64, 128, 784]


def test_the_convolutional_network_has_two_convolutions_of_stride_two():
    encoder, decoder = Encoder((8, 12, 3), 5, "conv"), Decoder((8, 12, 3), 5, "conv")
    encoder.build(None)
    assert [layer.output.shape[1:] for layer in encoder.hidden.layers] == [
        (4, 6, 32),
        (2, 3, 64),
        (384,),
        (256,),
    ]
    assert [layer.output.shape[1:] for layer in decoder.hidden.layers] == [
        (256,),
        (384,),
        (2, 3, 64),
        (4, 6, 32),
        (8, 12, 3),
    ]
    kernels = [w.shape for w in encoder.weights + decoder.weights if len(w.shape) == 4]
    assert kernels == [(3, 3, 3, 32), (3, 3, 32, 64), (3, 3, 32, 64), (3, 3, 3, 32)]


SETTINGS = {"image_shape": (28, 28, 1), "latent_dim": 32, "likelihood": "bernoulli"}
NOISE = {"beta": 1.0, "seed": 0, "noise": True}
LOOKS = {"view": None, "consistency": 0.0}


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        (VAE, {"architecture": "dense"} | NOISE),
        (Autoencoder, {"architecture": "dense"}),
        (ViewVAE, {"architecture": "conv"} | NOISE | LOOKS),
    ],
)
def test_the_defaults_are_those_of_the_book(kind, settings):
    model = kind()
    config = model.get_config()
    assert config.pop("name")
    assert config.pop("dtype")["config"] == {"name": "float32"}
    assert config == SETTINGS | settings


@pytest.mark.parametrize("network", [Encoder, Decoder])
def test_a_network_is_dense_unless_told_otherwise(network):
    assert network((8, 8, 1), 2).get_config()["architecture"] == "dense"


def log_likelihoods(images, logits, likelihood: str) -> np.ndarray:
    if likelihood == "gaussian":
        return objectives.gaussian_log_likelihood(images, tf.sigmoid(logits), -1.97375).numpy()
    p = tf.sigmoid(logits).numpy().astype("float64")
    return (images * np.log(p) + (1 - images) * np.log(1 - p)).sum(axis=(1, 2, 3))


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_loss_is_the_negative_elbo_of_its_own_draw(images, likelihood):
    vae = small(likelihood=likelihood, beta=2.0, seed=7)
    terms = {name: float(value) for name, value in vae.loss_terms(images).items()}
    mean, log_var = vae.encoder(images)
    z = Sampling(seed=7)((mean, log_var))
    log_p = log_likelihoods(images, vae.decoder(z), likelihood)
    kl = objectives.kl_divergence(mean, log_var).numpy()
    assert terms["reconstruction"] == pytest.approx(-log_p.mean(), rel=1e-4)
    assert terms["kl"] == pytest.approx(kl.mean(), rel=1e-5)
    assert terms["loss"] == pytest.approx((2 * kl - log_p).mean(), rel=1e-4)


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_the_loss_of_an_autoencoder_is_that_of_its_means(images, likelihood):
    autoencoder = small(Autoencoder, likelihood=likelihood)
    logits = autoencoder.decoder(autoencoder.encoder(images))
    expected = -log_likelihoods(images, logits, likelihood).mean()
    assert float(autoencoder.loss_terms(images)["loss"]) == pytest.approx(expected, rel=1e-4)


@pytest.fixture(
    scope="module", params=KINDS, ids=lambda kind: "-".join([kind[0].__name__, *kind[1:]])
)
def trained(request, images):
    """Return a model that was trained for a moment, and what it reported before and meanwhile."""
    kind, architecture, likelihood = request.param
    model = small(kind, architecture=architecture, likelihood=likelihood)
    model.compile(keras.optimizers.Adam(3e-3))
    before = model.evaluate(images, verbose=0, return_dict=True)
    return model, before, model.fit(images, batch_size=32, epochs=15, verbose=0).history


@pytest.mark.slow
def test_training_improves_and_reports_its_terms(images, trained):
    model, before, history = trained
    after = model.evaluate(images, verbose=0, return_dict=True)
    latent = set() if type(model) is Autoencoder else {"kl", "beta"}
    assert set(before) == set(history) == {"loss", "reconstruction"} | latent
    assert after["loss"] < before["loss"] - 5
    assert after["loss"] == pytest.approx(sum_of_terms(after), rel=1e-5)
    assert not latent or after["kl"] > 1e-4


def sum_of_terms(terms: dict) -> float:
    """Return the loss that follows from the other terms that a model reports."""
    terms = {name: float(value) for name, value in terms.items() if name != "loss"}
    return terms.pop("beta", 1.0) * terms.pop("kl", 0.0) + sum(terms.values())


def test_evaluate_counts_every_image_once(images):
    autoencoder = small(Autoencoder)
    autoencoder.compile()
    whole = autoencoder.evaluate(images, batch_size=96, verbose=0, return_dict=True)
    uneven = autoencoder.evaluate(images, batch_size=64, verbose=0, return_dict=True)
    assert uneven["loss"] == pytest.approx(whole["loss"], rel=1e-5)


@pytest.mark.slow
def test_save_and_load_give_identical_outputs(images, tmp_path, trained):
    model, _, _ = trained
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert type(loaded) is type(model)
    np.testing.assert_array_equal(loaded(images), model(images))
    np.testing.assert_array_equal(model.encode(images), loaded.encode(images))
    # The noise goes on where it was, so that even a drawn loss is the same.
    assert loaded.evaluate(images, verbose=0) == model.evaluate(images, verbose=0)
    loaded.fit(images, epochs=1, verbose=0)


def test_without_beta_only_the_reconstruction_counts(images):
    for model in (small(beta=0), small(ViewVAE, beta=0, consistency=0), small(Autoencoder)):
        terms = model.loss_terms(images)
        assert float(terms["loss"]) == float(terms["reconstruction"]) > 0
    assert float(small(beta=0).loss_terms(images)["kl"]) > 0


@pytest.mark.parametrize("kind", [Autoencoder, BinaryVAE])
def test_what_has_no_variance_says_so(kind):
    model = small(kind)
    assert not hasattr(model.encoder, "log_var_head")
    with pytest.raises(TypeError, match=r"no variance|without a variance"):
        model.encode_distribution(GOOD)


def test_a_plain_autoencoder_has_no_prior_to_sample_from():
    with pytest.raises(TypeError, match="no prior to sample from; train a VAE"):
        small(Autoencoder).sample(3)


def test_beta_is_not_trained():
    vae = small()
    assert id(vae.beta) not in {id(weights) for weights in vae.trainable_variables}


def test_beta_can_be_set_after_compiling_and_counts_in_the_next_step(images):
    vae = small()
    vae.compile()
    vae.evaluate(images, verbose=0)  # compiles the step
    variable = vae.beta
    vae.beta = 0.25
    terms = vae.evaluate(images, verbose=0, return_dict=True)
    assert vae.beta is variable and terms["beta"] == 0.25
    expected = terms["reconstruction"] + 0.25 * terms["kl"]
    assert terms["loss"] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("value", "error"), [(-1.0, ValueError), (np.nan, ValueError), ("a", TypeError)]
)
def test_beta_cannot_be_set_to_what_no_model_can_be_made_with(value, error):
    vae = small()
    with pytest.raises(error, match="beta"):
        vae.beta = value
    assert float(vae.beta) == 1


def test_a_changed_beta_survives_saving(tmp_path):
    vae = small()
    vae.beta = 0.25
    vae.save(tmp_path / "vae.keras")
    assert float(keras.models.load_model(tmp_path / "vae.keras").beta) == 0.25


def test_weights_alone_can_be_saved_and_loaded(images, tmp_path):
    vae, other = small(), small()
    vae.compile()
    vae.fit(images, epochs=1, verbose=0)
    vae.save_weights(tmp_path / "vae.weights.h5")
    other.load_weights(tmp_path / "vae.weights.h5")
    np.testing.assert_array_equal(other.encode(images), vae.encode(images))


def test_encoding_is_deterministic_and_does_not_depend_on_batches(images):
    vae = small()
    np.testing.assert_allclose(vae.encode(images, batch_size=7), vae.encode(images), atol=1e-5)
    np.testing.assert_array_equal(vae.encode(images), vae.encoder(images)[0])


def test_encoding_after_more_training_uses_the_new_weights(images):
    vae = small()
    before = vae.encode(images)
    vae.compile(keras.optimizers.Adam(1e-2))
    vae.fit(images, epochs=1, verbose=0)
    assert np.abs(vae.encode(images) - before).max() > 1e-3


def test_sampling_layer_draws_anew_and_repeats_with_its_seed():
    mean, log_var = np.zeros((50, 4), "float32"), np.zeros((50, 4), "float32")
    sampling = Sampling(seed=3)
    first, second = sampling((mean, log_var)).numpy(), sampling((mean, log_var)).numpy()
    assert np.abs(first - second).min() > 0
    np.testing.assert_array_equal(Sampling(seed=3)((mean, log_var)), first)
    assert abs(first.mean()) < 0.3
    assert 0.7 < first.std() < 1.3


def test_training_draws_new_noise_in_every_compiled_step(images):
    vae = small()
    vae.compile(keras.optimizers.SGD(0.0))
    losses = vae.fit(images, batch_size=96, epochs=3, verbose=0).history["reconstruction"]
    assert len(set(losses)) == 3


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_log_var_stays_finite_whatever_the_weights(architecture):
    vae = small(architecture=architecture, likelihood="gaussian")
    vae.set_weights([np.full_like(weight, 1e4) for weight in vae.get_weights()])
    images = np.ones((2, 8, 8, 1), "float32")
    _, log_var = vae.encode_distribution(images)
    assert np.abs(log_var).max() <= LOG_VAR_BOUND
    assert np.isfinite(np.exp(log_var)).all()


@pytest.mark.slow
def test_seeded_training_repeats(images):
    def train():
        vae = small(seed=5)
        vae.compile(keras.optimizers.SGD(1e-3))  # compiled in a quarter of the time of Adam
        return vae.fit(images, epochs=2, verbose=0).history["loss"]

    tf.config.experimental.enable_op_determinism()
    assert train() == train()


@pytest.mark.parametrize("kind", [VAE, BinaryVAE])
def test_the_prior_sample_repeats_with_its_seed(kind):
    vae = small(kind)
    np.testing.assert_array_equal(vae.sample(2, seed=1), vae.sample(2, seed=1))
    np.testing.assert_array_equal(vae.sample(2), vae.sample(2, seed=0))
    assert np.abs(vae.sample(2, seed=1) - vae.sample(2, seed=2)).max() > 0


def test_a_prior_sample_of_bits_decodes_fair_coins():
    vae = small(BinaryVAE, image_shape=(1, 1, 1), latent_dim=1, architecture="dense")
    tails, heads = vae.decode([[-1.0], [1.0]]).ravel()
    drawn = vae.sample(400).ravel()
    is_head = np.isclose(drawn, heads, atol=1e-6)
    assert (is_head | np.isclose(drawn, tails, atol=1e-6)).all()
    assert 160 < is_head.sum() < 240
    assert abs(heads - tails) > 1e-3


def test_decoding_does_not_depend_on_batches():
    vae = small()
    z = np.random.default_rng(0).normal(size=(10, 3))
    np.testing.assert_allclose(vae.decode(z, batch_size=4), vae.decode(z), atol=1e-6)
    assert np.ptp(vae.decode(z), axis=0).max() > 0


def test_layers_rebuild_from_their_config():
    for layer in (Encoder((8, 8, 1), 3, "conv"), Decoder((8, 8, 1), 3, "dense"), Sampling(4)):
        copy = type(layer).from_config(layer.get_config())
        assert copy.get_config() == layer.get_config()


def test_a_step_is_traced_once(images):
    vae, traced = small(), []
    loss_terms = vae.loss_terms
    vae.loss_terms = lambda *args, **kwargs: traced.append(1) or loss_terms(*args, **kwargs)
    vae.compile("adam")  # its variables, made in the first step, would have it traced again
    vae.fit(images, batch_size=4, epochs=2, verbose=0)
    assert len(traced) == 1


def test_a_data_set_of_images_can_be_fitted(images):
    vae = small()
    vae.compile()
    vae.fit(tf.data.Dataset.from_tensor_slices(images).batch(32), verbose=0)


GOOD = np.zeros((2, 8, 8, 1), "float32")


def test_without_views_a_view_vae_is_the_plain_vae(images):
    plain, viewless = small(VAE), small(ViewVAE, architecture="dense")
    viewless.set_weights(plain.get_weights())
    for name, value in plain.loss_terms(images).items():
        found = in_training(viewless, images)[name]
        assert float(found) == pytest.approx(float(value), rel=0.05)
    still = small(ViewVAE, architecture="dense", view=RandomView(shift=3.0, strength=0.0))
    still.set_weights(plain.get_weights())
    expected = float(small(VAE).loss_terms(images)["kl"])
    assert float(in_training(still, images)["kl"]) == pytest.approx(expected, rel=1e-5)


def in_training(vae, images) -> dict:
    """Return the terms of a step of training, without the step."""
    images = tf.constant(images)
    return vae.loss_terms(vae.view_of(images), images, training=True)


def test_the_encoder_sees_the_view_and_the_decoder_must_give_the_image(images):
    seen = []

    def black(batch):
        seen.append(batch)
        return tf.zeros_like(batch)

    vae = small(ViewVAE, view=black)
    terms = in_training(vae, images)
    mean, log_var = vae.encoder(np.zeros_like(images))
    kl = float(np.mean(objectives.kl_divergence(mean, log_var)))
    assert float(terms["kl"]) == pytest.approx(kl, rel=1e-5)
    np.testing.assert_array_equal(seen[0], images)
    # The likelihood is that of the image: a decoder of light grey explains the view far worse.
    vae.decoder.set_weights([0 * weights for weights in vae.decoder.get_weights()])
    vae.decoder.weights[-1].assign(np.ones(vae.decoder.weights[-1].shape))
    grey = log_likelihoods(images, np.ones_like(images), "bernoulli")
    terms = in_training(vae, images)
    assert float(terms["reconstruction"]) == pytest.approx(-grey.mean(), rel=1e-5)


def test_consistency_adds_the_kl_between_view_and_image(images):
    view = RandomView(shift=2.0, seed=3)
    vaes = [small(ViewVAE, view=RandomView(shift=2.0, seed=3), consistency=c) for c in (0.0, 10.0)]
    without, terms = (in_training(vae, images) for vae in vaes)
    vae = small(ViewVAE)
    expected = np.mean(objectives.gaussian_kl(*vae.encoder(view(images)), *vae.encoder(images)))
    assert float(terms["consistency"]) == pytest.approx(10 * float(expected), rel=1e-4)
    assert float(terms["loss"] - without["loss"]) == pytest.approx(10 * float(expected), rel=1e-3)
    assert float(terms["loss"]) == pytest.approx(sum_of_terms(terms), rel=1e-5)
    assert expected > 0
    assert "consistency" not in without
    assert "consistency" not in vaes[1].loss_terms(images)


def test_evaluation_draws_no_views(images):
    def refuse(batch):
        raise AssertionError("a view was drawn")

    vae = small(ViewVAE, view=refuse)
    vae.compile("adam")
    assert np.isfinite(vae.evaluate(images, verbose=0)).all()


@pytest.mark.slow
def test_view_training_makes_the_latent_ignore_the_view(images):
    # The squares are equally bright: brightness says nothing about the image to reconstruct.
    bright = RandomView(brightness=1.0, seed=5)
    many = np.tile(images, (10, 1, 1, 1))  # an epoch costs more than its steps
    ratios = []
    for view in (None, RandomView(brightness=1.0, seed=1)):
        vae = small(ViewVAE, view=view, beta=0.1, architecture="dense")
        vae.compile(keras.optimizers.Adam(3e-3), steps_per_execution=10)
        vae.fit(many, epochs=15, batch_size=32, verbose=0)
        moved = np.square(vae.encode(bright(images).numpy()) - vae.encode(images)).mean()
        ratios.append(moved / vae.encode(images).var(axis=0).mean())
    assert ratios[1] < 0.5 * ratios[0]


def test_binary_kl_and_consistency_are_those_of_coins(images):
    vae = small(BinaryVAE, latent_dim=4, view=RandomView(shift=2.0))
    logits = vae.encoder(images)
    np.testing.assert_allclose(vae.divergence(logits), objectives.bernoulli_kl(logits), rtol=1e-5)
    p, q = (1 / (1 + np.exp(-np.array(rows, float))) for rows in (logits, logits[::-1]))
    expected = (p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))).sum(axis=1)
    np.testing.assert_allclose(vae.divergence(logits, logits[::-1]), expected, atol=1e-5)


def test_straight_through_draws_bits_and_passes_the_gradient_of_the_mean():
    logits = tf.constant(np.full((20_000, 1), 0.7, "float32"))
    with tf.GradientTape() as tape:
        tape.watch(logits)
        bits = StraightThrough(seed=1)(logits)
    assert set(np.unique(bits.numpy()).tolist()) == {-1.0, 1.0}
    p = 1 / (1 + np.exp(-0.7))
    assert (bits.numpy() > 0).mean() == pytest.approx(p, abs=4 * np.sqrt(p * (1 - p) / 20_000))
    np.testing.assert_allclose(tape.gradient(bits, logits), 2 * p * (1 - p), rtol=1e-5)


def test_codes_are_the_signs_of_the_logits(images):
    vae = small(BinaryVAE, latent_dim=16)
    logits = vae.encoder(images)
    np.testing.assert_array_equal(vae.encode(images), np.where(np.array(logits) > 0, 1, -1))
    codes = vae.encode(images)
    packed = np.packbits(codes > 0, axis=1)
    differing = np.unpackbits(packed[0] ^ packed[1]).sum()
    assert np.square(codes[0] - codes[1]).sum() == 4 * differing


def test_an_image_of_a_binary_vae_is_decoded_from_its_code(images):
    vae = small(BinaryVAE, latent_dim=16)
    decoded = vae.decode(vae.encode(images))
    np.testing.assert_allclose(vae(images), decoded, atol=1e-6)
    # The log-odds themselves would give other images.
    assert np.abs(vae.decode(vae.encoder(images)) - decoded).max() > 1e-3


def test_a_model_is_built_at_once_and_builds_a_decoder_of_another_kind():
    vae = small(VAE)
    assert vae.built and vae.encoder.built and vae.decoder.built

    def lazily(image_shape, latent_dim, architecture, **options):
        return keras.Sequential(
            [keras.layers.Dense(64), keras.layers.Reshape((8, 8, 1))], name="decoder"
        )

    model = ImageModel((8, 8, 1), 3, "dense", "bernoulli", decoder_of=lazily)
    model.build((None, 8, 8, 1))
    assert [weights.shape for weights in model.decoder.weights] == [(3, 64), (64,)]


@pytest.mark.parametrize("kind", [VAE, Autoencoder])
def test_terms_are_those_of_evaluation_unless_training_is_said(images, kind):
    told = []

    class Encoder(kind.encoder_class):
        def call(self, images, training=None):
            told.append(training)
            return super().call(images)

    class Own(kind):
        encoder_class = Encoder

    model = small(Own)
    model.compile(keras.optimizers.SGD())
    told.clear()  # it was built
    model.loss_terms(images)
    model.loss_terms(images, training=True)
    assert told == [False, True]
    model.evaluate(images, verbose=0)
    assert set(told[2:]) == {False}


def test_log_odds_are_standardised_over_the_batch_without_an_offset(images):
    vae = small(BinaryVAE, latent_dim=4)
    layer = vae.encoder.standardise
    assert [weights.name for weights in layer.trainable_weights] == ["gamma"]
    raw = np.array(vae.encoder.mean_head(vae.encoder.hidden(images)))
    log_odds = vae.encoder(images, training=True)
    expected = 8 * (raw - raw.mean(axis=0)) / np.sqrt(raw.var(axis=0) + layer.epsilon)
    np.testing.assert_allclose(log_odds, expected, atol=2e-3)
    # A tenth of the way from the start at 0; evaluation then uses, and does not move, this mean.
    np.testing.assert_allclose(layer.moving_mean, 0.1 * raw.mean(axis=0), atol=1e-5)
    before = layer.moving_mean.numpy()
    vae.compile()
    vae.evaluate(images, verbose=0)
    vae(images), vae.loss_terms(images)
    np.testing.assert_array_equal(layer.moving_mean, before)
    in_training(vae, images)
    assert np.abs(layer.moving_mean.numpy() - before).max() > 1e-4


@pytest.mark.slow
def test_short_codes_do_not_freeze():
    digits = datasets.load("mnist-5k").gallery_images[:2560]
    set_seed(0)
    view = RandomView(shift=4.0, rotation=20.0, zoom=0.15, seed=0)
    vae = BinaryVAE(latent_dim=16, architecture="conv", beta=0.2, view=view)
    vae.compile(keras.optimizers.Adam(2e-3), steps_per_execution=10)
    vae.fit(digits, epochs=8, batch_size=128, verbose=0)
    share = (vae.encode(digits) > 0).mean(axis=0)
    # Every bit tells images apart: its rarer value is not rare.
    assert np.minimum(share, 1 - share).min() > 0.1


def test_the_more_likely_bits_have_the_gradient_of_their_mean():
    vae, log_odds = small(BinaryVAE), tf.constant([[-2.0, 0.5, 3.0]])
    with tf.GradientTape() as tape:
        tape.watch(log_odds)
        bits = vae.latent_from(log_odds)
    np.testing.assert_allclose(bits, [[-1, 1, 1]], atol=1e-6)
    p = 1 / (1 + np.exp(-log_odds.numpy()))  # the mean of a bit is 2 p - 1
    np.testing.assert_allclose(tape.gradient(bits, log_odds), 2 * p * (1 - p), rtol=1e-5)


@pytest.mark.parametrize("kind", [VAE, Autoencoder, BinaryVAE])
def test_an_index_leaves_the_look_at_images_to_a_model(kind, images, monkeypatch):
    seen = []
    for module in (retrieval, _data):
        check = module.check_images
        monkeypatch.setattr(
            module, "check_images", lambda *given, check=check: seen.append(1) or check(*given)
        )
    index = retrieval.ImageIndex(small(kind))
    index.add(images)
    index.search(images[:1], 1)
    assert len(seen) == 2
    with pytest.raises(ValueError, match="divide 8-bit"):
        index.search(images[:1] * 255, 1)


BAD_INPUTS = [
    (lambda: ViewVAE(view="shift"), TypeError, "view must be a function that changes images"),
    (lambda: ViewVAE(view=keras.layers.RandomFlip()), TypeError, "wrap a layer in a function"),
    (lambda: ViewVAE(consistency=-1.0), ValueError, "consistency must be finite, at least 0"),
    (lambda: VAE((30, 30, 1), architecture="conv"), ValueError, "that 4 divides, got 30 x 30"),
    (lambda: Encoder((30, 28, 1), 2, "conv"), ValueError, "that 4 divides, got 30 x 28"),
    (lambda: Decoder((28, 30, 1), 2, "conv"), ValueError, "that 4 divides, got 28 x 30"),
    (lambda: VAE((28, 28)), ValueError, "must be \\(height, width, channels\\)"),
    (lambda: VAE((28, 28, 0)), ValueError, "at least 1, got 0"),
    (lambda: VAE((28.0, 28, 1)), TypeError, "whole number"),
    (lambda: VAE(latent_dim=0), ValueError, "latent_dim must be at least 1"),
    (lambda: VAE(latent_dim=2.5), TypeError, "latent_dim must be a whole number"),
    (lambda: VAE(architecture="transformer"), ValueError, "'dense', 'conv'"),
    (lambda: VAE(likelihood="poisson"), ValueError, "'bernoulli', 'gaussian'"),
    (lambda: VAE(likelihood=None), TypeError, "likelihood must be a string"),
    (lambda: VAE(beta=-1), ValueError, "beta must be finite, at least 0, got -1"),
    (lambda: VAE(beta=float("nan")), ValueError, "beta must be finite"),
    (lambda: VAE(beta="high"), TypeError, "beta must be a number"),
    (lambda: VAE(seed=-1), ValueError, "seed must be at least 0"),
    (lambda: small().encode(GOOD[0]), ValueError, "must have shape \\(n, height"),
    (lambda: small().encode(GOOD[:, :4]), ValueError, "for this model, got \\(2, 4, 8, 1\\)"),
    (lambda: small().encode(GOOD + 200), ValueError, "divide 8-bit images by 255"),
    (lambda: small().encode(GOOD[:0]), ValueError, "images is empty"),
    (lambda: small().encode(GOOD * np.nan), ValueError, "NaN"),
    (lambda: small().encode(GOOD.astype(str)), TypeError, "dtype"),
    (lambda: small().encode(GOOD, batch_size=0), ValueError, "batch_size must be at least 1"),
    (lambda: small().decode(np.zeros((2, 4))), ValueError, "z must have 3 columns, got 4"),
    (lambda: small().decode(np.zeros((2, 3)), batch_size=0), ValueError, "batch_size must be at"),
    (lambda: small().sample(0), ValueError, "n must be at least 1"),
    (lambda: small().sample(1, seed=-1), ValueError, "seed must be at least 0"),
    (lambda: small(BinaryVAE).sample(0), ValueError, "n must be at least 1"),
    (lambda: small(BinaryVAE).sample(1, seed=-1), ValueError, "seed must be at least 0"),
    (lambda: small().fit(GOOD, np.zeros(2)), ValueError, "trains on images alone"),
    (lambda: small().evaluate(GOOD * 3 + 2), ValueError, "divide 8-bit"),
]


@pytest.mark.parametrize(("call", "error", "message"), BAD_INPUTS)
def test_bad_input_is_refused_in_words(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_data_set_with_labels_is_refused():
    vae = small()
    vae.compile()
    pairs = tf.data.Dataset.from_tensor_slices((GOOD, np.zeros(2))).batch(2)
    with pytest.raises(ValueError, match="leave labels out"):
        vae.fit(pairs, verbose=0)
