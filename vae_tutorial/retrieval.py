"""Exact nearest-neighbour search over descriptors: encode a gallery once, search it many times."""

import hashlib
import io
import os
import zipfile
from pathlib import Path

import numpy as np

from vae_tutorial._checks import check_choice, check_count, check_images, check_labels, check_matrix
from vae_tutorial.progress import Progress

METRICS = ("euclidean", "cosine")
LARGEST = 1e15  # squares of larger values come near the end of float32
FORMAT = 1
SEAL = 64  # a SHA-256 in hexadecimal, the last bytes of a file
BLOCK_BYTES = 16 * 2**20  # one block of scores: small enough for the processor's cache


class ImageIndex:
    r"""Gallery of descriptors that is searched exactly.

    Euclidean distance :math:`\lVert q - g \rVert`, or cosine distance
    :math:`1 - q \cdot g / (\lVert q \rVert \lVert g \rVert)`. A descriptor of zeros has no
    direction: its cosine distance to everything is 1. Cosine distances are rounded to twelve
    decimals, so that equal directions tie whatever their lengths.

    The answer is that of comparing a query with every image in float64, equal distances in gallery
    order. Float32 only picks candidates, by
    :math:`\lVert q - g \rVert^2 = \lVert q \rVert^2 - 2 q \cdot g + \lVert g \rVert^2` and with a
    margin for its rounding. Introduced in chapter 5.

    Parameters
    ----------
    encoder : object with ``encode(images) -> (n, dim)``, or None
        A fitted baseline or a trained model; ``None`` for an index of ready-made descriptors.
    metric : {"euclidean", "cosine"}
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

    def __init__(self, encoder, *, metric: str = "euclidean", batch_size: int = 512):
        if encoder is not None and not callable(getattr(encoder, "encode", None)):
            raise TypeError(
                f"encoder must have a method encode(images), got {type(encoder).__name__}; "
                "pass a trained VAE, a fitted baseline, or None for ready-made descriptors"
            )
        self.encoder = encoder
        self.metric = check_choice(metric, "metric", METRICS)
        self.batch_size = check_count(batch_size, "batch_size")
        self.image_shape: tuple[int, ...] | None = None
        self._descriptors: np.ndarray | None = None
        self._factors: np.ndarray | None = None

    def __len__(self) -> int:
        return 0 if self._descriptors is None else len(self._descriptors)

    @property
    def descriptors(self) -> np.ndarray:
        """The gallery's descriptors, float32 (n, dim), read-only."""
        if self._descriptors is None:
            raise ValueError("the gallery is empty; call add(images) first")
        return self._descriptors

    def add(self, images, *, progress: bool | None = None) -> None:
        """Encode ``images`` once, a batch at a time, and append them to the gallery.

        ``progress`` shows how far the work has come; by default when it takes over 20 batches.
        If encoding fails the gallery stays as it was.
        """
        descriptors = self._encode(images, progress)
        self.add_descriptors(descriptors)
        self.image_shape = np.shape(images)[1:]

    def add_descriptors(self, descriptors) -> None:
        """Append ready-made ``descriptors``, (n, dim), to the gallery."""
        columns = None if self._descriptors is None else self._descriptors.shape[1]
        added = _check_descriptors(descriptors, "descriptors", columns)
        parts = [added] if self._descriptors is None else [self._descriptors, added]
        self._descriptors = np.concatenate(parts)  # a copy: the caller's array stays the caller's
        self._descriptors.flags.writeable = False
        self._factors = None

    def search(self, images, k: int, *, exclude=None) -> tuple[np.ndarray, np.ndarray]:
        """Return the ``k`` nearest gallery images of each query image.

        Parameters
        ----------
        images : array (n, height, width, channels), float in [0, 1]
            The queries.
        k : int
            Results a query, at most the size of the gallery, less one with ``exclude``.
        exclude : array (n,) of int, optional
            Each query's own place in the gallery, which is left out; -1 where it is not there.

        Returns
        -------
        distances : array (n, k), float32
            Ascending.
        indices : array (n, k), int64
            Places in the gallery, in the order the images were added.
        """
        _ = self.descriptors  # an empty gallery is refused before anything is encoded
        return self.search_descriptors(self._encode(images, None), k, exclude=exclude)

    def search_descriptors(self, descriptors, k: int, *, exclude=None):
        """Return ``(distances, indices)`` as :meth:`search`, for queries already encoded."""
        size = len(self.descriptors)
        queries = _check_descriptors(descriptors, "descriptors", self.descriptors.shape[1])
        exclude = self._check_exclude(exclude, len(queries))
        k = check_count(k, "k", at_most=size - (exclude is not None and (exclude >= 0).any()))
        if self._factors is None:
            self._prepare()
        # Few results: pick candidates and sort those. Many: sort everything.
        few = 8 * k <= size
        search_block, score_bytes = (self._nearest, 4) if few else (self._rank_all, 8)
        rows = max(1, BLOCK_BYTES // (score_bytes * size))
        distances = np.empty((len(queries), k), np.float32)
        indices = np.empty((len(queries), k), np.int64)
        for start in range(0, len(queries), rows):
            block = slice(start, start + rows)
            own = None if exclude is None else exclude[block]
            distances[block], indices[block] = search_block(queries[block], k, own)
        return distances, indices

    def save(self, path) -> None:
        """Write the index to ``path`` in NumPy's npz format, whole or not at all.

        The file holds no encoder, but the descriptors it gives to four fixed images.
        """
        path, buffer = Path(path), io.BytesIO()
        np.savez(
            buffer,
            format=np.array(FORMAT),
            metric=np.array(self.metric),
            image_shape=np.array(self.image_shape or (), dtype=np.int64),
            descriptors=self.descriptors,
            probe=self._probe(),
        )
        if not path.parent.is_dir():
            raise FileNotFoundError(f"no folder {path.parent} to write {path.name} to; make it")
        _write_whole(path, _seal(buffer))

    @classmethod
    def load(cls, path, encoder, *, batch_size: int = 512) -> "ImageIndex":
        """Return the index that ``encoder`` made, read from ``path``.

        ``batch_size`` is that of a new index. A damaged file, or one that another encoder made,
        raises ValueError. An index of ready-made descriptors is loaded with ``encoder=None``.
        """
        content = _read(Path(path))
        index = cls(encoder, metric=str(content["metric"]), batch_size=batch_size)
        index.image_shape = tuple(content["image_shape"].tolist()) or None
        index._check_maker(path, content["probe"])
        index.add_descriptors(content["descriptors"])
        return index

    def _encode(self, images, progress: bool | None) -> np.ndarray:
        if self.encoder is None:
            raise ValueError("this index has no encoder; use add_descriptors, search_descriptors")
        images = check_images(images)
        if self.image_shape is not None and images.shape[1:] != self.image_shape:
            raise ValueError(
                f"images must have shape (n, {', '.join(map(str, self.image_shape))}) as the "
                f"gallery's, got {images.shape}; resize them"
            )
        starts = range(0, len(images), self.batch_size)
        shown = len(starts) > 20 if progress is None else progress
        parts = []
        with Progress(f"Encoding {len(images):,} images", len(starts), enabled=shown) as steps:
            for start in starts:
                parts.append(self._encode_batch(images[start : start + self.batch_size]))
                steps.step()
        return np.concatenate(parts)

    def _encode_batch(self, images: np.ndarray) -> np.ndarray:
        descriptors = _check_descriptors(self.encoder.encode(images), "the encoder's output")
        if len(descriptors) != len(images):
            raise ValueError(
                f"the encoder gave {len(descriptors)} descriptors for {len(images)} images; "
                "encode must return one row an image"
            )
        return descriptors

    def _check_exclude(self, exclude, n_queries: int) -> np.ndarray | None:
        if exclude is None:
            return None
        exclude = check_labels(exclude, "exclude", length=n_queries)
        if exclude.min() < -1 or exclude.max() >= len(self):
            raise ValueError(
                f"exclude must hold places from 0 to {len(self) - 1}, or -1 for none, got "
                f"{exclude.min()} to {exclude.max()}"
            )
        return exclude

    def _prepare(self) -> None:
        """Lay the gallery out so that one float32 product with queries gives |g|^2 - 2 q.g."""
        # Around the gallery's centre numbers are small, and little cancels.
        self._centre = self._descriptors.mean(axis=0, dtype=np.float64)
        factors = np.empty((self._descriptors.shape[1] + 1, len(self)), np.float32)
        largest = 0.0
        for columns, vectors, squares in self._gallery_blocks():
            factors[:-1, columns] = -2 * vectors.T
            factors[-1, columns] = squares
            largest = max(largest, squares.max())
        self._factors, self._largest = factors, np.sqrt(largest)

    def _frame(self, descriptors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return float64 vectors and their |v|^2; squared distances then serve both metrics."""
        vectors = descriptors.astype(np.float64)
        if self.metric == "euclidean":
            vectors -= self._centre
            return vectors, (vectors**2).sum(axis=1)
        # |u - v|^2 of unit vectors is 2 (1 - u.v). Ones for zero vectors too: distance 1 to all.
        lengths = np.sqrt((vectors**2).sum(axis=1, keepdims=True))
        return vectors / np.where(lengths == 0, 1, lengths), np.ones(len(vectors))

    def _gallery_blocks(self):
        step = max(1, BLOCK_BYTES // (8 * self._descriptors.shape[1]))
        for start in range(0, len(self), step):
            columns = slice(start, start + step)
            yield columns, *self._frame(self._descriptors[columns])

    def _margins(self, squares: np.ndarray, dtype) -> np.ndarray:
        """Bound the rounding errors of squared distances computed in ``dtype``, for each |q|^2."""
        # A sum of n rounded products errs by at most n eps of the sum of their sizes (Higham, 2002,
        # section 3.1). Twice that covers rounded factors, and the direct distances compared with.
        terms = len(self._factors) + 15
        eps = np.finfo(dtype).eps  # twice the unit roundoff
        smallest = terms * np.finfo(np.float32).tiny if self.metric == "euclidean" else 2e-12
        return terms * eps * (np.sqrt(squares) + self._largest) ** 2 + smallest

    def _nearest(self, queries, k: int, own) -> tuple[np.ndarray, np.ndarray]:
        """Pick candidates by float32 scores; order them by their distances in float64."""
        vectors, squares = self._frame(queries)
        # Looked at one by one are size/group minima and k groups: fewest with groups this large.
        group = int(np.sqrt(len(self) / k))
        scores = np.empty((len(queries), group, -(-len(self) // group)), np.float32)
        flat = scores.reshape(len(queries), -1)
        flat[:, len(self) :] = np.inf
        with_one = np.hstack([vectors, np.ones((len(queries), 1))]).astype(np.float32)
        np.matmul(with_one, self._factors, out=flat[:, : len(self)])
        if own is not None:
            flat[own >= 0, own[own >= 0]] = np.inf
        rows, columns = _candidates(scores, k, 2 * self._margins(squares, np.float32))
        distances = self._distances(queries, rows, columns)
        order = np.lexsort((columns, distances, rows))
        # Each query has at least k candidates; the first k stand at the start of its run.
        starts = np.searchsorted(rows, np.arange(len(queries)))
        chosen = order[starts[:, None] + np.arange(k)]
        return distances[chosen], columns[chosen]

    def _rank_all(self, queries, k: int, own) -> tuple[np.ndarray, np.ndarray]:
        """Sort by the expansion in float64; compute directly what its rounding leaves in doubt."""
        vectors, squares = self._frame(queries)
        squared = np.empty((len(queries), len(self)))
        for columns, others, other_squares in self._gallery_blocks():
            squared[:, columns] = other_squares - 2 * vectors @ others.T
        squared += squares[:, None]
        if own is not None:
            squared[own >= 0, own[own >= 0]] = np.inf
        margins = self._margins(squares, np.float64)[:, None]
        lowest = self._from_squared(squared - margins).astype(np.float32)
        doubtful = lowest != self._from_squared(squared + margins).astype(np.float32)
        order = np.argsort(squared, axis=1)
        close = np.diff(np.take_along_axis(squared, order, axis=1), axis=1) <= 2 * margins
        rows, places = np.nonzero(close)
        doubtful[rows, order[rows, places]] = doubtful[rows, order[rows, places + 1]] = True
        distances = self._from_squared(squared)
        distances[doubtful] = self._distances(queries, *np.nonzero(doubtful))
        again = np.unique(rows)
        order[again] = np.argsort(distances[again], axis=1, kind="stable")
        order = order[:, :k]
        return np.take_along_axis(distances, order, axis=1), order

    def _from_squared(self, squared: np.ndarray) -> np.ndarray:
        return np.sqrt(np.maximum(squared, 0)) if self.metric == "euclidean" else squared / 2

    def _distances(self, queries, rows, columns) -> np.ndarray:
        """Return float64 distances of the given pairs, computed by the definition."""
        distances = np.empty(len(rows))
        step = max(1, BLOCK_BYTES // (8 * queries.shape[1]))
        for start in range(0, len(rows), step):
            pairs = slice(start, start + step)
            left, right = queries[rows[pairs]], self._descriptors[columns[pairs]]
            if self.metric == "euclidean":
                gaps = left.astype(np.float64) - right
                distances[pairs] = np.sqrt((gaps**2).sum(axis=1))
            else:
                cosines = (self._frame(left)[0] * self._frame(right)[0]).sum(axis=1)
                distances[pairs] = np.abs(np.round(1 - cosines, 12))
        return distances

    def _probe(self) -> np.ndarray:
        """Descriptors of four fixed images: what tells one encoder from another."""
        if self.encoder is None or self.image_shape is None:
            return np.zeros((0, 0), np.float32)
        shape = (4, *self.image_shape)
        # Multiples of the golden ratio, modulo 1: no random stream that NumPy might change.
        images = (np.arange(np.prod(shape)) * 0.6180339887) % 1
        return self._encode_batch(images.astype(np.float32).reshape(shape))

    def _check_maker(self, path, expected: np.ndarray) -> None:
        if expected.size == 0 and self.encoder is not None:
            raise ValueError(
                f"{path} holds ready-made descriptors and no trace of their encoder; load it with "
                "encoder=None and search with search_descriptors"
            )
        try:
            probe = self._probe()
        except Exception as error:  # whatever an encoder raises for images it does not know
            raise ValueError(
                f"the encoder given cannot encode the images of {path}, of shape "
                f"{self.image_shape} ({error}); it was made by another encoder"
            ) from error
        scale = np.abs(expected).max(initial=0.0)
        # Another processor rounds differently; another encoder is worlds apart.
        if probe.shape != expected.shape or not np.allclose(probe, expected, atol=1e-3 * scale):
            raise ValueError(
                f"{path} was made by another encoder than the one given: their descriptors of the "
                "same images differ; load that encoder's weights, or add the images again"
            )


def _check_descriptors(values, name: str, columns: int | None = None) -> np.ndarray:
    with np.errstate(over="ignore"):  # float64 too large for float32 is refused here too
        descriptors = check_matrix(values, name, columns=columns)
    largest = np.abs(descriptors).max()
    if largest > LARGEST:
        raise ValueError(
            f"{name} must lie within {LARGEST:g} of zero, got {largest:g}; divide them all by one "
            "number, or train again if the model diverged"
        )
    return descriptors


def _candidates(scores: np.ndarray, k: int, margins: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return ``(rows, columns)`` of all scores that may belong to the k smallest of their row.

    ``scores`` is (rows, members, groups): column j stands in group j modulo the number of groups.
    The k-th smallest of the groups' minima is no smaller than the k-th smallest score, and cheap.
    """
    minima = scores.min(axis=1)
    limits = np.partition(minima, k - 1, axis=1)[:, k - 1] + margins
    limits = np.nextafter(limits.astype(np.float32), np.float32(np.inf))[:, None]
    rows, groups = np.nonzero(minima <= limits)
    kept, members = np.nonzero(scores[rows, :, groups] <= limits[rows])
    return rows[kept], members * minima.shape[1] + groups[kept]


def _seal(buffer: io.BytesIO) -> memoryview:
    """Return the archive in ``buffer`` with a checksum of all its bytes at its end."""
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.comment = bytes(SEAL)  # makes room where readers of npz files expect nothing
    sealed = buffer.getbuffer()
    sealed[-SEAL:] = _checksum(sealed)
    return sealed


def _checksum(sealed: memoryview) -> bytes:
    return hashlib.sha256(sealed[:-SEAL]).hexdigest().encode()


def _write_whole(path: Path, data) -> None:
    """Write beside ``path``, then rename: who reads ``path`` sees the old file or the new one."""
    temporary = path.with_name(f".{path.name}.{os.urandom(4).hex()}")
    try:
        with open(temporary, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _read(path: Path) -> dict[str, np.ndarray]:
    if not path.is_file():
        raise FileNotFoundError(f"no index at {path}; make one with ImageIndex.save")
    data = memoryview(path.read_bytes())
    if data[-SEAL:] != _checksum(data):
        raise ValueError(
            f"{path} is damaged or is no index of vae_tutorial: its checksum does not fit; "
            "make it again with ImageIndex.save"
        )
    with np.load(io.BytesIO(data), allow_pickle=False) as file:
        content = dict(file)
    if int(content["format"]) != FORMAT:
        raise ValueError(f"{path} has format {content['format']}, expected {FORMAT}; make it again")
    return content
