import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

from biornn import analysis
from biornn.plots import time_to_criterion

NAN = np.nan


def make_result():
    coords = {
        "condition": ("network", list("aabb")),
        "seed": ("network", [0, 1, 0, 1]),
        "update": ("snapshot", [0, 100, 200]),
    }
    status = ["criterion_reached", "criterion_reached", "criterion_reached", "diverged"]
    steps = ("network", [100.0, 200.0, 200.0, NAN])
    history = xr.Dataset({"updates_to_criterion": steps, "status": ("network", status)}, coords)
    return analysis.time_to_criterion(history, "a")


def test_lines_are_the_share_that_got_there():
    first, second = time_to_criterion(make_result()).get_lines()
    np.testing.assert_array_equal(first.get_xdata(), [0, 100, 200])
    np.testing.assert_array_equal(first.get_ydata(), [0, 0.5, 1])
    np.testing.assert_array_equal(second.get_ydata(), [0, 0, 0.5])
    assert first.get_drawstyle() == "steps-post"


def test_networks_that_never_got_there_are_marked_and_counted():
    ax = time_to_criterion(make_result())
    assert [entry.get_text() for entry in ax.get_legend().get_texts()] == ["a: 2 of 2", "b: 1 of 2 (1 failed)"]
    assert [line.get_marker() for line in ax.get_lines()] == ["", "s"]
    assert ax.get_lines()[1].get_markevery() == [2]  # at the end


def test_axes_are_labelled():
    ax = time_to_criterion(make_result())
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("optimizer updates", "share that reached the criterion")


def test_draws_into_given_axes():
    _, ax = plt.subplots()
    assert time_to_criterion(make_result(), ax=ax) is ax


def test_missing_variable_is_named():
    with pytest.raises(ValueError, match="result: expected 'n_censored', found"):
        time_to_criterion(make_result().drop_vars("n_censored"))
