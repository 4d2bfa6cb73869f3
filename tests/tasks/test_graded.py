"""What tasks declare of the stimuli on which choices depend."""

import numpy as np
import pytest
import xarray as xr

from biornn.tasks import TASKS, find_task
from biornn.tasks.graded import Graded

OF_TASKS = [(name, curve) for name in TASKS for curve in getattr(find_task(name)(), "graded", {})]


def test_only_trials_that_count_have_the_stimulus():
    trials = xr.Dataset(coords={"x": ("trial", [1, 2, 3]), "context": ("trial", np.array(["a", "b", "a"], object))})
    found = Graded("x", "right", "speed", "m/s", {"context": "a"}).counted(trials)
    np.testing.assert_array_equal(found, [1, np.nan, 3])
    assert found.attrs == {"long_name": "speed", "units": "m/s"}
    assert Graded("x", "right", "speed").counted(trials).values.tolist() == [1, 2, 3]


@pytest.mark.parametrize(("name", "curve"), OF_TASKS)
def test_the_positive_choice_is_right_above_the_boundary_wherever_the_stimulus_matters(name, curve):
    task = find_task(name)()
    graded, trials = task.graded[curve], task.trials(600, seed=0)
    stimulus, correct = graded.counted(trials), trials["correct_choice"]
    assert stimulus.notnull().any()
    above, below = (correct[(side * (stimulus - graded.boundary) > 0).values] for side in (1, -1))
    feature, _, context = curve.partition(", context ")
    if context and context != feature:  # the stimulus does not matter
        np.testing.assert_allclose((above == graded.positive).mean(), 0.5, atol=0.15)
    else:
        assert set(above.values.tolist()) == {graded.positive}
        assert graded.positive not in below.values.tolist()
    if graded.ideal is not None:
        x = np.array([graded.boundary - 5, graded.boundary, graded.boundary + 5])
        low, middle, high = graded.ideal(x)
        assert middle == pytest.approx(0.5)
        assert low + high == pytest.approx(1)
        assert high >= 0.5


def test_which_tasks_have_graded_stimuli():
    assert {name for name, _ in OF_TASKS} == {
        "perceptual_decision",
        "context_decision",
        "multisensory_integration",
        "parametric_memory",
        "click_accumulation",
    }
