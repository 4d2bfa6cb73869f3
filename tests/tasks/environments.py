"""Environments with the interface of neurogym, small enough to know their trials by hand."""

import numpy as np


class Space:
    """A space of actions or observations: of `n` choices, or of numbers of a shape."""

    def __init__(self, n=None, shape=(), name=None):
        if n is not None:
            self.n = n
        self.shape = shape
        if name is not None:
            self.name = name


class Decision:
    """Which of two noisy inputs is larger, after a delay that differs: 40, 60 or 80 ms in steps of 20 ms.

    Fixation 2 steps, stimulus 3, delay, decision 4; in fixation and during all others the right answer is 0.
    """

    def __init__(self, dt=20):
        self.dt = dt
        self.rng = np.random.RandomState()
        self.timing = {"delay": lambda: self.rng.choice([40, 60, 80])}  # draws from this instance, as in neurogym
        self.observation_space = Space(shape=(3,), name={"fixation": 0, "stimulus": [1, 2]})
        self.action_space = Space(n=3, name={"fixation": 0, "choice": range(1, 3)})
        self.start_ind, self.end_ind, self.trial = {}, {}, None
        self.n_drawn = 0

    def seed(self, seed=None):
        self.rng = np.random.RandomState(seed)

    def new_trial(self, **kwargs):
        self.n_drawn += 1
        trial = {"ground_truth": self.rng.choice([1, 2]), "coh": self.rng.choice([5.0, 50.0]), "number": self.n_drawn}
        trial |= {"hand": "left", "period": 3, "pair": (1, 2), "place": np.zeros(2), **kwargs}
        lengths = {"fixation": 2, "stimulus": 3, "delay": self.timing["delay"]() // self.dt, "decision": 4}
        end = 0
        for name, length in lengths.items():
            self.start_ind[name], self.end_ind[name] = end, end + length
            end += length
        self.ob = np.zeros((end, 3), np.float32)
        self.ob[: self.start_ind["decision"], 0] = 1
        self.ob[2:5, 1:] = self.rng.randn(3, 2)
        self.ob[2:5, trial["ground_truth"]] += trial["coh"]
        self.gt = np.zeros(end, int)
        self.gt[self.start_ind["decision"] :] = trial["ground_truth"]
        self.trial = trial
        return trial


class Reach(Decision):
    """A continuous target: its first action is the angle in the decision, its second is 0."""

    def __init__(self):
        super().__init__()
        self.action_space = Space(shape=(2,))

    def new_trial(self, **kwargs):
        trial = super().new_trial(**kwargs)
        self.gt = np.stack([0.5 * self.gt, 0 * self.gt], axis=-1)
        return trial


class Wrapper:
    """Passes on what it has not, as gymnasium's do."""

    def __init__(self, env):
        self.env = env

    @property
    def unwrapped(self):
        return getattr(self.env, "unwrapped", self.env)

    def __getattr__(self, name):
        if name == "env":
            raise AttributeError(name)
        return getattr(self.env, name)


class Alternating(Wrapper):
    """Several environments in turn, of which it remembers the next."""

    def __init__(self, envs):
        super().__init__(envs[0])
        self.envs, self.next = envs, 0

    def seed(self, seed=None):
        for number, env in enumerate(self.envs):
            env.seed(seed + number)

    def new_trial(self, **kwargs):
        self.env = self.envs[self.next]
        self.next = 1 - self.next
        return self.env.new_trial(**kwargs)
