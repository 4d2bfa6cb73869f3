import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from scipy.special import ndtr

from biornn.analysis.psychometric import psychometric as fit_psychometric
from biornn.analysis.psychometric import psychometric_curve
from biornn.plots.psychometric import psychometric, psychometrics

LEVELS = np.array([-8, -4, -2, 2, 4, 8.0])


def fits(shares, condition):
    """Fits of networks with these shares, in tenths, of choices at each level."""
    x = xr.DataArray(np.repeat(LEVELS, 10), dims="trial", attrs={"units": "%", "long_name": "signed coherence"})
    chosen = [np.where(np.arange(10) < np.array(one)[:, np.newaxis], "right", "left").ravel() for one in shares]
    coords = {"condition": ("network", list(condition))}
    return fit_psychometric(x, xr.DataArray(chosen, dims=("network", "trial"), coords=coords), positive="right")


GOOD = [0, 2, 4, 6, 8, 10]
BETTER = [0, 1, 3, 7, 9, 10]
SEPARATED = [0, 0, 0, 10, 10, 10]


def labels(ax):
    return [entry.get_text() for entry in ax.get_legend().get_texts()]


def test_markers_are_medians_of_shares_and_lines_those_of_fitted_curves():
    fit = fits([GOOD, BETTER, BETTER, GOOD], "aaab")
    ax = psychometric(fit)
    line, markers, other, _ = ax.get_lines()
    np.testing.assert_allclose(markers.get_xydata().T, [LEVELS, np.array(BETTER) / 10])
    curves = psychometric_curve(fit, line.get_xdata())
    np.testing.assert_allclose(line.get_ydata(), curves[:3].median("network"))
    np.testing.assert_allclose(other.get_ydata(), curves[3])
    assert line.get_color() == markers.get_color() != other.get_color()
    assert labels(ax) == ["a (n = 3)", "b (n = 1)"]
    assert ax.get_xlabel() == "signed coherence (%)"
    assert ax.get_ylabel() == "share of choices: right"


def test_networks_without_a_curve_are_counted_and_keep_their_markers():
    ax = psychometric(fits([GOOD, SEPARATED, SEPARATED], "aab"))
    assert labels(ax) == ["a (n = 1; no curve: 1)", "b (n = 0; no curve: 1)"]
    np.testing.assert_allclose(ax.get_lines()[3].get_ydata(), np.array(SEPARATED) / 10)


def test_ideal_observer_is_drawn_first():
    x = np.linspace(-8, 8, 9)
    ideal = xr.DataArray(ndtr(x / 2), dims="stimulus", coords={"stimulus": x})
    ax = psychometric(fits([GOOD], "a"), ideal)
    np.testing.assert_allclose(ax.get_lines()[0].get_xydata().T, [x, ndtr(x / 2)])
    assert labels(ax) == ["ideal observer", "a (n = 1)"]


def test_several_curves_have_a_panel_each_and_one_legend():
    x = np.linspace(-8, 8, 9)
    ideal = xr.DataArray(ndtr(x / 2), dims="stimulus", coords={"stimulus": x})
    figure = psychometrics(
        {"seen": fits([GOOD, BETTER], "ab"), "heard": fits([BETTER, SEPARATED], "ab")}, {"seen": ideal}
    )
    assert [ax.get_title() for ax in figure.axes] == ["seen", "heard"]
    seen, heard = ([line.get_label() for line in ax.get_lines()] for ax in figure.axes)
    assert seen[0] == "ideal observer"
    assert heard[0] != "ideal observer"
    (legend,) = figure.legends
    assert [entry.get_text() for entry in legend.get_texts()] == ["ideal observer", "a", "b"]
    assert psychometrics({"alone": fits([GOOD], "a")}).axes[0].get_title() == ""
    with pytest.raises(ValueError, match=r"^fits: expected at least one curve, got none"):
        psychometrics({})


def test_draws_into_given_axes():
    _, ax = plt.subplots()
    assert psychometric(fits([GOOD], "a"), ax=ax) is ax


def test_what_is_missing_or_too_much_is_named():
    fit = fits([GOOD], "a")
    with pytest.raises(ValueError, match=r"^fit: expected 'sigma', found"):
        psychometric(fit.drop_vars("sigma"))
    with pytest.raises(ValueError, match=r"^fit: expected the coordinate 'condition', found"):
        psychometric(fit.drop_vars("condition"))
    with pytest.raises(ValueError, match=r"^fit: expected the dims .* select one snapshot first"):
        psychometric(fit.expand_dims("snapshot"))
