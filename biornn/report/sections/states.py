"""Scores of a memory: once a response is over, and by output and state."""

from __future__ import annotations

from biornn.analysis import state_scores
from biornn.report.reading import Reading
from biornn.report.section import Block, Section, requires
from biornn.report.tables import Row, Table, condition_table, spread, table
from biornn.schema import text

_MOST_STATES = 81  # of four bits with three levels each; more is no table to read


@requires("memory_state", "is_right")
def states(reading: Reading) -> Section:
    """Tabulate the score outside of response windows, and by output and state."""
    blocks: list[Block] = []
    settled = {"held-out trials": reading.state_scores.get("settled_score")}
    if reading.has("probe"):
        trials, activity, _ = reading.watched
        settled["the probe"] = state_scores(activity["outputs"], trials, reading.task).get("settled_score")
    if columns := [(name, values, ".3f") for name, values in settled.items() if values is not None]:
        blocks += [
            "A response window is the time that a network has to follow a change of the target; outside of it, a wrong "
            "output is an error of memory.",
            condition_table(
                reading,
                f"{reading.score_name.capitalize()} outside of response windows: median [min, max] over the trained "
                "networks of a condition.",
                columns,
            ),
        ]
    return Section("states", "Scores of the memory", (*blocks, _by_output_and_state(reading)))


def _by_output_and_state(reading: Reading) -> Table:
    """Tabulate the score of each output, and in each state whose bits are all set."""
    found = reading.state_scores
    parts = [(found["score_per_channel"], "output_channel")]
    if found.sizes["memory_state"] <= _MOST_STATES:
        parts.append((found["score_per_state"], "memory_state"))
    rows: list[Row] = []
    for values, dim in parts:
        for index, label in enumerate(text(values[dim]).values.tolist()):
            if dim == "output_channel" or "0" not in label:
                own = values.isel({dim: index})
                cells = [spread(reading.members(own, condition), ".3f") for condition in reading.conditions]
                rows.append([label.replace("_", " "), *cells])
    return table(
        f"{reading.score_name.capitalize()} by output, and by the state to be held once every bit is set.",
        ["output or state", *reading.conditions],
        rows,
    )
