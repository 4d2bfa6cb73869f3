"""Edits that damage bytes and JSON, for the generators of all readers; hypothesis draws them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from hypothesis import strategies as st

#: Values that JSON may have in the place of others.
STRANGE: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2, 3, 5, 1.5, 4.0, 10**12, 10**400, 1e308, float("nan"), float("inf")),
    *("", "x", "x" * 5000, "false", "NaN", "../x", "/", ".", "a/b", "\x1b[31m\n", "é\0", "\ud800", "[/red]"),
    *([], {}, [0], [1], [None], [-1, 4], [10**6] * 3, [10**12] * 4, {"a": 1}),
)
KINDS = ("flip", "flip", "flip", "zero", "ones", "insert", "cut", "truncate", "double", "text")
_BLOCK = 16  # bytes
_TEXTS = (b"\0", b"\xff\xfe", b"\xed\xa0\x80", b"\x1b[31m", b"\xef\xbb\xbf", b"\n", b"\t", b"'", b"\xc2\x85")


def byte_edits(most: int = 6) -> st.SearchStrategy[list[tuple[str, int, int]]]:
    """Draw edits for `damaged`: kind, place and amount."""
    one = st.tuples(st.sampled_from(KINDS), st.integers(0, 2**32 - 1), st.integers(0, 255))
    return st.lists(one, min_size=1, max_size=most)


def damaged(data: bytes, edits: Sequence[tuple[str, int, int]]) -> bytes:
    """Damage bytes as disks, networks and editors do."""
    for kind, place, amount in edits:
        at = place % (len(data) + 1)
        size = amount % _BLOCK + 1
        before, block, after = data[:at], data[at : at + size], data[at + size :]
        new = {
            "flip": bytes([block[0] ^ 1 << amount % 8]) + block[1:] if block else b"",
            "zero": bytes(len(block)),
            "ones": b"\xff" * len(block),
            "insert": bytes([amount]) * size + block,
            "cut": b"",
            "truncate": b"",
            "double": block * 2,
            "text": _TEXTS[amount % len(_TEXTS)] + block,
        }[kind]
        data = before + new + (b"" if kind == "truncate" else after)
    return data


def places(content: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """List all places within JSON, for `change`."""
    for key in content if isinstance(content, dict) else range(len(content)) if isinstance(content, list) else ():
        yield (*place, key)
        yield from places(content[key], (*place, key))


def change(content: Any, place: Sequence[Any], value: Any) -> None:
    """Change a value within JSON, in place; a list is indexed by text too.

    A LookupError, TypeError or ValueError if the JSON has no such place.
    """
    *parents, last = place
    for part in parents:
        content = content[int(part) if isinstance(content, list) else part]
    content[int(last) if isinstance(content, list) else last] = value
