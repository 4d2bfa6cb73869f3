"""One page that holds a run: HTML that needs no other file."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

import jinja2
import xarray as xr

from biornn.report.head import head
from biornn.report.reading import Reading
from biornn.report.section import drawn
from biornn.report.sections import SECTIONS


def render(run: xr.DataTree) -> str:
    """Make the page of a run that is in memory."""
    reading = Reading(run)
    made = [drawn(section) for make in SECTIONS.values() if (section := make(reading)) is not None]
    pictures = {name: picture for one in made for name, picture in one.pictures.items()}
    return page(reading, [one.data for one in made], pictures)


def page(reading: Reading, sections: Sequence[Mapping[str, Any]], pictures: Mapping[str, bytes]) -> str:
    """Put sections, each the data of a `Drawn`, and the PNG of each picture together.

    The first section is the answer, which does not fold.
    """
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
        answer=sections[0],
        sections=sections[1:],
        address=lambda name: f"data:image/png;base64,{b64encode(pictures[name]).decode()}",
        script=script,
        script_hash=b64encode(sha256(script.encode()).digest()).decode(),
    )
