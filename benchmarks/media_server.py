"""The product's media path with the stub in place of the model.

Peer, Microphone, Camera and Speaker do the same job as the floor and FastRTC, plus what the product
does to every chunk besides: its voice activity. What is left out is everything of the model's side;
`vision-agent serve` is a row of its own in the benchmark.

    python media_server.py --port 7861 [--job echo] [--own-ports]

As in the product, all calls share one UDP port; with --own-ports each has its own.
"""

# Frameworks call the methods, whose names need no docstrings.
# ruff: noqa: D102

import argparse
import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
import uvicorn
from fastapi import FastAPI
from stub import ANSWER_CHUNKS, Turns, is_loud, to_24k

from vision_agent.rtc import (
    Camera,
    Frame,
    Microphone,
    Network,
    Offer,
    Peer,
    Speaker,
    VoiceActivity,
    install,
)
from vision_agent.rtc.udp_ports import OnePort

stats = {"calls": 0, "audio_ms": 0, "jpegs": 0, "jpeg_bytes": 0}
calls = set()
late_ms: list[float] = []


class TimedVoice(Speaker):
    """Notes how late each packet of the voice is sent."""

    due_s = 0.0

    def due_in_s(self, now_s: float) -> float:
        wait_s = super().due_in_s(now_s)
        self.due_s = now_s + wait_s
        return wait_s

    def payload(self, now_s: float) -> bytes:
        late_ms.append(1000 * (now_s - self.due_s))
        return super().payload(now_s)


class StubCall:
    """Connects the parts, as `vision_agent.calls.call.Call` does in the product."""

    def __init__(self, job: str, network: Network) -> None:
        self.job = job
        self.turns, self.activity = Turns(), VoiceActivity()
        self.speaker = TimedVoice()
        self.microphone = Microphone(self.on_chunk)
        self.camera = Camera(self.on_frame)
        self.peer = Peer(self, self.speaker, network=network)
        self.tasks: list[asyncio.Task[None]] = []

    def on_chunk(self, chunk: bytes) -> None:
        stats["audio_ms"] += 20
        self.activity.feed(chunk)
        samples = np.frombuffer(chunk, np.int16)
        if self.job == "echo":
            if is_loud(samples):
                self.speaker.write(to_24k(samples).tobytes())
            return
        what = self.turns.feed(samples)
        if what == "answer":
            self.speaker.write(self.turns.tone.tobytes() * ANSWER_CHUNKS)
        elif what == "flush":
            self.speaker.clear()

    def on_frame(self, frame: Frame) -> None:
        stats["jpegs"] += 1
        stats["jpeg_bytes"] += len(frame.jpeg)

    def on_microphone(self, track) -> None:
        self.tasks.append(asyncio.create_task(self.microphone.run(track)))

    def on_camera(self, track) -> None:
        self.tasks.append(asyncio.create_task(self.camera.run(track)))

    def on_screen(self, track) -> None:
        pass

    def on_channel(self, channel) -> None:
        pass

    def on_connected(self) -> None:
        pass

    def on_closed(self, reason: str) -> None:
        calls.discard(self)


def make_app(job: str, port: OnePort | None) -> FastAPI:
    @asynccontextmanager
    async def running(app: FastAPI) -> AsyncIterator[None]:
        if port is not None:
            port.bind(network.addresses([]))
            await port.start()
        yield

    network = Network("127.0.0.1", ports=port)
    app = FastAPI(lifespan=running)

    @app.post("/offer")
    async def offer(body: dict):
        stats["calls"] += 1
        call = StubCall(job, network)
        calls.add(call)
        return {"sdp": await call.peer.accept(Offer.parse(body["sdp"])), "type": "answer"}

    @app.get("/stats")
    def get_stats():
        return stats

    @app.get("/late_ms")
    def get_late_ms():
        """How late packets were since the last request: median, 99th percentile, maximum."""
        found = [float(np.percentile(late_ms or [0], q)) for q in (50, 99, 100)]
        late_ms.clear()
        return found

    return app


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--port", type=int, default=7861)
    parser.add_argument("--job", choices=("talk", "echo"), default="talk")
    parser.add_argument("--own-ports", action="store_true")
    args = parser.parse_args()
    install()
    port = None if args.own_ports else OnePort(0, needed=True)
    uvicorn.run(make_app(args.job, port), host="127.0.0.1", port=args.port, log_level="warning")
