"""Reads the code of a handed-in notebook, and finds its checks and what each of them needs."""

import ast
import json
import re
import symtable
from dataclasses import dataclass

from vae_tutorial._words import _, in_every_language
from vae_tutorial.exercises import EXERCISES, RIGHT, UNTOUCHED, WRONG
from vae_tutorial.exercises._bank import REPLACED

# What the files that students hand in by mistake start with.
KINDS = {
    b"%PDF": "a PDF document",
    b"PK\x03\x04": "a zip archive or an office document",
    b"\xd0\xcf\x11\xe0": "an office document",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"{\\rtf": "a text document",
    b"<": "a web page",
}
# Magics whose cell is text for another program. All others run their cell as Python.
OTHER_PROGRAMS = (
    *("!", "bash", "cmd", "cython", "file", "html", "javascript", "js", "latex", "markdown"),
    *("perl", "pypy", "python", "python2", "python3", "ruby", "script", "sh", "svg", "sx"),
    *("system", "writefile"),
)


class NotANotebook(Exception):
    """Why a file is no notebook, in words for the teacher."""


@dataclass
class Step:
    """A statement of a notebook, with the names of the notebook that it needs, binds or changes."""

    cell: int
    node: ast.stmt
    needs: set[str]
    binds: set[str]
    changes: set[str]
    calls: set[str]  # whose methods it calls for what they do
    checks: bool  # whether it calls exercises.check, or holds a function that does
    names: set[str]  # of exercises, as they stand in the call


def cells_of(raw: bytes) -> list[dict]:
    """Return the code cells of a notebook file; raise NotANotebook where it is none."""
    if not raw.strip():
        raise NotANotebook(_("The file is empty."))
    for start, kind in KINDS.items():
        if raw.lstrip().startswith(start):
            words = _("The file is no notebook but {kind} with another name.", kind=_(kind))
            raise NotANotebook(words)
    wide = raw.startswith((b"\xff\xfe", b"\xfe\xff"))
    text = raw.decode("utf-16" if wide else "utf-8-sig", "replace")
    try:
        notebook = json.loads(text)
    except (ValueError, RecursionError) as error:
        line = error.lineno if isinstance(error, json.JSONDecodeError) else None
        where = _(", line {line}", line=line) if line else ""
        words = _(
            "The file is no notebook: its text is not JSON{where}. Was a transfer broken off?",
            where=where,
        )
        raise NotANotebook(words) from None
    if isinstance(notebook, dict) and "worksheets" in notebook:
        raise NotANotebook(
            _("The notebook has the old format 3. Open and save it in Jupyter, then mark it again.")
        )
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    if not isinstance(cells, list):
        raise NotANotebook(_("The file is JSON, but no notebook: it has no list of cells."))
    return [cell for cell in cells if isinstance(cell, dict) and cell.get("cell_type") == "code"]


def _text(value) -> str:
    return "".join(map(str, value)) if isinstance(value, list) else str(value or "")


def verdicts_shown(cells) -> dict[str, str]:
    """Return the status of each exercise that the stored outputs show; the last one counts."""
    words = {word: s for s in (RIGHT, WRONG, UNTOUCHED) for word in in_every_language(s)}
    verdict = re.compile(rf"^(\w+)[:\uff1a] ?({'|'.join(words)})$", re.MULTILINE)
    shown: dict[str, str] = {}
    for cell in cells:
        outputs = cell.get("outputs")
        for output in outputs if isinstance(outputs, list) else []:
            if isinstance(output, dict):
                data = output.get("data")
                plain = data.get("text/plain") if isinstance(data, dict) else ""
                text = _text(output.get("text")) + "\n" + _text(plain)
                shown |= {name: words[word] for name, word in verdict.findall(text)}
    return {name: status for name, status in shown.items() if name in EXERCISES}


def steps_of(cells) -> tuple[list[Step], dict[str, str], set[str]]:
    """Return the statements of all cells; for each name of a cell that is not Python, why; checks.

    The checks are the exercises whose check stands in a cell that is not Python.
    """
    trees: list[tuple[int, ast.stmt]] = []
    broken: dict[str, str] = {}
    unread: set[str] = set()
    for number, cell in enumerate(cells):
        source = _text(cell.get("source"))
        try:
            trees += [(number, node) for node in parse(source)]
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            why = _not_python(error)
            named = re.findall(r"^\s*(?:def|class)\s+(\w+)|^(\w+)\s*(?::.*)?=", source, re.M)
            broken |= dict.fromkeys([a or b for a, b in named], why)
            code = re.sub(r"#.*", "", source)
            checked = re.findall(r"""check\(\s*["'](\w+)["']""", code)
            known = {REPLACED.get(name, name) for name in checked} & set(EXERCISES)
            unread |= known
            broken |= dict.fromkeys(known, why)
    aliases = _names_of_check(trees)
    return [_step(number, node, aliases) for number, node in trees], broken, unread


def _not_python(error: BaseException) -> str:
    where = ""
    if isinstance(error, SyntaxError):
        where = _(", line {line} of its cell", line=error.lineno)
    said = getattr(error, "msg", error)
    return _("The cell is not Python{where}: {error}.", where=where, error=said)


def parse(source: str) -> list[ast.stmt]:
    """Return the statements of a cell, which may hold what only IPython understands."""
    from IPython.core.inputtransformer2 import TransformerManager

    if magic := re.match(r"\s*%%(\S+)[^\n]*", source):
        if magic[1] in OTHER_PROGRAMS:
            return []
        source = source[magic.end() :]
    return _Timed().visit(ast.parse(TransformerManager().transform_cell(source))).body


class _Timed(ast.NodeTransformer):
    """Puts the statement of ``%time statement`` in its place: it counts as if it stood alone."""

    def visit_Expr(self, node):
        match node.value:
            case ast.Call(
                func=ast.Attribute(attr="run_line_magic"),
                args=[ast.Constant("time"), ast.Constant(str(code))],
            ):
                return parse(code) or node
        return node


def _names_of_check(trees) -> set[str]:
    """Return the names that a notebook gives the function ``check``, besides exercises.check."""
    names = set()
    for _number, tree in trees:
        for node in ast.walk(tree):
            match node:
                case ast.ImportFrom(module=str(module)) if module.endswith("exercises"):
                    names |= {a.asname or a.name for a in node.names if a.name in ("check", "*")}
                case ast.Assign(value=ast.Attribute(attr="check"), targets=targets):
                    names |= {target.id for target in targets if isinstance(target, ast.Name)}
    return {"check" if name == "*" else name for name in names}


def _step(cell: int, node: ast.stmt, aliases: set[str]) -> Step:
    needs, binds = _names(node)
    checks, named, changes, calls = False, set(), set(), set()
    imports = isinstance(node, (ast.Import, ast.ImportFrom))
    for part in ast.walk(node):
        match part:
            case ast.Call(func=ast.Attribute(attr="check")):
                checks = True
            case ast.Name(id=name, ctx=ast.Load()) if name in aliases:
                checks = True
            case ast.Constant(value=str(text)) if text in EXERCISES or text in REPLACED:
                named.add(REPLACED.get(text, text))
            case ast.Attribute(ctx=ast.Store()) | ast.Subscript(ctx=ast.Store()):
                changes.add(_root(part))
            case ast.Expr(value=ast.Call(func=ast.Attribute() as function)):
                calls.add(_root(function))
    checks = checks and not imports
    return Step(cell, node, needs, binds, changes, calls, checks, named if checks else set())


def _root(node) -> str:
    """Return the ``a`` of ``a.b[c].d``."""
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _names(node: ast.stmt) -> tuple[set[str], set[str]]:
    """Return the names that a statement takes from the notebook, and those that it gives it."""
    if isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
        return set(), {"*"}
    try:
        top = symtable.symtable(ast.unparse(node), "cell", "exec")
    except (SyntaxError, RecursionError):  # such as an await outside a function
        return set(), set()
    needs, binds, tables = set(), set(), [top]
    while tables:
        table = tables.pop()
        tables += table.get_children()
        for symbol in table.get_symbols():
            if table is top or symbol.is_global():
                if symbol.is_referenced():
                    needs.add(symbol.get_name())
                if symbol.is_assigned() or symbol.is_imported():
                    binds.add(symbol.get_name())
    return needs, binds


def needed(steps: list[Step], target: int, stop: int) -> set[int]:
    """Return which of the statements before ``stop`` the statement at ``target`` needs.

    Each name is followed back to the last statement that binds it whatever came before. A call
    such as ``cache.clear()`` changes what it is called on, unless that is a module. What stands in
    a function is looked up when it is called: at ``stop``.
    """
    imports = (ast.Import, ast.ImportFrom)
    modules = set().union(*(step.binds for step in steps if isinstance(step.node, imports)))
    chosen: set[int] = set()
    waiting = [(name, stop) for name in steps[target].needs]
    seen = set(waiting)
    while waiting:
        name, end = waiting.pop()
        for number in range(end - 1, -1, -1):
            step = steps[number]
            changed = step.binds | step.changes | (step.calls - modules)
            if number == target or not {name, "*"} & changed:
                continue
            chosen.add(number)
            more = {(need, stop if _waits(step.node) else number) for need in step.needs} - seen
            seen |= more
            waiting += more
            if _settles(step, name):
                break
    return chosen


def _waits(node: ast.stmt) -> bool:
    """Tell whether a statement holds code that runs only when it is called."""
    later = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
    return any(isinstance(part, later) for part in ast.walk(node))


def _settles(step: Step, name: str) -> bool:
    """Tell whether a statement binds a name whatever it was before."""
    match step.node:
        case ast.FunctionDef() | ast.ClassDef() | ast.Import() | ast.ImportFrom():
            return name in step.binds
        case ast.Assign() | ast.AnnAssign():
            return name in step.binds - step.needs
    return False
