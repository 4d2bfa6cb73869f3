import pytest
import xarray as xr

from biornn.analysis.same_labels import same_labels


def test_other_labels_are_refused_in_one_line_and_the_same_are_left_alone() -> None:
    one = xr.DataArray([1, 2], {"network": ["a", "b"]}, dims="network")
    for other in (2 * one, xr.DataArray([3, 4], dims="unit")):
        for given, aligned in zip((one, other), same_labels("other", "the networks of one", one, other), strict=True):
            xr.testing.assert_identical(aligned, given)
    message = "^other: expected the networks of one, got others; take both from the same trials$"
    for other in (one[::-1], one[:1]):
        with pytest.raises(ValueError, match=message):
            same_labels("other", "the networks of one", one, other, source="trials")
