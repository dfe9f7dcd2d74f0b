"""Features made by hand: histograms of oriented gradients, and images that are set upright first.

The strongest search by features before networks, with the interface of the other baselines.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from vae_tutorial._checks import check_count, check_images
from vae_tutorial._words import _
from vae_tutorial.baselines import PCA

__all__ = ["HOG", "Upright", "upright"]

HOG_ROWS = 500  # images at a time: some 60 MB of gradients of 28 x 28 pixels


class HOG:
    r"""Histograms of oriented gradients: how much edge of each direction lies where.

    Each pixel votes with the length of its gradient for one of ``orientations`` directions,

    .. math:: \nabla x = (x_{r+1,c} - x_{r-1,c},\; x_{r,c+1} - x_{r,c-1}), \qquad
              \theta = \arctan\frac{\nabla_r x}{\nabla_c x} \bmod 180^\circ,

    the votes of a cell are averaged, and each block of cells is scaled to length 1, cut at 0.2 and
    scaled again, so that contrast and lighting matter little. Nothing is learned. With
    ``n_components`` a :class:`vae_tutorial.baselines.PCA` shortens the result. Agrees with
    scikit-image's ``hog``.
    Source: Dalal and Triggs (2005). Introduced in chapter 1.

    Parameters
    ----------
    cell : int
        Height and width of a cell, in pixels; pixels beyond the last whole cell do not count.
    orientations : int
        Directions, evenly spaced over 180 degrees.
    block : int
        Height and width of a block, in cells; blocks overlap, one for each place.
    n_components : int, optional
        Numbers that PCA keeps; without it all are kept.

    Raises
    ------
    TypeError, ValueError
        If an argument is not a whole number from 1.

    Examples
    --------
    >>> images = np.random.default_rng(0).uniform(size=(20, 28, 28, 1))
    >>> HOG().fit(images).encode(images).shape
    (20, 1296)
    >>> HOG(n_components=8).fit(images).encode(images).shape
    (20, 8)
    """

    checks_images = True  # encode does, so an index need not

    def __init__(
        self,
        cell: int = 4,
        orientations: int = 9,
        block: int = 2,
        n_components: int | None = None,
    ):
        self.cell = check_count(cell, "cell")
        self.orientations = check_count(orientations, "orientations")
        self.block = check_count(block, "block")
        self.pca = None if n_components is None else PCA(n_components)

    def fit(self, images: ArrayLike) -> "HOG":
        """Fit the PCA, if there is one, on the histograms of ``images``; return the object."""
        histograms = self._histograms(images)
        if self.pca is not None:
            self.pca.fit(histograms)
        return self

    def encode(self, images: ArrayLike) -> np.ndarray:
        """Return the descriptors of ``images``, (n, height, width, channels), float32."""
        histograms = self._histograms(images)
        if self.pca is None:
            return histograms
        return self.pca.encode(histograms)

    def _histograms(self, images: ArrayLike) -> np.ndarray:
        images = check_images(images)
        least = self.cell * self.block
        if min(images.shape[1:3]) < least:
            raise ValueError(
                _(
                    "images must have at least {least} x {least} pixels, one block of cells, got "
                    "{height} x {width}; enlarge them, or use smaller cells",
                    least=least,
                    height=images.shape[1],
                    width=images.shape[2],
                )
            )
        starts = range(0, len(images), HOG_ROWS)
        return np.concatenate([self._of_block(images[i : i + HOG_ROWS]) for i in starts])

    def _of_block(self, images: np.ndarray) -> np.ndarray:
        """Return the histograms of a few images, (n, numbers), float32."""
        strength, bins = _gradients(images.astype(np.float64), self.orientations)
        n, rows, columns = len(images), *(size // self.cell for size in images.shape[1:3])
        inside = np.s_[:, : rows * self.cell, : columns * self.cell]
        cells = np.empty((n, rows, columns, self.orientations))
        for direction in range(self.orientations):
            votes = np.where(bins == direction, strength, 0.0)[inside]
            shape = (n, rows, self.cell, columns, self.cell)
            cells[..., direction] = votes.reshape(shape).mean(axis=(2, 4))
        windows = np.lib.stride_tricks.sliding_window_view(cells, (self.block,) * 2, (1, 2))
        # A block's numbers lie together: cell by cell, direction by direction.
        blocks = np.moveaxis(windows, 3, -1).reshape(*windows.shape[:3], -1)
        blocks = _to_length_one(np.minimum(_to_length_one(blocks), 0.2))
        return blocks.reshape(n, -1).astype(np.float32)


def _gradients(images: np.ndarray, orientations: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the length of each pixel's gradient and its direction's number, both (n, h, w).

    At the border the difference is 0; of several channels the one with the longest gradient counts.
    """
    down, right = np.zeros_like(images), np.zeros_like(images)
    down[:, 1:-1] = images[:, 2:] - images[:, :-2]
    right[:, :, 1:-1] = images[:, :, 2:] - images[:, :, :-2]
    lengths = np.hypot(down, right)
    channel = lengths.argmax(axis=-1)[..., np.newaxis]
    down, right, lengths = (
        np.take_along_axis(values, channel, axis=-1)[..., 0] for values in (down, right, lengths)
    )
    degrees = np.rad2deg(np.arctan2(down, right)) % 180
    return lengths, (degrees / (180 / orientations)).astype(int) % orientations


def _to_length_one(blocks: np.ndarray) -> np.ndarray:
    return blocks / np.sqrt((blocks**2).sum(axis=-1, keepdims=True) + 1e-10)


class Upright:
    r"""Set each image upright by its moments, then describe it with another encoder.

    The centre of brightness moves to the centre of the image, and a shear straightens the slant:

    .. math:: s = \frac{\sum_{r,c} x_{r,c}\,(r - \bar r)(c - \bar c)}
                       {\sum_{r,c} x_{r,c}\,(r - \bar r)^2}

    says how many pixels a stroke moves to the right for each row down, and each row is moved back
    by as much. Nothing is learned, and no label is used. For bright things on a dark ground; an
    image that is black all over stays as it is. Source: moments, Hu (1962); slant, for example
    LeCun et al. (1998), who call the digits deslanted. Introduced in chapter 1.

    Parameters
    ----------
    encoder : object with ``encode(images) -> (n, dim)``
        What describes the images that were set upright; ``fit`` fits it too, where it can be.

    Raises
    ------
    TypeError
        If the encoder cannot encode.

    Examples
    --------
    >>> images = np.zeros((2, 8, 8, 1))
    >>> from vae_tutorial.baselines import Pixels
    >>> images[0, 1:4, 2], images[1, 3:6, 5] = 1.0, 1.0
    >>> first, second = Upright(Pixels()).encode(images)
    >>> bool((first == second).all())
    True
    """

    checks_images = True  # encode does, so an index need not

    def __init__(self, encoder: Any):
        if not callable(getattr(encoder, "encode", None)):
            raise TypeError(
                _(
                    "encoder must have a method encode(images), got {kind}; pass Pixels(), "
                    "PCA(32), HOG() or a trained model",
                    kind=type(encoder).__name__,
                )
            )
        self.encoder = encoder

    def fit(self, images: ArrayLike) -> "Upright":
        """Fit the encoder on ``images`` that were set upright; return the object itself."""
        if callable(getattr(self.encoder, "fit", None)):
            self.encoder.fit(upright(images))
        return self

    def encode(self, images: ArrayLike) -> np.ndarray:
        """Return what the encoder makes of ``images`` that were set upright."""
        return self.encoder.encode(upright(images))


def upright(images: ArrayLike) -> np.ndarray:
    """Return images moved to their centre of brightness and sheared until they stand upright.

    As :class:`Upright` has it, by linear interpolation, with zeros from outside the image.
    Introduced in chapter 1.

    Parameters
    ----------
    images : array (n, height, width, channels), float in [0, 1]
        Bright things on a dark ground.

    Returns
    -------
    array like ``images``, float32

    Raises
    ------
    ValueError, TypeError
        If images are not of that shape, or their values outside [0, 1].

    Examples
    --------
    >>> slanted = np.eye(5).reshape(1, 5, 5, 1)
    >>> upright(slanted)[0, :, :, 0].round(2)[:, 2]
    array([1., 1., 1., 1., 1.], dtype=float32)
    """
    images = check_images(images)
    starts = range(0, len(images), HOG_ROWS)
    return np.concatenate([_upright_block(images[i : i + HOG_ROWS]) for i in starts])


def _upright_block(images: np.ndarray) -> np.ndarray:
    brightness = images.mean(axis=-1, dtype=np.float64)
    height, width = brightness.shape[1:]
    r, c = np.arange(height)[:, np.newaxis], np.arange(width)
    total = brightness.sum(axis=(1, 2), keepdims=True)
    share = brightness / np.where(total > 0, total, 1)
    centre_r = (share * r).sum(axis=(1, 2), keepdims=True)
    centre_c = (share * c).sum(axis=(1, 2), keepdims=True)
    spread = (share * (r - centre_r) ** 2).sum(axis=(1, 2), keepdims=True)
    slant = (share * (r - centre_r) * (c - centre_c)).sum(axis=(1, 2), keepdims=True)
    slant = slant / np.where(spread > 1e-9, spread, np.inf)
    from_middle = r - (height - 1) / 2
    row = centre_r + from_middle + 0 * c
    column = centre_c + (c - (width - 1) / 2) + slant * from_middle
    moved = _read_between(images, row, column)
    return np.where(total[..., np.newaxis] > 0, moved, images).astype(np.float32)


def _read_between(images: np.ndarray, row: np.ndarray, column: np.ndarray) -> np.ndarray:
    """Return images at places between their pixels, (n, height, width); outside they are 0."""
    n, height, width, _ = images.shape
    framed = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)))
    row, column = row.clip(-1, height) + 1, column.clip(-1, width) + 1
    above = np.minimum(row.astype(int), height)
    left = np.minimum(column.astype(int), width)
    down, right = (row - above)[..., np.newaxis], (column - left)[..., np.newaxis]
    each = np.arange(n)[:, np.newaxis, np.newaxis]
    top = framed[each, above, left] * (1 - right) + framed[each, above, left + 1] * right
    below = framed[each, above + 1, left] * (1 - right) + framed[each, above + 1, left + 1] * right
    return top * (1 - down) + below * down
