"""Where a call is, in the word that its caller is shown."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Literal

State = Literal["connecting", "listening", "thinking", "speaking", "reconnecting", "ended"]

THINKING_LIMIT_S = 8.0
"""A model may rightly not answer (a cough, music): the caller is told it listens again."""


class CallStatus:
    """The state of one call; ``ended`` is the last one.

    Args:
        tell: Is told each change: the new state, and the reason where there is one.

    Attributes:
        answering: Whether an answer is being made: then thinking takes as long as it takes.
    """

    def __init__(self, tell: Callable[[State, str | None], None]) -> None:
        self._tell = tell
        self.answering = False
        self._state: State = "connecting"
        self._tools = 0
        self._limit: asyncio.TimerHandle | None = None

    @property
    def state(self) -> State:
        """The present one."""
        return self._state

    @property
    def busy(self) -> bool:
        """Whether the agent has something to do: an answer is being made, or tools run."""
        return self.answering or bool(self._tools)

    def set(self, state: State, reason: str | None = None) -> None:
        """The call is in this state now; nothing happens if it is already, or has ended."""
        if self._state in (state, "ended"):
            return
        self._state = state
        self._limit_thinking()
        self._tell(state, reason)

    def tools_run(self, count: int) -> None:
        """So many of the agent's tools are under way now."""
        before, self._tools = self._tools, count
        if count and self._state == "listening":
            self.set("thinking")
        elif before and not count:
            # From here on the model may stay silent about what they told it.
            self._limit_thinking()

    def _limit_thinking(self) -> None:
        if self._limit is not None:
            self._limit.cancel()
            self._limit = None
        if self._state == "thinking":
            loop = asyncio.get_running_loop()
            self._limit = loop.call_later(THINKING_LIMIT_S, self._stop_thinking)

    def _stop_thinking(self) -> None:
        if not self.busy:
            self.set("listening")
