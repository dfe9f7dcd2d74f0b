"""What a built page must and must not hold: each rule returns the problems it found."""

import re
from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

# What a browser loads by itself, in contrast to a link that a reader may follow.
LOADING_ATTRIBUTES = {
    "audio": ["src"],
    "embed": ["src"],
    "iframe": ["src"],
    "image": ["href", "xlink:href"],
    "img": ["src", "srcset"],
    "input": ["src"],
    "link": ["href"],
    "object": ["data"],
    "script": ["src"],
    "source": ["src", "srcset"],
    "track": ["src"],
    "use": ["href", "xlink:href"],
    "video": ["src", "poster"],
}
# Links in <link> that only describe the page.
DESCRIBING_LINKS = {
    "alternate",
    "author",
    "canonical",
    "index",
    "license",
    "next",
    "prev",
    "search",
}
OTHER_HOST = re.compile(r"^(?:[a-z]+:)?//", re.IGNORECASE)
LOADED_BY_CSS = re.compile(r"(?:url\(|@import)\s*['\"]?((?:https?:)?//[^'\")\s]+)", re.IGNORECASE)


@dataclass
class Page:
    """The tags of one HTML file, and where they point."""

    path: Path
    tags: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)
    scripts: list[str] = field(default_factory=list)
    styles: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, path: Path) -> "Page":
        return cls.parse(path.read_text(encoding="utf-8"), path)

    @classmethod
    def parse(cls, text: str, path: Path = Path("page.html")) -> "Page":
        page = cls(path)
        parser = _Parser(page)
        parser.feed(text)
        parser.close()
        return page

    def attributes(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]


class _Parser(HTMLParser):
    def __init__(self, page: Page):
        super().__init__()
        self.page = page
        self.inside = ""

    def handle_starttag(self, tag, attributes):
        known = {name: value or "" for name, value in attributes}
        self.page.tags.append((tag, known))
        self.page.anchors |= {known[name] for name in ("id", "name") if known.get(name)}
        self.inside = tag

    def handle_endtag(self, tag):
        self.inside = ""

    def handle_data(self, text):
        if self.inside == "script":
            self.page.scripts.append(text)
        elif self.inside == "style":
            self.page.styles.append(text)


def loads_from_other_hosts(page: Page) -> list[str]:
    problems = []
    for tag, attributes in page.tags:
        if tag == "link" and set(attributes.get("rel", "").split()) <= DESCRIBING_LINKS:
            continue
        for name in LOADING_ATTRIBUTES.get(tag, []):
            for part in attributes.get(name, "").split(","):
                if OTHER_HOST.match(part.strip()):
                    problems.append(f"<{tag}> loads {part.strip()}")
        for address in LOADED_BY_CSS.findall(attributes.get("style", "")):
            problems.append(f"the style of <{tag}> loads {address}")
    problems += [f"<style> loads {a}" for text in page.styles for a in LOADED_BY_CSS.findall(text)]
    for text in page.scripts:
        problems += [f"a script names {a}" for a in re.findall(r"https?://[^\s\"'`]+", text)]
    return problems


def stylesheet_loads_from_other_hosts(text: str) -> list[str]:
    return LOADED_BY_CSS.findall(text)


def pictures_without_alt_text(page: Page) -> list[str]:
    pictures = [(a.get("src"), a.get("alt", "")) for a in page.attributes("img")]
    pictures += [
        (a.get("class"), a.get("aria-label", ""))
        for a in page.attributes("svg")
        if a.get("role") == "img"
    ]
    return [f"no alt text: {name}" for name, words in pictures if not words.strip()]


def pictures_without_size(page: Page) -> list[str]:
    """Where a browser does not know how large a picture will be, the text below it jumps."""
    return [
        f"no width and height: {attributes.get('src')}"
        for attributes in page.attributes("img")
        if "logo__image" not in attributes.get("class", "")  # our style gives it its size
        and not (attributes.get("width") and attributes.get("height"))
    ]


def repeated_ids(page: Page) -> list[str]:
    ids = Counter(attributes["id"] for _, attributes in page.tags if attributes.get("id"))
    return [f"{count} times: #{name}" for name, count in ids.items() if count > 1]


def page_basics(page: Page) -> list[str]:
    problems = []
    if not any(attributes.get("lang") for attributes in page.attributes("html")):
        problems.append("<html> has no language")
    if not page.attributes("h1"):
        problems.append("no first heading")
    if not any(a.get("name") == "viewport" for a in page.attributes("meta")):
        problems.append("no viewport: phones would show a tiny page")
    return problems


def broken_links(page: Page, pages: dict[Path, Page]) -> list[str]:
    problems = []
    for attributes in page.attributes("a"):
        link = urlsplit(attributes.get("href", ""))
        if link.scheme == "http":
            problems.append(f"not encrypted: {attributes['href']}")
        if link.scheme or link.netloc:
            continue
        target = page.path
        if link.path:
            target = (page.path.parent / unquote(link.path)).resolve()
        if not target.is_file():
            problems.append(f"no such file: {attributes['href']}")
        elif link.fragment and target in pages:
            if unquote(link.fragment) not in pages[target].anchors:
                problems.append(f"no such place: {attributes['href']}")
    for tag, attributes in page.tags:
        for name in set(LOADING_ATTRIBUTES.get(tag, [])) & {"src", "href", "data"}:
            link = urlsplit(attributes.get(name, ""))
            if link.scheme or link.netloc or not link.path:
                continue
            if not (page.path.parent / unquote(link.path)).is_file():
                problems.append(f"<{tag}> needs a missing file: {attributes[name]}")
    return problems


def contrast(colour: str, background: str) -> float:
    """Return the contrast ratio of two #rrggbb colours as WCAG 2.2 defines it."""
    lighter, darker = sorted((_luminance(colour), _luminance(background)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
