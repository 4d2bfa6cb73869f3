"""One page that holds a run: `report.html`, whole in itself."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from pathlib import Path

import jinja2
import xarray as xr

from biornn.atomic import written_whole
from biornn.report.head import head
from biornn.report.pictures import images
from biornn.report.reading import Reading
from biornn.report.sections import SECTIONS


def write_report(run: xr.DataTree, path: Path) -> Path:
    """Write the report of a run: one HTML file that needs nothing else.

    Parameters
    ----------
    run
        A run.
    path
        The file; one that is there is replaced.

    Returns
    -------
    pathlib.Path
        The file.

    Examples
    --------
    >>> import biornn as bn
    >>> from biornn.report import write_report
    >>> write_report(bn.open_run("runs/flip_flop"), Path("report.html"))  # doctest: +SKIP
    """
    page = render(run)
    with written_whole(path) as beside:
        beside.write_text(page, encoding="utf-8")
    return path


def render(run: xr.DataTree) -> str:
    """Make the HTML of a report.

    Parameters
    ----------
    run
        A run.
    """
    reading = Reading(run)
    # Escapes whatever comes from a run: titles, names and failures are what users and programs wrote.
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("biornn.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    script = environment.get_template("page.js").render()
    return environment.get_template("page.html").render(
        head=head(reading),
        sections=[section for make in SECTIONS if (section := make(reading)) is not None],
        images=images,
        script=script,
        script_hash=b64encode(sha256(script.encode()).digest()).decode(),
    )
