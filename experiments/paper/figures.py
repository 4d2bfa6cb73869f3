"""Draw the paper's Figures 2 to 6 for a run: python experiments/paper/figures.py RUN [--out DIR].

Prints the names of the files.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import xarray as xr
from matplotlib.figure import Figure

import biornn as bn
from biornn import analysis, plots
from biornn.schema import GATED, is_trained, text


def figures(run: xr.DataTree, network: str) -> dict[str, Figure]:
    """Draw the figures: one network where the paper shows one, else all that were trained; name -> figure."""
    names = run["network"].values[is_trained(run["history"].status).values].tolist()
    weights, probe = (run[group].to_dataset().sel(network=names) for group in ("weights", "probe_activity"))
    trials, probe_trials = run["trials"].to_dataset(), run["probe_trials"].to_dataset()
    kinds = text(weights["formulation"]).values.tolist()
    ungated = [name for name, kind in zip(weights["network"].values.tolist(), kinds, strict=True) if kind not in GATED]
    one = weights.sel(network=network)
    svd, pca = (
        components(probe["rates"]) for components in (analysis.singular_components, analysis.principal_components)
    )
    drawn = {"figure_2_training_samples": plots.training_samples(trials, n_trials=min(3, trials.sizes["trial"]))}
    if network in ungated:
        drawn["figure_3_connectivity_and_spectrum"] = plots.connectivity_and_spectrum(
            one["recurrent_weights"], one["cell_type"]
        )
    if ungated:
        ends = weights["recurrent_weights"].sel(network=ungated).isel(snapshot=[0, -1])
        drawn["figure_4_spectra"] = plots.spectra(analysis.eigenspectrum(ends))
    drawn["figure_5_state_test"] = plots.state_test(probe_trials, probe.sel(network=network))
    memory_state = probe_trials["memory_state"]
    drawn["figure_6_cubes_svd"] = plots.cubes(svd["scores"], memory_state)
    drawn["figure_6_cubes_pca"] = plots.cubes(pca["scores"], memory_state)
    cube = analysis.memory_cube(probe["rates"], memory_state, probe_trials["response_window"])
    alignment = analysis.align_cubes(cube)
    if alignment.sizes["bit"] == 3:
        aligned = analysis.align_scores(pca["scores"], alignment)
        drawn["figure_6_cubes_aligned"] = plots.cubes(aligned, memory_state)
        drawn["figure_6_cubes_overlaid"] = plots.cube_overlay(alignment["centroids"]).figure
    return drawn


def main() -> None:
    """Draw the figures of a run, and say where they are."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", metavar="RUN", type=Path)
    parser.add_argument("--out", metavar="DIR", type=Path, help="folder of the PNG files (default: RUN/figures)")
    parser.add_argument("--network", help="network of the figures that show one (default: the first)")
    parser.add_argument("--dpi", type=int, default=200, help="resolution (default: %(default)s)")
    options = parser.parse_args()
    run = bn.open_run(options.run).load()
    folder = options.out or options.run / "figures"
    folder.mkdir(parents=True, exist_ok=True)
    trained = run["network"].values[is_trained(run["history"].status).values].tolist()
    network = options.network or next(iter(trained), "none")
    if network not in trained:
        raise SystemExit(f"--network: expected one of {', '.join(trained) or 'the trained networks'}, got {network}")
    for name, figure in figures(run, network).items():
        path = folder / f"{name}.png"
        figure.savefig(path, dpi=options.dpi)
        print(path)


if __name__ == "__main__":
    main()
