"""Two editions: where a page leads to its other one, and what search engines are told of both."""

import re
from types import SimpleNamespace

import pytest
import site_words
from book_extension import add_addresses
from language_extension import EDITIONS, add_ways, lean, move_below, name_languages
from publishing import Publication


def an_app(language: str, url: str = "", editions: bool = True) -> SimpleNamespace:
    config = SimpleNamespace(
        language=language, book_editions=editions, book_publication=Publication(url=url)
    )
    move_below(None, config)
    builder = SimpleNamespace(get_target_uri=lambda page: f"{page}.html")
    return SimpleNamespace(config=config, builder=builder)


def ways(app, page: str) -> dict:
    context = {"metatags": "<meta>"}
    add_ways(app, page, "", context, None)
    return context


@pytest.mark.parametrize(
    ("language", "page", "address"),
    [
        ("en", "book/elbo", "../zh/book/elbo.html"),
        ("zh_CN", "book/elbo", "../../book/elbo.html"),
        ("en", "search", "zh/search.html"),
        ("zh_CN", "search", "../search.html"),
        ("en", "book/api/models", "../../zh/book/api/models.html"),
    ],
)
def test_a_page_leads_to_its_other_edition(language, page, address):
    code, there, name, _ = ways(an_app(language), page)["other_edition"]
    assert there == address
    assert (code, name) == (("zh-CN", "中文") if language == "en" else ("en", "English"))


def test_one_edition_alone_leads_nowhere():
    context = ways(an_app("zh_CN", "https://example.org/", editions=False), "book/elbo")
    assert context == {"metatags": "<meta>", "other_edition": None}
    assert ways(an_app("en"), "_modules/vae_tutorial/models/vae")["other_edition"] is None


@pytest.mark.parametrize("language", EDITIONS)
def test_search_engines_are_told_of_both_where_the_address_is_known(language):
    assert ways(an_app(language), "book/elbo")["metatags"] == "<meta>"
    told = ways(an_app(language, "https://example.org/book/"), "book/elbo")["metatags"]
    assert dict(re.findall(r'hreflang="([^"]+)" href="([^"]+)"', told)) == {
        "en": "https://example.org/book/book/elbo.html",
        "zh-CN": "https://example.org/book/zh/book/elbo.html",
        "x-default": "https://example.org/book/book/elbo.html",
    }


def test_the_addresses_of_an_edition_are_where_it_lies():
    config = an_app("zh_CN", "https://example.org/book/").config
    assert config.book_publication.url == config.html_baseurl == "https://example.org/book/zh/"
    alone = an_app("zh_CN", "https://example.org/book/", editions=False).config
    assert alone.book_publication.url == alone.html_baseurl == "https://example.org/book/"


@pytest.mark.parametrize("editions", [True, False])
@pytest.mark.parametrize(("language", "folder"), [("en", ""), ("zh_CN", "zh/")])
def test_a_page_opens_the_notebook_of_its_edition(language, folder, editions):
    publication = Publication(repository="ada/book", url="https://example.org/book/")
    config = SimpleNamespace(
        language=language, book_editions=editions, book_publication=publication
    )
    move_below(None, config)
    context = {"page_source_suffix": ".ipynb", "sourcename": "book/elbo.ipynb"}
    add_addresses(SimpleNamespace(config=config), "book/elbo", "", context, None)
    assert context["colab_url"].endswith(f"/ada/book/blob/colab/{folder}elbo.ipynb")


def test_scripts_lose_their_comments_and_nothing_else():
    script = '// What it is.\n"use strict";\n  // One.\n  // Two.\nlet a = "// no"; // why\n'
    assert lean(script) == '// What it is.\n"use strict";\nlet a = "// no"; // why\n'
    for path in site_words.sources():
        if path.suffix == ".js":
            text = path.read_text(encoding="utf-8")
            gone = set(text.splitlines()) - set(lean(text).splitlines())
            assert all(line.lstrip().startswith("//") for line in gone)
            # A text of several lines might have one that begins so.
            assert not any("\n" in text for text in re.findall(r"`[^`]*`", lean(text))), path


def test_what_stays_english_is_named_so():
    body = '<p>一句话。</p><dl class="py class"><dt>A docstring.</dt></dl>'
    context = {"body": body}
    name_languages(an_app("zh_CN"), "book/api/models", "", context, None)
    assert context["body"] == body.replace("<dl ", '<dl lang="en" ')
    context = {"body": body}
    name_languages(an_app("en"), "book/api/models", "", context, None)
    assert context["body"] == body
