"""Run a command again and again while other processes keep every core busy (make test-under-load).

    python tools/under_load.py [--times 3] [--load 2] -- COMMAND ...

Starts ``load`` processes a core that compute without end, runs the command ``times`` times, and
ends them. Stops at the first run that fails, with its exit status. What each run took is printed,
and written to _build/under-load.log after the closing lines of the tests that it ran.
"""

import argparse
import os
import re
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

LOG = Path(__file__).resolve().parents[1] / "_build" / "under-load.log"
BUSY = "while True: pass"
# The line in which pytest says how many tests passed or failed.
CLOSING = re.compile(r"^[= ]*\d+ (passed|failed)\b")


@contextmanager
def load(processes: int):
    """Keep so many processes busy; end them whatever happens inside."""
    started = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(processes)]
    try:
        yield started
        # One that has ended by itself would have made the load lighter than it says.
        assert all(process.poll() is None for process in started), "a busy process has ended"
    finally:
        for process in started:
            process.kill()
            process.wait()


def say(text: str) -> None:
    """Print a line, and add it to the log."""
    print(text, flush=True)
    with LOG.open("a", encoding="utf-8") as file:
        file.write(text + "\n")


def run(command: list[str], number: int, processes: int) -> int:
    """Run the command once; say what it took; return its exit status."""
    started, lines = time.monotonic(), []
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        for line in process.stdout:
            print(line, end="", flush=True)
            if CLOSING.search(line):
                lines.append(line.strip())
    minutes = (time.monotonic() - started) / 60
    for line in lines:
        say(line)
    verdict = "passed" if process.returncode == 0 else f"failed with {process.returncode}"
    say(
        f"run {number} of {' '.join(command)}: {verdict} after {minutes:.1f} min, "
        f"beside {processes} busy processes on {os.cpu_count()} cores"
    )
    return process.returncode


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--times", type=int, default=3, help="how often (default 3)")
    parser.add_argument("--load", type=int, default=2, help="busy processes a core (default 2)")
    parser.add_argument("command", nargs="+", help="what to run, after --")
    given = parser.parse_args()
    if given.times < 1 or given.load < 0:
        parser.error("--times must be at least 1, and --load at least 0")
    LOG.parent.mkdir(exist_ok=True)
    processes = given.load * os.cpu_count()
    with load(processes):
        for number in range(1, given.times + 1):
            if status := run(given.command, number, processes):
                return status
    return 0


if __name__ == "__main__":
    sys.exit(main())
