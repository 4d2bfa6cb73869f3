"""One picture of the report as a figure of its own, for a paper."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import xarray as xr

from biornn.blas import one_blas_thread
from biornn.report.pictures import Picture
from biornn.report.reading import Reading
from biornn.report.sections import SECTIONS
from biornn.schema import text
from biornn.store import open_run
from biornn.store.exporting import check_target, new_file

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Entry(NamedTuple):
    """Section of a picture, how many networks may be asked for, and what it shows."""

    section: str
    most: int
    shows: str


_ALL, _ONE, _ANY = 0, 1, 99
#: Name of a picture -> where it comes from, in the order of the page.
FIGURES: Mapping[str, Entry] = {
    "answer": Entry("answer", _ALL, "the measures of every network, by condition"),
    "differences": Entry(
        "differences", _ALL, "difference of each condition's score from the reference, with intervals"
    ),
    "effects": Entry("differences", _ALL, "main effects and interactions of the factors on the score, with intervals"),
    "learning_curves": Entry("learning", _ALL, "score and loss over the updates, a line per condition"),
    "time_to_criterion": Entry("learning", _ALL, "share of the networks that reached the criterion, over the updates"),
    "trial_conditions": Entry("behaviour", _ALL, "score by trial condition, beside those of shortcuts"),
    "psychometric": Entry("behaviour", _ALL, "choices by the stimulus, a line per condition"),
    "chronometric": Entry("behaviour", _ALL, "reaction times by the coherence, a line per condition"),
    "confusion": Entry("behaviour", _ALL, "choices by the correct one, a panel per condition"),
    "confusion_of_directions": Entry("behaviour", _ALL, "directions by the correct one, a panel per condition"),
    "production": Entry("behaviour", _ALL, "what is produced over what was asked for, a line per condition"),
    "evaluations": Entry("generalisation", _ALL, "score under other settings of the task, by condition"),
    "retention": Entry("retention", _ALL, "score over the time without input, a line per condition"),
    "fixed_points": Entry("fixed_points", _ANY, "fixed points in three dimensions, a network per panel"),
    "fixed_point_eigenvalues": Entry("fixed_points", _ANY, "eigenvalues at the fixed points, a network per panel"),
    "robustness": Entry("robustness", _ALL, "score with noise on the inputs and in the units, a line per condition"),
    "lesions": Entry("robustness", _ALL, "score with silenced units, a line per condition"),
    "eigenspectrum": Entry("spectra", _ANY, "eigenvalues before and after training, a network per panel"),
    "spectrum_and_theory": Entry("spectra", _ANY, "eigenvalues against theory and shuffles, a network per panel"),
    "memory_states": Entry("cubes", _ANY, "paths through the memory states in three dimensions, a network per panel"),
    "similarity": Entry("similarity", _ALL, "similarity of the activity of every two networks"),
    "connectivity": Entry("connectivity", _ANY, "recurrent weights after training, a network per panel"),
    "weight_distribution": Entry("connectivity", _ANY, "sizes of the weights by cell type, a network per panel"),
    "ei_balance": Entry("balance", _ANY, "excitatory and inhibitory currents over time, a network per panel"),
    "trial": Entry("activity", _ONE, "inputs, targets and outputs of one network in three held-out trials"),
    "activity": Entry("activity", _ANY, "rates of all units in one trial, a network per panel"),
    "selectivity": Entry("selectivity", _ANY, "variance of each unit that the bits explain, a network per panel"),
}
FORMATS = ("pdf", "svg", "png")
_DPI = 300  # of a PNG: what journals ask of figures with text
_MM = {"mm": 1.0, "cm": 10.0, "in": 25.4}
_LEAST, _MOST = 20, 1000  # mm
_CUT = 0.01  # inches of a label that nobody misses
#: Metadata without the time, so that the same figure is the same file.
_DATELESS = {"pdf": {"CreationDate": None}, "svg": {"Date": None}, "png": None}


def figure(
    run: xr.DataTree | str | PathLike[str],
    name: str,
    *,
    network: str | Sequence[str] | None = None,
    width: str | None = None,
) -> Figure:
    """Draw one picture of the report of a run.

    Parameters
    ----------
    run
        A run folder, the ``run.zarr`` in it, or an opened run.
    name
        Name of the picture, as of its file in the folder ``figures`` of the run; `biornn.report.FIGURES` says what
        there is.
    network
        Network to show, or several, in place of one per condition. Only for pictures of single networks.
    width
        Width of the figure, such as ``"85mm"``, ``"8.5cm"`` or ``"3.35in"``; None: that of the report, 85 mm for one
        panel and 170 or 175 mm for several. Panels grow and shrink, and stand below one another where they would be
        too narrow; the text keeps its size.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, which `save_figure` writes to a file.

    Raises
    ------
    FileNotFoundError, SchemaError
        As `biornn.open_run`.
    ValueError
        If there is no such picture, the run does not have it (as one of a psychometric curve, where nothing is chosen),
        a network is not there or was not trained, or the panels do not fit into the width.

    Examples
    --------
    >>> import biornn as bn
    >>> drawn = bn.report.figure("runs/example", "eigenspectrum", network="dale-s00", width="60mm")  # doctest: +SKIP
    >>> bn.report.save_figure(drawn, "figure_2.pdf")  # doctest: +SKIP
    """
    if name not in FIGURES:
        raise ValueError(f"name: expected one of {', '.join(FIGURES)}, got {name!r}")
    inches = None if width is None else _inches(width)
    reading = Reading(run if isinstance(run, xr.DataTree) else open_run(run), _networks(name, network))
    _check_networks(reading)
    from biornn.plots.style import figures_of_width

    # As for the report: two threads that decompose one small matrix wait for each other.
    with one_blas_thread(), figures_of_width(inches):
        section = SECTIONS[FIGURES[name].section](reading)
        found = [block for block in section.blocks if isinstance(block, Picture)] if section else []
        picture = next((one for one in found if one.name == name), None)
        if picture is None:
            raise ValueError(
                f"name: expected a picture that the report of this run has, got {name!r}, which it has not; `biornn "
                "figure RUN` lists those of a report"
            )
        drawn = picture.draw()
    _lay_out(drawn, width)
    return drawn


def save_figure(drawn: Figure, file: str | PathLike[str], *, overwrite: bool = False) -> Path:
    """Write a figure to a file as journals want it: with its fonts, and with text that stays text.

    Parameters
    ----------
    drawn
        The figure.
    file
        The file, whose name ends with ``.pdf``, ``.svg`` or ``.png``. A PDF holds its fonts as TrueType; an SVG has
        text in the fonts of whoever opens it; a PNG has 300 dots per inch. A figure that is drawn again gives the same
        bytes.
    overwrite
        Whether a file that is already there is replaced.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    FileExistsError
        If the file exists and is not to be overwritten, or is a folder.
    OSError
        If the file cannot be written.
    ValueError
        If the name of the file ends otherwise.

    Examples
    --------
    >>> import biornn as bn
    >>> bn.report.save_figure(bn.report.figure("runs/example", "answer"), "answer.svg")  # doctest: +SKIP
    """
    import matplotlib as mpl

    target = check_figure_file(file, overwrite)
    form = target.suffix[1:]
    # TrueType, and text; and whatever the user has set, the width that was asked for.
    settings: Any = {"pdf.fonttype": 42, "svg.fonttype": "none", "svg.hashsalt": "biornn", "savefig.bbox": None}
    with new_file(target) as partial, mpl.rc_context(settings):
        drawn.savefig(partial, format=form, dpi=_DPI, metadata=_DATELESS[form])
    return target


def check_figure_file(file: str | PathLike[str], overwrite: bool) -> Path:
    """Return the path of a file that a figure can be written to, or raise as `save_figure`."""
    target = Path(file)
    if target.suffix[1:] not in FORMATS:
        raise ValueError(f"{target}: expected a name that ends with {', '.join(f'.{one}' for one in FORMATS)}")
    check_target(target, overwrite)
    return target


def _inches(width: str) -> float:
    matched = re.fullmatch(r"(\d+(?:\.\d+)?) ?(mm|cm|in)", width)
    mm = float(matched[1]) * _MM[matched[2]] if matched else 0.0
    if not _LEAST <= mm <= _MOST:
        raise ValueError(f"width: expected {_LEAST} to {_MOST} mm, such as 85mm, 8.5cm or 3.35in, got {width!r}")
    return mm / _MM["in"]


def _networks(name: str, network: str | Sequence[str] | None) -> tuple[str, ...]:
    asked = (network,) if isinstance(network, str) else tuple(network or ())
    most = FIGURES[name].most
    if len(asked) > most:
        expected = "none, since it shows all networks of the run" if most == _ALL else "a single one"
        raise ValueError(f"network: expected {expected} in {name}, got {', '.join(asked)}")
    return asked


def _check_networks(reading: Reading) -> None:
    for name in reading.asked:
        if name not in reading.networks:
            some = ", ".join(reading.networks[:6]) + ", …" * (len(reading.networks) > 6)
            raise ValueError(f"network: expected one of the run ({some}), got {name!r}")
        if not reading.trained.sel(network=name):
            status = text(reading.status.sel(network=name)).item()
            raise ValueError(
                f"network: expected one that was trained, got {name!r}, whose training ended as {status!r}"
            )


def _lay_out(drawn: Figure, width: str | None) -> None:
    """Lay a figure out, and check that a width that was asked for cuts off neither labels nor panels."""
    engine = drawn.get_layout_engine()
    has_room = True
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="constrained_layout not applied")
        try:
            if engine is not None:
                engine.execute(drawn)
        except UserWarning:
            has_room = False
    if width is None:
        return
    needed, (figure_width, figure_height) = drawn.get_tightbbox(), drawn.get_size_inches()
    beyond = max(-needed.x0, -needed.y0, needed.x1 - figure_width, needed.y1 - figure_height)
    if not has_room or beyond > _CUT:
        raise ValueError(
            f"width: expected one in which the panels have room beside their labels, got {width}; choose a larger one, "
            "or fewer networks"
        )
