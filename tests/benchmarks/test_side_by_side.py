"""The harness of all tables: turns, numbers, and processes of their own."""

import os
import sys
from pathlib import Path

import pytest
import side_by_side
from side_by_side import Process, environment, in_turns, ratios, seconds, speed_ups, spread


def test_cases_take_turns_with_a_rest_before_each(monkeypatch: pytest.MonkeyPatch) -> None:
    now, measured = [0.0], []

    def work(name: str, duration: float) -> float:
        def run() -> None:
            measured.append(name)
            now[0] += duration

        return seconds(run)

    def sleep(duration: float) -> None:
        measured.append("rest")
        now[0] += duration

    monkeypatch.setattr(side_by_side.time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(side_by_side.time, "sleep", sleep)
    found = in_turns({"one": lambda: work("one", 2.0), "other": lambda: work("other", 0.5)}, 2)
    assert measured == ["rest", "one", "rest", "other"] * 2
    assert {name: pytest.approx(times) for name, times in found.items()} == {"one": [2.0, 2.0], "other": [0.5, 0.5]}


def test_ratios_are_those_of_one_round() -> None:
    assert spread([3.0, 1.0, 2.5]) == "2.50 [1.00, 3.00]"
    assert ratios([1.0, 3.0, 2.0], [2.0, 2.0, 4.0]) == "0.50 [0.50, 1.50]"
    with pytest.raises(ValueError, match="longer"):
        ratios([1.0], [1.0, 2.0])
    assert speed_ups("a set", {"small": {1: [4.0, 6.0], 2: [2.0, 4.0]}}).splitlines() == [
        "| a set | 1 worker | 2 workers | speed-up |",
        "| --- | ---: | ---: | ---: |",
        "| small | 5.0 [4.0, 6.0] s | 3.0 [2.0, 4.0] s | 1.75 [1.50, 2.00] |",
    ]


def test_processes_have_their_threads_and_choose_their_kernels_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    monkeypatch.setenv("OPENBLAS_L2_SIZE", "512")
    monkeypatch.setenv("KEPT", "as it is")
    found = environment(3, "jax")
    assert not {"OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"} & found.keys()
    assert {found[name] for name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "OPENBLAS_NUM_THREADS")} == {"3"}
    assert (found["KEPT"], found["KERAS_BACKEND"], found["CUDA_VISIBLE_DEVICES"]) == ("as it is", "jax", "")
    assert "OMP_NUM_THREADS" not in environment(None).keys() - os.environ.keys()


def test_a_function_is_called_in_the_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "planted.py").write_text(
        "import os, sys\n\nkept = []\n\n\n"
        "def ask(name, *more):\n    print('noise')\n    kept.append(name)\n"
        "    return [os.environ[name], len(kept), os.getpid(), *more]\n\n\n"
        "def fail():\n    raise MemoryError('of planted work')\n\n\n"
        "def end():\n    sys.stdin.close()\n    os._exit(3)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    import planted

    with Process(2, PLANTED="yes") as process:
        first, second = process.call(planted.ask, "PLANTED", 1.5), process.call(planted.ask, "OMP_NUM_THREADS")
        assert (first[0], second[0], first[3]) == ("yes", "2", 1.5)
        assert (first[1], second[1]) == (1, 2)  # it keeps what it has
        assert first[2] == second[2] != os.getpid()
        with pytest.raises(RuntimeError, match=r"Traceback[\s\S]*MemoryError: of planted work"):
            process.call(planted.fail)
        with pytest.raises(RuntimeError, match=r"^end: expected an answer, got exit code 3$"):
            process.call(planted.end)
    sys.modules.pop("planted")


def test_the_machine_is_described_with_what_is_missing() -> None:
    described = side_by_side.describe("biornn", "no-such-package")
    assert f"biornn {side_by_side.version_of('biornn')}, no-such-package (not installed), numpy " in described
    assert described.endswith("kernels).")
