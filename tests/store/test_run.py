"""A run on disk: filled network by network, opened with plain xarray, refused when it is not whole."""

import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
import zarr

import biornn as bn
from biornn.schema import SchemaError
from biornn.store import NETWORK_GROUPS, RunWriter


def test_plain_xarray_opens_a_run_without_a_warning(finished_run: Path, run: xr.DataTree) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tree = xr.open_datatree(finished_run / "run.zarr", engine="zarr")
    plain = run.map_over_datasets(lambda dataset: dataset.drop_indexes("update", errors="ignore"))
    xr.testing.assert_identical(tree.load(), plain)
    assert run["weights"].condition.values.tolist() == ["unconstrained"] * 2 + ["constrained"] * 2
    assert run["weights"].seed.values.tolist() == [3, 1, 3, 1]


def test_the_store_itself_can_be_named(finished_run: Path, run: xr.DataTree) -> None:
    xr.testing.assert_identical(bn.open_run(finished_run / "run.zarr").load(), run)


def test_a_run_larger_than_memory_opens_in_the_chunks_of_the_store(finished_run: Path, run: xr.DataTree) -> None:
    lazy = bn.open_run(finished_run, chunks={})
    assert bn.open_run(finished_run)["activity"].rates.chunks is None
    assert lazy["activity"].rates.chunks == ((1,) * 4, *((size,) for size in run["activity"].rates.shape[1:]))
    assert "update" in lazy["weights"].to_dataset().xindexes
    assert lazy["weights"].recurrent_weights.chunks[1] == (1,) * run["weights"].sizes["snapshot"]
    xr.testing.assert_identical(lazy.load(), run)


@pytest.mark.parametrize("chunks", [None, pytest.param({}, marks=pytest.mark.nightly)])
def test_a_snapshot_is_found_by_its_update(finished_run: Path, run: xr.DataTree, chunks: dict[str, int] | None) -> None:
    opened = bn.open_run(finished_run, chunks=chunks)
    update = run["weights"]["update"].values.tolist()
    assert len(update) == len(set(update)) == 4
    for group in ("weights", "history", "audit"):
        for snapshot, one in enumerate(update):
            found = opened[group].to_dataset().sel(update=one)
            assert found["update"] == one
            xr.testing.assert_equal(found, run[group].to_dataset().isel(snapshot=snapshot))
        between = opened[group].to_dataset().sel(update=slice(update[1], update[2]))
        assert between["snapshot"].values.tolist() == [1, 2]
    nearest = opened["weights"].recurrent_weights.sel(update=update[-1] + 100, method="nearest")
    assert nearest["snapshot"] == 3
    with pytest.raises(KeyError):
        opened["weights"].ds.sel(update=update[-1] + 100)
    assert "update" in opened["history"].score.drop_indexes("update").to_dataframe()  # as the notes say


@pytest.mark.parametrize("updates", [[0, -1, 4, 5], [0, 2, 2, 5], [-1, -1, -1, -1]])
def test_updates_that_are_not_known_or_stand_twice_are_no_index(run_copy: Path, updates: list[int]) -> None:
    for group in ("weights", "history", "audit"):
        zarr.open_group(run_copy / "run.zarr", mode="r+")[f"{group}/update"][:] = updates
    opened = bn.open_run(run_copy)
    assert opened["weights"]["update"].values.tolist() == updates
    assert "update" not in opened["weights"].to_dataset().xindexes
    assert opened["weights"].ds.sel(snapshot=2)["update"] == updates[2]


def test_a_chunk_belongs_to_one_network(finished_run: Path) -> None:
    root = zarr.open_group(finished_run / "run.zarr", mode="r")
    for group in NETWORK_GROUPS:
        for name, array in root[group].arrays():
            if name not in ("network", "condition", "seed") and array.metadata.dimension_names[:1] == ("network",):
                assert array.chunks[0] == 1 or array.dtype == np.dtypes.StringDType(), (group, name)


@pytest.mark.parametrize("order", [pytest.param([0, 1, 2], marks=pytest.mark.nightly), [2, 0, 1]])
def test_networks_may_be_written_in_any_order_and_a_missing_one_is_marked(
    run: xr.DataTree, tmp_path: Path, order: list[int]
) -> None:
    labels = run.to_dataset()
    writer = RunWriter(
        tmp_path / "out", labels, run.attrs, {name: run[name].to_dataset() for name in ("trials", "probe_trials")}
    )
    for index in order:
        rows = {group: run[group].to_dataset().isel(network=index) for group in NETWORK_GROUPS}
        rows = {group: row.drop_vars(["network", "condition", "seed"]) for group, row in rows.items()}
        writer.write_network(str(labels.network.values[index]), rows)
    writer.finish()
    written = bn.open_run(tmp_path / "out").load()
    for group in NETWORK_GROUPS:
        xr.testing.assert_equal(
            written[group].to_dataset().isel(network=order), run[group].to_dataset().isel(network=order)
        )
    missing = written["history"].to_dataset().isel(network=3)
    assert missing.status == "interrupted"
    assert np.isnan(missing.loss).all()
    assert np.isnan(written["weights"].to_dataset().recurrent_weights.isel(network=3)).all()
    bn.validate(written)


def test_a_run_that_was_interrupted_is_refused(run_copy: Path) -> None:
    zarr.open_group(run_copy / "run.zarr", mode="r+").attrs["complete"] = 0
    with pytest.raises(SchemaError, match="got one that is still being written, or was broken off"):
        bn.open_run(run_copy)


@pytest.mark.parametrize("version", [3, "new", None])
def test_a_newer_schema_is_refused_with_advice(run_copy: Path, version: object) -> None:
    group = zarr.open_group(run_copy / "run.zarr", mode="r+")
    group.attrs["schema_version"] = version
    with pytest.raises(SchemaError, match=f"expected schema_version 2, got {version!r}; update biornn"):
        bn.open_run(run_copy)


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"expected a run folder with run\.zarr in it, found none"):
        bn.open_run(tmp_path)


def test_a_damaged_store_is_refused_in_one_line(run_copy: Path) -> None:
    (run_copy / "run.zarr" / "zarr.json").write_text("{not json")
    with pytest.raises(SchemaError, match="expected a readable run, got") as caught:
        bn.open_run(run_copy)
    assert "\n" not in str(caught.value)


def test_a_run_is_never_written_over(finished_run: Path, run: xr.DataTree, tmp_path: Path) -> None:
    shutil.copytree(finished_run, tmp_path / "there")
    with pytest.raises(FileExistsError):
        RunWriter(tmp_path / "there", run.to_dataset(), run.attrs, {})
    xr.testing.assert_identical(bn.open_run(tmp_path / "there").load(), run)
