"""The library's words in the reader's language, through gettext; English is the source.

The environment variable ``VAE_TUTORIAL_LANGUAGE`` names the language, for example ``zh_CN``. It is
read whenever a message is made, so that a page or a test may set it at any time. What has no
translation stays English, and a language that nobody has translated is no error.
"""

import functools
import gettext
import os
import sys
from pathlib import Path

DOMAIN = "vae_tutorial"
LOCALE = Path(__file__).parent / "locale"  # <language>/LC_MESSAGES/vae_tutorial.mo
VARIABLE = "VAE_TUTORIAL_LANGUAGE"


def _(message: str, /, **fields) -> str:
    """Return a message in the reader's language, with ``fields`` in the places that name them.

    The message is a literal, never an f-string, or stands in the bank of exercises: that is how
    tools/words.py finds it.
    """
    text = _catalogue(os.environ.get(VARIABLE, "")).gettext(message) if message else ""
    if text != message and not _can_be_printed(text):
        text = message
    return text.format(**fields) if fields else text


@functools.cache
def _catalogue(language: str) -> gettext.NullTranslations:
    languages = [language.replace("-", "_")]
    return gettext.translation(DOMAIN, LOCALE, languages, fallback=True)


def _can_be_printed(text: str) -> bool:
    """Tell whether printing a text is no error: a console may have English letters alone."""
    if getattr(sys.stdout, "errors", None) not in (None, "strict"):
        return True
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except (UnicodeError, LookupError):
        return False
    return True


def in_every_language(message: str) -> list[str]:
    """Return a message and its translations, to find it in what somebody else's session printed."""
    languages = sorted(folder.name for folder in LOCALE.glob("*"))
    return [message, *(_catalogue(language).gettext(message) for language in languages)]
