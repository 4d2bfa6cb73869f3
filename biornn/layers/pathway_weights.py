"""The Keras variables of one pathway, and the two ways to make them keep to its mask and signs."""

from __future__ import annotations

from typing import Any, Literal, get_args

import keras
from keras import ops
from numpy.typing import NDArray

from biornn.connectivity import Pathway

Enforcement = Literal["construction", "projection"]


@keras.saving.register_keras_serializable(package="biornn")
class PathwayConstraint(keras.constraints.Constraint):
    """Project weights onto what mask and sign allow: the nearest matrix that keeps to both.

    Parameters
    ----------
    mask
        (pre, post) 1 where a weight may differ from zero; None: everywhere.
    sign
        (pre, 1) sign of a row, 0 for either; None: either everywhere.
    """

    def __init__(self, mask: Any = None, sign: Any = None) -> None:
        self.mask = mask
        self.sign = sign

    def __call__(self, w: Any) -> Any:
        """Return the projection of weights (pre, post)."""
        w = ops.convert_to_tensor(w)  # an optimizer gives the variable
        if self.sign is not None:
            sign = ops.cast(self.sign, w.dtype)
            w = ops.where(sign * w < 0, ops.zeros_like(w), w)
        if self.mask is not None:
            w = w * ops.cast(self.mask, w.dtype)
        return w

    def get_config(self) -> dict[str, Any]:
        """Return mask and sign as nested lists."""
        plain = {"mask": self.mask, "sign": self.sign}
        return {name: None if value is None else as_numpy(value).tolist() for name, value in plain.items()}


class PathwayWeights:
    """Trainable parameters of a pathway, with its mask and signs as non-trainable weights of the same layer.

    By construction, the effective weights are ``mask * sign * |parameters|`` (no sign where units have
    none): they keep to the constraint at every moment. By projection, they are the parameters, projected after
    each update. Parameters that the mask forbids start at zero and never change, so that penalties see only
    what is effective.

    Parameters
    ----------
    layer
        Layer that owns the variables, while it is being built.
    name
        Prefix of their names.
    pathway
        Constraint and initial values.
    enforcement
        ``"construction"`` or ``"projection"``.
    regularizer
        Keras regulariser of the parameters (whose magnitudes are those of the effective weights).
    """

    def __init__(
        self,
        layer: keras.layers.Layer,
        name: str,
        pathway: Pathway,
        enforcement: Enforcement,
        regularizer: Any = None,
    ) -> None:
        self._by_construction = enforcement == "construction"
        self._all_signed = bool(pathway.sign.all())
        mask = pathway.mask if pathway.is_masked else None
        sign = pathway.sign[:, None] if pathway.is_signed else None
        self.mask = None if mask is None else _constant(layer, f"{name}_mask", mask)
        self.sign = None if sign is None else _constant(layer, f"{name}_sign", sign)
        constraint = None
        if enforcement == "projection" and (mask is not None or sign is not None):
            # Arrays, not variables: while JAX fits, the variables of a model have no values outside its forward pass.
            constraint = PathwayConstraint(mask, sign)
        self.parameters = layer.add_weight(
            name=f"{name}_kernel",
            shape=pathway.initial_weights.shape,
            initializer=_values(pathway.initial_weights),
            regularizer=regularizer,
            constraint=constraint,
        )

    def effective(self) -> Any:
        """Weights (pre, post) as the network uses them, as a backend tensor."""
        weights = ops.convert_to_tensor(self.parameters)
        if not self._by_construction:
            return weights
        if self.sign is not None:
            signed = self.sign * ops.abs(weights)
            weights = signed if self._all_signed else ops.where(ops.equal(self.sign, 0), weights, signed)
        return weights if self.mask is None else weights * self.mask


def as_numpy(value: Any) -> NDArray[Any]:
    """Return a variable or tensor as a numpy array; converted as it is, a variable of TensorFlow raises a warning."""
    return ops.convert_to_numpy(ops.copy(value))


def check_enforcement(enforcement: str) -> Enforcement:
    """Return a legal enforcement, or raise ValueError."""
    if enforcement not in get_args(Enforcement):
        raise ValueError(f"enforcement: expected one of {get_args(Enforcement)}, got {enforcement!r}")
    return enforcement  # type: ignore[return-value]


def _constant(layer: keras.layers.Layer, name: str, values: NDArray[Any]) -> Any:
    return layer.add_weight(name=name, shape=values.shape, initializer=_values(values), trainable=False)


def _values(values: NDArray[Any]) -> Any:
    """Make an initialiser that gives these values."""
    return lambda shape, dtype=None: ops.convert_to_tensor(values, dtype=dtype)
