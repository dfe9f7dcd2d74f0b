"""Settings of the property tests, and a patient nbval."""

import pytest
from hypothesis import settings

# The same cases in every run, and no deadline: shared machines are slow now and then.
# To look for new cases: pytest --hypothesis-profile=explore
settings.register_profile("book", deadline=None, derandomize=True)
settings.register_profile("quick", deadline=None, derandomize=True, max_examples=20)  # make check
settings.register_profile("explore", deadline=None, max_examples=1000)
settings.load_profile("book")


@pytest.fixture
def patient_folder(tmp_path):
    """A folder where nbval waits for a cell's last words as long as it does in this repository."""
    lines = [
        "def pytest_collection_modifyitems(items):",
        "    for item in items:",
        "        item.output_timeout = 300",
    ]
    (tmp_path / "conftest.py").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return tmp_path
