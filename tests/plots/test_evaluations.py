import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

from biornn.plots.evaluations import evaluations


def scores(values, condition, labels):
    coords = {"condition": ("network", list(condition)), "evaluation": labels}
    return xr.DataArray(np.array(values, float), coords, ("network", "evaluation"), attrs={"score_name": "hit_rate"})


def test_rows_are_the_evaluations_in_their_order():
    ax = evaluations(
        scores([[0.9, 0.7], [0.8, 0.5], [1.0, 1.0]], "aab", ["own settings", "delay=3000.0"]), {"chance": 0.5}
    )
    assert [label.get_text() for label in ax.get_yticklabels()] == ["own settings", "delay=3000"]
    chance, a, b = (line for line in ax.get_lines() if not line.get_label().startswith("_"))
    assert chance.get_xdata()[0] == 0.5
    np.testing.assert_allclose(a.get_xdata(), [0.85, 0.6])
    np.testing.assert_allclose(b.get_xdata(), [1, 1])
    assert ax.get_xlabel() == "hit rate"


def test_draws_into_given_axes():
    _, ax = plt.subplots()
    assert evaluations(scores([[1.0]], "a", ["own settings"]), ax=ax) is ax


def test_what_is_too_much_is_named():
    with pytest.raises(ValueError, match=r"^score: expected the dims .* select along trial_condition first"):
        evaluations(scores([[1.0]], "a", ["own settings"]).expand_dims("trial_condition"))
