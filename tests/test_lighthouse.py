"""What is read out of a report of Lighthouse; the program itself runs weekly."""

import copy

import pytest
from lighthouse import problems

REPORT = {
    "categories": {
        "accessibility": {"score": 1, "auditRefs": [{"id": "image-alt", "weight": 10}]},
        "best-practices": {"score": 1, "auditRefs": [{"id": "errors-in-console", "weight": 1}]},
    },
    "audits": {
        "image-alt": {"score": 1},
        "errors-in-console": {"score": 1},
        "cumulative-layout-shift": {"numericValue": 0.01},
    },
}


def test_nothing_is_found_in_a_good_report():
    assert problems(REPORT) == []


@pytest.mark.parametrize(
    ("category", "audit"), [("accessibility", "image-alt"), ("best-practices", "errors-in-console")]
)
def test_a_score_below_100_names_what_failed(category, audit):
    report = copy.deepcopy(REPORT)
    report["categories"][category]["score"] = 0.96
    report["audits"][audit]["score"] = 0
    assert problems(report) == [f"{category} 96: {audit}"]


@pytest.mark.parametrize(("shift", "found"), [(0.049, 0), (0.05, 1)])
def test_a_layout_that_jumps_is_found(shift, found):
    report = copy.deepcopy(REPORT)
    report["audits"]["cumulative-layout-shift"]["numericValue"] = shift
    assert len(problems(report)) == found
