"""A recording of synthetic packets; as a program it records until it is killed or fails.

`python -m tests.recordings.recording_here FOLDER SECONDS [MIN_FREE]` sends a second of packets
every second. It prints the number of each second, and why the recording ends.
"""

import asyncio
import sys
import time
from pathlib import Path

from tests.support.encoding import encoded
from vision_agent.recordings.call_files import RecordingLimits
from vision_agent.recordings.call_recording import CallRecording
from vision_agent.recordings.lines import HeaderLine, SpokenLine
from vision_agent.recordings.media_writer import RecordedPacket

OPUS = b"\xf8\xff\xfe"


class Sent:
    """Sends packets to one recording, and keeps what it reports.

    Args:
        folder: The folder for recordings.
        with_set_up: As in `CallRecording`.
        limits: Fields of `RecordingLimits`.
    """

    def __init__(self, folder: Path, *, with_set_up: bool = False, **limits: object) -> None:
        self.said: list[tuple[str, ...]] = []
        self.recording = CallRecording(
            HeaderLine(at_ms=0, call_id="0123456789abcdef", version="1"),
            RecordingLimits(folder, **limits),
            on_began=lambda folder: self.said.append(("began", folder.name)),
            on_over=lambda kind, why: self.said.append((kind, why)),
            with_set_up=with_set_up,
        )

    def sound(self, title: str, at_s: float, seconds: float = 1.0, codec: str = "opus") -> None:
        """Send packets of 20 ms, each of which arrives without delay."""
        clock_hz = 48_000 if codec == "opus" else 8_000
        data = OPUS if codec == "opus" else b"\xff" * 160
        for n in range(round(50 * seconds)):
            due_s = at_s + n / 50
            ticks = round(due_s * clock_hz)
            packet = RecordedPacket(title, 0, codec, clock_hz, ticks, due_s, data)
            self.recording.media(packet)

    def video(self, title: str, at_s: float, codec: str, frames, size: tuple[int, int]) -> None:
        """Send thirty frames a second without delay."""
        for n, frame in enumerate(frames):
            due_s = at_s + n / 30
            self.recording.media(
                RecordedPacket(
                    *(title, 0, codec, 90_000, round(due_s * 90_000), due_s, frame.data),
                    key=frame.key,
                    size=size if frame.key else None,
                )
            )


async def main(folder: str, seconds: str, min_free: str = "0") -> None:
    sent = Sent(Path(folder), min_free_bytes=int(min_free))
    frames = encoded("libvpx", 320, 240, 30)
    recording = sent.recording
    began_s = time.monotonic()
    second = 0
    while second < int(seconds) and not recording.over:
        sent.sound("agent", second)
        sent.video("camera", second, "VP8", frames, (320, 240))
        recording.line(SpokenLine(at_ms=1000 * second, who="user", text=f"{second}" * 3_000))
        second += 1
        await asyncio.sleep(max(0.0, began_s + second - time.monotonic()))
        print(second, flush=True)
    recording.end("over")
    await recording.close()
    print(*sent.said[-1], sep=": ", flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
