"""The readout: a dense layer that keeps to a connectivity."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from biornn.connectivity import Connectivity
from biornn.layers.fused import fused_outputs
from biornn.layers.pathway_weights import Enforcement, PathwayWeights, check_enforcement


@keras.saving.register_keras_serializable(package="biornn")
class Readout(keras.layers.Layer):
    """Linear readout of rates, ``r W_out + b_out``, whose weights keep to the connectivity's readout settings.

    Parameters
    ----------
    connectivity
        The wiring of the recurrent layer; an integer is that many unconstrained units.
    n_outputs
        Number of output channels.
    use_bias
        Whether ``b_out`` is there.
    enforcement
        ``"construction"`` or ``"projection"``, as in `ConstrainedRNNCell`.
    kernel_regularizer
        Keras regulariser of the weights.
    **kwargs
        Of ``keras.layers.Layer``.
    """

    def __init__(
        self,
        connectivity: Connectivity | int,
        n_outputs: int,
        use_bias: bool = True,
        enforcement: Enforcement = "construction",
        kernel_regularizer: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        if not isinstance(connectivity, Connectivity):
            connectivity = Connectivity(connectivity)
        if not isinstance(n_outputs, int | np.integer) or n_outputs < 1:
            raise ValueError(f"n_outputs: expected an integer of at least 1, got {n_outputs!r}")
        self.connectivity = connectivity
        self.n_outputs = int(n_outputs)
        self.use_bias = use_bias
        self.enforcement = check_enforcement(enforcement)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the weights for rates of shape (..., unit)."""
        if input_shape[-1] != self.connectivity.n_units:
            raise ValueError(f"rates: expected {self.connectivity.n_units} units, got {input_shape[-1]}")
        pathway = self.connectivity.readout(self.n_outputs)
        self.output_pathway = PathwayWeights(self, "output", pathway, self.enforcement, self.kernel_regularizer)
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(name="bias", shape=(self.n_outputs,), initializer="zeros")
        self.built = True

    def call(self, rates: Any) -> Any:
        """Return the outputs (..., output_channel) of rates (..., unit)."""
        weights = self.output_pathway.effective()
        outputs = fused_outputs(rates, weights)
        if outputs is None:
            outputs = ops.matmul(rates, weights)
        return outputs if self.bias is None else outputs + self.bias

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the outputs for rates of a shape."""
        return (*input_shape[:-1], self.n_outputs)

    def get_config(self) -> dict[str, Any]:
        """Return the settings as plain values."""
        return {
            **super().get_config(),
            "connectivity": self.connectivity.get_config(),
            "n_outputs": self.n_outputs,
            "use_bias": self.use_bias,
            "enforcement": self.enforcement,
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Readout:
        """Build a readout from what `get_config` returned."""
        return cls(**{**config, "connectivity": Connectivity.from_config(config["connectivity"])})
