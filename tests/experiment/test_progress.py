"""What the screen says while an experiment runs."""

import io

import pytest
from rich.console import Console

from biornn.experiment.progress import ProgressDisplay
from biornn.progress import Progress


def shown(terminal: bool, monkeypatch: pytest.MonkeyPatch) -> str:
    now = [0.0]
    monkeypatch.setattr("biornn.experiment.progress.time.monotonic", lambda: now[0])
    console = Console(file=io.StringIO(), force_terminal=terminal, width=120)
    with ProgressDisplay(2, console) as display:
        for second, step in ((1, 1), (3, 10), (30, 50), (33, 60)):
            now[0] = float(second)
            display.update("dale-s00", Progress(step, 100, 0.25, 70.0))
        now[0] = 60.0
        display.finished("dale-s00", "completed")
    return console.file.getvalue()


def test_elsewhere_than_in_a_terminal_a_line_tells_network_update_loss_and_time_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert shown(False, monkeypatch).splitlines() == [
        "[0/2] dale-s00  update 1/100  loss 0.2500  1 min 10 s left  (all: time left not known yet)",
        # Half a network of two took 30 s, one and a half are left; what came within 10 s of the last line is left out.
        "[0/2] dale-s00  update 50/100  loss 0.2500  1 min 10 s left  (all: 1 min 30 s left)",
        "[1/2] dale-s00  completed",
    ]


def test_a_terminal_gets_bars(monkeypatch: pytest.MonkeyPatch) -> None:
    text = shown(True, monkeypatch)
    assert "loss 0.2500" in text
    assert "all networks" in text
    assert "[1/2] dale-s00  completed" in text
