import numpy as np

from biornn.tasks.opposed import opposed


def test_one_falls_and_one_rises_between_the_levels():
    np.testing.assert_allclose(opposed([-1, 0, 1], 0.4, 1.2), [[1.2, 0.4], [0.8, 0.8], [0.4, 1.2]], rtol=1e-6)
    np.testing.assert_allclose(opposed(0.032), [0.484, 0.516], rtol=1e-6)  # 1 % coherence of Song's


def test_without_a_value_both_are_silent_also_between_other_levels():
    assert opposed(np.array([np.nan]), 0.4, 1.2).tolist() == [[0, 0]]
    assert opposed(0.5).dtype == np.float32
