"""What wrong results have to do with the right ones: each relation is named, and no other is."""

import numpy as np
import pytest

from vae_tutorial.exercises._relations import related

MIXED = [np.array([2.7, -1.2, 4.4]), np.array([0.7, 3.3, -2.6])]
ABOVE_0 = [np.array([2.7, 1.2, 4.4]), np.array([0.7, 3.3, 2.6])]
TABLES = [np.array([[1.5, 2.5, -3.0], [4.0, 0.5, 6.5]]), np.array([[7.0, 8.5], [-1.0, 2.0]])]
NUMBERS = [np.float64(5.5), np.float64(-3.0)]
MASKS = [np.array([True, False, False]), np.array([True, True, False])]
BYTES = [np.array([1, 2, 9], np.uint8), np.array([7, 3, 5], np.uint8)]
PAIRS = [(np.array([1.0, 2.0]), 3.0), (np.array([4.0, -5.0]), 6.0)]
RIGHT_AT_FIRST = [(array, number + 1) for array, number in PAIRS]
RIGHT_AT_LAST = [(array + np.array([1, 0]), number) for array, number in PAIRS]

# What is right, what came instead, and what must be said.
SAID = [
    (MIXED, lambda w: -w, "with the opposite sign"),
    (BYTES, lambda w: -w.astype(int), "with the opposite sign"),
    (TABLES, lambda w: w.T, "with rows and columns exchanged"),
    (MIXED, lambda w: w[:, np.newaxis], "with an axis of length 1 too many"),
    (MIXED, lambda w: w[::-1], "in reversed order"),
    (MIXED, lambda w: w[[1, 0, 2]], "in another order"),
    (MIXED, np.round, "rounded to whole numbers"),
    (MIXED, np.trunc, "rounded down"),
    (ABOVE_0, np.sqrt, "the square roots"),
    (MIXED, np.square, "the squares"),
    (MIXED, np.abs, "the absolute values"),
    (MIXED, np.exp, "the exponentials"),
    (ABOVE_0, np.log, "the logarithms"),
    (MIXED, lambda w: 1 / w, "one over the right ones"),
    (MIXED, lambda w: 1 - w, "one minus the right ones"),
    (MASKS, lambda w: ~w, "one minus the right ones"),
    (MIXED, np.sum, "the sum of the right ones, one number"),
    (MIXED, np.mean, "the mean of the right ones, one number"),
    (NUMBERS, lambda w: np.array([w - 1.0, 1.0]), "to be added up over an axis"),
    (MIXED, lambda w: np.stack([w + 2, w - 2], axis=1), "to be averaged over an axis"),
    (MIXED, lambda w: np.stack([w + 2, 0 * w - 2]), "to be added up over an axis"),
    (MIXED, lambda w: w[0], "the first of the right ones only"),
    (MIXED, lambda w: 3 * w, "multiplied by 3."),
    (MIXED, lambda w: w + 2, "plus 2."),
    (MIXED, lambda w: np.array([1.0, 2.0, 3.0]), "the same for every input"),
    # One and the same number is right for all: no factor can be told.
    ([2.0, 2.0], lambda w: np.array(6.0), "the same for every input"),
]


@pytest.mark.parametrize(("wanted", "wrong", "said"), SAID, ids=[said for *_, said in SAID])
def test_what_all_results_have_in_common_is_said(wanted, wrong, said):
    assert said in related(wanted, [wrong(want) for want in wanted])
    # One result that is otherwise, and nothing is true of all.
    assert said not in related(wanted, [wrong(wanted[0]), np.array([1e3, 17.0, -41.5, 0.25])])


@pytest.mark.parametrize(
    ("results", "said"),
    [
        ([pair[::-1] for pair in PAIRS], "in exchanged order"),
        (RIGHT_AT_FIRST, "The first of your results is right, the second is not."),
        (RIGHT_AT_LAST, "The second of your results is right, the first is not."),
        ([RIGHT_AT_FIRST[0], RIGHT_AT_LAST[1]], ""),
    ],
)
def test_which_part_of_a_pair_is_right_is_said(results, said):
    found = related(PAIRS, results)
    assert said in found and bool(said) == bool(found)


LARGE = [np.array([100.0, 300.0]), np.array([200.0, 250.0])]


@pytest.mark.parametrize(
    ("wanted", "results"),
    [
        (MIXED, [ValueError("stopped"), -MIXED[1]]),
        (MIXED, [np.array(["a", "b", "c"])] * 2),
        (MIXED, [w[:2] for w in MIXED]),
        (MIXED, [w * np.array([1.0, 2.0, 3.0]) for w in MIXED]),
        (MIXED, [w * 1.0005 for w in MIXED]),  # hardly a factor
        (LARGE, [w + 0.05 for w in LARGE]),  # hardly a shift
        (MIXED, [w * np.inf for w in MIXED]),
    ],
    ids=["error", "text", "shape", "nothing", "nearly right", "nearly right, large", "infinite"],
)
def test_where_nothing_is_in_common_nothing_is_said(wanted, results):
    assert related(wanted, results) == ""
