import matplotlib.pyplot as plt
import numpy as np
import xarray as xr

from biornn.plots.bands import band, band_legend, look


def test_conditions_differ_in_every_part_of_their_look():
    for part in ("color", "linestyle", "marker"):
        assert len({str(look(index)[part]) for index in range(5)}) == 5
    assert look(10_000)  # there is always one


def test_line_is_the_median_band_the_range_and_points_without_value_are_left_out():
    values = xr.DataArray(
        [[1.0, np.nan, 3.0], [2.0, np.nan, np.nan], [9.0, np.nan, 5.0]],
        dims=("network", "snapshot"),
        coords={"update": ("snapshot", [0, 10, 20])},
    )
    _, ax = plt.subplots()
    band(ax, values, "update", "dale", look(0))
    line, area = ax.get_lines()[0], ax.collections[0].get_paths()[0].vertices
    assert line.get_xydata().tolist() == [[0, 2], [20, 4]]
    for x, low, high in ((0, 1, 9), (20, 3, 5)):
        edge = area[area[:, 0] == x, 1]
        assert (edge.min(), edge.max()) == (low, high)
    band_legend(ax)
    assert [entry.get_text() for entry in ax.get_legend().get_texts()] == ["dale"]


def test_without_any_network_there_is_a_name_only():
    _, ax = plt.subplots()
    band(ax, xr.DataArray(np.empty((0, 2)), dims=("network", "noise"), coords={"noise": [0, 1]}), "noise", "a", look(1))
    assert len(ax.get_lines()[0].get_xdata()) == 0
    assert not ax.collections
