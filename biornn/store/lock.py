"""A lock, so that one process at a time writes a run folder."""

from __future__ import annotations

import os
from errno import ENOTDIR
from pathlib import Path

import filelock


class RunLock:
    """The exclusive right to write a run folder; the system releases it when the process ends, however it ends.

    The lock is a hidden file beside the folder. FileExistsError if another process holds it, OSError if the file cannot
    be written.
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
        """Release the lock; a second call does nothing."""
        if self._lock.is_locked:
            Path(self._lock.lock_file).unlink(missing_ok=True)  # a process that waits for the old file notices
            self._lock.release()
