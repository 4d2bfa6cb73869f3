"""The scripts of experiments/paper, on a small run."""

import re
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import biornn as bn

PUBLISHED = Path(__file__).parents[3] / "shared" / "published"
FOLDER = Path(__file__).parents[2] / "experiments" / "paper"


@pytest.fixture(autouse=True)
def scripts_find_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(FOLDER)


@pytest.fixture(scope="module")
def two(run: xr.DataTree) -> xr.DataTree:
    """A network of each condition; read it only."""
    return run.sel(network=["unconstrained-s03", "constrained-s01"])


def run_script(name: str, *arguments: str) -> None:
    sys.argv = [name, *arguments]
    runpy.run_path(str(FOLDER / name), run_name="__main__")


def test_the_figures_of_a_run(
    two: xr.DataTree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", [])
    monkeypatch.setattr(bn, "open_run", lambda path: two)
    run_script("figures.py", "two", "--out", str(tmp_path), "--dpi", "30")
    names = sorted(path.stem for path in tmp_path.iterdir())
    assert names == [
        "figure_2_training_samples",
        "figure_3_connectivity_and_spectrum",
        "figure_4_spectra",
        "figure_5_state_test",
        "figure_6_cubes_pca",
        "figure_6_cubes_svd",
    ]
    assert len(capsys.readouterr().out.splitlines()) == len(names)


def test_the_scores_of_a_run(
    two: xr.DataTree, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", [])
    monkeypatch.setattr(bn, "open_run", lambda path: two)
    run_script("scores.py", "two", "--trials", "8")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["unconstrained-s03", "constrained-s01"]
    values = {line[:54].strip(): line[54:].split() for line in lines[1:]}
    assert len(values["accuracy, corrected trials"]) == 2
    assert {"MSE, published slips", "spectral radius", "cube: affine R²", "eigenvalues with modulus > 1.02"} <= set(
        values
    )


def test_memories_over_the_snapshots_of_a_run(
    two: xr.DataTree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", [])
    first = two.sel(network=two["network"].values[:1])
    monkeypatch.setattr(bn, "open_run", lambda path: first if str(path) == "one" else two)
    run_script("memory.py", "one", "all", "--out", str(tmp_path / "memory.png"))
    assert (tmp_path / "memory.png").stat().st_size > 10_000
    *lines, written = capsys.readouterr().out.splitlines()
    assert written == str(tmp_path / "memory.png")
    assert [int(line.split()[0]) for line in lines] == two["history"]["update"].values.tolist()
    held = [float(re.findall(r"held (\d+)%", line)[0]) / 100 for line in lines]
    recorded = two["history"]["held"].isel(network=0).values  # where it was measured
    np.testing.assert_allclose(np.where(np.isnan(recorded), np.nan, held), recorded, atol=0.005)


def test_published_trials_have_the_slips_and_nothing_else() -> None:
    from published_trials import published_trials

    trials = published_trials(2000, seed=0)
    inputs, targets = trials.inputs.values, trials.targets.values
    assert inputs.shape == targets.shape == (2000, 340, 3)
    assert not targets[:, -1].any()  # the last sample
    assert not targets[:, :50].any()
    np.testing.assert_array_equal(np.unique(targets), [-1, 0, 1])
    assert (targets[:, 260] != 0).all()  # the second pulse is always there, and in time
    rises = (np.diff((np.abs(inputs) > 0.5).astype(int), axis=1) == 1).sum(axis=1)
    assert {1, 2, 3} <= set(np.unique(rises))  # the first absent, the third off the end, or both
    assert (rises <= 3).mean() > 0.999  # noise of five standard deviations would look like a pulse
    # A third pulse whose target does not come: its onset is beyond 339 - 40 ms; about a quarter of the channels.
    held = targets[:, 338]
    late = (np.diff((np.abs(inputs[:, 299:]) > 0.5).astype(int), axis=1) == 1).any(axis=1)
    assert 0.2 < late.mean() < 0.35
    assert np.std(inputs[:, :10]) == pytest.approx(0.1, rel=0.02)
    assert held.all()
    np.testing.assert_array_equal(inputs, published_trials(2000, seed=0).inputs)


@pytest.mark.nightly
@pytest.mark.skipif(not PUBLISHED.is_dir(), reason="the networks published with the paper are not here")
def test_the_documentation_states_what_the_scores_of_the_published_network_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    files = sorted(PUBLISHED.glob("*.hdf5"))
    bn.store.import_keras_hdf5(files, tmp_path / "run", name="published", n_trials=64)
    monkeypatch.setattr(sys, "argv", [])
    run_script("scores.py", str(tmp_path / "run"))
    printed = capsys.readouterr().out
    page = (FOLDER.parents[1] / "docs" / "paper.md").read_text()
    (stated,) = re.findall(r"<!-- published scores -->\n```text\n(.*?)```", page, re.DOTALL)
    # Numbers to the digits that another machine's linear algebra gives too.
    for one, other in zip(stated.splitlines(), printed.splitlines(), strict=True):
        assert [number(word) for word in one.split()] == pytest.approx(
            [number(word) for word in other.split()], abs=2e-3
        ), one


def number(word: str) -> float:
    """Read a number; text is compared by its hash."""
    try:
        return float(word)
    except ValueError:
        return float(hash(word))
