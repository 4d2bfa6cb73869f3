"""Measure everything that docs/benchmarks.md shows, one after the other: python experiments/benchmarks/all_tables.py.

It takes about two hours, in which the machine should do nothing else. Words after the command name single tables; that
of a GPU, ``gpu_times``, is made only where it is named.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
TABLES = HERE.parents[1] / "docs" / "benchmarks"
#: Table -> what the command of its name is told, beside where the table goes.
COMMANDS: dict[str, list[str]] = {
    "step_times": ["--rounds", "3", "--updates", "3"],
    "set_times": ["--rounds", "3", "--networks", "8", "--updates", "600"],
    "profile_set": ["--rounds", "3", "--networks", "8", "--updates", "600"],
    "profile_step": ["--rounds", "3", "--updates", "5"],
    "violations": [],
    "larger_than_memory": [],
    "analysis_growth": [],
    "growth": [
        *("units=64,250,1000,4000", "steps=100,500,1000,5000", "batch=8,32,128,512"),
        *("trials=100,1000,10000", "recording=64,500,2000", "networks=1,4"),
    ],
    "gpu_times": ["--rounds", "3", "--updates", "3"],
}
ON_A_GPU = ("gpu_times",)


def main() -> None:
    """Write the tables that are asked for, or all that this machine can make."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument(
        "tables", nargs="*", metavar="TABLE", help=f"from {', '.join(COMMANDS)}; none: all that need no GPU"
    )
    options = parser.parse_args()
    for name in options.tables or [name for name in COMMANDS if name not in ON_A_GPU]:
        start = time.perf_counter()
        words = [*COMMANDS[name], "--out", str(TABLES / f"{name}.md")]
        subprocess.run([sys.executable, str(HERE / f"{name}.py"), *words], check=True)
        print(f"{name}: {time.perf_counter() - start:.0f} s\n", flush=True)


if __name__ == "__main__":
    main()
