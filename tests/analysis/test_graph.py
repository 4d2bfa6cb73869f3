"""A graph of networkx has the weights of the network, and what is known of its units."""

import sys
from io import BytesIO

import numpy as np
import pytest
import xarray as xr

from biornn.analysis import to_networkx

nx = pytest.importorskip("networkx")


@pytest.fixture
def weights() -> xr.Dataset:
    """One sparse network of named units, one of which is alone, at one snapshot."""
    rng = np.random.default_rng(0)
    mask = rng.random((6, 6)) < 0.4
    mask[5] = mask[:, 5] = False
    matrix = ("unit_pre", "unit_post")
    labels = [f"u{at}" for at in range(6)]
    return xr.Dataset(
        {
            "recurrent_weights": (matrix, np.where(mask, rng.normal(size=(6, 6)), 0).astype("float32")),
            "recurrent_mask": (matrix, mask),
            "recurrent_trainable": (matrix, mask & (rng.random((6, 6)) < 0.5)),
            "cell_type": ("unit", np.array(["excitatory"] * 4 + ["inhibitory"] * 2, np.dtypes.StringDType())),
            "alpha": ("unit", np.linspace(0.1, 0.2, 6)),
            "input_weights": (("input_channel", "unit"), np.ones((2, 6))),
            "formulation": ((), "rate"),
        },
        {"network": "dale-s00", "seed": 0, "update": 200, **dict.fromkeys(("unit", *matrix), labels)},
    )


def test_edges_are_the_weights_and_nodes_the_units(weights: xr.Dataset) -> None:
    graph = to_networkx(weights)
    assert list(graph) == weights["unit"].values.tolist()  # also the unit without a synapse
    np.testing.assert_array_equal(nx.to_numpy_array(graph), weights["recurrent_weights"])
    assert graph.number_of_edges() == int(weights["recurrent_mask"].sum())
    for pre, post, edge in graph.edges(data=True):
        assert edge["trainable"] == bool(weights["recurrent_trainable"].sel(unit_pre=pre, unit_post=post))
    assert [node["cell_type"] for _, node in graph.nodes(data=True)] == weights["cell_type"].values.tolist()
    assert set(graph.nodes["u0"]) == {"cell_type", "alpha"}
    assert graph.graph == {"network": "dale-s00", "seed": 0, "update": 200}


def test_it_can_be_written_to_a_file_of_graphs(weights: xr.Dataset) -> None:
    file = BytesIO()
    graph = to_networkx(weights)
    nx.write_graphml(graph, file)
    file.seek(0)
    again = nx.read_graphml(file)
    assert dict(again.nodes(data=True)) == dict(graph.nodes(data=True))
    assert {(pre, post): edge["weight"] for pre, post, edge in again.edges(data=True)} == {
        (pre, post): edge["weight"] for pre, post, edge in graph.edges(data=True)
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda one: one.expand_dims(network=["a", "b"]), "expected one network at one snapshot, got 2 along network"),
        (
            lambda one: one.assign(formulation=((), "gru")).assign(
                gate_recurrent_weights=one["recurrent_weights"].expand_dims(gate=["update", "reset", "candidate"])
            ),
            "expected a network with one weight per synapse, got a gated one",
        ),
    ],
)
def test_several_weights_of_a_synapse_are_refused(weights: xr.Dataset, change: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        to_networkx(change(weights))  # type: ignore[operator]


def test_without_networkx_one_line_says_so(weights: xr.Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "networkx", None)
    with pytest.raises(ModuleNotFoundError, match="expected the package networkx, found none; install it, or") as error:
        to_networkx(weights)
    assert "\n" not in str(error.value)
