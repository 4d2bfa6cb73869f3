import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

from biornn.plots.confusion import confusion


def matrix(right, made):
    values = np.random.default_rng(0).dirichlet(np.ones(len(made)), len(right))
    return xr.DataArray(values, {"correct_choice": right, "choice": made}, ("correct_choice", "choice"))


def test_cells_hold_the_shares_and_what_is_right_is_framed():
    share = matrix(["go", "no-go"], ["go", "no-go", "other"])
    ax = confusion(share.transpose("choice", "correct_choice"))
    np.testing.assert_allclose(ax.images[0].get_array(), share.values)
    assert ax.images[0].get_clim() == (0, 1)
    assert [text.get_text() for text in ax.texts] == [f"{value:.2f}" for value in share.values.ravel()]
    frames = [line.get_xydata().mean(axis=0).round(3).tolist() for line in ax.get_lines()]
    assert len(frames) == 2
    assert [label.get_text() for label in ax.get_xticklabels()] == ["go", "no-go", "other"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["go", "no-go"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("choice", "correct choice")


def test_many_choices_have_no_numbers():
    names = [str(45 * number) for number in range(8)]
    assert not confusion(matrix(names, names)).texts


def test_draws_into_given_axes():
    _, ax = plt.subplots()
    assert confusion(matrix(["a"], ["a"]), ax=ax) is ax


def test_one_network_is_selected_first():
    with pytest.raises(ValueError, match=r"^share: expected the dims .* select one network first"):
        confusion(matrix(["a"], ["a"]).expand_dims("network"))
