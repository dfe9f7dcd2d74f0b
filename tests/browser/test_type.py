"""How text is set: columns of words and of numbers, stops, gaps, and nothing that is cut."""

import pytest
from test_pages import NARROW, NOTEBOOKS, PAGES, WIDE

# Cells at the right that stand on two lines, and columns at the right that are all words.
COLUMNS = """() => {
  const lines = cell => {
    const range = document.createRange();
    range.selectNodeContents(cell.querySelector("p") ?? cell);
    const tops = [...range.getClientRects()].map(box => box.top);
    return Math.max(...tops) - Math.min(...tops) > 4 ? 2 : 1;
  };
  const word = /\\p{Script=Latin}{3,}|\\p{Script=Han}{2,}/u;
  const broken = [], words = [];
  for (const table of document.querySelectorAll(".pst-scrollable-table-container > table")) {
    if (!table.checkVisibility()) continue;
    const rows = [...table.tBodies[0].rows];
    broken.push(...rows.flatMap(row => [...row.cells]).filter(cell =>
      cell.classList.contains("text-right") && !cell.querySelector("mjx-container") &&
      lines(cell) > 1).map(cell => cell.textContent));
    for (const [place, head] of [...table.tHead.rows[0].cells].entries()) {
      const said = rows.map(row => row.cells[place].textContent).filter(text => text.trim());
      if (head.classList.contains("text-right") && said.length && said.every(text =>
        word.test(text))) words.push(head.textContent);
    }
  }
  return { broken, words };
}"""
# A number whose sign begins the next line.
PARTED = """() => {
  const walk = document.createTreeWalker(document.querySelector("article"), NodeFilter.SHOW_TEXT);
  const parted = [];
  for (let text = walk.nextNode(); text; text = walk.nextNode()) {
    if (text.parentElement.closest("pre, code, svg, .live, mjx-container")) continue;
    for (const found of text.data.matchAll(/\\d (%|x \\d)/g))
      parted.push(text.data.slice(Math.max(0, found.index - 20), found.index + 5));
  }
  return parted;
}"""
# What a cell prints and the table below it touch.
TOUCHING = """() => [...document.querySelectorAll(
  ".cell_output > .output + .pst-scrollable-table-container")].filter(table => {
    const before = table.previousElementSibling.getBoundingClientRect();
    return table.getBoundingClientRect().top - before.bottom < 8;
  }).map(table => table.textContent.trim().slice(0, 60))"""
# A closed solution that is higher than its title.
SOLUTIONS = """() => [...document.querySelectorAll(".solution.toggle-hidden")].filter(box => {
  const title = box.querySelector(".admonition-title").getBoundingClientRect();
  return box.getBoundingClientRect().height > title.height + 2;
}).map(box => box.id)"""
# Titles of the pages before and after that do not fit the place that shows them.
CUT = """() => [...document.querySelectorAll(".prev-next-area a")].filter(link => {
  const frame = link.getBoundingClientRect();
  return link.scrollWidth > link.clientWidth + 1 ||
    [...link.querySelectorAll("p")].some(p => p.scrollWidth > p.clientWidth + 1 ||
      p.getBoundingClientRect().right > frame.right + 1);
}).map(link => link.textContent.trim())"""


@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_numbers_stand_whole_at_the_right_and_words_at_the_left(still_page, name, viewport):
    found = still_page(name, viewport).evaluate(COLUMNS)
    assert found == {"broken": [], "words": []}


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_number_and_its_sign_stay_together(still_page, name):
    assert still_page(name, NARROW).evaluate(PARTED) == []


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_boxes_have_room_between_them_and_none_inside_when_closed(still_page, name):
    page = still_page(name, WIDE)
    assert page.evaluate(TOUCHING) == []
    assert page.evaluate(SOLUTIONS) == []


@pytest.mark.parametrize("name", PAGES)
def test_titles_of_neighbours_are_whole_on_a_phone(still_page, name):
    assert still_page(name, NARROW).evaluate(CUT) == []
