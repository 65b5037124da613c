"""The frames that an agent's model was given in a recorded call."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from vision_agent.recordings.lines import FrameLine, SpokenLine
from vision_agent.recordings.recorded_call import BadRecordedCall, RecordedCall

_log = logging.getLogger(__name__)

_MAX_FRAME_BYTES = 4_000_000


@dataclass(frozen=True, slots=True)
class RecordedFrame:
    """A frame that the model was given.

    Attributes:
        at_ms: When it was given to the model, in ms of the recording.
        source: camera, screen or picture.
        jpeg: The file.
    """

    at_ms: int
    source: str
    jpeg: bytes


def seen_frames(folder: Path | None, most: int) -> tuple[list[RecordedFrame], int]:
    """Read the most informative frames of a call: those before each answer, then others.

    Args:
        folder: The recording's folder; None if there is none.
        most: The largest number of frames to read.

    Returns:
        The frames in order of time, and how many the recording has.
    """
    if folder is None:
        return [], 0
    try:
        call = RecordedCall.open(folder)
    except BadRecordedCall as error:
        _log.warning("The frames of a call can't be shown: %s", error)
        return [], 0
    kept = [line for line in call.lines if isinstance(line, FrameLine) and line.file]
    if most <= 0:
        return [], len(kept)
    answers_ms = [
        line.at_ms for line in call.lines if isinstance(line, SpokenLine) and line.who == "agent"
    ]
    return list(_read(call, chosen(kept, answers_ms, most))), len(kept)


def chosen(frames: Sequence[FrameLine], answers_ms: Sequence[int], most: int) -> list[FrameLine]:
    """Choose frames: the newest before each answer; where there is room, others evenly. Pure."""
    if len(frames) <= most:
        return list(frames)
    before = [
        max((n for n, one in enumerate(frames) if one.at_ms <= at_ms), default=None)
        for at_ms in answers_ms
    ]
    picked = _evenly(sorted({n for n in before if n is not None}), most)
    others = [n for n in range(len(frames)) if n not in picked]
    picked += _evenly(others, most - len(picked))
    return [frames[n] for n in sorted(picked)]


def _evenly(numbers: Sequence[int], most: int) -> list[int]:
    if len(numbers) <= most:
        return list(numbers)
    if most <= 1:
        return [numbers[-1]] if most else []
    return [numbers[round(n * (len(numbers) - 1) / (most - 1))] for n in range(most)]


def _read(call: RecordedCall, frames: Sequence[FrameLine]) -> Iterator[RecordedFrame]:
    for line in frames:
        try:
            path = call.frame(line.file)
            if not path.is_file() or path.stat().st_size > _MAX_FRAME_BYTES:
                continue
            yield RecordedFrame(line.at_ms, line.source, path.read_bytes())
        except (BadRecordedCall, OSError) as error:
            _log.warning("A frame of a call can't be shown: %s", error)
