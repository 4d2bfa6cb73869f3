"""Which samples count for a memory state; the analyses of states test the numbers that follow."""

import numpy as np
import pytest
import xarray as xr

from biornn.analysis.held_states import held_states


def one_trial(*states: str) -> tuple[xr.DataArray, xr.DataArray]:
    labels = xr.DataArray([list(states)], dims=("trial", "time"), coords={"time": np.arange(len(states))})
    return xr.zeros_like(labels, dtype=float).expand_dims(unit=2), labels


def test_states_are_numbered_by_their_names_and_unset_bits_do_not_count() -> None:
    index, labels = held_states(*one_trial("00", "+0", "--", "++", "-+", "+-", "--"))
    assert labels == ["++", "+-", "-+", "--"]
    assert index.tolist() == [[-1, -1, 3, 0, 2, 1, 3]]


def test_response_windows_of_any_bit_do_not_count_in_any_order_of_dims() -> None:
    rates, states = one_trial("+", "-", "+", "-")
    window = xr.zeros_like(states, dtype=bool).expand_dims(output_channel=2).copy()
    window[1, 0, 2] = True
    index, _ = held_states(rates, states.transpose("time", "trial"), window.transpose())
    assert index.tolist() == [[0, 1, -1, 1]]


def test_what_holds_no_state_is_refused() -> None:
    rates, states = one_trial("++", "+-", "--", "00")
    with pytest.raises(ValueError, match=r"found none of -\+; take the task's probe"):
        held_states(rates, states)
    with pytest.raises(ValueError, match="at which every bit is set, got none"):
        held_states(rates, xr.full_like(states, "00"))
    with pytest.raises(ValueError, match="expected the trials and times of rates"):
        held_states(rates, states.assign_coords(time=states.time + 1))
    with pytest.raises(ValueError, match="'trial' is missing"):
        held_states(rates, states.isel(trial=0))
