"""Training of one network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any, Literal, get_args

import keras
import numpy as np
import xarray as xr

from biornn.layers import WeightedSquaredError
from biornn.scalars import check_number
from biornn.schema import variable_attrs
from biornn.tasks import Task
from biornn.tasks.seeds import generator
from biornn.tasks.trials import make_trials
from biornn.training.callbacks import (
    EXPLODED,
    SCORES,
    Counting,
    CriterionStop,
    DivergenceStop,
    FusedGraphs,
    Snapshots,
    UpdateLimit,
)
from biornn.training.checkpoint import Checkpoint
from biornn.training.recording import find_layers, record_constants
from biornn.training.stages import Stage, Stages, check_stages
from biornn.training.stream import TrialStream
from biornn.training.validation import HELD, MOST_STATES, Validation

Schedule = Literal["cosine", "constant", "inverse_time"]
CriterionOn = Literal["mean", "worst"]
_N_LOOKED_AT = 64  # trials of each task, to see whether they differ in length


def train(
    model: keras.Model,
    task: Task,
    *,
    seed: int,
    max_updates: int = 1000,
    batch_size: int = 32,
    learning_rate: float = 5e-3,
    schedule: Schedule = "cosine",
    warmup: float = 0.0,
    decay: float = 0.0,
    clip_norm: float | None = 1.0,
    criterion: float | Mapping[str, float] | None = None,
    criterion_on: CriterionOn = "mean",
    criterion_checks: int = 2,
    validate_every: int = 50,
    snapshots: Sequence[int] | None = None,
    training_task: Task | None = None,
    stages: Sequence[Stage] = (),
    n_training_trials: int | None = None,
    n_validation_trials: int = 200,
    validation_seed: int = 0,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    checkpoint: str | PathLike[str] | None = None,
    checkpoint_seconds: float = 10.0,
) -> xr.DataTree:
    """Train a model on new trials of a task: weighted squared error, Adam, clipping by global norm.

    The model goes on from the weights that it has; penalties are those of its layers.

    Parameters
    ----------
    model
        A `biornn.layers.ConstrainedRNN` (or a GRU or LSTM of Keras) and a `biornn.layers.Readout` (or a dense layer of
        Keras without an activation), one after the other and nothing else, such as `biornn.layers.build_model` gives.
        It may compute in float32 or float64.
    task
        Makes the trials, and scores the outputs on those of validation.
    seed
        Seed of the stream of training trials. A second call with the same seed gives the same trials again.
    max_updates
        Optimizer updates at most.
    batch_size
        Trials per update.
    learning_rate
        Of Adam, at its highest.
    schedule
        ``"cosine"`` (down to zero at `max_updates`), ``"constant"``, or ``"inverse_time"`` (divided by
        ``1 + decay * update``, as the optimizers of Keras 1 and 2 do).
    warmup
        Share of `max_updates` over which the learning rate rises from zero, before a cosine or constant schedule. Under
        Dale's law the first updates move all outgoing weights of a sign together, and with them an eigenvalue that
        grows with the number of units.
    decay
        Of the inverse-time schedule, per update.
    clip_norm
        Largest global norm of the gradient; None: no clipping.
    criterion
        Score on the validation trials at which training stops; None: it goes on to `max_updates`. With ``{"score":
        0.98, "held": 1.0}`` this share of the memory states must outlive 5,000 ms without input too, as `held` of
        `biornn.analysis.retention` says; either may be left out. What is held is measured where the score is high
        enough, and at the end.
    criterion_on
        ``"mean"``: the score is the mean over the validation trials; ``"worst"``: over those of the trial condition in
        which it is lowest. A shortcut, such as ignoring one of two stimuli, can reach a high mean.
    criterion_checks
        Consecutive validations at which the criterion must be held.
    validate_every
        Updates between two validations.
    snapshots
        Updates at which weights and scores are kept, each a multiple of `validate_every`. 0 and `max_updates` always
        are. None: at every validation.
    training_task
        Makes the training trials in place of `task`, by which all networks of a design are judged.
    stages
        A curriculum: each `Stage` has training trials of its own, and ends after so many updates or at a score. Then
        training goes on with the training task; a last stage without an end lasts until training ends. Callbacks see
        each stage as a ``fit`` of its own.
    n_training_trials
        Size of a training set, which is used in repeated passes; None: every trial is new.
    n_validation_trials
        Number of validation trials.
    validation_seed
        Their seed; they never coincide with training trials, whatever the seeds.
    callbacks
        Further Keras callbacks. Where they change the model at the end, as ``EarlyStopping`` does with
        ``restore_best_weights``, the last snapshot has the weights and scores that they leave. Those that set the
        learning rate need the constant schedule, without warmup. What they keep to themselves is not in a checkpoint.
    checkpoint
        File, ``.npz``, for the state of the training. If it exists, training is resumed from it, and ends with exactly
        the numbers of one that was not interrupted. The file is kept.
    checkpoint_seconds
        Shortest time between two checkpoints, in s; each is written after a validation, and one at the end. It is
        longer where writing would take more than a twentieth of the time; 0 writes after every validation.

    Returns
    -------
    xarray.DataTree
        Groups ``weights`` and ``history`` of the schema, without `network`, over the snapshots that were planned. Once
        training has stopped, weights and scores stay as they are and ``loss`` is NaN; of a network that diverged, all
        is NaN from the first snapshot whose loss is not finite, or above 1e8.

    Raises
    ------
    ValueError
        If a setting is impossible.
    CheckpointError
        If the checkpoint is damaged, or of another training: a ValueError too.
    FileNotFoundError
        If the folder of the checkpoint is not there.

    References
    ----------
    Kingma & Ba (2015), Adam. Pascanu, Mikolov & Bengio (2013), clipping by global norm.

    Examples
    --------
    >>> import biornn as bn
    >>> task = bn.tasks.PerceptualDecision()
    >>> model = bn.layers.build_model(bn.Connectivity(64, density=0.5), task.n_inputs, task.n_outputs, tau=5.0)
    >>> result = bn.train(model, task, seed=0, max_updates=500)  # doctest: +SKIP
    """
    settings = dict(locals())  # those that a checkpoint must agree with
    for name in ("model", "callbacks", "snapshots", "checkpoint", "checkpoint_seconds"):
        del settings[name]
    _check(max_updates=max_updates, batch_size=batch_size, validate_every=validate_every)
    _check(criterion_checks=criterion_checks, n_validation_trials=n_validation_trials)
    _check(minimum=0, seed=seed, validation_seed=validation_seed)
    if n_training_trials is not None:
        _check(n_training_trials=n_training_trials)
    lowest = _lowest(criterion)
    if criterion_on not in get_args(CriterionOn):
        raise ValueError(f"criterion_on: expected one of {get_args(CriterionOn)}, got {criterion_on!r}")
    check_number("checkpoint_seconds", checkpoint_seconds, "a time of at least 0 s")
    check_stages(stages, validate_every, max_updates)
    training_task = training_task or task
    for one in {id(one): one for one in (task, training_task, *(stage.task for stage in stages))}.values():
        _check_fit(model, one)
    _check_callbacks(callbacks, schedule, warmup)
    planned = _planned_updates(max_updates, validate_every)
    kept_snapshots = _kept_snapshots(planned, snapshots)
    compile_model(model, learning_rate, schedule, warmup, clip_norm, max_updates, decay)
    validation = _validation(model, task, n_validation_trials, validation_seed, lowest)
    penalises_rates = find_layers(model)[0].activity_regularizer is not None
    if penalises_rates:
        _check_padding([task, training_task, *(stage.task for stage in stages)])
    names = {"score": validation.names[1 + get_args(CriterionOn).index(criterion_on)], "held": HELD}
    fused, divergence, kept = FusedGraphs(), DivergenceStop(), Snapshots(validation)
    stop = CriterionStop({names[one]: least for one, least in lowest.items()}, criterion_checks)
    course = Stages(stages, training_task, n_validation_trials, validation_seed, kept)
    callbacks = [fused, validation, divergence, UpdateLimit(max_updates), kept, stop, *callbacks, course]
    counting = [callback for callback in callbacks if isinstance(callback, Counting)]
    saved = Checkpoint(checkpoint, settings, checkpoint_seconds, kept, stop, divergence, course, counting)
    saved.restore(model)
    if not kept.updates:
        kept.keep_now(model)
    try:
        has_ended = saved.has_ended
        while not has_ended:
            course.begin(model)
            trials = TrialStream(course.stage.task, batch_size, seed, n_training_trials, first=kept.updates[-1])
            epochs = {
                "steps_per_epoch": min(validate_every, max_updates),
                "initial_epoch": len(kept.updates) - 1,
                "epochs": len(planned) - 1,
            }
            _fit(model, trials, not penalises_rates, [*callbacks, saved], epochs)
            has_ended = not course.turned
    finally:
        fused.close()
    if validation.holds and np.isnan(kept.scores[-1]["held"]):
        kept.scores[-1]["held"] = validation.held()
    history = _history(kept, stop, divergence, planned, task).assign(wall_time=saved.wall_time)
    weights = _weights(kept, len(planned), divergence.diverged).merge(record_constants(model))
    return _tree({"weights": weights, "history": history}, planned, kept_snapshots)


def _fit(
    model: keras.Model, trials: TrialStream, may_pad: bool, callbacks: Sequence[Any], epochs: Mapping[str, int]
) -> None:
    """Train until a callback stops it, or to the last Keras epoch; errors of the task come as they are."""
    try:
        model.fit(trials.for_fit(may_pad), shuffle=False, callbacks=callbacks, verbose=0, **epochs)
    except Exception:
        trials.raise_failure()
        raise


def compile_model(
    model: keras.Model,
    learning_rate: float,
    schedule: Schedule,
    warmup: float,
    clip_norm: float | None,
    max_updates: int,
    decay: float = 0.0,
) -> None:
    """Give a model the optimizer and loss with which `train` trains it."""
    check_number("learning_rate", learning_rate, "a positive number", above=0)
    if schedule not in get_args(Schedule):
        raise ValueError(f"schedule: expected one of {get_args(Schedule)}, got {schedule!r}")
    if clip_norm is not None:
        check_number("clip_norm", clip_norm, "a positive number or None", above=0)
    check_number("warmup", warmup, "a share of max_updates in [0, 1]", maximum=1)
    check_number("decay", decay)
    if (schedule == "inverse_time" and warmup) or (schedule != "inverse_time" and decay):
        raise ValueError(
            "schedule: expected 'inverse_time' with decay and without warmup, or another with warmup only, "
            f"got {schedule!r} with decay={decay} and warmup={warmup}"
        )
    rate = _learning_rate(float(learning_rate), schedule, round(warmup * max_updates), max_updates, decay)
    model.compile(
        optimizer=keras.optimizers.Adam(rate, global_clipnorm=clip_norm),
        loss=WeightedSquaredError(),
        jit_compile=keras.backend.backend() == "jax",  # XLA makes a step several times slower in TensorFlow on a CPU
    )
    model.optimizer.build(model.trainable_variables)  # while TensorFlow traces an update, that takes ten times as long


def _learning_rate(rate: float, schedule: Schedule, warmup_steps: int, max_updates: int, decay: float) -> Any:
    schedules = keras.optimizers.schedules
    if schedule == "inverse_time":
        return schedules.InverseTimeDecay(rate, decay_steps=1, decay_rate=decay)
    if schedule == "constant" and not warmup_steps:
        return rate  # which callbacks can set
    return schedules.CosineDecay(
        0.0 if warmup_steps else rate,
        decay_steps=max(max_updates - warmup_steps, 1),
        alpha=1.0 if schedule == "constant" else 0.0,
        warmup_target=rate if warmup_steps else None,
        warmup_steps=warmup_steps,
    )


def _validation(model: keras.Model, task: Task, n_trials: int, seed: int, lowest: Mapping[str, float]) -> Validation:
    """Make the validation, which measures what is held where a criterion asks; refuse one that cannot be met."""
    held_from = lowest.get("score", 0.0) if "held" in lowest else np.inf
    validation = Validation(model, task, n_trials, seed, held_from=held_from)
    if "held" in lowest and not validation.holds:
        raise ValueError(
            "criterion: expected held only with a task whose probe has a memory_state, or a "
            f"period called hold, of at most {MOST_STATES} states, got held={lowest['held']} with {task.name}"
        )
    return validation


def _lowest(criterion: float | Mapping[str, float] | None) -> dict[str, float]:
    """Return the lowest scores at which training stops, by the names `score` and `held`."""
    if criterion is None:
        return {}
    given = criterion if isinstance(criterion, Mapping) else {"score": criterion}
    lowest = {name: least for name, least in given.items() if least is not None}
    if not lowest or set(lowest) - {"score", "held"}:
        raise ValueError(f"criterion: expected a number or the keys score, held, or both, got {criterion!r}")
    for name, least in lowest.items():
        where = f"criterion: {name}" if isinstance(criterion, Mapping) else "criterion"
        check_number(where, least, "a score in [0, 1] or None", maximum=1)
    return lowest


def _check(minimum: int = 1, **counts: int) -> None:
    for name, value in counts.items():
        if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < minimum:
            raise ValueError(f"{name}: expected an integer of at least {minimum}, got {value!r}")


def _check_fit(model: keras.Model, task: Task) -> None:
    """Refuse what is no task, and a model whose layers, channels or time step are not those that the task needs."""
    if not isinstance(task, Task):
        raise ValueError(f"task: expected an instance of a subclass of biornn.tasks.Task, got {task!r}")
    recurrent, _ = find_layers(model)
    channels = model.input_shape[-1], model.output_shape[-1]
    if channels != (task.n_inputs, task.n_outputs):
        raise ValueError(
            f"model: expected the task's {task.n_inputs} inputs and {task.n_outputs} outputs, "
            f"got {channels[0]} and {channels[1]}"
        )
    model_dt = getattr(recurrent.cell, "dt", None)  # gated layers have no time step of their own
    if model_dt is not None and task.dt != model_dt:
        raise ValueError(f"task: expected the model's time step dt={model_dt} ms, got dt={task.dt} ms")


def _check_padding(tasks: Sequence[Task]) -> None:
    """Refuse a penalty on rates where it would count those in the padding of trials."""
    for task in tasks:
        trials = make_trials(task, _N_LOOKED_AT, generator("lengths", 0))
        if (trials["n_steps"] < trials.sizes["time"]).any():
            raise ValueError(
                f"model: expected no activity_regularizer (l2_rates) with trials that differ in length, as those of "
                f"{task.name} do, got one; it would count the padding"
            )


def _check_callbacks(callbacks: Sequence[keras.callbacks.Callback], schedule: Schedule, warmup: float) -> None:
    setters = keras.callbacks.ReduceLROnPlateau, keras.callbacks.LearningRateScheduler
    is_list = isinstance(callbacks, list | tuple)
    if not is_list or not all(isinstance(callback, keras.callbacks.Callback) for callback in callbacks):
        raise ValueError(f"callbacks: expected a list of Keras callbacks, got {callbacks!r}")
    for callback in callbacks:
        if isinstance(callback, keras.callbacks.BackupAndRestore):
            raise ValueError("callbacks: expected checkpoint= in place of BackupAndRestore, got BackupAndRestore")
        if isinstance(callback, setters) and (schedule != "constant" or warmup):
            raise ValueError(
                f"callbacks: expected schedule='constant' without warmup with {type(callback).__name__}, which sets "
                f"the learning rate, got schedule={schedule!r} with warmup={warmup}"
            )


def _planned_updates(max_updates: int, validate_every: int) -> np.ndarray:
    return np.append(np.arange(0, max_updates, validate_every), max_updates)


def _kept_snapshots(planned: np.ndarray, snapshots: Sequence[int] | None) -> np.ndarray:
    if snapshots is None:
        return np.arange(len(planned))
    strange = sorted(set(snapshots) - set(planned.tolist()))
    if strange:
        raise ValueError(
            f"snapshots: expected multiples of validate_every={planned[1]} up to {planned[-1]}, got {strange[0]}"
        )
    return np.flatnonzero(np.isin(planned, [0, *snapshots, planned[-1]]))


def _history(
    kept: Snapshots, stop: CriterionStop, divergence: DivergenceStop, planned: np.ndarray, task: Task
) -> xr.Dataset:
    scores = {name: np.array([score[name] for score in kept.scores]) for name in SCORES}
    padding = len(planned) - len(kept.updates)
    last = {name: np.nan if name == "loss" else values[-1] for name, values in scores.items()}
    if divergence.diverged:
        for values in scores.values():
            values[_n_finite(kept) :] = np.nan
        last = dict.fromkeys(last, np.nan)
    status = "criterion_not_reached" if stop.criterion else "completed"
    updates_to_criterion = np.nan
    if stop.reached:
        status, updates_to_criterion = "criterion_reached", float(kept.updates[-stop.checks])
    if divergence.diverged:
        status, updates_to_criterion = "diverged", np.nan
    padded = {name: np.append(values, [last[name]] * padding) for name, values in scores.items()}
    named = {name: {"score_name": task.score_name} for name in ("score", "worst_score")}
    return xr.Dataset(
        {
            **{
                name: ("snapshot", values, named.get(name))
                for name, values in padded.items()
                if name != "held" or kept.validation.holds
            },
            "status": ((), status),
            "failure": ((), divergence.reason),
            "updates_trained": kept.updates[-1],
            "updates_to_criterion": updates_to_criterion,
        }
    )


def _weights(kept: Snapshots, n_snapshots: int, diverged: bool) -> xr.Dataset:
    """Stack the snapshots; after the last, repeat it, or NaN if the network diverged."""
    snapshots = kept.weights
    if diverged:
        n_finite = _n_finite(kept)
        snapshots = snapshots[:n_finite] + [snapshots[0] * np.nan] * (n_snapshots - n_finite)
    snapshots = snapshots + [snapshots[-1]] * (n_snapshots - len(snapshots))
    return xr.concat(snapshots, dim="snapshot", data_vars="all", coords="minimal", compat="override", join="override")


def _n_finite(kept: Snapshots) -> int:
    """Count the snapshots before the first whose losses are not, or exploded (the initial one has no training loss)."""
    finite = [
        abs(score["val_loss"]) < EXPLODED and (snapshot == 0 or abs(score["loss"]) < EXPLODED)
        for snapshot, score in enumerate(kept.scores)
    ]
    return finite.index(False) if False in finite else len(finite)


def _tree(groups: Mapping[str, xr.Dataset], planned: np.ndarray, snapshots: np.ndarray) -> xr.DataTree:
    """Label all snapshots by their updates, and select some."""
    labels = {"snapshot": np.arange(len(snapshots)), "update": ("snapshot", planned[snapshots])}
    return xr.DataTree.from_dict(
        {
            name: variable_attrs(name, data.isel(snapshot=snapshots).assign_coords(labels))
            for name, data in groups.items()
        }
    )
