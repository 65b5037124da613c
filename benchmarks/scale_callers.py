"""Many callers in one process, who cost little.

What they send is encoded already, and what comes is not decoded. Each sends silence, two dark
frames a second as our page does, and a typed line every eight seconds. It reads one command a line:
`add N`, `offer`, `measure SECONDS`, `request N`, `end`; to each it says one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
import urllib.request
from fractions import Fraction

import numpy as np
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpReceiver, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, VideoStreamTrack
from av import Packet, VideoFrame
from av.video.codeccontext import VideoCodecContext

ASK_EVERY_S = 8.0
FRAME_EVERY = 15  # of aiortc's thirty a second

arrived: dict[int, list[float]] = {}


async def _note(self: RTCRtpReceiver, packet: object, arrival_time_ms: int) -> None:
    arrived.setdefault(id(self), []).append(time.monotonic())


RTCRtpReceiver._handle_rtp_packet = _note  # type: ignore[method-assign]


class Silence(AudioStreamTrack):
    """Fifty packets of Opus a second."""

    async def recv(self) -> Packet:
        """The next one."""
        frame = await super().recv()
        packet = Packet(b"\xf8\xff\xfe")
        packet.pts, packet.time_base = frame.pts, frame.time_base
        return packet


class DarkCamera(VideoStreamTrack):
    """Two key frames of VP8 a second."""

    def __init__(self) -> None:
        super().__init__()
        codec = VideoCodecContext.create("libvpx", "w")
        codec.width, codec.height, codec.pix_fmt = 640, 480, "yuv420p"
        codec.time_base = Fraction(1, 30)
        frame = VideoFrame(width=640, height=480)
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        frame.pts = 0
        self._encoded = bytes([*codec.encode(frame), *codec.encode(None)][0])

    async def recv(self) -> Packet:
        """The next one."""
        for _ in range(FRAME_EVERY):
            pts, time_base = await self.next_timestamp()
        packet = Packet(self._encoded)
        packet.pts, packet.time_base = pts, time_base
        return packet


class OneCall:
    """A caller who stays."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.offer_ms = 0.0
        self.peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))

    async def dial(self) -> None:
        """Connect, and wait until the agent is ready."""
        self.peer.addTrack(Silence())
        self.peer.addTrack(DarkCamera())
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
    """How long small requests take, in ms: the way to the application and back."""
    took_ms = []
    for _ in range(number):
        began_s = time.monotonic()
        with urllib.request.urlopen(f"{url}/api/info", timeout=30) as answer:
            answer.read()  # nothing else runs meanwhile
        took_ms.append(1000 * (time.monotonic() - began_s))
    return took_ms


async def own_lateness(seconds: float) -> list[float]:
    """How late this process's own timers are meanwhile, in ms."""
    late = []
    end_s = time.monotonic() + seconds
    while (due_s := time.monotonic() + 0.02) < end_s:
        await asyncio.sleep(0.02)
        late.append(1000 * (time.monotonic() - due_s))
    return late


async def measure(seconds: float) -> dict[str, float]:
    """How late the voice's packets come, in ms after the twenty that are between two."""
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
    calls: list[OneCall] = []
    while line := await asyncio.to_thread(sys.stdin.readline):
        match line.split():
            case ["add", number]:
                new = [OneCall(url) for _ in range(int(number))]
                for call in new:  # one after the other: callers come in at different times
                    await call.dial()
                calls += new
                said: dict[str, object] = {"offer_ms": [call.offer_ms for call in new]}
            case ["offer"]:
                call = OneCall(url)
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
