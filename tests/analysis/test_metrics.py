import numpy as np
import pytest
import xarray as xr

from biornn.analysis.metrics import stack_metrics

COORDS = {"condition": ("network", ["a", "b"]), "seed": ("network", [0, 1])}
NEEDED = ["condition", "seed"]


def metric(values, **attrs):
    return xr.DataArray(values, dims="network", coords=COORDS, attrs=attrs, name="x")


def test_one_metric_keeps_its_dims_and_says_its_name_and_units():
    values = stack_metrics(metric([1, 2], units="ms"), NEEDED)
    assert values.dims == ("network",)
    assert values.dtype == np.float64
    assert (values["metric"].item(), values["units"].item()) == ("x", "ms")


def test_several_stand_along_metric_whatever_the_order_of_their_dims():
    two = xr.DataArray([[1.0, 2.0], [3.0, 4.0]], dims=("network", "bit"), coords=COORDS, attrs={"units": "ms"})
    values = stack_metrics(xr.Dataset({"a": two, "b": (two.T > 2).assign_attrs(units="1")}), NEEDED)
    np.testing.assert_array_equal(values.transpose("metric", "network", "bit"), [two, two > 2])
    assert values["units"].values.tolist() == ["ms", "1"]
    assert values["condition"].dims == ("network",)


def test_what_is_not_finite_is_nan():
    assert stack_metrics(metric([np.inf, -np.inf]), NEEDED).isnull().all()


def test_chunked_metrics_are_computed():
    values = stack_metrics(metric([1.0, 2.0]).chunk(network=1), NEEDED)
    assert isinstance(values.data, np.ndarray)


def test_what_is_no_metric_is_refused():
    with pytest.raises(ValueError, match="x: expected real numbers, got dtype <U1"):
        stack_metrics(metric(["a", "b"]), NEEDED)
    with pytest.raises(ValueError, match="expected the coordinate 'condition' on network, found"):
        stack_metrics(metric([1, 2]).drop_vars("condition"), NEEDED)
    with pytest.raises(ValueError, match="'network' is missing"):
        stack_metrics(metric([1, 2]).rename(network="net"), NEEDED)
    with pytest.raises(ValueError, match=r"seed: expected a known seed of every network, got -1 .* position 1"):
        stack_metrics(metric([1, 2]).assign_coords(seed=("network", [0, -1])), NEEDED)
    with pytest.raises(ValueError, match="expected metrics of the same dims"):
        stack_metrics(xr.Dataset({"a": metric([1, 2]), "b": metric([1, 2]).expand_dims(bit=2)}), NEEDED)
    with pytest.raises(ValueError, match="got an empty Dataset"):
        stack_metrics(xr.Dataset(), NEEDED)
    with pytest.raises(TypeError, match="metric: expected a DataArray"):
        stack_metrics([1, 2], NEEDED)
