"""Decides when a caller's connection is lost and has to be replaced. Pure."""

from __future__ import annotations

from collections.abc import Callable, Set

LOST_AFTER_S = 4.0
"""Silence after which a connection is lost. A server sends 50 packets a second even in silence, and
itself gives a silent caller up after 8 s."""

ASK_AFTER_S = 0.6
"""Silence after which the server is asked whether it still has the call. If its process was killed,
the one that answers in its place has not."""

MOVED_AFTER_S = 0.6
"""Silence after which a connection is lost if this machine has lost an address, so that no packet
can be on its way any more."""

RETRY_DELAYS_S = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 10.0)
"""The pause before each attempt; after the last one the call is over."""


class ConnectionWatch:
    """Watches one connection.

    Args:
        now_s: The monotonic time at which it was made.
        addresses: This machine's addresses then.
    """

    def __init__(self, now_s: float, addresses: Set[str]) -> None:
        self._received_at_s = now_s
        self._packets = -1
        self._addresses = addresses
        self._asked = False

    def judge(self, now_s: float, packets: int, addresses: Callable[[], Set[str]]) -> str | None:
        """Why the connection has to be replaced; None while it need not be.

        Args:
            now_s: The monotonic time.
            packets: How many packets have come over it.
            addresses: Returns this machine's addresses; called in a silence only.
        """
        if packets != self._packets:
            self._packets, self._received_at_s, self._asked = packets, now_s, False
        silent_s = now_s - self._received_at_s
        if silent_s >= LOST_AFTER_S:
            return f"nothing was heard of the server for {silent_s:.0f} s"
        if silent_s >= MOVED_AFTER_S:
            found = addresses()
            if found and not self._addresses <= found:
                return "the network has changed"
        return None

    def is_to_ask(self, now_s: float) -> bool:
        """Whether to ask the server now if it still has the call; true once in each silence."""
        if self._asked or now_s - self._received_at_s < ASK_AFTER_S:
            return False
        self._asked = True
        return True
