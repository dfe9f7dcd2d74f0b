"""The workflows of GitHub, as far as they are about this book.

What holds for any project is checked by `make audit`: zizmor asks for pinned actions, few rights,
no credentials left behind and no value pasted into a script; actionlint for valid workflows.
Here: who may write, what is published and when, and that the commands exist.
"""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
ACTIONS = sorted((GITHUB / "actions").glob("*/action.yml"))
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8").replace("\\\n", " ")
# A reference with its hash, and the version that the hash had when somebody looked.
USES = re.compile(r"^\s*(?:- )?uses: ([^.\s]\S+)(?: # (v\d+\.\d+\.\d+))?$", re.MULTILINE)
WRITES = {
    ("ci.yml", "publish"): {"contents": "write", "pages": "write", "id-token": "write"},
    ("publish.yml", "site"): {"pages": "write", "id-token": "write"},
    ("publish.yml", "colab"): {"contents": "write"},
    ("release.yml", "attach"): {"contents": "write"},
    ("weekly.yml", "report"): {"issues": "write"},
}


def load(name: str) -> dict:
    workflow = yaml.safe_load((GITHUB / "workflows" / name).read_text(encoding="utf-8"))
    # YAML 1.1 reads the key "on" as true.
    workflow["on"] = workflow.pop(True)
    return workflow


def jobs() -> list[tuple[str, str, dict]]:
    return [
        (path.name, job, content)
        for path in WORKFLOWS
        for job, content in load(path.name)["jobs"].items()
    ]


def made_by(script: str) -> set[str]:
    """Return the targets that a script asks make for."""
    calls = re.findall(r"\bmake ([^\n|;&#]+)", re.sub(r'"[^"]*"', "", script))
    return {word for call in calls for word in call.split() if re.fullmatch(r"[a-z][a-z-]*", word)}


def made_in(name: str) -> set[str]:
    """Return the targets that the steps of a workflow ask for."""
    contents = load(name)["jobs"].values()
    return {
        target
        for content in contents
        for step in content.get("steps", [])
        for target in made_by(step.get("run", ""))
    }


def targets() -> dict[str, list[str]]:
    """Return the targets of the Makefile, each with the targets that it is made of."""
    rules = re.findall(r"^([a-z][a-z-]*):(?!=)([^#\n]*)", MAKEFILE, re.MULTILINE)
    return {name: re.findall(r"(?<!\S)[a-z][a-z-]*(?!\S)", needs) for name, needs in rules}


def test_there_are_the_workflows_that_the_guide_describes():
    names = {path.name for path in WORKFLOWS}
    assert names == {"ci.yml", "publish.yml", "release.yml", "weekly.yml"}
    guide = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in guide for name in names)


def test_one_version_of_an_action_everywhere_and_its_name_beside_the_hash():
    text = "\n".join(path.read_text(encoding="utf-8") for path in [*WORKFLOWS, *ACTIONS])
    versions = {}
    for reference, version in USES.findall(text):
        assert version, f"{reference} needs a comment with its version"
        versions.setdefault(reference.split("@")[0], set()).add((reference, version))
    assert versions and all(len(pins) == 1 for pins in versions.values()), versions


@pytest.mark.parametrize(("name", "job", "content"), jobs(), ids=lambda value: str(value)[:20])
def test_only_named_jobs_may_write_and_each_has_a_time_limit(name, job, content):
    rights = content.get("permissions", load(name)["permissions"])
    writes = {right: value for right, value in rights.items() if value != "read"}
    assert writes == WRITES.get((name, job), {})
    if "uses" not in content:
        assert 0 < content["timeout-minutes"] <= (20 if name == "ci.yml" else 90)


def test_scripts_are_valid_shell():
    # actionlint asks shellcheck, where the machine has it; bash is everywhere but on Windows.
    if not shutil.which("bash"):
        pytest.skip("there is no bash")
    for name, job, content in jobs():
        for step in content.get("steps", []):
            script = subprocess.run(["bash", "-n"], input=step.get("run", ""), text=True)
            assert script.returncode == 0, (name, job)


def test_no_owner_is_written_down():
    for path in [*WORKFLOWS, *ACTIONS, GITHUB / "dependabot.yml"]:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"github\.com/|\.github\.io", text), path.name
    assert load("publish.yml")["env"]["BOOK_REPOSITORY"] == "${{ github.repository }}"


def test_only_what_passed_on_the_default_branch_is_published():
    assert load("publish.yml")["on"] == {"workflow_call": None}
    callers = [
        (name, job)
        for name, job, content in jobs()
        if content.get("uses", "").endswith("/publish.yml")
    ]
    assert callers == [("ci.yml", "publish")]
    tests = load("ci.yml")["jobs"]
    publish = tests.pop("publish")
    assert sorted(publish["needs"]) == sorted(tests)
    # Without always() or failure() a job runs only where those that it needs succeeded.
    assert publish["if"] == (
        "(github.event_name == 'push' || github.event_name == 'workflow_dispatch') "
        "&& github.ref_name == github.event.repository.default_branch"
    )
    for job, content in tests.items():
        # Neither a job nor a step may be left out, or fail without being noticed.
        for part in [content, *content["steps"]]:
            assert not part.keys() & {"if", "continue-on-error"}, job
    for job in ("site", "colab"):
        assert load("publish.yml")["jobs"][job]["needs"] == "build"


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_ask_make_only_for_what_it_can_make(path):
    assert made_in(path.name) - targets().keys() == set()


def test_what_is_tested_here_is_tested_there():
    """What .ci/run makes, GitHub makes on a push, or each of its parts; what is slow, weekly."""
    pushed, parts = made_in("ci.yml"), targets()
    # A page is built by the tests that look at it.
    pushed |= {need for target in pushed for need in parts.get(target, [])}

    def is_made(target: str) -> bool:
        if target in pushed:
            return True
        if needs := parts.get(target):
            return all(map(is_made, needs))
        return target in made_in("weekly.yml")

    wanted = made_by((ROOT / ".ci" / "run").read_text(encoding="utf-8"))
    wanted -= {"environments"}  # two at a time there; elsewhere what needs one makes it
    assert wanted and [target for target in sorted(wanted) if not is_made(target)] == []


def test_a_push_leaves_nothing_aside():
    """What .ci/run does in short, a job does whole."""
    assert "SHORT=1" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert not any("SHORT" in path.read_text(encoding="utf-8") for path in WORKFLOWS)
    assert made_in("ci.yml") >= {"test-site", "study-smoke", "test-colab"}


def test_other_systems_test_the_library_as_make_does():
    rule = r"^MATRIX_TESTS := \$\(addprefix (\S+), (.*)\) (.*)$"
    prefix, files, package = re.search(rule, MAKEFILE, re.MULTILINE).groups()
    listed = [*(prefix + file for file in files.split()), package]
    run = load("ci.yml")["jobs"]["systems"]["steps"][-1]["run"]
    assert run.split()[-len(listed) :] == listed


def test_a_push_has_the_locked_versions_and_the_week_the_newest():
    assert load("weekly.yml")["env"] == {"UNLOCKED": "1"}
    others = [path for path in WORKFLOWS if path.name != "weekly.yml"]
    assert not any("UNLOCKED" in path.read_text(encoding="utf-8") for path in others)
    installs = re.findall("pip install.*", (GITHUB / "workflows" / "ci.yml").read_text("utf-8"))
    assert installs and all("-c constraints.txt" in command for command in installs)


def test_the_weekly_check_runs_in_colabs_image_and_reports_once():
    weekly = load("weekly.yml")
    assert "schedule" in weekly["on"]
    image = weekly["jobs"]["colab-image"]["env"]["IMAGE"]
    assert image.startswith("us-docker.pkg.dev/colab-images/")
    report = weekly["jobs"].pop("report")
    assert sorted(report["needs"]) == sorted(weekly["jobs"])
    assert report["if"] == (
        "!cancelled() && (contains(needs.*.result, 'failure') "
        "|| contains(needs.*.result, 'cancelled'))"
    )
    script = report["steps"][0]["run"]
    assert script.index("gh issue list") < script.index("gh issue create")


def test_dependabot_looks_after_actions_and_packages_but_not_the_lock():
    settings = yaml.safe_load((GITHUB / "dependabot.yml").read_text(encoding="utf-8"))
    updates = {update["package-ecosystem"]: update for update in settings["updates"]}
    assert (settings["version"], updates.keys()) == (2, {"github-actions", "pip"})
    assert updates["pip"]["exclude-paths"] == ["constraints.txt"]
    folders = [f"/{path.parent.relative_to(ROOT).as_posix()}" for path in ACTIONS]
    assert updates["github-actions"]["directories"] == ["/", *folders]
