"""What LaTeX needs to print the book: order of chapters, folded blocks, table widths, index.

Sphinx loads this file (see `_config.yml`). Everything here acts on the LaTeX builder only; the look
of the pages is in `print.sty` beside it. What Chinese needs besides is in
`print_chinese_extension.py` and `print_chinese.sty`.
"""

import re
from string import ascii_lowercase

from docutils import nodes
from patches import Patches
from site_words import tr
from sphinx import addnodes
from sphinx.transforms.post_transforms import SphinxPostTransform

# What the library's docstrings say, which `help` shows beside the code, is not printed.
WEBSITE_ONLY = "book/api/"
# About so many letters of the text font fit side by side into a table across the page.
LINE = 84
# A column of so many letters is not broken; so many are lost between two columns.
SHORT, GAP = 12, 3
# What only leads on in a browser.
BUTTONS = {"book-buttons", "sd-card-footer"}


def latex(source):
    return nodes.raw("", source, format="latex")


class PrintTransform(SphinxPostTransform):
    default_priority = 60
    formats = ("latex",)

    def note(self, places: int = 1) -> None:
        """Count what was found: nothing in all of the book would mean that its form has changed."""
        self.app.print_patches.note(type(self).__name__, places)


class Chapters(PrintTransform):
    """Make the landing page a preface, and announce each part of the table of contents.

    Sphinx would make each section of the landing page a chapter of its own.
    """

    def run(self, **kwargs):
        book = self.document.next_node(nodes.section)
        parts = [node for node in book.children if "toctree-wrapper" in node.get("classes", [])]
        prose = [node for node in book.children[1:] if node not in parts]
        trees = self.env.get_doctree(self.config.root_doc).findall(addnodes.toctree)
        book.children[1:] = []
        book += latex(r"\bookpreface")
        book += nodes.section("", nodes.title("", tr("About this book")), *prose, ids=["preface"])
        self.note(len(parts))
        for part, tree in zip(parts, trees, strict=True):
            command = r"\bookchapters" if tree["numbered"] else r"\bookappendix"
            book += [latex(f"{command}{{{tree['caption']}}}"), part]


class Reference(PrintTransform):
    """Leave out the pages of the library's reference."""

    def run(self, **kwargs):
        pages = self.document.findall(addnodes.start_of_file)
        ours = [page for page in pages if page["docname"].startswith(WEBSITE_ONLY)]
        for page in ours:
            if page.parent is not None:
                page.parent.remove(page)
        self.note(len(ours))


class Buttons(PrintTransform):
    """Leave out buttons, also those below a card."""

    def run(self, **kwargs):
        for container in list(self.document.findall(nodes.container)):
            if BUTTONS & set(container["classes"]):
                container.parent.remove(container)
                self.note()


class FoldedBlocks(PrintTransform):
    """Print what the website folds away: the title in bold, the content below it."""

    default_priority = 61  # after the quizzes, which fold their options

    def run(self, **kwargs):
        for block in list(self.document.findall(is_dropdown)):
            title, body = title_and_body(block)
            block.replace_self([heading(*title.children), indented(*body, ids=title["ids"])])
            self.note()


class Quizzes(PrintTransform):
    """Print a question's options as a list, and the answers to them after the last question."""

    def run(self, **kwargs):
        for section in list(self.document.findall(nodes.section)):
            options = [node for node in section.children if is_option(node)]
            if options:
                print_quiz(section, options)
                self.note()
        for box in list(self.document.findall(nodes.admonition)):
            options = [node for node in box.children if is_option(node)]
            if options:
                print_options(box, options)
                self.note()


def print_options(box, options):
    """A question in the text has its answers below it."""
    answers = []
    for letter, option in zip(ascii_lowercase, options, strict=False):
        title, body = title_and_body(option)
        body[0].insert(0, nodes.Text(f"({letter}) "))
        answers.extend(body)
        option.replace_self(indented(nodes.paragraph("", f"({letter}) ", *title.children)))
    box += [heading(nodes.Text(tr("Answers"))), indented(*answers)]


def print_quiz(section, options):
    answers, letters, number = [], iter(()), 0
    first = [option for option in options if not is_option(previous(option))]
    for option in options:
        if option in first:
            letters, number = iter(ascii_lowercase), number + 1
            answers.append(
                nodes.paragraph(
                    "", "", nodes.strong("", tr("Question {number}").format(number=number))
                )
            )
        label = f"({next(letters)}) "
        title, body = title_and_body(option)
        body[0].insert(0, nodes.Text(label))
        answers.extend(body)
        option.replace_self(indented(nodes.paragraph("", label, *title.children)))
    section += [heading(nodes.Text(tr("Answers"))), indented(*answers)]


class HiddenInputs(PrintTransform):
    """Leave out code that the website shows only on request: it draws, and teaches nothing."""

    def run(self, **kwargs):
        for cell in self.document.findall(nodes.container):
            if "tag_hide-input" in cell["classes"]:
                kept = [c for c in cell.children if "cell_input" not in c["classes"]]
                self.note(len(cell.children) - len(kept))
                cell.children = kept


class TableWidths(PrintTransform):
    """Share the page's width among the columns of a wide table by what stands in them."""

    def run(self, **kwargs):
        for table in list(self.document.findall(nodes.table)):
            columns = list(zip(*(row.children for row in table.findall(nodes.row)), strict=True))
            natural = [max(map(letters_in, column)) for column in columns]
            if sum(natural) + 2 * len(columns) > LINE:
                spec = "".join(rf"\bookcolumn{{{share:.3f}}}" for share in shares(columns, natural))
                place = table.parent.index(table)
                table.parent.insert(place, addnodes.tabular_col_spec(spec=spec))
                self.note()


def shares(columns, natural):
    """A column gets its longest word, or all if that is little; the rest goes where more is."""
    longest = [max(map(longest_word, column)) for column in columns]
    narrowest = [max(w, min(n, SHORT)) + GAP for w, n in zip(longest, natural, strict=True)]
    wanted = [max(0, n - w) ** 0.7 for n, w in zip(natural, narrowest, strict=True)]
    rest = max(0, LINE - sum(narrowest)) / (sum(wanted) or 1)
    widths = [w + rest * more for w, more in zip(narrowest, wanted, strict=True)]
    return [width / sum(widths) for width in widths]


def letters_in(entry):
    return sum(map(len, words(entry)))


def longest_word(entry):
    return max(map(len, words(entry)), default=1)


def words(entry):
    """Return what no line can break; code is wider than text, a formula shorter than its source."""
    found = []
    for node in entry.findall(nodes.Text):
        if isinstance(node.parent, nodes.math):
            formula = re.sub(r"\\(text|math\w+|operatorname)\b", "", node)
            formula = re.sub(r"\\[a-zA-Z]+", "w", formula)
            found.append(re.sub(r"[{}_^ ]", "", formula))
        elif isinstance(node.parent, nodes.literal):
            found += [part + "mm" for part in re.findall(r"[^_,. (]+[_,. (]?", node)]
        else:
            # Lines may break at each Chinese character, which is as wide as two letters.
            found += [part * 2 if part > "\u2e80" else part for part in WORD.findall(node)]
    return found


WORD = re.compile(r"[\u2e80-\uffef]|[^\s\u2e80-\uffef]+\s?")


class Index(PrintTransform):
    """Note in the index where a term of the glossary is used, and not only where it is defined."""

    default_priority = 5  # before Sphinx turns the references into links

    def run(self, **kwargs):
        objects = self.env.domains["std"].objects
        terms = {name.lower(): name for kind, name in objects if kind == "term"}
        for reference in list(self.document.findall(addnodes.pending_xref)):
            term = terms.get(reference["reftarget"].lower())
            if reference["reftype"] == "term" and term and not in_moving_text(reference):
                place = reference.parent.index(reference) + 1
                entry = ("single", term, "", "", None)
                reference.parent.insert(place, addnodes.index(entries=[entry]))
                self.note()


def in_moving_text(node):
    """Captions and titles are printed in more than one place."""
    while node is not None and not isinstance(node, nodes.section):
        if isinstance(node, nodes.caption | nodes.title | nodes.table):
            return True
        node = node.parent
    return False


def is_dropdown(node):
    return isinstance(node, nodes.container) and node.get("design_component") == "dropdown"


def is_option(node):
    return is_dropdown(node) and "quiz-option" in node["container_classes"]


def previous(node):
    place = node.parent.index(node)
    return node.parent[place - 1] if place else None


def title_and_body(block):
    if isinstance(block[0], nodes.rubric):
        return block[0], block[1:]
    return nodes.rubric("", tr("More")), block.children


def heading(*children):
    return nodes.paragraph("", "", latex(r"\foldtitle{"), *children, latex("}"))


def indented(*children, ids=()):
    return nodes.container("", *children, classes=["print-fold"], ids=list(ids))


def date_the_title_page(app, config):
    """Put the year of the copyright on the title page, not the day of printing."""
    config.today = config.copyright


def check_patches(app, exception):
    if not exception and app.builder.format == "latex":
        app.print_patches.check()


def setup(app):
    transforms = (
        Chapters,
        Reference,
        Buttons,
        FoldedBlocks,
        Quizzes,
        HiddenInputs,
        TableWidths,
        Index,
    )
    for transform in transforms:
        app.add_post_transform(transform)
    app.print_patches = Patches(*(transform.__name__ for transform in transforms))
    app.connect("config-inited", date_the_title_page)
    app.connect("build-finished", check_patches)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
