"""Where the book is published, as the environment says: no file names an owner or a repository.

A build that is told nothing makes a book without addresses. A published one is told by

BOOK_REPOSITORY
    "owner/name" on GitHub.
BOOK_COLAB_BRANCH
    The branch whose root holds the notebooks for Colab, the Chinese ones in zh/; "colab" unless
    given.
BOOK_URL
    The public address of the site; https://OWNER.github.io/NAME/ unless given.

Where BOOK_EDITIONS is set as well, the Chinese edition lies in zh/ below that address, and each
page leads to its other edition: language_extension.py.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode

# GitHub's own rules for the names of owners and repositories.
REPOSITORY = re.compile(r"([A-Za-z0-9](?:[A-Za-z0-9-]{0,38}))/((?!\.{1,2}$)[A-Za-z0-9._-]{1,100})")
BRANCH = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(?:/[A-Za-z0-9][A-Za-z0-9._-]*)*")
ADDRESS = re.compile(r"https?://[^\s\"'<>?#]+")


@dataclass(frozen=True)
class Publication:
    """The addresses of a published book; each is empty where the book is not published."""

    repository: str = ""
    colab_branch: str = "colab"
    url: str = ""
    # The folder of the branch for Colab with the notebooks of this edition: "" or "zh/".
    colab_folder: str = ""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Publication":
        """Read and check the three variables; an empty one counts as not given."""
        repository = environment.get("BOOK_REPOSITORY", "")
        branch = environment.get("BOOK_COLAB_BRANCH", "") or "colab"
        url = environment.get("BOOK_URL", "")
        _check("BOOK_REPOSITORY", repository, REPOSITORY, "owner/name, such as ada/book")
        _check("BOOK_COLAB_BRANCH", branch, BRANCH, "the name of a branch, such as colab")
        _check("BOOK_URL", url, ADDRESS, "an address, such as https://example.org/book/")
        if repository and not url:
            owner, name = repository.split("/")
            # A repository named like the site of its owner is served at the root of that site.
            site = f"{owner.lower()}.github.io"
            url = f"https://{site}/" + ("" if name.lower() == site else f"{name}/")
        return cls(repository, branch, url and url.rstrip("/") + "/")

    @property
    def repository_url(self) -> str:
        return self.repository and f"https://github.com/{self.repository}"

    def project_urls(self) -> dict[str, str]:
        """Return the addresses that a package names, by what leads there."""
        urls = {"Homepage": self.url, "Repository": self.repository_url}
        if self.repository:
            urls["Changelog"] = f"{self.repository_url}/blob/HEAD/CHANGELOG.md"
            urls["Issues"] = f"{self.repository_url}/issues"
        return {name: url for name, url in urls.items() if url}

    def report_url(self, page: str) -> str:
        """Return where a problem of ``page`` is reported: a form with its place filled in."""
        if not self.repository:
            return ""
        asked = urlencode({"template": "reader.yml", "place": page})
        return f"{self.repository_url}/issues/new?{asked}"

    def below(self, language: str) -> "Publication":
        """Return the same for an edition beside the English one, site and notebooks in a folder."""
        folder = f"{language.partition('_')[0]}/"
        return replace(self, url=self.url and self.url + folder, colab_folder=folder)

    def colab_url(self, notebook: str) -> str:
        """Return where Colab opens ``notebook``, a file of this edition on the branch for Colab."""
        if not self.repository:
            return ""
        place = f"{self.repository}/blob/{self.colab_branch}/{self.colab_folder}{notebook}"
        return f"https://colab.research.google.com/github/{place}"


def _check(variable: str, value: str, pattern: re.Pattern, expected: str) -> None:
    if value and not pattern.fullmatch(value):
        raise ValueError(f"{variable} is {value!r}, but must be {expected}; or unset it")
