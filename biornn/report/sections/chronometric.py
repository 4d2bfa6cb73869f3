"""How long choices take, where networks decide when they answer."""

from __future__ import annotations

import biornn as bn
from biornn.report.pictures import Picture, one_panel
from biornn.report.reading import Reading
from biornn.report.section import Block, requires
from biornn.report.tables import condition_table
from biornn.tasks.scores import score_trials


@requires("reaction_times", "coherence")
def chronometric(reading: Reading) -> tuple[Block, ...] | None:
    """Reaction times over the coherence, and how they change with it, by condition."""
    if not reading.trained.any():
        return None
    outputs = reading.run["activity"].to_dataset()["outputs"].load()
    right = score_trials(reading.task, outputs, reading.trials) == 1
    times = reading.reaction_times
    coherence = reading.trials["coherence"].assign_attrs(long_name="coherence", units="%")
    found = bn.analysis.chronometric(times.where(right), coherence)
    every = bn.analysis.chronometric(times, coherence)
    answered = every["n_answered"].sum("level") / (every["n_answered"] + every["n_missing"]).sum("level")
    mean = found["mean"].assign_coords(condition=reading.condition.variable).where(reading.trained)
    ends = {name: reading.members(mean, name).median("network") for name in reading.shown}
    told = "; ".join(f"{name}: {float(one[0]):.0f} to {float(one[-1]):.0f} ms" for name, one in ends.items())
    return (
        Picture(
            "chronometric",
            one_panel(lambda ax: bn.plots.chronometric(mean, ax=ax), 2.6),
            f"Reaction time over the coherence, a line per condition. Medians from the lowest to the highest: {told}.",
            "Mean reaction time over the coherence, in held-out trials with the right choice. Line: median of a "
            "condition's networks, band: lowest to highest. Trials that end without an answer have no time: where they "
            "are many, as with weak evidence, the mean is too short.",
        ),
        condition_table(
            reading,
            "Median [min, max] over the trained networks of a condition, in trials with the right choice. Below 0: "
            "stronger evidence is answered sooner.",
            [
                ("mean reaction time (ms)", found["mean"].weighted(found["n_answered"]).mean("level"), ".0f"),
                ("change per doubling of the coherence (ms)", found["slope"], ".0f"),
                ("trials with an answer", answered, ".0%"),
            ],
        ),
    )
