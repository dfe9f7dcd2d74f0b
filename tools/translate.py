"""Keep the catalogues of the Chinese edition, and write its source tree.

The English pages are the only source. Each page's messages stand in
locale/zh_CN/LC_MESSAGES/PAGE.po, those of three pages or more in common.po, and what
_config.yml and _toc.yml say in site.po. The language follows; zh_CN is the only one so far.

    python tools/translate.py --update             after English has changed
    python tools/translate.py --check [PAGE ...]   what is missing, and what a rule refuses
    python tools/translate.py --export PAGE > x.json      to fill in "str", then
    python tools/translate.py --import PAGE x.json        writes it, and says what is refused
    python tools/translate.py --build _build/zh_CN        pages that jupyter-book builds
"""

import argparse
import io
import json
import os
import re
import shutil
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import yaml
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po, write_po
from copy_words import WORDS
from folders import MARKER
from translation_blocks import Piece, headings, messages, translated
from translation_rules import faults

ROOT = Path(__file__).resolve().parents[1]
BOOK = ROOT / "book"
LANGUAGE = "zh_CN"
LOCALE = ROOT / "locale" / LANGUAGE / "LC_MESSAGES"
# Of exercises the library says hints and reasons that stand on pages too.
LIBRARY = ROOT / "vae_tutorial" / "locale" / LANGUAGE / "LC_MESSAGES" / "vae_tutorial.po"
# Messages of so many pages are translated once.
SHARED = 3
COMMON, SITE, GLOSSARY = "common", "site", "glossary"
# Catalogues of other tools in the same folder.
OTHERS = {"scripts"}
# What readers see of the configuration, as paths into _config.yml.
SPOKEN_CONFIG = [
    ("title",),
    ("author",),
    ("html", "extra_footer"),
    ("sphinx", "config", "html_theme_options", "search_bar_text"),
    ("sphinx", "config", "html_theme_options", "logo", "text"),
    ("sphinx", "config", "html_theme_options", "logo", "alt_text"),
]
# Two English names of a term may have one in Chinese.
SAME_TERM = re.compile(r"^(\S.*\n)\1", re.MULTILINE)
# For the extension in tools/translation_extension.py.
ENGLISH = "english.json"


class Words(Catalog):
    """A catalogue whose header says what is needed, and nothing that changes by the day."""

    @property
    def mime_headers(self):
        kept = {"Project-Id-Version", "Language", "MIME-Version", "Content-Type"}
        kept.add("Content-Transfer-Encoding")
        return [header for header in super().mime_headers if header[0] in kept]

    @mime_headers.setter
    def mime_headers(self, headers):
        Catalog._set_mime_headers(self, headers)


def new_catalogue(name: str) -> Words:
    about = f"# {name}: the words of the Chinese edition. tools/translate.py writes this file."
    return Words(
        locale=LANGUAGE, project="Image Retrieval", version="1", header_comment=about, fuzzy=False
    )


# -- English --------------------------------------------------------------------------------------


def pages() -> dict[str, Path]:
    """Return the pages with messages, by their catalogue's name, in the order of the book."""
    contents = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    names = [contents["root"]]
    for part in contents["parts"]:
        for chapter in part["chapters"]:
            names.append(chapter["file"])
    found = {}
    for name in names:
        path = next(p for p in (ROOT / f"{name}{end}" for end in (".md", ".ipynb")) if p.is_file())
        found[path.relative_to(BOOK).with_suffix("").as_posix().replace("/", "-")] = path
    return found | {"cover": BOOK / "images" / "cover.html"}  # of the landing page


def site_pieces() -> Iterator[Piece]:
    contents = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    for part in contents["parts"]:
        yield Piece(part["caption"], part["caption"], "caption of a part")
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    for path in SPOKEN_CONFIG:
        place = config
        for key in path:
            place = place[key]
        yield Piece(place, " ".join(place.split()), "configuration")
    for words in WORDS:
        yield Piece(words, words, "copies")


Key = tuple[str | None, str]


def key(one: Piece) -> Key:
    """Return what a message is found by: a term of the glossary is one by itself."""
    return ("term" if one.kind == "term" else None), one.message


@cache
def templates() -> dict[str, dict[Key, tuple[list[str], list[str]]]]:
    """Return, by catalogue, the messages in order, each with its places and kinds."""
    found: dict[str, dict] = {COMMON: {}}
    for name, path in pages().items():
        of_page: dict[Key, tuple[list, list]] = {}
        source = path.read_text(encoding="utf-8")
        for cell, one in messages(path.name, source):
            places, kinds = of_page.setdefault(key(one), ([], []))
            place = path.relative_to(ROOT).as_posix() + (f"#{cell}" if cell else "")
            places += [place] if place not in places else []
            kinds += [one.kind] if one.kind not in kinds else []
        found[name] = of_page
    owners: dict[Key, list[str]] = {}
    for name in pages():
        for one in found[name]:
            owners.setdefault(one, []).append(name)
    for one, names in owners.items():
        if len(names) >= SHARED:
            taken = [found[name].pop(one) for name in names]
            kinds = list(dict.fromkeys(kind for _, kinds in taken for kind in kinds))
            found[COMMON][one] = [f"{len(names)}-pages"], kinds
    found[SITE] = {key(one): (["_config.yml"], [one.kind]) for one in site_pieces()}
    return found


# -- Catalogues -----------------------------------------------------------------------------------


def path_of(name: str) -> Path:
    return LOCALE / f"{name}.po"


def load(name: str) -> Catalog:
    path = path_of(name)
    if not path.is_file():
        return new_catalogue(name)
    return read_po(io.BytesIO(path.read_bytes()), locale=LANGUAGE)


def text_of(catalogue: Catalog, name: str) -> bytes:
    clean = new_catalogue(name)
    for message in catalogue:
        if message.id:
            # What Babel takes for a format of Python's is a role of MyST's.
            message.flags -= {"python-format", "python-brace-format"}
            # A long message's earlier words are written in lines that read as comments again.
            message.user_comments = []
            if not message.fuzzy:
                message.previous_id = []
            clean[message.id] = message
    out = io.BytesIO()
    write_po(out, clean, width=0, ignore_obsolete=True, include_previous=True)
    return out.getvalue()


def save(catalogue: Catalog, name: str) -> None:
    path, text = path_of(name), text_of(catalogue, name)
    if not path.is_file() or path.read_bytes() != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        # At once, so that whoever reads at the same time finds a whole file.
        new = path.with_suffix(f".{os.getpid()}.new")
        new.write_bytes(text)
        new.replace(path)


def translation(message: Message | None) -> str:
    """Return a message's translation; one that is fuzzy is none."""
    return str(message.string) if message and message.string and not message.fuzzy else ""


def update() -> None:
    """Bring the catalogues in step with the pages; a changed sentence keeps its old one, fuzzy."""
    old = {name: load(name) for name in templates()}
    known = {(None, text): said for text, said in library().items()}
    for catalogue in old.values():
        for message in catalogue:
            if message.id and translation(message):
                known[message.context, message.id] = message.string
    for name, wanted in templates().items():
        template = Catalog(locale=LANGUAGE)
        for (context, text), (places, kinds) in wanted.items():
            where = [(place, None) for place in places]
            template.add(text, locations=where, auto_comments=[", ".join(kinds)], context=context)
        catalogue = old[name]
        catalogue.update(template)
        for message in catalogue:
            if message.id and not translation(message):
                if (message.context, message.id) in known:
                    message.string = known[message.context, message.id]
                    message.flags.discard("fuzzy")
        save(catalogue, name)
    for path in LOCALE.glob("*.po"):
        if path.stem not in templates() and path.stem not in OTHERS:
            print(f"{path.relative_to(ROOT)} belongs to no page", file=sys.stderr)


@cache
def library() -> dict[str, str]:
    """Return what the library's own catalogue, which tools/words.py keeps, has translated."""
    if not LIBRARY.is_file():
        return {}
    return {m.id: translation(m) for m in read_po(io.BytesIO(LIBRARY.read_bytes())) if m.id}


@cache
def terms() -> dict[str, str]:
    """Return the Chinese of each English term, which is found in small letters."""
    found = {}
    for message in load(GLOSSARY):
        if message.context == "term" and translation(message):
            found[message.id.casefold()] = translation(message)
    return found


# -- Checks ---------------------------------------------------------------------------------------


def refused(name: str, catalogue: Catalog) -> Iterator[tuple[str, list[str]]]:
    """Yield the messages of a catalogue that a rule refuses, each with its faults."""
    for message in catalogue:
        if message.id and (here := translation(message)):
            if found := faults_of(message, here):
                yield message.id, found


def faults_of(message: Message, here: str) -> list[str]:
    if message.context == "term":
        return list(faults(message.id, here, "term", {}))
    return list(faults(message.id, here, ", ".join(message.auto_comments), terms()))


def missing(catalogue: Catalog) -> list[str]:
    return [one.id for one in catalogue if one.id and not translation(one)]


def out_of_step(name: str, catalogue: Catalog) -> list[str]:
    """Return the messages that only the page has, or only the catalogue."""
    here = {(message.context, message.id) for message in catalogue if message.id}
    return [text for _, text in here.symmetric_difference(templates()[name])]


def report(names: list[str]) -> bool:
    """Print what each catalogue lacks, and return whether it lacks anything."""
    bad = False
    for name in names:
        catalogue = load(name)
        total, lacking = len(list(catalogue)) - 1, missing(catalogue)
        wrong, stale = list(refused(name, catalogue)), out_of_step(name, catalogue)
        bad = bad or bool(lacking or wrong or stale)
        done = total - len(lacking)
        print(f"{name:24} {done:4} of {total:4} translated, {len(wrong)} refused", end="")
        print(f", {len(stale)} out of step: run --update" if stale else "")
        for text, found in wrong:
            print(f"    {text[:70]}")
            print("".join(f"        {fault}\n" for fault in found), end="")
    return bad


# -- For translators ------------------------------------------------------------------------------


def export(name: str) -> None:
    rows = []
    for number, message in enumerate(message for message in load(name) if message.id):
        row = {"n": number, "where": [place for place, _ in message.locations]}
        row |= {"kind": ", ".join(message.auto_comments), "id": message.id}
        row["str"] = str(message.string or "")
        rows.append(row | ({"fuzzy": True} if message.fuzzy else {}))
    json.dump(rows, sys.stdout, indent=1, ensure_ascii=False)
    print()


def bring_in(name: str, path: Path) -> bool:
    """Write the translations of a file into the catalogue, and say what is refused."""
    catalogue, unknown, changed = load(name), [], 0
    there = {(message.context, message.id): message for message in catalogue if message.id}
    numbers = {message.id: number for number, message in enumerate(there.values())}
    for row in json.loads(path.read_text(encoding="utf-8")):
        context = "term" if row.get("kind") == "term" else None
        new, message = row.get("str", ""), there.get((context, row["id"]))
        if message is None:
            unknown.append(row["id"])
        # What is fuzzy stays so until somebody has written it anew, or taken that mark away.
        elif new and not (row.get("fuzzy") and new == message.string):
            changed += message.string != new
            message.string = new
            message.flags.discard("fuzzy")
    save(catalogue, name)
    terms.cache_clear()
    wrong = list(refused(name, catalogue))
    for text in unknown:
        print(f"the page has no such message: {text[:70]}")
    for text, found in wrong:
        print(f"n {numbers[text]}: {text[:70]}")
        print("".join(f"    {fault}\n" for fault in found), end="")
    left = f"{len(missing(catalogue))} of {len(there)} still untranslated"
    print(f"{name}: {changed} changed, {len(wrong)} refused, {left}")
    return bool(wrong or unknown)


# -- The tree -------------------------------------------------------------------------------------


def translator(name: str):
    """Return how the messages of a page are said; "" where there is no translation."""
    found = {}
    for catalogue in (load(COMMON), load(name)):
        for message in catalogue:
            if message.id:
                found[message.context, message.id] = translation(message)
    return lambda one: found.get(key(one), "")


def known(name: str) -> dict[str, str]:
    return {m.id: translation(m) for m in load(name) if m.id and translation(m)}


def titles() -> dict[str, str]:
    """Return what the pages are called."""
    first = (next((m for m in load(name) if m.id), None) for name in pages())
    return {m.id: translation(m) for m in first if translation(m)}


def book_in(language: str) -> Path:
    """Return the folder of the pages in a language, written afresh where it is not English."""
    if language == "en":
        return BOOK
    if language != LANGUAGE:
        raise ValueError(f"there is no edition in {language!r}, but en, {LANGUAGE}")
    build(ROOT / "_build" / LANGUAGE)
    return ROOT / "_build" / LANGUAGE / "book"


def build(into: Path) -> None:
    """Write the translated tree; files that stay as they are keep their time, for Sphinx."""
    mark = into / MARKER
    if into.exists() and any(into.iterdir()) and not mark.is_file():
        raise FileExistsError(f"{into} holds files that tools/translate.py has not written")
    into.mkdir(parents=True, exist_ok=True)
    mark.write_text("translate.py\n", encoding="utf-8")
    sources = {path: name for name, path in pages().items()}
    kept = set()
    english: dict[str, list[str]] = {}
    for path in sorted(BOOK.rglob("*")):
        if not path.is_file() or any(part.startswith(".") for part in path.parts[-3:]):
            continue
        target = into / path.relative_to(ROOT)
        kept.add(target)
        if path in sources:
            source = path.read_text(encoding="utf-8")
            text = translated(path.name, source, translator(sources[path]))
            write(target, SAME_TERM.sub(r"\1", text) if sources[path] == GLOSSARY else text)
            page = path.relative_to(ROOT).with_suffix("").as_posix()
            english[page] = headings(path.name, source)
        elif not is_same(path, target):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, target)
    for path in (into / "book").rglob("*"):
        if path.is_file() and path not in kept:
            path.unlink()
    write_configuration(into)
    names: dict[str, list[str]] = {}
    for message in load(GLOSSARY):
        if message.context == "term":
            names.setdefault(translation(message) or message.id, []).append(message.id)
    write(into / ENGLISH, json.dumps({"headings": english, "terms": names}, ensure_ascii=False))


def write_configuration(into: Path) -> None:
    """Write _config.yml and _toc.yml for the tree, in its language and with its own paths."""
    say = translator(SITE)
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    for path in SPOKEN_CONFIG:
        place = config
        for step in path[:-1]:
            place = place[step]
        words = place[path[-1]]
        place[path[-1]] = say(Piece("", " ".join(words.split()))) or words
    sphinx, back = config["sphinx"], os.path.relpath(ROOT, into.resolve())
    sphinx["config"]["language"] = LANGUAGE
    sphinx["local_extensions"]["translation_extension"] = "tools"
    extensions = sphinx["config"]["extensions"]
    # First of ours, so that the others meet the English ids.
    extensions.insert(extensions.index("book_extension"), "translation_extension")
    sphinx["local_extensions"]["print_chinese_extension"] = "tools"
    extensions.append("print_chinese_extension")
    config["latex"]["latex_documents"]["targetname"] = f"vae-tutorial-{LANGUAGE}.tex"
    folders = sphinx["local_extensions"]
    sphinx["local_extensions"] = {name: f"{back}/{folder}" for name, folder in folders.items()}
    files = sphinx["config"]["latex_additional_files"]
    sphinx["config"]["latex_additional_files"] = [f"{back}/{file}" for file in files]
    write(into / "_config.yml", yaml.safe_dump(config, allow_unicode=True, sort_keys=False))
    contents = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    for part in contents["parts"]:
        part["caption"] = say(Piece("", part["caption"])) or part["caption"]
    write(into / "_toc.yml", yaml.safe_dump(contents, allow_unicode=True, sort_keys=False))


def write(path: Path, text: str) -> None:
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def is_same(path: Path, target: Path) -> bool:
    if not target.is_file():
        return False
    here, there = path.stat(), target.stat()
    return here.st_size == there.st_size and here.st_mtime_ns == there.st_mtime_ns


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    task = parser.add_mutually_exclusive_group(required=True)
    task.add_argument("--update", action="store_true", help="bring the catalogues up to date")
    task.add_argument("--check", nargs="*", metavar="PAGE", help="say what is missing or refused")
    task.add_argument("--export", metavar="PAGE", help="print the messages of a page as JSON")
    task.add_argument(
        "--import", dest="bring", nargs=2, metavar=("PAGE", "FILE"), help="take translations in"
    )
    task.add_argument("--build", type=Path, metavar="FOLDER", help="write the translated pages")
    chosen = parser.parse_args()
    named = [*(chosen.check or []), *([chosen.export] if chosen.export else [])]
    named += chosen.bring[:1] if chosen.bring else []
    if unknown := [name for name in named if name not in templates()]:
        parser.error(f"no page {unknown[0]!r}, but {', '.join(templates())}")
    if chosen.bring and not Path(chosen.bring[1]).is_file():
        parser.error(f"there is no file {chosen.bring[1]}")
    if chosen.update:
        update()
    elif chosen.check is not None:
        sys.exit(report(chosen.check or list(templates())))
    elif chosen.export:
        export(chosen.export)
    elif chosen.bring:
        sys.exit(bring_in(chosen.bring[0], Path(chosen.bring[1])))
    else:
        try:
            build(chosen.build)
        except FileExistsError as error:
            parser.error(str(error))


if __name__ == "__main__":
    main()
