"""What stands in the page for what its Python lacks: TensorFlow above all.

``objectives`` computes with NumPy in place of Keras' operations. A name that cannot be imported
stands for itself: whatever uses it is told why not, and the library's source of it can be shown.
"""

import ast
import inspect
import sys
import types
from pathlib import Path

ROOTS = ("distributed", "faiss", "keras", "pymilvus", "scipy", "sklearn", "tensorflow", "torch")


class Lacking(ImportError):
    """Raised where code meets what the page's Python lacks."""

    def __init__(self, lacked: str):
        from vae_tutorial._words import _

        self.lacked = lacked
        super().__init__(
            _(
                "Python in the page has no {lacked}. Use NumPy, or run the notebook elsewhere.",
                lacked=lacked,
            )
        )


# To a reader it is what it is.
Lacking.__name__, Lacking.__qualname__, Lacking.__module__ = (
    "ImportError",
    "ImportError",
    "builtins",
)


class Absent:
    """Refuses to import what the page's Python lacks."""

    @staticmethod
    def find_spec(name: str, *_):
        if name in ROOTS:
            raise Lacking(name)


class Missing:
    """Stands for a name of what is lacking; ``path`` is empty for a value that it would make."""

    def __init__(self, lacked: str, path: str = ""):
        self._lacked, self._path = lacked, path

    def __getattr__(self, name: str):
        if name.startswith("__"):
            raise AttributeError(name)
        if not self._path:
            raise Lacking(self._lacked)
        return Missing(self._lacked, f"{self._path}.{name}")

    def _refuse(self, *_, **__):
        raise Lacking(self._lacked)

    __call__ = __iter__ = __getitem__ = __len__ = __array__ = __enter__ = _refuse
    __repr__ = __format__ = __mro_entries__ = _refuse


# -- The library's source, read from its files ----------------------------------------------------


def file_of(module: str) -> Path | None:
    base = Path(__file__).resolve().parent / module.replace(".", "/")
    library = Path(__file__).resolve().parents[1] / module.replace(".", "/")  # not in the page
    places = [p for b in (base, library) for p in (b.with_suffix(".py"), b / "__init__.py")]
    return next((place for place in places if place.is_file()), None)


def definition(module: str, name: str) -> tuple[str, ast.AST, str]:
    """Return the text of the file in which a name is defined, its node, and its module."""
    file = file_of(module)
    text = file.read_text(encoding="utf-8") if file else ""
    for node in ast.parse(text).body:
        if getattr(node, "name", "") == name:
            return text, node, module
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if (alias.asname or alias.name) == name:
                    return definition(node.module, alias.name)
    raise TypeError(f"no source of {module}.{name} is here")


def source_of(path: str) -> str:
    """Return the source of what ``vae_tutorial.models.VAE.encode`` or the like names."""
    parts = path.split(".")
    count = max(i for i in range(1, len(parts) + 1) if i == 1 or file_of(".".join(parts[:i])))
    module, names = ".".join(parts[:count]), parts[count:]
    if not 1 <= len(names) <= 2:
        raise TypeError(f"{path} is neither a function nor a class nor a method")
    text, node, module = definition(module, names[0])
    if names[1:]:
        text, node = method_of(module, text, node, names[1])
    lines = text.splitlines(keepends=True)
    start = min([node.lineno, *(line.lineno for line in node.decorator_list)])
    return "".join(lines[start - 1 : node.end_lineno])


def method_of(module: str, text: str, node: ast.AST, name: str) -> tuple[str, ast.AST]:
    """Return the text of a file and the node of a method in it, of a class or of its bases."""
    for part in node.body:
        if getattr(part, "name", "") == name:
            return text, part
    for base in node.bases:
        if isinstance(base, ast.Name):
            try:
                text, found, place = definition(module, base.id)
                return method_of(place, text, found, name)
            except TypeError:
                continue
    raise TypeError(f"{node.name} has no source of {name}")


# -- NumPy in the place of Keras' operations ------------------------------------------------------


def operations() -> types.SimpleNamespace:
    """Return what ``objectives`` uses of Keras, computed with NumPy."""
    import numpy as np

    def logsumexp(x, axis):
        top = np.max(x, axis=axis, keepdims=True)
        return np.squeeze(top, axis) + np.log(np.sum(np.exp(x - top), axis=axis))

    ops = types.SimpleNamespace(
        cast=lambda x, dtype: np.asarray(x).astype(dtype),
        convert_to_tensor=lambda x, dtype=None: np.asarray(x, dtype),
        exp=np.exp,
        logsumexp=logsumexp,
        sigmoid=lambda x: 0.5 * (1 + np.tanh(0.5 * x)),
        softplus=lambda x: np.logaddexp(0, x),
        square=np.square,
        sum=np.sum,
    )
    backend = types.SimpleNamespace(
        result_type=lambda *dtypes: np.result_type(*dtypes).name,
        standardize_dtype=lambda dtype: np.dtype(dtype).name,
    )
    return types.SimpleNamespace(ops=ops, backend=backend)


def provide_operations() -> None:
    module = types.ModuleType("vae_tutorial._tensorflow")

    def absent(name: str):
        if name.startswith("__"):
            raise AttributeError(name)
        raise Lacking("tensorflow")

    module.keras, module.__getattr__ = operations(), absent
    sys.modules[module.__name__] = module


def stand_in() -> None:
    """Put all of this in its place."""
    sys.meta_path.insert(0, Absent)
    provide_operations()
    plain = inspect.getsource
    inspect.getsource = lambda thing: (
        source_of(thing._path) if isinstance(thing, Missing) else plain(thing)
    )


# -- Cells that import what is lacking ------------------------------------------------------------


def bring(statement: ast.Import | ast.ImportFrom, space: dict, lacks: list[str]) -> list[str]:
    """Import what can be; let other names stand for themselves, and return what imports them.

    What they lack is added to ``lacks``.
    """
    lost = []
    for alias in statement.names:
        single = type(statement)(**(vars(statement) | {"names": [alias]}))
        module = ast.Module([single], [])
        try:
            exec(compile(module, "import", "exec"), space)
        except Lacking as error:
            if isinstance(statement, ast.Import):
                name, path = alias.asname or alias.name.split(".")[0], alias.name
            else:
                name, path = alias.asname or alias.name, f"{statement.module}.{alias.name}"
            space[name] = Missing(error.lacked, path)
            lost.append(ast.unparse(single))
            lacks.append(error.lacked)
    return lost


def made_by(statement: ast.stmt) -> list[str]:
    """Return the names that a statement makes."""
    return [
        node.id
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    ]
