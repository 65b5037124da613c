"""A server with OpenAI's interfaces for transcriptions and speech, controlled by a test.

It uses no code of the product.
"""

from __future__ import annotations

import io
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.support.openai_server import openai_server


@dataclass
class AudioServer:
    """A running server.

    Attributes:
        hears: The answer to a transcription: its words, or a response.
        says: The bytes of a sentence's sound, or a response.
        kind: The sound's content type.
        lists: The models it lists; None: it has no such list.
        heard: The WAV files it was sent, as ``(rate_hz, channels, pcm)``.
        asked: The fields of every request.
        headers: The headers of every request.
    """

    hears: str | web.Response = ""
    says: bytes | web.Response = b""
    kind: str = "audio/pcm"
    lists: list[str] | None = field(default_factory=lambda: ["tiny"])
    heard: list[tuple[int, int, bytes]] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    url: str = ""

    async def models(self, request: web.Request) -> web.Response:
        if self.lists is None:
            raise web.HTTPNotFound
        return web.json_response({"object": "list", "data": [{"id": one} for one in self.lists]})

    async def transcriptions(self, request: web.Request) -> web.Response:
        form = await request.post()
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        self.asked.append({name: value for name, value in form.items() if name != "file"})
        file = form["file"]
        assert isinstance(file, web.FileField)
        with wave.open(io.BytesIO(file.file.read())) as sound:
            pcm = sound.readframes(sound.getnframes())
            self.heard.append((sound.getframerate(), sound.getnchannels(), pcm))
        if isinstance(self.hears, web.Response):
            return self.hears
        return web.json_response({"text": self.hears})

    async def speech(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(await request.json())
        if isinstance(self.says, web.Response):
            return self.says
        response = web.StreamResponse(headers={"Content-Type": self.kind})
        await response.prepare(request)
        # In pieces of an odd length, so that samples are cut in two.
        for at in range(0, len(self.says), 4097):
            await response.write(self.says[at : at + 4097])
        return response


@asynccontextmanager
async def audio_server() -> AsyncIterator[AudioServer]:
    server = AudioServer()
    async with openai_server(
        web.get("/v1/models", server.models),
        web.post("/v1/audio/transcriptions", server.transcriptions),
        web.post("/v1/audio/speech", server.speech),
    ) as server.url:
        yield server
