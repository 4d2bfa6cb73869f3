"""What each analysis gives where there is little or nothing to analyse.

A number, NaN for the network in question and no other, or a ValueError of one line; warnings are errors.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import xarray as xr

import biornn.analysis as an
from biornn.tasks import FlipFlop
from biornn.tasks.task import describe_task
from tests.analysis.networks import network, side_by_side, with_those_that_cannot_run

N_UNITS = 4
MATRIX = ("unit_pre", "unit_post")
NAN, INF = float("nan"), float("inf")
STATES = xr.DataArray([["00", "++", "+-", "-+", "--"] * 4] * 2, dims=("trial", "time"))
TYPES = xr.DataArray(["excitatory", "excitatory", "inhibitory", "unconstrained"], dims="unit")


def matrices(*values: np.ndarray) -> xr.DataArray:
    return xr.DataArray(np.stack(values), dims=("network", *MATRIX))


def random_matrix() -> np.ndarray:
    return np.random.default_rng(0).normal(0, 0.5, (N_UNITS, N_UNITS))


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


def of_types(function):
    return lambda weights: function(weights, TYPES.isel(unit=slice(weights.sizes["unit_pre"])))


def null_of(statistic):
    return lambda weights: an.compare_with_null(statistic, weights, xr.ones_like(weights, bool), n_draws=9, seed=0)


def metric_of(values: list[float], conditions: list[str], seeds: list[int]) -> xr.DataArray:
    coords = {"condition": ("network", conditions), "seed": ("network", seeds)}
    return xr.DataArray(values, dims="network", coords=coords)


def history_of(times: list[float], conditions: list[str], steps: list[int]) -> xr.Dataset:
    seeds = [conditions[:position].count(condition) for position, condition in enumerate(conditions)]
    status = np.where(np.isfinite(times), "criterion_reached", "criterion_not_reached").astype(object)
    return xr.Dataset(
        {"updates_to_criterion": ("network", times), "status": ("network", status)},
        {"condition": ("network", conditions), "seed": ("network", seeds), "update": ("snapshot", steps)},
    )


def similarities(conditions: list[str], seeds: list[int], failed: tuple[int, ...] = ()) -> xr.DataArray:
    n = len(conditions)
    values = np.random.default_rng(0).random((n, n))
    values = np.where(np.eye(n, dtype=bool), 1.0, (values + values.T) / 2)
    values[list(failed)], values[:, list(failed)] = NAN, NAN
    coords = {"condition": ("network", conditions), "seed": ("network", seeds)}
    return xr.DataArray(values, dims=("network", "other_network"), coords=coords)


def snapshots_of(function):
    return lambda weights: function(an.eigenspectrum(weights.expand_dims(snapshot=2)))


OF_MATRICES = {
    "eigenspectrum": an.eigenspectrum,
    "spectral_radius": an.spectral_radius,
    "nonnormality": an.nonnormality,
    "singular_value_entropy": an.singular_value_entropy,
    "distance_from_orthogonal": an.distance_from_orthogonal,
    "distance_from_initial": lambda weights: an.distance_from_initial(weights.expand_dims(snapshot=2)),
    "eigenmodes": an.eigenmodes,
    "predicted_spectrum": of_types(an.predicted_spectrum),
    "bulk_and_outliers": of_types(an.bulk_and_outliers),
    "weight_distribution": of_types(lambda weights, types: an.weight_distribution(weights, weights == weights, types)),
    "matched_random_weights": lambda weights: an.matched_random_weights(
        weights, xr.ones_like(weights, bool), n_draws=2, seed=0
    ),
    "compare_with_null": null_of(an.nonnormality),
    "dominant_eigenvalue": lambda weights: an.dominant_eigenvalue(an.eigenspectrum(weights)),
    "n_outside": lambda weights: an.n_outside(an.eigenspectrum(weights)),
    "eigenvalue_paths": snapshots_of(an.eigenvalue_paths),
    "escape_update": snapshots_of(an.escape_update),
}
#: They decompose nothing, and so always converge.
CONVERGE = {"distance_from_initial", "matched_random_weights", "predicted_spectrum", "weight_distribution"}
OF_RATES = {
    "principal_components": an.principal_components,
    "singular_components": an.singular_components,
    "participation_ratio": an.participation_ratio,
    "memory_cube": lambda rates: an.memory_cube(rates, STATES),
    "align_cubes": lambda rates: an.align_cubes(an.memory_cube(rates, STATES)),
    "selectivity": lambda rates: an.selectivity(rates, STATES),
}
MEASURES = ("cka", "procrustes", "cca")
TRIALS = xr.Dataset(
    {
        "inputs": (("trial", "time", "input_channel"), np.random.default_rng(2).normal(size=(2, 6, 1))),
        "targets": (("trial", "time", "output_channel"), np.sign(np.random.default_rng(3).normal(size=(2, 6, 1)))),
        "memory_state": (("trial", "time"), np.array([["+", "+", "-", "-", "-", "-"]] * 2, object)),
        "response_window": (("trial", "time", "output_channel"), np.zeros((2, 6, 1), bool)),
    },
    {"time": np.arange(6.0)},
    attrs=describe_task(FlipFlop(n_bits=1)),
)
RUN_AGAIN = {
    "input_noise_robustness": partial(an.input_noise_robustness, noise=(0.0, 0.1), n_repeats=1),
    "recurrent_noise_robustness": partial(an.recurrent_noise_robustness, noise=(0.0, 0.1), n_repeats=1),
    "lesion_robustness": partial(an.lesion_robustness, share=(0.0, 0.5), n_repeats=2),
    "retention": lambda weights, trials: an.retention(weights, trials, duration=900.0),
}

ONE_UNIT = matrices(np.array([[0.5]]))
EQUAL = matrices(np.full((10, 10), 0.1))
RATES = rates_of(random_rates())
RATES_OF_ONE_UNIT = rates_of(random_rates(1))
ONE_SAMPLE = rates_of(random_rates()[:1, :1])
#: Four samples, one of each state.
ONE_OF_EACH = STATES.isel(trial=[0], time=slice(1, 5)), rates_of(random_rates()[:1, 1:5])
#: Rates of an exclusive or: neither bit has a direction, and a scale would be rounding.
EXCLUSIVE_OR = rates_of(np.where(np.isin(STATES.values, ["++", "--"]), 1.0, 0.1)[..., np.newaxis] * np.ones(N_UNITS))
TARGETS = xr.DataArray(np.sign(random_rates(2)), dims=("trial", "time", "output_channel"))
SCORED = xr.Dataset({"targets": TARGETS, "memory_state": STATES}, attrs=describe_task(FlipFlop(n_bits=2)))
SILENT_OUTPUTS = xr.zeros_like(TARGETS).expand_dims("network")
NETWORK = network(random_matrix(), np.ones((1, N_UNITS)), np.ones((N_UNITS, 1)))
SMALL = network([[0.1]], [[1.0]], [[1.0]])
FROM_INFINITY = xr.DataArray(np.stack([np.full((2, 2), INF), np.eye(2)]), dims=("snapshot", *MATRIX))
ONE_CONDITION = metric_of([0.9, 0.8], ["unconstrained"] * 2, [0, 1])
FAILED = metric_of([0.9, 0.8, NAN, INF, 0.7, 0.6], ["unconstrained"] * 2 + ["dale"] * 2 + ["sparse"] * 2, [0, 1] * 3)
ONE_SEED = metric_of([0.9, 0.8], ["unconstrained", "dale"], [0, 0])
#: Where seeds give a difference, and nothing to tell it from chance.
ONE_PAIR = {
    "compare": lambda: an.compare(ONE_SEED).isel(condition=0),
    "factorial_effects": lambda: an.factorial_effects(
        ONE_SEED.assign_coords(factor_dale=("network", ["no", "yes"]))
    ).isel(effect=0),
}


def _constant_unit(name: str) -> xr.DataArray:
    rates = random_rates()
    rates[..., 2] = 0.7
    return an.selectivity(rates_of(rates), STATES)[name].isnull()


def _infinitely_wrong() -> list[int]:
    weights = xr.Dataset(
        {
            "recurrent_weights": (MATRIX, [[INF, -INF], [NAN, INF]]),
            "input_weights": (("input_channel", "unit"), [[INF, -INF]]),
            "output_weights": (("unit", "output_channel"), [[-INF], [NAN]]),
            "recurrent_mask": (MATRIX, np.ones((2, 2), bool)),
            "input_mask": (("input_channel", "unit"), np.ones((1, 2), bool)),
            "output_mask": (("unit", "output_channel"), np.ones((2, 1), bool)),
            "input_sign": ("input_channel", [0]),
            "output_sign": ("unit", [1, 0]),
            "cell_type": ("unit", np.array(["excitatory", "unconstrained"], object)),
        }
    )
    counts = an.audit(weights)
    return [int(counts[name]) for name in ("sign_violations", "mask_violations", "autapses")]


#: What is degenerate and has a value all the same.
VALUES: dict[str, tuple[Callable[[], Any], Any]] = {
    "equal weights: all eigenvalues but one are rounding": (
        lambda: an.bulk_and_outliers(EQUAL)[["bulk_radius", "n_outliers", "largest_outlier"]].to_array().real,
        [[0], [1], [1]],
    ),
    "what began with infinity has no distance": (lambda: an.distance_from_initial(FROM_INFINITY), [NAN, NAN]),
    "what ends there has": (lambda: an.distance_from_initial(FROM_INFINITY[::-1]), [0, NAN]),
    "eigenvalues that explode are matched": (
        lambda: an.eigenvalue_paths(xr.DataArray([[1e200, -1e200], [-1.1e200, 1.1e200]], dims=("snapshot", "mode"))),
        [[-1e200, 1e200], [-1.1e200, 1.1e200]],
    ),
    "a constant unit prefers no bit": (lambda: _constant_unit("d_prime").any("bit"), [[0, 0, 1, 0]]),
    "and is not selective": (lambda: _constant_unit("mixed_selectivity"), [[0, 0, 1, 0]]),
    "one unit is one component": (
        lambda: an.principal_components(RATES_OF_ONE_UNIT, 1)["explained_variance_ratio"],
        [[1]],
    ),
    "and one dimension": (lambda: an.participation_ratio(RATES_OF_ONE_UNIT), [1]),
    "and a cube of one": (lambda: an.memory_cube(RATES_OF_ONE_UNIT, STATES).sizes["component"], 1),
    "two samples are one component": (
        lambda: an.principal_components(rates_of(random_rates()[:1, :2]), 2)["explained_variance_ratio"],
        [[1, 0]],
    ),
    "one sample of each state has no spread": (lambda: an.memory_cube(*ONE_OF_EACH[::-1])["separation"], [INF]),
    "nor within a unit": (lambda: abs(an.selectivity(*ONE_OF_EACH[::-1])["d_prime"]), np.full((1, N_UNITS, 2), INF)),
    "silence has an accuracy": (lambda: an.performance(SILENT_OUTPUTS, SCORED)["score"], [0]),
    "one sample has an error": (
        lambda: an.performance(*(one.isel(trial=[0], time=[3]) for one in (SILENT_OUTPUTS, SCORED)))["mse"],
        [1],
    ),
    "means of infinite values": (
        lambda: an.by_cell_type(
            xr.DataArray([[INF, -INF, 1.0, NAN], [INF, 1.0, 1.0, 1.0]], dims=("network", "unit")), TYPES
        ),
        [[NAN, 1, NAN], [INF, 1, 1]],
    ),
    "infinite weights have a sign": (_infinitely_wrong, [2, 0, 0]),
    "no p-value is corrected to none": (lambda: an.holm(xr.DataArray([NAN, NAN], dims="condition")), [NAN, NAN]),
    "a single one stays": (lambda: an.holm(xr.DataArray(0.04)), 0.04),
    "conditions that failed are counted": (
        lambda: an.compare(FAILED)[["n_failed", "n_pairs"]].to_array().sel(condition=["dale", "sparse"]),
        [[2, 0], [0, 2]],
    ),
    "one network of each condition has a time": (
        lambda: an.time_to_criterion(history_of([100.0, 200.0], ["unconstrained", "dale"], [0, 100, 200]))[
            "median_updates"
        ],
        [100, 200],
    ),
    "one network alone has an interval": (
        lambda: an.time_to_criterion(history_of([NAN], ["unconstrained"], [0]))[
            ["not_reached", "ci_low", "ci_high"]
        ].to_array(),
        np.reshape([1, 0.025, 1], (3, 1, 1)),
    ),
    "no seed has both conditions": (
        # The true labels are the only ones.
        lambda: an.similarity_test(similarities(["a", "a", "b", "b"], [0, 1, 0, 2], failed=(2,)))[
            ["p_value", "n_failed"]
        ].to_array(),
        [NAN, 1],
    ),
    "one difference has no p-value": (lambda: [float(row()["p_value"]) for row in ONE_PAIR.values()], [NAN] * 2),
    "but a size": (lambda: [float(row()["difference"]) for row in ONE_PAIR.values()], [-0.1] * 2),
}

#: What is NaN, but for what is named.
NOTHING: dict[str, tuple[Callable[[], xr.DataArray | xr.Dataset], tuple[str, ...]]] = {
    "one unit: no spectrum to predict": (lambda: an.predicted_spectrum(ONE_UNIT), ()),
    "one unit: no bulk": (lambda: an.bulk_and_outliers(ONE_UNIT), ()),
    "one unit: nothing to shuffle": (lambda: null_of(an.spectral_radius)(ONE_UNIT)["z"], ()),
    "an infinite statistic": (
        lambda: null_of(lambda weights: an.spectral_radius(weights) * np.inf)(matrices(random_matrix())),
        (),
    ),
    "one sample: no component": (lambda: an.principal_components(ONE_SAMPLE, 1), ("mean",)),
    "one sample: no dimension": (lambda: an.participation_ratio(ONE_SAMPLE), ()),
    "an exclusive or is not aligned": (lambda: an.align_cubes(an.memory_cube(EXCLUSIVE_OR, STATES)), ()),
    "nor are its paths": (
        lambda: an.align_scores(
            an.principal_components(EXCLUSIVE_OR)["scores"], an.align_cubes(an.memory_cube(EXCLUSIVE_OR, STATES))
        ),
        (),
    ),
    "currents of one sample": (
        lambda: an.ei_balance(NETWORK, ONE_SAMPLE.isel(network=0))[["correlation", "correlation_per_unit"]],
        (),
    ),
    **{
        f"one pair, {name}": (row, ("difference", "n_pairs", "n_failed", "n_unpaired"))
        for name, row in ONE_PAIR.items()
    },
    **{
        f"times that do not differ: {time}": (
            lambda time=time: an.time_to_criterion(history_of([time] * 4, ["unconstrained", "dale"] * 2, [0, 100]))[
                "p_value"
            ],
            (),
        )
        for time in (NAN, 100.0, INF)
    },
}

AT_LEAST_ONE = "expected at least one {}, got none"
#: What cannot be analysed, and what is said of it.
ERRORS: dict[str, tuple[Callable[[], object], str]] = {
    **{
        f"{decompose.__name__} of one unit": (
            partial(decompose, RATES_OF_ONE_UNIT),
            "n_components: expected 1 to 1 for 40 samples of 1 units, got 3",
        )
        for decompose in (an.principal_components, an.singular_components)
    },
    "a cube of one unit": (
        lambda: an.align_cubes(an.memory_cube(RATES_OF_ONE_UNIT, STATES)),
        "cube: expected at least 2 components",
    ),
    "fewer scores than were aligned": (
        lambda: an.align_scores(
            an.principal_components(RATES, 1)["scores"], an.align_cubes(an.memory_cube(RATES, STATES))
        ),
        "scores: expected the components of the alignment, got none of",
    ),
    "similarity of one seed": (lambda: an.similarity_test(similarities(["a", "b"], [0, 0])), "train more seeds"),
    "no factor": (lambda: an.factorial_effects(ONE_CONDITION), "factors: expected a coordinate"),
    "no known update": (
        lambda: an.time_to_criterion(history_of([NAN], ["unconstrained"], [-1])),
        r"update: expected the updates at each snapshot, got -1 \(not known\) in all",
    ),
    "lesions of no network": (
        lambda: an.lesion_robustness(side_by_side(good=SMALL).isel(network=[]), TRIALS),
        "weights: " + AT_LEAST_ONE.format("network"),
    ),
    **{
        f"{name} of no network": (partial(analyse, data.isel(network=[])), AT_LEAST_ONE.format("network"))
        for name, analyse, data in (
            ("memory_cube", OF_RATES["memory_cube"], RATES),
            ("selectivity", OF_RATES["selectivity"], RATES),
            ("eigenmodes", OF_MATRICES["eigenmodes"], matrices(random_matrix())),
            ("weight_distribution", OF_MATRICES["weight_distribution"], matrices(random_matrix())),
        )
    },
    **{
        f"{name} of no {dim}": (
            partial(OF_RATES.get(name) or partial(an.similarity, measure=name), RATES.isel({dim: []})),
            f"rates: {AT_LEAST_ONE.format(dim)}; select some along",
        )
        for name in ("principal_components", "singular_components", *MEASURES)
        for dim in ("network", "trial", "time", "unit")
    },
    **{
        f"{name} of no {dim}": (call, AT_LEAST_ONE.format(dim))
        for dim in ("trial", "time")
        for name, call in (
            ("performance", partial(an.performance, SILENT_OUTPUTS.isel({dim: []}), SCORED.isel({dim: []}))),
            ("ei_balance", partial(an.ei_balance, NETWORK, RATES.isel({"network": 0, dim: []}))),
            ("participation_ratio", partial(an.participation_ratio, RATES.isel({dim: []}))),
        )
    },
}


@pytest.mark.parametrize(("call", "expected"), VALUES.values(), ids=VALUES)
def test_what_there_is_has_a_value(call: Callable[[], Any], expected: Any) -> None:
    np.testing.assert_allclose(np.asarray(call(), float), expected, rtol=1e-3, atol=1e-12)


@pytest.mark.parametrize(("call", "defined"), NOTHING.values(), ids=NOTHING)
def test_what_is_not_there_is_nan(call: Callable[[], xr.DataArray], defined: tuple[str, ...]) -> None:
    assert_nothing_but(call(), *defined)


@pytest.mark.parametrize(("call", "message"), ERRORS.values(), ids=ERRORS)
def test_what_cannot_be_analysed_is_refused_in_one_line(call: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message) as refused:
        call()
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", OF_MATRICES)
def test_a_network_that_diverged_is_nan_and_spoils_no_other(name: str) -> None:
    good, with_nan, with_inf, all_inf = random_matrix(), random_matrix(), random_matrix(), random_matrix()
    with_nan[0, 1], with_inf[1, 2], all_inf[:] = NAN, -INF, INF
    result = OF_MATRICES[name](matrices(with_nan, good, with_inf, all_inf))
    assert_alike(result.isel(network=[1]), OF_MATRICES[name](matrices(good)))
    assert_nothing_but(result.isel(network=[0, 2, 3]))


def _fails_beyond(largest: float, function):
    """LAPACK as it is, but for matrices with an entry beyond the largest."""

    def decompose(matrix):
        if np.abs(matrix).max() > largest:
            raise np.linalg.LinAlgError("Eigenvalues did not converge")
        return function(matrix)

    return decompose


@pytest.mark.parametrize("name", [name for name in OF_MATRICES if name not in CONVERGE])
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
    if name in ("spectral_radius", "nonnormality"):
        assert np.isnan(OF_MATRICES[name](matrices(bad).isel(network=0)))


@pytest.mark.parametrize("scale", [1e-200, 1e200])
@pytest.mark.parametrize("name", OF_MATRICES)
def test_weights_of_any_finite_size_are_analysed(name: str, scale: float) -> None:
    """What does not depend on the scale of the weights is the same; the rest is finite where it was."""
    plain, scaled = (OF_MATRICES[name](matrices(factor * random_matrix())) for factor in (1.0, scale))
    if name in ("nonnormality", "singular_value_entropy", "distance_from_initial"):
        assert_alike(scaled, plain)
    for key, array in variables(plain).items():
        if key not in ("largest_outlier", "escape_update") and name != "escape_update":
            np.testing.assert_array_equal(np.isfinite(variables(scaled)[key]), np.isfinite(array), err_msg=key)


@pytest.mark.parametrize("name", OF_MATRICES)
def test_one_unit_and_one_without_weights(name: str) -> None:
    OF_MATRICES[name](matrices(np.array([[0.5]]), np.array([[0.0]]), np.array([[NAN]])))
    OF_MATRICES[name](matrices(np.zeros((N_UNITS, N_UNITS))))


def test_one_snapshot_has_paths_and_no_more() -> None:
    values = an.eigenspectrum(matrices(random_matrix(), 3 * random_matrix()).expand_dims(snapshot=1))
    assert_alike(an.eigenvalue_paths(values), values)
    assert an.escape_update(values).dims == ("network", "mode")


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
    result = variables(OF_RATES[name](rates_of(random_rates(), scale * random_rates())))
    for key, array in result.items():
        assert np.isfinite(array).all(), key
    for key in {"result", "explained_variance_ratio", "similarity_r2", "separation", "d_prime"} & set(result):
        np.testing.assert_allclose(*result[key].values, rtol=1e-6, err_msg=key)


@pytest.mark.parametrize("rate", [0.0, 0.7])
@pytest.mark.parametrize("name", OF_RATES)
def test_units_that_never_change_have_no_variance_to_divide(name: str, rate: float) -> None:
    good, still = random_rates(), np.full((*STATES.shape, N_UNITS), rate)
    result = OF_RATES[name](rates_of(still, good))
    assert_alike(result.isel(network=[1]), OF_RATES[name](rates_of(good)))
    if name == "singular_components" and rate:
        return  # they have a size, and so a direction
    assert_nothing_but(result.isel(network=[0]), "mean", "spread", "edge_length")


def test_a_constant_unit_adds_no_dimension() -> None:
    rates = random_rates()
    rates[..., 2] = 0.7
    without = np.delete(rates, 2, axis=-1)
    np.testing.assert_allclose(*(an.participation_ratio(rates_of(one)) for one in (rates, without)))


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
    assert an.similarity(RATES, measure).shape == (1, 1)
    of_one_unit = an.similarity(rates_of(random_rates(1), 2 * random_rates(1)), measure)
    assert float(of_one_unit[0, 1]) == pytest.approx(0.0 if measure == "procrustes" else 1.0, abs=1e-6)
    assert an.similarity(rates_of(random_rates()[:1, :1], random_rates()[1:, :1]), measure).isnull().all()


@pytest.mark.parametrize("split", ["weight", "contribution"])
def test_currents_of_silent_constant_and_diverged_networks(split: str) -> None:
    weights = side_by_side(**dict.fromkeys(("good", "silent", "still", "diverged", "infinite", "huge"), NETWORK))
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
    plain, scaled = (an.ei_balance(NETWORK, factor * RATES.isel(network=0)) for factor in (1.0, scale))
    for name in ("balance_index_per_unit", "correlation_per_unit", "correlation"):
        np.testing.assert_allclose(scaled[name], plain[name], rtol=1e-9)


@pytest.mark.parametrize("bad", [NAN, INF, 1e200])
def test_scores_of_outputs_without_bounds_are_nan_for_that_network(bad: float) -> None:
    outputs = TARGETS.expand_dims(network=2).copy()
    outputs[0, 0, 0, 0] = bad
    scores = an.performance(outputs, SCORED)
    assert_nothing_but(scores.isel(network=0))
    assert (float(scores["score"][1]), float(scores["mse"][1])) == (1.0, 0.0)
    states = an.state_scores(outputs, SCORED.assign(response_window=xr.zeros_like(TARGETS, bool)))
    assert (states.isel(network=1) == 1).all()
    if not np.isfinite(bad):
        assert_nothing_but(states.isel(network=0))


@pytest.mark.parametrize("name", RUN_AGAIN)
def test_networks_that_cannot_be_run_are_nan_and_unstable_ones_are_wrong(name: str) -> None:
    stable = network(0.1 * np.eye(2), [[1.0, 0.0]], [[1.0], [0.0]])
    unstable = network(1e60 * np.eye(2), [[1.0, 0.0]], [[1.0], [0.0]])  # finite, but its squared errors are not
    result = RUN_AGAIN[name](with_those_that_cannot_run(stable), TRIALS)
    for key, array in variables(result).items():
        assert array.attrs["units"] == ("ms" if key == "retention_time" else "1")
    assert_nothing_but(result.isel(network=slice(1, None)))
    assert_alike(result.isel(network=0), RUN_AGAIN[name](stable, TRIALS))
    both = RUN_AGAIN[name](side_by_side(unstable=unstable, stable=stable), TRIALS)
    assert_alike(both.sel(network="stable"), RUN_AGAIN[name](stable, TRIALS))
    assert (both["score"].sel(network="unstable").fillna(0.0) <= 1).all()


@pytest.mark.parametrize("name", RUN_AGAIN)
def test_one_silent_unit_one_trial_and_one_time_step_are_run_again(name: str) -> None:
    silent, run = network([[0.0]], [[0.0]], [[0.0]]), RUN_AGAIN[name]
    known = run(silent, TRIALS)["score"]
    assert ((known.sel(lesion="any") if name == "lesion_robustness" else known) == 0).all()
    assert (run(silent, TRIALS.isel(trial=[0]))["score"].fillna(0.0) == 0).all()
    if name != "retention":
        assert run(SMALL, TRIALS.isel(trial=[0], time=[0]))["score"].notnull().any()


def test_a_network_that_failed_is_nan_when_it_is_run_and_spoils_no_other() -> None:
    weights = with_those_that_cannot_run(SMALL).isel(network=slice(3))
    weights["input_weights"] = weights.input_weights.where(weights.network != "diverged", INF)
    result = an.simulate(weights, TRIALS["inputs"], recurrent_noise=0.1, seed=0)
    assert result["rates"].sel(network="failed").isnull().all()
    assert result["outputs"].sel(network=["diverged", "failed"]).isnull().all()
    assert_alike(result.isel(network=0), an.simulate(SMALL, TRIALS["inputs"], recurrent_noise=0.1, seed=0))


@pytest.mark.parametrize("scale", [1e-200, 1e-120, 1e120, 1e200])
def test_differences_of_any_finite_size_are_tested(scale: float) -> None:
    metric = metric_of([0.9, 0.8, 0.7, 0.1, 0.3, 0.2], ["unconstrained"] * 3 + ["dale"] * 3, [0, 1, 2] * 2)
    plain, scaled = an.compare(metric), an.compare(scale * metric)
    for name, factor in {"p_value": 1, "effect_size": 1, "ci_low": scale, "ci_high": scale}.items():
        np.testing.assert_allclose(scaled[name] / factor, plain[name], rtol=1e-9)
