"""Write the exercises of vae_tutorial/exercises/ into the notebooks of the book.

Each gets a statement, a stub with its check, folded hints and a folded solution. Short ones stand
in the text as "Three lines", after the cell that the bank names. After a change:
    python tools/place_exercises.py
Then run the changed notebooks with "make notebooks NOTEBOOK=book/<page>.ipynb".
"""

import argparse
import inspect
import re
from pathlib import Path

import nbformat
from nbformat import v4

from vae_tutorial.exercises import EXERCISES, HINTS

BOOK = Path(__file__).parents[1] / "book"
HEADING = "## Exercises\n"
EXPLORE = "### To explore\n"
OPENING = """Put your code in place of the dots, run the cell, and read the answer: it says whether
your function is right, and if not, which mistake it looks like. It is tried on many inputs, so an
answer that fits one example will not do. Answers may use NumPy or TensorFlow. Stuck? Below each
stub are three hints, each of which says more than the one before; in a session `exercises.hint`
with the exercise's name prints them one by one."""
# Cells with these ids are written by this tool, and by nothing else.
OURS = ("exercises-", "exercise-", "stub-", "hints-", "solution-")


def statement(name: str) -> str:
    e = EXERCISES[name]
    result = e.example_result().replace("\n", "\n# ")
    example = f"```python\n{e.example}\n# {result}\n```"
    if e.after:
        box = "::::{admonition} Three lines\n:class: predict\n\n"
        return f"{box}**{e.title}.** {e.statement}\n\n{example}\n::::"
    return f"### {e.title}\n\n*{e.level}, about {e.minutes} min.* {e.statement}\n\n{example}"


def stub(name: str, first: bool) -> str:
    arguments = ", ".join(inspect.signature(EXERCISES[name].solution).parameters)
    lines = ["from vae_tutorial import exercises", "", ""] if first else []
    lines += [f"def {name}({arguments}):", "    ...  # your code", "", ""]
    return "\n".join([*lines, f'exercises.check("{name}", {name})'])


def hints(name: str) -> str:
    said = enumerate(zip(HINTS, EXERCISES[name].hints, strict=True), start=1)
    return "\n\n".join(f":::{{dropdown}} Hint {n}: {kind}\n{text}\n:::" for n, (kind, text) in said)


def solution(name: str) -> str:
    e = EXERCISES[name]
    code = f"```python\n{e.solution_source()}\n```"
    return f":::{{dropdown}} Solution\n{e.reasoning}\n\n{code}\n:::"


def is_placed(cell) -> bool:
    """Tell whether this tool wrote the cell."""
    return cell.id.startswith(OURS)


def cells_of(name: str, first: bool) -> list:
    return [
        v4.new_markdown_cell(statement(name), id=f"exercise-{name}"[:64]),
        v4.new_code_cell(stub(name, first), id=f"stub-{name}"[:64]),
        v4.new_markdown_cell(hints(name), id=f"hints-{name}"[:64]),
        v4.new_markdown_cell(solution(name), id=f"solution-{name}"[:64]),
    ]


def place(notebook, page: str):
    """Return the notebook's cells with the exercises of ``page`` in their place."""
    old = {cell.source: cell for cell in notebook.cells}
    cells = [cell for cell in notebook.cells if not is_placed(cell)]
    start = next(i for i, c in enumerate(cells) if c.source.startswith((HEADING, EXPLORE)))
    cells[start].source = re.sub(f"^{HEADING}", EXPLORE, cells[start].source)
    new = [v4.new_markdown_cell(f"{HEADING}\n{OPENING}", id="exercises-opening")]
    names = [name for name, e in EXERCISES.items() if e.page == page]
    for name in (name for name in names if not EXERCISES[name].after):
        new += cells_of(name, first=len(new) == 1)
    closing = "How far you are, in a table that you can hand in:"
    new += [
        v4.new_markdown_cell(closing, id="exercises-closing"),
        v4.new_code_cell("exercises.progress()", id="exercises-progress"),
    ]
    # An unchanged cell keeps its stored output.
    new = [old.get(cell.source, cell) for cell in new]
    placed = [*cells[:start], *new, *cells[start:]]
    for name in (name for name in names if EXERCISES[name].after):
        at = next(i for i, cell in enumerate(placed) if cell.id == EXERCISES[name].after) + 1
        placed[at:at] = [old.get(cell.source, cell) for cell in cells_of(name, first=True)]
    return placed


def pages() -> list[str]:
    return list(dict.fromkeys(e.page for e in EXERCISES.values()))


def main() -> None:
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    for page in pages():
        path = BOOK / f"{page}.ipynb"
        notebook = nbformat.read(path, as_version=4)
        before = [cell.source for cell in notebook.cells]
        notebook.cells = place(notebook, page)
        if [cell.source for cell in notebook.cells] != before:
            nbformat.write(notebook, path)
            print(f"changed: book/{page}.ipynb")


if __name__ == "__main__":
    main()
