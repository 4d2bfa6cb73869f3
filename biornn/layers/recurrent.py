"""A whole constrained recurrent network, as a Keras layer."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any, Literal, get_args

import keras
from keras import ops
from numpy.typing import ArrayLike

from biornn.connectivity import Connectivity
from biornn.layers.cell import ConstrainedRNNCell, Formulation
from biornn.layers.fused import ACTIVATIONS, FusedSteps, Given, fused_steps, leave_to_readout, runs_on_cpu
from biornn.layers.pathway_weights import Enforcement

Implementation = Literal["auto", "fused", "scan"]


@keras.saving.register_keras_serializable(package="biornn")
class ConstrainedRNN(keras.layers.RNN):
    """Recurrent layer whose wiring keeps to a `biornn.Connectivity`.

    Input weights, noise and the effective recurrent weights are computed once per call, not once per step: the
    constraint costs nothing that grows with time. With α = 1 and no constraint the layer equals
    ``keras.layers.SimpleRNN``.

    In training on a CPU, numpy computes all steps and their gradient, and not the framework's loop: that is faster and
    gives the same up to rounding (`biornn.layers.fused`). These steps have a first derivative only: gradients of
    gradients need ``implementation="scan"``. Inference uses the framework's loop, so that the model can be exported.

    Parameters
    ----------
    connectivity
        The wiring; an integer is that many unconstrained units.
    activation, tau, dt, formulation, use_bias, initial_bias
        See `ConstrainedRNNCell`.
    enforcement, recurrent_noise, trainable_initial_state, seed
        See `ConstrainedRNNCell`.
    input_regularizer, recurrent_regularizer, bias_regularizer
        Keras regularisers of the weights.
    activity_regularizer
        Keras regulariser of the rates, such as `MeanSquare`.
    implementation
        How training computes the steps. ``"fused"``: in numpy, for TensorFlow and PyTorch on a CPU; ``"scan"``: in the
        framework's loop; ``"auto"``: fused where that is possible, scan elsewhere (GPUs, JAX, masks, unrolling, 16-bit
        floats, activations other than linear, relu, sigmoid, softplus and tanh).
    **kwargs
        Of ``keras.layers.RNN``: ``return_sequences``, ``return_state``, ``go_backwards``, ``stateful``, ``unroll``, …

    Raises
    ------
    ValueError
        If a setting is impossible.

    Examples
    --------
    >>> import biornn as bn
    >>> import numpy as np
    >>> wiring = bn.Connectivity(50, excitatory_fraction=0.8, seed=0)
    >>> layer = bn.layers.ConstrainedRNN(wiring, tau=10.0, dt=1.0, return_sequences=True)
    >>> layer(np.zeros((2, 100, 3), "float32")).shape
    TensorShape([2, 100, 50])
    """

    def __init__(
        self,
        connectivity: Connectivity | int,
        activation: Any = "tanh",
        tau: ArrayLike | None = None,
        dt: float = 1.0,
        formulation: Formulation = "rate",
        use_bias: bool = True,
        initial_bias: float = 0.0,
        enforcement: Enforcement = "construction",
        recurrent_noise: float = 0.0,
        trainable_initial_state: bool = False,
        input_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        seed: int | None = None,
        implementation: Implementation = "auto",
        **kwargs: Any,
    ) -> None:
        if implementation not in get_args(Implementation):
            raise ValueError(f"implementation: expected one of {get_args(Implementation)}, got {implementation!r}")
        cell = ConstrainedRNNCell(
            connectivity,
            activation=activation,
            tau=tau,
            dt=dt,
            formulation=formulation,
            use_bias=use_bias,
            initial_bias=initial_bias,
            enforcement=enforcement,
            recurrent_noise=recurrent_noise,
            trainable_initial_state=trainable_initial_state,
            input_regularizer=input_regularizer,
            recurrent_regularizer=recurrent_regularizer,
            bias_regularizer=bias_regularizer,
            seed=seed,
            dtype=kwargs.get("dtype"),
            name="cell",
        )
        super().__init__(cell, activity_regularizer=activity_regularizer, **kwargs)
        self.implementation = implementation
        self._fuses_inference = self._leaves_steps_to_readout = False
        # XLA, which TensorFlow has and does not gain from on a CPU, cannot call numpy.
        is_scan = implementation == "scan" or bool(self._obstacle_to_fusing(None))
        self.supports_jit = keras.backend.backend() != "tensorflow" or is_scan

    def inner_loop(self, sequences: Any, initial_state: Any, mask: Any, training: bool = False) -> Any:
        """Run all steps, with everything that does not depend on the state computed beforehand."""
        if self.implementation != "scan" and (training or self._fuses_inference):
            obstacle = self._obstacle_to_fusing(mask)
            if not obstacle:
                return self._fused_loop(sequences, initial_state[0], training)
            if self.implementation == "fused":
                raise ValueError(f"implementation: expected 'scan' or 'auto' {obstacle}, got 'fused'")
        drive = self.cell.drive(sequences, training)
        with self.cell.hoisted():
            return super().inner_loop(drive, initial_state, mask, training)

    def _fused_loop(self, sequences: Any, state: Any, training: bool) -> tuple[Any, Any, list[Any]]:
        """Run all steps in numpy, and return the same as Keras's loop."""
        cell = self.cell
        inputs = ops.flip(sequences, axis=1) if self.go_backwards else ops.convert_to_tensor(sequences)
        weights = cell.input_pathway.effective(), cell.recurrent_pathway.effective()
        bias = ops.zeros((cell.units,), inputs.dtype) if cell.bias is None else cell.bias
        given = Given(inputs, *weights, bias, state)
        if training and cell.recurrent_noise:
            given = given._replace(noise=cell.noise((*ops.shape(inputs)[:2], cell.units), inputs.dtype))
        rates, state = fused_steps(self._steps, given)
        if self._leaves_steps_to_readout:
            leave_to_readout(rates, self._steps, given)
        return rates[:, -1], rates, [state]

    @cached_property
    def _steps(self) -> FusedSteps:
        """The steps in numpy, which keep their memory from call to call."""
        cell = self.cell
        alpha = None if (cell.alpha == 1).all() else cell.alpha.astype(cell.compute_dtype)
        steps = FusedSteps(cell.activation.__name__, cell.formulation, alpha)
        # TensorFlow keeps the function of a gradient, and with it the steps, until the process ends.
        weakref.finalize(self, steps.close).atexit = False
        return steps

    def _obstacle_to_fusing(self, mask: Any) -> str:
        """Say why the steps cannot be computed in numpy; empty if they can."""
        name = getattr(self.cell.activation, "__name__", "")
        if name not in ACTIVATIONS or keras.activations.get(name) is not self.cell.activation:
            return f"with an activation other than {', '.join(ACTIVATIONS)}"
        if keras.backend.standardize_dtype(self.cell.compute_dtype) not in ("float32", "float64"):
            return "with 16-bit floats"
        if self.unroll:
            return "with unroll"
        if mask is not None:
            return "with masks"
        return "" if runs_on_cpu() else "on accelerators and on JAX"

    def reset_state(self) -> None:
        """Set the state of a stateful layer back to the initial one, which may have been learned."""
        if self.states is not None:
            for variable, value in zip(self.states, self.get_initial_state(self._expected_batch_size), strict=True):
                variable.assign(value)

    def get_config(self) -> dict[str, Any]:
        """Return the settings of the layer and of its cell as plain values."""
        config = super().get_config()
        del config["cell"]
        cell_config = self.cell.get_config()
        for name in ("name", "trainable", "dtype"):
            cell_config.pop(name)
        return {
            **config,
            **cell_config,
            "implementation": self.implementation,
            "activity_regularizer": keras.regularizers.serialize(self.activity_regularizer),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> ConstrainedRNN:
        """Build a layer from what `get_config` returned."""
        return cls(**{**config, "connectivity": Connectivity.from_config(config["connectivity"])})


@contextmanager
def fused_inference(layer: keras.layers.Layer) -> Iterator[bool]:
    """Compute the steps of inference in numpy too, except with ``"scan"``: for what is not exported, as validation.

    Parameters
    ----------
    layer
        A `ConstrainedRNN`; any other layer stays as it is.

    Yields
    ------
    bool
        Whether numpy computes the steps of inference without masks now.
    """
    if not isinstance(layer, ConstrainedRNN):
        yield False
        return
    before, layer._fuses_inference = layer._fuses_inference, True
    try:
        yield layer.implementation != "scan" and not layer._obstacle_to_fusing(None)
    finally:
        layer._fuses_inference = before
