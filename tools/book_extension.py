"""What this book adds to Sphinx: addresses of a published copy, descriptions, smaller pages.

Registered in _config.yml. Where the book is published comes from the environment: publishing.py.
"""

import hashlib
import os
import re
import unicodedata
from dataclasses import replace
from html import escape
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

import make_colab
import nbformat
from docutils import nodes
from patches import Patches
from PIL import Image, ImageChops, ImageStat
from publishing import Publication
from site_words import tr
from sphinx.errors import ConfigError, ExtensionError
from sphinx.transforms.post_transforms import SphinxPostTransform

# An asset is loaded only by pages whose HTML holds its mark: Sphinx would load it everywhere.
MARKS = {
    "mathjax/": 'class="math',
    "mystnb.": 'class="cell',
    "exercise.css": 'class="exercise',
    "quiz.css": "quiz-option",
    "togglebutton.": "dropdown",
    "sphinx-design.": "sd-",
    "design-tabs.": "sd-tab-",
    "terms.": 'id="term-notes"',
}
# A style that comes with one in use; the book may do without what it is for.
SPARE = {"design-tabs."}
# What the templates of this book put something else in place of.
OVERRIDDEN = {
    "the search index in every page": (
        "layout.html",
        r"block extrahead %}(?:(?!endblock).)*searchindex\.js",
    ),
    "the scripts of the search page": ("search.html", r"searchtools\.js"),
    "the field of the search": ("components/search-field.html", r'<form class="bd-search'),
    "the window of the search": ("layout.html", r'<dialog id="pst-search-dialog"'),
    "the macro with the theme's icons": ("static/webpack-macros.html", r"fontawesome\.js"),
    "the macro head_pre_assets": ("static/webpack-macros.html", r"macro head_pre_assets\("),
    "the macro head_js_preload": ("static/webpack-macros.html", r"macro head_js_preload\("),
    "the macro body_post": ("static/webpack-macros.html", r"macro body_post\("),
}
# A description has at least so many characters, and at most: what search engines show.
SHORTEST, LONGEST = 50, 160
# Root mean square, of 255 levels.
LARGEST_DIFFERENCE = 2.5
CARD = "_static/social-card.png"


def setup(app):
    # Parts of the configuration, so that Sphinx writes every page again when they change.
    app.add_config_value("book_publication", Publication(), "html", types=(Publication,))
    digest = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
    app.add_config_value("book_extension_digest", digest, "html")
    app.book_patches = Patches(*MENDED, SIZES, THEME, *map(named, MARKS), *map(use_of, MARKS))
    app.book_pages = set()
    app.add_post_transform(TableFormulas)
    app.add_post_transform(MarginNotes)
    app.connect("config-inited", read_environment)
    app.connect("builder-inited", check_templates)
    # After the theme and every other extension have filled in the page.
    app.connect("html-page-context", add_addresses, priority=900)
    app.connect("html-page-context", add_description, priority=900)
    app.connect("html-page-context", mend_text, priority=900)
    app.connect("html-page-context", add_sizes, priority=900)
    app.connect("html-page-context", drop_unused_assets, priority=950)
    app.connect("build-finished", drop_unused_icons)
    app.connect("build-finished", shrink_pictures)
    app.connect("build-finished", write_notebooks)
    app.connect("build-finished", choose_theme_without_scripts)
    app.connect("build-finished", write_doors)
    app.connect("build-finished", check_patches)
    return {"parallel_read_safe": True, "parallel_write_safe": False}


# -- Addresses ------------------------------------------------------------------------------------


def read_environment(app, config) -> None:
    try:
        config.book_publication = Publication.from_environment(os.environ)
    except ValueError as error:
        raise ConfigError(str(error)) from None
    # Sphinx itself writes the canonical link of each page from this.
    config.html_baseurl = config.book_publication.url


def add_addresses(app, pagename, templatename, context, doctree) -> None:
    publication = app.config.book_publication
    context["repository_address"] = publication.repository_url
    context["report_url"] = publication.report_url(context.get("pagetitle") or pagename)
    if context.get("page_source_suffix") == ".ipynb":
        context["notebook_file"] = context["sourcename"]
        context["colab_url"] = publication.colab_url(PurePosixPath(pagename).name + ".ipynb")


def write_notebooks(app, exception) -> None:
    """Let pages offer the variant that runs anywhere, and not the source with its directives."""
    if exception or app.builder.format != "html":
        return
    publication = app.config.book_publication
    source = make_colab.Source(publication)
    if publication.repository:
        # With the addresses of this edition.
        source = replace(make_colab.from_environment(), publication=publication)
    for page in app.env.found_docs:
        path = Path(app.env.doc2path(page))
        if path.suffix == ".ipynb":
            copy = Path(app.outdir) / "_sources" / f"{page}.ipynb"
            if not copy.is_file():
                raise ExtensionError(f"Sphinx no longer keeps the source of a page as {copy}")
            nbformat.write(make_colab.variant(path, source), copy)


# -- Descriptions ---------------------------------------------------------------------------------


def description(doctree, title: str, book: str) -> str:
    """Return the first paragraphs in plain text, cut after a sentence or else a word."""
    text = ""
    for paragraph in doctree.findall(nodes.paragraph) if doctree else []:
        # A paragraph of the running text: not of a list, a table or a cell's output.
        if not isinstance(paragraph.parent, nodes.section):
            continue
        if any(
            paragraph.findall(lambda node: isinstance(node, (nodes.math, nodes.system_message)))
        ):
            continue
        text = f"{text} {paragraph.astext()}".strip()
        if width(text) >= SHORTEST:
            break
    text = " ".join(text.split())
    if width(text) < SHORTEST:
        text = tr("{title}: a page of the book {book}").format(title=title, book=book)
    return shortened(text, LONGEST)


def shortened(text: str, longest: int) -> str:
    """Return the start of a text, cut after a sentence or else a word."""
    if width(text) <= longest:
        return text
    fitting = text[:longest]
    while width(fitting) > longest:
        fitting = fitting[:-1]
    ends = [end.end() for end in re.finditer(r"[.?](?= )|[。？]", text[: len(fitting) + 1])]
    if ends and ends[-1] <= len(fitting) and width(text[: ends[-1]]) >= longest * 0.6:
        return text[: ends[-1]]
    return (
        re.sub(r"(?: \S*|[，；、][^，；、]{,8}|)$", "", fitting[:-1]).rstrip(",;:.，；：、") + "…"
    )


def width(text: str) -> int:
    """Return how many Latin letters are as wide as a text: a Chinese character counts twice."""
    return sum(1 + (unicodedata.east_asian_width(letter) in "WF") for letter in text)


def add_description(app, pagename, templatename, context, doctree) -> None:
    names = {"genindex": tr("Index"), "search": tr("Search")}
    title = context.get("pagetitle") or context.get("title") or names.get(pagename, pagename)
    book = app.config.html_title
    text = description(doctree, title, book)
    is_root = pagename == app.config.root_doc
    tags = {
        "og:type": "website" if is_root else "article",
        "og:title": title,
        "og:site_name": book,
        "og:description": text,
    }
    url = app.config.book_publication.url
    if url:
        tags["og:url"] = url + app.builder.get_target_uri(pagename)
        tags["og:image"] = url + CARD
        tags["og:image:alt"] = tr(
            "Handwritten digits as queries, each with the images a VAE finds nearest to it"
        )
    lines = [f'<meta name="description" content="{escape(text)}" />']
    lines += [
        f'<meta property="{name}" content="{escape(value)}" />' for name, value in tags.items()
    ]
    lines.append(
        f'<meta name="twitter:card" content="{"summary_large_image" if url else "summary"}" />'
    )
    context["metatags"] = context.get("metatags", "") + "\n    " + "\n    ".join(lines) + "\n"


# -- The text of a page ---------------------------------------------------------------------------

MATH = r'<span class="math [^"]*">[^<]*</span>'
# What is mended in the HTML of a text: by what, in place of what.
MENDED = {
    # No line break between a formula and the comma after it, or the bracket before it.
    "formulas beside punctuation": (
        re.compile(rf"(?<![a-zA-Z\d(])[(（]?{MATH}[).,:;?\u2019\u201d。，、；：？）]+|[(（]{MATH}"),
        r'<span class="unbroken">\g<0></span>',
    ),
    # Sphinx gives the entries of a list a role that lists do not allow.
    "the role of entries in a bibliography": ('role="doc-biblioentry"', 'role="listitem"'),
    # A folded cell says what it does, and not "Toggle hidden content"; it is no note in a box.
    "the line of a folded cell": (
        re.compile(
            r'<details class="admonition (hide [^"]*)">\s*<summary aria-label="[^"]*">\s*'
            r'<p class="collapsed admonition-title">(.*?)</p>\s*'
            r'<p class="expanded admonition-title">.*?</p>\s*</summary>'
        ),
        lambda found: (
            f'<details class="{found[1]}"><summary><span>{tr("Code:")}</span> {found[2]}</summary>'
        ),
    ),
    # Every exercise of a page would have the same id.
    "the ids of exercises": (
        re.compile(r'<section id="((?:exercise|solution)-content)">'),
        r'<section class="\1">',
    ),
    # A solution's title opens it; the exercise that its link would jump to stands above.
    "links in titles of solutions": (
        re.compile(r'(<p class="admonition-title">[^<]+)<a class="ref[^>]*>(.*?)</a></p>'),
        r"\1\2</p>",
    ),
}


def mend_text(app, pagename, templatename, context, doctree) -> None:
    body, patches = context.get("body") or "", app.book_patches
    for name, (old, new) in MENDED.items():
        body = patches.replace(name, old, new, body)
    context["body"] = body


SIZES = "pictures without width and height"
PICTURE = re.compile(r'<img (?![^>]*\b(?:width|height)=")(?=[^>]*src="[^"]*_images/([^"]+)")')


def add_sizes(app, pagename, templatename, context, doctree) -> None:
    """Say how large each picture is, so that a browser keeps its place while it loads."""
    patches = app.book_patches
    sources = {name: source for source, name in app.builder.images.items()}

    # The landing page is light: the pictures of its cards come when they come into sight.
    late = 'loading="lazy" ' if pagename == app.config.root_doc else ""

    def sized(match: re.Match) -> str:
        with Image.open(Path(app.srcdir) / sources[unquote(match[1])]) as picture:
            return f'<img width="{picture.width}" height="{picture.height}" {late}'

    context["body"] = patches.replace(SIZES, PICTURE, sized, context.get("body") or "")


class TableFormulas(SphinxPostTransform):
    """Set the formulas in tables that cells put out: their Markdown knows no formulas."""

    default_priority = 50

    def run(self, **kwargs):
        for text in list(self.document.findall(is_text_of_table)):
            parts = re.split(r"\$([^$]+)\$", text)
            if len(parts) > 1:
                kinds = [nodes.Text, lambda source: nodes.math(source, source)]
                new = [kinds[number % 2](part) for number, part in enumerate(parts) if part]
                place = text.parent.index(text)
                text.parent[place : place + 1] = new


def is_text_of_table(node) -> bool:
    if not isinstance(node, nodes.Text) or not isinstance(node.parent, nodes.paragraph):
        return False
    above, classes = node.parent, []
    while above := above.parent:
        classes += above.get("classes", [])
    return isinstance(node.parent.parent, nodes.entry) and "cell_output" in classes


class MarginNotes(SphinxPostTransform):
    """Set a remark, `{margin}`, beside the text, and in print as a paragraph of it.

    The theme makes it a sidebar with an empty title, a landmark of its own inside the text.
    """

    default_priority = 50

    def run(self, **kwargs):
        for note in list(self.document.findall(nodes.sidebar)):
            said = [part for part in note.children if not isinstance(part, nodes.title)]
            if self.app.builder.format == "html":
                said = [nodes.container("", *said, classes=["margin"])]
            note.replace_self(said)


# -- Pages beside the text ------------------------------------------------------------------------

THEME = "the theme of a page without scripts"


def choose_theme_without_scripts(app, exception) -> None:
    """Let pages be light until a script chooses: with neither theme they are half of each."""
    if exception or app.builder.format != "html":
        return
    patches, old = app.book_patches, re.compile(r'(<html [^>]*data-theme=")auto"')
    for page in app.book_pages:
        path = Path(app.builder.get_outfilename(page))
        text = patches.replace(THEME, old, r'\1light"', path.read_text(encoding="utf-8"))
        path.write_text(text, encoding="utf-8")


def write_doors(app, exception) -> None:
    """Write the page at the site's address, and the one for addresses where nothing is."""
    if exception or app.builder.format != "html":
        return
    # The host shows the second one at any depth, so where the book's address is known it is used.
    url = app.config.book_publication.url or ""
    book, start = app.config.html_title, app.builder.get_target_uri(app.config.root_doc)
    doors = {
        "index.html": {
            "title": book,
            "text": tr("You are being taken to the first page of this book."),
            "start": start,
            "canonical": url and url + start,
            "refresh": True,
        },
        "404.html": {
            "title": tr("Page not found"),
            "text": tr(
                "There is no page at this address in the book {book}. It may have moved."
            ).format(book=book),
            "start": url + start,
            "search": url + app.builder.get_target_uri("search"),
        },
    }
    for name, door in doors.items():
        words = {"book": book, "base": url, "language": app.config.language, **door}
        text = app.builder.templates.render("door.html", words)
        (Path(app.outdir) / name).write_text(text, encoding="utf-8")


# -- Smaller pages --------------------------------------------------------------------------------


def drop_unused_assets(app, pagename, templatename, context, doctree) -> None:
    body = context.get("body") or ""
    kinds = ("css_files", "script_files")
    names = [name_of(asset) for kind in kinds for asset in context[kind]]
    for start, mark in MARKS.items():
        there = any(start in name for name in names)
        app.book_patches.note(named(start), there)
        app.book_patches.note(use_of(start), mark in body or start in SPARE)
        if mark in body and not there:
            raise ExtensionError(
                f"{pagename} holds {mark!r}, but loads nothing named {start!r}; has that file "
                "another name now? See MARKS in tools/book_extension.py"
            )

    def is_used(asset) -> bool:
        return all(mark in body for start, mark in MARKS.items() if start in name_of(asset))

    for kind in kinds:
        context[kind] = [asset for asset in context[kind] if is_used(asset)]
    app.book_pages.add(pagename)


def named(start: str) -> str:
    return f"a file named {start}"


def use_of(start: str) -> str:
    return f"a page with a use for {start}"


def name_of(asset) -> str:
    return str(getattr(asset, "filename", asset) or "")


ICONS = re.compile(r'(?:\.fa-[\w-]+::?before,?)+\{content:"[^"]*"\}')


def drop_unused_icons(app, exception) -> None:
    """Take the names of 1,900 icons out of the theme's style: icons.css draws the few in use."""
    if exception or app.builder.format != "html":
        return
    sheet = Path(app.outdir) / "_static" / "styles" / "pydata-sphinx-theme.css"
    patches = Patches(ICONS.pattern)
    text = patches.replace(ICONS.pattern, ICONS, "", sheet.read_text(encoding="utf-8"))
    # Where a page was written, Sphinx has copied the theme's file anew, with all of the icons.
    if app.book_pages:
        patches.check()
    sheet.write_text(text, encoding="utf-8")


def shrink_pictures(app, exception) -> None:
    """Give figures a palette of 256 colours where nobody sees it: a third of their size."""
    if exception or app.builder.format != "html":
        return
    for path in (Path(app.outdir) / "_images").glob("*.png"):
        with Image.open(path) as picture:
            if picture.mode == "P":
                continue
            before = picture.convert("RGBA")
        if before.getextrema()[3] != (255, 255):
            continue
        before = before.convert("RGB")
        after = before.quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        difference = ImageStat.Stat(ImageChops.difference(before, after.convert("RGB")))
        if max(difference.rms) < LARGEST_DIFFERENCE:
            after.save(path, optimize=True)


# -- Whether the theme is still what the above changes --------------------------------------------


def check_templates(app) -> None:
    """Stop if the theme no longer has what book/_templates puts something else in place of."""
    if app.builder.format != "html":
        return
    theirs = {
        name: "".join(
            path.read_text(encoding="utf-8")
            for path in (Path(folder) / name for folder in app.builder.theme.get_theme_dirs())
            if path.is_file()
        )
        for name in {name for name, _ in OVERRIDDEN.values()}
    }
    patches = Patches(*theirs, *OVERRIDDEN)
    for name, text in theirs.items():
        patches.note(name, len(text))
    for what, (name, pattern) in OVERRIDDEN.items():
        patches.note(what, len(re.findall(pattern, theirs[name], re.DOTALL)))
    patches.check()


def check_patches(app, exception) -> None:
    """Stop if a change found nothing in all of the book; a build of some pages says little."""
    whole = app.book_pages >= app.env.found_docs
    if not exception and app.builder.format == "html" and whole:
        app.book_patches.check()
