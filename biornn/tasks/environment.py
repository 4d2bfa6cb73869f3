"""Whole trials from an environment of neurogym, by a seed alone. It is known by what it has, and never imported."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from copy import deepcopy
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from biornn.errors import named

_NEEDED = ("new_trial", "observation_space", "action_space", "dt")


class WholeTrial(NamedTuple):
    """A trial of an environment, from its first sample to its last."""

    observations: NDArray[np.float32]  # (time, observation)
    answers: NDArray[Any]  # (time, answer): what is right at each sample
    period: NDArray[Any]  # (time), text
    told: dict[str, Any]  # what the environment tells of it


class _Starts(dict[str, int]):
    """First samples of periods, with the names of those that are added: environments keep those of earlier trials."""

    def __init__(self, starts: Mapping[str, int]) -> None:
        super().__init__(starts)
        self.added: dict[str, None] = {}  # in their order

    def __setitem__(self, name: str, start: int) -> None:
        self.added[name] = None
        super().__setitem__(name, start)


class Absent(NamedTuple):
    """An environment of which no more is there than its name: trials were stored, and it was not."""

    name: str

    def draw(self, n_trials: int, seed: int, fixed: Mapping[str, Any]) -> list[WholeTrial]:
        """Refuse to draw."""
        raise ValueError(
            f"trials: expected the environment {self.name}, which draws new ones, got only its name from a stored run; "
            "make the task by biornn.tasks.from_neurogym, and give it itself"
        )


class Environment:
    """An environment that gives the same trials for the same seed, whatever was drawn from it before.

    Before it draws, it brings the environment back to the state in which it was given, and seeds it. That is done in
    place: a copy would not do, since environments hold functions that draw from the original's generator.

    Parameters
    ----------
    env
        An instance with neurogym's interface, within wrappers or not.

    Raises
    ------
    ValueError
        If it has no trials or answers, or its state cannot be copied or seeded.
    """

    def __init__(self, env: Any) -> None:
        inner = _unwrapped(env)
        if isinstance(env, type) or not all(hasattr(inner, name) for name in _NEEDED):
            needed = ", ".join(_NEEDED)
            raise ValueError(f"env: expected an environment of neurogym, an instance with {needed}, got {env!r}")
        self.name = type(inner).__name__
        self._env = env
        self._lock = threading.Lock()  # training makes trials in a thread of its own
        self._layers: dict[int, Any] = {}
        try:
            _collect(env, self._layers)
            self._state = self._copied([vars(layer) for layer in self._layers.values()])
        except Exception as error:  # of whatever an environment holds
            raise ValueError(f"env: expected a state that can be copied, got {self.name}: {named(error)}") from None

    def draw(self, n_trials: int, seed: int, fixed: Mapping[str, Any]) -> list[WholeTrial]:
        """Draw trials; `fixed` are keywords of the environment's ``new_trial``."""
        with self._lock:
            for layer, state in zip(self._layers.values(), self._copied(self._state), strict=True):
                vars(layer).clear()
                vars(layer).update(state)
            self._seed(seed)
            return [self._whole_trial(fixed) for _ in range(n_trials)]

    def _copied(self, state: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Copy the state of all layers at once; where a layer refers to one, this is the layer itself."""
        return deepcopy(state, dict(self._layers))

    def _seed(self, seed: int) -> None:
        layer, inner = self._outermost_with("seed"), _unwrapped(self._env)
        if layer is not None:
            layer.seed(seed)
        elif hasattr(inner, "rng"):
            is_new = isinstance(inner.rng, np.random.Generator)
            inner.rng = (np.random.default_rng if is_new else np.random.RandomState)(seed)
        else:
            raise ValueError(f"env: expected a method seed or a generator rng, got {self.name} without")

    def _whole_trial(self, fixed: Mapping[str, Any]) -> WholeTrial:
        for layer in self._layers.values():
            if "start_ind" in vars(layer):
                layer.start_ind = _Starts(layer.start_ind)
        self._outermost_with("new_trial").new_trial(**fixed)
        env = _unwrapped(self._env)  # after the draw, for a wrapper may choose one of several
        observations, answers = (getattr(env, name, None) for name in ("ob", "gt"))
        if observations is None or answers is None or not 0 < len(observations) == len(answers):
            got = ["none" if one is None else str(len(one)) for one in (observations, answers)]
            raise ValueError(
                f"env: expected as many observations (ob) as right answers (gt) in a trial, got {' and '.join(got)} "
                f"from {self.name}"
            )
        n_times = len(observations)
        names = getattr(env.start_ind, "added", None) or env.start_ind
        spans = [(name, env.start_ind[name], env.end_ind[name]) for name in names]
        period = np.full(n_times, "between", object)
        for name, start, end in sorted(spans, key=lambda span: span[1] - span[2]):
            period[start:end] = name  # the shortest comes last
        told = dict(getattr(env, "trial", None) or {})
        flat = np.array(observations, np.float32).reshape(n_times, -1), np.array(answers).reshape(n_times, -1)
        return WholeTrial(*flat, period, told)

    def _outermost_with(self, method: str) -> Any:
        """Return the outermost layer that has a method itself, and does not only pass it on; None if there is none."""
        layer = self._env
        while layer is not None and not _has(layer, method):
            layer = vars(layer).get("env")
        return layer


def _unwrapped(env: Any) -> Any:
    return getattr(env, "unwrapped", env)


def _has(layer: Any, name: str) -> bool:
    return hasattr(type(layer), name) or name in vars(layer)


def _collect(layer: Any, found: dict[int, Any]) -> None:
    """Add an environment or wrapper, and all that it holds, to those found."""
    if id(layer) in found:
        return
    found[id(layer)] = layer
    for value in vars(layer).values():
        for one in value if isinstance(value, list | tuple) else (value,):
            if hasattr(type(one), "new_trial") or hasattr(type(one), "unwrapped"):
                _collect(one, found)
