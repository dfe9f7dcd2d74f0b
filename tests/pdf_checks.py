"""The printable edition: complete, numbered as the website is, nothing unresolved (make test-pdf).

Not collected by a plain ``pytest``: printing needs TeX, and the checks need poppler-utils. Which
edition is checked, BOOK_LANGUAGE says: en or zh_CN.
"""

import os
import re
import subprocess
import unicodedata
from pathlib import Path

import nbformat
import pytest
import yaml
from print_extension import WEBSITE_ONLY

ROOT = Path(__file__).resolve().parents[1]
LANGUAGE = os.environ.get("BOOK_LANGUAGE") or "en"
CHINESE = LANGUAGE == "zh_CN"
# What is printed: the book's own files, or those that tools/translate.py has written.
TREE = ROOT / "_build" / LANGUAGE if CHINESE else ROOT
PDF = TREE / "_build/latex" / (f"vae-tutorial-{LANGUAGE}.pdf" if CHINESE else "vae-tutorial.pdf")
# How the edition says what the checks look for; those with a number are patterns.
ABOUT, FIGURE, QUESTION, EXERCISE, SOLUTION, REFERENCES, GLOSSARY = (
    (
        "关于本书",
        "图 {}：",
        r"第 ?(\d+) ?题",
        "练习 {}（",
        "解答：练习 {}（",
        "本书引用的全部文献",
        "本书的用语",
    )
    if CHINESE
    else (
        "About this book",
        r"Fig\. {}:",
        r"Question (\d+)",
        "Exercise {} ",
        "Solution to Exercise {} ",
        "Every work the book cites",
        "The words of this book",
    )
)
# A line may stand out of its column by so many points (a millimetre has 2.8).
OVERFULL = 10


def poppler(program, *arguments) -> str:
    return subprocess.run([program, *arguments], capture_output=True, text=True, check=True).stdout


def letters(text) -> str:
    """Keep letters and digits only: print hyphenates, and joins f and i."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text))).lower()


@pytest.fixture(scope="module")
def printed() -> str:
    assert PDF.is_file(), "print the book first: make pdf"
    return poppler("pdftotext", "-layout", PDF, "-")


@pytest.fixture(scope="module")
def printed_letters() -> str:
    # Without -layout the text of a page comes in reading order.
    return letters(poppler("pdftotext", PDF, "-"))


@pytest.fixture(scope="module")
def log() -> str:
    # TeX breaks its lines after 79 bytes, also inside words.
    return PDF.with_suffix(".log").read_text(errors="replace").replace("\n", "")


def contents() -> list[tuple[int | None, Path]]:
    """Return each page of the table of contents with its chapter's number, if it has one."""
    number, found = 0, []
    for part in yaml.safe_load((TREE / "_toc.yml").read_text("utf-8"))["parts"]:
        for chapter in part["chapters"]:
            if chapter["file"].startswith(WEBSITE_ONLY):
                continue
            number += "numbered" in part
            found += [(number if "numbered" in part else None, page_file(chapter["file"]))]
    return found


def page_file(name) -> Path:
    return next(path for end in (".ipynb", ".md") if (path := TREE / (name + end)).is_file())


def cells(path) -> list:
    if path.suffix == ".ipynb":
        return nbformat.read(path, 4).cells
    return [nbformat.v4.new_markdown_cell(path.read_text(encoding="utf-8"))]


def markdown(path) -> str:
    return "\n\n".join(cell.source for cell in cells(path) if cell.cell_type == "markdown")


def captions(path) -> list[str]:
    """Return the captions of a page's figures in their order, drawn by code or included."""
    found = []
    for cell in cells(path):
        if cell.cell_type == "markdown":
            found += re.findall(
                r"^[`:]{3,}\{figure\}.*?\n\n(.*?)^[`:]{3,}$", cell.source, re.M | re.S
            )
        elif "figure" in cell.metadata.get("mystnb", {}):
            found.append(cell.metadata["mystnb"]["figure"]["caption"])
    return found


def plain(text) -> str:
    """Drop what MyST marks up, so that the words remain; only for text without formulas."""
    return re.sub(r"\{[a-z:]+\}`|`|<[^>]*>|\]\([^)]*\)", "", text)


CHAPTERS = [(number, path) for number, path in contents() if number]
EVERY_PAGE = [path for _, path in contents()]
stem = {"ids": lambda path: path.stem}
numbered = pytest.mark.parametrize(("number", "path"), CHAPTERS, ids=[p.stem for _, p in CHAPTERS])


def test_latex_found_nothing_wrong(log):
    assert not re.findall(r".{60}undefined.{60}", log, re.I)
    assert not re.findall(r"Missing character.{80}", log)
    assert not re.findall(r".{60}multiply.defined.{60}", log)


def test_no_line_runs_out_of_its_column(log):
    widths = [float(points) for points in re.findall(r"Overfull \\hbox \(([\d.]+)pt", log)]
    assert max(widths, default=0) <= OVERFULL


def test_no_reference_is_empty(printed):
    assert "??" not in printed
    assert "\ufffd" not in printed


def test_the_pages_are_a4():
    assert re.search(r"Page size: .*\(A4\)", poppler("pdfinfo", PDF))


def test_what_is_printed_can_be_copied_and_searched():
    fonts = [line.split() for line in poppler("pdffonts", PDF).splitlines()[2:]]
    text = [font for font in fonts if "CID" in font]  # all but those of formulas
    assert text and [font[0] for font in text if font[-3] != "yes"] == []


def test_the_title_page_says_who_and_under_which_licence(printed):
    config = yaml.safe_load((TREE / "_config.yml").read_text("utf-8"))
    title_page = " ".join(printed.split("\f")[0].split())
    for wanted in (config["title"], config["author"], config["copyright"], "CC BY 4.0", "MIT"):
        assert wanted in title_page


@pytest.mark.parametrize(("number", "path"), contents(), ids=[p.stem for p in EVERY_PAGE])
def test_the_contents_list_every_chapter_with_the_websites_number(number, path, printed):
    title = re.search(r"^# (.+)$", markdown(path), re.M)[1]
    front = printed[: printed.index(ABOUT, printed.index(ABOUT) + 1)]
    entry = rf"{number or ''}{letters(title)}\d+"
    assert any(re.fullmatch(entry, letters(line)) for line in front.splitlines()), title


@numbered
def test_figures_are_numbered_as_on_the_website(number, path, printed, printed_letters):
    label = FIGURE.format(rf"{number}\.(\d+)")
    found = [int(n) for n in re.findall(f"^ *{label}", printed, re.M)]
    wanted = captions(path)
    assert found == list(range(1, len(wanted) + 1))
    for place, caption in enumerate(wanted, 1):
        if "$" not in caption:
            start = letters(FIGURE.format(f"{number} {place}") + plain(caption))[:60]
            assert start in printed_letters, caption


def test_every_figure_is_a_picture(printed):
    pictures = poppler("pdfimages", "-list", PDF).splitlines()[2:]
    drawn = [line for line in pictures if line.split()[2] == "image"]
    label = FIGURE.format(r"[\d.]+")
    assert len(drawn) >= len(re.findall(f"^ *{label}", printed, re.M)) > 0


@numbered
def test_equations_are_numbered_as_on_the_website(number, path, printed):
    labels = re.findall(r"\$\$ \([\w-]+\)\s*$|^:label: eq-", markdown(path), re.M)
    found = {int(n) for n in re.findall(rf"(?<!\w)\({number}\.(\d+)\)$", printed, re.M)}
    assert found == set(range(1, len(labels) + 1))


@pytest.mark.parametrize("path", EVERY_PAGE, **stem)
def test_folded_blocks_are_printed(path, printed_letters):
    titles = re.findall(r"^:::\{dropdown\} (.+)$", markdown(path), re.M)
    for title in titles:
        if "$" not in title:
            assert letters(plain(title)) in printed_letters, title


def test_quizzes_have_an_answer_to_every_question(printed):
    pages = [markdown(path) for path in EVERY_PAGE]
    asked = [len(re.findall(r"^\*\*\d+\. ", page, re.M)) for page in pages if "quiz-option" in page]
    wanted = [str(number) for total in asked for number in range(1, total + 1)]
    assert wanted
    assert re.findall(rf"^ *{QUESTION}$", printed, re.M) == wanted


@numbered
def test_exercises_and_their_solutions_are_printed(number, path, printed):
    stated = len(re.findall(r"^```\{exercise\}", markdown(path), re.M))
    for place in range(1, stated + 1):
        for pattern in (EXERCISE, SOLUTION):
            title = pattern.format(rf"{number}\.{place}")
            assert re.search(f"^ *{title}", printed, re.M)


def test_every_cited_work_is_in_the_references(printed, printed_letters):
    bibliography = (ROOT / "book" / "references.bib").read_text(encoding="utf-8")
    cited = set()
    for path in [TREE / "book" / "index.md", *EVERY_PAGE]:
        for keys in re.findall(r"\{cite:[a-z]\}`([^`]+)`", markdown(path)):
            cited |= {key.strip() for key in keys.split(",")}
    references = printed_letters[printed_letters.rindex(letters(REFERENCES)) :]
    # Where words stand far apart on a line, one of the two ways of reading mixes lines up; and a
    # title may go on below the head of the next page.
    in_lines = letters(re.sub(r"\s*\n *\d+\s*\f.*\n", "\n", printed))
    references += in_lines[in_lines.rindex(letters(REFERENCES)) :]
    assert cited
    for key in cited:
        entry = bibliography[bibliography.index(f"{{{key},") :]
        title = re.search(r"^\s*title\s*=\s*[{\"](.+?)[}\"],?$", entry, re.M)[1]
        assert letters(re.sub(r"\\.", "", title)) in references, key


def test_every_term_is_in_the_glossary(printed_letters):
    glossary = re.search(r"```\{glossary\}(.*?)```", markdown(TREE / "book" / "glossary.md"), re.S)[
        1
    ]
    terms = re.findall(r"^(?!:sorted:)(\S.*)$", glossary, re.M)
    start = printed_letters.rindex(letters(GLOSSARY))
    assert terms
    for term in terms:
        assert letters(term) in printed_letters[start:], term
