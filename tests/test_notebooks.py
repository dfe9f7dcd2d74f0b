"""Structure of the chapters, tests of those tests, and a test that nbval really compares."""

import copy
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import yaml
from nbformat import v4
from notebook_rules import ROOT, RULES, TIME_LINE, code_cells, markdown, run_seconds, tags

BOOK = ROOT / "book"
NOTEBOOKS = sorted(p for p in BOOK.rglob("*.ipynb") if ".ipynb_checkpoints" not in p.parts)

# Pages to look things up in; the rest are chapters.
APPENDIX = {"faq", "right-tool", "teachers-guide"}
RULES_OF_CHAPTERS = {
    "rule_questions_are_close",
    "rule_quiz",
    "rule_sections",
    "rule_some_cells_stand_open",
    "rule_stated_times",
}


def read(path: Path) -> nbformat.NotebookNode:
    return nbformat.read(path, as_version=4)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_chapter(path, rule):
    if path.stem in APPENDIX and rule.__name__ in RULES_OF_CHAPTERS:
        return  # a page to look things up in has no objectives, quiz or stated time
    assert rule(read(path)) == []


def test_the_questions_and_answers_are_many_and_each_has_evidence_and_a_way_on():
    cells = read(BOOK / "faq.ipynb").cells
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    questions = [line for line in text.splitlines() if line.startswith("## ")]
    assert len(questions) >= 12
    assert all(line.endswith("?") for line in questions)
    kinds = [cell.cell_type for cell in cells]
    assert kinds == ["markdown", "code"] * (len(kinds) // 2) + ["markdown"]
    assert text.count("Read on: ") == len(questions)


def test_the_table_of_contents_lists_every_page():
    contents = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    listed = [contents["root"]]
    chapters = [chapter for part in contents["parts"] for chapter in part["chapters"]]
    listed += [page["file"] for c in chapters for page in (c, *c.get("sections", ()))]
    pages = [p.relative_to(ROOT) for p in [*NOTEBOOKS, *BOOK.glob("*.md"), *BOOK.glob("api/*.md")]]
    assert sorted(listed) == sorted(page.with_suffix("").as_posix() for page in pages)


@pytest.mark.parametrize(
    "wish",
    [
        "more efficient representation",
        "more complex images",
        "multi-modal: image-text, video",
        "interpretability",
    ],
)
def test_each_wish_of_the_article_leads_to_a_page(wish):
    text = " ".join((BOOK / "index.md").read_text(encoding="utf-8").split())
    page = re.search(rf"\[{re.escape(wish)}\]\(([\w-]+\.ipynb)\)", text)[1]
    assert BOOK / page in NOTEBOOKS


def test_the_landing_page_states_the_times_of_the_chapters():
    text = (BOOK / "index.md").read_text(encoding="utf-8")
    stated = dict(
        re.findall(r"^:link: (.+)\n:link-type: doc\n\n.+\n\n\*(\d+) min to read\*$", text, re.M)
    )
    chapters = [path for path in NOTEBOOKS if path.stem not in APPENDIX]
    times = {path.stem: TIME_LINE.search(markdown(read(path)))[1] for path in chapters}
    assert stated == times
    assert (
        "Each page runs in under 45 seconds on two processor cores" in text
    )  # see rule_stated_times


def test_what_the_teachers_guide_points_at_is_there():
    guide = markdown(read(BOOK / "teachers-guide.ipynb"))
    pointers = re.findall(r"\]\(([\w-]+)\.ipynb\), (?:exercise )?\*([^*]+)\*", guide)
    pointers += [
        (page, title)
        for title, page in re.findall(r"\*([^*|]+)\* in\n?\s*\[.+?\]\(([\w-]+)\.ipynb", guide)
    ]
    assert len(pointers) >= 8
    for page, title in pointers:
        assert re.search(
            rf"^##+ {re.escape(title)}$", markdown(read(BOOK / f"{page}.ipynb")), re.MULTILINE
        ), title


def test_without_the_extra_its_page_says_in_one_sentence_what_to_install(monkeypatch):
    first = code_cells(read(BOOK / "beyond-one-machine.ipynb"))[0].source
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ImportError) as error:
        exec(first, {})
    message = str(error.value)
    assert "faiss, pymilvus, milvus_lite, distributed" in message
    assert message.endswith('python -m pip install -e ".[scale]"') and "\n" not in message


def test_there_are_notebooks():
    assert len(NOTEBOOKS) >= 5


# -- The tests tested: a good notebook passes, and each way to spoil it is reported. --------------


def quiz() -> str:
    """Two questions of three options each; the second option is right."""
    option = ":::{{dropdown}} Option {}\n:class-container: quiz-option quiz-{}\n**{}.** {}\n:::"
    why = "This says in eight or more words why."
    wrong, right = ("wrong", "Not quite", why), ("right", "Right", why)
    options = [option.format(*of) for of in (("A", *wrong), ("B", *right), ("C", *wrong))]
    questions = ["\n\n".join([f"**{n}. What is it?**", *options]) for n in range(1, 3)]
    return "\n\n".join(["## Quiz", *questions])


def box(title: str, answers: str) -> str:
    return f"::::{{admonition}} {title}\n:class: predict\n\n**What next?**\n\n{answers}\n::::"


def predict() -> str:
    """A question in the text, with one answer."""
    answer = "So it goes, because " + "it must " * 10
    return box(
        "Predict first",
        f":::{{dropdown}} Answer\n:class-container: predict-answer\n\n{answer}\n:::",
    )


def choose() -> str:
    """A question in the text, with options."""
    return box("Choose", quiz().split("?**\n\n")[1].split("\n\n**2.")[0])


def exercise() -> str:
    """An open exercise and its solution."""
    lead = "*open-ended, about 20 min.* Try it."
    asked = f"```{{exercise}} Another x\n:label: ex-x\n\n{lead}\n```"
    return f"## Exercises\n\n{asked}\n\n```{{solution}} ex-x\n:class: dropdown\n\nSo.\n```"


def good_notebook() -> nbformat.NotebookNode:
    code = [v4.new_code_cell(f"print({i})") for i in range(6)]
    for i, cell in enumerate(code):
        cell.execution_count = i + 1
        cell.metadata["execution"] = {
            "iopub.execute_input": f"2026-01-01T00:00:0{i}.000000Z",
            "shell.execute_reply": f"2026-01-01T00:00:0{i}.500000Z",
        }
        cell.outputs = [v4.new_output("stream", name="stdout", text=f"{i}\n")]
    code[4].outputs = [v4.new_output("display_data", {"image/png": "", "text/plain": "<Figure>"})]
    code[4].metadata["mystnb"] = {
        "image": {"alt": "A curve that rises from left to right."},
        "figure": {"caption": "A curve.", "name": "fig-curve"},
        "code_prompt_show": "Draw a curve",
    }
    code[4].metadata["tags"] = ["hide-input"]
    code[5].metadata["tags"] = ["nbval-ignore-output"]
    code[5].source = "seconds = 5\nassert seconds > 0\nprint(seconds)"
    text = [
        "# A chapter\n\nIt mirrors section 1 of the article.",
        "## What you will learn\n\n- Test a test.",
        "**Before you start**: nothing.\n\n**Time**: about 5 min to read; under 10 s to run on "
        "2 CPU cores (measured); Colab's free CPU runtime is not timed yet.",
        "## A section\n\n```python\n# no heading\n```\n\nWhere $f: \\mathbb{R}$, and/or see "
        "https://example.org/home/page.",
    ]
    references = "## References\n\n{cite:p}`kingma2014auto`"
    end = [choose(), "## Summary", quiz(), exercise(), references]
    text.append(predict())
    cells = [*map(v4.new_markdown_cell, text), *code, *map(v4.new_markdown_cell, end)]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return v4.new_notebook(cells=cells, metadata=metadata)


def edit_text(old: str, new: str):
    def spoil(notebook):
        for cell in notebook.cells:
            cell.source = cell.source.replace(old, new)

    return spoil


def edit_code(number: int, **changes):
    def spoil(notebook):
        code_cells(notebook)[number].update(copy.deepcopy(changes))

    return spoil


def edit_metadata(number: int, **changes):
    def spoil(notebook):
        code_cells(notebook)[number].metadata.update(nbformat.from_dict(changes))

    return spoil


def fold(number: int, line: str = "Draw the curve"):
    return edit_metadata(number, tags=["hide-input"], mystnb={"code_prompt_show": line})


def add_cells(number: int):
    def spoil(notebook):
        notebook.cells[6:6] = [copy.deepcopy(code_cells(notebook)[0]) for _ in range(number)]

    return spoil


def both(*spoils):
    return lambda notebook: [spoil(notebook) for spoil in spoils]


def stream(name: str, text: str) -> list:
    return [v4.new_output("stream", name=name, text=text)]


STUB = 'def near(x):\n    ...\n\n\nexercises.check("near", near)'
FIGURE = v4.new_output("display_data", {"image/png": "", "text/plain": "<Figure>"})
MYSTNB = {"image": {"alt": "too short"}, "figure": {"caption": "A curve.", "name": "fig-curve"}}
TWO_ANSWERS = (
    "Option A\n:class-container: quiz-option quiz-wrong",
    "Option A\n:class-container: quiz-option quiz-right",
)
SPOILED = {
    "never executed": (edit_code(2, execution_count=None), "execution counts"),
    "executed out of order": (edit_code(2, execution_count=7), "execution counts"),
    "empty cell": (edit_code(2, source=" "), "code cell 2 is empty"),
    "no code": (lambda n: n.update(cells=n.cells[:5] + n.cells[-5:]), "no code cell"),
    "error": (
        edit_code(1, outputs=[v4.new_output("error", ename="ValueError", evalue="", traceback=[])]),
        "stores an error: ValueError",
    ),
    "stderr": (edit_code(1, outputs=stream("stderr", "a warning")), "writes to stderr"),
    "imports in sight": (edit_code(2, source="import numpy"), "code cell 2 only imports, draws"),
    "a drawing in sight": (
        edit_code(2, source="figure, axis = plt.subplots()\naxis.plot(x)\nplt.show()"),
        "code cell 2 only imports, draws or asserts",
    ),
    "a figure whose cell also computes": (edit_metadata(4, tags=[]), "code cell 4 only imports"),
    "assertions in sight": (
        edit_code(2, source="for n in found:\n    assert n\nnp.testing.assert_allclose(a, b)"),
        "code cell 2 only imports, draws or asserts",
    ),
    "a fold without a line": (edit_metadata(2, tags=["hide-input"]), "say what it does: ''"),
    "a fold that only says that it is one": (fold(2, line="Show the code"), "'Show the code'"),
    "two folds with one line": (both(fold(1), fold(2)), "has the line of another"),
    "a line and no fold": (
        edit_metadata(2, mystnb={"code_prompt_show": "Draw the curve"}),
        "a line for a fold but no tag",
    ),
    "all folded": (
        both(*(fold(number, f"Print the number {number}") for number in range(3))),
        "2 cells stand open, fewer than 3",
    ),
    "many open": (
        add_cells(2),
        "7 cells of section 'A section' stand open",
    ),
    "path in an output": (edit_code(1, outputs=stream("stdout", "in /home/me/x.py")), "/home/me"),
    "temporary path": (edit_code(1, outputs=stream("stdout", "/tmp/ipykernel_1/2.py")), "/tmp"),
    "path in a cell": (edit_code(1, source="open('/mnt/data')"), "/mnt/data"),
    "path on Windows": (edit_text("nothing.", "in C:\\Users\\me."), "machine path"),
    "path in an error": (
        edit_code(
            1,
            outputs=[
                v4.new_output("error", ename="E", evalue="", traceback=["File /opt/book/x.py"])
            ],
        ),
        "/opt/book",
    ),
    "memory address": (
        edit_code(1, outputs=stream("stdout", "<function f at 0x7f3a5c0d1e>")),
        "memory address",
    ),
    "no title": (edit_text("# A chapter", "A chapter"), "title"),
    "two titles": (edit_text("## A section", "# A section"), "exactly one title"),
    "no objectives": (edit_text("## What you will learn", "Learn:"), "'## What you will learn'"),
    "no summary": (edit_text("## Summary", "Done"), "'## Summary'"),
    "no quiz": (edit_text("## Quiz", "### Quiz"), "'## Quiz'"),
    "quiz of open questions": (edit_text("**1. ", "1. "), "1 questions, not two to five"),
    "quiz without an answer": (edit_text("quiz-right", "quiz-wrong"), "0 options are right"),
    "quiz with two answers": (edit_text(*TWO_ANSWERS), "2 options are right"),
    "quiz with two options": (edit_text(":::{dropdown} Option C", ""), "2 options, not three"),
    "quiz with an open end": (edit_text("**2. What is it?**", "**2. It.**"), "question mark"),
    "quiz without classes": (edit_text("quiz-option ", ""), "other fields than its class"),
    "quiz that is always open": (edit_text("Option A\n", "Option A\n:open:\n"), "other fields"),
    "quiz with a false verdict": (edit_text("**Right.**", "**Not quite.**"), "'**Right.**' first"),
    "quiz without a verdict": (edit_text("**Not quite.** ", ""), "'**Not quite.**' first"),
    "quiz that gives no reason": (edit_text("eight or more words ", ""), "4 words of feedback"),
    "quiz with a formula in a title": (edit_text("Option A", "Option $A$"), "not plain text"),
    "quiz with a full stop": (edit_text("Option B", "Option B."), "without a full stop"),
    "box of another form": (edit_text("::::{admonition}", ":::::{admonition}"), "four colons"),
    "box beside prose": (edit_text("::::{admonition}", "So.\n\n::::{admonition}"), "of its own"),
    "box without its class": (edit_text(":class: predict", ":class: note"), "the class predict"),
    "box of another title": (edit_text("Predict first", "Think"), "is not one of"),
    "box without a question": (edit_text("**What next?**", "What next?"), "question in bold"),
    "box without an answer": (edit_text("} Answer", "} Solution"), "not one dropdown 'Answer'"),
    "box with a curt answer": (edit_text("it must " * 5, ""), "has 4 words of answer"),
    "box with two answers": (edit_text(*TWO_ANSWERS), "box '**What next?**"),
    "nine cells without a question": (add_cells(3), "code cell 8 is the ninth without a question"),
    "no exercises": (edit_text("## Exercises", "Work"), "'## Exercises'"),
    "exercise without a time": (edit_text("*open-ended, about 20 min.* ", ""), "'ex-x' does not"),
    "exercise of another level": (edit_text("*open-ended", "*harder"), "'ex-x' does not start"),
    "exercise of odd minutes": (edit_text("about 20 min", "about 17 min"), "15, 20, 30, 45 or 60"),
    "exercise that starts otherwise": (edit_text("*open-ended", "See. *open-ended"), "not start"),
    "exercise unsolved": (edit_text("{solution} ex-x", "{note}"), "'ex-x' has 0 solutions"),
    "exercise solved twice": (
        edit_text("## References", "```{solution} ex-x\nSo.\n```\n\n## References"),
        "'ex-x' has 2 solutions",
    ),
    "exercise without a label": (edit_text(":label: ex-x\n", ""), "'without a label' has 0"),
    "exercise of another form": (edit_text("```{exercise}", ":::{exercise}"), "lines of backticks"),
    "exercise named like something of the page": (
        both(edit_code(1, source=STUB), edit_code(2, source="near = 3")),
        "the cell 'near = 3' uses the name of the exercise 'near'",
    ),
    "exercise whose name a solution needs": (
        both(edit_code(1, source=STUB), edit_text("So.", "```python\nprint(near(1))\n```")),
        "the solution 'print(near(1))\\n' uses the name of the exercise 'near'",
    ),
    "no references": (edit_text("## References", "Read"), "'## References'"),
    "sections out of order": (
        lambda n: n.cells.append(n.cells.pop(-4)),
        "open with 'What you will learn' and close",
    ),
    "no prerequisites": (edit_text("**Before you start**", "First"), "Before you start"),
    "no time": (edit_text("**Time**", "Time"), "no line '**Time**"),
    "time not in steps": (edit_text("under 10 s", "under 60 s"), "no line '**Time**"),
    "reading takes longer": (edit_text("nothing.", "word " * 4000), "5 min to read, which are 20"),
    "minutes not rounded": (edit_text("about 5 min", "about 7 min"), "7 min to read"),
    "time not recorded": (edit_metadata(3, execution={}), "not recorded"),
    "takes longer than stated": (
        edit_metadata(
            3,
            execution={
                "iopub.execute_input": "2026-01-01T00:00:00.000000Z",
                "shell.execute_reply": "2026-01-01T00:00:15.000000Z",
            },
        ),
        "the recorded run took 18 s",
    ),
    "cell takes long": (
        edit_metadata(
            2,
            execution={
                "iopub.execute_input": "2026-01-01T00:00:00.000000Z",
                "shell.execute_reply": "2026-01-01T00:00:21.000000Z",
            },
        ),
        "code cell 2 took 21 s",
    ),
    "stream in pieces": (
        edit_code(1, outputs=stream("stdout", "1\n") + stream("stdout", "2\n")),
        "code cell 1 stores stdout in pieces",
    ),
    "long cell": (edit_code(0, source="x = 1\n" * 31), "31 lines"),
    "figure without alt text": (edit_metadata(4, mystnb={}), "no alt text"),
    "short alt text": (edit_metadata(4, mystnb=MYSTNB), "'too short'"),
    "no caption": (
        edit_metadata(4, mystnb={"image": {"alt": "A curve that rises, then falls."}}),
        "needs a caption",
    ),
    "two figures in a cell": (edit_code(4, outputs=[FIGURE, FIGURE]), "makes 2 figures"),
    "picture without alt text": (edit_text("nothing.", "![](x.png)"), "picture in the text"),
    "img without alt text": (edit_text("nothing.", '<img src="x.png">'), "picture in the text"),
    "too many exempt": (edit_metadata(3, tags=["nbval-ignore-output"]), "2 of 6"),
    "exempt and unasserted": (edit_code(5, source="print('assert')"), "asserts nothing"),
    "skipped": (edit_metadata(1, tags=["nbval-skip"]), "['nbval-skip']"),
    "allowed to fail": (edit_metadata(1, tags=["raises-exception"]), "['raises-exception']"),
    "exempt by comment": (edit_code(1, source="# NBVAL_IGNORE_OUTPUT\nx"), "by a comment"),
    "skipped by comment": (edit_code(1, source="x\n  #NBVAL_SKIP"), "by a comment"),
    "widget": (
        edit_code(
            1,
            outputs=[
                v4.new_output("display_data", {"application/vnd.jupyter.widget-view+json": {}})
            ],
        ),
        "shows a widget",
    ),
    "unknown citation": (edit_text("kingma2014auto", "nobody1999nothing"), "nobody1999nothing"),
    "editor's metadata": (lambda n: n.metadata.update(jupytext={}), "['jupytext']"),
    "another kernel": (lambda n: n.metadata.pop("kernelspec"), "named python3"),
    "version of Python": (
        lambda n: n.metadata.language_info.update(version="3.11.7"),
        "language_info",
    ),
    "cell metadata": (edit_metadata(1, collapsed=True), "['collapsed']"),
}


def problems(notebook) -> list[str]:
    return [problem for rule in RULES for problem in rule(notebook)]


def test_a_good_notebook_has_no_problem():
    assert problems(good_notebook()) == []


@pytest.mark.parametrize("name", SPOILED)
def test_a_spoiled_notebook_is_reported(name):
    spoil, message = SPOILED[name]
    notebook = good_notebook()
    spoil(notebook)
    assert any(message in problem for problem in problems(notebook)), problems(notebook)


def test_every_rule_is_tested():
    reported = set()
    for spoil, _ in SPOILED.values():
        notebook = good_notebook()
        spoil(notebook)
        reported |= {rule for rule in RULES if rule(notebook)}
    assert reported == set(RULES)


# -- nbval compares what it is meant to compare ---------------------------------------------------


def shortened(notebook) -> nbformat.NotebookNode | None:
    """Return the notebook up to its second compared text output, or None if it has not two."""
    compared = [i for i, cell in enumerate(notebook.cells) if is_compared_text(cell)]
    if len(compared) < 2:
        return None
    short = copy.deepcopy(notebook)
    del short.cells[compared[1] + 1 :]
    return short


def is_compared_text(cell) -> bool:
    return (
        cell.cell_type == "code"
        and "nbval-ignore-output" not in tags(cell)
        and any(output.output_type == "stream" for output in cell.outputs)
    )


@pytest.mark.slow
def test_nbval_notices_one_changed_output(patient_folder):
    candidates = [short for path in NOTEBOOKS if (short := shortened(read(path)))]
    notebook = min(candidates, key=lambda short: run_seconds(short) or float("inf"))
    nbformat.write(notebook, patient_folder / "unchanged.ipynb")

    cells = code_cells(notebook)
    changed = next(i for i, cell in enumerate(cells) if is_compared_text(cell))
    stored = next(output for output in cells[changed].outputs if output.output_type == "stream")
    stored.text = stored.text.rstrip("\n") + " (changed)\n"
    nbformat.write(notebook, patient_folder / "changed.ipynb")

    command = [sys.executable, "-m", "pytest", "--nbval", "--nbval-cell-timeout=900", "-q", "-rf"]
    result = subprocess.run(
        [*command, "-p", "no:cacheprovider", "--color=no", "unchanged.ipynb", "changed.ipynb"],
        cwd=patient_folder,
        capture_output=True,
        text=True,
    )
    failed = [line for line in result.stdout.splitlines() if line.startswith("FAILED")]
    # The cell with the changed output fails, and no other: not the one after it, not its twin.
    assert [line.split(" - ")[0] for line in failed] == [f"FAILED changed.ipynb::Cell {changed}"], (
        result.stdout
    )
    assert f"1 failed, {2 * len(cells) - 1} passed" in result.stdout.splitlines()[-1]
