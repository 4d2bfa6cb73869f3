from collections.abc import Callable

import xarray as xr

from biornn.report.reading import Reading
from biornn.report.section import Code
from biornn.report.sections.data import data


def test_the_lines_open_the_store(make_run: Callable[..., xr.DataTree], tmp_path, monkeypatch) -> None:
    run = make_run()
    run.to_zarr(tmp_path / "run.zarr", consolidated=True, zarr_format=2)
    monkeypatch.chdir(tmp_path)
    (code,) = (block.text for block in data(Reading(run)).blocks if isinstance(block, Code))
    *lines, last = code.splitlines()
    names: dict[str, object] = {}
    exec("\n".join(lines), names)
    assert eval(last, names).sizes == {"snapshot": 3, "unit_pre": 6, "unit_post": 6}


def test_every_group_and_version_is_named(reading: Reading) -> None:
    *_, groups, versions = data(reading).blocks
    assert [row[0].text for row in groups.rows] == list(reading.run.children)
    rows = [[cell.text for cell in row] for row in versions.rows]
    assert rows == [["python", "3.11.7"], ["biornn", "0.1.0"], ["schema of the store", "2"]]
