"""The library answers in the reader's language, a student as well as a teacher."""

import ast
import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
import unicodedata
from pathlib import Path

import numpy as np
import pytest
import words
from babel.messages import Catalog
from babel.messages.pofile import read_po

from vae_tutorial import _words, datasets, exercises, metrics, retrieval
from vae_tutorial.exercises import EXERCISES, _cells, _notebooks, check
from vae_tutorial.progress import Progress

PACKAGE = Path(_words.__file__).parent
LANGUAGES = words.languages()
CHINESE = re.compile(r"[\u4e00-\u9fff]")
SIGNS = "，。：；？（）、“”"
HALF_WIDTH = re.compile(r"[\u4e00-\u9fff][,.:;?!]|[,;?!][\u4e00-\u9fff]")
UNSPACED = re.compile(r"[\u4e00-\u9fff][A-Za-z0-9`{]|[A-Za-z0-9`}][\u4e00-\u9fff]")
SPACED = re.compile(rf" [{SIGNS}]|[{SIGNS}] ")
PART = re.compile(r"\{(?:mend|where|said|known|diagnosis)\}")  # Chinese, or a sign and Chinese


@pytest.fixture
def chinese(monkeypatch):
    monkeypatch.setenv(_words.VARIABLE, "zh_CN")


@pytest.fixture(autouse=True)
def forgotten(monkeypatch):
    """Let each test begin a session of its own."""
    monkeypatch.setattr(exercises, "_record", {})
    monkeypatch.setattr(exercises, "_hinted", {})


def translations(language: str) -> dict[str, str]:
    return words.translated(words.read(language))


# -- Catalogues -----------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_catalogues_are_whole_in_step_and_keep_code_numbers_and_places(language):
    assert words.faults(language) == []


def test_every_kind_of_fault_in_a_catalogue_is_found(monkeypatch):
    texts = list(translations("zh_CN"))
    catalog = words.read("zh_CN")
    catalog.get("Return {count} results, separated by commas.").string = "请返回 {n} 个结果。"
    catalog.get(texts[0]).string = ""
    catalog.get(texts[1]).flags.add("fuzzy")
    catalog.add("no such message", "没有")
    del catalog[texts[2]]
    monkeypatch.setattr(words, "read", lambda language: catalog)
    found = "\n".join(words.faults("zh_CN"))
    for fault in (
        "other code",
        "untranslated",
        "fuzzy",
        "no longer",
        "not in the .po",
        "--compile",
    ):
        assert fault in found
    assert len(found.splitlines()) == 6


def test_update_changes_nothing_in_a_catalogue_that_is_in_step():
    def told(catalog):
        return [(m.id, m.string, set(m.locations), set(m.auto_comments)) for m in catalog if m.id]

    updated = words.read("zh_CN")
    updated.update(words.source())
    assert told(words.read("zh_CN")) == told(updated)
    again = read_po(io.BytesIO(words.as_po(updated)), locale="zh_CN")
    assert told(again) == told(updated)


def test_what_is_fuzzy_stays_english():
    catalog = Catalog(locale="zh_CN")
    catalog.add("right", "正确", flags=["fuzzy"])
    assert words.translated(catalog) == {}


def test_chinese_is_set_as_chinese():
    for text, translation in translations("zh_CN").items():
        assert CHINESE.search(translation) or not re.search(
            r"[A-Za-z]{3}", words.KEPT.sub("", text)
        )
        assert not HALF_WIDTH.search(translation), translation
        assert not SPACED.search(translation), translation
        assert not UNSPACED.search(PART.sub("", translation)), translation
        assert unicodedata.normalize("NFC", translation) == translation


# -- Code -----------------------------------------------------------------------------------------


def binds(function: ast.AST) -> bool:
    """Tell whether a function gives ``_`` another meaning."""
    parts = list(ast.walk(function))
    named = [part.arg for part in parts if isinstance(part, ast.arg)]
    named += [p.id for p in parts if isinstance(p, ast.Name) and isinstance(p.ctx, ast.Store)]
    return "_" in named


def calls(tree: ast.AST) -> list[ast.Call]:
    found = [part for part in ast.walk(tree) if isinstance(part, ast.Call)]
    return [call for call in found if isinstance(call.func, ast.Name) and call.func.id == "_"]


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.name)
def test_messages_are_literals_and_nothing_else_is_called_underscore(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for call in calls(tree):
        assert not isinstance(call.args[0], ast.JoinedStr), f"line {call.lineno}"
        if isinstance(call.args[0], ast.Constant):
            named = set(re.findall(r"(?<!\{)\{(\w+)", call.args[0].value))
            assert named == {keyword.arg for keyword in call.keywords} - {None} or any(
                keyword.arg is None for keyword in call.keywords
            ), f"line {call.lineno}"
    kinds = (ast.FunctionDef, ast.Lambda)
    functions = [p for p in ast.walk(tree) if isinstance(p, kinds)] if calls(tree) else []
    assert [f.lineno for f in functions if binds(f) and calls(f)] == []


def test_babel_is_not_imported():
    code = "import sys; from vae_tutorial import exercises; print('babel' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


# -- Language -------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", [None, "", "en", "xx_YY", "../../data"])
def test_without_a_translation_the_library_speaks_english(language, monkeypatch):
    if language is None:
        monkeypatch.delenv(_words.VARIABLE, raising=False)
    else:
        monkeypatch.setenv(_words.VARIABLE, language)
    assert repr(check("top_k", lambda distances, k: None)) == "top_k: not attempted yet"
    for text in translations("zh_CN"):
        assert _words._(text) == text


@pytest.mark.parametrize("language", ["zh_CN", "zh-CN", "zh_CN.UTF-8"])
def test_a_language_is_read_whenever_a_message_is_made(language, monkeypatch):
    monkeypatch.setenv(_words.VARIABLE, language)
    assert _words._("right") == "正确"
    monkeypatch.delenv(_words.VARIABLE)
    assert _words._("right") == "right"


def test_no_message_stays_none(chinese):
    assert _words._("") == ""  # gettext keeps the catalogue's own description there


def test_a_status_is_found_in_every_language():
    assert _words.in_every_language("right") == ["right", "正确"]
    assert _words.in_every_language("nobody says this") == ["nobody says this"] * 2


# -- What a student sees --------------------------------------------------------------------------


def test_verdicts_and_diagnoses_are_chinese(chinese):
    verdict = check("top_k", lambda distances, k: np.argsort(distances)[-k:])
    assert verdict.status == "not yet right"  # for programs
    assert repr(verdict) == (
        "top_k：还不对\n你的结果与一个已知的错误相同。你返回的是最远的图像。距离小才是近。"
    )
    right = check("top_k", EXERCISES["top_k"].solution)
    assert repr(right).startswith("top_k：正确\nargpartition 把最小的 k 个放到前面")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda distances, k: distances[::2], "结果的形状应当是 (3,)，而你的形状是 (2,)。"),
        (lambda distances, k: 1 / 0, "你的函数出错而停止：ZeroDivisionError: division by zero"),
        (lambda distances, k: distances.fill(0), "你的函数就地改动了它的输入。"),
        (lambda distances, k: [None][0], "你的函数什么也没有返回。"),
        (lambda distances, k: "three", "请返回数；你的函数返回的是 str。"),
        (lambda distances, k: np.full(k, 7), "在这个小输入上它就不对："),
        (3, "check 要的是函数本身，现在得到的是类型为 int 的值。"),
    ],
)
def test_faults_are_chinese(answer, said, chinese):
    message = check("top_k", answer).message
    assert said in message
    assert not re.search(r"[A-Za-z]{3,} [a-z]{2,} ", message.replace("division by zero", ""))


def test_every_diagnosis_hint_and_reason_is_chinese(chinese):
    for exercise in EXERCISES.values():
        said = [exercise.why, *exercise.hints, *(m.diagnosis for m in exercise.mistakes)]
        assert [text for text in said if not CHINESE.search(_words._(text))] == []


def test_hints_are_chinese(chinese):
    first = exercises.hint("gallery_bytes")
    assert (
        repr(first) == "gallery_bytes，提示 1/3（轻轻一推）：一共存了多少个数，它们又是多少个比特？"
    )


def test_progress_is_chinese(chinese, monkeypatch):
    with pytest.raises(ValueError, match="还没有检查过任何练习"):
        exercises.progress()
    shown = []
    monkeypatch.setattr(exercises, "show_table", lambda *table: shown.append(table))
    check("top_k", EXERCISES["top_k"].solution)
    exercises.progress()
    rows, columns = shown[0]
    assert rows[0] == ["不排全部，也能取前 k 个", "标准", "2 / 2", "正确"]
    assert columns == ["练习", "难度", "得分", "状态"]


def raised(call) -> str:
    with pytest.raises((ValueError, TypeError)) as caught:
        call()
    return str(caught.value)


def test_errors_are_chinese(chinese):
    labels, table = np.array([0, 0, 1, 1]), np.array([[True, False]])
    index = retrieval.ImageIndex(None)
    calls = [
        lambda: exercises.hint("topk"),
        lambda: exercises.hint(3),
        lambda: exercises.hint("log_mean_exp"),
        lambda: datasets.load("mnst"),
        lambda: datasets.load("mnist-5k", data_dir="."),
        lambda: metrics.relevance(np.array([[9]]), labels[:1], labels),
        lambda: metrics.precision_at_k(table.astype(float), 1),
        lambda: metrics.precision_at_k(table, 0),
        lambda: metrics.average_precision(table, [[1]]),
        lambda: retrieval.ImageIndex(3),
        lambda: index.search_descriptors(np.zeros((1, 3)), 1),
        lambda: index.add(np.zeros((4, 8, 8, 1))),
        lambda: Progress("", 0),
    ]
    for call in calls:
        assert CHINESE.search(raised(call)), raised(call)


@pytest.mark.slow
def test_errors_of_models_and_objectives_are_chinese(chinese):
    from vae_tutorial import models, objectives

    images = np.zeros((4, 8, 8, 1), np.float32)
    vae = models.VAE((8, 8, 1), latent_dim=2, architecture="dense")
    vae.compile("adam")
    calls = [
        lambda: objectives.bernoulli_log_likelihood(images + 2, images),
        lambda: objectives.iwae_bound(np.zeros((3, 2), np.float32), axis=5),
        lambda: models.VAE((8, 8), latent_dim=2),
        lambda: vae.encode(images[0]),
        lambda: vae.encode(images * 255 + 255),
        lambda: vae.fit(images, np.zeros(4), verbose=0),
        lambda: vae.compile("adam", loss="mse"),
    ]
    for call in calls:
        assert CHINESE.search(raised(call)), raised(call)


# -- What a teacher sees --------------------------------------------------------------------------


def cell(source: str, output: str = "") -> dict:
    outputs = [{"output_type": "execute_result", "data": {"text/plain": output}}] if output else []
    return {"cell_type": "code", "metadata": {}, "source": source, "outputs": outputs}


def test_verdicts_of_a_chinese_session_are_read_by_an_english_one():
    cells = [cell("", "top_k：正确\n……"), cell("", "bits_of: not yet right")]
    assert _cells.verdicts_shown(cells) == {"top_k": "right", "bits_of": "not yet right"}


def test_a_missing_name_is_found_in_both_languages(monkeypatch):
    def answer(distances, k):
        return missing(distances)  # noqa: F821

    assert _notebooks._lacks_a_name(check("top_k", answer))
    monkeypatch.setenv(_words.VARIABLE, "zh_CN")
    assert _notebooks._lacks_a_name(check("top_k", answer))


def marked(folder: Path, **environment) -> subprocess.CompletedProcess:
    """Mark a folder with a wrong answer and a broken file."""
    source = "def top_k(distances, k):\n    return np.argsort(distances)[-k:]\n\n"
    cells = [cell("import numpy as np\nfrom vae_tutorial import exercises")]
    cells += [cell(source + 'exercises.check("top_k", top_k)')]
    notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (folder / "ana.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    (folder / "ben.ipynb").write_bytes(b"%PDF")
    command = [sys.executable, "-m", "vae_tutorial.exercises", str(folder), "--jobs", "1"]
    own = os.environ | {_words.VARIABLE: "zh_CN", "PYTHONPATH": str(PACKAGE.parent)} | environment
    return subprocess.run(command, env=own, capture_output=True, check=False)


def test_the_marker_is_chinese(tmp_path):
    done = marked(tmp_path, PYTHONIOENCODING="utf-8")
    assert (done.returncode, done.stderr) == (0, b"")
    said = done.stdout.decode("utf-8")
    assert "ana.ipynb：得 0 分，满分" in said
    assert "ben.ipynb：未批改。这个文件不是笔记本，原本是另一种文件：PDF 文档。" in said
    with (tmp_path / "marks.csv").open(encoding="utf-8-sig") as file:
        rows = {row["exercise"]: row for row in csv.DictReader(file)}
    assert rows["top_k"]["status"] == "not yet right"  # the table is read again by the program
    assert rows["top_k"]["diagnosis"].startswith("你的结果与一个已知的错误相同。")
    students = (tmp_path / "marks-students.csv").read_text(encoding="utf-8-sig")
    assert students.splitlines()[0] == "学生,得分,满分,要人工查看,文件数,状态"
    assert "ben,,,1,1,未批改" in students


def test_a_console_without_chinese_letters_is_no_error(tmp_path):
    done = marked(tmp_path, PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, b"")
    table = (tmp_path / "marks.csv").read_text(encoding="utf-8-sig")
    assert "你的结果与一个已知的错误相同。" in table and "这道题的检查已删去" in table
    code = "from vae_tutorial import exercises as e\nprint(e.check('top_k', len), e.hint('top_k'))"
    cases = {"ascii": "top_k: not yet", "ascii:replace": "top_k?", "utf-8": "top_k："}
    for letters, begins in cases.items():
        own = os.environ | {_words.VARIABLE: "zh_CN", "PYTHONIOENCODING": letters}
        printed = subprocess.run([sys.executable, "-c", code], env=own, capture_output=True)
        assert (printed.returncode, printed.stderr) == (0, b"")
        assert printed.stdout.decode("utf-8").startswith(begins)


# -- In the page ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("language", "said"), [("zh_CN", "尚未作答"), ("en", "not attempted yet")])
def test_python_in_the_page_speaks_as_the_site_does(language, said, tmp_path):
    files = [*PACKAGE.rglob("*.py"), *PACKAGE.glob(f"locale/{language}/*/*.mo")]
    files += [PACKAGE.parent / "benchmarks" / "results" / "faults.json"]
    for path in files:  # what live_extension.py puts into the page's archive
        target = tmp_path / path.relative_to(PACKAGE.parent)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    code = (
        "import live_session\nlive_session.speak_as_the_site()\n"
        "from vae_tutorial import exercises\n"
        "print(exercises.__file__)\nprint(exercises.check('top_k', lambda distances, k: None))"
    )
    tools = str(Path(words.__file__).parent)
    own = os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{tools}", "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=tmp_path, env=own, capture_output=True, check=True)
    where, verdict = done.stdout.decode("utf-8").splitlines()
    assert where.startswith(str(tmp_path)) and verdict.endswith(said)
