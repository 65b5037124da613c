"""Notices: messages of the product to an agent, between the caller's turns.

A tool's notice is a user turn that begins with a mark. Its first line can be spoken as it is; the
rest is an instruction for a language model. The notices about frames are frames themselves, which
hold the notice as printed text and as a JPEG comment (ITU-T T.81 B.2.4.5).
"""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from vision_agent.jpeg import comment_of
from vision_agent.local.adk_dialect import (
    CAMERA_OFF,
    FRAME_MARKS,
    NOTICE_MARK,
    SCREEN_OFF,
    TITLE,
)
from vision_agent.local.contract import FrameSource, Turn


def read_notice(text: str) -> str | None:
    """The sentence for the caller; None if the text is not a notice."""
    first = text.strip().partition("\n")[0]
    return (
        first.removeprefix(NOTICE_MARK).strip() or None if first.startswith(NOTICE_MARK) else None
    )


def without_notices(turn: Turn) -> Turn:
    """The turn without the frames that are notices, with their contents applied.

    Every remaining frame has its source.
    """
    comments = [comment_of(frame.jpeg) for frame in turn.frames]
    if not any(comments):
        return turn
    frames = [
        replace(frame, source=cast(FrameSource, FRAME_MARKS.get(comment, frame.source)))
        for frame, comment in zip(turn.frames, comments, strict=True)
        if comment not in (CAMERA_OFF, SCREEN_OFF, TITLE)
    ]
    off_ms: dict[str, int | None] = {}
    for frame, comment in zip(turn.frames, comments, strict=True):
        if comment in (CAMERA_OFF, SCREEN_OFF):
            off_ms["camera" if comment == CAMERA_OFF else "screen"] = turn.now_ms - frame.at_ms
        elif comment != TITLE:
            off_ms[FRAME_MARKS.get(comment, "camera")] = None
    return replace(
        turn,
        frames=frames,
        camera_off_ms=off_ms.get("camera"),
        screen_off_ms=off_ms.get("screen"),
    )


def camera_is_off(age_ms: int) -> str:
    """The answer when the newest frame is old."""
    seconds = max(1, age_ms // 1000)
    return f"Your camera is off; the last picture is {seconds} second{'s'[: seconds > 1]} old."
