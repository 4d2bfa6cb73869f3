"""A run as a folder of tables: read with pandas, in which every number is that of the store."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import biornn as bn
from biornn.cli import main
from biornn.experiment.config import NetworkConfig
from biornn.schema import GROUPS
from biornn.store import export_csv

#: Table -> group, and the dims of a row.
TABLES = {
    "networks": (("history", "weights"), ["network"]),
    "snapshots": (("history", "audit"), ["network", "snapshot"]),
    "units": (("weights",), ["network", "unit"]),
    "input_channels": (("weights",), ["network", "input_channel"]),
    "output_channels": (("weights",), ["network", "output_channel"]),
    "input_weights": (("weights",), ["network", "input_channel", "unit"]),
    "output_weights": (("weights",), ["network", "unit", "output_channel"]),
}
MATRICES = {"recurrent_weights", "recurrent_mask", "recurrent_trainable"}


@pytest.fixture(scope="module")
def folder(finished_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The finished run as tables; read them only."""
    path = tmp_path_factory.mktemp("export") / "tables"
    assert main(["export", str(finished_run), "--csv", str(path)]) == 0
    return path


def column(table: pd.DataFrame, name: str) -> list[Any]:
    """Give a column as pandas reads it by itself, but for empty text."""
    values = table[name].astype(object)
    return values.where(values.notna(), "").tolist() if name == "failure" else values.tolist()


def test_every_number_is_that_of_the_store(folder: Path, run: xr.DataTree) -> None:
    seen: dict[str, set[str]] = {"history": set(), "audit": set(), "weights": set()}
    for name, (groups, dims) in TABLES.items():
        table = pd.read_csv(folder / f"{name}.csv")
        assert len(table) == np.prod([run["weights"].sizes[dim] for dim in dims])
        for group in groups:
            dataset = run[group].to_dataset()
            if group == "weights" or name == "networks":
                dataset = dataset.isel(snapshot=-1)
            for key, array in dataset.variables.items():
                if set(array.dims) == set(dims) or (key in dims):
                    expected = dataset[key].broadcast_like(dataset[dims]).transpose(*dims).values.ravel()
                    np.testing.assert_array_equal(column(table, key), expected.tolist(), err_msg=f"{name}.{key}")
                    seen[group].add(str(key))
    for group, names in seen.items():
        assert set(run[group].data_vars) - MATRICES <= names, group


def test_networks_are_compared_from_their_table_alone(folder: Path, run: xr.DataTree) -> None:
    networks = pd.read_csv(folder / "networks.csv", index_col="network")
    history = run["history"].to_dataset()
    assert networks.index.tolist() == run["network"].values.tolist()
    assert networks["condition"].tolist() == history["condition"].values.tolist()
    assert networks["seed"].tolist() == [3, 1, 3, 1]
    assert networks["status"].tolist() == history["status"].values.tolist()
    np.testing.assert_array_equal(networks["score"], history["score"].isel(snapshot=-1))


def test_edges_are_the_last_recurrent_weights(folder: Path, run: xr.DataTree) -> None:
    last = run["weights"].to_dataset().isel(snapshot=-1)
    for network in last["network"].values.tolist():
        table, one = pd.read_csv(folder / "edges" / f"{network}.csv"), last.sel(network=network)
        at = {
            "unit_pre": xr.DataArray(table["pre"], dims="edge"),
            "unit_post": xr.DataArray(table["post"], dims="edge"),
        }
        np.testing.assert_array_equal(table["weight"], one["recurrent_weights"].sel(at))
        np.testing.assert_array_equal(table["trainable"], one["recurrent_trainable"].sel(at))
        for side in ("pre", "post"):
            types = one["cell_type"].sel(unit=xr.DataArray(table[side], dims="edge"))
            assert table[f"cell_type_{side}"].tolist() == types.values.tolist()
        mask = one["recurrent_mask"]
        assert len(table) == int(mask.sum())
        assert mask.sel(at).all()
        assert set(table["network"]) == {network}


def test_the_edges_of_a_network_are_a_mask(folder: Path, run: xr.DataTree) -> None:
    one = run["weights"].to_dataset().isel(snapshot=-1).sel(network="constrained-s03")
    units = one["unit"].values.tolist()
    file = folder / "edges" / "constrained-s03.csv"
    wiring = NetworkConfig(n_units=len(units), unit_names=units, mask={"file": str(file)}).connectivity(0)
    np.testing.assert_array_equal(wiring.mask, one["recurrent_weights"] != 0)


def test_trials_have_their_coordinates(folder: Path, run: xr.DataTree) -> None:
    for group in ("trials", "probe_trials"):
        table, trials = pd.read_csv(folder / f"{group}.csv"), run[group].to_dataset()
        assert table["trial"].tolist() == trials["trial"].values.tolist()
        assert table["n_steps"].tolist() == trials["n_steps"].values.tolist()


def test_what_is_measured_over_time_is_left_out(folder: Path) -> None:
    columns = {column for file in folder.rglob("*.csv") for column in pd.read_csv(file, nrows=0).columns}
    over_time = {name for group in GROUPS.values() for name, one in group.items() if "time" in one.dims}
    assert not columns & over_time


def own(**variables: Any) -> xr.DataTree:
    return xr.DataTree.from_dict({"/own": xr.Dataset(variables, {"network": ["a", "b"]})})


def test_own_results_have_a_table_for_each_set_of_dims(tmp_path: Path) -> None:
    values = np.array([[1 + 2j, 0.1 - 1j], [complex(np.nan, 1), 3]])
    tree = own(
        eigenvalues=(("network", "mode"), values),
        radius=("network", np.array([0.1, np.inf], "float32")),
        text=("network", np.array(['a "b", c', None], object)),
        odd=("network", ["a\0b", "\udc80"]),
        flag=("network", [True, False]),
        lowest=("network", np.array([np.iinfo(np.int64).min, np.iinfo(np.int64).max])),
        rates=(("network", "time"), np.zeros((2, 3))),
        scalar=1.0,
    )
    folder = export_csv(tree, tmp_path / "tables")
    assert {path.name for path in folder.iterdir()} == {"own_mode.csv", "own_networks.csv"}
    modes = pd.read_csv(folder / "own_mode.csv")
    assert modes[["network", "mode"]].values.tolist() == [["a", 0], ["a", 1], ["b", 0], ["b", 1]]
    np.testing.assert_array_equal(modes["eigenvalues_re"], values.real.ravel())
    np.testing.assert_array_equal(modes["eigenvalues_im"], values.imag.ravel())
    networks = pd.read_csv(folder / "own_networks.csv", keep_default_na=False)
    assert networks["radius"].tolist() == [np.float32(0.1), np.inf]
    assert networks["text"].tolist() == ['a "b", c', ""]
    assert networks["odd"].tolist() == ["a\\x00b", "\\udc80"]
    assert networks["flag"].tolist() == [True, False]
    assert networks["lowest"].tolist() == tree["own"].lowest.values.tolist()


def test_fixed_points_and_gates_have_tables(finished_run: Path, tmp_path: Path) -> None:
    tree = bn.open_run(finished_run)
    points = xr.Dataset(
        {"kind": (("network", "fixed_point"), [["stable"]] * 4), "n_fixed_points": ("network", [1] * 4)},
        {"network": tree["network"].values},
    )
    tree["fixed_points"] = points
    weights = tree["weights"].to_dataset()
    sizes = {"network": 4, "snapshot": 4, "gate": 2, "unit": 8}
    bias = xr.DataArray(np.arange(256.0).reshape(list(sizes.values())), {"gate": ["update", "reset"]}, [*sizes])
    tree["weights"] = weights.assign(gate_bias=bias)
    folder = export_csv(tree, tmp_path / "tables")
    assert pd.read_csv(folder / "fixed_points.csv")["kind"].tolist() == ["stable"] * 4
    assert pd.read_csv(folder / "fixed_points_networks.csv")["n_fixed_points"].tolist() == [1] * 4
    np.testing.assert_array_equal(
        pd.read_csv(folder / "weights_gate_unit.csv")["gate_bias"], bias.isel(snapshot=-1).values.ravel()
    )


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        (own(a=("network", np.array([{}, {}], object))), r"own_networks/a: expected numbers or text, got dict \{\}"),
        (own(a=("network", np.zeros(2, "datetime64[ns]"))), "own_networks/a: expected numbers or text, got datetime64"),
        (own(a=(("network", "my/dim"), np.zeros((2, 1)))), "own_my/dim: expected a name of letters, digits"),
        (xr.DataTree.from_dict({"/weights": xr.Dataset({"a": ("unit", [1])})}), "weights: expected the dim 'network'"),
    ],
)
def test_what_cannot_be_a_table_is_told_in_one_line_and_leaves_nothing(
    tree: xr.DataTree, message: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        export_csv(tree, tmp_path / "tables")
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_only_a_folder_of_tables_is_replaced_and_only_if_asked(
    finished_run: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "tables"
    (target / "edges").mkdir(parents=True)
    (target / "networks.csv").write_text("old")
    arguments = ["export", str(finished_run), "--csv", str(target)]
    assert main(arguments) == 2
    expected = f"biornn: {target}: expected a new folder, but it exists; choose another, or --overwrite\n"
    assert capsys.readouterr().err == expected
    (target / "edges" / "thesis.txt").write_text("mine")
    assert main([*arguments, "--overwrite"]) == 2
    assert "expected only tables to replace, found edges/thesis.txt; move it away" in capsys.readouterr().err
    (target / "edges" / "thesis.txt").rename(target / "measured.csv")  # a table, but of somebody else
    assert main([*arguments, "--overwrite"]) == 2
    assert "expected only tables to replace, found measured.csv; move it away" in capsys.readouterr().err
    assert (target / "measured.csv").read_text() == "mine"
    (target / "measured.csv").unlink()
    assert main([*arguments, "--overwrite"]) == 0
    size = sum(file.stat().st_size for file in target.rglob("*.csv"))
    assert capsys.readouterr().out == f"csv: {target}  {size / 1e6:.1f} MB\n"
    assert {file.relative_to(target) for file in target.rglob("*.csv")} == {
        file.relative_to(folder) for file in folder.rglob("*.csv")
    }
    assert [path.name for path in tmp_path.iterdir()] == ["tables"]


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("{tmp}/no/tables", "{tmp}/no/tables: expected a folder that exists, found none; make {tmp}/no first"),
        ("/proc/tables", "/proc/tables: expected a folder that can be written, got: "),
    ],
)
def test_a_folder_that_cannot_be_made_gets_one_line(
    target: str, message: str, finished_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", str(finished_run), "--csv", target.format(tmp=tmp_path)]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"biornn: {message.format(tmp=tmp_path)}")
    assert error.count("\n") == 1


def test_one_form_at_a_time(finished_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for forms in ([], ["--csv", "tables", "--mat", "run.mat"]):
        with pytest.raises(SystemExit, match="2"):
            main(["export", str(finished_run), *forms])
        assert "error: " in capsys.readouterr().err
