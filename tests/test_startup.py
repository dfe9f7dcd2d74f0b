"""The import of TensorFlow: quiet when it works, never silent when it fails, whatever the console.

Stand-ins for Keras and TensorFlow write and fail as the real ones do on a processor that they were
not built for; which this machine is not.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SAY = 'import os\nos.write(2, b"F0000 built to use AVX, which this machine lacks\\n")\n'
IMPORT = "import vae_tutorial._tensorflow"


def start(folder: Path, keras: str, code: str = IMPORT, **options):
    """Run ``code`` where ``keras`` is the source of the module of that name."""
    (folder / "keras.py").write_text("layers = None\n" + keras)
    (folder / "tensorflow.py").write_text("")
    path = os.pathsep.join([str(folder), str(ROOT)])
    environment = os.environ | {"PYTHONPATH": path}
    options = {"capture_output": True, "text": True} | options
    return subprocess.run([sys.executable, "-c", code], env=environment, **options)


def test_what_is_said_at_a_start_that_works_is_hidden(tmp_path):
    done = start(tmp_path, SAY)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_last_words_of_a_process_that_dies_are_shown(tmp_path):
    done = start(tmp_path, SAY + "os.abort()")
    assert done.returncode != 0
    assert "built to use AVX" in done.stderr


def test_much_that_is_said_before_the_death_is_shown_whole(tmp_path):
    done = start(tmp_path, "import os\nfor _ in range(3000): os.write(2, b'x' * 99)\nos.abort()")
    assert done.stderr.count("x") == 3000 * 99


def test_what_was_said_before_an_error_is_shown_with_the_error(tmp_path):
    done = start(tmp_path, SAY + 'raise ImportError("no such kernel")')
    assert done.returncode == 1
    assert "built to use AVX" in done.stderr
    assert done.stderr.splitlines()[-1] == "ImportError: no such kernel"


def test_standard_error_is_given_back(tmp_path):
    code = f'{IMPORT}; import os, sys; os.write(2, b"one\\n"); print("two", file=sys.stderr)'
    assert start(tmp_path, SAY, code).stderr == "one\ntwo\n"


@pytest.mark.parametrize(
    "before",
    [
        "sys.stdout = sys.stderr = None",
        "sys.stdout = sys.stderr = object()",
        "sys.stderr.close()",
        "os.close(2)",
        "sys.executable = None",
        "sys.executable = '/no/such/python'",
        "sys.executable = '/bin/a-program-that-python-is-built-into'",
    ],
)
def test_no_console_is_no_reason_to_fail(tmp_path, before):
    code = f"import os, sys; {before}; {IMPORT}; open('done', 'w').close(); os._exit(0)"
    done = start(tmp_path, "import os", code, cwd=tmp_path)
    assert done.returncode == 0
    assert (tmp_path / "done").exists()


@pytest.mark.slow
@pytest.mark.aside
def test_the_real_tensorflow_starts_without_a_console(tmp_path):
    code = (
        "import os, sys; sys.stdout = sys.stderr = None\n"
        "from vae_tutorial import models\n"
        "open('done', 'w').close()"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, check=True)
    assert (tmp_path / "done").exists()
