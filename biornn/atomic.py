"""Files and folders that are either complete or absent: written under another name, and renamed at the end."""

from __future__ import annotations

import shutil
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


@contextmanager
def folder_written_whole(path: Path, within: Path | None = None) -> Iterator[Path]:
    """Yield a hidden folder beside `path`, or within another, which replaces `path` when the context ends well."""
    beside = (within or path.parent) / f".partial-{path.name}"
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir()
    try:
        yield beside
        shutil.rmtree(path, ignore_errors=True)
        beside.rename(path)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise
