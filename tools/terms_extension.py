"""What terms of the glossary mean, on the pages that link to them: for a note beside the link.

A page gets the definitions of its own terms, in a <template>: no request, and nothing to see
without scripts. book/_static/terms.js shows them. Registered in _config.yml.
"""

import hashlib
import re
from html import escape
from pathlib import Path

from docutils import nodes
from search_extension import text

GLOSSARY = "book/glossary"
LINK = re.compile(r'href="(?:[\w./-]*glossary\.html)?#(term-[\w-]+)"')


def setup(app):
    files = (Path(__file__), Path(app.srcdir) / f"{GLOSSARY}.md")
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
    # Part of the configuration, so that Sphinx writes every page again when a definition changes.
    app.add_config_value("terms_extension_digest", digest, "html")
    app.book_terms = {}
    # Before book_extension leaves out the scripts and styles that a page has no use for.
    app.connect("html-page-context", add_notes, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": False}


def add_notes(app, pagename, templatename, context, doctree) -> None:
    body = context.get("body") or ""
    anchors = sorted(set(LINK.findall(body)))
    if not anchors:
        return
    terms = app.book_terms or definitions(app)
    notes = (
        f'<p data-term="{anchor}"><strong>{escape(name)}</strong> {escape(said)}</p>'
        for anchor in anchors
        for name, said in [terms[anchor]]
    )
    context["body"] = f'{body}\n<template id="term-notes">{"".join(notes)}</template>\n'


def definitions(app) -> dict[str, tuple[str, str]]:
    """Return the name and the definition of each term, by its anchor, in plain characters."""
    glossary = app.env.get_and_resolve_doctree(GLOSSARY, app.builder)
    for item in glossary.findall(nodes.definition_list_item):
        for term in filter(lambda node: isinstance(node, nodes.term), item):
            for anchor in term["ids"]:
                app.book_terms[anchor] = text(term), text(item[-1])
    return app.book_terms
