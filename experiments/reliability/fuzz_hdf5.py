"""Hostile and broken files of Keras networks: python experiments/reliability/fuzz.py --reader hdf5."""

from __future__ import annotations

import copy
import io
import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from damage import STRANGE, byte_edits, change, damaged, places
from hypothesis import strategies as st

import biornn as bn
from biornn.store.keras_hdf5 import KerasFileError

ERRORS: tuple[type[Exception], ...] = (KerasFileError,)

N_UNITS = 4
#: A weight that no generated file holds, in a file beside it that links may lead to.
FOREIGN = 0.125

RECURRENT = "model_weights/simple_rnn_1/simple_rnn_1"
READOUT = "model_weights/dense_1/dense_1"
SHAPES = {
    f"{RECURRENT}/kernel:0": (2, N_UNITS),
    f"{RECURRENT}/recurrent_kernel:0": (N_UNITS, N_UNITS),
    f"{RECURRENT}/bias:0": (N_UNITS,),
    f"{READOUT}/kernel:0": (N_UNITS, 2),
    f"{READOUT}/bias:0": (2,),
}
_RECURRENT_CONFIG = {
    "name": "simple_rnn_1",
    "units": N_UNITS,
    "activation": "tanh",
    "use_bias": True,
    "dropout": 0.0,
} | {
    "kernel_initializer": {"class_name": "VarianceScaling", "config": {"scale": 1.0, "mode": "fan_avg"}},
    "return_sequences": True,
    "go_backwards": False,
    "kernel_regularizer": None,
}
_READOUT_CONFIG = {"name": "dense_1", "units": 2, "activation": "linear", "use_bias": True}
_LAYERS = [{"class_name": "SimpleRNN", "config": _RECURRENT_CONFIG}, {"class_name": "Dense", "config": _READOUT_CONFIG}]
_MODEL = {"class_name": "Sequential", "config": {"name": "sequential_1", "layers": _LAYERS}}
_TRAINING = {"optimizer_config": {"class_name": "Adam", "config": {"learning_rate": 1e-4}}, "loss": "mse"}
_ITERATIONS = "optimizer_weights/Adam/iterations:0"
_Edit = tuple[Any, ...]  # kind, member, and what that kind takes


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
    """Write a file as Keras 2 does, with random weights or one value for all; without a step it was never compiled."""
    rng = np.random.default_rng(0)
    model = copy.deepcopy(_MODEL)
    change(model, (*_LAYER, "use_bias"), use_bias)
    memory = io.BytesIO()
    with h5py.File(memory, "w") as file:
        file.attrs["keras_version"] = b"2.3.1"
        file.attrs["model_config"] = json.dumps(model).encode()
        for name, shape in SHAPES.items():
            if use_bias or name != f"{RECURRENT}/bias:0":
                values = rng.standard_normal(shape) if weight is None else np.full(shape, weight)
                file[name] = values.astype("float32")
        if step is not None:
            file.attrs["training_config"] = json.dumps(_TRAINING).encode()
            file[_ITERATIONS] = np.int64(step)
    return memory.getvalue()


def inputs() -> st.SearchStrategy[bytes]:
    """Make files: whole ones with other attributes, arrays and links, and with other bytes."""
    whole = st.builds(keras_file, use_bias=st.booleans(), step=st.sampled_from([None, 0, 3]))
    edited = st.builds(_edited, whole, st.lists(_edits(), min_size=1, max_size=2))
    broken = (st.builds(damaged, one, byte_edits(2)) for one in (whole, edited))
    return st.one_of(edited, edited, *broken)


_LAYER = "config", "layers", 0, "config"
_OPTIMIZER = "optimizer_config", "config"
_STRANGE = [
    *(*STRANGE, "simple_rnn_1", "dense_1", "model_weights", "../optimizer_weights", "relu", "linear", "exponential"),
    *("SimpleRNN", "LSTM", "Dense", "Lambda", "InputLayer", "TimeDistributed", "TimeDistributedDense"),
]
_RAW = [
    *(b"", b"{", b"null", b"[]", b"\xff\xfe", b"[" * 60_000, b'{"a":' * 9000, "text", b"\xed\xa0\x80", "x" * 60_000),
    *(np.int64(3), np.zeros(5), np.zeros((100, 70)), np.array([b"a", b"b"]), h5py.Empty("S10"), np.float32("nan")),
    *(np.array((1, 2.0), [("a", "i4"), ("b", "f8")]), np.void(b"abc"), np.bytes_(b"2.3")),
]
_FILLS = [0.5, 1.0, 1e30, 1e308, -1e308, np.nan, np.inf, 30.0]
_TYPES = ["f2", "f4", ">f4", "f8", ">f8", "g", "i4", "u1", "?", "c8", "S4", "O", [("a", "f4")]]
_CLAIMS = [(10**12,), (10**6, 10**6), (50_000, 50_000), (N_UNITS, N_UNITS), (2**40, 2), (2, 2**31)]
_OPTIONS: list[dict[str, Any]] = [
    *({"chunks": True, **more} for more in ({}, {"compression": "gzip"}, {"shuffle": True}, {"fletcher32": True})),
    *({}, {"external": [("../other.hdf5", 0, 64)]}, {"external": [("/etc/passwd", 0, 64)]}),
]
_TARGETS = ["/", "/model_weights", f"/{RECURRENT}", f"/{RECURRENT}/recurrent_kernel:0", "/nowhere", "."]
_FILES = ["../other.hdf5", "net-1.hdf5", "/dev/zero", "/dev/null", "nowhere.hdf5", "/etc/passwd"]


def _edits() -> st.SearchStrategy[_Edit]:
    """Draw edits of what a file says of its model, of its arrays, and of its links and groups."""
    pick, just = st.sampled_from, st.just
    arrays = pick([*SHAPES, _ITERATIONS])
    groups = [RECURRENT, READOUT, "model_weights/simple_rnn_1", "model_weights/dense_1", "model_weights"]
    members = pick([*SHAPES, *groups, "optimizer_weights", "optimizer_weights/Adam", _ITERATIONS])
    shapes = pick([(), (0,), (N_UNITS,), (0, N_UNITS), (2, 0), (2, 5), (2, N_UNITS), (N_UNITS, N_UNITS), (N_UNITS, 2)])
    names = pick(["model_config", "training_config", "keras_version"])
    of_model = pick([*places(_MODEL), (*_LAYER, "output_dim"), ("config", "layers", 1, "config", "layer")])
    of_optimizer = pick([*places(_TRAINING), *((*_OPTIMIZER, key) for key in ("lr", "decay", "optimizer"))])
    config = st.tuples(just("json"), just("model_config"), of_model, pick(_STRANGE))
    return st.one_of(
        *(config, config, config),
        st.tuples(just("json"), just("training_config"), of_optimizer, pick(_STRANGE)),
        st.tuples(just("attribute"), names, pick([*_RAW, None])),
        st.tuples(just("filled"), arrays, shapes, pick(_TYPES), pick(_FILLS)),
        st.tuples(just("claimed"), arrays, pick(_CLAIMS), pick(_OPTIONS)),
        st.tuples(just("virtual"), arrays, pick(["../other.hdf5", ".", "/dev/zero"])),
        st.tuples(pick(["soft", "hard"]), members, pick(_TARGETS)),
        st.tuples(just("external"), members, pick(_FILES)),
        st.tuples(pick(["group", "crowd", "type", "empty", "gone"]), members),
        st.tuples(just("through"), just("model_weights/way"), pick([*_FILES, None])),
    )


def _edited(data: bytes, edits: list[_Edit]) -> bytes:
    memory = io.BytesIO(data)
    with h5py.File(memory, "r+") as file:
        for edit in edits:
            try:
                _apply(file, *edit)
            except (LookupError, OSError, ValueError, RuntimeError, TypeError):
                continue  # an edit before it has taken away what it needs
    return memory.getvalue()


def _apply(file: h5py.File, kind: str, name: str, *values: Any) -> None:
    if kind == "json":
        _change_json(file, name, *values)
    elif kind == "attribute":
        del file.attrs[name]
        if values[0] is not None:
            file.attrs.create(name, values[0])
    else:
        linked = file[values[0]] if kind == "hard" else None
        if file.get(name, getlink=True) is not None:
            del file[name]
        if kind in _ARRAYS:
            _ARRAYS[kind](file, name, *values)
        elif kind == "through":  # a layer has a name that leads through a link: into another file, or to the root
            file[name] = h5py.ExternalLink(values[0], "/model_weights") if values[0] else h5py.SoftLink("/")
            layer = "way/simple_rnn_1" if values[0] else "way/model_weights/simple_rnn_1"
            _change_json(file, "model_config", (*_LAYER, "name"), layer)
        elif kind in ("group", "crowd"):
            made = file.create_group(name)
            for number in range(500 if kind == "crowd" else 0):
                made.create_group(f"x{number}\n\x1b[31m")
        elif kind != "gone":
            file[name] = {
                "soft": lambda: h5py.SoftLink(values[0]),
                "hard": lambda: linked,
                "external": lambda: h5py.ExternalLink(values[0], f"/{name}"),
                "type": lambda: np.dtype("f4"),
                "empty": lambda: h5py.Empty("f4"),
            }[kind]()


def _change_json(file: h5py.File, name: str, place: tuple[Any, ...], value: Any) -> None:
    content = json.loads(file.attrs[name])
    change(content, place, value)
    file.attrs[name] = json.dumps(content).encode()


def _filled(file: h5py.File, name: str, shape: tuple[int, ...], dtype: Any, fill: float) -> None:
    with np.errstate(all="ignore"):
        new = np.full(shape, "x", object) if dtype == "O" else np.full(shape, fill).astype(dtype)
    file.create_dataset(name, data=new, dtype=h5py.string_dtype() if dtype == "O" else None)


def _claimed(file: h5py.File, name: str, shape: tuple[int, ...], options: dict[str, Any]) -> None:
    file.create_dataset(name, shape, "f4", **options)


def _virtual(file: h5py.File, name: str, source: str) -> None:
    layout = h5py.VirtualLayout((N_UNITS, N_UNITS), "f4")
    layout[:] = h5py.VirtualSource(source, f"{RECURRENT}/recurrent_kernel:0", (N_UNITS, N_UNITS))
    file.create_virtual_dataset(name, layout)


#: Kind of edit -> makes an array: with other values, of a size that is only claimed, or of values elsewhere.
_ARRAYS = {"filled": _filled, "claimed": _claimed, "virtual": _virtual}
