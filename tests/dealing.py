"""Which tests run in one process, where several run at a time."""

import re
from pathlib import Path

# Files whose tests share something that takes long to make.
TOGETHER = {"classroom_runs", "nbgrader_runs", "test_colab_variant", "test_distribution"}
TOGETHER |= {"test_marking", "test_notebook_helpers", "test_site", "test_web"}
TRAINED = re.compile(r"test_(?:training_improves|save_and_load)\w*(\[.*\])$")
PAGE = re.compile(r"\[(?:\w+-)?([\w/-]+\.html)")


def deal(nodeid: str) -> str:
    """Return the name of what must run in one process: a notebook, a page, a file, or one test."""
    file = Path(nodeid.split("::")[0])
    if re.search("test_a_published_book|test_an_address_without", nodeid):  # need a second book
        return "published"
    if found := TRAINED.search(nodeid):  # they share a model that was trained
        return found[1]
    if "test_the_emoji" in nodeid or "test_the_names" in nodeid:  # they share the components
        return "emoji"
    if file.suffix == ".ipynb" or file.stem in TOGETHER:
        return file.name
    if file.parent.name == "browser":  # a page is visited once, whatever is asked of it
        return found[1] if (found := PAGE.search(nodeid)) else file.name
    return nodeid


def scheduler(config, log):
    """Return what deals tests out one by one, but together what shares something costly."""
    from xdist.scheduler import LoadScopeScheduling

    class Dealing(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            return deal(nodeid)

    return Dealing(config, log)
