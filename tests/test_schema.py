"""The vocabulary, and that every departure from it is told in one line."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import biornn as bn
from biornn import schema

Change = Callable[[xr.DataTree], None]


def changed(group: str, **variables: object) -> Change:
    return lambda tree: tree.__setitem__(group, xr.DataTree(tree[group].to_dataset().assign(**variables)))


def test_a_finished_run_keeps_to_the_schema(run: xr.DataTree) -> None:
    bn.validate(run)
    for group, variables in schema.GROUPS.items():
        stored = run[group].to_dataset()
        own = {"memory_state", "response_window"} if "trials" in group else set()  # of the task
        assert set(stored.data_vars) == set(variables) - {*schema.GATE_WEIGHTS, "position", "reaction_time"} | own
        for name, variable in ((name, variables[name]) for name in stored.data_vars if name in variables):
            named = {"score_name": "accuracy"} if "score" in name else {}
            assert stored[name].attrs == variable.attrs | named
    assert run["trials"].time.attrs["units"] == "ms"


def with_nan(tree: xr.DataTree) -> xr.DataArray:
    weights = tree["weights"].to_dataset()["recurrent_weights"].copy(deep=True)
    weights[0, -1, 0, 0] = np.nan
    return weights


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda tree: tree.__delitem__("audit"), "audit: expected this group, found"),
        (lambda tree: tree.attrs.__delitem__("title"), "/: expected the attribute 'title', found"),
        (lambda tree: tree.attrs.update(complete=0), "complete: expected 1, got 0; the run was interrupted"),
        (
            lambda tree: tree.__setitem__("history", xr.DataTree(tree["history"].to_dataset().drop_vars("update"))),
            "history/loss: expected the coordinate 'update' on snapshot, found none",
        ),
        (
            lambda tree: changed("weights", cell_type=tree["weights"].to_dataset()["cell_type"].where(False, ""))(tree),
            "weights/cell_type: expected one of ('excitatory', 'inhibitory', 'unconstrained'), got ''",
        ),
        (lambda tree: tree.attrs.update(schema_version=99), "schema_version: expected 2, got 99; open the run with"),
        (
            lambda tree: changed("weights", alpha=tree["weights"].to_dataset()["alpha"].T)(tree),
            "weights/alpha: expected dims ('network', 'unit'), got ('unit', 'network')",
        ),
        (
            lambda tree: changed("audit", autapses=tree["audit"].to_dataset()["autapses"] * 1.0)(tree),
            "audit/autapses: expected int values, got dtype float64",
        ),
        (
            lambda tree: changed("history", status=("network", ["completed", "asleep", "completed", "completed"]))(
                tree
            ),
            "history/status: expected one of",
        ),
        (
            lambda tree: changed("weights", recurrent_weights=with_nan(tree))(tree),
            "weights/recurrent_weights: expected finite values in network unconstrained-s03, got NaN or infinity",
        ),
        (
            lambda tree: changed("trials", inputs=tree["trials"].to_dataset()["inputs"] * np.inf)(tree),
            "trials/inputs: expected finite values, got NaN or infinity",
        ),
        (
            lambda tree: tree.__setitem__(
                "weights", xr.DataTree(tree["weights"].to_dataset().drop_vars("recurrent_mask"))
            ),
            "weights/recurrent_mask: expected this variable, found",
        ),
        (
            lambda tree: tree.__setitem__("history", xr.DataTree(tree["history"].to_dataset().isel(snapshot=[0]))),
            "along snapshot",
        ),
        (
            lambda tree: tree.__setitem__("activity", xr.DataTree(tree["activity"].to_dataset().drop_vars("unit"))),
            "activity/rates: expected coordinate labels on unit, found none",
        ),
    ],
)
def test_a_departure_is_told_in_one_line(run: xr.DataTree, change: Change, message: str) -> None:
    tree = run.copy(deep=True)
    change(tree)
    with pytest.raises(schema.SchemaError, match=re.escape(message)) as caught:
        bn.validate(tree)
    assert "\n" not in str(caught.value)


def test_a_run_needs_its_network_labels(run: xr.DataTree) -> None:
    tree = run.copy(deep=True)
    tree.dataset = tree.to_dataset().drop_vars("condition")
    with pytest.raises(schema.SchemaError, match="/: expected the coordinate 'condition'"):
        bn.validate(tree)


def test_nan_is_allowed_in_a_network_that_diverged(run: xr.DataTree) -> None:
    tree = run.copy(deep=True)
    changed("weights", recurrent_weights=with_nan(tree))(tree)
    status = tree["history"].to_dataset()["status"].copy(data=["diverged", *["completed"] * 3])
    changed("history", status=status)(tree)
    bn.validate(tree)


def test_trials_without_an_answer_have_no_reaction_time(run: xr.DataTree) -> None:
    tree = run.copy(deep=True)
    times = tree["activity"].to_dataset()["outputs"].isel(time=0, output_channel=0, drop=True) * np.nan
    changed("activity", reaction_time=times)(tree)
    bn.validate(tree)
    changed("activity", reaction_time=times.transpose("trial", "network"))(tree)
    with pytest.raises(schema.SchemaError, match=r"activity/reaction_time: expected dims \('network', 'trial'\)"):
        bn.validate(tree)


def test_a_gated_network_needs_finite_weights_in_its_own_gates(run: xr.DataTree) -> None:
    tree = run.copy(deep=True)
    weights = tree["weights"].to_dataset()
    of_gates = xr.DataArray(np.zeros((4, 4, 6, 8)), dims=("network", "snapshot", "gate", "unit"))
    of_gates = of_gates.assign_coords(gate=list(schema.GATE_LABELS))
    gru = weights["formulation"].copy(data=["rate", "gru", "lstm", "rate"])
    of_gates[{"network": 0}] = of_gates[{"network": 1, "gate": 2}] = of_gates[{"network": 2, "gate": 0}] = np.nan
    changed("weights", formulation=gru, gate_bias=of_gates)(tree)
    bn.validate(tree)
    of_gates[{"network": 1, "gate": 4}] = np.nan
    changed("weights", gate_bias=of_gates)(tree)
    with pytest.raises(
        schema.SchemaError, match=r"^weights/gate_bias: expected finite values in network .*s01, got NaN"
    ):
        bn.validate(tree)
    tree["weights"].dataset = tree["weights"].to_dataset().assign_coords(gate=list("zrifno"))
    with pytest.raises(schema.SchemaError, match=r"^weights/gate_bias: expected the labels \['update', .* got \['z', "):
        bn.validate(tree)


def test_positions_have_named_axes_and_gated_networks_have_none(run: xr.DataTree) -> None:
    tree = run.copy(deep=True)
    position = xr.DataArray(np.ones((4, 8, 2)), {"axis": ["x", "y"]}, ("network", "unit", "axis"))
    changed("weights", position=position)(tree)
    bn.validate(tree)
    position[1] = np.nan
    changed("weights", position=position)(tree)
    with pytest.raises(schema.SchemaError, match="weights/position: expected finite values in network"):
        bn.validate(tree)
    formulation = tree["weights"].to_dataset()["formulation"].copy(data=["rate", "gru", "rate", "rate"])
    gates = xr.DataArray(np.zeros((4, 4, 6, 8)), dims=("network", "snapshot", "gate", "unit"))
    gates = gates.assign_coords(gate=list(schema.GATE_LABELS))
    changed("weights", position=position, formulation=formulation, gate_bias=gates)(tree)
    bn.validate(tree)
    changed("weights", position=position.drop_vars("axis"))(tree)
    tree["weights"].dataset = tree["weights"].to_dataset().drop_vars("axis")
    with pytest.raises(schema.SchemaError, match="weights/position: expected coordinate labels on axis, found none"):
        bn.validate(tree)


def test_types_of_ones_own_need_their_signs(run: xr.DataTree) -> None:
    tree = run.copy(deep=True)
    weights = tree["weights"].to_dataset()
    own = xr.full_like(weights["cell_type"], "PV", object).drop_vars("cell_sign", errors="ignore")
    sign = ("network", "unit"), np.full(own.shape, -1)
    tree["weights"].dataset = weights.assign(cell_type=own).assign_coords(cell_sign=sign)
    bn.validate(tree)
    tree["weights"].dataset = weights.drop_vars("cell_sign", errors="ignore").assign(cell_type=own)
    with pytest.raises(schema.SchemaError, match=r"weights/cell_type: expected one of .*, got 'PV'"):
        bn.validate(tree)
    tree["weights"].dataset = weights.assign_coords(cell_sign=(sign[0], 2 * sign[1]))
    with pytest.raises(schema.SchemaError, match="weights/cell_sign: expected 1, -1 and 0 along"):
        bn.validate(tree)


@pytest.mark.parametrize("dtype", [object, "U20", np.dtypes.StringDType()])
def test_text_is_read_whichever_way_it_came(dtype: object) -> None:
    status = xr.DataArray(np.array(["completed", "diverged", "failed"], dtype=dtype), dims="network")
    assert schema.text(status).values.tolist() == ["completed", "diverged", "failed"]
    assert schema.is_trained(status).values.tolist() == [True, False, False]


def test_the_documentation_shows_the_schema_as_it_is() -> None:
    page = (Path(__file__).parents[1] / "docs" / "schema.md").read_text()
    assert page.endswith(schema.to_markdown()), "print it again: python -m biornn.schema"


def test_units_are_added_to_a_copy() -> None:
    given = xr.Dataset({"loss": ("snapshot", [1.0], {"note": "mine"})}, {"time": ("time", [0.0])})
    before = given.copy(deep=True)
    found = schema.variable_attrs("history", given)
    xr.testing.assert_identical(given, before)
    assert found["loss"].attrs.keys() > {"note"}
    assert found["time"].attrs == {"units": "ms", "long_name": "time"}
