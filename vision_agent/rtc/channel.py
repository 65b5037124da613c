"""The data channel of a call: messages to the client, and the client's messages."""

from __future__ import annotations

import asyncio
import logging
import time
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Literal, Protocol

from vision_agent.rtc import rtvi
from vision_agent.rtc.budget import Budget
from vision_agent.rtc.outbox import Outbox
from vision_agent.rtc.own.aiortc import RTCDataChannel

logger = logging.getLogger(__name__)

# A client's messages: a page sends one or two a second. Messages beyond this are dropped unread.
MESSAGE_BURST, MESSAGES_PER_S = 200, 50.0
# A client's typed texts: faster than anybody types, slow enough for a model to answer.
TEXT_BURST, TEXTS_PER_S = 20, 2.0
# Refusals that are sent and logged. Further ones are only counted, unless they answer a request.
COMPLAINT_BURST, COMPLAINTS_PER_S = 10, 1.0
DRAIN_S = 0.5

TEXT_IDS_KEPT = 32
"""Texts whose ids are remembered: a client repeats those of its last seconds on a new channel."""


class ChannelListener(Protocol):
    """Handles the client's messages, on the event loop.

    Each method may raise `rtvi.BadMessage`, whose sentence is sent to the client.
    """

    def on_client_ready(self) -> None:
        """The client is set up and has been sent bot-ready."""

    def on_text(self, text: str, *, spoken: bool) -> None:
        """The user typed a text; `spoken`: its answer is spoken, not only shown."""

    def on_context(self, text: str, *, agents: bool) -> None:
        """Add a text to the agent's context without an answer; `agents`: as its own words."""

    def on_track_status(self, receiver_index: int, enabled: bool) -> None:
        """The microphone (0), camera (1) or screen (2) was switched on or off."""

    def on_client_message(self, type: str, data: object) -> object | None:
        """A request of the application's own; returns the response's `d` (JSON), or a future of it.

        A future may raise `rtvi.BadMessage`, too.
        """

    def on_goodbye(self) -> None:
        """The client ends the call."""


class ChannelWatch(Protocol):
    """Is shown what goes over the channel, on the event loop."""

    def received(self, text: str, incoming: rtvi.Incoming) -> None:
        """A message of the client's, as it came and as it was understood; no pings."""

    def sent(self, text: str) -> None:
        """A message to the client, in JSON."""

    def speaking(self, who: Literal["user", "agent"], on: bool) -> None:
        """One side begins or stops to speak."""


class Channel:
    """Speaks RTVI 2.1 on a data channel.

    Messages wait until the client has said client-ready (see `Outbox`). After `close` they are
    dropped silently. No method raises.

    Args:
        listener: Handles the client's messages.
        about: The `about` of bot-ready.
        watch: Is shown what goes over the channel.
    """

    def __init__(
        self,
        listener: ChannelListener,
        about: Mapping[str, object],
        watch: ChannelWatch | None = None,
    ) -> None:
        self._listener = listener
        self._about = about
        self._watch = watch
        self._out = Outbox(None if watch is None else watch.sent)
        self._ready = False
        self._next_id = 0
        self._messages = Budget(MESSAGES_PER_S, MESSAGE_BURST)
        self._texts = Budget(TEXTS_PER_S, TEXT_BURST)
        self._complaints = Budget(COMPLAINTS_PER_S, COMPLAINT_BURST)
        self.refused_messages = 0
        self._attached = 0
        self._texts_came_on: dict[tuple[str, str], int] = {}

    @property
    def ready(self) -> bool:
        """Whether the client has said client-ready."""
        return self._ready

    @property
    def dropped_messages(self) -> int:
        """How many messages to the client were dropped."""
        return self._out.dropped

    @property
    def max_message_bytes(self) -> int:
        """The longest message that is sent whole."""
        return self._out.max_message_bytes

    def attach(self, channel: RTCDataChannel) -> None:
        """Uses the peer's data channel, in place of an earlier one.

        A client that was ready stays ready: it says client-ready once in a call, not once in a peer
        connection (RTVI clients restart theirs with `restart_pc`).
        """
        self._attached += 1
        channel.on("message", self._on_message)
        self._out.attach(channel)

    def close(self) -> None:
        """Tells the client that the call is over, and sends nothing more."""
        self._out.put(rtvi.peer_left())
        self._out.close()

    def gone(self) -> None:
        """Sends nothing more, because the peer has left."""
        self._out.gone()

    async def drain(self) -> None:
        """Waits until everything has been sent, for at most `DRAIN_S`."""
        await self._out.drain(DRAIN_S)

    def user_speaking(self, speaking: bool) -> None:
        """The caller started or stopped speaking."""
        if self._watch is not None:
            self._watch.speaking("user", speaking)
        self._send("user-started-speaking" if speaking else "user-stopped-speaking")

    def bot_speaking(self, speaking: bool) -> None:
        """The agent's voice started or stopped."""
        if self._watch is not None:
            self._watch.speaking("agent", speaking)
        self._send("bot-started-speaking" if speaking else "bot-stopped-speaking")

    def bot_thinking(self, thinking: bool) -> None:
        """The model began or ended its answer."""
        self._send("bot-llm-started" if thinking else "bot-llm-stopped")

    def user_transcript(self, text: str, final: bool) -> None:
        """The transcript of the caller's speech so far."""
        self._send(
            "user-transcription",
            {
                "text": text,
                "final": final,
                "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds"),
                "user_id": "user",
            },
        )

    def bot_text(self, text: str) -> None:
        """A piece of the answer's text."""
        self._send("bot-tts-text", {"text": text})

    def bot_transcript(self, text: str) -> None:
        """The whole answer, or what was played of an interrupted one."""
        self._send("bot-transcription", {"text": text})

    def bot_output_new(self, segment: int, text: str, *, will_be_spoken: bool) -> None:
        """A segment of the answer: to be spoken later, or only shown."""
        self._out.put(rtvi.bot_output_new(self._id(), segment, text, will_be_spoken))

    def bot_output_progress(self, segment: int, text: str, spoken: str) -> None:
        """How much of a segment has been played: the beginning of its text, or all of it."""
        self._out.put(rtvi.bot_output_progress(self._id(), segment, text, spoken))

    def tool_started(
        self, call_id: str, name: str | None, arguments: Mapping[str, object] | None
    ) -> None:
        """The agent began to use a tool. An argument that the client must not see is None."""
        named: dict[str, object] = {} if name is None else {"function_name": name}
        self._send("llm-function-call-started", named)
        data = {"tool_call_id": call_id} | named
        if arguments is not None:
            data["arguments"] = arguments
        self._send("llm-function-call-in-progress", data)

    def tool_stopped(
        self, call_id: str, name: str | None, result: object, cancelled: bool = False
    ) -> None:
        """A tool has ended or was cancelled. An argument that the client must not see is None."""
        data: dict[str, object] = {"tool_call_id": call_id, "cancelled": cancelled}
        if name is not None:
            data["function_name"] = name
        if result is not None:
            data["result"] = result
        self._send("llm-function-call-stopped", data)

    def error(self, message: str, fatal: bool) -> None:
        """Something went wrong; `message` is a sentence for the user."""
        self._send("error", {"message": message, "error": message, "fatal": fatal})

    def server_message(self, data: dict[str, object]) -> None:
        """A message of this server's own: `{"kind": …}` (RTVI `server-message`)."""
        self._send("server-message", data)

    def _send(self, kind: str, data: Mapping[str, object] | None = None) -> None:
        self._out.put(rtvi.message(kind, self._id(), data))

    def _id(self) -> str:
        self._next_id += 1
        return str(self._next_id)

    # The client's messages

    def _on_message(self, message: str | bytes) -> None:
        if self._out.closed:
            return
        if not self._messages.take(time.monotonic()):
            self._refuse(
                f"Messages come too fast: more than {MESSAGES_PER_S:.0f} a second are not read."
            )
            return
        incoming: rtvi.Incoming | None = None
        try:
            incoming = rtvi.parse(message)
            if self._watch is not None and not isinstance(incoming, rtvi.Ping):
                self._watch.received(str(message), incoming)
            self._handle(incoming)
        except rtvi.BadMessage as bad:
            request_id = bad.request_id or _request_id(incoming)
            self._refuse(str(bad), request_id, about=bad.about or _text_id(incoming))
        except Exception as error:  # raised by the listener; the client gets a sentence
            # Otherwise pyee would raise it into aiortc's code that receives packets.
            self._refuse(
                "The message could not be handled.",
                _request_id(incoming),
                error,
                about=_text_id(incoming),
            )

    def _handle(self, incoming: rtvi.Incoming) -> None:
        match incoming:
            case rtvi.ClientReady(message_id):
                self._out.put_now(rtvi.bot_ready(message_id, self._about))
                self._ready = True
                self._out.release()
                # Also called after a new peer connection: the client may have missed messages.
                self._listener.on_client_ready()
            case rtvi.SendText(content, spoken, message_id):
                if not self._came_before(message_id, content):
                    self._count_text()
                    self._listener.on_text(content, spoken=spoken)
            case rtvi.AppendToContext(agents, content):
                self._count_text()
                self._listener.on_context(content, agents=agents)
            case rtvi.ClientMessage(message_id, kind, data):
                answer = self._listener.on_client_message(kind, data)
                if isinstance(answer, asyncio.Future):
                    answer.add_done_callback(partial(self._respond_later, message_id, kind))
                else:
                    self._respond(message_id, kind, answer)
            case rtvi.TrackStatus(receiver_index, enabled):
                self._listener.on_track_status(receiver_index, enabled)
            case rtvi.Goodbye():
                self._listener.on_goodbye()
            case rtvi.Ping() | rtvi.Ignored():
                pass

    def _came_before(self, message_id: str | None, content: str) -> bool:
        """Whether a text came on an earlier data channel: its sender could not know that it did."""
        if message_id is None:
            return False
        came_on = self._texts_came_on.setdefault((message_id, content), self._attached)
        while len(self._texts_came_on) > TEXT_IDS_KEPT:
            del self._texts_came_on[next(iter(self._texts_came_on))]
        return came_on != self._attached

    def _respond(self, message_id: str, kind: str, answer: object) -> None:
        response = rtvi.message("server-response", message_id, {"t": kind, "d": answer})
        self._out.put_now(response)

    def _respond_later(self, message_id: str, kind: str, done: asyncio.Future[object]) -> None:
        if done.cancelled():
            return
        error = done.exception()
        if error is None:
            self._respond(message_id, kind, done.result())
        elif isinstance(error, rtvi.BadMessage):
            self._refuse(str(error), message_id)
        else:
            cause = error if isinstance(error, Exception) else None
            self._refuse("The message could not be handled.", message_id, cause)

    def _count_text(self) -> None:
        if not self._texts.take(time.monotonic()):
            raise rtvi.BadMessage(
                f"Texts come too fast: at most {TEXT_BURST} at once, and {TEXTS_PER_S:.0f} more "
                "each second. This one was not taken; send it again in a moment."
            )

    def _refuse(
        self,
        sentence: str,
        request_id: str | None = None,
        cause: Exception | None = None,
        *,
        about: str | None = None,
    ) -> None:
        self.refused_messages += 1
        # A request is always answered: the client waits, and the number of requests is bounded. A
        # typed line with an id is answered too: by its id the client finds the refused line.
        may_complain = self._complaints.take(time.monotonic())
        if cause is not None and may_complain:
            # Neither the message nor the exception's text is logged: both may hold what was said.
            logger.error(
                "A message of a caller's client could not be handled: %s in %s.",
                type(cause).__name__,
                _place(cause),
            )
        if request_id is None and about is None and not may_complain:
            return
        data: dict[str, object] = {"message": sentence, "error": sentence, "fatal": False}
        kind = "error" if request_id is None else "error-response"
        self._out.put_now(rtvi.message(kind, request_id or about or self._id(), data))


def _request_id(incoming: rtvi.Incoming | None) -> str | None:
    match incoming:
        case rtvi.ClientMessage() | rtvi.AppendToContext() | rtvi.SendText(is_request=True):
            return incoming.message_id
        case _:
            return None


def _text_id(incoming: rtvi.Incoming | None) -> str | None:
    return incoming.message_id if isinstance(incoming, rtvi.SendText) else None


def _place(error: Exception) -> str:
    """Where an error was raised, as `file:line`."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "an unknown place"
