"""Runs a reader's function on inputs, and says in plain words what it did wrong."""

import contextlib
import copy
import ctypes
import io
import numbers
import sys
import threading
import time
from collections.abc import Callable

import numpy as np

from vae_tutorial._words import _

TIME_LIMIT = 4  # seconds of computing for all inputs of one check, imports left out
LONGEST_WAIT = 60  # seconds by the clock, for an answer that sleeps or asks for input
LONGEST_IMPORT = 300  # seconds by the clock
CHANGES = (
    "Your function changes its input in place. The caller still needs it: work on a copy, or write "
    "x = x + 1 in place of x += 1."
)
RAGGED = "The rows of your result differ in length."
# What to look for where an error of this type says this.
ADVICE = {
    ("IndexError", "out of"): "Positions count from 0: of n things the last has position n - 1.",
    ("IndexError", "too many indices"): "You index more axes than the array has.",
    ("ValueError", "truth value"): (
        "An if takes one truth value. Compare the whole array, and choose with np.where."
    ),
    ("ValueError", "broadcast"): (
        "Shapes are compared from their last axis on. A new axis makes a column: [:, np.newaxis]."
    ),
    ("ValueError", "core dimension"): (
        "In a product a @ b the last axis of a must be as long as the first of b."
    ),
    ("ValueError", "not in list"): (
        "list.index fails where there is nothing to find. Ask first whether it is there."
    ),
    ("ValueError", "inhomogeneous"): RAGGED,
    ("ZeroDivisionError", ""): "You divide by 0. Does a count or a rank begin at 0?",
    ("TypeError", "can be converted"): (
        "int and float take one number. For an array use its method astype."
    ),
    ("NameError", ""): "Nothing has this name. Is it spelt as where it was defined?",
}
# By whether the result has too few axes, in place of too many.
AXES = (
    "An axis is left: is there still something to add up, to average or to choose?",
    "An axis is gone: did a sum, a mean or a choice go over all axes, or over the wrong one?",
)
BUSY = "If not, other programs may keep the computer busy: run the cell again."


class Fault(Exception):
    """What stopped an answer, in words for the reader; ``error`` is what it raised, if it did."""

    def __init__(self, words: str, error: str = ""):
        super().__init__(words)
        self.error = error


class NotAttempted(Exception):
    """The function says that it is not implemented."""


class _TooLong(BaseException):
    """Raised inside a function that runs too long."""


class _Silence(io.TextIOBase):
    """Takes what an answer prints, keeps none of it, and cannot be closed."""

    heard = False

    def __init__(self):
        super().__init__()
        self._place = sys.stdout

    @property
    def encoding(self):  # type: ignore[override]
        """The letters of the place where messages will be shown."""
        return getattr(self._place, "encoding", None)

    @property
    def errors(self):  # type: ignore[override]
        """What that place does with other letters."""
        return getattr(self._place, "errors", None)

    def write(self, text: str) -> int:
        self.heard = True
        return len(text)

    def close(self) -> None:
        pass


def run(answer, calls, inputs, wanted) -> tuple[list, bool]:
    """Return what ``answer`` gives for each of ``inputs``, and whether it prints.

    A result is an array, a tuple of arrays, or the Fault that stopped the answer on this input.
    ``calls`` are the inputs in words. Raise Fault where time is up, and NotAttempted.
    """
    results: list = []
    left: list[BaseException] = []
    silence = _Silence()

    def work():
        try:
            for call, given, want in zip(calls, inputs, wanted, strict=True):
                try:
                    results.append(_outcome(answer, call, given, want, silence))
                except Fault as fault:
                    results.append(fault)
        except BaseException as fault:  # whatever an answer raises, it must not end the kernel
            left.append(fault)

    if sys.platform == "emscripten":
        work()  # in a browser, which has no threads; the page ends Python where time is up
    elif said := _not_done_in_time(work):
        raise Fault(said)
    if left:
        raise left[0] if isinstance(left[0], NotAttempted) else Fault(_stops(in_words(left[0])))
    return results, silence.heard


def _stops(error: str) -> str:
    said = _("Your function stops with an error, {error}", error=error)
    for (kind, part), advice in ADVICE.items():
        if error.startswith(f"{kind}: ") and part in error:
            return f"{said}\n{_(advice)}"
    return said


def _not_done_in_time(work: Callable[[], None]) -> str:
    """Do the work in a thread; return what to say where it takes too long, else nothing."""
    clock: list = []

    def timed():
        clock.append(_clock())
        work()

    stdout = sys.stdout
    thread = threading.Thread(target=timed, daemon=True)
    thread.start()
    if said := _not_done(thread, clock):
        sys.stdout = stdout  # in case the thread still holds it
        return said
    return ""


def _clock():
    """Return the clock of this thread's computing, or None where the system has none."""
    if hasattr(time, "pthread_getcpuclockid"):
        return time.pthread_getcpuclockid(threading.get_ident())
    return None  # as on Windows and macOS


def _computed(clock: list) -> float:
    """Return the seconds that a thread has computed; without its clock, those of all threads."""
    try:
        return time.process_time() if clock[0] is None else time.clock_gettime(clock[0])
    except (IndexError, OSError):  # the thread has ended
        return 0.0


def _not_done(thread, clock: list) -> str:
    """Wait for a thread; return what to say where it computes or waits too long, else nothing.

    Time of the processor is what counts, because a right answer is slow by the clock where other
    programs keep the computer busy. Importing TensorFlow takes seconds, and is no loop.
    """
    while not clock and thread.is_alive():
        thread.join(0.001)
    start = time.monotonic()
    computing = waiting = 0.0
    computed, now, imports = _computed(clock), start, False
    while thread.is_alive():
        thread.join(0.05)
        before, computed = computed, _computed(clock)
        earlier, now = now, time.monotonic()
        imported, imports = imports, _imports(thread)
        if (imports or imported) and now - start < LONGEST_IMPORT:
            continue
        computing += computed - before
        waiting += now - earlier
        if computing > TIME_LIMIT:
            _stop(thread)
            return _(
                "Your function was not done after {seconds:g} s of computing. Does a loop never "
                "end? {busy}",
                seconds=TIME_LIMIT,
                busy=_(BUSY),
            )
        if waiting > LONGEST_WAIT:
            return _(
                "Your function was not done after {seconds} s. Does it sleep, or ask for input? "
                "{busy}",
                seconds=LONGEST_WAIT,
                busy=_(BUSY),
            )
    return ""


def _imports(thread) -> bool:
    """Tell whether a thread is importing a module just now."""
    frame = sys._current_frames().get(thread.ident)
    while frame is not None:
        if frame.f_code.co_filename == "<frozen importlib._bootstrap>":
            return True
        frame = frame.f_back
    return False


def _stop(thread) -> None:
    """Raise an exception in a thread as soon as it runs Python code again; it ends by it.

    Repeated, because the answer may catch it. Not in one that waits: Python 3.11, while it is
    traced as for coverage, would never go on.
    """
    assert thread.ident is not None  # it was started
    identity = ctypes.c_ulong(thread.ident)
    for _again in range(20):
        ctypes.pythonapi.PyThreadState_SetAsyncExc(identity, ctypes.py_object(_TooLong))
        thread.join(0.05)
        if not thread.is_alive():
            return


def _outcome(answer, call, given, want, silence):
    """Return an answer's result on one input as arrays; raise Fault or NotAttempted."""
    own = copy.deepcopy(given)
    try:
        with contextlib.redirect_stdout(silence), np.errstate(all="ignore"):
            result = answer(*own)
            if not all(same(a, b) for a, b in zip(given, own, strict=True)):
                raise Fault(f"{_(CHANGES)}\n{_input_was(call)}")
            return as_numbers(result, want)
    except (_TooLong, Fault):
        raise
    except NotImplementedError:
        raise NotAttempted from None
    except BaseException as error:
        said = in_words(error)
        raise Fault(f"{_stops(said)}\n{_input_was(call)}", said) from None


def _input_was(call: str) -> str:
    return _("The input was {call}.", call=call)


def in_words(error: BaseException) -> str:
    """Return an error's type and the first line of its text."""
    try:
        text = str(error).splitlines()[0]
    except BaseException:  # there is none, or asking for it fails as well
        text = _("no further message")
    return f"{type(error).__name__}: {text}"


def as_numbers(got, want):
    """Return a result as arrays of its own; raise Fault where ``want`` is of another kind."""
    if got is None:
        raise Fault(_("Your function returns nothing. Is there a return at its end?"))
    if isinstance(want, tuple):
        parts = got if isinstance(got, (tuple, list)) else _rows(got, want)
        if len(parts) != len(want):
            raise Fault(_("Return {count} results, separated by commas.", count=len(want)))
        return tuple(as_numbers(g, w) for g, w in zip(parts, want, strict=True))
    try:
        value = _plain(np.array(got))  # a copy, because the answer may use its own again
    except Exception as error:
        if "inhomogeneous" in str(error):
            raise Fault(_(RAGGED)) from None
        value = np.asarray("")
    if value.dtype.kind not in "fiubO":
        kind = type(got).__name__
        raise Fault(_("Return numbers; your function returns {kind}.", kind=kind))
    return value


def _rows(got, want) -> list:
    """Return the rows of one array that holds all results, each of the form of the first."""
    try:
        rows = list(np.asarray(got))
    except Exception:
        return []
    return rows if rows and np.shape(rows[0]) == np.shape(want[0]) else []


def _plain(value: np.ndarray) -> np.ndarray:
    """Return fractions as floats, and whole numbers beyond int64 as they are."""
    if value.dtype.kind != "O":
        return value
    if all(isinstance(item, numbers.Integral) for item in value.flat):
        return value
    return value.astype(float)


def form_of(got, want) -> str:
    """Return in words how the form of a result differs from the right one's, or nothing."""
    if isinstance(want, tuple):
        return next(filter(None, map(form_of, got, want)), "")
    shape = np.shape(want)
    if got.shape != shape:
        said = _("one number") if not shape else _("shape {shape}", shape=shape)
        words = _(
            "The result should have {said}, but yours has shape {shape}.",
            said=said,
            shape=got.shape,
        )
        return f"{words}\n{_(AXES[got.ndim < len(shape)])}" if got.ndim != len(shape) else words
    if got.dtype.kind == "f" and not np.isfinite(got).all() and np.isfinite(want).all():
        return _(
            "Your result holds NaN or infinity where the right one is finite. Look for a "
            "logarithm of 0, an overflowing exp, or a division by 0."
        )
    return ""


def same(want, got) -> bool:
    """Tell whether two results agree: whole numbers exactly, others to rounding of float32."""
    if isinstance(want, tuple):
        return len(want) == len(got) and all(map(same, want, got))
    want, got = np.asarray(want), np.asarray(got)
    if want.shape != got.shape:
        return False
    if want.dtype.kind in "iubO":
        if got.dtype.kind != "f":
            return bool((want == got).all())
        # 29 may have become 28.999999 on the way, but never 28.99.
        want = want.astype(float)
        return bool((np.abs(got - want) <= np.clip(np.abs(want) * 1e-6, 1e-6, 0.01)).all())
    try:
        got = got.astype(float)
    except OverflowError:  # a whole number beyond every float
        return False
    return bool(np.allclose(got, want, rtol=1e-4, atol=1e-5, equal_nan=True))


def show(result) -> str:
    """Return a result in short; the parts of a tuple one after the other."""
    values = result if isinstance(result, tuple) else (result,)
    with np.printoptions(precision=4, suppress=True, threshold=20):
        return ", ".join(map(_shown, values))


def _shown(value) -> str:
    try:
        return np.array2string(np.asarray(value), separator=", ")
    except ValueError:  # Python writes no whole number of more than 4300 digits
        return _("a number of thousands of digits")


def written(name: str, given) -> str:
    """Return the call of a function as Python that can be pasted."""
    return f"{name}({', '.join(map(_literal, given))})"


def _literal(value) -> str:
    if not isinstance(value, np.ndarray):
        return repr(value)
    listed = value.tolist()
    kind = "" if np.array(listed).dtype == value.dtype else f", dtype=np.{value.dtype}"
    return f"np.array({listed}{kind})"
