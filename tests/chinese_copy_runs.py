"""Run every Chinese student copy from its first cell to its last (make test-chinese-copies).

Not collected by a plain ``pytest``, because it takes minutes: weekly, and in make test-everything.
A copy has its page's code, which nbval runs, and one cell more, by which the library answers in
Chinese wherever it speaks. That this stops no cell is seen by running all of them.
"""

import re

import copy_words
import make_classroom
import nbformat
import pytest
import translate
from classroom_runs import run_whole, said_in
from notebook_rules import run_seconds
from place_exercises import BOOK, pages

from vae_tutorial import _words
from vae_tutorial.exercises import EXERCISES, UNTOUCHED, Verdict

LANGUAGE = "zh_CN"
CHINESE = re.compile("[\u4e00-\u9fff]")


def longest_first() -> list[str]:
    """Return the pages so that two at a time end together."""
    seconds = {page: run_seconds(nbformat.read(BOOK / f"{page}.ipynb", 4)) or 0 for page in pages()}
    return sorted(seconds, key=seconds.get, reverse=True)


@pytest.fixture(scope="module")
def copies(tmp_path_factory):
    """Return the folder of the copies, made as `make classroom LANGUAGE=zh_CN` makes them."""
    folder = tmp_path_factory.mktemp("copies")
    translate.build(folder / "tree")
    copy_words.speak(LANGUAGE)
    try:
        make_classroom.write_copies(folder / "student", "student", folder / "tree" / "book")
    finally:
        copy_words.speak("en")
    return folder / "student"


@pytest.mark.parametrize("page", longest_first())
def test_a_chinese_student_copy_runs_to_its_end_and_its_checks_answer_in_chinese(
    page, copies, tmp_path, monkeypatch
):
    copy = nbformat.read(copies / f"{page}.ipynb", as_version=4)
    # The copy itself chooses the language, on a machine that has chosen none.
    monkeypatch.delenv(_words.VARIABLE, raising=False)
    run_whole(copy, tmp_path)
    code = [cell for cell in copy.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    warned = [out.text for cell in code for out in cell.outputs if out.get("name") == "stderr"]
    assert warned == []
    monkeypatch.setenv(_words.VARIABLE, LANGUAGE)
    names = [name for name, exercise in EXERCISES.items() if exercise.page == page]
    wanted = {name: (f"{Verdict(name, UNTOUCHED, '')}\n", "0") for name in names}
    assert names and said_in(copy) == wanted
    assert all(CHINESE.search(said) and UNTOUCHED not in said for said, _ in wanted.values())
