"""A caller and the peer it calls, in one process, over the loopback interface."""

import asyncio
import contextlib
import fractions
import os
import threading
import time
from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import Any

import av
import numpy as np

from tests.support.waiting import until
from vision_agent.rtc import Offer, Peer, Speaker
from vision_agent.rtc.aiortc_ice import GuardedConnection
from vision_agent.rtc.own.aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCDataChannel,
    RTCPeerConnection,
    RTCSessionDescription,
)
from vision_agent.rtc.own.aiortc.mediastreams import MediaStreamError


def tone(hz: float, seconds: float, rate_hz: int, amplitude: int = 12_000) -> np.ndarray:
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    return (np.sin(2 * np.pi * hz * t) * amplitude).astype(np.int16)


def pitch_hz(samples: np.ndarray, rate_hz: int) -> float:
    """The loudest frequency of some sound, to a resolution of a few Hz."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), 1 << 15))
    return float(np.argmax(spectrum)) * rate_hz / (1 << 15)


class SoundSource(MediaStreamTrack):
    """Plays samples (48 kHz mono) in real time, then silence."""

    kind = "audio"

    def __init__(self, samples: np.ndarray | None = None) -> None:
        super().__init__()
        self.samples = np.zeros(0, np.int16) if samples is None else samples
        self.sent = 0
        self._start = 0.0

    async def recv(self) -> av.AudioFrame:
        if self.readyState != "live":
            raise MediaStreamError
        self._start = self._start or time.monotonic()
        await asyncio.sleep(max(0.0, self._start + self.sent * 0.02 - time.monotonic()))
        part = self.samples[self.sent * 960 : self.sent * 960 + 960]
        part = np.pad(part, (0, 960 - len(part)))
        frame = av.AudioFrame.from_ndarray(part[None], format="s16", layout="mono")
        frame.sample_rate, frame.pts = 48_000, self.sent * 960
        frame.time_base = fractions.Fraction(1, 48_000)
        self.sent += 1
        return frame


class FrameSource(MediaStreamTrack):
    """Sends frames at a rate; `paint(n)` makes the n-th as RGB."""

    kind = "video"

    def __init__(self, paint: Callable[[int], np.ndarray] | None = None, fps: float = 30.0) -> None:
        super().__init__()
        self.paint = paint or moving_frame
        self.fps = fps
        self.sent = 0
        self._pts = 0.0
        self._due = 0.0

    async def recv(self) -> av.VideoFrame:
        if self.readyState != "live":
            raise MediaStreamError
        self._due = max(self._due + 1 / self.fps, time.monotonic() - 0.1)
        await asyncio.sleep(max(0.0, self._due - time.monotonic()))
        frame = av.VideoFrame.from_ndarray(self.paint(self.sent), format="rgb24")
        self._pts += 90_000 / self.fps
        frame.pts, frame.time_base = round(self._pts), fractions.Fraction(1, 90_000)
        self.sent += 1
        return frame


@lru_cache(16)
def _painted(red: int, green: int, blue: int, width: int, height: int) -> np.ndarray:
    frame = np.empty((height, width, 3), np.uint8)
    frame[:] = (red, green, blue)
    return frame


def plain(red: int, green: int, blue: int, width: int = 320, height: int = 240) -> np.ndarray:
    # Copying a frame takes a tenth of the time of painting one.
    return _painted(red, green, blue, width, height).copy()


def moving_frame(n: int, width: int = 320, height: int = 240) -> np.ndarray:
    frame = plain(60, 90, 120, width, height)
    at = n * 7 % (width - 40)
    frame[80:120, at : at + 40] = (220, 200, 40)
    return frame


class Listener:
    """A `PeerListener` that records what it is told."""

    def __init__(self) -> None:
        self.microphones: list[MediaStreamTrack] = []
        self.cameras: list[MediaStreamTrack] = []
        self.screens: list[MediaStreamTrack] = []
        self.channels: list[RTCDataChannel] = []
        self.connected = 0
        self.closed: list[str] = []

    def on_microphone(self, track: MediaStreamTrack) -> None:
        self.microphones.append(track)

    def on_camera(self, track: MediaStreamTrack) -> None:
        self.cameras.append(track)

    def on_screen(self, track: MediaStreamTrack) -> None:
        self.screens.append(track)

    def on_channel(self, channel: RTCDataChannel) -> None:
        self.channels.append(channel)

    def on_connected(self) -> None:
        self.connected += 1

    def on_closed(self, reason: str) -> None:
        self.closed.append(reason)


class Call:
    """A real aiortc caller and a `Peer` that answers it."""

    def __init__(self) -> None:
        self.caller = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.listener = Listener()
        self.voice = Speaker()
        self.peer: Peer | None = None
        self.answer = ""
        self.heard: list[MediaStreamTrack] = []
        self.caller.on("track", self.heard.append)
        self.tasks: list[asyncio.Task[object]] = []

    async def offer(self) -> str:
        await self.caller.setLocalDescription(await self.caller.createOffer())
        return self.caller.localDescription.sdp

    async def connect(self, **options: Any) -> Peer:
        offer = await self.offer()
        self.peer = Peer(self.listener, self.voice, **options)
        self.answer = await self.peer.accept(Offer.parse(offer))
        await self.caller.setRemoteDescription(RTCSessionDescription(self.answer, "answer"))
        await until(
            lambda: self.listener.connected and self.caller.connectionState == "connected",
            what="connected",
        )
        return self.peer

    def run(self, work: Awaitable[object]) -> "asyncio.Task[object]":
        """Run a task beside the call; its exception is raised when the call closes."""
        task = asyncio.ensure_future(work)
        self.tasks.append(task)
        return task

    async def close(self) -> None:
        if self.peer is not None:
            await self.peer.close()
        await self.caller.close()
        for task in self.tasks:
            await asyncio.wait_for(task, 5)


class Leftovers:
    """The tasks, threads and files that exist now, for a comparison later."""

    def __init__(self) -> None:
        self.tasks = asyncio.all_tasks()
        self.threads = set(threading.enumerate())
        self.files = set(os.listdir("/proc/self/fd"))

    def since(self) -> list[object]:
        """Those that were created since and still exist."""
        files = set(os.listdir("/proc/self/fd")) - self.files
        return [
            *(asyncio.all_tasks() - self.tasks),
            # Without the event loop's own pool, in which the caller's aiortc sender encodes.
            *(
                thread
                for thread in set(threading.enumerate()) - self.threads
                if not thread.name.startswith("asyncio_")
            ),
            *(
                os.readlink(f"/proc/self/fd/{name}")
                for name in files
                if os.path.exists(f"/proc/self/fd/{name}")
            ),
        ]

    async def nothing(self, within_s: float = 5.0) -> None:
        with contextlib.suppress(AssertionError):
            await until(lambda: not self.since(), within_s)
        assert self.since() == []


def connection_of(pc: RTCPeerConnection) -> GuardedConnection:
    transports = [t.receiver.transport for t in pc.getTransceivers()] or [pc.sctp.transport]
    return transports[0].transport._connection
