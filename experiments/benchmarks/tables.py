"""Tables in Markdown, as the pages of the documentation include them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import median


def row(cells: Sequence[object]) -> str:
    """Lay out a row."""
    return f"| {' | '.join(map(str, cells))} |"


def head(cells: Sequence[object]) -> list[str]:
    """Lay out a heading; all columns after the first one hold numbers."""
    return [row(cells), row(["---", *["---:"] * (len(cells) - 1)])]


def ratios(seconds: Sequence[float], reference: Sequence[float]) -> str:
    """Lay out ratios of the same round: median [lowest, highest]."""
    found = [second / base for second, base in zip(seconds, reference, strict=True)]
    return f"{median(found):.2f} [{min(found):.2f}, {max(found):.2f}]"


def show(text: str, out: Path | None) -> None:
    """Print a table, and write it where it shall go."""
    print(text)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text)
