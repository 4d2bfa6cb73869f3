"""Named rows: their names as they are, but for the ends of whole numbers."""

import pytest
import xarray as xr

from biornn.plots.rows import named_rows


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("noise=0.05", "noise=0.05"),
        ("delay=3000.0, noise=0.05", "delay=3000, noise=0.05"),
        ("coherence=-10.0", "coherence=-10"),
        ("angle=1.05", "angle=1.05"),
    ],
)
def test_only_the_end_of_a_whole_number_is_left_out(name: str, shown: str) -> None:
    rows = xr.DataArray([[0.9], [0.7]], {"condition": ("network", ["dale"])}, ("row", "network"))
    ax = named_rows(rows, ["own settings", name], {}, None)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["own settings", shown]
