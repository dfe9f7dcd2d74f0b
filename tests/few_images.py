"""A few bundled digits as the studies split them, for tests that run the studies' own functions."""

import specs


def few_images(n_gallery: int, n_queries: int) -> specs.Split:
    """Return the first images of the gallery and the first queries."""
    whole = specs.load_split("mnist", "quick")
    return specs.Split(
        whole.gallery[:n_gallery],
        whole.gallery_labels[:n_gallery],
        whole.queries[:n_queries],
        whole.query_labels[:n_queries],
        "a few",
    )
