"""Frames sent and tokens saved by adaptive sampling, against a fixed rate of one a second.

`python benchmarks/sampling.py [VIDEO...]`. Each scene is played through `rtc.Camera` faster than
real time: the rate is kept on the media clock. A second column shows the longest gap between two
sent frames.
"""

from __future__ import annotations

import asyncio
import fractions
import itertools
import sys
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np

from vision_agent.rtc import Camera, ChangeDetector
from vision_agent.rtc.change_detector import TOKENS_PER_FRAME
from vision_agent.rtc.own.aiortc import MediaStreamTrack
from vision_agent.rtc.own.aiortc.mediastreams import MediaStreamError

BOTTLE = Path(__file__).parent.parent / "samples" / "recordings" / "bottle.mp4"
CLOCK = fractions.Fraction(1, 90_000)
FPS = 2  # what the page sends


def video(path: Path) -> Iterator[av.VideoFrame]:
    """Two frames a second of a recording."""
    due_s = 0.0
    with av.open(str(path)) as source:
        for frame in source.decode(video=0):
            if frame.time is not None and frame.time >= due_s:
                due_s += 1 / FPS
                frame.pts, frame.time_base = round(frame.time * 90_000), CLOCK
                yield frame


def still(path: Path, seconds: int, noise: float = 6.0) -> Iterator[av.VideoFrame]:
    """The first frame of a recording again and again, with a webcam's noise."""
    first = next(video(path)).to_ndarray(format="rgb24").astype(np.float32)
    dice = np.random.default_rng(0)
    for n in range(seconds * FPS):
        noisy = np.clip(first + dice.normal(0, noise, first.shape), 0, 255).astype(np.uint8)
        frame = av.VideoFrame.from_ndarray(noisy, format="rgb24").reformat(format="yuv420p")
        frame.pts, frame.time_base = n * 90_000 // FPS, CLOCK
        yield frame


class Played(MediaStreamTrack):
    """A track that gives a frame every 20 ms, by when the last one is handled."""

    kind = "video"

    def __init__(self, frames: Iterator[av.VideoFrame]) -> None:
        super().__init__()
        self.frames = frames
        self.now_s = 0.0

    async def recv(self) -> av.VideoFrame:
        """The next frame."""
        await asyncio.sleep(0.02)
        frame = next(self.frames, None)
        if frame is None:
            raise MediaStreamError
        self.now_s = float(frame.pts * CLOCK)
        return frame


class OnMediaTime(ChangeDetector):
    """A detector whose gaps are counted on the media clock, because frames come faster."""

    track: Played

    def wants(self, thumbnail, at_s, *, asked):
        """As `ChangeDetector`, on the track's time."""
        return super().wants(thumbnail, self.track.now_s, asked=asked)


async def sent_at_s(frames: Iterator[av.VideoFrame], changes: OnMediaTime | None) -> list[float]:
    """The media times of the frames that reach the model."""
    track = Played(frames)
    if changes is not None:
        changes.track = track
    times: list[float] = []
    await Camera(lambda frame: times.append(track.now_s), changes=changes).run(track)
    return times


async def main() -> None:
    paths = [Path(argument) for argument in sys.argv[1:]] or [BOTTLE]
    scenes = [(path.name, lambda path=path: video(path)) for path in paths]
    scenes.append((f"still scene out of {paths[0].name}, 60 s", lambda: still(paths[0], 60)))
    print(f"{'scene':44} {'fixed 1/s':>9} {'adaptive':>9} {'tokens saved':>16} {'longest gap':>12}")
    for name, scene in scenes:
        fixed = await sent_at_s(scene(), None)
        adaptive = await sent_at_s(scene(), OnMediaTime())
        saved = (len(fixed) - len(adaptive)) * TOKENS_PER_FRAME
        gap_s = max(b - a for a, b in itertools.pairwise(adaptive))
        share = 100 * saved / (len(fixed) * TOKENS_PER_FRAME)
        tokens = f"{saved} ({share:.0f}%)"
        gap = f"{gap_s:.1f} s"
        print(f"{name:44} {len(fixed):>9} {len(adaptive):>9} {tokens:>16} {gap:>12}")


if __name__ == "__main__":
    asyncio.run(main())
