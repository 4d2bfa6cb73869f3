"""A network as a graph of networkx."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import xarray as xr

from biornn.analysis.edge_table import edge_table
from biornn.schema import text

if TYPE_CHECKING:
    import networkx as nx


def to_networkx(weights: xr.Dataset) -> nx.DiGraph:
    """Make a directed graph of the recurrent synapses of one network.

    Parameters
    ----------
    weights
        The group `weights` of a run, of one network at one snapshot, such as
        ``weights.sel(network="dale-s00").isel(snapshot=-1)``: what `edge_table` needs.

    Returns
    -------
    networkx.DiGraph
        A node for each unit, named by its label, also where it has no synapse; its attributes are what there is over
        `unit` alone: `cell_type`, `cell_sign`, `alpha` and others. An edge from `pre` to `post` for each row of
        `edge_table`, with the attributes `weight` and, where it is known, `trainable`; autapses are loops. The graph
        has the labels of the selection: `network`, `condition`, `seed`, `snapshot`, `update`. All attributes are
        numbers and text of Python, which files of graphs can hold.

    Raises
    ------
    ModuleNotFoundError
        If networkx is not installed.
    ValueError
        As `edge_table`; and if there are several networks or snapshots, or a network is gated, which has a weight per
        gate.

    Examples
    --------
    >>> import xarray as xr
    >>> matrix = ("unit_pre", "unit_post")
    >>> weights = xr.Dataset(
    ...     {
    ...         "recurrent_weights": (matrix, [[0.0, 0.5], [-0.25, 0.0]]),
    ...         "recurrent_mask": (matrix, [[False, True], [True, False]]),
    ...         "cell_type": ("unit", ["excitatory", "inhibitory"]),
    ...     }
    ... )
    >>> graph = to_networkx(weights)
    >>> graph.edges[0, 1], graph.nodes[1]
    ({'weight': 0.5}, {'cell_type': 'inhibitory'})
    """
    try:
        import networkx as nx
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "to_networkx: expected the package networkx, found none; install it, or biornn with its extra graph"
        ) from error
    edges = edge_table(weights)
    many = {dim: size for dim, size in weights["recurrent_weights"].sizes.items() if not str(dim).startswith("unit_")}
    if many:
        got = ", ".join(f"{size} along {dim}" for dim, size in many.items())
        raise ValueError(
            f"weights: expected one network at one snapshot, got {got}; select them, as with "
            ".sel(network=...).isel(snapshot=-1)"
        )
    if "gate" in edges:
        raise ValueError("weights: expected a network with one weight per synapse, got a gated one; use edge_table")
    names = [name for name in ("weight", "trainable") if name in edges]
    graph: nx.DiGraph = nx.DiGraph(**{str(name): _plain(one) for name, one in weights.coords.items() if not one.dims})
    units = _plain(weights["recurrent_weights"]["unit_pre"])
    of_units = {name: one for name, one in weights.variables.items() if one.dims == ("unit",) and name != "unit"}
    attributes = {str(name): _plain(weights[name]) for name in of_units}
    graph.add_nodes_from((unit, {name: one[at] for name, one in attributes.items()}) for at, unit in enumerate(units))
    rows = zip(*(edges[name].tolist() for name in ("pre", "post", *names)), strict=True)
    graph.add_edges_from((pre, post, dict(zip(names, values, strict=True))) for pre, post, *values in rows)
    return graph


def _plain(array: xr.DataArray) -> Any:
    return (text(array) if array.dtype.kind in "OUT" else array).values.tolist()
