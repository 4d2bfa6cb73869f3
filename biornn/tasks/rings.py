"""Rings of angles: sectors, units that are tuned to an angle, sine and cosine, and distances."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

Angles = TypeVar("Angles", NDArray[np.float64], xr.DataArray)


def directions(n_directions: int) -> list[float]:
    """Give evenly spaced directions in degrees, from 0 on."""
    return [360 * number / n_directions for number in range(n_directions)]


def around(direction: ArrayLike, share: ArrayLike, n_directions: int) -> NDArray[np.float64]:
    """Give angles in rad, from 0 to 2π, of the sectors around directions in degrees.

    The share, from 0 to 1, says where in its sector an angle is; at 0.5 it is the direction. So if all of `directions`
    are equally frequent, and shares are uniform, the angle is uniform on the ring.

    Examples
    --------
    >>> np.rad2deg(around([0, 90], [0.5, 1], n_directions=4)).round(6).tolist()
    [0.0, 135.0]
    """
    return np.deg2rad(np.asarray(direction) + (np.asarray(share) - 0.5) * 360 / n_directions) % (2 * np.pi)


def nearest_direction(angle: float, n_directions: int) -> float:
    """Find the direction in degrees in whose sector an angle in rad is."""
    return directions(n_directions)[round(angle / (2 * np.pi) * n_directions) % n_directions]


def sector_of(angle: xr.DataArray, n_directions: int) -> xr.DataArray:
    """Name the direction in whose sector angles in rad are, such as ``"45"`` (degrees); empty where they are NaN."""
    names = np.array([f"{direction:g}" for direction in directions(n_directions)])
    turns = np.nan_to_num(angle.values / (2 * np.pi) * n_directions)
    return angle.copy(data=np.where(angle.notnull(), names[np.round(turns).astype(int) % n_directions], ""))


def von_mises(angle: ArrayLike, n_units: int, kappa: float, height: float) -> NDArray[np.float32]:
    """Give the responses of units with evenly spaced preferred angles, from 0 on, to angles in rad, (..., unit).

    A response is ``height exp(kappa (cos d - 1))`` at the distance d.
    """
    preferred = np.deg2rad(directions(n_units))
    distance = np.asarray(angle)[..., np.newaxis] - preferred
    return (height * np.exp(kappa * (np.cos(distance) - 1))).astype(np.float32)


def bump(angle: ArrayLike, n_units: int, height: float, width: float) -> NDArray[np.float32]:
    """Give the responses of units with evenly spaced preferred angles, from 0 on, to angles in rad, (..., unit).

    A response is ``height exp(-(d / width)² / 2)`` at the distance d, in rad, as `width` is.
    """
    distance = angular_distance(np.asarray(angle)[..., np.newaxis], np.deg2rad(directions(n_units)))
    return (height * np.exp(-((distance / width) ** 2) / 2)).astype(np.float32)


def population_angle(rates: xr.DataArray) -> xr.DataArray:
    """Read angles in rad, from -π to π, from units with evenly spaced preferred angles: where their vectors add up to.

    Units are along `output_channel`.

    Examples
    --------
    >>> round(float(population_angle(xr.DataArray(bump(1.0, 8, 1.0, 0.5), dims="output_channel"))), 6)
    1.0
    """
    preferred = np.deg2rad(directions(rates.sizes["output_channel"]))
    sine, cosine = (xr.dot(rates, xr.DataArray(f(preferred), dims="output_channel")) for f in (np.sin, np.cos))
    return sine.copy(data=np.arctan2(sine.values, cosine.values))


def sine_and_cosine(angle: ArrayLike) -> NDArray[np.float32]:
    """Give sine and cosine of angles in rad, (..., 2)."""
    single = np.asarray(angle, np.float32)  # several times faster than in double precision
    return np.stack([np.sin(single), np.cos(single)], axis=-1)


def angle_of(outputs: xr.DataArray) -> xr.DataArray:
    """Read angles in rad, from -π to π, from outputs of which the last two are sine and cosine."""
    sine, cosine = (outputs.isel(output_channel=place, drop=True) for place in (-2, -1))
    return sine.copy(data=np.arctan2(sine.values, cosine.values))


def angular_distance(one: Angles, other: Angles) -> Angles:
    """Give the distance of angles in rad, from 0 to π.

    Examples
    --------
    >>> angular_distance(np.array([0.1, 0.0]), np.array([2 * np.pi - 0.1, 9 * np.pi])).round(6).tolist()
    [0.2, 3.141593]
    """
    return abs((one - other + np.pi) % (2 * np.pi) - np.pi)
