"""An experiment file says what it means, or gets one line that names the key, what was expected and what came."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from biornn.experiment import Experiment, ExperimentError, load_experiment

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
SHIPPED = sorted(path for path in EXPERIMENTS.rglob("*.yaml") if path.name != "variants.yaml")  # changes of experiments


def load(tmp_path: Path, text: str, *changes: str) -> Experiment:
    path = tmp_path / "experiment.yaml"
    path.write_text(text)
    return load_experiment(path, changes)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_every_shipped_experiment_is_valid(path: Path) -> None:
    load_experiment(path)


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "{}", "---"])
def test_an_empty_file_is_no_experiment(tmp_path: Path, text: str) -> None:
    with pytest.raises(ExperimentError, match="expected an experiment, got an empty file; set at least one of title"):
        load(tmp_path, text)


def test_every_problem_is_listed(tmp_path: Path) -> None:
    with pytest.raises(ExperimentError) as caught:
        load(tmp_path, "{network: {n_units: 0, colour: red}, training: {batch_size: 0}, task: {n_bits: 0}, seeds: 0}")
    for problem in ("network.n_units: input", "network.colour: expected one", "training.batch_size: input", "seeds: "):
        assert problem in str(caught.value)
    with pytest.raises(ExperimentError, match=r"task.n_bit: expected.*; task.n_bits: expected|seeds: "):
        load(tmp_path, "{task: {n_bit: 3}, seeds: 0}")


def test_settings_change_the_file(tmp_path: Path) -> None:
    experiment = load(
        tmp_path,
        "network: {n_units: 10}\nconditions: {dale: {excitatory_fraction: 0.8}}",
        "network.n_units=20",
        "task.n_bits=2",
        "seeds=[4, 2]",
        "training.criterion=null",
        "training.learning_rate=1e-3",
        "conditions.sparse.density=0.1",
        "conditions.dale.training.learning_rate=0.5",
    )
    assert experiment.network.n_units == 20
    assert experiment.task.n_bits == 2
    assert experiment.seeds == [4, 2]
    assert experiment.training.criterion is None
    assert experiment.training.learning_rate == 1e-3
    dale, sparse = experiment.settings("dale"), experiment.settings("sparse")
    assert (dale[0].excitatory_fraction, dale[0].density, dale[1].learning_rate) == (0.8, 1.0, 0.5)
    assert (sparse[0].excitatory_fraction, sparse[0].density, sparse[1].learning_rate) == (None, 0.1, 1e-3)


def test_a_count_of_seeds_counts_from_zero(tmp_path: Path) -> None:
    assert load(tmp_path, "seeds: 4").seeds == [0, 1, 2, 3]


def test_the_task_runs_on_the_time_step_of_the_network(tmp_path: Path) -> None:
    assert load(tmp_path, "network: {dt: 2, tau: 4}").task.dt == 2


@pytest.mark.parametrize(
    "change",
    [
        "network.n_units=1",
        "network.density=0",
        "conditions={only: {excitatory_fraction: 0}}",
        "conditions={only: {excitatory_fraction: 1}}",
        "seeds=1",
        "recording.n_trials=1",
        "network.tau=[2, 3, 4]",
        "network.mask=[[0, 1, 1], [1, 0, 1], [true, false, 1]]",
        "training.warmup=1",
        "training.max_updates=1",
    ],
)
def test_extremes_that_are_legal_pass(tmp_path: Path, change: str) -> None:
    load(tmp_path, "network: {n_units: 3}", change)


BAD = {
    "network.n_units=-3": "network.n_units: input should be greater than or equal to 1, got -3",
    "network.n_units=many": "network.n_units: input should be a valid integer, got 'many'",
    "network.n_units=2.5": "network.n_units: input should be a valid integer, got 2.5",
    "network.n_units=true": "network.n_units: input should be a valid integer, got True",
    "network.density=1.5": "network.density: input should be less than or equal to 1, got 1.5",
    "network.density=.nan": "network.density: input should be a finite number, got nan",
    "network.density=true": "network.density: expected a number, got True",
    "network.dt=2": "network.dt: expected at most tau=1 ms, got 2 ms",
    "network.tau=[1, 2]": "network.tau: expected one time or n_units=5 of them, got 2",
    "network.tau=-1": "network.tau.time: input should be greater than 0, got -1",
    "network.tau={shortest: 5, longest: 2}": "network.tau.range.longest: expected at least shortest=5 ms, got 2 ms",
    "network.tau={shortest: 5, longest: 6, largest: 2}": "tau.range.largest: expected one of shortest, longest",
    "network.tau={shortest: 0.5, longest: 2}": "network.dt: expected at most tau=0.5 ms, got 1 ms",
    "network={architecture: gru, density: 0.5}": "network.density: expected 1.0 with architecture gru",
    "network={architecture: lstm, tau: 5}": "network.tau: expected 1.0 with architecture lstm",
    "network.architecture=transformer": "network.architecture: input should be 'rnn', 'gru' or 'lstm'",
    "training.decay=0.1": "training.decay: expected 0 with schedule cosine, got 0.1",
    "training={schedule: inverse_time, warmup: 0.1}": "training.warmup: expected 0 with schedule inverse_time, got 0.1",
    "network.activation=swoosh": "network.activation: expected one of linear, tanh, relu",
    "network.activaton=tanh": "network.activaton: expected one of n_units, architecture",
    "network.mask=[[1, 0], [0, 1]]": "network.mask: expected shape (5, 5), got (2, 2)",
    "network.mask=[[1, 0], [0, 2]]": "network.mask: expected rows of 0 and 1, not of 2, got [[1, 0], [0, 2]]",
    "network.mask=[[1, [0]], 3]": "network.mask: expected rows of 0 and 1, not of [0], got [[1, [0]], 3]",
    "network.mask=[3]": "network.mask.0: expected a list, got 3",
    "network.initial=gamma": "network.initial: expected one of ('orthogonal', 'gaussian') without Dale's law",
    "network.readout_from=excitatory": "network.readout_from='excitatory': expected cell types, got none",
    "network.autapses=1": "network.autapses: input should be a valid boolean, got 1",
    "network=7": "network: input should be a valid dictionary",
    "conditions.dale.excitatory_fraction=1.2": "conditions.dale.excitatory_fraction: input should be less than or",
    "conditions.dale.colour=red": "conditions.dale.colour: expected one of n_units",
    "conditions.big.n_units=6": "conditions.big.n_units: expected 5 as in network.n_units",
    "conditions.late.training.max_updates=6": "conditions.late.training.max_updates: expected in training for all",
    "conditions.slow.training.learning_rate=-1": "conditions.slow.training.learning_rate: input should be greater",
    "conditions.slow.training.rate=1": "conditions.slow.training.rate: expected one of max_updates",
    "conditions={}": "conditions: dictionary should have at least 1 item",
    "conditions={a/b: {}}": "conditions.a/b",
    "conditions=[a]": "conditions: ",
    "seeds=0": "seeds: expected a count of at least 1, or a list of seeds, got 0",
    "seeds=[1, 1]": "seeds: expected distinct seeds, got [1, 1]",
    "seeds=[-1]": "seeds.0: input should be greater than or equal to 0, got -1",
    "seeds=[]": "seeds: list should have at least 1 item",
    "seeds=true": "seeds: ",
    "training.max_updates=0": "training.max_updates: input should be greater than or equal to 1, got 0",
    "training.criterion=2": "training.criterion.score: input should be less than or equal to 1, got 2",
    "training.snapshots=[75]": "training.snapshots: expected multiples of validate_every=50",
    "training.learning_rte=1": "did you mean learning_rate?",
    "task.n_bits=0": "task.n_bits: expected an integer of at least 1, got 0",
    "task.n_bits=13": "task.n_bits: expected at most 12 for a probe",
    "task.n_bits=two": "task.n_bits: input should be a valid integer",
    "task.n_bit=3": "task.n_bit: expected one of name, preset, n_bits",
    "task.name=chess": "task.name: expected one of flip_flop",
    "task.duration=50": "task.duration: expected at least",
    "task.dt=0.5": "task.dt: expected the network's dt=1, got 0.5",
    "network.dt=-1": "network.dt: input should be greater than 0, got -1",
    "network.dt=.nan": "network.dt: input should be a finite number",
    "network.dt=null": "network.dt: ",
    "task={1: 2}": "task: expected keys and values",
    "task.name=[a]": "task.name: expected the name of a task, got ['a']",
    "seeds=[18446744073709551616]": "seeds.0: input should be less than 2147483648",
    "task=[1]": "task: expected keys and values, got [1]",
    "colour=red": "colour: expected one of title, network, task",
    "factors={dale: [none]}": "factors.dale: expected at least two levels, all different, got ['none']",
    "factors={density: [1.0, 1.0]}": "factors.density: expected at least two levels, all different",
    "factors={density: [1.0, 2.0]}": "factors.density: input should be less than or equal to 1, got 2.0",
    "factors={densty: [1, 0.5]}": "got the unknown key 'densty'; did you mean density?",
    "factors={density: 0.5}": "factors: expected a list of levels for each key, got {'density': 0.5}",
    "factors={}": "factors: expected at least one factor with its levels, got none",
    "factors={n_units: [5, 6]}": "factors.n_units: expected 5 as in network.n_units",
    "factors={max_updates: [5, 6]}": "factors.training.max_updates: expected in training for all conditions",
    "factors={dale: [none, 0.8], excitatory_fraction: [0.5, 0.8]}": "factors: expected each setting once",
    "network.n_units.deep=1": "--set network.n_units.deep: expected n_units to hold keys, got 5",
    "network.n_units": "--set: expected key=value, got 'network.n_units'",
    "network.n_units=[1": "--set network.n_units: expected a YAML value",
}


@pytest.mark.parametrize(("change", "message"), BAD.items())
def test_bad_input_gets_one_line(tmp_path: Path, change: str, message: str) -> None:
    with pytest.raises(ExperimentError) as caught:
        load(tmp_path, "network: {n_units: 5, dt: 1}", change)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "expected YAML"),
        ("- 1", "expected keys and values, got list"),
        ("1: 2", "expected keys and values"),
        ("network: 5\nx: !!python/object/apply:os.getcwd []", "expected YAML"),
        ("\x00", "expected YAML"),
        ("conditions: {a: {}, a: {density: 0.5}}", "the key 'a' twice in one place"),
        ("network:\nconditions: 3", "network: "),
        (
            "factors: {dale: [none, 0.8]}\nconditions: {dale: {excitatory_fraction: 0.8}}",
            "conditions: expected none beside factors, got both; drop one of them",
        ),
    ],
)
def test_what_is_no_experiment_gets_one_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ExperimentError) as caught:
        load(tmp_path, text)
    assert message in str(caught.value)
    assert str(caught.value).startswith(str(tmp_path))
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_gets_one_line(tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match="expected a readable file, got No such file"):
        load_experiment(tmp_path / "none.yaml")
    with pytest.raises(ExperimentError, match="expected a readable file, got Is a directory"):
        load_experiment(tmp_path)
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(ExperimentError, match="expected YAML"):
        load_experiment(tmp_path / "binary.yaml")


KEYS = st.sampled_from(
    ["title", "task", "network", "conditions", "seeds", "training", "n_units", "n_bits", "density", "tau", "mask", "x"]
)
LEAVES = st.none() | st.booleans() | st.integers(-2, 20) | st.floats() | st.text(max_size=5)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=8
)


@pytest.mark.parametrize("n_examples", [50, pytest.param(150, marks=pytest.mark.nightly)])
def test_any_content_is_an_experiment_or_gets_one_line(tmp_path: Path, n_examples: int) -> None:
    @settings(max_examples=n_examples, deadline=None)
    @given(content=st.dictionaries(KEYS, VALUES, max_size=4))
    def is_an_experiment_or_gets_one_line(content: dict[str, object]) -> None:
        experiment = None
        message = ""
        try:
            experiment = load(tmp_path, yaml.safe_dump(content))
        except ExperimentError as error:
            message = str(error)
        assert "\n" not in message
        assert bool(message) == (experiment is None)
        for condition in experiment.conditions if experiment else ():
            experiment.settings(condition)

    is_an_experiment_or_gets_one_line()
