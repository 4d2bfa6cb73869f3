"""Planted cubes, boxes and sheared boxes have the scores that follow from their shape."""

import tracemalloc
from itertools import product

import numpy as np
import pytest
import xarray as xr

import biornn as bn
from biornn.analysis import memory_cube, principal_components


def labels(n_bits: int) -> list[str]:
    return ["".join(signs) for signs in product("+-", repeat=n_bits)]


def corners(n_bits: int) -> np.ndarray:
    return np.array([[1.0 if sign == "+" else -1.0 for sign in label] for label in labels(n_bits)])


def rotation(n_units: int, seed: int = 0) -> np.ndarray:
    return np.linalg.qr(np.random.default_rng(seed).standard_normal((n_units, n_units)))[0]


def planted(points: np.ndarray, noise: float = 0.0, repeats: int = 4) -> tuple[xr.DataArray, xr.DataArray]:
    """Rates and states of one trial that visits the points (memory_state, unit) in turn."""
    n_bits = int(np.log2(len(points)))
    rates = np.repeat(points, repeats, axis=0)
    rates = rates + noise * np.random.default_rng(1).standard_normal(rates.shape)
    states = np.repeat(labels(n_bits), repeats)
    coords = {"time": np.arange(len(rates), dtype=float)}
    return (
        xr.DataArray(rates[np.newaxis], dims=("trial", "time", "unit"), coords=coords),
        xr.DataArray(states[np.newaxis], dims=("trial", "time"), coords=coords),
    )


@pytest.mark.parametrize("n_bits", [1, 2, 3, 4])
def test_a_turned_shifted_and_scaled_cube_is_a_cube(n_bits: int) -> None:
    points = 5 + 2.5 * corners(n_bits) @ rotation(7)[:n_bits]
    cube = memory_cube(*planted(points))
    assert cube["affine_r2"] == pytest.approx(1)
    assert cube["similarity_r2"] == pytest.approx(1)
    np.testing.assert_allclose(cube["edge_length"], 5.0)
    assert cube.sizes["edge"] == n_bits * 2 ** (n_bits - 1)
    np.testing.assert_allclose(cube["edge_angle"], 90.0)
    assert cube["edge_angle"].shape == (2**n_bits, n_bits * (n_bits - 1) // 2)
    np.testing.assert_allclose(cube["spread"], 0, atol=1e-12)
    if n_bits <= 3:
        assert cube["variance_share"] == pytest.approx(1)


def test_a_box_is_affine_but_not_similar() -> None:
    sides = np.array([1.0, 2.0, 4.0])
    cube = memory_cube(*planted((corners(3) * sides) @ rotation(6)[:3]))
    assert cube["affine_r2"] == pytest.approx(1)
    assert cube["similarity_r2"] == pytest.approx(sides.sum() ** 2 / (3 * (sides**2).sum()))
    lengths = {label: 2 * sides[label.index("*")] for label in cube["edge"].values.tolist()}
    for label, length in lengths.items():
        assert cube["edge_length"].sel(edge=label) == pytest.approx(length)


def test_a_sheared_square_has_its_angles() -> None:
    # The edge of bit 2 leans by 45 degrees towards bit 1.
    points = corners(2) @ np.array([[1.0, 0, 0], [1.0, 1.0, 0]])
    cube = memory_cube(*planted(points))
    assert cube["affine_r2"] == pytest.approx(1)
    angles = cube["edge_angle"].sel(bit_pair="1-2")
    expected = {"++": 45, "--": 45, "+-": 135, "-+": 135}
    for label, angle in expected.items():
        assert angles.sel(memory_state=label) == pytest.approx(angle)


def test_what_no_affine_image_explains_is_the_interaction_of_bits() -> None:
    signs = corners(3)
    interaction = signs.prod(axis=1, keepdims=True)
    cube = memory_cube(*planted(np.hstack([signs, 2 * interaction])))
    # Of each bit's axis the variance is 1, of the interaction's 4.
    assert cube["affine_r2"] == pytest.approx(3 / 7)
    assert cube["similarity_r2"] == pytest.approx(3 / 7)


def test_random_points_score_what_chance_gives() -> None:
    rng = np.random.default_rng(0)
    points = [rng.standard_normal((8, 200)) for _ in range(20)]
    scores = [float(memory_cube(*planted(one, repeats=1))["affine_r2"]) for one in points]
    assert np.mean(scores) == pytest.approx(3 / 7, abs=0.02)  # three of seven degrees of freedom


def test_spread_and_separation() -> None:
    cube = memory_cube(*planted(3 * corners(2) @ np.eye(2, 50), noise=0.1, repeats=4000))
    # The mean square distance in 50 dimensions of standard deviation 0.1.
    np.testing.assert_allclose(cube["spread"], 0.1 * np.sqrt(50), rtol=0.01)
    assert cube["separation"] == pytest.approx(6 / (0.1 * np.sqrt(50)), rel=0.01)


def test_unset_bits_and_response_windows_do_not_count() -> None:
    rates, states = planted(corners(2) @ np.eye(2, 3))
    clean = memory_cube(rates, states)
    extra = xr.full_like(rates.isel(time=[0, 1]), 99.0).assign_coords(time=[90.0, 91.0])
    unset = xr.DataArray([["0+", "00"]], dims=("trial", "time"), coords={"time": [90.0, 91.0]})
    longer = memory_cube(
        xr.concat([rates, extra], "time", coords="minimal"), xr.concat([states, unset], "time", coords="minimal")
    )
    for name in ("similarity_r2", "edge_length", "spread"):
        xr.testing.assert_allclose(longer[name], clean[name])
    window = xr.zeros_like(states, dtype=bool).expand_dims(output_channel=["a", "b"])
    window = window.copy()
    window[1, 0, 1] = True
    moved = rates.copy()
    moved[0, 1] = 99.0
    xr.testing.assert_allclose(memory_cube(moved, states, window)["edge_length"], clean["edge_length"])
    assert float(memory_cube(moved, states)["edge_length"].max()) > 20


def test_networks_broadcast_and_one_that_diverged_is_nan() -> None:
    one, states = planted(corners(3) @ rotation(6)[:3])
    rates = xr.concat([one, 2 * one, one * np.nan], dim="network").assign_coords(network=["a", "b", "c"])
    cube = memory_cube(rates, states)
    np.testing.assert_allclose(cube["similarity_r2"], [1, 1, np.nan])
    np.testing.assert_allclose(cube["edge_length"].mean("edge"), [2, 4, np.nan])
    for name, variable in cube.data_vars.items():
        assert variable.sel(network="c").isnull().all(), name


def test_one_sample_that_is_not_finite_leaves_nothing_even_where_no_state_is_held() -> None:
    rates, states = planted(corners(2) @ np.eye(2, 3))
    states = states.copy(data=np.where(np.arange(states.size) == 3, "0+", states.values))
    rates[0, 3, 0] = np.nan
    for name, variable in memory_cube(rates, states).data_vars.items():
        assert variable.isnull().all(), name


def test_samples_are_held_once_in_double_precision() -> None:
    rates, states = planted(corners(3) @ np.eye(3, 100), noise=0.1, repeats=1000)
    rates = rates.astype(np.float32)
    tracemalloc.start()
    memory_cube(rates, states)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 * rates.nbytes  # twice that of single precision, and a share for masks and scores


def test_states_that_coincide_have_no_scores() -> None:
    cube = memory_cube(*planted(np.ones((4, 5))))
    assert np.isnan([float(cube[name]) for name in ("affine_r2", "similarity_r2", "separation")]).all()
    np.testing.assert_array_equal(cube["edge_length"], 0)


def test_centroids_are_in_the_space_of_the_principal_components() -> None:
    rates, states = planted(corners(3) @ np.diag([3.0, 2, 1]) @ rotation(5)[:3], repeats=1)
    cube, components = memory_cube(rates, states), principal_components(rates)
    np.testing.assert_allclose(cube["centroids"], components["scores"].isel(trial=0), atol=1e-12)
    xr.testing.assert_allclose(cube["explained_variance_ratio"], components["explained_variance_ratio"])


def test_what_cannot_be_measured_is_refused() -> None:
    rates, states = planted(corners(2) @ np.eye(2, 3))
    with pytest.raises(ValueError, match=r"found none of -\+; take the task's probe"):
        memory_cube(rates, states.where(states != "-+", "++"))
    with pytest.raises(ValueError, match="expected samples at which every bit is set"):
        memory_cube(rates, xr.full_like(states, "00"))
    with pytest.raises(ValueError, match="expected the trials and times of rates"):
        memory_cube(rates, states.assign_coords(time=states.time + 1))
    with pytest.raises(ValueError, match="'unit' is missing"):
        memory_cube(rates.rename(unit="neuron"), states)


def test_a_run_goes_in_as_it_is_stored(run: xr.DataTree) -> None:
    cube = memory_cube(
        run["probe_activity"].rates, run["probe_trials"].memory_state, run["probe_trials"].response_window
    )
    assert cube["centroids"].dims == ("network", "memory_state", "component")
    assert (cube["similarity_r2"] <= cube["affine_r2"] + 1e-12).all()
    assert set(cube.dims) - {"edge", "bit_pair"} <= set(bn.schema.DIMS)
