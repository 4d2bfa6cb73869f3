"""One process at a time writes a run folder."""

from __future__ import annotations

import os
from errno import ENOTDIR
from pathlib import Path

import filelock


class RunLock:
    """The right to write a run folder; the system gives it back when a process ends, however it ends.

    Parameters
    ----------
    folder
        The run folder; the lock is a hidden file beside it.

    Raises
    ------
    FileExistsError
        If another process has it.
    OSError
        If nothing can be written there.
    """

    def __init__(self, folder: Path) -> None:
        path = folder.with_name(f".{folder.name}.lock")
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            self._lock = filelock.FileLock(path, blocking=False)
            self._lock.acquire()
        except filelock.Timeout:
            raise FileExistsError(
                f"{folder}: expected a folder that no other process writes, but one does; wait for it, or choose "
                "another --out"
            ) from None
        except FileExistsError:  # of the folders above
            raise OSError(f"{folder}: expected a folder that can be written, got: {os.strerror(ENOTDIR)}") from None
        except OSError as error:
            raise OSError(f"{folder}: expected a folder that can be written, got: {error.strerror}") from None

    def release(self) -> None:
        """Give it back; a second time does nothing."""
        if self._lock.is_locked:
            Path(self._lock.lock_file).unlink(missing_ok=True)  # a process that waits for the old file notices
            self._lock.release()
