"""The messages of a page: what of its source is to be translated, and what stays as it is.

A page is cut into pieces that joined again are the page, byte for byte. Some of them are messages:
a paragraph, a heading, a list item, a cell of a table, a term, the title or the alt text of a
directive, words in a displayed formula. All else is no message: code, formulas, labels, names.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

# Directives whose argument is read by people, options that are, and bodies that are no Markdown.
TITLED = {"admonition", "card", "dropdown", "exercise", "grid-item-card", "tab-item"}
SPOKEN = {"alt", "img-alt"}
OPAQUE = {"bibliography", "code", "code-block", "eval-rst", "math", "raw", "toctree"}
# What a notebook says about a cell that readers see.
SPOKEN_METADATA = {
    ("mystnb", "code_prompt_show"): "line of a folded cell",
    ("mystnb", "figure", "caption"): "caption",
    ("mystnb", "image", "alt"): "alt text",
}

FENCE = re.compile(r"(\s*)(`{3,}|:{3,}|~{3,})(?:\{([\w:-]+)\}[ \t]*(.*)|(.*))$")
OPTION = re.compile(r"\s*:([\w-]+):(?:[ \t]+(.*))?$")
HEADING = re.compile(r"(#{1,6}[ \t]+)(.*)$")
ITEM = re.compile(r"(\s*(?:[-*+]|\d+[.)])[ \t]+(?:\[[ xX]\][ \t]+)?)(\S.*)$")
DEFINITION = re.compile(r"(\s*:[ \t]+|\[\^[\w-]+\]:[ \t]+|\s*>[ \t]?)(\S.*)$")
LABEL = re.compile(r"\s*\([\w.:-]+\)=\s*$")
COMMENT = re.compile(r"\s*%|\+\+\+")
HTML = re.compile(r"\s*<(?:[a-zA-Z/!])")
CELL = re.compile(r"(?<!\\)\|")
SPOKEN_HTML = re.compile(r"(?<=<p>)[^<>]+(?=</p>)")
# The same of a file of HTML, with what is spoken in place of a picture.
SPOKEN_FILE = re.compile(r'(?<=>)[^<>\n]*[a-z]{2}[^<>\n]*(?=<)|(?<=aria-label=")[^"]+(?=")')
# Words in a formula, such as "expected log-likelihood"; not names, such as AP or P@k.
SPOKEN_MATH = re.compile(r"(?<=\\text\{)[^{}$]*[a-z]{3,}[^{}$]*(?=\})")
# What may hold letters and says nothing: code, formulas, roles without words of their own, links.
SILENT = re.compile(r"(?<!`)(`+)(?!`).+?(?<!`)\1(?!`)|\$[^$]+\$|\{[\w:-]+\}|\]\([^)]*\)|<[^>]*>")
WORD = re.compile(r"[A-Za-z]{2,}")


@dataclass
class Piece:
    raw: str
    message: str = ""  # what a translator sees; empty if there is nothing to translate
    kind: str = ""


def joined(text: str) -> str:
    return " ".join(line.strip() for line in text.split("\n"))


def piece(raw: str, kind: str) -> Piece:
    """Return a message, unless it has no words; then it has a kind all the same."""
    message = joined(raw)
    spoken = re.sub(r"(\{term\})`([^`]*)`", r"\2", message)
    return Piece(raw, message if WORD.search(SILENT.sub(" ", spoken)) else "", kind)


class Splitter:
    """Cuts Markdown into pieces, line by line, with the fences around the line in a stack."""

    def __init__(self, text: str) -> None:
        self.lines = text.split("\n")
        self.at = 0
        self.pieces: list[Piece] = []
        self.open: list[tuple[str, str]] = []  # fence and name of the directives around

    # Every line but the last is followed by a newline, which belongs to no message.
    def add(self, *pieces: Piece | str) -> None:
        self.pieces += [Piece(one) if isinstance(one, str) else one for one in pieces]

    def take(self) -> str:
        self.at += 1
        return self.lines[self.at - 1]

    def end(self) -> str:
        return "\n" if self.at < len(self.lines) else ""

    def literal(self, last: Callable[[str], bool] = lambda line: True) -> None:
        """Leave this line and those after it as they are, up to one for which ``last`` holds."""
        while self.at < len(self.lines):
            line = self.take()
            self.add(line + self.end())
            if last(line):
                return

    def pieces_of_page(self) -> list[Piece]:
        if self.lines[0] == "---":
            self.add(self.take() + self.end())
            self.literal(lambda line: line == "---")
        while self.at < len(self.lines):
            self.block()
        return self.pieces

    def block(self) -> None:
        line = self.lines[self.at]
        if fence := FENCE.match(line):
            self.fence(fence)
        elif not line.strip() or LABEL.match(line) or COMMENT.match(line):
            self.literal()
        elif self.is_code(line):
            self.literal(lambda line: self.at >= len(self.lines) or not self.lines[self.at])
        elif line.lstrip().startswith("$$"):
            self.formula()
        elif HTML.match(line):
            self.literal(lambda line: self.at >= len(self.lines) or not self.lines[self.at])
        elif line.lstrip().startswith("|"):
            self.row()
        elif heading := HEADING.match(line):
            self.take()
            self.add(heading[1], piece(heading[2], "heading"), self.end())
        elif self.open and self.open[-1][1] == "glossary" and not line.startswith(" "):
            self.take()
            self.add(Piece(line, line, "term"), self.end())
        else:
            self.paragraph()

    def is_code(self, line: str) -> bool:
        """Return whether a line is code that is only indented, and no second block of an item."""
        before = self.at and self.lines[self.at - 1]
        return line.startswith("    ") and before == "" and not ITEM.match(line)

    def fence(self, fence: re.Match) -> None:
        _, marks, name, argument, info = fence.groups()
        innermost = self.open[-1][0] if self.open else ""
        if name is None and not info.strip() and innermost and marks.startswith(innermost):
            self.open.pop()
            self.literal()
        elif name is None:
            self.code(marks)
        else:
            line = self.take()
            if argument and name in TITLED:
                start = len(line) - len(argument)
                self.add(line[:start], piece(argument, f"title ({name})"), self.end())
            else:
                self.add(line + self.end())
            self.options()
            if name in OPAQUE:
                self.opaque(marks)
            else:
                self.open.append((marks, name))

    def code(self, marks: str) -> None:
        self.add(self.take() + self.end())
        self.literal(lambda line: line.strip().startswith(marks) and not line.strip(" " + marks[0]))

    def opaque(self, marks: str) -> None:
        start = len(self.pieces)
        self.literal(lambda line: line.strip().startswith(marks) and not line.strip(" " + marks[0]))
        body = "".join(one.raw for one in self.pieces[start:])
        del self.pieces[start:]
        self.spoken(SPOKEN_HTML, body, "without scripts")

    def options(self) -> None:
        while self.at < len(self.lines) and (option := OPTION.match(self.lines[self.at])):
            line, (name, value) = self.take(), option.groups()
            if value and name in SPOKEN:
                self.add(line[: -len(value)], piece(value, "alt text"), self.end())
            else:
                self.add(line + self.end())

    def formula(self) -> None:
        start = len(self.pieces)
        if self.lines[self.at].count("$$") > 1:
            self.literal()
        else:
            self.add(self.take() + self.end())
            self.literal(lambda line: "$$" in line)
        body = "".join(one.raw for one in self.pieces[start:])
        del self.pieces[start:]
        self.spoken(SPOKEN_MATH, body, "words in a formula")

    def spoken(self, words: re.Pattern, body: str, kind: str) -> None:
        """Add a body of which only some words are messages."""
        at = 0
        for found in words.finditer(body):
            self.add(body[at : found.start()], piece(found[0], kind))
            at = found.end()
        self.add(body[at:])

    def row(self) -> None:
        line = self.take()
        places = [0, *(found.end() for found in CELL.finditer(line)), len(line)]
        for start, end in pairwise(places):
            cell = line[start:end]
            words = cell.rstrip("|").strip() if cell.endswith("|") else cell.strip()
            before = len(cell) - len(cell.lstrip())
            self.add(cell[:before], piece(words, "cell of a table"), cell[before + len(words) :])
        self.add(self.end())

    def paragraph(self) -> None:
        line = self.take()
        item = ITEM.match(line)
        start = item or DEFINITION.match(line) or re.match(r"(\s*)(.*)$", line)
        kind = "list item" if item else "paragraph"
        if self.open and self.open[-1][1] == "figure":
            kind = "caption"
        whole = [start[2]]
        while self.at < len(self.lines) and self.goes_on(self.lines[self.at], bool(item)):
            whole.append(self.take())
        self.add(start[1], piece("\n".join(whole), kind), self.end())

    def goes_on(self, line: str, in_list: bool) -> bool:
        if not line.strip() or FENCE.match(line) or LABEL.match(line) or HEADING.match(line):
            return False
        item = ITEM.match(line)
        if item and (in_list or not item[1].strip()[0].isdigit() or item[1].strip() == "1."):
            return False
        return not (line.lstrip().startswith(("$$", "|")) or re.match(r"\s*:[ \t]+\S", line))


def split(text: str) -> list[Piece]:
    return Splitter(text).pieces_of_page()


Translate = Callable[[Piece], str]  # returns "" where there is no translation


def put_together(pieces: list[Piece], translate: Translate) -> str:
    """Return the text with its messages translated; those that are not stay as they were."""

    def of(one: Piece) -> str:
        new = translate(one) if one.message else ""
        return new if new and new != one.message else one.raw

    return "".join(map(of, pieces))


# -- Pages ----------------------------------------------------------------------------------------


def spoken_metadata(cell: dict) -> Iterator[tuple[dict, str, Piece]]:
    """Yield where a cell's metadata holds words: the dictionary, the key, and the message."""
    for path, kind in SPOKEN_METADATA.items():
        place = cell.get("metadata", {})
        for key in path[:-1]:
            place = place.get(key, {})
        if isinstance(place.get(path[-1]), str):
            yield place, path[-1], piece(place[path[-1]], kind)


def pieces_of(name: str, text: str) -> list[Piece]:
    if not name.endswith(".html"):
        return split(text)
    splitter = Splitter("")
    splitter.spoken(SPOKEN_FILE, text, "words in a picture")
    return splitter.pieces


def messages(name: str, source: str) -> Iterator[tuple[str, Piece]]:
    """Yield the messages of a page in its order, each with the id of its cell, if it has one."""
    if not name.endswith(".ipynb"):
        yield from (("", one) for one in pieces_of(name, source) if one.message)
        return
    for cell in json.loads(source)["cells"]:
        found = [one for _, _, one in spoken_metadata(cell)]
        if cell["cell_type"] == "markdown":
            found += split("".join(cell["source"]))
        yield from ((cell["id"], one) for one in found if one.message)


def headings(name: str, source: str) -> list[str]:
    """Return the text of all headings of a page, also of those without words."""
    texts = [source]
    if name.endswith(".ipynb"):
        cells = json.loads(source)["cells"]
        texts = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]
    return [one.raw for text in texts for one in split(text) if one.kind == "heading"]


def translated(name: str, source: str, translate: Translate) -> str:
    if not name.endswith(".ipynb"):
        return put_together(pieces_of(name, source), translate)
    notebook = json.loads(source)
    for cell in notebook["cells"]:
        for place, key, one in spoken_metadata(cell):
            place[key] = put_together([one], translate)
        if cell["cell_type"] == "markdown":
            text = put_together(split("".join(cell["source"])), translate)
            cell["source"] = text.splitlines(keepends=True)
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
