"""Inputs that once ended in a traceback, a hang or a wrong answer."""

from collections.abc import Iterator
from pathlib import Path

import fuzz
import pytest

CORPUS = Path(__file__).parent / "corpus"
#: What is still a result, and a right one; everything else has to be refused.
RESULTS = {"yaml/date-that-is-none", "hdf5/optimizer-in-another-file"}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[fuzz.Sandbox]:
    with fuzz.sandbox("corpus") as sandbox:
        yield sandbox


#: Another that takes a second is nearly the same.
NIGHTLY = {"yaml/many-levels"}
CASES = [
    pytest.param(path, id=name, marks=pytest.mark.nightly if name in NIGHTLY else ())
    for path in sorted(CORPUS.glob("*/*"))
    if path.is_file() and (name := path.relative_to(CORPUS).as_posix())
]


@pytest.mark.parametrize("path", CASES)
def test_it_ends_in_a_right_result_or_an_error_of_one_line(path: Path, sandbox: fuzz.Sandbox) -> None:
    outcome = sandbox.read(path.parent.name.encode() + b"\0" + path.read_bytes())
    is_right = path.relative_to(CORPUS).as_posix() in RESULTS
    assert outcome.kind == ("result" if is_right else "error"), outcome.message
