"""The list of files of a complete store, so that a lost or changed file is noticed.

Each chunk ends with a checksum (of Zstandard), which is verified when the chunk is read. Metadata have no checksum, and
Zarr reads a missing chunk as fill values: the manifest covers both.
"""

from __future__ import annotations

import json
import os
import stat
import warnings
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import zarr
from zarr.codecs import ZstdCodec

from biornn.atomic import written_whole
from biornn.errors import in_one_line
from biornn.schema import SchemaError

#: Of every array of a store.
COMPRESSOR = ZstdCodec(level=0, checksum=True)

NAME = "manifest.json"
_METADATA = "zarr.json"
#: Attributes that xarray takes for a rule to make other numbers of those that are stored.
_RULES = ("_FillValue", "missing_value", "scale_factor", "add_offset", "dtype", "_Unsigned", "calendar")
_CHECKSUM_BYTES = 4  # Zstandard's, at the end of a chunk


def consolidate(store: Path) -> None:
    """Collect the metadata of all groups and arrays in that of the root, where readers look for them."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Consolidated metadata is currently not part")
        warnings.filterwarnings("ignore", message=f"Object at {NAME}")  # which is no part of the hierarchy
        zarr.consolidate_metadata(store)


def seal(store: Path) -> None:
    """Write the manifest of a store with consolidated metadata, then mark the store as complete."""
    root = json.loads((store / _METADATA).read_bytes())
    root["attributes"]["complete"] = 1
    text = json.dumps(root, indent=2)
    with written_whole(store / NAME) as path:
        path.write_text(json.dumps(_content(store, root), indent=1), encoding="utf-8")
    with written_whole(store / _METADATA) as path:
        path.write_text(text, encoding="utf-8")


def fingerprint(store: Path) -> str:
    """Hash all that a store holds now."""
    return _hash(_content(store, json.loads((store / _METADATA).read_bytes())))


def check(store: Path) -> None:
    """Raise SchemaError if a file is missing, swapped or a link, or if the layout of an array has changed.

    Added groups and changed values or attributes pass (see `changes`), and so does a store copied without its manifest.
    """
    members, there = _files(store)
    if not (store / NAME).exists():
        return
    expected = _read(store / NAME)
    chunks = expected["chunks"]
    if missing := sorted(set(chunks) - set(there)):
        more = f", and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise _damage(store, f"{missing[0]} is missing{more}")
    endings = set(chunks.values())
    for path, ending in chunks.items():
        if (found_ending := _ending(f"{store}/{path}")) != ending and found_ending in endings:
            raise _damage(store, f"{path} has the values of another file")
    try:
        found = _hashes(store, json.loads((store / _METADATA).read_bytes()), members)
    except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise _damage(store, f"its metadata cannot be read ({in_one_line(error)})") from None
    for kind in ("layout", "consolidated"):
        for path, value in expected[kind].items():
            if found[kind].get(path) != value:
                raise _damage(store, f"{path or 'the root'} has other {kind} metadata")


def changes(store: Path) -> list[str]:
    """List what was changed since the store was complete, sorted, such as ``"values of weights/alpha"``."""
    if not (store / NAME).exists():
        return []
    expected = _read(store / NAME)
    found = _hashes(store, json.loads((store / _METADATA).read_bytes()), _files(store)[0])["attributes"]
    changed = {
        f"attributes of {path or '/'}" for path, value in expected["attributes"].items() if found.get(path) != value
    }
    for path, ending in expected["chunks"].items():
        if _ending(store / path) != ending:
            changed.add(f"values of {path.partition('/c')[0]}")
    return sorted(changed)


def row(store: Path, groups: Sequence[str], index: int) -> dict[str, str]:
    """List the files of one network in some groups, each with the ending that identifies it."""
    paths = [path for group in groups for path in (store / group).glob(f"*/c/{index}")]
    files = [file for path in paths for file in ([path] if path.is_file() else path.rglob("*")) if file.is_file()]
    whole = [file for file in files if not is_leftover(file.name)]
    return {file.relative_to(store).as_posix(): _ending(file) for file in sorted(whole)}


def is_leftover(name: str) -> bool:
    """Return whether a file is one that a killed process had not yet renamed, of biornn or of Zarr."""
    return name.startswith(".partial-") or name.endswith(".partial")


def _content(store: Path, root: dict[str, Any]) -> dict[str, dict[str, str]]:
    members, chunks = _files(store)
    return {**_hashes(store, root, members), "chunks": {path: _ending(store / path) for path in chunks}}


def _hashes(store: Path, root: dict[str, Any], members: Sequence[str]) -> dict[str, dict[str, str]]:
    """Hash the layout, consolidated layout and attributes in the metadata of every group and array."""
    own = {path: json.loads((store / path / _METADATA).read_bytes()) for path in members if path}
    every = {**own, "": {**root, "consolidated_metadata": None}}
    consolidated = (root.get("consolidated_metadata") or {"metadata": {}})["metadata"]
    return {
        "layout": {path: _hash(_layout(one)) for path, one in every.items()},
        "consolidated": {path: _hash(_layout(one)) for path, one in consolidated.items()},
        "attributes": {
            path: _hash([one["attributes"], consolidated.get(path, {}).get("attributes")])
            for path, one in every.items()
        },
    }


def _layout(metadata: dict[str, Any]) -> dict[str, Any]:
    attributes = metadata["attributes"]
    rules = {key: attributes[key] for key in _RULES if key in attributes}
    return {**{key: value for key, value in metadata.items() if key != "attributes"}, "rules": rules}


def _ending(chunk: str | Path) -> str:
    """Identify a chunk by its size and the checksum at its end, without reading the rest."""
    with open(chunk, "rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _CHECKSUM_BYTES))
        return f"{size} {file.read().hex()}"


def _hash(value: Any) -> str:
    return sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _read(manifest: Path) -> dict[str, Any]:
    try:
        content = json.loads(manifest.read_bytes())
        if all(isinstance(content[kind], dict) for kind in ("layout", "consolidated", "attributes", "chunks")):
            return {**content}
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
    # A run has thousands of files, and is opened often: strings, since a Path takes ten times as long to make.
    for folder, _, names in os.walk(store):
        names = [name for name in names if not is_leftover(name)]
        for name in names:
            if not stat.S_ISREG(os.lstat(f"{folder}/{name}").st_mode):
                raise _damage(store, f"{name} in {folder} is a link, or no file at all")
        inside = folder[len(str(store)) + 1 :]
        members += [inside] * (_METADATA in names)
        chunks += [f"{inside}/{name}" for name in names if inside and name != _METADATA]
    return sorted(members), sorted(chunks)
