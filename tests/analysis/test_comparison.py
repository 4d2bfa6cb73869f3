import numpy as np
import pytest
import xarray as xr
from scipy import stats

import biornn as bn
from biornn.analysis import compare
from biornn.schema import is_trained

NAN = np.nan


def metric(**conditions):
    """One value per network: condition -> values by seed."""
    rows = [(condition, seed, value) for condition, values in conditions.items() for seed, value in enumerate(values)]
    condition, seed, values = zip(*rows, strict=True)
    coords = {
        "network": [f"{c}-s{s:02d}" for c, s in zip(condition, seed, strict=True)],
        "condition": ("network", np.array(condition, object)),
        "seed": ("network", list(seed)),
    }
    return xr.DataArray(list(values), dims="network", coords=coords, name="accuracy", attrs={"units": "1"})


def planted(effect, n_seeds=10, seed=0):
    """Networks whose seeds differ by far more than the conditions do: only the pairing can show the effect."""
    rng = np.random.default_rng(seed)
    base = rng.normal(0, 10, n_seeds)
    return metric(unconstrained=base, dale=base + effect + rng.uniform(-0.1, 0.1, n_seeds))


def test_planted_effect_has_the_exact_p_value():
    values = planted(-0.5)
    result = compare(values).sel(condition="dale")
    assert result["difference"] == pytest.approx(-0.5, abs=0.05)
    # All ten differences are negative: only the data and their mirror image are as extreme.
    assert result["p_value"] == 2 / 2**10
    assert result["ci_low"] < -0.5 < result["ci_high"] < 0
    assert stats.ttest_ind(values[10:], values[:10]).pvalue > 0.5  # unpaired, nothing is to be seen


def test_agrees_with_the_paired_t_test_where_that_is_right():
    base = np.random.default_rng(0).normal(size=30)
    other = base + np.random.default_rng(1).normal(0.3, 1, 30)
    result = compare(metric(unconstrained=base, dale=other)).sel(condition="dale")
    t_test = stats.ttest_rel(other, base)
    # Three standard errors of a share of 9,999, and 0.01 by which the two tests differ at 30 pairs.
    assert result["p_value"] == pytest.approx(t_test.pvalue, abs=0.01 + 3 * np.sqrt(t_test.pvalue / 9999))
    assert result["effect_size"] == pytest.approx(t_test.statistic / np.sqrt(30))


def test_networks_are_paired_by_seed_whatever_their_order():
    values = planted(0.5)
    shuffled = values.isel(network=np.random.default_rng(1).permutation(20))
    xr.testing.assert_identical(compare(shuffled), compare(values))


def test_conditions_stand_in_order_of_appearance_without_the_reference():
    values = metric(sparse=[1.0, 2.0], none=[0.0, 0.0], dale=[5.0, 7.0])
    result = compare(values, "none")
    assert result["condition"].values.tolist() == ["sparse", "dale"]
    assert result["difference"].values.tolist() == [1.5, 6.0]
    assert result.attrs["reference"] == "none"


def test_failed_networks_are_left_out_with_their_pair_and_counted():
    values = metric(unconstrained=[1.0, NAN, 3.0, 4.0, NAN], dale=[2.0, 3.0, np.inf, 6.0, NAN])
    result = compare(values).sel(condition="dale")
    assert result["difference"] == 1.5
    assert result["n_pairs"] == 2
    assert result["n_failed"] == 4  # two of each; infinity is no result
    assert result["n_unpaired"] == 0


def test_seeds_that_only_one_has_are_counted():
    values = metric(unconstrained=[0.0, 0.0, 0.0], dale=[1.0, 2.0, 3.0, NAN, 5.0]).isel(network=[0, 2, 3, 4, 5, 6, 7])
    result = compare(values).sel(condition="dale")
    assert result["difference"] == 2  # seeds 0 and 2
    assert (result["n_pairs"], result["n_unpaired"], result["n_failed"]) == (2, 3, 1)


def test_conditions_without_a_common_seed_or_any_result_are_rows_of_nan():
    values = metric(unconstrained=[0.0, 0.0, 0.0], dale=[NAN, NAN, NAN], sparse=[1.0, 2.0, 3.0])
    values = values.assign_coords(seed=("network", [0, 1, 2, 0, 1, 2, 7, 8, 9]))
    result = compare(values)
    for name in ("difference", "ci_low", "ci_high", "p_value", "p_holm", "effect_size"):
        assert result[name].isnull().all(), name
    assert result["n_failed"].values.tolist() == [3, 0]
    assert result["n_unpaired"].values.tolist() == [0, 6]
    assert result["n_pairs"].values.tolist() == [0, 0]


def test_a_reference_that_failed_altogether_leaves_nothing_to_compare():
    result = compare(metric(unconstrained=[NAN, NAN], dale=[1.0, 2.0]))
    assert result["difference"].isnull().all()
    assert result["n_failed"].values.tolist() == [2]


def test_false_positives_are_as_frequent_as_they_should_be():
    base = planted(0.0)
    rng = np.random.default_rng(0)
    null = base.expand_dims(data_set=500).copy(data=rng.normal(size=(500, 20)))
    p_values = compare(null, n_resamples=99)["p_value"]
    low, high = stats.binom.ppf([0.025, 0.975], 500, 0.05) / 500
    assert low <= float((p_values <= 0.05).mean()) <= high


def test_holm_spans_conditions_metrics_and_other_dims():
    rng = np.random.default_rng(0)
    base = metric(unconstrained=np.zeros(8), dale=np.ones(8), sparse=np.zeros(8))
    values = base.expand_dims(bit=2).copy(data=rng.normal(size=(2, 24)))
    several = xr.Dataset({"a": values, "b": values + base})
    result = compare(several, n_resamples=99)
    assert dict(result["p_holm"].sizes) == {"condition": 2, "metric": 2, "bit": 2}
    smallest = float(result["p_value"].min())
    assert result["p_holm"].min() == pytest.approx(8 * smallest)
    alone = compare(values, n_resamples=99)
    xr.testing.assert_allclose(  # but for the correction, no result depends on what else is asked for
        result.drop_vars("p_holm").sel(metric="a", drop=True),
        alone.drop_vars(["p_holm", "metric", "units"]),
        rtol=1e-12,
    )


def test_units_are_the_metrics():
    values = metric(unconstrained=[0.0, 1.0], dale=[1.0, 2.0]).assign_attrs(units="ms")
    result = compare(values)
    assert result["ci_low"].attrs["units"] == "ms"
    assert result["p_value"].attrs["units"] == "1"
    assert (result["metric"].item(), result["units"].item()) == ("accuracy", "ms")
    several = compare(xr.Dataset({"time": values, "share": values.assign_attrs(units="1")}))
    assert several["units"].values.tolist() == ["ms", "1"]
    assert several.sel(metric="time")["units"].item() == "ms"
    for variable in several.data_vars.values():
        assert {"units", "long_name"} <= set(variable.attrs)
    assert set(several.dims) <= set(bn.schema.DIMS)


def test_booleans_and_whole_numbers():
    values = metric(unconstrained=[1, 0, 0], dale=[1, 1, 0])
    assert compare(values)["difference"] == pytest.approx(1 / 3)
    xr.testing.assert_identical(compare(values.astype(bool)), compare(values))


def test_what_cannot_be_compared_is_refused():
    values = metric(unconstrained=[0.0, 1.0], dale=[1.0, 2.0])
    with pytest.raises(ValueError, match=r"reference: expected one of \['unconstrained', 'dale'\], got 'control'"):
        compare(values, "control")
    with pytest.raises(ValueError, match="expected each seed once in condition 'dale', got 1 more than once"):
        compare(values.assign_coords(seed=("network", [0, 1, 1, 1])))
    with pytest.raises(ValueError, match="expected others beside the reference 'dale', got none"):
        compare(values[2:], "dale")


def test_a_run_goes_in_as_it_is_stored(run):
    history = run["history"].to_dataset()
    scores = xr.Dataset({"accuracy": history.score.isel(snapshot=-1), "trained": is_trained(history.status)})
    result = compare(scores, n_resamples=99)
    assert result["condition"].values.tolist() == ["constrained"]
    assert (result["n_pairs"] == 2).all()
    by_seed = scores.accuracy.swap_dims(network="seed")
    differences = [
        float(by_seed.isel(seed=(by_seed.seed == seed).values & (by_seed.condition == "constrained").values).item())
        - float(by_seed.isel(seed=(by_seed.seed == seed).values & (by_seed.condition == "unconstrained").values).item())
        for seed in (1, 3)
    ]
    assert result["difference"].sel(metric="accuracy").item() == pytest.approx(np.mean(differences))
