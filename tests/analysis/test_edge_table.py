"""The table of synapses holds every synapse once, with what the store says of it."""

import numpy as np
import pytest
import xarray as xr

from biornn.analysis import edge_table
from biornn.schema import GATE_LABELS

UNITS = ["E1", "E2", "PV"]
TYPES = ["excitatory", "excitatory", "inhibitory"]
MASK = np.array([[False, True, True], [True, False, False], [True, True, False]])
#: By hand: a synapse that training brought to 0, one that is fixed, and a weight where none is allowed.
MATRIX = np.array([[0.0, 0.5, 0.0], [0.25, 0.125, 0.0], [-1.0, -2.0, 0.0]], "float32")
FIXED = (2, 0)


@pytest.fixture
def weights() -> xr.Dataset:
    """Two networks at two snapshots: the matrix by hand, its half before; the second diverged."""
    recurrent = np.stack([[MATRIX / 2, MATRIX], [MATRIX, MATRIX * np.nan]])
    trainable = MASK.copy()
    trainable[FIXED] = False
    matrix = ("unit_pre", "unit_post")
    return xr.Dataset(
        {
            "recurrent_weights": (("network", "snapshot", *matrix), recurrent),
            "recurrent_mask": (("network", *matrix), [MASK, MASK]),
            "recurrent_trainable": (("network", *matrix), [trainable, trainable]),
            "cell_type": (("network", "unit"), [TYPES, ["unconstrained"] * 3]),
            "formulation": ("network", ["rate", "rate"]),
            "alpha": (("network", "unit"), np.full((2, 3), 0.2)),
        },
        {
            "network": ["dale-s00", "free-s01"],
            "condition": ("network", np.array(["dale", "free"], np.dtypes.StringDType())),
            "seed": ("network", [0, 1]),
            "snapshot": [0, 1],
            "update": ("snapshot", [0, 200]),
            **dict.fromkeys(("unit", *matrix), UNITS),
        },
    )


def test_one_network_by_hand(weights: xr.Dataset) -> None:
    table = edge_table(weights.sel(network="dale-s00").isel(snapshot=-1))
    assert list(table.columns) == ["pre", "post", "weight", "cell_type_pre", "cell_type_post", "trainable"]
    exc, inh = "excitatory", "inhibitory"
    assert table.values.tolist() == [
        ["E1", "E2", 0.5, exc, exc, True],
        ["E1", "PV", 0.0, exc, inh, True],
        ["E2", "E1", 0.25, exc, exc, True],
        ["E2", "E2", 0.125, exc, exc, False],  # violates the mask, and is there
        ["PV", "E1", -1.0, inh, exc, False],
        ["PV", "E2", -2.0, inh, exc, True],
    ]
    assert table["weight"].dtype == np.float32


@pytest.mark.parametrize("chunks", [None, {"snapshot": 1}])
def test_all_networks_and_snapshots(weights: xr.Dataset, chunks: dict[str, int] | None) -> None:
    table = edge_table(weights if chunks is None else weights.chunk(chunks))
    assert list(table.columns[:5]) == ["network", "condition", "seed", "snapshot", "update"]
    assert len(table) == 6 + 6 + 6 + 5  # the violation is NaN in the network that diverged
    again = table.set_index(["network", "snapshot", "pre", "post"])["weight"].to_xarray()
    again = again.reindex({name: weights[f"unit_{name}"].values for name in ("pre", "post")})
    shown = weights["recurrent_weights"].where(weights["recurrent_mask"] | (abs(weights["recurrent_weights"]) > 0))
    np.testing.assert_array_equal(again.transpose("network", "snapshot", "pre", "post"), shown)
    assert set(table["condition"][table["network"] == "free-s01"]) == {"free"}
    assert set(table["update"][table["snapshot"] == 1]) == {200}
    assert set(table["cell_type_pre"][table["network"] == "free-s01"]) == {"unconstrained"}


def test_the_order_of_dims_does_not_matter(weights: xr.Dataset) -> None:
    turned = weights.transpose("unit_post", "unit", "snapshot", "unit_pre", "network")
    table, expected = edge_table(turned), edge_table(weights)
    columns = list(expected.columns)
    assert sorted(table[columns].astype(str).values.tolist()) == sorted(expected.astype(str).values.tolist())


def test_units_without_labels_are_numbers(weights: xr.Dataset) -> None:
    bare = weights.isel(network=0, snapshot=-1).drop_vars(["unit", "unit_pre", "unit_post", "recurrent_trainable"])
    table = edge_table(bare.drop_vars("formulation"))
    assert table[["pre", "post"]].values.tolist() == [[0, 1], [0, 2], [1, 0], [1, 1], [2, 0], [2, 1]]
    assert "trainable" not in table


def test_a_gated_network_has_a_row_per_gate(weights: xr.Dataset) -> None:
    rng = np.random.default_rng(0)
    by_gate = xr.DataArray(
        rng.normal(size=(2, 2, len(GATE_LABELS), 3, 3)),
        {"gate": list(GATE_LABELS)},
        ("network", "snapshot", "gate", "unit_pre", "unit_post"),
    )
    gru = weights.assign(gate_recurrent_weights=by_gate, formulation=("network", ["rate", "gru"]))
    gru["recurrent_mask"] = gru["recurrent_mask"] | (gru["network"] == "free-s01")
    table = edge_table(gru.isel(snapshot=-1))
    assert table.columns.get_loc("gate") == table.columns.get_loc("pre") - 1
    plain, gated = table[table["network"] == "dale-s00"], table[table["network"] == "free-s01"]
    assert set(plain["gate"]) == {""}
    assert len(plain) == 6
    assert len(gated) == 3 * 9  # a GRU has three gates
    candidate = gated[gated["gate"] == "candidate"].pivot_table(index="pre", columns="post", values="weight")
    np.testing.assert_array_equal(candidate, by_gate.sel(gate="candidate").isel(network=1, snapshot=-1))
    assert len(edge_table(gru.isel(snapshot=-1, network=[1]))) == 27


def test_what_is_missing_is_named(weights: xr.Dataset) -> None:
    with pytest.raises(ValueError, match="weights: expected 'recurrent_mask', found"):
        edge_table(weights.drop_vars("recurrent_mask"))
    with pytest.raises(TypeError, match="weights: expected a Dataset with"):
        edge_table(weights["recurrent_weights"])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="expected the same labels in the same order"):
        edge_table(weights.assign_coords(unit_post=UNITS[::-1]))
