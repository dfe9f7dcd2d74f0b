"""Turn the book's MyST Markdown into plain Markdown, for copies that other programs show."""

import re
from functools import cache
from pathlib import Path

from pybtex.database import parse_file

BIBLIOGRAPHY = Path(__file__).parents[1] / "book" / "references.bib"
BLOCK = re.compile(r"^(`{3,}|:{3,})\{(\w+)\} *([^\n]*)\n(.*?)^\1 *$", re.DOTALL | re.MULTILINE)
EQUATION = re.compile(r"^\$\$((?:(?!\$\$).)*)\$\$ \(([\w-]+)\) *$", re.DOTALL | re.MULTILINE)


def plain_cells(texts: list[str], pages: set[str]) -> list[str]:
    """Return the Markdown cells of one page without roles, directives and labels.

    ``pages`` are the notebooks that lie beside the copy: links to other pages lose their target.
    """
    labels = [label for text in texts for _, label in EQUATION.findall(text)]
    numbers = {label: number for number, label in enumerate(labels, start=1)}
    return [plain(text, numbers, pages) for text in texts]


def plain(text: str, numbers: dict[str, int], pages: set[str]) -> str:
    text = EQUATION.sub(lambda m: f"$${m[1].rstrip()} \\tag{{{numbers[m[2]]}}}$$", text)
    text = blocks(text)
    text = re.sub(r"\{term\}`([^`<]+?)(?: <[^`]+>)?`", lambda m: m[1], text)
    text = re.sub(r"\{ref\}`([^`<]+?) <[^`]+>`", lambda m: m[1], text)
    text = re.sub(r"\{numref\}`[^`]+`", "the figure", text)
    text = re.sub(
        r"\{eq\}`([^`]+)`",
        lambda m: f"({numbers[m[1]]})" if m[1] in numbers else "an equation of another chapter",
        text,
    )
    text = re.sub(r"\{cite:([tp])\}`([^`]+)`", lambda m: cite(m[2].split(","), m[1]), text)
    return re.sub(r"(?<!!)\[([^\]]+)\]\(([^)\s]+)\)", lambda m: link(m, pages), text)


def blocks(text: str) -> str:
    """Replace each directive, and those inside it, by what plain Markdown has for it."""

    def replace(match) -> str:
        kind, title, body = match[2], match[3].strip(), blocks(match[4])
        body = re.sub(r"^:\w+:.*\n", "", body, flags=re.MULTILINE).strip()
        if kind == "exercise":
            return f"**Exercise: {title}**\n\n{body}"
        if kind in ("dropdown", "solution"):
            summary = title if kind == "dropdown" else "Solution"
            return f"<details><summary>{summary}</summary>\n\n{body}\n\n</details>"
        return "> **" + kind.capitalize() + f".** {title}\n> " + body.replace("\n", "\n> ")

    return BLOCK.sub(replace, text)


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


def link(match, pages: set[str]) -> str:
    target = match[2].split("#")[0]
    outside = re.match(r"[a-z]+:", target)
    return match[0] if outside or not target or target in pages else match[1]
