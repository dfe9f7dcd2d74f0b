"""Figures for the page: one look for each method, and drawings in the ink of the page's theme."""

import ast
import base64
import io
import re
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import figures
import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from make_pictures import drawings
from matplotlib.colors import to_hex, to_rgb
from nbformat import v4
from PIL import Image
from run_notebooks import DRAWING, shrink_drawings
from site_rules import contrast

from vae_tutorial import plotting

BOOK = Path(__file__).resolve().parents[1] / "book"
PAGES = sorted(BOOK.glob("*.ipynb"))
SVG = figures.SVG
GROUNDS = re.findall(
    r"--book-background: (#\w+)", (BOOK / "_static" / "book.css").read_text(encoding="utf-8")
)


# -- One look for each method ---------------------------------------------------------------------

# What colours become for readers without one of the three kinds of cones; of light, not of sRGB
# (Machado, Oliveira and Fernandes 2009).
EYES = {
    "all cones": np.eye(3),
    "no long waves": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
    "no middle waves": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
    "no short waves": [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]],
}


def seen(colour: str, eyes: str) -> np.ndarray:
    """Return a colour in CIELAB, as these eyes see it."""
    rgb = np.array(to_rgb(colour))
    light = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    light = np.clip(np.asarray(EYES[eyes]) @ light, 0, 1)
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    x, y, z = np.cbrt(np.array(to_xyz) @ light / [0.9505, 1, 1.089] + 1e-9)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def test_no_two_methods_look_the_same():
    looks = list(plotting.METHODS.values())
    assert len(set(looks)) == len(looks) >= 20


@pytest.mark.parametrize("eyes", EYES)
def test_methods_with_one_marker_differ_in_colour_for_all_eyes(eyes):
    for (one, first), (other, second) in combinations(plotting.METHODS.items(), 2):
        if first[1] == second[1]:
            apart = np.linalg.norm(seen(first[0], eyes) - seen(second[0], eyes))
            assert apart > 8, f"{one} and {other}: {apart:.0f}"


def test_all_colours_are_seen_on_white_and_in_the_dark():
    assert len(GROUNDS) == 2
    colours = {*plotting.PALETTE, *(colour for colour, _ in plotting.METHODS.values())}
    for colour in colours:
        assert min(contrast(colour, ground) for ground in GROUNDS) >= 3, colour


@pytest.mark.parametrize("name", plotting.METHODS)
def test_matplotlib_draws_a_method_as_the_book_does(name):
    colour, marker = plotting.METHODS[name]
    axis = plt.figure().add_subplot()
    (line,) = axis.plot([0, 1], [0, 1], label=name, **plotting.style_of(name))
    assert (to_hex(line.get_color()).upper(), line.get_marker()) == (colour.upper(), marker)
    assert line.get_linestyle() != "None"
    (bar,) = axis.bar([0], [1], **plotting.style_of(name, bar=True))
    assert to_hex(bar.get_facecolor()).upper() == colour.upper()


def test_a_method_looks_the_same_under_each_of_its_names():
    assert plotting.style_of("plain VAE") == plotting.style_of("VAE")
    assert plotting.style_of("raw pixels") == plotting.style_of("pixels")
    assert plotting.style_of("VAE, dense") == plotting.style_of("dense VAE")
    assert plotting.style_of("view VAE") != plotting.style_of("VAE")


def test_what_is_changed_in_a_style_stays_with_whoever_changed_it():
    plotting.style_of("PCA")["color"] = "red"
    assert plotting.style_of("PCA")["color"] == plotting.BLUE


@pytest.mark.parametrize("name", ["view vae", "", "magic"])
def test_an_unknown_method_is_refused_in_words(name):
    with pytest.raises(ValueError, match=f"no method is named {name!r}; name one of pixels, PCA"):
        plotting.style_of(name)


# -- What pages draw ------------------------------------------------------------------------------


def figure_cells(path: Path) -> list:
    cells = nbformat.read(path, as_version=4).cells
    return [cell for cell in cells if any(data_of(cell, "image/png"))]


def data_of(cell, kind: str) -> list[str]:
    outputs = [output.get("data", {}) for output in cell.get("outputs", ())]
    return [data[kind] for data in outputs if kind in data]


def problems_of_code(source: str) -> list[str]:
    """Return where code gives a method a look by hand: a colour, or a style beside its name."""
    found = [
        f"the colour {colour}" for colour in re.findall(r"[\"'](#[0-9A-Fa-f]{6})[\"']", source)
    ]
    for call in ast.walk(ast.parse(source)):
        if not isinstance(call, ast.Call):
            continue
        words = {keyword.arg: keyword.value for keyword in call.keywords}
        label = words.get("label")
        name = label.value if isinstance(label, ast.Constant) else None
        by_hand = {"color", "c", "marker", "linestyle"} & set(words)
        formats = [a for a in call.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
        if (name in plotting.METHODS or name in plotting._SAME) and (by_hand or formats):
            found.append(f"a style of its own for {name}")
    return found


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_no_page_has_a_colour_of_its_own(path):
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code":
            assert problems_of_code(cell.source) == [], cell.id


def test_a_style_by_hand_is_noticed():
    assert problems_of_code('axis.plot(x, y, color="#0072B2")') == ["the colour #0072B2"]
    for style in ('"o-"', 'color="red"', 'marker="s"'):
        code = f'axis.plot(x, y, {style}, label="view VAE")'
        assert problems_of_code(code) == ["a style of its own for view VAE"]
    assert problems_of_code('axis.plot(x, y, label="PCA", **plotting.style_of("PCA"))') == []
    assert problems_of_code('axis.plot(x, y, "o-", label="noise")') == []


def legend_of(svg: str) -> dict[str, str]:
    """Return the colour that each entry of the legends stands for."""
    entries, colour = {}, ""
    for legend in figures.parsed(svg).iter(f"{SVG}g"):
        if not legend.get("id", "").startswith("legend_"):
            continue
        for part in legend:
            styles = " ".join(element.get("style", "") for element in part.iter())
            if words := list(part.iter(f"{SVG}text")):
                entries["".join(words[0].itertext())] = colour
            elif found := re.findall(r"(?:stroke|fill): (#\w{6})", styles):
                colour = found[-1]
    return entries


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_in_every_legend_a_method_has_its_colour(path):
    for cell in figure_cells(path):
        for svg in data_of(cell, DRAWING):
            for name, colour in legend_of(svg).items():
                if name in plotting.METHODS or name in plotting._SAME:
                    wanted = plotting.style_of(name)["color"].lower()
                    assert colour == wanted, f"{cell.id}: {name}"


def test_legends_are_read():
    found = [
        name
        for path in PAGES
        for cell in figure_cells(path)
        for svg in data_of(cell, DRAWING)
        for name in legend_of(svg)
    ]
    assert {"view VAE", "plain VAE", "PCA", "pair VAE"} <= set(found)
    assert len(found) > 30


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_every_figure_is_stored_for_the_page_and_for_print(path):
    for cell in figure_cells(path):
        assert len(data_of(cell, DRAWING)) == 1, f"{cell.id}: run `make notebooks`"
        (svg,) = data_of(cell, DRAWING)
        assert svg == figures.small(svg), cell.id
        assert "<text" in svg or "<image" in svg


def test_a_copied_drawing_is_that_of_its_chapter():
    assert len(drawings()) == 21
    for name, drawing in drawings().items():
        assert (BOOK / "images" / name).read_text(encoding="utf-8").strip() == drawing.strip()


# -- Small drawings -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def drawn() -> str:
    """A chart beside an image, as Matplotlib writes them."""
    with plt.rc_context():
        plotting.use_book_style()
        figure, (left, right) = plt.subplots(1, 2, figsize=(plotting.WIDTH, 3))
        for name in ("view VAE", "PCA"):
            left.plot([0, 1], [0, len(name)], label=name, **plotting.style_of(name))
        left.bar([0, 1], [1, 2], color="white", edgecolor=plotting.BLUE)
        left.axhline(1, color="0.3")
        left.legend()
        left.set(xlabel="$z_1$", ylabel="rank & <place>")
        right.imshow(np.random.default_rng(0).random((9, 9)), cmap="gray", vmin=0, vmax=1)
        right.plot([1, 7], [1, 7], color="white")
        file = io.StringIO()
        figure.savefig(file, format="svg")
        plt.close(figure)
    return file.getvalue()


def pictures_in(svg: str) -> list[np.ndarray]:
    found = [image.get(figures.LINK) for image in figures.parsed(svg).iter(f"{SVG}image")]
    opened = [Image.open(io.BytesIO(base64.b64decode(f.split(",", 1)[1]))) for f in found]
    return [np.asarray(picture.convert("RGBA")) for picture in opened]


def test_a_small_drawing_has_the_same_marks_and_pixels_in_fewer_bytes(drawn):
    small = figures.small(drawn)
    assert len(small) < 0.7 * len(drawn)
    assert "metadata" not in small and "date" not in small
    before, after = figures.parsed(drawn), figures.parsed(small)
    for tag in ("path", "use", "text", "image"):
        assert len(list(before.iter(SVG + tag))) == len(list(after.iter(SVG + tag))) > 0
    for one, other in zip(before.iter(f"{SVG}path"), after.iter(f"{SVG}path"), strict=True):
        numbers = [re.findall(r"-?\d+\.?\d*", path.get("d")) for path in (one, other)]
        np.testing.assert_allclose(*np.array(numbers, dtype=float), atol=0.0051)
    for one, other in zip(pictures_in(drawn), pictures_in(small), strict=True):
        np.testing.assert_array_equal(one, other)
    assert pictures_in(small)[0].shape == (9, 9, 4)  # each pixel once


def test_what_is_small_stays_as_it_is(drawn):
    small = figures.small(drawn)
    assert figures.small(small) == small


def test_a_heavy_drawing_is_stored_as_a_picture_alone(drawn, monkeypatch):
    def stored():
        data = {DRAWING: drawn, "image/png": "", "text/plain": "<Figure>"}
        cell = v4.new_code_cell("plt.show()", outputs=[v4.new_output("display_data", data)])
        notebook = v4.new_notebook(cells=[v4.new_markdown_cell("# Title"), cell])
        shrink_drawings(notebook)
        return cell.outputs[0].data

    assert stored()[DRAWING] == figures.small(drawn)
    monkeypatch.setattr(figures, "HEAVIEST", 1000)
    assert set(stored()) == {"image/png", "text/plain"}


# -- Drawings in a page ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def in_page(drawn) -> ElementTree.Element:
    """The same drawing as a page has it; what HTML reads is well-formed here."""
    return ElementTree.fromstring(figures.for_page(drawn, "drawing-3", 'Two "lines"'))


def test_a_drawing_is_one_described_picture(in_page):
    (svg,) = in_page
    assert (svg.get("role"), svg.get("aria-label")) == ("img", 'Two "lines"')
    _, _, width, height = map(float, svg.get("viewBox").split())
    assert width == pytest.approx(72 * plotting.WIDTH, rel=0.01)
    assert float(svg.get("width")) / float(svg.get("height")) == pytest.approx(width / height, 0.01)
    assert "$" not in "".join(svg.itertext())
    assert "rank & <place>" in "".join(svg.itertext())


def test_ids_are_of_this_drawing_alone_and_all_links_lead_to_them(in_page):
    ids = [element.get("id") for element in in_page.iter() if element.get("id")]
    assert len(ids) == len(set(ids)) > 3
    assert all(name.startswith("drawing-3-") for name in ids)
    html = ElementTree.tostring(in_page, encoding="unicode")
    links = re.findall(r'url\(#([^)]+)\)|href="#([^"]+)"', html)
    assert {one or other for one, other in links} == set(ids)


def test_ink_is_the_pages_and_what_has_a_meaning_keeps_its_colour(in_page):
    styles = [element.get("style", "") for element in in_page.iter()]
    assert any("stroke:currentColor" in style for style in styles)  # axes
    assert any("stroke:var(--figure-grid)" in style for style in styles)
    assert any("stroke:var(--figure-muted)" in style for style in styles)  # the grey line
    assert any("fill:var(--figure-ground)" in style for style in styles)  # hollow bars
    for name in ("view VAE", "PCA"):
        colour = plotting.METHODS[name][0].lower()
        assert any(f"stroke:{colour}" in style for style in styles)
    assert any("stroke:#ffffff" in style for style in styles)  # on the image
    assert not any("fill:#ffffff" in style or "#000000" in style for style in styles)


def test_a_wide_drawing_asks_for_the_room_that_its_words_need():
    def least(size: float) -> float:
        text = f'<text style="font: {size}px Sans">word</text>'
        svg = f'<svg xmlns="{SVG[1:-1]}" viewBox="0 0 480 90">{text}</svg>'
        html = figures.for_page(svg, "drawing-1", "word")
        return float(re.search(r"--least: ([\d.]+)px", html)[1])

    assert least(12) == 320
    assert least(6) == 640


def test_a_drawing_without_words_fits_every_screen():
    html = figures.for_page(f'<svg xmlns="{SVG[1:-1]}" viewBox="0 0 480 90"/>', "drawing-1", "?")
    assert "--least: 0px" in html


def test_a_card_shows_a_part_and_leaves_out_the_panels_beside_it(drawn):
    part, shape = (0, 0, 0.5, 1), 1.6
    card = figures.cropped(drawn, part, shape)
    _, _, width, height = map(float, figures.parsed(card).get("viewBox").split())
    assert width / height == pytest.approx(shape, rel=1e-3)
    assert width >= 72 * plotting.WIDTH / 2 - 0.1
    assert pictures_in(card) == [] and len(pictures_in(drawn)) == 1
    assert "view VAE" in card
    assert len(pictures_in(figures.cropped(drawn, (0, 0, 1, 1), shape))) == 1


def test_a_drawing_in_a_file_has_no_ground_and_an_ink_for_both_themes(drawn):
    text = figures.for_card(drawn)
    card = ElementTree.fromstring(text)
    assert card.tag == f"{SVG}svg"
    assert "var(" not in text and "currentColor" not in text and "#000000" not in text
    assert not re.search(r"fill:#ffffff", text)
    inks = set(re.findall(r"(?:fill=\"|stroke:)(#\w{6})\b", text)) - {"#ffffff"}
    assert "#7f7f7f" in inks
    assert min(contrast(ink, ground) for ink in inks for ground in GROUNDS) >= 3
