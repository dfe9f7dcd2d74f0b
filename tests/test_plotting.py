"""Figures hold what they are given, say right and wrong twice, and stay small."""

import io

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex, to_rgb

from vae_tutorial import datasets, plotting

GREY = np.random.default_rng(0).random((6, 8, 8, 1))
RESULTS = np.stack([GREY, GREY[::-1]])
CORRECT = np.array([[True, False, True, True, False, True], [False] * 5 + [True]])


@pytest.fixture(autouse=True)
def book_style():
    with plt.rc_context():
        plotting.use_book_style()
        yield


def frame(axis):
    spines = list(axis.spines.values())
    looks = {
        (to_hex(s.get_edgecolor()).upper(), str(s.get_linestyle()), s.get_visible()) for s in spines
    }
    assert len(looks) == 1, "the four sides of a frame differ"
    assert spines[0].get_linewidth() >= 1
    return looks.pop()


def test_the_style_uses_the_palette_and_a_white_ground():
    assert plt.rcParams["axes.prop_cycle"].by_key()["color"] == list(plotting.PALETTE)
    assert plt.rcParams["figure.facecolor"] == "white"
    assert plt.rcParams["savefig.facecolor"] == "white"
    assert plt.rcParams["figure.figsize"][0] == plotting.NARROW
    assert not plt.rcParams["axes.spines.top"]


def luminance(colour) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))


def contrast(one, other) -> float:
    """Return the ratio that the guidelines for accessible pages ask for: 4.5 for text."""
    dark, light = sorted([luminance(one), luminance(other)])
    return (light + 0.05) / (dark + 0.05)


def pixels(figure) -> np.ndarray:
    figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba()).copy()


def drawn() -> list[np.ndarray]:
    curves = {"falling": [3, 2, 1], "rising": [1, 2, 3]}
    chart = plotting.plot_curves([1, 2, 3], curves, xlabel="x", ylabel="y", title="Two curves")
    chart.axes[0].legend(title="which", frameon=True)
    chart.axes[0].boxplot([1, 2, 2.5, 9], positions=[2])
    return [pixels(chart), pixels(plotting.show_results(GREY[:2], RESULTS, CORRECT))]


@pytest.mark.parametrize("before", ["dark_background", "Solarize_Light2", "grayscale"])
def test_no_colour_of_another_style_is_left(before):
    kept = {name: plt.rcParams[name] for name in plt.rcParams if name.endswith("color")}
    with plt.style.context(before):
        plotting.use_book_style()
        assert {name: plt.rcParams[name] for name in kept} == kept


def test_after_a_dark_style_figures_are_those_of_the_book():
    wanted = drawn()
    plt.style.use("dark_background")
    plotting.use_book_style()
    for old, new in zip(wanted, drawn(), strict=True):
        np.testing.assert_array_equal(new, old)
    axis = plt.figure().add_subplot(title="title", xlabel="x", ylabel="y")
    axis.plot([1, 2], label="curve")
    texts = [axis.title, axis.xaxis.label, axis.yaxis.label, *axis.get_xticklabels()]
    texts += axis.legend().get_texts()
    for ground in (axis.get_facecolor(), axis.figure.get_facecolor()):
        assert min(contrast(text.get_color(), ground) for text in texts) > 4.5


def test_images_fill_a_grid_and_keep_their_titles():
    figure = plotting.show_images(GREY[:5], titles=list("abcde"), columns=3)
    assert [axis.get_title() for axis in figure.axes] == [*"abcde", ""]
    shown = [axis.images[0].get_array() for axis in figure.axes[:5]]
    np.testing.assert_array_equal(np.stack(shown), GREY[:5, ..., 0].astype("float32"))
    assert not figure.axes[5].images


def test_grey_is_shown_from_black_to_white_whatever_the_image_holds():
    image = plotting.show_images(GREY[:1] * 0.1).axes[0].images[0]
    assert image.get_clim() == (0, 1)
    assert image.get_cmap().name == "gray"


def test_colour_images_keep_their_three_channels():
    figure = plotting.show_images(np.random.default_rng(1).random((2, 8, 8, 3)))
    assert figure.axes[0].images[0].get_array().shape == (8, 8, 3)


def test_results_stand_in_order_of_rank_beside_their_query():
    figure = plotting.show_results(GREY[:2], RESULTS, CORRECT)
    with_images = [axis for axis in figure.axes if axis.images]
    assert len(with_images) == 2 * 7
    assert [axis.get_title() for axis in with_images[:7]] == ["query", *"123456"]
    for row in range(2):
        for rank in range(6):
            axis = with_images[7 * row + rank + 1]
            expected = RESULTS[row, rank, ..., 0].astype("float32")
            np.testing.assert_array_equal(axis.images[0].get_array(), expected)
            assert [text.get_text() for text in axis.texts] == ["✓" if CORRECT[row, rank] else "✗"]


def test_right_and_wrong_differ_in_sign_frame_and_colour():
    axes = [axis for axis in plotting.show_results(GREY[:2], RESULTS, CORRECT).axes if axis.images]
    right, wrong = axes[1], axes[2]
    assert [text.get_text() for text in right.texts] == ["✓"]
    assert [text.get_text() for text in wrong.texts] == ["✗"]
    assert frame(right) == (plotting.GREEN, "-", True)
    colour, style, visible = frame(wrong)
    assert (colour, visible) == (plotting.VERMILLION, True)
    assert style != "-"
    assert not axes[0].texts
    assert not axes[0].spines["left"].get_visible()


def test_unjudged_results_carry_no_mark():
    axes = plotting.show_results(GREY[:2], RESULTS, query_titles=["first", "second"]).axes
    assert not any(axis.texts for axis in axes)
    assert [axis.get_ylabel() for axis in axes if axis.get_ylabel()] == ["first", "second"]


def test_reconstructions_stand_below_their_originals():
    figure = plotting.show_reconstructions(GREY, 1 - GREY, labels=("in", "out"))
    assert len(figure.axes) == 12
    assert [figure.axes[0].get_ylabel(), figure.axes[6].get_ylabel()] == ["in", "out"]
    above, below = (figure.axes[i].images[0].get_array() for i in (2, 8))
    np.testing.assert_allclose(above + below, 1, atol=1e-6)


def size(figure) -> tuple[float, float]:
    return pytest.approx(tuple(figure.get_size_inches()), abs=1e-3)


def test_grids_are_narrow_and_as_high_as_their_rows():
    # Cells are square and at most 1.25 inches high; a row of titles takes 0.3.
    assert (plotting.WIDTH, plotting.NARROW) == (6.5, 5.4)
    assert size(plotting.show_images(GREY[:5], columns=3)) == (5.4, 2.5)
    assert size(plotting.show_images(GREY[:5], columns=3, titles=list("abcde"))) == (5.4, 3.1)
    assert size(plotting.show_images(np.zeros((11, 8, 8, 1)))) == (5.4, 2 * 0.54)  # ten in a row
    # The gap after a query is a quarter of an image wide.
    assert size(plotting.show_results(GREY[:2], RESULTS)) == (5.4, 2 * 5.4 / 7.25 + 0.3)
    # Room for the names of the rows.
    assert size(plotting.show_reconstructions(GREY, GREY)) == (5.4, 2 * (5.4 - 1.3) / 6)


def test_images_stand_close_and_marks_and_titles_stand_where_they_belong():
    figure = plotting.show_results(GREY[:2], RESULTS, CORRECT, query_titles=["a", "b"])
    room = figure.get_layout_engine().get()
    assert all(0 < room[side] < 0.1 for side in ("w_pad", "h_pad", "wspace", "hspace"))
    assert figure.axes[0].yaxis.label.get_rotation() == 0
    for axis in figure.axes:
        for mark in axis.texts:
            assert 0 < mark.get_position()[0] < 0.1 and 0.9 < mark.get_position()[1] < 1


def test_curves_differ_in_line_style_as_well_as_colour():
    series = {name: np.arange(3.0) + i for i, name in enumerate("abcdef")}
    axis = plotting.plot_curves([1, 2, 3], series, xlabel="epoch", ylabel="nats").axes[0]
    assert [line.get_color() for line in axis.lines] == list(plotting.PALETTE)
    assert len({line.get_linestyle() + str(line._dash_pattern) for line in axis.lines}) == 6
    assert [text.get_text() for text in axis.get_legend().get_texts()] == list("abcdef")
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("epoch", "nats")


def test_a_single_curve_needs_no_legend():
    figure = plotting.plot_curves([1, 2], {"a": [3, 4]}, xlabel="x", ylabel="y", title="Rising")
    axis = figure.axes[0]
    assert axis.get_legend() is None
    np.testing.assert_array_equal(axis.lines[0].get_ydata(), [3, 4])
    assert axis.get_title(loc="left") == "Rising"


def test_inputs_are_not_changed_and_pages_stay_light():
    digits = datasets.load("mnist-5k")
    queries, results = digits.images[:4], digits.images[4:24].reshape(4, 5, 28, 28, 1)
    before = queries.copy()
    figure = plotting.show_results(queries, results, np.zeros((4, 5), bool))
    file = io.BytesIO()
    figure.savefig(file, format="png")
    assert file.tell() < 100_000
    np.testing.assert_array_equal(queries, before)


BAD_INPUTS = [
    (lambda: plotting.show_images(GREY[0]), ValueError, "must have shape \\(n, height"),
    (lambda: plotting.show_images(GREY[:0]), ValueError, "images is empty"),
    (lambda: plotting.show_images(GREY * 255), ValueError, "divide 8-bit images"),
    (lambda: plotting.show_images(GREY * np.nan), ValueError, "NaN"),
    (lambda: plotting.show_images(GREY.repeat(2, axis=3)), ValueError, "got 2"),
    (lambda: plotting.show_images(GREY, titles=["one"]), ValueError, "expected 6 titles, got 1"),
    (lambda: plotting.show_images(GREY, columns=0), ValueError, "columns must be at least 1"),
    (lambda: plotting.show_results(GREY, RESULTS), ValueError, "shape \\(6, k"),
    (lambda: plotting.show_results(GREY[:2], RESULTS[0]), ValueError, "result_images must have"),
    (lambda: plotting.show_results(GREY[:2], RESULTS * 9), ValueError, "result_images must lie"),
    (
        lambda: plotting.show_results(GREY[:2], RESULTS, CORRECT.astype(int)),
        ValueError,
        "correct must be bool of shape \\(2, 6\\), got int64",
    ),
    (
        lambda: plotting.show_results(GREY[:2], RESULTS, CORRECT[:1]),
        ValueError,
        "of shape \\(1, 6\\)",
    ),
    (
        lambda: plotting.show_results(GREY[:2], RESULTS, query_titles=["one"]),
        ValueError,
        "expected 2 query_titles",
    ),
    (
        lambda: plotting.show_reconstructions(GREY, GREY[:3]),
        ValueError,
        "must have one shape, got \\(6, 8, 8, 1\\) and \\(3, 8, 8, 1\\)",
    ),
    (
        lambda: plotting.show_reconstructions(GREY, GREY, labels=["one"]),
        ValueError,
        "must name the two rows, got 1",
    ),
    (
        lambda: plotting.plot_curves([1], {}, xlabel="x", ylabel="y"),
        ValueError,
        "1 to 6 curves, got 0",
    ),
    (
        lambda: plotting.plot_curves([1, 2], {"a": [1]}, xlabel="x", ylabel="y"),
        ValueError,
        "curve 'a' must hold 2 finite values",
    ),
    (
        lambda: plotting.plot_curves([1], {"a": [np.nan]}, xlabel="x", ylabel="y"),
        ValueError,
        "finite values",
    ),
    (
        lambda: plotting.plot_curves([np.nan], {"a": [1]}, xlabel="x", ylabel="y"),
        ValueError,
        "x must hold 1 finite values",
    ),
    (
        lambda: plotting.plot_curves([], {"a": []}, xlabel="x", ylabel="y"),
        ValueError,
        "x must hold 1 finite values",
    ),
    (
        lambda: plotting.plot_curves([1], {"a": ["high"]}, xlabel="x", ylabel="y"),
        TypeError,
        "curve 'a' must be numbers",
    ),
    (
        lambda: plotting.show_results(GREY[:2, :4], RESULTS),
        ValueError,
        "must have one image shape",
    ),
]


@pytest.mark.parametrize(("call", "error", "message"), BAD_INPUTS)
def test_bad_input_is_refused_in_words(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_refused_curve_leaves_no_figure_open():
    plt.close("all")
    with pytest.raises(ValueError, match="finite"):
        plotting.plot_curves([1], {"a": [np.inf]}, xlabel="x", ylabel="y")
    assert not plt.get_fignums()


def test_two_curves_have_a_legend():
    figure = plotting.plot_curves([1, 2], {"a": [3, 4], "b": [1, 2]}, xlabel="x", ylabel="y")
    legend = figure.axes[0].get_legend()
    assert legend is not None
    assert not legend.get_frame_on()  # the style leaves it out, on screens and on paper
