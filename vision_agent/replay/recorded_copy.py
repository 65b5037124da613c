"""Copies a part of a recorded call into a folder of its own, without encoding anything again.

G.711 and G.722 become linear PCM, without loss: PyAV copies neither to Matroska.
"""

from __future__ import annotations

import errno
import os
import shutil
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error

from vision_agent.caller.cut import Cut
from vision_agent.caller.media_file import BadRecording, open_media
from vision_agent.recordings.lines import FrameLine, Line, NoticeLine, SwitchedLine, written
from vision_agent.recordings.recorded_call import (
    FRAMES_FOLDER,
    LINES_FILE,
    MEDIA_FILE,
    RecordedCall,
)
from vision_agent.replay.recorded_pictures import sent_pictures

_DAMAGED = (av.error.FFmpegError, ValueError)
_DISK_FULL = (errno.EFBIG, errno.ENOSPC, errno.EDQUOT)
_TELEPHONE_CODECS = frozenset({"pcm_mulaw", "pcm_alaw", "adpcm_g722", "g722"})


def copy_part(call: RecordedCall, cut: Cut, folder: Path) -> float:
    """Copy the packets and lines of a part. Reads and writes files: call it in a thread.

    A video can only be decoded from a key frame on, so the copy begins with the last key frame
    before the cut. Frames that the model was shown are left out, because the videos contain them;
    pictures that the caller sent are copied.

    Args:
        call: The recorded call.
        cut: The part of it.
        folder: The new folder.

    Returns:
        Where the copy begins, in seconds of the recorded call.

    Raises:
        BadRecording: The media can't be read.
        OSError: The folder is there already, or can't be written.
    """
    folder.mkdir(parents=True)
    try:
        return _copy(call, cut, folder)
    except BaseException as error:
        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, OSError) and error.errno in _DISK_FULL:
            raise OSError(error.errno, "The disk is full", str(folder)) from error
        if isinstance(error, BadRecording) or not isinstance(error, _DAMAGED):
            raise
        raise BadRecording(f"{call.media} can't be copied, it is damaged: {error}.") from error


def _copy(call: RecordedCall, cut: Cut, folder: Path) -> float:
    begins_s = _key_frame_before(call.media, cut.begin_s) if call.has_media else cut.begin_s
    if call.has_media:
        _copy_packets(call.media, folder / MEDIA_FILE, begins_s, cut.end_s)
    lines = _lines(call, begins_s, cut.end_s)
    text = "".join(f"{written(_with_picture(call, line, folder))}\n" for line in lines)
    # JSON has an escape for the unpaired surrogates that UTF-8 lacks.
    (folder / LINES_FILE).write_bytes(text.encode("utf-8", "backslashreplace"))
    return begins_s


def _key_frame_before(media: Path, begin_s: float) -> float:
    """The latest time from which every video can be decoded up to the beginning of the cut."""
    newest: dict[str, float] = {}
    if not begin_s:
        return 0.0
    with open_media(media) as container:
        for packet in _packets(container):
            if packet.stream.type != "video":
                continue
            at_s = float(packet.pts * packet.time_base)
            if at_s > begin_s:
                break
            if packet.is_keyframe:
                # A track that continues in another codec has a second stream of the same title.
                newest[packet.stream.metadata.get("title", "")] = at_s
    return min(newest.values(), default=begin_s)


def _copy_packets(media: Path, copy: Path, begins_s: float, end_s: float) -> None:
    with open_media(media) as container, av.open(os.fspath(copy), "w", format="matroska") as out:
        streams: dict[int, Any] = {}
        newest: dict[int, int] = {}
        for stream in container.streams:
            if stream.type in ("video", "audio"):
                streams[stream.index] = _stream_like(stream, out)
                streams[stream.index].metadata.update(stream.metadata)
        if not streams:
            raise BadRecording(f"{media} has nothing in it that can be copied.")
        for packet in _packets(container):
            at_s = float(packet.pts * packet.time_base)
            if packet.stream.index not in streams or at_s < begins_s or at_s >= end_s:
                continue
            shift = round(Fraction(begins_s) / packet.time_base)
            packet.pts -= shift
            packet.dts = packet.pts if packet.dts is None else packet.dts - shift
            if packet.dts < newest.get(packet.stream.index, packet.dts):
                continue  # a damaged time
            newest[packet.stream.index] = packet.dts
            copied = streams[packet.stream.index]
            if packet.stream.codec_context.name in _TELEPHONE_CODECS:
                for frame in packet.decode():
                    out.mux(copied.encode(frame))
                continue
            packet.stream = copied
            out.mux(packet)


def _stream_like(stream: Any, out: Any) -> Any:
    if stream.codec_context.name in _TELEPHONE_CODECS:
        return out.add_stream("pcm_s16le", rate=stream.codec_context.sample_rate, layout="mono")
    return out.add_stream_from_template(stream)


def _packets(container: Any) -> Any:
    """The packets that have a time, up to where the file was broken off."""
    packets = container.demux()
    while True:
        try:
            packet = next(packets, None)
        except av.error.FFmpegError:
            return
        if packet is None:
            return
        if packet.pts is not None and packet.size:
            yield packet


def _lines(call: RecordedCall, begins_s: float, end_s: float) -> list[Line]:
    begin_ms = round(begins_s * 1000)
    end_ms = None if end_s == float("inf") else round(end_s * 1000)
    before = [each for each in call.lines if each.at_ms < begin_ms]
    switches = {each.what: each for each in before if isinstance(each, SwitchedLine)}
    about = f"A part of the call {call.header.call_id}, from {begin_ms} ms on."
    kept: list[Line] = [NoticeLine(at_ms=begin_ms, text=about)]
    waiting = sent_pictures(call.lines, begin_ms, begin_ms)
    earlier = [*switches.values(), *(line for each in waiting for line in each.lines)]
    kept += [each.model_copy(update={"at_ms": begin_ms}) for each in earlier]
    kept += [each for each in call.between(begin_ms, end_ms) if each is not call.header]
    moved = (each.model_copy(update={"at_ms": each.at_ms - begin_ms}) for each in kept)
    return [call.header.model_copy(update={"at_ms": 0}), *moved]


def _with_picture(call: RecordedCall, line: Line, folder: Path) -> Line:
    """Copy the picture that a line names, if the caller has sent it; returns the copy's line."""
    if not isinstance(line, FrameLine):
        return line
    file = ""
    if line.source == "picture" and line.file and (picture := call.frame(line.file)).is_file():
        file = f"{FRAMES_FOLDER}/{picture.name}"
        (folder / FRAMES_FOLDER).mkdir(exist_ok=True)
        shutil.copyfile(picture, folder / file)
    return line.model_copy(update={"file": file})
