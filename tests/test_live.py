"""Python in the page, as far as no browser is needed: its files, and the session that runs answers.

What happens in a browser is tested there: tests/browser/test_python.py.
"""

import json
import subprocess
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace

import fetch_live
import live_cells
import live_extension
import numpy as np
import pytest

from vae_tutorial import exercises
from vae_tutorial.exercises import EXERCISES, _trial

TOOLS = Path(__file__).resolve().parents[1] / "tools"
KNOWN = fetch_live.wanted()
PART = {
    "file": "small.txt",
    # Of the text "abc", as FIPS 180-2 has it.
    "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    "bytes": 3,
}


# -- Files: by their bytes alone ------------------------------------------------------------------


def test_the_list_names_every_part_once_with_its_digest():
    files = [part["file"] for part in KNOWN["parts"]]
    assert len(set(files)) == len(files)
    assert set(live_extension.RUNTIME) < set(files)
    for part in KNOWN["parts"]:
        assert len(bytes.fromhex(part["sha256"])) == 32
        assert part["bytes"] > 1000
    names = {part["name"] for part in KNOWN["parts"] if "name" in part}
    for part in KNOWN["parts"]:
        assert set(part.get("depends", [])) <= names
    packages = live_extension.lock(KNOWN)["packages"]
    assert packages.keys() == names
    assert all(package["sha256"] for package in packages.values())


def test_right_bytes_are_taken_and_others_refused(tmp_path, capsys):
    source, folder = tmp_path / "source", tmp_path / "folder"
    source.mkdir()
    folder.mkdir()
    (source / "small.txt").write_bytes(b"abd")
    fetch_live.from_address(folder, [PART], source.as_uri() + "/")
    assert "another SHA-256" in capsys.readouterr().err
    assert list(folder.iterdir()) == []
    (source / "small.txt").write_bytes(b"abc")
    fetch_live.from_address(folder, [PART], source.as_uri() + "/")
    assert fetch_live.missing(folder, [PART]) == []
    # What is there and has been spoiled counts as missing.
    (folder / "small.txt").write_bytes(b"ab")
    assert fetch_live.missing(folder, [PART]) == [PART]


def test_out_of_reach_is_said_in_one_line_and_by_its_own_status(tmp_path, monkeypatch, capsys):
    sources = {"address": (tmp_path / "nowhere").as_uri() + "/", "package": "nothing==1"}
    monkeypatch.setattr(fetch_live, "wanted", lambda: {"parts": [PART], "sources": sources})
    monkeypatch.setattr(sys, "argv", ["fetch_live.py", str(tmp_path / "parts")])
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(SystemExit) as stopped:
        fetch_live.main()
    assert stopped.value.code == fetch_live.OUT_OF_REACH
    assert capsys.readouterr().err.splitlines()[-1].endswith("missing: small.txt")


def test_a_book_without_python_holds_nothing_of_it(tmp_path):
    left = tmp_path / "_static" / "python"
    left.mkdir(parents=True)
    (left / "pyodide.js").write_text("")
    plain = SimpleNamespace(
        config=SimpleNamespace(book_live=""),
        builder=SimpleNamespace(format="html"),
        outdir=tmp_path,
    )
    live_extension.write_parts(plain)
    assert list(left.iterdir()) == []


def test_a_zip_is_the_same_for_the_same_files(tmp_path):
    (tmp_path / "one.py").write_text("a = 1\n")
    for name in ("first.zip", "second.zip"):
        live_extension.zipped(tmp_path / name, {"one.py": tmp_path / "one.py"})
    assert (tmp_path / "first.zip").read_bytes() == (tmp_path / "second.zip").read_bytes()


def test_make_and_the_extension_mean_the_same_folder():
    makefile = (TOOLS.parent / "Makefile").read_text(encoding="utf-8")
    assert "LIVE_PARTS := _build/live-parts" in makefile
    assert "_build/" in (TOOLS.parent / ".gitignore").read_text(encoding="utf-8")
    assert tomllib.loads((TOOLS / "live_parts.toml").read_text(encoding="utf-8")) == KNOWN


# -- The session ----------------------------------------------------------------------------------


def session(calls: list[tuple]) -> list[list[dict]]:
    """Call functions of the session, as the page does, in a process of their own."""
    script = (
        "import json, sys, live_session\n"
        "for name, *given in json.loads(sys.argv[1]):\n"
        "    print(getattr(live_session, name)(*given))\n"
    )
    command = [sys.executable, "-c", script, json.dumps(calls)]
    done = subprocess.run(command, cwd=TOOLS, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_cell_shows_what_a_notebook_shows():
    table = (
        'from vae_tutorial import notebook\nprint("a")\nnotebook.show_table([["x", 1]], ["n", "v"])'
    )
    shown, value, nothing, error, syntax = session(
        [
            ("cell", "page", "one", f"{table}\nprint('b', end='')"),
            ("cell", "page", "two", "seen = 6\nseen * 7"),
            ("cell", "page", "three", "seen += 1"),
            ("cell", "page", "four", "def half(x):\n    return x / 0\n\nhalf(seen)"),
            ("cell", "page", "five", "half(("),
        ]
    )
    assert [output["kind"] for output in shown] == ["text", "markdown", "text"]
    assert (shown[0]["text"], shown[2]["text"]) == ("a\n", "b")
    assert shown[1]["text"].startswith("| n | v |")
    assert value == [{"kind": "text", "text": "42\n"}]
    assert nothing == []
    (told,) = error
    assert told["text"].splitlines() == [
        "line 4: half(seen)",
        "line 2: return x / 0",
        "ZeroDivisionError: division by zero",
    ]
    assert "SyntaxError" in syntax[0]["text"] and "File" not in syntax[0]["text"]


STAND_IN = "import live_missing\nlive_missing.stand_in()\n"


def test_what_a_browser_lacks_is_said_in_words():
    code = "def f(x):\n    from scipy.special import softmax\n    return softmax(x)\n\nf(1)"
    told, later = session(
        [
            ("cell", "page", "one", STAND_IN + code),
            ("cell", "page", "two", "import keras, math\na = keras.Input(3)\nmath.sqrt(4)"),
        ]
    )
    assert told[0]["text"].splitlines()[-1] == (
        "ImportError: Python in the page has no scipy. Use NumPy, or run the notebook elsewhere."
    )
    assert later == [
        {"kind": "passed", "text": "import keras\na = keras.Input(3)", "lacks": "keras"},
        {"kind": "text", "text": "2.0\n"},
    ]


def test_figures_are_drawn_in_their_place():
    ready = "import live_session\nlive_session.prepare_figures()\nimport matplotlib.pyplot as plt\n"
    code = "plt.plot([1, 2])\nplt.show()\nprint('after')\nplt.plot([2, 1]);"
    (shown,) = session([("cell", "page", "one", ready + code)])
    assert [output["kind"] for output in shown] == ["picture", "text", "picture"], shown
    assert shown[0]["png"].startswith("iVBOR")


def test_an_answer_is_run_on_the_example_and_checked_by_the_library():
    name = "precision_at_k"
    wrong = f"def {name}(relevant, k):\n    print('seen')\n    return relevant.mean(axis=1)\n"
    ran, checked, other, exits = session(
        [
            ("attempt", name, wrong),
            ("check", name, EXERCISES[name].solution_source()),
            ("check", name, "def precision(relevant, k):\n    return 1\n"),
            ("check", name, "raise SystemExit"),
        ]
    )
    assert ran[0]["text"].splitlines() == [EXERCISES[name].example, "seen", "array([0.75])"]
    assert ran[1] == {"kind": "wanted", "text": EXERCISES[name].example_result()}
    (verdict,) = checked
    said = exercises.check(name, EXERCISES[name].solution)
    assert (verdict["status"], verdict["text"]) == (said.status, said.message)
    assert "there is no function precision_at_k" in other[0]["text"]
    assert exits[0]["kind"] == "error"


def test_without_threads_an_answer_is_judged_all_the_same(monkeypatch):
    """A browser has none; there the page ends what takes too long."""

    def no_thread(*_, **__):
        raise RuntimeError("can't start new thread")

    name = "precision_at_k"
    cases = {exercises.RIGHT: EXERCISES[name].solution, exercises.UNTOUCHED: lambda a, k: None}
    wrong = EXERCISES[name].mistakes[0].variants[0]
    before = repr(exercises.check(name, wrong))
    monkeypatch.setattr(_trial.threading, "Thread", no_thread)
    with pytest.raises(RuntimeError):
        exercises.check(name, wrong)
    monkeypatch.setattr(_trial.sys, "platform", "emscripten")
    assert repr(exercises.check(name, wrong)) == before
    for status, answer in cases.items():
        assert exercises.check(name, answer).status == status

    def stops(relevant, k):
        raise SystemExit

    assert "SystemExit" in exercises.check(name, stops).message


# -- Which cells run in the page ------------------------------------------------------------------


def judged(*sources: str) -> list[str]:
    """Return what the page lacks for each of these cells."""
    cells = [
        SimpleNamespace(cell_type="code", id=f"cell-{place}", source=source)
        for place, source in enumerate(sources)
    ]
    return list(live_cells.judge(cells).values())


SETUP = "from vae_tutorial import datasets, models, notebook, objectives\nimport keras"


@pytest.mark.parametrize(
    ("lack", "sources"),
    [
        ("", ["a = 1", "print(a)"]),
        ("TensorFlow", ["a = keras.ops.ones(3)", "b = 2 * a", "print(b)"]),
        ("TensorFlow", ["a = keras.ops.ones(3)", "def f():\n    return a", "print(f())"]),
        # Made again by a cell that runs, or changed by one that does not.
        ("", ["a = keras.ops.ones(3)", "a = [1]", "print(a)"]),
        ("TensorFlow", ["a = {}", "a['x'] = keras.ops.ones(3)", "print(a)"]),
        ("TensorFlow", ["a = []", "a.append(keras.ops.ones(3))", "print(a)"]),
        ("", ["for a in (1, 2):\n    keras.Input(a)", "for a in (1, 2):\n    print(a)"]),
        # What a function uses is looked up when it is called.
        ("", ["def f():\n    return a", "a = 1", "f()"]),
        ("TensorFlow", ["def f():\n    return a", "a = keras.Input(1)", "f()"]),
        ("TensorFlow", ["def f():\n    import tensorflow", "f()"]),
        # Computed with NumPy there, or read from a file; but no tensor comes of it.
        ("", ["print(objectives.kl_divergence)"]),
        ("TensorFlow", ["print(objectives.kl_divergence(a, b).numpy())"]),
        ("", ["notebook.show_source(models.VAE.loss_terms)"]),
        ("TensorFlow", ["models.VAE()"]),
        ("SciPy", ["from scipy.special import softmax"]),
        ("SciPy", ["from vae_tutorial.neighbours import GraphDescriptor"]),
        ("", ["from vae_tutorial.neighbours import expand", "expand"]),
    ],
)
def test_a_cell_runs_in_the_page_if_all_that_it_uses_does(lack, sources):
    assert judged(SETUP, *sources)[-1] == lack


def test_a_cell_that_imports_passes_over_what_the_page_lacks():
    assert judged(f"{SETUP}\na = keras.Input(1)\nb = 1", "b", "a") == ["", "", "TensorFlow"]
    # One that imports nothing else does not run.
    assert judged("import faiss\nb = 1", "b") == ["FAISS", "FAISS"]


@pytest.mark.slow
@pytest.mark.aside
def test_the_source_is_found_of_what_cannot_be_imported():
    """The same as inspect finds, also of inherited methods and of names brought from elsewhere."""
    script = (
        "import inspect, live_missing\n"
        "from vae_tutorial import models, multimodal, training\n"
        "for path in ('models.VAE.train_step', 'models.Sampling', 'models.bound_log_var',\n"
        "             'training.RandomView.warp', 'multimodal.ImageTextVAE.loss_terms'):\n"
        "    thing = eval(path)\n"
        "    assert live_missing.source_of(f'vae_tutorial.{path}') == inspect.getsource(thing)\n"
    )
    subprocess.run([sys.executable, "-c", script], cwd=TOOLS, check=True)


@pytest.mark.slow
@pytest.mark.aside
def test_objectives_with_numpy_are_those_with_tensorflow():
    script = (
        "import json, sys\n"
        "import numpy as np\n"
        "if sys.argv[1] == 'page':\n"
        "    import live_missing\n"
        "    live_missing.stand_in()\n"
        "from vae_tutorial import objectives as o\n"
        "a, b, c, d = np.random.default_rng(0).normal(size=(4, 3, 5))\n"
        "found = [o.kl_divergence(a, b), o.gaussian_kl(a, b, c, d), o.bernoulli_kl(9 * a),\n"
        "         o.bernoulli_log_likelihood(abs(np.sin(a)), 9 * b),\n"
        "         o.gaussian_log_likelihood(a, b, c),\n"
        "         o.iwae_bound(9 * a), o.reparameterise(a, b, c), o.elbo(a, abs(b), beta=0.5),\n"
        "         o.kl_divergence(a.astype('float32'), b.astype('float32'))]\n"
        "print(json.dumps([[str(np.asarray(f).dtype), np.asarray(f).tolist()] for f in found]))\n"
        "assert ('tensorflow' in sys.modules) == (sys.argv[1] != 'page')\n"
    )
    page, whole = (
        json.loads(subprocess.check_output([sys.executable, "-c", script, where], cwd=TOOLS))
        for where in ("page", "home")
    )
    for (kind, values), (wanted, numbers) in zip(page, whole, strict=True):
        assert kind == wanted
        np.testing.assert_allclose(values, numbers, rtol=1e-5, atol=1e-6)
