"""The bet of chapter 5 in the page: what the reader chose is marked, and counted as in Python."""

import re
from pathlib import Path

import nbformat
import pytest
from edition import say

ROOT = Path(__file__).resolve().parents[2]

PAGE = "book/retrieval.html"


def told_by_the_notebook() -> list[tuple[str, str, str, str]]:
    """Return where the notebook's own bet stands, table by table, in its stored outputs: by which
    measure, which name, its number, and of how many."""
    notebook = nbformat.read(ROOT / "book" / "retrieval.ipynb", as_version=4)
    texts = [
        output.text
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if output.output_type == "stream"
    ]
    told = r"^(P@10|mAP): (.+?) is number (\d+) of (\d+); best"
    return re.findall(told, "\n".join(texts), re.M)


@pytest.fixture(scope="module")
def page(site, browser):
    page = browser.new_context(viewport={"width": 360, "height": 800}).new_page()
    problems = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto((site / PAGE).as_uri())
    page.wait_for_selector("#bet-name")
    yield page
    assert problems == []
    page.context.close()


def test_a_bet_by_keyboard_is_marked_in_each_table_and_counted_as_in_the_notebook(page):
    assert page.locator(".bet-row").count() == 0
    page.focus("#bet-name")
    page.keyboard.type("view VAE")
    assert page.input_value("#bet-name") == "view VAE"
    rows = page.locator(".bet-row")
    assert rows.count() == 6  # two rounds, help for digits and clothes, eight bytes for both
    first_cells = page.locator(".bet-row > :first-child").all_text_contents()
    assert {cell.strip() for cell in first_cells} == {"view VAE"}
    lines = page.locator(".bet-line:visible").all_inner_texts()
    wanted = told_by_the_notebook()
    assert [measure for measure, *_ in wanted] == ["P@10", "mAP"] * 2
    assert {name for _, name, *_ in wanted} == {"view VAE"}
    for line, tables in zip(lines[:2], (wanted[:2], wanted[2:]), strict=True):
        places = [say("number {1} of {2} by {3}", n, of, by) for by, _, n, of in tables]
        assert line == say("{1}: {2}.", "view VAE", say(", ").join(places))


def test_who_does_not_take_part_is_told_so_and_no_bet_marks_nothing(page):
    page.select_option("#bet-name", "upright pixels")
    lines = page.locator(".bet-line").all_inner_texts()
    assert say("{1} does not take part.", "upright pixels") in lines
    page.select_option("#bet-name", say("none yet"))
    assert page.locator(".bet-row").count() == page.locator(".bet-line:visible").count() == 0


def test_the_marked_table_is_not_wider_than_a_phone(page):
    page.select_option("#bet-name", "binary view VAE, 64 bits")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
