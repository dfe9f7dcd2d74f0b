"""Every page of the built book in a real browser: it loads, it is legible, it can be used."""

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml
from axe_playwright_python.sync_playwright import Axe
from waiting import SETTLED, TYPESET

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "book" / "_static"
CONTENTS = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
HOME = CONTENTS["root"] + ".html"
LISTED = [chapter for part in CONTENTS["parts"] for chapter in part["chapters"]]
CHAPTERS = [f"{p['file']}.html" for c in LISTED for p in (c, *c.get("sections", ()))]
PAGES = [HOME, *CHAPTERS]
NOTEBOOKS = [page for page in PAGES if (ROOT / page).with_suffix(".ipynb").is_file()]
# One of the pages that show the library's source; they are alike.
SOURCE = "_modules/vae_tutorial/models/views.html"
OTHERS = ["search.html", "genindex.html", SOURCE]
WIDE, NARROW = {"width": 1400, "height": 900}, {"width": 360, "height": 780}
TABLET = {"width": 768, "height": 1024}

# Pictures that wait to be seen are made to load at once.
PICTURES = """async () => {
  const pictures = [...document.images];
  pictures.forEach(picture => { picture.loading = "eager"; });
  await Promise.allSettled(pictures.map(picture => picture.decode()));
  return pictures.filter(p => !p.naturalWidth || !p.alt.trim()).map(p => p.src);
}"""
# Interactive figures load their data when a reader comes near.
SCROLL = """async () => {
  for (let top = 0; top < document.body.scrollHeight; top += 700) {
    scrollTo(0, top);
    for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame);
  }
}"""
FORMULAS = """() => {
  const sources = document.querySelectorAll(".math");
  const raw = [...sources].filter(s => !s.querySelector("mjx-container")).map(s => s.textContent);
  const wrong = document.querySelectorAll("mjx-merror, mjx-container [style*='red'], [mathcolor]");
  const walker = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
  const left = [];
  while (walker.nextNode()) {
    const node = walker.currentNode;
    if (node.parentElement.closest("pre, code, script, style, mjx-container")) continue;
    if (/\\$\\$|\\\\\\(|\\\\\\[|\\\\begin\\{/.test(node.data)) left.push(node.data.trim());
  }
  return {
    sources: sources.length,
    set: document.querySelectorAll("mjx-container").length,
    raw: [...raw, ...left],
    wrong: [...wrong].map(w => w.outerHTML.slice(0, 200)),
  };
}"""
# What sticks out of a narrow screen, unless something around it scrolls.
TOO_WIDE = """() => {
  const root = document.documentElement;
  const scrolls = e => e && e !== root && e.tagName !== "MAIN" &&
    (/auto|scroll/.test(getComputedStyle(e).overflowX) || scrolls(e.parentElement));
  const outside = [...document.querySelectorAll("article *")].filter(e =>
    e.getBoundingClientRect().right > root.clientWidth + 1 && e.checkVisibility() &&
    !e.closest("mjx-assistive-mml, .onlyprint") && !scrolls(e));
  const page = root.scrollWidth > root.clientWidth ? [`the page: ${root.scrollWidth} px`] : [];
  return [...page, ...outside.map(e => e.outerHTML.slice(0, 120)).slice(0, 5)];
}"""
# Looking at each of some thousand glyphs and words of code takes minutes. Formulas have the colour
# of their text, and each colour of code is looked at once on every background. All backgrounds are
# asked for before anything goes, or the page would be styled anew for each word.
THIN_OUT = """() => {
  const words = [...document.querySelectorAll(".highlight pre span[class]")];
  const behind = words.map(word => getComputedStyle(word.closest(".highlight")).backgroundColor);
  const kinds = words.map((word, number) => word.className + behind[number]);
  document.querySelectorAll("mjx-math, mjx-assistive-mml").forEach(e => e.remove());
  words.forEach((word, number) => {
    if (kinds.indexOf(kinds[number]) < number) word.replaceWith(...word.childNodes);
  });
}"""

# The contrast of text takes most of what axe takes, and texts alike have it alike: it is asked of
# three of each kind, which is what has one colour, ground and size, and one name in the styles.
CONTRAST = {"color-contrast", "link-in-text-block"}
KINDS = """() => {
  const seen = new Map(), behind = new Map([[null, ["", 1]]]);
  const ground = e => {
    if (!behind.has(e)) {
      const style = getComputedStyle(e), [colour, opacity] = ground(e.parentElement);
      const clear = /^rgba\\(.*, 0\\)$/.test(style.backgroundColor);
      const own = clear ? colour : style.backgroundColor;
      const image = style.backgroundImage === "none" ? "" : style.backgroundImage;
      behind.set(e, [own + image, opacity * style.opacity]);
    }
    return behind.get(e);
  };
  const speaks = e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) || e.value;
  for (const e of document.querySelectorAll("body, body *")) {
    if (!speaks(e) || !e.checkVisibility({visibilityProperty: true})) continue;
    const style = getComputedStyle(e);
    const kind = [e.localName, e.getAttribute("class"), style.color, ...ground(e), style.fontSize,
      style.fontWeight, style.textShadow, style.textDecorationLine,
      e.parentElement && getComputedStyle(e.parentElement).color].join();
    seen.set(kind, (seen.get(kind) || 0) + 1);
    e.toggleAttribute("data-kind", seen.get(kind) <= 3);
  }
}"""


# How far below the screen a picture is fetched already is a browser's own choice; on a good line it
# is 1,250 pixels in Chromium, and more where it runs without a window.
FAR_BELOW = """() => [...document.querySelectorAll("img[loading='lazy']")]
  .filter((image) => image.getBoundingClientRect().top > innerHeight + 1250)
  .map((image) => image.currentSrc || image.src)"""


@dataclass
class Visit:
    """What one visit of a page found."""

    console: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)
    sizes: dict[str, int] = field(default_factory=dict)
    first_view: int = 0
    pictures: list[str] = field(default_factory=list)
    formulas: dict = field(default_factory=dict)
    axe: dict[str, list[str]] = field(default_factory=dict)
    too_wide: list[str] = field(default_factory=list)


def watch(page, visit: Visit) -> None:
    """Note what the page asks for and complains about from now on."""

    def answered(response):
        if not response.ok and response.status != 304:
            visit.failed.append(f"{response.status}: {response.url}")
        if response.url.startswith("http"):  # what a page makes itself is not fetched
            size = response.headers.get("content-length")
            if size is None:
                visit.failed.append(f"no size: {response.url}")
            visit.sizes[response.url] = int(size or 0)

    def said(message):
        if message.type in ("error", "warning"):
            visit.console.append(f"{message.type}: {message.text}")

    page.on("console", said)
    page.on("pageerror", lambda error: visit.console.append(str(error)))
    page.on("request", lambda request: visit.addresses.append(request.url))
    page.on("requestfailed", lambda request: visit.failed.append(request.url))
    if not page.url.startswith("file:"):
        page.on("response", answered)


def serious(page, *rules: str) -> list[str]:
    """Return what axe-core finds serious or critical, by all of its rules or by those named."""
    asked = set(rules or CONTRAST)
    found = []
    if others := sorted(asked - CONTRAST):
        found += faults(page, runOnly={"type": "rule", "values": others})
    elif not rules:
        found += faults(page, rules={rule: {"enabled": False} for rule in CONTRAST})
    if contrast := sorted(asked & CONTRAST):
        page.evaluate(KINDS)
        found += faults(page, "[data-kind]", runOnly={"type": "rule", "values": contrast})
    return found


def faults(page, context: str | None = None, **options) -> list[str]:
    options = {"resultTypes": ["violations"], "preload": False, **options}
    found = Axe().run(page, context=context, options=options).response["violations"]
    return [
        f"{rule['id']}: {node['html'][:160]} {node.get('failureSummary', '')[:300]}"
        for rule in found
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"]
    ]


@pytest.fixture(scope="module")
def visit(browser, base_url):
    """Return a function that visits a page once, at two widths and in both themes."""
    visits: dict[str, Visit] = {}

    def once(name: str) -> Visit:
        if name not in visits:
            visits[name] = look_at(browser, f"{base_url}/{name}")
        return visits[name]

    return once


def look_at(browser, address: str) -> Visit:
    visit = Visit()
    # Without motion no colour is caught between the two themes.
    context = browser.new_context(viewport=WIDE, color_scheme="light", reduced_motion="reduce")
    page = context.new_page()
    watch(page, visit)
    page.goto(address, wait_until="networkidle" if address.endswith(HOME) else "load")
    page.evaluate(SETTLED)
    later = page.evaluate(FAR_BELOW)
    visit.first_view = sum(size for name, size in visit.sizes.items() if name not in later)
    page.evaluate(SCROLL)
    page.wait_for_load_state("networkidle")
    visit.pictures = page.evaluate(PICTURES)
    visit.formulas = page.evaluate(FORMULAS)
    for size in (TABLET, NARROW):
        page.set_viewport_size(size)
        page.evaluate(SETTLED)
        visit.too_wide += page.evaluate(TOO_WIDE)
    # The theme waits a moment before it lets the keyboard to what scrolls at another width.
    page.wait_for_timeout(600)
    visit.axe["narrow"] = serious(page, "scrollable-region-focusable", "button-name", "link-name")
    page.set_viewport_size(WIDE)
    page.wait_for_timeout(600)
    page.evaluate(THIN_OUT)
    visit.axe["light"] = serious(page)
    page.emulate_media(color_scheme="dark")
    visit.axe["dark"] = serious(page, *CONTRAST)
    page.wait_for_load_state("networkidle")
    context.close()
    return visit


def foreign(addresses: list[str], base_url: str) -> list[str]:
    return [a for a in addresses if not a.startswith((base_url, "data:", "blob:"))]


# -- Loading --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*PAGES, *OTHERS])
def test_a_page_loads_without_complaint_and_from_here_alone(visit, base_url, name):
    found = visit(name)
    assert found.console == []
    assert found.failed == []
    assert foreign(found.addresses, base_url) == []


@pytest.mark.parametrize("name", PAGES)
def test_a_page_works_from_a_file(browser, site, name):
    visit = Visit()
    with browser.new_context(viewport=WIDE) as context:
        page = context.new_page()
        watch(page, visit)
        page.goto((site / name).as_uri(), wait_until="load")
        page.evaluate(TYPESET)
        visit.pictures = page.evaluate(PICTURES)
        visit.formulas = page.evaluate(FORMULAS)
    assert visit.console == []
    assert visit.failed == []
    assert foreign(visit.addresses, site.as_uri()) == []
    assert visit.pictures == []
    assert visit.formulas["raw"] == []


@pytest.mark.parametrize("name", PAGES)
def test_every_picture_is_there_and_described(visit, name):
    assert visit(name).pictures == []


@pytest.mark.parametrize("name", PAGES)
def test_every_formula_is_set(visit, name):
    found = visit(name).formulas
    assert found["raw"] == []
    assert found["wrong"] == []
    assert found["set"] >= found["sources"]
    has_mathjax = any("/mathjax/" in address for address in visit(name).addresses)
    assert has_mathjax == (found["sources"] > 0)


@pytest.mark.parametrize("name", ["book/elbo.html"])
def test_there_are_formulas(visit, name):
    assert visit(name).formulas["set"] > 100


# -- Size -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [HOME])
def test_the_landing_page_is_light(visit, name):
    assert 0 < visit(name).first_view <= 700_000


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_page_is_not_heavy(visit, name):
    assert 0 < sum(visit(name).sizes.values()) <= 2_500_000


@pytest.mark.parametrize("name", PAGES)
def test_our_own_scripts_are_small(visit, name):
    sizes = {urlsplit(address).path: size for address, size in visit(name).sizes.items()}
    own = [path for path in sizes if path.endswith(".js") and is_our_script(path)]
    assert sum(sizes[path] for path in own) <= 65_000


def is_our_script(path: str) -> bool:
    _, _, place = path.partition("/_static/")
    data = ("mathjax/", "web/")
    return not place.startswith(data) and (STATIC / place).is_file()


# -- Legible for everyone -------------------------------------------------------------------------


@pytest.mark.parametrize("theme", ["light", "dark", "narrow"])
@pytest.mark.parametrize("name", [*PAGES, "search.html", SOURCE])
def test_axe_finds_nothing_serious(visit, name, theme):
    assert visit(name).axe[theme] == []


@pytest.mark.parametrize(("part", "value"), [("color", "#999"), ("background", "#555")])
@pytest.mark.parametrize("name", ["book/elbo.html"])
def test_one_paragraph_that_is_too_pale_is_noticed(open_page, name, part, value):
    page = open_page(name, viewport=WIDE, color_scheme="light")
    paragraphs = page.locator("section > p:not([class])").filter(visible=True)
    paragraphs.nth(15).evaluate("(p, [part, value]) => { p.style[part] = value; }", [part, value])
    found = serious(page, "color-contrast")
    assert found and all("color-contrast" in fault and "<p" in fault for fault in found)


@pytest.mark.parametrize("name", [*PAGES, *OTHERS])
def test_nothing_is_wider_than_a_phone_or_a_tablet(visit, name):
    assert visit(name).too_wide == []
