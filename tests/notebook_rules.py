"""What a chapter must have: each rule takes a notebook and returns the problems it found."""

import ast
import re
from collections import Counter
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import reading_times

from vae_tutorial.exercises import _cells

ROOT = Path(__file__).resolve().parents[1]

LONGEST_CELL = 30
LONGEST_RUN = 20  # seconds
SHORTEST_ALT_TEXT = 20
SECTIONS = ["What you will learn", "Summary", "Quiz", "Exercises", "References"]
TIME_LINE = re.compile(
    r"^\*\*Time\*\*: about (\d+) min to read; under (10|30|45) s to run on 2 CPU cores "
    r"\(measured\); Colab.+\.",
    re.MULTILINE,
)
MACHINE_PATH = re.compile(
    r"(?<![\w.])(?:file://)?/(?:home|root|work|tmp|Users|opt|usr|var|mnt|content|private)/\w+"
    r"|[A-Z]:\\+(?:Users|Windows|Program Files|Temp)"
)
MEMORY_ADDRESS = re.compile(r"\bat 0x[0-9a-fA-F]{6,}")
CITATION = re.compile(r"\{cite(?::\w+)?\}`([^`]+)`")
NBVAL_COMMENT = re.compile(r"^\s*#\s*(?:NBVAL_|PYTEST_VALIDATE_)\w+", re.MULTILINE)
QUIZ_OPTION = re.compile(
    r"^:::\{dropdown\} *([^\n]*)\n((?::[\w-]+:[^\n]*\n)*)(.*?)^:::$", re.DOTALL | re.MULTILINE
)
FEWEST_WORDS_OF_FEEDBACK = 8
BOX = re.compile(
    r"^::::\{admonition\} *([^\n]*)\n((?::[\w-]+:[^\n]*\n)*)(.*?)^::::$", re.DOTALL | re.MULTILINE
)
BOX_TITLES = ("Predict first", "Choose", "Three lines")
FEWEST_WORDS_OF_ANSWER = 20
LONGEST_WAY_TO_A_QUESTION = 8  # code cells
OPEN_EXERCISE = re.compile(
    r"^(`{3,})\{exercise\}[^\n]*\n((?::[\w-]+:[^\n]*\n)*)(.*?)^\1 *$", re.DOTALL | re.MULTILINE
)
OPEN_LEAD = re.compile(r"\*open-ended, about (?:15|20|30|45|60) min\.\* \S")
CHECKED = re.compile(r'exercises\.check\("(\w+)"')
SOLVED = re.compile(r"^(`{3,})\{solution\}.*?^\1 *$", re.DOTALL | re.MULTILINE)
PYTHON = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)
ALLOWED_TAGS = {"nbval-ignore-output", "hide-input"}
ALLOWED_CELL_METADATA = {"tags", "mystnb", "execution"}
ALLOWED_METADATA = {"kernelspec", "language_info"}


def code_cells(notebook) -> list:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def markdown(notebook) -> str:
    return "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def tags(cell) -> list[str]:
    return list(cell.metadata.get("tags", []))


def output_texts(cell) -> list[str]:
    """Return every text that the outputs of ``cell`` hold, images apart."""
    texts = []
    for output in cell.outputs:
        texts.append(output.get("text", ""))
        texts.extend(output.get("traceback", []))
        data = output.get("data", {})
        texts.extend(str(value) for kind, value in data.items() if not kind.startswith("image/"))
    return texts


def image_outputs(cell) -> int:
    return sum(
        any(kind.startswith("image/") for kind in output.get("data", {})) for output in cell.outputs
    )


def cell_seconds(cell) -> float | None:
    """Return the measured run time of one code cell, or None where it is missing."""
    times = cell.metadata.get("execution", {})
    start, end = times.get("iopub.execute_input"), times.get("shell.execute_reply")
    if not start or not end:
        return None
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()


def run_seconds(notebook) -> float | None:
    """Return the measured run time of all code cells, or None where a time is missing."""
    times = [cell_seconds(cell) for cell in code_cells(notebook)]
    return None if None in times else sum(times)


def rule_executed_from_top_to_bottom(notebook) -> list[str]:
    # nbval compares nothing in a notebook that was never run, so this rule keeps it honest.
    cells = code_cells(notebook)
    problems = [f"code cell {i} is empty" for i, c in enumerate(cells) if not c.source.strip()]
    counts = [cell.execution_count for cell in cells if cell.source.strip()]
    if not counts:
        problems.append("there is no code cell")
    if counts != list(range(1, len(counts) + 1)):
        problems.append(f"execution counts are {counts}, not 1, 2, 3, ...; run `make notebooks`")
    return problems


def rule_no_error_and_no_stderr(notebook) -> list[str]:
    problems = []
    for i, cell in enumerate(code_cells(notebook)):
        for output in cell.outputs:
            if output.output_type == "error":
                problems.append(f"code cell {i} stores an error: {output.ename}")
            if output.output_type == "stream" and output.name == "stderr":
                problems.append(f"code cell {i} writes to stderr: {output.text.strip()[:60]!r}")
    return problems


def rule_streams_are_merged(notebook) -> list[str]:
    # Where a stream is cut depends on the moment, so a stored cut says nothing and changes often.
    return [
        f"code cell {i} stores {first.name} in pieces; run `make notebooks`"
        for i, cell in enumerate(code_cells(notebook))
        for first, second in pairwise(cell.outputs)
        if first.output_type == second.output_type == "stream" and first.name == second.name
    ]


def rule_no_trace_of_a_machine(notebook) -> list[str]:
    problems = []
    for i, cell in enumerate(notebook.cells):
        texts = [cell.source] + (output_texts(cell) if cell.cell_type == "code" else [])
        for text in texts:
            if found := MACHINE_PATH.search(text):
                problems.append(f"cell {i} holds a machine path: {found[0]!r}")
            if found := MEMORY_ADDRESS.search(text):
                problems.append(f"cell {i} holds a memory address: {found[0]!r}")
    return problems


def rule_sections(notebook) -> list[str]:
    text = re.sub(r"^(```+|~~~+).*?^\1\s*$", "", markdown(notebook), flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^(#{1,6}) +(.+?)\s*$", text, re.MULTILINE)
    problems = []
    if not headings or headings[0][0] != "#":
        problems.append("the first heading is not the title (one #)")
    if sum(marks == "#" for marks, _ in headings) != 1:
        problems.append("there must be exactly one title (one #)")
    names = [name for marks, name in headings if marks == "##"]
    for name in SECTIONS:
        if names.count(name) != 1:
            problems.append(f"section '## {name}' occurs {names.count(name)} times, not once")
    found = [name for name in names if name in SECTIONS]
    ordered = found == SECTIONS and [names[0], *names[-4:]] == SECTIONS
    if not problems and not ordered:
        problems.append(f"sections must open with {SECTIONS[0]!r} and close with {SECTIONS[1:]}")
    if "**Before you start**: " not in text:
        problems.append("the line '**Before you start**: ...' is missing")
    return problems


def rule_quiz(notebook) -> list[str]:
    section = re.search(r"^## Quiz$(.*?)(?=^## |\Z)", markdown(notebook), re.DOTALL | re.MULTILINE)
    if section is None:
        return ["there is no quiz"]
    _, *questions = re.split(r"^\*\*(?=\d+\. )", section[1], flags=re.MULTILINE)
    problems = []
    if len(questions) not in (2, 3, 4, 5):
        problems.append(f"the quiz has {len(questions)} questions, not two to five")
    for number, question in enumerate(questions, start=1):
        problems += [f"quiz question {number}: {found}" for found in question_problems(question)]
    return problems


def question_problems(question: str) -> list[str]:
    heading = question.split(":::")[0].strip()
    problems = []
    if not re.fullmatch(r"\d+\. .+\?\*\*", heading, re.DOTALL):
        problems.append(f"not one bold text that ends in a question mark: {heading!r}")
    return problems + options_problems(QUIZ_OPTION.findall(question))


def options_problems(options: list) -> list[str]:
    problems = []
    if len(options) not in (3, 4):
        problems.append(f"{len(options)} options, not three or four")
    right = sum("quiz-right" in fields for _, fields, _ in options)
    if right != 1:
        problems.append(f"{right} options are right, not one")
    for title, fields, feedback in options:
        found = option_problems(title, fields.strip(), feedback.strip())
        problems += [f"option {title!r} {problem}" for problem in found]
    return problems


def option_problems(title: str, fields: str, feedback: str) -> list[str]:
    problems = []
    # Copies for Jupyter put the title into <summary>, where Markdown is not parsed.
    if re.search(r"[$`*_<>\[\]{}\\]|^$|\.$", title):
        problems.append("is not plain text without a full stop")
    verdicts = {
        ":class-container: quiz-option quiz-right": "**Right.** ",
        ":class-container: quiz-option quiz-wrong": "**Not quite.** ",
    }
    verdict = verdicts.get(fields)
    if verdict is None:
        problems.append(f"has other fields than its class: {fields!r}")
    elif not feedback.startswith(verdict):
        problems.append(f"does not say {verdict.strip()!r} first")
    words = len(re.sub(r"^\*\*.*?\*\*", "", feedback).split())
    if words < FEWEST_WORDS_OF_FEEDBACK:
        problems.append(f"has {words} words of feedback, too few to say why")
    return problems


def rule_questions_in_the_text(notebook) -> list[str]:
    problems = []
    for cell in notebook.cells:
        if cell.cell_type != "markdown":
            continue
        boxes = BOX.findall(cell.source)
        if len(boxes) != len(re.findall(r"^:{3,}\{admonition\}", cell.source, re.MULTILINE)):
            problems.append(f"a box is not between two lines of four colons: {cell.source[:60]!r}")
        if boxes and not BOX.fullmatch(cell.source.strip()):
            problems.append(f"the box in {cell.source[:60]!r} needs a cell of its own")
        for title, fields, body in boxes:
            found = box_problems(title, fields.strip(), body)
            problems += [f"box {body.strip()[:40]!r} {problem}" for problem in found]
    return problems


def box_problems(title: str, fields: str, body: str) -> list[str]:
    problems = []
    if title not in BOX_TITLES or fields != ":class: predict":
        problems.append(f"is not one of {BOX_TITLES} with the class predict")
    if not re.match(r"\s*\*\*[^*]+[?.]\*\*", body):
        problems.append("does not open with its question in bold")
    options = QUIZ_OPTION.findall(body)
    if title == "Choose":
        return problems + options_problems(options)
    if title == "Three lines" and not options and "```python" in body:
        return problems  # checked: the stub, hints and solution follow, from the bank
    if [(t, f.strip()) for t, f, _ in options] != [("Answer", ":class-container: predict-answer")]:
        return [*problems, "has not one dropdown 'Answer' with the class predict-answer"]
    if (words := len(options[0][2].split())) < FEWEST_WORDS_OF_ANSWER:
        problems.append(f"has {words} words of answer, too few to say why")
    return problems


def rule_questions_are_close(notebook) -> list[str]:
    """A reader who only runs cells does not notice what was not understood."""
    problems, since, number = [], 0, -1
    for cell in notebook.cells:
        if cell.cell_type == "code":
            since, number = since + 1, number + 1
            asks = CHECKED.search(cell.source)
        else:
            asks = BOX.search(cell.source) or "quiz-option" in cell.source
        if asks:
            since = 0
        elif since == LONGEST_WAY_TO_A_QUESTION + 1:
            problems.append(
                f"code cell {number} is the ninth without a question; "
                "put one after every 6 to 8 code cells"
            )
    return problems


def rule_open_exercises_are_timed(notebook) -> list[str]:
    text, problems = markdown(notebook), []
    found = OPEN_EXERCISE.findall(text)
    if len(found) != len(re.findall(r"^ *[`:~]{3,}\{exercise\}", text, re.MULTILINE)):
        problems.append("an open exercise is not between two lines of backticks")
    solved = re.findall(r"^`{3,}\{solution\} +(\S+)", text, re.MULTILINE)
    for _, fields, body in found:
        label = re.search(r"^:label: *(\S+)", fields, re.MULTILINE)
        name = label[1] if label else "without a label"
        if not OPEN_LEAD.match(body.lstrip()):
            problems.append(
                f"open exercise {name!r} does not start with '*open-ended, about NN min.*' "
                "and 15, 20, 30, 45 or 60"
            )
        if solved.count(name) != 1:
            problems.append(f"open exercise {name!r} has {solved.count(name)} solutions, not one")
    return problems


def rule_exercises_have_names_of_their_own(notebook) -> list[str]:
    """A stub takes its name from whatever else runs, and a reader runs cells in any order."""
    names = set(CHECKED.findall("\n".join(cell.source for cell in code_cells(notebook))))
    cells = [cell.source for cell in code_cells(notebook) if not CHECKED.search(cell.source)]
    solutions = "\n".join(found[0] for found in SOLVED.finditer(markdown(notebook)))
    problems = []
    for where, code in [
        *((f"the cell {cell[:40]!r}", cell) for cell in cells),
        *((f"the solution {code[:40]!r}", code) for code in PYTHON.findall(solutions)),
    ]:
        used = set().union(*(set().union(*_cells._names(node)) for node in _cells.parse(code)))
        problems += [f"{where} uses the name of the exercise {name!r}" for name in names & used]
    return problems


def rule_stated_times(notebook) -> list[str]:
    line = TIME_LINE.search(markdown(notebook))
    if line is None:
        return [
            "no line '**Time**: about NN min to read; under NN s to run on 2 CPU cores (measured); "
            "Colab ...' with 10, 30 or 45 s"
        ]
    problems = []
    minutes, bound = int(line[1]), int(line[2])
    expected = reading_times.rounded(reading_times.sections_of(notebook))
    problems = []
    if minutes != expected:
        problems.append(
            f"says {minutes} min to read, which are {expected}; "
            "run `python tools/reading_times.py --write`"
        )
    seconds = run_seconds(notebook)
    if seconds is None:
        problems.append("the run time of a cell is not recorded; run `make notebooks`")
    elif seconds >= bound:
        problems.append(f"says under {bound} s to run; the recorded run took {seconds:.0f} s")
    return problems


def rule_no_long_cell(notebook) -> list[str]:
    return [
        f"code cell {i} took {seconds:.0f} s, more than {LONGEST_RUN}"
        for i, cell in enumerate(code_cells(notebook))
        if (seconds := cell_seconds(cell)) is not None and seconds > LONGEST_RUN
    ]


def rule_short_cells(notebook) -> list[str]:
    return [
        f"code cell {i} has {lines} lines, more than {LONGEST_CELL}"
        for i, cell in enumerate(code_cells(notebook))
        if (lines := len(cell.source.splitlines())) > LONGEST_CELL
    ]


def rule_figures_are_described(notebook) -> list[str]:
    problems = []
    for i, cell in enumerate(code_cells(notebook)):
        images = image_outputs(cell)
        if not images:
            continue
        if images > 1:
            problems.append(f"code cell {i} makes {images} figures; one text cannot describe them")
        shown = cell.metadata.get("mystnb", {})
        alt = shown.get("image", {}).get("alt", "").strip()
        if len(alt) < SHORTEST_ALT_TEXT:
            problems.append(f"the figure of code cell {i} has no alt text of use: {alt!r}")
        figure = shown.get("figure", {})
        if not figure.get("caption") or not figure.get("name", "").startswith("fig-"):
            problems.append(f"the figure of code cell {i} needs a caption and a name 'fig-...'")
    text = markdown(notebook)
    if re.search(r"!\[\s*\]\(", text) or re.search(r"<img(?![^>]*\balt=\"[^\"]+\")[^>]*>", text):
        problems.append("a picture in the text has no alt text")
    return problems


# What makes no value that later cells need, and no result to think about: it draws or tabulates.
DRAWING = ("plt.", "plotting.", "notebook.show_table")
CHECKING = ("np.testing.",)
MOST_OPEN = 6  # cells in a section
DULL = re.compile(
    r"^(?:show|hide|toggle|see|view)\b.*\b(?:code|cell|source)\b|^code$", re.IGNORECASE
)


def folded(cell) -> bool:
    return "hide-input" in tags(cell)


def line_of(cell) -> str:
    return cell.metadata.get("mystnb", {}).get("code_prompt_show", "")


def teaches(source: str) -> bool:
    """Whether a cell does anything but import, draw, tabulate and assert, by its syntax tree."""
    drawn = set()  # names of figures and axes

    def is_dull(node) -> bool:
        match node:
            case ast.Import() | ast.ImportFrom() | ast.Assert():
                return True
            case ast.Expr(value=ast.Call(func=called)):
                name = ast.unparse(called)
                return name.startswith((*DRAWING, *CHECKING)) or re.split(r"\W", name)[0] in drawn
            case ast.Assign(targets=[target], value=ast.Call(func=called)):
                if not ast.unparse(called).startswith(DRAWING):
                    return False
                drawn.update(n.id for n in ast.walk(target) if isinstance(n, ast.Name))
                return True
            case ast.For() | ast.With() | ast.If():
                if isinstance(node, ast.For) and drawn & names_in(node.iter):
                    drawn.update(names_in(node.target))
                return all(map(is_dull, [*node.body, *getattr(node, "orelse", [])]))
        return False

    return not all(map(is_dull, ast.parse(source).body))


def names_in(node) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}


def rule_what_does_not_teach_is_folded(notebook) -> list[str]:
    """What makes a figure is about ink, too: what it computes belongs in a cell before it."""
    cells = code_cells(notebook)
    problems = [
        f"code cell {i} only imports, draws or asserts; fold it with the tag hide-input"
        for i, cell in enumerate(cells)
        if not folded(cell) and (image_outputs(cell) or not teaches(cell.source))
    ]
    lines = Counter(line_of(cell) for cell in cells if folded(cell))
    for i, cell in enumerate(cells):
        line = line_of(cell)
        if not folded(cell):
            problems += [f"code cell {i} has a line for a fold but no tag"] if line else []
        elif not re.fullmatch(r"[A-Z].{7,66}[^.]", line) or DULL.match(line):
            problems.append(f"the fold of code cell {i} does not say what it does: {line!r}")
        elif lines[line] > 1:
            problems.append(f"the fold of code cell {i} has the line of another: {line!r}")
    return problems


def rule_some_cells_stand_open(notebook) -> list[str]:
    """The few that teach, in each section; exercises and sources of the library apart."""
    sections, section = Counter(), ""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            found = re.findall(r"^## +(.+?)\s*$", cell.source, re.MULTILINE)
            section = found[-1] if found else section
        elif not folded(cell) and not re.search(r"^exercises\.|show_source", cell.source, re.M):
            sections[section] += 1
    total = sections.total()
    problems = [f"{total} cells stand open, fewer than 3"] if total < 3 else []
    return problems + [
        f"{n} cells of section {name!r} stand open, more than {MOST_OPEN}"
        for name, n in sections.items()
        if n > MOST_OPEN
    ]


def rule_outputs_are_compared(notebook) -> list[str]:
    cells = code_cells(notebook)
    exempt = [i for i, cell in enumerate(cells) if "nbval-ignore-output" in tags(cell)]
    problems = []
    if len(exempt) * 5 > len(cells):
        problems.append(f"{len(exempt)} of {len(cells)} code cells are exempt, over one in five")
    for i in exempt:
        if not re.search(r"^\s*assert\b", cells[i].source, re.MULTILINE):
            problems.append(f"code cell {i} is exempt from comparison and asserts nothing")
    for i, cell in enumerate(cells):
        if unknown := sorted(set(tags(cell)) - ALLOWED_TAGS):
            problems.append(f"code cell {i} has tags that are not allowed: {unknown}")
        if found := NBVAL_COMMENT.search(cell.source):
            problems.append(f"code cell {i} steers nbval by a comment: {found[0].strip()!r}")
        if any("widget" in kind for output in cell.outputs for kind in output.get("data", {})):
            problems.append(f"code cell {i} shows a widget, which is not compared")
    return problems


def rule_citations_exist(notebook) -> list[str]:
    bibliography = (ROOT / "book" / "references.bib").read_text(encoding="utf-8")
    known = set(re.findall(r"^\s*@\w+\{\s*([^,\s]+)", bibliography, re.MULTILINE))
    cited = {
        key.strip() for group in CITATION.findall(markdown(notebook)) for key in group.split(",")
    }
    return [f"cites {key!r}, which references.bib lacks" for key in sorted(cited - known)]


def rule_clean_metadata(notebook) -> list[str]:
    problems = []
    if extra := sorted(set(notebook.metadata) - ALLOWED_METADATA):
        problems.append(f"notebook metadata to remove: {extra}")
    if notebook.metadata.get("kernelspec", {}).get("name") != "python3":
        problems.append("the kernel is not named python3")
    if notebook.metadata.get("language_info", {}).keys() - {"name"}:
        problems.append("language_info names more than the language")
    for i, cell in enumerate(notebook.cells):
        if extra := sorted(set(cell.metadata) - ALLOWED_CELL_METADATA):
            problems.append(f"cell {i} has metadata to remove: {extra}")
    return problems


RULES = [rule for name, rule in sorted(globals().items()) if name.startswith("rule_")]
