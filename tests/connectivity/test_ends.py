"""Which units get the inputs and which are read out, by which weights, and which of these may change."""

import json

import numpy as np
import pytest
import xarray as xr

from biornn.connectivity import Connectivity

NAMES = ["PV1", "E7", "E2"]
INPUT_MASK = np.array([[1, 0, 1], [0, 0, 1]])
INPUT = np.array([[0.5, 0.0, -0.25], [0.0, 0.0, 2.0]])
READOUT = np.array([[0.0, -0.5], [1.0, 0.0], [0.25, 3.0]])
BOTH = {"input_weights": INPUT, "readout_weights": READOUT, "unit_names": NAMES}


def test_units_in_a_mask_get_every_channel():
    wiring = Connectivity(3, input_mask=[True, False, True], readout_mask=np.array([0, 1, 1]), seed=2)
    for n_channels in (1, 4):
        inputs, outputs = wiring.input(n_channels), wiring.readout(n_channels)
        np.testing.assert_array_equal(inputs.mask, np.tile([1, 0, 1], (n_channels, 1)))
        np.testing.assert_array_equal(outputs.mask, np.tile([[0], [1], [1]], n_channels))
        free = Connectivity(3, seed=2)  # what is left is what it would be without a mask
        np.testing.assert_array_equal(inputs.initial_weights, inputs.mask * free.input(n_channels).initial_weights)
        np.testing.assert_array_equal(outputs.initial_weights, outputs.mask * free.readout(n_channels).initial_weights)
        assert inputs.trainable is outputs.trainable is None


def test_each_channel_may_have_units_and_weights_of_its_own():
    wiring = Connectivity(3, **BOTH, input_mask=INPUT_MASK, readout_mask=READOUT != 0, readout_trainable=READOUT > 0)
    inputs, outputs = wiring.input(2), wiring.readout(2)
    np.testing.assert_array_equal(inputs.mask, INPUT_MASK)
    np.testing.assert_array_equal(inputs.initial_weights, INPUT)
    np.testing.assert_array_equal(outputs.initial_weights, READOUT)
    np.testing.assert_array_equal(outputs.free, READOUT > 0)
    assert Connectivity(3, **BOTH).input(2).mask.all()  # a given zero is learned like others
    again = Connectivity.from_config(json.loads(json.dumps(wiring.get_config())))
    assert again.get_config() == wiring.get_config()
    np.testing.assert_array_equal(again.readout(2).free, outputs.free)
    with pytest.raises(ValueError, match="read-only"):
        wiring.input_weights[0, 0] = 1


@pytest.mark.parametrize("trainable", [False, [0, 0, 1], [[0, 0, 0], [0, 1, 1]]])
def test_random_weights_may_be_fixed(trainable):
    wiring = Connectivity(3, input_trainable=trainable, readout_trainable=trainable and np.transpose(trainable), seed=1)
    expected = np.broadcast_to(trainable, (2, 3))
    np.testing.assert_array_equal(wiring.input(2).free, expected)
    np.testing.assert_array_equal(wiring.readout(2).free, expected.T)
    np.testing.assert_array_equal(wiring.input(2).initial_weights, Connectivity(3, seed=1).input(2).initial_weights)
    assert Connectivity.from_config(wiring.get_config()).input(2).free.sum() == expected.sum()


def test_labels_say_which_unit_and_channel_is_which():
    order = [2, 0, 1]
    weights = xr.DataArray(INPUT, {"unit": NAMES, "input_channel": [0, 1]}, ("input_channel", "unit"))
    mask = xr.DataArray(READOUT != 0, {"unit": NAMES}, ("unit", "output_channel"))
    wiring = Connectivity(
        3,
        unit_names=NAMES,
        input_weights=weights[::-1, order].transpose(),
        readout_mask=mask[order],
        input_mask=xr.DataArray([1, 1, 0], {"unit": ["E2", "PV1", "E7"]}, "unit"),
    )
    np.testing.assert_array_equal(wiring.input(2).initial_weights, INPUT)
    np.testing.assert_array_equal(wiring.input(2).mask[0], [True, False, True])
    np.testing.assert_array_equal(wiring.readout(2).mask, READOUT != 0)
    assert Connectivity(3, readout_mask=mask).unit_names.tolist() == NAMES


def test_signs_hold_for_given_weights_too():
    wiring = Connectivity(3, **BOTH | {"input_weights": abs(INPUT)}, input_sign="non_negative")
    assert (wiring.input(2).sign == 1).all()
    dale = Connectivity(3, **BOTH | {"readout_weights": abs(READOUT)}, cell_type=[1, 1, 0], readout_sign="dale")
    assert dale.readout(2).sign.tolist() == [1, 1, 0]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"input_mask": 1 - INPUT_MASK},
            "input_weights: expected no weight where .*, got 0.5 from input channel 0 to unit 'PV1'; set it to 0, or",
        ),
        (
            {"input_weights": np.where(INPUT == 2, np.nan, INPUT)},
            "input_weights: expected finite weights, got nan from",
        ),
        (
            {"input_sign": "non_negative"},
            "input_weights: expected weights of at least 0 by input_sign, got -0.25 from input channel 0 to unit 'E2'",
        ),
        (
            {"readout_sign": "non_negative"},
            "readout_weights: .* of at least 0 by readout_sign, got -0.5 from unit 'PV1' to output channel 1; chan",
        ),
        (
            {"readout_sign": "dale", "cell_type": [-1, -1, 1]},
            "readout_weights: expected weights of at most 0 from inhibitory units, got 1 from unit 'E7' to output",
        ),
        (
            {"readout_from": "excitatory", "cell_type": [-1, 1, 1]},
            "readout_weights: expected no weight where the mask has no synapse, got -0.5 from unit 'PV1' to output",
        ),
        ({"input_mask": [1, 0, 1], "input_density": 0.5}, "input_mask: expected no input_density beside it, got both"),
        (
            {"readout_mask": [1, 0, 1], "readout_from": "excitatory", "cell_type": [1, 1, 1]},
            "readout_mask: expected no readout_from beside it, got both; drop one of them",
        ),
        ({"input_mask": [1, 2, 1]}, r"input_mask: expected only true and false \(1 and 0\), got 2 from unit 'E7'"),
        ({"readout_mask": np.full((3, 2), np.nan)}, "readout_mask: .*, got nan from unit 'PV1' to output channel 0"),
        ({"input_mask": [1, 0]}, r"input_mask: expected shape \(3,\) or \(input channels, 3\), got \(2,\)"),
        ({"input_mask": np.ones((3, 2))}, r"input_mask: expected shape \(3,\) or \(input channels, 3\), got \(3, 2\)"),
        ({"readout_mask": True}, r"readout_mask: expected shape \(3,\) or \(3, output channels\), got \(\)"),
        ({"readout_trainable": np.ones((3, 0))}, r"readout_trainable: expected shape .*, got \(3, 0\)"),
        ({"readout_weights": [1, 2, 3]}, r"readout_weights: expected shape \(3, output channels\), got \(3,\)"),
        ({"input_weights": [[1, 2, 3], [1]]}, "input_weights: expected a rectangular array of numbers"),
        ({"input_trainable": np.ones((3, 3))}, "input_trainable: expected 2 input channels, as there are, got 3"),
        ({"readout_mask": np.ones((3, 1))}, "readout_weights: expected 1 output channels, as there are, got 2"),
        (
            {"input_mask": xr.DataArray(INPUT_MASK, {"input_channel": ["go", "stop"]}, ("input_channel", "unit"))},
            "input_mask: expected the label of each input channel once along input_channel, got no 0, but 'go'",
        ),
        (
            {"readout_mask": xr.DataArray([1, 1, 0], {"unit": ["a", "b", "c"]}, "unit")},
            "readout_mask: expected the label of each unit once along unit, got no 'PV1', but 'a'",
        ),
    ],
)
def test_contradictions_are_named_in_one_line(settings, message):
    with pytest.raises((ValueError, TypeError), match=f"^{message}") as raised:
        Connectivity(3, **{**BOTH, **settings})
    assert "\n" not in str(raised.value)


def test_another_number_of_channels_is_refused():
    wiring = Connectivity(3, **BOTH)
    with pytest.raises(ValueError, match=r"^input_weights: expected 3 input channels, as there are, got 2"):
        wiring.input(3)
    with pytest.raises(ValueError, match=r"^readout_weights: expected 1 output channels, as there are, got 2"):
        wiring.readout(1)
