"""Excitatory and inhibitory currents into every unit, and how far they balance."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Literal, get_args

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from biornn.activations import activation
from biornn.analysis.dims import ordered_as, require_dims, require_same_units, require_some, require_variables
from biornn.analysis.kernels import Output, apply_kernel
from biornn.analysis.presynaptic_type import presynaptic_type
from biornn.analysis.same_labels import same_labels
from biornn.analysis.scale import power_of_two
from biornn.schema import text, type_signs

_Array = NDArray[np.float64]
Split = Literal["weight", "contribution"]
_MEANINGS = {
    "weight": ("through positive weights", "through negative weights"),
    "contribution": ("of positive contributions", "of negative contributions"),
}
_ACTIVITY = ("trial", "time", "unit")
#: Of rates, rates before the first of them, and recurrent weights.
_CORE_DIMS = (_ACTIVITY, ["unit"], ["unit_pre", "unit_post"])
#: What `ei_balance` gives.
_BALANCE = {
    "excitatory": Output("mean excitatory current", ("time",)),
    "inhibitory": Output("mean inhibitory current", ("time",)),
    "net": Output("mean recurrent current", ("time",)),
    "balance_index": Output("share of the currents that cancels"),
    "balance_index_per_unit": Output("share of the currents into a unit that cancels", ("unit",)),
    "correlation": Output("mean correlation of excitation with inhibition"),
    "correlation_per_unit": Output("correlation of excitation with inhibition", ("unit",)),
}
#: What `currents_by_type` gives.
_BY_TYPE = {
    "current": Output("mean current from the units of a cell type", ("cell_type", "time")),
    "size": Output("mean size of the current from the units of a cell type", ("cell_type",)),
}


def currents(
    weights: xr.Dataset, rates: xr.DataArray, inputs: xr.DataArray | None = None, split: Split = "weight"
) -> xr.Dataset:
    """Split the current into every unit into an excitatory and an inhibitory part.

    The recurrent current at a step comes from the rates at the step before; at the first step, from the initial state.

    Parameters
    ----------
    weights
        The group `weights` of a run, of one network or of several. Where it has a `snapshot`, the last is taken, which
        is the one that the recorded activity belongs to.
    rates
        Recorded rates, dims `trial`, `time` (every step of the network, from its first), `unit` and, as in `weights`,
        `network`.
    inputs
        Inputs that the rates answer to, dims `trial`, `time`, `input_channel`.
    split
        What counts as excitatory. ``"weight"``: all that comes through positive weights, which in a network under
        Dale's law is all that comes from excitatory units. ``"contribution"``: every product of a rate and a weight
        that is positive. See the notes.

    Returns
    -------
    xr.Dataset
        `excitatory` and `inhibitory` (..., trial, time, unit), with `unit` postsynaptic, in float64; with `inputs` also
        `external`: the current of inputs and bias. The sum of the three is what the network adds up at a step, before
        its activation (rate form) or leak (current form). All NaN for a network whose weights, rates or currents are
        not finite: one that diverged, failed, or is gated.

    Raises
    ------
    TypeError, ValueError
        If a variable or a dim is missing, a dim is empty, labels differ, or `split` is not known.

    See Also
    --------
    ei_balance : The same in brief, one network in memory at a time.

    Notes
    -----
    Where Dale's law holds in full, with rates that are never negative, both splits are the textbook's: the current from
    excitatory and the current from inhibitory units. They differ where rates may be negative, as with tanh. By weight,
    an excitatory unit with a negative rate lowers the excitatory current, which may become negative. That is right
    where such a rate stands for less than a baseline of activity, and a baseline moves no correlation of the two
    currents. By contribution, the same unit inhibits: excitation is never negative and inhibition never positive, but
    the excitatory current does not come from excitatory units alone. A network without Dale's law has no excitatory
    units; either split then says what its weights do, and serves to compare.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> weights = xr.Dataset(
    ...     {
    ...         "recurrent_weights": (("unit_pre", "unit_post"), [[0.0, 2.0], [-1.0, 0.0]]),
    ...         "initial_state": ("unit", [1.0, 1.0]),
    ...         "activation": ((), "relu"),
    ...         "formulation": ((), "rate"),
    ...     }
    ... )
    >>> rates = xr.DataArray([[[0.5, 3.0], [0.0, 0.0]]], dims=("trial", "time", "unit"))
    >>> both = currents(weights, rates)
    >>> both["excitatory"].values.tolist(), both["inhibitory"].values.tolist()
    ([[[0.0, 2.0], [0.0, 1.0]]], [[[-1.0, 0.0], [-3.0, 0.0]]])
    """
    meanings = zip(("excitatory", "inhibitory"), _MEANINGS.get(split, ("", "")), strict=True)
    outputs = {name: Output(f"{name} current, {meaning}", _ACTIVITY) for name, meaning in meanings}
    result = _per_network(_split, weights, rates, split, outputs)
    if inputs is not None:
        require_variables(weights, "weights", ["input_weights", "recurrent_bias"])
        result["external"] = _external(_last_snapshot(weights), inputs, result["excitatory"])
        result["external"].attrs = {"units": "1", "long_name": "current of the inputs and the bias"}
    return result


def ei_balance(weights: xr.Dataset, rates: xr.DataArray, split: Split = "weight") -> xr.Dataset:
    """Measure how far excitation and inhibition cancel in every unit, and whether they do so in time.

    Parameters
    ----------
    weights, rates, split
        As for `currents`.

    Returns
    -------
    xr.Dataset
        `excitatory`, `inhibitory` and `net`, their sum (..., time): means over trials and units.
        `balance_index` (...) and `balance_index_per_unit` (..., unit): ``1 - Σ|E + I| / Σ(|E| + |I|)``, summed over
        trials and times (and units): 1 where the two cancel at every moment, 0 where they never have opposite signs.
        NaN where there is no current, as with silent units. `correlation_per_unit` (..., unit): Pearson's correlation
        of E with -I over all trials and times; NaN where either never changes, as with a single sample. `correlation`
        (...): its mean over the units that have one, NaN where none has.
        All dimensionless, and all NaN for a network whose weights or rates are not finite.

    Raises
    ------
    TypeError, ValueError
        If a variable or a dim is missing, a dim is empty, labels differ, or `split` is not known.

    Notes
    -----
    Cancellation without correlation is a loose balance, with it a tight one: Denève & Machens (2016), Nat. Neurosci.
    19, 375. Correlated in time: Okun & Lampl (2008), Nat. Neurosci. 11, 535; for every input of a unit (detailed
    balance): Vogels & Abbott (2009), Nat. Neurosci. 12, 483. The index is one less the ratio of net to total current;
    Ahmadian & Miller (2021), Neuron 109, 3373, divide by the excitatory current alone, which says nothing of a unit
    without one.

    Chance cancels, too: n independent contributions of either sign and of normal size leave, split by contribution, an
    index of about ``1 - 1 / sqrt(n)``. And wherever all units sum the same rates with weights of similar size, as under
    Dale's law without sparsity, the two currents are correlated although nothing paired them. So compare with the same
    weights and with rates that are shuffled among the units of a type, before speaking of a balance that was learned.

    With rates of both signs and the split by weight, means over trials and units may be close to zero because states of
    opposite sign cancel; there the means of the split by contribution show what goes on.

    Examples
    --------
    >>> import xarray as xr
    >>> weights = xr.Dataset(
    ...     {
    ...         "recurrent_weights": (("unit_pre", "unit_post"), [[1.0, 1.0], [-1.0, 0.0]]),
    ...         "initial_state": ("unit", [0.0, 0.0]),
    ...         "activation": ((), "relu"),
    ...         "formulation": ((), "rate"),
    ...     }
    ... )
    >>> rates = xr.DataArray([[[1.0, 1.0], [3.0, 3.0], [0.0, 0.0]]], dims=("trial", "time", "unit"))
    >>> ei_balance(weights, rates)["balance_index_per_unit"].values.tolist()
    [1.0, 0.0]
    """
    return _per_network(_balance, weights, rates, split, _BALANCE)


def currents_by_type(weights: xr.Dataset, rates: xr.DataArray) -> xr.Dataset:
    """Split the recurrent current into every unit by the cell type of the units that it comes from.

    Parameters
    ----------
    weights, rates
        As for `currents`; the weights with `cell_type`.

    Returns
    -------
    xr.Dataset
        `current` (..., cell_type, time): mean over trials and units of the current that comes from all units of a type;
        over types, these add up to `net` of `ei_balance`. `size` (..., cell_type): mean over trials, times and units of
        its absolute value, in which states of opposite sign do not cancel. Types are those of `by_cell_type`; 0 for a
        type that a network does not have. Dimensionless, NaN for a network whose weights or rates are not finite.

    Raises
    ------
    TypeError, ValueError
        As for `currents`; and if a type has no sign.

    Examples
    --------
    >>> import xarray as xr
    >>> types = xr.DataArray(["E", "PV"], {"cell_sign": ("unit", [1, -1])}, ("unit",))
    >>> weights = xr.Dataset(
    ...     {
    ...         "recurrent_weights": (("unit_pre", "unit_post"), [[1.0, 1.0], [-1.0, 0.0]]),
    ...         "initial_state": ("unit", [0.0, 0.0]),
    ...         "activation": ((), "relu"),
    ...         "formulation": ((), "rate"),
    ...         "cell_type": types,
    ...     }
    ... )
    >>> rates = xr.DataArray([[[1.0, 1.0], [3.0, 3.0], [0.0, 0.0]]], dims=("trial", "time", "unit"))
    >>> currents_by_type(weights, rates)["current"].sel(cell_type="PV").values.tolist()
    [0.0, -0.5, -1.5]
    """
    require_variables(weights, "weights", ["cell_type"])
    names = list(type_signs(weights["cell_type"]))
    arrays = _aligned(weights, rates)
    of_type = presynaptic_type(arrays[-1], weights["cell_type"])
    return apply_kernel(
        lambda *one: _by_type(*one, n_types=len(names)),
        *arrays,
        of_type,
        core_dims=(*_CORE_DIMS, ["unit_pre"]),
        outputs=_BY_TYPE,
        sizes={"cell_type": len(names)},
    ).assign_coords(cell_type=np.array(names, object))


def _per_network(
    kernel: Callable[..., Any], weights: xr.Dataset, rates: xr.DataArray, split: Split, outputs: Mapping[str, Output]
) -> xr.Dataset:
    """Apply a kernel of rates, initial rates and recurrent weights to each network."""
    if split not in get_args(Split):
        raise ValueError(f"split: expected one of {get_args(Split)}, got {split!r}")
    found = apply_kernel(partial(kernel, split=split), *_aligned(weights, rates), core_dims=_CORE_DIMS, outputs=outputs)
    for name in outputs:
        found[name].attrs["split"] = split
    return found


def _aligned(weights: xr.Dataset, rates: xr.DataArray) -> tuple[xr.DataArray, xr.DataArray, xr.DataArray]:
    """Return rates, rates before the first of them, and recurrent weights of the same networks and units."""
    require_variables(weights, "weights", ["recurrent_weights", "initial_state", "activation", "formulation"])
    require_same_units(weights, "weights")
    require_dims(rates, "rates", _ACTIVITY)
    require_some(rates, "rates", _ACTIVITY)
    weights = _last_snapshot(weights)
    require_dims(weights["recurrent_weights"], "recurrent_weights", ["unit_pre", "unit_post"])
    initial = apply_kernel(
        _initial_rates,
        *(weights["initial_state"], text(weights["activation"]), text(weights["formulation"])),
        core_dims=[["unit"], [], []],
        outputs={"rates": Output("initial rates", ("unit",))},
    )
    rates, initial_rates, recurrent = same_labels(
        "rates", "the networks and units of weights", rates, initial["rates"], weights["recurrent_weights"]
    )
    if rates.sizes["unit"] != recurrent.sizes["unit_pre"]:
        raise ValueError(
            f"rates: expected {recurrent.sizes['unit_pre']} units as in weights, got {rates.sizes['unit']}"
        )
    return rates, initial_rates, recurrent


def _last_snapshot(weights: xr.Dataset) -> xr.Dataset:
    return weights.isel(snapshot=-1, drop=True) if "snapshot" in weights.dims else weights


def _initial_rates(state: NDArray[np.floating], activation_name: str, formulation: str) -> NDArray[np.floating]:
    if formulation != "current":
        return state
    with np.errstate(over="ignore", invalid="ignore"):  # of a network that diverged
        return activation(activation_name)(state)


def _external(weights: xr.Dataset, inputs: xr.DataArray, recurrent: xr.DataArray) -> xr.DataArray:
    """Give the current of inputs and bias; NaN where the recurrent one is."""
    require_dims(inputs, "inputs", ["trial", "time", "input_channel"])
    inputs = ordered_as(inputs, weights, "input_channel", "inputs")
    inputs, recurrent = same_labels("inputs", "the trials and times of rates", inputs, recurrent, source="trials")
    # Infinity times an input of zero would warn.
    into, bias = (weights[name].where(abs(weights[name]) < np.inf) for name in ("input_weights", "recurrent_bias"))
    driven = inputs.astype(np.float64).dot(into.astype(np.float64), dim="input_channel")
    return (driven + bias).where(recurrent.notnull()).transpose(*recurrent.dims)


def _split(
    rates: NDArray[np.floating], initial_rates: NDArray[np.floating], weights: NDArray[np.floating], split: Split
) -> tuple[_Array, _Array]:
    """Excitatory and inhibitory currents (trial, time, unit) of one network."""
    if not all(np.isfinite(array).all() for array in (rates, initial_rates, weights)):
        return np.full(rates.shape, np.nan), np.full(rates.shape, np.nan)
    before = np.empty(rates.shape)
    before[:, :1], before[:, 1:] = initial_rates, rates[:, :-1]
    positive, negative = np.maximum(weights, 0.0).astype(np.float64), np.minimum(weights, 0.0).astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):  # activity without bounds
        if split == "weight":
            both = before @ positive, before @ negative
        else:
            active, suppressed = np.maximum(before, 0.0), np.minimum(before, 0.0)
            both = active @ positive + suppressed @ negative, active @ negative + suppressed @ positive
    if not all(np.isfinite(current).all() for current in both):
        return np.full(rates.shape, np.nan), np.full(rates.shape, np.nan)
    return both


def _balance(
    rates: NDArray[np.floating], initial_rates: NDArray[np.floating], weights: NDArray[np.floating], split: Split
) -> tuple[_Array | np.floating, ...]:
    """Give the values of `_BALANCE` for one network."""
    excitatory, inhibitory = _split(rates, initial_rates, weights, split)
    # Shares and correlations do not depend on the scale, and squares then neither overflow nor vanish.
    scale = power_of_two(np.array([one for part in (excitatory, inhibitory) for one in (part.min(), part.max())]))
    excitatory /= scale
    inhibitory /= scale
    net = excitatory + inhibitory
    samples = (0, 1)
    over_time = [current.mean(axis=(0, 2)) * scale for current in (excitatory, inhibitory, net)]
    left, total = np.abs(net).sum(samples), (np.abs(excitatory) + np.abs(inhibitory)).sum(samples)
    e, i = excitatory - excitatory.mean(samples), inhibitory.mean(samples) - inhibitory
    with np.errstate(invalid="ignore", divide="ignore"):  # no current, or one that never changes: NaN
        index, index_per_unit = 1 - left.sum() / total.sum(), 1 - left / total
        sizes = np.sqrt((e**2).sum(samples)) * np.sqrt((i**2).sum(samples))
        correlation = (e * i).sum(samples) / sizes
    is_known = _varies(excitatory) & _varies(inhibitory) & np.isfinite(correlation)
    correlation = np.where(is_known, correlation, np.nan)
    known = correlation[is_known]
    return *over_time, index, index_per_unit, known.mean() if known.size else np.float64(np.nan), correlation


def _by_type(
    rates: NDArray[np.floating],
    initial_rates: NDArray[np.floating],
    weights: NDArray[np.floating],
    of_type: NDArray[np.int_],
    *,
    n_types: int,
) -> tuple[_Array, _Array]:
    """Give the values of `_BY_TYPE` for one network."""
    before = np.concatenate([np.broadcast_to(initial_rates, rates[:, :1].shape), rates[:, :-1]], axis=1)
    if not all(np.isfinite(array).all() for array in (before, rates, weights)):
        return np.full((n_types, rates.shape[1]), np.nan), np.full(n_types, np.nan)
    rows = [of_type == number for number in range(n_types)]
    with np.errstate(over="ignore", invalid="ignore"):  # activity without bounds
        from_type = (before[..., row].astype(np.float64) @ weights[row].astype(np.float64) for row in rows)
        each = [(current.mean(axis=(0, 2)), np.abs(current).mean()) for current in from_type]
    return np.array([mean for mean, _ in each]), np.array([size for _, size in each])


def _varies(current: _Array) -> NDArray[np.bool_]:
    """Tell which units have a current (trial, time, unit) that changes by more than rounding."""
    return np.ptp(current, axis=(0, 1)) > 1e-12 * np.abs(current).max(axis=(0, 1))
