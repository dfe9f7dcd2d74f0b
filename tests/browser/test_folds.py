"""Folded code: pages read as prose and pictures, and what is folded is one line away."""

import pytest
from edition import say
from test_pages import NARROW, NOTEBOOKS, WIDE

APPENDIX = ("faq", "right-tool", "teachers-guide")
CHAPTERS = [name for name in NOTEBOOKS if not any(other in name for other in APPENDIX)]

# Code is what stands in cells and what they print, the library's source with it; prose is what a
# section is made of. Whatever lies within something that is counted is not counted again.
HEIGHTS = """() => {
  const CODE = ".cell_input, .cell_output .highlight, .cell_output pre, section > .highlight";
  const TEXT = "section > :is(p, ul, ol, dl, blockquote, div.math, .admonition, details), figure";
  const tall = (query) => {
    const seen = [...document.querySelectorAll(query)].filter(e =>
      e.closest("article") && e.checkVisibility());
    return seen.filter(e => !e.parentElement.closest(query))
      .reduce((sum, e) => sum + e.getBoundingClientRect().height, 0);
  };
  return { code: tall(CODE), text: tall(TEXT) };
}"""


@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("name", CHAPTERS)
def test_prose_and_pictures_take_more_room_than_code(still_page, name, viewport):
    page = still_page(name, viewport)
    folds = "document.querySelectorAll('details.hide').forEach(e => { e.open = !e.open; })"
    found = page.evaluate(HEIGHTS)
    page.evaluate(folds)
    unfolded = page.evaluate(HEIGHTS)
    page.evaluate(folds)
    assert 0 < found["code"] < found["text"]
    assert unfolded["code"] > 1.5 * found["code"]  # what was folded is not counted


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_each_fold_says_what_it_does_and_leaves_its_result_in_sight(still_page, name):
    page = still_page(name, NARROW)
    lines = page.locator("details.hide > summary").all_inner_texts()
    assert lines and all(line.startswith(say("Code: ")) for line in lines)
    # Another name would be spoken in place of the line.
    assert page.locator("details.hide > summary[aria-label]").count() == 0
    assert page.locator("details.hide :is(.cell_output, figure)").count() == 0
    # Editors and their table, where the site has them, stand in the place of stored verdicts.
    results = ".cell:not(.py-replaced) > .cell_output"
    assert page.locator(f"{results}:visible").count() == page.locator(results).count() > 0


def test_a_fold_opens_by_keyboard_and_by_a_link_into_it(open_page):
    page = open_page("book/elbo.html", viewport=WIDE)
    first, second, third = page.locator("details.hide").all()[:3]
    first.locator("summary").focus()
    page.keyboard.press("Enter")
    assert first.locator("pre").is_visible()
    assert not second.locator("pre").is_visible()
    second.locator("pre").evaluate("code => { code.id = 'inside'; location.hash = 'inside'; }")
    second.locator("pre").wait_for(state="visible")
    assert not third.locator("pre").is_visible()


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_folded_code_is_not_printed(open_page, scripts):
    page = open_page("book/elbo.html", viewport=WIDE, java_script_enabled=scripts)
    page.emulate_media(media="print")
    assert page.locator("details.hide > summary").count() > 10
    assert page.locator("details.hide > summary:visible").count() == 0
    assert page.locator("details.hide pre:visible").count() == 0
    assert page.locator(".cell_input pre:visible").count() > 3
