"""Print the paper's numbers for every network of a run: python experiments/paper/scores.py RUN.

A row per number and a column per network; then, for each network, its spectrum through training, and its modes.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import xarray as xr
from published_trials import published_trials

import biornn as bn
from biornn import analysis
from biornn.schema import GATED, is_trained, text

N_TRIALS = 512
SEED = 2024


def scores(run: xr.DataTree, n_trials: int = N_TRIALS) -> dict[str, dict[str, float]]:
    """Compute them after the last snapshot, on new trials of each kind: network -> name -> number."""
    weights = run["weights"].to_dataset()
    probe, rates = run["probe_trials"].to_dataset(), run["probe_activity"].rates
    n_bits = weights.sizes["output_channel"]
    task = bn.tasks.FlipFlop(n_bits=n_bits)
    slips = published_trials(n_trials, SEED, n_bits)
    kinds = {
        "corrected trials": task.trials(n_trials, seed=SEED),
        "published slips": slips,
        "published slips, without the last ms": slips.isel(time=slice(None, -1)),
    }
    found = {}
    for network in _comparable(run):
        one = weights.sel(network=network).isel(snapshot=-1)
        activity = rates.sel(network=network)
        numbers = {}
        for kind, trials in kinds.items():
            outputs = _outputs(one, trials["inputs"])
            score = analysis.performance(outputs, trials, task)
            numbers |= {f"MSE, {kind}": score["mse"], f"accuracy, {kind}": score["score"]}
            if "response_window" in trials:
                settled = analysis.state_scores(outputs, trials, task)["settled_score"]
                numbers["accuracy, outside of the response windows"] = settled
            changes = (trials["targets"].diff("time") != 0).sum("time").mean()
            numbers[f"target changes, {kind}"] = changes
        eigenvalues = analysis.eigenspectrum(one["recurrent_weights"])
        dominant = analysis.dominant_eigenvalue(eigenvalues)
        cube = analysis.memory_cube(activity, probe["memory_state"], probe["response_window"])
        svd = analysis.singular_components(activity)["explained_variance_ratio"]
        numbers |= {
            "spectral radius": abs(eigenvalues).max(),
            "eigenvalues outside the unit circle": analysis.n_outside(eigenvalues),
            "eigenvalues with modulus > 1.02": analysis.n_outside(eigenvalues, radius=1.02),
            "dominant eigenvalue, real part": dominant["eigenvalue"].real,
            "dominant eigenvalue, frequency as in the paper": dominant["frequency"],
            "distance from the initial weights": analysis.distance_from_initial(
                weights["recurrent_weights"].sel(network=network)
            ).isel(snapshot=-1),
            "variance in three components (PCA)": cube["variance_share"],
            "sum of squares in three components (SVD)": svd.sum(),
            "cube: affine R²": cube["affine_r2"],
            "cube: similarity R²": cube["similarity_r2"],
            "cube: separation of states over spread": cube["separation"],
        }
        found[network] = {name: float(number) for name, number in numbers.items()}
    return found


def through_training(run: xr.DataTree, network: str) -> xr.Dataset:
    """Follow the spectrum of one network from snapshot to snapshot."""
    weights = run["weights"].recurrent_weights.sel(network=network, drop=True)
    paths = analysis.eigenvalue_paths(analysis.eigenspectrum(weights))
    dominant = analysis.dominant_eigenvalue(paths)
    escapes = analysis.escape_update(paths, radius=1.02)
    history = run["history"].to_dataset().sel(network=network, drop=True)
    return xr.Dataset(
        {
            "update": paths["update"],
            "accuracy": history["score"],
            "radius": abs(paths).max("mode"),
            "> 1": analysis.n_outside(paths),
            "> 1.02": analysis.n_outside(paths, radius=1.02),
            "left": (escapes == paths["update"]).sum("mode"),
            "dominant": dominant["eigenvalue"].real,
            "initial": analysis.distance_from_initial(weights),
            "orthogonal": analysis.distance_from_orthogonal(weights),
        }
    )


def modes(run: xr.DataTree, network: str, n_modes: int = 12) -> xr.Dataset:
    """Compare the modes of the largest eigenvalues with those that the readout sees most, after the last snapshot.

    There are half of `n_modes` of each, and of a conjugate pair only one.
    """
    weights = run["weights"].to_dataset().sel(network=network, drop=True).isel(snapshot=-1, drop=True)
    every = analysis.eigenmodes(weights.recurrent_weights, weights.input_weights, weights.output_weights)
    values = every["eigenvalues"]
    table = xr.Dataset(
        {
            "real": values.real,
            "imaginary": values.imag,
            "modulus": abs(values),
            "driven": abs(every["input_projection"]).max("input_channel"),
            "seen": abs(every["output_projection"]).max("output_channel"),
        }
    ).isel(mode=(values.imag >= 0).values)
    by_readout = table.isel(mode=np.argsort(-table["seen"].values)[: n_modes // 2])
    return xr.concat([table.isel(mode=slice(n_modes // 2)), by_readout], dim="mode")


def _comparable(run: xr.DataTree) -> list[str]:
    """List the networks that were trained and have one recurrent matrix, as a gated one has not."""
    is_gated = text(run["weights"].formulation).isin(GATED)
    kept = (is_trained(run["history"].status) & ~is_gated).values
    names = run["network"].values
    if not kept.any():
        raise SystemExit(f"scores: expected a trained network that is not gated, got {', '.join(names)}")
    return names[kept].tolist()


def _outputs(weights: xr.Dataset, inputs: xr.DataArray) -> xr.DataArray:
    """Simulate many trials, some at a time, since the rates of all are large."""
    blocks = [slice(start, start + 64) for start in range(0, inputs.sizes["trial"], 64)]
    parts = [analysis.simulate(weights, inputs.isel(trial=block))["outputs"] for block in blocks]
    return xr.concat(parts, dim="trial", coords="minimal", compat="override")


def main() -> None:
    """Print them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", metavar="RUN", type=Path)
    parser.add_argument("--trials", type=int, default=N_TRIALS, help="trials of each kind (default: %(default)s)")
    options = parser.parse_args()
    run = bn.open_run(options.run).load()
    found = scores(run, options.trials)
    networks = list(found)
    width = 2 + max(8, *map(len, networks))
    print(" " * 54 + "".join(f"{network:>{width}}" for network in networks))
    for name in found[networks[0]]:
        print(f"{name:54}" + "".join(f"{found[network][name]:{width}.4f}" for network in networks))
    for network in networks:
        print(f"\n{network} through training: number of eigenvalues with modulus > 1 and > 1.02,")
        print("how many left the latter circle for good, real part of the dominant one,")
        print("distance from the initial and from an orthogonal matrix")
        print(through_training(run, network).reset_coords(drop=True).to_dataframe().round(4).to_string())
        print(f"\n{network}: the six largest modes, then the six that the readout sees most,")
        print("with how much the input drives and the readout sees of each")
        print(modes(run, network).reset_coords(drop=True).to_dataframe().round(3).to_string())


if __name__ == "__main__":
    main()
