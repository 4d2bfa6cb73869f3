"""How networks do under other settings of their task, in a table of the terminal."""

from __future__ import annotations

import numpy as np
import xarray as xr
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from biornn.errors import printable
from biornn.report.summary import median_and_range
from biornn.schema import EVALUATIONS, OWN_SETTINGS, is_trained, text


def evaluation_table(run: xr.DataTree) -> Table:
    """Lay out the scores of `biornn evaluate`, one row per evaluation and condition, over the trained networks."""
    found = run[EVALUATIONS].to_dataset().load()
    history = run["history"].to_dataset()
    condition, trained = text(history["condition"]).values, is_trained(history["status"]).values
    change = changes_of(found)
    name = printable(str(found.attrs["score_name"]).replace("_", " "))
    table = Table(title=Text(f"{name} under other settings: median [min, max] over seeds"), title_justify="left")
    table.add_column("evaluation", no_wrap=True)
    table.add_column("condition", no_wrap=True)
    shown = {name: (found["score"], ".3f"), **worst_of(found, name), "change": (change, "+.3f")}
    for heading in shown:
        table.add_column(Text(heading), justify="right")
    for label in text(found["evaluation"]).values.tolist():
        for one in dict.fromkeys(condition.tolist()):
            members = np.flatnonzero((condition == one) & trained)
            cells = [
                median_and_range(values.sel(evaluation=label).isel(network=members), form)
                for values, form in shown.values()
            ]
            cells = [*cells[:-1], ""] if label == OWN_SETTINGS else cells
            table.add_row(Text(printable(label)), Text(printable(one)), *map(escape, cells))
    table.caption = (
        f"own settings: new trials of the task as it is. change: of each network, from its {name} there."
        + " worst: in the trial condition in which it is lowest." * (len(shown) > 2)
    )
    table.caption_justify = "left"
    return table


def worst_of(evaluations: xr.Dataset, name: str) -> dict[str, tuple[xr.DataArray, str]]:
    """Give the heading, numbers and format of the worst scores; nothing where the task has no trial conditions."""
    has_conditions = "score_per_condition" in evaluations
    return {f"worst {name}": (evaluations["worst_score"], ".3f")} if has_conditions else {}


def changes_of(evaluations: xr.Dataset) -> xr.DataArray:
    """Give the score of each network under each setting less its score under its own, (network, evaluation)."""
    return evaluations["score"] - evaluations["score"].sel(evaluation=OWN_SETTINGS, drop=True)
