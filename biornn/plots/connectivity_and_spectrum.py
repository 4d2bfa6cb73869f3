"""What training did to the recurrent weights: the matrix beside its eigenvalues, as in the paper's Figure 3."""

from __future__ import annotations

import xarray as xr
from matplotlib.figure import Figure

from biornn.analysis.spectrum import eigenspectrum as eigenvalues_of
from biornn.plots.connectivity import connectivity
from biornn.plots.eigenspectrum import eigenspectrum
from biornn.plots.style import PAGE_WIDTH, open_figure, set_text_sizes


def connectivity_and_spectrum(recurrent_weights: xr.DataArray, cell_type: xr.DataArray | None = None) -> Figure:
    """Plot the recurrent weights of one network and their eigenvalues, side by side.

    Parameters
    ----------
    recurrent_weights
        Effective weights of one network, dims `unit_pre`, `unit_post` and, to show what training did, `snapshot`: then
        the matrix is the last, and the eigenvalues are those of the first and of the last.
    cell_type
        Type of each unit, dims `unit`; units are sorted by it.

    Returns
    -------
    matplotlib.figure.Figure
        Of a page's width.

    Raises
    ------
    ValueError
        If the data are of more than one network, or `cell_type` does not fit.

    References
    ----------
    Jarne, "Exploring Flip Flop memories and beyond", Figure 3.

    Examples
    --------
    >>> import xarray as xr
    >>> weights = xr.DataArray([[0.0, 0.5], [-0.5, 0.0]], dims=("unit_pre", "unit_post"))
    >>> connectivity_and_spectrum(weights).axes[1].get_xlabel()
    'real part of eigenvalue'
    """
    has_snapshots = "snapshot" in getattr(recurrent_weights, "dims", ())
    ends = recurrent_weights.isel(snapshot=[0, -1]) if has_snapshots else recurrent_weights
    figure = open_figure(PAGE_WIDTH, 3.3)
    left, right = figure.subplots(1, 2)
    connectivity(ends.isel(snapshot=-1) if has_snapshots else ends, cell_type, ax=left)
    eigenspectrum(eigenvalues_of(ends), ax=right)
    for ax in (left, right):
        set_text_sizes(ax)
    return figure
