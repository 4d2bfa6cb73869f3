import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

from biornn.plots.cell_types import cell_type_order


def typed(*names):
    return xr.DataArray(np.array(names, dtype=object), dims="unit")


def test_units_are_sorted_by_type_and_keep_their_order_within():
    types = cell_type_order(typed("inhibitory", "excitatory", "inhibitory", "excitatory", "excitatory"), 5)
    assert types.order.tolist() == [1, 3, 4, 0, 2]
    assert types.names == ("excitatory", "inhibitory")
    assert types.edges == (0, 3, 5)
    assert types.separators == [2.5]


def test_without_types_units_stay_and_the_axis_keeps_its_numbers():
    types = cell_type_order(None, 3)
    assert types.order.tolist() == [0, 1, 2]
    assert types.separators == []
    ax = plt.figure().add_subplot()
    ticks = ax.get_xticks().tolist()
    types.label(ax.xaxis)
    assert ax.get_xticks().tolist() == ticks


@pytest.mark.parametrize(
    ("names", "labels", "middles"),
    [
        (["excitatory"] * 4 + ["inhibitory"], ["excitatory", "inhibitory"], [1.5, 4.0]),
        (["excitatory"] * 6 + ["inhibitory"], ["exc.", "inh."], [2.5, 6.0]),
    ],
)
def test_axis_names_the_types_at_their_middle_in_full_where_that_fits(names, labels, middles):
    ax = plt.figure().add_subplot()
    cell_type_order(typed(*names), len(names)).label(ax.xaxis)
    assert [text.get_text() for text in ax.get_xticklabels()] == labels
    assert ax.get_xticks().tolist() == middles


def test_types_of_ones_own_come_by_sign_and_stand_across_the_axis_where_they_are_narrow():
    names = ["VIP"] * 2 + ["PV"] * 4 + ["Pyramidal"] * 40 + ["SST"] * 4
    sign = ("unit", [-1] * 6 + [1] * 40 + [-1] * 4)
    types = cell_type_order(typed(*names).assign_coords(cell_sign=sign), 50)
    assert types.names == ("Pyramidal", "PV", "SST", "VIP")
    assert types.edges == (0, 40, 44, 48, 50)
    ax = plt.figure().add_subplot()
    types.label(ax.xaxis)
    types.label(ax.yaxis)
    assert [text.get_text() for text in ax.get_xticklabels()] == ["Pyr.", "PV", "SST", "VIP"]
    assert {text.get_rotation() for text in ax.get_xticklabels()} == {90}
    assert {text.get_rotation() for text in ax.get_yticklabels()} == {0}


def test_units_without_types_are_counted():
    ax = plt.figure().add_subplot()
    ax.set_xlim(0, 3)
    before = ax.get_xticks().tolist()
    cell_type_order(typed("unconstrained", "unconstrained", "unconstrained"), 3).label(ax.xaxis)
    assert ax.get_xticks().tolist() == before


def test_types_that_do_not_fit_the_data_are_refused():
    with pytest.raises(ValueError, match="cell_type: expected 3 units as in the data, got 1"):
        cell_type_order(typed("excitatory"), 3)
    with pytest.raises(ValueError, match="got 'glia'"):
        cell_type_order(typed("glia"), 1)
    with pytest.raises(ValueError, match="select one network first"):
        cell_type_order(typed("excitatory").expand_dims("network"), 1)
