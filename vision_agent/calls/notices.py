"""Notices of tools, given to the agent one at a time, each in the next gap of the conversation."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

logger = logging.getLogger(__name__)

MAX_WAITING = 8
MAX_CHARS = 2_000
"""Two minutes of speech; a longer notice is cut."""

LOOK_AGAIN_S = 0.1

QUIET_S = 0.7
"""A gap lasts at least this long; the pause between two sentences of a caller is shorter."""

PATIENCE_S = 45.0
"""After this wait, sound on the microphone counts as noise; only the agent's speech still waits."""

MARK = "[notice]"
"""The beginning of a notice; the local Live API looks for it."""

INSTRUCTION = (
    "This comes from one of your tools, not from the caller. If it is about what the camera sees, "
    "look at the newest picture. Tell the caller now, in one short sentence."
)


def worded(notice: str) -> str:
    """A notice as the model gets it: a user's turn that says it is not from the user."""
    return f"{MARK} {notice}\n{INSTRUCTION}"


def cut(notice: str) -> str:
    """A notice on one line, of at most `MAX_CHARS` characters."""
    words = " ".join(notice.split())
    return words if len(words) <= MAX_CHARS else f"{words[: MAX_CHARS - 1]}…"


@dataclass(frozen=True, slots=True)
class FloorState:
    """Who has the floor.

    Attributes:
        caller_speaks: There is a voice on the microphone.
        agent_busy: The agent speaks, thinks, or is not connected.
    """

    caller_speaks: bool
    agent_busy: bool


class Gap:
    """Judges when one notice may be spoken: when nobody is speaking. No I/O.

    Args:
        since_s: When the notice came (monotonic).
    """

    def __init__(self, since_s: float) -> None:
        self._since_s = since_s
        self._quiet_since_s: float | None = None

    def open(self, now_s: float, floor: FloorState) -> bool:
        """Whether the notice may be spoken now (monotonic)."""
        caller_speaks = floor.caller_speaks and now_s - self._since_s < PATIENCE_S
        if floor.agent_busy or caller_speaks:
            self._quiet_since_s = None
            return False
        if self._quiet_since_s is None:
            self._quiet_since_s = now_s
        return now_s - self._quiet_since_s >= QUIET_S


class Notices:
    """Holds notices until a gap. Of more than `MAX_WAITING`, the oldest is dropped.

    Args:
        floor: Returns who has the floor.
        tell: Gives a notice to the agent.
    """

    def __init__(self, floor: Callable[[], FloorState], tell: Callable[[str], None]) -> None:
        self._floor = floor
        self._tell = tell
        self._waiting: deque[str] = deque(maxlen=MAX_WAITING)
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    def put(self, notice: str) -> None:
        """Take a notice, cut to `MAX_CHARS`."""
        if self._closed or not (notice := cut(notice)):
            return
        self._waiting.append(notice)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name="notices")

    async def close(self) -> None:
        """Drop what waits, and take nothing more."""
        self._closed = True
        self._waiting.clear()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            gap = Gap(loop.time())
            # Depends on voice activity, playback and the connection; no event covers all three.
            while not gap.open(loop.time(), self._floor()):  # noqa: ASYNC110
                await asyncio.sleep(LOOK_AGAIN_S)
            notice = self._waiting.popleft()
            try:
                self._tell(notice)
            except Exception:  # raised by the call; the next notice is given all the same
                logger.exception("A notice of a tool could not be told to the agent.")
