"""Make the tables of docs/benchmarks.md: python experiments/benchmarks/all_tables.py [TABLE…] [--OPTION…].

Without a name all are made, one after the other, but ``gpu_times``, which needs a GPU, and ``fixed_points``, which
needs a clone of fixed-point-finder. It takes some hours, in which the machine should do nothing else. Each table is
printed, and written to docs/benchmarks/. A single table has options, such as ``step_times --backend jax``; with them it
is only printed, or written to the folder that ``--out`` names.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from importlib import import_module
from itertools import takewhile
from pathlib import Path
from typing import Any

PAGES = Path(__file__).parents[2] / "docs" / "benchmarks"
#: Scripts of this folder with `DEFAULTS` of their options, and `parts`, which measures, and returns tables and text.
TABLES = (
    *("step_times", "set_times", "report_times", "profile_set", "profile_step", "violations"),
    *("larger_than_memory", "analysis_growth", "growth", "fixed_points", "gpu_times"),
)


def settings(words: Sequence[str]) -> argparse.Namespace:
    """Read the command line: tables, where they go, and if there is one table, an option for each of its defaults."""
    names = list(takewhile(lambda word: word in TABLES, words))
    defaults: dict[str, Any] = import_module(names[0]).DEFAULTS if len(names) == 1 else {}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tables", nargs="*", metavar="TABLE", help=f"from {', '.join(TABLES)}")
    parser.add_argument("--out", type=Path, help="folder of the tables")
    for name, default in defaults.items():
        several = isinstance(default, list)
        kind = type(default[0] if several else default)
        parser.add_argument(
            f"--{name}", type=_size if kind is tuple else kind, default=default, nargs="+" if several else None,
            help="default: %(default)s",
        )  # fmt: skip
    options = parser.parse_args(words)
    if unknown := set(options.tables) - set(TABLES):
        parser.error(f"expected tables from {', '.join(TABLES)}, got {', '.join(unknown)}")
    if options.out is None and all(getattr(options, name) == default for name, default in defaults.items()):
        options.out = PAGES
    return options


def _size(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(",")))


def main(words: Sequence[str]) -> None:
    """Make the tables that are asked for, or all that need nothing else."""
    options = settings(words)
    for name in options.tables or TABLES[:-2]:
        start, script = time.perf_counter(), import_module(name)
        one = options if options.tables == [name] else argparse.Namespace(**script.DEFAULTS)
        text = "\n\n".join(script.parts(one)) + "\n"
        print(f"{text}\n{name}: {time.perf_counter() - start:.0f} s\n", flush=True)
        if options.out is not None:
            options.out.mkdir(parents=True, exist_ok=True)
            (options.out / f"{name}.md").write_text(text)


if __name__ == "__main__":
    main(sys.argv[1:])
