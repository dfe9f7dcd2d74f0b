"""The weekly link check: finds the addresses, and calls dead only what certainly is."""

import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import check_links
import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def server():
    """Return the address of a server that answers with the status that the path names."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(int(self.path[1:]))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *arguments):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


@pytest.mark.parametrize(
    ("status", "wanted"),
    [
        (200, "alive"),
        (404, "dead: status 404"),
        (410, "dead: status 410"),
        (403, "unclear: status 403"),
        (429, "unclear: status 429"),
        (503, "unclear: status 503"),
    ],
)
def test_only_what_is_certain_counts_as_dead(server, status, wanted):
    assert check_links.state(f"{server}/{status}") == wanted


def test_a_refused_connection_is_unclear():
    assert check_links.state("http://127.0.0.1:9/").startswith("unclear: ")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("See https://keras.io/api, and rest.", {"https://keras.io/api"}),
        ("[a](https://keras.io/a_(b)) text", {"https://keras.io/a_(b)"}),
        ("[a](https://keras.io/a).", {"https://keras.io/a"}),
        ("https://keras.io/a#part", {"https://keras.io/a"}),
        ("https://example.org/vae and https://www.example.com", set()),
    ],
)
def test_addresses_end_where_the_sentence_goes_on(text, wanted):
    assert check_links.addresses(text) == wanted


def test_the_books_addresses_are_found():
    found = check_links.collect([ROOT / "README.md", ROOT / "book", ROOT / "vae_tutorial"])
    assert "https://github.com/keras-team/keras/issues/20585" in found  # in a notebook
    assert "https://doi.org/10.1109/CVPR.2012.6248018" in found  # in the bibliography
    assert len(found) > 30


def test_the_command_fails_for_a_dead_address_and_for_no_address(tmp_path, server, monkeypatch):
    page = tmp_path / "page.md"
    page.write_text("no address here")
    command = [sys.executable, ROOT / "tools" / "check_links.py", page]
    assert subprocess.run(command, capture_output=True).returncode == 1
    monkeypatch.setattr(sys, "argv", ["check_links.py", str(page)])
    # The server speaks http, which the check does not look for in a text.
    monkeypatch.setattr(check_links, "collect", lambda paths: {f"{server}/200": "page.md"})
    assert check_links.main() == 0
    monkeypatch.setattr(check_links, "collect", lambda paths: {f"{server}/404": "page.md"})
    assert check_links.main() == 1
