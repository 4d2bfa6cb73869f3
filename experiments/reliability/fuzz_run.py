"""Hostile and broken run folders: python experiments/reliability/fuzz.py --reader run.

An input is JSON text, a list of edits of the folder of a small run. Edits name members by their paths in the folder.
Where a member is not there, an edit does nothing.
"""

from __future__ import annotations

import functools
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import xarray as xr
from damage import STRANGE, byte_edits, change, damaged, places
from fuzz_hdf5 import keras_file
from hypothesis import strategies as st

import biornn as bn
from biornn.report.summary import comparison_table, summarise

#: `ValueError` has `SchemaError` in it.
ERRORS: tuple[type[Exception], ...] = (ValueError, OSError)

MANIFEST = "manifest.json"
_TEMPLATE = "template"


def prepare(folder: Path) -> None:
    """Make the run that is damaged."""
    template(folder)


@functools.cache
def template(folder: Path) -> xr.Dataset:
    """Make a small run in a folder, and return its summary."""
    path = folder / "net-1.hdf5"
    path.write_bytes(keras_file())
    task = bn.tasks.FlipFlop(n_bits=2, duration=60.0, n_pulses=1)
    return summarise(bn.store.import_keras_hdf5(path, folder / _TEMPLATE, task=task, n_trials=2)).load()


def read(data: bytes, folder: Path) -> None:
    """Damage a run, open it, and see that it is refused or still gives the same answer."""
    run = folder / "run"
    shutil.copytree(folder.parent / _TEMPLATE, run)
    for edit in json.loads(data):
        _apply(run, **edit)
    tree = bn.open_run(run)
    bn.validate(tree)
    summary = summarise(tree).load()
    comparison_table(summary)
    if (run / MANIFEST).exists():  # without it nobody can tell what the run was
        whole = template(folder.parent)
        assert summary.drop_vars("network").equals(whole.drop_vars("network")), "another answer"


def inputs() -> st.SearchStrategy[bytes]:
    """Make edits: members that are missing, renamed, swapped, truncated or changed; metadata that lie."""
    with tempfile.TemporaryDirectory() as place:
        template(Path(place))
        run = Path(place) / _TEMPLATE
        names = sorted(path.relative_to(run).as_posix() for path in run.rglob("*"))
        keys = {name: st.sampled_from(_keys(run / name)) for name in names if name.endswith("zarr.json")}
    metadata = st.sampled_from([name for name in names if name.endswith(".json")])
    chunks = st.sampled_from([name for name in names if "/c/" in name or name.endswith("/c")])
    files = st.sampled_from(names)
    member = st.one_of(files, metadata, chunks)

    def edit(kind: str, member: st.SearchStrategy[str], **more: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        return st.fixed_dictionaries({"edit": st.just(kind), "member": member, **more})

    changed = st.sampled_from(list(keys)).flatmap(
        lambda name: edit("json", st.just(name), key=keys[name], value=st.sampled_from(_VALUES))
    )
    one = st.one_of(
        edit("delete", member),
        edit("rename", member, to=st.sampled_from(_NAMES) | files),
        edit("swap", chunks, other=chunks),
        edit("copy", member, other=member),
        edit("link", member, to=st.sampled_from(_TARGETS)),
        edit("folder", member),
        edit("bytes", member, bytes=byte_edits(2)),
        edit("text", member, text=st.sampled_from(_TEXTS)),
        *(changed, changed),
    )
    return st.lists(one, min_size=1, max_size=2).map(lambda edits: json.dumps(edits).encode())


_NAMES = ("x", "run.zarr/x", "run.zarr/weights/x", "run.zarr/activity/x/zarr.json", "run.zarr/\x1b[31m")
_TARGETS = (".", "..", "/dev/zero", "/dev/null", "/etc/passwd", "nowhere", "/", "../run.zarr", "zarr.json")
_TEXTS = ("", "{", "null", "[]", "{}", '"x"', "[" * 100_000, '{"zarr_format": 3}', '{"zarr_format": 2}', "\0" * 100)
#: Places in metadata that are not there, or below attributes, of which only these are changed: whoever changes another
#: one gets what they wrote.
_KEYS = (
    *("storage_transformers", "must_understand", "chunks", "layout", "consolidated_metadata/metadata/../x"),
    *(
        f"attributes/{name}"
        for name in (
            *("title", "created", "complete", "schema_version", "experiment", "versions", "coordinates", "units"),
            *("_FillValue", "scale_factor", "add_offset", "dtype", "calendar", "missing_value"),
        )
    ),
)
_VALUES: tuple[Any, ...] = (
    *(*STRANGE, "float32", "float64", "int8", "string", "bool", "array", "group", "numpy.datetime64", "r8"),
    *("vlen-bytes", "days since 0", "Infinity", ["network"], ["unit", "unit"]),
    *({"name": name} for name in ("pickle", "v2", "numpy.timedelta64")),
    *([{"name": name}] for name in ("numcodecs.pickle", "vlen-utf8", "gzip")),
    [{"name": "bytes", "configuration": {"endian": "big"}}],
    {"name": "regular", "configuration": {"chunk_shape": [10**12]}},
    {"name": "sharding_indexed", "configuration": {"chunk_shape": [1]}},
)


def _keys(path: Path) -> list[str]:
    """List the places in a metadata file, but for those below attributes; a tilde stands for a slash in a name."""
    found = [place for place in places(json.loads(path.read_text())) if "attributes" not in place[:-1]]
    return [*("/".join(str(part).replace("/", "~") for part in place) for place in found), *_KEYS]


def _apply(run: Path, edit: str, member: str, to: str = "", other: str = "", **more: Any) -> None:
    path, second = run / member, run / (other or to)
    if not path.exists() or not _is_own(run, path) or (edit != "link" and not _is_own(run, second)):
        return
    if edit == "json":
        _change_json(path, **more)
    elif edit == "bytes" and path.is_file():
        path.write_bytes(damaged(path.read_bytes(), more["bytes"]))
    elif edit == "rename":
        _remove(second)
        second.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and not second.is_relative_to(path):
            path.rename(second)
    elif edit in ("swap", "copy") and path.is_file() and second.is_file():
        content, of_other = path.read_bytes(), second.read_bytes()
        second.write_bytes(content)
        if edit == "swap":
            path.write_bytes(of_other)
    elif edit in ("delete", "link", "folder", "text"):
        _remove(path)
        if edit == "link":
            path.symlink_to(to)
        elif edit == "folder":
            path.mkdir()
        elif edit == "text":
            path.write_text(more["text"])


def _is_own(run: Path, path: Path) -> bool:
    """Whether an edit of a path stays in the folder: an edit before it may have left a link that leads elsewhere."""
    return path.resolve().is_relative_to(run.resolve()) and not path.is_symlink()


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _change_json(path: Path, key: str, value: Any) -> None:
    try:
        content = json.loads(path.read_text())
        change(content, [part.replace("~", "/") for part in key.split("/")], value)
    except (OSError, ValueError, LookupError, TypeError):
        return  # this file has no such key
    path.write_text(json.dumps(content))
