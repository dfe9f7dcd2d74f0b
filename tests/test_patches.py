"""Changes to what Sphinx and its theme write: each is noticed when it finds nothing to change."""

import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import book_extension
import plain
import pydata_sphinx_theme
import pytest
from patches import Patches
from sphinx.errors import ExtensionError

ROOT = Path(__file__).resolve().parents[1]
THEME = Path(pydata_sphinx_theme.__file__).parent / "theme" / "pydata_sphinx_theme"


def test_a_patch_that_finds_nothing_is_named():
    patches = Patches("dashes", "dots")
    assert patches.replace("dashes", "-", "+", "a-b-c") == "a+b+c"
    assert patches.replace("dots", re.compile(r"\."), ",", "abc") == "abc"
    with pytest.raises(ExtensionError, match=r"nothing was found of: dots\. Has another version"):
        patches.check()
    patches.note("dots")
    patches.check()


def test_a_patch_without_a_name_is_a_slip():
    with pytest.raises(KeyError):
        Patches("dots").replace("dashes", "-", "+", "a-b")


# -- The website ----------------------------------------------------------------------------------


def site_app(**more):
    """Return what the handlers ask of Sphinx, with the real theme's folder."""
    builder = SimpleNamespace(
        format="html", theme=SimpleNamespace(get_theme_dirs=lambda: [str(THEME)])
    )
    names = [*book_extension.MENDED, book_extension.SIZES, book_extension.THEME]
    names += map(book_extension.named, book_extension.MARKS)
    names += map(book_extension.use_of, book_extension.MARKS)
    given = {"builder": builder, "book_patches": Patches(*names), "book_pages": set()}
    return SimpleNamespace(**given | more)


@pytest.mark.parametrize(
    ("file", "old", "said"),
    [
        ("layout.html", "searchindex.js", "the search index in every page"),
        ("search.html", "searchtools.js", "the scripts of the search page"),
        ("components/search-field.html", "bd-search", "the field of the search"),
        ("layout.html", "pst-search-dialog", "the window of the search"),
        ("static/webpack-macros.html", "fontawesome.js", "the macro with the theme's icons"),
        ("static/webpack-macros.html", "macro body_post(", "the macro body_post"),
    ],
)
def test_a_theme_whose_templates_have_changed_is_noticed(tmp_path, file, old, said):
    shutil.copytree(THEME, tmp_path / "theme")
    app = site_app()
    app.builder.theme.get_theme_dirs = lambda: [str(tmp_path / "theme")]
    book_extension.check_templates(app)
    path = tmp_path / "theme" / file
    path.write_text(path.read_text(encoding="utf-8").replace(old, "changed("), encoding="utf-8")
    with pytest.raises(ExtensionError, match=re.escape(f"nothing was found of: {said}. ")):
        book_extension.check_templates(app)


def test_a_theme_whose_icons_have_another_form_is_noticed(tmp_path):
    sheet = tmp_path / "_static" / "styles" / "pydata-sphinx-theme.css"
    sheet.parent.mkdir(parents=True)
    app = site_app(outdir=tmp_path, book_pages={"book/index"})
    sheet.write_text('.a{color:red}.fa-x:before,.fa-y:before{content:"\\f001"}')
    book_extension.drop_unused_icons(app, None)
    assert sheet.read_text() == ".a{color:red}"
    app.book_pages.clear()  # a build that found every page as it was
    book_extension.drop_unused_icons(app, None)
    app.book_pages.add("book/index")
    sheet.write_text('.a{color:red}.fa-x{--fa:"\\f001"}')
    with pytest.raises(ExtensionError, match="nothing was found of"):
        book_extension.drop_unused_icons(app, None)


def test_a_style_under_another_name_is_noticed():
    context = {"body": '<div class="sd-card">', "css_files": ["design.css"], "script_files": []}
    with pytest.raises(ExtensionError, match=r"holds 'sd-', but loads nothing named 'sphinx-des"):
        book_extension.drop_unused_assets(site_app(), "book/index", "", context, None)


def test_what_no_page_holds_any_more_is_noticed_in_a_whole_build():
    app = site_app(env=SimpleNamespace(found_docs={"book/index", "book/elbo"}))
    context = {"body": "", "css_files": [], "script_files": []}
    book_extension.drop_unused_assets(app, "book/elbo", "", context, None)
    book_extension.check_patches(app, None)  # the other page was not written again
    book_extension.drop_unused_assets(app, "book/index", "", context, None)
    said = "formulas beside .* a file named mathjax/, .* a page with a use for mathjax/"
    with pytest.raises(ExtensionError, match=said):
        book_extension.check_patches(app, None)


def test_every_change_of_the_extensions_goes_through_the_one_door():
    """No str.replace, re.sub or subn on what Sphinx and the theme write, except by patches.py."""
    for name in ("book_extension.py", "print_extension.py"):
        source = (ROOT / "tools" / name).read_text(encoding="utf-8")
        calls = re.findall(r"(\w+)\.(replace|subn?)\(", source)
        # words() of print_extension estimates the width of a formula, and changes no output; the
        # others shorten a description at the end of a word, and let long names in tables break
        # where patches.replace has found them. Numbers are kept whole in the document itself,
        # before anything is written.
        known = {("patches", "replace"), ("re", "sub"), ("parent", "replace"), ("SPACE", "sub")}
        assert set(calls) <= known, name
        assert source.count("re.sub(") == (3 if name == "print_extension.py" else 2)


# -- Plain copies ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["see {kbd}`Ctrl`", "x\n:::\n", "a\n````{tab-set}\nx", "x\n:class: y"]
)
def test_what_has_no_plain_form_is_refused(text):
    with pytest.raises(ValueError, match="knows no plain form of"):
        plain.plain_cells([text], {})
