"""The variational autoencoder as an ordinary Keras model, its relatives, and bundled weights.

``networks`` holds encoder and decoder, ``base`` what all models share, ``vae`` the VAE and the
plain autoencoder, ``views`` random views and the VAE that learns from them, ``targets`` the VAE
that draws features in place of pixels, ``binary`` the VAE of bits, ``bundled`` the trained weights.
All their names can be had from here.
"""

from vae_tutorial.models.base import LIKELIHOODS, PIXEL_LOG_VAR_GAIN, ImageModel
from vae_tutorial.models.binary import LOG_ODDS_SPREAD, BinaryVAE, BitEncoder, StraightThrough
from vae_tutorial.models.bundled import pretrained
from vae_tutorial.models.networks import (
    ARCHITECTURES,
    CONV_STRIDE,
    LOG_VAR_BOUND,
    Decoder,
    Encoder,
    PointEncoder,
    Sampling,
    bound_log_var,
    check_image_shape,
)
from vae_tutorial.models.targets import FeatureDecoder, FeatureVAE
from vae_tutorial.models.vae import VAE, Autoencoder
from vae_tutorial.models.views import RandomView, ViewVAE, read_between

__all__ = [
    "ARCHITECTURES",
    "CONV_STRIDE",
    "LIKELIHOODS",
    "LOG_ODDS_SPREAD",
    "LOG_VAR_BOUND",
    "PIXEL_LOG_VAR_GAIN",
    "VAE",
    "Autoencoder",
    "BinaryVAE",
    "BitEncoder",
    "Decoder",
    "Encoder",
    "FeatureDecoder",
    "FeatureVAE",
    "ImageModel",
    "PointEncoder",
    "RandomView",
    "Sampling",
    "StraightThrough",
    "ViewVAE",
    "bound_log_var",
    "check_image_shape",
    "pretrained",
    "read_between",
]
