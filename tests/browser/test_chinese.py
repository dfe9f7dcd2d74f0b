"""The Chinese edition in a browser: what a search finds, what scripts say, and the way to English.

It needs a site that is built: BOOK_SITE_ZH=_build/site/zh, where `make editions` puts it.
"""

import os
import re
from pathlib import Path

import pytest
from serving import served
from test_pages import NARROW, TOO_WIDE, WIDE, Visit, serious, watch
from waiting import SETTLED

# What is typed, and the page and the place on it that must come first.
FIRST = {
    # As the book writes it
    "重参数化": "book/glossary.html#term-reparameterisation-trick",
    "后验坍缩": "book/glossary.html#term-posterior-collapse",
    "KL 散度": "book/glossary.html#term-Kullback-Leibler-KL-divergence",
    "平均精度均值": "book/glossary.html#term-mean-average-precision",
    "变分自编码器": "book/glossary.html#term-variational-autoencoder",
    "证据下界": "book/glossary.html#term-ELBO",
    "潜变量": "book/glossary.html#term-latent-variable",
    "描述子": "book/glossary.html#term-descriptor",
    "查询图像": "book/glossary.html#term-query",
    "图库": "book/glossary.html#term-gallery",
    "余弦距离": "book/glossary.html#term-cosine-distance",
    "主成分分析": "book/glossary.html#term-PCA",
    "Jensen 不等式": "book/glossary.html#term-Jensen-s-inequality",
    # Without the space, the start of a word, one character, and words around it
    "KL散度": "book/glossary.html#term-Kullback-Leibler-KL-divergence",
    "平均精度均": "book/glossary.html#term-mean-average-precision",
    "什么是后验坍缩？": "book/glossary.html#term-posterior-collapse",
    "重参数化的技巧": "book/glossary.html#term-reparameterisation-trick",
    "召回率": "book/glossary.html#term-recall-at-k",
    # Other words
    "嵌入向量": "book/glossary.html#term-descriptor",
    "数据增强": "book/glossary.html#term-view",
    "变分下界": "book/glossary.html#term-ELBO",
    "隐变量": "book/glossary.html#term-latent-variable",
    "最近邻": "book/glossary.html#term-k-nearest-neighbours",
    "后验崩塌": "book/glossary.html#term-posterior-collapse",
    "变分自动编码器": "book/glossary.html#term-variational-autoencoder",
    "欧几里得距离": "book/glossary.html#term-Euclidean-distance",
    "批归一化": "book/glossary.html#term-batch-normalisation",
    "KL 退火": "book/glossary.html#term-KL-warm-up",
    "查准率": "book/glossary.html#term-precision-at-k",
    "查全率": "book/glossary.html#term-recall-at-k",
    "维数灾难": "book/background.html#distances-that-say-nothing",
    "自由比特": "book/training.html#free-bits",
    "交叉熵": "book/glossary.html#term-Bernoulli-likelihood",
    "许可证": "book/index.html#where-it-comes-from",
    # A wrong character, and a question
    "重参数话": "book/glossary.html#term-reparameterisation-trick",
    "后验坍锁": "book/glossary.html#term-posterior-collapse",
    "需要 GPU 吗": "book/faq.html#do-i-need-a-gpu",
    "beta 取多少": "book/faq.html#which-beta",
    "代码能在浏览器里运行吗": "book/faq.html#can-i-run-the-code-in-the-browser",
    # Pages
    "教师指南": "book/teachers-guide.html",
    "勘误": "book/errata.html",
    "温习": "book/refresher.html",
    # By number
    "公式 2.13": "book/elbo.html#equation-eq-elbo",
    "公式2.13": "book/elbo.html#equation-eq-elbo",
    "练习 2.1": "book/elbo.html#ex-price-of-a-bit",
    "图 3.1": "book/encoder-decoder.html#fig-opening-encoder-decoder",
    "第 5 章": "book/retrieval.html",
    # English terms
    "ELBO": "book/glossary.html#term-ELBO",
    "posterior collapse": "book/glossary.html#term-posterior-collapse",
    "mAP": "book/glossary.html#term-mean-average-precision",
    "VAE": "book/glossary.html#term-variational-autoencoder",
    "free bits": "book/training.html#free-bits",
    "load_folder": "book/api/datasets.html#vae_tutorial.datasets.load_folder",
}
# Pages whose figures have scripts, and something that each of them says.
SAID = {
    "book/elbo.html": ("fig-elbo-bars", "差距"),
    "book/training.html": ("fig-beta", "码率"),
    "book/background.html": ("fig-ranking", "召回率@10"),
    "book/draw.html": ("fig-draw", "在这里画一个数字"),
    "book/playground.html": ("fig-playground", "训练"),
}
ENGLISH = re.compile(r"\b[a-z]{2,} [a-z]{2,} [a-z]{2,}\b")


@pytest.fixture(scope="session")
def site() -> Path:
    """Return the folder of the Chinese edition, in place of the English one."""
    if not (given := os.environ.get("BOOK_SITE_ZH")):
        pytest.skip("BOOK_SITE_ZH names no Chinese edition; see `make editions`")
    folder = Path(given).resolve()
    assert (folder / "book" / "index.html").is_file(), f"BOOK_SITE_ZH holds no book: {folder}"
    # The folder that is served holds both editions, if they lie side by side.
    return folder.parent if is_beside(folder) else folder


def is_beside(folder: Path) -> bool:
    pages = (folder / "book" / "index.html", folder.parent / "book" / "index.html")
    return folder.name == "zh" and all(page.is_file() for page in pages)


@pytest.fixture(scope="session")
def base_url(site):
    """Serve this edition, also where the same run serves another one to the other tests."""
    with served(site) as address:
        yield address


@pytest.fixture(scope="session")
def chinese(site, base_url) -> str:
    return f"{base_url}/zh" if is_beside(site / "zh") else base_url


@pytest.fixture
def beside(site) -> Path:
    if not is_beside(site / "zh"):
        pytest.skip("the editions do not lie side by side; see `make editions`")
    return site


@pytest.fixture
def page(browser):
    with browser.new_context(viewport=WIDE, reduced_motion="reduce") as context:
        context.set_default_timeout(60_000)
        yield context.new_page()


# -- The search -----------------------------------------------------------------------------------


def test_what_is_meant_comes_first(page, chinese):
    page.goto(f"{chinese}/search.html")
    field = page.get_by_role("combobox")
    assert len([typed for typed in FIRST if not typed.isascii()]) >= 40
    wrong = {}
    for typed, place in FIRST.items():
        field.fill(typed)
        found = page.locator("[role=option]").first
        got = found.get_attribute("href").removeprefix("./") if found.count() else "nothing"
        if not got.startswith(place) or ("#" in got) != ("#" in place):
            wrong[typed] = got
    assert wrong == {}


def test_what_was_found_is_marked(page, chinese):
    page.goto(f"{chinese}/search.html?q=后验坍缩")
    first = page.locator("[role=option]").first
    assert first.locator(".search-title mark").all_inner_texts() == ["后验坍缩"]
    assert re.search(r"^\d+ 个结果$", page.locator("#book-search [role=status]").inner_text())


def test_what_is_nowhere_is_said_to_be_nowhere(page, chinese):
    page.goto(f"{chinese}/search.html?q=木琴")
    page.get_by_text("没有找到“木琴”").wait_for()


# -- Stops ----------------------------------------------------------------------------------------

# Stops that follow a formula and begin the next line.
STRAYED = """() => [...document.querySelectorAll("article span.math")].filter(formula => {
  const next = formula.nextSibling;
  if (!formula.checkVisibility() || next?.nodeType !== Node.TEXT_NODE) return false;
  if (!/^[，。、：；？！）」》”]/.test(next.data)) return false;
  const range = document.createRange();
  range.setStart(next, 0);
  range.setEnd(next, 1);
  return range.getBoundingClientRect().left < formula.getBoundingClientRect().right - 4;
}).map(formula => formula.parentElement.textContent.slice(0, 60))"""


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("name", ["elbo", "retrieval", "refresher"])
def test_no_stop_after_a_formula_begins_a_line(page, chinese, name, size):
    page.set_viewport_size(size)
    page.goto(f"{chinese}/book/{name}.html")
    page.wait_for_function(SETTLED)
    assert page.evaluate(STRAYED) == []


# -- What is said ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SAID)
def test_scripts_speak_chinese(page, chinese, name):
    visit, (figure, said) = Visit(), SAID[name]
    watch(page, visit)
    page.goto(f"{chinese}/{name}")
    page.locator(f"#{figure}").scroll_into_view_if_needed()
    panel = page.locator(f"#{figure} .live")
    panel.wait_for(timeout=30_000)
    assert said in panel.inner_text()
    spoken = panel.evaluate(
        "panel => [...panel.querySelectorAll('*')].flatMap(e => ['aria-label', 'title', "
        "'aria-valuetext'].map(name => e.getAttribute(name) ?? ''))"
    )
    assert [text for text in [panel.inner_text(), *spoken] if ENGLISH.search(text)] == []
    assert visit.console == visit.failed == []


def test_the_frame_of_a_page_speaks_chinese(page, chinese):
    page.goto(f"{chinese}/book/elbo.html")
    assert page.evaluate("document.documentElement.lang") == "zh-CN"
    frame = page.locator("header, .bd-sidebar, .bd-header-article, .bd-footer-article, footer")
    spoken = frame.evaluate_all(
        "parts => parts.flatMap(part => [...part.querySelectorAll('*')]).filter(e => "
        "!e.closest('[lang=en]')).flatMap(e => ['aria-label', 'title'].map(n => e.getAttribute(n)))"
    )
    names = {text for text in spoken if text and not re.search(r"[\u3400-\u9fff]", text)}
    assert names <= {"GitHub"}


# Formulas whose comma or full stop begins the next line, which no Chinese line does. (A formula
# that is wider than the phone has a line of its own.)
BEGUN = """() => [...document.querySelectorAll("span.math:has(mjx-container:not(.wide))")]
  .filter(e => e.checkVisibility() && /^[。，、；：？）]/.test(e.nextSibling?.data ?? ""))
  .filter(e => {
    const mark = document.createRange();
    mark.setStart(e.nextSibling, 0);
    mark.setEnd(e.nextSibling, 1);
    return mark.getBoundingClientRect().top > e.getBoundingClientRect().bottom - 1;
  }).map(e => e.parentElement.textContent)"""


@pytest.mark.parametrize("name", ["refresher", "glossary", "elbo"])
def test_no_line_begins_with_what_ends_a_sentence(page, chinese, name):
    page.set_viewport_size(NARROW)
    page.goto(f"{chinese}/book/{name}.html", timeout=60_000)
    page.evaluate(SETTLED)
    assert page.locator("span.math mjx-container").count() > 5
    assert page.evaluate(BEGUN) == []


# -- The way to the other edition -----------------------------------------------------------------


def test_the_way_to_english_keeps_page_and_place(page, chinese, beside):
    page.goto(f"{chinese}/book/elbo.html#a-gradient-through-a-random-draw")
    page.evaluate(SETTLED)
    way = page.get_by_role("link", name="English", exact=True)
    assert way.get_attribute("lang") == way.get_attribute("hreflang") == "en"
    way.focus()
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/zh/" not in url)
    assert page.url.endswith("/book/elbo.html#a-gradient-through-a-random-draw")
    back = page.get_by_role("link", name="中文", exact=True)
    assert back.get_attribute("lang") == "zh-CN"
    # The section that is read counts, and not the one of the address.
    page.locator("#quiz").evaluate("section => section.scrollIntoView()")
    back.click()
    page.wait_for_url("**/zh/book/elbo.html#quiz")


def test_every_page_has_a_way_that_leads_somewhere(beside):
    chinese = [path.relative_to(beside / "zh") for path in (beside / "zh").rglob("*.html")]
    # Doors have none, nor has the source of the library, which is the same in both.
    doors = {"index.html", "404.html"}
    pages = [p for p in chinese if p.parts[0][0] != "_" and p.as_posix() not in doors]
    assert len(pages) > 30
    for name in pages:
        for here in (beside / "zh" / name, beside / name):
            text = here.read_text(encoding="utf-8")
            (way,) = re.findall(r'book-edition" href="([^"]+)"', text)
            there = (here.parent / way).resolve()
            assert there.is_file(), f"{here}: {way}"
            assert there == (beside / name if "zh" in here.parts else beside / "zh" / name)


@pytest.mark.parametrize("name", ["book/elbo.html", "search.html"])
@pytest.mark.parametrize("edition", ["", "/zh"], ids=["english", "chinese"])
def test_the_buttons_have_room_on_a_phone(page, base_url, beside, edition, name):
    page.set_viewport_size(NARROW)
    page.goto(f"{base_url}{edition}/{name}")
    # All that a published page has.
    page.locator(".article-header-buttons").evaluate(
        "row => { const one = row.querySelector('a.book-button') ?? row.firstElementChild;"
        " for (let i = 0; i < 2; i += 1) row.prepend(one.cloneNode(true)); }"
        if name == "book/elbo.html"
        else "row => {}"
    )
    outside = page.locator(".bd-header-article *:visible").evaluate_all(
        "all => all.filter(e => e.getBoundingClientRect().right > innerWidth + 1 ||"
        " e.getBoundingClientRect().left < -1).map(e => e.outerHTML.slice(0, 80))"
    )
    assert outside == []
    assert page.evaluate(TOO_WIDE) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_axe_finds_nothing_serious(page, chinese, size, scheme):
    page.set_viewport_size(size)
    page.emulate_media(color_scheme=scheme)
    for name in ("search.html?q=后验", "book/glossary.html"):
        page.goto(f"{chinese}/{name}")
        assert serious(page) == []
