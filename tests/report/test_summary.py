"""The comparison in numbers, from the store alone."""

import numpy as np
import pytest
import xarray as xr
from rich.console import Console

import biornn as bn
from biornn.report.summary import comparison_table, summarise


def shown(summary: xr.Dataset, width: int = 200) -> list[str]:
    console = Console(width=width)
    with console.capture() as captured:
        console.print(comparison_table(summary))
    return captured.get().splitlines()


def test_the_summary_holds_what_the_analysis_of_each_network_gives(run: xr.DataTree) -> None:
    summary = summarise(run)
    for network in run.network.values:
        outputs = run["activity"].to_dataset().outputs.sel(network=network)
        scores = bn.analysis.performance(outputs, run["trials"].targets)
        assert float(summary.accuracy.sel(network=network)) == float(scores.accuracy)
        assert float(summary.mse.sel(network=network)) == float(scores.mse)
        final = run["weights"].to_dataset().recurrent_weights.sel(network=network)[-1]
        radius = np.abs(np.linalg.eigvals(final.values.astype(float))).max()
        # The same algorithm in float64 on the same numbers.
        np.testing.assert_allclose(summary.spectral_radius_after.sel(network=network), radius, rtol=1e-12)
    np.testing.assert_allclose(summary.spectral_radius_before, 1, rtol=1e-5)  # float32 weights
    assert (summary.violations == 0).all()
    assert summary.trained.all()


def test_a_task_without_response_windows_is_settled_always(run: xr.DataTree) -> None:
    tree = run.copy(deep=True)
    for group in ("trials", "probe_trials"):
        tree[group] = xr.DataTree(tree[group].to_dataset().drop_vars("response_window"))
    summary = summarise(tree)
    xr.testing.assert_equal(summary.accuracy_settled, summary.accuracy)


@pytest.fixture
def summary() -> xr.Dataset:
    values = ("network", [0.9, 0.8, 1.0, np.nan])
    names = ["accuracy", "accuracy_settled", "mse", "updates", "spectral_radius_before", "spectral_radius_after"]
    return xr.Dataset(
        {
            **dict.fromkeys(names, values),
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
