"""Where the book is published: read from the environment, and refused where it makes no sense."""

import re
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
import yaml
from publishing import Publication

FORMS = Path(__file__).resolve().parents[1] / ".github" / "ISSUE_TEMPLATE"


def test_without_a_word_nothing_has_an_address():
    publication = Publication.from_environment({"BOOK_REPOSITORY": "", "PATH": "/bin"})
    assert publication == Publication()
    assert publication.url == publication.repository_url == ""
    assert publication.colab_url("elbo.ipynb") == ""


def test_the_repository_says_the_rest():
    publication = Publication.from_environment({"BOOK_REPOSITORY": "Ada/her.book"})
    assert publication.url == "https://ada.github.io/her.book/"
    assert publication.repository_url == "https://github.com/Ada/her.book"
    assert publication.colab_url("elbo.ipynb") == (
        "https://colab.research.google.com/github/Ada/her.book/blob/colab/elbo.ipynb"
    )


def test_a_problem_is_reported_by_the_form_with_the_page_filled_in():
    publication = Publication.from_environment({"BOOK_REPOSITORY": "ada/book"})
    address = urlsplit(publication.report_url("Encoder & decoder"))
    assert address.path == "/ada/book/issues/new"
    asked = dict(parse_qsl(address.query))
    assert asked["place"] == "Encoder & decoder"
    form = FORMS / asked["template"]
    fields = [part.get("id") for part in yaml.safe_load(form.read_text(encoding="utf-8"))["body"]]
    assert "place" in fields
    assert Publication().report_url("Encoder & decoder") == ""


def test_a_repository_named_like_its_owners_site_is_served_at_the_root():
    environment = {"BOOK_REPOSITORY": "Ada/ada.github.io"}
    assert Publication.from_environment(environment).url == "https://ada.github.io/"


def test_branch_and_address_can_be_given():
    publication = Publication.from_environment(
        {
            "BOOK_REPOSITORY": "ada/book",
            "BOOK_COLAB_BRANCH": "spring/notebooks",
            "BOOK_URL": "https://example.org/book",
        }
    )
    assert publication.url == "https://example.org/book/"
    assert "/blob/spring/notebooks/" in publication.colab_url("elbo.ipynb")


def test_an_address_without_a_repository_gives_no_buttons():
    publication = Publication.from_environment({"BOOK_URL": "https://example.org/"})
    assert publication.url == "https://example.org/"
    assert publication.colab_url("elbo.ipynb") == publication.repository_url == ""


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("BOOK_REPOSITORY", "ada"),
        ("BOOK_REPOSITORY", "https://github.com/ada/book"),
        ("BOOK_REPOSITORY", "ada/book/more"),
        ("BOOK_REPOSITORY", "ada/bo ok"),
        ("BOOK_REPOSITORY", 'ada/"onclick'),
        ("BOOK_REPOSITORY", "ada/book\n"),
        ("BOOK_COLAB_BRANCH", "../main"),
        ("BOOK_COLAB_BRANCH", "a b"),
        ("BOOK_URL", "example.org"),
        ("BOOK_URL", "javascript:alert(1)"),
        ("BOOK_URL", "https://example.org/?page=1"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(variable, value):
    with pytest.raises(ValueError, match=f"{variable} is {re.escape(repr(value))}, but must be"):
        Publication.from_environment({"BOOK_REPOSITORY": "ada/book"} | {variable: value})
