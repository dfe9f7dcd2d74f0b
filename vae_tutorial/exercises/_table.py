"""The table of marks: a row is on the disk as soon as it is known, and nothing is overwritten."""

import csv
import io
import os
from pathlib import Path

from vae_tutorial._words import _

COLUMNS = [
    *("file", "student", "page", "exercise", "points", "of", "status", "diagnosis", "version")
]
NEEDED = {"file", "exercise", "points", "status"}


class Table:
    """A CSV file to which rows are added; what stands in it already stays as it is.

    A teacher's spreadsheet may have saved it with other separators, columns or letters; rows are
    then added in that form.
    """

    def __init__(self, path: Path, columns: list[str]):
        self.path, self.columns = path, columns
        self.encoding, self.separator = "utf-8-sig", ","
        self.rows: list[dict] = []
        refuse_link(path)
        if path.exists() and path.stat().st_size:
            self._read()
        # The mark at the start tells spreadsheets that the letters are UTF-8.
        self.file = path.open("ab")
        if not self.rows and not path.stat().st_size:
            self._write([dict(zip(columns, columns, strict=True))])
            self.encoding = "utf-8"

    def _read(self) -> None:
        raw = self.path.read_bytes()
        self.encoding = "utf-8"
        try:
            text = raw.decode("utf-8-sig")
        except UnicodeDecodeError:
            self.encoding, text = "cp1252", raw.decode("cp1252", "replace")
        header = text.split("\n", 1)[0]
        self.separator = max(",;\t", key=header.count)
        try:
            reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=self.separator)
            self.rows = list(reader)
            self.columns = list(reader.fieldnames or [])
        except csv.Error:
            self.columns = []
        if not set(self.columns) >= NEEDED:
            raise ValueError(
                _("{path} is no table of marks that this program can go on with", path=self.path)
            )
        if not text.endswith("\n"):
            with self.path.open("ab") as file:
                file.write(b"\r\n")

    def add(self, rows: list[dict]) -> None:
        self._write([{key: cell(value) for key, value in row.items()} for row in rows])
        empty = dict.fromkeys(self.columns, "")
        self.rows += [empty | {key: str(cell(row[key])) for key in row} for row in rows]

    def _write(self, rows: list[dict]) -> None:
        text = _as_text(rows, self.columns, self.separator)
        # In one piece, so that being stopped leaves no half of a row.
        self.file.write(text.encode(self.encoding, "backslashreplace"))
        self.file.flush()
        os.fsync(self.file.fileno())

    def close(self) -> None:
        self.file.close()


def _as_text(rows: list[dict], columns: list[str], separator: str = ",") -> str:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, extrasaction="ignore", delimiter=separator)
    writer.writerows(rows)
    return text.getvalue()


def write_new(path: Path, rows: list[dict]) -> Path:
    """Write a table of its own, under another name where the name is taken by another content."""
    columns = list(rows[0])
    header = dict(zip(columns, columns, strict=True))
    safe = [{key: cell(value) for key, value in row.items()} for row in rows]
    raw = _as_text([header, *safe], columns).encode("utf-8-sig", "backslashreplace")
    if not path.is_symlink() and path.is_file() and path.read_bytes() == raw:
        return path
    found = unused(path)
    with found.open("xb") as file:
        file.write(raw)
    return found


def cell(value):
    """Return a value as a spreadsheet takes it for text: no formula, no character that it drops."""
    if not isinstance(value, str):
        return value
    value = value.replace("\0", "").replace("\r\n", "\n").replace("\r", "\n")
    return f"'{value}" if value.lstrip()[:1] in tuple("=+-@＝＋－＠|") else value  # noqa: RUF001


def refuse_link(path: Path) -> None:
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise ValueError(
            _("{path} is a link or a folder; name the file itself with --output", path=path)
        )


def unused(path: Path) -> Path:
    """Return ``path``, or if that is taken the first free of marks-2.csv, marks-3.csv, ..."""
    number, found = 1, path
    while found.is_symlink() or found.exists():
        number += 1
        found = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return found
