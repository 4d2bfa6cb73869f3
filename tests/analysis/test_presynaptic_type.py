import numpy as np
import pytest
import xarray as xr

from biornn.analysis.presynaptic_type import presynaptic_type

WEIGHTS = xr.DataArray(np.zeros((2, 3, 3)), dims=("network", "unit_pre", "unit_post"), coords={"network": ["a", "b"]})
NAMES = [["excitatory", "inhibitory", "unconstrained"], ["", "", ""]]
TYPES = xr.DataArray(NAMES, dims=("network", "unit"), coords={"network": ["a", "b"]})


@pytest.mark.parametrize("dtype", [object, str, np.dtypes.StringDType()])
def test_types_are_numbered_whatever_the_kind_of_text_and_a_failed_network_has_none(dtype):
    numbers = presynaptic_type(WEIGHTS, TYPES.copy(data=np.array(NAMES, dtype)))
    assert numbers.dims == ("network", "unit_pre")
    assert numbers.values.tolist() == [[0, 1, 2], [-1, -1, -1]]


def test_without_types_all_are_unconstrained():
    assert presynaptic_type(WEIGHTS, None).values.tolist() == [2, 2, 2]


def test_units_and_networks_have_to_be_those_of_the_weights():
    with pytest.raises(ValueError, match="cell_type: expected the networks and the 3 units of recurrent_weights"):
        presynaptic_type(WEIGHTS, TYPES.isel(unit=[0, 1]))
    with pytest.raises(ValueError, match="take both from the same run"):
        presynaptic_type(WEIGHTS, TYPES.assign_coords(network=["a", "c"]))
    labelled = WEIGHTS.assign_coords(unit_pre=[0, 1, 2])
    with pytest.raises(ValueError, match="take both from the same run"):
        presynaptic_type(labelled, TYPES.assign_coords(unit=[1, 0, 2]))


def test_unknown_type_is_named():
    with pytest.raises(ValueError, match=r"cell_type: expected one of .*, got 'basket'"):
        presynaptic_type(WEIGHTS, TYPES.where(TYPES != "inhibitory", "basket"))
    with pytest.raises(ValueError, match="'unit' is missing"):
        presynaptic_type(WEIGHTS, TYPES.rename(unit="neuron"))
