"""Eigenvalues of the recurrent weights, before and after training."""

from __future__ import annotations

from matplotlib.axes import Axes

from biornn import plots
from biornn.analysis import (
    bulk_and_outliers,
    eigenspectrum,
    matched_random_weights,
    n_outside,
    nonnormality,
    predicted_spectrum,
    singular_value_entropy,
)
from biornn.plots.panels import panels
from biornn.report.pictures import Picture
from biornn.report.reading import Reading
from biornn.report.section import Section
from biornn.report.tables import Row, Table, spread, table

#: An orthogonal matrix has its eigenvalues on the unit circle up to rounding: those beyond it were moved by training.
_BEYOND = 1.02
#: Shuffles of the weights: a few fill the disk.
_N_DRAWS = 5


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
            theory_picture(reading),
            _theory_table(reading),
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


def theory_picture(reading: Reading) -> Picture:
    """Draw eigenvalues with what theory and shuffled weights give, a network per condition.

    Parameters
    ----------
    reading
        The run.
    """
    names = reading.shown_ungated
    weights = reading.weights[["recurrent_weights", "recurrent_mask", "cell_type"]]
    weights = weights.isel(epoch=-1, drop=True).sel(network=names).load()
    arrays = weights["recurrent_weights"], weights["cell_type"]
    prediction = predicted_spectrum(*arrays)
    draws = matched_random_weights(
        arrays[0], weights["recurrent_mask"], arrays[1], n_draws=_N_DRAWS, seed=0, keep_balance=False
    )
    null, values = eigenspectrum(draws), eigenspectrum(arrays[0])

    def one(network: str, ax: Axes) -> None:
        member = {"network": network}
        plots.spectrum_and_theory(values.sel(member), prediction.sel(member), null.sel(member), ax=ax)

    found = bulk_and_outliers(*arrays)
    told = [
        f"{name}: predicted bulk radius {float(prediction['bulk_radius'].sel(network=name)):.2f}, "
        f"{int(found['n_outliers'].sel(network=name))} eigenvalues beyond its edge"
        for name in names
    ]
    return Picture(
        "spectrum_and_theory",
        lambda n_columns: panels(names, one, n_columns=n_columns),
        "Eigenvalues after training with the disk predicted for random weights and the eigenvalues of shuffled "
        f"weights. {'; '.join(told)}.",
        "Eigenvalues after training against theory (circular law; Rajan & Abbott for Dale's law) and, in grey, "
        f"{_N_DRAWS} shuffles of the weights that keep mask, signs and magnitudes: what lies outside of both is what "
        "training added beyond the constraint.",
    )


def _theory_table(reading: Reading) -> Table:
    weights = reading.weights["recurrent_weights"].isel(epoch=-1)
    found = bulk_and_outliers(weights, reading.weights["cell_type"])
    rows: list[Row] = [
        [
            condition,
            spread(reading.members(found["bulk_radius"], condition), ".2f"),
            spread(reading.members(found["n_outliers"], condition), ".0f"),
            spread(reading.members(nonnormality(weights), condition), ".2f"),
            spread(reading.members(singular_value_entropy(weights), condition), ".2f"),
        ]
        for condition in reading.conditions
    ]
    return table(
        "Recurrent weights after training against random ones: median [min, max] over the trained networks of a "
        "condition. Outliers are eigenvalues beyond the edge of the bulk that random weights of the same mean and "
        "variance would fill.",
        ["condition", "predicted bulk radius", "outliers", "non-normality", "entropy of the singular values"],
        rows,
    )
