"""The workflows of GitHub: pinned, with few rights, right in every fork, publishing what passed."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

GITHUB = Path(__file__).resolve().parents[1] / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}")
# A reference with its hash, and the version that the hash had when somebody looked.
USES = re.compile(r"^\s*(?:- )?uses: (\S+)(?: # (v\d+\.\d+\.\d+))?$", re.MULTILINE)
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


def test_there_are_the_workflows_that_the_guide_describes():
    names = {path.name for path in WORKFLOWS}
    assert names == {"ci.yml", "publish.yml", "release.yml", "weekly.yml"}
    guide = (GITHUB.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in guide for name in names)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_action_is_pinned_by_hash_with_its_version_beside_it(path):
    text = path.read_text(encoding="utf-8")
    found = USES.findall(text)
    assert len(found) == len(re.findall(r"\buses:", text))
    for reference, version in found:
        assert reference.startswith("./") or (PINNED.fullmatch(reference) and version), reference


def test_one_version_of_an_action_everywhere():
    text = "\n".join(path.read_text(encoding="utf-8") for path in WORKFLOWS)
    versions = {}
    for reference, version in USES.findall(text):
        versions.setdefault(reference.split("@")[0], set()).add((reference, version))
    assert all(len(pins) == 1 for pins in versions.values()), versions


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_rights_are_least_by_default(path):
    workflow = load(path.name)
    assert workflow["permissions"] in ({}, {"contents": "read"})
    assert "group" in workflow["concurrency"]


@pytest.mark.parametrize(("name", "job", "content"), jobs(), ids=lambda value: str(value)[:20])
def test_only_named_jobs_may_write_and_each_has_a_time_limit(name, job, content):
    rights = content.get("permissions", {})
    writes = {right: value for right, value in rights.items() if value != "read"}
    assert writes == WRITES.get((name, job), {})
    if "uses" not in content:
        assert 0 < content["timeout-minutes"] <= 90


def test_no_checkout_leaves_its_credentials_behind():
    for name, job, content in jobs():
        for step in content.get("steps", []):
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False, (name, job)


def test_scripts_read_values_of_github_from_the_environment():
    # A value pasted into a script could carry commands: a title, a branch's name.
    for name, job, content in jobs():
        for step in content.get("steps", []):
            assert "${{" not in step.get("run", ""), (name, job)
            script = subprocess.run(["bash", "-n"], input=step.get("run", ""), text=True)
            assert script.returncode == 0, (name, job)


def test_no_owner_is_written_down():
    for path in [*WORKFLOWS, GITHUB / "dependabot.yml"]:
        text = path.read_text(encoding="utf-8")
        without_uses = USES.sub("", text)
        assert not re.search(r"github\.com/|\.github\.io", without_uses), path.name
        owners = {reference.split("/")[0] for reference, _ in USES.findall(text)}
        assert owners <= {"actions", "."}, path.name
    assert load("publish.yml")["env"]["BOOK_REPOSITORY"] == "${{ github.repository }}"


def test_only_what_passed_on_the_default_branch_is_published():
    assert load("publish.yml")["on"] == {"workflow_call": None}
    callers = [
        (name, job)
        for name, job, content in jobs()
        if content.get("uses", "").endswith("/publish.yml")
    ]
    assert callers == [("ci.yml", "publish")]
    publish = load("ci.yml")["jobs"]["publish"]
    assert publish["needs"] == ["book-and-tests", "matrix"]
    # Without always() or failure() a job runs only where those that it needs succeeded.
    assert publish["if"] == (
        "(github.event_name == 'push' || github.event_name == 'workflow_dispatch') "
        "&& github.ref_name == github.event.repository.default_branch"
    )
    tests = load("ci.yml")["jobs"]["book-and-tests"]
    assert {"run": ".ci/run", "env": {"PYTHON": "python"}} in tests["steps"]
    assert not any(step.get("continue-on-error") for step in tests["steps"])
    for job in ("site", "colab"):
        assert load("publish.yml")["jobs"][job]["needs"] == "build"


def test_the_weekly_check_runs_in_colabs_image_and_reports_once():
    weekly = load("weekly.yml")
    assert "schedule" in weekly["on"]
    assert weekly["jobs"]["colab"]["env"]["IMAGE"].startswith("us-docker.pkg.dev/colab-images/")
    report = weekly["jobs"]["report"]
    assert (report["needs"], report["if"]) == (["colab", "links"], "failure()")
    script = report["steps"][0]["run"]
    assert script.index("gh issue list") < script.index("gh issue create")


def test_dependabot_looks_after_actions_and_packages():
    settings = yaml.safe_load((GITHUB / "dependabot.yml").read_text(encoding="utf-8"))
    kinds = {update["package-ecosystem"] for update in settings["updates"]}
    assert (settings["version"], kinds) == (2, {"github-actions", "pip"})
