"""Runs the judge of one notebook in a process of its own, within limits; made for ``__main__``.

Where a statement does not end, or ends the process, the judge starts again and leaves it out.
"""

import contextlib
import json
import os
import queue
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import vae_tutorial
from vae_tutorial._words import _
from vae_tutorial.exercises import EXERCISES, RIGHT, UNTOUCHED, WRONG
from vae_tutorial.exercises._notebooks import BY_HAND, LONGEST

MISSING, UNREADABLE = "missing", "not marked"
ATTEMPTS = 8  # starts of one notebook
START = 300  # seconds that Python and its imports may take on a busy computer
IN_ALL = 10  # times the limit of a statement, for a whole notebook
END = 5  # seconds for a judge that is done to end by itself, and for its last words
LINE = 64_000  # bytes of one finding
# What a notebook may see of our environment: how Python computes, and nothing that is secret.
KEPT = (
    *("PATH", "LANG", "LC_", "TZ", "PYTHON", "VIRTUAL_ENV", "CONDA_PREFIX", "LD_LIBRARY_PATH"),
    *("DYLD_", "OMP_", "OPENBLAS_", "MKL_", "TF_", "KERAS_", "XLA_", "CUDA_", "VAE_TUTORIAL_"),
    *("COVERAGE_", "SYSTEMROOT", "WINDIR", "COMSPEC", "NUMBER_OF_PROCESSORS"),
)
running: set[subprocess.Popen] = set()
stopped = threading.Event()


class Stopped(Exception):
    """Marking is being interrupted."""


@dataclass
class Findings:
    """What the judge has told of a notebook so far."""

    found: set[str] = field(default_factory=set)
    shown: dict[str, str] = field(default_factory=dict)
    rows: dict[str, dict] = field(default_factory=dict)
    skip: dict[int, str] = field(default_factory=dict)
    step: int = -1
    unreadable: str = ""
    done: bool = False


def mark(raw: bytes, seconds: float, gibibytes: float, settings: Path) -> list[dict]:
    """Return the rows of one notebook, or one row that says why there are none."""
    findings, why = Findings(), ""
    ends = time.monotonic() + START + IN_ALL * seconds
    for _again in range(ATTEMPTS):
        why = _attempt(raw, findings, seconds, gibibytes, settings, ends)
        if findings.done or findings.unreadable or findings.step < 0 or time.monotonic() > ends:
            break
        findings.skip[findings.step] = why
    if findings.unreadable:
        return [unmarked(findings.unreadable)]
    known = findings.found | set(findings.rows)
    if not known:
        none = _("The notebook holds no exercise of this book, or none of their checks.")
        failed = _("The notebook could not be marked. {why}", why=why)
        return [unmarked(none if findings.done else failed)]
    pages = {EXERCISES[name].page for name in known}
    return [
        _row(name, findings, why) for name, exercise in EXERCISES.items() if exercise.page in pages
    ]


def unmarked(why: str) -> dict:
    """Return the row of a file without marks: its points are unknown, not 0."""
    return {"points": "", "of": "", "status": UNREADABLE, "diagnosis": why}


def _row(name: str, findings: Findings, why: str) -> dict:
    """Return the row of an exercise; its points follow from its status, and from nothing else."""
    status, diagnosis = BY_HAND, why
    if name in findings.rows:
        status, diagnosis = findings.rows[name]["status"], findings.rows[name]["diagnosis"]
    elif name not in findings.found:
        status = MISSING
        diagnosis = _("Its check was deleted, so this answer was not looked for.")
    if status in (WRONG, UNTOUCHED) and findings.shown.get(name) == RIGHT:
        diagnosis = _(
            "The notebook shows '{shown}', but marked it is '{marked}'. {diagnosis}",
            shown=_(RIGHT),
            marked=_(status),
            diagnosis=diagnosis,
        ).strip()
        status = BY_HAND
    points = EXERCISES[name].points
    got = points if status == RIGHT else "" if status == BY_HAND else 0
    own = {"exercise": name, "page": EXERCISES[name].page, "points": got, "of": points}
    return own | {"status": status, "diagnosis": diagnosis}


def _attempt(raw, findings: Findings, seconds, gibibytes, settings, ends) -> str:
    """Run the judge once; return why it ended before it was done, else nothing."""
    token = secrets.token_hex(16)
    how = {"token": token, "gibibytes": gibibytes, "skip": findings.skip}
    how["settled"] = {n: [r["status"], r["diagnosis"]] for n, r in findings.rows.items()}
    findings.step = -1
    with (
        tempfile.TemporaryFile() as given,
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
    ):
        given.write(json.dumps(how).encode() + b"\n" + raw)
        given.seek(0)
        process = subprocess.Popen(
            [sys.executable, "-m", "vae_tutorial.exercises._notebooks"],
            cwd=folder,  # what the notebook writes goes here and is deleted
            env=_environment(folder, settings),
            stdin=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        running.add(process)
        try:
            why = _listen(process, token, findings, seconds, ends)
            if findings.done:  # it ends by itself, and coverage, where it is on, writes before that
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(END)
            return why
        finally:
            _end(process)
            running.discard(process)


def _environment(folder: str, settings: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name.upper().startswith(KEPT)}
    here = str(Path(vae_tutorial.__file__).parents[1])
    path = os.pathsep.join(filter(None, [here, os.environ.get("PYTHONPATH")]))
    own = dict.fromkeys(("HOME", "USERPROFILE", "TMPDIR", "TEMP", "TMP", "IPYTHONDIR"), folder)
    # Matplotlib lists the fonts once, and not again for each notebook.
    own |= {"PYTHONPATH": path, "MPLBACKEND": "Agg", "MPLCONFIGDIR": str(settings)}
    return kept | own | {"PYTHONIOENCODING": "utf-8"}  # as in a kernel


def _listen(process, token: str, findings: Findings, seconds: float, ends: float) -> str:
    """Take in what the judge tells until it is done; return why it ended before."""
    lines: queue.Queue[bytes] = queue.Queue(100)
    threading.Thread(target=_read, args=(process.stdout, lines), daemon=True).start()
    until = time.monotonic() + START
    while True:
        if stopped.is_set():
            raise Stopped
        now = time.monotonic()
        # Somebody who was kept waiting looks at what has come before calling it late.
        late = now > until
        try:
            line = lines.get(timeout=0.2)
        except queue.Empty:
            if late or now > ends:
                return _too_long(findings, seconds)
            if process.poll() is None:
                continue
            line = _last(lines)
        if line:
            if _take(line, token, findings):
                until, late = time.monotonic() + _limit(findings, seconds), False
            if (late or now > ends) and not findings.done:
                return _too_long(findings, seconds)
        elif findings.done:
            return ""
        else:
            return _("The notebook ended the program that marks it.")
        if findings.done:
            return ""


def _limit(findings: Findings, seconds: float) -> float:
    """Return how long the judge may be silent: before the first statement it reads and imports."""
    return seconds if findings.step >= 0 else START


def _too_long(findings: Findings, seconds: float) -> str:
    return _(
        "It ran too long: not done after {seconds:g} s. Does a loop never end?",
        seconds=_limit(findings, seconds),
    )


def _last(lines: queue.Queue[bytes]) -> bytes:
    """Return the next line of a process that has ended, which a busy computer may bring late."""
    try:
        return lines.get(timeout=END)
    except queue.Empty:  # what the process has left behind holds the channel open
        return b""


def _read(stream, lines) -> None:
    # A notebook that floods this channel meets the limit of time, and only so much of it is kept.
    with stream, contextlib.suppress(queue.Full):
        while line := stream.readline(LINE):
            lines.put(line, timeout=START)
        lines.put(b"", timeout=START)


def _take(line: bytes, token: str, findings: Findings) -> bool:
    """Add one finding; return False for a line that is not the judge's."""
    try:
        told = json.loads(line)
    except (ValueError, RecursionError):
        return False
    if not isinstance(told, dict) or told.get("token") != token:
        return False
    if "step" in told:
        findings.step = int(told["step"])
    if "found" in told:
        findings.found = set(told["found"]) & set(EXERCISES)
        findings.shown = dict(told["shown"])
    if told.get("exercise") in EXERCISES and told["status"] in (RIGHT, WRONG, UNTOUCHED, BY_HAND):
        diagnosis = str(told["diagnosis"])[:LONGEST]
        findings.rows[told["exercise"]] = {"status": told["status"], "diagnosis": diagnosis}
    findings.unreadable = str(told.get("unreadable", findings.unreadable))
    findings.done = "done" in told
    return True


def _end(process) -> None:
    """End a process and all that it has started."""
    if hasattr(os, "killpg"):
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            process.kill()
    else:
        process.kill()
    process.wait()


def end_all() -> None:
    """End every notebook that is being marked."""
    stopped.set()
    for process in list(running):
        _end(process)
