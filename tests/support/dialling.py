"""A caller for tests that end calls abruptly: a real peer.

As a program (`python -m tests.support.dialling URL`) it connects, prints `connected` and stays
until it is killed.
"""

import asyncio
import functools
import json
import sys
import urllib.request
from collections.abc import Callable
from fractions import Fraction

from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.mediastreams import VIDEO_TIME_BASE, MediaStreamError
from av import Packet, VideoFrame
from av.video.codeccontext import VideoCodecContext

from tests.support.forked import ROOT, ForkedProcess, start_forked
from vision_agent.caller.aiortc_patches import decode_in_place
from vision_agent.caller.recording import Samples


def request(method: str, url: str, body: dict | None = None) -> dict:
    message = urllib.request.Request(
        url,
        json.dumps(body).encode() if body is not None else None,
        {"Content-Type": "application/json"},
        method=method,
    )
    with urllib.request.urlopen(message, timeout=20) as response:
        text = response.read()
    return json.loads(text) if text else {}


TEXT = {"modalities": "TEXT"}
"""What a caller asks for where the voice of an answer is not the subject."""

SILENT_OPUS = b"\xfb\x06" + 6 * b"\xff\xfe"
"""An encoded packet of 120 ms of silence, the longest that Opus has.

Fifty packets a second would be a third of a call's cost.
"""


def dark_frame() -> VideoFrame:
    frame = VideoFrame(width=160, height=120)
    for plane, value in zip(frame.planes, (16, 128, 128), strict=True):
        plane.update(bytes([value]) * plane.buffer_size)
    return frame


@functools.cache
def dark_vp8() -> bytes:
    """A dark key frame."""
    frame = dark_frame()
    codec = VideoCodecContext.create("libvpx", "w")
    codec.width, codec.height, codec.pix_fmt = frame.width, frame.height, "yuv420p"
    codec.time_base = Fraction(1, 30)
    frame.pts = 0
    (packet,) = [*codec.encode(frame), *codec.encode(None)]
    return bytes(packet)


def _packet(encoded: bytes, pts: int, time_base: Fraction) -> Packet:
    packet = Packet(encoded)
    packet.pts, packet.time_base = pts, time_base
    return packet


class _PacedTrack(MediaStreamTrack):
    """A track of frames or packets at regular times, each in one step of the event loop."""

    every: Fraction
    """The time between two, in seconds."""

    def __init__(self) -> None:
        super().__init__()
        self._count = 0
        self._began_at = 0.0

    async def next_pts(self, time_base: Fraction) -> int:
        """Wait until the next one is due; returns its time, in units of the time base."""
        if self.readyState != "live":
            raise MediaStreamError
        loop = asyncio.get_running_loop()
        self._began_at = self._began_at or loop.time()
        at_s = self._count * self.every
        self._count += 1
        await asyncio.sleep(self._began_at + float(at_s) - loop.time())
        return int(at_s / time_base)


class _QuietMicrophone(_PacedTrack):
    """Silence."""

    kind, every = "audio", Fraction(120, 1000)

    async def recv(self) -> Packet:
        time_base = Fraction(1, 48_000)
        return _packet(SILENT_OPUS, await self.next_pts(time_base), time_base)


class DarkCamera(_PacedTrack):
    """Five frames a second, for any codec."""

    kind, every = "video", Fraction(1, 5)

    async def recv(self) -> VideoFrame:
        pts = await self.next_pts(VIDEO_TIME_BASE)
        frame = dark_frame()
        frame.pts, frame.time_base = pts, VIDEO_TIME_BASE
        return frame


class _DarkVp8Camera(_PacedTrack):
    """Five encoded frames a second, for VP8, which aiortc offers first."""

    kind, every = "video", Fraction(1, 5)

    async def recv(self) -> Packet:
        return _packet(dark_vp8(), await self.next_pts(VIDEO_TIME_BASE), VIDEO_TIME_BASE)


class _Carried(MediaStreamTrack):
    """A track of another copy of aiortc, which this copy would not accept."""

    def __init__(self, track: MediaStreamTrack) -> None:
        super().__init__()
        self.kind, self._track = track.kind, track

    async def recv(self) -> object:
        return await self._track.recv()


class _Through(MediaStreamTrack):
    """A track of a program's own aiortc, such as the caller's microphone."""

    def __init__(self, track: MediaStreamTrack) -> None:
        super().__init__()
        self.kind, self._track = track.kind, track

    async def recv(self):
        return await self._track.recv()

    def stop(self) -> None:
        super().stop()
        self._track.stop()


def _own(track: MediaStreamTrack) -> MediaStreamTrack:
    return track if isinstance(track, MediaStreamTrack) else _Through(track)


class Dialled:
    """A peer that has offered; `connect` takes the answer and waits for `bot-ready`."""

    def __init__(
        self,
        url: str,
        camera: MediaStreamTrack | None = None,
        data: dict | None = None,
        microphone: MediaStreamTrack | None = None,
    ) -> None:
        self.url = url
        self.data = data
        self.camera = camera or _DarkVp8Camera()
        self.microphone = microphone or _QuietMicrophone()
        self.peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.pc_id = ""
        self.answer: dict = {}
        self.voiced: list[bool] = []
        """Whether each 20 ms of received sound is more than silence."""
        self.messages: list[dict] = []
        self._arrived = asyncio.Condition()
        self.channel = self.peer.createDataChannel("chat")
        self.channel.on("open", lambda: self.send("client-ready", {"version": "2.1.0"}))
        self.channel.on("message", self._on_message)

    def send(self, type: str, data: dict) -> None:
        message = {"label": "rtvi-ai", "type": type, "id": "1", "data": data}
        self.channel.send(json.dumps(message))

    def _on_message(self, text: str) -> None:
        if text.startswith("{"):
            self.messages.append(json.loads(text))
            task = asyncio.ensure_future(self._notify())
            task.add_done_callback(lambda t: t.result())

    async def _notify(self) -> None:
        async with self._arrived:
            self._arrived.notify_all()

    async def wait_for(self, wanted: Callable[[dict], bool], timeout: float = 30) -> dict:
        """The first matching message, past or future."""

        def found() -> dict | None:
            return next((m for m in self.messages if wanted(m)), None)

        try:
            async with asyncio.timeout(timeout), self._arrived:
                await self._arrived.wait_for(lambda: found() is not None)
        except TimeoutError:
            newest = "\n".join(map(str, self.messages[-30:]))
            raise TimeoutError(
                f"It did not come within {timeout:g} s. The newest:\n{newest}"
            ) from None
        return found()

    def of(self, kind: str) -> list[dict]:
        """The data of every message of an RTVI type, or of a kind of server message."""
        every = [(m["type"], m.get("data") or {}) for m in self.messages]
        return [data for type, data in every if kind in (type, data.get("kind"))]

    async def offer(self, restart: str | None = None, resume: object = None) -> dict:
        for track in (self.microphone, self.camera):
            own = isinstance(track, MediaStreamTrack)
            self.peer.addTrack(track if own else _Carried(track))
        await self.peer.setLocalDescription(await self.peer.createOffer())
        body: dict = {"sdp": self.peer.localDescription.sdp, "type": "offer"}
        if self.data:
            body["requestData"] = self.data
        if restart:
            body |= {"pc_id": restart, "restart_pc": True}
        if resume is not None:
            body["requestData"] = {**(self.data or {}), "resume": resume}
        self.answer = await asyncio.to_thread(request, "POST", f"{self.url}/api/offer", body)
        self.pc_id = self.answer["pc_id"]
        return self.answer

    async def connect(self, restart: str | None = None, resume: str | None = None) -> None:
        answer = await self.offer(restart, resume)

        @self.peer.on("track")
        def drain(track) -> None:
            if track.kind == "audio":
                receiver = next(r for r in self.peer.getReceivers() if r.track is track)
                decode_in_place(receiver, self._listen)

            async def read() -> None:
                while True:
                    await track.recv()

            task = asyncio.ensure_future(read())
            task.add_done_callback(lambda t: t.exception())

        await self.peer.setRemoteDescription(RTCSessionDescription(answer["sdp"], "answer"))
        await self.wait_for(lambda m: m["type"] == "bot-ready")

    def _listen(self, samples: Samples, _: int) -> None:
        self.voiced.append(bool(samples.max() > 500 or samples.min() < -500))

    async def hang_up(self) -> None:
        await asyncio.to_thread(request, "DELETE", f"{self.url}/api/offer/{self.pc_id}")
        await self.peer.close()


async def killable(url: str) -> ForkedProcess | asyncio.subprocess.Process:
    """A connected caller in a process of its own."""
    process = await start_forked(
        *(sys.executable, "-m", "tests.support.dialling", url),
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    line = await asyncio.wait_for(process.stdout.readline(), 40)
    assert line.strip() == b"connected"
    return process


async def main() -> None:
    dialled = Dialled(sys.argv[1])
    await dialled.connect()
    print("connected", flush=True)
    await asyncio.sleep(60)


if __name__ == "__main__":
    asyncio.run(main())
