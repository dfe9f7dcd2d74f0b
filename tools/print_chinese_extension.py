"""What the printed edition needs in Chinese besides print_extension.py: its style, its index.

Only the tree that tools/translate.py writes loads this file.
"""

import re
from pathlib import Path

from docutils import nodes
from print_extension import PrintTransform, latex
from sphinx import addnodes
from sphinx_exercise.nodes import is_extension_node as is_exercise

BRACKETS = {" (": "（", ")": "）"}
# GB 2312 has its first 3755 characters in the order of pinyin. With these a letter begins; no
# syllable begins with I, U or V.
LETTERS = zip(
    "ABCDEFGHJKLMNOPQRSTWXYZ", "啊芭擦搭蛾发噶哈击喀垃妈拿哦啪期然撒塌挖昔压匝", strict=True
)
BEGINNINGS = {letter: begin.encode("gb18030") for letter, begin in LETTERS}
LAST = "座".encode("gb18030")
# What is read otherwise than it is sorted there.
READ_AS = {"重参": "虫参"}


class ExerciseTitles(PrintTransform):
    """Set the titles of exercises and solutions with Chinese brackets, and a colon in between."""

    default_priority = 65  # after sphinx-exercise has made them

    def run(self, **kwargs):
        for box in self.document.findall(is_exercise):
            for text in list(box[0].findall(nodes.Text)):
                said = BRACKETS.get(str(text)) or text.replace(" 练习", "：练习")
                text.parent.replace(text, nodes.Text(said))
                self.note(said != text)


class Pinyin(PrintTransform):
    """Let makeindex sort Chinese by its sound, below the letter that it begins with."""

    default_priority = 900  # when all entries are there

    def run(self, **kwargs):
        for index in list(self.document.findall(addnodes.index)):
            entries = [entry for entry in index["entries"] if entry[0] == "single"]
            if entries and len(entries) == len(index["entries"]):
                index.replace_self([latex(index_entry(*entry)) for entry in entries])
                self.note(len(entries))


def index_entry(kind, term, target, main, key):
    # What makeindex would take for its own.
    said = re.sub(r'([!@|"])', r'"\1', term)
    return rf"\index{{{sort_key(term)}@\spxentry{{{said}}}{'|spxpagem' if main else ''}}}"


def sort_key(term):
    """Return what a term is sorted by, in letters and digits that makeindex knows."""
    for written, read in READ_AS.items():
        term = term.replace(written, read)
    code = term[0].encode("gb18030")
    rest = "".join(letter.encode("gb18030").hex() for letter in term)
    if BEGINNINGS["A"] <= code <= LAST:
        letter = max(name for name, begin in BEGINNINGS.items() if begin <= code).lower()
        return f"{letter}0{rest}"  # before words in Latin letters
    return re.sub(r"[^a-z]", "", term.lower()) + rest


def speak(app, config):
    """Load xeCJK as early as it wants, and what else Chinese needs behind print.sty."""
    config.latex_elements["fontenc"] += r"\usepackage{xeCJK}"
    config.latex_elements["preamble"] += r"\usepackage{print_chinese}"
    config.latex_additional_files.append(str(Path(__file__).with_name("print_chinese.sty")))


def setup(app):
    for transform in (ExerciseTitles, Pinyin):
        app.add_post_transform(transform)
        app.print_patches.found[transform.__name__] = 0
    app.connect("config-inited", speak)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
