"""The folder of a run: its parts, and which files may be replaced or removed."""

from __future__ import annotations

import shutil
from contextlib import suppress
from os import PathLike
from pathlib import Path

from biornn.store import manifest
from biornn.store.journal import FOLDER as CHECKPOINTS
from biornn.store.journal import Journal

STORE = "run.zarr"
#: What an unfinished search for fixed points has found so far.
FOUND = ".partial-search"
#: Members of a run folder beside its journal; anything else belongs to others and is never removed.
_MEMBERS = {STORE, "figures", "report.html", "report.json"}


def run_folder(path: str | PathLike[str]) -> Path:
    """Return the folder of a run, given that folder or the ``run.zarr`` in it."""
    folder = Path(path)
    return folder.parent if folder.name == STORE else folder


def check_output(folder: Path, overwrite: bool) -> None:
    """Raise FileExistsError if no run can be made in a folder, because it exists and may not be overwritten."""
    if not folder.exists():
        return
    if not overwrite:
        resume = ", or go on with --resume" if Journal(folder).exists() else ""
        raise FileExistsError(
            f"{folder}: expected a new folder, but it exists; choose another --out, or --overwrite{resume}"
        )
    if folder.is_symlink() or not ((folder / STORE).is_dir() or Journal(folder).exists()):
        raise FileExistsError(f"{folder}: expected a run to overwrite, found no {STORE} in it; choose another --out")
    foreign = sorted(members(folder) - _MEMBERS)
    if Journal(folder).is_foreign():
        foreign.append(CHECKPOINTS)
    if foreign:
        raise FileExistsError(
            f"{folder}: expected only a run to overwrite, found {foreign[0]!r} beside it; move it away"
        )


def replacement(folder: Path) -> Path:
    """Return the folder in which a run is made that will replace another."""
    return folder.with_name(f".{folder.name}.new")


def members(folder: Path) -> set[str]:
    """List the files in a folder, without checkpoints and what a killed process left half written."""
    return {path.name for path in folder.iterdir() if not manifest.is_leftover(path.name)} - {CHECKPOINTS}


def remove(folder: Path) -> None:
    """Remove a run, its journal first, and its folder if nothing else is in it."""
    Journal(folder).remove()
    shutil.rmtree(folder / STORE, ignore_errors=True)
    shutil.rmtree(folder / "figures", ignore_errors=True)
    shutil.rmtree(folder / FOUND, ignore_errors=True)
    with suppress(OSError):
        for name in ("report.html", "report.json"):
            (folder / name).unlink(missing_ok=True)
        for path in folder.glob(".partial-*"):
            path.unlink(missing_ok=True)
        folder.rmdir()
