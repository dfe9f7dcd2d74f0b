"""The files that a class has handed in, whose they are, and what its marks come to."""

import hashlib
import os
import re
import stat
import unicodedata
from collections import Counter, defaultdict
from pathlib import Path

from vae_tutorial._words import _
from vae_tutorial.exercises import EXERCISES, WRONG

NO_HAND_IN = "no hand-in"
LARGEST = 100 * 2**20  # bytes of a notebook


def files_in(folder: Path) -> list[Path]:
    """Return what is named like a notebook in a folder and below it; no link is followed."""
    found = []
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(f for f in folders if f != ".ipynb_checkpoints")
        found += [Path(place, name) for name in [*files, *folders] if _is_named_so(name)]
    return sorted(found)


def _is_named_so(name: str) -> bool:
    return name.lower().endswith(".ipynb") and not name.startswith("._")


def read(path: Path) -> bytes:
    """Return the bytes of a file; raise ValueError, in words, for what is no file to be read."""
    if path.is_symlink():
        raise ValueError(_("It is a link to another place, which marking does not follow."))
    if path.is_dir():
        raise ValueError(_("It is a folder with the name of a notebook."))
    try:
        # A pipe would wait for ever, and a link may take the file's place in between.
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        with open(os.open(path, flags | getattr(os, "O_BINARY", 0)), "rb") as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise ValueError(_("It is no file but a device or a pipe."))
            if found.st_size > LARGEST:
                raise ValueError(_("It is larger than {size} MB.", size=LARGEST // 2**20))
            return file.read(LARGEST)
    except OSError as error:
        message = _("It cannot be read: {error}.", error=error.strerror)
        raise ValueError(message) from None


def shown(path: Path) -> str:
    """Return a path as text that every console and spreadsheet can hold, whatever its bytes are."""
    text = os.fsencode(path.as_posix()).decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def version(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()[:12]


def student_of(file: str, roster: list[str]) -> str:
    """Return who handed a file in: a name of the roster, else of its folder, else of the file."""
    folder, slash, rest = file.partition("/")
    own = folder if slash and rest else re.sub(r"\.ipynb$", "", folder, flags=re.IGNORECASE)
    own = re.sub(r"_\d+_assignsubmission.*", "", own)  # as Moodle names its folders
    words = _words(file)
    named = [name for name in roster if _words(name) <= words]
    if named:
        return max(named, key=len)
    pages = "|".join({re.escape(exercise.page) for exercise in EXERCISES.values()})
    return re.sub(rf"[ _-]*({pages})[ _-]*", "", own) or own


def _words(text: str) -> set[str]:
    """Return the words of a text without accents, signs and capitals."""
    letters = unicodedata.normalize("NFKD", text).casefold()
    kept = "".join(c for c in letters if not unicodedata.combining(c))
    return set(re.findall(r"\w+", kept.replace("_", " ")))


def summary(rows: list[dict], roster: list[str]) -> list[dict]:
    """Return a row for each student: points of the best try at each exercise, and what is open."""
    own = defaultdict(list)
    for row in rows:
        own[row.get("student") or student_of(row.get("file") or "", roster)].append(row)
    for name in roster:
        own.setdefault(name, [])
    return [_of_student(name, own[name]) for name in sorted(own, key=str.casefold)]


def _of_student(name: str, rows: list[dict]) -> dict:
    best: dict[str, tuple] = {}
    by_hand = [row for row in rows if row["file"] and number(row["points"]) is None]
    for row in rows:
        points, of = number(row["points"]), number(row.get("of"))
        if points is not None and points >= best.get(row["exercise"], (-1, 0))[0]:
            best[row["exercise"]] = points, of or 0
    files = {row["file"] for row in rows if row["file"]}
    return {
        "student": name,
        "points": _short(sum(points for points, _ in best.values())) if best else "",
        "of": _short(sum(of for _, of in best.values())) if best else "",
        "to look at by hand": len(by_hand) if files else "",
        "files": len(files),
        "status": "" if best else "not marked" if files else NO_HAND_IN,
    }


def number(text) -> float | None:
    """Return the number in a cell, which a spreadsheet may have written with a comma."""
    try:
        return float(str(text).replace(",", "."))
    except ValueError:
        return None


def _short(value: float) -> str:
    return f"{value:g}"


def mistakes(rows: list[dict]) -> list[dict]:
    """Return the diagnoses of wrong answers, the commonest first."""
    counted = Counter(
        (row["exercise"], (row.get("diagnosis") or "").split("\n")[0])
        for row in rows
        if row["status"] == WRONG
    )
    return [
        {"exercise": exercise, "diagnosis": diagnosis, "times": times}
        for (exercise, diagnosis), times in counted.most_common()
    ]


def line_of(rows: list[dict], unmarked: str, missing: str) -> str:
    """Return what the console says of one file."""
    if rows[0]["status"] == unmarked:
        return _("{status}. {why}", status=_(unmarked), why=rows[0]["diagnosis"])
    points = [row["points"] for row in rows if row["points"] != ""]
    of = sum(row["of"] for row in rows if row["points"] != "")
    text = _("{got} of {most} points", got=sum(points), most=of) if points else _(unmarked)
    if gone := sum(row["status"] == missing for row in rows):
        text += _(", {count} checks deleted", count=gone)
    if by_hand := len(rows) - len(points):
        text += _(", {count} to look at by hand", count=by_hand)
    return text
