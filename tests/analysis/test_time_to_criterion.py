import numpy as np
import pytest
import xarray as xr
from scipy import stats

import biornn as bn
from biornn.analysis import time_to_criterion

NAN = np.nan


def make_history(steps=(0, 100, 200, 300, 400), **conditions):
    """Condition -> updates to the criterion, or how the network ended without."""
    names, seeds, to_criterion, status = [], [], [], []
    for condition, ends in conditions.items():
        for seed, end in enumerate(ends):
            names.append(condition)
            seeds.append(seed)
            to_criterion.append(NAN if isinstance(end, str) else float(end))
            status.append(end if isinstance(end, str) else "criterion_reached")
    return xr.Dataset(
        {"updates_to_criterion": ("network", to_criterion), "status": ("network", np.array(status, object))},
        coords={
            "condition": ("network", np.array(names, object)),
            "seed": ("network", seeds),
            "update": ("snapshot", list(steps)),
        },
    )


def test_kaplan_meier_by_hand():
    history = make_history(unconstrained=[100, 200, 200, "criterion_not_reached", 300])
    result = time_to_criterion(history).sel(condition="unconstrained")
    # 1 of 5 at risk at 100, 2 of 4 at 200, 1 of 2 at 300.
    expected = [1, 4 / 5, 4 / 5 * 2 / 4, 4 / 5 * 2 / 4 * 1 / 2, 1 / 5]
    np.testing.assert_allclose(result["not_reached"], expected)
    assert result["median_updates"] == 200
    assert [int(result[f"n_{name}"]) for name in ("networks", "reached", "censored", "failed")] == [5, 4, 1, 0]


def test_log_rank_statistics_of_all_swaps_within_pairs():
    times = np.array([[100, 200, 300, 300, 400, 200], [200, 400, 100, 400, np.inf, 300]])

    def observed_less_expected(one, other):
        both, total = np.concatenate([one, other]), 0.0
        for time in np.unique(both[np.isfinite(both)]):
            total += (one == time).sum() - (both == time).sum() * (one >= time).sum() / (both >= time).sum()
        return total

    swapped = [np.where(swap, times[::-1], times) for swap in np.ndindex(*[2] * 6)]
    statistics = np.abs([observed_less_expected(*pairs) for pairs in swapped])
    ends = {
        name: [time if np.isfinite(time) else "failed" for time in row]
        for name, row in zip(("unconstrained", "dale"), times, strict=True)
    }
    result = time_to_criterion(make_history(**ends)).sel(condition="dale")
    assert result["n_pairs"] == 6
    assert 1 / 32 < result["p_value"] == np.mean(statistics >= statistics[0] - 1e-9) < 1


def test_three_pairs_show_nothing_whatever_they_did():
    result = time_to_criterion(make_history(unconstrained=[100] * 3, dale=["failed"] * 3)).sel(condition="dale")
    assert result["p_value"] == 0.25


@pytest.mark.parametrize("seeds", [[-1, -1, -1, -1], [0, 0, 0, 1]])
def test_networks_that_are_no_pairs_are_not_tested(seeds):
    history = make_history(unconstrained=[100, 200], dale=[200, 300]).assign_coords(seed=("network", seeds))
    result = time_to_criterion(history).sel(condition="dale")
    assert result["n_pairs"] == 0
    assert np.isnan(result["p_value"])


@pytest.mark.parametrize("status", ["criterion_not_reached", "diverged", "failed", "never heard of"])
def test_networks_without_the_criterion_count_to_the_end_however_they_ended(status):
    result = time_to_criterion(make_history(unconstrained=[100, 100], dale=[200, status, status]))
    dale = result.sel(condition="dale")
    np.testing.assert_allclose(dale["not_reached"], [1, 1, 2 / 3, 2 / 3, 2 / 3])
    assert dale["n_censored"] == 2
    assert dale["n_failed"] == (0 if status == "criterion_not_reached" else 2)
    assert np.isnan(dale["median_updates"])
    same = time_to_criterion(make_history(unconstrained=[100, 100], dale=[200, "diverged", "diverged"]))
    assert dale["p_value"] == same["p_value"].sel(condition="dale")


def test_networks_that_were_interrupted_are_left_out_and_counted():
    without = time_to_criterion(make_history(unconstrained=[100, 100], dale=[200, "diverged"]))
    ends = [200, "diverged", "interrupted", "interrupted"]
    result = time_to_criterion(make_history(unconstrained=[100, 100, "interrupted"], dale=ends))
    assert result["n_interrupted"].values.tolist() == [1, 2]
    xr.testing.assert_identical(result.drop_vars("n_interrupted"), without.drop_vars("n_interrupted"))


def test_a_condition_that_was_interrupted_whole_has_no_estimate():
    result = time_to_criterion(make_history(unconstrained=[100, 100], dale=["interrupted"] * 2))
    dale = result.sel(condition="dale")
    for name in ("not_reached", "ci_low", "ci_high", "median_updates", "p_value"):
        assert dale[name].isnull().all(), name
    assert (dale["n_networks"], dale["n_interrupted"]) == (0, 2)
    assert result.sel(condition="unconstrained")["n_reached"] == 2


def test_a_network_that_reached_the_criterion_and_then_diverged_did_not_train():
    history = make_history(unconstrained=[100, 100], dale=[200, 300])
    history["status"][2] = "diverged"
    dale = time_to_criterion(history).sel(condition="dale")
    assert (dale["n_reached"], dale["n_failed"]) == (1, 1)


def test_median_counts_networks_that_never_got_there_as_longer_than_any():
    result = time_to_criterion(make_history(unconstrained=[100, 200, 300, "failed"], dale=[100, 200, 300]))
    assert result["median_updates"].values.tolist() == [250, 200]
    assert time_to_criterion(make_history(unconstrained=[100, "failed"]))["median_updates"].isnull().all()


def test_interval_is_exact_where_all_or_none_got_there():
    result = time_to_criterion(make_history(unconstrained=[200] * 10, dale=[200] * 5 + ["failed"] * 5))
    first = result.sel(condition="unconstrained")
    # None of ten: 1 - 0.025 ** (1 / 10); all of ten: the mirror image.
    assert first["ci_low"].sel(update=0) == pytest.approx(0.025**0.1)
    assert (first["ci_high"].sel(update=0), first["ci_low"].sel(update=400)) == (1, 0)
    assert first["ci_high"].sel(update=400) == pytest.approx(1 - 0.025**0.1)
    half = stats.binomtest(5, 10).proportion_ci(0.95)
    second = result.sel(condition="dale", update=400)
    assert (second["ci_low"], second["ci_high"]) == (pytest.approx(half.low), pytest.approx(half.high))
    ninety = time_to_criterion(make_history(unconstrained=[200] * 10), confidence_level=0.9)
    assert ninety["ci_high"].sel(update=400).item() == pytest.approx(1 - 0.05**0.1)


def test_p_values_that_are_not_defined_are_nan_and_no_part_of_the_family():
    history = make_history(a=["failed"] * 3, b=["diverged"] * 3, c=[100, 100, 200])
    result = time_to_criterion(history, reference="a")
    assert np.isnan(result["p_value"].sel(condition=["a", "b"])).all()
    assert result["p_holm"].sel(condition="c") == result["p_value"].sel(condition="c")
    assert result["median_updates"].isnull().values.tolist() == [True, True, False]
    together = time_to_criterion(make_history(a=[100] * 3, b=[100] * 3), reference="a")
    assert together["p_value"].isnull().all()


def test_planted_difference_is_found_and_holm_covers_the_conditions():
    rng = np.random.default_rng(0)
    times = {name: list(rng.uniform(0, 100, 12) + shift) for name, shift in (("a", 100), ("b", 200), ("c", 100))}
    result = time_to_criterion(make_history(**times), reference="a")
    p_value = result["p_value"]
    assert p_value.sel(condition="b") == 2 / 2**12  # no network of the two is on the other side
    assert p_value.sel(condition="c") > 0.05
    assert result["p_holm"].sel(condition="b") == 2 * p_value.sel(condition="b")


def test_unknown_steps_are_left_out_and_conditions_keep_their_order():
    result = time_to_criterion(make_history(steps=(0, -1, 200), sparse=[200], dale=[200]), "dale")
    assert result["update"].values.tolist() == [0, 200]
    assert result["condition"].values.tolist() == ["sparse", "dale"]
    assert set(result.dims) <= set(bn.schema.DIMS)
    for variable in result.data_vars.values():
        assert {"units", "long_name"} <= set(variable.attrs)


def test_what_cannot_be_told_is_refused():
    history = make_history(unconstrained=[100, "completed"])
    with pytest.raises(ValueError, match=r"got 1 of 2 without \('completed'\); set training.criterion"):
        time_to_criterion(history)
    with pytest.raises(ValueError, match=r"reference: expected one of \['dale'\], got 'unconstrained'"):
        time_to_criterion(make_history(dale=[100]))
    with pytest.raises(ValueError, match="history: expected 'updates_to_criterion', found"):
        time_to_criterion(history.drop_vars("updates_to_criterion"))
    with pytest.raises(ValueError, match="confidence_level: expected a share"):
        time_to_criterion(make_history(unconstrained=[100]), confidence_level=95)
