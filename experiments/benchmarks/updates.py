"""One update of every kind of network that is timed: the same arrays, sizes and settings of Adam in all frameworks.

All update on the mean squared error over 340 steps, with gradients clipped to a global norm of 1. A process makes the
networks of one framework, and imports no other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np
from machine import version_of
from numpy.typing import NDArray

if TYPE_CHECKING:
    import biornn as bn

N_STEPS, N_CHANNELS = 340, 3
LEARNING_RATE, EPSILON, CLIPNORM = 1e-4, 1e-7, 1.0  # epsilon is Keras's; the moments' decay is 0.9 and 0.999 in all

Update = Callable[[], object]


def wiring(n_units: int) -> bn.Connectivity:
    """Return the constraint: Dale's law (80/20), half of the synapses, no self-connections."""
    import biornn as bn

    return bn.Connectivity(n_units, excitatory_fraction=0.8, density=0.5, autapses=False, seed=0)


def keras_updates(n_units: int, n_trials: int) -> dict[str, Update]:
    """Make biornn's and plain Keras's networks, each as `fit` would update it; each with its first update.

    Parameters
    ----------
    n_units, n_trials
        Size of the network and of the batch.

    Returns
    -------
    dict
        Kind of network -> one update.
    """
    import keras

    import biornn as bn

    inputs, targets = arrays(n_trials)
    constraint = wiring(n_units)
    layer = partial(bn.layers.ConstrainedRNN, return_sequences=True)
    layers: dict[str, Callable[[], Any]] = {
        "SimpleRNN": lambda: keras.layers.SimpleRNN(n_units, return_sequences=True),
        "unconstrained": lambda: layer(bn.Connectivity(n_units, seed=0)),
        "constrained": lambda: layer(constraint),
        "leaky": lambda: layer(constraint, tau=5.0),
        "scan": lambda: layer(constraint, implementation="scan"),
        # A cell of its own computes its effective weights where most codes of labs do.
        "masked in every step": lambda: keras.layers.RNN(
            bn.layers.ConstrainedRNNCell(constraint), return_sequences=True
        ),
    }

    @cache
    def network(kind: str) -> Update:
        return keras_update(layers[kind](), inputs, targets)

    def update(kind: str) -> object:
        return network(kind)()

    return {kind: partial(update, kind) for kind in layers}


def keras_update(recurrent: Any, inputs: NDArray[np.float32], targets: NDArray[np.float32]) -> Update:
    """Return one update, as `biornn.train` makes it, of a network with a recurrent Keras layer."""
    import biornn as bn

    model = keras_model(recurrent, LEARNING_RATE)

    def update() -> float:
        with bn.layers.fused_readout(model):
            return float(model.train_on_batch(inputs, targets))

    return update


def keras_model(recurrent: Any, learning_rate: float) -> Any:
    """Compile a model of a recurrent Keras layer and a readout: biornn's behind biornn's layer, else Keras's."""
    import keras

    import biornn as bn

    is_ours = isinstance(recurrent, bn.layers.ConstrainedRNN)
    readout = bn.layers.Readout(recurrent.cell.units, N_CHANNELS) if is_ours else keras.layers.Dense(N_CHANNELS)
    model = keras.Sequential([keras.Input((None, N_CHANNELS)), recurrent, readout])
    optimizer = keras.optimizers.Adam(learning_rate, epsilon=EPSILON, global_clipnorm=CLIPNORM)
    model.compile(optimizer, "mse", jit_compile=keras.backend.backend() == "jax")
    return model


def torch_updates(n_units: int, n_trials: int) -> dict[str, Update]:
    """Make the networks of PyTorch and of nn4n, which stands on it; time comes first, as both like it best.

    Parameters
    ----------
    n_units, n_trials
        Size of the network and of the batch.

    Returns
    -------
    dict
        Kind of network -> one update; without nn4n where it is not installed.
    """
    import torch

    inputs, targets = (torch.from_numpy(array.swapaxes(0, 1).copy()) for array in arrays(n_trials))
    recurrent, readout = torch.nn.RNN(N_CHANNELS, n_units), torch.nn.Linear(n_units, N_CHANNELS)
    parameters = [*recurrent.parameters(), *readout.parameters()]
    plain = torch_update(lambda given: readout(recurrent(given)[0]), parameters, LEARNING_RATE)
    updates: dict[str, Update] = {"torch": lambda: plain(inputs, targets)}
    if version_of("nn4n"):
        model = nn4n_network(wiring(n_units))
        constrained = torch_update(lambda given: model(given)[0], model.parameters(), LEARNING_RATE)
        updates["nn4n"] = lambda: constrained(inputs, targets)
    return updates


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

    Parameters
    ----------
    constraint
        The wiring.
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


def numpy_updates(n_units: int, n_trials: int) -> dict[str, Update]:
    """Return the floor: the products that any update must make.

    Parameters
    ----------
    n_units, n_trials
        Size of the network and of the batch.
    """
    generator = np.random.default_rng(0)

    def draw(*shape: int) -> NDArray[np.float32]:
        return generator.standard_normal(shape, dtype=np.float32)

    rates, weights = draw(n_trials, n_units), draw(n_units, n_units)
    # Two arrays: numpy makes the product of an array with its own transpose at half the work, as it is symmetric.
    before, gradients = draw(n_trials * N_STEPS, n_units), draw(n_trials * N_STEPS, n_units)
    product = np.empty_like(rates)

    def products() -> object:
        """Multiply as often as one update must: forward and back once a step, and once for the weights."""
        for _ in range(2 * N_STEPS):
            np.matmul(rates, weights, out=product)
        return before.T @ gradients

    return {"products": products}


def gpu_updates(n_units: int, n_trials: int) -> dict[str, Update]:
    """Make PyTorch's own network on a GPU, and the floor there: products as one graph of CUDA, which launches itself.

    Parameters
    ----------
    n_units, n_trials
        Size of the network and of the batch.

    Returns
    -------
    dict
        Kind of network -> one update. The products are in float32, and in TF32, which has 10 of its 23 bits.
    """
    import torch

    torch.set_default_device("cuda")
    inputs, targets = (torch.from_numpy(array.swapaxes(0, 1).copy()).cuda() for array in arrays(n_trials))
    recurrent, readout = torch.nn.RNN(N_CHANNELS, n_units), torch.nn.Linear(n_units, N_CHANNELS)
    parameters = [*recurrent.parameters(), *readout.parameters()]
    plain = torch_update(lambda given: readout(recurrent(given)[0]), parameters, LEARNING_RATE)

    def products(precision: str) -> Update:
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

        def replay() -> None:
            graph.replay()
            torch.cuda.synchronize()

        return replay

    floors = {"products in TF32": products("high"), "products": products("highest")}
    return {"torch": lambda: plain(inputs, targets), **floors}


#: Framework -> the package that it needs, and what makes its networks.
FRAMEWORKS: dict[str, tuple[str, Callable[[int, int], dict[str, Update]]]] = {
    "keras": ("keras", keras_updates),
    "torch": ("torch", torch_updates),
    "numpy": ("numpy", numpy_updates),
    "torch on a GPU": ("torch", gpu_updates),
}


def arrays(n_trials: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Draw inputs and targets, (batch, time, channel)."""
    generator = np.random.default_rng(0)
    shape = n_trials, N_STEPS, N_CHANNELS
    return generator.standard_normal(shape, dtype=np.float32), generator.standard_normal(shape, dtype=np.float32)
