"""A small server that answers a replay's call: a real aiortc peer behind the real signalling paths.

It detects speech by energy, answers with a tone 500 ms after the caller falls silent, can be
interrupted by speech, and reports its actions on the channel. It shares no code with the product.
"""

from __future__ import annotations

import asyncio
import contextlib
import fractions
import functools
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import av
import numpy as np
import uvicorn
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from tests.support.waiting import until

ANSWER_AFTER_MS = 500


@dataclass
class Behaviour:
    """How the server behaves; with the defaults, a call succeeds."""

    says_ready: bool = True
    ready: dict[str, Any] = field(default_factory=dict)
    answers: bool = True
    answer_ms: int = 600
    next_answer_ms: int | None = None
    """The length of every answer but the first, if it differs."""
    refuses: tuple[int, dict[str, Any], dict[str, str]] | None = None
    leaves_after_ready: bool = False
    token: str | None = None
    info: dict[str, Any] | None = None
    change_answer: Callable[[str], str] = lambda sdp: sdp
    ends_when_asked: dict[str, Any] | None = None
    drops_when_asked: bool = False
    breaks_off: dict[str, Any] | None = None
    words: list[dict[str, Any]] = field(default_factory=list)
    responds: bool = False


@functools.cache
def encoded(level: int) -> bytes:
    """20 ms of a tone in a packet that may repeat: encoding each would be most of a call's CPU."""
    codec = av.AudioCodecContext.create("libopus", "w")
    codec.format, codec.layout, codec.sample_rate = "s16", "mono", 48_000
    tone = np.sin(2 * np.pi * 600 * np.arange(960) / 48_000) * level
    frame = av.AudioFrame.from_ndarray(tone.astype(np.int16)[None], format="s16", layout="mono")
    frame.sample_rate = 48_000
    packets = []
    for n in range(10):
        frame.pts = 960 * n
        packets += codec.encode(frame)
    return bytes(packets[-1])


class ToneTrack(MediaStreamTrack):
    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self.pending = 0
        self._n, self._start = 0, 0.0

    async def recv(self) -> av.Packet:
        if self.readyState != "live":
            raise MediaStreamError
        self._start = self._start or time.monotonic()
        await asyncio.sleep(max(0.0, self._start + self._n * 0.02 - time.monotonic()))
        packet = av.Packet(encoded(12_000 if self.pending > 0 else 0))
        self.pending -= 1
        packet.pts, packet.time_base = self._n * 960, fractions.Fraction(1, 48_000)
        self._n += 1
        return packet


class AnsweringCall:
    def __init__(self, behaviour: Behaviour) -> None:
        self.behaviour = behaviour
        self.answer_ms = behaviour.answer_ms
        self.peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.voice = ToneTrack()
        self.channel: Any = None
        self.received: list[dict[str, Any]] = []
        self.frames: list[float] = []
        self.frame_lumas: list[float] = []
        self.tasks: list[asyncio.Task[None]] = []
        self.peer.on("track", self._on_track)
        self.peer.on("datachannel", self._on_channel)

    async def accept(self, sdp: str) -> str:
        await self.peer.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
        for transceiver in self.peer.getTransceivers():
            if transceiver.kind == "audio":
                transceiver.sender.replaceTrack(self.voice)
                transceiver.direction = "sendrecv"
        await self.peer.setLocalDescription(await self.peer.createAnswer())
        return self.peer.localDescription.sdp

    async def close(self) -> None:
        self.voice.stop()
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self.peer.close()

    def say(self, rtvi_type: str, /, **data: Any) -> None:
        self.send({"label": "rtvi-ai", "type": rtvi_type, "id": "x", "data": data})

    def send(self, message: dict[str, Any]) -> None:
        if self.channel is not None and self.channel.readyState == "open":
            self.channel.send(json.dumps(message))

    def _stop_speaking(self) -> None:
        """Interrupt an answer that is being played, as the product does for speech and text."""
        if self.voice.pending > 0:
            self.voice.pending = 0
            self.say("server-message", kind="interrupted")

    def answer(self, question: str) -> None:
        if not self.behaviour.answers:
            return
        self.voice.pending = self.answer_ms // 20
        if self.behaviour.next_answer_ms is not None:
            self.answer_ms = self.behaviour.next_answer_ms
        self.say("server-message", kind="frame_at_speech_end", age_ms=120)
        self.say("user-transcription", text=question, final=True, timestamp="", user_id="")
        self.say("bot-tts-text", text="I hear ")
        self.say("bot-tts-text", text="you.")
        if self.behaviour.breaks_off:
            self.tasks.append(asyncio.create_task(self._break_off(self.behaviour.breaks_off)))
            return
        self.say("bot-transcription", text="I hear you.")
        self.say("server-message", kind="turn_complete")

    async def _break_off(self, words: dict[str, Any]) -> None:
        """Send this message once half a second of the answer has been sent."""
        await until(lambda: self.voice.pending <= (self.behaviour.answer_ms - 500) // 20)
        self.send(words)

    def _on_channel(self, channel: Any) -> None:
        self.channel = channel
        channel.on("message", self._on_message)

    def _on_message(self, text: str) -> None:
        message = json.loads(text)
        self.received.append(message)
        if message["type"] == "client-ready" and self.behaviour.says_ready:
            ready = {"label": "rtvi-ai", "type": "bot-ready", "id": message["id"]}
            self.send(ready | {"data": self.behaviour.ready})
            for words in self.behaviour.words:
                self.send(words)
            if self.behaviour.leaves_after_ready:
                self.send({"type": "signalling", "message": {"type": "peerLeft"}})
        elif message["type"] == "client-message" and self.behaviour.responds:
            self.say("server-response", t=message["data"]["t"], d={})
        elif message["type"] == "send-text" and self.behaviour.ends_when_asked:
            self.send(self.behaviour.ends_when_asked)
            self.channel.close()
        elif message["type"] == "send-text" and self.behaviour.drops_when_asked:
            self.tasks.append(asyncio.create_task(self.peer.close()))
        elif message["type"] == "send-text":
            self._stop_speaking()
            self.answer(message["data"]["content"])

    def _on_track(self, track: MediaStreamTrack) -> None:
        run = self._receive_audio(track) if track.kind == "audio" else self._receive_video(track)
        self.tasks.append(asyncio.create_task(run))

    async def _receive_video(self, track: MediaStreamTrack) -> None:
        with contextlib.suppress(MediaStreamError):
            while True:
                frame = await track.recv()
                self.frame_lumas.append(float(np.mean(np.frombuffer(frame.planes[0], np.uint8))))
                self.frames.append(time.monotonic())
                if len(self.frames) in (1, 30):
                    self.say("server-message", kind="frame", bytes=1000, width=2, height=2)

    async def _receive_audio(self, track: MediaStreamTrack) -> None:
        quiet_ms, talking = 0, False
        with contextlib.suppress(MediaStreamError):
            while True:
                samples = (await track.recv()).to_ndarray()
                if np.abs(samples).max() > 1500:
                    quiet_ms = 0
                    if not talking:
                        self._stop_speaking()
                    talking = True
                else:
                    quiet_ms += 20
                    if talking and quiet_ms >= ANSWER_AFTER_MS:
                        talking = False
                        self.answer("something was said")


class AnsweringServer:
    """Attributes: `url`; `calls` taken, `asked`, their options; `goodbyes`, those hung up."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.behaviour = behaviour
        self.url = ""
        self.web: uvicorn.Server | None = None
        self.calls: list[AnsweringCall] = []
        self.goodbyes: list[str] = []
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.asked: list[dict[str, Any]] = []
        self.app = FastAPI()
        self.app.get("/api/info")(self._info)
        self.app.post("/api/offer")(self._offer)
        self.app.delete("/api/offer/{pc_id}")(self._goodbye)

    async def _info(self, request: Request) -> Response:
        self.requests.append(("info", dict(request.headers)))
        info = self.behaviour.info
        return Response(status_code=404) if info is None else JSONResponse(info)

    async def _offer(self, request: Request) -> Response:
        self.requests.append(("offer", dict(request.headers)))
        behaviour = self.behaviour
        if behaviour.token and request.headers.get("Authorization") != f"Bearer {behaviour.token}":
            return JSONResponse({"error": "The access token is wrong."}, 401)
        if behaviour.refuses:
            status, body, headers = behaviour.refuses
            return JSONResponse(body, status, headers)
        offer = await request.json()
        self.asked.append(offer.get("requestData"))
        call = AnsweringCall(behaviour)
        self.calls.append(call)
        sdp = behaviour.change_answer(await call.accept(offer["sdp"]))
        return JSONResponse({"sdp": sdp, "type": "answer", "pc_id": f"call-{len(self.calls)}"})

    async def _goodbye(self, pc_id: str, request: Request) -> Response:
        self.requests.append(("goodbye", dict(request.headers)))
        self.goodbyes.append(pc_id)
        return Response(status_code=204)


@contextlib.asynccontextmanager
async def answering_server(behaviour: Behaviour | None = None) -> AsyncIterator[AnsweringServer]:
    server = AnsweringServer(behaviour or Behaviour())
    config = uvicorn.Config(server.app, host="127.0.0.1", port=0, log_level="warning")
    web = uvicorn.Server(config)
    serving = asyncio.create_task(web._serve())
    await until(lambda: web.started)
    server.web = web
    server.url = f"http://127.0.0.1:{web.servers[0].sockets[0].getsockname()[1]}"
    try:
        yield server
    finally:
        for call in server.calls:
            await call.close()
        web.should_exit = True
        await serving
