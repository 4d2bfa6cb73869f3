"""Tasks in periods, by one whose trials can be written down."""

from dataclasses import dataclass

import numpy as np
import pytest

from biornn.tasks import check
from biornn.tasks.in_periods import InPeriods, Plan
from biornn.tasks.trials import make_probe, make_trials


@dataclass(frozen=True)
class Echo(InPeriods):
    """A level, 1 or -1, for one or two steps, and then its sign for one."""

    input_channels, output_channels = ("level", "cue"), ("sign",)
    _period_names, _n_times = ("level", "answer"), 3
    chance = 0.5

    noise: float = 0.5
    noise_tau: float = 20.0
    rectify: bool = False
    dt: float = 10.0

    def _draw(self, n_trials, rng, level=None):
        levels = rng.choice([-1.0, 1.0], n_trials) if level is None else np.full(n_trials, level)
        return {"level": levels, "n_shown": rng.integers(1, 3, n_trials)}

    def _of_probe(self):
        return {"level": np.array([-1.0, 1.0]), "n_shown": np.array([1, 2])}

    def _plan(self, of_trials):
        level = of_trials["level"].astype(np.float32)
        inputs = np.stack([np.stack([level, 0 * level], axis=-1), np.tile(np.float32([0, 1]), (len(level), 1))], axis=1)
        targets = np.stack([0 * level, level], axis=-1)[..., np.newaxis]
        return Plan((of_trials["n_shown"], 1), inputs, targets, np.float32([[[0], [2]]]))

    def score(self, outputs, trials):
        answer = outputs.isel(output_channel=0, drop=True).where(trials["period"] == "answer").mean("time")
        return (np.sign(answer) == trials["level"]).astype(float)


def test_keeps_to_the_contract():
    check(Echo())
    assert (Echo().n_inputs, Echo().n_outputs) == (2, 1)


def test_probe_by_hand():
    probe = make_probe(Echo())
    assert probe["period"].values.tolist() == [["level", "answer", "padding"], ["level", "level", "answer"]]
    assert probe["inputs"].values.tolist() == [[[-1, 0], [0, 1], [0, 0]], [[1, 0], [1, 0], [0, 1]]]
    assert probe["targets"].values[..., 0].tolist() == [[0, -1, 0], [0, 0, 1]]
    assert probe["loss_weight"].values[..., 0].tolist() == [[0, 2, 0], [0, 0, 2]]
    assert probe["n_steps"].values.tolist() == [2, 3]


def test_noise_is_added_within_trials_only():
    plain, noisy = (make_trials(Echo(noise=noise), 4000, 0) for noise in (0, 0.5))
    difference = (noisy["inputs"] - plain["inputs"]).astype(float)
    assert (difference.where(noisy["period"] == "padding", 0) == 0).all()
    # σ sqrt(2 τ / dt) = 1, of 10,000 samples or more: known to 0.7 %.
    assert difference.where(noisy["period"] != "padding").std().item() == pytest.approx(1, rel=0.03)


def test_rectified_inputs_are_the_others_where_these_are_positive():
    plain, rectified = (Echo(rectify=rectify).trials(50, seed=0)["inputs"] for rectify in (False, True))
    assert (plain < 0).any()
    np.testing.assert_array_equal(rectified, plain.clip(0))


def test_one_seed_gives_one_set_and_arrays_are_those_of_the_labelled_trials():
    task = Echo()
    trials = task.trials(20, seed=3)
    assert trials.identical(task.trials(20, seed=3))
    for name, array in task.arrays(20, np.random.default_rng(3))._asdict().items():
        np.testing.assert_array_equal(array, trials[name])
        assert array.dtype == np.float32


def test_what_is_fixed_goes_to_the_draw():
    assert set(Echo().trials(9, seed=0, level=1.0)["level"].values.tolist()) == {1}
    with pytest.raises(ValueError, match=r"^n_trials: expected an integer of at least 1, got 0"):
        Echo().trials(0, seed=0)
