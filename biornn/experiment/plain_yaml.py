"""YAML of plain values, read without trust: nothing is executed, and nothing grows much beyond the text itself."""

from __future__ import annotations

from typing import Any

import yaml

from biornn.errors import in_one_line

#: Characters of a file, and of what its aliases stand for; the mask of 1,000 units has half as many.
MAX_LENGTH = 4_000_000
#: Levels of lists and mappings; an experiment has five.
_MAX_DEPTH = 20
#: Characters of a number: the time that a longer one takes grows with the square of its length.
_MAX_DIGITS = 100

_TAG = "tag:yaml.org,2002:"
_PLAIN = {_TAG + kind for kind in ("null", "bool", "int", "float", "str", "seq", "map", "merge")}


class PlainYAMLError(ValueError):
    """A text that is no YAML of plain values; the message is one line, however long."""


class _Loader(yaml.SafeLoader):
    """Plain values only: a date is the text that it was written as."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag in _PLAIN]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def parse(text: str) -> Any:
    """Read YAML of plain values: null, truth values, numbers, texts, lists and mappings.

    Parameters
    ----------
    text
        One document.

    Returns
    -------
    Any
        The value; no two parts of it are one object, even where the text has aliases.

    Raises
    ------
    PlainYAMLError
        If it is no YAML, holds a key twice in one place or anything but plain values, or is too long or too deep.
    """
    if len(text) > MAX_LENGTH:
        raise PlainYAMLError(f"more than {MAX_LENGTH:,} characters")
    try:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            if node is None:
                return None
            _extent(node, {})
            return _unshared(loader.construct_document(node))
        finally:
            loader.dispose()
    except RecursionError:
        raise PlainYAMLError(f"more than {_MAX_DEPTH} levels") from None
    except (PlainYAMLError, yaml.YAMLError) as error:
        raise PlainYAMLError(in_one_line(error)) from None
    except (ValueError, LookupError, AttributeError, TypeError, ArithmeticError) as error:
        raise PlainYAMLError(f"a value that is not of the kind that it looks like: {in_one_line(error)}") from None


def _extent(node: yaml.Node, known: dict[int, tuple[int, int] | None]) -> tuple[int, int]:
    """Measure the length and the depth of a value with its aliases written out, and look for what is not allowed.

    The nodes of aliases are shared, so this takes no longer than the text is long.
    """
    if id(node) in known:
        if (found := known[id(node)]) is None:
            raise PlainYAMLError("a value that contains itself")
        return found
    known[id(node)] = None
    if node.tag not in _PLAIN:
        raise PlainYAMLError(f"the tag {node.tag!r}, expected plain values")
    if isinstance(node, yaml.ScalarNode):
        if node.tag in (_TAG + "int", _TAG + "float") and len(node.value) > _MAX_DIGITS:
            raise PlainYAMLError(f"a number of {len(node.value)} digits")
        extent = len(node.value) + 1, 0
    else:
        parts = [_extent(part, known) for part in _parts(node)]
        extent = 1 + sum(length for length, _ in parts), 1 + max((depth for _, depth in parts), default=0)
    if extent[0] > MAX_LENGTH:
        raise PlainYAMLError(f"aliases that stand for more than {MAX_LENGTH:,} characters")
    if extent[1] > _MAX_DEPTH:
        raise PlainYAMLError(f"more than {_MAX_DEPTH} levels")
    known[id(node)] = extent
    return extent


def _parts(node: yaml.Node) -> list[yaml.Node]:
    if not isinstance(node, yaml.MappingNode):
        return node.value
    seen: set[str] = set()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise PlainYAMLError("a list or a mapping as a key, expected a text")
        if key.value in seen:  # a condition would vanish
            raise PlainYAMLError(f"the key {key.value!r} twice in one place")
        seen.add(key.value)
    return [part for pair in node.value for part in pair]


def _unshared(value: Any) -> Any:
    """Copy a value, once for each of its aliases: a change of one is no change of the others."""
    if isinstance(value, list):
        return [_unshared(part) for part in value]
    if isinstance(value, dict):
        return {key: _unshared(part) for key, part in value.items()}
    return value
