"""The network that biornn trains: inputs, a constrained recurrent layer, a readout."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras

from biornn.connectivity import Connectivity
from biornn.layers.pathway_weights import Enforcement
from biornn.layers.readout import Readout
from biornn.layers.recurrent import ConstrainedRNN


def build_model(
    connectivity: Connectivity | int,
    n_inputs: int,
    n_outputs: int,
    *,
    readout_bias: bool = True,
    output_regularizer: Any = None,
    enforcement: Enforcement = "construction",
    **recurrent: Any,
) -> keras.Sequential:
    """Build a sequential model of a recurrent layer and a readout, both within one connectivity.

    Parameters
    ----------
    connectivity
        The wiring; an integer is that many unconstrained units.
    n_inputs, n_outputs
        Number of input and output channels.
    readout_bias
        Whether the readout has a bias.
    output_regularizer
        Keras regulariser of the readout's weights.
    enforcement
        ``"construction"`` or ``"projection"``, for both layers.
    **recurrent
        Settings of `ConstrainedRNN`; a `dtype` is that of both layers.

    Returns
    -------
    keras.Sequential
        Inputs (batch, time, input_channel) to outputs (batch, time, output_channel); its layers are ``recurrent`` and
        ``readout``.

    Examples
    --------
    >>> import biornn as bn
    >>> bn.layers.build_model(bn.Connectivity(64, density=0.5), n_inputs=3, n_outputs=3, tau=5.0).output_shape
    (None, None, 3)
    """
    if not isinstance(connectivity, Connectivity):
        connectivity = Connectivity(connectivity)
    return keras.Sequential(
        [
            keras.Input((None, n_inputs)),
            ConstrainedRNN(connectivity, enforcement=enforcement, return_sequences=True, name="recurrent", **recurrent),
            Readout(
                connectivity,
                n_outputs,
                use_bias=readout_bias,
                enforcement=enforcement,
                kernel_regularizer=output_regularizer,
                dtype=recurrent.get("dtype"),
                name="readout",
            ),
        ]
    )


@contextmanager
def fused_readout(model: keras.Model) -> Iterator[None]:
    """Compute steps and outputs of a model of `build_model` together in numpy, without passing rates to the framework.

    For training and validation of a model that is no part of another: in a graph of TensorFlow that is traced in this
    context, there is no gradient with respect to the rates or the inputs. Nothing changes if the framework's loop
    computes the steps, if the layer has a penalty on rates or is stateful, in other models, without a graph, and on
    other backends.

    Parameters
    ----------
    model
        Any model.
    """
    layers = model.layers if type(model) is keras.Sequential else []  # others may do with the rates what they like
    if [type(layer) for layer in layers] != [ConstrainedRNN, Readout]:
        yield
        return
    recurrent = layers[0]
    asks_more = recurrent.activity_regularizer or recurrent.stateful
    before, recurrent._leaves_steps_to_readout = recurrent._leaves_steps_to_readout, not asks_more
    try:
        yield
    finally:
        recurrent._leaves_steps_to_readout = before
