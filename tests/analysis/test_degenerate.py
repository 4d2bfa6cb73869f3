"""What each analysis gives where there is little or nothing to analyse.

A number, NaN for the network in question and no other, or a ValueError of one line; warnings are errors.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import xarray as xr

import biornn.analysis as an
from tests.analysis.networks import network, side_by_side, with_those_that_cannot_run

N_UNITS = 4
MATRIX = ("unit_pre", "unit_post")
NAN, INF = float("nan"), float("inf")
STATES = xr.DataArray([["00", "++", "+-", "-+", "--"] * 4] * 2, dims=("trial", "time"))
TYPES = xr.DataArray(["excitatory", "excitatory", "inhibitory", "unconstrained"], dims="unit")


def matrices(*values: np.ndarray) -> xr.DataArray:
    return xr.DataArray(np.stack(values), dims=("network", *MATRIX))


def random_matrix(n_units: int = N_UNITS) -> np.ndarray:
    return np.random.default_rng(0).normal(0, 0.5, (n_units, n_units))


def random_rates(n_units: int = N_UNITS) -> np.ndarray:
    return np.random.default_rng(1).normal(0, 0.3, (*STATES.shape, n_units))


def rates_of(*values: np.ndarray) -> xr.DataArray:
    return xr.DataArray(np.stack(values), dims=("network", "trial", "time", "unit"))


def variables(result: xr.DataArray | xr.Dataset) -> dict[str, xr.DataArray]:
    return dict(result.data_vars) if isinstance(result, xr.Dataset) else {"result": result}


def assert_alike(result: xr.DataArray | xr.Dataset, expected: xr.DataArray | xr.Dataset) -> None:
    others = variables(expected)
    for name, array in variables(result).items():
        np.testing.assert_allclose(array.values, others[name].values, rtol=1e-9, atol=1e-12, err_msg=name)


def assert_nothing_but(result: xr.DataArray | xr.Dataset, *defined: str) -> None:
    """Everything is NaN but for the variables named."""
    for name, array in variables(result).items():
        if name not in defined:
            assert array.isnull().all(), (name, array.values)


def weights_and_types(function, **options):
    return lambda weights: function(weights, TYPES.isel(unit=slice(weights.sizes["unit_pre"])), **options)


def null_of(statistic):
    return lambda weights: an.compare_with_null(statistic, weights, xr.ones_like(weights, bool), n_draws=9, seed=0)


OF_MATRICES = {
    "eigenspectrum": an.eigenspectrum,
    "spectral_radius": an.spectral_radius,
    "nonnormality": an.nonnormality,
    "nonnormality, absolute": partial(an.nonnormality, relative=False),
    "singular_value_entropy": an.singular_value_entropy,
    "distance_from_orthogonal": an.distance_from_orthogonal,
    "distance_from_initial": lambda weights: an.distance_from_initial(weights.expand_dims(epoch=2)),
    "eigenmodes": an.eigenmodes,
    "predicted_spectrum": weights_and_types(an.predicted_spectrum),
    "bulk_and_outliers": weights_and_types(an.bulk_and_outliers),
    "weight_distribution": lambda weights: an.weight_distribution(
        weights, xr.ones_like(weights, bool), TYPES.isel(unit=slice(weights.sizes["unit_pre"]))
    ),
    "matched_random_weights": lambda weights: an.matched_random_weights(
        weights, xr.ones_like(weights, bool), n_draws=2, seed=0
    ),
    "compare_with_null": null_of(an.nonnormality),
    "dominant_eigenvalue": lambda weights: an.dominant_eigenvalue(an.eigenspectrum(weights)),
    "n_outside": lambda weights: an.n_outside(an.eigenspectrum(weights)),
    "eigenvalue_paths": lambda weights: an.eigenvalue_paths(an.eigenspectrum(weights.expand_dims(epoch=2))),
    "escape_step": lambda weights: an.escape_step(an.eigenspectrum(weights.expand_dims(epoch=2))),
}
#: They decompose, and so may not converge.
DECOMPOSE = [name for name in OF_MATRICES if name not in ("distance_from_initial", "matched_random_weights")]
DECOMPOSE = [name for name in DECOMPOSE if name not in ("predicted_spectrum", "weight_distribution")]

OF_RATES = {
    "principal_components": an.principal_components,
    "singular_components": an.singular_components,
    "participation_ratio": an.participation_ratio,
    "memory_cube": lambda rates: an.memory_cube(rates, STATES),
    "align_cubes": lambda rates: an.align_cubes(an.memory_cube(rates, STATES)),
    "selectivity": lambda rates: an.selectivity(rates, STATES),
}
TARGETS = xr.DataArray(np.sign(random_rates(2)), dims=("trial", "time", "output_channel"))
MEASURES = ("cka", "procrustes", "cca")


@pytest.mark.parametrize("name", OF_MATRICES)
def test_a_network_that_diverged_is_nan_and_spoils_no_other(name: str) -> None:
    good, with_nan, with_inf, all_inf = random_matrix(), random_matrix(), random_matrix(), random_matrix()
    with_nan[0, 1], with_inf[1, 2], all_inf[:] = NAN, -INF, INF
    result = OF_MATRICES[name](matrices(with_nan, good, with_inf, all_inf))
    assert_alike(result.isel(network=[1]), OF_MATRICES[name](matrices(good)))
    assert_nothing_but(result.isel(network=[0, 2, 3]))


@pytest.mark.parametrize("name", DECOMPOSE)
def test_a_decomposition_that_does_not_converge_is_nan_and_spoils_no_other(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, bad = random_matrix(), random_matrix() + 1000.0
    expected = OF_MATRICES[name](matrices(good))
    for function in ("eigvals", "eig", "svdvals"):
        monkeypatch.setattr(np.linalg, function, _fails_beyond(500.0, getattr(np.linalg, function)))
    result = OF_MATRICES[name](matrices(bad, good))
    assert_alike(result.isel(network=[1]), expected)
    of_the_weights = ("bulk_radius", "edge", "outlier") if name == "bulk_and_outliers" else ()
    assert_nothing_but(result.isel(network=[0]), *of_the_weights)


def _fails_beyond(largest: float, function):
    """LAPACK as it is, but for matrices with an entry beyond the largest."""

    def decompose(matrix):
        if np.abs(matrix).max() > largest:
            raise np.linalg.LinAlgError("Eigenvalues did not converge")
        return function(matrix)

    return decompose


def test_a_single_matrix_that_does_not_converge_is_nan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(np.linalg, "eigvals", _fails_beyond(0.0, np.linalg.eigvals))
    weights = matrices(random_matrix()).isel(network=0)
    assert np.isnan(an.spectral_radius(weights))
    assert np.isnan(an.nonnormality(weights))


@pytest.mark.parametrize("scale", [1e-200, 1e200])
@pytest.mark.parametrize("name", OF_MATRICES)
def test_weights_of_any_finite_size_are_analysed(name: str, scale: float) -> None:
    """What does not depend on the scale of the weights is the same; the rest is finite where it was."""
    plain, scaled = (OF_MATRICES[name](matrices(factor * random_matrix())) for factor in (1.0, scale))
    if name in ("nonnormality", "singular_value_entropy", "distance_from_initial"):
        assert_alike(scaled, plain)
    for key, array in variables(plain).items():
        if key not in ("largest_outlier", "escape_step") and name != "escape_step":
            np.testing.assert_array_equal(np.isfinite(variables(scaled)[key]), np.isfinite(array), err_msg=key)


@pytest.mark.parametrize("name", OF_MATRICES)
def test_one_unit_and_one_without_weights(name: str) -> None:
    OF_MATRICES[name](matrices(np.array([[0.5]]), np.array([[0.0]]), np.array([[NAN]])))
    OF_MATRICES[name](matrices(np.zeros((N_UNITS, N_UNITS))))


def test_one_unit_has_no_spectrum_to_predict_and_no_entropy() -> None:
    one = matrices(np.array([[0.5]]))
    assert_nothing_but(an.predicted_spectrum(one))
    assert_nothing_but(an.bulk_and_outliers(one))
    assert np.isnan(an.singular_value_entropy(one)).all()
    assert float(an.singular_value_entropy(one, normalised=False)[0]) == 0
    assert null_of(an.spectral_radius)(one)["z"].isnull().all()


def test_equal_weights_have_one_outlier_and_no_more() -> None:
    """All eigenvalues but one are zero, and come out as rounding."""
    found = an.bulk_and_outliers(matrices(np.full((10, 10), 0.1))).isel(network=0)
    assert (float(found["bulk_radius"]), int(found["n_outliers"])) == (0.0, 1)
    assert float(found["largest_outlier"].real) == pytest.approx(1.0)


def test_a_matrix_that_is_not_square_has_no_nearest_orthogonal_one() -> None:
    with pytest.raises(ValueError, match="expected as many unit_pre as unit_post, got 2 and 3"):
        an.distance_from_orthogonal(xr.DataArray(np.ones((2, 3)), dims=MATRIX))


def test_what_began_with_nan_has_no_distance_from_there() -> None:
    weights = xr.DataArray(np.stack([np.full((2, 2), INF), np.eye(2)]), dims=("epoch", *MATRIX))
    assert an.distance_from_initial(weights).isnull().all()
    assert an.distance_from_initial(weights[::-1]).values.tolist()[0] == 0.0


def test_one_epoch_has_paths_and_no_more() -> None:
    values = an.eigenspectrum(matrices(random_matrix(), 3 * random_matrix()).expand_dims(epoch=1))
    assert_alike(an.eigenvalue_paths(values), values)
    assert an.escape_step(values).dims == ("network", "mode")


def test_paths_of_eigenvalues_that_explode_are_matched() -> None:
    values = xr.DataArray([[1e200, -1e200], [-1.1e200, 1.1e200]], dims=("epoch", "mode"))
    assert an.eigenvalue_paths(values).values.tolist() == [[-1e200, 1e200], [-1.1e200, 1.1e200]]


def test_a_statistic_that_is_infinite_has_no_p_value() -> None:
    compared = null_of(lambda weights: an.spectral_radius(weights) * np.inf)(matrices(random_matrix()))
    assert_nothing_but(compared)


def test_projections_of_infinite_input_weights_are_nan_for_that_network() -> None:
    into = xr.DataArray(np.ones((2, 1, N_UNITS)), dims=("network", "input_channel", "unit"))
    into[0, 0, 1] = INF
    weights = matrices(random_matrix(), random_matrix())
    modes = an.eigenmodes(weights, into, into.rename(input_channel="output_channel"))
    for name in ("input_projection", "output_projection"):
        assert modes[name].isnull().any("mode").values.ravel().tolist() == [True, False]


@pytest.mark.parametrize("name", OF_RATES)
@pytest.mark.parametrize("bad", [NAN, INF])
def test_activity_that_is_not_finite_is_nan_and_spoils_no_other(name: str, bad: float) -> None:
    good, one_bad = random_rates(), random_rates()
    one_bad[0, 3, 1] = bad
    result = OF_RATES[name](rates_of(one_bad, good, np.full_like(good, bad)))
    assert_alike(result.isel(network=[1]), OF_RATES[name](rates_of(good)))
    assert_nothing_but(result.isel(network=[0, 2]))


@pytest.mark.parametrize("scale", [1e-200, 1e-90, 1e200])
@pytest.mark.parametrize("name", OF_RATES)
def test_activity_of_any_finite_size_is_analysed(name: str, scale: float) -> None:
    result = OF_RATES[name](rates_of(random_rates(), scale * random_rates()))
    for key, array in variables(result).items():
        assert np.isfinite(array).all(), key
    for key in {"result", "explained_variance_ratio", "similarity_r2", "separation", "d_prime"} & set(
        variables(result)
    ):
        one, other = variables(result)[key].values
        np.testing.assert_allclose(one, other, rtol=1e-6, err_msg=key)


@pytest.mark.parametrize("rate", [0.0, 0.7])
@pytest.mark.parametrize("name", OF_RATES)
def test_units_that_never_change_have_no_variance_to_divide(name: str, rate: float) -> None:
    good, still = random_rates(), np.full((*STATES.shape, N_UNITS), rate)
    result = OF_RATES[name](rates_of(still, good))
    assert_alike(result.isel(network=[1]), OF_RATES[name](rates_of(good)))
    if name == "singular_components" and rate:
        return  # they have a size, and so a direction
    assert_nothing_but(result.isel(network=[0]), "mean", "spread", "edge_length")


def test_a_constant_unit_is_nan_and_leaves_the_others_alone() -> None:
    rates = random_rates()
    rates[..., 2] = 0.7
    result = an.selectivity(rates_of(rates), STATES)
    assert result["d_prime"].isnull().any("bit").values.tolist() == [[False, False, True, False]]
    assert result["mixed_selectivity"].isnull().values.tolist() == [[False, False, True, False]]
    without = rates_of(np.delete(rates, 2, axis=-1))
    assert float(an.participation_ratio(rates_of(rates))[0]) == pytest.approx(float(an.participation_ratio(without)[0]))


def test_one_unit_has_one_component() -> None:
    rates = rates_of(random_rates(1))
    assert an.principal_components(rates, 1)["explained_variance_ratio"].values.tolist() == [[1.0]]
    assert float(an.participation_ratio(rates)[0]) == pytest.approx(1.0)
    for decompose in (an.principal_components, an.singular_components):
        with pytest.raises(ValueError, match="n_components: expected 1 to 1 for 40 samples of 1 units, got 3"):
            decompose(rates)
    cube = an.memory_cube(rates, STATES)
    assert cube.sizes["component"] == 1
    with pytest.raises(ValueError, match="cube: expected at least 2 components"):
        an.align_cubes(cube)


def test_a_single_sample_has_no_components() -> None:
    rates = rates_of(random_rates()[:1, :1])
    for decompose in (an.principal_components, an.singular_components):
        decompose(rates, 1)
    assert_nothing_but(an.principal_components(rates, 1), "mean")
    assert an.participation_ratio(rates).isnull().all()


def test_two_samples_have_one_component_and_the_rest_is_zero() -> None:
    share = an.principal_components(rates_of(random_rates()[:1, :2]), 2)["explained_variance_ratio"]
    np.testing.assert_allclose(share.values, [[1.0, 0.0]], atol=1e-12)


def test_states_with_one_sample_have_no_spread() -> None:
    states, rates = STATES.isel(trial=[0], time=slice(1, 5)), rates_of(random_rates()[:1, 1:5])
    assert np.isinf(an.memory_cube(rates, states)["separation"]).all()
    assert np.isinf(an.selectivity(rates, states)["d_prime"]).all()


@pytest.mark.parametrize("analyse", [an.memory_cube, an.selectivity])
def test_trials_that_visit_no_state_or_not_all_are_an_error(analyse) -> None:
    rates = rates_of(random_rates())
    with pytest.raises(ValueError, match="memory_state: expected samples at which every bit is set, got none; take"):
        analyse(rates, xr.full_like(STATES, "00"))
    with pytest.raises(ValueError, match="memory_state: expected samples of all 4 states, found none of"):
        analyse(rates.isel(time=slice(2)), STATES.isel(time=slice(2)))
    no_time = xr.ones_like(TARGETS, bool)
    with pytest.raises(ValueError, match="got none"):
        analyse(rates, STATES, no_time)


def test_a_cube_that_no_turn_brings_nearer_to_the_ideal_one_is_not_aligned() -> None:
    """Rates of an exclusive or: neither bit has a direction, and a scale would be rounding."""
    rates = np.where(np.isin(STATES.values, ["++", "--"]), 1.0, 0.1)[..., np.newaxis] * np.ones(N_UNITS)
    cube = an.memory_cube(rates_of(rates), STATES)
    assert_nothing_but(an.align_cubes(cube))
    scores = an.principal_components(rates_of(rates))["scores"]
    assert an.align_scores(scores, an.align_cubes(cube)).isnull().all()


def test_fewer_scores_than_were_aligned_are_an_error() -> None:
    rates = rates_of(random_rates())
    alignment = an.align_cubes(an.memory_cube(rates, STATES))
    with pytest.raises(ValueError, match="scores: expected the components of the alignment, got none of"):
        an.align_scores(an.principal_components(rates, 1)["scores"], alignment)


@pytest.mark.parametrize("measure", MEASURES)
def test_similarity_is_nan_for_networks_without_activity_to_compare(measure: str) -> None:
    good = random_rates()
    # In single precision this rate is 1 but for its last digit.
    rounding = (1.0 + 1e-7 * np.sign(good)).astype(np.float32)
    bad = [np.zeros_like(good), np.full_like(good, 0.7), np.full_like(good, NAN), np.full_like(good, INF)]
    several = rates_of(*bad, good, 2 * good).astype(np.float32)
    result = an.similarity(several, measure)
    assert result[4:, 4:].notnull().all()
    assert result[:4].isnull().all()
    assert result[:, :4].isnull().all()
    assert an.similarity(rates_of(rounding, good.astype(np.float32)), measure)[0].isnull().all()


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("scale", [1e-200, 1e-90, 1e200])
def test_similarity_of_activity_of_any_finite_size(measure: str, scale: float) -> None:
    good, other = random_rates(), random_rates()[:, ::-1]
    plain, scaled = (an.similarity(rates_of(good, factor * other), measure) for factor in (1.0, scale))
    np.testing.assert_allclose(scaled.values, plain.values, rtol=1e-6)


@pytest.mark.parametrize("measure", MEASURES)
def test_similarity_of_one_network_one_unit_one_sample(measure: str) -> None:
    assert an.similarity(rates_of(random_rates()), measure).shape == (1, 1)
    of_one_unit = an.similarity(rates_of(random_rates(1), 2 * random_rates(1)), measure)
    assert float(of_one_unit[0, 1]) == pytest.approx(0.0 if measure == "procrustes" else 1.0, abs=1e-6)
    assert an.similarity(rates_of(random_rates()[:1, :1], random_rates()[1:, :1]), measure).isnull().all()


def _alike(conditions: list[str], seeds: list[int], failed: tuple[int, ...] = ()) -> xr.DataArray:
    n = len(conditions)
    values = np.random.default_rng(0).random((n, n))
    values = np.where(np.eye(n, dtype=bool), 1.0, (values + values.T) / 2)
    values[list(failed)], values[:, list(failed)] = NAN, NAN
    coords = {"condition": ("network", conditions), "seed": ("network", seeds)}
    return xr.DataArray(values, dims=("network", "other_network"), coords=coords)


def test_similarity_is_not_tested_where_labels_cannot_change() -> None:
    """After failures no seed has both conditions: the true labels are the only ones."""
    result = an.similarity_test(_alike(["a", "a", "b", "b"], [0, 1, 0, 2], failed=(2,)))
    assert np.isfinite(result["difference"])
    assert np.isnan(result["p_value"])
    assert int(result["n_failed"]) == 1


def test_similarity_test_of_one_condition_one_seed_and_of_failures_alone() -> None:
    with pytest.raises(ValueError, match="expected networks of at least two conditions"):
        an.similarity_test(_alike(["a", "a"], [0, 1]))
    with pytest.raises(ValueError, match="train more seeds"):
        an.similarity_test(_alike(["a", "b"], [0, 0]))
    nothing = an.similarity_test(_alike(["a", "a", "b", "b"], [0, 1, 0, 1], failed=(0, 1, 2, 3)))
    assert_nothing_but(nothing, "n_networks", "n_failed", "n_permutations")
    assert int(nothing["n_failed"]) == 4


@pytest.mark.parametrize("split", ["weight", "contribution"])
def test_currents_of_silent_constant_and_diverged_networks(split: str) -> None:
    one = network(random_matrix(), np.ones((1, N_UNITS)), np.ones((N_UNITS, 1)))
    weights = side_by_side(good=one, silent=one, still=one, diverged=one, infinite=one, huge=one)
    weights["recurrent_weights"] = weights.recurrent_weights.where(weights.network != "infinite", INF)
    still = np.full((*STATES.shape, N_UNITS), 0.7)
    weights["initial_state"] = weights.initial_state.where(weights.network != "still", 0.7)
    weights["input_weights"] = weights.input_weights.where(weights.network != "infinite", INF)
    rates = rates_of(random_rates(), 0 * still, still, NAN * still, random_rates(), 1e308 * np.sign(random_rates()))
    rates = rates.assign_coords(network=weights.network)
    balance = an.ei_balance(weights, rates, split)
    assert float(abs(balance["net"].sel(network="silent")).max()) == 0
    for name in ("balance_index", "balance_index_per_unit", "correlation", "correlation_per_unit"):
        assert balance[name].sel(network=["silent", "diverged", "infinite"]).isnull().all(), name
        assert balance[name].sel(network="good").notnull().all(), name
    assert balance["correlation"].sel(network="still").isnull()
    assert balance["balance_index"].sel(network="still").notnull()
    assert_nothing_but(balance.sel(network=["diverged", "infinite"]))
    inputs = xr.DataArray(np.zeros((*STATES.shape, 1)), dims=("trial", "time", "input_channel"))
    parts = an.currents(weights, rates, inputs, split)
    assert_nothing_but(parts.sel(network=["diverged", "infinite"]))
    assert parts.sel(network=["good", "silent", "still"]).to_array().notnull().all()


@pytest.mark.parametrize("scale", [1e-200, 1e-90, 1e200])
def test_balance_of_activity_of_any_finite_size(scale: float) -> None:
    one = network(random_matrix(), np.ones((1, N_UNITS)), np.ones((N_UNITS, 1)))
    plain, scaled = (an.ei_balance(one, rates_of(factor * random_rates()).isel(network=0)) for factor in (1.0, scale))
    for name in ("balance_index_per_unit", "correlation_per_unit", "correlation"):
        np.testing.assert_allclose(scaled[name], plain[name], rtol=1e-9)


def test_currents_of_one_sample_have_no_correlation() -> None:
    one = network(random_matrix(), np.ones((1, N_UNITS)), np.ones((N_UNITS, 1)))
    balance = an.ei_balance(one, rates_of(random_rates()[:1, :1]).isel(network=0))
    assert balance[["correlation", "correlation_per_unit"]].to_array().isnull().all()


def _outputs(values: np.ndarray) -> xr.DataArray:
    return xr.DataArray(values, dims=("network", *TARGETS.dims))


@pytest.mark.parametrize("bad", [NAN, INF, 1e200])
def test_scores_of_outputs_without_bounds_are_nan_for_that_network(bad: float) -> None:
    outputs = _outputs(np.stack([TARGETS.values, TARGETS.values]))
    outputs[0, 0, 0, 0] = bad
    scores = an.performance(outputs, TARGETS, STATES, xr.zeros_like(TARGETS, bool))
    assert_nothing_but(scores.isel(network=0))
    assert float(scores["accuracy"][1]) == 1.0
    assert float(scores["mse"][1]) == 0.0


def test_scores_of_silence_one_trial_one_time_and_no_settled_sample() -> None:
    silent = _outputs(np.zeros((1, *TARGETS.shape)))
    scores = an.performance(silent, TARGETS, STATES, xr.ones_like(TARGETS, bool))
    assert float(scores["accuracy"][0]) == 0.0
    assert np.isnan(scores["accuracy_settled"][0])
    one = {"trial": [0], "time": [3]}
    assert float(an.performance(silent.isel(one), TARGETS.isel(one), STATES.isel(one))["mse"][0]) == 1.0


TRIALS = xr.Dataset(
    {
        "inputs": (("trial", "time", "input_channel"), np.random.default_rng(2).normal(size=(2, 6, 1))),
        "targets": (("trial", "time", "output_channel"), np.sign(np.random.default_rng(3).normal(size=(2, 6, 1)))),
        "memory_state": (("trial", "time"), np.array([["+", "+", "-", "-", "-", "-"]] * 2, object)),
        "response_window": (("trial", "time", "output_channel"), np.zeros((2, 6, 1), bool)),
    },
    {"time": np.arange(6.0)},
)
RUN_AGAIN = {
    "input_noise_robustness": partial(an.input_noise_robustness, noise=(0.0, 0.1), n_repeats=1),
    "recurrent_noise_robustness": partial(an.recurrent_noise_robustness, noise=(0.0, 0.1), n_repeats=1),
    "lesion_robustness": partial(an.lesion_robustness, share=(0.0, 0.5), n_repeats=2),
    "retention": lambda weights, trials: an.retention(weights, trials, duration=900.0),
}


@pytest.mark.parametrize("name", RUN_AGAIN)
def test_networks_that_cannot_be_run_are_nan_and_unstable_ones_are_wrong(name: str) -> None:
    stable = network(0.1 * np.eye(2), [[1.0, 0.0]], [[1.0], [0.0]])
    unstable = network(1e60 * np.eye(2), [[1.0, 0.0]], [[1.0], [0.0]])  # finite, but its squared errors are not
    result = RUN_AGAIN[name](with_those_that_cannot_run(stable), TRIALS)
    assert_nothing_but(result.isel(network=slice(1, None)))
    assert_alike(result.isel(network=0), RUN_AGAIN[name](stable, TRIALS))
    both = RUN_AGAIN[name](side_by_side(unstable=unstable, stable=stable), TRIALS)
    assert_alike(both.sel(network="stable"), RUN_AGAIN[name](stable, TRIALS))
    assert (both["accuracy"].sel(network="unstable").fillna(0.0) <= 1).all()


@pytest.mark.parametrize("name", RUN_AGAIN)
def test_one_silent_unit_is_run_again(name: str) -> None:
    silent = network([[0.0]], [[0.0]], [[0.0]])
    result = RUN_AGAIN[name](silent, TRIALS)
    known = result["accuracy"].sel(lesion="any") if name == "lesion_robustness" else result["accuracy"]
    assert (known == 0).all()
    assert (RUN_AGAIN[name](silent, TRIALS.isel(trial=[0]))["accuracy"].fillna(0.0) == 0).all()


@pytest.mark.parametrize("name", [name for name in RUN_AGAIN if name != "retention"])
def test_one_trial_and_one_time_step_are_run_again(name: str) -> None:
    one = network([[0.1]], [[1.0]], [[1.0]])
    assert RUN_AGAIN[name](one, TRIALS.isel(trial=[0], time=[0]))["accuracy"].notnull().any()


def test_retention_says_what_it_misses() -> None:
    one = network([[0.1]], [[1.0]], [[1.0]])
    with pytest.raises(ValueError, match="increasing times in ms, got fewer than two"):
        an.retention(one, TRIALS.isel(time=[0]))
    with pytest.raises(ValueError, match="expected samples of all 2 states, found none of -"):
        an.retention(one, TRIALS.isel(time=slice(2)))


def test_a_network_that_failed_is_nan_when_it_is_run_and_spoils_no_other() -> None:
    one = network([[0.1]], [[1.0]], [[1.0]])
    weights = with_those_that_cannot_run(one).isel(network=slice(3))
    weights["input_weights"] = weights.input_weights.where(weights.network != "diverged", INF)
    result = an.simulate(weights, TRIALS["inputs"], recurrent_noise=0.1, seed=0)
    assert result["rates"].sel(network="failed").isnull().all()
    assert result["outputs"].sel(network=["diverged", "failed"]).isnull().all()
    assert_alike(result.isel(network=0), an.simulate(one, TRIALS["inputs"], recurrent_noise=0.1, seed=0))


def test_infinite_weights_are_audited_by_their_sign() -> None:
    n = 2
    weights = xr.Dataset(
        {
            "recurrent_weights": (MATRIX, [[INF, -INF], [NAN, INF]]),
            "input_weights": (("input_channel", "unit"), [[INF, -INF]]),
            "output_weights": (("unit", "output_channel"), [[-INF], [NAN]]),
            "recurrent_mask": (MATRIX, np.ones((n, n), bool)),
            "input_mask": (("input_channel", "unit"), np.ones((1, n), bool)),
            "output_mask": (("unit", "output_channel"), np.ones((n, 1), bool)),
            "input_sign": ("input_channel", [0]),
            "output_sign": ("unit", [1, 0]),
            "cell_type": ("unit", np.array(["excitatory", "unconstrained"], object)),
        }
    )
    counts = an.audit(weights)
    assert (int(counts["sign_violations"]), int(counts["mask_violations"]), int(counts["autapses"])) == (2, 0, 0)


def test_means_over_cell_types_of_infinite_values() -> None:
    values = xr.DataArray([[INF, -INF, 1.0, NAN], [INF, 1.0, 1.0, 1.0]], dims=("network", "unit"))
    means = an.by_cell_type(values, TYPES).values
    np.testing.assert_array_equal(means, [[NAN, 1.0, NAN], [INF, 1.0, 1.0]])


def _metric(values: list[float], conditions: list[str], seeds: list[int]) -> xr.DataArray:
    return xr.DataArray(
        values, dims="network", coords={"condition": ("network", conditions), "seed": ("network", seeds)}
    )


@pytest.mark.parametrize("statistics", ["compare", "factorial_effects"])
def test_one_seed_gives_a_difference_and_no_test(statistics: str) -> None:
    metric = _metric([0.9, 0.8], ["unconstrained", "dale"], [0, 0])
    if statistics == "compare":
        row = an.compare(metric).isel(condition=0)
    else:
        row = an.factorial_effects(metric.assign_coords(factor_dale=("network", ["no", "yes"]))).isel(effect=0)
    assert float(row["difference"]) == pytest.approx(-0.1)
    for name in ("p_value", "p_holm", "ci_low", "ci_high", "effect_size"):
        assert np.isnan(row[name]), name
    assert int(row["n_pairs"]) == 1


@pytest.mark.parametrize("bad", [NAN, INF])
def test_conditions_that_failed_altogether_are_counted(bad: float) -> None:
    metric = _metric([0.9, 0.8, bad, bad, 0.7, 0.6], ["unconstrained"] * 2 + ["dale"] * 2 + ["sparse"] * 2, [0, 1] * 3)
    result = an.compare(metric)
    assert_nothing_but(result.sel(condition="dale"), "n_pairs", "n_failed", "n_unpaired")
    assert int(result["n_failed"].sel(condition="dale")) == 2
    assert np.isfinite(result["p_value"].sel(condition="sparse"))
    everything = an.compare(metric.where(False))
    assert_nothing_but(everything, "n_pairs", "n_failed", "n_unpaired")


@pytest.mark.parametrize("scale", [1e-200, 1e-120, 1e120, 1e200])
def test_differences_of_any_finite_size_are_tested(scale: float) -> None:
    metric = _metric([0.9, 0.8, 0.7, 0.1, 0.3, 0.2], ["unconstrained"] * 3 + ["dale"] * 3, [0, 1, 2] * 2)
    plain, scaled = an.compare(metric), an.compare(scale * metric)
    for name in ("p_value", "effect_size"):
        np.testing.assert_allclose(scaled[name], plain[name], rtol=1e-9)
    for name in ("ci_low", "ci_high"):
        np.testing.assert_allclose(scaled[name] / scale, plain[name], rtol=1e-9)


def test_one_condition_has_nothing_to_be_compared_with() -> None:
    one = _metric([0.9, 0.8], ["unconstrained"] * 2, [0, 1])
    with pytest.raises(ValueError, match="condition: expected others beside the reference 'unconstrained', got none"):
        an.compare(one)
    with pytest.raises(ValueError, match="factors: expected a coordinate"):
        an.factorial_effects(one)


def test_no_p_value_at_all_is_corrected_to_none() -> None:
    assert an.holm(xr.DataArray([NAN, NAN], dims="condition")).isnull().all()
    assert float(an.holm(xr.DataArray(0.04))) == 0.04


def _history(times: list[float], conditions: list[str], steps: list[int]) -> xr.Dataset:
    status = np.where(np.isfinite(times), "criterion_reached", "criterion_not_reached").astype(object)
    return xr.Dataset(
        {"steps_to_criterion": ("network", times), "status": ("network", status)},
        {"condition": ("network", conditions), "step": ("epoch", steps)},
    )


def test_times_of_one_network_each_are_not_tested() -> None:
    result = an.time_to_criterion(_history([100.0, 200.0], ["unconstrained", "dale"], [0, 100, 200]))
    assert result["median_steps"].values.tolist() == [100.0, 200.0]
    assert result["p_value"].isnull().all()
    alone = an.time_to_criterion(_history([NAN], ["unconstrained"], [0]))
    assert alone["not_reached"].values.tolist() == [[1.0]]
    assert (float(alone["ci_low"][0, 0]), float(alone["ci_high"][0, 0])) == (pytest.approx(0.025), 1.0)


@pytest.mark.parametrize("times", [[NAN] * 4, [100.0] * 4, [INF] * 4])
def test_times_that_do_not_differ_are_not_tested(times: list[float]) -> None:
    result = an.time_to_criterion(_history(times, ["unconstrained", "dale"] * 2, [0, 100]))
    assert result["p_value"].isnull().all()


def test_times_without_a_known_step_are_an_error() -> None:
    with pytest.raises(ValueError, match=r"step: expected the updates at each epoch, got -1 \(not known\) in all"):
        an.time_to_criterion(_history([NAN], ["unconstrained"], [-1]))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rounding_is_no_spread_within_states(dtype: type) -> None:
    """Means of equal numbers differ from them in the last digit: no separation of 1e15 comes of that."""
    levels = np.random.default_rng(4).normal(0, 0.3, (5, N_UNITS))
    position = np.array([["00", "++", "+-", "-+", "--"].index(state) for state in STATES.values.ravel()])
    held = levels[position].reshape(*STATES.shape, N_UNITS).astype(dtype)
    held[..., 0] = 0.7 * (1 + np.finfo(dtype).eps * np.sign(random_rates(1)[..., 0]))  # a unit that only rounds
    rates = rates_of(held)
    assert np.isinf(an.memory_cube(rates, STATES)["separation"]).all()
    coding = an.selectivity(rates, STATES).isel(network=0)
    assert coding["mixed_selectivity"].isnull().values.tolist() == [True, False, False, False]
    assert np.isinf(coding["d_prime"].isel(unit=slice(1, None))).all()
    assert (coding["residual"].isel(unit=slice(1, None)) == 0).all()


@pytest.mark.parametrize("dim", ["network", "trial", "time", "unit"])
@pytest.mark.parametrize("name", ["principal_components", "singular_components", *MEASURES])
def test_nothing_at_all_is_an_error(name: str, dim: str) -> None:
    analyse = OF_RATES.get(name, lambda rates: an.similarity(rates, name))
    with pytest.raises(ValueError, match=f"rates: expected at least one {dim}, got none; select some along"):
        analyse(rates_of(random_rates()).isel({dim: []}))


@pytest.mark.parametrize("name", ["memory_cube", "selectivity", "eigenmodes", "weight_distribution"])
def test_no_network_is_an_error(name: str) -> None:
    data = matrices(random_matrix()) if name in OF_MATRICES else rates_of(random_rates())
    with pytest.raises(ValueError, match="expected at least one network, got none"):
        (OF_MATRICES | OF_RATES)[name](data.isel(network=[]))


def test_no_sample_has_no_score_no_current_and_no_dimension() -> None:
    one = network(random_matrix(), np.ones((1, N_UNITS)), np.ones((N_UNITS, 1)))
    rates = rates_of(random_rates()).isel(network=0)
    for dim in ("trial", "time"):
        with pytest.raises(ValueError, match=f"expected at least one {dim}, got none"):
            an.performance(_outputs(np.zeros((1, *TARGETS.shape))).isel({dim: []}), TARGETS.isel({dim: []}))
        with pytest.raises(ValueError, match=f"expected at least one {dim}, got none"):
            an.ei_balance(one, rates.isel({dim: []}))
        with pytest.raises(ValueError, match=f"expected at least one {dim}, got none"):
            an.participation_ratio(rates.isel({dim: []}))
    with pytest.raises(ValueError, match="weights: expected at least one network, got none"):
        an.lesion_robustness(side_by_side(good=one).isel(network=[]), TRIALS)
