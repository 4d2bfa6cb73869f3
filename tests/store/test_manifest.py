"""A complete run says when it was damaged."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
import zarr

import biornn as bn
from biornn.cli import main
from biornn.schema import SchemaError
from biornn.store import changes


def files(folder: Path) -> list[Path]:
    return [path for path in sorted((folder / "run.zarr").rglob("*")) if path.is_file()]


@pytest.mark.parametrize("every", [40, pytest.param(1, marks=pytest.mark.nightly)])
def test_every_file_that_is_missing_is_noticed(run_copy: Path, every: int) -> None:
    for path in files(run_copy)[::every]:
        if path.name == "manifest.json":
            continue  # a store without one is read, and not looked at
        content = path.read_bytes()
        path.unlink()
        with pytest.raises((SchemaError, FileNotFoundError)) as raised:
            bn.open_run(run_copy)
        assert "\n" not in str(raised.value)
        if path.name != "zarr.json":
            assert f"{path.relative_to(run_copy / 'run.zarr')} is missing; take it from a copy" in str(raised.value)
        path.write_bytes(content)
    bn.open_run(run_copy)


@pytest.mark.parametrize("n_flips", [4, pytest.param(150, marks=pytest.mark.nightly)])
def test_a_flipped_bit_is_noticed_or_changes_nothing(run_copy: Path, run: xr.DataTree, n_flips: int) -> None:
    rng, noticed = np.random.default_rng(0), {"metadata": 0, "chunk": 0}
    paths = files(run_copy)
    for index in rng.integers(len(paths), size=n_flips):
        content = paths[index].read_bytes()
        damaged = bytearray(content)
        damaged[rng.integers(len(content))] ^= 1 << rng.integers(8)
        paths[index].write_bytes(damaged)
        try:
            found = bn.open_run(run_copy)
            bn.validate(found)
        except SchemaError:
            noticed["metadata" if paths[index].name == "zarr.json" else "chunk"] += 1
        else:
            # An attribute, which is text for readers, and is told apart.
            xr.testing.assert_equal(found, run)
            assert changes(run_copy) or found.load().identical(run)
        paths[index].write_bytes(content)
    assert min(noticed.values()) > n_flips // 30


def test_values_that_cannot_be_read_are_told_in_one_line(run_copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chunk = next(path for path in files(run_copy) if "activity/rates/c" in path.as_posix())
    chunk.write_bytes(chunk.read_bytes()[:-8])
    for command in (["audit", str(run_copy)], ["info", str(run_copy)], ["report", str(run_copy)]):
        assert main(command) == 2
        error = capsys.readouterr().err
        assert "activity/rates: expected values that can be read, got " in error
        assert error.count("\n") == 1
    with pytest.raises(SchemaError, match="activity/rates: expected values that can be read"):
        bn.validate(bn.open_run(run_copy, chunks={}))


def test_attributes_may_be_corrected_and_groups_added(run_copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert changes(run_copy) == []
    zarr.open_group(run_copy / "run.zarr", mode="r+").attrs["title"] = "A better title"
    spectra = bn.analysis.eigenspectrum(bn.open_run(run_copy)["weights"].recurrent_weights).to_dataset(
        name="eigenvalue"
    )
    spectra.drop_vars(list(spectra.coords)).to_zarr(
        run_copy / "run.zarr", group="spectra", mode="a", consolidated=False
    )
    assert bn.open_run(run_copy).attrs["title"] == "A better title"
    assert changes(run_copy) == ["attributes of /"]
    assert main(["audit", str(run_copy)]) == 0
    assert "not as it was written: attributes of /" in capsys.readouterr().err


def test_another_layout_is_refused(run_copy: Path) -> None:
    path = run_copy / "run.zarr" / "weights" / "recurrent_weights" / "zarr.json"
    metadata = json.loads(path.read_text())
    metadata["shape"][0] = 10**12
    path.write_text(json.dumps(metadata))
    with pytest.raises(SchemaError, match="weights/recurrent_weights has other layout metadata; take it from a copy"):
        bn.open_run(run_copy)


@pytest.mark.parametrize("content", ["", "[]", "{", '{"layout": 1}', '{"layout": {}, "consolidated": {}}'])
def test_a_manifest_that_is_none_is_noticed(run_copy: Path, content: str) -> None:
    (run_copy / "run.zarr" / "manifest.json").write_text(content)
    with pytest.raises(SchemaError, match="it is no manifest"):
        bn.open_run(run_copy)


def test_a_store_that_was_copied_alone_is_read(run_copy: Path, tmp_path: Path, run: xr.DataTree) -> None:
    shutil.copytree(run_copy / "run.zarr", tmp_path / "alone" / "run.zarr")
    xr.testing.assert_identical(bn.open_run(tmp_path / "alone").load(), run)
    (tmp_path / "alone" / "run.zarr" / "manifest.json").unlink()
    xr.testing.assert_identical(bn.open_run(tmp_path / "alone").load(), run)
    assert changes(tmp_path / "alone") == []


def test_a_link_is_not_followed(run_copy: Path, tmp_path: Path) -> None:
    for path in (
        next(path for path in files(run_copy) if "/c/" in path.as_posix()),
        run_copy / "run.zarr" / "trials" / "zarr.json",
    ):
        elsewhere = path.rename(tmp_path / "elsewhere")
        path.symlink_to(elsewhere)  # to what is even the same
        with pytest.raises(SchemaError, match="is a link, or no file at all"):
            bn.open_run(run_copy)
        path.unlink()
        elsewhere.rename(path)
    bn.open_run(run_copy)
