import numpy as np
import pytest
import xarray as xr

from biornn.analysis.kernels import Output, apply_kernel, describe

RATES = xr.DataArray(np.arange(24.0).reshape(2, 3, 4), dims=("network", "time", "unit"))
OUTPUTS = {
    "range": Output("largest less smallest", ("unit",), "Hz"),
    "n_samples": Output("samples", dtype=np.int64),
}


def _of_one_network(rates):
    return np.ptp(rates, axis=0), len(rates)


@pytest.mark.parametrize("lazy", [False, True])
def test_outputs_have_their_dims_type_units_and_meaning_for_each_network(lazy: bool) -> None:
    rates = RATES.chunk({"network": 1, "time": 2}) if lazy else RATES
    result = apply_kernel(_of_one_network, rates, core_dims=[["time", "unit"]], outputs=OUTPUTS)
    assert (result["range"].chunks is not None) == lazy
    np.testing.assert_array_equal(result["range"], np.full((2, 4), 8.0))
    assert result["range"].dims == ("network", "unit")
    assert result["range"].attrs == {"units": "Hz", "long_name": "largest less smallest"}
    assert result["n_samples"].dtype == np.int64
    assert result["n_samples"].values.tolist() == [3, 3]


def test_a_kernel_of_many_matrices_is_called_once_and_may_have_a_dim_of_its_own() -> None:
    calls = []

    def doubled(rates):
        calls.append(rates.shape)
        return np.concatenate([rates, rates], axis=-1)

    outputs = {"doubled": Output("twice", ("half",))}
    result = apply_kernel(doubled, RATES, core_dims=[["unit"]], outputs=outputs, sizes={"half": 8}, vectorize=False)
    assert calls == [(2, 3, 4)]
    assert result["doubled"].sizes == {"network": 2, "time": 3, "half": 8}


def test_what_is_described_is_what_is_named() -> None:
    dataset = describe(xr.Dataset({"a": ("x", [1]), "b": ("x", [2])}), {"a": Output("first")})
    assert dataset["a"].attrs == {"units": "1", "long_name": "first"}
    assert dataset["b"].attrs == {}
