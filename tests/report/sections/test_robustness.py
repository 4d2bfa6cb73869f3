"""What the networks withstand."""

from collections.abc import Callable

import numpy as np
import xarray as xr

from biornn.report.pictures import Picture
from biornn.report.reading import Reading
from biornn.report.sections.retention import retention
from biornn.report.sections.robustness import robustness
from biornn.report.tables import Table
from biornn.schema import GATE_WEIGHTS

MakeRun = Callable[..., xr.DataTree]


def test_noise_and_lesions_of_every_condition(reading: Reading) -> None:
    section = robustness(reading)
    assert section is not None
    (table,) = (block for block in section.blocks if isinstance(block, Table))
    assert [row[0].text for row in table.rows] == ["free", "dale"]
    # Without cell types there is no lesion of one.
    assert [cell.text for cell in table.rows[0][-2:]] == ["–", "–"]
    lesioned = reading.lesions["difference"].sel(lesion="inhibitory", share=0.1).isel(network=[2, 3])
    np.testing.assert_allclose(table.rows[1][-1].value, np.median(lesioned))


def test_retention_of_every_condition(reading: Reading) -> None:
    section = retention(reading)
    assert section is not None
    _, picture, table = section.blocks
    assert "free: " in picture.alt
    assert table.columns[1].heading == "states held for 5,000 ms"
    assert table.rows[0][1].value == float(reading.retention["held"].isel(network=[0, 1]).median())


def test_gated_networks_are_run_again_but_for_noise_in_their_units(make_run: MakeRun) -> None:
    run = make_run(conditions={"free": {}}, seeds=[0], formulation="lstm")
    reading = Reading(run)
    section = robustness(reading)
    assert section is not None
    pictures = [block for block in section.blocks if isinstance(block, Picture)]
    assert "free: s.d. of input noise" in pictures[0].alt
    assert "recurrent noise" not in pictures[0].alt
    (table,) = (block for block in section.blocks if isinstance(block, Table))
    assert [cell.text == "–" for cell in table.rows[0][1:4]] == [False, True, False]
    assert retention(reading) is not None
    run["weights"].dataset = run["weights"].to_dataset(inherit=False).drop_vars(GATE_WEIGHTS)
    assert robustness(Reading(run)) is None  # of a run from before they were stored
    assert retention(Reading(run)) is None


def test_pictures_tell_of_those_that_could_be_run(make_run: MakeRun) -> None:
    run = make_run(seeds=[0])
    weights = run["weights"].to_dataset(inherit=False).copy(deep=True)
    is_gated = weights["condition"] == "dale"
    weights["formulation"] = xr.where(is_gated, "gru", weights["formulation"]).astype(object)
    for name in ("input_weights", "recurrent_weights", "recurrent_bias", "alpha"):
        weights[name] = weights[name].where(~is_gated)
    run["weights"].dataset = weights
    section = robustness(Reading(run))
    assert section is not None
    for picture in (block for block in section.blocks if isinstance(block, Picture)):
        assert "free: " in picture.alt
        assert "nan" not in picture.alt
