"""Runs made by hand, of a few units, that keep to the schema: a report reads the store, not the training."""

from __future__ import annotations

import json
import pickle
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from filelock import FileLock
from matplotlib.figure import Figure

from biornn.analysis import audit, fixed_points, memory_attractors
from biornn.plots.style import PAGE_WIDTH
from biornn.report import write_report
from biornn.report.measures import MEASURES
from biornn.report.page import render
from biornn.report.pictures import _DPI, Picture
from biornn.report.reading import Reading
from biornn.report.section import Block, Drawn, Section, drawn
from biornn.schema import (
    GATE_LABELS,
    GATE_WEIGHTS,
    GATED,
    GROUPS,
    SCHEMA_VERSION,
    TRAINED,
    has_gate,
    validate,
    variable_attrs,
)
from biornn.tasks import FlipFlop, Task
from biornn.tasks.task import describe_task, task_settings
from biornn.tasks.trials import recorded_trials

N_UNITS = 6
UPDATES = (0, 50, 100)
_NETWORK = {"n_units": N_UNITS, "excitatory_fraction": None, "density": 1.0, "tau": 5.0, "dt": 1.0, "use_bias": True}
_TRAINING = {"max_updates": 100, "batch_size": 4, "learning_rate": 0.01, "criterion": 0.9}


def planted_run(
    conditions: Mapping[str, Mapping[str, Any]] | None = None,
    seeds: Sequence[int] = (0, 1),
    status: Sequence[str] | None = None,
    failure: Sequence[str] | None = None,
    formulation: str = "rate",
    task: Task | None = None,
    training: Mapping[str, Any] | None = None,
    n_trials: int = 16,
    has_fixed_points: bool = False,
    **attrs: Any,
) -> xr.DataTree:
    """Make a run, by default on a two-bit flip-flop, whose networks follow their targets up to noise.

    `conditions` maps names to what they change, `status` and `failure` have an entry per network (conditions first),
    `attrs` go to the root. Dale's law is kept where a condition has an `excitatory_fraction`. `has_fixed_points` is
    whether the fixed points were searched for.
    """
    conditions = {"free": {}, "dale": {"excitatory_fraction": 0.5}} if conditions is None else conditions
    networks = [(condition, seed) for condition in conditions for seed in seeds]
    status = ["criterion_reached"] * len(networks) if status is None else list(status)
    task = FlipFlop(n_bits=2, duration=300.0, n_pulses=3) if task is None else task
    index = xr.Dataset(
        coords={
            "network": [f"{condition}-s{seed:02d}" for condition, seed in networks],
            "condition": ("network", [condition for condition, _ in networks]),
            "seed": ("network", [seed for _, seed in networks]),
        }
    )
    generator = np.random.default_rng(0)
    groups = recorded_trials(task, n_trials)
    is_kept = xr.DataArray([one in TRAINED for one in status], dims="network")
    for name, trials in list(groups.items()):
        activity = _activity(trials, len(networks), generator)
        groups[name.replace("trials", "activity")] = activity.assign_coords(index.coords).where(is_kept)
    fractions = [conditions[condition].get("excitatory_fraction") for condition, _ in networks]
    weights = _weights(fractions, formulation, task, generator)
    channels = {name: groups["trials"][name] for name in ("input_channel", "output_channel")}
    weights = weights.assign_coords(index.coords).assign_coords(channels)
    for name, array in weights.data_vars.items():
        if array.dtype.kind == "f":
            weights[name] = array.where(is_kept)
    groups["weights"] = weights
    groups["history"] = _history(status, is_kept, failure, task.score_name).assign_coords(index.coords)
    groups["audit"] = audit(weights)
    found = _fixed_points(weights, groups["probe_trials"]) if has_fixed_points else {}
    tree = xr.DataTree.from_dict(
        {"/": index, **{name: variable_attrs(name, dataset) for name, dataset in groups.items()}, **found}
    )
    tree.attrs = {
        "schema_version": SCHEMA_VERSION,
        "title": "A planted run",
        "created": "2026-01-02T03:04:05+00:00",
        "versions": json.dumps({"python": "3.11.7", "biornn": "0.1.0"}),
        "experiment": json.dumps(
            {
                "task": {"name": describe_task(task)["task"], **task_settings(task)},
                "network": _NETWORK,
                "training": {**_TRAINING, **(training or {})},
                "conditions": {name: dict(changes) for name, changes in conditions.items()},
                "seeds": list(seeds),
            }
        ),
        "complete": 1,
        **attrs,
    }
    validate(tree)
    return tree


def _activity(trials: xr.Dataset, n_networks: int, generator: np.random.Generator) -> xr.Dataset:
    """Outputs near the targets, and rates that are a random image of them."""
    targets = trials["targets"].transpose("trial", "time", "output_channel")
    mixing = xr.DataArray(
        generator.normal(0, 0.3, (n_networks, targets.shape[-1], N_UNITS)), dims=("network", "output_channel", "unit")
    )
    rates = xr.dot(mixing, targets.drop_vars("output_channel"), dim="output_channel")
    outputs = targets.expand_dims(network=n_networks) + generator.normal(0, 0.1, (n_networks, *targets.shape))
    return xr.Dataset(
        {
            "rates": rates.transpose("network", "trial", "time", "unit").assign_coords(unit=range(N_UNITS)),
            "outputs": outputs.transpose("network", "trial", "time", "output_channel"),
        }
    )


def _weights(
    fractions: Sequence[float | None], formulation: str, task: Task, generator: np.random.Generator
) -> xr.Dataset:
    shape = (len(fractions), len(UPDATES))
    recurrent = generator.normal(0, 1 / np.sqrt(N_UNITS), (*shape, N_UNITS, N_UNITS))
    cell_type = np.full((len(fractions), N_UNITS), "unconstrained", object)
    for index, fraction in enumerate(fractions):
        if fraction is not None:
            n_excitatory = round(fraction * N_UNITS)
            cell_type[index] = ["excitatory"] * n_excitatory + ["inhibitory"] * (N_UNITS - n_excitatory)
            sign = np.where(cell_type[index] == "excitatory", 1.0, -1.0)
            recurrent[index] = np.abs(recurrent[index]) * sign[:, np.newaxis]
    undefined = np.nan if formulation in GATED else 1.0
    n_networks, n_inputs, n_outputs = len(fractions), task.n_inputs, task.n_outputs
    weights = xr.Dataset(
        {
            "input_weights": (
                ("network", "snapshot", "input_channel", "unit"),
                undefined * generator.normal(size=(*shape, n_inputs, N_UNITS)),
            ),
            "recurrent_weights": (("network", "snapshot", "unit_pre", "unit_post"), undefined * recurrent),
            "output_weights": (
                ("network", "snapshot", "unit", "output_channel"),
                generator.normal(size=(*shape, N_UNITS, n_outputs)),
            ),
            "recurrent_bias": (("network", "snapshot", "unit"), undefined * np.zeros((*shape, N_UNITS))),
            "output_bias": (("network", "snapshot", "output_channel"), np.zeros((*shape, n_outputs))),
            "recurrent_mask": (("network", "unit_pre", "unit_post"), np.ones((n_networks, N_UNITS, N_UNITS), bool)),
            "input_mask": (("network", "input_channel", "unit"), np.ones((n_networks, n_inputs, N_UNITS), bool)),
            "output_mask": (("network", "unit", "output_channel"), np.ones((n_networks, N_UNITS, n_outputs), bool)),
            "input_sign": (("network", "input_channel"), np.zeros((n_networks, n_inputs), int)),
            "output_sign": (("network", "unit"), np.zeros((n_networks, N_UNITS), int)),
            "cell_type": (("network", "unit"), cell_type),
            "alpha": (("network", "unit"), undefined * np.full((n_networks, N_UNITS), 0.2)),
            "initial_rates": (("network", "unit"), np.zeros((n_networks, N_UNITS))),
            "initial_state": (("network", "snapshot", "unit"), np.zeros((*shape, N_UNITS))),
            "activation": ("network", np.full(n_networks, "tanh", object)),
            "formulation": ("network", np.full(n_networks, formulation, object)),
        },
        {
            "unit": range(N_UNITS),
            "unit_pre": range(N_UNITS),
            "unit_post": range(N_UNITS),
            "snapshot": range(len(UPDATES)),
            "update": ("snapshot", list(UPDATES)),
        },
    )
    return weights.merge(_gates(formulation, shape, n_inputs, generator)) if formulation in GATED else weights


def _gates(formulation: str, shape: tuple[int, int], n_inputs: int, generator: np.random.Generator) -> xr.Dataset:
    """Weights by gate, NaN in those that the layer does not have."""
    sizes = {"input_channel": n_inputs, "unit": N_UNITS, "unit_pre": N_UNITS, "unit_post": N_UNITS}
    has = has_gate(xr.DataArray(formulation), xr.DataArray(list(GATE_LABELS), {"gate": list(GATE_LABELS)}, ("gate",)))
    found = xr.Dataset()
    for name in GATE_WEIGHTS:
        dims = GROUPS["weights"][name].dims
        size = (*shape, len(GATE_LABELS), *(sizes[dim] for dim in dims[3:]))
        found[name] = xr.DataArray(generator.normal(0, 0.4, size), dims=dims).where(has)
    return found


def _fixed_points(weights: xr.Dataset, probe: xr.Dataset) -> dict[str, xr.Dataset]:
    """What `biornn fixed-points` adds, from few starts."""
    last = weights.isel(snapshot=-1, drop=True)
    points = fixed_points(last, probe_trials=probe, n_starts=8, max_batches=2)
    return {"fixed_points": points, "memory_attractors": memory_attractors(points, last, probe)}


def _history(
    status: Sequence[str], is_kept: xr.DataArray, failure: Sequence[str] | None, score_name: str
) -> xr.Dataset:
    n_networks = len(status)
    losses = {"loss": [np.nan, 0.3, 0.1], "val_loss": [0.8, 0.3, 0.1]}
    scores = {"score": [0.4, 0.8, 0.95], "worst_score": [0.3, 0.7, 0.9]}
    named = {key: {"score_name": score_name} for key in scores}
    history = xr.Dataset(
        {
            name: (("network", "snapshot"), np.tile(curve, (n_networks, 1)), named.get(name))
            for name, curve in (losses | scores).items()
        },
        {"snapshot": range(len(UPDATES)), "update": ("snapshot", list(UPDATES))},
    ).where(is_kept)
    reached = [100.0 if one == "criterion_reached" else np.nan for one in status]
    history = history.assign(
        status=("network", np.array(status, object)),
        updates_trained=("network", np.where(is_kept, 100, 7)),
        updates_to_criterion=("network", reached),
        wall_time=("network", np.arange(1.0, n_networks + 1)),
    )
    return history if failure is None else history.assign(failure=("network", np.array(failure, object)))


@pytest.fixture(scope="session")
def make_run() -> Callable[..., xr.DataTree]:
    """Make a run by hand; see `planted_run`. One on the flip-flop is made once, and is a copy from then on."""
    made: dict[str, bytes] = {}

    def make(conditions: Mapping[str, Any] | None = None, task: Task | None = None, **settings: Any) -> xr.DataTree:
        if task is not None:  # whose settings need not show in its `repr`
            return planted_run(conditions, task=task, **settings)
        key = repr((conditions, settings))
        if key not in made:
            made[key] = pickle.dumps(planted_run(conditions, **settings))
        run: xr.DataTree = pickle.loads(made[key])
        return run

    return make


@pytest.fixture(scope="session")
def reading(make_run: Callable[..., xr.DataTree]) -> Reading:
    """The run that `make_run` makes by default, whose results are computed once for all; change nothing of it."""
    return Reading(make_run())


@pytest.fixture
def no_robustness(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compare networks by all but their robustness: most of the time goes into noise and lesions."""
    few = tuple(measure for measure in MEASURES if measure.family != "robustness")
    monkeypatch.setattr("biornn.report.reading.MEASURES", few)


@pytest.fixture(scope="session")
def render_blank() -> Callable[[xr.DataTree], str]:
    """Render a page of whose pictures only the learning curves are drawn; nightly tests draw the others."""

    def blank(section: Section) -> Drawn:
        def replaced(block: Block) -> Block:
            is_drawn = not isinstance(block, Picture) or block.name == "learning_curves"
            return block if is_drawn else replace(block, draw=lambda: Figure(figsize=(PAGE_WIDTH, 2)))

        return drawn(replace(section, blocks=tuple(map(replaced, section.blocks))))

    def rendered(run: xr.DataTree) -> str:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("biornn.report.page.drawn", blank)
            patch.setattr("biornn.report.pictures._DPI", 20)  # sizes on the page stay the same
            return render(run)

    return rendered


@pytest.fixture(scope="session")
def reported_run(finished_run: Path) -> Path:
    """Folder of the finished run with its report, as one process makes it; read it only."""
    folder = finished_run.with_name("reported_run")
    with FileLock(f"{folder}.lock"), pytest.MonkeyPatch.context() as patch:  # processes of pytest-xdist share it
        if not folder.exists():
            patch.setattr("biornn.report.pictures._DPI", _DPI)  # whatever the test that asks first has set
            write_report(shutil.copytree(finished_run, folder.with_suffix(".new")))
            folder.with_suffix(".new").rename(folder)
    return folder
