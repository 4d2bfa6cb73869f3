"""One process at a time on a run folder."""

import subprocess
import sys
from pathlib import Path

import pytest

from biornn.store.lock import RunLock

HOLD = """\
import sys
from pathlib import Path
from biornn.store.lock import RunLock

lock = RunLock(Path(sys.argv[1]))
print("held", flush=True)
input()
"""


def test_the_lock_goes_with_its_process_however_that_ends(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    command = [sys.executable, "-c", HOLD, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(FileExistsError, match="expected a folder that no other process writes, but one does; wait"):
            RunLock(folder)
        other.kill()
    lock = RunLock(folder)
    with pytest.raises(FileExistsError):
        RunLock(folder)
    lock.release()
    lock.release()
    assert list(tmp_path.iterdir()) == []
    RunLock(folder).release()


def test_where_nothing_can_be_written_there_is_no_lock(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(OSError, match="expected a folder that can be written, got: Not a directory"):
        RunLock(tmp_path / "file" / "run")
