"""The page's files over HTTP."""

from __future__ import annotations

import functools
import hashlib
import mimetypes
import re
from collections.abc import Mapping
from dataclasses import dataclass
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

    What browsers keep is sent from memory: a first visit loads some forty files, and to open each
    takes the server more than twice as long.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(directory=folder, html=True)
        self._folder = folder
        self._version: _Version | None = None

    async def get_response(self, path: str, scope: Scope) -> Response:
        """One file, or 304 if the browser has it."""
        if path in (".", "index.html") and scope["method"] in ("GET", "HEAD"):
            page = await anyio.to_thread.run_sync(self._page)
            unchanged = self.is_not_modified(page.headers, Headers(scope=scope))
            return NotModifiedResponse(page.headers) if unchanged else page
        if self._version is None:
            self._version = await anyio.to_thread.run_sync(self._read)
        versioned = _VERSIONED.fullmatch(path)
        version, name = versioned.groups() if versioned else (None, path)
        kept = version == self._version.hash
        caching = {"Cache-Control": "max-age=31536000, immutable" if kept else "no-cache"}
        if kept and scope["method"] == "GET" and name in self._version.linked:
            media_type, _ = mimetypes.guess_type(name)
            return Response(self._version.linked[name], 200, caching, media_type)
        response = await super().get_response(name, scope)
        response.headers.update(caching)
        return response

    def _page(self) -> HTMLResponse:
        self._version = self._read()  # files may change while the server runs
        version = self._version.hash
        html = (self._folder / "index.html").read_text("utf-8")
        headers = {"Cache-Control": "no-cache", "ETag": f'"{version}"'}
        linked = _LINK.sub(rf"\g<1>version-{version}/\2", html)
        return HTMLResponse(linked, headers=headers)

    def _read(self) -> _Version:
        files = sorted(each for each in self._folder.rglob("*") if each.is_file())
        written = tuple((str(each), each.stat().st_mtime_ns) for each in files)
        return _version_of(self._folder, written)


@dataclass(frozen=True, slots=True)
class _Version:
    """A folder at one time.

    Attributes:
        hash: Of all names and contents.
        linked: The contents of its scripts and styles.
    """

    hash: str
    linked: Mapping[str, bytes]


@functools.lru_cache(maxsize=4)
def _version_of(folder: Path, written: tuple[tuple[str, int], ...]) -> _Version:
    """What a folder has now.

    Args:
        folder: Where the files are.
        written: The files, and when they were last written.
    """
    hashed, linked = hashlib.sha256(), {}
    for each, _ in written:
        file = Path(each)
        name, content = file.relative_to(folder).as_posix(), file.read_bytes()
        hashed.update(f"{hashlib.sha256(content).hexdigest()} {name}\n".encode())
        if file.suffix in (".js", ".css"):
            linked[name] = content
    return _Version(hashed.hexdigest()[:16], linked)
