"""Eigenvalues of the recurrent weights, before and after training."""

from __future__ import annotations

from typing import TYPE_CHECKING

import xarray as xr

import biornn as bn
from biornn.analysis import eigenspectrum, matched_random_weights, n_outside, predicted_spectrum
from biornn.report.measures import OUTSIDE
from biornn.report.pictures import Picture, network_panels
from biornn.report.reading import Reading
from biornn.report.results import N_SHUFFLES
from biornn.report.section import Section
from biornn.report.tables import Table, condition_table, number
from biornn.schema import text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Shuffles of the weights that are drawn: a few fill the disk.
_N_DRAWS = 5
_WHEN = ("before", "after")


def spectra(reading: Reading) -> Section | None:
    """Spectra of the networks that stand for their conditions, and radii of all."""
    picture = eigenspectra(reading)
    if picture is None:
        return None
    outside = n_outside(reading.spectrum.isel(snapshot=-1), OUTSIDE)
    return Section(
        "spectra",
        "Spectra",
        (
            "The eigenvalues of the recurrent weights say how a small activity would grow, decay and rotate: those "
            "near +1 change slowly and can hold a memory, those far from the real axis oscillate. The spectral radius "
            "is the largest modulus, whichever of the two it belongs to.",
            picture,
            condition_table(
                reading,
                "Recurrent weights of all networks: median [min, max] over the trained networks of a condition.",
                [
                    ("spectral radius before training", reading.summary["spectral_radius_before"], ".2f"),
                    ("spectral radius after training", reading.summary["spectral_radius_after"], ".2f"),
                    (f"eigenvalues beyond {OUTSIDE} after training", outside, ".0f"),
                ],
            ),
            theory_picture(reading),
            _theory_table(reading),
            _null_table(reading),
        ),
    )


def eigenspectra(reading: Reading) -> Picture | None:
    """Eigenvalues before and after training, a network per condition."""
    names = reading.shown_ungated
    if not names:
        return None
    values = reading.spectrum.sel(network=names)
    radius, outside = abs(values).max("mode", skipna=False), n_outside(values, OUTSIDE)
    told = [
        f"{name}: spectral radius {_text(radius.sel(network=name)[0], '.2f')} before and "
        f"{_text(radius.sel(network=name)[1], '.2f')} after training, "
        f"{_text(outside.sel(network=name)[1], '.0f')} eigenvalues beyond {OUTSIDE}"
        for name in names
    ]
    return Picture(
        "eigenspectrum",
        lambda: bn.plots.spectra(values),
        f"Eigenvalues of the recurrent weights in the complex plane. {'; '.join(told)}.",
        "Eigenvalues before (circles) and after training (crosses), and the unit circle.",
    )


def theory_picture(reading: Reading) -> Picture:
    """Draw eigenvalues with what theory and shuffled weights give, a network per condition."""
    names = reading.shown_ungated
    weights = reading.weights[["recurrent_weights", "recurrent_mask", "cell_type"]]
    weights = weights.isel(snapshot=-1, drop=True).sel(network=names).load()
    arrays = weights["recurrent_weights"], weights["cell_type"]
    prediction = predicted_spectrum(*arrays)
    draws = matched_random_weights(
        arrays[0], weights["recurrent_mask"], arrays[1], n_draws=_N_DRAWS, seed=0, keep_balance=False
    )
    null, values = eigenspectrum(draws), reading.spectrum.isel(snapshot=-1, drop=True).sel(network=names)

    def draw(name: str, ax: Axes) -> None:
        one = {"network": name}
        bn.plots.spectrum_and_theory(values.sel(one), prediction.sel(one), null.sel(one), ax=ax)

    radius, n_outliers = prediction["bulk_radius"], reading.bulk["n_outliers"].isel(snapshot=-1)
    return network_panels(
        "spectrum_and_theory",
        names,
        draw,
        lambda name: (
            f"predicted bulk radius {_text(radius.sel(network=name), '.2f')}, "
            f"{_text(n_outliers.sel(network=name), '.0f')} eigenvalues beyond its edge"
        ),
        "Eigenvalues after training with the disk predicted for random weights and the eigenvalues of shuffled "
        "weights.",
        "Eigenvalues after training against theory (circular law; Rajan & Abbott for Dale's law) and, in grey, "
        f"{_N_DRAWS} shuffles of the weights that keep mask, signs and magnitudes. What lies outside of both comes "
        "neither from the constraint nor from the sizes of the weights, but from their arrangement: by training, or "
        "already by the initial draw.",
    )


def _text(value: xr.DataArray, form: str) -> str:
    """Write a number; a dash where there is none, as of a single unit or eigenvalues that are not found."""
    return number(float(value), form).text


def _theory_table(reading: Reading) -> Table:
    measures = {"predicted bulk radius": ("bulk_radius", ".2f"), "outliers": ("n_outliers", ".0f")}
    return condition_table(
        reading,
        "Recurrent weights against random ones: median [min, max] over the trained networks of a condition. Outliers "
        "are eigenvalues beyond the edge of the bulk that random weights of the same mean and variance would fill.",
        [
            (f"{heading} {_WHEN[at]} training", reading.bulk[name].isel(snapshot=at), form)
            for heading, (name, form) in measures.items()
            for at in (0, -1)
        ],
    )


def _null_table(reading: Reading) -> Table:
    """Tabulate how far statistics are from those of shuffled weights, before and after training."""
    return condition_table(
        reading,
        "How far the arrangement of the weights takes a network from chance, before and after training: each network "
        f"against {N_SHUFFLES} shuffles of its own weights among the synapses that every unit receives from units of "
        "one type, in standard deviations of the shuffles (the standard error of a large one is a fifth of it); median "
        "[min, max]. Mask, signs, the distribution of the weights, and each unit's sums of excitation and inhibition "
        "stay. What is there before training comes from the initial draw (an orthogonal matrix is as normal as can "
        "be); what training added is the change.",
        [
            (f"{name}, {_WHEN[at]} training", reading.null.sel(statistic=name).isel(snapshot=at), "+.0f")
            for name in text(reading.null["statistic"]).values.tolist()
            for at in (0, -1)
        ],
    )
