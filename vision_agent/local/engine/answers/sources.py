"""Which of the caller's pictures a question is about: camera, screen, or a sent picture. Pure.

A question is about the source that it names. If it names none, it is about a picture that was sent
for it, and without such a picture about the camera, while that is on.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from dataclasses import replace

from vision_agent.local.contract import FrameSource, SeenFrame, Turn

_SCREEN = re.compile(
    r"\b(?:(?:my|the|this|your|shared) )*"
    r"(?:shared screen|screen(?: (?:that )?i (?:share|am sharing))?|screenshare|desktop|monitor"
    r"|display|browser|slides?|spreadsheet|web ?(?:page|site))\b",
    re.IGNORECASE,
)
_OWN_SCREEN = re.compile(r"\b(?:my|the|shared) (?:shared )?(?:screen|desktop)\b", re.IGNORECASE)
_PICTURE = re.compile(
    r"\b(?:(?:my|the|this|that) )*(?:picture|photo|photograph|image|file)s?"
    r"(?: (?:that )?i(?: have|'ve)? (?:sent|dropped|gave|uploaded|attached)(?: you)?)?\b",
    re.IGNORECASE,
)
_SENT = re.compile(
    r"\bi(?: have|'ve)? (?:sent|dropped|gave|uploaded|attached)"
    r"|\b(?:photo|photograph|image|file)\b",
    re.IGNORECASE,
)
_AT_A_SOURCE = r",? ?(?:\b(?:on|in|at|of|from)\b )"


def of_its_source(turn: Turn, words: str | None = None) -> Turn:
    """The turn with only the frames of the source that it is about.

    Args:
        turn: The turn, its frames with their sources.
        words: The question; None for the turn's own words.
    """
    if {frame.source for frame in turn.frames} <= {"camera"} and turn.screen_off_ms is None:
        return turn
    source = _source(turn, turn.text if words is None else words)
    frames = [frame for frame in turn.frames if frame.source == source]
    if source == "picture":
        frames = _asked_about(frames, turn.dialogue.answered_picture)
    return replace(turn, source=source, frames=frames)


def of_the_newest(turn: Turn) -> Turn:
    """The turn with only the frames of the newest frame's source, which a tool has just shown."""
    if not turn.frames:
        return turn
    source = turn.frames[-1].source
    return replace(
        turn, source=source, frames=[frame for frame in turn.frames if frame.source == source]
    )


def remember_answered(turn: Turn) -> None:
    """Note that a question has been asked about the pictures that were sent so far."""
    if (newest := _newest_picture(turn)) is not None:
        turn.dialogue.answered_picture = newest


def without_source(text: str, source: FrameSource) -> str:
    """The question without the words that say where to look: "what do you see on my screen".

    If there are no other words about the subject, "this" replaces them: "describe this".
    """
    named = {"screen": _SCREEN, "picture": _PICTURE}.get(source)
    if named is None or not named.search(text):
        return text
    shorter = re.sub(_AT_A_SOURCE + named.pattern, "", text, flags=re.IGNORECASE)
    return " ".join(named.sub("this", shorter).split())


def _source(turn: Turn, words: str) -> FrameSource:
    there = {frame.source for frame in turn.frames}
    if (newest := _newest_picture(turn)) is not None:
        fresh = newest != turn.dialogue.answered_picture
        named = _SENT.search(words) or (_PICTURE.search(words) and "screen" not in there)
        if (fresh or named) and not (_OWN_SCREEN.search(words) and "screen" in there):
            return "picture"
    screen_on = "screen" in there and turn.screen_off_ms is None
    if _SCREEN.search(words) and screen_on:
        return "screen"
    if _OWN_SCREEN.search(words) and turn.screen_off_ms is not None:
        return "screen"
    camera_on = "camera" in there and turn.camera_off_ms is None
    if not camera_on and screen_on:
        return "screen"
    if not camera_on and "camera" not in there and "picture" in there:
        return "picture"
    return "camera"


def _asked_about(pictures: Sequence[SeenFrame], answered: int) -> list[SeenFrame]:
    """The pictures sent since the last question, each once; if there are none, the newest."""
    fresh: dict[bytes, SeenFrame] = {}
    for picture in reversed(pictures):
        if zlib.crc32(picture.jpeg) == answered:
            break
        fresh.setdefault(picture.jpeg, picture)
    return list(fresh.values())[::-1] or list(pictures[-1:])


def _newest_picture(turn: Turn) -> int | None:
    pictures = [frame for frame in turn.frames if frame.source == "picture"]
    return zlib.crc32(pictures[-1].jpeg) if pictures else None
