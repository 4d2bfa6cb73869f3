"""Planted networks whose currents are known by hand, and the sum that `simulate` must agree with."""

import numpy as np
import pytest
import xarray as xr

import biornn as bn
from biornn.activations import activation
from biornn.analysis import by_cell_type, currents, currents_by_type, ei_balance, simulate

SPLITS = ("weight", "contribution")


def network(recurrent, initial=None, activation="relu", formulation="rate", **others) -> xr.Dataset:
    recurrent = np.asarray(recurrent, float)
    initial = np.zeros(len(recurrent)) if initial is None else initial
    return xr.Dataset(
        {
            "recurrent_weights": (("unit_pre", "unit_post"), recurrent),
            "initial_state": ("unit", np.asarray(initial, float)),
            "activation": ((), activation),
            "formulation": ((), formulation),
            **others,
        }
    )


def trials(*rates) -> xr.DataArray:
    """Trials of rates, (time, unit) each."""
    return xr.DataArray(np.array(rates, float), dims=("trial", "time", "unit"))


def test_currents_by_hand_come_from_the_step_before() -> None:
    # Unit 1 excites 2 and itself, unit 2 inhibits 1.
    weights = network([[0.5, 2.0], [-1.0, 0.0]], initial=[3.0, 4.0])
    both = currents(weights, trials([[1.0, 2.0], [10.0, 20.0], [99.0, 99.0]]))
    np.testing.assert_array_equal(both["excitatory"][0], [[1.5, 6.0], [0.5, 2.0], [5.0, 20.0]])
    np.testing.assert_array_equal(both["inhibitory"][0], [[-4.0, 0.0], [-2.0, 0.0], [-20.0, 0.0]])


def test_a_negative_rate_lowers_excitation_by_weight_and_inhibits_by_contribution() -> None:
    weights = network([[0.0, 2.0], [-3.0, 0.0]], initial=[-1.0, -1.0])
    rates = trials([[0.0, 0.0]])
    by_weight, by_contribution = (currents(weights, rates, split=split).isel(trial=0, time=0) for split in SPLITS)
    np.testing.assert_array_equal(by_weight["excitatory"], [0.0, -2.0])
    np.testing.assert_array_equal(by_weight["inhibitory"], [3.0, 0.0])
    np.testing.assert_array_equal(by_contribution["excitatory"], [3.0, 0.0])
    np.testing.assert_array_equal(by_contribution["inhibitory"], [0.0, -2.0])


def dale(n_units: int = 12, seed: int = 0) -> tuple[xr.Dataset, np.ndarray]:
    """Network under Dale's law, and which of its units excite."""
    rng = np.random.default_rng(seed)
    excites = np.arange(n_units) < 0.75 * n_units
    return network(rng.gamma(2, size=(n_units, n_units)) * np.where(excites, 1, -1)[:, np.newaxis]), excites


def test_where_dales_law_holds_in_full_both_splits_are_the_textbooks() -> None:
    weights, excites = dale()
    rates = trials(*np.random.default_rng(1).random((3, 5, 12)))
    recurrent = weights["recurrent_weights"].values
    expected = rates.values[:, :-1, excites] @ recurrent[excites], rates.values[:, :-1, ~excites] @ recurrent[~excites]
    for split in SPLITS:
        both = currents(weights, rates, split=split).isel(time=slice(1, None))
        # Sums of twelve products, in another order.
        np.testing.assert_allclose(both["excitatory"], expected[0], rtol=1e-13)
        np.testing.assert_allclose(both["inhibitory"], expected[1], rtol=1e-13)


def test_by_weight_is_by_presynaptic_cell_type_whatever_the_rates() -> None:
    weights, excites = dale()
    rates = trials(*np.random.default_rng(1).standard_normal((3, 5, 12)))
    expected = rates.values[:, :-1, excites] @ weights["recurrent_weights"].values[excites]
    np.testing.assert_allclose(currents(weights, rates)["excitatory"][:, 1:], expected, rtol=1e-11)
    by_contribution = currents(weights, rates, split="contribution")
    assert (by_contribution["excitatory"] >= 0).all()
    assert (by_contribution["inhibitory"] <= 0).all()


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("formulation", ["rate", "current"])
def test_all_currents_together_are_what_simulate_adds_up(formulation: str, split: str) -> None:
    rng = np.random.default_rng(0)
    alpha, state = rng.uniform(0.2, 0.9, 6), rng.standard_normal(6)
    weights = network(
        rng.standard_normal((6, 6)) / 2,
        state,
        "tanh",
        formulation,
        input_weights=(("input_channel", "unit"), rng.standard_normal((2, 6))),
        recurrent_bias=("unit", rng.standard_normal(6)),
        output_weights=(("unit", "output_channel"), np.zeros((6, 1))),
        output_bias=("output_channel", [0.0]),
        alpha=("unit", alpha),
    )
    inputs = xr.DataArray(rng.standard_normal((4, 9, 2)), dims=("trial", "time", "input_channel"))
    rates = simulate(weights, inputs)["rates"]
    parts = currents(weights, rates, inputs, split=split)
    drive = sum(parts[name] for name in ("excitatory", "inhibitory", "external")).transpose("time", "trial", "unit")
    # The Euler step of each form, from the drive, gives back the rates that the drive came from.
    state, f = np.broadcast_to(state, (4, 6)), activation("tanh")
    for step in range(9):
        target = f(drive.values[step]) if formulation == "rate" else drive.values[step]
        state = (1 - alpha) * state + alpha * target
        expected = state if formulation == "rate" else f(state)
        np.testing.assert_allclose(rates[:, step], expected, atol=1e-13)  # nine steps of numbers of order one


def test_exact_balance_and_pure_excitation() -> None:
    # Units 1 and 2 fire alike; 3 gets both with opposite signs, 4 only the first, 5 nothing.
    recurrent = np.zeros((5, 5))
    recurrent[:2, 2], recurrent[0, 3] = [2.0, -2.0], 1.0
    rates = np.zeros((2, 50, 5))
    rates[..., :2] = np.random.default_rng(0).random((2, 50, 1))
    balance = ei_balance(network(recurrent), trials(*rates))
    nan = np.nan
    np.testing.assert_array_equal(balance["balance_index_per_unit"], [nan, nan, 1, 0, nan])
    # 1 up to the rounding of a sum of 100 products.
    np.testing.assert_allclose(balance["correlation_per_unit"], [nan, nan, 1, nan, nan], rtol=1e-13)
    assert balance["correlation"] == pytest.approx(1)
    # Total current 2 + 2 + 1 per unit of rate, of which 1 is left.
    assert balance["balance_index"] == pytest.approx(1 - 1 / 5)


def test_balance_by_hand() -> None:
    # Into unit 1 alone: E = 4 r1, I = -r2.
    weights = network([[4.0, 0.0], [-1.0, 0.0]])
    balance = ei_balance(weights, trials([[1.0, 8.0], [2.0, 2.0], [0.0, 0.0]], [[0.0, 4.0], [1.0, 2.0], [0.0, 0.0]]))
    # Samples after the silent start: E, -I = (4, 8) and (8, 2); (0, 4) and (4, 2): net -4, 6, -4, 2 of 32 in all.
    assert balance["balance_index"] == pytest.approx(1 - 16 / 32)
    np.testing.assert_allclose(balance["excitatory"], [0, 1, 3])  # over two trials and two units
    np.testing.assert_allclose(balance["inhibitory"], [0, -3, -1])
    np.testing.assert_allclose(balance["net"], [0, -2, 2])
    e, i = [0, 4, 8, 0, 0, 4], [0, 8, 2, 0, 4, 2]
    assert balance["correlation_per_unit"][0] == pytest.approx(np.corrcoef(e, i)[0, 1])
    assert balance["correlation"] == balance["correlation_per_unit"][0]


def test_balance_that_is_loose_is_not_correlated_and_a_baseline_moves_no_correlation() -> None:
    rng = np.random.default_rng(0)
    # Unit 3 gets independent excitation and inhibition of one mean: what cancels is the mean.
    recurrent = np.zeros((3, 3))
    recurrent[:2, 2] = [1.0, -1.0]
    rates = trials(rng.normal(10, 1, (20_000, 3)))
    balance = ei_balance(network(recurrent, initial=[10.0, 10.0, 0.0]), rates).isel(unit=2)
    # |E + I| is half-normal of variance 2: mean sqrt(4 / pi), of 20; standard error 0.85 / 20 / sqrt(20,000) = 3e-4.
    assert balance["balance_index_per_unit"] == pytest.approx(1 - np.sqrt(4 / np.pi) / 20, abs=1e-3)
    assert abs(balance["correlation_per_unit"]) < 4 / np.sqrt(20_000)  # four standard errors
    weights, _ = dale()
    rates = trials(rng.standard_normal((40, 12)))
    shifted = weights.assign(initial_state=weights["initial_state"] + 2)
    # Subtraction of the means costs a few digits.
    np.testing.assert_allclose(
        ei_balance(weights, rates)["correlation_per_unit"],
        ei_balance(shifted, rates + 2)["correlation_per_unit"],
        rtol=1e-10,
    )


def test_chance_cancels_as_the_square_root_of_the_number_of_synapses() -> None:
    rng = np.random.default_rng(0)
    weights = network(rng.standard_normal((100, 100)), initial=np.ones(100))
    rates = trials(*rng.choice([-1.0, 1.0], (10, 30, 100)))
    index = ei_balance(weights, rates, split="contribution")["balance_index"]
    # Net: sd sqrt(100); total: 100 of the mean; both normal, so the factor sqrt(2 / pi) of a mean magnitude cancels.
    # The weights' own scatter: 100 units, each of a relative sd below 0.1 of 1 / sqrt(100).
    assert index == pytest.approx(1 - 1 / np.sqrt(100), abs=0.005)


def test_networks_broadcast_and_one_that_diverged_failed_or_is_gated_is_nan() -> None:
    weights, _ = dale()
    rates = trials(*np.random.default_rng(1).random((3, 5, 12)))
    names = ["a", "diverged", "gated", "failed", "b"]
    many = xr.concat([weights] * 5, dim=xr.Variable("network", names), data_vars="all").copy(deep=True)
    many["formulation"] = ("network", np.array(["rate", "rate", "gru", "", "current"], object))
    many["activation"] = ("network", np.array(["relu", "relu", "tanh", "", "relu"], object))
    many["recurrent_weights"] = many["recurrent_weights"].where(many["network"] != "gated")
    several = rates.expand_dims(network=names).copy()
    several.loc[{"network": "diverged", "trial": 0, "time": 3}] = np.inf
    several.loc[{"network": "failed"}] = np.nan
    many = many.expand_dims(snapshot=[0, 1]).copy(deep=True)
    many["recurrent_weights"][0] = 7.0  # the last snapshot is the one that counts
    shuffled = several.transpose("unit", "network", "time", "trial").chunk(network=2)
    for function in (currents, ei_balance):
        result, alone = function(many, shuffled), function(weights, rates)
        assert result.sizes["network"] == 5
        for name in alone.data_vars:
            assert result[name].sel(network=["diverged", "gated", "failed"]).isnull().all(), name
            for one in "ab":
                np.testing.assert_array_equal(result[name].sel(network=one), alone[name])


def test_what_does_not_fit_is_refused() -> None:
    weights, _ = dale()
    rates = trials(np.ones((5, 12)))
    with pytest.raises(ValueError, match=r"split: expected one of \('weight', 'contribution'\), got 'type'"):
        currents(weights, rates, split="type")
    with pytest.raises(ValueError, match="rates: expected 12 units as in weights, got 3"):
        ei_balance(weights.drop_vars("initial_state").assign(initial_state=("unit", np.zeros(3))), rates[..., :3])
    with pytest.raises(ValueError, match="rates: expected the networks and units of weights"):
        ei_balance(weights, rates[..., :3])
    many = weights.expand_dims(network=["a", "b"])
    with pytest.raises(ValueError, match="rates: expected the networks and units of weights"):
        currents(many, rates.expand_dims(network=["a", "c"]))
    with pytest.raises(ValueError, match="'trial' is missing"):
        currents(weights, rates.isel(trial=0))
    driven = weights.assign(
        input_weights=(("input_channel", "unit"), np.ones((1, 12))), recurrent_bias=("unit", np.zeros(12))
    )
    inputs = xr.DataArray(np.ones((1, 4, 1)), dims=("trial", "time", "input_channel"))
    with pytest.raises(ValueError, match="inputs: expected the trials and times of rates"):
        currents(driven, rates, inputs)


def test_another_order_or_another_dataset_gets_the_fix() -> None:
    weights, rates = network([[1.0]]), trials([[1.0]])
    with pytest.raises(TypeError, match=r"weights: .*, got DataArray; look at the order of the arguments"):
        ei_balance(rates, weights)  # type: ignore[arg-type]
    part = weights[["recurrent_weights"]]  # as biornn.layers.effective_weights gives it
    for asked in (ei_balance, simulate):
        with pytest.raises(ValueError, match=r"weights: expected .*; take the whole group of a run, or of what"):
            asked(part, rates)


def test_a_run_goes_in_as_it_is_stored(run: xr.DataTree) -> None:
    weights, rates = run["weights"].to_dataset(), run["activity"]["rates"]
    parts = currents(weights, rates, run["trials"]["inputs"])
    assert parts["excitatory"].dims == rates.dims == parts["external"].dims
    balance = ei_balance(weights, rates)
    np.testing.assert_allclose(balance["net"], (parts["excitatory"] + parts["inhibitory"]).mean(("trial", "unit")))
    assert set(by_cell_type(balance["correlation_per_unit"], weights["cell_type"]).dims) == {"network", "cell_type"}
    assert set(balance.dims) | set(parts.dims) <= set(bn.schema.DIMS)
    # One step of the stored network: a leaky step towards tanh of the sum, in the single precision of the record.
    before = rates.shift(time=1).isel(time=slice(1, None))
    target = np.tanh(parts["excitatory"] + parts["inhibitory"] + parts["external"]).isel(time=slice(1, None))
    alpha = weights["alpha"]
    np.testing.assert_allclose(
        (before + alpha * (target - before)).transpose(*rates.dims), rates.isel(time=slice(1, None)), atol=1e-6
    )


def test_currents_by_type_add_up_to_the_net_current_and_begin_with_the_initial_state() -> None:
    weights, excites = dale()
    weights["initial_state"] = "unit", np.random.default_rng(2).random(12)
    names = np.where(excites, "Pyr", np.where(np.arange(12) % 2, "PV", "SST"))
    sign = ("unit", np.where(excites, 1, -1))
    weights["cell_type"] = xr.DataArray(names, {"cell_sign": sign}, ("unit",))
    rates = trials(*np.random.default_rng(1).normal(size=(3, 5, 12)))
    found = currents_by_type(weights, rates)
    assert found["current"].dims == ("cell_type", "time")
    assert found["cell_type"].values.tolist() == ["Pyr", "PV", "SST"]
    balance = ei_balance(weights, rates)
    # Sums of twelve products, in another order.
    np.testing.assert_allclose(found["current"].sum("cell_type"), balance["net"], rtol=1e-12)
    np.testing.assert_allclose(found["current"].sel(cell_type="Pyr"), balance["excitatory"], rtol=1e-12)
    before = np.concatenate([np.broadcast_to(weights["initial_state"], (3, 1, 12)), rates.values[:, :-1]], axis=1)
    pv = names == "PV"
    expected = np.abs(before[..., pv] @ weights["recurrent_weights"].values[pv]).mean()
    np.testing.assert_allclose(found["size"].sel(cell_type="PV"), expected, rtol=1e-12)
    assert np.isnan(currents_by_type(weights, rates * np.nan)["size"]).all()
