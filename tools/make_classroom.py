"""Make student and instructor copies of the chapters, and a zip of each with the library's wheel.

The notebooks of the book and the exercise bank are the only source:
    python tools/make_classroom.py _build/classroom
    python tools/make_classroom.py --language zh_CN _build/classroom-zh

Student copies have stubs, no solutions and no outputs. Instructor copies have the solutions in
place, and notes for marking. A third set is the source of an nbgrader course: solutions that
nbgrader cuts out, and no notes, because it releases what else it finds. All carry its metadata.
"""

import argparse
import re
import shutil
import zipfile
from html import escape
from pathlib import Path

import copy_words
import make_colab
import nbformat
import site_words
import translate
from copy_words import FOR_MARKING, read_me, tr
from folders import FOLDER, emptied
from make_package import build_wheel
from markdown_it import MarkdownIt
from nbformat import v4
from place_exercises import BOOK, is_placed, pages
from plain import BLOCK, make_plain, plain

from vae_tutorial.exercises import EXERCISES

ROOT = Path(__file__).parents[1]
KINDS = ("student", "instructor", "nbgrader")
STATIC = BOOK / "_static"
PICTURES = "pictures"  # of the figures that move in the online book
DRAWING = "drawing/draw.html"
DRAWN_WITH = ("live/live.css", "live/live.js", "live/draw.js", "web/draw.png")
DRAWN_WITH += ("web/digit-encoder.js", "web/digit-gallery.js")
CHECK = re.compile(r'exercises\.check\("(\w+)"')
NBGRADER_CONFIG = """# For nbgrader: this folder is the course, source/ its assignments.
c = get_config()  # noqa: F821
# A page computes for up to a minute and a half; nbgrader's own limits are shorter.
c.Execute.timeout = 300
c.Execute.iopub_timeout = 300
"""


def copy_of(path: Path, kind: str):
    """Return one copy of a notebook of the book; ``kind`` is one of KINDS."""
    notebook = nbformat.read(path, as_version=4)
    told = kind == "instructor"
    cells = [cell for cell in notebook.cells if told or not is_solution(cell)]
    for cell in [] if told else filter(is_text, cells):
        cell.source = without_solutions(cell.source)
    make_plain(cells, addresses(kind), PICTURES)
    copied = []
    for number, cell in enumerate(cells):
        if is_text(cell):
            copied.append(v4.new_markdown_cell(cell.source, id=f"text-{number}"))
        elif found := CHECK.search(cell.source):
            copied += graded(found[1], cell.source, kind)
        else:
            copied.append(v4.new_code_cell(cell.source, id=f"code-{number}"))
    if language := copy_words.language_cell():
        copied.insert(1, v4.new_code_cell(language, id="language"))
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return v4.new_notebook(cells=copied, metadata={"kernelspec": kernel})


def addresses(kind: str) -> dict[str, str]:
    """Return where links to other pages lead in a copy; nbgrader has a folder for each."""
    if kind == "nbgrader":
        return {f"{page}.ipynb": f"../{page}/{page}.ipynb" for page in pages()}
    return {f"{page}.ipynb": f"{page}.ipynb" for page in pages()} | {"draw.md": f"../{DRAWING}"}


def pictures_of(notebook) -> set[str]:
    """Return the names of the pictures that a copy shows from its folder of pictures."""
    text = "\n".join(cell.source for cell in notebook.cells if is_text(cell))
    return set(re.findall(rf"\]\({PICTURES}/([^)]+)\)", text))


def is_text(cell) -> bool:
    return cell.cell_type == "markdown"


def is_solution(cell) -> bool:
    return is_placed(cell) and cell.id.startswith("solution-")


def without_solutions(text: str) -> str:
    return re.sub(
        r"^(`{3,})\{solution\}.*?^\1 *$\n*", "", text, flags=re.DOTALL | re.MULTILINE
    ).rstrip()


def graded(name: str, source: str, kind: str) -> list:
    """Return the two cells of an exercise: the answer, and the check that gives the points."""
    points = EXERCISES[name].points
    answer = source[: CHECK.search(source).start()].rstrip()
    if kind != "student":
        start, body = EXERCISES[name].solution_source().split("\n", 1)
        if kind == "nbgrader":  # it cuts out what stands between these two
            body = f"    ### BEGIN SOLUTION\n{body}\n    ### END SOLUTION"
        answer = answer[: answer.index("def ")] + f"{start}\n{body}"
    test = f'print(exercises.check("{name}", {name}))\nexercises.points("{name}")'
    common = {"schema_version": 3, "task": False}
    answer_marks = {"grade": False, "solution": True, "locked": False, "grade_id": f"answer-{name}"}
    test_marks = {"grade": True, "solution": False, "locked": True, "grade_id": f"test-{name}"}
    cells = [
        v4.new_code_cell(answer, id=f"answer-{name}"[:64]),
        v4.new_code_cell(test, id=f"test-{name}"[:64]),
    ]
    cells[0].metadata["nbgrader"] = common | answer_marks
    cells[1].metadata["nbgrader"] = common | test_marks | {"points": points}
    if kind == "instructor":
        known = "\n".join(f"- {mistake.diagnosis}" for mistake in EXERCISES[name].mistakes)
        notes = f"{tr(FOR_MARKING).format(points=points)}\n\n{known}"
        cells.append(v4.new_markdown_cell(notes, id=f"marking-{name}"[:64]))
    return cells


def write_copies(folder: Path, kind: str, book: Path = BOOK) -> None:
    """Write every page; nbgrader wants each assignment in a folder of its own."""
    for page in pages():
        place = folder / page if kind == "nbgrader" else folder
        place.mkdir(parents=True, exist_ok=True)
        copy = copy_of(book / f"{page}.ipynb", kind)
        nbformat.write(copy, place / f"{page}.ipynb")
        for name in pictures_of(copy):
            (place / PICTURES).mkdir(exist_ok=True)
            shutil.copyfile(STATIC / "web" / name, place / PICTURES / name)


def requirements(extra: str | None = None) -> str:
    """Return what the copies need: the library's requirements and JupyterLab, or an extra's."""
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = project["optional-dependencies"][extra] if extra else project["dependencies"]
    more = [] if extra else ["jupyterlab", "scikit-learn>=1.4"]
    return "\n".join([*wanted, *more]) + "\n"


def make(folder: Path, book: Path = BOOK) -> None:
    """Write all copies and the two zips into ``folder``, new, empty or written before."""
    emptied(folder, Path(__file__).name)
    wheel = build_wheel(folder, make_colab.from_environment())
    for kind in KINDS:
        write_copies(folder / kind, kind, book)
    for kind in ("student", "instructor"):
        with zipfile.ZipFile(folder / f"{kind}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("README.txt", readme(kind, wheel.name))
            archive.writestr("requirements.txt", requirements())
            archive.writestr("requirements-scale.txt", requirements("scale"))
            archive.write(wheel, wheel.name)
            add_folder(archive, folder / kind, "notebooks")
            add_drawing(archive, book)
            if kind == "instructor":
                archive.writestr("nbgrader/nbgrader_config.py", NBGRADER_CONFIG)
                add_folder(archive, folder / "nbgrader", "nbgrader/source")


def readme(kind: str, wheel: str) -> str:
    return read_me().format(kind=tr(kind), wheel=wheel, drawing=DRAWING)


def add_folder(archive: zipfile.ZipFile, folder: Path, name: str) -> None:
    """Add the notebooks of a folder and their pictures."""
    for path in sorted(p for p in folder.rglob("*") if p.suffix in (".ipynb", ".png")):
        archive.write(path, f"{name}/{path.relative_to(folder).as_posix()}")


def add_drawing(archive: zipfile.ZipFile, book: Path = BOOK) -> None:
    """Add the page on which one draws, with all that it loads."""
    place = DRAWING.rpartition("/")[0]
    archive.writestr(DRAWING, drawing_page(book))
    known = site_words.known_in(copy_words.language())
    for name in DRAWN_WITH:
        if name.endswith(".js") and name.startswith("live/"):
            script = (STATIC / name).read_text(encoding="utf-8")
            archive.writestr(f"{place}/{name}", site_words.translated(script, known))
        else:
            archive.write(STATIC / name, f"{place}/{name}")


def drawing_page(book: Path = BOOK) -> str:
    """Return book/draw.md as a page that stands by itself."""
    source = (book / "draw.md").read_text(encoding="utf-8")
    figure = BLOCK.search(source)
    assert figure is not None and figure[2] == "figure"
    alt, caption = re.search(r":alt: (.+)\n\n(.+)", figure[4], re.DOTALL).groups()  # type: ignore[union-attr]
    texts = (source[: figure.start()], source[figure.end() :])
    markdown = MarkdownIt("commonmark").enable("table")
    head, rest = (markdown.render(plain(text, {}, {})) for text in texts)
    picture = f'<figure id="fig-draw"><img src="web/draw.png" alt="{escape(alt)}">'
    picture += f"<figcaption>{markdown.renderInline(caption)}</figcaption></figure>\n"
    title = re.match(r"# (.+)", source)[1]  # type: ignore[index]
    page = (Path(__file__).parent / "drawing_page.html").read_text(encoding="utf-8")
    page = page.replace('lang="en"', f'lang="{copy_words.language().replace("_", "-")}"', 1)
    return page.replace("{title}", escape(title)).replace("{body}", head + picture + rest)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help=f"where the copies go: {FOLDER}")
    parser.add_argument("--language", default="en", help="of the edition: en (default) or zh_CN")
    arguments = parser.parse_args()
    try:
        copy_words.speak(arguments.language)
        make(arguments.folder, translate.book_in(arguments.language))
    except (FileExistsError, ValueError) as error:
        parser.error(str(error))
    print(f"wrote student.zip and instructor.zip into {arguments.folder.name}")


if __name__ == "__main__":
    main()
