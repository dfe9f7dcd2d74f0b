"""Ask every https address that the book names whether it still answers, and list the dead ones.

    python tools/check_links.py README.md book

Only what is certain counts as dead: "not found", "gone", and hosts that no longer exist. Publishers
turn programs away and networks fail; such addresses are listed, but do not fail the check.
"""

import argparse
import json
import re
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

ADDRESS = re.compile(r"https://[^\s<>\"'`{}\\^|\[\]]+")
DOI = re.compile(r"^\s*doi\s*=\s*[{\"](.+?)[}\"]", re.MULTILINE)
KINDS = {".md", ".ipynb", ".bib", ".py", ".yml", ".cff"}
# Hosts that the text names as examples, or that answer only to programs.
EXAMPLES = re.compile(r"https://(?:[\w-]+\.)*(?:example\.(?:org|com)|localhost)(?:[/:]|$)")
DEAD = {404, 410}


def texts(path: Path) -> list[str]:
    """Return the texts of a file in which a reader finds addresses: of a notebook, its cells."""
    if path.suffix == ".bib":
        return [DOI.sub(r"https://doi.org/\1", path.read_text(encoding="utf-8"))]
    if path.suffix != ".ipynb":
        return [path.read_text(encoding="utf-8")]
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells]


def addresses(text: str) -> set[str]:
    """Return the addresses in a text, without the punctuation that follows them."""
    found = set()
    for address in ADDRESS.findall(text):
        address = address.split("#")[0].rstrip(".,;:!?*_")
        while address.endswith(")") and address.count(")") > address.count("("):
            address = address[:-1].rstrip(".,;:!?*_")
        if not EXAMPLES.match(address):
            found.add(address)
    return found


def collect(paths: list[Path]) -> dict[str, str]:
    """Return each address with the name of one file that has it."""
    files = []
    for path in paths:
        inside = path.rglob("*") if path.is_dir() else [path]
        files += [file for file in inside if file.suffix in KINDS]
    return {
        address: str(file)
        for file in sorted(files, reverse=True)
        for text in texts(file)
        for address in addresses(text)
    }


def state(address: str, timeout: float = 20, tries: int = 3) -> str:
    """Return "alive", "dead: why" or "unclear: why"."""
    request = Request(address, headers={"User-Agent": "Mozilla/5.0 (link check of a book)"})
    why = ""
    for _ in range(tries):
        try:
            with urlopen(request, timeout=timeout):
                return "alive"
        except HTTPError as error:
            why = f"status {error.code}"
            if error.code in DEAD:
                return f"dead: {why}"
        except URLError as error:
            why = str(error.reason)
            if (
                isinstance(error.reason, socket.gaierror)
                and error.reason.errno == socket.EAI_NONAME
            ):
                return "dead: no such host"
        except (OSError, ValueError) as error:
            why = str(error)
    return f"unclear: {why}"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("paths", nargs="+", type=Path, help="files, and folders to look through")
    paths = parser.parse_args().paths
    for path in paths:
        if not path.exists():
            parser.error(f"there is no file or folder {path}")
        if path.is_file() and path.suffix not in KINDS:
            parser.error(f"{path} is none of {', '.join(sorted(KINDS))}, which are looked through")
    found = collect(paths)
    with ThreadPoolExecutor(8) as pool:
        states = dict(zip(found, pool.map(state, found), strict=True))
    for address, answer in sorted(states.items()):
        if answer != "alive":
            print(f"{answer}: {address} (in {found[address]})")
    dead = sum(answer.startswith("dead") for answer in states.values())
    print(f"{len(found)} addresses, {dead} dead")
    return 1 if dead or not found else 0


if __name__ == "__main__":
    sys.exit(main())
