"""The file of an index: written whole or not at all, and refused where it is damaged."""

import hashlib
import os
import secrets
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from vae_tutorial._words import _

FORMAT = 1


def write(path: str | os.PathLike, content: dict[str, Any]) -> None:
    """Write arrays by name to ``path``, through a temporary file beside it."""
    target = _target(path)
    content = {"format": np.array(FORMAT), **content}
    content["sha256"] = np.array(digest(content))
    # A name of its own for each call, and the rights that any new file gets here.
    temporary = target.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with open(temporary, "xb") as file:
            np.savez(file, **content)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            shutil.copymode(target, temporary)
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def read(path: str | os.PathLike) -> dict[str, Any]:
    """Return what :func:`write` was given, by name."""
    path = Path(path).expanduser()
    if not path.is_file():
        raise FileNotFoundError(_("no index at {path}; make one with ImageIndex.save", path=path))
    try:
        with np.load(path, allow_pickle=False) as file:
            content = {name: file[name] for name in file.files}
        stated = str(content.pop("sha256"))
    except Exception as error:  # a damaged archive fails in more ways than can be listed
        raise ValueError(
            _(
                "{path} is damaged or is no index of vae_tutorial ({error}); make it again",
                path=path,
                error=error,
            )
        ) from error
    if stated != digest(content):
        raise ValueError(
            _("{path} is damaged: its checksum does not fit; make it again", path=path)
        )
    if int(content["format"]) != FORMAT:
        raise ValueError(
            _(
                "{path} has format {found}, expected {wanted}; make it again",
                path=path,
                found=content["format"],
                wanted=FORMAT,
            )
        )
    return content


def digest(content: dict[str, Any]) -> str:
    """Return a checksum of arrays, their types, shapes and names."""
    result = hashlib.sha256()
    for name in sorted(content):
        array = np.ascontiguousarray(content[name])
        result.update(f"{name} {array.dtype.str} {array.shape}".encode())
        result.update(array.tobytes())
    return result.hexdigest()


def _target(path: str | os.PathLike) -> Path:
    """Return the file that is to be written: a link's target, not the link itself."""
    path = Path(path).expanduser()
    target = Path(os.path.realpath(path))
    if os.path.lexists(target) and not target.is_file():  # also a link that leads to itself
        kind = _("a folder") if target.is_dir() else _("a device or another special file")
        raise ValueError(
            _("{path} is {kind}, which an index cannot replace; name a file", path=path, kind=kind)
        )
    if not target.parent.is_dir():
        raise FileNotFoundError(
            _(
                "cannot save to {path}: there is no folder {parent}; make it first",
                path=path,
                parent=target.parent,
            )
        )
    return target
