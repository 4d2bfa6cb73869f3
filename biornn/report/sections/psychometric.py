"""How choices depend on a graded stimulus."""

from __future__ import annotations

import numpy as np
import xarray as xr

import biornn as bn
from biornn.report.pictures import Picture
from biornn.report.reading import Reading
from biornn.report.section import Block, requires
from biornn.report.tables import Cell, Row, interval, spread, table

_N_POINTS = 101  # of the line of an ideal observer


@requires("choice", "graded")
def psychometric(reading: Reading) -> tuple[Block, ...] | None:
    """Psychometric curves of all trained networks, and their parameters by condition."""
    every = {
        name: fit.assign_coords(condition=reading.condition.variable)
        for name, fit in bn.analysis.psychometrics(reading.choice, reading.trials, reading.task).items()
    }
    if not every or not reading.trained.any():
        return None
    rows: list[Row] = []
    for name, fit in every.items():
        for condition in reading.shown:
            members = {one: reading.members(fit[one], condition) for one in ("status", "bias", "sigma", "lapse")}
            status = members.pop("status").values
            n_fitted = int((status == "fitted").sum())
            others = [f"{(status == one).sum()} {one}" for one in np.unique(status).tolist() if one != "fitted"]
            why = f" ({', '.join(others)})" * bool(others)
            counted = Cell(f"{n_fitted} of {status.size}{why}", float(n_fitted))
            parameters = [spread(one, ".3g") for one in members.values()]
            rows.append([name, condition, counted, *parameters, interval(members["sigma"], ".3g")])
    fits = {name: fit.isel(network=np.flatnonzero(reading.trained)) for name, fit in every.items()}
    ideal = _ideal(reading, fits)
    one = next(iter(fits.values()))
    units = {str(fit["stimulus"].attrs["units"]) for fit in fits.values()}
    return (
        f"A psychometric curve says how often {one.attrs['positive']} is chosen over a graded stimulus. Each network "
        "has its own, fitted by maximum likelihood to its choices in the held-out trials. There is none where choices "
        "change from never to always between two levels, or hardly depend on the stimulus.",
        Picture(
            "psychometric",
            lambda: bn.plots.psychometrics(fits, ideal),
            f"Share of the choices of {one.attrs['positive']} over the stimulus, a line per condition. {_tell(fits)}",
            f"Share of the trials with an answer in which networks choose {one.attrs['positive']}. Markers: median "
            "over the networks of a condition; line and band: median, lowest and highest of their curves."
            + " Dashed: an ideal observer of the inputs." * bool(ideal)
            + _without_answer(reading, fits),
        ),
        table(
            "Median [min, max] over the trained networks of a condition, and mean with its 95 % interval, whose unit "
            "is the network. Bias: stimulus at which both choices are as likely; threshold: spread of the curve, small "
            f"where networks are sensitive; in {' or '.join(sorted(units))}. Lapses: share of choices without regard "
            "to the stimulus, of each kind.",
            ["curve", "condition", "networks with a curve", "bias", "threshold", "lapses", "mean threshold"],
            rows,
        ),
    )


def _without_answer(reading: Reading, fits: dict[str, xr.Dataset]) -> str:
    """Say how many trials the curves leave out, where networks do not answer in all."""
    most = 0.0
    for name, fit in fits.items():
        stimulus = reading.task.graded[name].counted(reading.trials).values
        n_trials = (stimulus[:, np.newaxis] == fit["stimulus"].values).sum(0)
        most = max(most, float((1 - fit["n_trials"] / n_trials).max()))
    return (
        f" Trials without an answer are left out, at one stimulus up to {most:.0%} of those of a network: one that "
        "does not answer in difficult trials has a steeper curve, which may pass that of an ideal observer, who always "
        "answers."
    ) * (most > 0)


def _ideal(reading: Reading, fits: dict[str, xr.Dataset]) -> dict[str, xr.DataArray]:
    """Share of the choices of an ideal observer, where the task knows it."""
    found = {}
    for name, fit in fits.items():
        if (ideal := reading.task.graded[name].ideal) is not None:
            x = np.linspace(fit["stimulus"].min().item(), fit["stimulus"].max().item(), _N_POINTS)
            found[name] = xr.DataArray(ideal(x), {"stimulus": x}, "stimulus")
    return found


def _tell(fits: dict[str, xr.Dataset]) -> str:
    """Say the median shares at the ends of each curve, by condition."""
    told = []
    for name, fit in fits.items():
        ends = fit["proportion"].isel(stimulus=[0, -1])
        low, high = ends["stimulus"].values
        medians = ends.groupby("condition").median("network").transpose("condition", "stimulus")
        rows = zip(medians["condition"].values.tolist(), medians.values, strict=True)
        each = [f"{condition}: {a:.2f} at {low:g}, {b:.2f} at {high:g}" for condition, (a, b) in rows]
        told.append(f"{name}: {'; '.join(each)}.")
    return " ".join(told)
