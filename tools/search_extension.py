"""The search of the book: an index of its sections, written for a page to search in.

Sphinx's own index knows whole pages. This one has an entry for each section, glossary term, symbol,
numbered equation, figure and exercise, name of the library and cited work, with a clean excerpt. It
is a script that sets a value, because a page opened as a file may not fetch. The scripts that
search in it are in book/_static/search/; what else readers call things is in search_aliases.toml.
"""

import hashlib
import json
import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

from book_extension import shortened
from docutils import nodes
from docutils.utils.math import tex2unichar
from site_words import tr
from sphinx import addnodes
from sphinx.errors import ExtensionError

ALIASES = Path(__file__).with_name("search_aliases.toml")
INDEX = "_static/search/index.js"
# Scripts that only Sphinx's own search page would load.
SPHINX_S_OWN = ("searchindex.js", "_static/searchtools.js", "_static/language_data.js")
# Between two builds; next to what Sphinx itself keeps.
KEPT = "search-entries.json"
# An excerpt has at most so many characters; a definition is shown in full.
LONGEST, LONGEST_DEFINITION = 180, 330
LIBRARY = "vae_tutorial."
# An answer is not to be found before its question.
ANSWERS = ("quiz-option", "solution", "sd-dropdown")
NUMBERED = {"math_block": "displaymath", "figure": "figure", "exercise_enumerable_node": "exercise"}
# What has entries of its own, or is no prose.
APART = (
    addnodes.glossary,
    addnodes.desc,
    nodes.citation,
    nodes.literal_block,
    nodes.system_message,
)
# No space stands between Chinese words: each two characters in a row count as one.
HAN = "[\u3400-\u9fff]"
WORD = re.compile(rf"\d+(?:\.\d+)+|{HAN}+|(?:(?!{HAN})[^\W_])+")
# Words that tell no two sections apart.
COMMON = """
a an and are as at be been but by can do does for from had has have how i if in into is it its me my
no not of on or our s so t than that the their them then there these they this those to was we were
what when where which while who why will with would you your
"""
COMMON_IN_CHINESE = """
的 了 吗 呢 吧 么 是 就 也 很 把 被 我 你 它 它们 我们 什么 怎么 怎样 如何 为什么 为何 哪些 哪个
哪里 多少 可以 应该 需要 能不能 一个 这个 那个 这些 那些 这样 以及 或者 并且 因为 所以 如果 但是
"""
SILENT = re.compile("|".join(sorted(COMMON_IN_CHINESE.split(), key=len, reverse=True)))
# The least share of the entries with a Chinese character in which it stands beside the other one.
TOGETHER = 0.2
# What a command of LaTeX looks like; one that is not here is a name, such as log.
SYMBOLS = {
    **tex2unichar.mathclose,
    **tex2unichar.mathopen,
    **tex2unichar.mathrel,
    **tex2unichar.mathbin,
    **tex2unichar.mathord,
    **tex2unichar.mathop,
    **tex2unichar.mathalpha,
    **{"mid": "|", "lVert": "‖", "rVert": "‖", "top": "ᵀ", "quad": " ", "qquad": " "},
    **dict.fromkeys(
        ["bar", "left", "mathbb", "mathcal", "mathrm", "operatorname", "right", "text"], ""
    ),
    **dict.fromkeys(["big", "Big", "bigg", "Bigg"], ""),  # how large a bracket is
}


@dataclass
class Entry:
    """What a reader may find: where it stands, what is shown of it, which words it holds."""

    kind: str
    title: str
    page: str
    anchor: str
    parent: str  # the title of the section around it, on the same page
    excerpt: str
    names: list[str]  # what else it is called
    words: list[str]  # of its text, without those of title, names and excerpt


def setup(app):
    files = (Path(__file__), *sorted(ALIASES.parent.glob("search_aliases*.toml")))
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
    # Part of the configuration, so that Sphinx writes every page again when it changes.
    app.add_config_value("search_extension_digest", digest, "html")
    app.search_entries = {}
    app.connect("builder-inited", leave_out_sphinx_s_index)
    app.connect("html-page-context", read_page)
    app.connect("build-finished", write_index)
    return {"parallel_read_safe": True, "parallel_write_safe": False}


def leave_out_sphinx_s_index(app) -> None:
    """Write the search page without the index that nothing asks for: 150 kB, a second."""
    if app.builder.format == "html":
        app.builder.search = False
        app.config.html_additional_pages["search"] = "search.html"


# -- Entries of a page ----------------------------------------------------------------------------


def read_page(app, pagename, templatename, context, doctree) -> None:
    if doctree is not None:
        numbers = numbers_of(app.env, pagename)
        app.search_entries[pagename] = list(entries(doctree, pagename, numbers))


def numbers_of(env, page: str) -> dict[tuple[str, str], str]:
    """Return the numbers of sections, figures and more on a page, by kind and anchor."""
    found = {
        ("section", anchor.removeprefix("#")): number
        for anchor, number in env.toc_secnumbers.get(page, {}).items()
    }
    for kind, numbered in env.toc_fignumbers.get(page, {}).items():
        found |= {(kind, anchor): number for anchor, number in numbered.items()}
    # Pages of the appendix have sections without a number.
    return {place: ".".join(map(str, number)) for place, number in found.items() if number}


def entries(doctree, page: str, numbers: dict) -> Iterator[Entry]:
    """Yield the entries of a page, whose doctree is resolved, in the order of the text."""
    for node in doctree.findall(nodes.Element):
        if any(map(is_answer, with_parents(node))):
            continue
        if is_titled(node):
            yield section_entry(node, page, numbers)
        elif isinstance(node, nodes.definition_list_item) and node[0]["ids"]:
            yield term_entry(node, page)
        elif isinstance(node, addnodes.desc) and node[0]["ids"]:
            yield library_entry(node, page)
        elif isinstance(node, nodes.citation):
            yield work_entry(node, page)
        elif isinstance(node, nodes.row) and is_symbol(node):
            yield symbol_entry(node, page)
        elif kind := NUMBERED.get(type(node).__name__):
            place = next(iter(node["ids"]), "")
            if number := numbers.get((kind, place)):
                yield numbered_entry(node, page, place, number)


def section_entry(node, page: str, numbers: dict) -> Entry:
    around = section_around(node)
    place = node["ids"][0] if around else ""
    title, is_exercise = text(node[0]), bool(around) and "exercises" in around["ids"]
    kind = "exercise" if is_exercise else "section" if around else "page"
    # A page of the reference is named after its module.
    if not around and list(node.findall(addnodes.desc)):
        kind = "name"
    # In Chinese a page or section is also called what it is in English.
    english = (place or page.rpartition("/")[2]).replace("-", " ")
    names = [english] if re.search(HAN, title) else []
    if number := numbers.get(("section", place)):
        words_for = tr("section {number}") if around else tr("chapter {number}")
        names = [words_for.format(number=number)]
    shown = [text(part) for part in node if isinstance(part, nodes.paragraph)]
    shown = " ".join(shown or prose(node, without=[nodes.table]))
    return entry(kind, title, page, place, around, shown, names, prose(node))


def term_entry(node, page: str) -> Entry:
    terms = [term for term in node if isinstance(term, nodes.term)]
    title, *names = map(text, terms)
    # In Chinese the English name stands in brackets behind the term.
    names += re.split("[（）]", title)[:2] if "（" in title else []
    definition = text(node[-1])
    return entry("term", title, page, terms[0]["ids"][0], None, definition, names)


def library_entry(node, page: str) -> Entry:
    place = node[0]["ids"][0]
    said = [text(part) for part in node[-1] if isinstance(part, nodes.paragraph)]
    return entry("name", place.removeprefix(LIBRARY), page, place, None, next(iter(said), ""))


def work_entry(node, page: str) -> Entry:
    return entry("work", title_of_work(node), page, node["ids"][0], None, text(node[-1]))


def symbol_entry(row, page: str) -> Entry:
    """Return the entry of a row of the notation: it is found by the symbol's name and in code."""
    around = section_around(row)
    symbol, code, *_, meaning, _ = map(text, row)
    formulas = " ".join(formula.astext() for formula in row[0].findall(nodes.math))
    spoken = [name for name in re.findall(r"\\([a-zA-Z]+)", formulas) if SYMBOLS.get(name)]
    names = [name for name in (" ".join(spoken), code) if name]
    return entry("symbol", symbol, page, around["ids"][0], around, meaning, names)


def numbered_entry(node, page: str, place: str, number: str) -> Entry:
    around, names, whole = section_around(node), [], []
    if isinstance(node, nodes.math_block):
        title, kind, whole = tr("Equation {number}").format(number=number), "equation", before(node)
        # The sentence that leads to it, and the formula if it fits into one line of text.
        led = [re.split(r"(?<=[.?]) |(?<=[。？])(?=.)", said)[-1] for said in whole]
        is_tall = re.search(r"\\(?:frac|underbrace|begin)", node.astext())
        shown = " ".join([*led, *([] if is_tall else [readable(node.astext())])])
    elif isinstance(node, nodes.figure):
        title, kind = tr("Figure {number}").format(number=number), "figure"
        shown = " ".join(map(text, node.findall(nodes.caption)))
    else:
        names = [tr("Exercise {number}").format(number=number), text(node[0]).strip("( )")]
        title, kind, shown = tr(": ").join(names), "exercise", " ".join(prose(node))
    return entry(kind, title, page, place, around, shown, names, whole)


def entry(kind, title, page, place, around, shown, names=(), whole=()) -> Entry:
    """Return an entry with an excerpt of what is to be shown, and the other words of the whole."""
    excerpt = shortened(shown, LONGEST_DEFINITION if kind == "term" else LONGEST)
    there = {*words(" ".join([title, excerpt, *names])), *COMMON.split()}
    more = sorted({word for part in (shown, *whole) for word in words(part)} - there)
    # The page is named beside each of its entries already.
    parent = title_of(around) if section_around(around) else ""
    return Entry(kind, title, page, place, parent, excerpt, list(names), more)


# -- What stands where ----------------------------------------------------------------------------


def with_parents(node) -> Iterator[nodes.Element]:
    while node is not None:
        yield node
        node = node.parent


def is_titled(node) -> bool:
    # Sphinx has sections without a title too, in exercises.
    return isinstance(node, nodes.section) and isinstance(node[0], nodes.title)


def is_answer(node) -> bool:
    return any(name in ANSWERS for name in node["classes"])


def is_symbol(row) -> bool:
    """Tell whether a row explains a symbol: of a table whose first column is headed so."""
    head = next(row.parent.parent.findall(nodes.thead), None)
    is_body = isinstance(row.parent, nodes.tbody)
    return is_body and head is not None and text(head[0][0]) == tr("Symbol") and bool(text(row[0]))


def section_around(node) -> nodes.section | None:
    return next(filter(is_titled, with_parents(node.parent)), None) if node else None


def title_of(section: nodes.section | None) -> str:
    return text(section[0]) if section else ""


def title_of_work(node) -> str:
    """Return the names of a work's authors, up to the first full stop that ends no initial."""
    authors = re.split(r"(?<=\w\w)\. ", text(node[-1]), maxsplit=1)[0]
    names = [name.split()[-1] for name in re.split(r", (?:and )?| and ", authors)]
    year = re.findall(r"(?<= )(?:19|20)\d\d(?=\.(?: |$))", text(node[-1]))[-1:]
    return " ".join([" and ".join(names) if len(names) < 3 else f"{names[0]} et al.", *year])


def before(node) -> list[str]:
    """Return the paragraph before an equation, if there is one."""
    above = node.parent[: node.parent.index(node)]
    return [text(part) for part in above if isinstance(part, nodes.paragraph)][-1:]


def prose(node, without=()) -> Iterator[str]:
    """Yield the paragraphs of a section, without code and what has an entry of its own."""
    for child in node.children:
        if isinstance(child, nodes.paragraph):
            yield text(child)
        elif isinstance(child, (*APART, *without)) or not isinstance(child, nodes.Element):
            continue
        elif not (is_titled(child) or is_answer(child) or "cell" in child["classes"]):
            if type(child).__name__ not in NUMBERED:
                yield from prose(child, without)


# -- Clean text -----------------------------------------------------------------------------------


def text(node) -> str:
    """Return what a node says, on one line, with its formulas in plain characters."""
    copy = node.deepcopy()
    for formula in list(copy.findall(nodes.math)):
        formula.replace_self(nodes.Text(readable(formula.astext())))
    for raw in list(copy.findall(nodes.raw)):
        raw.parent.remove(raw)
    return " ".join(copy.astext().split())


def readable(formula: str) -> str:
    """Return a formula in LaTeX as one would type it: q_φ(z | x)."""
    formula = re.sub(r"\\[td]?frac *(\{[^{}]*\}|\w) *(\{[^{}]*\}|\w)", r"\1/\2", formula)
    formula = re.sub(r"\\hat *(\w)", "\\1\N{COMBINING CIRCUMFLEX ACCENT}", formula)
    formula = re.sub(r"\\([a-zA-Z]+)", lambda found: SYMBOLS.get(found[1], found[1]), formula)
    formula = formula.replace(r"\|", "‖").replace("^2", "²")
    formula = re.sub(r"\\[^a-zA-Z]|[&~]", " ", formula)
    formula = re.sub(r"[{}]", "", formula)
    formula = re.sub(r"(?<=[(\[_^]) | (?=[)\]_^,])", "", formula)
    return " ".join(formula.split())


def words(said: str) -> list[str]:
    return [word for run in WORD.findall(said.lower()) for word in cut(run)]


def cut(run: str) -> list[str]:
    """Return the pairs of characters of a Chinese text, and any other word as it is."""
    if not re.match(HAN, run):
        return [run]
    parts = SILENT.sub(" ", run).split()
    return [pair for part in parts for pair in (map("".join, pairwise(part)) if part[1:] else part)]


# -- The index ------------------------------------------------------------------------------------


def write_index(app, exception) -> None:
    """Write the entries of all pages: of those just written, and of others as they were."""
    if exception or app.builder.format != "html":
        return
    kept = Path(app.doctreedir) / KEPT
    pages = json.loads(kept.read_text(encoding="utf-8")) if kept.is_file() else {}
    pages |= {page: list(map(asdict, found)) for page, found in app.search_entries.items()}
    if missing := app.env.found_docs - set(pages):
        raise ExtensionError(
            f"the search knows nothing of {', '.join(sorted(missing))}, which were written by an "
            f"earlier build. Remove {app.doctreedir} and build again."
        )
    pages = {page: pages[page] for page in sorted(app.env.found_docs)}
    kept.write_text(json.dumps(pages), encoding="utf-8")
    found = [Entry(**values) for page in pages.values() for values in page]
    aliases = aliases_in(app.env.config.language, found)
    values = index(found, page_labels(app.env), aliases)
    data = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
    path = Path(app.outdir) / INDEX
    path.parent.mkdir(parents=True, exist_ok=True)
    for theirs in SPHINX_S_OWN:
        (Path(app.outdir) / theirs).unlink(missing_ok=True)
    path.write_text(f"window.bookSearchIndex = {data};\n", encoding="utf-8")


def page_labels(env) -> dict[str, str]:
    """Return what each page is called beside a result: numbered, or after the page above it."""
    names = {page: title.astext() for page, title in env.titles.items()}
    above = {page: parent for parent, found in env.toctree_includes.items() for page in found}
    for page in names:
        if number := env.toc_secnumbers.get(page, {}).get(""):
            names[page] = tr("Chapter {number}: {title}").format(
                number=number[0], title=names[page]
            )
        elif above.get(page, env.config.root_doc) != env.config.root_doc:
            names[page] = tr("{part}: {title}").format(part=names[above[page]], title=names[page])
    return {page: names[page] for page in sorted(names)}


def aliases_in(language: str, found: list[Entry]) -> dict[str, str]:
    """Return other names for what is found: those for the language count, then the English ones."""
    own = ALIASES.with_suffix(f".{language}.toml")
    aliases = tomllib.loads(ALIASES.read_text(encoding="utf-8"))
    if not own.is_file():
        check_aliases(aliases, found)
        return aliases
    known = known_words(found)
    aliases = {alias: meant for alias, meant in aliases.items() if known.issuperset(words(meant))}
    theirs = tomllib.loads(own.read_text(encoding="utf-8"))
    check_aliases(theirs, found)
    return aliases | theirs


def known_words(found: list[Entry]) -> set[str]:
    return {word for one in found for name in (one.title, *one.names) for word in words(name)}


def check_aliases(aliases: dict[str, str], found: list[Entry]) -> None:
    """Stop if an alias leads to words that no title has."""
    known = known_words(found)
    for alias, meant in aliases.items():
        if unknown := [word for word in words(meant) if word not in known]:
            raise ExtensionError(
                f"{ALIASES.name} lets {alias!r} stand for {meant!r}, but no title in the book has "
                f"the word {unknown[0]!r}. Take the words of a title or a term of the glossary."
            )


def words_of(found: list[Entry]) -> Callable[[str], bool]:
    """Return what tells a Chinese word from two characters that happen to stand side by side.

    One of the two is seldom without the other; the index would be half as large again otherwise.
    """
    everything = (
        {
            *one.words,
            *(word for said in (one.title, one.excerpt, *one.names) for word in words(said)),
        }
        for one in found
    )
    pairs, letters = Counter(), Counter()
    for there in everything:
        chinese = [word for word in there if len(word) == 2 and re.match(HAN, word)]
        pairs.update(chinese)
        letters.update({letter for pair in chinese for letter in pair})

    def is_word(word: str) -> bool:
        if not re.match(HAN, word):
            return True
        return pairs[word] > 1 and pairs[word] >= TOGETHER * min(map(letters.__getitem__, word))

    return is_word


def index(found: list[Entry], labels: dict[str, str], aliases: dict[str, str]) -> dict:
    """Return what the page searches in; words that no excerpt shows are numbers in a list of them.

    The numbers of an entry are in their order, each less the one before it, which is short.
    """
    is_word = words_of(found)
    kept = [list(filter(is_word, one.words)) for one in found]
    counted = Counter(word for of_entry in kept for word in of_entry)
    vocabulary = [word for word, _ in counted.most_common()]
    number = {word: place for place, word in enumerate(vocabulary)}
    pages = list(labels)
    rows = []
    for one, of_entry in zip(found, kept, strict=True):
        places = sorted(number[word] for word in of_entry)
        steps = [after - before for before, after in pairwise([0, *places])]
        row = [one.kind, one.title, pages.index(one.page), one.anchor, one.parent, one.excerpt]
        rows.append([*row, one.names, steps])
    return {
        "pages": list(labels.items()),
        "aliases": aliases,
        "common": " ".join([*COMMON.split(), *COMMON_IN_CHINESE.split()]),
        "vocabulary": " ".join(vocabulary),
        "entries": rows,
    }
