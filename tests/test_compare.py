"""Arrays against expected arrays: located, and said in words."""

import numpy as np
import pytest

from autograder.answers.compare import axis_words, compare
from autograder.answers.finding import Finding, Kind
from autograder.answers.leaf import Leaf
from autograder.report import sentences
from autograder.report.sentences import sentence

WORDS = ("time step", "unit", "sequence")
RNG = np.random.default_rng(0)


def found(got, expected, words=WORDS):
    return compare(Leaf("s"), got, expected, words[-expected.ndim :] if expected.ndim else (), 1e-8, 1e-10)


def test_the_first_wrong_entry_is_named_by_time_step_unit_and_sequence():
    expected = RNG.normal(size=(4, 3, 2))
    got = expected.copy()
    got[2, 1, 0] += 1
    message = sentence(found(got, expected))
    assert "time step 3 of 4, unit 2 of 3, sequence 1 of 2 (index [2, 1, 0])" in message
    assert "1 of 24 entries" in message


def test_numbers_are_shown_but_never_the_whole_array():
    expected = RNG.normal(size=(40, 30))
    message = sentence(found(expected + 1, expected))
    assert f"{expected[0, 0]:.6g}" in message
    assert len(message) < 200


@pytest.mark.parametrize(
    ("right_steps", "said"),
    [
        ([3], "only the last time step is right"),
        ([0], "only the first time step is right"),
        ([1, 2, 3], "every time step but the first is right"),
        ([0, 1, 2], "every time step but the last is right"),
        ([0, 1], "time steps 1 to 2 are right"),
        ([2, 3], "time steps 3 to 4 are right"),
    ],
)
def test_what_is_right_along_time_is_said(right_steps, said):
    expected = RNG.normal(size=(4, 3, 2))
    got = expected + 1
    got[right_steps] = expected[right_steps]
    assert said in sentence(found(got, expected))


def test_whole_numbers_that_agree_by_chance_are_no_part_that_is_right():
    classes = np.array([[0, 1, 2, 1, 0]])
    assert found(np.array([[0, 2, 0, 2, 1]]), classes, ("time step", "sequence")).right is None
    bits = np.random.default_rng(1).integers(0, 5, size=(2, 20))
    assert found(np.array([bits[0], bits[0]]), bits, ("time step", "unit")).right == (0, 1, 2)


def test_a_pattern_of_units_is_not_made_up():
    expected = RNG.normal(size=(4, 3, 2))
    got = expected.copy()
    got[:, 0] += 1
    assert found(got, expected).right is None


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ((3, 4), "transposed"),
        ((12,), "merged or split"),
        ((2, 6), "put together along another axis"),
        ((6, 2), "the sizes of the axes are others"),
        ((4, 3, 1), "an axis of size 1 too many"),
        ((3,), "was it summed over, or only one part returned"),
        ((5, 3), "one too many along the first axis"),
    ],
)
def test_a_wrong_shape_is_explained(shape, said):
    assert said in sentence(found(np.zeros(shape), np.ones((4, 3))))


@pytest.mark.parametrize(
    ("leaf", "ndim", "axes", "words"),
    [
        (Leaf("parameters", "weight_ih_l0"), 2, {}, ("row", "column")),
        (Leaf("dW", "ss"), 2, {}, ("row", "column")),
        (Leaf("gates", "f"), 3, {}, ("time step", "unit", "sequence")),
        (Leaf("inputs", "W"), 3, {"inputs": ("direction", "row", "column")}, ("direction", "row", "column")),
        (Leaf("inputs", "B"), 2, {"inputs": ("direction", "row", "column")}, ("row", "column")),
        (Leaf("inputs", "B"), 2, {'inputs["B"]': ("direction", "entry")}, ("direction", "entry")),
    ],
)
def test_weights_have_rows_and_columns_and_no_sequences(leaf, ndim, axes, words):
    assert axis_words(leaf, ndim, axes) == words


def test_the_case_is_told_by_its_whole_numbers():
    one = Finding(Kind.NONE_FOR_ARRAY, Leaf("W"), called_with=(("layer", 1), ("reverse", True)))
    assert sentence(one).endswith("an array is asked for (called with `layer` = 1, `reverse` = True)")


def test_broadcasting_hides_nothing():
    assert found(np.ones((1, 3)), np.ones(3), ("unit",)).kind is Kind.AXIS_ADDED
    assert found(np.ones(3), np.ones((2, 3))).kind is Kind.FIRST_AXIS_LOST


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e308])
def test_nan_and_infinity_are_wrong(bad):
    expected = RNG.normal(size=(3, 2))
    got = expected.copy()
    got[1, 1] = bad
    one = found(got, expected)
    assert (one.kind, one.wrong) == (Kind.VALUE if np.isfinite(bad) else Kind.NOT_FINITE, 1)


def test_rounding_is_forgiven_and_single_precision_is_not():
    expected = RNG.normal(size=(30, 20))
    assert found(expected * (1 + 1e-12), expected) is None
    assert found(expected.astype(np.float32), expected)


@pytest.mark.parametrize("leaf", [Leaf("s_t"), Leaf("dW", "ss"), Leaf("W", 'a "key"]')])
def test_a_leaf_is_read_from_its_text(leaf):
    assert Leaf.read(str(leaf)) == leaf


def test_every_kind_of_finding_has_a_sentence():
    tables = [sentences.ERRORS, sentences.SHAPES, sentences.OTHERS]
    said = [kind for table in tables for kind in table] + [Kind.VALUE, Kind.NOT_FINITE, Kind.CELL_STOPS]
    said.append(Kind.NOT_WHERE_GRADED)
    assert sorted(said) == sorted(Kind)
