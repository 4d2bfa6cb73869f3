"""Gated networks, which have no constraints: GRU and LSTM, for comparison."""

from __future__ import annotations

from typing import Any, Literal, get_args

import keras

from biornn.connectivity import Connectivity
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
        If the architecture is not known.

    References
    ----------
    Cho et al. (2014), EMNLP; Hochreiter & Schmidhuber (1997), Neural Computation 9, 1735.

    Examples
    --------
    >>> import biornn as bn
    >>> bn.layers.build_gated_model("gru", 64, n_inputs=3, n_outputs=3).output_shape
    (None, None, 3)
    """
    if architecture not in get_args(GatedArchitecture):
        raise ValueError(f"architecture: expected one of {get_args(GatedArchitecture)}, got {architecture!r}")
    layer = keras.layers.GRU if architecture == "gru" else keras.layers.LSTM
    return keras.Sequential(
        [
            keras.Input((None, n_inputs)),
            layer(
                n_units,
                return_sequences=True,
                use_bias=use_bias,
                kernel_initializer=keras.initializers.GlorotUniform(seed),
                recurrent_initializer=keras.initializers.Orthogonal(seed=seed),
                name="recurrent",
                **recurrent,
            ),
            Readout(
                Connectivity(n_units, seed=seed),
                n_outputs,
                use_bias=readout_bias,
                kernel_regularizer=output_regularizer,
                name="readout",
            ),
        ]
    )
