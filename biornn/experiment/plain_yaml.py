"""YAML of plain values from an untrusted file: nothing is executed, and memory is limited by the length of the text."""

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
    """The text is not YAML of plain values; the message is one line, of any length."""


class _Loader(yaml.SafeLoader):
    """A loader of plain values; a date stays text."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag in _PLAIN]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def parse(text: str) -> Any:
    """Read one document: null, truth values, numbers, text, lists and mappings.

    Aliases become copies, so that no two parts of the value are one object. PlainYAMLError if the text is no YAML, has
    a key twice in one mapping or anything but plain values, or is too long or too deep.
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
    """Measure length and depth of a value with its aliases written out, and refuse what is not allowed.

    Aliases share their nodes, so the time is proportional to the length of the text.
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
    """Copy a value, so that changing one alias does not change the others."""
    if isinstance(value, list):
        return [_unshared(part) for part in value]
    if isinstance(value, dict):
        return {key: _unshared(part) for key, part in value.items()}
    return value
