"""The pictures that the caller sent in a recorded call. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from vision_agent.recordings.lines import FrameLine, Line, ReceivedLine, SpokenLine

_MOST_ASKED_ABOUT = 4


@dataclass(frozen=True, slots=True)
class SentPicture:
    """A picture that the server accepted.

    Attributes:
        at_ms: When its last part arrived, in ms of the call.
        name: The name that the caller's client gave it.
        file: Its path in the recorded call's folder; empty if it was not kept.
        lines: Its lines in the recording.
    """

    at_ms: int
    name: str
    file: str
    lines: tuple[Line, ...]


def sent_pictures(lines: Sequence[Line], begin_ms: int, end_ms: int) -> list[SentPicture]:
    """The pictures of a part of a call.

    A recording keeps a picture's content as the frame that the model was given, a moment after the
    last part arrived. A picture that was sent before the part of the call, but not yet asked about,
    is sent at its beginning.
    """
    waiting: list[SentPicture] = []
    inside: list[SentPicture] = []
    asked_ms = [e.at_ms for e in lines if isinstance(e, SpokenLine) and e.who == "user"]
    for picture in _all_of(lines):
        if begin_ms <= picture.at_ms < end_ms:
            inside.append(picture)
        elif picture.at_ms < begin_ms and not any(
            picture.at_ms <= asked < begin_ms for asked in asked_ms
        ):
            waiting.append(replace(picture, at_ms=begin_ms))
    return [*waiting[-_MOST_ASKED_ABOUT:], *inside]


def picture_part(message: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The part of a picture in a client's message; None if the message is something else."""
    data = message.get("data")
    if message.get("type") != "client-message" or not isinstance(data, dict):
        return None
    part = data.get("d")
    return part if data.get("t") == "picture" and isinstance(part, dict) else None


def _all_of(lines: Sequence[Line]) -> Iterator[SentPicture]:
    came: ReceivedLine | None = None
    for line in lines:
        if isinstance(line, ReceivedLine) and (part := picture_part(line.message)) is not None:
            # Refused parts may follow the last one of a picture that is still being read.
            number, parts = part.get("part"), part.get("parts")
            if isinstance(number, int) and isinstance(parts, int) and number + 1 == parts:
                came = line
        elif isinstance(line, FrameLine) and line.source == "picture":
            part = None if came is None else picture_part(came.message)
            name = "" if part is None else str(part.get("name") or "")
            of_it = (line,) if came is None else (came, line)
            yield SentPicture(of_it[0].at_ms, name, line.file, of_it)
            came = None
