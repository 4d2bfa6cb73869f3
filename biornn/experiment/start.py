"""Where networks begin: at the weights of a run that is already there, in place of drawn ones."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
import xarray as xr
from pydantic import BaseModel, ConfigDict, StrictInt, model_validator

from biornn.errors import in_one_line
from biornn.experiment.config import NetworkConfig
from biornn.schema import GATED, is_trained, text
from biornn.store import open_run


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

    def check(self, condition: str, network: NetworkConfig, seeds: Sequence[int]) -> None:
        """Refuse, with a ValueError, networks of a condition that cannot have the weights which they begin with."""
        for seed in seeds:
            source = self.source(condition, seed)
            weights = source.weights()
            form = network.formulation if network.architecture == "rnn" else network.architecture
            expected = weights.sizes["unit"], str(text(weights["formulation"]).item())
            if (network.n_units, form) != expected:
                raise ValueError(
                    f"run: expected {network.n_units} units in the form {form}, as condition {condition!r} has, got "
                    f"{expected[0]} in the form {expected[1]} in {source.network}"
                )
            if form in GATED:
                continue
            wiring = network.connectivity(seed)
            values = weights["recurrent_weights"].transpose("unit_pre", "unit_post").values
            wrong = np.argwhere((values * wiring.sign[:, np.newaxis] < 0) & wiring.recurrent_mask)
            if len(wrong):
                pre, post = (wiring.unit_names[position] for position in wrong[0])
                raise ValueError(
                    f"run: expected weights of the signs of condition {condition!r}, got {len(wrong)} others in "
                    f"{source.network}, first from unit {pre} to unit {post}"
                )


@lru_cache(maxsize=2)
def _opened(path: Path) -> xr.DataTree:
    return open_run(path)
