import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

from biornn.plots.production import production


def trials(values, condition=None):
    coords = {} if condition is None else {"condition": ("network", list(condition))}
    dims = ("network", "trial")[-np.ndim(values) :]
    return xr.DataArray(
        np.array(values, float), dims=dims, coords=coords, attrs={"units": "ms", "long_name": "interval"}
    )


def test_lines_are_medians_of_the_means_of_networks():
    asked = trials([800, 1000, 800, 1000, np.nan])
    produced = trials([[900, 1100, 700, np.nan, 5], [820, 1020, 820, 1020, 5], [830, 1040, 830, 1040, 5]], "aab")
    ax = production(produced, asked)
    right, a, b = ax.get_lines()
    np.testing.assert_allclose(right.get_xydata(), [[800, 800], [1000, 1000]])
    np.testing.assert_allclose(a.get_xydata(), [[800, 810], [1000, 1060]])
    np.testing.assert_allclose(b.get_xydata(), [[800, 830], [1000, 1040]])
    assert ax.get_xlabel() == "asked for: interval (ms)"
    assert ax.get_ylabel() == "produced: interval (ms)"
    assert [entry.get_text() for entry in ax.get_legend().get_texts()] == ["as asked for", "a", "b"]


def test_many_values_are_put_together_in_groups_of_as_many_trials():
    asked = trials(np.random.default_rng(0).permutation(np.arange(90.0)))
    ax = production(trials([asked.values + 1], "a"), asked)
    x, y = ax.get_lines()[1].get_xydata().T
    np.testing.assert_allclose(x, np.arange(9) * 10 + 4.5)
    np.testing.assert_allclose(y, x + 1)


def test_draws_into_given_axes():
    _, ax = plt.subplots()
    assert production(trials([[1]], "a"), trials([1]), ax=ax) is ax


def test_what_is_missing_or_too_much_is_named():
    with pytest.raises(ValueError, match=r"^produced: expected the coordinate 'condition'"):
        production(trials([[1.0]]), trials([1.0]))
    with pytest.raises(ValueError, match=r"^asked: expected the dims \['trial'\], .* select one network first"):
        production(trials([[1.0]], "a"), trials([[1.0]]))
