import numpy as np
import pytest
import xarray as xr

from biornn.analysis.dims import require_dims, require_same_units, require_square, require_variables


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


def test_rows_and_columns_of_other_units_are_refused():
    weights = xr.DataArray(np.eye(3), {"unit_pre": [0, 1, 2], "unit_post": [0, 2, 1]})
    with pytest.raises(
        ValueError, match="same labels in the same order along unit_pre, unit_post, got others along unit_"
    ):
        require_square(weights)
    require_square(weights.sortby("unit_post"))
    require_square(weights.drop_vars("unit_post"))  # without labels only positions count
    with pytest.raises(ValueError, match=r"weights: .* along unit, unit_pre, unit_post, got others along unit_pre"):
        require_same_units(weights.to_dataset(name="w").sortby("unit_post").assign_coords(unit=[2, 1, 0]), "weights")


def test_another_kind_of_object_gets_its_own_advice():
    dataset = xr.Dataset({"inputs": ("time", [0.0])})
    with pytest.raises(TypeError, match=r"rates: .*, got Dataset; give one of its variables"):
        require_dims(dataset, "rates", ["time"])
    with pytest.raises(TypeError, match=r"trials: .*, got DataTree; take its .to_dataset\(\)"):
        require_variables(xr.DataTree(dataset), "trials", ["inputs"])
    with pytest.raises(TypeError, match=r"trials: .*, got DataArray; look at the order of the arguments"):
        require_variables(dataset["inputs"], "trials", ["inputs"])
