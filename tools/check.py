"""What to run before each commit: the quick checks, and what the change touches (make check).

    python tools/check.py [--all] [--since REVISION]

Lint, types and the tests that are not marked slow always run. A notebook runs, and its outputs are
compared, if what its outputs follow from differs from the last commit (or from REVISION): its own
code and stored outputs, the modules of the library that it reaches, the bundled files, the lock, or
Python. A change of prose runs none. The site is built, and the touched pages are looked at, if
a page or what pages are built by has changed. What passed once is not run again until it changes.
"""

import argparse
import ast
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[1]
# What has passed, by the digest of all that it follows from.
PASSED = ROOT / "_build" / "checked.json"
# What all notebooks follow from, besides their own code and the modules that they import.
COMMON = ("vae_tutorial/data/", "vae_tutorial/weights/", "benchmarks/results/", "constraints.txt")
# What pages are built by.
SITE = ("book/", "_config.yml", "_toc.yml", "tools/book_extension.py", "tools/publishing.py",
        "tools/patches.py", "tools/print_extension.py", "tools/reference_extension.py",
        "tools/search_extension.py", "tools/search_aliases.toml", "tools/plain.py",
        "tools/figure_extension.py", "tools/figures.py", "tools/panels.py",
        "tools/language_extension.py", "tools/site_words.py",
        "tools/make_colab.py")  # fmt: skip
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
# Below an exercise a page stores that nobody has answered it, whatever the exercise is; what checks
# say is held by tests/test_exercises.py. A page without one is about the exercises themselves.
CHECKED, EXERCISES = "exercises.check(", "vae_tutorial/exercises/"
# One book is built already; the one with addresses is left to make test.
PAGES = ("tests/test_site.py", "-k", "not test_a_published_book")
Read = Callable[[str], bytes]


def git(*arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=True).stdout


def is_revision(name: str) -> bool:
    command = ["git", "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}"]
    return subprocess.run(command, cwd=ROOT, capture_output=True).returncode == 0


def names(command: str, *arguments: str) -> list[str]:
    """Return the paths that a command of git lists."""
    return [name for name in git(command, "-z", *arguments).decode().split("\0") if name]


def changed_paths(since: str) -> list[str]:
    """Return what differs from a revision, files that git does not know yet included."""
    untracked = names("ls-files", "--others", "--exclude-standard")
    return sorted({*names("diff", "--name-only", since, "--"), *untracked})


def in_worktree(name: str) -> bytes:
    path = ROOT / name
    return path.read_bytes() if path.is_file() else b""


def at(revision: str) -> Read:
    """Return what reads a file as it was at a revision; empty where there was none."""
    changed = set(changed_paths(revision))

    @cache
    def read(name: str) -> bytes:
        if name not in changed:
            return in_worktree(name)
        found = subprocess.run(["git", "show", f"{revision}:{name}"], cwd=ROOT, capture_output=True)
        return found.stdout

    return read


@cache
def modules_of(source: str) -> frozenset[str]:
    """Return the modules of the library that a source imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("vae_tutorial"):
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            found |= {a.name for a in node.names if a.name.startswith("vae_tutorial")}
    return frozenset(found)


def files_of(modules: frozenset[str], read: Read) -> set[str]:
    """Return the files of modules, and of all that they import from the library in turn."""
    files, waiting = set(), {"vae_tutorial", *modules}
    while waiting:
        base = waiting.pop().replace(".", "/")
        for name in (f"{base}.py", f"{base}/__init__.py"):
            if name not in files and (source := read(name)):
                files.add(name)
                waiting |= modules_of(source.decode())
    return files


def code_of(content: bytes) -> tuple[str, list]:
    """Return a notebook's code without lines that only IPython reads, and all that nbval reads."""
    notebook = nbformat.reads(content.decode(), as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    lines = [line for cell in cells for line in f"{cell.source}\n".splitlines()]
    code = "\n".join(line for line in lines if not line.lstrip().startswith(("%", "!")))
    return code, [[cell.source, cell.outputs, cell.metadata.get("tags")] for cell in cells]


def digest_of(page: str, read: Read, common: bytes) -> str:
    """Return a digest of all that the outputs of a notebook follow from."""
    content = read(page)
    if not content:
        return "there is no such page"
    code, cells = code_of(content)
    digest = hashlib.sha256(json.dumps(cells).encode() + common)
    for name in sorted(files_of(modules_of(code), read)):
        if name.startswith(EXERCISES) and CHECKED in code:
            continue
        digest.update(name.encode() + b"\0" + read(name))
    return digest.hexdigest()


def stale_notebooks(since: str | None, passed: set[str]) -> dict[str, str]:
    """Return the notebooks to run, each with its digest; all of them if ``since`` is None."""
    pages = sorted(f"book/{path.name}" for path in (ROOT / "book").glob("*.ipynb"))
    now = common_of(in_worktree, platform.python_version_tuple()[:2])
    digests = {page: digest_of(page, in_worktree, now) for page in pages}
    if since is None:
        return digests
    before = at(since)
    then = common_of(before, python_of_lock(before))
    return {
        page: digest
        for page, digest in digests.items()
        if digest not in passed and digest != digest_of(page, before, then)
    }


def python_of_lock(read: Read) -> tuple[str, ...]:
    """Return the version of Python that stored the outputs, which the lock names."""
    found = re.search(r"Python (\d+)\.(\d+)", read("constraints.txt").decode())
    return found.groups() if found else ()


def common_of(read: Read, python: tuple[str, ...]) -> bytes:
    """Return a digest of what every notebook follows from, Python's version included."""
    digest = hashlib.sha256(repr(tuple(python)).encode())
    for name in names("ls-files", "--cached", "--others", "--exclude-standard", "--", *COMMON):
        digest.update(name.encode() + b"\0" + read(name))
    return digest.digest()


def remember(digests: list[str], passed: set[str]) -> None:
    PASSED.parent.mkdir(exist_ok=True)
    PASSED.write_text(json.dumps(sorted(passed | set(digests))), encoding="utf-8")


def run(title: str, *command, **environment: str) -> bool:
    """Run one step and say what it took; return whether it passed."""
    print(f"-- {title}", flush=True)
    started = time.monotonic()
    done = subprocess.run([*map(str, command)], cwd=ROOT, env=os.environ | environment)
    verdict = "passed" if done.returncode == 0 else "FAILED"
    print(f"-- {title}: {verdict}, {time.monotonic() - started:.0f} s\n", flush=True)
    return done.returncode == 0


def check_notebooks(since: str | None) -> bool:
    passed = set(json.loads(PASSED.read_text())) if PASSED.is_file() else set()
    stale = stale_notebooks(since, passed)
    if not stale:
        print("-- notebooks: none to run, nothing that their outputs follow from has changed\n")
        return True
    title = f"notebooks: {', '.join(Path(page).stem for page in stale)}"
    pages = " ".join(Path(page).stem for page in stale)
    fine = run(title, "make", "--no-print-directory", "test-notebooks", f"PAGES={pages}")
    if fine:
        remember(list(stale.values()), passed)
    return fine


def check_site(touched: list[str]) -> bool:
    """Build the book; check all its pages as files, and the touched ones in a browser if any."""
    if not any(name.startswith(SITE) for name in touched):
        print("-- site: nothing that pages are built from has changed\n")
        return True
    site, pytest = {"BOOK_SITE": "_build/html"}, (sys.executable, "-m", "pytest", "-q")
    fine = run("site: build", "make", "--no-print-directory", "book")
    fine = fine and run("site: pages as files", *pytest, *PAGES, **site)
    stems = touched_pages(touched)
    if not fine or not stems or not any(map(shutil.which, BROWSERS)):
        return fine
    chosen = " or ".join(f"/{stem}.html" for stem in stems)
    visits = ["tests/browser/test_pages.py", "-n", "2", "-k", chosen]
    return run(f"site: {', '.join(stems)} in a browser", *pytest, *visits, **site)


def touched_pages(touched: list[str]) -> list[str]:
    """Return the names of the book's pages among paths, or of all if ``book/`` itself is there."""
    if "book/" in touched:
        touched = names("ls-files", "--cached", "--others", "--exclude-standard", "--", "book")
    pages = [Path(name) for name in touched if Path(name).parent == Path("book")]
    return [path.stem for path in pages if path.suffix in (".ipynb", ".md")]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--all", action="store_true", help="all notebooks and pages")
    parser.add_argument("--since", default="HEAD", help="compare with this revision (HEAD)")
    given = parser.parse_args()
    if not is_revision(given.since):
        parser.error(f"git knows no revision {given.since}")
    python = (sys.executable, "-m")
    tests = ("pytest", "-q", "-n", "2", "-m", "not slow", "--hypothesis-profile=quick")
    touched = list(SITE) if given.all else changed_paths(given.since)
    results = [
        run("lint", *python, "ruff", "check", "."),
        run("types", *python, "mypy"),
        run("quick tests", *python, *tests),
        check_notebooks(None if given.all else given.since),
        check_site(touched),
    ]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
