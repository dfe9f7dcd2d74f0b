"""The search: what forty readers type and what must come first, by keyboard, mouse and ear."""

from urllib.parse import quote

import pytest
from axe_playwright_python.sync_playwright import Axe
from edition import english_only, plain, say, whole
from test_pages import HOME, NARROW, WIDE, Visit, foreign, watch

# What is typed, and the page and the place on it that must come first.
FIRST = {
    # As the book writes it
    "ELBO": "book/glossary.html#term-ELBO",
    "posterior collapse": "book/glossary.html#term-posterior-collapse",
    "average precision": "book/glossary.html#term-average-precision",
    "Jensen's inequality": "book/glossary.html#term-Jensen-s-inequality",
    "active units": "book/glossary.html#term-active-units",
    "free bits": "book/training.html#free-bits",
    "cosine similarity": "book/retrieval.html#cosine-similarity",
    "a gradient through a random draw": "book/elbo.html#a-gradient-through-a-random-draw",
    "the verdict": "book/retrieval.html#the-verdict",
    "teacher's guide": "book/teachers-guide.html",
    # Short names
    "KL": "book/glossary.html#term-Kullback-Leibler-KL-divergence",
    "mAP": "book/glossary.html#term-mean-average-precision",
    "VAE": "book/glossary.html#term-variational-autoencoder",
    "PCA": "book/glossary.html#term-PCA",
    "HOG": "book/glossary.html#term-histograms-of-oriented-gradients",
    "k-NN": "book/glossary.html#term-k-nearest-neighbours",
    "P@10": "book/glossary.html#term-precision-at-k",
    "theta": "book/notation.html#model",
    # Other spellings, plurals, endings
    "reparameterization": "book/glossary.html#term-reparameterisation-trick",
    "neighbor": "book/glossary.html#term-k-nearest-neighbours",
    "license": "book/index.html#where-it-comes-from",
    "batch normalization": "book/glossary.html#term-batch-normalisation",
    "gray levels": "book/encoder-decoder.html#what-grey-levels-mean-for-a-bernoulli",
    "descriptors": "book/glossary.html#term-descriptor",
    "auto encoder": "book/glossary.html#term-autoencoder",
    "minibatch": "book/glossary.html#term-mini-batch",
    # A slip, or not typed to the end
    "colapse": "book/glossary.html#term-posterior-collapse",
    "euclidian distance": "book/glossary.html#term-Euclidean-distance",
    "Wassertsein": "book/glossary.html#term-Wasserstein-distance",
    "reparam": "book/glossary.html#term-reparameterisation-trick",
    # By number
    "equation 2.13": "book/elbo.html#equation-eq-elbo",
    "eq. (2.13)": "book/elbo.html#equation-eq-elbo",
    "exercise 2.1": "book/elbo.html#ex-price-of-a-bit",
    "figure 3.1": "book/encoder-decoder.html#fig-opening-encoder-decoder",
    "chapter 5": "book/retrieval.html",
    # By another name
    "embedding": "book/glossary.html#term-descriptor",
    "evidence lower bound": "book/glossary.html#term-ELBO",
    "data augmentation": "book/glossary.html#term-view",
    "KL annealing": "book/glossary.html#term-KL-warm-up",
    "curse of dimensionality": "book/background.html#distances-that-say-nothing",
    "playground": "book/playground.html",
    "pyodide": "book/faq.html#can-i-run-the-code-in-the-browser",
    "run python in the browser": "book/faq.html#can-i-run-the-code-in-the-browser",
    "train a VAE in the browser": "book/playground.html",
    # A question, a name in code, a work
    "which beta should I use?": "book/faq.html#which-beta",
    "do I need a GPU": "book/faq.html#do-i-need-a-gpu",
    "load_folder": "book/api/datasets.html#vae_tutorial.datasets.load_folder",
    "Kingma Welling 2014": "book/references.html#",
}
EQUATION = say("Equation {number}", number="2.13")
# What stands before it.
BEFORE = (
    r"$\mathcal L$ is the ELBO. It never exceeds $\log p_\theta(x)$, whatever the $q$. "
    r"Split the logarithm of $p_\theta(x \mid z)\, p(z) / q(z \mid x)$ and name the parts:"
)
COLLAPSE = (
    "A failure in which the {term}`approximate posterior` of a latent dimension equals the "
    "{term}`prior` for every image, so that the dimension says nothing about the image and the "
    "{term}`decoder` ignores it. [Chapter 4](training.ipynb)."
)
DIALOG = "#pst-search-dialog"
OPTIONS = f"{DIALOG} [role=option]"


@pytest.fixture
def context(browser):
    with browser.new_context(viewport=WIDE, reduced_motion="reduce") as context:
        context.set_default_timeout(60_000)
        yield context


@pytest.fixture
def page(context):
    return context.new_page()


def open_search(page):
    page.keyboard.press("Control+k")
    field = page.get_by_role("combobox", name=say("Search this book"))
    field.wait_for()
    return field


def first(page) -> str:
    links = page.locator("[role=option]").evaluate_all(
        "all => all.map(a => a.getAttribute('href'))"
    )
    return links[0].removeprefix("./") if links else "nothing"


# -- What is found --------------------------------------------------------------------------------


@english_only("what readers type in Chinese is listed in test_chinese.py")
def test_what_is_meant_comes_first(page, base_url):
    page.goto(f"{base_url}/search.html")
    field = page.get_by_role("combobox")
    assert len(FIRST) >= 40
    wrong = {}
    for typed, place in FIRST.items():
        field.fill(typed)
        if not (found := first(page)).startswith(place) or ("#" in found) != ("#" in place):
            wrong[typed] = found
    assert wrong == {}


def test_a_result_says_where_it_stands_and_shows_no_code(page, base_url):
    page.goto(f"{base_url}/search.html")
    page.get_by_role("combobox").fill(EQUATION)
    title, path, excerpt = page.locator("[role=option]").first.locator("> span").all_inner_texts()
    assert title == EQUATION
    chapter = say("Chapter {number}: {title}", number=2, title=say("The ELBO"))
    assert path.startswith(chapter)
    assert path.replace("\u2019", "'").endswith(say("The ELBO, by Jensen's inequality"))
    assert whole(BEFORE).rpartition("$")[2][1:-1] in excerpt and "\\" not in excerpt
    assert page.locator("mark").all_inner_texts()[:2] == EQUATION.split()


def test_a_word_that_is_nowhere_is_said_to_be_nowhere(page, base_url):
    page.goto(f"{base_url}/search.html?q=xylophone")
    nothing = "Nothing found for “{1}”. The glossary and the index list all terms."
    page.get_by_text(say(nothing, "xylophone")).wait_for()
    assert page.locator("[role=option]").count() == 0
    assert page.get_by_role("combobox").get_attribute("aria-expanded") == "false"


# -- How it is used -------------------------------------------------------------------------------


def test_nothing_of_it_loads_before_it_is_opened(page, base_url):
    visit = Visit()
    watch(page, visit)
    page.goto(f"{base_url}/{HOME}", wait_until="networkidle")
    ours = [a.rpartition("/")[2] for a in visit.addresses if "/_static/search/" in a]
    assert [name.partition("?")[0] for name in ours] == ["open.js"]
    open_search(page)
    page.wait_for_load_state("networkidle")
    loaded = {a.rpartition("/")[2].partition("?")[0] for a in visit.addresses}
    assert loaded >= {"index.js", "find.js", "box.js", "search.css"}
    assert "searchindex.js" not in loaded
    assert foreign(visit.addresses, base_url) == []
    assert visit.console == visit.failed == []


def test_it_is_used_by_keyboard_alone(page, base_url):
    page.goto(f"{base_url}/{HOME}")
    field = open_search(page)
    assert field.get_attribute("aria-expanded") == "false"
    page.keyboard.type("kl div")
    options = page.locator(OPTIONS)
    options.first.wait_for()
    assert field.get_attribute("aria-expanded") == "true"
    listed = page.locator(f"{DIALOG} #{field.get_attribute('aria-controls')}")
    assert listed.get_attribute("role") == "listbox"

    def active() -> list[str]:
        return page.locator(f"{OPTIONS}[aria-selected=true]").evaluate_all(
            "found => found.map(option => option.id)"
        )

    for key, place in [("", 0), ("ArrowDown", 1), ("ArrowUp", 0), ("ArrowUp", -1)]:
        if key:
            page.keyboard.press(key)
        expected = options.nth(place).get_attribute("id")
        assert active() == [expected] == [field.get_attribute("aria-activedescendant")]
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/book/glossary.html#term-Kullback-Leibler-KL-divergence")


def test_esc_closes_it_and_gives_the_focus_back(page, base_url):
    page.goto(f"{base_url}/book/elbo.html")
    page.locator(".search-button-field").focus()
    open_search(page)
    page.keyboard.type("kl")
    page.keyboard.press("Escape")
    page.locator(DIALOG).wait_for(state="hidden")
    assert page.evaluate("document.activeElement.matches('.search-button-field')")


def test_all_results_stand_on_the_search_page(page, base_url):
    page.goto(f"{base_url}/book/elbo.html")
    open_search(page)
    page.keyboard.type(say("posterior"))
    page.locator(OPTIONS).first.wait_for()
    said = page.locator(f"{DIALOG} [role=status]").inner_text()
    page.locator(f"{DIALOG} .search-all").click()
    page.wait_for_url(f"{base_url}/search.html?q={quote(say('posterior'))}")
    page.locator("[role=option]").nth(20).wait_for()
    assert page.locator("#book-search [role=status]").inner_text() == said


def test_a_place_on_the_same_page_is_shown(page, base_url):
    page.goto(f"{base_url}/book/elbo.html")
    open_search(page)
    page.keyboard.type(EQUATION)
    page.locator(OPTIONS).first.click()
    page.locator(DIALOG).wait_for(state="hidden")
    assert page.url.endswith("book/elbo.html#equation-eq-elbo")


def test_it_is_opened_and_closed_by_touch(browser, base_url):
    with browser.new_context(viewport=NARROW, has_touch=True, reduced_motion="reduce") as context:
        page = context.new_page()
        page.goto(f"{base_url}/book/elbo.html")
        page.locator(".search-button").tap()
        field = page.get_by_role("combobox", name=say("Search this book"))
        field.fill(say("posterior"))
        option = page.locator(OPTIONS).first
        box = option.bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= NARROW["width"]
        page.get_by_role("button", name=say("Close")).tap()
        page.locator(DIALOG).wait_for(state="hidden")


def test_it_works_from_a_file(page, site):
    visit = Visit()
    watch(page, visit)
    page.goto((site / HOME).as_uri())
    open_search(page)
    page.keyboard.type("colapse")
    page.locator(OPTIONS).first.wait_for()
    excerpt = page.locator(f"{OPTIONS} .search-excerpt").first.inner_text()
    assert excerpt.startswith(plain(COLLAPSE)[:20])
    page.keyboard.press("Enter")
    page.wait_for_url("**/book/glossary.html#term-posterior-collapse")
    page.goto((site / "search.html").as_uri() + "?q=colapse")
    page.get_by_role("combobox").press("End")
    page.keyboard.type("d")
    page.locator("#book-search [role=option]").first.wait_for()
    assert visit.console == visit.failed == []


def test_marked_words_are_seen_in_forced_colours(page, base_url):
    page.emulate_media(forced_colors="active", color_scheme="dark")
    page.goto(f"{base_url}/search.html?q={say('view')}")
    page.locator("[role=option]").first.wait_for()
    ground, ink = page.locator("mark").first.evaluate(
        "mark => [getComputedStyle(mark).backgroundColor, getComputedStyle(mark).color]"
    )
    if ground.startswith("rgba(") and ground.endswith(", 0)"):  # clear
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ink != ground


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_axe_finds_nothing(page, base_url, size, scheme):
    page.set_viewport_size(size)
    page.emulate_media(color_scheme=scheme)
    page.goto(f"{base_url}/search.html?q={say('posterior')}")
    page.locator("[role=option]").first.wait_for()
    assert violations(page, "#book-search") == []
    page.goto(f"{base_url}/{HOME}")
    open_search(page)
    page.keyboard.type(say("posterior"))
    page.locator(OPTIONS).first.wait_for()
    assert violations(page, DIALOG) == []


def violations(page, place: str) -> list[str]:
    found = Axe().run(page, context=place, options={"preload": False}).response["violations"]
    return [f"{rule['id']}: {node['html'][:200]}" for rule in found for node in rule["nodes"]]
