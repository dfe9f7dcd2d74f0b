"""Settings of the property tests, and which tests run in one process where two are at work."""

import pytest
from hypothesis import settings

# The same cases in every run, and no deadline: shared machines are slow now and then.
# To look for new cases: pytest --hypothesis-profile=explore
settings.register_profile("book", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None, max_examples=1000)
settings.load_profile("book")

# Files whose tests share something that takes long to make; all others are dealt out one by one.
TOGETHER = {"test_colab_variant", "test_marking", "test_notebook_helpers", "test_site", "test_web"}


@pytest.hookimpl(tryfirst=True)  # xdist reads the groups in the same hook
def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.stem in TOGETHER and not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group(item.path.stem))
