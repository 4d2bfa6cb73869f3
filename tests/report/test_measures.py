"""A number per network and measure."""

from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr

from biornn import analysis
from biornn.report.measures import MEASURES, OUTSIDE
from biornn.report.reading import Reading

MakeRun = Callable[..., xr.DataTree]


@pytest.fixture(scope="module")
def reading(make_run: MakeRun) -> Reading:
    return Reading(make_run(status=["completed", "completed", "diverged", "completed"], has_fixed_points=True))


def test_every_measure_of_every_family_is_measured_once(reading: Reading) -> None:
    measures = reading.measures
    # The flip-flop does not tell its trials apart, and has no catch trials.
    assert sorted(map(str, measures)) == sorted({one.name for one in MEASURES} - {"worst_score", "catch_score"})
    assert measures["condition"].values.tolist() == ["free", "free", "dale", "dale"]
    for name, values in measures.items():
        assert values.dims == ("network",), name
        # The network that diverged has none; all others have one, finite but for states without spread.
        assert values.notnull().values.tolist() == [True, True, False, True], name
        assert np.isinf(values.values).any() == (name == "cube_separation")


def test_measures_are_those_of_the_last_snapshot(reading: Reading) -> None:
    weights = reading.weights["recurrent_weights"].isel(snapshot=-1, network=0)
    measures = reading.measures.isel(network=0)
    values = np.linalg.eigvals(weights.values)
    assert measures["spectral_radius"] == pytest.approx(np.abs(values).max())
    assert measures["n_outside"] == (np.abs(values) > OUTSIDE).sum()
    held = analysis.retention(reading.weights.isel(network=0), reading.run["probe_trials"].to_dataset())
    assert measures["retention_time"] == pytest.approx(float(held["retention_time"].mean()))


def test_a_network_without_such_a_measure_is_no_failure(make_run: MakeRun) -> None:
    run = make_run(seeds=[0], formulation="gru")
    families = {name: values for name, values, _ in Reading(run).families}
    assert families["performance on held-out trials"].sizes["network"] == 2
    assert families["eigenvalues of the recurrent weights"].sizes["network"] == 0
