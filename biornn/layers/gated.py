"""Gated networks, which have no constraints: GRU and LSTM, for comparison."""

from __future__ import annotations

from typing import Any, Literal, get_args

import keras
import numpy as np
from numpy.typing import NDArray

from biornn.connectivity import Connectivity
from biornn.layers.pathway_weights import as_numpy
from biornn.layers.readout import Readout

GatedArchitecture = Literal["gru", "lstm"]


def build_gated_model(
    architecture: GatedArchitecture,
    n_units: int,
    n_inputs: int,
    n_outputs: int,
    *,
    seed: int = 0,
    use_bias: bool = True,
    readout_bias: bool = True,
    longest_memory: float = 50.0,
    output_regularizer: Any = None,
    **recurrent: Any,
) -> keras.Sequential:
    """Build a sequential model of a gated layer of Keras and a readout.

    Parameters
    ----------
    architecture
        ``"gru"`` or ``"lstm"``.
    n_units, n_inputs, n_outputs
        Number of units, of input and of output channels.
    seed
        Seed of the initial weights: orthogonal recurrent ones, Glorot-uniform others.
    use_bias, readout_bias
        Whether the gates and the readout have biases.
    longest_memory
        Longest time, in steps, that the gates keep their state at first. With the initial values of Keras they forget
        within a step or two, and a GRU learns no flip-flop whose response comes after 40 steps.
    output_regularizer
        Keras regulariser of the readout's weights.
    **recurrent
        Further settings of ``keras.layers.GRU`` or ``keras.layers.LSTM``.

    Returns
    -------
    keras.Sequential
        Inputs (batch, time, input_channel) to outputs (batch, time, output_channel); its layers are ``recurrent`` and
        ``readout``. The output of ``recurrent``, the hidden state, stands for the rates.

    Raises
    ------
    ValueError
        If the architecture is not known, or `longest_memory` is less than 2.

    References
    ----------
    Cho et al. (2014), EMNLP; Hochreiter & Schmidhuber (1997), Neural Computation 9, 1735. Initial biases of the gates:
    Tallec & Ollivier (2018), Can recurrent neural networks warp time?, ICLR, equation 16. Initial input weights:
    Glorot & Bengio (2010), AISTATS.

    Examples
    --------
    >>> import biornn as bn
    >>> bn.layers.build_gated_model("gru", 64, n_inputs=3, n_outputs=3).output_shape
    (None, None, 3)
    """
    if architecture not in get_args(GatedArchitecture):
        raise ValueError(f"architecture: expected one of {get_args(GatedArchitecture)}, got {architecture!r}")
    if not longest_memory >= 2:
        raise ValueError(f"longest_memory: expected at least 2 steps, got {longest_memory!r}")
    layer = keras.layers.GRU if architecture == "gru" else keras.layers.LSTM
    model = keras.Sequential(
        [
            keras.Input((None, n_inputs)),
            layer(int(n_units), return_sequences=True, use_bias=use_bias, name="recurrent", **recurrent),
            Readout(
                Connectivity(n_units, seed=seed),
                n_outputs,
                use_bias=readout_bias,
                kernel_regularizer=output_regularizer,
                dtype=recurrent.get("dtype"),
                name="readout",
            ),
        ]
    )
    rng, cell = np.random.default_rng(seed), model.get_layer("recurrent").cell
    if use_bias:
        _keep_state(cell.bias, architecture, np.log(rng.uniform(1, longest_memory - 1, n_units)))
    # Drawn here, since one seed gives Keras other values on each of its backends.
    limit = np.sqrt(6 / sum(cell.kernel.shape))  # Glorot & Bengio (2010), equation 16
    cell.kernel.assign(rng.uniform(-limit, limit, cell.kernel.shape))
    cell.recurrent_kernel.assign(_orthonormal_rows(rng, cell.recurrent_kernel.shape))
    return model


def _orthonormal_rows(rng: np.random.Generator, shape: tuple[int, int]) -> NDArray[np.float64]:
    """Draw a matrix with at least as many columns as rows, uniformly among those with orthonormal rows."""
    columns, triangle = np.linalg.qr(rng.normal(size=shape[::-1]))
    return (columns * np.sign(triangle.diagonal())).T


def _keep_state(bias: Any, architecture: GatedArchitecture, memory: NDArray[np.float64]) -> None:
    """Set the biases of the gates so that at first a unit keeps its state for ``1 + exp(memory)`` steps."""
    values, n_units = as_numpy(bias).copy(), len(memory)
    if architecture == "gru":
        values[0, :n_units] = memory  # update gate of Keras: the share that is kept
    else:
        values[:n_units], values[n_units : 2 * n_units] = -memory, memory  # input gate, forget gate
    bias.assign(values)
