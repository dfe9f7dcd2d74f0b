"""Times to read follow from one rule, and what states them says what the rule gives."""

import json

import nbformat
import pytest
import reading_times
from nbformat import v4

from vae_tutorial.exercises import EXERCISES

GUIDE = reading_times.BOOK / "teachers-guide.ipynb"


def page(*cells) -> dict:
    return v4.new_notebook(cells=list(cells))


def test_words_equations_and_lines_of_code_count():
    equation = "$$\na = b\n$$ (eq-a)"
    code = v4.new_code_cell("a = 1\n\nb = 2")
    source = "```python\ndef f():\n    return 1\n```"
    shown = v4.new_output("display_data", data={"text/markdown": source})
    both = v4.new_code_cell("show(f)", outputs=[shown])
    hidden = v4.new_code_cell("c = 3\n" * 30, metadata={"tags": ["hide-input"]})
    words = v4.new_markdown_cell("word " * 200 + "\n\n## Next\n\n" + "word " * 99 + "\n" + equation)
    end = v4.new_markdown_cell("## Exercises\n\n" + "word " * 999)
    after = v4.new_code_cell("d = 4")
    found = reading_times.sections_of(page(words, code, both, hidden, end, after))
    # Half a minute for the words and their label, half for the equation, five lines of code.
    assert found == {"": 1.0, "Next": round(0.5 + 0.5 + 5 * 2 / 60, 1)}


@pytest.mark.parametrize(("minutes", "said"), [(0.2, 5), (7.4, 5), (7.6, 10), (41.0, 40)])
def test_a_stated_time_is_a_multiple_of_five(minutes, said):
    assert reading_times.rounded({"": minutes}) == said


def test_what_states_a_time_is_what_comes_out():
    files, times = reading_times.wanted_files()
    assert len(times) == 10 and len(files) == 12
    for path, text in files.items():
        assert path.read_text(encoding="utf-8") == text, (
            f"{path.name}: run `python tools/reading_times.py --write`, "
            "then `make notebooks NOTEBOOK=book/teachers-guide.ipynb`"
        )


def test_the_guide_shows_these_times_and_its_plans_add_up():
    """That each step leaves room for what it names is asserted in the guide's own cells."""
    stored = json.loads(reading_times.RESULT.read_text(encoding="utf-8"))
    guide = nbformat.read(GUIDE, as_version=4)
    tables = [
        output.data["text/markdown"]
        for cell in guide.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if "text/markdown" in output.get("data", {})
    ]
    costs = next(table for table in tables if "to read, min" in table)
    rows = [[part.strip() for part in line.split("|")[1:-1]] for line in costs.splitlines()[2:]]
    assert [int(row[1]) for row in rows[:-1]] == [
        stored["pages"][page] for page in dict.fromkeys(e.page for e in EXERCISES.values())
    ]
    assert int(rows[-1][1]) == sum(stored["pages"].values())
    plans = [table for table in tables if table.startswith("| step |")]
    totals = [sum(int(line.split("|")[-2]) for line in p.splitlines()[2:]) for p in plans]
    assert totals == [90, 240]
