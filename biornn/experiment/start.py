"""Where networks begin: at the weights of a run that is already there, in place of drawn ones."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
import xarray as xr
from pydantic import BaseModel, ConfigDict, StrictInt, model_validator

from biornn.connectivity import Connectivity
from biornn.errors import in_one_line
from biornn.experiment.config import NetworkConfig
from biornn.experiment.messages import shortened
from biornn.schema import GATED, is_trained, text
from biornn.store import open_run
from biornn.store.folder import STORE
from biornn.tasks import Task


class Source(NamedTuple):
    """A network of a run at one snapshot."""

    run: Path
    network: str
    snapshot: int

    def weights(self) -> xr.Dataset:
        """Return its weights, without `network` and `snapshot`."""
        weights = _opened(self.run)["weights"].to_dataset()
        return weights.sel(network=self.network).isel(snapshot=self.snapshot).load()


class Start(BaseModel):
    """A run whose networks the experiment goes on from; `created`, when that run began, is what a stored one has.

    The path is relative to the working folder.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    run: str
    snapshot: StrictInt = -1
    created: str = ""

    @model_validator(mode="after")
    def _readable(self) -> Self:
        try:
            run = _opened(self._path)
        except (OSError, ValueError) as error:
            raise ValueError(f"run: expected a run to go on from, got {in_one_line(error)}") from None
        created = str(run.attrs["created"])
        if self.created not in ("", created):
            raise ValueError(
                f"run: expected the run that the experiment began with, of {self.created}, got that of {created} in "
                f"{self.run}; bring the old one back, or leave created out"
            )
        object.__setattr__(self, "created", created)
        n_snapshots = run["weights"].sizes["snapshot"]
        if not -n_snapshots <= self.snapshot < n_snapshots:
            raise ValueError(f"snapshot: expected a position of {n_snapshots} in {self.run}, got {self.snapshot}")
        return self

    @property
    def _path(self) -> Path:
        return Path(self.run).absolute()

    def source(self, condition: str, seed: int) -> Source:
        """Return the network that one of a condition and a seed goes on from.

        That is the one of the same condition, or if the run has only one condition that; and of the same seed, or if
        there is only one network that. A ValueError if there is none, or it was not trained.
        """
        history = _opened(self._path)["history"].to_dataset()
        conditions, seeds = text(history["condition"]).values, history["seed"].values
        known = list(dict.fromkeys(conditions.tolist()))
        if condition not in known and len(known) > 1:
            raise ValueError(f"run: expected a condition {condition!r} in {self.run}, which has {', '.join(known)}")
        members = np.flatnonzero(conditions == (condition if condition in known else known[0]))
        if len(members) > 1:
            members = members[seeds[members] == seed]
        if not len(members):
            raise ValueError(f"run: expected a network of seed {seed} and condition {condition!r} in {self.run}")
        one = history.isel(network=members[0])
        if not is_trained(one["status"]):
            raise ValueError(
                f"run: expected trained networks in {self.run}, got {one['network'].item()}, which is "
                f"{one['status'].item()}"
            )
        return Source(self._path, str(one["network"].item()), self.snapshot)

    def check(self, condition: str, network: NetworkConfig, task: Task, seeds: Sequence[int]) -> None:
        """Refuse, with a ValueError, networks of a condition that cannot have the weights which they begin with."""
        for seed in seeds:
            source = self.source(condition, seed)
            weights = source.weights()
            form = network.formulation if network.architecture == "rnn" else network.architecture
            found: dict[str, Any] = {
                "n_units": weights.sizes["unit"],
                "formulation": str(text(weights["formulation"]).item()),
            }
            own: dict[str, Any] = {"n_units": network.n_units, "formulation": form}
            if form not in GATED and own == found:
                step = _opened(self._path)["trials"]["time"].diff("time").values[:1]
                wiring = network.connectivity(seed)
                times = np.broadcast_to(network.time_constants(wiring), network.n_units)
                found |= {
                    "activation": str(text(weights["activation"]).item()),
                    "unit_names": weights["unit"].values.tolist(),
                }
                own |= {"activation": network.activation, "unit_names": wiring.unit_names.tolist()}
                # Of a trial of one step the time step is not known.
                found["tau"] = (
                    (step / weights["alpha"].values).round(6).tolist() if step.size else times.round(6).tolist()
                )
                own["tau"] = times.round(6).tolist()
            for name, value in found.items():
                if own[name] != value:
                    raise ValueError(
                        f"run: expected networks with the {name} of condition {condition!r}, "
                        f"{shortened(str(own[name]))}, got {shortened(str(value))} in {source.network}"
                    )
            if form not in GATED:
                self._check_weights(condition, network, wiring, task, source.network, weights)
            for name, has in {
                "recurrent_bias": network.use_bias,
                "output_bias": network.readout_bias,
                "initial_state": network.trainable_initial_state,
            }.items():
                if not has and weights[name].any():
                    raise ValueError(
                        f"run: expected {name} of zero, since condition {condition!r} has none, got others in "
                        f"{source.network}"
                    )

    def _check_weights(
        self, condition: str, network: NetworkConfig, wiring: Connectivity, task: Task, source: str, weights: xr.Dataset
    ) -> None:
        """Refuse weights that signs or masks of a condition forbid; where the mask is given, it may cut synapses."""
        pathways = {"recurrent_weights": (wiring.recurrent, "unit_pre", "unit_post")}
        if weights.sizes["input_channel"] == task.n_inputs:
            pathways["input_weights"] = (wiring.input(task.n_inputs), "input_channel", "unit")
        if weights.sizes["output_channel"] == task.n_outputs:
            pathways["output_weights"] = (wiring.readout(task.n_outputs), "unit", "output_channel")
        for name, (pathway, *dims) in pathways.items():
            values = weights[name].transpose(*dims).values
            is_cut = (values != 0) & ~pathway.mask
            if name == "recurrent_weights" and network.mask is not None:
                values, is_cut = np.where(is_cut, 0, values), np.zeros_like(is_cut)
            wrong = np.argwhere((values * pathway.sign[:, np.newaxis] < 0) & ~is_cut)
            for places, what in ((wrong, "signs"), (np.argwhere(is_cut), "mask")):
                if len(places):
                    pre, post = (
                        wiring.unit_names[at] if dim.startswith("unit") else at
                        for dim, at in zip(dims, places[0], strict=True)
                    )
                    raise ValueError(
                        f"run: expected {name.replace('_', ' ')} that keep to the {what} of condition {condition!r}, "
                        f"got {len(places)} others in {source}, first from {pre} to {post}; begin with the same "
                        "seeds and connectivity" + ", or give the mask that cuts them" * (name == "recurrent_weights")
                    )


def _opened(path: Path) -> xr.DataTree:
    """Open a run once, and again when it was replaced."""
    store = path / STORE if (path / STORE).is_dir() else path
    metadata = store / "zarr.json"
    return _opened_at(path, metadata.stat().st_mtime_ns if metadata.is_file() else 0)


@lru_cache(maxsize=2)
def _opened_at(path: Path, written: int) -> xr.DataTree:
    return open_run(path)
