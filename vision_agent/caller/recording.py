"""A recording on disk: its video frames and its sound, in any container and codec FFmpeg reads."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

from vision_agent.caller.cut import WHOLE, Cut, clock
from vision_agent.caller.media_file import (
    BadRecording,
    audio_streams,
    begins_at_s,
    decoded,
    in_words,
    is_video,
    open_media,
    seek,
    video_streams,
)
from vision_agent.caller.true_time import in_true_time
from vision_agent.caller.webcam_frame import MAX_FRAME_PX, webcam_frame

__all__ = ["MAX_FRAME_PX", "BadRecording", "Recording", "TimedFrame", "read_sound", "resample"]

Samples = npt.NDArray[np.int16]

SOUND_RATE_HZ = 48_000
"""Sample rate of every sound read here. Opus runs at it, so a caller's voice is resampled once."""

_S16, _MONO = av.AudioFormat("s16"), av.AudioLayout("mono")
_SOUND_TIME_BASE = Fraction(1, SOUND_RATE_HZ)

MAX_FPS = 30.0
# Sound is held in memory (5.8 MB a minute): the ends of its utterances are found before it is sent.
MAX_SOUND_S = 20 * 60
MIN_HOLE_S = 0.005
"""A shorter gap is a rounding error of time stamps."""

MAX_HOLE_S = float(MAX_SOUND_S)

MAX_SOUND_RATE_HZ = 768_000
"""No recorder exceeds this rate. For a damaged header with a rate of GHz, FFmpeg computes a filter
for seconds."""


@dataclass(frozen=True, slots=True)
class TimedFrame:
    """A frame of a recording and when it is due.

    Attributes:
        at_s: When the frame is due, in seconds after the recording begins, with its sound or its
            first frame; grows from loop to loop.
        frame: yuv420p, even sides, at most `MAX_FRAME_PX` on the longer one, upright.
    """

    at_s: float
    frame: av.VideoFrame


@dataclass(frozen=True, slots=True)
class Recording:
    """What a media file contains, found by decoding the start of each of its streams.

    Attributes:
        path: The file.
        duration_s: Length in seconds; 0 for a still image or when the container doesn't say.
        has_video: Whether there is a video stream (cover art doesn't count).
        has_sound: Whether there is an audio stream.
        fps: Frames per second it is sent at, at most `MAX_FPS`; 0 without video.
        still: Whether its video is a single frame.
        cut: The part of the file that is used.
        loops: Whether its frames start over after the last one, which is otherwise held.
    """

    path: Path
    duration_s: float
    has_video: bool
    has_sound: bool
    fps: float
    still: bool
    cut: Cut = WHOLE
    loops: bool = True

    @classmethod
    def open(cls, path: Path, cut: Cut = WHOLE, *, loops: bool = True) -> Recording:
        """Inspect a media file: any container and codec FFmpeg reads.

        Raises:
            BadRecording: The file is missing, unreadable, not media, or holds nothing to send; or
                the cut is no part of it.
        """
        with open_media(path) as container:
            videos = video_streams(container, cut.title)
            has_sound = bool(audio_streams(container, cut.title))
            if not videos and any(map(is_video, container.streams.video)):
                raise BadRecording(
                    f"The picture of {path} is in a codec that can't be decoded here."
                )
            if not videos and not has_sound:
                what = "has neither a picture nor a sound in it"
                if container.streams.audio:
                    what = "is in a codec that can't be decoded here"
                raise BadRecording(f"{path} {what}.")
            duration_s = (container.duration or 0) / 1_000_000
            # A track may end before its file does.
            if (why := cut.outside(0 if cut.title else duration_s)) is not None:
                raise BadRecording(f"That is not a part of {path}: {why}.")
            duration_s = max(0.0, min(duration_s, cut.end_s) - cut.begin_s)
            fps, still = 0.0, False
            if videos:
                rate = float(videos[0].average_rate or 0) or MAX_FPS
                frames = decoded(container, *videos)
                first = next(frames, None)
                if first is None:
                    raise BadRecording(f"No picture of {path} can be decoded: it is damaged.")
                with in_words(path):
                    webcam_frame(first, videos[0].sample_aspect_ratio, path)
                still = next(frames, None) is None
                fps = min(rate, MAX_FPS)
        if has_sound:
            with open_media(path) as container:
                sounds = audio_streams(container, cut.title)
                if not sounds or next(decoded(container, *sounds), None) is None:
                    if not videos:
                        raise BadRecording(f"No sound of {path} can be decoded: it is damaged.")
                    has_sound = False
        return cls(
            path=path,
            duration_s=0.0 if still and not has_sound else duration_s,
            has_video=bool(videos),
            has_sound=has_sound,
            fps=fps,
            still=still,
            cut=cut,
            loops=loops,
        )

    def frames(self) -> Iterator[TimedFrame]:
        """Yield the recording's frames endlessly, starting over after the last one.

        Each step decodes and blocks: iterate in a thread. Frames closer together than
        1 / `MAX_FPS` are skipped, and so are damaged ones in the middle.

        Raises:
            BadRecording: The file has no video any more: it was replaced or truncated meanwhile.
        """
        loop_at_s, cut = 0.0, self.cut
        while True:
            last: TimedFrame | None = None
            for timed in self._frames_once():
                last = timed
                yield TimedFrame(loop_at_s + timed.at_s, timed.frame)
            if last is None:
                at = f" from {clock(cut.begin_s)} to {clock(cut.end_s)}" if cut.begin_s else ""
                raise BadRecording(f"No picture of {self.path}{at} can be decoded: it is damaged.")
            while not self.loops:
                loop_at_s += 1.0
                yield TimedFrame(loop_at_s + last.at_s, last.frame)
            loop_at_s += last.at_s + 1 / (self.fps or MAX_FPS)

    def _frames_once(self) -> Iterator[TimedFrame]:
        cut, last_at_s, count = self.cut, -math.inf, 0
        with open_media(self.path) as container:
            streams = video_streams(container, cut.title)
            if not streams:
                raise BadRecording(f"{self.path} has no picture in it.")
            starts_s = 0.0 if cut.title else begins_at_s(container)
            seek(container, starts_s + cut.begin_s, streams)
            began_at_s = starts_s if cut.begin_s or cut.title else None

            def shown(frame: av.VideoFrame, at_s: float) -> TimedFrame:
                with in_words(self.path):
                    return TimedFrame(
                        at_s, webcam_frame(frame, streams[0].sample_aspect_ratio, self.path)
                    )

            before: av.VideoFrame | None = None
            for frame in decoded(container, *streams):
                pts_s = frame.time if frame.time is not None else count / (self.fps or MAX_FPS)
                count += 1
                if began_at_s is None:
                    began_at_s = min(pts_s, starts_s)
                at_s = pts_s - began_at_s - cut.begin_s
                if at_s < 0 and cut.begin_s:
                    before = frame
                    continue
                if at_s >= cut.end_s - cut.begin_s:
                    break
                # A tenth of a frame of slack: time stamps at 29.97 fps are rounded.
                if at_s < last_at_s + 0.9 / MAX_FPS:
                    continue
                if before is not None and at_s > 1 / MAX_FPS:
                    yield shown(before, 0.0)  # the frame that is visible when the cut begins
                before = None
                last_at_s = at_s
                yield shown(frame, at_s)
            if before is not None:
                yield shown(before, 0.0)

    def sound(self) -> Samples:
        """Decode the whole sound to mono s16 at `SOUND_RATE_HZ`; empty when there is none.

        Raises:
            BadRecording: None of it can be decoded, or it is longer than `MAX_SOUND_S`.
        """
        return read_sound(self.path, self.cut) if self.has_sound else np.zeros(0, np.int16)


def read_sound(path: Path, cut: Cut = WHOLE) -> Samples:
    """Decode an audio stream of any media file to mono s16 at `SOUND_RATE_HZ`.

    A sound that begins later than the file's video, or than the cut, begins with silence.

    Raises:
        BadRecording: The file is missing, damaged or not media, has no audio stream, or holds
            more than `MAX_SOUND_S` of sound.
    """
    pieces: list[Samples] = []
    length = 0
    with open_media(path) as container, in_words(path):
        streams = audio_streams(container, cut.title)
        if not streams:
            known = not container.streams.audio
            what = "has no sound in it" if known else "has a sound that can't be decoded here"
            raise BadRecording(f"{path} {what}.")
        begins_s = (0.0 if cut.title else begins_at_s(container)) + cut.begin_s
        frames: Iterator[av.AudioFrame] = decoded(container, *streams)
        if cut.title:
            frames = in_true_time(frames)
        early = 0
        if cut.begin_s:
            seek(container, begins_s)
            frames, early = _from(frames, begins_s)
        most = early + (cut.end_s - cut.begin_s) * SOUND_RATE_HZ
        for piece in _mono(frames, begins_s):
            pieces.append(piece)
            length += len(piece)
            if length >= most:
                pieces[-1] = piece[: len(piece) - (length - round(most))]
                break
            if length > MAX_SOUND_S * SOUND_RATE_HZ:
                raise BadRecording(
                    f"The sound of {path} is longer than {MAX_SOUND_S // 60} minutes; "
                    "cut out the part to be replayed."
                )
    if not pieces and cut == WHOLE:
        raise BadRecording(f"No sound of {path} can be decoded: it is damaged.")
    return np.concatenate(pieces)[early:] if pieces else np.zeros(0, np.int16)


def _from(frames: Iterator[av.AudioFrame], begins_s: float) -> tuple[Iterator[av.AudioFrame], int]:
    """The frames from a time on, and how many samples at `SOUND_RATE_HZ` the first is too early."""
    for frame in frames:
        at_s = begins_s if frame.time is None else frame.time
        if at_s + frame.samples / frame.sample_rate > begins_s:
            return chain((frame,), frames), round(max(0.0, begins_s - at_s) * SOUND_RATE_HZ)
    return frames, 0


def resample(pcm: bytes, rate_hz: int) -> Samples:
    """Resample s16le mono PCM of any rate to `SOUND_RATE_HZ`.

    Raises:
        ValueError: `rate_hz` is not positive, or `pcm` is not whole samples.
    """
    if rate_hz <= 0 or len(pcm) % 2:
        raise ValueError("PCM must be whole 16-bit samples at a positive rate.")
    samples = np.frombuffer(pcm, np.int16)
    if rate_hz == SOUND_RATE_HZ or not samples.size:
        return samples
    frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
    frame.sample_rate = rate_hz
    resampler = av.AudioResampler(format="s16", layout="mono", rate=SOUND_RATE_HZ)
    pieces = [*resampler.resample(frame), *resampler.resample(None)]
    return np.concatenate([samples_of(piece) for piece in pieces])


def sound_frame(samples: Samples, pts: int) -> av.AudioFrame:
    """Make a frame of mono s16 samples at `SOUND_RATE_HZ`.

    In a call, where the caches are cold, it takes half the time of `AudioFrame.from_ndarray`.
    """
    frame = av.AudioFrame(_S16, _MONO, len(samples))
    frame.planes[0].update(samples.tobytes())
    frame.sample_rate, frame.pts, frame.time_base = SOUND_RATE_HZ, pts, _SOUND_TIME_BASE
    return frame


def samples_of(frame: av.AudioFrame) -> Samples:
    """Return the samples of a frame that is mono s16."""
    return np.frombuffer(memoryview(frame.planes[0]), np.int16, frame.samples)


def _mono(frames: Iterator[av.AudioFrame], begins_at_s: float) -> Iterator[Samples]:
    """Resample to mono s16 at `SOUND_RATE_HZ`, with silence where the file has no sound.

    A stream may begin after the other one, and may have holes. The source's format may change in
    mid-stream.
    """
    resampler, shape = None, None
    expected_s = begins_at_s
    for frame in frames:
        if frame.sample_rate > MAX_SOUND_RATE_HZ:
            continue
        at_s = expected_s if frame.time is None else frame.time
        missing_s = at_s - expected_s
        # A longer hole is a jump of the clock, as where two broadcasts were joined.
        hole = MIN_HOLE_S < missing_s <= MAX_HOLE_S
        expected_s = at_s + frame.samples / frame.sample_rate
        if hole or shape != (frame.format.name, frame.layout.name, frame.sample_rate):
            shape = (frame.format.name, frame.layout.name, frame.sample_rate)
            # A resampler takes a single format: the old one is drained before a new one starts.
            yield from map(samples_of, resampler.resample(None) if resampler else ())
            resampler = av.AudioResampler(format="s16", layout="mono", rate=SOUND_RATE_HZ)
        if hole:
            yield np.zeros(round(missing_s * SOUND_RATE_HZ), np.int16)
        assert resampler is not None
        yield from map(samples_of, resampler.resample(frame))
    yield from map(samples_of, resampler.resample(None) if resampler else ())
