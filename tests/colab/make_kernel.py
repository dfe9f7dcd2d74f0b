"""Make a kernel that has the versions of a runtime of Colab (make test-colab).

    python tests/colab/make_kernel.py RUNTIME FOLDER

RUNTIME names a file beside this one whose environment ``make`` has made. The kernel is a layer over
it, with the packages that some pages install beside the library; nbval runs notebooks in it.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

from folders import FOLDER, emptied  # noqa: E402

PIP = ["-m", "pip", "--disable-pip-version-check"]


def make_layer(runtime: str, folder: Path) -> Path:
    """Make an environment over that of a runtime; return its interpreter."""
    base = ROOT / "_build" / f"colab-env-{runtime}"
    if not (base / ".installed").exists():
        raise FileNotFoundError(f"there is no environment of {runtime!r}; run: make test-colab")
    command = [base / "bin" / "python", "-m", "venv", "--without-pip", folder]
    emptied(folder, Path(__file__).name)
    subprocess.run(command, check=True)
    own, below = (next(home.glob("lib/python*/site-packages")) for home in (folder, base))
    (own / "runtime.pth").write_text(f"{below}\n")
    return folder / "bin" / "python"


def install(python: Path, wanted: list[str]) -> None:
    """Install what is not there yet, and hold every package that is at its version."""
    listed = [python, *PIP, "list", "--format=freeze"]
    here = subprocess.run(listed, capture_output=True, text=True, check=True).stdout
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as held:
        held.write(here)
        held.flush()
        subprocess.run([python, *PIP, "install", "--quiet", "-c", held.name, *wanted], check=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "runtime", choices=[path.stem for path in Path(__file__).parent.glob("*.txt")]
    )
    parser.add_argument("folder", type=Path, help=f"where the kernel goes: {FOLDER}")
    given = parser.parse_args()
    python = make_layer(given.runtime, given.folder)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    install(python, project["optional-dependencies"]["scale"])
    spec = given.folder / "share" / "jupyter" / "kernels" / "colab" / "kernel.json"
    spec.parent.mkdir(parents=True)
    command = [str(python.absolute()), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec.write_text(json.dumps({"argv": command, "display_name": "Colab", "language": "python"}))


if __name__ == "__main__":
    main()
