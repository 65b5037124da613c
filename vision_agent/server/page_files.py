"""The page's files over HTTP."""

from __future__ import annotations

import functools
import hashlib
import re
from pathlib import Path

import anyio.to_thread
from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import NotModifiedResponse, StaticFiles
from starlette.types import Scope

_VERSIONED = re.compile(r"version-([0-9a-f]{16})/(.+\.(?:js|css))")
_LINK = re.compile(r'((?:href|src)=")([\w/]+\.(?:js|css)")')


class PageFiles(StaticFiles):
    """The files of a folder, and its page.

    The page links its scripts and styles below `version-HASH/`, and so do these one another. The
    hash is of all contents: browsers keep what they have loaded from there, and never mix the
    modules of two versions. What is asked for without a hash, or with that of another server's
    version, is revalidated at every visit.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(directory=folder, html=True)
        self._folder = folder
        self._version: str | None = None

    async def get_response(self, path: str, scope: Scope) -> Response:
        """One file, or 304 if the browser has it."""
        if path in (".", "index.html") and scope["method"] in ("GET", "HEAD"):
            page = await anyio.to_thread.run_sync(self._page)
            unchanged = self.is_not_modified(page.headers, Headers(scope=scope))
            return NotModifiedResponse(page.headers) if unchanged else page
        versioned = _VERSIONED.fullmatch(path)
        response = await super().get_response(versioned[2] if versioned else path, scope)
        if self._version is None:
            self._version = await anyio.to_thread.run_sync(self._hash)
        kept = versioned is not None and versioned[1] == self._version
        response.headers["Cache-Control"] = "max-age=31536000, immutable" if kept else "no-cache"
        return response

    def _page(self) -> HTMLResponse:
        self._version = self._hash()  # files may change while the server runs
        html = (self._folder / "index.html").read_text("utf-8")
        headers = {"Cache-Control": "no-cache", "ETag": f'"{self._version}"'}
        linked = _LINK.sub(rf"\g<1>version-{self._version}/\2", html)
        return HTMLResponse(linked, headers=headers)

    def _hash(self) -> str:
        files = sorted(each for each in self._folder.rglob("*") if each.is_file())
        written = tuple((str(each), each.stat().st_mtime_ns) for each in files)
        return _hash_of(self._folder, written)


@functools.lru_cache(maxsize=4)
def _hash_of(folder: Path, written: tuple[tuple[str, int], ...]) -> str:
    """The hash of all names and contents.

    Args:
        folder: Where the files are.
        written: The files, and when they were last written.
    """
    contents = hashlib.sha256()
    for name, _ in written:
        file = Path(name)
        content = hashlib.sha256(file.read_bytes()).hexdigest()
        contents.update(f"{content} {file.relative_to(folder).as_posix()}\n".encode())
    return contents.hexdigest()[:16]
