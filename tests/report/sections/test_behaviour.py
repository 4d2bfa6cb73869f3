"""What a report says of behaviour: parts by what a task has, against planted outputs."""

from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr

from biornn.report.pictures import Picture
from biornn.report.reading import Reading
from biornn.report.sections.behaviour import behaviour
from biornn.report.sections.trial_conditions import trial_conditions
from biornn.report.tables import Table
from biornn.tasks import (
    ContextDecision,
    GoNoGo,
    MemoryProAnti,
    ParametricMemory,
    PerceptualDecision,
    ReadySetGo,
    SineGenerator,
    Task,
)
from tests.report.hits import Hits
from tests.tasks.choices import choosing

MakeRun = Callable[..., xr.DataTree]


def pictures(section):
    return {block.name: block for block in section.blocks if isinstance(block, Picture)}


def with_outputs(run: xr.DataTree, outputs: xr.DataArray) -> xr.DataTree:
    """Give a run other outputs, (network, trial, time, output_channel) or the same in all networks."""
    activity = run["activity"].to_dataset(inherit=False)
    planted = (xr.zeros_like(activity["outputs"]) + outputs).transpose(*activity["outputs"].dims)
    run["activity"].dataset = activity.assign(outputs=planted.where(activity["outputs"].notnull()))
    return run


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        (PerceptualDecision(reaction_time=True), ["trial_conditions", "psychometric", "chronometric", "confusion"]),
        (ContextDecision(), ["trial_conditions", "psychometric", "confusion"]),
        (ParametricMemory(shortest_delay=200, longest_delay=400), ["trial_conditions", "confusion"]),
        (GoNoGo(), ["trial_conditions", "confusion"]),
        (MemoryProAnti(), ["trial_conditions", "confusion", "confusion_of_directions"]),
        (ReadySetGo(), ["trial_conditions", "production"]),
        (SineGenerator(), ["trial_conditions", "production"]),
    ],
    ids=lambda one: one.name if isinstance(one, Task) else "-",
)
def test_a_task_has_the_parts_that_it_declares(make_run: MakeRun, task: Task, expected: list[str]) -> None:
    section = behaviour(Reading(make_run(seeds=[0], task=task, n_trials=80)))
    assert section is not None
    found = pictures(section)
    assert list(found) == expected
    for picture in found.values():
        picture.draw()


def test_a_task_without_any_has_no_such_section(make_run: MakeRun) -> None:
    assert behaviour(Reading(make_run(task=Hits()))) is None
    assert behaviour(Reading(make_run())) is None  # of the flip-flop


def test_networks_that_were_not_trained_have_no_behaviour(make_run: MakeRun) -> None:
    assert behaviour(Reading(make_run(task=GoNoGo(), status=["failed"] * 4))) is None


def test_the_worst_trial_condition_has_a_name_and_shortcuts_are_told(make_run: MakeRun) -> None:
    run = make_run(task=ContextDecision(), n_trials=73 * 2)
    trials = run["trials"].to_dataset()
    motion = trials["motion_coherence"].drop_vars("trial")
    section = behaviour(Reading(with_outputs(run, choosing(trials.drop_vars("trial"), motion > 0))))
    assert section is not None
    # Who follows motion always is right in the context of motion, and in half of the others.
    assert "the lowest in 2 of 2 networks" in section.blocks[0]
    assert "free: context=colour" in section.blocks[0]
    alt = pictures(section)["trial_conditions"].alt
    assert "ignores the context 0.750" in alt
    alt = pictures(section)["psychometric"].alt
    assert "motion, context colour: dale: 0.00 at -10, 1.00 at 10" in alt  # it should be flat
    table = next(block for block in section.blocks if isinstance(block, Table))
    assert [row[2].text for row in table.rows if "motion," in row[0].text] == ["0 of 2 (2 separated)"] * 4


def test_networks_that_are_as_good_in_all_trial_conditions_have_no_worst_one(make_run: MakeRun) -> None:
    run = make_run(task=GoNoGo(), seeds=[0, 1, 2])
    perfect = behaviour(Reading(run))
    assert perfect is not None
    assert "free: none is lower than the others; dale: none is lower than the others." in perfect.blocks[0]
    # One of three always goes: that one alone has a worst condition, and it is the one to be named.
    always = xr.DataArray(np.arange(6) == 5, dims="network")
    targets = run["trials"].to_dataset()["targets"].drop_vars("trial")
    uneven = behaviour(Reading(with_outputs(run, xr.where(always, 1.0, targets))))
    assert uneven is not None
    assert "free: none is lower than the others; dale: stimulus=no-go (1.000; the lowest in 1 of 3" in uneven.blocks[0]


def test_what_is_produced_has_the_slope_that_was_planted(make_run: MakeRun) -> None:
    run = make_run(seeds=[0], task=ReadySetGo(), n_trials=60)
    trials = run["trials"].to_dataset().drop_vars("trial")
    go = (100 + trials["interval"] + 0.5 * trials["interval"] + 500) / 20
    step = xr.DataArray(np.arange(trials.sizes["time"]), dims="time")
    section = behaviour(Reading(with_outputs(run, (step >= go).astype(float))))
    assert section is not None
    table = next(block for block in section.blocks if isinstance(block, Table))
    for row in table.rows:
        assert row[0].text == "interval (ms)"
        # Rounded to steps of 20 ms, of intervals that vary by 200 ms.
        assert row[2].value == pytest.approx(0.5, abs=0.05)
        assert row[5].text == "0%"
    assert "interval, free: 0.5" in pictures(section)["production"].alt


def test_reaction_times_have_the_slope_that_was_planted(make_run: MakeRun) -> None:
    run = make_run(seeds=[0], task=PerceptualDecision(reaction_time=True), n_trials=110)
    trials = run["trials"].to_dataset().drop_vars("trial")
    time = 700 - 100 * np.log2(trials["coherence"]) - 100  # rounded up to steps of 20 ms, of which it is a multiple
    answers = (trials["time"] >= 100 + time) & (trials["output_channel"] == trials["correct_choice"])
    section = behaviour(Reading(with_outputs(run, 1.1 * answers)))
    assert section is not None
    table = [block for block in section.blocks if isinstance(block, Table)][-1]
    assert [row[2].text for row in table.rows] == ["-100", "-100"]
    assert [row[3].text for row in table.rows] == ["100%", "100%"]
    assert "free: 600 to 200 ms" in pictures(section)["chronometric"].alt


def test_directions_are_off_the_diagonal_where_networks_point_away(make_run: MakeRun) -> None:
    task = MemoryProAnti(n_directions=4)
    run = make_run(seeds=[0], task=task, n_trials=40)
    targets = run["trials"].to_dataset()["targets"].drop_vars("trial")
    away = targets * xr.DataArray([1, -1, -1], dims="output_channel")
    section = behaviour(Reading(with_outputs(run, away)))
    assert section is not None
    alt = pictures(section)["confusion_of_directions"].alt
    assert "free: 0 → 180 1.00, 90 → 270 1.00, 180 → 0 1.00, 270 → 90 1.00." in alt


def test_trials_without_an_answer_are_told_and_never_taken_for_a_choice(make_run: MakeRun) -> None:
    run = make_run(seeds=[0], task=PerceptualDecision(reaction_time=True), n_trials=180)
    trials = run["trials"].to_dataset().drop_vars("trial")
    answered = trials["coherence"] > 1  # in no trial of the weakest stimulus
    outputs = choosing(trials, trials["signed_coherence"] > 0)
    section = behaviour(Reading(with_outputs(run, 2 * outputs.where(answered, 0.0))))
    assert section is not None
    assert "up to 100% of those of a network" in pictures(section)["psychometric"].caption
    shares = [block for block in trial_conditions(Reading(run)).blocks if isinstance(block, Table)][1]
    first = [cell.text for cell in shares.rows[0]]
    assert first[:2] == ["coherence=1.0", "left"]
    assert first[3:] == ["0.000"] * 4  # of free and dale: neither left nor right, although right answers are all others
    every = behaviour(Reading(with_outputs(run, 2 * outputs)))
    assert every is not None
    assert "Trials without an answer" not in pictures(every)["psychometric"].caption
    shares = [block for block in trial_conditions(Reading(run)).blocks if isinstance(block, Table)][1]
    assert [cell.text for cell in shares.rows[0]][3:] == ["1.000"] * 2
