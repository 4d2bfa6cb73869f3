"""Recording a model that was trained by any means, as a run of one network."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from biornn.analysis import audit, performance
from biornn.layers import ConstrainedRNNCell
from biornn.schema import GROUPS, variable_attrs
from biornn.tasks import Task, task_of
from biornn.tasks.given_trials import GivenTrials
from biornn.tasks.scores import with_reaction_times
from biornn.tasks.trials import complete, make_probe
from biornn.training.recording import find_layers, record_activity, record_constants, record_weights


def record(
    model: keras.Model,
    trials: xr.Dataset | ArrayLike,
    targets: ArrayLike | None = None,
    *,
    dt: float | None = None,
    before: xr.DataTree | None = None,
    training: xr.DataTree | None = None,
) -> xr.DataTree:
    """Record a model, however it was trained, with the groups of a run: the network, and what it does in trials.

    Parameters
    ----------
    model
        A `biornn.layers.ConstrainedRNN` (or a GRU or LSTM of Keras) that returns sequences, and a readout: a
        `biornn.layers.Readout`, or a dense layer of Keras without an activation. Nothing else.
    trials
        The trials to judge it on: a dataset with ``inputs`` (trial, time, input_channel) and ``targets`` (trial, time,
        output_channel), and where it is not 1 everywhere ``loss_weight``, as the targets; coordinates on `trial` are
        kept. Or the inputs alone, as an array.
    targets
        Array (trial, time, output_channel), beside an array of inputs.
    dt
        Time step, in ms. None: that of the trials, if they have times; else that of the model; a gated layer has none,
        and 1 ms is taken.
    before
        What this function gave before the training, or earlier in it: its snapshots come first.
    training
        What `biornn.train` gave for the model, which was not changed since: its weights and its history are recorded,
        with all their snapshots, and scores on the validation trials.

    Returns
    -------
    xarray.DataTree
        Groups ``trials``, ``activity``, ``weights``, ``history`` and ``audit`` of the schema, without `network`; with
        a task that has a probe, ``probe_trials`` and ``probe_activity``. ``update`` counts those of the model's
        optimizer since it was compiled (-1: a model that was not). ``score`` is that of the task which the attributes
        of the trials name; of other trials the explained variance of the targets (see
        `biornn.tasks.given_trials.GivenTrials`). ``val_loss`` is the mean squared error, without penalties; ``loss`` is
        the last one that Keras noted in ``fit``, NaN where there is none: after ``EarlyStopping`` has restored other
        weights, it is not theirs. Of a training that diverged, the activity is NaN.

    Raises
    ------
    ValueError
        If the model has other layers, or the trials or the training do not fit it; the message is one line.

    Examples
    --------
    >>> import biornn as bn
    >>> import keras
    >>> import numpy as np
    >>> layers = bn.layers.ConstrainedRNN(20, return_sequences=True), keras.layers.Dense(1)
    >>> model = keras.Sequential([keras.Input((None, 1)), *layers])
    >>> inputs = np.random.default_rng(0).normal(size=(8, 50, 1))
    >>> tree = bn.record(model, inputs, inputs.cumsum(axis=1))
    >>> tree["activity"].rates.dims
    ('trial', 'time', 'unit')
    """
    recurrent, _ = find_layers(model)
    if before is not None and training is not None:
        raise ValueError("before: expected none beside training, which has its own snapshots, got both")
    own_dt = recurrent.cell.dt if isinstance(recurrent.cell, ConstrainedRNNCell) else None
    if not isinstance(trials, xr.Dataset):
        trials = _dataset(trials, targets)
    elif targets is not None:
        raise ValueError("targets: expected none beside a dataset, which has its own, got an array")
    task, trials = _with_task(trials, dt, own_dt)
    if own_dt is not None and not np.isclose(task.dt, own_dt):
        raise ValueError(f"trials: expected the time step of the model, dt={own_dt:g} ms, got {task.dt:g} ms")
    sizes = trials.sizes["input_channel"], trials.sizes["output_channel"]
    if sizes != (model.input_shape[-1], model.output_shape[-1]):
        raise ValueError(
            f"trials: expected the model's {model.input_shape[-1]} inputs and {model.output_shape[-1]} outputs, "
            f"got {sizes[0]} and {sizes[1]}"
        )
    probe = None if isinstance(task, GivenTrials) else make_probe(task)
    groups = {"trials": trials} if probe is None else {"trials": trials, "probe_trials": probe}
    recorded = {
        name.replace("trials", "activity"): with_reaction_times(task, record_activity(model, data), data)
        for name, data in groups.items()
    }
    weights = record_weights(model).merge(record_constants(model))
    if before is not None and not before["trials"].to_dataset().identical(variable_attrs("trials", trials)):
        raise ValueError("before: expected the same trials as now, got others; record both on one dataset")
    n_updates = -1 if getattr(model, "optimizer", None) is None else int(model.optimizer.iterations)
    labels = {name: trials[name] for name in ("input_channel", "output_channel")}
    weights = weights.assign_coords(labels).assign_coords(update=n_updates)
    if training is None:
        history = _history(model, performance(recorded["activity"]["outputs"], trials, task), task, n_updates)
        snapshots = {
            name: _snapshots(name, data, None if before is None else before[name].to_dataset())
            for name, data in {"weights": weights, "history": history}.items()
        }
    else:
        snapshots = _of_training(training, record_weights(model), labels)
        if snapshots["history"]["status"] == "diverged":
            recorded = {name: xr.full_like(data, np.nan) for name, data in recorded.items()}
    recorded |= snapshots | {"audit": audit(snapshots["weights"])}
    tree = xr.DataTree.from_dict({name: variable_attrs(name, data) for name, data in (groups | recorded).items()})
    of_model = {"network": _network(model), "training": _training(model)}
    tree.attrs = {name: json.dumps(told, default=float) for name, told in of_model.items()}
    return tree


def _dataset(inputs: Any, targets: Any) -> xr.Dataset:
    """Label bare arrays of inputs and targets."""
    if targets is None:
        raise ValueError("targets: expected an array (trial, time, output_channel) beside the inputs, got none")
    arrays = {"inputs": np.asarray(inputs), "targets": np.asarray(targets)}
    for name, array in arrays.items():
        if array.ndim != 3:
            raise ValueError(f"{name}: expected an array (trial, time, channel), got shape {array.shape}")
    if arrays["inputs"].shape[:2] != arrays["targets"].shape[:2]:
        raise ValueError(
            f"targets: expected {arrays['inputs'].shape[:2]} trials and times, as the inputs have, "
            f"got {arrays['targets'].shape[:2]}"
        )
    dims = {"inputs": ("trial", "time", "input_channel"), "targets": ("trial", "time", "output_channel")}
    return xr.Dataset({name: (dims[name], array) for name, array in arrays.items()})


def _with_task(trials: xr.Dataset, dt: float | None, own_dt: float | None) -> tuple[Task, xr.Dataset]:
    """Return the task of trials, and the trials with all that a run has of them."""
    task: Task
    if "task" in trials.attrs:
        task = task_of(trials)
    else:
        names = {}
        for name, variable in (("input_channel", "inputs"), ("output_channel", "targets")):
            if variable not in trials or name not in trials[variable].dims:
                raise ValueError(f"trials: expected {variable} (trial, time, {name}), found none")
            own = trials[name].values.tolist() if name in trials.coords else None
            names[f"{name}s"] = own or [f"{name.removesuffix('_channel')}_{n + 1}" for n in range(trials.sizes[name])]
        times = trials["time"].values if "time" in trials.coords and trials.sizes["time"] > 1 else None
        step = None if times is None else float(times[1] - times[0])
        if dt is not None and step is not None and not np.isclose(dt, step):
            raise ValueError(f"dt: expected {step:g} ms, the step of the times of the trials, got {dt:g} ms")
        own_step = own_dt if step is None or (own_dt and np.isclose(own_dt, step)) else step
        task = GivenTrials(**names, dt=next(one for one in (dt, own_step, 1.0) if one is not None))
    if dt is not None and not np.isclose(dt, task.dt):
        raise ValueError(f"dt: expected {task.dt:g} ms, that of the task {task.name}, got {dt:g} ms")
    return task, complete(task, trials, "trials")


def _snapshots(group: str, now: xr.Dataset, before: xr.Dataset | None) -> xr.Dataset:
    """Add a snapshot to those of before, if there are any."""
    over_snapshots = [name for name in now.data_vars if "snapshot" in GROUPS[group][str(name)].dims]
    each = now[over_snapshots].expand_dims("snapshot").assign_coords(update=("snapshot", [int(now["update"])]))
    if before is not None:
        if {**before.sizes, "snapshot": 1} != {**now.sizes, "snapshot": 1}:
            raise ValueError(f"before: expected the sizes {dict(now.sizes)} of the model, got {dict(before.sizes)}")
        parts = [before[over_snapshots].drop_vars("snapshot"), each]
        each = xr.concat(parts, "snapshot", data_vars="all", coords="minimal", compat="override", join="override")
        known = each["update"].values[each["update"].values >= 0]
        if (np.diff(known) < 0).any():
            raise ValueError(
                f"before: expected an earlier moment of the training, got update {each['update'].values[-2]}"
            )
    labelled = now.drop_vars(["update", *over_snapshots]).merge(each, compat="override")
    return labelled.assign_coords(snapshot=np.arange(labelled.sizes["snapshot"]))


def _of_training(training: xr.DataTree, now: xr.Dataset, labels: Mapping[str, xr.DataArray]) -> dict[str, xr.Dataset]:
    """Take weights and history of a training; refuse one that did not leave the weights that the model has now."""
    if missing := [name for name in ("weights", "history") if name not in training.children]:
        raise ValueError(f"training: expected what biornn.train gives, found no {missing[0]}")
    weights, history = (training[name].to_dataset() for name in ("weights", "history"))
    if "network" in weights.dims:
        raise ValueError("training: expected that of one network, got a run; give biornn.train's result for the model")
    same = all(
        np.array_equal(weights[name].isel(snapshot=-1), now[name], equal_nan=True) for name in now if name in weights
    )
    if history["status"] != "diverged" and not same:
        raise ValueError(
            "training: expected the one that left the model its weights, got another, or the model was changed since"
        )
    return {"weights": weights.assign_coords(labels), "history": history}


def _history(model: keras.Model, scores: xr.Dataset, task: Task, n_updates: int) -> xr.Dataset:
    fitted, is_finite = getattr(model, "history", None), bool(np.isfinite(scores["mse"]))
    losses = fitted.history.get("loss", []) if fitted is not None else []
    return xr.Dataset(
        {
            "loss": ((), float(losses[-1]) if losses else np.nan),
            "val_loss": scores["mse"].drop_attrs(),
            **{name: scores[name].assign_attrs(score_name=task.score_name) for name in ("score", "worst_score")},
            "status": ((), "completed" if is_finite else "diverged"),
            "failure": ((), "" if is_finite else "its outputs are not finite"),
            "updates_trained": ((), n_updates),
            "updates_to_criterion": ((), np.nan),
            "wall_time": ((), np.nan),
        },
        {"update": n_updates},
    )


def _network(model: keras.Model) -> dict[str, Any]:
    """Describe what the groups do not say of a network, under the names of an experiment."""
    recurrent, readout = find_layers(model)
    cell = recurrent.cell
    told: dict[str, Any] = {"use_bias": cell.bias is not None, "readout_bias": readout.bias is not None}
    told |= {"input_initial": None, "output_initial": None}  # not known: somebody may have loaded other weights
    if isinstance(cell, ConstrainedRNNCell):
        told |= {name: getattr(cell, name) for name in ("enforcement", "recurrent_noise", "trainable_initial_state")}
        known = ("excitatory_fraction", "cell_types", "density", "autapses")
        told |= {name: getattr(cell.connectivity, name) for name in known}
    regularized = {one.path: one.regularizer for one in model.weights if getattr(one, "regularizer", None) is not None}
    of_rates = getattr(recurrent, "activity_regularizer", None)
    regularized |= {"rates": of_rates} if of_rates is not None else {}
    told["penalties"] = {name: f"{type(one).__name__} {one.get_config()}" for name, one in regularized.items()}
    return told


def _training(model: keras.Model) -> dict[str, Any]:
    """Describe the optimizer and the loss of a compiled model, under the names of an experiment."""
    optimizer = getattr(model, "optimizer", None)
    if optimizer is None:
        return {}
    rate = optimizer._learning_rate
    is_schedule = isinstance(rate, keras.optimizers.schedules.LearningRateSchedule)
    one = model.loss
    loss = one if isinstance(one, str) else getattr(one, "name", getattr(one, "__name__", type(one).__name__))
    return {
        "optimizer": type(optimizer).__name__,
        "learning_rate": {"class_name": type(rate).__name__} if is_schedule else float(optimizer.learning_rate),
        "schedule": None,  # not known: callbacks may have set the rate
        "clip_norm": optimizer.global_clipnorm,
        "loss": "mse" if loss == "mean_squared_error" else loss,
    }
