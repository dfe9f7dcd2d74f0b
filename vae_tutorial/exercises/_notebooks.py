"""Judges the exercises of one handed-in notebook; run in a process of its own by ``__main__``.

It runs the imports, definitions and constants of every cell, and all of a cell that defines an
answer. What the page itself computes is left out: no model is trained to mark an answer.
"""

import ast
import json
import re
import sys
from pathlib import Path

from vae_tutorial.exercises import EXERCISES, UNTOUCHED, WRONG, check

CHECKED = re.compile(r"""exercises\.check\(\s*["'](\w+)["']""")
MISSING = "missing"


def code_of(path: Path) -> list[str]:
    """Return the source of each code cell, without lines that only IPython understands."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    return [re.sub(r"^(\s*)[%!?].*$", r"\1pass", source, flags=re.MULTILINE) for source in sources]


def judge(path: Path) -> list[dict]:
    """Return one row for each exercise of the pages whose checks the notebook holds."""
    sources = code_of(path)
    found = {name for source in sources for name in CHECKED.findall(source) if name in EXERCISES}
    pages = {EXERCISES[name].page for name in found}
    space: dict[str, object] = {"__name__": "__main__"}
    faults: dict[str, str] = {}
    for source in sources:
        _run_cell(source, found, space, faults)
    rows = []
    for name, exercise in EXERCISES.items():
        if exercise.page in pages:
            rows.append({"exercise": name, "page": exercise.page, "of": exercise.points})
            rows[-1] |= _verdict(name, found, space, faults)
    return rows


def _run_cell(source, names, space, faults) -> None:
    """Run what of a cell defines something; note under each exercise's name why it failed."""
    defined = names & set(re.findall(r"^def (\w+)", source, re.MULTILINE))
    try:
        statements = ast.parse(source).body
    except SyntaxError as error:
        line = f"line {error.lineno} of its cell: {error.msg}"
        faults |= dict.fromkeys(defined, f"The cell is not Python, {line}.")
        return
    for statement in statements:
        if not _defines_something(statement, bool(defined)):
            continue
        try:
            exec(compile(ast.Module([statement], []), "<cell>", "exec"), space)
        except Exception as error:
            said = f"The cell stops with an error, {type(error).__name__}: {error}"
            faults |= dict.fromkeys(defined, said)


def _defines_something(statement, whole_cell: bool) -> bool:
    if isinstance(statement, ast.Expr):
        return whole_cell and "exercises." not in ast.unparse(statement)
    if isinstance(statement, (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)):
        return True
    if isinstance(statement, ast.Assign):
        try:
            ast.literal_eval(statement.value)
            return True
        except ValueError:
            return whole_cell
    return whole_cell


def _verdict(name, found, space, faults) -> dict:
    if name not in found:
        why = "The cell of the check was deleted, so this answer was not looked for."
        return {"points": 0, "status": MISSING, "diagnosis": why}
    if name not in space:
        diagnosis = faults.get(name, f"There is no function {name} in the notebook.")
        return {"points": 0, "status": WRONG, "diagnosis": diagnosis}
    verdict = check(name, space[name])
    right = verdict.status not in (WRONG, UNTOUCHED)
    diagnosis = "" if right else verdict.message
    points = EXERCISES[name].points if right else 0
    return {"points": points, "status": verdict.status, "diagnosis": diagnosis}


def main() -> None:
    """Judge the notebook named first within the memory named third; write JSON to the second."""
    notebook, result, gibibytes = sys.argv[1:]
    try:
        import resource
    except ImportError:  # Windows has no such limit
        pass
    else:
        limit = int(float(gibibytes) * 2**30)
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    rows = judge(Path(notebook))
    Path(result).write_text(json.dumps(rows), encoding="utf-8")


if __name__ == "__main__":
    main()
