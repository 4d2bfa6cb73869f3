"""What files a complete store has: so that a lost or changed one is not taken for an empty array.

Every chunk carries a checksum of its own (of Zstandard), which is looked at when the chunk is read. The metadata have
none, and to Zarr a chunk that is not there is one of fill values: for these there is the manifest.
"""

from __future__ import annotations

import json
import os
from hashlib import sha256
from pathlib import Path
from typing import Any

from zarr.codecs import ZstdCodec

from biornn.atomic import written_whole
from biornn.errors import in_one_line
from biornn.schema import SchemaError

#: Of every array of a store.
COMPRESSOR = ZstdCodec(level=0, checksum=True)

NAME = "manifest.json"
_METADATA = "zarr.json"


def seal(store: Path) -> None:
    """Mark a store as complete, once the manifest beside it is written.

    Parameters
    ----------
    store
        The Zarr tree; its consolidated metadata are there, and the attribute ``complete`` is 0.
    """
    root = json.loads((store / _METADATA).read_bytes())
    root["attributes"]["complete"] = 1
    text = json.dumps(root, indent=2)
    _, chunks = _files(store)
    with written_whole(store.with_name(NAME)) as path:
        path.write_text(json.dumps({**_hashes(store, root), "chunks": chunks}, indent=1), encoding="utf-8")
    with written_whole(store / _METADATA) as path:
        path.write_text(text, encoding="utf-8")


def check(store: Path) -> None:
    """Look whether a store still has all that it had when it was complete.

    Parameters
    ----------
    store
        The Zarr tree; one that was copied without its manifest is not looked at.

    Raises
    ------
    SchemaError
        If a file is missing, or the layout of an array is not as it was. Groups may have been added.
    """
    if not store.with_name(NAME).exists():
        return
    expected, there = _read(store.with_name(NAME)), set(_files(store)[1])
    if missing := [path for path in expected["chunks"] if path not in there]:
        more = f", and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise _damage(store, f"{missing[0]} is missing{more}")
    try:
        found = _hashes(store, json.loads((store / _METADATA).read_bytes()))
    except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise _damage(store, f"its metadata cannot be read ({in_one_line(error)})") from None
    for kind in ("layout", "consolidated"):
        for path, value in expected[kind].items():
            if found[kind].get(path) != value:
                raise _damage(store, f"{path or 'the root'} has other {kind} metadata")


def changed_attributes(store: Path) -> list[str]:
    """List the groups and arrays whose attributes are not as they were when the store was complete.

    Parameters
    ----------
    store
        The Zarr tree, which `check` found whole.

    Returns
    -------
    list of str
        Paths in the tree, ``"/"`` for its root. Attributes are text for readers, which people may well correct.
    """
    if not store.with_name(NAME).exists():
        return []
    expected = _read(store.with_name(NAME))["attributes"]
    found = _hashes(store, json.loads((store / _METADATA).read_bytes()))["attributes"]
    return [path or "/" for path, value in expected.items() if found.get(path) != value]


def _hashes(store: Path, root: dict[str, Any]) -> dict[str, dict[str, str]]:
    """Hash what the metadata of every group and array say: its layout, alone and consolidated, and its attributes."""
    own = {path: json.loads((store / path / _METADATA).read_bytes()) for path in _files(store)[0] if path}
    every = {**own, "": {**root, "consolidated_metadata": None}}
    return {
        "layout": {path: _hash(_layout(one)) for path, one in every.items()},
        "consolidated": {path: _hash(_layout(one)) for path, one in root["consolidated_metadata"]["metadata"].items()},
        "attributes": {path: _hash(one["attributes"]) for path, one in every.items()},
    }


def _layout(metadata: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in metadata.items() if key != "attributes"}


def _hash(value: Any) -> str:
    return sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _read(manifest: Path) -> dict[str, Any]:
    try:
        content = json.loads(manifest.read_bytes())
        if all(isinstance(content[kind], dict) for kind in ("layout", "consolidated", "attributes")):
            return {**content, "chunks": list(content["chunks"])}
    except (ValueError, TypeError, LookupError, RecursionError):
        pass
    raise _damage(manifest, "it is no manifest")


def _damage(path: Path, what: str) -> SchemaError:
    return SchemaError(
        f"{path}: expected a run as it was written, but {what}; take it from a copy (if you changed it yourself, "
        f"remove {NAME})"
    )


def _files(store: Path) -> tuple[list[str], list[str]]:
    """List the groups and arrays, and the files of the chunks, relative to the store."""
    members: list[str] = []
    chunks: list[str] = []
    for folder, _, names in os.walk(store):
        inside = Path(folder).relative_to(store).as_posix().removeprefix(".")
        members += [inside] * (_METADATA in names)
        chunks += [f"{inside}/{name}" for name in names if name != _METADATA]
    return sorted(members), sorted(chunks)
