"""The reference: what becomes of docstrings on their way into it, and links that lead there.

Sphinx's own extensions write the pages in book/api/ from the docstrings. This one turns "Introduced
in chapter N" into a link, tells what a class has from others, and leads from chapters to entries:
below code that shows the library's source, and where the text first names what the library offers.
"""

import ast
import hashlib
import importlib
import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import yaml
from docutils import nodes
from site_words import tr
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.inspect import stringify_signature
from sphinx.util.nodes import make_refnode

ROOT = Path(__file__).resolve().parents[1]
LIBRARY = "vae_tutorial"
INTRODUCED = re.compile(r"\s*\bIntroduced\s+in\s+chapter\s+(\d+)\.")
# A name of this library in full, and the values that an argument may have.
IN_FULL = re.compile(rf":(\w+):`{LIBRARY}\.([\w.]+)`")
CHOICE = re.compile(r'^(\w[\w, ]* : )\{(".+")\}', re.MULTILINE)
SECTION = re.compile(r"^[A-Z][A-Za-z ]+\n-{3,}$", re.MULTILINE)
KINDS = ("class", "exception", "function")
# Docstrings name things of these packages, which this book has no page for.
ELSEWHERE = [("py:.*", r"(?:inspect|keras|numpy)\..*")]
# A bare name in the text is taken for the library's only if it cannot be mistaken for a word.
UNMISTAKABLE = re.compile(r"\w*(?:_|[A-Z]\w*[A-Z])\w*")


def setup(app):
    # The book documents the library beside it, whichever is installed.
    sys.path.insert(0, str(ROOT))
    digest = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
    app.add_config_value("reference_extension_digest", digest, "env")
    app.connect("config-inited", allow_names_from_elsewhere)
    # Before napoleon, which reads the sections.
    app.connect("autodoc-process-docstring", complete, priority=400)
    app.connect("autodoc-process-signature", true_signature)
    app.connect("autodoc-skip-member", skip_classes_of_classes)
    app.connect("missing-reference", find_inherited)
    app.add_post_transform(LinksToTheReference)
    # After the theme has filled in the page.
    app.connect("html-page-context", name_the_fold, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def allow_names_from_elsewhere(app, config) -> None:
    config.nitpick_ignore_regex = [*config.nitpick_ignore_regex, *ELSEWHERE]


# -- Docstrings -----------------------------------------------------------------------------------


def numbered_chapters() -> list[str]:
    """Return the pages that have a number, in the order of their numbers, which start at 1."""
    contents = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    parts = [part for part in contents["parts"] if part.get("numbered")]
    return [chapter["file"] for part in parts for chapter in part["chapters"]]


def complete(app, what, name, thing, options, lines) -> None:
    """Put the chapter and what is inherited after the description, before the first section.

    Names are as short as in the book, and values stay code, which typographic quotes are not.
    """
    text = "\n".join(lines)
    chapter = INTRODUCED.search(text)
    text = INTRODUCED.sub("", text)
    text = IN_FULL.sub(rf":\1:`\2 <{LIBRARY}.\2>`", text)
    text = CHOICE.sub(lambda found: found[1] + " or ".join(map(code, found[2].split(", "))), text)
    start = section.start() if (section := SECTION.search(text)) else len(text)
    parts = [text[:start].strip()]
    if chapter:
        page = numbered_chapters()[int(chapter[1]) - 1]
        words = tr("Introduced in chapter {number}").format(number=chapter[1])
        parts.append(f":doc:`{words} </{page}>`" + tr("."))
    if what == "class":
        parts += inherited(thing)
    lines[:] = "\n\n".join([*parts, text[start:]]).splitlines()


def code(text: str) -> str:
    return f"``{text}``"


def true_signature(app, what, name, thing, options, signature, result):
    """Give a class its own arguments: of Keras's classes Sphinx sees ``(*args, **kwargs)``."""
    if what == "class":
        options = {"show_annotation": False, "show_return_annotation": False}
        return stringify_signature(inspect.signature(thing), **options), None
    return None


def skip_classes_of_classes(app, what, name, member, skip, options):
    """Leave out an attribute such as ``encoder_class``, which would be "alias of Encoder"."""
    return True if what == "class" and isinstance(member, type) else None


def inherited(thing: type) -> Iterator[str]:
    """Yield a sentence for each class of this library that ``thing`` has something from."""
    seen = set(vars(thing))
    for base in thing.__mro__[1:]:
        if not base.__module__.startswith(LIBRARY):
            continue
        public = {name: member for name, member in vars(base).items() if not name.startswith("_")}
        names = [name for name in public if name not in seen and is_entry(public[name])]
        seen |= set(public)
        # A class can be had from its room, whichever file of the room it stands in.
        place = f"{LIBRARY}.{base.__module__.split('.')[1]}.{base.__name__}"
        if names:
            links = tr(", ").join(f":meth:`{name} <{place}.{name}>`" for name in names)
            yield tr("From {place}: {links}.").format(place=f":class:`~{place}`", links=links)


def is_entry(member) -> bool:
    """Tell whether autodoc makes an entry of a class's member: a documented method or property."""
    return (inspect.isroutine(member) or isinstance(member, property)) and bool(member.__doc__)


def find_inherited(app, env, node, content):
    """Let docstrings name a method by the class that inherits it."""
    target = node.get("reftarget", "")
    if node.get("refdomain") != "py" or not target.startswith(f"{LIBRARY}."):
        return None
    entries = env.get_domain("py").objects
    try:
        entry = entries[entry_of(target.removeprefix(f"{LIBRARY}."), entries)]
    except (AttributeError, ImportError, KeyError):
        return None
    return make_refnode(app.builder, node["refdoc"], entry.docname, entry.node_id, content)


# -- Links from the pages -------------------------------------------------------------------------


class LinksToTheReference(SphinxPostTransform):
    """Lead from chapters to the entries of what they show and name."""

    formats = ("html",)
    default_priority = 20

    def run(self, **kwargs):
        page = self.env.docname
        if page.startswith("book/api/"):
            return
        entries = self.env.get_domain("py").objects
        for cell in list(self.document.findall(is_cell)):
            if shown := list(shown_sources(cell)):
                names = dict.fromkeys(entry_of(expression, entries) for expression in shown)
                cell += self.line(list(names), entries)
        seen = set()
        short = short_names(entries)
        for literal in list(self.document.findall(nodes.literal)):
            name = name_in(literal.astext(), entries, short)
            if name and name not in seen and isinstance(literal.parent, nodes.paragraph):
                seen.add(name)
                literal.replace_self(self.link(name, entries, literal.deepcopy()))

    def line(self, names: list[str], entries) -> nodes.paragraph:
        line = nodes.paragraph("", tr("In the reference: "), classes=["reference-line"])
        for place, name in enumerate(names):
            text = name.removeprefix(f"{LIBRARY}.")
            line += [nodes.Text(tr(", "))] * bool(place)
            line += self.link(name, entries, nodes.literal("", text))
        return line

    def link(self, name: str, entries, content) -> nodes.reference:
        entry = entries[name]
        where = self.env.docname, entry.docname, entry.node_id
        return make_refnode(self.app.builder, *where, content, name)


def is_cell(node) -> bool:
    return isinstance(node, nodes.container) and "cell" in node["classes"]


def shown_sources(cell) -> Iterator[str]:
    """Yield what the code of a cell hands to ``notebook.show_source``, as it is written there."""
    for code in cell.findall(nodes.literal_block):
        if "cell_input" in code.parent["classes"] and "show_source(" in code.astext():
            for node in ast.walk(ast.parse(code.astext())):
                if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("show_source"):
                    yield ast.unparse(node.args[0])


def entry_of(expression: str, entries) -> str:
    """Return the entry of ``models.VAE.encode`` or the like: its own, or that of its class.

    What a class inherits has its entry where it is defined.
    """
    room, *names = expression.split(".")
    thing = importlib.import_module(f"{LIBRARY}.{room}")
    for name in names:
        thing = getattr(thing, name)
    documented = {}
    for name, entry in entries.items():
        if entry.objtype in KINDS and not entry.aliased:
            module, _, attribute = name.rpartition(".")
            documented[path_of(getattr(importlib.import_module(module), attribute))] = name
    path = path_of(thing)
    if path in documented:
        return documented[path]
    owner, _, method = path.rpartition(".")
    name = f"{documented[owner]}.{method}"
    return name if name in entries else documented[owner]


def path_of(thing) -> str:
    return f"{thing.__module__}.{thing.__qualname__}"


def short_names(entries) -> dict[str, str]:
    """Return the entries whose last name is unmistakable, by that name."""
    names = [n for n, entry in entries.items() if entry.objtype in KINDS and not entry.aliased]
    shorts = {name.rpartition(".")[2]: name for name in names}
    return {short: name for short, name in shorts.items() if UNMISTAKABLE.fullmatch(short)}


def name_in(text: str, entries, short: dict[str, str]) -> str | None:
    """Return the entry that ``models.VAE``, ``VAE`` or ``VAE(latent_dim=2)`` stands for."""
    name = text.partition("(")[0]
    if name in short:
        return short[name]
    full = f"{LIBRARY}.{name}"
    return full if full in entries and "." in name else None


def name_the_fold(app, pagename, templatename, context, doctree) -> None:
    """Say to screen readers what the arrow in the table of contents unfolds."""
    contents = context["generate_toctree_html"]

    def with_names(**options) -> str:
        label = f'<summary aria-label="{tr("Pages of the reference")}">'
        return str(contents(**options)).replace("<summary>", label)

    context["generate_toctree_html"] = with_names
