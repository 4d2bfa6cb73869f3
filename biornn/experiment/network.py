"""Training and recording one network of an experiment."""

from __future__ import annotations

import statistics
import time
import timeit
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import xarray as xr

from biornn.analysis import audit
from biornn.experiment.config import NetworkConfig, TrainingConfig
from biornn.experiment.design import NetworkSpec
from biornn.experiment.timing import Timing
from biornn.layers import MeanSquare, assign_stored, build_gated_model, build_model, fused_readout
from biornn.progress import Progress
from biornn.tasks import Task
from biornn.tasks.scores import with_reaction_times
from biornn.tasks.seeds import generator
from biornn.tasks.trials import make_arrays
from biornn.training import Stage, record_activity, train
from biornn.training.callbacks import ProgressNews
from biornn.training.checkpoint import CheckpointError
from biornn.training.train import compile_model
from biornn.training.validation import Validation

_N_TIMED_UPDATES = 7


def run_network(
    spec: NetworkSpec,
    listener: Callable[[Progress], None],
    checkpoint: Path | None = None,
    checkpoint_seconds: float = 10.0,
) -> dict[str, xr.Dataset]:
    """Build, train, record and audit one network.

    A damaged checkpoint is deleted, and training begins anew. Returns the groups of a run that have the dim `network`,
    without it.
    """
    keras.utils.clear_session(free_memory=False)  # names start anew; a full collection of garbage takes 0.3 s
    trials = spec.trials()
    settings = spec.training.model_dump(exclude={"l1_weights", "l2_weights", "l2_rates", "task", "stages"})
    settings |= {"seed": spec.seed, "checkpoint": checkpoint, "checkpoint_seconds": checkpoint_seconds}
    *stages, (training_task, *_) = spec.training_tasks
    settings |= {"training_task": training_task, "stages": [Stage(*stage) for stage in stages]}
    news = ProgressNews(listener, spec.training.max_updates)

    def trained() -> tuple[keras.Sequential, xr.DataTree]:
        model = network_model(spec.task, spec.network, spec.training, spec.seed)
        if spec.source is not None:
            assign_stored(model, spec.source.weights(), other_task=True)
        return model, train(model, spec.task, callbacks=[news], **settings)

    try:
        model, result = trained()
    except CheckpointError:
        assert checkpoint is not None
        checkpoint.unlink(missing_ok=True)
        model, result = trained()
    history = result["history"].to_dataset()
    activity = {
        name.replace("trials", "activity"): with_reaction_times(spec.task, record_activity(model, dataset), dataset)
        for name, dataset in trials.items()
    }
    if history["status"] == "diverged":
        activity = {name: xr.full_like(dataset, np.nan) for name, dataset in activity.items()}
    weights = result["weights"].to_dataset()
    weights = weights.assign_coords({name: trials["trials"][name] for name in ("input_channel", "output_channel")})
    groups = {**activity, "weights": weights, "history": history, "audit": audit(weights)}
    return {name: _with_unit_names(dataset, spec.network.unit_names) for name, dataset in groups.items()}


def _with_unit_names(dataset: xr.Dataset, names: list[Any] | None) -> xr.Dataset:
    """Label units, also those of a gated network, which has no connectivity that names them."""
    dims = [dim for dim in ("unit", "unit_pre", "unit_post") if dim in dataset.dims]
    return dataset if names is None else dataset.assign_coords(dict.fromkeys(dims, names))


def time_network(spec: NetworkSpec) -> Timing:
    """Measure the times of a network on a few updates."""
    keras.utils.clear_session()
    start = time.perf_counter()
    model = network_model(spec.task, spec.network, spec.training, spec.seed)
    training = spec.training
    compile_model(
        model,
        training.learning_rate,
        training.schedule,
        training.warmup,
        training.clip_norm,
        training.max_updates,
        training.decay,
    )
    batch = make_arrays(spec.training_tasks[-1][0], training.batch_size, generator("timing", spec.seed))
    validation = Validation(model, spec.task, training.n_validation_trials, seed=0)

    def update() -> None:
        model.train_on_batch(*batch)

    with fused_readout(model):
        update()
        validation.measure()
        for dataset in spec.trials().values():
            record_activity(model, dataset)
        building = time.perf_counter() - start
        seconds = statistics.median(timeit.repeat(update, number=1, repeat=_N_TIMED_UPDATES))
        return Timing(building=building, update=seconds, validation=timeit.timeit(validation.measure, number=1))


def network_model(task: Task, network: NetworkConfig, training: TrainingConfig, seed: int) -> keras.Sequential:
    """Build the model of one network, with the penalties of its training."""
    penalty = keras.regularizers.L1L2(training.l1_weights, training.l2_weights)
    weight_penalty = penalty if training.l1_weights or training.l2_weights else None
    penalties: dict[str, Any] = {
        "recurrent_regularizer": weight_penalty,
        "activity_regularizer": MeanSquare(training.l2_rates) if training.l2_rates else None,
    }
    if network.architecture != "rnn":
        return build_gated_model(
            network.architecture,
            network.n_units,
            task.n_inputs,
            task.n_outputs,
            seed=seed,
            use_bias=network.use_bias,
            readout_bias=network.readout_bias,
            output_regularizer=weight_penalty,
            kernel_regularizer=weight_penalty,
            **penalties,
        )
    connectivity = network.connectivity(seed)
    return build_model(
        connectivity,
        task.n_inputs,
        task.n_outputs,
        readout_bias=network.readout_bias,
        enforcement=network.enforcement,
        output_regularizer=weight_penalty,
        input_regularizer=weight_penalty,
        **penalties,
        activation=network.activation,
        tau=None if connectivity.has_time_constants else network.time_constants(connectivity),
        dt=network.dt,
        formulation=network.formulation,
        use_bias=network.use_bias,
        initial_bias=network.initial_bias,
        recurrent_noise=network.recurrent_noise,
        trainable_initial_state=network.trainable_initial_state,
    )
