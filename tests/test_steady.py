"""The tests hold on a busy machine: no seconds asserted, generous limits, time-outs told apart."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import under_load
from nbformat import v4
from notebook_rules import cell_seconds, code_cells

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "book").glob("*.ipynb"))
CODE = [*(ROOT / "tests").rglob("*.py"), *(ROOT / "tools").glob("*.py"), ROOT / "Makefile"]
CLOCK = re.compile(r"seconds|elapsed|timing|clock|perf_counter|monotonic|process_time")
LIMIT = re.compile(r"timeout(?:\", type=float, default)? ?[=:] ?([\d_]+)")


def asserted_seconds(source: str) -> list[str]:
    """Return the assertions that compare a clock, or what is named after one, with a number."""
    found = []
    for node in ast.walk(ast.parse(source)):
        compared = node.test if isinstance(node, ast.Assert) else None
        if not isinstance(compared, ast.Compare):
            continue
        sides = [compared.left, *compared.comparators]
        names = [n.id for side in sides for n in ast.walk(side) if isinstance(n, ast.Name)]
        names += [n.attr for side in sides for n in ast.walk(side) if isinstance(n, ast.Attribute)]
        ratio = any(isinstance(n, ast.Div) for side in sides for n in ast.walk(side))
        with_number = any(isinstance(side, ast.Constant) for side in sides)
        if with_number and not ratio and any(map(CLOCK.search, names)):
            found.append(ast.unparse(node))
    return found


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_page_asserts_seconds(path):
    for cell in code_cells(nbformat.read(path, as_version=4)):
        lines = [line for line in cell.source.splitlines() if not line.startswith(("%", "!"))]
        assert asserted_seconds("\n".join(lines)) == []


def test_no_test_asserts_seconds():
    for path in (ROOT / "tests").rglob("*.py"):
        assert asserted_seconds(path.read_text(encoding="utf-8")) == [], path.name


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("assert time.perf_counter() - started < 2", 1),
        ("assert max(timing.values()) < 5", 1),
        ("assert milliseconds[784] > 2 * milliseconds[32]", 0),
        ("assert slowest / seconds['one'] > 300", 0),
        ("assert scores['P@10'] > 0.9", 0),
    ],
)
def test_an_assertion_of_seconds_is_noticed(source, found):
    assert len(asserted_seconds(source)) == found


def test_no_limit_is_below_ten_times_what_the_longest_cell_took():
    cells = [c for path in NOTEBOOKS for c in code_cells(nbformat.read(path, as_version=4))]
    longest = max(map(cell_seconds, cells))
    assert longest > 1
    limits = {}
    for path in CODE:
        for found in LIMIT.findall(path.read_text(encoding="utf-8")):
            limits.setdefault(path.name, []).append(float(found))
    assert {"Makefile", "run_notebooks.py", "make_classroom.py"} <= limits.keys()
    browser = {path.name for path in (ROOT / "tests" / "browser").glob("*.py")}  # in milliseconds
    for name, found in limits.items():
        if name not in {*browser, "test_steady.py", "check_links.py"}:
            assert min(found) >= 10 * longest, name


@pytest.mark.slow
def test_a_cell_that_hangs_is_called_a_time_out_and_a_wrong_output_a_difference(patient_folder):
    for name, source in {"hangs": "while True: pass", "differs": "print(2)"}.items():
        cell = v4.new_code_cell(source, execution_count=1)
        cell.outputs = [v4.new_output("stream", name="stdout", text="1\n")]
        nbformat.write(v4.new_notebook(cells=[cell]), patient_folder / f"{name}.ipynb")
    command = [sys.executable, "-m", "pytest", "--nbval", "--color=no", "-p", "no:cacheprovider"]
    said = {}
    for name, limit in {"hangs": 2, "differs": 900}.items():
        found = subprocess.run(
            [*command, f"--nbval-cell-timeout={limit}", f"{name}.ipynb"],
            cwd=patient_folder, capture_output=True, text=True,
        )  # fmt: skip
        assert found.returncode == 1, found.stdout
        said[name] = "Timeout" in found.stdout, "Cell outputs differ" in found.stdout
    assert said == {"hangs": (True, False), "differs": (False, True)}


def test_the_load_is_there_while_a_command_runs_and_gone_after_it():
    with under_load.load(2) as processes:
        assert len(processes) == 2
        assert all(process.poll() is None for process in processes)
    assert all(process.poll() is not None for process in processes)


@pytest.mark.parametrize(("status", "runs"), [(0, 2), (3, 1)])
def test_a_command_runs_under_load_until_it_fails(status, runs, tmp_path, monkeypatch):
    monkeypatch.setattr(under_load, "LOG", tmp_path / "log")
    command = [sys.executable, "-c", f"print('5 passed\\nit failed'); raise SystemExit({status})"]
    monkeypatch.setattr(
        sys, "argv", ["under_load.py", "--times", "2", "--load", "1", "--", *command]
    )
    assert under_load.main() == status
    log = (tmp_path / "log").read_text(encoding="utf-8").splitlines()
    assert log[::2] == ["5 passed"] * runs
    verdict = "passed" if status == 0 else "failed with 3"
    assert [f": {verdict} after " in line for line in log[1::2]] == [True] * runs
