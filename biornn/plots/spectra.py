"""The eigenvalues of several realisations, as in the paper's Figure 4."""

from __future__ import annotations

import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from biornn.analysis.dims import require_dims
from biornn.plots.eigenspectrum import eigenspectrum
from biornn.plots.panels import panels
from biornn.schema import text


def spectra(eigenvalues: xr.DataArray) -> Figure:
    """Plot the eigenvalues of several networks, a panel each, with unit circles of one size.

    Parameters
    ----------
    eigenvalues
        Dims `network`, `mode` and, to show what training did, `snapshot`.

    Returns
    -------
    matplotlib.figure.Figure
        One column's width per panel.

    Raises
    ------
    ValueError
        If a dim is missing.

    References
    ----------
    Jarne, "Exploring Flip Flop memories and beyond", Figure 4.

    Examples
    --------
    >>> import xarray as xr
    >>> values = xr.DataArray([[0.5j, -0.5j], [1.0, 0.0]], dims=("network", "mode"), coords={"network": ["a", "b"]})
    >>> [ax.get_title() for ax in spectra(values).axes]
    ['a', 'b']
    """
    require_dims(eigenvalues, "eigenvalues", ["network", "mode"])

    def draw(network: str, ax: Axes) -> None:
        eigenspectrum(eigenvalues.sel(network=network), ax=ax)

    figure = panels(text(eigenvalues["network"]).values.tolist(), draw)
    reach = max(ax.get_xlim()[1] for ax in figure.axes)
    for ax in figure.axes:
        ax.set(xlim=(-reach, reach), ylim=(-reach, reach))
    return figure
