"""The fixed points of a network: where they are, their eigenvalues, how they come about in training, slow manifolds."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import xarray as xr
from matplotlib import rcParams
from matplotlib.axes import Axes
from numpy.typing import NDArray

from biornn.analysis.dims import require_dims, require_variables
from biornn.analysis.population import principal_components
from biornn.plots.selection import select
from biornn.plots.style import COLOURS, GREY, SMALL, bare_space, legend_above, open_axes
from biornn.schema import text

#: Kind -> label, marker, size and colour; a saddle is of one of the two kinds by how many modes are unstable.
_LOOKS: dict[str, tuple[str, int, Any]] = {
    "stable": ("o", 34, COLOURS[0]),
    "saddle, 1 unstable mode": ("^", 16, COLOURS[1]),
    "more unstable modes": (".", 8, COLOURS[3]),
    "marginal or manifold": ("D", 16, COLOURS[2]),
    "slow": ("x", 12, COLOURS[4]),
}


def fixed_points(
    points: xr.Dataset, path: xr.DataArray, leads_to: xr.DataArray | None = None, ax: Axes | None = None
) -> Axes:
    """Plot the fixed points of one network in three dimensions, and its path faintly.

    Parameters
    ----------
    points
        What `analysis.fixed_points` found for the network: dim `fixed_point`.
    path
        Its activity, dims `trial`, `time` and `unit`: the axes are its first three principal components; or its
        outputs, dims `trial`, `time` and `output_channel`, of which the first three are the axes.
    leads_to
        From `analysis.memory_attractors`: lines go from each saddle with one unstable mode to the attractors to which
        its sides lead.
    ax
        3-D Axes to draw into. By default those of a new figure of one column's width.

    Returns
    -------
    matplotlib.axes.Axes
        3-D axes with a grey line per trial, a line per saddle and attractor that are joined, and a collection of points
        per kind of fixed point.

    Raises
    ------
    ValueError
        If the data are of more than one network, `ax` is not three-dimensional, or there are fewer than three units or
        outputs.

    References
    ----------
    Sussillo & Barak (2013), Neural Comput. 25, 626, Figure 4.
    """
    require_variables(points, "points", ["rates", "outputs", "kind", "n_unstable"])
    if ax is not None and ax.name != "3d":
        raise ValueError(f"ax: expected 3-D Axes, got {type(ax).__name__}; use fig.add_subplot(projection='3d')")
    places, lines, names = _in_three_dimensions(points, path)
    space: Any = open_axes(ax, height=3.4, projection="3d")
    for line in lines:
        space.plot(*line.T, color=GREY, linewidth=0.5, alpha=0.7, zorder=1)
    if leads_to is not None:
        ends = select(leads_to, "leads_to", "fixed_point", "side").values
        for saddle, attractor in ((row, end) for row in range(len(ends)) for end in ends[row] if end >= 0):
            space.plot(*places[[saddle, attractor]].T, color=_LOOKS["saddle, 1 unstable mode"][2], linewidth=0.6)
    for kind, members in by_kind(points).items():
        marker, size, colour = _LOOKS[kind]
        edge = {} if marker in ".x" else {"edgecolors": rcParams["text.color"], "linewidths": 0.4}
        space.scatter(*places[members].T, s=size, marker=marker, color=colour, depthshade=False, label=kind, **edge)
    bare_space(space, names)
    space.legend(loc="upper left", fontsize=SMALL, frameon=False, handletextpad=0.2, labelspacing=0.2)
    return cast(Axes, space)


def fixed_point_eigenvalues(points: xr.Dataset, ax: Axes | None = None) -> Axes:
    """Plot the eigenvalues of the Jacobian at the fixed points of one network, by their kind, and the unit circle.

    Parameters
    ----------
    points
        What `analysis.fixed_points` found for the network: dim `fixed_point`.
    ax
        Axes to draw into. By default those of a new figure of one column's width.

    Returns
    -------
    matplotlib.axes.Axes
        With a collection of points (real part, imaginary part) per kind of fixed point; slow points are left out.

    Raises
    ------
    ValueError
        If the data are of more than one network.
    """
    require_variables(points, "points", ["eigenvalues", "kind", "n_unstable"])
    values = select(points["eigenvalues"], "eigenvalues", "fixed_point", "mode").values
    ax = open_axes(ax, height=3.3)
    angle = np.linspace(0, 2 * np.pi, 361)
    ax.plot(np.cos(angle), np.sin(angle), color=GREY, linewidth=0.9, linestyle="--", zorder=1)
    groups = {kind: values[members].ravel() for kind, members in by_kind(points).items() if kind != "slow"}
    groups = {kind: own[np.isfinite(own)] for kind, own in groups.items()}  # others are padding, beside an LSTM
    for kind, own in reversed(groups.items()):  # stable points, of which there are few, on top
        ax.scatter(own.real, own.imag, s=5, linewidths=0, color=[_LOOKS[kind][2]], label=kind)
    values = np.concatenate([np.ones(1), *groups.values()])
    # With a leak all of them are near 1: the circle is cut off.
    for values_of, limit in ((values.real, ax.set_xlim), (values.imag, ax.set_ylim)):
        low, high = values_of.min(), values_of.max()
        limit(low - 0.1 * max(high - low, 0.1), high + 0.1 * max(high - low, 0.1))
    ax.set_xlabel("real part of eigenvalue")
    ax.set_ylabel("imaginary part of eigenvalue")
    legend_above(ax, ncols=2, handletextpad=0.3, columnspacing=1.0, markerscale=2)
    return ax


def fixed_points_in_training(points: xr.Dataset, output_channel: str, ax: Axes | None = None) -> Axes:
    """Plot an output of one network at its fixed points against the updates: the bifurcations of its training.

    Parameters
    ----------
    points
        What `analysis.fixed_points` found for the network at several snapshots: dims `snapshot` and `fixed_point`.
    output_channel
        Label of the output.
    ax
        Axes to draw into. By default those of a new figure of one column's width.

    Returns
    -------
    matplotlib.axes.Axes
        With a collection of points (update, output) per kind of fixed point; positions of snapshots where they have no
        `update`.

    Raises
    ------
    ValueError
        If the data are of more than one network, or there is no such output.
    """
    require_variables(points, "points", ["outputs", "kind", "n_unstable"])
    require_dims(points["kind"], "points", ["snapshot", "fixed_point"])
    if output_channel not in (known := points["output_channel"].values.tolist()):
        raise ValueError(f"output_channel: expected one of {', '.join(map(str, known))}, got {output_channel!r}")
    output = points["outputs"].sel(output_channel=output_channel)
    outputs = select(output, "outputs", "snapshot", "fixed_point").values
    updates = points["update"].values if "update" in points.coords else np.arange(len(outputs))
    places: dict[str, list[NDArray[np.floating]]] = {kind: [] for kind in _LOOKS}
    for number, update in enumerate(updates):
        for kind, members in by_kind(points.isel(snapshot=number)).items():
            own = outputs[number, members]
            places[kind].append(np.stack([np.full(len(own), update), own], axis=1))
    ax = open_axes(ax, height=3.0)
    for kind, (marker, size, colour) in reversed(_LOOKS.items()):  # stable points, of which there are few, on top
        if places[kind]:
            x, y = np.concatenate(places[kind]).T
            ax.scatter(x, y, s=size, marker=marker, color=colour, linewidths=0.6, label=kind)
    ax.set_xlabel("update")
    ax.set_ylabel(f"output {output_channel.replace('_', ' ')}")
    if any(places.values()):
        legend_above(ax, ncols=2, handletextpad=0.3, columnspacing=1.0)
    return ax


def slow_manifolds(curves: xr.Dataset, ax: Axes | None = None) -> Axes:
    """Plot the speed of one network along slow curves: it crosses 0 at fixed points, and is 0 along a line attractor.

    Parameters
    ----------
    curves
        What `analysis.slow_manifolds` found for the network: dims `fixed_point` and `along`.
    ax
        Axes to draw into. By default those of a new figure of one column's width.

    Returns
    -------
    matplotlib.axes.Axes
        With a line (distance along the curve, speed) per curve.

    Raises
    ------
    ValueError
        If the data are of more than one network.
    """
    require_variables(curves, "curves", ["speed", "arc_length"])
    speed = select(curves["speed"], "speed", "fixed_point", "along").values
    arc_length = select(curves["arc_length"], "arc_length", "fixed_point", "along").values
    ax = open_axes(ax, height=2.4)
    ax.axhline(0, color=GREY, linewidth=0.8, linestyle="--", zorder=1)
    for along, own in zip(arc_length, speed, strict=True):
        ax.plot(along, own, color=COLOURS[0], linewidth=0.9)
    ax.set_xlabel("distance along the curve (a.u.)")
    ax.set_ylabel("speed (a.u. per step)")
    return ax


def by_kind(points: xr.Dataset) -> dict[str, NDArray[np.intp]]:
    """Group the fixed points of one network as pictures and tables name them; kinds without a point are left out."""
    kind = text(select(points["kind"], "kind", "fixed_point")).values
    one = points["n_unstable"].values == 1
    groups = [
        kind == "stable",
        (kind == "saddle") & one,
        np.isin(kind, ["saddle", "unstable"]) & ~((kind == "saddle") & one),
        np.isin(kind, ["marginal", "manifold"]),
        kind == "slow",
    ]
    return {name: np.flatnonzero(group) for name, group in zip(_LOOKS, groups, strict=True) if group.any()}


def _in_three_dimensions(
    points: xr.Dataset, path: xr.DataArray
) -> tuple[NDArray[np.floating], NDArray[np.floating], list[str]]:
    """Places of the points (fixed_point, 3), the path (trial, time, 3), and the names of the axes."""
    require_dims(path, "path", ["trial", "time"])
    dim = "output_channel" if "output_channel" in path.dims else "unit"
    path = select(path, "path", "trial", "time", dim)
    if path.sizes[dim] < 3:
        raise ValueError(f"path: expected at least 3 along {dim}, got {path.sizes[dim]}")
    if dim == "output_channel":
        names = [str(name) for name in path["output_channel"].values[:3]] if dim in path.coords else list("123")
        places = select(points["outputs"], "outputs", "fixed_point", dim).values[:, :3]
        return places, path.values[..., :3], [f"output {name.replace('_', ' ')}" for name in names]
    components = principal_components(path)
    loadings = components["loadings"].transpose("unit", "component").values
    rates = select(points["rates"], "rates", "fixed_point", "unit").values
    places = (rates - components["mean"].values) @ loadings
    return places, components["scores"].values, [f"component {number} (a.u.)" for number in (1, 2, 3)]
