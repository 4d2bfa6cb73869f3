"""One seed gives one set of whole trials, whatever an environment holds."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from biornn.tasks.environment import Environment
from tests.tasks.environments import Alternating, Decision, Wrapper


def drawn(environment, seed, n_trials=6, **fixed):
    return environment.draw(n_trials, seed, fixed)


def same(first, second):
    return len(first) == len(second) and all(
        np.array_equal(one.observations, two.observations)
        and np.array_equal(one.answers, two.answers)
        and np.array_equal(one.period, two.period)
        and str(one.told) == str(two.told)
        for one, two in zip(first, second, strict=True)
    )


MAKERS = {
    "plain": Decision,
    "wrapped": lambda: Wrapper(Wrapper(Decision())),
    "several": lambda: Wrapper(Alternating([Wrapper(Decision()), Decision(dt=20)])),
}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_one_seed_gives_the_same_trials_whatever_was_drawn_before(make):
    environment = Environment(make())
    first = drawn(environment, 1)
    assert not same(first, drawn(environment, 2))
    drawn(environment, 3, n_trials=5)
    assert same(first, drawn(environment, 1))
    assert same(first, drawn(Environment(make()), 1))
    assert not same(first[:1] * 2, first[:2])


def test_a_state_that_goes_on_from_trial_to_trial_begins_anew_in_each_set():
    environment = Environment(Decision())
    for _ in range(2):
        assert [one.told["number"] for one in drawn(environment, 0)] == [1, 2, 3, 4, 5, 6]
    env = Decision()
    env.new_trial()  # before it was given
    assert drawn(Environment(env), 0, n_trials=1)[0].told["number"] == 2


@pytest.mark.parametrize("generator", [np.random.RandomState, np.random.default_rng])
def test_without_a_method_the_generator_is_seeded(generator):
    class Unseeded:
        """One number, from the generator."""

        dt, observation_space, action_space = 1, None, None
        start_ind, end_ind = {"all": 0}, {"all": 1}

        def __init__(self):
            self.rng = generator()

        def new_trial(self):
            self.ob = self.gt = self.rng.uniform(size=1)

    environment = Environment(Unseeded())
    assert same(drawn(environment, 5), drawn(environment, 5))
    assert not same(drawn(environment, 5), drawn(environment, 6))
    assert drawn(environment, 5)[0].told == {}
    assert type(environment._env.rng) is type(generator())


def test_trials_are_whole_and_those_of_one_set_are_not_one_array():
    class Reusing(Decision):
        """Writes each trial over the one before."""

        def new_trial(self, **kwargs):
            buffer = vars(self).setdefault("buffer", np.zeros((20, 3), np.float32))
            trial = super().new_trial(**kwargs)
            buffer[: len(self.ob)] = self.ob
            self.ob = buffer[: len(self.ob)]
            return trial

    for one, two in zip(drawn(Environment(Reusing()), 4), drawn(Environment(Decision()), 4), strict=True):
        np.testing.assert_array_equal(one.observations, two.observations)
        assert len(one.observations) == len(one.answers) == len(one.period) in (11, 12, 13)


def test_periods_by_hand():
    for trial in drawn(Environment(Decision()), 0):
        n_delay = len(trial.period) - 9
        expected = ["fixation"] * 2 + ["stimulus"] * 3 + ["delay"] * n_delay + ["decision"] * 4
        assert trial.period.tolist() == expected


def test_of_overlapping_periods_the_shorter_is_named_and_those_of_earlier_trials_are_not():
    class Overlapping(Decision):
        """A cue within the delay in every second trial, and a gap after the stimulus in the others."""

        def new_trial(self, **kwargs):
            trial = super().new_trial(**kwargs)
            if self.n_drawn % 2:
                self.start_ind["cue"], self.end_ind["cue"] = 5, 6
            else:
                self.start_ind["delay"] = 6
            return trial

    first, second = drawn(Environment(Overlapping()), 0, n_trials=2)
    assert first.period[:7].tolist() == ["fixation"] * 2 + ["stimulus"] * 3 + ["cue", "delay"]
    assert second.period[:7].tolist() == ["fixation"] * 2 + ["stimulus"] * 3 + ["between", "delay"]


def test_periods_that_are_set_once_are_those_of_every_trial():
    class Once(Decision):
        """Periods that never change, in mappings of their own."""

        def __init__(self):
            super().__init__()
            self.timing = {"delay": lambda: 40}
            super().new_trial()

        def new_trial(self, **kwargs):
            kept = self.start_ind, self.end_ind
            self.start_ind, self.end_ind = {}, {}
            trial = super().new_trial(**kwargs)
            self.start_ind, self.end_ind = kept
            return trial

    for trial in drawn(Environment(Once()), 0):
        assert trial.period.tolist() == ["fixation"] * 2 + ["stimulus"] * 3 + ["delay"] * 2 + ["decision"] * 4


def test_what_is_fixed_goes_to_the_environment():
    trials = drawn(Environment(Wrapper(Decision())), 0, ground_truth=2, colour="red")
    assert {(one.told["ground_truth"], one.told["colour"]) for one in trials} == {(2, "red")}


def test_threads_take_turns():
    environment = Environment(Decision())
    expected = [drawn(environment, seed) for seed in range(8)]
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda seed: drawn(environment, seed % 8), range(80)))
    assert all(same(one, expected[number % 8]) for number, one in enumerate(found))


# ---- what is no such environment


class Rewarded(Decision):
    """Says nothing of what is right."""

    def new_trial(self, **kwargs):
        super().new_trial(**kwargs)
        del self.gt


class Unlike(Decision):
    """Says what is right of the first samples only."""

    def new_trial(self, **kwargs):
        super().new_trial(**kwargs)
        self.gt = self.gt[:3]


@pytest.mark.parametrize(
    ("env", "message"),
    [
        ("GoNogo-v0", "env: expected an environment of neurogym, an instance with new_trial, .*, got 'GoNogo-v0'"),
        (Decision, "env: expected an environment of neurogym, an instance with .*, got <class .*Decision"),
        (None, "env: expected an environment of neurogym, an instance with .*, got None"),
    ],
)
def test_what_is_no_environment_is_told_in_one_line(env, message):
    with pytest.raises(ValueError, match=f"^{message}") as raised:
        Environment(env)
    assert "\n" not in str(raised.value)


def test_an_environment_without_answers_or_seed_or_that_cannot_be_copied_is_told_in_one_line():
    with pytest.raises(ValueError, match=r"^env: expected as many .*, got 1[123] and none from Rewarded$"):
        drawn(Environment(Rewarded()), 0)
    with pytest.raises(ValueError, match=r"^env: expected as many .*, got 1[123] and 3 from Unlike$"):
        drawn(Environment(Unlike()), 0)
    held = Decision()
    held.stream = (number for number in range(3))
    with pytest.raises(ValueError, match=r"^env: expected a state that can be copied, got Decision: TypeError: cannot"):
        Environment(held)

    class Fixed:
        dt, observation_space, action_space = 1, None, None

        def new_trial(self):
            pass

    with pytest.raises(ValueError, match=r"^env: expected a method seed or a generator rng, got Fixed without$"):
        drawn(Environment(Fixed()), 0)
