"""FastRTC's audio-video handler, as its Gemini demo uses it, with the stub in place of the model.

As in the demo, the caller's own frames are sent back at 30 a second: without an outgoing video,
FastRTC never calls `video_receive`. Runs in an environment of its own that has fastrtc:

    <python with fastrtc> fastrtc_server.py --port 7861 [--job echo]
"""

# Frameworks call the methods, whose names need no docstrings.
# ruff: noqa: D101, D102

import argparse
import asyncio
import io
import os
import time

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import numpy as np
import uvicorn
from fastapi import FastAPI
from fastrtc import AsyncAudioVideoStreamHandler, Stream, wait_for_item
from PIL import Image
from stub import (
    ANSWER_CHUNKS,
    RATE_IN_HZ,
    RATE_OUT_HZ,
    Turns,
    is_loud,
    only_loopback,
    to_24k,
)

stats = {"calls": 0, "audio_ms": 0, "frames": 0, "jpegs": 0}


class StubHandler(AsyncAudioVideoStreamHandler):
    def __init__(self, job):
        super().__init__(
            "mono", output_sample_rate=RATE_OUT_HZ, input_sample_rate=RATE_IN_HZ, fps=30
        )
        self.job = job
        self.audio_queue, self.video_queue = asyncio.Queue(), asyncio.Queue()
        self.turns = Turns()
        self.last_jpeg = 0.0

    def copy(self):
        return StubHandler(self.job)

    async def start_up(self):
        stats["calls"] += 1

    async def receive(self, frame):
        samples = frame[1].reshape(-1)
        stats["audio_ms"] += len(samples) * 1000 // RATE_IN_HZ
        if self.job == "echo":
            if is_loud(samples):
                self.audio_queue.put_nowait(to_24k(samples)[None])
            return
        what = self.turns.feed(samples)
        if what == "answer":
            for _ in range(ANSWER_CHUNKS):
                self.audio_queue.put_nowait(self.turns.tone[None])
        elif what == "flush":
            self.audio_queue = asyncio.Queue()
            self.clear_queue()

    async def emit(self):
        samples = await wait_for_item(self.audio_queue, 0.01)
        return None if samples is None else (RATE_OUT_HZ, samples)

    async def video_receive(self, frame):
        stats["frames"] += 1
        self.video_queue.put_nowait(frame)
        if time.time() - self.last_jpeg > 1:
            self.last_jpeg = time.time()
            Image.fromarray(frame).save(io.BytesIO(), "JPEG")
            stats["jpegs"] += 1

    async def video_emit(self):
        frame = await wait_for_item(self.video_queue, 0.01)
        return np.zeros((100, 100, 3), np.uint8) if frame is None else frame


def make_app(job, most_calls):
    stream = Stream(
        handler=StubHandler(job),
        modality="audio-video",
        mode="send-receive",
        concurrency_limit=most_calls,
        server_rtc_configuration={"iceServers": []},
    )
    app = FastAPI()
    stream.mount(app)

    @app.get("/stats")
    def get_stats():
        return stats

    return app


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--port", type=int, default=7861)
    parser.add_argument("--job", choices=("talk", "echo"), default="talk")
    parser.add_argument("--most-calls", type=int, default=32)
    args = parser.parse_args()
    only_loopback()
    app = make_app(args.job, args.most_calls)
    uvicorn.run(app, host="127.0.0.1", port=args.port, log_level="warning")
