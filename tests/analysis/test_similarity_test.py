from itertools import permutations, product

import numpy as np
import pytest
import xarray as xr
from scipy.stats import binom, kstest

from biornn.analysis.similarity_test import similarity_test


def make_matrix(values, condition, seed=None):
    values = np.asarray(values, float)
    names = [f"n{i}" for i in range(len(values))]
    coords = {"network": names, "other_network": names, "condition": ("network", list(condition))}
    if seed is not None:
        coords["seed"] = ("network", list(seed))
    return xr.DataArray(values, dims=("network", "other_network"), coords=coords, attrs={"units": "1"})


def design(n_conditions, n_seeds):
    return np.repeat(list("abcdefgh"[:n_conditions]), n_seeds), np.tile(np.arange(n_seeds), n_conditions)


def points(n_conditions, n_seeds, rng, condition_effect=0.0, seed_effect=0.0):
    """Distances of networks in a space of 20 dims, drawn with effects of condition and seed."""
    condition, seed = design(n_conditions, n_seeds)
    where = rng.normal(size=(n_conditions * n_seeds, 20))
    where += condition_effect * np.repeat(rng.normal(size=(n_conditions, 20)), n_seeds, axis=0)
    where += seed_effect * np.tile(rng.normal(size=(n_seeds, 20)), (n_conditions, 1))
    return make_matrix(np.linalg.norm(where[:, None] - where, axis=-1), condition, seed)


def brute_force(matrix):
    """P-value of the matched test from its definition: every product of permutations within seeds."""
    values, condition, seed = matrix.values, matrix["condition"].values, matrix["seed"].values
    blocks = [np.flatnonzero(seed == one) for one in np.unique(seed)]

    def statistic(labels):
        apart = seed[:, None] != seed
        same = labels[:, None] == labels
        return values[apart & ~same].mean() - values[apart & same].mean()  # distances

    reached = []
    for orders in product(*(permutations(block) for block in blocks)):
        labels = condition.copy()
        for block, order in zip(blocks, orders, strict=True):
            labels[block] = condition[list(order)]
        reached.append(statistic(labels) >= statistic(condition) - 1e-12)  # ties up to rounding
    return np.mean(reached)


def test_means_by_hand():
    #            a0   a1   b0   b1
    values = [[1.0, 0.9, 0.5, 0.3], [0.9, 1.0, 0.2, 0.6], [0.5, 0.2, 1.0, 0.7], [0.3, 0.6, 0.7, 1.0]]
    matched = similarity_test(make_matrix(values, "aabb", [0, 1, 0, 1]))
    expected = {"within": 0.8, "between": 0.25, "same_seed": 0.55, "difference": 0.55}
    for name, value in expected.items():
        assert matched[name].item() == pytest.approx(value, abs=1e-12)  # rounding
    np.testing.assert_allclose(matched["mean_similarity"], [[0.9, 0.25], [0.25, 0.7]], atol=1e-12)
    assert matched["mean_similarity"].dims == ("condition", "other_condition")
    assert matched["condition"].values.tolist() == matched["other_condition"].values.tolist() == ["a", "b"]
    # Swapping the labels in one of two seeds is all that can be done.
    assert (matched["p_value"].item(), matched["n_permutations"].item()) == (0.5, 2)
    assert (matched["n_networks"].item(), matched["n_failed"].item()) == (4, 0)
    free = similarity_test(make_matrix(values, "aabb", [0, 1, 0, 1]), matched_by_seed=False)
    assert free["between"].item() == pytest.approx(0.4, abs=1e-12)
    assert free["same_seed"].item() == pytest.approx(0.55, abs=1e-12)
    # Six ways to give two of four the label a; the true one and its mirror image are the best.
    assert (free["p_value"].item(), free["n_permutations"].item()) == (pytest.approx(2 / 6), 6)


def test_distances_turn_the_sign():
    values = 1 - np.array([[1.0, 0.9, 0.5, 0.3], [0.9, 1.0, 0.2, 0.6], [0.5, 0.2, 1.0, 0.7], [0.3, 0.6, 0.7, 1.0]])
    test = similarity_test(make_matrix(values, "aabb", [0, 1, 0, 1]))
    assert test["within"].item() == pytest.approx(0.2)
    assert test["difference"].item() == pytest.approx(0.55)
    assert test["p_value"].item() == 0.5


@pytest.mark.parametrize("effect", [0.0, 0.4, 2.0])
def test_exact_matched_p_value_is_that_of_the_definition(effect):
    for seed in range(5):
        matrix = points(3, 3, np.random.default_rng(seed), effect, seed_effect=1.0)
        test = similarity_test(matrix)
        assert test["n_permutations"].item() == 36  # (3!)³ over the 3! names of the conditions
        assert test["p_value"].item() == pytest.approx(brute_force(matrix), abs=1e-12)
    # A design with holes has no such symmetry; a network that failed leaves one.
    values = matrix.values.copy()
    values[4] = values[:, 4] = np.nan
    test = similarity_test(matrix.copy(data=values))
    kept = np.arange(9) != 4
    assert test["p_value"].item() == pytest.approx(brute_force(matrix[kept, kept]), abs=1e-12)
    assert (test["n_permutations"].item(), test["n_networks"].item(), test["n_failed"].item()) == (72, 8, 1)


def test_random_permutations_come_near_the_exact_p_value_and_follow_the_seed():
    matrix = points(3, 4, np.random.default_rng(2), 0.1)
    exact = similarity_test(matrix)
    assert exact["n_permutations"].item() == 216
    drawn = similarity_test(matrix, n_permutations=215, seed=1)
    assert drawn["n_permutations"].item() == 215
    p = exact["p_value"].item()
    assert 0.02 < p < 0.98
    assert drawn["p_value"].item() == pytest.approx(p, abs=4 * np.sqrt(p * (1 - p) / 215))  # 4 standard errors
    xr.testing.assert_identical(drawn, similarity_test(matrix, n_permutations=215, seed=1))
    free = similarity_test(matrix, matched_by_seed=False, n_permutations=4000)
    assert free["p_value"].item() * 4001 == pytest.approx(round(free["p_value"].item() * 4001))  # (1 + #) / (1 + n)


@pytest.mark.parametrize(
    ("matched", "n_conditions", "n_seeds", "n_permutations"),
    [
        pytest.param(True, 3, 4, 999, id="matched exact"),
        pytest.param(True, 4, 5, 199, id="matched random", marks=pytest.mark.nightly),
        pytest.param(False, 2, 5, 999, id="free exact", marks=pytest.mark.nightly),
        pytest.param(False, 3, 5, 199, id="free random", marks=pytest.mark.nightly),
    ],
)
def test_p_values_are_uniform_without_an_effect(matched, n_conditions, n_seeds, n_permutations):
    rng = np.random.default_rng(10)
    n_null, seed_effect = 250, 1.0 if matched else 0.0
    tests = [
        similarity_test(
            points(n_conditions, n_seeds, rng, seed_effect=seed_effect),
            matched_by_seed=matched,
            n_permutations=n_permutations,
            seed=number,
        )
        for number in range(n_null)
    ]
    p_values = np.array([test["p_value"].item() for test in tests])
    # The share below 5 % is within the central 99.9 % of the binomial. (Steps of 1/216 and more take little off.)
    low, high = binom.ppf([0.0005, 0.9995], n_null, 0.05)
    assert low <= (p_values <= 0.05).sum() <= high
    # Ranks spread over their steps are uniform; the seed is fixed, so this fails for cause only.
    step = 2 / tests[0]["n_permutations"].item() if not matched else 1 / tests[0]["n_permutations"].item()
    spread = p_values - rng.uniform(0, step, n_null)
    assert kstest(np.clip(spread, 0, 1), "uniform").pvalue > 0.001


def test_planted_effect_is_found_and_seed_alone_is_not():
    rng = np.random.default_rng(3)
    found = similarity_test(points(4, 5, rng, condition_effect=1.0, seed_effect=1.0))
    assert found["p_value"].item() == 1 / 10_000  # none of the random ones reaches it
    assert found["difference"].item() > 0
    assert np.diag(found["mean_similarity"]).max() < found["between"].item()
    seeds = similarity_test(points(4, 5, np.random.default_rng(11), seed_effect=2.0))
    assert seeds["p_value"].item() > 0.05
    assert seeds["same_seed"].item() < 0.6 * seeds["between"].item()  # sqrt(1 / 5) with an effect of 2


def test_matched_test_sees_a_small_effect_beneath_a_large_one_of_the_seed():
    matrix = points(3, 6, np.random.default_rng(4), condition_effect=0.5, seed_effect=3.0)
    assert similarity_test(matrix)["p_value"].item() < 0.01
    assert similarity_test(matrix, matched_by_seed=False)["p_value"].item() > 0.05


def test_order_of_networks_does_not_matter():
    matrix = points(3, 3, np.random.default_rng(5), 0.3)
    order = np.random.default_rng(6).permutation(9)
    shuffled = similarity_test(matrix[order, order])
    # The same sums in another order.
    xr.testing.assert_allclose(shuffled, similarity_test(matrix).reindex_like(shuffled), rtol=1e-12)


def test_failures_that_leave_nothing_to_compare_are_nan_and_counted():
    matrix = points(2, 2, np.random.default_rng(7))
    values = matrix.values.copy()
    values[2:] = values[:, 2:] = np.nan
    test = similarity_test(matrix.copy(data=values))
    assert (test["n_networks"].item(), test["n_failed"].item()) == (2, 2)
    assert np.isnan(test["p_value"])
    assert np.isnan(test["between"])
    assert test["within"].item() == values[0, 1]
    assert np.isnan(test["mean_similarity"]).values.tolist() == [[False, True], [True, True]]
    nothing = similarity_test(matrix.copy(data=np.full((4, 4), np.nan)))
    assert (nothing["n_networks"].item(), nothing["n_failed"].item()) == (0, 4)
    assert np.isnan(nothing["difference"])


def test_broadcasts_over_snapshots_and_lazily():
    rng = np.random.default_rng(8)
    matrices = [points(2, 3, rng), points(2, 3, rng, 2.0)]
    both = xr.concat(matrices, "snapshot")
    test = similarity_test(both.transpose("other_network", "snapshot", "network"))
    assert test["mean_similarity"].dims == ("snapshot", "condition", "other_condition")
    for snapshot in range(2):
        xr.testing.assert_allclose(test.isel(snapshot=snapshot), similarity_test(matrices[snapshot]), rtol=1e-12)
    lazy = similarity_test(both.chunk({"snapshot": 1, "network": 2}))
    xr.testing.assert_allclose(lazy.compute(), test, rtol=1e-12)


def test_seeds_that_are_not_known_need_a_free_test():
    matrix = points(2, 3, np.random.default_rng(9))
    unknown = matrix.assign_coords(seed=("network", [-1] * 6))
    with pytest.raises(ValueError, match=r"seed: expected known seeds .* got -1; use matched_by_seed=False"):
        similarity_test(unknown)
    for one in (unknown, matrix.drop_vars("seed")):
        test = similarity_test(one, matched_by_seed=False)
        assert np.isnan(test["same_seed"])
        assert test["n_permutations"].item() == 20


def test_results_carry_units():
    test = similarity_test(points(2, 3, np.random.default_rng(9)).assign_attrs(units="rad", long_name="angle"))
    assert test["within"].attrs["units"] == test["mean_similarity"].attrs["units"] == "rad"
    assert test["p_value"].attrs["units"] == test["n_failed"].attrs["units"] == "1"
    assert all(test[name].attrs["long_name"] for name in test.data_vars)


def test_designs_that_cannot_be_tested_are_refused_in_one_line():
    values = np.eye(4)
    cases = {
        r"at least two conditions, got \['a'\]": make_matrix(values, "aaaa", range(4)),
        "several networks in a condition, got one in each": make_matrix(values, "abcd", [0] * 4),
        "seeds that conditions share, got none": make_matrix(values, "aabb", range(4)),
        r"at least two seeds, got \[0\]": make_matrix(values, "aabb", [0] * 4),
        "the coordinate 'seed' on network": make_matrix(values, "aabb"),
        "the coordinate 'condition' on network": make_matrix(values, "aabb").drop_vars("condition"),
        "same networks on both sides, got 4 and 3": make_matrix(values, "aabb", [0, 1] * 2)[:, :3],
        "same networks on both sides, got 4 and 4": make_matrix(values, "aabb", [0, 1] * 2)[:, ::-1],
        "'other_network' is missing": make_matrix(values, "aabb")[:, 0],
    }
    for message, matrix in cases.items():
        with pytest.raises(ValueError, match=message):
            similarity_test(matrix)
    with pytest.raises(ValueError, match="n_permutations: expected at least 1, got 0"):
        similarity_test(make_matrix(values, "aabb", [0, 1] * 2), n_permutations=0)
    values[0, 1] = np.nan
    with pytest.raises(ValueError, match="NaN in whole rows"):
        similarity_test(make_matrix(values, "aabb", [0, 1] * 2))
