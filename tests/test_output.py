"""Output that cannot be written is dropped, and what writes it goes on."""

import io
import os
import subprocess
import sys
from collections.abc import Callable
from typing import TextIO

import pytest

from biornn.output import LossyStream


def closed() -> TextIO:
    stream = open(os.devnull, "w")  # noqa: SIM115
    stream.close()
    return stream


def without_reader() -> TextIO:
    reader, writer = os.pipe()
    os.close(reader)
    return open(writer, "w")


def full() -> TextIO:
    return open("/dev/full", "w")


@pytest.mark.parametrize("broken", [closed, without_reader, full, lambda: None])
def test_what_cannot_be_written_is_dropped(broken: Callable[[], TextIO]) -> None:
    stream = LossyStream(broken())
    for _ in range(2):
        assert stream.write("a line\n") == 7
        stream.flush()
    stream.close()  # flushes again


def test_what_can_be_written_is_and_other_characters_are_escaped() -> None:
    written = io.BytesIO()
    stream = LossyStream(io.TextIOWrapper(written, encoding="ascii"))
    stream.write("1.00 → 1.85")
    stream.flush()
    assert written.getvalue() == rb"1.00 \u2192 1.85"


@pytest.mark.parametrize(
    "redirection",
    [
        *(pytest.param(one, marks=pytest.mark.nightly) for one in ("| true", "> /dev/full", ">&-", "2>&1 | true")),
        ">&- 2>&-",
    ],
)
def test_a_command_ends_with_its_own_status(redirection: str) -> None:
    """Python itself would end with status 120 after it cannot flush."""
    code = "import sys; from biornn.cli import main; import time; time.sleep(0.2); sys.exit(main(['audit', 'nowhere']))"
    shell = f'set -o pipefail; "{sys.executable}" -c "{code}" {redirection}'
    ended = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, timeout=120)
    assert ended.returncode == 2
    assert ended.stderr in ("", "biornn: nowhere: expected a run folder with run.zarr in it, found none\n")
