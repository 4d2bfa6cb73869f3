"""One network is one network on every backend of Keras: weights, trials, training, files."""

import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import combinations, product, starmap
from pathlib import Path
from subprocess import PIPE, Popen

import numpy as np
import pytest

from .backend_worker import CIRCUIT, DALE, N_UPDATES, NETWORKS, TASK

pytestmark = pytest.mark.nightly  # a framework for each; with every change the tests of layers and training run on two

WORKER = Path(__file__).with_name("backend_worker.py")
BACKENDS = ("tensorflow", "jax", "torch")
ON_CPU = {"CUDA_VISIBLE_DEVICES": "", "JAX_PLATFORMS": "cpu"}  # a GPU may multiply in less than float32


@pytest.fixture(scope="module")
def backends(request: pytest.FixtureRequest) -> list[str]:
    """Those that are installed and that a test asks for."""
    names = [item.name for item in request.session.items if item.path == request.path]
    return [one for one in BACKENDS if importlib.util.find_spec(one) and any(one in name for name in names)]


@pytest.fixture(scope="module")
def workers(tmp_path_factory: pytest.TempPathFactory, backends: list[str]) -> Iterator[dict[Path, "Popen[str]"]]:
    """A process for each backend, by its folder, all at a time: most of it is loading frameworks and compiling."""
    base = tmp_path_factory.mktemp("backends")
    folders = [base / backend for backend in backends]
    processes = {}
    for folder in folders:
        folder.mkdir()
        words = [sys.executable, str(WORKER), str(folder), *map(str, folders)]
        environment = {**os.environ, **ON_CPU, "KERAS_BACKEND": folder.name}
        processes[folder] = Popen(words, env=environment, stdin=PIPE, stdout=PIPE, text=True)
    yield processes
    for process in processes.values():
        with process:  # closes its pipes, and waits
            process.kill()


@pytest.fixture(scope="module")
def trained(workers: dict[Path, "Popen[str]"]) -> Path:
    """A folder for each backend, with what it made of the networks."""
    for folder, process in workers.items():
        assert process.stdout is not None
        assert "trained\n" in process.stdout, f"{folder.name} ended too early"
    return next(iter(workers)).parent


@pytest.fixture(scope="module")
def opened(trained: Path, workers: dict[Path, "Popen[str]"]) -> Path:
    """The same folders, with what each backend predicts with the networks of all."""
    for process in workers.values():
        assert process.stdin is not None
        process.stdin.close()
    assert {folder.name: process.wait() for folder, process in workers.items()} == {f.name: 0 for f in workers}
    return trained


def tuples(*names: str) -> object:
    """Give a parameter for some backends."""
    return pytest.param(names, id="-".join(names))


@pytest.fixture(params=map(tuples, BACKENDS))
def backend(request: pytest.FixtureRequest, backends: list[str]) -> str:
    (name,) = need(request.param, backends)
    return name


@pytest.fixture(params=starmap(tuples, combinations(BACKENDS, 2)))
def pair(request: pytest.FixtureRequest, backends: list[str]) -> tuple[str, ...]:
    return need(request.param, backends)


@pytest.fixture(params=starmap(tuples, product(BACKENDS, BACKENDS)))
def reader_and_writer(request: pytest.FixtureRequest, backends: list[str]) -> tuple[str, ...]:
    return need(request.param, backends)


def need(names: tuple[str, ...], backends: list[str]) -> tuple[str, ...]:
    for name in names:
        if name not in backends:
            pytest.skip(f'{name} is not installed: pip install "biornn[{name}]"')
    return names


def saved(folder: Path, name: str, label: str) -> dict[str, np.ndarray]:
    """Arrays of a network that were saved under a label."""
    with np.load(folder / f"{name}.npz") as arrays:
        return {key.removeprefix(f"{label}."): arrays[key] for key in arrays if key.startswith(f"{label}.")}


def test_the_trials_of_a_seed_are_the_same(trained, pair):
    with np.load(trained / pair[0] / "trials.npz") as one, np.load(trained / pair[1] / "trials.npz") as other:
        assert one["inputs"].shape == (3, 8, TASK.duration, TASK.n_inputs)
        for kind in ("inputs", "targets"):
            np.testing.assert_array_equal(one[kind], other[kind])


@pytest.mark.parametrize("name", NETWORKS)
def test_the_initial_weights_of_a_seed_are_the_same(trained, pair, name):
    one, other = (saved(trained / backend, name, "initial") for backend in pair)
    assert list(one) == list(other)
    assert "output_weights" in one
    for key in one:
        np.testing.assert_array_equal(one[key], other[key], err_msg=key)


@pytest.mark.parametrize("name", NETWORKS)
def test_training_leads_to_the_same_weights(trained, pair, name):
    """Every variable comes out the same to 1e-4 of the way that it has gone; what does not learn, exactly.

    Over the four networks, three pairs and all variables, the largest difference was 3e-6 of the way (3e-7 in a
    weight): float32 keeps a weight of order 1, which goes 0.1 here, no better than to 1e-6 of that. A learning rate
    that is wrong by a thousandth is outside. Differences grow little with training: 2e-6 after 100 updates and 1e-5
    after 300, but for two of the 29 weights that Dale's law had sent to zero by then. There the slope of a parameter's
    magnitude jumps, and rounding decides when it is crossed: these two differed by up to 2e-5, 7e-5 of the way.
    """
    initial = saved(trained / pair[0], name, "initial")
    one, other = (saved(trained / backend, name, "trained") for backend in pair)
    ways = {key: np.abs(one[key] - initial[key]).max() for key in one}
    assert list(one) == list(other) == list(initial)
    assert sum(way > 0.01 for way in ways.values()) >= 5
    for key, way in ways.items():
        np.testing.assert_allclose(other[key], one[key], rtol=0, atol=1e-4 * way, err_msg=key)


@pytest.mark.parametrize("name", ["constrained", "projected"])
def test_the_constraints_hold_at_every_snapshot(trained, backend, name):
    audit = saved(trained / backend, name, "audit")
    assert set(audit) == {"sign_violations", "mask_violations", "autapses", "fixed_changes"}
    for key, violations in audit.items():
        np.testing.assert_array_equal(violations, np.zeros(N_UPDATES // 10 + 1), err_msg=key)
    # Not by the audit's own account alone.
    weights = saved(trained / backend, name, "trained")
    assert DALE.recurrent.is_masked
    assert DALE.recurrent.violations(weights["recurrent_weights"]) == 0
    assert DALE.input(TASK.n_inputs).violations(weights["input_weights"]) == 0
    assert DALE.readout(TASK.n_outputs).violations(weights["output_weights"]) == 0
    assert not weights["recurrent_weights"].diagonal().any()


def test_fixed_weights_stay_to_the_bit(trained, backend):
    weights = saved(trained / backend, "circuit", "trained")["recurrent_weights"]
    initial = CIRCUIT.recurrent.initial_weights.astype("float32")
    np.testing.assert_array_equal(weights[~CIRCUIT.trainable], initial[~CIRCUIT.trainable])
    assert (weights != initial)[CIRCUIT.trainable].all()
    assert CIRCUIT.recurrent.violations(weights) == 0


def test_without_constraints_the_same_training_breaks_them(trained, backend):
    weights = saved(trained / backend, "unconstrained", "trained")["recurrent_weights"]
    assert DALE.recurrent.violations(weights) > 100


@pytest.mark.parametrize("name", NETWORKS)
def test_a_saved_model_predicts_the_same_wherever_it_is_opened(opened, reader_and_writer, name):
    reader, writer = reader_and_writer
    with np.load(opened / writer / f"{name}.npz") as arrays:
        expected = arrays["predictions"]
    assert np.ptp(expected) > 0.1
    came = np.load(opened / reader / f"{name}-of-{writer}.npy")
    np.testing.assert_allclose(came, expected, rtol=0, atol=1e-5)  # float32; the largest difference was below 1e-6


@pytest.mark.parametrize("name", BACKENDS[1:])
def test_layers_and_training_pass(name: str) -> None:
    need((name,), [one for one in BACKENDS if importlib.util.find_spec(one)])
    words = ["-q", "-p", "no:cacheprovider", "-m", "nightly or not nightly", "tests/layers", "tests/training"]
    environment = {**os.environ, "KERAS_BACKEND": name}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words], cwd=WORKER.parents[1], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-3000:]
