"""The table of the terminal, and changes from the scores under a network's own settings."""

from collections.abc import Callable

import numpy as np
import xarray as xr
from rich.console import Console

from biornn.report import evaluation_table
from biornn.report.evaluation_table import changes_of
from biornn.tasks import GoNoGo
from tests.report.sections.test_generalisation import evaluated


def test_changes_are_those_of_each_network() -> None:
    score = xr.DataArray(
        [[0.9, 0.8], [0.7, 0.9]], {"evaluation": ["own settings", "delay=1"]}, ("network", "evaluation")
    )
    np.testing.assert_allclose(changes_of(score.to_dataset(name="score")), [[0, -0.1], [0, 0.2]])


def test_a_row_per_evaluation_and_condition(make_run: Callable[..., xr.DataTree]) -> None:
    run = evaluated(make_run(task=GoNoGo()), [[0.9, 0.8], [0.9, 0.8], [0.5, 0.6], [0.5, 0.6]])
    found = run["evaluations"].to_dataset(inherit=False)
    run["evaluations"].dataset = found.assign_attrs(score_name="accuracy")
    console = Console(width=120, record=True, file=None)
    with console.capture() as capture:
        console.print(evaluation_table(run))
    lines = [line for line in capture.get().splitlines() if line.startswith("│")]
    cells = [[cell.strip() for cell in line.strip("│").split("│")] for line in lines]
    assert cells == [
        ["own settings", "free", "0.900", "0.800", ""],
        ["own settings", "dale", "0.500", "0.400", ""],
        ["delay=1", "free", "0.800", "0.700", "-0.100"],
        ["delay=1", "dale", "0.600", "0.500", "+0.100"],
    ]
