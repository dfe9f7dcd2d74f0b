"""The search for untested lines: on a module of which one function is tested and one is not."""

import json
import os
import subprocess
import sys
from pathlib import Path

import mutants
import pytest
import yaml

pytestmark = pytest.mark.skipif(
    not hasattr(os, "fork"), reason="mutants are tested in forked processes"
)

ROOT = Path(__file__).resolve().parents[1]
TINY = """\
def larger(a, b):
    return a if a > b else b


def untested(a):
    return a + 1


def emptied(items):
    while items:
        items.pop()
    return items
"""
TESTS = """\
from vae_tutorial.tiny import emptied, larger


def test_larger():
    assert (larger(1, 2), larger(4, 3)) == (2, 4)


def test_emptied():
    assert emptied([1, 2]) == []
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    root = tmp_path_factory.mktemp("project")
    files = {"vae_tutorial/__init__.py": "", "vae_tutorial/tiny.py": TINY, "test_tiny.py": TESTS}
    (root / "vae_tutorial").mkdir()
    for name, text in files.items():
        (root / name).write_text(text, encoding="utf-8")
    return root


def run(project, *options) -> subprocess.CompletedProcess:
    command = [sys.executable, str(ROOT / "tools" / "mutants.py"), "tiny", "--root", str(project)]
    # The coverage of this very run is none of the tool's concern.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    return subprocess.run(
        [*command, "--tests", "test_tiny.py", *options],
        capture_output=True,
        text=True,
        env=environment,
    )


@pytest.mark.slow
@pytest.mark.aside
def test_an_untested_line_is_printed_and_tested_ones_are_not(project):
    before = {path: path.read_bytes() for path in project.rglob("*.py")}
    result = run(project, "--seconds", "1", "--output", str(project / "out.json"))
    *survivors, summary = result.stdout.splitlines()
    assert survivors == [
        # Of two equal numbers either is the larger one.
        "vae_tutorial/tiny.py:2  return a if a > b else b  ->  return a if a >= b else b",
        "vae_tutorial/tiny.py:6  return a + 1  ->  return a + 2",
        "vae_tutorial/tiny.py:6  return a + 1  ->  return a - 1",
        "vae_tutorial/tiny.py:6  return a + 1  ->  return None",
    ]
    # Among the killed is a loop that never ends.
    assert summary.startswith("tiny: 9 mutants, 5 killed, 0 equivalent, share 55.6%, ")
    # A busy machine may end the loop by the clock, and says so in a line before this one.
    assert (result.returncode, result.stderr.splitlines()[-1]) == (1, "below 90%: tiny")
    written = json.loads((project / "out.json").read_text(encoding="utf-8"))
    assert written["modules"]["tiny"]["survivors"] == survivors
    # Once there is a test for it, what survived can be tried alone.
    more = TESTS + "\n\ndef test_untested():\n    from vae_tutorial.tiny import untested\n"
    (project / "test_tiny.py").write_text(
        more + "\n    assert untested(1) == 2\n", encoding="utf-8"
    )
    again = run(project, "--seconds", "1", "--output", str(project / "out.json"), "--survivors")
    (project / "test_tiny.py").write_text(TESTS, encoding="utf-8")
    assert again.stdout.splitlines()[0] == survivors[0]
    assert "tiny: 9 mutants, 8 killed, 0 equivalent, share 88.9%, " in again.stdout
    assert {path: path.read_bytes() for path in project.rglob("*.py")} == before


@pytest.mark.slow
@pytest.mark.aside
def test_tests_that_fail_without_a_mutant_are_no_measure(project):
    (project / "test_failing.py").write_text("def test(): assert 0", encoding="utf-8")
    result = run(project, "--tests", "test_failing.py", "--at-least", "0")
    assert result.returncode == 1 and "the tests fail without a mutant" in result.stderr


def test_a_seed_chooses_the_mutants():
    first, again, other = (mutants.choose(TINY, 5, seed) for seed in ("0 tiny", "0 tiny", "1 tiny"))
    assert first == again != other
    assert len(first) == 5 and len(mutants.choose(TINY, 99, "0")) == 9


@pytest.mark.parametrize(
    ("source", "changed"),
    [
        ("x = a < b", ["x = a <= b", "x = a >= b"]),
        ("x = a is not b", ["x = a is b"]),
        ("x = not a", ["x = a"]),
        ("x = a and b", ["x = a or b"]),
        ("x = a * b", ["x = a / b"]),
        ("x += a", ["x -= a", "pass"]),
        ("x = True", ["x = False"]),
        ("x = 3", ["x = 4"]),
        ("f(a, b)", ["f(b, a)", "pass"]),
        ("x = f(x)", ["pass"]),
        ("x.y = a", ["pass"]),
        ("if a: pass", ["if not (a): pass"]),
        ("x = [a for a in b if a]", ["x = [a for a in b if not (a)]"]),
        ("def f(a='b'): pass", ["def f(a='bx'): pass"]),
        ("def f(): return a", ["def f(): return None"]),
        ("def f(): raise a", ["def f(): pass"]),
        ("'''A docstring.'''", []),
        ("x: Literal[1] = a", []),
        ('x = f"{a + 1}"', []),
    ],
)
def test_what_is_changed(source, changed):
    assert sorted(mutant.after for mutant in mutants.all_mutants(source)) == sorted(changed)


def test_every_module_of_the_library_has_its_tests():
    package = ROOT / "vae_tutorial"
    modules = {
        path.relative_to(package).with_suffix("").as_posix() for path in package.rglob("*.py")
    }
    assert modules == set(mutants.ALL)
    for names in mutants.ALL.values():
        assert names and all((ROOT / "tests" / f"test_{name}.py").is_file() for name in names)


def test_what_is_said_to_make_no_difference_can_still_be_made():
    for module in mutants.ALL:
        source = (ROOT / "vae_tutorial" / f"{module}.py").read_text(encoding="utf-8")
        made = {(mutant.before, mutant.after) for mutant in mutants.all_mutants(source)}
        assert mutants.known_equivalent(module) <= made


def test_the_weekly_workflow_takes_every_module_once():
    workflow = (ROOT / ".github" / "workflows" / "weekly.yml").read_text(encoding="utf-8")
    lists = yaml.safe_load(workflow)["jobs"]["mutants"]["strategy"]["matrix"]["modules"]
    assert sorted(name for names in lists for name in names.split()) == sorted(mutants.TESTS)


def test_what_is_measured_later_leaves_the_other_modules_in_the_file(tmp_path):
    path, one = tmp_path / "out.json", {"mutants": 2, "killed": 1}
    mutants.write(path, {"metrics": one, "_checks": one}, seed=0, count=40)
    mutants.write(path, {"metrics": one | {"killed": 2}}, seed=1, count=25)
    modules = json.loads(path.read_text(encoding="utf-8"))["modules"]
    assert list(modules) == ["_checks", "metrics"]  # in the order of the map
    kept = {name: {**modules[name]} for name in modules}
    assert all("python" in module.pop("versions") for module in kept.values())
    assert kept["_checks"] == {"seed": 0, "count": 40, "mutants": 2, "killed": 1}
    assert kept["metrics"] == {"seed": 1, "count": 25, "mutants": 2, "killed": 2}


def test_of_each_module_nine_of_ten_faults_are_noticed():
    stored = json.loads((ROOT / "tests" / "mutants.json").read_text(encoding="utf-8"))["modules"]
    assert list(stored) == list(mutants.TESTS)
    for module, result in stored.items():
        assert result["mutants"] - result["equivalent"] > 10, module
        assert mutants.share(result) >= 0.9, module
        parts = len(result["survivors"]), result["killed"], result["equivalent"]
        assert sum(parts) == result["mutants"], module


def test_a_module_that_does_not_exist_is_refused():
    command = [sys.executable, str(ROOT / "tools" / "mutants.py"), "nothing"]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 2 and "no such module; one of _checks, " in result.stderr
