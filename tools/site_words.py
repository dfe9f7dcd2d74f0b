"""What scripts, templates and extensions say to readers, and how another language says it.

Each such text stands in a call of `tr`, in English. In a script `tr` does nothing: the Chinese
edition has the same scripts with other words in these calls, so that no page carries a second
language. In templates and in tools/*_extension.py `tr` looks the text up. The translations are in
locale/LANGUAGE/LC_MESSAGES/scripts.po, where {1}, {2} stand for what a script puts in.

    python tools/site_words.py zh_CN             what is missing, or not said any more
    python tools/site_words.py zh_CN --update    after English has changed
"""

import argparse
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages import Catalog, pofile

ROOT = Path(__file__).resolve().parents[1]
LOCALES = ROOT / "locale"
STATIC = ROOT / "book" / "_static"
# Scripts of others, and data.
NOT_OURS = ("mathjax", "web")
TEXT = r'"(?:[^"\\\n]|\\.)*"'
LITERAL = rf"(?:{TEXT}|`(?:[^`\\]|\\.)*`)"
# In Python two literals side by side are one; in scripts there is a plus between them.
CALL = re.compile(rf"\btr\(\s*({LITERAL}(?:\s*\+?\s*{LITERAL})*),?\s*\)")
BEGUN = re.compile(r"\btr\(")
PIECE = re.compile(
    r"\$\{((?:[^{}]|\{[^{}]*\})*)\}|\\(?:u([0-9a-fA-F]{4})|(.))|([^\\$]+|\$)", re.DOTALL
)
PLACE = re.compile(r"\{(\w*)\}")


def sources() -> Iterator[Path]:
    """Yield the files whose words readers see, in a steady order."""
    scripts = (path for path in sorted(STATIC.rglob("*.js")) if is_ours(path.relative_to(STATIC)))
    yield from scripts
    yield from sorted((ROOT / "book" / "_templates").glob("*.html"))
    yield from sorted((ROOT / "tools").glob("*_extension.py"))


def is_ours(path: Path) -> bool:
    return path.parts[0] not in NOT_OURS


# -- Texts in a source ----------------------------------------------------------------------------


def read(literals: str) -> tuple[str, list[str]]:
    """Return what literals in a row say, with numbers for what is put in, and what that is."""
    said, given = "", []
    for literal in re.findall(LITERAL, literals):
        for code, number, escaped, plain in PIECE.findall(literal[1:-1]):
            if code:
                given.append(code) if code not in given else None
                said += f"{{{given.index(code) + 1}}}"
            else:
                said += (
                    chr(int(number, 16)) if number else {"n": "\n"}.get(escaped, escaped) + plain
                )
    return said, given


def texts(source: str) -> Iterator[str]:
    """Yield every text of a source that is in a call of ``tr``, also those inside another one."""
    for call in CALL.finditer(source):
        said, given = read(call[1])
        yield said
        for code in given:
            yield from texts(code)


def left_out(source: str) -> int:
    """Return how many calls of ``tr`` hold no text that somebody could translate."""
    return len(BEGUN.findall(source)) - len(list(texts(source)))


def translated(source: str, known: dict[str, str]) -> str:
    """Return a script with its texts in another language; one that has no translation stays."""

    def put(call: re.Match) -> str:
        said, given = read(call[1])
        text = known.get(said, said)
        if not given:
            return f"tr({json.dumps(text, ensure_ascii=False)})"
        text = re.sub(r"[`\\]|\$(?=\{)", r"\\\g<0>", text)
        codes = [translated(code, known) for code in given]
        return f"tr(`{PLACE.sub(lambda place: f'${{{codes[int(place[1]) - 1]}}}', text)}`)"

    return CALL.sub(put, source)


# -- The catalogue --------------------------------------------------------------------------------


def place_of(language: str) -> Path:
    return LOCALES / language / "LC_MESSAGES" / "scripts.po"


def found() -> Catalog:
    """Return a catalogue of all texts, without translations."""
    catalogue = Catalog(project="vae-tutorial", charset="utf-8")
    for path in sources():
        for text in texts(path.read_text(encoding="utf-8")):
            catalogue.add(text, locations=[(path.relative_to(ROOT).as_posix(), 0)])
    return catalogue


def catalogue_of(language: str) -> Catalog:
    path = place_of(language)
    if not path.is_file():
        return Catalog(locale=language, charset="utf-8")
    with path.open("rb") as file:
        return pofile.read_po(file, locale=language)


def known_in(language: str) -> dict[str, str]:
    """Return the translation of each text that has one."""
    if language.startswith("en"):
        return {}
    messages = catalogue_of(language)
    return {one.id: one.string for one in messages if one.id and one.string and not one.fuzzy}


def update(language: str) -> None:
    """Bring the catalogue up to what the sources say, and keep its translations."""
    old, new = catalogue_of(language), found()
    old.update(new, no_fuzzy_matching=True)
    old.obsolete.clear()
    place_of(language).parent.mkdir(parents=True, exist_ok=True)
    with place_of(language).open("wb") as file:
        pofile.write_po(file, old, width=100, include_lineno=False, omit_header=True)


def problems(language: str) -> Iterator[str]:
    """Yield what is missing in a catalogue, and translations with other places than their text."""
    wanted, there = {one.id for one in found() if one.id}, catalogue_of(language)
    for path in sources():
        if left_out(path.read_text(encoding="utf-8")):
            yield f"{path.relative_to(ROOT)}: a call of tr holds something else than a text"
    known = {one.id: one for one in there if one.id}
    yield from (f"nobody says any more: {text!r}" for text in sorted(known.keys() - wanted))
    for text in sorted(wanted):
        one = known.get(text)
        if one is None or not one.string or one.fuzzy:
            yield f"without a translation: {text!r}"
        elif set(PLACE.findall(text)) != set(PLACE.findall(one.string)):
            yield f"other places than in {text!r}: {one.string!r}"


# -- For the extensions of Sphinx -----------------------------------------------------------------

_known: dict[str, str] = {}


def use(language: str) -> None:
    """Let ``tr`` speak a language from now on."""
    _known.clear()
    _known.update(known_in(language))


def tr(words: str) -> str:
    """Return a text in the language of the edition that is built."""
    return _known.get(words, words)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("language", help="such as zh_CN")
    parser.add_argument("--update", action="store_true", help="write new texts into the catalogue")
    options = parser.parse_args()
    if options.update:
        update(options.language)
    wrong = list(problems(options.language))
    print("\n".join(wrong) or f"Every text has its translation in {options.language}.")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
