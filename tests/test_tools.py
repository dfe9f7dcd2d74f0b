"""What every script of ours owes to whoever runs it: help, and care for what is not its own."""

import ast
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from folders import MARKER, emptied

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("tools", "benchmarks", "tests/colab")
SCRIPTS = sorted(
    path.relative_to(ROOT).as_posix()
    for folder in FOLDERS
    for path in (ROOT / folder).glob("*.py")
    if 'if __name__ == "__main__"' in path.read_text(encoding="utf-8")
)
# TensorFlow or FAISS start first; in this process, once for all of them.
HEAVY = re.compile(r"^(?:import|from) (?:faiss|vae_tutorial|descriptors)\b", re.MULTILINE)


def is_heavy(script: str) -> bool:
    return bool(HEAVY.search((ROOT / script).read_text(encoding="utf-8")))


def state() -> dict[str, tuple]:
    """Return what can be seen of a change to the files of this project."""
    # What git ignores comes and goes while tests run side by side: caches, and files of coverage.
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    paths = [ROOT / name for name in listed.split("\0") if name]
    stats = {str(path): path.stat() for path in paths if path.is_file()}
    return {name: (stat.st_size, stat.st_mtime_ns) for name, stat in stats.items()}


def run(script: str, *arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess:
    command = [sys.executable, str(ROOT / script), *arguments]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)


# -- Help -----------------------------------------------------------------------------------------


def help_of(script: str, capsys, monkeypatch) -> str:
    """Run ``script --help`` here, and return what it prints."""
    environment, path = dict(os.environ), list(sys.path)
    monkeypatch.setattr(sys, "argv", [str(ROOT / script), "--help"])
    monkeypatch.syspath_prepend(str((ROOT / script).parent))
    try:
        with pytest.raises(SystemExit) as stopped:
            runpy.run_path(str(ROOT / script), run_name="__main__")
    finally:
        os.environ.clear()
        os.environ.update(environment)
        sys.path[:] = path
    assert not stopped.value.code
    return capsys.readouterr().out


@pytest.mark.parametrize(
    "script",
    [pytest.param(s, marks=[pytest.mark.slow] if is_heavy(s) else []) for s in SCRIPTS],
)
def test_help_is_all_that_help_does(script, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    before = state()
    said = help_of(script, capsys, monkeypatch)
    assert said.startswith(f"usage: {Path(script).name} [-h]")
    assert len(said.splitlines()) > 4
    assert state() == before
    assert not list(tmp_path.iterdir())


def test_every_script_is_tried():
    assert len(SCRIPTS) > 25
    assert {"tools/place_exercises.py", "benchmarks/study.py"} <= set(SCRIPTS)


# -- What is missing, or not said -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["tools/run_notebooks.py", "nope.ipynb"], "there is no notebook nope.ipynb"),
        (["tools/check_links.py", "nope.html"], "there is no file or folder nope.html"),
        (["tools/check_links.py", "Makefile"], "Makefile is none of .bib, .cff, .ipynb, .md"),
        (["tools/floors.py", "nope"], "no extra 'nope' in pyproject.toml, but actionlint, audit"),
        (["tools/check.py", "--since", "nope"], "git knows no revision nope"),
        (["benchmarks/checks.py", "--revisions", "nope"], "git knows no revision nope"),
        (["tools/make_samples.py", "fashion", "nope.deb"], "there is no file nope.deb"),
        (["tools/write_lock.py", "nope/lock.txt"], "there is no folder nope"),
    ],
    ids=lambda value: value if isinstance(value, str) else Path(value[0]).name,
)
def test_a_slip_is_answered_in_one_sentence(command, said):
    before = state()
    done = run(*command)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr and said in done.stderr.splitlines()[-1]
    assert done.stdout == ""
    assert state() == before


def test_a_notebook_that_is_none_stops_before_any_runs(tmp_path):
    (tmp_path / "good.ipynb").write_text("{}")
    (tmp_path / "bad.ipynb").write_text("# no notebook")
    done = run("tools/run_notebooks.py", "good.ipynb", "bad.ipynb", cwd=tmp_path)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1].endswith("good.ipynb is no notebook")
    assert (tmp_path / "good.ipynb").read_text() == "{}"


@pytest.mark.slow
def test_the_study_asks_for_its_size_first(tmp_path):
    done = run("benchmarks/study.py", "--output", str(tmp_path))
    assert done.returncode == 2
    assert "required: --part" in done.stderr.splitlines()[-1]
    assert not list(tmp_path.iterdir())


# -- Folders that are filled afresh ---------------------------------------------------------------


def test_a_new_and_an_empty_folder_are_filled(tmp_path):
    for folder in (tmp_path / "new" / "below", tmp_path / "empty"):
        if folder.name == "empty":
            folder.mkdir()
        assert emptied(folder, "tool.py") == folder
        assert [path.name for path in folder.iterdir()] == [MARKER]


def test_a_folder_that_the_tool_has_made_is_emptied(tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "kept").write_text("")
    folder = emptied(tmp_path / "made", "tool.py")
    (folder / "page.ipynb").write_text("")
    (folder / "below").mkdir()
    (folder / "below" / "page.ipynb").write_text("")
    (folder / "link").symlink_to(other)
    emptied(folder, "tool.py")
    assert [path.name for path in folder.iterdir()] == [MARKER]
    assert (other / "kept").exists()


@pytest.mark.parametrize("marked", [False, True], ids=["a stranger's", "another tool's"])
def test_any_other_folder_is_refused_and_left_as_it_is(tmp_path, marked):
    (tmp_path / "thesis.txt").write_text("years of work")
    if marked:
        (tmp_path / MARKER).write_text("other.py\n")
    names = {path.name for path in tmp_path.iterdir()}
    with pytest.raises(FileExistsError, match=r"tools/tool\.py has not written; name a folder"):
        emptied(tmp_path, "tool.py")
    assert {path.name for path in tmp_path.iterdir()} == names
    with pytest.raises(FileExistsError, match="is a file; name a folder that is new or empty"):
        emptied(tmp_path / "thesis.txt", "tool.py")
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


@pytest.mark.parametrize("tool", ["make_colab.py", "make_classroom.py", "make_package.py"])
def test_the_tools_refuse_a_stranger_s_folder(tmp_path, tool):
    (tmp_path / "thesis.txt").write_text("years of work")
    done = run(f"tools/{tool}", str(tmp_path))
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert f"files that tools/{tool} has not written" in done.stderr.splitlines()[-1]
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_no_script_empties_a_folder_in_another_way():
    allowed = {"tools/folders.py", "benchmarks/classroom.py"}  # the latter in one of its own
    for folder in FOLDERS:
        for path in (ROOT / folder).glob("*.py"):
            source = path.read_text(encoding="utf-8")
            if path.relative_to(ROOT).as_posix() not in allowed:
                assert "rmtree" not in source and '"--clear"' not in source, path.name


# -- Systems --------------------------------------------------------------------------------------

# Modules of the standard library that Windows lacks.
UNIX_ONLY = {"crypt", "curses", "fcntl", "grp", "posix", "pty", "pwd", "readline", "resource"}
UNIX_ONLY |= {"syslog", "termios", "tty"}


def imported_at_once(tree: ast.Module) -> set[str]:
    """Return what a module imports when it is imported itself, unless it says what to do without.

    Text that runs in a process of its own does not count, and what a function imports neither.
    """
    found, waiting = set(), list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").split(".")[0])
        elif not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Try)):
            waiting.extend(ast.iter_child_nodes(node))
    return found


@pytest.mark.parametrize("folder", ["vae_tutorial", "tests", "tools", "benchmarks"])
def test_everything_can_be_imported_on_windows(folder):
    for path in sorted((ROOT / folder).rglob("*.py")):
        missing = imported_at_once(ast.parse(path.read_text("utf-8"))) & UNIX_ONLY
        assert missing == set(), path.relative_to(ROOT).as_posix()


def test_an_import_that_windows_lacks_is_seen():
    assert imported_at_once(ast.parse("import os, resource")) == {"os", "resource"}
    assert imported_at_once(ast.parse("class A:\n    from pwd import getpwall")) == {"pwd"}
    assert imported_at_once(ast.parse("def f():\n    import pty")) == set()
    assert (
        imported_at_once(ast.parse("try:\n    import pwd\nexcept ImportError:\n    ...")) == set()
    )


def test_a_missing_program_is_no_reason_to_stop_the_collection():
    """Tests that need bash or git say so when they run, and not when they are collected."""
    for path in sorted((ROOT / "tests").glob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            calls = [n for n in ast.walk(node) if isinstance(n, ast.Call)]
            at_once = not isinstance(node, (ast.FunctionDef, ast.ClassDef))
            names = {ast.unparse(call.func) for call in calls} if at_once else set()
            assert not names & {"subprocess.run", "shutil.which"}, path.name
