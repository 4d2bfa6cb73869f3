"""Make the circuit of `experiments/connectome.yaml`: 300 units of four cell types on a sheet, in no order.

`python experiments/connectome/make.py` writes two tables beside this file: `synapses.csv`, a list of edges, and
`units.csv`, with the cell type of each unit. Who connects to whom follows the scheme of Pfeffer et al. (2013), Nat.
Neurosci. 16, 1068: PV cells inhibit one another and E cells, SST cells all but one another, VIP cells above all SST
cells. Synapses become rare with distance, and E cells that are connected are often so in both directions (Song et al.
2005, PLoS Biol. 3, e68): this is what a shuffle takes away.
"""

from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parent
N_UNITS = {"E": 240, "PV": 24, "SST": 18, "VIP": 18}
#: Probability of a synapse between neighbours, from the type of a row to E, PV, SST, VIP.
NEAR = {
    "E": (0.25, 0.7, 0.5, 0.4),
    "PV": (0.7, 0.6, 0.1, 0.1),
    "SST": (0.6, 0.4, 0.0, 0.5),
    "VIP": (0.05, 0.1, 0.7, 0.0),
}
LENGTH = 150.0  # µm, at which it is a factor of e less
SIDE = 400.0  # µm, of the sheet
RECIPROCAL = 0.2  # share of the synapses between E cells that get one back


def main() -> None:
    """Draw units and synapses, and write both tables."""
    rng = np.random.default_rng(0)
    types = rng.permutation(np.repeat(list(N_UNITS), list(N_UNITS.values())))
    numbers = [int((types[:at] == one).sum()) for at, one in enumerate(types)]
    names = [f"{one}{number:03d}" for one, number in zip(types, numbers, strict=True)]
    positions = rng.uniform(0, SIDE, (len(types), 2))
    distances = np.linalg.norm(positions[:, np.newaxis] - positions, axis=-1)
    order = list(N_UNITS)
    near = np.array([[NEAR[pre][order.index(post)] for post in types] for pre in types])
    mask = rng.random(near.shape) < near * np.exp(-distances / LENGTH)
    excitatory = types == "E"
    back = mask.T & excitatory & excitatory[:, np.newaxis] & (rng.random(mask.shape) < RECIPROCAL)
    mask |= back
    np.fill_diagonal(mask, False)
    edges = [f"{names[pre]},{names[post]}" for pre, post in np.argwhere(mask)]
    rows = [f"{name},{one}" for name, one in zip(names, types, strict=True)]
    (FOLDER / "synapses.csv").write_text("\n".join(["pre,post", *edges]) + "\n")
    (FOLDER / "units.csv").write_text("\n".join(["unit,cell_type", *rows]) + "\n")
    print(f"{len(edges):,} synapses, a density of {mask.sum() / (mask.size - len(mask)):.4f}")


if __name__ == "__main__":
    main()
