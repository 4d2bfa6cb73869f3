"""One update of each kind of network that is timed: the same arrays, sizes and settings of Adam in all frameworks.

All update on the mean squared error over 340 steps, with gradients clipped to a global norm of 1. A process makes the
networks of one framework, and imports no other.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from functools import cache, partial
from statistics import median
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from side_by_side import Process, in_turns, seconds

import biornn as bn

N_STEPS, N_CHANNELS = 340, 3
LEARNING_RATE, EPSILON, CLIPNORM = 1e-4, 1e-7, 1.0  # epsilon is Keras's; the moments' decay is 0.9 and 0.999 in all
SHORTEST_TURN = 0.3  # s; small networks make as many updates as take that, since something else disturbs some of them
_N_WARM = 2  # the first update of a network traces or allocates

Update = Callable[[], object]


class Kind(NamedTuple):
    """A kind of network: its name in tables, the framework and the package it needs, units and trials -> an update."""

    title: str
    framework: str
    package: str
    make: Callable[[int, int], Update]


def time_updates(
    processes: Mapping[Any, tuple[Mapping[str, Any], Sequence[str]]], size: tuple[int, int], n_rounds: int, n: int
) -> dict[Any, list[float]]:
    """Time `n` updates a turn of networks of one size, units and trials: name and kind -> s of an update, one a round.

    `processes` has, for each name, the settings of its `Process`, and its kinds of networks.
    """
    with ExitStack() as stack:
        cases = {}
        for name, (settings, kinds) in processes.items():
            process = stack.enter_context(Process(**settings))
            cases |= {(name, kind): partial(process.call, turn, kind, *size, n) for kind in kinds}
        return in_turns(cases, n_rounds)


def turn(kind: str, n_units: int, n_trials: int, n_updates: int) -> float:
    """Return the median time of an update in this process, in s, of as many as take `SHORTEST_TURN`, at least `n`."""
    update = _warm(kind, n_units, n_trials)
    first = seconds(update)  # brings caches and threads back
    return median(seconds(update) for _ in range(max(n_updates, math.ceil(SHORTEST_TURN / first))))


@cache
def _warm(kind: str, n_units: int, n_trials: int) -> Update:
    update = KINDS[kind].make(n_units, n_trials)
    for _ in range(_N_WARM):
        update()
    return update


def wiring(n_units: int) -> bn.Connectivity:
    """Return the constraint: Dale's law (80/20), half of the synapses, no self-connections."""
    return bn.Connectivity(n_units, excitatory_fraction=0.8, density=0.5, autapses=False, seed=0)


def arrays(n_trials: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Draw inputs and targets, (batch, time, channel)."""
    generator = np.random.default_rng(0)
    shape = n_trials, N_STEPS, N_CHANNELS
    return generator.standard_normal(shape, dtype=np.float32), generator.standard_normal(shape, dtype=np.float32)


def keras_layer(kind: str, n_units: int, **more: Any) -> Any:
    """Return the recurrent layer of a kind of network; with the constraint, other settings of biornn's layer too."""
    import keras

    settings: dict[str, Any] = {"return_sequences": True}
    if kind == "SimpleRNN":
        return keras.layers.SimpleRNN(n_units, **settings)
    if kind == "unconstrained":
        return bn.layers.ConstrainedRNN(bn.Connectivity(n_units, seed=0), **settings)
    if kind == "masked":  # a cell in Keras's loop computes its effective weights in every step
        return keras.layers.RNN(bn.layers.ConstrainedRNNCell(wiring(n_units)), **settings)
    settings |= {"constrained": {}, "leaky": {"tau": 5.0}, "scan": {"implementation": "scan"}}[kind] | more
    return bn.layers.ConstrainedRNN(wiring(n_units), **settings)


def keras_model(recurrent: Any, learning_rate: float) -> Any:
    """Compile a model of a recurrent Keras layer and a readout: biornn's behind biornn's layer, else Keras's."""
    import keras

    is_ours = isinstance(recurrent, bn.layers.ConstrainedRNN)
    readout = bn.layers.Readout(recurrent.cell.units, N_CHANNELS) if is_ours else keras.layers.Dense(N_CHANNELS)
    model = keras.Sequential([keras.Input((None, N_CHANNELS)), recurrent, readout])
    optimizer = keras.optimizers.Adam(learning_rate, epsilon=EPSILON, global_clipnorm=CLIPNORM)
    model.compile(optimizer, "mse", jit_compile=keras.backend.backend() == "jax")
    return model


def keras_update(recurrent: Any, inputs: NDArray[np.float32], targets: NDArray[np.float32]) -> Update:
    """Return an update, as `biornn.train` makes it, of a network with a recurrent Keras layer."""
    model = keras_model(recurrent, LEARNING_RATE)

    def update() -> float:
        with bn.layers.fused_readout(model):
            return float(model.train_on_batch(inputs, targets))

    return update


def keras_network(n_units: int, n_trials: int, kind: str) -> Update:
    """Return an update of a kind of Keras network."""
    return keras_update(keras_layer(kind, n_units), *arrays(n_trials))


def torch_update(run: Callable[[Any], Any], parameters: Iterable[Any], learning_rate: float) -> Callable[..., float]:
    """Return a function that updates a network of PyTorch on inputs and targets, as its users write it."""
    import torch

    learned = [one for one in parameters if one.requires_grad]
    optimizer = torch.optim.Adam(learned, learning_rate, eps=EPSILON)

    def update(inputs: Any, targets: Any) -> float:
        optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(run(inputs), targets)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(learned, CLIPNORM)
        optimizer.step()
        return float(loss.detach())

    return update


def tensors(*trials: NDArray[np.float32]) -> list[Any]:
    """Return arrays as PyTorch's, with time first."""
    import torch

    return [torch.from_numpy(array.swapaxes(0, 1).copy()) for array in trials]


def torch_rnn(n_units: int, n_trials: int, device: str = "cpu") -> Update:
    """Return an update of PyTorch's own recurrent layer and a linear readout."""
    import torch

    torch.set_default_device(device)
    inputs, targets = (one.to(device) for one in tensors(*arrays(n_trials)))
    recurrent, readout = torch.nn.RNN(N_CHANNELS, n_units), torch.nn.Linear(n_units, N_CHANNELS)
    parameters = [*recurrent.parameters(), *readout.parameters()]
    return partial(torch_update(lambda given: readout(recurrent(given)[0]), parameters, LEARNING_RATE), inputs, targets)


def nn4n(n_units: int, n_trials: int) -> Update:
    """Return an update of nn4n's network."""
    model = nn4n_network(wiring(n_units))
    update = torch_update(lambda given: model(given)[0], model.parameters(), LEARNING_RATE)
    return partial(update, *tensors(*arrays(n_trials)))


def nn4n_network(constraint: bn.Connectivity) -> Any:
    """Make nn4n's ``CTRNN`` with signs, mask and initial weights of a connectivity.

    Its masks are (unit_pre, unit_post), as those of its own mask generators. It is as near to the others as it goes:

    - With ``dt = tau`` the leak forgets the state at once, as in ``SimpleRNN``, but is still computed. What leaks is
      the current; without a leak that is the same network.
    - Input and readout weights are free, one bias is learned, and there is no noise.
    - It takes no arrays as initial weights (one of its checks refuses what the other accepts), and divides weights that
      it draws under Dale's law by ten: they are set once it is built.
    - Its signs and mask are not part of the network's function. They are written into the weights at the start of each
      forward pass in training mode.
    """
    import torch
    from nn4n.model import CTRNN

    recurrent = constraint.recurrent
    sign = np.broadcast_to(recurrent.sign[:, np.newaxis], recurrent.mask.shape)
    network = CTRNN(
        dims=[N_CHANNELS, constraint.n_units, N_CHANNELS], activation="tanh", dt=1, tau=1,
        biases=[None, "zero", "zero"], ei_masks=[None, sign.copy(), None],
        sparsity_masks=[None, recurrent.mask.astype(int), None],
    )  # fmt: skip
    layers = network.recurrent_layer.input_layer, network.recurrent_layer.hidden_layer
    for layer, pathway in zip(layers, (constraint.input(N_CHANNELS), recurrent), strict=True):
        layer.set_weight(torch.from_numpy(pathway.initial_weights.T.astype("float32")))
    return network


def products(n_units: int, n_trials: int) -> Update:
    """Return the floor: the products of an update, forward and back once a step, and once for the weights."""
    generator = np.random.default_rng(0)

    def draw(*shape: int) -> NDArray[np.float32]:
        return generator.standard_normal(shape, dtype=np.float32)

    rates, weights = draw(n_trials, n_units), draw(n_units, n_units)
    # Two arrays: numpy makes the product of an array with its own transpose at half the work, as it is symmetric.
    before, gradients = draw(n_trials * N_STEPS, n_units), draw(n_trials * N_STEPS, n_units)
    product = np.empty_like(rates)

    def multiply() -> object:
        for _ in range(2 * N_STEPS):
            np.matmul(rates, weights, out=product)
        return before.T @ gradients

    return multiply


def gpu_products(n_units: int, n_trials: int, precision: str) -> Update:
    """Return the floor on a GPU: the products as one graph of CUDA, which starts them itself."""
    import torch

    torch.set_default_device("cuda")
    torch.set_float32_matmul_precision(precision)
    rates, weights = torch.randn(n_trials, n_units), torch.randn(n_units, n_units)
    before, gradients = torch.randn(2, n_trials * N_STEPS, n_units)
    product, of_weights = torch.empty_like(rates), torch.empty_like(weights)

    def multiply() -> None:
        for _ in range(2 * N_STEPS):
            torch.matmul(rates, weights, out=product)
        torch.matmul(before.T, gradients, out=of_weights)

    multiply()  # the first product of a process takes memory, which no graph may
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        multiply()
    torch.set_float32_matmul_precision("highest")  # of the readout of PyTorch's network

    def replay() -> None:
        graph.replay()
        torch.cuda.synchronize()

    return replay


FLOAT32, TF32 = "products in float32", "products in TF32"
_OF_KERAS = {
    "SimpleRNN": "`keras.layers.SimpleRNN`",
    "unconstrained": "biornn, unconstrained",
    "constrained": "biornn, constrained",
    "leaky": "biornn, constrained, with a leak",
    "scan": "biornn, constrained, in the framework's loop",
    "masked": "Keras cell that masks in every step",
}
KINDS = {kind: Kind(title, "keras", "keras", partial(keras_network, kind=kind)) for kind, title in _OF_KERAS.items()}
KINDS |= {
    "torch": Kind("`torch.nn.RNN`, unconstrained", "torch", "torch", torch_rnn),
    "nn4n": Kind("nn4n, constrained", "torch", "nn4n", nn4n),
    "products": Kind("products alone (numpy)", "numpy", "numpy", products),
    "cuDNN": Kind("`torch.nn.RNN` of cuDNN, unconstrained", "GPU", "torch", partial(torch_rnn, device="cuda")),
    FLOAT32: Kind("products alone, in float32", "GPU", "torch", partial(gpu_products, precision="highest")),
    TF32: Kind("products alone, in TF32", "GPU", "torch", partial(gpu_products, precision="high")),
}
