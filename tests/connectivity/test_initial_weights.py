"""Initial weights against random matrix theory, closed forms, and the constraint they must keep to."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats
from scipy.sparse.csgraph import connected_components

from biornn.connectivity import Connectivity
from biornn.connectivity.initial_weights import (
    FREE_RULES,
    SIGNED_RULES,
    feedforward_weights,
    has_cycle,
    recurrent_weights,
)

DALE = pytest.mark.parametrize("rule", SIGNED_RULES)


def full(n_units):
    return np.ones((n_units, n_units), bool)


def dale_sign(n_units, fraction):
    return np.where(np.arange(n_units) < round(fraction * n_units), 1, -1).astype(np.int8)


def draw(rule, mask, sign=None, radius=1.0, seed=0):
    sign = np.zeros(len(mask), np.int8) if sign is None else sign
    return recurrent_weights(np.random.default_rng(seed), rule, mask, sign, radius)


def moduli(weights):
    """Largest first."""
    return np.sort(np.abs(np.linalg.eigvals(weights)))[::-1]


def radius_by_components(weights):
    """Spectral radius, exact where the whole matrix is defective: over the strongly connected components alone."""
    n_components, label = connected_components(weights != 0, directed=True, connection="strong")
    members = (np.flatnonzero(label == component) for component in range(n_components))
    return max(moduli(weights[np.ix_(units, units)])[0] for units in members)


def predicted_bulk(weights, sign):
    """Rajan & Abbott (2006), equation 6: sqrt(n (f var_E + (1 - f) var_I)), from the weights themselves."""
    n_units, f = len(sign), np.mean(sign > 0)
    return np.sqrt(n_units * (f * weights[sign > 0].var() + (1 - f) * weights[sign < 0].var()))


def predicted_quantile(weights, sign, share):
    """Radius r within which a share q of the bulk lies: <s / (r² + s (1 - q))> = 1 over rows of n-fold variances s.

    Rajan & Abbott (2006) in the form of the single-ring theorem (Feinberg & Zee 1997); q = 1 gives the edge, and equal
    variances the uniform disc, q = r² / s.
    """
    variances = len(sign) * np.array([weights[sign > 0].var(), weights[sign < 0].var()])
    fractions = np.array([np.mean(sign > 0), np.mean(sign < 0)])
    excess = lambda r: (fractions * variances / (r**2 + variances * (1 - share))).sum() - 1  # noqa: E731
    return optimize.brentq(excess, 1e-6, np.sqrt(variances.max()))


def plain_magnitudes(rule, n_units, seed=0):
    """What the rule draws, up to a factor: among excitatory units alone there is nothing to balance."""
    return draw(rule, full(n_units), np.ones(n_units, np.int8), seed=seed)


def test_gaussian_matrix_obeys_the_circular_law():
    n_units = 400
    weights = draw("gaussian", full(n_units))
    # As drawn, entries have standard deviation 1 / sqrt(n) and are then scaled by a factor: undo it.
    raw = weights / (weights.std() * np.sqrt(n_units))
    eigenvalues = np.linalg.eigvals(raw)
    # The edge lies at 1 up to about sqrt(log(n) / n) / 2 = 6 %; twice that.
    assert np.abs(eigenvalues).max() == pytest.approx(1, abs=0.12)
    # A uniform disc: modulus² and angle are uniform. Eigenvalues repel one another, so that they spread more evenly
    # than independent points, for which the Kolmogorov-Smirnov distance passes 1.6 / sqrt(400) = 0.08 in 1 % of draws.
    assert stats.kstest(np.abs(eigenvalues) ** 2, "uniform").statistic < 0.08
    upper = eigenvalues[eigenvalues.imag > 0]  # they come in conjugate pairs
    assert stats.kstest(np.angle(upper) / np.pi, "uniform").statistic < 1.6 / np.sqrt(len(upper))


def test_gaussian_entries_are_gaussian():
    weights = draw("gaussian", full(100)).ravel()
    # 1 % of draws pass 1.6 / sqrt(n).
    assert stats.kstest(weights / weights.std(), "norm").statistic < 0.016


def test_full_orthogonal_matrix_is_orthogonal_at_the_radius():
    weights = draw("orthogonal", full(50), radius=1.3)
    np.testing.assert_allclose(weights @ weights.T, 1.69 * np.eye(50), atol=1e-13)  # sums of 50 products
    np.testing.assert_allclose(moduli(weights), 1.3, rtol=1e-13)


def test_orthogonal_draw_is_uniform():
    # In the uniform (Haar) distribution the trace has mean 0 and variance 1, whatever n. Without the correction of
    # signs, LAPACK's QR favours negative diagonals (mean near -1 for n = 5).
    rng, signs = np.random.default_rng(0), np.zeros(5, np.int8)
    traces = [np.trace(recurrent_weights(rng, "orthogonal", full(5), signs, 1.0)) for _ in range(2000)]
    assert abs(np.mean(traces)) < 4.5 / np.sqrt(2000)  # standard errors
    assert np.var(traces) == pytest.approx(1, abs=4.5 * np.sqrt(2 / 2000))


@DALE
@pytest.mark.parametrize("fraction", [0.65, 0.8])
def test_unbalanced_dale_matrix_has_an_outlier_where_rajan_and_abbott_put_it(rule, fraction):
    n_units = 300
    sign, magnitudes = dale_sign(n_units, fraction), plain_magnitudes(rule, n_units)
    unbalanced = magnitudes * sign[:, np.newaxis]
    outlier = n_units * (2 * fraction - 1) * magnitudes.mean()  # n (f mu_E + (1 - f) mu_I)
    bulk = predicted_bulk(unbalanced, sign)
    found = moduli(unbalanced)
    assert outlier > 6 * bulk  # an outlier indeed
    # To first order it is off by (1' J s) / (1' s), where J is the random part, of n² entries of deviation
    # bulk / sqrt(n), and s the signs: a standard deviation of bulk / sqrt(n) / (2 f - 1); four of these.
    assert found[0] == pytest.approx(outlier, abs=4 * bulk / np.sqrt(n_units) / (2 * fraction - 1))
    # The rest fills the disc: its edge, fluctuating by sqrt(log(n) / n) / 2 = 7 %, with twice that as tolerance; the
    # median modulus of a uniform disc.
    assert found[1] == pytest.approx(bulk, rel=0.14)
    assert np.median(found) == pytest.approx(bulk * np.sqrt(0.5), rel=0.07)


@DALE
def test_balance_on_average_leaves_eigenvalues_outside_and_balance_of_every_unit_does_not(rule):
    # Rajan & Abbott (2006): f mu_E + (1 - f) mu_I = 0 removes the outlier, yet the mean structure still pulls several
    # eigenvalues out of the disc, by about a quarter of its radius, until each sum is zero.
    sign = dale_sign(300, 0.5)
    on_average = [plain_magnitudes(rule, 300, seed) * sign[:, np.newaxis] for seed in range(5)]
    each = [draw(rule, full(300), sign, seed=seed) for seed in range(5)]
    beyond_average, beyond_each = (
        np.mean([moduli(weights)[0] / predicted_bulk(weights, sign) for weights in kind]) for kind in (on_average, each)
    )
    # The edge of a disc fluctuates by 7 % at n = 300, the mean of five by 3 %; that of strays by 0.15 and 0.07.
    assert beyond_average > 1.15
    assert beyond_each < 1.1


@DALE
@pytest.mark.parametrize(("fraction", "density"), [(0.5, 1.0), (0.8, 1.0), (0.8, 0.5)])
def test_balanced_dale_matrix_has_no_outlier_and_the_predicted_bulk(rule, fraction, density):
    n_units, sign = 300, dale_sign(300, fraction)
    mask = np.random.default_rng(1).random((n_units, n_units)) < density
    weights = draw(rule, mask, sign, radius=1.0)
    found = moduli(weights)
    # The largest modulus is the radius that was asked for. It is the bulk's edge and no outlier: the variances alone
    # predict it (the edge fluctuates by 7 %; twice that).
    assert predicted_bulk(weights, sign) == pytest.approx(found[0], rel=0.14)
    # And the bulk fills the disc as predicted: fluctuations of a quantile of 300 repelling eigenvalues are below 3 %
    # in modulus; twice that.
    for share in (0.25, 0.5, 0.75):
        assert np.quantile(found, share) == pytest.approx(predicted_quantile(weights, sign, share), rel=0.06)


@DALE
@given(n_units=st.integers(2, 30), fraction=st.floats(0, 1), density=st.floats(0.1, 1), seed=st.integers(0, 2**32))
@settings(max_examples=50, deadline=None)
def test_what_a_unit_receives_sums_to_zero_if_it_receives_both_signs(rule, n_units, fraction, density, seed):
    sign = dale_sign(n_units, fraction)
    mask = np.random.default_rng(seed).random((n_units, n_units)) < density
    weights = draw(rule, mask, sign, seed=seed)
    both = mask[sign > 0].any(axis=0) & mask[sign < 0].any(axis=0)
    received = np.abs(weights).sum(axis=0)
    # A sum of 30 rounded numbers.
    np.testing.assert_array_less(np.abs(weights.sum(axis=0))[both], 1e-13 * received[both])
    np.testing.assert_allclose(np.abs(weights.sum(axis=0))[~both], received[~both], rtol=1e-13)


@pytest.mark.parametrize(("rule", "cv"), [("gamma", 1 / np.sqrt(2)), ("half_normal", np.sqrt(np.pi / 2 - 1))])
def test_magnitudes_have_the_coefficient_of_variation_of_their_distribution(rule, cv):
    magnitudes = draw(rule, full(200), np.ones(200, np.int8))
    assert (magnitudes >= 0).all()
    # 40,000 values: the standard error of a coefficient of variation near 0.7 is about cv / sqrt(n) = 0.5 %.
    assert magnitudes.std() / magnitudes.mean() == pytest.approx(cv, rel=0.03)


@given(
    rule=st.sampled_from(FREE_RULES + SIGNED_RULES),
    n_units=st.integers(1, 40),
    fraction=st.floats(0, 1),
    density=st.floats(0, 1),
    autapses=st.booleans(),
    radius=st.floats(0.01, 10),
    seed=st.integers(0, 2**32),
)
@settings(max_examples=150, deadline=None)
def test_spectral_radius_is_exact_after_sign_and_mask(rule, n_units, fraction, density, autapses, radius, seed):
    sign = dale_sign(n_units, fraction) if rule in SIGNED_RULES else np.zeros(n_units, np.int8)
    mask = np.random.default_rng(seed).random((n_units, n_units)) < density
    if not autapses:
        np.fill_diagonal(mask, False)
    weights = draw(rule, mask, sign, radius, seed)
    assert np.isfinite(weights).all()
    assert not weights[~mask].any()
    assert (weights * sign[:, np.newaxis] >= 0).all()
    found = radius_by_components(weights)
    if has_cycle(mask):
        # Rounding of a whole matrix that is nearly defective, as a sparse one may be, grows to 1e-9 and beyond.
        assert found == pytest.approx(radius, rel=1e-6)
    else:
        assert found == 0


@pytest.mark.parametrize("rule", FREE_RULES + SIGNED_RULES)
@pytest.mark.parametrize("radius", [0.5, 1.0, 2.0])
def test_acyclic_mask_keeps_the_scale_of_a_full_matrix(rule, radius):
    n_units = 300
    sign = dale_sign(n_units, 0.8) if rule in SIGNED_RULES else None
    weights = draw(rule, np.triu(full(n_units), k=1), sign, radius)
    assert np.isfinite(weights).all()
    above = weights[np.triu_indices(n_units, k=1)]
    rms = np.sqrt(np.mean(above**2))
    if rule in SIGNED_RULES:  # only excitatory units are not rescaled
        excitatory = weights[: int(0.8 * n_units)]
        rms = np.sqrt(np.mean(excitatory[excitatory != 0] ** 2))
    # Mean square 1/n over more than 40,000 values: at most 1 % from the standard error of a mean square.
    assert rms == pytest.approx(radius / np.sqrt(n_units), rel=0.03)


@pytest.mark.parametrize("rule", FREE_RULES + SIGNED_RULES)
def test_radius_only_scales(rule):
    sign = dale_sign(20, 0.8) if rule in SIGNED_RULES else None
    one, three = (draw(rule, full(20), sign, radius) for radius in (1.0, 3.0))
    np.testing.assert_allclose(three, 3 * one, rtol=1e-13)


def test_masks_of_one_seed_share_their_weights_up_to_a_factor():
    mask = np.random.default_rng(2).random((30, 30)) < 0.5
    dense, sparse = draw("gaussian", full(30)), draw("gaussian", mask)
    ratio = sparse[mask] / dense[mask]
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-12)


@given(n_units=st.integers(1, 8), density=st.floats(0, 0.5), seed=st.integers(0, 2**32))
@settings(max_examples=200, deadline=None)
def test_a_mask_has_a_cycle_if_and_only_if_no_power_of_it_vanishes(n_units, density, seed):
    mask = np.random.default_rng(seed).random((n_units, n_units)) < density
    before = mask.copy()
    power = np.linalg.matrix_power(mask.astype(int), n_units)  # counts walks of n steps, at most 8**8
    assert has_cycle(mask) == power.any()
    np.testing.assert_array_equal(mask, before)  # left as it was


@pytest.mark.parametrize(
    ("edges", "expected"),
    [
        ([], False),
        ([(0, 0)], True),
        ([(0, 1), (1, 0)], True),
        ([(0, 1), (1, 2), (0, 2)], False),
        ([(0, 1), (1, 2), (2, 3), (3, 1)], True),
        ([(3, 2), (2, 1), (1, 0)], False),
    ],
)
def test_cycles_of_small_graphs(edges, expected):
    mask = np.zeros((4, 4), bool)
    for edge in edges:
        mask[edge] = True
    assert has_cycle(mask) is expected


def test_single_cycle_has_the_geometric_mean_of_its_weights_as_radius():
    ring = np.roll(np.eye(7, dtype=bool), 1, axis=1)
    weights = draw("gaussian", ring, radius=1.4, seed=3)
    np.testing.assert_allclose(np.abs(weights[ring]).prod() ** (1 / 7), 1.4, rtol=1e-12)


def test_a_long_chain_between_two_cycles_does_not_blur_the_radius():
    n_units = 60
    mask = np.eye(n_units, k=1, dtype=bool)
    mask[1, 0] = mask[-1, -2] = True
    weights = draw("gaussian", mask, seed=2)
    pairs = [np.sqrt(abs(weights[i, j] * weights[j, i])) for i, j in ((0, 1), (n_units - 2, n_units - 1))]
    assert max(pairs) == pytest.approx(1, rel=1e-6)  # as in the hypothesis test above


def test_feedforward_weights_are_glorot_uniform():
    mask, signs = np.ones((100, 300), bool), np.zeros(100, np.int8)
    limit = np.sqrt(6 / 400)
    weights = feedforward_weights(np.random.default_rng(0), mask, signs)
    assert np.abs(weights).max() <= limit
    # Kolmogorov-Smirnov: 1 % of draws pass 1.6 / sqrt(n).
    statistic = stats.kstest(weights.ravel(), "uniform", args=(-limit, 2 * limit)).statistic
    assert statistic < 1.6 / np.sqrt(weights.size)


def test_feedforward_weights_take_sign_and_mask_and_change_in_nothing_else():
    rng = np.random.default_rng(1)
    mask, sign = rng.random((3, 50)) < 0.5, np.array([1, -1, 0], np.int8)
    free = feedforward_weights(np.random.default_rng(2), np.ones_like(mask), np.zeros(3, np.int8))
    weights = feedforward_weights(np.random.default_rng(2), mask, sign)
    expected = np.stack([np.abs(free[0]), -np.abs(free[1]), free[2]]) * mask
    np.testing.assert_array_equal(weights, expected)


# ---- several types, with densities from each to each

TYPES = {
    "E": {"sign": 1, "fraction": 0.6},
    "PV": {"sign": -1, "fraction": 0.2},
    "SST": {"sign": -1, "fraction": 0.1},
    "VIP": {"sign": -1, "fraction": 0.1},
}
DENSITY = {
    "E": {"E": 0.2, "PV": 0.8, "SST": 0.5, "VIP": 0.4},
    "PV": {"E": 0.9, "PV": 0.5, "SST": 0.1, "VIP": 0.3},
    "SST": {"E": 0.4, "PV": 0.2, "SST": 0.6, "VIP": 0.5},
    "VIP": {"E": 0.1, "PV": 0.1, "SST": 0.9, "VIP": 0.2},
}


def by_pair(wiring, statistic):
    """A statistic of the weights from each type to each, times the units of the presynaptic type."""
    weights, types = wiring.recurrent.initial_weights, wiring.cell_type
    return np.array(
        [
            [(types == pre).sum() * statistic(weights[np.ix_(types == pre, types == post)]) for post in TYPES]
            for pre in TYPES
        ]
    )


@DALE
def test_with_several_types_every_unit_is_balanced_and_the_radius_is_what_was_asked_for(rule):
    wiring = Connectivity(400, cell_types=TYPES, density=DENSITY, initial=rule, spectral_radius=1.3, seed=1)
    weights = wiring.recurrent.initial_weights
    np.testing.assert_allclose(moduli(weights)[0], 1.3, rtol=1e-8)
    assert (weights * wiring.sign[:, np.newaxis] >= 0).all()
    received = np.abs(weights).sum(axis=0)
    np.testing.assert_array_less(np.abs(weights.sum(axis=0)), 1e-13 * received)  # a sum of 400 rounded numbers


@DALE
@pytest.mark.parametrize("seed", range(3))
def test_densities_of_the_presynaptic_type_leave_no_outlier_and_the_bulk_of_the_block_variances(rule, seed):
    density = {pre: dict.fromkeys(TYPES, one) for pre, one in zip(TYPES, (0.2, 0.9, 0.5, 0.1), strict=True)}
    wiring = Connectivity(400, cell_types=TYPES, density=density, initial=rule, spectral_radius=1.3, seed=seed)
    # A matrix whose entries have the variances v_ab from type a to b fills a disk with the radius
    # sqrt(largest eigenvalue of n_a v_ab) (Aljadeff, Stern & Sharpee 2015, Phys. Rev. Lett. 114, 088101), and balance
    # in every unit leaves no eigenvalue outside of it. The edge fluctuates by 7 % at this size; twice that.
    bulk = np.sqrt(np.abs(np.linalg.eigvals(by_pair(wiring, np.var))).max())
    assert bulk == pytest.approx(1.3, rel=0.14)


@DALE
def test_densities_of_the_postsynaptic_type_leave_the_outliers_of_the_mean_weights(rule):
    wiring = Connectivity(400, cell_types=TYPES, density=DENSITY, initial=rule, spectral_radius=1.3, seed=1)
    expected = np.abs(np.linalg.eigvals(by_pair(wiring, np.mean)))
    # Units of types that are balanced at different levels drive each other: the mean weights between types have
    # eigenvalues of their own, far outside of the bulk. To second order they are off by bulk² / outlier², here 5 %.
    bulk = np.sqrt(np.abs(np.linalg.eigvals(by_pair(wiring, np.var))).max())
    assert bulk < 0.3 * 1.3
    assert expected.max() == pytest.approx(1.3, rel=0.1)
    assert expected.min() < 1e-12  # balance: (1, …, 1) is a left eigenvector with the eigenvalue 0


@DALE
def test_over_draws_excitation_and_inhibition_of_every_type_of_target_are_equal(rule):
    sums = {name: [] for name in TYPES}
    for seed in range(40):
        wiring = Connectivity(60, cell_types=TYPES, density=DENSITY, initial=rule, autapses=False, seed=seed)
        weights = wiring.recurrent.initial_weights
        both = (weights > 0).any(axis=0) & (weights < 0).any(axis=0)
        excitation, inhibition = (np.abs(weights * (weights * sign > 0)).sum(axis=0) for sign in (1, -1))
        for name in TYPES:
            of = (wiring.cell_type == name) & both
            sums[name].append((excitation[of].sum(), inhibition[of].sum()))
    for pairs in sums.values():
        np.testing.assert_allclose(*np.sum(pairs, axis=0), rtol=1e-12)  # rounding


def test_shares_of_inhibition_come_from_the_densities():
    wiring = Connectivity(400, cell_types=TYPES, density=DENSITY, seed=5)
    weights, types = np.abs(wiring.recurrent.initial_weights), wiring.cell_type
    onto = weights[:, types == "E"]
    expected = {name: DENSITY[name]["E"] * TYPES[name]["fraction"] for name in ("PV", "SST", "VIP")}
    for name, part in expected.items():
        share = onto[types == name].sum() / onto[types != "E"].sum()
        # 0.1 × 40 synapses on each of 240 units: 960 gamma weights have a relative standard error of
        # sqrt(1 / 2 + 1 - 0.1) / sqrt(960) = 4 %; three of these.
        assert share == pytest.approx(part / sum(expected.values()), rel=0.12)
