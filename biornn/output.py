"""Output that may be lost: on a full disk, in a closed terminal, or through a pipe that nobody reads any more."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from typing import Any, TextIO


class LossyStream:
    """A text stream that drops what cannot be written, instead of raising in whichever thread wrote it; None: all."""

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream if stream is not None else open(os.devnull, "w")  # noqa: SIM115

    def __getattr__(self, name: str) -> Any:
        """Be the stream in all but writing."""
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write, escape what the encoding of the stream does not have, or drop."""
        try:
            with suppress(UnicodeEncodeError):
                return self._stream.write(text)
            encoding = self._stream.encoding
            return self._stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
        except (OSError, ValueError):  # a ValueError if it was closed
            self._drop()
            return len(text)

    def flush(self) -> None:
        """Flush, or drop."""
        try:
            self._stream.flush()
        except (OSError, ValueError):
            self._drop()

    def _drop(self) -> None:
        """Lead what comes later, and what is in the buffer, nowhere: Python flushes it again when it ends."""
        with suppress(OSError, ValueError), open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), self._stream.fileno())


@contextmanager
def lossy_output() -> Iterator[None]:
    """Drop what cannot be written to standard output and standard error, which may also have been closed."""
    for descriptor in range(3):  # a file of the run would else get the number, and the messages of C libraries
        try:
            os.fstat(descriptor)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    with redirect_stdout(LossyStream(sys.stdout)), redirect_stderr(LossyStream(sys.stderr)):
        try:
            yield
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
