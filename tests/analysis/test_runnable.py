import numpy as np
import pytest
import xarray as xr

from biornn.analysis.runnable import runnable
from biornn.analysis.simulate import simulate
from tests.analysis.networks import network, with_those_that_cannot_run

INPUTS = xr.DataArray(np.ones((1, 3, 1)), dims=("trial", "time", "input_channel"))


def a_network():
    return network([[0.5]], [[1.0]], [[1.0]], activation="relu")


def test_only_networks_that_can_be_run_keep_their_weights():
    weights = with_those_that_cannot_run(a_network())
    safe, can_run = runnable(weights)
    assert can_run.values.tolist() == [True, False, False, False]
    outputs = simulate(safe, INPUTS).outputs
    np.testing.assert_array_equal(outputs[0], simulate(a_network(), INPUTS).outputs)
    np.testing.assert_array_equal(outputs[1:], 0)  # silent


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("name", ["recurrent_bias", "initial_state", "alpha", "input_weights"])
def test_one_number_that_is_not_finite_is_enough(name, bad):
    weights = a_network()
    weights[name] = weights[name] * bad
    assert not runnable(weights)[1]


def test_the_last_snapshot_counts():
    weights = a_network()
    both = xr.concat([weights.recurrent_weights, weights.recurrent_weights * np.nan], dim="snapshot")
    assert not runnable(weights.assign(recurrent_weights=both))[1]
    assert runnable(weights.assign(recurrent_weights=both[::-1]))[1]
