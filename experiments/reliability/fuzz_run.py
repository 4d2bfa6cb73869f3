"""Hostile and broken run folders: an input is JSON text, a list of edits of the folder of a small run.

Edits name members by their paths in the folder. Where a member is not there, an edit does nothing.
"""

from __future__ import annotations

import functools
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import xarray as xr
from damage import byte_edits, damaged
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
    """Make a small run, and return its summary.

    Parameters
    ----------
    folder
        Where it is made.
    """
    path = folder / "net-1.hdf5"
    path.write_bytes(keras_file())
    task = bn.tasks.FlipFlop(n_bits=2, duration=60.0, n_pulses=1)
    return summarise(bn.store.import_keras_hdf5(path, folder / _TEMPLATE, task=task, n_trials=2)).load()


def read(data: bytes, folder: Path) -> None:
    """Damage a run, open it, and see that it is refused or still gives the same answer."""
    run = folder / "run"
    shutil.copytree(folder.parent / _TEMPLATE, run)
    for edit in json.loads(data):
        _apply(run, edit)
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
    files = st.sampled_from(names)
    metadata = st.sampled_from([name for name in names if name.endswith(".json")])
    chunks = st.sampled_from([name for name in names if "/c/" in name or name.endswith("/c")])
    member = st.one_of(files, metadata, chunks)
    one = st.one_of(
        st.builds(lambda name: {"edit": "delete", "member": name}, member),
        st.builds(
            lambda name, to: {"edit": "rename", "member": name, "to": to}, member, st.sampled_from(_NAMES) | files
        ),
        st.builds(lambda name, other: {"edit": "swap", "member": name, "other": other}, chunks, chunks),
        st.builds(lambda name, other: {"edit": "copy", "member": name, "other": other}, member, member),
        st.builds(lambda name, to: {"edit": "link", "member": name, "to": to}, member, st.sampled_from(_TARGETS)),
        st.builds(lambda name: {"edit": "folder", "member": name}, member),
        st.builds(lambda name, edits: {"edit": "bytes", "member": name, "bytes": edits}, member, byte_edits(2)),
        st.builds(lambda name, text: {"edit": "text", "member": name, "text": text}, member, st.sampled_from(_TEXTS)),
        _json_edits(metadata),
        _json_edits(metadata),
    )
    return st.lists(one, min_size=1, max_size=2).map(lambda edits: json.dumps(edits).encode())


_NAMES = (
    "run.zarr/x",
    "x",
    "run.zarr/weights/x",
    "run.zarr/activity/x/zarr.json",
    "run.zarr/\x1b[31m",
    "run.zarr/[/red]",
)
_TARGETS = (".", "..", "/dev/zero", "/dev/null", "/etc/passwd", "nowhere", "/", "../run.zarr", "zarr.json")
_TEXTS = ("", "{", "null", "[]", "{}", '"x"', "[" * 100_000, '{"zarr_format": 3}', '{"zarr_format": 2}', "\0" * 100)
_KEYS = (
    *("zarr_format", "node_type", "shape", "data_type", "fill_value", "codecs", "dimension_names", "chunk_grid"),
    *("chunk_key_encoding", "attributes", "storage_transformers", "consolidated_metadata", "must_understand", "chunks"),
    *("chunk_grid/configuration/chunk_shape", "chunk_grid/name", "codecs/0", "codecs/0/name", "codecs/0/configuration"),
    *("codecs/1", "codecs/1/name", "codecs/1/configuration/level", "chunk_key_encoding/configuration/separator"),
    *(
        "shape/0",
        "shape/1",
        "shape/2",
        "dimension_names/0",
        "dimension_names/1",
        "attributes/title",
        "attributes/created",
    ),
    *("attributes/complete", "attributes/schema_version", "attributes/experiment", "attributes/versions"),
    *("attributes/coordinates", "attributes/units", "attributes/_FillValue", "attributes/scale_factor"),
    *("attributes/add_offset", "attributes/dtype", "attributes/calendar", "attributes/missing_value", "layout"),
    *("consolidated_metadata/metadata", "consolidated_metadata/kind", "consolidated_metadata/metadata/weights"),
    *("consolidated_metadata/metadata/weights~recurrent_weights/shape", "consolidated_metadata/metadata/network/shape"),
    *("consolidated_metadata/metadata/weights~recurrent_weights/chunk_grid/configuration/chunk_shape",),
    *("consolidated_metadata/metadata/activity~rates/dimension_names", "consolidated_metadata/metadata/../x"),
    *(
        "consolidated_metadata/metadata/activity~rates/fill_value",
        "consolidated_metadata/metadata/activity~rates/codecs",
    ),
)
_VALUES: tuple[Any, ...] = (
    *(None, True, 0, 1, -1, 2, 5, 10**12, 10**400, 1.5, "", "x", "float32", "float64", "int8", "string", "bool", "NaN"),
    *(
        [],
        {},
        [1],
        [0],
        [10**12],
        [10**6, 10**6, 10**6],
        [10**12] * 4,
        [-1, 4],
        ["network"],
        ["unit", "unit"],
        [None],
        "x" * 3000,
    ),
    *(
        "array",
        "group",
        "numpy.datetime64",
        "r8",
        "vlen-bytes",
        "../../x",
        "[/red]",
        "\x1b[31m",
        "days since 0",
        "\ud800",
    ),
    *(
        {"name": "regular", "configuration": {"chunk_shape": [10**12]}},
        {"name": "pickle"},
        [{"name": "numcodecs.pickle"}],
    ),
    *(
        [{"name": "bytes", "configuration": {"endian": "big"}}],
        [{"name": "vlen-utf8"}],
        [{"name": "gzip"}],
        {"name": "v2"},
    ),
    *({"name": "sharding_indexed", "configuration": {"chunk_shape": [1]}}, {"name": "numpy.timedelta64"}, "Infinity"),
)


def _json_edits(metadata: st.SearchStrategy[str]) -> st.SearchStrategy[dict[str, Any]]:
    return st.builds(
        lambda name, key, value: {"edit": "json", "member": name, "key": key, "value": value},
        metadata,
        st.sampled_from(_KEYS),
        st.sampled_from(_VALUES),
    )


def _apply(run: Path, edit: dict[str, Any]) -> None:
    path, other = run / edit["member"], run / edit.get("other", edit.get("to", ""))
    kind = edit["edit"]
    if not path.exists() or not _is_own(run, path) or (kind != "link" and not _is_own(run, other)):
        return
    if kind == "json":
        _change_json(path, edit["key"], edit["value"])
    elif kind == "bytes" and path.is_file():
        path.write_bytes(damaged(path.read_bytes(), edit["bytes"]))
    elif kind == "rename":
        _remove(other)
        other.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and not other.is_relative_to(path):
            path.rename(other)
    elif kind in ("swap", "copy"):
        _exchange(path, other, both=kind == "swap")
    elif kind in ("delete", "link", "folder", "text"):
        _remove(path)
        if kind == "link":
            path.symlink_to(edit["to"])
        elif kind == "folder":
            path.mkdir()
        elif kind == "text":
            path.write_text(edit["text"])


def _is_own(run: Path, path: Path) -> bool:
    """Whether an edit of a path stays in the folder: an edit before it may have left a link that leads elsewhere."""
    return path.resolve().is_relative_to(run.resolve()) and not path.is_symlink()


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _exchange(path: Path, other: Path, both: bool) -> None:
    if path.is_file() and other.is_file():
        one, two = path.read_bytes(), other.read_bytes()
        other.write_bytes(one)
        if both:
            path.write_bytes(two)


def _change_json(path: Path, key: str, value: Any) -> None:
    """Change a value of a metadata file; a tilde in the key stands for a slash in the name of a member."""
    try:
        content = json.loads(path.read_text())
        within = content
        *parents, last = [part.replace("~", "/") for part in key.split("/")]
        for part in parents:
            within = within[int(part) if isinstance(within, list) else part]
        within[int(last) if isinstance(within, list) else last] = value
    except (OSError, ValueError, LookupError, TypeError):
        return  # this file has no such key
    path.write_text(json.dumps(content))
