"""Builds the book for tests: from nothing, with every warning an error."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import translate

ROOT = Path(__file__).resolve().parents[1]


def given_site() -> Path | None:
    """Return the folder of HTML that BOOK_SITE names, if it does: a book that is built already."""
    if not (given := os.environ.get("BOOK_SITE")):
        return None
    folder = Path(given).resolve()
    assert (folder / "book" / "index.html").is_file(), f"BOOK_SITE holds no book: {folder}"
    return folder


def given_language() -> str:
    """Return the language of the site that is given, ``en`` or ``zh-CN``; else English."""
    if not (site := given_site()):
        return "en"
    start = (site / "book" / "index.html").read_text(encoding="utf-8")[:500]
    return re.search(r'<html[^>]* lang="([^"]+)"', start)[1]


def build_book(folder: Path, **published: str) -> Path:
    """Build into ``folder``, told only the given addresses; return the folder of the HTML.

    It is in the language of a given site. What that was made from need not be read again: addresses
    are written with the pages.
    """
    if (site := given_site()) and (read := site.parent / ".doctrees").is_dir():
        shutil.copytree(read, folder / "_build" / ".doctrees")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("BOOK_")} | published
    language = "en" if given_language() == "en" else translate.LANGUAGE
    source = translate.book_in(language).parent
    command = [Path(sys.executable).with_name("jupyter-book"), "build", source]
    result = subprocess.run(
        [*command, "--path-output", folder, "-W", "-n", "--keep-going"],
        capture_output=True,
        text=True,
        timeout=3000,  # only a build that hangs meets it
        env=environment,
    )
    assert result.returncode == 0, result.stderr[-4000:]
    return (folder / "_build" / "html").resolve()
