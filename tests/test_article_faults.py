"""The article's faults, each rebuilt small, seen failing, and mended.

The page book/differences.md describes them; a test at the end keeps page and tests in step.
"""

import re
import tracemalloc
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest

from vae_tutorial import datasets, models, objectives, training
from vae_tutorial._tensorflow import keras, tf
from vae_tutorial.retrieval import ImageIndex

layers = keras.layers

PAGE = Path(__file__).resolve().parents[1] / "book" / "differences.md"
SECTION = re.compile(r"^\((fault-[a-z0-9-]+)\)=\n### (.+?)$(.*?)(?=^\(fault-|^## |\Z)", re.M | re.S)
QUOTE = re.compile(r"^```text\n(.*?)^```", re.M | re.S)


# -- Small stand-ins for the article's pieces -----------------------------------------------------


def dense_stack(*widths) -> list:
    """Dense layers of these widths: relu, but for the last."""
    *hidden, last = widths
    return [*(layers.Dense(width, activation="relu") for width in hidden), layers.Dense(last)]


def point_encoder(*, flatten=True):
    """The article's encoder without its Input: images in, one point each out."""
    return keras.Sequential([layers.Flatten()] * flatten + dense_stack(128, 64, 256, 32))


def column_decoder():
    """The article's decoder: rows of 28 numbers, then a dense layer of one unit."""
    stack = [*dense_stack(256, 64, 128, 784), layers.Reshape((28, 28))]
    return keras.Sequential([*stack, layers.Dense(1, activation="sigmoid")])


def image_decoder():
    """The same widths, mended: one number a pixel."""
    return keras.Sequential([*dense_stack(256, 64, 128, 784), layers.Reshape((28, 28))])


def search_as_the_article(encode, query, images, k=5, axis=1):
    """Encode the query and then, one by one, every image; return the k nearest images."""
    query_code = encode(query[np.newaxis])
    distances = [
        np.linalg.norm(query_code - encode(image[np.newaxis]), axis=axis) for image in images
    ]
    return images[np.argsort(np.concatenate(distances))][:k]


def train(model, loss_of, batches, variables, learning_rate=1e-3):
    """Run one update for each batch and return the last loss."""
    optimizer = keras.optimizers.Adam(learning_rate)
    optimizer.build(variables)

    @tf.function
    def step(batch):
        with tf.GradientTape() as tape:
            loss = loss_of(model, batch)
        optimizer.apply(tape.gradient(loss, variables), variables)
        return loss

    for batch in batches:
        loss = step(batch)
    return float(loss)


@pytest.fixture(scope="module")
def digits():
    return datasets.load("mnist-5k")


@pytest.fixture(scope="module")
def images(digits):
    """Grey images without a channel axis, as the article has them: float32 (512, 28, 28)."""
    return digits.gallery_images[:512, ..., 0]


@pytest.fixture(autouse=True)
def seed():
    training.set_seed(0)


# -- What the page quotes -------------------------------------------------------------------------


def sections() -> dict[str, str]:
    """Return the text of each fault's section, by id, in the order of the page."""
    found = SECTION.findall(PAGE.read_text(encoding="utf-8"))
    return {fault: title + text for fault, title, text in found}


def assert_quoted(fault: str, caught) -> None:
    """Fail unless the message a reader would see is the one the page quotes under ``fault``."""
    name = type(caught.value).__name__
    message = re.sub(r"\x1b\[\d+m", "", str(caught.value))  # Keras prints parts in bold
    quotes = re.findall(rf"^{name}: (.+)$", "".join(QUOTE.findall(sections()[fault])), re.M)
    # Dots stand for what the page leaves out.
    assert any(all(part.strip() in message for part in line.split("...")) for line in quotes), (
        f"{name}: {message!r} is not quoted"
    )


# -- Networks -------------------------------------------------------------------------------------


def test_fault_input_layer(images):
    class CallsItsInput(keras.Model):
        def __init__(self):
            super().__init__()
            self.entrance = layers.Input((28, 28, 1))
            self.dense = layers.Dense(32)

        def call(self, batch):
            return self.dense(self.entrance(batch))

    with pytest.raises(TypeError) as caught:
        CallsItsInput()(images[:2])
    assert_quoted("fault-input-layer", caught)
    assert point_encoder()(images[:2]).shape == (2, 32)


def test_fault_flatten(images):
    encoder = point_encoder(flatten=False)
    codes = encoder(images[:2])
    assert codes.shape == (2, 28, 32)
    assert encoder.layers[0].kernel.shape == (28, 128)
    assert codes[0].numpy().size > images[0].size  # nothing is compressed

    # A row's code knows nothing of the other rows.
    other = images[:2].copy()
    other[:, 10:] = 1 - other[:, 10:]
    np.testing.assert_array_equal(encoder(other)[:, :10], codes[:, :10])

    with pytest.raises(ValueError, match="total size") as caught:
        column_decoder()(codes)
    assert_quoted("fault-flatten", caught)
    assert image_decoder()(point_encoder()(images[:2])).shape == images[:2].shape


def test_fault_channel_axis(images):
    batch = images[:128]
    with pytest.raises(ValueError, match="min_ndim=4") as caught:
        layers.Conv2D(8, 3)(batch)
    assert_quoted("fault-channel-axis", caught)

    with_channel = keras.ops.zeros((128, 28, 28, 1))
    with pytest.raises(tf.errors.InvalidArgumentError, match="Incompatible shapes") as caught:
        batch - with_channel
    assert_quoted("fault-channel-axis", caught)
    assert (batch[:1] - with_channel[:1]).shape == (1, 28, 28, 28)  # a batch of one is stretched

    with pytest.raises(ValueError, match="newaxis"):
        models.VAE(latent_dim=2).encode(batch)
    assert models.VAE(latent_dim=2).encode(batch[..., np.newaxis]).shape == (128, 2)


@pytest.mark.slow
def test_fault_broadcast(images):
    batch = images[:32]
    reconstruction = column_decoder()(point_encoder()(batch))
    assert reconstruction.shape == (32, 28, 1)
    assert (batch - reconstruction).shape == (32, 28, 28)  # and no word about it

    # The best a column can do is the mean of each row, and that is poor: the one average image,
    # given for every digit, has the lower loss.
    average = ((images - images.mean(axis=0)) ** 2).mean()
    assert average < ((images - images.mean(axis=2, keepdims=True)) ** 2).mean()
    floor = ((batch - batch.mean(axis=2, keepdims=True)) ** 2).mean()

    def squared_error(model, batch):
        return tf.reduce_mean((batch - model(batch)) ** 2)

    for decoder, reaches in [(column_decoder(), False), (image_decoder(), True)]:
        model = keras.Sequential([point_encoder(), decoder])
        model(batch)
        loss = train(model, squared_error, [batch] * 300, model.trainable_variables, 3e-3)
        assert (loss < floor) == reaches

    with pytest.raises(ValueError, match="one shape"):
        objectives.gaussian_log_likelihood(batch, reconstruction, 0.0)


@pytest.mark.slow
def test_fault_broadcast_is_not_noticed_by_keras_either(images):
    model = keras.Sequential([point_encoder(), column_decoder()])
    model.compile(optimizer="adam", loss="mse")
    losses = model.fit(images[:64], images[:64], verbose=0).history["loss"]
    assert np.isfinite(losses).all()


def test_fault_distribution(images):
    model = keras.Sequential([point_encoder(), image_decoder()])
    first, second = model(images[:4], training=True), model(images[:4], training=True)
    np.testing.assert_array_equal(first, second)  # nothing is drawn
    assert point_encoder()(images[:4]).shape == (4, 32)  # one head: no log-variance

    vae = models.VAE()
    mean, log_var = vae.encoder(images[:4, ..., np.newaxis])
    assert mean.shape == log_var.shape == (4, 32)
    draws = [vae.sampling((mean, log_var)).numpy() for _ in range(2)]
    assert (draws[0] != draws[1]).all()


def test_fault_globals(images):
    class ReadsAGlobal:
        def __init__(self):
            self.last = layers.Dense(z_dim)  # noqa: F821 - that is the fault

    with pytest.raises(NameError) as caught:
        ReadsAGlobal()
    assert_quoted("fault-globals", caught)

    # The search reads a global encoder. A second one, never trained, takes its place in silence.
    shelf = {"encoder": point_encoder()}

    def search(query):
        return search_as_the_article(lambda batch: shelf["encoder"](batch), query, images[:64])

    before = search(images[0])
    shelf["encoder"] = point_encoder()
    assert (search(images[0]) != before).any()
    assert models.VAE(latent_dim=3).encode(images[:2, ..., np.newaxis]).shape == (2, 3)


# -- Objective ------------------------------------------------------------------------------------


def test_fault_kl(images):
    encoder, decoder = point_encoder(), image_decoder()
    codes = encoder(images).numpy()
    loss = np.mean((images - decoder(codes)) ** 2)

    # Codes a hundred times as large, undone by the decoder's first weights: the same loss.
    first = decoder.layers[0]
    kernel, bias = first.get_weights()
    first.set_weights([kernel / 100, bias])
    np.testing.assert_allclose(np.mean((images - decoder(100 * codes)) ** 2), loss, rtol=1e-5)

    # The KL divergence tells them apart, so only with it does a scale mean anything.
    near, far = (
        objectives.kl_divergence(factor * codes, np.zeros_like(codes)).numpy().mean()
        for factor in (1, 100)
    )
    assert far > 9_000 * near > 0


def gaussian_loss(reduce_pixels):
    """Build a loss: squared error reduced over the pixels, plus the KL divergence."""

    def loss_of(vae, batch):
        mean, log_var = vae.encoder(batch)
        reconstruction = tf.sigmoid(vae.decoder(vae.sampling((mean, log_var))))
        errors = tf.reshape((batch - reconstruction) ** 2, (len(batch), -1))
        kl = objectives.kl_divergence(mean, log_var)
        return tf.reduce_mean(reduce_pixels(errors) + kl)

    return loss_of


@pytest.mark.slow
def test_fault_mean(images):
    batches = list(images[..., np.newaxis].reshape(4, 128, 28, 28, 1)) * 40
    active = {}
    for name, reduce_pixels in {
        "mean": lambda errors: tf.reduce_mean(errors, axis=1),
        "half the sum": lambda errors: 0.5 * tf.reduce_sum(errors, axis=1),
    }.items():
        training.set_seed(0)
        vae = models.VAE(latent_dim=8)
        variables = vae.encoder.trainable_variables + vae.decoder.trainable_variables
        train(vae, gaussian_loss(reduce_pixels), batches, variables)
        active[name] = training.active_units(vae.encode(images[..., np.newaxis]))
    assert active["mean"] == 0  # posterior collapse, whole
    assert active["half the sum"] >= 1


def test_fault_mean_is_a_beta_of_392():
    # 784 pixels; half the sum of squares is the Gaussian log-likelihood of variance 1.
    rng = np.random.default_rng(0)
    x, x_mean = rng.random((2, 5, 784))
    kl = rng.random(5)
    log_likelihood = objectives.gaussian_log_likelihood(x, x_mean, 0.0)
    constant = 392 * np.log(2 * np.pi)
    negative_elbo = -objectives.elbo(log_likelihood + constant, kl, beta=392.0).numpy()
    np.testing.assert_allclose(((x - x_mean) ** 2).mean(axis=1) + kl, negative_elbo / 392)


@pytest.mark.slow
def test_fault_sign(images):
    batch = images[:128, ..., np.newaxis]
    after = {}
    for sign in (1.0, -1.0):
        training.set_seed(0)
        vae = models.VAE(latent_dim=8)
        before = float(vae.loss_terms(batch)["loss"])
        variables = vae.trainable_variables
        train(vae, lambda vae, x, s=sign: s * vae.loss_terms(x)["loss"], [batch] * 60, variables)
        after[sign] = float(vae.loss_terms(batch)["loss"])
    assert after[1.0] < 0.5 * before  # the negative ELBO, minimised
    assert after[-1.0] > 1000 * before  # the formula as it stands, minimised


# -- Training -------------------------------------------------------------------------------------


def test_fault_batch(images):
    with pytest.raises(AttributeError) as caught:
        images.batch(128)
    assert_quoted("fault-batch", caught)
    sizes = [len(batch) for batch in tf.data.Dataset.from_tensor_slices(images[:300]).batch(128)]
    assert sizes == [128, 128, 44]


def test_fault_float64():
    pixels = np.random.default_rng(0).integers(0, 256, (32, 28, 28), dtype=np.uint8)
    scaled = pixels / 255.0
    assert scaled.dtype == np.float64
    assert scaled.nbytes == 2 * scaled.astype(np.float32).nbytes

    model = keras.Sequential([point_encoder(), image_decoder()])
    (batch,) = tf.data.Dataset.from_tensor_slices(scaled).batch(32)
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        batch - model(batch)
    assert_quoted("fault-float64", caught)
    batch = tf.cast(batch, tf.float32)
    assert (batch - model(batch)).shape == (32, 28, 28)


def test_fault_shuffle(digits):
    by_class = np.sort(digits.gallery_labels)  # as a folder with a sub-folder a class gives them
    batches = tf.data.Dataset.from_tensor_slices(by_class).batch(128)
    epochs = [[batch.numpy().tolist() for batch in batches] for _ in range(2)]
    assert epochs[0] == epochs[1]
    assert max(len(set(batch)) for batch in epochs[0]) <= 2

    shuffled = tf.data.Dataset.from_tensor_slices(by_class).shuffle(len(by_class), seed=0)
    epochs = [[batch.numpy().tolist() for batch in shuffled.batch(128)] for _ in range(2)]
    assert epochs[0] != epochs[1]
    assert min(len(set(batch)) for batch in epochs[0][:-1]) >= 8


def test_fault_compile(images):
    def refuse(truth, prediction):
        raise AssertionError("the compiled loss was asked for")

    model = keras.Sequential([point_encoder(), image_decoder()])
    model.compile(optimizer="adam", loss=refuse)
    model(images[:2])
    loss = train(  # the loop runs: it never looks at what compile was told
        model,
        lambda model, batch: tf.reduce_mean((batch - model(batch)) ** 2),
        [images[:32]] * 2,
        model.trainable_variables,
    )
    assert np.isfinite(loss)
    with pytest.raises(AssertionError, match="asked for"):
        model.fit(images[:32], images[:32], verbose=0)


def test_fault_last_loss(images, capsys):
    # Ink for two batches and then a short one of empty paper.
    model = keras.Sequential([point_encoder(), image_decoder()])
    data = np.concatenate([images[:256], np.zeros((10, 28, 28), "float32")])
    losses, sizes = [], []
    for batch in tf.data.Dataset.from_tensor_slices(data).batch(128):
        loss = tf.reduce_mean((batch - model(batch)) ** 2)
        losses.append(float(loss))
        sizes.append(len(batch))
    print(f"{loss.numpy():.6f}")  # after the loop, as the article does it
    printed = float(capsys.readouterr().out)
    assert printed == pytest.approx(losses[-1], abs=1e-5)
    assert printed < 0.1 * np.average(losses, weights=sizes)
    assert 60_000 % 128 == 96  # so on full MNIST the printed loss speaks for 96 images


@pytest.mark.slow
def test_fault_seed(images):
    def nearest():
        found = search_as_the_article(point_encoder(), images[0], images[:200])
        return [picture.tobytes() for picture in found]

    assert nearest() != nearest()
    training.set_seed(7)
    first = nearest()
    training.set_seed(7)
    assert nearest() == first


# -- Retrieval ------------------------------------------------------------------------------------


class FlatPixels:
    """Pixels as descriptors; counts the images it was given and how often it was called."""

    def __init__(self):
        self.images = self.calls = 0

    def encode(self, images):
        self.calls += 1
        self.images += len(images)
        return images.reshape(len(images), -1)


def test_fault_reencode(images):
    gallery, queries = images[:50], images[50:53]
    counting = FlatPixels()
    for query in queries:
        search_as_the_article(counting.encode, query, gallery)
    assert counting.images == len(queries) * (len(gallery) + 1)
    assert counting.calls == counting.images  # one at a time

    counting = FlatPixels()
    index = ImageIndex(counting)
    index.add(gallery[..., np.newaxis])
    for query in queries:
        index.search(query[np.newaxis, ..., np.newaxis], k=5)
    assert counting.images == len(gallery) + len(queries)
    assert counting.calls == 1 + len(queries)


def test_fault_own_query(images):
    # However poor the encoder, first comes the query itself: here it was never trained.
    encoder = point_encoder()
    for position in range(5):
        found = search_as_the_article(encoder, images[position], images[:100])
        np.testing.assert_array_equal(found[0], images[position])

    index = ImageIndex(FlatPixels())
    index.add(images[:100, ..., np.newaxis])
    own = np.arange(100)
    _, leaking = index.search(images[:100, ..., np.newaxis], k=1)
    _, honest = index.search(images[:100, ..., np.newaxis], k=1, exclude=own)
    assert (leaking[:, 0] == own).all()
    assert (honest[:, 0] != own).all()


def test_fault_norm_axis(images):
    encoder = point_encoder(flatten=False)
    code = encoder(images[:1])
    assert np.linalg.norm(code - encoder(images[1:2]), axis=1).shape == (1, 32)

    # Not five images but five times 32, chosen by numbers of latent dimensions: whatever the
    # gallery, they come from its first 32 images.
    found = search_as_the_article(encoder, images[0], images[:100])
    assert found.shape == (5, 32, 28, 28)
    first_32 = {picture.tobytes() for picture in images[:32]}
    assert {picture.tobytes() for picture in found.reshape(-1, 28, 28)} == first_32

    with pytest.raises(ValueError, match="cannot reshape") as caught:
        found[0].reshape(28, 28)
    assert_quoted("fault-norm-axis", caught)
    with pytest.raises(IndexError) as caught:
        search_as_the_article(encoder, images[0], images[:20])
    assert_quoted("fault-norm-axis", caught)

    assert search_as_the_article(point_encoder(), images[0], images[:100]).shape == (5, 28, 28)
    encoder.encode = encoder.__call__
    with pytest.raises(ValueError, match="two axes"):
        ImageIndex(encoder).add(images[:20, ..., np.newaxis])


def test_fault_sorted_copy():
    gallery = np.zeros((2000, 28, 28))
    order = np.arange(len(gallery))[::-1]

    def peak_bytes(select):
        tracemalloc.start()
        select()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    assert peak_bytes(lambda: gallery[order][:5]) >= gallery.nbytes
    assert peak_bytes(lambda: gallery[order[:5]]) < 0.01 * gallery.nbytes
    assert gallery[order][:5].base.nbytes == gallery.nbytes  # five images keep the copy alive


def test_fault_returns_pixels(images, digits):
    # Where two gallery images are alike, pixels do not say which of them was found.
    gallery = np.concatenate([images[:20], images[:20]])
    encoder = point_encoder()
    found = search_as_the_article(encoder, images[30], gallery)
    assert isinstance(found, np.ndarray)  # no distances, no positions
    for picture in found:
        assert (gallery == picture).all(axis=(1, 2)).sum() == 2

    codes = encoder(gallery).numpy()
    order = np.argsort(
        np.linalg.norm(codes - encoder(images[30:31]).numpy(), axis=1), kind="stable"
    )
    labels = np.concatenate([digits.gallery_labels[:20]] * 2)
    assert labels[order[:5]].shape == (5,)  # positions lead to labels, and so to a measure


def test_fault_one_query(digits):
    # The article's check is to look at five results of one query. How hard is it to pass?
    gallery, labels = digits.gallery_images, digits.gallery_labels
    untrained = point_encoder()(gallery).numpy()
    pixels = gallery.reshape(len(gallery), -1)

    def first_six(codes):
        squares = (codes**2).sum(axis=1) - 2 * codes[:300] @ codes.T
        return labels[np.argsort(squares, axis=1, kind="stable")[:, :6]] == labels[:300, None]

    passes = first_six(untrained)[:, :5].all(axis=1).mean()
    assert passes > 0.25  # without any training, for more than a quarter of the queries

    # Many queries, without the query itself, and a baseline beside them do tell.
    precision = {
        name: first_six(codes)[:, 1:].mean()
        for name, codes in {"untrained": untrained, "pixels": pixels}.items()
    }
    assert precision["pixels"] > precision["untrained"] + 0.15


def test_fault_subplot():
    figure = plt.figure(figsize=(10, 10))
    for rank in range(5):
        plt.subplot(5, 5, rank + 1)
    bottoms = [axis.get_position().y0 for axis in figure.axes]
    assert min(bottoms) > 0.7  # four fifths of the figure stay empty
    with pytest.raises(ValueError, match="num must be") as caught:
        plt.subplot(5, 5, 26)
    assert_quoted("fault-subplot", caught)


# -- Page and tests in step -----------------------------------------------------------------------


def test_page_and_tests_describe_the_same_faults():
    # Further tests of a fault carry its name and go on: test_fault_mean_is_a_beta_of_392.
    described = list(sections())
    listed = re.findall(r"^\|.*?\]\(#?(fault-[a-z0-9-]+)\)", PAGE.read_text("utf-8"), re.M)
    assert listed == described
    assert len(set(described)) == len(described) > 20
    tests = [name for name in globals() if name.startswith("test_fault_")]
    for fault in described:
        assert f"test_{fault.replace('-', '_')}" in tests, fault
    for name in tests:
        prefixes = [f"test_{fault.replace('-', '_')}" for fault in described]
        assert any(name.startswith(prefix) for prefix in prefixes), name


def test_every_fault_is_described_in_full():
    for fault, text in sections().items():
        for part in ("**Symptom.**", "**Mend.**"):
            assert text.count(part) == 1, (fault, part)
        assert re.search(r"\]\((elbo|encoder-decoder|training|retrieval)\.ipynb", text), fault


def test_every_quoted_message_is_checked():
    source = Path(__file__).read_text(encoding="utf-8")
    for fault, text in sections().items():
        messages = "".join(QUOTE.findall(text)).count("Error: ")
        assert source.count(f'assert_quoted("{fault}", caught)') == messages, fault
