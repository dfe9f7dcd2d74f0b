"""Work out how long each chapter takes to read, and write it where it is stated.

A minute for 200 words, half a minute for an equation set on lines of its own, two seconds for a
line of code that the page shows. Exercises are left out: each states its minutes.
    python tools/reading_times.py           print the times, section by section
    python tools/reading_times.py --write   rewrite the lines **Time**, the cards, the results
    python tools/reading_times.py --check   fail where what is stated is not what comes out
The teacher's guide reads benchmarks/results/reading.json; run it again after --write.
"""

import argparse
import json
import re
import sys
from pathlib import Path

from place_exercises import OURS

ROOT = Path(__file__).resolve().parents[1]
BOOK = ROOT / "book"
RESULT = ROOT / "benchmarks" / "results" / "reading.json"
WORDS = 200  # a minute
EQUATION, LINE = 30, 2  # seconds
STATED = re.compile(r"^(\*\*Time\*\*: about )(\d+)( min to read)", re.MULTILINE)
CARD = re.compile(
    r"^(:link: (.+)\n:link-type: doc\n\n.+\n\n\*)(\d+)( min to read\*)$", re.MULTILINE
)
HEADING = re.compile(r"^##+ +(.+?)\s*$", re.MULTILINE)
DISPLAYED = re.compile(r"^\$\$.*?\$\$", re.DOTALL | re.MULTILINE)
SHOWN_SOURCE = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
# Nobody reads the marks around a remark beside the text.
REMARK = re.compile(r"^:::\{margin\}\n(.*?)\n:::$", re.DOTALL | re.MULTILINE)
LAST = "Exercises"


def text_of(value) -> str:
    return value if isinstance(value, str) else "".join(value)


def lines_in(code: str) -> int:
    return sum(bool(line.strip()) for line in code.splitlines())


def seconds_of(text: str) -> float:
    """Return the seconds that a piece of Markdown takes."""
    prose, equations = DISPLAYED.subn("", REMARK.sub(r"\1", text))
    return 60 * len(prose.split()) / WORDS + EQUATION * equations


def seconds_of_code(cell: dict) -> float:
    """Return the seconds that a cell's code takes, and code of the library that it shows."""
    tags = cell["metadata"].get("tags", [])
    lines = 0 if {"hide-input", "hide-cell"} & set(tags) else lines_in(text_of(cell["source"]))
    for output in cell["outputs"]:
        shown = text_of(output.get("data", {}).get("text/markdown", ""))
        lines += sum(map(lines_in, SHOWN_SOURCE.findall(shown)))
    return LINE * lines


def sections_of(notebook: dict) -> dict[str, float]:
    """Return the minutes of each section of a page up to its exercises; "" is its opening."""
    seconds, section = {"": 0.0}, ""
    for cell in notebook["cells"]:
        if cell.get("id", "").startswith(OURS) and not text_of(cell["source"]).startswith("## "):
            continue  # a short exercise in the text
        if cell["cell_type"] == "code":
            seconds[section] += seconds_of_code(cell)
            continue
        opening, *parts = HEADING.split(text_of(cell["source"]))
        seconds[section] += seconds_of(opening)
        for section, text in zip(parts[::2], parts[1::2], strict=True):
            if section == LAST:
                return {name: round(value / 60, 1) for name, value in seconds.items()}
            seconds[section] = seconds.get(section, 0) + seconds_of(text)
    return {name: round(value / 60, 1) for name, value in seconds.items()}


def rounded(sections: dict[str, float]) -> int:
    """Return the minutes of a page as they are stated: to the next five, and at least five."""
    return max(5, 5 * round(sum(sections.values()) / 5))


def stated() -> dict[str, Path]:
    """Return the pages that state a time."""
    paths = sorted(BOOK.glob("*.ipynb"))
    return {p.stem: p for p in paths if "**Time**: about" in p.read_text(encoding="utf-8")}


def wanted_files() -> tuple[dict[Path, str], dict[str, dict[str, float]]]:
    """Return what each file that states a time should hold, and the times."""
    files, times = {}, {}
    for page, path in stated().items():
        notebook = json.loads(path.read_text(encoding="utf-8"))
        times[page] = sections_of(notebook)
        for cell in notebook["cells"]:
            text = text_of(cell["source"])
            if cell["cell_type"] == "markdown" and STATED.search(text):
                text = STATED.sub(rf"\g<1>{rounded(times[page])}\g<3>", text)
                cell["source"] = text.splitlines(keepends=True)
        files[path] = json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"

    def card(match) -> str:
        page = match[2].removesuffix(".ipynb")
        return match[1] + str(rounded(times[page])) + match[4] if page in times else match[0]

    index = BOOK / "index.md"
    files[index] = CARD.sub(card, index.read_text(encoding="utf-8"))
    result = {
        "command": "python tools/reading_times.py --write",
        "rule": f"{WORDS} words a minute, {EQUATION} s for a displayed equation, "
        f"{LINE} s for a line of code shown; without the exercises",
        "pages": {page: rounded(sections) for page, sections in times.items()},
        "sections": times,
    }
    files[RESULT] = json.dumps(result, indent=1, ensure_ascii=False) + "\n"
    return files, times


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--write", action="store_true", help="rewrite what states a time")
    group.add_argument("--check", action="store_true", help="fail where it is out of date")
    arguments = parser.parse_args()
    files, times = wanted_files()
    old = [p for p, text in files.items() if not p.exists() or p.read_text("utf-8") != text]
    for path in old if arguments.write else []:
        path.write_text(files[path], encoding="utf-8")
        print(f"wrote {path.relative_to(ROOT).as_posix()}")
    if arguments.check and old:
        names = ", ".join(path.relative_to(ROOT).as_posix() for path in old)
        sys.exit(f"out of date: {names}; run python tools/reading_times.py --write")
    if not (arguments.write or arguments.check):
        for page, sections in times.items():
            print(f"{page}: {rounded(sections)} min")
            for name, minutes in sections.items():
                print(f"  {minutes:5.1f}  {name or '(opening)'}")


if __name__ == "__main__":
    main()
