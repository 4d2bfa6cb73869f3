import numpy as np
import pytest
import xarray as xr

import biornn as bn
from biornn.analysis import by_cell_type
from tests.analysis.networks import network, side_by_side

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


OWN = {EXC: "Pyr", INH: "PV"}


def with_own_names(weights: xr.Dataset) -> xr.Dataset:
    """The same networks with types of a lab's own names, and their signs beside them."""
    cell_type, names = weights["cell_type"], bn.schema.text(weights["cell_type"])
    own = names.copy(data=np.vectorize(lambda name: OWN.get(name, name))(names.values))
    return weights.assign(cell_type=own).assign_coords(cell_sign=bn.schema.cell_signs(cell_type))


def two_networks() -> xr.Dataset:
    rng = np.random.default_rng(0)
    sign = np.array([1, -1, 1, 1, -1, 1])
    mask = rng.random((6, 6)) < 0.7

    def one(seed: int) -> xr.Dataset:
        recurrent = 0.3 * sign[:, np.newaxis] * np.random.default_rng(seed).random((6, 6)) * mask
        types = np.where(sign > 0, EXC, INH)
        made = network(recurrent, rng.normal(size=(2, 6)), rng.normal(size=(6, 2)), activation="tanh", cell_type=types)
        made["recurrent_mask"] = ("unit_pre", "unit_post"), mask
        for name, dims in {"input": ("input_channel", "unit"), "output": ("unit", "output_channel")}.items():
            made[f"{name}_mask"] = xr.ones_like(made[f"{name}_weights"], bool)
            made[f"{name}_sign"] = dims[0], np.zeros(made.sizes[dims[0]], int)
        return made

    return side_by_side(a=one(1), b=one(2))


def flip_flop_trials() -> xr.Dataset:
    return bn.tasks.FlipFlop(n_bits=2, duration=200, dt=5.0).trials(3, seed=0)


ANALYSES = {
    "by_cell_type": lambda w, rates: by_cell_type(
        w["alpha"] + w["output_weights"].sum("output_channel"), w["cell_type"]
    ),
    "weight_distribution": lambda w, rates: bn.analysis.weight_distribution(
        w["recurrent_weights"], w["recurrent_mask"], w["cell_type"]
    ),
    "predicted_spectrum": lambda w, rates: bn.analysis.predicted_spectrum(w["recurrent_weights"], w["cell_type"]),
    "matched_random_weights": lambda w, rates: bn.analysis.matched_random_weights(
        w["recurrent_weights"], w["recurrent_mask"], w["cell_type"], n_draws=2, seed=0
    ),
    "lesion_robustness": lambda w, rates: bn.analysis.lesion_robustness(w, flip_flop_trials(), (0.0, 0.5)),
    "currents_by_type": lambda w, rates: bn.analysis.currents_by_type(w, rates),
    "audit": lambda w, rates: bn.audit(w.assign(recurrent_weights=-w["recurrent_weights"])),
}


@pytest.mark.parametrize("name", ANALYSES)
def test_names_of_types_are_names_and_nothing_else(name: str) -> None:
    weights = two_networks()
    rates = bn.analysis.simulate(weights, flip_flop_trials()["inputs"])["rates"]
    usual, own = (ANALYSES[name](one, rates) for one in (weights, with_own_names(weights)))
    for dim in {"cell_type", "lesion"} & set(usual.dims):
        labels = [OWN.get(label, label) for label in usual[dim].values.tolist()]
        assert set(own[dim].values.tolist()) == set(labels) - {FREE}  # of types of one's own, those that there are
        usual = usual.assign_coords({dim: labels}).sel({dim: own[dim].values})
    xr.testing.assert_equal(own.reset_coords(drop=True), usual.reset_coords(drop=True))


def test_edges_and_graphs_have_the_own_names_and_the_audit_reads_the_signs() -> None:
    weights = with_own_names(two_networks()).sel(network="a")
    edges = bn.analysis.edge_table(weights)
    assert set(edges["cell_type_pre"]) == {"Pyr", "PV"}
    assert (edges["weight"] * np.where(edges["cell_type_pre"] == "PV", -1, 1) >= 0).all()
    nodes = bn.analysis.to_networkx(weights).nodes
    assert (nodes[0]["cell_type"], nodes[0]["cell_sign"], nodes[1]["cell_sign"]) == ("Pyr", 1, -1)
    assert int(bn.audit(weights)["sign_violations"]) == 0
    flipped = weights.assign_coords(cell_sign=-weights["cell_sign"])
    assert int(bn.audit(flipped)["sign_violations"]) == len(edges)


def test_types_come_by_sign_and_then_by_name() -> None:
    names = xr.DataArray([["SST", "Pyr", "X", "PV"], ["SST", "Pyr", "X", ""]], dims=("network", "unit"))
    signs = xr.DataArray([[-1, 1, 0, -1], [0, 1, 0, 0]], dims=("network", "unit"))
    found = bn.schema.type_signs(names.assign_coords(cell_sign=signs))
    assert list(found.items()) == [("Pyr", 1), ("PV", -1), ("SST", -1), ("X", 0)]
    with pytest.raises(ValueError, match=r"cell_type: expected one of .*coordinate cell_sign, got 'PV'"):
        bn.schema.type_signs(names)
    with pytest.raises(ValueError, match=r"cell_type: expected one of .*coordinate cell_sign, got 'PV'"):
        bn.schema.cell_signs(names)
    assert bn.schema.cell_signs(types([EXC, INH, FREE, ""])).values.tolist() == [[1, -1, 0, 0]]
