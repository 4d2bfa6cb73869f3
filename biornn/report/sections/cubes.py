"""The memory states in the space of the activity: corners of a cube, or not."""

from __future__ import annotations

import xarray as xr

import biornn as bn
from biornn.analysis import principal_components
from biornn.report.pictures import Picture
from biornn.report.reading import Reading
from biornn.report.section import Block, Section, requires
from biornn.report.tables import Table, condition_table, number


@requires("probe", "memory_state")
def cubes(reading: Reading) -> Section | None:
    """Paths through the memory states, and how cubic they are."""
    picture = state_paths(reading)
    if picture is None:
        return None
    blocks: list[Block] = [
        "A network that holds n bits has 2ⁿ states to tell apart. If each bit is held along a direction of its own, "
        "the states are the corners of a cube (with two bits: of a square).",
        picture,
    ]
    if reading.cube is None:
        blocks.append("The cube could not be measured: the probe does not hold every state.")
    else:
        blocks.append(_scores(reading, reading.cube))
    return Section("memory", "Memory states", tuple(blocks))


def state_paths(reading: Reading) -> Picture | None:
    """Path through the memory states in the probe, a network per condition."""
    names = list(reading.shown.values())
    trials, probe, _ = reading.watched
    if not names or probe.sizes["unit"] < 3:
        return None
    memory_state = trials["memory_state"].load()
    components = principal_components(probe["rates"].sel(network=names).load())
    share = components["explained_variance_ratio"].isel(component=slice(3)).sum("component", skipna=False)
    told = [f"{name}: {number(float(share.sel(network=name)), '.0%').text}" for name in names]
    return Picture(
        "memory_states",
        lambda: bn.plots.cubes(components["scores"], memory_state),
        "Paths of networks through their memory states, seen in three dimensions; states that differ in one bit are "
        f"joined. Share of the variance of the activity in these three dimensions: {'; '.join(told)}.",
        "Activity in the probe along its first three principal components. A marker stands where a state is held, and "
        "is named by the signs of the bits; lines join states that differ in one bit.",
    )


def _scores(reading: Reading, cube: xr.Dataset) -> Table:
    columns = {
        "affine_r2": "fit of a box",
        "similarity_r2": "fit of a cube",
        "separation": "separation",
        "variance_share": "variance in 3 dimensions",
    }
    return condition_table(
        reading,
        "How cubic the memory is: median [min, max] over the trained networks of a condition. Fit: share of the "
        "states' variance that the best box (any sheared and stretched cube) or the best cube explains, at most 1. "
        "Separation: smallest distance of two states over their own spread. Variance in 3 dimensions: share of the "
        "activity's variance.",
        [(heading, cube[name], ".2f") for name, heading in columns.items()],
    )
