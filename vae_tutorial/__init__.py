"""Helpers for the book *Image Retrieval with Variational Autoencoders*.

Each module is importable by itself and says which chapter introduces what it holds:

>>> from vae_tutorial import datasets, metrics
>>> mnist = datasets.load("mnist-5k")
>>> mnist.gallery_images.shape
(4500, 28, 28, 1)

Importing ``vae_tutorial`` alone imports neither TensorFlow nor Matplotlib.
"""

__version__ = "0.1.0"
