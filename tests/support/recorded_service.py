"""A Live API that plays the server's half of recorded sessions, over a real socket with TLS.

It sends the recorded server's messages in their order, and waits for the client at the same places:
for a question, for sound, for the results of tools. Any client may connect.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import numpy as np
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from tests.support.recorded_sessions import CLOSE, CUT, PAUSE, RecordedSession
from vision_agent.local.certificate import make_tls

RATE_HZ = 24_000
WAIT_S = 15.0
"""The longest wait for a step of the recorded client; only a fault takes longer."""

PAUSE_CHUNKS = 15
"""The number of silent chunks that end an utterance; a chunk is 20 ms of our caller's sound."""


def _rising_tone() -> bytes:
    """60 s of a tone that rises from 300 Hz by 60 Hz a second, s16le mono: no part is repeated."""
    t = np.arange(60 * RATE_HZ) / RATE_HZ
    return (np.sin(2 * np.pi * (300 * t + 30 * t * t)) * 12_000).astype("<i2").tobytes()


VOICE = _rising_tone()


class Playing:
    """One recorded session that is played to one client.

    Args:
        session: The recording.
        sizes: The sizes of the pieces of sound, in bytes, over and over.

    Attributes:
        wanted: The messages of the recorded client that are awaited now; None at the end.
        received: The client's messages.
        connections: How often a client has connected. Only the first one is played to.
        voice: The sound that was sent.
        stuck: The step that the client has not done in time; None if it has done all.
    """

    def __init__(self, session: RecordedSession, sizes: Sequence[int]) -> None:
        self.session = session
        self.wanted: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        self.received: list[dict[str, Any]] = []
        self.connections = 0
        self.voice = b""
        self.stuck: dict[str, Any] | None = None
        self._sizes = sizes
        self._pieces = 0
        self._news = asyncio.Condition()

    async def play(self, socket: ServerConnection) -> None:
        """Play all of it, and then listen until the client hangs up."""
        questions = sounds = 0
        reading = asyncio.create_task(self._read(socket))
        try:
            for line in self.session.messages:
                if line.sender == "server" and CLOSE in line.message:
                    await socket.close(*line.message[CLOSE])
                    return
                if line.sender == "server" and PAUSE in line.message:
                    await asyncio.sleep(line.message[PAUSE])
                elif line.sender == "server":
                    await socket.send(json.dumps(self._whole(line.message)).encode())
                if line.sender == "server":
                    continue
                kind = kind_of(line.message)
                questions += kind == "question"
                sounds += kind == "sound"
                if kind == "question":
                    await self._until(line.message, partial(self._has_asked, questions))
                elif kind == "sound" and sounds == 1:
                    await self._until(line.message, self._has_spoken)
                elif kind == "results":
                    ids = set(result_ids(line.message))
                    await self._until(line.message, partial(self._has_results, ids))
            self.wanted.put_nowait(None)
            await reading
        finally:
            self.wanted.put_nowait(None)
            reading.cancel()

    def count(self, kind: str) -> int:
        """How many messages of a kind the client has sent."""
        return sum(kind_of(message) == kind for message in self.received)

    @property
    def result_ids(self) -> set[str]:
        """The calls whose results the client has sent."""
        return {each for message in self.received for each in result_ids(message)}

    async def _read(self, socket: ServerConnection) -> None:
        try:
            async for text in socket:
                self.received.append(json.loads(text))
                async with self._news:
                    self._news.notify_all()
        except ConnectionClosed:
            pass

    def _has_asked(self, questions: int) -> bool:
        return self.count("question") >= questions

    def _has_spoken(self) -> bool:
        """Whether a loud sound and then a pause have come."""
        loud = [self._is_loud(message) for message in self.received if kind_of(message) == "sound"]
        return any(loud) and not any(loud[-PAUSE_CHUNKS:])

    @staticmethod
    def _is_loud(message: dict[str, Any]) -> bool:
        pcm = base64.urlsafe_b64decode(_blob(message)["data"])
        return bool(np.abs(np.frombuffer(pcm, "<i2").astype(int)).max(initial=0) > 2000)

    def _has_results(self, ids: set[str]) -> bool:
        return ids <= self.result_ids

    async def _until(self, message: dict[str, Any], holds: Callable[[], bool]) -> None:
        self.wanted.put_nowait(message)
        self.stuck = message
        async with asyncio.timeout(WAIT_S), self._news:
            await self._news.wait_for(holds)
        self.stuck = None

    def _whole(self, value: Any) -> Any:
        """A message whose sound is completed if the recording has only its beginning."""
        if isinstance(value, dict):
            return {name: self._whole(each) for name, each in value.items()}
        if isinstance(value, list):
            return [self._whole(each) for each in value]
        return self._sound() if isinstance(value, str) and value.endswith(CUT) else value

    def _sound(self) -> str:
        size = self._sizes[self._pieces % len(self._sizes)]
        self._pieces += 1
        piece = VOICE[len(self.voice) : len(self.voice) + size]
        assert len(piece) == size, "the recording needs more sound than there is"
        self.voice += piece
        return base64.b64encode(piece).decode()


class RecordedService:
    """Plays recorded sessions, each to the client that names it as its API key or token."""

    def __init__(self, certificate_pem: str) -> None:
        self.certificate_pem = certificate_pem
        self.port = 0
        self._playing: dict[str, Playing] = {}

    def add(self, name: str, session: RecordedSession, sizes: Sequence[int] = (1920,)) -> Playing:
        """Have a recording ready for the client that connects with ``name``."""
        self._playing[name] = Playing(session, sizes)
        return self._playing[name]

    async def answer(self, socket: ServerConnection) -> None:
        """Take one connection."""
        headers = socket.request.headers if socket.request else {}
        token = headers.get("Authorization", "").removeprefix("Bearer ")
        playing = self._playing[headers.get("x-goog-api-key") or token]
        playing.connections += 1
        if playing.connections == 1:
            await playing.play(socket)
        else:
            await socket.close(1008, "only one connection was expected")


def kind_of(message: dict[str, Any]) -> str:
    """The kind of a client's message, in either spelling of its fields and in any form."""
    content = message.get("clientContent") or message.get("client_content")
    if content is not None:
        ends = content.get("turnComplete", content.get("turn_complete", False))
        return "question" if ends else "context"
    if "text" in _realtime(message):
        return "question"
    if blob := _blob(message):
        mime_type = blob.get("mimeType", blob.get("mime_type", ""))
        return "sound" if mime_type.startswith("audio/") else "other"
    return "results" if _results(message) is not None else "other"


def result_ids(message: dict[str, Any]) -> list[str]:
    """The ids of the tool calls whose results a client's message holds."""
    results = _results(message) or {}
    found = results.get("functionResponses") or results.get("function_responses") or []
    return [each.get("id") or each["name"] for each in found]


def _realtime(message: dict[str, Any]) -> dict[str, Any]:
    return message.get("realtimeInput") or message.get("realtime_input") or {}


def _blob(message: dict[str, Any]) -> dict[str, Any]:
    sent = _realtime(message)
    chunks = sent.get("mediaChunks") or sent.get("media_chunks") or [{}]
    return sent.get("audio") or sent.get("media") or chunks[0]


def _results(message: dict[str, Any]) -> dict[str, Any] | None:
    return message.get("toolResponse") or message.get("tool_response")


@asynccontextmanager
async def recorded_service() -> AsyncIterator[RecordedService]:
    """The service, on a free port of the loopback interface."""
    tls, certificate_pem = make_tls()
    service = RecordedService(certificate_pem)
    server: Server = await serve(service.answer, "127.0.0.1", 0, ssl=tls, max_size=None)
    service.port = server.sockets[0].getsockname()[1]
    try:
        yield service
    finally:
        server.close()
        await server.wait_closed()
