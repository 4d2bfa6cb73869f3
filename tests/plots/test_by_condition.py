import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

from biornn.plots import by_condition


def values(numbers=(0.9, 0.8, 0.5, np.nan)):
    return xr.DataArray(
        list(numbers),
        dims="network",
        coords={"condition": ("network", ["free", "free", "dale", "dale"]), "seed": ("network", [0, 1, 0, 1])},
    )


def test_a_dot_per_network_in_the_row_of_its_condition_and_a_line_per_seed():
    ax = by_condition(values())
    first_seed, second_seed, free, dale = (line.get_xydata().tolist() for line in ax.get_lines())
    assert free == [[0.9, 0], [0.8, 0]]
    assert dale == [[0.5, 1]]  # a network without a value has no dot
    assert first_seed == [[0.9, 0], [0.5, 1]]
    assert second_seed == [[0.8, 0]]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["free", "dale"]
    assert ax.yaxis_inverted()


def test_the_bar_of_a_condition_is_its_median():
    bars = by_condition(values([0.1, 0.5, 0.3, 0.4])).collections
    np.testing.assert_allclose([bar.get_segments()[0][0, 0] for bar in bars], [0.3, 0.35])
    assert len(by_condition(values([0.1, 0.5, np.nan, np.inf])).collections) == 1


def test_axes_may_be_given_and_what_does_not_fit_is_refused():
    _, ax = plt.subplots()
    assert by_condition(values(), ax=ax) is ax
    with pytest.raises(ValueError, match="values: expected the coordinate 'seed'"):
        by_condition(values().drop_vars("seed"))
    with pytest.raises(ValueError, match="values: expected the dims"):
        by_condition(values().expand_dims("snapshot"))
