"""Networks linearised at fixed points: closed forms, finite differences, and what a deviation really does."""

import numpy as np
import pytest
import xarray as xr

from biornn.analysis import fixed_points, linearise
from biornn.analysis.each_network import constant_inputs, each_network
from tests.analysis.networks import network, side_by_side


def random_network(seed=0, formulation="rate", n_units=6, gain=1.5, activation="tanh"):
    rng = np.random.default_rng(seed)
    made = network(
        gain * rng.normal(size=(n_units, n_units)) / np.sqrt(n_units),
        rng.normal(size=(2, n_units)),
        rng.normal(size=(n_units, 3)),
        rng.uniform(0.1, 1, n_units),
        activation,
    )
    return made.assign(formulation=((), formulation), recurrent_bias=("unit", rng.normal(size=n_units)))


@pytest.mark.parametrize("formulation", ["rate", "current"])
def test_it_is_what_small_deviations_do(formulation):
    weights = random_network(formulation=formulation)
    inputs = xr.DataArray([[0.3, -0.2], [0.0, 0.0]], dims=("level", "input_channel"))
    points = fixed_points(weights, inputs=inputs)
    found = linearise(points, weights, inputs)
    size = 1e-6
    jobs = dict(each_network(weights, constant_inputs(weights, inputs)))
    for level in range(2):
        of, own = jobs[0, 0, level], found.isel(level=level, fixed_point=0)
        state = points.state.isel(level=level, fixed_point=0).values
        aside = size * np.eye(6)
        deviation = (of.step(state + aside) - of.step(state - aside)) / (2 * size)
        np.testing.assert_allclose(own.jacobian, deviation, atol=1e-8)
        read = (of.outputs(state + aside) - of.outputs(state - aside)) / (2 * size)
        # Each mode's output is that of its pattern, and the patterns add up to the deviation.
        patterns, reading = own.left_eigenvectors.values, own.right_eigenvectors.values
        np.testing.assert_allclose(own.output_projection.values, (patterns @ read).T, atol=1e-8)
        np.testing.assert_allclose(reading @ patterns, np.eye(6), atol=1e-9)
        np.testing.assert_allclose(patterns @ reading, np.eye(6), atol=1e-9)  # l r = 1, and 0 for others
        for channel in range(2):
            pushed = inputs.values[level] + size * np.eye(2)[channel], inputs.values[level] - size * np.eye(2)[channel]
            (up, down) = (
                next(
                    of
                    for _, of in each_network(
                        weights, constant_inputs(weights, xr.DataArray(one, dims="input_channel"))
                    )
                )
                for one in pushed
            )
            by_input = ((up.step(state[np.newaxis]) - down.step(state[np.newaxis])) / (2 * size))[0]
            np.testing.assert_allclose(own.input_projection[channel], by_input @ reading, atol=1e-7)
        np.testing.assert_allclose(own.eigenvalues, points.eigenvalues.isel(level=level, fixed_point=0), rtol=1e-9)
        for name in ("time_constant", "frequency"):
            np.testing.assert_allclose(own[name], points[name].isel(level=level, fixed_point=0), rtol=1e-7, atol=1e-12)


def test_a_feedforward_pair_amplifies_by_its_weight():
    # δx -> (0, w δx): lives for one step, and is w times as large; with a leak the closed form of two equal rates.
    points = xr.Dataset({"state": (("fixed_point", "unit"), np.zeros((1, 2)))})
    chain = network([[0.0, 5.0], [0.0, 0.0]], np.zeros((1, 2)), np.eye(2))
    found = linearise(points, chain)
    assert found.amplification.item() == pytest.approx(5)
    assert found.amplification_time.item() == 1
    assert found.nonnormality.item() == pytest.approx(1)
    leaky = linearise(points, chain.assign(alpha=("unit", [0.1, 0.1])), dt=2.0)
    powers = [np.linalg.norm(np.linalg.matrix_power(np.array([[0.9, 0.5], [0, 0.9]]), n), 2) for n in range(40)]
    assert leaky.amplification.item() == pytest.approx(max(powers))
    assert leaky.amplification_time.item() == 2.0 * int(np.argmax(powers))


@pytest.mark.parametrize("n_units", [5, 12, 20, 33])
def test_amplification_is_the_largest_of_all_steps(n_units):
    # A chain hands a deviation on, twice as large each time, and random triangular matrices.
    rng = np.random.default_rng(n_units)
    chain = np.diag(np.full(n_units - 1, 2.0), 1)
    drawn = np.triu(rng.normal(size=(n_units, n_units)), 1) + np.diag(rng.uniform(0, 0.9, n_units))
    points = xr.Dataset({"state": (("fixed_point", "unit"), np.zeros((1, n_units)))})
    for matrix in (chain, drawn):
        norms, power = [1.0], np.eye(n_units)
        for _ in range(300):
            power = power @ matrix
            norms.append(np.linalg.norm(power, 2))
        found = linearise(points, network(matrix, np.zeros((1, n_units)), np.eye(n_units)))
        assert found.amplification.item() == pytest.approx(max(norms))
        assert found.amplification_time.item() == int(np.argmax(norms))


def test_growth_without_end_is_infinite_also_where_the_eigenvalue_is_1():
    points = xr.Dataset({"state": (("fixed_point", "unit"), np.zeros((1, 2)))})
    for turn in (0.0, 0.3, 1.0):  # rounding decides on which side of 1 the eigenvalues are
        q = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        shear = q @ np.array([[1.0, 1.0], [0.0, 1.0]]) @ q.T
        assert linearise(points, network(shear, np.zeros((1, 2)), np.eye(2))).amplification.item() == np.inf
    nearly = np.array([[1 - 1e-6, 1.0], [0.0, 1 - 1e-6]])  # n (1 - 1e-6)^(n - 1) is largest after 1e6 steps
    found = linearise(points, network(nearly, np.zeros((1, 2)), np.eye(2)))
    assert found.amplification.item() == pytest.approx(1e6 / np.e, rel=0.01)


def test_a_normal_network_does_not_amplify():
    drawn = np.random.default_rng(0).normal(size=(8, 8))
    symmetric = 0.9 * (drawn + drawn.T) / np.abs(np.linalg.eigvalsh(drawn + drawn.T)).max()
    points = xr.Dataset({"state": (("fixed_point", "unit"), np.zeros((1, 8)))})
    found = linearise(points, network(symmetric, np.zeros((1, 8)), np.eye(8), activation="tanh"))
    assert (found.amplification.item(), found.amplification_time.item()) == (1, 0)
    np.testing.assert_allclose(found.condition_number, 1)
    assert found.nonnormality.item() == pytest.approx(0, abs=1e-6)
    grows = linearise(points, network(2 * symmetric, np.zeros((1, 8)), np.eye(8), activation="tanh"))
    assert grows.amplification.item() == np.inf
    line = linearise(points, network(symmetric / 0.9, np.zeros((1, 8)), np.eye(8), activation="tanh"))
    assert line.amplification.item() == pytest.approx(1)
    still = linearise(points, network(np.eye(8), np.zeros((1, 8)), np.eye(8)))
    assert (still.time_constant == np.inf).all()  # it neither decays nor grows


@pytest.mark.nightly
def test_dims_labels_and_padding():
    several = random_network(2).assign(recurrent_weights=3 * xr.DataArray(np.eye(6), dims=("unit_pre", "unit_post")))
    weights = side_by_side(one=random_network(1, gain=0.5), two=several).assign_coords(
        unit=list("abcdef"), input_channel=["left", "right"]
    )
    points = fixed_points(weights)
    found = linearise(points, weights)
    assert found.left_eigenvectors.dims == ("network", "fixed_point", "mode", "unit")
    assert found.input_channel.values.tolist() == ["left", "right"]
    assert found.unit.values.tolist() == list("abcdef")
    assert found.condition.values.tolist() == ["o", "t"]
    is_point = (points.kind != "").values
    assert is_point.sum() < is_point.size
    np.testing.assert_array_equal(np.isfinite(found.amplification) | (found.amplification == np.inf), is_point)
    np.testing.assert_array_equal(np.isfinite(found.eigenvalues.values).all(axis=-1), is_point)
    alone = linearise(points.isel(network=1), weights.isel(network=1))
    xr.testing.assert_allclose(alone.jacobian, found.jacobian.isel(network=1))
    twice = weights.expand_dims(snapshot=2)
    assert linearise(fixed_points(twice), twice).jacobian.sizes["snapshot"] == 2


def test_each_variable_says_what_it_is():
    weights = random_network()
    found = linearise(fixed_points(weights), weights)
    assert all({"units", "long_name"} <= set(variable.attrs) for variable in found.data_vars.values())
    assert len({variable.attrs["long_name"] for variable in found.data_vars.values()}) == len(found.data_vars)
    assert "Jacobian" in found.eigenvalues.attrs["long_name"]


def test_labels_decide_and_not_positions():
    weights = side_by_side(one=random_network(1), two=random_network(2)).assign_coords(unit=list("abcdef"))
    points = fixed_points(weights).isel(fixed_point=[0])
    found = linearise(points, weights)
    turned = linearise(points.isel(network=[1, 0], unit=[5, 4, 3, 2, 1, 0]), weights)
    xr.testing.assert_allclose(turned.jacobian, found.jacobian)
    with pytest.raises(ValueError, match="points: expected those of the network 'two', as the weights, got 'one'"):
        linearise(points.sel(network="one"), weights.sel(network="two"))
    with pytest.raises(ValueError, match="points: expected \\['one', 'two'\\] along network, got"):
        linearise(points.assign_coords(network=["one", "other"]), weights)
    with pytest.raises(ValueError, match="expected fixed points of these weights under these inputs, got one"):
        linearise(points, weights, xr.DataArray([1.0, 1.0], dims="input_channel"))
    none = linearise(points.isel(fixed_point=[]), weights)
    assert (none.sizes["fixed_point"], none.sizes["network"]) == (0, 2)


def test_what_does_not_fit_is_refused():
    weights = side_by_side(one=random_network(1), two=random_network(2))
    points = fixed_points(weights)
    with pytest.raises(ValueError, match=r"points: expected those of the same weights and inputs, .*'network': 1"):
        linearise(points, weights.isel(network=[0]))
    with pytest.raises(ValueError, match="points: expected 'state'"):
        linearise(points.drop_vars("state"), weights)
    with pytest.raises(ValueError, match="dt: expected a positive time in ms, got 0"):
        linearise(points, weights, dt=0)
