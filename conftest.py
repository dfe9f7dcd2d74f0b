"""What every test run needs, whether of the library or of the notebooks."""

import os
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent

# What trains a model while its lines are followed takes a third longer, for the lines of TensorFlow
# that it runs; those of ours are followed in the quick tests beside it.
TRAINS = {"test_data_of_models", "test_models", "test_multimodal", "test_settings", "test_targets"}
TRAINS |= {"test_distribution", "test_training"}

# Notebook kernels are processes of their own and inherit this, so that they find the package.
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
# Kernels of this environment come before a kernel of the same name in the user's home.
os.environ.setdefault("JUPYTER_PREFER_ENV_PATH", "1")


def pytest_collection_modifyitems(items):
    """Run the notebooks that take longest first, so that two at a time end together.

    Following every line makes a test of pages and tools take nearly twice as long, and says nothing
    of the library: only the library's own tests and examples count towards its coverage.
    """
    for item in items:
        name, slow = item.path.stem, item.get_closest_marker("slow")
        ours = name in library_tests() and not (slow and name in TRAINS)
        if item.path.is_relative_to(ROOT / "tests") and not ours:
            item.add_marker("no_cover")
        if item.path.suffix == ".ipynb":
            # After its result, a cell's last words: nbval waits five seconds, whatever the limit.
            item.output_timeout = 300
    for page in {item.parent for item in items if item.path.suffix == ".ipynb"}:
        # Pictures are not compared. nbval knows this of PNG alone, and SVG is stored only.
        page.skip_compare = (*page.skip_compare, "image/svg+xml")
    if any(item.path.suffix == ".ipynb" for item in items):
        items.sort(key=lambda item: -stored_seconds(item.path))  # keeps the order of the cells


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    if config.getvalue("dist") != "load":  # somebody asked for another way by --dist
        return None
    from dealing import scheduler

    return scheduler(config, log)


@cache
def library_tests() -> set[str]:
    """Return the names of the files that should notice what goes wrong in the library."""
    from mutants import ALL

    return {f"test_{name}" for names in ALL.values() for name in names}


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


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item):
    """Leave the processes of a test, and of its fixtures, out of the coverage with the test."""
    name, left_out = "COVERAGE_PROCESS_CONFIG", item.get_closest_marker("no_cover")
    said = os.environ.pop(name, None) if left_out else None
    yield
    if said is not None:
        os.environ[name] = said


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_setup(item):
    """Leave the fixtures of a test out with it; pytest-cov leaves out the test alone."""
    plugin = item.config.pluginmanager.getplugin("_cov")
    controller = getattr(plugin, "cov_controller", None)
    left_out = controller and item.get_closest_marker("no_cover")
    if left_out:
        controller.pause()
    yield
    if left_out:
        controller.resume()


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
