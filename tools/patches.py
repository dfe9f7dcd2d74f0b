"""What an extension changes in the output of Sphinx and its themes, and whether it found it there.

A change to what somebody else writes does nothing, without a word, from the day on which they write
it in another way. So each has a name here, counts what it found, and stops the build if that is
nothing.
"""

import re
from collections.abc import Callable

from sphinx.errors import ExtensionError


class Patches:
    """Changes by name, each with the number of places that it has found so far."""

    def __init__(self, *names: str):
        self.found = dict.fromkeys(names, 0)

    def note(self, name: str, places: int = 1) -> None:
        """Count places at which a change was made."""
        self.found[name] += places

    def replace(
        self, name: str, old: re.Pattern | str, new: str | Callable[[re.Match], str], text: str
    ) -> str:
        """Return ``text`` with ``old`` replaced everywhere, and count where."""
        pattern = re.compile(re.escape(old)) if isinstance(old, str) else old
        text, places = pattern.subn(new, text)
        self.note(name, places)
        return text

    def check(self) -> None:
        """Stop the build if a change has found nothing."""
        idle = [name for name, places in self.found.items() if not places]
        if idle:
            raise ExtensionError(
                f"nothing was found of: {', '.join(idle)}. Has another version of Sphinx or of its "
                "theme changed what it writes? Then change what looks for it in tools/."
            )
