"""A recording on disk: its video frames and its sound, in any container and codec FFmpeg reads."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import av.container
import av.error
import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.int16]

SOUND_RATE_HZ = 48_000
"""Sample rate of every sound read here. Opus runs at it, so a caller's voice is resampled once."""

# The size of a webcam's frame. A 4K recording would cost the caller seconds of VP8 encoding per
# second, and the server shrinks every frame far below this before the model sees it.
MAX_FRAME_PX = 1280
MAX_FPS = 30.0
# Sound is held in memory (5.8 MB a minute): the ends of its utterances are found before it is sent.
MAX_SOUND_S = 20 * 60
# FFmpeg's demuxer for ANSI art accepts any text file and renders it; that is not a recording.
_NOT_RECORDINGS = frozenset({"tty"})


class BadRecording(ValueError):
    """A file that can't be replayed; `str(error)` is one sentence that says why."""


@dataclass(frozen=True, slots=True)
class TimedFrame:
    """A frame of a recording and when it is due.

    Attributes:
        at_s: When the frame is due, in seconds after the first; grows from loop to loop.
        frame: yuv420p, even sides, at most `MAX_FRAME_PX` on the longer one, upright.
    """

    at_s: float
    frame: av.VideoFrame


@dataclass(frozen=True, slots=True)
class Recording:
    """What a media file contains, found out by decoding the start of each of its streams.

    Attributes:
        path: The file.
        duration_s: Length in seconds; 0 for a still image or when the container doesn't say.
        has_video: Whether there is a video stream (cover art doesn't count).
        has_sound: Whether there is an audio stream.
        fps: Frames per second it is sent at, at most `MAX_FPS`; 0 without video.
        still: Whether its video is a single frame.
    """

    path: Path
    duration_s: float
    has_video: bool
    has_sound: bool
    fps: float
    still: bool

    @classmethod
    def open(cls, path: Path) -> Recording:
        """Inspect a media file: any container and codec FFmpeg reads.

        Raises:
            BadRecording: The file is missing, unreadable, not media, or holds nothing to send.
        """
        with _container(path) as container:
            video, audio = _video_stream(container), _audio_stream(container)
            if video is None and any(map(_is_video, container.streams.video)):
                raise BadRecording(
                    f"The picture of {path} is in a codec that can't be decoded here."
                )
            if video is None and audio is None:
                what = "has neither a picture nor a sound in it"
                if container.streams.audio:
                    what = "is in a codec that can't be decoded here"
                raise BadRecording(f"{path} {what}.")
            duration_s = (container.duration or 0) / 1_000_000
            fps, still = 0.0, False
            if video is not None:
                rate = float(video.average_rate or 0) or MAX_FPS
                frames = _decoded(container, video)
                first = next(frames, None)
                if first is None:
                    raise BadRecording(f"No picture of {path} can be decoded: it is damaged.")
                with _in_words(path):
                    _webcam_frame(first)
                still = next(frames, None) is None
                fps = min(rate, MAX_FPS)
        if audio is not None:
            with _container(path) as container:
                sound = _audio_stream(container)
                if sound is None or next(_decoded(container, sound), None) is None:
                    if video is None:
                        raise BadRecording(f"No sound of {path} can be decoded: it is damaged.")
                    audio = None
        return cls(
            path=path,
            duration_s=0.0 if still and audio is None else duration_s,
            has_video=video is not None,
            has_sound=audio is not None,
            fps=fps,
            still=still,
        )

    def frames(self) -> Iterator[TimedFrame]:
        """Yield the recording's frames endlessly, starting over after the last one.

        Each step decodes and blocks: iterate in a thread. Frames closer together than
        1 / `MAX_FPS` are skipped, and so are damaged ones in the middle.

        Raises:
            BadRecording: The file has no video any more: it was replaced or truncated meanwhile.
        """
        loop_at_s = 0.0
        while True:
            last_at_s, first_pts_s, count = -math.inf, None, 0
            with _container(self.path) as container:
                stream = _video_stream(container)
                if stream is None:
                    raise BadRecording(f"{self.path} has no picture in it.")
                for frame in _decoded(container, stream):
                    pts_s = frame.time if frame.time is not None else count / (self.fps or MAX_FPS)
                    count += 1
                    if first_pts_s is None:
                        first_pts_s = pts_s
                    at_s = pts_s - first_pts_s
                    # A tenth of a frame of slack: time stamps at 29.97 fps are rounded.
                    if at_s < last_at_s + 0.9 / MAX_FPS:
                        continue
                    last_at_s = at_s
                    with _in_words(self.path):
                        webcam_frame = _webcam_frame(frame)
                    yield TimedFrame(loop_at_s + at_s, webcam_frame)
            if not count:
                raise BadRecording(f"No picture of {self.path} can be decoded: it is damaged.")
            loop_at_s += max(last_at_s, 0.0) + 1 / (self.fps or MAX_FPS)

    def sound(self) -> Samples:
        """Decode the whole sound to mono s16 at `SOUND_RATE_HZ`; empty when there is none.

        Raises:
            BadRecording: None of it can be decoded, or it is longer than `MAX_SOUND_S`.
        """
        return read_sound(self.path) if self.has_sound else np.zeros(0, np.int16)


def read_sound(path: Path) -> Samples:
    """Decode the first audio stream of any media file to mono s16 at `SOUND_RATE_HZ`.

    Raises:
        BadRecording: The file is missing, damaged or not media, has no audio stream, or holds
            more than `MAX_SOUND_S` of sound.
    """
    pieces: list[Samples] = []
    length = 0
    with _container(path) as container, _in_words(path):
        stream = _audio_stream(container)
        if stream is None:
            known = not container.streams.audio
            what = "has no sound in it" if known else "has a sound that can't be decoded here"
            raise BadRecording(f"{path} {what}.")
        for piece in _mono(_decoded(container, stream)):
            pieces.append(piece)
            length += len(piece)
            if length > MAX_SOUND_S * SOUND_RATE_HZ:
                raise BadRecording(
                    f"The sound of {path} is longer than {MAX_SOUND_S // 60} minutes; "
                    "cut out the part to be replayed."
                )
    if not pieces:
        raise BadRecording(f"No sound of {path} can be decoded: it is damaged.")
    return np.concatenate(pieces)


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


def samples_of(frame: av.AudioFrame) -> Samples:
    """Return the samples of a frame that is mono s16."""
    return np.asarray(frame.to_ndarray().reshape(-1), np.int16)


def _container(path: Path) -> av.container.InputContainer:
    """Open `path` for reading; `BadRecording` says why it can't be."""
    if not path.exists():
        raise BadRecording(f"There is no file {path}.")
    if not path.is_file():
        raise BadRecording(f"{path} is not a file.")
    if not path.stat().st_size:
        raise BadRecording(f"{path} is empty.")
    try:
        container = av.open(str(path))
    except PermissionError as error:
        raise BadRecording(f"{path} may not be read: {error.strerror}.") from error
    except (av.error.FFmpegError, OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise BadRecording(
            f"{path} is not a recording FFmpeg can read, or it is damaged ({reason})."
        ) from error
    if container.format.name in _NOT_RECORDINGS:
        container.close()
        raise BadRecording(f"{path} is a text file, not a recording.")
    return container


def _video_stream(container: av.container.InputContainer) -> Any | None:
    """Return the first video stream that can be decoded and is not cover art."""
    for stream in container.streams.video:
        if _is_video(stream) and _has_decoder(stream):
            stream.thread_type = "AUTO"
            return stream
    return None


def _audio_stream(container: av.container.InputContainer) -> Any | None:
    return next(filter(_has_decoder, container.streams.audio), None)


def _is_video(stream: av.VideoStream) -> bool:
    return not stream.disposition & av.stream.Disposition.attached_pic


def _has_decoder(stream: Any) -> bool:
    # A stream has no codec context if this FFmpeg does not know the codec.
    return stream.codec_context is not None


@contextmanager
def _in_words(path: Path) -> Iterator[None]:
    """Raise `BadRecording` for what FFmpeg can't convert, such as an unusual pixel format."""
    try:
        yield
    except BadRecording:
        raise
    except (av.error.FFmpegError, ValueError, MemoryError) as error:
        raise BadRecording(f"{path} can't be converted: {str(error).rstrip('.')}.") from error


def _mono(frames: Iterator[av.AudioFrame]) -> Iterator[Samples]:
    """Resample to mono s16 at `SOUND_RATE_HZ`; the source's format may change in mid-stream."""
    resampler, shape = None, None
    for frame in frames:
        if shape != (shape := (frame.format.name, frame.layout.name, frame.sample_rate)):
            # A resampler takes a single format: the old one is drained before a new one starts.
            yield from map(samples_of, resampler.resample(None) if resampler else ())
            resampler = av.AudioResampler(format="s16", layout="mono", rate=SOUND_RATE_HZ)
        assert resampler is not None
        yield from map(samples_of, resampler.resample(frame))
    yield from map(samples_of, resampler.resample(None) if resampler else ())


def _decoded(container: av.container.InputContainer, stream: Any) -> Iterator[Any]:
    """Decode a stream to its end; damaged packets are skipped."""
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except av.error.FFmpegError:
            return  # the file is truncated here; what was decoded so far counts
        if packet is None:
            return
        try:
            yield from packet.decode()
        except av.error.FFmpegError:
            continue


def _webcam_frame(frame: av.VideoFrame) -> av.VideoFrame:
    """Convert a frame to what a webcam sends: upright, yuv420p, even sides, not huge."""
    turns = round(frame.rotation / 90) % 4
    scale = min(1.0, MAX_FRAME_PX / max(frame.width, frame.height))
    width = max(2, int(frame.width * scale) // 2 * 2)
    height = max(2, int(frame.height * scale) // 2 * 2)
    if not turns:
        return frame.reformat(width, height, "yuv420p")
    # Phones store frames as the sensor lies, with a rotation in the metadata.
    lying = np.asarray(frame.to_ndarray(width=width, height=height, format="rgb24"), np.uint8)
    upright = np.ascontiguousarray(np.rot90(lying, turns))
    turned = av.VideoFrame.from_ndarray(upright, format="rgb24")
    return turned.reformat(format="yuv420p")
