"""Write constraints.txt: the exact versions, installed here, that produced the stored outputs.

python tools/write_lock.py [FILE]

It lists what the library and its extras "book", "test", "scale" and "site" need, and what those
need in turn: names and versions only, for pip's option -c. Packages that only another system needs
are not in it and stay free there.
"""

import argparse
import platform
import sys
import tomllib
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "constraints.txt"
EXTRAS = ("book", "test", "scale", "site")
# An environment brings its own; a lock must not change what installs it.
INSTALLERS = {"pip", "setuptools", "wheel"}
HEADER = """\
# The exact versions that produced the stored outputs of the notebooks, for: pip install -c
# Written by `make notebooks` (tools/write_lock.py), not by hand; with Python {python} on {system}.
# `make ... UNLOCKED=1` installs the newest versions instead. See CONTRIBUTING.md.
"""


def wishes() -> list[str]:
    """Return the requirements of pyproject.toml, those of the locked extras included."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    project = tomllib.loads(text)["project"]
    extras = project["optional-dependencies"]
    return [*project["dependencies"], *(wish for extra in EXTRAS for wish in extras[extra])]


def needed(wanted: list[str]) -> tuple[dict[str, str], list[str]]:
    """Follow requirements; return the installed versions, and what is missing or does not fit."""
    versions, faults = {}, set()
    waiting, done = [Requirement(wish) for wish in wanted], set()
    while waiting:
        wish = waiting.pop()
        name = canonicalize_name(wish.name)
        try:
            distribution = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            faults.add(f"{name} is missing")
            continue
        # A local part, such as +cpu, names a build that other systems do not have.
        versions[name] = Version(distribution.version).public
        if not wish.specifier.contains(versions[name], prereleases=True):
            faults.add(f"{name} is {versions[name]}, but {wish} is needed")
        for extra in {"", *wish.extras}:
            if (name, extra) not in done:
                done.add((name, extra))
                waiting += requirements_of(distribution, extra)
    return versions, sorted(faults)


def requirements_of(distribution: metadata.Distribution, extra: str) -> list[Requirement]:
    """Return what an installed package, with one of its extras, needs on this system."""
    wanted = map(Requirement, distribution.requires or [])
    return [wish for wish in wanted if not wish.marker or wish.marker.evaluate({"extra": extra})]


def lock(versions: dict[str, str]) -> str:
    """Return the text of the lock."""
    kept = sorted(set(versions) - INSTALLERS)
    python = ".".join(platform.python_version_tuple()[:2])
    header = HEADER.format(python=python, system=platform.system())
    return header + "".join(f"{name}=={versions[name]}\n" for name in kept)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", nargs="?", type=Path, default=LOCK, help="default: constraints.txt")
    path = parser.parse_args().file
    if not path.parent.is_dir():
        parser.error(f"there is no folder {path.parent}")
    versions, faults = needed(wishes())
    if faults:
        print("No lock was written, because", "; ".join(faults), file=sys.stderr)
        return 1
    text = lock(versions)
    # An unchanged file keeps its date, so that `make` does not install again.
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
    print(f"{path.name}: {len(versions.keys() - INSTALLERS)} versions")
    return 0


if __name__ == "__main__":
    sys.exit(main())
