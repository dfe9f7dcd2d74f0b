"""The interactive figures in a real browser: their answers are Python's, and every hand can ask."""

import json
import re
from pathlib import Path
from types import SimpleNamespace

import drawn
import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from edition import beginning, form, say
from scipy.ndimage import map_coordinates

from vae_tutorial import datasets, metrics, objectives
from vae_tutorial.baselines import Pixels
from vae_tutorial.models import pretrained
from vae_tutorial.retrieval import ImageIndex

ROOT = Path(__file__).resolve().parents[2]
FIGURES = {
    "latent": ("book/training.html", "fig-latent-explorer"),
    "elbo": ("book/elbo.html", "fig-elbo-bars"),
    "draw": ("book/draw.html", "fig-draw"),
    "ranking": ("book/background.html", "fig-ranking"),
    "gradients": ("book/elbo.html", "fig-gradients"),
    "beta": ("book/training.html", "fig-beta"),
    "map": ("book/retrieval.html", "fig-map"),
}
STILL = ":is(img, .figure-frame)"  # a drawing in the page's ink, or else a picture
ON_DEMAND = {"latent", "map"}  # load when asked, because their pages are heavy
# What is said of a query that is like no image.
FAR = (
    "This query resembles nothing here: its ten nearest images, by the VAE, are farther away than "
    "those of 98 in 100 held-out digits."
)
MOVES = [
    {"right": 0, "down": 0, "turn": 0},
    {"right": 3, "down": 0, "turn": 0},
    {"right": 0, "down": -2, "turn": 20},
    {"right": -4, "down": 3, "turn": -35},
]
# The chapter around a figure takes axe longer than the figure does, so it goes for a while.
ALONE = """selector => {
  window.gone = [];
  for (let e = document.querySelector(selector); e !== document.body; e = e.parentElement)
    for (const other of [...e.parentElement.children])
      if (other !== e && !other.matches("script, style, link")) {
        const place = document.createComment("");
        other.replaceWith(place);
        gone.push([place, other]);
      }
}"""
TOGETHER = "() => gone.forEach(([place, other]) => place.replaceWith(other))"


@pytest.fixture(scope="module")
def opened(site, browser):
    """Open a page as a file, without a server, with its figure live; one tab a figure."""
    pages = {}

    def open_figure(name, **options):
        key = (name, json.dumps(options, sort_keys=True))
        if key not in pages:
            page = browser.new_context(**options).new_page()
            page.problems = []
            page.on("pageerror", lambda error: page.problems.append(str(error)))
            page.on("requestfailed", lambda request: page.problems.append(request.url))
            address, figure = FIGURES[name]
            page.goto((site / address).as_uri())
            page.locator(f"#{figure}").scroll_into_view_if_needed()
            if name in ON_DEMAND:
                page.locator(f"#{figure} .live-ask button").click()
            page.wait_for_selector(f"#{figure}[data-live=ready]", timeout=60_000)
            pages[key] = page
        assert pages[key].problems == []
        return pages[key]

    yield open_figure
    for page in pages.values():
        page.context.close()


@pytest.fixture(scope="module")
def python():
    """What Python has: models, images, and both indexes of the gallery."""
    digits = datasets.load("mnist-5k")
    vae = pretrained("mnist-dense-view-vae")
    indexes = {
        "pixels": ImageIndex(Pixels().fit(digits.gallery_images)),
        "vae": ImageIndex(vae, metric="cosine"),
    }
    for index in indexes.values():
        index.add(digits.gallery_images)
    queries = digits.query_images[::25]
    return SimpleNamespace(digits=digits, vae=vae, indexes=indexes, queries=queries)


def moved(image: np.ndarray, right: float, down: float, turn: float) -> np.ndarray:
    """Turn clockwise about the centre, then shift: an answer independent of the page's."""
    angle = np.radians(turn)
    rows, columns = np.mgrid[:28, :28] - 13.5
    x, y = columns - right, rows - down
    from_x, from_y = np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x
    places = [from_y + 13.5, from_x + 13.5]
    return map_coordinates(image[..., 0].astype(float), places, order=1, mode="grid-constant")


def assert_nearest(index, asked, found: list[int]) -> None:
    """Check the places found; two that are equally near to a millionth may have changed places."""
    distances, expected = index.search(asked, k=10)
    if found != expected[0].tolist():
        all_distances, places = index.search(asked, k=len(index))
        of_place = dict(zip(places[0].tolist(), all_distances[0], strict=True))
        ours = [of_place[place] for place in found]
        assert len(set(found)) == 10
        np.testing.assert_allclose(ours, distances[0], rtol=0, atol=1e-6)


# -- The page's answers equal Python's ------------------------------------------------------------


def test_the_decoder_draws_what_python_decodes(opened):
    z = np.random.default_rng(0).uniform(-3, 3, (12, 2)).round(3)
    page = opened("latent")
    drawn = page.evaluate("zs => zs.map(z => [...bookLive.latent.decode(z)])", z.tolist())
    expected = pretrained("mnist-2d-vae").decode(z).reshape(12, -1)
    np.testing.assert_allclose(drawn, expected, atol=1e-3)
    assert expected.max() > 0.9  # and there was something to compare


def test_the_encoder_gives_pythons_means(opened, python):
    flat = python.queries.reshape(20, -1).tolist()
    code = "rows => rows.map(row => [...bookLive.draw.encode(Float32Array.from(row))])"
    means = opened("draw").evaluate(code, flat)
    np.testing.assert_allclose(means, python.vae.encode(python.queries), atol=1e-3)


@pytest.mark.parametrize("move", MOVES, ids=str)
def test_the_ten_nearest_are_pythons(opened, python, move):
    code = """([rows, move]) => {
      bookLive.draw.setMove(move);
      return rows.map(row => {
        bookLive.draw.setQuery(row);
        return { query: [...bookLive.draw.query()], ...bookLive.draw.found() };
      });
    }"""
    answers = opened("draw").evaluate(code, [python.queries.reshape(20, -1).tolist(), move])
    for image, answer in zip(python.queries, answers, strict=True):
        asked = np.array(answer["query"], np.float32).reshape(1, 28, 28, 1)
        np.testing.assert_allclose(asked[0, ..., 0], moved(image, **move), atol=1e-5)
        for method, index in python.indexes.items():
            assert_nearest(index, asked.clip(0, 1), answer[method])
    assert np.median([answer["milliseconds"] for answer in answers]) < 100


def test_a_drawing_is_centred_and_scaled_as_mnist_was(opened, python):
    images = python.digits.query_images[..., 0]
    boxes = [np.ptp(np.nonzero(image), axis=1).max() + 1 for image in images]
    chosen = images[np.array(boxes) == 20][:5]
    for image in chosen:
        # The same digit ten times as large, in a corner: it must come back as it was.
        rows, columns = np.nonzero(image)
        box = image[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        ink = np.zeros((280, 280))
        large = np.kron(box, np.ones((10, 10)))
        ink[: large.shape[0], : large.shape[1]] = large
        code = "ink => [...bookLive.draw.standardised(ink, 280)]"
        back = opened("draw").evaluate(code, ink.ravel().tolist())
        np.testing.assert_allclose(np.reshape(back, (28, 28)), image, atol=1e-5)


def test_the_bars_are_exact_and_the_elbo_never_exceeds_the_evidence(opened):
    page = opened("elbo")
    model = page.evaluate("bookLive.elbo.model")
    noise = np.log(model["sigma"] ** 2)
    prior_predictive = np.log(model["w"] ** 2 + model["sigma"] ** 2)
    rng = np.random.default_rng(0)
    for mean, log_var, x in rng.uniform([-3, -4, -3], [3, 2, 3], (40, 3)):
        state = {"mean": mean, "logVar": log_var, "x": x}
        values = page.evaluate("s => (bookLive.elbo.set(s), bookLive.elbo.values())", state)
        at_mean = objectives.gaussian_log_likelihood(
            np.array([[x]]), np.array([[model["w"] * mean + model["b"]]]), np.array([[noise]])
        )
        likelihood = float(at_mean[0]) - 0.5 * model["w"] ** 2 * np.exp(log_var - noise)
        kl = float(objectives.kl_divergence(np.array([[mean]]), np.array([[log_var]]))[0])
        evidence = objectives.gaussian_log_likelihood(
            np.array([[x]]), np.array([[model["b"]]]), np.array([[prior_predictive]])
        )
        assert values["logLikelihood"] == pytest.approx(likelihood, abs=1e-3)
        assert values["kl"] == pytest.approx(kl, abs=1e-3)
        assert values["elbo"] == pytest.approx(likelihood - kl, abs=1e-3)
        assert values["evidence"] == pytest.approx(float(evidence[0]), abs=1e-3)
        assert values["elbo"] < values["evidence"]
        shown = page.locator("#fig-elbo-bars .live-number").all_text_contents()
        expected = [likelihood, -kl, likelihood - kl, float(evidence[0])]
        expected.append(expected[3] - expected[2])  # the gap
        read = [float(text.replace("\u2212", "-")) for text in shown]
        assert read == pytest.approx(expected, abs=0.006)
    page.get_by_role("button", name=say("Make q the exact posterior")).click()
    values = page.evaluate("bookLive.elbo.values()")
    assert values["elbo"] == pytest.approx(values["evidence"], abs=1e-9)


def test_what_does_not_depend_on_q_stays_still(opened):
    page = opened("elbo")
    drawn_at = """s => { bookLive.elbo.set(s);
      const of = selector => document.querySelector(`#fig-elbo-bars ${selector}`);
      const box = kind => { const b = of(`.${kind}`).getBBox(); return [b.x, b.x + b.width]; };
      const still = [".live-limit", ".live-cut .live-prior", ".live-cut .live-truth"];
      return { still: still.map(kind => of(kind).getAttribute("d")),
        axis: [...document.querySelectorAll("#fig-elbo-bars .live-tick")].map(e => e.textContent),
        gap: box("live-gap"), elbo: box("live-bound"), evidence: box("live-evidence"),
        torn: document.querySelectorAll("#fig-elbo-bars .live-torn").length }; }"""
    seen = [
        page.evaluate(drawn_at, {"mean": mean, "logVar": log_var, "x": 1.2})
        for mean, log_var in [(0.7, -1), (-1, 0), (-3, 2), (3, -4), (0.6, -4)]
    ]
    assert all(one["still"] == seen[0]["still"] for one in seen)
    assert all(one["axis"] == seen[0]["axis"] for one in seen)
    for one in seen:  # the gap begins where log p(x) ends, and ends where the ELBO does
        assert one["gap"] == pytest.approx([one["elbo"][0], one["evidence"][0]], abs=1.01)
    assert [one["torn"] > 0 for one in seen] == [False, False, True, False, False]


def test_the_measures_of_a_reordered_ranking_are_pythons(opened):
    page = opened("ranking")
    data = page.evaluate("bookLive.data['small-ranking']")
    rng = np.random.default_rng(0)
    for k in (1, 3, 5, 10, 10):
        order = rng.permutation(10)
        code = "([order, k]) => (bookLive.ranking.set(order, k), bookLive.ranking.measures())"
        found = page.evaluate(code, [order.tolist(), k])
        hits = (np.array(data["labels"]) == data["digit"])[order][np.newaxis]
        R = np.array([data["relevant"]])
        expected = {
            "precision": metrics.precision_at_k(hits, k),
            "recall": metrics.recall_at_k(hits, R, k),
            "ap": metrics.average_precision(hits, R, k=k),
            "ndcg": metrics.ndcg_at_k(hits, R, k),
        }
        shown = page.locator(".live-dials output").all_text_contents()
        for text, (name, value) in zip(shown, expected.items(), strict=True):
            assert found[name] == pytest.approx(float(value[0])), name
            assert float(text) == pytest.approx(float(value[0]), abs=6e-4)
        heights = page.locator(".live-column i").evaluate_all(
            "bars => bars.map(bar => bar.getBoundingClientRect().height)"
        )
        so_far = np.cumsum(hits[0]) / np.arange(1, 11)
        np.testing.assert_allclose(heights, np.maximum(96 * so_far, 4), atol=0.5)


def test_the_clouds_are_those_of_the_chapter(opened):
    page = opened("gradients")
    notebook = json.loads((ROOT / "book" / "elbo.ipynb").read_text(encoding="utf-8"))
    cells = ["".join(cell["source"]) for cell in notebook["cells"]]
    names = {"np": np}
    for start in ("def log_gaussian(", "def gradient_draws("):
        exec(next(cell for cell in cells if cell.startswith(start)), names)
    model = page.evaluate("bookLive.gradients.model")
    W, b, x = (np.array(model[name]) for name in ("W", "b", "x"))
    noise = np.random.default_rng(0).standard_normal((50, 2))
    for sd in (1.0, 0.4):
        expected = names["gradient_draws"](W, b, model["sigma"], x, np.zeros(2), sd, noise)
        for name, kind, baseline in (
            ("score function", "score", False),
            ("with baseline", "score", True),
            ("reparameterisation", "slope", False),
        ):
            code = "([noise, sd, calm]) => bookLive.gradients.of(noise, sd, calm)"
            found = page.evaluate(code, [noise.tolist(), sd, baseline])[kind]
            np.testing.assert_allclose(found, expected[name], rtol=1e-9, atol=1e-9)
    draws = np.array(page.evaluate("bookLive.gradients.draws()"))
    assert abs(draws.mean()) < 0.15 and abs(draws.std() - 1) < 0.1  # standard normal
    exact = W.T @ (x - b) / model["sigma"] ** 2
    np.testing.assert_allclose(page.evaluate("bookLive.gradients.exact"), exact)


def test_the_dials_and_the_ten_are_those_of_the_trained_models(opened, python):
    page = opened("beta")
    data = page.evaluate("bookLive.data['beta-models']")
    for i, beta in enumerate(data["betas"]):
        for query in (0, 3, 9):
            code = (
                "([b, q]) => (bookLive.beta.set(b), bookLive.beta.choose(q), bookLive.beta.state())"
            )
            state = page.evaluate(code, [i, query])
            assert (state["beta"], state["query"]) == (beta, query)
            rate, distortion, precision = (
                float(text.split()[0]) for text in page.locator(".live-reading").all_text_contents()
            )
            assert rate == pytest.approx(np.mean(data["rate"][i]), abs=0.51)
            assert distortion == pytest.approx(np.mean(data["distortion"][i]), abs=0.51)
            assert precision == pytest.approx(np.mean(data["precision"][i]), abs=0.0051)
            right = state["found"].count(query)
            assert page.locator("#fig-beta .live-right").count() == right
            score = page.locator("#fig-beta .live-score").inner_text()
            assert score == say("{1} of 10 right", right)
    # At the last beta every posterior is the prior: ellipses are circles of radius 1.
    prior = float(page.locator("#fig-beta .live-edge").get_attribute("r"))
    radii = page.locator(".live-posteriors ellipse").evaluate_all(
        "all => all.flatMap(e => [e.getAttribute('rx'), e.getAttribute('ry')].map(Number))"
    )
    np.testing.assert_allclose(radii, prior, rtol=0.06)


# -- Mouse, touch and keyboard --------------------------------------------------------------------


def touch(page, *places):
    """Put a finger down, move it and lift it, as a phone would report it.

    What a click changes is to be waited for: the browser makes it of a tap that was told already.
    """
    session = page.context.new_cdp_session(page)
    kinds = ["touchStart"] + ["touchMove"] * (len(places) - 1)
    for kind, (x, y) in zip(kinds, places, strict=True):
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def wait_to_hear(page, figure: str, words: re.Pattern) -> None:
    """Wait until who listens is told these words, from their beginning."""
    said = page.locator(f"{figure} [aria-live]").element_handle()
    code = "([said, words]) => new RegExp(`^(${words})`).test(said.textContent)"
    page.wait_for_function(code, arg=[said, words.pattern])


def place(locator, across: float, down: float) -> tuple[float, float]:
    locator.scroll_into_view_if_needed()
    box = locator.bounding_box()
    return box["x"] + across * box["width"], box["y"] + down * box["height"]


PHONE = {"viewport": {"width": 360, "height": 780}, "has_touch": True, "is_mobile": True}


def test_the_map_shows_the_ten_nearest_by_each_descriptor(opened, python):
    page = opened("map")
    page.evaluate("bookLive.map.choose(77)")
    state = page.evaluate("bookLive.map.state()")
    labels = page.evaluate("bookLive.unpack(bookLive.data['digit-map'].labels).then(l => [...l])")
    assert state["digit"] == labels[77]
    for m, found in enumerate(state["found"]):
        row = page.locator("#fig-map .live-row").nth(m)
        shown = row.locator("li > span").all_inner_texts()
        assert [int(text[0]) for text in shown] == [labels[i] for i in found]
        right = sum(labels[i] == labels[77] for i in found)
        assert row.locator(".live-score").inner_text() == say("{1} of 10", right)
        assert row.locator(".live-right").count() == right


def test_the_map_answers_to_mouse_keyboard_and_finger(opened):
    page = opened("map", reduced_motion="reduce")
    page.get_by_role("button", name="PCA", exact=True).click()
    assert page.evaluate("bookLive.map.state().method") == "PCA"
    assert page.evaluate("bookLive.map.state().still")  # at once, for those who want calm
    board = page.locator(".live-map")
    across, down = page.evaluate("bookLive.map.spot(834)")
    page.mouse.click(*place(board, across, down))
    assert page.evaluate("bookLive.map.state().chosen") == 834
    board.focus()
    page.keyboard.press("ArrowRight")
    chosen = page.evaluate("bookLive.map.state().chosen")
    assert page.evaluate("i => bookLive.map.spot(i)[0]", chosen) > across
    asks = form("How many of the ten nearest to this {1} show a {1}")
    wait_to_hear(page, "#fig-map", form("Laid out by {1}. {2}: {3}.", "PCA", asks))
    phone = opened("map", **PHONE)
    spot = phone.evaluate("bookLive.map.spot(200)")
    touch(phone, place(phone.locator(".live-map"), *spot))
    phone.wait_for_function("bookLive.map.state().chosen === 200")


def test_the_map_loads_when_somebody_asks(site, browser):
    page = browser.new_page()
    page.goto((site / FIGURES["map"][0]).as_uri())
    page.locator("#fig-map").scroll_into_view_if_needed()
    page.wait_for_timeout(300)
    assert page.evaluate("Object.keys(bookLive.data)") == []
    assert page.locator("#fig-map img").is_visible()
    page.get_by_role("button", name=say("Explore this map")).focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#fig-map[data-live=ready]", timeout=60_000)
    focused = "document.activeElement.closest('#fig-map .live') !== null"
    page.wait_for_function(focused)  # and not at the top of the page again
    page.close()


def test_the_map_morphs(opened):
    page = opened("map")
    page.evaluate("bookLive.map.show(0)")
    page.wait_for_function("bookLive.map.state().still")
    page.get_by_role("button", name=say("view VAE"), exact=True).click()
    page.wait_for_function(
        "bookLive.map.state().still && bookLive.map.state().method === 'view VAE'"
    )


def test_beta_answers_to_mouse_keyboard_and_finger(opened):
    page = opened("beta")
    page.evaluate("bookLive.beta.set(4), bookLive.beta.choose(3)")
    page.locator(".live-beta input[type=range]").focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("bookLive.beta.state().beta") == 3
    now = form("\u03b2 = {1}: rate {2} nats, distortion {3} nats, P@10 {4}.", 3)
    news = form("; {1} were not among the ten at \u03b2 = {2}.", None, 1)
    wait_to_hear(page, "#fig-beta", form("{1} {2}{3}", now, None, news))
    seven = page.get_by_role("button", name=say("Query: a {1}", 7))
    seven.click()
    assert page.evaluate("bookLive.beta.state().query") == 7
    assert seven.get_attribute("aria-pressed") == "true"
    phone = opened("beta", **PHONE)
    touch(phone, place(phone.locator(".live-field"), 0.99, 0.5))
    phone.wait_for_function("bookLive.beta.state().query !== 3")  # the query nearest to the finger
    slider = phone.locator(".live-beta input[type=range]")
    touch(phone, place(slider, 0.98, 0.5))
    phone.wait_for_function("bookLive.beta.state().beta === 30")


def test_beta_does_not_move_for_those_who_want_calm(opened):
    page = opened("beta", reduced_motion="reduce")
    code = """() => { bookLive.beta.set(0); bookLive.beta.set(7);
      return document.querySelector(".live-reading").textContent }"""
    nothing = f"0 {say('nats')}"
    assert page.evaluate(code) == nothing  # at once
    moving = opened("beta")
    assert moving.evaluate(code) != nothing
    code = "nothing => document.querySelector('.live-reading').textContent === nothing"
    moving.wait_for_function(code, arg=nothing)


def test_the_plane_answers_to_the_mouse(opened):
    page = opened("latent")
    plane = page.locator(".live-plane")
    before = page.evaluate("bookLive.latent.position()")
    page.mouse.move(*place(plane, 0.5, 0.5))
    page.mouse.down()
    page.mouse.move(*place(plane, 0.75, 0.25), steps=4)
    page.mouse.up()
    after = page.evaluate("bookLive.latent.position()")
    reach = float(page.locator("#fig-latent-explorer input").first.get_attribute("max"))
    assert after != before
    assert after == pytest.approx([reach / 2, reach / 2], abs=0.1)
    page.mouse.move(*place(plane, 0.1, 0.1))  # without the button nothing follows
    assert page.evaluate("bookLive.latent.position()") == after


def test_the_plane_answers_to_the_keyboard(opened):
    page = opened("latent")
    page.evaluate("bookLive.latent.move([0, 0])")
    page.locator(".live-plane").focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "Shift+ArrowLeft"):
        page.keyboard.press(key)
    assert page.evaluate("bookLive.latent.position()") == pytest.approx([-0.3, -0.1])
    page.keyboard.press("Tab")  # to the slider of the first latent
    page.keyboard.press("Home")
    reach = float(page.locator("#fig-latent-explorer input").first.get_attribute("max"))
    assert page.evaluate("bookLive.latent.position()") == pytest.approx([-reach, -0.1])
    nearest = form("{1}; the nearest held-out digit is a {2}.", None, re.compile(r"\d"))
    wait_to_hear(page, "#fig-latent-explorer", nearest)


def test_the_plane_answers_to_a_finger(opened):
    page = opened("latent", **PHONE)
    page.evaluate("bookLive.latent.move([0, 0])")
    plane = page.locator(".live-plane")
    touch(page, place(plane, 0.5, 0.5), place(plane, 0.4, 0.6), place(plane, 0.25, 0.75))
    reach = float(page.locator("#fig-latent-explorer input").first.get_attribute("max"))
    assert page.evaluate("bookLive.latent.position()") == pytest.approx([-reach / 2] * 2, abs=0.2)
    page.touchscreen.tap(*place(plane, 0.75, 0.5))
    assert page.evaluate("bookLive.latent.position()") == pytest.approx([reach / 2, 0], abs=0.2)


def test_the_legend_shows_one_digit(opened):
    page = opened("latent")
    page.locator(".live-legend button").nth(3).click()
    assert page.locator(".live-faded").count() == 9
    page.locator(".live-legend button").nth(3).click()
    assert page.locator(".live-faded").count() == 0


def test_the_bars_answer_to_the_keyboard(opened):
    page = opened("elbo")
    page.evaluate("bookLive.elbo.set({ mean: 0, logVar: 0, x: 1 })")
    page.get_by_role("slider", name=say("log-variance")).focus()
    for _ in range(4):
        page.keyboard.press("ArrowLeft")
    assert page.evaluate("bookLive.elbo.values().logVar") == pytest.approx(-0.2)
    below = (
        "The ELBO lies {1} nats below log p(x). "
        "This gap is the KL divergence of q from the exact posterior."
    )
    wait_to_hear(page, "#fig-elbo-bars", form(below))


def places_of_tiles(page, *ranks):
    tiles = page.locator("#fig-ranking li > button")
    return [place(tiles.nth(rank - 1), 0.5, 0.5) for rank in ranks]


@pytest.mark.parametrize("hand", ["mouse", "finger"])
def test_a_result_is_dragged_to_another_rank(opened, hand):
    page = opened("ranking", **(PHONE if hand == "finger" else {}))
    page.evaluate("bookLive.ranking.set([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 10)")
    (drag if hand == "mouse" else touch)(page, *places_of_tiles(page, 3, 2, 1))
    assert page.evaluate("bookLive.ranking.order()") == [2, 0, 1, 3, 4, 5, 6, 7, 8, 9]
    # And without a drag: a tap takes it up, another puts it down. A flick goes on for a moment
    # (up to 300 ms, where it was measured), and a tap in that time ends it and does nothing else.
    page.wait_for_timeout(1000 if hand == "finger" else 0)
    tap = page.mouse.click if hand == "mouse" else page.touchscreen.tap
    taken, put = places_of_tiles(page, 10, 4)
    tap(*taken)
    page.wait_for_selector("#fig-ranking li:nth-child(10) > [aria-pressed=true]")
    tap(*put)
    page.wait_for_function("String(bookLive.ranking.order()) === '2,0,1,9,3,4,5,6,7,8'")


def test_keys_reorder_a_ranking_and_the_focus_goes_along(opened):
    page = opened("ranking")
    page.evaluate("bookLive.ranking.set([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 10)")
    page.locator("#fig-ranking li > button").nth(2).focus()
    for key in ("ArrowLeft", "ArrowLeft", "ArrowLeft", "End"):
        page.keyboard.press(key)
    assert page.evaluate("bookLive.ranking.order()") == [0, 1, 3, 4, 5, 6, 7, 8, 9, 2]
    focused = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert focused == say("Rank {1}: a {2}, hit", 10, 3)
    page.get_by_label(say("first k results")).focus()
    for _ in range(5):
        page.keyboard.press("ArrowLeft")
    shares = form("P@{1} = {2}/{1}, recall@{1} = {2}/{3}", 5, 3, 8)
    wait_to_hear(page, "#fig-ranking", shares)


def test_the_step_that_the_chapter_names_is_worth_what_it_says(opened):
    page = opened("ranking")
    worth = []
    for order in ([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], [0, 2, 1, 3, 4, 5, 6, 7, 8, 9]):
        code = "o => (bookLive.ranking.set(o, 10), bookLive.ranking.measures().ap)"
        worth.append(page.evaluate(code, order))
    worth.append(page.evaluate(code, [0, 2, 1, 3, 4, 5, 7, 6, 8, 9]))
    assert np.diff(worth).round(3).tolist() == [0.042, 0.011]


def test_the_clouds_answer_to_keyboard_and_buttons(opened):
    page = opened("gradients")
    page.evaluate("bookLive.gradients.set({ n: 60, sd: 1, baseline: false })")
    figure = page.locator("#fig-gradients")
    arrows = figure.locator("path.live-by-slope")
    assert arrows.count() == 60
    page.get_by_role("slider", name=say("draws")).focus()
    page.keyboard.press("ArrowRight")
    assert arrows.count() == 61
    tips = [arrow.get_attribute("d") for arrow in arrows.all()[:3]]
    calm = page.get_by_role("button", name=say("With baseline"))
    calm.click()
    assert calm.get_attribute("aria-pressed") == "true"
    assert [arrow.get_attribute("d") for arrow in arrows.all()[:3]] == tips
    page.get_by_role("button", name=say("Draw anew")).click()
    assert [arrow.get_attribute("d") for arrow in arrows.all()[:3]] != tips
    each = "One draw is off by {1} by the score function and by {2} reparameterised."
    more = "By these draws, the score function needs {1} times as many for the same accuracy."
    wait_to_hear(page, "#fig-gradients", form("{1} {2}", form(each), form(more)))


def draw_a_one(page, hand):
    pad = page.locator(".live-pad")
    hand(page, *[place(pad, 0.5 + 0.02 * step, 0.8 - 0.07 * step) for step in range(9)])


def drag(page, *places):
    page.mouse.move(*places[0])
    page.mouse.down()
    for where in places[1:]:
        page.mouse.move(*where)
    page.mouse.up()


def told_by_the_vae(times, digit) -> re.Pattern:
    """Return what matches the words where the VAE's ten begin with so many of a digit."""
    some = form("{1}\u00d7 {2}", times, digit).pattern
    words = "By pixels, the ten nearest show {1}; by the VAE, {2}."
    return re.compile(f".*{form(words, None, re.compile(some + '.*')).pattern}")


@pytest.mark.parametrize("hand", [drag, touch], ids=["mouse", "finger"])
def test_a_drawn_one_finds_ones(opened, python, hand):
    page = opened("draw", **(PHONE if hand is touch else {}))
    page.evaluate("bookLive.draw.setMove({ right: 0, down: 0, turn: 0 })")
    page.get_by_role("button", name=say("Clear")).click()
    assert page.locator(".live-draw").get_attribute("data-empty") == "true"
    draw_a_one(page, hand)
    page.wait_for_selector(".live-draw[data-empty=false]")
    page.wait_for_timeout(100)
    found = page.evaluate("bookLive.draw.found()")
    labels = python.digits.gallery_labels
    for method in ("pixels", "vae"):
        assert np.sum(labels[found[method]] == 1) >= 8, method
    wait_to_hear(page, ".live-draw", told_by_the_vae(re.compile(r"\d+"), 1))


def query_of(page) -> list:
    """Return what the search is asked, to see that it changes, or does not."""
    return page.evaluate("[...bookLive.draw.query()]")


def example(page, digit: int):
    return page.get_by_role("button", name=say("Example: a {1}", digit))


def fresh_pad(page, digit=3) -> None:
    page.evaluate("bookLive.draw.setMove({ right: 0, down: 0, turn: 0 })")
    example(page, digit).click()


def test_what_is_no_drawing_leaves_the_example_alone(opened):
    page = opened("draw")
    fresh_pad(page)
    before, pad = query_of(page), page.locator(".live-pad")
    page.mouse.move(*place(pad, 0.3, 0.3))
    for button in ("right", "middle"):
        page.mouse.down(button=button)
        page.mouse.move(*place(pad, 0.6, 0.6), steps=3)
        page.mouse.up(button=button)
    page.wait_for_timeout(100)
    assert query_of(page) == before
    assert example(page, 3).get_attribute("aria-pressed") == "true"


@pytest.mark.parametrize("hand", ["mouse", "finger"])
def test_a_tap_draws_a_dot_and_undo_takes_it_back(opened, hand):
    page = opened("draw", **(PHONE if hand == "finger" else {}))
    fresh_pad(page)
    before, pad = query_of(page), page.locator(".live-pad")
    tap = page.touchscreen.tap if hand == "finger" else page.mouse.click
    tap(*place(pad, 0.2, 0.3))
    dot = np.reshape(query_of(page), (28, 28))
    assert dot.max() == 1 and 2 < dot.sum() < 12  # the mark of the pen, and not a blot
    rows, columns = np.nonzero(dot)
    assert 13 <= rows.mean() <= 15 and 13 <= columns.mean() <= 15
    page.get_by_role("button", name=say("Undo")).click()
    assert query_of(page) == before
    assert example(page, 3).get_attribute("aria-pressed") == "true"


def test_a_second_finger_leaves_no_mark(opened):
    page = opened("draw", **PHONE)
    fresh_pad(page)
    pad = page.locator(".live-pad")
    first = [place(pad, 0.3, 0.2 + 0.1 * step) for step in range(6)]
    touch(page, *first)
    page.wait_for_timeout(100)
    alone = query_of(page)
    fresh_pad(page)
    session = page.context.new_cdp_session(page)
    resting = place(pad, 0.9, 0.9)

    def send(kind, *points):
        points = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(points)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    send("touchStart", first[0])
    send("touchStart", first[0], resting)
    for x, y in first[1:]:
        send("touchMove", (x, y), (resting[0] - 3, resting[1]))
    send("touchEnd")
    page.wait_for_timeout(100)
    np.testing.assert_allclose(query_of(page), alone, atol=0.02)


# Pointers come one after the other, in one go, so that a slow machine changes nothing. Each goes
# from place to place; at the end it is lifted, unless it rests there or was in the air.
POINTERS = """(all) => {
  const pad = document.querySelector(".live-pad");
  pad.setPointerCapture = () => {};  // there is no pointer to capture behind these events
  const box = pad.getBoundingClientRect();
  all.forEach(([pointerType, does, places], pointerId) => {
    const send = (name, [x, y]) => pad.dispatchEvent(new PointerEvent(name, {
      pointerType, pointerId, button: 0,
      clientX: box.left + x * box.width, clientY: box.top + y * box.height }));
    const draws = does !== "hovers";
    places.forEach((where, i) => send(i || !draws ? "pointermove" : "pointerdown", where));
    if (does === "draws") send("pointerup", places.at(-1));
  });
  return new Promise(done => setTimeout(() => done([...bookLive.draw.query()]), 100));
}"""
STROKE, PALM, MORE = [[0.4, 0.2], [0.4, 0.8]], [[0.9, 0.5], [0.95, 0.9]], [[0.7, 0.2], [0.7, 0.8]]
PEN = ("pen", "draws", STROKE)


def test_once_a_pen_has_drawn_a_palm_does_not(opened):
    page = opened("draw", viewport={"width": 900, "height": 900})
    fresh_pad(page)
    drawn = page.evaluate(POINTERS, [PEN])
    assert page.evaluate(POINTERS, [("touch", "draws", PALM)]) == drawn
    assert page.evaluate(POINTERS, [("pen", "draws", MORE)]) != drawn


@pytest.mark.parametrize("does", ["rests", "draws"], ids=["rests", "lifted"])
def test_a_palm_that_comes_before_the_first_pen_leaves_no_mark(browser, site, does):
    palm = ("touch", does, PALM)
    # The palm may shift on the glass. A pen in the air counts, too.
    palms = [palm] if does == "rests" else [palm, palm]
    asked = []
    for pointers in ([PEN], [*palms, PEN], [*palms, ("pen", "hovers", [[0.5, 0.5]]), PEN]):
        page = fresh_page(browser, site)
        asked.append(page.evaluate(POINTERS, pointers))
        page.close()
    assert asked[0] == asked[1] == asked[2]


def test_what_a_finger_drew_stays_when_a_pen_comes_later(browser, site):
    page = fresh_page(browser, site)
    by_finger = page.evaluate(POINTERS, [("touch", "draws", STROKE)])
    page.wait_for_timeout(1200)
    both = [("touch", "draws", PALM), ("pen", "hovers", [[0.5, 0.5]])]
    assert page.evaluate(POINTERS, both) == by_finger
    page.close()


def fresh_page(browser, site):
    """Open the pad with an example on it, and no pen known."""
    page = browser.new_page(viewport={"width": 900, "height": 900})
    page.goto((site / "book" / "draw.html").as_uri(), wait_until="load")
    page.locator("#fig-draw").scroll_into_view_if_needed()
    page.locator("#fig-draw[data-live='ready']").wait_for(timeout=60_000)
    fresh_pad(page)
    return page


def test_a_small_drawing_in_a_corner_asks_what_a_large_one_asks(opened):
    page = opened("draw")
    seven = np.array([[50, 60], [110, 58], [190, 62], [150, 140], [120, 230]], float)
    code = "strokes => [...bookLive.draw.prepared([strokes])]"
    large = page.evaluate(code, seven.tolist())
    small = page.evaluate(code, (seven * 0.3).tolist())
    np.testing.assert_allclose(small, large, atol=0.06)
    ink = np.reshape(large, (28, 28))
    # And as it was measured: the same line, as points that lie close together.
    steps = np.linspace(0, 4, 801)
    line = np.stack([np.interp(steps, range(5), seven[:, axis]) for axis in (0, 1)], axis=1)
    assert np.abs(drawn.strokes_scaled(line) - ink).mean() < 0.01
    assert max(np.ptp(np.nonzero(ink), axis=1)) + 1 in (20, 21)


def test_the_reader_says_what_was_drawn_and_both_rows_are_scored(opened, python):
    page = opened("draw")
    fresh_pad(page)
    assert page.locator(".live-answers button:enabled").count() == 0  # of an example it is known
    page.get_by_role("button", name=say("Clear")).click()
    assert page.locator(".live-score").all_text_contents() == ["", ""]
    draw_a_one(page, drag)
    page.wait_for_selector(".live-ask[data-asks=true]")
    assert page.locator("#live-question").text_content() == say("What did you draw?")
    assert page.locator(".live-score").all_text_contents() == ["", ""]
    page.locator(".live-answers button").nth(1).focus()
    page.keyboard.press("Enter")
    found = page.evaluate("bookLive.draw.found()")
    right = [int(np.sum(python.digits.gallery_labels[found[m]] == 1)) for m in ("pixels", "vae")]
    assert page.locator(".live-score").all_text_contents() == [
        say("{1} of {2}", n, 10) for n in right
    ]
    agreed = "Of ten, pixels find {1} of the digit {2}, the VAE {3}."
    wait_to_hear(page, ".live-draw", form(agreed, right[0], 1, right[1]))


def test_the_bars_show_pythons_distances(opened, python):
    page = opened("draw")
    fresh_pad(page, 4)
    page.evaluate("bookLive.draw.setMove({ right: 3 })")
    found = page.evaluate("bookLive.draw.found()")
    asked = np.array(query_of(page), np.float32).reshape(1, 28, 28, 1)
    far = page.evaluate("bookLive.data['digit-gallery'].far")
    for number, (method, index) in enumerate(python.indexes.items()):
        distances = index.search(asked, k=10)[0][0]
        np.testing.assert_allclose(found["far"][method], distances, atol=2e-3)
        bars = page.locator("#fig-draw .live-found").nth(number).locator(".live-bar i")
        widths = bars.evaluate_all("bars => bars.map(bar => parseFloat(bar.style.width))")
        expected = np.minimum(100, 200 / 3 * np.array(found["far"][method]) / far[method])
        np.testing.assert_allclose(widths, expected, atol=0.01)
        beyond = page.locator("#fig-draw .live-found").nth(number).locator(".live-beyond").count()
        assert beyond == np.sum(np.array(found["far"][method]) > far[method])


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_the_shift_is_played_once_and_stops_at_a_touch(site, browser, motion):
    context = browser.new_context(viewport={"width": 1400, "height": 900}, reduced_motion=motion)
    page = context.new_page()
    page.goto((site / FIGURES["draw"][0]).as_uri())
    page.wait_for_selector("#fig-draw[data-live=ready]", timeout=60_000)
    page.locator("#fig-draw .live-found").first.scroll_into_view_if_needed()
    page.wait_for_function("document.querySelector('.live-moves output').textContent === '3 px'")
    scores = [say("{1} of {2}", n, 10) for n in (1, 10)]
    assert page.locator(".live-score").all_text_contents() == scores
    page.get_by_role("button", name=say("Sliders to zero")).click()
    page.wait_for_timeout(900)
    assert page.locator(".live-moves output").first.text_content() == "0 px"
    if motion == "no-preference":
        page.get_by_role("button", name=say("Play the shift")).click()
        page.get_by_label(say("shift right")).focus()
        page.keyboard.press("ArrowLeft")
        page.wait_for_timeout(900)
        assert page.locator(".live-moves output").first.text_content() == "\u22121 px"
    context.close()


def test_on_a_phone_the_pad_and_both_rows_are_in_sight_together(opened):
    page = opened("draw", **PHONE)
    pad = page.locator(".live-pad").bounding_box()
    rows = [row.bounding_box() for row in page.locator("#fig-draw ol").all()]
    seen = max(row["y"] + row["height"] for row in rows) - pad["y"]
    assert len(rows) == 2
    assert seen < PHONE["viewport"]["height"] - 60  # less the page's own header


def test_keys_choose_an_example_and_move_it(opened, python):
    page = opened("draw")
    page.evaluate("bookLive.draw.setMove({ right: 0, down: 0, turn: 0 })")
    example(page, 3).focus()
    page.keyboard.press("Enter")
    assert example(page, 3).get_attribute("aria-pressed") == "true"
    first = np.flatnonzero(python.digits.query_labels == 3)[0]
    still = page.evaluate("[...bookLive.draw.query()]")
    np.testing.assert_allclose(still, python.digits.query_images[first].ravel(), atol=1e-6)
    page.get_by_label(say("shift right")).focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    shifted = np.reshape(page.evaluate("[...bookLive.draw.query()]"), (28, 28))
    np.testing.assert_allclose(shifted[:, 3:], np.reshape(still, (28, 28))[:, :-3], atol=1e-6)
    found = page.evaluate("bookLive.draw.found()")
    expected = python.digits.gallery_labels[found["vae"]]
    shown = (
        page.locator("#fig-draw .live-found")
        .nth(1)
        .locator("li > span:first-of-type")
        .all_inner_texts()
    )
    assert [int(text[0]) for text in shown] == expected.tolist()
    assert [text.endswith("\u2713") for text in shown] == (expected == 3).tolist()


def test_the_words_keep_up_with_the_pictures(opened, python):
    page = opened("draw")
    images = [
        python.digits.query_images[np.flatnonzero(python.digits.query_labels == digit)[0]]
        for digit in (0, 4)
    ]
    # Asked for in the same breath: no time passes between the pictures and the words.
    code = """pixels => { bookLive.draw.setMove({ right: 0, down: 0, turn: 0 });
      bookLive.draw.setQuery(pixels); return document.querySelector(".live-result").textContent }"""
    for digit, image in zip((0, 4), images, strict=True):
        told = page.evaluate(code, image.ravel().tolist())
        assert told_by_the_vae(10, digit).match(told)
    wait_to_hear(page, ".live-draw", told_by_the_vae(10, 4))
    # And as they are spoken: at no moment do they tell of other pictures than those to be seen.
    code = """pixels => { bookLive.draw.setQuery(pixels);
      return document.querySelector(".live-draw [aria-live]").textContent }"""
    assert page.evaluate(code, images[0].ravel().tolist()) == ""
    wait_to_hear(page, ".live-draw", told_by_the_vae(10, 0))
    page.get_by_role("button", name=say("Clear")).click()
    assert page.locator(".live-draw [aria-live]").text_content() == ""
    empty = "The pad is empty. Draw a digit, or choose an example."
    assert page.locator(".live-result").inner_text() == say(empty)
    wait_to_hear(page, ".live-draw", form(empty))
    assert page.locator(".live-score").all_text_contents() == ["", ""]
    assert page.locator(".live-draw .live-note").text_content() == ""


def test_a_query_that_resembles_nothing_is_called_so(opened, python):
    page = opened("draw")
    page.evaluate("bookLive.draw.setMove({ right: 0, down: 0, turn: 0 })")
    warning = page.locator(".live-far")
    for digit in range(10):
        example(page, digit).click()
        assert not warning.is_visible(), digit
    house = np.zeros((28, 28))
    house[14:24, 6] = house[14:24, 21] = house[23, 6:22] = house[14, 6:22] = 1  # walls
    for step in range(9):  # a roof
        house[13 - step, [6 + step, 21 - step]] = 1
    house[18:24, 12] = house[18:24, 15] = house[18, 12:16] = 1  # a door
    page.evaluate("pixels => bookLive.draw.setQuery(pixels)", house.ravel().tolist())
    assert warning.is_visible()
    wait_to_hear(page, ".live-draw", re.compile(f".*{form(FAR).pattern}"))
    image = house[np.newaxis, ..., np.newaxis].astype(np.float32)
    expected = python.indexes["vae"].search(image, k=10)[0].mean()
    assert page.evaluate("bookLive.draw.found().distance") == pytest.approx(expected, abs=2e-3)
    page.get_by_role("button", name=say("Clear")).click()
    assert not warning.is_visible()


# -- What the page owes everybody -----------------------------------------------------------------


@pytest.mark.parametrize("name", FIGURES)
def test_without_scripts_there_is_a_picture_and_words(site, browser, name):
    address, figure = FIGURES[name]
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((site / address).as_uri())
    assert page.locator(f"#{figure} {STILL}").is_visible()
    assert page.locator(f"#{figure} figcaption").is_visible()
    words = page.locator(f"#{figure} ~ noscript p", has_text=beginning("Scripts are off"))
    assert words.first.is_visible()
    assert page.locator(f"#{figure} canvas, #{figure} input").count() == 0
    context.close()


@pytest.mark.parametrize("name", FIGURES)
def test_with_scripts_the_figure_takes_the_place_of_the_picture(opened, name):
    page, figure = opened(name), FIGURES[name][1]
    assert page.locator(f"#{figure} {STILL}").count() == 1
    assert not page.locator(f"#{figure} {STILL}").is_visible()
    assert page.locator(f"#{figure} .live").is_visible()
    assert page.locator(f"#{figure} figcaption").is_visible()


def test_data_are_loaded_late_and_from_here_alone(browser, base_url):
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    page = context.new_page()
    addresses = []
    page.on("request", lambda request: addresses.append(request.url))
    page.goto(f"{base_url}/book/training.html", wait_until="networkidle")
    assert not any("digit-" in address for address in addresses)
    page.get_by_role("button", name=say("Explore this plane")).click()
    page.wait_for_selector("#fig-latent-explorer[data-live=ready]")
    assert sum("_static/web/digit-" in address for address in addresses) == 2
    assert all(address.startswith((base_url, "data:")) for address in addresses)
    context.close()


def test_the_page_for_drawing_is_light(browser, base_url):
    context = browser.new_context()
    page = context.new_page()
    responses = []
    page.on("response", lambda response: responses.append(response))
    page.goto(f"{base_url}/book/draw.html", wait_until="networkidle")
    page.locator("#fig-draw").scroll_into_view_if_needed()
    page.wait_for_selector("#fig-draw[data-live=ready]", timeout=60_000)
    assert sum(len(response.body()) for response in responses) < 2_500_000
    context.close()


def test_a_figure_whose_data_are_missing_stays_a_picture(site, browser):
    context = browser.new_context()
    page = context.new_page()
    page.route("**/digit-points.js", lambda route: route.abort())
    address, figure = FIGURES["latent"]
    page.goto((site / address).as_uri())
    page.get_by_role("button", name=say("Explore this plane")).click()
    page.wait_for_selector(f"#{figure}[data-live=failed]")
    assert page.locator(f"#{figure} {STILL}").is_visible()
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", FIGURES)
def test_a_live_figure_is_accessible_and_fits_a_phone(opened, name, scheme):
    page = opened(name, **PHONE, color_scheme="light", reduced_motion="reduce")
    page.emulate_media(color_scheme=scheme)
    page.wait_for_function(f"document.documentElement.dataset.theme === '{scheme}'")
    width = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert width[0] <= width[1]
    page.evaluate(ALONE, f"#{FIGURES[name][1]}")
    # What it would load beforehand, a page opened as a file may not ask for.
    result = Axe().run(page, context=f"#{FIGURES[name][1]}", options={"preload": False})
    page.evaluate(TOGETHER)
    found = result.response["violations"]
    assert [(v["id"], v["nodes"][0]["html"]) for v in found] == []


@pytest.mark.parametrize(
    ("name", "bars"),
    [("draw", ".live-bar i"), ("ranking", ".live-column i, .live-dials .live-bar i")],
)
def test_bars_and_choices_are_seen_in_colours_that_a_system_imposes(opened, name, bars):
    page = opened(name, forced_colors="active")
    canvas = page.evaluate("getComputedStyle(document.body).backgroundColor")
    colours = page.locator(bars).evaluate_all(
        "bars => bars.map(bar => getComputedStyle(bar).backgroundColor)"
    )
    hollow = page.locator(".live-wrong .live-column i").count()
    unseen = sum(colour in (canvas, "rgba(0, 0, 0, 0)") for colour in colours)
    assert len(colours) > 10 and unseen <= hollow
    tile = page.locator(f"#{FIGURES[name][1]} button[aria-pressed]").first
    tile.click()
    assert tile.evaluate("tile => getComputedStyle(tile).outlineStyle") == "solid"
