"""Progress on long work: live while it runs, one fixed line once it is stored."""

import contextlib
import sys
import time
from collections.abc import Callable
from typing import Self

from vae_tutorial._words import _

# How to show a text while the work goes on; and how to end, with the outcome and whether the work
# was stopped.
_Outlet = tuple[Callable[[str], None], Callable[[str, bool], None]]


class Progress:
    """Show how far a piece of work has come.

    In Jupyter and Colab one line is updated in place and returns to ``title`` at the end, so
    the stored output is the same on every machine. In a terminal the line is rewritten in place and
    ends with the seconds it took. Elsewhere (a log, a pipe) only ``title`` is printed. Work that
    an error or an interrupt stops ends with how far it came. Where nothing can be shown, nothing
    is: no output is a reason to lose the work.

    Parameters
    ----------
    title : str
        What is done, for example ``"Encoding 4,500 images"``.
    total : int
        Number of steps; at least 1.
    enabled : bool
        ``False`` shows nothing, so that callers need no second code path.

    Examples
    --------
    >>> with Progress("Counting to three", total=3) as progress:
    ...     for _ in range(3):
    ...         progress.step()
    Counting to three
    """

    def __init__(self, title: str, total: int, *, enabled: bool = True):
        if total < 1:
            raise ValueError(
                _("total must be at least 1, got {total}; show nothing for no work", total=total)
            )
        self.title = title
        self.total = total
        self.done = 0
        outlet: _Outlet = _outlet(title) if enabled else (_silent, _silent)
        self._show, self._finish = outlet
        self._last_shown = 0.0

    def __enter__(self) -> Self:
        self._started = time.monotonic()
        return self

    def step(self, note: str = "") -> None:
        """Count one step as done; ``note`` is shown beside it, for example the current loss."""
        self.done += 1
        now = time.monotonic()
        # Ten updates a second are enough for an eye, and keep fast steps fast.
        if now - self._last_shown < 0.1 and self.done < self.total:
            return
        self._last_shown = now
        left = (now - self._started) / self.done * (self.total - self.done)
        parts = [
            f"{self.title}: {self.done}/{self.total}",
            _("{seconds:.0f} s left", seconds=left),
            note,
        ]
        self._show(" · ".join(part for part in parts if part))

    def __exit__(self, kind, error, trace) -> None:
        if kind is None:
            self._finish(f"{time.monotonic() - self._started:.1f} s", False)
        else:
            words = _("stopped at {done}/{total}", done=self.done, total=self.total)
            self._finish(words, True)


def _silent(*_said) -> None:
    pass


def _outlet(title: str) -> _Outlet:
    """Return ``(show, finish)`` for the place this process writes to."""
    if _in_notebook():
        return _notebook_outlet(title)
    if _is_terminal():
        return _terminal_outlet(title)
    return _silent, lambda outcome, stopped: _print(f"{title}: {outcome}" if stopped else title)


def _is_terminal() -> bool:
    # A service has no standard output, and what stands in its place may not know this question.
    with contextlib.suppress(AttributeError, OSError, ValueError):
        return bool(sys.stdout.isatty())
    return False


def _print(text: str, end: str = "\n") -> None:
    """Print at once, in letters that the outlet has; do without where it takes none at all."""
    with contextlib.suppress(AttributeError, LookupError, OSError, ValueError):
        encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
        if text.encode(encoding, "replace").decode(encoding) != text:
            text = text.replace("·", "-").encode(encoding, "backslashreplace").decode(encoding)
        print(text, end=end, flush=True)


def _in_notebook() -> bool:
    # Only a running kernel has imported this; asking that way does not import IPython ourselves.
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return getattr(shell, "kernel", None) is not None


def _notebook_outlet(title: str) -> _Outlet:
    from IPython.display import display

    def as_text(text):
        return {"text/plain": text}

    handle = display(as_text(title), raw=True, display_id=True)
    # First and last state are equal on purpose: what is stored does not depend on the machine.
    return (
        lambda text: handle.update(as_text(text), raw=True),
        lambda outcome, stopped: handle.update(
            as_text(f"{title}: {outcome}" if stopped else title), raw=True
        ),
    )


def _terminal_outlet(title: str) -> _Outlet:
    clear_line = "\r\x1b[2K"
    return (
        lambda text: _print(clear_line + text, end=""),
        lambda outcome, _stopped: _print(f"{clear_line}{title}: {outcome}"),
    )
