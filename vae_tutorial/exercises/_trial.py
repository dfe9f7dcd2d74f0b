"""Runs a reader's function on inputs, and says in plain words what it did wrong."""

import contextlib
import copy
import ctypes
import io
import sys
import threading
import time

import numpy as np

TIME_LIMIT = 1.5  # seconds of computing for all inputs of one check
LONGEST_WAIT = 60  # seconds by the clock, for an answer that sleeps or asks for input
COMPUTES = f"was not done after {TIME_LIMIT:g} s of computing. Does a loop never end?"
WAITS = f"was not done after {LONGEST_WAIT} s. Does it sleep, or ask for input?"


class Fault(Exception):
    """What stopped the trial, in words for the reader."""


class NotAttempted(Exception):
    """The function says that it is not implemented."""


class _TooLong(BaseException):
    """Raised inside a function that runs too long."""


def run(answer, inputs) -> list:
    """Return what ``answer`` gives for each of ``inputs``; raise Fault or NotAttempted."""
    results: list = []
    faults: list[BaseException] = []

    def work():
        try:
            for given in inputs:
                results.append(_call(answer, given))
        except _TooLong:
            pass
        except BaseException as fault:  # also SystemExit: a check must not end the kernel
            faults.append(fault)

    stdout = sys.stdout
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    if said := _not_done(thread):
        if said == COMPUTES:
            _stop(thread)
        sys.stdout = stdout  # in case the thread still holds it
        raise Fault(f"Your function {said}")
    if faults:
        raise faults[0]
    return results


def _not_done(thread) -> str:
    """Wait for a thread; return what to say where it computes or waits too long, else nothing.

    Time of the processor is what counts, because a right answer is slow by the clock where other
    programs keep the computer busy.
    """
    computing, started = time.process_time(), time.monotonic()
    while thread.is_alive():
        if time.process_time() - computing > TIME_LIMIT:
            return COMPUTES
        if time.monotonic() - started > LONGEST_WAIT:
            return WAITS
        thread.join(0.05)
    return ""


def _stop(thread) -> None:
    """Raise an exception in a thread as soon as it runs Python code again; it ends by it.

    Not for one that waits: Python 3.11, while it is traced as for coverage, would never go on.
    """
    assert thread.ident is not None  # it was started
    identity = ctypes.c_ulong(thread.ident)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(identity, ctypes.py_object(_TooLong))
    thread.join(1)


def _call(answer, given):
    own = copy.deepcopy(given)
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            result = answer(*own)
    except _TooLong:
        raise
    except NotImplementedError:
        raise NotAttempted from None
    except BaseException as error:
        text = str(error).splitlines()[0] if str(error) else "no further message"
        raise Fault(
            f"Your function stops with an error, {type(error).__name__}: {text}\n"
            f"The input was {show(given)}."
        ) from None
    if not all(same(a, b) for a, b in zip(given, own, strict=True)):
        raise Fault(
            "Your function changes its input in place. The caller still needs it: work on a copy, "
            "or write x = x + 1 in place of x += 1."
        )
    if printed.getvalue():
        raise Fault("Your function prints. Let it only return its result.")
    return result


def as_numbers(got, want):
    """Return a result as NumPy arrays; raise Fault where it is of another kind than ``want``."""
    if got is None:
        raise Fault("Your function returns nothing. Is there a return at its end?")
    if isinstance(want, tuple):
        if not isinstance(got, (tuple, list)) or len(got) != len(want):
            raise Fault(f"Return {len(want)} results, separated by commas.")
        return tuple(as_numbers(g, w) for g, w in zip(got, want, strict=True))
    try:
        value = np.asarray(got)
    except Exception:
        value = np.asarray(None)
    if value.dtype.kind not in "fiub":
        raise Fault(f"Return numbers; your function returns {type(got).__name__}.")
    return value


def check_form(got, want) -> None:
    """Raise Fault where shapes differ, or where a result is not finite and should be."""
    if isinstance(want, tuple):
        for g, w in zip(got, want, strict=True):
            check_form(g, w)
        return
    shape = np.shape(want)
    if got.shape != shape:
        said = "one number" if not shape else f"shape {shape}"
        raise Fault(f"The result should have {said}, but yours has shape {got.shape}.")
    if not np.isfinite(got).all() and np.isfinite(want).all():
        raise Fault(
            "Your result holds NaN or infinity where the right one is finite. Look for a "
            "logarithm of 0, an overflowing exp, or a division by 0."
        )


def same(want, got) -> bool:
    """Tell whether two results agree: whole numbers exactly, others to rounding of float32."""
    if isinstance(want, tuple):
        return len(want) == len(got) and all(map(same, want, got))
    want, got = np.asarray(want), np.asarray(got)
    if want.shape != got.shape:
        return False
    if want.dtype.kind in "iub":
        return bool((want == got).all())
    return bool(np.allclose(got, want, rtol=1e-4, atol=1e-5, equal_nan=True))


def show(values) -> str:
    with np.printoptions(precision=4, suppress=True, threshold=20):
        return ", ".join(np.array2string(np.asarray(value), separator=", ") for value in values)
