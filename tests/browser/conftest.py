"""A browser and the built book: what every test of the site in a browser needs."""

import re
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright
from serving import served
from site_building import build_book, given_site
from waiting import SETTLED

from vae_tutorial.exercises import EXERCISES

# The shell is Chromium without its windows: the same pages for less work.
NAMES = ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"]
ROOT = Path(__file__).resolve().parents[2]
PAGES = {*re.findall(r"file: book/(\S+)", (ROOT / "_toc.yml").read_text(encoding="utf-8"))}
PAGES |= {"genindex", "search"}
# What is asked of many pages is in short asked of these: one or two of each kind, among them those
# with the most formulas, exercises and moving figures. What only others have is asked of them.
SAMPLE = {"index", "elbo", "training", "retrieval", "many-modalities", "glossary", "journey"}
SAMPLE |= {"draw", "playground", "search", "api/models"}


def page_of(item) -> str | None:
    """Return the page that one test of several is of, by its name or by that of an exercise."""
    given = getattr(item, "callspec", None)
    names = [value for value in (given.params.values() if given else ()) if isinstance(value, str)]
    names = [name.removeprefix("book/").removesuffix(".html") for name in names]
    names += [EXERCISES[name].page for name in names if name in EXERCISES]
    return next(filter(PAGES.__contains__, names), None)


@pytest.hookimpl(tryfirst=True)  # before tests are chosen by their marks
def pytest_collection_modifyitems(items):
    pages = {item: page for item in items if (page := page_of(item))}
    sampled = {item.function for item, page in pages.items() if page in SAMPLE}
    for item, page in pages.items():
        if item.function in sampled and page not in SAMPLE:
            item.add_marker(pytest.mark.aside)


@pytest.fixture(scope="session")
def site(tmp_path_factory) -> Path:
    """Return the folder of the built HTML: BOOK_SITE where that is given, else a fresh build."""
    return given_site() or build_book(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="session")
def browser():
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.fail(
            "No Chromium on the PATH. On Debian: apt-get install chromium-headless-shell",
            pytrace=False,
        )
    with sync_playwright() as playwright:
        # The pages are our own, and containers often cannot offer a sandbox.
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def base_url(site):
    """Serve the book on a free port; return its address without a slash at the end."""
    with served(site) as address:
        yield address


@pytest.fixture(scope="session")
def still_page(browser, base_url):
    """Return a function that gives a page, at a size, to tests that change nothing in it.

    Loading a chapter takes longer than most of what is asked of it. The tests of a page follow each
    other (tests/dealing.py), so it stays open for them, until another one is asked for.
    """
    kept = {}

    def close(keys):
        for key in keys:
            kept.pop(key).close()

    def opened(name: str, viewport: dict[str, int]):
        key = name, viewport["width"]
        if key not in kept:
            close([other for other in kept if other[0] != name])
            context = browser.new_context(viewport=viewport, reduced_motion="reduce")
            kept[key] = context
            page = context.new_page()
            page.goto(f"{base_url}/{name}", wait_until="load")
            page.evaluate(SETTLED)
        return kept[key].pages[0]

    yield opened
    close([*kept])


@pytest.fixture
def open_page(browser, base_url):
    """Return a function that opens a page in a window of its own; keywords say what kind."""
    contexts = []

    def opened(name: str, address: str = base_url, **options):
        contexts.append(browser.new_context(**{"reduced_motion": "reduce", **options}))
        page = contexts[-1].new_page()
        page.goto(f"{address}/{name}", wait_until="load")
        if options.get("java_script_enabled", True):
            page.evaluate(SETTLED)
        return page

    yield opened
    for context in contexts:
        context.close()
