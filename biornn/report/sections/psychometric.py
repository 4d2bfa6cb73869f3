"""How choices depend on the evidence."""

from __future__ import annotations

import numpy as np
import xarray as xr

import biornn as bn
from biornn.report.pictures import Picture, one_panel
from biornn.report.reading import Reading
from biornn.report.section import Section, requires
from biornn.report.tables import Cell, Row, spread, table
from biornn.schema import text


@requires("choice", "correct_choice", "signed_coherence")
def psychometric(reading: Reading) -> Section | None:
    """Psychometric curves of all networks, and their parameters by condition."""
    is_positive = (reading.trials["signed_coherence"] > 0).values
    if not reading.trained.any() or not is_positive.any():
        return None
    # The choice that is correct where the evidence is positive.
    positive = text(reading.trials["correct_choice"]).values[is_positive][0].item()
    fit = _fit(reading, positive)
    trained = fit.isel(network=np.flatnonzero(reading.trained))
    n_trials = int(trained["n_trials"].max("network").sum())
    rows: list[Row] = []
    for name in reading.conditions:
        members = reading.members(fit["status"], name).values
        n_fitted = int((members == "fitted").sum())
        others = [f"{(members == one).sum()} {one}" for one in np.unique(members).tolist() if one != "fitted"]
        why = f" ({', '.join(others)})" * bool(others)
        parameters = [spread(reading.members(fit[one], name), ".3g") for one in ("bias", "sigma", "lapse")]
        rows.append([name, Cell(f"{n_fitted} of {members.size}{why}", float(n_fitted)), *parameters])
    ideal = _ideal(reading, fit)
    return Section(
        "psychometric",
        "Choices by the evidence",
        (
            "A psychometric curve says how often one side is chosen over the signed strength of the evidence. Each "
            f"network has its own, fitted by maximum likelihood to its choices in {n_trials} held-out trials. There is "
            "none where choices change from never to always between two levels, or hardly depend on the evidence.",
            Picture(
                "psychometric",
                one_panel(lambda ax: bn.plots.psychometric(trained, ideal, ax=ax), 2.8),
                f"Share of the choices of {positive} over the signed coherence, a line per condition. "
                f"{' '.join(_tell(reading, fit, name) for name in reading.shown)}",
                f"Share of the trials in which networks choose {positive}. Markers: median over the networks of a "
                "condition; line and band: median, lowest and highest of their curves."
                + " Dashed: an ideal observer of the inputs."
                * (ideal is not None),
            ),
            table(
                "Median [min, max] over the trained networks of a condition. Bias: evidence at which both choices are "
                "as likely; threshold: spread of the curve, small where networks are sensitive; both in the units of "
                "the evidence. Lapses: share of choices without regard to the evidence, of each side.",
                ["condition", "networks with a curve", "bias", "threshold", "lapses"],
                rows,
            ),
        ),
    )


def _fit(reading: Reading, positive: str) -> xr.Dataset:
    """Fit the curves of all networks."""
    evidence = reading.trials["signed_coherence"]
    fit = bn.analysis.psychometric(evidence, reading.choice, positive)
    return fit.assign_coords(condition=reading.condition.variable)


def _ideal(reading: Reading, fit: xr.Dataset) -> xr.DataArray | None:
    """Share of the choices of an ideal observer, where the task knows it."""
    if not reading.has("ideal_score"):
        return None
    level = fit["signed_coherence"].values
    x = np.linspace(level.min(), level.max(), 101)
    return xr.DataArray(reading.task.ideal_score(x), {"signed_coherence": x}, "signed_coherence")


def _tell(reading: Reading, fit: xr.Dataset, condition: str) -> str:
    medians = reading.members(fit["proportion"], condition).median("network").values.tolist()
    levels = fit["signed_coherence"].values.tolist()
    each = (f"{share:.2f} at {level:g}" for level, share in zip(levels, medians, strict=True))
    return f"{condition}: {', '.join(each)}."
