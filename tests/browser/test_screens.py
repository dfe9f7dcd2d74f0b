"""Every page on a phone, on paper, without scripts and with colours of the reader's own."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from edition import say
from site_building import build_book
from site_rules import contrast
from test_pages import HOME, NARROW, NOTEBOOKS, OTHERS, PAGES, WIDE
from waiting import SETTLED

# The library's reference repeats what stands in docstrings, which are not broken for a phone.
TEXTS = [page for page in PAGES if "/api/" not in page]
FORMULAS = [page for page in TEXTS if page in NOTEBOOKS or page == "book/refresher.html"]
PAPER = {"width": 794, "height": 1123}  # A4 at 96 dots an inch


# -- What is wider than a phone -------------------------------------------------------------------

# Every element that scrolls sideways, and whether something tells so.
SILENT = """() => {
  const scrollers = [...document.querySelectorAll("article *")].filter(e =>
    /auto|scroll/.test(getComputedStyle(e).overflowX) && e.scrollWidth > e.clientWidth + 1 &&
    e.checkVisibility({ visibilityProperty: true }));
  return scrollers.filter(e => !e.dataset.more || getComputedStyle(e).maskImage === "none")
    .map(e => e.outerHTML.slice(0, 120));
}"""
# One that is centred and wider than its line does not scroll: both of its ends are out of reach.
WIDE_FORMULAS = """() => [...document.querySelectorAll("div.math")].filter(e =>
  e.checkVisibility() && [...e.querySelectorAll("mjx-container")].some(
    formula => formula.scrollWidth > formula.clientWidth + 1 ||
      formula.offsetWidth > e.clientWidth + 1)).map(e => e.id || e.textContent)"""
# Cells of a table shown row by row that hide a part of what they say.
CUT_CELLS = """() => [...document.querySelectorAll(".stacked td")].filter(e =>
  e.checkVisibility() && (e.querySelector(".wide, [data-more]") ||
    e.scrollWidth > e.clientWidth + 1)).map(e => e.textContent)"""
# Formulas that share their line with a number, or whose number is far from them.
BESIDE = """() => [...document.querySelectorAll("div.math:has(.eqno)")].filter(e => {
  const number = e.querySelector(".eqno").getBoundingClientRect();
  const formula = e.querySelector("mjx-container").getBoundingClientRect();
  return number.top < formula.bottom - 1 && number.bottom > formula.top + 1;
}).map(e => e.id)"""
# Tables whose first column goes when the last one is looked at, or takes most of the room.
LOST = """async () => {
  const lost = [];
  for (const frame of document.querySelectorAll(".pst-scrollable-table-container")) {
    if (frame.scrollWidth <= frame.clientWidth + 1 || !frame.checkVisibility()) continue;
    frame.scrollLeft = frame.scrollWidth;
    await new Promise(requestAnimationFrame);
    const place = frame.getBoundingClientRect();
    for (const row of frame.querySelectorAll("tbody tr")) {
      const cell = row.cells[0], box = cell.getBoundingClientRect();
      const clear = getComputedStyle(cell).backgroundColor === "rgba(0, 0, 0, 0)";
      if (box.left < place.left - 1 || box.width > place.width / 2 || clear) {
        lost.push(`${cell.textContent}: ${Math.round(box.width)} of ${place.width} px`);
        break;
      }
    }
    frame.scrollLeft = 0;
  }
  return lost;
}"""


@pytest.mark.parametrize("name", PAGES)
def test_what_scrolls_on_a_phone_says_so(still_page, name):
    page = still_page(name, NARROW)
    assert page.evaluate(SILENT) == []


@pytest.mark.parametrize("name", FORMULAS)
def test_formulas_fit_a_phone_and_their_numbers_take_no_room(still_page, name):
    page = still_page(name, NARROW)
    assert page.evaluate(WIDE_FORMULAS) == []
    assert page.evaluate(BESIDE) == []


@pytest.mark.parametrize("name", TEXTS)
def test_the_first_column_of_a_wide_table_stays(still_page, name):
    page = still_page(name, NARROW)
    assert page.evaluate(LOST) == []


def test_the_cue_goes_where_the_end_is_reached(open_page):
    page = open_page("book/elbo.html", viewport=NARROW)
    code = page.locator(".cell_input pre[data-more='after']").first.element_handle()
    code.evaluate("code => code.scrollTo(code.scrollWidth, 0)")
    page.wait_for_function("code => code.dataset.more === 'before'", arg=code)
    code.evaluate("code => code.scrollTo(5, 0)")
    page.wait_for_function("code => code.dataset.more === 'before after'", arg=code)


def test_what_is_unfolded_gets_its_cue(open_page):
    page = open_page("book/elbo.html", viewport=NARROW)
    for fold in page.locator("article details.hide").all():
        fold.evaluate("fold => { fold.open = true; }")
    page.wait_for_function(f"() => ({SILENT})().length === 0")
    assert page.locator("article details.hide pre[data-more='after']").count() > 0


STACKED = [f"book/{name}.html" for name in (
    "notation", "playground", "differences", "teachers-guide",
)]  # fmt: skip


@pytest.mark.parametrize("name", STACKED)
def test_a_stacked_table_hides_nothing(still_page, name):
    page = still_page(name, NARROW)
    assert page.locator(".stacked td").count() > 10
    assert page.evaluate(CUT_CELLS) == []


def test_the_notation_is_stacked_on_a_phone(open_page):
    page = open_page("book/notation.html", viewport=NARROW)
    tables = page.locator("article table")
    assert tables.count() > 3
    for table in tables.all():
        assert table.evaluate("t => t.parentElement.scrollWidth <= t.parentElement.clientWidth")
    meaning = page.get_by_text(say("Number of images in the gallery"))
    box = meaning.bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= NARROW["width"]
    label = "e => getComputedStyle(e.closest('td'), '::before').content"
    assert meaning.evaluate(label) == f'"{say("Meaning")}"'


# -- Above the text -------------------------------------------------------------------------------


def test_the_contents_close_when_a_section_is_chosen(open_page):
    page = open_page("book/elbo.html", viewport=NARROW)
    page.locator("button.secondary-toggle").first.click()
    drawer = page.locator("dialog#pst-secondary-sidebar-modal")
    drawer.get_by_text(say("Two terms and a sign")).click()
    assert not drawer.is_visible()
    assert page.url.endswith("#two-terms-and-a-sign")
    heading = page.get_by_role("heading", name=say("Two terms and a sign"))
    page.wait_for_function(
        "h => [h.getBoundingClientRect().top].some(top => top >= 0 && top < innerHeight / 2)",
        arg=heading.element_handle(),
    )
    # And it opens again, with all that stood in it.
    page.locator("button.secondary-toggle").first.click()
    assert drawer.get_by_text(say("Two terms and a sign")).is_visible()


@pytest.fixture(scope="module")
def published(tmp_path_factory) -> Path:
    """Build the book as GitHub does for the repository of somebody: with all of the buttons."""
    return build_book(tmp_path_factory.mktemp("published"), BOOK_REPOSITORY="ada/her-book")


@pytest.mark.aside  # for a book of its own
def test_the_buttons_of_a_published_copy_fit_the_smallest_phone(open_page, published):
    page = open_page("book/elbo.html", published.as_uri(), viewport={"width": 320, "height": 600})
    assert page.get_by_title(say("Run this page in Google Colab")).is_visible()
    assert page.get_by_title(say("Source repository")).is_visible()
    boxes = page.evaluate("""() => [...document.querySelectorAll(
        ".bd-header-article a, .bd-header-article button")].filter(e => e.checkVisibility())
        .map(e => e.getBoundingClientRect()).map(box => [box.left, box.right, box.width])""")
    assert len(boxes) >= 7
    assert [box for box in boxes if box[0] < 0 or box[1] > 320 or box[2] < 24] == []


def test_the_landing_page_says_its_title_once_and_can_be_searched(open_page):
    page = open_page(HOME, viewport=WIDE)
    # A heading has its link; a sentence may have the same words.
    words = re.escape(say("Image Retrieval with Variational Autoencoders"))
    title = page.get_by_text(re.compile(f"^{words}#?$"))
    assert [each.evaluate("e => e.tagName") for each in title.all() if each.is_visible()] == ["H1"]
    assert page.locator(".bd-sidebar:visible, .sidebar-toggle:visible").count() == 0
    page.get_by_role("button", name=say("Search")).click()
    page.get_by_role("combobox").wait_for()
    phone = open_page(HOME, viewport=NARROW)
    phone.locator(".primary-toggle").click()
    phone.get_by_role("dialog").get_by_role("link", name=f"2. {say('The ELBO')}").wait_for()
    assert phone.locator(".secondary-toggle").count() == 0  # it would open an empty drawer


# -- Keyboard and colours -------------------------------------------------------------------------

# Elements that get the keyboard and look as before, or have an outline in a colour hard to see.
UNSEEN = """() => {
  const elements = [...document.querySelectorAll("a[href], button, input, summary, [tabindex]")];
  const unseen = new Set();
  let focused = 0;
  for (const element of elements) {
    if (element.tabIndex < 0 || !element.checkVisibility({ visibilityProperty: true })) continue;
    element.focus({ focusVisible: true, preventScroll: true });
    if (document.activeElement !== element) continue;
    focused += 1;
    const style = getComputedStyle(element);
    const outlined = style.outlineStyle === "solid" && parseFloat(style.outlineWidth) >= 2;
    if (!outlined || style.maskImage !== "none") unseen.add(element.outerHTML.slice(0, 160));
  }
  document.activeElement.blur();
  return { focused, unseen: [...unseen] };
}"""


@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("name", [*TEXTS, *OTHERS, "book/api/models.html"])
def test_what_has_the_keyboard_is_seen_to_have_it(still_page, name, viewport):
    found = still_page(name, viewport).evaluate(UNSEEN)
    assert found["focused"] > 5
    assert found["unseen"] == []


ICONS = """() => {
  const page = getComputedStyle(document.body).backgroundColor;
  const icons = [...document.querySelectorAll(".fa-solid, .fas")].filter(e => e.checkVisibility());
  return icons.map(e => [e.className, getComputedStyle(e)]).filter(([, style]) =>
    style.backgroundColor === page || style.forcedColorAdjust !== "none").map(([name]) => name);
}"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_icons_are_there_in_forced_colours(open_page, theme):
    page = open_page("book/elbo.html", viewport=WIDE, forced_colors="active", color_scheme=theme)
    assert page.locator(".fa-solid:visible").count() > 4
    assert page.evaluate(ICONS) == []


COLOURS = """() => {
  const hex = colour => "#" + colour.match(/\\d+/g).slice(0, 3)
    .map(part => Number(part).toString(16).padStart(2, "0")).join("");
  const behind = e => {
    const colour = getComputedStyle(e).backgroundColor;
    // Tints of a tenth are as good as what is behind them.
    return e.parentElement && colour.startsWith("rgba") ? behind(e.parentElement) : colour;
  };
  const seen = [...document.querySelectorAll("article :is(p, pre, pre span, a)")];
  const pairs = seen.map(e => [hex(getComputedStyle(e).color), hex(behind(e))]);
  return [...new Map(pairs.map(pair => [pair.join(), pair])).values()];
}"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_and_code_are_legible_without_scripts(open_page, theme):
    page = open_page("book/elbo.html", color_scheme=theme, java_script_enabled=False)
    pairs = page.evaluate(COLOURS)
    assert len(pairs) > 4
    assert [pair for pair in pairs if contrast(*pair) < 4.5] == []


# -- While it loads -------------------------------------------------------------------------------

SHIFT = """() => {
  window.bookShift = 0;
  new PerformanceObserver((list) => {
    for (const { value, hadRecentInput } of list.getEntries()) {
      if (!hadRecentInput) window.bookShift += value;
    }
  }).observe({ type: "layout-shift", buffered: true });
}"""


@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("name", [HOME, "book/draw.html", "book/background.html", "book/elbo.html"])
def test_nothing_jumps_while_a_page_loads(browser, base_url, name, viewport):
    with browser.new_context(viewport=viewport, reduced_motion="reduce") as context:
        page = context.new_page()
        page.add_init_script(f"({SHIFT})()")

        def late(route):
            page.wait_for_timeout(300)  # after the text has been painted
            route.continue_()

        page.route("**/_images/**", late)
        page.route("**/_static/web/**", late)
        page.goto(f"{base_url}/{name}", wait_until="load")
        page.evaluate(SETTLED)
        if name == "book/draw.html":
            page.locator("#fig-draw[data-live='ready']").wait_for(timeout=60_000)
        page.wait_for_timeout(300)
        assert page.evaluate("window.bookShift") < 0.05


# -- Lines ----------------------------------------------------------------------------------------

# How many letters each full line of a longer paragraph has: every line but its last. A Chinese
# character has the room of two.
LINES = """() => {
  const room = text => text.length + (text.match(/[\\u3000-\\u9fff\\uff00-\\uffef]/g) ?? []).length;
  const lengths = [];
  for (const paragraph of document.querySelectorAll("article section > p")) {
    if (paragraph.querySelector(".math, code") || room(paragraph.textContent) < 200) continue;
    const lines = new Map(), range = document.createRange();
    const words = document.createTreeWalker(paragraph, NodeFilter.SHOW_TEXT);
    while (words.nextNode()) {
      for (let place = 0; place < words.currentNode.length; place++) {
        range.setStart(words.currentNode, place);
        range.setEnd(words.currentNode, place + 1);
        const bottom = Math.round(range.getBoundingClientRect().bottom / 8);
        lines.set(bottom, (lines.get(bottom) ?? 0) + room(words.currentNode.data[place]));
      }
    }
    lengths.push(...[...lines.values()].slice(0, -1));
  }
  return lengths;
}"""


@pytest.mark.parametrize("name", ["book/background.html", "book/retrieval.html", "book/faq.html"])
def test_lines_have_the_length_that_eyes_like(still_page, name):
    lengths = still_page(name, WIDE).evaluate(LINES)
    assert len(lengths) > 10
    assert 66 <= sum(lengths) / len(lengths) <= 74


# -- Remarks --------------------------------------------------------------------------------------

REMARKS = """() => [...document.querySelectorAll(".margin.docutils.container")].map(e => {
  const box = e.getBoundingClientRect(), around = e.parentElement.getBoundingClientRect();
  return {
    words: e.textContent.trim(),
    beside: box.left >= around.right,
    inside: box.left >= around.left - 1 && box.right <= around.right + 1,
    right: box.right,
  };
})"""
CHAPTERS = [f"book/{name}.html" for name in (
    "background", "elbo", "encoder-decoder", "training", "retrieval",
)]  # fmt: skip


@pytest.mark.parametrize("name", CHAPTERS)
def test_remarks_stand_beside_the_text_where_there_is_room(still_page, name):
    wide = still_page(name, WIDE).evaluate(REMARKS)
    assert len(wide) > 0
    for remark in wide:
        assert remark["beside"] and remark["right"] <= WIDE["width"], remark["words"]
    page = still_page(name, NARROW)
    found = page.evaluate(REMARKS)
    page.emulate_media(media="print")
    found += page.evaluate(REMARKS)
    page.emulate_media(media="screen")
    assert len(found) == 2 * len(wide)
    for remark in found:
        assert remark["inside"], remark["words"]


def test_contents_make_room_for_a_remark_and_open_for_the_keyboard(open_page):
    page = open_page("book/retrieval.html", viewport=WIDE)
    contents = page.locator(".bd-sidebar-secondary")
    height = "e => e.getBoundingClientRect().height"
    page.locator(".margin").first.evaluate("e => e.scrollIntoView({ block: 'center' })")
    page.wait_for_function("e => e.clientHeight < 60", arg=contents.element_handle())
    contents.locator("a:visible").nth(4).focus()
    page.wait_for_function("e => e.clientHeight > 300", arg=contents.element_handle())
    assert contents.evaluate(height) <= WIDE["height"]
    assert contents.locator("nav").evaluate("e => getComputedStyle(e).opacity") == "1"


# -- On paper -------------------------------------------------------------------------------------

# A box that may break leaves its frame at the end of one page and what it holds on the next.
BREAKING = """() => [...document.querySelectorAll("main :is(pre, figure, div.math, .cell_input)")]
  .filter(e => e.checkVisibility() && getComputedStyle(e).breakInside !== "avoid")
  .map(e => e.outerHTML.slice(0, 120))"""
# What of each solution would be printed, title and all.
SOLUTIONS = """() => [...document.querySelectorAll(
  "article .admonition.solution, article details.sd-dropdown:not(.quiz-option)")].map(e => {
    const title = "summary, .admonition-title, button";
    const parts = [...e.children].filter(part => !part.matches(title));
    return parts.length > 0 && parts.every(part => part.checkVisibility(
      { visibilityProperty: true, opacityProperty: true }) && part.offsetHeight > 10);
  })"""


@pytest.mark.parametrize("name", [*TEXTS, "genindex.html"])
def test_a_printed_page_has_one_title_and_whole_boxes(still_page, name):
    page = still_page(name, WIDE)
    page.emulate_media(media="print")
    found = page.locator("h1:visible").count(), page.evaluate(BREAKING), page.evaluate(SILENT)
    page.emulate_media(media="screen")
    assert found == (1, [], [])


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
@pytest.mark.parametrize("name", ["book/elbo.html", "book/better-representations.html"])
def test_all_solutions_are_printed(open_page, name, scripts):
    page = open_page(name, viewport=WIDE, java_script_enabled=scripts)
    page.emulate_media(media="print")
    solutions = page.evaluate(SOLUTIONS)
    assert len(solutions) > 3
    assert all(solutions)


# -- Exercises ------------------------------------------------------------------------------------


def test_the_title_of_a_solution_opens_it(open_page):
    page = open_page("book/elbo.html", viewport=WIDE)
    solutions = page.locator(".admonition.solution")
    assert solutions.count() > 1
    for solution in solutions.all():
        title = solution.locator(".admonition-title")
        box = title.bounding_box()
        title.click(position={"x": min(150, box["width"] / 2), "y": box["height"] / 2})
        solution.locator(".solution-content").wait_for(state="visible")
        assert "#" not in page.url


# -- On paper -------------------------------------------------------------------------------------


def pages_on_paper(page, folder: Path) -> list[str]:
    """Return the words of each printed page."""
    path = folder / "page.pdf"
    page.pdf(path=path, format="A4")
    words = subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, text=True)
    return words.stdout.rstrip("\f").split("\f")


@pytest.mark.skipif(not shutil.which("pdftotext"), reason="reads a PDF with poppler")
@pytest.mark.parametrize("lower", [0, 120, 240, 360, 480])
def test_the_path_stays_with_its_cards_on_paper(open_page, tmp_path, lower):
    """Wherever on a page its heading comes to stand."""
    page = open_page(HOME)
    page.evaluate(
        """height => document.querySelector("#the-path").before(
            Object.assign(document.createElement("div"), { style: `height: ${height}px` }))""",
        lower,
    )
    pages = pages_on_paper(page, tmp_path)
    (heading,) = [words for words in pages if re.search(r"^\s*The path$", words, re.MULTILINE)]
    assert "1. Background" in heading


def test_the_journey_takes_the_width_of_the_paper(open_page):
    page = open_page("book/journey.html", viewport=PAPER)
    page.wait_for_selector(".journey-step")
    page.emulate_media(media="print")
    steps = page.locator(".journey-step")
    assert steps.count() == 8
    for step in steps.all():
        box, words = step.bounding_box(), step.locator("p").first.bounding_box()
        assert words["width"] > 0.8 * PAPER["width"]
        assert step.locator("figure").is_visible()
        assert words["y"] - box["y"] < 100, "empty paper above"


def test_a_long_table_breaks_between_rows_on_paper(open_page):
    page = open_page("book/notation.html", viewport=PAPER)
    page.emulate_media(media="print")
    found = page.evaluate("""() => [...document.querySelectorAll("article table")].map(table =>
      [table.tBodies[0].rows.length, getComputedStyle(table).breakInside])""")
    assert {kind for rows, kind in found if rows > 6} == {"auto"}
    rows = page.locator("article tbody tr")
    assert rows.first.evaluate("row => getComputedStyle(row).breakInside") == "avoid"
