"""The published notebooks: plain, the same setup in each, installed only from our repository."""

import re
import subprocess
import sys
from pathlib import Path

import floors
import make_colab
import nbformat
import pytest
from publishing import Publication
from test_classroom import MYST

ROOT = Path(__file__).resolve().parents[1]
COMMIT = "0123456789abcdef0123456789abcdef01234567"
ENVIRONMENT = {"BOOK_REPOSITORY": "ada/book", "BOOK_COMMIT": COMMIT}
PUBLISHED = make_colab.from_environment(ENVIRONMENT)
UNPUBLISHED = make_colab.Source(Publication())
PATHS = sorted((ROOT / "book").glob("*.ipynb"))
LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)")


@pytest.fixture(scope="module")
def variants():
    return {path.stem: make_colab.variant(path, PUBLISHED) for path in PATHS}


def text_of(notebook) -> str:
    return "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def code_of(notebook) -> list:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_they_open_with_title_and_link_and_the_same_setup_cell(variants):
    assert len(variants) == len(PATHS) > 10
    for page, notebook in variants.items():
        nbformat.validate(notebook)
        title, _, link, *_ = notebook.cells[0].source.split("\n")
        assert title.startswith("# ")
        home = "https://colab.research.google.com/github/ada/book/blob/colab"
        assert link == f"[Open in Colab]({home}/{page}.ipynb)"
    setups = {notebook.cells[1].source for notebook in variants.values()}
    assert setups == {make_colab.setup(PUBLISHED)}
    assert all(notebook.cells[1].cell_type == "code" for notebook in variants.values())


def test_no_directive_is_left_and_solutions_stay_folded(variants):
    for page, notebook in variants.items():
        text = text_of(notebook)
        assert MYST.findall(text) == [], page
        assert text.count("<details") == text.count("</details>")
        if "exercises.check" in "\n".join(cell.source for cell in code_of(notebook)):
            assert "<summary>Solution</summary>" in text, page


def code_problems(path: Path, notebook) -> list[str]:
    """Say where the code and the outputs of a published notebook are not those of the book."""
    book = code_of(nbformat.read(path, as_version=4))
    published = [c for c in code_of(notebook) if not c.id.startswith("setup")]
    if len(published) != len(book):
        return [f"{len(published)} cells of code besides the setup, not {len(book)}"]
    pairs = zip(book, published, strict=True)
    return [
        f"differs from the book: {new.source[:60]!r}"
        for old, new in pairs
        if (old.source, old.outputs) != (new.source, new.outputs)
    ]


def test_code_and_outputs_are_those_of_the_book(variants):
    # nbval runs the pages, on Colab's versions too: what holds of them holds of these.
    for path in PATHS:
        assert code_problems(path, variants[path.stem]) == []


def test_a_spoiled_variant_is_reported():
    path = PATHS[0]
    for spoil in ("source", "outputs", "cell"):
        notebook = make_colab.variant(path, PUBLISHED)
        cell = next(c for c in code_of(notebook) if c.outputs)
        if spoil == "source":
            cell.source += "\nnumber = 1"
        elif spoil == "outputs":
            cell.outputs = []
        else:
            notebook.cells.remove(cell)
        assert len(code_problems(path, notebook)) == 1, spoil


def test_captions_are_kept_as_text(variants):
    figures = 0
    for path in PATHS:
        text = text_of(variants[path.stem])
        for cell in code_of(nbformat.read(path, as_version=4)):
            if caption := cell.metadata.get("mystnb", {}).get("figure", {}).get("caption"):
                figures += 1
                assert f"*Figure.* {caption.split('{')[0]}" in text
    assert figures > 10


def test_every_link_is_an_https_address(variants):
    for page, notebook in variants.items():
        targets = [target for target in LINK.findall(text_of(notebook)) if target[0] != "#"]
        assert all(target.startswith("https://") for target in targets), (page, targets)
        assert not re.search(r"!\[|<(?:img|script|iframe|link)\b", text_of(notebook)), page


def test_links_lead_to_notebooks_and_to_the_site():
    published = make_colab.addresses(PUBLISHED.publication)
    home = "https://colab.research.google.com/github/ada/book/blob/colab"
    assert published["elbo.ipynb"] == published["elbo"] == f"{home}/elbo.ipynb"
    assert published["glossary.md"] == "https://ada.github.io/book/book/glossary.html"
    own = make_colab.from_environment(ENVIRONMENT | {"BOOK_URL": "https://example.org/vae"})
    assert make_colab.addresses(own.publication)["notation"] == (
        "https://example.org/vae/book/notation.html"
    )
    beside = make_colab.addresses(UNPUBLISHED.publication)
    assert beside["elbo.ipynb"] == "elbo.ipynb" and "glossary.md" not in beside


def test_nothing_is_installed_but_our_commit_and_what_pyproject_names(variants):
    address = f"git+https://github.com/ada/book@{COMMIT}"
    for page, notebook in variants.items():
        code = "\n".join(cell.source for cell in code_of(notebook))
        assert re.findall(r"git\+[^\s\"}]+", code) == [address]
        assert not re.search(r"^\s*[!%]\s*(?:pip|uv|conda)\b", code, re.MULTILINE)
        calls = re.findall(r"^ +install\((.*)\)$", code, re.MULTILINE)
        extra = [make_colab.EXTRAS[page]] if page in make_colab.EXTRAS else []
        assert calls[0] == 'f"vae_tutorial @ {SOURCE}"' and len(calls) == 1 + len(extra)
        wanted = [wish.replace("==", ">=") for wish in floors.floors(extra)]
        named = re.findall(r'"([^"]+)"', "".join(calls[1:]))
        assert set(named) <= set(wanted) and bool(named) == bool(extra)


def test_a_page_without_extras_imports_none_of_their_packages(variants):
    for page, notebook in variants.items():
        code = "\n".join(cell.source for cell in code_of(notebook))
        uses = re.search(r"^(?:import|from) (faiss|pymilvus|distributed)\b", code, re.MULTILINE)
        assert bool(uses) == (page in make_colab.EXTRAS), page


def test_an_unpublished_variant_names_no_repository_and_installs_nothing():
    notebook = make_colab.variant(PATHS[0], UNPUBLISHED)
    setup = notebook.cells[1].source
    assert "SOURCE = None" in setup and "git+" not in setup and "https://" not in setup
    assert "Colab" not in notebook.cells[0].source


@pytest.mark.parametrize(("source", "wanted"), [(PUBLISHED, COMMIT), (UNPUBLISHED, "make install")])
def test_elsewhere_the_setup_cell_says_what_to_do(source, wanted, tmp_path):
    # An interpreter without any package, in an empty folder.
    command = [sys.executable, "-I", "-S", "-c", make_colab.setup(source)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    message = done.stderr.splitlines()[-1]
    assert done.returncode and message.startswith("ModuleNotFoundError: This ")
    assert wanted in message and message.count(". ") == 0


def test_where_the_library_is_the_setup_cell_only_says_so(tmp_path):
    command = [sys.executable, "-c", make_colab.setup(PUBLISHED)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("The book's library is here.\n", "")


def test_the_source_comes_from_the_environment():
    assert PUBLISHED.address == f"git+https://github.com/ada/book@{COMMIT}"
    actions = {"GITHUB_REPOSITORY": "bob/fork", "BOOK_COMMIT": COMMIT}
    assert make_colab.from_environment(actions).publication.repository == "bob/fork"
    assert make_colab.from_environment(actions | ENVIRONMENT) == PUBLISHED


@pytest.mark.parametrize(
    ("remote", "repository"),
    [
        ("https://github.com/ada/book.git", "ada/book"),
        ("https://github.com/ada/book", "ada/book"),
        ("git@github.com:ada/book.git", "ada/book"),
        ("ssh://git@github.com/ada/book.git", "ada/book"),
        ("https://gitlab.com/ada/book.git", ""),
        ("https://github.com.example.org/ada/book", ""),
        ("https://example.org/github.com/ada/book", ""),
        (None, ""),
    ],
)
def test_else_from_the_remote_of_the_checkout(remote, repository, tmp_path, monkeypatch):
    def git(*arguments):
        subprocess.run(["git", *arguments], cwd=tmp_path, check=True, capture_output=True)

    git("init")
    git("-c", "user.name=t", "-c", "user.email=t@localhost", "commit", "--allow-empty", "-m", "t")
    if remote:
        git("remote", "add", "origin", remote)
    monkeypatch.setattr(make_colab, "ROOT", tmp_path)
    source = make_colab.from_environment({})
    assert source.publication.repository == repository
    head = make_colab.git("rev-parse", "HEAD")
    wanted = f"git+https://github.com/{repository}@{head}" if repository else None
    assert source.address == wanted and len(head) == 40
    # The remote of a project around the book is not the book's.
    (tmp_path / "inside").mkdir()
    monkeypatch.setattr(make_colab, "ROOT", tmp_path / "inside")
    assert make_colab.from_environment({}) == UNPUBLISHED


@pytest.mark.parametrize(
    "repository",
    [
        "book",
        "ada/book/more",
        "ada/book@main",
        "ada/book#egg=x",
        'ada/b"ook',
        "ada/bo ok",
        "-ada/book",
        "https://github.com/ada/book",
        "../book",
        "ada/..",
    ],
)
def test_a_malformed_repository_is_refused(repository):
    with pytest.raises(ValueError, match="must be"):
        make_colab.from_environment(ENVIRONMENT | {"BOOK_REPOSITORY": repository})


@pytest.mark.parametrize("commit", ["main", "0123456", COMMIT + "0", COMMIT.upper(), "x" * 40])
def test_a_malformed_commit_is_refused(commit):
    with pytest.raises(ValueError, match="40 hexadecimal digits"):
        make_colab.from_environment(ENVIRONMENT | {"BOOK_COMMIT": commit})


@pytest.mark.slow
def test_the_command_writes_the_same_files_again(tmp_path):
    def files() -> dict[str, bytes]:
        command = [sys.executable, ROOT / "tools" / "make_colab.py", tmp_path / "out"]
        subprocess.run(command, env=ENVIRONMENT, check=True, capture_output=True)
        return {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}

    first = files()
    (tmp_path / "out" / "left-over.ipynb").write_text("")
    assert files() == first
    assert set(first) == {path.name for path in PATHS} | {"README.md", ".made-by"}


def test_the_command_refuses_in_one_line(tmp_path):
    command = [sys.executable, ROOT / "tools" / "make_colab.py", tmp_path / "out"]
    bad = ENVIRONMENT | {"BOOK_REPOSITORY": "nonsense"}
    done = subprocess.run(command, env=bad, capture_output=True, text=True)
    assert done.returncode == 2 and "nonsense" in done.stderr.splitlines()[-1]
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("runtime", ["current", "older"])
def test_the_floors_are_no_higher_than_what_colab_has(runtime):
    text = (ROOT / "tests" / "colab" / f"{runtime}.txt").read_text(encoding="utf-8")
    has = dict(re.findall(r"^([\w-]+)==([\d.]+)", text, re.MULTILINE))
    for floor in floors.floors([]):
        name, version = floor.split("==")
        assert number(version) <= number(has[name]), floor


def number(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]
