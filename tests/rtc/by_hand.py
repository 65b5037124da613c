"""A connected call whose media a test sends packet by packet."""

import asyncio
import contextlib
import struct
from dataclasses import dataclass

import pylibsrtp

from tests.rtc.calling import Call, FrameSource, SoundSource
from vision_agent.rtc import aiortc_receiver
from vision_agent.rtc.aiortc_receiver import BoundedReceiver
from vision_agent.rtc.aiortc_rtp import BoundedRouter

OPUS_SILENCE = b"\xf8\xff\xfe"
VP8_KEY_FRAME = b"\x10\0\0\0\x9d\x01\x2a"


@dataclass
class Line:
    """A connected call with audio and video, whose packets a test makes."""

    call: Call
    sound_type: int
    video_type: int

    sent: int = 0

    async def send(self, packet: bytes) -> None:
        with contextlib.suppress(pylibsrtp.Error):  # libsrtp refuses to encrypt some packets
            await self.call.caller.getTransceivers()[0].sender.transport._send_rtp(packet)
        self.sent += 1
        if self.sent % 20 == 0:
            # The receiver, on the same event loop, has to empty the socket's small buffer.
            await asyncio.sleep(0.002)

    async def sound(self, sequence: int, ssrc: int = 1, payload: bytes = OPUS_SILENCE) -> None:
        head = (0x80, self.sound_type, sequence & 0xFFFF, sequence * 960 & 0xFFFFFFFF, ssrc)
        await self.send(struct.pack("!BBHII", *head) + payload)

    async def frame(self, sequence: int, payload: bytes, ssrc: int = 2, last: bool = False) -> None:
        kind = self.video_type | last << 7
        head = (0x80, kind, sequence & 0xFFFF, sequence * 3000 & 0xFFFFFFFF, ssrc)
        await self.send(struct.pack("!BBHII", *head) + payload)

    def receiver(self, kind: str) -> BoundedReceiver:
        transceivers = self.call.peer._pc.getTransceivers()
        found = next(t.receiver for t in transceivers if t.kind == kind)
        assert isinstance(found, BoundedReceiver)
        return found

    def streams(self, kind: str) -> dict[int, object]:
        return getattr(self.receiver(kind), aiortc_receiver.STREAMS)

    def router(self) -> BoundedRouter:
        return self.receiver("audio").transport._rtp_router


class Nothing(SoundSource):
    """A microphone that sends nothing."""

    async def recv(self) -> object:
        return await asyncio.Event().wait()


class NoFrames(FrameSource):
    async def recv(self) -> object:
        return await asyncio.Event().wait()


async def still_hears(line: Line) -> None:
    before = line.receiver("audio").failures
    for n in range(500):
        await line.sound(n, ssrc=99)
        await asyncio.sleep(0.01)
        if 99 in line.streams("audio"):
            break
    assert 99 in line.streams("audio")
    await asyncio.wait_for(line.call.heard[0].recv(), 5)
    assert line.receiver("audio").failures == before
    assert not line.call.listener.closed
