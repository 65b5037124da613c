"""Many callers in one process, at little cost.

Their media is encoded in advance, and received media is not decoded. Each sends silence, two frames
of a recording a second as the page does, and a typed line every eight seconds. The program reads
one command a line: `add N`, `offer`, `measure SECONDS`, `request N`, `end`. It answers each with a
JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
import urllib.request
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from aiortc import (
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpReceiver,
    RTCRtpSender,
    RTCSessionDescription,
)
from aiortc.mediastreams import AudioStreamTrack, VideoStreamTrack
from av import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType

ASK_EVERY_S = 8.0
FRAMES_A_S = 2
BITRATE_BPS = 800_000  # the most that the page sends for its camera
RECORDED_FRAMES = 40
RECORDING = Path(__file__).parent.parent / "samples" / "recordings" / "bottle.mp4"

arrived: dict[int, list[float]] = {}


async def _note(self: RTCRtpReceiver, packet: object, arrival_time_ms: int) -> None:
    arrived.setdefault(id(self), []).append(time.monotonic())


def _begin_again(self: RTCRtpSender) -> None:
    self.track.begin_again()  # type: ignore[attr-defined]


RTCRtpReceiver._handle_rtp_packet = _note  # type: ignore[method-assign]
RTCRtpSender._send_keyframe = _begin_again  # type: ignore[method-assign]


class Silence(AudioStreamTrack):
    """Fifty packets of Opus a second."""

    async def recv(self) -> Packet:
        """The next one."""
        frame = await super().recv()
        packet = Packet(b"\xf8\xff\xfe")
        packet.pts, packet.time_base = frame.pts, frame.time_base
        return packet


def encoded_recording() -> list[bytes]:
    """Twenty seconds of a recording as the page would encode them: VP8, 640x480, 2 fps."""
    codec = VideoCodecContext.create("libvpx", "w")
    codec.width, codec.height, codec.pix_fmt = 640, 480, "yuv420p"
    codec.time_base, codec.framerate = Fraction(1, FRAMES_A_S), Fraction(FRAMES_A_S)
    codec.bit_rate, codec.gop_size = BITRATE_BPS, 10**6
    codec.options = {"deadline": "realtime", "cpu-used": "6", "lag-in-frames": "0"}
    encoded: list[bytes] = []
    with av.open(str(RECORDING)) as recording:
        every = round(float(recording.streams.video[0].average_rate or 30) / FRAMES_A_S)
        for at, frame in enumerate(recording.decode(video=0)):
            if at % every == 0 and len(encoded) < RECORDED_FRAMES:
                small = frame.reformat(640, 480, "yuv420p")
                small.pts, small.time_base = at // every, codec.time_base
                small.pict_type = PictureType.NONE
                encoded += [bytes(packet) for packet in codec.encode(small)]
    return encoded


class Camera(VideoStreamTrack):
    """The recording in a loop, which restarts with its key frame when the server requests one."""

    def __init__(self, encoded: list[bytes]) -> None:
        super().__init__()
        self._encoded = encoded
        self._next = 0

    def begin_again(self) -> None:
        """Send the key frame next."""
        self._next = 0

    async def recv(self) -> Packet:
        """The next frame."""
        for _ in range(30 // FRAMES_A_S):  # aiortc's track has thirty a second
            pts, time_base = await self.next_timestamp()
        packet = Packet(self._encoded[self._next % len(self._encoded)])
        self._next += 1
        packet.pts, packet.time_base = pts, time_base
        return packet


class OneCall:
    """A caller who stays."""

    def __init__(self, url: str, encoded: list[bytes]) -> None:
        self._url = url
        self._encoded = encoded
        self.offer_ms = 0.0
        self.peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))

    async def dial(self) -> None:
        """Connect, and wait until the agent is ready."""
        self.peer.addTrack(Silence())
        self.peer.addTrack(Camera(self._encoded))
        channel = self.peer.createDataChannel("chat")
        ready = asyncio.Event()

        def say(kind: str, data: dict[str, object]) -> None:
            channel.send(json.dumps({"label": "rtvi-ai", "type": kind, "id": "1", "data": data}))

        channel.on("open", lambda: say("client-ready", {"version": "2.1.0"}))
        channel.on("message", lambda text: ready.set() if '"bot-ready"' in text else None)
        await self.peer.setLocalDescription(await self.peer.createOffer())
        body = json.dumps({"sdp": self.peer.localDescription.sdp, "type": "offer"}).encode()
        began_s = time.monotonic()
        answer = await asyncio.to_thread(self._post, body)
        self.offer_ms = 1000 * (time.monotonic() - began_s)
        await self.peer.setRemoteDescription(RTCSessionDescription(answer["sdp"], "answer"))
        await asyncio.wait_for(ready.wait(), 30)
        self._asking = asyncio.create_task(self._ask(say))

    async def hang_up(self) -> None:
        """End the call."""
        self._asking.cancel()
        await self.peer.close()

    async def _ask(self, say: object) -> None:
        while True:
            say("send-text", {"content": "what can you do?"})  # type: ignore[operator]
            await asyncio.sleep(ASK_EVERY_S)

    def _post(self, body: bytes) -> dict[str, str]:
        kind = {"Content-Type": "application/json"}
        message = urllib.request.Request(f"{self._url}/api/offer", body, kind, method="POST")
        with urllib.request.urlopen(message, timeout=30) as response:
            return dict(json.loads(response.read()))


def requests(url: str, number: int) -> list[float]:
    """The durations of small requests, in ms."""
    took_ms = []
    for _ in range(number):
        began_s = time.monotonic()
        with urllib.request.urlopen(f"{url}/api/info", timeout=30) as answer:
            answer.read()  # nothing else runs meanwhile
        took_ms.append(1000 * (time.monotonic() - began_s))
    return took_ms


async def own_lateness(seconds: float) -> list[float]:
    """How late this process's own timers are in this time, in ms."""
    late = []
    end_s = time.monotonic() + seconds
    while (due_s := time.monotonic() + 0.02) < end_s:
        await asyncio.sleep(0.02)
        late.append(1000 * (time.monotonic() - due_s))
    return late


async def measure(seconds: float) -> dict[str, float]:
    """How late the voice's packets arrive: ms beyond the 20 between two of them."""
    arrived.clear()
    own = await own_lateness(seconds)
    gaps = [np.diff(times) * 1000 - 20 for times in arrived.values() if len(times) > 1]
    late = np.concatenate(gaps) if gaps else np.zeros(1)
    return {
        "p50_ms": float(np.percentile(late, 50)),
        "p99_ms": float(np.percentile(late, 99)),
        "heard": len(gaps),
        "packets_a_second": len(late) / seconds / max(1, len(gaps)),
        "own_p99_ms": float(np.percentile(own, 99)),
    }


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    url = parser.parse_args().url
    encoded = encoded_recording()
    calls: list[OneCall] = []
    while line := await asyncio.to_thread(sys.stdin.readline):
        match line.split():
            case ["add", number]:
                new = [OneCall(url, encoded) for _ in range(int(number))]
                for call in new:  # one after the other: callers come in at different times
                    await call.dial()
                calls += new
                said: dict[str, object] = {"offer_ms": [call.offer_ms for call in new]}
            case ["offer"]:
                call = OneCall(url, encoded)
                await call.dial()
                await call.hang_up()
                said = {"offer_ms": [call.offer_ms]}
            case ["request", number]:
                said = {"ms": requests(url, int(number))}
            case ["measure", seconds]:
                said = dict(await measure(float(seconds)))
            case _:
                break
        print(json.dumps(said), flush=True)
    await asyncio.gather(*(call.peer.close() for call in calls), return_exceptions=True)


if __name__ == "__main__":
    asyncio.run(main())
