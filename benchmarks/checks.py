"""Times what contributors and CI run: make check, make test, the notebooks, .ci/run.

    python benchmarks/checks.py [--revisions OLD NEW] [--targets check test ...]

Each revision is cloned afresh and installed first; then the targets take turns between the
revisions, and so does each notebook, so that both are measured on the same machine in the same run.
A target that a revision lacks is left out; one that is named twice runs again, with what mypy and
Python keep of the first.
Seconds are by the clock: leave the machine alone meanwhile. Needs git, and a network once.
"""

import argparse
import platform
import re
import subprocess
import tempfile
import time
from pathlib import Path

from measuring import machine, write_report

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).parent / "results" / "checks.json"
INSTALL = ["make", ".venv/.installed-scale", ".venv/.installed-site", ".venv-nbgrader/.installed"]
TARGETS = ["check", "check", "test", "notebooks"]
STEP = re.compile(r"^== (.+): (\d+) s$", re.MULTILINE)
NOTEBOOK = re.compile(r"^book/([\w-]+)\.ipynb: (\d+) s$", re.MULTILINE)


def clone(revision: str, folder: Path) -> Path:
    """Clone a revision beside a copy of what lies beside this checkout; return its folder."""
    home = folder / revision[:10].replace("/", "-") / "book"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(home)], check=True)
    subprocess.run(["git", "-C", str(home), "checkout", "--quiet", revision], check=True)
    shared = ROOT.parent / "shared"
    if shared.is_dir():
        (home.parent / "shared").symlink_to(shared)
    return home


def timed(home: Path, command: list[str]) -> dict:
    """Run a command; return its seconds, whether it passed, and the parts that it names itself."""
    print(f"{home.parent.name}: {' '.join(command)}", flush=True)
    started = time.monotonic()
    done = subprocess.run(command, cwd=home, capture_output=True, text=True, errors="replace")
    seconds = round(time.monotonic() - started)
    print(f"  {seconds} s, {'passed' if done.returncode == 0 else 'FAILED'}", flush=True)
    if done.returncode:
        print(done.stdout[-3000:] + done.stderr[-3000:])
    parts = STEP.findall(done.stdout) + NOTEBOOK.findall(done.stdout)
    found = {"seconds": seconds, "passed": done.returncode == 0}
    return found | ({"parts": {name: int(s) for name, s in parts}} if parts else {})


def in_turns(homes: dict[str, Path]) -> dict[str, dict]:
    """Run each notebook of every revision after each other; return their seconds by revision."""
    found = {revision: {"seconds": 0, "passed": True, "parts": {}} for revision in homes}
    pages = sorted({path.stem for home in homes.values() for path in home.glob("book/*.ipynb")})
    for page in pages:
        for revision, home in homes.items():
            path = Path("book") / f"{page}.ipynb"
            if (home / path).is_file():
                one = timed(home, ["make", "notebooks", f"NOTEBOOK={path}"])
                found[revision]["seconds"] += one["seconds"]
                found[revision]["passed"] &= one["passed"]
                found[revision]["parts"] |= one.get("parts", {})
    return found


def has_target(home: Path, target: str) -> bool:
    makefile = (home / "Makefile").read_text(encoding="utf-8")
    return re.search(rf"^{re.escape(target)}:", makefile, re.MULTILINE) is not None


def measured(target: str, homes: dict[str, Path]) -> dict[str, dict]:
    """Run a target in each revision that has it; return what was found by revision."""
    if target == "notebooks":
        return in_turns(homes)
    turns = {revision: home for revision, home in homes.items() if has_target(home, target)}
    return {revision: timed(home, ["make", target]) for revision, home in turns.items()}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--revisions", nargs="+", default=["HEAD"], help="commits (HEAD)")
    parser.add_argument("--targets", nargs="*", default=TARGETS, help="targets of make")
    parser.add_argument("--ci", action="store_true", help="also .ci/run, from a clone of its own")
    parser.add_argument("--output", type=Path, default=RESULTS)
    given = parser.parse_args()
    for revision in given.revisions:
        known = [
            "git",
            "-C",
            str(ROOT),
            "rev-parse",
            "--verify",
            "--quiet",
            f"{revision}^{{commit}}",
        ]
        if subprocess.run(known, capture_output=True).returncode:
            parser.error(f"git knows no revision {revision}")
    results: dict[str, dict] = {revision: {} for revision in given.revisions}
    with tempfile.TemporaryDirectory() as folder:
        homes = {revision: clone(revision, Path(folder)) for revision in given.revisions}
        for revision, home in homes.items():
            if given.targets:
                results[revision]["install"] = timed(home, INSTALL)
                results[revision]["book"] = timed(home, ["make", "book"])
        for target in given.targets:
            for revision, found in measured(target, homes).items():
                name = f"{target}, again" if target in results[revision] else target
                results[revision][name] = found
        for revision in homes if given.ci else ():
            home = clone(revision, Path(folder) / "ci")
            results[revision][".ci/run"] = timed(home, ["bash", ".ci/run"])
    report = {
        "command": "python benchmarks/checks.py",
        "machine": machine(),
        "python": platform.python_version(),
        "seconds by the clock": results,
    }
    write_report(given.output, report)


if __name__ == "__main__":
    main()
