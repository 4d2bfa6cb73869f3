"""What the conditions of a run are compared by: a number per network and measure, in families."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr

from biornn import analysis
from biornn.report.reading import Reading

#: An eigenvalue counts as outside of the unit circle beyond this modulus: float32 leaves many of an orthogonal start
#: outside of 1 by a hair.
OUTSIDE = 1.02


#: Family -> measure -> what it is called. Each family is corrected for its own number of tests: few measures in each,
#: or with the seeds that a lab can afford no difference could ever be told from chance. The price, that one family in
#: twenty shows something where there is nothing, is told with the findings.
FAMILIES: Mapping[str, Mapping[str, str]] = {
    "performance on held-out trials": {
        "accuracy": "accuracy",
        "accuracy_settled": "accuracy outside of response windows",
        "mse": "mean squared error",
    },
    "memory beyond the trained delays": {
        "share_retained": "share of the states that survive without input",
        "retention_time": "mean time until a state is lost (ms)",
    },
    "robustness": {
        "input_noise_robustness": "accuracy over input noise (mean of the curve)",
        "recurrent_noise_robustness": "accuracy over recurrent noise (mean of the curve)",
        "lesion_robustness": "accuracy after lesions of any units (mean of the curve)",
    },
    "eigenvalues of the recurrent weights": {
        "spectral_radius": "spectral radius",
        "bulk_radius": "bulk radius, from the variance of the weights",
        "n_outliers": "eigenvalues outside of the bulk",
    },
    "structure of the recurrent weights": {
        "n_outside": f"eigenvalues of modulus above {OUTSIDE:g}",
        "nonnormality": "departure from normality",
        "singular_value_entropy": "entropy of the singular values",
    },
    "geometry of the activity": {
        "participation_ratio": "participation ratio (dimensions)",
        "cube_similarity_r2": "fit of a cube to the memory states",
        "cube_separation": "separation of the memory states",
    },
    "coding of the bits": {
        "mixed_selectivity": "mixed selectivity (bits per unit)",
    },
    "balance of the currents": {
        "balance_index": "balance of excitatory and inhibitory currents",
        "ei_correlation": "correlation of excitation and inhibition over time",
    },
}

#: Families of the recurrent weights, or that need them to run a network: a gated network has none.
_NEED_WEIGHTS = {
    "memory beyond the trained delays",
    "robustness",
    "eigenvalues of the recurrent weights",
    "structure of the recurrent weights",
    "balance of the currents",
}


def measure(reading: Reading) -> xr.Dataset:
    """Measure every network.

    Parameters
    ----------
    reading
        The run.

    Returns
    -------
    xarray.Dataset
        The measures of `FAMILIES` over `network`, NaN where a network was not trained or, being gated, has no such
        measure. A measure that the run has no trials for is left out.
    """
    weights = reading.weights["recurrent_weights"].isel(epoch=-1)
    bulk = reading.bulk.isel(epoch=-1)
    spectrum = reading.spectrum.isel(epoch=-1)
    measures = {
        "accuracy": reading.summary["accuracy"],
        "accuracy_settled": reading.summary["accuracy_settled"],
        "mse": reading.summary["mse"],
        "spectral_radius": reading.summary["spectral_radius_after"],
        "bulk_radius": bulk["bulk_radius"],
        "n_outliers": bulk["n_outliers"],
        "n_outside": analysis.n_outside(spectrum, OUTSIDE),
        "nonnormality": analysis.nonnormality(weights, eigenvalues=spectrum),
        "singular_value_entropy": analysis.singular_value_entropy(weights),
        "participation_ratio": analysis.participation_ratio(reading.run["activity"].to_dataset()["rates"]),
        "input_noise_robustness": reading.input_noise["robustness"],
        "recurrent_noise_robustness": reading.recurrent_noise["robustness"],
        "lesion_robustness": reading.lesions["accuracy"].sel(lesion="any").mean("share", skipna=False),
        "balance_index": reading.balance["balance_index"],
        "ei_correlation": reading.balance["correlation"],
    }
    if reading.retention is not None:
        measures["share_retained"] = reading.retention["share_retained"]
        measures["retention_time"] = reading.retention["retention_time"].mean("memory_state", skipna=False)
    if reading.cube is not None:
        measures["cube_similarity_r2"] = reading.cube["similarity_r2"]
        measures["cube_separation"] = reading.cube["separation"]
    if reading.selectivity is not None:
        measures["mixed_selectivity"] = reading.selectivity["mixed_selectivity"].mean("unit")
    bare = {
        name: values.drop_vars([c for c in values.coords if values[c].dims != ("network",)])
        for name, values in measures.items()
    }
    return xr.Dataset({name: values.astype(float).where(reading.trained) for name, values in bare.items()})


def comparable(reading: Reading, measures: xr.Dataset, family: str) -> xr.Dataset:
    """Take the measures of a family, and the networks that can have them.

    Parameters
    ----------
    reading
        The run.
    measures
        From `measure`.
    family
        One of `FAMILIES`.

    Returns
    -------
    xarray.Dataset
        Without gated networks where these have no such measure: they did not fail.
    """
    names = [name for name in FAMILIES[family] if name in measures]
    kept = ~reading.gated if family in _NEED_WEIGHTS else xr.ones_like(reading.gated)
    return measures[names].isel(network=np.flatnonzero(kept))
