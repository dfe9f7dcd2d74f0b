"""A real terminal to write to."""

import contextlib
import os
import threading
from collections.abc import Callable

import pytest


def shown_in_a_terminal(work: Callable[[], None]) -> str:
    """Do ``work`` with a real terminal as standard output, and return what it was sent."""
    pty = pytest.importorskip("pty", reason="only Unix has pseudo-terminals")
    reader, writer = pty.openpty()
    parts = []

    def read():
        # Ends when the writer is closed: with an error on Linux, with nothing on macOS.
        with contextlib.suppress(OSError):
            while part := os.read(reader, 65536):
                parts.append(part)

    # Read at once, as terminals do: a writer would wait for ever once the buffer is full.
    thread = threading.Thread(target=read)
    thread.start()
    with os.fdopen(writer, "w") as stream, contextlib.redirect_stdout(stream):
        work()
    thread.join()
    os.close(reader)
    return b"".join(parts).decode().replace("\r\n", "\n")
