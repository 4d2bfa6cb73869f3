"""What the workers of a report need, imported once: in the fork server, the process that they are copied from.

It does so while the process of the report opens the run, which itself loads nothing that draws.
"""

import dask.array  # noqa: F401  # xarray loads it at the first computation
import matplotlib.backends.backend_agg  # noqa: F401
import scipy.stats  # noqa: F401

import biornn.plots
import biornn.report.workers  # noqa: F401
