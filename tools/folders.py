"""Folders that a tool fills afresh: only such as are empty, or as it has made itself."""

import shutil
from pathlib import Path

# Lies in a folder that a tool has made, and holds the tool's name.
MARKER = ".made-by"
# For the help of such a tool.
FOLDER = "a new or empty folder, or one that this tool has made, which is emptied first"


def emptied(folder: Path, tool: str) -> Path:
    """Make ``folder``, or empty it if ``tool`` made it before; refuse every other.

    The marker is written first, so that what was stopped half-way can be made again.
    """
    marker = folder / MARKER
    if folder.exists() and not folder.is_dir():
        raise FileExistsError(f"{folder} is a file; name a folder that is new or empty")
    if folder.is_dir() and any(folder.iterdir()):
        made_by = marker.read_text(encoding="utf-8").strip() if marker.is_file() else "nobody here"
        if made_by != tool:
            raise FileExistsError(
                f"{folder} holds files that tools/{tool} has not written; name a folder that is "
                "new or empty, or delete this one yourself"
            )
        for entry in folder.iterdir():
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()
    folder.mkdir(parents=True, exist_ok=True)
    marker.write_text(f"{tool}\n", encoding="utf-8")
    return folder
