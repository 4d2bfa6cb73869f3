"""The report of a run on disk: `report.html`, the PNG files in `figures/`, and `report.json`, the page as data.

`report.json` says what each section was made from. Only what was made from something else, or is gone, is made again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

import biornn
from biornn.atomic import written_whole
from biornn.report.page import page
from biornn.report.reading import Reading
from biornn.report.sections import SECTIONS
from biornn.report.workers import make_sections
from biornn.store import RunLock, fingerprint, open_run, run_folder

_LIBRARIES = ("jinja2", "matplotlib", "numpy", "pandas", "pillow", "scipy", "seaborn", "xarray", "zarr")


def write_report(
    path: str | os.PathLike[str],
    *,
    reading: Reading | None = None,
    n_workers: int = 1,
    anew: bool = False,
    show: Callable[[int, int], None] = lambda done, of: None,
) -> Path:
    """Write the report of a run and its figures, or what of them is not up to date.

    Parameters
    ----------
    path
        Run folder, or the ``run.zarr`` in it.
    reading
        The run, opened; what it has computed is not computed again.
    n_workers
        Processes that compute and draw. With more than one, a script must keep its own work under
        ``if __name__ == "__main__":``, as for all of `multiprocessing`.
    anew
        Whether to make all of it again, up to date or not.
    show
        Called with the number of parts that are done, and of all.

    Returns
    -------
    pathlib.Path
        ``report.html`` in the run folder, one HTML file that needs no other. Every picture in it is also a PNG file in
        ``figures/``, and ``report.json`` holds its texts and tables.

    Raises
    ------
    FileNotFoundError, SchemaError
        As `biornn.open_run`.
    FileExistsError
        If another process writes the run or its report.
    OSError
        If a file cannot be written.

    Examples
    --------
    >>> from biornn.report import write_report
    >>> write_report("runs/example", n_workers=2)  # doctest: +SKIP
    """
    folder = run_folder(path)
    reading = reading or Reading(open_run(folder))
    lock = RunLock(folder)
    try:
        return _write(folder, reading, n_workers, anew, show)
    finally:
        lock.release()


def _write(folder: Path, reading: Reading, n_workers: int, anew: bool, show: Callable[[int, int], None]) -> Path:
    target, data, figures = folder / "report.html", folder / "report.json", folder / "figures"
    if figures.is_symlink():
        raise OSError(f"{figures}: expected a folder, got a link; remove it")
    made_from = sha256("\n".join(_sources(folder)).encode()).hexdigest()
    before = _read(data)
    kept = {} if anew else dict(_up_to_date(before, made_from, figures))
    stale = [name for name in SECTIONS if name not in kept]
    if not stale and target.exists() and _digest(target) == before["page"]:
        return target
    figures.mkdir(parents=True, exist_ok=True)
    made = make_sections(folder, reading, stale, n_workers, show) if stale else {}
    pictures = dict(before["pictures"]) if kept else {}
    for name, section in made.items():
        kept[name] = None if section is None else section.data
        for picture, content in section.pictures.items() if section else ():
            pictures[picture] = sha256(content).hexdigest()
            with written_whole(figures / f"{picture}.png") as beside:
                beside.write_bytes(content)
    for picture in set(before["pictures"]) - set(pictures):  # of a run that was replaced
        (figures / f"{picture}.png").unlink(missing_ok=True)
    there = [kept[name] for name in SECTIONS if kept[name] is not None]
    html = page(reading, there, {name: (figures / f"{name}.png").read_bytes() for name in pictures})
    with written_whole(target) as beside:
        beside.write_text(html, encoding="utf-8")
    record = {"made_from": made_from, "page": _digest(target), "pictures": pictures, "sections": kept}
    with written_whole(data) as beside:
        beside.write_text(json.dumps({**record, "checksum": _checksum(record)}, indent=1), encoding="utf-8")
    return target


def _sources(folder: Path) -> Iterator[str]:
    """Say what a report is made from: the run, and the code that reads it."""
    yield fingerprint(folder)
    for library in _LIBRARIES:
        yield f"{library} {version(library)}"
    package = Path(biornn.__file__).parent
    for file in sorted(package.rglob("*")):
        if file.suffix in (".py", ".html", ".css", ".js"):
            yield f"{file.relative_to(package)} {_digest(file)}"


def _checksum(record: Mapping[str, Any]) -> str:
    return sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()


def _digest(file: Path) -> str:
    return sha256(file.read_bytes()).hexdigest()


def _read(data: Path) -> dict[str, Any]:
    """Read the record of the last report; an empty one where there is none, or none that can be used."""
    try:
        record = json.loads(data.read_bytes())
        are_names = all(name.replace("_", "").isalpha() for name in record["pictures"])  # and not paths
        is_whole = set(record["sections"]) == set(SECTIONS) and record["sections"]["answer"] and record["made_from"]
        if record.pop("checksum") == _checksum(record) and are_names and is_whole:
            return dict(record)
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        pass
    return {"made_from": "", "page": "", "pictures": {}, "sections": {}}


def _up_to_date(record: Mapping[str, Any], made_from: str, figures: Path) -> Iterator[tuple[str, Any]]:
    """Give the sections of a record that need not be made again: the same sources, and every figure as it was drawn."""
    if record["made_from"] != made_from:
        return
    intact = {name for name, digest in record["pictures"].items() if _is(figures / f"{name}.png", digest)}
    for name, section in record["sections"].items():
        blocks = section["blocks"] if section else []
        if all(block["name"] in intact for block in blocks if isinstance(block, dict) and block["kind"] == "picture"):
            yield name, section


def _is(file: Path, digest: str) -> bool:
    return file.is_file() and _digest(file) == digest
