"""Environments with neurogym's interface as tasks; and, nightly, those of the real package."""

import subprocess
import sys
import venv
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import xarray as xr

import biornn as bn
from biornn.tasks import from_neurogym, task_of
from biornn.tasks.scores import mean_score, score_trials, trial_condition
from biornn.tasks.trials import complete, make_arrays, make_trials
from tests.tasks.environments import Alternating, Decision, Reach, Space, Wrapper
from tests.test_readme import ROOT, block

MAKERS = {
    "choices": Decision,
    "continuous": Reach,
    "wrapped": lambda: Wrapper(Wrapper(Decision())),
    "several": lambda: Alternating([Decision(), Wrapper(Decision())]),
}
any_kind = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)


@any_kind
def test_keeps_to_the_contract(make):
    task = from_neurogym(make())
    bn.tasks.check(task)
    assert task.dt == 20
    assert task.input_channels == ["fixation", "stimulus_1", "stimulus_2"]
    assert np.isnan(task.chance)


@any_kind
def test_one_seed_gives_one_set_whatever_was_drawn_before(make):
    task = from_neurogym(make())
    trials = task.trials(8, seed=3)
    task.trials(5, seed=1)
    assert trials.identical(task.trials(8, seed=3))
    assert trials.identical(from_neurogym(make()).trials(8, seed=3))
    assert not trials.equals(task.trials(8, seed=4))
    for name, array in make_arrays(task, 8, np.random.default_rng(3))._asdict().items():
        np.testing.assert_array_equal(array, trials[name])
        assert array.dtype == np.float32


# ---- trials


def test_trials_are_whole_and_padded_to_the_longest():
    task = from_neurogym(Decision())
    trials = make_trials(task, 30, 0)
    assert set(trials["n_steps"].values.tolist()) == {11, 12, 13}
    assert trials.sizes["time"] == 13
    padding = xr.DataArray(np.arange(13), dims="time") >= trials["n_steps"]
    assert (padding == (trials["period"] == "padding")).all()
    for name in ("inputs", "targets", "loss_weight"):
        assert (trials[name].where(padding, 0) == 0).all()
    for trial in range(30):
        n_delay = trials["n_steps"].values[trial] - 9
        expected = ["fixation"] * 2 + ["stimulus"] * 3 + ["delay"] * n_delay + ["decision"] * 4
        assert trials["period"].values[trial].tolist() == expected + ["padding"] * (4 - n_delay)
    assert task.arrays(1, np.random.default_rng(0)).inputs.shape[1] in (11, 12, 13)


def test_targets_are_one_for_the_right_choice():
    task = from_neurogym(Decision())
    trials = make_trials(task, 10, 0)
    assert trials["output_channel"].values.tolist() == ["fixation", "choice_1", "choice_2"]
    within = trials["period"] != "padding"
    assert (trials["targets"].sum("output_channel") == within).all()
    right = xr.where(trials["period"] == "decision", trials["ground_truth"], 0)
    for number, name in enumerate(task.output_channels):
        assert (trials["targets"].sel(output_channel=name) == ((right == number) & within)).all()
    assert (trials["correct_choice"] == xr.where(trials["ground_truth"] == 1, "choice_1", "choice_2")).all()


def test_choices_may_be_counted_from_another_number():
    class FromOne(Decision):
        """Choices 1 to 3 for 0 to 2."""

        def __init__(self):
            super().__init__()
            self.action_space.start = 1

        def new_trial(self, **kwargs):
            super().new_trial(**kwargs)
            self.gt += 1

    first, second = (from_neurogym(env).trials(5, 0) for env in (FromOne(), Decision()))
    xr.testing.assert_equal(first["targets"], second["targets"])


def test_continuous_answers_are_the_targets():
    task = from_neurogym(Reach())
    trials = make_trials(task, 10, 0)
    assert trials["output_channel"].values.tolist() == ["output_1", "output_2"]
    expected = xr.where(trials["period"] == "decision", trials["ground_truth"] / 2, 0)
    assert (trials["targets"][..., 0] == expected).all()
    assert (trials["targets"][..., 1] == 0).all()
    assert not hasattr(task, "choice")


@pytest.mark.parametrize(("grace", "n_zero"), [(0, 0), (20, 1), (40, 2), (60, 3), (80, 3), (1000, 3)])
def test_the_loss_does_not_count_the_grace_time_after_a_change_but_the_last_sample(grace, n_zero):
    trials = make_trials(from_neurogym(Decision(), grace=grace), 6, 0)
    for weight, period in zip(trials["loss_weight"].values, trials["period"].values, strict=True):
        decision = np.flatnonzero(period == "decision")
        expected = np.where(period == "padding", 0, 1)
        expected[decision[:n_zero]] = 0
        np.testing.assert_array_equal(weight, np.repeat(expected[:, np.newaxis], 3, axis=1))


def test_what_a_trial_tells_is_on_trial_if_it_is_one_value():
    task = from_neurogym(Decision())
    trials = make_trials(task, 40, 0)
    labels = {name for name, coord in trials.coords.items() if coord.dims == ("trial",)} - {"trial", "n_steps"}
    assert labels == {"ground_truth", "coh", "number", "hand", "trial_period", "correct_choice"}
    assert trials["number"].values.tolist() == list(range(1, 41))
    assert set(trials["coh"].values.tolist()) == {5.0, 50.0}
    assert set(trials["trial_period"].values.tolist()) == {3}  # trials have a period of their own
    assert trials["hand"].values[0] == "left"
    first = "coh=5.0, correct_choice=choice_1, ground_truth=1"
    assert any(set(first.split(", ")) <= set(one.split(", ")) for one in trial_condition(task, trials))


def test_what_is_not_told_of_every_trial_is_left_out():
    class Catch(Decision):
        """Tells the coherence of every second trial only, and a number or a text of the hand."""

        def new_trial(self, **kwargs):
            super().new_trial(**kwargs)
            if self.n_drawn % 2:
                del self.trial["coh"]
                self.trial["hand"] = 1

    labels = from_neurogym(Catch()).trials(4, 0).coords
    assert "ground_truth" in labels
    assert not {"coh", "hand"} & set(labels)


def test_a_value_can_be_fixed():
    trials = from_neurogym(Wrapper(Decision())).trials(20, 0, ground_truth=2, coh=1.0)
    assert set(trials["correct_choice"].values.tolist()) == {"choice_2"}
    assert set(trials["coh"].values.tolist()) == {1.0}


# ---- scores


@any_kind
def test_the_targets_themselves_score_one(make):
    task = from_neurogym(make())
    trials = make_trials(task, 40, 0)
    assert (score_trials(task, trials["targets"], trials) == 1).all()


def test_choice_is_the_largest_mean_of_the_last_period_after_the_grace_time():
    task = from_neurogym(Decision(), grace=40)
    trials = make_trials(task, 4, 0, ground_truth=1)
    outputs = 0 * trials["targets"]
    outputs[..., 1] = 0.3
    decision = (trials["period"] == "decision").argmax("time").values
    outputs[0, decision[0] + 1, 0] = 9.0  # in the grace time
    outputs[1, decision[1] + 2, 2] = 0.7  # a mean of 0.35
    outputs[2, : decision[2], 2] = 9.0
    outputs[3] = np.nan
    assert task.choice(outputs, trials).values.tolist() == ["choice_1", "choice_2", "choice_1", ""]
    assert task.score(outputs, trials).values.tolist() == [1, 0, 1, 0]
    longer = from_neurogym(Decision(), grace=1000)  # then the last sample makes the choice
    outputs[:] = 0.0
    outputs[:, :, 0] = 0.5
    for trial in range(4):
        outputs[trial, decision[trial] + 3] = [0.0, 1.0, 0.0]
    assert set(longer.choice(outputs, trials).values.tolist()) == {"choice_1"}


def test_the_last_period_is_what_comes_last_whatever_was_named_so_before():
    class Unnamed(Decision):
        """Names neither the fixation nor the decision, so that both are ``between``."""

        def new_trial(self, **kwargs):
            super().new_trial(**kwargs)
            for name in ("fixation", "decision"):
                self.end_ind[name] = self.start_ind[name]

    task = from_neurogym(Unnamed(), grace=0)
    trials = make_trials(task, 8, 0)
    assert (trials["period"].isel(time=0) == "between").all()
    decision = trials["targets"].isel(output_channel=0) < trials["loss_weight"].isel(output_channel=0)
    assert set(decision.sum("time").values.tolist()) == {4}
    assert set(trials["correct_choice"].values.tolist()) == {"choice_1", "choice_2"}
    assert (task.choice(trials["targets"].where(decision, 9.0), trials) == trials["correct_choice"]).all()


def test_scores_broadcast_over_networks():
    for env in (Decision(), Reach()):
        task = from_neurogym(env)
        trials = make_trials(task, 12, 0)
        several = xr.concat([trials["targets"], -trials["targets"]], dim="network")
        scores = score_trials(task, several, trials)
        assert scores.dims == ("network", "trial")
        assert mean_score(scores).values.tolist() == [1, 0]


def test_score_of_continuous_answers_is_the_share_explained_in_the_last_period():
    task = from_neurogym(Reach(), grace=20)
    trials = make_trials(task, 10, 0)
    before = trials["period"] != "decision"
    outputs = (0.5 * trials["targets"]).where(~before, 7.0)
    np.testing.assert_allclose(task.score(outputs, trials), 0.75)
    silent = trials.assign(targets=0 * trials["targets"])
    assert task.score(outputs, silent).isnull().all()


def test_padding_does_not_count():
    for env in (Decision(), Reach()):
        task = from_neurogym(env)
        trials = make_trials(task, 30, 0)
        outputs = trials["targets"].where(trials["period"] != "padding", 100.0)
        assert (score_trials(task, outputs, trials) == 1).all()


# ---- what it cannot do


@any_kind
def test_stored_trials_are_scored_without_the_environment(make):
    task = from_neurogym(make(), grace=40)
    trials = make_trials(task, 20, 0)
    stored = task_of(trials)
    for name in ("name", "env", "grace", "dt", "input_channels", "output_channels", "score_name"):
        assert getattr(stored, name) == getattr(task, name), name
    assert complete(stored, trials, "trials").identical(trials)
    noise = xr.DataArray(np.random.default_rng(0).normal(size=(5, *trials["targets"].shape)))
    outputs = trials["targets"] + noise.rename(dict(zip(noise.dims, ("network", *trials["targets"].dims), strict=True)))
    scores = score_trials(task, outputs, trials)
    assert 0 < scores.mean() < 1
    xr.testing.assert_identical(score_trials(stored, outputs, trials), scores)
    given, found = (bn.analysis.performance(outputs, trials, one) for one in (task, None))
    xr.testing.assert_identical(found, given)


def test_stored_trials_draw_no_new_ones_and_say_so():
    stored = task_of(make_trials(from_neurogym(Decision()), 3, 0))
    message = (
        r"^trials: expected the environment Decision, which draws new ones, .*; make the task by biornn.tasks.from_ne"
    )
    for draw in (lambda: stored.trials(3, 0), lambda: stored.arrays(3, np.random.default_rng(0))):
        with pytest.raises(ValueError, match=message):
            draw()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda trials: trials.drop_vars("time"), "expected the coordinate 'time' of stored trials, found none"),
        (lambda trials: trials.assign_attrs(task_settings="{}"), "grace: expected .* got None"),
    ],
)
def test_what_is_missing_in_stored_trials_is_told(change, message):
    trials = make_trials(from_neurogym(Decision()), 3, 0)
    with pytest.raises(
        ValueError, match=f"^trials: expected a task that can be made, got .*NeurogymChoice': {message}"
    ):
        task_of(change(trials))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: from_neurogym("GoNogo-v0"), "env: expected an environment of neurogym, an instance with new_trial"),
        (lambda: from_neurogym(Decision), "env: expected an environment of neurogym, an instance with new_trial"),
        (lambda: from_neurogym(Decision(), grace=-1), "grace: expected a number of at least 0, got -1"),
        (lambda: from_neurogym(Decision()).trials(0, 0), "n_trials: expected an integer of at least 1, got 0"),
        (lambda: bn.tasks.neurogym.NeurogymTask("Decision"), "env: expected an environment of neurogym, an instance"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(make, message):
    with pytest.raises((TypeError, ValueError), match=f"^{message}") as raised:
        make()
    assert "\n" not in str(raised.value)


def test_answers_that_are_no_choices_are_told():
    env = Decision()
    env.action_space = Space(n=1)
    with pytest.raises(
        ValueError, match=r"^env: expected one right answer from 0 to 0 at each sample, got \[0, [12]\]"
    ):
        from_neurogym(env)


# ---- the real package

REAL = """
import warnings

import neurogym
import numpy as np
from neurogym.utils.scheduler import RandomSchedule
from neurogym.wrappers.block import ScheduleEnvs, TrialHistoryV2

import biornn as bn
from biornn.tasks.trials import make_trials


def made(name, **settings):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of gymnasium, about what is drawn
        return neurogym.make(f"{name}-v0", **settings)


rules = [made(f"yang19.{rule}").unwrapped for rule in ("go", "dm1", "dms")]
history = TrialHistoryV2(made("PerceptualDecisionMaking", dt=20).unwrapped, probs=np.array([[0.9, 0.1], [0.1, 0.9]]))
environments = [
    *map(made, ("GoNogo", "ContextDecisionMaking", "DelayMatchSample", "ReadySetGo", "IntervalDiscrimination")),
    made("PerceptualDecisionMaking", dt=20, timing={"decision": 300}),
    made("ReachingDelayResponse"),
    made("PostDecisionWager"),
    ScheduleEnvs(rules, RandomSchedule(3), env_input=True),
    history,
]
for env in environments:
    task = bn.tasks.from_neurogym(env)
    bn.tasks.check(task)
    trials = make_trials(task, 30, 0)
    task.arrays(7, np.random.default_rng(1))
    assert trials.identical(make_trials(task, 30, 0)), task.name
    assert (task.score(trials["targets"], trials) == 1).all(), task.name
    wager = trials["wager"].values if "wager" in trials.coords else None
    assert wager is None or np.array_equal((trials["period"] == "pre_sure").any("time"), wager)
    print(task.name, trials.sizes["time"])
for name in ("Bandit", "Reaching1D"):
    try:
        bn.tasks.from_neurogym(made(name))
    except ValueError as error:
        print(error)
"""


@pytest.fixture(scope="module")
def real_python():
    """Python of an environment that has neurogym beside biornn, as the documentation says; gigabytes, so not kept."""
    with TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = f"{folder}/bin/python"
        needed = ["neurogym>=2.3", "torch==2.13.0", "-e", str(ROOT)]  # of torch, the release of .ci/run
        subprocess.run([python, "-m", "pip", "install", "--quiet", *needed], check=True, timeout=3600)
        yield python


def run_in(folder, python, code):
    """Run code in a folder; return what it prints."""
    done = subprocess.run([python, "-c", code], cwd=folder, capture_output=True, text=True, timeout=1800)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.nightly
def test_the_real_package_in_an_environment_of_its_own(real_python, tmp_path):
    *made, bandit, reaching = run_in(tmp_path, real_python, REAL).splitlines()
    assert len(made) == 10
    assert bandit == (
        "env: expected as many observations (ob) as right answers (gt) in a trial, got 1 and none from Bandit"
    )
    assert reaching.startswith("env: expected one right answer from 0 to 2 at each sample, got [3]")


@pytest.mark.nightly
def test_the_example_of_the_documentation_is_learned_and_reported(real_python, tmp_path):
    run_in(tmp_path, real_python, block("neurogym", "docs/your_own_task.md"))
    folder = tmp_path / "runs" / "neurogym"
    assert "on the task perceptual_decision_making: 2 conditions" in (folder / "report.html").read_text()
    run = bn.open_run(folder)  # in this environment, without neurogym
    bn.validate(run)
    summary, trials = bn.report.summarise(run), run["trials"].to_dataset()
    evidence = trials["inputs"].sel(input_channel=["stimulus_1", "stimulus_2"]).sum("time").argmax("input_channel")
    observer = (evidence == trials["ground_truth"]).mean()
    assert summary["score"].size == 6
    assert (summary["violations"] == 0).all()
    # Over 200 trials the standard error of a share of 0.95 is 0.015; before training no network has more than 0.6.
    assert (summary["score"] > 0.9).all()
    assert (abs(summary["score"] - observer) < 0.05).all()
    assert (run["history"]["score"].isel(snapshot=0) < 0.6).all()


def test_neurogym_is_never_imported():
    code = "import sys, biornn as bn; bn.tasks.from_neurogym; print(*sys.modules)"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "biornn.tasks.neurogym" in printed.split()
    assert not {"neurogym", "gymnasium", "gym"} & set(printed.split())
