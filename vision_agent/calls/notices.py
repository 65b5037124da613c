"""What tools have to tell while nobody asks: told to the agent in the next gap, one at a time."""

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
"""What a notice begins with; the local Live API knows it too."""

INSTRUCTION = (
    "This comes from one of your tools, not from the caller. If it is about what the camera sees, "
    "look at the newest picture. Tell the caller now, in one short sentence."
)


def worded(notice: str) -> str:
    """A notice as the model is told it: a user's turn that says it is none."""
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
    """Waits for gaps. More than `MAX_WAITING` are not kept: the oldest goes.

    Args:
        floor: Says who is speaking.
        tell: Puts a notice before the agent.
    """

    def __init__(self, floor: Callable[[], FloorState], tell: Callable[[str], None]) -> None:
        self._floor = floor
        self._tell = tell
        self._waiting: deque[str] = deque(maxlen=MAX_WAITING)
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    def put(self, notice: str) -> None:
        """Takes a notice; it is told in the next gap, cut if it is long."""
        if self._closed or not (notice := cut(notice)):
            return
        self._waiting.append(notice)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name="notices")

    async def close(self) -> None:
        """Tells nothing more."""
        self._closed = True
        self._waiting.clear()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            gap = Gap(loop.time())
            # Voice, playout and connection all have a say; nothing tells when all are quiet.
            while not gap.open(loop.time(), self._floor()):  # noqa: ASYNC110
                await asyncio.sleep(LOOK_AGAIN_S)
            notice = self._waiting.popleft()
            try:
                self._tell(notice)
            except Exception:  # of the call: the next notice is told all the same
                logger.exception("A notice of a tool could not be told to the agent.")
