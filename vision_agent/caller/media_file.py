"""Opens media files with FFmpeg and decodes their streams; failures are reported in words."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Any

import av
import av.container
import av.error

# FFmpeg's demuxer for ANSI art accepts any text file and renders it; that is not a recording.
_NOT_RECORDINGS = frozenset({"tty"})
_ID3_HEADER_BYTES = 10
_MAX_PADDING_BYTES = 4096
_ENDING_S = 30.0


class BadRecording(ValueError):
    """A file that can't be replayed; `str(error)` is one sentence that says why."""


def open_media(path: Path) -> av.container.InputContainer:
    """Opens a file for reading.

    Raises:
        BadRecording: The file can't be read, or is not a recording.
    """
    try:
        if not path.exists():
            raise BadRecording(f"There is no file {path}.")
        if not path.is_file():
            raise BadRecording(f"{path} is not a file.")
        if not path.stat().st_size:
            raise BadRecording(f"{path} is empty.")
    except OSError as error:
        raise BadRecording(f"{path} can't be opened: {error.strerror}.") from error
    try:
        container = _opened(path)
    except PermissionError as error:
        raise BadRecording(f"{path} may not be read: {error.strerror}.") from error
    except (av.error.FFmpegError, OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise BadRecording(
            f"{path} is not a recording FFmpeg can read, or it is damaged ({reason})."
        ) from error
    if container.format.name in _NOT_RECORDINGS:
        container.close()
        raise BadRecording(f"{path} is a text file, not a recording.")
    return container


def _opened(path: Path) -> av.container.InputContainer:
    # As a URL, a name like "data:x.mp4" would be taken for a protocol.
    file = os.path.abspath(path)
    try:
        return av.open(file)
    except av.error.InvalidDataError:
        # FFmpeg reads ID3 tags in front of MP3, AAC and FLAC, but not in front of WAV.
        if not (start := _after_id3(path)):
            raise
        return av.open(f"subfile,,start,{start},end,0,,:{file}")


def _after_id3(path: Path) -> int:
    """Where the content begins after ID3v2 tags (id3.org, 3.1) and padding; 0 without a tag."""
    start = 0
    with path.open("rb") as file:
        while (header := file.read(_ID3_HEADER_BYTES))[:3] == b"ID3" and len(header) == 10:
            size = sum(
                (byte & 0x7F) << shift
                for byte, shift in zip(header[6:], (21, 14, 7, 0), strict=True)
            )
            footer = _ID3_HEADER_BYTES if header[5] & 0x10 else 0
            start += _ID3_HEADER_BYTES + size + footer
            file.seek(start)
        if not start:
            return 0
        file.seek(start)
        padded = file.read(_MAX_PADDING_BYTES)
        return start + len(padded) - len(padded.lstrip(b"\0"))


def video_streams(container: av.container.InputContainer, title: str | None = None) -> list[Any]:
    """The first video stream that can be decoded and is not cover art; or all of this title."""
    found = []
    for stream in container.streams.video:
        if is_video(stream) and _has_decoder(stream) and _is_titled(stream, title):
            if not stream.codec_context.is_open:
                stream.thread_type = "AUTO"
            found.append(stream)
            if title is None:
                break
    return found


def audio_streams(container: av.container.InputContainer, title: str | None = None) -> list[Any]:
    """The first audio stream that can be decoded; or all of this title."""
    streams = (each for each in container.streams.audio if _is_titled(each, title))
    found = filter(_has_decoder, streams)
    return list(islice(found, 1) if title is None else found)


def titles(path: Path) -> set[str]:
    """The titles of a file's tracks.

    Raises:
        BadRecording: It can't be read.
    """
    with open_media(path) as container:
        return {stream.metadata.get("title", "") for stream in container.streams} - {""}


def length_s(path: Path) -> float:
    """The length of a file in seconds; measured if the file was broken off and does not state it.

    Raises:
        BadRecording: It can't be read.
    """
    with open_media(path) as container:
        if container.duration:
            return container.duration / 1_000_000
        end_s, packets = 0.0, container.demux()
        with suppress(av.error.FFmpegError):
            for packet in packets:
                if packet.pts is not None and packet.time_base is not None:
                    end_s = max(end_s, float(packet.pts * packet.time_base))
        return end_s


def first_frame_s(path: Path, title: str) -> float:
    """When the first frame of a track can be seen, in seconds of the file; infinite if never.

    Raises:
        BadRecording: The file can't be read.
    """
    with open_media(path) as container:
        streams = video_streams(container, title)
        first = next(decoded(container, *streams), None) if streams else None
        return math.inf if first is None or first.time is None else float(first.time)


def last_packet_s(path: Path, title: str) -> float:
    """When the last packet of a track was sent, in seconds of the file; 0 if there is none.

    Raises:
        BadRecording: The file can't be read.
    """
    last_s = 0.0
    with open_media(path) as container:
        streams = [each for each in container.streams if _is_titled(each, title)]
        # Most tracks last as long as their file.
        for from_s in ((container.duration or 0) / 1_000_000 - _ENDING_S, 0.0):
            with suppress(av.error.FFmpegError):
                container.seek(round(max(0.0, from_s) * 1_000_000))
                for packet in container.demux(*streams):
                    if packet.pts is not None and packet.time_base is not None:
                        last_s = max(last_s, float(packet.pts * packet.time_base))
            if last_s:
                break
    return last_s


def seek(container: av.container.InputContainer, to_s: float, streams: Sequence[Any] = ()) -> None:
    """Seek to a key frame before this time, in a file that can be sought.

    A recording that was broken off has no index and is read from its beginning. So are several
    streams, because each has key frames of its own.

    Args:
        container: The file.
        to_s: The time.
        streams: The streams that are to be decoded; by default FFmpeg's choice of one.
    """
    if to_s <= 0 or len(streams) > 1:
        return
    with suppress(av.error.FFmpegError, OverflowError):
        if streams:
            container.seek(round(to_s / streams[0].time_base), stream=streams[0])
        else:
            container.seek(round(to_s * 1_000_000))


def _is_titled(stream: Any, title: str | None) -> bool:
    return title is None or stream.metadata.get("title") == title


def is_video(stream: av.VideoStream) -> bool:
    """Whether a video stream holds a video, and not cover art."""
    return not stream.disposition & av.stream.Disposition.attached_pic


def _has_decoder(stream: Any) -> bool:
    # A stream has no codec context if this FFmpeg does not know the codec.
    return stream.codec_context is not None


def begins_at_s(container: av.container.InputContainer) -> float:
    """When the first of the streams that are used begins; 0 if the file does not say."""
    starts = [
        float(stream.start_time * stream.time_base)
        for stream in (*video_streams(container), *audio_streams(container))
        if stream.start_time is not None and stream.time_base is not None
    ]
    return min(starts, default=0.0)


@contextmanager
def in_words(path: Path) -> Iterator[None]:
    """Raises `BadRecording` for what FFmpeg can't convert, such as an unusual pixel format."""
    try:
        yield
    except BadRecording:
        raise
    except (av.error.FFmpegError, ArithmeticError, LookupError, ValueError, MemoryError) as error:
        raise BadRecording(f"{path} can't be converted: {str(error).rstrip('.')}.") from error


def decoded(container: av.container.InputContainer, *streams: Any) -> Iterator[Any]:
    """Decodes streams that follow each other to their end; damaged packets are skipped."""
    packets = container.demux(*streams)
    before = None
    while True:
        try:
            packet = next(packets, None)
        except av.error.FFmpegError:
            return  # the file is truncated here; what was decoded so far counts
        if packet is None:
            return
        if before is not None and packet.stream is not before and packet.size:
            # A decoder holds frames back, which are earlier than those of the other stream.
            with suppress(av.error.FFmpegError):
                yield from _end_of(before).decode()
            before.codec_context.flush_buffers()
        before = packet.stream if packet.size else before
        try:
            yield from packet.decode()
        except av.error.FFmpegError:
            continue


def _end_of(stream: Any) -> Any:
    packet: Any = av.Packet()
    packet.stream, packet.time_base = stream, stream.time_base
    return packet
