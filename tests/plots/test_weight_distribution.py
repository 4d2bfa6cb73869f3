import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

from biornn.plots.style import CELL_TYPE_COLOURS
from biornn.plots.weight_distribution import weight_distribution


def network(n_units=6, n_snapshots=2):
    rng = np.random.default_rng(0)
    signs = np.where(np.arange(n_units) < 4, 1.0, -1.0)[:, np.newaxis]
    weights = xr.DataArray(
        rng.uniform(0.5, 1, (n_snapshots, n_units, n_units)) * signs, dims=("snapshot", "unit_pre", "unit_post")
    )
    mask = xr.DataArray(~np.eye(n_units, dtype=bool), dims=("unit_pre", "unit_post"))
    return weights, mask, xr.DataArray(["excitatory"] * 4 + ["inhibitory"] * 2, dims="unit")


def drawn(ax):
    return {patch.get_label(): patch for patch in ax.patches if patch.get_label()}


def test_steps_are_the_shares_of_the_magnitudes_of_each_type():
    weights, mask, types = network()
    steps = drawn(weight_distribution(weights, mask, types))
    assert list(steps) == ["excitatory, before", "excitatory, after", "inhibitory, before", "inhibitory, after"]
    for name, patch in steps.items():
        rows = slice(0, 4) if name.startswith("exc") else slice(4, 6)
        values, edges, _ = patch.get_data()
        magnitudes = np.abs(weights.values[0 if name.endswith("before") else -1][rows][mask.values[rows]])
        np.testing.assert_allclose(values, np.histogram(magnitudes, edges)[0] / magnitudes.size * 100)
        assert values.sum() == pytest.approx(100)  # none is below 1/500 of the largest
        colour = patch.get_facecolor() if name.endswith("after") else patch.get_edgecolor()
        assert colour[:3] == CELL_TYPE_COLOURS[name.split(",")[0]]


def test_the_last_snapshot_alone_needs_no_comparison_and_small_weights_are_left_out():
    weights, mask, types = network()
    weights[-1, 0, 1] = 1e-4
    ax = weight_distribution(weights.isel(snapshot=-1), mask, types)
    steps = drawn(ax)
    assert list(steps) == ["excitatory", "inhibitory"]
    assert steps["excitatory"].get_data().values.sum() == pytest.approx(100 * 19 / 20)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("magnitude of the weight", "share of synapses per bin (%)")
    assert ax.get_xscale() == "log"


def test_a_diverged_network_is_drawn_as_far_as_it_goes_and_axes_may_be_given():
    weights, mask, types = network()
    weights[-1] = np.nan
    _, ax = plt.subplots()
    assert weight_distribution(weights, mask, types, ax=ax) is ax
    assert drawn(ax)["excitatory, after"].get_data().values.sum() == 0
    assert drawn(ax)["excitatory, before"].get_data().values.sum() == pytest.approx(100)
    plt.close("all")
    weight_distribution(weights * np.nan, mask, types)


def test_data_that_do_not_fit_are_refused():
    weights, mask, types = network()
    with pytest.raises(ValueError, match=r"recurrent_weights: .*select one network first"):
        weight_distribution(weights.expand_dims("network"), mask, types)
    with pytest.raises(ValueError, match="cell_type: expected"):
        weight_distribution(weights, mask, types[:3])
