"""What fit, evaluate, predict and a call accept, and what they refuse in words."""

import numpy as np
import pytest

from vae_tutorial import training
from vae_tutorial._tensorflow import keras, tf
from vae_tutorial.models import VAE, Autoencoder, _data
from vae_tutorial.multimodal import ImageTextVAE

IMAGES = np.random.default_rng(0).random((12, 8, 8, 1), dtype="float32")
WORDS = np.eye(3, dtype="float32")[np.arange(12) % 3]
BATCHES = tf.data.Dataset.from_tensor_slices(IMAGES).batch(4)


def small(**options) -> VAE:
    keras.utils.set_random_seed(0)
    vae = VAE((8, 8, 1), latent_dim=2, **options)
    vae.compile(keras.optimizers.SGD(1e-3))  # compiled in a quarter of the time of Adam
    return vae


def loss_of(*data, model=None, **options) -> float:
    return (model or small()).fit(*data, verbose=0, shuffle=False, **options).history["loss"][-1]


def yielded(images):
    for batch in np.split(images, 3):
        yield (batch,)  # Keras asks for tuples


class Batches(keras.utils.PyDataset):
    def __init__(self, images):
        super().__init__()
        self.images = np.split(images, 3)

    def __len__(self):
        return len(self.images)

    def __getitem__(self, batch):
        return self.images[batch]


in_any_form = pytest.mark.parametrize(
    "form",
    [
        tf.constant,
        list,
        lambda images: images.tolist(),
        lambda images: tf.data.Dataset.from_tensor_slices(images).batch(4),
        lambda images: yielded(images),
        Batches,
        lambda images: images.astype("float64"),
    ],
    ids=["tensor", "list of arrays", "lists", "data set", "generator", "PyDataset", "float64"],
)


@pytest.fixture(scope="module")
def expected() -> float:
    """The loss of an epoch on images as most readers bring them."""
    return loss_of(IMAGES, batch_size=4)


@in_any_form
def test_images_in_any_form_train_alike_and_are_checked(form, expected):
    size = {} if not isinstance(form(IMAGES), (np.ndarray, list, tf.Tensor)) else {"batch_size": 4}
    assert loss_of(form(IMAGES), **size) == pytest.approx(expected, rel=1e-4)
    with pytest.raises(ValueError, match="divide 8-bit images by 255"):
        small().fit(form(255 * IMAGES), verbose=0)
    with pytest.raises(ValueError, match=r"must have shape \(n, 8, 8, 1\) for this model"):
        small().fit(form(IMAGES[:, :4]), verbose=0)


@in_any_form
def test_images_in_any_form_are_reconstructed_alike_and_checked(form):
    model = small()
    model.build((None, 8, 8, 1))
    found, expected = (model.predict(images, verbose=0) for images in (form(IMAGES), IMAGES))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)
    with pytest.raises(ValueError, match="divide 8-bit images by 255"):
        model.predict(form(255 * IMAGES), verbose=0)
    with pytest.raises(ValueError, match=r"must have shape \(n, 8, 8, 1\) for this model"):
        model.predict(form(IMAGES[:, :4]), verbose=0)


@pytest.mark.slow
@pytest.mark.aside
def test_a_second_argument_holds_what_is_to_be_drawn():
    vae = small()
    terms = vae.loss_terms(IMAGES, 1 - IMAGES)
    expected = -vae.log_likelihood(1 - IMAGES, vae.decoder(small().sampling(vae.encoder(IMAGES))))
    assert float(terms["reconstruction"]) == pytest.approx(float(np.mean(expected)), rel=0.05)
    model = small()
    model.compile(keras.optimizers.Adam(1e-3))
    many = np.tile(IMAGES, (12, 1, 1, 1))
    model.fit(many, np.zeros_like(many), batch_size=12, epochs=5, verbose=0)
    assert model.predict(IMAGES, verbose=0).mean() < 0.05 < IMAGES.mean()
    pairs = tf.data.Dataset.from_tensor_slices((IMAGES, 1 - IMAGES)).batch(4)
    assert loss_of(pairs) == pytest.approx(loss_of(IMAGES, 1 - IMAGES, batch_size=4), rel=1e-5)


def test_evaluation_draws_the_second_argument_from_the_first():
    model = Autoencoder((8, 8, 1), latent_dim=2, likelihood="gaussian")
    model.compile()
    seen, target = IMAGES, IMAGES**4
    there, back = (
        float(model.loss_terms(*pair)["loss"]) for pair in ((seen, target), (target, seen))
    )
    assert abs(there - back) > 0.1
    found = model.evaluate(seen, target, verbose=0, return_dict=True)["loss"]
    assert found == pytest.approx(there, rel=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize(
    "held_out",
    [
        (IMAGES, IMAGES),
        BATCHES,
        *(pytest.param(data, marks=pytest.mark.aside) for data in (IMAGES, (IMAGES,))),
        pytest.param(tf.constant(IMAGES), marks=pytest.mark.aside),
    ],
    ids=["pair", "data set", "array", "tuple", "tensor"],
)
def test_held_out_images_in_any_form(held_out):
    history = small().fit(IMAGES, validation_data=held_out, verbose=0).history
    assert np.isfinite(history["val_loss"]).all()


@pytest.mark.slow
def test_a_part_is_held_out_and_other_numbers_are_refused():
    with pytest.raises(ValueError, match="divide 8-bit"):
        small().fit(IMAGES, validation_data=255 * IMAGES, verbose=0)
    assert "val_kl" in small().fit(IMAGES, validation_split=0.25, verbose=0).history


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sample_weight": np.zeros(12)}, "all of one weight, got sample_weight; leave it out"),
        ({"class_weight": {0: 1.0}}, "got class_weight"),
    ],
)
def test_weights_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        small().fit(IMAGES, verbose=0, **options)


def test_weights_are_refused_wherever_they_come_from():
    with pytest.raises(ValueError, match="got sample_weight"):
        small().evaluate(IMAGES, sample_weight=np.ones(12), verbose=0)
    weighted = tf.data.Dataset.from_tensor_slices((IMAGES, IMAGES, np.ones(12))).batch(4)
    with pytest.raises(ValueError, match="got sample_weight"):
        small().fit(weighted, verbose=0)


@pytest.mark.parametrize("labels", [np.arange(12), np.eye(12), np.arange(12).tolist()])
def test_labels_are_refused(labels):
    with pytest.raises(ValueError, match="trains on images alone"):
        small().fit(IMAGES, labels, verbose=0)


@pytest.mark.parametrize(
    ("drawn", "message"),
    [
        (np.uint8(255 * IMAGES), "divide 8-bit images by 255"),
        (IMAGES[:, :4], "the images to draw must have shape"),
        (IMAGES[:5], "must be as many as the images seen, got 5 and 12"),
    ],
    ids=["uint8", "another size", "too few"],
)
def test_what_is_to_be_drawn_is_checked_as_what_is_seen(drawn, message):
    with pytest.raises(ValueError, match=message):
        small().fit(IMAGES, drawn, verbose=0)


@pytest.mark.parametrize("images", [IMAGES[0], IMAGES[:, :4], IMAGES[..., 0]])
def test_a_batch_of_another_shape_is_refused_inside_a_step(images):
    with pytest.raises(ValueError, match=r"must have shape \(n, 8, 8, 1\) for this model"):
        _data.check_batch(images, (8, 8, 1))


class Loader:
    """As other libraries have it: what yields batches, and is no kind that Keras knows."""

    def __iter__(self):
        return iter([np.zeros((2, 8, 8, 1))])


def test_what_yields_batches_is_told_from_what_holds_images():
    dataset = tf.data.Dataset.from_tensors(np.zeros((2, 8, 8, 1)))
    for yields in (None, dataset, Batches(IMAGES), (batch for batch in []), Loader()):
        assert _data.is_data_set(yields), yields
    for holds in (np.zeros(3), tf.zeros(3), [np.zeros(3)], (np.zeros(3),), 7):
        assert not _data.is_data_set(holds), holds


def test_only_the_first_batch_is_looked_at_beforehand():
    seen = []
    _data.peeked(tf.data.Dataset.range(3), lambda batch: seen.append(int(batch[0])))
    assert seen == [0]


def test_a_generator_without_batches_is_refused():
    with pytest.raises(ValueError, match="the generator is empty"):
        small().fit((batch for batch in ()), verbose=0)


@pytest.mark.parametrize("use", ["__call__", "predict", "encode", "evaluate", "fit"])
@pytest.mark.parametrize(
    ("images", "message"),
    [
        (IMAGES[0], "must have shape"),
        (IMAGES[:, :4], r"\(n, 8, 8, 1\) for this model, got \(12, 4, 8, 1\)"),
        (np.uint8(255 * IMAGES), "divide 8-bit images by 255"),
        (IMAGES[..., 0], "add a missing axis"),
        (IMAGES > 0.5, "pass floats in"),
    ],
    ids=["one image", "another size", "uint8", "no channels", "bool"],
)
def test_every_door_says_the_same(use, images, message):
    with pytest.raises((ValueError, TypeError), match=message):
        getattr(small(), use)(images)


def test_a_loss_or_metrics_of_the_readers_own_are_refused():
    for given in ({"loss": "mse"}, {"metrics": ["mae"]}, {"weighted_metrics": ["mae"]}):
        with pytest.raises(ValueError, match="brings its own loss and reports its terms"):
            small().compile("adam", **given)
    with pytest.raises(ValueError, match="got loss, metrics"):
        small().compile("adam", loss="mse", metrics=["mae"])


@pytest.mark.slow
@pytest.mark.aside
def test_a_term_that_a_layer_adds_is_counted_and_reported():
    plain, added = small(), small()
    added.encoder.mean_head.kernel.regularizer = keras.regularizers.L2(10.0)
    found = [m.evaluate(IMAGES, verbose=0, return_dict=True) for m in (plain, added)]
    penalty = 10 * np.square(added.encoder.mean_head.kernel.numpy()).sum()
    assert found[1]["added"] == pytest.approx(penalty, rel=1e-4)
    assert found[1]["loss"] - found[0]["loss"] == pytest.approx(penalty, rel=1e-3)
    assert "added" not in found[0]
    before = np.abs(added.encoder.mean_head.kernel.numpy()).sum()
    added.fit(IMAGES, epochs=30, verbose=0)
    plain.fit(IMAGES, epochs=30, verbose=0)
    assert np.abs(added.encoder.mean_head.kernel.numpy()).sum() < 0.9 * before


def test_training_stopped_by_hand_ends_the_line_and_leaves_a_model(capsys):
    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            raise KeyboardInterrupt

    vae = small()
    with pytest.raises(KeyboardInterrupt):
        vae.fit(IMAGES, epochs=3, verbose=0, callbacks=[training.TrainingProgress("A"), Stop()])
    assert capsys.readouterr().out.endswith("\n")
    with pytest.raises(KeyboardInterrupt):
        vae.fit(IMAGES, epochs=3, verbose=0, callbacks=[training.KLWarmup(8), Stop()])
    assert float(vae.beta) == 1.0
    assert vae.encode(IMAGES).shape == (12, 2)
    vae.fit(IMAGES, verbose=0)


@pytest.mark.slow
@pytest.mark.aside
@pytest.mark.parametrize("more", [(), (IMAGES,)])
def test_images_and_words_in_the_ways_of_keras(more):
    def model():
        keras.utils.set_random_seed(0)
        both = ImageTextVAE((8, 8, 1), n_words=3, latent_dim=2, architecture="dense")
        both.compile(keras.optimizers.SGD(1e-3))
        return both

    parts = IMAGES, WORDS, *more
    expected = loss_of((IMAGES, WORDS), model=model(), batch_size=4)
    batches = tf.data.Dataset.from_tensor_slices(parts).batch(4)
    assert loss_of(batches, model=model()) == pytest.approx(expected, rel=1e-4)
    nested = batches.map(lambda *batch: (batch,))
    assert loss_of(nested, model=model()) == pytest.approx(expected, rel=1e-4)
    history = model().fit((IMAGES, WORDS), validation_data=parts, verbose=0).history
    assert np.isfinite(history["val_words"]).all()
    sparse = pytest.importorskip("scipy.sparse").csr_matrix(WORDS)
    assert loss_of((IMAGES, sparse), model=model(), batch_size=4) == pytest.approx(expected)
    np.testing.assert_array_equal(model().encode_words(sparse), model().encode_words(WORDS))
    with pytest.raises(ValueError, match="divide 8-bit"):
        model().fit(tf.data.Dataset.from_tensor_slices((255 * IMAGES, WORDS)).batch(4), verbose=0)
    with pytest.raises(ValueError, match="equally many"):
        model().fit((IMAGES, WORDS), validation_data=(IMAGES, WORDS[:3]), verbose=0)


@pytest.mark.parametrize("beta", [4.0, 0.0])
def test_warmup_leads_to_the_models_own_beta(beta):
    vae, seen = small(beta=beta), []
    watch = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: seen.append(logs["beta"])
    )
    for _ in range(2):
        vae.fit(IMAGES, epochs=3, verbose=0, callbacks=[training.KLWarmup(2), watch])
        assert float(vae.beta) == beta
    assert seen == [beta / 2, beta, beta] * 2


def test_selection_during_warmup_compares_losses_under_one_beta():
    vae = small(beta=4.0)
    options = {"validation_data": IMAGES, "callbacks": [training.KLWarmup(4)], "verbose": 0}
    history = vae.fit(IMAGES, epochs=3, **options).history
    assert history["beta"] == [1.0, 2.0, 3.0]
    assert history["val_beta"] == [4.0, 4.0, 4.0]
    vae.fit(IMAGES, epochs=1, verbose=0, callbacks=[training.KLWarmup(4)])  # ends before its goal
    assert float(vae.beta) == 4.0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: training.KLWarmup("1"), "epochs must be a whole number"),
        (lambda: training.KLWarmup(1, beta="1"), "beta must be a number"),
        (lambda: training.active_units(np.eye(2), threshold="0.1"), "threshold must be a number"),
    ],
)
def test_words_in_place_of_numbers_are_refused(call, message):
    with pytest.raises(TypeError, match=message):
        call()


def test_an_autoencoder_reports_no_terms_that_it_lacks():
    model = Autoencoder((8, 8, 1), latent_dim=2)
    model.compile("adam")
    assert set(model.evaluate(IMAGES, verbose=0, return_dict=True)) == {"loss", "reconstruction"}
