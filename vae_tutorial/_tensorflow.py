"""Import TensorFlow without the lines its C++ part prints on standard error at start-up."""

import contextlib
import os
import subprocess
import sys

from vae_tutorial._words import _

# Keeps what it reads, and shows it when its input ends. An interrupt is for the process it watches.
_KEEPER = """
import signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
sys.stderr.buffer.write(sys.stdin.buffer.read())
"""


@contextlib.contextmanager
def _quiet_stderr():
    """Hide what is written to standard error inside, unless it fails or the process dies.

    The lines bypass ``sys.stderr``, so the file descriptor itself is pointed elsewhere. Where
    TensorFlow ends the whole process, on a processor that lacks what it was built for, nothing in
    that process can still show its reason. Hence a second one holds the lines: it is ended when all
    went well, and shows them when the pipe closes before that.
    """
    keeper = _start_keeper()
    if keeper is None:
        yield
        return
    process, pipe, saved = keeper
    try:
        os.dup2(pipe, 2)
        yield
        process.kill()
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(pipe)
        process.wait()


def _start_keeper() -> tuple[subprocess.Popen, int, int] | None:
    """Return the keeper, the pipe to it and a copy of standard error; None where none can be.

    A program without a console may have no standard error, some may not start others, and one that
    Python is built into is no Python that would run the keeper.
    """
    if not os.path.basename(sys.executable or "").lower().startswith(("python", "pypy")):
        return None
    with contextlib.suppress(AttributeError, OSError, ValueError):  # it may be anything, or closed
        sys.stderr.flush()
    with contextlib.ExitStack() as opened, contextlib.suppress(OSError):
        saved = os.dup(2)
        opened.callback(os.close, saved)
        source, pipe = os.pipe()
        opened.callback(os.close, pipe)
        with os.fdopen(source, "rb") as end:
            command = [sys.executable, "-I", "-S", "-c", _KEEPER]
            process = subprocess.Popen(command, stdin=end, stdout=subprocess.DEVNULL, stderr=saved)
        opened.pop_all()
        return process, pipe, saved
    return None


os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
backend = os.environ.setdefault("KERAS_BACKEND", "tensorflow")
if backend != "tensorflow":
    raise ImportError(
        _(
            "vae_tutorial needs Keras on TensorFlow, but KERAS_BACKEND is {backend!r}; "
            "unset it, or set it to 'tensorflow', and restart",
            backend=backend,
        )
    )
with _quiet_stderr():
    import keras
    import tensorflow as tf
    from keras import layers

__all__ = ["keras", "layers", "tf"]
