"""Python in the page: verdicts equal the library's, a chapter's outputs the stored ones.

The book must have been built with Python's parts, by `make live`; `make test-site LIVE=1` does so.
"""

import inspect
import re
import subprocess
import sys

import live_cells
import live_extension
import nbformat
import pytest
import translate
from edition import form, is_english, say
from playwright.sync_api import expect
from test_answers import ANSWERS, function_of
from test_pages import CONTRAST, NARROW, ROOT, TOO_WIDE, WIDE, foreign, serious
from waiting import SETTLED

from vae_tutorial import exercises
from vae_tutorial.exercises import EXERCISES

PAGES = list(dict.fromkeys(exercise.page for exercise in EXERCISES.values()))
ON_PAGE = {page: [name for name, e in EXERCISES.items() if e.page == page] for page in PAGES}
SECONDS = 120_000  # milliseconds; only what hangs meets it
IDLE = "() => !document.documentElement.hasAttribute('data-python-busy')"
CHECKED = """async ([name, code]) => {
  const call = { call: "check", needs: ["start"], given: [name, code] };
  const answer = await window.bookPage.python.ask(call);
  if (answer.failed) return [answer.failed, ""];
  const { status, text } = answer.outputs.find(({ kind }) => kind === "verdict");
  return [status, text];
}"""


@pytest.fixture(scope="module", autouse=True)
def live(site):
    """Ask for a book that has Python in its pages."""
    if not (site / "_static" / "python" / "parts.js").is_file():
        pytest.skip("the book was built without Python in its pages; see `make live`")


@pytest.fixture(autouse=True)
def speaks_as_the_site(monkeypatch):
    """Let Python here answer as it does in the page."""
    monkeypatch.setenv("VAE_TUTORIAL_LANGUAGE", "" if is_english() else translate.LANGUAGE)


@pytest.fixture(scope="module")
def context(browser):
    """A browser that has Python's files after the first of these tests."""
    with browser.new_context(
        viewport=WIDE, color_scheme="light", reduced_motion="reduce", has_touch=True
    ) as context:
        context.set_default_timeout(SECONDS)
        yield context


@pytest.fixture
def page(context):
    page = context.new_page()
    page.complaints = []
    page.addresses = []
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on(
        "console",
        lambda said: said.type == "error" and page.complaints.append(said.text),
    )
    page.on("request", lambda request: page.addresses.append(request.url))
    yield page
    page.evaluate("localStorage.clear()")
    page.close()
    assert page.complaints == []


@pytest.fixture(scope="module")
def loaded(context, base_url):
    """One page in which Python is loaded once."""
    page = context.new_page()
    opened(page, base_url, PAGES[0])
    yield page
    page.close()


@pytest.fixture(scope="module")
def asked(loaded):
    """Return a function that checks an answer, and returns its status and the message."""
    return lambda name, code: tuple(loaded.evaluate(CHECKED, [name, code]))


def judged(name: str, function) -> tuple[str, str]:
    """Return what Python says of an answer: its status and the message."""
    verdict = exercises.check(name, function)
    return verdict.status, verdict.message


def opened(page, base_url: str, name: str):
    """Open a page of the book, and return the box of its first exercise."""
    page.goto(f"{base_url}/book/{name}.html", wait_until="load")
    return page.locator(f'[data-exercise="{ON_PAGE[name][0]}"]')


def press(box, name: str) -> None:
    box.get_by_role("button", name=say(name), exact=True).click()
    box.page.wait_for_function(IDLE)


def verdict(box) -> str:
    return box.locator(".py-verdict").inner_text()


def begins(text: str, *said: str) -> bool:
    """Tell whether a text begins with these sentences; Chinese has no space between them."""
    return re.match(r"\s*".join(re.escape(say(words)) for words in said), text) is not None


NO_FUNCTION = "there is no function {name}; its name must stay as it was"
RIGHT = "def precision_at_k(relevant, k):\n    return relevant[:, :k].mean(axis=1)\n"
WRONG = "def precision_at_k(relevant, k):\n    return relevant.mean(axis=1)\n"
ENDLESS = "def precision_at_k(relevant, k):\n    while True:\n        pass\n"


# -- The same as the library ----------------------------------------------------------------------


@pytest.mark.parametrize("name", PAGES)
def test_every_stub_of_a_page_has_an_editor(page, base_url, name):
    opened(page, base_url, name)
    boxes = page.locator("[data-exercise]")
    # Short exercises stand in the text, before the others.
    wanted = sorted(ON_PAGE[name], key=lambda name: not EXERCISES[name].after)
    assert [box.get_attribute("data-exercise") for box in boxes.all()] == wanted
    for box in boxes.all():
        stub = box.locator("textarea").input_value()
        assert stub.startswith(f"def {box.get_attribute('data-exercise')}(")
        assert stub.endswith("    ...  # your code\n")
        assert box.get_by_role("button").all_inner_texts() == [
            say(name) for name in ("Check", "Run", "Hint", "Reset")
        ]
    # Nothing of Python has come yet.
    asked = [a for a in page.addresses if "/_static/python/" in a and "parts.js" not in a]
    assert asked == []


@pytest.mark.parametrize("name", EXERCISES)
def test_the_page_says_of_every_answer_what_python_says(asked, name):
    exercise = EXERCISES[name]
    answers = {exercise.solution_source(): exercise.solution}
    for number, mistake in enumerate(exercise.mistakes):
        for other, variant in enumerate(mistake.variants):
            made = f"EXERCISES[{name!r}].mistakes[{number}].variants[{other}]"
            answers[f"from vae_tutorial.exercises import EXERCISES\n{name} = {made}"] = variant
    wanted = {code: judged(name, answer) for code, answer in answers.items()}
    assert wanted[exercise.solution_source()][0] == exercises.RIGHT
    assert {code: asked(name, code) for code in answers} == wanted


@pytest.mark.parametrize("name", EXERCISES)
def test_answers_as_readers_write_them_are_judged_as_in_python(asked, name):
    right, wrong = ANSWERS[name]
    for code in [*right, *(code for code, _ in wrong)]:
        # The page has neither TensorFlow nor SciPy; two draws differ.
        if any(word in code for word in ("tf.", "scipy", "random")):
            continue
        function = function_of(name, code)
        arguments = ", ".join(inspect.signature(function).parameters)
        body = code.replace(r"\n", "\n")
        body = (body if "return " in body else f"return {body}").replace("\n", "\n    ")
        status, text = asked(name, f"def {name}({arguments}):\n    {body}")
        # Whole numbers have 32 bits there.
        assert (status, text.replace("np.int32", "np.int64")) == judged(name, function), code


def test_what_the_page_lacks_is_said(asked):
    code = f"def {ON_PAGE[PAGES[0]][0]}(relevant, k):\n    import tensorflow\n"
    lacks = "Python in the page has no {lacked}. Use NumPy, or run the notebook elsewhere."
    assert say(lacks, lacked="tensorflow") in asked(ON_PAGE[PAGES[0]][0], code)[1]


# -- A reader at an exercise ----------------------------------------------------------------------


def test_a_reader_answers_by_mouse(page, base_url):
    box = opened(page, base_url, "background")
    note = "Python runs here, in your browser. The first click loads about {1}, once."
    assert form(note).fullmatch(box.locator(".py-note").inner_text())
    press(box, "Check")
    assert begins(verdict(box), "Not attempted yet. Put your code in place of the dots.")
    assert page.locator(".py-note").count() == 0
    # What came over the network, or from what the browser keeps, is what was announced.
    assert len(page.evaluate("caches.keys()")) == 1
    announced = page.evaluate("bookPage.bytes(['start'])")
    assert 10e6 < announced < 20e6
    assert page.evaluate("bookPage.python.fetched") in (0, announced)
    editor = box.locator("textarea")
    editor.fill(WRONG)
    press(box, "Run")
    said = box.locator(".py-result").inner_text()
    assert "0.75" in said and f"{say('A right answer gives ')}[0.5]" in said
    press(box, "Check")
    assert begins(verdict(box), "Not yet right.", exercises.KNOWN)
    editor.fill(RIGHT)
    press(box, "Check")
    assert begins(verdict(box), "Right.")
    assert box.locator(".py-result").get_attribute("role") == "status"
    # An answer that is no Python, one without the function, and one that ends the program.
    for code, expected in [
        ("def precision_at_k(relevant, k:\n", "SyntaxError"),
        ("def precision(relevant, k):\n    return 1\n", say(NO_FUNCTION, name="precision_at_k")),
        ("raise SystemExit\n", "SystemExit"),
    ]:
        editor.fill(code)
        press(box, "Check")
        assert expected in box.locator(".py-error").inner_text()


def test_a_reader_answers_by_keyboard(page, base_url):
    box = opened(page, base_url, "background")
    editor = box.locator("textarea")
    editor.focus()
    page.keyboard.press("Control+a")
    page.keyboard.type(
        "def precision_at_k(relevant, k):\nfirst = relevant[:, :k]\nreturn first.mean(1)"
    )
    # The editor has indented both lines; Tab and Shift with Tab move them.
    typed = RIGHT.replace("return relevant[:, :k].mean(axis=1)", "first = relevant[:, :k]")
    assert editor.input_value() == f"{typed}    return first.mean(1)"
    # The coloured layer has the same letters in the same lines.
    assert box.locator(".py-colours").inner_text().rstrip() == editor.input_value()
    page.keyboard.press("Tab")
    assert editor.input_value().endswith("mean(1)    ")
    page.keyboard.press("Shift+Tab")
    assert editor.input_value().endswith("\nreturn first.mean(1)    ")
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+Enter")
    page.wait_for_function(IDLE)
    box.locator(".py-verdict").wait_for()
    assert begins(verdict(box), "Right.")
    assert page.evaluate("document.activeElement.tagName") == "TEXTAREA"
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == say("Check")
    page.keyboard.press("Enter")
    page.wait_for_function(IDLE)
    # A button that was pressed keeps the focus.
    assert page.evaluate("document.activeElement.textContent") == say("Check")


def test_a_reader_answers_on_a_phone(page, base_url):
    page.set_viewport_size(NARROW)
    box = opened(page, base_url, "background")
    box.locator("textarea").fill(WRONG)
    box.get_by_role("button", name=say("Check"), exact=True).tap()
    page.wait_for_function(IDLE)
    assert say("You look at all ranks. Only the first k count.") in verdict(box)
    for button in box.get_by_role("button").all():
        assert button.bounding_box()["height"] >= 38
    assert page.evaluate(TOO_WIDE) == []


def test_a_long_line_scrolls_and_its_letters_stay_together(page, base_url):
    page.set_viewport_size(NARROW)
    box = opened(page, base_url, "background")
    editor = box.locator("textarea")
    editor.fill(f"long = {'1 + ' * 30}1")
    page.keyboard.press("End")
    page.keyboard.type(" + 2")
    box.locator(".py-editor").evaluate(
        "(box) => { if (!box.scrollLeft) throw new Error('still'); }"
    )
    # The text area does not scroll by itself, which would part it from its colours.
    sizes = "(area) => [area.scrollLeft, area.scrollWidth - area.clientWidth, area.scrollTop]"
    assert editor.evaluate(sizes) == [0, 0, 0]


def test_hints_open_one_by_one(page, base_url):
    box = opened(page, base_url, "background")
    hints = page.locator(f'[data-exercise="{ON_PAGE["background"][0]}"] ~ details')
    for step in range(3):
        assert hints.nth(step).get_attribute("open") is None
        box.get_by_role("button", name=say("Hint")).click()
        assert hints.nth(step).get_attribute("open") is not None
        focused = page.evaluate("document.activeElement.textContent")
        assert focused.strip().startswith(f"{say('Hint')} {step + 1}")
    # The solution stays folded.
    assert hints.nth(3).get_attribute("open") is None


def test_a_loop_without_end_is_ended_and_python_is_ready_again(page, base_url, context):
    box = opened(page, base_url, "background")
    press(box, "Check")
    box.locator("textarea").fill(ENDLESS)
    # From here on there is no network: Python starts again from what the browser keeps.
    context.set_offline(True)
    try:
        press(box, "Check")
        late = form(
            "Your function was not done after {1} s. Does a loop never end? "
            "The page has ended Python."
        )
        assert late.search(verdict(box))
        state = box.locator(".py-state")
        expect(state).to_have_text(say("Python is ready again."), timeout=120_000)
        box.locator("textarea").fill(RIGHT)
        press(box, "Check")
        assert begins(verdict(box), "Right.")
        # A reader need not wait for the limit.
        box.locator("textarea").fill(ENDLESS)
        box.get_by_role("button", name=say("Run"), exact=True).click()
        box.get_by_role("button", name=say("Stop")).click()
        expect(state).to_have_text(say("Python is ready again."), timeout=120_000)
    finally:
        context.set_offline(False)


def test_a_loop_in_one_exercise_spoils_no_other(page, base_url):
    opened(page, base_url, "background")
    first, second = ON_PAGE["background"][:2]
    late = (
        "([name, code]) => window.bookPage.python.ask({call: 'check', given: [name, code]}, 1000)"
    )
    assert page.evaluate(late, [first, ENDLESS]) == {"late": True}
    code = EXERCISES[second].solution_source()
    assert page.evaluate(CHECKED, [second, code])[0] == exercises.RIGHT


# -- What is kept ---------------------------------------------------------------------------------


def test_answers_are_kept_handed_in_marked_and_erased(page, base_url, tmp_path):
    box = opened(page, base_url, "background")
    names = ON_PAGE["background"]
    for name, code in zip(names, [RIGHT, EXERCISES[names[1]].solution_source()], strict=False):
        own = page.locator(f'[data-exercise="{name}"]')
        own.locator("textarea").fill(code)
        press(own, "Check")
    third = page.locator(f'[data-exercise="{names[2]}"]')
    third.locator("textarea").fill(f"def {names[2]}(distances, relevant):\n    return 0.0\n")
    press(third, "Check")
    said = verdict(third)

    page.reload()
    assert box.locator("textarea").input_value() == RIGHT
    assert begins(verdict(box), "Right.")
    assert verdict(third) == said
    progress = page.locator(".py-progress")
    assert progress.locator(".py-sum").inner_text() == say("{1} of {2} right.", 2, len(names))
    # A change to an answer takes its verdict away, until it is checked again.
    third.locator("textarea").fill(f"def {names[2]}(distances, relevant):\n    return 1.0\n")
    row = progress.get_by_role("listitem").filter(has_text=say(EXERCISES[names[2]].title))
    assert row.inner_text().endswith(say("not checked yet"))

    with page.expect_download() as started:
        progress.get_by_role("button", name=say("Download my answers")).click()
    file = tmp_path / started.value.suggested_filename
    assert file.name == "background-answers.ipynb"
    started.value.save_as(file)
    nbformat.validate(nbformat.read(file, as_version=4))
    command = [sys.executable, "-m", "vae_tutorial.exercises", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    marks = (tmp_path / "marks.csv").read_text(encoding="utf-8-sig")
    for name, status in zip(
        names, ["right", "right", "not yet right", *["not attempted yet"] * 2], strict=True
    ):
        (row,) = [line for line in marks.splitlines() if f",{name}," in line]
        assert f",{status}," in row

    progress.get_by_role("button", name=say("Erase my answers")).click()
    progress.get_by_role("button", name=say("No, keep them")).click()
    assert box.locator("textarea").input_value() == RIGHT
    progress.get_by_role("button", name=say("Erase my answers")).click()
    progress.get_by_role("button", name=say("Yes, erase them")).click()
    assert box.locator("textarea").input_value().endswith("...  # your code\n")
    assert (
        page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('book-answer'))")
        == []
    )
    assert progress.locator(".py-sum").inner_text() == say("{1} of {2} right.", 0, len(names))


def test_reset_brings_back_the_stub(page, base_url):
    box = opened(page, base_url, "background")
    stub = box.locator("textarea").input_value()
    box.locator("textarea").fill(RIGHT)
    press(box, "Check")
    press(box, "Reset")
    assert box.locator("textarea").input_value() == stub
    assert box.locator(".py-verdict").count() == 0
    page.keyboard.press("Control+z")
    assert box.locator("textarea").input_value() == RIGHT


# -- For everyone, and from here alone ------------------------------------------------------------


def test_nothing_shuts_a_reader_out(page, base_url):
    box = opened(page, base_url, "background")
    for name, code in zip(ON_PAGE["background"], [RIGHT, WRONG], strict=False):
        own = page.locator(f'[data-exercise="{name}"]')
        own.locator("textarea").fill(code)
        press(own, "Check")
    box.get_by_role("button", name=say("Hint")).click()
    page.get_by_role("button", name=say("Make the code live")).click()
    assert serious(page) == []
    page.emulate_media(color_scheme="dark")
    page.wait_for_function("document.documentElement.dataset.theme === 'dark'")
    assert serious(page, *CONTRAST) == []
    page.set_viewport_size(NARROW)
    page.evaluate(SETTLED)
    assert page.evaluate(TOO_WIDE) == []
    assert foreign(page.addresses, base_url) == []


def test_opened_as_a_file_a_page_says_how_to_serve_it(page, site):
    page.goto((site / "book" / "background.html").as_uri(), wait_until="load")
    assert "http.server" in page.locator(".py-file").inner_text()
    assert page.locator(".py-file").count() == 1
    assert page.locator(".cell.python-exercise .cell_input").first.is_visible()
    page.goto("about:blank#")
    page.goto((site / "book" / "index.html").as_uri())


@pytest.mark.parametrize("what", ["scripts", "WebAssembly"])
def test_without_scripts_or_webassembly_a_page_is_as_it_was(browser, base_url, what):
    with browser.new_context(java_script_enabled=what != "scripts") as context:
        context.add_init_script("delete window.WebAssembly")
        page = context.new_page()
        page.goto(f"{base_url}/book/background.html")
        assert page.locator(".py").count() == 0
        assert page.locator(".cell.python-exercise .cell_input").first.is_visible()


# -- A chapter that runs whole --------------------------------------------------------------------

CHAPTER = nbformat.read(ROOT / "book" / "background.ipynb", as_version=4)


def shown_by(cell) -> list[tuple[str, str]]:
    """Return what a cell of the notebook shows: its text, tables and figures, in order."""
    found = []
    for output in cell.outputs:
        if output.output_type == "stream":
            found.append(("text", output.text))
        elif "text/markdown" in output.data:
            found.append(("markdown", output.data["text/markdown"]))
        elif "image/png" in output.data:
            found.append(("picture", ""))
        else:
            found.append(("text", output.data["text/plain"] + "\n"))
    return found


@pytest.mark.aside
def test_chapter_1_gives_its_stored_outputs(page, base_url):
    opened(page, base_url, "background")
    page.get_by_role("button", name=say("Make the code live")).click()
    page.get_by_role("button", name=say("Run all cells")).click()
    page.wait_for_function(IDLE, timeout=1_200_000)
    ran = page.evaluate(
        "[...document.querySelectorAll('.python-cell')].map(({ pythonCell }) => pythonCell.outputs)"
    )
    own = ("stub-", "exercises-progress")
    cells = [c for c in CHAPTER.cells if c.cell_type == "code" and not c.id.startswith(own)]
    assert len(ran) == len(cells) > 40
    for cell, outputs in zip(cells, ran, strict=True):
        found = [(o["kind"], o.get("text", "")) for o in outputs]
        assert [kind for kind, _ in found] == [kind for kind, _ in shown_by(cell)], (cell.id, found)
        if "nbval-ignore-output" not in cell.metadata.get("tags", []):
            assert found == shown_by(cell), cell.id


def test_a_cell_runs_those_above_that_have_not_run(page, base_url):
    opened(page, base_url, "background")
    page.get_by_role("button", name=say("Make the code live")).click()
    cell = page.locator(".python-cell").nth(2)
    cell.locator("textarea").fill("print(gallery.shape, len(found := query_labels))\n")
    cell.get_by_role("button", name=say("Run"), exact=True).click()
    page.wait_for_function(IDLE)
    cell.locator(".py-result pre").wait_for()
    assert cell.locator(".py-result").inner_text() == "(4500, 28, 28, 1) 500"
    # The stored output has made place, and comes back.
    assert not cell.locator("> .cell_output").is_visible()
    cell.get_by_role("button", name=say("Reset")).click()
    assert cell.locator("> .cell_output").is_visible()
    assert "flatnonzero" in cell.locator("textarea").input_value()


def test_an_error_stops_the_cells_below(page, base_url):
    opened(page, base_url, "background")
    page.get_by_role("button", name=say("Make the code live")).click()
    first, third = page.locator(".python-cell").nth(0), page.locator(".python-cell").nth(2)
    first.locator("details.hide > summary").click()  # what only imports is folded
    first.locator("textarea").fill("import numpy as np\nnp.nothing\n")
    third.get_by_role("button", name=say("Run"), exact=True).click()
    page.wait_for_function(IDLE)
    first.locator(".py-error").wait_for()
    line = say("line {number}: {code}", number=2, code="np.nothing")
    assert f"{line}\nAttributeError" in first.locator(".py-error").inner_text()
    assert say("Cell {1} above stops with an error.", 1) in third.locator(".py-state").inner_text()


# -- Pages of which some cells run ----------------------------------------------------------------


def is_run(lacks: dict[str, str]) -> bool:
    """Say whether enough of a page's cells run there."""
    return list(lacks.values()).count("") >= live_extension.FEWEST


NOTEBOOKS = {path.stem: path for path in sorted((ROOT / "book").glob("*.ipynb"))}
LACKS = {
    name: live_cells.judge(nbformat.read(path, as_version=4).cells)
    for name, path in NOTEBOOKS.items()
}
PARTLY = [name for name in LACKS if name != "background" and is_run(LACKS[name])]
SOME = (
    "{1} of the {2} code cells of this page can run here, in your browser, and you can change "
    "them. Running them loads about {3}, once."
)
ALL = (
    "The code of this page can run here, in your browser, and you can change it. "
    "Running it loads about {1}, once."
)
RAN = """async ([page, name, code]) => {
  const { needs, python } = window.bookPage;
  const answer = await python.ask({ call: "cell", needs: needs(code), given: [page, name, code] });
  return answer.failed ? [{ kind: "failed", text: answer.failed }] : answer.outputs;
}"""


def joined(found: list[tuple[str, str]]) -> dict[str, list]:
    """Return outputs by kind: a notebook's program puts texts together, across a table."""
    kinds = {kind: [text for k, text in found if k == kind] for kind, _ in found}
    return kinds | {"text": ["".join(kinds.get("text", []))]}


def is_translated(found: dict[str, list], wanted: dict[str, list]) -> bool:
    """Tell whether outputs differ in sentences alone that the library says in Chinese there."""
    here, there = (kinds["text"][0].splitlines() for kinds in (found, wanted))
    if is_english() or found | {"text": ""} != wanted | {"text": ""} or len(here) != len(there):
        return False
    pairs = zip(here, there, strict=True)
    return all(a == b or re.search(r"[\u4e00-\u9fff]", a) for a, b in pairs)


@pytest.mark.parametrize("name", PARTLY)
def test_cells_that_run_give_their_stored_outputs(loaded, name):
    for cell in nbformat.read(NOTEBOOKS[name], as_version=4).cells:
        if LACKS[name].get(cell.id, "not code"):
            continue
        ran = loaded.evaluate(RAN, [name, cell.id, cell.source])
        passed = [output for output in ran if output["kind"] == "passed"]
        found = joined([(o["kind"], o.get("text", "")) for o in ran if o not in passed])
        wanted = joined(shown_by(cell))
        if passed:  # a cell that imports: what it cannot do shows nothing
            assert found["text"][0] in wanted["text"][0], cell.id
            assert found.keys() == wanted.keys(), (cell.id, found)
        elif "nbval-ignore-output" in cell.metadata.get("tags", []):
            assert {k: len(v) for k, v in found.items()} == {k: len(v) for k, v in wanted.items()}
        else:
            assert found == wanted or is_translated(found, wanted), cell.id


@pytest.mark.parametrize("name", NOTEBOOKS, ids="book/{}.html".format)
def test_a_page_says_how_many_of_its_cells_run(still_page, name):
    page = still_page(f"book/{name}.html", WIDE)
    lacks = LACKS[name]
    runs = list(lacks.values()).count("")
    said = page.locator(".py-invitation")
    if not is_run(lacks):
        assert said.count() == 0
        return
    text = said.inner_text()
    start = form(SOME, runs, len(lacks)) if runs < len(lacks) else form(ALL)
    assert start.match(text)
    assert page.locator(".python-cell").count() == runs
    assert page.locator(".python-elsewhere").count() == len(lacks) - runs


def test_a_reader_bets_where_some_cells_need_tensorflow(page, base_url):
    page.goto(f"{base_url}/book/retrieval.html", wait_until="load")
    assert page.locator(".py-mark").count() == 0
    page.get_by_role("button", name=say("Make the code live")).click()
    marks = set(page.locator(".py-mark").all_inner_texts())
    assert marks == {say("Needs {1}", name) for name in ("TensorFlow", "SciPy")}
    assert page.locator(".python-elsewhere .py-editor").count() == 0
    live = page.locator(".python-cell")
    sources = [box.input_value() for box in live.locator("textarea").all()]
    bet = next(i for i, source in enumerate(sources) if source.startswith("yours = "))
    live.nth(bet).locator("textarea").fill('yours = "pixels"\n')
    table = live.nth(bet + 1)  # it says where the bet stands
    table.locator("details.hide > summary").click()
    table.get_by_role("button", name=say("Run"), exact=True).click()
    page.wait_for_function(IDLE)
    said = table.locator(".py-result")
    said.locator("table").wait_for()
    assert "P@10: pixels is number" in said.inner_text()
    first = page.locator(".python-cell").first
    lacked = say("{1} or {2}", "tensorflow", "keras")
    passed = say("Python in the page has no {1}. Passed over:", lacked)
    assert passed in first.locator(".py-passed").inner_text()
    assert serious(page) == []
    page.set_viewport_size(NARROW)
    page.evaluate(SETTLED)
    assert page.evaluate(TOO_WIDE) == []
