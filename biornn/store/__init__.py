"""A run on disk: written network by network, opened with plain xarray, imported from older formats."""

from biornn.store.export import export_netcdf
from biornn.store.imported import import_keras_hdf5
from biornn.store.run import (
    NETWORK_GROUPS,
    RunWriter,
    changes,
    check_output,
    finished_run,
    open_run,
    run_attrs,
    run_folder,
)

__all__ = [
    "NETWORK_GROUPS",
    "RunWriter",
    "changes",
    "check_output",
    "export_netcdf",
    "finished_run",
    "import_keras_hdf5",
    "open_run",
    "run_attrs",
    "run_folder",
]
