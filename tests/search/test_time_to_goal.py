"""The search for the fastest recipe: its goal, its rounds, a small search, and the results that are kept."""

import math
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
import xarray as xr
import yaml

from biornn.experiment import expand, load_experiment

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "experiments" / "search"
BASE = ROOT / "experiments" / "flip_flop.yaml"
ROUND = {"base": str(BASE), "networks": {"dale": [4]}, "goal": {"accuracy": 0.5}}
SMALL = {"network.n_units": 5, "training.max_updates": 4, "training.validate_every": 2, "training.batch_size": 2}


@pytest.fixture(autouse=True)
def scripts_find_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(FOLDER)


def test_a_goal_is_reached_at_the_first_of_two_good_validations_in_a_row() -> None:
    from time_to_goal import Goal

    scores = {
        "score": [0.3, 0.99, 0.97, 0.98, 0.99],
        "held": [0.0, 0.5, 1.0, 1.0, 0.875],
        "val_loss": [0.9, 0.01, 0.03, 0.03, 0.01],
    }
    history = xr.Dataset(
        {name: ("snapshot", values) for name, values in scores.items()},
        {"update": ("snapshot", [0, 50, 100, 150, 200])},
    )
    assert Goal(accuracy=0.98).first_reached(history) == 150
    assert Goal(accuracy=0.97).first_reached(history) == 50
    assert Goal(accuracy=0.97, held=1.0).first_reached(history) == 100
    assert Goal(accuracy=0.97).first_reached(history.assign(held=history["held"] * math.nan)) == 50  # not measured
    assert math.isnan(Goal(accuracy=0.98, held=1.0).first_reached(history))
    assert math.isnan(Goal(accuracy=0.98, mse=0.02).first_reached(history))  # the last has no successor
    assert math.isnan(Goal(accuracy=0.98).first_reached(history.assign(score=history["score"] * math.nan)))


def test_a_variant_changes_what_it_says_and_its_round_what_all_share() -> None:
    from time_to_goal import jobs

    variants = {"base": None, "fast": {"training.learning_rate": 0.5, "training.clip_norm": None}}
    networks = {"dale": [4, 2], "sparse": [2]}
    found = list(jobs({"one": {**ROUND, "networks": networks, "set": SMALL, "variants": variants}}, FOLDER))
    assert [(job.variant, job.spec.condition, job.spec.seed) for job in found] == [
        ("base", "dale", 2),
        ("base", "sparse", 2),
        ("fast", "dale", 2),
        ("fast", "sparse", 2),
        ("base", "dale", 4),
        ("fast", "dale", 4),
    ]
    assert {job.spec.network.n_units for job in found} == {5}
    base, _, fast, *_ = found
    assert (base.spec.training.clip_norm, fast.spec.training.clip_norm) == (0.03, None)
    assert fast.spec.training.learning_rate == 0.5


@pytest.mark.nightly
def test_a_search_keeps_every_network_and_trains_none_again(tmp_path: Path) -> None:
    shorter = {"task": {"duration": 228, "n_pulses": 2}, "updates": 2}
    variants = {"long": {}, "shorter first": {"training.stages": [shorter]}}
    goal = {"accuracy": 0.0}
    rounds = {"small": {**ROUND, "goal": goal, "set": {**SMALL, "training.criterion": 0.0}, "variants": variants}}
    (tmp_path / "variants.yaml").write_text(yaml.safe_dump(rounds))
    words = ["--variants", tmp_path / "variants.yaml", "--results", tmp_path / "results.csv", "--workers", 1]

    def search() -> str:
        command = [sys.executable, str(FOLDER / "time_to_goal.py"), *map(str, words)]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    printed, kept = search(), (tmp_path / "results.csv").read_text()
    lines = [line.split(",") for line in kept.splitlines()]
    names = ["round", "variant", "condition", "seed", "updates", "seconds", "accuracy", "held", "mse", "status"]
    assert lines[0] == names
    # An accuracy of at least 0 is there before any update.
    assert [(line[1], line[4], line[-1]) for line in lines[1:]] == [
        ("long", "0.0", "reached"),
        ("shorter first", "0.0", "reached"),
    ]
    assert "| long | 1/1: 0 |" in printed
    assert search() == printed
    assert (tmp_path / "results.csv").read_text() == kept


def test_the_table_multiplies_updates_by_the_time_of_one(tmp_path: Path) -> None:
    from results import COLUMNS, SHAPE, shape_of, table
    from time_to_goal import Goal

    small, other, protocol = (
        expand(load_experiment(BASE, [f"network.n_units={n}", f"training.max_updates={updates}", "seeds=[0]"]))[0]
        for n, updates in ((5, 100), (6, 100), (7, 1000))
    )
    times = {shape_of(small): [1.0, 2.0, 9.0], shape_of(protocol): [4.0, 20.0, 18.0]}
    rows = [[*shape, number, ms] for shape, all_ms in times.items() for number, ms in enumerate(all_ms)]
    pd.DataFrame(rows, columns=[*SHAPE, "round", "ms"]).to_csv(tmp_path / "times.csv", index=False)
    jobs = [
        SimpleNamespace(round="one", variant=name, spec=spec, goal=Goal(accuracy=0.9, mse=0.1))
        for name, spec in (("small", small), ("other", other))
    ]
    rows = [("small", 0, 50.0, "reached"), ("small", 1, 150.0, "reached"), ("other", 0, math.nan, "not reached")]
    results = pd.DataFrame(
        [
            ["one", variant, "unconstrained", seed, updates, 1.0, 0.95, 1.0 - seed, 0.05, status]
            for variant, seed, updates, status in rows
        ],
        columns=COLUMNS,
    )
    lines = table(jobs, results, tmp_path / "times.csv", protocol).splitlines()
    assert lines[4] == "| small | 2/2: 100 [50, 150] | 2.0 | 0.2 [0.1, 0.3] | 0.950 | 1/2 | 0.0500 | 1/40 |"
    assert lines[5] == "| other | 0/1 | — | — | 0.950 | 1/1 | 0.0500 | — |"


@pytest.mark.nightly
def test_one_network_of_each_shape_is_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    import time_to_goal

    monkeypatch.setattr(time_to_goal, "N_ROUNDS", 2)
    monkeypatch.setattr(time_to_goal, "N_UPDATES", 1)
    settings = [f"{key}={value}" for key, value in SMALL.items()]
    kinds = [[], ["network.activation=relu"], ["training.task.duration=600"]]
    found = time_to_goal.measure([spec for kind in kinds for spec in expand(load_experiment(BASE, settings + kind))])
    assert found["activation"].tolist() == ["tanh", "relu", "tanh"] * 2
    assert found["steps"].tolist() == [110, 110, 150] * 2
    assert found["round"].tolist() == [0] * 3 + [1] * 3
    assert found["ms"].min() > 0


@pytest.mark.nightly
def test_the_results_that_are_kept_are_all_there_and_in_the_documentation() -> None:
    from results import KEY, read, table
    from time_to_goal import PROTOCOL, jobs

    todo = list(jobs(yaml.safe_load((FOLDER / "variants.yaml").read_text()), FOLDER))
    results = read(FOLDER / "results.csv")
    assert sorted(results[KEY].itertuples(index=False, name=None)) == sorted(job.key for job in todo)
    (protocol,) = expand(load_experiment(PROTOCOL))
    assert table(todo, results, FOLDER / "update_times.csv", protocol) == (FOLDER / "table.md").read_text()
