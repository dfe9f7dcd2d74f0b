"""What runs in one process: what shares something costly, and nothing else."""

import runpy
from pathlib import Path

import dealing
import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        ("book/elbo.ipynb::Cell 0", "book/elbo.ipynb::Cell 7", True),
        ("book/elbo.ipynb::Cell 0", "book/faq.ipynb::Cell 0", False),
        ("tests/test_metrics.py::test_a", "tests/test_metrics.py::test_b", False),
        ("tests/test_marking.py::test_a", "tests/test_marking.py::test_b", True),
        ("tests/browser/a.py::a[dark-elbo.html]", "tests/browser/b.py::b[elbo.html]", True),
        ("tests/browser/test_a.py::a[elbo.html]", "tests/browser/test_a.py::a[faq.html]", False),
        ("tests/test_site.py::test_a", "tests/test_site.py::test_a_published_book", False),
        ("t.py::test_a_published_book", "t.py::test_an_address_without_a_page", True),
        ("t.py::test_training_improves_it[a-b]", "t.py::test_save_and_load_give[a-b]", True),
        ("t.py::test_training_improves_it[a-b]", "t.py::test_save_and_load_give[a-c]", False),
        ("t.py::test_training_improves_it[a-b]", "t.py::test_another[a-b]", False),
        ("tests/test_b.py::test_the_emoji", "tests/test_b.py::test_the_names[1]", True),
        ("tests/test_b.py::test_the_scale", "tests/test_b.py::test_the_names[1]", False),
    ],
)  # fmt: skip
def test_what_runs_in_one_process(one, other, together):
    assert (dealing.deal(one) == dealing.deal(other)) == together


@pytest.mark.parametrize(("dist", "answer"), [("load", "ours"), ("worksteal", None)])
def test_another_way_of_dealing_can_be_asked_for(pytestconfig, monkeypatch, dist, answer):
    monkeypatch.setattr(pytestconfig.option, "dist", dist)
    monkeypatch.setattr(dealing, "scheduler", lambda config, log: "ours")
    hook = runpy.run_path(ROOT / "conftest.py")["pytest_xdist_make_scheduler"]
    assert hook(pytestconfig, None) == answer
