"""Topologies as settings of a connectivity."""

import json

import numpy as np
import pytest

from biornn.connectivity import Connectivity


def test_a_small_world_is_drawn_by_the_seed_and_told_whole():
    one, other = (Connectivity(20, topology={"small_world": {"k": 4, "p": 0.2}}, seed=seed) for seed in (0, 1))
    assert (one.recurrent_mask.sum(axis=1) == 4).all()
    assert (one.recurrent_mask != other.recurrent_mask).any()
    assert one.topology == {"small_world": {"k": 4, "p": 0.2, "directed": True}}
    again = Connectivity.from_config(json.loads(json.dumps(one.get_config())))
    np.testing.assert_array_equal(again.recurrent.initial_weights, one.recurrent.initial_weights)
    both_ways = Connectivity(20, topology={"small_world": {"k": np.int64(4), "p": np.float32(0.5), "directed": False}})
    np.testing.assert_array_equal(both_ways.recurrent_mask, both_ways.recurrent_mask.T)
    assert json.dumps(both_ways.get_config())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"topology": "small_world"}, "topology: expected one of small_world.*, with its settings, got 'small_world'"),
        ({"topology": {}}, "topology: expected one of small_world"),
        ({"topology": {"scale_free": {}}}, "topology: expected one of small_world.*, got {'scale_free': {}}"),
        ({"topology": {"small_world": None}}, "topology.small_world: expected the settings k, p, directed, got None"),
        ({"topology": {"small_world": {"q": 1}}}, "topology.small_world: expected the settings k, p, .*, got {'q': 1}"),
        ({"topology": {"small_world": {"k": 2}}}, r"topology.small_world.p: expected a number in \[0, 1\], got None"),
        (
            {"topology": {"small_world": {"k": 9, "p": 0}}},
            "topology.small_world.k: expected an even number of neighbours, less than n_units=9, got 9",
        ),
        ({"density": 0.5}, "topology: expected no density and no areas beside it, got some; drop one of them"),
        ({"areas": (4, 5)}, "topology: expected no density and no areas beside it"),
        ({"mask": np.ones((9, 9))}, "topology: expected no mask beside it, got both; drop one of them"),
    ],
)
def test_impossible_topologies_are_named_in_one_line(settings, message):
    with pytest.raises((ValueError, TypeError), match=f"^{message}") as raised:
        Connectivity(9, **{"topology": {"small_world": {"k": 2, "p": 0.1}}, **settings})
    assert "\n" not in str(raised.value)
