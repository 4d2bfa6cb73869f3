"""Circuits in files beside an experiment's."""

import json
import pickle
import time
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from biornn.analysis import edge_table
from biornn.cli import main
from biornn.connectivity import Connectivity
from biornn.experiment import Experiment, ExperimentError, load_experiment
from biornn.experiment.config import NetworkConfig
from biornn.experiment.matching import unmatched
from biornn.experiment.parameters import parameter_counts
from biornn.report.network_table import _initialisation

NAMES = ["PV1", "E7", "E2"]
SQUARE = ",PV1,E7,E2\nPV1,0,-0.5,-0.2\nE7,0.3,0,0\nE2,0,0.7,0.1\n"
WEIGHTS = np.array([[0, -0.5, -0.2], [0.3, 0, 0], [0, 0.7, 0.1]])
READOUT = np.array([[0, 1, 0], [0, 1, 1], [1, 0, 1]])
OWN = "mask: {file: own.csv}, initial: {file: own.csv}, spectral_radius: null, cell_type: [inhibitory, 1, 1]"


def load(folder: Path, network: str, rest: str = "") -> Experiment:
    """Load an experiment from a folder beside the file that it names."""
    (folder / "own.csv").write_text(SQUARE)
    (folder / "other.csv").write_text(SQUARE.splitlines()[0])
    (folder / "mask.csv").write_text(",PV1,E7,E2\nPV1,0,1,1\nE7,1,0,0\nE2,0,1,1\n")
    (folder / "experiment.yaml").write_text(f"network: {{n_units: 3, {network}}}\n{rest}")
    return load_experiment(folder / "experiment.yaml")


def again(experiment: Experiment, folder: Path) -> Experiment:
    return Experiment.model_validate_json(experiment.model_dump_json(), context={"folder": folder})


def test_a_file_is_a_mask_and_weights_with_names_and_its_hash_is_stored(tmp_path: Path) -> None:
    experiment = load(tmp_path, OWN)
    network = experiment.network
    wiring = network.connectivity(5)
    assert wiring.unit_names.tolist() == NAMES
    np.testing.assert_array_equal(wiring.mask, WEIGHTS != 0)
    np.testing.assert_array_equal(wiring.recurrent.initial_weights, WEIGHTS)
    stored = json.loads(experiment.model_dump_json())["network"]
    assert stored["mask"]["file"] == "own.csv"
    assert len(stored["mask"]["sha256"]) == 64
    assert again(experiment, tmp_path) == experiment
    sent = pickle.loads(pickle.dumps(network))  # to a worker
    np.testing.assert_array_equal(sent.connectivity(5).initial, WEIGHTS)
    with pytest.raises(ExperimentError, match=r"x\.csv: No such file or directory"):
        load(tmp_path, "mask: {file: x.csv}")


def test_another_content_is_another_file(tmp_path: Path) -> None:
    text = load(tmp_path, OWN).model_dump_json()
    (tmp_path / "own.csv").write_text(SQUARE.replace("0.7", "0.8"))
    with pytest.raises(ValueError, match=r"network\.mask\.file: expected the content that the experiment began with"):
        Experiment.model_validate_json(text, context={"folder": tmp_path})
    assert Experiment.model_validate_json(load(tmp_path, OWN).model_dump_json(), context={"folder": tmp_path})


def test_names_are_shared_by_all_conditions_and_files_are_read_by_them(tmp_path: Path) -> None:
    (tmp_path / "edges.csv").write_text("pre,post\nE2,E7\nE7,E2\n")
    experiment = load(
        tmp_path,
        "density: 1",
        "conditions: {random: {density: 0.5}, own: {mask: {file: own.csv}}, list: {mask: {file: edges.csv}}}",
    )
    wirings = {name: experiment.settings(name)[0].connectivity(0) for name in experiment.conditions}
    assert all(wiring.unit_names.tolist() == NAMES for wiring in wirings.values())
    np.testing.assert_array_equal(wirings["list"].mask, [[0, 0, 0], [0, 0, 1], [0, 1, 0]])


def test_a_list_that_leaves_out_units_does_not_name_them(tmp_path: Path) -> None:
    (tmp_path / "edges.csv").write_text("pre,post\nE2,E7\n")
    network = load(tmp_path, "mask: {file: edges.csv}, trainable: {file: mask.csv}").network
    assert network.unit_names == NAMES


def test_files_are_levels_of_a_factor(tmp_path: Path) -> None:
    experiment = load(tmp_path, "density: 1", "factors: {mask: [none, {file: own.csv}], dale: [none, 0.5]}")
    assert list(experiment.conditions) == ["unconstrained", "dale", "mask", "mask+dale"]
    assert experiment.combinations()["mask"].levels == {"mask": "own.csv", "dale": "none"}
    assert again(experiment, tmp_path) == experiment


def test_the_same_circuit_rewired_is_a_condition_with_a_rewiring_for_each_seed(tmp_path: Path) -> None:
    ring = np.roll(np.eye(12, dtype=int), 1, axis=1) + np.roll(np.eye(12, dtype=int), 2, axis=1)
    np.savez(tmp_path / "ring.npz", ring / 4, unit_names=[f"E{number}" for number in range(12)])
    (tmp_path / "ring.yaml").write_text(
        "network: {n_units: 12, excitatory_fraction: 1.0, mask: {file: ring.npz}, initial: {file: ring.npz}}\n"
        "factors: {rewired: [false, true]}\nseeds: 3\n"
    )
    experiment = load_experiment(tmp_path / "ring.yaml")
    assert list(experiment.conditions) == ["reference", "rewired"]
    network, _ = experiment.settings("rewired")
    masks = [network.connectivity(seed).recurrent_mask for seed in experiment.seeds]
    assert len({mask.tobytes() for mask in masks}) == 3
    for mask in masks:
        assert (mask.sum(axis=0) == 2).all()
        assert (mask.sum(axis=1) == 2).all()
        assert (mask & ring).sum() < 12
    np.testing.assert_array_equal(network.connectivity(1).recurrent.initial_weights, masks[1] / 4)
    assert unmatched(experiment)["rewired"] == [
        "initial spectral radius: that of given weights that moved; set spectral_radius to match it"
    ]
    assert again(experiment, tmp_path) == experiment


def test_inputs_and_readout_are_settings_in_files_or_rows(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("channel,E2,PV1,E7\n1,0,0,0.5\n0,1,0,0\n2,0,0,-2\n")
    np.savez(tmp_path / "out.npz", READOUT, unit_names=NAMES[::-1])
    experiment = load(
        tmp_path,
        f"{OWN}, input_weights: {{file: in.csv}}, input_mask: {{file: in.csv}}, input_trainable: false,"
        "readout_mask: {file: out.npz}",
        "conditions: {all: {readout_mask: null, input_weights: null, input_mask: null}, own: {},"
        "some: {input_mask: [1, 0, 1], input_weights: null, readout_trainable: [[0, 0, 1], [1, 1, 1], [0, 0, 0]]}}",
    )
    wirings = {name: experiment.settings(name)[0].connectivity(0) for name in experiment.conditions}
    own, some = wirings["own"], wirings["some"]
    assert own.unit_names.tolist() == NAMES
    np.testing.assert_array_equal(own.input(3).initial_weights, [[0, 0, 1], [0, 0.5, 0], [0, -2, 0]])
    np.testing.assert_array_equal(own.input(3).mask, own.input_weights != 0)
    np.testing.assert_array_equal(own.readout(3).mask, READOUT[::-1])
    np.testing.assert_array_equal(some.input(3).mask, [[1, 0, 1]] * 3)
    assert again(experiment, tmp_path) == experiment
    counts = parameter_counts(experiment.settings("some")[0], experiment.task, 0)
    assert (counts["input"], counts["output"]) == (0, 3)  # of four units and channels that may change, three exist
    told = unmatched(experiment)["own"]
    assert "initial input weights: given, and not those of all" in told
    assert "initial recurrent weights" not in "".join(told)


def test_positions_in_a_file_name_units_and_make_synapses_of_near_ones(tmp_path: Path) -> None:
    (tmp_path / "places.csv").write_text("unit,y,x\nPV1,0,0\nE7,0,10\nE2,0.001,0\n")
    settings = "positions: {file: places.csv}, topology: {distance: {lambda: 1}}, autapses: false"
    experiment = load(
        tmp_path, settings, "conditions: {near: {}, gru: {architecture: gru, topology: null, autapses: true}}"
    )
    wiring = experiment.settings("near")[0].connectivity(0)
    assert wiring.unit_names.tolist() == NAMES
    np.testing.assert_array_equal(wiring.positions, [[0, 0], [10, 0], [0, 0.001]])
    np.testing.assert_array_equal(wiring.recurrent_mask, [[0, 0, 1], [0, 0, 0], [1, 0, 0]])
    assert again(experiment, tmp_path) == experiment
    rows = load(tmp_path, settings.replace("{file: places.csv}", "[[0, 0], [10, 0], [0, 0.001]]")).network
    np.testing.assert_array_equal(rows.connectivity(0).recurrent_mask, wiring.recurrent_mask)


def test_rows_in_the_experiment_are_arrays_too(tmp_path: Path) -> None:
    network = load(tmp_path, f"initial: {WEIGHTS.tolist()}, trainable: [[0, 1, 1], [1, 1, 0], [0, 0, 1]]").network
    wiring = network.connectivity(0)
    np.testing.assert_allclose(wiring.initial, WEIGHTS)
    assert wiring.trainable.sum() == 5
    assert parameter_counts(network, Experiment().task, 0)["recurrent"] == 5


@pytest.mark.parametrize("n_alone", [0, 1])
def test_the_edges_of_a_network_come_back_as_mask_and_weights(tmp_path: Path, n_alone: int) -> None:
    n_units, rng = 12, np.random.default_rng(1)
    names, matrix = [f"u{at}" for at in range(n_units)], ("unit_pre", "unit_post")
    mask = rng.random((n_units, n_units)) < 0.3
    mask[n_units - n_alone :] = mask[:, n_units - n_alone :] = False  # units without a synapse
    sign = np.where(np.arange(n_units) < 9, 1, -1)
    weights = (mask * sign[:, np.newaxis] * rng.gamma(2, 0.1, mask.shape)).astype("float32")
    variables = {
        "recurrent_weights": (matrix, weights),
        "recurrent_mask": (matrix, mask),
        "cell_type": ("unit", np.where(sign > 0, "excitatory", "inhibitory")),
    }
    network = xr.Dataset(variables, dict.fromkeys(("unit", *matrix), names))
    edge_table(network).to_csv(tmp_path / "edges.csv", index=False)
    lines = f"n_units: {n_units}, mask: {{file: edges.csv}}, initial: {{file: edges.csv}}, spectral_radius: null"
    if n_alone:
        lines += f", unit_names: {names}, cell_type: {sign.tolist()}"
    (tmp_path / "experiment.yaml").write_text(f"network: {{{lines}}}\n")
    wiring = load_experiment(tmp_path / "experiment.yaml").network.connectivity(0)
    order = [names.index(name) for name in wiring.unit_names]
    assert sorted(order) == list(range(n_units))
    if n_alone:  # named, they keep their order
        assert order == sorted(order)
    np.testing.assert_array_equal(wiring.recurrent.mask, mask[np.ix_(order, order)])
    initial = wiring.recurrent.initial_weights.astype("float32")
    np.testing.assert_array_equal(initial, weights[np.ix_(order, order)])


def test_a_synapse_that_came_to_zero_stays_in_a_mask_of_pre_and_post(tmp_path: Path) -> None:
    matrix = ("unit_pre", "unit_post")
    variables = {
        "recurrent_weights": (matrix, [[0.0, 0.5], [0.0, 0.0]]),
        "recurrent_mask": (matrix, [[False, True], [True, False]]),
        "cell_type": ("unit", ["excitatory"] * 2),
    }
    network, found = xr.Dataset(variables), {}
    for columns in (["pre", "post"], ["pre", "post", "weight"]):
        edge_table(network)[columns].to_csv(tmp_path / "edges.csv", index=False)
        found[len(columns)] = NetworkConfig(n_units=2, mask={"file": str(tmp_path / "edges.csv")}).connectivity(0).mask
    np.testing.assert_array_equal(found[2], network["recurrent_mask"])
    np.testing.assert_array_equal(found[3], network["recurrent_weights"] != 0)


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (
            OWN.replace("inhibitory", "excitatory"),
            "network.initial: expected weights of at least 0",
        ),
        ("initial: {file: own.csv}, mask: [[1, 0, 1], [1, 1, 1], [1, 1, 1]]", "got -0.5 from unit 'PV1' to unit 'E7'"),
        ("trainable: {file: own.csv}", "network.trainable: expected only true and false"),
        ("mask: {file: own.csv}, unit_names: [a, b, c]", "network.mask: expected the label of each unit once"),
        ("mask: {file: own.csv, colour: 1}", "network.mask.colour: expected one of file, sha256"),
        ("mask: {}", "network.mask.file: field required"),
        (
            "mask: {file: own.csv, sha256: abc}",
            "network.mask.file: expected the content that the experiment began with",
        ),
        ("mask: {file: /dev/zero}", r"network.mask.file: expected a name that ends with .csv, .*, got /dev/zero"),
        (
            "mask: {file: other.csv}",
            r"network.mask.file: expected a square table of numbers, .*, got other.csv: one of",
        ),
        ("rewired: true", "network.rewired: expected a mask with it, got none"),
        (
            "positions: {file: own.csv}",
            "network.positions: expected the label of each axis once along axis, got no 'x'",
        ),
        ("positions: {file: none.npy}", "network.positions.file: expected a file that can be read, got none.npy"),
        (
            "positions: {file: other.csv}",
            "network.positions.file: expected a table of numbers, a row for each unit and",
        ),
        ("topology: {distance: {lambda: 2}}", "network.topology.distance: expected positions beside it, got none; set"),
        ("input_mask: [1, 0]", r"network.input_mask: expected shape \(3,\) or \(input channels, 3\), got \(2,\)"),
        ("input_mask: 1", "network.input_mask: expected a list of units, or of channels and units, got 1"),
        ("input_mask: [[1, 0, 1]]", "network.input_mask: expected 3 input channels, as there are, got 1"),
        (
            "readout_weights: [[1], [2], [3]]",
            "network.readout_weights: expected 3 output channels, as there are, got 1",
        ),
        ("input_weights: {file: own.csv}", "network.input_weights: expected the label of each input channel once"),
        ("readout_trainable: {file: none.npy}", "network.readout_trainable.file: expected a file that can be read"),
        ("rewired: 1", "network.rewired: input should be a valid boolean"),
        ("rewired: true, mask: [[1, 1, 1], [1, 1, 1], [1, 1, 1]]", "network.rewired: expected a mask that can be rew"),
        ("cell_type: [inhibitory, PV, 1]", "network.cell_type: expected one of .*, got 'PV' for unit 1"),
        ("cell_type: [1, 1]", r"network.cell_type: expected shape \(3,\), got \(2,\)"),
        ("initial: nonsense", "network.initial: input should be 'orthogonal'"),
        ("spectral_radius: 0", "network.spectral_radius: input should be greater than 0"),
    ],
)
def test_contradictions_get_one_line(tmp_path: Path, network: str, message: str) -> None:
    with pytest.raises(ExperimentError, match=message) as raised:
        load(tmp_path, network)
    assert "\n" not in str(raised.value)


def test_the_networks_of_a_run_share_their_positions(tmp_path: Path) -> None:
    with pytest.raises(
        ExperimentError, match=r"conditions\.a\.positions: expected None as in network\.positions \(the"
    ):
        load(tmp_path, "density: 1", "conditions: {a: {positions: [[0], [1], [2]]}}")


@pytest.mark.parametrize(
    ("network", "told"),
    [
        ("initial: {file: own.csv}, cell_type: [1, 1, 1]", "got -0.5 from unit 'PV1' to unit 'E7'"),
        ("mask: {file: own.csv}, input_weights: [[1, 1, .nan], [1, 1, 1], [1, 1, 1]]", "channel 0 to unit 'E2'"),
        ("mask: {file: own.csv}, positions: [[0], [.inf], [1]]", "input should be a finite number"),
        (
            "mask: {file: own.csv}, rewired: true, cell_type: [-1, 1, 1]",
            "no two units of a cell type can trade targets",
        ),
    ],
)
def test_of_a_contradiction_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], network: str, told: str
) -> None:
    with pytest.raises(ExperimentError, match=told):
        load(tmp_path, network)
    assert main(["run", str(tmp_path / "experiment.yaml"), "--out", str(tmp_path / "run")]) != 0
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_a_condition_is_named_whose_inputs_are_not_those_of_the_task(tmp_path: Path) -> None:
    with pytest.raises(
        ExperimentError, match=r"conditions\.a\.input_mask: expected 3 input channels, as there are, got 2"
    ):
        load(tmp_path, "density: 1", "conditions: {b: {}, a: {input_mask: [[1, 0, 1], [1, 1, 1]]}}")
    with pytest.raises(ExperimentError, match=r"conditions\.a\.input_mask: expected None with architecture gru"):
        load(tmp_path, "density: 1", "conditions: {b: {}, a: {architecture: gru, input_mask: [1, 0, 1]}}")


def test_a_condition_has_no_names_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match=r"conditions\.a\.unit_names: expected None as in network\.unit_names"):
        load(tmp_path, "density: 1", "conditions: {a: {unit_names: [x, y, z]}}")


def test_given_weights_are_not_matched_with_drawn_ones_and_the_table_of_networks_says_so(tmp_path: Path) -> None:
    experiment = load(tmp_path, "density: 1", f"conditions: {{drawn: {{}}, own: {{{OWN}}}, same: {{{OWN}}}}}")
    assert unmatched(experiment)["own"][-1] == "initial recurrent weights: given, and not those of drawn"
    own = Experiment(**{**dict(experiment), "conditions": {one: experiment.conditions[one] for one in ("own", "same")}})
    assert unmatched(own)["same"] == []
    stored = json.loads(experiment.model_dump_json())["conditions"]["own"]
    assert _initialisation(stored, "rate").startswith("recurrent: given in own.csv; input")
    assert _initialisation({"cell_type": [1], "spectral_radius": 1.0}, "rate").startswith("recurrent: gamma, spectral")


def test_a_large_mask_is_there_in_seconds(tmp_path: Path) -> None:
    n_units = 3_000
    np.save(tmp_path / "large.npy", np.random.default_rng(0).random((n_units, n_units)) < 0.1)
    (tmp_path / "large.yaml").write_text(
        f"network: {{n_units: {n_units}, mask: {{file: large.npy}}}}\ntraining: {{snapshots: []}}"
    )
    start = time.perf_counter()
    load_experiment(tmp_path / "large.yaml")
    assert time.perf_counter() - start < 5  # a tenth of a second; as rows in the experiment, minutes


def test_a_network_alone_finds_files_in_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load(tmp_path, OWN)
    monkeypatch.chdir(tmp_path)
    network = NetworkConfig(n_units=3, mask={"file": "own.csv"})
    assert network.connectivity(0).unit_names.tolist() == NAMES
    experiment = Experiment(network=network, conditions={"random": {"mask": None}})
    assert experiment.settings("random")[0].connectivity(0).unit_names.tolist() == NAMES


# ---- cell types

TABLE = "cell_types: {E: {sign: +1, tau: 20}, PV: {sign: -1, tau: 1e1}}"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("types.csv", "unit,cell_type,layer\nE7,E,2\nPV1,PV,4\nE2,E,2\n"),
        ("types.csv", "cell_type,layer\nPV,4\nE,2\nE,2\n"),  # without names, in the order of the units
        ("types.npy", np.array(["PV", "E", "E"])),
        ("types.npz", {"types": np.array(["E", "PV", "E"]), "unit_names": np.array(["E7", "PV1", "E2"])}),
        ("types.nc", xr.DataArray(["E", "PV", "E"], {"unit": ["E7", "PV1", "E2"]}, name="types")),
        ("types.zarr", xr.DataArray(["E", "PV", "E"], {"unit": ["E7", "PV1", "E2"]}, name="types")),
    ],
)
def test_types_of_units_are_read_from_a_file_by_the_names_of_units(tmp_path: Path, name: str, content: object) -> None:
    path = tmp_path / name
    if isinstance(content, str):
        path.write_text(content)
    elif isinstance(content, dict):
        np.savez(path, **content)
    elif isinstance(content, np.ndarray):
        np.save(path, content)
    elif name.endswith(".nc"):
        content.to_netcdf(path, engine="h5netcdf")
    else:
        content.astype(object).assign_coords(unit=content["unit"].astype(object)).to_zarr(path, consolidated=False)
    experiment = load(tmp_path, f"unit_names: [PV1, E7, E2], {TABLE}, cell_type: {{file: {name}}}")
    wiring = experiment.network.connectivity(0)
    assert wiring.cell_type.tolist() == ["PV", "E", "E"]
    assert wiring.sign.tolist() == [-1, 1, 1]
    np.testing.assert_array_equal(experiment.network.time_constants(wiring), [10, 20, 20])
    assert len(json.loads(experiment.model_dump_json())["network"]["cell_type"]["sha256"]) == 64
    assert again(experiment, tmp_path) == experiment


def test_a_file_of_types_names_the_units_and_may_hold_signs(tmp_path: Path) -> None:
    (tmp_path / "types.csv").write_text("unit,cell_type\nPV1,-1\nE7,1\nE2,1\n")
    wiring = load(tmp_path, "cell_type: {file: types.csv}").network.connectivity(0)
    assert wiring.unit_names.tolist() == NAMES
    assert wiring.cell_type.tolist() == ["inhibitory", "excitatory", "excitatory"]


def test_a_table_of_types_in_a_file_is_that_of_python(tmp_path: Path) -> None:
    types = {"E": {"sign": 1, "fraction": 0.6}, "PV": {"sign": -1, "fraction": 0.4}}
    density = {"E": {"E": 0.5, "PV": 1.0}, "PV": {"E": 1.0, "PV": 0.0}}
    usual = "cell_types: null, density: 1, excitatory_fraction: 0.6"
    rest = f"conditions: {{types: {{}}, usual: {{{usual}}}, free: {{cell_types: null, density: 1}}}}"
    experiment = load(tmp_path, f"cell_types: {types}, density: {density}", rest)
    own = Connectivity(3, cell_types=types, density=density, seed=4)
    found = experiment.settings("types")[0].connectivity(4)
    np.testing.assert_array_equal(found.recurrent.initial_weights, own.recurrent.initial_weights)
    assert experiment.settings("usual")[0].connectivity(4).cell_type.tolist() == ["excitatory"] * 2 + ["inhibitory"]
    assert not experiment.settings("free")[0].connectivity(4).sign.any()
    assert again(experiment, tmp_path) == experiment
    assert json.loads(experiment.model_dump_json())["network"]["density"] == density


@pytest.mark.parametrize(
    ("network", "told"),
    [
        ("cell_types: {E: {sign: 2, fraction: 1}}", "network.cell_types.E.sign: expected 1, -1 or 0 (either), got 2"),
        ("cell_types: {E: {fraction: 1}}", "network.cell_types.E.sign: field required"),
        ("cell_types: {E: {sign: 1, size: 1}}", "network.cell_types.E.size: expected one of sign, fraction, tau, got"),
        ("cell_types: {E: {sign: 1, fraction: 0.5}}", "network.cell_types: expected fractions that sum to 1, got 0.5"),
        ("cell_types: {E: {sign: 1, fraction: 1}, E: {sign: 1}}", "the key 'E' twice in one place"),
        (
            "cell_types: {'': {sign: 1, fraction: 1}}",
            "network.cell_types: expected a text as the name of each type, got",
        ),
        ("cell_types: {E: {sign: 1, fraction: 1}}, excitatory_fraction: 0.8", "expected no excitatory_fraction beside"),
        (f"{TABLE}, cell_type: [E, pv, E]", "network.cell_type: expected one of 'E', 'PV' for each unit, got 'pv' for"),
        (
            f"{TABLE}, cell_type: [E, PV, E], tau: 5",
            "network.tau: expected none beside the tau of cell_types, got both",
        ),
        (
            f"{TABLE}, cell_type: [E, PV, E], tau: {{shortest: 2, longest: 5}}",
            "network.tau: expected none beside the tau of cell_types, got both",
        ),
        (f"{TABLE}, cell_type: [E, PV, E], dt: 12", "network.dt: expected at most tau=10 ms, got 12 ms"),
        (
            f"{TABLE}, cell_type: [E, PV, E], architecture: gru",
            "network.cell_types: expected None with architecture gru",
        ),
        (
            f"{TABLE}, cell_type: [E, PV, E], density: {{E: {{E: 1}}}}",
            "network.density: expected one from each cell type",
        ),
        (
            f"{TABLE}, cell_type: [E, PV, E], density: {{E: {{E: 2, PV: 1}}, PV: {{E: 1, PV: 1}}}}",
            "network.density.E.E: expected a number in [0, 1], got 2.0",
        ),
        (
            f"{TABLE}, cell_type: [E, PV, E], density: {{SST: {{E: 1}}}}",
            "network.density: expected the cell types 'E', 'PV',",
        ),
        (
            f"{TABLE}, cell_type: [E, PV, E], density: {{E: {{E: x}}}}",
            "network.density.E.E: input should be a valid number",
        ),
        (
            f"{TABLE}, cell_type: {{file: own.csv}}",
            "network.cell_type.file: expected cell types, one for each unit, in a column cell_type, got own.csv: the "
            "columns , PV1, E7, E2, of which none is cell_type",
        ),
        (
            f"{TABLE}, cell_type: {{file: none.csv}}",
            "network.cell_type.file: expected a file that can be read, got none",
        ),
        (
            f"{TABLE}, cell_type: {{file: twice.csv}}",
            "network.cell_type.file: expected cell types, one for each unit, in a column cell_type, got twice.csv: the "
            "unit 'E7' twice",
        ),
    ],
)
def test_contradictions_of_types_get_one_line_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], network: str, told: str
) -> None:
    (tmp_path / "twice.csv").write_text("unit,cell_type\nE7,E\nE7,PV\nE2,E\n")
    with pytest.raises(ExperimentError):
        load(tmp_path, network)
    assert main(["run", str(tmp_path / "experiment.yaml"), "--out", str(tmp_path / "run")]) != 0
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1
    assert not (tmp_path / "run").exists()
