"""Hostile and broken files of Keras networks."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from damage import byte_edits, damaged
from hypothesis import strategies as st

import biornn as bn
from biornn.store.keras_hdf5 import KerasFileError

ERRORS: tuple[type[Exception], ...] = (KerasFileError,)

N_UNITS = 4
#: A weight that no generated file holds, in a file beside it that links may lead to.
FOREIGN = 0.125

RECURRENT = "model_weights/simple_rnn_1/simple_rnn_1"
READOUT = "model_weights/dense_1/dense_1"
ARRAYS = (f"{RECURRENT}/kernel:0", f"{RECURRENT}/recurrent_kernel:0", f"{RECURRENT}/bias:0", f"{READOUT}/kernel:0")
MEMBERS = (
    *(*ARRAYS, f"{READOUT}/bias:0", RECURRENT, READOUT, "model_weights/simple_rnn_1", "model_weights/dense_1"),
    *("model_weights", "optimizer_weights", "optimizer_weights/Adam", "optimizer_weights/Adam/iterations:0"),
)
_Edit = Callable[[h5py.File], None]


def prepare(folder: Path) -> None:
    """Leave a file that links of the others may lead to."""
    (folder / "other.hdf5").write_bytes(keras_file(FOREIGN))


def read(data: bytes, folder: Path) -> None:
    """Import a network, and see that the run is valid and holds nothing of another file."""
    path = folder / "net-1.hdf5"
    path.write_bytes(data)
    try:
        run = bn.store.import_keras_hdf5(path, folder / "run", n_trials=1)
    except KerasFileError:
        assert not (folder / "run").exists()
        raise
    bn.validate(run)
    weights = run["weights"].to_dataset()
    assert all((weights[name].values != FOREIGN).all() for name in weights if weights[name].dtype.kind == "f")


def keras_file(weight: float | None = None, *, use_bias: bool = True, step: int | None = 3) -> bytes:
    """Write a file as Keras 2 does.

    Parameters
    ----------
    weight
        Every weight; None: random ones.
    use_bias
        Whether the recurrent layer has one.
    step
        Updates; None: never compiled.
    """
    rng = np.random.default_rng(0)
    shapes = [(2, N_UNITS), (N_UNITS, N_UNITS), (N_UNITS,), (N_UNITS, 2), (2,)]
    memory = io.BytesIO()
    with h5py.File(memory, "w") as file:
        file.attrs["keras_version"] = b"2.3.1"
        file.attrs["model_config"] = json.dumps(_config(use_bias)).encode()
        for name, shape in zip((*ARRAYS, f"{READOUT}/bias:0"), shapes, strict=True):
            if use_bias or name != ARRAYS[2]:
                values = rng.standard_normal(shape) if weight is None else np.full(shape, weight)
                file[name] = values.astype("float32")
        if step is not None:
            optimizer = {"class_name": "Adam", "config": {"learning_rate": 1e-4}}
            file.attrs["training_config"] = json.dumps({"optimizer_config": optimizer, "loss": "mse"}).encode()
            file["optimizer_weights/Adam/iterations:0"] = np.int64(step)
    return memory.getvalue()


def _config(use_bias: bool = True) -> dict[str, Any]:
    recurrent = {"name": "simple_rnn_1", "units": N_UNITS, "activation": "tanh", "use_bias": use_bias}
    recurrent |= {"return_sequences": True, "go_backwards": False, "dropout": 0.0, "kernel_regularizer": None}
    recurrent |= {"kernel_initializer": {"class_name": "VarianceScaling", "config": {"scale": 1.0, "mode": "fan_avg"}}}
    readout = {"name": "dense_1", "units": 2, "activation": "linear", "use_bias": True}
    layers = [{"class_name": "SimpleRNN", "config": recurrent}, {"class_name": "Dense", "config": readout}]
    return {"class_name": "Sequential", "config": {"name": "sequential_1", "layers": layers}}


def inputs() -> st.SearchStrategy[bytes]:
    """Make files: whole ones with other attributes, arrays and links, and with other bytes."""
    edits = st.lists(st.one_of(_attributes(), _arrays(), _links()), min_size=1, max_size=2)
    whole = st.builds(keras_file, use_bias=st.booleans(), step=st.sampled_from([None, 0, 3]))
    edited = st.builds(_edited, whole, edits)
    return st.one_of(
        edited, edited, st.builds(damaged, whole, byte_edits(2)), st.builds(damaged, edited, byte_edits(2))
    )


def _edited(data: bytes, edits: list[_Edit]) -> bytes:
    memory = io.BytesIO(data)
    with h5py.File(memory, "r+") as file:
        for edit in edits:
            try:
                edit(file)
            except (KeyError, OSError, ValueError, RuntimeError, TypeError):
                continue  # an edit before it has taken away what it needs
    return memory.getvalue()


_STRANGE = st.one_of(
    st.sampled_from(
        [None, True, False, "", "tanh", "../x", "/", ".", "a/b", "false", [], {}, [1], {"a": 1}, "\x1b[31m\n"]
    ),
    st.sampled_from([0, -1, 1, 3, 5, 4.0, 10**12, 10**400, float("nan"), float("inf"), 1e308, "x" * 5000, "é\0"]),
    st.sampled_from(
        ["simple_rnn_1", "dense_1", "model_weights", "../optimizer_weights", "linear", "relu", "exponential"]
    ),
    st.sampled_from(["SimpleRNN", "LSTM", "Dense", "Lambda", "InputLayer", "TimeDistributed", "TimeDistributedDense"]),
)
_PLACES = st.sampled_from(
    [
        *[
            ("config", "layers", 0, "config", key)
            for key in ("name", "units", "activation", "use_bias", "return_sequences")
        ],
        *[
            ("config", "layers", 0, "config", key)
            for key in ("go_backwards", "kernel_initializer", "dropout", "output_dim")
        ],
        *[
            ("config", "layers", 1, "config", key)
            for key in ("name", "units", "activation", "use_bias", "layer", "bias")
        ],
        *[("config", "layers", n, key) for n in (0, 1) for key in ("class_name", "config")],
        *[("config", "layers"), ("config", "layers", 0), ("config",), ("class_name",), ("config", "name")],
    ]
)
_OPTIMIZER_PLACES = st.sampled_from(
    [("optimizer_config",), ("optimizer_config", "config"), ("optimizer_config", "class_name"), ("loss",)]
    + [("optimizer_config", "config", key) for key in ("lr", "learning_rate", "decay", "optimizer", "x")]
)
_RAW = st.sampled_from(
    [
        *(
            b"",
            b"{",
            b"null",
            b"[]",
            b"\xff\xfe",
            b"[" * 60_000,
            b'{"a":' * 9000,
            "text",
            "\ud800".encode("utf-8", "surrogatepass"),
        ),
        *(np.int64(3), np.zeros(5), np.zeros((100, 70)), np.array([b"a", b"b"]), h5py.Empty("S10"), np.float32("nan")),
        *(np.array((1, 2.0), [("a", "i4"), ("b", "f8")]), np.void(b"abc"), np.bytes_(b"2.3"), "x" * 60_000),
    ]
)


def _attributes() -> st.SearchStrategy[_Edit]:
    """Make edits of what a file says of its model."""

    def value(place: tuple[Any, ...], strange: Any) -> _Edit:
        return lambda file: _change_json(file, "model_config", place, strange)

    def optimizer(place: tuple[Any, ...], strange: Any) -> _Edit:
        return lambda file: _change_json(file, "training_config", place, strange)

    def raw(name: str, strange: Any) -> _Edit:
        return lambda file: file.attrs.create(name, strange)

    def gone(name: str) -> _Edit:
        return lambda file: file.attrs.__delitem__(name)

    names = st.sampled_from(["model_config", "training_config", "keras_version"])
    values = st.builds(value, _PLACES, _STRANGE)
    return st.one_of(
        values,
        values,
        st.builds(optimizer, _OPTIMIZER_PLACES, _STRANGE),
        st.builds(raw, names, _RAW),
        st.builds(gone, names),
    )


def _change_json(file: h5py.File, name: str, place: tuple[Any, ...], value: Any) -> None:
    content = json.loads(file.attrs[name])
    within = content
    for key in place[:-1]:
        within = within[key]
    within[place[-1]] = value
    file.attrs[name] = json.dumps(content).encode()


def _arrays() -> st.SearchStrategy[_Edit]:
    """Make edits of arrays: shapes, types, claims."""
    shapes = st.sampled_from(
        [(), (0,), (N_UNITS,), (2, N_UNITS), (N_UNITS, N_UNITS), (N_UNITS, 2), (0, N_UNITS), (2, 0), (2, 5)]
    )
    types = st.sampled_from(["f2", "f4", ">f4", "f8", ">f8", "g", "i4", "u1", "?", "c8", "S4", "O", [("a", "f4")]])
    fills = st.sampled_from([0.5, 1.0, 1e30, 1e308, -1e308, np.nan, np.inf, 30.0])
    claims = st.sampled_from([(10**12,), (10**6, 10**6), (50_000, 50_000), (N_UNITS, N_UNITS), (2**40, 2), (2, 2**31)])
    options = st.sampled_from(
        [
            *({}, {"chunks": True}, {"chunks": True, "compression": "gzip"}, {"chunks": True, "shuffle": True}),
            *(
                {"external": [("../other.hdf5", 0, 64)]},
                {"external": [("/etc/passwd", 0, 64)]},
                {"chunks": True, "fletcher32": True},
            ),
        ]
    )

    def filled(member: str, shape: tuple[int, ...], dtype: Any, fill: float) -> _Edit:
        def edit(file: h5py.File) -> None:
            with np.errstate(all="ignore"):
                new = np.full(shape, "x", object) if dtype == "O" else np.full(shape, fill).astype(dtype)
            _replace(file, member)
            file.create_dataset(member, data=new, dtype=h5py.string_dtype() if dtype == "O" else None)

        return edit

    def claimed(member: str, shape: tuple[int, ...], options: dict[str, Any]) -> _Edit:
        def edit(file: h5py.File) -> None:
            _replace(file, member)
            file.create_dataset(member, shape, "f4", **options)

        return edit

    def virtual(member: str, source: str) -> _Edit:
        def edit(file: h5py.File) -> None:
            layout = h5py.VirtualLayout((N_UNITS, N_UNITS), "f4")
            layout[:] = h5py.VirtualSource(source, ARRAYS[1], (N_UNITS, N_UNITS))
            _replace(file, member)
            file.create_virtual_dataset(member, layout)

        return edit

    members = st.sampled_from([*ARRAYS, f"{READOUT}/bias:0", MEMBERS[-1]])
    return st.one_of(
        st.builds(filled, members, shapes, types, fills),
        st.builds(claimed, members, claims, options),
        st.builds(virtual, members, st.sampled_from(["../other.hdf5", ".", "/dev/zero"])),
    )


def _links() -> st.SearchStrategy[_Edit]:
    """Make edits of members: links that lead elsewhere, in a circle, or nowhere; groups in the place of arrays."""
    targets = st.sampled_from(["/", "/model_weights", f"/{RECURRENT}", f"/{ARRAYS[1]}", "/nowhere", "."])
    files = st.sampled_from(["../other.hdf5", "net-1.hdf5", "/dev/zero", "/dev/null", "nowhere.hdf5", "/etc/passwd"])

    def link(member: str, kind: str, target: str, other: str) -> _Edit:
        def edit(file: h5py.File) -> None:
            to = file[target] if kind == "hard" else None
            _replace(file, member)
            made = {"soft": h5py.SoftLink(target), "external": h5py.ExternalLink(other, f"/{member}"), "hard": to}
            file[member] = made[kind]

        return edit

    def group(member: str, kind: str) -> _Edit:
        def edit(file: h5py.File) -> None:
            _replace(file, member)
            if kind == "type":
                file[member] = np.dtype("f4")
            elif kind == "empty":
                file[member] = h5py.Empty("f4")
            elif kind != "gone":
                made = file.create_group(member)
                for number in range(500 if kind == "crowd" else 0):
                    made.create_group(f"x{number}\n\x1b[31m")

        return edit

    def through(kind: str, other: str) -> _Edit:
        """Give a layer a name that leads through a link."""

        def edit(file: h5py.File) -> None:
            file["model_weights/way"] = (
                h5py.ExternalLink(other, "/model_weights") if kind == "out" else h5py.SoftLink("/")
            )
            name = "way/simple_rnn_1" if kind == "out" else "way/model_weights/simple_rnn_1"
            _change_json(file, "model_config", ("config", "layers", 0, "config", "name"), name)

        return edit

    members = st.sampled_from(MEMBERS)
    return st.one_of(
        st.builds(link, members, st.sampled_from(["soft", "external", "hard"]), targets, files),
        st.builds(group, members, st.sampled_from(["group", "crowd", "type", "empty", "gone"])),
        st.builds(through, st.sampled_from(["out", "in"]), files),
    )


def _replace(file: h5py.File, member: str) -> None:
    if member in file or file.get(member, getlink=True) is not None:
        del file[member]
