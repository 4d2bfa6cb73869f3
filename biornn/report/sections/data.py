"""How to open the data, and what made them."""

from __future__ import annotations

import json

from biornn.report.reading import Reading
from biornn.report.section import Code, Section
from biornn.report.tables import Column, Row, count, number, table


def data(reading: Reading) -> Section:
    """Lines to open the store, and what its groups hold."""
    rows: list[Row] = []
    for name, node in reading.run.children.items():
        dataset = node.to_dataset()
        sizes = ", ".join(f"{dim} {size:,}" for dim, size in dataset.sizes.items())
        variables = ", ".join(map(str, dataset.data_vars))
        size = dataset.nbytes / 1e6
        rows.append([name, sizes, variables, number(size, ",.1f" if size >= 1 else ".1g"), count(len(dataset))])
    versions: list[Row] = [[name, str(number)] for name, number in json.loads(reading.run.attrs["versions"]).items()]
    versions.append(["schema of the store", str(reading.run.attrs["schema_version"])])
    return Section(
        "data",
        "How to open the data",
        (
            "Everything on this page comes from run.zarr, in the same folder. Plain xarray opens it, without biornn:",
            Code(
                "import xarray as xr\n\n"
                'run = xr.open_datatree("run.zarr", engine="zarr")\n'
                f'run["weights"].recurrent_weights.sel(network={reading.networks[0]!r})'
            ),
            table(
                "The groups of the store. Sizes are those in memory.",
                ["group", "dims", "variables", Column("size", "MB"), "number of variables"],
                rows,
            ),
            table("Versions with which the run was made.", ["package", "version"], versions, sortable=False),
        ),
    )
