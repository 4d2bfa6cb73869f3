"""Hostile and broken files for every reader.

python experiments/reliability/fuzz.py --reader yaml hdf5 run --inputs 1000 --seed 0

A process of its own, which can be killed, reads the inputs: a library that crashes or never ends is a finding, not the
end of the search. Prints a JSON line for each reader; exits with 1 if an input ended in anything but a result or an
error of one line. `--keep FOLDER` keeps those inputs.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

READERS = ("yaml", "hdf5", "run")
MAX_SECONDS = 60.0
MAX_LINE = 2000
#: What reading a small file may take in address space, on top of what the libraries take.
_MAX_BYTES = 4 * 2**30


class Outcome(NamedTuple):
    """What became of one input: its kind is ``result``, ``error`` (of one line) or ``other``."""

    kind: str
    message: str
    seconds: float


class Tally:
    """What became of the inputs of one reader."""

    def __init__(self) -> None:
        self.outcomes: list[Outcome] = []

    def count(self, kind: str) -> int:
        """Count the inputs with an outcome of one kind."""
        return sum(outcome.kind == kind for outcome in self.outcomes)

    def summary(self) -> dict[str, Any]:
        """Return the numbers that are printed."""
        kinds = {"results": "result", "one_line_errors": "error", "anything_else": "other"}
        longest = max((outcome.seconds for outcome in self.outcomes), default=0.0)
        counts = {name: self.count(kind) for name, kind in kinds.items()}
        return {"inputs": len(self.outcomes), **counts, "longest_s": round(longest, 3)}


class Sandbox:
    """A process that reads one input after the other, and is replaced when it dies or does not answer."""

    def __init__(self, reader: str, folder: Path) -> None:
        self._reader = reader
        self._folder = folder
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, other = context.Pipe()
        place = Path(tempfile.mkdtemp(dir=self._folder))  # what a process before has left is in another
        self._process = context.Process(target=_serve, args=(self._reader, place, other), daemon=True)
        self._process.start()
        other.close()
        self._pipe.recv()  # it is ready: loading the libraries is no part of reading

    def read(self, data: bytes) -> Outcome:
        """Read an input, as the generator of the reader makes them."""
        self._pipe.send_bytes(data)
        start = time.perf_counter()
        try:
            if self._pipe.poll(MAX_SECONDS):
                return Outcome(*self._pipe.recv())
            message = f"no answer in {MAX_SECONDS:g} s"
        except (EOFError, ConnectionResetError):
            self._process.join()
            message = f"the process died with exit code {self._process.exitcode}"
        self.close()
        self._start()
        return Outcome("other", message, time.perf_counter() - start)

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.join()
        self._pipe.close()


@contextmanager
def sandbox(reader: str) -> Iterator[Sandbox]:
    """Make a sandbox for one of the readers, and remove all traces of it."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        process = Sandbox(reader, Path(folder))
        try:
            yield process
        finally:
            process.close()


def _serve(reader: str, folder: Path, pipe: Connection) -> None:
    module = import_module(f"fuzz_{reader}")
    module.prepare(folder)
    warnings.simplefilter("ignore")
    if sys.platform == "linux":  # a reader that takes memory before it looks at sizes is to fail, and not the machine
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        limit = pages * resource.getpagesize() + _MAX_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    pipe.send(None)
    while True:
        try:
            data = pipe.recv_bytes()
        except EOFError:
            return
        with tempfile.TemporaryDirectory(dir=folder, ignore_cleanup_errors=True) as place:
            pipe.send(tuple(outcome(module.read, data, Path(place), module.ERRORS)))


def outcome(
    read: Callable[[bytes, Path], None], data: bytes, folder: Path, errors: tuple[type[Exception], ...]
) -> Outcome:
    """Read an input in this process, with an empty folder for its files.

    What is wrong with a result is an AssertionError of `read`; `errors` are those that are meant for users.
    """
    start = time.perf_counter()
    kind, message = "result", ""
    try:
        read(data, folder)
    except errors as error:
        message = str(error)
        is_line = message.isprintable() and 0 < len(message) <= MAX_LINE
        kind = "error" if is_line else "other"
    except BaseException:  # a reader that ends the process is a finding, too
        kind, message = "other", traceback.format_exc()
    return Outcome(kind, message, time.perf_counter() - start)


def fuzz(reader: str, n_inputs: int, seed_: int = 0, keep: Path | None = None) -> Tally:
    """Give one of the readers hostile and broken inputs; inputs that ended in ``other`` are kept in a folder."""
    tally = Tally()
    with sandbox(reader) as process:

        def one(data: bytes) -> None:
            if len(tally.outcomes) == n_inputs:
                return
            tally.outcomes.append(process.read(data))
            if keep is not None and tally.outcomes[-1].kind == "other":
                keep.mkdir(parents=True, exist_ok=True)
                path = keep / f"{reader}-{seed_}-{len(tally.outcomes)}"
                path.write_bytes(data)
                path.with_suffix(".txt").write_text(tally.outcomes[-1].message, errors="backslashreplace")

        generate(import_module(f"fuzz_{reader}").inputs(), n_inputs, seed_, one)
    return tally


def generate(inputs: st.SearchStrategy[bytes], n_inputs: int, seed_: int, take: Callable[[bytes], None]) -> None:
    """Call a function with each of a number of inputs; the same inputs for the same seed."""

    def one(data: bytes) -> None:
        take(data)

    options = settings(
        max_examples=n_inputs, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    seed(seed_)(options(given(inputs)(one)))()


def main(arguments: list[str] | None = None) -> int:
    """Run the command; 1 if an input was a finding."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--reader", choices=READERS, nargs="+", default=READERS)
    parser.add_argument("--inputs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="where inputs that found something are kept")
    options = parser.parse_args(arguments)
    n_findings = 0
    for reader in options.reader:
        tally = fuzz(reader, options.inputs, options.seed, options.keep)
        print(json.dumps({"reader": reader, **tally.summary()}), flush=True)
        n_findings += tally.count("other")
    return 1 if n_findings else 0


if __name__ == "__main__":
    sys.exit(main())
