"""Say whether this Python, on this machine, can run the book: make asks before it installs.

    python tools/check_python.py

What pip says instead is that there is no matching distribution of TensorFlow, and not why.
"""

import argparse
import platform
import sys

# As requires-python of pyproject.toml has them; TensorFlow has no release for a newer one.
FIRST, LAST = (3, 11), (3, 13)


def problem(version, system: str, machine: str) -> str:
    """Return what is in the way, and the way round it; nothing if this Python will do."""
    if not FIRST <= tuple(version[:2]) <= LAST:
        number = ".".join(map(str, version[:3]))
        why = "" if tuple(version[:2]) < FIRST else ", for which TensorFlow has no release yet"
        return (
            f"This book needs Python 3.11, 3.12 or 3.13; this one is {number}{why}. "
            "Name another one, for example: make book PYTHON=python3.12"
        )
    if system == "Darwin" and machine == "x86_64":
        return (
            "TensorFlow has had no release for Macs with an Intel processor since 2.16, and this "
            "book needs 2.18. Read it in Colab, or run it in a container (.devcontainer) or on "
            "another machine. On a Mac with an Apple processor this Python was made for Intel's: "
            "name a native one, for example: make book PYTHON=/opt/homebrew/bin/python3.12"
        )
    return ""


def main() -> int:
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    found = problem(sys.version_info, platform.system(), platform.machine())
    if found:
        print(found, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
