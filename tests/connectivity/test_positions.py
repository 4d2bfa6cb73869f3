"""Positions of units, and the law by which synapses become rare with distance."""

import json

import numpy as np
import pytest
import xarray as xr

from biornn.connectivity import Connectivity, distance_dependent
from biornn.connectivity.positions import connection_probability

NAMES = ["PV1", "E7", "E2"]
PLACES = np.array([[0.0, 0.0], [3.0, 0.0], [3.0, 4.0]])
LABELLED = xr.DataArray(PLACES, {"unit": NAMES, "axis": ["x", "y"]}, ("unit", "axis"))


def test_the_probability_is_that_of_the_distance():
    found = connection_probability(PLACES, 2.0)
    np.testing.assert_allclose(found, np.exp(-np.array([[0, 3, 5], [3, 0, 4], [5, 4, 0]]) / 2), rtol=1e-15)
    # However short or long: no distance is 1, and others become 0 or 1.
    np.testing.assert_array_equal(connection_probability(PLACES, 1e-300), np.eye(3))
    np.testing.assert_array_equal(connection_probability(PLACES, 1e300), np.ones((3, 3)))


def test_the_degree_on_a_line_is_the_sum_of_a_series():
    line = np.arange(600.0)[:, np.newaxis]
    masks = [distance_dependent(line, 5.0, seed=seed).values for seed in range(10)]
    # In the middle of a long line, 2 (q + q² + …) with q = exp(-1/5). Counts of 5,000 units: standard error 0.04.
    expected = 2 / (np.exp(1 / 5) - 1)
    for axis in (0, 1):
        degree = np.array([mask.sum(axis=axis)[50:-50] for mask in masks])
        assert abs(degree.mean() - expected) < 4.5 * np.sqrt(expected / degree.size)
    for distance in (1, 5, 15):
        share, p = np.mean([mask.diagonal(distance) for mask in masks]), np.exp(-distance / 5)
        assert abs(share - p) < 4.5 * np.sqrt(p * (1 - p) / (10 * (600 - distance)))  # binomial
    # Each direction by itself: reciprocal pairs at distance 5 are as frequent as the product says.
    both = np.mean([mask.diagonal(5) & mask.diagonal(-5) for mask in masks])
    assert abs(both - np.exp(-2)) < 4.5 * np.sqrt(np.exp(-2) * (1 - np.exp(-2)) / 5950)


def test_masks_are_nested_in_the_length_and_autapses_are_asked_for():
    places = np.random.default_rng(0).random((50, 3))
    short, long = (distance_dependent(places, length, seed=1).values for length in (0.2, 0.4))
    assert (short <= long).all()
    assert short.sum() < long.sum()
    assert not long.diagonal().any()
    assert distance_dependent(places, 0.2, autapses=True, seed=1).values.diagonal().all()


def test_positions_are_read_by_the_names_of_units_and_axes():
    turned = LABELLED.transpose()[::-1, [2, 0, 1]]
    wiring = Connectivity(3, positions=turned, unit_names=NAMES, topology={"distance": {"lambda": 2.0}}, seed=1)
    np.testing.assert_array_equal(wiring.positions, PLACES)
    assert wiring.axis_names.tolist() == ["x", "y"]
    assert Connectivity(3, positions=LABELLED).unit_names.tolist() == NAMES
    assert distance_dependent(turned, 2.0)["unit_post"].values.tolist() == ["E2", "PV1", "E7"]
    plain = Connectivity(3, positions=PLACES, topology={"distance": {"lambda": 2.0}}, seed=1)
    np.testing.assert_array_equal(wiring.recurrent_mask, plain.recurrent_mask)
    assert plain.recurrent_mask.diagonal().all()  # autapses, at no distance
    again = Connectivity.from_config(json.loads(json.dumps(wiring.get_config())))
    np.testing.assert_array_equal(again.recurrent_mask, wiring.recurrent_mask)
    assert again.get_config() == wiring.get_config()
    with pytest.raises(ValueError, match="read-only"):
        wiring.positions[0, 0] = 1
    assert Connectivity(3).axis_names.size == 0


def test_a_network_draws_its_own_synapses_by_distance():
    line = np.arange(200.0)[:, np.newaxis]
    masks = [
        Connectivity(
            200, positions=line, topology={"distance": {"lambda": 5}}, autapses=False, seed=seed
        ).recurrent_mask
        for seed in (0, 1)
    ]
    assert (masks[0] != masks[1]).any()
    for mask in masks:
        assert not mask.diagonal().any()
        p = np.exp(-1 / 5)
        assert abs(mask.diagonal(1).mean() - p) < 4.5 * np.sqrt(p * (1 - p) / 199)  # binomial


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"positions": PLACES[:2]}, r"positions: expected shape \(3, 1 to 3 axes\), got \(2, 2\)"),
        ({"positions": [1, 2, 3]}, r"positions: expected shape \(3, 1 to 3 axes\), got \(3,\)"),
        ({"positions": 3}, r"positions: expected shape \(3, 1 to 3 axes\), got \(\)"),
        ({"positions": np.zeros((3, 4))}, r"positions: expected shape \(3, 1 to 3 axes\), got \(3, 4\)"),
        ({"positions": np.zeros((3, 0))}, r"positions: expected shape \(3, 1 to 3 axes\), got \(3, 0\)"),
        (
            {"positions": LABELLED.where(PLACES < 4)},
            "positions: expected finite numbers, got nan of unit 'E2' along ax",
        ),
        (
            {"positions": LABELLED.assign_coords(axis=["x", "AP"])},
            "positions: expected the label of each axis once along axis, got no 'y', but 'AP'",
        ),
        (
            {"positions": LABELLED, "unit_names": [1, 2, 3]},
            "positions: expected the label of each unit once along unit",
        ),
        ({"positions": LABELLED.rename(axis="dim")}, r"positions: expected the dims \('unit', 'axis'\), got"),
        ({"topology": {"distance": {"lambda": 1}}}, "topology.distance: expected positions beside it, got none; set"),
        (
            {"positions": PLACES, "topology": {"distance": {"lambda": 0}}},
            "topology.distance.lambda: expected a positive length, in the unit of the positions, got 0",
        ),
        ({"positions": PLACES, "topology": {"distance": {}}}, "topology.distance.lambda: .*, got None"),
        (
            {"positions": PLACES, "topology": {"distance": {"length": 1}}},
            "topology.distance: expected the settings lam",
        ),
    ],
)
def test_impossible_positions_are_named_in_one_line(settings, message):
    with pytest.raises((ValueError, TypeError), match=f"^{message}") as raised:
        Connectivity(3, **settings)
    assert "\n" not in str(raised.value)


def test_impossible_lengths_are_refused():
    with pytest.raises(ValueError, match=r"^length: expected a positive length, in the unit of the positions, got nan"):
        distance_dependent(PLACES, float("nan"))
