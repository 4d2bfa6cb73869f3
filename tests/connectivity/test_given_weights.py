"""Initial weights that are given: kept, scaled, or refused with the units that contradict mask or sign."""

import json

import numpy as np
import pytest

from biornn.connectivity import Connectivity

NAMES = ["PV1", "E7", "E2"]
WEIGHTS = np.array([[-0.5, -0.2, 0.0], [0.3, 0.0, 0.0], [0.0, 0.7, 0.1]])
CIRCUIT = {"cell_type": [-1, 1, 1], "mask": [[1, 1, 0], [1, 1, 1], [0, 1, 1]], "unit_names": NAMES}


def changed(pre, post, value):
    weights = WEIGHTS.copy()
    weights[pre, post] = value
    return weights


def test_given_weights_are_effective_ones_and_stay_as_they_are():
    weights = WEIGHTS.copy()
    wiring = Connectivity(3, initial=weights, **CIRCUIT)
    assert wiring.spectral_radius is None
    np.testing.assert_array_equal(wiring.recurrent.initial_weights, WEIGHTS)
    weights[0, 0] = 5  # would fail if it had been frozen
    assert wiring.initial[0, 0] == -0.5
    with pytest.raises(ValueError, match="read-only"):
        wiring.initial[0, 0] = 0
    again = Connectivity.from_config(json.loads(json.dumps(wiring.get_config())))
    np.testing.assert_array_equal(again.recurrent.initial_weights, WEIGHTS)
    assert again.get_config() == wiring.get_config()
    assert wiring.initial_rule is None


@pytest.mark.parametrize("radius", [0.3, 2])
def test_a_number_scales_them(radius):
    weights = Connectivity(3, initial=WEIGHTS, spectral_radius=radius, **CIRCUIT).recurrent.initial_weights
    assert np.abs(np.linalg.eigvals(weights)).max() == pytest.approx(radius, rel=1e-12)
    ratio = weights[WEIGHTS != 0] / WEIGHTS[WEIGHTS != 0]
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-12)


def test_without_a_cycle_they_are_scaled_as_drawn_ones_and_without_a_radius_refused():
    chain = np.triu(np.ones((3, 3)), 1)
    np.testing.assert_array_equal(
        Connectivity(3, initial=chain, spectral_radius=2).recurrent.initial_weights, 2 * chain
    )
    with pytest.raises(ValueError, match=r"^spectral_radius: expected None .* whose own is 0, got 1"):
        _ = Connectivity(2, initial=[[1.0, -1.0], [1.0, -1.0]], spectral_radius=1).recurrent


@pytest.mark.parametrize(
    ("weights", "settings", "message"),
    [
        (
            changed(0, 2, -0.3),
            {},
            "initial: expected no weight where the mask has no synapse, got -0.3 from unit 'PV1' to unit 'E2'; set it",
        ),
        (
            changed(1, 2, -0.3),
            {},
            "initial: expected weights of at least 0 from excitatory units, got -0.3 from unit 'E7'",
        ),
        (
            changed(0, 1, 0.3),
            {},
            "initial: expected weights of at most 0 from inhibitory units, got 0.3 from unit 'PV1'",
        ),
        (
            WEIGHTS,
            {"autapses": False},
            "initial: expected no weight of a unit to itself, got -0.5 from unit 'PV1' to unit 'PV1'",
        ),
        (changed(2, 1, np.nan), {}, "initial: expected finite weights, got nan from unit 'E2' to unit 'E7'"),
        (changed(1, 0, np.inf), {}, "initial: expected finite weights, got inf from unit 'E7' to unit 'PV1'"),
        (changed(1, 2, -0.3), {"unit_names": None}, "initial: .*, got -0.3 from unit 1 to unit 2; change its sign"),
        (WEIGHTS[:2], {}, r"initial: expected shape \(3, 3\), got \(2, 3\)"),
        ([[1], [1, 2], [3]], {}, "initial: expected a rectangular array of numbers"),
        (WEIGHTS, {"spectral_radius": 0}, "spectral_radius: expected a positive number, got 0"),
    ],
)
def test_the_first_contradiction_is_named_in_one_line(weights, settings, message):
    with pytest.raises(ValueError, match=f"^{message}") as raised:
        Connectivity(3, **{**CIRCUIT, "initial": weights, **settings})
    assert "\n" not in str(raised.value)


def test_a_drawn_mask_is_one_to_keep_to():
    with pytest.raises(ValueError, match=r"^initial: expected no weight where the mask has no synapse"):
        Connectivity(5, density=0.5, initial=np.ones((5, 5)))
