"""Files that are either complete or absent: written under another name, and renamed at the end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Yield the path of a hidden file beside `path`, which is renamed to `path` when the context ends well.

    It has the same suffix, and always the same name, so that the next process replaces what a killed one left.
    """
    beside = path.with_name(f".partial-{path.name}")
    beside.unlink(missing_ok=True)  # a link there may lead anywhere
    try:
        yield beside
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    beside.replace(path)
