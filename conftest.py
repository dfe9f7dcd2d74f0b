"""What every test run needs, whether of the library or of the notebooks."""

import os
import re
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent

# Notebook kernels are processes of their own and inherit this, so that they find the package.
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
# Kernels of this environment come before a kernel of the same name in the user's home.
os.environ.setdefault("JUPYTER_PREFER_ENV_PATH", "1")


def pytest_collection_modifyitems(items):
    """Run the notebooks that take longest first, so that two at a time end together."""
    if any(item.path.suffix == ".ipynb" for item in items):
        items.sort(key=lambda item: -stored_seconds(item.path))  # keeps the order of the cells


# Files whose tests share something that takes long to make.
TOGETHER = {"classroom_runs", "nbgrader_runs", "test_colab_variant", "test_distribution"}
TOGETHER |= {"test_marking", "test_notebook_helpers", "test_site", "test_web"}
PAGE = re.compile(r"\[(?:\w+-)?([\w/-]+\.html)")


def deal(nodeid: str) -> str:
    """Return the name of what must run in one process: a notebook, a page, a file, or one test."""
    file = Path(nodeid.split("::")[0])
    if "test_a_published_book" in nodeid:  # the one test that needs a second book
        return nodeid
    if "test_the_emoji" in nodeid or "test_the_names" in nodeid:  # they share the components
        return "emoji"
    if file.suffix == ".ipynb" or file.stem in TOGETHER:
        return file.name
    if file.parent.name == "browser":  # a page is visited once, whatever is asked of it
        return found[1] if (found := PAGE.search(nodeid)) else file.name
    return nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Deal tests out to the processes one by one, but together what shares something costly."""
    from xdist.scheduler import LoadScopeScheduling

    class Dealing(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            return deal(nodeid)

    return Dealing(config, log)


@cache
def stored_seconds(path: Path) -> float:
    """Return what a notebook's cells took when it was stored; 0 for any other file."""
    if path.suffix != ".ipynb":
        return 0
    import nbformat
    from notebook_rules import run_seconds

    return run_seconds(nbformat.read(path, as_version=4)) or 0


def pytest_configure(config):
    # Set here and not in the environment, because kernels must keep their inline figures.
    import matplotlib

    matplotlib.use("Agg")


@pytest.fixture(autouse=True)
def no_open_figures():
    """Close the figures a test has left open."""
    yield
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close("all")


@pytest.fixture(autouse=True)
def examples_write_elsewhere(request):
    """Run docstring examples in a directory of their own: some of them save files."""
    if isinstance(request.node, pytest.DoctestItem):
        request.getfixturevalue("monkeypatch").chdir(request.getfixturevalue("tmp_path"))
