"""The messages that leave on a data channel, bounded in number, in bytes and in their size.

Sending never raises, whatever happens to the channel. A message that can't be sent is counted, and
the first failure is logged with its cause.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping

from vision_agent.rtc.aiortc_sctp import max_message_bytes
from vision_agent.rtc.bounded_json import encode
from vision_agent.rtc.own.aiortc import RTCDataChannel

logger = logging.getLogger(__name__)

# Messages that wait until the client is ready: more than a call sends while it connects. Beyond
# that, the oldest are dropped.
MAX_EARLY_MESSAGES = 200
# Bytes that wait in SCTP. For a client that takes nothing, the newest messages are dropped.
MAX_BUFFERED_BYTES = 1_000_000
# The longest message that a browser takes, even if it announces more; aiortc announces the same.
MAX_MESSAGE_BYTES = 262_144

Message = Mapping[str, object]


class Outbox:
    """The sending half of a `Channel`.

    Messages wait until `release` is called and while no channel is open.

    Args:
        on_sent: called with each message that is sent, in JSON.

    Attributes:
        dropped: how many messages were dropped.
    """

    def __init__(self, on_sent: Callable[[str], None] | None = None) -> None:
        self._on_sent = on_sent
        self._channel: RTCDataChannel | None = None
        self._released = False
        self._closed = False
        self._early: deque[Message] = deque()
        self._failure_logged = False
        self.dropped = 0

    @property
    def closed(self) -> bool:
        """Whether nothing more is sent."""
        return self._closed

    @property
    def max_message_bytes(self) -> int:
        """The longest message that is sent whole: the peer's limit, at most `MAX_MESSAGE_BYTES`."""
        announced = 0 if self._channel is None else max_message_bytes(self._channel)
        return min(announced, MAX_MESSAGE_BYTES) if announced else MAX_MESSAGE_BYTES

    def attach(self, channel: RTCDataChannel) -> None:
        """Sends on this channel from now on."""
        self._channel = channel
        channel.on("open", self._send_early)
        self._send_early()

    def put(self, message: Message) -> None:
        """Sends a message, in order, as soon as the client is ready for it."""
        if self._closed:
            return
        if self._released and self._open() and not self._early:
            self.put_now(message)
            return
        if len(self._early) >= MAX_EARLY_MESSAGES:
            self._early.popleft()
            self.dropped += 1
        self._early.append(message)

    def put_now(self, message: Message) -> None:
        """Sends a message, such as the answer to a request, ahead of those that wait."""
        channel = self._channel
        if self._closed or channel is None or channel.readyState != "open":
            self.dropped += 1
            return
        try:
            text = encode(message, self.max_message_bytes)
            if text is None or channel.bufferedAmount + len(text) > MAX_BUFFERED_BYTES:
                self.dropped += 1
                return
            channel.send(text)
            if self._on_sent is not None:
                self._on_sent(text)
        except Exception as error:  # whatever aiortc raises must not reach the caller
            self.dropped += 1
            if not self._failure_logged:
                self._failure_logged = True
                logger.warning("A message to the caller's client could not be sent: %r", error)

    def release(self) -> None:
        """Sends the messages that wait, and from now on all others: the client is ready."""
        self._released = True
        self._send_early()

    def close(self) -> None:
        """Accepts no more messages; those handed to the channel are still sent."""
        self._closed = True
        self._early.clear()

    def gone(self) -> None:
        """Detaches the channel of a peer that has left.

        aiortc would fail on a message to that peer, in a task whose failure nobody could handle.
        """
        self.close()
        self._channel = None

    async def drain(self, timeout_s: float) -> None:
        """Waits until the sent messages have left, so that closing the peer does not lose them."""
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + timeout_s
        # Polled, because aiortc's "bufferedamountlow" event has one threshold only, and a call
        # drains only once.
        while self._open() and self._buffered() and loop.time() < deadline_s:  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    def _open(self) -> bool:
        return self._channel is not None and self._channel.readyState == "open"

    def _buffered(self) -> int:
        return self._channel.bufferedAmount if self._channel is not None else 0

    def _send_early(self) -> None:
        while self._early and self._released and self._open():
            self.put_now(self._early.popleft())
