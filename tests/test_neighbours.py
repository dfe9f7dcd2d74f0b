"""The graph descriptor against a dense eigensolve, and what a user may do with it."""

import numpy as np
import pytest

from vae_tutorial.neighbours import GraphDescriptor
from vae_tutorial.retrieval import ImageIndex


@pytest.fixture(scope="module")
def gallery():
    """Three clusters on a sphere, overlapping a little, so that the graph is in one piece."""
    rng = np.random.default_rng(0)
    centres = np.repeat(np.eye(3, 6), 40, axis=0)
    return (centres + 0.35 * rng.normal(size=centres.shape)).astype(np.float32)


def dense(gallery, dim, k, power, steps):
    """Return descriptors and eigenvalues by the definition, with plain dense matrices."""
    unit = gallery / np.linalg.norm(gallery, axis=1, keepdims=True)
    similarity = (unit @ unit.T).astype(float)
    np.fill_diagonal(similarity, -np.inf)
    ties = np.zeros_like(similarity)
    for row, order in enumerate(np.argsort(-similarity, axis=1)[:, :k]):
        ties[row, order] = np.maximum(0, similarity[row, order]) ** power
    ties = (ties + ties.T) / 2
    scale = 1 / np.sqrt(ties.sum(axis=1))
    values, vectors = np.linalg.eigh(scale[:, None] * ties * scale)
    values, vectors = values[::-1][:dim], vectors[:, ::-1][:, :dim]
    rows = vectors * (values.clip(0) / values[0]) ** steps
    return rows / np.linalg.norm(rows, axis=1, keepdims=True), values


@pytest.mark.parametrize(("dim", "k", "power", "steps"), [(3, 10, 3.0, 48.0), (5, 6, 1.0, 0.5)])
def test_it_is_the_dense_definition(gallery, dim, k, power, steps):
    graph = GraphDescriptor(dim, k, power=power, steps=steps).fit(gallery)
    rows, values = dense(gallery, dim, k, power, steps)
    np.testing.assert_allclose(graph.eigenvalues_, values, atol=1e-8)
    # Eigenvectors come with either sign; products of descriptors do not.
    ours = graph.descriptors_ @ graph.descriptors_.T
    np.testing.assert_allclose(ours, rows @ rows.T, atol=1e-5)
    assert graph.descriptors_.dtype == np.float32 and graph.descriptors_.shape == (120, dim)


def test_what_is_left_out_is_what_the_reference_says(gallery):
    graph = GraphDescriptor(20, 15, power=3.0, steps=48.0).fit(gallery)
    np.testing.assert_array_equal(GraphDescriptor().fit(gallery).descriptors_, graph.descriptors_)


def test_one_neighbour_makes_a_graph_too(gallery):
    graph = GraphDescriptor(dim=3, k=1).fit(gallery)
    np.testing.assert_allclose(graph.eigenvalues_, dense(gallery, 3, 1, 3.0, 1.0)[1], atol=1e-8)


def test_an_image_that_is_like_no_other_does_no_harm(gallery):
    alone = np.zeros((121, 7), np.float32)
    alone[:120, :6], alone[120, 6] = gallery, 1
    graph = GraphDescriptor(dim=3, k=10, steps=4).fit(alone)
    rows, _ = dense(gallery, 3, 10, 3.0, 4.0)
    ours = graph.descriptors_[:120] @ graph.descriptors_[:120].T
    np.testing.assert_allclose(ours, rows @ rows.T, atol=1e-5)
    assert np.isfinite(graph.descriptors_[120]).all()


def test_clusters_draw_together(gallery):
    labels = np.repeat(np.arange(3), 40)
    graph = GraphDescriptor(dim=3, k=10, steps=4).fit(gallery)
    same = labels[:, None] == labels
    unit = gallery / np.linalg.norm(gallery, axis=1, keepdims=True)
    ours, plain = (
        products[same].mean() - products[~same].mean()
        for products in (graph.descriptors_ @ graph.descriptors_.T, unit @ unit.T)
    )
    assert ours > plain + 0.15


def test_new_queries_are_placed_without_building_anew(gallery):
    graph = GraphDescriptor(dim=3, k=10, steps=4).fit(gallery)
    before = graph.descriptors_.copy()
    rng = np.random.default_rng(1)
    queries = gallery[::10] + 0.01 * rng.normal(size=(12, 6)).astype(np.float32)
    placed = graph.encode(queries)
    assert placed.shape == (12, 3) and placed.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(placed, axis=1), 1, atol=1e-5)
    assert ((placed * graph.descriptors_[::10]).sum(axis=1) > 0.9).all()
    np.testing.assert_array_equal(graph.descriptors_, before)


def test_a_placed_query_is_the_weighted_mean_of_its_neighbours(gallery):
    graph = GraphDescriptor(dim=4, k=5, power=2.0).fit(gallery)
    index = ImageIndex(None, metric="cosine")
    index.add_descriptors(gallery)
    query = gallery[:3] + 0.2
    distances, places = index.search_descriptors(query, k=5)
    weights = (1 - distances) ** 2
    expected = np.einsum("nk,nkd->nd", weights, graph.descriptors_[places])
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(graph.encode(query), expected, atol=1e-5)


def test_it_repeats_and_does_not_touch_what_it_was_given(gallery):
    kept = gallery.copy()
    first, second = (GraphDescriptor(dim=4, k=8).fit(kept) for _ in range(2))
    np.testing.assert_array_equal(first.descriptors_, second.descriptors_)
    kept[:] = 0  # the graph has a copy of its own
    np.testing.assert_array_equal(first.encode(gallery), second.encode(gallery))


def test_it_is_saved_and_loaded(gallery, tmp_path):
    graph = GraphDescriptor(dim=4, k=8, power=2.0, steps=20.0).fit(gallery)
    graph.save(tmp_path / "graph.npz")
    loaded = GraphDescriptor.load(tmp_path / "graph.npz")
    np.testing.assert_array_equal(loaded.encode(gallery), graph.encode(gallery))
    np.testing.assert_array_equal(loaded.descriptors_, graph.descriptors_)
    np.testing.assert_array_equal(loaded.eigenvalues_, graph.eigenvalues_)
    assert (loaded.dim, loaded.k, loaded.power, loaded.steps) == (4, 8, 2.0, 20.0)


def test_the_file_of_an_index_is_no_graph_and_the_other_way_round(gallery, tmp_path):
    index = ImageIndex(None)
    index.add_descriptors(gallery)
    index.save(tmp_path / "index.npz")
    with pytest.raises(ValueError, match="an index without a graph; use ImageIndex"):
        GraphDescriptor.load(tmp_path / "index.npz")
    GraphDescriptor(dim=2, k=3).fit(gallery).save(tmp_path / "graph.npz")
    with pytest.raises(ValueError, match="holds a graph; use GraphDescriptor"):
        ImageIndex.load(tmp_path / "graph.npz", None)


def test_a_gallery_in_two_pieces_has_two_slowest_patterns():
    gallery = np.zeros((20, 2), np.float32)
    gallery[:10, 0] = gallery[10:, 1] = 1
    graph = GraphDescriptor(dim=2, k=4).fit(gallery)
    np.testing.assert_allclose(graph.eigenvalues_, 1, atol=1e-8)
    similarity = graph.descriptors_ @ graph.descriptors_.T
    np.testing.assert_allclose(similarity[:10, :10], 1, atol=1e-5)
    np.testing.assert_allclose(similarity[:10, 10:], 0, atol=1e-5)


@pytest.mark.parametrize(
    ("use", "error", "message"),
    [
        (lambda g: GraphDescriptor(dim=0), ValueError, "dim must be at least 1"),
        (lambda g: GraphDescriptor(k=1.5), TypeError, "k must be a whole number"),
        (lambda g: GraphDescriptor(power=-1), ValueError, "power must be finite, at least 0"),
        (lambda g: GraphDescriptor(steps="2"), TypeError, "steps must be a number"),
        (lambda g: GraphDescriptor(dim=120).fit(g), ValueError, "dim must be at most 119"),
        (lambda g: GraphDescriptor(dim=3, k=120).fit(g), ValueError, "k must be at most 119"),
        (lambda g: GraphDescriptor().fit(g * np.nan), ValueError, "NaN"),
        (lambda g: GraphDescriptor(2, 2).fit(np.eye(6)), ValueError, "so nothing ties them"),
        (lambda g: GraphDescriptor().encode(g), ValueError, r"call \.fit\(gallery\) first"),
        (lambda g: GraphDescriptor(2).fit(g).encode(g[:, :3]), ValueError, "must have 6 columns"),
    ],
)
def test_what_cannot_be_is_refused(gallery, use, error, message):
    with pytest.raises(error, match=message):
        use(gallery)
