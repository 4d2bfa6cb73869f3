"""Fixed points are added to a run, which stays as it was."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
import zarr

import biornn as bn
from biornn.analysis import fixed_points, memory_attractors
from biornn.cli import main
from biornn.store import add_fixed_points, changes
from biornn.store.fixed_points import _digest
from biornn.store.folder import FOUND
from tests.analysis.networks import gated

FEW = {"n_starts": 8, "max_batches": 2}


@pytest.mark.nightly
def test_they_are_those_of_the_analysis(run_copy: Path) -> None:
    before = bn.open_run(run_copy).load()
    shown: list[tuple[int, int]] = []
    run = add_fixed_points(run_copy, n_workers=2, show=lambda done, of: shown.append((done, of)), **FEW)
    n_networks = before.sizes["network"]
    assert shown == [(done + 1, n_networks) for done in range(n_networks)]
    weights, probe = before["weights"].to_dataset().isel(snapshot=-1, drop=True), before["probe_trials"].to_dataset()
    expected = fixed_points(weights, before["probe_activity"]["rates"], probe_trials=probe, **FEW)
    added = run["fixed_points"].to_dataset().load()
    for name, values in expected.data_vars.items():
        np.testing.assert_array_equal(added[name].values.astype(values.dtype), values.values, err_msg=str(name))
    matched = memory_attractors(expected, weights, probe)
    np.testing.assert_array_equal(run["memory_attractors"]["attractor"], matched["attractor"])
    # The run itself is as it was, and plain xarray opens what was added.
    assert changes(run_copy) == []
    bn.validate(run)
    assert not (run_copy / FOUND).exists()
    tree = xr.open_datatree(run_copy / "run.zarr", engine="zarr")
    assert tree["fixed_points"]["eigenvalues"].dtype == np.complex128


@pytest.mark.nightly
def test_a_search_that_was_broken_off_goes_on(run_copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from biornn import analysis

    asked: list[str] = []
    is_broken = True

    def search(weights: xr.Dataset, *args: object, **settings: object) -> xr.Dataset:
        asked.append(weights["network"].item())
        if is_broken and len(asked) > 1:
            raise RuntimeError("killed")
        return fixed_points(weights, *args, **settings)

    monkeypatch.setattr(analysis, "fixed_points", search)
    with pytest.raises(RuntimeError, match="killed"):
        add_fixed_points(run_copy, n_workers=1, **FEW)
    assert "fixed_points" not in bn.open_run(run_copy).children
    broken_off, is_broken = asked.copy(), False
    asked.clear()
    run = add_fixed_points(run_copy, n_workers=1, **FEW)
    assert broken_off[0] not in asked  # it was kept
    assert broken_off[1] in asked
    n_networks = run.sizes["network"]
    assert len(asked) == n_networks - 1
    asked.clear()
    add_fixed_points(run_copy, n_workers=1, **FEW)  # there is nothing to do
    assert not asked
    add_fixed_points(run_copy, n_workers=1, anew=True, **FEW)
    assert len(asked) == n_networks
    asked.clear()
    add_fixed_points(run_copy, n_workers=1, n_starts=16, max_batches=2)  # other settings are another search
    assert len(asked) == n_networks


def test_the_weights_by_gate_are_part_of_what_was_searched() -> None:
    one = gated("gru", {"candidate": np.eye(2)}).expand_dims(network=["one"])
    other = one.assign(gate_bias=one["gate_bias"] + 1)
    assert _digest(one, {}) == _digest(one.copy(deep=True), {})
    assert _digest(one, {}) != _digest(other, {})


def test_the_command_adds_them_and_says_what_it_found(run_copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fixed-points", str(run_copy), "--starts", "8", "--batches", "2", "--workers", "1"]) == 0
    told = capsys.readouterr().out
    assert "Fixed points without input" in told
    assert f"run: {run_copy}" in told
    assert "fixed_points" in bn.open_run(run_copy).children
    assert main(["fixed-points", str(run_copy / "nowhere")]) == 2


def test_a_network_that_cannot_run_has_none(run_copy: Path) -> None:
    weights = zarr.open_group(run_copy / "run.zarr")["weights/recurrent_weights"]
    weights[1] = np.nan
    (run_copy / "run.zarr" / "manifest.json").unlink()
    run = add_fixed_points(run_copy, n_workers=2, **FEW)
    points, matched = run["fixed_points"].to_dataset().load(), run["memory_attractors"].to_dataset().load()
    expected = run["weights"].to_dataset()
    assert points["network"].values.tolist() == expected["network"].values.tolist()
    assert points["condition"].values.tolist() == expected["condition"].values.tolist()
    none = points.isel(network=1)
    assert (none["n_fixed_points"], none["complete"], none["kind"].values.tolist()) == (
        0,
        False,
        [""] * points.sizes["fixed_point"],
    )
    assert np.isnan(none["n_unseen"])
    assert (points["n_fixed_points"].isel(network=0) > 0).all()
    assert (matched["attractor"].isel(network=1) == -1).all()
    assert not matched["has_attractor"].isel(network=1).any()
    weights[:] = np.nan
    with pytest.raises(ValueError, match="copy: expected a network with finite weights, got none"):
        add_fixed_points(run_copy, anew=True, n_workers=1, **FEW)
