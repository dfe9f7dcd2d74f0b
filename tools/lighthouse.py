"""Ask Lighthouse about five pages on a phone: access, good practice, what jumps while they load.

The first two must score 100, and the layout may shift by less than 0.05. The book must be built.
Lighthouse is a program for Node.js: npm install lighthouse, in a folder outside of this one, and
name its program with --program. CHROME_PATH says which browser it starts; nothing needs a network.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

ROOT = Path(__file__).resolve().parents[1]
# One of each kind: cards, formulas and figures, many tables, a figure that is drawn in, terms.
PAGES = ["index", "elbo", "retrieval", "draw", "glossary"]
CATEGORIES = ["accessibility", "best-practices"]
LARGEST_SHIFT = 0.05
FLAGS = "--headless=new --no-sandbox --disable-dev-shm-usage"


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


def problems(report: dict) -> list[str]:
    """Return what is wrong with a page, by the report of Lighthouse in JSON."""
    audits, found = report["audits"], []
    for name in CATEGORIES:
        category = report["categories"][name]
        if category["score"] == 1:
            continue
        failed = [
            ref["id"]
            for ref in category["auditRefs"]
            if ref["weight"] and audits[ref["id"]]["score"] not in (1, None)
        ]
        found.append(f"{name} {100 * (category['score'] or 0):.0f}: {', '.join(failed)}")
    shift = audits["cumulative-layout-shift"]["numericValue"]
    if shift >= LARGEST_SHIFT:
        found.append(f"layout shifts by {shift:.3f}, not less than {LARGEST_SHIFT}")
    return found


def ask(program: str, address: str) -> dict:
    command = [program, address, "--quiet", "--output=json", f"--chrome-flags={FLAGS}"]
    command.append(f"--only-categories={','.join([*CATEGORIES, 'performance'])}")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"Lighthouse failed on {address}:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--site", type=Path, default=ROOT / "_build" / "html", metavar="FOLDER")
    parser.add_argument("--program", default="lighthouse", help="lighthouse, or where it lies")
    arguments = parser.parse_args()
    program = shutil.which(arguments.program)
    if program is None:
        parser.error(f"there is no program {arguments.program!r}; see --help")
    if not (arguments.site / "book" / "index.html").is_file():
        parser.error(f"there is no book in {arguments.site}; make book builds it")
    if browser := next(filter(None, map(shutil.which, ["chromium", "google-chrome"])), None):
        os.environ.setdefault("CHROME_PATH", browser)
    failed = False
    handler = partial(QuietHandler, directory=str(arguments.site))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        for page in PAGES:
            report = ask(program, f"http://127.0.0.1:{server.server_port}/book/{page}.html")
            found = problems(report)
            print(f"{page}: {'; '.join(found) or 'nothing to mend'}", flush=True)
            failed = failed or bool(found)
        server.shutdown()
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
