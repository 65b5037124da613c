"""The history of one session: the words, and the newest camera frames. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace

from vision_agent.local.api.usage import Amounts
from vision_agent.local.contract import Dialogue, Entry, Said, SeenFrame

MAX_ENTRIES = 200
"""Entries that are kept; the oldest are forgotten."""

MAX_CHARACTERS = 20_000
"""Characters kept of one turn; nobody types more at once, and no question needs the rest."""

MAX_FRAMES = 30
"""Frames that are kept, half a minute at one a second; the oldest are forgotten."""


@dataclass(frozen=True, slots=True)
class SavedSession:
    """A session's state at one moment, as a resumption handle restores it.

    Attributes:
        record: What was said, called and returned, oldest first.
        frames: Frames, oldest first, their times relative to the moment (so, negative).
        record_turns: For each entry of the record, the turn in ``turns`` that it belongs to.
        frame_turns: The same for each frame.
        turns: What each turn put into the context, oldest first.
        age_s: How long the session had lasted.
        dialogue: The engine's state of the dialogue.
    """

    record: tuple[Entry, ...] = ()
    frames: tuple[SeenFrame, ...] = ()
    record_turns: tuple[int, ...] = ()
    frame_turns: tuple[int, ...] = ()
    turns: tuple[Amounts, ...] = ()
    age_s: float = 0.0
    dialogue: Dialogue = field(default_factory=Dialogue)

    def without_frames(self) -> SavedSession:
        """The same without its frames."""
        return replace(self, frames=(), frame_turns=())


class SessionHistory:
    """The history of a new or a resumed session.

    Every entry and frame belongs to a turn, by its number, and is forgotten with it.
    """

    def __init__(self, remembered: SavedSession | None = None) -> None:
        start = remembered or SavedSession()
        self._record: deque[tuple[int, Entry]] = deque(maxlen=MAX_ENTRIES)
        self._frames: deque[tuple[int, SeenFrame]] = deque(maxlen=MAX_FRAMES)
        for number, entry in zip(start.record_turns, start.record, strict=True):
            self._record.append((number, entry))
        for number, frame in zip(start.frame_turns, start.frames, strict=True):
            self._frames.append((number, frame))

    @property
    def record(self) -> tuple[Entry, ...]:
        """The words, calls and results, oldest first."""
        return tuple(entry for _, entry in self._record)

    @property
    def history(self) -> tuple[tuple[str, str], ...]:
        """``(role, text)``, oldest first."""
        lines: list[tuple[str, str]] = []
        for entry in self.record:
            if isinstance(entry, Said) and entry.continues and lines:
                lines[-1] = (entry.role, f"{lines[-1][1]} {entry.text}")
            elif isinstance(entry, Said):
                lines.append((entry.role, entry.text))
        return tuple(lines)

    @property
    def frames(self) -> tuple[SeenFrame, ...]:
        """Pictures, oldest first."""
        return tuple(frame for _, frame in self._frames)

    def add(self, entry: Entry, turn: int) -> None:
        """Something was said, called or returned; nothing said is nothing remembered."""
        if isinstance(entry, Said):
            if not entry.text.strip():
                return
            entry = replace(entry, text=entry.text[:MAX_CHARACTERS])
        self._record.append((turn, entry))

    def saw(self, data: bytes, at_ms: int, turn: int) -> None:
        """A frame came at ``at_ms`` of the stream."""
        self._frames.append((turn, SeenFrame(data, at_ms)))

    def take_unanswered(self) -> str:
        """The caller's last words, taken out again if the model has not answered them; else ""."""
        last = self._record[-1][1] if self._record else None
        if isinstance(last, Said) and last.role == "user":
            self._record.pop()
            return last.text
        return ""

    def forget_before(self, turn: int) -> None:
        """Everything of the turns before this one is forgotten."""
        while self._record and self._record[0][0] < turn:
            self._record.popleft()
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
            self.record,
            tuple(SeenFrame(frame.jpeg, frame.at_ms - now_ms) for frame in self.frames),
            tuple(number - first_turn for number, _ in self._record),
            tuple(number - first_turn for number, _ in self._frames),
            turns,
            age_s,
        )
