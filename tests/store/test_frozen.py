"""One frozen run for every version of the schema: the last is read to every digit, older ones are refused in a line."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import zarr

import biornn as bn
from biornn.cli import main
from biornn.report import summarise
from biornn.schema import SCHEMA_VERSION, SchemaError

FROZEN = Path(__file__).parent / "frozen"
READ = range(2, SCHEMA_VERSION + 1)  # versions that are read


@pytest.fixture
def frozen(tmp_path: Path, version: int) -> Path:
    """Folder of the run that was frozen when a schema version was new."""
    shutil.unpack_archive(FROZEN / f"schema_{version}.tar.xz", tmp_path / "run", filter="data")
    return tmp_path / "run"


def test_every_version_has_its_frozen_run() -> None:
    expected = {f"schema_{version}.tar.xz" for version in range(1, SCHEMA_VERSION + 1)}
    assert {path.name for path in FROZEN.glob("*.tar.xz")} == expected, "python tests/store/frozen/make.py"


@pytest.mark.parametrize("version", [1])
def test_an_older_version_is_refused_in_one_line(frozen: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("info", "audit", "report"):
        assert main([command, str(frozen)]) == 2
        assert capsys.readouterr().err == (
            f"biornn: {frozen}: expected schema_version {SCHEMA_VERSION}, got 1; make the run again, or open it with "
            "the biornn that wrote it\n"
        )


@pytest.mark.parametrize("version", READ)
def test_a_run_of_each_version_is_read_whole(frozen: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = bn.open_run(frozen)
    bn.validate(run)
    assert summarise(run)["trained"].all()
    # The weights still give the recorded activity back; they are stored in single precision.
    again = bn.analysis.simulate(run["weights"].to_dataset(), run["trials"].inputs)
    np.testing.assert_allclose(again.rates.transpose(*run["activity"].rates.dims), run["activity"].rates, atol=1e-5)
    for command in ("info", "audit"):
        assert main([command, str(frozen)]) == 0
    assert "unconstrained-s00" in capsys.readouterr().out


@pytest.mark.nightly
@pytest.mark.parametrize("version", READ)
def test_a_run_of_each_version_has_a_report(frozen: Path) -> None:
    assert main(["report", str(frozen)]) == 0


@pytest.mark.parametrize("version", [2])
def test_the_values_of_version_2(frozen: Path) -> None:
    run = bn.open_run(frozen).load()
    assert run.attrs["schema_version"] == 2
    assert run.attrs["title"] == "Frozen"
    assert run["weights"].condition.values.tolist() == ["unconstrained", "constrained"]
    assert run["weights"]["update"].values.tolist() == [0, 2]
    weights = run["weights"].to_dataset().sel(network="constrained-s00")
    assert weights.cell_type.values.tolist() == ["excitatory"] * 3 + ["inhibitory"]
    # As they stood in the store on the day that it was frozen, to every digit.
    assert weights.recurrent_weights.isel(snapshot=-1).values.tolist() == [
        [0.0, 0.2566051185131073, 0.8903418183326721, 0.1506064236164093],
        [0.14897605776786804, 0.0, 0.13859403133392334, 0.0],
        [0.1300162822008133, 0.2729963958263397, 0.0, 1.2313202619552612],
        [0.0, -0.5515748262405396, -1.006874442100525, 0.0],
    ]
    assert run["history"].val_loss.values[:, 0].tolist() == [0.26327891746900733, 0.2941231109522697]
    assert run["history"].score.values[:, -1].tolist() == [0.48333333333333334, 0.6000000000000001]
    assert run["history"].status.values.tolist() == ["completed"] * 2
    assert run["activity"].outputs.values[:, 0, -1, 0].tolist() == [0.19147667288780212, 0.005324814934283495]
    assert run["probe_trials"].memory_state.values[:, -1].tolist() == ["-"]


@pytest.mark.parametrize("version", [SCHEMA_VERSION])
def test_a_newer_schema_is_refused_with_advice(frozen: Path, capsys: pytest.CaptureFixture[str]) -> None:
    newer = SCHEMA_VERSION + 1
    zarr.open_group(frozen / "run.zarr", mode="r+").attrs["schema_version"] = newer
    advice = f"expected schema_version {SCHEMA_VERSION}, got {newer}; update biornn"
    with pytest.raises(SchemaError, match=advice):
        bn.open_run(frozen)
    for command in ("info", "audit", "report"):
        assert main([command, str(frozen)]) == 2
        assert capsys.readouterr().err == f"biornn: {frozen}: {advice}\n"
    assert {path.name for path in frozen.iterdir()} == {"run.zarr"}
