"""Figures as SVG: made small for the notebook that stores them, and in the page's ink for a page.

Matplotlib draws with black on white. A page has a light and a dark theme, so there what is ink
takes the colour of the text, grids and grounds take colours that ``_static/figures.css`` sets for
each theme, and only what carries a meaning (a method's colour, an image) stays as it was drawn.
"""

import base64
import io
import re
from html import escape
from xml.etree import ElementTree

from PIL import Image

SVG, LINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}href"
# A heavier drawing is stored as PNG alone: a page may weigh 2.5 MB.
HEAVIEST = 400_000
# On the smallest phones text is at least so many pixels high; a wider figure scrolls.
LEGIBLE = 8
# How much larger than in print a figure is on a wide screen: its text is as large as the page's.
ENLARGED = 1.4
# In a file of its own a drawing does not know the theme: what each ink is there.
SEEN = {
    "currentColor": "#7f7f7f",
    "var(--figure-muted)": "#7f7f7f",
    "var(--figure-soft)": "#7f7f7f99",
    "var(--figure-grid)": "#7f7f7f55",
    "var(--figure-panel)": "#7f7f7f33",
    "var(--figure-ground)": "none",
    "<text": '<text fill="#7f7f7f"',
}
NUMBER = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")
# Letters as wide as those that places were computed for, first where they are installed.
FAMILY, LETTERS = (
    re.compile(r"'DejaVu Sans'(?:, '[\w ]+')+, sans-serif"),
    "'DejaVu Sans', Verdana, sans-serif",
)
ElementTree.register_namespace("", SVG[1:-1])
ElementTree.register_namespace("xlink", LINK[1:-5])
LINKED = re.compile(r"url\(#([^)]+)\)")


def parsed(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)


# -- For the notebook -----------------------------------------------------------------------------


def small(svg: str) -> str:
    """Return the drawing without what nobody sees: metadata, date, spare digits and spare bytes."""
    root = parsed(svg)
    for metadata in root.findall(f"{SVG}metadata"):
        root.remove(metadata)
    for element in root.iter():
        if element.tag == f"{SVG}image":
            element.set(LINK, small_picture(element.get(LINK)))
        for name in ("d", "x", "y", "width", "height", "viewBox"):
            if name in element.attrib:
                element.set(name, shorter(element.get(name)))
        if "transform" in element.attrib:  # a factor for all of an image, so more of it
            element.set("transform", shorter(element.get("transform"), 4))
        if "style" in element.attrib:
            element.set("style", FAMILY.sub(LETTERS, element.get("style")))
        if element.get("transform", "").startswith("rotate(-0 "):
            del element.attrib["transform"]
        if element.tag != f"{SVG}text" and not (element.text or "").strip():
            element.text = None
        if element.tag != f"{SVG}tspan":
            element.tail = None
    return ElementTree.tostring(root, encoding="unicode")


def shorter(text: str, decimals: int = 2) -> str:
    """Return numbers with two decimals, a hundredth of a point, and no line breaks."""

    def short(found: re.Match) -> str:
        return f"{float(found[0]):.{decimals}f}".rstrip("0").rstrip(".")

    return " ".join(NUMBER.sub(short, text).split())


def cropped(svg: str, part: tuple[float, ...], shape: float) -> str:
    """Return a part of a drawing: left, top, right, bottom, as shares; in a frame of that shape.

    Panels that lie outside of it are left out, with the words beside them.
    """
    root = parsed(svg)
    left, top, width, height = map(float, root.get("viewBox").split())
    left, top = left + part[0] * width, top + part[1] * height
    width, height = (part[2] - part[0]) * width, (part[3] - part[1]) * height
    right, bottom = left + width, top + height
    for figure in root.findall(f"{SVG}g"):
        for panel in figure.findall(f"{SVG}g"):
            x, y = place_of(panel)
            if panel.get("id", "").startswith("axes_") and not (
                left <= x < right and top <= y < bottom
            ):
                figure.remove(panel)
    wide = max(width, shape * height)
    high = wide / shape
    frame = left - (wide - width) / 2, top - (high - height) / 2, wide, high
    root.set("viewBox", " ".join(f"{side:.2f}" for side in frame))
    return ElementTree.tostring(root, encoding="unicode")


def place_of(panel) -> tuple[float, float]:
    """Return the upper left corner of a panel: of its first path, which is its ground, or image."""
    for element in panel.iter():
        if element.tag == f"{SVG}path":
            numbers = [float(number) for number in re.findall(r"-?[\d.]+", element.get("d"))]
            return min(numbers[::2]), min(numbers[1::2])
        if element.tag == f"{SVG}image":
            x, y = re.findall(r"-?[\d.]+", element.get("transform"))[-2:]
            return float(x), float(y)
    return 0, 0


def small_picture(address: str) -> str:
    """Return an image of the drawing in fewer bytes, pixel for pixel the same."""
    head, data = address.split(",", 1)
    with Image.open(io.BytesIO(base64.b64decode(data))) as picture:
        picture.load()
    if picture.mode == "RGBA" and picture.getextrema()[3] == (255, 255):
        picture = picture.convert("RGB")
    if picture.mode == "RGB":
        red, green, blue = picture.split()
        if red.tobytes() == green.tobytes() == blue.tobytes():
            picture = red
    file = io.BytesIO()
    picture.save(file, format="png", optimize=True)
    return f"{head},{base64.b64encode(file.getvalue()).decode()}"


# -- For the page ---------------------------------------------------------------------------------


def for_page(svg: str, name: str, alt: str) -> str:
    """Return the drawing as HTML in the theme's ink, described, with ids that begin with a name."""
    root = parsed(svg)
    _, _, width, height = map(float, root.get("viewBox").split())
    least = LEGIBLE * width / smallest_text(root)
    frame = {
        "class": "figure-drawing",
        "viewBox": shorter(root.get("viewBox")),
        "width": f"{ENLARGED * width:.0f}",
        "height": f"{ENLARGED * height:.0f}",
        "style": f"--least: {least:.0f}px",
        "role": "img",
        "aria-label": alt,
    }
    names = new_names(root, name)
    inside = "".join(written(child, names) for child in root)
    # In a frame of its own, which scrolls where the screen is too narrow for the words.
    return f'<span class="figure-frame">{opened("svg", frame)}{inside}</svg></span>'


def for_card(svg: str) -> str:
    """Return the drawing as a file of its own: no ground, and ink that both themes let see."""
    root = parsed(svg)
    frame = {
        "xmlns": SVG[1:-1],
        "viewBox": root.get("viewBox"),
        "font-family": "Verdana, sans-serif",
    }
    names = new_names(root, "card")
    text = opened("svg", frame) + "".join(written(child, names) for child in root) + "</svg>"
    for theirs, seen in SEEN.items():
        text = text.replace(theirs, seen)
    return text


def smallest_text(root) -> float:
    """Return the size of the smallest words, in points; where there are none, no bound."""
    sizes = [size for text in root.iter(f"{SVG}text") for size in font_sizes(text)]
    return min(sizes, default=float("inf"))


def font_sizes(text) -> list[float]:
    styles = [text.get("style", ""), *(span.get("style", "") for span in text)]
    # Signs above and below the line are smaller than the words they belong to.
    found = [re.search(r"([\d.]+)px", style) for style in styles]
    return [max(float(size[1]) for size in found if size)] if any(found) else []


def new_names(root, name: str) -> dict[str, str]:
    """Return a short name of this figure's own for each id that something refers to."""
    used = set()
    for element in root.iter():
        used.update(LINKED.findall(" ".join(element.attrib.values())))
        if element.get(LINK, "").startswith("#"):
            used.add(element.get(LINK)[1:])
    ids = [element.get("id") for element in root.iter() if element.get("id") in used]
    return {old: f"{name}-{place}" for place, old in enumerate(dict.fromkeys(ids))}


def written(element, names: dict[str, str]) -> str:
    """Return one element, and what is in it, as HTML."""
    tag = element.tag.removeprefix(SVG)
    if tag in ("metadata", "style"):  # the style is a rule for all of the page; figures.css has it
        return ""
    attributes = {}
    for key, value in element.attrib.items():
        if key == "id":
            if value in names:
                attributes["id"] = names[value]
        elif key == LINK:
            is_local = value.startswith("#")
            attributes["href"] = f"#{names[value[1:]]}" if is_local else "".join(value.split())
        elif key == "style":
            attributes |= look(tag, value)
        else:
            attributes[key] = LINKED.sub(lambda found: f"url(#{names[found[1]]})", value)
    inside = escape((element.text or "").strip("\n"), quote=False)
    inside += "".join(written(child, names) for child in element)
    if tag in ("g", "defs") and not inside:
        return ""
    if tag == "path" and attributes.get("style") == "fill:none":  # a ground
        return ""
    # A group that says nothing about what is in it.
    if tag == "g" and not attributes:
        return inside
    return f"{opened(tag, attributes)}{inside}</{tag}>"


def opened(tag: str, attributes: dict[str, str]) -> str:
    text = "".join(f' {key}="{escape(value)}"' for key, value in attributes.items())
    return f"<{tag}{text}>"


def look(tag: str, style: str) -> dict[str, str]:
    """Return a style with the colours of ink, grid and ground left to the page's theme."""
    parts = dict(part.strip().split(": ", 1) for part in style.split(";") if ": " in part)
    if tag in ("text", "tspan", "g") and any(key.startswith("font") for key in parts):
        parts.pop("font-family", None)  # figures.css names one family for all
        if font := parts.pop("font", None):
            words = re.match(r"(.*?)([\d.]+px)", font)
            parts["font-size"] = words[2]
            if "italic" in words[1] or "oblique" in words[1]:
                parts["font-style"] = "italic"
            if bold := re.search(r"\b(bold|[6-9]00)\b", words[1]):
                parts["font-weight"] = bold[1]
    is_word = tag in ("text", "tspan")
    outlined = parts.get("stroke", "none") != "none"
    if "fill" in parts:
        parts["fill"] = fill(parts["fill"], is_word=is_word, outlined=outlined)
    if "stroke" in parts:
        parts["stroke"] = stroke(parts["stroke"])
    # What draws itself in black unless it says otherwise.
    elif tag == "use" and "fill" in parts and parts["fill"] == "none":
        parts["stroke"] = "currentColor"
    return {"style": ";".join(f"{key}:{value}" for key, value in parts.items())}


def grey_of(colour: str) -> int | None:
    """Return the level of a grey, of 255, and None for a colour that is none."""
    found = re.fullmatch(r"#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})", colour.lower())
    return int(found[1], 16) if found and found[1] == found[2] == found[3] else None


def fill(colour: str, *, is_word: bool, outlined: bool) -> str:
    grey = grey_of(colour)
    if grey is None:
        return colour
    if grey == 255 and is_word:  # on a ground of its own
        return colour
    if grey == 255:  # the ground of a figure; or what is hollow
        return "var(--figure-ground)" if outlined else "none"
    if grey >= 0xE0:
        return "var(--figure-panel)"
    return "var(--figure-soft)" if grey >= 0xB8 and not is_word else ink(grey, colour)


def stroke(colour: str) -> str:
    grey = grey_of(colour)
    if grey is None or grey == 255:  # white on a picture
        return colour
    if grey >= 0xD0:
        return "var(--figure-grid)"
    return "var(--figure-soft)" if grey >= 0xB8 else ink(grey, colour)


def ink(grey: int, colour: str) -> str:
    """Return the text's colour for black, one beside it for what is less; a middle grey is seen."""
    if grey < 0x28:
        return "currentColor"
    return colour if 0x70 <= grey < 0x90 else "var(--figure-muted)"
