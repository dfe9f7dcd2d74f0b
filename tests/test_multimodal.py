"""Products of experts, and the VAE of images and words."""

import numpy as np
import pytest

from vae_tutorial import training
from vae_tutorial._tensorflow import keras
from vae_tutorial.models import Sampling
from vae_tutorial.multimodal import ImageTextVAE, product_of_experts


def small(**changes) -> ImageTextVAE:
    training.set_seed(0)
    arguments = {"n_words": 3, "latent_dim": 4, "architecture": "dense"} | changes
    return ImageTextVAE((8, 8, 3), **arguments)


def two_things(n: int = 64):
    """Red images that are called 'red' and blue ones that are called 'blue'; 'thing' fits both."""
    kind = np.arange(n) % 2
    images = np.zeros((n, 8, 8, 3), "float32")
    images[kind == 0, ..., 0] = 1
    images[kind == 1, ..., 2] = 1
    return images, np.stack([kind == 0, kind == 1, np.ones(n)], axis=1).astype("float32"), kind


def test_the_product_is_the_normalised_product_of_densities():
    means, variances = [1.5, -0.5], [0.5, 2.0]
    z = np.linspace(-8, 8, 4001)
    density = np.exp(-(z**2) / 2)
    for mean, variance in zip(means, variances, strict=True):
        density *= np.exp(-((z - mean) ** 2) / (2 * variance))
    density /= density.sum()
    mean, log_var = product_of_experts(
        [np.array([m]) for m in means], [np.log([v]) for v in variances]
    )
    expected = (density * z).sum()
    assert float(mean[0]) == pytest.approx(expected, abs=1e-6)
    spread = (density * (z - expected) ** 2).sum()
    assert float(np.exp(log_var)[0]) == pytest.approx(spread, abs=1e-6)


def test_one_expert_is_drawn_towards_the_prior_and_none_is_refused():
    mean, log_var = product_of_experts([np.array([2.0])], [np.zeros(1)])
    assert float(mean[0]) == pytest.approx(1.0)
    assert float(np.exp(log_var)[0]) == pytest.approx(0.5)
    with pytest.raises(ValueError, match="at least one; got 0 and 0"):
        product_of_experts([], [])
    with pytest.raises(ValueError, match="got 1 and 2"):
        product_of_experts([np.zeros(1)], [np.zeros(1)] * 2)


@pytest.mark.slow
def test_each_modality_alone_learns_to_say_both():
    images, words, kind = two_things(640)
    vae = small(dropout=0.0)
    vae.compile(keras.optimizers.Adam(3e-3))
    vae.fit((images, words), epochs=4, batch_size=16, verbose=0)

    drawn = vae.decode(vae.encode_words(words[:2]))
    assert drawn[0, ..., 0].mean() > 0.8 > 0.2 > drawn[0, ..., 2].mean()
    assert drawn[1, ..., 2].mean() > 0.8 > 0.2 > drawn[1, ..., 0].mean()
    said = vae.decode_words(vae.encode(images[:2]))
    assert (said.round() == words[:2]).all()
    # Image and words of one thing lie near each other, whichever modality speaks.
    from_images, from_words = vae.encode(images), vae.encode_words(words)
    distances = np.linalg.norm(from_words[:, None] - from_images[None], axis=-1)
    assert (kind[distances.argmin(axis=1)] == kind).all()


def test_both_modalities_together_are_surer_than_one():
    images, words, _ = two_things(4)
    vae = small()
    both = vae.posterior(images, words)[1].numpy()
    assert (both < vae.posterior(images=images)[1].numpy()).all()
    assert (both < vae.posterior(words=words)[1].numpy()).all()
    assert (vae.posterior(images=images)[1].numpy() < 0).all()  # narrower than the prior


def test_encode_is_the_image_posterior_and_evaluate_repeats_itself():
    images, words, _ = two_things(6)
    vae = small(dropout=0.9)
    np.testing.assert_allclose(vae.encode(images), vae.posterior(images)[0], atol=1e-6)
    np.testing.assert_allclose(
        vae.predict(images, verbose=0), vae.decode(vae.encode(images)), atol=1e-6
    )
    vae.compile()
    assert vae.evaluate((images, words), verbose=0, return_dict=True)["kl"] > 0


def word_counter(**changes) -> ImageTextVAE:
    """Return a model whose text encoder puts out how many words it sees, as every mean."""
    vae = small(n_words=100, **changes)
    first, last = vae.text_encoder.layers[-2:]
    kernel, bias = (np.zeros_like(weights) for weights in last.get_weights())
    kernel[0, : vae.latent_dim] = 1
    first.set_weights([np.ones((100, 256)), np.zeros(256)])
    last.set_weights([kernel, bias])
    return vae


def test_words_are_hidden_in_training_and_only_there():
    vae, words = word_counter(dropout=0.25), np.ones((400, 100), "float32")
    # The variance is 1, so the product with the prior halves the mean.
    np.testing.assert_allclose(vae.encode_words(words), 50, rtol=1e-5)
    # What is left is scaled up by 4/3, as dropout does.
    left = 2 * vae.posterior(words=words, training=True)[0].numpy()[:, 0] * 0.75
    assert left.mean() == pytest.approx(75, abs=1)
    assert left.std() == pytest.approx(np.sqrt(100 * 0.25 * 0.75), rel=0.15)
    again = 2 * vae.posterior(words=words, training=True)[0].numpy()[:, 0] * 0.75
    assert (left != again).mean() > 0.5


def test_words_are_hidden_from_the_loss_in_training_and_not_in_evaluation():
    vae, words = word_counter(dropout=0.25), np.ones((8, 100), "float32")
    images = np.zeros((8, 8, 8, 3), "float32")
    vae.compile()

    def kl(**options) -> float:
        return float(vae.loss_terms((images, words), **options)["kl"])

    still = kl()
    assert kl() == still
    assert len({kl(training=True), kl(training=True), still}) == 3
    evaluated = vae.evaluate((images, words), verbose=0, return_dict=True)
    assert evaluated["kl"] == pytest.approx(still, rel=1e-6)


@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian"])
def test_the_loss_is_the_sum_over_the_three_subsets(likelihood):
    images, words, _ = two_things(6)
    targets = 0.2 + 0.6 * images[::-1]
    vae = small(beta=0.3, word_weight=7.0, seed=5, likelihood=likelihood)
    terms = vae.loss_terms((images, words), (targets, words))
    noise, wanted = Sampling(seed=5), dict.fromkeys(("loss", "reconstruction", "kl", "words"), 0.0)
    experts = {
        "image": vae.encoder(images),
        "words": np.split(vae.text_encoder(words).numpy(), 2, axis=1),
    }
    for subset in (("image", "words"), ("image",), ("words",)):
        mean, log_var = product_of_experts(*zip(*[experts[s] for s in subset], strict=True))
        z = noise((mean, log_var))
        drawn = vae.log_likelihood(targets, vae.decoder(z)).numpy()
        p = 1 / (1 + np.exp(-vae.text_decoder(z).numpy().astype(float)))
        said = (words * np.log(p) + (1 - words) * np.log(1 - p)).sum(axis=1)
        mean, log_var = mean.numpy(), log_var.numpy()
        kl = 0.5 * (np.exp(log_var) + mean**2 - 1 - log_var).sum(axis=1)
        wanted["loss"] += (0.3 * kl - drawn - 7 * said).mean()
        wanted["reconstruction"] -= drawn.mean()
        wanted["kl"] += kl.mean()
        wanted["words"] -= 7 * said.mean()
    for name, value in wanted.items():
        assert float(terms[name]) == pytest.approx(value, rel=1e-3), name


@pytest.mark.slow
def test_targets_are_what_the_decoder_learns_to_draw():
    images, words, _ = two_things(160)
    vae = small()
    vae.compile(keras.optimizers.Adam(3e-3))
    vae.fit((images, words, 1 - images), epochs=4, batch_size=8, verbose=0)
    assert abs(vae.predict(images, verbose=0) - (1 - images)).mean() < 0.1


def test_it_is_saved_and_loaded(tmp_path):
    images, words, _ = two_things(4)
    vae = small(word_weight=7.0, dropout=0.25)
    vae.save_weights(tmp_path / "x.weights.h5")
    twin = ImageTextVAE.from_config(vae.get_config())
    twin.load_weights(tmp_path / "x.weights.h5")
    np.testing.assert_array_equal(vae.encode(images), twin.encode(images))
    np.testing.assert_array_equal(vae.encode_words(words), twin.encode_words(words))
    assert (twin.word_weight, twin.get_config()["dropout"]) == (7.0, 0.25)


def test_the_defaults_are_those_of_the_book():
    config = ImageTextVAE((8, 8, 3), n_words=5).get_config()
    assert config.pop("name") and config.pop("dtype")
    assert config == {
        "image_shape": (8, 8, 3),
        "latent_dim": 64,
        "architecture": "conv",
        "likelihood": "gaussian",
        "beta": pytest.approx(0.2),
        "seed": 0,
        "n_words": 5,
        "word_weight": 50.0,
        "dropout": 0.5,
        "noise": True,
    }


def test_the_limits_of_the_numbers_are_allowed():
    vae = small(word_weight=0, dropout=0, n_words=1, beta=0)
    assert (vae.word_weight, vae.dropout, vae.n_words) == (0, 0, 1)
    assert small(dropout=0.9).dropout == 0.9


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_words": 0}, "n_words must be at least 1"),
        ({"word_weight": -1.0}, "word_weight must be finite, at least 0"),
        ({"dropout": 1.0}, "dropout must be finite, 0 to 0.9"),
    ],
)
def test_wrong_arguments_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        small(**changes)


def test_wrong_data_is_refused():
    images, words, _ = two_things(4)
    vae = small()
    vae.compile()
    for data in (images, (images,), (images, words, images, words)):
        with pytest.raises(ValueError, match="trains on one tuple"):
            vae.fit(data, verbose=0)
    with pytest.raises(ValueError, match="equally many, got 4, 3 and 4"):
        vae.fit((images, words[:3]), verbose=0)
    with pytest.raises(ValueError, match="columns"):
        vae.fit((images, words[:, :2]), verbose=0)
    with pytest.raises(ValueError, match="columns"):
        vae.encode_words(words[:, :2])
    with pytest.raises(ValueError, match="got neither"):
        vae.posterior()
