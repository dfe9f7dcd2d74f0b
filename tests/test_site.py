"""The built book: no warning, no request to another host, no broken link, pictures described."""

import json
import re
from collections import Counter
from pathlib import Path

import nbformat
import pytest
import yaml
from PIL import Image
from site_building import build_book, given_site
from site_rules import (
    Page,
    broken_links,
    contrast,
    loads_from_other_hosts,
    page_basics,
    pictures_without_alt_text,
    pictures_without_size,
    repeated_ids,
    stylesheet_loads_from_other_hosts,
)
from test_package import public_things

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """Build the book as a reader does, who has no address for it."""
    return given_site() or build_book(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def published_pages(tmp_path_factory) -> dict[Path, Page]:
    """Build the book as GitHub does for the repository of somebody."""
    site = build_book(tmp_path_factory.mktemp("published"), BOOK_REPOSITORY="ada/her-book")
    return {path: Page.read(path) for path in sorted((site / "book").rglob("*.html"))}


@pytest.fixture(scope="module")
def pages(site) -> dict[Path, Page]:
    return {path: Page.read(path) for path in sorted(site.rglob("*.html")) if _is_page(path)}


def _is_page(path: Path) -> bool:
    # The theme leaves templates of its own among the static files.
    return "_static" not in path.parts


@pytest.fixture(scope="module")
def book_pages(site, pages) -> dict[Path, Page]:
    return {path: page for path, page in pages.items() if site / "book" in path.parents}


def report(check, pages) -> dict[str, list[str]]:
    return {path.name: found for path, page in pages.items() if (found := check(page))}


def test_every_page_is_there(site, book_pages):
    contents = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    chapters = [chapter for part in contents["parts"] for chapter in part["chapters"]]
    pages = [page for chapter in chapters for page in (chapter, *chapter.get("sections", ()))]
    expected = {f"{name}.html" for name in [contents["root"], *(page["file"] for page in pages)]}
    assert {path.relative_to(site).as_posix() for path in book_pages} == expected


def test_the_first_address_leads_into_the_book(site):
    door = Page.read(site / "index.html")
    (refresh,) = [a for a in door.attributes("meta") if a.get("http-equiv") == "refresh"]
    assert refresh["content"].endswith("url=book/index.html")
    assert (site / "book" / "index.html").is_file()
    # For whoever does not follow by itself, and for the pictures of links to the site.
    assert [a["href"] for a in door.attributes("a")] == ["book/index.html"]
    assert meta(door)["og:title"] == "Image Retrieval with Variational Autoencoders"
    assert page_basics(door) == []


def test_an_address_without_a_page_leads_back(site, published_pages):
    door = Page.read(site / "404.html")
    assert [a["href"] for a in door.attributes("a")] == ["book/index.html", "search.html"]
    assert page_basics(door) == []
    # The host shows this page at every depth, so links from it must not depend on where it is.
    published = next(iter(published_pages)).parents[1]
    while not (published / "404.html").is_file():
        published = published.parent
    door = Page.read(published / "404.html")
    links = [a["href"] for tag in ("a", "link") for a in door.attributes(tag)]
    assert links and all(link.startswith("https://ada.github.io/her-book/") for link in links)
    assert meta(Page.read(published / "index.html"))["og:image"].endswith("/social-card.png")


def test_nothing_is_loaded_from_another_host(pages):
    assert report(loads_from_other_hosts, pages) == {}


def test_no_stylesheet_loads_from_another_host(site):
    sheets = {path.name: path.read_text(encoding="utf-8") for path in site.rglob("*.css")}
    found = {name: stylesheet_loads_from_other_hosts(text) for name, text in sheets.items()}
    assert {name: addresses for name, addresses in found.items() if addresses} == {}


def test_formulas_are_set_by_the_copy_in_the_book(book_pages):
    with_formulas = {
        page.path.name
        for page in book_pages.values()
        if any("math" in attributes.get("class", "").split() for _, attributes in page.tags)
    }
    with_mathjax = {
        page.path.name
        for page in book_pages.values()
        if any("mathjax/startup.js" in a.get("src", "") for a in page.attributes("script"))
    }
    assert with_formulas == with_mathjax
    assert {"elbo.html", "notation.html"} <= with_formulas
    assert "index.html" not in with_formulas


def meta(page: Page) -> dict[str, str]:
    named = [
        (a.get("name") or a.get("property"), a.get("content")) for a in page.attributes("meta")
    ]
    return {name: content for name, content in named if name}


def test_figures_are_drawn_in_the_page_and_cards_in_files(site, book_pages):
    drawn = Counter()
    for path, page in book_pages.items():
        notebook = ROOT / path.relative_to(site).with_suffix(".ipynb")
        # One whose panels stand in a row is a span of several.
        boxes = [*page.attributes("svg"), *page.attributes("span")]
        drawings = [a for a in boxes if "figure-drawing" in a.get("class", "").split()]
        if notebook.is_file():
            stored = nbformat.read(notebook, as_version=4).cells
            kinds = [o.get("data", {}) for c in stored for o in c.get("outputs", ())]
            found = re.findall(r"{figure} (\S+)\.png", "\n".join(c.source for c in stored))
            beside = sum((notebook.parent / f"{name}.svg").is_file() for name in found)
            wanted = sum("image/svg+xml" in data for data in kinds) + beside
            assert len(drawings) == wanted, path.name
            drawn["pages"] += wanted > 0
        files = [a for a in page.attributes("img") if a.get("src", "").endswith(".svg")]
        if path.stem == "index":
            drawn["cards"] = sum("sd-card-img-top" in a.get("class", "") for a in files)
    assert drawn == {"pages": 11, "cards": 10}


def test_every_page_has_a_description_of_its_own(site, pages):
    found = {page.path: meta(page) for page in pages.values() if page.path != site / "index.html"}
    descriptions = [tags["description"] for tags in found.values()]
    assert len(descriptions) == len(set(descriptions)) > 15
    for path, tags in found.items():
        text = tags["description"]
        assert 50 <= len(text) <= 160, path.name
        assert text.endswith((".", "?", "…", "Autoencoders")), path.name
        assert not re.search(r"[\\{}<>`$]|\s\s", text), path.name
        assert tags["og:description"] == text
        assert tags["og:title"]


def test_an_unpublished_book_names_no_address(book_pages):
    for page in book_pages.values():
        assert "og:url" not in meta(page) and "og:image" not in meta(page)
        assert [a for a in page.attributes("link") if a.get("rel") == "canonical"] == []
        links = [a.get("href", "") for a in page.attributes("a")]
        assert [link for link in links if "colab.research" in link or "/her-book" in link] == []


def test_a_published_book_names_its_own_addresses(published_pages):
    host = "https://ada.github.io/her-book/"
    for path, page in published_pages.items():
        name = path.as_posix().partition("/_build/html/")[2]
        canonical = [a["href"] for a in page.attributes("link") if a.get("rel") == "canonical"]
        assert canonical == [meta(page)["og:url"]] == [host + name]
        assert meta(page)["og:image"] == host + "_static/social-card.png"
        links = [a.get("href", "") for a in page.attributes("a")]
        assert "https://github.com/ada/her-book" in links
        (report_link,) = [link for link in links if "/issues/new" in link]
        assert report_link.startswith("https://github.com/ada/her-book/issues/new?")
        is_notebook = (ROOT / name).with_suffix(".ipynb").is_file()
        place = f"ada/her-book/blob/colab/{path.stem}.ipynb"
        button = f"https://colab.research.google.com/github/{place}"
        assert [link for link in links if "colab.research" in link] == [button] * is_notebook
    assert report(loads_from_other_hosts, published_pages) == {}


def test_the_picture_for_links_is_there(site):
    with Image.open(site / "_static" / "social-card.png") as card:
        assert card.size == (1200, 630)
    assert (site / "_static" / "social-card.png").stat().st_size < 200_000


def test_a_downloaded_notebook_runs_anywhere(site):
    sources = sorted((ROOT / "book").glob("*.ipynb"))
    assert sources
    for source in sources:
        notebook = nbformat.read(site / "_sources" / "book" / source.name, as_version=4)
        nbformat.validate(notebook)
        text = "\n".join(c.source for c in notebook.cells if c.cell_type == "markdown")
        assert not re.search(r"^[`:]{3,}\{|\{(?:term|ref|cite:p|numref)\}`", text, re.MULTILINE)
        assert "vae_tutorial" in notebook.cells[1].source


def test_links_and_anchors_lead_somewhere(pages):
    assert report(lambda page: broken_links(page, pages), pages) == {}


def test_one_broken_link_of_a_page_is_noticed(site, pages):
    path = site / "book" / "retrieval.html"
    text = path.read_text(encoding="utf-8")
    assert 'href="training.html"' in text
    spoiled = Page.parse(text.replace('href="training.html"', 'href="trainin.html"', 1), path)
    (problem,) = broken_links(spoiled, pages)
    assert "trainin.html" in problem


def test_pictures_are_described(book_pages):
    assert report(pictures_without_alt_text, book_pages) == {}


def test_pictures_have_a_size(book_pages):
    assert report(pictures_without_size, book_pages) == {}


def test_no_id_is_there_twice(pages):
    assert report(repeated_ids, pages) == {}


def test_no_formula_is_left_as_it_was_written(book_pages):
    heads = {
        path.name: found
        for path in book_pages
        if (found := re.findall(r"<t[hd][^>]*>.*?\$.*?</t[hd]>", path.read_text(encoding="utf-8")))
    }
    assert heads == {}


def test_page_basics(book_pages):
    assert report(page_basics, book_pages) == {}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_accent_colour_is_legible(theme):
    style = (ROOT / "book" / "_static" / "book.css").read_text(encoding="utf-8")
    block = re.search(rf'html\[data-theme="{theme}"\] \{{(.*?)\}}', style, re.DOTALL)[1]
    accent, background = (
        re.search(rf"--book-{name}: (#[0-9a-f]{{6}});", block)[1]
        for name in ("accent", "background")
    )
    assert contrast(accent, background) >= 4.5


@pytest.mark.parametrize("verdict", ["right", "wrong"])
@pytest.mark.parametrize("theme", [":root", 'html[data-theme="dark"]'])
def test_the_verdicts_of_the_quizzes_are_legible(theme, verdict):
    style = (ROOT / "book" / "_static" / "quiz.css").read_text(encoding="utf-8")
    block = re.search(rf"{re.escape(theme)} \{{(.*?)\}}", style, re.DOTALL)[1]
    text, background = (
        re.search(rf"--quiz-{name}: (#[0-9a-f]{{6}});", block)[1]
        for name in (verdict, f"{verdict}-background")
    )
    assert contrast(text, background) >= 4.5


def test_mathjax_travels_with_its_licence():
    folder = ROOT / "book" / "_static" / "mathjax"
    assert "Apache License" in (folder / "LICENSE").read_text(encoding="utf-8")
    parts = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["sphinx"]["config"]
    for part in ["startup", "core", *parts["mathjax3_config"]["loader"]["load"]]:
        assert (folder / f"{part}.js").is_file(), part


# -- The reference --------------------------------------------------------------------------------


def links(page: Page, start: str) -> list[str]:
    hrefs = [attributes.get("href", "") for attributes in page.attributes("a")]
    return [href for href in hrefs if href.startswith(start)]


def test_everything_public_has_an_entry_that_leads_to_its_source(site, pages):
    reference = [page for path, page in pages.items() if path.parent == site / "book" / "api"]
    places: dict[object, set[str]] = {}
    for param in public_things():  # a thing may be had from two rooms; one of its entries will do
        places.setdefault(param.values[0], set()).add(f"vae_tutorial.{param.id}")
    found = {place for page in reference for place in page.anchors}
    assert [names for names in places.values() if not names & found] == []
    for page in reference:
        names = [name for names in places.values() for name in names & page.anchors]
        assert len(links(page, "../../_modules/vae_tutorial/")) >= len(names)


def test_the_source_leads_back_to_the_entry(site, pages):
    page = pages[site / "_modules" / "vae_tutorial" / "models" / "views.html"]
    entry = "../../../book/api/models.html#vae_tutorial.models.RandomView"
    assert entry in links(page, "../../../book/api/")


@pytest.mark.parametrize("path", sorted((ROOT / "book").glob("*.ipynb")), ids=lambda p: p.stem)
def test_what_a_page_shows_of_the_library_leads_to_its_entry(pages, site, path):
    code = "\n".join(
        cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"
    )
    shown = re.findall(r"show_source\(\w+\.(\w+)", code)
    text = (site / "book" / f"{path.stem}.html").read_text(encoding="utf-8")
    lines = re.findall(r'<p class="reference-line">(.*?)</p>', text)
    assert len(re.findall(r'href="api/\w+\.html#vae_tutorial\.', "".join(lines))) == len(shown)


@pytest.mark.parametrize("name", ["ViewVAE", "RandomView", "BinaryVAE"])
def test_a_name_in_the_text_leads_to_its_entry(pages, site, name):
    page = pages[site / "book" / "retrieval.html"]
    assert f"api/models.html#vae_tutorial.models.{name}" in links(page, "api/models.html")


def test_an_entry_leads_to_the_chapter_that_introduces_it(pages, site):
    assert "../retrieval.html" in links(pages[site / "book" / "api" / "models.html"], "../")


def test_classes_of_keras_show_their_own_arguments(site):
    text = (site / "book" / "api" / "models.html").read_text(encoding="utf-8")
    assert '<span class="pre">image_shape</span>' in text
    assert not re.search(r'class="pre">\*args', text)


# -- The search -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def found(site) -> dict:
    """Return what the search has to search in."""
    script = (site / "_static" / "search" / "index.js").read_text(encoding="utf-8")
    return json.loads(script.partition(" = ")[2].rstrip().rstrip(";"))


def test_the_search_leads_to_what_is_there(site, pages, found):
    anchors = {path: {a.get("id") for _, a in page.tags} for path, page in pages.items()}
    for kind, title, page, anchor, *_ in found["entries"]:
        path = site / f"{found['pages'][page][0]}.html"
        assert not anchor or anchor in anchors[path], f"{kind} {title}: {path.name} has no {anchor}"


def test_the_search_knows_every_page_and_none_of_source(book_pages, site, found):
    names = {f"{path}.html" for path, _ in found["pages"]}
    assert names == {path.relative_to(site).as_posix() for path in book_pages}


def test_every_kind_of_thing_is_found(found):
    kinds = Counter(kind for kind, *_ in found["entries"])
    least = {"page": 15, "section": 150, "term": 70, "symbol": 30, "equation": 25}
    least |= {"figure": 40, "exercise": 40, "name": 100, "work": 50}
    assert set(kinds) == set(least)
    assert {kind for kind, number in least.items() if kinds[kind] < number} == set()


def test_excerpts_are_clean(found):
    for _, title, _, _, parent, excerpt, names, _ in found["entries"]:
        for said in (title, parent, excerpt, *names):
            assert not re.search(r"\\[a-z(\[]|[{}`$]|</|<svg|\s\s|^ | $", said), said
        assert len(excerpt) <= 330


def test_index_and_scripts_of_the_search_are_small(site):
    files = list((site / "_static" / "search").iterdir())
    assert {file.name for file in files} == {
        "index.js",
        "find.js",
        "box.js",
        "open.js",
        "search.css",
    }
    assert sum(file.stat().st_size for file in files) <= 300_000


def test_nothing_is_left_of_sphinx_s_own_search(site, pages):
    assert not list(site.rglob("searchindex.js"))
    text = (site / "search.html").read_text(encoding="utf-8")
    assert "searchtools.js" not in text and "search/open.js" in text


# -- The tests tested -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "tag",
    [
        '<script src="https://cdn.example.org/x.js"></script>',
        '<script src="//cdn.example.org/x.js"></script>',
        '<link rel="stylesheet" href="https://fonts.example.org/css">',
        '<link rel="preload" href="https://fonts.example.org/a.woff2">',
        '<link rel="preconnect" href="https://fonts.example.org">',
        '<img alt="x" src="https://example.org/x.png">',
        '<img alt="x" src="x.png" srcset="x.png 1x, https://example.org/x.png 2x">',
        '<iframe src="https://example.org"></iframe>',
        '<p style="background: url(https://example.org/x.png)">',
        "<style>@import 'https://example.org/x.css';</style>",
        '<script>const ADDRESS = "https://example.org/x.js"</script>',
    ],
)
def test_a_foreign_request_is_noticed(tag):
    assert loads_from_other_hosts(Page.parse(tag))


@pytest.mark.parametrize(
    "tag",
    [
        '<a href="https://example.org">',
        '<link rel="canonical" href="https://example.org">',
        '<script src="../_static/x.js"></script>',
        '<img src="data:image/png;base64,AAAA">',
    ],
)
def test_a_harmless_tag_is_not_reported(tag):
    assert loads_from_other_hosts(Page.parse(tag)) == []


def test_broken_links_are_noticed(tmp_path):
    path = tmp_path / "page.html"
    path.write_text(
        '<h1 id="top"></h1><a href="#top"></a><a href="page.html#top"></a><a href="#gone"></a>'
        '<a href="gone.html"></a><a href="http://example.org"></a><img src="gone.png">',
        encoding="utf-8",
    )
    page = Page.read(path)
    found = broken_links(page, {path: page})
    assert [problem.split(": ")[1] for problem in found] == [
        "#gone",
        "gone.html",
        "http://example.org",
        "gone.png",
    ]


def test_a_missing_description_is_noticed():
    assert pictures_without_alt_text(Page.parse('<img src="a.png"><img src="b.png" alt=" ">'))
    assert pictures_without_alt_text(Page.parse('<svg role="img"></svg>'))
    assert page_basics(Page.parse("<html><h2></h2>")) == [
        "<html> has no language",
        "no first heading",
        "no viewport: phones would show a tiny page",
    ]


def test_contrast_agrees_with_the_definition():
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
