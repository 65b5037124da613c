"""Applications on an origin of their own, as a web server would serve them."""

from __future__ import annotations

import functools
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PAGE = '<!doctype html><meta charset="utf-8"><div id="root"></div>{}'
SCRIPT = '<script type="module" src="{}.js"></script>'


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serves a page for each bundle in a folder, `NAME.html` for `NAME.js`; yields the origin."""
    for script in folder.glob("*.js"):
        page = PAGE.format(SCRIPT.format(script.stem))
        script.with_suffix(".html").write_text(page)
    handler = functools.partial(_Quiet, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()
