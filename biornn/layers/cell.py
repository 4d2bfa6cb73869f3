"""One step of a constrained recurrent network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal, get_args

import keras
import numpy as np
import xarray as xr
from keras import ops
from numpy.typing import ArrayLike, NDArray

from biornn.connectivity import Connectivity
from biornn.connectivity.labels import given_array
from biornn.dynamics import step
from biornn.layers.pathway_weights import Enforcement, PathwayWeights, check_enforcement
from biornn.scalars import check_number

Formulation = Literal["rate", "current"]


@keras.saving.register_keras_serializable(package="biornn")
class ConstrainedRNNCell(keras.layers.Layer):
    """Cell of a recurrent network whose wiring keeps to a `biornn.Connectivity`.

    With ``α = dt / τ``, recurrent weights ``W``, input weights ``W_in``, bias ``b`` and noise ``ξ``, one step is in the
    rate form (Jarne's equation 1; equation 6 and Keras's ``SimpleRNN`` where α = 1)

        ``r[t] = (1 − α) r[t−1] + α f(r[t−1] W + u[t] W_in + b + ξ[t])``

    and in the current form

        ``x[t] = (1 − α) x[t−1] + α (f(x[t−1]) W + u[t] W_in + b + ξ[t])``, with rates ``r[t] = f(x[t])``.

    The cell's state is ``r`` in the first and ``x`` in the second; its output is ``r`` in both.

    Parameters
    ----------
    connectivity
        The wiring; an integer is that many unconstrained units.
    activation
        ``f``: name of a Keras activation, or a function.
    tau
        Time constant in ms, one or (unit,), labelled or not. None: those of the connectivity's `cell_types`, where they
        have some, else 1.
    dt
        Time step in ms, at most `tau`.
    formulation
        ``"rate"`` or ``"current"``: what leaks.
    use_bias
        Whether ``b`` is there.
    initial_bias
        Standard deviation of the initial values of ``b``, Gaussian and drawn with the connectivity's seed. Where it is
        0 and ``f`` is odd, as tanh, the network begins as an odd function of its inputs, and learns to be another
        slowly.
    enforcement
        What becomes of a weight that an update gives the wrong sign: it keeps its magnitude (``"construction"``), or
        becomes zero (``"projection"``).
    recurrent_noise
        Standard deviation of the stationary fluctuation that the noise causes in a linear unit without input. It does
        not depend on `dt`: ``ξ`` has the standard deviation ``recurrent_noise * sqrt((2 − α) / α)``. Only in training.
    trainable_initial_state
        Whether the state before the first input is learned; otherwise it is zero.
    input_regularizer, recurrent_regularizer, bias_regularizer
        Keras regularisers.
    seed
        Seed of the noise; None takes the connectivity's.
    **kwargs
        Of ``keras.layers.Layer``.

    Raises
    ------
    ValueError
        If a setting is impossible, such as ``dt > tau``.
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
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not isinstance(connectivity, Connectivity):
            connectivity = Connectivity(connectivity)
        self.connectivity = connectivity
        self.units = int(connectivity.n_units)
        self.state_size = self.output_size = self.units
        self.activation = _activation(activation)
        self._given_tau = tau = _in_order(tau, connectivity)
        times = connectivity.time_constants(tau)
        self.tau, self.dt = 1.0 if times is None else times, dt
        self.alpha = _alpha(self.tau, dt, self.units)
        if formulation not in get_args(Formulation):
            raise ValueError(f"formulation: expected one of {get_args(Formulation)}, got {formulation!r}")
        self.formulation = formulation
        self.use_bias = use_bias
        check_number("initial_bias", initial_bias)
        if initial_bias and not use_bias:
            raise ValueError(f"initial_bias: expected 0 without a bias, got {initial_bias}")
        self.initial_bias = initial_bias
        self.enforcement = check_enforcement(enforcement)
        check_number("recurrent_noise", recurrent_noise)
        self.recurrent_noise = recurrent_noise
        self.trainable_initial_state = trainable_initial_state
        self.input_regularizer = keras.regularizers.get(input_regularizer)
        self.recurrent_regularizer = keras.regularizers.get(recurrent_regularizer)
        self.bias_regularizer = keras.regularizers.get(bias_regularizer)
        self.seed = seed
        if recurrent_noise:
            self.noise_generator = keras.random.SeedGenerator(int(connectivity.seed if seed is None else seed))
        self._hoisted: Any = None
        self.bias = self.initial_state = None

    def build(self, input_shape: tuple[Any, ...]) -> None:
        """Create the weights for inputs of shape (batch, input_channel)."""
        self.input_pathway = PathwayWeights(
            self, "input", self.connectivity.input(input_shape[-1]), self.enforcement, self.input_regularizer
        )
        self.recurrent_pathway = PathwayWeights(
            self, "recurrent", self.connectivity.recurrent, self.enforcement, self.recurrent_regularizer
        )
        if self.use_bias:
            values = self.connectivity.biases(self.initial_bias)
            self.bias = self.add_weight(
                name="bias",
                shape=(self.units,),
                initializer=lambda shape, dtype=None: ops.convert_to_tensor(values, dtype=dtype),
                regularizer=self.bias_regularizer,
            )
        if self.trainable_initial_state:
            self.initial_state = self.add_weight(name="initial_state", shape=(self.units,), initializer="zeros")
        self.built = True

    def call(self, inputs: Any, states: Any, training: bool = False) -> tuple[Any, list[Any]]:
        """Advance one step, from the inputs (batch, input_channel) and the state (batch, unit), in a list.

        Inside `hoisted`, the drive (batch, unit) takes the place of the inputs. There is noise in training only.
        Returns the rates (batch, unit), and the new state, in a list.
        """
        state = states[0] if isinstance(states, list | tuple) else states
        if self._hoisted is None:
            drive, weights = self.drive(inputs, training), self.recurrent_pathway.effective()
        else:
            drive, weights = inputs, self._hoisted
        rates = state if self.formulation == "rate" else self.activation(state)
        alpha = ops.convert_to_tensor(self.alpha, dtype=state.dtype) if (self.alpha != 1).any() else None
        state, rates = step(state, rates, drive, weights, alpha, self.activation, self.formulation)
        return rates, [state]

    def drive(self, inputs: Any, training: bool = False) -> Any:
        """Return all that a unit receives except from other units, ``u W_in + b + ξ``, (batch, unit) or with time."""
        drive = ops.matmul(inputs, self.input_pathway.effective())
        if self.bias is not None:
            drive = drive + self.bias
        if training and self.recurrent_noise:
            drive = drive + self.noise(ops.shape(drive), drive.dtype)
        return drive

    def noise(self, shape: Any, dtype: Any) -> Any:
        """Draw the noise ``ξ`` that units receive, (..., unit)."""
        scale = self.recurrent_noise * np.sqrt((2 - self.alpha) / self.alpha)
        noise = keras.random.normal(shape, dtype=dtype, seed=self.noise_generator)
        return ops.convert_to_tensor(scale, dtype=dtype) * noise

    @contextmanager
    def hoisted(self) -> Iterator[None]:
        """Compute the effective recurrent weights once; steps taken inside use them, and take the drive as input."""
        self._hoisted = self.recurrent_pathway.effective()
        try:
            yield
        finally:
            self._hoisted = None

    def get_initial_state(self, batch_size: Any = None) -> list[Any]:
        """Return the state before the first input, (batch, unit), in a list."""
        state = ops.zeros((batch_size, self.units), dtype=self.compute_dtype)
        if self.initial_state is not None:  # added, not broadcast: PyTorch would give a view that cannot be written to
            state = state + ops.cast(self.initial_state, self.compute_dtype)
        return [state]

    def get_config(self) -> dict[str, Any]:
        """Return the settings of the cell as plain values."""
        return {
            **super().get_config(),
            "connectivity": self.connectivity.get_config(),
            "activation": keras.activations.serialize(self.activation),
            "tau": None if self._given_tau is None else np.asarray(self._given_tau, dtype=float).tolist(),
            "dt": float(self.dt),
            "formulation": self.formulation,
            "use_bias": self.use_bias,
            "initial_bias": float(self.initial_bias),
            "enforcement": self.enforcement,
            "recurrent_noise": float(self.recurrent_noise),
            "trainable_initial_state": self.trainable_initial_state,
            "input_regularizer": keras.regularizers.serialize(self.input_regularizer),
            "recurrent_regularizer": keras.regularizers.serialize(self.recurrent_regularizer),
            "bias_regularizer": keras.regularizers.serialize(self.bias_regularizer),
            "seed": None if self.seed is None else int(self.seed),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> ConstrainedRNNCell:
        """Build a cell from what `get_config` returned."""
        return cls(**{**config, "connectivity": Connectivity.from_config(config["connectivity"])})


def _activation(identifier: Any) -> Any:
    try:
        return keras.activations.get(identifier)
    except (ValueError, TypeError) as error:
        raise ValueError(f"activation: expected the name of a Keras activation, got {identifier!r}") from error


def _in_order(tau: ArrayLike | None, connectivity: Connectivity) -> ArrayLike | None:
    """Return labelled time constants as an array in the order of the connectivity's units."""
    if not isinstance(tau, xr.DataArray) or not tau.dims:
        return tau
    return given_array("tau", tau, {"unit": connectivity.unit_names}, float)


def _alpha(tau: ArrayLike, dt: float, units: int) -> NDArray[np.float64]:
    """Return dt / τ of every unit, after checking both."""
    try:
        times = np.asarray(tau, dtype=float)
    except (TypeError, ValueError) as error:
        raise ValueError(f"tau: expected positive times in ms, got {tau!r}") from error
    if times.shape not in ((), (units,)):
        raise ValueError(f"tau: expected one time or shape ({units},), got shape {times.shape}")
    if not (np.isfinite(times).all() and (times > 0).all()):
        raise ValueError(f"tau: expected positive times in ms, got {tau!r}")
    check_number("dt", dt, f"more than 0 and at most tau={times.min():g} ms", maximum=times.min(), above=0)
    return np.broadcast_to(dt / times, (units,)).copy()
