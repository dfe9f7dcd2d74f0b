"""Says which code cells of a notebook run in the page, where Python has no TensorFlow.

A cell runs there if it, and every cell whose names it uses, needs no more than NumPy, Pillow,
Matplotlib and those modules of the library that need no more. That is read from the cells as they
stand: no notebook stores it. In a cell that imports, what the page lacks is passed over.

    python tools/live_cells.py book/elbo.ipynb
"""

import argparse
import ast
import copy
import functools
import symtable
from collections.abc import Iterable, Iterator
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[1]
# What the page's Python lacks, by the first part of its name, and how a reader calls it.
LACKING = {
    "distributed": "Dask",
    "faiss": "FAISS",
    "keras": "TensorFlow",
    "milvus_lite": "Milvus",
    "pymilvus": "Milvus",
    "scipy": "SciPy",
    "sklearn": "scikit-learn",
    "tensorflow": "TensorFlow",
}
# Computes there with NumPy, which tools/live_missing.py puts in the place of Keras' operations.
PROVIDED = "vae_tutorial.objectives"
# Import what they need when they are called.
LATE = {"vae_tutorial.neighbours.GraphDescriptor": "SciPy"}
# What a syntax tree cannot see: this cell asks which packages are there.
KNOWN = {"beyond-one-machine-002": "FAISS"}
CHANGES = {"add", "add_descriptors", "append", "extend", "fit", "pop", "setdefault", "update"}


# -- What a module needs --------------------------------------------------------------------------


def imports(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, str]]:
    """Yield (name it gets, what is imported) of import statements."""
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.asname or alias.name.split(".")[0], alias.name
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for alias in node.names:
                yield alias.asname or alias.name, f"{node.module}.{alias.name}"


@functools.cache
def lack_of_module(name: str) -> str:
    """Return what the library's module of this name needs and the page lacks, or an empty text."""
    path = ROOT.joinpath(*name.split("."))
    file = next((f for f in (path.with_suffix(".py"), path / "__init__.py") if f.is_file()), None)
    if file is None or name == PROVIDED:
        return ""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    late = (ast.FunctionDef, ast.ClassDef)
    early = [node for part in tree.body if not isinstance(part, late) for node in ast.walk(part)]
    return first(lack_of_import(whole) for _, whole in imports(early))


def lack_of_import(whole: str) -> str:
    """Return what is lacked by ``a.b.c``, of which the last part may be no module."""
    root, _, rest = whole.partition(".")
    if root != "vae_tutorial":
        return LACKING.get(root, "")
    if not rest:
        return ""
    module = whole if (ROOT / whole.replace(".", "/")).with_suffix(".py").is_file() else ""
    package = (ROOT / whole.replace(".", "/")).is_dir()
    return LATE.get(whole) or lack_of_module(
        whole if module or package else whole.rpartition(".")[0]
    )


def first(reasons: Iterable[str]) -> str:
    return next(filter(None, reasons), "")


# -- What a piece of code uses and makes ----------------------------------------------------------


def inside(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    yield table
    for child in table.get_children():
        yield from inside(child)


class Shown(ast.NodeTransformer):
    """Takes ``thing`` out of ``notebook.show_source(thing)``: the page finds sources in files."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if ast.unparse(node.func) == "notebook.show_source":
            return node.func
        return self.generic_visit(node)


def without_shown(statement: ast.stmt) -> ast.stmt:
    return Shown().visit(copy.deepcopy(statement))


def used_and_made(statement: ast.stmt) -> tuple[set[str], set[str], dict[str, set[str]]]:
    """Return the page's names that a statement uses, those it makes, and what functions use."""
    top = symtable.symtable(ast.unparse(without_shown(statement)), "cell", "exec")
    used = {s.get_name() for s in top.get_symbols() if s.is_referenced()}
    made = {s.get_name() for s in top.get_symbols() if s.is_assigned() or s.is_imported()}
    later = {}
    for child in top.get_children():
        names = {s.get_name() for t in inside(child) for s in t.get_symbols() if s.is_global()}
        if child.get_name() in made:  # a function or class: it looks names up when it is called
            later[child.get_name()] = names
        else:
            used |= names
    if not isinstance(statement, ast.Assign):  # a loop or condition makes its names before it uses
        used -= made
    if isinstance(statement, ast.AugAssign):
        used |= made
    return used, made, later


def changed(tree: ast.AST) -> set[str]:
    """Return the names of what code changes without making it anew."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript | ast.Attribute) and isinstance(node.ctx, ast.Store):
            place: ast.AST = node
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            place = node.func
            random = isinstance(place.value, ast.Name) and place.value.id == "rng"
            if node.func.attr not in CHANGES and not random:
                continue
        else:
            continue
        while isinstance(place, ast.Subscript | ast.Attribute):
            place = place.value
        if isinstance(place, ast.Name):
            found.add(place.id)
    return found


# -- The cells of a page --------------------------------------------------------------------------


class Page:
    """What is known of a page's names, cell after cell."""

    def __init__(self):
        self.lacking: dict[str, str] = {}  # names of what the page cannot have, and what it needs
        self.modules: set[str] = set()  # those of them that were imported
        self.later: dict[str, set[str]] = {}  # functions, and the names they use when called

    def lack_of(self, name: str, seen: frozenset = frozenset()) -> str:
        if name in self.lacking or name in seen:
            return self.lacking.get(name, "")
        return first(self.lack_of(n, seen | {name}) for n in sorted(self.later.get(name, ())))

    def bring(self, statement: ast.Import | ast.ImportFrom) -> str:
        """Import, as far as can be."""
        found = {name: lack_of_import(whole) for name, whole in imports([statement])}
        for name, lack in found.items():
            self.make({name})
            if lack:
                self.lacking[name] = lack
                self.modules.add(name)
        return first(found.values())

    def make(self, names: set[str]) -> None:
        for name in names:
            self.lacking.pop(name, None)
            self.later.pop(name, None)
        self.modules -= names

    def take(self, statement: ast.stmt) -> str:
        """Run a statement, so to speak; return what it lacks, or an empty text."""
        if isinstance(statement, ast.Import | ast.ImportFrom):
            return self.bring(statement)
        used, made, later = used_and_made(statement)
        modules = self.modules.intersection(*later.values()) if later else set()
        is_tensor = any(getattr(node, "attr", "") == "numpy" for node in ast.walk(statement))
        lack = first(
            [
                "TensorFlow" if is_tensor else "",
                *(lack_of_import(whole) for _, whole in imports(ast.walk(statement))),
                *(self.lack_of(name) for name in sorted(used | modules)),
            ]
        )
        if not lack:
            self.make(made)
            self.later |= later
        return lack

    def lose(self, statement: ast.stmt, lack: str) -> None:
        """Note that what a statement makes or changes is lacking from here on."""
        _, made, _ = used_and_made(statement)
        self.make(made)
        self.lacking |= dict.fromkeys(made | changed(statement), lack)

    def take_cell(self, cell) -> str:
        """Run a cell, so to speak; return what it lacks, or an empty text."""
        body = ast.parse(cell.source).body
        known = [bool(lack_of_import(whole)) for _, whole in imports(body)]
        if any(known) and not all(known):  # what it cannot import or do is passed over
            for statement in body:
                if lack := self.take(statement):
                    is_import = isinstance(statement, ast.Import | ast.ImportFrom)
                    is_import or self.lose(statement, lack)
            return ""
        before = dict(self.lacking), set(self.modules), dict(self.later)
        lack = KNOWN.get(cell.id, "") or first(map(self.take, body))
        if lack:
            self.lacking, self.modules, self.later = before
            for statement in body:
                self.lose(statement, lack)
        return lack


def is_exercise(cell) -> bool:
    return cell.id.startswith("stub-") or cell.id == "exercises-progress"


def judge(cells: list) -> dict[str, str]:
    """Return for each code cell of a page what the page lacks for it; nothing where it runs.

    Exercises are left out: they have an editor of their own.
    """
    page = Page()
    code = [cell for cell in cells if cell.cell_type == "code" and not is_exercise(cell)]
    return {cell.id: page.take_cell(cell) for cell in code}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("notebooks", type=Path, nargs="+", help="notebooks to read")
    for path in parser.parse_args().notebooks:
        found = judge(nbformat.read(path, as_version=4).cells)
        print(
            f"{path.stem}: {list(found.values()).count('')} of {len(found)} cells run in the page"
        )
        for name, lack in found.items():
            print(f"  {name}: {lack or 'runs'}")


if __name__ == "__main__":
    main()
