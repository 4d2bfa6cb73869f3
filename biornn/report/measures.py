"""The measures by which a report compares networks: one entry each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, isfinite, log2
from typing import Literal

import xarray as xr

from biornn import analysis
from biornn.report.results import Results

#: An eigenvalue counts as outside of the unit circle beyond this modulus: float32 leaves many of an orthogonal start
#: outside of 1 by a hair.
OUTSIDE = 1.02

#: p-values below this count as found.
LEVEL = 0.05


@dataclass(frozen=True)
class Measure:
    """A number of every network that a report compares: a row of tables, tests and, where it says so, of the answer.

    Parameters
    ----------
    family
        Those of one family are corrected together, for their own number of tests.
    name
        Its name in the data.
    heading
        What it is called; ``{score}`` is replaced by the name of the task's score.
    compute
        Takes the `Results` of a run and gives the measure, dim `network`; None where the run turns out to have none.
    requires
        What a run must have, as for `Results.has`.
    made_from
        ``"activity"`` that is recorded; ``"network"``, which is run again from its weights; the ``"currents"`` of one
        recurrent matrix; its ``"weights"`` themselves, which a constraint shapes before any training. A gated network
        has only the first two.
    form
        Format in which the answer shows it; empty where it does not.
    tell
        Takes the `Results` of a run and gives a sentence for the answer, or no text.
    """

    family: str
    name: str
    heading: str
    compute: Callable[[Results], xr.DataArray | None]
    requires: tuple[str, ...] = ()
    made_from: Literal["activity", "network", "currents", "weights"] = "activity"
    form: str = ""
    tell: Callable[[Results], str] | None = None


def _one(name: str, found: xr.Dataset | None) -> xr.DataArray | None:
    """Take a variable of results, dim `network` and others, over which it is averaged."""
    if found is None:
        return None
    return found[name].mean([dim for dim in found[name].dims if dim != "network"], skipna=False)


def _counted(name: str) -> Callable[[Results], xr.DataArray]:
    """Make the measure that is one of the counts of fixed points."""
    return lambda results: results.fixed_point_counts[name]


def _survival(results: Results) -> str:
    """Say how long a memory lasts without input."""
    if results.retention is None or not results.run_again:
        return ""
    shares, seconds = results.retention["held"], float(results.retention["delay"][-1]) / 1000
    n_states = results.retention.sizes["memory_state"]
    medians = {name: float(results.members(shares, name).median()) for name in results.conditions}
    known = {name: median for name, median in medians.items() if isfinite(median)}
    if not known:
        return ""
    if len(set(known.values())) == 1:
        share = next(iter(known.values()))
        words = {0.0: f"none of its {n_states} states", 1.0: f"all of its {n_states} states"}
        kept = words.get(share, f"{share:.0%} of its {n_states} states")
        return f"Without input, the median network keeps {kept} for {seconds:g} s."
    each = ", ".join(f"{name} {median:.0%}" for name, median in known.items())
    return f"States that the median network keeps for {seconds:g} s without input: {each}."


_SCORES = "performance on held-out trials"
_MEMORY = "memory beyond the trained delays"
_ROBUSTNESS = "robustness"
_EIGENVALUES = "eigenvalues of the recurrent weights"
_STRUCTURE = "structure of the recurrent weights"
_GEOMETRY = "geometry of the activity"
_BALANCE = "balance of the currents"
_POINTS = "fixed points without input"

_HELD = ("memory_state", "response_window", "is_right")
_PROBED = ("probe", *_HELD)

#: All measures, in the order of tables. Families are small, or with the seeds that a lab can afford no difference could
#: ever be told from chance. The price: one family in twenty shows something where there is nothing, which the report
#: says beside its findings.
MEASURES: tuple[Measure, ...] = (
    Measure(_SCORES, "score", "{score}", lambda r: r.summary["score"], form=".3f"),
    Measure(
        _SCORES, "worst_score", "worst {score} of a trial condition", lambda r: r.summary["worst_score"],
        requires=("trial_conditions",), form=".3f",
    ),
    Measure(
        _SCORES, "settled_score", "{score} outside of response windows", lambda r: r.state_scores["settled_score"],
        requires=_HELD,
    ),
    Measure(
        _SCORES, "catch_score", "{score} in catch trials",
        lambda r: r.task.catch_score(r.run["activity"].to_dataset()["outputs"].load(), r.trials).mean("trial"),
        requires=("catch_score",),
    ),
    Measure(_SCORES, "mse", "mean squared error", lambda r: r.summary["mse"]),
    Measure(
        _MEMORY, "held", "share of states held for 5 s", lambda r: _one("held", r.retention),
        requires=("held",), made_from="network", form=".0%", tell=_survival,
    ),
    Measure(
        _MEMORY, "retention_time", "mean time until a state is lost (ms)",
        lambda r: _one("retention_time", r.retention), requires=("held",), made_from="network",
    ),
    Measure(
        _ROBUSTNESS, "input_noise_robustness", "{score} under input noise", lambda r: r.input_noise["robustness"],
        made_from="network",
    ),
    Measure(
        _ROBUSTNESS, "recurrent_noise_robustness", "{score} under recurrent noise",
        lambda r: r.recurrent_noise["robustness"], made_from="network",
    ),
    Measure(
        _ROBUSTNESS, "lesion_robustness", "{score} after lesions of any units",
        lambda r: _one("score", r.lesions.sel(lesion="any")), made_from="network",
    ),
    Measure(
        _EIGENVALUES, "spectral_radius", "spectral radius", lambda r: r.summary["spectral_radius_after"],
        made_from="weights",
    ),
    Measure(
        _EIGENVALUES, "bulk_radius", "bulk radius", lambda r: r.bulk["bulk_radius"].isel(snapshot=-1),
        made_from="weights",
    ),
    Measure(
        _EIGENVALUES, "n_outliers", "eigenvalues outside of the bulk", lambda r: r.bulk["n_outliers"].isel(snapshot=-1),
        made_from="weights",
    ),
    Measure(
        _STRUCTURE, "n_outside", f"eigenvalues of modulus above {OUTSIDE:g}",
        lambda r: analysis.n_outside(r.spectrum.isel(snapshot=-1), OUTSIDE), made_from="weights",
    ),
    Measure(
        _STRUCTURE, "nonnormality", "departure from normality",
        lambda r: analysis.nonnormality(r.last_weights, eigenvalues=r.spectrum.isel(snapshot=-1)), made_from="weights",
    ),
    Measure(
        _STRUCTURE, "singular_value_entropy", "entropy of the singular values",
        lambda r: analysis.singular_value_entropy(r.last_weights), made_from="weights",
    ),
    Measure(_GEOMETRY, "participation_ratio", "participation ratio (dimensions)", lambda r: r.participation_ratio),
    Measure(
        _GEOMETRY, "cube_similarity_r2", "fit of a cube to the memory states", lambda r: _one("similarity_r2", r.cube),
        requires=_PROBED,
    ),
    Measure(
        _GEOMETRY, "cube_separation", "separation of the memory states", lambda r: _one("separation", r.cube),
        requires=_PROBED,
    ),
    Measure(
        "coding of the bits", "mixed_selectivity", "mixed selectivity (bits per unit)",
        lambda r: None if r.selectivity is None else r.selectivity["mixed_selectivity"].mean("unit"), requires=_HELD,
    ),
    Measure(
        _BALANCE, "balance_index", "balance of excitatory and inhibitory currents",
        lambda r: r.balance["balance_index"], made_from="currents",
    ),
    Measure(
        _BALANCE, "ei_correlation", "correlation of excitation and inhibition over time",
        lambda r: r.balance["correlation"], made_from="currents",
    ),
    *(
        Measure(
            _POINTS, name, heading, _counted(name), requires=(group,), made_from="network",
        )
        for group, name, heading in (
            ("fixed_points", "n_stable", "stable fixed points"),
            ("fixed_points", "n_saddles", "saddles"),
            ("fixed_points", "slowest", "longest time constant at a stable point (ms)"),
            ("memory_attractors", "n_spurious", "spurious attractors"),
        )
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Family:
    """A family of measures, compared and corrected together.

    `result` is from `biornn.analysis.compare` or `factorial_effects`; `without` names the conditions that cannot have
    these measures, as gated networks have no one recurrent matrix.
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
