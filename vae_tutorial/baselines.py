"""The methods a VAE has to beat, with its interface: raw pixels, PCA, and search by tag.

``Pixels`` and ``PCA`` turn images into descriptors by ``fit`` and ``encode``. ``MetadataFilter``
never looks at an image.
"""

import numpy as np
from numpy.typing import ArrayLike

from vae_tutorial._checks import check_count, check_images, check_labels, check_matrix
from vae_tutorial._words import _


class Pixels:
    """Use the pixels themselves as the descriptor: row by row, nothing learned.

    Introduced in chapter 1.

    Examples
    --------
    >>> images = np.zeros((3, 28, 28, 1), dtype=np.float32)
    >>> Pixels().fit(images).encode(images).shape
    (3, 784)
    """

    checks_images = True  # encode does, so an index need not

    def fit(self, images: ArrayLike) -> "Pixels":
        """Check ``images`` and return the object itself: there is nothing to learn."""
        check_images(images)
        return self

    def encode(self, images: ArrayLike) -> np.ndarray:
        """Return ``images``, (n, height, width, channels), as rows of pixels, float32."""
        return _flatten(check_images(images))


class PCA:
    r"""Principal component analysis: the directions in which the training images vary most.

    .. math:: X - \mathbf 1 \bar x^\top = U S V^\top, \qquad
              \text{descriptor}(x) = V_d^\top (x - \bar x)

    with one flattened image a row of X, and the d columns of V with the largest singular values.
    Of all linear maps to d numbers and back it has the least squared error.
    Source: Pearson (1901); Bishop (2006), section 12.1. Introduced in chapter 1.

    Parameters
    ----------
    n_components : int
        Length of the descriptor, from 1 to the smaller of images and pixels.

    Attributes
    ----------
    mean_ : array (pixels,), float64
        The mean training image, flattened.
    components_ : array (n_components, pixels), float64
        Orthonormal rows, the largest variance first. The entry of largest magnitude in each is
        positive: a singular vector may come with either sign, and computers differ.
    explained_variance_ratio_ : array (n_components,), float64
        Each component's share of the training images' variance.

    Raises
    ------
    TypeError, ValueError
        If ``n_components`` is not a whole number from 1.

    Examples
    --------
    >>> images = np.random.default_rng(0).uniform(size=(20, 4, 4, 1))
    >>> pca = PCA(n_components=2).fit(images)
    >>> pca.encode(images).shape
    (20, 2)
    """

    checks_images = True  # encode does, so an index need not

    def __init__(self, n_components: int):
        self.n_components = check_count(n_components, "n_components")
        self.image_shape: tuple[int, ...] | None = None

    def fit(self, images: ArrayLike) -> "PCA":
        """Find the mean and the components of ``images``; return the object itself.

        Descriptors (n, dim) will do as well. It is a ValueError if all are the same, too few, or
        too small for ``n_components``.
        """
        images = _images_or_rows(images)
        pixels = _flatten(images).astype(np.float64)
        check_count(self.n_components, "n_components", at_most=min(pixels.shape))
        if (pixels == pixels[0]).all():
            raise ValueError(
                _("images are all the same, so no direction varies; pass different ones")
            )
        self.image_shape = images.shape[1:]
        self.mean_ = pixels.mean(axis=0)
        variances, directions = _principal(pixels - self.mean_)
        self.explained_variance_ratio_ = (variances / variances.sum())[: self.n_components]
        self.components_ = _largest_entry_positive(directions[: self.n_components])
        return self

    def encode(self, images: ArrayLike) -> np.ndarray:
        """Return ``images`` projected on the components, (n, n_components), float32."""
        shape = self._fitted_shape()
        images = _images_or_rows(images)
        if images.shape[1:] != shape:
            raise ValueError(
                _(
                    "images must have shape (n, {sizes}) like those that were fitted, got {shape}; "
                    "resize them, or fit a new PCA",
                    sizes=", ".join(map(str, shape)),
                    shape=images.shape,
                )
            )
        return ((_flatten(images) - self.mean_) @ self.components_.T).astype(np.float32)

    def decode(self, descriptors: ArrayLike) -> np.ndarray:
        """Return the images that ``descriptors``, (n, n_components), stand for, float32.

        The mean image plus a sum of components; values may leave [0, 1] a little.
        """
        shape = self._fitted_shape()
        descriptors = check_matrix(descriptors, "descriptors", columns=self.n_components)
        pixels = descriptors @ self.components_ + self.mean_
        return pixels.astype(np.float32).reshape(-1, *shape)

    def _fitted_shape(self) -> tuple[int, ...]:
        if self.image_shape is None:
            raise ValueError(_("this PCA has not been fitted; call .fit(images) first"))
        return self.image_shape


class MetadataFilter:
    """Search by tag: find the images somebody has labelled, in gallery order.

    The search cannot rank, and an image without a tag is never found.
    Introduced in chapter 1.

    Parameters
    ----------
    labels : array (n_gallery,), int
        One tag an image, from 0; -1 where there is none.

    Raises
    ------
    TypeError, ValueError
        If ``labels`` are not as above.

    Examples
    --------
    >>> MetadataFilter([3, -1, 3, 0, 3]).search(3, k=2)
    array([0, 2])
    """

    def __init__(self, labels: ArrayLike):
        self.labels = check_labels(labels)
        if self.labels.min() < -1:
            raise ValueError(
                _(
                    "labels must be at least 0, or -1 for an image without a tag, got {low}; "
                    "number the tags from 0",
                    low=self.labels.min(),
                )
            )

    def search(self, label: int, k: int) -> np.ndarray:
        """Return the places of the first ``k`` images tagged ``label``, in gallery order, int64."""
        label = check_count(label, "label", at_least=0)
        k = check_count(k, "k")
        return np.flatnonzero(self.labels == label)[:k].astype(np.int64)


def _images_or_rows(images: ArrayLike) -> np.ndarray:
    return check_matrix(images, "images") if np.ndim(images) == 2 else check_images(images)


def _flatten(images: np.ndarray) -> np.ndarray:
    return images.reshape(len(images), -1)


def _principal(centred: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the squared singular values of a matrix, falling, and its right singular vectors.

    Of a tall matrix they are the eigenvalues and eigenvectors of a small one, found far sooner.
    """
    if len(centred) > centred.shape[1]:
        squares, vectors = np.linalg.eigh(centred.T @ centred)
        return squares[::-1].clip(min=0), vectors.T[::-1]  # rounding may leave -1e-12 for 0
    _left, singular_values, directions = np.linalg.svd(centred, full_matrices=False)
    return singular_values**2, directions


def _largest_entry_positive(directions: np.ndarray) -> np.ndarray:
    largest = np.abs(directions).argmax(axis=1)[:, np.newaxis]
    return directions * np.sign(np.take_along_axis(directions, largest, axis=1))
