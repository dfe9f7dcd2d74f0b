"""Give sections and terms of a translated page the ids of the English one.

Links from outside, and a reader who changes the language, then find the same place. The tree that
tools/translate.py writes says in english.json what its headings and terms are called in English.
"""

import json
from pathlib import Path

import copy_words
from docutils import nodes
from myst_parser.mdit_to_docutils.base import default_slugify
from sphinx import addnodes
from sphinx.errors import ExtensionError
from sphinx.transforms import SphinxTransform
from sphinx.util.nodes import _make_id
from translation_rules import PARSER, TARGET


def setup(app):
    # For the notebooks that pages offer.
    copy_words.speak(app.config.language)
    app.add_transform(EnglishIds)
    app.add_transform(EnglishTerms)
    app.add_transform(WholeEmphasis)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def english(app) -> dict:
    if not hasattr(app, "book_english"):
        text = (Path(app.srcdir) / "english.json").read_text(encoding="utf-8")
        app.book_english = json.loads(text)
    return app.book_english


def text_of(heading: str, kinds: tuple[str, ...] = ()) -> str:
    """Return what a heading says, as docutils or, of some kinds of token, as MyST takes it."""
    said = ""
    for token in PARSER.parseInline(heading)[0].children:
        if token.type == "myst_role" and not kinds:
            titled = TARGET.match(token.content)
            said += titled[1] if titled else token.content
        elif token.content and (not kinds or token.type in kinds):
            said += token.content
    return said


class EnglishIds(SphinxTransform):
    # Before any other asks for the ids.
    default_priority = 5

    def apply(self, **kwargs):
        headings = english(self.app)["headings"].get(self.env.docname)
        if headings is None:
            return
        sections = [
            node
            for node in self.document.findall(nodes.section)
            if node.children and isinstance(node[0], nodes.title)
        ]
        if len(sections) != len(headings):
            raise ExtensionError(
                f"{self.env.docname} has {len(sections)} sections, its English source "
                f"{len(headings)} headings"
            )
        for section in sections:
            for old in section["ids"]:
                del self.document.ids[old]
        for section, heading in zip(sections, headings, strict=True):
            self.rename(section, self.free(nodes.make_id(text_of(heading))))
        self.rename_slugs(sections, headings)

    def free(self, wanted: str) -> str:
        """Return an id that the page does not have yet: this, or one as docutils makes it."""
        number = 0
        new = wanted
        while not new or new in self.document.ids:
            number += 1
            new = f"id{number}"
        return new

    def rename(self, section: nodes.section, new: str) -> None:
        old = section["ids"][0]
        section["ids"][0] = new
        self.document.ids[new] = section
        for name, place in self.document.nameids.items():
            if place == old and name in section["names"]:
                self.document.nameids[name] = new

    def rename_slugs(self, sections: list, headings: list[str]) -> None:
        """Let links such as (page.md#slug) find the slugs that MyST gives English headings."""
        slugs = self.document.myst_slugs
        slugs.clear()
        for section, heading in zip(sections, headings, strict=True):
            if "slug" not in section:
                continue
            slug = first = default_slugify(text_of(heading, ("text", "code_inline")))
            number = 0
            while slug in slugs:
                number += 1
                slug = f"{first}-{number}"
            section["slug"] = slug
            slugs[slug] = (section.line, section["ids"][0], section[0].astext())


class EnglishTerms(SphinxTransform):
    """Let terms be found by their English names too, which stand in brackets behind them."""

    default_priority = 6

    def apply(self, **kwargs):
        for glossary in self.document.findall(addnodes.glossary):
            for term in list(glossary.findall(nodes.term)):
                self.name_in_english(term)
            for items in glossary.findall(nodes.definition_list):
                # The first level of GB 2312 is in the order of pinyin, Latin before it.
                items.children.sort(key=lambda item: item[0].astext().lower().encode("gb18030"))

    def name_in_english(self, term: nodes.term) -> None:
        name = term.astext()
        meant = english(self.app)["terms"].get(name, [name])
        if meant == [name]:
            return
        old, new = term["ids"][0], [_make_id(f"term-{one}") for one in meant]
        term["ids"] = new
        del self.document.ids[old]
        self.document.ids |= dict.fromkeys(new, term)
        std = self.env.get_domain("std")
        for known, place in [(name, new[0]), *zip(meant, new, strict=True)]:
            std.objects["term", known] = (self.env.docname, place)
            std._terms[known.lower()] = (self.env.docname, place)
        index = next(term.findall(addnodes.index))
        index["entries"] = [
            (kind, said, new[0], *rest) for kind, said, _, *rest in index["entries"]
        ]
        said = nodes.inline("", f"（{meant[0]}）", classes=["term-english"], lang="en")
        term.insert(term.index(index), said)


class WholeEmphasis(SphinxTransform):
    """Mark paragraphs in italics: dots below each of their characters would be hard to read."""

    default_priority = 5

    def apply(self, **kwargs):
        for paragraph in self.document.findall(nodes.paragraph):
            if len(paragraph) == 1 and isinstance(paragraph[0], nodes.emphasis):
                paragraph[0]["classes"].append("whole")
