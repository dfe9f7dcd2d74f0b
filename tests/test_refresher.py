"""The refresher: its examples run, and its questions have the form of all others."""

import doctest

import nbformat
from nbformat import v4
from notebook_rules import BOX, ROOT, rule_questions_in_the_text

TEXT = (ROOT / "book" / "refresher.md").read_text(encoding="utf-8")


def test_what_it_shows_is_what_numpy_says():
    examples = TEXT.replace("```", "\n")  # a fence would be taken for expected output
    parser, runner = doctest.DocTestParser(), doctest.DocTestRunner(verbose=False)
    test = parser.get_doctest(examples, {}, "refresher", "refresher.md", 0)
    assert len(test.examples) >= 8
    assert runner.run(test).failed == 0


def test_its_questions_have_the_form_of_a_question_in_the_text():
    boxes = [v4.new_markdown_cell(found[0]) for found in BOX.finditer(TEXT)]
    assert len(boxes) == 3
    page = nbformat.from_dict({"cells": boxes})
    assert rule_questions_in_the_text(page) == []
