import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

from biornn.analysis import compare, factorial_effects
from biornn.plots import comparison

NAN = np.nan


def make_result(n_seeds=8):
    names = ["unconstrained", "dale", "lost"]
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.normal(shift, 1, n_seeds) for shift in (0, 9, 0)])
    values[n_seeds], values[2 * n_seeds :] = NAN, NAN
    coords = {
        "condition": ("network", np.repeat(names, n_seeds)),
        "seed": ("network", np.tile(np.arange(n_seeds), 3)),
    }
    return compare(xr.DataArray(values, dims="network", coords=coords, name="retention_time", attrs={"units": "ms"}))


def words(ax):
    return [text.get_text() for text in ax.texts]


def test_rows_show_difference_and_interval_from_top_to_bottom():
    result = make_result()
    ax = comparison(result)
    mean = ax.get_lines()[0]
    np.testing.assert_array_equal(mean.get_xdata(), result["difference"])
    np.testing.assert_array_equal(mean.get_ydata(), [0, 1])
    (interval, _) = [path.vertices[:, 0] for path in ax.collections[1].get_paths()]
    np.testing.assert_array_equal(interval, [result["ci_low"][0], result["ci_high"][0]])
    assert ax.yaxis_inverted()


def test_pairs_failures_and_p_values_are_in_words():
    result = make_result()
    assert words(comparison(result)) == ["dale: 7 pairs, 1 failed", "p = 0.016", "lost: 0 pairs, 8 failed", "no test"]
    tiny = result.assign(p_holm=("condition", [1e-5, 0.9999]))
    assert words(comparison(tiny))[1::2] == ["p < 0.001", "p = 1"]


def test_axis_names_metric_units_and_reference():
    ax = comparison(make_result())
    assert ax.get_xlabel() == "retention time (ms): difference from unconstrained"
    assert ax.get_title() == "mean, 95 % interval and p (Holm) of paired differences"


def test_effects_of_a_design():
    coords = {"seed": ("network", [0, 1, 0, 1]), "factor_dale": ("network", ["none", "none", "0.8", "0.8"])}
    values = xr.DataArray([0.0, 1.0, 1.0, 3.0], dims="network", coords=coords, name="accuracy")
    ax = comparison(factorial_effects(values))
    assert words(ax) == ["dale: 2 pairs", "p = 0.50"]
    assert ax.get_xlabel() == "effect on accuracy"


def test_draws_into_given_axes():
    _, ax = plt.subplots()
    assert comparison(make_result(), ax=ax) is ax


def test_several_metrics_are_refused_and_a_missing_variable_is_named():
    result = make_result()
    with pytest.raises(ValueError, match=r"got \['condition', 'metric'\]; choose one metric with .sel"):
        comparison(xr.concat([result, result.assign_coords(metric="b")], "metric").transpose("condition", "metric"))
    with pytest.raises(ValueError, match="result: expected 'p_holm', found"):
        comparison(result.drop_vars("p_holm"))
