"""The figures of several panels: each shows the data that it says, for planted data and for a run as it is stored."""

from itertools import product

import numpy as np
import pytest
import xarray as xr

import biornn as bn
from biornn import plots

STATES = ["".join(signs) for signs in product("+-", repeat=3)]
CORNERS = np.array([[1.0 if sign == "+" else -1.0 for sign in state] for state in STATES])


def planted() -> tuple[xr.DataArray, xr.DataArray]:
    """Paths of two networks through eight states, each a cube of its own turn and size."""
    turns = [np.linalg.qr(np.random.default_rng(seed).standard_normal((3, 3)))[0] * (seed + 1) for seed in range(2)]
    scores = np.stack([(CORNERS @ turn)[np.newaxis] for turn in turns])
    return (
        xr.DataArray(scores, dims=("network", "trial", "time", "component"), coords={"network": ["a", "b"]}),
        xr.DataArray([STATES], dims=("trial", "time")),
    )


def test_samples_are_the_first_trials() -> None:
    trials = bn.tasks.FlipFlop(n_bits=2).trials(4, seed=0)
    figure = plots.training_samples(trials, n_trials=3)
    assert len(figure.axes) == 6
    assert [ax.get_title() for ax in figure.axes[:3]] == ["trial 0", "trial 1", "trial 2"]
    lines = {line.get_label(): line.get_ydata() for line in figure.axes[4].get_lines()}  # second bit, second trial
    np.testing.assert_array_equal(lines["input"], trials.inputs[1, :, 1])
    np.testing.assert_array_equal(lines["target"], trials.targets[1, :, 1])
    assert figure.axes[3].get_ylabel() == "bit 2\n(a.u.)"
    assert figure.axes[4].get_xlabel() == "time (ms)"
    with pytest.raises(ValueError, match="n_trials: expected 1 to 4, got 5"):
        plots.training_samples(trials, n_trials=5)


def test_the_matrix_is_the_last_and_the_eigenvalues_are_the_first_and_the_last() -> None:
    weights = xr.DataArray(
        [np.eye(2), np.diag([3.0, 3.0]), np.diag([2.0, 0.5])], dims=("snapshot", "unit_pre", "unit_post")
    )
    matrix, spectrum, *_ = plots.connectivity_and_spectrum(weights).axes
    np.testing.assert_array_equal(matrix.images[0].get_array(), np.diag([2.0, 0.5]))
    drawn = {one.get_label(): one.get_offsets().tolist() for one in spectrum.collections}
    assert drawn == {"before training": [[1, 0], [1, 0]], "after training": [[2, 0], [0.5, 0]]}
    alone = plots.connectivity_and_spectrum(weights.isel(snapshot=0)).axes[1]
    assert [one.get_label() for one in alone.collections] == ["eigenvalues"]


def test_spectra_have_unit_circles_of_one_size() -> None:
    values = xr.DataArray([[0.5j, -0.5j], [3.0, 0.0]], dims=("network", "mode"), coords={"network": ["a", "b"]})
    first, second = plots.spectra(values).axes
    assert first.get_xlim() == first.get_ylim() == second.get_xlim()
    assert second.get_xlim()[1] > 3
    np.testing.assert_array_equal(second.collections[0].get_offsets(), [[3, 0], [0, 0]])


def test_cubes_show_a_panel_per_network() -> None:
    scores, states = planted()
    figure = plots.cubes(scores, states)
    assert [ax.get_title() for ax in figure.axes] == ["a", "b"]
    path = np.array(figure.axes[1].get_lines()[0].get_data_3d()).T
    np.testing.assert_allclose(path, scores.sel(network="b").values[0])


def test_overlaid_cubes_lie_on_the_ideal_one() -> None:
    scores, states = planted()
    cube = bn.analysis.memory_cube(scores.rename(component="unit"), states)
    ax = plots.cube_overlay(bn.analysis.align_cubes(cube)["centroids"])
    assert [one.get_label() for one in ax.collections] == ["a", "b"]
    for collection in ax.collections:
        np.testing.assert_allclose(np.array(collection._offsets3d).T, CORNERS, atol=1e-9)
    assert len(ax.get_lines()) == 12
    assert len({one.get_paths()[0].vertices.tobytes() for one in ax.collections}) == 2
    with pytest.raises(ValueError, match="centroids: expected three bits, got 2"):
        plots.cube_overlay(bn.analysis.align_cubes(cube)["centroids"].isel(bit=[0, 1]))


def test_the_state_test_of_a_run(run: xr.DataTree) -> None:
    trials, activity = run["probe_trials"].to_dataset(), run["probe_activity"].to_dataset()
    one = activity.sel(network="constrained-s01")
    figure = plots.state_test(trials, one)
    *rows, units, space = figure.axes[:4]
    for bit, ax in enumerate(rows):
        drawn = {line.get_label(): line.get_ydata() for line in ax.get_lines()}
        np.testing.assert_array_equal(drawn["output"], one.outputs[0, :, bit])
    assert units.get_ylabel() == "unit (sorted)"
    mesh = units.collections[0].get_array()
    assert sorted(mesh.sum(axis=1)) == pytest.approx(sorted(one.rates[0].sum("time").values), abs=1e-4)
    path = np.array(space.get_lines()[0].get_data_3d()).T
    np.testing.assert_allclose(path, bn.analysis.singular_components(one.rates)["scores"][0], atol=1e-6)
    with pytest.raises(ValueError, match="select one network first"):
        plots.state_test(trials, activity)
