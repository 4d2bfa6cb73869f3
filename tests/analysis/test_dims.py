import numpy as np
import pytest
import xarray as xr

from biornn.analysis.dims import require_dims


def test_other_dims_may_be_there_in_any_order():
    require_dims(xr.DataArray(np.zeros((1, 2, 3)), dims=("unit", "network", "time")), "rates", ["time", "unit"])


def test_missing_dim_is_named_with_what_was_given():
    array = xr.DataArray(np.zeros((2, 3)), dims=("time", "neuron"))
    with pytest.raises(ValueError, match=r"rates: .*\['time', 'unit'\], got \['time', 'neuron'\]; 'unit' is missing"):
        require_dims(array, "rates", ["time", "unit"])


def test_array_without_labels_is_refused():
    with pytest.raises(TypeError, match=r"rates: expected a DataArray .* got ndarray"):
        require_dims(np.zeros((2, 3)), "rates", ["time", "unit"])  # type: ignore[arg-type]
