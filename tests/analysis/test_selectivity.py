"""Planted units: the shares of variance follow from how they were made."""

from itertools import product

import numpy as np
import pytest
import xarray as xr

import biornn as bn
from biornn.analysis import by_cell_type, memory_cube, selectivity


def labels(n_bits: int) -> list[str]:
    return ["".join(signs) for signs in product("+-", repeat=n_bits)]


def planted(units, n_bits: int = 3, noise: float = 0.0, repeats: int = 4, seed: int = 0, counts=None):
    """Rates of units, functions of the signs of the bits, and states; one trial that visits each state in turn."""
    counts = [repeats] * 2**n_bits if counts is None else counts
    states = np.repeat(labels(n_bits), counts)
    signs = np.array([[1.0 if sign == "+" else -1.0 for sign in state] for state in states]).T
    rates = np.stack([np.broadcast_to(unit(*signs), len(states)) for unit in units], axis=-1)
    rates = rates + noise * np.random.default_rng(seed).standard_normal(rates.shape)
    return (
        xr.DataArray(rates[np.newaxis], dims=("trial", "time", "unit")),
        xr.DataArray(states[np.newaxis], dims=("trial", "time")),
    )


def test_pure_mixed_and_nonlinear_units_by_hand() -> None:
    units = [
        lambda a, b, c: 5 - 3 * b,  # one bit
        lambda a, b, c: 1 * a + 2 * b + 2 * c,  # variances 1, 4, 4 of 9
        lambda a, b, c: a * c,  # exclusive or
        lambda a, b, c: (a + 1) * (b + 1),  # 1 + a + b + ab
        lambda a, b, c: a * b * c,
    ]
    result = selectivity(*planted(units))
    third = 1 / 3
    expected = [[0, 1, 0], [1 / 9, 4 / 9, 4 / 9], [0, 0, 0], [third, third, 0], [0, 0, 0]]
    np.testing.assert_allclose(result["variance_explained"], expected, atol=1e-15)
    np.testing.assert_allclose(result["interaction"], [0, 0, 1, third, 1], atol=1e-15)
    np.testing.assert_allclose(result["residual"], 0, atol=1e-15)
    np.testing.assert_array_equal(result["preferred_sign"][:2], [[0, -1, 0], [1, 1, 1]])
    # Total indices: of unit 2 (1, 4, 4): 81 / 33; of the exclusive or (1, 0, 1); of unit 4 (2, 2, 0); of all three.
    np.testing.assert_allclose(result["mixed_selectivity"], [1, 81 / 33, 2, 2, 3])
    assert result["bit"].values.tolist() == [1, 2, 3]


def test_noise_is_residual() -> None:
    units = [lambda a, b: 2 * a, lambda a, b: 0 * a, lambda a, b: a * b - b]
    n_samples = 4 * 5000
    result = selectivity(*planted(units, n_bits=2, noise=1.0, repeats=5000))
    # An effect of noise is normal with variance 1 / n_samples: its square stays below 16 of these, and effects of size
    # two err by four times two of its standard deviations; the variance itself by four times sqrt(2 / n_samples).
    slack = 16 * 2 / np.sqrt(n_samples)
    np.testing.assert_allclose(result["residual"], [1 / 5, 1, 1 / 3], atol=slack)
    np.testing.assert_allclose(result["variance_explained"], [[4 / 5, 0], [0, 0], [0, 1 / 3]], atol=slack)
    np.testing.assert_allclose(result["interaction"], [0, 0, 1 / 3], atol=slack)
    assert result["variance_explained"].sel(bit=1)[1] < 16 / n_samples
    # The rates for + and - of bit 1 lie 4 standard deviations apart; of unit 3 those for bit 2 lie at -2.
    # Their error: sqrt(4 / n_samples + d² / (2 * n_samples)) = 0.025; four of it.
    np.testing.assert_allclose(result["d_prime"], [[4, 0], [0, 0], [0, -2]], atol=0.1)


def test_shares_are_one_together_and_do_not_depend_on_how_long_states_are_held() -> None:
    units = [lambda a, b, c, k=k: np.tanh(a + k * b - c + k) for k in range(5)]
    even = selectivity(*planted(units, repeats=3))
    uneven = selectivity(*planted(units, counts=[1, 7, 3, 3, 2, 9, 4, 1]))
    for name in ("variance_explained", "interaction", "mixed_selectivity"):
        np.testing.assert_allclose(uneven[name], even[name], atol=1e-13)
    noisy = selectivity(*planted(units, noise=0.5, counts=[1, 7, 3, 3, 2, 9, 4, 1]))
    total = noisy["variance_explained"].sum("bit") + noisy["interaction"] + noisy["residual"]
    np.testing.assert_allclose(total, 1, rtol=1e-13)


def test_variances_are_those_of_numpy_where_states_are_held_alike() -> None:
    rates, states = planted([lambda a, b: a + a * b], n_bits=2, noise=0.7, repeats=6)
    values = rates.values.ravel()
    of_bit = np.where(np.char.startswith(states.values.ravel(), "+"), 1.0, -1.0)
    result = selectivity(rates, states).isel(unit=0)
    # The share of one regressor of a balanced design is its squared correlation.
    assert result["variance_explained"].sel(bit=1) == pytest.approx(np.corrcoef(values, of_bit)[0, 1] ** 2)
    means = values.reshape(4, 6).mean(axis=1)
    assert result["residual"] == pytest.approx(1 - means.var() / values.var())


def test_the_cubes_score_is_the_share_that_bits_explain_of_what_states_do() -> None:
    rates, states = planted([lambda a, b, c: 0.3 * a - b + 2 * c + a * b - 0.7 * a * b * c])
    result = selectivity(rates, states)
    assert float(result["variance_explained"].sum()) == pytest.approx(float(memory_cube(rates, states)["affine_r2"]))


def test_unset_bits_and_response_windows_do_not_count() -> None:
    rates, states = planted([lambda a, b: a], n_bits=2)
    states = states.copy(data=np.where(np.arange(states.size) == 0, "0+", states.values))
    window = xr.zeros_like(states, dtype=bool).expand_dims(output_channel=2).copy()
    window[1, 0, 5] = True
    rates[0, [0, 5]] = 99.0
    result = selectivity(rates, states, window)
    np.testing.assert_array_equal(result["variance_explained"], [[1, 0]])
    assert selectivity(rates, states)["residual"].item() > 0.1


def test_a_unit_that_never_changes_and_one_without_spread() -> None:
    # The mean of seven times 0.1 is not 0.1 in float64: rounding must not pass for variance.
    result = selectivity(*planted([lambda a, b: 0 * a + 0.1, lambda a, b: a], n_bits=2, repeats=7))
    for name, variable in result.data_vars.items():
        assert variable.isel(unit=0).isnull().all(), name
    np.testing.assert_array_equal(result["d_prime"][1], [np.inf, np.nan])


def test_a_randomly_turned_memory_mixes_as_many_bits_as_the_documentation_says() -> None:
    rng = np.random.default_rng(0)
    units = [lambda a, b, c, w=w: w[0] * a + w[1] * b + w[2] * c for w in rng.standard_normal((4000, 3))]
    mixed = selectivity(*planted(units, repeats=1))["mixed_selectivity"].mean()
    # The standard deviation over units is 0.5, over their mean 0.008; and 1.8 is rounded.
    assert mixed == pytest.approx(1.8, abs=0.04)


def test_one_bit_is_never_mixed() -> None:
    result = selectivity(*planted([lambda a: a], n_bits=1))
    assert result["variance_explained"].values.tolist() == [[1.0]]
    assert result["mixed_selectivity"] == 1


def test_networks_broadcast_and_one_that_diverged_is_nan() -> None:
    one, states = planted([lambda a, b: a, lambda a, b: a * b + b], n_bits=2, noise=0.1)
    many = xr.concat([one, one[..., ::-1], one], dim="network").assign_coords(network=list("abc")).copy()
    many[2, 0, 3, 0] = np.inf
    result = selectivity(many.transpose("unit", "time", "network", "trial").chunk(network=1), states)
    for name, alone in selectivity(one, states).data_vars.items():
        np.testing.assert_array_equal(result[name].sel(network="a"), alone)
        np.testing.assert_array_equal(result[name].sel(network="b"), alone[::-1])
        assert result[name].sel(network="c").isnull().all(), name


def test_what_cannot_be_measured_is_refused() -> None:
    rates, states = planted([lambda a, b: a], n_bits=2)
    with pytest.raises(ValueError, match=r"found none of -\+; take the task's probe, or more trials"):
        selectivity(rates, states.where(states != "-+", "++"))
    with pytest.raises(ValueError, match="'unit' is missing"):
        selectivity(rates.isel(unit=0), states)


def test_a_run_goes_in_as_it_is_stored(run: xr.DataTree) -> None:
    trials = run["probe_trials"]
    result = selectivity(run["probe_activity"]["rates"], trials["memory_state"], trials["response_window"])
    assert result["variance_explained"].dims == ("network", "unit", "bit")
    by_type = by_cell_type(result["variance_explained"], run["weights"]["cell_type"])
    assert by_type.dims == ("network", "bit", "cell_type")
    assert set(result.dims) | set(by_type.dims) <= set(bn.schema.DIMS)
