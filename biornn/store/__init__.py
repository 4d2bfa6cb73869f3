"""A run on disk: written network by network, opened with plain xarray, exported, and imported from older formats."""

from biornn.store.export import export_netcdf
from biornn.store.folder import check_output, run_folder
from biornn.store.imported import import_keras_hdf5
from biornn.store.lock import RunLock
from biornn.store.run import changes, fingerprint, finished_run, open_run
from biornn.store.writer import NETWORK_GROUPS, RunWriter, run_attrs

__all__ = [
    "NETWORK_GROUPS",
    "RunLock",
    "RunWriter",
    "changes",
    "check_output",
    "export_netcdf",
    "fingerprint",
    "finished_run",
    "import_keras_hdf5",
    "open_run",
    "run_attrs",
    "run_folder",
]
