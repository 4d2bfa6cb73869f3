"""Exponents of planted laws, and the memory of planted work."""

import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

FOLDER = Path(__file__).parents[2] / "experiments" / "benchmarks"


@pytest.fixture
def exponents(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(FOLDER)
    return pytest.importorskip("exponents")


def test_a_power_law_has_its_exponent(exponents: ModuleType) -> None:
    sizes = [10, 20, 50, 100]
    assert exponents.slopes(sizes, [3 * size**1.5 for size in sizes]) == pytest.approx((1.5, 1.5))


def test_overhead_weighs_over_all_and_not_at_the_end(exponents: ModuleType) -> None:
    sizes = [1, 10, 100, 1000, 10_000, 100_000]
    over_all, end = exponents.slopes(sizes, [100 + size for size in sizes])
    assert end == pytest.approx(1, abs=0.05)  # 100 of 1,100 are overhead at the first of the last three
    assert over_all < 0.8


def test_what_costs_nothing_has_no_exponent(exponents: ModuleType) -> None:
    assert np.isnan(exponents.slopes([1, 2], [0.0, 1.0])).all()


MEASURE = """
import json

import exponents
import numpy as np


def prepare(megabytes):
    np.ones((50, 2**17))  # the making may hold more
    kept = np.ones((megabytes, 2**17))
    return lambda: float((kept + 1)[0, 0])


sweep = exponents.Sweep("MB", "nothing", (40,), prepare, ("1", "1"))
print(json.dumps(exponents.measure(sweep, 40)))
"""


def test_memory_is_the_largest_that_the_work_held(exponents: ModuleType) -> None:
    # In a process of its own, as in the benchmark: one that has done much has memory at hand.
    folder = Path(exponents.__file__).parent
    done = subprocess.run([sys.executable, "-c", MEASURE], cwd=folder, check=True, capture_output=True, text=True)
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["megabytes"] == pytest.approx(80, abs=5)  # pages that the allocator keeps or had
    assert 0 < found["seconds"] < 5


def test_the_table_has_a_row_for_all_and_every_point(exponents: ModuleType) -> None:
    sweep = exponents.Sweep("units", "batch 2", (), lambda size: lambda: None, ("2", "1"))
    points = {size: {"seconds": size**2 / 1e3, "megabytes": 3.0 * size} for size in (10, 100, 1000)}
    lines = exponents.table({"units": sweep}, {"units": points}, "Told.").splitlines()
    assert lines[2] == "| units | batch 2 | 10 … 1,000 | 0.1 … 1000 | 2 | 2.00 | 2.00 | 30 … 3000 | 1 | 1.00 | 1.00 |"
    assert lines[0].count("|") == lines[1].count("|") == lines[2].count("|")
    assert lines[-1] == "| units | 10: 0.1, 30; 100: 10, 300; 1,000: 1000, 3000 |"


def test_an_unknown_sweep_is_refused(exponents: ModuleType) -> None:
    with pytest.raises(SystemExit, match="expected one of units, got 'unit'"):
        exponents._wanted(["unit=3"], {"units": None})
