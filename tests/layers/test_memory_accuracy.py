"""The accuracy during training is the accuracy of the analysis."""

import keras
import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from keras import ops

from biornn.analysis.performance import performance
from biornn.layers import MemoryAccuracy

SHAPE = (2, 5, 2)
BORDERS = [-0.5, np.nextafter(np.float32(-0.5), np.float32(-1)), 0.5, np.nextafter(np.float32(0.5), np.float32(1)), 0.0]
near_borders = st.one_of(st.sampled_from([float(x) for x in BORDERS]), st.floats(-1.5, 1.5, width=32))


def labelled(array):
    return xr.DataArray(array, dims=("trial", "time", "output_channel"))


@settings(max_examples=40, deadline=None)
@given(
    outputs=hnp.arrays(np.float32, SHAPE, elements=near_borders),
    targets=hnp.arrays(np.float32, SHAPE, elements=st.sampled_from([-1.0, 0.0, 1.0, 0.5, -0.5, 0.51])),
)
def test_it_is_that_of_the_analysis(outputs, targets):
    metric = MemoryAccuracy()
    metric.update_state(targets, ops.convert_to_tensor(outputs))
    expected = float(performance(labelled(outputs), labelled(targets))["accuracy"])
    assert float(metric.result()) == pytest.approx(expected, abs=1e-6)  # a float32 mean of 20 zeros and ones


def test_it_averages_over_batches_and_forgets_on_reset():
    rng = np.random.default_rng(0)
    targets = rng.choice([-1.0, 0.0, 1.0], (6, 5, 2)).astype("float32")
    outputs = (targets + rng.normal(0, 0.5, targets.shape)).astype("float32")
    metric = MemoryAccuracy()
    for batch in (slice(0, 1), slice(1, 6)):  # unequal: samples count, not batches
        metric.update_state(targets[batch].astype("int8"), ops.convert_to_tensor(outputs[batch]))
    expected = float(performance(labelled(outputs), labelled(targets))["accuracy"])
    assert 0.3 < expected < 0.95
    assert float(metric.result()) == pytest.approx(expected, abs=1e-6)
    metric.reset_state()
    assert float(metric.result()) == 0


def test_it_survives_its_config():
    again = keras.metrics.deserialize(keras.metrics.serialize(MemoryAccuracy()))
    assert isinstance(again, MemoryAccuracy)
    assert again.name == "accuracy"
