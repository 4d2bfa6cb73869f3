"""Whether networks keep to the constraints that were declared for them."""

from __future__ import annotations

import xarray as xr

from biornn.schema import cell_signs, variable_attrs


def audit(run: xr.DataTree | xr.Dataset) -> xr.Dataset:
    """Count violations of the declared constraints in the effective weights, at every snapshot.

    Parameters
    ----------
    run
        A run, what `biornn.train` returns, or the group `weights` of either, of one network or of several.

    Returns
    -------
    xarray.Dataset
        Over network and snapshot: ``sign_violations`` (recurrent, input and readout weights of a sign that is not
        allowed), ``mask_violations`` (non-zero weights where none is allowed, self-connections apart), ``autapses``
        (non-zero self-connections that are not allowed) and ``fixed_changes`` (weights that are not trainable, and are
        not, to the bit, those of the first snapshot; in a run that does not say which are trainable, all are). For a
        whole run also ``non_negative_rates`` over network: whether every recorded rate is at least 0, without which
        Dale's law holds for the weights and not for what they transmit.

    Raises
    ------
    TypeError, ValueError
        If it holds no weights with their masks and cell types.

    Notes
    -----
    Weights that are NaN (of a network that diverged) violate nothing; ``history/status`` tells of them. Infinite ones
    have a place and a sign like others. `non_negative_rates` is False for a network without recorded rates.

    Examples
    --------
    >>> import biornn as bn
    >>> int(bn.audit(bn.open_run("runs/example")).sign_violations.sum())  # doctest: +SKIP
    0
    """
    if isinstance(run, xr.DataTree):
        weights = (run["weights"] if "weights" in run.children else run).to_dataset()
    elif isinstance(run, xr.Dataset):
        weights = run
    else:
        raise TypeError(
            f"run: expected a run, what biornn.train returns, or the group weights of either, got {type(run).__name__}"
        )
    missing = sorted({"recurrent_weights", "recurrent_mask", "cell_type"} - set(map(str, weights.data_vars)))
    if missing:
        raise ValueError(
            f"run: expected the group weights of a run, or a tree that holds it, got none of {missing[0]!r}"
        )
    counts = variable_attrs("audit", _violations(weights))
    if isinstance(run, xr.DataTree) and "activity" in run.children:
        counts["non_negative_rates"] = _non_negative(run).assign_attrs(long_name="every recorded rate is at least 0")
    return counts


def _violations(weights: xr.Dataset) -> xr.Dataset:
    recurrent, mask = weights["recurrent_weights"], weights["recurrent_mask"]
    autapse = recurrent["unit_pre"] == recurrent["unit_post"]
    cell_sign = cell_signs(weights["cell_type"]).rename(unit="unit_pre")
    forbidden = _nonzero(recurrent) & ~mask
    between, into, out_of = ("unit_pre", "unit_post"), ("input_channel", "unit"), ("unit", "output_channel")
    return xr.Dataset(
        {
            "sign_violations": (recurrent * cell_sign < 0).sum(between)
            + (weights["input_weights"] * weights["input_sign"] < 0).sum(into)
            + (weights["output_weights"] * weights["output_sign"] < 0).sum(out_of),
            "mask_violations": (forbidden & ~autapse).sum(between)
            + (_nonzero(weights["input_weights"]) & ~weights["input_mask"]).sum(into)
            + (_nonzero(weights["output_weights"]) & ~weights["output_mask"]).sum(out_of),
            "autapses": (forbidden & autapse).sum(between),
            "fixed_changes": _fixed_changes(weights, "recurrent").sum(between)
            + _fixed_changes(weights, "input").sum(into)
            + _fixed_changes(weights, "output").sum(out_of),
        }
    )


def _fixed_changes(weights: xr.Dataset, pathway: str) -> xr.DataArray:
    values, mask = weights[f"{pathway}_weights"], weights[f"{pathway}_mask"]
    first = values.isel(snapshot=0, drop=True) if "snapshot" in values.dims else values
    return _nonzero(values - first) & mask & ~weights.get(f"{pathway}_trainable", mask)


def _nonzero(weights: xr.DataArray) -> xr.DataArray:
    return abs(weights) > 0  # False for NaN, unlike `!= 0`


def _non_negative(run: xr.DataTree) -> xr.DataArray:
    recorded = [run[group].to_dataset()["rates"] for group in ("activity", "probe_activity") if group in run]
    lowest = xr.concat([rates.min(("trial", "time", "unit")) for rates in recorded], "group")
    return (lowest >= 0).all("group")
