"""Times Python in the page as a reader meets it: seconds to the first verdict, bytes, memory.

    make live
    python benchmarks/live.py _build/html

Each start has a browser of its own. Cold, nothing of the book is kept; warm, Python's files are, as
on every later visit; last, Python runs already. Chapter 1 is run from its first cell to its last.
The site is served on this machine, so a network costs nothing: add what yours takes for the bytes.
Needs Chromium, and `pip install -e ".[site]"`.
"""

import argparse
import os
import shutil
import statistics
import time
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from measuring import machine, write_report

RESULTS = Path(__file__).parent / "results" / "live.json"
PAGE = "book/background.html"
EXERCISE = "precision_at_k"
ANSWER = "def precision_at_k(relevant, k):\n    return relevant[:, :k].mean(axis=1)\n"
NAMES = ["chromium", "chromium-browser", "google-chrome"]
IDLE = "() => !document.documentElement.hasAttribute('data-python-busy')"
LONGEST = 3_600_000  # milliseconds; only what hangs meets it


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves files without a line for each of them."""

    def log_message(self, *arguments):
        pass


def first_verdict(page) -> float:
    """Return the seconds from the click to the verdict."""
    box = page.locator(f'[data-exercise="{EXERCISE}"]')
    box.locator("textarea").fill("")  # takes an earlier verdict away
    box.get_by_role("button", name="Reset").click()
    box.locator("textarea").fill(ANSWER)
    started = time.perf_counter()
    box.get_by_role("button", name="Check", exact=True).click()
    box.locator('.py-verdict[data-status="right"]').wait_for()
    return time.perf_counter() - started


def memory(browser) -> int:
    """Return the bytes that the processes of pages hold; 0 where the system does not say."""
    found = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    pages = 0
    for process in found:
        path = Path(f"/proc/{process['id']}/statm")
        if process["type"] == "renderer" and path.is_file():
            pages += int(path.read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") if pages else 0


def opened(context, address: str):
    page = context.new_page()
    page.set_default_timeout(LONGEST)
    page.goto(f"{address}/{PAGE}", wait_until="networkidle")
    return page


def visits(browser, address: str) -> dict:
    """Visit the chapter twice with a browser that keeps nothing from before."""
    with browser.new_context() as context:
        page = opened(context, address)
        before = memory(browser)
        found = {"cold": first_verdict(page)}
        found["running"] = first_verdict(page)
        found["memory"] = memory(browser) - before
        found |= page.evaluate("({ bytes: bookPage.python.fetched, heap: bookPage.python.memory })")
        page.close()
        page = opened(context, address)
        found["warm"] = first_verdict(page)
        found["bytes warm"] = page.evaluate("bookPage.python.fetched")
    return found


def chapter(browser, address: str) -> dict:
    """Run every cell of chapter 1."""
    with browser.new_context() as context:
        page = opened(context, address)
        page.get_by_role("button", name="Make the code live").click()
        started = time.perf_counter()
        page.get_by_role("button", name="Run all cells").click()
        page.wait_for_function(IDLE, timeout=LONGEST)
        seconds = time.perf_counter() - started
        errors = page.locator(".python-cell .py-error").count()
        found = page.evaluate("({ bytes: bookPage.python.fetched, heap: bookPage.python.memory })")
    if errors:
        raise RuntimeError(f"{errors} cells of chapter 1 stop with an error")
    return {"seconds": round(seconds, 1), **found}


def load() -> float | None:
    """Return how many processes, ours among them, wanted to run in the last quarter of an hour."""
    return round(os.getloadavg()[2], 1) if hasattr(os, "getloadavg") else None


def measure(site: Path, chromium: str, repeats: int) -> dict:
    from playwright.sync_api import sync_playwright  # an extra: help needs none

    handler = partial(QuietHandler, directory=str(site))
    with (
        ThreadingHTTPServer(("127.0.0.1", 0), handler) as server,
        sync_playwright() as playwright,
    ):
        Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"

        def with_browser(action):
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            try:
                return browser.version, action(browser, address)
            finally:
                browser.close()

        runs = [with_browser(visits)[1] for _ in range(repeats)]
        version, whole = with_browser(chapter)
        server.shutdown()
    middle = {name: statistics.median(run[name] for run in runs) for name in runs[0]}
    seconds = ("cold", "warm", "running")
    return {
        "browser": f"Chromium {version}",
        "seconds to the first verdict": {name: round(middle[name], 2) for name in seconds},
        "each": {name: [round(run[name], 2) for run in runs] for name in seconds},
        "bytes loaded": {"cold": middle["bytes"], "warm": middle["bytes warm"]},
        "bytes of memory": {"of the page": middle["memory"], "of Python": middle["heap"]},
        "chapter 1": whole,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "site", type=Path, help="folder of the built HTML, with Python in its pages"
    )
    parser.add_argument("--repeats", type=int, default=5, help="browsers to start (5)")
    parser.add_argument("--output", type=Path, default=RESULTS, help="result file to write")
    given = parser.parse_args()
    if not (given.site / "_static" / "python" / "parts.js").is_file():
        parser.error(f"{given.site} holds no book with Python in its pages; see `make live`")
    chromium = next(filter(None, map(shutil.which, NAMES)), None)
    if chromium is None:
        parser.error("no Chromium on the PATH")
    report = {
        "command": "python benchmarks/live.py _build/html",
        "machine": machine(),
        "repeats": given.repeats,
        "exercise": EXERCISE,
        **measure(given.site, chromium, given.repeats),
        "processes that wanted a core meanwhile": load(),
    }
    write_report(given.output, report)


if __name__ == "__main__":
    main()
