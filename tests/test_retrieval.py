"""Search against a slow definition, in every corner; files that are whole or refused."""

import os
import runpy
import stat
import subprocess
import sys
import threading
import tracemalloc
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vae_tutorial import baselines, retrieval
from vae_tutorial.baselines import PCA, Pixels
from vae_tutorial.retrieval import METRICS, ImageIndex, expand

RNG = np.random.default_rng(0)
IMAGES = RNG.random((60, 4, 4, 1), dtype=np.float32)


def slow_distances(gallery, queries, metric, exclude=None):
    """The definition, in float64, one pair at a time."""
    gallery, queries = (np.array(x, np.float32).astype(np.float64) for x in (gallery, queries))
    distances = np.empty((len(queries), len(gallery)))
    for i, query in enumerate(queries):
        for j, image in enumerate(gallery):
            if metric == "euclidean":
                distances[i, j] = np.sqrt(np.sum((query - image) ** 2))
            elif metric == "inner_product":
                distances[i, j] = -np.sum(query * image)
            else:
                lengths = np.linalg.norm(query) * np.linalg.norm(image)
                distances[i, j] = round(1 - (query @ image / lengths if lengths else 0.0), 12)
    if exclude is not None:
        distances[np.arange(len(queries)), exclude] = np.inf
    return np.float32(distances)


def slow_search(gallery, queries, k, metric, exclude=None):
    distances = slow_distances(gallery, queries, metric, exclude)
    order = np.argsort(distances, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(distances, order, axis=1), order


def filled(gallery, metric="euclidean"):
    index = ImageIndex(None, metric=metric)
    index.add_descriptors(gallery)
    return index


def assert_same_search(gallery, queries, k, metric, exclude=None):
    index = filled(gallery, metric)
    distances, indices = index.search_descriptors(queries, k, exclude=exclude)
    expected_distances, expected = slow_search(gallery, queries, k, metric, exclude)
    np.testing.assert_allclose(distances, expected_distances, rtol=3e-7, atol=2e-7)
    np.testing.assert_array_equal(indices, expected)
    assert (distances.dtype, indices.dtype) == (np.float32, np.int64)


@given(st.data())
def test_search_is_the_definition_with_ties_and_duplicates(data):
    n = data.draw(st.integers(1, 120), label="n")
    rng = np.random.default_rng(data.draw(st.integers(0, 999), label="seed"))
    # Whole numbers: many exact ties, which both sides must break by position.
    gallery = rng.integers(-2, 3, size=(n, data.draw(st.integers(1, 4), label="dim")))
    queries = rng.integers(-2, 3, size=(3, gallery.shape[1]))
    k = data.draw(st.integers(1, n), label="k")
    for metric in ("euclidean", "inner_product"):
        assert_same_search(gallery, queries, k, metric)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("k", [1, 3, 25, 200])
def test_search_is_the_definition_on_real_numbers(metric, k):
    rng = np.random.default_rng(k)
    gallery, queries = rng.normal(size=(200, 16)), rng.normal(size=(20, 16))
    gallery[150:] = gallery[:50]
    gallery[7] = 0
    assert_same_search(gallery, queries, k, metric)


@pytest.mark.parametrize("k", [2, 199])
@pytest.mark.parametrize("metric", METRICS)
def test_exclude_leaves_out_the_query_and_nothing_else(metric, k):
    gallery = np.random.default_rng(1).normal(size=(200, 8))
    gallery[100] = gallery[0]
    own = np.arange(200)
    assert_same_search(gallery, gallery, k, metric, exclude=own)
    _, indices = filled(gallery, metric).search_descriptors(gallery, k, exclude=own)
    assert not (indices == own[:, None]).any()
    if metric != "inner_product":  # where a longer descriptor may be nearer than an equal one
        assert indices[0, 0] == 100


def test_exclude_minus_one_means_none():
    gallery = np.eye(40)
    _, indices = filled(gallery).search_descriptors(gallery[:2], 1, exclude=[-1, 1])
    assert indices.tolist() == [[0], [0]]


@pytest.mark.parametrize("k", [5, 900])
@pytest.mark.parametrize("offset", [1e3, 1e5])
def test_far_from_the_origin_nothing_is_lost(offset, k):
    # |q|^2 + |g|^2 - 2 q.g in float32 would be noise here.
    gallery = np.random.default_rng(2).normal(size=(1000, 8)) + offset
    gallery = np.float32(gallery)
    queries = gallery[:9].copy()
    distances, indices = filled(gallery).search_descriptors(queries, k)
    expected_distances, expected = slow_search(gallery, queries, k, "euclidean")
    assert (distances[:, 0] == 0).all()
    np.testing.assert_array_equal(indices, expected)
    np.testing.assert_allclose(distances, expected_distances, rtol=1e-6)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e4])
def test_what_differs_by_less_than_a_product_rounds_is_still_in_order(scale):
    rng = np.random.default_rng(3)
    base = rng.normal(size=16) * scale
    steps = rng.integers(-3, 4, size=(400, 16)) * np.spacing(np.float32(scale))
    gallery = np.float32(np.concatenate([base + steps, -base - steps]))
    assert_same_search(gallery, np.float32([3 * base, -2 * base]), 5, "euclidean")


@pytest.mark.parametrize("k", [3, 2000])
def test_a_gallery_of_one_image_repeated(k):
    gallery = np.ones((2000, 4))
    distances, indices = filled(gallery).search_descriptors(gallery[:3], k)
    assert (distances == 0).all()
    np.testing.assert_array_equal(indices, np.tile(np.arange(k), (3, 1)))


@pytest.mark.parametrize("k", [10, 300])
def test_few_and_all_results_agree(k):
    rng = np.random.default_rng(5)
    index = filled(rng.normal(size=(3000, 20)))
    queries = rng.normal(size=(50, 20))
    few, all_results = (
        index.search_descriptors(queries, k),
        index.search_descriptors(queries, 3000),
    )
    np.testing.assert_array_equal(few[1], all_results[1][:, :k])
    np.testing.assert_array_equal(few[0], all_results[0][:, :k])


def test_a_zero_vector_has_cosine_distance_one():
    distances, _ = filled(np.eye(3), "cosine").search_descriptors(np.zeros((1, 3)), 3)
    np.testing.assert_array_equal(distances, [[1, 1, 1]])


@pytest.mark.parametrize("metric", ["euclidean", "inner_product"])
@pytest.mark.parametrize("scale", [3e-23, 1e-19])
def test_products_too_small_for_float32_are_still_in_order(metric, scale):
    rng = np.random.default_rng(6)
    gallery, queries = (np.float32(rng.normal(size=(n, 16)) * scale) for n in (4000, 20))
    pairs = queries[:, None].astype(np.float64), gallery.astype(np.float64)
    if metric == "euclidean":
        expected = np.sqrt(((pairs[0] - pairs[1]) ** 2).sum(axis=2))
    else:
        expected = -(pairs[0] * pairs[1]).sum(axis=2)
    order = np.argsort(np.float32(expected), axis=1, kind="stable")[:, :10]
    np.testing.assert_array_equal(filled(gallery, metric).search_descriptors(queries, 10)[1], order)


@pytest.mark.parametrize("k", [3, 60])
def test_a_larger_inner_product_is_nearer(k):
    gallery = np.stack([np.arange(60.0), np.full(60, 100.0)], axis=1)
    distances, indices = filled(gallery, "inner_product").search_descriptors([[2.0, 0.0]], k)
    assert indices[0].tolist() == list(range(59, 59 - k, -1))
    assert distances[0].tolist() == [-2.0 * place for place in indices[0]]
    assert not np.signbit(distances[distances == 0]).any()


@pytest.mark.parametrize("k", [3, 300])
def test_inner_products_that_nearly_cancel_are_still_in_order(k):
    rng = np.random.default_rng(7)
    query = np.float32(rng.normal(size=(1, 16)))
    gallery = np.float32(rng.normal(size=(300, 16)))
    gallery -= np.float32((gallery @ query.T) / (query**2).sum() * query)
    assert_same_search(gallery, query, k, "inner_product")


# Search within a distance


def assert_same_within(gallery, queries, radius, metric, exclude=None):
    limits, distances, indices = filled(gallery, metric).search_within_descriptors(
        queries, radius, exclude=exclude
    )
    assert (limits.dtype, distances.dtype, indices.dtype) == (np.int64, np.float32, np.int64)
    assert (limits[0], limits[-1], len(indices)) == (0, len(distances), len(distances))
    expected = slow_distances(gallery, queries, metric, exclude)
    for i, row in enumerate(expected):
        part = slice(limits[i], limits[i + 1])
        places = np.flatnonzero(row <= np.float32(np.clip(radius, -3e38, 3e38)))
        places = places[np.argsort(row[places], kind="stable")]
        np.testing.assert_array_equal(indices[part], places)
        np.testing.assert_allclose(distances[part], row[places], rtol=3e-7, atol=2e-7)


@given(st.data())
def test_within_is_the_definition_with_ties_and_the_radius_itself(data):
    rng = np.random.default_rng(data.draw(st.integers(0, 999), label="seed"))
    dim = data.draw(st.integers(1, 4), label="dim")
    gallery = rng.integers(-2, 3, size=(data.draw(st.integers(1, 60), label="n"), dim))
    queries = rng.integers(-2, 3, size=(3, dim))
    # Whole numbers, so that many distances are the radius exactly.
    assert_same_within(gallery, queries, data.draw(st.integers(0, 4)), "euclidean")
    assert_same_within(gallery, queries, data.draw(st.integers(-9, 9)), "inner_product")


@pytest.mark.parametrize("metric", METRICS)
def test_within_is_the_definition_on_real_numbers(metric):
    rng = np.random.default_rng(8)
    gallery, queries = rng.normal(size=(200, 16)), rng.normal(size=(20, 16))
    gallery[150:] = gallery[:50]
    gallery[7] = 0
    exclude = np.arange(20)
    for share in (0.0, 0.05, 0.5, 1.0):
        radius = float(np.quantile(slow_distances(gallery, queries, metric), share))
        assert_same_within(gallery, queries, radius, metric)
        assert_same_within(gallery, queries, radius, metric, exclude)


def test_within_far_from_the_origin_and_with_an_endless_radius():
    gallery = np.float32(np.random.default_rng(2).normal(size=(300, 8)) + 1e5)
    for radius in (0, 2.0, 4.0, 1e300):
        assert_same_within(gallery, gallery[:9], radius, "euclidean")
    for radius in (-8.0001e10, -8e10, 1e300, -1e300):
        assert_same_within(gallery, gallery[:9], radius, "inner_product")


def test_a_radius_of_a_tenth_finds_what_lies_at_a_tenth():
    # 0.1 in float32 is a little more than in float64.
    limits, distances, _ = filled([[0.0], [0.1]]).search_within_descriptors([[0.0]], 0.1)
    assert (limits.tolist(), distances.tolist()) == ([0, 2], [0, np.float32(0.1)])


def test_within_of_images_is_that_of_their_descriptors():
    index = with_images()
    got = index.search_within(IMAGES[:5], 1.4, exclude=np.arange(5))
    descriptors = IMAGES[:5].reshape(5, -1)
    expected = index.search_within_descriptors(descriptors, 1.4, exclude=np.arange(5))
    for one, other in zip(got, expected, strict=True):
        np.testing.assert_array_equal(one, other)
    assert got[0][-1] > 0


def test_memory_of_a_search_within_a_distance_stays_bounded():
    rng = np.random.default_rng(0)
    index = filled(rng.normal(size=(60_000, 32)))
    queries = np.float32(rng.normal(size=(1000, 32)))
    tracemalloc.start()
    limits, _, _ = index.search_within_descriptors(queries, 5.0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert limits[-1] > 1000
    assert peak < 120e6  # all scores at once would take 240 MB


# Filling


def test_adding_in_a_loop_copies_what_is_added_and_nothing_else():
    index = filled(np.zeros((100_000, 32)))
    tracemalloc.start()
    for number in range(20):
        index.add_descriptors(np.full((1, 32), number))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1e6  # the gallery is 12.8 MB
    assert len(index) == 100_020
    assert index.descriptors[-20:, 0].tolist() == list(range(20))
    with pytest.raises(ValueError, match="read-only"):
        index.descriptors[0] = 5


def test_lists_of_images_serve_as_well_as_arrays():
    index = ImageIndex(Pixels())
    index.add(IMAGES.tolist())
    np.testing.assert_array_equal(index.descriptors, IMAGES.reshape(60, -1))
    assert index.search(IMAGES[:3].tolist(), 1)[1].ravel().tolist() == [0, 1, 2]


def test_parts_added_between_searches_are_found():
    index = filled(np.zeros((3, 2)))
    for number in range(1, 4):
        index.add_descriptors([[number, 0]])
        assert index.search_descriptors([[9, 0]], 1)[1] == [[2 + number]]


def checks_of(monkeypatch, name, modules):
    """Count the calls of a check in some modules; each still checks."""
    calls = []

    def counting(check):
        def counted(*arguments, **options):
            calls.append(name)
            return check(*arguments, **options)

        return counted

    for module in modules:
        monkeypatch.setattr(module, name, counting(getattr(module, name)))
    return calls


def test_images_and_their_descriptors_are_checked_once(monkeypatch):
    from vae_tutorial import _exact

    index = with_images()
    of_images = checks_of(monkeypatch, "check_images", [retrieval, baselines])
    of_descriptors = checks_of(monkeypatch, "check_matrix", [_exact])
    index.search(IMAGES[:1], 1)
    assert (len(of_images), len(of_descriptors)) == (1, 1)
    index.search_within(IMAGES[:1], 1.0)
    index.add(IMAGES)
    assert (len(of_images), len(of_descriptors)) == (3, 3)


class Blind(Pixels):
    def encode(self, images):
        return images.reshape(len(images), -1)


def test_an_encoder_that_checks_nothing_is_not_fed_bad_images():
    index = ImageIndex(Blind())  # the class that it inherits from checks, but not this method
    for bad, message in (
        (IMAGES * 255, "divide 8-bit"),
        (IMAGES * np.nan, "NaN"),
        (IMAGES[0], "n, "),
    ):
        with pytest.raises(ValueError, match=message):
            index.add(bad)
        with pytest.raises(ValueError, match=message):
            ImageIndex(Pixels()).add(bad)


def test_images_are_encoded_once_and_in_batches():
    class Counting(Pixels):
        calls = ()

        def encode(self, images):
            self.calls = (*self.calls, len(images))
            return super().encode(images)

    encoder = Counting().fit(IMAGES)
    index = ImageIndex(encoder, batch_size=25)
    index.add(IMAGES)
    assert encoder.calls == (25, 25, 10)
    index.search(IMAGES[:2], k=3)
    assert encoder.calls == (25, 25, 10, 2)


def test_adding_in_parts_equals_adding_at_once():
    encoder = PCA(5).fit(IMAGES)
    whole, parts = ImageIndex(encoder), ImageIndex(encoder)
    whole.add(IMAGES)
    parts.add(IMAGES[:20])
    parts.search(IMAGES[:1], k=1)  # fills the cache that adding must drop
    parts.add(IMAGES[20:])
    assert len(parts) == 60
    for got, expected in zip(parts.search(IMAGES, 5), whole.search(IMAGES, 5), strict=True):
        np.testing.assert_array_equal(got, expected)


def test_the_gallery_cannot_be_changed_from_outside():
    gallery = np.eye(4, dtype=np.float32)
    index = filled(gallery)
    gallery[:] = 9
    assert index.descriptors.max() == 1
    with pytest.raises(ValueError, match="read-only"):
        index.descriptors[0] = 5


def test_a_failing_encoder_adds_nothing():
    class Broken(Pixels):
        def encode(self, images):
            if images.max() > 0.99:
                raise OSError("out of reach")
            return super().encode(images)

    index = ImageIndex(Broken().fit(IMAGES), batch_size=10)
    index.add(IMAGES[:10] * 0.5)
    bright = IMAGES.copy()
    bright[-1] = 1.0
    with pytest.raises(OSError, match="out of reach"):
        index.add(bright)
    assert len(index) == 10


def test_progress_is_shown_on_long_work_only(capsys):
    index = ImageIndex(Pixels().fit(IMAGES), batch_size=2)
    index.add(IMAGES[:40])
    assert capsys.readouterr().out == ""
    index.add(IMAGES)
    assert capsys.readouterr().out == "Encoding 60 images\n"
    index.add(IMAGES, progress=False)
    assert capsys.readouterr().out == ""


def test_progress_counts_the_batches(capsys):
    class Tired(Pixels):
        def encode(self, images):
            if images[0].max() > 0.99:
                raise OSError("out of reach")
            return super().encode(images)

    index = ImageIndex(Tired().fit(IMAGES), batch_size=10)
    images = np.concatenate([IMAGES[:20] * 0.5, np.ones_like(IMAGES[:20])])
    with pytest.raises(OSError, match="out of reach"):
        index.add(images, progress=True)
    assert capsys.readouterr().out.endswith("Encoding 40 images: stopped at 2/4\n")


def clusters(seed=0, n=40):
    """Three directions in eight dimensions, blurred."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(3, 8))
    labels = rng.integers(0, 3, size=n)
    return centres[labels] + rng.normal(scale=0.8, size=(n, 8)), labels


def test_expansion_without_neighbours_changes_nothing():
    rows, _ = clusters()
    np.testing.assert_array_equal(expand(rows, rows, k=0), rows.astype(np.float32))


def test_expansion_is_its_definition():
    gallery, _ = clusters(0)
    queries, _ = clusters(1, n=5)
    unit = lambda rows: rows / np.linalg.norm(rows, axis=1, keepdims=True)  # noqa: E731
    expected = []
    for query in unit(queries):
        similarity = unit(gallery) @ query
        nearest = np.argsort(-similarity)[:4]
        weights = np.maximum(similarity[nearest], 0) ** 2
        expected.append(query + weights @ unit(gallery)[nearest])
    got = expand(queries, gallery, k=4, power=2)
    np.testing.assert_allclose(got, unit(np.array(expected)), atol=1e-6)


def test_expansion_ignores_lengths_and_the_order_of_the_gallery():
    gallery, _ = clusters(0)
    queries, _ = clusters(1, n=6)
    order = np.random.default_rng(0).permutation(len(gallery))
    expected = expand(queries, gallery, k=5)
    np.testing.assert_allclose(expand(queries, gallery[order], k=5), expected, atol=1e-6)
    np.testing.assert_allclose(expand(3 * queries, gallery / 7, k=5), expected, atol=1e-6)
    np.testing.assert_array_equal(expand(queries, gallery, k=5, power=3), expected)


def test_expansion_moves_clusters_together():
    rows, labels = clusters(n=90)
    same = labels[:, None] == labels

    def contrast(descriptors):
        unit = descriptors / np.linalg.norm(descriptors, axis=1, keepdims=True)
        similarity = unit @ unit.T
        return similarity[same].mean() - similarity[~same].mean()

    assert contrast(expand(rows, rows, k=10)) > contrast(rows) + 0.1


def test_expansion_in_blocks_is_expansion_at_once(monkeypatch):
    rows, _ = clusters(n=90)
    at_once = expand(rows, rows, k=10)
    monkeypatch.setattr("vae_tutorial.neighbours.BLOCK_BYTES", 8 * 10 * 8 * 7)
    np.testing.assert_array_equal(expand(rows, rows, k=10), at_once)


@pytest.mark.slow
@pytest.mark.parametrize("k", [10, pytest.param(50, marks=pytest.mark.aside)])
def test_memory_of_an_expansion_stays_bounded(k):
    rows = np.float32(np.random.default_rng(0).normal(size=(4500, 784)))
    tracemalloc.start()
    expand(rows, rows, k)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 12 * rows.nbytes  # the neighbours of all at once: 27 and 110 times the gallery


def searched(queries, gallery, k):
    return filled(gallery, "cosine").search_descriptors(queries, k)[1]


@pytest.mark.parametrize("k", [10, 20_000])
def test_memory_stays_bounded(k):
    rng = np.random.default_rng(0)
    n_queries = 4000 if k == 10 else 40
    index = filled(rng.normal(size=(60_000, 32)))
    queries = np.float32(rng.normal(size=(n_queries, 32)))
    tracemalloc.start()
    index.search_descriptors(queries, k)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 300e6  # all scores of 4,000 queries at once would take 960 MB


# Files


@pytest.fixture
def saved(tmp_path):
    encoder = PCA(5).fit(IMAGES)
    index = ImageIndex(encoder, metric="cosine")
    index.add(IMAGES)
    path = tmp_path / "digits.npz"
    index.save(path)
    return index, encoder, path


def test_a_saved_index_answers_the_same(saved):
    index, encoder, path = saved
    loaded = ImageIndex.load(path, encoder)
    assert (loaded.metric, loaded.image_shape) == ("cosine", (4, 4, 1))
    for got, expected in zip(loaded.search(IMAGES, 7), index.search(IMAGES, 7), strict=True):
        np.testing.assert_array_equal(got, expected)
    assert list(path.parent.iterdir()) == [path]


def test_an_index_of_descriptors_needs_no_encoder(tmp_path):
    filled(np.eye(3)).save(tmp_path / "plain.npz")
    loaded = ImageIndex.load(tmp_path / "plain.npz", None)
    np.testing.assert_array_equal(loaded.descriptors, np.eye(3))


def test_another_encoder_is_refused(saved):
    _, _, path = saved
    for other in (PCA(5).fit(IMAGES[:30]), PCA(4).fit(IMAGES), Pixels().fit(IMAGES), None):
        with pytest.raises(ValueError, match="made by another encoder"):
            ImageIndex.load(path, other)


def test_an_encoder_that_rounds_differently_is_accepted(saved):
    index, encoder, path = saved

    class OtherProcessor:
        def encode(self, images):
            return encoder.encode(images) * np.float32(1 + 1e-6)

    assert len(ImageIndex.load(path, OtherProcessor())) == len(index)


def test_a_damaged_file_is_refused_or_unharmed(saved):
    index, encoder, path = saved
    whole = bytearray(path.read_bytes())
    refused = 0
    for place in range(0, len(whole), 37):
        damaged = bytearray(whole)
        damaged[place] ^= 0xFF
        path.write_bytes(damaged)
        try:
            loaded = ImageIndex.load(path, encoder)
        except ValueError as error:
            refused += "damaged" in str(error)
        else:  # a byte of the container that carries no content, such as a time stamp
            np.testing.assert_array_equal(loaded.descriptors, index.descriptors)
    assert refused > len(whole) / 37 / 2


@pytest.mark.parametrize("length", [0, 10, 500, -1])
def test_a_truncated_file_is_refused(saved, length):
    _, encoder, path = saved
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(ValueError, match="damaged"):
        ImageIndex.load(path, encoder)


def test_pickled_objects_are_never_loaded(tmp_path):
    np.savez(tmp_path / "evil.npz", descriptors=np.array([{"a": 1}], dtype=object))
    with pytest.raises(ValueError, match="damaged or is no index"):
        ImageIndex.load(tmp_path / "evil.npz", None)


def test_changed_content_with_valid_zip_is_refused(saved):
    _, encoder, path = saved
    with np.load(path) as file:
        content = dict(file)
    content["descriptors"] = content["descriptors"] + 1
    np.savez(path, **content)
    with pytest.raises(ValueError, match="checksum"):
        ImageIndex.load(path, encoder)


def test_another_format_is_refused(saved):
    from vae_tutorial import _index_file

    _, encoder, path = saved
    with np.load(path) as file:
        content = {name: file[name] for name in file.files if name != "sha256"}
    content["format"] = np.array(99)
    np.savez(path, sha256=_index_file.digest(content), **content)
    with pytest.raises(ValueError, match="format 99, expected 1"):
        ImageIndex.load(path, encoder)


FIXTURES = Path(__file__).with_name("fixtures")


@pytest.mark.parametrize("name", ["index", "descriptors"])
def test_files_of_the_first_edition_load_and_answer_the_same(name):
    made = runpy.run_path(str(FIXTURES / "first_edition_index.py"))
    expected = np.load(FIXTURES / "first_edition_results.npz")
    index = ImageIndex.load(FIXTURES / f"first_edition_{name}.npz", Pixels())
    distances, indices = index.search(made["QUERIES"], k=12)
    np.testing.assert_array_equal(indices, expected[f"{name}_indices"])
    np.testing.assert_allclose(distances, expected[f"{name}_distances"], rtol=3e-7)
    if name == "index":
        with pytest.raises(ValueError, match="made by another encoder"):
            ImageIndex.load(FIXTURES / "first_edition_index.npz", Blurred())
    else:
        assert len(ImageIndex.load(FIXTURES / "first_edition_descriptors.npz", None)) == 12


class Blurred(Pixels):
    def encode(self, images):
        return super().encode(images) * np.float32(0.9)


def ready_made(encoder):
    index = ImageIndex(encoder)
    index.add_descriptors(encoder.encode(IMAGES))
    return index


def test_ready_made_descriptors_still_know_their_encoder(tmp_path):
    path, encoder = tmp_path / "index.npz", PCA(5).fit(IMAGES)
    ready_made(encoder).save(path)
    loaded = ImageIndex.load(path, encoder)
    assert (loaded.search(IMAGES, 1)[1][:, 0] == np.arange(60)).all()
    small = PCA(5).fit(IMAGES[:, :2])
    for other in (PCA(5).fit(IMAGES[:30]), small, Pixels(), WrongRows()):
        with pytest.raises(ValueError, match="made by another encoder"):
            ImageIndex.load(path, other)
    # Searched by descriptors, they need none.
    assert len(ImageIndex.load(path, None)) == 60


def test_an_encoder_that_could_not_be_known_again_is_not_saved(tmp_path):
    path, index = tmp_path / "index.npz", ready_made(Pixels())
    with pytest.raises(ValueError, match=r"set index\.image_shape to"):
        index.save(path)
    assert not path.exists()
    index.image_shape = (4, 4, 1)
    index.save(path)
    assert len(ImageIndex.load(path, Pixels())) == 60
    with pytest.raises(ValueError, match="made by another encoder"):
        ImageIndex.load(path, Blurred())


def test_the_home_folder_is_filled_in(tmp_path, monkeypatch):
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path))
    filled(np.eye(3)).save("~/x.npz")
    assert len(ImageIndex.load("~/x.npz", None)) == 3
    assert [path.name for path in tmp_path.iterdir()] == ["x.npz"]


def linked(link, target):
    try:
        link.symlink_to(target)
    except OSError:
        pytest.skip("this system makes no links")


@pytest.mark.parametrize("there", [True, False])
def test_a_link_is_kept_and_its_target_written(tmp_path, there):
    (tmp_path / "real").mkdir()
    target, link = tmp_path / "real" / "x.npz", tmp_path / "link.npz"
    linked(link, target)
    if there:
        target.write_bytes(b"old")
    filled(np.eye(3)).save(link)
    assert link.is_symlink()
    assert len(ImageIndex.load(target, None)) == 3
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["link.npz", "real", "x.npz"]


def test_a_link_to_itself_a_folder_and_a_missing_folder_are_refused(tmp_path):
    linked(tmp_path / "loop", tmp_path / "loop")
    index = filled(np.eye(3))
    with pytest.raises(ValueError, match="loop is a device or another special file"):
        index.save(tmp_path / "loop")
    with pytest.raises(ValueError, match="is a folder"):
        index.save(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*; make it first"):
        index.save(tmp_path / "none" / "x.npz")
    assert [path.name for path in tmp_path.iterdir()] == ["loop"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no such files")
def test_a_special_file_is_not_replaced(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    linked(tmp_path / "link", path)
    for name in ("pipe", "link"):
        with pytest.raises(ValueError, match="a device or another special file"):
            filled(np.eye(3)).save(tmp_path / name)
    assert stat.S_ISFIFO(path.stat().st_mode)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such rights")
def test_a_new_file_has_the_usual_rights_and_an_old_one_keeps_its_own(tmp_path):
    path, usual = tmp_path / "x.npz", tmp_path / "usual"
    usual.touch()
    filled(np.eye(3)).save(path)
    assert path.stat().st_mode == usual.stat().st_mode
    path.chmod(0o600)
    filled(np.eye(4)).save(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_threads_that_save_to_one_file_do_not_meet(tmp_path):
    path, failures = tmp_path / "x.npz", []
    index = filled(np.zeros((2000, 32)))
    together = threading.Barrier(8)

    def save():
        together.wait()
        try:
            for _ in range(5):
                index.save(path)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=save) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(ImageIndex.load(path, None)) == 2000
    assert list(tmp_path.iterdir()) == [path]


FULL_DISK = """
import resource, signal, sys
import numpy as np
from vae_tutorial.retrieval import ImageIndex, expand
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
index = ImageIndex(None)
index.add_descriptors(np.ones((5000, 32)))
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    index.save(sys.argv[1])
except OSError:
    print("refused")
"""


@pytest.mark.skipif(find_spec("resource") is None, reason="the system sets no such limit")
def test_a_full_disk_leaves_the_old_file_whole(saved):
    index, encoder, path = saved
    command = [sys.executable, "-c", FULL_DISK, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "refused\n"
    assert len(ImageIndex.load(path, encoder)) == len(index)
    assert list(path.parent.iterdir()) == [path]


class WrongRows:
    def encode(self, images):
        return np.zeros((len(images) + 1, 2))


class NotFinite:
    def encode(self, images):
        return np.full((len(images), 2), np.nan)


def with_images():
    index = ImageIndex(Pixels().fit(IMAGES))
    index.add(IMAGES)
    return index


PAIR = np.array([[0, 1], [1, 0]])


def within(radius, **options):
    return filled(np.eye(3)).search_within_descriptors(np.eye(3), radius, **options)


BAD_INPUTS = [
    (lambda: expand(np.eye(3), np.eye(3), k=4), ValueError, "k must be at most 3"),
    (lambda: expand(np.eye(3), np.eye(2), k=1), ValueError, "must have 2 columns, got 3"),
    (lambda: expand(np.eye(3), np.eye(3), k=1, power=-1), ValueError, "power must be finite"),
    (lambda: expand(np.eye(3), np.eye(3) * np.nan, k=1), ValueError, "gallery holds NaN"),
    (lambda: ImageIndex(7), TypeError, "must have a method encode"),
    (lambda: ImageIndex(None, metric="manhattan"), ValueError, "'euclidean', 'cosine', 'inner"),
    (lambda: ImageIndex(None, batch_size=0), ValueError, "batch_size must be at least 1"),
    (lambda: ImageIndex(None).add(IMAGES), ValueError, "has no encoder"),
    (lambda: ImageIndex(Pixels().fit(IMAGES)).search(IMAGES, 1), ValueError, "gallery is empty"),
    (lambda: ImageIndex(None).descriptors, ValueError, "gallery is empty"),
    (lambda: ImageIndex(None).search_descriptors(np.eye(3), 1), ValueError, "gallery is empty"),
    (lambda: filled(np.eye(3)).add_descriptors(np.eye(4)), ValueError, "3 columns, got 4"),
    (lambda: filled(np.eye(3)).search_descriptors(np.eye(4), 1), ValueError, "3 columns, got 4"),
    (lambda: filled(np.eye(3)).search_descriptors(np.eye(3), 4), ValueError, "k must be at most 3"),
    (lambda: filled(np.eye(3)).search_descriptors(np.eye(3), 0), ValueError, "at least 1"),
    (lambda: filled(np.eye(3)).search_descriptors(np.eye(3), 1.5), TypeError, "whole number"),
    (
        lambda: filled(np.eye(3)).search_descriptors(np.eye(3), 3, exclude=[0, 1, 2]),
        ValueError,
        "k must be at most 2",
    ),
    (
        lambda: filled(np.eye(3)).search_descriptors(np.eye(3), 1, exclude=[0]),
        ValueError,
        "exclude must have 3 entries",
    ),
    (
        lambda: filled(np.eye(3)).search_descriptors(np.eye(3), 1, exclude=[0, 1, 3]),
        ValueError,
        "places from 0 to 2",
    ),
    (
        lambda: filled(np.eye(3)).search_descriptors(np.eye(3), 1, exclude=np.eye(3)[0] > 0),
        TypeError,
        "np.flatnonzero\\(exclude\\)",
    ),
    (
        lambda: filled(np.eye(3)).search_descriptors(np.eye(3), 1, exclude=[0, -2, 1]),
        ValueError,
        "or -1 for none, got -2 to 1",
    ),
    (lambda: within(-1), ValueError, "radius must be finite, at least 0"),
    (lambda: within(np.nan), ValueError, "radius must be finite"),
    (lambda: within("1"), TypeError, "radius must be a number"),
    (lambda: within(1, exclude=[0]), ValueError, "exclude must have 3 entries"),
    (lambda: with_images().search_within(IMAGES[0], 1), ValueError, "shape \\(n, height"),
    (lambda: ImageIndex(None).search_within(IMAGES, 1), ValueError, "gallery is empty"),
    (lambda: filled(np.full((2, 2), np.inf)), ValueError, "NaN or infinity"),
    (lambda: filled(np.zeros((0, 2))), ValueError, "is empty"),
    (lambda: filled(np.zeros(3)), ValueError, "two axes"),
    (lambda: filled(np.full((2, 2), 1e20)), ValueError, "divide them by a common factor"),
    (lambda: filled(np.array([["a"]])), TypeError, "must be numbers"),
    (lambda: with_images().add(IMAGES[:, :2]), ValueError, "as the gallery's"),
    (lambda: with_images().search(IMAGES[0], 1), ValueError, "must have shape \\(n, height"),
    (lambda: with_images().search(IMAGES * 255, 1), ValueError, "divide 8-bit images"),
    (lambda: ImageIndex(WrongRows()).add(IMAGES), ValueError, "61 descriptors for 60 images"),
    (lambda: ImageIndex(NotFinite()).add(IMAGES), ValueError, "encoder's output holds NaN"),
    (lambda: ImageIndex.load("nowhere.npz", None), FileNotFoundError, "no index at nowhere.npz"),
]


@pytest.mark.parametrize(("call", "error", "message"), BAD_INPUTS)
def test_bad_input_is_refused_in_words(call, error, message):
    with pytest.raises(error, match=message):
        call()
