"""Sections of a report: paragraphs, tables, pictures, code and lists; and how they become plain data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import wraps
from typing import Any, ClassVar, TypeVar

from biornn.report.pictures import POINTS_PER_INCH, Picture, png
from biornn.report.reading import Reading
from biornn.report.tables import Table


@dataclass(frozen=True)
class Code:
    """Lines to copy."""

    text: str
    kind: ClassVar[str] = "code"


@dataclass(frozen=True)
class Listing:
    """A list of sentences or words."""

    entries: tuple[str, ...]
    kind: ClassVar[str] = "listing"


#: A text is a paragraph. It is escaped; nothing that comes from a user can become part of the page's own HTML.
Block = str | Table | Picture | Code | Listing


@dataclass(frozen=True)
class Section:
    """One section of the page: its address within the page, its heading, and its contents in reading order."""

    id: str
    title: str
    blocks: tuple[Block, ...]


_Made = TypeVar("_Made")

#: Makes a section; None where a run has nothing to say about it.
MakeSection = Callable[[Reading], Section | None]


def requires(*names: str) -> Callable[[Callable[[Reading], _Made]], Callable[[Reading], _Made | None]]:
    """Have a section, or a part of one, made only of runs that have what it needs, named as for `Reading.has`.

    Of others it is None.
    """

    def guarded(make: Callable[[Reading], _Made]) -> Callable[[Reading], _Made | None]:
        @wraps(make)
        def made(reading: Reading) -> _Made | None:
            return make(reading) if reading.has(*names) else None

        return made

    return guarded


@dataclass(frozen=True)
class Drawn:
    """A section with its pictures drawn, which can be sent to another process and stored.

    In `data` a picture is its name, texts and size on the page; `pictures` maps its name to its PNG.
    """

    data: dict[str, Any]
    pictures: dict[str, bytes]


def drawn(section: Section) -> Drawn:
    """Draw the pictures of a section."""
    pictures: dict[str, bytes] = {}

    def plain(block: Block) -> Any:
        if isinstance(block, str):
            return block
        if not isinstance(block, Picture):
            return {"kind": block.kind, **asdict(block)}
        figure = block.draw()
        pictures[block.name] = png(figure)
        width, height = (round(POINTS_PER_INCH * inches) for inches in figure.get_size_inches())
        texts = {"name": block.name, "alt": block.alt, "caption": block.caption}
        return {"kind": block.kind, **texts, "width": width, "height": height}

    blocks = [plain(block) for block in section.blocks]
    return Drawn({"id": section.id, "title": section.title, "blocks": blocks}, pictures)
