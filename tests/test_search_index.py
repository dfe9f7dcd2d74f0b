"""The index of the search: what becomes an entry, what is shown of it, and what is left out."""

from types import SimpleNamespace

import pytest
import search_extension
from docutils import nodes
from docutils.utils import new_document
from search_extension import (
    Entry,
    check_aliases,
    entries,
    index,
    readable,
    title_of_work,
    words,
    write_index,
)
from sphinx.errors import ExtensionError


def paragraph(*parts) -> nodes.paragraph:
    return nodes.paragraph("", "", *(nodes.Text(p) if isinstance(p, str) else p for p in parts))


def section(title: str, *children, place="here") -> nodes.section:
    return nodes.section("", nodes.title(title, title), *children, ids=[place])


def found_in(*children, numbers=None) -> list[Entry]:
    document = new_document("page")
    document += section("The page", *children, place="the-page")
    return list(entries(document, "book/page", numbers or {}))


# -- Entries --------------------------------------------------------------------------------------


def test_a_section_has_its_prose_and_neither_code_nor_its_sections():
    code = nodes.literal_block("secret = 1", "secret = 1")
    cell = nodes.container("", paragraph("printed"), classes=["cell"])
    inner = section("Inner", paragraph("Deeper."), place="inner")
    page, outer, within = found_in(section("Outer", paragraph("Said."), code, cell, inner))
    assert (page.kind, page.anchor, page.parent) == ("page", "", "")
    assert (outer.title, outer.anchor, outer.excerpt) == ("Outer", "here", "Said.")
    # The page is named beside its sections anyway.
    assert (outer.parent, within.parent) == ("", "Outer")
    assert "secret" not in f"{outer}{page}" and "printed" not in f"{outer}{page}"
    assert "deeper" not in outer.words


def test_what_the_excerpt_does_not_show_is_still_found():
    long = "A first sentence that is long enough to be shown alone, and then some more of it. " * 2
    _, found = found_in(
        section("Title", paragraph(long, "Then a zebra comes along."), paragraph("And lions."))
    )
    assert found.excerpt.endswith(".") and len(found.excerpt) <= 180
    assert "zebra" in found.words and "lions" in found.words
    assert not {"a", "and", "sentence", "title"} & set(found.words)


def test_a_list_is_shown_where_there_is_no_text():
    items = nodes.bullet_list("", nodes.list_item("", paragraph("Apples")))
    _, with_text, without = found_in(
        section("One", items.deepcopy(), paragraph("Text.")), section("Two", items)
    )
    assert with_text.excerpt == "Text." and with_text.words == ["apples"]
    assert without.excerpt == "Apples"


def test_a_table_is_found_and_not_shown():
    table = nodes.table("", nodes.entry("", paragraph("Apples")))
    _, found = found_in(section("One", table))
    assert (found.excerpt, found.words) == ("", ["apples"])


@pytest.mark.parametrize("answer", ["quiz-option", "solution", "sd-dropdown"])
def test_an_answer_is_not_found(answer):
    hidden = nodes.container("", paragraph("It is 42."), classes=[answer])
    assert "42" not in str(found_in(section("Quiz", hidden)))


def test_sections_and_chapters_are_found_by_their_number():
    numbers = {("section", ""): "2", ("section", "here"): "2.9"}
    page, inner = found_in(section("Inner"), numbers=numbers)
    assert page.names == ["chapter 2"] and inner.names == ["section 2.9"]


def test_what_stands_under_exercises_is_an_exercise():
    inner = section("Bits", paragraph("Count them."), place="bits")
    found = found_in(section("Exercises", inner, place="exercises"))
    assert [(one.kind, one.title) for one in found[1:]] == [
        ("section", "Exercises"),
        ("exercise", "Bits"),
    ]


def test_a_term_has_all_of_its_names_and_its_definition():
    terms = [nodes.term(name, name, ids=[f"term-{name}"]) for name in ("Long", "L")]
    definition = nodes.definition("", paragraph("Not short."))
    item = nodes.definition_list_item("", *terms, definition)
    _, found = found_in(nodes.definition_list("", item))
    assert (found.kind, found.title, found.names) == ("term", "Long", ["L"])
    assert (found.anchor, found.excerpt) == ("term-Long", "Not short.")


def test_an_equation_has_its_number_and_the_sentence_that_leads_to_it():
    equation = nodes.math_block("", r"z = \mu + \sigma \odot \epsilon", ids=["eq"], label="eq")
    numbers = {("displaymath", "eq"): "2.20"}
    _, _, found = found_in(
        section("Draws", paragraph("One. Two leads on:"), equation), numbers=numbers
    )
    assert (found.kind, found.title, found.parent) == ("equation", "Equation 2.20", "Draws")
    assert found.excerpt == "Two leads on: z = μ + \N{GREEK SMALL LETTER SIGMA} ⊙ ϵ"
    assert found.words == ["one"]


def test_a_figure_has_its_number_and_its_caption():
    figure = nodes.figure("", nodes.caption("", "Ten digits."), ids=["fig"])
    _, found = found_in(figure, numbers={("figure", "fig"): "1.2"})
    assert (found.title, found.excerpt) == ("Figure 1.2", "Ten digits.")


# -- Text -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        (r"q_\theta(z \mid x)", "q_θ(z | x)"),
        (r"D_{KL}[q \,\|\, p]", "D_KL[q ‖ p]"),
        (r"\tfrac12 \log \sigma^2", "1/2 log σ²"),
        (r"\mathcal N(0, I)", "N(0, I)"),
        (r"\mathbb E_q[\log p]", "E_q[log p]"),
        (r"\hat x", "x\N{COMBINING CIRCUMFLEX ACCENT}"),
    ],
)
def test_a_formula_becomes_what_one_would_type(formula, text):
    assert readable(formula) == text


def test_formulas_stand_in_their_sentence():
    formula = nodes.math("", r"\beta")
    _, found = found_in(section("Beta", paragraph("A factor ", formula, " of the KL term.")))
    assert found.excerpt == "A factor β of the KL term."


@pytest.mark.parametrize(
    ("text", "title"),
    [
        (
            "Diederik P. Kingma and Max Welling. Title. 2014. arXiv:1312.6114.",
            "Kingma and Welling 2014",
        ),
        ("A. Bee, C. Dee, and E. Eff. Title. J, 1901(3):20, 2019.", "Bee et al. 2019"),
        ("Ronald J. Fisher. Title. Annals, 7, 1936.", "Fisher 1936"),
    ],
)
def test_a_work_is_named_as_the_text_cites_it(text, title):
    citation = nodes.citation("", nodes.label("", "1"), paragraph(text))
    assert title_of_work(citation) == title


def test_words_are_taken_apart_and_numbers_are_not():
    assert words("The beta-VAE's log_var, (2.13).") == [
        "the",
        "beta",
        "vae",
        "s",
        "log",
        "var",
        "2.13",
    ]


# -- The index ------------------------------------------------------------------------------------


def one(title: str, *more: str) -> Entry:
    return Entry("section", title, "book/page", "here", "", "", [], list(more))


def test_the_words_of_an_entry_can_be_read_again():
    found = [one("A", "ant", "bee", "cat"), one("B", "bee"), one("C", "bee", "cat")]
    data = index(found, {"book/page": "Chapter 1: Page"}, {})
    vocabulary = data["vocabulary"].split()
    assert vocabulary[0] == "bee"  # the most frequent one has the shortest number
    for entry, row in zip(found, data["entries"], strict=True):
        places = [sum(row[7][: end + 1]) for end in range(len(row[7]))]
        assert sorted(vocabulary[place] for place in places) == entry.words
        assert data["pages"][row[2]] == ("book/page", "Chapter 1: Page")


def test_an_alias_that_leads_nowhere_stops_the_build():
    check_aliases({"ann": "approximate search"}, [one("Approximate nearest neighbour search")])
    with pytest.raises(ExtensionError, match=r"lets 'ann' stand for .* 'zebra'"):
        check_aliases({"ann": "zebra"}, [one("Approximate nearest neighbour search")])


def an_app(tmp_path, *read: str):
    """Return what the index is written from, after a build that wrote one of two pages."""
    env = SimpleNamespace(
        found_docs={"book/old", "book/new"},
        titles={f"book/{name}": nodes.title("", name) for name in ("old", "new")},
        toctree_includes={"book/old": ["book/new"]},
        toc_secnumbers={"book/old": {"": (1,)}},
        config=SimpleNamespace(root_doc="book/index", language="en"),
    )
    entries = {page: [Entry("page", page, page, "", "", "", [], [])] for page in read}
    builder = SimpleNamespace(format="html")
    folders = {"doctreedir": tmp_path, "outdir": tmp_path}
    return SimpleNamespace(builder=builder, env=env, search_entries=entries, **folders)


def test_chinese_is_cut_into_pairs_where_it_says_something():
    assert words("KL 散度，重参数化") == ["kl", "散度", "重参", "参数", "数化"]
    assert words("什么是后验的坍缩？第2章") == ["后验", "坍缩", "第", "2", "章"]


def test_of_chinese_the_index_has_words_and_no_neighbours_by_chance():
    said = ["训练模型", "训练样本", "模型参数", "样本参数", "训练参数", "模型样本"]
    found = [
        Entry("section", f"T{n}", "book/a", "", "", "", [], words(text))
        for n, text in enumerate(said)
    ]
    vocabulary = index(found, {"book/a": "A"}, {})["vocabulary"].split()
    assert set(vocabulary) == {"训练", "模型", "样本", "参数"}


def test_a_chinese_term_is_called_by_each_of_its_names():
    term = nodes.term("", "后验坍缩（posterior collapse）", ids=["term-posterior-collapse"])
    definition = nodes.definition("", paragraph("一种失败。"))
    items = nodes.definition_list("", nodes.definition_list_item("", term, definition))
    _, found = found_in(items)
    assert found.names == ["后验坍缩", "posterior collapse"]


def test_a_chinese_section_is_called_by_its_english_name_too():
    _, found = found_in(section("自由比特", paragraph("说明。"), place="free-bits"))
    assert found.names == ["free bits"]


def test_a_chinese_page_is_called_by_the_name_of_its_file_and_never_by_nothing():
    document = new_document("page")
    document += section("术语表", paragraph("说明。"), place="glossary")
    (found,) = entries(document, "book/glossary", {})
    assert found.names == ["glossary"]


def test_aliases_of_another_language_are_checked_and_those_in_english_need_not_fit(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(search_extension, "ALIASES", tmp_path / "a.toml")
    (tmp_path / "a.toml").write_text('"kld" = "KL divergence"\n"ann" = "KL"\n')
    (tmp_path / "a.xx.toml").write_text('"相对熵" = "KL 散度"\n', encoding="utf-8")
    known = Entry("term", "KL 散度", "book/glossary", "x", "", "", [], [])
    assert search_extension.aliases_in("xx", [known]) == {"ann": "KL", "相对熵": "KL 散度"}
    with pytest.raises(ExtensionError, match="divergence"):
        search_extension.aliases_in("en", [known])
    with pytest.raises(ExtensionError, match="相对熵"):
        search_extension.aliases_in("xx", [])


def test_a_page_that_is_not_written_again_is_still_found(tmp_path, monkeypatch):
    monkeypatch.setattr(search_extension, "ALIASES", tmp_path / "aliases.toml")
    (tmp_path / "aliases.toml").touch()
    write_index(an_app(tmp_path, "book/old", "book/new"), None)
    before = (tmp_path / search_extension.INDEX).read_text(encoding="utf-8")
    write_index(an_app(tmp_path, "book/new"), None)
    assert (tmp_path / search_extension.INDEX).read_text(encoding="utf-8") == before
    assert '["book/old","Chapter 1: old"]' in before
    assert '["book/new","Chapter 1: old: new"]' in before


def test_a_page_that_was_never_read_stops_the_build(tmp_path):
    with pytest.raises(ExtensionError, match=r"knows nothing of book/old.* Remove"):
        write_index(an_app(tmp_path, "book/new"), None)
