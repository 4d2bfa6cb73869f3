"""Inputs that once ended in a traceback, a hang or a wrong answer."""

from collections.abc import Iterator
from pathlib import Path

import fuzz
import pytest

CORPUS = Path(__file__).parent / "corpus"
#: What is still a result, and a right one; everything else has to be refused.
RESULTS = {"yaml/date-that-is-none", "hdf5/optimizer-in-another-file"}


@pytest.fixture(scope="module")
def sandboxes() -> Iterator[dict[str, fuzz.Sandbox]]:
    with fuzz.sandbox("yaml") as yaml, fuzz.sandbox("hdf5") as hdf5, fuzz.sandbox("run") as run:
        yield {"yaml": yaml, "hdf5": hdf5, "run": run}


CASES = sorted(path for path in CORPUS.glob("*/*") if path.is_file())


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.relative_to(CORPUS).as_posix())
def test_it_ends_in_a_right_result_or_an_error_of_one_line(path: Path, sandboxes: dict[str, fuzz.Sandbox]) -> None:
    outcome = sandboxes[path.parent.name].read(path.read_bytes())
    is_right = path.relative_to(CORPUS).as_posix() in RESULTS
    assert outcome.kind == ("result" if is_right else "error"), outcome.message
