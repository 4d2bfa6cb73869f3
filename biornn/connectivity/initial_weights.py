"""Initial effective weights: drawn after mask and sign, and scaled to a given spectral radius."""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

InitialRule = Literal["orthogonal", "gaussian", "gamma", "half_normal"]
FREE_RULES = ("orthogonal", "gaussian")
SIGNED_RULES = ("gamma", "half_normal")

_GAMMA_SHAPE = 2.0  # Song, Yang & Wang (2016), their initial weights of excitatory-inhibitory networks


def recurrent_weights(
    rng: np.random.Generator, rule: InitialRule, mask: NDArray[np.bool_], sign: NDArray[np.int8], spectral_radius: float
) -> NDArray[np.float64]:
    """Draw initial recurrent weights (unit_pre, unit_post) of a given spectral radius that keep to mask and sign.

    The rules ``"orthogonal"`` and ``"gaussian"`` (variance 1/n) give units either sign. ``"gamma"`` (shape 2) and
    ``"half_normal"`` give magnitudes, of either sign for units without one, with inhibition scaled so that it cancels
    excitation in every unit that receives both (Rajan & Abbott 2006, Phys. Rev. Lett. 97, 188104). Where units receive
    more or less by their type or place, the mean weights may leave outliers even so, and the radius is then theirs. A
    mask without a cycle has radius 0 whatever its weights are; the weights then have the scale at which a full matrix
    would have the given radius.
    """
    n_units = len(sign)
    if rule == "orthogonal":
        weights = _orthogonal(rng, n_units)
    elif rule == "gaussian":
        weights = rng.standard_normal(mask.shape) / np.sqrt(n_units)
    else:
        weights = _balanced(_magnitudes(rng, rule, mask.shape), mask, sign)
        if not sign.all():
            weights = np.where(sign[:, np.newaxis] == 0, rng.choice([-1.0, 1.0], mask.shape) * weights, weights)
    weights = weights * mask
    if has_cycle(mask):
        return weights * (spectral_radius / np.abs(np.linalg.eigvals(weights)).max())
    return weights * spectral_radius


def check_rule(rule: Any, is_signed: bool) -> None:
    """Refuse, with a ValueError, a rule that does not exist or is not one for units with signs, or for ones without."""
    if rule not in (every := get_args(InitialRule)):
        raise ValueError(f"initial: expected one of {every}, got {rule!r}")
    if rule not in (possible := SIGNED_RULES if is_signed else FREE_RULES):
        law = "with" if is_signed else "without"
        raise ValueError(f"initial: expected one of {possible} {law} Dale's law (null chooses), got {rule!r}")


def feedforward_weights(
    rng: np.random.Generator, mask: NDArray[np.bool_], sign: NDArray[np.int8]
) -> NDArray[np.float64]:
    """Draw Glorot-uniform weights (Glorot & Bengio 2010, equation 16), (pre, post), and impose mask and sign."""
    limit = np.sqrt(6 / sum(mask.shape))
    weights = rng.uniform(-limit, limit, mask.shape)
    imposed = sign[:, np.newaxis]
    return np.where(imposed == 0, weights, imposed * np.abs(weights)) * mask


def has_cycle(mask: NDArray[np.bool_]) -> bool:
    """Return whether a mask (pre, post) has a cycle; without one, all eigenvalues are zero."""
    mask = mask.copy()
    while mask.any():
        sources = ~mask.any(axis=0) & mask.any(axis=1)
        if not sources.any():
            return True
        mask[sources] = False
    return False


def _orthogonal(rng: np.random.Generator, n_units: int) -> NDArray[np.float64]:
    q, r = np.linalg.qr(rng.standard_normal((n_units, n_units)))
    return q * np.where(np.diag(r) < 0, -1.0, 1.0)  # the signs make the distribution uniform (Mezzadri 2007)


def _magnitudes(rng: np.random.Generator, rule: InitialRule, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Non-negative, with mean square 1/n."""
    if rule == "gamma":
        magnitudes = rng.gamma(_GAMMA_SHAPE, size=shape)
        mean_square = _GAMMA_SHAPE * (_GAMMA_SHAPE + 1)
    else:
        magnitudes = np.abs(rng.standard_normal(shape))
        mean_square = 1.0
    return magnitudes / np.sqrt(mean_square * shape[0])


def _balanced(magnitudes: NDArray[np.float64], mask: NDArray[np.bool_], sign: NDArray[np.int8]) -> NDArray[np.float64]:
    """Scale the inhibition of each postsynaptic unit so that all that it receives sums to zero.

    If it cancelled only on average over units, an eigenvalue as large as the bulk or larger would be left outside of it
    (Rajan & Abbott 2006), and matching the spectral radius would match that one instead of the bulk. All inhibition of
    a unit has one factor: its shares by cell type stay what mask and magnitudes make them.
    """
    magnitudes = magnitudes * mask
    excitation, inhibition = magnitudes[sign > 0].sum(axis=0), magnitudes[sign < 0].sum(axis=0)
    both = (excitation > 0) & (inhibition > 0)
    ratio = np.divide(excitation, inhibition, out=np.ones_like(excitation), where=both)
    return magnitudes * np.where(sign[:, np.newaxis] < 0, -ratio, 1.0)
