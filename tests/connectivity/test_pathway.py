"""A weight matrix that knows which weights may exist and which signs they may have."""

import dataclasses

import numpy as np
import pytest
import xarray as xr

from biornn.connectivity import Pathway

MASK = np.array([[True, False, True], [True, True, True]])
SIGN = np.array([1, -1], np.int8)
WEIGHTS = np.array([[1.0, 0.0, 2.0], [-1.0, 0.0, -3.0]])


def test_violations_are_counted_one_by_one():
    pathway = Pathway(MASK, SIGN, WEIGHTS)
    assert pathway.violations(WEIGHTS) == 0
    assert pathway.violations(np.array([[1.0, 5.0, 0.0], [0.0, 0.0, 0.0]])) == 1  # masked
    assert pathway.violations(np.array([[-1.0, 0.0, 0.0], [2.0, 3.0, -4.0]])) == 3  # wrong signs
    assert pathway.violations(np.array([[0.0, -5.0, 0.0], [0.0, 0.0, 0.0]])) == 1  # both at once: one weight


def test_dale_fixes_rows_and_not_columns():
    square = np.ones((2, 2), bool)
    row_signs = np.array([[1.0, 1.0], [-1.0, -1.0]])
    assert Pathway(square, SIGN, row_signs).violations(row_signs.T) == 2


def test_units_without_a_sign_take_either():
    pathway = Pathway(MASK, np.zeros(2, np.int8), WEIGHTS)
    assert pathway.violations(-WEIGHTS) == 0


@pytest.mark.parametrize(
    ("mask", "sign", "is_masked", "is_signed"),
    [
        (MASK, SIGN, True, True),
        (MASK, np.zeros(2, np.int8), True, False),
        (np.ones_like(MASK), np.array([0, -1], np.int8), False, True),
        (np.ones_like(MASK), np.zeros(2, np.int8), False, False),
    ],
)
def test_knows_whether_it_constrains(mask, sign, is_masked, is_signed):
    pathway = Pathway(mask, sign, WEIGHTS)
    assert (pathway.is_masked, pathway.is_signed) == (is_masked, is_signed)


def test_is_frozen_and_read_only():
    pathway = Pathway(MASK, SIGN, WEIGHTS)
    for array in (pathway.mask, pathway.sign, pathway.initial_weights):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    with pytest.raises(dataclasses.FrozenInstanceError):
        pathway.mask = MASK


def test_shares_no_memory_with_the_arrays_it_was_given():
    given = MASK.copy(), SIGN.copy(), WEIGHTS.copy()
    pathway = Pathway(*given)
    for array in given:
        array[:] = 0  # would fail if the caller's arrays had been frozen
    np.testing.assert_array_equal(pathway.mask, MASK)
    np.testing.assert_array_equal(pathway.sign, SIGN)
    np.testing.assert_array_equal(pathway.initial_weights, WEIGHTS)


@pytest.mark.parametrize(
    ("sign", "weights", "message"),
    [
        (np.ones(3, np.int8), WEIGHTS, r"expected shapes \(2,\) and \(2, 3\), got \(3,\) and \(2, 3\)"),
        (SIGN, WEIGHTS.T, r"expected shapes \(2,\) and \(2, 3\), got \(2,\) and \(3, 2\)"),
        (SIGN, -WEIGHTS, "initial_weights: expected values that keep to mask and sign, got 4 that do not"),
        (SIGN, np.where(MASK, WEIGHTS, 0.1), "initial_weights: .* got 1 that do not"),
    ],
)
def test_refuses_shapes_that_differ_and_weights_that_break_the_constraint(sign, weights, message):
    with pytest.raises(ValueError, match=message):
        Pathway(MASK, sign, weights)


def test_labelled_arrays_are_refused_since_only_places_say_what_is_presynaptic():
    with pytest.raises(
        TypeError, match="mask: expected a numpy array, presynaptic units along its rows, got DataArray"
    ):
        Pathway(xr.DataArray(MASK), SIGN, WEIGHTS)
