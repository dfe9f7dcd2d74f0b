"""Judges the exercises of one handed-in notebook; run in a process of its own by ``_process``.

A check is run where it stands, with what it needs of the cells above it; so what counts is what
was passed to the check, and no model is trained to mark an answer. Where a name is missing, what
stands below is run too, and then the whole notebook. Findings go to the process that started this
one, by a channel that is not the standard output of the notebook.
"""

import ast
import contextlib
import hashlib
import inspect
import json
import linecache
import os
import re
import sys
import threading
import types

from vae_tutorial._words import _
from vae_tutorial.exercises import EXERCISES, RIGHT, WRONG, Verdict, check
from vae_tutorial.exercises._bank import REPLACED
from vae_tutorial.exercises._cells import (
    NotANotebook,
    cells_of,
    needed,
    steps_of,
    verdicts_shown,
)

BY_HAND = "look at it by hand"
LONGEST = 2_000  # characters of a diagnosis
OTHERWISE = "It is right on what a reader is asked, and wrong on other inputs."
# As "Your function stops with an error, ..." has it, in any language.
NAME_ERROR = r"[,\uff1a] ?NameError: "
# Faults of the place where a notebook is marked rather than of its answers.
OF_THE_PLACE = (ImportError, OSError, MemoryError)


class NotRun(Exception):
    """A statement that was left out, in words for the teacher."""


@contextlib.contextmanager
def _lot(lot: str):
    """Let checks draw inputs of their own meanwhile."""
    module = sys.modules["vae_tutorial.exercises"]
    module._lot = lot  # type: ignore[attr-defined]
    try:
        yield
    finally:
        module._lot = ""  # type: ignore[attr-defined]


class Shell:
    """Stands for IPython's shell: no command of the system and no magic is run."""

    def getoutput(self, command, *_rest, **_named):
        raise NotRun(
            _("Marking runs no command of the system, such as {command!r}.", command=command)
        )

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *_, **__: None


class Session:
    """Runs statements of a notebook, and notes what its checks say and what failed."""

    def __init__(self, steps, skip: dict[int, str], settled: dict, tell):
        self.steps, self.skip, self.tell = steps, skip, tell
        self.settled = {name: Verdict(name, *found) for name, found in settled.items()}
        self.lot = ""
        self.again: bool  # whether what was settled before a restart counts for this statement
        self.said: list[Verdict] = []
        self.failed: dict[str, BaseException] = {}
        self.done: set[int] = set()
        self.start()

    def start(self) -> None:
        """Begin with no names, as a kernel does."""
        module = types.ModuleType("__main__")
        sys.modules["__main__"] = module
        self.space = module.__dict__
        self.space["get_ipython"] = Shell
        with contextlib.suppress(ImportError):
            from IPython.display import display

            self.space["display"] = display
        self.failed, self.done = {}, set()

    def check(self, name, *answer, **named):
        """Stand for ``exercises.check`` in the notebook."""
        if self.again and isinstance(name, str) and name in self.settled:
            return self.settled[name]
        if isinstance(name, str) and name in REPLACED:
            why = _(
                "An older copy: it answers {name}, which this exercise has replaced.", name=name
            )
            verdict = Verdict(REPLACED[name], BY_HAND, why)
        else:
            verdict = self._excused(self._asked_twice(name, *answer, **named))
        self.said.append(verdict)
        return verdict

    def _asked_twice(self, name, *answer, **named) -> Verdict:
        """Check with what a reader is asked, and what is right then with inputs of this file's own.

        An answer that knows the reader's inputs by heart fails the second time. So may, rarely, a
        right one, where rounding decides between equals: the teacher looks at both.
        """
        verdict = check(name, *answer, **named)
        if verdict.status != RIGHT:
            return verdict
        with _lot(self.lot):
            other = check(name, *answer, **named)
        if other.status == RIGHT:
            return verdict
        why = _("{otherwise} {message}", otherwise=_(OTHERWISE), message=other.message)
        return Verdict(verdict.name, BY_HAND, why)

    def _excused(self, verdict: Verdict) -> Verdict:
        """Leave an answer to the teacher that lacks a name which marking could not provide."""
        lacking = re.search(rf"{NAME_ERROR}name '(\w+)'", verdict.message)
        cause = self.failed.get(lacking[1]) if lacking else None
        if lacking and isinstance(cause, (NotRun, *OF_THE_PLACE)):
            why = _("It needs {name}. {cause}", name=lacking[1], cause=_said_by(cause))
            return Verdict(verdict.name, BY_HAND, why)
        return verdict

    def run(self, number: int) -> BaseException | None:
        """Run a statement; return its error."""
        step, error = self.steps[number], None
        self.done.add(number)
        self.tell(step=number)
        threads = set(threading.enumerate())
        try:
            if number in self.skip:
                raise NotRun(self.skip[number])
            self._execute(step)
        except BaseException as caught:  # also SystemExit
            error = self.cause(caught)
            for name in step.binds:
                self.failed.setdefault(name, error)
        else:
            for name in step.binds:
                self.failed.pop(name, None)
        if step.checks and set(threading.enumerate()) - threads:
            # An answer that cannot be stopped would use up the time of those that follow.
            for verdict in self.said:
                self.tell(**row(verdict))
            self.tell(stuck=number)
            os._exit(0)
        return error

    def _execute(self, step) -> None:
        code = compile(
            ast.Module([step.node], []),
            f"<cell {step.cell + 1}>",
            "exec",
            flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT,
        )
        if code.co_flags & inspect.CO_COROUTINE:
            import asyncio

            asyncio.run(eval(code, self.space))
        else:
            exec(code, self.space)

    def cause(self, error):
        """Return the first fault of all, where a name is missing because of another fault."""
        if isinstance(error, NameError) and error.name in self.failed:
            return self.failed[error.name]
        return error


def row(verdict: Verdict) -> dict:
    message = "" if verdict.status not in (WRONG, BY_HAND) else verdict.message
    return {"exercise": verdict.name, "status": verdict.status, "diagnosis": message[:LONGEST]}


def judge(raw: bytes, skip: dict[int, str], settled: dict, tell) -> None:
    """Tell what is found: the exercises, what the stored outputs show, and a row of each."""
    cells = cells_of(raw)
    steps, broken, unread = steps_of(cells)
    found = unread.union(*(step.names for step in steps))
    tell(found=sorted(found), shown=verdicts_shown(cells))
    _keep_sources(steps, cells)
    session = Session(steps, skip, settled, tell)
    session.lot = hashlib.sha256(raw).hexdigest()  # the same whenever this file is marked
    sys.modules["vae_tutorial.exercises"].check = session.check  # type: ignore[attr-defined]
    errors = _run_checks(session, whole=False)
    if any(_whole_may_help(name, errors, broken) for name in found - set(session.settled)):
        session.start()
        errors |= _run_checks(session, whole=True)
    for name in sorted(found - set(session.settled)):
        tell(**row(_without_verdict(name, errors, broken)))
    _look_for_tampering(session, tell)


def _keep_sources(steps, cells) -> None:
    """Let inspect.getsource find a function of the notebook, as tf.function does."""
    for step in steps:
        source = cells[step.cell].get("source")
        lines = "".join(source).splitlines(keepends=True) if source else []
        linecache.cache[f"<cell {step.cell + 1}>"] = (0, None, lines, f"<cell {step.cell + 1}>")


def _run_checks(session: Session, whole: bool) -> dict[str, BaseException]:
    """Run each check after what it needs, or after all; return the error of those that stopped."""
    steps = session.steps
    errors: dict[str, BaseException] = {}
    targets = [number for number, step in enumerate(steps) if step.checks]
    wanted = (
        set(range(len(steps)))
        if whole
        else set().union(targets, *(needed(steps, target, target) for target in targets))
    )
    last = max(session.skip, default=-1)
    for number in sorted(wanted):
        session.again = whole or number <= last
        session.said = []
        error = session.run(number)
        if isinstance(error, NameError) and steps[number].checks and not whole:
            error = _with_what_stands_below(session, number)
        for verdict in session.said:
            session.settled[verdict.name] = verdict
            errors.pop(verdict.name, None)
            if whole or not _lacks_a_name(verdict):
                session.tell(**row(verdict))
        if error:
            errors |= dict.fromkeys(steps[number].names - {v.name for v in session.said}, error)
    for name in [name for name, verdict in session.settled.items() if _lacks_a_name(verdict)]:
        if not whole:
            del session.settled[name]
            errors[name] = NameError(name)
    return errors


def _with_what_stands_below(session: Session, target: int) -> BaseException | None:
    """Run a check again after what it needs of all cells: they may have been run in any order."""
    for number in sorted(needed(session.steps, target, len(session.steps)) - session.done):
        if not session.steps[number].checks:
            session.run(number)
    session.said = []
    return session.run(target)


def _lacks_a_name(verdict: Verdict) -> bool:
    return verdict.status == WRONG and re.search(NAME_ERROR, verdict.message) is not None


def _whole_may_help(name, errors, broken) -> bool:
    """Tell whether more of the notebook could let a check run that stopped."""
    error = errors.get(name)
    lacking = getattr(error, "name", None)
    return not (name in broken or lacking in broken or isinstance(error, NotRun))


def _without_verdict(name, errors, broken) -> Verdict:
    """Return what to say of an exercise whose check stops with an error, also in the whole."""
    error = errors.get(name)
    lacking = getattr(error, "name", None) if isinstance(error, NameError) else None
    for broken_name in (name, lacking):
        if broken_name in broken:
            return Verdict(name, WRONG, broken[broken_name])
    if lacking == name:
        return Verdict(name, WRONG, _("There is no function {name} in the notebook.", name=name))
    if isinstance(error, NotRun):
        return Verdict(name, BY_HAND, str(error))
    if error is None:
        return Verdict(name, BY_HAND, _("The notebook does not reach its check when it is run."))
    what = f"{type(error).__name__}: {_said_by(error)}"
    said = _("The cell stops with an error, {error}", error=what)
    return Verdict(name, BY_HAND if isinstance(error, OF_THE_PLACE) else WRONG, said)


def _said_by(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # an error of the notebook's own may fail even here
        return _("no message")


def _look_for_tampering(session: Session, tell) -> None:
    """Take back what a check says is right, if it also takes a wrong answer for right."""
    for name, verdict in session.settled.items():
        if verdict.status == RIGHT and name in EXERCISES:
            solution = EXERCISES[name].solution
            wrong = check(name, lambda *given, solution=solution: _spoiled(solution(*given)))
            if wrong.status == RIGHT:
                why = _("The notebook changes what the check compares with: a wrong answer passes.")
                tell(**row(Verdict(name, BY_HAND, why)))


def _spoiled(result):
    return tuple(map(_spoiled, result)) if isinstance(result, tuple) else -3 * result + 7


def channel(token: str):
    """Return a function that sends to whoever reads our standard output, and close it to others."""
    own, write, dumps = os.dup(1), os.write, json.dumps
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nowhere, standard)

    def tell(**found) -> None:
        line = dumps(found | {"token": token}).encode("ascii") + b"\n"
        while line:
            line = line[write(own, line) :]

    return tell


def limit(gibibytes: float) -> None:
    """Limit the memory of this process and the size of its files, where the system can."""
    try:
        import resource
    except ImportError:  # Windows has no such limits
        return
    for kind, most in ((resource.RLIMIT_AS, gibibytes), (resource.RLIMIT_FSIZE, 1)):
        hard = resource.getrlimit(kind)[1]
        wanted = int(most * 2**30)
        wanted = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        # macOS refuses this limit of memory; marking goes on without it.
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(kind, (wanted, wanted))


def main() -> None:
    """Judge the notebook that comes by standard input, after a line that says how."""
    how = json.loads(sys.stdin.buffer.readline())
    raw = sys.stdin.buffer.read()
    tell = channel(how["token"])
    limit(how["gibibytes"])
    tell(ready=True)
    try:
        skip = {int(number): why for number, why in how["skip"].items()}
        judge(raw, skip, how["settled"], tell)
    except NotANotebook as error:
        tell(unreadable=str(error))
    except ModuleNotFoundError as error:
        why = _("Marking needs the package {name}: python -m pip install ipython", name=error.name)
        tell(unreadable=why)
    tell(done=True)
    os._exit(0)  # threads of the notebook may go on for ever


if __name__ == "__main__":
    main()
