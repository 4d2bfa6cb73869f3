"""The vocabulary of a run: dims, coordinates, variables and units, and the check that a tree keeps to it.

`docs/schema.md` is generated from here (``python -m biornn.schema``).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import xarray as xr

from biornn.errors import OneLineError, listed, named

SCHEMA_VERSION = 2

#: Cell types of networks without types of their own -> sign of their outgoing weights (0: either).
CELL_TYPES: Mapping[str, int] = {"excitatory": 1, "inhibitory": -1, "unconstrained": 0}
#: Lesion of units of any type; the others are named after a type.
LESION_OF_ANY = "any"
FORMULATIONS = ("rate", "current", "gru", "lstm")
GATE_LABELS = ("update", "reset", "input", "forget", "candidate", "output")
#: Gated layer of Keras -> its gates, in the order of Keras, and the bias vectors of each.
GATES: Mapping[str, tuple[tuple[str, ...], int]] = {
    "gru": (("update", "reset", "candidate"), 2),
    "lstm": (("input", "forget", "candidate", "output"), 1),
}
#: Formulations with a weight per gate where the others have one, which is NaN.
GATED = tuple(GATES)
_UNDEFINED_IF_GATED = ("input_weights", "recurrent_weights", "recurrent_bias", "alpha", "position")

#: How the training of a network ended. Only networks with a status in `TRAINED` have results to compare.
STATUSES = ("criterion_reached", "criterion_not_reached", "completed", "diverged", "failed", "interrupted")
TRAINED = ("criterion_reached", "criterion_not_reached", "completed")

#: Prefix of the coordinates on `network` that hold the level of a crossed factor, such as `factor_density`.
FACTOR = "factor_"

DIMS: Mapping[str, str] = {
    "network": "one trained network; a readable id such as `dale-s03`",
    "snapshot": "the network at one moment of its training; 0 is before the first update",
    "trial": "a trial",
    "time": "time within a trial, in ms",
    "unit": "a recurrent unit",
    "unit_pre": "the presynaptic side of a recurrent weight",
    "unit_post": "the postsynaptic side of a recurrent weight",
    "axis": "an axis of the positions of units: `x`, `y`, `z`",
    "input_channel": "a named input",
    "output_channel": "a named output",
    "gate": "a gate of a gated layer: `update`, `reset`, `input`, `forget`, `candidate`, `output`",
    "mode": "eigenvalue index, largest modulus first",
    "component": "dimension of a reduced space, largest variance first",
    "trial_condition": "what tells trials apart, as text: values of their coordinates, such as `coherence=4`",
    "stimulus": "graded stimulus on which a choice between two depends, such as a signed coherence or a frequency",
    "level": "value of a stimulus, or of what is asked for, at which something is averaged",
    "period": "a named period of a trial",
    "regressor": "a coordinate of the trials on which rates are regressed",
    "train_time": "time in a trial, in ms, at which a decoder learned",
    "test_time": "time in a trial, in ms, at which it is asked",
    "correct_choice": "the choice that is right",
    "choice": "the choice that was made",
    "memory_state": "signs of the memorised bits, such as `+-+`",
    "fixed_point": "a fixed point of a network, or a slow point",
    "side": "one of the two sides of a saddle along its unstable mode",
    "edge": "pair of memory states that differ in the bit marked `*`, such as `+*-`",
    "bit": "axis of a memorised bit",
    "bit_pair": "two bits, such as `1-2`",
    "cell_type": "a cell type, by which units are summed up: `excitatory`, `inhibitory`, `unconstrained`, or own ones",
    "evaluation": "settings under which networks were evaluated after their training, such as `delay=3000`",
    "condition": "a named condition of a design",
    "other_network": "the other network of a pair",
    "other_condition": "the condition of the other network of a pair",
    "delay": "time beyond the probe, without input, in ms",
    "noise": "standard deviation of added noise",
    "lesion": "which units are silenced: `any`, or those of a cell type, such as `excitatory`",
    "share": "share of these units that is silenced",
    "draw": "a random matrix under the constraint of a network",
    "metric": "name of what was compared",
    "effect": "main effect or interaction of factors, such as `dale:density[0.2]`",
    "update": "optimizer updates, where an estimate is a curve over them",
}

COORDS: Mapping[str, tuple[tuple[str, ...], str]] = {
    "condition": (("network",), "name of the condition that the network belongs to"),
    "seed": (("network",), "seed of the network; conditions are matched by it (-1: not known)"),
    "update": (
        ("snapshot",),
        "optimizer updates so far; -1: not known (a network that stopped earlier keeps its last weights)",
    ),
    "n_steps": (("trial",), "length of the trial in steps; what follows is padding"),
    "cell_sign": (
        ("network", "unit"),
        "Dale's law: sign of the weights that the unit sends to units, by its cell type; 0: either (where it is not "
        "stored, the name of the type says it)",
    ),
}

_LABELLED_DIMS = ("network", "snapshot", "time", "unit", "axis", "input_channel", "output_channel", "gate")

Kind = Literal["float", "int", "bool", "text"]
_NUMPY_KINDS: Mapping[Kind, str] = {"float": "f", "int": "iu", "bool": "b", "text": "OUT"}


@dataclass(frozen=True)
class Variable:
    """One variable of a run: its dims in their stored order, kind, units and meaning."""

    dims: tuple[str, ...]
    kind: Kind
    units: str
    meaning: str
    required: bool = True
    choices: tuple[str, ...] = ()

    @property
    def attrs(self) -> dict[str, str]:
        """Attributes that the stored variable carries."""
        return {"units": self.units, "long_name": self.meaning}


def _float(dims: str, meaning: str, units: str = "1", required: bool = True) -> Variable:
    return Variable(tuple(dims.split()), "float", units, meaning, required)


def _of_gates(dims: str, meaning: str) -> Variable:
    return _float(
        f"network snapshot gate {dims}", f"{meaning}; NaN in gates that a layer does not have", required=False
    )


_TRIALS = {
    "inputs": _float("trial time input_channel", "input to the network"),
    "targets": _float("trial time output_channel", "what the outputs should be"),
    "loss_weight": _float("trial time output_channel", "weight of the squared error in the loss; 0 in padding"),
    "period": Variable(("trial", "time"), "text", "", "name of the period of the trial", required=False),
}
_ACTIVITY = {
    "rates": _float("network trial time unit", "firing rate of a unit after the input at this time"),
    "outputs": _float("network trial time output_channel", "readout of the rates at this time"),
    "reaction_time": _float(
        "network trial",
        "time of the answer after the onset of the stimulus, of a task with such; NaN: none",
        "ms",
        required=False,
    ),
}
#: Variables that are NaN where there is nothing to report, also in trained networks.
_MAY_BE_MISSING = ("reaction_time",)

#: Groups of the task's noise-free probe: a run has both, or neither.
PROBE = ("probe_trials", "probe_activity")

#: Groups that `biornn fixed-points` adds to a run: what `analysis.fixed_points` and `analysis.memory_attractors` give.
FIXED_POINTS = ("fixed_points", "memory_attractors")

#: Group that `biornn evaluate` adds to a run, and the name of the evaluation of its task as it is.
EVALUATIONS = "evaluations"
OWN_SETTINGS = "own settings"

#: Group of a run -> its variables; a task may add variables and coordinates to the trials. Weights are the EFFECTIVE
#: ones, after every constraint.
GROUPS: Mapping[str, Mapping[str, Variable]] = {
    "trials": _TRIALS,
    "activity": _ACTIVITY,
    "probe_trials": _TRIALS,
    "probe_activity": _ACTIVITY,
    "weights": {
        "input_weights": _float("network snapshot input_channel unit", "effective weight from input to unit"),
        "recurrent_weights": _float("network snapshot unit_pre unit_post", "effective weight from pre to post"),
        "output_weights": _float("network snapshot unit output_channel", "effective weight from unit to output"),
        "recurrent_bias": _float("network snapshot unit", "bias of a unit; 0 where the network has none"),
        "output_bias": _float("network snapshot output_channel", "bias of an output; 0 where the network has none"),
        "gate_input_weights": _of_gates("input_channel unit", "weight from input to a gate of a unit"),
        "gate_recurrent_weights": _of_gates("unit_pre unit_post", "weight from pre to a gate of post"),
        "gate_bias": _of_gates("unit", "bias of a gate; 0 where the network has none"),
        "gate_recurrent_bias": _of_gates(
            "unit", "second bias of a gate, of a GRU: beside the recurrent weights, which `reset` scales; else 0"
        ),
        "recurrent_mask": Variable(
            ("network", "unit_pre", "unit_post"), "bool", "", "the synapse may exist (diagonal: autapses)"
        ),
        "recurrent_trainable": Variable(
            ("network", "unit_pre", "unit_post"), "bool", "", "training may change the synapse", required=False
        ),
        "input_mask": Variable(("network", "input_channel", "unit"), "bool", "", "the input weight may exist"),
        "output_mask": Variable(("network", "unit", "output_channel"), "bool", "", "the readout weight may exist"),
        "input_trainable": Variable(
            ("network", "input_channel", "unit"), "bool", "", "training may change the input weight", required=False
        ),
        "output_trainable": Variable(
            ("network", "unit", "output_channel"), "bool", "", "training may change the readout weight", required=False
        ),
        "input_sign": Variable(("network", "input_channel"), "int", "", "sign imposed on a channel's weights; 0: free"),
        "output_sign": Variable(("network", "unit"), "int", "", "sign imposed on a unit's readout weights; 0: free"),
        "cell_type": Variable(
            ("network", "unit"),
            "text",
            "",
            "cell type: `excitatory`, `inhibitory`, `unconstrained`, or an own one",
        ),
        "position": Variable(
            ("network", "unit", "axis"), "float", "", "where the unit is, in the unit that was given", required=False
        ),
        "alpha": _float("network unit", "dt / tau"),
        "initial_rates": _float("network unit", "rates before the first input (where learned: of the last snapshot)"),
        "initial_state": _float(
            "network snapshot unit",
            "state variable before the first input: rates, currents in the current form, or cell states of an LSTM",
        ),
        "activation": Variable(("network",), "text", "", "name of the activation function"),
        "formulation": Variable(
            ("network",),
            "text",
            "",
            "which quantity leaks, or the gated layer (whose weights stand by gate, and whose alpha is NaN)",
            choices=FORMULATIONS,
        ),
    },
    "history": {
        "loss": _float("network snapshot", "mean training loss since the validation before, with penalties"),
        "val_loss": _float("network snapshot", "loss on the validation trials, with penalties"),
        "score": _float("network snapshot", "mean score on the validation trials"),
        "worst_score": _float("network snapshot", "mean score on those of the worst trial condition"),
        "held": Variable(
            ("network", "snapshot"),
            "float",
            "1",
            "share of the memory states that are kept for 5,000 ms without input; NaN: not measured",
            required=False,
        ),
        "status": Variable(("network",), "text", "", "how training ended", choices=STATUSES),
        "failure": Variable(
            ("network",), "text", "", "why there are no results to compare; empty where there are", required=False
        ),
        "updates_trained": Variable(("network",), "int", "update", "optimizer updates made"),
        "updates_to_criterion": _float("network", "updates until the criterion was held; NaN if never", "update"),
        "wall_time": _float("network", "time that training took; NaN: not known", "s"),
    },
    "audit": {
        "sign_violations": Variable(("network", "snapshot"), "int", "", "weights of a sign that is not allowed"),
        "mask_violations": Variable(("network", "snapshot"), "int", "", "non-zero weights where none is allowed"),
        "autapses": Variable(("network", "snapshot"), "int", "", "non-zero self-connections that are not allowed"),
        "fixed_changes": Variable(
            ("network", "snapshot"),
            "int",
            "",
            "weights that are not trainable, and not those of the first snapshot",
            required=False,
        ),
    },
}

#: The variables of gated layers, for which `_UNDEFINED_IF_GATED` have no place.
GATE_WEIGHTS = tuple(name for name, variable in GROUPS["weights"].items() if "gate" in variable.dims)

ROOT_ATTRS = {
    "schema_version": "version of this vocabulary (integer)",
    "title": "title of the experiment",
    "created": "when the run began, ISO 8601 in UTC",
    "versions": "JSON text: package -> version",
    "experiment": "JSON text: the complete experiment, defaults filled in",
    "complete": "1 when every network has its row, 0 before",
}
OPTIONAL_ROOT_ATTRS = {
    "unmatched": "JSON text: condition -> in what its networks are not matched with those of the first, as sentences",
}


def text(array: xr.DataArray) -> xr.DataArray:
    """Return text as numpy's own type; a store gives it as StringDType or as objects."""
    values = array.values
    return array.copy(data=values if values.dtype.kind == "U" else values.astype(object).astype(str))


def type_signs(cell_type: xr.DataArray) -> dict[str, int]:
    """Return the cell types of units, and the sign of each: the types with +1 first, then those with -1, then 0.

    Types of one sign come by name. A type with several signs in several networks has the one that is not 0, or 0. Where
    all types are called excitatory, inhibitory or unconstrained, these three are returned, whichever there are. A
    ValueError if another type has no sign in the coordinate ``cell_sign``.
    """
    names = text(cell_type).values
    found = {name: CELL_TYPES.get(name) for name in np.unique(names).tolist() if name}
    if None not in found.values():
        return dict(CELL_TYPES)
    signs = _own_signs(cell_type, [name for name, sign in found.items() if sign is None])
    for name, sign in found.items():
        if sign is None:
            own = set(signs[names == name].tolist()) - {0}
            found[name] = own.pop() if len(own) == 1 else 0
    return dict(sorted(found.items(), key=lambda item: ((1, -1, 0).index(item[1]), item[0])))


def cell_signs(cell_type: xr.DataArray) -> xr.DataArray:
    """Return the sign of each unit by its cell type: its coordinate ``cell_sign``, or what the name of its type says.

    A ValueError as for `type_signs`.
    """
    names = text(cell_type)
    if "cell_sign" in cell_type.coords:
        return cell_type["cell_sign"].reset_coords("cell_sign", drop=True)
    if strange := sorted(set(np.unique(names.values).tolist()) - {*CELL_TYPES, ""}):
        _own_signs(cell_type, strange)
    return names.copy(data=np.vectorize(lambda name: CELL_TYPES.get(name, 0), otypes=[int])(names.values))


def _own_signs(cell_type: xr.DataArray, strange: list[str]) -> np.ndarray:
    if "cell_sign" not in cell_type.coords:
        raise ValueError(
            f"cell_type: expected one of {tuple(CELL_TYPES)}, or other types with their signs in the coordinate "
            f"cell_sign, got {strange[0]!r}"
        )
    return cell_type["cell_sign"].broadcast_like(cell_type).transpose(*cell_type.dims).values


def reference_condition(conditions: Sequence[str]) -> str:
    """Return the condition that others are compared with: `unconstrained` if there is one, else the first.

    Examples
    --------
    >>> reference_condition(["dale", "unconstrained"]), reference_condition(["gru", "lstm"])
    ('unconstrained', 'gru')
    """
    return "unconstrained" if "unconstrained" in conditions else conditions[0]


def has_gate(formulation: xr.DataArray, gate: xr.DataArray) -> xr.DataArray:
    """Return which of the gates each network has, by its ``weights/formulation``."""
    found = xr.zeros_like(formulation, bool) & xr.zeros_like(gate, bool)
    for layer, (gates, _) in GATES.items():
        found = found | ((text(formulation) == layer) & text(gate).isin(gates))
    return found


def is_trained(status: xr.DataArray) -> xr.DataArray:
    """Return which networks have results to compare, by their ``history/status``."""
    return text(status).isin(TRAINED)


class SchemaError(OneLineError):
    """A tree or a file does not keep to the schema; the message says where, what was expected and what was found."""


def validate(tree: xr.DataTree) -> None:
    """Check that a run keeps to the schema.

    Parameters
    ----------
    tree
        A run, as `biornn.open_run` or `xarray.open_datatree` gives it.

    Raises
    ------
    SchemaError
        In one line: the first few problems, and how many more there are.

    Notes
    -----
    NaN and infinities are allowed only in a network whose ``history/status`` says that it diverged or failed, in the
    weights of a gated network that stand by gate, in gates that a network does not have, and in ``history`` and
    ``reaction_time`` where there is nothing to report.

    Examples
    --------
    >>> import biornn as bn
    >>> bn.validate(bn.open_run("runs/example"))  # doctest: +SKIP
    """
    problems = list(_damages(tree)) or list(_problems(tree))
    if problems:
        raise SchemaError(listed(problems))


def _damages(tree: xr.DataTree) -> Iterator[str]:
    """Read all values that are not in memory, and yield what cannot be read."""
    for node in tree.subtree:
        for name, array in node.to_dataset(inherit=False).variables.items():
            try:
                if array.chunks is None:
                    array.load()
                else:
                    array.notnull().all().compute()
            except Exception as error:  # of the store, in a damaged file
                where = f"{node.path.strip('/')}/{name}"
                yield f"{where}: expected values that can be read, got {named(error)}; take the run from a copy"


def _problems(tree: xr.DataTree) -> Iterator[str]:
    yield from _root_problems(tree)
    sizes: dict[str, tuple[str, int]] = {}
    groups = _groups(tree)
    for group in groups:
        variables = GROUPS[group]
        if group not in tree.children:
            yield f"{group}: expected this group, found {sorted(tree.children)}"
            continue
        dataset = tree[group].to_dataset()
        for name, variable in variables.items():
            yield from _variable_problems(group, name, variable, dataset)
        for dim, size in dataset.sizes.items():
            # Trials and times differ between the pairs of groups; every other dim has one size in the whole run.
            owner = group.removesuffix("activity").removesuffix("trials") if dim in ("trial", "time") else ""
            where, expected = sizes.setdefault(f"{owner}{dim}", (group, size))
            if size != expected:
                yield f"{group}: expected {expected} along {dim} as in {where}, got {size}"
    if set(groups) <= set(tree.children):
        yield from _value_problems(tree)


def _groups(tree: xr.DataTree) -> list[str]:
    """List the groups that a run must have: those of the probe if it has one of them."""
    has_probe = any(group in tree.children for group in PROBE)
    return [group for group in GROUPS if has_probe or group not in PROBE]


def _root_problems(tree: xr.DataTree) -> Iterator[str]:
    version = tree.attrs.get("schema_version")
    if version != SCHEMA_VERSION:
        yield (
            f"schema_version: expected {SCHEMA_VERSION}, got {version!r}; "
            "open the run with the version of biornn that wrote it"
        )
    for name in ROOT_ATTRS:
        if name not in tree.attrs:
            yield f"/: expected the attribute {name!r}, found {sorted(map(str, tree.attrs))}"
    if tree.attrs.get("complete") != 1:
        yield f"complete: expected 1, got {tree.attrs.get('complete')!r}; the run was interrupted"
    for name in ("versions", "experiment", "unmatched"):
        if name in tree.attrs and not _is_json_object(tree.attrs[name]):
            yield f"{name}: expected JSON text of keys and values, got {str(tree.attrs[name])[:80]!r}"
    for name in ("network", "condition", "seed"):
        if name not in tree.coords:
            yield f"/: expected the coordinate {name!r}, found {sorted(map(str, tree.coords))}"


def _is_json_object(value: object) -> bool:
    try:
        return isinstance(value, str) and isinstance(json.loads(value), dict)
    except (ValueError, RecursionError):
        return False


def _variable_problems(group: str, name: str, variable: Variable, dataset: xr.Dataset) -> Iterator[str]:
    if name not in dataset:
        if variable.required:
            yield f"{group}/{name}: expected this variable, found {sorted(map(str, dataset.data_vars))}"
        return
    array = dataset[name]
    if array.dims != variable.dims:
        yield f"{group}/{name}: expected dims {variable.dims}, got {array.dims}"
    if array.dtype.kind not in _NUMPY_KINDS[variable.kind]:
        yield f"{group}/{name}: expected {variable.kind} values, got dtype {array.dtype}"
    for dim in array.dims:
        if dim in _LABELLED_DIMS and dim not in dataset.coords:
            yield f"{group}/{name}: expected coordinate labels on {dim}, found none"
        elif dim == "gate" and sorted(labels := text(dataset["gate"]).values.tolist()) != sorted(GATE_LABELS):
            yield f"{group}/{name}: expected the labels {list(GATE_LABELS)} on gate, got {labels}"
        for coord, (dims, _) in COORDS.items():
            if dims == (dim,) and coord not in dataset.coords:
                yield f"{group}/{name}: expected the coordinate {coord!r} on {dim}, found none"


def _value_problems(tree: xr.DataTree) -> Iterator[str]:
    groups = {name: tree[name].to_dataset() for name in _groups(tree)}
    for group in ("trials", "probe_trials"):
        for name in ("inputs", "targets", "loss_weight"):
            if name in groups.get(group, ()) and not _finite(groups[group][name]).all():
                yield f"{group}/{name}: expected finite values, got NaN or infinity"
    history = groups["history"]
    if "status" not in history or history["status"].dims != ("network",):
        return
    has_values = ~text(history["status"]).isin(["failed", "interrupted"])
    for group in groups:
        for name, variable in GROUPS[group].items():
            if variable.choices and name in groups[group] and groups[group][name].dtype.kind in _NUMPY_KINDS["text"]:
                # A network that failed has no text.
                array = text(groups[group][name]).where(has_values, variable.choices[0])
                values = text(groups[group][name]) if name == "status" else array
                if strange := sorted(set(np.unique(text(values)).tolist()) - set(variable.choices)):
                    yield f"{group}/{name}: expected one of {variable.choices}, got {strange[0]!r}"
    yield from _type_problems(groups["weights"], has_values)
    trained = is_trained(history["status"])
    formulation = groups["weights"].get("formulation", xr.full_like(history["status"], "rate", object))
    for group in ("activity", "probe_activity", "weights"):
        for name, variable in GROUPS[group].items():
            if variable.kind != "float" or name in _MAY_BE_MISSING or name not in groups.get(group, ()):
                continue
            array = groups[group][name]
            if array.dtype.kind == "f" and array.dims == variable.dims:
                finite = _finite(array)
                if name in _UNDEFINED_IF_GATED:
                    finite = finite | text(formulation).isin(GATED)
                if name in GATE_WEIGHTS:
                    finite = finite | ~has_gate(formulation, array["gate"])
                finite = finite.all([dim for dim in array.dims if dim != "network"])
                for network in array["network"].values[(trained & ~finite).values]:
                    yield f"{group}/{name}: expected finite values in network {network}, got NaN or infinity"


def _type_problems(weights: xr.Dataset, has_values: xr.DataArray) -> Iterator[str]:
    """Yield cell types without a name or a sign."""
    if "cell_sign" in weights:
        dims, sign = COORDS["cell_sign"][0], weights["cell_sign"]
        if sign.dims != dims or not sign.isin([1, -1, 0]).all():
            yield f"weights/cell_sign: expected 1, -1 and 0 along {dims}, got {np.unique(sign)} along {sign.dims}"
    if "cell_type" not in weights or weights["cell_type"].dtype.kind not in _NUMPY_KINDS["text"]:
        return
    found = set(np.unique(text(weights["cell_type"]).where(has_values, "unconstrained")).tolist())
    known = {*CELL_TYPES, *found} - {""} if "cell_sign" in weights else {*CELL_TYPES}
    if strange := sorted(found - known):
        yield f"weights/cell_type: expected one of {tuple(sorted(known))}, got {strange[0]!r}"


def _finite(array: xr.DataArray) -> xr.DataArray:
    return abs(array) < np.inf  # False for NaN; np.isfinite is typed as returning bare arrays


def variable_attrs(group: str, dataset: xr.Dataset) -> xr.Dataset:
    """Add units and long names to the variables of one group that the schema knows, and the unit of `time`."""
    known, labelled = GROUPS[group], dataset.copy()  # which has attributes of its own
    for name in labelled.data_vars:
        if name in known:
            labelled.variables[name].attrs.update(known[str(name)].attrs)
    if "time" in labelled.coords:
        labelled.variables["time"].attrs.update(units="ms", long_name="time")
    return labelled


def to_markdown() -> str:
    """Tables of dims, coordinates, variables and attributes, as `docs/schema.md` shows them."""

    def table(header: str, rows: list[str]) -> str:
        columns = header.count("|") + 1
        return "\n".join([f"| {header} |", "|" + " --- |" * columns, *(f"| {row} |" for row in rows)])

    parts = [
        "## Dims",
        table("dim | is", [f"`{name}` | {meaning}" for name, meaning in DIMS.items()]),
        "## Coordinates beside the dims' own",
        table("coordinate | on | is", [f"`{n}` | `{', '.join(d)}` | {m}" for n, (d, m) in COORDS.items()]),
        "## Attributes of the root",
        table(
            "attribute | is", [f"`{name}` | {meaning}" for name, meaning in (ROOT_ATTRS | OPTIONAL_ROOT_ATTRS).items()]
        ),
    ]
    for group, variables in GROUPS.items():
        rows = []
        for name, variable in variables.items():
            meaning = variable.meaning + ("" if variable.required else " (where there is one)")
            if variable.choices:
                meaning += ": " + ", ".join(f"`{choice}`" for choice in variable.choices)
            dims = ", ".join(variable.dims)
            rows.append(f"`{name}` | ({dims}) | {variable.kind} | {variable.units or '–'} | {meaning}")
        parts += [f"## `/{group}`", table("variable | dims | kind | units | is", rows)]
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    import sys

    sys.stdout.write(to_markdown())
