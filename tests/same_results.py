"""Two runs or trainings with the same results, to the bit."""

import xarray as xr


def assert_same_results(found: xr.DataTree, expected: xr.DataTree) -> None:
    """Compare all groups but for the time that training took."""
    for group in expected.children:
        one, other = (tree[group].to_dataset().drop_vars("wall_time", errors="ignore") for tree in (found, expected))
        xr.testing.assert_identical(one, other)
