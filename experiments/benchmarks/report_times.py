"""Time a whole run, its report included, with one worker and with two: python experiments/benchmarks/report_times.py.

Prints a row for ``biornn run EXPERIMENT`` and one for ``biornn report RUN --anew`` of that run, each with
``--workers 1`` and ``--workers 2`` in turns.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from side_by_side import describe, environment, in_turns, publish, seconds, settings, speed_ups

EXPERIMENTS = Path(__file__).parents[1]


def biornn(*words: object) -> None:
    """Run the command as its users do, with threads as it chooses them."""
    command = [sys.executable, "-m", "biornn.cli", *map(str, words)]
    done = subprocess.run(command, env=environment(None), capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: expected exit status 0, got {done.returncode}: {done.stderr}")


def main(words: Sequence[str] | None = None) -> None:
    """Measure, and publish the table."""
    options = settings(__doc__, words, rounds=3, experiment=EXPERIMENTS / "flip_flop.yaml")
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        making = ["run", options.experiment, "--out", run, "--overwrite", "--workers"]
        commands = {"biornn run": making, "biornn report": ["report", run, "--anew", "--workers"]}
        found = in_turns(
            {
                (name, n): partial(seconds, partial(biornn, *command, n))
                for name, command in commands.items()
                for n in (1, 2)
            },
            options.rounds,
        )
    rows = {f"`{name}`": {n: found[name, n] for n in (1, 2)} for name in commands}
    said = f"`{options.experiment.name}`; median [lowest, highest] of {options.rounds} rounds."
    publish(options.out, speed_ups("a run", rows), f"{said} {describe('biornn', 'keras', 'tensorflow')}")


if __name__ == "__main__":
    main()
