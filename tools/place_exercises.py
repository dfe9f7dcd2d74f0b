"""Write the exercises of vae_tutorial/_exercise_bank.py into the notebooks of the book.

Each gets a statement, a stub with its check, and a folded solution. Run after a change to the bank:
    python tools/place_exercises.py
Then run the changed notebooks with "make notebooks NOTEBOOK=book/<page>.ipynb".
"""

import inspect
import re
import textwrap
from pathlib import Path

import nbformat
from nbformat import v4

from vae_tutorial._exercise_bank import EXERCISES

BOOK = Path(__file__).parents[1] / "book"
HEADING = "## Exercises\n"
EXPLORE = "### To explore\n"
OPENING = """Put your code in place of the dots, run the cell, and read the answer: it says whether
your function is right, and if not, which mistake it looks like. Inputs are random, so an answer
that fits one example will not do."""


def statement(name: str) -> str:
    e = EXERCISES[name]
    return f"### {e.title}\n\n*{e.level}, about {e.minutes} min.* {e.statement}"


def stub(name: str, first: bool) -> str:
    arguments = ", ".join(inspect.signature(EXERCISES[name].solution).parameters)
    lines = ["from vae_tutorial import exercises", "", ""] if first else []
    lines += [f"def {name}({arguments}):", "    ...  # your code", "", ""]
    return "\n".join([*lines, f'exercises.check("{name}", {name})'])


def solution_source(name: str) -> str:
    source = inspect.getsource(EXERCISES[name].solution)
    return textwrap.dedent(source[source.index("\ndef ") + 1 :]).rstrip()


def solution(name: str) -> str:
    code = f"```python\n{solution_source(name)}\n```"
    return f":::{{dropdown}} Solution\n{code}\n\n{EXERCISES[name].why}\n:::"


def is_placed(cell) -> bool:
    """Tell whether this tool wrote the cell."""
    titles = "|".join(re.escape(f"### {e.title}\n") for e in EXERCISES.values())
    return bool(
        "exercises.check(" in cell.source
        or re.match(titles, cell.source)
        or cell.source.startswith(":::{dropdown} Solution")
        or (cell.source.startswith(HEADING) and "{exercise}" not in cell.source)
    )


def place(notebook, page: str):
    """Return the notebook's cells with the exercises of ``page`` in their place."""
    old = {cell.source: cell for cell in notebook.cells}
    cells = [cell for cell in notebook.cells if not is_placed(cell)]
    start = next(i for i, c in enumerate(cells) if c.source.startswith((HEADING, EXPLORE)))
    cells[start].source = re.sub(f"^{HEADING}", EXPLORE, cells[start].source)
    new = [v4.new_markdown_cell(f"{HEADING}\n{OPENING}", id="exercises-opening")]
    for name in (name for name, e in EXERCISES.items() if e.page == page):
        new += [
            v4.new_markdown_cell(statement(name), id=f"exercise-{name}"[:64]),
            v4.new_code_cell(stub(name, first=len(new) == 1), id=f"stub-{name}"[:64]),
            v4.new_markdown_cell(solution(name), id=f"solution-{name}"[:64]),
        ]
    # An unchanged cell keeps its stored output.
    new = [old.get(cell.source, cell) for cell in new]
    return [*cells[:start], *new, *cells[start:]]


def pages() -> list[str]:
    return list(dict.fromkeys(e.page for e in EXERCISES.values()))


def main() -> None:
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
