"""Import TensorFlow without the lines its C++ part prints on standard error at start-up."""

import contextlib
import os
import sys


@contextlib.contextmanager
def _quiet_stderr():
    # The lines bypass sys.stderr, so the file descriptor itself is pointed elsewhere for a moment.
    sys.stderr.flush()
    saved = os.dup(2)
    devnull = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(devnull, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(devnull)


os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
backend = os.environ.setdefault("KERAS_BACKEND", "tensorflow")
if backend != "tensorflow":
    raise ImportError(
        f"vae_tutorial needs Keras on TensorFlow, but KERAS_BACKEND is {backend!r}; "
        "unset it, or set it to 'tensorflow', and restart"
    )
with _quiet_stderr():
    import keras
    import tensorflow as tf
    from keras import layers

__all__ = ["keras", "layers", "tf"]
