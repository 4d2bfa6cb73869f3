"""Densities from each cell type to each."""

import json

import numpy as np
import pytest
import xarray as xr

from biornn.connectivity import Connectivity

TABLE = {"E": {"sign": 1, "fraction": 0.5}, "PV": {"sign": -1, "fraction": 0.3}, "VIP": {"sign": -1, "fraction": 0.2}}
DENSITY = {
    "E": {"E": 0.1, "PV": 0.6, "VIP": 0.3},
    "PV": {"E": 0.5, "PV": 0.0, "VIP": 1.0},
    "VIP": {"E": 0.05, "PV": 0.2, "VIP": 0.9},
}
LABELLED = xr.DataArray(
    [[DENSITY[pre][post] for pre in DENSITY] for post in ("VIP", "E", "PV")],
    {"cell_type_post": ["VIP", "E", "PV"], "cell_type_pre": list(DENSITY)},
)


def blocks(wiring):
    types = wiring.cell_type
    return {
        (pre, post): wiring.recurrent_mask[np.ix_(types == pre, types == post)] for pre in DENSITY for post in DENSITY
    }


@pytest.mark.parametrize("density", [DENSITY, LABELLED])
def test_densities_hold_from_the_presynaptic_type_to_the_postsynaptic(density):
    wiring = Connectivity(300, cell_types=TABLE, density=density, seed=7)
    for (pre, post), block in blocks(wiring).items():
        expected = DENSITY[pre][post]
        # Binomial: 4.5 standard deviations (none where the density is 0 or 1).
        assert abs(block.mean() - expected) <= 4.5 * np.sqrt(expected * (1 - expected) / block.size)
    assert wiring.density == DENSITY
    again = Connectivity.from_config(json.loads(json.dumps(wiring.get_config())))
    np.testing.assert_array_equal(again.recurrent_mask, wiring.recurrent_mask)


def test_they_hold_for_types_in_any_order_and_in_several_areas():
    types = np.random.default_rng(0).permutation(Connectivity(300, cell_types=TABLE).cell_type)
    wiring = Connectivity(300, cell_types=TABLE, cell_type=types, areas=(100, 200), density=DENSITY, autapses=False)
    for (pre, post), block in blocks(wiring).items():
        expected = DENSITY[pre][post] * (1 - (pre == post) / len(block))  # without autapses
        assert abs(block.mean() - expected) <= 4.5 * np.sqrt(expected * (1 - expected) / block.size)
    assert not wiring.recurrent_mask.diagonal().any()


def test_fixed_in_degree_holds_from_every_type():
    wiring = Connectivity(40, cell_types=TABLE, density=DENSITY, mask_rule="fixed_in_degree", seed=7)
    for (pre, post), block in blocks(wiring).items():
        assert set(block.sum(axis=0).tolist()) == {int(DENSITY[pre][post] * len(block) + 0.5)}


def test_a_changed_density_leaves_other_pairs_of_types_as_they_were():
    other = {**DENSITY, "E": {**DENSITY["E"], "PV": 0.2}}
    first, second = (blocks(Connectivity(40, cell_types=TABLE, density=one, seed=3)) for one in (DENSITY, other))
    for pair in first.keys() - {("E", "PV")}:
        np.testing.assert_array_equal(first[pair], second[pair])
    assert (second["E", "PV"] <= first["E", "PV"]).all()


def test_the_usual_types_have_densities_too():
    density = {"excitatory": {"excitatory": 0.0, "inhibitory": 1.0}, "inhibitory": {"excitatory": 1, "inhibitory": 0}}
    wiring = Connectivity(5, excitatory_fraction=0.6, density=density)
    np.testing.assert_array_equal(wiring.recurrent_mask, (wiring.sign[:, np.newaxis] != wiring.sign))


@pytest.mark.parametrize(
    ("density", "message"),
    [
        ({**DENSITY, "SST": {}}, "density: expected the cell types 'E', 'PV', 'VIP', got 'SST'"),
        ({**DENSITY, "E": {**DENSITY["E"], "e": 1}}, "density: expected the cell types 'E', 'PV', 'VIP', got 'e'"),
        ({"E": {"E": 1}}, "density: expected one from each cell type to each, got none from 'E' to 'PV'"),
        ({**DENSITY, "E": 0.5}, "density.E: expected a density to each cell type, got 0.5"),
        *(
            (
                {**DENSITY, "VIP": {**DENSITY["VIP"], "PV": one}},
                rf"density.VIP.PV: expected a number in \[0, 1\], got {one}",
            )
            for one in (1.5, -0.1, float("nan"), True)
        ),
        (LABELLED.drop_vars("cell_type_pre"), "density: expected labels along the dims"),
        (LABELLED.rename(cell_type_pre="pre"), "density: expected labels along the dims"),
        (LABELLED[[0, 0, 1]], "density: expected each type once along cell_type_post, got"),
        ([[0.5] * 3] * 3, r"density: expected a number in \[0, 1\], got"),
    ],
)
def test_impossible_densities_are_named_in_one_line(density, message):
    with pytest.raises(ValueError, match=f"^{message}") as raised:
        Connectivity(10, cell_types=TABLE, density=density)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "beside",
    [
        {"mask": np.ones((10, 10))},
        {"topology": {"small_world": {"k": 2, "p": 0}}},
        {"areas": (5, 5), "area_density": np.ones((2, 2))},
    ],
)
def test_a_density_of_types_is_a_density(beside):
    with pytest.raises(ValueError, match="expected no density"):
        Connectivity(10, cell_types=TABLE, density=DENSITY, **beside)
