"""The caller's view of the call: its state, and messages to the client."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence

from vision_agent.calls.event_reporter import EventReporter
from vision_agent.calls.server_messages import (
    RecordingMessage,
    ResumedMessage,
    ServerMessage,
    State,
    StateMessage,
)
from vision_agent.live.sessions.history import ConversationLine, newest
from vision_agent.rtc import Channel

THINKING_LIMIT_S = 8.0
"""A model may rightly not answer (a cough, music): the call then counts as listening again."""

MESSAGE_FRAME_BYTES = 200
"""What surrounds the lines in a `resumed` message."""


class CallerView:
    """The state of one call, and the way to the caller's client.

    Args:
        channel: Speaks RTVI with the client.
        on_state: Called with each new state.
        thinks_for_s: How long the model may think before the call counts as listening again.
        events: Reports errors and costs; None for none.

    Attributes:
        channel: The same.
        client_ready: Set once the client has said client-ready.
        answering: Whether the model is making an answer; thinking then takes as long as it takes.
        recording: Whether the call is recorded, once there is something to say of that.
    """

    def __init__(
        self,
        channel: Channel,
        on_state: Callable[[State], None],
        thinks_for_s: float = THINKING_LIMIT_S,
        events: EventReporter | None = None,
    ) -> None:
        self.channel = channel
        self.client_ready = asyncio.Event()
        self.answering = False
        self.recording: RecordingMessage | None = None
        self._on_state = on_state
        self._events = events
        self._thinks_for_s = thinks_for_s
        self._state: State = "connecting"
        self._tools = 0
        self._limit: asyncio.TimerHandle | None = None
        self._untold: list[str] = []

    # Messages

    def show(self, message: ServerMessage) -> None:
        """Send a message of this server's own."""
        if self._events is not None:
            self._events.shown(message)
        self.channel.server_message(message.data())

    def tell(self, text: str) -> None:
        """Tell the caller, as soon as their client can show it, that something does not work."""
        if self._events is not None:
            self._events.error(text, fatal=False)
        if self.client_ready.is_set():
            self.channel.error(text, fatal=False)
        else:
            self._untold.append(text)

    def show_recording(self, message: RecordingMessage) -> None:
        """Show whether the call is recorded, now or as soon as the client can show it."""
        self.recording = message
        if self.client_ready.is_set():
            self.show(message)

    def fail(self, text: str) -> None:
        """Tell the caller what ends the call."""
        if self._events is not None:
            self._events.error(text, fatal=True)
        self.channel.error(text, fatal=True)

    def greet(self, earlier: Sequence[ConversationLine] | None) -> None:
        """The client has said client-ready: show it where the call is.

        Args:
            earlier: What was said before in a conversation that is continued; None in a new one.
        """
        self.client_ready.set()
        if earlier is not None:
            max_bytes = self.channel.max_message_bytes - MESSAGE_FRAME_BYTES
            self.show(ResumedMessage(newest(earlier, max_bytes)))
        self.show(StateMessage(self._state))
        if self.recording is not None:
            self.show(self.recording)
        for text in self._untold:
            self.channel.error(text, fatal=False)
        self._untold.clear()

    async def until_ready(self, timeout_s: float) -> None:
        """Wait until the client can show things, for a bounded time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self.client_ready.wait()

    # The state

    @property
    def state(self) -> State:
        """The present one."""
        return self._state

    @property
    def busy(self) -> bool:
        """Whether the agent has something to do: an answer is being made, or tools run."""
        return self.answering or bool(self._tools)

    def set_state(
        self, state: State, reason: str | None = None, *, come_back: bool = False
    ) -> None:
        """Change the state; without effect if it is the present one, or after `ended`."""
        if self._state in (state, "ended"):
            return
        self._state = state
        self._limit_thinking()
        self._on_state(state)
        self.show(StateMessage(state, reason, come_back))

    def settle(self) -> None:
        """The agent has nothing to say: it thinks on if it is busy, and listens otherwise."""
        self.set_state("thinking" if self.busy else "listening")

    def tools_run(self, count: int) -> None:
        """Take the number of the agent's tools that run."""
        before, self._tools = self._tools, count
        if count and self._state == "listening":
            self.set_state("thinking")
        elif before and not count:
            # From here on the model may stay silent about their results.
            self._limit_thinking()

    def _limit_thinking(self) -> None:
        if self._limit is not None:
            self._limit.cancel()
            self._limit = None
        if self._state == "thinking":
            loop = asyncio.get_running_loop()
            self._limit = loop.call_later(self._thinks_for_s, self._stop_thinking)

    def _stop_thinking(self) -> None:
        if not self.busy:
            self.set_state("listening")
