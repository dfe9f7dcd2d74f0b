"""Exact nearest-neighbour search over descriptors: encode a gallery once, search it many times."""

import os
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike

from vae_tutorial import _index_file
from vae_tutorial._checks import check_choice, check_count, check_images, check_number
from vae_tutorial._exact import METRICS, ExactSearch, check_descriptors
from vae_tutorial._rankings import check_places
from vae_tutorial._words import _
from vae_tutorial.neighbours import expand
from vae_tutorial.progress import Progress

__all__ = ["METRICS", "ImageIndex", "expand"]


class _Encodes(Protocol):
    # All that an index asks of an encoder: a method of this name, whatever its argument is called.
    def encode(self, images: np.ndarray, /) -> np.ndarray: ...


class ImageIndex:
    r"""Gallery of descriptors that is searched exactly.

    Euclidean distance :math:`\lVert q - g \rVert`; cosine distance
    :math:`1 - q \cdot g / (\lVert q \rVert \lVert g \rVert)`, where a descriptor of zeros has no
    direction, its distance to everything is 1; or inner product, where larger is nearer: the
    distances are then the *negative* products :math:`-q \cdot g`, so that here too the smaller is
    the nearer. Candidates are picked in float32 with a margin for rounding, their distances
    computed in float64: the answer is that of comparing the query with every image. Equal distances
    are in gallery order. Introduced in chapter 1.

    Parameters
    ----------
    encoder : object with ``encode(images) -> (n, dim)``, or None
        A fitted baseline or a trained model; ``None`` for an index of ready-made descriptors. An
        encoder whose class says ``checks_images = True`` beside its ``encode`` refuses bad images
        by itself; for any other one the index does.
    metric : {"euclidean", "cosine", "inner_product"}
        Distance between descriptors.
    batch_size : int
        Images encoded at a time.

    Raises
    ------
    TypeError, ValueError
        If the encoder cannot encode, or another argument is not one of the above.

    Examples
    --------
    >>> from vae_tutorial.baselines import Pixels
    >>> images = np.array([0.0, 0.2, 1.0]).reshape(3, 1, 1, 1)
    >>> index = ImageIndex(Pixels().fit(images))
    >>> index.add(images)
    >>> distances, indices = index.search(images[:1] + 0.15, k=2)
    >>> indices
    array([[1, 0]])
    """

    def __init__(
        self, encoder: _Encodes | None, *, metric: str = "euclidean", batch_size: int = 512
    ):
        if encoder is not None and not callable(getattr(encoder, "encode", None)):
            raise TypeError(
                _(
                    "encoder must have a method encode(images), got {kind}; pass a trained VAE, a "
                    "fitted baseline, or None for ready-made descriptors",
                    kind=type(encoder).__name__,
                )
            )
        self.encoder = encoder
        self.metric = check_choice(metric, "metric", METRICS)
        self.batch_size = check_count(batch_size, "batch_size")
        self.image_shape: tuple[int, ...] | None = None
        self._parts: list[np.ndarray] = []
        self._size = 0
        self._search: ExactSearch | None = None

    def __len__(self) -> int:
        return self._size

    @property
    def descriptors(self) -> np.ndarray:
        """The gallery's descriptors, float32 (n, dim), read-only."""
        return self._prepared().gallery

    def add(self, images: ArrayLike, *, progress: bool | None = None) -> None:
        """Encode ``images`` once and append them to the gallery.

        ``progress`` shows how far the work has come; by default when it takes over 20 batches.
        """
        self._append(self._encode(images, progress))
        self.image_shape = np.shape(images)[1:]

    def add_descriptors(self, descriptors: ArrayLike) -> None:
        """Append ready-made ``descriptors``, (n, dim), to the gallery."""
        added = check_descriptors(descriptors, "descriptors", columns=self._columns())
        self._append(added.copy())  # the caller's array stays the caller's

    def search(
        self, images: ArrayLike, k: int, *, exclude: ArrayLike | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the ``k`` nearest gallery images of each query image.

        Parameters
        ----------
        images : array (n, height, width, channels), float in [0, 1]
            The queries.
        k : int
            Results a query, at most the size of the gallery.
        exclude : array (n,) of int, optional
            Each query's own place in the gallery, which is left out; -1 where it is not there.

        Returns
        -------
        distances : array (n, k), float32
            Ascending.
        indices : array (n, k), int64
            Places in the gallery, in the order the images were added.
        """
        self._prepared()
        return self._nearest(self._encode(images, None), k, exclude)

    def search_descriptors(
        self, descriptors: ArrayLike, k: int, *, exclude: ArrayLike | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the ``k`` nearest gallery images of queries that are already encoded.

        Parameters
        ----------
        descriptors : array (n, dim), float
            The queries.
        k : int
            Results a query, at most the size of the gallery.
        exclude : array (n,) of int, optional
            Each query's own place in the gallery, which is left out; -1 where it is not there.

        Returns
        -------
        distances, indices : as :meth:`search`
        """
        return self._nearest(self._check_queries(descriptors), k, exclude)

    def search_within(
        self, images: ArrayLike, radius: float, *, exclude: ArrayLike | None = None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return all gallery images that are no farther than ``radius`` from each query image.

        Parameters
        ----------
        images : array (n, height, width, channels), float in [0, 1]
            The queries.
        radius : float
            Largest distance, itself included; compared in float32, as distances are returned. With
            ``metric="inner_product"`` a negative product: -0.8 asks for products of 0.8 and more.
        exclude : array (n,) of int, optional
            Each query's own place in the gallery, which is left out; -1 where it is not there.

        Returns
        -------
        limits : array (n + 1,), int64
            The results of query i are entries ``limits[i]`` to ``limits[i + 1] - 1`` of the other
            two, as FAISS's ``range_search`` has it.
        distances : array (limits[-1],), float32
            Ascending for each query.
        indices : array (limits[-1],), int64
            Places in the gallery; equal distances are in gallery order.
        """
        self._prepared()
        return self._within(self._encode(images, None), radius, exclude)

    def search_within_descriptors(
        self, descriptors: ArrayLike, radius: float, *, exclude: ArrayLike | None = None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return all gallery images within ``radius`` of queries that are already encoded.

        Parameters
        ----------
        descriptors : array (n, dim), float
            The queries.
        radius : float
            Largest distance, itself included, as for :meth:`search_within`.
        exclude : array (n,) of int, optional
            Each query's own place in the gallery, which is left out; -1 where it is not there.

        Returns
        -------
        limits, distances, indices : as :meth:`search_within`
        """
        return self._within(self._check_queries(descriptors), radius, exclude)

    def save(self, path: str | os.PathLike) -> None:
        """Write the index to ``path`` in NumPy's npz format, whole or not at all.

        A link is followed. With the descriptors goes what the encoder makes of four images, by
        which :meth:`load` knows it. Where no images were added and the encoder has no
        ``image_shape``, their shape is not known: a ValueError asks for it.
        """
        shape = tuple(self.image_shape or getattr(self.encoder, "image_shape", None) or ())
        if self.encoder is not None and len(shape) != 3:
            raise ValueError(
                _(
                    "the file could not tell this encoder from another one: only descriptors were "
                    "added, and the encoder has no image_shape; set index.image_shape to (height, "
                    "width, channels), or make an index with encoder None"
                )
            )
        content: dict[str, Any] = {
            "metric": np.array(self.metric),
            "image_shape": np.array(self.image_shape or (), dtype=np.int64),
            "probe_shape": np.array(shape, dtype=np.int64),
            "descriptors": self.descriptors,
            "probe": _probe(self.encoder, shape),
        }
        _index_file.write(path, content)

    @classmethod
    def load(
        cls, path: str | os.PathLike, encoder: _Encodes | None, *, batch_size: int = 512
    ) -> "ImageIndex":
        """Read an index; refuse a damaged file or another encoder than the one that made it.

        Parameters
        ----------
        path : str or Path
            A file that :meth:`save` wrote.
        encoder : object with ``encode(images)``, or None
            The encoder of the gallery.
        batch_size : int
            Images encoded at a time.

        Returns
        -------
        ImageIndex
        """
        content = _index_file.read(path)
        if "metric" not in content:
            raise ValueError(_("{path} holds a graph; use GraphDescriptor.load", path=path))
        index = cls(encoder, metric=str(content["metric"]), batch_size=batch_size)
        index.image_shape = tuple(int(size) for size in content["image_shape"]) or None
        # The first edition wrote no shape of the probe: it was that of the gallery's images.
        shape = content.get("probe_shape", content["image_shape"])
        # A gallery of ready-made descriptors can do without its encoder.
        if encoder is not None or index.image_shape is not None:
            _check_encoder(encoder, tuple(map(int, shape)), content["probe"], path)
        index.add_descriptors(content["descriptors"])
        return index

    def _encode(self, images: ArrayLike, progress: bool | None) -> np.ndarray:
        if self.encoder is None:
            raise ValueError(
                _("this index has no encoder; use add_descriptors, search_descriptors")
            )
        images = np.asarray(images)
        if images.ndim != 4 or images.size == 0 or not _checks_images(self.encoder):
            images = check_images(images)
        if self.image_shape is not None and images.shape[1:] != self.image_shape:
            raise ValueError(
                _(
                    "images must have shape (n, {sizes}) as the gallery's, got {shape}; resize "
                    "them",
                    sizes=", ".join(map(str, self.image_shape)),
                    shape=images.shape,
                )
            )
        starts = range(0, len(images), self.batch_size)
        shown = len(starts) > 20 if progress is None else progress
        parts = []
        title = _("Encoding {count:,} images", count=len(images))
        with Progress(title, len(starts), enabled=shown) as steps:
            for start in starts:
                parts.append(self.encoder.encode(images[start : start + self.batch_size]))
                steps.step()
        descriptors = np.concatenate(parts)
        if len(descriptors) != len(images):
            raise ValueError(
                _(
                    "the encoder gave {count} descriptors for {images} images; encode must "
                    "return one row an image",
                    count=len(descriptors),
                    images=len(images),
                )
            )
        return check_descriptors(descriptors, _("the encoder's output"), columns=self._columns())

    def _append(self, descriptors: np.ndarray) -> None:
        # Joined at the next search: joined here, each of many small additions would copy them all.
        self._parts.append(descriptors)
        self._size += len(descriptors)
        self._search = None

    def _columns(self) -> int | None:
        return self._parts[0].shape[1] if self._parts else None

    def _prepared(self) -> ExactSearch:
        if not self._parts:
            raise ValueError(_("the gallery is empty; call add(images) first"))
        if self._search is None:
            if len(self._parts) > 1:
                self._parts = [np.concatenate(self._parts)]
            self._parts[0].flags.writeable = False
            self._search = ExactSearch(self._parts[0], self.metric)
        return self._search

    def _check_queries(self, descriptors: ArrayLike) -> np.ndarray:
        self._prepared()
        return check_descriptors(descriptors, "descriptors", columns=self._columns())

    def _nearest(
        self, queries: np.ndarray, k: int, exclude: ArrayLike | None
    ) -> tuple[np.ndarray, np.ndarray]:
        own = self._check_exclude(exclude, len(queries))
        own_left_out = own is not None and bool((own >= 0).any())
        k = check_count(k, "k", at_most=len(self) - own_left_out)
        return self._prepared().nearest(queries, k, own)

    def _within(
        self, queries: np.ndarray, radius: float, exclude: ArrayLike | None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        own = self._check_exclude(exclude, len(queries))
        lowest = -np.inf if self.metric == "inner_product" else 0
        radius = check_number(radius, "radius", at_least=lowest)
        return self._prepared().within(queries, radius, own)

    def _check_exclude(self, exclude: ArrayLike | None, n_queries: int) -> np.ndarray | None:
        if exclude is None:
            return None
        own = check_places(exclude, "exclude", axes=1, length=n_queries)
        if own.min() < -1 or own.max() >= len(self):
            raise ValueError(
                _(
                    "exclude must hold places from 0 to {last}, or -1 for none, got {low} to "
                    "{high}",
                    last=len(self) - 1,
                    low=own.min(),
                    high=own.max(),
                )
            )
        return own


def _checks_images(encoder: _Encodes) -> bool:
    """Tell whether the class that defines ``encode`` says that it refuses bad images itself."""
    for kind in type(encoder).__mro__:
        if "encode" in vars(kind):
            return bool(vars(kind).get("checks_images", False))
    return False


def _probe(encoder: _Encodes | None, shape: tuple[int, ...]) -> np.ndarray:
    """Descriptors of four fixed random images: what tells one encoder from another."""
    if encoder is None or not shape:
        return np.zeros((0, 0), np.float32)
    images = np.random.default_rng(0).random((4, *shape), dtype=np.float32)
    return np.asarray(encoder.encode(images), dtype=np.float32)


def _check_encoder(
    encoder: _Encodes | None, shape: tuple[int, ...], expected: np.ndarray, path: object
) -> None:
    refusal = _("{path} was made by another encoder than the one given", path=path)
    mend = _("load that encoder's weights, or add the images again")
    try:
        probe = _probe(encoder, shape)
    except Exception as error:  # encoders differ in what they raise on images of another shape
        raise ValueError(
            _(
                "{refusal}, which cannot encode its images ({error}); {mend}",
                refusal=refusal,
                error=error,
                mend=mend,
            )
        ) from error
    scale = np.abs(expected).max(initial=0.0)
    # Another processor rounds differently; another encoder is worlds apart.
    if probe.shape != expected.shape or not np.allclose(probe, expected, atol=1e-3 * scale):
        raise ValueError(
            _(
                "{refusal}: their descriptors of the same images differ; {mend}",
                refusal=refusal,
                mend=mend,
            )
        )
