"""Keep the library's translations in step with its words: vae_tutorial/locale/*/*/vae_tutorial.po.

A word is what stands in _("...") in the library and in what Python in the page adds to it, and
what the bank of exercises says. After a change of any:
    python tools/words.py --update     # then translate what is empty or marked fuzzy in the .po
    python tools/words.py --compile    # write the .mo, which is what the library reads
A new language begins with --update LANGUAGE. With --check it only says what is amiss.
"""

import argparse
import io
import posixpath
import re
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po, write_po

from vae_tutorial import _pictures
from vae_tutorial._words import DOMAIN, LOCALE
from vae_tutorial.exercises import (
    EXERCISES,
    HINTS,
    KNOWN,
    PRINTS,
    RIGHT,
    UNTOUCHED,
    WRONG,
    __main__,
    _cells,
    _class,
    _notebooks,
    _process,
    _relations,
    _trial,
)

PACKAGE = LOCALE.parent
ROOT = PACKAGE.parent
# They speak with the library's words.
IN_THE_PAGE = [Path(__file__).with_name(f"live_{name}.py") for name in ("missing", "session")]
# What stands on both sides of a translation: places to fill, code, numbers.
KEPT = re.compile(r"`[^`]*`|\{[^}]*\}|\d+(?:[.,]\d+)*")
HEADER = "# The words of vae_tutorial. Made by tools/words.py; translate here, then --compile."


def of_the_code() -> Iterator[tuple[str, str, str]]:
    """Yield each message in _("..."), where it is, and nothing more to say of it."""
    for path in [*sorted(PACKAGE.rglob("*.py")), *IN_THE_PAGE]:
        for _line, message, _comments, _context in extract_from_file("python", path, {"_": None}):
            if isinstance(message, str):
                yield message, path.relative_to(ROOT).as_posix(), ""


def of_the_bank() -> Iterator[tuple[str, str, str]]:
    """Yield what exercises say, where it is, and what it is to which exercise."""
    for name, e in EXERCISES.items():
        where = f"vae_tutorial/exercises/_{e.page.replace('-', '_')}.py"
        yield e.title, where, f"{name}: title"
        yield e.level, where, "level of an exercise"
        for number, hint in enumerate(e.hints, start=1):
            yield hint, where, f"{name}: hint {number}"
        yield e.why, where, f"{name}: why it works"
        for mistake in e.mistakes:
            yield mistake.diagnosis, where, f"{name}: a mistake"


def of_the_constants() -> Iterator[tuple[str, str, str]]:
    """Yield what is translated where it is shown and not where it stands."""
    wrong = {"exercise": "", "diagnosis": "", "status": WRONG}
    constants = {
        "__init__": (RIGHT, WRONG, UNTOUCHED, KNOWN, PRINTS, *HINTS),
        "__main__": (__main__.ABOUT, *(words for *_, words in __main__.OPTIONS.values())),
        "_cells": _cells.KINDS.values(),
        "_class": (_class.NO_HAND_IN, *_class.summary([], ["-"])[0], *_class.mistakes([wrong])[0]),
        "_notebooks": (_notebooks.BY_HAND, _notebooks.OTHERWISE),
        "_process": (_process.MISSING, _process.UNREADABLE),
        "_relations": (*_relations.CHANGES, *_relations.PARTS),
        "_trial": (_trial.BUSY, _trial.CHANGES, *_trial.AXES, *_trial.ADVICE.values()),
        "../_pictures": _pictures.NEEDS.values(),
    }
    for module, messages in constants.items():
        for message in messages:
            yield message, posixpath.normpath(f"vae_tutorial/exercises/{module}.py"), ""


def source() -> Catalog:
    """Return all messages of the library."""
    catalog = Catalog(fuzzy=False)
    for words in (of_the_code, of_the_constants, of_the_bank):
        for message, where, what in words():
            # Without numbers of lines, which change with every edit.
            catalog.add(message, locations=[(where, None)], auto_comments=[what] if what else [])
    return catalog


def catalogue_of(language: str) -> Path:
    return LOCALE / language / "LC_MESSAGES" / f"{DOMAIN}.po"


def languages() -> list[str]:
    return sorted(path.parents[1].name for path in LOCALE.glob(f"*/LC_MESSAGES/{DOMAIN}.po"))


def read(language: str) -> Catalog:
    path = catalogue_of(language)
    if not path.is_file():
        return Catalog(locale=language, fuzzy=False)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def as_po(catalog: Catalog) -> bytes:
    """Return a catalogue as it is stored; the same for the same messages, whatever the day."""
    for message in catalog:
        if message.flags:
            # Babel's own guess; a literal % or { in a message of the bank is no place to fill.
            message.flags = {flag for flag in message.flags if flag == "fuzzy"}
    file = io.BytesIO()
    write_po(
        file, catalog, width=100, omit_header=True, ignore_obsolete=True, include_previous=True
    )
    head = f'{HEADER}\nmsgid ""\nmsgstr ""\n"Language: {catalog.locale_identifier}\\n"\n'
    head += '"Content-Type: text/plain; charset=UTF-8\\n"\n\n'
    return head.encode() + file.getvalue()


def translated(catalog: Catalog) -> dict[str, str]:
    """Return what a catalogue translates; what is fuzzy is left out, and stays English."""
    return {m.id: m.string for m in catalog if m.id and m.string and not m.fuzzy}


def as_mo(catalog: Catalog) -> bytes:
    """Return a catalogue as gettext reads it; the same for the same messages, whatever the day."""
    long_ago = datetime.fromtimestamp(0, UTC)
    lean = Catalog(locale=catalog.locale, fuzzy=False, creation_date=long_ago)
    for text, translation in translated(catalog).items():
        lean.add(text, translation)
    file = io.BytesIO()
    write_mo(file, lean)
    return file.getvalue()


def is_compiled(language: str) -> bool:
    """Tell whether the .mo holds what the .po does, whichever Babel wrote it."""
    path = catalogue_of(language).with_suffix(".mo")
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return translated(read_mo(file)) == translated(read(language))


def update(language: str) -> None:
    catalog = read(language)
    catalog.update(source())
    path = catalogue_of(language)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(as_po(catalog))
    lacking = sum(not message.string or message.fuzzy for message in catalog if message.id)
    print(f"{path.relative_to(ROOT)}: {len(catalog)} messages, {lacking} to be translated")


def kept(text: str) -> Counter:
    return Counter(KEPT.findall(text))


def faults(language: str) -> list[str]:
    """Return what is amiss with a language's catalogue, in words."""
    catalog, messages = read(language), {message.id for message in source()}
    own = {message.id: message for message in catalog if message.id}
    found = [
        f"not in the .po, run --update: {text!r}" for text in sorted(messages - set(own) - {""})
    ]
    found += [f"no longer in the library: {text!r}" for text in sorted(set(own) - messages)]
    for text, message in own.items():
        if not message.string or message.fuzzy:
            found.append(f"{'fuzzy' if message.fuzzy else 'untranslated'}: {text!r}")
        elif kept(text) != kept(message.string):
            found.append(f"other code, numbers or places to fill: {text!r}: {message.string!r}")
    if not is_compiled(language):
        found.append("the .mo is not made from this .po, run --compile")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "--update", action="store_true", help="bring the .po in step with the library"
    )
    what.add_argument("--check", action="store_true", help="say what is amiss, and end with 1")
    what.add_argument("--compile", action="store_true", help="write the .mo from the .po")
    parser.add_argument("language", nargs="*", help="for example zh_CN; default: all there are")
    given = parser.parse_args()
    found = []
    for language in given.language or languages():
        if given.update:
            update(language)
        elif given.compile:
            catalogue_of(language).with_suffix(".mo").write_bytes(as_mo(read(language)))
        else:
            found += [f"{language}: {fault}" for fault in faults(language)]
    print("".join(f"{fault}\n" for fault in found), end="")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
