"""Inputs that once ended in a traceback, a hang or a wrong answer."""

from collections.abc import Iterator
from pathlib import Path

import fuzz
import pytest

CORPUS = Path(__file__).parent / "corpus"
#: What is still a result, and a right one; everything else has to be refused.
RESULTS = {"yaml/date-that-is-none", "hdf5/optimizer-in-another-file"}
#: What is found and not yet mended.
UNMENDED = {
    "run/attribute-that-scales-weights": "attributes that change numbers are taken for text",
    "run/attribute-that-shifts-weights": "attributes that change numbers are taken for text",
    "run/scale-that-is-a-text": "attributes that change numbers are taken for text",
    "run/chunks-that-changed-places": "a chunk has a checksum, and none that tells which chunk it is",
    "run/chunk-cut-short": "what decompression raises is a RuntimeError, and names no array",
    "run/chunk-that-is-empty": "what decompression raises is a RuntimeError, and names no array",
    "run/chunk-that-links-out-of-the-folder": "links are followed",
    "run/chunk-that-links-to-an-endless-file": "links are followed, and read to the end",
    "run/metadata-that-link-to-an-endless-file": "links are followed, and read to the end",
    "run/chunk-with-a-flipped-bit": "what decompression raises is a RuntimeError, and names no array",
}


@pytest.fixture(scope="module")
def sandboxes() -> Iterator[dict[str, fuzz.Sandbox]]:
    with fuzz.sandbox("yaml") as yaml, fuzz.sandbox("hdf5") as hdf5, fuzz.sandbox("run") as run:
        yield {"yaml": yaml, "hdf5": hdf5, "run": run}


def cases() -> list[object]:
    paths = sorted(path for path in CORPUS.glob("*/*") if path.is_file())
    names = [path.relative_to(CORPUS).as_posix() for path in paths]
    return [
        pytest.param(
            path,
            id=name,
            marks=[pytest.mark.xfail(strict=False, reason=UNMENDED[name])] if name in UNMENDED else [],
        )
        for path, name in zip(paths, names, strict=True)
    ]


@pytest.mark.parametrize("path", cases())
def test_it_ends_in_a_right_result_or_an_error_of_one_line(path: Path, sandboxes: dict[str, fuzz.Sandbox]) -> None:
    outcome = sandboxes[path.parent.name].read(path.read_bytes())
    is_right = path.relative_to(CORPUS).as_posix() in RESULTS
    assert outcome.kind == ("result" if is_right else "error"), outcome.message
