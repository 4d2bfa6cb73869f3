import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

from biornn.plots.ei_balance import ei_balance


def balance(excitatory, inhibitory, **attrs):
    time = xr.DataArray(2.0 * np.arange(len(excitatory)), dims="time")
    values = {"excitatory": ("time", excitatory, attrs), "inhibitory": ("time", inhibitory, attrs)}
    return xr.Dataset(values, {"time": time})


def test_lines_are_the_currents_and_their_sum():
    ax = ei_balance(balance([1.0, 2.0, 3.0], [-1.0, -1.5, -4.0]))
    zero, *lines = ax.get_lines()
    assert set(zero.get_ydata()) == {0}
    assert [line.get_label() for line in lines] == ["excitatory", "inhibitory", "net"]
    for line, values in zip(lines, ([1, 2, 3], [-1, -1.5, -4], [0, 0.5, -1]), strict=True):
        np.testing.assert_array_equal(line.get_ydata(), values)
        np.testing.assert_array_equal(line.get_xdata(), [0, 2, 4])
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("time (ms)", "recurrent current (a.u.)")


@pytest.mark.parametrize(
    ("split", "title"),
    [
        ("weight", "split by the sign of the weight"),
        ("contribution", "split by the sign of rate × weight"),
        ("", ""),
    ],
)
def test_the_legend_says_how_the_current_was_split(split, title):
    assert ei_balance(balance([1.0], [-1.0], split=split)).get_legend().get_title().get_text() == title


def test_the_net_current_is_drawn_in_the_colour_of_text():
    with plt.style.context("dark_background"):
        assert ei_balance(balance([1.0], [-1.0])).get_lines()[-1].get_color() == mpl.rcParams["text.color"] == "white"


def test_a_diverged_network_is_an_empty_plot_and_axes_may_be_given():
    _, ax = plt.subplots()
    assert ei_balance(balance([np.nan, np.nan], [np.nan, np.nan]), ax=ax) is ax


def test_data_that_do_not_fit_are_refused():
    both = balance([1.0], [-1.0])
    with pytest.raises(ValueError, match=r"balance: expected 'inhibitory', found \['excitatory'\]"):
        ei_balance(both[["excitatory"]])
    with pytest.raises(ValueError, match=r"excitatory: .*select one network first"):
        ei_balance(both.expand_dims("network"))
