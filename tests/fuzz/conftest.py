"""The scripts of `experiments/reliability` find each other, and the reader of the corpus."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
for folder in (HERE.parents[1] / "experiments" / "reliability", HERE):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
