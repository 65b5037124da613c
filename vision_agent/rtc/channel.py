"""The data channel of a call: what the agent's side says and what the client asks for."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Protocol

from aiortc import RTCDataChannel

from vision_agent.rtc import rtvi

logger = logging.getLogger(__name__)

# Messages before the client is ready: more than a call makes while it connects. The oldest go.
MAX_EARLY_MESSAGES = 200
# Bytes that SCTP has not got rid of: a client that takes nothing loses the newest messages.
MAX_BUFFERED_BYTES = 1_000_000
# Complaints about malformed messages: a burst, and then one a second; the others are counted only.
COMPLAINT_BURST = 10
MAX_TOOL_RESULT_CHARS = 16_000


class ChannelListener(Protocol):
    """What a call does about the client's messages. Called on the event loop."""

    def on_client_ready(self) -> None:
        """The client is set up; it has been answered."""

    def on_text(self, text: str) -> None:
        """The user typed a text."""

    def on_track_status(self, receiver_index: int, enabled: bool) -> None:
        """Microphone (0), camera (1) or screen (2) were switched on or off."""

    def on_client_message(self, type: str, data: object) -> object | None:
        """A request of the application's own; what is returned is sent back (JSON)."""

    def on_goodbye(self) -> None:
        """The client leaves."""


class Channel:
    """Speaks RTVI 2.1 on a data channel.

    What is to be sent before the client has said client-ready waits (see `MAX_EARLY_MESSAGES`).
    After `close` everything is dropped silently.

    Args:
        listener: told what the client says.
        about: what bot-ready tells about this agent.
    """

    def __init__(self, listener: ChannelListener, about: dict[str, str]) -> None:
        self._listener = listener
        self._about = about
        self._channel: RTCDataChannel | None = None
        self._ready = False
        self._closed = False
        self._early: deque[str] = deque()
        self._next_id = 0
        self._next_segment = 0
        self._complaints_left = float(COMPLAINT_BURST)
        self._complained_at_s = 0.0
        self.bad_messages = 0
        self.dropped_messages = 0

    @property
    def ready(self) -> bool:
        """Whether the client has said client-ready."""
        return self._ready

    def attach(self, channel: RTCDataChannel) -> None:
        """Takes the peer's data channel; one that comes later takes the first one's place.

        A client that was ready stays so: it says client-ready once in a call, not once in a peer
        connection (RTVI clients restart theirs with `restart_pc`).
        """
        self._channel = channel
        channel.on("message", self._on_message)
        channel.on("open", self._send_early)
        self._send_early()

    def close(self) -> None:
        """Tells the client that the call is over, and says nothing more."""
        if not self._closed:
            self._put(rtvi.peer_left())
        self._closed = True
        self._early.clear()

    def gone(self) -> None:
        """Says nothing more: the peer has left. aiortc would fail on it, out of anyone's reach."""
        self._closed = True
        self._channel = None
        self._early.clear()

    async def drain(self, timeout_s: float = 0.5) -> None:
        """Waits until what was said has left, so that closing the peer does not swallow it."""
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + timeout_s
        # aiortc's "bufferedamountlow" fires at one threshold only; this happens once in a call.
        while self._open() and self._buffered() and loop.time() < deadline_s:  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    def user_speaking(self, speaking: bool) -> None:
        """The caller started or stopped speaking."""
        self._send("user-started-speaking" if speaking else "user-stopped-speaking")

    def bot_speaking(self, speaking: bool) -> None:
        """The agent's voice started or stopped."""
        self._send("bot-started-speaking" if speaking else "bot-stopped-speaking")

    def bot_thinking(self, thinking: bool) -> None:
        """The model began or ended its answer."""
        self._send("bot-llm-started" if thinking else "bot-llm-stopped")

    def user_transcript(self, text: str, final: bool) -> None:
        """What the caller said, as far as it was understood."""
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
        """A piece of the answer, as it is spoken."""
        self._send("bot-tts-text", {"text": text})

    def bot_transcript(self, text: str) -> None:
        """The whole answer, or what there was of it when it was interrupted."""
        self._send("bot-transcription", {"text": text})
        self._next_segment += 1
        self._put(rtvi.bot_output(self._id(), text, self._next_segment))

    def tool_started(self, call_id: str, name: str, arguments: Mapping[str, object]) -> None:
        """The agent began to use a tool."""
        self._send("llm-function-call-started", {"function_name": name})
        self._send(
            "llm-function-call-in-progress",
            {"tool_call_id": call_id, "function_name": name, "arguments": arguments},
        )

    def tool_stopped(
        self, call_id: str, name: str, result: object, cancelled: bool = False
    ) -> None:
        """A tool is done, or was cancelled."""
        data: dict[str, object] = {
            "tool_call_id": call_id,
            "function_name": name,
            "cancelled": cancelled,
        }
        if result is not None:
            data["result"] = result
        self._send("llm-function-call-stopped", data)

    def error(self, message: str, fatal: bool) -> None:
        """Something went wrong; `message` is a sentence for the user."""
        self._send("error", {"message": message, "error": message, "fatal": fatal})

    def server_message(self, data: dict[str, object]) -> None:
        """A message of this server's own, outside the standard: `{"kind": ...}`."""
        self._send("server-message", data)

    def _send(self, kind: str, data: Mapping[str, object] | None = None) -> None:
        self._put(rtvi.message(kind, self._id(), data))

    def _id(self) -> str:
        self._next_id += 1
        return str(self._next_id)

    def _put(self, text: str) -> None:
        if self._closed:
            return
        if self._ready and self._open() and not self._early:
            self._write(text)
            return
        if len(self._early) >= MAX_EARLY_MESSAGES:
            self._early.popleft()
            self.dropped_messages += 1
        self._early.append(text)

    def _open(self) -> bool:
        return self._channel is not None and self._channel.readyState == "open"

    def _buffered(self) -> int:
        return self._channel.bufferedAmount if self._channel is not None else 0

    def _send_early(self) -> None:
        while self._early and self._ready and self._open():
            self._write(self._early.popleft())

    def _write(self, text: str) -> None:
        channel = self._channel
        if channel is None or channel.readyState != "open":
            self.dropped_messages += 1
            return
        if channel.bufferedAmount + len(text) > MAX_BUFFERED_BYTES:
            self.dropped_messages += 1
            return
        channel.send(text)

    def _on_message(self, message: str | bytes) -> None:
        if self._closed:
            return
        try:
            incoming = rtvi.parse(message)
        except rtvi.BadMessage as bad:
            self._complain(str(bad), bad.message_id)
            return
        try:
            self._handle(incoming)
        except Exception:  # of the listener; the cause is logged, the client is told in words
            # Let through, pyee would raise it into the receive loop of the whole connection.
            logger.exception("A message of the client could not be handled: %r", incoming)
            message_id = getattr(incoming, "message_id", None)
            self._complain("The message could not be handled.", message_id)

    def _handle(self, incoming: rtvi.Incoming) -> None:
        match incoming:
            case rtvi.ClientReady(message_id):
                self._write(rtvi.bot_ready(message_id, self._about))
                self._ready = True
                self._send_early()
                # Again after each new peer connection: the client may have missed something.
                self._listener.on_client_ready()
            case rtvi.SendText(content):
                self._listener.on_text(content)
            case rtvi.ClientMessage(message_id, kind, data):
                answer = self._listener.on_client_message(kind, data)
                self._write(rtvi.message("server-response", message_id, {"t": kind, "d": answer}))
            case rtvi.TrackStatus(receiver_index, enabled):
                self._listener.on_track_status(receiver_index, enabled)
            case rtvi.Goodbye():
                self._listener.on_goodbye()
            case rtvi.Ping() | rtvi.Ignored():
                pass

    def _complain(self, sentence: str, message_id: str | None) -> None:
        self.bad_messages += 1
        now_s = time.monotonic()
        earned = now_s - self._complained_at_s
        self._complained_at_s = now_s
        self._complaints_left = min(COMPLAINT_BURST, self._complaints_left + earned)
        if self._complaints_left < 1:
            return
        self._complaints_left -= 1
        data = {"message": sentence, "error": sentence, "fatal": False}
        self._write(rtvi.message("error", message_id or self._id(), data))
