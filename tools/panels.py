"""Charts whose panels stand in a row: in a page each panel is a drawing, and a phone stacks them.

A wide screen shows the row as it was drawn, all in the same places. On a phone the words of a
whole row would be small; there the style (``_static/figures.css``) makes two lines of it. Where
only the first panel has words on its vertical axis, because all share them, each line begins with
a copy.
"""

import re
from itertools import pairwise

import figures
from figures import ENLARGED, LEGIBLE, SVG

# A legend that is wider, in points, takes two lines on a phone.
WIDE_LEGEND = 360
# How wide a letter is, as a share of its height, on the average.
LETTER = 0.6
NUMBERS = re.compile(r"-?\d+(?:\.\d+)?")
Box = tuple[float, float, float, float]  # left, top, right, bottom


# -- In a page ------------------------------------------------------------------------------------


def for_page(svg: str, name: str, alt: str) -> str:
    """Return the drawing as `figures.for_page` does; with panels of its own if they are a row."""
    root = figures.parsed(svg)
    panels = panels_in_a_row(root)
    if not panels:
        return figures.for_page(svg, name, alt)
    _, _, width, height = map(float, root.get("viewBox").split())
    names = figures.new_names(root, name)
    grounds = [ground(panel) for panel in panels]
    boxes = [around([panel], box) for panel, box in zip(panels, grounds, strict=True)]
    cuts = [0, *((one[2] + other[0]) / 2 for one, other in pairwise(boxes)), width]
    words = shared_words(panels)
    if words:  # up to where another panel begins, seen from its axis
        cuts[0] = grounds[0][0] - (grounds[1][0] - cuts[1])
    widest = max(right - left for left, right in pairwise(cuts))
    legends = [part for part in parts_of(root) if part not in panels]
    top, bottom, ends = 0, height, (0, 0)
    if legends:
        _, first, _, last = key = around(legends)
        highest, lowest = min(box[1] for box in boxes), max(box[3] for box in boxes)
        if last < highest:
            top = (last + highest) / 2
            ends = 0, top
        else:
            bottom = (first + lowest) / 2
            ends = bottom, height

    def inside(parts: list) -> str:
        return "".join(figures.written(part, names) for part in parts)

    on_a_line = (len(panels) + 1) // 2
    drawn = []
    for place, (panel, (left, right)) in enumerate(zip(panels, pairwise(cuts), strict=True)):
        if words and place % on_a_line == 0:
            kind, copies = ("panel-again", words) if place else ("panel-words", [])
            drawn.append(framed(inside(copies), (0, top, cuts[0], bottom), kind))
        share = {"--share": f"{(right - left) / widest:.2%}"}
        shared = [] if place else root.findall(f"{SVG}defs")
        drawn.append(framed(inside([panel, *shared]), (left, top, right, bottom), "panel", share))
    if legends:
        left, right = max(0, key[0]), min(width, key[2])
        whole = [part for legend in legends for part in legend]
        halves = split(whole) if right - left > WIDE_LEGEND else [whole]
        starts = [left, *(around(half)[0] for half in halves[1:]), right]
        pieces = ""
        for half, (start, end) in zip(halves, pairwise(starts), strict=True):
            most = f"{ENLARGED * (end - start):.0f}px"
            of = {"--share": f"{(end - start) / (right - left):.2%}", "--most": most}
            pieces += framed(inside(half), (start, ends[0], end, ends[1]), "panel-keys", of)
        place = {"--start": f"{left / width:.2%}", "--share": f"{(right - left) / width:.2%}"}
        legend = {"class": "panel-legend", "style": style(place)}
        legend = f"{figures.opened('span', legend)}{pieces}</span>"
        drawn.insert(0 if top else len(drawn), legend)
    row = [cuts[0]] * bool(words) + [right - left for left, right in pairwise(cuts)]
    line = [cuts[0]] * bool(words) + [widest] * on_a_line
    legible = LEGIBLE / figures.smallest_text(root)
    styles = {
        **{"--row": columns(row), "--line": columns(line)},
        **{"--row-most": f"{ENLARGED * width:.0f}px", "--least": f"{legible * width:.0f}px"},
        "--line-most": f"{ENLARGED * sum(line):.0f}px",
        "--line-least": f"{legible * sum(line):.0f}px",
    }
    frame = {
        "class": "figure-drawing figure-row",
        "style": style(styles),
        "role": "img",
        "aria-label": alt,
    }
    all_of_it = f"{figures.opened('span', frame)}{''.join(drawn)}</span>"
    return f'<span class="figure-frame">{all_of_it}</span>'


def framed(inside: str, box: Box, kind: str, styles: dict[str, str] | None = None) -> str:
    """Return a drawing of that part of the figure."""
    left, top, right, bottom = box
    view = f"{left:.2f} {top:.2f} {right - left:.2f} {bottom - top:.2f}"
    frame = {"class": kind, "viewBox": view, "style": style(styles or {})}
    return f"{figures.opened('svg', frame)}{inside}</svg>"


def style(properties: dict[str, str]) -> str:
    return "; ".join(f"{name}: {value}" for name, value in properties.items())


def columns(widths: list[float]) -> str:
    return " ".join(f"minmax(0, {width:.1f}fr)" for width in widths)


# -- What stands where ----------------------------------------------------------------------------


def parts_of(root) -> list:
    """Return what a figure is made of: panels, legends, words; not its ground."""
    return [part for part in root.iterfind(f"{SVG}g/*") if not is_named(part, "patch")]


def is_named(part, *names: str) -> bool:
    return part.get("id", "").startswith(names)


def panels_in_a_row(root) -> list:
    """Return two to four panels of about one width that stand beside one another; or none."""
    parts = parts_of(root)
    panels = [part for part in parts if is_named(part, "axes_")]
    others = [part for part in parts if part not in panels]
    if not 2 <= len(panels) <= 4 or not all(is_named(part, "legend", "text") for part in others):
        return []
    boxes = [ground(panel) for panel in panels]
    widths = [right - left for left, _, right, _ in boxes]
    is_row = all(one[2] <= other[0] for one, other in pairwise(boxes))
    level = all(one[1] < (other[1] + other[3]) / 2 < one[3] for one in boxes for other in boxes)
    return panels if is_row and level and max(widths) < 2 * min(widths) else []


def shared_words(panels: list) -> list:
    """Return the words of the first vertical axis where no other panel has any."""

    def words(panel) -> list:
        axes = [part for part in panel if is_named(part, "matplotlib.axis")]
        groups = [part for axis in axes[1:2] for part in axis.iter(f"{SVG}g")]
        return [part for part in groups if is_named(part, "text")]

    first, *others = map(words, panels)
    return [] if any(others) else first


def split(keys: list) -> list[list]:
    """Return the first half of a legend's keys, each a sign and its words, and the other half."""
    ends = [place for place, part in enumerate(keys, 1) if is_named(part, "text")]
    middle = ends[(len(ends) + 1) // 2 - 1]
    return [keys[:middle], keys[middle:]]


def ground(panel) -> Box:
    """Return where a panel is without its words: its first path is its ground."""
    return next(box_of_path(path) for path in panel.iter(f"{SVG}path"))


def box_of_path(path) -> Box:
    numbers = [float(number) for number in NUMBERS.findall(path.get("d"))]
    return min(numbers[::2]), min(numbers[1::2]), max(numbers[::2]), max(numbers[1::2])


def around(parts: list, *boxes: Box) -> Box:
    """Return the box around all words and keys of these parts, and around other boxes."""
    found = [*boxes, *(box for part in parts for box in boxes_in(part, not boxes))]
    lefts, tops, rights, bottoms = zip(*found, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def boxes_in(part, keys: bool, move: str = ""):
    """Yield where words are, how wide is estimated; and the lines and markers of a legend."""
    move = part.get("transform", move)
    if part.tag == f"{SVG}text" and (sizes := figures.font_sizes(part)):
        high = max(sizes)
        wide = LETTER * high * len(" ".join("".join(part.itertext()).split()))
        anchor = re.search(r"text-anchor: (\w+)", part.get("style", ""))
        before = {"end": wide, "middle": wide / 2}.get(anchor[1] if anchor else "", 0)
        x, y = part.get("x"), part.get("y")
        x, y = map(float, (x, y) if x else NUMBERS.findall(move)[:2])
        if "rotate(-90" in move:
            yield x - high, y + before - wide, x, y + before
        else:
            yield x - before, y - high, x - before + wide, y
    elif keys and part.tag == f"{SVG}use":
        x, y = float(part.get("x")), float(part.get("y"))
        yield x - 5, y - 5, x + 5, y + 5
    elif keys and part.tag == f"{SVG}path":
        yield box_of_path(part)
    for child in part if part.tag != f"{SVG}defs" else ():
        yield from boxes_in(child, keys, move)
