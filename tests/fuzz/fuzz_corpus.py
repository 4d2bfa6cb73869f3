"""All readers in one process; an input is the name of its reader, a zero byte, and what is read."""

from pathlib import Path

import fuzz_hdf5
import fuzz_run
import fuzz_yaml

READERS = {"hdf5": fuzz_hdf5, "run": fuzz_run, "yaml": fuzz_yaml}
ERRORS = tuple({error for reader in READERS.values() for error in reader.ERRORS})


def prepare(folder: Path) -> None:
    for reader in READERS.values():
        reader.prepare(folder)


def read(data: bytes, folder: Path) -> None:
    name, _, content = data.partition(b"\0")
    reader = READERS[name.decode()]
    try:
        reader.read(content, folder)
    except ERRORS as error:
        if isinstance(error, reader.ERRORS):
            raise
        raise AssertionError("an error of another reader") from error
