"""Counts and pictures of fixed points, where a run has them."""

from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr

from biornn.report.fixed_point_counts import fixed_point_counts, fixed_point_table
from biornn.report.pictures import Picture
from biornn.report.reading import Reading
from biornn.report.sections.fixed_points import fixed_points
from biornn.report.tables import Table

MakeRun = Callable[..., xr.DataTree]


@pytest.fixture(scope="module")
def run(make_run: MakeRun) -> xr.DataTree:
    return make_run(status=["completed", "criterion_reached", "completed", "diverged"], has_fixed_points=True)


def test_counts_are_those_of_the_kinds(run: xr.DataTree) -> None:
    counts, points = fixed_point_counts(run), run["fixed_points"]
    kind = points["kind"].values
    for network in range(3):
        assert counts["n_stable"][network] == (kind[network] == "stable").sum()
        assert counts["n_saddles"][network] == np.isin(kind[network], ["saddle", "unstable"]).sum()
        assert counts["n_fixed_points"][network] == counts["n_stable"][network] + counts["n_saddles"][network]
    constants = np.where(kind[0][:, np.newaxis] == "stable", points["time_constant"].values[0], -np.inf)
    assert counts["slowest"][0] == constants.max()
    np.testing.assert_array_equal(counts["n_spurious"][:3], run["memory_attractors"]["n_spurious"][:3])
    stands_still = run["memory_attractors"]["stands_still"].values[:3]
    np.testing.assert_allclose(counts["share_moving"][:3], np.mean(~stands_still, axis=1))
    assert all(np.isnan(counts[name][3]) for name in counts)  # it diverged


def test_the_section_says_how_complete_the_search_was_and_shows_it(run: xr.DataTree) -> None:
    section = fixed_points(Reading(run))
    assert section is not None
    told, space, table, eigenvalues = section.blocks
    complete = int(run["fixed_points"]["complete"][:3].sum())
    assert f"in {3 - complete} of 3 networks the search ended with signs that some are missing" in str(told)
    assert ("--batches 200" in str(told)) == (complete < 3)
    assert isinstance(space, Picture)
    assert "first three principal components" in space.caption  # the task has two outputs
    assert isinstance(table, Table)
    assert [row[0].text for row in table.rows] == ["free", "dale"]
    assert isinstance(eigenvalues, Picture)
    assert len(space.draw().axes) == len(eigenvalues.draw().axes) == 2


def test_without_a_search_there_is_no_section(make_run: MakeRun) -> None:
    assert fixed_points(Reading(make_run())) is None


def test_the_table_on_the_screen_has_a_row_per_condition(run: xr.DataTree) -> None:
    table = fixed_point_table(run)
    assert list(map(str, table.columns[0].cells)) == ["free", "dale"]
    assert list(table.columns[-1].cells)[1].endswith("/1")


def test_networks_that_hold_by_an_oscillation_are_counted(run: xr.DataTree) -> None:
    moving = run.copy(deep=True)
    matched = moving["memory_attractors"].to_dataset()
    matched["stands_still"][:2] = False
    moving["memory_attractors"] = matched
    section = fixed_points(Reading(moving))
    assert section is not None
    assert "2 of 3 networks (free-s00, free-s01) activity stands still in no memory state" in str(section.blocks[0])


def test_what_only_the_steps_destabilise_is_counted_and_said(run: xr.DataTree) -> None:
    changed = run.copy(deep=True)
    points, matched = changed["fixed_points"].to_dataset(), changed["memory_attractors"].to_dataset()
    names = np.full(points["memory_state"].shape, "", object)
    names[:2, 0] = matched["memory_state"].values[:2]
    growing = np.ones(names.shape, int)
    growing[0, 0] = 0  # in the second network the point of a state is unstable in continuous time, too
    points = points.assign(
        memory_state=(points["memory_state"].dims, names.astype(str)),
        n_unstable=points["n_unstable"] * 0 + 2,
        n_unstable_continuous=(points["n_unstable_continuous"].dims, growing),
    )
    changed["fixed_points"] = points
    none = matched["has_attractor"] & False
    changed["memory_attractors"] = matched.assign(has_attractor=none, stands_still=none)
    counts = fixed_point_counts(changed)
    n_states = matched.sizes["memory_state"]
    np.testing.assert_array_equal(counts["n_without"], [n_states, n_states, n_states, np.nan])
    np.testing.assert_array_equal(counts["n_by_steps"], [1, 0, 0, np.nan])
    said = f"States without an attractor: {3 * n_states}, of which 1 would have one in continuous time"
    assert said in str(fixed_point_table(changed).caption)
    section = fixed_points(Reading(changed))
    assert section is not None
    assert said in str(section.blocks[0])
    assert "continuous time" not in str(fixed_point_table(run).caption)
    # What is stable in its steps, too, but not where the state ends, has nothing to do with them.
    changed["fixed_points"] = points.assign(n_unstable=points["n_unstable"] * 0)
    assert fixed_point_counts(changed)["n_by_steps"][0] == 0
    changed["fixed_points"] = points
    changed["memory_attractors"] = matched.assign(has_attractor=none, stands_still=~none)  # nothing moves there
    assert fixed_point_counts(changed)["n_by_steps"][0] == 0
