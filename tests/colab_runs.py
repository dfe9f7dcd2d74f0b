"""Run published notebooks as Colab does: alone, on its versions, through their setup cell.

Not collected by a plain ``pytest``: ``make test-colab`` makes an environment with the versions of
each runtime (tests/colab/*.txt), lets nbval compare every notebook's outputs there, and then runs
this on two notebooks: on today's runtime the one that installs most, on the older one a usual one.
``make test-colab-whole`` runs all on both. Colab gives every notebook a machine of its own; here
each gets a layer over that environment, into which its setup cell installs the library from a git
repository made of the working tree.
"""

import os
import shutil
import subprocess
from pathlib import Path

import make_colab
import nbformat
import pytest
from colab.make_kernel import make_layer
from notebook_rules import run_seconds
from publishing import Publication

ROOT = Path(__file__).parents[1]
RUNTIMES = ("current", "older")
SETUPS = [("current", "beyond-one-machine"), ("older", "encoder-decoder")]
if os.environ.get("COLAB_WHOLE"):
    # The longest first, so that two at a time end together.
    longest_first = sorted(
        make_colab.BOOK.glob("*.ipynb"),
        key=lambda path: run_seconds(nbformat.read(path, as_version=4)) or 0,
        reverse=True,
    )
    SETUPS = [(runtime, path.stem) for runtime in RUNTIMES for path in longest_first]


@pytest.fixture(scope="session")
def address(tmp_path_factory) -> str:
    """Return what pip installs from: a bare repository with the files that git would commit."""
    work, bare = (tmp_path_factory.mktemp("git") / name for name in ("work", "book.git"))
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():  # a file deleted since the last commit is still listed
            (work / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, work / name)
    git(work, "init", "--quiet")
    git(work, "add", "--all")
    git(work, "-c", "user.name=test", "-c", "user.email=test@localhost", "commit", "-qm", "Book")
    git(work, "clone", "--quiet", "--bare", str(work), str(bare))
    return f"git+{bare.as_uri()}@{git(bare, 'rev-parse', 'HEAD')}"


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


class Machine:
    """A Colab machine: a layer over the environment of a runtime, and a stand-in google.colab."""

    def __init__(self, runtime: str, folder: Path):
        self.python = make_layer(runtime, folder)
        own = next(folder.glob("lib/python*/site-packages"))
        (own / "google" / "colab").mkdir(parents=True)
        (own / "google" / "colab" / "__init__.py").write_text("")
        # Nothing of the test's own environment, no GPU, and one thread as in `make test-notebooks`.
        self.environment = {name: os.environ[name] for name in os.environ if is_of_system(name)}
        self.environment |= {
            "CUDA_VISIBLE_DEVICES": "",
            "IPYTHONDIR": str(folder / "ipython"),
            "OMP_NUM_THREADS": "1",
            "PYDEVD_DISABLE_FILE_VALIDATION": "1",
            "TF_NUM_INTRAOP_THREADS": "1",
            "TF_NUM_INTEROP_THREADS": "1",
        }

    def run(self, notebook: Path) -> subprocess.CompletedProcess:
        command = [self.python, ROOT / "tests" / "colab" / "run_notebook.py", notebook]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True)


def is_of_system(name: str) -> bool:
    """Tell whether a variable is about the machine and its network, not about this test run."""
    kept = name in {"PATH", "HOME", "LANG", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"}
    return kept or name.startswith("PIP_") or name.lower().endswith("_proxy")


@pytest.mark.parametrize(("runtime", "page"), SETUPS)
def test_the_notebook_runs_on_colab(runtime, page, address, tmp_path):
    published = tmp_path / f"{page}.ipynb"
    source = make_colab.Source(Publication(), address)
    nbformat.write(make_colab.variant(make_colab.BOOK / published.name, source), published)
    done = Machine(runtime, tmp_path / "machine").run(published)
    assert done.returncode == 0, done.stderr
    print(runtime, done.stdout)
