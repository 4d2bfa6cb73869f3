"""Areas: densities within and between them, and who projects to other ones."""

import itertools

import numpy as np
import pytest
import xarray as xr

from biornn.connectivity import Connectivity


def blocks(wiring):
    edges = np.cumsum((0, *wiring.areas))
    spans = [slice(*edge) for edge in itertools.pairwise(edges)]
    return {(pre, post): wiring.recurrent.mask[a, b] for pre, a in enumerate(spans) for post, b in enumerate(spans)}


def test_area_densities_hold_in_their_blocks():
    densities = np.array([[0.9, 0.2], [0.0, 1.0]])
    wiring = Connectivity(150, areas=(50, 100), area_density=densities, seed=7)
    for (pre, post), block in blocks(wiring).items():
        assert block.shape == (wiring.areas[pre], wiring.areas[post])
        density = densities[pre, post]
        # Binomial: 4.5 standard deviations (none where the density is 0 or 1).
        assert abs(block.mean() - density) <= 4.5 * np.sqrt(density * (1 - density) / block.size)


def test_fixed_in_degree_holds_in_every_block():
    wiring = Connectivity(
        30, areas=(10, 20), area_density=[[0.5, 0.1], [0.25, 0.8]], mask_rule="fixed_in_degree", seed=7
    )
    in_degree = {key: set(block.sum(axis=0).tolist()) for key, block in blocks(wiring).items()}
    assert in_degree == {(0, 0): {5}, (0, 1): {1}, (1, 0): {5}, (1, 1): {16}}


def test_one_density_for_all_areas():
    wiring = Connectivity(150, areas=(50, 100), density=0.3, seed=8)
    for block in blocks(wiring).values():
        assert abs(block.mean() - 0.3) < 4.5 * np.sqrt(0.21 / block.size)  # binomial, as above


def test_one_area_is_as_good_as_none():
    plain, one = (Connectivity(20, density=0.4, areas=areas, seed=9).recurrent for areas in (None, (20,)))
    np.testing.assert_array_equal(plain.initial_weights, one.initial_weights)


def test_a_changed_density_leaves_the_other_blocks_as_they_were():
    first, second = (
        blocks(Connectivity(20, areas=(8, 12), area_density=[[0.5, between], [0.5, 0.5]], seed=10))
        for between in (0.2, 0.8)
    )
    for key in ((0, 0), (1, 0), (1, 1)):
        np.testing.assert_array_equal(first[key], second[key])
    assert (first[0, 1] <= second[0, 1]).all()


@pytest.mark.parametrize("rule", ["erdos_renyi", "fixed_in_degree"])
def test_only_excitatory_units_project_to_other_areas(rule):
    wiring = Connectivity(40, areas=(10, 30), excitatory_fraction=0.6, long_range="excitatory", mask_rule=rule, seed=11)
    for (pre, post), block in blocks(wiring).items():
        n_excitatory = int(0.6 * wiring.areas[pre])
        assert block[:n_excitatory].all()
        assert block[n_excitatory:].all() if pre == post else not block[n_excitatory:].any()
    everyone = Connectivity(40, areas=(10, 30), excitatory_fraction=0.6, seed=11)
    assert everyone.recurrent.mask.all()


def test_labelled_densities_are_read_by_their_labels():
    densities = xr.DataArray([[1.0, 0.0], [1.0, 0.0]], dims=("area_post", "area_pre"))
    mask = Connectivity(4, areas=(2, 2), area_density=densities).recurrent.mask
    np.testing.assert_array_equal(mask.all(axis=1), [True, True, False, False])
