"""What the networks of a run are and how they were trained: the paper's Table 1, for any run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from rich.table import Table
from rich.text import Text

from biornn.errors import printable
from biornn.schema import GATED, GATES, cell_signs, text, type_signs

_NOT_RECORDED = "not recorded"

#: Dims of the weights that can be fixed.
_ENDS = {
    "input": ["input_channel", "unit"],
    "recurrent": ["unit_pre", "unit_post"],
    "output": ["unit", "output_channel"],
}
_PENALTIES = {"l1_weights": "L1 of weights", "l2_weights": "L2 of weights", "l2_rates": "L2 of rates"}


def describe_networks(run: xr.DataTree) -> dict[str, dict[str, str]]:
    """Describe the networks of each condition, from the store alone: condition -> property -> text.

    Numbers that differ between the networks of a condition are given as a range. What neither the weights nor the
    recorded experiment tell is ``"not recorded"``. A network that failed or was not trained has no weights and is left
    out; a condition that has none else has no properties.
    """
    experiment = json.loads(run.attrs["experiment"])
    weights = run["weights"].to_dataset()
    failed = text(run["history"].to_dataset()["status"]).isin(["failed", "interrupted"])
    dt = _time_step(run)
    described: dict[str, dict[str, str]] = {}
    for condition in dict.fromkeys(text(weights["condition"]).values.tolist()):
        members = weights.isel(network=np.flatnonzero((text(weights["condition"]) == condition) & ~failed))
        if not members.sizes["network"]:
            described[condition] = {}
            continue
        network, training = _settings(experiment, condition)
        described[condition] = {
            **_architecture(members, network, dt),
            "initialisation": _start(experiment) or _initialisation(network, str(members["formulation"].values[0])),
            "training algorithm": _algorithm(training),
            "trials in training": _NOT_RECORDED if "recorded" in experiment else _training_trials(training),
            "regularisation": _regularisation(network, training),
            "constraints": _constraints(members, network),
            **_free_parameters(members, network),
        }
    return described


def network_table(run: xr.DataTree) -> Table:
    """Lay out `describe_networks`: a row per property, a column per condition.

    Parameters
    ----------
    run
        A run.
    """
    described = describe_networks(run)
    history = run["history"].to_dataset()
    tried = set(text(history["condition"]).values[text(history["status"]).values != "interrupted"].tolist())
    table = Table(title=Text("Networks and their training"), title_justify="left")
    table.add_column("", no_wrap=True)
    for condition in described:
        table.add_column(Text(printable(condition)), overflow="fold")
    for row in max(described.values(), key=len):
        cells = {name: one.get(row, "failed" if name in tried else "not trained") for name, one in described.items()}
        table.add_row(row, *(Text(printable(cell)) for cell in cells.values()))
    return table


def _settings(experiment: Mapping[str, Any], condition: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Network and training of a condition, with its changes."""
    changes = experiment.get("conditions", {}).get(condition, {})
    own = {key: value for key, value in changes.items() if not key.startswith("training.")}
    training = {key.removeprefix("training."): value for key, value in changes.items() if key.startswith("training.")}
    return {**experiment.get("network", {}), **own}, {**experiment.get("training", {}), **training}


def _time_step(run: xr.DataTree) -> float:
    times = run["trials"].to_dataset()["time"].values
    return float(times[1] - times[0]) if len(times) > 1 else float("nan")


def _architecture(weights: xr.Dataset, network: Mapping[str, Any], dt: float) -> dict[str, str]:
    formulation = str(weights["formulation"].values[0])
    sizes = weights.sizes
    first = weights["cell_type"].isel(network=0)
    counts = {name: int((text(first) == name).sum()) for name in type_signs(first)}
    units = str(sizes["unit"])
    if counts.get("unconstrained") != sizes["unit"]:
        units += f" ({', '.join(f'{count} {name}' for name, count in counts.items() if count)})"
    gates = "" if formulation not in GATED else f" × {len(GATES[formulation][0])} gates"
    kind = formulation.upper() if formulation in GATED else f"simple recurrent network, {formulation} form"
    return {
        "architecture": kind,
        "units": units,
        "activation": str(weights["activation"].values[0]),
        "time step": f"{dt:g} ms; {_time_constants(weights['alpha'], dt)}",
        "input weights": f"{sizes['input_channel']} × {sizes['unit']}{gates}",
        "recurrent weights": f"{sizes['unit']} × {sizes['unit']}{gates}",
        "output weights": f"{sizes['unit']} × {sizes['output_channel']}",
        "bias": f"units: {_yes_or_no(network.get('use_bias'))}; outputs: {_yes_or_no(network.get('readout_bias'))}",
    }


def _time_constants(alpha: xr.DataArray, dt: float) -> str:
    if alpha.isnull().all():
        return "no time constant"
    return f"time constant {_range(dt / alpha, 'g')} ms"


def _start(experiment: Mapping[str, Any]) -> str:
    """Say from which run the networks went on; empty where they began with drawn or given weights."""
    start = experiment.get("start")
    return f"weights of {start['run']} ({start['created']}), snapshot {start['snapshot']}" if start else ""


def _initialisation(network: Mapping[str, Any], formulation: str) -> str:
    if formulation in GATED and "input_initial" not in network:
        return "recurrent: orthogonal per gate; input, output: Glorot uniform"
    own = network.get("cell_types")
    has_signs = (
        any(one["sign"] for one in own.values())
        if own
        else any(network.get(key) is not None for key in ("excitatory_fraction", "cell_type"))
    )
    # An experiment without a rule takes the default; an import without one does not know it.
    default = "gamma" if has_signs else "orthogonal"
    recurrent = network.get("initial") or (_NOT_RECORDED if "input_initial" in network else default)
    if not isinstance(recurrent, str):
        recurrent = f"given in {recurrent['file']}" if isinstance(recurrent, dict) else "given"
    if network.get("spectral_radius") is not None:
        recurrent += f", spectral radius {network['spectral_radius']:g}"
    # An import says what its file says; a run of biornn has one rule for both.
    ends = [
        "given"
        if network.get(given) is not None
        else (network.get(f"{end}_initial", "Glorot_uniform") or _NOT_RECORDED).replace("_", " ")
        for end, given in (("input", "input_weights"), ("output", "readout_weights"))
    ]
    told = f"recurrent: {recurrent.replace('_', ' ')}; input: {ends[0]}; output: {ends[1]}"
    deviation = network.get("initial_bias")
    return f"{told}; biases of the units: Gaussian, standard deviation {deviation:g}" if deviation else told


def _algorithm(training: Mapping[str, Any]) -> str:
    if "learning_rate" not in training:
        return _NOT_RECORDED
    name = training.get("optimizer", "Adam")
    rate, decay = training["learning_rate"], training.get("decay")
    parts = [f"{name} (backpropagation through time), learning rate {_number(rate)}"]
    if isinstance(rate, int | float):
        schedule = training.get("schedule", "inverse_time" if decay else "constant")
        if schedule is not None:  # of a recorded model it is not known
            parts.append(f"{schedule.replace('_', ' ')} schedule{f' {_number(decay)}' if decay else ''}")
    if training.get("warmup"):
        parts.append(f"warm-up over {training['warmup']:.0%}")
    if training.get("clip_norm"):
        parts.append(f"gradient norm at most {training['clip_norm']:g}")
    if "batch_size" in training:
        parts.append(f"batches of {training['batch_size']}")
    if "max_updates" in training:
        parts.append(f"at most {training['max_updates']} updates")
    if "batch_size" in training:
        n_trials = training.get("n_training_trials")
        parts.append(f"{n_trials} training trials, in passes" if n_trials else "fresh trials")
    loss = training.get("loss", "mse")
    return ", ".join([*parts, "mean squared error" if loss == "mse" else f"loss {loss}".replace("_", " ")])


def _training_trials(training: Mapping[str, Any]) -> str:
    """Say in what the training trials differ from those of the task, stage by stage."""
    own = {key.removeprefix("task."): value for key, value in training.items() if key.startswith("task.")}
    every = {**(training.get("task") or {}), **own}
    told = []
    for stage in training.get("stages") or ():
        forms = {"updates": "{} updates", "score": "a score of {:g}"}
        ends = [form.format(stage[key]) for key, form in forms.items() if stage.get(key) is not None]
        until = f", until {' or '.join(ends)}" * bool(ends)
        told.append(_with_settings({**every, **stage.get("task", {})}) + until)
    return "; then ".join([*told, _with_settings(every)])


def _with_settings(changes: Mapping[str, Any]) -> str:
    return ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in changes.items()) or "as in the task"


def _number(value: Any) -> str:
    """Give a rate as a number; a schedule that came as an object by its name."""
    if isinstance(value, int | float):
        return f"{value:.3g}"
    return str(value.get("class_name", _NOT_RECORDED)) if isinstance(value, dict) else _NOT_RECORDED


def _regularisation(network: Mapping[str, Any], training: Mapping[str, Any]) -> str:
    penalties = [f"{name} {training[key]:g}" for key, name in _PENALTIES.items() if training.get(key)]
    penalties += [f"{key}: {value}" for key, value in network.get("penalties", {}).items()]
    if network.get("recurrent_noise"):
        penalties.append(f"recurrent noise {network['recurrent_noise']:g}")
    return ", ".join(penalties) or "none"


def _constraints(weights: xr.Dataset, network: Mapping[str, Any]) -> str:
    """Say what is constrained, from the signs and masks themselves."""
    mask = weights["recurrent_mask"]
    n_units = mask.sizes["unit_pre"]
    n_autapses = np.trace(mask.transpose(..., "unit_pre", "unit_post").values.astype(int), axis1=-2, axis2=-1)
    density = (mask.sum(["unit_pre", "unit_post"]) - n_autapses) / max(n_units * (n_units - 1), 1)
    found = []
    if cell_signs(weights["cell_type"]).any():
        found.append("Dale's law")
    if n_units > 1 and float(density.min()) < 1:
        found.append(f"{_range(100 * density, '.3g')} % of the synapses between units")
    found += [f"a {name.replace('_', ' ')} topology" for name in network.get("topology") or ()]
    if network.get("rewired"):
        found.append("rewired with the degrees of the given mask")
    if not n_autapses.any():
        found.append("no self-connections")
    if not weights["input_mask"].all() or weights["input_sign"].any():
        found.append("input weights")
    if not weights["output_mask"].all() or weights["output_sign"].any():
        found.append("readout weights")
    if any((weights[f"{end}_mask"] & ~_free(weights, end)).any() for end in _ENDS):
        found.append("fixed weights")
    if found and "enforcement" in network:
        found.append(f"by {network['enforcement']}")
    return ", ".join(found) or "none"


def _free(weights: xr.Dataset, end: str) -> xr.DataArray:
    """Which weights training may change: in older runs, all that a mask allows."""
    return weights.get(f"{end}_trainable", weights[f"{end}_mask"])


def _free_parameters(weights: xr.Dataset, network: Mapping[str, Any]) -> dict[str, str]:
    """Count the weights that training may change; what a mask forbids is none."""
    formulation = str(weights["formulation"].values[0])
    gates, biases_per_gate = GATES.get(formulation, (("",), 1))
    counts = {
        **{end: (1 if end == "output" else len(gates)) * _free(weights, end).sum(dims) for end, dims in _ENDS.items()},
        "bias": xr.full_like(weights["network"], 0, dtype=int)
        + len(gates) * biases_per_gate * weights.sizes["unit"] * bool(network.get("use_bias"))
        + weights.sizes["output_channel"] * bool(network.get("readout_bias")),
    }
    if network.get("trainable_initial_state"):
        counts["initial state"] = xr.full_like(weights["network"], weights.sizes["unit"], dtype=int)
    total = sum(counts.values())
    assert isinstance(total, xr.DataArray)
    parts = ", ".join(f"{name} {_range(count, ',')}" for name, count in counts.items())
    return {"free parameters": f"{_range(total, ',')} ({parts})"}


def _yes_or_no(setting: Any) -> str:
    return _NOT_RECORDED if setting is None else ("yes" if setting else "no")


def _range(values: xr.DataArray, form: str) -> str:
    low, high = values.min().item(), values.max().item()
    first, last = f"{low:{form}}", f"{high:{form}}"
    return first if first == last else f"{first} to {last}"
