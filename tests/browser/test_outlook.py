"""What is set large or stands at an edge: formulas, single charts, headings of the reference."""

import pytest
from test_pages import NARROW, WIDE
from test_screens import FORMULAS

# Formulas of which an end is hidden where nothing scrolls to it, or that touch the edge of their
# box: a large bracket reaches over its own box by a pixel.
CUT = """() => [...document.querySelectorAll("div.math")].filter(e => {
  if (!e.checkVisibility()) return false;
  const room = e.getBoundingClientRect();
  return [...e.querySelectorAll("mjx-container")].some(formula => {
    const box = formula.getBoundingClientRect(), style = getComputedStyle(formula);
    const edges = [style.paddingTop, style.paddingBottom].map(parseFloat);
    return box.left < room.left - 1 || box.right > room.right + 1 || Math.min(...edges) < 2;
  });
}).map(e => e.textContent.trim().slice(0, 60))"""
# How large the letters of displayed formulas are, as a share of those in sentences.
LARGE = """() => {
  const size = kind => [...document.querySelectorAll(`section > ${kind} mjx-container`)].map(e =>
    parseFloat(getComputedStyle(e).fontSize) / parseFloat(getComputedStyle(e.closest(
      "section")).fontSize));
  return [Math.max(...size("div.math")), Math.max(...size("p > span.math"))];
}"""
# How high the smallest words of each single chart are; ticks and crosses are no words.
SMALLEST = """() => [...document.querySelectorAll(".cell_output .figure-frame")]
  .filter(frame => !frame.querySelector(".figure-row")).map(frame => Math.min(
    ...[...frame.querySelectorAll("text")].filter(text => !/^[✓✗]$/.test(text.textContent))
      .map(text => {
        const { a, b } = text.getScreenCTM();
        return parseFloat(getComputedStyle(text).fontSize) * Math.hypot(a, b);
      })))"""
# Headings that are higher than without the sign that links to them.
TALLER = """() => {
  const headings = [...document.querySelectorAll("article :is(h1, h2, h3, h4)")];
  const links = [...document.querySelectorAll("article .headerlink")];
  const high = headings.map(heading => heading.offsetHeight);
  links.forEach(link => { link.style.display = "none"; });
  const taller = headings.filter((heading, number) => high[number] > heading.offsetHeight);
  links.forEach(link => { link.style.display = ""; });
  return [links.length, taller.map(heading => heading.textContent)];
}"""
CHARTS = [f"book/{name}.html" for name in (
    "better-representations", "richer-images", "many-modalities", "interpretability",
    "beyond-one-machine",
)]  # fmt: skip


@pytest.mark.parametrize("name", FORMULAS)
def test_no_end_of_a_formula_is_cut(still_page, name):
    page = still_page(name, NARROW)
    assert page.evaluate(CUT) == []


def test_a_displayed_formula_is_as_large_as_one_in_a_sentence(still_page):
    shown, said = still_page("book/many-modalities.html", WIDE).evaluate(LARGE)
    assert 0.85 * said < shown < 1.05 * said


@pytest.mark.parametrize("name", CHARTS)
def test_words_of_a_single_chart_are_legible_on_a_phone(still_page, name):
    words = still_page(name, NARROW).evaluate(SMALLEST)
    assert len(words) > 1
    assert min(words) >= 9.95


def test_a_heading_of_the_reference_stays_with_its_text_on_paper(open_page):
    page = open_page("book/api/retrieval.html", viewport=WIDE)
    page.emulate_media(media="print")
    kept = "all => all.map(e => getComputedStyle(e).breakAfter)"
    assert set(page.locator("article dt").evaluate_all(kept)) == {"avoid"}


@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize(
    "name", ["book/faq.html", "book/right-tool.html", "book/interpretability.html"]
)
def test_the_link_of_a_heading_takes_no_line(still_page, name, viewport):
    links, taller = still_page(name, viewport).evaluate(TALLER)
    assert links > 5
    assert taller == []
