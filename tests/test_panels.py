"""Panels in a row: what is one, that nothing of it is lost, and where each panel ends."""

import io
import re
from xml.etree import ElementTree

import figures
import matplotlib.pyplot as plt
import panels
import pytest

from vae_tutorial import plotting


def chart(n: int = 2, *, draw=None, legend: str = "", **options) -> str:
    """Draw some panels as a notebook does, and return what it stores."""
    with plt.rc_context():
        plotting.use_book_style()
        size = (plotting.WIDTH, 3)
        figure, axes = plt.subplots(1, n, figsize=size, layout="constrained", **options)
        for place, axis in enumerate(axes):
            axis.plot([0, 1], [0, 1], label=f"line {place}")
            axis.set(title=f"panel {place}", xlabel="place")
        axes[0].set_ylabel("height")
        if legend:
            signs = axes[0].get_lines() * 4
            words = ["first", "second", "third", "fourth and the last one"]
            figure.legend(signs, words, loc=f"outside {legend} center", ncols=4)
        if draw:
            draw(figure, axes)
        file = io.StringIO()
        figure.savefig(file, format="svg")
        plt.close(figure)
    return figures.small(file.getvalue())


def parts(svg: str) -> list[ElementTree.Element]:
    html = panels.for_page(svg, "drawing-1", "Two lines")
    (row,) = ElementTree.fromstring(html)
    assert row.get("role") == "img" and row.get("aria-label") == "Two lines"
    return list(row)


def view(part) -> list[float]:
    return [float(number) for number in part.get("viewBox").split()]


def words_of(part) -> list[str]:
    return [text.text for text in part.iter() if text.tag.endswith("text") and text.text]


@pytest.mark.parametrize("n", [2, 3, 4])
def test_side_by_side_the_panels_are_the_whole_figure(n):
    svg = chart(n)
    drawn = parts(svg)
    assert [part.get("class") for part in drawn] == ["panel"] * n
    left = 0
    for place, part in enumerate(drawn):
        x, _, width, height = view(part)
        assert x == pytest.approx(left, abs=0.02)
        left = x + width
        assert f"panel {place}" in words_of(part)
        assert height == pytest.approx(figure_size(svg)[1], abs=0.02)
    assert left == pytest.approx(figure_size(svg)[0], abs=0.02)
    whole = ElementTree.fromstring(figures.for_page(svg, "drawing-1", "Two lines"))
    assert sum(map(paths, drawn)) == paths(whole)


def figure_size(svg: str) -> tuple[float, float]:
    return tuple(map(float, figures.parsed(svg).get("viewBox").split()[2:]))


def paths(part) -> int:
    return sum(each.tag.endswith(("path", "use", "rect")) for each in part.iter())


@pytest.mark.parametrize("n", [2, 3, 4])
def test_words_that_all_panels_share_stand_before_each_line(n):
    kinds = [part.get("class") for part in parts(chart(n, sharey=True))]
    lines = " ".join(kinds).replace("panel-again", "\n").replace("panel-words", "").split("\n")
    assert [line.split() for line in lines] == [["panel"] * ((n + 1) // 2), ["panel"] * (n // 2)]


def test_shared_words_are_repeated_as_far_from_the_axis_as_before():
    svg = chart(sharey=True)
    empty, first, again, second = parts(svg)
    assert words_of(empty) == []
    assert "height" in words_of(again) and {*words_of(again)} < {*words_of(first)}
    grounds = [panels.ground(panel) for panel in panels.panels_in_a_row(figures.parsed(svg))]
    before = grounds[0][0] - view(empty)[2]
    assert grounds[1][0] - view(second)[0] == pytest.approx(before, abs=0.02)
    assert view(again) == view(empty)


@pytest.mark.parametrize("place", ["upper", "lower"])
def test_a_wide_legend_has_two_halves_and_a_place_of_its_own(place):
    svg = chart(legend=place)
    found = parts(svg)
    (legend,) = (part for part in found if part.get("class") == "panel-legend")
    assert found.index(legend) == (0 if place == "upper" else 2)
    first, second = legend
    assert words_of(first) == ["first", "second"]
    assert words_of(second) == ["third", "fourth and the last one"]
    assert view(first)[0] + view(first)[2] == pytest.approx(view(second)[0], abs=0.02)
    heights = [view(first)[3], view(found[1])[3]]
    assert sum(heights) == pytest.approx(figure_size(svg)[1], abs=0.02)


def colour_bar(figure, axes) -> None:
    axes[1].remove()
    figure.colorbar(axes[0].scatter([0, 1], [0, 1], c=[0, 1]), ax=axes[0])


def inset(figure, axes) -> None:
    axes[1].set_position([0.2, 0.3, 0.3, 0.2])


@pytest.mark.parametrize("draw", [colour_bar, inset])
def test_what_is_no_row_stays_one_drawing(draw):
    svg = chart(draw=draw)
    html = panels.for_page(svg, "drawing-1", "Two lines")
    assert html == figures.for_page(svg, "drawing-1", "Two lines")


def test_ids_of_a_row_are_there_once_and_all_links_lead_to_them():
    html = panels.for_page(chart(sharey=True, legend="upper"), "drawing-1", "Two lines")
    ids = re.findall(r'\bid="([^"]+)"', html)
    assert len(ids) == len(set(ids)) > 2
    links = re.findall(r'url\(#([^)]+)\)|href="#([^"]+)"', html)
    assert {one or other for one, other in links} == set(ids)
