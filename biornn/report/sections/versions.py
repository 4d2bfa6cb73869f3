"""With which versions the run was made."""

from __future__ import annotations

import json

from biornn.report.reading import Reading
from biornn.report.section import Section
from biornn.report.tables import table


def versions(reading: Reading) -> Section:
    """List the packages that made the run.

    Parameters
    ----------
    reading
        The run.
    """
    noted = json.loads(reading.run.attrs["versions"])
    rows = [[name, str(version)] for name, version in noted.items()]
    rows.append(["schema of the store", str(reading.run.attrs["schema_version"])])
    caption = "Versions with which the run was made."
    return Section("versions", "Versions", (table(caption, ["package", "version"], rows, sortable=False),))
