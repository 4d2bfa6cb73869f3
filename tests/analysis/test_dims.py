import numpy as np
import pytest
import xarray as xr

from biornn.analysis.dims import require_dims, require_square, require_variables


def test_other_dims_may_be_there_in_any_order():
    require_dims(xr.DataArray(np.zeros((1, 2, 3)), dims=("unit", "network", "time")), "rates", ["time", "unit"])


def test_missing_dim_is_named_with_what_was_given():
    array = xr.DataArray(np.zeros((2, 3)), dims=("time", "neuron"))
    with pytest.raises(ValueError, match=r"rates: .*\['time', 'unit'\], got \['time', 'neuron'\]; 'unit' is missing"):
        require_dims(array, "rates", ["time", "unit"])


def test_array_without_labels_is_refused():
    with pytest.raises(TypeError, match=r"rates: expected a DataArray .* got ndarray"):
        require_dims(np.zeros((2, 3)), "rates", ["time", "unit"])  # type: ignore[arg-type]


def test_a_square_matrix_is_counted_and_another_refused_in_one_line():
    assert require_square(xr.DataArray(np.zeros((2, 3, 3)), dims=("network", "unit_post", "unit_pre"))) == 3
    with pytest.raises(ValueError, match="as many unit_pre as unit_post, got 2 and 3; select the same units"):
        require_square(xr.DataArray(np.zeros((2, 3)), dims=("unit_pre", "unit_post")))
    with pytest.raises(ValueError, match="'unit_pre' is missing"):
        require_square(xr.DataArray(np.zeros((2, 3)), dims=("unit", "unit_post")))


def test_missing_variable_is_named():
    dataset = xr.Dataset({"inputs": ("time", [0.0])})
    require_variables(dataset, "trials", ["inputs"])
    with pytest.raises(ValueError, match=r"trials: expected 'targets', found \['inputs'\]"):
        require_variables(dataset, "trials", ["inputs", "targets"])
