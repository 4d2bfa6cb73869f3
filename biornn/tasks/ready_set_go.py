"""Ready, set, go: measure an interval, and produce it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from biornn.scalars import check_number, integer
from biornn.tasks.balanced import balanced
from biornn.tasks.observer import noise_sd
from biornn.tasks.periods import in_steps, periods
from biornn.tasks.settings import check_length, check_settings
from biornn.tasks.task import Seed, Task, Trials, task_generator

_PERIODS = np.array(["fixation", "ready", "measure", "set", "production", "padding"])
_RANGES = ["short", "medium", "long"]
_THRESHOLD = 0.5  # the output goes when it is above


@dataclass(frozen=True)
class ReadySetGo(Task):
    """Measure the interval between two pulses, ready and set, and go when it has passed once more.

    The interval is from the onset of ready to the onset of set. The output shall be low (0) until the interval has
    passed after the onset of set, and then high (1) until the end of the trial, two intervals after the end of set.
    A trial is right if the produced interval differs from the measured one by at most the margin. Short, medium and
    long intervals, thirds of the range, are equally frequent, to one trial; in each, intervals are drawn evenly.

    Parameters
    ----------
    shortest_interval, longest_interval
        Range of the intervals, in ms.
    fixation, pulse
        Time before ready, and length of the pulses ready and set, in ms.
    margin, margin_time
        The margin: a share of the interval, and a time added to it, in ms.
    dt
        Time step, in ms. Times are rounded to steps.
    noise, noise_tau
        σ and time constant τ (ms) of the inputs' Gaussian noise. It means the same at any `dt`: a sample has the
        standard deviation ``σ sqrt(2 τ / dt)``.

    Raises
    ------
    TypeError, ValueError
        If a setting is impossible.

    Notes
    -----
    Times and margin as in neurogym, but: the target begins when the reward is best (there it comes later by the length
    of set), and lasts (there it is one sample); a response before set counts as the response, and is wrong; no input
    asks to fixate. With this margin, who always produces the mean interval is right in 75 % of the trials, so that a
    criterion should be on the worst of short, medium and long intervals.

    References
    ----------
    Jazayeri & Shadlen (2010), Nat. Neurosci. 13, 1020; https://github.com/neurogym/neurogym; DePasquale et al. (2018),
    PLoS ONE 13, e0191527 (full-FORCE).

    Examples
    --------
    >>> import biornn as bn
    >>> task = bn.tasks.ReadySetGo()
    >>> trials = task.trials(2, seed=0, interval=1000)
    >>> task.produced_interval(trials.targets, trials).values.tolist()
    [1000.0, 1000.0]
    """

    name, score_name, trial_conditions = "ready_set_go", "accuracy", ("interval_range",)
    n_inputs, input_channels = 2, ["ready", "set"]
    n_outputs, output_channels = 1, ["go"]

    shortest_interval: float = 800.0
    longest_interval: float = 1500.0
    fixation: float = 100.0
    pulse: float = 83.0
    margin: float = 0.2
    margin_time: float = 25.0
    dt: float = 20.0
    noise: float = 0.0
    noise_tau: float = 100.0

    def __post_init__(self) -> None:
        """Check the settings."""
        times = "dt", "pulse", "shortest_interval", "longest_interval", "noise_tau"
        check_settings(self, times, ("fixation", "margin", "margin_time", "noise"))
        check_number("pulse", self.pulse, f"at least dt={self.dt:g} ms", minimum=self.dt)
        for name, shorter, n_steps in (("shortest_interval", "pulse", 1), ("longest_interval", "shortest_interval", 2)):
            least = getattr(self, shorter) + n_steps * self.dt
            expected = f"at least {least:g} ms, {n_steps} of dt={self.dt:g} ms above {shorter}"
            check_number(name, getattr(self, name), expected, minimum=least)
        check_length(self, "longest_interval", self.fixation + self.pulse + 3 * self.longest_interval)

    @property
    def chance(self) -> float:
        """Best score of who goes at one time of the trial, whatever the inputs."""
        interval, share = self._intervals()
        n_before = in_steps(self.fixation, self.dt) + interval
        produced = np.arange(n_before[-1] + 2 * interval[-1])[:, np.newaxis] - n_before
        return min(1.0, float((self._is_right(produced * self.dt, interval * self.dt) @ share).max()))

    @property
    def shortcuts(self) -> dict[str, float]:
        """Scores of who goes at the first step at which the mean interval has passed since set, and who never goes."""
        interval, share = self._intervals()
        mean = np.ceil(interval @ share - 1e-9)  # a sum of shares is exact to about 1e-13
        right = self._is_right(mean * self.dt, interval * self.dt)
        return {"always the mean interval": min(1.0, float(right @ share)), "never goes": 0.0}

    def arrays(self, n_trials: int, rng: np.random.Generator) -> Trials:
        """Make random trials as bare arrays."""
        return self._make(*self._draw(n_trials, rng), rng)[0]

    def trials(self, n_trials: int, seed: Seed, **fixed: Any) -> xr.Dataset:
        """Make random trials, labelled as `Task.trials` says.

        On `trial` they have ``interval`` in ms, and ``interval_range``: ``short``, ``medium`` or ``long``. Both can be
        fixed. After its end, a trial's period is ``padding``.
        """
        rng = task_generator(seed)
        arrays, labels = self._make(*self._draw(integer("n_trials", n_trials, minimum=1), rng, **fixed), rng)
        return self.labelled(arrays, **labels)

    def probe(self) -> xr.Dataset:
        """Make one noise-free trial of the middle of each of short, medium and long intervals."""
        edges = self._edges()
        arrays, labels = self._make(np.array(_RANGES), (edges[:-1] + edges[1:] - 1) // 2, None)
        return self.labelled(arrays, **labels)

    def produced_interval(self, outputs: xr.DataArray, trials: xr.Dataset) -> xr.DataArray:
        """Time from the onset of set to the first sample of the trial that is above 0.5, in ms; NaN if there is none.

        It is negative for a response before set.
        """
        step = xr.DataArray(np.arange(outputs.sizes["time"]), dims="time")
        above = (outputs.isel(output_channel=0, drop=True) > _THRESHOLD) & (step < trials["n_steps"])
        n_before = in_steps(self.fixation, self.dt) + in_steps(trials["interval"], self.dt)
        return ((above.argmax("time") - n_before) * self.dt).where(above.any("time"))

    def produced(self, outputs: xr.DataArray, trials: xr.Dataset) -> dict[str, xr.DataArray]:
        """Give the `produced_interval`."""
        return {"interval": self.produced_interval(outputs, trials).assign_attrs(units="ms")}

    def score(self, outputs: xr.DataArray, trials: xr.Dataset) -> xr.DataArray:
        """1 where the produced interval is within the margin, else 0."""
        right: xr.DataArray = self._is_right(self.produced_interval(outputs, trials), trials["interval"])
        return right.astype(float)

    def _is_right(self, produced: Any, interval: Any) -> Any:
        # Times are whole steps times dt: without a millionth of a ms, rounding decided what is on the margin's edge.
        return abs(produced - interval) <= self.margin * interval + self.margin_time + 1e-6

    def _edges(self) -> NDArray[np.int64]:
        """First step of short, medium and long intervals, and the one after the longest."""
        shortest, longest = in_steps((self.shortest_interval, self.longest_interval), self.dt)
        return np.linspace(shortest, longest + 1, len(_RANGES) + 1).round().astype(int)

    def _intervals(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Give all intervals in steps, and the share of the trials that have each."""
        edges = self._edges()
        sizes = np.diff(edges)
        return np.arange(edges[0], edges[-1]), np.repeat(1 / (len(_RANGES) * sizes), sizes)

    def _draw(
        self, n_trials: int, rng: np.random.Generator, interval: float | None = None, **fixed: Any
    ) -> tuple[NDArray[np.str_], NDArray[np.int64]]:
        """Draw the range of each trial's interval, and the interval in steps."""
        edges, ranges = self._edges(), _RANGES
        if interval is not None:
            shortest, longest = edges[0] * self.dt, (edges[-1] - 1) * self.dt
            check_number("interval", interval, f"{shortest:g} to {longest:g} ms", shortest, longest)
            ranges = [_RANGES[np.searchsorted(edges[1:], in_steps(interval, self.dt), side="right")]]
        of_trials = balanced({"interval_range": ranges}, n_trials, rng, fixed)["interval_range"]
        if interval is not None:
            return of_trials, np.full(n_trials, in_steps(interval, self.dt))
        number = (of_trials[:, np.newaxis] == _RANGES).argmax(axis=1)
        return of_trials, rng.integers(edges[number], edges[number + 1])

    def _make(
        self, ranges: NDArray[np.str_], n_interval: NDArray[np.int64], rng: np.random.Generator | None
    ) -> tuple[Trials, dict[str, Any]]:
        """Make arrays, without noise if there is no generator, and their labels."""
        before, pulse, longest = in_steps((self.fixation, self.pulse, self.longest_interval), self.dt)
        n_times = before + pulse + 3 * longest
        period = periods(n_times, before, pulse, n_interval - pulse, pulse, 2 * n_interval)
        within = (period < 5)[..., np.newaxis]
        inputs = np.stack([period == 1, period == 3], axis=-1).astype(np.float32)
        if rng is not None and self.noise:
            inputs += noise_sd(self.noise, self.noise_tau, self.dt) * rng.standard_normal(inputs.shape, np.float32)
            inputs *= within
        go = (before + 2 * n_interval)[:, np.newaxis]
        targets = ((np.arange(n_times) >= go)[..., np.newaxis] & within).astype(np.float32)
        labels = {"n_steps": (period < 5).sum(axis=1), "period": _PERIODS[period]}
        labels |= {"interval": n_interval * self.dt, "interval_range": ranges}
        return Trials(inputs, targets, within.astype(np.float32)), labels
