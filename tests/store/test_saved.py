"""Recorded networks become a run that everything else reads."""

import numpy as np
import pytest
import xarray as xr

import biornn as bn
from biornn.analysis import audit, performance
from biornn.cli import main
from biornn.report.head import head
from biornn.report.reading import Reading
from biornn.report.sections import SECTIONS
from biornn.schema import GROUPS, variable_attrs
from biornn.store import add_evaluations
from biornn.tasks import from_neurogym
from biornn.tasks.given_trials import GivenTrials
from biornn.tasks.trials import complete, make_trials
from tests.tasks.environments import Decision

N_UNITS = 6


def given_trials(n_trials):
    rng = np.random.default_rng(0)
    arrays = {
        "inputs": (("trial", "time", "input_channel"), rng.normal(size=(n_trials, 9, 1))),
        "targets": (("trial", "time", "output_channel"), rng.normal(size=(n_trials, 9, 1))),
    }
    return complete(GivenTrials(["in"], ["out"]), xr.Dataset(arrays), "trials")


def recorded_tree(seed=0, updates=(0, 10), n_units=N_UNITS, n_trials=8, use_bias=True, trials=None):
    """The groups that `biornn.record` gives, of a network of random weights, without Keras."""
    trials = given_trials(n_trials) if trials is None else trials
    rng = np.random.default_rng([1, seed])
    sizes = {"snapshot": len(updates), "unit": n_units, "unit_pre": n_units, "unit_post": n_units}
    sizes |= {name: trials.sizes[name] for name in ("input_channel", "output_channel")}
    text = {"activation": "tanh", "formulation": "rate", "cell_type": "unconstrained"}
    weights = {}
    for name, variable in GROUPS["weights"].items():
        if "gate" in variable.dims or "axis" in variable.dims:
            continue
        dims = variable.dims[1:]
        shape = [sizes[dim] for dim in dims]
        draw = {"float": rng.normal(0, 0.3, shape), "bool": np.ones(shape, bool), "int": np.zeros(shape, int)}
        weights[name] = (dims, draw.get(variable.kind, np.full(shape, text.get(name, ""), object)))
    weights["alpha"] = ("unit", np.full(n_units, 0.5))
    labels = {dim: np.arange(n_units) for dim in ("unit", "unit_pre", "unit_post")}
    labels |= {"snapshot": np.arange(len(updates)), "update": ("snapshot", list(updates))}
    labels |= {name: trials[name] for name in ("input_channel", "output_channel")}
    weights = variable_attrs("weights", xr.Dataset(weights, labels))
    activity = bn.analysis.simulate(weights, trials["inputs"]).astype("float32").drop_vars(["snapshot", "update"])
    scores = performance(activity["outputs"], trials)
    each = {name: ("snapshot", np.full(len(updates), float(scores["mse"]))) for name in ("loss", "val_loss")}
    each |= {name: ("snapshot", np.full(len(updates), float(scores["score"]))) for name in ("score", "worst_score")}
    rest = {"status": "completed", "failure": "", "updates_trained": updates[-1], "updates_to_criterion": np.nan}
    history = xr.Dataset(each | rest | {"wall_time": np.nan}, {n: labels[n] for n in ("snapshot", "update")})
    history["score"].attrs["score_name"] = trials.attrs["score_name"]
    groups = {"trials": trials, "activity": activity, "weights": weights, "history": variable_attrs("history", history)}
    tree = xr.DataTree.from_dict(groups | {"audit": audit(weights)})
    bias = "true" if use_bias else "false"
    tree.attrs = {"network": f'{{"use_bias": {bias}}}', "training": '{"optimizer": "Adam", "learning_rate": 0.001}'}
    return tree


CONDITIONS, SEEDS = ["without", "with", "without", "with"], [1, 1, 0, 0]


@pytest.fixture(scope="module")
def trees():
    return [recorded_tree(seed, use_bias=condition == "with") for seed, condition in enumerate(CONDITIONS)]


@pytest.fixture(scope="module")
def run(trees, tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved") / "run"
    return bn.save_run(folder, trees, conditions=CONDITIONS, seeds=SEEDS, title="by hand")


def test_the_run_holds_every_network_at_its_name(trees, run):
    bn.validate(run)
    names = ["without-s01", "without-s00", "with-s01", "with-s00"]  # conditions in their order
    assert run["network"].values.tolist() == names
    assert run.attrs["title"] == "by hand"
    for tree, condition, seed in zip(trees, CONDITIONS, SEEDS, strict=True):
        network = f"{condition}-s{seed:02d}"
        for group in ("activity", "weights", "history", "audit"):
            stored = run[group].to_dataset().sel(network=network)
            assert (str(stored["condition"].item()), int(stored["seed"])) == (condition, seed)
            for name, array in tree[group].data_vars.items():
                np.testing.assert_array_equal(stored[name].values.astype(array.dtype), array.values, err_msg=name)
    summary = bn.report.summarise(run)
    assert (summary["violations"] == 0).all()
    assert summary["trained"].all()


def test_conditions_and_seeds_have_defaults_and_an_update_that_networks_do_not_share_is_not_told(tmp_path):
    run = bn.save_run(tmp_path / "run", [recorded_tree(0, (0, 10)), recorded_tree(1, (0, 7))])
    assert run["network"].values.tolist() == ["recorded-s00", "recorded-s01"]
    assert run["weights"]["update"].values.tolist() == run["history"]["update"].values.tolist() == [0, -1]
    assert run["history"].updates_trained.values.tolist() == [10, 7]


def test_what_is_known_of_the_networks_and_their_training_is_described(run):
    reading = Reading(run)
    compared = "4 networks of 6 units recorded in given trials: 2 conditions (without, with) × 2 seeds."
    assert head(reading).compared == compared
    first, second = (reading.described[condition] for condition in ("with", "without"))
    assert (first["bias"], second["bias"]) == (
        "units: yes; outputs: not recorded",
        "units: no; outputs: not recorded",
    )
    assert first["training algorithm"].startswith("Adam (backpropagation through time), learning rate 0.001")


@pytest.fixture
def run_of_an_environment(tmp_path):
    """Folder of a run on a task that no settings make again, and the task."""
    task = from_neurogym(Decision(), grace=40)
    trials = make_trials(task, 40, 0)
    bn.save_run(tmp_path / "run", [recorded_tree(seed, trials=trials) for seed in (0, 2)], conditions=["a", "b"])
    return tmp_path / "run", task


def test_a_run_on_an_environment_is_read_without_it(run_of_an_environment):
    folder, task = run_of_an_environment
    run = bn.open_run(folder)
    bn.validate(run)
    expected = performance(run["activity"]["outputs"], make_trials(task, 40, 0), task)
    reading = Reading(run)
    assert expected["score"].std() > 0
    for scores in (performance(run["activity"]["outputs"], run["trials"].to_dataset()), reading.summary):
        np.testing.assert_array_equal(scores["score"], expected["score"])
    assert head(reading).compared.startswith("2 networks of 6 units trained on the task decision: 2 conditions (a, b)")
    assert reading.has("choice", "trial_conditions", "coh")
    names = {
        name for name, section in SECTIONS.items() if name in ("scores", "behaviour", "settings") and section(reading)
    }
    assert names == {"scores", "behaviour", "settings"}
    with pytest.raises(ValueError, match=r"^trials: expected the environment Decision, which draws new ones, got only"):
        add_evaluations(folder, {})
    found = bn.analysis.evaluate(run["weights"].to_dataset(), task, n_trials=20)
    assert found["score"].notnull().all()


@pytest.mark.nightly
def test_a_run_on_an_environment_is_reported_without_it(run_of_an_environment, capsys):
    folder, _ = run_of_an_environment
    for command in (["audit"], ["info"], ["report", "--workers", "1"]):
        assert main([*command, str(folder)]) == 0
    assert "Decision" in (folder / "report.html").read_text()
    capsys.readouterr()
    for changes in ([], ["--set", "task.grace=60"]):
        assert main(["evaluate", str(folder), *changes]) == 2
        told = capsys.readouterr().err.strip()
        assert told.startswith("biornn: ")
        assert "expected" in told
        assert "\n" not in told


@pytest.mark.parametrize(
    ("trees", "settings", "message"),
    [
        ([], {}, "trees: expected at least one DataTree"),
        ([0], {"conditions": ["a", "b"]}, "conditions: expected one for each of 1 networks, got 2"),
        ([0, 1], {"conditions": ["a", "a"], "seeds": [3, 3]}, "seeds: expected distinct ones within a condition"),
        ([0], {"conditions": ["a/b"]}, "conditions: expected letters, digits"),
        ([0], {"seeds": [-1]}, "seeds: expected an integer of at least 0"),
        ([0, {"n_units": 5}], {}, "trees: expected networks of one size"),
        ([0, {"n_trials": 5}], {}, "trees: expected the same trials in all networks"),
        ([0, {"updates": (0, 5, 10)}], {}, "trees: expected networks of one size"),
    ],
)
def test_what_cannot_stand_in_one_run_is_refused_and_nothing_written(trees, settings, message, tmp_path):
    made = [recorded_tree(**one) if isinstance(one, dict) else recorded_tree(one) for one in trees]
    with pytest.raises(ValueError, match=message) as error:
        bn.save_run(tmp_path / "run", made, **settings)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "run").exists()


@pytest.mark.nightly
def test_a_run_is_replaced_only_when_asked(tmp_path):
    bn.save_run(tmp_path / "run", [recorded_tree(0)])
    with pytest.raises(FileExistsError):
        bn.save_run(tmp_path / "run", [recorded_tree(1)])
    run = bn.save_run(tmp_path / "run", [recorded_tree(1)], conditions=["new"], overwrite=True)
    assert run["network"].values.tolist() == ["new-s00"]
