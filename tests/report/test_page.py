"""The page: whole in itself, says what the store says, and is written by nobody but us."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import xarray as xr

from biornn.report.measures import MEASURES
from biornn.report.page import render
from biornn.report.sections import SECTIONS
from tests.report.html import Page

HOSTILE = "</title><script>alert(1)</script>"
IMAGE = '<img src=x onerror="alert(2)">'
MARKUP = '<b onmouseover="alert(3)">units</b>'
HOSTILE_RUN = {
    "conditions": {"free": {}, IMAGE: {"excitatory_fraction": 0.5}},
    "seeds": (0, 7),
    "status": ["criterion_reached", "criterion_not_reached", "diverged", "failed"],
    "failure": ["", "", MARKUP, "ValueError: units"],
    "title": HOSTILE,
    "unmatched": '{"a": ["<b>not</b> the radius"]}',
}
FAILURES = {"conditions": {"only": {}}, "status": ["failed", "diverged"]}

Render = Callable[[xr.DataTree], str]


@pytest.fixture(scope="module")
def page(make_run: Callable[..., xr.DataTree], render_blank: Render) -> Page:
    return Page(render_blank(make_run(**HOSTILE_RUN)))


@pytest.fixture(scope="module")
def page_of_failures(make_run: Callable[..., xr.DataTree], render_blank: Render) -> Page:
    with pytest.MonkeyPatch.context() as patch:
        # Networks that hold nothing withstand nothing: their noise and lesions are those of `test_write`.
        few = tuple(measure for measure in MEASURES if measure.family != "robustness")
        patch.setattr("biornn.report.reading.MEASURES", few)
        return Page(render_blank(make_run(**FAILURES)))


def test_what_users_wrote_is_text_and_nothing_else(page: Page) -> None:
    assert page.text("title") == page.text("h1") == HOSTILE
    assert MARKUP in page.text("main")
    assert IMAGE in page.text("header")
    assert IMAGE in page.text("main")
    assert "a: <b>not</b> the radius" in [text for _, text in page.all("li")]
    assert len(page.all("script")) == 1
    assert all("onerror" not in attrs for _, attrs in page.tags)


def test_nothing_comes_from_elsewhere(page: Page, page_of_failures: Page) -> None:
    addresses = {"src", "srcset", "href", "action", "data", "poster"}
    for found in (page, page_of_failures):
        for _, attrs in found.tags:
            for name in addresses & set(attrs):
                assert attrs[name].startswith(("data:", "#")), attrs[name][:80]
        style = found.text("style")
        assert "@import" not in style
        assert not re.search(r"url\(", style)
        assert not any(tag in ("iframe", "object", "embed", "form") for tag, _ in found.tags)
        policy = next(attrs["content"] for attrs, _ in found.all("meta") if attrs.get("http-equiv"))
        assert policy.startswith("default-src 'none'")


def test_the_structure_is_that_of_a_document(page: Page) -> None:
    assert page.all("html")[0][0] == {"lang": "en"}
    assert len(page.all("h1")) == len(page.all("main")) == len(page.all("nav")) == 1
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    links = [attrs["href"].removeprefix("#") for attrs, _ in page.all("a")]
    assert set(links) <= set(ids)
    assert links[1:] == [attrs["id"] for attrs, _ in page.all("section")][1:]  # the first leads past the answer
    assert all(attrs.get("scope") in ("col", "row") for attrs, _ in page.all("th"))
    captions = page.all("caption")
    assert len(captions) == len(page.all("table"))
    assert all(text for _, text in captions)
    assert len(page.all("figcaption")) == len(page.all("figure")) == len(page.all("img")) > 6
    assert len(page.all("details")) == len(page.all("summary")) == len(page.all("section")) - 1  # all but the answer
    for attrs, _ in page.all("img"):
        assert len(attrs["alt"]) > 60
        assert re.search(r"\d", attrs["alt"])


def test_every_network_is_counted_and_every_failure_told(page: Page) -> None:
    sections = {attrs["id"]: text for attrs, text in page.all("section")}
    for name in ("free-s00", "free-s07", f"{IMAGE}-s00", f"{IMAGE}-s07"):
        assert name in sections["networks"]
    assert f"{IMAGE}-s00 diverged 7 {MARKUP}" in sections["networks"]
    assert f"{IMAGE}-s07 failed 7 ValueError: units" in sections["networks"]
    assert (
        f"1 of 4 networks reached the criterion (validation accuracy 0.9): free 1 of 2, {IMAGE} 0 of 2"
        in sections["answer"]
    )
    assert "1 diverged, 1 failed." in sections["answer"]


def test_a_run_without_a_trained_network_has_curves_and_no_other_picture(page_of_failures: Page) -> None:
    page = page_of_failures
    assert [attrs["alt"].split(" ")[0] for attrs, _ in page.all("img")] == ["Accuracy", "Share"]
    assert "0 of 2 networks reached the criterion" in page.text("body")
    assert "1 failed, 1 diverged." in page.text("body")


@pytest.fixture
def few_dots(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("biornn.report.pictures._DPI", 20)


@pytest.mark.nightly
@pytest.mark.usefixtures("few_dots")
def test_a_gated_network_has_no_spectrum_and_no_matrix(make_run: Callable[..., xr.DataTree]) -> None:
    run = make_run(conditions={"lstm": {}}, seeds=[0], formulation="lstm", has_fixed_points=True)
    page = Page(render(run))
    ids = [attrs["id"] for attrs, _ in page.all("section")]
    assert "memory" in ids
    assert not {"spectra", "connectivity", "balance"} & set(ids)
    assert {"retention", "robustness", "fixed_points"} <= set(ids)
    assert "Failed, diverged, or of a gated layer, and so not checked: lstm-s00." in page.text("main")


@pytest.mark.nightly
@pytest.mark.usefixtures("few_dots")
@pytest.mark.parametrize(("settings", "n_at_least"), [(HOSTILE_RUN, 10), (FAILURES, 1)], ids=["hostile", "failures"])
def test_pages_of_failed_networks_and_of_hostile_names_are_drawn(
    make_run: Callable[..., xr.DataTree], settings: Mapping[str, Any], n_at_least: int
) -> None:
    pictures = Page(render(make_run(**settings))).all("img")
    assert len(pictures) >= n_at_least
    assert all(attrs["src"].startswith("data:image/png;base64,iVBOR") for attrs, _ in pictures)


@pytest.mark.nightly
@pytest.mark.usefixtures("few_dots")
def test_a_run_has_every_section(make_run: Callable[..., xr.DataTree]) -> None:
    page = Page(render(make_run(has_fixed_points=True)))
    # All but behaviour and trial conditions: the flip-flop does not tell its trials apart, and has no choice; and no
    # other settings were evaluated.
    assert len(page.all("section")) == len(SECTIONS) - 3


def test_a_trained_run_is_told_whole(run: xr.DataTree, reported_run: Path) -> None:
    page = Page((reported_run / "report.html").read_text())
    # Besides, its five trials do not hold every state: units cannot be told apart by them; and no one has searched for
    # its fixed points.
    assert len(page.all("section")) == len(SECTIONS) - 5
    for network in run["network"].values.tolist():
        assert network in page.text("main")
