"""Networks small enough to know by heart, in the form of the store's `weights`."""

import sys

import numpy as np
import xarray as xr

from biornn.analysis.each_network import constant_inputs, each_network
from biornn.schema import GATE_LABELS, GATES

NAN = np.nan


def network(recurrent, inputs, outputs, alpha=1.0, activation="linear", bias=0.0, cell_type="unconstrained"):
    """One network; weights as nested lists (pre, post), the rest for all units alike or one by one."""
    n_units, n_outputs = np.shape(outputs)
    return xr.Dataset(
        {
            "input_weights": (("input_channel", "unit"), np.array(inputs, float)),
            "recurrent_weights": (("unit_pre", "unit_post"), np.array(recurrent, float)),
            "output_weights": (("unit", "output_channel"), np.array(outputs, float)),
            "recurrent_bias": ("unit", np.zeros(n_units)),
            "output_bias": ("output_channel", np.full(n_outputs, bias)),
            "initial_state": ("unit", np.zeros(n_units)),
            "alpha": ("unit", np.full(n_units, alpha)),
            "cell_type": ("unit", np.broadcast_to(np.array(cell_type, object), n_units)),
            "activation": ((), activation),
            "formulation": ((), "rate"),
        },
        {"output_channel": [f"bit_{bit + 1}" for bit in range(n_outputs)]},
    )


def equation(recurrent, activation="linear", alpha=1.0, formulation="rate", bias=0.0):
    """The equation for the fixed points of one network without input."""
    n_units = len(recurrent)
    stored = network(recurrent, np.zeros((1, n_units)), np.eye(n_units), alpha, activation)
    stored["formulation"] = ((), formulation)
    stored["recurrent_bias"] = ("unit", np.broadcast_to(bias, n_units).astype(float))
    return next(each_network(stored, constant_inputs(stored, None)))[1]


def in_all_numbers(monkeypatch):
    """Search networks of low rank as all others, in as many numbers as they have units."""
    monkeypatch.setattr(sys.modules["biornn.analysis.fixed_points"], "in_few_numbers", lambda of: of)


def gated(layer, recurrent, inputs=None, bias=None, outputs=None):
    """One GRU or LSTM; `recurrent`, `inputs` and `bias` map gates to weights (pre, post) and numbers; others are 0."""
    n_units = len(next(iter(recurrent.values())))
    inputs = {"candidate": np.zeros((1, n_units))} if inputs is None else inputs
    n_inputs = len(next(iter(inputs.values())))
    outputs = np.eye(n_units) if outputs is None else outputs
    made = network(np.full((n_units, n_units), NAN), np.full((n_inputs, n_units), NAN), outputs, NAN, "tanh")

    def by_gate(given, *shape):
        own = {gate: np.broadcast_to(np.array(given.get(gate, 0.0), float), shape) for gate in GATES[layer][0]}
        return np.array([own.get(gate, np.full(shape, NAN)) for gate in GATE_LABELS])

    return made.assign(
        recurrent_bias=made["recurrent_bias"] * NAN,
        gate_input_weights=(("gate", "input_channel", "unit"), by_gate(inputs, n_inputs, n_units)),
        gate_recurrent_weights=(("gate", "unit_pre", "unit_post"), by_gate(recurrent, n_units, n_units)),
        gate_bias=(("gate", "unit"), by_gate(bias or {}, n_units)),
        gate_recurrent_bias=(("gate", "unit"), by_gate({}, n_units)),
        formulation=((), layer),
    ).assign_coords(gate=list(GATE_LABELS))


def side_by_side(**networks):
    names = list(networks)
    both = xr.concat(list(networks.values()), dim=xr.Variable("network", np.array(names, object)), coords="minimal")
    return both.assign_coords(condition=("network", np.array([name[0] for name in names], object)))


def with_those_that_cannot_run(one):
    """Return `one` as the first of four networks, of which the others diverged, failed, and are gated."""
    weights = side_by_side(one=one, diverged=one, failed=one, gated=one)
    weights["formulation"] = ("network", np.array(["rate", "rate", "", "gru"], object))
    weights["activation"] = ("network", np.array([str(one.activation.values)] * 2 + ["", "tanh"], object))
    weights["cell_type"] = weights.cell_type.where(weights.network != "failed", "")
    for name in ("recurrent_weights", "output_weights"):
        weights[name] = weights[name].where(weights.network.isin(["one", "gated"]), NAN)
    weights["recurrent_weights"] = weights.recurrent_weights.where(weights.network != "gated", NAN)
    return weights
