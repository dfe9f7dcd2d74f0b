"""Seeds, random views, the KL schedule, active units and the progress of real training."""

import functools
import re

import numpy as np
import pytest
from terminal import shown_in_a_terminal

from vae_tutorial import training
from vae_tutorial._tensorflow import keras, tf
from vae_tutorial.models import VAE

IMAGES = np.random.default_rng(0).uniform(size=(16, 8, 8, 1)).astype("float32")


def small():
    vae = VAE((8, 8, 1), latent_dim=2)
    vae.compile(keras.optimizers.SGD(1e-3))  # compiled in a quarter of the time of Adam
    return vae


def test_set_seed_repeats_python_numpy_and_keras():
    def draw():
        training.set_seed(11)
        return np.random.rand(), keras.random.normal((1,)).numpy()[0], small().encode(IMAGES)[0, 0]

    assert draw() == draw()


def test_set_seed_asks_for_deterministic_operations():
    training.set_seed(0)
    with pytest.raises(RuntimeError, match="determinism"):
        tf.random.Generator.from_non_deterministic_state()


def test_a_compiled_epoch_takes_the_steps_of_a_loop():
    training.set_seed(0)
    vae = small()
    epoch = training.compiled_epoch(vae, IMAGES, batch_size=6, seed=3)
    losses = [epoch() for _ in range(2)]
    training.set_seed(0)
    other, shuffling = small(), keras.random.SeedGenerator(3)
    for found in losses:
        order = keras.random.shuffle(np.arange(len(IMAGES)), seed=shuffling).numpy()
        other.reset_metrics()
        for start in (0, 6, 12):  # the last batch is short
            batch = IMAGES[order[start : start + 6]]
            expected = {k: float(v) for k, v in other.train_step(tf.constant(batch)).items()}
        assert found == pytest.approx(expected, rel=1e-4)
    assert sorted(order) == list(range(len(IMAGES)))
    for ours, theirs in zip(vae.weights, other.weights, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_a_compiled_epoch_refuses_what_it_cannot_train_on():
    with pytest.raises(ValueError, match="vae has no optimizer"):
        training.compiled_epoch(VAE((8, 8, 1), latent_dim=2), IMAGES)
    with pytest.raises(ValueError, match="must have shape"):
        training.compiled_epoch(small(), IMAGES[:, :4])
    with pytest.raises(ValueError, match="batch_size must be at least 1"):
        training.compiled_epoch(small(), IMAGES, batch_size=0)


def test_active_units_counts_what_varies():
    rng = np.random.default_rng(0)
    mean = rng.normal(size=(1000, 5)) * [1.0, 0.5, 0.2, 0.05, 0.0] + 3.0
    assert training.active_units(mean) == 3
    assert training.active_units(mean, threshold=0.1) == 2
    assert training.active_units(mean, threshold=0.0) == 4


def test_warmup_raises_beta_in_equal_steps_and_then_stays():
    seen = []

    class Watch(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            seen.append(float(self.model.beta))

    vae = small()
    vae.fit(IMAGES, epochs=5, verbose=0, callbacks=[training.KLWarmup(4, beta=2.0), Watch()])
    assert seen == [0.5, 1.0, 1.5, 2.0, 2.0]


def test_warmup_may_lead_to_no_weight_at_all():
    assert training.KLWarmup(3, beta=0).beta_at(3) == 0
    assert training.KLWarmup(1).beta_at(1) == 1.0


@pytest.mark.slow
def test_warmup_changes_the_loss_that_is_trained():
    losses = []
    for callbacks in ([], [training.KLWarmup(epochs=1, beta=100.0)]):
        training.set_seed(0)
        vae = small()
        history = vae.fit(IMAGES, epochs=1, verbose=0, callbacks=callbacks).history
        losses.append(history["loss"][0] - history["reconstruction"][0])
        kl = history["kl"][0]
    assert losses[1] == pytest.approx(100 * kl, rel=1e-3)
    assert losses[1] > 10 * losses[0]


@pytest.mark.parametrize(("epochs", "words"), [(1, "1 epoch"), (3, "3 epochs")])
def test_progress_leaves_one_fixed_line_in_a_log(capsys, epochs, words):
    training.set_seed(0)
    progress = training.TrainingProgress("Training a test")
    small().fit(IMAGES, epochs=epochs, verbose=0, callbacks=[progress])
    assert capsys.readouterr().out == f"Training a test: {words}\n"


def test_progress_in_a_terminal_counts_epochs_and_shows_the_losses():
    progress = training.TrainingProgress("A test")
    fit = functools.partial(small().fit, IMAGES, epochs=2, verbose=0, callbacks=[progress])
    last, outcome = shown_in_a_terminal(fit).split("\x1b[2K")[-2:]
    assert last.startswith("A test: 2 epochs: 2/2 · 0 s left · ")
    numbers = dict(re.findall(r"(\w+) (\d+\.\d)(?= |\r|$)", last.split(" · ")[-1]))
    assert set(numbers) == {"loss", "reconstruction", "kl", "beta"}
    assert re.fullmatch(r"A test: 2 epochs: \d+\.\d s\n", outcome)


DIGIT_VIEW = {"shift": 2.0, "rotation": 20.0, "zoom": 0.15, "shear": 0.3, "thickness": 1.0}
LEVER = np.zeros((1, 9, 9, 1), "float32")  # a bar from the centre to the right
LEVER[0, 4, 4:8] = 1.0


def test_a_view_of_no_strength_changes_nothing():
    for view in (
        training.RandomView(**DIGIT_VIEW, brightness=0.5, flip=True, strength=0.0),
        training.RandomView(),
    ):
        np.testing.assert_array_equal(view(IMAGES).numpy(), IMAGES)


def test_views_differ_between_images_and_calls_and_repeat_with_their_seed():
    same = np.repeat(IMAGES[:1], 3, axis=0)
    view = training.RandomView(**DIGIT_VIEW, seed=4)
    first, second = view(same).numpy(), view(same).numpy()
    assert np.abs(first[0] - first[1]).max() > 0.01
    assert np.abs(first - second).max() > 0.01
    np.testing.assert_array_equal(training.RandomView(**DIGIT_VIEW, seed=4)(same).numpy(), first)


@pytest.mark.parametrize("shape", [(4, 8, 8, 1), (4, 8, 12, 3)])
def test_views_keep_shape_and_range(shape):
    images = np.random.default_rng(0).uniform(size=shape).astype("float32")
    views = training.RandomView(**DIGIT_VIEW, brightness=1.0, flip=True)(images).numpy()
    assert views.shape == shape
    assert views.min() >= 0 and views.max() <= 1


def test_a_shift_moves_the_centre_by_at_most_its_size():
    view = training.RandomView(shift=2.0, seed=1)
    rows, columns = np.mgrid[:9, :9]
    dot = np.zeros((200, 9, 9, 1), "float32")
    dot[:, 4, 4] = 1.0
    moved = view(dot).numpy()[..., 0]
    for grid in (rows, columns):
        offsets = (moved * grid).sum(axis=(1, 2)) / moved.sum(axis=(1, 2)) - 4
        assert np.abs(offsets).max() <= 2.001
        assert offsets.max() > 1.5 and offsets.min() < -1.5


def test_a_rotation_turns_about_the_centre_by_at_most_its_angle():
    view = training.RandomView(rotation=45.0)
    turned = view(np.repeat(LEVER, 300, axis=0)).numpy()[..., 0]
    rows, columns = np.mgrid[-4:5, -4:5]
    mass = turned.sum(axis=(1, 2))
    angles = np.degrees(
        np.arctan2(
            (turned * rows).sum(axis=(1, 2)) / mass, (turned * columns).sum(axis=(1, 2)) / mass
        )
    )
    assert np.abs(turned[:, 4, 4] - 1).max() < 0.2  # the centre stays
    assert np.abs(angles).max() < 47 and angles.max() > 35 and angles.min() < -35


def test_flips_mirror_about_half_of_the_images():
    views = training.RandomView(flip=True)(np.repeat(LEVER, 200, axis=0)).numpy()
    mirrored = [np.allclose(view, LEVER[0, :, ::-1], atol=1e-5) for view in views]
    kept = [np.allclose(view, LEVER[0], atol=1e-5) for view in views]
    assert sum(mirrored) + sum(kept) == 200
    assert 70 < sum(mirrored) < 130


def test_thickness_makes_a_third_thicker_and_a_third_thinner():
    block = np.zeros((600, 9, 9, 1), "float32")
    block[:, 2:7, 2:7] = 1.0
    mass = training.RandomView(thickness=1.0)(block).numpy().sum(axis=(1, 2, 3))
    assert mass.min() > 9 and mass.max() < 49  # from 3x3 to 7x7
    assert 150 < (mass > 25.001).sum() < 250
    assert 150 < (mass < 24.999).sum() < 250


def test_more_than_full_strength_is_no_more_than_the_thickest_and_the_thinnest():
    images = np.random.default_rng(3).uniform(size=(300, 8, 8, 1)).astype("float32")
    views = training.RandomView(thickness=1.0, strength=5.0)(images).numpy()
    assert views.min() >= images.min() and views.max() <= images.max()
    assert 60 < (views > images + 1e-4).any(axis=(1, 2, 3)).sum() < 140
    assert 60 < (views < images - 1e-4).any(axis=(1, 2, 3)).sum() < 140


def test_a_zoom_scales_each_axis_by_itself():
    square = np.zeros((300, 21, 21, 1), "float32")
    square[:, 5:16, 5:16] = 1.0
    mass = training.RandomView(zoom=0.3)(square).numpy()[..., 0]
    # The exponential of the number, either way, about the centre.
    for axis in (1, 2):
        size = mass.sum(axis=axis).max(axis=1) / 11
        assert 1.2 < size.max() < 1.37 and 0.72 < size.min() < 0.82
    heights, widths = mass.sum(axis=1).max(axis=1), mass.sum(axis=2).max(axis=1)
    assert abs(np.corrcoef(heights, widths)[0, 1]) < 0.3
    assert np.abs(mass - mass[:, ::-1, ::-1]).max() < 1e-4


def test_turned_and_scaled_images_keep_their_right_angles():
    # Each pixel of these images holds its own place, so a view shows where its pixels come from.
    rows, columns = np.mgrid[:21, :21]
    places = np.repeat(np.stack([columns, rows], axis=-1)[None] / 20, 100, axis=0)
    views = 20 * training.RandomView(rotation=40.0, zoom=0.3)(places.astype("float32")).numpy()
    right, down = views[:, 10, 12] - views[:, 10, 8], views[:, 12, 10] - views[:, 8, 10]
    lengths = np.linalg.norm(right, axis=1), np.linalg.norm(down, axis=1)
    np.testing.assert_allclose((right * down).sum(axis=1) / np.prod(lengths, axis=0), 0, atol=1e-3)
    for length in lengths:
        assert np.exp(-0.3) <= length.min() / 4 < 0.8 and 1.25 < length.max() / 4 <= np.exp(0.3)
    np.testing.assert_allclose(views[:, 10, 10], 10, atol=1e-3)


def test_a_shear_moves_rows_by_their_distance_from_the_centre():
    bar = np.zeros((300, 21, 21, 1), "float32")
    bar[:, :, 10] = 1.0
    views = training.RandomView(shear=0.5)(bar).numpy()[..., 0]
    columns = np.arange(21) - 10
    moved = (views * columns).sum(axis=2) / views.sum(axis=2)
    slope = moved[:, 14] / 4
    np.testing.assert_allclose(moved[:, 4:17], slope[:, None] * np.arange(-6, 7), atol=0.05)
    assert 0.45 < slope.max() < 0.51 and -0.51 < slope.min() < -0.45


def test_brightness_multiplies_whole_images_and_is_cut_at_one():
    grey = np.full((300, 4, 4, 1), 0.5, "float32")
    views = training.RandomView(brightness=1.0)(grey).numpy()
    assert np.ptp(views, axis=(1, 2, 3)).max() < 1e-6
    factors = views[:, 0, 0, 0] / 0.5
    assert np.exp(-1) < factors.min() < 0.4 and factors.max() == 2.0
    assert np.log(factors[factors < 1.9]).mean() == pytest.approx(-0.2, abs=0.1)


def test_strength_multiplies_every_size():
    sizes = DIGIT_VIEW | {"brightness": 1.0}
    halves = {name: size / 2 for name, size in sizes.items()}
    found, expected = (
        training.RandomView(**given, seed=2)(IMAGES).numpy()
        for given in (sizes | {"strength": 0.5}, halves)
    )
    np.testing.assert_array_equal(found, expected)


def test_what_a_view_is_by_default():
    sizes = ("shift", "rotation", "zoom", "shear", "thickness", "brightness")
    expected = dict.fromkeys(sizes, 0.0) | {"strength": 1.0, "flip": False, "seed": 0}
    assert training.RandomView().get_config() == expected


def test_a_view_is_rebuilt_from_its_config():
    view = training.RandomView(**DIGIT_VIEW, flip=True, strength=0.5, seed=3)
    again = training.RandomView.from_config(view.get_config())
    np.testing.assert_array_equal(again(IMAGES).numpy(), view(IMAGES).numpy())


BAD_INPUTS = [
    (lambda: training.RandomView(shift=-1), ValueError, "shift must be finite, at least 0"),
    (lambda: training.RandomView(rotation=np.inf), ValueError, "rotation must be finite"),
    (lambda: training.RandomView(zoom="big"), TypeError, "zoom must be a number"),
    (lambda: training.RandomView(thickness=2.0), ValueError, "thickness must be finite, 0 to 1"),
    (lambda: training.RandomView(strength=float("nan")), ValueError, "strength must be finite"),
    (lambda: training.RandomView(seed=1.5), TypeError, "seed must be a whole number"),
    (lambda: training.set_seed(-1), ValueError, "seed must be at least 0"),
    (lambda: training.set_seed(2**32), ValueError, "seed must be at most"),
    (lambda: training.set_seed(0.5), TypeError, "seed must be a whole number"),
    (lambda: training.active_units(np.zeros((1, 3))), ValueError, "at least two images"),
    (lambda: training.active_units(np.zeros(3)), ValueError, "two axes"),
    (lambda: training.active_units(np.full((2, 2), np.nan)), ValueError, "NaN"),
    (lambda: training.active_units(np.eye(2), threshold=-1), ValueError, "threshold must be fin"),
    (lambda: training.KLWarmup(0), ValueError, "epochs must be at least 1"),
    (lambda: training.KLWarmup(3, beta=-0.5), ValueError, "beta must be finite, at least 0"),
]


@pytest.mark.parametrize(("call", "error", "message"), BAD_INPUTS)
def test_bad_input_is_refused_in_words(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_warmup_needs_a_model_with_beta():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(TypeError, match="needs a model with a beta"):
        model.fit(np.zeros((2, 2)), np.zeros((2, 1)), verbose=0, callbacks=[training.KLWarmup(2)])


PAIRS = np.random.default_rng(1).uniform(size=(2, 12, 8, 8, 3)).astype("float32")


def pair_vae(quick=False, **changes):
    """Return a model for pairs of images; with ``quick`` one that hardly learns."""
    training.set_seed(0)
    vae = VAE((8, 8, 3), latent_dim=4, likelihood="gaussian", beta=0.2, **changes)
    # The steps of SGD are compiled in a quarter of the time of Adam's.
    vae.compile(keras.optimizers.SGD(1e-6) if quick else keras.optimizers.Adam(1e-2))
    return vae


@pytest.mark.slow
def test_pairs_are_drawn_together_and_the_loss_falls():
    vae = pair_vae()
    history = training.fit_pairs(vae, *PAIRS, epochs=60, title="A test")
    assert history[-1] < history[0] - 10
    codes = [vae.encode(images) for images in PAIRS]
    own = np.linalg.norm(codes[0] - codes[1], axis=1).mean()
    others = np.linalg.norm(codes[0] - np.roll(codes[1], 1, axis=0), axis=1).mean()
    assert own < 0.5 * others


@pytest.mark.slow
@pytest.mark.aside
def test_pairs_are_trained_as_version_0_1_trained_them():
    vae = pair_vae()
    losses = training.fit_pairs(vae, *PAIRS, epochs=4, batch_size=5)
    assert losses == pytest.approx([11.84255, -7.84561, -23.58916, -32.05964], abs=0.05)


@pytest.mark.slow
def test_a_pair_is_reconstructed_as_its_mean():
    dark, light = np.full((2, 16, 8, 8, 3), [[[[[0.1]]]], [[[[0.7]]]]], "float32")
    vae = pair_vae()
    training.fit_pairs(vae, dark, light, epochs=80)
    for images in (dark, light):
        assert vae.predict(images, verbose=0) == pytest.approx(0.4, abs=0.05)


@pytest.mark.slow
def test_training_on_pairs_repeats_with_its_seed_and_reports_the_mean_over_images():
    first, again, other = (
        training.fit_pairs(pair_vae(quick=True), *PAIRS, epochs=2, batch_size=5, **seed)
        for seed in ({}, {"seed": 0}, {"seed": 4})
    )
    assert first == again
    assert first[1] != other[1]
    assert first[1] < first[0]
    still = pair_vae(quick=True)
    still.optimizer.learning_rate = 0.0
    small, large = (training.fit_pairs(still, *PAIRS, epochs=1, batch_size=n)[0] for n in (5, 12))
    assert small == pytest.approx(large, rel=0.01)
    # Of two equal pictures the mean is the picture: the loss is that of an ordinary VAE.
    alike = training.fit_pairs(still, PAIRS[0], PAIRS[0], epochs=1, batch_size=5)[0]
    expected = still.evaluate(PAIRS[0], verbose=0, return_dict=True)["loss"]
    assert alike == pytest.approx(expected, rel=0.01)


@pytest.mark.filterwarnings("error")
def test_pairs_are_a_data_set_as_keras_wants_it():
    assert training.Pairs(*PAIRS).workers == 1


def test_progress_on_pairs_shows_the_loss_of_each_epoch():
    vae, history = pair_vae(quick=True), []

    def work():
        history.extend(training.fit_pairs(vae, *PAIRS, epochs=2))

    lines = shown_in_a_terminal(work).split("\r\x1b[2K")
    assert lines[-2].startswith(f"Pairs: 2 epochs: 2/2 · 0 s left · loss {history[1]:.1f} ")


@pytest.mark.parametrize(
    ("call", "fragment"),
    [
        (lambda: training.fit_pairs(pair_vae(), PAIRS[0], PAIRS[1][:3], epochs=1), "got \\(12, 8"),
        (lambda: training.fit_pairs(pair_vae(), PAIRS[0] * 255, PAIRS[1], epochs=1), "by 255"),
        (lambda: training.fit_pairs(pair_vae(), IMAGES, IMAGES, epochs=1), "\\(n, 8, 8, 3\\)"),
        (lambda: training.fit_pairs(pair_vae(), *PAIRS, epochs=0), "epochs must"),
        (lambda: training.fit_pairs(VAE((8, 8, 3)), *PAIRS, epochs=1), "compile"),
    ],
)
def test_pairs_that_cannot_be_trained_on_are_refused(call, fragment):
    with pytest.raises(ValueError, match=fragment):
        call()
