"""A query's journey in a real browser: the picture keeps up with the text, or stays still."""

import json
import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from edition import beginning, form, say

ROOT = Path(__file__).resolve().parents[2]
ADDRESS = "book/journey.html"
WIDE, PHONE = {"width": 1400, "height": 900}, {"width": 360, "height": 780}
TO = """([i, wide]) => {
  const box = document.querySelectorAll(".journey-step")[i].getBoundingClientRect();
  scrollBy({ top: box.top - innerHeight * (wide ? 0.1 : 0.65), behavior: "instant" });
}"""


@pytest.fixture
def opened(site, browser):
    contexts = []

    def open_page(**options):
        context = browser.new_context(**{"viewport": WIDE} | options)
        contexts.append(context)
        page = context.new_page()
        page.problems = []
        page.on("pageerror", lambda error: page.problems.append(str(error)))
        page.on("requestfailed", lambda request: page.problems.append(request.url))
        page.goto((site / ADDRESS).as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()


def live(page):
    page.wait_for_selector(".journey[data-live=ready]")
    return page


def painted(page) -> list[int]:
    """The picture as the reader has it, in few numbers."""
    return page.evaluate(
        """() => { const c = document.querySelector(".journey-canvas");
        return [...c.getContext("2d").getImageData(0, 0, c.width, c.height).data]
          .filter((_, i) => i % 997 === 0) }"""
    )


@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
def test_the_picture_keeps_up_with_the_text_and_stays_in_sight(opened, viewport):
    page = live(opened(viewport=viewport, reduced_motion="reduce"))
    seen = []
    for i in [*range(8), 2]:  # forwards, and back
        page.evaluate(TO, [i, viewport is WIDE])
        page.wait_for_function("i => bookLive.journey.scene() === i", arg=i)
        box = page.locator(".journey-canvas").bounding_box()
        assert box["y"] >= 0 and box["y"] + box["height"] <= viewport["height"]
        seen.append(painted(page))
    assert all(seen[i] != seen[j] for i in range(8) for j in range(i))
    assert seen[8] == seen[2]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.problems == []


def test_the_numbers_are_those_of_the_data(opened):
    page = live(opened())
    text = (ROOT / "book/_static/web/journey.js").read_text(encoding="utf-8")
    data = json.loads(re.search(r"\] = (\{.*\});\n$", text, re.DOTALL)[1])
    facts = page.locator(".journey-fact").all_inner_texts()
    assert len(facts) == 8
    counts = data["queries"], f"{data['gallery']:,}"
    assert facts[0] == say("Queries: {1}. Gallery: {2} images.", *counts)
    share = round(100 * data["share"])
    assert facts[3] == say("The drawing holds {1} % of the spread.", share)
    distance = f"{data['distance']['pixels']:.1f}"
    told = "Distance in pixels: to itself, moved, {1}; to its tenth neighbour {2}."
    assert form(told, distance).fullmatch(facts[5])
    right = [data["right"][name]["moved"] for name in ("pixels", "plain")]
    assert facts[6] == say("Right among ten: by pixels {1}, by the plain VAE {2}.", *right)
    for name in ("pixels", "plain", "view"):
        mean = data["mean"][name]
        assert say("{1}, moved {2}", f"{mean['still']:.2f}", f"{mean['moved']:.2f}") in facts[7]


def test_it_moves_unless_calm_is_asked_for(opened):
    jump = """() => { bookLive.journey.go(2); return bookLive.journey.settled() }"""
    assert live(opened(reduced_motion="reduce")).evaluate(jump)
    page = live(opened())
    assert not page.evaluate(jump)
    page.wait_for_function("bookLive.journey.settled()")


def test_the_keyboard_scrolls_it_and_a_theme_recolours_it(opened):
    page = live(opened(reduced_motion="reduce"))
    page.evaluate(TO, [3, True])
    page.wait_for_function("bookLive.journey.scene() === 3")
    light = painted(page)
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    page.wait_for_timeout(100)
    assert painted(page) != light
    for _ in range(12):
        page.keyboard.press("PageDown")
        page.wait_for_timeout(50)
    page.wait_for_function("bookLive.journey.scene() === 7")


def test_without_scripts_there_are_eight_pictures(opened):
    page = opened(java_script_enabled=False)
    stills = page.locator('figure[id^="fig-journey-"] [role="img"]')
    assert stills.count() == 8
    for still in stills.all():
        assert still.is_visible() and still.get_attribute("aria-label")
    assert page.locator("noscript p", has_text=beginning("Scripts are off")).is_visible()
    assert page.locator("canvas").count() == 0


def test_without_the_data_the_pictures_stay(site, browser):
    context = browser.new_context()
    page = context.new_page()
    page.route("**/web/journey.js", lambda route: route.abort())
    with page.expect_console_message(lambda message: "stays a row of pictures" in message.text):
        page.goto((site / ADDRESS).as_uri())
    assert page.locator("#fig-journey-cloud .figure-drawing").is_visible()
    context.close()


def test_who_listens_hears_each_still(opened):
    page = live(opened())
    assert page.locator('figure[id^="fig-journey-"] [role="img"]').count() == 8
    assert page.locator(".journey-stage").get_attribute("aria-hidden") == "true"
    styles = page.locator('figure[id^="fig-journey-"]').evaluate_all(
        "all => all.map(f => getComputedStyle(f).display + getComputedStyle(f).visibility)"
    )
    assert set(styles) == {"blockvisible"}  # out of sight, and there


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_journey_is_accessible(opened, scheme):
    page = live(opened(viewport=PHONE, color_scheme=scheme))
    found = Axe().run(page, context="main").response["violations"]
    assert [(v["id"], v["nodes"][0]["html"]) for v in found] == []
