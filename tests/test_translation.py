"""The Chinese edition: pages are cut without loss, and no catalogue says what its page does not."""

import json
import re

import copy_rules
import copy_words
import make_classroom
import make_colab
import nbformat
import numpy as np
import place_exercises
import pytest
import translate
from babel.messages.catalog import Catalog
from docutils import nodes
from print_chinese_extension import index_entry, sort_key
from print_extension import words
from publishing import Publication
from translate import ROOT, SITE, load, missing, out_of_step, pages, refused, templates, terms
from translation_blocks import put_together, split, translated
from translation_extension import text_of
from translation_rules import faults

# A page comes into this list when it is translated, and then stays whole: all are.
FINISHED = sorted(templates())
TERM = re.compile(r"\{term\}`(?:[^`<]*<)?([^`<>]+)>?`")


# -- Pages in pieces ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", pages())
def test_a_page_comes_back_as_it_was(name):
    path = pages()[name]
    source = path.read_text(encoding="utf-8")
    assert translated(path.name, source, lambda one: one.message) == source
    assert translated(path.name, source, lambda one: "") == source


@pytest.mark.parametrize("name", pages())
def test_a_translated_page_has_the_same_pieces(name):
    path = pages()[name]
    source = path.read_text(encoding="utf-8")
    other = translated(path.name, source, lambda one: f"{one.message} QED")
    before = list(translate.messages(path.name, source))
    after = list(translate.messages(path.name, other))
    assert [(cell, one.kind) for cell, one in after] == [(cell, one.kind) for cell, one in before]
    assert [one.message for _, one in after] == [f"{one.message} QED" for _, one in before]


PAGE = """---
title: no message
---

(a-label)=
# A *heading*

A paragraph
on two lines, with `code`.

::::{admonition} Predict first
:class: predict

**A question?**

:::{dropdown} The answer
:class-container: quiz-option
- An item
  that goes on
- $x$
:::
::::

```{figure} images/a.png
:name: fig-a
:alt: What is to be seen.

A caption.
```

```python
print("no message")
```

| Head | $x$ |
|:--|--:|
| A cell | `code` |

$$ p = \\text{some words} + 1 $$ (eq-a)

```{raw} html
<noscript><p>Scripts are off.</p></noscript>
```

```{glossary}
a term
  What it means.
```
"""


def test_each_kind_of_message_is_found_and_nothing_else():
    found = [(one.kind, one.message) for one in split(PAGE) if one.message]
    assert found == [
        ("heading", "A *heading*"),
        ("paragraph", "A paragraph on two lines, with `code`."),
        ("title (admonition)", "Predict first"),
        ("paragraph", "**A question?**"),
        ("title (dropdown)", "The answer"),
        ("list item", "An item that goes on"),
        ("alt text", "What is to be seen."),
        ("caption", "A caption."),
        ("cell of a table", "Head"),
        ("cell of a table", "A cell"),
        ("words in a formula", "some words"),
        ("without scripts", "Scripts are off."),
        ("term", "a term"),
        ("paragraph", "What it means."),
    ]


def test_a_translation_takes_the_place_of_its_message_alone():
    known = {"A paragraph on two lines, with `code`.": "一段 `code`。", "A cell": "一格"}
    text = put_together(split(PAGE), lambda one: known.get(one.message, ""))
    changed = PAGE.replace("A paragraph\non two lines, with `code`.", "一段 `code`。")
    assert text == changed.replace("| A cell |", "| 一格 |")


# -- Catalogues -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", templates())
def test_a_catalogue_is_in_step_with_its_page(name):
    catalogue = load(name)
    assert out_of_step(name, catalogue) == [], "run: python tools/translate.py --update"
    here = [(message.context, message.id) for message in catalogue if message.id]
    assert here == list(templates()[name])
    assert translate.path_of(name).read_bytes() == translate.text_of(catalogue, name)


def test_no_catalogue_is_left_over():
    there = {path.stem for path in translate.LOCALE.glob("*.po")}
    assert there - translate.OTHERS == set(templates())


@pytest.mark.parametrize("name", templates())
def test_no_translation_breaks_a_rule(name):
    assert dict(refused(name, load(name))) == {}


@pytest.mark.parametrize("name", FINISHED)
def test_a_finished_page_is_whole(name):
    assert missing(load(name)) == []


def test_every_term_has_its_own_chinese():
    for path in pages().values():
        source = path.read_text(encoding="utf-8")
        for term in TERM.findall(" ".join(source.split())):
            assert term.casefold() in terms(), term
    shared = [name for name in terms().values() if list(terms().values()).count(name) > 1]
    assert shared == [terms()["latent variable"], terms()["latent"]]


def test_a_changed_sentence_is_no_longer_translated(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(translate, "LOCALE", tmp_path)
    monkeypatch.setattr(translate, "ROOT", tmp_path)
    wanted = {"page": {(None, "It rains in the town."): (["page.md"], ["paragraph"])}}
    monkeypatch.setattr(translate, "templates", lambda: wanted)
    translate.update()
    rows = tmp_path / "rows.json"
    rows.write_text(json.dumps([{"id": "It rains in the town.", "str": "城里下雨。"}]))
    assert translate.bring_in("page", rows) is False
    assert missing(load("page")) == []
    wanted["page"] = {(None, "It rains in the towns."): (["page.md"], ["paragraph"])}
    assert translate.report(["page"]) is True
    assert "out of step" in capsys.readouterr().out
    translate.update()
    assert missing(load("page")) == ["It rains in the towns."]
    [message] = [message for message in load("page") if message.id]
    assert message.fuzzy and message.string == "城里下雨。"


def test_a_moved_sentence_takes_its_translation_along(tmp_path, monkeypatch):
    monkeypatch.setattr(translate, "LOCALE", tmp_path)
    one = {(None, "It rains."): (["a.md"], ["paragraph"])}
    wanted = {"a": one, "b": {}}
    monkeypatch.setattr(translate, "templates", lambda: wanted)
    catalogue = Catalog(locale="zh_CN")
    catalogue.add("It rains.", "下雨了。")
    translate.save(catalogue, "a")
    wanted |= {"a": {}, "b": one}
    translate.update()
    assert [m.string for m in load("b") if m.id] == ["下雨了。"]
    assert [m for m in load("a") if m.id] == []


# -- Rules ----------------------------------------------------------------------------------------

TERMS = {"gallery": "图库", "kl divergence": "KL 散度"}
SOURCE = (
    "The {term}`gallery` has 4,500 images, see [chapter 1](background.ipynb), `len(gallery)`, "
    "$x^2$, {ref}`a figure <fig-a>` and {cite:p}`a2000b`."
)
GOOD = (
    "{term}`图库`有 4,500 张图像，见[第 1 章](background.ipynb)、`len(gallery)`、$x^2$、"
    "{ref}`一幅图 <fig-a>`和 {cite:p}`a2000b`。"
)


def found(message, source=SOURCE, kind="paragraph"):
    return list(faults(source, message, kind, TERMS))


def test_a_good_translation_passes():
    assert found(GOOD) == []
    assert found(GOOD.replace("{term}`图库`", "{term}`图像库 <图库>`")) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("4,500", "4,600", "number missing: 4,500"),
        ("4,500 张", "许多", "number missing: 4,500"),
        ("background.ipynb", "elbo.ipynb", "link missing: background.ipynb"),
        ("len(gallery)", "len(图库)", "code missing: len(gallery)"),
        ("$x^2$", "$x^3$", "formula missing: x^2"),
        ("fig-a", "fig-b", "role missing: {ref} to fig-a"),
        ("a2000b", "a2001b", "role missing: {cite:p}`a2000b`"),
        ("{term}`图库`", "图库", "term missing: write {term}`图库`"),
        ("{term}`图库`", "{term}`画廊`", "term that the source does not name here: 画廊"),
        ("，", ",", "half-width punctuation"),
        ("{cite:p}`a2000b`。", "{cite:p}`a2000b`。 ", "a line break, or a space at an end"),
        ("有 4,500", "有4,500", "no space between Chinese and Latin"),
        ("4,500 张", "4,500张", "no space between Latin"),
        ("，见", "， 见", "a space beside full-width punctuation"),
        ("张图像", "张 图像", "a space between two Chinese characters"),
        ("图像，", "圖像，", "a character that simplified Chinese does not have: 圖"),
        ("图像，", "图像！", "an exclamation mark"),
        ("图像，", "图像(好)，", "half-width brackets"),
        ("图像，", '"图像"，', "half-width quotation marks"),
        ("图像，", "潜在变量的图像，", "潜在变量: the glossary has 潜变量"),
        ("图像，", "**图像。**好，", "a * that ends no emphasis"),
    ],
)
def test_each_fault_is_named(old, new, said):
    assert old in GOOD
    assert any(fault.startswith(said) for fault in found(GOOD.replace(old, new))), new


def test_what_is_not_chinese_is_named():
    source = "This is a whole sentence of the page."
    assert found(source, source) == ["it is not Chinese"]
    assert found("HOG", "HOG") == []


def test_what_would_become_a_list_is_named():
    assert found("1. 图像", "One image") != []
    assert found("- 图像", "An image") == [
        "it begins like a list, a heading, a table or a quotation"
    ]


def test_a_term_without_chinese_is_named():
    assert (
        found("{term}`先验`。", "{term}`prior`.")[0]
        == "the glossary has no Chinese for {term}`prior`"
    )


# -- The tree -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    folder = tmp_path_factory.mktemp("edition") / "tree"
    translate.build(folder)
    return folder


def test_the_tree_is_the_book_in_its_words(tree):
    text = (tree / "book/journey.md").read_text(encoding="utf-8")
    assert "# 一次查询的旅程" in text and "gallery" not in text.replace("（gallery）", "")
    for path in pages().values():
        if path.suffix == ".ipynb":
            here, there = (
                json.loads(p.read_text(encoding="utf-8"))["cells"]
                for p in (path, tree / path.relative_to(ROOT))
            )
            kinds = [("code", "source"), ("code", "outputs")]
            for kind, key in kinds:
                wanted = [cell[key] for cell in here if cell["cell_type"] == kind]
                assert [cell[key] for cell in there if cell["cell_type"] == kind] == wanted
    configuration = (tree / "_config.yml").read_text(encoding="utf-8")
    assert "language: zh_CN" in configuration
    assert load(SITE).get("Search this book").string in configuration
    # What Sphinx need not read again keeps its time; what no longer belongs goes.
    (tree / "book/old.md").write_text("")
    old_page = (tree / "book/old.md").stat().st_mtime_ns
    old = [(path, path.stat().st_mtime_ns) for path in sorted((tree / "book").rglob("*.*"))]
    translate.build(tree)
    new = [(path, path.stat().st_mtime_ns) for path in sorted((tree / "book").rglob("*.*"))]
    assert [one for one in old if one not in new] == [(tree / "book/old.md", old_page)]


def test_a_stranger_s_folder_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(FileExistsError, match="has not written"):
        translate.build(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize(
    ("term", "letter"),
    [
        ("ELBO", "E"),
        ("啊", "A"),
        ("解码器", "J"),
        ("似然", "S"),
        ("座", "Z"),
        ("重参数化技巧", "C"),
    ],
)
def test_the_printed_index_has_a_term_below_the_letter_of_its_sound(term, letter):
    assert sort_key(term)[0].upper() == letter
    assert re.fullmatch("[a-z0-9]+", sort_key(term))


def test_the_printed_index_is_in_the_order_of_pinyin():
    terms = ["编码器", "变分自编码器", "beta-VAE", "后验", "后验均值", "检索", "解码器", "先验"]
    assert sorted(terms, key=sort_key) == terms
    assert index_entry("single", "召回率@k", "", "", None).endswith('@\\spxentry{召回率"@k}}')


def test_in_print_a_line_of_chinese_may_break_at_each_character():
    paragraph = nodes.paragraph("", "用 VAE 检索")
    assert words(paragraph) == ["用用", "VAE ", "检检", "索索"]
    assert words(nodes.paragraph("", "two words")) == ["two ", "words"]


@pytest.fixture
def speaking_chinese():
    copy_words.speak("zh_CN")
    yield
    copy_words.speak("en")


@pytest.mark.usefixtures("speaking_chinese")
def test_copies_speak_the_language_of_their_edition(tree):
    path = tree / "book/elbo.ipynb"
    source = make_colab.Source(Publication("ada/book", url="https://a.org/").below("zh_CN"))
    published = {cell.id: cell.source for cell in make_colab.variant(path, source).cells}
    assert 'VAE_TUTORIAL_LANGUAGE"] = "zh_CN"' in published["language"]
    assert (
        "[在 Colab 中打开](https://colab.research.google.com/github/ada/book/blob/colab/zh/elbo"
        in (published["elbo-000"])
    )
    english = json.loads((ROOT / "book/elbo.ipynb").read_text(encoding="utf-8"))["cells"]
    solutions = [cell["id"] for cell in english if cell["id"].startswith("solution-")]
    assert solutions and all("<summary>解答" in published[name] for name in solutions)
    student = make_classroom.copy_of(path, "student")
    assert student.cells[1].source == published["language"]
    assert not any("解答" in cell.source for cell in student.cells)
    teacher = make_classroom.copy_of(path, "instructor")
    assert sum("**供批改参考**" in cell.source for cell in teacher.cells) == len(solutions)


@pytest.mark.usefixtures("speaking_chinese")
def test_chinese_copies_have_the_page_s_code_and_their_checks_answer_in_chinese(tree, monkeypatch):
    """What costs no run; tests/chinese_copy_runs.py runs each copy whole."""
    monkeypatch.setenv("VAE_TUTORIAL_LANGUAGE", "zh_CN")
    for page in place_exercises.pages():
        original = nbformat.read(tree / f"book/{page}.ipynb", as_version=4)
        copy = make_classroom.copy_of(tree / f"book/{page}.ipynb", "student")
        assert copy.cells.pop(1).id == "language"
        assert copy_rules.rule_the_code_is_the_page_s(original, copy) == []
        assert copy_rules.rule_stubs_are_the_page_s(original, copy) == []
        space = {"np": np}
        for name, pair in copy_rules.graded_pairs(copy).items():
            assert copy_rules.said_of(*pair, space) == (f"{name}：尚未作答\n", "0")


def test_english_copies_have_no_cell_for_their_language():
    assert copy_words.language_cell() == ""
    assert copy_words.tr("Solution") == "Solution"


@pytest.mark.usefixtures("speaking_chinese")
def test_a_link_without_words_takes_the_page_s_title_in_its_language():
    assert copy_words.tr("Glossary") == "术语表"


@pytest.mark.parametrize(
    ("heading", "said"),
    [
        ("A *query*'s `journey`", "A query's journey"),
        ("With $x$ and {term}`views <view>`", "With x and views"),
        ("[A link](page.md)", "A link"),
    ],
)
def test_a_heading_is_read_as_docutils_reads_it(heading, said):
    assert text_of(heading) == said
