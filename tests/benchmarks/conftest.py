"""The scripts of `experiments/benchmarks` find each other."""

import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "experiments" / "benchmarks"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "nightly: takes long; run with -m nightly")


if str(FOLDER) not in sys.path:
    sys.path.insert(0, str(FOLDER))
