"""Build the wheel of the library, with the addresses of the repository that it is published from.

    python tools/make_package.py _build/package

It is built from a copy: no file of the project names an owner, and a package index shows the README
alone, where links to the files beside it lead nowhere. The repository is the one that tools/
make_colab.py finds; without one the package names no address, and links to files become plain text.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import make_colab
from folders import FOLDER, emptied

ROOT = Path(__file__).resolve().parents[1]
LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")


def readme_for_index(text: str, source: make_colab.Source) -> str:
    """Return the README with links that hold wherever it is shown."""
    repository = source.publication.repository_url
    commit = source.address.rsplit("@", 1)[1] if source.address else "HEAD"

    def replace(match) -> str:
        picture, words, target = match.groups()
        if re.match(r"[a-z]+:|#", target):
            return match[0]
        if not repository:
            return f"*{words}*" if picture else words
        return f"{picture}[{words}]({repository}/{'raw' if picture else 'blob'}/{commit}/{target})"

    return LINK.sub(replace, text)


def copy_sources(folder: Path, source: make_colab.Source) -> None:
    """Copy what the package is made of, with the addresses of its repository."""
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "vae_tutorial", folder / "vae_tutorial", ignore=ignore)
    shutil.copytree(ROOT / "benchmarks" / "results", folder / "benchmarks" / "results")
    shutil.copy(ROOT / "LICENSE", folder)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (folder / "README.md").write_text(readme_for_index(readme, source), encoding="utf-8")
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    if urls := source.publication.project_urls():
        # A text of JSON is one of TOML too.
        lines = [f"{name} = {json.dumps(url)}" for name, url in urls.items()]
        project += "\n".join(["\n[project.urls]", *lines]) + "\n"
    (folder / "pyproject.toml").write_text(project, encoding="utf-8")


def build_wheel(folder: Path, source: make_colab.Source) -> Path:
    """Build the wheel into ``folder``, from a copy, so that nothing is left behind here."""
    with tempfile.TemporaryDirectory() as temporary:
        copy_sources(Path(temporary), source)
        command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "-q", "-w", str(folder)]
        subprocess.run([*command, temporary], check=True)
    return next(folder.glob("vae_tutorial-*.whl"))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help=f"where the wheel goes: {FOLDER}")
    folder = parser.parse_args().folder
    try:
        source = make_colab.from_environment()
        emptied(folder, Path(__file__).name)
    except (FileExistsError, ValueError) as error:
        parser.error(str(error))
    wheel = build_wheel(folder, source)
    print(f"wrote {wheel.name}; its addresses: {source.publication.repository_url or 'none'}")


if __name__ == "__main__":
    main()
