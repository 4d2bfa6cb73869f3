"""Evaluations are added to a run, which stays as it was."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import biornn as bn
from biornn.analysis import evaluate
from biornn.cli import main
from biornn.store import Evaluation, add_evaluations, changes, fingerprint
from biornn.store.writer import text_as_objects
from biornn.tasks import GoNoGo
from tests.report.conftest import planted_run

TASK = GoNoGo()
LONGER = replace(TASK, delay=1000)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a run of random networks; read it only."""
    folder = tmp_path_factory.mktemp("written")
    run = planted_run(seeds=[0], task=TASK, n_trials=4)
    plain = {name: text_as_objects(node.to_dataset(inherit=False)) for name, node in run.children.items()}
    tree = xr.DataTree.from_dict({"/": text_as_objects(run.to_dataset()), **plain})
    with pytest.warns(UserWarning, match="Consolidated metadata"):
        tree.to_zarr(folder / "run.zarr", zarr_format=3)
    return folder


@pytest.fixture
def folder(written: Path, tmp_path: Path) -> Path:
    """Folder of that run, to which a test may add."""
    return Path(shutil.copytree(written, tmp_path, dirs_exist_ok=True))


def labels(run: xr.DataTree) -> list[str]:
    return [str(one) for one in run["evaluations"]["evaluation"].values]


def test_they_are_those_of_the_analysis_and_the_run_is_as_it_was(folder: Path) -> None:
    before, first = bn.open_run(folder).load(), fingerprint(folder)
    shown: list[tuple[int, int]] = []
    run = add_evaluations(
        folder,
        {"longer": LONGER, "noisy": Evaluation(TASK, 0.5)},
        n_trials=20,
        seed=2,
        show=lambda *n: shown.append(n),
    )
    assert shown == [(1, 3), (2, 3), (3, 3)]
    assert labels(run) == ["own settings", "longer", "noisy"]
    weights, found = before["weights"].to_dataset(), run["evaluations"].to_dataset().load()
    for label, task, noise in (("own settings", TASK, 0.0), ("longer", LONGER, 0.0), ("noisy", TASK, 0.5)):
        expected = evaluate(weights, task, n_trials=20, seed=2, recurrent_noise=noise)
        one = found.sel(evaluation=label)
        for name in ("score", "worst_score", "mse", "score_per_condition"):
            np.testing.assert_array_equal(one[name], expected[name], err_msg=name)
        assert [str(name) for name in one["worst_condition"].values] == expected["worst_condition"].values.tolist()
        assert json.loads(str(one["task_settings"].item()))["delay"] == task.delay
    after = bn.open_run(folder)
    assert fingerprint(folder) != first  # so that the report is made again
    for group in before.children:
        xr.testing.assert_identical(after[group].to_dataset().load(), before[group].to_dataset())
    bn.validate(after)
    assert changes(folder) == []


def test_what_is_broken_off_while_it_is_written_leaves_what_was_there(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = add_evaluations(folder, {"longer": LONGER}, n_trials=4)["evaluations"].to_dataset().load()
    write = xr.Dataset.to_zarr

    def broken_off(dataset: xr.Dataset, *arguments: object, **settings: object) -> None:
        write(dataset.isel(network=[0]), *arguments, **settings)  # type: ignore[call-overload]
        raise KeyboardInterrupt

    monkeypatch.setattr(xr.Dataset, "to_zarr", broken_off)
    with pytest.raises(KeyboardInterrupt):
        add_evaluations(folder, {"longest": replace(TASK, delay=2000)}, n_trials=4)
    xr.testing.assert_identical(bn.open_run(folder)["evaluations"].to_dataset().load(), before)
    assert sorted(path.name for path in folder.iterdir()) == ["run.zarr"]


def test_another_time_step_is_refused_before_anything_is_evaluated(folder: Path) -> None:
    with pytest.raises(
        ValueError, match=r"^evaluations\['fine'\]: expected dt=20 ms, the time step of the networks, got 10$"
    ):
        add_evaluations(folder, {"fine": replace(TASK, dt=10.0)})
    assert "evaluations" not in bn.open_run(folder).children


@pytest.mark.nightly
def test_what_is_there_is_not_evaluated_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from biornn import analysis

    asked: list[float] = []

    def counted(weights: xr.Dataset, task: GoNoGo, **settings: object) -> xr.Dataset:
        if len(asked) == broken_at:
            raise RuntimeError("killed")
        asked.append(task.delay)
        return evaluate(weights, task, **settings)  # type: ignore[arg-type]

    monkeypatch.setattr(analysis, "evaluate", counted)
    several = {"longer": LONGER, "longest": replace(TASK, delay=2000)}
    broken_at = 2
    with pytest.raises(RuntimeError, match="killed"):
        add_evaluations(folder, several, n_trials=4)
    assert labels(bn.open_run(folder)) == ["own settings", "longer"]  # what was done is kept
    broken_at = -1
    assert labels(add_evaluations(folder, several, n_trials=4)) == ["own settings", "longer", "longest"]
    assert asked == [500, 1000, 2000]
    add_evaluations(folder, several, n_trials=4)
    assert len(asked) == 3
    add_evaluations(folder, {"longer": replace(TASK, delay=1500)}, n_trials=4)  # the same label, other settings
    assert asked[3:] == [1500]
    add_evaluations(folder, several, n_trials=4, anew=True)
    assert asked[4:] == [500, 1000, 2000]
    run = add_evaluations(folder, {}, n_trials=8)  # other trials
    assert asked[7:] == [500]
    assert labels(run)[0] == "own settings"
    assert run["evaluations"]["n_trials"].values[0] == 8


@pytest.mark.nightly
def test_settings_that_change_the_trial_conditions_leave_gaps(folder: Path) -> None:
    both = add_evaluations(folder, {"longer": LONGER}, n_trials=4)["evaluations"].to_dataset().load()
    assert both["score_per_condition"].notnull().all()
    assert sorted(map(str, both["trial_condition"].values)) == ["stimulus=go", "stimulus=no-go"]


def test_the_command_adds_them_and_says_what_came_out(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = ["--set", "task.delay=1000", "--set", "task.delay=3000", "network.recurrent_noise=0.1"]
    assert main(["evaluate", str(folder), *settings, "--trials", "4"]) == 0
    told = capsys.readouterr().out
    for words in ("accuracy under other settings", "own settings", "delay=3000, recurrent_noise=0.1", f"run: {folder}"):
        assert words in told
    assert labels(bn.open_run(folder)) == ["own settings", "delay=1000", "delay=3000, recurrent_noise=0.1"]
    assert main(["evaluate", str(folder), "--set", "task.dely=1"]) == 2
    error = capsys.readouterr().err
    assert "did you mean task.delay?" in error
    assert error.startswith("biornn: ")
