"""The weights of one pathway as a Keras variable, and the two ways to make them keep to its mask and signs."""

from __future__ import annotations

from typing import Any, Literal, get_args

import keras
import numpy as np
from keras import ops
from numpy.typing import DTypeLike, NDArray

from biornn.connectivity import Pathway

Enforcement = Literal["construction", "projection"]


@keras.saving.register_keras_serializable(package="biornn")
class PathwayConstraint(keras.constraints.Constraint):
    """Replace weights by ones that keep to a mask and to signs.

    Parameters
    ----------
    mask
        (pre, post) 1 where a weight may differ from zero; None: everywhere.
    sign
        (pre, 1) sign of a row, 0 for either; None: either everywhere.
    reflect
        Whether a weight of the wrong sign keeps its magnitude. Otherwise it becomes zero: the result is then the
        nearest matrix that keeps to mask and sign.
    """

    def __init__(self, mask: Any = None, sign: Any = None, reflect: bool = False) -> None:
        self.mask = mask
        self.sign = sign
        self.reflect = reflect

    def __call__(self, w: Any) -> Any:
        """Return the allowed weights (pre, post) that belong to weights (pre, post)."""
        w = ops.convert_to_tensor(w)  # an optimizer gives the variable
        if self.sign is not None:
            is_wrong = ops.cast(self.sign, w.dtype) * w < 0
            w = ops.where(is_wrong, -w if self.reflect else ops.zeros_like(w), w)
        if self.mask is not None:
            w = w * ops.cast(self.mask, w.dtype)
        return w

    def get_config(self) -> dict[str, Any]:
        """Return mask and sign as nested lists, and `reflect`."""
        plain = {"mask": self.mask, "sign": self.sign}
        lists = {name: None if value is None else as_numpy(value).tolist() for name, value in plain.items()}
        return {**lists, "reflect": self.reflect}


class PathwayWeights(keras.Variable):
    """The trainable weights of a pathway, which keep to its mask and signs.

    After each update of a Keras optimizer, a weight of the wrong sign keeps its magnitude and changes its sign (by
    construction) or becomes zero (by projection). The same is applied to the values that the network uses and that are
    read or saved, in case something else, such as an average over updates, has changed the variable. Arrays that are
    loaded or assigned must keep to mask and signs themselves. `name` is the prefix of the variable's name.

    Where the pathway is not trainable, the variable is held at zero as where the mask forbids a weight, and the fixed
    weights, constants, are added to what is used, read or saved. A penalty leaves them out.
    """

    def __init__(
        self, layer: keras.layers.Layer, name: str, pathway: Pathway, enforcement: Enforcement, regularizer: Any = None
    ) -> None:
        free = pathway.free
        self._fixed = None if pathway.trainable is None else np.where(free, 0, pathway.initial_weights)

        def initial(shape: Any, dtype: Any = None) -> Any:
            values = pathway.initial_weights if self._fixed is None else pathway.initial_weights - self._fixed
            return ops.convert_to_tensor(values, dtype=dtype)

        super().__init__(initial, pathway.mask.shape, layer.variable_dtype, name=f"{name}_kernel")
        self.pathway = pathway
        self.regularizer = regularizer
        if pathway.is_signed or not free.all():
            # Arrays, not variables: nothing can change them, and while JAX fits, variables have no values.
            mask = None if free.all() else free.astype("float32")
            sign = pathway.sign[:, None].astype("float32") if pathway.is_signed else None
            self.constraint = PathwayConstraint(mask, sign, reflect=enforcement == "construction")

    def effective(self) -> Any:
        """Weights (pre, post) as the network uses them, as a backend tensor."""
        weights = ops.convert_to_tensor(self.value) if self.constraint is None else self.constraint(self.value)
        return weights if self._fixed is None else weights + ops.convert_to_tensor(self._fixed, dtype=weights.dtype)

    def assign(self, value: Any) -> Any:
        """Set the weights; values that break mask or signs, or differ from fixed ones, are refused.

        Except for an optimizer's tensors and averages.
        """
        if value.trainable if isinstance(value, keras.Variable) else not ops.is_tensor(value):
            is_plain = isinstance(value, keras.Variable) and not isinstance(value, PathwayWeights)
            value = as_numpy(value) if is_plain else np.asarray(value)
            if value.shape == self.shape:
                value = self._legal(value)
        return super().assign(value)

    def begin_with(self, values: NDArray[Any]) -> None:
        """Set all weights, fixed ones too, before the model is used; ValueError if mask or signs forbid some."""
        if self._fixed is not None:
            self._fixed = np.where(self.pathway.free, 0, values).astype(self._fixed.dtype)
        self.assign(values)

    def _legal(self, value: NDArray[Any]) -> NDArray[Any]:
        """Return the values of the variable that belong to effective weights, or raise ValueError."""
        forbidden, n_wrong = "mask or signs forbid", self.pathway.violations(value)
        if self._fixed is not None and not n_wrong:
            is_fixed = self.pathway.mask & ~self.pathway.free
            n_wrong = int((value.astype("float32") != self._fixed.astype("float32"))[is_fixed].sum())
            forbidden, value = "fixed weights are not", np.where(is_fixed, 0, value)
        if n_wrong:
            raise ValueError(
                f"{self.path}: expected weights that keep to the layer's connectivity, got {n_wrong} that its "
                f"{forbidden}; build the layer with the connectivity that these weights belong to"
            )
        return value

    def numpy(self) -> NDArray[Any]:
        """Return the effective weights: what is saved, and what `get_weights` returns."""
        return as_numpy(self.effective())

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        """Return the effective weights."""
        return self.numpy().astype(dtype or self.dtype, copy=False)


def as_numpy(value: Any) -> NDArray[Any]:
    """Return a variable or tensor as a numpy array; converted as it is, a variable of TensorFlow raises a warning."""
    return ops.convert_to_numpy(ops.copy(value))


def check_enforcement(enforcement: str) -> Enforcement:
    """Return a legal enforcement, or raise ValueError."""
    if enforcement not in get_args(Enforcement):
        raise ValueError(f"enforcement: expected one of {get_args(Enforcement)}, got {enforcement!r}")
    return enforcement  # type: ignore[return-value]
