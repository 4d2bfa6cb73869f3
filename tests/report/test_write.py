"""The report on disk: every picture drawn once, only what changed made again, by one process or by several."""

import json
import os
import shutil
from base64 import b64decode
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
import zarr
from matplotlib.figure import Figure
from PIL import Image

from biornn.report import write_report
from biornn.report.page import render
from biornn.report.pictures import Picture
from biornn.report.reading import Reading
from biornn.report.section import Section
from biornn.report.sections import SECTIONS
from biornn.report.workers import SHARED
from biornn.store import RunLock, open_run
from tests.report.html import Page


@pytest.fixture
def folder(run_copy: Path) -> Path:
    """A run that has no report yet."""
    return run_copy


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the sections that are made in this process, as they are made.

    Each is a picture of its name and no more: what is kept and what is made again is no matter of their contents.
    """
    names: list[str] = []

    def noted(name: str) -> Callable[[Reading], Section]:
        def make(reading: Reading) -> Section:
            names.append(name)
            return Section(name, name, (Picture(name, lambda: Figure(figsize=(0.1, 0.1)), name, name),))

        return make

    monkeypatch.setattr("biornn.report.workers.SECTIONS", {name: noted(name) for name in SECTIONS})
    return names


def times(folder: Path) -> dict[str, int]:
    files = [folder / "report.html", folder / "report.json", *(folder / "figures").iterdir()]
    return {file.name: file.stat().st_mtime_ns for file in files}


def test_only_what_changed_is_made_again(folder: Path, drawn: list[str]) -> None:
    shown: list[tuple[int, int]] = []
    page = write_report(folder, show=lambda done, of: shown.append((done, of)))
    assert page == folder / "report.html"
    assert drawn == list(SECTIONS)
    assert shown[-1] == (len(SECTIONS), len(SECTIONS))
    first = times(folder)

    write_report(folder / "run.zarr")
    assert drawn == list(SECTIONS)
    assert times(folder) == first

    (folder / "figures" / "activity.png").unlink()
    (folder / "figures" / "connectivity.png").write_bytes(b"damaged")
    html = page.read_text()
    drawn.clear()
    write_report(folder)
    assert drawn == ["connectivity", "activity"]
    assert page.read_text() == html

    page.write_text("damaged")
    drawn.clear()
    write_report(folder)
    assert (drawn, page.read_text()) == ([], html)

    write_report(folder, anew=True)
    assert drawn == list(SECTIONS)


def test_nothing_is_kept_that_may_be_out_of_date(
    folder: Path, drawn: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    record, attributes = folder / "report.json", folder / "run.zarr" / "zarr.json"
    write_report(folder)

    def made_again() -> list[str]:
        drawn.clear()
        write_report(folder)
        return drawn

    assert made_again() == []
    weights = zarr.open_array(folder / "run.zarr" / "weights" / "recurrent_weights")
    weights[0, -1] = 2 * weights[0, -1]
    assert made_again() == list(SECTIONS)

    attributes.write_text(attributes.read_text().replace("A small comparison", "Another title"))
    assert made_again() == list(SECTIONS)
    assert Page((folder / "report.html").read_text()).text("h1") == "Another title"

    content = json.loads(record.read_text())
    content["sections"]["design"]["title"] = "forged"
    record.write_text(json.dumps(content))
    assert made_again() == list(SECTIONS)
    assert "forged" not in (folder / "report.html").read_text()

    monkeypatch.setattr("biornn.report.write._LIBRARIES", ("numpy",))
    assert made_again() == list(SECTIONS)


def test_a_picture_of_somebody_else_is_left_alone(folder: Path, drawn: list[str]) -> None:
    stray = folder / "figures" / "my_own.png"
    stray.parent.mkdir()
    stray.write_bytes(b"not ours")
    write_report(folder)
    assert stray.read_bytes() == b"not ours"


def test_figures_are_the_pictures_of_the_page(reported_run: Path) -> None:
    page = Page((reported_run / "report.html").read_text())
    embedded = {b64decode(attrs["src"].removeprefix("data:image/png;base64,")) for attrs, _ in page.all("img")}
    files = list((reported_run / "figures").glob("*.png"))
    assert {file.read_bytes() for file in files} == embedded
    assert {"learning_curves", "trial", "connectivity", "eigenspectrum", "activity", "memory_states"} <= {
        file.stem for file in files
    }
    for content in embedded:
        assert np.asarray(Image.open(BytesIO(content)).convert("L")).std() > 10  # not blank


@pytest.mark.nightly
def test_several_processes_make_the_same_page(folder: Path, reported_run: Path) -> None:
    assert write_report(folder, n_workers=2).read_bytes() == (reported_run / "report.html").read_bytes()


@pytest.mark.parametrize("status", ["diverged", "completed"])
def test_values_that_a_run_has_not_stop_no_report(make_run: Callable[..., xr.DataTree], status: str) -> None:
    run = make_run(seeds=[0], status=[status] * 2, formulation="rate" if status == "diverged" else "gru")
    reading = Reading(run)
    for name in SHARED:
        getattr(reading, name)


def test_a_link_that_somebody_planted_is_not_followed(folder: Path, tmp_path: Path, drawn: list[str]) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (folder / ".partial-report.html").symlink_to(victim)
    write_report(folder)
    assert victim.read_text() == "mine"
    assert not (folder / "report.html").is_symlink()
    shutil.rmtree(folder / "figures")
    (tmp_path / "elsewhere").mkdir()
    (folder / "figures").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="figures: expected a folder, got a link"):
        write_report(folder, anew=True)


def test_one_process_at_a_time_makes_a_report(folder: Path) -> None:
    lock = RunLock(folder)
    with pytest.raises(FileExistsError, match="expected a folder that no other process writes"):
        write_report(folder)
    lock.release()


@pytest.mark.nightly
def test_the_page_on_disk_is_that_of_the_run_in_memory(reported_run: Path) -> None:
    plt.close("all")
    assert (reported_run / "report.html").read_text() == render(open_run(reported_run))
    assert plt.get_fignums() == []


def test_a_figure_that_cannot_be_written_is_an_error_and_loses_nothing(folder: Path, drawn: list[str]) -> None:
    page = write_report(folder).read_bytes()
    if os.geteuid() == 0:
        shutil.rmtree(folder / "figures")
        (folder / "figures").write_text("in the way")
    else:
        (folder / "figures").chmod(0o500)
    with pytest.raises(OSError, match="figures"):
        write_report(folder, anew=True)
    assert (folder / "report.html").read_bytes() == page
