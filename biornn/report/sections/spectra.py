"""Eigenvalues of the recurrent weights, before and after training."""

from __future__ import annotations

from matplotlib.axes import Axes

from biornn import plots
from biornn.analysis import (
    bulk_and_outliers,
    compare_with_null,
    eigenspectrum,
    matched_random_weights,
    n_outside,
    nonnormality,
    predicted_spectrum,
    singular_value_entropy,
    spectral_radius,
)
from biornn.plots.panels import panels
from biornn.report.measures import OUTSIDE
from biornn.report.pictures import Picture
from biornn.report.reading import Reading
from biornn.report.section import Section
from biornn.report.tables import Cell, Row, Table, spread, table

#: Shuffles of the weights: a few fill the disk, more make a null.
_N_DRAWS, _N_NULL_DRAWS = 5, 99
_LEVEL = 0.05
_STATISTICS = {
    "spectral radius": spectral_radius,
    "non-normality": nonnormality,
    "entropy of the singular values": singular_value_entropy,
}


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
    outside = n_outside(reading.spectrum.isel(epoch=-1), OUTSIDE)
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
            "The eigenvalues of the recurrent weights say how a small activity would grow, decay and rotate: those "
            "near +1 change slowly and can hold a memory, those far from the real axis oscillate. The spectral radius "
            "is the largest modulus, whichever of the two it belongs to.",
            picture,
            table(
                "Recurrent weights of all networks: median [min, max] over the trained networks of a condition.",
                [
                    "condition",
                    "spectral radius before training",
                    "spectral radius after training",
                    f"eigenvalues beyond {OUTSIDE} after training",
                ],
                rows,
            ),
            theory_picture(reading),
            _theory_table(reading),
            _null_table(reading),
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
        f"{int(n_outside(values.sel(network=name)[1], OUTSIDE))} eigenvalues beyond {OUTSIDE}"
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
        ]
        for condition in reading.conditions
    ]
    return table(
        "Recurrent weights after training against random ones: median [min, max] over the trained networks of a "
        "condition. Outliers are eigenvalues beyond the edge of the bulk that random weights of the same mean and "
        "variance would fill.",
        ["condition", "predicted bulk radius", "outliers"],
        rows,
    )


def _null_table(reading: Reading) -> Table:
    """Observed statistics, and how far they are from those of shuffled weights."""
    weights = reading.weights["recurrent_weights"].isel(epoch=-1)
    arrays = weights, reading.weights["recurrent_mask"], reading.weights["cell_type"]
    found = {
        name: compare_with_null(statistic, *arrays, n_draws=_N_NULL_DRAWS, seed=0, keep_balance=True)
        for name, statistic in _STATISTICS.items()
    }
    rows: list[Row] = []
    for condition in reading.conditions:
        cells: list[Cell | str] = [condition]
        for result in found.values():
            members = reading.members(result["p_value"], condition).dropna("network")
            n_unusual = int((members < _LEVEL).sum())
            cells += [
                spread(reading.members(result["observed"], condition), ".2f"),
                spread(reading.members(result["z"], condition), "+.1f"),
                Cell(f"{n_unusual} of {members.sizes['network']}", float(n_unusual)),
            ]
        rows.append(cells)
    columns = [heading for name in found for heading in (name, "z against the null", f"networks with p < {_LEVEL:g}")]
    return table(
        "What training added beyond what the constraint alone gives: each network after training against "
        f"{_N_NULL_DRAWS} shuffles of its own weights among the synapses that every unit receives from units of one "
        "type. Mask, signs, the distribution of the weights, and each unit's sums of excitation and inhibition stay; "
        "what training arranged goes. z: standard deviations of the null, median [min, max]; p-values are not "
        "corrected, one in twenty random networks has one below 0.05.",
        ["condition", *columns],
        rows,
    )
