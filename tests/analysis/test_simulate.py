"""Networks run again with numpy: closed forms here, Keras's own activity in tests/training/test_recording.py."""

import numpy as np
import pytest
import xarray as xr

from biornn.analysis import simulate


def linear_network(formulation: str, alpha: float = 0.25, n_units: int = 3) -> xr.Dataset:
    rng = np.random.default_rng(0)
    return xr.Dataset(
        {
            "input_weights": (("input_channel", "unit"), rng.normal(size=(1, n_units))),
            "recurrent_weights": (("unit_pre", "unit_post"), rng.normal(size=(n_units, n_units)) / 2),
            "output_weights": (("unit", "output_channel"), rng.normal(size=(n_units, 2))),
            "recurrent_bias": ("unit", np.zeros(n_units)),
            "output_bias": ("output_channel", [0.5, -0.5]),
            "initial_state": ("unit", rng.normal(size=n_units)),
            "alpha": ("unit", np.full(n_units, alpha)),
            "activation": ((), "linear"),
            "formulation": ((), formulation),
        }
    )


def silence(n_steps: int = 7) -> xr.DataArray:
    return xr.DataArray(np.zeros((1, n_steps, 1)), dims=("trial", "time", "input_channel"))


@pytest.mark.parametrize("formulation", ["rate", "current"])
def test_a_linear_network_is_a_matrix_power(formulation: str) -> None:
    network = linear_network(formulation)
    step = 0.75 * np.eye(3) + 0.25 * network.recurrent_weights.values
    expected = network.initial_state.values @ np.linalg.matrix_power(step, 7)
    activity = simulate(network, silence(7))
    # Seven products of order one in float64.
    np.testing.assert_allclose(activity.rates[0, -1], expected, rtol=1e-12)
    expected_outputs = expected @ network.output_weights.values + [0.5, -0.5]
    np.testing.assert_allclose(activity.outputs[0, -1], expected_outputs, rtol=1e-12)


def test_rates_are_those_after_the_input_at_the_same_time() -> None:
    network = linear_network("rate", alpha=1.0)
    network["initial_state"] = network.initial_state * 0
    inputs = silence(3)
    inputs[0, 0, 0] = 2.0
    rates = simulate(network, inputs).rates[0]
    np.testing.assert_allclose(rates[0], 2 * network.input_weights[0], rtol=1e-12)
    np.testing.assert_allclose(rates[1], rates[0].values @ network.recurrent_weights.values, rtol=1e-12)


def test_in_the_current_form_rates_are_the_activation_of_the_state() -> None:
    network = linear_network("current", alpha=1.0)
    network["activation"] = ((), "relu")
    network["recurrent_weights"] = network.recurrent_weights * 0 - np.eye(3)
    network["initial_state"] = ("unit", [1.0, -1.0, 2.0])
    # x -> -relu(x): negative or zero currents, hence silence, at once.
    np.testing.assert_array_equal(simulate(network, silence(2)).rates, 0)
    network["recurrent_weights"] = -network.recurrent_weights
    np.testing.assert_array_equal(simulate(network, silence(2)).rates[0, -1], [1, 0, 2])


def test_several_networks_and_the_last_epoch_are_taken() -> None:
    rate, current = linear_network("rate"), linear_network("current", alpha=0.5)
    both = xr.concat([rate, current], dim=xr.Variable("network", ["a", "b"]))
    both["recurrent_weights"] = xr.concat([both.recurrent_weights * 0, both.recurrent_weights], dim="epoch")
    activity = simulate(both, silence())
    for name, one in {"a": rate, "b": current}.items():
        xr.testing.assert_allclose(activity.sel(network=name, drop=True), simulate(one, silence()), rtol=1e-12)
    frozen = simulate(both.isel(epoch=[0]), silence())
    assert abs(frozen.rates - activity.rates).max() > 0.01


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (silence().squeeze("trial"), "expected dims trial, time, input_channel with 1 channels"),
        (xr.concat([silence(), silence()], "input_channel"), "with 1 channels, got .*'input_channel': 2"),
    ],
)
def test_inputs_that_do_not_fit_are_refused(inputs: xr.DataArray, message: str) -> None:
    with pytest.raises(ValueError, match=f"inputs: .*{message}"):
        simulate(linear_network("rate"), inputs)


def test_an_unknown_activation_is_refused() -> None:
    with pytest.raises(ValueError, match=r"activation: expected one of .*'tanh'.*, got 'swoosh'"):
        simulate(linear_network("rate").assign(activation=((), "swoosh")), silence())
