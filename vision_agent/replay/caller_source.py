"""The source of a replay: a media file, or a recorded call with all that its caller did."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from vision_agent.caller.cut import Cut
from vision_agent.caller.media_file import (
    BadRecording,
    first_frame_s,
    last_packet_s,
    length_s,
    titles,
)
from vision_agent.caller.recording import SOUND_RATE_HZ, Recording, Samples, read_sound
from vision_agent.caller.rtvi import Track
from vision_agent.caller.utterances import utterances
from vision_agent.recordings.recorded_call import (
    CAPTIONS_FILE,
    LINES_FILE,
    MEDIA_FILE,
    BadRecordedCall,
    RecordedCall,
)
from vision_agent.replay.recorded_pictures import sent_pictures
from vision_agent.replay.recorded_steps import RecordedPart, recorded_script
from vision_agent.replay.script import (
    CallScript,
    FixedScript,
    SendPicture,
    Source,
    Speak,
    Step,
    Wait,
)

_SOURCES: tuple[Source, ...] = ("camera", "screen")
_CALLER = "caller"
# A recording does not choose who calls, nor which conversation continues.
_NOT_ASKED_AGAIN = frozenset({"agent", "user", "resume"})
_RESUMED = (
    "The recorded call continued an earlier conversation, which the agent does not know here."
)


@dataclass(frozen=True, slots=True)
class CallerSource:
    """What a caller shows and does.

    Attributes:
        shown: The videos.
        script: What the caller does.
        off: The devices that are switched off at the beginning.
        asked: The options that the recorded call had asked for.
        call: The recorded call; None if it is another recording.
        part: The part of the call that is made again.
        notes: What can't be made again, as sentences.
    """

    shown: Mapping[Source, Recording]
    script: CallScript
    off: frozenset[Track] = frozenset()
    asked: Mapping[str, Any] = field(default_factory=dict)
    call: RecordedCall | None = None
    part: RecordedPart | None = None
    notes: tuple[str, ...] = ()


def recorded_folder(path: Path) -> Path | None:
    """The folder of the recorded call that a path names: the folder, or one of its files."""
    if path.is_dir() and ((path / LINES_FILE).exists() or not (path / MEDIA_FILE).exists()):
        return path
    named = path.name in (MEDIA_FILE, LINES_FILE, CAPTIONS_FILE)
    return path.parent if named and (path.parent / LINES_FILE).exists() else None


def open_source(
    path: Path, cut: Cut, question: CallScript | None = None, *, patient: bool = False
) -> CallerSource:
    """Open a recording with its caller's words. Reads files: call it in a thread.

    Args:
        path: Any media file, a recorded call's folder, or a file in it such as `call.mkv`.
        cut: The part of it.
        question: What the caller does instead of the recorded caller's script.
        patient: See `recorded_script`.

    Raises:
        BadRecording: It can't be replayed, or the cut is no part of it.
    """
    if (folder := recorded_folder(path)) is not None:
        return _of_recorded_call(folder, cut, question, patient=patient)
    if path.is_dir():
        path /= MEDIA_FILE
    tracks = titles(path)
    if _CALLER in tracks or {"camera", "agent"} <= tracks:
        return _of_tracks(path, tracks, cut, question)
    recording = Recording.open(path, cut)
    shown: dict[Source, Recording] = {"camera": recording} if recording.has_video else {}
    script = question or _spoken(recording.sound(), recording.duration_s)
    return CallerSource(shown, script)


def _of_tracks(path: Path, tracks: set[str], cut: Cut, question: CallScript | None) -> CallerSource:
    """A recorded call's media without its lines."""
    if (why := cut.outside(length_s(path))) is not None:
        raise BadRecording(f"That is not a part of {path}: {why}.")
    shown = {
        source: Recording.open(path, Cut(cut.begin_s, cut.end_s, source))
        for source in _SOURCES
        if source in tracks and first_frame_s(path, source) < cut.end_s
    }
    longest_s = max((each.duration_s for each in shown.values()), default=0.0)
    return CallerSource(shown, question or _spoken(_sound_of(path, tracks, cut), longest_s))


def _spoken(sound: Samples, length_s: float) -> FixedScript:
    speak = Step(Speak(sound.tobytes(), SOUND_RATE_HZ), 0)
    if utterances(sound, SOUND_RATE_HZ):
        return FixedScript([speak])
    # Nothing is said: it is shown once.
    return FixedScript([speak, Step(Wait(max(length_s, len(sound) / SOUND_RATE_HZ)), 0)])


def _sound_of(path: Path, tracks: set[str], cut: Cut) -> Samples:
    if _CALLER not in tracks:
        return np.zeros(0, np.int16)
    return read_sound(path, Cut(cut.begin_s, cut.end_s, _CALLER))


def _of_recorded_call(
    folder: Path, cut: Cut, question: CallScript | None, *, patient: bool
) -> CallerSource:
    try:
        call = RecordedCall.open(folder)
    except BadRecordedCall as error:
        raise BadRecording(str(error)) from error
    has_media = call.has_media
    # The lines of a call that was broken off may end before its media do.
    length_ms = max(call.lines[-1].at_ms, round(1000 * length_s(call.media)) if has_media else 0)
    if (why := cut.outside(length_ms / 1000)) is not None:
        raise BadRecording(f"That is not a part of {folder}: {why}.")
    tracks = titles(call.media) if has_media else set()
    shown: dict[Source, Recording] = {}
    first_frames_ms: dict[Source, int] = {}
    last_frames_ms: dict[Source, int] = {}
    notes: list[str] = []
    if not has_media:
        notes.append("The recording has neither sound nor pictures.")
    if call.unread:
        notes.append(f"Lines of {LINES_FILE} that can't be read are left out: {call.unread}.")
    for source in _SOURCES:
        if source not in tracks:
            continue
        try:
            first_s = first_frame_s(call.media, source)
            if first_s < cut.end_s:
                track = Cut(cut.begin_s, cut.end_s, source)
                shown[source] = Recording.open(call.media, track, loops=False)
                first_frames_ms[source] = round(first_s * 1000)
                last_frames_ms[source] = round(last_packet_s(call.media, source) * 1000)
        except BadRecording as error:
            notes.append(f"The recorded {source} is left out: {error}")
    begin_ms = round(cut.begin_s * 1000)
    end_ms = length_ms + 1 if cut.end_s == math.inf else round(cut.end_s * 1000)
    pictures, lost = _pictures(call, begin_ms, end_ms)
    part = RecordedPart(call.lines, begin_ms, end_ms, first_frames_ms, last_frames_ms, pictures)
    notes += lost
    if call.header.resumed:
        notes.append(_RESUMED)
    script, off = question, part.off
    if script is None:
        sound = _sound_of(call.media, tracks, cut)
        spans = utterances(sound, SOUND_RATE_HZ)
        try:
            script, off = recorded_script(part, sound, spans, patient=patient)
        except ValueError as error:
            raise BadRecording(f"{folder} can't be made again: {error}.") from error
    options = call.header.options.items()
    asked = {name: value for name, value in options if value is not None}
    for name in _NOT_ASKED_AGAIN & asked.keys():
        del asked[name]
    return CallerSource(shown, script, frozenset(off), asked, call, part, tuple(notes))


def _pictures(
    call: RecordedCall, begin_ms: int, end_ms: int
) -> tuple[list[tuple[int, SendPicture]], list[str]]:
    """The pictures sent in a part of a call, and a sentence for each that can't be sent again."""
    found: list[tuple[int, SendPicture]] = []
    lost: list[str] = []
    for each in sent_pictures(call.lines, begin_ms, end_ms):
        name = f"The picture {each.name or 'without a name'}"
        try:
            path = call.frame(each.file)
        except BadRecordedCall as error:
            lost.append(f"{name} is left out: {error}")
            continue
        if each.file and path.is_file():
            found.append((each.at_ms - begin_ms, SendPicture(path, each.name)))
        else:
            lost.append(f"{name} is left out: the recording no longer has it.")
    return found, lost
