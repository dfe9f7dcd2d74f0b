"""Print the oldest versions that pyproject.toml allows, one requirement a line (make test-matrix).

python tools/floors.py [EXTRA ...]
"""

import argparse
import re
import tomllib
from pathlib import Path

FLOOR = re.compile(r"([\w.-]+)>=([\w.]+)(?:,.*)?")


def floors(extras: list[str]) -> list[str]:
    """Return the library's requirements, and those of ``extras``, each at its floor."""
    text = (Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8")
    project = tomllib.loads(text)["project"]
    wanted = list(project["dependencies"])
    known = project["optional-dependencies"]
    for extra in extras:
        if extra not in known:
            there = ", ".join(sorted(known))
            raise KeyError(f"there is no extra {extra!r} in pyproject.toml, but {there}")
        wanted += known[extra]
    # A requirement without a floor is a fault: nobody could say what its oldest version is.
    return ["{}=={}".format(*FLOOR.fullmatch(wish).groups()) for wish in wanted]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("extras", nargs="*", help="extras of pyproject.toml, such as test")
    extras = parser.parse_args().extras
    try:
        print(*floors(extras), sep="\n")
    except KeyError as error:
        parser.error(str(error.args[0]))


if __name__ == "__main__":
    main()
