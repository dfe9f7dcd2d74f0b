"""The reader's Python in the page: runs a cell or an answer, and returns what there is to show.

Loaded by worker.js. Everything that the page is told is a list of outputs, as JSON.
"""

import ast
import base64
import contextlib
import io
import json
import linecache
import os
import sys
import traceback
import types

import live_missing

LONGEST = 20_000  # characters of one output


class Shown:
    """What a cell has shown so far, in order."""

    def __init__(self):
        self.outputs: list[dict] = []

    def text(self, text: str) -> None:
        """Add to the text; what is printed piece by piece is one output."""
        if not (self.outputs and self.outputs[-1]["kind"] == "text"):
            self.outputs.append({"kind": "text", "text": ""})
        self.outputs[-1]["text"] += text[: LONGEST - len(self.outputs[-1]["text"])]

    def add(self, kind: str, **content) -> None:
        self.outputs.append({"kind": kind, **content})


shown = Shown()
spaces: dict[str, dict] = {}


class Printed(io.TextIOBase):
    """Takes what is printed."""

    def write(self, text: str) -> int:
        shown.text(text)
        return len(text)


# -- What stands for IPython, which would be another two megabytes ---------------------------------


class Markdown:
    """A text in Markdown, as IPython has it."""

    def __init__(self, data: str):
        self.data = data


def display(*things, **_) -> None:
    for thing in things:
        if isinstance(thing, Markdown):
            shown.add("markdown", text=thing.data)
        elif hasattr(thing, "savefig"):
            draw(thing)
        else:
            shown.text(f"{thing!r}\n")


def provide_display() -> None:
    package, module = types.ModuleType("IPython"), types.ModuleType("IPython.display")
    package.display = module
    package.get_ipython, package.version_info = lambda: None, (9, 0)
    module.Markdown, module.display = Markdown, display
    sys.modules |= {"IPython": package, "IPython.display": module}


def count_64_bits() -> None:
    """Let np.bincount take 64-bit numbers where a place in memory has 32, as in a browser.

    The library's labels are int64 everywhere, and pages count them.
    """
    import numpy

    bincount = numpy.bincount

    def counted(x, *rest, **named):
        x = numpy.asarray(x)
        return bincount(x.astype(numpy.intp) if x.dtype == numpy.int64 else x, *rest, **named)

    numpy.bincount = counted


def speak_as_the_site() -> None:
    """Let the library answer in the site's language: no other catalogue came with it."""
    from vae_tutorial import _words

    for folder in _words.LOCALE.glob("*"):
        os.environ[_words.VARIABLE] = folder.name


if sys.platform == "emscripten":
    speak_as_the_site()


# -- Figures ---------------------------------------------------------------------------------------


def prepare_figures() -> None:
    """Let Matplotlib draw into memory, and plt.show() into the page."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    plt.show = show_figures


def draw(figure) -> None:
    file = io.BytesIO()
    figure.savefig(file, format="png", bbox_inches="tight")
    shown.add("picture", png=base64.b64encode(file.getvalue()).decode("ascii"))


def show_figures(*_, **__) -> None:
    """Draw the figures that a cell has left open, as a notebook does at its end."""
    if plt := sys.modules.get("matplotlib.pyplot"):
        for number in plt.get_fignums():
            draw(plt.figure(number))
        plt.close("all")


# -- Running ---------------------------------------------------------------------------------------


def read(code: str, name: str) -> tuple[list[ast.stmt], ast.Expr | None]:
    """Return the statements of a cell, the last apart if its value is to be shown."""
    # So that errors show their line, and inspect finds the source.
    linecache.cache[name] = len(code), None, code.splitlines(keepends=True), name
    body = ast.parse(code, name).body
    shows = body and isinstance(body[-1], ast.Expr) and not code.rstrip().endswith(";")
    return (body[:-1], body[-1]) if shows else (body, None)


def execute(code: str, space: dict, name: str):
    """Run a cell; return the value of its last line, if that is an expression."""
    body, last = read(code, name)
    exec(compile(ast.Module(body, []), name, "exec"), space)
    return eval(compile(ast.Expression(last.value), name, "eval"), space) if last else None


def execute_what_can(code: str, space: dict, name: str):
    """Run a cell as ``execute`` does; where it imports what is lacking, pass over what uses it."""
    body, last = read(code, name)
    passed, lacks, value = [], [], None
    for statement in [*body, *([last] if last else [])]:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            passed += live_missing.bring(statement, space, lacks)
            continue
        try:
            if statement is last:
                value = eval(compile(ast.Expression(last.value), name, "eval"), space)
            else:
                exec(compile(ast.Module([statement], []), name, "exec"), space)
        except live_missing.Lacking as error:
            if not passed:
                raise
            passed.append(code.splitlines()[statement.lineno - 1])
            made = live_missing.made_by(statement)
            space |= dict.fromkeys(made, live_missing.Missing(error.lacked))
    if passed:
        names = " or ".join(dict.fromkeys(lacks))
        shown.add("passed", text="\n".join(passed), lacks=names)
    return value


def explain(error: BaseException, name: str) -> None:
    """Say what went wrong and in which line, without the frames of this program."""
    lines = traceback.format_exception_only(error)
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == name]
    if frames and not isinstance(error, SyntaxError):
        from vae_tutorial._words import _

        where = [_("line {number}: {code}", number=f.lineno, code=f.line) for f in frames]
        lines = [*(f"{line}\n" for line in where), *lines]
    said = "".join(lines).replace(f'  File "{name}", ', "")
    shown.add("error", text=said.rstrip())


@contextlib.contextmanager
def listening(name: str):
    """Take what is printed and what goes wrong."""
    global shown
    shown = Shown()
    printed = Printed()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        try:
            yield
        except BaseException as error:  # also SystemExit: it ends no page
            explain(error, name)


def space_of(name: str) -> dict:
    """Return the names of a page's cells, which last until Python is loaded again."""
    if name not in spaces:
        module = types.ModuleType("__main__")
        sys.modules["__main__"] = module
        spaces[name] = module.__dict__
        spaces[name]["display"] = display
    return spaces[name]


def cell(page: str, name: str, code: str) -> str:
    """Run a cell of a page."""
    with listening(name):
        value = execute_what_can(code, space_of(page), name)
        if value is not None:
            display(value)
        show_figures()
    return json.dumps(shown.outputs)


# -- Exercises -------------------------------------------------------------------------------------


def answer(name: str, code: str):
    """Run a reader's code in a space of its own, where NumPy is at hand; return the function."""
    import numpy

    from vae_tutorial import exercises
    from vae_tutorial._words import _

    module = types.ModuleType("__main__")
    sys.modules["__main__"] = module
    space = module.__dict__
    space |= {"np": numpy, "numpy": numpy, "exercises": exercises, "display": display}
    value = execute(code, space, name)
    if value is not None:
        display(value)
    if name not in space:
        raise NameError(_("there is no function {name}; its name must stay as it was", name=name))
    return space


def attempt(name: str, code: str) -> str:
    """Run an answer, and show what it gives for the exercise's example."""
    from vae_tutorial._words import _
    from vae_tutorial.exercises import EXERCISES

    with listening(name):
        space, example = answer(name, code), EXERCISES[name].example
        shown.text(f"{example}\n")
        result = eval(example, space)
        shown.text(f"{_('returns nothing yet') if result is None else repr(result)}\n")
        shown.add("wanted", text=EXERCISES[name].example_result())
        show_figures()
    return json.dumps(shown.outputs)


def check(name: str, code: str) -> str:
    """Check an answer; the verdict is the library's, word for word."""
    from vae_tutorial import exercises

    with listening(name):
        verdict = exercises.check(name, answer(name, code)[name])
        shown.add("verdict", status=verdict.status, text=verdict.message)
    return json.dumps(shown.outputs)


provide_display()
if sys.platform == "emscripten":
    live_missing.stand_in()
    count_64_bits()
