"""The floor: the stub's job on bare aiortc, done as plainly as possible.

Drain the video, keep the newest frame, make it a JPEG once a second in a thread; resample sound
with PyAV; a reply track of frames paced at 20 ms. Stock aiortc throughout, its jitter buffer too.

    python floor_server.py --port 7861 [--job echo]
"""

# Frameworks call the methods, whose names need no docstrings.
# ruff: noqa: D101, D102

import argparse
import asyncio
import contextlib
import fractions
import io
import time
from collections import deque

import av
import uvicorn
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError
from fastapi import FastAPI
from stub import (
    ANSWER_CHUNKS,
    QUIET_CHUNK,
    RATE_IN_HZ,
    RATE_OUT_HZ,
    Turns,
    is_loud,
    only_loopback,
    to_24k,
)

stats = {"calls": 0, "audio_ms": 0, "frames": 0, "jpegs": 0}
running = set()


class Voice(MediaStreamTrack):
    kind = "audio"

    def __init__(self):
        super().__init__()
        self.waiting = deque()
        self.sent, self.start = 0, None

    async def recv(self):
        if self.readyState != "live":
            raise MediaStreamError
        self.start = self.start or time.monotonic()
        await asyncio.sleep(max(0, self.start + self.sent * 0.02 - time.monotonic()))
        samples = self.waiting.popleft() if self.waiting else QUIET_CHUNK
        frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
        frame.sample_rate, frame.pts = RATE_OUT_HZ, self.sent * len(samples)
        frame.time_base = fractions.Fraction(1, RATE_OUT_HZ)
        self.sent += 1
        return frame


async def hear(track, voice, job):
    resampler, turns = av.AudioResampler("s16", "mono", RATE_IN_HZ), Turns()
    with contextlib.suppress(MediaStreamError):
        while True:
            for frame in resampler.resample(await track.recv()):
                samples = frame.to_ndarray()[0]
                stats["audio_ms"] += len(samples) * 1000 // RATE_IN_HZ
                if job == "echo":
                    if is_loud(samples):
                        voice.waiting.append(to_24k(samples))
                    continue
                what = turns.feed(samples)
                if what == "answer":
                    voice.waiting.extend([turns.tone] * ANSWER_CHUNKS)
                elif what == "flush":
                    voice.waiting.clear()


async def see(track):
    newest = None

    async def send():
        while True:
            await asyncio.sleep(1)
            if newest is not None:
                await asyncio.to_thread(jpeg, newest)
                stats["jpegs"] += 1

    sending = asyncio.create_task(send())
    try:
        while True:
            newest = await track.recv()
            stats["frames"] += 1
    except MediaStreamError:
        sending.cancel()


def jpeg(frame):
    out = io.BytesIO()
    frame.to_image().save(out, "JPEG")
    return out.getvalue()


def make_app(job):
    app = FastAPI()

    @app.post("/offer")
    async def offer(body: dict):
        stats["calls"] += 1
        pc, voice = RTCPeerConnection(RTCConfiguration(iceServers=[])), Voice()

        @pc.on("track")
        def on_track(track):
            if track.kind == "audio":
                pc.addTrack(voice)
            task = asyncio.create_task(
                hear(track, voice, job) if track.kind == "audio" else see(track)
            )
            running.add(task)
            task.add_done_callback(running.discard)

        await pc.setRemoteDescription(RTCSessionDescription(body["sdp"], body["type"]))
        await pc.setLocalDescription(await pc.createAnswer())
        return {"sdp": pc.localDescription.sdp, "type": pc.localDescription.type}

    @app.get("/stats")
    def get_stats():
        return stats

    return app


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--port", type=int, default=7861)
    parser.add_argument("--job", choices=("talk", "echo"), default="talk")
    args = parser.parse_args()
    only_loopback()
    uvicorn.run(make_app(args.job), host="127.0.0.1", port=args.port, log_level="warning")
