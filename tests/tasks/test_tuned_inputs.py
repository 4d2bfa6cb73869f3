import dataclasses

import numpy as np
import pytest

from biornn.tasks import MultisensoryIntegration, ParametricMemory
from biornn.tasks.task import task_settings
from biornn.tasks.tuned_inputs import per_hertz, tuned_inputs

either = pytest.mark.parametrize(
    ("kind", "setting", "value", "fixed"),
    [
        (MultisensoryIntegration, "frequencies", [11, 14.0], {"frequency": 11, "modality": "both"}),
        (ParametricMemory, "pairs", [[14, 30]], {"first": 14}),
    ],
)


def test_inputs_are_those_of_the_source_and_go_on_beyond():
    frequency = np.arange(9, 17)
    falling, rising = tuned_inputs(frequency, (9, 16)).T
    np.testing.assert_allclose(rising, 0.4 + 0.8 * (frequency - 9) / 7, rtol=1e-6)  # float32
    np.testing.assert_allclose(falling, 0.4 + 0.8 * (16 - frequency) / 7, rtol=1e-6)
    np.testing.assert_allclose(np.diff(rising - falling), per_hertz((9, 16)), rtol=1e-5)
    np.testing.assert_allclose(tuned_inputs([5.5, 19.5, np.nan], (9, 16)), [[1.6, 0], [0, 1.6], [0, 0]], atol=1e-6)


@either
def test_a_frequency_has_the_inputs_that_it_had_in_training(kind, setting, value, fixed):
    trained = kind(noise=0)
    tested = kind(**{**task_settings(trained), setting: value})  # as `biornn evaluate --set` changes a stored task
    shown = [task.trials(1, 0, **fixed)["inputs"].sel(time=200, trial=0) for task in (trained, tested)]
    np.testing.assert_array_equal(*shown)
    assert (shown[0][:2].values > 0.2 + 0.4).all()  # the baseline, and more than the weakest input


@either
@pytest.mark.parametrize(
    ("tuning", "message"),
    [
        (3, "tuning: expected a lower and a higher frequency in Hz, got 3"),
        ((9, 10, 11), r"tuning: expected a lower and a higher frequency in Hz, got \(9, 10, 11\)"),
        (("a", 10), "tuning: expected a lower and a higher frequency in Hz, got 'a'"),
        ((10, 10), "tuning: expected a frequency above 10 Hz, got 10"),
        ((1, 2), "{setting}: expected frequencies from 0.5 to 2.5 Hz, where no input is below 0, got"),
    ],
)
def test_what_a_tuning_cannot_be(kind, setting, value, fixed, tuning, message):
    with pytest.raises(ValueError, match=f"^{message.format(setting=setting)}"):
        dataclasses.replace(kind(), **{setting: value, "tuning": tuning})
