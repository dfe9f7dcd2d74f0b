"""Charts in the page itself: sharp on any screen, in the ink of the theme, and of print in LaTeX.

Sphinx loads this file (see `_config.yml`). A notebook stores each figure twice: as SVG, which
MyST-NB takes for HTML, and as PNG, which it takes for LaTeX. Here the address of an SVG in a page
becomes the drawing. A picture of the text, such as the one that opens a chapter, is shown so too
where an SVG of the same name lies beside the PNG; a picture on a card as a file.
"""

import hashlib
import re
from html import unescape
from pathlib import Path
from urllib.parse import unquote

import figures
import panels
from patches import Patches
from PIL import Image

DRAWINGS = "drawings in pages"
PICTURE = re.compile(r'<img\b[^>]*\bsrc="[^"]*_images/([^"]+\.(?:svg|png))"[^>]*>')
CARD = 'class="sd-card-img-top"'
ALT = re.compile(r'\balt="([^"]*)"')


def setup(app):
    # Parts of the configuration, so that Sphinx writes every page again when they change.
    files = [Path(module) for module in (__file__, figures.__file__, panels.__file__)]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
    app.add_config_value("figure_extension_digest", digest, "html")
    app.figure_patches = Patches(DRAWINGS)
    # Before book_extension.py says how large pictures are.
    app.connect("html-page-context", put_drawings, priority=800)
    app.connect("build-finished", check_patches)
    return {"parallel_read_safe": True, "parallel_write_safe": False}


def put_drawings(app, pagename, templatename, context, doctree) -> None:
    sources = {name: Path(app.srcdir) / source for source, name in app.builder.images.items()}
    count = 0

    def card(tag: str, path: Path) -> str:
        """Many cards would make a page heavy: their drawings come when they come into sight."""
        with Image.open(path.with_suffix(".png")) as picture:
            size = f'width="{picture.width}" height="{picture.height}"'
        folder = Path(app.outdir) / app.builder.imagedir
        folder.mkdir(exist_ok=True)
        text = figures.for_card(path.read_text(encoding="utf-8"))
        (folder / path.name).write_text(text, encoding="utf-8")
        tag = tag.replace(f"{path.stem}.png", path.name)
        return tag.replace("<img ", f'<img {size} loading="lazy" ', 1)

    def drawing(match: re.Match) -> str:
        nonlocal count
        path = sources.get(unquote(match[1]), Path("absent")).with_suffix(".svg")
        if not path.is_file():
            return match[0]
        if CARD in match[0]:
            return card(match[0], path)
        count += 1
        alt = ALT.search(match[0])
        svg = path.read_text(encoding="utf-8")
        app.figure_patches.note(DRAWINGS)
        return panels.for_page(svg, f"drawing-{count}", unescape(alt[1]) if alt else "")

    context["body"] = PICTURE.sub(drawing, context.get("body") or "")


def check_patches(app, exception) -> None:
    whole = app.book_pages >= app.env.found_docs
    if not exception and app.builder.format == "html" and whole:
        app.figure_patches.check()
