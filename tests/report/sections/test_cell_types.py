"""Cell types: what their units do, and how they are connected, under the lab's own names."""

from collections.abc import Callable

import numpy as np
import xarray as xr

from biornn.analysis import by_cell_type
from biornn.report.network_table import describe_networks
from biornn.report.reading import Reading
from biornn.report.sections.cell_types import cell_types
from biornn.report.sections.robustness import robustness
from biornn.report.tables import Table
from biornn.schema import cell_signs, text, validate

MakeRun = Callable[..., xr.DataTree]
OWN = {"excitatory": "Pyr", "inhibitory": "PV"}


def with_own_types(run: xr.DataTree) -> xr.DataTree:
    """The same run with other names, and a third type: the last unit of each network under Dale's law."""
    weights = run["weights"].to_dataset()
    names = np.vectorize(lambda name: OWN.get(name, name))(text(weights["cell_type"]).values).astype(object)
    names[names[:, -1] == "PV", -1] = "SST"
    sign = cell_signs(weights["cell_type"])
    weights = weights.assign(cell_type=(("network", "unit"), names)).assign_coords(cell_sign=sign)
    run["weights"].dataset = weights
    validate(run)
    return run


def test_every_type_of_every_condition_has_a_row(make_run: MakeRun) -> None:
    reading = Reading(with_own_types(make_run()))
    section = cell_types(reading)
    assert section is not None
    units, synapses = section.blocks
    assert isinstance(units, Table)
    # Networks without types have none to show.
    assert [[cell.text for cell in row[:4]] for row in units.rows] == [
        ["dale", "Pyr", "+", "3"],
        ["dale", "PV", "−", "2"],
        ["dale", "SST", "−", "1"],
    ]
    rates = abs(reading.watched.activity["rates"]).mean(["trial", "time"])
    expected = by_cell_type(rates, reading.weights["cell_type"]).sel(cell_type="PV").isel(network=[2, 3])
    np.testing.assert_allclose(units.rows[1][4].value, np.median(expected))
    assert isinstance(synapses, Table)
    assert [column.heading for column in synapses.columns] == ["condition", "from", "to Pyr", "to PV", "to SST"]
    last = reading.last_weights.transpose("network", "unit_pre", "unit_post").values[2:]
    from_pv_to_pyr = np.median(last[:, 3:5, :3].mean(axis=(1, 2)))
    assert synapses.rows[1][2].text == f"100% · {from_pv_to_pyr:+.2g}"


def test_networks_of_the_usual_types_have_the_section_and_others_none(make_run: MakeRun, reading: Reading) -> None:
    section = cell_types(reading)
    assert section is not None
    assert [row[1].text for row in section.blocks[0].rows] == ["excitatory", "inhibitory"]
    assert cell_types(Reading(make_run(conditions={"a": {}, "b": {}}))) is None
    assert cell_types(Reading(make_run(status=["failed"] * 4))) is None
    assert cell_types(Reading(make_run(formulation="gru"))) is None


def test_lesions_and_the_description_have_the_own_names(make_run: MakeRun) -> None:
    run = with_own_types(make_run(seeds=[0]))
    section = robustness(Reading(run))
    assert section is not None
    (table,) = (block for block in section.blocks if isinstance(block, Table))
    headings = [column.heading for column in table.columns]
    assert headings[-3:] == [f"{name} units less as many of any" for name in ("Pyr", "PV", "SST")]
    described = describe_networks(run)
    assert described["dale"]["units"] == "6 (3 Pyr, 2 PV, 1 SST)"
    assert described["dale"]["constraints"].startswith("Dale's law")
    assert described["free"]["units"] == "6"
