"""What of a run is done, beside its store: from the first network until none is left to train."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from biornn.atomic import written_whole

FOLDER = "checkpoints"
_BEGUN = "run.json"
_MAX_DIFFERENCES = 5


class Journal:
    """Begun with which experiment, which networks are done, and where the training of the others stands.

    Parameters
    ----------
    run_folder
        The run folder. All files are in a folder of their own in it.
    """

    def __init__(self, run_folder: Path) -> None:
        self.folder = run_folder / FOLDER

    def begin(self, attrs: Mapping[str, Any]) -> None:
        """Note with what a run begins.

        Parameters
        ----------
        attrs
            Attributes of its root.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with written_whole(self.folder / _BEGUN) as path:
            path.write_text(json.dumps(dict(attrs)), encoding="utf-8")

    def begun(self) -> dict[str, Any] | None:
        """Return with what the run began; None if that was never noted."""
        try:
            found = json.loads((self.folder / _BEGUN).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        texts = isinstance(found, dict) and all(isinstance(found.get(key), str) for key in ("experiment", "versions"))
        return found if texts else None

    def note_done(self, network: str) -> None:
        """Note that a network has its whole row in the store; where its training stood is no longer needed."""
        (self.folder / f"{network}.done").touch()
        self.checkpoint(network).unlink(missing_ok=True)

    def is_done(self, network: str) -> bool:
        """Tell whether that was noted."""
        return (self.folder / f"{network}.done").is_file()

    def checkpoint(self, network: str) -> Path:
        """Return the file in which the training of a network notes where it stands."""
        return self.folder / f"{network}.npz"

    def has_begun_training(self) -> bool:
        """Tell whether there is anything to go on from."""
        return any(path.suffix in (".npz", ".done") for path in self.folder.glob("*"))

    def remove(self) -> None:
        """Forget all."""
        shutil.rmtree(self.folder, ignore_errors=True)


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
        told = "; ".join(found[:_MAX_DIFFERENCES])
        more = f"; and {len(found) - _MAX_DIFFERENCES} more" if len(found) > _MAX_DIFFERENCES else ""
        raise ValueError(
            f"{where}: expected the experiment that the run began with, got another: {told}{more}; "
            "change it back, or choose another --out"
        )


def _differences(begun: Any, now: Any, key: str = "") -> Iterator[str]:
    """Say key by key what differs."""
    if isinstance(begun, dict) and isinstance(now, dict):
        for name in {**begun, **now}:
            yield from _differences(begun.get(name), now.get(name), f"{key}.{name}" if key else name)
    elif begun != now:
        yield f"{key} was {json.dumps(begun)}, is {json.dumps(now)}"
