import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

from biornn.plots.chronometric import chronometric


def times(values, condition, levels):
    says = {"long_name": "coherence", "units": "%"}
    coords = {"condition": ("network", list(condition)), "level": ("level", levels, says)}
    return xr.DataArray(np.array(values, float), coords, ("network", "level"))


def test_lines_are_medians_over_networks_on_a_logarithmic_axis():
    ax = chronometric(times([[900, 800, 700], [880, 760, 640], [700, 700, 700]], "aab", [1.0, 4.0, 16.0]))
    a, b = ax.get_lines()
    np.testing.assert_allclose(a.get_xydata(), [[1, 890], [4, 780], [16, 670]])
    np.testing.assert_allclose(b.get_ydata(), 700)
    assert ax.get_xscale() == "log"
    ax.figure.canvas.draw()
    assert [label.get_text() for label in ax.get_xticklabels()] == ["1", "4", "16"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("coherence (%)", "reaction time (ms)")


def test_a_level_of_0_stands_on_a_linear_axis():
    assert chronometric(times([[900, 800]], "a", [0.0, 4.0])).get_xscale() == "linear"


def test_draws_into_given_axes():
    _, ax = plt.subplots()
    assert chronometric(times([[900, 800]], "a", [1.0, 4.0]), ax=ax) is ax


def test_what_is_missing_is_named():
    with pytest.raises(ValueError, match=r"^score: expected the coordinate 'condition'"):
        chronometric(times([[900.0]], "a", [1.0]).drop_vars("condition"))
