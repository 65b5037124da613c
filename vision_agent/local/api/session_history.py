"""The history of one session: what was said, and the newest camera frames. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace

from vision_agent.local.api.usage import Amounts
from vision_agent.local.contract import Dialogue, SeenFrame

MAX_ENTRIES = 200
"""Turns of either side that are kept; the oldest are forgotten."""

MAX_CHARACTERS = 20_000
"""Characters kept of one turn; nobody types more at once, and no question needs the rest."""

MAX_FRAMES = 30
"""Frames that are kept, half a minute at one a second; the oldest are forgotten."""


@dataclass(frozen=True, slots=True)
class SavedSession:
    """A session's state at one moment, as a resumption handle restores it.

    Attributes:
        history: ``(role, text)``, oldest first.
        frames: Frames, oldest first, their times relative to the moment (so, negative).
        history_turns: For each line of the history, the turn in ``turns`` that it belongs to.
        frame_turns: The same for each frame.
        turns: What each turn put into the context, oldest first.
        age_s: How long the session had lasted.
        dialogue: The engine's state of the dialogue.
    """

    history: tuple[tuple[str, str], ...] = ()
    frames: tuple[SeenFrame, ...] = ()
    history_turns: tuple[int, ...] = ()
    frame_turns: tuple[int, ...] = ()
    turns: tuple[Amounts, ...] = ()
    age_s: float = 0.0
    dialogue: Dialogue = field(default_factory=Dialogue)

    def without_frames(self) -> SavedSession:
        """The same without its frames."""
        return replace(self, frames=(), frame_turns=())


class SessionHistory:
    """The history of a new or a resumed session.

    Every line and frame belongs to a turn, by its number, and is forgotten with it.
    """

    def __init__(self, remembered: SavedSession | None = None) -> None:
        start = remembered or SavedSession()
        self._history: deque[tuple[int, str, str]] = deque(maxlen=MAX_ENTRIES)
        self._frames: deque[tuple[int, SeenFrame]] = deque(maxlen=MAX_FRAMES)
        for number, (role, text) in zip(start.history_turns, start.history, strict=True):
            self._history.append((number, role, text))
        for number, frame in zip(start.frame_turns, start.frames, strict=True):
            self._frames.append((number, frame))

    @property
    def history(self) -> tuple[tuple[str, str], ...]:
        """``(role, text)``, oldest first."""
        return tuple((role, text) for _, role, text in self._history)

    @property
    def frames(self) -> tuple[SeenFrame, ...]:
        """Pictures, oldest first."""
        return tuple(frame for _, frame in self._frames)

    def said(self, role: str, text: str, turn: int) -> None:
        """``role`` ("user", "model", "tool") said ``text``; nothing said is nothing remembered."""
        if text.strip():
            self._history.append((turn, role, text[:MAX_CHARACTERS]))

    def saw(self, data: bytes, at_ms: int, turn: int) -> None:
        """A frame came at ``at_ms`` of the stream."""
        self._frames.append((turn, SeenFrame(data, at_ms)))

    def take_unanswered(self) -> str:
        """The caller's last words, taken out again if the model has not answered them; else ""."""
        if self._history and self._history[-1][1] == "user":
            return self._history.pop()[2]
        return ""

    def forget_before(self, turn: int) -> None:
        """Everything of the turns before this one is forgotten."""
        while self._history and self._history[0][0] < turn:
            self._history.popleft()
        while self._frames and self._frames[0][0] < turn:
            self._frames.popleft()

    def snapshot(
        self, now_ms: int, *, first_turn: int, turns: tuple[Amounts, ...], age_s: float
    ) -> SavedSession:
        """The memory as it is at ``now_ms`` of the stream.

        Args:
            now_ms: The moment.
            first_turn: The number of the oldest turn in the context.
            turns: The turns in the context.
            age_s: How long the session has lasted.
        """
        return SavedSession(
            self.history,
            tuple(SeenFrame(frame.jpeg, frame.at_ms - now_ms) for frame in self.frames),
            tuple(number - first_turn for number, _, _ in self._history),
            tuple(number - first_turn for number, _ in self._frames),
            turns,
            age_s,
        )
