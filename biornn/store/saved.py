"""Networks that were trained by any means, gathered in one run."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from biornn.scalars import integer
from biornn.schema import GROUPS, PROBE
from biornn.store.run import open_run
from biornn.store.writer import RunWriter, run_attrs


def save_run(
    path: str | PathLike[str],
    trees: Sequence[xr.DataTree],
    *,
    conditions: Sequence[str] | None = None,
    seeds: Sequence[int] | None = None,
    title: str = "",
    overwrite: bool = False,
) -> xr.DataTree:
    """Write several recorded networks as one run, which is audited, compared and reported like any other.

    Parameters
    ----------
    path
        Run folder to make.
    trees
        What `biornn.record` gave for each network, on the same trials.
    conditions
        Name of the condition of each network. None: all are of one, ``recorded``.
    seeds
        Seed of each network, distinct within a condition; networks of several conditions are paired by them. None:
        networks of a condition are numbered in their order.
    title
        Title of the run.
    overwrite
        Whether a run that is already there is replaced, once the new one is complete.

    Returns
    -------
    xarray.DataTree
        The run, opened from `path`; networks are called ``CONDITION-sSEED``. Where their numbers of updates differ,
        ``update`` is -1 in snapshots where they do, and ``updates_trained`` has each network's own.

    Raises
    ------
    ValueError
        If there is no network, names or seeds do not fit, or the networks differ in their trials, sizes or labels.
    FileExistsError
        If `path` exists and is not to be overwritten, or is no run.

    Examples
    --------
    >>> import biornn as bn
    >>> trees = [bn.record(model, trials) for model in models]  # doctest: +SKIP
    >>> run = bn.save_run("runs/integrator", trees, conditions=["free", "dale"], seeds=[0, 0])  # doctest: +SKIP
    """
    names, index = _index(trees, conditions, seeds)
    first, groups = trees[0], {}
    trials = {name: first[name].to_dataset() for name in ("trials", PROBE[0]) if name in first.children}
    plain = next((tree for tree in trees if "gate" not in tree["weights"].dims), first)
    for tree in trees:
        _check_fit(tree, plain, trials)
    updates = np.stack([tree["weights"].to_dataset()["update"].values for tree in trees])
    shared = np.where((updates == updates[0]).all(axis=0), updates[0], -1)
    for name, tree in zip(names, trees, strict=True):
        found = {group: tree[group].to_dataset() for group in GROUPS if group in tree.children and group not in trials}
        over_snapshots = (group for group, data in found.items() if "update" in data.coords)
        groups[name] = found | {g: found[g].assign_coords(update=("snapshot", shared)) for g in over_snapshots}
    task = trials["trials"].attrs
    experiment = {
        "recorded": {"networks": names},
        "task": {"name": task["task"], **json.loads(task["task_settings"])},
        **_settings(trees, [name.rpartition("-s")[0] for name in names]),
    }
    writer = RunWriter(Path(path), index, run_attrs(title, json.dumps(experiment)), trials, overwrite=overwrite)
    try:
        for name, found in groups.items():
            writer.write_network(name, found)
    except BaseException:
        writer.discard()
        raise
    writer.finish()
    return open_run(path)


def _settings(trees: Sequence[xr.DataTree], conditions: Sequence[str]) -> dict[str, Any]:
    """Describe networks and training as an experiment does: those of the first network, and how conditions differ."""
    common = {part: json.loads(trees[0].attrs.get(part, "{}")) for part in ("network", "training")}
    changes: dict[str, dict[str, Any]] = {}
    for condition, tree in zip(conditions, trees, strict=True):
        differing: dict[str, Any] = {}
        for part, settings in common.items():
            own = json.loads(tree.attrs.get(part, "{}"))
            prefix = "training." if part == "training" else ""
            keys = [key for key in {**settings, **own} if settings.get(key) != own.get(key)]
            differing |= {f"{prefix}{key}": own.get(key) for key in keys}
        first = changes.setdefault(condition, differing)
        for key in [key for key in {**first, **differing} if first.get(key) != differing.get(key)]:
            if not key.startswith("training."):
                raise ValueError(
                    f"conditions: expected networks of {condition!r} that have one {key}, got several; give them "
                    "names of their own"
                )
            first[key] = None  # there is not one value
    return {**common, "conditions": changes}


def _index(
    trees: Sequence[xr.DataTree], conditions: Sequence[str] | None, seeds: Sequence[int] | None
) -> tuple[list[str], xr.Dataset]:
    """Name the networks in their order, and make the coordinates of the run, condition by condition."""
    if not trees or not all(isinstance(tree, xr.DataTree) for tree in trees):
        raise ValueError("trees: expected at least one DataTree, as biornn.record gives, and nothing else")
    conditions = ["recorded"] * len(trees) if conditions is None else [str(one) for one in conditions]
    if seeds is None:
        seeds = [conditions[:position].count(one) for position, one in enumerate(conditions)]
    for name, values in (("conditions", conditions), ("seeds", seeds)):
        if len(values) != len(trees):
            raise ValueError(f"{name}: expected one for each of {len(trees)} networks, got {len(values)}")
    if strange := [one for one in conditions if not re.fullmatch(r"[A-Za-z0-9_.+-]+", one)]:
        raise ValueError(f"conditions: expected letters, digits, or one of _.+-, got {strange[0]!r}")
    numbers = [integer("seeds", seed, minimum=0) for seed in seeds]
    names = [f"{condition}-s{seed:02d}" for condition, seed in zip(conditions, numbers, strict=True)]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"seeds: expected distinct ones within a condition, got {twice[0]} more than once")
    order = sorted(range(len(trees)), key=lambda position: conditions.index(conditions[position]))
    index = xr.Dataset(
        coords={
            "network": np.array([names[position] for position in order], object),
            "condition": ("network", np.array([conditions[position] for position in order], object)),
            "seed": ("network", [numbers[position] for position in order]),
        }
    )
    return names, index


def _check_fit(tree: xr.DataTree, first: xr.DataTree, trials: Mapping[str, xr.Dataset]) -> None:
    """Refuse a network that cannot stand in one run with the first."""
    for group in ("trials", "activity", "weights", "history", "audit"):
        if group not in tree.children:
            raise ValueError(f"trees: expected the groups that biornn.record gives, found no {group}")
    for group, expected in trials.items():
        if group not in tree.children or not tree[group].to_dataset().identical(expected):
            raise ValueError(f"trees: expected the same {group} in all networks, got others; record all on one dataset")
    for group in ("weights", "activity"):
        left_out = {"gate", "axis"} if "gate" in tree["weights"].dims else set()  # it has gates, and no positions
        sizes, expected_sizes = (
            {dim: size for dim, size in sorted(one[group].sizes.items()) if dim not in left_out}
            for one in (tree, first)
        )
        if sizes != expected_sizes:
            raise ValueError(f"trees: expected networks of one size, {expected_sizes} in {group}, got {sizes}")
        for dim in ("unit", "input_channel", "output_channel"):
            if dim in sizes and not tree[group].indexes[dim].equals(first[group].indexes[dim]):
                raise ValueError(f"trees: expected the same labels of {dim} in all networks, got others")
