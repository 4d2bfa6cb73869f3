"""Run trained networks in other steps than those of their training: python experiments/search/finer_steps.py RUN...

A network with time constants stands for a system in continuous time, of which it makes Euler steps. What it does should
then not depend on them. Prints a table by condition and length of the steps: accuracy on new trials, median [lowest,
highest] over networks; how many samples of bits that are not set yet have an output nearer to 0 than to 1 or -1.
"""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pandas as pd

import biornn as bn
from biornn.tasks import task_of
from biornn.tasks.scores import mean_score, score_trials

STEPS = (4.0, 2.0, 1.0)  # ms
N_TRIALS, SEED = 128, 1  # new trials


def in_steps_of(dt: float, run: str) -> pd.DataFrame:
    """Score the networks of a run in steps of `dt` ms: condition, accuracy, and shares of what is right."""
    stored = bn.open_run(run)
    trained = task_of(stored["trials"])
    task = replace(trained, dt=dt)
    weights = stored["weights"].to_dataset().isel(snapshot=-1)
    weights["alpha"] = weights["alpha"] * dt / trained.dt
    trials = task.trials(N_TRIALS, SEED)
    outputs = bn.analysis.simulate(weights, trials["inputs"], rates=False)["outputs"]
    counts, targets, sample = (
        ~trials["response_window"].astype(bool),
        trials["targets"],
        ["trial", "time", "output_channel"],
    )
    return pd.DataFrame(
        {
            "condition": weights["condition"],
            "accuracy": mean_score(score_trials(task, outputs, trials)),
            "zeros": (abs(outputs) < 0.5).where(counts & (targets == 0)).mean(sample),
            "signs": (outputs * targets > 0).where(counts & (targets != 0)).mean(sample),
            "held": bn.analysis.retention(weights, task.probe(), task=task)["held"],
        }
    )


def main(runs: list[str]) -> None:
    """Print the table."""
    rows, steps, lowest = [], set(STEPS), {"signs": 1.0, "held": 1.0}
    for run in runs:
        dt = task_of(bn.open_run(run)["trials"]).dt
        steps.add(dt)
        found = pd.concat({step: in_steps_of(step, run) for step in (dt, *STEPS) if step <= dt}, names=["step"])
        lowest = {name: min(value, found[name].min()) for name, value in lowest.items()}
        for condition, of_condition in found.groupby("condition", sort=False):
            row = {"trained in steps of": f"{dt:g} ms", "condition": condition}
            for step, of_step in of_condition.groupby("step", sort=False):
                low, middle, high = np.quantile(of_step["accuracy"], [0, 0.5, 1])
                row[f"in steps of {step:g} ms"] = f"{middle:.3f} [{low:.3f}, {high:.3f}]; {of_step['zeros'].mean():.0%}"
            rows.append(row)
    names = ["trained in steps of", "condition", *(f"in steps of {step:g} ms" for step in sorted(steps, reverse=True))]
    for cells in (names, ["---"] * len(names), *([row.get(name, "") for name in names] for row in rows)):
        print(f"| {' | '.join(cells)} |")
    print(
        f"\nOf every network, in all steps, at least {lowest['signs']:.2%} of the samples of bits that are set have "
        f"their sign, and {lowest['held']:.0%} of the states are held."
    )


if __name__ == "__main__":
    main(sys.argv[1:])
