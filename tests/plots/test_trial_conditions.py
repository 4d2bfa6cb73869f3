import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

from biornn.plots.trial_conditions import trial_conditions


def scores(values, condition, names):
    coords = {"condition": ("network", list(condition)), "trial_condition": names}
    each = xr.DataArray(np.array(values, float), coords, ("network", "trial_condition"))
    return each.mean("trial_condition").assign_attrs(score_name="hit_rate"), each


def names_of(ax):
    return [label.get_text() for label in ax.get_yticklabels()]


def markers(ax):
    return [line for line in ax.get_lines() if line.get_marker() in "os^D"]


def test_rows_stand_in_the_order_of_their_scores_below_that_of_all_trials():
    total, each = scores([[0.6, 0.9, 0.7], [0.5, 0.8, 0.9], [0.4, 1.0, 0.4]], "aab", ["x=1.0", "x=2.0", "x=3.0"])
    ax = trial_conditions(total, each)
    assert names_of(ax) == ["all trials", "x=2", "x=3", "x=1"]
    a, b = markers(ax)
    np.testing.assert_allclose(a.get_xdata(), [total[:2].median(), 0.85, 0.8, 0.55])
    np.testing.assert_allclose(b.get_xdata(), [0.6, 1.0, 0.4, 0.4])
    (segments, _) = (collection.get_segments() for collection in ax.collections)
    np.testing.assert_allclose([segment[:, 0] for segment in segments][1:], [[0.8, 0.9], [0.7, 0.9], [0.5, 0.6]])
    assert ax.get_xlabel() == "hit rate"


def test_shortcuts_are_lines_and_those_of_one_score_share_it():
    total, each = scores([[0.9, 0.8]], "a", ["x=1", "x=2"])
    ax = trial_conditions(
        total, each, {"chance": 0.5, "always left": 0.5, "ignores the context": 0.75, "unknown": np.nan}
    )
    entries = [entry.get_text() for entry in ax.get_legend().get_texts()]
    assert entries == ["chance, always left", "ignores the context", "a"]
    assert [line.get_xdata()[0] for line in ax.get_lines()[:2]] == [0.5, 0.75]


def test_conditions_without_a_score_are_left_out_and_of_many_the_worst_stay():
    values = np.append(np.linspace(0, 1, 40), np.nan)
    total, each = scores([values], "a", [f"x={number}" for number in range(41)])
    ax = trial_conditions(total, each)
    assert names_of(ax) == ["all trials", *(f"x={number}" for number in range(23, -1, -1))]


def test_draws_into_given_axes():
    _, ax = plt.subplots()
    assert trial_conditions(*scores([[1.0]], "a", ["x"]), ax=ax) is ax


def test_what_is_missing_is_named():
    total, each = scores([[1.0]], "a", ["x"])
    with pytest.raises(ValueError, match=r"^score: expected the coordinate 'condition'"):
        trial_conditions(total.drop_vars("condition"), each.drop_vars("condition"))
