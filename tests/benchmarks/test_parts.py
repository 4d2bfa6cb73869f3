"""What the tables are made of: networks that are timed, parts of times, exponents, counts."""

import json
import subprocess
import sys
import time
from argparse import Namespace
from pathlib import Path

import exponents
import larger_than_memory
import numpy as np
import profile_set
import profile_step
import pytest
import updates
import violations

from tests.benchmarks.conftest import FOLDER


@pytest.mark.nightly
@pytest.mark.parametrize("kind", [kind for kind, one in updates.KINDS.items() if one.framework in ("keras", "torch")])
def test_every_kind_of_network_learns(kind: str) -> None:
    pytest.importorskip(updates.KINDS[kind].package)
    update = updates.KINDS[kind].make(5, 2)
    assert update() > update()


def test_the_floor_multiplies_two_different_arrays() -> None:
    # numpy makes the product of an array with its own transpose, which is symmetric, at half the work
    product = updates.products(4, 2)()
    assert product.shape == (4, 4)
    assert not np.allclose(product, product.T)


@pytest.mark.nightly
def test_nn4n_computes_the_same_network() -> None:
    torch, _ = pytest.importorskip("torch"), pytest.importorskip("nn4n")
    constraint = updates.wiring(6)
    inputs = np.random.default_rng(0).normal(size=(4, 2, 3)).astype("float32")
    rates = np.zeros((2, 6))
    for now in inputs:
        rates = np.tanh(rates @ constraint.recurrent.initial_weights + now @ constraint.input(3).initial_weights)
    network = updates.nn4n_network(constraint)
    with torch.no_grad():
        _, [states] = network(torch.from_numpy(inputs))  # in training mode: signs and mask are written, and keep all
    np.testing.assert_allclose(states[-1].numpy(), rates, atol=1e-6)  # float32


def test_the_parts_of_a_set_sum_to_the_whole_and_tracing_counts_as_building() -> None:
    spans = {
        "update": [2.0, 2.0, 2.0, 50.0],  # an update that something else delayed
        "trials": [0.5] * 10,
        "validation": [30.0, 1.0, 1.0],  # the first one traces
        "snapshots": [0.25, 0.25],
        "recording": [1.0, 3.0],
        "waiting": [0.0, 0.125],
    }
    parts = {"updates": 15.0, "building": 65.5, "loading": 7.0, "trials": 5.0, "validation": 3.0, "snapshots": 0.5}
    parts |= {"recording": 4.0, "whole": 100.0, "waiting": 0.125}
    assert profile_set.take_apart(spans, 7.0, 100.0, 10) == parts
    assert sum(parts[part] for part in profile_set.PARTS) == parts["whole"]
    lines = profile_set.laid_out({"scan": [{name: 2 * one for name, one in parts.items()}], "fused": [parts]})
    assert "| updates | 30.0 | 15.0 | 15.0% [15.0%, 15.0%] |" in lines
    assert "recording together* | 39.0 | 19.5 | 19.5% [19.5%, 19.5%] |" in lines
    assert "| *of it, waiting for trials* | 0.2 | 0.1 | 0.1% [0.1%, 0.1%] |" in lines


def test_an_update_waits_until_its_trials_are_made() -> None:
    made = {0: 3.0, 1: 3.0, 2: 5.5, 3: 6.0, 4: 99.0}  # the last was made ahead, and never asked for
    assert profile_set.waits([1.0, 4.0, 5.0, 6.0], made) == [0.0, 0.5, 0.0]


def test_the_time_within_methods_is_counted() -> None:
    def sleep(duration: float) -> str:
        time.sleep(duration)
        return "awake"

    counted = [0.0]
    method = profile_step.timed(sleep, counted)
    whole, core = profile_step.turn(lambda: (method(0.02), method(0.01), time.sleep(0.02)), 1, counted)
    assert 0.03 <= core < whole - 0.02
    assert method(0) == "awake"


def test_the_parts_of_a_step_sum_to_the_update() -> None:
    planted = {"scan": 20.0, "layer": 17.0, "fused": 9.0, "core": 6.0, "products": 3.0, "activation": 1.0}
    (before, after), *parts, over = profile_step.take_apart({name: [one] for name, one in planted.items()}).values()
    assert sum(part[0] for part in parts) == pytest.approx(before)
    assert sum(part[-1] for part in parts) == pytest.approx(after)
    assert over == [20 / 3, 3.0]


def test_a_power_law_has_its_exponent() -> None:
    sizes = [10, 20, 50, 100]
    assert exponents.slopes(sizes, [3 * size**1.5 for size in sizes]) == pytest.approx((1.5, 1.5))
    assert np.isnan(exponents.slopes([1, 2], [0.0, 1.0])).all()  # costs nothing


def test_overhead_weighs_over_all_and_not_at_the_end() -> None:
    sizes = [1, 10, 100, 1000, 10_000, 100_000]
    over_all, end = exponents.slopes(sizes, [100 + size for size in sizes])
    assert end == pytest.approx(1, abs=0.05)  # 100 of 1,100 are overhead at the first of the last three
    assert over_all < 0.8


MEASURE = """
import json, sys, types

import exponents
import larger_than_memory
import numpy as np


def prepare(megabytes):
    np.ones((50, 2**17))  # the making may hold more
    kept = np.ones((megabytes, 2**17))
    return lambda: float((kept + 1)[0, 0])


planted = {"planted": exponents.Sweep("MB", "nothing", prepare, ("1", "1"))}
sys.modules["planted"] = types.SimpleNamespace(SWEEPS=planted)
print(json.dumps(exponents.measure("planted", "planted", 40)))
"""


@pytest.mark.nightly
def test_memory_is_the_largest_that_the_work_held() -> None:
    # In a process of its own, as in the benchmark: one that has done much has memory at hand.
    done = subprocess.run([sys.executable, "-c", MEASURE], cwd=FOLDER, check=True, capture_output=True, text=True)
    seconds, megabytes = json.loads(done.stdout.splitlines()[-1])
    assert megabytes == pytest.approx(80, abs=5)  # pages that the allocator keeps or had
    assert 0 < seconds < 5


def test_growth_has_a_row_for_all_and_every_point() -> None:
    sweep = exponents.Sweep("units", "batch 2", lambda size: lambda: None, ("2", "1"))
    points = {size: (size**2 / 1e3, 3.0 * size) for size in (10, 100, 1000)}
    over_all, every = (text.splitlines() for text in exponents.laid_out({"units": sweep}, {"units": points}))
    assert (
        over_all[2] == "| units | batch 2 | 10 … 1,000 | 0.1 … 1000 | 2 | 2.00 | 2.00 | 30 … 3000 | 1 | 1.00 | 1.00 |"
    )
    assert {line.count("|") for line in over_all} == {12}
    assert every[-1] == "| units | 10: 0.1, 30; 100: 10, 300; 1,000: 1000, 3000 |"


def test_an_unknown_sweep_is_refused() -> None:
    with pytest.raises(SystemExit, match="expected one of units, got 'unit'"):
        exponents.parts("growth", {"units": None}, "", (), Namespace(sweeps=["unit=3"], threads=1))


def test_each_planted_violation_is_counted_once() -> None:
    sign, mask = np.array([1, 1, -1]), np.array([[False, True, True], [True, False, False], [True, True, False]])
    weights = np.where(mask, sign[:, None] * 0.5, 0.0)
    assert violations.count(weights, sign, mask) == (0, 0, 0, 0, 0.0)
    weights[2, :2] = 0.1, 0.2  # an inhibitory unit, presynaptic, excites twice
    assert violations.count(weights, sign, mask) == (2, 1, 0, 0, 0.2)
    weights[1, 2] = -0.7  # no synapse there, and the wrong sign besides
    weights[0, 0] = 0.1
    assert violations.count(weights, sign, mask) == (2, 1, 1, 1, 0.7)
    assert violations.row("planted", violations.count(weights, sign, mask), 0.5) == [
        "planted", 2, 1, 1, 1, "0.7", "0.500",
    ]  # fmt: skip


def test_nn4n_breaks_its_constraint_until_its_next_forward_pass() -> None:
    pytest.importorskip("nn4n")
    saved, corrected = (found for found, _ in violations.train_nn4n(10, 2))
    assert saved.autapses == 10  # each is moved away from zero by its gradient
    assert corrected == (0, 0, 0, 0, 0.0)


def test_all_ways_to_open_a_run_give_the_planted_cube(tmp_path: Path) -> None:
    folder = str(tmp_path / "run")
    larger_than_memory.write(folder, 3, 40, 5)
    for way in larger_than_memory.WAYS:
        mean = larger_than_memory.ask(folder, way, "memory cube", 0)[2]
        assert mean == pytest.approx(1, abs=0.01)  # noise of 0.05 about corners at ±1, of hundreds of samples


@pytest.mark.nightly
def test_an_analysis_without_enough_memory_says_so(tmp_path: Path) -> None:
    larger_than_memory.write(str(tmp_path / "run"), 1, 4, 5)
    way = next(iter(larger_than_memory.WAYS))
    assert larger_than_memory.cell(str(tmp_path / "run"), way, "mean over trials", 1) == "memory is not enough"
