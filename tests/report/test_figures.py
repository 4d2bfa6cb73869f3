"""The figures of a run: drawn without pyplot, without a warning, and for the networks that were trained."""

from pathlib import Path

import matplotlib.pyplot as plt
import pytest
import xarray as xr
from matplotlib.image import imread

from biornn.report.figures import save_figures

ALL = {"learning_curves", "trial", "connectivity", "eigenspectrum", "activity", "memory_states"}


def names(paths: list[Path]) -> set[str]:
    return {path.stem for path in paths}


def with_status(run: xr.DataTree, *status: str) -> xr.DataTree:
    tree = run.copy(deep=True)
    history = tree["history"].to_dataset()
    tree["history"] = xr.DataTree(history.assign(status=("network", list(status))))
    return tree


def test_every_figure_is_drawn_and_none_is_left_open(run: xr.DataTree, tmp_path: Path) -> None:
    plt.close("all")
    paths = save_figures(run, tmp_path / "new" / "figures")
    assert names(paths) == ALL
    for path in paths:
        assert imread(path).std() > 0.05  # not blank
    assert plt.get_fignums() == []


@pytest.mark.parametrize(
    ("status", "n_panels"),
    [(["diverged", "completed", "completed", "completed"], 2), (["diverged", "failed", "completed", "diverged"], 1)],
)
def test_a_condition_is_shown_by_its_first_trained_network(
    run: xr.DataTree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: list[str], n_panels: int
) -> None:
    titles: list[str] = []
    monkeypatch.setattr("matplotlib.axes.Axes.set_title", lambda self, title, **kwargs: titles.append(title))
    assert names(save_figures(with_status(run, *status), tmp_path)) == ALL
    expected = ["unconstrained-s01", "constrained-s03"] if n_panels == 2 else ["constrained-s03"]
    assert [title for title in titles if not title.startswith("trial ")] == expected * 4


def test_without_a_trained_network_only_the_curves_are_left(run: xr.DataTree, tmp_path: Path) -> None:
    assert names(save_figures(with_status(run, *["diverged"] * 4), tmp_path)) == {"learning_curves"}
