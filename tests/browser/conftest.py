"""A browser and the built book: what every test of the site in a browser needs."""

import shutil
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import sync_playwright
from site_building import build_book, given_site
from waiting import SETTLED

# The shell is Chromium without its windows: the same pages for half of the processor's time.
NAMES = ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"]


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


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves files without a line for each of them."""

    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="session")
def base_url(site):
    """Serve the book on a free port; return its address without a slash at the end."""
    handler = partial(QuietHandler, directory=str(site))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


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
