"""The scripts of `experiments/benchmarks` find each other."""

import sys
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "experiments" / "benchmarks"


if str(FOLDER) not in sys.path:
    sys.path.insert(0, str(FOLDER))
