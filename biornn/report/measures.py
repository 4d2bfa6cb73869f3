"""The measures by which conditions are compared, in families, and what came of the comparison."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, log2

import xarray as xr

#: An eigenvalue counts as outside of the unit circle beyond this modulus: float32 leaves many of an orthogonal start
#: outside of 1 by a hair.
OUTSIDE = 1.02


#: Family -> measure -> what it is called. Each family is corrected for its own number of tests: few measures in each,
#: or with the seeds that a lab can afford no difference could ever be told from chance. The price: one family in
#: twenty shows something where there is nothing, which the report says beside its findings.
FAMILIES: Mapping[str, Mapping[str, str]] = {
    "performance on held-out trials": {
        "accuracy": "accuracy",
        "accuracy_settled": "accuracy outside of response windows",
        "mse": "mean squared error",
    },
    "memory beyond the trained delays": {
        "share_retained": "share of states kept without input",
        "retention_time": "mean time until a state is lost (ms)",
    },
    "robustness": {
        "input_noise_robustness": "accuracy under input noise",
        "recurrent_noise_robustness": "accuracy under recurrent noise",
        "lesion_robustness": "accuracy after lesions of any units",
    },
    "eigenvalues of the recurrent weights": {
        "spectral_radius": "spectral radius",
        "bulk_radius": "bulk radius",
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
NEED_WEIGHTS = {
    "memory beyond the trained delays",
    "robustness",
    "eigenvalues of the recurrent weights",
    "structure of the recurrent weights",
    "balance of the currents",
}

#: Families of the recurrent weights themselves, which a constraint shapes before any training.
OF_WEIGHTS = {"eigenvalues of the recurrent weights", "structure of the recurrent weights"}

#: p-values below this count as found.
LEVEL = 0.05


def label(measure: str) -> str:
    """Say what a measure of `FAMILIES` is."""
    return next(family[measure] for family in FAMILIES.values() if measure in family)


@dataclass(frozen=True)
class Family:
    """A family of measures of `FAMILIES`, compared and corrected together.

    `result` is from `biornn.analysis.compare` or `factorial_effects`; `without` names the conditions that cannot have
    these measures, as gated networks have no recurrent weights.
    """

    name: str
    result: xr.Dataset
    without: tuple[str, ...]

    @property
    def dim(self) -> str:
        """What the rows are: `condition`, or `effect` of factors."""
        return "effect" if "effect" in self.result.dims else "condition"

    @property
    def n_tests(self) -> int:
        """Entries that have a p-value."""
        return int(self.result["p_value"].notnull().sum())

    @property
    def n_pairs(self) -> int:
        """Pairs of networks, at most over the entries."""
        return int(self.result["n_pairs"].max())

    @property
    def n_needed(self) -> int:
        """Pairs that it takes for a corrected p-value below `LEVEL`: that of a test is at least 2 ** (1 - n_pairs)."""
        return ceil(1 + log2(self.result["p_value"].size / LEVEL))

    @property
    def is_testable(self) -> bool:
        """Whether any result could have been told from chance."""
        return self.n_tests > 0 and self.n_pairs >= self.n_needed
