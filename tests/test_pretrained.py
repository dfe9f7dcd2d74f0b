"""The bundled weights: whole, small, as good as their card says, and refused when damaged."""

import json
import shutil

import numpy as np
import pytest
import ranking
import specs
import weights

from vae_tutorial.models import bundled, pretrained

FOLDER = bundled._WEIGHTS
NAMES = sorted(weights.BUNDLED)


def card(name: str) -> dict:
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def test_every_bundled_model_has_its_files_and_no_other_has():
    assert sorted(bundled._PRETRAINED) == NAMES
    expected = {"README.md"} | {f"{n}{end}" for n in NAMES for end in (".json", ".weights.h5")}
    assert {path.name for path in FOLDER.iterdir()} == expected


@pytest.mark.parametrize("name", NAMES)
def test_a_bundled_model_is_what_its_card_says(name):
    written, model = card(name), pretrained(name)
    assert type(model).__name__ == written["class"]
    assert model.latent_dim == written["settings"]["latent_dim"]
    assert (FOLDER / f"{name}.weights.h5").stat().st_size <= weights.LARGEST
    data_name, _, distance = weights.BUNDLED[name]
    assert written["settings"] == weights.spec_of(name).describe()
    sample = specs.load_split(data_name, "quick")
    features = getattr(ranking, distance)(
        model.encode(sample.queries), model.encode(sample.gallery)
    )
    scores = ranking.score(features, sample.query_labels, sample.gallery_labels)
    for metric, value in written["scores"].items():
        assert scores[metric]["mean"] == pytest.approx(value, abs=2e-3), metric


def test_the_card_shows_the_measured_numbers():
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert text == weights.card_text([card(name) for name in NAMES])


@pytest.mark.parametrize("name", ["mnist-view-vae", "fashion-view-vae"])
def test_a_view_vae_moves_shifted_images_less(name):
    data_name = weights.BUNDLED[name][0]
    images = specs.load_split(data_name, "quick").queries[:200]
    shifted = np.roll(images, 1, axis=2)
    moved = {}
    for other in (name, name.replace("view-", "")):
        here, there = (ranking.unit(pretrained(other).encode(rows)) for rows in (images, shifted))
        moved[other] = 1 - (here * there).sum(axis=1).mean()
    assert moved[name] < 0.5 * moved[name.replace("view-", "")]


def test_missing_damaged_and_unknown_weights_are_refused_in_words(tmp_path, monkeypatch):
    monkeypatch.setattr(bundled, "_WEIGHTS", tmp_path)
    with pytest.raises(FileNotFoundError, match=r"mnist-vae\.weights\.h5 is missing"):
        pretrained("mnist-vae")
    copy = tmp_path / "mnist-vae.weights.h5"
    shutil.copy(FOLDER / copy.name, copy)
    pretrained("mnist-vae")
    content = bytearray(copy.read_bytes())
    content[len(content) // 2] ^= 1  # one bit
    copy.write_bytes(content)
    with pytest.raises(ValueError, match="is damaged"):
        pretrained("mnist-vae")
    with pytest.raises(ValueError, match="name must be one of"):
        pretrained("imagenet-vae")
