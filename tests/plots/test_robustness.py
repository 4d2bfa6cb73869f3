import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

from biornn.plots.robustness import dose_response, lesions

NAN = np.nan


def scores(values, condition, along="noise"):
    x = np.arange(np.shape(values)[1]) / 10
    coords = {"condition": ("network", list(condition)), along: (along, x, {"units": "ms", "long_name": "dose"})}
    return xr.DataArray(np.asarray(values, float), dims=("network", along), coords=coords, attrs={"score_name": "hits"})


def lesion_scores(condition="ab", typed=(True, True)):
    score = np.full((2, 3, 2), 0.8)
    score[:, :, 1] = [[0.5, 0.6, 0.4], [0.55, 0.65, 0.45]]
    score[~np.array(typed), 1:] = NAN
    control = score - 0.1
    control[:, 0] = NAN
    dims = ("network", "lesion", "share")
    coords = {
        "condition": ("network", list(condition)),
        "lesion": ["any", "excitatory", "inhibitory"],
        "share": [0.0, 0.2],
    }
    return xr.Dataset({"score": (dims, score), "control_score": (dims, control)}, coords)


def labels(legend):
    return [entry.get_text() for entry in legend.get_texts()]


@pytest.mark.parametrize("along", ["delay", "noise", "share"])
def test_lines_are_medians_by_condition_in_the_order_of_the_design(along):
    ax = dose_response(scores([[1, 0.5], [0.9, 0.7], [0.8, 0.3], [0.6, 0.2]], "bbba", along).transpose(), along)
    first, second = ax.get_lines()
    np.testing.assert_array_equal(first.get_xydata(), [[0, 0.9], [0.1, 0.5]])
    np.testing.assert_array_equal(second.get_ydata(), [0.6, 0.2])
    assert labels(ax.get_legend()) == ["b (n = 3)", "a (n = 1)"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("dose (ms)", "hits")


def test_networks_without_a_result_are_left_out_and_counted():
    ax = dose_response(scores([[1, 0.5], [NAN, NAN], [NAN, NAN]], "aab"), "noise")
    np.testing.assert_array_equal(ax.get_lines()[0].get_ydata(), [1, 0.5])
    assert labels(ax.get_legend()) == ["a (n = 1; left out: 1)", "b (n = 0; left out: 1)"]


def test_draws_into_given_axes():
    _, ax = plt.subplots()
    assert dose_response(scores([[1, 0.5]], "a"), "noise", ax) is ax


def test_other_dims_or_no_conditions_are_refused():
    with pytest.raises(ValueError, match="score: expected the dims"):
        dose_response(scores([[1, 0.5]], "a").expand_dims("lesion"), "noise")
    with pytest.raises(ValueError, match="score: expected the coordinate 'condition'"):
        dose_response(scores([[1, 0.5]], "a").drop_vars("condition"), "noise")


def test_every_kind_of_lesion_has_a_panel_with_its_controls():
    figure = lesions(lesion_scores())
    figure.canvas.draw()
    assert [ax.get_title() for ax in figure.axes] == ["any units", "excitatory units", "inhibitory units"]
    assert [len(ax.get_lines()) for ax in figure.axes] == [2, 4, 4]
    targeted, other, control, control_of_other = figure.axes[2].get_lines()
    np.testing.assert_allclose(targeted.get_ydata(), [0.8, 0.4])
    np.testing.assert_allclose(control.get_ydata(), [0.7, 0.3])
    assert control.get_color() == targeted.get_color() != other.get_color() == control_of_other.get_color()
    assert labels(figure.legends[0]) == ["a (n = 1)", "b (n = 1)"]
    assert all(ax.get_legend() is None for ax in figure.axes)
    assert figure.axes[0].get_ylim() == figure.axes[2].get_ylim()


def test_a_condition_without_cell_types_keeps_its_colour_elsewhere():
    figure = lesions(lesion_scores(typed=(False, True)))
    figure.canvas.draw()
    colours = [ax.get_lines()[1].get_color() for ax in figure.axes]
    assert colours[0] == colours[1] == colours[2]
    assert len(figure.axes[1].get_lines()[0].get_xdata()) == 0


def test_without_any_cell_type_there_is_one_panel():
    figure = lesions(lesion_scores(typed=(False, False)))
    figure.canvas.draw()
    assert [ax.get_title() for ax in figure.axes] == ["any units"]


def test_a_missing_variable_is_named():
    with pytest.raises(ValueError, match="result: expected 'control_score', found"):
        lesions(lesion_scores().drop_vars("control_score"))


def test_lesions_of_types_of_ones_own_have_panels_in_rows():
    result = lesion_scores().sel(lesion=["any", "excitatory", "excitatory", "inhibitory", "inhibitory"])
    names = ["any", "E", "PV", "SST", "VIP"]
    figure = lesions(result.assign_coords(lesion=np.array(names, object)))
    figure.canvas.draw()
    assert [ax.get_title() for ax in figure.axes] == [f"{name} units" for name in names]
    assert {ax.get_subplotspec().get_gridspec().ncols for ax in figure.axes} == {3}
