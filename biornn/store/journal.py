"""The journal of an unfinished run, beside its store: which networks are done, and checkpoints of the others."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from biornn.atomic import written_whole
from biornn.errors import listed
from biornn.schema import SchemaError

FOLDER = "checkpoints"
_BEGUN = "run.json"


class Journal:
    """The record of an unfinished run, in a folder of its own in the run folder.

    It holds the experiment that the run began with, the names of finished networks, and checkpoints of the others.
    Files of others in that folder are left alone.
    """

    def __init__(self, run_folder: Path) -> None:
        self.folder = run_folder / FOLDER
        self._id = ""

    def begin(self, attrs: Mapping[str, Any]) -> None:
        """Record the attributes of the root with which a run begins."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._id = uuid.uuid4().hex[:8]
        with written_whole(self.folder / _BEGUN) as path:
            path.write_text(json.dumps({**attrs, "id": self._id}), encoding="utf-8")

    def exists(self) -> bool:
        """Return whether a run was begun."""
        return (self.folder / _BEGUN).is_file()

    def begun(self) -> dict[str, str]:
        """Return what the run began with; a SchemaError if the record is damaged."""
        path = self.folder / _BEGUN
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            wanted = {key: found[key] for key in ("experiment", "versions", "id")}
        except (ValueError, TypeError, LookupError, RecursionError):
            wanted = {}
        if not wanted or not all(isinstance(value, str) and value for value in wanted.values()):
            raise SchemaError(
                f"{path}: expected what the run began with, got a damaged file; begin anew by --overwrite"
            )
        if not wanted["id"].isalnum():
            raise SchemaError(f"{path}: expected letters and digits as its id, got {wanted['id']!r}")
        self._id = wanted["id"]
        return wanted

    def note_done(self, network: str, chunks: Mapping[str, str]) -> None:
        """Record that the row of a network is complete, and its files (see `manifest.row`); delete its checkpoint."""
        with written_whole(self.folder / f"{network}.done") as path:
            path.write_text(json.dumps(dict(chunks)), encoding="utf-8")
        self.checkpoint(network).unlink(missing_ok=True)

    def done(self, network: str) -> dict[str, str] | None:
        """Return the files of the row of a finished network; None for one that is not finished."""
        path = self.folder / f"{network}.done"
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError, RecursionError):
            return None
        return found if isinstance(found, dict) else None

    def checkpoint(self, network: str) -> Path:
        """Return the checkpoint file of a network; its name differs from run to run."""
        return self.folder / f"{network}.{self._id}.npz"

    def has_begun_training(self) -> bool:
        """Return whether there is anything to resume from."""
        return any(self.folder.glob("*.done")) or any(self.folder.glob(f"*.{self._id}.npz"))

    def is_foreign(self) -> bool:
        """Return whether the folder holds files although no run was begun."""
        return not self.exists() and any(path.name != f".partial-{_BEGUN}" for path in self.folder.glob("*"))

    def remove(self) -> None:
        """Remove the journal, `run.json` first: half of it must not look like a run without networks."""
        patterns = ("*.done", "*.npz", ".partial-*") if self.exists() else (f".partial-{_BEGUN}",)
        (self.folder / _BEGUN).unlink(missing_ok=True)
        for path in [path for pattern in patterns for path in self.folder.glob(pattern)]:
            path.unlink(missing_ok=True)
        with suppress(OSError):
            self.folder.rmdir()


def check_same_experiment(where: Path, begun: str, now: str) -> None:
    """Raise a ValueError that lists the differences if a run began with another experiment (both as JSON text)."""
    found = list(_differences(json.loads(begun), json.loads(now)))
    if found:
        raise ValueError(
            f"{where}: expected the experiment that the run began with, got another: {listed(found)}; "
            "change it back, or choose another --out"
        )


def _differences(begun: Any, now: Any, key: str = "") -> Iterator[str]:
    """List the keys that differ, with both values."""
    if isinstance(begun, dict) and isinstance(now, dict):
        for name in {**begun, **now}:
            yield from _differences(begun.get(name), now.get(name), f"{key}.{name}" if key else name)
    elif begun != now:
        yield f"{key} was {json.dumps(begun)}, is {json.dumps(now)}"
