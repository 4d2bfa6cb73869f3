"""Every table, at its smallest size, and laid out from planted times."""

import json
import re
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import all_tables
import pytest
import side_by_side

from tests.benchmarks.conftest import FOLDER
from tests.conftest import SMALL_EXPERIMENT

ROOT = Path(__file__).parents[2]
ONE = ["--rounds", "1"]
SET = ["--units", "5", "--networks", "1", "--updates", "4", *ONE]


def test_the_page_shows_what_the_command_writes() -> None:
    shown = re.findall(r"{include} benchmarks/(\w+)\.md", (ROOT / "docs" / "benchmarks.md").read_text())
    assert sorted(shown) == sorted(all_tables.TABLES)
    for name in all_tables.TABLES:
        assert (FOLDER / f"{name}.py").is_file()


def test_only_a_table_with_its_defaults_goes_into_the_documentation(capsys: pytest.CaptureFixture[str]) -> None:
    assert all_tables.settings([]).out == all_tables.settings(["growth", "violations"]).out == all_tables.PAGES
    assert all_tables.settings(["step_times"]).out == all_tables.PAGES
    changed = all_tables.settings(["step_times", "--backend", "jax", "--sizes", "8,2", "6,3"])
    assert (changed.out, changed.backend, changed.sizes, changed.rounds) == (None, "jax", [(8, 2), (6, 3)], 3)
    with pytest.raises(SystemExit):
        all_tables.settings(["step_time"])
    assert "got step_time" in capsys.readouterr().err


@pytest.fixture
def in_one_process(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[..., Any]], None]:
    """Let a function answer for all processes, which none is started for."""

    def answer(call: Callable[..., Any]) -> None:
        monkeypatch.setattr(side_by_side, "_REST", 0)
        monkeypatch.setattr(side_by_side.Process, "__init__", lambda self, *arguments, **settings: None)
        monkeypatch.setattr(side_by_side.Process, "__exit__", lambda self, *error: None)
        monkeypatch.setattr(side_by_side.Process, "call", lambda self, *asked: json.loads(json.dumps(call(*asked))))

    return answer


def made(name: str, folder: Path, words: Sequence[str]) -> list[list[str]]:
    """Make a table with the command, and return its cells."""
    all_tables.main([name, *words, "--out", str(folder / "out")])
    lines = (folder / "out" / f"{name}.md").read_text().splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]


GROWTH = ["--threads", "1", "--sweeps", "units=8,16", "trials=10,20", "recording=3", "steps=3", "batch=2"]
ANALYSES = [
    "--sweeps",
    "spectra-networks=1,2",
    "spectra-units=4",
    "nonnormality=1",
    "cube-trials=40",
    "cube-networks=1",
]
#: Script, its words, the shape of its tables, and a row of them, as far as it is known.
SMALLEST = {
    "step_times": (["--sizes", "8,2", "--updates", "1", "--threads", "1", *ONE], (13, 2), ["nn4n, constrained"]),
    "profile_step": (["--sizes", "8,2", "6,3", "--updates", "1", *ONE], (8, 3), ["one update"]),
    "violations": (["--units", "10", "--updates", "2"], (7, 7), ["biornn, by projection", "0", "0", "0", "0", "–"]),
    "larger_than_memory": (
        ["--networks", "3", "--trials", "40", "--units", "5", "--share", "0"], (7, 5), ["memory cube"],
    ),
    "growth": (GROWTH, (7 + 2 + 5, 11), ["trials made", "340 steps, 3 channels", "10 … 20"]),
    "analysis_growth": (
        [*ANALYSES, "pca-trials=20", "pca-units=5"], (9 + 2 + 7, 11),
        ["networks, `memory_cube`", "100 trials, 340 steps, 100 units", "1 … 1"],
    ),
}  # fmt: skip


@pytest.mark.nightly
@pytest.mark.parametrize("name", SMALLEST)
def test_a_table_is_made_at_its_smallest_size(
    name: str, tmp_path: Path, in_one_process: Callable[[Callable[..., Any]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("updates.SHORTEST_TURN", 0)
    in_one_process(lambda function, *arguments: function(*arguments))
    words, shape, known = SMALLEST[name]
    cells = made(name, tmp_path, words)
    assert (len(cells), len(cells[0])) == shape
    assert known in [row[: len(known)] for row in cells]
    assert all(cell for row in cells for cell in row if "not installed" not in row)


@pytest.mark.nightly  # whole runs
@pytest.mark.parametrize(("name", "shape"), [("set_times", (4, 4)), ("profile_set", (12, 4))])
def test_a_set_is_timed_in_processes_of_its_own(name: str, shape: tuple[int, int], tmp_path: Path) -> None:
    cells = made(name, tmp_path, SET)
    assert (len(cells), len(cells[0])) == shape
    assert cells[2][0] in ("updates", "1 constrained networks of 5 units, 4 updates of 64 trials each")


def test_runs_and_reports_take_turns_with_one_worker_and_two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import report_times

    asked: list[list[str]] = []
    monkeypatch.setattr(side_by_side, "_REST", 0)
    monkeypatch.setattr(report_times, "biornn", lambda *words: asked.append([str(word) for word in words]))
    (tmp_path / "small.yaml").write_text(SMALL_EXPERIMENT)
    cells = made("report_times", tmp_path, ["--experiment", str(tmp_path / "small.yaml"), "--rounds", "2"])
    assert [row[0] for row in cells[2:]] == ["`biornn run`", "`biornn report`"]
    assert [(words[0], words[-1]) for words in asked] == [
        ("run", "1"), ("run", "2"), ("report", "1"), ("report", "2"),
    ] * 2  # fmt: skip
    assert "--overwrite" in asked[0]
    assert "--anew" in asked[2]


def planted(times: dict[str, list[float]]) -> Callable[..., Any]:
    """Answer for processes that time updates, with times by kind of network."""
    left = {kind: list(values) for kind, values in times.items()}

    def call(function: Callable[..., Any], *arguments: Any) -> Any:
        if function.__name__ == "turn":
            return left[arguments[0]].pop(0) if arguments[0] in left else 1.0
        return {"gpu": "GPU of a test", "kernels": "kernels"}[function.__name__]

    return call


def test_steps_are_ratios_of_one_round(
    tmp_path: Path, in_one_process: Callable[[Callable[..., Any]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    in_one_process(planted({"SimpleRNN": [2, 2, 4], "unconstrained": [1, 3, 2], "constrained": [2, 3, 2]}))
    monkeypatch.setattr("step_times.version_of", lambda package: None if package in ("torch", "nn4n") else "1")
    cells = made("step_times", tmp_path, ["--sizes", "8,2", "--threads", "2"])
    assert cells[0] == ["2 threads", "8 units, 2 trials"]
    assert ["`keras.layers.SimpleRNN`", "2000.0 ms"] in cells
    assert ["biornn, unconstrained", "0.50 [0.50, 1.50]"] in cells
    assert ["*biornn, constrained, over unconstrained*", "1.00 [1.00, 2.00]"] in cells
    assert [row[0] for row in cells if row[1] == "not installed"] == [
        "`torch.nn.RNN`, unconstrained", "nn4n, constrained",
    ]  # fmt: skip


def test_steps_on_a_gpu_are_times_and_ratios(
    tmp_path: Path, in_one_process: Callable[[Callable[..., Any]], None]
) -> None:
    # JAX, JAX in TF32 and PyTorch have their turns in each round.
    constrained = [0.002, 0.002, 0.002, 0.004, 0.004, 0.004]
    floors = {"products in float32": [0.001, 0.004], "products in TF32": [0.0005, 0.001]}
    in_one_process(planted({"constrained": constrained, "cuDNN": [0.01, 0.03], **floors}))
    cells = made("gpu_times", tmp_path, ["--sizes", "8,2", "--rounds", "2"])
    assert cells[0] == ["", "8 units, 2 trials"]
    assert cells[-1] == ["*PyTorch: biornn, constrained, over products alone, in float32*", "1.50 [1.00, 2.00]"]
    assert ["`torch.nn.RNN` of cuDNN, unconstrained", "20.0 [10.0, 30.0] ms"] in cells
    assert ["*JAX in TF32: biornn, constrained, over products alone, in TF32*", "4.00 [4.00, 4.00]"] in cells


@pytest.mark.nightly  # loads two frameworks
@pytest.mark.skipif(find_spec("jax") is None or find_spec("torch") is None, reason="JAX or PyTorch is not installed")
def test_without_a_gpu_it_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with pytest.raises(SystemExit, match="expected a GPU that JAX and PyTorch see, got none"):
        all_tables.main(["gpu_times"])
