"""Files that are whole or not there: written beside, and put in their place at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Give the path of a file beside `path` to write; it takes the place of `path` when the context ends well.

    Its name is hidden and always the same, so that what a killed process left is replaced by the next one's.

    Parameters
    ----------
    path
        The file that is wanted.

    Yields
    ------
    pathlib.Path
        With the same suffix as `path`.
    """
    beside = path.with_name(f".partial-{path.name}")
    try:
        yield beside
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    beside.replace(path)
