"""The scripts of `experiments/reliability` find each other."""

import sys
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "experiments" / "reliability"
if str(FOLDER) not in sys.path:
    sys.path.insert(0, str(FOLDER))
