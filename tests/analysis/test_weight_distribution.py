"""Planted draws have the moments of the distribution that they come from."""

import numpy as np
import pytest
import xarray as xr

import biornn as bn
from biornn.analysis import by_cell_type, weight_distribution

EXC, INH, FREE = bn.schema.CELL_TYPES


def matrix(values) -> xr.DataArray:
    return xr.DataArray(np.asarray(values, float), dims=("unit_pre", "unit_post"))


def types(*names: str) -> xr.DataArray:
    return xr.DataArray(np.array(names, object), dims="unit")


def everywhere(weights: xr.DataArray) -> xr.DataArray:
    return xr.ones_like(weights.isel({dim: 0 for dim in weights.dims if dim not in ("unit_pre", "unit_post")}), bool)


def test_by_hand() -> None:
    # Rows are presynaptic: units 1 and 2 excite, unit 3 inhibits. No autapses.
    weights = matrix([[9.0, 1.0, 0.0], [3.0, 9.0, 4.0], [-2.0, -6.0, 9.0]])
    mask = matrix(1 - np.eye(3)).astype(bool)
    shape = weight_distribution(weights, mask, types(EXC, EXC, INH))
    excitatory, inhibitory = shape.sel(cell_type=EXC), shape.sel(cell_type=INH)
    assert excitatory["n_synapses"] == 4
    assert excitatory["mean"] == 2
    assert excitatory["std"] == pytest.approx(np.sqrt(2.5))  # of 1, 0, 3, 4
    assert excitatory["share_zero"] == 0.25
    assert excitatory["share_positive"] == 0.75
    assert excitatory["log_mean"] == pytest.approx(np.log(12) / 3)
    assert (inhibitory["n_synapses"], inhibitory["mean"], inhibitory["std"]) == (2, -4, 2)
    assert (inhibitory["share_zero"], inhibitory["share_positive"]) == (0, 0)
    assert inhibitory["log_mean"] == pytest.approx(np.log(12) / 2)
    assert shape["n_synapses"].sel(cell_type=FREE) == 0
    np.testing.assert_array_equal(shape["out_strength"], [1, 7, -8])
    np.testing.assert_array_equal(shape["in_strength"], [[3, -2, 0], [1, -6, 0], [4, 0, 0]])
    np.testing.assert_array_equal(by_cell_type(shape["out_strength"], types(EXC, EXC, INH)), [4, -8, np.nan])


def close(measured: xr.DataArray, expected: float, standard_error: float) -> bool:
    return bool(abs(measured - expected) < 4 * standard_error)


def test_normal_gamma_and_log_normal_draws() -> None:
    n_units = 400
    rng = np.random.default_rng(0)
    n = n_units**2
    standard_error = 1 / np.sqrt(n)
    normal = matrix(rng.normal(0, 0.2, (n_units, n_units)))
    shape = weight_distribution(normal, everywhere(normal), types(*[FREE] * n_units)).sel(cell_type=FREE)
    # Standard errors of the moments of a normal sample: 1, 1 / sqrt(2), sqrt(6), sqrt(24), each over sqrt(n).
    assert close(shape["mean"], 0, 0.2 * standard_error)
    assert close(shape["std"], 0.2, 0.2 * standard_error / np.sqrt(2))
    assert close(shape["skewness"], 0, np.sqrt(6) * standard_error)
    assert close(shape["kurtosis"], 0, np.sqrt(24) * standard_error)
    assert close(shape["share_positive"], 0.5, 0.5 * standard_error)
    below = 0.00797884  # P(|z| < 0.01) of a standard normal z, 2 * 0.01 * its density at 0
    assert close(shape["share_zero"], below, np.sqrt(below) * standard_error)

    # Gamma of shape 2: mean 2, variance 2, skewness 2 / sqrt(2), excess kurtosis 3; inhibitory ones with a minus.
    signs = np.where(np.arange(n_units) < 300, 1.0, -1.0)[:, np.newaxis]
    gamma = matrix(rng.gamma(2, size=(n_units, n_units)) * signs)
    shape = weight_distribution(gamma, everywhere(gamma), types(*[EXC] * 300, *[INH] * 100))
    for name, sign, count in ((EXC, 1, 300 * n_units), (INH, -1, 100 * n_units)):
        one = shape.sel(cell_type=name)
        assert close(one["mean"], 2 * sign, np.sqrt(2 / count))
        # Heavy tails: over 200 such draws of 40,000, skewness had a standard deviation of 0.027, kurtosis of 0.21.
        assert close(one["skewness"], np.sqrt(2) * sign, 0.027)
        assert close(one["kurtosis"], 3, 0.21)
        assert one["share_positive"] == (sign > 0)

    log_normal = matrix(rng.lognormal(-3, 0.5, (n_units, n_units)))
    shape = weight_distribution(log_normal, everywhere(log_normal), types(*[EXC] * n_units)).sel(cell_type=EXC)
    assert close(shape["log_mean"], -3, 0.5 * standard_error)
    assert close(shape["log_std"], 0.5, 0.5 * standard_error / np.sqrt(2))
    assert close(shape["log_skewness"], 0, np.sqrt(6) * standard_error)


def test_effectively_zero_is_relative_to_the_typical_synapse_of_the_network() -> None:
    # Root mean square 1 over both rows: the second is above 1 % of it, and below.
    for small, expected in ((0.0101, [0, 0]), (0.0099, [0, 1])):
        weights = matrix([[np.sqrt(2)] * 2, [-small] * 2])
        for scale in (1.0, 1e-6):
            shape = weight_distribution(scale * weights, everywhere(weights), types(EXC, INH))
            np.testing.assert_array_equal(shape["share_zero"].sel(cell_type=[EXC, INH]), expected)
    assert np.isnan(shape["log_mean"].sel(cell_type=INH))


def test_weights_that_do_not_differ_have_no_shape_and_zeros_no_logarithm() -> None:
    weights = matrix(np.full((2, 2), 0.1))
    shape = weight_distribution(weights, everywhere(weights), types(EXC, EXC)).sel(cell_type=EXC)
    assert np.isnan([shape["skewness"], shape["kurtosis"], shape["log_skewness"]]).all()
    zeros = weight_distribution(0 * weights, everywhere(weights), types(EXC, EXC)).sel(cell_type=EXC)
    assert zeros["share_zero"] == 1
    assert np.isnan(zeros["log_mean"])
    nowhere = weight_distribution(weights, ~everywhere(weights), types(EXC, EXC)).sel(cell_type=EXC)
    assert nowhere["n_synapses"] == 0
    assert np.isnan(nowhere["mean"])


def test_networks_and_snapshots_broadcast_and_those_without_weights_are_nan() -> None:
    rng = np.random.default_rng(0)
    names = ["a", "diverged", "failed", "b"]
    weights = xr.DataArray(
        rng.standard_normal((4, 2, 5, 5)),
        dims=("network", "snapshot", "unit_pre", "unit_post"),
        coords={"network": names},
    )
    weights[1, 1, 0, 0] = np.inf
    weights[2] = np.nan
    mask = xr.DataArray(rng.random((4, 5, 5)) < 0.6, dims=("network", "unit_pre", "unit_post")).assign_coords(
        network=names
    )
    cell_type = xr.DataArray(
        np.array([[EXC] * 3 + [INH] * 2, [FREE] * 5, [""] * 5, [FREE] * 5], object),
        dims=("network", "unit"),
        coords={"network": names, "unit": np.arange(10, 15)},
    )
    shape = weight_distribution(weights.transpose().chunk(network=1), mask.transpose(), cell_type)
    assert shape["unit"].values.tolist() == list(range(10, 15))
    for name, variable in shape.data_vars.items():
        assert variable.sel(network="diverged").isel(snapshot=1).isnull().all(), name
        assert variable.sel(network="failed").isnull().all(), name
    for network, snapshot in (("a", 0), ("a", 1), ("b", 1), ("diverged", 0)):
        of_one = {"network": network}
        alone = weight_distribution(
            weights.sel(of_one).isel(snapshot=snapshot), mask.sel(of_one), cell_type.sel(of_one)
        )
        for name, variable in alone.data_vars.items():
            np.testing.assert_array_equal(
                shape[name].sel(of_one).isel(snapshot=snapshot).transpose(*variable.dims), variable, err_msg=str(name)
            )


def test_what_does_not_fit_is_refused() -> None:
    weights = matrix(np.ones((2, 2)))
    with pytest.raises(ValueError, match=r"recurrent_mask: .*'unit_post' is missing"):
        weight_distribution(weights, everywhere(weights).isel(unit_post=0), types(EXC, EXC))
    with pytest.raises(ValueError, match="recurrent_mask: expected the networks and units of recurrent_weights"):
        weight_distribution(
            weights.expand_dims(network=["a"]),
            everywhere(weights).expand_dims(network=["b"]),
            types(EXC, EXC),
        )
    with pytest.raises(ValueError, match="cell_type: expected"):
        weight_distribution(weights, everywhere(weights), types(EXC, "glia"))


def test_a_run_goes_in_as_it_is_stored(run: xr.DataTree) -> None:
    weights = run["weights"]
    shape = weight_distribution(weights["recurrent_weights"], weights["recurrent_mask"], weights["cell_type"])
    assert shape["mean"].dims == ("network", "snapshot", "cell_type")
    np.testing.assert_array_equal(
        shape["n_synapses"].isel(snapshot=-1).sum("cell_type"), weights["recurrent_mask"].sum(("unit_pre", "unit_post"))
    )
    # Sums of single-precision weights.
    np.testing.assert_allclose(shape["in_strength"].sum("cell_type").sum("unit"), shape["out_strength"].sum("unit"))
    assert set(shape.dims) <= set(bn.schema.DIMS)
