"""The book's figures: one style, strips of search results, reconstructions and curves."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from vae_tutorial._checks import check_count
from vae_tutorial._drawn import check_curve, check_pictures, check_reconstructions, check_results
from vae_tutorial._words import _

# After Okabe and Ito, so told apart by readers with any colour vision. Three of theirs are too
# light for lines on white; these are seen on white and on the website's dark ground (3:1 and more).
BLUE, ORANGE, GREEN = "#0072B2", "#B87F00", "#009E73"
VERMILLION, PURPLE, SKY = "#D55E00", "#B04E8C", "#2F9DC8"
CRIMSON, GREY = "#C8305A", "#7F7F7F"
PALETTE = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY)
LINE_STYLES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (1, 1)))
# Inches. Panels in a row take all of a page: a phone stacks them. A phone shrinks a single chart or
# a grid of images, so these are narrow, and their words still have 10 pixels on one of 360.
WIDTH, NARROW = 6.5, 5.4
FONT_SIZE = 12  # points

# What every figure of the book draws a method with. The marker says what kind of thing it is: a
# circle what is made by hand, a triangle the same of upright images, a square an encoder, a diamond
# a VAE, a triangle on its tip a code of bits. The colours keep apart what has the same marker.
METHODS = {
    "pixels": (GREY, "o"),
    "PCA": (BLUE, "o"),
    "HOG": (SKY, "o"),
    "upright pixels": (GREY, "^"),
    "upright PCA": (BLUE, "^"),
    "upright HOG": (SKY, "^"),
    "autoencoder": (VERMILLION, "s"),
    "view autoencoder": (PURPLE, "s"),
    "HOG view autoencoder": (GREEN, "s"),
    "contrastive encoder": (BLUE, "s"),
    "supervised encoder": (GREY, "s"),
    "VAE": (VERMILLION, "D"),
    "dense VAE": (ORANGE, "d"),
    "view VAE": (PURPLE, "D"),
    "HOG view VAE": (GREEN, "D"),
    "graph view VAE": (BLUE, "D"),
    "pair VAE": (CRIMSON, "D"),
    "LSH": (GREY, "v"),
    "ITQ": (BLUE, "v"),
    "binary view VAE": (SKY, "D"),
}
_LINES = {"o": "--", "^": ":", "s": "-.", "D": "-", "d": "-", "v": (0, (1, 1))}
# The same methods under the names that tables and studies give them.
_SAME = {
    "raw pixels": "pixels",
    "HOG, PCA": "HOG",
    "upright HOG, PCA": "upright HOG",
    "pixels, upright": "upright pixels",
    "PCA, upright": "upright PCA",
    "HOG, upright": "upright HOG",
    "plain autoencoder": "autoencoder",
    "plain VAE": "VAE",
    "convolutional VAE": "VAE",
    "VAE, convolutional": "VAE",
    "VAE, dense": "dense VAE",
    "view VAE, quantised": "view VAE",
    "binary view VAE, 64 bits": "binary view VAE",
}


def use_book_style() -> None:
    """Set Matplotlib's defaults to the book's style. Introduced in chapter 1.

    Every colour is set, those of Matplotlib's own defaults too, so that a style chosen before, such
    as a dark one, leaves no white text on the book's white ground.

    Examples
    --------
    >>> use_book_style()
    >>> plt.rcParams["axes.spines.top"]
    False
    """
    colours = plt.cycler(color=PALETTE)
    defaults = {name: plt.rcParamsDefault[name] for name in plt.rcParams if name.endswith("color")}
    plt.rcParams.update(
        defaults
        | {
            "figure.figsize": (NARROW, 3.4),
            "figure.dpi": 115,
            "figure.constrained_layout.use": True,
            "figure.facecolor": "white",
            "savefig.facecolor": "white",
            "font.size": FONT_SIZE,
            "axes.titlesize": FONT_SIZE,
            "axes.titlelocation": "left",
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "axes.axisbelow": True,
            "axes.prop_cycle": colours,
            "grid.color": "#DDDDDD",
            "grid.linewidth": 0.7,
            "lines.linewidth": 2.0,
            "legend.frameon": False,
            "image.cmap": "gray",
            # Pixels stay pixels; and a figure that is stored as SVG has each of them once.
            "image.interpolation": "none",
            # Words stay words, which a page can set in its own colour and a reader can search.
            "svg.fonttype": "none",
            "svg.hashsalt": "vae_tutorial",
        }
    )


def style_of(name: str, *, bar: bool = False) -> dict[str, Any]:
    """Return how the book draws a method, as keyword arguments for Matplotlib.

    Introduced in chapter 1.

    Every figure takes colour, marker and line of a method from here, so that a reader who has seen
    a method once knows it again. ``METHODS`` lists colour and marker of each.

    Parameters
    ----------
    name : str
        A method as ``METHODS`` calls it, or as the book's tables do ("plain VAE", "VAE, dense").
    bar : bool
        Whether to leave out what bars and areas do not take: marker and line style.

    Returns
    -------
    dict
        ``color``, ``marker`` and ``linestyle``; for bars ``color`` alone.

    Raises
    ------
    ValueError
        If the book knows no method of that name.

    Examples
    --------
    >>> style_of("view VAE")
    {'color': '#B04E8C', 'marker': 'D', 'linestyle': '-'}
    >>> style_of("plain VAE") == style_of("VAE")
    True
    >>> style_of("PCA", bar=True)
    {'color': '#0072B2'}
    """
    known = _SAME.get(name, name)
    if known not in METHODS:
        raise ValueError(
            _(
                "no method is named {name!r}; name one of {names}, or pass Matplotlib a colour and "
                "a marker of your own",
                name=name,
                names=", ".join(METHODS),
            )
        )
    colour, marker = METHODS[known]
    if bar:
        return {"color": colour}
    return {"color": colour, "marker": marker, "linestyle": _LINES[marker]}


def show_images(
    images: ArrayLike, *, titles: Sequence[str] | None = None, columns: int = 10
) -> Figure:
    """Show images in a grid, row by row. Introduced in chapter 1.

    Parameters
    ----------
    images : array (n, height, width, channels), float in [0, 1]
        One channel is shown as grey, three as red, green and blue.
    titles : sequence of str, optional
        One for each image.
    columns : int
        Images in a row.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError, TypeError
        If the images, the number of titles or of columns do not fit.

    Examples
    --------
    >>> figure = show_images(np.zeros((3, 8, 8, 1)), titles=["a", "b", "c"], columns=2)
    >>> len(figure.axes)
    4
    >>> plt.close(figure)
    """
    images = check_pictures(images, "images")
    columns = min(check_count(columns, "columns"), len(images))
    if titles is not None and len(titles) != len(images):
        raise ValueError(
            _(
                "expected {count} titles, got {got}; give one an image",
                count=len(images),
                got=len(titles),
            )
        )
    rows = -(-len(images) // columns)
    figure, axes = _grid(rows, columns, titled=titles is not None)
    for position, axis in enumerate(axes.flat):
        if position < len(images):
            _draw(axis, images[position])
            axis.set_title("" if titles is None else titles[position], loc="center")
    return figure


def show_results(
    query_images: ArrayLike,
    result_images: ArrayLike,
    correct: ArrayLike | None = None,
    *,
    query_titles: Sequence[str] | None = None,
) -> Figure:
    """Show queries, each followed by its results in order of rank. Introduced in chapter 1.

    A right result has a solid green frame and a tick, a wrong one a dashed red frame and a cross.

    Parameters
    ----------
    query_images : array (n_queries, height, width, channels), float in [0, 1]
        One row each.
    result_images : array (n_queries, k, height, width, channels), float in [0, 1]
        Best result first.
    correct : array (n_queries, k) of bool, optional
        Whether each result is relevant; without it no result is marked.
    query_titles : sequence of str, optional
        Written to the left of each row.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError, TypeError
        If the shapes do not fit together, or an image is not one.

    Examples
    --------
    >>> figure = show_results(np.zeros((1, 8, 8, 1)), np.zeros((1, 3, 8, 8, 1)), [[True] * 3])
    >>> [axis.get_title() for axis in figure.axes]
    ['query', '1', '2', '3']
    >>> plt.close(figure)
    """
    queries, results, marks = check_results(query_images, result_images, correct)
    n_queries, k = results.shape[:2]
    if query_titles is not None and len(query_titles) != n_queries:
        got = len(query_titles)
        raise ValueError(_("expected {count} query_titles, got {got}", count=n_queries, got=got))
    ratios = [1.0, 0.25, *[1.0] * k]
    figure, axes = _grid(n_queries, k + 2, titled=True, width_ratios=ratios)
    for row in range(n_queries):
        axes[row, 1].remove()  # the gap that sets the query apart
        _draw(axes[row, 0], queries[row])
        if query_titles is not None:
            axes[row, 0].set_ylabel(query_titles[row], rotation=0, ha="right", va="center")
        for rank in range(k):
            axis = axes[row, rank + 2]
            _draw(axis, results[row, rank])
            if marks is not None:
                _mark(axis, right=bool(marks[row, rank]))
    for axis, title in zip([axes[0, 0], *axes[0, 2:]], ["query", *range(1, k + 1)], strict=True):
        axis.set_title(str(title), loc="center")
    return figure


def show_reconstructions(
    images: ArrayLike,
    reconstructions: ArrayLike,
    *,
    labels: Sequence[str] = ("original", "reconstruction"),
) -> Figure:
    """Show images above their reconstructions. Introduced in chapter 3.

    Parameters
    ----------
    images : array (n, height, width, channels), float in [0, 1]
        Originals.
    reconstructions : array of the same shape, float in [0, 1]
        What a decoder made of them.
    labels : two str
        Names of the rows.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError, TypeError
        If the shapes differ, there are not two labels, or an image is not one.

    Examples
    --------
    >>> pictures = np.zeros((4, 8, 8, 1))
    >>> figure = show_reconstructions(pictures, pictures)
    >>> len(figure.axes)
    8
    >>> plt.close(figure)
    """
    rows = check_reconstructions(images, reconstructions, labels)
    figure, axes = _grid(2, len(rows[0]), titled=False, label_room=1.3)
    for row, (label, pictures) in enumerate(zip(labels, rows, strict=True)):
        axes[row, 0].set_ylabel(label, rotation=0, ha="right", va="center")
        for axis, picture in zip(axes[row], pictures, strict=True):
            _draw(axis, picture)
    return figure


def plot_curves(
    x: ArrayLike,
    series: Mapping[str, Sequence[float]],
    *,
    xlabel: str,
    ylabel: str,
    title: str = "",
) -> Figure:
    """Plot named curves over a common axis, told apart by colour and line style.

    Introduced in chapter 1.

    Parameters
    ----------
    x : array (n,), float
        Positions.
    series : mapping of str to array (n,)
        One curve a name; a single curve needs no legend.
    xlabel, ylabel : str
        Names of the axes, with units.
    title : str
        The message of the figure.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If there is no curve, more than there are colours, a wrong length, or NaN.

    Examples
    --------
    >>> figure = plot_curves([1, 2], {"a": [0, 1], "b": [1, 0]}, xlabel="epoch", ylabel="nats")
    >>> [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    ['a', 'b']
    >>> plt.close(figure)
    """
    if not 1 <= len(series) <= len(PALETTE):
        most, got = len(PALETTE), len(series)
        raise ValueError(_("series must hold 1 to {most} curves, got {got}", most=most, got=got))
    x = check_curve(x, "x", np.size(x))
    curves = {
        name: check_curve(values, _("curve {name!r}", name=name), len(x))
        for name, values in series.items()
    }
    figure, axis = plt.subplots()
    for (name, values), colour, style in zip(curves.items(), PALETTE, LINE_STYLES, strict=False):
        axis.plot(x, values, color=colour, linestyle=style, label=name)
    axis.set(xlabel=xlabel, ylabel=ylabel, title=title)
    if len(series) > 1:
        axis.legend()
    return figure


def _grid(rows: int, columns: int, *, titled: bool, width_ratios=None, label_room: float = 0.0):
    cell = (NARROW - label_room) / (sum(width_ratios) if width_ratios else columns)
    height = rows * min(cell, 1.25) + (0.3 * (1 if width_ratios else rows) if titled else 0.0)
    figure, axes = plt.subplots(
        rows,
        columns,
        figsize=(NARROW, height),
        squeeze=False,
        gridspec_kw={"width_ratios": width_ratios} if width_ratios else None,
    )
    figure.set_layout_engine("constrained", w_pad=0.04, h_pad=0.04, wspace=0.02, hspace=0.02)
    for axis in axes.flat:
        axis.set(xticks=[], yticks=[])
        axis.grid(visible=False)
        axis.spines[:].set_visible(False)
    return figure, axes


def _draw(axis, image: np.ndarray) -> None:
    axis.imshow(image, vmin=0, vmax=1, cmap="gray")


def _mark(axis, *, right: bool) -> None:
    colour, style, sign = (GREEN, "-", "✓") if right else (VERMILLION, (0, (3, 1.5)), "✗")
    axis.spines[:].set(visible=True, color=colour, linewidth=2.5, linestyle=style)
    letters = {"color": "white", "ha": "left", "va": "top", "fontfamily": "DejaVu Sans", "size": 10}
    box = {"facecolor": colour, "edgecolor": "none", "boxstyle": "round,pad=0.15"}
    axis.text(0.04, 0.96, sign, transform=axis.transAxes, bbox=box, **letters)
