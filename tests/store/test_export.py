"""A run as a NetCDF file: read with netCDF4 and h5netcdf, which know nothing of xarray, and back with xarray."""

import json
import math
import warnings
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import NamedTuple

import dask
import h5netcdf
import netCDF4
import numpy as np
import pytest
import xarray as xr

import biornn as bn
from biornn.cli import main
from biornn.schema import GROUPS
from biornn.store import export_netcdf

ENGINES = ("netcdf4", "h5netcdf")


class Exported(NamedTuple):
    """A file, what the command said of it, and the size in bytes of the largest part that was in memory."""

    file: Path
    told: str
    largest: int


@pytest.fixture(scope="module")
def exported(finished_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """The finished run as a file; read it only."""
    largest = 0

    class Watch(dask.callbacks.Callback):
        def _posttask(self, key: object, result: object, *args: object) -> None:
            nonlocal largest
            largest = max(largest, getattr(result, "nbytes", 0))

    path = tmp_path_factory.mktemp("export") / "run.nc"
    with Watch(), warnings.catch_warnings(), redirect_stdout(StringIO()) as told:
        warnings.simplefilter("error")
        assert main(["export", str(finished_run), "--netcdf", str(path)]) == 0
    return Exported(path, told.getvalue(), largest)


@pytest.fixture(scope="module")
def file(exported: Exported) -> Path:
    return exported.file


def opened(file: Path, engine: str = "h5netcdf") -> xr.DataTree:
    with xr.open_datatree(file, engine=engine) as tree:
        return tree.load()


@pytest.mark.parametrize("engine", ENGINES)
def test_xarray_gives_back_an_equal_run_that_is_valid(file: Path, run: xr.DataTree, engine: str) -> None:
    again = opened(file, engine)
    xr.testing.assert_equal(again, run)
    bn.validate(again)
    assert set(again.children) == set(run.children)
    assert dict(again.attrs) == dict(run.attrs)
    for group in GROUPS:
        for name, array in run[group].data_vars.items():
            assert again[group][name].attrs == array.attrs, (group, name)
            assert again[group][name].dims == array.dims
            if array.dtype.kind in "fiub":
                assert again[group][name].dtype == array.dtype, (group, name)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_group_can_be_read_alone_with_the_labels_of_its_dims(file: Path, run: xr.DataTree, engine: str) -> None:
    with xr.open_dataset(file, group="activity", engine=engine) as activity:
        rates = activity.rates.sel(network="constrained-s03", unit=2, trial=1).load()
    expected = run["activity"].rates.sel(network="constrained-s03", unit=2, trial=1)
    xr.testing.assert_equal(rates, expected)
    assert rates.condition == "constrained"


def test_plain_netcdf4_reads_it(file: Path, run: xr.DataTree) -> None:
    with netCDF4.Dataset(file) as root:
        assert set(root.groups) == set(run.children)
        assert root.schema_version == run.attrs["schema_version"]
        assert json.loads(root.experiment) == json.loads(run.attrs["experiment"])
        assert root["network"][:].tolist() == run.network.values.tolist()
        weights = root["weights"]
        recurrent = weights["recurrent_weights"]
        assert recurrent.dimensions == ("network", "snapshot", "unit_pre", "unit_post")
        np.testing.assert_array_equal(recurrent[:], run["weights"].recurrent_weights.values)
        assert recurrent.units == "1"
        # A dim may be the parent's, as NetCDF means it; its labels stand in the group, where a reader looks first.
        for dim in recurrent.dimensions:
            assert dim in weights.dimensions or dim in root.dimensions
            assert weights[dim].dimensions == (dim,)
            assert weights[dim].size == run["weights"].sizes[dim]
        assert weights["condition"][:].tolist() == run["weights"].condition.values.tolist()
        assert weights["cell_type"].dtype is str
        assert weights["cell_type"][:].tolist() == run["weights"].cell_type.values.tolist()
        mask = weights["recurrent_mask"]
        assert mask.dtype == np.int8
        assert mask.getncattr("dtype") == "bool"
        np.testing.assert_array_equal(mask[:], run["weights"].recurrent_mask.values)
        assert recurrent.filters()["zlib"]


def test_plain_h5netcdf_reads_it(file: Path, run: xr.DataTree) -> None:
    with h5netcdf.File(file, "r") as root:
        assert set(root.groups) == set(run.children)
        assert root.attrs["title"] == "A small comparison"
        weights = root["weights"]
        assert weights["recurrent_weights"].dimensions == ("network", "snapshot", "unit_pre", "unit_post")
        np.testing.assert_array_equal(weights["recurrent_weights"][...], run["weights"].recurrent_weights.values)
        np.testing.assert_array_equal(weights["recurrent_mask"][...], run["weights"].recurrent_mask.values)
        assert weights["recurrent_mask"].attrs["dtype"] == "bool"
        labels = [label.decode() if isinstance(label, bytes) else label for label in weights["network"][...]]
        assert labels == run.network.values.tolist()


def test_a_group_without_networks_carries_none(file: Path) -> None:
    with netCDF4.Dataset(file) as root:
        assert "network" not in root["trials"].dimensions
        assert "network" not in root["trials"].variables


@pytest.fixture
def spectra() -> xr.Dataset:
    values = np.array([[1 + 2j, 0.5 - 1j], [complex(np.nan, 1), 3]])
    return xr.Dataset(
        {"eigenvalues": (("network", "mode"), values, {"units": "1"})},
        {"network": ["a", "b"], "shift": ("network", np.array([1j, 2], np.complex64))},
    )


@pytest.mark.parametrize("chunked", [False, True])
def test_complex_numbers_are_split_into_re_and_im(spectra: xr.Dataset, tmp_path: Path, chunked: bool) -> None:
    # Of an inner group too; and in the chunks of Dask.
    tree = xr.DataTree.from_dict({"/spectra/before": spectra.chunk(mode=1) if chunked else spectra})
    file = export_netcdf(tree, tmp_path / "spectra.nc")
    eigenvalues = spectra.eigenvalues
    with netCDF4.Dataset(file) as root:
        written = root["spectra/before"]["eigenvalues"]
        assert written.dimensions == ("network", "mode", "part")
        assert written.dtype == np.float64
        assert written.units == "1"
        assert root["spectra/before"]["part"][:].tolist() == ["re", "im"]
        assert root["spectra/before"]["shift"].dtype == np.float32
        np.testing.assert_array_equal(written[..., 1], eigenvalues.values.imag)
    for engine in ENGINES:
        parts = opened(file, engine)["spectra/before"].to_dataset()
        # As docs/analysing_a_run.md says it.
        again = parts.eigenvalues.sel(part="re", drop=True) + 1j * parts.eigenvalues.sel(part="im", drop=True)
        np.testing.assert_array_equal(again.values.real, eigenvalues.values.real)
        np.testing.assert_array_equal(again.values.imag[~np.isnan(again.values.real)], [2, -1, 0])


@pytest.mark.nightly
def test_results_added_to_a_run_go_along(finished_run: Path, tmp_path: Path) -> None:
    tree = bn.open_run(finished_run, chunks={})
    eigenvalues = bn.analysis.eigenspectrum(tree["weights"].recurrent_weights)
    tree["spectra"] = xr.Dataset({"eigenvalues": eigenvalues})
    again = opened(export_netcdf(tree, tmp_path / "run.nc"))
    parts = again["spectra"].eigenvalues
    assert parts.dims == (*eigenvalues.dims, "part")
    np.testing.assert_array_equal(parts.sel(part="re").values, eigenvalues.values.real)
    assert parts.sel(network="constrained-s03").condition == "constrained"


def test_inherited_labels_are_found_in_the_group_itself(tmp_path: Path) -> None:
    tree = xr.DataTree.from_dict(
        {
            "/": xr.Dataset(coords={"network": ["a", "b"]}),
            "/inner": xr.Dataset({"x": ("network", [1, 2])}),
            "/inner/none": xr.Dataset({"y": ("trial", [1.0, 2.0, 3.0])}),
        }
    )
    with netCDF4.Dataset(export_netcdf(tree, tmp_path / "tree.nc")) as root:
        assert root["inner"]["network"][:].tolist() == ["a", "b"]
        assert root["inner"]["x"][:].tolist() == [1, 2]
        assert list(root["inner/none"].variables) == ["y"]
    xr.testing.assert_equal(opened(tmp_path / "tree.nc"), tree)


@pytest.mark.parametrize("engine", ENGINES)
def test_missing_values_and_odd_types_survive(tmp_path: Path, engine: str) -> None:
    dataset = xr.Dataset(
        {
            "missing": ("x", [1.0, np.nan, np.inf]),
            "flag": ("x", [True, False, True]),
            "text": ("x", np.array(["é", None, np.nan], object)),
            "fresh_text": ("x", np.array(["a", "", "long enough"], np.dtypes.StringDType())),
            "nul": ("x", ["a\0b", "\udc80", ""]),
            "half": ("x", np.array([0.5, 1, 2], np.float16)),
            "extended": ("x", np.array([0.5, 1, 2], np.longdouble)),
            "lowest": ("x", np.array([np.iinfo(np.int64).min, -1, np.iinfo(np.int64).max])),
            "when": ("x", np.array(["2026-01-01", "NaT", "2026-01-03"], "datetime64[ns]")),
            "one": 3.5,
            "name": "scalar text",
            "truth": True,
            "none": ("empty", np.zeros(0)),
            "no_text": ("empty", np.zeros(0, object)),
        },
        {"x": [1.5, 2.5, 3.5]},
    )
    again = opened(export_netcdf(xr.DataTree(dataset), tmp_path / "odd.nc"), engine).to_dataset()
    written_out = {"text": ("x", ["é", "", ""]), "nul": ("x", ["a\\x00b", "\\udc80", ""])}
    xr.testing.assert_equal(again, dataset.assign(written_out))
    assert again.flag.dtype == again.truth.dtype == bool
    assert (again.half.dtype, again.extended.dtype) == (np.float32, np.float64)


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (True, 1),
        (np.False_, 0),
        (3, 3),
        (2**70, str(2**70)),
        (2.5, 2.5),
        (np.float16(2.5), 2.5),
        (np.array(2.5), 2.5),
        (np.float32(2.5), 2.5),
        ("é", "é"),
        ("", ""),
        ("a" * 100_000, "a" * 100_000),
        (None, "null"),
        ([1, 2], [1, 2]),
        ([True, False], [1, 0]),
        ((1.5, 2), [1.5, 2.0]),
        (["a", "bc"], ["a", "bc"]),
        (np.array(["a", "bc"]), ["a", "bc"]),
        ([], "[]"),
        ([1, "a"], '[1, "a"]'),
        ([[1, 2], [3]], "[[1, 2], [3]]"),
        (np.ones((2, 2)), "[[1.0, 1.0], [1.0, 1.0]]"),
        ({"a": None, "b": np.int64(2)}, '{"a": null, "b": 2}'),
        (1 + 2j, '"(1+2j)"'),
    ],
)
def test_attributes_are_read_by_both(value: object, read: object, tmp_path: Path) -> None:
    array = xr.DataArray([1.0], dims="x", attrs={"mark": value})
    tree = xr.DataTree(xr.Dataset({"a": array}, attrs={"mark": value}))
    file = export_netcdf(tree, tmp_path / "attrs.nc")
    with netCDF4.Dataset(file) as root:
        found = [root.getncattr("mark"), root["a"].getncattr("mark")]
    with h5netcdf.File(file, "r") as root:
        found += [root.attrs["mark"], root["a"].attrs["mark"]]
    assert [one.tolist() if isinstance(one, np.ndarray | np.generic) else one for one in found] == [read] * 4
    assert tree.attrs["mark"] is value  # what was given stays as it was


def test_a_run_is_written_chunk_by_chunk(finished_run: Path, exported: Exported) -> None:
    rates = bn.open_run(finished_run)["activity"].rates
    assert 0 < exported.largest <= rates.nbytes // rates.sizes["network"]
    with netCDF4.Dataset(exported.file) as root:
        assert root["activity"]["rates"].chunking() == [1, *rates.shape[1:]]


def test_the_chunks_of_a_file_are_not_large(tmp_path: Path) -> None:
    tree = xr.DataTree(xr.Dataset({"rates": (("network", "trial", "time"), np.zeros((3, 50, 21_000)))}))
    with netCDF4.Dataset(export_netcdf(tree, tmp_path / "rates.nc")) as root:
        chunks = root["rates"].chunking()
    assert math.prod(chunks) * 8 <= 4 * 2**20
    assert chunks[2] == 21_000  # whole trials


@pytest.mark.nightly
def test_a_file_is_replaced_only_if_asked(finished_run: Path, file: Path, tmp_path: Path) -> None:
    target = tmp_path / "run.nc"
    target.write_text("mine")
    with pytest.raises(FileExistsError, match="expected a new file, but it exists; choose another, or --overwrite"):
        export_netcdf(finished_run, target)
    assert target.read_text() == "mine"
    assert main(["export", str(finished_run), "--netcdf", str(target), "--overwrite"]) == 0
    xr.testing.assert_identical(opened(target), opened(file))


def _with(**variables: object) -> xr.DataTree:
    return xr.DataTree.from_dict({"/found": xr.Dataset(variables)})


COMPLEX = ("mode", np.array([1j, 2]))


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        (_with(a=("x", np.array([{}], object))), r"found/a: expected numbers or text, got dict \{\}"),
        (_with(a=COMPLEX, b=("part", [1, 2, 3])), "found: expected neither complex labels nor a 'part'"),
        (_with(mode=COMPLEX), "found: expected neither complex labels nor a 'part'"),
        (xr.DataTree(xr.Dataset({1: ("x", [1])})), "/: expected a group that NetCDF can hold, got TypeError"),
    ],
)
def test_what_cannot_be_held_is_told_in_one_line_and_leaves_nothing(
    tree: xr.DataTree, message: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        export_netcdf(tree, tmp_path / "tree.nc")
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_an_export_that_is_broken_off_leaves_what_was_there(
    finished_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks_off(self: xr.Dataset, path: Path, **options: object) -> None:
        path.write_text("half")
        raise OSError(28, "No space left on device")

    target = tmp_path / "run.nc"
    target.write_text("mine")
    monkeypatch.setattr(xr.Dataset, "to_netcdf", breaks_off)
    with pytest.raises(OSError, match=r"run\.nc: expected a file that can be written, got: No space left on device"):
        export_netcdf(finished_run, target, overwrite=True)
    assert [path.name for path in tmp_path.iterdir()] == ["run.nc"]
    assert target.read_text() == "mine"


def test_something_else_than_a_run_is_refused() -> None:
    with pytest.raises(TypeError, match="run: expected a DataTree or the path of a run, got Dataset"):
        export_netcdf(xr.Dataset(), "x.nc")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{tmp}/none", "--netcdf", "{tmp}/x.nc"], "{tmp}/none: expected a run folder with run.zarr in it, found none"),
        (["{run}", "--netcdf", "{tmp}"], "{tmp}: expected a file to write, but it is a folder; name a file in it"),
        (["{run}", "--netcdf", "{tmp}/no/x.nc"], "{tmp}/no/x.nc: expected a folder that exists, found none; make"),
        (["{run}", "--netcdf", "/proc/x.nc"], "/proc/x.nc: expected a file that can be written, got: "),
    ],
)
def test_bad_input_gets_one_line_and_status_2(
    arguments: list[str], message: str, finished_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def fill(text: str) -> str:
        return text.replace("{tmp}", str(tmp_path)).replace("{run}", str(finished_run))

    assert main(["export", *map(fill, arguments)]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"biornn: {fill(message)}")
    assert error.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_the_command_says_what_it_left(exported: Exported) -> None:
    assert exported.told == f"netcdf: {exported.file}  {exported.file.stat().st_size / 1e6:.1f} MB\n"
