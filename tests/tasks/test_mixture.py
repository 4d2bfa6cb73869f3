"""Mixtures against their tasks alone: the same trials, the same scores, and each as often as it should be."""

import json
from dataclasses import dataclass

import numpy as np
import pytest
import xarray as xr

import biornn as bn
from biornn.tasks import DelayedMatch, GoNoGo, MemoryProAnti, Mixture, SineGenerator, Task, Trials
from biornn.tasks.mixture import _as_kind
from biornn.tasks.registry import task_of
from biornn.tasks.scores import mean_score, score_trials, worst_score
from biornn.tasks.task import task_generator
from biornn.tasks.trials import make_arrays, make_trials

THREE = {
    "go": {"name": "go_no_go"},
    "match": {"name": "delayed_match", "n_tuned": 8},
    "memory_pro_anti": {"n_directions": 4},
}
SHARES = {"go": 0.5, "match": 0.25, "memory_pro_anti": 0.25}
MEMBERS = {
    "go": GoNoGo(dt=10.0),
    "match": DelayedMatch(n_tuned=8, dt=10.0),
    "memory_pro_anti": MemoryProAnti(n_directions=4, dt=10.0),
}


@pytest.fixture(scope="module")
def mixture() -> Mixture:
    return Mixture(THREE, SHARES, dt=10.0)


@pytest.fixture(scope="module")
def trials(mixture: Mixture) -> xr.Dataset:
    return make_trials(mixture, 202, 0)


def test_keeps_to_the_contract_and_the_targets_score_one(mixture, trials):
    for task in (mixture, Mixture()):
        bn.tasks.check(task)
    assert (score_trials(mixture, trials["targets"], trials) == 1).all()
    assert mixture.of == MEMBERS
    assert task_of(trials) == mixture == Mixture(**json.loads(trials.attrs["task_settings"]))


def test_tasks_are_as_frequent_as_their_shares_to_one_trial(mixture, trials):
    for n in (1, 7, 101):
        found = mixture.trials(n, n)["task"].values.tolist()
        assert all(abs(found.count(name) - share * n) < 1 for name, share in SHARES.items())
    names = trials["task"].values
    assert len(set(names[:20].tolist())) == 3  # in random order
    default = Mixture()
    counts = [default.trials(1, seed)["task"].item() for seed in range(40)]
    assert abs(counts.count("context_decision") - 20) < 4 * np.sqrt(10)  # four standard deviations


def test_channels_of_one_name_are_one_and_inputs_say_the_task(mixture, trials):
    assert mixture.input_channels[-3:] == ["task_go", "task_match", "task_memory_pro_anti"]
    assert len(set(mixture.input_channels)) == mixture.n_inputs
    assert mixture.output_channels.count("fixation") == 1
    within = np.arange(trials.sizes["time"]) < trials["n_steps"].values[:, np.newaxis]
    for name in THREE:
        is_task = (trials["task"] == name).values[:, np.newaxis]
        np.testing.assert_array_equal(trials["inputs"].sel(input_channel=f"task_{name}"), within & is_task)


def test_arrays_are_those_of_the_labelled_trials(mixture, trials):
    for name, array in make_arrays(mixture, 202, np.random.default_rng(0))._asdict().items():
        np.testing.assert_array_equal(array, trials[name])


@pytest.mark.parametrize("name", THREE)
def test_its_trials_are_those_of_the_task(mixture, name):
    task = MEMBERS[name]
    found, alone = mixture.trials(12, 3, task=name), make_trials(task, 12, 3)
    part = found.isel(time=slice(alone.sizes["time"]))
    for variable, dim in (
        ("inputs", "input_channel"),
        ("targets", "output_channel"),
        ("loss_weight", "output_channel"),
    ):
        own = part[variable].sel({dim: alone[dim].values})
        np.testing.assert_array_equal(own, alone[variable])
        others = [channel for channel in found[dim].values.tolist() if channel not in alone[dim].values.tolist()]
        rest = found[variable].sel({dim: [one for one in others if one != f"task_{name}"]})
        assert not rest.any()
    assert not found["loss_weight"].isel(time=slice(alone.sizes["time"], None)).any()
    np.testing.assert_array_equal(part["period"], alone["period"])
    for key, coord in alone.coords.items():
        if coord.dims == ("trial",):
            np.testing.assert_array_equal(mixture._part(found, name, np.arange(12))[key], coord)
    rng = np.random.default_rng(0)
    outputs = xr.DataArray(rng.normal(size=found["targets"].shape), found["targets"].coords, found["targets"].dims)
    own = outputs.isel(time=slice(alone.sizes["time"])).sel(output_channel=alone["output_channel"].values)
    np.testing.assert_array_equal(mixture.score(outputs, found), score_trials(task, own, alone))


def test_the_worst_condition_is_the_worst_task(mixture, trials):
    """Outputs that do one task and are silent in the others, for two networks at once."""
    outputs = xr.concat([trials["targets"], trials["targets"].where(trials["task"] == "go", 0)], "network")
    scores = score_trials(mixture, outputs, trials)
    assert mean_score(scores)[0] == 1
    assert worst_score(mixture, scores, trials).values[0] == 1
    alone = [(task, make_trials(task, 200, 0)) for task in MEMBERS.values()]
    silent = [float(score_trials(task, xr.zeros_like(one["targets"]), one).mean()) for task, one in alone]
    assert worst_score(mixture, scores, trials).values[1] == pytest.approx(min(silent[1:]), abs=0.15)  # of 50 trials
    assert float(scores[1][(trials["task"] == "go").values].min()) == 1


@dataclass(frozen=True)
class OfAnyLength(Task):
    """Each set of trials has a length of its own, and what is asked for comes last."""

    n_inputs = n_outputs = 1

    def arrays(self, n_trials, rng):
        n_times = rng.integers(2, 9)
        targets = np.zeros((n_trials, n_times, 1))
        targets[:, -1] = 1
        return Trials(targets, targets, np.ones_like(targets))

    def trials(self, n_trials, seed, **fixed):
        return self.labelled(self.arrays(n_trials, task_generator(seed)))

    def score(self, outputs, trials):
        last = outputs.isel(time=xr.DataArray(trials["n_steps"].values - 1, dims="trial"), output_channel=0, drop=True)
        return (last > 0.5).astype(float)


def test_trials_longer_than_an_example_of_their_task_are_scored_to_their_end():
    mixture = Mixture({"any": {"name": f"{__name__}:OfAnyLength"}, "go_no_go": {}}, dt=1.0)
    n_times = [made.sizes["time"] for made in (mixture.of["any"].trials(1, seed) for seed in range(9))]
    assert n_times[0] == mixture._forms["any"].sizes["time"] < max(n_times)
    for seed, is_longer in ((0, False), (4, True)):
        trials = make_trials(mixture, 4, seed)
        assert (trials["n_steps"].where(trials["task"] == "any").max() > n_times[0]) == is_longer
        assert (score_trials(mixture, trials["targets"], trials) == 1).all()


def test_chance_is_that_of_the_tasks_by_their_shares(mixture):
    expected = sum(SHARES[name] * task.chance for name, task in MEMBERS.items())
    assert mixture.chance == pytest.approx(expected)
    assert mixture.score_name == "accuracy"
    assert Mixture({"a": {"name": "go_no_go"}, "b": {"name": "sine_generator"}}).score_name == "score"


def test_the_probe_has_those_of_the_tasks(mixture):
    probe = mixture.probe()
    assert probe["task"].values.tolist().count("go") == GoNoGo(dt=10.0).probe().sizes["trial"]
    assert (score_trials(mixture, probe["targets"], probe) == 1).all()


def test_settings_of_a_source_and_a_coordinate_of_one_task():
    of_source = SineGenerator.preset("song2016", dt=20.0)
    task = Mixture({"sine": {"name": "sine_generator", "preset": "song2016"}, "context_decision": {}})
    assert task.of["sine"] == of_source != SineGenerator(dt=20.0)
    assert (task.trials(4, 0, task="context_decision", context="colour")["context"] == "colour").all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"tasks": {"go_no_go": {}}}, "tasks: expected two tasks or more and their settings, got .*"),
        ({"tasks": {"a": {}, "go_no_go": {}}}, "tasks: a: name: expected one of flip_flop, .*, got 'a'"),
        ({"tasks": {"go_no_go": {"dealy": 3}, "mixture": {}}}, "tasks: go_no_go: dealy: expected one of .*"),
        (
            {"tasks": {"go_no_go": {"dt": 5}, "boolean_gate": {}}},
            "tasks: go_no_go: expected dt=20, that of all tasks, got 5",
        ),
        ({"tasks": {"go_no_go": {"delay": -5}, "boolean_gate": {}}}, "tasks: go_no_go: delay: .*"),
        ({"probabilities": {"context_decision": 1.0}}, "probabilities: expected a share for each of .*"),
        (
            {"probabilities": {"context_decision": 1.0, "multisensory_integration": 1.0}},
            "probabilities: expected a share .* sum to 1, got .*",
        ),
        (
            {"probabilities": {"context_decision": 1.5, "multisensory_integration": -0.5}},
            "probabilities: context_decision: .*",
        ),
    ],
)
def test_impossible_settings_are_named(settings, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        Mixture(**settings)


def test_a_coordinate_that_is_text_in_one_task_and_a_number_in_another_is_read_back(mixture, trials):
    """`stimulus` is go or no-go in one, and a length in the other."""
    for name, task in MEMBERS.items():
        place = np.flatnonzero(trials["task"] == name)
        part = mixture._part(trials, name, place)
        for key, coord in make_trials(task, 1, 0).coords.items():
            if coord.dims == ("trial",):
                assert part[key].dtype.kind == coord.dtype.kind, (name, key)
    lengths = mixture._part(trials, "memory_pro_anti", np.flatnonzero(trials["task"] == "memory_pro_anti"))["stimulus"]
    assert lengths.min() >= 200
    assert lengths.max() <= 1600


@pytest.mark.parametrize("values", [[True, False], [3, -1], [0.5, 400.0]])
def test_what_became_text_is_read_back(values):
    plain = xr.DataArray(values, dims="trial")
    back = _as_kind(plain.astype(str), plain.dtype)
    assert back.dtype == plain.dtype
    assert back.values.tolist() == values


def test_a_mixture_in_a_mixture_is_refused():
    message = "tasks: inner: expected trials without a coordinate 'task', which a mixture has itself"
    with pytest.raises(ValueError, match=f"^{message}$"):
        Mixture({"boolean_gate": {}, "inner": {"name": "mixture"}})


def test_what_cannot_be_fixed_is_refused(mixture):
    with pytest.raises(TypeError, match=r"^match: expected task to be fixed as well, whose coordinate it is$"):
        mixture.trials(2, 0, match=True)
    with pytest.raises(ValueError, match=r"^task: expected one of go, match, memory_pro_anti, got 'gone'$"):
        mixture.trials(2, 0, task="gone")
