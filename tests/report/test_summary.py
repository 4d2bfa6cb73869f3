"""The comparison in numbers, from the store alone."""

from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr
from rich.console import Console

import biornn as bn
from biornn.report.summary import Criterion, comparison_table, criteria, summarise
from biornn.tasks import BooleanGate


def shown(summary: xr.Dataset, width: int = 200) -> list[str]:
    console = Console(width=width)
    with console.capture() as captured:
        console.print(comparison_table(summary))
    return captured.get().splitlines()


def test_the_summary_holds_what_the_analysis_of_each_network_gives(run: xr.DataTree) -> None:
    summary = summarise(run)
    for network in run.network.values:
        outputs = run["activity"].to_dataset().outputs.sel(network=network)
        scores = bn.analysis.performance(outputs, run["trials"].to_dataset())
        assert float(summary.score.sel(network=network)) == float(scores.score)
        assert float(summary.mse.sel(network=network)) == float(scores.mse)
        final = run["weights"].to_dataset().recurrent_weights.sel(network=network)[-1]
        radius = np.abs(np.linalg.eigvals(final.values.astype(float))).max()
        # The same algorithm in float64 on the same numbers.
        np.testing.assert_allclose(summary.spectral_radius_after.sel(network=network), radius, rtol=1e-12)
    np.testing.assert_allclose(summary.spectral_radius_before, 1, rtol=1e-5)  # float32 weights
    assert (summary.violations == 0).all()
    assert summary.trained.all()


@pytest.fixture
def summary() -> xr.Dataset:
    values = ("network", [0.9, 0.8, 1.0, np.nan])
    names = ["mse", "updates", "spectral_radius_before", "spectral_radius_after"]
    return xr.Dataset(
        {
            **dict.fromkeys(names, values),
            "score": (*values, {"long_name": "accuracy"}),
            "violations": ("network", [0, 1, 2, 0]),
            "trained": ("network", [True, True, True, False]),
            "reached": ("network", [1.0, 0.0, 1.0, 0.0]),
        },
        {"condition": ("network", ["a", "a", "a", "b"])},
    )


def test_the_table_shows_median_and_range_and_counts_failures(summary: xr.Dataset) -> None:
    lines = shown(summary)
    (a,) = (line for line in lines if line.startswith("│ a"))
    (b,) = (line for line in lines if line.startswith("│ b"))
    assert [cell.strip() for cell in a.split("│")[1:6]] == [
        "a",
        "3/3",
        "2/3",
        "0.900 [0.800, 1.000]",
        "0.9000 [0.8000, 1.0000]",
    ]
    assert a.split("│")[-2].strip() == "3"
    assert [cell.strip() for cell in b.split("│")[1:5]] == ["b", "0/1", "0/1", "none"]
    assert "median [min, max]" in lines[0]


def test_a_criterion_that_was_not_reached_took_longer_than_any_other(summary: xr.Dataset) -> None:
    (a,) = (
        line for line in shown(summary.assign(updates=("network", [100, np.inf, 200, 0]))) if line.startswith("│ a")
    )
    assert "200 [100, never]" in a
    without = shown(summary.assign(reached=("network", [np.nan] * 4)))
    assert next(line for line in without if line.startswith("│ a")).split("│")[3].strip() == "–"


def test_one_network_has_no_range(summary: xr.Dataset) -> None:
    (a,) = (line for line in shown(summary.isel(network=[0])) if line.startswith("│ a"))
    assert a.split("│")[4].strip() == "0.900"


def test_nothing_is_cut_in_a_narrow_terminal(summary: xr.Dataset) -> None:
    summary["condition"] = ("network", ["unconstrained"] * 3 + ["constrained"])
    lines = shown(summary, width=80)
    assert max(map(len, lines)) <= 80
    assert "…" not in "".join(lines)
    assert any("unconstrained" in line for line in lines)


def test_a_score_is_shown_under_its_name_and_the_worst_one_beside_it(summary: xr.Dataset) -> None:
    heading = shown(summary)[2]
    assert "accuracy" in heading
    assert "worst" not in heading
    worst = summary.assign(worst_score=(0.5 * summary["score"]).assign_attrs(long_name="worst hits [s]"))
    lines = shown(worst.assign(score=worst["score"].assign_attrs(long_name="hits [s]")))
    assert "hits [s]" in lines[2]
    assert "worst hits [s]" in lines[2]
    (a,) = (line for line in lines if line.startswith("│ a"))
    assert a.split("│")[5].strip() == "0.450 [0.400, 0.500]"
    assert "worst hits [s]: in the trial condition in which it is lowest." in "".join(lines)


def test_the_worst_score_is_that_of_the_worst_trial_condition(make_run: Callable[..., xr.DataTree]) -> None:
    run = make_run(task=BooleanGate("xor"), seeds=[0])
    activity = run["activity"].to_dataset(inherit=False)
    pattern = run["trials"].to_dataset()["pattern"].drop_vars("trial")
    activity["outputs"] = activity["outputs"].where(pattern != "01", 0.0)  # low is wrong there
    run["activity"].dataset = activity
    summary = summarise(run)
    np.testing.assert_allclose(summary["score"], 0.75)
    assert (summary["worst_score"] == 0).all()
    assert "worst_score" not in summarise(make_run(seeds=[0]))


def test_a_criterion_may_be_on_the_worst_trial_condition(make_run: Callable[..., xr.DataTree]) -> None:
    conditions = {"a": {}, "b": {"training.criterion_on": "mean"}, "c": {"training.criterion": None}}
    run = make_run(conditions=conditions, training={"criterion_on": "worst"})
    assert criteria(run) == {"a": Criterion(0.9, "worst"), "b": Criterion(0.9, "mean"), "c": None}
    assert criteria(run)["a"].words("hits") == "validation hits 0.9 in the worst trial condition"


def test_a_criterion_may_be_on_what_is_held(make_run: Callable[..., xr.DataTree]) -> None:
    conditions = {"a": {}, "b": {"training.criterion": {"score": None, "held": 0.5}}, "c": {"training.criterion": 0.8}}
    found = criteria(make_run(conditions=conditions, training={"criterion": {"score": 0.98, "held": 1.0}}))
    assert found == {"a": Criterion(0.98, "mean", 1.0), "b": Criterion(None, "mean", 0.5), "c": Criterion(0.8, "mean")}
    assert [one.words("accuracy") for one in found.values() if one] == [
        "validation accuracy 0.98 and 100% of the memory states held",
        "50% of the memory states held",
        "validation accuracy 0.8",
    ]


def test_what_is_held_stands_beside_the_score(run: xr.DataTree, summary: xr.Dataset) -> None:
    found = summarise(run)
    alone = bn.analysis.retention(run["weights"].to_dataset(), run["probe_trials"].to_dataset())
    np.testing.assert_array_equal(found.held, alone.held)
    np.testing.assert_array_equal(found.retention_time, alone.retention_time.mean("memory_state"))
    np.testing.assert_array_equal(found.is_censored, (alone.survived == 1).any("memory_state"))
    assert "held" in shown(found)[2]

    held, time = [1.0, 0.5, 1.0, np.nan], [5000.0, 2600.0, 5000.0, np.nan]
    of_states = {"held": held, "retention_time": time, "is_censored": [True, True, True, False]}
    lines = shown(summary.assign({name: ("network", values) for name, values in of_states.items()}))
    (a,) = (line for line in lines if line.startswith("│ a"))
    assert [cell.strip() for cell in a.split("│")[5:7]] == ["100% [50%, 100%]", "≥ 5000 [2600, 5000]"]
    assert "held: memory states that are kept for 5,000 ms without input." in "".join(lines)
    assert "retention" not in "".join(shown(summary))
