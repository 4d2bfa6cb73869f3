"""How the cost of analyses grows with every size.

Prints exponents of time and memory, and every point, for random weights, and for random activity on trials of the
flip-flop: what the numbers are costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import exponents
import numpy as np
import xarray as xr
from exponents import Sweep, Work

import biornn as bn

Analysis = Callable[..., object]


def of_weights(analysis: Analysis, n_networks: int, n_snapshots: int = 20, n_units: int = 100) -> Work:
    """Draw recurrent weights as a run stores them, and the analysis of them."""
    shape = n_networks, n_snapshots, n_units, n_units
    values = np.random.default_rng(0).standard_normal(shape, np.float32) / np.float32(np.sqrt(n_units))
    weights = xr.DataArray(values, dims=("network", "snapshot", "unit_pre", "unit_post"))
    return lambda: analysis(weights)


def of_activity(analysis: Analysis, n_trials: int, n_units: int = 100, n_networks: int = 1) -> Work:
    """Draw activity as a run stores it, and the analysis of it, of memory states and of response windows."""
    trials = bn.tasks.FlipFlop().trials(n_trials, seed=0)
    shape = n_networks, n_trials, trials.sizes["time"], n_units
    values = np.random.default_rng(0).standard_normal(shape, np.float32)
    rates = xr.DataArray(values, dims=("network", "trial", "time", "unit"), coords={"time": trials["time"]})
    return lambda: analysis(rates, trials["memory_state"], trials["response_window"])


spectra = partial(of_weights, bn.analysis.eigenspectrum)
normality = partial(of_weights, bn.analysis.nonnormality)
cube = partial(of_activity, bn.analysis.memory_cube)
components = partial(of_activity, lambda rates, *_: bn.analysis.principal_components(rates))  # whatever the states

DEFAULTS = {
    "threads": 2,
    "sweeps": [
        *("spectra-networks=5,10,20,50,100", "spectra-units=25,50,100,200,400,800", "nonnormality=5,10,20,50,100"),
        *("cube-trials=50,100,200,500,1000", "cube-networks=1,2,5,10,20", "pca-trials=50,100,200,500,1000"),
        "pca-units=25,50,100,200,400,800",
    ],
}
SWEEPS = {
    "spectra-networks": Sweep("networks, `eigenspectrum`", "20 snapshots, 100 units", spectra, ("1", "1"), once=True),
    "spectra-units": Sweep(
        "units, `eigenspectrum`", "5 networks, 2 snapshots", lambda n: spectra(5, 2, n), ("→ 3", "2"), once=True
    ),
    "nonnormality": Sweep("networks, `nonnormality`", "20 snapshots, 100 units", normality, ("1", "1"), once=True),
    "cube-trials": Sweep("trials, `memory_cube`", "340 steps, 100 units", cube, ("1", "1"), least=40),
    "cube-networks": Sweep(
        "networks, `memory_cube`", "100 trials, 340 steps, 100 units", lambda n: cube(100, 100, n), ("1", "1"), least=1
    ),
    "pca-trials": Sweep("trials, `principal_components`", "340 steps, 100 units", components, ("1", "1"), least=20),
    "pca-units": Sweep(
        "units, `principal_components`", "100 trials, 340 steps", lambda n: components(100, n), ("1 → 2", "1"), least=10
    ),
}
_SAID = (
    "Exponents as of training. Memory: the peak beyond that of a process which has done a small case, what is analysed "
    "included, which a run stores in single precision. Every point has a fresh process."
)
parts = partial(exponents.parts, "analysis_growth", SWEEPS, _SAID, ("biornn", "scipy", "scikit-learn", "xarray"))
