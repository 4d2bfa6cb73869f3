"""Every hostile or broken input ends in a result or in an error of one line."""

import json
import time
from pathlib import Path

import fuzz
import pytest
from hypothesis import strategies as st


@pytest.mark.nightly
@pytest.mark.parametrize(("reader", "n_inputs"), [("yaml", 100), ("hdf5", 100), ("run", 80)])
def test_inputs_that_were_never_seen(reader: str, n_inputs: int) -> None:
    tally = fuzz.fuzz(reader, n_inputs, seed_=7)
    assert [outcome.message for outcome in tally.outcomes if outcome.kind == "other"] == []
    assert len(tally.outcomes) == n_inputs
    # Inputs that all fail at once would test nothing.
    assert tally.count("result") >= max(1, n_inputs // 50)
    assert tally.count("error") >= n_inputs // 3


def test_one_seed_makes_the_same_inputs() -> None:
    import fuzz_hdf5

    runs: list[list[bytes]] = [[], []]
    for made in runs:
        fuzz.generate(fuzz_hdf5.inputs(), 10, 3, made.append)
    assert runs[0] == runs[1]


def fails(error: BaseException) -> fuzz.Outcome:
    def read(data: bytes, folder: Path) -> None:
        raise error

    return fuzz.outcome(read, b"", Path(), (ValueError,))


def test_what_counts_as_an_error_of_one_line() -> None:
    assert fuzz.outcome(lambda data, folder: None, b"", Path(), ()).kind == "result"
    assert fails(ValueError("expected one, got two")).kind == "error"
    for error in (ValueError("a\nb"), ValueError("\x1b[31m"), ValueError(""), ValueError("x" * 2001), KeyError("x")):
        assert fails(error).kind == "other"
    assert fails(SystemExit(0)).kind == "other"
    assert "AssertionError: another answer" in fails(AssertionError("another answer")).message


def test_a_reader_that_hangs_or_dies_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "fuzz_bad.py").write_text(
        "import os, time\nERRORS = (ValueError,)\ndef prepare(folder): pass\n"
        "def read(data, folder):\n    time.sleep(60) if data == b'hang' else os._exit(3) if data == b'die' else None\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(fuzz, "MAX_SECONDS", 0.5)
    with fuzz.sandbox("bad") as process:
        start = time.perf_counter()
        assert process.read(b"hang").message == "no answer in 0.5 s"
        assert process.read(b"die").message == "the process died with exit code 3"
        assert process.read(b"well").kind == "result"
        assert time.perf_counter() - start < 30


def test_the_command_counts_and_keeps_what_it_finds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "fuzz_bad.py").write_text(
        "from hypothesis import strategies as st\nERRORS = (ValueError,)\n"
        "def prepare(folder): pass\ndef inputs(): return st.sampled_from([b'a', b'b'])\n"
        "def read(data, folder):\n    if data == b'b': raise KeyError(data)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(fuzz, "READERS", ("bad",))
    assert fuzz.main(["--inputs", "2", "--keep", str(tmp_path / "found")]) == 1
    line = json.loads(capsys.readouterr().out)
    assert (line["inputs"], line["results"], line["one_line_errors"], line["anything_else"]) == (2, 1, 0, 1)
    assert sorted(path.suffix for path in (tmp_path / "found").iterdir()) == ["", ".txt"]
    assert fuzz.generate(st.just(b""), 1, 0, lambda data: None) is None
