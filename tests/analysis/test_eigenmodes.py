"""Eigenvectors rebuild the matrix, and predict what a linear network does with a pulse."""

import numpy as np
import pytest
import xarray as xr

from biornn.analysis import dominant_eigenvalue, eigenmodes

MATRIX = ("unit_pre", "unit_post")


def random_weights(n_units: int = 8, seed: int = 0) -> xr.DataArray:
    weights = np.random.default_rng(seed).standard_normal((n_units, n_units)) / np.sqrt(n_units)
    return xr.DataArray(weights, dims=MATRIX)


def test_the_modes_rebuild_the_weights() -> None:
    weights = random_weights()
    modes = eigenmodes(weights)
    rebuilt = np.einsum("um,m,mv->uv", modes["right_eigenvectors"], modes["eigenvalues"], modes["left_eigenvectors"])
    np.testing.assert_allclose(rebuilt, weights, atol=1e-12)
    left, right = modes["left_eigenvectors"].values, modes["right_eigenvectors"].values
    np.testing.assert_allclose(left @ weights.values, modes["eigenvalues"].values[:, None] * left, atol=1e-12)
    np.testing.assert_allclose(weights.values @ right, right * modes["eigenvalues"].values, atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(left, axis=1), 1)
    np.testing.assert_allclose(left @ right, np.eye(8), atol=1e-12)


def test_projections_predict_the_response_to_a_pulse() -> None:
    weights = random_weights()
    rng = np.random.default_rng(2)
    into = xr.DataArray(rng.standard_normal((2, 8)), dims=("input_channel", "unit"))
    out = xr.DataArray(rng.standard_normal((8, 3)), dims=("unit", "output_channel"))
    modes = eigenmodes(weights, into, out)
    amplitude, output = modes["input_projection"], modes["output_projection"]
    for n_steps in (0, 1, 5):
        expected = into.values @ np.linalg.matrix_power(weights.values, n_steps) @ out.values
        predicted = xr.dot(amplitude, modes["eigenvalues"] ** n_steps, output, dim="mode")
        np.testing.assert_allclose(predicted.transpose("input_channel", "output_channel"), expected, atol=1e-11)


def test_condition_numbers() -> None:
    orthogonal = np.linalg.qr(np.random.default_rng(0).standard_normal((6, 6)))[0]
    np.testing.assert_allclose(eigenmodes(xr.DataArray(orthogonal, dims=MATRIX))["condition_number"], 1, atol=1e-9)
    # For [[a, c], [0, b]] both eigenvalues have sqrt(1 + (c / (a - b))²).
    chain = xr.DataArray([[0.5, 3.0], [0.0, 0.25]], dims=MATRIX)
    np.testing.assert_allclose(eigenmodes(chain)["condition_number"], np.sqrt(1 + 12.0**2))


def test_matrices_without_modes_are_nan_and_leave_the_others_alone() -> None:
    good = random_weights(2)
    defective = xr.DataArray([[0.0, 1.0], [0.0, 0.0]], dims=MATRIX)
    modes = eigenmodes(xr.concat([good, defective, good * np.nan], dim="network"))
    assert np.isfinite(modes["left_eigenvectors"].isel(network=0)).all()
    for network in (1, 2):
        for name in ("left_eigenvectors", "right_eigenvectors", "condition_number"):
            assert np.isnan(modes[name].isel(network=network)).all()


def test_a_run_goes_in_as_it_is_stored(run: xr.DataTree) -> None:
    weights = run["weights"].to_dataset()
    modes = eigenmodes(weights.recurrent_weights, weights.input_weights, weights.output_weights)
    assert set(modes["input_projection"].dims) == {"network", "snapshot", "input_channel", "mode"}
    assert set(modes["output_projection"].dims) == {"network", "snapshot", "output_channel", "mode"}


def test_the_dominant_eigenvalue_is_that_of_the_largest_real_part_in_size() -> None:
    angle = 2 * np.pi * 5 / 1000  # 5 turns a second in steps of 1 ms
    pair = 1.1 * np.exp(1j * angle)
    values = xr.DataArray([pair.conjugate(), pair, 1.2j, -1.2j, -0.5], dims="mode", coords={"mode": np.arange(5)})
    one = dominant_eigenvalue(values)
    assert complex(one["eigenvalue"]) == pair
    assert one["rotation_frequency"] == pytest.approx(5)
    assert one["frequency"] == pytest.approx(np.tan(angle) / np.pi)
    assert dominant_eigenvalue(values, dt=2.0)["rotation_frequency"] == pytest.approx(2.5)
    negative = dominant_eigenvalue(xr.DataArray([0.9, -1.0], dims="mode"))
    assert (complex(negative["eigenvalue"]), float(negative["frequency"])) == (-1, 0)
    assert negative["rotation_frequency"] == pytest.approx(500)


def test_dominant_eigenvalues_broadcast_and_nan_stays() -> None:
    values = xr.DataArray([[0.5, 0.25], [np.nan, 1.0]], dims=("network", "mode"))
    one = dominant_eigenvalue(values)
    np.testing.assert_array_equal(one["eigenvalue"], [0.5, np.nan])
    np.testing.assert_array_equal(one["frequency"], [0, np.nan])
    with pytest.raises(ValueError, match="dt: expected a positive time in ms"):
        dominant_eigenvalue(values, dt=0)
