"""A run as a .mat file: read with scipy, which knows nothing of xarray."""

import json
import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from scipy.io import loadmat

import biornn as bn
from biornn.cli import main
from biornn.store import export_mat


@pytest.fixture(scope="module")
def file(finished_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The finished run as a file; read it only."""
    path = tmp_path_factory.mktemp("export") / "run.mat"
    assert main(["export", str(finished_run), "--mat", str(path)]) == 0
    return path


def read(file: Path) -> dict[str, Any]:
    return dict(loadmat(file, simplify_cells=True))


def dims_of(struct: Mapping[str, Any], name: str) -> list[str]:
    """A cell array of one cell is simplified to its content."""
    return np.atleast_1d(struct["dims"][name]).tolist()


def array_of(struct: Mapping[str, Any], name: str, sizes: Mapping[Any, int]) -> np.ndarray:
    """Make the array again: scipy simplifies away dims of size 1, and reads empty text as an empty array."""
    values = np.asarray(struct[name])
    if values.dtype.kind in "OU":
        flat = [one if isinstance(one, str) else "" for one in values.ravel().tolist()]
        values = np.array(flat or [""], object)  # one empty text is an empty array
    return values.reshape([sizes[dim] for dim in dims_of(struct, name)])


def groups(read_file: Mapping[str, Any], tree: xr.DataTree) -> Iterator[tuple[Mapping[str, Any], xr.Dataset]]:
    yield read_file, tree.to_dataset(inherit=False)
    for name, node in tree.children.items():
        yield read_file[name], node.to_dataset()


def test_every_variable_is_that_of_the_store(file: Path, run: xr.DataTree) -> None:
    n_found = 0
    for struct, dataset in groups(read(file), run):
        for name, variable in dataset.variables.items():
            if name not in struct:  # inherited, without its dim
                assert name in ("network", "condition", "seed"), name
                assert all("network" not in one.dims for one in dataset.data_vars.values())
                continue
            n_found += 1
            assert dims_of(struct, name) == list(variable.dims)
            found = array_of(struct, name, dataset.sizes)
            np.testing.assert_array_equal(found, variable.values, strict=variable.dtype.kind in "fiu")
            if variable.attrs:
                found = struct["variable_attributes"][name]
                assert {key: one if np.size(one) else "" for key, one in found.items()} == variable.attrs
    assert n_found > 60
    root = read(file)
    assert set(run.children) < set(root)
    assert root["attributes"]["title"] == "A small comparison"
    assert json.loads(root["attributes"]["experiment"]) == json.loads(run.attrs["experiment"])
    assert root["trials"]["attributes"]["task"] == "flip_flop"
    assert "names" not in root


def test_arrays_stand_as_matlab_means_them(file: Path, run: xr.DataTree) -> None:
    """Without simplification: a logical array, a cell array for text, a column for one dim."""
    root = loadmat(file)
    weights = root["weights"][0, 0]
    n_networks, n_units = run["weights"].sizes["network"], run["weights"].sizes["unit"]
    assert weights["recurrent_weights"].shape == run["weights"].recurrent_weights.shape
    assert weights["cell_type"].shape == (n_networks, n_units)
    assert weights["cell_type"].dtype == object
    assert weights["unit"].shape == (n_units, 1)
    assert weights["network"].shape == (n_networks, 1)
    assert root["network"][0, 0].tolist() == [run.network.values[0]]


def names_in(struct: Mapping[str, Any]) -> Iterator[str]:
    for name, value in struct.items():
        yield name
        if isinstance(value, dict):
            yield from names_in(value)


def test_names_are_those_that_matlab_takes(file: Path) -> None:
    root = {name: value for name, value in read(file).items() if not name.startswith("__")}
    assert all(re.fullmatch("[A-Za-z][A-Za-z0-9_]{0,62}", name) for name in names_in(root))


def test_names_that_matlab_does_not_take_are_changed_and_told(tmp_path: Path) -> None:
    names = ["factor_task.noise", "factor_task-noise", "1st", "_x", "é", "end", "dims", "a" * 70, "a" * 63, "b" * 40]
    dataset = xr.Dataset({name: ("mode", [float(at)]) for at, name in enumerate(names)})
    dataset.attrs["made by"] = "me"
    tree = xr.DataTree.from_dict({"/while": dataset, "/own/inner": dataset})
    root = read(export_mat(tree, tmp_path / "x.mat"))
    assert root["names"] == {"while_2": "while"}
    for struct in (root["while_2"], root["own"]["inner"]):
        valid = {struct.get("names", {}).get(name, name): name for name in names_in(struct["dims"])}
        assert set(valid) == set(names)
        assert [struct[valid[name]] for name in names] == list(range(len(names)))
        assert all(re.fullmatch("[A-Za-z][A-Za-z0-9_]{0,62}", name) for name in valid.values())
        assert valid["b" * 40] == "b" * 40
        assert struct["attributes"] == {"made_by": "me"}


def test_complex_numbers_odd_types_and_text(tmp_path: Path) -> None:
    dataset = xr.Dataset(
        {
            "eigenvalues": (("network", "mode"), np.array([[1 + 2j, complex(np.nan, 1)], [3, 0.5j]])),
            "single": ("mode", np.array([1j, 2], np.complex64)),
            "missing": ("mode", [np.nan, np.inf]),
            "flag": ("mode", [True, False]),
            "text": ("mode", np.array(["é\U0001f600", None], object)),
            "odd": ("mode", ["a\0b", "\udc80"]),
            "half": ("mode", np.array([0.5, 1], np.float16)),
            "extended": ("mode", np.array([0.5, 1], np.longdouble)),
            "lowest": ("mode", np.array([np.iinfo(np.int64).min, np.iinfo(np.int64).max])),
            "one": 3.5,
            "name": "scalar text",
            "none": ("empty", np.zeros(0)),
        }
    )
    tree = xr.DataTree.from_dict({"/own": dataset})
    own = read(export_mat(tree, tmp_path / "x.mat"))["own"]
    for name in ("eigenvalues", "single", "missing", "flag", "lowest"):
        np.testing.assert_array_equal(own[name], dataset[name].values)
    assert (own["eigenvalues"].dtype, own["single"].dtype) == (np.complex128, np.complex64)
    assert math.isnan(own["eigenvalues"][0, 1].real)
    assert (own["half"].dtype, own["extended"].dtype, own["lowest"].dtype) == (np.float32, np.float64, np.int64)
    assert (own["text"][0], own["text"][1].size) == ("é\U0001f600", 0)
    assert own["odd"].tolist() == ["a\\x00b", "\\udc80"]
    assert (own["one"], own["name"], own["none"].size) == (3.5, "scalar text", 0)
    assert dims_of(own, "one") == []


@pytest.mark.nightly
def test_results_added_to_a_run_go_along(finished_run: Path, tmp_path: Path) -> None:
    tree = bn.open_run(finished_run, chunks={})
    eigenvalues = bn.analysis.eigenspectrum(tree["weights"].recurrent_weights)
    tree["spectra"] = xr.Dataset({"eigenvalues": eigenvalues})
    root = read(export_mat(tree, tmp_path / "run.mat"))
    np.testing.assert_array_equal(root["spectra"]["eigenvalues"], eigenvalues.values)
    assert root["spectra"]["network"].tolist() == tree["network"].values.tolist()


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        (xr.Dataset({"a": ("x", np.array([{}], object))}), r"own/a: expected numbers or text, got dict \{\}"),
        (xr.Dataset({"a": ("x", np.array(["2026-01-01"], "datetime64[ns]"))}), "own/a: expected numbers or text, got"),
        (
            xr.Dataset({"a": ("x", np.broadcast_to(np.float64(1), 300_000_000))}),
            r"own: expected at most 2\.1 GB, which a variable of a \.mat file can have, got 2\.4 GB; export as NetCDF",
        ),
    ],
)
def test_what_cannot_be_held_is_told_in_one_line_and_leaves_nothing(
    dataset: xr.Dataset, message: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        export_mat(xr.DataTree.from_dict({"/own": dataset}), tmp_path / "x.mat")
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_a_file_is_replaced_only_if_asked(
    finished_run: Path, file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "run.mat"
    target.write_text("mine")
    assert main(["export", str(finished_run), "--mat", str(target)]) == 2
    expected = f"biornn: {target}: expected a new file, but it exists; choose another, or --overwrite\n"
    assert capsys.readouterr().err == expected
    assert target.read_text() == "mine"
    assert main(["export", str(finished_run), "--mat", str(target), "--overwrite"]) == 0
    assert capsys.readouterr().out == f"mat: {target}  {target.stat().st_size / 1e6:.1f} MB\n"
    assert target.stat().st_size == file.stat().st_size
