import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

from biornn.plots.trial import trial


def make_trials(inputs=("bit_1", "bit_2"), targets=("bit_1", "bit_2")):
    rng = np.random.default_rng(0)
    return xr.Dataset(
        {
            "inputs": (("trial", "time", "input_channel"), rng.normal(size=(3, 5, len(inputs)))),
            "targets": (("trial", "time", "output_channel"), rng.normal(size=(3, 5, len(targets)))),
        },
        coords={"time": np.arange(5) * 2.0, "input_channel": list(inputs), "output_channel": list(targets)},
    )


def lines(ax):
    return {line.get_label(): line for line in ax.get_lines()}


def test_channels_of_one_name_share_a_row_with_the_values_of_the_trial():
    trials = make_trials()
    outputs = 2 * trials["targets"]
    rows = trial(trials, outputs, trial=1)
    assert len(rows) == 2
    for channel, ax in enumerate(rows):
        drawn = lines(ax)
        assert list(drawn) == ["input", "target", "output"]
        np.testing.assert_array_equal(drawn["input"].get_xdata(), [0, 2, 4, 6, 8])
        np.testing.assert_array_equal(drawn["input"].get_ydata(), trials["inputs"].values[1, :, channel])
        np.testing.assert_array_equal(drawn["target"].get_ydata(), trials["targets"].values[1, :, channel])
        np.testing.assert_array_equal(drawn["output"].get_ydata(), outputs.values[1, :, channel])
    assert [ax.get_ylabel() for ax in rows] == ["bit 1\n(a.u.)", "bit 2\n(a.u.)"]
    assert rows[-1].get_xlabel() == "time (ms)"


def test_channels_of_other_names_have_rows_of_their_own():
    rows = trial(make_trials(inputs=("motion", "colour"), targets=("choice",)))
    assert [list(lines(ax)) for ax in rows] == [["input"], ["input"], ["target"]]
    # The legend names all kinds, although no row holds them all.
    assert [text.get_text() for text in rows[0].get_legend().get_texts()] == ["input", "target"]
    assert rows[0].get_shared_x_axes().joined(rows[0], rows[2])


def test_kinds_differ_by_more_than_colour():
    (row, _) = trial(make_trials(), make_trials()["targets"])
    drawn = lines(row)
    assert drawn["target"].get_linestyle() != drawn["output"].get_linestyle()
    assert drawn["input"].get_linewidth() < drawn["output"].get_linewidth()


def test_draws_into_given_axes():
    _, axes = plt.subplots(2)
    assert trial(make_trials(), axes=axes).tolist() == axes.tolist()
    with pytest.raises(ValueError, match="axes: expected 2, one per channel, got 1"):
        trial(make_trials(), axes=axes[:1])


def test_outputs_of_several_networks_are_refused():
    trials = make_trials()
    with pytest.raises(ValueError, match=r"outputs: .*select one network first"):
        trial(trials, trials["targets"].expand_dims("network"))


def test_unknown_trial_is_refused():
    with pytest.raises(IndexError, match="from 0 to 2 in inputs, got 3"):
        trial(make_trials(), trial=3)
