"""When a client is given a handle to resume the session with, as each model does it.

Makes the messages; the session sends them, and says what a handle restores. Times are seconds of
any one clock.
"""

from __future__ import annotations

from collections.abc import Callable

from vision_agent.local.api import server_messages
from vision_agent.local.api.resumption_handles import ResumptionHandles
from vision_agent.local.api.server_messages import ServerMessage
from vision_agent.local.api.session_history import SavedSession
from vision_agent.local.api.setup_message import Setup

_EARLY_S = 0.12
"""How long after the setup a model that gives handles at a turn's start gives the first one."""


class Resumption:
    """The handles of one connection.

    Args:
        setup: The model's habits, and what the client asked for.
        handles: Where to keep what can be resumed.
        session: The session's id.
        saved: The session's state at the moment, which a handle restores.
        now_s: When the connection began.
        always: Whether the session can be resumed while an answer is generated, too.
    """

    def __init__(
        self,
        setup: Setup,
        handles: ResumptionHandles,
        session: str,
        saved: Callable[[], SavedSession],
        now_s: float,
        *,
        always: bool,
    ) -> None:
        habits = setup.habits
        self._asked = setup.resumption and habits.handles != "never"
        self._left = None if self._asked else int(habits.handle_unasked)
        self._transparent = setup.transparent
        self._moment = habits.handles
        self._every_s = habits.handle_every_s if self._asked else None
        self._handles = handles
        self._session = session
        self._saved = saved
        self._always = always
        self._resumable = True
        self.wake_at_s: float | None = None
        if self._moment == "turn start" and self._left != 0:
            self.wake_at_s = now_s + _EARLY_S
        elif self._every_s is not None:
            self.wake_at_s = now_s + self._every_s

    def answer_begins(self) -> list[ServerMessage]:
        """An answer begins to be generated: where handles come at its end, none holds it."""
        if not self._asked or self._always or self._moment != "turn end" or not self._resumable:
            return []
        self._resumable = False
        return [server_messages.session_resumption_update("")]

    def output_begins(self, now_s: float, messages: int, *, call: bool) -> list[ServerMessage]:
        """The first output of an answer is about to go out.

        Args:
            now_s: The time.
            messages: How many messages of the client have been taken in.
            call: Whether it is a call of a function.
        """
        if self._moment == "turn start" or (self._moment == "first sound" and not call):
            return self._update(now_s, messages)
        return []

    def turn_ended(self, now_s: float, messages: int) -> list[ServerMessage]:
        """The words of a turn become history."""
        return self._update(now_s, messages) if self._moment == "turn end" else []

    def due(self, now_s: float, messages: int) -> list[ServerMessage]:
        """What `wake_at_s` was about, if that time has come."""
        if self.wake_at_s is None or now_s < self.wake_at_s:
            return []
        self.wake_at_s = None if self._every_s is None else now_s + self._every_s
        return self._update(now_s, messages)

    def _update(self, now_s: float, messages: int) -> list[ServerMessage]:
        if self._left == 0:
            return []
        if self._left is not None:
            self._left -= 1
        if self._every_s is None:
            # The first answer may be quicker than the time that was waited for.
            self.wake_at_s = None
        self._resumable = True
        handle = self._handles.save(self._session, self._saved(), now_s)
        index = messages if self._transparent else None
        return [server_messages.session_resumption_update(handle, index)]
