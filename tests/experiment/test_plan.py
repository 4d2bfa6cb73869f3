"""What an experiment will be, before anything is trained."""

from pathlib import Path

import pytest
import xarray as xr

from biornn.cli import main
from biornn.experiment import Experiment, expand
from biornn.experiment.plan import REPORT_SECONDS, _bytes_on_disk, _seconds, _speed
from biornn.experiment.timing import Timing


@pytest.mark.usefixtures("shared_cluster")
def test_plan_prints_networks_parameters_time_and_disk_and_trains_nothing(
    experiment_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)  # pytest-xdist sets it
    assert main(["plan", str(experiment_file)]) == 0
    printed = capsys.readouterr().out
    assert "4 networks" in printed
    # 2 inputs and 2 outputs of 8 units, 64 recurrent weights, 8 + 2 biases
    assert "106 (input 16, recurrent 64, output 16, bias 10)" in printed
    assert "initial recurrent weights: drawn by the rule gamma" in printed
    assert "time: about " in printed
    assert "disk: about " in printed
    assert list(tmp_path.iterdir()) == []


def test_the_time_is_that_of_the_worker_that_is_done_last() -> None:
    specs = expand(Experiment(conditions={"small": {}, "large": {"training.batch_size": 64}}, seeds=2))
    small, large = (_speed(spec) for spec in specs[:2])
    assert small != large
    timings = {small: Timing(1.0, 0.01, 0.0, loading=5.0), large: Timing(1.0, 0.02, 0.0, loading=4.0)}
    # 1,000 updates: 11 s and 21 s each. One of two workers takes both small ones, the other both large ones.
    around = 3 + 5 + REPORT_SECONDS  # starting the workers, loading Keras, the report
    assert _seconds(specs, timings, n_workers=1, starting=3) == pytest.approx(around + 2 * (11 + 21))
    assert _seconds(specs, timings, n_workers=2, starting=3) == pytest.approx(around + 21 + 21)
    assert _seconds(specs, timings, n_workers=4, starting=3) == pytest.approx(around + 21)


def test_masks_and_signs_are_no_reason_to_measure_again() -> None:
    free, dale = expand(Experiment(conditions={"free": {}, "dale": {"excitatory_fraction": 0.8}}, seeds=1))
    assert _speed(free) == _speed(dale)


def test_the_space_is_that_of_the_arrays(run: xr.DataTree) -> None:
    specs = expand(Experiment.model_validate_json(run.attrs["experiment"]))
    stored = sum(
        array.nbytes
        for node in run.children.values()
        for array in node.to_dataset().data_vars.values()
        if array.dtype.kind in "fb"
    )
    # The estimate leaves out what does not grow: histories, audits, response windows.
    assert 0.8 * stored < _bytes_on_disk(specs) <= stored
