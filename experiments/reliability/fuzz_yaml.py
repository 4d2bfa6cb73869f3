"""Hostile and broken experiment files: python experiments/reliability/fuzz.py --reader yaml."""

from __future__ import annotations

from pathlib import Path

from damage import byte_edits, damaged
from hypothesis import strategies as st

from biornn.experiment import Experiment, ExperimentError, expand, load_experiment
from biornn.experiment.config import NetworkConfig, RecordingConfig, TrainingConfig

ERRORS: tuple[type[Exception], ...] = (ExperimentError,)

EXPERIMENTS = Path(__file__).parents[1]
SECTIONS = ("title", "task", "network", "factors", "conditions", "seeds", "training", "recording")
TASK_KEYS = ("name", "n_bits", "duration", "dt", "pulse_width", "min_gap", "first_onset", "n_pulses", "pulses", "noise")
KEYS = (
    *(*SECTIONS, *TASK_KEYS, *NetworkConfig.model_fields, *TrainingConfig.model_fields, *RecordingConfig.model_fields),
    *("dale", "training.batch_size", "training.max_updates", "shortest", "longest", "a", "../../x", "..", "<<"),
    *('"\\n"', '"\\e[31m"', '"\\ud800"', "null", "yes", "1", "?", "a b", "[1]", "{a: 1}", "x" * 300),
)
#: Values as they are written in a file.
VALUES = (
    *("", "null", "~", "true", "yes", "0", "1", "-1", "2", "5", "0.5", "1.5", "5e-3", "1e400", ".inf", "-.inf", ".nan"),
    *("1000000000000", "10000000000", "9" * 99, "9" * 5000, "-" + "9" * 5000, "0x" + "f" * 5000, "1" + ":1" * 3000),
    *("1e308", "1e-308", "0b_", "0x", "08", "1_0", "1:30", "2026-99-99", "2026-11-25", "=", "<<", "text", "none"),
    *("tanh", "relu", "gru", "lstm", "dale", "excitatory", "random", "current", "gamma", "inverse_time"),
    *("fixed_in_degree", "!!python/object/apply:os.system [exit]", "!!python/name:os.system"),
    *("!!int x", "!!int ''", "!!float x", "!!bool x", "!!timestamp x", "!!binary '#'", "!!set {a, b}", "!!omap [a: 1]"),
    *("!!pairs [a: 1]", "!!null x", "!!str 1", "!!map []", "!!seq {}", "!x y", "!!merge x", "!!int [1]"),
    *("!!str {a: 1}", "&a [*a]", "*nowhere", '"\\U00110000"', '"\\ud800"', '"\\0"', '"\\e[31m\\n\\n"', "[red]"),
    *("'" + "x" * 5000 + "'", "{shortest: 1, longest: 9}", "{a: {density: 0.5}}", "{training.batch_size: 4}"),
    *("[none, 0.8]", "[1, 0.2]", "[[1, 0], [0, 1]]", "[[1], [0, 1]]", "[" * 19 + "]" * 19, "[" * 300 + "]" * 300),
    *("{a: " * 1000 + "1" + "}" * 1000, "[" * 50000, "[" + "[2]," * 9000 + "]", "[" + "0.5," * 20000 + "]"),
    *("{" + "".join(f"a{n}: 1, " for n in range(5000)) + "}", "[2, " + "1," * 3000 + "]"),
)


def prepare(folder: Path) -> None:
    """Nothing is needed beside the input."""


def read(data: bytes, folder: Path) -> None:
    """Load an experiment, and see that what was loaded means the same once it is stored."""
    path = folder / "experiment.yaml"
    path.write_bytes(data)
    experiment = load_experiment(path)
    assert len(expand(experiment)) == len(experiment.conditions) * len(experiment.seeds)
    assert Experiment.model_validate_json(experiment.model_dump_json()) == experiment


def inputs() -> st.SearchStrategy[bytes]:
    """Make experiment files: shipped ones with other lines, values and bytes; made-up ones; bombs."""
    texts = st.sampled_from([path.read_text(encoding="utf-8") for path in sorted(EXPERIMENTS.rglob("*.yaml"))])
    lines = st.builds(_with_other_lines, texts, st.lists(_LINE_EDITS, min_size=1, max_size=4))
    bytes_ = st.builds(damaged, texts.map(str.encode), byte_edits())
    made_up = st.lists(st.tuples(st.sampled_from(SECTIONS), _VALUES), max_size=5, unique_by=lambda pair: pair[0])
    written = made_up.map(lambda pairs: "".join(f"{key}: {value}\n" for key, value in pairs).encode())
    return st.one_of(lines, lines, bytes_, written, written, _bombs(), st.binary(max_size=50))


def _flow_mapping(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pairs = st.lists(st.tuples(st.sampled_from(KEYS), values), max_size=4)
    return pairs.map(lambda found: "{" + ", ".join(f"{key}: {value}" for key, value in found) + "}")


_LEAVES = st.sampled_from(VALUES) | st.integers().map(str) | st.floats().map(repr)
_VALUES = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=4).map(lambda parts: "[" + ", ".join(parts) + "]") | _flow_mapping(inner),
    max_leaves=8,
)
_LINE_EDITS = st.tuples(
    st.sampled_from(["value", "value", "value", "key", "add", "drop", "double", "swap", "indent"]),
    st.integers(0, 60),
    st.sampled_from(KEYS),
    _VALUES,
)


def _with_other_lines(text: str, edits: list[tuple[str, int, str, str]]) -> bytes:
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    for kind, number, key, value in edits:
        at = number % max(len(lines), 1)
        line, *after = lines[at : at + 2] or [""]
        blank = line[: len(line) - len(line.lstrip())]
        lines[at : at + 2] = {
            "value": [f"{blank}{line.strip().partition(':')[0]}: {value}", *after],
            "key": [f"{blank}{key}:{line.partition(':')[2]}", *after],
            "add": [line, f"{blank}{key}: {value}", *after],
            "drop": after,
            "double": [line, line, *after],
            "swap": [*after, line],
            "indent": [f"  {line}", *after],
        }[kind]
    return "\n".join(lines).encode()


def _bombs() -> st.SearchStrategy[bytes]:
    """Make what grows when it is written out, or as it is read."""
    pick, many = st.sampled_from, st.integers(2, 30)
    key = pick(["title", "conditions", "factors", "network", "seeds"])
    marks = pick(["[", "{a: ", "- ", "? ", "!!seq [", "&a [", "\n - "])
    names = [*NetworkConfig.model_fields, *TrainingConfig.model_fields]
    return st.one_of(
        st.builds(_aliases, key, many, many, st.just("[{}]"), st.just("[x, y]")),
        st.builds(_aliases, key, many, many, st.just("{{<<: [{}]}}"), st.just("{a: 1}")),
        st.builds(_repeated, key, marks, pick([10, 100, 1000, 10_000, 100_000])),
        st.builds(_repeated, key, pick("1:0x'\" #\t-"), many.map(lambda n: n**3)),
        st.integers(1, 40).map(lambda n: _factors(dict.fromkeys(names[:n], "0.1, 0.2, 0.3"))),
        pick([10, 1000, 30_000]).map(lambda n: _factors({"learning_rate": ", ".join(map(str, range(1, n)))})),
    )


def _repeated(key: str, mark: str, times: int) -> bytes:
    return f"{key}: {mark * times}".encode()


def _factors(levels: dict[str, str]) -> bytes:
    return f"factors: {{{', '.join(f'{name}: [{values}]' for name, values in levels.items())}}}".encode()


def _aliases(key: str, depth: int, width: int, form: str, first: str) -> bytes:
    """Each line stands for `width` times the one before."""
    rows = [f"a0: &a0 {first}"]
    rows += [f"a{n}: &a{n} {form.format(', '.join([f'*a{n - 1}'] * width))}" for n in range(1, depth)]
    return "\n".join([*rows, f"{key}: *a{depth - 1}"]).encode()
