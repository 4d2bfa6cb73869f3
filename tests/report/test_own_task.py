"""The report of any task: sections whose needs it does not meet are not there, and one entry adds to the page."""

from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr

from biornn.report.measures import MEASURES, Measure
from biornn.report.page import render
from biornn.report.reading import Reading
from biornn.report.section import Section, requires
from biornn.report.sections import SECTIONS
from biornn.report.sections.psychometric import psychometric
from biornn.report.tables import Table
from biornn.tasks import BooleanGate, PerceptualDecision
from tests.report.hits import Hits
from tests.report.html import Page

MakeRun = Callable[..., xr.DataTree]


@pytest.fixture(autouse=True)
def sparse_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("biornn.report.pictures._DPI", 20)  # what is drawn is tested elsewhere


@pytest.mark.nightly
def test_a_task_of_ones_own_has_a_report_that_speaks_of_its_score(make_run: MakeRun) -> None:
    page = Page(render(make_run(task=Hits())))
    said = " ".join([page.text("body"), *(attrs["alt"] for attrs, _ in page.all("img"))])
    assert "trained on the task hits: 2 conditions" in page.text("header")
    assert "All 4 networks reached the criterion (validation hits 0.9)." in said
    assert "Hits: share of the samples that are within 0.5 of the target. It is measured here" in said
    assert "in the held-out trials" in said
    for word in ("accuracy", "probe", "memory state", " bits", "choice", "trial condition"):
        assert word not in said.lower(), word
    missing = {"trial_conditions", "states", "retention", "memory", "selectivity"}
    assert missing.isdisjoint(attrs["id"] for attrs, _ in page.all("section"))


def test_a_run_says_what_it_has(make_run: MakeRun) -> None:
    hits, gate, flip_flop = (Reading(make_run(task=task, seeds=[0])) for task in (Hits(), BooleanGate(), None))
    assert hits.has("n_steps")
    assert not any(hits.has(name) for name in ("probe", "choice", "trial_conditions", "memory_state"))
    assert gate.has("probe", "choice", "trial_conditions", "pattern")
    assert not gate.has("choice", "memory_state")
    assert flip_flop.has("probe", "memory_state", "response_window")
    assert not flip_flop.has("trial_conditions")


@pytest.mark.nightly
def test_one_entry_brings_a_measure_to_answer_differences_and_effects(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = Measure(
        "luck",
        "luck",
        "{score} by luck",
        lambda reading: 0.5 * reading.summary["score"],
        requires=("choice",),
        form=".1f",
        tell=lambda reading: f"{len(reading.networks)} were lucky.",
    )
    monkeypatch.setattr("biornn.report.reading.MEASURES", (*MEASURES, entry))
    few = {name: SECTIONS[name] for name in ("answer", "differences")}
    monkeypatch.setattr("biornn.report.page.SECTIONS", few)
    page = Page(render(make_run(task=BooleanGate())))
    sections = {attrs["id"]: text for attrs, text in page.all("section")}
    assert "accuracy by luck" in sections["answer"]
    assert "4 were lucky." in sections["answer"]
    assert "luck accuracy by luck" in sections["differences"]
    assert "lucky" not in Page(render(make_run(task=Hits()))).text("body")


@pytest.mark.nightly
def test_one_entry_brings_a_section_to_the_page(make_run: MakeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    @requires("pattern")
    def patterns(reading: Reading) -> Section:
        return Section("patterns", "Patterns of pulses", ("What the patterns were.",))

    monkeypatch.setattr("biornn.report.page.SECTIONS", {"answer": SECTIONS["answer"], "patterns": patterns})
    assert "What the patterns were." in Page(render(make_run(task=BooleanGate(), seeds=[0]))).text("main")
    assert "patterns were" not in render(make_run(task=Hits(), seeds=[0]))


def test_a_gate_has_a_truth_table(make_run: MakeRun) -> None:
    section = SECTIONS["trial_conditions"](Reading(make_run(task=BooleanGate("and"))))
    assert section is not None
    scores, choices = (block for block in section.blocks if isinstance(block, Table))
    assert [row[0].text for row in scores.rows] == ["pattern=00", "pattern=01", "pattern=10", "pattern=11"]
    assert [row[1].text for row in scores.rows] == ["4"] * 4  # of 16 trials
    assert "choose high" in choices.caption
    assert [row[1].text for row in choices.rows] == ["low", "low", "low", "high"]
    # Outputs are the targets but for noise: every choice is right.
    assert [row[3].value for row in choices.rows] == [0.0, 0.0, 0.0, 1.0]


def test_trials_that_are_not_scored_are_in_no_table(make_run: MakeRun) -> None:
    task = PerceptualDecision(coherences=(2.0, 16.0), n_catch=2)
    section = SECTIONS["trial_conditions"](Reading(make_run(task=task)))
    assert section is not None
    scores, choices = (block for block in section.blocks if isinstance(block, Table))
    assert [row[0].text for row in scores.rows] == ["coherence=2.0", "coherence=16.0"]  # and no catch trials
    assert [row[1].text for row in choices.rows] == ["left", "right"] * 2


def test_choices_have_a_psychometric_curve(make_run: MakeRun) -> None:
    status = ["completed"] * 3 + ["failed"]
    run = make_run(task=PerceptualDecision(), n_trials=300, status=status)
    activity = run["activity"].to_dataset(inherit=False)
    evidence = run["trials"]["signed_coherence"].fillna(0).drop_vars("trial")
    noise = np.random.default_rng(0).normal(0, 4, (3, 300))
    right = activity["outputs"].isel(time=0, output_channel=0, drop=True).copy(deep=True)
    right[:3] = evidence.values + noise > 0  # as a normal distribution of that width says
    sides = xr.concat([1 - right, right], activity["output_channel"])
    activity["outputs"] = sides.expand_dims(time=activity["time"]).transpose(*activity["outputs"].dims)
    run["activity"].dataset = activity
    section = psychometric(Reading(run))
    assert section is not None
    _, picture, table = section
    assert "choices of right" in picture.alt
    assert "dale: " in picture.alt
    assert "ideal observer" in picture.caption
    free, dale = table.rows
    assert (free[2].text, dale[2].text) == ("2 of 2", "1 of 1")
    for row in (free, dale):  # standard errors of about 0.7 for 273 scored trials
        assert abs(row[3].value) < 2
        assert 2 < row[4].value < 6
    assert (free[6].text.count("["), dale[6].text.count("[")) == (1, 0)  # an interval takes two networks
    picture.draw()
    # In every trial, catch trials too, one output is high throughout.
    assert Reading(run).measures["catch_score"][:3].values.tolist() == [0, 0, 0]
    assert psychometric(Reading(make_run(task=Hits()))) is None


def test_padding_changes_no_measure_of_activity(make_run: MakeRun) -> None:
    task = PerceptualDecision(variable_stimulus=True)
    run = make_run(task=task, seeds=[0])
    for group in ("probe_trials", "probe_activity"):
        del run[group]
    before = Reading(run)
    trials, activity = run["trials"].to_dataset(), run["activity"].to_dataset(inherit=False)
    within = xr.DataArray(range(trials.sizes["time"]), dims="time") < trials["n_steps"].drop_vars("trial")
    run["activity"].dataset = activity.assign(rates=activity["rates"].where(within, 99.0))
    after = Reading(run)
    assert not within.all()
    for name in ("participation_ratio", "similarity", "balance"):
        xr.testing.assert_identical(getattr(before, name), getattr(after, name))
