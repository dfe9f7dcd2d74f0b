"""A reader at work in the built book: turning pages, copying, unfolding."""

from itertools import pairwise

import pytest
from edition import say
from test_pages import HOME, NARROW, NOTEBOOKS, PAGES, WIDE
from waiting import SETTLED


@pytest.fixture(scope="module")
def context(browser):
    with browser.new_context(
        viewport=WIDE, color_scheme="light", reduced_motion="reduce"
    ) as context:
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        yield context


@pytest.fixture
def page(context):
    page = context.new_page()
    page.set_default_timeout(60_000)  # only what hangs meets it
    yield page
    page.close()


# -- Pages in their order -------------------------------------------------------------------------


def test_a_reader_gets_through_the_book_and_back(open_page, base_url):
    page = open_page(PAGES[0], viewport=WIDE, java_script_enabled=False)  # links need no scripts
    assert page.locator(".prev-next-footer .left-prev").count() == 0
    for before, name in pairwise(PAGES):
        page.locator(".prev-next-footer .right-next").click()
        page.wait_for_url(f"{base_url}/{name}", wait_until="domcontentloaded")
        back = page.locator(".prev-next-footer .left-prev").evaluate("link => link.href")
        assert back == f"{base_url}/{before}"
    assert page.locator(".prev-next-footer .right-next").count() == 0


def test_pages_are_turned_with_scripts_too(page, base_url):
    page.goto(f"{base_url}/{PAGES[1]}")
    page.locator(".prev-next-footer .right-next").click()
    page.wait_for_url(f"{base_url}/{PAGES[2]}")
    page.locator(".prev-next-footer .left-prev").click()
    page.wait_for_url(f"{base_url}/{PAGES[1]}")


def test_the_first_address_leads_into_the_book(page, base_url):
    page.goto(base_url)
    page.wait_for_url(f"{base_url}/{HOME}")


# -- Buttons --------------------------------------------------------------------------------------


def test_the_theme_button_changes_the_colours_and_is_remembered(page, base_url):
    page.goto(f"{base_url}/{HOME}")
    background = "getComputedStyle(document.body).backgroundColor"
    seen = {}
    for _ in range(3):
        page.locator(".theme-switch-button").first.click()
        seen[page.evaluate("document.documentElement.dataset.mode")] = page.evaluate(background)
    assert set(seen) == {"auto", "light", "dark"}
    assert seen["light"] == seen["auto"] != seen["dark"]
    while page.evaluate("document.documentElement.dataset.mode") != "dark":
        page.locator(".theme-switch-button").first.click()
    page.goto(f"{base_url}/{NOTEBOOKS[0]}")
    assert page.evaluate(background) == seen["dark"]
    page.evaluate("localStorage.clear()")


def test_the_copy_button_copies_the_code(page, base_url):
    page.goto(f"{base_url}/{NOTEBOOKS[0]}")
    cell = page.locator(".cell_input:visible").first
    cell.hover()
    cell.locator("button.copybtn").click()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.strip() == cell.locator("pre").inner_text().strip()
    assert "datasets.load" in copied


@pytest.mark.parametrize("name", PAGES)
def test_every_piece_of_code_can_be_copied(still_page, name):
    page = still_page(name, WIDE)
    blocks = page.locator(".cell_input pre").count()
    assert page.locator(".cell_input button.copybtn").count() == blocks
    assert blocks > 0 or name not in NOTEBOOKS


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_can_be_downloaded(still_page, name):
    page = still_page(name, WIDE)
    with page.expect_download() as started:
        page.get_by_title(say("Download this page as a notebook")).click()
    assert started.value.suggested_filename == name.rpartition("/")[2].replace(".html", ".ipynb")
    text = started.value.path().read_text(encoding="utf-8")
    assert '"nbformat": 4' in text
    assert "```{" not in text and ":::{" not in text


def test_the_menu_opens_on_a_phone(page, base_url):
    page.set_viewport_size(NARROW)
    page.goto(f"{base_url}/{HOME}", wait_until="load")
    link = page.locator(".bd-links a", has_text=say("The ELBO")).first
    assert not link.is_visible()
    page.locator("button.primary-toggle").first.click()
    link.click()
    page.wait_for_url(f"{base_url}/book/elbo.html")


# -- By keyboard ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_what_is_folded_opens_and_closes_by_keyboard(still_page, name):
    page = still_page(name, WIDE)
    folds = page.locator("article details")
    for number in range(min(folds.count(), 8)):
        fold = folds.nth(number)
        if not fold.locator("summary").first.is_visible():
            continue
        was_open = fold.evaluate("fold => fold.open")
        fold.locator("summary").first.focus()
        page.keyboard.press("Enter")
        assert fold.evaluate("fold => fold.open") != was_open
        page.keyboard.press("Enter")
        assert fold.evaluate("fold => fold.open") == was_open
    buttons = page.locator("article button.toggle-button")
    assert buttons.count() >= page.locator("article .admonition.dropdown").count()
    for button in buttons.all():
        content = button.locator("xpath=ancestor::*[contains(@class, 'admonition')][last()]/*[2]")
        assert not content.is_visible()
        button.focus()
        page.keyboard.press("Enter")
        content.wait_for(state="visible")
        page.keyboard.press("Enter")
        content.wait_for(state="hidden")


# A kind of thing that is wider than a phone, and a page that holds one, folded or not.
WIDE_THINGS = {
    "mjx-container": "book/elbo.html",
    "pre": "book/elbo.html",
    ".pst-scrollable-table-container": "book/retrieval.html",
}


@pytest.mark.parametrize(("kind", "name"), WIDE_THINGS.items())
def test_what_is_wide_scrolls_by_keyboard(page, base_url, kind, name):
    page.set_viewport_size(NARROW)
    page.goto(f"{base_url}/{name}", wait_until="load")
    page.evaluate(SETTLED)
    page.evaluate("document.querySelectorAll('article details').forEach(fold => fold.open = true)")
    wide = page.locator(f"article {kind}.wide[tabindex='0']:visible").first
    wide.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("() => document.activeElement.scrollLeft > 0")


def test_sizes_are_asked_for_together(page, base_url):
    """Asking between changes would set the page anew for each of its blocks: seconds on a phone."""
    page.goto(f"{base_url}/book/elbo.html", wait_until="load")
    page.evaluate(SETTLED)
    measure = page.context.new_cdp_session(page)
    measure.send("Performance.enable")

    def times_styled() -> int:
        metrics = measure.send("Performance.getMetrics")["metrics"]
        return next(one["value"] for one in metrics if one["name"] == "RecalcStyleCount")

    before = times_styled()
    page.set_viewport_size(NARROW)
    page.evaluate(SETTLED)
    scrolling = page.locator("article [data-more]").count()
    assert scrolling > 20
    assert times_styled() - before < 2 * scrolling
