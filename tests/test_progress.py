"""Progress in a terminal, in a pipe, switched off, and when the work fails.

tests/test_notebook_helpers.py shows it in a notebook.
"""

import contextlib
import io
import os
import re
import subprocess
import sys
from types import SimpleNamespace

import pytest
from terminal import shown_in_a_terminal

import vae_tutorial.progress as progress_module
from vae_tutorial.progress import Progress

# Back to the start of the line, and clear it.
REWRITE = "\r\x1b[2K"


def count(total: int, **options) -> None:
    with Progress("Counting", total, **options) as progress:
        for i in range(total):
            progress.step(f"at {i}")


def test_a_terminal_shows_one_line_that_is_rewritten():
    lines = shown_in_a_terminal(lambda: count(3)).split(REWRITE)
    # Fast steps are not all shown; the first, the last and the outcome are.
    assert lines[0] == ""
    assert lines[1].startswith("Counting: 1/3 · ")
    assert lines[1].endswith(" s left · at 0")
    assert lines[-2] == "Counting: 3/3 · 0 s left · at 2"
    assert re.fullmatch(r"Counting: \d+\.\d s\n", lines[-1])
    assert "".join(lines).count("\n") == 1


def test_a_single_step_is_work_too():
    assert shown_in_a_terminal(lambda: count(1)).split(REWRITE)[1] == (
        "Counting: 1/1 · 0 s left · at 0"
    )


def test_a_terminal_is_not_flooded():
    assert shown_in_a_terminal(lambda: count(10_000)).count(REWRITE) < 50


def test_a_terminal_tells_where_the_work_stopped():
    def work():
        with contextlib.suppress(ZeroDivisionError), Progress("Counting", 3) as progress:
            progress.step()
            _ = 1 / 0

    assert shown_in_a_terminal(work).endswith(f"{REWRITE}Counting: stopped at 1/3\n")


def test_a_log_tells_where_the_work_was_stopped_by_hand(capsys):
    with contextlib.suppress(KeyboardInterrupt), Progress("Counting", 3) as progress:
        progress.step()
        progress.step()
        raise KeyboardInterrupt
    assert capsys.readouterr().out == "Counting: stopped at 2/3\n"


def test_an_error_is_passed_on():
    with pytest.raises(ZeroDivisionError), Progress("Counting", 3):
        _ = 1 / 0


def test_the_time_left_is_estimated(monkeypatch):
    def work():
        with Progress("Counting", 4) as progress:
            progress.step()
            progress.step()

    clock = iter([100.0, 110.0, 120.0, 121.5])
    monkeypatch.setattr(progress_module, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    assert shown_in_a_terminal(work).split(REWRITE) == [
        "",
        "Counting: 1/4 · 30 s left",
        "Counting: 2/4 · 20 s left",
        "Counting: 21.5 s\n",
    ]


def test_what_comes_a_tenth_of_a_second_later_is_shown_and_what_comes_sooner_is_not(monkeypatch):
    def work():
        with Progress("Counting", 4) as progress:
            for _ in range(3):
                progress.step()

    clock = iter([100.0, 100.0, 100.05, 100.15, 100.2])
    monkeypatch.setattr(progress_module, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    shown = shown_in_a_terminal(work)
    assert [f"{done}/4" in shown for done in (1, 2, 3)] == [True, False, True]


def test_a_pipe_gets_the_title_alone():
    code = (
        "from vae_tutorial.progress import Progress\n"
        "with Progress('Counting', 3) as progress:\n"
        "    for _ in range(3): progress.step('note')\n"
        "import os; os._exit(0)\n"  # it was sent at once, not left to the end of Python
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout == "Counting\n"
    assert result.stderr == ""


def closed():
    stream = io.StringIO()
    stream.close()
    return stream


def no_reader():
    reader, writer = os.pipe()
    os.close(reader)
    return os.fdopen(writer, "w")


@pytest.mark.parametrize(
    "outlet", [lambda: None, object, closed, no_reader], ids=["None", "object", "closed", "pipe"]
)
@pytest.mark.parametrize("stopped", [False, True])
def test_where_nothing_can_be_shown_the_work_goes_on(outlet, stopped):
    stream = outlet()
    quiet = contextlib.redirect_stdout(stream)
    with contextlib.suppress(ZeroDivisionError), quiet, Progress("Counting", 3) as progress:
        progress.step("note")
        _ = 1 / (0 if stopped else 1)
    assert progress.done == 1
    if hasattr(stream, "fileno") and not stream.closed:
        with contextlib.suppress(BrokenPipeError):  # it tells so once more when it is closed
            stream.close()


def test_an_outlet_without_isatty_gets_the_plain_line():
    class Pane:
        text = ""

        def write(self, text):
            self.text += text

        def flush(self):
            pass

    with contextlib.redirect_stdout(Pane()) as pane:
        count(3)
    assert pane.text == "Counting\n"


@pytest.mark.parametrize("tty", [False, True])
def test_letters_that_the_outlet_lacks_are_spelled(tty):
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    stream.isatty = lambda: tty
    with contextlib.redirect_stdout(stream), Progress("Zähle ≤ 3", 3) as progress:
        progress.step("β 1.0")
    said = stream.buffer.getvalue().decode("ascii")
    title = r"Z\xe4hle \u2264 3"
    if tty:
        first = re.escape(rf"{REWRITE}{title}: 1/3 - ") + r"\d+"
        assert re.match(first + re.escape(rf" s left - \u03b2 1.0{REWRITE}"), said)
    else:
        assert said == f"{title}\n"


def test_captured_output_is_the_same_in_every_run(capsys):
    count(3)
    count(3)
    assert capsys.readouterr().out == "Counting\nCounting\n"


def test_it_can_be_switched_off(capsys):
    assert shown_in_a_terminal(lambda: count(3, enabled=False)) == ""
    count(3, enabled=False)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("total", [0, -1])
def test_no_work_is_refused(total):
    with pytest.raises(ValueError, match=rf"total must be at least 1, got {total}; "):
        Progress("Counting", total)
