"""The time of a whole run, its report included, with one worker and with two.

A row for ``biornn run EXPERIMENT`` and one for ``biornn report RUN --anew`` of that run, each with ``--workers 1`` and
``--workers 2`` in turns.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from argparse import Namespace
from functools import partial
from pathlib import Path

from side_by_side import describe, environment, in_turns, seconds, speed_ups

DEFAULTS = {"rounds": 3, "experiment": Path(__file__).parents[1] / "flip_flop.yaml"}


def biornn(*words: object) -> None:
    """Run the command as its users do, with threads as it chooses them."""
    command = [sys.executable, "-m", "biornn.cli", *map(str, words)]
    done = subprocess.run(command, env=environment(None), capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: expected exit status 0, got {done.returncode}: {done.stderr}")


def parts(options: Namespace) -> list[str]:
    """Measure runs and reports."""
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        making = ["run", options.experiment, "--out", run, "--overwrite", "--workers"]
        commands = {"`biornn run`": making, "`biornn report`": ["report", run, "--anew", "--workers"]}
        cases = {
            (name, n): partial(seconds, partial(biornn, *command, n))
            for name, command in commands.items()
            for n in (1, 2)
        }
        found = in_turns(cases, options.rounds)
    return [
        speed_ups("a run", {name: {n: found[name, n] for n in (1, 2)} for name in commands}),
        f"`{options.experiment.name}`; median [lowest, highest] of {options.rounds} rounds. "
        f"{describe('biornn', 'keras', 'tensorflow')}",
    ]
