"""What makes an object a task."""

import numpy as np
import pytest

from biornn.tasks import FlipFlop, Task


class Silence:
    """A task of one's own: it inherits from nothing."""

    n_inputs = 2
    n_outputs = 1

    def arrays(self, n_trials, rng):
        return np.zeros((n_trials, 5, 2), np.float32), np.zeros((n_trials, 5, 1), np.float32)

    def sample(self, n_trials, seed):
        raise NotImplementedError

    def probe(self):
        raise NotImplementedError


@pytest.mark.parametrize("task", [FlipFlop(), FlipFlop(pulses="random"), Silence()])
def test_whatever_has_the_parts_is_a_task(task):
    assert isinstance(task, Task)


@pytest.mark.parametrize("missing", ["n_inputs", "n_outputs", "arrays", "sample", "probe"])
def test_whatever_lacks_one_is_not(missing):
    parts = {name: part for name, part in vars(Silence).items() if name != missing and not name.startswith("__")}
    assert len(parts) == 4
    assert not isinstance(type("Incomplete", (), parts)(), Task)
