"""Break runs in every way that labs know, and see what is lost: python experiments/reliability/faults.py.

Real processes are killed, real files damaged, real limits set. Prints a row per fault: how it is made, how often, and
what came of it. The table of docs/reliability.md comes with `--out docs/reliability/faults.md`.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import fuzz
import numpy as np
import psutil

import biornn as bn
from biornn.schema import SchemaError

EXPERIMENT = """\
title: To be broken
task: {n_bits: 2, duration: 160, n_pulses: 2}
network: {n_units: 12, tau: 5.0}
conditions:
  unconstrained: {recurrent_noise: 0.05}
  constrained: {excitatory_fraction: 0.75, density: 0.5, autapses: false}
seeds: 2
training: {max_updates: 120, batch_size: 8, validate_every: 10, n_validation_trials: 16}
recording: {n_trials: 4}
"""
_LIMIT = 300  # s, that a process may take
_GROUPS = ("trials", "probe_trials", "activity", "probe_activity", "weights", "history", "audit")


class Outcome(NamedTuple):
    """What a fault did: how often it was made, and how; what came of it, and what was lost, empty for nothing."""

    fault: str
    injected: str
    times: int
    result: str
    lost: str = ""


class Bench:
    """A folder with a small experiment, and its run without any fault, which others are compared with.

    The seed is that of the moments and bytes that are hit.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.rng = np.random.default_rng(seed)
        self.file = folder / "experiment.yaml"
        self.file.write_text(EXPERIMENT)
        self.reference = folder / "reference"
        start = time.monotonic()
        done = self.finished(self.start(self.reference))
        if done.returncode:
            raise RuntimeError(f"expected the undisturbed run to end well, got: {done.stderr}")
        self.seconds = time.monotonic() - start

    def start(self, out: Path, *words: str, before: Callable[[], None] | None = None) -> subprocess.Popen[str]:
        """Start ``biornn run``, in a process group of its own."""
        command = [sys.executable, "-m", "biornn.cli", "run", str(self.file), "--out", str(out), "--workers", "2"]
        return subprocess.Popen(
            [*command, "--checkpoint-seconds", "0", *words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            text=True, start_new_session=True, preexec_fn=before,
        )  # fmt: skip

    def finished(self, process: subprocess.Popen[str]) -> subprocess.CompletedProcess[str]:
        """Wait for the end of a process, and return its status and its errors."""
        _, errors = process.communicate(timeout=_LIMIT)
        return subprocess.CompletedProcess(process.args, process.returncode, None, errors)

    def comes(self, process: subprocess.Popen[str], moment: Callable[[], bool]) -> bool:
        """Wait for a moment of a process, and return whether it came before the end."""
        end = time.monotonic() + _LIMIT
        while process.poll() is None and time.monotonic() < end:
            if moment():
                return True
            time.sleep(0.002)
        return False

    def kill(self, process: subprocess.Popen[str], moment: Callable[[], bool]) -> bool:
        """Kill a process and all of its workers when the moment comes, and return whether it came before the end."""
        came = self.comes(process, moment)
        if came:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=_LIMIT)
        return came

    def differences(self, out: Path) -> str:
        """Name the group in which a run differs from the undisturbed one; empty if all is the same, to the bit."""
        found, expected = (bn.open_run(path).load() for path in (out, self.reference))
        bn.validate(found)
        for group in _GROUPS:
            one, other = (
                tree[group].to_dataset().drop_vars("wall_time", errors="ignore") for tree in (found, expected)
            )
            if not one.identical(other):
                return f"{group} of {out.name}"
        return ""

    def ended(self, process: subprocess.Popen[str], out: Path) -> str:
        """Wait for a run, and name what is wrong with it; empty if it ended well, as the undisturbed one."""
        done = self.finished(process)
        if done.returncode:
            return f"{out.name}: exit {done.returncode}: {done.stderr.strip()[-500:]}"
        if not (out / "report.html").is_file():
            return f"{out.name}: no report"
        return self.differences(out)

    def resumed(self, out: Path) -> str:
        """Go on with a run until it is done, and name what is wrong with it."""
        return self.ended(self.start(out, "--resume"), out)

    def refused(self, process: subprocess.Popen[str], *expected: str) -> str:
        """Name what is wrong with how a process ended; empty if with exit 2, and one line with some words in it."""
        done = self.finished(process)
        (last,) = done.stderr.strip().splitlines()[-1:] or [""]
        if done.returncode != 2 or "Traceback" in done.stderr or not all(word in last for word in expected):
            return f"exit {done.returncode}: {done.stderr.strip()[-500:]}"
        return ""


def _in_training(out: Path) -> bool:
    return any((out / "checkpoints").glob("*.npz"))


def _together(problems: Iterable[str]) -> str:
    return "; ".join(filter(None, problems))


def killed_at_random(bench: Bench, n_times: int) -> Outcome:
    """Kill the process and its workers at random moments, go on, kill again, …, until it was killed often enough."""
    n_killed, n_runs, lost = 0, 0, ""
    while n_killed < n_times and not lost:
        n_runs += 1
        out = bench.folder / f"random-{n_runs}"
        while n_killed < n_times:
            process = bench.start(out, "--resume")
            moment = time.monotonic() + bench.rng.uniform(0, bench.seconds)
            if not bench.kill(process, lambda moment=moment: time.monotonic() >= moment):
                break
            n_killed += 1
        lost = bench.resumed(out)
    injected = "SIGKILL to the process group at a time drawn over the length of a run, `--resume`, again"
    return Outcome("killed at a random moment", injected, n_killed, f"{n_runs} runs, each equal to the bit", lost)


def killed_when(bench: Bench, name: str, moment: Callable[[Path], bool]) -> Outcome:
    """Kill the process and its workers once, at a moment that its folder shows."""
    out = bench.folder / f"killed-{name.replace(' ', '-')}"
    if not bench.kill(bench.start(out), lambda: moment(out)):
        return Outcome(f"killed {name}", "", 0, "", "the moment never came")
    result = "resumed, equal to the bit"
    with contextlib.suppress(FileNotFoundError, SchemaError):
        bn.open_run(out)
        result = f"readable at once; {result}"
    return Outcome(f"killed {name}", "SIGKILL to the process group", 1, result, bench.resumed(out))


#: Name of a moment -> how the folder of a run shows it.
MOMENTS: dict[str, Callable[[Path], bool]] = {
    "before the first checkpoint": lambda out: (out / "checkpoints" / "run.json").exists(),
    "while a checkpoint is written": lambda out: any((out / "checkpoints").glob(".partial-*.npz")),
    "while a network is gathered": lambda out: (out / "run.zarr" / "weights").exists(),
    "between two networks": lambda out: any((out / "checkpoints").glob("*.done")),
    "while figures and report are made": lambda out: (out / "figures").exists(),
}


def worker_killed(bench: Bench) -> Outcome:
    """Kill one worker process while it trains; Dask gives its network to another."""
    out, killed = bench.folder / "worker", list[psutil.Process]()
    process = bench.start(out)
    while not killed and bench.comes(process, lambda: _in_training(out)):
        children = psutil.Process(process.pid).children()
        killed = [child for child in children if any("spawn_main" in word for word in child.cmdline())][:1]
        for worker in killed:
            worker.kill()
    result = "its network went on from its checkpoint in a new worker; equal to the bit"
    lost = bench.ended(process, out)
    return Outcome("a worker is killed", "SIGKILL to one worker process", len(killed), result, lost)


def disk_full(bench: Bench) -> Outcome:
    """Let no file grow beyond some kB, as on a disk that is full; then make room, and go on."""
    out, problems = bench.folder / "full", []
    sizes = (2_000, 12_000, 60_000)
    for size in sizes:
        shutil.rmtree(out, ignore_errors=True)
        limit = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (size, size))
        problems += [bench.refused(bench.start(out, before=limit), "File too large"), bench.resumed(out)]
    result = "one line, what was done stays; with room again resumed, equal to the bit"
    return Outcome("the disk is full", "RLIMIT_FSIZE of 2, 12 and 60 kB", len(sizes), result, _together(problems))


def no_writing(bench: Bench) -> Outcome:
    """Put the run where nothing can be written."""
    places = [bench.file / "run"]  # below a file
    if os.getuid():  # root may write everywhere
        closed = bench.folder / "closed"
        closed.mkdir(mode=0o555)
        places.append(closed / "run")
    lost = _together(bench.refused(bench.start(place), "expected a folder that can be written") for place in places)
    injected = "`--out` below a file, or in a folder without the right to write"
    result = "one line, exit 2, before anything is trained"
    return Outcome("nothing can be written", injected, len(places), result, lost)


def deleted(bench: Bench) -> Outcome:
    """Delete the run folder while its networks are trained."""
    out = bench.folder / "deleted"
    process = bench.start(out)
    bench.comes(process, lambda: _in_training(out))
    shutil.rmtree(out)
    lost = bench.refused(process, "the run was deleted while it was made")
    return Outcome("the run is deleted while it is made", "rm -r", 1, "one line, exit 2", lost or bench.resumed(out))


def second_process(bench: Bench) -> Outcome:
    """Start others on the folder of a running one."""
    out, others = bench.folder / "twice", ([], ["--resume"], ["--overwrite"])
    process = bench.start(out)
    bench.comes(process, (out / "checkpoints").exists)
    problems = [bench.refused(bench.start(out, *words), str(out), "expected") for words in others]
    lost = _together([*problems, bench.ended(process, out)])
    result = "each is refused in one line, exit 2; the first goes on undisturbed"
    injected = "`biornn run`, with `--resume`, with `--overwrite`, on the same folder"
    return Outcome("two processes, one folder", injected, len(others), result, lost)


def _files(bench: Bench) -> list[Path]:
    return sorted(path for path in (bench.reference / "run.zarr").rglob("*") if path.is_file())


def damaged(bench: Bench, n_times: int) -> Outcome:
    """Change one bit of one file of a complete run."""
    files, expected = _files(bench), bn.open_run(bench.reference).load()
    n_noticed, lost = 0, ""
    for _ in range(n_times):
        path = files[bench.rng.integers(len(files))]
        content = path.read_bytes()
        changed = bytearray(content)
        changed[bench.rng.integers(len(content))] ^= 1 << int(bench.rng.integers(8))
        path.write_bytes(changed)
        try:
            if not bn.open_run(bench.reference).load().identical(expected):
                lost = f"{path.relative_to(bench.reference)}: a wrong answer"
        except (SchemaError, RuntimeError, ValueError, OSError):
            n_noticed += 1
        finally:
            path.write_bytes(content)
    result = f"{n_noticed} noticed, the others change nothing that is read"
    return Outcome("a bit of a complete run flips", "one random bit of one random file", n_times, result, lost)


def removed(bench: Bench, n_times: int) -> Outcome:
    """Remove one file of a complete run."""
    # A store without its manifest is read without a look at it.
    files = [path for path in _files(bench) if path.name != "manifest.json"]
    chosen, lost = bench.rng.permutation(len(files))[:n_times], ""
    for path in (files[index] for index in chosen):
        content = path.read_bytes()
        path.unlink()
        try:
            bn.open_run(bench.reference)
            lost = f"{path.relative_to(bench.reference)}: not noticed"
        except (SchemaError, FileNotFoundError):
            pass
        finally:
            path.write_bytes(content)
    return Outcome("a file of a complete run is missing", "one random file removed", len(chosen), "all noticed", lost)


#: Reader -> what it reads.
INPUTS = {"yaml": "an experiment file", "hdf5": "a Keras file to import", "run": "a run folder"}


def hostile(reader: str, n_inputs: int, seed: int) -> Outcome:
    """Give a reader hostile and broken inputs."""
    found = fuzz.fuzz(reader, n_inputs, seed)
    others = [outcome.message for outcome in found.outcomes if outcome.kind == "other"]
    result = f"{found.count('result')} results, {found.count('error')} errors of one line, nothing else"
    lost = f"{len(others)} tracebacks, hangs or wrong answers: {others[0]}" if others else ""
    return Outcome(f"{INPUTS[reader]} is hostile or broken", "generated inputs", len(found.outcomes), result, lost)


def measure(bench: Bench, n_kills: int, n_damages: int, n_inputs: int, seed: int) -> Iterator[Outcome]:
    """Make all faults, one after the other; the options of `main` say how often."""
    yield killed_at_random(bench, n_kills)
    for name, moment in MOMENTS.items():
        yield killed_when(bench, name, moment)
    for fault in (worker_killed, disk_full, no_writing, deleted, second_process):
        yield fault(bench)
    yield damaged(bench, n_damages)
    yield removed(bench, n_damages)
    for reader in INPUTS:
        yield hostile(reader, n_inputs, seed)


def table(outcomes: list[Outcome]) -> str:
    """Lay out what happened as a table in Markdown."""
    header = (
        "| fault | how it is injected | times | what came of it | results lost |\n| --- | --- | ---: | --- | --- |\n"
    )
    return header + "".join(f"| {' | '.join(map(str, [*fault, lost or 'nothing']))} |\n" for *fault, lost in outcomes)


def main() -> int:
    """Make all faults, and write the table; 1 if anything was lost."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--kills", type=int, default=20, help="moments at which a run is killed (default: 20)")
    parser.add_argument("--damages", type=int, default=200, help="bits and files that are damaged (default: 200)")
    parser.add_argument("--inputs", type=int, default=1000, help="hostile inputs of each reader (default: 1000)")
    parser.add_argument("--seed", type=int, default=0, help="of moments and bytes (default: 0)")
    parser.add_argument("--out", type=Path, help="file of the table, which is printed in any case")
    options = parser.parse_args()
    outcomes = []
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), options.seed)
        for outcome in measure(bench, options.kills, options.damages, options.inputs, options.seed):
            print(f"{outcome.fault}: {outcome.lost or 'nothing lost'}", flush=True)
            outcomes.append(outcome)
    print("\n" + table(outcomes))
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(table(outcomes), encoding="utf-8")
    return 1 if any(outcome.lost for outcome in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
