"""The gallery of experiments/tasks: what its table, parts and pictures say of planted runs, and the command."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest

import biornn as bn
from biornn.report.reading import Reading
from biornn.tasks import DelayedMatch, GoNoGo
from tests.conftest import SMALL_EXPERIMENT
from tests.report.conftest import planted_run

FOLDER = Path(__file__).parents[2] / "experiments" / "tasks"
PAGES = Path(__file__).parents[2] / "docs" / "gallery"
sys.path.insert(0, str(FOLDER))

import gallery  # noqa: E402


def planted(**settings: object) -> Reading:
    """Go or no-go, in which the last network goes whatever the stimulus, and the others are right."""
    run = planted_run(task=GoNoGo(), **settings)
    activity = run["activity"].to_dataset(inherit=False)
    activity["outputs"] = activity["outputs"].where(activity["network"] != activity["network"][-1], 1.0)
    run["activity"].dataset = activity
    return Reading(run)


def cells(reading: Reading) -> list[dict[str, str]]:
    return [dict(zip(gallery.COLUMNS, row, strict=True)) for row in gallery.rows("go_no_go", reading)]


def test_a_row_has_medians_with_ranges_and_names_who_did_not_reach_the_criterion() -> None:
    status = ["criterion_reached", "criterion_not_reached", "diverged", *["criterion_reached"] * 3]
    free, dale = cells(planted(seeds=[0, 3, 7], status=status, training={"criterion_on": "worst"}))
    assert free == {
        "task": "[go_no_go](#go_no_go)",
        "condition": "free",
        "criterion": "0.9, worst",
        "reached it": "1 of 3, not seeds 3, 7",
        "updates": "never [100, never]",
        "time (s)": "2",  # 1 and 2 s, halfway to the even number; the third has diverged
        "score": "1.000",
        "worst score": "1.000",
    }
    assert dale == {
        "task": "[go_no_go](#go_no_go)",
        "condition": "dale",
        "criterion": "0.9, worst",
        "reached it": "3 of 3",
        "updates": "100",
        "time (s)": "5",
        "score": "1.000 [0.500, 1.000]",
        "worst score": "1.000 [0.000, 1.000] at stimulus=no-go (1 of 3)",
    }


def test_a_row_without_a_criterion_or_trial_conditions_has_dashes() -> None:
    (row, *_) = gallery.rows(
        "flip_flop", Reading(planted_run(seeds=[0], training={"criterion": None}, status=["completed"] * 2))
    )
    found = dict(zip(gallery.COLUMNS, row, strict=True))
    assert found["criterion"] == "none"
    for column in ("reached it", "updates", "worst score"):
        assert found[column] == "–"
    (row, *_) = gallery.rows(
        "flip_flop", Reading(planted_run(seeds=[0], training={"criterion": {"score": 0.9, "held": 1.0}}))
    )
    assert row[2] == "validation accuracy 0.9 and 100% of the memory states held"


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        pytest.param(["criterion_reached"] * 4, "dale-s00", marks=pytest.mark.nightly),
        (["criterion_reached"] * 2 + ["criterion_not_reached", "criterion_reached"], "dale-s01"),
        pytest.param(["criterion_reached"] + ["criterion_not_reached"] * 3, "dale-s00", marks=pytest.mark.nightly),
        (["criterion_not_reached", "criterion_reached", "diverged", "failed"], "free-s01"),
        (["failed"] * 4, None),
    ],
)
def test_the_network_of_the_picture_is_of_the_last_condition_and_reached_its_criterion_where_one_did(
    status: list[str], expected: str | None
) -> None:
    assert gallery.shown(planted(status=status)) == expected


def test_the_picture_has_the_outputs_of_a_trial_whose_target_changes() -> None:
    reading = planted()
    stimulus = reading.few_trials["stimulus"].values.tolist()
    figure = gallery.picture(reading, "free-s01")
    axes = {ax.get_ylabel().splitlines()[0]: ax for ax in figure.axes}
    assert list(axes) == ["fixation", "no-go", "go"]
    lines = {line.get_label(): line for line in axes["go"].get_lines()}
    assert list(lines) == ["input", "target", "output"]
    which = reading.few_trials["trial"].values[stimulus.index("go")]  # of a no-go trial all targets are 0
    outputs = reading.run["activity"].to_dataset()["outputs"].sel(network="free-s01", trial=which)
    np.testing.assert_array_equal(lines["output"].get_ydata(), outputs.isel(output_channel=0))
    assert [ax.get_xlabel() for ax in axes.values()] == ["", "time (ms)", "time (ms)"]


def test_of_many_inputs_some_are_drawn_and_the_text_says_so() -> None:
    reading = Reading(planted_run(task=DelayedMatch(dt=20), n_trials=16))
    names = [ax.get_ylabel().splitlines()[0] for ax in gallery.picture(reading, "dale-s00").axes]
    assert names == [*(f"direction {angle}" for angle in range(0, 360, 45)), "fixation", "match", "non-match"]
    text = gallery.section("delayed_match", reading, "dale-s00")
    assert "*A held-out trial (one in 3 of the inputs), and the outputs of dale-s00 (accuracy 1.000).*" in text
    assert "\n\nSource: Masse et al. (2019), Nat. Neurosci. 22, 1159;" in text
    assert "held-out" not in gallery.section("delayed_match", reading, None)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["go_no_go", "flip"], r"error: TASK: expected some of boolean_gate, click_.*, got flip$"),
        (["go_no_go"], r"error: --out: expected a folder, as docs/gallery is that of all tasks, got none$"),
    ],
)
def test_what_cannot_be_gets_one_line(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        gallery.main(words)
    assert re.search(message, capsys.readouterr().err.strip())


def test_a_finished_run_is_read_and_not_trained_again(
    run_copy: Path, experiment_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "copy.yaml").write_text(experiment_file.read_text())
    monkeypatch.setattr(gallery, "FOLDER", tmp_path)
    before = {path: path.stat().st_mtime_ns for path in run_copy.rglob("*")}
    gallery.main(["--runs", str(tmp_path), "--out", str(tmp_path / "out")])
    assert {path: path.stat().st_mtime_ns for path in run_copy.rglob("*")} == before
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"table.md", "sections.md", "copy.png"}
    table = (tmp_path / "out" / "table.md").read_text()
    assert [line.split(" | ")[1] for line in table.splitlines()[2:4]] == ["unconstrained", "constrained"]
    assert "Training of the 4 networks: 0.0 h, added up." in table
    text = (tmp_path / "out" / "sections.md").read_text()
    assert text.startswith("## copy\n\nA small comparison.\n\n![")
    assert "](copy.png)" in text
    assert (tmp_path / "out" / "copy.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.nightly
@pytest.mark.usefixtures("shared_cluster")
def test_the_command_trains_what_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gallery, "FOLDER", tmp_path)
    for name, criterion in {"easy": 0.0, "hard": 1.0}.items():  # a score of 0 is there at the first validation
        training = SMALL_EXPERIMENT.replace("max_updates: 5", f"max_updates: 5, criterion: {criterion}")
        (tmp_path / f"{name}.yaml").write_text(training)
    words = ["--runs", str(tmp_path / "runs"), "--out", str(tmp_path / "out"), "--workers", "1"]
    gallery.main(["easy", *words])
    assert not (tmp_path / "runs" / "hard").exists()
    created = bn.open_run(tmp_path / "runs" / "easy").attrs["created"]
    gallery.main(words)
    assert bn.open_run(tmp_path / "runs" / "easy").attrs["created"] == created
    lines = (tmp_path / "out" / "table.md").read_text().splitlines()[2:6]
    assert [line.split(" | ")[2:5] for line in lines] == [
        *[["0, mean", "2 of 2", "2"]] * 2,
        *[["1, mean", "0 of 2, not seeds 3, 1", "never"]] * 2,
    ]


def test_what_the_page_shows_is_there() -> None:
    table, text = ((PAGES / name).read_text() for name in ("table.md", "sections.md"))
    tasks = re.findall(r"^## (\w+)$", text, re.MULTILINE)
    assert tasks
    assert tasks == list(dict.fromkeys(re.findall(r"^\| \[(\w+)\]\(#\1\)", table, re.MULTILINE)))
    for task in tasks:
        assert (FOLDER / f"{task}.yaml").is_file()
        assert (PAGES / f"{task}.png").is_file()
