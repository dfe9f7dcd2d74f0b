"""The bundled models: what they are, and their weights, checked before they are loaded."""

import hashlib
from pathlib import Path
from typing import Any

from vae_tutorial._checks import check_choice
from vae_tutorial._words import _
from vae_tutorial.models.binary import BinaryVAE
from vae_tutorial.models.vae import VAE
from vae_tutorial.models.views import ViewVAE

# Each bundled model: its class, its arguments, and the SHA-256 of its weights, as printed by
# benchmarks/weights.py.
_WEIGHTS = Path(__file__).parents[1] / "weights"
_PRETRAINED: dict[str, tuple[type[VAE], dict[str, Any], str]] = {
    "mnist-vae": (
        VAE,
        {"latent_dim": 32},
        "220327ac9a30762c9c567277677a4855b3317ec0dff90097de06441ebd23b4e2",
    ),
    "mnist-view-vae": (
        ViewVAE,
        {"latent_dim": 32},
        "52e7b488b09a4500f64b3beed098f295a0a1a3f9b9b23e7ac548c391d6b64455",
    ),
    "mnist-binary-vae": (
        BinaryVAE,
        {"latent_dim": 64},
        "34ee7bf79baa2127698e4b1f87a15b27b7d3fb656e5b656ef045c5c720941be2",
    ),
    "mnist-dense-view-vae": (
        ViewVAE,
        {"latent_dim": 32, "architecture": "dense"},
        "df674de8d98cdd325d9e2bef4bd26aa83e7dbf8e21db2a7bb08520fbb54270e5",
    ),
    "mnist-2d-vae": (
        VAE,
        {"latent_dim": 2, "architecture": "dense"},
        "75dd163ec53939811b11fc6ba5d75f6061e51bf14692a9d240fadcf3d5e190a4",
    ),
    "fashion-vae": (
        VAE,
        {"latent_dim": 32},
        "e6e928422b51cc09baca623fecf1b28fbf3b1b96dd2211da3595829ab75c71f1",
    ),
    "fashion-view-vae": (
        ViewVAE,
        {"latent_dim": 32},
        "19ce7bfb4df161c531fd620a453d10ce7abf1ab10037b5aa3551d10c09f5fe2c",
    ),
}


def pretrained(name: str) -> VAE:
    """Load a bundled trained model, after checking that its weights are the expected ones.

    Each was trained, without labels, on the official training set without its first 5,848 images,
    so that it has seen no image of the bundled samples. ``vae_tutorial/weights/README.md`` says
    how, and what came out; ``python benchmarks/weights.py`` trains them again. The weights are
    stored as 16-bit floats. Introduced in chapter 5.

    Parameters
    ----------
    name : str
        ``"mnist-vae"``, ``"fashion-vae"``: convolutional VAEs with 32 latent dimensions.
        ``"mnist-view-vae"``, ``"fashion-view-vae"``: the same network, trained on random views.
        ``"mnist-binary-vae"``: codes of 64 bits, trained on random views.
        ``"mnist-2d-vae"``, ``"mnist-dense-view-vae"``: dense, small enough for the book's figures
        that run in the page; 2 dimensions, and 32 trained on random views.

    Returns
    -------
    VAE
        Ready to encode and decode 28x28 grey images.

    Raises
    ------
    ValueError, TypeError
        If there is no such model, or its file is damaged.
    FileNotFoundError
        If its file is missing.

    Examples
    --------
    >>> import numpy as np
    >>> vae = pretrained("mnist-view-vae")
    >>> vae.encode(np.zeros((3, 28, 28, 1))).shape
    (3, 32)
    """
    check_choice(name, "name", _PRETRAINED)
    kind, arguments, expected = _PRETRAINED[name]
    file = _WEIGHTS / f"{name}.weights.h5"
    if not file.is_file():
        raise FileNotFoundError(
            _("{file} is missing from the package; install vae_tutorial again", file=file)
        )
    if hashlib.sha256(file.read_bytes()).hexdigest() != expected:
        raise ValueError(
            _(
                "{file} is damaged (its SHA-256 is not the expected one); install vae_tutorial "
                "again",
                file=file,
            )
        )
    model = kind((28, 28, 1), **{"architecture": "conv", **arguments})
    model.load_weights(file)
    return model
