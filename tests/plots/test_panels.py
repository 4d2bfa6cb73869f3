import pytest
from matplotlib.axes import Axes

from biornn.plots.panels import panels


def draw(name: str, ax: Axes) -> None:
    ax.plot([0, 1], label="shared")
    ax.legend()


def test_one_panel_per_name_and_one_legend_for_all() -> None:
    figure = panels(["a", "b", "c"], draw)
    assert [ax.get_title() for ax in figure.axes] == ["a", "b", "c"]
    assert all(ax.get_legend() is None for ax in figure.axes)
    (legend,) = figure.legends
    assert [entry.get_text() for entry in legend.get_texts()] == ["shared"]
    assert figure.axes[0].get_position().y0 == figure.axes[1].get_position().y0 > figure.axes[2].get_position().y0


def test_a_legend_is_not_made_up_and_nothing_to_draw_is_refused() -> None:
    assert panels(["a"], lambda name, ax: None).legends == []
    with pytest.raises(ValueError, match="names: expected at least one network to draw, got none"):
        panels([], draw)


def test_a_shared_legend_names_what_any_panel_names_and_wraps_where_it_must() -> None:
    def one(name: str, ax: Axes) -> None:
        ax.plot([0, 1], label="everywhere")
        ax.plot([1, 0], label=f"a long entry that only panel {name} has")
        ax.legend()

    (legend,) = panels(["a", "b"], one).legends
    names = [entry.get_text() for entry in legend.get_texts()]
    assert names == ["everywhere", "a long entry that only panel a has", "a long entry that only panel b has"]
    assert [panels(names, one).legends[0]._ncols for names in (["a"], ["a", "b"])] == [1, 2]
