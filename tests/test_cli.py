"""The command line: what it prints, and its exit status."""

import re
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
import zarr
from threadpoolctl import threadpool_info, threadpool_limits

import biornn as bn
from biornn.cli import main
from biornn.report.reading import Reading
from biornn.report.section import Section
from biornn.schema import text


def out(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out


def test_a_report_decomposes_matrices_with_one_thread(run_copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def n_threads() -> set[int]:
        return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}

    found: list[set[int]] = []

    def answer(reading: Reading) -> Section:
        found.append(n_threads())
        return Section("answer", "", ())

    monkeypatch.setattr("biornn.report.workers.SECTIONS", {"answer": answer})
    monkeypatch.setattr("biornn.report.write.SECTIONS", {"answer": answer})
    with threadpool_limits(2, user_api="blas"):
        assert main(["report", str(run_copy), "--workers", "1"]) == 0
        assert n_threads() == {2}
    assert found == [{1}]


@pytest.mark.nightly
@pytest.mark.usefixtures("shared_cluster")
def test_overwriting_replaces_a_run_when_the_new_one_is_complete(
    run_copy: Path, experiment_file: Path, run: xr.DataTree, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["run", str(experiment_file), "--out", str(run_copy), "--overwrite", "--set", "training.max_updates=2"]
    assert main(arguments) == 0
    printed = capsys.readouterr()
    new = bn.open_run(run_copy).load()
    assert new["weights"]["update"].values.tolist() == [0, 2]
    # The same seeds: the same initial weights, in another process.
    xr.testing.assert_equal(
        new["weights"].to_dataset().recurrent_weights.isel(snapshot=0, drop=True),
        run["weights"].to_dataset().recurrent_weights.isel(snapshot=0, drop=True),
    )
    assert "Conditions compared: median [min, max]" in printed.out
    assert re.search(r"│ constrained +│ +2/2 │", printed.out)
    assert re.search(r"^\[4/4\] \S+  completed after 2 updates", printed.err, re.MULTILINE)
    assert [path.name for path in run_copy.parent.iterdir()] == [run_copy.name]
    assert {path.name for path in run_copy.iterdir()} == {"run.zarr", "figures", "report.html", "report.json"}
    assert len(list((run_copy / "figures").glob("*.png"))) > 10


def test_audit_of_a_clean_run(finished_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", str(finished_run)]) == 0
    printed = out(capsys)
    assert "0 violations in 4 networks at 4 snapshots each" in printed
    counts = "sign_violations 0  mask_violations 0  autapses 0  fixed_changes 0"
    assert f"constrained-s01  {counts}  rates of both signs  completed" in printed


def test_audit_finds_a_planted_violation(run_copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    group = zarr.open_group(run_copy / "run.zarr", mode="r+")
    group["weights/recurrent_weights"][2, 1, 0, 0] = 0.5  # an autapse of constrained-s03
    assert main(["audit", str(run_copy)]) == 1
    printed = out(capsys)
    assert "constrained-s03  sign_violations 0  mask_violations 0  autapses 1" in printed
    assert "1 violations" in printed


def test_audit_refuses_nan_in_a_file(run_copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    group = zarr.open_group(run_copy / "run.zarr", mode="r+")
    group["weights/recurrent_weights"][0, 0, 0, 0] = float("nan")
    assert main(["audit", str(run_copy)]) == 2
    assert "expected finite values in network unconstrained-s03" in capsys.readouterr().err


def test_info_says_what_a_run_holds(finished_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", str(finished_run)]) == 0
    printed = out(capsys)
    assert "A small comparison" in printed
    (activity,) = (line for line in printed.splitlines() if line.startswith("/activity  "))
    assert set(activity.removeprefix("/activity  ").split(", ")) == {
        "network 4",
        "trial 5",
        "time 160",
        "unit 8",
        "output_channel 2",
    }
    assert "keras" in printed
    assert "Conditions compared" in printed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["audit", "nowhere"], "nowhere: expected a run folder with run.zarr in it, found none"),
        (["info", "nowhere"], "nowhere: expected a run folder"),
        (["run", "none.yaml"], "none.yaml: expected a readable file, got No such file or directory"),
    ],
)
def test_what_is_not_there_gets_one_line_and_status_2(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"biornn: {message}")
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (["--set", "network.n_units=-1"], "network.n_units: input should be greater than or equal to 1, got -1"),
        (["--out", "{tmp}/file/run"], "{tmp}/file/run: expected a folder that can be written, got: Not a directory"),
        (["--out", "{tmp}"], "expected a new folder, but it exists"),
    ],
)
def test_bad_input_leaves_nothing_behind(
    experiment_file: Path, tmp_path: Path, extra: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("no folder")
    extra = [word.replace("{tmp}", str(tmp_path)) for word in extra]
    arguments = ["run", str(experiment_file), *extra]
    if "--out" not in extra:
        arguments += ["--out", str(tmp_path / "run")]
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert message.replace("{tmp}", str(tmp_path)) in error
    assert error.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_network_without_weights_shows_in_the_exit_status(
    experiment_file: Path,
    tmp_path: Path,
    run: xr.DataTree,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = run.copy()
    history = run["history"].to_dataset()
    status = np.where(text(history["condition"]) == "constrained", "diverged", text(history["status"]))
    found["history"] = xr.DataTree(history.assign(status=("network", status)))
    monkeypatch.setattr("biornn.experiment.run_experiment", lambda *arguments, **settings: found)
    arguments = ["run", str(experiment_file), "--out", str(tmp_path / "run"), "--no-report"]
    assert main(arguments) == 1
    printed = out(capsys)
    assert re.search(r"│ unconstrained +│ +2/2 │", printed)
    assert re.search(r"│ constrained +│ +0/2 │ +– │ +none", printed)
    found["history"] = xr.DataTree(history)
    assert main(arguments) == 0


@pytest.mark.nightly
@pytest.mark.usefixtures("shared_cluster")
def test_a_network_that_diverges_shows_in_the_exit_status(
    experiment_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changes = ["conditions={wild: {training.learning_rate: 1.0e+30, training.clip_norm: null}}", "seeds=1"]
    assert main(["run", str(experiment_file), "--out", str(tmp_path / "run"), "--no-report", "--set", *changes]) == 1
    assert re.search(r"│ wild +│ +0/1 │ +– │ +none", out(capsys))
    assert {path.name for path in (tmp_path / "run").iterdir()} == {"run.zarr"}


def test_an_interruption_is_told_and_has_its_own_status(
    experiment_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*args: object, **kwargs: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("biornn.experiment.run_experiment", interrupted)
    assert main(["run", str(experiment_file), "--out", str(tmp_path / "run")]) == 130
    assert "interrupted" in capsys.readouterr().err


def test_workers_are_counted_from_one(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["run", "x.yaml", "--workers", "0"])
    assert "--workers: expected an integer of at least 1, got '0'" in capsys.readouterr().err
