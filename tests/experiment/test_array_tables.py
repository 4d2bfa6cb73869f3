"""Tables of synapses in files of every kind, and what is wrong with those that are none."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from biornn.experiment.array_tables import content_hash, read_table

NAMES = ["PV1", "E7", "E2"]
WEIGHTS = np.array([[0.0, -0.5, -0.25], [0.3, 0.0, 0.0], [0.0, 1e-3, 0.1]])
TABLE = xr.DataArray(WEIGHTS, {"unit_pre": NAMES, "unit_post": NAMES}, ("unit_pre", "unit_post"), name="weights")
EDGES = [(NAMES[pre], NAMES[post], WEIGHTS[pre, post]) for pre, post in zip(*WEIGHTS.nonzero(), strict=True)]


def write(path: Path) -> Path:
    """Write the table in the way of a file's name."""
    frame = pd.DataFrame(WEIGHTS, NAMES, NAMES)
    writers = {
        "square.csv": frame.to_csv,
        "sorted.csv": frame[sorted(NAMES)].to_csv,
        "edges.csv": lambda to: pd.DataFrame(EDGES, columns=["pre", "post", "weight"]).to_csv(to),
        "array.npy": lambda to: np.save(to, WEIGHTS),
        "array.npz": lambda to: np.savez(to, any=WEIGHTS, unit_names=np.array(NAMES)),
        "turned.nc": TABLE.transpose().isel(unit_post=[2, 0, 1]).to_netcdf,
        "table.zarr": TABLE.assign_coords({dim: TABLE[dim].astype(object) for dim in TABLE.dims}).to_dataset().to_zarr,
    }
    writers[path.name](path)
    return path


KINDS = ("square.csv", "sorted.csv", "edges.csv", "array.npy", "array.npz", "turned.nc", "table.zarr")


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.filterwarnings("ignore:Consolidated metadata is currently not part")  # of zarr, on writing
def test_every_kind_of_file_gives_the_table(tmp_path: Path, name: str) -> None:
    table = read_table(write(tmp_path / name))
    assert table.dims == ("unit_pre", "unit_post")
    if name == "array.npy":
        assert not table.coords
    else:
        assert table["unit_pre"].values.tolist() == table["unit_post"].values.tolist() == NAMES
    np.testing.assert_array_equal(table, WEIGHTS)


def test_a_list_of_edges_without_weights_has_ones_and_truth_is_a_number(tmp_path: Path) -> None:
    (tmp_path / "edges.csv").write_text("post, pre\n7, 5\n5, 12\n")
    table = read_table(tmp_path / "edges.csv")
    assert table["unit_pre"].values.tolist() == [5, 7, 12]  # integers, in the order in which they are named
    np.testing.assert_array_equal(table, [[0, 1, 0], [0, 0, 0], [1, 0, 0]])
    pd.DataFrame(WEIGHTS > 0, NAMES, NAMES).to_csv(tmp_path / "mask.csv")
    np.testing.assert_array_equal(read_table(tmp_path / "mask.csv"), WEIGHTS > 0)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "", r"one of the shape \(0, 0\)"),
        ("a.csv", ",a,b\na,1,2", r"one of the shape \(1, 2\)"),
        ("a.csv", ",a,a\na,1,2\na,1,2", "the unit 'a' twice"),
        ("a.csv", ",a,b\na,1,2\nc,1,2", "the unit 'b' along one side alone"),
        ("a.csv", ",1,2\n1,1,2\na,1,2", "the unit '2' along one side alone"),
        ("a.csv", "pre,post,weights\na,b,1", "the columns pre, post, weights, of which none is weight; rename or drop"),
        ("a.csv", "pre,post\na,b\na,b ", "the edge from 'a' to 'b' twice"),
        ("a.csv", ",a,b\na,1,\nb,1,2", "nan from unit 'a' to unit 'b'"),
        ("a.csv", ",a,b\na,1,2\nb,inf,2", "inf from unit 'b' to unit 'a'"),
        ("a.csv", ",a,b\na,1\nb,1,2", "2 cells in row 2 instead of 3"),
        ("a.csv", ",a,b\na,1,x\nb,1,2", "could not convert string to float: 'x' in the row of 'a'"),
        ("a.csv", "pre,post,weight\na,b,1\na,b,2", "the edge from 'a' to 'b' twice"),
        ("a.csv", "pre,post,weight\na,b,", "nan from unit 'a' to unit 'b'"),
        ("a.csv", "pre,post,weight\na", "1 cells in row 2 instead of 3"),
        ("a.csv", b"\xff\xfe", "'utf-8' codec can't decode"),
        ("a.npy", b"junk", "This file contains pickled"),
        ("a.npz", b"PK\x03\x04junk", "File is not a zip file"),
        ("a.nc", b"junk", "did not find a match in any of xarray's"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, name: str, content: str | bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(ValueError, match=f"^{message}"):
        read_table(tmp_path / name)


def test_arrays_that_are_no_table_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "rectangle.npy", WEIGHTS[:2])
    np.save(tmp_path / "cube.npy", np.zeros((2, 2, 2)))
    np.save(tmp_path / "text.npy", np.full((2, 2), "x"))
    np.save(tmp_path / "nan.npy", np.where(WEIGHTS == 0.3, np.nan, WEIGHTS))
    np.savez(tmp_path / "two.npz", a=WEIGHTS, b=WEIGHTS)
    TABLE.rename(unit_pre="pre").to_netcdf(tmp_path / "dims.nc")
    TABLE.to_dataset().assign(other=TABLE).to_netcdf(tmp_path / "two.nc")
    for name, message in {
        "rectangle.npy": r"one of the shape \(2, 3\)",
        "cube.npy": r"one of the shape \(2, 2, 2\)",
        "text.npy": "values of the type <U1",
        "nan.npy": "nan from unit 1 to unit 0",
        "two.npz": "the arrays a, b, of which one is expected",
        "dims.nc": r"the dims \('pre', 'unit_post'\) instead of",
        "two.nc": "the variables weights, other, of which one is expected",
    }.items():
        with pytest.raises(ValueError, match=f"^{message}"):
            read_table(tmp_path / name)


POSITIONS = xr.DataArray([[0.5, 2.0], [1.0, -1.0]], {"unit": ["E7", "E2"], "axis": ["x", "y"]}, ("unit", "axis"))


@pytest.mark.parametrize("name", ["a.csv", "a.npy", "a.npz", "a.nc"])
def test_tables_of_other_dims_need_not_be_square(tmp_path: Path, name: str) -> None:
    table, path = POSITIONS.isel(axis=[0]), tmp_path / name
    if name == "a.csv":
        table.to_pandas().to_csv(path)
    elif name == "a.nc":
        table.transpose().to_netcdf(path)
    else:
        np.save(path, table) if name == "a.npy" else np.savez(path, table, unit_names=["E7", "E2"])
    found = read_table(path, ("unit", "axis"))
    np.testing.assert_array_equal(found, table)
    assert found.dims == ("unit", "axis")
    assert "unit" not in found.coords if name == "a.npy" else found["unit"].values.tolist() == ["E7", "E2"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("unit,x,x\nE7,1,2", "the axis 'x' twice"),
        ("unit,x,y\nE7,1,2\nE7,1,2", "the unit 'E7' twice"),
        ("unit,x,y\nE7,1,", "nan of unit 'E7' along axis 'y'"),
        ("unit,pre,post\nE7,1,a", "could not convert string to float: 'a' in the row of 'E7'"),
        ("unit\nE7", r"one of the shape \(1, 0\)"),
    ],
)
def test_what_is_wrong_with_them_is_said(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "a.csv").write_text(content)
    with pytest.raises(ValueError, match=f"^{message}"):
        read_table(tmp_path / "a.csv", ("unit", "axis"))


def test_units_with_numbers_and_axes_with_letters(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,y,x\n7,1,2\n12,3,4\n")
    found = read_table(tmp_path / "a.csv", ("unit", "axis"))
    assert found["unit"].values.tolist() == [7, 12]
    assert found["axis"].values.tolist() == ["y", "x"]


def test_the_hash_is_that_of_the_content(tmp_path: Path) -> None:
    for name in ("a.zarr", "b.zarr"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "one").write_text("1")
    assert content_hash(tmp_path / "a.zarr") == content_hash(tmp_path / "b.zarr")
    assert content_hash(tmp_path / "a.zarr" / "one") == content_hash(tmp_path / "b.zarr" / "one")
    (tmp_path / "b.zarr" / "two").touch()
    assert content_hash(tmp_path / "a.zarr") != content_hash(tmp_path / "b.zarr")
    with pytest.raises(IsADirectoryError):
        content_hash(tmp_path)  # not of all that is in it
