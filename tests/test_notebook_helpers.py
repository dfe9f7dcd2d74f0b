"""What notebooks show: sources, tables and progress, in a real kernel where that matters."""

import inspect
import re
import sys

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from nbformat import v4

from vae_tutorial import notebook
from vae_tutorial.notebook import (
    read_results,
    read_scores,
    show_source,
    show_table,
    source_without_docstring,
)


def run_cells(*sources: str) -> list[list]:
    """Run cells in a fresh kernel and return the outputs each one stores."""
    book = v4.new_notebook(cells=[v4.new_code_cell(source) for source in sources])
    # A busy machine may hand out one text in several messages, and takes its time.
    client = NotebookClient(
        book, timeout=900, iopub_timeout=900, coalesce_streams=True, kernel_name="python3"
    )
    client.execute()
    nbformat.validate(book)
    return [cell.outputs for cell in book.cells]


@pytest.fixture(scope="module")
def outputs():
    return run_cells(
        "from vae_tutorial import notebook\n"
        "from vae_tutorial.progress import Progress\n"
        "with Progress('Counting', 3) as progress:\n"
        "    for _ in range(3): progress.step('note')",
        "try:\n"
        "    with Progress('Counting', 3) as progress:\n"
        "        progress.step(); 1 / 0\n"
        "except ZeroDivisionError:\n"
        "    pass",
        "notebook.show_table([['pixels', 1]], columns=['descriptor', 'P@10'])",
        "notebook.show_source(notebook._cell)",
        "import sys; print(sys.executable)",
    )


def test_progress_stores_its_title_alone(outputs):
    assert [output.data for output in outputs[0]] == [{"text/plain": "Counting"}]


def test_progress_tells_where_the_work_stopped(outputs):
    stopped = {"text/plain": "Counting: stopped at 1/3"}
    assert [output.data for output in outputs[1]] == [stopped]


def test_progress_in_a_notebook_is_live():
    code = (
        "from IPython.display import DisplayHandle\n"
        "from vae_tutorial import progress\n"
        "seen, update = [], DisplayHandle.update\n"
        "def spy(self, data, **options):\n"
        "    seen.append(data['text/plain'] if options == {'raw': True} else data)\n"
        "    return update(self, data, **options)\n"
        "DisplayHandle.update = spy\n"
        "with progress.Progress('Counting', 3) as counter:\n"
        "    for _ in range(3): counter.step()\n"
        "print(seen)"
    )
    [outputs] = run_cells(code)
    seen = next(output.text for output in outputs if output.output_type == "stream")
    assert re.search(r"'Counting: 1/3 · \d+ s left'", seen)
    assert seen.rstrip().endswith("'Counting: 3/3 · 0 s left', 'Counting']")


def test_a_table_is_stored_as_markdown(outputs):
    [output] = outputs[2]
    assert output.data["text/markdown"] == "| descriptor | P@10 |\n| :-- | --: |\n| pixels | 1 |"


def test_a_source_is_stored_as_markdown(outputs):
    [output] = outputs[3]
    assert output.data["text/markdown"].startswith("```python\ndef _cell(value)")
    assert output.data["text/markdown"].endswith("\n```")


def test_the_kernel_is_the_one_of_this_environment(outputs):
    [output] = outputs[4]
    assert output.text.strip() == sys.executable


# -- Sources --------------------------------------------------------------------------------------


def plain(x):
    return x


def documented(x):
    """Return x.

    At length.
    """

    # A comment stays.
    return x


class Documented:
    """A class."""

    size = 3

    def method(self, x):
        """Return x."""
        return x

    def twin(self):
        text = """not a docstring"""
        return text


def test_a_source_without_docstring_is_unchanged():
    assert source_without_docstring(plain) == "def plain(x):\n    return x"


def test_a_docstring_is_left_out_and_comments_stay():
    expected = "def documented(x):\n    # A comment stays.\n    return x"
    assert source_without_docstring(documented) == expected


def only_documented():
    """Do nothing."""


def test_a_docstring_at_the_very_end_is_left_out_too():
    assert source_without_docstring(only_documented) == "def only_documented():"


def test_every_docstring_of_a_class_is_left_out():
    source = source_without_docstring(Documented)
    assert "A class" not in source
    assert "Return x" not in source
    assert '"""not a docstring"""' in source
    # What is left is still the same class.
    space = {}
    exec(source, space)
    assert space["Documented"]().method(4) == 4


def test_a_method_is_dedented():
    assert source_without_docstring(Documented.method) == "def method(self, x):\n    return x"


def test_the_source_shown_is_the_source_that_runs(capsys):
    show_source(notebook.show_table)
    assert capsys.readouterr().out == "<IPython.core.display.Markdown object>\n"
    shown = source_without_docstring(notebook.show_table)
    assert shown.splitlines()[-1] in inspect.getsource(notebook.show_table)


@pytest.mark.parametrize("thing", [len, 3])
def test_what_has_no_source_is_refused(thing):
    with pytest.raises(TypeError):
        show_source(thing)


# -- Tables ---------------------------------------------------------------------------------------


def test_a_bar_in_a_cell_does_not_end_it():
    assert notebook._cell("p(x|z)") == "p(x\\|z)"


def test_the_first_column_is_aligned_left(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    show_table([[1, "Chapter 1", 45]], columns=["week", "meeting", "min"])
    assert shown[0].data.splitlines()[1] == "| :-- | --: | --: |"


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "rows is empty; pass at least one row"),
        ([[1, 2], [3]], r"2 entries a row, got 1: \[3\]"),
    ],
)
def test_a_bad_table_is_refused(rows, message):
    with pytest.raises(ValueError, match=message):
        show_table(rows, columns=["a", "b"])


def test_stored_results_are_read_and_a_missing_one_is_named():
    study = read_results("study-quick-mnist")
    assert study["data"] == "mnist"
    assert study["rows"][0]["name"] == "raw pixels, Euclidean"
    with pytest.raises(FileNotFoundError, match=r"no stored result 'nothing' \(there are: .*speed"):
        read_results("nothing")


def test_scores_of_queries_are_read_and_have_the_means_of_the_report():
    scores = read_scores("fair-scores-mnist")
    rows = {(r["group"], r["name"]): r for r in read_results("fair-mnist")["rows"]}
    for key, values in scores.items():
        group, name, metric = key.split(": ")
        assert values.shape == (10_000,) and values.dtype == np.float64
        assert values.min() >= 0 and values.max() <= 1
        stored = rows[group, name]["scores"][metric]["mean"]
        assert values.mean() == pytest.approx(stored, abs=2e-4), key
    assert {key.split(": ")[0] for key in scores} == {"methods", "graph"}
    with pytest.raises(FileNotFoundError, match=r"'nothing' \(there are: .*fair-scores-mnist"):
        read_scores("nothing")


def test_a_file_of_scores_cannot_bring_objects_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setattr(notebook, "_RESULTS", tmp_path)
    np.savez(tmp_path / "scores.npz", scores=np.array([1.0, None], dtype=object))
    with pytest.raises(ValueError, match="allow_pickle"):
        read_scores("scores")
