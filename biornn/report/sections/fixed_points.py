"""The fixed points of networks without input, where `biornn fixed-points` has added them to the run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import biornn as bn
from biornn.report.fixed_point_counts import by_steps_alone
from biornn.report.pictures import Picture, network_panels
from biornn.report.reading import Reading
from biornn.report.section import Block, Section, requires
from biornn.report.tables import condition_table
from biornn.schema import FIXED_POINTS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST_NAMED = 6  # networks


@requires(FIXED_POINTS[0])
def fixed_points(reading: Reading) -> Section | None:
    """Count the fixed points of all networks, and show those of the networks that stand for their conditions."""
    if not reading.run_again:
        return None
    counts = reading.fixed_point_counts
    known = int(counts["n_fixed_points"].notnull().sum())
    complete = int(counts["is_complete"].sum())
    columns = [
        ("stable points", counts["n_stable"], ".0f"),
        ("saddles", counts["n_saddles"], ".0f"),
        ("slow points", counts["n_slow_points"], ".0f"),
        ("longest time constant at a stable point (ms)", counts["slowest"], ".0f"),
    ]
    told = ""
    if reading.has(FIXED_POINTS[1]):
        columns += [
            ("states that end in their attractor", counts["share_attractors"], ".0%"),
            ("states in which the network goes on moving", counts["share_moving"], ".0%"),
            ("attractors with a bit that is not set", counts["n_unset"], ".0f"),
            ("spurious attractors", counts["n_spurious"], ".0f"),
        ]
        told = " Some attractors hold a state with a bit that is not set yet; those that hold none are spurious."
        moving = counts["network"].values[counts["share_moving"].values == 1].tolist()
        if moving:
            named = ", ".join(moving[:_MOST_NAMED]) + ", …" * (len(moving) > _MOST_NAMED)
            told += (
                f" In {len(moving)} of {known} networks ({named}) activity stands still in no memory state: what they "
                "hold oscillates, though the outputs do not show it."
            )
        told = f"{told} {by_steps_alone(counts)}".rstrip()
    longer = ": compare numbers of saddles only after a longer search (--batches 200)" if complete < known else ""
    blocks: list[Block] = [
        "A state that a network keeps for ever without input is a stable fixed point; saddles stand between them. Each "
        "isolated one here is proved: there is exactly one near the numbers that are stored. Whether all were found "
        f"cannot be proved; in {known - complete} of {known} networks the search ended with signs that some are "
        f"missing, or while its starts still led to new ones{longer}.{told}",
        _in_space(reading),
        condition_table(
            reading,
            "Fixed points that were found: median [min, max] over the trained networks of a condition. Networks were "
            "searched from equally many starts, unless nothing new was found before; in "
            f"{known - complete} of {known} the numbers are lower bounds.",
            columns,
        ),
        _eigenvalues(reading),
    ]
    return Section("fixed_points", "Fixed points", tuple(blocks))


def _in_space(reading: Reading) -> Picture:
    """Points of a network per condition: by its outputs if there are three, otherwise by components of its activity."""
    activity = reading.watched.activity
    by_outputs = activity.sizes["output_channel"] == 3
    names = list(reading.run_again.values())
    paths = activity["outputs" if by_outputs else "rates"].sel(network=names).load()
    points = reading.fixed_points.sel(network=names).load()
    has_sides = reading.has(FIXED_POINTS[1])
    sides = reading.run[FIXED_POINTS[1]].to_dataset()["leads_to"].load() if has_sides else None

    def draw(network: str, ax: Axes) -> None:
        leads_to = None if sides is None else sides.sel(network=network)
        bn.plots.fixed_points(points.sel(network=network), paths.sel(network=network), leads_to, ax=ax)

    def figure_of() -> Figure:
        from biornn.plots.panels import panels

        return panels(names, draw, projection="3d")

    where = "the space of the three outputs" if by_outputs else "the first three principal components of the activity"
    counts = reading.fixed_point_counts
    found = {name: counts.sel(network=name) for name in names}
    said = "; ".join(
        f"{name}: {one['n_stable']:.0f} stable, {one['n_saddles']:.0f} saddles" for name, one in found.items()
    )
    return Picture(
        "fixed_points",
        figure_of,
        f"Fixed points of networks in {where}. {said}.",
        f"Fixed points in {where}, and the path in {reading.watched.name} (grey). Lines lead from saddles with one "
        "unstable mode to the stable points on their two sides.",
    )


def _eigenvalues(reading: Reading) -> Picture:
    names = list(reading.run_again.values())
    points = reading.fixed_points.sel(network=names).load()
    slowest = reading.fixed_point_counts["slowest"]
    return network_panels(
        "fixed_point_eigenvalues",
        names,
        lambda network, ax: bn.plots.fixed_point_eigenvalues(points.sel(network=network), ax=ax),
        lambda network: f"longest time constant at a stable point {slowest.sel(network=network):.0f} ms",
        "Eigenvalues of the Jacobian at the fixed points.",
        "Eigenvalues of the Jacobian of a step at the fixed points, and the unit circle (dashed): a mode with an "
        "eigenvalue outside of it grows.",
    )
