from itertools import product

import numpy as np
import pytest
import xarray as xr

import biornn as bn
from biornn.analysis import compare, factorial_effects

LEVELS = {"dale": ["none", "0.8"], "density": ["1.0", "0.5", "0.2"], "autapses": ["true", "false"]}


def design(factors, value, n_seeds=6):
    """Networks of every combination and seed; `value` takes the levels' numbers and the seed."""
    cells = list(product(*(range(len(LEVELS[factor])) for factor in factors)))
    rows = [(cell, seed) for cell in cells for seed in range(n_seeds)]
    coords = {"seed": ("network", [seed for _, seed in rows])}
    for at, factor in enumerate(factors):
        coords[f"factor_{factor}"] = ("network", np.array([LEVELS[factor][cell[at]] for cell, _ in rows], object))
    values = [float(value(*cell, seed)) for cell, seed in rows]
    return xr.DataArray(values, dims="network", coords=coords, name="loss", attrs={"units": "nat"})


def noise(seed, *cell):
    """Small, different for every network, and the same every time."""
    return 0.01 * np.random.default_rng([seed, *cell]).normal()


def differences(effects):
    return dict(zip(effects["effect"].values.tolist(), effects["difference"].values.tolist(), strict=True))


def test_planted_effects_of_two_factors():
    values = design(["dale", "autapses"], lambda dale, autapses, s: 10 * s + 2 * dale - autapses + 4 * dale * autapses)
    # dale: (2 + 6) / 2; autapses: (-1 + 3) / 2; interaction: 6 - 2.
    assert differences(factorial_effects(values, n_resamples=99)) == pytest.approx(
        {"dale": 4, "autapses": 1, "dale:autapses": 4}
    )


def test_more_levels_give_one_contrast_each_against_the_reference():
    values = design(
        ["dale", "density"], lambda dale, density, s: s + dale + [0, 5, 7][density] + 3 * dale * (density == 2)
    )
    effects = factorial_effects(values, n_resamples=99)
    assert differences(effects) == pytest.approx(
        {
            "dale": 2,  # (1 + 1 + 4) / 3
            "density[0.5]": 5,
            "density[0.2]": 8.5,  # (7 + 10) / 2
            "dale:density[0.5]": 0,
            "dale:density[0.2]": 3,
        },
        abs=1e-12,
    )
    assert effects["order"].values.tolist() == [1, 1, 1, 2, 2]


def test_an_interaction_of_three_factors_is_a_difference_of_interactions():
    values = design(["dale", "density", "autapses"], lambda a, b, c, s: s + 8 * a * (b == 1) * c + a + b + c)
    found = differences(factorial_effects(values, n_resamples=99))
    assert found["dale:density[0.5]:autapses"] == pytest.approx(8)
    assert found["dale:density[0.2]:autapses"] == pytest.approx(0, abs=1e-12)
    assert found["dale:density[0.5]"] == pytest.approx(4)  # 8 with, 0 without autapses
    assert found["dale"] == pytest.approx(1 + 8 / 6)  # one of the six cells of the other two
    assert len(found) == 4 + 5 + 2


def test_only_what_is_there_is_found_and_with_the_exact_p_value():
    values = design(["dale", "autapses"], lambda a, b, s: 10 * s + 2 * a + noise(s, a, b), n_seeds=8)
    effects = factorial_effects(values)
    assert effects["p_value"].sel(effect="dale") == 2 / 2**8
    assert effects["p_holm"].sel(effect="dale") == 3 * 2 / 2**8
    assert (effects["p_value"].sel(effect=["autapses", "dale:autapses"]) > 0.05).all()
    assert effects["ci_low"].sel(effect="dale") < 2 < effects["ci_high"].sel(effect="dale")


def test_one_factor_of_two_levels_is_a_comparison():
    values = design(["dale"], lambda dale, s: s + dale + noise(s, dale))
    effects = factorial_effects(values).isel(effect=0, drop=True)
    against = compare(values.assign_coords(condition=values["factor_dale"]), "none").isel(condition=0, drop=True)
    xr.testing.assert_allclose(effects.drop_vars("order", errors="ignore"), against)


def test_the_order_of_networks_does_not_matter_beyond_the_reference_level():
    values = design(["dale", "autapses"], lambda a, b, s: s + a + noise(s, a, b))
    order = np.random.default_rng(0).permutation(values.sizes["network"] - 1) + 1
    shuffled = values.isel(network=[0, *order])
    xr.testing.assert_identical(factorial_effects(shuffled), factorial_effects(values))
    turned = factorial_effects(values.isel(network=slice(None, None, -1)))  # all reference levels swapped
    found = differences(factorial_effects(values))
    assert differences(turned) == pytest.approx({name: v if ":" in name else -v for name, v in found.items()})


def test_a_seed_with_a_failed_or_missing_cell_does_not_enter_and_is_counted():
    values = design(["dale", "autapses"], lambda a, b, s: s + a * (1 + s))
    values[values.seed.values == 5] = [np.nan, np.inf, 1.0, 1.0]
    there = np.flatnonzero((values.seed.values != 0) | (values["factor_dale"].values == "none"))
    effects = factorial_effects(values.isel(network=there), n_resamples=99)
    assert differences(effects)["dale"] == pytest.approx(np.mean([2, 3, 4, 5]))  # seeds 1 to 4
    assert (effects["n_pairs"] == 4).all()
    assert (effects["n_failed"] == 2).all()
    assert (effects["n_unpaired"] == 1).all()


def test_a_failed_cell_takes_its_seed_out_of_contrasts_of_other_levels_too():
    values = design(["density"], lambda density, s: s + density * (1 + s))
    values[(values.seed.values == 5) & (values["factor_density"].values == "0.5")] = np.nan
    effects = factorial_effects(values, n_resamples=99)
    assert differences(effects) == pytest.approx({"density[0.5]": 3, "density[0.2]": 6})  # seeds 0 to 4
    assert (effects["n_pairs"] == 5).all()


def test_a_cell_that_failed_altogether_leaves_rows_of_nan():
    values = design(["dale", "autapses"], lambda a, b, s: np.nan if a * b else s)
    effects = factorial_effects(values, n_resamples=99)
    assert effects["difference"].isnull().all()
    assert (effects["n_failed"] == 6).all()
    assert (effects["n_pairs"] == 0).all()


def test_metrics_and_other_dims_broadcast():
    values = design(["dale", "autapses"], lambda a, b, s: s + a + noise(s, a, b))
    by_bit = values * xr.DataArray([1.0, 2.0], dims="bit")
    by_bit[0, 1] = np.nan
    effects = factorial_effects(xr.Dataset({"x": by_bit, "y": -by_bit}), n_resamples=99)
    assert dict(effects["difference"].sizes) == {"effect": 3, "metric": 2, "bit": 2}
    assert effects["n_failed"].isel(effect=0, metric=0).values.tolist() == [0, 1]
    assert effects["n_pairs"].isel(effect=0, metric=0).values.tolist() == [6, 5]
    np.testing.assert_allclose(effects["difference"].sel(metric="x"), -effects["difference"].sel(metric="y"))
    xr.testing.assert_allclose(
        effects["difference"].sel(metric="x", drop=True).isel(bit=0),
        factorial_effects(values)["difference"].drop_vars(["metric", "units"]),
    )
    assert set(effects.dims) <= set(bn.schema.DIMS)


def test_constant_factors_are_passed_over_unless_they_are_asked_for():
    values = design(["dale", "autapses"], lambda a, b, s: s + a).isel(network=slice(12))
    with pytest.raises(ValueError, match=r"factors: expected at least two levels of 'dale', got \['none'\]"):
        factorial_effects(values, factors=["dale", "autapses"])
    assert factorial_effects(values, n_resamples=99)["effect"].values.tolist() == ["autapses"]


def test_what_is_no_full_design_is_refused():
    values = design(["dale", "autapses"], lambda a, b, s: s + a)
    with pytest.raises(ValueError, match=r"found none with dale 0\.8, autapses false"):
        factorial_effects(values.isel(network=slice(18)))
    with pytest.raises(ValueError, match="one network of each seed and combination, got 2 of seed 0 with dale none"):
        factorial_effects(values, factors=["dale"])
    with pytest.raises(ValueError, match="expected a coordinate factor_<name> on network with two levels"):
        factorial_effects(values.drop_vars(["factor_dale", "factor_autapses"]))
    with pytest.raises(ValueError, match="expected the coordinate 'factor_density' on network"):
        factorial_effects(values, factors=["dale", "density"])
