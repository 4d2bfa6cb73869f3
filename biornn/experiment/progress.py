"""Progress of an experiment on the screen: bars in a terminal, a line now and then elsewhere."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn
from rich.progress import Progress as Bars

from biornn.progress import Progress

_SHARE_TO_JUDGE = 0.2  # of one network; earlier, most of the time is that of starting


class ProgressDisplay:
    """Shows each network's update, loss and time left, and those of the whole experiment.

    Outside a terminal, two lines about one network are at least `interval` seconds apart.
    """

    def __init__(self, n_networks: int, console: Console, interval: float = 10.0) -> None:
        self.n_networks, self.console, self.interval = n_networks, console, interval
        self._bars = Bars(
            TextColumn("{task.description:<24}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}"),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._all = self._bars.add_task("all networks", total=n_networks, note="")
        self._tasks: dict[str, TaskID] = {}
        self._last_line: dict[str, float] = {}
        self._running: dict[str, Progress] = {}
        self._start = time.monotonic()
        self._n_done = 0
        self._lock = threading.Lock()  # updates come from the thread that listens to the workers

    def __enter__(self) -> Self:
        """Show the bars."""
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Remove the bars."""
        self._bars.stop()

    def update(self, network: str, progress: Progress) -> None:
        """Show the progress of a network in training."""
        with self._lock:
            self._update(network, progress)

    def finished(self, network: str, note: str) -> None:
        """Show the outcome of a network."""
        with self._lock:
            self._finished(network, note)

    def _update(self, network: str, progress: Progress) -> None:
        self._running[network] = progress
        note = f"loss {progress.loss:.4f}  {duration(progress.seconds_left)} left"
        if not self.console.is_terminal:
            if time.monotonic() - self._last_line.get(network, -self.interval) >= self.interval:
                self._last_line[network] = time.monotonic()
                self._print(
                    f"{network}  update {progress.update}/{progress.max_updates}  {note}  (all: {self._left()})"
                )
            return
        if network not in self._tasks:
            self._tasks[network] = self._bars.add_task(network, total=progress.max_updates, note=note)
        self._bars.update(self._tasks[network], completed=progress.update, note=note)
        self._bars.update(self._all, note=self._left())

    def _finished(self, network: str, note: str) -> None:
        self._n_done += 1
        self._running.pop(network, None)
        if network in self._tasks:
            self._bars.remove_task(self._tasks.pop(network))
        self._bars.update(self._all, completed=self._n_done, note=self._left())
        self._print(f"{network}  {note}")

    def _print(self, line: str) -> None:
        counted = f"[{self._n_done}/{self.n_networks}] {line}"
        self.console.print(counted, highlight=False, markup=False, soft_wrap=True)

    def _left(self) -> str:
        """Estimate the time left from the time used so far and the share of all updates that is done."""
        share = self._n_done + sum(news.update / news.max_updates for news in self._running.values())
        elapsed = time.monotonic() - self._start
        if share < _SHARE_TO_JUDGE:
            return "time left not known yet"
        return f"{duration(elapsed / share * (self.n_networks - share))} left"


def duration(seconds: float) -> str:
    """Write a time in s in hours, minutes and seconds; a negative one as 0 s."""
    minutes, seconds = divmod(max(round(seconds), 0), 60)
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60:02d} min"
    return f"{minutes} min {seconds:02d} s" if minutes else f"{seconds} s"
