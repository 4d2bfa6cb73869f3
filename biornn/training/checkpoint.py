"""The state of a training in one file, from which it is resumed with exactly the numbers of one without a break."""

from __future__ import annotations

import json
import os
import re
import time
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from hashlib import sha256
from os import PathLike
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from biornn.atomic import written_whole
from biornn.errors import in_one_line
from biornn.layers.pathway_weights import as_numpy
from biornn.training.callbacks import SCORES, Counting, CriterionStop, DivergenceStop, Snapshots
from biornn.training.recording import record_weights
from biornn.training.stages import Stages

_ADDRESS = re.compile(r" at 0x[0-9a-f]+")
#: What reading a damaged file raises.
_DAMAGES = OSError, ValueError, LookupError, EOFError, RuntimeError, MemoryError, zipfile.BadZipFile, zlib.error
_LARGEST_SHARE = 0.05  # of the time, that writing may take


class CheckpointError(ValueError):
    """A checkpoint from which training cannot be resumed; the message is one line."""


class Checkpoint(keras.callbacks.Callback):
    """Write the state of training after a Keras epoch and at the end; read it before the first Keras epoch.

    The file holds all that the next update depends on: the variables of the model, with the states of its random
    generators; those of the optimizer, with the number of updates, which determines learning rate and trials; and the
    state of the callbacks that belong to the training or count updates. It is replaced as a whole; if that fails (a
    full disk), the previous one is kept. A file of a training with other `settings` is refused. Writes are at least
    `seconds` apart, more if writing would take more than a twentieth of the time; 0 writes after every validation.
    """

    def __init__(
        self,
        path: str | PathLike[str] | None,
        settings: Mapping[str, Any],
        seconds: float,
        kept: Snapshots,
        stop: CriterionStop,
        divergence: DivergenceStop,
        stages: Stages,
        counting: Sequence[Counting],
    ) -> None:
        super().__init__()
        self._path = None if path is None else Path(path)
        if self._path is not None and not self._path.parent.is_dir():
            raise FileNotFoundError(
                f"checkpoint: expected a file in a folder that exists, got {path}; make {self._path.parent} first"
            )
        self._settings = dict(settings)
        self._seconds = seconds
        self._kept, self._stop, self._divergence, self._stages = kept, stop, divergence, stages
        self._counting = counting
        self._began = time.perf_counter()
        self._next = self._began + seconds
        self.has_ended = False

    @property
    def wall_time(self) -> float:
        """Time that training took so far, in s, without that between an interruption and resuming."""
        return time.perf_counter() - self._began

    def restore(self, model: keras.Model) -> None:
        """Restore the compiled model, its optimizer and the callbacks from the file, or raise a CheckpointError."""
        if self._path is None or not self._path.exists():
            return
        content, expected = self._read(self._path), self._identity(model)
        if (told := str(content["settings"])) != expected:
            raise CheckpointError(
                f"{self._path}: expected a checkpoint of the training with {expected}, got one with {told}; remove it "
                "to begin anew"
            )
        try:
            for index, variable in enumerate(_variables(model)):
                variable.assign(keras.ops.convert_to_tensor(content[f"variables/{index}"]))
            self._restore_callbacks(content, model)
        except (LookupError, TypeError, ValueError) as error:
            raise CheckpointError(
                f"{self._path}: expected a whole checkpoint, got: {in_one_line(error)}; remove it to begin anew"
            ) from None

    def _identity(self, model: keras.Model) -> str:
        """Write the arguments of a training and a hash of its network, on which all numbers depend."""
        layers = [{**layer.get_config(), "name": ""} for layer in model.layers]
        network = sha256(json.dumps(layers, sort_keys=True, default=repr).encode())
        settings = {**self._settings, "network": network.hexdigest()[:16]}
        told = json.dumps(
            settings, sort_keys=True, default=lambda one: one.item() if isinstance(one, np.generic) else repr(one)
        )
        return _ADDRESS.sub("", told)  # in the default representation of objects

    def _restore_callbacks(self, content: Mapping[str, NDArray[Any]], model: keras.Model) -> None:
        kept = self._kept
        kept.updates[:] = content["updates"].tolist()
        kept.scores[:] = [
            {name: float(content[f"scores/{name}"][snapshot]) for name in SCORES}
            for snapshot in range(len(kept.updates))
        ]
        template = record_weights(model)
        kept.weights[:] = [
            template.copy(data={name: content[f"weights/{name}"][snapshot] for name in template.data_vars})
            for snapshot in range(len(kept.updates))
        ]
        self._stop.in_a_row = int(content["in_a_row"])
        self._divergence.reason = str(content["reason"])
        self._stages.number, self._stages.first = content["stage"].tolist()
        self.has_ended = bool(content["has_ended"])
        for callback in self._counting:
            callback.update = kept.updates[-1]
        self._began = time.perf_counter() - float(content["wall_time"])

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Write, if the last time is long enough ago."""
        if self._path is not None and time.perf_counter() >= self._next:
            self._write(self._path)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Write for the last time, or for the last time in a stage."""
        self.has_ended = not self._stages.turned
        if self._path is not None:
            self._write(self._path)

    def _write(self, to: Path) -> None:
        start = time.perf_counter()
        content = self._content()
        try:
            with written_whole(to) as path, path.open("wb") as file:
                np.savez(file, allow_pickle=False, **content)
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            pass  # the previous one is still there, and training does not need it
        now = time.perf_counter()
        self._next = now + (max(self._seconds, (now - start) / _LARGEST_SHARE) if self._seconds else 0.0)

    def _content(self) -> dict[str, Any]:
        kept = self._kept
        variables = _variables(self.model)
        return {
            "settings": np.array(self._identity(self.model)),
            **{f"variables/{index}": as_numpy(variable) for index, variable in enumerate(variables)},
            **{f"weights/{name}": np.stack([one[name].values for one in kept.weights]) for name in kept.weights[0]},
            **{f"scores/{name}": np.array([score[name] for score in kept.scores]) for name in SCORES},
            "updates": np.array(kept.updates),
            "stage": np.array([self._stages.number, self._stages.first]),
            "in_a_row": np.array(self._stop.in_a_row),
            "reason": np.array(self._divergence.reason),
            "has_ended": np.array(bool(self.model.stop_training) and not self._stages.turned),
            "wall_time": np.array(self.wall_time),
        }

    @staticmethod
    def _read(path: Path) -> dict[str, NDArray[Any]]:
        try:
            with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
                content = {name: file[name] for name in file.files}  # each has a checksum, which is looked at here
            missing = {"settings", "updates", "stage", "in_a_row", "reason", "has_ended", "wall_time"} - set(content)
            if missing:
                raise KeyError(f"no {min(missing)}")
        except _DAMAGES as error:
            raise CheckpointError(
                f"{path}: expected a whole checkpoint, got: {in_one_line(error)}; remove it to begin anew"
            ) from None
        return content


def _variables(model: keras.Model) -> list[Any]:
    """All variables that an update changes: weights, states of random generators, and the optimizer's."""
    return [*model.variables, *model.optimizer.variables]
