import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

from biornn.plots.selectivity import selectivity

SHARES = np.array([[0.1, 0.6], [0.7, 0.2], [0.2, 0.8], [0.9, 0.0]])


def shares(of_bits=SHARES):
    of_bits = np.asarray(of_bits, float)
    left = 1 - of_bits.sum(axis=1)
    return xr.Dataset(
        {
            "variance_explained": (("unit", "bit"), of_bits),
            "interaction": ("unit", 0.25 * left),
            "residual": ("unit", 0.75 * left),
        },
        {"bit": [1, 2]},
    )


def heights(ax):
    return {
        steps.get_label(): list(np.subtract(steps.get_data().values, steps.get_data().baseline)) for steps in ax.patches
    }


def test_units_are_sorted_by_their_main_bit_and_the_bars_of_one_unit_add_up():
    ax = selectivity(shares())
    drawn = heights(ax)
    np.testing.assert_allclose(drawn["bit 1"], [0.9, 0.7, 0.2, 0.1])
    np.testing.assert_allclose(drawn["bit 2"], [0, 0.2, 0.8, 0.6])
    np.testing.assert_allclose(drawn["interactions"], [0.025, 0.025, 0, 0.075])
    np.testing.assert_allclose(drawn["residual"], [0.075, 0.075, 0, 0.225])
    np.testing.assert_allclose(ax.patches[-1].get_data().values, 1)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == list(drawn)


def test_cell_types_stand_side_by_side():
    types = xr.DataArray(["inhibitory", "excitatory", "excitatory", "inhibitory"], dims="unit")
    ax = selectivity(shares(), types)
    assert heights(ax)["bit 1"] == [0.7, 0.2, 0.9, 0.1]
    assert list(ax.get_lines()[0].get_xdata()) == [1.5, 1.5]
    assert [text.get_text() for text in ax.get_xticklabels()] == ["excitatory", "inhibitory"]


def test_units_without_shares_have_no_bar_and_come_last_within_their_bit():
    ax = selectivity(shares([[np.nan, np.nan], [0.5, 0.5], [0.9, 0.1]]))
    assert heights(ax)["bit 1"] == [0.9, 0.5, 0.0]
    assert heights(ax)["residual"][-1] == 0


def test_axes_may_be_given():
    _, ax = plt.subplots()
    assert selectivity(shares(), ax=ax) is ax


def test_data_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="selectivity: expected 'residual'"):
        selectivity(shares().drop_vars("residual"))
    with pytest.raises(ValueError, match=r"variance_explained: .*select one network first"):
        selectivity(shares().expand_dims("network"))
    with pytest.raises(ValueError, match="cell_type: expected 4 units"):
        selectivity(shares(), xr.DataArray(["excitatory"], dims="unit"))
