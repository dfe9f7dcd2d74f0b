"""Figures in a real browser: the theme's ink on no slab, words that a phone can show, ids once."""

import pytest
from site_rules import contrast
from test_pages import NARROW, NOTEBOOKS, PAGES, WIDE

# For each drawing: what is painted behind it or in it as a ground, the colours of its words and
# lines, and the ground of the page.
LOOKS = """() => {
  const hex = colour => "#" + colour.match(/[\\d.]+/g).slice(0, 3)
    .map(part => Math.round(Number(part)).toString(16).padStart(2, "0")).join("");
  const clear = colour => colour === "none" || colour === "rgba(0, 0, 0, 0)";
  const page = hex(getComputedStyle(document.body).backgroundColor);
  return [...document.querySelectorAll(".figure-drawing")].map(drawing => {
    const box = drawing.getBoundingClientRect();
    const slabs = [];
    for (let around = drawing; around.tagName !== "ARTICLE"; around = around.parentElement) {
      const colour = getComputedStyle(around).backgroundColor;
      if (!clear(colour) && hex(colour) !== page) slabs.push(around.tagName + " " + colour);
    }
    for (const path of drawing.querySelectorAll("path")) {
      const { fill, fillOpacity } = getComputedStyle(path), size = path.getBoundingClientRect();
      const large = size.width * size.height > 0.2 * box.width * box.height;
      if (large && !clear(fill) && fillOpacity > 0.3 && hex(fill) !== page) slabs.push(fill);
    }
    // Numerals that stand for points have a colour for each digit, which is seen as a mark is.
    const words = [...drawing.querySelectorAll("text")]
      .filter(e => !e.style.fill.startsWith("var(--live")).map(e => hex(getComputedStyle(e).fill));
    const lines = [...drawing.querySelectorAll("path, use")].map(e => getComputedStyle(e).stroke)
      .filter(colour => !clear(colour)).map(hex);
    return { page, slabs, words: [...new Set(words)], lines: [...new Set(lines)] };
  });
}"""
# How high the smallest letters of each drawing are, and its smallest words, where the drawing
# stands, its frame, and what of it the frame cuts.
WORDS = """() => [...document.querySelectorAll(".figure-frame")]
  .filter(frame => frame.checkVisibility()).map(frame => {
    const shown = [...frame.querySelectorAll("text")].filter(text => text.checkVisibility());
    const height = text => {
      const { a, b } = text.getScreenCTM();
      return parseFloat(getComputedStyle(text).fontSize) * Math.hypot(a, b);
    };
    const box = frame.getBoundingClientRect();
    return {
      smallest: Math.min(...shown.map(height)),
      words: Math.min(...shown.filter(text => !/^[✓✗]$/.test(text.textContent)).map(height)),
      single: Boolean(frame.closest(".cell_output") && !frame.querySelector(".figure-row")),
      cut: shown.filter(text => {
        const { top, bottom } = text.getBoundingClientRect();
        return top < box.top - 1 || bottom > box.bottom + 1;
      }).map(text => text.textContent),
      scrolls: frame.scrollWidth > frame.clientWidth + 1,
      reached: frame.tabIndex === 0,
      told: frame.dataset.more !== undefined,
      right: frame.getBoundingClientRect().right,
    };
  })"""
# Of each row of panels: how high their smallest letters are, where each panel begins, and whether
# letters of one panel reach into another or out of the frame.
ROWS = """() => [...document.querySelectorAll(".figure-row")].filter(row => row.checkVisibility())
  .map(row => {
    const panels = [...row.querySelectorAll(".panel")];
    const boxes = panels.map(panel => panel.getBoundingClientRect());
    const frame = row.parentElement.getBoundingClientRect();
    const texts = [...row.querySelectorAll("text")].filter(text => text.checkVisibility());
    const heights = texts.map(text =>
      parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a ||
      parseFloat(getComputedStyle(text).fontSize) * Math.abs(text.getScreenCTM().b));
    const outside = texts.filter(text => {
      const { left, right } = text.getBoundingClientRect();
      return left < frame.left - 3 || right > frame.right + 3;
    });
    return {
      lines: new Set(boxes.map(box => Math.round(box.top))).size,
      panels: boxes.length,
      smallest: Math.min(...heights),
      outside: outside.map(text => text.textContent),
      again: [...row.querySelectorAll(".panel-again")].filter(e => e.checkVisibility()).length,
      shares: row.querySelectorAll(".panel-again").length,
    };
  })"""
IDS = """() => {
  const ids = [...document.querySelectorAll("[id]")].map(e => e.id);
  return ids.filter((id, place) => ids.indexOf(id) !== place);
}"""
DRAWN = [page for page in NOTEBOOKS if not page.endswith(("faq.html", "teachers-guide.html"))]


WITH_ROWS = [f"book/{name}.html" for name in (
    "background", "elbo", "encoder-decoder", "training", "retrieval", "better-representations",
    "right-tool",
)]  # fmt: skip


# Whose single charts are drawn at plotting.NARROW; the rest have 8 pixels until they run again.
NARROW_CHARTS = [f"book/{name}.html" for name in (
    "background", "elbo", "encoder-decoder", "training", "retrieval",
)]  # fmt: skip


# book.js has looked at every figure that scrolls.
TOLD = """() => [...document.querySelectorAll(".figure-frame")].every(
  frame => frame.scrollWidth <= frame.clientWidth + 1 || frame.dataset.more !== undefined)"""


@pytest.fixture(scope="module")
def seen(still_page):
    """Return a function that looks at a page once, in both themes and on a phone."""
    pages = {}

    def once(name: str) -> dict:
        if name not in pages:
            page = still_page(name, WIDE)
            found = pages[name] = {"row": page.evaluate(ROWS), "wide": page.evaluate(WORDS)}
            for theme in ("dark", "light"):
                page.emulate_media(color_scheme=theme)
                page.wait_for_function(f"document.documentElement.dataset.theme === '{theme}'")
                found[theme] = page.evaluate(LOOKS)
            page = still_page(name, NARROW)
            page.wait_for_function(TOLD)
            found |= {"narrow": page.evaluate(WORDS), "stacked": page.evaluate(ROWS)}
        return pages[name]

    return once


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", DRAWN)
def test_figures_stand_on_the_page_in_its_ink(seen, name, theme):
    found = seen(name)[theme]
    assert len(found) > 2
    for drawing in found:
        assert drawing["slabs"] == []
        for colour in drawing["words"]:
            # White words stand on a ground of their own, such as the sign on a result.
            assert colour == "#ffffff" or contrast(colour, drawing["page"]) >= 4.5
    inks = [contrast(colour, each["page"]) for each in found for colour in each["lines"]]
    assert max(inks) >= 7


@pytest.mark.parametrize("name", DRAWN)
def test_the_ink_changes_with_the_theme(seen, name):
    light, dark = (seen(name)[theme] for theme in ("light", "dark"))
    assert light[0]["page"] != dark[0]["page"]
    assert [each["words"] for each in light] != [each["words"] for each in dark]


@pytest.mark.parametrize("name", DRAWN)
def test_words_in_figures_are_legible_on_a_phone(seen, name):
    found = seen(name)["narrow"]
    assert len(found) > 2
    for frame in found:
        assert frame["smallest"] >= 7.95  # infinite where there are none
        assert frame["right"] <= NARROW["width"]
        if frame["scrolls"]:
            assert frame["reached"] and frame["told"]


@pytest.mark.parametrize("name", NARROW_CHARTS)
def test_words_of_a_single_chart_have_ten_pixels_on_a_phone(seen, name):
    words = [frame["words"] for frame in seen(name)["narrow"] if frame["single"]]
    assert len(words) >= 2
    assert min(words) >= 9.85


@pytest.mark.parametrize("name", DRAWN)
def test_no_word_of_a_figure_is_cut(seen, name):
    for kind in ("wide", "narrow"):
        assert [frame["cut"] for frame in seen(name)[kind] if frame["cut"]] == []


@pytest.mark.parametrize("name", WITH_ROWS)
def test_panels_in_a_row_stand_on_two_lines_on_a_phone(seen, name):
    rows, stacked = (seen(name)[kind] for kind in ("row", "stacked"))
    assert len(rows) == len(stacked) > 0
    for wide, narrow in zip(rows, stacked, strict=True):
        assert (wide["lines"], narrow["lines"]) == (1, 2)
        assert (wide["again"], narrow["again"]) == (0, narrow["shares"])
        assert wide["outside"] == narrow["outside"] == []
        assert narrow["smallest"] >= 8.9
    larger = [row for row in stacked if row["panels"] == 2 and row["smallest"] >= 11.9]
    assert larger


@pytest.mark.parametrize("name", PAGES)
def test_no_id_is_there_twice(still_page, name):
    assert still_page(name, WIDE).evaluate(IDS) == []


def test_a_touch_shows_a_figure_as_large_as_on_a_wide_screen(browser, base_url):
    with browser.new_context(viewport=NARROW, has_touch=True, reduced_motion="reduce") as context:
        page = context.new_page()
        page.goto(f"{base_url}/{DRAWN[0]}", wait_until="load")
        drawing = page.locator(".figure-drawing").nth(2)
        width = "drawing => drawing.getBoundingClientRect().width"
        handle = drawing.element_handle()
        before = drawing.evaluate(width)
        drawing.tap()  # the browser makes a click of it, which comes later
        page.wait_for_function(f"drawing => ({width})(drawing) !== {before}", arg=handle)
        large = drawing.evaluate(width)
        # Single charts are drawn narrow, so that little is left to enlarge.
        assert large == float(drawing.get_attribute("width")) > 1.5 * before
        assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
        page.wait_for_function(TOLD)
        drawing.tap()
        page.wait_for_function(f"drawing => ({width})(drawing) === {before}", arg=handle)
        frame = page.locator(".figure-frame").nth(2)
        frame.evaluate("frame => frame.focus()")
        page.keyboard.press("Enter")
        assert drawing.evaluate(width) == large
