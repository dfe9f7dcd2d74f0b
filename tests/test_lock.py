"""The lock: complete, within the bounds of pyproject.toml, and what the tests run with."""

import os
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
import write_lock
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
LINES = [
    line
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
]
LOCK = dict(line.split("==") for line in LINES)
WANTED = [Requirement(wish) for wish in write_lock.wishes()]


def test_the_lock_holds_sorted_names_and_public_versions_only():
    assert len(LOCK) == len(LINES) > len(WANTED) and sorted(LOCK) == list(LOCK)
    for name, version in LOCK.items():
        assert name == canonicalize_name(name)
        assert version == Version(version).public, "a version that only some systems have"
    assert not LOCK.keys() & {"pip", "setuptools", "wheel", "vae-tutorial"}


@pytest.mark.parametrize("wish", WANTED, ids=str)
def test_the_lock_has_what_pyproject_wants_within_its_bounds(wish):
    assert canonicalize_name(wish.name) in LOCK, "not in the lock; run `make notebooks`"
    assert wish.specifier.contains(LOCK[canonicalize_name(wish.name)])


def test_these_tests_run_with_the_versions_of_the_lock():
    """Packages of an extra, or of another system, need not be here; what is here must agree."""
    # `make test UNLOCKED=1` tries the newest versions on purpose.
    locked = {} if os.environ.get("UNLOCKED") else LOCK
    here = {canonicalize_name(found.name): found.version for found in metadata.distributions()}
    others = {
        name: f"{here[name]}, locked {version}"
        for name, version in locked.items()
        if name in here and Version(here[name]).public != version
    }
    assert others == {}, "install again: touch constraints.txt; make install"


def test_the_readme_installs_by_the_lock():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = re.findall(r"^.* -m pip install .*$", text, re.MULTILINE)
    assert commands and all(" -c constraints.txt" in command for command in commands)


# -- The tool that writes it ----------------------------------------------------------------------


def install(folder: Path, name: str, version: str, *requires: str) -> None:
    """Put into the folder what pip would leave there of an installed package."""
    about = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    about.mkdir()
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    lines += [f"Requires-Dist: {wish}" for wish in requires]
    (about / "METADATA").write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.fixture
def packages(tmp_path, monkeypatch):
    """Install three packages: one needs the second, with an extra the third, elsewhere a fourth."""
    install(
        tmp_path,
        "Lock_One",
        "1.0+cpu",
        "lock.two>=2",
        "lock-three; extra == 'more'",
        "lock-four; sys_platform == 'none'",
    )
    install(tmp_path, "lock.two", "2.1", "pip", "lock-one[more]")
    install(tmp_path, "lock-three", "3")
    monkeypatch.syspath_prepend(tmp_path)


@pytest.mark.usefixtures("packages")
def test_it_follows_requirements_and_their_extras():
    versions, faults = write_lock.needed(["lock-one"])
    assert faults == []
    lines = write_lock.lock(versions).splitlines()
    assert lines[3:] == ["lock-one==1.0", "lock-three==3", "lock-two==2.1"]
    assert all(line.startswith("# ") for line in lines[:3])
    assert f"Python {sys.version_info[0]}.{sys.version_info[1]} on " in lines[1]


@pytest.mark.usefixtures("packages")
def test_it_says_what_is_missing_and_what_does_not_fit():
    _, faults = write_lock.needed(["lock-four", "lock-two>=3", "lock-three"])
    assert faults == ["lock-four is missing", "lock-two is 2.1, but lock-two>=3 is needed"]


def test_it_refuses_where_a_package_is_missing_and_leaves_the_file(tmp_path):
    lock = tmp_path / "constraints.txt"
    lock.write_text("old\n", encoding="utf-8")
    # Without site-packages only packaging, which the tool itself needs, can be imported.
    found = next(path for path in metadata.files("packaging") if path.name == "__init__.py")
    (tmp_path / "packaging").symlink_to(found.locate().parent)
    command = [sys.executable, "-S", str(ROOT / "tools" / "write_lock.py"), str(lock)]
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 1
    assert re.match("No lock was written, because .*numpy is missing", done.stderr)
    assert lock.read_text(encoding="utf-8") == "old\n"
