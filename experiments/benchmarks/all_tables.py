"""Make the tables of docs/benchmarks.md, one after the other: python experiments/benchmarks/all_tables.py [TABLE…].

It takes some hours, in which the machine should do nothing else. Without a name it makes all but ``gpu_times``, which
needs a GPU. Each table is printed, and written to docs/benchmarks/.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
PAGES = HERE.parents[1] / "docs" / "benchmarks"
TABLES = (
    *("step_times", "set_times", "report_times", "profile_set", "profile_step", "violations"),
    *("larger_than_memory", "analysis_growth", "growth", "gpu_times"),
)


def main() -> None:
    """Make the tables that are asked for, or all that need no GPU."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("tables", nargs="*", metavar="TABLE", help=f"from {', '.join(TABLES)}")
    for name in parser.parse_args().tables or TABLES[:-1]:
        start = time.perf_counter()
        subprocess.run([sys.executable, HERE / f"{name}.py", "--out", PAGES / f"{name}.md"], check=True)
        print(f"{name}: {time.perf_counter() - start:.0f} s\n", flush=True)


if __name__ == "__main__":
    main()
