"""What a session remembers: what was said, and the newest pictures. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from vision_agent.local.contract import SeenFrame

MAX_ENTRIES = 200
"""Turns of either side that are kept; the oldest are forgotten."""

MAX_FRAMES = 30
"""Pictures that are kept, half a minute at one a second; the oldest are forgotten."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """A session's memory at one moment, as a resumption handle stands for it.

    Attributes:
        history: ``(role, text)``, oldest first.
        frames: Pictures, oldest first, their times relative to the moment (so, negative).
    """

    history: tuple[tuple[str, str], ...] = ()
    frames: tuple[SeenFrame, ...] = ()


class Memory:
    """One session's memory, empty or going on from a remembered one."""

    def __init__(self, remembered: Remembered | None = None) -> None:
        start = remembered or Remembered()
        self._history: deque[tuple[str, str]] = deque(start.history, maxlen=MAX_ENTRIES)
        self._frames: deque[SeenFrame] = deque(start.frames, maxlen=MAX_FRAMES)

    @property
    def history(self) -> tuple[tuple[str, str], ...]:
        """``(role, text)``, oldest first."""
        return tuple(self._history)

    @property
    def frames(self) -> tuple[SeenFrame, ...]:
        """Pictures, oldest first."""
        return tuple(self._frames)

    def said(self, role: str, text: str) -> None:
        """``role`` ("user" or "model") said ``text``; nothing said is nothing remembered."""
        if text.strip():
            self._history.append((role, text))

    def saw(self, image: bytes, at_ms: int) -> None:
        """A picture came at ``at_ms`` of the stream."""
        self._frames.append(SeenFrame(image, at_ms))

    def take_unanswered(self) -> str:
        """The caller's last words, taken out again if the model has not answered them; else ""."""
        if self._history and self._history[-1][0] == "user":
            return self._history.pop()[1]
        return ""

    def snapshot(self, now_ms: int) -> Remembered:
        """The memory as it is at ``now_ms`` of the stream."""
        return Remembered(
            self.history,
            tuple(SeenFrame(frame.jpeg, frame.at_ms - now_ms) for frame in self._frames),
        )
