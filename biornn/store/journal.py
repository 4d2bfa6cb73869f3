"""What of a run is done, beside its store: from the first network until none is left to train."""

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
    """Begun with which experiment, which networks are done, and where the training of the others stands.

    Parameters
    ----------
    run_folder
        The run folder. All files are in a folder of their own in it, which may hold others too: these stay.
    """

    def __init__(self, run_folder: Path) -> None:
        self.folder = run_folder / FOLDER
        self._id = ""

    def begin(self, attrs: Mapping[str, Any]) -> None:
        """Note with what a run begins.

        Parameters
        ----------
        attrs
            Attributes of its root.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self._id = uuid.uuid4().hex[:8]
        with written_whole(self.folder / _BEGUN) as path:
            path.write_text(json.dumps({**attrs, "id": self._id}), encoding="utf-8")

    def exists(self) -> bool:
        """Tell whether a run was begun."""
        return (self.folder / _BEGUN).is_file()

    def begun(self) -> dict[str, str]:
        """Return with what the run began.

        Raises
        ------
        SchemaError
            If that cannot be read.
        """
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
        """Note that a network has its whole row in the store; where its training stood is no longer needed.

        Parameters
        ----------
        network
            Its name.
        chunks
            The files of its row, and what tells each from others.
        """
        with written_whole(self.folder / f"{network}.done") as path:
            path.write_text(json.dumps(dict(chunks)), encoding="utf-8")
        self.checkpoint(network).unlink(missing_ok=True)

    def done(self, network: str) -> dict[str, str] | None:
        """Return the files of the row of a network that is done; None if it is not."""
        path = self.folder / f"{network}.done"
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError, RecursionError):
            return None
        return found if isinstance(found, dict) else None

    def checkpoint(self, network: str) -> Path:
        """Return the file in which the training of a network notes where it stands; no other run has the same."""
        return self.folder / f"{network}.{self._id}.npz"

    def has_begun_training(self) -> bool:
        """Tell whether there is anything to go on from."""
        return any(self.folder.glob("*.done")) or any(self.folder.glob(f"*.{self._id}.npz"))

    def is_foreign(self) -> bool:
        """Tell whether there is a folder of that name that no run began."""
        return not self.exists() and any(path.name != f".partial-{_BEGUN}" for path in self.folder.glob("*"))

    def remove(self) -> None:
        """Forget all: first that there was a run, so that half of this is never taken for a run without networks."""
        patterns = ("*.done", "*.npz", ".partial-*") if self.exists() else (f".partial-{_BEGUN}",)
        (self.folder / _BEGUN).unlink(missing_ok=True)
        for path in [path for pattern in patterns for path in self.folder.glob(pattern)]:
            path.unlink(missing_ok=True)
        with suppress(OSError):
            self.folder.rmdir()


def check_same_experiment(where: Path, begun: str, now: str) -> None:
    """Refuse to go on with another experiment, and say in what it differs.

    Parameters
    ----------
    where
        The run folder.
    begun, now
        JSON texts of the experiment that a run began with, and of the one that is to go on.

    Raises
    ------
    ValueError
        If they differ.
    """
    found = list(_differences(json.loads(begun), json.loads(now)))
    if found:
        raise ValueError(
            f"{where}: expected the experiment that the run began with, got another: {listed(found)}; "
            "change it back, or choose another --out"
        )


def _differences(begun: Any, now: Any, key: str = "") -> Iterator[str]:
    """Say key by key what differs."""
    if isinstance(begun, dict) and isinstance(now, dict):
        for name in {**begun, **now}:
            yield from _differences(begun.get(name), now.get(name), f"{key}.{name}" if key else name)
    elif begun != now:
        yield f"{key} was {json.dumps(begun)}, is {json.dumps(now)}"
