"""One picture of the report as a figure: its width, its fonts, its networks, and what is refused."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from biornn.cli import main
from biornn.plots.style import PAGE_WIDTH
from biornn.report import FIGURES, figure, save_figure
from biornn.report.pictures import Picture
from biornn.report.reading import Reading
from biornn.report.sections import SECTIONS
from biornn.tasks import MemoryProAnti, PerceptualDecision, ReadySetGo
from tests.report.sections.test_generalisation import evaluated

MakeRun = Callable[..., xr.DataTree]
MM = 1 / 25.4


@pytest.fixture(scope="module")
def planted(make_run: MakeRun) -> xr.DataTree:
    return make_run(has_fixed_points=True)


def pictures(run: xr.DataTree, *sections: str) -> dict[str, str]:
    """Name of each picture in some sections of a run -> name of its section."""
    made = {name: SECTIONS[name](Reading(run)) for name in sections}
    return {
        block.name: name
        for name, section in made.items()
        for block in (section.blocks if section else ())
        if isinstance(block, Picture)
    }


@pytest.mark.nightly
def test_every_picture_of_a_report_can_be_asked_for(
    planted: xr.DataTree, make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("biornn.report.measures.LEVEL", 100.0)  # at which two seeds can be tested
    crossed = make_run(conditions={name: {} for name in ("a", "b", "c", "d")})
    history = crossed["history"].to_dataset(inherit=False)
    dale, density = np.repeat(["none", "none", "0.8", "0.8"], 2), np.repeat(["1", "0.2", "1", "0.2"], 2)
    crossed["history"].dataset = history.assign_coords(
        factor_dale=("network", dale.astype(object)), factor_density=("network", density.astype(object))
    )
    found = pictures(planted, *SECTIONS) | pictures(crossed, "differences")
    found |= pictures(evaluated(make_run(seeds=[0], task=MemoryProAnti()), [[0.5], [0.5]]), "generalisation")
    for task in (PerceptualDecision(reaction_time=True), MemoryProAnti(), ReadySetGo()):
        found |= pictures(make_run(task=task, n_trials=64), "behaviour")
    assert found == {name: entry.section for name, entry in FIGURES.items()}


def sizes(drawn: Figure) -> set[float]:
    return {one.get_fontsize() for one in drawn.findobj(Text) if one.get_text() and one.get_visible()}


def lies_inside(drawn: Figure) -> bool:
    box, (width, height) = drawn.get_tightbbox(), drawn.get_size_inches()
    return min(box.x0, box.y0, width - box.x1, height - box.y1) > -0.01


@pytest.mark.parametrize(
    "name",
    [
        "learning_curves",
        *(pytest.param(name, marks=pytest.mark.nightly) for name in ("trial", "eigenspectrum", "lesions", "retention")),
    ],
)
def test_at_another_width_text_keeps_its_size_and_is_not_cut(planted: xr.DataTree, name: str) -> None:
    own, narrow, wide = (figure(planted, name, width=width) for width in (None, "85 mm", "18.3cm"))
    assert narrow.get_figwidth() == pytest.approx(85 * MM)
    assert wide.get_figwidth() == pytest.approx(183 * MM)
    assert sizes(own) == sizes(narrow) == sizes(wide)
    assert len(own.axes) == len(narrow.axes) == len(wide.axes)
    assert narrow.get_figheight() < 237 * MM  # a page has no more
    assert all(map(lies_inside, (own, narrow, wide)))


def test_panels_stand_below_one_another_where_they_would_be_too_narrow(planted: xr.DataTree) -> None:
    own, narrow = (figure(planted, "learning_curves", width=width) for width in (None, "85mm"))
    assert own.get_figwidth() == PAGE_WIDTH
    for drawn, n_columns in ((own, 2), (narrow, 1)):
        assert len({round(ax.get_position().x0, 2) for ax in drawn.axes}) == n_columns
        assert len({round(ax.get_position().y0, 2) for ax in drawn.axes}) == 3 - n_columns
    lines = [[line.get_ydata() for ax in drawn.axes for line in ax.get_lines()] for drawn in (own, narrow)]
    for one, other in zip(*lines, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.fixture(scope="module")
def drawn(planted: xr.DataTree) -> Figure:
    return figure(planted, "eigenspectrum", width="85mm")


def test_other_networks_can_be_shown(planted: xr.DataTree, drawn: Figure) -> None:
    assert [ax.get_title() for ax in drawn.axes] == ["free-s00", "dale-s00"]
    others = figure(planted, "eigenspectrum", network=["dale-s01", "dale-s00"])
    assert [ax.get_title() for ax in others.axes] == ["dale-s01", "dale-s00"]
    single = figure(planted, "connectivity", network="free-s01")
    assert single.axes[0].get_title() == "free-s01"
    assert single.get_figwidth() == pytest.approx(85 * MM, abs=0.01)  # one panel
    assert "free-s01" in figure(planted, "trial", network="free-s01").get_suptitle()
    assert figure(planted, "fixed_points", network="free-s01").axes[0].get_title() == "free-s01"


def test_a_pdf_holds_its_fonts_and_has_the_width(drawn: Figure, tmp_path: Path) -> None:
    content = save_figure(drawn, tmp_path / "a.pdf").read_bytes()
    assert b"/FontFile2" in content  # TrueType, embedded
    assert b"/Type3" not in content  # of which journals complain
    (box,) = re.findall(rb"/MediaBox \[ ?([\d. ]+)\]", content)
    assert float(box.split()[2]) == pytest.approx(85 * MM * 72, abs=0.01)


def test_text_of_an_svg_stays_text(drawn: Figure, tmp_path: Path) -> None:
    content = save_figure(drawn, tmp_path / "a.svg").read_text()
    assert re.search(r"<text [^>]*>dale-s00</text>", content)
    (width,) = re.findall(r'<svg [^>]*\bwidth="([\d.]+)pt"', content)
    assert float(width) == pytest.approx(85 * MM * 72, abs=0.01)


def test_the_same_figure_is_the_same_file(planted: xr.DataTree, drawn: Figure, tmp_path: Path) -> None:
    again = figure(planted, "eigenspectrum", width="85mm")
    for name in ("a.pdf", "a.svg", "a.png"):
        one, other = (save_figure(each, tmp_path / name, overwrite=True).read_bytes() for each in (drawn, again))
        assert one == other


def test_a_png_has_300_dots_per_inch(drawn: Figure, tmp_path: Path) -> None:
    with Image.open(save_figure(drawn, tmp_path / "a.png")) as image:
        assert image.width == pytest.approx(85 * MM * 300, abs=1)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("spectrum", {}, "name: expected one of answer, differences, .*, got 'spectrum'"),
        ("psychometric", {}, "name: expected a picture that the report of this run has, got 'psychometric'"),
        ("answer", {"network": "free-s00"}, "network: expected none, since it shows all networks .*, got free-s00"),
        ("trial", {"network": ["free-s00", "dale-s00"]}, "network: expected a single one in trial, got free-s00, dale"),
        ("activity", {"network": "x"}, r"network: expected one of the run \(free-s00, free-s01, .*\), got 'x'"),
        ("activity", {"width": "85"}, "width: expected 20 to 1000 mm, such as 85mm, 8.5cm or 3.35in, got '85'"),
        ("activity", {"width": "2m"}, "width: expected 20 to 1000 mm"),
        ("activity", {"width": "1mm"}, "width: expected 20 to 1000 mm"),
        ("activity", {"width": "nanmm"}, "width: expected 20 to 1000 mm"),
        ("learning_curves", {"width": "20mm"}, "width: expected one in which the panels have room beside their labels"),
    ],
)
def test_what_cannot_be_drawn_is_told(planted: xr.DataTree, name: str, options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        figure(planted, name, **options)


def test_a_network_that_was_not_trained_is_not_shown(make_run: MakeRun) -> None:
    run = make_run(status=["completed", "diverged", "completed", "completed"])
    with pytest.raises(ValueError, match="expected one that was trained, got 'free-s01', whose training ended as 'div"):
        figure(run, "activity", network="free-s01")


def test_the_command_lists_the_figures_of_a_report(
    reported_run: Path, finished_run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["figure", str(reported_run)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert {line.split()[0] for line in lines} == {path.stem for path in (reported_run / "figures").glob("*.png")}
    assert all(FIGURES[line.split()[0]].shows in line for line in lines)
    assert main(["figure", str(finished_run)]) == 0
    printed = capsys.readouterr()
    assert [line.split()[0] for line in printed.out.splitlines()] == list(FIGURES)
    assert "which of them this run has, `biornn report` finds" in printed.err


@pytest.mark.nightly
def test_the_command_writes_one(
    finished_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    command = ["figure", str(finished_run), "connectivity", "--network", "constrained-s03", "--width", "7cm"]
    assert main(command) == 0
    assert re.fullmatch(r"figure: connectivity\.pdf  70 x \d+ mm\n", capsys.readouterr().out)
    assert main(command) == 2
    assert "connectivity.pdf: expected a new file, but it exists" in capsys.readouterr().err
    assert main([*command, "--overwrite"]) == 0
    assert main([*command, "--format", "svg"]) == 0
    assert main([*command, "--out", "two.png"]) == 0
    assert {path.name for path in tmp_path.iterdir()} == {"connectivity.pdf", "connectivity.svg", "two.png"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none", "activity"], "none: expected a run folder with run.zarr in it, found none"),
        (["none"], "none: expected a run folder"),
        (["none", "activity", "--out", "a.jpg"], "a.jpg: expected a name that ends with .pdf, .svg, .png"),
        (["none", "activity", "--out", "a.pdf", "--format", "svg"], "--out: expected a name that ends with .svg, as"),
        (["none", "activity", "--out", "no/a.pdf"], "no/a.pdf: expected a folder that exists, found none"),
        (["{run}", "spectrum"], "name: expected one of answer, "),
    ],
)
def test_bad_input_gets_one_line_and_status_2(
    arguments: list[str],
    message: str,
    finished_run: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["figure", *(one.replace("{run}", str(finished_run)) for one in arguments)]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"biornn: {message}")
    assert error.count("\n") == 1
    assert not list(tmp_path.iterdir())
