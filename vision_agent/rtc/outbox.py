"""What goes out on a data channel: bounded in number, in bytes and in each message's size.

Nothing here raises, whatever becomes of the channel: what cannot be sent is counted, and the first
time it is logged with its cause.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Mapping

from aiortc import RTCDataChannel

from vision_agent.rtc.aiortc_sctp import max_message_bytes
from vision_agent.rtc.bounded_json import encode

logger = logging.getLogger(__name__)

# Messages before the client is ready: more than a call makes while it connects. The oldest go.
MAX_EARLY_MESSAGES = 200
# Bytes that SCTP has not got rid of: a client that takes nothing loses the newest messages.
MAX_BUFFERED_BYTES = 1_000_000
# What a browser takes at most, however much it announces (and what aiortc itself announces).
MAX_MESSAGE_BYTES = 262_144

Message = Mapping[str, object]


class Outbox:
    """The sending half of a `Channel`.

    Messages that come before `release`, or while there is no open channel, wait.
    """

    def __init__(self) -> None:
        self._channel: RTCDataChannel | None = None
        self._released = False
        self._closed = False
        self._early: deque[Message] = deque()
        self._failure_logged = False
        self.dropped = 0

    @property
    def closed(self) -> bool:
        """Whether nothing is said any more."""
        return self._closed

    @property
    def max_message_bytes(self) -> int:
        """The longest message that is sent whole: what the peer takes, within reason."""
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
        """Sends a message ahead of those that wait: the answer to a request."""
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
        except Exception as error:  # of aiortc: it must end no task of ours
            self.dropped += 1
            if not self._failure_logged:
                self._failure_logged = True
                logger.warning("A message to the caller's client could not be sent: %r", error)

    def release(self) -> None:
        """The client is ready: lets out what waits, and all that follows."""
        self._released = True
        self._send_early()

    def close(self) -> None:
        """Sends nothing more; what has been sent still leaves."""
        self._closed = True
        self._early.clear()

    def gone(self) -> None:
        """The peer has left. aiortc would fail on a message to it, out of anyone's reach."""
        self.close()
        self._channel = None

    async def drain(self, timeout_s: float) -> None:
        """Waits until what was sent has left, so that closing the peer does not swallow it."""
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + timeout_s
        # aiortc's "bufferedamountlow" fires at one threshold only; this happens once in a call.
        while self._open() and self._buffered() and loop.time() < deadline_s:  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    def _open(self) -> bool:
        return self._channel is not None and self._channel.readyState == "open"

    def _buffered(self) -> int:
        return self._channel.bufferedAmount if self._channel is not None else 0

    def _send_early(self) -> None:
        while self._early and self._released and self._open():
            self.put_now(self._early.popleft())
