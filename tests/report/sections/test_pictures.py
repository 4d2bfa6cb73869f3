"""The sections that show pictures: none where there is nothing to show, and numbers in place of the picture."""

import re
from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr

from biornn.analysis import bulk_and_outliers
from biornn.report.reading import Reading
from biornn.report.sections.activity import activity
from biornn.report.sections.balance import balance
from biornn.report.sections.connectivity import connectivity
from biornn.report.sections.cubes import cubes
from biornn.report.sections.robustness import robustness
from biornn.report.sections.selectivity import selectivity
from biornn.report.sections.similarity import similarity
from biornn.report.sections.spectra import spectra

MakeRun = Callable[..., xr.DataTree]


@pytest.mark.parametrize(
    "section", [activity, balance, connectivity, cubes, robustness, selectivity, similarity, spectra]
)
def test_without_a_trained_network_there_is_nothing_to_show(make_run: MakeRun, section) -> None:
    assert section(Reading(make_run(status=["failed"] * 4))) is None


def test_spectra_are_told_by_their_radii(make_run: MakeRun) -> None:
    reading = Reading(make_run(status=["completed", "completed", "failed", "failed"]))
    _, picture, table, *_ = spectra(reading).blocks
    final = reading.weights["recurrent_weights"].isel(snapshot=-1).values
    radii = [np.abs(np.linalg.eigvals(final[index])).max() for index in (0, 1)]
    assert f"{radii[0]:.2f} after training" in picture.alt
    free, dale = table.rows
    assert free[2].text == f"{np.mean(radii):.2f} [{min(radii):.2f}, {max(radii):.2f}]"
    assert dale[1].text == "none"


def test_matrices_are_told_by_their_density_and_signs(reading: Reading) -> None:
    _, picture, weights = connectivity(reading).blocks
    assert "dale-s00: median magnitude" in weights.alt
    assert len(weights.draw().axes) == 2
    assert "dale-s00: 100% of the weights are not zero, 50% of these are positive" in picture.alt


def test_a_planted_square_is_a_square(reading: Reading) -> None:
    _, picture, table = cubes(reading).blocks
    assert re.search(r"free-s00: 100%", picture.alt)  # rates are an image of two bits
    # A linear image of the two bits, up to the samples in which the outputs are on their way.
    assert table.rows[0][1].value > 0.99


def test_a_task_without_memory_states_has_no_cube(make_run: MakeRun) -> None:
    run = make_run()
    run["probe_trials"].dataset = run["probe_trials"].to_dataset(inherit=False).drop_vars("memory_state")
    assert cubes(Reading(run)) is None


def test_a_probe_that_misses_a_state_is_drawn_and_not_measured(make_run: MakeRun) -> None:
    run = make_run()
    probe = run["probe_trials"].to_dataset(inherit=False)
    run["probe_trials"].dataset = probe.assign(memory_state=xr.full_like(probe["memory_state"], "++"))
    _, _, told = cubes(Reading(run)).blocks
    assert told == "The cube could not be measured: the probe does not hold every state."


def test_trials_and_rates_are_those_of_the_networks_shown(reading: Reading) -> None:
    trials, rates = activity(reading).blocks
    assert f"its accuracy is {float(reading.summary['score'][0]):.3f}." in trials.alt
    assert "free-s00" in rates.alt
    assert "dale-s00" in rates.alt
    assert len(rates.draw().axes) == 4  # two maps with their colour bars


def test_spectra_stand_against_theory(reading: Reading) -> None:
    *_, picture, table, null = spectra(reading).blocks
    weights = reading.weights.isel(snapshot=-1)
    found = bulk_and_outliers(weights["recurrent_weights"], weights["cell_type"]).isel(network=0)
    assert f"free-s00: predicted bulk radius {float(found['bulk_radius']):.2f}" in picture.alt
    assert table.columns[2].heading == "predicted bulk radius after training"
    members = bulk_and_outliers(weights["recurrent_weights"], weights["cell_type"])["bulk_radius"].isel(network=[0, 1])
    np.testing.assert_allclose(table.rows[0][2].value, np.median(members))
    assert len(null.rows[0]) == 1 + 2 * 3
    assert len(picture.draw().axes) == 2


def test_what_initial_weights_bring_is_not_what_training_added(make_run: MakeRun) -> None:
    run = make_run()
    weights = run["weights"].to_dataset(inherit=False).copy(deep=True)
    # A ring, as normal as can be, before and after: far from its shuffles, and training added nothing.
    weights["recurrent_weights"][:2] = np.roll(np.eye(weights.sizes["unit"]), 1, axis=1)
    run["weights"].dataset = weights
    *_, null = spectra(Reading(run)).blocks
    before, after = (null.rows[0][column].value for column in (3, 4))
    assert [null.columns[column].heading for column in (3, 4)] == [
        "non-normality, before training",
        "non-normality, after training",
    ]
    assert before == after < -2


def test_currents_and_selectivity_are_those_of_the_analysis(make_run: MakeRun) -> None:
    reading = Reading(make_run(status=["completed", "diverged", "completed", "completed"]))
    _, picture, table = balance(reading).blocks
    index = float(reading.balance["balance_index"][0])
    assert f"free-s00: balance index {index:.2f}" in picture.alt
    assert table.rows[0][1].value == index
    _, _, table = selectivity(reading).blocks
    assert table.rows[0][1].value == float(reading.selectivity["mixed_selectivity"].mean("unit")[0])


def test_what_is_alike_is_told_with_its_test(make_run: MakeRun, reading: Reading) -> None:
    _, picture, told = similarity(reading).blocks
    assert "4 trained networks" in picture.alt
    assert re.search(r"p \d\.\d+, one-sided, by 2 permutations", told)  # two labels swapped within two seeds
    alone = similarity(Reading(make_run(conditions={"only": {}})))
    assert len(alone.blocks) == 2  # nothing to test
    assert similarity(Reading(make_run(conditions={"only": {}}, seeds=[0]))) is None
