"""Write the notebook variant that is published: it runs in Colab and in any other Jupyter.

    python tools/make_colab.py _build/colab
    python tools/make_colab.py --language zh_CN _build/colab-zh

Each notebook of the book gets a link to Colab below its title, and the same setup cell, which
installs the library from this repository at this commit; what only the book understands becomes
plain Markdown. The repository is BOOK_REPOSITORY (or GITHUB_REPOSITORY) as owner/name, else the
remote "origin" if that is on github.com; the commit is BOOK_COMMIT, else the one checked out.
"""

import argparse
import os
import re
import subprocess
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import copy_words
import nbformat
import translate
from copy_words import tr
from folders import FOLDER, emptied
from nbformat import v4
from plain import make_plain
from publishing import Publication

ROOT = Path(__file__).resolve().parents[1]
BOOK = ROOT / "book"
# A page that needs more than the library, and the extra of pyproject.toml that holds it.
EXTRAS = {"beyond-one-machine": "scale"}
COMMIT = re.compile(r"[0-9a-f]{40}")
ORIGIN = re.compile(r"(?:https://|ssh://git@|git@)github\.com[/:]([^/]+/[^/]+?)(?:\.git)?/?")
SETUP = '''\
# Setup: run this cell first. It installs the book's library where it is missing, and nothing else.
import importlib
import re
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

SOURCE = {source}
MISSING = (
{missing}
)


def on_colab():
    return find_spec("google") is not None and find_spec("google.colab") is not None


def install(*requirements):
    """Install, and hold every package that is already here at its version."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    here = subprocess.run([*pip, "list", "--format=freeze"], capture_output=True, text=True)
    held = re.findall(r"^[\\w.-]+==\\d[\\w.+!]*$", here.stdout, flags=re.MULTILINE)
    with tempfile.TemporaryDirectory() as folder:
        constraints = Path(folder, "constraints.txt")
        constraints.write_text("\\n".join(held))
        command = [*pip, "install", "--quiet", "-c", str(constraints), *requirements]
        done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"pip could not install {{', '.join(requirements)}}:\\n{{done.stderr}}")
    importlib.invalidate_caches()


if find_spec("vae_tutorial") is None:
    if SOURCE is None or not on_colab():
        raise ModuleNotFoundError(MISSING)
    install(f"vae_tutorial @ {{SOURCE}}")
print("The book's library is here.")'''
UNPUBLISHED = """\
    "This copy of the notebook was not published from a repository, so it cannot fetch the "
    "package vae_tutorial: run it in the environment that `make install` makes for the book."\
"""
ELSEWHERE = """\
    "This notebook needs the package vae_tutorial: run "
    f'`python -m pip install "vae_tutorial @ {SOURCE}" scikit-learn` '
    "in its environment, restart the kernel and run this cell again."\
"""
EXTRA = """\
# This page needs a few packages more than the others.
if on_colab():
    install({requirements})"""
README = """\
# Notebooks to run in Colab

{links}

`make colab` wrote these files{origin}. A change made here is lost the next time.
"""


@dataclass(frozen=True)
class Source:
    """Where notebooks are published, and what pip installs their library from, if anything."""

    publication: Publication
    address: str | None = None


def from_environment(environment: Mapping[str, str] = os.environ) -> Source:
    """Return the source that the environment names, else that of the checkout, else none."""
    found = ORIGIN.fullmatch(git("remote", "get-url", "origin"))
    repository = (
        environment.get("BOOK_REPOSITORY")
        or environment.get("GITHUB_REPOSITORY")
        or (found[1] if found else "")
    )
    publication = Publication.from_environment({**environment, "BOOK_REPOSITORY": repository})
    if not repository:
        return Source(publication)
    commit = environment.get("BOOK_COMMIT") or git("rev-parse", "HEAD")
    if not COMMIT.fullmatch(commit):
        raise ValueError(f"BOOK_COMMIT must be 40 hexadecimal digits, not {commit!r}")
    return Source(publication, f"git+{publication.repository_url}@{commit}")


def git(*arguments: str) -> str:
    """Return what git answers, or an empty string where there is no git or no answer."""
    # A book that was unpacked inside another project must not answer with that one's address.
    environment = {**os.environ, "GIT_CEILING_DIRECTORIES": str(ROOT.parent)}
    command = ["git", "-C", str(ROOT), *arguments]
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        return done.stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def addresses(publication: Publication) -> dict[str, str]:
    """Return where a link to each page of the book leads: to its notebook, or to the site."""
    found = {}
    for path in sorted(BOOK.glob("*.ipynb")):
        found[path.name] = publication.colab_url(path.name) or path.name
    if publication.url:
        for path in sorted(BOOK.glob("*.md")):
            found[path.name] = f"{publication.url}book/{path.stem}.html"
    # MyST also takes a page's name without its ending.
    return found | {Path(name).stem: address for name, address in found.items()}


def variant(path: Path, source: Source):
    """Return the published variant of the notebook of the book at ``path``."""
    notebook = nbformat.read(path, as_version=4)
    cells = [published for cell in notebook.cells for published in publish(cell)]
    make_plain(cells, addresses(source.publication))
    title, _, text = cells[0].source.partition("\n")
    link = source.publication.colab_url(path.name)
    badge = f"[{tr('Open in Colab')}]({link})" if link else ""
    cells[0].source = "\n\n".join(filter(None, [title, badge, text.strip()]))
    cells[1:1] = [v4.new_code_cell(setup(source), id="setup")]
    if extra := EXTRAS.get(path.stem):
        cells.insert(2, v4.new_code_cell(extra_setup(extra), id="setup-extra"))
    if language := copy_words.language_cell():
        cells.insert(2, v4.new_code_cell(language, id="language"))
    # Colab shows the table of contents at once.
    metadata = {**notebook.metadata, "colab": {"toc_visible": True}}
    return v4.new_notebook(cells=cells, metadata=metadata)


def publish(cell) -> list:
    """Return a cell without what only the book reads, and the caption of its figure as text."""
    mystnb = cell.metadata.pop("mystnb", {})
    # What the page folds stands open here: who opens a notebook wants to run and change its code.
    cell.metadata = nbformat.from_dict({})
    caption = mystnb.get("figure", {}).get("caption")
    if not caption:
        return [cell]
    said = tr("*Figure.* {caption}").format(caption=caption)
    return [cell, v4.new_markdown_cell(said, id=f"{cell.id}-caption"[:64])]


def setup(source: Source) -> str:
    """Return the setup cell, the same for every notebook."""
    address = f'"{source.address}"' if source.address else None
    return SETUP.format(source=address, missing=ELSEWHERE if address else UNPUBLISHED)


def extra_setup(extra: str) -> str:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = ", ".join(f'"{wish}"' for wish in project["optional-dependencies"][extra])
    return EXTRA.format(requirements=wanted)


def write(folder: Path, source: Source, book: Path = BOOK) -> list[Path]:
    """Write the variant of every notebook into ``folder``, new, empty or written before."""
    emptied(folder, Path(__file__).name)
    written = []
    for path in sorted(book.glob("*.ipynb")):
        nbformat.write(variant(path, source), folder / path.name)
        written.append(folder / path.name)
    link = source.publication.colab_url
    lines = [f"- [{p.stem}]({link(p.name) or p.name})" for p in written]
    origin = ""
    if source.address:
        repository, commit = source.address.removeprefix("git+").rsplit("@", 1)
        origin = f" from [this commit]({repository}/tree/{commit})"
    (folder / "README.md").write_text(README.format(links="\n".join(lines), origin=origin))
    return written


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help=f"where the notebooks go: {FOLDER}")
    parser.add_argument("--language", default="en", help="of the edition: en (default) or zh_CN")
    arguments = parser.parse_args()
    folder, language = arguments.folder, arguments.language
    try:
        source = from_environment()
        copy_words.speak(language)
        if language != "en":
            source = replace(source, publication=source.publication.below(language))
        written = write(folder, source, translate.book_in(language))
    except (FileExistsError, ValueError) as error:
        parser.error(str(error))
    origin = source.address or "nowhere: no repository is known, so they install nothing"
    print(f"wrote {len(written)} notebooks into {folder.name}; their library comes from {origin}")


if __name__ == "__main__":
    main()
