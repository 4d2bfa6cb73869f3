"""Violations are planted, and each is found once and called by its name."""

import numpy as np
import pytest
import xarray as xr

import biornn as bn

CLEAN = {"sign_violations": 0, "mask_violations": 0, "autapses": 0, "fixed_changes": 0}


@pytest.fixture
def weights() -> xr.Dataset:
    """One excitatory, one inhibitory, one unconstrained unit; two snapshots of one network."""
    return xr.Dataset(
        {
            "recurrent_weights": (
                ("network", "snapshot", "unit_pre", "unit_post"),
                np.array([[[[0, 1, 2], [-1, 0, 0], [1, -1, 3]]] * 2], float),
            ),
            "recurrent_mask": (
                ("network", "unit_pre", "unit_post"),
                [[[False, True, True], [True, False, False], [True, True, True]]],
            ),
            "input_weights": (("network", "snapshot", "input_channel", "unit"), [[[[1.0, 0, 2.0]]] * 2]),
            "input_mask": (("network", "input_channel", "unit"), [[[True, False, True]]]),
            "input_sign": (("network", "input_channel"), [[1]]),
            "output_weights": (("network", "snapshot", "unit", "output_channel"), [[[[1.0], [0], [-1.0]]] * 2]),
            "output_mask": (("network", "unit", "output_channel"), [[[True], [False], [True]]]),
            "output_sign": (("network", "unit"), [[1, 1, 0]]),
            "cell_type": (("network", "unit"), [["excitatory", "inhibitory", "unconstrained"]]),
        }
    )


def found(weights: xr.Dataset) -> dict[str, list[int]]:
    return {str(name): values.values[0].tolist() for name, values in bn.audit(weights).data_vars.items()}


def test_a_legal_network_has_no_violations(weights: xr.Dataset) -> None:
    assert found(weights) == {name: [0, 0] for name in CLEAN}


@pytest.mark.parametrize(
    ("name", "index", "value", "kind"),
    [
        ("recurrent_weights", (0, 1), -0.1, "sign_violations"),  # excitatory row
        ("recurrent_weights", (1, 0), 0.1, "sign_violations"),  # inhibitory row
        ("recurrent_weights", (1, 2), -0.1, "mask_violations"),
        ("recurrent_weights", (0, 0), 0.1, "autapses"),
        ("input_weights", (0, 0), -0.1, "sign_violations"),
        ("input_weights", (0, 1), 0.1, "mask_violations"),
        ("output_weights", (0, 0), -0.1, "sign_violations"),
        ("output_weights", (1, 0), 0.1, "mask_violations"),
    ],
)
def test_a_planted_violation_is_found_at_its_snapshot(
    weights: xr.Dataset, name: str, index: tuple[int, int], value: float, kind: str
) -> None:
    weights[name].values[(0, 1, *index)] = value
    assert found(weights) == {**{name: [0, 0] for name in CLEAN}, kind: [0, 1]}


def test_an_allowed_autapse_and_any_sign_of_an_unconstrained_unit_are_no_violations(weights: xr.Dataset) -> None:
    weights["recurrent_weights"].values[0, :, 2] = [-5, 5, -5]
    assert found(weights) == {name: [0, 0] for name in CLEAN}


@pytest.mark.parametrize(
    ("pathway", "index"), [("recurrent", (0, 2)), ("recurrent", (2, 1)), ("input", (0, 2)), ("output", (2, 0))]
)
def test_a_fixed_weight_that_is_another_one_in_its_last_digit_is_found(
    weights: xr.Dataset, pathway: str, index: tuple[int, int]
) -> None:
    plastic = weights[f"{pathway}_mask"].copy(deep=True)
    plastic.values[(0, *index)] = False
    values = weights[f"{pathway}_weights"].values[0, 1]
    values[index] = np.nextafter(values[index], 9)
    assert found(weights) == {name: [0, 0] for name in CLEAN}  # of nothing is said that it is fixed
    fixed = weights.assign({f"{pathway}_trainable": plastic})
    assert found(fixed) == {**{name: [0, 0] for name in CLEAN}, "fixed_changes": [0, 1]}
    other = fixed.assign({f"{pathway}_weights": fixed[f"{pathway}_weights"] * np.nan})
    assert found(other)["fixed_changes"] == [0, 0]


def test_dales_law_is_about_rows(weights: xr.Dataset) -> None:
    weights["recurrent_mask"].values[:] = True
    legal = np.array([[1.0, 1, 1], [-1, -1, -1], [1, -1, 1]])
    weights["recurrent_weights"].values[:] = legal
    assert found(weights)["sign_violations"] == [0, 0]
    weights["recurrent_weights"].values[:] = legal.T  # its eigenvalues are the same
    assert found(weights)["sign_violations"] == [2, 2]


def test_a_network_that_diverged_violates_nothing(weights: xr.Dataset) -> None:
    assert found(weights.assign(recurrent_weights=weights.recurrent_weights * np.nan)) == {
        name: [0, 0] for name in CLEAN
    }


def test_of_a_run_it_tells_whether_rates_are_non_negative(run: xr.DataTree) -> None:
    counts = bn.audit(run)
    assert all((counts[name] == 0).all() for name in CLEAN)
    assert counts["non_negative_rates"].dims == ("network",)
    assert not counts["non_negative_rates"].any()  # tanh
    tree = run.copy(deep=True)
    for group in ("activity", "probe_activity"):
        tree[group] = xr.DataTree(abs(tree[group].to_dataset()))
    assert bn.audit(tree)["non_negative_rates"].all()
    tree["probe_activity"].to_dataset()["rates"].values[2, 0, 3, 4] = -1e-3
    assert bn.audit(tree)["non_negative_rates"].values.tolist() == [True, True, False, True]


def test_what_holds_no_masks_is_refused(weights: xr.Dataset) -> None:
    with pytest.raises(ValueError, match="run: expected the group weights of a run, or a tree that holds it"):
        bn.audit(weights.drop_vars("recurrent_mask"))


def test_a_model_is_refused_with_what_is_expected() -> None:
    with pytest.raises(TypeError, match=r"run: expected a run, what biornn.train returns, .*, got object"):
        bn.audit(object())  # type: ignore[arg-type]
