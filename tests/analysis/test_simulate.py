"""Networks run again with numpy: closed forms here, Keras's own activity in tests/training/test_recording.py."""

import numpy as np
import pytest
import xarray as xr

from biornn.analysis import simulate
from tests.analysis.networks import network


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


def test_in_the_precision_of_training_it_is_the_same_to_that_precision() -> None:
    network = linear_network("rate")
    exact, quick = simulate(network, silence(7)), simulate(network, silence(7), dtype="float32")
    for name in ("rates", "outputs"):
        assert quick[name].dtype == np.float32
        np.testing.assert_allclose(quick[name], exact[name], rtol=1e-5, atol=1e-6)  # seven products in float32
    assert not (quick.rates == exact.rates).all()
    with pytest.raises(ValueError, match=r"^dtype: expected 'float32' or 'float64', got 'float16'$"):
        simulate(network, silence(), dtype="float16")


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


def test_several_networks_and_the_last_snapshot_are_taken() -> None:
    rate, current = linear_network("rate"), linear_network("current", alpha=0.5)
    both = xr.concat([rate, current], dim=xr.Variable("network", ["a", "b"]))
    both["recurrent_weights"] = xr.concat([both.recurrent_weights * 0, both.recurrent_weights], dim="snapshot")
    activity = simulate(both, silence())
    for name, one in {"a": rate, "b": current}.items():
        xr.testing.assert_allclose(activity.sel(network=name, drop=True), simulate(one, silence()), rtol=1e-12)
    frozen = simulate(both.isel(snapshot=[0]), silence())
    assert abs(frozen.rates - activity.rates).max() > 0.01


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (
            silence().squeeze("trial"),
            r"expected the dims \['trial', 'time', 'input_channel'\], got .*'trial' is missing",
        ),
        (xr.concat([silence(), silence()], "input_channel"), "with 1 channels, got .*'input_channel': 2"),
    ],
)
def test_inputs_that_do_not_fit_are_refused(inputs: xr.DataArray, message: str) -> None:
    with pytest.raises(ValueError, match=f"inputs: .*{message}"):
        simulate(linear_network("rate"), inputs)


def test_channels_and_units_are_told_apart_by_their_labels() -> None:
    weights = network([[0.0, 0.5], [0.25, 0.0]], [[1.0, 0.0], [0.0, 2.0]], [[1.0], [3.0]])
    weights = weights.assign_coords(input_channel=["left", "right"], unit=[0, 1])
    inputs = xr.DataArray(np.random.default_rng(0).random((1, 5, 2)), dims=("trial", "time", "input_channel"))
    inputs = inputs.assign_coords(input_channel=["left", "right"])
    silenced = xr.DataArray([True, False], {"unit": [0, 1]})
    expected = simulate(weights, inputs, silenced=silenced).drop_vars("input_channel", errors="ignore")
    found = simulate(weights, inputs.isel(input_channel=[1, 0]), silenced=silenced.isel(unit=[1, 0]))
    xr.testing.assert_identical(found.drop_vars("input_channel", errors="ignore"), expected)
    with pytest.raises(
        ValueError, match=r"inputs: expected \['left', 'right'\] along input_channel, got \['up', 'right'\]"
    ):
        simulate(weights, inputs.assign_coords(input_channel=["up", "right"]))


def test_an_unknown_activation_is_refused() -> None:
    with pytest.raises(ValueError, match=r"activation: expected one of .*'tanh'.*, got 'swoosh'"):
        simulate(linear_network("rate").assign(activation=((), "swoosh")), silence())


def self_exciting(alpha: list[float], self_weight: float, formulation: str = "rate") -> xr.Dataset:
    """Linear units that hear only themselves."""
    network = linear_network(formulation, n_units=len(alpha))
    network["recurrent_weights"] = network.recurrent_weights * 0 + self_weight * np.eye(len(alpha))
    network["initial_state"] = network.initial_state * 0
    return network.assign(alpha=("unit", alpha))


@pytest.mark.parametrize("formulation", ["rate", "current"])
@pytest.mark.parametrize("self_weight", [0.0, 0.3])
def test_noise_gives_a_linear_unit_the_variance_of_its_autoregression(formulation: str, self_weight: float) -> None:
    alpha = np.array([0.1, 0.5, 1.0])
    inputs = xr.DataArray(np.zeros((200, 400, 1)), dims=("trial", "time", "input_channel"))
    rates = simulate(self_exciting(alpha, self_weight, formulation), inputs, recurrent_noise=0.2, seed=1).rates
    # x[t] = (1 - alpha (1 - w)) x[t - 1] + alpha xi, and xi has the variance 0.2² (2 - alpha) / alpha.
    expected = 0.2**2 * alpha * (2 - alpha) / (1 - (1 - alpha * (1 - self_weight)) ** 2)
    if self_weight == 0:
        np.testing.assert_allclose(expected, 0.2**2, rtol=1e-12)  # what the setting promises, whatever alpha
    # After 100 steps the start is forgotten (0.93**100 < 1e-3). The slowest unit has about 4,300 independent samples,
    # its variance hence a standard error of 2 %.
    variance = rates.isel(time=slice(100, None)).var(["trial", "time"])
    np.testing.assert_allclose(variance, expected, rtol=0.07)


def test_the_same_seed_gives_the_same_noise_in_every_network() -> None:
    one, other = self_exciting([0.5, 0.5], 0.0), self_exciting([0.5, 1.0], 0.0)
    both = xr.concat([one, other], dim=xr.Variable("network", ["a", "b"]))
    rates = simulate(both, silence(), recurrent_noise=0.1, seed=3).rates
    np.testing.assert_array_equal(rates[0, ..., 0], rates[1, ..., 0])
    np.testing.assert_array_equal(simulate(one, silence(), recurrent_noise=0.1, seed=3).rates, rates[0])
    assert abs(simulate(one, silence(), recurrent_noise=0.1, seed=4).rates - rates[0]).max() > 0.01


def test_a_trial_is_the_same_alone_and_among_many() -> None:
    rng = np.random.default_rng(0)
    inputs = xr.DataArray(rng.normal(size=(75, 6, 1)), dims=("trial", "time", "input_channel"))
    network = linear_network("rate")
    rates = simulate(network, inputs, recurrent_noise=0.1, seed=0).rates
    for trials in (slice(1), slice(70)):  # less than is run at once, and more
        # The same sums; a product of another shape may add them in another order.
        np.testing.assert_allclose(
            simulate(network, inputs[trials], recurrent_noise=0.1, seed=0).rates, rates[trials], rtol=1e-12
        )


def test_a_silenced_unit_is_one_without_outgoing_weights() -> None:
    network = linear_network("rate", n_units=4)
    silenced = xr.DataArray(np.eye(4, dtype=bool)[:3], dims=("lesion", "unit"))
    activity = simulate(network, silence(), silenced=silenced)
    assert activity.outputs.dims == ("lesion", "trial", "time", "output_channel")
    for unit in range(3):
        lesioned = network.copy(deep=True)
        lesioned.recurrent_weights[unit] = 0
        lesioned.output_weights[unit] = 0
        alone = simulate(lesioned, silence())
        np.testing.assert_allclose(activity.outputs[unit], alone.outputs, rtol=1e-12)
        np.testing.assert_array_equal(activity.rates[unit, ..., unit], 0)
        others = np.arange(4) != unit
        np.testing.assert_allclose(activity.rates[unit, ..., others], alone.rates[..., others], rtol=1e-12)


def test_further_dims_of_the_inputs_broadcast_and_rates_may_be_left_out() -> None:
    inputs = xr.concat([silence(), silence() + 1], dim="repeat").transpose("time", "trial", "input_channel", "repeat")
    outputs = simulate(linear_network("rate"), inputs, rates=False)
    assert set(outputs) == {"outputs"}
    assert outputs.outputs.dims == ("repeat", "trial", "time", "output_channel")
    for repeat in range(2):
        expected = simulate(linear_network("rate"), silence() + repeat).outputs
        np.testing.assert_allclose(outputs.outputs[repeat], expected, rtol=1e-12)


def test_activity_without_bounds_ends_in_infinity_without_a_warning() -> None:
    network = linear_network("rate", alpha=1.0)
    network["recurrent_weights"] = 1e200 * network.recurrent_weights
    assert not np.isfinite(simulate(network, silence(5)).rates[0, -1]).any()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"recurrent_noise": 0.1}, "seed: expected an integer where there is recurrent noise, got None"),
        ({"recurrent_noise": -0.1, "seed": 0}, "recurrent_noise: expected a number of at least 0, got -0.1"),
        ({"silenced": xr.DataArray([True], dims="unit")}, "silenced: expected the dim unit with 3 units"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        simulate(linear_network("rate"), silence(), **settings)
