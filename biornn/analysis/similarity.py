"""How alike the activity of networks is on the same trials: linear CKA, Procrustes distance, canonical correlations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from biornn.analysis.dims import require_dims, require_some
from biornn.analysis.kernels import Output, apply_kernel
from biornn.analysis.scale import centred
from biornn.schema import text

_Array = NDArray[np.float64]
Measure = Literal["cka", "procrustes", "cca"]
_PAIRS = ("network", "other_network")
_MEASURES: dict[Measure, Output] = {
    "cka": Output("linear CKA", _PAIRS),
    "procrustes": Output("angular Procrustes distance", _PAIRS, "rad"),
    "cca": Output("mean canonical correlation", _PAIRS),
}


def similarity(rates: xr.DataArray, measure: Measure = "cka", n_components: int | None = 10) -> xr.DataArray:
    """Compare the activity of every two networks on the same trials.

    No unit of one network is taken to be the same as a unit of another: rotations, reflections and permutations of the
    units, shifts, and one scale per network leave every measure alone.

    Parameters
    ----------
    rates
        Activity, dims `network`, `trial`, `time`, `unit`; others, such as `snapshot`, broadcast. Every trial and time
        is one sample, and it is the same sample for all networks.
    measure
        ``"cka"``: linear centred kernel alignment, 0 to 1; directions of large variance dominate it.
        ``"procrustes"``: angle, 0 to π/2 rad, that is left when one network has been turned onto the other; a distance
        in the strict sense (with the triangle inequality), in which small directions count more than in CKA.
        ``"cca"``: mean canonical correlation, 0 to 1, of the principal components that `n_components` keeps; they all
        count alike.
    n_components
        For ``"cca"`` only: so many principal components of each network, or all that it has; None: all. Components that
        could be rounding errors are always left out. The mean is over as many canonical correlations as the smaller of
        the two has components.

    Returns
    -------
    xr.DataArray
        `cka`, `procrustes` or `cca`, dims (..., `network`, `other_network`), symmetric; the diagonal is 1, for
        distances 0. Each coordinate of `network`, such as `condition` and `seed`, stands on `other_network` too, there
        as `other_condition` and `other_seed`. Rows and columns are NaN for a network whose activity is not finite,
        never changes, as with silent units or a single sample, or changes by no more than rounding.

    Raises
    ------
    ValueError
        If a dim is missing or empty, or `measure` or `n_components` is not one of those above.

    See Also
    --------
    similarity_test : Are networks of one condition more alike?

    Notes
    -----
    With the centred samples ``X``, ``Y`` (sample, unit):

    - CKA is ``‖XᵀY‖_F² / (‖XᵀX‖_F ‖YᵀY‖_F)``. Kornblith, Norouzi, Lee & Hinton (2019), ICML, equation 5.
    - The Procrustes distance is ``arccos(‖XᵀY‖_* / (‖X‖_F ‖Y‖_F))``, with the nuclear norm (sum of singular values)
      above. Williams, Kunz, Kornblith & Linderman (2021), NeurIPS, Generalized shape metrics on neural representations:
      the angular metric of centred samples of unit norm. Below about 1e-7 rad it is rounding.
    - Canonical correlations are the singular values of ``UᵀV``, with orthonormal bases of the principal components
      kept. Raghu, Gilmer, Yosinski & Sohl-Dickstein (2017), NeurIPS (SVCCA). Without this step every direction of noise
      would count as much as a memory. It has its price: a linear map other than a rotation with one scale changes what
      is kept. Invertible linear maps change nothing where all components are kept. SVCCA keeps 99 % of the variance,
      so that networks of fewer dimensions look more alike, since the fewer components lie within the others'; here as
      many are kept of every network. See whether the result depends on how many.

    All networks receive the same inputs, and what follows an input is alike with no training at all: these measures
    have no fixed value of chance, so compare networks with networks.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> circle = np.array([[[1.0, 0], [0, 1], [-1, 0], [0, -1]]])
    >>> networks = np.stack([circle, 3 * circle[..., ::-1], circle * [1, 0]])
    >>> rates = xr.DataArray(networks, dims=("network", "trial", "time", "unit"), coords={"network": ["a", "b", "c"]})
    >>> similarity(rates).sel(network="a").values.round(6).tolist()
    [1.0, 1.0, 0.707107]
    >>> similarity(rates, "procrustes").sel(network="a").values.round(6).tolist()
    [0.0, 0.0, 0.785398]
    """
    require_dims(rates, "rates", ["network", "trial", "time", "unit"])
    require_some(rates, "rates")
    if measure not in _MEASURES:
        raise ValueError(f"measure: expected one of {get_args(Measure)}, got {measure!r}")
    if not (n_components is None or (isinstance(n_components, int | np.integer) and n_components >= 1)):
        raise ValueError(f"n_components: expected a whole number from 1, or None for all, got {n_components!r}")
    basis, compare, diagonal = _parts(measure, n_components)
    matrix = apply_kernel(
        lambda activity: _matrix(activity.reshape(len(activity), -1, activity.shape[-1]), basis, compare, diagonal),
        rates,
        core_dims=[["network", "trial", "time", "unit"]],
        outputs={measure: _MEASURES[measure]},
        sizes={"other_network": rates.sizes["network"]},
    )
    return matrix[measure].assign_coords(_other_coords(rates))


def _other_coords(rates: xr.DataArray) -> dict[str, tuple[str, NDArray[np.generic]]]:
    """Give each coordinate of `network` a twin on `other_network`."""
    coords = {str(name): coord for name, coord in rates.coords.items() if coord.dims == ("network",)}
    return {
        f"other_{name}": ("other_network", text(coord).values if coord.dtype.kind in "OUT" else coord.values)
        for name, coord in coords.items()
    }


#: Singular values (largest first) and right singular vectors (unit, component) of centred samples -> the linear map
#: (unit, component) whose image of the samples enters the cross-product.
_Basis = Callable[[_Array, _Array], _Array]
#: Cross-product of two images (component, component) -> value.
_Compare = Callable[[_Array], float]


def _parts(measure: Measure, n_components: int | None) -> tuple[_Basis, _Compare, float]:
    """Basis, comparison and value of a network with itself."""
    if measure == "cka":
        return lambda sizes, vectors: vectors / (sizes**4).sum() ** 0.25, lambda cross: float((cross**2).sum()), 1.0
    if measure == "procrustes":
        return lambda sizes, vectors: vectors / np.sqrt((sizes**2).sum()), _angle, 0.0
    return lambda sizes, vectors: (vectors / sizes)[:, :n_components], _mean_correlation, 1.0


def _angle(cross: _Array) -> float:
    return float(np.arccos(min(1.0, np.linalg.svd(cross, compute_uv=False).sum())))


def _mean_correlation(cross: _Array) -> float:
    return float(np.minimum(1.0, np.linalg.svd(cross, compute_uv=False)).mean())


def _matrix(activity: NDArray[np.floating], basis: _Basis, compare: _Compare, diagonal: float) -> _Array:
    """Compare every two networks of (network, sample, unit)."""
    n_networks = len(activity)
    values = np.full((n_networks, n_networks), np.nan)
    decomposed = {index: axes for index in range(n_networks) if (axes := _principal_axes(activity[index])) is not None}
    maps = {index: basis(sizes, vectors) for index, (sizes, vectors) in decomposed.items()}
    for first, onto in maps.items():
        values[first, first] = diagonal
        image = centred(activity[first])[0] @ onto
        for second in (index for index in maps if index > first):
            cross = image.T @ centred(activity[second])[0] @ maps[second]
            values[first, second] = values[second, first] = compare(cross)
    return values


def _principal_axes(samples: NDArray[np.floating]) -> tuple[_Array, _Array] | None:
    """Singular values and right singular vectors (unit, component) of the centred samples (sample, unit).

    Components that rounding of the samples could have made are left out. None for activity that is not finite, never
    changes, or has no other components.
    """
    if not np.isfinite(samples).all() or (samples == samples[0]).all():
        return None
    about_mean, mean, _ = centred(samples)
    # The triangular factor has the singular values and right vectors of the samples, to the same precision.
    _, sizes, vectors = np.linalg.svd(np.linalg.qr(about_mean, mode="r"), full_matrices=False)
    # Rounding adds noise of at most this norm; the number of units allows for that of the arithmetic.
    precision = np.finfo(np.result_type(samples.dtype, np.float32)).eps
    noise = samples.shape[1] * precision * np.sqrt((sizes**2).sum() + len(samples) * (mean**2).sum())
    kept = int((sizes > noise).sum())
    return (sizes[:kept], vectors[:kept].T) if kept else None
