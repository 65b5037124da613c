"""Records sessions with a Live API, in the form of `tests/recordings`.

A `Recorder` is a WebSocket server that forwards everything to the real one and back, so the client
needs no patch. No key gets into the files: keys are in headers, which are not recorded.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import websockets.asyncio.client as websocket_client
import websockets.asyncio.server as websocket_server
from websockets.asyncio.connection import Connection
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tests.support.recorded_sessions import CUT
from vision_agent.local.certificate import make_tls

_KEPT_CHARACTERS = 12
_HANDED_ON = ("x-goog-api-key", "authorization")
_BROKEN = 1011
_SENT_AS = {1005: 1000, 1006: _BROKEN, 1015: _BROKEN}
"""Close codes that may not be sent, and the code that is sent instead."""


class Recorder:
    """A context manager that records each connection into a file of its own.

    Args:
        upstream: The real server, such as `wss://generativelanguage.googleapis.com`.
        folder: The folder for the files.
        trusting: The TLS context for the real server; None for the default.

    Attributes:
        scene: The name of the next connections' files, to which a number is added.
        files: The files so far.
    """

    def __init__(self, upstream: str, folder: Path, trusting: ssl.SSLContext | None = None) -> None:
        self.scene = "session"
        self.files: list[Path] = []
        self._upstream = upstream
        self._folder = folder
        self._trusting = trusting or ssl.create_default_context()
        self._server: websocket_server.Server

    async def __aenter__(self) -> Recorder:
        context, self._certificate = make_tls()
        self._server = await websocket_server.serve(
            self._record, "127.0.0.1", 0, ssl=context, max_size=None, compression=None
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self._server.wait_closed()

    @property
    def base_url(self) -> str:
        """The base URL for a client."""
        return f"https://127.0.0.1:{next(iter(self._server.sockets)).getsockname()[1]}"

    @property
    def trusted(self) -> ssl.SSLContext:
        """The TLS context of a client that trusts the recorder."""
        return ssl.create_default_context(cadata=self._certificate)

    async def _record(self, client: websocket_server.ServerConnection) -> None:
        assert client.request is not None
        lines: list[str] = []
        number = sum(file.stem.startswith(f"{self.scene}-") for file in self.files) + 1
        file = self._folder / f"{self.scene}-{number}.jsonl"
        self.files.append(file)
        headers = {
            name: client.request.headers[name]
            for name in _HANDED_ON
            if name in client.request.headers
        }
        try:
            async with websocket_client.connect(
                self._upstream + client.request.path,
                ssl=self._trusting,
                additional_headers=headers,
                max_size=None,
                compression=None,
            ) as server:
                await _join(client, server, lines)
        except (InvalidHandshake, OSError) as error:
            await client.close(_BROKEN, f"The recorder cannot connect: {error}"[:100])
        self._folder.mkdir(parents=True, exist_ok=True)
        file.write_text("".join(lines), encoding="utf-8")


async def _join(client: Connection, server: Connection, lines: list[str]) -> None:
    """Forward both sides' messages until one of them closes, and then close the other."""

    async def hand_on(sender: str, source: Connection, sink: Connection) -> None:
        with suppress(ConnectionClosed):
            async for message in source:
                lines.append(line_of(sender, message))
                await sink.send(message)
        code = source.close_code or _BROKEN
        await sink.close(_SENT_AS.get(code, code), source.close_reason or "")

    await asyncio.gather(
        hand_on("client", client, server),
        hand_on("server", server, client),
    )


def line_of(sender: str, message: str | bytes) -> str:
    """A message as one line of a recording."""
    written = {"from": sender, "message": shortened(json.loads(message))}
    return json.dumps(written, ensure_ascii=False) + "\n"


def shortened(value: Any) -> Any:
    """A message with only the beginning of each sound and image."""
    if isinstance(value, Mapping):
        return dict(_shortened_fields(value))
    return [shortened(held) for held in value] if isinstance(value, list) else value


def _shortened_fields(message: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, held in message.items():
        if name == "data" and isinstance(held, str) and len(held) > _KEPT_CHARACTERS:
            yield name, held[:_KEPT_CHARACTERS] + CUT
        else:
            yield name, shortened(held)
