import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

from biornn.plots.learning_curves import learning_curves

NAN = np.nan


def make_history(score, status, condition):
    n_snapshots = np.shape(score)[1]
    return xr.Dataset(
        {
            "score": (("network", "snapshot"), np.asarray(score, float), {"score_name": "accuracy"}),
            "status": ("network", list(status)),
        },
        coords={"condition": ("network", list(condition)), "update": ("snapshot", 50 * np.arange(n_snapshots))},
    )


def labels(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def band(ax, index=0):
    """Upper and lower edge of a band, by step."""
    x, y = ax.collections[index].get_paths()[0].vertices.T
    return {step: (y[x == step].min(), y[x == step].max()) for step in np.unique(x)}


def test_line_is_the_median_and_band_the_range_of_each_condition():
    score = [[0.1, 0.2], [0.5, 0.6], [0.3, 0.9], [0.0, 1.0]]
    ax = learning_curves(make_history(score, ["completed"] * 4, ["b", "b", "b", "a"]))
    first, second = ax.get_lines()
    np.testing.assert_array_equal(first.get_xdata(), [0, 50])
    np.testing.assert_array_equal(first.get_ydata(), [0.3, 0.6])
    np.testing.assert_array_equal(second.get_ydata(), [0.0, 1.0])
    assert band(ax) == {0: (0.1, 0.5), 50: (0.2, 0.9)}
    assert labels(ax) == ["b (n = 3)", "a (n = 1)"]  # in the order of the design
    assert ax.get_legend().get_title().get_text() == "line: median of networks, band: min to max"
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("optimizer updates", "accuracy")


def test_updates_that_are_not_known_are_not_on_the_axis():
    history = make_history([[0.1, 0.2]], ["completed"], ["a"]).assign_coords(update=("snapshot", [-1, 50]))
    ax = learning_curves(history)
    np.testing.assert_array_equal(ax.get_lines()[0].get_xdata(), [0, 1])
    assert ax.get_xlabel() == "snapshot"


def test_conditions_differ_by_colour_line_and_marker():
    ax = learning_curves(make_history(np.zeros((3, 2)), ["completed"] * 3, "abc"))
    looks = [(line.get_color(), line.get_marker(), str(line._dash_pattern)) for line in ax.get_lines()]
    assert all(len(set(part)) == 3 for part in zip(*looks, strict=True))


def test_networks_without_a_result_are_left_out_and_counted():
    score = [[0.1, 0.2], [0.9, 0.8], [0.7, 0.7], [0.9, NAN]]
    status = ["criterion_not_reached", "diverged", "failed", "diverged"]
    ax = learning_curves(make_history(score, status, ["dale"] * 4))
    np.testing.assert_array_equal(ax.get_lines()[0].get_ydata(), [0.1, 0.2])
    assert labels(ax) == ["dale (n = 1; left out: 2 diverged, 1 failed)"]


def test_condition_without_any_result_is_still_named():
    ax = learning_curves(make_history([[0.1, NAN], [0.1, 0.9]], ["diverged", "completed"], "ab"))
    assert labels(ax) == ["a (n = 0; left out: 1 diverged)", "b (n = 1)"]
    assert len(ax.get_lines()[0].get_xdata()) == 0


def test_snapshots_without_a_value_are_left_out_and_a_missing_value_does_not_hide_the_others():
    history = make_history([[NAN, 0.2, 0.4], [NAN, NAN, 0.6]], ["completed"] * 2, "aa")
    ax = learning_curves(history.rename(score="val_loss"), metric="val_loss")
    np.testing.assert_array_equal(ax.get_lines()[0].get_xdata(), [50, 100])
    np.testing.assert_array_equal(ax.get_lines()[0].get_ydata(), [0.2, 0.5])
    assert ax.get_ylabel() == "validation loss"


def test_units_of_the_metric_are_on_the_axis():
    history = make_history([[0.1, 0.2]], ["completed"], "a")
    history["score"].attrs["units"] = "%"
    assert learning_curves(history).get_ylabel() == "accuracy (%)"


def test_draws_into_given_axes():
    _, ax = plt.subplots()
    assert learning_curves(make_history([[0.1]], ["completed"], "a"), ax=ax) is ax


@pytest.mark.parametrize("name", ["score", "status", "condition", "update"])
def test_missing_variable_is_named(name):
    history = make_history([[0.1]], ["completed"], "a").drop_vars(name)
    with pytest.raises(ValueError, match=f"history: expected '{name}', found"):
        learning_curves(history)


def test_metric_without_snapshots_is_refused():
    history = make_history([[0.1]], ["completed"], "a").assign(wall_time=("network", [1.0]))
    with pytest.raises(ValueError, match=r"wall_time: expected the dims \['network', 'snapshot'\], got \['network'\]"):
        learning_curves(history, "wall_time")
