"""Two editions of one book: the words around its pages, and the way from one edition to the other.

The editions lie side by side, English at the site's address and Chinese below it in zh/, where
BOOK_EDITIONS is set, as `make editions` does. Only then does a page lead to its other edition. The
words of scripts, templates and extensions come from site_words.py.
"""

import hashlib
import os
import re
from dataclasses import replace
from html import escape
from pathlib import Path

import site_words
from patches import Patches
from site_words import tr
from sphinx.errors import ConfigError

# What an edition is called by those who read it, where it lies below the English one, and what the
# link to it says there.
EDITIONS = {
    "en": ("en", "", "English", "This page in English"),
    "zh_CN": ("zh-CN", "zh/", "中文", "本页的中文版"),
}
# Pages that every edition writes by itself, without a counterpart to lead to.
ALONE = "_modules/"
# What Sphinx and its themes call things in attributes, and do not translate.
THEIRS = (
    tr("Color mode"),
    tr("Link to this definition"),
    tr("Link to this equation"),
    tr("Link to this heading"),
    tr("Link to this image"),
    tr("Link to this term"),
    tr("Main"),
    tr("Page"),
    tr("System Settings"),
    tr("Toggle primary sidebar"),
    tr("Toggle secondary sidebar"),
)
NAMED = re.compile(rf'\b((?:aria-label|title|data-bs-title)=")({"|".join(THEIRS)})"')
# What stays English on a Chinese page: docstrings, and works as they were published.
ENGLISH = (
    ("book/api/", re.compile(r'<dl (?=class="py )')),
    ("book/", re.compile(r'<div (?=class="citation")')),
)


def setup(app):
    app.add_config_value("book_editions", False, "html", types=(bool,))
    app.add_config_value("language_extension_digest", "", "env", types=(str,))
    # Before other extensions read the configuration.
    app.connect("config-inited", speak, priority=100)
    # After book_extension has read where the book is published.
    app.connect("config-inited", move_below, priority=600)
    app.connect("builder-inited", dress)
    app.connect("builder-inited", teach_templates)
    app.connect("html-page-context", add_ways, priority=920)
    app.connect("html-page-context", name_languages, priority=920)
    app.connect("build-finished", write_scripts)
    app.connect("build-finished", translate_theme)
    return {"parallel_read_safe": True, "parallel_write_safe": False}


def speak(app, config) -> None:
    """Choose the language of what scripts, templates and extensions say."""
    if config.language not in EDITIONS:
        raise ConfigError(f"there is no edition in {config.language!r}, but {', '.join(EDITIONS)}")
    site_words.use(config.language)
    path = site_words.place_of(config.language)
    content = path.read_bytes() if path.is_file() else b""
    # Part of the configuration, so that Sphinx writes every page again when a word changes.
    config.language_extension_digest = hashlib.sha256(content).hexdigest()
    config.book_editions = bool(os.environ.get("BOOK_EDITIONS"))
    config.togglebutton_hint = tr("Click to show")
    config.togglebutton_hint_hide = tr("Click to hide")


def dress(app) -> None:
    """Give a language its own style, behind that of all editions."""
    if app.config.language == "zh_CN":
        app.add_css_file("chinese.css", priority=900)


def move_below(app, config) -> None:
    """Let the addresses of this edition be where it lies."""
    if config.language == "en":
        return
    alone = config.book_publication
    below = alone.below(config.language)
    config.book_publication = below if config.book_editions else replace(below, url=alone.url)
    config.html_baseurl = config.book_publication.url


def teach_templates(app) -> None:
    if app.builder.format == "html":
        app.builder.templates.environment.globals["tr"] = tr


# -- The scripts ----------------------------------------------------------------------------------


def write_scripts(app, exception) -> None:
    """Put our scripts into the site: in the words of this edition, and without our comments."""
    known = site_words.known_in(app.config.language)
    if exception or app.builder.format != "html":
        return
    for source in site_words.STATIC.rglob("*.js"):
        place = source.relative_to(site_words.STATIC)
        if site_words.is_ours(place):
            text = site_words.translated(source.read_text(encoding="utf-8"), known)
            (Path(app.outdir) / "_static" / place).write_text(lean(text), encoding="utf-8")


def lean(script: str) -> str:
    """Return a script without lines of comment, but for the first, which says what it is."""
    return re.sub(r"(?<=\n)(?:[ \t]*//.*\n)+", "", script)


# -- The pages ------------------------------------------------------------------------------------


def name_languages(app, pagename, templatename, context, doctree) -> None:
    """Say to those who listen what is not in the language of the page."""
    if app.config.language == "en":
        return
    body = context.get("body") or ""
    for start, tag in ENGLISH:
        if pagename.startswith(start):
            body = tag.sub(r'\g<0>lang="en" ', body)
    context["body"] = body


def translate_theme(app, exception) -> None:
    """Say what the theme says in English only; stop where it says it no longer."""
    if exception or app.builder.format != "html" or app.config.language == "en":
        return
    patches, known = Patches(*THEIRS), site_words.known_in(app.config.language)

    def put(found: re.Match) -> str:
        patches.note(found[2])
        return f'{found[1]}{known[found[2]]}"'

    for page in app.book_pages:
        path = Path(app.builder.get_outfilename(page))
        path.write_text(NAMED.sub(put, path.read_text(encoding="utf-8")), encoding="utf-8")
    if app.book_pages >= app.env.found_docs:
        patches.check()


# -- From one edition to the other ----------------------------------------------------------------


def add_ways(app, pagename, templatename, context, doctree) -> None:
    """Tell a page where its other edition is, and search engines where all editions are."""
    context["other_edition"] = None
    if not app.config.book_editions or pagename.startswith(ALONE):
        return
    _, here, *_ = EDITIONS[app.config.language]
    target = app.builder.get_target_uri(pagename)
    for language, (code, folder, name, title) in EDITIONS.items():
        if language != app.config.language:
            # From this page up to the English edition's folder, and down again.
            up = "../" * (target.count("/") + here.count("/"))
            context["other_edition"] = (code, up + folder + target, name, title)
    if base := app.config.book_publication.url:
        root = base.removesuffix(here)
        ways = {code: root + folder + target for code, folder, *_ in EDITIONS.values()}
        ways["x-default"] = ways["en"]
        lines = (
            f'<link rel="alternate" hreflang="{code}" href="{escape(address)}" />'
            for code, address in ways.items()
        )
        context["metatags"] = context.get("metatags", "") + "\n    ".join(["", *lines]) + "\n"
