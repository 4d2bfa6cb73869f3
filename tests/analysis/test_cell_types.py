import numpy as np
import pytest
import xarray as xr

import biornn as bn
from biornn.analysis import by_cell_type

EXC, INH, FREE = "excitatory", "inhibitory", "unconstrained"


def types(*rows: list[str]) -> xr.DataArray:
    return xr.DataArray(np.array(rows, object), dims=("network", "unit"), coords={"network": list("abcd")[: len(rows)]})


def test_means_by_hand_whatever_the_order_of_dims() -> None:
    values = xr.DataArray(
        np.arange(18.0).reshape(3, 3, 2),
        dims=("network", "unit", "bit"),
        coords={"network": ["a", "b", "c"], "bit": [1, 2]},
        name="share",
        attrs={"units": "Hz"},
    )
    cell_type = types([EXC, EXC, INH], [INH, EXC, INH], [FREE, FREE, FREE])
    nan = np.nan
    expected = [[[1, 4, nan], [2, 5, nan]], [[8, 8, nan], [9, 9, nan]], [[nan, nan, 14], [nan, nan, 15]]]
    for one in (values, values.transpose()):
        result = by_cell_type(one, cell_type.transpose("unit", "network"))
        np.testing.assert_array_equal(result.transpose("network", "bit", "cell_type"), expected)
        assert result.dims[-1] == "cell_type"
        assert result["cell_type"].values.tolist() == [EXC, INH, FREE] == list(bn.schema.CELL_TYPES)
        assert (result.name, result.attrs) == ("share", {"units": "Hz"})


def test_one_cell_type_serves_all_networks_and_either_side_of_a_weight() -> None:
    values = xr.DataArray([[1.0, 2.0], [3.0, 4.0]], dims=("network", "unit_post"), coords={"network": ["a", "b"]})
    result = by_cell_type(values, types([EXC, INH]).isel(network=0, drop=True), dim="unit_post")
    np.testing.assert_array_equal(result.sel(cell_type=[EXC, INH]), values)


def test_units_without_a_value_do_not_count_and_failed_networks_are_nan() -> None:
    values = xr.DataArray([[np.nan, 2.0], [np.nan] * 2, [np.nan] * 2], dims=("network", "unit"))
    cell_type = types([EXC, EXC], [EXC, EXC], ["", ""]).drop_vars("network")
    np.testing.assert_array_equal(by_cell_type(values, cell_type).sel(cell_type=EXC), [2, np.nan, np.nan])


def test_text_of_a_store_and_chunks_are_welcome() -> None:
    values = xr.DataArray([[1.0, 2.0], [3.0, 5.0]], dims=("network", "unit"))
    cell_type = types([EXC, INH], [EXC, EXC]).drop_vars("network").astype(np.dtypes.StringDType())
    np.testing.assert_array_equal(by_cell_type(values.chunk(network=1), cell_type).sel(cell_type=EXC), [1, 4])


def test_networks_are_never_dropped_in_silence() -> None:
    values = xr.DataArray([[1.0], [2.0]], dims=("network", "unit"), coords={"network": ["a", "c"]})
    with pytest.raises(ValueError, match="cell_type: expected the units and networks of values"):
        by_cell_type(values, types([EXC], [EXC]))
    with pytest.raises(ValueError, match="'unit' is missing"):
        by_cell_type(values.rename(unit="neuron"), types([EXC], [EXC]))
