"""Notices: messages of the product to an agent, between the caller's turns.

A tool's notice is a user turn that begins with a mark. Its first line can be spoken as it is; the
rest is an instruction for a language model. The notice that the camera is off is a frame that holds
the notice as printed text and as a JPEG comment (ITU-T T.81 B.2.4.5).
"""

from __future__ import annotations

from dataclasses import replace

from vision_agent.local.adk_dialect import NOTICE_MARK
from vision_agent.local.contract import Turn


def read_notice(text: str) -> str | None:
    """The sentence for the caller; None if the text is not a notice."""
    first = text.strip().partition("\n")[0]
    return (
        first.removeprefix(NOTICE_MARK).strip() or None if first.startswith(NOTICE_MARK) else None
    )


CAMERA_OFF = b"\xff\xfe\x00\x1d" + NOTICE_MARK.encode() + b" The camera is off."


def without_notices(turn: Turn) -> Turn:
    """The turn without the frames that are notices, and with the words of the newest of them."""
    frames = [frame for frame in turn.frames if frame.jpeg[2 : 2 + len(CAMERA_OFF)] != CAMERA_OFF]
    if len(frames) == len(turn.frames):
        return turn
    newest = turn.frames[-1]
    off = not frames or frames[-1] is not newest
    return replace(turn, frames=frames, camera_off_ms=turn.now_ms - newest.at_ms if off else None)


def camera_is_off(age_ms: int) -> str:
    """The answer when the newest frame is old."""
    seconds = max(1, age_ms // 1000)
    return f"Your camera is off; the last picture is {seconds} second{'s'[: seconds > 1]} old."
