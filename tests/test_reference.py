"""How docstrings get into the reference, and how pages find an entry there."""

import pytest
import reference_extension as reference
from sphinx.domains.python import ObjectEntry

from vae_tutorial import models, retrieval

CLASSES = ["models.ImageModel", "models.VAE", "models.ViewVAE", "training.Pairs"]
METHODS = ["models.ImageModel.encode", "models.VAE.loss_terms"]
ENTRIES = {
    "vae_tutorial.models": ObjectEntry("book/api/models", "", "module", False),
    **{f"vae_tutorial.{name}": ObjectEntry("", name, "class", False) for name in CLASSES},
    **{f"vae_tutorial.{name}": ObjectEntry("", name, "method", False) for name in METHODS},
    # Where a class really stands; Sphinx notes it as a second name.
    "vae_tutorial.models.vae.VAE": ObjectEntry("", "models.VAE", "class", True),
    "vae_tutorial.metrics.relevance": ObjectEntry("", "", "function", False),
    "vae_tutorial.metrics.recall_at_k": ObjectEntry("", "", "function", False),
}


def completed(docstring: str, what: str = "function", thing=None) -> str:
    lines = docstring.splitlines()
    reference.complete(None, what, "", thing, {}, lines)
    return "\n".join(lines).strip()


@pytest.mark.parametrize(
    "docstring",
    [
        "One line. Introduced in chapter 5.\n\nRaises\n------\nValueError\n    Always.",
        "One line.\n\nRaises\n------\nValueError\n    Always.\n\nIntroduced in chapter 5.",
        "One line. Introduced in\nchapter 5.\n\nRaises\n------\nValueError\n    Always.",
    ],
)
def test_the_chapter_becomes_a_link_before_the_sections(docstring):
    text = completed(docstring)
    link = ":doc:`Introduced in chapter 5 </book/retrieval>`."
    assert " ".join(text.split()) == f"One line. {link} Raises ------ ValueError Always."
    assert "\n\nRaises\n------\n" in text


def test_a_docstring_without_a_chapter_stays_as_it_is():
    assert completed("One line.\n\nMore.") == "One line.\n\nMore."


def test_names_are_short_and_values_are_code():
    text = completed('See :func:`vae_tutorial.metrics.relevance`.\n\nmetric : {"cosine", "l1"}')
    assert ":func:`metrics.relevance <vae_tutorial.metrics.relevance>`" in text
    assert 'metric : ``"cosine"`` or ``"l1"``' in text


def test_a_class_says_what_it_has_from_others():
    text = completed("One line.", "class", models.ViewVAE)
    from_vae, from_base = text.split("\n\n")[1:]
    assert from_vae.startswith("From :class:`~vae_tutorial.models.VAE`: ")
    assert ":meth:`sample <vae_tutorial.models.VAE.sample>`" in from_vae
    assert "loss_terms" not in text  # its own
    assert "sampling_class" not in text  # no method
    assert from_base.startswith("From :class:`~vae_tutorial.models.ImageModel`: ")
    assert ":meth:`encode <vae_tutorial.models.ImageModel.encode>`" in from_base
    assert completed("One line.", "class", retrieval.ImageIndex) == "One line."


def test_a_class_of_keras_has_its_own_arguments():
    signature = reference.true_signature(None, "class", "", models.Sampling, {}, "(*args)", None)
    assert signature == ("(seed=0, **kwargs)", None)


@pytest.mark.parametrize(
    ("shown", "entry"),
    [
        ("models.VAE", "models.VAE"),
        ("models.VAE.loss_terms", "models.VAE.loss_terms"),
        ("models.VAE.encode", "models.ImageModel.encode"),  # inherited
        ("models.VAE.train_step", "models.ImageModel"),  # without a docstring
        ("training.Pairs", "training.Pairs"),
    ],
)
def test_what_is_shown_finds_its_entry(shown, entry):
    assert reference.entry_of(shown, ENTRIES) == f"vae_tutorial.{entry}"


def test_what_has_no_entry_is_an_error():
    with pytest.raises(KeyError):
        reference.entry_of("training.KLWarmup", ENTRIES)


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        ("models.VAE", "models.VAE"),
        ("VAE(latent_dim=2)", "models.VAE"),
        ("models.VAE.loss_terms", "models.VAE.loss_terms"),
        ("recall_at_k", "metrics.recall_at_k"),
        ("metrics.relevance", "metrics.relevance"),
        ("relevance", None),  # also a word
        ("Pairs", None),
        ("models", None),
        ("vae.encode", None),
        ("np.VAE", None),
    ],
)
def test_a_name_in_the_text_finds_its_entry(text, entry):
    found = reference.name_in(text, ENTRIES, reference.short_names(ENTRIES))
    assert found == (entry and f"vae_tutorial.{entry}")


def test_the_chapters_are_counted_as_the_book_does():
    chapters = reference.numbered_chapters()
    assert chapters[0] == "book/background"
    assert chapters[4] == "book/retrieval"
    assert "book/glossary" not in chapters
