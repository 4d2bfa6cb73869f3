"""The figures of a run that are also files of their own, drawn from its store alone as in its report."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import xarray as xr

from biornn.atomic import written_whole
from biornn.report.pictures import Picture
from biornn.report.reading import Reading
from biornn.report.sections.activity import held_out_trials, unit_rates
from biornn.report.sections.connectivity import connectivity_matrices
from biornn.report.sections.cubes import state_paths
from biornn.report.sections.learning import learning_curves
from biornn.report.sections.spectra import eigenspectra

_DPI = 150

#: What is saved; each gives None where a run has nothing to show.
FIGURES: tuple[Callable[[Reading], Picture | None], ...] = (
    learning_curves,
    held_out_trials,
    connectivity_matrices,
    eigenspectra,
    unit_rates,
    state_paths,
)


def save_figures(run: xr.DataTree, folder: Path) -> list[Path]:
    """Draw a run: learning curves of all networks, and one network per condition in detail.

    Parameters
    ----------
    run
        A run.
    folder
        Where the PNG files go; it is created.

    Returns
    -------
    list of pathlib.Path
        The files. The network of a condition is the first of its seeds that was trained; a condition without one is
        left out.
    """
    folder.mkdir(parents=True, exist_ok=True)
    reading = Reading(run)
    paths = []
    for make in FIGURES:
        picture = make(reading)
        if picture is not None:
            paths.append(folder / f"{picture.name}.png")
            with written_whole(paths[-1]) as path:
                picture.draw(2).savefig(path, dpi=_DPI)
    return paths
