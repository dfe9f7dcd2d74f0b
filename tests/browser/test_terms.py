"""The notes beside links to the glossary: by mouse, keyboard and touch, in both themes."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from edition import plain
from test_pages import NARROW, WIDE

PAGE = "book/retrieval.html"
TERM = "article a[href='glossary.html#term-mean-average-precision']"
SAYS = plain(
    "The mean of {term}`average precision` over all queries, written mAP. "
    "[Chapter 1](background.ipynb)."
)
INSIDE = """note => {
  const box = note.getBoundingClientRect();
  return box.left >= 0 && box.top >= 0 && box.right <= document.documentElement.clientWidth;
}"""


def test_a_note_opens_on_hover_stays_under_the_pointer_and_goes(open_page):
    page = open_page(PAGE, viewport=WIDE)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    note = page.locator(".term-note")
    term = page.locator(TERM).first
    term.hover()
    note.wait_for()
    assert note.evaluate(INSIDE)
    assert SAYS in note.inner_text()
    assert "\\" not in note.inner_text() and "$" not in note.inner_text()
    note.hover()
    page.wait_for_timeout(400)
    assert note.is_visible()
    page.mouse.move(2, 2)
    note.wait_for(state="detached")
    term.hover()
    note.wait_for()
    page.keyboard.press("Escape")
    note.wait_for(state="detached")
    assert asked == []


def test_a_note_opens_with_the_keyboard_and_describes_its_term(open_page, site):
    # As a file, too: a page there may fetch nothing.
    page = open_page(PAGE, site.as_uri(), viewport=NARROW)
    note, term = page.locator(".term-note"), page.locator(TERM).first
    term.focus()
    note.wait_for()
    assert note.evaluate(INSIDE)
    described = term.get_attribute("aria-describedby")
    assert SAYS in page.locator(f"#{described}").inner_text()
    page.keyboard.press("Escape")
    note.wait_for(state="detached")
    assert term.get_attribute("aria-describedby") is None
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    note.wait_for()
    page.keyboard.press("Tab")
    note.wait_for(state="detached")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/glossary.html#term-mean-average-precision")


def test_the_first_tap_shows_the_note_which_has_the_link(open_page):
    page = open_page(PAGE, viewport=NARROW, has_touch=True)
    note, term = page.locator(".term-note"), page.locator(TERM).first
    term.tap()
    note.wait_for()
    assert note.evaluate(INSIDE)
    assert page.url.endswith(PAGE)
    page.touchscreen.tap(355, 700)  # in the margin
    note.wait_for(state="detached")
    term.tap()
    note.get_by_role("link").tap()
    page.wait_for_url("**/glossary.html#term-mean-average-precision")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_note_is_legible(open_page, theme):
    page = open_page(PAGE, viewport=WIDE, color_scheme=theme)
    page.locator(TERM).first.hover()
    page.locator(".term-note").wait_for()
    found = Axe().run(page, context=".term-note").response
    assert found["violations"] == [] and found["passes"]


def test_every_term_of_a_page_has_its_note(open_page):
    page = open_page("book/elbo.html", viewport=WIDE)
    missing = page.evaluate("""() => {
      const notes = document.getElementById("term-notes").content;
      const terms = [...document.querySelectorAll("article a[href*='#term-']")];
      const said = (anchor) => notes.querySelector(`[data-term="${anchor}"]`)?.textContent ?? "";
      const anchors = terms.map(term => new URL(term.href).hash.slice(1));
      return [anchors.length, anchors.filter(anchor => said(anchor).length < 30)];
    }""")
    assert missing[0] > 10
    assert missing[1] == []


def test_in_the_glossary_words_of_a_definition_have_notes_and_its_own_mark_none(open_page):
    page = open_page("book/glossary.html", viewport=WIDE)
    page.locator("dd a.reference[href='#term-encoder']").first.hover()
    page.locator(".term-note").wait_for()
    page.locator("dt#term-encoder").hover()
    page.locator(".term-note").wait_for(state="detached")
    page.locator("dt#term-encoder .headerlink").hover()
    page.wait_for_timeout(400)
    assert page.locator(".term-note").count() == 0


def test_a_page_without_terms_loads_nothing_for_them(open_page):
    page = open_page("book/references.html", viewport=WIDE)
    assert page.locator("#term-notes").count() == 0
    assert page.locator("script[src*='terms.js'], link[href*='terms.css']").count() == 0
