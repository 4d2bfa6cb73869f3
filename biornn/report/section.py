"""What a report is made of: sections, each a list of paragraphs, tables, pictures, code and lists."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from biornn.report.pictures import Picture
from biornn.report.reading import Reading
from biornn.report.tables import Table


@dataclass(frozen=True)
class Code:
    """Lines to copy.

    Parameters
    ----------
    text
        The lines.
    """

    text: str
    kind: ClassVar[str] = "code"


@dataclass(frozen=True)
class Listing:
    """Items of a list.

    Parameters
    ----------
    items
        A sentence or a word each.
    """

    items: tuple[str, ...]
    kind: ClassVar[str] = "listing"


#: A text is a paragraph. It is escaped; nothing that comes from a user can become part of the page's own HTML.
Block = str | Table | Picture | Code | Listing


@dataclass(frozen=True)
class Section:
    """One section of the page.

    Parameters
    ----------
    id
        Its address within the page.
    title
        Its heading.
    blocks
        What it holds, in reading order.
    """

    id: str
    title: str
    blocks: tuple[Block, ...]


#: What makes a section; None where a run has nothing to say about it.
MakeSection = Callable[[Reading], Section | None]
