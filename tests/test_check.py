"""What make check runs again: a notebook whose outputs may change, and no other."""

import subprocess

import check
import nbformat
import pytest
from nbformat import v4

LOCK = "# made with Python {}.{}\nnumpy==2.0\n"


def git(folder, *words):
    command = ["git", "-c", "user.name=t", "-c", "user.email=t@localhost", *words]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


def write(folder, name: str, text: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def page(code: str, prose: str = "Words.", output: str = "1\n") -> str:
    cells = [v4.new_markdown_cell(prose, id="text"), v4.new_code_cell(code, id="code")]
    cells[1].outputs = [v4.new_output("stream", name="stdout", text=output)]
    return nbformat.writes(v4.new_notebook(cells=cells))


ONE, TWO = "%matplotlib inline\nfrom vae_tutorial import metrics", "import vae_tutorial.plain as p"


@pytest.fixture
def book(tmp_path, monkeypatch):
    """A repository with two pages: one reaches ranks through metrics, the other does not."""
    write(tmp_path, "book/one.ipynb", page(ONE))
    write(tmp_path, "book/two.ipynb", page(TWO))
    write(tmp_path, "vae_tutorial/__init__.py", "")
    write(tmp_path, "vae_tutorial/metrics.py", "from vae_tutorial.ranks import order\n")
    write(tmp_path, "vae_tutorial/ranks.py", "def order():\n    import vae_tutorial.late\n")
    write(tmp_path, "vae_tutorial/late.py", "x = 1\n")
    write(tmp_path, "vae_tutorial/plain.py", "y = 1\n")
    write(tmp_path, "vae_tutorial/exercises/__init__.py", "")
    write(tmp_path, "vae_tutorial/data/sample.txt", "1")
    write(tmp_path, "constraints.txt", LOCK.format(*check.platform.python_version_tuple()))
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "-qm", "a")
    monkeypatch.setattr(check, "ROOT", tmp_path)
    monkeypatch.setattr(check, "PASSED", tmp_path / "_build" / "checked.json")
    return tmp_path


def stale(passed=()) -> set[str]:
    return {name.split("/")[1][:3] for name in check.stale_notebooks("HEAD", set(passed))}


def test_nothing_changed_nothing_runs(book):
    assert stale() == set()
    assert len(check.stale_notebooks(None, set())) == 2  # unless all are asked for


def test_a_change_of_prose_runs_nothing(book):
    write(book, "book/one.ipynb", page(ONE, prose="Other words."))
    write(book, "README.md", "More words.")
    assert stale() == set()
    assert check.changed_paths("HEAD") == ["README.md", "book/one.ipynb"]


@pytest.mark.parametrize(
    ("name", "text", "runs"),
    [
        ("book/one.ipynb", page(f"{ONE}\nprint(1)"), {"one"}),
        ("book/one.ipynb", page(ONE, output="2\n"), {"one"}),
        ("book/three.ipynb", page("print(3)"), {"thr"}),
        ("vae_tutorial/late.py", "x = 2\n", {"one"}),
        ("vae_tutorial/plain.py", "y = 2\n", {"two"}),
        ("vae_tutorial/__init__.py", "z = 2\n", {"one", "two"}),
        ("vae_tutorial/unused.py", "z = 2\n", set()),
        ("vae_tutorial/data/sample.txt", "2", {"one", "two"}),
        ("vae_tutorial/weights/new.h5", "2", {"one", "two"}),
        ("constraints.txt", LOCK.format(2, 7), {"one", "two"}),
    ],
)
def test_what_an_output_follows_from_runs_its_pages(book, name, text, runs):
    write(book, name, text)
    assert stale() == runs


def test_another_python_runs_all_pages(book, monkeypatch):
    monkeypatch.setattr(check.platform, "python_version_tuple", lambda: ("9", "9", "9"))
    assert stale() == {"one", "two"}


def test_what_has_passed_is_not_run_again_until_it_changes(book):
    write(book, "vae_tutorial/late.py", "x = 2\n")
    check.remember(list(check.stale_notebooks("HEAD", set()).values()), set())
    passed = check.json.loads(check.PASSED.read_text())
    assert stale(passed) == set()
    write(book, "vae_tutorial/late.py", "x = 3\n")
    assert stale(passed) == {"one"}


def test_an_exercise_runs_only_pages_that_are_about_exercises(book):
    asks = "from vae_tutorial import exercises\nexercises.check('x', x)"
    write(book, "book/one.ipynb", page(asks))
    write(book, "book/two.ipynb", page("from vae_tutorial.exercises import EXERCISES"))
    git(book, "commit", "-qam", "b")
    write(book, "vae_tutorial/exercises/__init__.py", "EXERCISES = {}\n")
    assert stale() == {"two"}


def test_the_pages_that_are_opened_in_a_browser(book):
    touched = ["README.md", "book/one.ipynb", "book/faq.md", "book/images/x.png", "book/_a/b.md"]
    assert check.touched_pages(touched) == ["one", "faq"]
    assert check.touched_pages(list(check.SITE)) == ["one", "two"]
