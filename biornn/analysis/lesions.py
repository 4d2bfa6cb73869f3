"""How well networks do their task when some of their units are silenced."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from biornn.analysis.dims import require_some, require_variables
from biornn.analysis.kernels import Output, describe
from biornn.analysis.runnable import runnable
from biornn.analysis.simulate import simulate
from biornn.schema import LESION_OF_ANY, text, type_signs
from biornn.tasks import Task, task_of
from biornn.tasks.scores import mean_score, score_trials

_SCORES = {
    "share": Output("share of the units silenced"),
    "score": Output("score with silenced units"),
    "control_score": Output("score with as many silenced units of any type"),
    "difference": Output("score minus that of the control"),
    "n_lesioned": Output("silenced units"),
}


def lesion_robustness(
    weights: xr.Dataset,
    trials: xr.Dataset,
    share: Sequence[float] = (0.0, 0.05, 0.1, 0.2, 0.3),
    n_repeats: int = 5,
    seed: int = 0,
    task: Task | None = None,
) -> xr.Dataset:
    """Score networks of which a share of the units is silenced: any units, or those of one cell type.

    The rate of a silenced unit reaches neither another unit nor the readout. Since some types have more units than
    others, each lesion of one type has its control: as many units, drawn from all.

    Parameters
    ----------
    weights
        The group `weights` of a run, of one network or of several; the last snapshot is taken.
    trials
        The group `trials` of a run. Fewer are faster: ``trials.isel(trial=slice(16))``.
    share
        Shares of the units (of all, or of those of a type) that are silenced, from 0 to 1; rounded to whole units.
    n_repeats
        Draws of the units to silence.
    seed
        Of the draws. Each is an order of all units: the first of them, or the first of a type, are silenced, so that a
        larger lesion of a draw contains the smaller. The orders are the same in all networks.
    task
        What scores the outputs; None: the task that the attributes of `trials` name.

    Returns
    -------
    xr.Dataset
        Over (network, lesion, share), `lesion` being ``any``, or the name of a cell type (``excitatory`` and
        ``inhibitory``, or those that the networks have of their own), each a mean over the draws: `score`, as
        `performance` counts it (a trial with an output that is not finite is wrong); `control_score`, of lesions of as
        many units of any type; `difference`, `score` minus `control_score`: negative where the type matters more than
        its number; and `n_lesioned`, how many units are silenced.
        NaN where a network has no such units, in the control and difference of ``any``, and for a network that cannot
        be run: diverged or failed. No `network` where `weights` has none.

    Raises
    ------
    ValueError
        If a variable is missing, a share is not from 0 to 1, or there is no repeat or no network.
    """
    require_variables(trials, "trials", ["inputs", "targets"])
    if not len(share) or not all(0 <= one <= 1 for one in share):
        raise ValueError(f"share: expected shares of the units from 0 to 1, got {share!r}")
    if n_repeats < 1:
        raise ValueError(f"n_repeats: expected at least 1, got {n_repeats!r}")
    require_some(weights["recurrent_weights"], "weights")
    task = task_of(trials) if task is None else task
    safe, can_run = runnable(weights)
    networks = safe if "network" in safe.dims else safe.expand_dims("network")
    rng = np.random.default_rng(seed)
    orders = np.array([rng.permutation(safe.sizes["unit"]) for _ in range(n_repeats)])
    each = (networks.isel(network=index) for index in range(networks.sizes["network"]))
    lesions = [LESION_OF_ANY, *(name for name in type_signs(safe["cell_type"]) if name != "unconstrained")]
    parts = [_lesioned(one, trials, task, share, orders, lesions) for one in each]
    result = xr.concat(parts, dim="network", data_vars="all")
    result = result.assign_coords({name: labels for name, labels in safe.coords.items() if labels.dims == ("network",)})
    result = (result if "network" in safe.dims else result.isel(network=0)).where(can_run)
    result["difference"] = result["score"] - result["control_score"]
    result = describe(result, _SCORES)
    for name in ("score", "control_score"):
        result[name].attrs["score_name"] = task.score_name
    return result


def _lesioned(
    network: xr.Dataset,
    trials: xr.Dataset,
    task: Task,
    share: Sequence[float],
    orders: NDArray[np.int_],
    lesions: Sequence[str],
) -> xr.Dataset:
    """Mean over the draws, (lesion, share), of one network."""
    cell_type = text(network["cell_type"]).values
    members = np.array([np.full(len(cell_type), True), *(cell_type == name for name in lesions[1:])])
    n_lesioned = np.rint(np.multiply.outer(members.sum(axis=1), share)).astype(int)
    # (lesion, share, draw, unit) of the lesions and of their controls
    targeted = np.array([_first(orders, kind, counts) for kind, counts in zip(members, n_lesioned, strict=True)])
    controls = np.array([_first(orders, members[0], counts) for counts in n_lesioned])
    score = _score(network, trials, task, np.array([targeted, controls])).mean(axis=-1)
    exists = members.any(axis=1, keepdims=True)
    has_control = exists & np.array([[name != LESION_OF_ANY] for name in lesions])
    dims = ("lesion", "share")
    return xr.Dataset(
        {
            "score": (dims, np.where(exists, score[0], np.nan)),
            "control_score": (dims, np.where(has_control, score[1], np.nan)),
            "n_lesioned": (dims, np.where(exists, n_lesioned, np.nan)),
        },
        {"lesion": np.array(lesions, object), "share": np.asarray(share, float)},
    )


def _first(orders: NDArray[np.int_], members: NDArray[np.bool_], counts: NDArray[np.int_]) -> NDArray[np.bool_]:
    """Mark the first members in each order; (count, order, unit)."""
    is_member = members[orders]
    in_order = np.where(is_member, is_member.cumsum(axis=-1), np.inf)
    rank = np.take_along_axis(in_order, orders.argsort(axis=-1), axis=-1)
    marked: NDArray[np.bool_] = rank <= counts[:, np.newaxis, np.newaxis]
    return marked


def _score(network: xr.Dataset, trials: xr.Dataset, task: Task, silenced: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Score with each lesion (..., unit); equal ones are run once, in the precision of training, which is quicker."""
    n_units = silenced.shape[-1]
    distinct, position = np.unique(silenced.reshape(-1, n_units), axis=0, return_inverse=True)
    lesions = xr.DataArray(distinct, dims=("draw", "unit"))
    outputs = simulate(network, trials["inputs"], silenced=lesions, rates=False, dtype="float32")["outputs"]
    scores: NDArray[np.float64] = mean_score(score_trials(task, outputs, trials, infinite_is_wrong=True)).values
    return scores[position.reshape(silenced.shape[:-1])]
