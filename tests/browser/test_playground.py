"""The playground: TensorFlow agrees with it, hands and keys reach it, and it knows when to rest."""

import json
import re
from itertools import pairwise

import numpy as np
import pytest
from edition import beginning, form, say

from vae_tutorial._tensorflow import keras, tf

ADDRESS = "book/playground.html"
FIGURE = "#fig-playground"
PHONE = {"viewport": {"width": 360, "height": 780}, "has_touch": True, "is_mobile": True}
OBJECTIVES = {
    "as it should be": {},
    "beta 4": {"beta": 4},
    "an autoencoder": {"noise": False},
    "mean in place of sum": {"mean": True},
    "wrong sign": {"flipped": True},
}
ENDED = "You changed a setting, so the experiment ended. Play on as you like."
FAILED = (
    "This run did not do all that the page says of it. "
    "Chance has a part in every training: try again."
)
# Weights with biases, images and noise; what the page makes of them.
ASK = """([more, spread]) => {
  const { vae } = bookLive;
  const { uniform, normal } = bookLive.random(5);
  const model = vae.create(16, uniform);
  for (let i = 0; i < model.numbers.length; i++) model.numbers[i] += spread * normal();
  const images = bookLive.playground.data.shown.slice(0, 24 * vae.PIXELS);
  const noise = Float32Array.from({ length: 24 * vae.LATENTS }, normal);
  const numbers = [...model.numbers];
  const terms = vae.gradients(model, images, noise, { ...vae.RIGHT, ...more });
  const gradient = [...model.gradient];
  vae.update(model, 0.01);
  vae.gradients(model, images, noise, { ...vae.RIGHT, ...more });
  const second = [...model.gradient];
  vae.update(model, 0.01);
  return { numbers, images: [...images], noise: [...noise], terms, gradient, second,
           after: [...model.numbers] };
}"""


@pytest.fixture(scope="module")
def opened(site, browser):
    """Open the page as a file, with the playground live; one tab for each set of options."""
    pages = {}

    def open_page(**options):
        key = json.dumps(options, sort_keys=True)
        if key not in pages:
            page = browser.new_context(**options).new_page()
            page.problems = []
            page.on("pageerror", lambda error: page.problems.append(str(error)))
            page.on("requestfailed", lambda request: page.problems.append(request.url))
            page.goto((site / ADDRESS).as_uri())
            page.locator(FIGURE).scroll_into_view_if_needed()
            page.wait_for_selector(f"{FIGURE}[data-live=ready]", timeout=60_000)
            pages[key] = page
        page = pages[key]
        assert page.problems == []
        if page.evaluate("bookLive.playground.state().playing"):
            page.locator(".live-start").click()
        page.get_by_role("button", name=say("Play freely")).click()
        settings = "{ ...bookLive.experiments.START }"
        page.evaluate(f"bookLive.playground.restart({settings})")
        page.evaluate("scrollTo(0, 0)")
        page.locator(".live-toolbar").scroll_into_view_if_needed()
        return page

    yield open_page
    for page in pages.values():
        page.context.close()


def state(page) -> dict:
    return page.evaluate("bookLive.playground.state()")


def wait_for_epochs(page, epochs: float) -> None:
    code = "epochs => bookLive.playground.state().epochs >= epochs"
    page.wait_for_function(code, arg=epochs, timeout=120_000)


# -- The page's numbers are TensorFlow's ----------------------------------------------------------


def layers_of(numbers, width: int = 16) -> list[list[tuple]]:
    """Return kernels and biases, encoder and decoder, in the order of the page's one array."""
    halves, at = [], 0
    for sizes in ([196, width, width, 4], [2, width, width, 196]):
        half = []
        for inputs, outputs in pairwise(sizes):
            kernel = numbers[at : at + inputs * outputs].reshape(inputs, outputs)
            half.append((kernel, numbers[at + inputs * outputs : at + (inputs + 1) * outputs]))
            at += (inputs + 1) * outputs
        halves.append(half)
    assert at == len(numbers)
    return halves


def through(layers, x):
    for i, (kernel, bias) in enumerate(layers):
        x = x @ kernel + bias
        x = tf.nn.relu(x) if i + 1 < len(layers) else x
    return x


def in_tensorflow(asked: dict, numbers, beta=1.0, noise=True, mean=False, flipped=False):
    """Return both terms and the gradient of the loss, in double precision."""
    parts = [tf.Variable(part) for half in layers_of(numbers) for layer in half for part in layer]
    images = np.reshape(asked["images"], (24, 196))
    draws = np.reshape(asked["noise"], (24, 2))
    pairs = list(zip(parts[::2], parts[1::2], strict=True))
    with tf.GradientTape() as tape:
        code = through(pairs[:3], images)
        means, log_var = code[:, :2], tf.clip_by_value(code[:, 2:], -10, 10)
        z = means + tf.exp(0.5 * log_var) * draws if noise else means
        losses = tf.nn.sigmoid_cross_entropy_with_logits(images, through(pairs[3:], z))
        reconstruction = tf.reduce_mean(tf.reduce_sum(losses, axis=1))
        costs = 0.5 * (means**2 + tf.exp(log_var) - log_var - 1)
        kl = tf.reduce_mean(tf.reduce_sum(costs, axis=1))
        weight = beta * (-1 if flipped else 1) if noise else 0
        loss = reconstruction / (196 if mean else 1) + weight * kl
    slopes = tape.gradient(loss, parts)
    slopes = [
        np.zeros(p.shape) if s is None else s.numpy() for s, p in zip(slopes, parts, strict=True)
    ]
    return float(reconstruction), float(kl), np.concatenate([slope.ravel() for slope in slopes])


@pytest.mark.parametrize("spread", [0.05, 0.6], ids=["small weights", "large weights"])
@pytest.mark.parametrize("name", OBJECTIVES)
def test_gradients_are_tensorflows(opened, name, spread):
    asked = opened().evaluate(ASK, [OBJECTIVES[name], spread])
    numbers = np.array(asked["numbers"])
    reconstruction, kl, expected = in_tensorflow(asked, numbers, **OBJECTIVES[name])
    assert asked["terms"]["reconstruction"] == pytest.approx(reconstruction, rel=1e-4)
    assert asked["terms"]["kl"] == pytest.approx(kl, rel=1e-4)
    found = np.array(asked["gradient"])
    for ours, theirs in zip(layers_of(found), layers_of(expected), strict=True):
        for pair in zip(ours, theirs, strict=True):
            for mine, other in zip(*pair, strict=True):
                np.testing.assert_allclose(mine, other, rtol=1e-4, atol=1e-4 * abs(other).max())
    assert np.linalg.norm(found - expected) < 1e-4 * np.linalg.norm(expected)


def test_large_weights_meet_the_limits_of_the_log_variance(opened):
    asked = opened().evaluate(ASK, [{}, 0.6])
    images = np.reshape(asked["images"], (24, 196))
    code = through(layers_of(np.array(asked["numbers"]))[0], images).numpy()
    assert (abs(code[:, 2:]) > 10).any() and (abs(code[:, 2:]) < 10).any()


def test_two_steps_of_adam_are_kerass(opened):
    asked = opened().evaluate(ASK, [{}, 0.05])
    weights = keras.Variable(np.array(asked["numbers"], np.float32))
    adam = keras.optimizers.Adam(0.01)
    for name in ("gradient", "second"):
        adam.apply([keras.ops.convert_to_tensor(np.array(asked[name], np.float32))], [weights])
    np.testing.assert_allclose(asked["after"], weights.numpy(), rtol=1e-4, atol=2e-6)


def test_an_epoch_shows_every_digit_once(opened):
    code = """() => {
      const { PIXELS, RIGHT, trainer } = bookLive.vae;
      const images = new Float32Array(70 * PIXELS);
      const seen = new Map();
      for (let i = 0; i < 70; i++) images[i * PIXELS] = (i + 1) / 100;
      const { subarray } = images;
      images.subarray = (from, to) => {
        seen.set(from, (seen.get(from) ?? 0) + 1);
        return subarray.call(images, from, to);
      };
      const one = trainer(images, { ...RIGHT, width: 4, rate: 0.001 }, bookLive.random(1));
      for (let i = 0; i < 6; i++) one.step();
      return { times: [...seen.values()], orders: [...seen.keys()], epochs: one.epochs() };
    }"""
    found = opened().evaluate(code)
    assert found["epochs"] == 2 and found["times"] == [2] * 70
    assert found["orders"] != sorted(found["orders"])


# -- It trains, and it rests ----------------------------------------------------------------------


def test_it_trains_and_both_terms_move(opened):
    page = opened()
    page.get_by_role("button", name=say("▶ Train")).first.click()
    wait_for_epochs(page, 3)
    page.locator(".live-start").click()
    said = page.locator(".live-history").get_attribute("aria-label")
    reconstruction, kl = map(float, re.findall(r"\d+\.\d", said))
    assert reconstruction < 52 and kl > 0.3
    before = state(page)
    page.wait_for_timeout(300)
    assert state(page)["epochs"] == before["epochs"] and not before["playing"]


def test_it_rests_out_of_sight(opened):
    page = opened()
    page.locator(".live-start").click()
    wait_for_epochs(page, 0.1)
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    page.wait_for_function("!bookLive.playground.state().running")
    resting = state(page)
    page.wait_for_timeout(400)
    assert state(page)["epochs"] == resting["epochs"] and resting["playing"]
    page.locator(".live-toolbar").scroll_into_view_if_needed()
    wait_for_epochs(page, resting["epochs"] + 0.1)
    page.locator(".live-start").click()


def test_with_reduced_motion_pictures_change_once_an_epoch(opened):
    page = opened(reduced_motion="reduce")
    page.evaluate("""() => {
      window.painted = 0;
      const pen = document.querySelector(".live-map").getContext("2d");
      const { clearRect } = pen;
      pen.clearRect = (...box) => { window.painted++; clearRect.apply(pen, box); };
    }""")
    page.locator(".live-start").click()
    wait_for_epochs(page, 2.2)
    painted = page.evaluate("window.painted")
    page.locator(".live-start").click()
    assert 1 <= painted <= 3


# -- Mouse, touch and keyboard --------------------------------------------------------------------


def test_the_controls_answer_to_the_mouse(opened):
    page = opened()
    page.get_by_role("button", name=say("One epoch")).click()
    assert state(page)["epochs"] == 1
    for name, setting, value in (
        (say("Mean in place of sum"), "mean", True),
        (beginning("Wrong sign of"), "flipped", True),
        (beginning("Noise off"), "noise", False),
    ):
        button = page.get_by_role("button", name=name)
        button.click()
        assert state(page)["settings"][setting] is value
        assert button.get_attribute("aria-pressed") == "true"
    page.get_by_role("button", name=say("Start afresh")).click()
    after = state(page)
    assert after["epochs"] == 0 and after["settings"]["mean"] is True
    page.get_by_role("button", name=say("Settings back")).click()
    assert state(page)["settings"] == page.evaluate("bookLive.experiments.START")
    page.locator(".live-map").scroll_into_view_if_needed()
    map_box = page.locator(".live-map").bounding_box()
    page.mouse.move(map_box["x"] + 0.75 * map_box["width"], map_box["y"] + 0.5 * map_box["height"])
    assert state(page)["place"] == pytest.approx([state(page)["reach"] / 2, 0], abs=0.05)


def test_the_grid_of_the_prior_shows_its_place_on_the_map(opened):
    page = opened()
    box = page.locator(".live-worlds .live-sheet").bounding_box()
    page.mouse.click(box["x"] + 0.95 * box["width"], box["y"] + 0.05 * box["height"])
    assert state(page)["place"] == pytest.approx([1.645, 1.645])


def test_what_is_drawn_at_the_point_is_decoded_there(opened):
    page = opened()
    page.evaluate("bookLive.playground.train(60)")
    page.evaluate("bookLive.playground.move([0.5, -1])")
    code = """() => {
      const map = document.querySelector(".live-map");
      const pen = map.getContext("2d");
      const drawn = pen.drawImage;
      let levels;
      pen.drawImage = (lens) => {
        const { data } = lens.getContext("2d").getImageData(0, 0, 14, 14);
        levels = Array.from({ length: 196 }, (_, i) => data[4 * i] / 255);
      };
      bookLive.playground.move([0.5, -1]);
      pen.drawImage = drawn;
      const { decode } = bookLive.vae;
      return [levels, [...decode(bookLive.playground.model(), Float32Array.from([0.5, -1]))]];
    }"""
    levels, expected = page.evaluate(code)
    np.testing.assert_allclose(levels, expected, atol=0.003)
    assert max(expected) > 0.3


def test_the_controls_answer_to_the_keyboard(opened):
    page = opened()
    page.locator(".live-start").focus()
    page.keyboard.press("Enter")
    wait_for_epochs(page, 0.1)
    page.keyboard.press("Space")
    assert not state(page)["playing"]
    page.get_by_label(say("β, weight of KL")).focus()
    page.keyboard.press("ArrowRight")
    assert state(page)["settings"]["beta"] == 2
    page.get_by_label(say("Learning rate")).focus()
    page.keyboard.press("Home")
    assert state(page)["settings"]["rate"] == 0.0001
    page.get_by_label(say("Width (restarts)")).focus()
    page.keyboard.press("End")
    assert state(page)["settings"]["width"] == 128 and state(page)["epochs"] == 0
    page.locator(".live-map").focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowUp")
    reach = state(page)["reach"]
    assert state(page)["place"] == pytest.approx([0.03 * reach, 0.15 * reach])
    where = form("Decoded at ({1}, {2}). The nearest code is that of a {3}.")
    assert where.search(page.locator(".live-where").text_content())


def test_the_controls_answer_to_a_finger(opened):
    page = opened(**PHONE)
    page.locator(".live-start").tap()
    wait_for_epochs(page, 0.1)
    page.locator(".live-start").tap()
    page.wait_for_function("!bookLive.playground.state().playing")  # a click follows its tap
    page.get_by_role("button", name=beginning("Noise off")).tap()
    page.wait_for_function("!bookLive.playground.state().settings.noise")
    plane = page.locator(".live-map")
    plane.scroll_into_view_if_needed()
    box = plane.bounding_box()
    page.touchscreen.tap(box["x"] + 0.25 * box["width"], box["y"] + 0.5 * box["height"])
    assert state(page)["place"] == pytest.approx([-state(page)["reach"] / 2, 0], abs=0.2)
    page.get_by_role("button", name=f"2 {say('Collapse')}").tap()
    page.locator(".live-guide .live-buttons button").first.tap()
    page.wait_for_function("bookLive.playground.state().playing")
    assert state(page)["settings"]["mean"] is True


def test_without_noise_beta_is_seen_to_do_nothing(opened):
    page = opened()
    beta = page.get_by_label(say("β, weight of KL"))
    assert beta.is_enabled()
    page.get_by_role("button", name=beginning("Noise off")).click()
    assert beta.is_disabled() and beta.get_attribute("aria-valuetext") == say("not used")
    assert page.get_by_role("button", name=beginning("Wrong sign of")).is_disabled()
    assert say(", without noise and without a KL term") in page.locator(".live-sum").text_content()
    page.get_by_role("button", name=beginning("Noise off")).click()
    assert beta.is_enabled() and beta.get_attribute("aria-valuetext") == "1"


def test_the_loss_is_written_as_it_is_computed(opened):
    page = opened()
    page.evaluate("bookLive.playground.set({ beta: 4, mean: true })")
    page.evaluate("bookLive.playground.train(20)")
    told = page.locator(".live-sum").text_content()
    start, name = (re.escape(say(words)) for words in ("loss = ", "reconstruction"))
    sum_of_terms = rf"{start}([\d.]+) {name} / 196 \+ 4 . ([\d.]+) KL = ([\d.]+)"
    reconstruction, kl, loss = map(float, re.fullmatch(sum_of_terms, told).groups())
    assert loss == pytest.approx(reconstruction / 196 + 4 * kl, abs=0.3)


# -- Experiments ----------------------------------------------------------------------------------


def test_an_experiment_asks_first_then_does_what_it_says(opened):
    page = opened()
    page.get_by_role("button", name=f"5 {say('Wrong sign')}").click()
    assert state(page)["epochs"] == 0 and not state(page)["playing"]
    options = page.locator(".live-guide .live-buttons button")
    assert options.count() == 3
    options.nth(0).click()
    page.wait_for_function("bookLive.playground.measures", timeout=300_000)
    answer = page.locator(".live-answer").text_content()
    falls = say("The loss falls and falls, and the pictures get worse").replace("The", "the")
    assert answer.startswith(say("Not as you said. What happens: {1}.", falls))
    code = """() => {
      const { LIST, hold } = bookLive.experiments;
      return hold(LIST[4], bookLive.playground.measures);
    }"""
    assert all(page.evaluate(code).values())
    assert say(FAILED) not in answer


def test_who_changes_a_setting_leaves_the_experiment(opened):
    page = opened()
    page.get_by_role("button", name=f"1 {say('Tug of war')}").click()
    page.locator(".live-guide .live-buttons button").nth(1).click()
    page.get_by_role("button", name=say("Mean in place of sum")).click()
    assert say(ENDED) in page.locator(".live-guide").text_content()
    page.locator(".live-start").click()


def test_every_experiment_has_a_right_answer_and_is_told_from_measures(opened):
    for one in opened().evaluate("""() => bookLive.experiments.LIST.map(experiment => ({
      ...experiment, told: "", claims: Object.keys(experiment.claims) }))"""):
        assert 0 <= one["right"] < len(one["options"]) == 3
        assert len(one["claims"]) >= 2


# -- Without scripts, and in both themes ----------------------------------------------------------


def test_without_scripts_the_picture_stays(site, browser):
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto((site / ADDRESS).as_uri())
        assert page.locator(f"{FIGURE} .figure-drawing").is_visible()
        words = page.locator(f"{FIGURE} ~ noscript p", has_text=beginning("Scripts are off"))
        assert words.first.is_visible()
        assert page.locator(".live").count() == 0


def test_the_map_takes_the_colours_of_the_theme(opened):
    page = opened()
    code = """theme => {
      document.documentElement.dataset.theme = theme;
      return new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => {
        const map = document.querySelector(".live-map");
        const { data } = map.getContext("2d").getImageData(0, 0, map.width, map.height);
        const found = new Set();
        for (let i = 0; i < data.length; i += 4)
          if (data[i + 3] === 255) found.add([data[i], data[i + 1], data[i + 2]].join());
        done([...found]);
      })));
    }"""
    light, dark = (set(page.evaluate(code, theme)) for theme in ("light", "dark"))
    page.evaluate(code, "light")
    assert light != dark and len(light & dark) < 0.5 * len(light)
