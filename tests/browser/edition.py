"""The edition that is tested, and how it says what the English one says.

BOOK_SITE names the site; its language stands on its first page. What a test looks for on a page it
writes in English, as the sources do, and ``say`` has it from the catalogues that made the site.
"""

import re
from functools import cache

import pytest
import site_words
import translate
from site_building import given_language

PLACE = re.compile(r"\{(\w+)\}")


@cache
def is_english() -> bool:
    return given_language() == "en"


@cache
def known() -> dict[str, str]:
    """Return what is translated; scripts come before the library, and both before pages."""
    pages = [translate.load(path.stem) for path in sorted(translate.LOCALE.glob("*.po"))]
    said = {one.id: translate.translation(one) for page in pages for one in page if one.id}
    return said | translate.library() | site_words.known_in(translate.LANGUAGE)


def whole(words: str) -> str:
    """Return what the site says for English words, as it stands in the catalogue."""
    text = words if is_english() else known().get(words)
    assert text, f"no catalogue has a translation of {words!r}"
    return text


def say(words: str, *given, **named) -> str:
    """Return what the site says for English words, with what is given in {1}, {2} or {name}."""
    values = named | {str(place): value for place, value in enumerate(given, 1)}
    return PLACE.sub(lambda place: str(values[place[1]]), whole(words))


def form(words: str, *given) -> re.Pattern:
    """Return what matches such words, here and in a script; a place without a value has anything.

    A value may be a form itself.
    """

    def written(place: str) -> str:
        value = given[int(place) - 1] if int(place) <= len(given) else None
        if value is None:
            return ".+"
        return value.pattern if isinstance(value, re.Pattern) else re.escape(str(value))

    pieces = PLACE.split(whole(words))
    plain, places = map(re.escape, pieces[::2]), [*map(written, pieces[1::2]), ""]
    return re.compile("".join(a + b for a, b in zip(plain, places, strict=True)))


def plain(words: str) -> str:
    """Return what a page shows of a message in Markdown."""
    text = re.sub(r"\{\w+\}`([^`<]+?)(?: <[^`>]+>)?`", r"\1", whole(words))
    return re.sub(r"[*`]", "", re.sub(r"\[([^]]+)\]\([^)]+\)", r"\1", text))


def beginning(words: str) -> re.Pattern:
    """Return what matches every text whose English begins with these words."""
    if is_english():
        return re.compile(re.escape(words))
    texts = {said for text, said in known().items() if text.startswith(words) and said}
    assert texts, f"no catalogue has a translation of {words!r}"
    return re.compile("|".join(map(re.escape, sorted(texts))))


def english_only(why: str) -> pytest.MarkDecorator:
    """Mark a test of what only the English edition has, and say why."""
    return pytest.mark.skipif(not is_english(), reason=f"English only: {why}")
