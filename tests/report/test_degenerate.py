"""The report of runs with little to tell: silent networks, one seed, one unit, networks that diverged."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from biornn import plots
from biornn.report.page import render
from biornn.report.reading import Reading
from biornn.report.sections import retention, robustness, similarity, spectra
from tests.report.html import Page

MakeRun = Callable[..., xr.DataTree]


@pytest.fixture(autouse=True)
def sparse_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("biornn.report.pictures._DPI", 20)  # what is drawn is tested elsewhere


def silenced(run: xr.DataTree) -> xr.DataTree:
    for group in ("activity", "probe_activity"):
        run[group] = xr.DataTree(0.0 * run[group].to_dataset())
    weights = run["weights"].to_dataset()
    names = ("input_weights", "recurrent_weights", "output_weights")
    run["weights"] = xr.DataTree(weights.assign({name: 0.0 * weights[name] for name in names}))
    return run


def of_one_unit(run: xr.DataTree) -> xr.DataTree:
    for group in ("activity", "probe_activity", "weights"):
        dataset = run[group].to_dataset()
        run[group] = xr.DataTree(dataset.isel({dim: [0] for dim in dataset.dims if str(dim).startswith("unit")}))
    return run


def told(page: Page) -> str:
    """All that the page says, the descriptions of its pictures too."""
    return " ".join([page.text("main"), *(attrs["alt"] for attrs, _ in page.all("img"))])


@pytest.mark.nightly
@pytest.mark.parametrize("reduce", [silenced, of_one_unit])
def test_silent_networks_and_single_units_have_a_report_that_says_what_is_missing(
    make_run: MakeRun, reduce: Callable[[xr.DataTree], xr.DataTree]
) -> None:
    said = told(Page(render(reduce(make_run(seeds=(0,))))))  # one seed
    assert not re.search(r"\b(nan|inf)\b", said, re.IGNORECASE)
    assert "No difference can be tested: it takes at least two pairs" in said
    if reduce is silenced:
        assert "Not compared: no two networks have activity in the probe that changes." in said
        assert "three dimensions: free-s00: –; dale-s00: –." in said
        assert "balance index –" in said
    else:
        assert "predicted bulk radius –, – eigenvalues beyond its edge" in said


def test_a_spectrum_that_is_not_found_is_a_dash(make_run: MakeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(matrix: np.ndarray) -> np.ndarray:
        raise np.linalg.LinAlgError("Eigenvalues did not converge")

    monkeypatch.setattr(np.linalg, "eigvals", fails)
    section = spectra(Reading(make_run({"free": {}}, seeds=(0,))))
    assert section is not None
    alts = " ".join(block.alt for block in section.blocks if hasattr(block, "alt"))
    assert "spectral radius – before and – after training, – eigenvalues beyond" in alts
    assert "– eigenvalues beyond its edge" in alts


def test_too_few_networks_with_activity_are_not_tested(make_run: MakeRun) -> None:
    run = make_run()
    probe = run["probe_activity"].to_dataset()
    probe["rates"] = probe["rates"].where(probe["network"] == "free-s00", 0.0)
    run["probe_activity"] = xr.DataTree(probe)
    section = similarity(Reading(run))
    assert section is not None
    assert "Not compared" in str(section.blocks)
    probe["rates"] = run["probe_activity"].to_dataset()["rates"].copy(data=make_run()["probe_activity"].rates.values)
    probe["rates"] = probe["rates"].where(probe["condition"] == "free", 0.0)
    run["probe_activity"] = xr.DataTree(probe)
    section = similarity(Reading(run))
    assert section is not None
    assert "was not tested: too few networks have activity that changes" in str(section.blocks)


def test_a_network_that_diverged_with_finite_weights_is_in_no_curve(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its loss exploded at the last snapshot: it could be run again, and must not be."""
    run = make_run(seeds=(0,))
    history = run["history"].to_dataset()
    history["status"] = ("network", np.array(["criterion_reached", "diverged"], object))
    run["history"] = xr.DataTree(history)
    drawn: list[xr.DataArray] = []
    curve, panels = plots.dose_response, plots.lesions

    def spied_curve(score: xr.DataArray, along: str, ax: Axes) -> Axes:
        drawn.append(score)
        return curve(score, along, ax)

    def spied_panels(result: xr.Dataset) -> Figure:
        drawn.append(result["score"])
        return panels(result)

    monkeypatch.setattr(plots, "dose_response", spied_curve)
    monkeypatch.setattr(plots, "lesions", spied_panels)
    reading = Reading(run)
    section = robustness(reading)
    assert section is not None
    for block in (*section.blocks, *retention(reading).blocks):
        if hasattr(block, "draw"):
            block.draw()
    assert len(drawn) == 4
    for score in drawn:
        assert score.sel(network="free-s00").notnull().any()
        assert score.sel(network="dale-s00").isnull().all()
