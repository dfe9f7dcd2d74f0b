"""What a notebook shows besides figures: the library's own source, tables and stored results."""

import ast
import inspect
import json
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from vae_tutorial._words import _

# In an installed wheel the results lie beside this file, in a clone of the repository where they
# are made.
_PLACES = Path(__file__).parent / "results", Path(__file__).parents[1] / "benchmarks" / "results"
_RESULTS = next((place for place in _PLACES if place.is_dir()), _PLACES[1])


def show_source(thing: Callable) -> None:
    """Display the library's own source of a function, method or class, without its docstring.

    The page shows the code that runs, so the two cannot drift apart. In the built book a line below
    leads to the entry in the library's reference.

    Parameters
    ----------
    thing : function, method or class
        Anything that :func:`inspect.getsource` can read.

    Raises
    ------
    TypeError
        If ``thing`` has no source, for example a built-in function.

    Introduced in chapter 1.

    Examples
    --------
    >>> from vae_tutorial import metrics
    >>> show_source(metrics.precision_at_k)
    <IPython.core.display.Markdown object>
    """
    from IPython.display import Markdown, display

    display(Markdown(f"```python\n{source_without_docstring(thing)}\n```"))


def source_without_docstring(thing: Callable) -> str:
    """Return the dedented source of ``thing`` with its docstrings left out.

    Parameters
    ----------
    thing : function, method or class
        Anything that :func:`inspect.getsource` can read.

    Returns
    -------
    str
        The source, without a trailing newline.

    Raises
    ------
    TypeError
        If ``thing`` has no source.

    Examples
    --------
    >>> from vae_tutorial import progress
    >>> print(source_without_docstring(progress._silent))
    def _silent(*_said) -> None:
        pass
    """
    source = textwrap.dedent(inspect.getsource(thing))
    lines = source.splitlines()
    kinds = (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef)
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, kinds)]
    for node in sorted(nodes, key=lambda node: node.lineno, reverse=True):
        if ast.get_docstring(node) is not None:
            docstring = node.body[0]
            end = docstring.end_lineno or docstring.lineno
            # The blank line after a docstring goes with it.
            if end < len(lines) and not lines[end].strip():
                end += 1
            del lines[docstring.lineno - 1 : end]
    return "\n".join(lines)


def show_table(rows: Sequence[Sequence], columns: Sequence[str]) -> None:
    """Display rows as a table that screen readers and phones can read.

    Parameters
    ----------
    rows : sequence of sequences
        One entry a column; numbers are shown as ``str`` writes them, so round them first.
    columns : sequence of str
        The headings. The first column is aligned left, the others right; pages of the book set
        columns of words left.

    Raises
    ------
    ValueError
        If a row's length differs from the number of columns, or there is no row.

    Introduced in chapter 1.

    Examples
    --------
    >>> show_table([["pixels", "0.95"]], columns=["descriptor", "P@10"])
    <IPython.core.display.Markdown object>
    """
    from IPython.display import Markdown, display

    if not rows:
        raise ValueError(_("rows is empty; pass at least one row"))
    for row in rows:
        if len(row) != len(columns):
            raise ValueError(
                _(
                    "expected {count} entries a row, got {got}: {row!r}",
                    count=len(columns),
                    got=len(row),
                    row=row,
                )
            )
    ruler = [":--", *["--:"] * (len(columns) - 1)]
    lines = [columns, ruler, *rows]
    text = "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines)
    display(Markdown(text))


def read_results(name: str) -> dict:
    """Return a stored result file of the benchmarks, ``benchmarks/results/<name>.json``.

    A committed command made it, and the file says which. Introduced in chapter 3.

    Parameters
    ----------
    name : str
        For example ``"study-mnist"``.

    Returns
    -------
    dict
        The file's content.

    Raises
    ------
    FileNotFoundError
        If there is no such file.

    Examples
    --------
    >>> read_results("speed")["command"]
    'python benchmarks/speed.py'
    """
    return json.loads(_result_path(name, ".json").read_text(encoding="utf-8"))


def read_scores(name: str) -> dict[str, np.ndarray]:
    """Return the stored scores of every query, ``benchmarks/results/<name>.npz``.

    Two methods that answered the same queries are compared query by query; the means of a table do
    not allow that. Introduced in chapter 5.

    Parameters
    ----------
    name : str
        For example ``"fair-scores-mnist"``.

    Returns
    -------
    dict of array (n_queries,), float64
        By group, method and metric, such as ``"methods: PCA: P@10"``; of what was trained more than
        once, the mean over seeds. Rounded to three digits.

    Raises
    ------
    FileNotFoundError
        If there is no such file.

    Examples
    --------
    >>> scores = read_scores("fair-scores-mnist")
    >>> scores["methods: PCA: P@10"].shape
    (10000,)
    """
    with np.load(_result_path(name, ".npz"), allow_pickle=False) as stored:
        return {key: stored[key].astype(np.float64) for key in stored.files}


def _result_path(name: str, ending: str) -> Path:
    path = _RESULTS / f"{name}{ending}"
    if not path.is_file():
        stored = ", ".join(sorted(file.stem for file in _RESULTS.glob(f"*{ending}"))) or _("none")
        raise FileNotFoundError(
            _(
                "there is no stored result {name!r} (there are: {stored}); install "
                "vae_tutorial again",
                name=name,
                stored=stored,
            )
        )
    return path


def _cell(value) -> str:
    return str(value).replace("|", "\\|")
