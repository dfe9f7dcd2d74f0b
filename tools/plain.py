"""Turn the book's MyST Markdown into plain Markdown, for copies that other programs show."""

import re
from functools import cache
from pathlib import Path

from copy_words import tr
from pybtex.database import parse_file

BIBLIOGRAPHY = Path(__file__).parents[1] / "book" / "references.bib"
BLOCK = re.compile(r"^(`{3,}|:{3,})\{(\w+)\} *([^\n]*)\n(.*?)^\1 *$", re.DOTALL | re.MULTILINE)
# What only the book understands: roles, directives, their options, labels of equations.
MYST = re.compile(
    r"\{[\w:]+\}`|^:::|^`{3,}\{|\$\$ \([\w-]+\)|^:[\w-]+:|^\([\w-]+\)=$", re.MULTILINE
)
EQUATION = re.compile(r"^\$\$((?:(?!\$\$).)*)\$\$ \(([\w-]+)\) *$", re.DOTALL | re.MULTILINE)


def make_plain(cells: list, addresses: dict[str, str], pictures: str = "") -> None:
    """Make the Markdown cells among the cells of one notebook plain, in place."""
    texts = [cell for cell in cells if cell.cell_type == "markdown"]
    plain_texts = plain_cells([cell.source for cell in texts], addresses, pictures)
    for cell, source in zip(texts, plain_texts, strict=True):
        cell.source = source


def plain_cells(texts: list[str], addresses: dict[str, str], pictures: str = "") -> list[str]:
    """Return the Markdown cells of one page without roles, directives and labels.

    ``addresses`` says where a link to another page leads, such as {"elbo.ipynb": "elbo.ipynb"}
    where that notebook lies beside the copy. Links to pages that it lacks lose their target.
    ``pictures`` is the folder with the pictures of moving figures, if the copy has one.
    What this file knows no plain form for is refused, because it would stay as it is in each copy.
    """
    labels = [label for text in texts for _, label in EQUATION.findall(text)]
    numbers = {label: number for number, label in enumerate(labels, start=1)}
    made = [plain(text, numbers, addresses, pictures) for text in texts]
    for text in made:
        if left := MYST.search(text):
            line = text[text.rfind("\n", 0, left.start()) + 1 :].splitlines()[0]
            raise ValueError(f"tools/plain.py knows no plain form of {left[0]!r} in {line!r}")
    return made


def plain(text: str, numbers: dict[str, int], addresses: dict[str, str], pictures="") -> str:
    text = EQUATION.sub(lambda m: f"$${m[1].rstrip()} \\tag{{{numbers[m[2]]}}}$$", text)
    text = re.sub(r"^\([\w-]+\)=\n", "", text, flags=re.MULTILINE)  # the name of a place
    text = blocks(text, pictures)
    text = re.sub(r"\{term\}`([^`<]+?)(?: <[^`]+>)?`", lambda m: m[1], text)
    text = re.sub(r"\{ref\}`([^`<]+?) <[^`]+>`", lambda m: m[1], text)
    text = re.sub(r"\{numref\}`[^`]+`", tr("the figure"), text)
    text = re.sub(
        r"\{eq\}`([^`]+)`",
        lambda m: f"({numbers[m[1]]})" if m[1] in numbers else tr("an equation of another chapter"),
        text,
    )
    text = re.sub(r"\{cite:([tp])\}`([^`]+)`", lambda m: cite(m[2].split(","), m[1]), text)
    return re.sub(r"(?<!!)\[([^\]]*)\]\(([^)\s]+)\)", lambda m: link(m, addresses), text)


def blocks(text: str, pictures: str = "") -> str:
    """Replace each directive, and those inside it, by what plain Markdown has for it."""

    def replace(match) -> str:
        kind, title, body = match[2], match[3].strip(), blocks(match[4], pictures)
        alt = re.search(r"^:alt: *(.+)", body, re.MULTILINE)
        body = re.sub(r"^:[\w-]+:.*\n", "", body, flags=re.MULTILINE).strip()
        if kind == "exercise":
            return f"{tr('**Exercise: {title}**').format(title=title)}\n\n{body}"
        if kind in ("dropdown", "solution"):
            summary = title if kind == "dropdown" else tr("Solution")
            return f"<details><summary>{summary}</summary>\n\n{body}\n\n</details>"
        if kind == "raw":
            return ""
        if kind == "admonition":  # a question in the text: its answers fold, so no quotation
            return tr("**{title}.** {body}").format(title=title, body=body)
        if kind in ("margin", "div"):  # a remark beside the text, or a table that phones stack
            return body
        if kind == "figure" and title.startswith("images/opening-"):
            return body  # its picture is drawn by a cell further down
        if kind == "figure" and pictures and alt:
            shown = f"![{alt[1]}]({pictures}/{title.rpartition('/')[2]})"
            moved = tr("*In the online book this figure answers when you move it.*")
            return f"{shown}\n\n{moved} {body}"
        if kind == "figure":  # static figures of notebooks are outputs of their cells
            return f"{tr('*An interactive figure stands here in the online book.*')} {body}"
        named = tr(f"**{kind.capitalize()}.**")
        return f"> {named} {title}\n> " + body.replace("\n", "\n> ")

    return BLOCK.sub(replace, text)


@cache
def title_of(page: str) -> str:
    """Return the title of a page, which the book puts where a link has no text."""
    text = (BIBLIOGRAPHY.parent / page).read_text(encoding="utf-8")
    found = re.search(r'^(?: +")?# (.+?)(?:\\n",)?$', text, re.MULTILINE)
    return tr(found[1]) if found else page


@cache
def bibliography():
    return parse_file(BIBLIOGRAPHY).entries


def cite(keys: list[str], kind: str) -> str:
    """Return "Kingma and Welling (2014)", or the same in brackets."""
    works = []
    for key in keys:
        entry = bibliography()[key.strip()]
        names = [
            " ".join(person.prelast_names + person.last_names).strip("{}")
            for person in entry.persons.get("author", entry.persons.get("editor", []))
        ]
        who = f"{names[0]} et al." if len(names) > 2 else " and ".join(names)
        works.append((who, entry.fields["year"]))
    if kind == "t":
        return ", ".join(f"{who} ({year})" for who, year in works)
    return "(" + "; ".join(f"{who}, {year}" for who, year in works) + ")"


def link(match, addresses: dict[str, str]) -> str:
    text, (target, mark, anchor) = match[1], match[2].partition("#")
    if not target:
        return text  # a section of the same page; other programs name sections otherwise
    if re.match(r"[a-z]+:", target):
        return match[0]
    text = text or title_of(target)
    return f"[{text}]({addresses[target]}{mark}{anchor})" if target in addresses else text
