"""vision_agent's own media path with the stub in place of the model.

Peer, Microphone, Camera and Speaker do the same job as the floor and FastRTC, plus what the product
does to every chunk besides: its voice activity. What is left out is everything of the model's side;
`vision-agent serve` is a row of its own in the benchmark.

    python media_server.py --port 7861 [--job echo]
"""

# The methods are what frameworks call; their names say all there is.
# ruff: noqa: D102

import argparse
import asyncio

import numpy as np
import uvicorn
from fastapi import FastAPI
from stub import ANSWER_CHUNKS, Turns, is_loud, to_24k

from vision_agent.rtc import (
    Camera,
    Frame,
    Microphone,
    Offer,
    Peer,
    Speaker,
    VoiceActivity,
    install,
)

stats = {"calls": 0, "audio_ms": 0, "jpegs": 0, "jpeg_bytes": 0}
calls = set()


class StubCall:
    """What `vision_agent.calls.call.Call` is in the product: it plugs the parts together."""

    def __init__(self, job: str) -> None:
        self.job = job
        self.turns, self.activity = Turns(), VoiceActivity()
        self.speaker = Speaker()
        self.microphone = Microphone(self.on_chunk)
        self.camera = Camera(self.on_frame)
        self.peer = Peer(self, self.speaker)
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


def make_app(job: str) -> FastAPI:
    app = FastAPI()

    @app.post("/offer")
    async def offer(body: dict):
        stats["calls"] += 1
        call = StubCall(job)
        calls.add(call)
        return {"sdp": await call.peer.accept(Offer.parse(body["sdp"])), "type": "answer"}

    @app.get("/stats")
    def get_stats():
        return stats

    return app


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--port", type=int, default=7861)
    parser.add_argument("--job", choices=("talk", "echo"), default="talk")
    args = parser.parse_args()
    install()
    uvicorn.run(make_app(args.job), host="127.0.0.1", port=args.port, log_level="warning")
