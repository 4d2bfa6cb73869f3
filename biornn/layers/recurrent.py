"""A whole constrained recurrent network, as a Keras layer."""

from __future__ import annotations

from typing import Any

import keras
from numpy.typing import ArrayLike

from biornn.connectivity import Connectivity
from biornn.layers.cell import ConstrainedRNNCell, Formulation
from biornn.layers.pathway_weights import Enforcement


@keras.saving.register_keras_serializable(package="biornn")
class ConstrainedRNN(keras.layers.RNN):
    """Recurrent layer whose wiring keeps to a `biornn.Connectivity`.

    Input weights, noise and the effective recurrent weights are computed once per call, not once per step: the
    constraint costs nothing that grows with time. With α = 1 and no constraint the layer equals
    ``keras.layers.SimpleRNN``.

    Parameters
    ----------
    connectivity
        The wiring; an integer is that many unconstrained units.
    activation, tau, dt, formulation, use_bias, enforcement, recurrent_noise, trainable_initial_state, seed
        See `ConstrainedRNNCell`.
    input_regularizer, recurrent_regularizer, bias_regularizer
        Keras regularisers of the weights.
    activity_regularizer
        Keras regulariser of the rates, such as `MeanSquare`.
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
        tau: ArrayLike = 1.0,
        dt: float = 1.0,
        formulation: Formulation = "rate",
        use_bias: bool = True,
        enforcement: Enforcement = "construction",
        recurrent_noise: float = 0.0,
        trainable_initial_state: bool = False,
        input_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        cell = ConstrainedRNNCell(
            connectivity,
            activation=activation,
            tau=tau,
            dt=dt,
            formulation=formulation,
            use_bias=use_bias,
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

    def inner_loop(self, sequences: Any, initial_state: Any, mask: Any, training: bool = False) -> Any:
        """Run all steps, with everything that does not depend on the state computed beforehand."""
        drive = self.cell.drive(sequences, training)
        with self.cell.hoisted():
            return super().inner_loop(drive, initial_state, mask, training)

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
            "activity_regularizer": keras.regularizers.serialize(self.activity_regularizer),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> ConstrainedRNN:
        """Build a layer from what `get_config` returned."""
        return cls(**{**config, "connectivity": Connectivity.from_config(config["connectivity"])})
