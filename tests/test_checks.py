"""Checks at the door: what they let through, what they turn away, and what they say."""

import re
from pathlib import Path

import numpy as np
import pytest

from vae_tutorial._checks import (
    check_choice,
    check_count,
    check_images,
    check_labels,
    check_matrix,
    check_number,
    check_path,
)

IMAGES = np.zeros((2, 3, 4, 1))
EDGES = np.array([0, 1]).reshape(1, 1, 1, 2)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.uint8, np.int64])
def test_good_arrays_come_back_in_one_type(dtype):
    images, matrix = check_images(EDGES.astype(dtype)), check_matrix(np.eye(2, dtype=dtype), "x")
    assert (images.dtype, matrix.dtype) == (np.float32, np.float32)
    np.testing.assert_array_equal(images, EDGES)
    np.testing.assert_array_equal(matrix, np.eye(2))


def test_nothing_is_copied_without_need():
    images, matrix = np.zeros((1, 1, 1, 1), np.float32), np.zeros((1, 1), np.float32)
    labels = np.zeros(1, np.int64)
    assert check_images(images) is images
    assert check_matrix(matrix, "x", columns=1) is matrix
    assert check_labels(labels, length=1) is labels


def test_lists_are_arrays_too():
    assert check_matrix([[1, 2]], "x", columns=2).tolist() == [[1, 2]]
    labels = check_labels([3, 1])
    assert (labels.dtype, labels.tolist()) == (np.int64, [3, 1])
    assert check_labels(np.array([7], np.uint8)).dtype == np.int64


def test_numbers_at_their_limits_pass_as_plain_numbers():
    assert check_count(np.int8(1), "n") == 1
    assert type(check_count(np.int8(1), "n")) is int
    assert check_count(-2, "n", at_least=-2) == -2
    assert check_count(5, "n", at_most=5) == 5
    assert type(check_number(np.float32(0.5), "x")) is float
    assert check_number(2, "x", at_least=2, at_most=2) == 2.0
    assert check_number(-1e300, "x") == -1e300
    assert check_choice("b", "x", ("a", "b")) == "b"


def test_a_path_may_be_text_and_begin_at_home():
    for path in ("~/digits", Path("~/digits")):
        assert check_path(path, "folder") == Path.home() / "digits"
    assert check_path("digits", "folder") == Path("digits")


@pytest.mark.parametrize("excess", [1e-12, 1e-7, 2**-23, 2**-22])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rounding_of_float32_at_the_limits_is_allowed_for(excess, dtype):
    images = np.array([-excess, 0.5, 1 + excess], dtype).reshape(1, 1, 3, 1)
    before = images.copy()
    checked = check_images(images)
    assert checked.dtype == np.float32
    assert checked.ravel().tolist() == [0, 0.5, 1]
    np.testing.assert_array_equal(images, before)  # the caller's own array is left alone


@pytest.mark.parametrize("excess", [2**-20, 1e-5, 1e-3, 1e-2])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_is_more_than_rounding_is_refused_in_words_that_agree_with_themselves(excess, dtype):
    for images in (EDGES * dtype(1 + excess), EDGES - dtype(excess)):
        with pytest.raises(ValueError, match="clip") as caught:
            check_images(images)
        low, high = re.search("values from (.*) to (.*);", str(caught.value)).groups()
        assert float(low) < 0 or float(high) > 1
        assert "divide" not in str(caught.value)
        check_images(images.clip(0, 1))  # as the message advises


LABELS = np.array([0, 0, 1, 1])
NAMES = np.array(["cat", "cat", "dog", "dog"])
# Labels of a wrong kind, the advice that the message must hold, and what following it must give.
ADVICE = {
    "a mask": (LABELS == 1, "np.flatnonzero(mask)", [2, 3]),
    "two classes": (LABELS == 1, "mask.astype(int)", LABELS),
    "whole floats": (LABELS / 1, "mask.astype(int)", LABELS),
    "one column": (LABELS[:, None], "mask.ravel()", LABELS),
    "one row": (LABELS[None], "mask.ravel()", LABELS),
    "one-hot": (np.eye(3)[LABELS], "mask.argmax(axis=1)", LABELS),
    "one-hot, whole": (np.eye(3, dtype=int)[LABELS], "mask.argmax(axis=1)", LABELS),
    "one-hot, bool": (np.eye(3, dtype=bool)[LABELS], "mask.argmax(axis=1)", LABELS),
    "whole numbers as objects": (LABELS.astype(object), "mask.astype(int)", LABELS),
    "names": (NAMES, "np.unique(mask, return_inverse=True)[1]", LABELS),
    "names as objects": (NAMES.astype(object), "np.unique(mask, return_inverse=True)[1]", LABELS),
}


@pytest.mark.parametrize("kind", ADVICE)
def test_the_advice_on_labels_fits_and_following_it_gives_the_right_answer(kind):
    mask, advice, wanted = ADVICE[kind]
    with pytest.raises((TypeError, ValueError)) as caught:
        check_labels(mask, "mask")
    message = str(caught.value)
    assert message.startswith("mask must ")
    assert advice in message
    followed = eval(advice, {"np": np, "mask": mask})
    np.testing.assert_array_equal(check_labels(followed), wanted)


# Kinds that no conversion mends, what the message must say of them, and words that would mislead.
NO_WAY_OUT = {
    "missing": (np.array([0, np.nan]), "holds NaN"),
    "infinite": (np.array([0, np.inf]), "holds infinity"),
    "fractions": (np.array([0, 0.5]), "got 0.5"),
    "missing, as None": ([0, None], "got None"),
    "names with gaps": (["cat", None], "got None"),
    "beyond 64 bits": ([10**30], "got 10{30} "),
    "probabilities": (np.full((2, 3), 1 / 3), r"shape \(n,\), got \(2, 3\)"),
    "several labels an image": (np.ones((2, 3), int), r"shape \(n,\), got \(2, 3\)"),
    "nothing": ([], "but it is empty"),
    "no columns": (np.zeros((3, 0)), r"shape \(n,\), got \(3, 0\)"),
    "one number": (3, r"shape \(n,\), got \(\)"),
    "dates": (np.array(["2026-01-01"], "datetime64[D]"), "of type datetime64"),
    "a mask among objects": (np.array([True, False], object), "got True of type bool"),
    "one of them beyond 64 bits": ([3, 10**30], "got 10{30} of type int"),
    "a float beyond 64 bits": ([3, 1e30], r"got 1e\+30"),
    "names and numbers": (np.array(["cat", 1], object), "got 'cat' of type str"),
    "names and a truth value": (np.array(["cat", True], object), "got True of type bool"),
    "names, numbers and gaps": (np.array(["cat", 1, None], object), "got None"),
}


@pytest.mark.parametrize("kind", NO_WAY_OUT)
def test_no_conversion_is_advised_where_none_is_right(kind):
    labels, words = NO_WAY_OUT[kind]
    with pytest.raises((TypeError, ValueError), match=words) as caught:
        check_labels(labels)
    for advice in ("astype", "ravel", "argmax", "np.unique"):
        assert advice not in str(caught.value)


BAD_INPUTS = [
    (lambda: check_images(IMAGES.astype(str)), TypeError, "images must be numbers, got dtype <U32"),
    (lambda: check_images(IMAGES > 0), TypeError, "images must be numbers, got dtype bool"),
    (lambda: check_images(IMAGES[0]), ValueError, "channels\\), got \\(3, 4, 1\\); add a missing"),
    (lambda: check_images(IMAGES[None]), ValueError, "channels\\), got \\(1, 2, 3, 4, 1\\)"),
    (lambda: check_images(IMAGES[:0]), ValueError, "images is empty, shape \\(0, 3, 4, 1\\)"),
    (lambda: check_images(IMAGES + np.inf), ValueError, "images holds NaN or infinity"),
    (lambda: check_images(IMAGES - 0.5), ValueError, "got values from -0.5 to -0.5; divide"),
    (lambda: check_images(IMAGES + 1.5), ValueError, "got values from 1.5 to 1.5; divide"),
    (lambda: check_images(EDGES * 255), ValueError, "got values from 0 to 255; divide 8-bit"),
    (lambda: check_images(IMAGES[0], "first"), ValueError, "^first must have shape"),
    (lambda: check_matrix([["a"]], "x"), TypeError, "x must be numbers, got dtype <U1"),
    (
        lambda: check_matrix([[True]], "x"),
        TypeError,
        "x must be numbers, got dtype bool; use x.ast",
    ),
    (lambda: check_matrix([1, 2], "x"), ValueError, "x must have two axes .* got shape \\(2,\\)"),
    (lambda: check_matrix(IMAGES, "x"), ValueError, "x must have two axes"),
    (lambda: check_matrix(np.zeros((0, 2)), "x"), ValueError, "x is empty, shape \\(0, 2\\)"),
    (lambda: check_matrix(np.eye(2), "x", columns=3), ValueError, "x must have 3 columns, got 2"),
    (lambda: check_matrix(np.eye(2), "x", columns=1), ValueError, "x must have 1 columns, got 2"),
    (lambda: check_matrix([[1, np.nan]], "x"), ValueError, "x holds NaN or infinity"),
    (lambda: check_labels([0.5]), TypeError, "labels must be whole numbers, got 0.5"),
    (lambda: check_labels([1.0]), TypeError, "labels must be whole numbers, got dtype float64"),
    (lambda: check_labels([True]), TypeError, "labels must be whole numbers, got dtype bool"),
    (lambda: check_labels([[1]]), ValueError, "labels must have shape \\(n,\\), got \\(1, 1\\)"),
    (lambda: check_labels(np.zeros(0, int)), ValueError, "labels is empty"),
    (lambda: check_labels([1, 2], length=3), ValueError, "labels must have 3 entries, got 2"),
    (lambda: check_labels([1, 2], length=1), ValueError, "labels must have 1 entries, got 2"),
    (lambda: check_count(0, "n"), ValueError, "n must be at least 1, got 0"),
    (lambda: check_count(6, "n", at_most=5), ValueError, "n must be at most 5, got 6"),
    (lambda: check_count(True, "n"), TypeError, "whole number, got True of type bool"),
    (lambda: check_count(2.0, "n"), TypeError, "whole number, got 2.0 of type float"),
    (lambda: check_number("1", "x"), TypeError, "x must be a number, got '1' of type str"),
    (lambda: check_number(True, "x"), TypeError, "x must be a number, got True of type bool"),
    (lambda: check_number(np.inf, "x"), ValueError, "x must be finite, at least -inf, got inf"),
    (lambda: check_number(-np.inf, "x"), ValueError, "x must be finite"),
    (lambda: check_number(np.nan, "x"), ValueError, "x must be finite"),
    (lambda: check_number(-1, "x", at_least=0), ValueError, "finite, at least 0, got -1"),
    (lambda: check_number(2, "x", at_least=0, at_most=1), ValueError, "finite, 0 to 1, got 2"),
    (lambda: check_choice(1, "x", "ab"), TypeError, "x must be a string, got int"),
    (lambda: check_choice("c", "x", ("a", "b")), ValueError, "one of 'a', 'b', got 'c'"),
    (lambda: check_path(3, "folder"), TypeError, "folder must be a path, got 3 of type int"),
    (lambda: check_path("", "folder"), ValueError, "empty string; pass '.' for the current"),
]


@pytest.mark.parametrize(("call", "error", "message"), BAD_INPUTS)
def test_bad_input_is_refused_in_words(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_number_beyond_every_float_is_refused_in_the_usual_words():
    with pytest.raises(ValueError, match="beta must be finite, at least 0, got inf"):
        check_number(10**400, "beta", at_least=0)
