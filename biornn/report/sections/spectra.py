"""Eigenvalues of the recurrent weights, before and after training."""

from __future__ import annotations

from biornn import plots
from biornn.analysis import n_outside
from biornn.report.pictures import Picture
from biornn.report.reading import Reading
from biornn.report.section import Section
from biornn.report.tables import Row, spread, table

#: An orthogonal matrix has its eigenvalues on the unit circle up to rounding: those beyond it were moved by training.
_BEYOND = 1.02


def spectra(reading: Reading) -> Section | None:
    """Spectra of the networks that stand for their conditions, and radii of all.

    Parameters
    ----------
    reading
        The run.
    """
    picture = eigenspectra(reading)
    if picture is None:
        return None
    outside = n_outside(reading.spectrum.isel(epoch=-1), _BEYOND)
    rows: list[Row] = [
        [
            condition,
            spread(reading.members(reading.summary["spectral_radius_before"], condition), ".2f"),
            spread(reading.members(reading.summary["spectral_radius_after"], condition), ".2f"),
            spread(reading.members(outside, condition), ".0f"),
        ]
        for condition in reading.conditions
    ]
    return Section(
        "spectra",
        "Spectra",
        (
            "The eigenvalues of the recurrent weights say how a small activity would grow, decay and rotate. The "
            "spectral radius is the largest modulus; eigenvalues that training drove out of the unit circle carry what "
            "the network holds.",
            picture,
            table(
                "Recurrent weights of all networks: median [min, max] over the trained networks of a condition.",
                [
                    "condition",
                    "spectral radius before training",
                    "spectral radius after training",
                    f"eigenvalues beyond {_BEYOND} after training",
                ],
                rows,
            ),
        ),
    )


def eigenspectra(reading: Reading) -> Picture | None:
    """Eigenvalues before and after training, a network per condition.

    Parameters
    ----------
    reading
        The run.
    """
    names = reading.shown_ungated
    if not names:
        return None
    values = reading.spectrum.sel(network=names)
    radius = abs(values).max("mode")
    told = [
        f"{name}: spectral radius {float(radius.sel(network=name)[0]):.2f} before and "
        f"{float(radius.sel(network=name)[1]):.2f} after training, "
        f"{int(n_outside(values.sel(network=name)[1], _BEYOND))} eigenvalues beyond {_BEYOND}"
        for name in names
    ]
    return Picture(
        "eigenspectrum",
        lambda n_columns: plots.spectra(values, n_columns=n_columns),
        f"Eigenvalues of the recurrent weights in the complex plane. {'; '.join(told)}.",
        "Eigenvalues before (circles) and after training (crosses), and the unit circle.",
    )
