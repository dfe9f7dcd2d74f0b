"""The package as a whole: what imports what, and whether everything public is documented."""

import ast
import importlib
import inspect
import os
import re
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import nbformat
import pytest
import yaml

import vae_tutorial

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "vae_tutorial"
# Lowest floor first: a room imports only from lower floors.
FLOORS = [
    "_words",
    "_checks",
    "progress",
    "notebook",
    "_tensorflow",
    "_dataset",
    "_pictures",
    "folders",
    "datasets",
    "_rankings",
    "matching",
    "precision",
    "comparison",
    "metrics",
    "baselines",
    "features",
    "objectives",
    "models",
    "multimodal",
    "training",
    "_exact",
    "_index_file",
    "neighbours",
    "retrieval",
    "_drawn",
    "plotting",
    "exercises",
]
PUBLIC = [name for name in FLOORS if not name.startswith("_")]
# These rooms start at once, because chapter 1 needs nothing else.
LIGHT = ["folders", "datasets", "metrics", "baselines", "features", "neighbours", "retrieval"]
LIGHT += ["progress", "notebook", "exercises"]
HEAVY = {"tensorflow", "keras", "matplotlib"}


def rooms_imported_by(tree: ast.AST) -> set[str]:
    """Return the modules of this package that a parsed module imports, anywhere in it."""
    rooms = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            rooms.add("a relative import")
        elif isinstance(node, ast.ImportFrom) and node.module == "vae_tutorial":
            rooms |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("vae_tutorial."):
            rooms.add(node.module.split(".")[1])
        elif isinstance(node, ast.Import):
            parts = [alias.name.split(".") for alias in node.names]
            rooms |= {part[1] for part in parts if part[0] == "vae_tutorial" and len(part) > 1}
    return rooms


def files_of(room: str) -> list[Path]:
    """Return the files of a room: one module, or the modules of a package."""
    return sorted((PACKAGE / room).glob("*.py")) or [PACKAGE / f"{room}.py"]


def climbs(room: str, imported: set[str]) -> set[str]:
    return imported - set(FLOORS[: FLOORS.index(room)])


# -- Imports --------------------------------------------------------------------------------------


def test_every_module_has_a_floor():
    inits = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert {path.stem for path in PACKAGE.glob("*.py")} - {"__init__"} | inits == set(FLOORS)


@pytest.mark.parametrize("room", FLOORS)
def test_a_room_imports_only_lower_floors(room):
    for path in files_of(room):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        assert climbs(room, rooms_imported_by(tree) - {room}) == set()


@pytest.mark.parametrize("room", ["_exact", "_index_file", "neighbours", "retrieval"])
def test_retrieval_does_not_know_the_models(room):
    tree = ast.parse((PACKAGE / f"{room}.py").read_text(encoding="utf-8"))
    own = {"_exact", "_index_file", "neighbours"}
    assert rooms_imported_by(tree) <= {"_words", "_checks", "progress", "_rankings", *own}


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("from vae_tutorial import models, training", {"models", "training"}),
        ("from vae_tutorial.models import VAE", {"models"}),
        ("import vae_tutorial.models as m", {"models"}),
        ("def f():\n    from vae_tutorial.models import VAE", {"models"}),
        ("from . import models", {"a relative import"}),
        ("import numpy\nfrom numpy.linalg import svd", set()),
    ],
)
def test_the_floors_are_seen(source, found):
    assert rooms_imported_by(ast.parse(source)) == found
    assert climbs("retrieval", {"plotting", "metrics"}) == {"plotting"}


@pytest.mark.parametrize("module", ["", *LIGHT])
def test_importing_needs_neither_tensorflow_nor_matplotlib(module):
    name = f"vae_tutorial.{module}".rstrip(".")
    code = f"import sys, {name}; print(*sorted({HEAVY!r} & set(sys.modules)))"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.split() == []


@pytest.mark.slow
def test_importing_tensorflow_prints_nothing():
    code = "from vae_tutorial import models"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout == ""
    assert result.stderr == ""


def test_another_keras_backend_is_refused():
    # Said before Keras is imported, which would only miss the other backend's own package.
    code = "from vae_tutorial import models"
    environment = os.environ | {"KERAS_BACKEND": "jax"}
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment
    )
    assert result.returncode == 1
    message = result.stderr.splitlines()[-1]
    assert "needs Keras on TensorFlow, but KERAS_BACKEND is 'jax'; unset it" in message


# -- Documentation --------------------------------------------------------------------------------


def public_things() -> list:
    found = []
    for room in PUBLIC:
        module = importlib.import_module(f"vae_tutorial.{room}")
        for name, thing in vars(module).items():
            own = getattr(thing, "__module__", None) == module.__name__
            own = own or name in getattr(module, "__all__", ())  # offered here, written elsewhere
            if own and not name.startswith("_") and callable(thing):
                found.append(pytest.param(thing, id=f"{room}.{name}"))
    return found


def public_methods(thing: type) -> list[tuple[str, object]]:
    """Return the methods that ``thing`` adds to what it inherits from other packages."""
    inherited = {
        name
        for base in thing.__mro__[1:]
        if base.__module__ != thing.__module__
        for name in dir(base)
    }
    return [
        (name, method)
        for name, method in vars(thing).items()
        if not name.startswith("_") and name not in inherited and inspect.isroutine(method)
    ]


def parameters(function) -> list[str]:
    if isinstance(function, (staticmethod, classmethod)):
        function = function.__func__
    names = inspect.signature(function).parameters
    return [name for name in names if name not in ("self", "cls", "args", "kwargs")]


def returns_something(function) -> bool:
    """Tell whether the source holds ``return value``, functions inside it apart."""
    if isinstance(function, (staticmethod, classmethod)):
        function = function.__func__
    body = ast.parse(inspect.cleandoc("\n" + inspect.getsource(function))).body[0].body
    nodes = list(body)
    while nodes:
        node = nodes.pop()
        if isinstance(node, (ast.FunctionDef, ast.Lambda, ast.ClassDef)):
            continue
        if isinstance(node, ast.Return) and node.value is not None:
            if not (isinstance(node.value, ast.Constant) and node.value.value is None):
                return True
        nodes.extend(ast.iter_child_nodes(node))
    return False


def missing_from_docstring(thing) -> list[str]:
    """Return what the docstring of a function or class leaves out."""
    text = inspect.cleandoc(thing.__doc__ or "")
    if not text:
        return ["a docstring"]
    missing = []
    if ">>> " not in text:
        missing.append("an example")
    missing += [
        f"the parameter {name}"
        for name in parameters(thing)
        if not re.search(
            rf"^(?:\*?[\w]+, )*\*{{0,2}}{name}(?:, \w+)*(?: : .+)?$", text, re.MULTILINE
        )
    ]
    if not isinstance(thing, type) and returns_something(thing):
        if not re.search(r"^(?:Returns|Yields)\n-+$", text, re.MULTILINE):
            missing.append("a section 'Returns'")
    return missing


def missing_from_method(method) -> list[str]:
    text = inspect.getdoc(method) or ""
    if not text:
        return ["a docstring"]
    missing = [
        f"the parameter {name}"
        for name in parameters(method)
        if not re.search(rf"\b{name}\b", text)
    ]
    if returns_something(method) and not re.search(r"\b[Rr]eturns?\b", text):
        missing.append("what it returns")
    return missing


@pytest.mark.parametrize("thing", public_things())
def test_everything_public_is_documented(thing):
    if isinstance(thing, type) and issubclass(thing, Exception):
        assert thing.__doc__
        return
    assert missing_from_docstring(thing) == []


@pytest.mark.parametrize(
    "thing", [param for param in public_things() if isinstance(param.values[0], type)]
)
def test_methods_are_documented(thing):
    missing = {name: missing_from_method(method) for name, method in public_methods(thing)}
    assert {name: gaps for name, gaps in missing.items() if gaps} == {}


@pytest.mark.parametrize("room", FLOORS)
def test_the_first_line_of_a_module_says_what_it_holds(room):
    for path in files_of(room):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        first = (ast.get_docstring(tree) or "").splitlines()[0]
        assert first.endswith(".")


def test_a_bad_docstring_is_noticed():
    def undocumented(images, *, k=1):
        return images[:k]

    def documented(images, *, k=1):
        """Take the first images.

        Parameters
        ----------
        images : array
            Some.
        k : int
            How many.

        Returns
        -------
        array

        Examples
        --------
        >>> documented([1])
        [1]
        """
        return images[:k]

    assert missing_from_docstring(undocumented) == ["a docstring"]
    assert missing_from_docstring(documented) == []
    undocumented.__doc__ = "Take the first images."
    assert missing_from_docstring(undocumented) == [
        "an example",
        "the parameter images",
        "the parameter k",
        "a section 'Returns'",
    ]
    assert missing_from_method(undocumented) == ["the parameter k", "what it returns"]


# -- Where the book introduces a thing ------------------------------------------------------------


@cache
def chapters() -> list:
    """Return the notebooks of the numbered chapters, in their order."""
    contents = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    parts = [part for part in contents["parts"] if part.get("numbered")]
    files = [ROOT / f"{chapter['file']}.ipynb" for part in parts for chapter in part["chapters"]]
    return [nbformat.read(file, as_version=4) for file in files]


def names_in(notebook) -> set[str]:
    """Return the names such as "metrics.relevance" that a page uses, or names in its text."""
    sources: dict[str, list[str]] = {"code": [], "markdown": [], "raw": []}
    for cell in notebook.cells:
        sources[cell.cell_type].append(cell.source)
    text = "\n".join(sources["markdown"])
    named = {name for name in re.findall(r"`(\w+\.\w+)[`(]", text) if name.split(".")[0] in PUBLIC}
    return named | names_used("\n".join(sources["code"]))


def names_used(code: str) -> set[str]:
    """Return the names such as "metrics.relevance" that a page's code takes from this package."""
    lines = [line for line in code.splitlines() if not line.lstrip().startswith(("%", "!"))]
    nodes = list(ast.walk(ast.parse("\n".join(lines))))
    rooms, used = {}, set()
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.module == "vae_tutorial":
            rooms |= {alias.asname or alias.name: alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("vae_tutorial."):
            room = node.module.split(".")[1]
            used |= {room, *(f"{room}.{alias.name}" for alias in node.names)}
    for node in nodes:
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if node.value.id in rooms:
                used.add(f"{rooms[node.value.id]}.{node.attr}")
    return used | set(rooms.values())


@cache
def chapter_of_each() -> dict:
    """Return the chapter that uses or names a thing of this package, or uses a room, first."""
    found = {}
    for number, notebook in enumerate(chapters(), start=1):
        for name in names_in(notebook):
            room, _, attribute = name.partition(".")
            # The thing itself, because it may have a second name in another room.
            module = importlib.import_module(f"vae_tutorial.{room}")
            thing = getattr(module, attribute) if attribute else room
            if thing is room or callable(thing):
                found.setdefault(thing, number)
    return found


def stated_chapter(text: str) -> int | None:
    found = re.search(r"\bIntroduced\s+in\s+chapter\s+(\d+)\.", text)
    return int(found[1]) if found else None


@pytest.mark.parametrize("thing", public_things())
def test_a_docstring_names_the_chapter_that_introduces_a_thing(thing):
    assert stated_chapter(thing.__doc__) == chapter_of_each().get(thing)


@pytest.mark.parametrize("room", PUBLIC)
def test_the_map_names_the_chapter_that_introduces_a_room(room):
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (row,) = re.findall(rf"^\| `{room}` \|.*\|$", text, re.MULTILINE)
    chapter = chapter_of_each().get(room)
    assert row.split("|")[-2].strip() == (f"chapter {chapter}" if chapter else "")


def test_the_names_on_a_page_are_seen():
    code = """%matplotlib inline
from vae_tutorial import metrics as measures, models
from vae_tutorial.training import set_seed
import numpy as np
np.relevance(measures.relevance)
models.VAE.encode
metrics.recall_at_k
"""
    rooms = {"metrics", "models", "training"}
    names = {"metrics.relevance", "models.VAE", "training.set_seed"}
    assert names_used(code) == rooms | names
    cells = [nbformat.v4.new_code_cell(code)]
    cells.append(
        nbformat.v4.new_markdown_cell("`models.Autoencoder(2)`, `np.sort`, models.Decoder")
    )
    page = nbformat.v4.new_notebook(cells=cells)
    assert names_in(page) == rooms | names | {"models.Autoencoder"}
    assert stated_chapter("One line. Introduced in\n    chapter 12.") == 12
    assert stated_chapter("One line.") is None


# -- Files that must agree ------------------------------------------------------------------------


def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_requirements_agree_with_the_package():
    extras = project()["optional-dependencies"]
    wanted = {*project()["dependencies"], *extras["book"], *extras["test"]}
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    listed = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    assert sorted(listed) == sorted(wanted)


def test_requirements_have_floors_and_no_ceilings():
    for requirement in [*project()["dependencies"], *project()["optional-dependencies"]["test"]]:
        assert re.fullmatch(r"[a-z-]+>=[\d.]+", requirement), requirement


def test_the_version_is_the_same_everywhere():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == vae_tutorial.__version__


def test_the_map_names_every_room():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert [room for room in FLOORS if f"| `{room}` |" not in text] == []


def test_every_dependency_has_a_reason():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    extras = project()["optional-dependencies"].values()
    wanted = [*project()["dependencies"], *(entry for extra in extras for entry in extra)]
    names = {re.match(r"[\w-]+", requirement)[0] for requirement in wanted}
    assert sorted(name for name in names if f"| {name} |" not in text) == []
