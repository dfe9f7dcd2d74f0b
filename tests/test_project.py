"""What stands around the library: package, changelog, licences, editors, forms, promises."""

import ast
import datetime
import json
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import check_python
import make_colab
import make_package
import pytest
import yaml
from markdown_it import MarkdownIt
from packaging.licenses import canonicalize_license_expression
from packaging.specifiers import SpecifierSet
from publishing import Publication

import vae_tutorial

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "vae_tutorial"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
PUBLISHED = make_colab.from_environment({"BOOK_REPOSITORY": "ada/book", "BOOK_COMMIT": COMMIT})
UNPUBLISHED = make_colab.Source(Publication())


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def project() -> dict:
    return tomllib.loads(text_of("pyproject.toml"))["project"]


# -- Which Python, which machine ------------------------------------------------------------------


def test_everybody_names_the_same_versions_of_python():
    allowed = SpecifierSet(project()["requires-python"])
    versions = [f"3.{minor}" for minor in range(8, 20) if f"3.{minor}" in allowed]
    assert [f"{a}.{b}" for a, b in (check_python.FIRST, check_python.LAST)] == [
        versions[0],
        versions[-1],
    ]
    said = f"Python {', '.join(versions[:-1])} or {versions[-1]}"
    for name in ("README.md", "CONTRIBUTING.md", "Makefile", "tools/check_python.py"):
        assert said in text_of(name), name
    weekly = yaml.safe_load(text_of(".github/workflows/weekly.yml"))["jobs"].values()
    matrices = [job["strategy"]["matrix"] for job in weekly if "strategy" in job]
    assert [m["python"] for m in matrices if "python" in m] == [versions]


@pytest.mark.parametrize(
    ("version", "system", "machine", "said"),
    [
        ((3, 11, 7), "Linux", "x86_64", ""),
        ((3, 13, 0), "Windows", "AMD64", ""),
        ((3, 12, 1), "Darwin", "arm64", ""),
        ((3, 10, 9), "Linux", "x86_64", "this one is 3.10.9. Name another one"),
        ((3, 14, 0), "Linux", "x86_64", "3.14.0, for which TensorFlow has no release yet. Name an"),
        ((3, 12, 1), "Darwin", "x86_64", "no release for Macs with an Intel processor since 2.16"),
    ],
)
def test_what_will_not_do_is_said_before_anything_is_installed(version, system, machine, said):
    found = check_python.problem(version, system, machine)
    assert said in found and bool(said) == bool(found)


def test_make_asks_before_it_makes_the_environment():
    rule = re.search(r"^\$\(BIN\)/python:\n((?:\t.*\n)+)", text_of("Makefile"), re.MULTILINE)[1]
    assert rule.index("tools/check_python.py") < rule.index("-m venv")
    command = [sys.executable, str(ROOT / "tools" / "check_python.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == done.stderr == ""


# -- The package ----------------------------------------------------------------------------------


def test_the_licences_are_those_of_the_code_and_of_the_data():
    expression = project()["license"]
    assert canonicalize_license_expression(expression) == expression
    licences = set(expression.split(" AND "))
    rows = re.findall(r"^\| `\S+` \|.*\| (.+) \|$", text_of("vae_tutorial/data/LICENSES.md"), re.M)
    stated = {"CC-" + row[3:].replace(" ", "-") if row[:3] == "CC " else row for row in rows}
    assert {row.replace("Apache 2.0", "Apache-2.0") for row in stated} | {"MIT"} == licences
    found = {
        path.relative_to(ROOT).as_posix()
        for pattern in project()["license-files"]
        for path in ROOT.glob(pattern)
    }
    names = ("LICENSES.md", "LICENSE-Apache-2.0.txt")
    assert found == {"LICENSE", *(f"vae_tutorial/data/{name}" for name in names)}
    assert text_of("LICENSE").startswith("MIT License")


def links_of(markdown: str) -> list[str]:
    """Return where links lead and pictures come from, once the text is rendered."""
    html = MarkdownIt("gfm-like", {"linkify": False}).render(markdown)
    return re.findall(r'(?:href|src)="([^"]*)"', html)


def test_files_that_the_readme_leads_to_are_there():
    found = [link for link in links_of(text_of("README.md")) if not link.startswith("https://")]
    assert len(found) > 8
    assert [link for link in found if not (ROOT / link.split("#")[0]).is_file()] == []


def test_on_a_package_index_the_readme_leads_to_the_repository():
    readme = make_package.readme_for_index(text_of("README.md"), PUBLISHED)
    found = links_of(readme)
    assert all(re.match(r"https://|#", link) for link in found)
    home = "https://github.com/ada/book"
    assert f"{home}/raw/{COMMIT}/book/images/results.png" in found
    assert f"{home}/blob/{COMMIT}/CONTRIBUTING.md#publish-your-own-copy" in found
    assert len(found) == len(links_of(text_of("README.md")))


def test_without_a_repository_the_readme_has_no_link_into_nowhere():
    readme = make_package.readme_for_index(text_of("README.md"), UNPUBLISHED)
    assert all(link.startswith("https://") for link in links_of(readme))
    assert "see data licences |" in readme and "](" not in readme.split("## Licences")[1]


@pytest.mark.parametrize("source", [PUBLISHED, UNPUBLISHED], ids=["published", "not"])
def test_the_package_is_made_from_a_copy_that_knows_its_addresses(tmp_path, source):
    make_package.copy_sources(tmp_path, source)
    made = tomllib.loads((tmp_path / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    urls = made.pop("urls", {})
    assert made == project()
    for pattern in (made["readme"], *made["license-files"]):
        assert list(tmp_path.glob(pattern)), pattern
    if source is UNPUBLISHED:
        assert urls == {}
        return
    assert urls == {
        "Homepage": "https://ada.github.io/book/",
        "Repository": "https://github.com/ada/book",
        "Changelog": "https://github.com/ada/book/blob/HEAD/CHANGELOG.md",
        "Issues": "https://github.com/ada/book/issues",
    }


@pytest.mark.slow
@pytest.mark.aside
def test_the_wheel_holds_every_module_and_file_of_the_library(tmp_path):
    wheel = make_package.build_wheel(tmp_path, UNPUBLISHED)
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "vae_tutorial"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    own = {name for name in listed.splitlines() if (ROOT / name).is_file()}
    results = {
        f"vae_tutorial/results/{path.name}"
        for kind in ("*.json", "*.npz")
        for path in (ROOT / "benchmarks/results").glob(kind)
    }
    assert own and results
    assert held == own | results


def test_a_published_address_alone_is_a_homepage():
    own = Publication.from_environment({"BOOK_URL": "https://example.org/book"})
    assert own.project_urls() == {"Homepage": "https://example.org/book/"}


# -- The changelog --------------------------------------------------------------------------------

KINDS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_the_changelog_has_the_form_it_names():
    parts = re.split(r"^## ", text_of("CHANGELOG.md"), flags=re.MULTILINE)[1:]
    titles = [part.splitlines()[0] for part in parts]
    assert titles[0] == "[Unreleased]"
    found = [re.fullmatch(r"\[(\d+)\.(\d+)\.(\d+)\] - (\S+)", title) for title in titles[1:]]
    versions = [tuple(map(int, match.groups()[:3])) for match in found]
    dates = [datetime.date.fromisoformat(match[4]) for match in found]
    assert versions == sorted(set(versions), reverse=True)
    assert dates == sorted(dates, reverse=True)
    assert vae_tutorial.__version__ == ".".join(map(str, versions[0]))
    for part in parts:
        assert set(re.findall(r"^### (.+)$", part, re.MULTILINE)) <= KINDS
        assert re.search(r"^- ", part, re.MULTILINE)


# -- Editors, hooks, forms ------------------------------------------------------------------------


def test_hooks_call_make_and_fetch_nothing():
    settings = yaml.safe_load(text_of(".pre-commit-config.yaml"))
    assert [repository["repo"] for repository in settings["repos"]] == ["local"]
    targets = set(re.findall(r"^([a-z-]+):", text_of("Makefile"), re.MULTILINE))
    for hook in settings["repos"][0]["hooks"]:
        assert hook["language"] == "system" and "additional_dependencies" not in hook
        assert hook["pass_filenames"] is False
        asked = re.search(r"\bmake ([a-z-]+)", hook["entry"])
        assert asked[1] in targets
        re.compile(hook.get("files", ""))


def test_the_container_has_the_python_of_the_lock():
    settings = json.loads(text_of(".devcontainer/devcontainer.json"))
    version = re.search(r"with Python (\d\.\d+)", text_of("constraints.txt"))[1]
    assert settings["image"] == f"python:{version}"
    assert settings["postCreateCommand"] == "make install"


def ours() -> list[Path]:
    """Return the text files of this project that people write."""
    places = ["*", ".github/**/*", ".devcontainer/*", "benchmarks/*", "book/*", "book/_static/*"]
    places += ["book/_static/live/*", "tests/**/*", "tools/*", "vae_tutorial/**/*.py"]
    kinds = {".py", ".md", ".yml", ".toml", ".json", ".css", ".js", ".txt", ".cff", ".sty", ""}
    found = {path for place in places for path in ROOT.glob(place) if path.suffix in kinds}
    found = {path for path in found if path.is_file() and "__pycache__" not in path.parts}
    return sorted(path for path in found if not path.name.startswith((".git", ".coverage")))


def test_files_are_as_the_editorconfig_has_them():
    files = ours()
    assert len(files) > 150
    for path in files:
        text = path.read_bytes().decode("utf-8")
        name = path.relative_to(ROOT).as_posix()
        assert "\r" not in text, name
        assert not text or (text.endswith("\n") and not text.endswith("\n\n")), name
        assert not re.search(r"[ \t]$", text, re.MULTILINE), name
        if path.name != "Makefile" and path.suffix not in ("", ".txt"):
            assert not re.search(r"^ *\t", text, re.MULTILINE), name


FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))


def test_there_is_a_form_for_readers_and_one_for_teachers():
    assert [path.name for path in FORMS] == ["config.yml", "reader.yml", "teacher.yml"]


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_forms_are_valid_and_name_no_owner(path):
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"github\.com|@", text)
    form = yaml.safe_load(text)
    if path.stem == "config":
        assert form == {"blank_issues_enabled": True}
        return
    assert set(form) == {"name", "description", "body"}
    fields = [part for part in form["body"] if part["type"] != "markdown"]
    names = [field["id"] for field in fields]
    assert len(names) == len(set(names)) > 2
    for field in fields:
        assert field["type"] in {"input", "textarea", "dropdown", "checkboxes"}
        assert field["attributes"]["label"]
        options = field["attributes"].get("options", [])
        assert (len(options) > 1) == (field["type"] == "dropdown")
    assert any(field.get("validations", {}).get("required") for field in fields)


# -- What SECURITY.md promises --------------------------------------------------------------------


def test_the_library_reads_no_pickle_and_has_no_way_of_its_own_to_a_network():
    banned = {"pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "socket", "ssl"}
    banned |= {"urllib", "http", "requests", "ftplib"}
    for path in PACKAGE.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {name.split(".")[0] for name in names} & banned, path.name
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "np.load":
                given = {word.arg: ast.unparse(word.value) for word in node.keywords}
                assert given.get("allow_pickle") == "False", path.name
            if isinstance(node, ast.keyword):
                assert node.arg != "safe_mode", path.name


@pytest.mark.slow
def test_importing_everything_asks_no_network():
    code = (
        "import importlib, pkgutil, sys\n"
        "def refuse(event, arguments):\n"
        "    if event in ('socket.connect', 'socket.getaddrinfo', 'urllib.Request'):\n"
        "        raise RuntimeError(f'{event}: {arguments}')\n"
        "sys.addaudithook(refuse)\n"
        "import vae_tutorial\n"
        "names = [m.name for m in pkgutil.walk_packages(vae_tutorial.__path__, 'vae_tutorial.')]\n"
        "assert len(names) > 20\n"
        "for name in names: importlib.import_module(name)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr


def test_the_policy_names_no_address():
    text = text_of(".github/SECURITY.md")
    assert not re.search(r"https?://|@", text)
    assert "Report a vulnerability" in text


def test_each_erratum_says_where_what_what_is_true_and_since_when():
    text = (ROOT / "book" / "errata.md").read_text(encoding="utf-8")
    _, *entries = re.split(r"^### ", text, flags=re.MULTILINE)
    assert len(entries) >= 5
    for entry in entries:
        said = dict(re.findall(r"^- \*\*(.+?)\*\*: (.+)", entry, re.MULTILINE))
        assert list(said) == ["Where", "It said", "True is", "Mended"], entry[:60]
        pages = re.findall(r"\]\(([\w-]+)(?:\.ipynb)?\)", said["Where"])
        there = {path.stem for path in (ROOT / "book").iterdir()}
        assert pages and there.issuperset(pages)
        assert re.search(r"\d+\.\d+\.\d+", said["Mended"])


@pytest.mark.slow
@pytest.mark.aside
def test_make_runs_the_files_that_a_plain_run_leaves_out():
    """Pytest drops a file that is named beside its folder, and says nothing."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (option,) = re.findall(r'^ALSO = -o "(python_files=.*) \$\(1\)"$', makefile, re.MULTILINE)
    named = " ".join(re.findall(r"\$\(call ALSO,(.*?)\)", makefile))
    # By themselves: in an environment of its own; as large a class as is asked for; weekly.
    elsewhere = {"colab_runs.py", "class_runs.py", "chinese_copy_runs.py"}
    assert {*named.split()} == {
        path.name for path in Path(__file__).parent.glob("*_runs.py")
    } - elsewhere
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-o", f"{option} {named}"]
    found = subprocess.run(
        [*command, "--ignore-glob=*test_*.py", "tests"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ | {"PYTEST_ADDOPTS": ""},  # somebody's -v shows names in another way
    ).stdout
    assert [name for name in named.split() if f"{name}::" not in found] == []
