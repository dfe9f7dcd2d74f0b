"""Lets Python run in the pages, where BOOK_LIVE names the folder that tools/fetch_live.py filled.

Without it no page names a file of this, and nothing is copied. With it each code cell says in its
classes what the page may do with it, and pages with such cells load the scripts in
book/_static/live/python/; Python itself comes when a reader asks for it.
"""

import hashlib
import json
import os
import re
import shutil
import zipfile
from html import escape
from pathlib import Path

import nbformat
from docutils import nodes
from fetch_live import missing, wanted
from live_cells import is_exercise, judge
from site_words import tr
from sphinx.errors import ConfigError

ROOT = Path(__file__).resolve().parents[1]
SESSION = {"session.py": "live_session.py", "live_missing.py": "live_missing.py"}
PLACE = "python"  # below _static
RUNTIME = ("pyodide.js", "pyodide.asm.js", "pyodide.asm.wasm", "python_stdlib.zip")
RESULTS = "benchmarks/results"
DATA = {
    "digits.zip": ["vae_tutorial/data/mnist-5k.npz"],
    "emoji.zip": ["vae_tutorial/data/emoji.npz"],
    "results.zip": sorted(
        path.relative_to(ROOT).as_posix() for path in (ROOT / RESULTS).glob("*.json")
    ),
    "scores.zip": [f"{RESULTS}/fair-scores-mnist.npz"],
}
# With fewer cells than these that run there, a page is read and not run.
FEWEST = 4
USED = re.compile(r'class="[^"]*\bpython-(cell|exercise)\b')
SCRIPTS = ["python", "editor", "exercises"]
ELSEWHERE = '<p class="py-elsewhere">{}</p>\n'
CHECK = re.compile(r'^exercises\.check\("(\w+)", \1\)$', re.MULTILINE)


def setup(app):
    app.add_config_value("book_live", "", "html", types=(str,))
    own = Path(__file__), Path(__file__).with_name("live_cells.py")
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in own)).hexdigest()
    app.add_config_value("book_live_digest", digest, "html")
    app.connect("config-inited", read_environment)
    app.connect("builder-inited", write_parts)
    app.connect("doctree-resolved", mark_cells)
    # When the addresses are known, and before the assets of a page are chosen.
    app.connect("html-page-context", add_scripts, priority=910)
    return {"parallel_read_safe": True, "parallel_write_safe": False}


def read_environment(app, config) -> None:
    config.book_live = os.environ.get("BOOK_LIVE", "")
    if config.book_live and (lacking := missing(Path(config.book_live), wanted()["parts"])):
        names = ", ".join(part["file"] for part in lacking)
        raise ConfigError(f"BOOK_LIVE={config.book_live} lacks {names}; see `make live`")


def is_live(app) -> bool:
    return bool(app.config.book_live) and app.builder.format == "html"


# -- Files -----------------------------------------------------------------------------------------


def zipped(path: Path, files: dict[str, Path]) -> None:
    """Write a zip that is the same for the same files."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(files):
            archive.writestr(zipfile.ZipInfo(name), files[name].read_bytes(), zipfile.ZIP_DEFLATED)


def lock(known: dict) -> dict:
    """Return the list of packages in the form in which Pyodide reads it."""
    packages = {
        part["name"]: {
            "name": part["name"],
            "version": part["version"],
            "file_name": part["file"],
            "install_dir": "site",
            "sha256": part["sha256"],
            "package_type": "package",
            "imports": part["imports"],
            "depends": part["depends"],
            "unvendored_tests": False,
        }
        for part in known["parts"]
        if "name" in part
    }
    return {"info": known["info"], "packages": packages}


def write_parts(app) -> None:
    """Copy Python's files into the site, and write what the page must know of them."""
    folder = Path(app.outdir) / "_static" / PLACE
    if not is_live(app):
        for left in folder.glob("*"):  # by an earlier build
            left.unlink()
        return
    known = wanted()
    folder.mkdir(parents=True, exist_ok=True)
    for part in known["parts"]:
        target = folder / part["file"]
        if not (target.is_file() and target.stat().st_size == part["bytes"]):
            shutil.copyfile(Path(app.config.book_live) / part["file"], target)
    (folder / "pyodide-lock.json").write_text(json.dumps(lock(known)), encoding="utf-8")
    language = app.config.language
    words = (ROOT / "vae_tutorial" / "locale" / language).rglob("*.mo")
    # An exercise asks about recorded trainings, and is there from the start.
    words = [*words, ROOT / RESULTS / "faults.json"]
    modules = sorted([*(ROOT / "vae_tutorial").rglob("*.py"), *words])
    library = {path.relative_to(ROOT).as_posix(): path for path in modules}
    session = {name: Path(__file__).with_name(file) for name, file in SESSION.items()}
    zipped(folder / "library.zip", library | session)
    for name, files in DATA.items():
        zipped(folder / name, {file: ROOT / file for file in files})
    named = {part["name"]: part["file"] for part in known["parts"] if "name" in part}
    figures = [name for name in named if name not in ("numpy", "pillow")]
    inside = {
        "start": {"packages": ["numpy"], "archives": ["library.zip"]},
        "digits": {"packages": ["pillow"], "archives": ["digits.zip"]},
        "figures": {"packages": ["pillow", *figures], "archives": []},
        **{
            name: {"packages": [], "archives": [f"{name}.zip"]}
            for name in ("emoji", "results", "scores")
        },
    }
    groups = {
        group: [*(named[name] for name in content["packages"]), *content["archives"]]
        for group, content in inside.items()
    }
    groups["start"] = [*RUNTIME, "pyodide-lock.json", *groups["start"]]
    files = sorted({file for group in groups.values() for file in group})
    digest = hashlib.sha256()
    for file in files:
        digest.update((folder / file).read_bytes())
    told = {
        "digest": digest.hexdigest()[:16],
        "bytes": {file: (folder / file).stat().st_size for file in files},
        "groups": groups,
        "inside": inside,
        "language": "" if language == "en" else language,
    }
    text = f"window.bookParts = {json.dumps(told, sort_keys=True)};\n"
    (folder / "parts.js").write_text(text, encoding="utf-8")


# -- Pages -----------------------------------------------------------------------------------------


def mark_cells(app, doctree, page: str) -> None:
    """Say of each code cell what the page may do with it."""
    if not is_live(app):
        return
    path = Path(app.env.doc2path(page))
    if path.suffix != ".ipynb":
        return
    cells = nbformat.read(path, as_version=4).cells
    lacks = judge(cells)
    runs = list(lacks.values()).count("") >= min(FEWEST, len(lacks))
    for node in doctree.findall(nodes.container):
        if node.get("nb_element") != "cell_code":
            continue
        cell = cells[node["cell_index"]]
        if CHECK.search(cell.source):
            node["classes"].append("python-exercise")
        elif is_exercise(cell):
            node["classes"].append("python-progress")
        elif not runs:
            continue
        elif lack := lacks[cell.id]:
            node["classes"] += ["python-elsewhere", f"python-needs-{lack}"]
        else:
            node["classes"].append("python-cell")


def add_scripts(app, pagename, templatename, context, doctree) -> None:
    body = context.get("body") or ""
    used = set(USED.findall(body))
    if not (is_live(app) and used):
        return
    app.add_css_file("live/python/python.css")
    names = [*SCRIPTS, "cells"] if "cell" in used else SCRIPTS
    for file in (f"{PLACE}/parts.js", *(f"live/python/{name}.js" for name in names)):
        app.add_js_file(file, loading_method="defer")
    if "cell" in used and "python-elsewhere" not in body:
        return
    colab, start = context.get("colab_url"), '<div class="cell '
    place = tr("in Colab or at home")
    if colab:
        place = f'<a href="{escape(colab)}">{tr("in Colab")}</a>'
    if "cell" in used:
        said = tr(
            "Some code of this page needs TensorFlow or others that no browser runs: "
            "run it {place}."
        )
    else:
        said = tr(
            "The code of this page needs TensorFlow or others that no browser runs: run it {place}."
        )
    said = said.format(place=place)
    if "exercise" in used:
        said += tr(" The exercises answer here.")
    context["body"] = body.replace(start, ELSEWHERE.format(said) + start, 1)
