"""The caller every server is measured with: a real aiortc peer in a process of its own.

It sends 640x480 VP8 made from a recording (encoded live, so it obeys key frame requests and
bitrate estimates) and a microphone: silence with a burst of 200 ms of a 450 Hz sine every
`--burst-every` seconds, or with `--say` a sound file again and again. Its audio clock is 0.1 %
slow, so within 20 s the bursts meet every phase of the server's 20 ms clock.

All times are taken at the wire: when a packet arrived, not when aiortc's jitter buffer gave it
out 80 ms later. Prints two lines of JSON: `{"connected_ms": …}`, and the figures at the end:

  reply_ms   question (onset of an odd burst, or end of the spoken sound) → first packet of the
             answer
  flush_ms   onset of an even burst, which interrupts → last packet of that answer
  stale      packets of an interrupted answer that came when the next one was asked for
  echo_ms    onset of any burst → first voiced packet (`--job echo`)
  gap_ms     between two audio packets: median, 99th percentile, worst

    python caller.py --url http://127.0.0.1:7861/offer --seconds 20
"""

# Frameworks call the methods, whose names need no docstrings.
# ruff: noqa: D102

import argparse
import asyncio
import fractions
import json
import sys
import time
import urllib.request
import uuid
from pathlib import Path

import av
import numpy as np
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError
from stub import TONES_HZ, only_loopback

from vision_agent.caller.aiortc_patches import watch_arrivals
from vision_agent.caller.recording import read_sound
from vision_agent.caller.rtvi import client_ready
from vision_agent.caller.utterances import utterances

RATE_HZ = 48_000
FRAME = RATE_HZ // 50
FRAME_S = 0.02 * 1.001
LEAD_IN_S = 2.0
VOICED = 1500  # of 32767


class Camera(MediaStreamTrack):
    """The recording's frames in a loop, scaled once."""

    kind = "video"

    def __init__(self, path, width, height, fps, most=90):
        super().__init__()
        self.fps, self.sent, self.start, self.frames = fps, 0, None, []
        with av.open(str(path)) as container:
            for frame in container.decode(video=0):
                self.frames.append(frame.reformat(width, height, "yuv420p"))
                if len(self.frames) == most:
                    break

    async def recv(self):
        if self.readyState != "live":
            raise MediaStreamError
        self.start = self.start or time.monotonic()
        await asyncio.sleep(max(0, self.start + self.sent / self.fps - time.monotonic()))
        # At 2 fps, consecutive frames must differ as much as a camera's would.
        frame = self.frames[int(self.sent * 30 / self.fps) % len(self.frames)]
        frame.pts = int(self.sent * 90_000 / self.fps)
        frame.time_base = fractions.Fraction(1, 90_000)
        self.sent += 1
        return frame


class Microphone(MediaStreamTrack):
    """Repeats bursts or a sound, and notes when each began and ended."""

    kind = "audio"

    def __init__(self, sound, voiced_samples, every_s):
        super().__init__()
        self.sound, self.voiced_end = sound, voiced_samples
        self.every = max(int(every_s / 0.02), -(-len(sound) // FRAME) + 1)
        self.sent, self.due, self.onsets, self.ends = 0, None, [], []

    async def recv(self):
        if self.readyState != "live":
            raise MediaStreamError
        self.due = time.monotonic() if self.due is None else self.due + FRAME_S
        await asyncio.sleep(max(0, self.due - time.monotonic()))
        turn = self.sent - int(LEAD_IN_S / 0.02)
        at = turn % self.every * FRAME if turn >= 0 else len(self.sound)
        samples = np.zeros(FRAME, np.int16)
        piece = self.sound[at : at + FRAME]
        samples[: len(piece)] = piece
        if at == 0:
            self.onsets.append(time.monotonic())
        if at < self.voiced_end <= at + FRAME:
            self.ends.append(time.monotonic())
        frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
        frame.sample_rate, frame.pts = RATE_HZ, self.sent * FRAME
        frame.time_base = fractions.Fraction(1, RATE_HZ)
        self.sent += 1
        return frame


class Ear:
    """Receives the server's tracks; keeps (arrival, tone, voiced) of each audio packet."""

    def __init__(self):
        self.heard, self.arrived, self.arrival, self.first = [], [], {}, None

    def note(self, timestamp):
        self.first = timestamp if self.first is None else self.first
        now = time.monotonic()
        self.arrived.append(now)
        self.arrival[(timestamp - self.first) & 0xFFFFFFFF] = now

    async def run(self, track):
        try:
            while True:
                frame = await track.recv()
                if track.kind == "audio":
                    at = self.arrival.pop(frame.pts, None) or time.monotonic()
                    samples = frame.to_ndarray().reshape(-1)[:: len(frame.layout.channels)]
                    voiced = int(np.abs(samples.astype(np.int32)).max()) > VOICED
                    self.heard.append((at, tone_of(samples) if voiced else None, voiced))
        except MediaStreamError:
            pass


def tone_of(samples):
    """Which of the stub's tones 20 ms hold, by their zero crossings; None for any other sound."""
    hz = (np.diff(np.signbit(samples)) != 0).sum() / 2 / (len(samples) / RATE_HZ)
    nearest = min(range(len(TONES_HZ)), key=lambda i: abs(TONES_HZ[i] - hz))
    return nearest if abs(TONES_HZ[nearest] - hz) < 90 else None


def burst():
    times = np.arange(RATE_HZ // 5) / RATE_HZ
    return (np.sin(2 * np.pi * 450 * times) * 16_000).astype(np.int16)


def talk_figures(onsets, heard, every_s):
    """Odd bursts ask, even ones interrupt; see stub.py."""
    replies, flushes, stale = [], [], 0
    for i, onset in enumerate(onsets):
        tone = i // 2 % len(TONES_HZ)
        played = [at for at, x, _ in heard if x == tone]
        times = [at for at in played if onset <= at < onset + every_s]
        if i % 2 == 0 and times:
            replies.append(1000 * (times[0] - onset))
        elif i % 2 and times:
            flushes.append(1000 * (times[-1] - onset))
            stale += sum(onset + every_s <= at < onset + 2 * every_s for at in played)
    return {"reply_ms": replies, "flush_ms": flushes, "stale": stale}


def echo_figures(onsets, heard, every_s):
    firsts = [
        next((at for at, _, voiced in heard if voiced and onset <= at < onset + every_s), None)
        for onset in onsets
    ]
    return {
        "echo_ms": [1000 * (a - b) for a, b in zip(firsts, onsets, strict=True) if a is not None],
        "lost": sum(first is None for first in firsts),
    }


def speech_figures(ends, onsets, heard):
    """From the end of each spoken question to the first voiced packet before the next one."""
    replies = []
    for i, end in enumerate(ends):
        until = onsets[i + 1] if i + 1 < len(onsets) else float("inf")
        first = next((at for at, _, voiced in heard if voiced and end <= at < until), None)
        if first is not None:
            replies.append(1000 * (first - end))
    return {"reply_ms": replies, "asked": len(ends)}


def post(url, body):
    request = urllib.request.Request(
        url, json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=20) as response:
        return json.load(response)


async def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--url", required=True)
    parser.add_argument("--seconds", type=float, help="default: until a line comes on stdin")
    parser.add_argument("--job", choices=("talk", "echo", "speech"), default="talk")
    parser.add_argument("--video", type=Path, required=True)
    parser.add_argument("--size", default="640x480")
    parser.add_argument("--fps", type=float, default=30)
    parser.add_argument("--burst-every", type=float, default=2.0)
    parser.add_argument("--say", type=Path, help="a sound file, for --job speech")
    args = parser.parse_args()
    width, height = map(int, args.size.split("x"))
    only_loopback()

    sound = read_sound(args.say) if args.job == "speech" else burst()
    voiced_end = utterances(sound, RATE_HZ)[-1].end_ms * RATE_HZ // 1000
    microphone = Microphone(sound, voiced_end, args.burst_every)
    camera, ear = Camera(args.video, width, height, args.fps), Ear()
    pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    connected, tasks = asyncio.Event(), []
    channel = pc.createDataChannel("chat")
    channel.on("open", lambda: channel.send(client_ready(uuid.uuid4().hex, "0")))

    @pc.on("connectionstatechange")
    def on_state():
        if pc.connectionState == "connected":
            connected.set()

    @pc.on("track")
    def on_track(track):
        if track.kind == "audio":
            receiver = next(r for r in pc.getReceivers() if r.track is track)
            watch_arrivals(receiver, ear.note)
        tasks.append(asyncio.create_task(ear.run(track)))

    pc.addTrack(microphone)
    pc.addTransceiver(camera, direction="sendrecv")
    began = time.monotonic()
    await pc.setLocalDescription(await pc.createOffer())
    offer = {"sdp": pc.localDescription.sdp, "type": "offer", "webrtc_id": uuid.uuid4().hex}
    answer = await asyncio.to_thread(post, args.url, offer)
    if "sdp" not in answer:
        raise SystemExit(f"refused: {answer}")
    await pc.setRemoteDescription(RTCSessionDescription(answer["sdp"], "answer"))
    await asyncio.wait_for(connected.wait(), 20)
    print(json.dumps({"connected_ms": 1000 * (time.monotonic() - began)}), flush=True)
    talking_since = time.monotonic()
    if args.seconds is None:
        await asyncio.to_thread(sys.stdin.readline)
    else:
        await asyncio.sleep(args.seconds)
    seconds = time.monotonic() - talking_since

    # A burst that began too late for a whole answer isn't counted.
    fair = time.monotonic() - args.burst_every
    onsets = [onset for onset in microphone.onsets if onset < fair]
    if args.job == "talk":
        figures = talk_figures(onsets, ear.heard, args.burst_every)
    elif args.job == "echo":
        figures = echo_figures(onsets, ear.heard, args.burst_every)
    else:
        figures = speech_figures(microphone.ends, microphone.onsets, ear.heard)
    sent = [
        s for s in (await pc.getStats()).values() if s.type == "outbound-rtp" and s.kind == "video"
    ]
    gaps = np.diff(ear.arrived) * 1000 if len(ear.arrived) > 1 else np.zeros(1)
    figures |= {
        "audio_packets_in": len(ear.arrived),
        "gap_ms": [float(np.percentile(gaps, q)) for q in (50, 99, 100)],
        "video_fps_out": camera.sent / seconds,
        "video_kbps_out": sum(s.bytesSent for s in sent) * 8 / 1000 / seconds,
    }
    print(json.dumps(figures), flush=True)
    await asyncio.wait_for(pc.close(), 5)


if __name__ == "__main__":
    asyncio.run(main())
